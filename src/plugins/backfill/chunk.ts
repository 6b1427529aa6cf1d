import { randomBytes } from 'node:crypto'
import { ChkitError, type Executor, quoteIdentifier, quoteQualified, quoteString, type SqlQuery } from '../../index.js'
import type { LiveTable } from './catalog.js'
import { endedFate, isConnectionError, killQuery, queryFate, tolerating } from './fate.js'
import { type Plan, type PlannedChunk, type TableName, windowOf } from './plan.js'
import { replaySelect, sourceSelect, stagingStatement, viewInput } from './query.js'
import { type ChunkState, chunkState, type EventLog, type StagedPart, type Staging } from './state.js'

/**
 * One chunk, exactly once. Its rows are written into a staging table of their own, with the target's structure, that
 * nobody reads: whatever interrupts that, the table is thrown away. When they are complete, each partition is moved
 * into the target. A partition that was moved is no longer in the staging table, so that a move is never repeated; and
 * where a server crashed between the two halves of a move, the parts' hashes tell which of them the target has.
 */

/** What running a chunk needs. */
export type ChunkContext = {
  readonly connection: Executor
  readonly plan: Plan
  readonly tables: PlanTables
  readonly log: EventLog
  /** Bytes per second that one chunk may read; undefined means no limit. */
  readonly maxBytesPerSecond?: number
  /** Writes down where a chunk stands: in the ledger where others must know of it, then in the events. */
  readonly record: (chunk: PlannedChunk, state: ChunkState) => Promise<void>
  /** Throws `lock_lost` when another run may be writing into the target. */
  readonly assertHeld: () => Promise<void>
  /** Runs one thing at a time: the moves, which are short, and whose evidence must not be mixed. */
  readonly inTurn: <Result>(action: () => Promise<Result>) => Promise<Result>
  readonly signal: AbortSignal
  readonly note: (text: string) => void
  /** Told the id of a statement that writes, while it runs. */
  readonly writing: (queryId: string, active: boolean) => void
}

/** The tables of a plan, as they are now. */
export type PlanTables = {
  readonly storage: LiveTable
  readonly source: LiveTable
  readonly view: { readonly query: SqlQuery; readonly database: string } | null
}

/** Brings a chunk from where it stands to its end. Throws what stopped it; the state then says where it stands. */
export async function runChunk(chunk: PlannedChunk, context: ChunkContext): Promise<void> {
  const state = chunkState(context.log.state(), chunk.id)
  switch (state.status) {
    case 'done':
    case 'unknown':
      return
    case 'staged':
      return move(chunk, state.attempts, state.staging, context)
    case 'moving':
      return context.inTurn(() => settleMove(chunk, state, context))
    case 'writing':
      await settleWriting(chunk, state, context)
      return runChunk(chunk, context)
    case 'pending':
    case 'failed':
      return context.plan.mechanism === 'staged'
        ? stage(chunk, state.attempts + 1, context)
        : write(chunk, state.attempts + 1, context)
  }
}

/** The statement that writes a chunk's rows into a table. */
export function chunkStatement(plan: Plan, chunk: PlannedChunk, tables: PlanTables, into: TableName): string {
  const columns = plan.columns.map(quoteIdentifier).join(', ')
  return `INSERT INTO ${quoteQualified(into.database, into.name)} (${columns}) ${chunkSelect(plan, chunk, tables)}`
}

function chunkSelect(plan: Plan, chunk: PlannedChunk, { source, view }: PlanTables): string {
  const window = windowOf(chunk)
  if (!view) return sourceSelect(plan.source, plan.columns, plan.timeColumn, window)
  const rows = sourceSelect(plan.source, viewInput(source.columns, view.query), plan.timeColumn, window)
  const columns = plan.columns.map(quoteIdentifier).join(', ')
  return `SELECT ${columns} FROM (${replaySelect(view.query, plan.source, view.database, rows)})`
}

function newQueryId(plan: Plan, chunk: PlannedChunk, step: string): string {
  return `chkit-backfill-${plan.id}-${chunk.id}-${step}-${randomBytes(4).toString('hex')}`
}

