import { existsSync } from 'node:fs'
import {
  ChkitError,
  type Executor,
  type LockRequest,
  type PluginLock,
  type Progress,
  parseStatement,
  quoteQualified,
  quoteString,
} from '../../index.js'
import { type LiveTable, readTable, requireWritable } from './catalog.js'
import { type ChunkContext, dropTable, type PlanTables, runChunk, stagingPrefix } from './chunk.js'
import { isConnectionError, isPressure, tolerating } from './fate.js'
import {
  arrivedOf,
  doublesRowsOf,
  hasBegun,
  LEDGER,
  type Ledger,
  type LedgerPlan,
  ledgerRefused,
  lockOwnerOf,
  lockRequestOf,
  NO_LEDGER,
  openLedger,
  readLedger,
} from './ledger.js'
import { acquireRunLock } from './lock.js'
import type { Options } from './options.js'
import { environmentOf, type Plan, type PlannedChunk, showName } from './plan.js'
import { definitionsOf, isRecreated, readPlanTables } from './planner.js'
import { createThrottle, pause, pressureOn } from './pressure.js'
import { progressLine } from './progress.js'
import { viewQuery } from './query.js'
import {
  type ChunkState,
  chunkState,
  type EventLog,
  openEvents,
  planIds,
  type RunState,
  readPlan,
  readRun,
  removeFile,
  type StateFiles,
} from './state.js'

/** What `run` and `resume` were told. */
export type RunFlags = {
  readonly resume: boolean
  readonly replayDone: boolean
  readonly replayFailed: boolean
  readonly forceOverlap: boolean
  readonly forceCompatibility: boolean
  readonly forceEnvironment: boolean
  readonly maxParallelChunks?: number
  readonly maxBytesPerSecond?: number
}

export type RunContext = {
  readonly connection: Executor
  readonly stateDir: string
  readonly files: StateFiles
  readonly options: Options
  readonly flags: RunFlags
  readonly now: () => number
  readonly signal: AbortSignal
  readonly warn: (line: string) => void
  readonly progress: (text: string) => Progress
  /** The server's locks. */
  readonly lock: (request: LockRequest) => Promise<PluginLock>
}

/** What a run has done, counted over all runs of the plan. */
export type RunSummary = {
  readonly status: RunState['status']
  readonly chunks: Readonly<Record<'total' | 'done' | 'pending' | 'failed' | 'unknown', number>>
  readonly rows: number
  /** Uncompressed bytes that were written. */
  readonly bytes: number
  readonly failed: readonly {
    readonly chunk: string
    readonly from: string
    readonly to: string
    readonly error: string
  }[]
}

/** The figures of a plan's state. Pure. */
export function summarise(plan: Plan, state: RunState): RunSummary {
  const states = plan.chunks.map((chunk) => ({ chunk, state: chunkState(state, chunk.id) }))
  const count = (status: string) => states.filter((one) => one.state.status === status).length
  const [done, failed, unknown] = [count('done'), count('failed'), count('unknown')]
  const sum = (field: 'rows' | 'bytes') =>
    states.reduce((total, one) => total + (one.state.status === 'done' ? one.state[field] : 0), 0)
  return {
    status: state.status,
    chunks: { total: states.length, done, failed, unknown, pending: states.length - done - failed - unknown },
    rows: sum('rows'),
    bytes: sum('bytes'),
    failed: states.flatMap(({ chunk, state: one }) =>
      one.status === 'failed' || one.status === 'unknown'
        ? [{ chunk: chunk.id, from: chunk.from, to: chunk.to, error: one.error }]
        : [],
    ),
  }
}

/**
 * Runs what is left of a plan. Throws `lock_held`, `plan_mismatch`, `overlapping_run`, `run_cancelled`,
 * `run_incomplete` when chunks are left that it cannot do, `interrupted`, connection codes.
 */
