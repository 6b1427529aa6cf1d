import { setTimeout as sleep } from 'node:timers/promises'
import type { Executor, QueryOptions, QuerySession, QuerySettings } from '../clickhouse/executor.js'
import { databaseEngines, hasAsyncInsert } from '../clickhouse/features.js'
import { explaining, ServerError } from '../clickhouse/server-error.js'
import { ChkitError } from '../errors.js'
import { distributesDdl } from '../render/cluster.js'
import type { Literal } from '../sql/ast.js'
import { printExpression } from '../sql/printer/expression.js'
import { printStatement } from '../sql/statement.js'
import { withAnswerWatch } from './answer-watch.js'
import { type Batch, batchesOf, type Planned, type Scheduled, tablesToAsk } from './batch.js'
import {
  type ClusterLook,
  clusterHosts,
  clusterOf,
  describeLook,
  followHosts,
  lookAtHosts,
  observeHosts,
  patientExecutor,
  repeatableForm,
  showsOnHosts,
  type TaskAnswer,
  withoutOnCluster,
} from './cluster.js'
import { isCut, isKeeperAway, patiently, persistently } from './cut.js'
import { migrationId } from './directory.js'
import {
  type Evidence,
  evidenceFor,
  type Observation,
  type OtherNodes,
  objectsOf,
  observe,
  type SystemSource,
} from './evidence.js'
import { isFencedOff, openFence } from './fence.js'
import {
  type Journal,
  type JournalState,
  type StatementEvent,
  type StatementOutcome,
  statementStates,
} from './journal.js'
import type { Lock } from './lock.js'
import { type MigrationStatement, type ParsedMigration, replaceStatements } from './migration-file.js'
import { describeProgress, followMutations, reverseOfTypes } from './mutations.js'
import { readPlainTables } from './plain-tables.js'
import { isCertain, isHarmlessLate, mutatedObject, proofOf } from './proof.js'
import { parseEvidence, refuseEdited, resumption, settle, unsettledError } from './settle.js'
import { STALLED_MS } from './stalled-query.js'
import { refuseUnmade } from './unmade.js'
import { openVisibility, type Visibility } from './visibility.js'

/** What one applied migration reports. */
export type AppliedMigration = {
  readonly name: string
  /** ISO 8601, UTC. */
  readonly appliedAt: string
  readonly checksum: string
  /** How many statements the file has. */
  readonly statements: number
  /** Of those, how many had run in an earlier run. */
  readonly resumed: number
  readonly durationMs: number
}

export type RunContext = {
  readonly executor: Executor
  readonly journal: Journal
  readonly lock: Lock
  readonly chkitVersion: string
  /** Milliseconds since 1970, UTC. */
  readonly now: () => number
  readonly signal: AbortSignal
  /** The configured cluster, on whose hosts mutations are looked for where a statement names none. */
  readonly cluster?: string | undefined
  /** Statements sent at a time where they depend on nothing of each other. */
  readonly concurrency: number
  /** Replaces the line that shows what goes on. */
  readonly report: (line: string) => void
  readonly warn: (line: string) => void
  readonly redact: (text: string) => string
  /** The statements that plugins make of a migration's. */
  readonly beforeApply: (migration: string, statements: readonly string[]) => Promise<readonly string[]>
  readonly afterApply: (migration: string, statements: readonly string[], appliedAt: string) => Promise<void>
  /** Throws `destructive_blocked` for statements that plugins added and nobody has allowed. */
  readonly requireAllowed: (migration: ParsedMigration) => Promise<void>
}

/**
 * Applies parsed migrations in order, statement by statement, the journal advancing with each. Statements that an
 * earlier run began are settled first. Throws `migration_failed`, `migration_edited`, `migration_unsettled`,
 * `lock_lost`, `interrupted` and connection codes, each with what was applied before in its details; the journal is
 * true whatever is thrown.
 */
export async function applyMigrations(
  context: RunContext,
  migrations: readonly ParsedMigration[],
  state: JournalState,
): Promise<AppliedMigration[]> {
  const applied: AppliedMigration[] = []
  const visibility = openVisibility(context.executor, context)
  for (const migration of migrations) {
    try {
      applied.push(await applyMigration(context, migration, state, visibility))
    } catch (error) {
      throw withApplied(error, applied)
    }
  }
  return applied
}

function withApplied(error: unknown, applied: readonly AppliedMigration[]): unknown {
  if (!(error instanceof ChkitError)) return error
  return new ChkitError(error.code, error.message, {
    hint: error.hint,
    details: { ...error.details, applied },
    retriable: error.retriable,
    cause: error.cause ?? error,
  })
}

