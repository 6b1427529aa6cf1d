/** The cluster that a configuration gives to objects which name none. */
import type { Change } from '../diff/change.js'
import type { Definition, Model } from '../model/definition.js'

export type ClusterOptions = {
  /** Where objects live that name no cluster themselves; default none. */
  readonly cluster?: string | undefined
  /** Databases that distribute DDL themselves, and refuse ON CLUSTER. */
  readonly replicatedDatabases?: ReadonlySet<string>
}

/** Databases of `models` that are declared with an engine that distributes DDL itself. */
export function replicatedDatabases(...models: readonly Model[]): ReadonlySet<string> {
  const names = models.flatMap(({ definitions }) =>
    definitions.flatMap((definition) =>
      definition.kind === 'database' && distributesDdl(definition.engine?.name ?? '') ? [definition.name] : [],
    ),
  )
  return new Set(names)
}

/** True for engines of databases that carry DDL to their replicas themselves: `Replicated`, and `Shared` of ClickHouse Cloud. */
export function distributesDdl(databaseEngine: string): boolean {
  return databaseEngine === 'Replicated' || databaseEngine === 'Shared'
}

/** The kinds of definitions that can be told a cluster; the parts of a definition have no kind, or another. */
const KINDS: ReadonlySet<string> = new Set<Definition['kind']>([
  'database',
  'table',
  'view',
  'materialized_view',
  'dictionary',
  'sql_function',
  'role',
  'user',
  'grant',
  'row_policy',
  'quota',
  'settings_profile',
  'named_collection',
])

function takesCluster(value: unknown): value is Exclude<Definition, { readonly kind: 'raw' }> {
  return typeof value === 'object' && value !== null && 'kind' in value && KINDS.has(String(value.kind))
}

/**
 * The change with the configured cluster on each definition that names none, so that snapshots need not hold it. A
 * definition's own cluster is taken back where its database distributes DDL itself.
 */
export function withCluster(change: Change, options: ClusterOptions): Change {
  if (options.cluster === undefined && (options.replicatedDatabases?.size ?? 0) === 0) return change
  const place = (value: unknown): unknown => {
    if (!takesCluster(value)) return value
    const inside = 'database' in value && typeof value.database === 'string' ? value.database : undefined
    const itself = inside !== undefined && (options.replicatedDatabases?.has(inside) ?? false)
    const cluster = itself ? undefined : value.cluster || options.cluster
    return value.cluster === cluster ? value : { ...value, cluster }
  }
  return Object.fromEntries(Object.entries(change).map(([key, value]) => [key, place(value)])) as Change
}