export async function runPlan(plan: Plan, context: RunContext): Promise<RunSummary> {
  const lock = await acquireRunLock(context.stateDir, plan.id)
  try {
    // What an earlier run was asked. At once: from here on `cancel` means this one, though it has not begun yet.
    removeFile(context.files.cancelFile(plan.id))
    const before = readRun(context.files, plan.id)
    if (before.status === 'cancelled' && !context.flags.resume) {
      throw new ChkitError('run_cancelled', `Backfill ${plan.id} was cancelled.`, {
        hint: `chkit backfill resume --plan-id ${plan.id} takes it up again where it stopped.`,
      })
    }
    checkEnvironment(plan, context)
    // Before anything is written, also into the database of the lock, which may be gone.
    const tables = await checkedTables(plan, context)
    return await runAlone(plan, tables, context)
  } finally {
    await lock.release()
  }
}

/** Holds the server's lock of the target meanwhile: other state folders and machines keep out. */
async function runAlone(plan: Plan, tables: PlanTables, context: RunContext): Promise<RunSummary> {
  const held = await context.lock({ ...lockRequestOf(plan.storage), holder: lockOwnerOf(plan) })
  try {
    return await runLocked(plan, tables, held, context)
  } finally {
    await held.release().catch((error: unknown) => {
      // Whatever the run has to say matters more; the lock frees itself when its lease runs out.
      if (!(error instanceof ChkitError)) throw error
      context.warn(
        `The lock of ${showName(plan.storage)} could not be released and frees itself shortly: ${error.message}`,
      )
    })
  }
}

async function runLocked(plan: Plan, tables: PlanTables, held: PluginLock, context: RunContext): Promise<RunSummary> {
  const known = readRun(context.files, plan.id).sequences
  const ledger = await ledgerOf(plan, tables, Math.max(0, ...known.values()), context)
  checkOverlap(plan, ledger, tables.storage, context)
  const log = openEvents(context.files, plan, context.now)
  try {
    adopt(plan, ledger, log, context)
    const books = createBooks(plan, ledger, log, held)
    await replay(plan, books, context)
    if (summarise(plan, log.state()).chunks.done === plan.chunks.length && log.state().status === 'completed') {
      return summarise(plan, log.state())
    }
    if (!ledger.plans.has(plan.id)) await ledger.record(plan.id, { kind: 'plan', plan })
    log.append({ kind: 'status', status: 'running' })
    return await runChunks(plan, tables, books, context)
  } finally {
    log.flush()
    log.close()
  }
}

/** The ledger beside the target. A plan that promises nothing, or whose target keeps one row per key, runs without. */
async function ledgerOf(
  plan: Plan,
  { storage }: PlanTables,
  known: number,
  { connection, warn }: RunContext,
): Promise<Ledger> {
  const ledger = await openLedger(connection, storage, known)
  if (ledger !== undefined) return ledger
  if (plan.mechanism === 'staged') throw ledgerRefused(plan.storage)
  warn(`The server keeps no ledger of this backfill: only the state folder knows what has arrived.`)
  return NO_LEDGER
}

/** Takes over what the ledger knows better than the files: another checkout went on, or the files were lost. */
function adopt(plan: Plan, ledger: Ledger, log: EventLog, { warn }: RunContext): void {
  const known = ledger.plans.get(plan.id)
  if (known === undefined) return
  const news = newerThan(log.state(), known)
  if (known.clearing && known.clearing.sequence > (log.state().sequences.get('') ?? 0)) {
    log.append({ kind: 'clearing', ...known.clearing })
  }
  for (const [chunk, { sequence, state }] of news) log.append({ kind: 'chunk', chunk, state, sequence })
  if (news.length === 0) return
  const { done, total } = summarise(plan, log.state()).chunks
  const text = `${news.length} chunks are as the ledger ${plan.storage.database}.${LEDGER} says, written from ${known.host}: ${done} of ${total} are done.`
  log.append({ kind: 'note', text })
  warn(text)
}

/** Chunks of which the ledger says something that the files do not know. Pure. */
function newerThan(
  state: RunState,
  known: LedgerPlan,
): readonly (readonly [string, { readonly sequence: number; readonly state: ChunkState }])[] {
  return [...known.chunks].filter(([chunk, { sequence }]) => sequence > (state.sequences.get(chunk) ?? 0))
}

