import type { QualifiedName } from '../model/definition.js'
import { quoteString } from '../sql/quote.js'
import type { Executor } from './executor.js'
import { hasSystemColumn } from './features.js'

/** What the active parts of a table hold. */
export type TableSize = QualifiedName & {
  readonly rows: number
  /** On disk, compressed. */
  readonly bytes: number
}

/** Beyond this many names the whole database is asked: the text of a query has a limit (256 KiB). */
const NAMED_AT_MOST = 500

/**
 * Rows and bytes of the given tables, in their order; 0 for tables that are empty, that do not exist, or whose engine
 * keeps no parts. A materialized view holds what its inner table holds. A name that is empty stands for all tables of
 * its database.
 */
export async function readTableSizes(executor: Executor, tables: readonly QualifiedName[]): Promise<TableSize[]> {
  if (tables.length === 0) return []
  const databases = [...new Set(tables.map((table) => table.database))]
  const where =
    tables.length > NAMED_AT_MOST || tables.some(({ name }) => name === '')
      ? `database IN (${databases.map(quoteString).join(', ')})`
      : `(database, table) IN (${tables.map((t) => `(${quoteString(t.database)}, ${quoteString(t.name)})`).join(', ')})`
  const inner = await innerTables(executor, where)
  const innerNames = inner.map(({ database, inner }) => `(${quoteString(database)}, ${quoteString(inner)})`)
  const parts = inner.length === 0 ? where : `(${where} OR (database, table) IN (${innerNames.join(', ')}))`
  const found = await executor.query<{ database: string; table: string; rows: number; bytes: number }>(
    `SELECT database, table, sum(rows) AS rows, sum(bytes_on_disk) AS bytes FROM system.parts WHERE active AND ${parts} GROUP BY database, table`,
  )
  const views = new Map(inner.map(({ database, name, inner }) => [JSON.stringify([database, inner]), name]))
  const sizes = new Map<string, { rows: number; bytes: number }>()
  for (const row of found) {
    for (const name of [views.get(JSON.stringify([row.database, row.table])) ?? row.table, '']) {
      const key = JSON.stringify([row.database, name])
      const before = sizes.get(key) ?? { rows: 0, bytes: 0 }
      sizes.set(key, { rows: before.rows + Number(row.rows), bytes: before.bytes + Number(row.bytes) })
    }
  }
  return tables.map(({ database, name }) => {
    const { rows, bytes } = sizes.get(JSON.stringify([database, name])) ?? { rows: 0, bytes: 0 }
    return { database, name, rows, bytes }
  })
}

/** Inner tables of the materialized views that `where` selects by `database` and `table`; views with a target have none. */
async function innerTables(
  executor: Executor,
  where: string,
): Promise<readonly { readonly database: string; readonly name: string; readonly inner: string }[]> {
  // Databases of the engine Ordinary have no UUIDs, and servers before 20.4 know no other.
  const [uuid, inner] = hasSystemColumn(await executor.server(), 'tables', 'uuid')
    ? [
        ', toString(uuid) AS id',
        "if(startsWith(id, '00000000-0000-'), concat('.inner.', name), concat('.inner_id.', id))",
      ]
    : ['', "concat('.inner.', name)"]
  return executor.query(
    `SELECT database, name, ${inner} AS inner FROM (SELECT database, name, name AS table${uuid} FROM system.tables WHERE engine = 'MaterializedView') WHERE ${where}`,
  )
}
