import { setTimeout as sleep } from 'node:timers/promises'
import type { Executor } from '../clickhouse/executor.js'
import { hasSystemColumn } from '../clickhouse/features.js'
import { ServerError } from '../clickhouse/server-error.js'
import { ChkitError } from '../errors.js'
import type { AlterCommand, Statement } from '../sql/ast-ddl.js'
import { Token, tokenize } from '../sql/lexer.js'
import { quoteIdentifierIfNeeded, quoteString } from '../sql/quote.js'
import { type Evidence, judge, type Observation, observe, type SystemSource } from './evidence.js'
import type { Proof } from './proof.js'

/**
 * What the hosts of a cluster have made of a statement ON CLUSTER. The server distributes it through a queue in
 * ZooKeeper, host by host: each may have run it, refused it, or not come to it yet, whatever the one answer said.
 */

/** A host of a cluster by its address, `host:port` of the native protocol. `local`: surely the connected one. */
export type ClusterHost = { readonly address: string; readonly local: boolean; readonly source: SystemSource }

/** Hosts are asked with short patience: one that is stopped accepts connections and never answers. */
const PATIENCE = {
  connect_timeout_with_failover_ms: 1000,
  connections_with_failover_max_tries: 1,
  receive_timeout: 2,
  send_timeout: 2,
} as const

/** Milliseconds after which a host counts as not answering, whatever its settings. */
const ANSWER_MS = 4_000

/** `clusterAllReplicas` uses the cluster's own credentials; before it came (20.3), hosts are asked by address. */
function hasAllReplicas({ major }: { readonly major: number }): boolean {
  return major > 20
}

/**
 * The hosts of a cluster, the connected one first; empty where the server does not know the cluster. `byPlace`: none is
 * taken for the connected one.
 */
export async function clusterHosts(
  executor: Executor,
  cluster: string,
  options: { readonly byPlace?: boolean } = {},
): Promise<ClusterHost[]> {
  type Row = { host_name: string; port: number; is_local: number }
  const name = await withMacros(executor, cluster)
  const rows = await executor.query<Row>(
    `SELECT host_name, port, is_local FROM system.clusters WHERE cluster = ${quoteString(name)} ORDER BY shard_num, replica_num`,
  )
  const named = quoteIdentifierIfNeeded(name)
  const modern = hasAllReplicas(await executor.server())
  // 18.16 calls every port of its own address local; such hosts are asked over the network like the others.
  const isSure = rows.filter(({ is_local }) => is_local === 1).length === 1
  const hosts = rows.map(({ host_name, port, is_local }, index): ClusterHost => {
    const address = `${host_name}:${port}`
    const local = isSure && is_local === 1 && options.byPlace !== true
    const remote: SystemSource = modern
      ? (table) => `(SELECT * FROM clusterAllReplicas(${named}, system.${table}) WHERE _shard_num = ${index + 1})`
      : (table) => `remote(${quoteString(address)}, system, ${table})`
    return { address, local, source: local ? (table) => `system.${table}` : remote }
  })
  return hosts.sort((a, b) => Number(b.local) - Number(a.local))
}

/** `ON CLUSTER '{cluster}'` names the cluster by a macro of the server. */
async function withMacros(executor: Executor, name: string): Promise<string> {
  if (!name.includes('{')) return name
  const macros = await executor.query<{ macro: string; substitution: string }>(
    'SELECT macro, substitution FROM system.macros',
  )
  return macros.reduce((text, { macro, substitution }) => text.replaceAll(`{${macro}}`, substitution), name)
}

/** The executor as hosts of a cluster are asked through it. */
export async function patientExecutor(executor: Executor): Promise<Executor> {
  // Through clusterAllReplicas another host that is down would fail the question to this one.
  const settings = hasAllReplicas(await executor.server()) ? { ...PATIENCE, skip_unavailable_shards: 1 } : PATIENCE
  return {
    ...executor,
    query: (sql, options) =>
      executor.query(sql, { ...options, settings: { ...options?.settings, ...settings }, timeoutMs: ANSWER_MS }),
  }
}

