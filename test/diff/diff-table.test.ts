import { describe, expect, it } from 'vitest'
import type { Change } from '../../src/diff/change.js'
import { diffTable, sameEngineOnServer } from '../../src/diff/diff-table.js'
import type { Table } from '../../src/model/definition.js'
import { column, columns, table } from '../plan/support/models.js'

type Row = {
  readonly name: string
  readonly from: Table
  readonly to: Table
  readonly changes: readonly Without<Change>[]
}
type Without<C> = C extends { table: Table } ? Omit<C, 'table'> : C

const abc = table({ columns: columns('a T', 'b T', 'c T') })

const ROWS: readonly Row[] = [
  { name: 'equal tables have no changes', from: table(), to: table(), changes: [] },
  {
    name: 'what is not part of the object is not compared',
    from: table({ columns: [column('a', 'T')] }),
    to: table({
      columns: [column('a', 'T', { renamedFrom: 'z', comment: '' })],
      spelling: { orderBy: '(id)' },
      origin: { file: 'x.ts' },
      plugins: { backfill: {} },
      cluster: 'c',
      renamedFrom: { database: 'd', name: 'old' },
    }),
    changes: [],
  },
  {
    name: 'an EPHEMERAL without an expression equals the one that ALTER writes',
    from: table({ columns: [column('a', 'UInt8', { default: { kind: 'EPHEMERAL' } })] }),
    to: table({
      columns: [
        column('a', 'UInt8', { default: { kind: 'EPHEMERAL', expression: "defaultValueOfTypeName('UInt8')" } }),
      ],
    }),
    changes: [],
  },
  {
    name: 'a column declared in the middle is added after its neighbour',
    from: abc,
    to: table({ columns: columns('a T', 'n T', 'b T', 'c T') }),
    changes: [{ kind: 'addColumn', column: column('n', 'T'), position: { after: 'a' } }],
  },
  {
    name: 'several columns added in a row keep their order',
    from: abc,
    to: table({ columns: columns('a T', 'n T', 'm T', 'b T', 'c T') }),
    changes: [
      { kind: 'addColumn', column: column('n', 'T'), position: { after: 'a' } },
      { kind: 'addColumn', column: column('m', 'T'), position: { after: 'n' } },
    ],
  },
  {
    name: 'a column added in front is first',
    from: abc,
    to: table({ columns: columns('n T', 'a T', 'b T', 'c T') }),
    changes: [{ kind: 'addColumn', column: column('n', 'T'), position: 'first' }],
  },
  {
    name: 'columns added at the end need no position',
    from: abc,
    to: table({ columns: columns('a T', 'b T', 'c T', 'n T', 'm T') }),
    changes: [
      { kind: 'addColumn', column: column('n', 'T') },
      { kind: 'addColumn', column: column('m', 'T') },
    ],
  },
  {
    name: 'a column moved to the end is the only move',
    from: table({ columns: columns('a T', 'b T', 'c T', 'e T') }),
    to: table({ columns: columns('b T', 'c T', 'e T', 'a T') }),
    changes: [
      {
        kind: 'modifyColumn',
        from: column('a', 'T'),
        to: column('a', 'T'),
        attributes: ['position'],
        position: { after: 'e' },
      },
    ],
  },
  {
    name: 'a dropped neighbour moves nothing',
    from: abc,
    to: table({ columns: columns('a T', 'c T') }),
    changes: [{ kind: 'dropColumn', column: column('b', 'T') }],
  },
  {
    name: 'all attributes of a column that differ are named, the type first',
    from: table({ columns: [column('a', 'T', { codec: 'LZ4', comment: 'x' })] }),
    to: table({
      columns: [
        column('a', 'U', {
          ttl: 'x',
          statistics: ['uniq'],
          settings: { s: '1' },
          default: { kind: 'DEFAULT', expression: '1' },
        }),
      ],
    }),
    changes: [
      {
        kind: 'modifyColumn',
        from: column('a', 'T', { codec: 'LZ4', comment: 'x' }),
        to: column('a', 'U', {
          ttl: 'x',
          statistics: ['uniq'],
          settings: { s: '1' },
          default: { kind: 'DEFAULT', expression: '1' },
        }),
        attributes: ['type', 'default', 'comment', 'codec', 'statistics', 'ttl', 'settings'],
      },
    ],
  },
  {
    name: 'indexes, projections and constraints are known by name, in whatever order they stand',
    from: table({
      indexes: [
        { name: 'i1', expression: 'a', type: 'minmax', granularity: 1 },
        { name: 'i2', expression: 'a', type: 'minmax', granularity: 1 },
        { name: 'i3', expression: 'a', type: 'minmax', granularity: 1 },
      ],
    }),
    to: table({
      indexes: [
        { name: 'i4', expression: 'a', type: 'minmax', granularity: 1 },
        { name: 'i3', expression: 'a', type: 'minmax', granularity: 2 },
        { name: 'i1', expression: 'a', type: 'minmax', granularity: 1 },
      ],
    }),
    changes: [
      { kind: 'dropIndex', index: { name: 'i2', expression: 'a', type: 'minmax', granularity: 1 } },
      { kind: 'addIndex', index: { name: 'i4', expression: 'a', type: 'minmax', granularity: 1 } },
      {
        kind: 'modifyIndex',
        from: { name: 'i3', expression: 'a', type: 'minmax', granularity: 1 },
        to: { name: 'i3', expression: 'a', type: 'minmax', granularity: 2 },
      },
    ],
  },
  {
    name: 'the case and the empty brackets of an index type mean nothing',
    from: table({
      indexes: [
        { name: 'i1', expression: 'a', type: 'bloom_filter()', granularity: 1 },
        { name: 'i2', expression: 'a', type: 'MinMax', granularity: 1 },
        { name: 'i3', expression: 'a', type: 'SET(5)', granularity: 1 },
      ],
    }),
    to: table({
      indexes: [
        { name: 'i1', expression: 'a', type: 'bloom_filter', granularity: 1 },
        { name: 'i2', expression: 'a', type: 'minmax', granularity: 1 },
        { name: 'i3', expression: 'a', type: 'set(5)', granularity: 1 },
      ],
    }),
    changes: [],
  },
  {
    name: 'a password that the server hides in a default or a table function is no change',
    from: table({
      columns: [column('a', 'String', { default: { kind: 'DEFAULT', expression: "encrypt('m', '[HIDDEN]')" } })],
      asTableFunction: "mysql('h', 'd', 't', 'u', '[HIDDEN]')",
    }),
    to: table({
      columns: [column('a', 'String', { default: { kind: 'DEFAULT', expression: "encrypt('m', a, 'env:KEY')" } })],
      asTableFunction: "mysql('h', 'd', 't', 'u', 'env:PASSWORD')",
    }),
    changes: [],
  },
  {
    name: "settings are added, changed and reset one by one, sorted; flatten_nested is not the table's",
    from: table({ settings: { z: '1', a: '1', same: '1' } }),
    to: table({ settings: { z: '2', b: '1', same: '1', flatten_nested: '0' } }),
    changes: [
      { kind: 'modifyTableSetting', name: 'a', from: '1', to: undefined },
      { kind: 'modifyTableSetting', name: 'b', from: undefined, to: '1' },
      { kind: 'modifyTableSetting', name: 'z', from: '1', to: '2' },
    ],
  },
  {
    name: 'an extended sorting key without a declared primary key is one change',
    from: table({ orderBy: ['id'] }),
    to: table({ orderBy: ['id', 'a'] }),
    changes: [{ kind: 'modifySortingKey', from: ['id'], to: ['id', 'a'] }],
  },
  {
    name: 'a primary key that is declared as it already was is no change',
    from: table({ orderBy: ['id'] }),
    to: table({ orderBy: ['id', 'a'], primaryKey: ['id'] }),
    changes: [{ kind: 'modifySortingKey', from: ['id'], to: ['id', 'a'] }],
  },
  {
    name: 'a primary key that was shorter and is not declared any more is a change',
    from: table({ orderBy: ['id', 'a'], primaryKey: ['id'] }),
    to: table({ orderBy: ['id', 'a'] }),
    changes: [{ kind: 'modifyPrimaryKey', from: ['id'], to: ['id', 'a'] }],
  },
  {
    name: 'no partition key equals an empty one',
    from: table({ partitionBy: [] }),
    to: table(),
    changes: [],
  },
]

