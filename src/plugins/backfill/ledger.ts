import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { ChkitError, type Executor, quoteQualified, quoteString } from '../../index.js'
import { incarnationOf, type LiveTable } from './catalog.js'
import { isConnectionError, tolerating } from './fate.js'
import { type Plan, sameName, sha256, showName, type TableName } from './plan.js'
import { type ChunkState, type Clearing, parsed } from './state.js'
import { type Checked, checkChunkState, checkClearing, checkPlan } from './state-schema.js'

/**
 * What the server itself knows of backfills: a table beside the target, to which every run adds what it is about to do to
 * the target and what it has done. Another checkout, another machine, or the same one after its state folder was lost,
 * reads there which chunks have arrived. Rows are only ever added; the greatest `sequence` of a chunk counts.
 */

/** The name of the ledger, in the database of the targets. */
export const LEDGER = '_chkit_backfill_ledger'

/** The server's lock of a target: one run at a time writes into it, whatever its plan and wherever it runs. */
export function lockRequestOf(storage: TableName): { database: string; name: string; text: string } {
  const name = `_chkit_backfill_${sha256([storage.database, storage.name]).slice(0, 12)}`
  return { database: storage.database, name, text: `the backfill lock of ${showName(storage)}` }
}

/** What a run of a plan calls itself as holder of the lock. */
export function lockOwnerOf({ id }: Plan): string {
  return `backfill-${id}`
}

/** What is known of a plan: its chunks by id, each with the number of the row that says so. */
export type LedgerPlan = {
  readonly plan: Plan
  /** Of the run that wrote last. */
  readonly host: string
  readonly chunks: ReadonlyMap<string, { readonly sequence: number; readonly state: ChunkState }>
  readonly clearing?: { readonly sequence: number; readonly clearing: Clearing }
}

/** Something to write down. */
export type LedgerEntry =
  | { readonly kind: 'plan'; readonly plan: Plan }
  | { readonly kind: 'chunk'; readonly chunk: string; readonly state: ChunkState }
  | { readonly kind: 'clearing'; readonly clearing: Clearing }

export type Ledger = {
  /** The plans of this target, by id, as they were when the ledger was opened. */
  readonly plans: ReadonlyMap<string, LedgerPlan>
  /** On the server when it resolves, with the row's number. Throws connection codes, server errors. */
  record(planId: string, entry: LedgerEntry): Promise<number>
}

/** No ledger: nothing is known, and numbers of rows are 0. */
export const NO_LEDGER: Ledger = { plans: new Map(), record: async () => 0 }

type Row = {
  plan: string
  kind: string
  chunk: string
  host: string
  state: string
  sequence: number | string
}

/**
 * Opens the ledger beside a target for a run that holds the target's lock; creates it where it is missing. `known` is the
 * greatest number that the run's own files have seen. Undefined where the server refuses it.
 */
export async function openLedger(connection: Executor, storage: LiveTable, known: number): Promise<Ledger | undefined> {
  if ((await connection.server()).major < 20) return undefined
  const table = quoteQualified(storage.database, LEDGER)
  const created = await tolerating(() => again(() => connection.command(createStatement(table, storage))))
  if (created === undefined) return undefined
  const plans = await readLedger(connection, storage)
  let last = [...plans.values()].reduce((greatest, plan) => Math.max(greatest, greatestOf(plan)), known)
  const [target, uuid, host] = [showName(storage), incarnationOf(storage), hostname()]
  return {
    plans,
    record: async (plan, entry) => {
      const sequence = ++last
      const row = { target, uuid, plan, sequence, host, ...columnsOf(entry) }
      // Twice the same row says no more than once.
      await again(() => connection.insert(table, [row], { settings: { async_insert: 0 } }))
      return sequence
    },
  }
}

/** Pauses before the next tries, in ms, where a connection was lost. */
const PAUSES = [50, 200, 1000]

/** For what may be done twice. Throws what it threw last. */
async function again<Result>(run: () => Promise<Result>): Promise<Result> {
  for (const ms of PAUSES) {
    try {
      return await run()
    } catch (error) {
      if (!isConnectionError(error)) throw error
      await sleep(ms)
    }
  }
  return run()
}

function columnsOf(entry: LedgerEntry): { kind: string; chunk: string; state: string } {
  switch (entry.kind) {
    case 'plan':
      return { kind: entry.kind, chunk: '', state: JSON.stringify(entry.plan) }
    case 'chunk':
      return { kind: entry.kind, chunk: entry.chunk, state: JSON.stringify(entry.state) }
    case 'clearing':
      return { kind: entry.kind, chunk: '', state: JSON.stringify(entry.clearing) }
  }
}

function createStatement(table: string, storage: LiveTable): string {
  return (
    `CREATE TABLE IF NOT EXISTS ${table} (target String, uuid String, plan String, sequence UInt64, ` +
    `at DateTime64(3, 'UTC') DEFAULT now64(3), host String, kind String, chunk String, state String) ` +
    `ENGINE = ${engineOf(storage)} ORDER BY (target, plan, sequence)`
  )
}

/** Seen by the nodes that see the target's rows: replicated where those are. */
function engineOf({ engine, database, databaseEngine }: LiveTable): string {
  if (engine.startsWith('Shared')) return 'SharedMergeTree'
  if (!engine.startsWith('Replicated')) return 'MergeTree'
  // A Replicated database names the path in Keeper itself.
  if (databaseEngine === 'Replicated') return 'ReplicatedMergeTree'
  return `ReplicatedMergeTree(${quoteString(`/clickhouse/chkit_backfill/${encodeURIComponent(database)}/ledger`)}, '{replica}')`
}