/** The names of all staging tables of a plan begin like this. */
export function stagingPrefix(planId: string): string {
  return `_chkit_backfill_${planId}_`
}

/** Settings of the statement that writes a chunk. */
function writeSettings(
  chunk: PlannedChunk,
  { plan, maxBytesPerSecond }: ChunkContext,
): Record<string, string | number> {
  return {
    insert_deduplication_token: chunk.idempotencyToken,
    // Narrow rows make parts as large as wide ones, bounded by min_insert_block_size_bytes: fewer merges in the target.
    min_insert_block_size_rows: 16_777_216,
    // In a table of its own nothing can be a duplicate; equal blocks of one chunk would be taken for one.
    ...(plan.mechanism === 'staged' ? { insert_deduplicate: 0, max_partitions_per_insert_block: 0 } : {}),
    ...(maxBytesPerSecond === undefined
      ? {}
      : { max_execution_speed_bytes: maxBytesPerSecond, timeout_before_checking_execution_speed: 0 }),
  }
}

async function stage(chunk: PlannedChunk, attempts: number, context: ChunkContext): Promise<void> {
  const { connection, plan, record, tables } = context
  const name = `${stagingPrefix(plan.id)}${chunk.id}_${randomBytes(3).toString('hex')}`
  const table: TableName = { database: plan.storage.database, name }
  const queryId = newQueryId(plan, chunk, 'write')
  await record(chunk, { status: 'writing', attempts, table: name, queryId })
  await connection.command(createStaging(table, tables.storage))
  await send(chunkStatement(plan, chunk, tables, table), queryId, chunk, context)
  await complete(chunk, attempts, table, context)
}

function createStaging(table: TableName, target: LiveTable): string {
  // A Replicated database and the cloud name the path in Keeper themselves.
  const named = target.databaseEngine !== 'Replicated' && target.engine.startsWith('Replicated')
  const statement = stagingStatement(target.create, {
    name: table,
    ...(named ? { keeperPath: `/clickhouse/chkit_backfill/${table.name}` } : {}),
  })
  if (typeof statement === 'string') return statement
  throw new ChkitError(
    'sql_unparsable',
    `No staging table can be made for ${target.database}.${target.name}: ${statement.wrong}.`,
  )
}

/** Sends the statement and knows in the end that it has run to its end. Throws where it has not, or nobody can tell. */
async function send(
  sql: string,
  queryId: string,
  chunk: PlannedChunk,
  context: ChunkContext,
): Promise<number | undefined> {
  const { connection, signal } = context
  context.writing(queryId, true)
  try {
    const settings = writeSettings(chunk, context)
    const { writtenRows } = await connection.command(sql, { queryId, settings, signal, timeoutMs: 0 })
    return writtenRows
  } catch (error) {
    if (error instanceof ChkitError && error.code === 'interrupted')
      await tolerating(() => killQuery(connection, queryId))
    if (!isConnectionError(error)) throw error
    const fate = await endedFate(connection, queryId, signal, () =>
      context.note(`chunk ${chunk.id}: the connection was lost; waiting for query ${queryId}`),
    )
    if (fate !== 'finished') throw error
    return undefined
  } finally {
    context.writing(queryId, false)
  }
}

/** Records a staging table whose rows are complete, and moves them on. */
async function complete(chunk: PlannedChunk, attempts: number, table: TableName, context: ChunkContext): Promise<void> {
  const { parts, bytes } = await partsOf(table, context.connection)
  const rows = parts.reduce((sum, part) => sum + part.rows, 0)
  const staging: Staging = { table: table.name, parts, rows, bytes }
  await context.record(chunk, { status: 'staged', attempts, staging })
  await move(chunk, attempts, staging, context)
}

async function partsOf(
  table: TableName,
  connection: Executor,
): Promise<{ parts: readonly StagedPart[]; bytes: number }> {
  const rows = await connection.query<StagedPart & { bytes: number }>(
    `SELECT partition_id AS partition, name, hash_of_all_files AS hash, rows, data_uncompressed_bytes AS bytes ` +
      `FROM system.parts WHERE database = ${quoteString(table.database)} AND table = ${quoteString(table.name)} AND active AND rows > 0 ORDER BY partition, name`,
  )
  const parts = rows.map(({ partition, name, hash, rows: count }) => ({ partition, name, hash, rows: Number(count) }))
  return { parts, bytes: rows.reduce((sum, row) => sum + Number(row.bytes), 0) }
}

