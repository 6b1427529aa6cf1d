import { relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Executor } from '../clickhouse/executor.js'
import { explaining } from '../clickhouse/server-error.js'
import { ChkitError } from '../errors.js'
import { type DestructiveOperation, destructiveBlocked, findDestructive, formatCount } from '../migration/danger.js'
import { migrationId } from '../migration/directory.js'
import { type Journal, type JournalState, openJournal, statementStates } from '../migration/journal.js'
import {
  acquireLock,
  breakLock,
  describeHolder,
  type Lock,
  lockHolder,
  newRunner,
  noLock,
  refuseBesideRun,
} from '../migration/lock.js'
import { canLock, type LockStore, openLockStore } from '../migration/lock-store.js'
import { type ParsedMigration, parseMigration } from '../migration/migration-file.js'
import { findNodeOnly } from '../migration/node-only.js'
import { refuseOwnTables } from '../migration/own-tables.js'
import { choosePending } from '../migration/pending.js'
import { argumentsOf } from '../migration/process-identity.js'
import { type AppliedMigration, applyMigrations } from '../migration/run.js'
import { describeMissing, missingSecrets, requireSecrets, withSecrets } from '../migration/secret-references.js'
import { refuseEdited, resumption } from '../migration/settle.js'
import { readHistory } from '../migration/status.js'
import type { CommandContext, CommandResult, TableScope } from '../plugin-host/command.js'
import { invocation } from './invocation.js'
import { migrationScope } from './migrate-scope.js'
import { warnOfMissingDatabase } from './missing-database.js'
import { scopeWarning } from './scope-payload.js'
import { wrapText } from './text-table.js'

/** Seconds that a run waits for another one unless `--lock-timeout` says otherwise. */
const LOCK_TIMEOUT_S = 15

/** Statements sent at a time unless `--concurrency` says otherwise. */
const CONCURRENCY = 4

/** What a run is about to do. */
type Pending = {
  readonly taken: readonly ParsedMigration[]
  /** Pending files that touch more than the scope. */
  readonly leftOut: readonly string[]
  readonly scope: TableScope
}

/** Runs `chkit migrate`. */
export async function run(context: CommandContext): Promise<CommandResult> {
  const { flags } = context
  refuseTogether(flags)
  const executor = await context.connection()
  if (flags.unlock === true) return unlock(context, executor)
  if (flags.apply === true && executor.kind === 'embedded') await waitForEngine(context, executor)
  const journal = await openJournal(context.config, context.connection)
  const state = await journal.read()
  if (typeof flags.resolve === 'string') return resolve(context, executor, journal, state, flags.resolve)
  const pending = await choose(context, executor, state)
  if (flags.apply === true) return apply(context, executor, journal, pending, state)
  await warnOfMissingDatabase(context, state)
  if (!context.prompt.interactive || pending.taken.length === 0) return planned(context, pending, state)
  context.note(planText(context, pending, state))
  if (!(await context.prompt.confirm('Apply pending migrations now?')))
    return { ...planned(context, pending, state), text: '' }
  return apply(context, executor, journal, pending, state)
}

/** Each of these is the whole of what a run does. */
function refuseTogether(flags: CommandContext['flags']): void {
  const given = ['apply', 'resolve', 'unlock'].filter((name) => flags[name] !== undefined && flags[name] !== false)
  const [first, second] = given
  if (first === undefined || second === undefined) return
  throw new ChkitError('invalid_flag_value', `--${first} and --${second} do not go together.`, {
    hint: `Run chkit migrate --${second} first, then chkit migrate --${first}.`,
    details: { flags: given },
  })
}