async function applyMigration(
  context: RunContext,
  file: ParsedMigration,
  state: JournalState,
  visibility: Visibility,
): Promise<AppliedMigration> {
  const started = performance.now()
  const migration = await withPlugins(context, file)
  const run = new MigrationRun(context, migration, visibility)
  const left = await run.resume(state)
  for (const batch of await run.batches(left)) await run.send(batch)
  await run.flush()
  await refuseUnmade(context.executor, migration)
  const appliedAt = new Date(context.now()).toISOString()
  await context.lock.assertHeld()
  const entry = { name: file.name, appliedAt, checksum: file.checksum, chkitVersion: context.chkitVersion }
  await writingJournal(context, file.name, () => context.journal.recordApplied(entry))
  const statements = migration.statements.map((statement) => statement.text)
  await context.afterApply(file.name, statements, appliedAt)
  return {
    name: file.name,
    appliedAt,
    checksum: file.checksum,
    statements: statements.length,
    resumed: statements.length - left.length,
    durationMs: Math.round(performance.now() - started),
  }
}

/** Writes to the journal, waiting for ZooKeeper where that is away. What cannot be written is found out by the next run. */
function writingJournal(context: RunContext, name: string, write: () => Promise<void>): Promise<void> {
  const { journal, report } = context
  const hint = 'Remove the cause and run again: the next run finds out how far this one came, and goes on there.'
  return explaining(`The journal ${journal.location} cannot be written`, hint, () =>
    patiently(write, RECONNECT_MS, (error) => report(`${name}: waiting for ZooKeeper: ${error.message}`)),
  )
}

async function withPlugins(context: RunContext, file: ParsedMigration): Promise<ParsedMigration> {
  const texts = file.statements.map((statement) => statement.text)
  const changed = await context.beforeApply(file.name, texts)
  if (changed.length === texts.length && changed.every((text, index) => text === texts[index])) return file
  const migration = replaceStatements(file, changed, context.executor.database)
  await context.requireAllowed(migration)
  return migration
}

/** Server errors that leave open whether the statement took effect: timeouts, lost peers, cancelled or unfinished work. */
const AMBIGUOUS: ReadonlySet<number> = new Set([159, 209, 210, 242, 319, 341, 394, 473, 999])

/** What the server answers after `distributed_ddl_task_timeout` while it goes on in the background. */
const TIMEOUT_EXCEEDED = 159

/** Times that a statement ON CLUSTER is sent again while ZooKeeper is away; each waits two seconds and for the journal. */
const KEEPER_RESENDS = 60

/** Rows of an INSERT are written when it is answered, whatever the account's default is: only then is the journal true. */
async function insertSettings(executor: Executor, { statement }: Planned): Promise<QuerySettings> {
  return statement.node.kind === 'insert' && hasAsyncInsert(await executor.server()) ? { wait_for_async_insert: 1 } : {}
}

/** True when the server could not even read the statement. An INSERT may break off in the middle of its rows. */
function wasNotUnderstood(error: unknown, { statement }: Planned): boolean {
  return error instanceof ServerError && error.clickhouseCode === SYNTAX_ERROR && statement.node.kind !== 'insert'
}

const SYNTAX_ERROR = 62

const NO_EVIDENCE: Evidence = { proof: { kind: 'none' }, before: { objects: {}, mutations: {}, blocks: {}, named: {} } }

/** Times that a statement is sent again after a cut connection, when evidence says that it did not run. */
const RESENDS = 3

/** Statements that may find no session before sessions are given up: behind a balancer each request meets another node. */
const FENCE_TRIES = 2

/** Intents that are written in one go. */
const CHUNK = 64

/** Milliseconds that a statement may be on its way to the server after its sender is gone. */
const ARRIVAL_MS = 2_000

type Sent<Item extends Planned = Planned> = { readonly item: Item; readonly queryId: string; readonly evidence: string }

/** Work under way, at most `width` at a time; once something has failed nothing more is begun. */
class UnderWay {
  readonly failures: unknown[] = []
  private readonly all: Promise<void>[] = []
  private readonly running = new Set<Promise<void>>()

  constructor(private readonly width: number) {}

  get failed(): boolean {
    return this.failures.length > 0
  }

  /** Waits for what everything after it needs; undefined when it failed. */
  async join<Result>(work: Promise<Result>): Promise<Result | undefined> {
    try {
      return await work
    } catch (error) {
      this.failures.push(error)
      return undefined
    }
  }

  /** Waits for a free place, and begins when those before it with the given numbers, counted from 0, are done. */
  async begin(after: readonly number[], run: () => Promise<void>): Promise<void> {
    while (this.running.size >= Math.max(1, this.width)) await Promise.race(this.running)
    const work = (async () => {
      for (const number of after) await this.all[number]
      if (!this.failed) await this.join(run())
    })()
    this.all.push(work)
    this.running.add(work)
    void work.finally(() => this.running.delete(work))
  }

  async end(): Promise<void> {
    await Promise.all(this.running)
  }
}

