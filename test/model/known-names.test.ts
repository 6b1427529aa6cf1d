import { describe, expect, test } from 'vitest'
import { canonicalise } from '../../src/model/canonical.js'
import { dictionary, materializedView, table } from '../../src/model/dsl.js'

const warningsOf = (...declared: Parameters<typeof canonicalise>[0]) =>
  canonicalise(declared).warnings.map(({ message }) => message)

const tableOf = (type: string, engine = 'MergeTree') =>
  table({ name: 't', engine, columns: [{ name: 'id', type }], orderBy: [] })

describe('a type or engine that looks misspelt', () => {
  test.each([
    ['Strin', 'table default.t: column id has the type Strin, which no server knows. Did you mean String?'],
    ['string', 'table default.t: column id has the type string, which no server knows. Did you mean String?'],
    ['Array(Nulable(UInt64))', 'column id has the type Nulable, which no server knows. Did you mean Nullable?'],
    ['Tuple(a UInt64, b Sting)', 'column id has the type Sting, which no server knows. Did you mean String?'],
    ['AggregateFunction(sum, UIn64)', 'column id has the type UIn64, which no server knows. Did you mean UInt64?'],
  ])('%s', (type, says) => {
    expect(warningsOf(tableOf(type))).toEqual([expect.stringContaining(says)])
  })

  test('an engine, a view with a table of its own, a dictionary', () => {
    expect(warningsOf(tableOf('UInt8', 'MergeTre'))).toEqual([expect.stringContaining('Did you mean MergeTree?')])
    expect(
      warningsOf(materializedView({ name: 'v', as: 'SELECT 1 AS a', engine: 'AgregatingMergeTree', orderBy: ['a'] })),
    ).toEqual([expect.stringContaining('Did you mean AggregatingMergeTree?')])
    expect(
      warningsOf(
        dictionary({
          name: 'd',
          attributes: [{ name: 'id', type: 'Uint64' }],
          primaryKey: ['id'],
          source: 'NULL()',
          layout: 'FLAT()',
          lifetime: 0,
        }),
      ),
    ).toEqual([expect.stringContaining('Did you mean UInt64?')])
  })

  test.each([
    'varchar(20)',
    'DOUBLE PRECISION',
    'Int',
    'BIGINT UNSIGNED',
    'JSON(a.b Int64)',
    "Enum8('a' = 1)",
    'Quaternion',
  ])('nothing is said of %s', (type) => {
    expect(warningsOf(tableOf(type))).toEqual([])
  })
})
