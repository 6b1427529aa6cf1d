import { setTimeout as sleep } from 'node:timers/promises'
import type { Executor } from '../clickhouse/executor.js'
import { hasSystemColumn } from '../clickhouse/features.js'
import { ChkitError } from '../errors.js'
import { quoteQualified } from '../sql/quote.js'
import {
  type Evidence,
  flushLogs,
  judge,
  type OtherNodes,
  objectsOf,
  observe,
  queryFate,
  settleVerdict,
  stateOf,
  type Verdict,
} from './evidence.js'
import type { StatementState } from './journal.js'
import { isCertain } from './proof.js'
import { watchStalled } from './stalled-query.js'
import { syncReplica } from './sync-replica.js'

/** What the next run does about a statement that the journal knows. */
export type Resumption = 'skip' | 'run' | 'settle'

/** Pure: where a statement stands decides what to do with it. */
export function resumption(state: StatementState | undefined): Resumption {
  switch (state?.outcome) {
    case undefined:
    case 'failed':
    case 'not_done':
      return 'run'
    case 'done':
      return 'skip'
    default:
      return 'settle'
  }
}

/** A statement of the file as the comparison with the journal sees it. */
export type NumberedHash = {
  readonly number: number
  readonly hash: string
  readonly text: string
  readonly line: number
}

/** The first statement that ran, or may have run, and is not in the file as it was; undefined when there is none. Pure. */
export function findEdited(
  states: ReadonlyMap<number, StatementState>,
  statements: readonly NumberedHash[],
): { readonly state: StatementState; readonly now: NumberedHash | undefined } | undefined {
  const ran = [...states.values()]
    .filter((state) => resumption(state) !== 'run')
    .sort((a, b) => a.statement - b.statement)
  for (const state of ran) {
    const now = statements.find((statement) => statement.number === state.statement)
    if (now?.hash !== state.intent.hash) return { state, now }
  }
  return undefined
}

/** Throws `migration_edited` for a file that was edited after a part of it had run. */
export function refuseEdited(
  name: string,
  states: ReadonlyMap<number, StatementState>,
  statements: readonly NumberedHash[],
): void {
  const edited = findEdited(states, statements)
  if (edited !== undefined) throw editedError(name, edited)
}

function editedError(name: string, edited: NonNullable<ReturnType<typeof findEdited>>): ChkitError {
  const { state, now } = edited
  const number = state.statement
  const found =
    now === undefined
      ? `statement ${number} is no longer in the file`
      : `statement ${number} (line ${now.line}) is now:\n${now.text}`
  return new ChkitError('migration_edited', `${name} was edited after statement ${number} had run: ${found}`, {
    hint: 'Restore that statement as it was and run again; put what should change into a new migration. Statements that have not run may be edited.',
    details: {
      migration: name,
      statement: number,
      expectedHash: state.intent.hash,
      actualHash: now?.hash ?? null,
      text: now?.text ?? null,
    },
  })
}

/** What was found out about an intent, and how. */
export type Settlement = { readonly verdict: Verdict; readonly facts: string }

export type SettleOptions = {
  readonly signal: AbortSignal
  /** Told every now and then while the query still runs. */
  readonly onRunning: (queryId: string) => void
  /** Milliseconds between looks; default 1,000. */
  readonly intervalMs?: number
  /** Milliseconds without progress after which the query is killed; never unless given. */
  readonly stalledMs?: number
  /** The other nodes that may have been given the statement. */
  readonly elsewhere?: OtherNodes | undefined
  /** Milliseconds for logs that nobody may flush; default 8,000. */
  readonly logMs?: number
}

/** Milliseconds after which a server writes its log by itself (`flush_interval_milliseconds` is 7,500), and a little. */
const LOG_MS = 8_000

function isEvidence(value: unknown): value is Evidence {
  return typeof value === 'object' && value !== null && 'proof' in value && 'before' in value
}

