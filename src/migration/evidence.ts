import { createHash } from 'node:crypto'
import type { Executor } from '../clickhouse/executor.js'
import { ServerError } from '../clickhouse/server-error.js'
import { assertNever, ChkitError } from '../errors.js'
import { compareCodeUnits } from '../model/definition.js'
import { quoteString } from '../sql/quote.js'
import { serverFingerprint } from './mutation-text.js'
import { type NamedKind, type ObjectRef, type Proof, refKey } from './proof.js'

/** How one object stands: enough to tell later whether a statement has touched it. */
export type ObjectState = {
  /** UUID in an Atomic database, empty elsewhere. */
  readonly uuid: string
  /** Hash of the CREATE text. */
  readonly create: string
  readonly engine: string
  /** Rows, as the server counts them without reading; null where it does not. */
  readonly rows: number | null
}

/** How things stood at one moment; keys are made by `refKey` and never read back. */
export type Observation = {
  /** Undefined keys: the object is not there. */
  readonly objects: Readonly<Record<string, ObjectState>>
  /** Ids of mutations by object, sorted. */
  readonly mutations: Readonly<Record<string, readonly string[]>>
  /** Their commands as the server prints them, by object and id; not kept in the journal. */
  readonly commands?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>
  /** Fingerprint of parts by object: their block numbers, active or not. */
  readonly blocks: Readonly<Record<string, string>>
  /** Names that are present, by `keyOfName`. */
  readonly named: Readonly<Record<string, string>>
}

/** What is written with an intent, and read back after a crash. */
export type Evidence = {
  readonly proof: Proof
  readonly before: Observation
  /** The statement that takes a change of column types back. */
  readonly reverse?: string
  /** Of a statement ON CLUSTER: how things stood on the other hosts that answered, by address. */
  readonly cluster?: { readonly name: string; readonly hosts: Readonly<Record<string, Observation>> }
}

/** SQL text to read `system.<table>` from: this host's own, or another's. */
export type SystemSource = (table: string) => string

/** The nodes besides this server that may have been given a statement, and whom to ask for them, with short patience. */
export type OtherNodes = { readonly executor: Executor; readonly sources: readonly SystemSource[] }

const HERE: SystemSource = (table) => `system.${table}`

/** What looking again says of a statement. `unknown`: something has changed, and that may or may not be all of it. */
export type Verdict = 'done' | 'not_done' | 'unknown'

const EMPTY: Observation = { objects: {}, mutations: {}, blocks: {}, named: {} }

/** How an object stood; undefined where it was not there. */
export function stateOf(seen: Observation, object: ObjectRef): ObjectState | undefined {
  return seen.objects[refKey(object)]
}

function keyOfName(what: NamedKind, name: string): string {
  return JSON.stringify([what, name])
}

/** The objects whose state a proof compares. */
export function objectsOf(proof: Proof): readonly ObjectRef[] {
  switch (proof.kind) {
    case 'made':
    case 'altered':
    case 'mutated':
    case 'written':
    case 'emptied':
      return [proof.object]
    case 'gone':
      return proof.objects
    case 'moved':
      return proof.pairs.flatMap((pair) => [pair.from, pair.to])
    case 'named':
    case 'repeatable':
    case 'none':
      return []
    default:
      return assertNever(proof, 'proof')
  }
}

function unique(objects: readonly ObjectRef[]): ObjectRef[] {
  return [...new Map(objects.map((object) => [refKey(object), object])).values()]
}

/** Condition for `objects`, by `database` and the given column of names; for a list that is not empty. */
export function whereIn(objects: readonly ObjectRef[], nameColumn: string): string {
  const databases = [...new Set(objects.map((object) => object.database))]
  // One list per database: a list of pairs is not pushed down into system.tables and would read every table there is.
  const terms = databases.map((database) => {
    const names = objects.filter((object) => object.database === database).map((object) => quoteString(object.name))
    return `(database = ${quoteString(database)} AND ${nameColumn} IN (${names.join(', ')}))`
  })
  return terms.join(' OR ')
}

