import type { Executor } from '../clickhouse/executor.js'
import { whereIn } from './evidence.js'
import type { ObjectRef } from './proof.js'

/** The first version that lists what hangs on a table, views and loading dependencies alike. */
const LISTS_DEPENDENTS = 23

/**
 * Those of `tables` that store rows of their own and on which nothing hangs: no view is filled from them, and no
 * dictionary or default reads them. Empty on servers that cannot tell. Throws connection codes.
 */
export async function readPlainTables(executor: Executor, tables: readonly ObjectRef[]): Promise<readonly ObjectRef[]> {
  if (tables.length === 0 || (await executor.server()).major < LISTS_DEPENDENTS) return []
  return executor.query<ObjectRef>(
    `SELECT database, name FROM system.tables WHERE (${whereIn(tables, 'name')}) ` +
      `AND (engine LIKE '%MergeTree' OR engine LIKE '%Log' OR engine IN ('Memory', 'Null', 'Set', 'Join')) ` +
      `AND empty(dependencies_table) AND empty(loading_dependent_table)`,
  )
}