function greatestOf({ chunks, clearing }: LedgerPlan): number {
  return [...chunks.values()].reduce((greatest, { sequence }) => Math.max(greatest, sequence), clearing?.sequence ?? 1)
}

/** The plans that the ledger beside a target knows for it; empty where there is none. Changes nothing. */
export async function readLedger(connection: Executor, storage: LiveTable): Promise<ReadonlyMap<string, LedgerPlan>> {
  if (!(await connection.query(ledgerTables(storage.database))).length) return new Map()
  const table = quoteQualified(storage.database, LEDGER)
  if (storage.engine.startsWith('Replicated'))
    await tolerating(() => connection.command(`SYSTEM SYNC REPLICA ${table}`))
  const where = `target = ${quoteString(showName(storage))} AND uuid = ${quoteString(incarnationOf(storage))}`
  const rows = await connection.query<Row>(
    `SELECT plan, kind, chunk, argMax(r.host, r.sequence) AS host, argMax(r.state, r.sequence) AS state, max(r.sequence) AS sequence ` +
      `FROM ${table} AS r WHERE ${where} GROUP BY plan, kind, chunk ORDER BY plan, sequence`,
    storage.engine.startsWith('Shared') ? { settings: { select_sequential_consistency: 1 } } : {},
  )
  const plans = new Map<string, LedgerPlan>()
  for (const id of new Set(rows.map(({ plan }) => plan))) {
    const known = ledgerPlan(rows.filter(({ plan }) => plan === id))
    if (known !== undefined) plans.set(id, known)
  }
  return plans
}

function ledgerTables(database?: string): string {
  const where = database === undefined ? '' : ` AND database = ${quoteString(database)}`
  return `SELECT database FROM system.tables WHERE name = ${quoteString(LEDGER)}${where} ORDER BY database`
}

/** Of rows in order of their numbers; undefined where the plan itself is not among them. */
function ledgerPlan(rows: readonly Row[]): LedgerPlan | undefined {
  const own = rows.find(({ kind }) => kind === 'plan')
  if (own === undefined) return undefined
  const chunks = new Map<string, { sequence: number; state: ChunkState }>()
  let known: LedgerPlan = { plan: written(own, checkPlan), host: rows.at(-1)?.host ?? '', chunks }
  for (const row of rows) {
    const sequence = Number(row.sequence)
    if (row.kind === 'chunk') chunks.set(row.chunk, { sequence, state: written(row, checkChunkState) })
    if (row.kind === 'clearing') known = { ...known, clearing: { sequence, clearing: written(row, checkClearing) } }
  }
  return known
}

/** What a row holds. Throws `state_corrupt` for what no run has written. */
function written<Value>(
  { plan, kind, sequence, state }: Pick<Row, 'plan' | 'kind' | 'sequence' | 'state'>,
  check: (found: unknown) => Checked<Value>,
): Value {
  const checked = check(parsed(state))
  if ('value' in checked) return checked.value
  throw new ChkitError(
    'state_corrupt',
    `The ledger ${LEDGER} is damaged: the row ${sequence} (${kind}) of plan ${plan} is not what chkit writes: ${checked.wrong}.`,
    { hint: `Look at it: SELECT * FROM ${LEDGER} WHERE plan = '${plan}' ORDER BY sequence` },
  )
}

/** A plan of this id in any ledger of the server, for whoever has lost its file; the newest. Undefined when there is none. */
export async function findLedgerPlan(connection: Executor, planId: string): Promise<Plan | undefined> {
  const databases = await connection.query<{ database: string }>(ledgerTables())
  for (const { database } of databases) {
    const [row] = await connection.query<Row>(
      `SELECT plan, kind, sequence, state FROM ${quoteQualified(database, LEDGER)} WHERE plan = ${quoteString(planId)} AND kind = 'plan' ORDER BY at DESC LIMIT 1`,
    )
    if (row) return written(row, checkPlan)
  }
  return undefined
}

/** True when rows may have reached the target on behalf of the plan. */
export function hasBegun({ chunks }: Pick<LedgerPlan, 'chunks'>): boolean {
  return [...chunks.values()].some(({ state }) => state.status !== 'pending' && state.status !== 'failed')
}

/** How many of a plan's chunks have arrived. */
export function arrivedOf({ chunks }: LedgerPlan): number {
  return [...chunks.values()].filter(({ state }) => state.status === 'done').length
}

/** True when both plans would bring the same rows into the same table. Pure. */
export function doublesRowsOf(other: Plan, plan: Plan): boolean {
  const sameView = other.view === null ? plan.view === null : plan.view !== null && sameName(other.view, plan.view)
  return (
    sameView &&
    sameName(other.storage, plan.storage) &&
    sameName(other.source, plan.source) &&
    Date.parse(other.from) < Date.parse(plan.to) &&
    Date.parse(plan.from) < Date.parse(other.to)
  )
}

/** `guarantee_missing`: a promise to deliver once needs the ledger. */
export function ledgerRefused(storage: TableName): ChkitError {
  return new ChkitError(
    'guarantee_missing',
    `The server does not let this account keep the ledger ${storage.database}.${LEDGER}, from which other checkouts learn what has arrived.`,
    { hint: `Grant CREATE TABLE, INSERT and SELECT on ${storage.database}.*, which staging tables need as well.` },
  )
}
