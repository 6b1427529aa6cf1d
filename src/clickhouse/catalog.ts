import { quoteIdentifierIfNeeded, quoteString } from '../sql/quote.js'
import type { Executor, ServerInfo } from './executor.js'
import { hasSystemColumn } from './features.js'

/** What the server says an object is: its CREATE statement as it stands in the system tables. */
export type CatalogEntry = {
  readonly kind: 'database' | 'table' | 'sql_function' | 'access'
  /** Undefined for databases, functions and access objects. */
  readonly database?: string
  readonly name: string
  /** Table or database engine; empty for functions and access objects. */
  readonly engine: string
  /** One statement, no trailing semicolon; secrets are hidden by the server. */
  readonly statement: string
}

/** Something on the server that is not in the result, and why. */
export type SkippedObject = {
  /** `database.table`, or the bare name of a database or function. May be printed, never parsed. */
  readonly object: string
  readonly reason: string
  readonly statement?: string
}

export type Catalog = { readonly entries: readonly CatalogEntry[]; readonly skipped: readonly SkippedObject[] }

const EMPTY: Catalog = { entries: [], skipped: [] }

export type CatalogOptions = {
  /** Only these databases; default all but the server's own. */
  readonly databases?: readonly string[]
  /** True for tables to leave out besides chkit's own (`_chkit_...`): a journal under another name. */
  readonly exclude?: (database: string, name: string) => boolean
  /** Also users, roles, grants, policies, quotas, profiles and named collections: three more queries, for accounts that may see them. */
  readonly access?: boolean
}

/**
 * Everything that was declared on the server, in two queries whatever the number of objects. Left out without a word:
 * the server's own databases, temporary tables, inner tables of materialized views, chkit's own tables.
 */
export async function readCatalog(executor: Executor, options: CatalogOptions = {}): Promise<Catalog> {
  const info = await executor.server()
  const top = await executor.query<TopLevelRow>(topLevelQuery(info, options.databases))
  const databases = await withShownEngines(
    executor,
    top.filter((row) => row.kind === 'database'),
  )
  const readable = databases.filter((row) => !UNDECLARED_TABLES.has(row.engine))
  const tables =
    readable.length === 0 ? [] : await executor.query<TableRow>(tableQuery(readable.map((row) => row.name)))
  // Needs the parser, which most reads do without.
  const access = options.access ? await (await import('./access.js')).readAccess(executor, info) : EMPTY
  const listed = tables.filter((row) => !isInner(row.name) && !isOwn(row) && !options.exclude?.(row.database, row.name))
  return {
    entries: [
      ...databases.filter((row) => !lacksParameters(row)).map((row) => databaseEntry(row)),
      ...top.filter((row) => row.kind === 'function').map((row) => functionEntry(row)),
      ...listed.filter((row) => row.create_table_query !== '').map((row) => tableEntry(row)),
      ...access.entries,
    ],
    skipped: [
      ...databases.filter(lacksParameters).map((row) => ({
        object: row.name,
        reason: `The server does not show the parameters of its engine ${row.engine}.`,
      })),
      ...listed
        .filter((row) => row.create_table_query === '')
        .map((row) => ({
          object: `${row.database}.${row.name}`,
          reason: 'The server shows no CREATE statement for it.',
        })),
      ...access.skipped,
    ],
  }
}

type TopLevelRow = {
  readonly kind: 'database' | 'function'
  readonly name: string
  readonly engine: string
  readonly text: string
  readonly comment: string
}

type TableRow = {
  readonly database: string
  readonly name: string
  readonly engine: string
  readonly create_table_query: string
}

/** Databases that are there on every server and belong to it. */
const SYSTEM_DATABASES = ['system', 'information_schema', 'INFORMATION_SCHEMA', '_temporary_and_external_tables']

/**
 * Database engines whose tables are not declared: they live elsewhere, where listing them asks that other system, or the
 * server makes them itself, one for each dictionary.
 */
