/**
 * The canonical model: one immutable value per ClickHouse object, in the form the server itself would show.
 * Schema files, snapshots and the live server are three readers of it. After `canonicalise` equality is equality:
 * no later step trims, sorts or re-parses. Everything here is plain JSON.
 *
 * Texts (types, expressions, queries) are printed as `formatQuerySingleLine` of ClickHouse 26.x prints them, with
 * aliases resolved and function names in the server's case.
 */

/** A clause or setting value exactly as it stands in SQL (`8192`, `'drop'`). */
export type SqlText = string

/** Settings in SQL text, keyed by name. Key order is code-unit order. */
export type Settings = Readonly<Record<string, SqlText>>

/** An object in a database, both names unquoted. */
export type QualifiedName = { readonly database: string; readonly name: string }

export type DefaultKind = 'DEFAULT' | 'MATERIALIZED' | 'EPHEMERAL' | 'ALIAS'

/** The DEFAULT, MATERIALIZED, EPHEMERAL or ALIAS of a column; only EPHEMERAL may lack an expression. */
export type ColumnDefault = { readonly kind: DefaultKind; readonly expression?: SqlText }

export type Column = {
  readonly name: string
  /** Canonical type text, for example `Nullable(Decimal(9, 2))`. */
  readonly type: string
  readonly default?: ColumnDefault
  /** Inside of `CODEC(...)`, for example `Delta(4), ZSTD(1)`. */
  readonly codec?: SqlText
  readonly ttl?: SqlText
  readonly settings?: Settings
  /** Sorted statistics types, for example `['tdigest', 'uniq']`. Automatic statistics are not listed. */
  readonly statistics?: readonly string[]
  readonly comment?: string
  /** The name this column had before; read by the differ, never compared. */
  readonly renamedFrom?: string
}

/** A table engine and its parameters as SQL texts; no parameters is an empty list. */
export type Engine = { readonly name: string; readonly args: readonly SqlText[] }

/** A data skipping index; `type` carries its parameters (`set(100)`, `bloom_filter(0.01)`). */
export type SkippingIndex = {
  readonly name: string
  readonly expression: SqlText
  readonly type: SqlText
  readonly granularity: number
}

/** A projection; `body` is what stands after its name: `(SELECT ... ORDER BY ...)` without the brackets, or `INDEX e TYPE t`. */
export type Projection = {
  readonly name: string
  readonly form: 'query' | 'index'
  readonly body: SqlText
  readonly settings?: Settings
}

export type Constraint = { readonly name: string; readonly type: 'CHECK' | 'ASSUME'; readonly expression: SqlText }

/** The clauses that tables and inner tables of materialized views share. */
export type Storage = {
  readonly engine: Engine
  /** Sorting key entries; an empty list is `tuple()`; undefined where the engine has no keys. */
  readonly orderBy?: readonly SqlText[]
  /** Undefined when it equals the sorting key. */
  readonly primaryKey?: readonly SqlText[]
  /** Partition key entries; undefined or empty means unpartitioned. */
  readonly partitionBy?: readonly SqlText[]
  readonly sampleBy?: SqlText
  readonly uniqueKey?: readonly SqlText[]
  /** Table TTL rules in order. */
  readonly ttl?: readonly SqlText[]
  /** Table settings; the server's implied `index_granularity = 8192` is left out. `flatten_nested = 0` stands here when Nested columns are kept whole. */
  readonly settings?: Settings
}

/**
 * How clauses were written where the canonical form is not the only spelling that the server keeps (`ORDER BY (id)`
 * beside `ORDER BY id`, order and form of SETTINGS). A CREATE that is rendered uses the spelling where there is one,
 * else the canonical field; it is never compared. For a materialized view it speaks of the inner table's clauses.
 */
export type Spelling = {
  readonly orderBy?: SqlText
  readonly primaryKey?: SqlText
  readonly partitionBy?: SqlText
  readonly uniqueKey?: SqlText
  /** The whole list behind SETTINGS. */
  readonly settings?: SqlText
  /** `''` in quotes, where an empty COMMENT was written and kept. */
  readonly comment?: SqlText
  /** The names of a view that was made as `CREATE VIEW v (a, b) AS ..`; its query has them too. */
  readonly columnAliases?: SqlText
  /** The insides of a dictionary's SOURCE and LAYOUT. */
  readonly source?: SqlText
  readonly layout?: SqlText
  /**
   * `attribute <name>`: the type of a dictionary's attribute as it was written; the server does not resolve aliases
   * there. `TAGS orderBy`, `TAGS type <column>`: the same of a TimeSeries table's target.
   */
  readonly [clause: string]: SqlText | undefined
}

/**
 * Where a TimeSeries table keeps one of its three kinds of rows: in another table, or in an inner table of which
 * `columns` and `inner` say what is known. What a declaration leaves out is the server's choice, and not compared.
 */
export type TimeSeriesTarget = {
  readonly role: 'SAMPLES' | 'TAGS' | 'METRICS'
  readonly table?: QualifiedName
  readonly columns?: readonly Column[]
  readonly inner?: Storage
}

/** Where a definition was declared; for messages only, never compared and never in a snapshot. */
export type Origin = { readonly file?: string; readonly line?: number }

type Common = {
  readonly origin?: Origin
  readonly spelling?: Spelling
}

type InDatabase = Common & {
  readonly database: string
  readonly name: string
  readonly comment?: string
  readonly cluster?: string
  readonly renamedFrom?: QualifiedName
  /**
   * Declared SQL functions that were called here. The server stores their bodies in place of the calls, and so do the
   * texts of this object: the list is for the dependency graph only, never compared.
   */
  readonly functions?: readonly string[]
}