/** One migration on its way: a thing with a lifetime, because outcomes wait to be written together with later intents. */
class MigrationRun {
  private readonly outcomes: StatementEvent[] = []
  private readonly settings: Record<string, string | number | boolean> = {}
  private readonly items: readonly Planned[]
  private tries = 0
  /** Statements refused because their session was not found. */
  private fencedOff = 0
  private readonly began = performance.now()
  /** Numbers of the statements that are known to have run. */
  private readonly done = new Set<number>()
  /** Statements that take back a change of types, by the number of the one that makes it. */
  private readonly reverses = new Map<number, string>()
  private engines: Promise<ReadonlyMap<string, string>> | undefined
  private writing: Promise<void> = Promise.resolve()

  constructor(
    private readonly context: RunContext,
    private readonly migration: ParsedMigration,
    private readonly visibility: Visibility,
  ) {
    const { database } = context.executor
    this.items = migration.statements.map((statement) => ({ statement, proof: proofOf(statement.node, database) }))
  }

  /** Settles what an earlier run began, and returns what is left to send. */
  async resume(state: JournalState): Promise<Planned[]> {
    const { name, statements } = this.migration
    const states = statementStates(state.statements, name)
    refuseEdited(name, states, statements)
    const left: Planned[] = []
    const mutated = new Map<string, { readonly item: Planned; readonly queryId: string }>()
    for (const item of this.items) {
      const known = states.get(item.statement.number)
      const next = resumption(known)
      if (next === 'skip') {
        this.done.add(item.statement.number)
        this.keepSetting(item.statement)
        const object = mutatedObject(item.proof)
        if (object !== undefined) mutated.set(JSON.stringify(object), { item, queryId: known?.intent.queryId ?? '' })
      } else if (next === 'run' || known === undefined) left.push(item)
      else if (!(await this.settled(item, known.intent))) left.push(item)
    }
    await this.flush()
    // The earlier run may have ended while one was under way, which the statements after it must not overtake.
    for (const { item, queryId } of mutated.values()) await this.follow(item, queryId)
    return left
  }

  /** True when the statement has run; false when it has not. Throws `migration_unsettled` when nobody can tell. */
  private async settled(item: Planned, intent: StatementEvent): Promise<boolean> {
    const { executor, signal } = this.context
    this.report(item, 'finding out whether it has run')
    // A node that lags would not show what another has run.
    await this.visible([item])
    const elsewhere = await this.elsewhere(item)
    const look = () =>
      settle(executor, intent, {
        signal,
        elsewhere,
        // Whoever sent it is gone: a query that hangs would be waited for without end.
        stalledMs: STALLED_MS,
        onRunning: (queryId) => this.report(item, `query ${queryId} is still running`),
      })
    let { verdict, facts } = await look()
    const since = performance.now() - this.began
    if (verdict === 'not_done' && executor.kind === 'http' && since < ARRIVAL_MS) {
      // A process that was killed a moment ago may have left the statement on its way. When that was, only its clock
      // and ours could say, and they need not agree.
      await sleep(ARRIVAL_MS - since)
      ;({ verdict, facts } = await look())
    }
    const evidence = parseEvidence(intent.evidence)
    if (evidence?.reverse !== undefined) this.reverses.set(item.statement.number, evidence.reverse)
    if (evidence?.cluster !== undefined) {
      const look = await persistently(() => lookAtHosts(executor, evidence, false), RECONNECT_MS)
      facts = describeLook(look)
      if (look.verdict === 'partial') {
        await this.complete({ item, queryId: intent.queryId, evidence: intent.evidence }, look, [], facts)
        verdict = 'done'
      } else verdict = look.verdict
    }
    if (verdict === 'unknown') {
      await this.flush()
      throw unsettledError(this.migration.name, migrationId(this.migration.name), item.statement, facts)
    }
    this.note(item, verdict, intent.queryId, facts)
    if (verdict === 'done') await this.follow(item, intent.queryId)
    return verdict === 'done'
  }

  /** What is left in batches. The server is asked which tables are plain only where that may make a difference. */
  async batches(left: readonly Planned[]): Promise<Batch[]> {
    const { concurrency, executor } = this.context
    const asked = concurrency > 1 && left.length > 1 ? tablesToAsk(left) : []
    return batchesOf(left, await persistently(() => readPlainTables(executor, asked), RECONNECT_MS))
  }