/** What an intent carries; undefined where a version of another form wrote it. */
export function parseEvidence(text: string): Evidence | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isEvidence(value) ? value : undefined
  } catch (error) {
    // A journal of another version may have written another form; the log alone is asked then.
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/**
 * Finds out whether a statement whose outcome nobody wrote down has run: waits while its query is running, then asks the
 * server's log and the system tables. Throws connection codes, `interrupted`.
 */
export async function settle(executor: Executor, intent: Intent, options: SettleOptions): Promise<Settlement> {
  const first = await look(executor, intent, options)
  if (!(await logsComeLate(executor, intent, first, options))) return first
  await sleep(options.logMs ?? LOG_MS)
  return look(executor, intent, options)
}

type Intent = { readonly queryId: string; readonly evidence: string }

async function look(executor: Executor, intent: Intent, options: SettleOptions): Promise<Settlement> {
  const fate = await ended(executor, intent.queryId, options)
  const evidence = parseEvidence(intent.evidence)
  if (evidence !== undefined) await syncReplicas(executor, evidence)
  const verdict =
    evidence === undefined
      ? 'unknown'
      : judge(evidence.proof, evidence.before, await observe(executor, [evidence.proof]), executor.kind === 'embedded')
  const settled = settleVerdict(fate, verdict)
  const log = fate === 'silent' ? 'the query log does not know it' : `the query log says ${fate}`
  return { verdict: settled, facts: `${log}; ${factsOf(evidence, verdict)}` }
}

/** True where a log may say in a while what the system tables do not: another node's, or one that this account may not flush. */
async function logsComeLate(
  executor: Executor,
  { evidence }: Intent,
  { verdict }: Settlement,
  { elsewhere }: SettleOptions,
): Promise<boolean> {
  if (verdict === 'done' || executor.kind === 'embedded') return false
  if (!hasSystemColumn(await executor.server(), 'query_log')) return false
  if (verdict === 'unknown') return elsewhere !== undefined || !(await flushLogs(executor))
  const proof = parseEvidence(evidence)?.proof
  return elsewhere !== undefined && proof !== undefined && !isCertain(proof)
}

/** What another replica has taken shows here only when this one has caught up. */
async function syncReplicas(executor: Executor, { proof, before }: Evidence): Promise<void> {
  for (const object of objectsOf(proof)) {
    const engine = stateOf(before, object)?.engine ?? ''
    if (/^(Replicated|Shared)/.test(engine)) await syncReplica(executor, quoteQualified(object.database, object.name))
  }
}

async function ended(
  executor: Executor,
  queryId: string,
  options: SettleOptions,
): Promise<'finished' | 'refused' | 'failed' | 'silent'> {
  const { stalledMs } = options
  const watch = stalledMs === undefined ? undefined : watchStalled(executor, queryId, stalledMs)
  for (;;) {
    const fate = await queryFate(executor, queryId, options.elsewhere)
    if (fate !== 'running') return fate
    await watch?.()
    if (options.signal.aborted)
      throw new ChkitError('interrupted', `Interrupted while query ${queryId} is still running.`)
    options.onRunning(queryId)
    await sleep(options.intervalMs ?? 1000)
  }
}

function factsOf(evidence: Evidence | undefined, verdict: Verdict): string {
  if (evidence === undefined) return 'how things stood before is not recorded'
  const changed =
    verdict === 'unknown' ? 'something has changed, which may be all of it, a part of it, or the work of another' : ''
  switch (evidence.proof.kind) {
    case 'none':
      return 'the system tables hold nothing that would prove it'
    case 'written':
      return verdict === 'not_done'
        ? `${evidence.proof.object.database}.${evidence.proof.object.name} holds the same parts as before`
        : `${evidence.proof.object.database}.${evidence.proof.object.name} holds other parts than before: ${changed || 'the rows it inserts have arrived'}`
    case 'mutated':
      if (verdict === 'unknown')
        return `${evidence.proof.object.database}.${evidence.proof.object.name} has new mutations, or another definition, and none of them reads like this statement`
      return `system.mutations ${verdict === 'done' ? 'has it' : 'has nothing new'}`
    default:
      return verdict === 'unknown'
        ? changed
        : `the system tables say ${verdict === 'done' ? 'that it ran' : 'that nothing changed'}`
  }
}

/** The stop where nobody can know: the facts, and the two commands that decide it. */
export function unsettledError(name: string, id: string, statement: NumberedHash, facts: string): ChkitError {
  const command = (answer: string) => `chkit migrate --resolve ${shellWord(`${id}:${statement.number}=${answer}`)}`
  return new ChkitError(
    'migration_unsettled',
    `Nobody can tell whether statement ${statement.number} of ${name} (line ${statement.line}) has run: ${facts}.`,
    {
      hint: `Look at the database, then say which: ${command('done')} (it ran) or ${command('retry')} (it did not).`,
      details: { migration: name, statement: statement.number, line: statement.line, text: statement.text, facts },
    },
  )
}

/** Names of files may hold what a shell would read otherwise. */
function shellWord(text: string): string {
  return /^[\w.:=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
