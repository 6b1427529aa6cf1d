import type { Executor } from '../clickhouse/executor.js'
import { databaseEngines } from '../clickhouse/features.js'
import { distributesDdl } from '../render/cluster.js'
import { quoteString } from '../sql/quote.js'
import { clusterOf } from './cluster.js'
import { whereIn } from './evidence.js'
import type { ParsedMigration } from './migration-file.js'
import type { ObjectRef } from './proof.js'

/** A statement that changes objects of the connected node only, while a cluster is configured. */
export type NodeOnlyStatement = {
  readonly migration: string
  /** One-based number and line. */
  readonly statement: number
  readonly line: number
  /** `database.name`, of the first object. */
  readonly object: string
}

type Candidate = NodeOnlyStatement & { readonly ref: ObjectRef; readonly alters: boolean }

/** DDL that a cluster's other nodes only get with ON CLUSTER. */
const DDL: ReadonlySet<string> = new Set([
  'createTable',
  'createView',
  'createDictionary',
  'createDatabase',
  'drop',
  'rename',
  'alter',
  'createIndex',
  'dropIndex',
  'deleteFrom',
])

/** ALTERs of a replicated table reach its other replicas by themselves. */
const REPLICATES: ReadonlySet<string> = new Set(['alter', 'createIndex', 'dropIndex', 'deleteFrom'])

function candidates(migrations: readonly ParsedMigration[]): Candidate[] {
  return migrations.flatMap(({ name, statements }) =>
    statements.flatMap(({ number, line, node, effects }) => {
      const changed = effects.objects.find(({ role }) => role !== 'reads')
      if (!DDL.has(node.kind) || clusterOf(node) !== undefined || changed === undefined) return []
      const ref = { database: changed.database ?? changed.name, name: changed.name }
      const object = changed.database === undefined ? changed.name : `${changed.database}.${changed.name}`
      return [{ migration: name, statement: number, line, object, ref, alters: REPLICATES.has(node.kind) }]
    }),
  )
}

/**
 * The statements that only the connected node will run: DDL without ON CLUSTER that neither a database (`Replicated`,
 * `Shared`) nor a replicated table of a cluster with one shard carries on. Asks the server only where there is such DDL.
 */
export async function findNodeOnly(
  executor: Executor,
  migrations: readonly ParsedMigration[],
  cluster: string,
): Promise<readonly NodeOnlyStatement[]> {
  const found = candidates(migrations)
  if (found.length === 0) return []
  const hosts = await executor.query<{ shard_num: number }>(
    `SELECT shard_num FROM system.clusters WHERE cluster = ${quoteString(cluster)}`,
  )
  if (hosts.length < 2) return []
  const hasOneShard = new Set(hosts.map(({ shard_num }) => shard_num)).size === 1
  const engines = await databaseEngines(executor)
  const altered = hasOneShard ? found.filter(({ alters }) => alters).map(({ ref }) => ref) : []
  const replicated = await replicatedOf(executor, altered)
  return found
    .filter(({ ref }) => !distributesDdl(engines.get(ref.database) ?? ''))
    .filter(({ ref, alters }) => !alters || !replicated.has(`${ref.database}.${ref.name}`))
    .map(({ migration, statement, line, object }) => ({ migration, statement, line, object }))
}

async function replicatedOf(executor: Executor, tables: readonly ObjectRef[]): Promise<ReadonlySet<string>> {
  if (tables.length === 0) return new Set()
  const rows = await executor.query<{ qualified: string }>(
    `SELECT concat(database, '.', name) AS qualified FROM system.tables WHERE (${whereIn(tables, 'name')}) AND engine LIKE 'Replicated%'`,
  )
  return new Set(rows.map(({ qualified }) => qualified))
}