async function move(chunk: PlannedChunk, attempts: number, staging: Staging, context: ChunkContext): Promise<void> {
  const { connection, plan, record } = context
  await context.inTurn(async () => {
    const state = { status: 'moving', attempts, staging, ...(await momentOf(plan.storage, connection)) } as const
    await record(chunk, state)
    for (const partition of partitionsOf(staging.parts)) await movePartition(partition, staging, chunk, context)
    await finish(chunk, attempts, staging, context)
  })
}

/** The server's clock, and the greatest block number by partition; partitions without parts are not there. */
async function momentOf(
  { database, name }: TableName,
  connection: Executor,
): Promise<{ serverTime: number; blocks: Readonly<Record<string, number>> }> {
  const [row] = await connection.query<{ serverTime: number; blocks: readonly [string, number | string][] }>(
    `SELECT toUnixTimestamp(now()) AS serverTime, groupArray((partition_id, block)) AS blocks FROM (` +
      `SELECT partition_id, max(max_block_number) AS block FROM system.parts ` +
      `WHERE database = ${quoteString(database)} AND table = ${quoteString(name)} GROUP BY partition_id)`,
  )
  if (!row) throw new ChkitError('internal_error', 'An aggregation without keys gave no row.')
  return {
    serverTime: Number(row.serverTime),
    blocks: Object.fromEntries(row.blocks.map(([partition, block]) => [partition, Number(block)])),
  }
}

function partitionsOf(parts: readonly StagedPart[]): readonly string[] {
  return [...new Set(parts.map(({ partition }) => partition))]
}

/** One partition, as a whole. When the connection is lost, it waits for the server and looks again. */
async function movePartition(
  partition: string,
  staging: Staging,
  chunk: PlannedChunk,
  { connection, plan, note, assertHeld }: ChunkContext,
): Promise<void> {
  await assertHeld()
  const queryId = newQueryId(plan, chunk, 'move')
  const from = quoteQualified(plan.storage.database, staging.table)
  const to = quoteQualified(plan.storage.database, plan.storage.name)
  const sql = `ALTER TABLE ${from} MOVE PARTITION ID ${quoteString(partition)} TO TABLE ${to}`
  try {
    // Never given up on: a move that is under way is finished.
    await connection.command(sql, { queryId, timeoutMs: 0 })
  } catch (error) {
    if (!isConnectionError(error)) throw error
    const never = new AbortController().signal
    const fate = await endedFate(connection, queryId, never, () =>
      note(`chunk ${chunk.id}: waiting for query ${queryId}`),
    )
    if (fate !== 'finished') throw error
  }
}

/** Goes on with a chunk whose move was cut off: what the target has is dropped from staging, the rest is moved. */
async function settleMove(
  chunk: PlannedChunk,
  state: ChunkState & { readonly status: 'moving' },
  context: ChunkContext,
): Promise<void> {
  const { connection, plan } = context
  const { staging, attempts } = state
  await waitForMoves(chunk, context)
  const table: TableName = { database: plan.storage.database, name: staging.table }
  if (!(await exists(table, connection))) {
    throw await unsettled(
      chunk,
      attempts,
      staging.table,
      `its staging table ${staging.table} is gone, dropped by someone else`,
      context,
    )
  }
  const left = (await partsOf(table, connection)).parts
  if (left.length > 0) {
    const arrived = await arrivedParts(state, left, context)
    for (const partition of partitionsOf(left)) {
      const parts = left.filter((part) => part.partition === partition)
      const known = parts.filter((part) => arrived.has(part.name))
      for (const { name } of known) {
        await connection.command(
          `ALTER TABLE ${quoteQualified(table.database, table.name)} DROP PART ${quoteString(name)}`,
        )
      }
      if (known.length < parts.length) await movePartition(partition, staging, chunk, context)
    }
  }
  await finish(chunk, attempts, staging, context)
}