  /**
   * Sends a batch, at most `concurrency` statements at a time. Intents are written chunk by chunk, each while the chunk
   * before it is under way, together with the outcomes that wait. The first failure stops what is not under way yet,
   * which is recorded as not done.
   */
  async send(batch: Batch): Promise<void> {
    const under = new UnderWay(this.context.concurrency)
    const intended: Sent<Scheduled>[] = []
    const begun = new Set<Sent<Scheduled>>()
    const needed = new Set(batch.flatMap(({ after }) => after.map((index) => batch[index])))
    let next = this.intend(batch.slice(0, CHUNK))
    for (let from = 0; from < batch.length && !under.failed; from += CHUNK) {
      const chunk = await under.join(next)
      if (chunk === undefined) break
      intended.push(...chunk)
      next = from + CHUNK < batch.length ? this.intend(batch.slice(from + CHUNK, from + 2 * CHUNK)) : next
      // It is awaited later, or never when a statement fails first.
      next.catch(() => undefined)
      for (const one of chunk) {
        await under.begin(one.item.after, async () => {
          this.stopIfInterrupted()
          begun.add(one)
          await this.sendOne(one)
          if (needed.has(one.item)) await this.visible([one.item])
        })
        if (under.failed) break
      }
    }
    await under.end()
    if (!under.failed) return this.visible(batch)
    // The intents of another chunk may just be written.
    intended.push(...(await next.catch(() => [])).filter((one) => !intended.includes(one)))
    const failure = this.firstOf(under.failures)
    // A run that has lost its lock writes nothing more: what it did not send is for its successor to settle.
    if (failure instanceof ChkitError && failure.code === 'lock_lost') throw failure
    for (const one of intended) if (!begun.has(one)) this.note(one.item, 'not_done', one.queryId, 'never sent')
    await this.flushQuietly()
    throw this.withProgress(failure)
  }

  /** Waits until every node of a database that distributes DDL itself shows what the statements did. */
  private visible(items: readonly Planned[]): Promise<void> {
    return persistently(() => this.visibility.wait(items.map(({ proof }) => proof)), RECONNECT_MS)
  }

  /** Writes the intents of statements, and the outcomes that wait with them. */
  private async intend(items: readonly Scheduled[]): Promise<Sent<Scheduled>[]> {
    this.stopIfInterrupted()
    await this.context.lock.assertHeld()
    const proofs = items.map((item) => item.proof)
    const before = await persistently(() => observe(this.context.executor, proofs), RECONNECT_MS)
    const clusters = await this.observeClusters(items)
    for (const item of items) await this.rememberReverse(item)
    const sent = items.map((item): Sent<Scheduled> => {
      const cluster = clusters.get(clusterOf(item.statement.node) ?? '')
      const reverse = this.reverses.get(item.statement.number)
      const evidence = { ...evidenceFor(item.proof, before), ...(reverse === undefined ? {} : { reverse }) }
      const hosts = Object.entries(cluster ?? {}).map(([host, seen]) => [host, evidenceFor(item.proof, seen).before])
      const name = clusterOf(item.statement.node)
      const placed =
        cluster === undefined || name === undefined
          ? evidence
          : { ...evidence, cluster: { name, hosts: Object.fromEntries(hosts) as typeof cluster } }
      return { item, queryId: this.nextQueryId(item), evidence: JSON.stringify(placed) }
    })
    await this.flush(sent.map((one) => this.event(one.item, 'intent', one.queryId, '', one.evidence)))
    return sent
  }

  /** How things stand on the hosts of each cluster that statements are sent to, by cluster and address. */
  private async observeClusters(items: readonly Scheduled[]): Promise<Map<string, Record<string, Observation>>> {
    const { executor } = this.context
    const found = new Map<string, Record<string, Observation>>()
    for (const name of new Set(items.map(({ statement }) => clusterOf(statement.node)))) {
      if (name === undefined || executor.kind === 'embedded') continue
      const proofs = items.filter(({ statement }) => clusterOf(statement.node) === name).map(({ proof }) => proof)
      if (!proofs.some(showsOnHosts)) continue
      const seen = await persistently(
        async () => observeHosts(executor, await clusterHosts(executor, name), proofs),
        RECONNECT_MS,
      )
      const answers = [...seen].flatMap(([host, now]) => (now instanceof ChkitError ? [] : [[host, now] as const]))
      if (seen.size > 0) found.set(name, Object.fromEntries(answers))
    }
    return found
  }

  /** Waits until the hosts of the cluster have run it as well; names those that do not answer. */
  private async converge(sent: Sent, answer: string, said: boolean): Promise<void> {
    const { executor, signal } = this.context
    const evidence = parseEvidence(sent.evidence)
    if (evidence?.cluster === undefined || !showsOnHosts(evidence.proof)) return
    const { look, refused } = await persistently(
      () =>
        followHosts(executor, evidence, {
          signal,
          sent: said,
          answer,
          onProgress: (now, elapsedMs) =>
            this.report(sent.item, `${describeLook(now)}, ${Math.round(elapsedMs / 1000)} s`),
        }),
      RECONNECT_MS,
    )
    if (look.verdict !== 'done') throw this.partly(sent, look, refused, answer)
    this.nameAbsent(sent, look)
  }

