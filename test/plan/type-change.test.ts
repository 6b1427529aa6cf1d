/** Conversions as the matrix of the server has them (reference: alter-matrix 1.2 and 1.3). */
import { describe, expect, it } from 'vitest'
import {
  classifyTypeChange,
  keyTypeMayChange,
  parseType,
  type TypeChange,
  versionTypeMayChange,
} from '../../src/plan/type-change.js'

const metadata: TypeChange = { way: 'metadata' }
const mutation: TypeChange = { way: 'mutation' }
const refused: TypeChange = { way: 'refused' }
const loses = (loss: string): TypeChange => ({ way: 'mutation', loss })
const guarded = (guard: string): TypeChange => ({ way: 'mutation', guard })
const WRAPS = 'values out of range wrap around silently'

const ROWS: readonly (readonly [from: string, to: string, change: TypeChange])[] = [
  ['UInt8', 'UInt64', mutation],
  ['UInt32', 'Int64', mutation],
  ['UInt64', 'Int64', loses(WRAPS)],
  ['Int32', 'UInt64', loses(WRAPS)],
  ['UInt32', 'Float64', mutation],
  ['UInt64', 'Float32', loses(WRAPS)],
  ['Float64', 'UInt32', loses(`${WRAPS}, and fractions may be cut`)],
  ['UInt8', 'Decimal(9, 2)', mutation],
  ['Decimal(9, 2)', 'Decimal(18, 4)', mutation],
  [
    'Decimal(18, 2)',
    'Decimal(18, 4)',
    { ...guarded("accurateCastOrNull(x, 'Decimal(18, 4)') IS NULL"), loss: 'fractions may be cut' },
  ],
  ['UInt64', 'Decimal(9, 2)', guarded("accurateCastOrNull(x, 'Decimal(9, 2)') IS NULL")],
  ['Nullable(String)', 'Nullable(UInt8)', guarded("(x IS NOT NULL) AND (accurateCastOrNull(x, 'UInt8') IS NULL)")],
  ['String', 'JSON', guarded("(NOT isValidJSON(x)) OR (JSONType(x) != 'Object')")],
  ['Bool', 'UInt8', metadata],
  ['UInt8', 'Bool', { way: 'metadata', loss: 'values above 1 are read as true' }],
  ['UInt8', 'SimpleAggregateFunction(max, UInt8)', metadata],
  ['UInt8', 'String', mutation],
  ['String', 'UInt8', guarded("accurateCastOrNull(x, 'UInt8') IS NULL")],
  ['String', 'FixedString(4)', guarded('length(x) > 4')],
  ['FixedString(4)', 'FixedString(8)', mutation],
  ['FixedString(8)', 'FixedString(4)', refused],
  ['String', 'LowCardinality(String)', mutation],
  ['LowCardinality(String)', 'Nullable(String)', mutation],
  ['Nullable(String)', 'String', { way: 'mutation', needsDefault: true, guard: 'x IS NULL' }],
  [
    'LowCardinality(Nullable(String))',
    'LowCardinality(String)',
    { way: 'mutation', needsDefault: true, guard: 'x IS NULL' },
  ],
  [
    'Nullable(String)',
    'UInt8',
    { way: 'mutation', needsDefault: true, guard: "(x IS NULL) OR (accurateCastOrNull(x, 'UInt8') IS NULL)" },
  ],
  ["Enum8('a' = 1)", "Enum8('a' = 1, 'b' = 2)", metadata],
  ["Enum8('a' = 1)", "Enum16('a' = 1)", mutation],
  ["Enum8('a' = 1, 'it\\'s' = 2)", "Enum8('a' = 1)", guarded("x IN ('it\\'s')")],
  ["Enum8('a' = 1)", 'Int8', metadata],
  ["Enum8('a' = 1)", 'String', mutation],
  ['String', "Enum8('a' = 1, 'b' = 2)", guarded("x NOT IN ('a', 'b')")],
  ['Date', 'DateTime', mutation],
  ['DateTime', "DateTime('UTC')", metadata],
  ['DateTime', 'UInt32', metadata],
  ['DateTime', 'DateTime64(3)', mutation],
  ['DateTime64(6)', 'DateTime64(3)', loses('digits of the fraction are cut')],
  ['Array(UInt8)', 'Array(UInt16)', mutation],
  ['Array(UInt16)', 'Array(UInt8)', loses(WRAPS)],
  ['Array(String)', 'Array(UInt8)', guarded("arrayExists(e1 -> (accurateCastOrNull(e1, 'UInt8') IS NULL), x)")],
  [
    'Array(Array(Nullable(UInt8)))',
    'Array(Array(UInt8))',
    guarded('arrayExists(e1 -> (arrayExists(e2 -> (e2 IS NULL), e1)), x)'),
  ],
  [
    'Map(String, String)',
    'Map(UInt8, UInt8)',
    guarded(
      "(arrayExists(e1 -> (accurateCastOrNull(e1, 'UInt8') IS NULL), mapKeys(x))) OR (arrayExists(e1 -> (accurateCastOrNull(e1, 'UInt8') IS NULL), mapValues(x)))",
    ),
  ],
  [
    'Tuple(a UInt8, b Array(String))',
    'Tuple(b Array(UInt8), c UInt8)',
    {
      ...guarded("arrayExists(e1 -> (accurateCastOrNull(e1, 'UInt8') IS NULL), tupleElement(x, 2))"),
      loss: 'the values of a are lost, for elements are matched by name and a renamed one starts empty',
    },
  ],
  ['Tuple(String, UInt8)', 'Tuple(UInt8, UInt8)', guarded("accurateCastOrNull(tupleElement(x, 1), 'UInt8') IS NULL")],
  ['Map(String, UInt8)', 'Map(String, UInt64)', mutation],
  ['Tuple(a UInt8)', 'Tuple(a UInt8, b String)', mutation],
  ['Tuple(a UInt8, b String)', 'Tuple(a UInt8)', loses('the values of b are lost')],
  ['AggregateFunction(sum, UInt8)', 'AggregateFunction(sum, UInt16)', refused],
  ['UInt8', 'Dynamic', mutation],
  ['Variant(String, UInt8)', 'Variant(String)', refused],
  ['JSON', 'JSON(SKIP a)', loses('the values under SKIP a are lost')],
  ['JSON', 'JSON(a String)', guarded("accurateCastOrNull(x, 'JSON(a String)') IS NULL")],
  [
    'JSON(a UInt32)',
    'JSON(a UInt8, SKIP b)',
    {
      ...guarded("accurateCastOrNull(x, 'JSON(a UInt8, SKIP b)') IS NULL"),
      loss: 'the values under SKIP b are lost; fractions may be cut',
    },
  ],
  ['JSON(a UInt32)', 'JSON', mutation],
  ['Point', 'Tuple(Float64, Float64)', metadata],
]