/** Waits until no statement of an earlier run moves parts of this chunk. */
async function waitForMoves(chunk: PlannedChunk, { connection, plan, note, signal }: ChunkContext): Promise<void> {
  if (connection.kind === 'embedded') return
  const prefix = `chkit-backfill-${plan.id}-${chunk.id}-move-`
  const running = await connection.query<{ id: string }>(
    `SELECT query_id AS id FROM system.processes WHERE startsWith(query_id, ${quoteString(prefix)})`,
  )
  for (const { id } of running)
    await endedFate(connection, id, signal, () => note(`chunk ${chunk.id}: waiting for query ${id}`))
}

async function exists(table: TableName, connection: Executor): Promise<boolean> {
  const rows = await connection.query(
    `SELECT 1 FROM system.tables WHERE database = ${quoteString(table.database)} AND name = ${quoteString(table.name)}`,
  )
  return rows.length > 0
}

/** A part of the target, active or left behind by a merge. */
export type TargetPart = {
  readonly partition: string
  readonly hash: string
  readonly minBlock: number
  readonly maxBlock: number
  /** `data_version`: above the block's number after a mutation. */
  readonly version: number
}

/**
 * Names of the staged parts that the target has. The server moves a partition as one, so a part that is still staged
 * and also in the target tells of a crash between the two halves. Throws where neither can be shown.
 */
async function arrivedParts(
  state: ChunkState & { readonly status: 'moving' },
  left: readonly StagedPart[],
  context: ChunkContext,
): Promise<ReadonlySet<string>> {
  const { connection, plan } = context
  const inTarget = await connection.query<TargetPart>(
    `SELECT partition_id AS partition, hash_of_all_files AS hash, data_version AS version, min_block_number AS minBlock, max_block_number AS maxBlock ` +
      `FROM system.parts WHERE database = ${quoteString(plan.storage.database)} AND table = ${quoteString(plan.storage.name)}`,
  )
  const [server] = await connection.query<{ started: number }>(
    'SELECT toUnixTimestamp(now()) - toUInt64(uptime()) AS started',
  )
  // Seconds are all that uptime tells; a start within two of them counts as one after.
  const crashed = connection.kind === 'embedded' || Number(server?.started ?? 0) + 2 > state.serverTime
  const judged = judgeParts(left, inTarget, state.blocks, crashed)
  if (judged.kind === 'known') return judged.arrived
  const { partition } = judged
  throw new ChkitError(
    'run_incomplete',
    `The server ended while partition ${partition} was moved, and its parts have been merged since: nobody can tell whether they arrived.`,
    { details: { partition, staging: state.staging.table } },
  )
}

/**
 * Which staged parts the target has. Pure. Parts that came after `blocks` and have a staged part's hash are that part;
 * without a crash a partition has moved as a whole or not at all; with one, `unknown` unless every block that came since
 * can still be seen as the part it came as.
 */
export function judgeParts(
  left: readonly StagedPart[],
  inTarget: readonly TargetPart[],
  blocks: Readonly<Record<string, number>>,
  crashed: boolean,
): { kind: 'known'; arrived: ReadonlySet<string> } | { kind: 'unknown'; partition: string } {
  const arrived = new Set<string>()
  for (const partition of partitionsOf(left)) {
    const before = blocks[partition] ?? -1
    const since = inTarget.filter((part) => part.partition === partition && Number(part.maxBlock) > before)
    const hashes = new Set(since.filter((part) => Number(part.minBlock) > before).map(({ hash }) => hash))
    const staged = left.filter((part) => part.partition === partition)
    const found = staged.filter(({ hash }) => hashes.has(hash))
    for (const { name } of found) arrived.add(name)
    if (found.length === staged.length || !crashed) continue
    const single = new Set(since.filter(isUntouched).map((part) => Number(part.minBlock)))
    const merged = since.some((part) => {
      for (let block = Math.max(Number(part.minBlock), before + 1); block <= Number(part.maxBlock); block++) {
        if (!single.has(block)) return true
      }
      return false
    })
    if (merged) return { kind: 'unknown', partition }
  }
  return { kind: 'known', arrived }
}