async function observeObjects(
  executor: Executor,
  objects: readonly ObjectRef[],
  from: SystemSource,
): Promise<Observation['objects']> {
  if (objects.length === 0) return {}
  const { major } = await executor.server()
  type Row = { database: string; name: string; uuid: string; create: string; engine: string; rows: number | null }
  const modern = major >= 20
  const rows = await executor.query<Row>(
    `SELECT database, name, engine, ${modern ? 'toString(uuid)' : "''"} AS uuid, ` +
      `toString(sipHash64(create_table_query)) AS create, ${modern ? 'total_rows' : 'NULL'} AS rows ` +
      `FROM ${from('tables')} WHERE ${whereIn(objects, 'name')}`,
  )
  const entries = rows.map(({ database, name, uuid, ...state }): [string, ObjectState] => [
    refKey({ database, name }),
    { ...state, uuid: /^[0-]*$/.test(uuid) ? '' : uuid, rows: state.rows === null ? null : Number(state.rows) },
  ])
  return Object.fromEntries(entries)
}

async function observeMutations(
  executor: Executor,
  objects: readonly ObjectRef[],
  from: SystemSource,
): Promise<Required<Pick<Observation, 'mutations' | 'commands'>>> {
  const mutations: Record<string, string[]> = {}
  const commands: Record<string, Record<string, string[]>> = {}
  if (objects.length === 0) return { mutations, commands }
  // A row for each command: several of one ALTER share an id.
  const rows = await executor.query<{ database: string; table: string; id: string; command: string }>(
    `SELECT database, table, mutation_id AS id, command FROM ${from('mutations')} WHERE ${whereIn(objects, 'table')}`,
  )
  for (const { database, table, id, command } of rows) {
    const key = refKey({ database, name: table })
    const known = commands[key]?.[id] ?? []
    commands[key] = { ...commands[key], [id]: [...known, command] }
  }
  for (const [key, byId] of Object.entries(commands)) mutations[key] = Object.keys(byId).sort(compareCodeUnits)
  return { mutations, commands }
}

async function observeBlocks(
  executor: Executor,
  objects: readonly ObjectRef[],
  from: SystemSource,
): Promise<Observation['blocks']> {
  if (objects.length === 0) return {}
  // Merges keep the greatest block number of a partition; every insert raises it or opens a partition.
  const rows = await executor.query<{ database: string; table: string; blocks: string }>(
    `SELECT database, table, toString(groupArray((partition_id, block))) AS blocks FROM (` +
      `SELECT database, table, partition_id, max(max_block_number) AS block FROM ${from('parts')} WHERE ${whereIn(objects, 'table')} AND active ` +
      `GROUP BY database, table, partition_id ORDER BY database, table, partition_id) GROUP BY database, table`,
  )
  return Object.fromEntries(rows.map((row) => [refKey({ database: row.database, name: row.table }), row.blocks]))
}

/** Where each kind of name is listed, and what tells one from a later one of the same name. */
const NAMED_TABLES: Readonly<Record<NamedKind, { readonly table: string; readonly identity: string }>> = {
  database: { table: 'databases', identity: 'toString(uuid)' },
  function: { table: 'functions', identity: "''" },
  named_collection: { table: 'named_collections', identity: "''" },
  user: { table: 'users', identity: 'toString(id)' },
  role: { table: 'roles', identity: 'toString(id)' },
  quota: { table: 'quotas', identity: 'toString(id)' },
  settings_profile: { table: 'settings_profiles', identity: 'toString(id)' },
  workload: { table: 'workloads', identity: "''" },
  resource: { table: 'resources', identity: "''" },
}

async function observeNamed(
  executor: Executor,
  proofs: readonly Proof[],
  from: SystemSource,
): Promise<Observation['named']> {
  const found: [string, string][] = []
  const { major } = await executor.server()
  for (const proof of proofs) {
    if (proof.kind !== 'named' || proof.names.length === 0) continue
    const { table, identity } = NAMED_TABLES[proof.what]
    const names = proof.names.map(quoteString).join(', ')
    const rows = await executor.query<{ name: string; identity: string }>(
      `SELECT name, ${major >= 20 ? identity : "''"} AS identity FROM ${from(table)} WHERE name IN (${names})`,
    )
    for (const row of rows) found.push([keyOfName(proof.what, row.name), row.identity])
  }
  return Object.fromEntries(found)
}

