/** What the server cannot do in place is refused with its reason, or planned as a recreation where that is allowed. */
import { describe, expect, it } from 'vitest'
import { diffModels, type Rename } from '../../src/diff/diff.js'
import type { Model, Table } from '../../src/model/definition.js'
import { planChanges } from '../../src/plan/plan.js'
import { renderPlan } from '../../src/render/render.js'
import { column, columns, materializedView, model, table } from './support/models.js'

type Row = {
  readonly name: string
  readonly from: Partial<Table>
  readonly to: Partial<Table>
  readonly renames?: readonly Rename[]
  readonly messages: readonly string[]
}

const replacing = { name: 'ReplacingMergeTree', args: ['v', 'del'] }
const versioned = columns('id UInt64', 'v UInt32', 'del UInt8')
const rename = (from: string, to: string): Rename => ({ kind: 'column', table: { database: 'd', name: 't' }, from, to })

const ROWS: readonly Row[] = [
  {
    name: 'settings of the is_deleted column',
    from: { engine: replacing, columns: versioned },
    to: {
      engine: replacing,
      columns: [
        ...columns('id UInt64', 'v UInt32'),
        column('del', 'UInt8', { settings: { max_compress_block_size: '9' } }),
      ],
    },
    messages: ['Column del of d.t cannot have other settings: the engine uses it (is_deleted).'],
  },
  {
    name: 'the comment of a table that stands for another',
    from: { engine: { name: 'Alias', args: ["'d'", "'u'"] }, columns: [], orderBy: undefined },
    to: { engine: { name: 'Alias', args: ["'d'", "'u'"] }, columns: [], orderBy: undefined, comment: 'x' },
    messages: ['The Alias engine cannot change the comment of d.t in place.'],
  },
  {
    name: 'the engine',
    from: {},
    to: { engine: { name: 'ReplacingMergeTree', args: ['a'] } },
    messages: [
      'The engine of d.t changes from MergeTree to ReplacingMergeTree(a); the server cannot do that in place.',
    ],
  },
  {
    name: 'the partition key',
    from: {},
    to: { partitionBy: ['id % 2'] },
    messages: ['The partition key of d.t changes from () to (id % 2); parts cannot be regrouped in place.'],
  },
  {
    name: 'the primary key',
    from: { orderBy: ['id', 'a'] },
    to: { orderBy: ['id', 'a'], primaryKey: ['id'] },
    messages: ['The primary key of d.t changes from (id, a) to (id); the server fixes it at CREATE.'],
  },
  {
    name: 'the unique key',
    from: {},
    to: { uniqueKey: ['id'] },
    messages: ['The unique key of d.t changes; the server fixes it at CREATE.'],
  },
  {
    name: 'a sorting key in another order',
    from: { orderBy: ['id', 'a'] },
    to: { orderBy: ['a', 'id'] },
    messages: [
      'The sorting key of d.t changes from (id, a) to (a, id); the primary key (id, a) must stay its beginning.',
    ],
  },
  {
    name: 'a sorting key extended by an existing column',
    from: {},
    to: { orderBy: ['id', 'a'] },
    messages: [
      'The sorting key of d.t changes from (id) to (id, a); column a exists already, and only columns added in the same ALTER may join it.',
    ],
  },
  {
    name: 'a sorting key extended by a new column with a default',
    from: {},
    to: {
      columns: [
        ...columns('id UInt64', 'a UInt32', 'b String'),
        column('n', 'UInt8', { default: { kind: 'DEFAULT', expression: '1' } }),
      ],
      orderBy: ['id', 'n'],
    },
    messages: [
      'The sorting key of d.t changes from (id) to (id, n); the new column n has a DEFAULT, and only columns without one may join it.',
    ],
  },
  {
    name: 'a sorting key extended by a Nullable column',
    from: {},
    to: { columns: columns('id UInt64', 'a UInt32', 'b String', 'n Nullable(UInt8)'), orderBy: ['id', 'n'] },
    messages: [
      'The sorting key of d.t changes from (id) to (id, n); the new column n is Nullable, and allow_nullable_key is off.',
    ],
  },
  {
    name: 'a sorting key extended in descending order',
    from: {},
    to: { columns: columns('id UInt64', 'a UInt32', 'b String', 'n UInt8'), orderBy: ['id', 'n DESC'] },
    messages: [
      'The sorting key of d.t changes from (id) to (id, n DESC); a descending entry can only be part of a CREATE.',
    ],
  },
  {
    name: 'the type of a key column',
    from: {},
    to: { columns: columns('id UInt128', 'a UInt32', 'b String') },
    messages: ['Column id of d.t cannot change its type from UInt64 to UInt128: it is part of the sorting key.'],
  },
  {
    name: 'the type of a column inside a partition expression',
    from: { partitionBy: ['a % 2'] },
    to: { columns: columns('id UInt64', 'a UInt64', 'b String'), partitionBy: ['a % 2'] },
    messages: ['Column a of d.t cannot change its type from UInt32 to UInt64: it is part of the partition key.'],
  },
  {
    name: 'LowCardinality of a column inside a key expression',
    from: { orderBy: ['lower(b)'] },
    to: { columns: columns('id UInt64', 'a UInt32', 'b LowCardinality(String)'), orderBy: ['lower(b)'] },
    messages: [
      'Column b of d.t cannot change its type from String to LowCardinality(String): it is part of the sorting key.',
    ],
  },
  {
    name: 'a narrower version column',
    from: { engine: replacing, columns: versioned },
    to: { engine: replacing, columns: columns('id UInt64', 'v UInt16', 'del UInt8') },
    messages: ['Column v of d.t cannot change its type from UInt32 to UInt16: the engine uses it (version).'],
  },
  {
    name: 'a renamed version column',
    from: { engine: replacing, columns: versioned },
    to: { engine: { ...replacing, args: ['w', 'del'] }, columns: columns('id UInt64', 'w UInt32', 'del UInt8') },
    renames: [rename('v', 'w')],
    messages: ['Column v of d.t cannot be renamed: the engine uses it (version).'],
  },
  {
    name: 'a renamed key column',
    from: {},
    to: { columns: columns('key UInt64', 'a UInt32', 'b String'), orderBy: ['key'] },
    renames: [rename('id', 'key')],
    messages: ['Column id of d.t cannot be renamed: it is part of the sorting key.'],
  },
  {
    name: 'a key column that becomes ALIAS',
    from: {},
    to: {
      columns: [
        column('id', 'UInt64', { default: { kind: 'ALIAS', expression: 'a' } }),
        ...columns('a UInt32', 'b String'),
      ],
    },
    messages: ['Column id of d.t cannot become ALIAS: it is part of the sorting key.'],
  },
  {
    name: 'a shorter FixedString',
    from: { columns: columns('id UInt64', 'f FixedString(8)') },
    to: { columns: columns('id UInt64', 'f FixedString(4)') },
    messages: ['The server cannot convert column f of d.t from FixedString(8) to FixedString(4).'],
  },
  {
    name: 'another aggregate function',
    from: { columns: columns('id UInt64', 'f AggregateFunction(sum, UInt8)') },
    to: { columns: columns('id UInt64', 'f AggregateFunction(sum, UInt16)') },
    messages: [
      'The server cannot convert column f of d.t from AggregateFunction(sum, UInt8) to AggregateFunction(sum, UInt16).',
    ],
  },
  {
    name: 'a read-only setting',
    from: {},
    to: { settings: { index_granularity: '1024' } },
    messages: ['Setting index_granularity of d.t is read-only after CREATE.'],
  },
  {
    name: 'a column of an engine without ALTER',
    from: { engine: { name: 'Log', args: [] }, orderBy: undefined },
    to: { engine: { name: 'Log', args: [] }, orderBy: undefined, columns: columns('id UInt64') },
    messages: [
      'The Log engine cannot drop column a of d.t in place.',
      'The Log engine cannot drop column b of d.t in place.',
    ],
  },
  {
    name: 'a renamed column in Memory, which loses its values',
    from: { engine: { name: 'Memory', args: [] }, orderBy: undefined },
    to: {
      engine: { name: 'Memory', args: [] },
      orderBy: undefined,
      columns: columns('id UInt64', 'z UInt32', 'b String'),
    },
    renames: [rename('a', 'z')],
    messages: ['The Memory engine cannot rename column a of d.t in place.'],
  },
]

