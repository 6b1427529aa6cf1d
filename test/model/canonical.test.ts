import { describe, expect, it } from 'vitest'
import { canonicalise, collectDefinitions, definitionFromStatement, sameDefinition } from '../../src/model/canonical.js'
import { declarationOf } from '../../src/model/declare.js'
import type { Column, Definition, Table } from '../../src/model/definition.js'
import {
  type Declaration,
  database,
  dictionary,
  grant,
  materializedView,
  namedCollection,
  quota,
  raw,
  role,
  rowPolicy,
  schema,
  settingsProfile,
  sqlFunction,
  table,
  user,
  view,
} from '../../src/model/dsl.js'

function only(declaration: Declaration): Definition {
  const { model, issues, warnings } = canonicalise([declaration])
  expect(issues).toEqual([])
  expect(warnings).toEqual([])
  expect(model.definitions).toHaveLength(1)
  return model.definitions[0]!
}

function tableWith(fields: Partial<Parameters<typeof table>[0]> & object): Table {
  const declaration = {
    database: 'db',
    name: 't',
    engine: 'MergeTree',
    columns: { id: 'UInt64', ts: 'DateTime' },
    orderBy: 'id',
    ...fields,
  }
  return only(table(declaration as Parameters<typeof table>[0])) as Table
}

function column(type: string, options: object = {}): Column {
  const columns = [
    { name: 'id', type: 'UInt64' },
    { name: 'ts', type: 'DateTime' },
    { name: 'c', type, ...options },
  ]
  return tableWith({ columns }).columns[2]!
}

describe('types', () => {
  it.each([
    ['INT', 'Int32'],
    ['  bigint   unsigned ', 'UInt64'],
    ['VARCHAR(255)', 'String'],
    ['double precision', 'Float64'],
    ['boolean', 'Bool'],
    ['Decimal32(2)', 'Decimal(9, 2)'],
    ['DECIMAL', 'Decimal(10, 0)'],
    ['dec(5)', 'Decimal(5, 0)'],
    ['DateTime64', 'DateTime64(3)'],
    ['timestamp', 'DateTime'],
    ["DateTime32('UTC')", "DateTime('UTC')"],
    ["Enum('b' = 2, 'a' = 1)", "Enum8('a' = 1, 'b' = 2)"],
    ["Enum('x','y')", "Enum8('x' = 1, 'y' = 2)"],
    ["Enum('a' = -1, 'b')", "Enum8('a' = -1, 'b' = 0)"],
    ["Enum('a' = 1000, 'b')", "Enum16('a' = 1000, 'b' = 1001)"],
    ['INT NULL', 'Nullable(Int32)'],
    ['String not null', 'String'],
    ['LowCardinality( Nullable( text ) )', 'LowCardinality(Nullable(String))'],
    ['Array(Tuple(a INT, `b c` text))', 'Array(Tuple(a Int32, `b c` String))'],
    ['Map(String,Array(float))', 'Map(String, Array(Float32))'],
    ['Variant(UInt64, String, Array(INT))', 'Variant(Array(Int32), String, UInt64)'],
    ['Dynamic(max_types=32)', 'Dynamic'],
    ['Dynamic(max_types=5)', 'Dynamic(max_types = 5)'],
    ['json', 'JSON'],
    [
      "JSON(max_dynamic_paths=16, b.c INT, a text, SKIP z, SKIP y, SKIP REGEXP 'q')",
      "JSON(max_dynamic_paths = 16, a String, `b.c` Int32, SKIP y, SKIP z, SKIP REGEXP 'q')",
    ],
    ['AggregateFunction(SUM, INT)', 'AggregateFunction(sum, Int32)'],
    ['AggregateFunction(medianIf, Float64, UInt8)', 'AggregateFunction(quantileIf, Float64, UInt8)'],
    ['AggregateFunction(quantiles(0.5, 0.90), Float64)', 'AggregateFunction(quantiles(0.5, 0.9), Float64)'],
    ['SimpleAggregateFunction(any_value, String)', 'SimpleAggregateFunction(any, String)'],
    ['FixedString(0x10)', 'FixedString(16)'],
    ['Tuple()', 'Tuple'],
  ])('%s is %s', (written, canonical) => {
    expect(column(written).type).toBe(canonical)
    // A canonical type is its own canonical form.
    expect(column(canonical).type).toBe(canonical)
  })
})

