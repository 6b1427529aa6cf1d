/** Compiled, not run: every line fails to compile when the mapping of types changes. */
import { dictionary, table, view } from '../../src/model/dsl.js'
import type { InferInsert, InferRow, InferType } from '../../src/model/infer.js'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
type Expect<T extends true> = T

export type TypeTexts = [
  // plain names
  Expect<Equal<InferType<'String'>, string>>,
  Expect<Equal<InferType<'UInt8'>, number>>,
  Expect<Equal<InferType<'Int32'>, number>>,
  Expect<Equal<InferType<'Float64'>, number>>,
  Expect<Equal<InferType<'BFloat16'>, number>>,
  Expect<Equal<InferType<'Bool'>, boolean>>,
  Expect<Equal<InferType<'UUID'>, string>>,
  Expect<Equal<InferType<'IPv6'>, string>>,
  Expect<Equal<InferType<'Nothing'>, null>>,
  // wide integers
  Expect<Equal<InferType<'UInt64'>, string>>,
  Expect<Equal<InferType<'Int256'>, string>>,
  Expect<Equal<InferType<'IntervalDay'>, string>>,
  Expect<Equal<InferType<'Array(UInt64)', bigint>, bigint[]>>,
  // dates and times, with time zones
  Expect<Equal<InferType<'Date32'>, string>>,
  Expect<Equal<InferType<"DateTime('Asia/Tokyo')">, string>>,
  Expect<Equal<InferType<"DateTime64(9, 'UTC')">, string>>,
  Expect<Equal<InferType<"Nullable(DateTime64(3, 'Europe/Berlin'))">, string | null>>,
  Expect<Equal<InferType<'Time64(6)'>, string>>,
  // Decimal
  Expect<Equal<InferType<'Decimal(38, 10)'>, number>>,
  Expect<Equal<InferType<'Decimal64(4)'>, number>>,
  Expect<Equal<InferType<'Array(Decimal(9, 2))', string, string>, string[]>>,
  // wrappers
  Expect<Equal<InferType<'Nullable(UInt8)'>, number | null>>,
  Expect<Equal<InferType<'LowCardinality(Nullable(String))'>, string | null>>,
  Expect<Equal<InferType<'Array(Array(Nullable(Int8)))'>, (number | null)[][]>>,
  Expect<Equal<InferType<'FixedString(16)'>, string>>,
  Expect<Equal<InferType<'Map(String, UInt8)'>, Record<string, number>>>,
  Expect<Equal<InferType<'Map(UInt64, Array(Nullable(String)))'>, Record<string, (string | null)[]>>>,
  Expect<Equal<InferType<'Map(LowCardinality(String), Map(Date, Bool))'>, Record<string, Record<string, boolean>>>>,
  Expect<Equal<InferType<"Map(Enum8('a,b' = 1, ')' = 2), UInt8)">, Record<string, number>>>,
  // tuples
  Expect<Equal<InferType<'Tuple(UInt8, String)'>, [number, string]>>,
  Expect<Equal<InferType<'Tuple(DateTime64(3), Decimal(9, 2), Array(UInt8))'>, [string, number, number[]]>>,
  Expect<Equal<InferType<'Tuple(BIGINT UNSIGNED, double precision)'>, [string, number]>>,
  Expect<Equal<InferType<'Tuple(a UInt8, b Nullable(String))'>, { a: number; b: string | null }>>,
  Expect<Equal<InferType<'Tuple(\n    a UInt8,\n    b Tuple(\n        c String))'>, { a: number; b: { c: string } }>>,
  Expect<
    Equal<InferType<'Tuple(`x y` UInt8, `a\\`b` String, "q" Bool)'>, { 'x y': number; 'a`b': string; q: boolean }>
  >,
  Expect<Equal<InferType<'Tuple(`a,b(` UInt8, c String)'>, { 'a,b(': number; c: string }>>,
  Expect<Equal<InferType<'Tuple(UInt8)'>, [number]>>,
  Expect<Equal<InferType<'Tuple(Array(Date), Array(String))'>, [string[], string[]]>>,
  Expect<Equal<InferType<'Tuple()'>, []>>,
  Expect<Equal<InferType<'Nullable(Tuple(a UInt8))'>, { a: number } | null>>,
  Expect<Equal<InferType<'Nested(a UInt8, b Nested(c String))'>, { a: number; b: { c: string }[] }[]>>,
  // enums
  Expect<Equal<InferType<"Enum8('a' = 1, 'b' = 2)">, 'a' | 'b'>>,
  Expect<Equal<InferType<"Enum16('a' = -1, '' = 2)">, 'a' | ''>>,
  Expect<Equal<InferType<"Enum('plain', 'two')">, 'plain' | 'two'>>,
  Expect<
    Equal<
      InferType<"Enum8('it\\'s' = 1, 'it''s too' = 2, 'b\\\\' = 3, 'c\\n' = 4)">,
      "it's" | "it's too" | 'b\\' | 'c\n'
    >
  >,
  Expect<Equal<InferType<"Enum8('a, b' = 1, 'c)(' = 2, 'd = 3' = 3)">, 'a, b' | 'c)(' | 'd = 3'>>,
  Expect<Equal<InferType<"Array(Enum8('on' = 1, 'off' = 0))">, ('on' | 'off')[]>>,
  // aggregates
  Expect<Equal<InferType<'SimpleAggregateFunction(sum, UInt64)'>, string>>,
  Expect<Equal<InferType<'SimpleAggregateFunction(groupArrayArray, Array(Nullable(UInt8)))'>, (number | null)[]>>,
  Expect<Equal<InferType<'SimpleAggregateFunction(maxMap, Map(String, UInt8))'>, Record<string, number>>>,
  Expect<Equal<InferType<'AggregateFunction(sum, UInt64)'>, unknown>>,
  // semi-structured
  Expect<Equal<InferType<'Variant(UInt64, String, Array(Bool))'>, string | boolean[] | null>>,
  Expect<Equal<InferType<'Dynamic'>, unknown>>,
  Expect<Equal<InferType<'Dynamic(max_types=3)'>, unknown>>,
  Expect<Equal<InferType<'JSON'>, Record<string, unknown>>>,
  Expect<
    Equal<
      InferType<'JSON(max_dynamic_paths=2, a.b String)'>,
      { a: { b: string; [path: string]: unknown }; [path: string]: unknown }
    >
  >,
  Expect<
    Equal<
      InferInsert<{ kind: 'table'; columns: [{ name: 'j'; type: 'JSON(a.b String)' }] }>,
      { j: { a?: { b?: string | undefined; [path: string]: unknown } | undefined; [path: string]: unknown } }
    >
  >,
  Expect<Equal<InferType<'QBit(Float32, 8)'>, number[]>>,
  // geo
  Expect<Equal<InferType<'Point'>, [number, number]>>,
  Expect<Equal<InferType<'MultiPolygon'>, [number, number][][][]>>,
  // names of other databases, in any case
  Expect<Equal<InferType<'varchar(255)'>, string>>,
  Expect<Equal<InferType<'INT'>, number>>,
  Expect<Equal<InferType<'INT(11) UNSIGNED'>, number>>,
  Expect<Equal<InferType<'bigint unsigned'>, string>>,
  Expect<Equal<InferType<'NUMERIC(5,2)'>, number>>,
  Expect<Equal<InferType<'boolean'>, boolean>>,
  Expect<Equal<InferType<'TIMESTAMP'>, string>>,
  // white space, and what is no type
  Expect<Equal<InferType<' Nullable( UInt8 ) '>, number | null>>,
  Expect<Equal<InferType<'Array (UInt8)'>, number[]>>,
  Expect<Equal<InferType<'NoSuchType'>, unknown>>,
  Expect<Equal<InferType<string>, unknown>>,
]