describe('diffTable', () => {
  it.each(ROWS)('$name', ({ from, to, changes }) => {
    const frozen = JSON.stringify([from, to])
    expect(diffTable(from, to)).toEqual(changes.map((change) => ({ ...change, table: to })))
    expect(JSON.stringify([from, to])).toBe(frozen)
  })

  it('a renamed column is renamed in every expression that reads it, as the server does', () => {
    const from = table({
      columns: [
        ...columns('id UInt64', 'a UInt32'),
        column('n', 'UInt64', { default: { kind: 'DEFAULT', expression: 'arrayMap(a -> a + 1, [a])[1]' } }),
      ],
      indexes: [{ name: 'i', expression: 'a', type: 'minmax', granularity: 1 }],
      ttl: ['toDateTime(a) + toIntervalDay(1)'],
    })
    const to = table({
      columns: [
        ...columns('id UInt64', '`weird x` UInt32'),
        column('n', 'UInt64', { default: { kind: 'DEFAULT', expression: 'arrayMap(z -> z + 1, [z])[1]' } }),
      ].map((c) => (c.name === '`weird' ? column('z', 'UInt32') : c)),
      indexes: [{ name: 'i', expression: 'z', type: 'minmax', granularity: 1 }],
      ttl: ['toDateTime(z) + toIntervalDay(1)'],
    })
    expect(diffTable(from, to, { columnRenames: new Map([['a', 'z']]) })).toEqual([
      { kind: 'renameColumn', table: to, from: 'a', to: 'z' },
    ])
  })
})