  private nameAbsent({ item }: Sent, look: ClusterLook): void {
    if (look.absent.length === 0) return
    this.context.warn(
      `Statement ${item.statement.number} of ${this.migration.name}: ${describeLook(look)}. The server's DDL queue holds it for them.`,
    )
  }

  /** Some hosts have run it, and others cannot: left open, so that the next run completes it. */
  private partly(sent: Sent, look: ClusterLook, refused: readonly TaskAnswer[], answer: string): unknown {
    const reasons = refused.map(({ address, text }) => `${address}: ${text.split('\n')[0]}`)
    const facts = [describeLook(look), ...reasons, answer].filter((text) => text !== '').join('; ')
    this.note(sent.item, 'unknown', sent.queryId, facts)
    const error = new ChkitError('migration_failed', facts, {
      hint: 'Remove the cause on those hosts and run again: the statement is completed there, and not repeated on the others.',
    })
    return this.failure(error, sent.item, '')
  }

  /** Sends what only some hosts ran to all of them again, in a form that changes nothing where it has run. */
  private async complete(sent: Sent, look: ClusterLook, refused: readonly TaskAnswer[], answer: string): Promise<void> {
    const again = repeatableForm(sent.item.statement.node)
    if (again === undefined) throw this.partly(sent, look, refused, answer)
    this.report(sent.item, `${describeLook(look)}; sending it again for the others`)
    try {
      const text = await this.textOf({
        ...sent.item,
        statement: { ...sent.item.statement, text: printStatement(again) },
      })
      await this.context.executor.command(text, {
        queryId: this.nextQueryId(sent.item),
        settings: { ...this.settings },
      })
    } catch (error) {
      if (!(error instanceof ServerError)) throw error
      const now = await lookAtHosts(this.context.executor, parseEvidence(sent.evidence) ?? NO_EVIDENCE, false)
      throw this.partly(sent, now, refused, messageWithout(error, this.context.redact))
    }
    await this.converge(sent, answer, true)
  }

  /** `ranDespite` for a statement ON CLUSTER: its error speaks of some host, and the others may have run it. */
  private async ranOnHosts(error: unknown, sent: Sent, resend: number): Promise<boolean> {
    const { executor, signal, redact } = this.context
    const { item, queryId } = sent
    const cut = isCut(error)
    if (!cut && !(error instanceof ServerError)) throw error
    const evidence = parseEvidence(sent.evidence) ?? NO_EVIDENCE
    const answer = messageWithout(error, redact)
    if (cut) await this.lookAfter(error, sent)
    // The task is in the queue and goes on in the background.
    const followed = error instanceof ServerError && error.clickhouseCode === TIMEOUT_EXCEEDED
    const { look, refused } = await persistently(async () => {
      if (!followed) return { look: await lookAtHosts(executor, evidence, false), refused: [] }
      const onProgress = (now: ClusterLook, ms: number) =>
        this.report(item, `${describeLook(now)}, ${Math.round(ms / 1000)} s`)
      return followHosts(executor, evidence, { signal, sent: false, answer, onProgress })
    }, RECONNECT_MS)
    if (look.verdict === 'done') {
      if (followed) this.nameAbsent(sent, look)
      else await this.converge(sent, answer, false)
      this.note(item, 'done', queryId, describeLook(look))
      return true
    }
    if (look.verdict === 'partial') {
      await this.complete(sent, look, refused, answer)
      this.note(item, 'done', queryId, 'completed on the hosts that had not run it')
      return true
    }
    const away = isKeeperAway(error) && isCertain(item.proof)
    if (look.verdict === 'not_done' && (cut || away) && resend < (away ? KEEPER_RESENDS : RESENDS)) {
      this.note(item, 'not_done', queryId, answer)
      if (away) {
        this.report(item, `waiting for ZooKeeper: ${answer}`)
        await sleep(2000)
      }
      return false
    }
    this.note(item, look.verdict === 'not_done' ? 'failed' : 'unknown', queryId, answer)
    throw this.failure(error, item, look.verdict === 'not_done' ? '' : `${describeLook(look)}.`)
  }

  /** Of several failures at once, the one that says most: a lost lock, or else that of the first statement. */
  private firstOf(failures: readonly unknown[]): unknown {
    const numberOf = (error: unknown) => {
      if (!(error instanceof ChkitError)) return 0
      if (error.code === 'lock_lost') return -1
      return typeof error.details.statement === 'number' ? error.details.statement : Number.MAX_SAFE_INTEGER
    }
    return [...failures].sort((a, b) => numberOf(a) - numberOf(b))[0]
  }

  /** The failure of a statement with what has run by now, since others were under way beside it. */
  private withProgress(error: unknown): unknown {
    if (!(error instanceof ChkitError) || typeof error.details.nextRun !== 'string') return error
    const nextRun = nextRunOf(Number(error.details.statement), this.items.length, this.done)
    return new ChkitError(error.code, error.message, {
      hint: error.hint === error.details.nextRun ? nextRun : error.hint,
      retriable: error.retriable,
      details: { ...error.details, appliedStatements: this.done.size, nextRun },
      cause: error.cause,
    })
  }

