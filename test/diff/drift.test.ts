import { describe, expect, it } from 'vitest'
import { findDrift } from '../../src/diff/drift.js'
import type { Definition } from '../../src/model/definition.js'
import { column, columns, dictionary, materializedView, model, table, target, view } from '../plan/support/models.js'

const NOTHING = {
  missingColumns: [],
  extraColumns: [],
  changedColumns: [],
  settingDiffs: [],
  indexDiffs: [],
  projectionDiffs: [],
  constraintDiffs: [],
  ttlMismatch: false,
  engineMismatch: false,
  primaryKeyMismatch: false,
  orderByMismatch: false,
  uniqueKeyMismatch: false,
  partitionByMismatch: false,
  sampleByMismatch: false,
  commentMismatch: false,
  clauses: [],
}

describe('findDrift', () => {
  it('finds nothing between equal states, nor in what the server adds by itself', () => {
    const expected = model(
      table(),
      target(),
      view(),
      materializedView(),
      dictionary({ source: "CLICKHOUSE(TABLE 't' PASSWORD 'env:SECRET')" }),
    )
    const actual = model(
      table({ engine: { name: 'SharedMergeTree', args: ["'/p'", "'{replica}'"] }, primaryKey: ['id'] }),
      target(),
      view({ columns: columns('id UInt64', 'a UInt32'), sqlSecurity: 'INVOKER' }),
      materializedView({ columns: columns('id UInt64', 'a UInt32'), definer: 'default', sqlSecurity: 'DEFINER' }),
      dictionary({ source: "CLICKHOUSE(TABLE 't' PASSWORD '[HIDDEN]')" }),
      table({ name: '_chkit_migrations' }),
      table({ name: 'my_journal' }),
      table({ database: 'elsewhere', name: 'not_ours' }),
      { kind: 'database', name: 'd' },
      { kind: 'role', name: 'r', statement: 'CREATE ROLE r' },
    )
    expect(findDrift(expected, actual, { ownTables: [{ database: 'd', name: 'my_journal' }] })).toEqual({
      expectedCount: 5,
      actualCount: 5,
      drifted: false,
      missing: [],
      extra: [],
      kindMismatches: [],
      objectDrift: [],
      tableDrift: [],
    })
  })

  it('sees SQL SECURITY that the server never takes by itself', () => {
    const differs = (expected: Definition, actual: Definition) => findDrift(model(expected), model(actual)).drifted
    expect(differs(view(), view({ sqlSecurity: 'NONE' }))).toBe(true)
    expect(differs(view(), view({ definer: 'default', sqlSecurity: 'DEFINER' }))).toBe(true)
    expect(differs(view({ sqlSecurity: 'NONE' }), view())).toBe(true)
    expect(differs(materializedView(), materializedView({ sqlSecurity: 'NONE' }))).toBe(true)
    expect(differs(materializedView({ sqlSecurity: 'DEFINER' }), materializedView())).toBe(true)
  })

  it('keeps the primary key that stayed when the sorting key was extended', () => {
    const expected = model(table({ orderBy: ['id', 'a'] }))
    expect(findDrift(expected, model(table({ orderBy: ['id', 'a'], primaryKey: ['id'] }))).drifted).toBe(false)
  })

  it('names objects that are missing, extra, of another kind or defined otherwise', () => {
    const expected = model(table(), view(), view({ name: 'v2', query: 'SELECT 1' }), dictionary())
    const actual = model(
      view({ name: 't' }),
      view({ name: 'v2', query: 'SELECT 2' }),
      dictionary(),
      table({ name: 'extra' }),
    )
    expect(findDrift(expected, actual)).toEqual({
      expectedCount: 4,
      actualCount: 4,
      drifted: true,
      missing: ['view:d.v'],
      extra: ['table:d.extra'],
      kindMismatches: [{ expected: 'table', actual: 'view', object: 'd.t' }],
      objectDrift: [
        { code: 'kind_mismatch', object: 'd.t', expectedKind: 'table', actualKind: 'view' },
        { code: 'extra_object', object: 'table:d.extra', actualKind: 'table' },
        { code: 'missing_object', object: 'view:d.v', expectedKind: 'view' },
        { code: 'definition_mismatch', object: 'view:d.v2', expected: 'SELECT 1', actual: 'SELECT 2' },
      ],
      tableDrift: [],
    })
  })

  it('names everything in which a table differs, with both sides', () => {
    const expected = model(
      table({
        columns: [
          ...columns('id UInt64', 'a UInt32'),
          column('b', 'String', { codec: 'ZSTD(1)' }),
          ...columns('gone UInt8'),
        ],
        settings: { s: '1' },
        indexes: [{ name: 'i', expression: 'a', type: 'minmax', granularity: 1 }],
        projections: [{ name: 'p', form: 'query', body: 'SELECT a ORDER BY a' }],
        constraints: [{ name: 'c', type: 'CHECK', expression: 'a > 0' }],
        ttl: ['x'],
        partitionBy: ['a'],
        orderBy: ['id', 'a'],
        primaryKey: ['id'],
        sampleBy: 'id',
        comment: 'c',
      }),
    )
    const actual = model(
      table({
        engine: { name: 'ReplacingMergeTree', args: ['a'] },
        columns: [column('b', 'LowCardinality(String)'), ...columns('id UInt64', 'a UInt32', 'hand UInt8')],
        settings: { s: '2', t: '1' },
        indexes: [{ name: 'i', expression: 'a', type: 'minmax', granularity: 2 }],
        orderBy: ['a'],
        uniqueKey: ['a'],
      }),
    )
    const clause = (name: string, wanted: string | null, found: string | null) => ({
      clause: name,
      expected: wanted,
      actual: found,
    })
    expect(findDrift(expected, actual).tableDrift).toEqual([
      {
        ...NOTHING,
        table: 'd.t',
        reasonCodes: [
          'missing_column',
          'extra_column',
          'changed_column',
          'setting_mismatch',
          'index_mismatch',
          'projection_mismatch',
          'constraint_mismatch',
          'ttl_mismatch',
          'engine_mismatch',
          'primary_key_mismatch',
          'order_by_mismatch',
          'partition_by_mismatch',
          'sample_by_mismatch',
          'unique_key_mismatch',
          'comment_mismatch',
        ],
        missingColumns: ['gone'],
        extraColumns: ['hand'],
        changedColumns: [
          { name: 'b', attribute: 'type', expected: 'String', actual: 'LowCardinality(String)' },
          { name: 'b', attribute: 'codec', expected: 'ZSTD(1)', actual: null },
          { name: 'b', attribute: 'position', expected: 'AFTER a', actual: 'FIRST' },
        ],
        settingDiffs: [
          { name: 's', expected: '1', actual: '2' },
          { name: 't', expected: null, actual: '1' },
        ],
        indexDiffs: [{ name: 'i', expected: 'a TYPE minmax GRANULARITY 1', actual: 'a TYPE minmax GRANULARITY 2' }],
        projectionDiffs: [{ name: 'p', expected: 'SELECT a ORDER BY a', actual: null }],
        constraintDiffs: [{ name: 'c', expected: 'CHECK a > 0', actual: null }],
        ttlMismatch: true,
        engineMismatch: true,
        primaryKeyMismatch: true,
        orderByMismatch: true,
        uniqueKeyMismatch: true,
        partitionByMismatch: true,
        sampleByMismatch: true,
        commentMismatch: true,
        clauses: [
          clause('ENGINE', 'MergeTree', 'ReplacingMergeTree(a)'),
          clause('PARTITION BY', 'a', null),
          clause('PRIMARY KEY', 'id', 'a'),
          clause('ORDER BY', 'id, a', 'a'),
          clause('UNIQUE KEY', null, 'a'),
          clause('SAMPLE BY', 'id', null),
          clause('TTL', 'x', null),
          clause('COMMENT', 'c', ''),
        ],
      },
    ])
  })

  it('counts functions as extra only where the schema declares one', () => {
    const declared = { kind: 'sql_function', name: 'f', expression: 'x -> x' } as const
    const other = { kind: 'sql_function', name: 'g', expression: 'x -> x' } as const
    expect(findDrift(model(table()), model(table(), other)).extra).toEqual([])
    expect(findDrift(model(table(), declared), model(table(), declared, other)).extra).toEqual(['sql_function:g'])
  })
})
