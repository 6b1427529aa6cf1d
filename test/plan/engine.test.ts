/**
 * Every case: create A on an empty engine, insert rows, run the plan from A to B, and compare with a fresh B. What the
 * renderer spells is executed here, and the planner's order is proven by each statement succeeding.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { diffModels, type Rename } from '../../src/diff/diff.js'
import { findDrift } from '../../src/diff/drift.js'
import { EMPTY_MODEL, type Model } from '../../src/model/definition.js'
import { planChanges } from '../../src/plan/plan.js'
import { renderPlan } from '../../src/render/render.js'
import { type Engine, startEngine } from './support/engine.js'
import { column, columns, dictionary, materializedView, model, table, target, view } from './support/models.js'

let engine: Engine
beforeAll(() => {
  engine = startEngine()
})
afterAll(() => engine.close())

type Case = {
  readonly name: string
  readonly from: Model
  readonly to: Model
  readonly renames?: readonly Rename[]
  readonly allowRecreate?: boolean
  /** Run between A and the plan; by default three rows go into `d.t`. */
  readonly insert?: readonly string[]
  /** A query and its answer after the plan. */
  readonly rows?: readonly [query: string, answer: string]
  /** How many statements the plan needs. */
  readonly statements?: number
}

const THREE_ROWS = "INSERT INTO d.t (id, a, b) VALUES (1, 10, 'x'), (2, 20, 'y'), (3, 30, 'z')"
const KEPT: Case['rows'] = ['SELECT count(), sum(id) FROM d.t', '3\t6']
const rename = (from: string, to: string): Rename => ({ kind: 'column', table: { database: 'd', name: 't' }, from, to })