/**
 * How things stand now, as far as `proofs` compare them: one request for objects, and one each for mutations, parts and
 * names where a proof asks for them. Throws connection codes and `access_denied`.
 */
export async function observe(
  executor: Executor,
  proofs: readonly Proof[],
  from: SystemSource = HERE,
): Promise<Observation> {
  const of = (...kinds: Proof['kind'][]) =>
    unique(proofs.filter((proof) => kinds.includes(proof.kind)).flatMap(objectsOf))
  const objects = unique(proofs.flatMap(objectsOf))
  if (objects.length === 0 && !proofs.some((proof) => proof.kind === 'named')) return EMPTY
  return {
    objects: await observeObjects(executor, objects, from),
    ...(await observeMutations(executor, of('mutated', 'altered'), from)),
    blocks: await observeBlocks(executor, of('written', 'emptied', 'mutated'), from),
    named: await observeNamed(executor, proofs, from),
  }
}

function pick<Value>(from: Readonly<Record<string, Value>>, keys: ReadonlySet<string>): Record<string, Value> {
  return Object.fromEntries(Object.entries(from).filter(([key]) => keys.has(key)))
}

/** The part of an observation of several statements that belongs to one of them. */
export function evidenceFor(proof: Proof, all: Observation): Evidence {
  const keys = new Set(objectsOf(proof).map(refKey))
  const names = new Set(proof.kind === 'named' ? proof.names.map((name) => keyOfName(proof.what, name)) : [])
  return {
    proof,
    before: {
      objects: pick(all.objects, keys),
      mutations: pick(all.mutations, keys),
      blocks: pick(all.blocks, keys),
      named: pick(all.named, names),
    },
  }
}

/** What tells an object from another of the same name; without UUIDs that it is there is all there is. */
function identity(state: ObjectState | undefined): string {
  return state === undefined ? '' : state.uuid === '' ? 'present' : state.uuid
}

function judgeMade(proof: Extract<Proof, { kind: 'made' }>, before: Observation, now: Observation): Verdict {
  const was = before.objects[refKey(proof.object)]
  const is = now.objects[refKey(proof.object)]
  if (is === undefined) return 'not_done'
  const changed = identity(was) !== identity(is) || (is.uuid === '' && was?.create !== is.create)
  if (!changed) return 'not_done'
  return proof.filled ? 'unknown' : 'done'
}

function judgeGone(proof: Extract<Proof, { kind: 'gone' }>, before: Observation, now: Observation): Verdict {
  const there = proof.objects.filter((object) => before.objects[refKey(object)] !== undefined)
  const left = there.filter(
    (object) => identity(before.objects[refKey(object)]) === identity(now.objects[refKey(object)]),
  )
  if (left.length === there.length) return 'not_done'
  return left.length === 0 ? 'done' : 'unknown'
}

/** Identities by name after all pairs have moved, one after the other as the server moves them. */
function movedNames(proof: Extract<Proof, { kind: 'moved' }>, before: Observation): ReadonlyMap<string, string> {
  const names = new Map(objectsOf(proof).map((object) => [refKey(object), identity(before.objects[refKey(object)])]))
  for (const pair of proof.pairs) {
    const [from, to] = [refKey(pair.from), refKey(pair.to)]
    const moving = names.get(from) ?? ''
    names.set(from, proof.exchange ? (names.get(to) ?? '') : '')
    names.set(to, moving)
  }
  return names
}

function judgeMoved(proof: Extract<Proof, { kind: 'moved' }>, before: Observation, now: Observation): Verdict {
  const after = [...movedNames(proof, before)]
  if (after.every(([key]) => identity(now.objects[key]) === identity(before.objects[key]))) return 'not_done'
  return after.every(([key, id]) => identity(now.objects[key]) === id) ? 'done' : 'unknown'
}

