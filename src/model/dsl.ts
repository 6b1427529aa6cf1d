/**
 * What a schema file writes: one constructor per object kind. Each returns frozen plain data with its `kind`; nothing
 * is checked or rewritten here, `canonicalise` does that for all definitions at once. Everything exported from this
 * file is public API.
 */

import { noteCall } from './call-site.js'

/**
 * Per-table options of plugins. A plugin adds its own by declaration merging:
 * `declare module 'chkit' { interface TablePlugins { backfill?: { timeColumn?: string } } }`.
 */
// biome-ignore lint/suspicious/noEmptyInterface: plugins merge their fields into it
export interface TablePlugins {}

/** A setting: numbers and booleans are written out, text is quoted (`'drop'`), `'fn:disk(type = local)'` is written as it stands. */
export type SettingValue = string | number | boolean

/** Settings by name; their order is kept when the object is created. */
export type SettingsInput = Readonly<Record<string, SettingValue>>

/** A literal default: text is quoted, numbers and booleans are written out. `'fn:now64(3)'` is an expression. */
export type DefaultLiteral = string | number | bigint | boolean | null

/** Everything that a column may carry besides its name and type. Give at most one of the five default forms. */
export type ColumnOptions = {
  /** `Nullable(type)`. */
  readonly nullable?: boolean
  /** `DEFAULT` with a literal, or with an expression as `'fn:now64(3)'`. */
  readonly default?: DefaultLiteral
  /** `DEFAULT` with an expression: `'now64(3)'`. */
  readonly defaultExpression?: string
  /** `MATERIALIZED`: computed on insert, left out of `SELECT *`. */
  readonly materialized?: string
  /** `ALIAS`: computed on read, not stored. */
  readonly alias?: string
  /** `EPHEMERAL`: only readable by other columns' defaults on insert; `true`, or its default as an expression. */
  readonly ephemeral?: true | string
  /** Inside of `CODEC(...)`: `'Delta, ZSTD(3)'`. */
  readonly codec?: string
  /** Column TTL: `'ts + INTERVAL 1 DAY'`. */
  readonly ttl?: string
  readonly settings?: SettingsInput
  /** `'tdigest'`, or a list of types. */
  readonly statistics?: string | readonly string[]
  readonly comment?: string
  /** The name this column had before. */
  readonly renamedFrom?: string
}

/** A column of a list. */
export type ColumnInput = ColumnOptions & { readonly name: string; readonly type: string }

/** A column of a record: its type, or its type with options. */
export type ColumnValue = string | (ColumnOptions & { readonly type: string })

/** Columns as a list, or as a record in declaration order. */
export type ColumnsInput = readonly ColumnInput[] | Readonly<Record<string, ColumnValue>>

/** The name of another object: `'db.name'` or `'name'` in SQL's spelling, or its parts, unquoted. */
export type NameInput = string | { readonly database?: string; readonly name: string }

/** A data skipping index. `typeArgs` stand in the type's brackets: `{ type: 'set', typeArgs: 100 }` is `set(100)`. */
export type IndexInput = {
  readonly name: string
  readonly expression: string
  readonly type: string
  readonly typeArgs?: string | number | readonly (string | number)[]
  readonly granularity?: number
}

/** A projection: a query without FROM, or the index form. */
export type ProjectionInput =
  | { readonly name: string; readonly query: string; readonly settings?: SettingsInput }
  | { readonly name: string; readonly index: string; readonly type: string; readonly settings?: SettingsInput }

/** A constraint that inserts are checked against, or that the optimiser may assume. */
export type ConstraintInput =
  | { readonly name: string; readonly check: string }
  | { readonly name: string; readonly assume: string }

/** Keys as one clause (`'id'`, `'(id, ts)'`, `'tuple()'`) or as a list of columns and expressions. */
export type KeyInput = string | readonly string[]

/** What tables and the inner tables of materialized views share. */
export type StorageInput<S extends SettingsInput = SettingsInput> = {
  /** Any engine clause with its parameters: `'MergeTree'`, `'ReplacingMergeTree(version)'`, `'Null'`. */
  readonly engine: string
  /** The sorting key; required for the MergeTree family unless `primaryKey` is given. */
  readonly orderBy?: KeyInput
  /** Defaults to the sorting key. */
  readonly primaryKey?: KeyInput
  readonly partitionBy?: KeyInput
  readonly sampleBy?: string
  readonly uniqueKey?: KeyInput
  /** One clause with any number of rules, or a list of rules. */
  readonly ttl?: string | readonly string[]
  readonly settings?: S
}

