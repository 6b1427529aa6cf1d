import { ChkitError, type Executor, parseStatement, quoteString, type SqlNode, type SqlQuery } from '../../index.js'
import { tolerating } from './fate.js'
import { type Mechanism, sameName, showName, type TableName } from './plan.js'
import { leadingTable, tablesOf, viewQuery } from './query.js'
import type { NamedType } from './time-column.js'

/** What the server says of a table or view. */
export type LiveTable = TableName & {
  readonly engine: string
  readonly engineFull: string
  readonly create: string
  readonly sortingKey: string
  readonly uuid: string
  /** The engine of its database. */
  readonly databaseEngine: string
  /** In order; `kind` is empty, DEFAULT, MATERIALIZED, ALIAS or EPHEMERAL. */
  readonly columns: readonly (NamedType & { readonly kind: string })[]
}

/** A materialized view with what a replay needs. */
export type FeedingView = TableName & {
  readonly create: string
  readonly source: TableName
  readonly query: SqlQuery
}

type TableRow = {
  database: string
  name: string
  engine: string
  engineFull: string
  create: string
  sortingKey: string
  uuid: string
  databaseEngine: string
}

/** A table or view of the server; undefined when there is none of that name. */
export async function readTable(connection: Executor, { database, name }: TableName): Promise<LiveTable | undefined> {
  const where = `database = ${quoteString(database)} AND`
  const [row] = await connection.query<TableRow>(
    `SELECT database, name, engine, engine_full AS engineFull, create_table_query AS create, sorting_key AS sortingKey, ` +
      `toString(uuid) AS uuid, (SELECT any(engine) FROM system.databases WHERE name = ${quoteString(database)}) AS databaseEngine ` +
      `FROM system.tables WHERE ${where} name = ${quoteString(name)}`,
  )
  if (!row) return undefined
  const columns = await connection.query<NamedType & { kind: string }>(
    `SELECT name, type, default_kind AS kind FROM system.columns WHERE ${where} table = ${quoteString(name)} ORDER BY position`,
  )
  return { ...row, columns }
}

/** What tells a table from one of the same name before it; empty where the server gives tables no ids. */
export function incarnationOf({ uuid }: LiveTable): string {
  return /^[0-]*$/.test(uuid) ? '' : uuid
}

/** Throws `guarantee_missing` (retriable) where a replica takes no rows: INSERTs would wait for it for minutes. */
export async function requireWritable(connection: Executor, storage: LiveTable): Promise<void> {
  if (!storage.engine.startsWith('Replicated')) return
  const rows = await tolerating(() =>
    connection.query<{ isReadonly: number; reason: string }>(
      `SELECT is_readonly AS isReadonly, zookeeper_exception AS reason FROM system.replicas ` +
        `WHERE database = ${quoteString(storage.database)} AND table = ${quoteString(storage.name)}`,
    ),
  )
  const [replica] = rows ?? []
  if (!replica || Number(replica.isReadonly) === 0) return
  const why = replica.reason === '' ? '' : ` ZooKeeper says: ${replica.reason}`
  throw new ChkitError(
    'guarantee_missing',
    `The replica ${showName(storage)} on ${connection.target} is read-only.${why}`,
    {
      hint: 'Run it again when the replica is active (SELECT * FROM system.replicas), or on another one.',
      retriable: true,
    },
  )
}

/** `readTable`, or `invalid_flag_value` with a sentence that names the table as `what` it is. */
export async function requireTable(connection: Executor, name: TableName, what: string): Promise<LiveTable> {
  const table = await readTable(connection, name)
  if (table) return table
  throw new ChkitError('invalid_flag_value', `The ${what} ${showName(name)} does not exist on ${connection.target}.`, {
    hint: 'Check the name, or create it first: chkit migrate --apply.',
  })
}