const events = table({
  database: 'app',
  name: 'events',
  engine: 'MergeTree',
  orderBy: 'id',
  columns: [
    { name: 'id', type: 'UInt64' },
    { name: 'kind', type: "Enum8('view' = 1, 'buy' = 2)", default: 'view' },
    { name: 'note', type: 'String', nullable: true },
    { name: 'at', type: 'DateTime64(3)', defaultExpression: 'now64(3)' },
    { name: 'day', type: 'Date', materialized: 'toDate(at)' },
    { name: 'shout', type: 'String', alias: 'upper(note)' },
    { name: 'maybe', type: 'Nullable(UInt8)', materialized: 'NULL' },
    { name: 'state', type: 'AggregateFunction(sum, UInt64)' },
    { name: 'last', type: 'SimpleAggregateFunction(anyLast, Nullable(String))' },
    { name: 'raw', type: 'String', ephemeral: true },
    { name: 'items', type: 'Nested(sku String, n UInt8)' },
    { name: 'free', type: 'Dynamic' },
  ],
})

type EventsRow = {
  id: string
  kind: 'view' | 'buy'
  note: string | null
  at: string
  day?: string
  shout?: string
  maybe?: number | null
  state: unknown
  last: string | null
  'items.sku': string[]
  'items.n': number[]
  free: unknown
}
type EventsInsert = {
  id: string
  kind?: 'view' | 'buy'
  note?: string | null
  at?: string
  raw?: string
  state?: unknown
  last?: string | null
  'items.sku': string[]
  'items.n': number[]
  free?: unknown
}

const record = table({
  name: 'record',
  engine: 'MergeTree',
  orderBy: 'id',
  settings: { flatten_nested: 0 },
  columns: {
    id: 'UInt64',
    at: { type: 'DateTime', defaultExpression: 'now()' },
    n: 'Nested(a UInt8)',
    // A tuple that holds NULL cannot be NULL itself.
    p: 'SimpleAggregateFunction(anyLast, Tuple(UInt8, Nullable(String)))',
  },
})

const daily = view({ name: 'daily', as: 'SELECT 1 AS one', columns: { one: 'UInt8' } })
const users = dictionary({
  name: 'users',
  primaryKey: 'id',
  source: "CLICKHOUSE(TABLE 'users')",
  layout: 'FLAT()',
  attributes: { id: 'UInt64', name: { type: 'String', default: '' } },
})

type Pair = [number, string | null]

export type Tables = [
  Expect<Equal<InferRow<typeof events>, EventsRow>>,
  Expect<Equal<InferInsert<typeof events>, EventsInsert>>,
  Expect<Equal<InferRow<typeof events, bigint>['id'], bigint>>,
  Expect<Equal<InferRow<typeof record>, { id: string; at: string; n: { a: number }[]; p: Pair }>>,
  Expect<Equal<InferInsert<typeof record>, { id: string; at?: string; n: { a: number }[]; p: Pair }>>,
  Expect<Equal<InferRow<typeof daily>, { one: number }>>,
  Expect<Equal<InferRow<typeof users>, { id: string; name: string }>>,
]

export const accepted: InferInsert<typeof events> = { id: '1', 'items.sku': [], 'items.n': [] }
// @ts-expect-error id has no default
export const missing: InferInsert<typeof events> = { 'items.sku': [], 'items.n': [] }
// @ts-expect-error a MATERIALIZED column takes no value
export const computed: InferInsert<typeof events> = { id: '1', 'items.sku': [], 'items.n': [], day: '2020-01-01' }
// @ts-expect-error an Enum takes its own names only
export const wrongName: InferInsert<typeof events> = { id: '1', 'items.sku': [], 'items.n': [], kind: 'sell' }