describe('defaults', () => {
  it.each([
    [{ default: 'x' }, { kind: 'DEFAULT', expression: "'x'" }],
    [{ default: "it's" }, { kind: 'DEFAULT', expression: "'it\\'s'" }],
    [{ default: 5 }, { kind: 'DEFAULT', expression: '5' }],
    [{ default: -1.5 }, { kind: 'DEFAULT', expression: '-1.5' }],
    [{ default: 10n ** 20n }, { kind: 'DEFAULT', expression: '100000000000000000000.' }],
    [{ default: true }, { kind: 'DEFAULT', expression: 'true' }],
    [{ default: null }, { kind: 'DEFAULT', expression: 'NULL' }],
    [{ default: 'fn:NOW64(3)' }, { kind: 'DEFAULT', expression: 'now64(3)' }],
    [{ defaultExpression: 'id + 1' }, { kind: 'DEFAULT', expression: 'id + 1' }],
    [{ materialized: 'id::String' }, { kind: 'MATERIALIZED', expression: "CAST(id, 'String')" }],
    [{ alias: 'ts + interval 1 day' }, { kind: 'ALIAS', expression: 'ts + toIntervalDay(1)' }],
    [{ ephemeral: true }, { kind: 'EPHEMERAL' }],
    [{ ephemeral: "'x'" }, { kind: 'EPHEMERAL', expression: "'x'" }],
  ])('%o', (options, expected) => {
    expect(column('String', options).default).toEqual(expected)
  })
})

describe('codecs are frozen by the type', () => {
  it.each([
    ['UInt32', 'Delta', 'Delta(4)'],
    ['UInt32', 'Delta(2), ZSTD', 'Delta(2), ZSTD(1)'],
    ['Nullable(DateTime)', 'codec(Delta, LZ4)', 'Delta(4), LZ4'],
    ['Float64', 'Gorilla, LZ4HC', 'Gorilla(8), LZ4HC(0)'],
    ['Float32', 'FPC', 'FPC(12)'],
    ['DateTime', 'DoubleDelta(4)', 'DoubleDelta'],
    ['Decimal(18, 2)', 'Delta', 'Delta(8)'],
    ['Tuple(UInt8, UInt8)', 'Delta, ZSTD', 'Delta(1), ZSTD(1)'],
    ['Tuple(UInt8, UInt32)', 'Delta, ZSTD', 'Delta, ZSTD'],
    ['LowCardinality(String)', 'ZSTD(3)', 'ZSTD(3)'],
    ['String', 'Default', 'Default'],
  ])('%s CODEC(%s) is %s', (type, codec, canonical) => {
    expect(column(type, { codec }).codec).toBe(canonical)
  })
})