function judgeMutated(
  { object, commands }: Extract<Proof, { kind: 'mutated' }>,
  before: Observation,
  now: Observation,
): Verdict {
  const key = refKey(object)
  const known = new Set(before.mutations[key] ?? [])
  const added = (now.mutations[key] ?? []).filter((id) => !known.has(id))
  if (added.length > 0) {
    if (commands === undefined) return 'done'
    const isOurs = (id: string) => {
      const found = (now.commands?.[key]?.[id] ?? []).map(serverFingerprint)
      return commands.every((command) => found.includes(command))
    }
    // Others have queued theirs. Ours may be among them, spelled by the server in a way that is not known here.
    return added.some(isOurs) ? 'done' : 'unknown'
  }
  const same = before.objects[key]?.create === now.objects[key]?.create
  return same ? 'not_done' : 'unknown'
}

function judgeWritten(object: ObjectRef, before: Observation, now: Observation): Verdict {
  const key = refKey(object)
  const [was, is] = [before.objects[key], now.objects[key]]
  if (was === undefined || is === undefined) return is === was ? 'not_done' : 'unknown'
  const counted = was.engine.endsWith('MergeTree') || (was.rows !== null && is.rows !== null)
  const same = before.blocks[key] === now.blocks[key] && was.rows === is.rows && identity(was) === identity(is)
  return same && counted ? 'not_done' : 'unknown'
}

/** With nobody else at the engine, the number of rows tells a whole insert from a part of one. */
function judgeAlone(proof: Extract<Proof, { kind: 'written' }>, before: Observation, now: Observation): Verdict {
  const verdict = judgeWritten(proof.object, before, now)
  if (verdict !== 'unknown' || proof.rows === null) return verdict
  const [was, is] = [before.objects[refKey(proof.object)], now.objects[refKey(proof.object)]]
  if (was === undefined || is === undefined || was.rows === null || is.rows === null) return 'unknown'
  return identity(was) === identity(is) && is.rows - was.rows === proof.rows ? 'done' : 'unknown'
}

function judgeEmptied(object: ObjectRef, before: Observation, now: Observation): Verdict {
  const key = refKey(object)
  if (now.objects[key]?.rows === 0) return 'done'
  return judgeWritten(object, before, now)
}

/**
 * What two looks at the same things say of the statement between them. Pure; `proof` is the statement's own, `alone` is
 * true where nobody else can have written in between (the embedded engine locks its folder).
 */
export function judge(proof: Proof, before: Observation, now: Observation, alone: boolean): Verdict {
  switch (proof.kind) {
    case 'made':
      return judgeMade(proof, before, now)
    case 'gone':
      return judgeGone(proof, before, now)
    case 'moved':
      return judgeMoved(proof, before, now)
    case 'altered': {
      const [was, is] = [before.objects[refKey(proof.object)], now.objects[refKey(proof.object)]]
      // A command that changes nothing leaves no trace, and is as well run again.
      return was?.create === is?.create ? 'not_done' : 'done'
    }
    case 'mutated':
      return judgeMutated(proof, before, now)
    case 'written':
      return alone ? judgeAlone(proof, before, now) : judgeWritten(proof.object, before, now)
    case 'emptied':
      return judgeEmptied(proof.object, before, now)
    case 'named': {
      const state = (seen: Observation) => proof.names.map((name) => seen.named[keyOfName(proof.what, name)])
      const [was, is] = [state(before), state(now)]
      if (is.every((id, index) => id === was[index])) return 'not_done'
      return is.every((id) => (id !== undefined) === proof.present) ? 'done' : 'unknown'
    }
    case 'repeatable':
      return 'not_done'
    case 'none':
      return 'unknown'
    default:
      return assertNever(proof, 'proof')
  }
}

/** What the server itself remembers of a query. `silent`: it has no log, or the log does not know it. */
export type QueryFate = 'running' | 'finished' | 'refused' | 'failed' | 'silent'