type Named = {
  /** Defaults to the database of the configured connection. */
  readonly database?: string
  readonly name: string
  readonly comment?: string
  /** Rendered as ON CLUSTER. */
  readonly cluster?: string
  /** The name this object had before. */
  readonly renamedFrom?: NameInput
}

/** An inner table of a TimeSeries table; what is left out is the server's choice. `engine` stands with its keys. */
export type InnerTableInput = Partial<StorageInput> & {
  readonly columns?: ColumnsInput
  readonly name?: undefined
}

/**
 * Where a TimeSeries table keeps its rows: in tables that are declared on their own, by name, or in inner tables. The
 * server keeps the order in which they stand.
 */
export type TimeSeriesTargetsInput = {
  readonly samples?: NameInput | InnerTableInput
  readonly tags?: NameInput | InnerTableInput
  readonly metrics?: NameInput | InnerTableInput
}

export type TableInput<C extends ColumnsInput = ColumnsInput, S extends SettingsInput = SettingsInput> = Named & {
  readonly columns: C
  readonly indexes?: readonly IndexInput[]
  readonly projections?: readonly ProjectionInput[]
  readonly constraints?: readonly ConstraintInput[]
  /** For the engine TimeSeries. */
  readonly targets?: TimeSeriesTargetsInput
  /** Options of plugins for this table; never compared. */
  readonly plugins?: TablePlugins
} & (
    | (StorageInput<S> & { readonly asTableFunction?: undefined })
    | ({ readonly [K in keyof StorageInput]?: undefined } & {
        /** `CREATE TABLE t AS numbers(10)`: the table function instead of an engine. */
        readonly asTableFunction: string
      })
  )

/** Columns of a view: a list, or a record of types. */
export type ViewColumnsInput =
  | readonly (ColumnOptions & { readonly name: string; readonly type: string })[]
  | Readonly<Record<string, ColumnValue>>

type Security = {
  /** A user name, or `'CURRENT_USER'`. */
  readonly definer?: string
  readonly sqlSecurity?: 'DEFINER' | 'INVOKER' | 'NONE' | 'definer' | 'invoker' | 'none'
}

export type ViewInput<C extends ViewColumnsInput = ViewColumnsInput> = Named &
  Security & {
    /** The SELECT. Tables without a database belong to the view's own. `{x:Type}` makes it a parameterised view. */
    readonly as: string
    readonly columns?: C
    /** Names for the columns of the query, in their order: `CREATE VIEW v (a, b) AS ..`. */
    readonly columnAliases?: readonly string[]
  }

/** When a refreshable materialized view is refreshed: `every` or `after`, in words: `'1 HOUR'`, `'1 DAY 2 HOUR'`. */
export type RefreshInput = {
  readonly every?: string
  readonly after?: string
  readonly offset?: string
  readonly randomize?: string
  readonly dependsOn?: NameInput | readonly NameInput[]
  readonly append?: boolean
  readonly settings?: SettingsInput
}

/** A materialized view: with a target table (`to`), or with an engine of its own for an inner table. */
export type MaterializedViewInput<C extends ViewColumnsInput = ViewColumnsInput> = Named &
  Security & {
    /** The SELECT. Tables without a database belong to the view's own. */
    readonly as: string
    readonly refresh?: RefreshInput
    readonly columns?: C
    /** What stands among the columns of an inner table. */
    readonly indexes?: readonly IndexInput[]
    readonly projections?: readonly ProjectionInput[]
    readonly constraints?: readonly ConstraintInput[]
  } & (
    | ({ readonly to: NameInput } & { readonly [K in keyof StorageInput]?: undefined })
    | (StorageInput & { readonly to?: undefined })
  )

export type DictionaryAttributeOptions = {
  /** A literal: text is quoted. `'fn:...'` is written as it stands. */
  readonly default?: DefaultLiteral
  readonly expression?: string
  readonly hierarchical?: boolean
  readonly bidirectional?: boolean
  readonly injective?: boolean
  readonly isObjectId?: boolean
}

export type DictionaryAttributeInput = DictionaryAttributeOptions & { readonly name: string; readonly type: string }

/** Attributes as a list, or as a record in declaration order. */
export type DictionaryAttributesInput =
  | readonly DictionaryAttributeInput[]
  | Readonly<Record<string, string | (DictionaryAttributeOptions & { readonly type: string })>>

