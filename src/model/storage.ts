import type { Expression, FunctionCall, Setting } from '../sql/ast.js'
import type { StorageDefinition, TtlRule } from '../sql/ast-ddl.js'
import { printExpression } from '../sql/print.js'
import { quoteIdentifierIfNeeded, quoteString } from '../sql/quote.js'
import {
  compareCodeUnits,
  type Engine,
  type Settings,
  type Spelling,
  type SqlText,
  type Storage,
} from './definition.js'
import { expressionText, withoutBrackets } from './expression.js'
import { isQuerySetting } from './query-settings.js'

/** The canonical storage clauses, and how they were written where the server keeps another spelling. */
export type StorageForm = { readonly storage: Storage; readonly spelling: Spelling }

/** The setting that the server writes into every MergeTree table that does not have it. */
const IMPLIED_SETTING = 'index_granularity = 8192'

/** The name of the engine's family: `MergeTree` for all of them, replicated and shared ones included. */
export function isMergeTree(engine: string): boolean {
  return engine.endsWith('MergeTree')
}

/** True for the deprecated `MergeTree(date, (key), 8192)`, whose keys are parameters; it takes no clauses. */
export function hasKeyInParameters({ name, args }: Engine): boolean {
  return isMergeTree(name) && args.length >= 3 && args.some((arg) => /^\d+$/.test(arg))
}

/**
 * The canonical form of ENGINE and its clauses. `hasNested`: the table keeps Nested columns whole, which the server
 * only does with `flatten_nested = 0`. `database` is what `currentDatabase()` means in the engine's parameters.
 */
export function storageForm(
  node: StorageDefinition | undefined,
  options: { readonly database: string; readonly hasNested: boolean },
): StorageForm {
  const engine = engineForm(node?.engine, options.database)
  const mergeTree = isMergeTree(engine.name)
  const written = { orderBy: node?.orderBy, primaryKey: node?.primaryKey }
  const primaryKey = written.primaryKey && keyEntries(written.primaryKey)
  const isKeyed = mergeTree && !hasKeyInParameters(engine)
  const orderBy = written.orderBy ? keyEntries(written.orderBy) : isKeyed ? (primaryKey ?? []) : undefined
  const keysDiffer = primaryKey !== undefined && primaryKey.join() !== orderBy?.join()
  const partitionBy = node?.partitionBy && keyEntries(node.partitionBy)
  const settings = settingsForm(node?.settings ?? [], engine.name, options.hasNested)
  const storage: Storage = {
    engine,
    ...(orderBy && { orderBy }),
    ...(keysDiffer && { primaryKey }),
    ...(partitionBy && partitionBy.length > 0 && { partitionBy }),
    ...(node?.sampleBy && { sampleBy: expressionText(node.sampleBy) }),
    ...(node?.uniqueKey && { uniqueKey: keyEntries(node.uniqueKey) }),
    ...(node?.ttl && { ttl: node.ttl.map(ttlText) }),
    ...(settings.canonical && { settings: settings.canonical }),
  }
  const primarySpelling = written.primaryKey && keySpelling(written.primaryKey, keysDiffer ? primaryKey : undefined)
  return {
    storage,
    spelling: compact({
      orderBy: written.orderBy && keySpelling(written.orderBy, orderBy),
      primaryKey: primarySpelling,
      partitionBy: node?.partitionBy && keySpelling(node.partitionBy, storage.partitionBy),
      uniqueKey: node?.uniqueKey && keySpelling(node.uniqueKey, storage.uniqueKey),
      settings: settings.spelling,
    }),
  }
}

/** The fields of `fields` that are set. */
export function compact<const T extends object>(fields: T): T {
  const kept: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) kept[name] = value
  return kept as T
}

/** A key clause from its entries: `tuple()`, `a`, `(a, b)`. Descending entries stand in `tuple(..)`. */
export function keyClause(entries: readonly SqlText[]): SqlText {
  if (entries.length === 0) return 'tuple()'
  if (entries.some((entry) => entry.endsWith(' DESC'))) return `tuple(${entries.join(', ')})`
  return entries.length === 1 ? entries[0]! : `(${entries.join(', ')})`
}

/** The entries of a key: `(a, b)` and `tuple(a, b)` are two, `(a)` and `a` are one, `()` is none. */
export function keyEntries(key: Expression): readonly SqlText[] {
  if (key.kind === 'function' && key.name.toLowerCase() === 'tuple' && key.alias === undefined)
    return (key.args ?? []).map((entry) => entryText(entry))
  if (key.kind === 'literal' && key.type === 'tuple') return key.items.map((entry) => entryText(entry))
  return [entryText(key)]
}