  private async sendOne(sent: Sent): Promise<void> {
    const { item } = sent
    this.report(item, '')
    if (item.statement.node.kind === 'set') {
      this.keepSetting(item.statement)
      this.note(item, 'done', sent.queryId, 'sent as a setting of the statements after it')
      return
    }
    const clustered = parseEvidence(sent.evidence)?.cluster !== undefined && showsOnHosts(item.proof)
    let queryId = sent.queryId
    for (let resend = 0; ; resend++) {
      const text = await this.textOf(item)
      await this.context.lock.assertHeld()
      const session = await this.fence(item)
      await this.context.lock.assertHeld()
      try {
        await this.command(item, text, { queryId, ...(session === undefined ? {} : { session }) })
        if (item.statement.node.kind === 'createDatabase') this.engines = undefined
        if (clustered) await this.converge({ ...sent, queryId }, '', true)
        this.note(item, 'done', queryId, '')
        break
      } catch (error) {
        const now = { ...sent, queryId }
        if (session !== undefined && isFencedOff(error)) {
          // Either time ran out, which the lock knows, or a balancer sends each request to another node.
          this.fencedOff++
          this.note(item, 'not_done', queryId, messageWithout(error, this.context.redact))
        } else if (await (clustered ? this.ranOnHosts(error, now, resend) : this.ranDespite(error, now, resend))) break
      }
      queryId = this.nextQueryId(item)
      await this.flush([this.event(item, 'intent', queryId, '', sent.evidence)])
    }
    // Where only the journal will know, the outcome is written before anything else happens.
    if (!isCertain(item.proof)) await this.flush()
    await this.follow(item, queryId)
  }

  private async command(item: Planned, text: string, options: QueryOptions & { readonly queryId: string }) {
    const { executor } = this.context
    const settings = { ...this.settings, ...(await insertSettings(executor, item)) }
    const send = (more: QueryOptions) => executor.command(text, { ...options, settings, ...more })
    // The embedded engine cannot be asked meanwhile, and has no connection that could hang.
    if (executor.kind === 'embedded') return send({})
    return withAnswerWatch(
      executor,
      options.queryId,
      (what) => this.report(item, what),
      (signal) => send({ signal }),
    )
  }

  /** A session that refuses the statement when it arrives after the lease; undefined where it is not needed or not to be had. */
  private async fence({ statement, proof }: Planned): Promise<QuerySession | undefined> {
    const { executor, lock } = this.context
    if (executor.kind !== 'http' || lock.epoch === 0 || this.fencedOff >= FENCE_TRIES) return undefined
    if (isHarmlessLate(statement.node, proof)) return undefined
    return persistently(() => openFence(executor, lock.leftMs), RECONNECT_MS)
  }

  /** True: it ran all the same. False: it did not, and may be sent again. Throws when it failed or nobody can tell. */
  private async ranDespite(error: unknown, sent: Sent, resend: number): Promise<boolean> {
    const { item, queryId } = sent
    const cut = isCut(error)
    const ambiguous = cut || (error instanceof ServerError && AMBIGUOUS.has(error.clickhouseCode))
    // No outcome is recorded: the next run settles it.
    if (!cut && !(error instanceof ServerError)) throw error
    if (!ambiguous && (isCertain(item.proof) || wasNotUnderstood(error, item))) {
      // A plain refusal of what the server does as a whole or not at all. Looking would only see what others did.
      this.note(item, 'failed', queryId, messageWithout(error, this.context.redact))
      throw this.failure(error, item, '')
    }
    const { verdict, facts } = await this.lookAfter(error, sent)
    if (verdict === 'done' && ambiguous) {
      this.note(item, 'done', queryId, facts)
      // A node of a cluster has done its part; the others are named in what the server said.
      if (!cut)
        this.context.warn(
          `Statement ${item.statement.number} of ${this.migration.name} has run here, but: ${messageWithout(error, this.context.redact)}`,
        )
      return true
    }
    if (verdict === 'not_done') {
      this.note(item, cut ? 'not_done' : 'failed', queryId, cut ? facts : messageWithout(error, this.context.redact))
      if (cut && resend < RESENDS) return false
      throw this.failure(error, item, '')
    }
    this.note(item, 'unknown', queryId, messageWithout(error, this.context.redact))
    if (cut) throw unsettledError(this.migration.name, migrationId(this.migration.name), item.statement, facts)
    throw this.failure(error, item, `The refusal came late: ${facts}.`)
  }