describe('ten spellings, one canonical form', () => {
  const same = (name: string, ...spellings: readonly object[]) =>
    it(name, () => {
      const [first, ...rest] = spellings.map((fields) => tableWith(fields))
      for (const other of rest) expect(sameDefinition(first!, other!), JSON.stringify([first, other])).toBe(true)
    })

  const columns = [
    { name: 'id', type: 'UInt64' },
    { name: 'ts', type: 'DateTime' },
  ]
  same(
    'of a sorting key',
    { orderBy: 'id' },
    { orderBy: '(id)' },
    { orderBy: ['id'] },
    { orderBy: ['(id)'] },
    { orderBy: 'tuple(id)' },
    { orderBy: '`id`' },
    { orderBy: '"id"' },
    { orderBy: ' id ASC ' },
    { orderBy: 'id', primaryKey: 'id' },
    { orderBy: '(id)', primaryKey: ['id'] },
    { primaryKey: 'id', orderBy: undefined },
  )
  same(
    'of a compound key',
    { orderBy: ['id', 'toDate(ts)'] },
    { orderBy: '(id, toDate(ts))' },
    { orderBy: 'id, toDate(ts)' },
    { orderBy: 'tuple(id, (toDate(ts)))' },
    { orderBy: ['id', 'toDate( ts ) asc'] },
  )
  same('of no partition', {}, { partitionBy: 'tuple()' }, { partitionBy: '()' }, { partitionBy: [] })
  same(
    'of a TTL',
    { ttl: 'ts + INTERVAL 90 DAY' },
    { ttl: ['ts + interval 90 day'] },
    { ttl: 'ts + toIntervalDay(90)' },
    { ttl: 'ts + INTERVAL 90 DAY DELETE' },
    { ttl: "ts+INTERVAL '90 day'" },
    { ttl: '`ts` + INTERVAL 90 DAYS' },
    { ttl: 'TTL ts + INTERVAL 90 DAY' },
  )
  same(
    'of settings',
    { settings: { min_rows_for_wide_part: 1, index_granularity: 8192 } },
    { settings: { min_rows_for_wide_part: true } },
    { settings: { min_rows_for_wide_part: '1' } },
    { settings: { index_granularity: '8192', min_rows_for_wide_part: 1 } },
    { settings: { min_rows_for_wide_part: 1, max_threads: 4, allow_experimental_json_type: true } },
  )
  same('of an engine', { engine: 'MergeTree' }, { engine: 'MergeTree()' }, { engine: ' MergeTree ( ) ' })
  same(
    'of columns',
    { columns },
    { columns: { id: 'UInt64', ts: 'DateTime' } },
    { columns: { id: { type: 'BIGINT UNSIGNED' }, ts: 'timestamp' } },
    { columns: [{ name: 'id', type: 'UInt64', comment: '' }, columns[1]] },
    {
      columns: [
        { name: 'id', type: 'UInt64 NOT NULL' },
        { name: 'ts', type: 'DATETIME' },
      ],
    },
    { columns: [{ name: 'id', type: 'UInt64', nullable: false, renamedFrom: 'old' }, columns[1]] },
  )
  same(
    'of an expression',
    { constraints: [{ name: 'c', check: 'id > 1 AND id <= 5' }] },
    { constraints: [{ name: 'c', check: 'id>1 and id<=5' }] },
    { constraints: [{ name: 'c', check: '(id > 1) /* one */ AND (id <= 5)' }] },
    { constraints: [{ name: 'c', check: '`id` > 0x1 AND "id" <= 5 -- five' }] },
  )
  same(
    'of an index',
    { indexes: [{ name: 'i', expression: 'lower(toString(id))', type: 'set(100)' }] },
    { indexes: [{ name: 'i', expression: 'LCASE(toString(id))', type: 'set', typeArgs: '100' }] },
    { indexes: [{ name: 'i', expression: 'Lower( toString(id) )', type: 'set', typeArgs: 100, granularity: 1 }] },
  )
  same(
    'of an index over two columns',
    { indexes: [{ name: 'i', expression: '(id, ts)', type: 'minmax' }] },
    { indexes: [{ name: 'i', expression: 'id, ts', type: 'minmax' }] },
  )
  same(
    'of a projection',
    { projections: [{ name: 'p', query: 'SELECT ts, count() GROUP BY ts' }] },
    { projections: [{ name: 'p', query: '(select ts, COUNT() group by ts)' }] },
  )
  same(
    'of Nested',
    { columns: [...columns, { name: 'n', type: 'Nested(a INT, b String)', comment: 'x' }] },
    {
      columns: [
        ...columns,
        { name: 'n.a', type: 'Array(Int32)', comment: 'x' },
        { name: 'n.b', type: 'Array(String)', comment: 'x' },
      ],
    },
  )

  it('of a query', () => {
    const texts = [
      'SELECT id, upper(k) AS k FROM db.src AS s INNER JOIN db.dst USING (id) WHERE ts > (now() - toIntervalDay(1))',
      'select id, UPPER(k) k from src s join dst using id where ts > (NOW() - interval 1 day);',
      'select id, UCASE(k) as k from db.src as s inner join `dst` using (id) where (ts > (now() - INTERVAL 1 DAY)) -- x',
    ]
    const views = texts.map((as) => only(view({ database: 'db', name: 'v', as })))
    // One redundant pair of brackets is kept by the server, so the last one differs.
    expect(sameDefinition(views[0]!, views[1]!)).toBe(true)
    expect((views[0] as { query: string }).query).toBe(texts[0])
  })
})