/** The migrations to run, all of them parsed before any of them runs. */
async function choose(
  context: CommandContext,
  executor: Executor,
  state: JournalState,
  warn = context.warn,
  known: readonly ParsedMigration[] = [],
): Promise<Pending> {
  const { config, flags } = context
  const { files, history } = readHistory(config, state)
  const names = choosePending(history, {
    allowOutOfOrder: flags['allow-out-of-order'] === true,
    to: flags.to as string | undefined,
  })
  const parsed = names.map((name) => {
    const file = files.find((candidate) => candidate.name === name)
    if (file === undefined) throw new ChkitError('internal_error', `${name} is pending, but was not read.`)
    const before = known.find((one) => one.name === name && one.checksum === file.checksum)
    return before ?? parseMigration(file, executor.database)
  })
  const scope = migrationScope(flags.table, config.metaDir, parsed)
  context.plugins.setTableScope(scope.scope)
  const warning = scopeWarning(scope.scope)
  if (warning !== undefined) warn(warning)
  const taken = parsed.filter((migration) => scope.covers(migration))
  // Where plugins may change statements only the run knows what was sent.
  if (context.plugins.names.length === 0)
    for (const { name, statements } of taken) refuseEdited(name, statementStates(state.statements, name), statements)
  keepOwnTables(
    context,
    executor,
    taken.map((migration) => open(migration, state)),
  )
  for (const migration of taken)
    for (const { problem } of open(migration, state).statements) if (problem !== undefined) warn(problem)
  const leftOut = parsed.filter((migration) => !scope.covers(migration)).map(({ name }) => name)
  if (leftOut.length > 0) warn(`Left out, because they touch more than the scope: ${leftOut.join(', ')}.`)
  return { taken, leftOut, scope: scope.scope }
}

/** A journal in a file needs none of them. */
function keepOwnTables({ config }: CommandContext, executor: Executor, migrations: readonly ParsedMigration[]): void {
  if (config.journal.store === 'file') return
  refuseOwnTables(migrations, { database: executor.database, journalTable: config.journal.table })
}

/** The statements that are still to be sent. */
function open(migration: ParsedMigration, state: JournalState): ParsedMigration {
  const states = statementStates(state.statements, migration.name)
  const statements = migration.statements.filter(({ number }) => resumption(states.get(number)) !== 'skip')
  return { ...migration, statements }
}

function planned(context: CommandContext, pending: Pending, state: JournalState): CommandResult {
  const missing = missingSecrets(
    pending.taken.map((migration) => open(migration, state)),
    context.env,
  )
  if (missing.length > 0) context.warn(`${describeMissing(missing)}. chkit migrate --apply would stop there.`)
  return {
    payload: {
      mode: 'plan',
      scope: pending.scope,
      pending: pending.taken.map(({ name }) => name),
      operations: pending.taken.flatMap((migration) =>
        open(migration, state).statements.flatMap(({ number, effects }) =>
          effects.operations.map(({ type, key, risk, reason }) => ({
            migration: migration.name,
            statement: number,
            type,
            key,
            risk,
            reason,
          })),
        ),
      ),
      leftOut: pending.leftOut,
    },
    text: planText(context, pending, state),
  }
}

function planText(context: CommandContext, pending: Pending, state: JournalState): string {
  const { style } = context
  if (pending.taken.length === 0) return `${style.green('✓')} Nothing to apply.`
  const colour = { safe: style.green, caution: style.yellow, danger: (text: string) => style.bold(style.red(text)) }
  const lines = [style.bold(count(pending.taken.length, 'pending migration'))]
  for (const migration of pending.taken) {
    const left = open(migration, state)
    const resumed = migration.statements.length - left.statements.length
    const begun = resumed === 0 ? '' : style.dim(` (goes on after ${count(resumed, 'statement')})`)
    lines.push('', `  ${style.bold(migration.name)}${begun}`)
    for (const { operations } of left.statements.map(({ effects }) => effects)) {
      for (const { risk, type, key, reason } of operations) {
        const what = risk === 'safe' ? `${type} ${key}` : `${type} ${key}  ${style.dim(reason)}`
        lines.push(...wrapText(what, context.width, `    ${colour[risk](risk.padEnd(7))} `, ' '.repeat(12)))
      }
    }
  }
  if (context.flags.apply !== true) lines.push('', `  Next: ${style.cyan(invocation(context.env, 'migrate --apply'))}`)
  return lines.join('\n')
}

function count(number: number, noun: string): string {
  return `${formatCount(number)} ${noun}${number === 1 ? '' : 's'}`
}

/** Lets dangerous operations through only where a flag, the config, or a typed `yes` allows them. */
async function requireAllowed(
  context: CommandContext,
  executor: Executor,
  migrations: readonly ParsedMigration[],
  scope: TableScope,
): Promise<void> {
  if (context.flags['allow-destructive'] === true || context.config.safety.allowDestructive) return
  const found = await findDestructive(executor, migrations)
  if (found.length === 0) return
  const blocked = destructiveBlocked(found, { mode: 'execute', scope })
  for (const line of dangerLines(context, found)) context.note(line)
  if (!context.prompt.interactive) throw blocked
  if (!(await context.prompt.typed('This cannot be undone. Type "yes" to apply it:', 'yes'))) throw blocked
}