export type DictionaryInput<A extends DictionaryAttributesInput = DictionaryAttributesInput> = Named & {
  /** The attributes, key included. `columns` is another word for it. */
  readonly attributes?: A
  readonly columns?: A
  readonly primaryKey: KeyInput
  /** Inside of `SOURCE(...)`: `"CLICKHOUSE(TABLE 'users' DB 'app')"`. A secret is written as `'env:NAME'`. */
  readonly source: string
  /** Inside of `LAYOUT(...)`: `'FLAT()'`, `"HASHED(SHARDS 4)"`. */
  readonly layout: string
  /** Seconds, `{ min, max }`, or the inside of `LIFETIME(...)`. */
  readonly lifetime?: number | { readonly min: number; readonly max: number } | string
  readonly range?: { readonly min: string; readonly max: string }
  readonly settings?: SettingsInput
}

export type SqlFunctionInput = {
  readonly name: string
  /** The lambda: `'(x, k, b) -> k * x + b'`. */
  readonly as: string
  readonly cluster?: string
}

export type DatabaseInput = {
  readonly name: string
  /** `'Atomic'` when left out. */
  readonly engine?: string
  readonly settings?: SettingsInput
  readonly comment?: string
  readonly cluster?: string
}

export type RoleInput = { readonly name: string; readonly settings?: string; readonly cluster?: string }

export type UserInput = {
  readonly name: string
  /** What stands behind IDENTIFIED: `'WITH sha256_password BY env:APP_PASSWORD'`, `'WITH no_password'`. Secrets only as `env:NAME`. */
  readonly identified?: string
  /** What stands behind HOST: `"IP '10.0.0.0/8'"`, `'ANY'`. */
  readonly host?: string
  readonly defaultRole?: string | readonly string[]
  readonly defaultDatabase?: string
  /** What stands behind SETTINGS: `"max_memory_usage = 1000 READONLY, PROFILE 'ro'"`. */
  readonly settings?: string
  readonly cluster?: string
}

export type GrantInput = {
  /** `'SELECT(id, name)'`, `['SELECT', 'INSERT']`; or roles, when `on` is left out. */
  readonly privileges: string | readonly string[]
  /** `'db.*'`, `'db.table'`, `'*.*'`. */
  readonly on?: string
  readonly to: string | readonly string[]
  readonly withGrantOption?: boolean
  readonly withAdminOption?: boolean
  readonly cluster?: string
}

export type RowPolicyInput = {
  readonly name: string
  readonly on: NameInput
  /** The condition of `FOR SELECT USING`. */
  readonly using: string
  readonly as?: 'permissive' | 'restrictive'
  readonly to?: string | readonly string[]
  readonly cluster?: string
}

export type QuotaInput = {
  readonly name: string
  /** `'user_name'`, `'ip_address'`, ... */
  readonly keyedBy?: string
  /** Each is one interval: `'INTERVAL 1 hour MAX queries = 100'` without FOR. */
  readonly limits?: string | readonly string[]
  readonly to?: string | readonly string[]
  readonly cluster?: string
}

export type SettingsProfileInput = {
  readonly name: string
  /** What stands behind SETTINGS: `'max_memory_usage = 1000 MIN 500 MAX 2000, readonly = 1'`. */
  readonly settings?: string
  readonly to?: string | readonly string[]
  readonly cluster?: string
}

export type NamedCollectionInput = {
  readonly name: string
  /** Values by environment reference (`'env:NAME'`), or plain where they are no secret. */
  readonly values: Readonly<
    Record<string, SettingValue | { readonly value: SettingValue; readonly overridable: boolean }>
  >
  readonly cluster?: string
}

/** Anything that chkit has no word for; compared by its text. */
export type RawInput = {
  readonly kind?: 'raw'
  /** Unique name of this object. */
  readonly key: string
  readonly create: string
  readonly drop?: string
  /** Names (`db.name`) or keys of what must exist before. */
  readonly dependsOn?: readonly string[]
}

export type TableDeclaration<C extends ColumnsInput = ColumnsInput, S extends SettingsInput = SettingsInput> = Readonly<
  TableInput<C, S>
> & { readonly kind: 'table' }
export type ViewDeclaration<C extends ViewColumnsInput = ViewColumnsInput> = Readonly<ViewInput<C>> & {
  readonly kind: 'view'
}
export type MaterializedViewDeclaration<C extends ViewColumnsInput = ViewColumnsInput> = Readonly<
  MaterializedViewInput<C>
> & { readonly kind: 'materialized_view' }
export type DictionaryDeclaration<A extends DictionaryAttributesInput = DictionaryAttributesInput> = Readonly<
  DictionaryInput<A>