describe('spellings that the server keeps', () => {
  it('come back where the canonical form is another', () => {
    const text =
      "CREATE TABLE db.t (`id` UInt64, `v` UInt8) ENGINE = MergeTree PARTITION BY tuple() PRIMARY KEY (id) ORDER BY (id) SETTINGS min_rows_for_wide_part = '1', index_granularity = 100 COMMENT ''"
    const definition = definitionFromStatement(text, { currentDatabase: 'x' })
    expect(definition).toEqual({
      kind: 'table',
      database: 'db',
      name: 't',
      engine: { name: 'MergeTree', args: [] },
      orderBy: ['id'],
      columns: [
        { name: 'id', type: 'UInt64' },
        { name: 'v', type: 'UInt8' },
      ],
      settings: { index_granularity: '100', min_rows_for_wide_part: '1' },
      spelling: {
        orderBy: '(id)',
        primaryKey: '(id)',
        partitionBy: 'tuple()',
        settings: "min_rows_for_wide_part = '1', index_granularity = 100",
        comment: "''",
      },
    })
  })

  it('are absent where there is only one', () => {
    const text = 'CREATE TABLE db.t (`id` UInt64) ENGINE = MergeTree ORDER BY id SETTINGS index_granularity = 8192'
    expect(definitionFromStatement(text, { currentDatabase: 'x' })).not.toHaveProperty('spelling')
  })
})

describe('views', () => {
  it.each([
    [
      'set operations keep duplicates unless they say otherwise',
      'select 1 as a intersect select 2',
      'SELECT 1 AS a INTERSECT ALL SELECT 2',
    ],
    [
      'EXCEPT takes all before it',
      'select 1 as a union all select 2 except select 3',
      '(SELECT 1 AS a UNION ALL SELECT 2) EXCEPT ALL (SELECT 3)',
    ],
    [
      'UNION DISTINCT makes all before it distinct',
      'select 1 as a union all select 2 union distinct select 3',
      'SELECT 1 AS a UNION DISTINCT SELECT 2 UNION DISTINCT SELECT 3',
    ],
    [
      'names of WITH are no tables',
      'with x as (select 1 as a) select a from x',
      'WITH x AS (SELECT 1 AS a) SELECT a FROM x',
    ],
    ['the set of IN is a table', 'select 1 as a where 1 in t', 'SELECT 1 AS a WHERE 1 IN (db.t)'],
    ['tables in subqueries', 'select (select max(id) from t) as a', 'SELECT (SELECT max(id) FROM db.t) AS a'],
    ['table functions stay', 'select * from numbers(5)', 'SELECT * FROM numbers(5)'],
    ['other databases stay', 'select * from other.t, t', 'SELECT * FROM other.t, db.t'],
  ])('%s', (_name, as, query) => {
    expect(only(view({ database: 'db', name: 'v', as }))).toMatchObject({ query })
  })

  it('compare columns only where they are declared', () => {
    const declared = only(view({ database: 'db', name: 'v', as: 'SELECT 1 AS a' }))
    const live = definitionFromStatement('CREATE VIEW db.v (`a` UInt8) AS SELECT 1 AS a', { currentDatabase: 'db' })
    expect(sameDefinition(declared, live)).toBe(true)
    const narrow = only(view({ database: 'db', name: 'v', as: 'SELECT 1 AS a', columns: { a: 'UInt16' } }))
    expect(sameDefinition(narrow, live)).toBe(false)
  })

  it('take the definer that the server adds', () => {
    const declared = only(
      materializedView({ database: 'db', name: 'v', to: 'dst', refresh: { every: '60 MINUTE' }, as: 'SELECT 1 AS a' }),
    )
    const live = definitionFromStatement(
      'CREATE MATERIALIZED VIEW db.v REFRESH EVERY 1 HOUR TO db.dst (`a` UInt8) DEFINER = default SQL SECURITY DEFINER AS SELECT 1 AS a',
      { currentDatabase: 'db' },
    )
    expect(sameDefinition(declared, live)).toBe(true)
  })
})