function dangerLines(context: CommandContext, found: readonly DestructiveOperation[]): string[] {
  const { style, width } = context
  const indent = ' '.repeat(7)
  return found.flatMap((operation) => [
    ...wrapText(
      `${operation.migration}, statement ${operation.statement} (line ${operation.line}): ${operation.type} ${operation.key}`,
      width,
      `${style.bold(style.red('danger'))} `,
      indent,
    ),
    ...wrapText(`${operation.reason} ${operation.impact}`, width, indent),
    ...wrapText(operation.recommendation, width, indent).map(style.dim),
  ])
}

async function apply(
  context: CommandContext,
  executor: Executor,
  journal: Journal,
  pending: Pending,
  state: JournalState,
): Promise<CommandResult> {
  if (pending.taken.length === 0) return executed(context, journal, pending, [])
  const left = pending.taken.map((migration) => open(migration, state))
  requireSecrets(left, context.env)
  await warnOfNodeOnly(context, executor, left)
  await requireAllowed(context, executor, left, pending.scope)
  const nothing = 'Remove the cause and run again. No statement was sent.'
  await explaining(`The database ${executor.database} cannot be created`, nothing, () =>
    createDatabase(context, executor),
  )
  const lock = await explaining('The migration lock cannot be taken', nothing, () => takeLock(context, executor, state))
  const progress = context.progress('Applying')
  const sayHowToLeave = () => context.note(INTERRUPTED)
  context.signal.addEventListener('abort', sayHowToLeave, { once: true })
  try {
    await explaining(`The journal ${journal.location} cannot be created`, nothing, () => journal.prepare())
    // Another run may have finished some of it while this one waited.
    const now = await journal.read()
    const still = await choose(context, executor, now, () => {}, pending.taken)
    const names = new Set(still.taken.map(({ name }) => name))
    const taken = pending.taken.filter(({ name }) => names.has(name))
    const applied = await applyMigrations(
      runContext(context, executor, journal, lock, pending.scope, progress.update),
      taken,
      now,
    )
    progress.done()
    return executed(context, journal, pending, applied)
  } catch (error) {
    progress.done()
    // What a run that ends well says on stdout.
    if (error instanceof ChkitError && Array.isArray(error.details.applied) && !context.jsonMode)
      for (const { name } of error.details.applied as AppliedMigration[])
        context.note(`${context.style.green('✓')} ${name}`)
    throw withPayload(error, pending)
  } finally {
    context.signal.removeEventListener('abort', sayHowToLeave)
    await release(context, lock)
  }
}

const INTERRUPTED =
  'Interrupted: the statement under way is finished first. A second Ctrl-C leaves at once; the next run then finds out what became of it.'

/** A cluster is configured, and someone wrote DDL without it: the other nodes will never see that. */
async function warnOfNodeOnly(
  context: CommandContext,
  executor: Executor,
  migrations: readonly ParsedMigration[],
): Promise<void> {
  const cluster = context.config.clickhouse?.cluster
  if (cluster === undefined || executor.kind === 'embedded') return
  for (const { migration, statement, line, object } of await findNodeOnly(executor, migrations, cluster)) {
    context.warn(
      `Statement ${statement} of ${migration} (line ${line}) has no ON CLUSTER ${cluster}: it changes ${object} on the connected node only.`,
    )
  }
}

async function createDatabase(context: CommandContext, executor: Executor): Promise<void> {
  const { createDatabase: create } = await import('../migration/table-journal.js')
  const { journal, clickhouse } = context.config
  await create(executor, journal.table, clickhouse?.cluster)
}

/** Undefined where no lock is needed or none can be had. */
async function lockStore(context: CommandContext, executor: Executor): Promise<LockStore | undefined> {
  // The embedded engine locks its folder: no other process can be at it.
  if (executor.kind === 'embedded') return undefined
  if (!(await canLock(executor))) {
    const { version } = await executor.server()
    context.warn(
      `ClickHouse ${version} can hold no migration lock: see to it that one run at a time applies migrations.`,
    )
    return undefined
  }
  const store = await openLockStore(executor, context.config.journal.table)
  if (context.config.clickhouse?.cluster !== undefined && !store.shared) {
    context.warn(
      'The migration lock is seen by one node only, since the server has no KeeperMap: always connect to the same node.',
    )
  }
  return store
}