describe('classifyTypeChange', () => {
  it.each(ROWS)('%s to %s', (from, to, change) => {
    expect(classifyTypeChange('x', from, to)).toEqual(change)
  })
})

it('a default of its own takes the place of NULL', () => {
  expect(classifyTypeChange('x', 'Nullable(UInt8)', 'UInt16', true)).toEqual(loses('NULL becomes the default'))
  expect(classifyTypeChange('x', 'LowCardinality(Nullable(String))', 'LowCardinality(String)', true)).toEqual(
    loses('NULL becomes the default'),
  )
})

describe('keys and versions', () => {
  it.each([
    ["Enum8('a' = 1)", "Enum8('a' = 1, 'b' = 2)", true, true],
    ['UInt8', 'Bool', true, true],
    ['DateTime', 'UInt32', true, true],
    ['String', 'LowCardinality(String)', true, false],
    ['UInt8', 'UInt16', false, false],
    ['UInt8', 'Nullable(UInt8)', false, false],
    ["Enum8('a' = 1, 'b' = 2)", "Enum8('a' = 1)", false, false],
  ] as const)('a key of %s may become %s: bare %s, in an expression %s', (from, to, bare, inside) => {
    expect([keyTypeMayChange(from, to, true), keyTypeMayChange(from, to, false)]).toEqual([bare, inside])
  })
  it.each([
    ['UInt32', 'UInt64', true],
    ['UInt32', 'Int64', false],
    ['DateTime64(3)', 'DateTime64(6)', true],
    ['DateTime', 'DateTime64(3)', false],
  ] as const)('a version of %s may become %s: %s', (from, to, may) => {
    expect(versionTypeMayChange(from, to)).toBe(may)
  })
})

it('parseType splits at the commas of its own depth', () => {
  expect(parseType("Map(LowCardinality(String), Tuple(a Enum8('x,(' = 1), b Array(UInt8)))")).toEqual({
    name: 'Map',
    args: ['LowCardinality(String)', "Tuple(a Enum8('x,(' = 1), b Array(UInt8))"],
  })
})
