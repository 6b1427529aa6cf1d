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
 * or whose engine keeps no parts. A name that is empty stands for all tables of its database.
 */
export async function readTableSizes(executor: Executor, tables: readonly QualifiedName[]): Promise<TableSize[]> {
  if (tables.length === 0) return []
  const databases = [...new Set(tables.map((table) => table.database))]
  const where =
    tables.length > NAMED_AT_MOST || tables.some(({ name }) => name === '')
      ? `database IN (${databases.map(quoteString).join(', ')})`
      : `(database, table) IN (${tables.map((t) => `(${quoteString(t.database)}, ${quoteString(t.name)})`).join(', ')})`
  const found = await executor.query<{ database: string; table: string; rows: number; bytes: number }>(
    `SELECT database, table, sum(rows) AS rows, sum(bytes_on_disk) AS bytes FROM system.parts WHERE active AND ${where} GROUP BY database, table`,
  )
  const sizes = new Map<string, { rows: number; bytes: number }>()
  for (const row of found) {
    for (const name of [row.table, '']) {
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