describe('sameEngineOnServer', () => {
  const engine = (name: string, ...args: string[]) => ({ name, args })
  it.each([
    [
      'the server replaces MergeTree by SharedMergeTree with a path',
      engine('SharedMergeTree', "'/clickhouse/tables/{uuid}/{shard}'", "'{replica}'"),
      engine('MergeTree'),
      true,
    ],
    [
      'parameters behind the path are compared',
      engine('SharedReplacingMergeTree', "'/p'", "'{replica}'", 'v'),
      engine('ReplacingMergeTree', 'v'),
      true,
    ],
    [
      'another parameter is drift',
      engine('ReplicatedReplacingMergeTree', "'/p'", "'{replica}'", 'w'),
      engine('ReplacingMergeTree', 'v'),
      false,
    ],
    ['another engine is drift', engine('SharedSummingMergeTree', "'/p'", "'{replica}'"), engine('MergeTree'), false],
    [
      'replicated and shared are the same family',
      engine('SharedMergeTree', "'/p'", "'{replica}'"),
      engine('ReplicatedMergeTree', "'/q'", "'{replica}'"),
      true,
    ],
    [
      'the server adds the format of a lake',
      engine('DeltaLake', "'https://h/x'", "'k'", "'[HIDDEN]'", "'Parquet'"),
      engine('DeltaLake', "'https://h/x'", "'k'", "'secret'"),
      true,
    ],
    ['a hidden password is no drift', engine('MySQL', "'h'", "'[HIDDEN]'"), engine('MySQL', "'h'", "'secret'"), true],
    ['engines outside the family are compared as they are', engine('Memory'), engine('Log'), false],
  ] as const)('%s', (_, actual, expected, same) => {
    expect(sameEngineOnServer(actual, expected)).toBe(same)
  })
})
