/**
 * A column of every type that a table of ClickHouse 26.7 can hold, with values at its edges. The name says the case.
 */

export type ColumnCase = {
  readonly name: string
  readonly type: string
  /** One SQL expression per row; the last one is repeated for the rows that are left. */
  readonly values: readonly string[]
  /** What the schema makes of each row under `chkitReadSettings`, with the default modes. */
  readonly parsed: readonly unknown[]
}

const column = (name: string, type: string, ...rows: readonly (readonly [string, unknown])[]): ColumnCase => ({
  name,
  type,
  values: rows.map(([value]) => value),
  parsed: rows.map(([, parsed]) => parsed),
})

export const EVERY_TYPE: readonly ColumnCase[] = [
  column('u8', 'UInt8', ['0', 0], ['255', 255]),
  column('u16', 'UInt16', ['0', 0], ['65535', 65535]),
  column('u32', 'UInt32', ['0', 0], ['4294967295', 4294967295]),
  column('i8', 'Int8', ['-128', -128], ['127', 127]),
  column('i16', 'Int16', ['-32768', -32768], ['32767', 32767]),
  column('i32', 'Int32', ['-2147483648', -2147483648], ['2147483647', 2147483647]),
  column('u64', 'UInt64', ['0', '0'], ['18446744073709551615', '18446744073709551615']),
  column(
    'i64',
    'Int64',
    ['-9223372036854775808', '-9223372036854775808'],
    ['9223372036854775807', '9223372036854775807'],
  ),
  column('u128', 'UInt128', ["'340282366920938463463374607431768211455'", '340282366920938463463374607431768211455']),
  column('i128', 'Int128', ["'-170141183460469231731687303715884105728'", '-170141183460469231731687303715884105728']),
  column('u256', 'UInt256', ["toUInt256('1') - toUInt256('2')", `${2n ** 256n - 1n}`]),
  column('i256', 'Int256', [`'${-(2n ** 255n)}'`, `${-(2n ** 255n)}`]),
  column('interval', 'IntervalNanosecond', ['-3', '-3']),
  column('month', 'IntervalMonth', ['12', '12']),
  column('f32', 'Float32', ['0.1', 0.1], ['nan', Number.NaN]),
  column(
    'f64',
    'Float64',
    ['1.7976931348623157e308', 1.7976931348623157e308],
    ['-inf', Number.NaN],
    ['5e-324', 5e-324],
  ),
  column('bf16', 'BFloat16', ['1.5', 1.5], ['inf', Number.NaN]),
  column('dec9', 'Decimal(9, 2)', ["'1.10'", 1.1], ["'-9999999.99'", -9999999.99]),
  column('dec18', 'Decimal(18, 0)', ["'0'", 0]),
  column('dec38', 'Decimal(38, 10)', ["'123456.0000000001'", 123456.0000000001]),
  column('dec76', 'Decimal(76, 5)', ["'-0.00001'", -0.00001]),
  column('text', 'String', ["''", ''], ["'it\\'s \"q\" \\\\ / \\n\\0 😀'", 'it\'s "q" \\ / \n\0 😀']),
  column('fixed', 'FixedString(4)', ["'ab'", 'ab\0\0']),
  column('bool', 'Bool', ['true', true], ['false', false]),
  column('date', 'Date', ["'1970-01-01'", '1970-01-01'], ["'2149-06-06'", '2149-06-06']),
  column('date32', 'Date32', ["'1900-01-01'", '1900-01-01'], ["'2299-12-31'", '2299-12-31']),
  column('dt', 'DateTime', ['1', '1970-01-01 00:00:01']),
  column('dt_tz', "DateTime('Asia/Tokyo')", ['0', '1970-01-01 09:00:00']),
  column('dt64', "DateTime64(9, 'UTC')", ["'2020-01-01 00:00:00.123456789'", '2020-01-01 00:00:00.123456789']),
  column('time', 'Time', ["'-999:59:59'", '-999:59:59']),
  column('time64', 'Time64(3)', ["'12:34:56.789'", '12:34:56.789']),
  column('uuid', 'UUID', ["'00000000-0000-0000-0000-000000000000'", '00000000-0000-0000-0000-000000000000']),
  column('ip4', 'IPv4', ["'255.255.255.255'", '255.255.255.255']),
  column('ip6', 'IPv6', ["'::'", '::'], ["'1.2.3.4'", '::ffff:1.2.3.4']),
  column('enum8', "Enum8('it\\'s' = -128, 'a, b' = 0, '' = 127)", ["'it\\'s'", "it's"], ["'a, b'", 'a, b'], ["''", '']),
  column('enum16', "Enum16('x' = 1000, 'y' = 1001)", ["'x'", 'x']),
  column('maybe', 'Nullable(UInt64)', ['NULL', null], ['7', '7']),
  column('maybe_float', 'Nullable(Float64)', ['NULL', null], ['1', 1]),
  column('lc', 'LowCardinality(String)', ["'a'", 'a']),
  column('lc_maybe', 'LowCardinality(Nullable(String))', ['NULL', null], ["'a'", 'a']),
  column('list', 'Array(UInt64)', ['[]', []], ['[1, 18446744073709551615]', ['1', '18446744073709551615']]),
  column('deep', 'Array(Array(Nullable(Float32)))', ['[[1, NULL], []]', [[1, null], []]]),
  column('map', 'Map(String, UInt8)', ['map()', {}], ["map('', 1, 'a b', 2)", { '': 1, 'a b': 2 }]),
  column('map_u64', 'Map(UInt64, Array(Nullable(String)))', [
    "map(18446744073709551615, ['x', NULL])",
    { '18446744073709551615': ['x', null] },
  ]),
  column('map_date', 'Map(Date, Map(UUID, Bool))', [
    "map('2020-01-01', map(toUUID('00000000-0000-0000-0000-000000000001'), true))",
    { '2020-01-01': { '00000000-0000-0000-0000-000000000001': true } },
  ]),
  column('map_tuple', 'Map(Tuple(UInt8, String), Bool)', ["map((1, 'a'), true)", { "(1,'a')": true }]),
  column('pair', 'Tuple(UInt64, String)', ["(1, 'a')", ['1', 'a']]),
  column('one', 'Tuple(UInt8)', ['tuple(1)', [1]]),
  column('none', 'Tuple()', ['tuple()', []]),
  column('point_of', 'Tuple(a UInt8, `b c` Tuple(`d\\`e` Nullable(Decimal(9, 2)), UInt8 String))', [
    "(1, (NULL, 'x'))",
    { a: 1, 'b c': { 'd`e': null, UInt8: 'x' } },
  ]),
  column('maybe_tuple', 'Nullable(Tuple(a UInt8))', ['NULL', null], ['tuple(1)', { a: 1 }]),
  column(
    'variant',
    'Variant(UInt64, String, Array(Bool), Tuple(a UInt8, b UInt8))',
    ['NULL', null],
    ["'5'", '5'],
    ['toUInt64(5)', '5'],
    ['[true]', [true]],
    ["CAST((1, 2), 'Tuple(a UInt8, b UInt8)')", { a: 1, b: 2 }],
  ),
  column('dynamic', 'Dynamic', ['NULL', null], ['5::UInt8', 5], ["'x'", 'x'], ['[1.5]', [1.5]]),
  column('json', 'JSON', ["'{}'", {}], ['\'{"a": {"b": [1.5, {"c": "x"}]}}\'', { a: { b: [1.5, { c: 'x' }] } }]),
  column('json_typed', 'JSON(a.b UInt64, c String)', [
    '\'{"a": {"b": 1}, "d": true}\'',
    { a: { b: '1' }, c: '', d: true },
  ]),
  column(
    'json_paths',
    "JSON(max_dynamic_paths=8, `b.c d` Nullable(Decimal(9, 2)), b.n Array(JSON(q UInt64)), e Enum8('x' = 1), SKIP s)",
    ["'{}'", { b: { 'c d': null, n: [] }, e: 'x' }],
    [
      '\'{"b": {"c d": 1.5, "n": [{"q": 5, "r": 6}], "z": true}, "e": "x", "s": 1, "t": [1]}\'',
      { b: { 'c d': 1.5, n: [{ q: '5', r: '6' }], z: true }, e: 'x', t: ['1'] },
    ],
  ),
  column('saf', 'SimpleAggregateFunction(sum, UInt64)', ['5', '5']),
  column('saf_list', 'SimpleAggregateFunction(groupArrayArray, Array(String))', ["['a']", ['a']]),
  column('point', 'Point', ['(1.5, -2)', [1.5, -2]]),
  column('ring', 'Ring', [
    '[(0, 0), (1, 1)]',
    [
      [0, 0],
      [1, 1],
    ],
  ]),
  column('line', 'LineString', ['[(0, 0)]', [[0, 0]]]),
  column('lines', 'MultiLineString', ['[[(0, 0)]]', [[[0, 0]]]]),
  column('polygon', 'Polygon', ['[[(0, 0)]]', [[[0, 0]]]]),
  column('polygons', 'MultiPolygon', ['[[[(0, 0)]]]', [[[[0, 0]]]]]),
  column('geometry', 'Geometry', ['NULL', null], ['(1, 2)::Point', [1, 2]], ['[(1, 2)]::LineString', [[1, 2]]]),
  column('vector', 'QBit(Float32, 8)', ['[1, 2, 3, 4, 5, 6, 7, 8]', [1, 2, 3, 4, 5, 6, 7, 8]]),
  column('items.sku', 'Array(String)', ["['a', 'b']", ['a', 'b']]),
  column('items.n', 'Array(UInt64)', ['[1, 2]', ['1', '2']]),
]

/** How many rows show every value at least once. */
export const ROW_COUNT = Math.max(...EVERY_TYPE.map(({ values }) => values.length))

/** The value of a case for a row: the last one stays. */
export function atRow<T>(values: readonly T[], row: number): T {
  return values[Math.min(row, values.length - 1)]!
}