function plan(from: Model, to: Model, options: { renames?: readonly Rename[]; allowRecreate?: boolean } = {}) {
  return planChanges(diffModels(from, to, options.renames ?? []), {
    from,
    to,
    allowRecreate: options.allowRecreate ?? false,
  })
}

describe('what cannot be done in place', () => {
  it.each(ROWS)('$name is refused, and recreated where that is allowed', ({ from, to, renames, messages }) => {
    const [before, after] = [model(table(from)), model(table(to))]
    const { refusals } = plan(before, after, { renames })
    expect(refusals.map(({ code, object, message }) => ({ code, object, message }))).toEqual(
      messages.map((message) => ({ code: 'rebuild_required', object: 'table:d.t', message })),
    )
    expect(refusals.every((refusal) => refusal.hint.includes('--allow-recreate'))).toBe(true)

    const forced = plan(before, after, { renames, allowRecreate: true })
    expect(forced.refusals).toEqual([])
    expect(forced.steps.map(({ type, key, risk }) => ({ type, key, risk }))).toEqual([
      { type: 'recreate_table', key: 'table:d.t', risk: 'danger' },
    ])
    const texts = renderPlan(forced).map((statement) => statement.text)
    expect(texts[0]).toBe('DROP TABLE IF EXISTS d.t SYNC')
    expect(texts[1]).toMatch(/^CREATE TABLE IF NOT EXISTS d\.t\n/)
  })

  it('nothing of a read-only table changes but its settings', () => {
    const from = model(table({ settings: { table_readonly: '1' } }))
    const { refusals } = plan(from, model(table({ comment: 'x' })))
    expect(refusals).toMatchObject([
      {
        code: 'plan_refused',
        message: 'd.t cannot change: its setting table_readonly is on.',
        hint: 'Take table_readonly away in a migration of its own, then generate again.',
      },
    ])
    expect(plan(from, model(table())).refusals).toEqual([])
  })

  it('a projection on a folding engine is refused until its mode is set', () => {
    const engine = { name: 'ReplacingMergeTree', args: [] }
    const projections = [{ name: 'p', form: 'query' as const, body: 'SELECT a ORDER BY a' }]
    expect(plan(model(table({ engine })), model(table({ engine, projections }))).refusals).toMatchObject([
      {
        code: 'plan_refused',
        hint: "Set deduplicate_merge_projection_mode to 'drop' or 'rebuild' in the table's settings.",
      },
    ])
    const settings = { deduplicate_merge_projection_mode: "'drop'" }
    const { steps, refusals } = plan(model(table({ engine })), model(table({ engine, projections, settings })))
    expect(refusals).toEqual([])
    expect(steps.map((step) => step.type)).toEqual(['alter_table_modify_setting', 'alter_table_add_projection'])
  })

  it('an inner table of a materialized view is not changed behind its back', () => {
    const of = (engine: string) =>
      model(
        table(),
        materializedView({ to: undefined, inner: { engine: { name: engine, args: [] }, orderBy: ['id'] } }),
      )
    expect(plan(of('MergeTree'), of('SummingMergeTree')).refusals).toMatchObject([
      {
        code: 'rebuild_required',
        object: 'materialized_view:d.mv',
        message:
          'Materialized view d.mv keeps its rows in an inner table, and its inner table cannot change in place: an ALTER of that table, which bears another name on each server, leaves the view as it was made.',
      },
    ])
    expect(plan(of('MergeTree'), of('SummingMergeTree'), { allowRecreate: true }).steps).toMatchObject([
      { type: 'recreate_materialized_view', risk: 'danger' },
    ])
  })

  it('an extension of the sorting key of a folding engine warns that duplicates change', () => {
    const engine = { name: 'ReplacingMergeTree', args: [] }
    const { steps } = plan(
      model(table({ engine })),
      model(table({ engine, columns: columns('id UInt64', 'a UInt32', 'b String', 'n UInt8'), orderBy: ['id', 'n'] })),
    )
    expect(steps.map(({ type, risk, warning }) => [type, risk, warning])).toEqual([
      ['alter_table_add_column', 'safe', undefined],
      [
        'alter_table_modify_order_by',
        'caution',
        'ReplacingMergeTree merges rows by the sorting key: what counts as the same row changes. A table made anew would have (id, n) as its primary key: declare primaryKey (id).',
      ],
    ])
  })
})