const CASES: readonly Case[] = [
  {
    name: 'spells changed settings as they are declared, for the server keeps the spelling',
    from: model(table()),
    to: model(
      table({
        settings: { max_parts_in_total: '500', old_parts_lifetime: '9', ttl_only_drop_parts: '1' },
        spelling: { settings: "ttl_only_drop_parts = true, old_parts_lifetime = '9', max_parts_in_total = 500" },
      }),
    ),
    rows: KEPT,
    statements: 1,
  },
  {
    name: 'changes a table before it becomes read-only',
    from: model(table({ indexes: [{ name: 'i', expression: 'a', type: 'minmax', granularity: 1 }] })),
    to: model(table({ columns: columns('id UInt64', 'a UInt64'), settings: { table_readonly: '1' } })),
    rows: ['SELECT sum(a) FROM d.t', '60'],
  },
  {
    name: 'converts elements of composite columns whose rows can be converted',
    from: model(
      table({
        columns: columns(
          'id UInt64',
          'x Array(Array(Nullable(String)))',
          'm Map(String, String)',
          'n Tuple(p String, q Array(Nullable(UInt8)))',
          'j JSON',
        ),
      }),
    ),
    to: model(
      table({
        columns: columns(
          'id UInt64',
          'x Array(Array(UInt8))',
          'm Map(UInt8, Int16)',
          'n Tuple(p UInt8, q Array(UInt8))',
          'j JSON(a UInt8)',
        ),
      }),
    ),
    insert: [
      `INSERT INTO d.t VALUES (1, [['1']], {'2':'3'}, ('4', [5]), '{"a":6}'), (2, [], {}, ('7', []), '{"b":1}')`,
    ],
    rows: ['SELECT sum(x[1][1]), sum(m[2]), sum(n.p), sum(n.q[1]), sum(j.a) FROM d.t', '1\t3\t11\t5\t6'],
  },
  {
    name: 'moves the columns around the sign of a collapsing engine, which cannot move',
    from: model(
      table({
        engine: { name: 'CollapsingMergeTree', args: ['s'] },
        columns: columns('id UInt64', 'a UInt32', 'b String', 's Int8'),
      }),
    ),
    to: model(
      table({
        engine: { name: 'CollapsingMergeTree', args: ['s'] },
        columns: columns('s Int8', 'b String', 'id UInt64', 'a UInt32'),
      }),
    ),
    insert: ["INSERT INTO d.t (id, a, b, s) VALUES (1, 10, 'x', 1), (2, 20, 'y', 1), (3, 30, 'z', 1)"],
    rows: KEPT,
  },
  ...(['throw', 'compatibility'] as const).map((mode): Case => {
    const indexed = (type: string) =>
      table({
        columns: columns('id UInt64', `a ${type}`, 'b String'),
        indexes: [{ name: 'i', expression: 'a', type: 'minmax', granularity: 1 }],
        settings: { alter_column_secondary_index_mode: `'${mode}'` },
      })
    return {
      name: `converts an indexed column although its index is set to ${mode}`,
      from: model(indexed('UInt32')),
      to: model(indexed('UInt64')),
      rows: ['SELECT sum(a) FROM d.t WHERE a > 10', '50'],
    }
  }),
  ...(['throw', 'compatibility'] as const).map((mode): Case => {
    const indexed = (column: string, settings: Record<string, string>) =>
      table({
        columns: columns('id UInt64', `${column} UInt32`, 'b String'),
        indexes: [{ name: 'i', expression: column, type: 'minmax', granularity: 1 }],
        settings,
      })
    return {
      name: `renames an indexed column while its index is set to ${mode}`,
      from: model(indexed('a', {})),
      to: model(indexed('z', { alter_column_secondary_index_mode: `'${mode}'` })),
      renames: [rename('a', 'z')],
      rows: ['SELECT sum(z) FROM d.t WHERE z > 10', '50'],
    }
  }),
  {
    name: 'adds a comment to an EmbeddedRocksDB table, whose settings the server then writes out',
    from: model(table({ engine: { name: 'EmbeddedRocksDB', args: [] }, orderBy: undefined, primaryKey: ['id'] })),
    to: model(
      table({ engine: { name: 'EmbeddedRocksDB', args: [] }, orderBy: undefined, primaryKey: ['id'], comment: 'x' }),
    ),
    rows: KEPT,
  },
  {
    name: 'adds columns in the middle, in front and at the end in one ALTER',
    from: model(table()),
    to: model(
      table({ columns: columns('z UInt8', 'id UInt64', 'x UInt8', 'y UInt8', 'a UInt32', 'b String', 'q Date') }),
    ),
    rows: KEPT,
    statements: 1,
  },
  {
    name: 'moves one column when one column has moved',
    from: model(table({ columns: columns('id UInt64', 'a UInt32', 'b String', 'c UInt8', 'e UInt8') })),
    to: model(table({ columns: columns('id UInt64', 'b String', 'c UInt8', 'e UInt8', 'a UInt32') })),
    rows: ['SELECT sum(a) FROM d.t', '60'],
    statements: 1,
  },
  {
    name: 'reverses all columns while adding, dropping and converting some',
    from: model(table({ columns: columns('id UInt64', 'a UInt32', 'b String', 'c UInt8', 'e UInt8') })),
    to: model(
      table({ columns: columns('e UInt16', 'n1 UInt8', 'b String', 'n2 UInt8', 'a UInt64', 'n3 UInt8', 'id UInt64') }),
    ),
    rows: ['SELECT sum(a), sum(id) FROM d.t', '60\t6'],
  },
  {
    name: 'adds a column with every clause',
    from: model(table()),
    to: model(
      table({
        columns: [
          ...columns('id UInt64', 'a UInt32', 'b String'),
          column('ts', 'DateTime', { default: { kind: 'DEFAULT', expression: 'now()' } }),
          column('n', 'UInt32', {
            default: { kind: 'DEFAULT', expression: '7' },
            comment: "it's",
            codec: 'ZSTD(3)',
            statistics: ['tdigest', 'uniq'],
            ttl: 'ts + toIntervalDay(9)',
            settings: { max_compress_block_size: '5000', min_compress_block_size: '100' },
          }),
        ],
      }),
    ),
    rows: ['SELECT sum(n) FROM d.t', '21'],
  },
  {
    name: 'removes every clause of a column',
    from: model(
      table({
        columns: [
          ...columns('id UInt64', 'a UInt32', 'b String', 'ts DateTime'),
          column('n', 'UInt32', {
            default: { kind: 'DEFAULT', expression: '7' },
            comment: 'c',
            codec: 'ZSTD(3)',
            statistics: ['tdigest', 'uniq'],
            ttl: 'ts + toIntervalDay(9)',
            settings: { max_compress_block_size: '5000' },
          }),
        ],
      }),
    ),
    to: model(table({ columns: columns('id UInt64', 'a UInt32', 'b String', 'ts DateTime', 'n UInt32') })),
    rows: KEPT,
  },
  {
    name: 'changes every clause of a column',
    from: model(
      table({
        columns: [
          ...columns('id UInt64', 'a UInt32', 'b String', 'ts DateTime'),
          column('n', 'UInt32', {
            default: { kind: 'DEFAULT', expression: '7' },
            comment: 'c',
            codec: 'ZSTD(3)',
            statistics: ['tdigest'],
            ttl: 'ts + toIntervalDay(9)',
            settings: { max_compress_block_size: '5000' },
          }),
        ],
      }),
    ),
    to: model(
      table({
        columns: [
          ...columns('id UInt64', 'a UInt32', 'b String', 'ts DateTime'),
          column('n', 'UInt64', {
            default: { kind: 'DEFAULT', expression: '8' },
            comment: 'other',
            codec: 'Delta(8), LZ4',
            statistics: ['uniq'],
            ttl: 'ts + toIntervalYear(90)',
            settings: { min_compress_block_size: '100' },
          }),
        ],
      }),
    ),
    rows: KEPT,
  },
  {
    name: 'changes only a comment with COMMENT COLUMN',
    from: model(table({ columns: [column('id', 'UInt64', { comment: 'x' }), ...columns('a UInt32', 'b String')] })),
    to: model(
      table({ columns: [...columns('id UInt64'), column('a', 'UInt32', { comment: 'y' }), ...columns('b String')] }),
    ),
    rows: KEPT,
    statements: 1,
  },
  ...(['DEFAULT', 'MATERIALIZED', 'ALIAS', 'EPHEMERAL'] as const).flatMap((kind): Case[] => {
    const columnOf = (defaultKind: typeof kind | undefined, expression = 'id + 1') => [
      ...columns('id UInt64', 'a UInt32', 'b String'),
      column('n', 'UInt64', defaultKind && { default: { kind: defaultKind, expression } }),
    ]
    return [
      {
        name: `turns a plain column into ${kind}`,
        from: model(table({ columns: columnOf(undefined) })),
        to: model(table({ columns: columnOf(kind) })),
        rows: KEPT,
      },
      {
        name: `turns ${kind} into a plain column`,
        from: model(table({ columns: columnOf(kind) })),
        to: model(table({ columns: columnOf(undefined) })),
        rows: KEPT,
      },
      ...(['DEFAULT', 'MATERIALIZED', 'ALIAS', 'EPHEMERAL'] as const).map(
        (other): Case => ({
          name: `turns ${kind} into ${other === kind ? 'another ' : ''}${other}`,
          from: model(table({ columns: columnOf(kind) })),
          to: model(table({ columns: columnOf(other, '42') })),
          rows: KEPT,
        }),
      ),
    ]
  }),
  {
    name: 'turns a column with codec and TTL into ALIAS',
    from: model(
      table({
        columns: [
          ...columns('id UInt64', 'a UInt32', 'b String', 'ts DateTime'),
          column('n', 'UInt64', { codec: 'ZSTD(3)', ttl: 'ts + toIntervalDay(9)' }),
        ],
      }),
    ),
    to: model(
      table({
        columns: [
          ...columns('id UInt64', 'a UInt32', 'b String', 'ts DateTime'),
          column('n', 'UInt64', { default: { kind: 'ALIAS', expression: '5' } }),
        ],
      }),
    ),
    rows: ['SELECT sum(n) FROM d.t', '15'],
  },
  {
    name: 'turns ALIAS into a column with a codec',
    from: model(
      table({
        columns: [
          ...columns('id UInt64', 'a UInt32', 'b String'),
          column('n', 'UInt64', { default: { kind: 'ALIAS', expression: '5' } }),
        ],
      }),
    ),
    to: model(
      table({
        columns: [...columns('id UInt64', 'a UInt32', 'b String'), column('n', 'UInt64', { codec: 'ZSTD(3)' })],
      }),
    ),
    rows: KEPT,
  },
  {
    name: 'turns Nullable into plain when no row is NULL',
    from: model(table({ columns: columns('id UInt64', 'a Nullable(UInt32)', 'b String') })),
    to: model(table({ columns: columns('id UInt64', 'a UInt32', 'b String') })),
    rows: ['SELECT sum(a) FROM d.t', '60'],
  },
  {
    name: 'turns Nullable into plain with a default in the place of NULL',
    from: model(table({ columns: columns('id UInt64', 'a Nullable(UInt32)', 'b String') })),
    to: model(
      table({
        columns: [
          ...columns('id UInt64'),
          column('a', 'UInt32', { default: { kind: 'DEFAULT', expression: '42' } }),
          ...columns('b String'),
        ],
      }),
    ),
    insert: ["INSERT INTO d.t (id, a, b) VALUES (1, NULL, 'x'), (2, 8, 'y')"],
    rows: ['SELECT sum(a) FROM d.t', '50'],
  },
  {
    name: 'drops columns that read each other in their defaults',
    from: model(
      table({
        columns: [
          ...columns('id UInt64', 'a UInt32'),
          column('m', 'UInt32', { default: { kind: 'DEFAULT', expression: 'a + 1' } }),
          column('b', 'String', { default: { kind: 'DEFAULT', expression: 'toString(m)' } }),
        ],
      }),
    ),
    to: model(table({ columns: columns('id UInt64') })),
    rows: KEPT,
  },
  {
    name: 'turns numbers in text into numbers when every text is one',
    from: model(table({ columns: columns('id UInt64', 'a String', 'b String') })),
    to: model(table({ columns: columns('id UInt64', 'a UInt32', 'b String') })),
    rows: ['SELECT sum(a) FROM d.t', '60'],
  },
  {
    name: 'extends the sorting key by a new column in the same ALTER, among other changes',
    from: model(
      table({
        columns: [
          ...columns('id UInt64', 'a UInt32'),
          column('b', 'String', { default: { kind: 'DEFAULT', expression: "'x'" } }),
        ],
      }),
    ),
    to: model(
      table({
        columns: columns('id UInt64', 'k UInt8', 'a UInt32', 'b String', 'm UInt16'),
        orderBy: ['id', 'k', 'm % 10'],
        primaryKey: ['id'],
      }),
    ),
    rows: KEPT,
  },
  {
    name: 'shrinks the sorting key before its column is dropped',
    from: model(table({ orderBy: ['id', 'a'], primaryKey: ['id'] })),
    to: model(table({ columns: columns('id UInt64', 'b String') })),
    rows: KEPT,
  },
  {
    name: 'adds and removes sampling key, comment, TTL and settings',
    from: model(
      table({
        sampleBy: 'id',
        comment: 'x',
        columns: columns('id UInt64', 'a UInt32', 'b String', 'ts DateTime'),
        ttl: ['ts + toIntervalDay(1)'],
        settings: { merge_with_ttl_timeout: '100', max_parts_in_total: '500' },
      }),
    ),
    to: model(
      table({
        columns: columns('id UInt64', 'a UInt32', 'b String', 'ts DateTime'),
        settings: { max_parts_in_total: '600', ttl_only_drop_parts: '1' },
      }),
    ),
    insert: ["INSERT INTO d.t (id, a, b, ts) VALUES (1, 10, 'x', now()), (2, 20, 'y', now()), (3, 30, 'z', now())"],
    rows: KEPT,
  },
  {
    name: 'adds TTL rules that read a new column',
    from: model(table()),
    to: model(
      table({
        columns: columns('id UInt64', 'a UInt32', 'b String', 'ts DateTime'),
        ttl: ['ts + toIntervalYear(90) WHERE a > 5', 'ts + toIntervalYear(99)'],
        comment: "it's",
      }),
    ),
    rows: ['SELECT count() < 4 FROM d.t', '1'],
  },
  {
    name: 'adds, changes and drops indexes, projections and constraints',
    from: model(
      table({
        indexes: [
          { name: 'i1', expression: 'a', type: 'minmax', granularity: 1 },
          { name: 'i2', expression: 'b', type: 'bloom_filter(0.01)', granularity: 2 },
        ],
        projections: [
          { name: 'p1', form: 'query', body: 'SELECT b, id ORDER BY b' },
          { name: 'p2', form: 'query', body: 'SELECT a, count() GROUP BY a' },
        ],
        constraints: [
          { name: 'c1', type: 'CHECK', expression: 'a < 1000' },
          { name: 'c2', type: 'CHECK', expression: "b != 'no'" },
        ],
      }),
    ),
    to: model(
      table({
        indexes: [
          { name: 'i2', expression: 'b', type: 'bloom_filter(0.02)', granularity: 2 },
          { name: 'i3', expression: '(a, id)', type: 'set(100)', granularity: 4 },
        ],
        projections: [
          { name: 'p2', form: 'query', body: 'SELECT a, sum(id) GROUP BY a' },
          { name: 'p3', form: 'query', body: 'SELECT a, id ORDER BY a' },
        ],
        constraints: [
          { name: 'c2', type: 'CHECK', expression: "b != 'never'" },
          { name: 'c3', type: 'ASSUME', expression: 'id > 0' },
        ],
      }),
    ),
    rows: KEPT,
  },
  {
    name: 'drops a column with all that reads it',
    from: model(
      table({
        columns: [
          ...columns('id UInt64', 'a UInt32', 'b String', 'ts DateTime'),
          column('n', 'UInt64', { default: { kind: 'DEFAULT', expression: 'a + 1' } }),
        ],
        indexes: [{ name: 'i1', expression: 'a', type: 'minmax', granularity: 1 }],
        projections: [{ name: 'p1', form: 'query', body: 'SELECT a, id ORDER BY a' }],
        constraints: [{ name: 'c1', type: 'CHECK', expression: 'a < 1000' }],
        ttl: ['ts + toIntervalDay(a)'],
      }),
    ),
    to: model(
      table({
        columns: [
          ...columns('id UInt64', 'b String', 'ts DateTime'),
          column('n', 'UInt64', { default: { kind: 'DEFAULT', expression: 'k + 1' } }),
          ...columns('k UInt8'),
        ],
        indexes: [{ name: 'i1', expression: 'k', type: 'minmax', granularity: 1 }],
        projections: [{ name: 'p1', form: 'query', body: 'SELECT k, id ORDER BY k' }],
        ttl: ['ts + toIntervalYear(k + 50)'],
      }),
    ),
    insert: ["INSERT INTO d.t (id, a, b, ts) VALUES (1, 10, 'x', now()), (2, 20, 'y', now()), (3, 30, 'z', now())"],
    rows: ['SELECT sum(n), sum(id) FROM d.t', '63\t6'],
  },
  {
    name: 'renames a column that defaults, indexes, constraints, TTL and projections read',
    from: model(
      table({
        columns: [
          ...columns('id UInt64', 'a UInt32', 'b String', 'ts DateTime'),
          column('n', 'UInt64', { default: { kind: 'DEFAULT', expression: 'a + 1' } }),
        ],
        indexes: [{ name: 'i1', expression: 'a', type: 'minmax', granularity: 1 }],
        projections: [{ name: 'p1', form: 'query', body: 'SELECT a, id ORDER BY a' }],
        constraints: [{ name: 'c1', type: 'CHECK', expression: 'a < 1000' }],
        ttl: ['ts + toIntervalDay(a)'],
      }),
    ),
    to: model(
      table({
        columns: [
          ...columns('id UInt64', 'amount UInt64', 'b String', 'ts DateTime'),
          column('n', 'UInt64', { default: { kind: 'DEFAULT', expression: 'amount + 1' } }),
        ],
        indexes: [{ name: 'i1', expression: 'amount', type: 'minmax', granularity: 1 }],
        projections: [{ name: 'p1', form: 'query', body: 'SELECT amount, id ORDER BY amount' }],
        constraints: [{ name: 'c1', type: 'CHECK', expression: 'amount < 1000' }],
        ttl: ['ts + toIntervalDay(amount)'],
      }),
    ),
    renames: [rename('a', 'amount')],
    insert: ["INSERT INTO d.t (id, a, b, ts) VALUES (1, 10, 'x', now()), (2, 20, 'y', now()), (3, 30, 'z', now())"],
    rows: ['SELECT sum(amount), sum(n), sum(id) FROM d.t', '60\t63\t6'],
  },
  {
    name: 'converts columns that an aggregate projection and an index read',
    from: model(
      table({
        indexes: [{ name: 'i1', expression: 'a', type: 'minmax', granularity: 1 }],
        projections: [{ name: 'p1', form: 'query', body: 'SELECT b, sum(a) GROUP BY b' }],
      }),
    ),
    to: model(
      table({
        columns: columns('id UInt64', 'a UInt64', 'b LowCardinality(String)'),
        indexes: [{ name: 'i1', expression: 'a', type: 'minmax', granularity: 1 }],
        projections: [{ name: 'p1', form: 'query', body: 'SELECT b, sum(a) GROUP BY b' }],
      }),
    ),
    rows: ['SELECT b, sum(a) FROM d.t GROUP BY b ORDER BY b LIMIT 1', 'x\t10'],
  },
  {
    name: 'turns an indexed column into ALIAS with its index rebuilt (trap 20)',
    from: model(table({ indexes: [{ name: 'i1', expression: 'a', type: 'minmax', granularity: 1 }] })),
    to: model(
      table({
        columns: [
          ...columns('id UInt64'),
          column('a', 'UInt32', { default: { kind: 'ALIAS', expression: 'toUInt32(id * 100)' } }),
          ...columns('b String'),
        ],
        indexes: [{ name: 'i1', expression: 'a', type: 'minmax', granularity: 1 }],
      }),
    ),
    rows: ['SELECT count() FROM d.t WHERE a = 300', '1'],
  },
  {
    name: 'adds whole Nested columns beside others',
    from: model(table({ settings: { flatten_nested: '0' } })),
    to: model(
      table({
        columns: columns('id UInt64', 'a UInt32', 'b String', 'n Nested(x UInt8, y String)', 'm UInt8'),
        settings: { flatten_nested: '0' },
        orderBy: ['id', 'm'],
        primaryKey: ['id'],
      }),
    ),
    rows: KEPT,
    statements: 1,
  },
  {
    name: 'adds flattened Nested columns',
    from: model(table({ columns: columns('id UInt64', 'a UInt32', 'b String', 'n.x Array(UInt8)') })),
    to: model(
      table({ columns: columns('id UInt64', 'a UInt32', 'b String', 'n.x Array(UInt8)', 'n.y Array(String)') }),
    ),
    rows: KEPT,
  },
  {
    name: 'names with quotes, dots, spaces and line breaks survive',
    from: model(table({ columns: columns('id UInt64', 'a UInt32', 'b String'), name: 'we`ird "t\n.x' })),
    to: model(
      table({
        name: 'we`ird "t\n.x',
        columns: [
          ...columns('id UInt64', 'a UInt32', 'b String'),
          column('c`o l\'"\n.ü', 'UInt8', { comment: "q'\\\n`" }),
        ],
        indexes: [{ name: 'i x', expression: '`c\\`o l\'"\\n.ü`', type: 'minmax', granularity: 1 }],
      }),
    ),
    insert: [],
  },
  {
    name: 'creates databases, tables, views, materialized views, dictionaries and functions from nothing',
    from: EMPTY_MODEL,
    to: model(
      table({ comment: 'c' }),
      target(),
      view({ name: 'a_view', query: 'SELECT id FROM d.z_view' }),
      view({
        name: 'z_view',
        query: 'SELECT id, a FROM d.t',
        comment: 'it is',
        columns: [
          { name: 'id', type: 'UInt64', comment: 'q' },
          { name: 'a', type: 'UInt64' },
        ],
      }),
      materializedView({ name: 'a_mv' }),
      materializedView({
        name: 'r_mv',
        refresh: { schedule: 'EVERY 1 HOUR', append: true, randomize: '1 MINUTE', settings: { refresh_retries: '3' } },
      }),
      {
        kind: 'materialized_view',
        database: 'd',
        name: 'inner_mv',
        query: 'SELECT id, a FROM d.t',
        inner: {
          engine: { name: 'SummingMergeTree', args: [] },
          orderBy: ['id'],
          ttl: ['toDateTime(a) + toIntervalDay(1)'],
        },
      },
      dictionary(),
      table({
        database: 'd2',
        name: 'uses',
        functions: ['add_one'],
        columns: [
          column('id', 'UInt64'),
          column('x', 'UInt32', { default: { kind: 'DEFAULT', expression: "dictGet('d.dict', 'a', id)" } }),
          column('y', 'UInt64', { default: { kind: 'DEFAULT', expression: '(id + 1)' } }),
        ],
      }),
      { kind: 'sql_function', name: 'add_one', expression: 'x -> (x + 1)' },
      { kind: 'database', name: 'd', comment: 'declared' },
    ),
    insert: [],
  },
  {
    name: 'drops everything in an order that the server accepts',
    from: model(
      table(),
      target(),
      view(),
      materializedView(),
      dictionary(),
      table({
        name: 'uses',
        columns: [
          column('id', 'UInt64'),
          column('x', 'UInt32', { default: { kind: 'DEFAULT', expression: "dictGet('d.dict', 'a', id)" } }),
        ],
      }),
      { kind: 'database', name: 'd' },
    ),
    to: EMPTY_MODEL,
  },
  {
    name: 'replaces views and repoints materialized views around a renamed column',
    from: model(table(), target(), view(), materializedView()),
    to: model(
      table({ columns: columns('id UInt64', 'amount UInt32', 'b String') }),
      target({ columns: columns('id UInt64', 'amount UInt32') }),
      view({ query: 'SELECT id, amount FROM d.t' }),
      materializedView({ query: 'SELECT id, amount FROM d.t' }),
    ),
    renames: [
      rename('a', 'amount'),
      { kind: 'column', table: { database: 'd', name: 'target' }, from: 'a', to: 'amount' },
    ],
    rows: ['SELECT sum(amount) FROM d.target', '60'],
  },
  {
    name: 'drops a column that a materialized view stops reading in the same plan',
    from: model(table(), target(), materializedView()),
    to: model(
      table({ columns: columns('id UInt64', 'b String') }),
      target({ columns: columns('id UInt64') }),
      materializedView({ query: 'SELECT id FROM d.t' }),
    ),
    rows: ['SELECT sum(id) FROM d.target', '6'],
  },
  {
    name: 'drops a column under a materialized view that selects everything',
    from: model(
      table({ columns: columns('id UInt64', 'a UInt32') }),
      target(),
      materializedView({ query: 'SELECT * FROM d.t' }),
    ),
    to: model(table({ columns: columns('id UInt64') }), target(), materializedView({ query: 'SELECT * FROM d.t' })),
    insert: ['INSERT INTO d.t VALUES (1, 1), (2, 2)'],
    rows: ['SELECT sum(id) FROM d.target', '3'],
  },
  {
    name: 'adds a column to source, target and materialized view',
    from: model(table(), target(), materializedView()),
    to: model(
      table({ columns: columns('id UInt64', 'a UInt32', 'b String', 'c UInt8') }),
      target({ columns: columns('id UInt64', 'a UInt32', 'c UInt8') }),
      materializedView({ query: 'SELECT id, a, c FROM d.t' }),
    ),
    rows: ['SELECT sum(a) FROM d.target', '60'],
  },
  {
    name: 'follows a renamed table with its view, materialized view and dictionary',
    from: model(
      table(),
      target(),
      view(),
      materializedView(),
      dictionary(),
      table({
        name: 'uses',
        columns: [
          column('id', 'UInt64'),
          column('x', 'UInt32', { default: { kind: 'DEFAULT', expression: "dictGet('d.dict', 'a', id)" } }),
        ],
      }),
    ),
    to: model(
      table({ name: 'events' }),
      target({ name: 'sink' }),
      view({ query: 'SELECT id, a FROM d.events' }),
      materializedView({ query: 'SELECT id, a FROM d.events', to: { database: 'd', name: 'sink' } }),
      dictionary({ source: "CLICKHOUSE(TABLE 'events' DB 'd')" }),
      table({
        name: 'uses',
        columns: [
          column('id', 'UInt64'),
          column('x', 'UInt32', { default: { kind: 'DEFAULT', expression: "dictGet('d.dict', 'a', id)" } }),
        ],
      }),
    ),
    renames: [
      { kind: 'object', from: { database: 'd', name: 't' }, to: { database: 'd', name: 'events' } },
      { kind: 'object', from: { database: 'd', name: 'target' }, to: { database: 'd', name: 'sink' } },
    ],
    rows: ['SELECT sum(a), (SELECT sum(a) FROM d.sink) FROM d.events', '60\t60'],
  },
  {
    name: 'renames a table into a new database and changes it',
    from: model(table()),
    to: model(
      table({ database: 'd2', name: 'moved', columns: columns('id UInt64', 'a UInt64', 'n UInt8', 'b String') }),
    ),
    renames: [{ kind: 'object', from: { database: 'd', name: 't' }, to: { database: 'd2', name: 'moved' } }],
    rows: ['SELECT sum(a) FROM d2.moved', '60'],
  },
  {
    name: 'renames views, materialized views and dictionaries',
    from: model(table(), target(), view(), materializedView(), dictionary()),
    to: model(
      table(),
      target(),
      view({ name: 'v2' }),
      materializedView({ name: 'mv2' }),
      dictionary({ name: 'dict2', comment: 'x' }),
    ),
    renames: (['v', 'mv', 'dict'] as const).map((name) => ({
      kind: 'object',
      from: { database: 'd', name },
      to: { database: 'd', name: `${name}2` },
    })),
    rows: KEPT,
  },
  {
    name: 'a table becomes a view of the same name (trap 6)',
    from: model(table(), table({ name: 'other' })),
    to: model(table({ name: 'other' }), view({ name: 't', query: 'SELECT id FROM d.other' })),
  },
  {
    name: 'a view becomes a table of the same name',
    from: model(table(), view()),
    to: model(table(), table({ name: 'v' })),
    rows: KEPT,
  },
  {
    name: 'states a view that only gets another name again where it selects everything of a changed table',
    from: model(table(), view({ name: 'old', query: 'SELECT * FROM d.t' })),
    to: model(
      table({ columns: columns('x UInt8', 'id UInt64', 'a UInt32', 'b String') }),
      view({ query: 'SELECT * FROM d.t' }),
    ),
    renames: [{ kind: 'object', from: { database: 'd', name: 'old' }, to: { database: 'd', name: 'v' } }],
    rows: ['SELECT sum(x), sum(id) FROM d.v', '0\t6'],
  },
  {
    name: 'views that select everything follow added, dropped and converted columns',
    from: model(table(), view({ query: 'SELECT * FROM d.t' }), view({ name: 'over', query: 'SELECT * FROM d.v' })),
    to: model(
      table({ columns: columns('id UInt64', 'n UInt8', 'a UInt64') }),
      view({ query: 'SELECT * FROM d.t' }),
      view({ name: 'over', query: 'SELECT * FROM d.v' }),
    ),
    rows: KEPT,
  },
  {
    name: 'views and materialized views follow a converted column',
    from: model(table(), target({ columns: columns('id UInt64', 'a UInt64') }), view(), materializedView()),
    to: model(
      table({ columns: columns('id UInt64', 'a UInt64', 'b String') }),
      target({ columns: columns('id UInt64', 'a UInt64') }),
      view(),
      materializedView(),
    ),
    rows: ['SELECT sum(a) FROM d.target', '60'],
  },
  {
    name: 'alters a materialized view: query, comment and refresh as a whole clause (trap 14)',
    from: model(
      table(),
      target(),
      materializedView(),
      materializedView({
        name: 'r',
        refresh: { schedule: 'EVERY 1 HOUR', randomize: '1 MINUTE', append: true, settings: { refresh_retries: '3' } },
      }),
    ),
    to: model(
      table(),
      target(),
      materializedView({ query: 'SELECT id, a + 1 AS a FROM d.t', comment: 'x' }),
      materializedView({
        name: 'r',
        refresh: { schedule: 'EVERY 2 HOUR', randomize: '1 MINUTE', append: true, settings: { refresh_retries: '3' } },
      }),
    ),
    rows: ['SELECT sum(a) FROM d.target', '60'],
  },
  {
    name: 'points a materialized view at another target',
    from: model(table(), target(), materializedView()),
    to: model(
      table(),
      target(),
      target({ name: 'target2' }),
      materializedView({ to: { database: 'd', name: 'target2' } }),
    ),
    rows: ['SELECT sum(a) FROM d.target', '60'],
  },
  {
    name: 'changes the query of a materialized view with an inner table between the same columns',
    from: model(table(), {
      kind: 'materialized_view',
      database: 'd',
      name: 'mv',
      query: 'SELECT id, a FROM d.t',
      inner: { engine: { name: 'MergeTree', args: [] }, orderBy: ['id'] },
    }),
    to: model(table(), {
      kind: 'materialized_view',
      database: 'd',
      name: 'mv',
      query: 'SELECT id, toUInt32(a + 1) AS a FROM d.t',
      inner: { engine: { name: 'MergeTree', args: [] }, orderBy: ['id'] },
    }),
    rows: ['SELECT sum(a) FROM d.mv', '60'],
  },
  {
    name: 'replaces dictionaries and functions',
    from: model(table(), dictionary(), { kind: 'sql_function', name: 'f', expression: 'x -> (x + 1)' }),
    to: model(
      table(),
      dictionary({
        layout: 'HASHED()',
        lifetime: 'MIN 1 MAX 9',
        attributes: [
          { name: 'id', type: 'UInt64' },
          { name: 'a', type: 'UInt64', default: '5', injective: true },
        ],
      }),
      { kind: 'sql_function', name: 'f', expression: '(x, y) -> (x + y)' },
    ),
    rows: ['SELECT f(1, 2)', '3'],
  },
  {
    name: 'recreates what cannot change in place when that is allowed, under views and dictionaries',
    from: model(table(), target(), view(), materializedView(), dictionary()),
    to: model(
      table({ engine: { name: 'ReplacingMergeTree', args: ['id'] }, partitionBy: ['id % 10'], orderBy: ['b', 'id'] }),
      target(),
      view(),
      materializedView(),
      dictionary(),
    ),
    allowRecreate: true,
    rows: ['SELECT count(), (SELECT count() FROM d.target) FROM d.t', '0\t3'],
  },
  {
    name: 'recreates a materialized view that is renamed as well when that is allowed',
    from: model(table(), {
      kind: 'materialized_view',
      database: 'd',
      name: 'mv',
      query: 'SELECT id FROM d.t',
      inner: { engine: { name: 'MergeTree', args: [] }, orderBy: ['id'] },
    }),
    to: model(table(), {
      kind: 'materialized_view',
      database: 'd',
      name: 'mv2',
      query: 'SELECT id, a FROM d.t',
      inner: { engine: { name: 'MergeTree', args: [] }, orderBy: ['id'], settings: { max_parts_in_total: '500' } },
    }),
    renames: [{ kind: 'object', from: { database: 'd', name: 'mv' }, to: { database: 'd', name: 'mv2' } }],
    allowRecreate: true,
    rows: KEPT,
  },
  {
    name: 'alters tables of other engines where they can',
    from: model(
      table({ engine: { name: 'Memory', args: [] }, orderBy: undefined }),
      table({ name: 'n', engine: { name: 'Null', args: [] }, orderBy: undefined }),
      table({ name: 'm', engine: { name: 'Merge', args: ["'d'", "'^t'"] }, orderBy: undefined }),
      table({ name: 'l', engine: { name: 'Log', args: [] }, orderBy: undefined }),
    ),
    to: model(
      table({
        engine: { name: 'Memory', args: [] },
        orderBy: undefined,
        columns: columns('id UInt64', 'n UInt8', 'a UInt64'),
        comment: 'x',
      }),
      table({
        name: 'n',
        engine: { name: 'Null', args: [] },
        orderBy: undefined,
        columns: columns('id UInt32', 'z UInt8'),
      }),
      table({
        name: 'm',
        engine: { name: 'Merge', args: ["'d'", "'^t'"] },
        orderBy: undefined,
        columns: columns('id UInt64'),
      }),
      table({
        name: 'l',
        engine: { name: 'Log', args: [] },
        orderBy: undefined,
        comment: 'log',
        columns: [column('id', 'UInt64', { comment: 'c' }), ...columns('a UInt32', 'b String')],
      }),
    ),
    rows: ['SELECT sum(a) FROM d.t', '60'],
  },
]