describe('secrets', () => {
  it('that the server hides are no difference', () => {
    const declared = only(
      dictionary({
        database: 'db',
        name: 'd',
        attributes: { id: 'UInt64', v: 'String' },
        primaryKey: 'id',
        source: "CLICKHOUSE(TABLE 't' PASSWORD 'env:PW')",
        layout: 'FLAT()',
        lifetime: 10,
      }),
    )
    const live = definitionFromStatement(
      "CREATE DICTIONARY db.d (`id` UInt64, `v` String) PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 't' PASSWORD '[HIDDEN]')) LIFETIME(MIN 0 MAX 10) LAYOUT(FLAT())",
      { currentDatabase: 'db' },
    )
    expect(sameDefinition(declared, live)).toBe(true)
  })
})

describe('other kinds', () => {
  it('databases', () => {
    expect(only(database({ name: 'd', engine: 'Atomic', comment: 'c' }))).toEqual({
      kind: 'database',
      name: 'd',
      comment: 'c',
    })
    expect(only(database({ name: 'd', engine: 'Memory' }))).toMatchObject({ engine: { name: 'Memory', args: [] } })
  })

  it('functions', () => {
    expect(only(sqlFunction({ name: 'f', as: 'x -> x+1' }))).toMatchObject({ expression: 'x -> (x + 1)' })
  })

  it('raw objects', () => {
    expect(
      only(raw({ key: 'w', create: 'CREATE WORKLOAD all; ', drop: 'DROP WORKLOAD all', dependsOn: ['db.t'] })),
    ).toEqual({
      kind: 'raw',
      key: 'w',
      create: 'CREATE WORKLOAD all',
      drop: 'DROP WORKLOAD all',
      dependsOn: ['db.t'],
    })
  })

  it.each([
    ['role', role({ name: 'reader' }), 'CREATE ROLE reader'],
    [
      'user',
      user({ name: 'app', identified: 'WITH sha256_password BY env:PW', host: 'ANY', defaultRole: ['reader'] }),
      undefined,
    ],
    ['grant', grant({ privileges: ['SELECT', 'INSERT'], on: 'db.*', to: 'reader' }), undefined],
    ['row_policy', rowPolicy({ name: 'p', on: 'db.t', using: 'id=1', to: 'reader', as: 'restrictive' }), undefined],
    [
      'quota',
      quota({
        name: 'two',
        keyedBy: 'user_name',
        limits: ['INTERVAL 1 hour MAX queries = 100, errors = 5', 'INTERVAL 1 day NO LIMITS'],
      }),
      undefined,
    ],
    [
      'grant',
      grant({ privileges: 'SELECT(id, name), INSERT', on: 'db.t', to: ['a-b', 'reader'], withGrantOption: true }),
      undefined,
    ],
    ['grant', grant({ privileges: 'reader', to: 'app', withAdminOption: true }), undefined],
    ['role', role({ name: 'a b', settings: "max_memory_usage = 1000 READONLY, PROFILE 'ro'" }), undefined],
    [
      'user',
      user({
        name: 'u',
        identified: 'WITH no_password',
        host: "IP '10.0.0.0/8'",
        defaultDatabase: 'd b',
        settings: 'max_threads = 4',
      }),
      undefined,
    ],
    [
      'settings_profile',
      settingsProfile({ name: 's', settings: 'max_threads = 4 MIN 1 MAX 8', to: 'ALL EXCEPT app' }),
      undefined,
    ],
    [
      'named_collection',
      namedCollection({ name: 'n 1', values: { port: 9000, secure: true, k: { value: 'v', overridable: false } } }),
      undefined,
    ],
    ['quota', quota({ name: 'q', limits: 'INTERVAL 1 hour MAX queries = 100', to: 'reader' }), undefined],
    ['settings_profile', settingsProfile({ name: 's', settings: 'max_threads = 4', to: 'reader' }), undefined],
    ['named_collection', namedCollection({ name: 'n', values: { host: 'h', password: 'env:PW' } }), undefined],
  ] as const)('%s', (kind, declaration, statement) => {
    const definition = only(declaration)
    expect(definition.kind).toBe(kind)
    if (statement !== undefined) expect(definition).toMatchObject({ statement })
    // A canonical statement is its own canonical form.
    const again = definitionFromStatement((definition as { statement: string }).statement, { currentDatabase: 'db' })
    expect(sameDefinition(definition, again)).toBe(true)
    expect(only(declarationOf(definition)!)).toEqual(definition)
  })
})