/** What the ledger knows of a plan, where that is more than the files do. Changes nothing. */
export async function ledgerNews(plan: Plan, state: RunState, connection: Executor): Promise<LedgerPlan | undefined> {
  const storage = await readTable(connection, plan.storage)
  const known = storage && (await readLedger(connection, storage)).get(plan.id)
  return known && newerThan(state, known).length > 0 ? known : undefined
}

/** Where a run writes what it does: the ledger first, so that the files never know more than it. */
type Books = {
  readonly log: EventLog
  readonly assertHeld: () => Promise<void>
  record(chunk: PlannedChunk, state: ChunkState): Promise<void>
  clearing(clearing: RunState['clearing']): Promise<void>
}

function checkIncarnation(plan: Plan, storage: LiveTable, { flags, warn }: Pick<RunContext, 'flags' | 'warn'>): void {
  if (!isRecreated(plan, storage)) return
  const message = `${showName(plan.storage)} was dropped and created again, or exchanged, since plan ${plan.id} was made: what had arrived was in another table.`
  if (!flags.forceCompatibility) {
    throw new ChkitError('plan_mismatch', message, {
      hint: 'Plan again with the same parameters: all chunks begin anew. If the rows were brought over, --force-compatibility goes on where the run stopped.',
      details: { changed: ['target'] },
    })
  }
  warn(`${message} It goes on because of --force-compatibility.`)
}

function createBooks(plan: Plan, ledger: Ledger, log: EventLog, { assertHeld }: PluginLock): Books {
  return {
    log,
    assertHeld,
    record: async (chunk, state) => {
      if (!concernsOthers(state, log.state().sequences.has(chunk.id))) {
        return log.append({ kind: 'chunk', chunk: chunk.id, state })
      }
      await assertHeld()
      const sequence = await ledger.record(plan.id, { kind: 'chunk', chunk: chunk.id, state })
      log.append({ kind: 'chunk', chunk: chunk.id, state, sequence })
    },
    clearing: async (clearing) => {
      await assertHeld()
      const sequence = await ledger.record(plan.id, { kind: 'clearing', clearing })
      log.append({ kind: 'clearing', clearing, sequence })
    },
  }
}

/** What changes the target, or takes back that it was changed. Until then others may begin a chunk anew. Pure. */
function concernsOthers(state: ChunkState, isKnown: boolean): boolean {
  switch (state.status) {
    case 'moving':
    case 'done':
    case 'unknown':
      return true
    case 'writing':
      return state.table === null
    case 'pending':
    case 'failed':
      return isKnown
    case 'staged':
      return false
  }
}

function checkEnvironment(plan: Plan, { connection, flags, warn }: RunContext): void {
  const here = environmentOf(connection)
  if (here.fingerprint === plan.environment.fingerprint) return
  const { server, database } = plan.environment
  const message = `Plan ${plan.id} was made for ${server}, database ${database}; this is ${here.server}, database ${here.database}.`
  if (flags.forceEnvironment) {
    warn(`${message} It runs here because of --force-environment.`)
    return
  }
  throw new ChkitError('plan_mismatch', message, {
    hint: 'Make a plan for this server: chkit backfill plan. If it is the same one under another address: --force-environment.',
    details: { planned: plan.environment, actual: here },
  })
}