  private async lookAfter(
    error: unknown,
    sent: Sent,
  ): Promise<{ verdict: 'done' | 'not_done' | 'unknown'; facts: string }> {
    const { executor, signal } = this.context
    const onRunning = (queryId: string) =>
      this.report(sent.item, `the connection was cut, query ${queryId} is still running`)
    try {
      const elsewhere = await this.elsewhere(sent.item)
      return await persistently(() => settle(executor, sent, { signal, onRunning, elsewhere }), RECONNECT_MS)
    } catch {
      // Whatever keeps us from looking, what matters is that the statement is left open for the next run.
      throw this.failure(error, sent.item, LATER)
    }
  }

  private async follow(item: Planned, queryId: string): Promise<void> {
    const object = mutatedObject(item.proof)
    if (object === undefined) return
    try {
      await followMutations(this.context.executor, object, {
        signal: this.context.signal,
        reverse: this.reverses.get(item.statement.number),
        sources: await this.sourcesOf(item),
        onProgress: (progress) => this.report(item, describeProgress(progress)),
      })
    } catch (error) {
      if (!(error instanceof ChkitError) || error.code !== 'migration_failed') throw error
      // Taken, and not done: the next run looks again, and sends it anew once it was taken back.
      this.note(item, 'unknown', queryId, error.message)
      throw this.failure(error, item, '')
    }
  }

  /** Every host of the statement's cluster, or of the configured one: replicated tables mutate on all. Undefined: this server. */
  private async sourcesOf(item: Planned): Promise<readonly SystemSource[] | undefined> {
    const name = clusterOf(item.statement.node) ?? this.context.cluster
    if (name === undefined || this.context.executor.kind === 'embedded') return undefined
    const hosts = await clusterHosts(this.context.executor, name)
    // A host that does not answer was named before, and would fail every look.
    const seen = await observeHosts(this.context.executor, hosts, [])
    const answering = hosts.filter(({ address }) => !(seen.get(address) instanceof ChkitError))
    return answering.length === 0 ? undefined : answering.map(({ source }) => source)
  }

  /** Behind a balancer another node may have been given the statement, and only that one knows its query. */
  private async elsewhere({ statement, proof }: Planned): Promise<OtherNodes | undefined> {
    const { executor, cluster } = this.context
    if (executor.kind === 'embedded') return undefined
    const name = clusterOf(statement.node) ?? cluster
    const databases = objectsOf(proof).map(({ database }) => database)
    const hosts = await persistently(
      () => (name === undefined ? this.visibility.nodesOf(databases) : clusterHosts(executor, name, { byPlace: true })),
      RECONNECT_MS,
    )
    if (hosts.length < 2) return undefined
    return { executor: await patientExecutor(executor), sources: hosts.map(({ source }) => source) }
  }

  /** What is sent: databases that distribute DDL themselves take it without ON CLUSTER. */
  private async textOf({ statement, proof }: Planned): Promise<string> {
    if (clusterOf(statement.node) === undefined) return statement.text
    const { executor } = this.context
    this.engines ??= persistently(() => databaseEngines(executor), RECONNECT_MS)
    const engines = await this.engines
    const inside = objectsOf(proof).map(({ database }) => engines.get(database) ?? '')
    return inside.some(distributesDdl) ? withoutOnCluster(statement.text) : statement.text
  }

  /** What takes a change of column types back: the types as they are now. */
  private async rememberReverse({ statement }: Planned): Promise<void> {
    const { node } = statement
    if (node.kind !== 'alter' || !node.commands.some(({ kind }) => kind === 'modifyColumn')) return
    const { executor } = this.context
    const reverse = await persistently(() => reverseOfTypes(executor, node), RECONNECT_MS)
    if (reverse !== undefined) this.reverses.set(statement.number, reverse)
  }

  /** Writes the outcomes that wait, with `more` after them; one writing at a time, in the order of the calls. */
  flush(more: readonly StatementEvent[] = []): Promise<void> {
    const mine = this.writing.then(() => this.write(more))
    this.writing = mine.catch(() => undefined)
    return mine
  }

  private async write(more: readonly StatementEvent[]): Promise<void> {
    // Others may be noted while these are written.
    const waiting = this.outcomes.splice(0)
    const events = [...waiting, ...more]
    if (events.length === 0) return
    try {
      // A run that has lost its lock leaves even the journal alone: its successor settles what is open.
      await this.context.lock.assertHeld()
      // A line that was written twice says the same as one.
      await writingJournal(this.context, this.migration.name, () => this.context.journal.recordStatements(events))
    } catch (error) {
      this.outcomes.unshift(...waiting)
      throw error
    }
  }

  /** For use beside a failure that says more than a journal that cannot be written; the intents stand, and are settled later. */
  private async flushQuietly(): Promise<void> {
    try {
      await this.flush()
    } catch (error) {
      if (!(error instanceof ChkitError)) throw error
    }
  }