function lockTimeoutMs({ flags }: CommandContext): number {
  return (typeof flags['lock-timeout'] === 'number' ? flags['lock-timeout'] : LOCK_TIMEOUT_S) * 1000
}

/**
 * Waits for another `chkit migrate` that has the embedded engine's folder open: the folder is its lock. Throws
 * `lock_held` when that takes too long, and at once `embedded_engine_busy` for every other process.
 */
async function waitForEngine(context: CommandContext, executor: Executor): Promise<void> {
  const deadline = performance.now() + lockTimeoutMs(context)
  for (;;) {
    try {
      await executor.server()
      return
    } catch (error) {
      if (!(error instanceof ChkitError) || error.code !== 'embedded_engine_busy') throw error
      const pid = Number(error.details.process)
      if (!argumentsOf(pid).includes('migrate')) throw error
      if (performance.now() >= deadline) {
        throw new ChkitError('lock_held', `Another run has ${executor.target} open: chkit migrate, process ${pid}.`, {
          hint: 'Wait for it (--lock-timeout <s>), or stop it.',
          details: { process: pid },
          retriable: true,
          cause: error,
        })
      }
    }
    if (context.signal.aborted)
      throw new ChkitError('interrupted', 'Interrupted while waiting for the embedded engine.')
    await sleep(200)
  }
}

async function takeLock(context: CommandContext, executor: Executor, state: JournalState): Promise<Lock> {
  const runner = newRunner()
  const store = await lockStore(context, executor)
  if (store === undefined) return noLock(runner)
  const waiting = context.progress('Taking the migration lock')
  try {
    return await acquireLock({
      store,
      runner,
      timeoutMs: lockTimeoutMs(context),
      journalEpoch: state.statements.reduce((newest, { epoch }) => Math.max(newest, epoch), 0),
      signal: context.signal,
      onWait: (holder) => waiting.update(`Waiting for the migration lock, held by ${describeHolder(holder)}`),
    })
  } finally {
    waiting.done()
  }
}

async function release(context: CommandContext, lock: Lock): Promise<void> {
  try {
    await lock.release()
  } catch (error) {
    // Whatever the run has to say matters more; the lock frees itself when its lease runs out.
    if (!(error instanceof ChkitError)) throw error
    context.warn(`The migration lock could not be released and frees itself shortly: ${error.message}`)
  }
}

function runContext(
  context: CommandContext,
  executor: Executor,
  journal: Journal,
  lock: Lock,
  scope: TableScope,
  report: (line: string) => void,
): Parameters<typeof applyMigrations>[0] {
  const { plugins } = context
  return {
    executor: withSecrets(executor, context.env, context.hide),
    journal,
    lock,
    chkitVersion: context.version,
    now: context.now,
    signal: context.signal,
    cluster: context.config.clickhouse?.cluster,
    concurrency: typeof context.flags.concurrency === 'number' ? context.flags.concurrency : CONCURRENCY,
    report,
    warn: context.warn,
    redact: context.redact,
    beforeApply: async (migration, statements) => plugins.onBeforeApply({ migration, statements }),
    afterApply: async (migration, statements, appliedAt) => {
      await plugins.onAfterApply({ migration, statements, appliedAt })
    },
    requireAllowed: async (migration) => {
      keepOwnTables(context, executor, [migration])
      requireSecrets([migration], context.env)
      await requireAllowed(context, executor, [migration], scope)
    },
  }
}

function withPayload(error: unknown, pending: Pending): unknown {
  if (!(error instanceof ChkitError)) return error
  const { applied, payload, ...details } = error.details
  const known = typeof payload === 'object' && payload !== null ? payload : {}
  return new ChkitError(error.code, error.message, {
    hint: error.hint,
    retriable: error.retriable,
    details: {
      ...details,
      payload: { mode: 'execute', scope: pending.scope, applied: applied ?? [], ...known },
    },
    cause: error,
  })
}

function executed(
  context: CommandContext,
  journal: Journal,
  pending: Pending,
  applied: readonly AppliedMigration[],
): CommandResult {
  return {
    payload: {
      mode: 'execute',
      scope: pending.scope,
      applied,
      journal: { store: journal.store, location: journal.location },
      ...(journal.store === 'file' ? { journalFile: journal.location } : {}),
      leftOut: pending.leftOut,
    },
    text: executedText(context, journal, applied),
  }
}