const UNDECLARED_TABLES: ReadonlySet<string> = new Set([
  'MySQL',
  'MaterializedMySQL',
  'PostgreSQL',
  'MaterializedPostgreSQL',
  'SQLite',
  'Filesystem',
  'HDFS',
  'S3',
  'DataLakeCatalog',
  'Backup',
  'Dictionary',
])

/** SQLite databases as SHOW CREATE has them: `system.databases` lacks the path (seen on 26.7). One more request for each. */
async function withShownEngines(executor: Executor, databases: readonly TopLevelRow[]): Promise<TopLevelRow[]> {
  return Promise.all(
    databases.map(async (row) => {
      if (row.engine !== 'SQLite' || !lacksParameters(row)) return row
      const sql = `SHOW CREATE DATABASE ${quoteIdentifierIfNeeded(row.name)}`
      const [shown] = await executor.query<{ statement: string }>(sql)
      const text = /\bENGINE = (SQLite\('(?:[^'\\]|\\.|'')*'\))/s.exec(shown?.statement ?? '')?.[1]
      return text === undefined ? row : { ...row, text }
    }),
  )
}

/** True for a database over another system of which only the engine's name is known: all before 21. */
function lacksParameters({ engine, text }: TopLevelRow): boolean {
  return UNDECLARED_TABLES.has(engine) && engine !== 'Dictionary' && !text.includes('(')
}

function topLevelQuery(info: ServerInfo, databases: readonly string[] | undefined): string {
  const text = hasSystemColumn(info, 'databases', 'engine_full') ? 'engine_full' : 'engine'
  const comment = hasSystemColumn(info, 'databases', 'comment') ? 'comment' : "''"
  const wanted = databases === undefined ? '' : ` AND name IN (${list(databases)})`
  const ofDatabases =
    `SELECT 'database' AS kind, name, engine, ${text} AS text, ${comment} AS comment ` +
    `FROM system.databases WHERE name NOT IN (${list(SYSTEM_DATABASES)})${wanted}`
  // Functions came in 21.10, the column that shows them a little later.
  if (!hasSystemColumn(info, 'functions', 'create_query')) return ofDatabases
  return (
    `${ofDatabases} UNION ALL SELECT 'function' AS kind, name, '' AS engine, create_query AS text, '' AS comment ` +
    "FROM system.functions WHERE origin = 'SQLUserDefined'"
  )
}

function tableQuery(databases: readonly string[]): string {
  return (
    'SELECT database, name, engine, create_table_query FROM system.tables ' +
    `WHERE database IN (${list(databases)}) AND is_temporary = 0`
  )
}

/** An empty list matches nothing; no name of an object is empty. */
function list(names: readonly string[]): string {
  return names.length === 0 ? "''" : names.map(quoteString).join(', ')
}

/**
 * Where materialized views, window views and time series keep their rows (seen on 18.16 to 26.7), and what stands for a
 * table while a refresh or CREATE OR REPLACE is under way (seen on 26.7).
 */
function isInner(name: string): boolean {
  return (
    ['.inner.', '.inner_id.', '.tmp.inner'].some((start) => name.startsWith(start)) ||
    /^_tmp_replace_[0-9a-f]+_/.test(name)
  )
}

function isOwn(row: TableRow): boolean {
  return row.name.startsWith('_chkit_')
}

function databaseEntry(row: TopLevelRow): CatalogEntry {
  const engine = row.text === '' ? row.engine : row.text
  const comment = row.comment === '' ? '' : ` COMMENT ${quoteString(row.comment)}`
  return {
    kind: 'database',
    name: row.name,
    engine: row.engine,
    statement: `CREATE DATABASE ${quoteIdentifierIfNeeded(row.name)} ENGINE = ${engine}${comment}`,
  }
}

function functionEntry(row: TopLevelRow): CatalogEntry {
  return { kind: 'sql_function', name: row.name, engine: '', statement: row.text }
}

function tableEntry(row: TableRow): CatalogEntry {
  const { database, name, engine, create_table_query: statement } = row
  return { kind: 'table', database, name, engine, statement }
}
