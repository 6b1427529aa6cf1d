import type { Executor } from '../clickhouse/executor.js'
import type { ResolvedConfig } from '../config/config.js'
import { diffModels } from '../diff/diff.js'
import { ChkitError } from '../errors.js'
import { type Definition, EMPTY_MODEL, type Model } from '../model/definition.js'
import { planChanges } from '../plan/plan.js'
import { replicatedDatabases } from '../render/cluster.js'
import { renderPlan } from '../render/render.js'
import { readTextIfPresent } from './atomic-file.js'
import { checksumOf } from './checksum.js'
import { listMigrations, migrationId, nextMigrationId } from './directory.js'
import { loadHead, writeMigration } from './history.js'
import { type JournalState, openJournal } from './journal.js'
import { acquireLock, type Lock, newRunner, noLock } from './lock.js'
import { canLock, openLockStore } from './lock-store.js'

/** What a baseline needs of the run under way. */
export type BaselineContext = {
  readonly config: ResolvedConfig
  readonly executor: Executor
  readonly now: () => number
  readonly version: string
  readonly signal: AbortSignal
  readonly onWait: (line: string) => void
}

export type BaselineOptions = {
  /** Adds to a history that exists instead of refusing; nothing of it is removed. */
  readonly force?: boolean
}

/** What a baseline wrote; `migrationFile` is undefined where the history had led to the same state already. */
export type Baseline = {
  readonly migrationFile?: string
  readonly snapshotFile?: string
  readonly statementCount: number
  /** Where the migration is marked as applied: `database.table`, or a file. */
  readonly journal: string
}

/** Milliseconds for which a baseline waits for a run that holds the migration lock. */
const LOCK_TIMEOUT_MS = 60_000

/**
 * Takes `definitions` for the state that the database has: writes the migration that would create them, its snapshot,
 * and marks it in the journal as applied, in this order. Executes none of it. Throws `history_exists` where there are
 * migrations, a snapshot or a journal and `force` is not given, or where migrations are pending; `plan_refused`.
 */
export async function writeBaseline(
  context: BaselineContext,
  definitions: readonly Definition[],
  options: BaselineOptions = {},
): Promise<Baseline> {
  const { config, executor } = context
  const journal = await openJournal(config, async () => executor)
  const lock = await takeLock(context, await journal.read())
  try {
    // Read again under the lock: another run may have applied something meanwhile.
    const state = await journal.read()
    const applied = state.applied.map(({ name }) => name)
    const files = listMigrations(config.migrationsDir)
    const head = await loadHead({
      migrationsDir: config.migrationsDir,
      metaDir: config.metaDir,
      appliedIds: async () => applied.map(migrationId),
    })
    refuseHistory(context, options, {
      files,
      state,
      hasSnapshot: head.snapshot !== undefined,
      journal: journal.location,
    })
    const from: Model = head.snapshot === undefined ? EMPTY_MODEL : { definitions: head.snapshot.definitions }
    const statements = statementsTo(from, { definitions }, config.clickhouse?.cluster)
    if (statements.length === 0) return { statementCount: 0, journal: journal.location }
    // Before any file is written: an account that may not create the journal must find out now.
    await journal.prepare()
    const now = context.now()
    const written = writeMigration({
      migrationsDir: config.migrationsDir,
      metaDir: config.metaDir,
      id: nextMigrationId(now, [...files, ...applied].map(migrationId)),
      slug: 'baseline',
      statements,
      definitions,
      parent: head.migration,
      generatedAt: new Date(now).toISOString(),
      chkitVersion: context.version,
    })
    await lock.assertHeld()
    await journal.recordApplied({
      name: written.name,
      appliedAt: new Date(now).toISOString(),
      checksum: checksumOf(readTextIfPresent(written.migrationFile) ?? ''),
      chkitVersion: context.version,
    })
    return {
      migrationFile: written.migrationFile,
      snapshotFile: written.snapshotFile,
      statementCount: statements.length,
      journal: journal.location,
    }
  } finally {
    await lock.release()
  }
}

type History = {
  readonly files: readonly string[]
  readonly state: JournalState
  readonly hasSnapshot: boolean
  readonly journal: string
}

function refuseHistory(context: BaselineContext, options: BaselineOptions, history: History): void {
  const { files, state, hasSnapshot } = history
  const { config } = context
  const applied = new Set(state.applied.map(({ name }) => name))
  const pending = files.filter((file) => !applied.has(file))
  if (options.force === true && pending.length > 0) {
    throw new ChkitError('history_exists', `Migrations are pending: ${pending.join(', ')}.`, {
      hint: 'Apply them with `chkit migrate --apply`, or delete them, before a baseline is taken.',
      details: { pending },
    })
  }
  if (options.force === true) return
  const found = [
    ...(files.length > 0
      ? [`${files.length} migration${files.length === 1 ? '' : 's'} in ${config.migrationsDir}`]
      : []),
    ...(hasSnapshot ? [`a snapshot in ${config.metaDir}`] : []),
    ...(applied.size > 0 ? [`${applied.size} applied in the journal ${history.journal}`] : []),
  ]
  if (found.length === 0) return
  throw new ChkitError('history_exists', `This project has a history already: ${found.join(', ')}.`, {
    hint: 'A baseline starts a history. To add the difference to this one, marked as applied, repeat the command with --force.',
    details: { migrations: files.length, applied: applied.size, snapshot: hasSnapshot },
  })
}

function statementsTo(from: Model, to: Model, cluster: string | undefined) {
  const plan = planChanges(diffModels(from, to, []), { from, to, allowRecreate: true })
  const [refusal] = plan.refusals
  if (refusal !== undefined)
    throw new ChkitError('plan_refused', plan.refusals.map(({ message }) => message).join('\n'), { hint: refusal.hint })
  return renderPlan(plan, { cluster, replicatedDatabases: replicatedDatabases(from, to) })
}

/** The lock that `migrate` takes: a baseline must not come between the statements of a run. */
async function takeLock({ executor, config, signal, onWait }: BaselineContext, state: JournalState): Promise<Lock> {
  const runner = newRunner()
  if (config.journal.store === 'file' || !(await canLock(executor))) return noLock(runner)
  return acquireLock({
    store: await openLockStore(executor, config.journal.table),
    runner,
    timeoutMs: LOCK_TIMEOUT_MS,
    journalEpoch: state.statements.reduce((newest, { epoch }) => Math.max(newest, epoch), 0),
    signal,
    onWait: ({ owner, host }) => onWait(`Waiting for the migration lock, held by ${owner} on ${host}`),
  })
}