export type Database = Common & {
  readonly kind: 'database'
  readonly name: string
  /** Undefined is the server's default, Atomic. */
  readonly engine?: Engine
  readonly settings?: Settings
  readonly comment?: string
  readonly cluster?: string
}

export type Table = InDatabase &
  Storage & {
    readonly kind: 'table'
    readonly columns: readonly Column[]
    readonly indexes?: readonly SkippingIndex[]
    readonly projections?: readonly Projection[]
    readonly constraints?: readonly Constraint[]
    /** Of a TimeSeries table, in the order in which they were written. */
    readonly targets?: readonly TimeSeriesTarget[]
    /** `CREATE TABLE t AS numbers(10)`: the table function; the engine is then named by the server. */
    readonly asTableFunction?: SqlText
    /** Per-table options of plugins; ignored by the differ. */
    readonly plugins?: Readonly<Record<string, unknown>>
  }

/**
 * A column of a view's list: the server takes every clause of a table's column here. Undefined lists are not compared:
 * the server always fills them in.
 */
export type ViewColumn = Column

export type View = InDatabase & {
  readonly kind: 'view'
  /** The SELECT, tables qualified with their database. */
  readonly query: SqlText
  readonly columns?: readonly ViewColumn[]
  readonly definer?: string
  readonly sqlSecurity?: 'DEFINER' | 'INVOKER' | 'NONE'
}

/** REFRESH of a materialized view; texts as the server shows them (`EVERY 1 HOUR`). */
export type Refresh = {
  readonly schedule: SqlText
  readonly offset?: SqlText
  readonly randomize?: SqlText
  readonly dependsOn?: readonly QualifiedName[]
  readonly append?: boolean
  readonly settings?: Settings
}

export type MaterializedView = InDatabase & {
  readonly kind: 'materialized_view'
  readonly query: SqlText
  /** The target table of `TO`; undefined when the view keeps its rows in an inner table. */
  readonly to?: QualifiedName
  readonly inner?: Storage
  readonly refresh?: Refresh
  readonly columns?: readonly ViewColumn[]
  /** What stands among the columns of an inner table. */
  readonly indexes?: readonly SkippingIndex[]
  readonly projections?: readonly Projection[]
  readonly constraints?: readonly Constraint[]
  readonly definer?: string
  readonly sqlSecurity?: 'DEFINER' | 'INVOKER' | 'NONE'
}

export type DictionaryAttribute = {
  readonly name: string
  readonly type: string
  readonly default?: SqlText
  readonly expression?: SqlText
  readonly hierarchical?: boolean
  readonly bidirectional?: boolean
  readonly injective?: boolean
  readonly isObjectId?: boolean
}

export type Dictionary = InDatabase & {
  readonly kind: 'dictionary'
  readonly attributes: readonly DictionaryAttribute[]
  readonly primaryKey: readonly SqlText[]
  /** Inside of `SOURCE(...)`; secrets stand as `env:NAME` references or `'[HIDDEN]'`. */
  readonly source: SqlText
  readonly layout: SqlText
  readonly lifetime?: SqlText
  readonly range?: { readonly min: string; readonly max: string }
  readonly settings?: Settings
}

export type SqlFunction = Common & {
  readonly kind: 'sql_function'
  readonly name: string
  /** The lambda, `(x, k, b) -> ((k * x) + b)`. */
  readonly expression: SqlText
  readonly cluster?: string
}

/** Access objects and named collections: compared by their canonical CREATE text. */
export type AccessKind = 'role' | 'user' | 'grant' | 'row_policy' | 'quota' | 'settings_profile' | 'named_collection'

export type AccessObject = Common & {
  readonly kind: AccessKind
  /** Unique within its kind; for a row policy `name ON db.table`, for a grant the whole text. */
  readonly name: string
  /** The canonical CREATE (or GRANT) statement; secrets only as `env:NAME` references. */
  readonly statement: SqlText
  readonly cluster?: string
}

/** Anything else: compared by its text. */
export type RawObject = Common & {
  readonly kind: 'raw'
  readonly key: string
  readonly create: SqlText
  readonly drop?: SqlText
  readonly dependsOn?: readonly string[]
}

export type Definition =
  | Database
  | Table
  | View
  | MaterializedView
  | Dictionary
  | SqlFunction
  | AccessObject
  | RawObject

export type ObjectKind = Definition['kind']

/** Objects that live in a database and can be scoped by `--table`. */
export type DatabaseObject = Table | View | MaterializedView | Dictionary

/** All definitions, each object once, sorted by `objectKey` in code-unit order. */
export type Model = { readonly definitions: readonly Definition[] }

export const EMPTY_MODEL: Model = { definitions: [] }

/** True for objects that have a database of their own. */
export function isDatabaseObject(definition: Definition): definition is DatabaseObject {
  return (
    definition.kind === 'table' ||
    definition.kind === 'view' ||
    definition.kind === 'materialized_view' ||
    definition.kind === 'dictionary'
  )
}

/** The name of an object without its kind: `db.name`, or the bare name where there is no database. May be printed, never parsed. */
export function objectName(definition: Definition): string {
  if (isDatabaseObject(definition)) return `${definition.database}.${definition.name}`
  return definition.kind === 'raw' ? definition.key : definition.name
}

/** `kind:db.name`, as payloads print it. May be printed and compared, never parsed. */
export function objectKey(definition: Definition): string {
  return `${definition.kind}:${objectName(definition)}`
}

/** Plain code-unit comparison; never `localeCompare`, whose order depends on the machine. */
export function compareCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
