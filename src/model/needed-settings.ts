import type { Expression, TypeArgument, TypeNode } from '../sql/ast.js'
import type { TtlRule } from '../sql/ast-ddl.js'
import { referencedColumns } from '../sql/walk.js'
import { readCalls, readTtl, readType } from './clause.js'
import type { Column, Table } from './definition.js'
import type { SettingsInput } from './dsl.js'
import { hasKeyInParameters, isMergeTree } from './storage.js'

/**
 * The query settings without which a server with default settings refuses to create `table`, each with the value 1, in
 * order of their names; empty for nearly every table. A server may have such a table because its author's session or
 * profile allowed it. CREATE takes these settings in its own SETTINGS clause and does not store them. Seen on 26.7.
 */
export function neededSettings(table: Table): SettingsInput {
  if (!takesQuerySettings(table.engine.name)) return {}
  const names = new Set<string>()
  for (const column of table.columns) {
    addForType(column.type, names)
    addForCodec(column, names)
    if (column.ttl !== undefined) addForTtl(column.ttl, names)
  }
  for (const rule of table.ttl ?? []) addForTtl(rule, names)
  if (hasKeyInParameters(table.engine)) names.add('allow_deprecated_syntax_for_merge_tree')
  if (table.engine.name === 'TimeSeries') names.add('allow_experimental_time_series_table')
  if (table.uniqueKey !== undefined) names.add('allow_experimental_unique_key')
  return Object.fromEntries([...names].sort().map((name) => [name, 1]))
}

const OTHER_ENGINES: ReadonlySet<string> = new Set(
  `Memory Log TinyLog StripeLog Null Buffer Merge Set Join Kafka TimeSeries GenerateRandom EmbeddedRocksDB Redis MySQL
   PostgreSQL MongoDB SQLite ODBC Executable ExecutablePool S3 GCS OSS HDFS DeltaLake`.split(/\s+/),
)

/** True for engines whose SETTINGS the server searches for settings of the query. */
function takesQuerySettings(engine: string): boolean {
  return isMergeTree(engine) || OTHER_ENGINES.has(engine)
}