function executedText(context: CommandContext, journal: Journal, applied: readonly AppliedMigration[]): string {
  const { style } = context
  if (applied.length === 0) return `${style.green('✓')} Nothing to apply.`
  const total = applied.reduce((sum, { durationMs }) => sum + durationMs, 0)
  const where = journal.store === 'file' ? relative(context.cwd, journal.location) : journal.location
  return [
    ...applied.map(({ name, statements, resumed, durationMs }) => {
      const went = resumed === 0 ? '' : `, ${resumed} of them in an earlier run`
      return `${style.green('✓')} ${style.bold(name)}  ${style.dim(`${count(statements, 'statement')}${went}, ${duration(durationMs)}`)}`
    }),
    `${count(applied.length, 'migration')} applied in ${duration(total)} ${style.dim(`(journal: ${where})`)}`,
  ].join('\n')
}

function duration(milliseconds: number): string {
  return milliseconds < 1000 ? `${milliseconds} ms` : `${(milliseconds / 1000).toFixed(1)} s`
}

/** `--resolve <id>:<n>=done|retry`: a person says what nobody could find out. */
async function resolve(
  context: CommandContext,
  executor: Executor,
  journal: Journal,
  state: JournalState,
  text: string,
): Promise<CommandResult> {
  const parts = /^(.+):(\d+)=(done|retry)$/.exec(text)
  if (parts === null) {
    throw new ChkitError('invalid_flag_value', `"--resolve ${text}" names no statement.`, {
      hint: 'For example --resolve 20260131120000:3=done, or =retry.',
    })
  }
  const [, id = '', number = '', answer = ''] = parts
  const names = [...new Set(state.statements.map(({ migration }) => migration))]
  const meant = names.filter((candidate) => candidate === id || migrationId(candidate) === id)
  const stateIn = (name: string) => statementStates(state.statements, name).get(Number(number))
  const isOpen = (name: string) => resumption(stateIn(name)) === 'settle'
  // Files may share an id; of those at most one is under way.
  const name = meant.find(isOpen) ?? meant[0]
  const known = name === undefined ? undefined : stateIn(name)
  if (name === undefined || known === undefined || !isOpen(name)) {
    throw new ChkitError('migration_not_found', `The journal holds no open statement ${number} of "${id}".`, {
      hint: 'chkit status shows where a half-done migration stands.',
      details: { migration: name ?? id, statement: Number(number), outcome: known?.outcome ?? null },
    })
  }
  const outcome = answer === 'done' ? 'done' : 'not_done'
  const store = await lockStore(context, executor)
  // Such a run may be finding out the very thing.
  if (store !== undefined) await refuseBesideRun(store)
  await journal.prepare()
  await journal.recordStatements([
    {
      ...known.intent,
      outcome,
      at: new Date(context.now()).toISOString(),
      evidence: '',
      runner: newRunner(),
      message: 'decided by a person',
    },
  ])
  const next = outcome === 'done' ? 'goes on after it' : 'sends it again'
  return {
    payload: { mode: 'resolve', migration: name, statement: Number(number), outcome },
    text: `${context.style.green('✓')} Statement ${number} of ${name} counts as ${outcome === 'done' ? 'done' : 'not run'}; the next run ${next}.`,
  }
}

/** `--unlock`: breaks the lock of a run that is known to be dead. */
async function unlock(context: CommandContext, executor: Executor): Promise<CommandResult> {
  const { style } = context
  const store = await lockStore(context, executor)
  const holder = store === undefined ? undefined : await lockHolder(store)
  if (store === undefined || holder === undefined) {
    return { payload: { mode: 'unlock', holder: null }, text: `${style.green('✓')} Nobody holds the migration lock.` }
  }
  const who = describeHolder(holder)
  const wait = `, or wait ${Math.max(0, Math.ceil(holder.expiresInMs / 1000))} s: it then frees itself`
  if (!context.prompt.interactive) {
    throw new ChkitError('lock_held', `The migration lock of ${who} is broken only after a typed confirmation.`, {
      hint: `Run chkit migrate --unlock in a terminal${Number.isFinite(holder.expiresInMs) ? wait : ''}.`,
      details: { ...holder },
    })
  }
  const question = `${who} holds the lock. If that run is alive, two runs will change the database at once. Type "unlock":`
  if (!(await context.prompt.typed(question, 'unlock')))
    throw new ChkitError('lock_held', 'The migration lock was left as it is.')
  await breakLock(store)
  return { payload: { mode: 'unlock', holder }, text: `${style.green('✓')} The migration lock of ${who} is broken.` }
}