function entryText(entry: Expression): SqlText {
  if (entry.kind !== 'orderByElement') return expressionText(withoutBrackets(entry))
  const text = expressionText(withoutBrackets(entry.expression))
  return entry.direction === 'DESC' ? `${text} DESC` : text
}

function keySpelling(key: Expression, entries: readonly SqlText[] | undefined): SqlText | undefined {
  const text = key.kind === 'orderByElement' ? entryText(key) : expressionText(key)
  return entries !== undefined && keyClause(entries) === text ? undefined : text
}

/** One rule of a table TTL. */
export function ttlText(rule: TtlRule): SqlText {
  const expression = expressionText(rule.expression)
  const { action } = rule
  switch (action.kind) {
    case 'delete':
      return action.where ? `${expression} WHERE ${expressionText(action.where)}` : expression
    case 'move':
      return `${expression} TO ${action.to} ${action.ifExists ? 'IF EXISTS ' : ''}${quoteString(action.name)}`
    case 'recompress':
      return `${expression} RECOMPRESS CODEC(${action.codec.map((codec) => printExpression(codec)).join(', ')})`
    case 'groupBy': {
      const by = action.by.map(expressionText).join(', ')
      const set = action.set.map(
        ({ column, expression: value }) => `${printExpression(column)} = ${expressionText(value)}`,
      )
      return `${expression} GROUP BY ${by}${set.length > 0 ? ` SET ${set.join(', ')}` : ''}`
    }
  }
}

/**
 * Engines whose parameters may be written as bare names and are stored as strings (seen on 26.7), with the positions
 * for which that holds; `true` is all.
 */
const NAMES_AS_STRINGS: Readonly<Record<string, true | readonly number[]>> = {
  Alias: true,
  Merge: [0, 1],
  Buffer: [0, 1],
  Distributed: [0, 1, 2, 4],
  // A path may be `stdin` or `stdout`, which stay names.
  File: [0, 2],
  URL: true,
  S3: true,
  GCS: true,
  OSS: true,
  COSN: true,
  HDFS: true,
  AzureBlobStorage: true,
  SQLite: true,
  Remote: [1, 2],
  RemoteSecure: [1, 2],
  ODBC: true,
  JDBC: true,
  Executable: true,
  ExecutablePool: true,
  DeltaLake: true,
  DeltaLakeS3: true,
  DeltaLakeAzure: true,
  DeltaLakeLocal: true,
  Iceberg: true,
  IcebergS3: true,
  IcebergAzure: true,
  IcebergLocal: true,
  Hudi: true,
}

/** Engines that take parameters by name behind the others. */
const S3_LIKE: ReadonlySet<string> = new Set(['S3', 'GCS', 'OSS', 'COSN', 'AzureBlobStorage'])

/** Engines that take a named collection in the place of the address: only there may a bare name stand (seen on 26.7). */
const TAKES_COLLECTION: ReadonlySet<string> = new Set(
  `URL S3 GCS OSS COSN HDFS AzureBlobStorage ODBC JDBC DeltaLake DeltaLakeS3 DeltaLakeAzure DeltaLakeLocal
   Iceberg IcebergS3 IcebergAzure IcebergLocal Hudi`.split(/\s+/),
)

/** Engines whose `db.name` is shown as one string, while a bare name stays one. */
const QUALIFIED_AS_STRING = new Set(['Dictionary', 'Remote', 'RemoteSecure'])

/** Engine and parameters; MergeTree where none is named. */
export function engineForm(call: FunctionCall | undefined, database: string): Engine {
  if (call === undefined) return { name: 'MergeTree', args: [] }
  // Behind a named collection all parameters are stored as they were written.
  if (TAKES_COLLECTION.has(call.name) && call.args?.[0]?.kind === 'identifier')
    return { name: call.name, args: call.args.map((arg) => printExpression(arg)) }
  const asStrings = NAMES_AS_STRINGS[call.name]
  const args = (call.args ?? []).map((arg, index) => {
    if (QUALIFIED_AS_STRING.has(call.name) && arg.kind === 'identifier' && arg.parts.length === 2)
      return quoteString(arg.parts.map(String).join('.'))
    if (S3_LIKE.has(call.name) && arg.kind === 'function') return namedArgument(arg)
    if (asStrings === undefined || (asStrings !== true && !asStrings.includes(index))) return expressionText(arg)
    if (arg.kind === 'identifier' && arg.parts.length === 1 && typeof arg.parts[0] === 'string')
      return quoteString(arg.parts[0])
    if (arg.kind === 'function' && arg.name.toLowerCase() === 'currentdatabase') return quoteString(database)
    // Buffer('', t): the database of the session.
    return call.name === 'Buffer' && index === 0 && isEmptyString(arg) ? quoteString(database) : expressionText(arg)
  })
  return { name: call.name, args: S3_LIKE.has(call.name) ? withoutRepeatedFormat(args) : args }
}