/** Only these types can hold what is refused by default. */
const MAYBE_REFUSED =
  /LowCardinality\(|FixedString\(|Variant\(|Nullable\((?:Tuple\(|Point\))|AggregateFunction\(timeSeries/

function addForType(type: string, names: Set<string>): void {
  if (!MAYBE_REFUSED.test(type)) return
  const parsed = readType(type)
  if (parsed.problem === undefined) visitType(parsed.node, names)
}

function visitType(type: TypeNode, names: Set<string>): void {
  const inner = (type.args ?? []).flatMap(typesIn)
  const [first] = inner
  switch (type.name) {
    case 'LowCardinality': {
      const held = first?.name === 'Nullable' ? (first.args ?? []).flatMap(typesIn)[0] : first
      if (held?.name !== 'String' && held?.name !== 'FixedString') names.add('allow_suspicious_low_cardinality_types')
      break
    }
    case 'FixedString': {
      const [size] = type.args ?? []
      if (size?.kind === 'literal' && size.type === 'int' && Number(size.value) > 256)
        names.add('allow_suspicious_fixed_string_types')
      break
    }
    case 'Nullable':
      if (first?.name === 'Tuple' || first?.name === 'Point') names.add('enable_nullable_tuple_type')
      break
    case 'AggregateFunction':
      if (functionIn(type)?.startsWith('timeSeries')) names.add('allow_experimental_time_series_aggregate_functions')
      break
    case 'Variant':
      if (new Set(inner.map(family)).size < inner.length) names.add('allow_suspicious_variant_types')
      break
  }
  for (const one of inner) visitType(one, names)
}

/** The name of the function whose state the type is. */
function functionIn({ args }: TypeNode): string | undefined {
  const [call] = args ?? []
  if (call?.kind === 'identifier') return String(call.parts[0])
  return call?.kind === 'type' || call?.kind === 'function' ? call.name : undefined
}

function typesIn(arg: TypeArgument): readonly TypeNode[] {
  if (arg.kind === 'type') return [arg]
  return arg.kind === 'namedType' || arg.kind === 'jsonPath' ? [arg.type] : []
}

/** Two types of one family are similar for a Variant: they may have a common type. */
function family({ name, args = [] }: TypeNode): string {
  if (/^(?:U?Int\d+|BFloat16|Float\d+|Decimal|Bool)/.test(name)) return 'number'
  if (/^Date/.test(name)) return 'date'
  if (name === 'FixedString' || name.startsWith('Enum')) return 'String'
  return name === 'LowCardinality' || name === 'Nullable' ? (args.flatMap(typesIn).map(family)[0] ?? name) : name
}

const GENERIC_CODECS: ReadonlySet<string> = new Set([
  'LZ4',
  'LZ4HC',
  'ZSTD',
  'Default',
  'ZXC',
  'DEFLATE_QPL',
  'ZSTD_QAT',
])
/** Codecs that compress on their own. */
const COMPRESSING_CODECS: ReadonlySet<string> = new Set([
  ...GENERIC_CODECS,
  'T64',
  'Gorilla',
  'FPC',
  'DoubleDelta',
  'ALP',
])
const FLOAT_CODECS: ReadonlySet<string> = new Set(['Gorilla', 'FPC', 'ALP'])
const EXPERIMENTAL_CODECS: ReadonlySet<string> = new Set(['ALP', 'ZXC', 'Quantized'])

/** The rules of `CompressionCodecFactory`, a little wider: a setting too many changes nothing. */
function addForCodec({ type, codec }: Column, names: Set<string>): void {
  // Nearly every codec there is.
  if (codec === undefined || /^(?:ZSTD\(\d+\)|LZ4|NONE|Default)$/.test(codec)) return
  const parsed = readCalls(codec)
  if (parsed.problem !== undefined) return
  const codecs = parsed.node.map(({ name }) => name)
  if (codecs.some((name) => EXPERIMENTAL_CODECS.has(name))) names.add('allow_experimental_codecs')
  if (codecs.includes('ZSTD_QAT')) names.add('enable_zstd_qat_codec')
  if (codecs.includes('DEFLATE_QPL')) names.add('enable_deflate_qpl_codec')
  const isFloat = type.includes('Float')
  if (isSuspicious(codecs) || (!isFloat && codecs.some((name) => FLOAT_CODECS.has(name))))
    names.add('allow_suspicious_codecs')
}

/** True for a list of codecs that makes no sense to the server. */
function isSuspicious(codecs: readonly string[]): boolean {
  const isEncryption = (name: string) => name.startsWith('AES_')
  const compresses = codecs.some((name) => COMPRESSING_CODECS.has(name))
  if (codecs.length === 1) return !compresses && codecs[0] !== 'NONE' && !isEncryption(codecs[0]!)
  // Nothing but encryption may follow a codec of the end, and nothing may stand before one for floats.
  const end = codecs.findIndex((name) => GENERIC_CODECS.has(name) || isEncryption(name))
  return (
    !compresses ||
    codecs.includes('NONE') ||
    (end >= 0 && !codecs.slice(end + 1).every(isEncryption)) ||
    codecs.findIndex((name) => FLOAT_CODECS.has(name)) > 0
  )
}

function addForTtl(rule: string, names: Set<string>): void {
  const parsed = readTtl(rule)
  if (parsed.problem !== undefined) return
  const reads = (expression: Expression) => referencedColumns(expression).length > 0
  const isPlain = ({ expression, action }: TtlRule) =>
    reads(expression) && (action.kind !== 'recompress' || !isSuspicious(namesOf(action.codec)))
  if (!parsed.node.every(isPlain)) names.add('allow_suspicious_ttl_expressions')
}

function namesOf(codec: readonly Expression[]): readonly string[] {
  return codec.flatMap((one) =>
    one.kind === 'function' ? [one.name] : one.kind === 'identifier' ? one.parts.map(String) : [],
  )
}