/** Columns that an INSERT can name; EPHEMERAL ones too, from which the defaults of others are computed. */
export function insertable(table: LiveTable): readonly LiveTable['columns'][number][] {
  return table.columns.filter(({ kind }) => kind === '' || kind === 'DEFAULT' || kind === 'EPHEMERAL')
}

/** Columns that a SELECT can name. */
export function selectable(table: LiveTable): readonly NamedType[] {
  return table.columns.filter(({ kind }) => kind !== 'EPHEMERAL')
}

/** The table in which the rows of a target lie: the inner table of a materialized view without TO, else itself. */
export async function storageOf(connection: Executor, target: LiveTable): Promise<LiveTable> {
  if (target.engine !== 'MaterializedView') return target
  const { node } = parseStatement(target.create)
  if (node.kind === 'createView' && node.to) {
    const name = nameOf(node.to, target.database)
    return requireTable(connection, name, `target table of the view ${showName(target)}:`)
  }
  for (const name of [`.inner_id.${target.uuid}`, `.inner.${target.name}`]) {
    const inner = await readTable(connection, { database: target.database, name })
    if (inner) return inner
  }
  throw new ChkitError(
    'guarantee_missing',
    `The inner table of the materialized view ${showName(target)} is not visible.`,
  )
}

function nameOf(name: { database?: unknown; name: unknown }, database: string): TableName {
  return { database: typeof name.database === 'string' ? name.database : database, name: String(name.name) }
}

/** The materialized views that write into a table as their source is written; refreshable ones are none. Sorted. */
export async function feedingViews(connection: Executor, target: LiveTable): Promise<readonly FeedingView[]> {
  const own = target.engine === 'MaterializedView'
  const rows = await connection.query<TableName & { create: string }>(
    `SELECT database, name, create_table_query AS create FROM system.tables WHERE engine = 'MaterializedView' AND ` +
      (own
        ? `database = ${quoteString(target.database)} AND name = ${quoteString(target.name)}`
        : `position(create_table_query, ${quoteString(target.name)}) > 0`) +
      ` ORDER BY database, name`,
  )
  return rows.flatMap((row) => {
    const { node } = parseStatement(row.create)
    if (node.kind !== 'createView') {
      if (own) throw unreadableView(row)
      return []
    }
    if (node.refresh || (!own && !(node.to && sameName(nameOf(node.to, row.database), target)))) return []
    const query = viewQuery(node.query)
    const source = leadingTable(query, row.database)
    if (!source) throw unreadableView(row, 'its query reads from no table')
    return [{ ...row, source, query }]
  })
}

/** The materialized views that a table's new rows would go through, with the targets they write into. Sorted. */
export async function viewsBehind(
  connection: Executor,
  table: TableName,
): Promise<readonly { readonly view: TableName; readonly target: TableName }[]> {
  const rows = await connection.query<TableName & { create: string }>(
    `SELECT database, name, create_table_query AS create FROM system.tables WHERE engine = 'MaterializedView' AND ` +
      `position(create_table_query, ${quoteString(table.name)}) > 0 ORDER BY database, name`,
  )
  return rows.flatMap(({ create, ...view }) => {
    const { node } = parseStatement(create)
    if (node.kind !== 'createView' || node.refresh) return []
    const source = leadingTable(viewQuery(node.query), view.database)
    if (!source || !sameName(source, table)) return []
    return [{ view, target: node.to ? nameOf(node.to, view.database) : view }]
  })
}

function unreadableView(view: TableName, reason = 'chkit cannot read its CREATE statement'): ChkitError {
  return new ChkitError('sql_unparsable', `The query of the view ${showName(view)} cannot be replayed: ${reason}.`)
}

/** Engines that keep one row per key: writing the same rows again changes nothing. */
const KEYED: ReadonlySet<string> = new Set(['EmbeddedRocksDB', 'KeeperMap', 'Set', 'Redis'])