async function checkedTables(plan: Plan, { connection, flags, warn }: RunContext): Promise<PlanTables> {
  const { storage, source, view } = await readPlanTables(plan, connection)
  for (const [table, name] of [
    [storage, plan.storage],
    [source, plan.source],
    [view === undefined ? undefined : {}, plan.view ?? plan.source],
  ] as const) {
    if (!table)
      throw new ChkitError(
        'plan_mismatch',
        `${showName(name)}, which plan ${plan.id} needs, is gone from ${connection.target}.`,
      )
  }
  if (!storage || !source || view === undefined) throw new ChkitError('internal_error', 'unreachable')
  checkIncarnation(plan, storage, { flags, warn })
  await requireWritable(connection, storage)
  const now = definitionsOf(storage, source, view)
  const changed = (['target', 'source', 'view'] as const).filter((part) => now[part] !== plan.definitions[part])
  if (changed.length > 0) {
    const names = changed.map((part) =>
      showName(part === 'target' ? plan.storage : part === 'source' ? plan.source : (plan.view ?? plan.source)),
    )
    const message = `Since plan ${plan.id} was made, the definition of ${names.join(' and ')} has changed.`
    if (!flags.forceCompatibility) {
      throw new ChkitError('plan_mismatch', message, {
        hint: 'Plan again; or, if the change does not matter for the copied columns, add --force-compatibility.',
        details: { changed },
      })
    }
    warn(`${message} It runs because of --force-compatibility.`)
  }
  if (!view) return { storage, source, view: null }
  const { node } = parseStatement(view.create)
  if (node.kind !== 'createView')
    throw new ChkitError('sql_unparsable', `chkit cannot read the CREATE of ${showName(view)}.`)
  return { storage, source, view: { query: viewQuery(node.query), database: view.database } }
}

/** The same rows of the same source in the same target, planned twice, would be there twice. */
function checkOverlap(plan: Plan, ledger: Ledger, storage: LiveTable, context: RunContext): void {
  const { flags, options, warn } = context
  if (!options.policy.blockOverlappingRuns) return
  for (const { other, status, where } of [...plansInFiles(context), ...plansInLedger(ledger)]) {
    if (other.id === plan.id || !doublesRowsOf(other, plan)) continue
    if (plan.existing === 'replace' && status === 'completed') continue
    const message = `Backfill ${other.id} (${status}${where}) writes rows of ${showName(plan.source)} into ${showName(plan.target)} for a window that overlaps this one.`
    if (!flags.forceOverlap) {
      // Exchanged with a copy it holds those rows, created anew it does not: nobody here can tell.
      const hint = isRecreated(other, storage)
        ? `${showName(plan.target)} is another table than then. If it does not hold those rows: --force-overlap.`
        : 'Rows of both windows would be there twice. Plan the part that is missing, or with --existing replace; --force-overlap runs it nevertheless.'
      throw new ChkitError('overlapping_run', message, {
        hint,
        details: { planId: other.id, from: other.from, to: other.to },
      })
    }
    warn(`${message} It runs because of --force-overlap.`)
    return
  }
}

type BegunPlan = { readonly other: Plan; readonly status: RunState['status']; readonly where: string }

function plansInFiles({ files, stateDir, connection }: RunContext): readonly BegunPlan[] {
  const { fingerprint } = environmentOf(connection)
  return planIds(stateDir).flatMap((id) => {
    const other = readPlan(files, id)
    const state = readRun(files, id)
    const begun = state.chunks.size > 0 && other.environment.fingerprint === fingerprint
    return begun ? [{ other, status: state.status, where: '' }] : []
  })
}

function plansInLedger({ plans }: Ledger): readonly BegunPlan[] {
  return [...plans.values()].filter(hasBegun).map((known) => ({
    other: known.plan,
    status: arrivedOf(known) === known.plan.chunks.length ? 'completed' : 'interrupted',
    where: `, run from ${known.host}`,
  }))
}

/** Puts chunks back to the beginning that the flags ask for. */
async function replay(plan: Plan, { log, record, clearing }: Books, { flags, warn }: RunContext): Promise<void> {
  const states = plan.chunks.map((chunk) => ({ chunk, state: chunkState(log.state(), chunk.id) }))
  if (flags.replayFailed) {
    for (const { chunk, state } of states) {
      if (state.status !== 'failed' && state.status !== 'unknown') continue
      await record(chunk, { status: 'pending', attempts: 0 })
    }
  }
  const done = states.filter(({ state }) => state.status === 'done')
  if (!flags.replayDone || done.length === 0) return
  if (plan.existing === 'append') {
    warn(
      `${done.length} chunks are done, and their rows are in ${showName(plan.target)}: inserting them again would double them, so nothing is repeated. A plan with --existing replace can be replayed.`,
    )
    return
  }
  if (done.length < states.length) {
    warn('Chunks are left to do; --replay-done replays a plan that is completed.')
    return
  }
  await clearing('pending')
  for (const { chunk } of done) await record(chunk, { status: 'pending', attempts: 0 })
}