  private note(item: Planned, outcome: StatementOutcome, queryId: string, message: string): void {
    if (outcome === 'done') this.done.add(item.statement.number)
    else this.done.delete(item.statement.number)
    this.outcomes.push(this.event(item, outcome, queryId, message, ''))
  }

  private event(
    item: Planned,
    outcome: StatementOutcome,
    queryId: string,
    message: string,
    evidence: string,
  ): StatementEvent {
    const { lock, now, redact } = this.context
    return {
      migration: this.migration.name,
      statement: item.statement.number,
      outcome,
      at: new Date(now()).toISOString(),
      hash: item.statement.hash,
      queryId,
      evidence,
      epoch: lock.epoch,
      runner: lock.runner,
      message: redact(message),
    }
  }

  private nextQueryId(item: Planned): string {
    const run = this.context.lock.runner.split('/').at(-1)
    return `chkit-${run}-${migrationId(this.migration.name)}-${item.statement.number}-${++this.tries}`
  }

  /** SET over connections without a session: what it sets goes with each statement after it. */
  private keepSetting({ node }: MigrationStatement): void {
    if (node.kind !== 'set') return
    for (const { name, value } of node.settings) {
      if (value.kind === 'literal') this.settings[name] = settingValue(value)
      else delete this.settings[name]
    }
  }

  private stopIfInterrupted(): void {
    if (this.context.signal.aborted) {
      throw new ChkitError(
        'interrupted',
        `Interrupted during ${this.migration.name}. The journal says where it stands; the next run goes on there.`,
        {
          details: { migration: this.migration.name },
        },
      )
    }
  }

  private report(item: Planned, what: string): void {
    const { number, text } = item.statement
    const line = text.replace(/\s+/g, ' ').slice(0, 60)
    this.context.report(
      `${this.migration.name}: statement ${number} of ${this.items.length}${what === '' ? `: ${line}` : `: ${what}`}`,
    )
  }

  /** What a failed statement says: where, what, the server's answer, and what the next run will do. */
  private failure(error: unknown, item: Planned, note: string): ChkitError {
    const { redact } = this.context
    const { number, line, text } = item.statement
    const { name } = this.migration
    const server = error instanceof ServerError ? error : undefined
    const code = server === undefined ? 'no code' : `${server.clickhouseCode} ${server.clickhouseName ?? ''}`.trim()
    const cause = messageWithout(error, redact)
    const nextRun = nextRunOf(number, this.items.length, this.done)
    return new ChkitError(
      'migration_failed',
      `Statement ${number} of ${name} (line ${line}) failed: ${cause}${note === '' ? '' : ` ${note}`}`,
      {
        hint: error instanceof ChkitError && error.code === 'migration_failed' ? error.hint : nextRun,
        retriable: error instanceof ChkitError ? error.retriable : false,
        details: {
          migration: name,
          file: this.migration.file,
          statement: number,
          statementCount: this.items.length,
          line,
          text: redact(text),
          engineError:
            server === undefined
              ? null
              : { code: server.clickhouseCode, name: server.clickhouseName ?? null, label: code },
          clickhouseCode: server?.clickhouseCode ?? null,
          clickhouseName: server?.clickhouseName ?? null,
          appliedStatements: this.done.size,
          nextRun,
        },
        cause: error,
      },
    )
  }
}

/** Milliseconds to find the server again after a cut connection. */
const RECONNECT_MS = 15_000

const LATER = 'Whether it has run could not be found out; the next run finds out first.'

function messageWithout(error: unknown, redact: (text: string) => string): string {
  return redact(error instanceof Error ? error.message : String(error))
}

function nextRunOf(number: number, count: number, done: ReadonlySet<number>): string {
  const ran = [...done].sort((a, b) => a - b)
  const before = ran.length === 0 ? '' : `${rangesOf(ran)} and ${ran.length === 1 ? 'stays' : 'stay'}. `
  return `${before}The next run goes on with statement ${number} of ${count}; it may be corrected in the file first.`
}

/** `Statements 1 to 3, 5 have run`; of sorted numbers. */
function rangesOf(numbers: readonly number[]): string {
  const ranges: [number, number][] = []
  for (const number of numbers) {
    const last = ranges.at(-1)
    if (last !== undefined && last[1] === number - 1) last[1] = number
    else ranges.push([number, number])
  }
  const text = ranges.map(([from, to]) => (from === to ? `${from}` : `${from} to ${to}`)).join(', ')
  return numbers.length === 1 ? `Statement ${text} has run` : `Statements ${text} have run`
}

function settingValue(literal: Literal): string | number | boolean {
  switch (literal.type) {
    case 'bool':
      return literal.value
    case 'int':
    case 'float': {
      const number = Number(literal.value)
      return Number.isSafeInteger(number) ? number : literal.value
    }
    case 'string':
      return literal.value
    default:
      return printExpression(literal)
  }
}
