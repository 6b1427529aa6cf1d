import type { ResolvedConfig } from '../config/config.js'
import { listMigrations } from './directory.js'
import { halfDone, type JournalState, type StatementOutcome, statementStates } from './journal.js'
import { type ChecksumMismatch, compareHistory, type HistoryStatus } from './pending.js'
import { type MigrationFile, readMigration } from './read-migration.js'

/** A migration of which a part ran, and the statement it stands at. */
export type HalfDone = {
  readonly name: string
  /** One-based number of the first statement that is not done, of those that were begun; the next one when all are. */
  readonly statement: number
  /** How many statements are known to have run. */
  readonly doneStatements: number
  /** Of the statement it stands at; `pending` when it was not begun. */
  readonly outcome: StatementOutcome | 'pending'
  /** ISO 8601, UTC: when the last line was written. */
  readonly since: string
  readonly runner: string
  /** The server's answer, where there was one; may be empty. */
  readonly message: string
}

/** The `status` payload's facts. Lists are sorted by name. */
export type MigrationStatus = {
  readonly total: number
  readonly applied: number
  readonly pending: number
  readonly pendingMigrations: readonly string[]
  /** Applied, but the file is gone. */
  readonly missingMigrations: readonly string[]
  readonly checksumMismatches: readonly ChecksumMismatch[]
  readonly halfDone: readonly HalfDone[]
}

function standsAt(state: JournalState, name: string): HalfDone {
  const states = [...statementStates(state.statements, name).values()].sort((a, b) => a.statement - b.statement)
  const open = states.find(({ outcome }) => outcome !== 'done')
  const last = state.statements.filter((event) => event.migration === name).at(-1)
  return {
    name,
    statement: open?.statement ?? (states.at(-1)?.statement ?? 0) + 1,
    doneStatements: states.filter(({ outcome }) => outcome === 'done').length,
    outcome: open?.outcome ?? 'pending',
    since: last?.at ?? '',
    runner: last?.runner ?? '',
    message: open?.message ?? '',
  }
}

/** The migration files and how they compare with the journal. Reads the files; throws their codes. */
export function readHistory(
  config: Pick<ResolvedConfig, 'migrationsDir'>,
  state: JournalState,
): { readonly files: readonly MigrationFile[]; readonly history: HistoryStatus } {
  const files = listMigrations(config.migrationsDir).map((name) => readMigration(config.migrationsDir, name))
  return { files, history: compareHistory(files, state.applied, halfDone(state)) }
}

/** Files against the journal, as `status` and `check` report it. Reads the files; throws their codes. */
export function readMigrationStatus(
  config: Pick<ResolvedConfig, 'migrationsDir'>,
  state: JournalState,
): MigrationStatus {
  const { files, history } = readHistory(config, state)
  return {
    total: files.length,
    applied: history.applied.length,
    pending: history.pending.length,
    pendingMigrations: history.pending,
    missingMigrations: history.missing,
    checksumMismatches: history.mismatches,
    halfDone: halfDone(state).map((name) => standsAt(state, name)),
  }
}
