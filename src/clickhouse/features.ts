import type { Executor, ServerInfo } from './executor.js'

/**
 * System tables that chkit reads. Which columns they have differs from server to server, so it is asked, not derived
 * from the version: forks and backports exist.
 */
export const SYSTEM_TABLES = [
  'clusters',
  'columns',
  'data_skipping_indices',
  'databases',
  'dictionaries',
  'distributed_ddl_queue',
  'functions',
  'merge_tree_settings',
  'mutations',
  'named_collections',
  'parts',
  'processes',
  'projections',
  'query_log',
  'replicas',
  'settings',
  'table_engines',
  'tables',
  'users',
  'view_refreshes',
] as const

export type SystemTable = (typeof SYSTEM_TABLES)[number]

/** True when this server has `system.<table>`, and in it `column` when one is given. */
export function hasSystemColumn(info: Pick<ServerInfo, 'systemColumns'>, table: SystemTable, column?: string): boolean {
  if (column !== undefined) return info.systemColumns.has(`${table}.${column}`)
  for (const known of info.systemColumns) if (known.startsWith(`${table}.`)) return true
  return false
}

/** True where INSERTs may be collected by the server before they are written (since 21.11); older ones refuse the settings. */
export function hasAsyncInsert({ major }: Pick<ServerInfo, 'major'>): boolean {
  return major >= 22
}

/** Names of the table engines this server was built and configured with (`KeeperMap` only where it is set up). */
export async function tableEngines(executor: Executor): Promise<ReadonlySet<string>> {
  const rows = await executor.query<{ name: string }>('SELECT name FROM system.table_engines')
  return new Set(rows.map((row) => row.name))
}

/** The engine of every database, by name. `Replicated` databases distribute DDL themselves. */
export async function databaseEngines(executor: Executor): Promise<ReadonlyMap<string, string>> {
  const rows = await executor.query<{ name: string; engine: string }>('SELECT name, engine FROM system.databases')
  return new Map(rows.map((row) => [row.name, row.engine]))
}
