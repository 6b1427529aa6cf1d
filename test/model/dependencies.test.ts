import { describe, expect, it } from 'vitest'
import { canonicalise } from '../../src/model/canonical.js'
import { type Model, objectKey } from '../../src/model/definition.js'
import { creationOrder, dependenciesOf, dependentsOf } from '../../src/model/dependencies.js'
import {
  type Declaration,
  database,
  dictionary,
  materializedView,
  raw,
  sqlFunction,
  table,
  view,
} from '../../src/model/dsl.js'

function modelOf(...declarations: readonly Declaration[]): Model {
  return canonicalise(declarations).model
}

const t = (name: string, fields: object = {}): Declaration =>
  table({
    database: 'db',
    name,
    engine: 'MergeTree',
    orderBy: 'id',
    columns: { id: 'UInt64' },
    ...fields,
  } as Parameters<typeof table>[0])

const OTHERS: readonly Declaration[] = [
  database({ name: 'db' }),
  t('a'),
  t('b'),
  view({ database: 'db', name: 'w', as: 'SELECT id FROM a' }),
  dictionary({
    database: 'db',
    name: 'd',
    attributes: { id: 'UInt64', v: 'String' },
    primaryKey: 'id',
    source: "CLICKHOUSE(TABLE 'b')",
    layout: 'FLAT()',
    lifetime: 1,
  }),
  sqlFunction({ name: 'double_it', as: 'x -> x * 2' }),
]

describe('what a definition needs', () => {
  it.each<[name: string, declaration: Declaration, keys: readonly string[]]>([
    ['a table: its database', t('x'), ['database:db']],
    [
      'a view: the tables of its joins',
      view({ database: 'db', name: 'x', as: 'SELECT 1 AS q FROM a JOIN b USING id' }),
      ['database:db', 'table:db.a', 'table:db.b'],
    ],
    ['a view: other views', view({ database: 'db', name: 'x', as: 'SELECT * FROM w' }), ['database:db', 'view:db.w']],
    [
      'a view: tables in subqueries and IN',
      view({ database: 'db', name: 'x', as: 'SELECT (SELECT max(id) FROM a) AS q WHERE 1 IN b' }),
      ['database:db', 'table:db.a', 'table:db.b'],
    ],
    [
      'a view: no names of WITH',
      view({ database: 'db', name: 'x', as: 'WITH a AS (SELECT 1 AS q) SELECT q FROM a' }),
      ['database:db'],
    ],
    ...(
      [
        ["merge('db', '^[ab]$')", ['table:db.a', 'table:db.b']],
        ["merge('^a$')", ['table:db.a']],
        ["merge(REGEXP('^d'), '^b$')", ['table:db.b']],
        ["merge(currentDatabase(), '^b$')", ['table:db.b']],
        ["cluster('c', db.a)", ['table:db.a']],
        ["clusterAllReplicas('c', 'db', 'b')", ['table:db.b']],
        ['cluster(c, db, a)', ['table:db.a']],
        ["remote('127.0.0.1:9000', 'db', 'a')", ['table:db.a']],
        ["remote('elsewhere', 'db', 'a')", []],
        ["loop('db', 'a')", ['table:db.a']],
        ['loop(b)', ['table:db.b']],
        ["mergeTreeIndex('db', 'a')", ['table:db.a']],
        ['w(x = 1)', ['view:db.w']],
        ['db.w(x = 1)', ['view:db.w']],
        ['view(SELECT id FROM a)', ['table:db.a']],
        ["url('http://a/b', 'CSV', 'a UInt8')", []],
      ] as const
    ).map(([from, keys]): [string, Declaration, readonly string[]] => [
      `a view: what ${from} reads`,
      view({ database: 'db', name: 'x', as: `SELECT 1 AS one FROM ${from}` }),
      ['database:db', ...keys],
    ]),
    [
      'a view: no value of WITH behind IN',
      view({ database: 'db', name: 'x', as: 'WITH [1] AS b SELECT id FROM a WHERE id IN b' }),
      ['database:db', 'table:db.a'],
    ],
    [
      'a raw object: what its text reads',
      raw({ key: 'x', create: 'CREATE VIEW db.v AS SELECT id FROM db.a' }),
      ['table:db.a'],
    ],
    [
      'a view: no text that looks like a table',
      view({ database: 'db', name: 'x', as: "SELECT 'db.a' AS q" }),
      ['database:db'],
    ],
    [
      'a view: functions and dictionaries',
      view({ database: 'db', name: 'x', as: "SELECT double_it(1) AS p, dictGet('db.d', 'v', 1) AS q" }),
      ['database:db', 'dictionary:db.d', 'sql_function:double_it'],
    ],
    [
      'a materialized view: source and target',
      materializedView({ database: 'db', name: 'x', to: 'b', as: 'SELECT id FROM a' }),
      ['database:db', 'table:db.a', 'table:db.b'],
    ],
    [
      'a dictionary: its source table',
      dictionary({
        database: 'db',
        name: 'x',
        attributes: { id: 'UInt64' },
        primaryKey: 'id',
        source: "CLICKHOUSE(TABLE 'a' DB 'db')",
        layout: 'FLAT()',
        lifetime: 1,
      }),
      ['database:db', 'table:db.a'],
    ],
    [
      'a dictionary: its source query',
      dictionary({
        database: 'db',
        name: 'x',
        attributes: { id: 'UInt64' },
        primaryKey: 'id',
        source: "CLICKHOUSE(QUERY 'SELECT id FROM db.w')",
        layout: 'FLAT()',
        lifetime: 1,
      }),
      ['database:db', 'view:db.w'],
    ],
    [
      'a dictionary on another host: nothing',
      dictionary({
        database: 'db',
        name: 'x',
        attributes: { id: 'UInt64' },
        primaryKey: 'id',
        source: "CLICKHOUSE(HOST 'far' TABLE 'a')",
        layout: 'FLAT()',
        lifetime: 1,
      }),
      ['database:db'],
    ],
    [
      'a default: dictionary and function',
      t('x', {
        columns: { id: 'UInt64', v: { type: 'String', defaultExpression: "dictGet('db.d', 'v', double_it(id))" } },
      }),
      ['database:db', 'dictionary:db.d', 'sql_function:double_it'],
    ],
    [
      'a Distributed table: the table below',
      t('x', { engine: 'Distributed(c, db, a, rand())', orderBy: undefined }),
      ['database:db', 'table:db.a'],
    ],
    [
      'a Buffer table: the table below',
      t('x', { engine: "Buffer('', 'b', 1, 1, 1, 1, 1, 1, 1)", orderBy: undefined }),
      ['database:db', 'table:db.b'],
    ],
    [
      'a Merge table: all tables that match',
      t('x', { engine: "Merge(db, '^[ab]$')", orderBy: undefined }),
      ['database:db', 'table:db.a', 'table:db.b'],
    ],
    [
      'a table over a dictionary',
      t('x', { engine: "Dictionary('db.d')", orderBy: undefined }),
      ['database:db', 'dictionary:db.d'],
    ],
    [
      'a raw object: what it names',
      raw({ key: 'x', create: 'CREATE X', dependsOn: ['db.a', 'table:db.b', 'db'] }),
      ['database:db', 'table:db.a', 'table:db.b'],
    ],
  ])('%s', (_name, declaration, keys) => {
    const model = modelOf(...OTHERS, declaration)
    const definition = model.definitions.find((one) => objectKey(one).endsWith('x'))!
    expect(dependenciesOf(definition, model)).toEqual(keys)
  })

  it('is known from the other side', () => {
    expect(dependentsOf('table:db.a', modelOf(...OTHERS))).toEqual(['view:db.w'])
  })
})