/** Engines into which rows cannot be written at all (26.7); counting those of some would never end. */
const UNWRITABLE: ReadonlySet<string> = new Set(
  'View Dictionary MaterializedView LiveView WindowView Merge GenerateRandom FuzzJSON FuzzQuery Executable Loop'.split(
    ' ',
  ),
)

/** How rows reach a table, with the reason where a repeated chunk could not be told from a new one. */
export type Guarantee = { readonly mechanism: Mechanism; readonly missing?: string }

/** Pure: what an engine allows. MOVE PARTITION TO TABLE came with 20.1. Throws `guarantee_missing` for views. */
export function guaranteeOf(storage: LiveTable, server: { readonly major: number }): Guarantee {
  const { engine } = storage
  const name = showName(storage)
  if (UNWRITABLE.has(engine)) throw new ChkitError('guarantee_missing', `${name} is a ${engine}: it takes no rows.`)
  if (engine.endsWith('MergeTree')) {
    if (server.major >= 20) return { mechanism: 'staged' }
    return { mechanism: 'direct', missing: 'this server is older than 20.1 and cannot move partitions between tables' }
  }
  if (KEYED.has(engine) || /^Join\(ANY\b/.test(storage.engineFull)) return { mechanism: 'keyed' }
  const missing =
    engine === 'Distributed'
      ? 'rows go through a Distributed table, and which of them arrived cannot be told; backfill the local table of each shard'
      : `the engine ${engine} neither deduplicates inserts nor has partitions that could be swapped in`
  return { mechanism: 'direct', missing }
}

/** Why reading a source would read the target's own rows; undefined when it does not. */
export async function selfInsertion(
  connection: Executor,
  source: LiveTable,
  storage: LiveTable,
  depth = 0,
): Promise<string | undefined> {
  if (sameName(source, storage)) return 'source and target are the same table'
  if (depth > 8) return undefined
  for (const name of await readBy(connection, source, storage)) {
    if (sameName(name, storage)) return `${showName(source)} reads from ${showName(storage)}`
    const next = sameName(name, source) ? undefined : await readTable(connection, name)
    const reason = next && (await selfInsertion(connection, next, storage, depth + 1))
    if (reason) return reason
  }
  return undefined
}

/** The tables behind a view or a table that stores nothing itself. */
async function readBy(connection: Executor, table: LiveTable, storage: LiveTable): Promise<readonly TableName[]> {
  const { node } = parseStatement(table.create)
  if (node.kind === 'createView') {
    if (node.view === 'MATERIALIZED VIEW') return [await storageOf(connection, table)]
    return tablesOf(node.query as SqlNode, table.database)
  }
  if (node.kind !== 'createTable') return []
  const args = (node.storage?.engine?.args ?? []).map((arg) => argumentText(arg, table.database))
  switch (table.engine) {
    case 'Distributed':
      return args[1] !== undefined && args[2] !== undefined ? [{ database: args[1], name: args[2] }] : []
    case 'Buffer':
      return args[0] !== undefined && args[1] !== undefined ? [{ database: args[0], name: args[1] }] : []
    case 'Merge': {
      const [database = table.database, pattern = ''] = args
      const [row] = await connection.query<{ hit: number }>(
        `SELECT match(${quoteString(storage.name)}, ${quoteString(pattern)}) AND ` +
          `(${quoteString(database)} = ${quoteString(storage.database)} OR match(${quoteString(storage.database)}, ${quoteString(database)})) AS hit`,
      )
      return row?.hit === 1 ? [storage] : []
    }
    default:
      return []
  }
}

function argumentText(node: SqlNode, database: string): string | undefined {
  if (node.kind === 'literal' && node.type === 'string') return node.value
  if (node.kind === 'function' && node.name === 'currentDatabase') return database
  if (node.kind === 'function' && node.name === 'REGEXP' && node.args?.[0]) return argumentText(node.args[0], database)
  return node.kind === 'identifier' && typeof node.parts[0] === 'string' ? node.parts[0] : undefined
}