describe('collecting definitions', () => {
  const a = table({ name: 'a', engine: 'Null', columns: { id: 'UInt8' } })
  const b = view({ name: 'b', as: 'SELECT 1 AS x' })

  it('finds them alone, in arrays, nested and in a default schema, each once', () => {
    const found = collectDefinitions(
      { a, list: [b, [a]], default: schema(a, [b]), helper: () => a, n: 5, nothing: null },
      'f.ts',
    )
    expect(found).toEqual([
      { declaration: a, origin: { file: 'f.ts' } },
      { declaration: b, origin: { file: 'f.ts' } },
    ])
  })

  it('counts one that two files export once', () => {
    const { model, issues } = canonicalise([...collectDefinitions({ a }, 'x.ts'), ...collectDefinitions({ a }, 'y.ts')])
    expect(issues).toEqual([])
    expect(model.definitions).toHaveLength(1)
  })

  it('freezes what it is given without touching the original', () => {
    const columns = { id: 'UInt8' }
    const made = table({ name: 'a', engine: 'Null', columns })
    columns.id = 'String'
    expect(made.columns.id).toBe('UInt8')
    expect(Object.isFrozen(made) && Object.isFrozen(made.columns)).toBe(true)
  })

  it('puts objects without a database into the default one', () => {
    const { model } = canonicalise([a, b], { defaultDatabase: 'app' })
    expect(model.definitions.map((definition) => (definition as Table).database)).toEqual(['app', 'app'])
  })
})

describe('texts that the parser does not follow', () => {
  it('are kept, with a warning that names file, line and token', () => {
    const { model, warnings } = canonicalise([
      {
        declaration: view({ database: 'db', name: 'v', as: 'SELECT 1\nFROM t FROBNICATE x y z(' }),
        origin: { file: 'f.ts' },
      },
    ])
    expect(model.definitions[0]).toMatchObject({ query: 'SELECT 1\nFROM t FROBNICATE x y z(' })
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toMatchObject({ code: 'unparsed_sql', name: 'v', file: 'f.ts', line: 2 })
  })

  it('of a statement become a raw object', () => {
    const text = 'CREATE FROBNICATOR x'
    expect(definitionFromStatement(text, { currentDatabase: 'db' })).toEqual({ kind: 'raw', key: text, create: text })
  })
})