/** What the workers of a run share. */
type Shared = {
  readonly plan: Plan
  readonly queue: PlannedChunk[]
  readonly log: EventLog
  readonly record: Books['record']
  readonly context: RunContext
  readonly chunk: ChunkContext
  readonly throttle: ReturnType<typeof createThrottle>
  /** Why to wait; the server is asked once a second at most. */
  readonly pressure: () => Promise<string | undefined>
  readonly pressed: { workers: number }
  /** Says that the run waits, and why; undefined: that it goes on. */
  readonly sayPause: (reason: string | undefined) => void
  /** The first error that ends the run. */
  fatal: unknown
}

async function runChunks(plan: Plan, tables: PlanTables, books: Books, context: RunContext): Promise<RunSummary> {
  const { log, record, assertHeld } = books
  const { connection, options, flags, now, signal } = context
  const workers = flags.maxParallelChunks ?? options.defaults.maxParallelChunks
  const meter = createMeter(plan, log, context)
  const chunk: ChunkContext = {
    connection,
    plan,
    tables,
    log,
    record,
    assertHeld,
    signal,
    inTurn: createTurns(),
    note: (text) => log.append({ kind: 'note', text }),
    writing: meter.writing,
    ...(flags.maxBytesPerSecond === undefined
      ? {}
      : { maxBytesPerSecond: Math.max(1, Math.ceil(flags.maxBytesPerSecond / workers)) }),
  }
  const throttle = createThrottle(flags.maxBytesPerSecond, now)
  const shared: Shared = {
    plan,
    queue: [],
    log,
    record,
    context,
    chunk,
    throttle,
    pressure: createPressureGauge(plan, context),
    pressed: { workers },
    sayPause: createPauseTeller(plan, log, meter, context),
    fatal: undefined,
  }
  try {
    await settleMoves(plan, shared)
    await clear(plan, tables, books, context)
    shared.queue.push(...plan.chunks.filter((one) => isLeft(log, one)))
    if (shared.fatal === undefined)
      await Promise.all(Array.from({ length: workers }, (_, index) => work(shared, index)))
  } catch (error) {
    shared.fatal ??= error
  } finally {
    await meter.stop()
  }
  return conclude(plan, shared)
}

function isLeft(log: EventLog, chunk: PlannedChunk): boolean {
  const { status } = chunkState(log.state(), chunk.id)
  return status !== 'done' && status !== 'failed' && status !== 'unknown'
}

/** First of all, and one by one: what an earlier run was moving, so that no other part can be mistaken for it. */
async function settleMoves(plan: Plan, shared: Shared): Promise<void> {
  const moving = plan.chunks.filter((one) => chunkState(shared.log.state(), one.id).status === 'moving')
  for (const chunk of moving) await attempt(chunk, shared)
}

/** Deletes the rows that the plan replaces. As often as it takes: until it is done, no chunk has been moved. */
async function clear(plan: Plan, { storage }: PlanTables, books: Books, { connection }: RunContext): Promise<void> {
  if (plan.existing !== 'replace' || books.log.state().clearing === 'cleared') return
  await books.clearing('clearing')
  const name = quoteQualified(storage.database, storage.name)
  if (plan.replaceWhere) {
    await connection.command(`ALTER TABLE ${name} DELETE WHERE ${plan.replaceWhere}`, {
      settings: { mutations_sync: 2 },
      timeoutMs: 0,
    })
  } else {
    await connection.command(`TRUNCATE TABLE ${name}`, { timeoutMs: 0 })
  }
  await books.clearing('cleared')
}

/** One of the workers: takes chunks until there are none, the run ends, or pressure asks for fewer workers. Never throws. */
async function work(shared: Shared, index: number): Promise<void> {
  try {
    while (!stopped(shared)) {
      await gate(shared, index)
      const chunk = stopped(shared) ? undefined : shared.queue.shift()
      if (!chunk) return
      await attempt(chunk, shared)
    }
  } catch (error) {
    // The others end with their chunks; only then are the books closed.
    shared.fatal ??= error
  }
}

