import type { QualifiedName } from '../model/definition.js'
import { quoteString } from '../sql/quote.js'
import type { Executor } from './executor.js'

/** What the active parts of a table hold. */
export type TableSize = QualifiedName & {
  readonly rows: number
  /** On disk, compressed. */
  readonly bytes: number
}

/** Beyond this many names the whole database is asked: the text of a query has a limit (256 KiB). */
const NAMED_AT_MOST = 500

/**
 * Rows and bytes of the given tables, in their order and in one query; 0 for tables that are empty, that do not exist,
 * or whose engine keeps no parts.
 */
export async function readTableSizes(executor: Executor, tables: readonly QualifiedName[]): Promise<TableSize[]> {
  if (tables.length === 0) return []
  const databases = [...new Set(tables.map((table) => table.database))]
  const where =
    tables.length > NAMED_AT_MOST
      ? `database IN (${databases.map(quoteString).join(', ')})`
      : `(database, table) IN (${tables.map((t) => `(${quoteString(t.database)}, ${quoteString(t.name)})`).join(', ')})`
  const rows = await executor.query<{ database: string; table: string; rows: number; bytes: number }>(
    `SELECT database, table, sum(rows) AS rows, sum(bytes_on_disk) AS bytes FROM system.parts WHERE active AND ${where} GROUP BY database, table`,
  )
  const sizes = new Map(rows.map((row) => [JSON.stringify([row.database, row.table]), row]))
  return tables.map(({ database, name }) => {
    const size = sizes.get(JSON.stringify([database, name]))
    return { database, name, rows: Number(size?.rows ?? 0), bytes: Number(size?.bytes ?? 0) }
  })
}