/** Looks at the same things on every host. A host that does not answer is told by the error it failed with. */
export async function observeHosts(
  executor: Executor,
  hosts: readonly ClusterHost[],
  proofs: readonly Proof[],
): Promise<ReadonlyMap<string, Observation | ChkitError>> {
  const patient = await patientExecutor(executor)
  const look = async (host: ClusterHost): Promise<[string, Observation | ChkitError]> => {
    try {
      if (host.local) return [host.address, await observe(executor, proofs)]
      const alive = await patient.query(`SELECT 1 FROM ${host.source('one')}`)
      if (alive.length === 0) throw new ChkitError('connection_refused', 'the server cannot reach it')
      return [host.address, await observe(patient, proofs, host.source)]
    } catch (error) {
      if (!(error instanceof ChkitError) || host.local) throw error
      return [host.address, error]
    }
  }
  return new Map(await Promise.all(hosts.map(look)))
}

/** Where a statement stands on the hosts of its cluster, by address. */
export type ClusterLook = {
  /** `done`: on all that answer; `partial`: on some. */
  readonly verdict: 'done' | 'not_done' | 'partial' | 'unknown'
  readonly done: readonly string[]
  /** Answer, and have not done it. */
  readonly behind: readonly string[]
  /** Of those, the ones that hold something else by the name that the statement creates. */
  readonly conflicting: readonly string[]
  readonly absent: readonly { readonly address: string; readonly reason: string }[]
}

/** True when two hosts show the same objects with the same definitions. */
export function sameThings(a: Observation, b: Observation): boolean {
  const spelled = ({ objects, named }: Observation) =>
    JSON.stringify([
      Object.entries(objects)
        .map(([key, state]) => `${key} ${state.create}`)
        .sort(),
      Object.keys(named).sort(),
    ])
  return spelled(a) === spelled(b)
}

function holdsAnother(proof: Proof, now: Observation, here: Observation): boolean {
  return proof.kind === 'made' && Object.keys(now.objects).length > 0 && !sameThings(now, here)
}

/**
 * Judges what the hosts show. `sent`: the server has said that the statement ran, so what is as it is here has done it;
 * without that word only changes count. Pure.
 */
export function judgeHosts(
  evidence: Evidence,
  here: Observation,
  seen: ReadonlyMap<string, Observation | ChkitError>,
  sent: boolean,
): ClusterLook {
  const { proof, before, cluster } = evidence
  const list = { done: [] as string[], behind: [] as string[], conflicting: [] as string[] }
  const absent: { address: string; reason: string }[] = []
  const own = judge(proof, before, here, false)
  const ran = sent || own === 'done'
  for (const [address, now] of seen) {
    if (now instanceof ChkitError) {
      absent.push({ address, reason: now.message })
      continue
    }
    const was = cluster?.hosts[address]
    const done = (was !== undefined && judge(proof, was, now, false) === 'done') || (ran && sameThings(now, here))
    list[done ? 'done' : 'behind'].push(address)
    if (!done && holdsAnother(proof, now, here) && was !== undefined && sameThings(was, now))
      list.conflicting.push(address)
  }
  const verdict =
    own === 'unknown' && !sent
      ? 'unknown'
      : list.behind.length === 0
        ? 'done'
        : list.done.length === 0
          ? 'not_done'
          : 'partial'
  return { verdict, ...list, absent }
}

/** Asks all hosts of the evidence's cluster and judges their answers. Throws connection codes. */
export async function lookAtHosts(executor: Executor, evidence: Evidence, sent: boolean): Promise<ClusterLook> {
  const hosts = await clusterHosts(executor, evidence.cluster?.name ?? '')
  const [here, seen] = await Promise.all([
    observe(executor, [evidence.proof]),
    observeHosts(executor, hosts, [evidence.proof]),
  ])
  return judgeHosts(evidence, here, seen, sent)
}