function stopped({ fatal, context, plan }: Shared): boolean {
  return fatal !== undefined || context.signal.aborted || existsSync(context.files.cancelFile(plan.id))
}

function createPressureGauge(plan: Plan, { connection, now }: RunContext): () => Promise<string | undefined> {
  let asked: { readonly at: number; readonly answer: Promise<string | undefined> } | undefined
  return () => {
    if (asked === undefined || now() - asked.at >= PRESSURE_POLL_MS) {
      // A server that is away is the chunk's affair, which tries again.
      const answer = pressureOn(connection, plan.storage).catch((error: unknown) => {
        if (isConnectionError(error)) return undefined
        throw error
      })
      asked = { at: now(), answer }
    }
    return asked.answer
  }
}

/** Milliseconds between looks while the server is busy. */
const PRESSURE_POLL_MS = 1000

/** One line when a pause begins, whatever its figures become, and one when it ends. */
function createPauseTeller(
  plan: Plan,
  log: EventLog,
  meter: { paused(reason: string | undefined): void },
  { now, warn }: RunContext,
): Shared['sayPause'] {
  let since: number | undefined
  const say = (text: string) => {
    log.append({ kind: 'note', text })
    warn(`Backfill ${plan.id} ${text}`)
  }
  return (reason) => {
    meter.paused(reason)
    if (reason !== undefined && since === undefined) {
      since = now()
      say(`pauses: ${reason}`)
    } else if (reason === undefined && since !== undefined) {
      say(`goes on after ${Math.round((now() - since) / 1000)} s.`)
      since = undefined
    }
  }
}

async function gate(shared: Shared, index: number): Promise<void> {
  const { throttle, context, pressed } = shared
  await throttle.wait(context.signal)
  while (!stopped(shared)) {
    if (index >= pressed.workers && shared.queue.length > 0) {
      // After pressure the run goes on with fewer chunks at a time; one more is let in with each that succeeds.
      await pause(PRESSURE_POLL_MS / 4, context.signal)
      continue
    }
    const reason = await shared.pressure()
    shared.sayPause(reason)
    if (reason === undefined) return
    await pause(PRESSURE_POLL_MS, context.signal)
  }
}

/** The longest wait before a retry. */
const MAX_DELAY_MS = 60_000

/** How many more times a chunk is tried when the server only asked for less. */
const PRESSURE_RETRIES = 8

async function attempt(chunk: PlannedChunk, shared: Shared): Promise<void> {
  const { log, context, pressed, throttle } = shared
  const { maxRetriesPerChunk, retryDelayMs } = context.options.defaults
  let pressures = 0
  for (let failures = 0; ; ) {
    try {
      await runChunk(chunk, shared.chunk)
      const state = chunkState(log.state(), chunk.id)
      if (state.status === 'done') throttle.add(state.bytes)
      pressed.workers++
      return
    } catch (error) {
      const state = chunkState(log.state(), chunk.id)
      if (state.status === 'unknown') return
      if (isFatal(error)) {
        shared.fatal ??= error
        return
      }
      const pressure = isPressure(error) && pressures++ < PRESSURE_RETRIES
      if (pressure) pressed.workers = Math.max(1, Math.floor(Math.min(pressed.workers, shared.queue.length + 1) / 2))
      else failures++
      const text = error instanceof Error ? error.message : String(error)
      if (failures > maxRetriesPerChunk) return giveUp(chunk, error, shared)
      const delay = Math.min(retryDelayMs * 2 ** Math.max(0, failures + pressures - 1), MAX_DELAY_MS)
      await discard(chunk, text, shared)
      log.append({
        kind: 'note',
        chunk: chunk.id,
        text: `${pressure ? 'paused' : 'failed'}, again in ${delay} ms: ${text}`,
      })
      if (pressure) context.warn(`Chunk ${chunk.id} waits for ${delay} ms, and fewer run at a time: ${text}`)
      await pause(delay, context.signal)
      if (stopped(shared)) return
    }
  }
}

