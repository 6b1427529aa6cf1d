/** What each family of table engines can ALTER. Source: reference/alter-matrix.md section 4, seen on 26.7. */
import type { Engine } from '../model/definition.js'

export type EngineAbilities = {
  /** The MergeTree family: keys, indexes, projections, TTL, constraints and settings exist. */
  readonly mergeTree: boolean
  /** ADD, DROP and MODIFY COLUMN. */
  readonly columns: boolean
  readonly renameColumn: boolean
  readonly columnComment: boolean
  readonly tableComment: boolean
  readonly settings: boolean
  /** The engine keeps no rows of its own: making it anew loses nothing. */
  readonly holdsRows: boolean
}

const COMMENTS_ONLY: EngineAbilities = {
  mergeTree: false,
  columns: false,
  renameColumn: false,
  columnComment: true,
  tableComment: true,
  settings: false,
  holdsRows: true,
}

const MERGE_TREE: EngineAbilities = {
  mergeTree: true,
  columns: true,
  renameColumn: true,
  columnComment: true,
  tableComment: true,
  settings: true,
  holdsRows: true,
}

const REMOTE: EngineAbilities = { ...COMMENTS_ONLY, holdsRows: false }
const LAYERED: EngineAbilities = { ...COMMENTS_ONLY, columns: true, holdsRows: false }

const BY_NAME: Readonly<Record<string, EngineAbilities>> = {
  // RENAME COLUMN is accepted, and every value of the column is lost (seen on 26.7).
  Memory: { ...COMMENTS_ONLY, columns: true, settings: true },
  Null: LAYERED,
  Merge: LAYERED,
  Buffer: { ...LAYERED, holdsRows: true },
  Distributed: { ...LAYERED, renameColumn: true },
  EmbeddedRocksDB: { ...COMMENTS_ONLY, settings: true },
  S3Queue: { ...REMOTE, columnComment: false, tableComment: false, settings: true },
  AzureQueue: { ...REMOTE, columnComment: false, tableComment: false, settings: true },
  // What is said to it is carried out on the table behind it (seen on 26.7).
  Alias: { ...REMOTE, columnComment: false, tableComment: false },
  Dictionary: { ...REMOTE, columnComment: false },
  TimeSeries: { ...COMMENTS_ONLY, columnComment: false },
  Kafka: REMOTE,
  RabbitMQ: REMOTE,
  NATS: REMOTE,
  URL: REMOTE,
  S3: REMOTE,
  MySQL: REMOTE,
  PostgreSQL: REMOTE,
  MongoDB: REMOTE,
  Redis: REMOTE,
  ODBC: REMOTE,
  JDBC: REMOTE,
  SQLite: REMOTE,
  GenerateRandom: REMOTE,
  Executable: REMOTE,
  ExecutablePool: REMOTE,
  FileLog: REMOTE,
}

/** What the server can ALTER on a table of this engine. Engines that are not known allow comments only. */
export function engineAbilities(engine: Engine): EngineAbilities {
  return engine.name.endsWith('MergeTree') ? MERGE_TREE : (BY_NAME[engine.name] ?? COMMENTS_ONLY)
}

/** Settings that the server fixes at CREATE (`readonly` in `system.merge_tree_settings` of 26.7). */
export const READ_ONLY_SETTINGS: ReadonlySet<string> = new Set([
  'index_granularity',
  'index_granularity_bytes',
  'enable_mixed_granularity_parts',
  'share_nested_offsets',
  'allow_tuple_element_aggregation',
  'table_disk',
  'add_minmax_index_for_numeric_columns',
  'add_minmax_index_for_string_columns',
  'add_minmax_index_for_temporal_columns',
  'add_minmax_index_for_block_number_column',
  'add_minmax_index_for_block_offset_column',
])
