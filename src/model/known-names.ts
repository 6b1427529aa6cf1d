import { nearest } from '../nearest.js'
import { parseTypeText } from '../sql/parse.js'
import { walk } from '../sql/walk.js'
import type { Definition } from './definition.js'
import { canonicalTypeName } from './functions.js'

/**
 * The types and engines that there are. A name that is none of them but near one is most likely a slip, which only the
 * server would notice, in the middle of a migration. One that is near none may be of a newer server: nothing is said.
 */

/** `system.data_type_families` of 26.7 without aliases, and what earlier servers had. */
export const KNOWN_TYPES: ReadonlySet<string> = new Set(
  `AggregateFunction Array BFloat16 Bool Date Date32 DateTime DateTime32 DateTime64 Decimal Decimal128 Decimal256 Decimal32
   Decimal64 Dynamic Enum Enum16 Enum8 FixedString Float32 Float64 Geometry IPv4 IPv6 Int128 Int16 Int256 Int32 Int64 Int8
   IntervalDay IntervalHour IntervalMicrosecond IntervalMillisecond IntervalMinute IntervalMonth IntervalNanosecond
   IntervalQuarter IntervalSecond IntervalWeek IntervalYear JSON LineString LowCardinality Map MultiLineString MultiPolygon
   Nested Nothing Nullable Object Point Polygon QBit Ring SimpleAggregateFunction String Time Time64 Tuple UInt128 UInt16
   UInt256 UInt32 UInt64 UInt8 UUID Variant`.split(/\s+/),
)

const MERGE_TREES =
  'AggregatingMergeTree CoalescingMergeTree CollapsingMergeTree GraphiteMergeTree MergeTree ReplacingMergeTree SummingMergeTree VersionedCollapsingMergeTree'.split(
    ' ',
  )

/** `system.table_engines` of 26.7, and what earlier servers and ClickHouse Cloud have. */
export const KNOWN_ENGINES: ReadonlySet<string> = new Set([
  ...MERGE_TREES.flatMap((name) => [name, `Replicated${name}`, `Shared${name}`]),
  ...`Alias ArrowFlight ArrowStream AzureBlobStorage AzureQueue Buffer COSN DeltaLake DeltaLakeAzure DeltaLakeLocal DeltaLakeS3
    Dictionary Distributed EmbeddedRocksDB Executable ExecutablePool ExternalDistributed File FileLog FuzzJSON FuzzQuery GCS
    GenerateRandom HDFS Hive Hudi Iceberg IcebergAzure IcebergHDFS IcebergLocal IcebergS3 JDBC Join Kafka KeeperMap Log Loop
    MaterializedPostgreSQL MaterializedView Memory Merge MongoDB MySQL NATS Null ODBC OSS Paimon PaimonAzure PaimonHDFS
    PaimonLocal PaimonS3 PostgreSQL QueryRunner RabbitMQ Redis Remote RemoteSecure S3 S3Queue SQLite Set SharedJoin SharedSet
    StripeLog TimeSeries TinyLog URL View WindowView YTsaurus`.split(/\s+/),
])

/** A name that nothing has, and the one that was probably meant. */
export type Slip = { readonly place: string; readonly name: string; readonly meant: string }

/** Types and engines of `definition` that look like slips, each once. */
export function slipsOf(definition: Definition): readonly Slip[] {
  const slips: Slip[] = []
  const types = (columns: readonly { readonly name: string; readonly type: string }[], what: string) => {
    for (const { name, type } of columns)
      for (const slip of typeSlips(type)) slips.push({ place: `${what} ${name} has the type`, ...slip })
  }
  const engine = (name: string | undefined) => {
    const meant = name === undefined || KNOWN_ENGINES.has(name) ? undefined : nearest(name, [...KNOWN_ENGINES])
    if (name !== undefined && meant !== undefined) slips.push({ place: 'it has the engine', name, meant })
  }
  switch (definition.kind) {
    case 'table':
      types(definition.columns, 'column')
      engine(definition.engine.name)
      break
    case 'materialized_view':
      types(definition.columns ?? [], 'column')
      engine(definition.inner?.engine.name)
      break
    case 'dictionary':
      types(definition.attributes, 'attribute')
      break
    default:
  }
  return slips
}

/** Answers by text: a schema says the same few types thousands of times. */
const TYPE_SLIPS = new Map<string, readonly Omit<Slip, 'place'>[]>()

function typeSlips(type: string): readonly Omit<Slip, 'place'>[] {
  if (KNOWN_TYPES.has(type)) return []
  let slips = TYPE_SLIPS.get(type)
  if (slips === undefined) {
    slips = readSlips(type)
    if (TYPE_SLIPS.size < 1000) TYPE_SLIPS.set(type, slips)
  }
  return slips
}

function readSlips(type: string): readonly Omit<Slip, 'place'>[] {
  const slips = new Map<string, string>()
  walk(parseTypeText(type).node, (node) => {
    if (node.kind !== 'type' || KNOWN_TYPES.has(canonicalTypeName(node.name))) return undefined
    const meant = nearest(node.name, [...KNOWN_TYPES])
    if (meant !== undefined) slips.set(node.name, meant)
    return undefined
  })
  return [...slips].map(([name, meant]) => ({ name, meant }))
}