/** Errors that no other chunk would fare better with. */
function isFatal(error: unknown): boolean {
  if (!(error instanceof ChkitError)) return true
  if (error.code === 'server_error') return false
  return !isConnectionError(error)
}

/** Throws away what a failed attempt has written; a chunk that is being moved keeps all it has. */
async function discard(chunk: PlannedChunk, error: string, { log, record, context, plan }: Shared): Promise<void> {
  const state = chunkState(log.state(), chunk.id)
  if (state.status !== 'writing') return
  // Rows that went straight into the target may have arrived: the next attempt looks first.
  if (state.table === null && plan.mechanism === 'direct') return
  if (state.table !== null) {
    await dropTable({ database: plan.storage.database, name: state.table }, context.connection).catch(
      (failure: unknown) => {
        // Without a connection it stays; the next attempt takes another name, and the run's end looks for leftovers.
        if (!isConnectionError(failure)) throw failure
      },
    )
  }
  await record(chunk, { status: 'pending', attempts: state.attempts, error })
}

async function giveUp(chunk: PlannedChunk, error: unknown, shared: Shared): Promise<void> {
  const { log, record } = shared
  const state = chunkState(log.state(), chunk.id)
  const text = error instanceof Error ? error.message : String(error)
  // A server that is away is no failure of the chunk; and one that is being moved must not be begun anew.
  if (isConnectionError(error) || state.status === 'moving' || state.status === 'staged') {
    shared.fatal ??= error
    return
  }
  await discard(chunk, text, shared)
  await record(chunk, { status: 'failed', attempts: state.attempts, error: text })
}

async function conclude(plan: Plan, shared: Shared): Promise<RunSummary> {
  const { log, context } = shared
  const summary = summarise(plan, log.state())
  const { done, total, failed, unknown } = summary.chunks
  const resume = `chkit backfill resume --plan-id ${plan.id}`
  const finish = (status: RunState['status']) => {
    log.append({ kind: 'status', status })
    return { ...summary, status }
  }
  const details = { planId: plan.id, ...summary }
  if (done === total) {
    await dropLeftovers(plan, log.state(), context.connection)
    return finish('completed')
  }
  if (context.signal.aborted) {
    finish('interrupted')
    throw new ChkitError('interrupted', `Backfill ${plan.id} was interrupted after ${done} of ${total} chunks.`, {
      hint: resume,
      details,
    })
  }
  if (shared.fatal !== undefined) {
    finish('interrupted')
    if (!(shared.fatal instanceof ChkitError)) throw shared.fatal
    const { code, message, retriable, hint } = shared.fatal
    throw new ChkitError(code, `Backfill ${plan.id} stopped after ${done} of ${total} chunks: ${message}`, {
      hint: `${hint === undefined ? '' : `${hint} Then: `}${resume}`,
      details: { ...shared.fatal.details, ...details },
      retriable,
      cause: shared.fatal,
    })
  }
  if (existsSync(context.files.cancelFile(plan.id))) {
    finish('cancelled')
    await dropLeftovers(plan, log.state(), context.connection)
    removeFile(context.files.cancelFile(plan.id))
    throw new ChkitError('run_cancelled', `Backfill ${plan.id} was cancelled after ${done} of ${total} chunks.`, {
      hint: resume,
      details,
    })
  }
  finish('failed')
  const first = summary.failed[0]
  throw new ChkitError(
    'run_incomplete',
    `Backfill ${plan.id}: ${done} of ${total} chunks are done, ${failed} failed${unknown > 0 ? `, of ${unknown} nobody can tell` : ''}. ${first ? `Chunk ${first.chunk}: ${first.error}` : ''}`.trim(),
    {
      hint: `Mend the cause, then: ${resume} --replay-failed. chkit backfill doctor --plan-id ${plan.id} says more.`,
      details,
    },
  )
}

/** Drops the staging tables of a plan whose rows nobody needs any more; returns their names. */
export async function dropLeftovers(plan: Plan, state: RunState, connection: Executor): Promise<readonly string[]> {
  const left = leftovers(await stagingTables(plan, connection), state)
  for (const name of left) await dropTable({ database: plan.storage.database, name }, connection)
  return left
}