function migrate(
  from: Model,
  to: Model,
  options: { renames?: readonly Rename[]; allowRecreate?: boolean } = {},
): string[] {
  const changes = diffModels(from, to, options.renames ?? [])
  const plan = planChanges(changes, { from, to, allowRecreate: options.allowRecreate ?? false })
  expect(plan.refusals).toEqual([])
  const texts = renderPlan(plan).map((statement) => statement.text)
  for (const text of texts) {
    try {
      engine.run(text)
    } catch (error) {
      throw new Error(`${text}\n${error instanceof Error ? error.message : String(error)}\nin:\n${texts.join(';\n')}`)
    }
  }
  return texts
}

describe('a plan leads a live database to what a fresh one would be', () => {
  it.each(CASES)('$name', ({ from, to, renames, allowRecreate, insert, rows, statements }) => {
    engine.clear()
    migrate(EMPTY_MODEL, from)
    for (const sql of insert ?? (from.definitions.length > 0 ? [THREE_ROWS] : [])) engine.run(sql)
    const texts = migrate(from, to, { renames, allowRecreate })
    if (rows) expect(engine.run(rows[0])).toBe(rows[1])
    if (statements !== undefined) expect(texts).toHaveLength(statements)
    const drift = findDrift(to, engine.read())
    expect(drift.objectDrift).toEqual([])
    expect(drift.tableDrift).toEqual([])
    const migrated = engine.show()
    engine.clear()
    migrate(EMPTY_MODEL, to)
    expect(migrated).toEqual(engine.show())
    expect(diffModels(to, to)).toEqual([])
  })
})