/** One sentence: which hosts have run it, which have not, which do not answer. */
export function describeLook(look: ClusterLook): string {
  const { done, behind, conflicting, absent } = look
  const lagging = behind.filter((address) => !conflicting.includes(address))
  return [
    done.length > 0 ? `${done.join(', ')} ${done.length === 1 ? 'has' : 'have'} run it` : '',
    lagging.length > 0 ? `${lagging.join(', ')} ${lagging.length === 1 ? 'has' : 'have'} not` : '',
    conflicting.length > 0 ? `${conflicting.join(', ')} held another object of that name before` : '',
    ...absent.map(({ address, reason }) => `${address} does not answer (${reason.split('\n')[0]?.slice(0, 200)})`),
  ]
    .filter((text) => text !== '')
    .join('; ')
}

/** What a host answered to a task of the DDL queue: 0 and no text where it ran. */
export type TaskAnswer = { readonly address: string; readonly code: number; readonly text: string }

/** `Watching task /clickhouse/task_queue/ddl/query-0000000003 is executing longer than ...`. */
function taskPathIn(message: string): string | undefined {
  return /task (\/\S+)/.exec(message)?.[1]
}

/**
 * The hosts that have finished the task which a server's answer names, from ZooKeeper itself, or with the exceptions in
 * `system.distributed_ddl_queue` where the server has it. Empty where neither can be read.
 */
export async function taskAnswers(executor: Executor, message: string): Promise<readonly TaskAnswer[]> {
  const path = taskPathIn(message)
  if (path === undefined) return []
  try {
    const info = await executor.server()
    if (hasSystemColumn(info, 'distributed_ddl_queue', 'exception_text')) {
      type Row = { host: string; port: number; code: number; text: string }
      const rows = await executor.query<Row>(
        `SELECT host, port, exception_code AS code, exception_text AS text FROM system.distributed_ddl_queue ` +
          `WHERE entry = ${quoteString(path.split('/').at(-1) ?? '')} AND toString(status) = 'Finished'`,
      )
      return rows.map(({ host, port, code, text }) => ({ address: `${host}:${port}`, code: Number(code), text }))
    }
    const rows = await executor.query<{ name: string; value: string }>(
      `SELECT name, value FROM system.zookeeper WHERE path = ${quoteString(`${path}/finished`)}`,
    )
    return rows.map(({ name, value }) => {
      const [code = '', ...text] = value.split('\n')
      return { address: decodeURIComponent(name), code: Number(code), text: text.join('\n') }
    })
  } catch (error) {
    // An old table, rights that are missing, or a ZooKeeper that is away: the hosts themselves are asked anyway.
    if (error instanceof ServerError) return []
    throw error
  }
}

export type FollowHostsOptions = {
  readonly signal: AbortSignal
  /** The server has said that the statement ran; without it only what changed counts. */
  readonly sent: boolean
  /** What the server answered, when it named a task of its queue. */
  readonly answer: string
  readonly onProgress: (look: ClusterLook, elapsedMs: number) => void
}

/**
 * Milliseconds after which a host that does not answer is left to the DDL queue, which holds the statement for it. The
 * server has waited for `distributed_ddl_task_timeout` before, so that this is only for one that just comes back.
 */
const ABSENT_MS = 5_000

/** Milliseconds for a host that answers, when nothing says that it still has the statement before it. */
const LAG_MS = 60_000

/**
 * Looks until all hosts that answer have run the statement, or until nothing more is to be expected of them: another
 * object is in the way, the queue says that a host refused it, or time is up. Hosts that do not answer are waited for a
 * short while. Throws connection codes and `interrupted`.
 */