/** Of some staging tables those that no chunk will go on with. Pure. */
export function leftovers(tables: readonly { readonly name: string }[], state: RunState): readonly string[] {
  const needed = new Set(
    [...state.chunks.values()].map((chunk) =>
      chunk.status === 'staged' || chunk.status === 'moving' ? chunk.staging.table : '',
    ),
  )
  return tables.map(({ name }) => name).filter((name) => !needed.has(name))
}

/** The staging tables of a plan that the server has. */
export async function stagingTables(
  plan: Plan,
  connection: Executor,
): Promise<readonly { readonly name: string; readonly rows: number | null }[]> {
  const found = await tolerating(() =>
    connection.query<{ name: string; rows: number | null }>(
      `SELECT name, total_rows AS rows FROM system.tables WHERE database = ${quoteString(plan.storage.database)} ` +
        `AND startsWith(name, ${quoteString(stagingPrefix(plan.id))}) ORDER BY name`,
    ),
  )
  return found ?? []
}

/** One after the other, in order of asking; one that throws does not stop the next. */
function createTurns(): ChunkContext['inTurn'] {
  let last: Promise<unknown> = Promise.resolve()
  return (action) => {
    const turn = last.then(action, action)
    last = turn.catch(() => undefined)
    return turn
  }
}

/** Shows how far the run is; asks the server for what is being written now, where it can tell. */
function createMeter(plan: Plan, log: EventLog, { connection, progress, now }: RunContext) {
  const queries = new Set<string>()
  const shown = progress(`Backfill ${plan.id}`)
  const before = summarise(plan, log.state())
  const shareBefore = shareDone(plan, log)
  const started = now()
  let asking: Promise<void> | undefined
  let pausedFor: string | undefined
  const update = async () => {
    const live = await written([...queries], connection)
    const summary = summarise(plan, log.state())
    const line = progressLine({
      chunks: summary.chunks,
      rows: summary.rows + live.rows,
      bytes: summary.bytes + live.bytes,
      newRows: summary.rows + live.rows - before.rows,
      newBytes: summary.bytes + live.bytes - before.bytes,
      shareBefore,
      share: shareDone(plan, log),
      elapsedMs: now() - started,
    })
    shown.update(pausedFor === undefined ? line : `${line}, paused: ${pausedFor}`)
  }
  const timer = setInterval(() => {
    // Only what people see; whatever goes wrong here, the run itself will meet it.
    asking ??= update()
      .catch(() => undefined)
      .finally(() => {
        asking = undefined
      })
  }, 1000)
  timer.unref()
  return {
    writing: (queryId: string, active: boolean) => {
      if (active) queries.add(queryId)
      else queries.delete(queryId)
    },
    paused: (reason: string | undefined) => {
      pausedFor = reason
    },
    async stop() {
      clearInterval(timer)
      await asking
      shown.done()
    },
  }
}

/** Of the source's rows the share that is done, 0 to 1; of the chunks, where the rows were not counted. */
function shareDone(plan: Plan, log: EventLog): number {
  const counted = plan.chunks.some((chunk) => (chunk.sourceRows ?? 0) > 0)
  let [done, total] = [0, 0]
  for (const chunk of plan.chunks) {
    const weight = counted ? (chunk.sourceRows ?? 0) : 1
    total += weight
    if (chunkState(log.state(), chunk.id).status === 'done') done += weight
  }
  return total === 0 ? 0 : done / total
}

async function written(queries: readonly string[], connection: Executor): Promise<{ rows: number; bytes: number }> {
  if (connection.kind === 'embedded' || queries.length === 0) return { rows: 0, bytes: 0 }
  const [row] = await connection.query<{ rows: number; bytes: number }>(
    `SELECT sum(written_rows) AS rows, sum(written_bytes) AS bytes FROM system.processes WHERE query_id IN (${queries.map(quoteString).join(', ')})`,
  )
  return { rows: Number(row?.rows ?? 0), bytes: Number(row?.bytes ?? 0) }
}