/**
 * The query's fate by its id, from `system.processes` and `system.query_log`: of this server, and of `elsewhere`, the other
 * nodes to which a balancer may have sent it. Throws connection codes of this server.
 */
export async function queryFate(executor: Executor, queryId: string, elsewhere?: OtherNodes): Promise<QueryFate> {
  // The embedded engine runs nothing that outlives its process, and takes no ids.
  if (executor.kind === 'embedded' || queryId === '') return 'silent'
  const id = quoteString(queryId)
  const running = (who: Executor, from: SystemSource) => runningFate(who, id, from)
  if ((await running(executor, HERE)) === 'running' || (await firstAnswer(elsewhere, running)) === 'running')
    return 'running'
  await flushLogs(executor)
  const logged = (who: Executor, from: SystemSource) => loggedFate(who, id, from)
  const here = await logged(executor, HERE)
  return here === 'silent' ? firstAnswer(elsewhere, logged) : here
}

async function runningFate(executor: Executor, id: string, from: SystemSource): Promise<QueryFate> {
  const found = await executor.query(`SELECT 1 FROM ${from('processes')} WHERE query_id = ${id}`)
  return found.length > 0 ? 'running' : 'silent'
}

/** What the first node says that knows anything. A node that does not answer, or may not be asked, says nothing. */
async function firstAnswer(
  nodes: OtherNodes | undefined,
  ask: (executor: Executor, from: SystemSource) => Promise<QueryFate>,
): Promise<QueryFate> {
  if (nodes === undefined) return 'silent'
  const { executor, sources } = nodes
  const answers = await Promise.all(sources.map((source) => ask(executor, source).catch(silentIfUnreachable)))
  return answers.find((answer) => answer !== 'silent') ?? 'silent'
}

function silentIfUnreachable(error: unknown): QueryFate {
  if (error instanceof ChkitError) return 'silent'
  throw error
}

/** UNKNOWN_TABLE and UNKNOWN_DATABASE: no log is kept. ACCESS_DENIED: we may not read it. UNKNOWN_IDENTIFIER: a catalogue of another age. */
const NO_LOG: ReadonlySet<number> = new Set([60, 81, 497, 47, 62])

async function ignoring<Result>(
  codes: ReadonlySet<number>,
  otherwise: Result,
  run: () => Promise<Result>,
): Promise<Result> {
  try {
    return await run()
  } catch (error) {
    if (error instanceof ServerError && codes.has(error.clickhouseCode)) return otherwise
    throw error
  }
}

/** Makes this server's log complete; false where it may not be asked to, and the log follows some seconds later. */
export async function flushLogs(executor: Executor): Promise<boolean> {
  return ignoring(NO_LOG, false, async () => {
    await executor.command('SYSTEM FLUSH LOGS')
    return true
  })
}

async function loggedFate(executor: Executor, id: string, from: SystemSource): Promise<QueryFate> {
  const rows = await ignoring<readonly { type: string }[]>(NO_LOG, [], () =>
    executor.query(
      `SELECT toString(type) AS type FROM ${from('query_log')} WHERE query_id = ${id} ORDER BY event_time, type`,
    ),
  )
  const types = rows.map((row) => row.type)
  if (types.some((type) => type === 'QueryFinish' || type === '2')) return 'finished'
  if (types.some((type) => type === 'ExceptionBeforeStart' || type === '3')) return 'refused'
  if (types.some((type) => type === 'ExceptionWhileProcessing' || type === '4')) return 'failed'
  return 'silent'
}

/** Joins what the log and what the system tables say: a query that the log calls finished is done, whatever parts say. */
export function settleVerdict(fate: Exclude<QueryFate, 'running'>, verdict: Verdict): Verdict {
  if (fate === 'finished') return 'done'
  if (fate === 'refused') return 'not_done'
  return verdict
}

/** SHA-256 of a statement's text as it is sent, CRLF read as LF. */
export function hashStatement(text: string): string {
  return createHash('sha256').update(text.replaceAll('\r\n', '\n'), 'utf8').digest('hex')
}