/** A part as an insert or a move left it: neither merged nor mutated. */
function isUntouched(part: TargetPart): boolean {
  return Number(part.minBlock) === Number(part.maxBlock) && Number(part.version) === Number(part.minBlock)
}

/** Records a chunk whose rows are all in the target, then drops its staging table. */
async function finish(chunk: PlannedChunk, attempts: number, staging: Staging, context: ChunkContext): Promise<void> {
  const { connection, plan, record } = context
  const table: TableName = { database: plan.storage.database, name: staging.table }
  const { parts } = await partsOf(table, connection)
  if (parts.length > 0) {
    throw new ChkitError('run_incomplete', `${staging.table} still holds ${parts.length} parts after it was moved.`)
  }
  const { rows, bytes } = staging
  await record(chunk, { status: 'done', attempts, rows, bytes })
  await dropTable(table, connection)
}

/** Drops a staging table; what stays behind where that fails is found by `doctor`. */
export async function dropTable(table: TableName, connection: Executor): Promise<void> {
  await tolerating(() => connection.command(`DROP TABLE IF EXISTS ${quoteQualified(table.database, table.name)}`))
}

async function unsettled(
  chunk: PlannedChunk,
  attempts: number,
  table: string | null,
  reason: string,
  { record }: ChunkContext,
): Promise<ChkitError> {
  const error = `Nobody can tell whether the rows of chunk ${chunk.id} (${chunk.from} to ${chunk.to}) arrived: ${reason}.`
  await record(chunk, { status: 'unknown', attempts, error, table })
  return new ChkitError('run_incomplete', error)
}

/** Goes on with a chunk that was being written when its run ended. Afterwards it is pending, staged, done or unknown. */
async function settleWriting(
  chunk: PlannedChunk,
  state: ChunkState & { readonly status: 'writing' },
  context: ChunkContext,
): Promise<void> {
  const { connection, plan, record } = context
  const { attempts, queryId } = state
  if (state.table === null) return settleDirect(chunk, attempts, queryId, context)
  const table: TableName = { database: plan.storage.database, name: state.table }
  const fate = await queryFate(connection, queryId)
  if (fate === 'running') await killQuery(connection, queryId)
  if (fate === 'finished' && (await exists(table, connection))) return complete(chunk, attempts, table, context)
  await dropTable(table, connection)
  // A run that was cut off has not failed: its attempt does not count.
  await record(chunk, { status: 'pending', attempts: attempts - 1 })
}

/** Writes straight into the target. */
async function write(chunk: PlannedChunk, attempts: number, context: ChunkContext): Promise<void> {
  const { plan, record, tables } = context
  const queryId = newQueryId(plan, chunk, 'write')
  await record(chunk, { status: 'writing', attempts, table: null, queryId })
  await context.assertHeld()
  try {
    const rows = await send(chunkStatement(plan, chunk, tables, plan.storage), queryId, chunk, context)
    await record(chunk, { status: 'done', attempts, rows: rows ?? 0, bytes: 0 })
  } catch (error) {
    if (!isConnectionError(error)) await settleDirect(chunk, attempts, queryId, context)
    throw error
  }
}

async function settleDirect(
  chunk: PlannedChunk,
  attempts: number,
  queryId: string,
  context: ChunkContext,
): Promise<void> {
  const { connection, plan, record, signal } = context
  const fate = await endedFate(connection, queryId, signal, () =>
    context.note(`chunk ${chunk.id}: waiting for query ${queryId}`),
  )
  if (fate === 'finished') {
    return record(chunk, { status: 'done', attempts, rows: 0, bytes: 0 })
  }
  if (fate === 'refused' || plan.mechanism === 'keyed') {
    return record(chunk, { status: 'pending', attempts: attempts - 1 })
  }
  throw await unsettled(
    chunk,
    attempts,
    null,
    `the server ${fate === 'failed' ? 'stopped in the middle of it' : 'does not know its query'}`,
    context,
  )
}