> & { readonly kind: 'dictionary' }
export type SqlFunctionDeclaration = Readonly<SqlFunctionInput> & { readonly kind: 'sql_function' }
export type DatabaseDeclaration = Readonly<DatabaseInput> & { readonly kind: 'database' }
export type RoleDeclaration = Readonly<RoleInput> & { readonly kind: 'role' }
export type UserDeclaration = Readonly<UserInput> & { readonly kind: 'user' }
export type GrantDeclaration = Readonly<GrantInput> & { readonly kind: 'grant' }
export type RowPolicyDeclaration = Readonly<RowPolicyInput> & { readonly kind: 'row_policy' }
export type QuotaDeclaration = Readonly<QuotaInput> & { readonly kind: 'quota' }
export type SettingsProfileDeclaration = Readonly<SettingsProfileInput> & { readonly kind: 'settings_profile' }
export type NamedCollectionDeclaration = Readonly<NamedCollectionInput> & { readonly kind: 'named_collection' }
export type RawDeclaration = Readonly<RawInput> & { readonly kind: 'raw' }

/** Whatever a schema file may export. */
export type Declaration =
  | TableDeclaration
  | ViewDeclaration
  | MaterializedViewDeclaration
  | DictionaryDeclaration
  | SqlFunctionDeclaration
  | DatabaseDeclaration
  | RoleDeclaration
  | UserDeclaration
  | GrantDeclaration
  | RowPolicyDeclaration
  | QuotaDeclaration
  | SettingsProfileDeclaration
  | NamedCollectionDeclaration
  | RawDeclaration

/** A table of any engine. */
export function table<const C extends ColumnsInput, const S extends SettingsInput = SettingsInput>(
  input: TableInput<C, S>,
): TableDeclaration<C, S> {
  return frozen('table', input)
}

/** A view. */
export function view<const C extends ViewColumnsInput = ViewColumnsInput>(input: ViewInput<C>): ViewDeclaration<C> {
  return frozen('view', input)
}

/** A materialized view with a target table or an inner table, refreshable or not. */
export function materializedView<const C extends ViewColumnsInput = ViewColumnsInput>(
  input: MaterializedViewInput<C>,
): MaterializedViewDeclaration<C> {
  return frozen('materialized_view', input)
}

/** A dictionary. */
export function dictionary<const A extends DictionaryAttributesInput>(
  input: DictionaryInput<A>,
): DictionaryDeclaration<A> {
  return frozen('dictionary', input)
}

/** A function defined by a lambda expression. */
export function sqlFunction(input: SqlFunctionInput): SqlFunctionDeclaration {
  return frozen('sql_function', input)
}

/** A database; those that tables use are created without being declared. */
export function database(input: DatabaseInput): DatabaseDeclaration {
  return frozen('database', input)
}

/** A role. */
export function role(input: RoleInput): RoleDeclaration {
  return frozen('role', input)
}

/** A user; secrets only as `env:NAME`. */
export function user(input: UserInput): UserDeclaration {
  return frozen('user', input)
}

/** Privileges or roles granted to users and roles. */
export function grant(input: GrantInput): GrantDeclaration {
  return frozen('grant', input)
}

/** A row policy on a table. */
export function rowPolicy(input: RowPolicyInput): RowPolicyDeclaration {
  return frozen('row_policy', input)
}

/** A quota. */
export function quota(input: QuotaInput): QuotaDeclaration {
  return frozen('quota', input)
}

/** A settings profile. */
export function settingsProfile(input: SettingsProfileInput): SettingsProfileDeclaration {
  return frozen('settings_profile', input)
}

/** A named collection; secrets only as `env:NAME`. */
export function namedCollection(input: NamedCollectionInput): NamedCollectionDeclaration {
  return frozen('named_collection', input)
}

/** Anything else: a CREATE statement, and how to drop what it made. */
export function raw(input: RawInput): RawDeclaration {
  return frozen('raw', input)
}

/** Several definitions as one value, for `export default schema(a, b)`. Arrays are flattened. */
export function schema<const T extends readonly (Declaration | readonly Declaration[])[]>(...definitions: T): T {
  return Object.freeze(definitions)
}

/** A frozen copy, all the way down, so that definitions can be shared without one user changing another's. */
function frozen<K extends Declaration['kind'], T extends object>(
  kind: K,
  input: T,
): Readonly<T> & { readonly kind: K } {
  const definition = Object.freeze({ ...copyFields(input), kind })
  noteCall(definition)
  return definition
}

function copyFields<T extends object>(input: T): T {
  const copy = { ...input }
  for (const key in copy) copy[key] = frozenCopy(copy[key])
  return copy
}

function frozenCopy<T>(value: T): T {
  if (Array.isArray(value)) return Object.freeze(value.map(frozenCopy)) as T
  if (typeof value !== 'object' || value === null) return value
  const prototype: unknown = Object.getPrototypeOf(value)
  // Dates, maps and the like may stand in plugin options: they are kept as they are.
  return prototype === Object.prototype || prototype === null ? Object.freeze(copyFields(value)) : value
}
