/** The findings of reference/alter-matrix.md section 0, one named test each: what the server accepts and breaks on later. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { diffModels, type Rename } from '../../src/diff/diff.js'
import { resolveRenames } from '../../src/diff/renames.js'
import { EMPTY_MODEL, type Model } from '../../src/model/definition.js'
import { READ_ONLY_SETTINGS } from '../../src/plan/engines.js'
import { planChanges } from '../../src/plan/plan.js'
import type { Refusal, Step } from '../../src/plan/step.js'
import { renderPlan } from '../../src/render/render.js'
import { type Engine, startEngine } from './support/engine.js'
import { column, columns, materializedView, model, table, target, view } from './support/models.js'

let engine: Engine
beforeAll(() => {
  engine = startEngine()
})
afterAll(() => engine.close())

function planned(from: Model, to: Model, renames: readonly Rename[] = []) {
  const plan = planChanges(diffModels(from, to, renames), { from, to })
  return { ...plan, texts: renderPlan(plan).map((statement) => statement.text) }
}

const told = (steps: readonly Step[]) =>
  steps.map(({ type, risk, warning }) => ({ type, risk, ...(warning && { warning }) }))
const refused = (refusals: readonly Refusal[]) =>
  refusals.map(({ code, object, message }) => ({ code, object, message }))
const withColumn = (type: string, rest: Parameters<typeof column>[2] = {}) =>
  model(table({ columns: [...columns('id UInt64'), column('x', type, rest)] }))

function create(to: Model, ...inserts: readonly string[]): void {
  engine.clear()
  for (const text of planned(EMPTY_MODEL, to).texts) engine.run(text)
  for (const sql of inserts) engine.run(sql)
}

describe('traps of the server', () => {
  it('1: a conversion that would fail on some row is stopped before it starts', () => {
    const [from, to] = [withColumn('String'), withColumn('UInt32')]
    const { texts, steps } = planned(from, to)
    expect(texts).toEqual([
      "SELECT throwIf(count() > 0, 'rows of d.t hold values of x that UInt32 cannot hold') FROM d.t WHERE accurateCastOrNull(x, 'UInt32') IS NULL",
      'ALTER TABLE d.t MODIFY COLUMN `x` UInt32',
    ])
    expect(told(steps)).toEqual([
      {
        type: 'alter_table_modify_column',
        risk: 'caution',
        warning: 'The migration stops before its first change while such rows exist.',
      },
    ])
    create(from, "INSERT INTO d.t VALUES (1, '10'), (2, 'bad')")
    expect(() => engine.run(texts[0]!)).toThrow('rows of d.t hold values of x that UInt32 cannot hold')
    expect(engine.run('SELECT x FROM d.t ORDER BY id')).toBe('10\nbad')
  })

  it.each([
    ['Array(Nullable(UInt8))', 'Array(UInt8)', 'INSERT INTO d.t VALUES (1, [1]), (2, [NULL])'],
    ['Map(String, String)', 'Map(String, UInt8)', "INSERT INTO d.t VALUES (1, {'a':'1'}), (2, {'a':'b'})"],
    ['Tuple(a String, b UInt8)', 'Tuple(a UInt8, b UInt8)', "INSERT INTO d.t VALUES (1, ('1', 2)), (2, ('x', 2))"],
    ["Array(Enum8('a' = 1, 'b' = 2))", "Array(Enum8('a' = 1))", "INSERT INTO d.t VALUES (1, ['a']), (2, ['b'])"],
    ['JSON', 'JSON(a UInt8)', `INSERT INTO d.t VALUES (1, '{"a":1}'), (2, '{"a":"x"}')`],
    ['JSON', 'JSON(a Array(UInt8))', `INSERT INTO d.t VALUES (1, '{"a":[1]}'), (2, '{"a":{"b":1}}')`],
  ])('1: so is one of elements, from %s to %s', (before, after, insert) => {
    const [from, to] = [withColumn(before), withColumn(after)]
    const { texts } = planned(from, to)
    create(from, insert)
    expect(() => engine.run(texts[0]!)).toThrow('hold values of x that')
    engine.run('ALTER TABLE d.t DELETE WHERE id = 2 SETTINGS mutations_sync = 2')
    for (const text of texts) engine.run(text)
    expect(engine.run('SELECT count() FROM d.t WHERE NOT ignore(x)')).toBe('1')
  })

  it('2: two tables never swap their names, for materialized views would be left behind', () => {
    expect(() =>
      resolveRenames(
        model(table({ name: 'a' }), table({ name: 'b' })),
        model(table({ name: 'a' }), table({ name: 'b' })),
        { tables: ['d.a=d.b', 'd.b=d.a'] },
      ),
    ).toThrow('Unsupported chained or cyclic table rename mapping')
  })

  it('2: a renamed source takes its materialized views along, and says what happens in between', () => {
    const { texts, steps } = planned(
      model(table(), target(), materializedView()),
      model(table({ name: 'events' }), target(), materializedView({ query: 'SELECT id, a FROM d.events' })),
      [{ kind: 'object', from: { database: 'd', name: 't' }, to: { database: 'd', name: 'events' } }],
    )
    expect(texts).toEqual([
      'RENAME TABLE IF EXISTS d.t TO d.events',
      'ALTER TABLE d.mv MODIFY QUERY SELECT id, a FROM d.events',
    ])
    expect(steps[0]!.warning).toBe(
      'Between the rename and the change of d.mv inserted rows do not pass through the materialized view: pause inserts.',
    )
  })

  it('2: a rename is refused while a materialized view still reads the old name', () => {
    const { refusals } = planned(
      model(table(), target(), materializedView()),
      model(table({ name: 'events' }), target(), materializedView()),
      [{ kind: 'object', from: { database: 'd', name: 't' }, to: { database: 'd', name: 'events' } }],
    )
    expect(refused(refusals)).toEqual([
      { code: 'plan_refused', object: 'table:d.t', message: 'd.t cannot go away: d.mv still reads it.' },
    ])
  })

  it('3: a storage policy is never reset', () => {
    expect(
      refused(planned(model(table({ settings: { storage_policy: "'tiered'" } })), model(table())).refusals),
    ).toEqual([
      {
        code: 'plan_refused',
        object: 'table:d.t',
        message:
          'Setting storage_policy of d.t cannot be reset: the server does not check where the parts are, and parts on other disks vanish at its next start.',
      },
    ])
  })

  it('4: a setting goes back by RESET, not by = DEFAULT', () => {
    expect(
      planned(model(table({ settings: { max_parts_in_total: '5', ttl_only_drop_parts: '1' } })), model(table())).texts,
    ).toEqual(['ALTER TABLE d.t RESET SETTING max_parts_in_total, ttl_only_drop_parts'])
  })

  it('5: statistics and settings of a new column get commands of their own', () => {
    expect(
      planned(
        model(table({ columns: columns('id UInt64') })),
        withColumn('UInt32', { statistics: ['uniq'], settings: { max_compress_block_size: '5000' } }),
      ).texts,
    ).toEqual([
      'ALTER TABLE d.t ADD COLUMN IF NOT EXISTS `x` UInt32',
      'ALTER TABLE d.t ADD STATISTICS IF NOT EXISTS `x` TYPE uniq',
      'ALTER TABLE d.t MODIFY COLUMN `x` MODIFY SETTING max_compress_block_size = 5000',
    ])
  })

  it('6: a view that takes the name of a table never replaces it in one statement', () => {
    const { texts, steps } = planned(model(table()), model(view({ name: 't', query: 'SELECT 1' })))
    expect(texts).toEqual(['DROP TABLE IF EXISTS d.t', 'CREATE VIEW IF NOT EXISTS d.t\nAS SELECT 1'])
    expect(told(steps)).toEqual([
      { type: 'drop_table', risk: 'danger' },
      { type: 'create_view', risk: 'safe' },
    ])
  })

  it('7: each object is dropped and renamed by a statement of its own', () => {
    expect(planned(model(table({ name: 'a' }), table({ name: 'b' })), EMPTY_MODEL).texts).toEqual([
      'DROP TABLE IF EXISTS d.a',
      'DROP TABLE IF EXISTS d.b',
    ])
  })

  it('8: an Enum loses a value only when no row holds it', () => {
    const [from, to] = [withColumn("Enum8('a' = 1, 'b' = 2)"), withColumn("Enum8('a' = 1)")]
    const { texts } = planned(from, to)
    expect(texts).toEqual([
      "SELECT throwIf(count() > 0, 'rows of d.t hold values of x that Enum8(\\'a\\' = 1) cannot hold') FROM d.t WHERE x IN ('b')",
      "ALTER TABLE d.t MODIFY COLUMN `x` Enum8('a' = 1)",
    ])
    create(from, "INSERT INTO d.t VALUES (1, 'a'), (2, 'b')")
    expect(() => engine.run(texts[0]!)).toThrow('rows of d.t hold values')
    engine.run("ALTER TABLE d.t DELETE WHERE x = 'b'")
    for (const text of texts) engine.run(text)
    expect(engine.run('SELECT id, x FROM d.t')).toBe('1\ta')
  })

  it('9: a new label for an Enum number is dangerous: stored rows change their meaning', () => {
    expect(told(planned(withColumn("Enum8('a' = 1, 'b' = 2)"), withColumn("Enum8('a' = 1, 'bb' = 2)")).steps)).toEqual([
      {
        type: 'alter_table_modify_column',
        risk: 'danger',
        warning: 'Values may be lost: in every stored row b reads as bb.',
      },
    ])
  })

  it('9: an Enum label that moves to another number is refused, as the server does', () => {
    expect(
      planned(withColumn("Enum8('a' = 1, 'b' = 2)"), withColumn("Enum8('b' = 1, 'a' = 2)")).refusals,
    ).toMatchObject([{ code: 'rebuild_required' }])
  })

  it('10: a renamed Tuple element is dangerous: its values are lost', () => {
    expect(told(planned(withColumn('Tuple(a UInt8, b UInt8)'), withColumn('Tuple(a UInt8, c UInt8)')).steps)).toEqual([
      {
        type: 'alter_table_modify_column',
        risk: 'danger',
        warning:
          'Values may be lost: the values of b are lost, for elements are matched by name and a renamed one starts empty.',
      },
    ])
  })

  it.each([
    ['UInt32', 'UInt16', 'values out of range wrap around silently'],
    ['Int8', 'UInt64', 'values out of range wrap around silently'],
    ['Date32', 'Date', 'the time of day, fractions or dates out of range are lost or wrap around'],
    ['DateTime64(3)', 'DateTime', 'the time of day, fractions or dates out of range are lost or wrap around'],
    ['Decimal(18, 4)', 'Decimal(18, 2)', 'fractions may be cut'],
  ])('11: narrowing %s to %s says what it may lose', (wide, narrow, loss) => {
    expect(told(planned(withColumn(wide), withColumn(narrow)).steps)).toEqual([
      {
        type: 'alter_table_modify_column',
        risk: 'danger',
        warning: expect.stringContaining(`Values may be lost: ${loss}.`),
      },
    ])
  })

  it('12: a replaced function names the objects that keep its old body', () => {
    const definition = (expression: string) => ({ kind: 'sql_function', name: 'f', expression }) as const
    const user = table({
      columns: [column('id', 'UInt64'), column('y', 'UInt64', { default: { kind: 'DEFAULT', expression: 'f(id)' } })],
    })
    expect(told(planned(model(user, definition('x -> x')), model(user, definition('x -> (x + 1)'))).steps)).toEqual([
      {
        type: 'replace_function',
        risk: 'caution',
        warning:
          "The server copies a function's body into objects when they are created or altered: d.t keeps the old one until then.",
      },
    ])
  })

  it('13: a new query is checked against the target, since MODIFY QUERY does not', () => {
    expect(
      refused(
        planned(
          model(table(), target(), materializedView()),
          model(table(), target(), materializedView({ query: 'SELECT id, b AS bb FROM d.t' })),
        ).refusals,
      ),
    ).toEqual([
      {
        code: 'plan_refused',
        object: 'materialized_view:d.mv',
        message:
          'Materialized view d.mv selects bb, which its target d.target does not have; the server would drop the values silently.',
      },
    ])
  })

  it('14: MODIFY REFRESH repeats the whole clause', () => {
    const refresh = {
      schedule: 'EVERY 1 HOUR',
      offset: '5 MINUTE',
      randomize: '1 MINUTE',
      dependsOn: [{ database: 'd', name: 'other' }],
      settings: { refresh_retries: '3' },
      append: true,
    }
    expect(
      planned(
        model(table(), target(), materializedView({ refresh })),
        model(table(), target(), materializedView({ refresh: { ...refresh, schedule: 'EVERY 2 HOUR' } })),
      ).texts,
    ).toEqual([
      'ALTER TABLE d.mv MODIFY REFRESH EVERY 2 HOUR OFFSET 5 MINUTE RANDOMIZE FOR 1 MINUTE DEPENDS ON d.other SETTINGS refresh_retries = 3 APPEND',
    ])
  })

  it('15: a column that an unchanged materialized view reads is neither renamed nor dropped', () => {
    const from = model(table(), target(), materializedView())
    const dropped = planned(
      from,
      model(table({ columns: columns('id UInt64', 'b String') }), target(), materializedView()),
    )
    expect(refused(dropped.refusals)).toEqual([
      {
        code: 'plan_refused',
        object: 'table:d.t',
        message: 'Column a of d.t cannot be dropped: materialized view d.mv reads or writes it.',
      },
    ])
    const renamed = planned(
      from,
      model(table({ columns: columns('id UInt64', 'z UInt32', 'b String') }), target(), materializedView()),
      [{ kind: 'column', table: { database: 'd', name: 't' }, from: 'a', to: 'z' }],
    )
    expect(refused(renamed.refusals)).toEqual([
      {
        code: 'plan_refused',
        object: 'table:d.t',
        message:
          'Column a of d.t cannot be renamed to z: materialized view d.mv reads it under its old name, and every insert would fail.',
      },
    ])
  })

  it('15: the joined table of a materialized view is protected as well', () => {
    const join = materializedView({ query: 'SELECT o.id, t.a FROM d.other AS o INNER JOIN d.t AS t ON o.id = t.id' })
    const other = table({ name: 'other' })
    const { refusals } = planned(
      model(table(), other, target(), join),
      model(table({ columns: columns('id UInt64', 'b String') }), other, target(), join),
    )
    expect(refused(refusals)).toEqual([
      {
        code: 'plan_refused',
        object: 'table:d.t',
        message: 'Column a of d.t cannot be dropped: materialized view d.mv reads or writes it.',
      },
    ])
  })

  it('16: a changed default says that old parts may show it', () => {
    const of = (expression: string) => withColumn('UInt8', { default: { kind: 'DEFAULT', expression } })
    expect(told(planned(of('1'), of('2')).steps)).toEqual([
      {
        type: 'alter_table_modify_column',
        risk: 'safe',
        warning: 'Rows in parts that do not hold x yet show the new default as well.',
      },
    ])
  })

  it('17: a stored column that becomes ALIAS is dangerous', () => {
    expect(
      told(planned(withColumn('UInt8'), withColumn('UInt8', { default: { kind: 'ALIAS', expression: '1' } })).steps),
    ).toEqual([
      { type: 'alter_table_modify_column', risk: 'danger', warning: 'The stored bytes go when parts are merged.' },
    ])
  })

  it('18: a codec with a size is said again with the type that changes it', () => {
    expect(
      planned(withColumn('UInt32', { codec: 'Delta(4), LZ4' }), withColumn('UInt64', { codec: 'Delta(8), LZ4' })).texts,
    ).toEqual(['ALTER TABLE d.t MODIFY COLUMN `x` UInt64 CODEC(Delta(8), LZ4)'])
  })

  it('19: what is to be materialized is offered by the name that was just added', () => {
    const index = { name: 'i', expression: 'a', type: 'minmax', granularity: 1 } as const
    expect(told(planned(model(table()), model(table({ indexes: [index] }))).steps)).toEqual([
      {
        type: 'alter_table_add_index',
        risk: 'safe',
        warning: 'Run ALTER TABLE d.t MATERIALIZE INDEX i to build it for stored rows.',
      },
    ])
  })

  it('20: a changed index is dropped and added in one ALTER', () => {
    const of = (granularity: number) =>
      model(table({ indexes: [{ name: 'i', expression: 'a', type: 'minmax', granularity }] }))
    expect(planned(of(1), of(2)).texts).toEqual([
      'ALTER TABLE d.t\n    DROP INDEX IF EXISTS i,\n    ADD INDEX i a TYPE minmax GRANULARITY 2',
    ])
  })

  it('20: an index over an ALIAS whose expression changes is dropped before and added after', () => {
    const of = (expression: string) =>
      model(
        table({
          columns: [column('id', 'UInt64'), column('x', 'UInt64', { default: { kind: 'ALIAS', expression } })],
          indexes: [{ name: 'i', expression: 'x', type: 'minmax', granularity: 1 }],
        }),
      )
    const { texts } = planned(of('id'), of('id + 100'))
    expect(texts).toEqual([
      'ALTER TABLE d.t DROP INDEX IF EXISTS i',
      'ALTER TABLE d.t\n    MODIFY COLUMN `x` UInt64 ALIAS id + 100,\n    ADD INDEX IF NOT EXISTS i x TYPE minmax GRANULARITY 1',
    ])
    create(of('id'), 'INSERT INTO d.t SELECT number FROM numbers(10)')
    for (const text of texts) engine.run(text)
    expect(engine.run('SELECT count() FROM d.t WHERE x = 105')).toBe('1')
  })
})

it('the settings that are refused are those which the server calls read-only', () => {
  const names = engine.run('SELECT name FROM system.merge_tree_settings WHERE readonly').split('\n')
  expect([...READ_ONLY_SETTINGS].sort()).toEqual(names.sort())
})

it('a Filesystem database declared without its path is the one that the server shows with a path', () => {
  const at = (...args: string[]) => model({ kind: 'database', name: 'd', engine: { name: 'Filesystem', args } })
  expect(diffModels(at("'/data/'"), at())).toEqual([])
  expect(diffModels(at("'/data/'"), at("'/other/'"))).toHaveLength(1)
})

describe('a refresh that replaces the rows of its target', () => {
  const refreshed = (append?: true) =>
    materializedView({ refresh: { schedule: 'EVERY 1 YEAR', ...(append && { append }) } })
  const risks = (from: Model, to: Model) => planned(from, to).steps.map(({ type, risk }) => [type, risk])

  it.each([
    ['a new view over a table that was there', model(table(), target()), model(table(), target(), refreshed())],
    ['a view that stops appending', model(table(), target(), refreshed(true)), model(table(), target(), refreshed())],
    [
      'a view that begins to refresh',
      model(table(), target(), materializedView()),
      model(table(), target(), refreshed()),
    ],
  ])('is a danger: %s', (_, from, to) => {
    const { steps } = planned(from, to)
    expect(steps).toMatchObject([
      { risk: 'danger', warning: 'Each refresh replaces all rows of its target, also those that others have written.' },
    ])
  })

  it('is none over a new target, or where it appends', () => {
    expect(risks(model(table()), model(table(), target(), refreshed())).map(([, risk]) => risk)).toEqual([
      'safe',
      'safe',
    ])
    expect(risks(model(table(), target()), model(table(), target(), refreshed(true)))).toEqual([
      ['create_materialized_view', 'safe'],
    ])
  })
})

it.each([{}, { default: { kind: 'MATERIALIZED', expression: 'id + 1' } }] as const)(
  'a stored column that becomes EPHEMERAL is cleared first, for mutations of parts that hold it fail: from %j',
  (stored) => {
    const from = withColumn('UInt8', stored)
    const to = withColumn('UInt16', { default: { kind: 'EPHEMERAL', expression: '7' } })
    const { texts, steps } = planned(from, to)
    expect(texts[0]).toBe('ALTER TABLE d.t CLEAR COLUMN `x`')
    expect(steps).toMatchObject([{ risk: 'danger', mutation: true }])
    create(from, 'INSERT INTO d.t (id) VALUES (1)')
    for (const text of texts) engine.run(text)
    engine.run('ALTER TABLE d.t ADD COLUMN z UInt8')
    engine.run('ALTER TABLE d.t UPDATE z = 1 WHERE 1 SETTINGS mutations_sync = 2')
    expect(engine.run('SELECT id, z FROM d.t')).toBe('1\t1')
  },
)