describe('the order of creation', () => {
  it('puts dependencies first, ties by key', () => {
    const model = modelOf(...OTHERS, view({ database: 'db', name: 'aa', as: 'SELECT * FROM w' }))
    expect(creationOrder(model)).toEqual({
      keys: [
        'database:db',
        'table:db.b',
        'dictionary:db.d',
        'sql_function:double_it',
        'table:db.a',
        'view:db.w',
        'view:db.aa',
      ],
      cycles: [],
    })
  })

  it('reports circles and still names every object', () => {
    const model = modelOf(
      view({ database: 'db', name: 'c', as: 'SELECT * FROM a' }),
      view({ database: 'db', name: 'a', as: 'SELECT * FROM b' }),
      view({ database: 'db', name: 'b', as: 'SELECT * FROM c' }),
      t('z'),
    )
    const { keys, cycles } = creationOrder(model)
    expect(cycles).toEqual([['view:db.a', 'view:db.b', 'view:db.c']])
    expect([...keys].sort()).toEqual(['table:db.z', 'view:db.a', 'view:db.b', 'view:db.c'])
  })

  it('takes a chain of ten thousand views', () => {
    const views = Array.from({ length: 10_000 }, (_, index) =>
      view({ database: 'db', name: `v${index}`, as: index === 0 ? 'SELECT 1 AS a' : `SELECT a FROM v${index - 1}` }),
    )
    const { keys } = creationOrder(modelOf(...views))
    expect(keys[0]).toBe('view:db.v0')
    expect(keys[9999]).toBe('view:db.v9999')
  })
})
