import type { Executor } from '../clickhouse/executor.js'
import type { ResolvedConfig } from '../config/config.js'

/** One applied migration. It is written when the whole file is done, and never changed. */
export type JournalEntry = {
  /** File name with `.sql`. */
  readonly name: string
  /** ISO 8601, UTC; empty where an older journal did not say. */
  readonly appliedAt: string
  /** SHA-256, hex; empty where an older journal did not say. */
  readonly checksum: string
  readonly chkitVersion: string
}

/**
 * What happened to a statement. `intent` is written before it is sent, one of the others after it: `done`; `failed`,
 * the server refused it and nothing changed; `not_done`, evidence (or a person) says that it did not run; `unknown`, it
 * ended in a way that leaves open what it did.
 */
export type StatementOutcome = 'intent' | 'done' | 'failed' | 'not_done' | 'unknown'

/** One line of the statement journal. Lines are only ever added; the last one of a statement says where it stands. */
export type StatementEvent = {
  /** File name with `.sql`. */
  readonly migration: string
  /** One-based number in the file. */
  readonly statement: number
  readonly outcome: StatementOutcome
  /** ISO 8601, UTC, milliseconds. */
  readonly at: string
  /** SHA-256 of the text that is sent. */
  readonly hash: string
  readonly queryId: string
  /** What will prove that it ran, and how things stood before: JSON of `Evidence`; empty on outcomes. */
  readonly evidence: string
  /** Epoch of the lock under which the run wrote it; 0 without a lock. */
  readonly epoch: number
  /** Host and process of the run. */
  readonly runner: string
  /** The server's answer or the reason of an outcome, without secrets; may be empty. */
  readonly message: string
}

/** Everything a journal holds, statements in the order in which they were written. */
export type JournalState = {
  readonly applied: readonly JournalEntry[]
  readonly statements: readonly StatementEvent[]
}

/** Where the history of a database is kept. Reading never creates anything; writing returns when it is durable. */
export type Journal = {
  readonly store: 'table' | 'file'
  /** What messages and payloads call it: `database.table`, or the file's absolute path. */
  readonly location: string
  /** Throws `journal_corrupt`, `journal_version_unsupported` and connection codes. A journal that is missing is empty. */
  /** `statements: false` spares a request where only what is applied matters; the statements are then empty. */
  read(what?: { readonly statements: boolean }): Promise<JournalState>
  /** Makes writing possible: creates the journal where it is missing. Called under the lock, before the first write. */
  prepare(): Promise<void>
  /** Adds lines to the statement journal, all or none. */
  recordStatements(events: readonly StatementEvent[]): Promise<void>
  recordApplied(entry: JournalEntry): Promise<void>
}

/** Where a statement stands, and the lines that say so. */
export type StatementState = {
  readonly statement: number
  /** The newest intent: hash, query id and evidence of the last try. */
  readonly intent: StatementEvent
  readonly outcome: StatementOutcome
  readonly message: string
}

/**
 * The statements of one migration that were begun, by number. An outcome counts for the newest intent only if it names
 * the same query: a run that has lost its lock may write late, and must not speak for the try that came after it.
 */
export function statementStates(
  events: readonly StatementEvent[],
  migration: string,
): ReadonlyMap<number, StatementState> {
  const states = new Map<number, StatementState>()
  for (const event of events) {
    if (event.migration !== migration) continue
    const before = states.get(event.statement)
    if (event.outcome !== 'intent' && before?.intent.queryId !== event.queryId) continue
    const intent = event.outcome === 'intent' ? event : (before?.intent ?? event)
    states.set(event.statement, { statement: event.statement, intent, outcome: event.outcome, message: event.message })
  }
  return states
}

/** Migrations of which a part ran: begun, not applied as a whole. Sorted as they were begun. */
export function halfDone(state: JournalState): string[] {
  const applied = new Set(state.applied.map((entry) => entry.name))
  return [...new Set(state.statements.map((event) => event.migration))].filter((name) => {
    if (applied.has(name)) return false
    // A migration whose first statement was refused, or never sent, has changed nothing.
    return [...statementStates(state.statements, name).values()].some(({ outcome }) => !NOTHING_CHANGED.has(outcome))
  })
}

const NOTHING_CHANGED: ReadonlySet<StatementOutcome> = new Set(['failed', 'not_done'])

/** True for the tables that chkit keeps for itself beside a journal of that name. They are no drift. */
export function isOwnTable(name: string, journalTable: string): boolean {
  return name === journalTable || name === statementTable(journalTable) || name.startsWith(lockPrefix(journalTable))
}

/** Name of the statement journal beside a journal table. */
export function statementTable(journalTable: string): string {
  return `${journalTable}_statements`
}

/** Beginning of the names of lock tables beside a journal table; the epoch follows. */
export function lockPrefix(journalTable: string): string {
  return `${journalTable}_lock_`
}

/** The journal that `config` asks for. A table journal opens `connection` on its first use, a file journal never. */
export async function openJournal(
  config: Pick<ResolvedConfig, 'journal' | 'metaDir' | 'clickhouse'>,
  connection: () => Promise<Executor>,
): Promise<Journal> {
  if (config.journal.store === 'file') {
    const { openFileJournal } = await import('./file-journal.js')
    return openFileJournal(config.metaDir)
  }
  const { openTableJournal } = await import('./table-journal.js')
  return openTableJournal(await connection(), config.journal.table, config.clickhouse?.cluster)
}