export async function followHosts(
  executor: Executor,
  evidence: Evidence,
  options: FollowHostsOptions,
): Promise<{ readonly look: ClusterLook; readonly refused: readonly TaskAnswer[] }> {
  const started = performance.now()
  for (let pause = 50; ; pause = Math.min(pause * 1.5, 1000)) {
    const look = await lookAtHosts(executor, evidence, options.sent)
    const elapsed = performance.now() - started
    if (look.verdict === 'done' && (look.absent.length === 0 || elapsed > ABSENT_MS)) return { look, refused: [] }
    if (look.conflicting.length > 0 || look.verdict === 'unknown') return { look, refused: [] }
    const answers = await taskAnswers(executor, options.answer)
    const refused = answers.filter(({ code }) => code !== 0)
    if (refused.length > 0) return { look, refused }
    // A task that a host has not finished is waited for without end: the server goes on with it in the background.
    const queued = answers.length > 0 && answers.length < look.done.length + look.behind.length + look.absent.length
    if (look.behind.length > 0 && !queued && elapsed > LAG_MS) return { look, refused: [] }
    if (options.signal.aborted) throw new ChkitError('interrupted', `Interrupted: ${describeLook(look)}.`)
    options.onProgress(look, elapsed)
    await sleep(pause)
  }
}

/**
 * The statement in a form that changes nothing where it has run, so that it can be sent ON CLUSTER again for the hosts
 * where it has not; undefined where there is none. Pure.
 */
export function repeatableForm(node: Statement): Statement | undefined {
  switch (node.kind) {
    case 'createTable':
    case 'createView':
    case 'createDictionary':
    case 'createFunction':
      return node.orReplace ? node : { ...node, ifNotExists: true }
    case 'createDatabase':
    case 'createNamedCollection':
    case 'createIndex':
      return { ...node, ifNotExists: true }
    case 'drop':
      return node.action === 'TRUNCATE' ? node : { ...node, ifExists: true }
    case 'dropGlobal':
    case 'dropIndex':
    case 'dropAccess':
      return { ...node, ifExists: true }
    case 'alter': {
      const commands = node.commands.map(repeatableCommand)
      return commands.every((command) => command !== undefined) ? { ...node, commands } : undefined
    }
    case 'rename':
      // EXCHANGE would turn it back where it has run.
      return node.exchange ? undefined : { ...node, pairs: node.pairs.map((pair) => ({ ...pair, ifExists: true })) }
    default:
      return undefined
  }
}

function repeatableCommand(command: AlterCommand): AlterCommand | undefined {
  switch (command.kind) {
    case 'addColumn':
    case 'addIndex':
    case 'addProjection':
    case 'addConstraint':
      return { ...command, ifNotExists: true }
    case 'dropColumn':
    case 'dropElement':
    case 'renameColumn':
      return { ...command, ifExists: true }
    case 'update':
    case 'delete':
    case 'unparsed':
      return undefined
    default:
      return SETTING_COMMANDS.has(command.kind) ? command : undefined
  }
}

/** Commands that set what they name, and may be given twice. */
const SETTING_COMMANDS: ReadonlySet<string> = new Set([
  'modifyColumn',
  'commentColumn',
  'modifyConstraint',
  'modifyComment',
  'modifyOrderBy',
  'modifyTtl',
  'modifySetting',
  'resetSetting',
  'modifyQuery',
])

/** True where it can be told from the system tables of a host whether it has run such a statement. */
export function showsOnHosts(proof: Proof): boolean {
  return ['made', 'gone', 'moved', 'altered', 'mutated', 'named'].includes(proof.kind)
}

/** The cluster that a statement is sent to; undefined without ON CLUSTER. */
export function clusterOf(node: Statement): string | undefined {
  return 'cluster' in node && typeof node.cluster === 'string' ? node.cluster : undefined
}

/**
 * The statement's text without its ON CLUSTER, cut out by tokens: databases that distribute DDL themselves refuse it. The
 * text as it is where there is none. Pure.
 */
export function withoutOnCluster(text: string): string {
  const tokens = tokenize(text)
  const wordAt = (index: number) =>
    tokens.kinds[index] === Token.word ? text.slice(tokens.starts[index], tokens.ends[index]).toUpperCase() : ''
  for (let index = 0; index + 2 < tokens.count; index++) {
    if (wordAt(index) !== 'ON' || wordAt(index + 1) !== 'CLUSTER') continue
    return text.slice(0, tokens.ends[index - 1]) + text.slice(tokens.ends[index + 2])
  }
  return text
}