/** What CREATE takes and ALTER does not, or what breaks later: recreating the table would be no answer. */
const NO_WAY: readonly Row[] = [
  {
    name: 'a column that leaves its nest',
    from: { columns: columns('id UInt64', 'n.a Array(UInt8)', 'n.b Array(UInt8)') },
    to: { columns: columns('id UInt64', 'z Array(UInt8)', 'n.b Array(UInt8)') },
    renames: [rename('n.a', 'z')],
    messages: ['Column n.a of d.t cannot be renamed to z: the server keeps what stands before the dot.'],
  },
  {
    name: 'statistics of a column that is not stored',
    from: {
      columns: [...columns('id UInt64'), column('x', 'UInt64', { default: { kind: 'ALIAS', expression: 'id' } })],
    },
    to: {
      columns: [
        ...columns('id UInt64'),
        column('x', 'UInt64', { default: { kind: 'ALIAS', expression: 'id' }, statistics: ['tdigest'] }),
      ],
    },
    messages: ['Column x of d.t cannot have statistics: it is ALIAS, and only stored columns have them.'],
  },
  {
    name: 'a TTL of an EPHEMERAL column',
    from: {},
    to: {
      columns: [
        ...columns('id UInt64', 'a UInt32', 'b String'),
        column('x', 'UInt64', { default: { kind: 'EPHEMERAL' }, ttl: 'toDate(a)' }),
      ],
    },
    messages: ['Column x of d.t cannot have a TTL: it is EPHEMERAL, and every later mutation of the table would fail.'],
  },
]

describe('what no statement should do', () => {
  it.each(NO_WAY)('$name', ({ from, to, renames, messages }) => {
    const [before, after] = [model(table(from)), model(table(to))]
    const plan = planChanges(diffModels(before, after, renames), { from: before, to: after, allowRecreate: true })
    expect(plan.refusals.map(({ code, message }) => ({ code, message }))).toEqual(
      messages.map((message) => ({ code: 'plan_refused', message })),
    )
  })
})