/** `format = CSV` and `extra_credentials(role_arn = 'x')`: the server writes the words it knows as strings. */
function namedArgument(call: FunctionCall): SqlText {
  const [name, value] = call.args ?? []
  if (call.name === 'equals' && name?.kind === 'identifier' && name.parts[0] === 'format')
    return printExpression({ ...call, args: [name, asString(value!)] })
  if (call.name !== 'extra_credentials') return expressionText(call)
  const pairs = (call.args ?? []).map((pair) =>
    pair.kind === 'function' && pair.name === 'equals' ? { ...pair, args: (pair.args ?? []).map(asString) } : pair,
  )
  return printExpression({ ...call, args: pairs })
}

function asString(value: Expression): Expression {
  const word = value.kind === 'identifier' && value.parts.length === 1 ? value.parts[0] : undefined
  return typeof word === 'string' ? { kind: 'literal', type: 'string', value: word } : value
}

const NAMED_FORMAT = 'format = '

/** The server writes a named format once more in its place among the others: `S3('url', 'CSV', format = 'CSV')`. */
function withoutRepeatedFormat(args: readonly SqlText[]): readonly SqlText[] {
  const format = args.find((arg) => arg.startsWith(NAMED_FORMAT))?.slice(NAMED_FORMAT.length)
  const repeated = format === undefined ? -1 : args.indexOf(format)
  return repeated < 0 ? args : args.filter((_, index) => index !== repeated)
}

function isEmptyString(arg: Expression): boolean {
  return arg.kind === 'literal' && arg.type === 'string' && arg.value === ''
}

/** The value of a setting as it stands in SQL. */
export function settingValue(value: Setting['value']): SqlText {
  return value.kind === 'default' ? 'DEFAULT' : printExpression(value)
}

/** One value for one meaning: `true`, `'1'` and `1` are `1`. Other texts stay. */
function canonicalValue(text: SqlText): SqlText {
  if (text === 'true') return '1'
  if (text === 'false') return '0'
  const bare = /^'(-?\d+(?:\.\d+)?)'$/.exec(text)?.[1] ?? text
  return /^-?\d+\.$/.test(bare) ? bare.slice(0, -1) : bare
}

/** Engines without settings of their own by the name of a query setting: such a setting is never stored with them. */
const PLAIN_ENGINES = new Set(['Memory', 'Log', 'TinyLog', 'StripeLog', 'Null', 'Buffer', 'Merge', 'Set'])

const QUERY_ONLY =
  /^(?:allow_|enable_|max_threads$|max_insert_threads$|max_memory_usage|max_execution_time$|insert_|log_|s3_|azure_)/

function isStored(name: string, engine: string): boolean {
  if (name === 'flatten_nested') return false
  if (isMergeTree(engine) || PLAIN_ENGINES.has(engine)) return !isQuerySetting(name)
  // Engines like Kafka and Join have settings of their own under names of query settings; only these never are.
  return !(QUERY_ONLY.test(name) && isQuerySetting(name))
}

function settingsForm(
  settings: readonly Setting[],
  engine: string,
  hasNested: boolean,
): { canonical?: Settings; spelling?: SqlText } {
  const stored: [string, SqlText][] = []
  const written: string[] = []
  for (const { name, value } of settings) {
    const text = settingValue(value)
    if (!(name === 'flatten_nested' && hasNested)) written.push(`${quoteIdentifierIfNeeded(name)} = ${text}`)
    if (!isStored(name, engine) || text === 'DEFAULT') continue
    const canonical = canonicalValue(text)
    if (name === 'index_granularity' && canonical === '8192' && isMergeTree(engine)) continue
    stored.push([name, canonical])
  }
  if (hasNested) {
    stored.push(['flatten_nested', '0'])
    written.push('flatten_nested = 0')
  }
  stored.sort(([a], [b]) => compareCodeUnits(a, b))
  const plain = stored.map(([name, value]) => `${quoteIdentifierIfNeeded(name)} = ${value}`)
  const text = written.join(', ')
  const implied = [plain, [...plain, IMPLIED_SETTING]]
  const isPlain = implied.some((list) => list.join(', ') === text)
  return {
    canonical: stored.length > 0 ? Object.fromEntries(stored) : undefined,
    spelling: isPlain ? undefined : text,
  }
}
