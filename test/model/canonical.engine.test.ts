import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { canonicalise, definitionFromStatement, sameDefinition } from '../../src/model/canonical.js'
import { declarationOf } from '../../src/model/declare.js'
import { type Definition, isDatabaseObject } from '../../src/model/definition.js'
import { type Declaration, dictionary, materializedView, sqlFunction, table, view } from '../../src/model/dsl.js'
import { canonicalFunctionName, canonicalTypeName, REWRITTEN_NAMES } from '../../src/model/functions.js'
import { KNOWN_ENGINES, KNOWN_TYPES } from '../../src/model/known-names.js'
import { isQuerySetting } from '../../src/model/query-settings.js'
import { definitionFromNode } from '../../src/model/statement.js'
import { renderCreate } from '../../src/render/create.js'
import { parseStatement } from '../../src/sql/statement.js'
import { removeFolder, temporaryFolder } from '../support/engine.js'

type Engine = { query(sql: string, format: string): string; cleanup(): void }
const { Session } = createRequire(import.meta.url)('chdb') as { Session: new () => Engine }

const home = process.cwd()
const folder = temporaryFolder()
let engine: Engine
const query = (sql: string): string => engine.query(sql, 'TSVRaw').replace(/\n$/, '')

beforeAll(() => {
  // The SQLite engine makes its file where the process stands.
  process.chdir(folder)
  engine = new Session()
  query('CREATE DATABASE am')
  query('CREATE DATABASE am2')
  for (const name of [
    'allow_suspicious_low_cardinality_types',
    'allow_suspicious_codecs',
    'allow_experimental_codecs',
    'allow_suspicious_types_in_order_by',
    'allow_suspicious_variant_types',
    'enable_time_time64_type',
  ])
    query(`SET ${name} = 1`)
  query(
    'CREATE TABLE am.src (id UInt32, k String, ts DateTime, d Date, v Float64, arr Array(UInt8)) ENGINE = MergeTree ORDER BY id',
  )
  query('CREATE TABLE am.dst (id UInt32, k String) ENGINE = MergeTree ORDER BY id')
  query('USE am')
})

afterAll(() => {
  engine.cleanup()
  process.chdir(home)
  removeFolder(folder)
})

function stored(database: string, name: string): string {
  return query(`SELECT create_table_query FROM system.tables WHERE database = '${database}' AND name = '${name}'`)
}

function drop(definition: Definition): void {
  if (!isDatabaseObject(definition)) return
  const word = { table: 'TABLE', view: 'VIEW', materialized_view: 'VIEW', dictionary: 'DICTIONARY' }[definition.kind]
  query(`DROP ${word} IF EXISTS ${definition.database}.\`${definition.name}\` SYNC`)
}

/** Objects made by `text`, in `am`. */
function declaredOf(text: string): Definition {
  const { node, warnings } = parseStatement(text)
  expect(warnings).toEqual([])
  const definition = definitionFromNode(node, { database: 'am', declared: true })
  if (definition === undefined) throw new Error(`no definition: ${text}`)
  return definition
}

describe('a statement that the engine accepts', () => {
  const statements = readFileSync(new URL('../../fixtures/model/statements.sql', import.meta.url), 'utf8')
    .trim()
    .split('\n')
  it.each(statements)('%s', (text) => {
    const declared = declaredOf(text)
    if (!isDatabaseObject(declared)) throw new Error('not in a database')
    query(text)
    const first = stored('am', declared.name)
    const live = definitionFromStatement(first, { currentDatabase: 'am' })
    try {
      // What was written and what the server stored are one canonical form.
      if (!sameDefinition(declared, live)) expect(live).toEqual(declared)
      drop(live)
      // What is read back makes the identical object again.
      query(renderCreate(live, 'create'))
      expect(stored('am', declared.name)).toBe(first)
      drop(live)
      // The declaration that pull prints is the same object, spelling included.
      const pulled = canonicalise([declarationOf(live)!], { defaultDatabase: 'other' })
      expect(pulled.warnings).toEqual([])
      expect(pulled.model.definitions).toEqual([live])
      // So does what was declared, but for spellings that the server keeps.
      if (first.includes('[HIDDEN]')) return
      query(renderCreate(declared, 'create'))
      const again = definitionFromStatement(stored('am', declared.name), { currentDatabase: 'am' })
      if (!sameDefinition(declared, again)) expect(again).toEqual(declared)
    } finally {
      drop(live)
    }
  })
})

const COLUMNS = { id: 'UInt64', ts: 'DateTime', name: 'String' } as const

/** Declarations whose created objects read back as their canonical form. */
const DECLARATIONS: readonly (readonly [name: string, declaration: Declaration])[] = [
  ['a plain table', table({ database: 'am', name: 't', engine: 'MergeTree', columns: COLUMNS, orderBy: 'id' })],
  [
    'every kind of default',
    table({
      database: 'am',
      name: 't',
      engine: 'MergeTree()',
      orderBy: ['id', 'toDate(ts)'],
      partitionBy: 'toYYYYMM(ts)',
      columns: [
        { name: 'id', type: 'UInt64' },
        { name: 'ts', type: 'timestamp', defaultExpression: 'NOW()' },
        { name: 'a', type: 'String', default: "it's" },
        { name: 'b', type: 'INT', default: -5 },
        { name: 'c', type: 'boolean', default: true },
        { name: 'd', type: 'Float64', default: 1.5 },
        { name: 'e', type: 'DateTime64(3)', default: 'fn:now64(3)' },
        { name: 'f', type: 'UInt64', materialized: 'id + 1' },
        { name: 'g', type: 'UInt64', alias: 'id*2' },
        { name: 'h', type: 'String', ephemeral: true },
        { name: 'i', type: 'String', ephemeral: "'x'" },
        { name: 'j', type: 'String', nullable: true, default: null },
        { name: 'k', type: 'LowCardinality(String)', nullable: true },
        { name: 'l', type: 'UInt256', default: 12345678901234567890n },
      ],
    }),
  ],
  [
    'codecs, TTLs, statistics, comments and settings of columns',
    table({
      database: 'am',
      name: 't',
      engine: 'MergeTree',
      orderBy: 'id',
      ttl: ['ts + INTERVAL 1 MONTH DELETE WHERE id > 5', 'ts + INTERVAL 1 YEAR'],
      settings: { index_granularity: 8192, min_bytes_for_wide_part: 1, merge_with_ttl_timeout: 3600 },
      comment: "with 'quotes', \\ and\nlines",
      columns: [
        { name: 'id', type: 'UInt64', codec: 'Delta, ZSTD' },
        { name: 'ts', type: 'DateTime', codec: 'DoubleDelta, LZ4HC' },
        { name: 'v', type: 'Float32', codec: 'Gorilla', ttl: 'ts + interval 1 day', statistics: ['uniq', 'tdigest'] },
        {
          name: 'w',
          type: 'String',
          codec: 'CODEC(ZSTD(3))',
          comment: 'ключ 🔑',
          settings: { max_compress_block_size: 200 },
        },
      ],
    }),
  ],
  [
    'indexes, projections and constraints',
    table({
      database: 'am',
      name: 't',
      engine: 'MergeTree',
      orderBy: 'id',
      columns: { ...COLUMNS, v: 'Array(Float32)' },
      indexes: [
        { name: 'i1', expression: 'ts', type: 'minmax' },
        { name: 'i2', expression: '(id, name)', type: 'set', typeArgs: 100, granularity: 4 },
        { name: 'i3', expression: 'LOWER(name)', type: 'bloom_filter', typeArgs: '0.01', granularity: 2 },
        { name: 'i4', expression: 'name', type: 'tokenbf_v1', typeArgs: [256, 2, 0] },
        { name: 'i5', expression: 'v', type: "vector_similarity('hnsw', 'L2Distance', 2)" },
      ],
      projections: [
        { name: 'p1', query: 'SELECT name, COUNT() GROUP BY name' },
        { name: 'p 2', query: '(SELECT * ORDER BY (name, id))', settings: { index_granularity: 100 } },
        { name: 'p3', index: 'name', type: 'basic' },
      ],
      constraints: [
        { name: 'c1', check: 'id > 0 and NOT empty(name)' },
        { name: 'c2', assume: 'id < 100' },
      ],
    }),
  ],
  [
    'Nested, flattened',
    table({
      database: 'am',
      name: 't',
      engine: 'MergeTree',
      orderBy: 'id',
      columns: { ...COLUMNS, n: 'Nested(a INT, `b c` String)' },
    }),
  ],
  [
    'Nested, kept whole',
    table({
      database: 'am',
      name: 't',
      engine: 'MergeTree',
      orderBy: 'id',
      columns: { ...COLUMNS, n: 'Nested(a INT, b String)' },
      settings: { flatten_nested: 0, min_rows_for_wide_part: 5 },
    }),
  ],
  [
    'names that need quoting',
    table({
      database: 'am',
      name: 'a-b`c.d e',
      engine: 'MergeTree',
      orderBy: ['`my col`', '`b\\`q`'],
      columns: [
        { name: 'my col', type: 'UInt8' },
        { name: 'b`q', type: 'UInt8' },
        { name: 'ünï', type: 'String', defaultExpression: "toString(`my col`) || 'x'" },
      ],
    }),
  ],
  [
    'descending keys',
    table({ database: 'am', name: 't', engine: 'MergeTree', columns: COLUMNS, orderBy: ['id DESC', 'ts'] }),
  ],
  ['no key', table({ database: 'am', name: 't', engine: 'MergeTree', columns: COLUMNS, orderBy: 'tuple()' })],
  [
    'a primary key of its own and a sampling key',
    table({
      database: 'am',
      name: 't',
      engine: 'ReplacingMergeTree(ts)',
      columns: COLUMNS,
      orderBy: ['id', 'cityHash64(name)', 'ts'],
      primaryKey: ['id', 'cityHash64(name)'],
      sampleBy: 'cityHash64(name)',
    }),
  ],
  [
    'settings of the query among those of the table',
    table({
      database: 'am',
      name: 't',
      engine: 'MergeTree',
      columns: { id: 'UInt64', v: 'LowCardinality(UInt8)' },
      orderBy: 'id',
      settings: { allow_suspicious_low_cardinality_types: 1, index_granularity: 1024 },
    }),
  ],
  ['an engine without keys', table({ database: 'am', name: 't', engine: 'Null', columns: COLUMNS })],
  [
    'an engine over others',
    table({ database: 'am', name: 't', engine: "Merge(am, '^sr')", columns: { id: 'UInt32' } }),
  ],
  ['a table function', table({ database: 'am', name: 't', asTableFunction: 'numbers( 10 )', columns: {} })],
  [
    'a view',
    view({
      database: 'am',
      name: 'v',
      as: 'select ID as id, K from (select id as ID, k as K from src) where ID in dst',
      comment: 'c',
    }),
  ],
  [
    'a view with columns',
    view({
      database: 'am',
      name: 'v',
      as: 'SELECT id, k FROM src;',
      columns: { id: 'INT', k: { type: 'text', comment: 'x' } },
    }),
  ],
  [
    'a union whose first SELECT has WITH',
    view({
      database: 'am',
      name: 'v',
      as: 'WITH q AS (SELECT id FROM src) SELECT id FROM q UNION ALL SELECT id FROM src',
    }),
  ],
  [
    'a union whose SELECTs have WITH of their own',
    view({
      database: 'am',
      name: 'v',
      as: 'WITH q AS (SELECT id FROM src), 1 AS x, 2 AS y SELECT id FROM q UNION ALL WITH 5 AS y SELECT id + y AS id FROM src',
    }),
  ],
  ...[
    'WITH [1] AS other SELECT id FROM src WHERE id IN other',
    'WITH (SELECT max(id) FROM src) AS other SELECT id FROM src WHERE id NOT IN (other)',
    'WITH [1] AS x, x AS other SELECT id FROM src WHERE id IN (SELECT id FROM src WHERE id IN x)',
    'WITH range(3) AS x SELECT id FROM src WHERE id IN x UNION ALL SELECT id FROM src WHERE id IN x',
  ].map((as): [string, Declaration] => [`a value of WITH behind IN: ${as}`, view({ database: 'am', name: 'v', as })]),
  [
    'a WITH over INTERSECT',
    view({
      database: 'am',
      name: 'v',
      as: 'WITH 1 AS x SELECT id FROM src UNION ALL SELECT id FROM src INTERSECT SELECT id FROM src',
    }),
  ],
  [
    'a WITH over a union in a union',
    view({
      database: 'am',
      name: 'v',
      as: 'WITH 1 AS x SELECT id FROM src UNION ALL (SELECT id FROM src UNION DISTINCT SELECT toUInt32(id + x) AS id FROM src)',
    }),
  ],
  [
    'a union whose first SELECT has WITH RECURSIVE',
    view({
      database: 'am',
      name: 'v',
      as: 'WITH RECURSIVE q AS (SELECT 1 AS id UNION ALL SELECT id + 1 FROM q WHERE id < 5) SELECT id FROM q UNION ALL SELECT id FROM src',
    }),
  ],
  ['a parameterised view', view({ database: 'am', name: 'v', as: 'SELECT id FROM src WHERE id = {x:UInt32}' })],
  [
    'a view with a definer',
    view({ database: 'am', name: 'v', as: 'SELECT 1 AS a', definer: 'CURRENT_USER', sqlSecurity: 'definer' }),
  ],
  [
    'a materialized view with a target',
    materializedView({
      database: 'am',
      name: 'v',
      to: 'dst',
      as: 'select id, UPPER(k) k from src s where ts > NOW() - interval 1 day',
    }),
  ],
  [
    'a materialized view with an inner table',
    materializedView({
      database: 'am',
      name: 'v',
      engine: 'AggregatingMergeTree',
      orderBy: ['k'],
      settings: { index_granularity: 100 },
      as: 'SELECT k, countState() AS c FROM src GROUP BY k',
      comment: 'inner',
    }),
  ],
  [
    'a refreshable materialized view',
    materializedView({
      database: 'am',
      name: 'v',
      to: { database: 'am', name: 'dst' },
      refresh: {
        every: '90 MINUTE',
        offset: '5 MINUTE',
        randomize: '10 SECOND',
        dependsOn: ['w'],
        append: true,
        settings: { refresh_retries: 3 },
      },
      as: 'SELECT id, k FROM src',
    }),
  ],
  [
    'a dictionary',
    dictionary({
      database: 'am',
      name: 'd',
      attributes: {
        id: 'UInt64',
        name: { type: 'varchar(10)', default: '?' },
        parent: { type: 'UInt64', default: 0, hierarchical: true },
        e: { type: 'String', expression: 'LOWER(k)', injective: true },
      },
      primaryKey: 'id',
      source: "clickhouse(table src db 'am')",
      layout: 'hashed',
      lifetime: 300,
      settings: { format_csv_allow_single_quotes: 0 },
      comment: 'd',
    }),
  ],
  [
    'a range dictionary',
    dictionary({
      database: 'am',
      name: 'd',
      attributes: { id: 'UInt64', s: 'Date', e: 'Date', name: 'String' },
      primaryKey: ['id'],
      source: 'NULL()',
      layout: "RANGE_HASHED(range_lookup_strategy 'max')",
      range: { min: 's', max: 'e' },
      lifetime: { min: 0, max: 10 },
    }),
  ],
]

describe('a declaration', () => {
  it.each(DECLARATIONS)('%s reads back as its canonical form', (_name, declaration) => {
    const { model, issues, warnings } = canonicalise([declaration])
    expect(issues).toEqual([])
    expect(warnings).toEqual([])
    const definition = model.definitions[0]!
    if (!isDatabaseObject(definition)) throw new Error('not in a database')
    query(renderCreate(definition, 'create'))
    try {
      const name = definition.name.replaceAll('\\', '\\\\').replaceAll("'", "\\'")
      const live = definitionFromStatement(stored('am', name), { currentDatabase: 'am' })
      if (!sameDefinition(definition, live)) expect(live).toEqual(definition)
    } finally {
      query(
        `DROP ${definition.kind === 'dictionary' ? 'DICTIONARY' : 'TABLE'} \`${definition.name.replaceAll('`', '\\`')}\` SYNC`,
      )
    }
  })

  it('of a function reads back as its canonical form', () => {
    const { model } = canonicalise([
      sqlFunction({ name: 'linear', as: '(x, k, b) -> k*x + B_(b)'.replace('B_', 'ABS') }),
    ])
    const definition = model.definitions[0]!
    query(renderCreate(definition, 'create'))
    const text = query("SELECT create_query FROM system.functions WHERE name = 'linear'")
    expect(sameDefinition(definition, definitionFromStatement(text, { currentDatabase: 'am' }))).toBe(true)
    query('DROP FUNCTION linear')
  })
})

describe('calls of declared functions', () => {
  it('are stored as the bodies of the functions', () => {
    const functions = [
      sqlFunction({ name: 'f3', as: 'x -> f1(x) * 2' }),
      sqlFunction({ name: 'f1', as: 'x -> x + 1' }),
      sqlFunction({ name: 'f2', as: "(a, b) -> concat(toString(a), b, 'z')" }),
      sqlFunction({ name: 'f4', as: 'x -> x > 5 OR x = 1' }),
    ]
    const objects = [
      table({
        database: 'am',
        name: 't',
        engine: 'MergeTree',
        orderBy: 'f1(id)',
        partitionBy: 'f1(id) % 10',
        ttl: 'toDateTime(f1(id)) + INTERVAL 1 DAY',
        columns: {
          id: 'UInt32',
          a: { type: 'UInt32', materialized: '(f1(id))' },
          b: { type: 'String', defaultExpression: "f2(id + 1, 'x')" },
        },
        indexes: [{ name: 'i', expression: 'f3(id)', type: 'minmax' }],
        constraints: [{ name: 'c', check: 'f4(id)' }],
        projections: [{ name: 'p', query: 'SELECT f1(id), count() GROUP BY f1(id)' }],
      }),
      view({
        database: 'am',
        name: 'v',
        as: 'SELECT f3(f1(id)) AS x, -f1(id) AS y, arrayMap(q -> f1(q), arr) AS z FROM src WHERE NOT f4(id)',
      }),
    ]
    const { model, issues } = canonicalise([...functions, ...objects])
    expect(issues).toEqual([])
    for (const definition of model.definitions) {
      if (definition.kind === 'sql_function') query(renderCreate(definition, 'create'))
    }
    for (const declaration of objects) {
      // The calls as they were written, so that it is the server that resolves them.
      const [plain] = canonicalise([declaration]).model.definitions
      const [inlined] = model.definitions.filter((one) => isDatabaseObject(one) && one.name === declaration.name)
      query(renderCreate(plain!, 'create'))
      const live = definitionFromStatement(stored('am', declaration.name), { currentDatabase: 'am' })
      if (!sameDefinition(inlined!, live)) expect(live).toEqual(inlined)
      drop(live)
    }
    for (const name of ['f1', 'f2', 'f3', 'f4']) query(`DROP FUNCTION ${name}`)
  })
})

describe('the tables of names', () => {
  it('hold every case-insensitive function of the engine', () => {
    const rows = query(
      "SELECT name, if(alias_to = '', name, alias_to) FROM system.functions WHERE case_insensitive AND match(name, '^[A-Za-z_0-9]+$')",
    ).split('\n')
    for (const row of rows) {
      const [name = '', target = ''] = row.split('\t')
      // An alias of a name that differs from the stored one in case alone.
      const stored = target === 'connectionID' ? 'connectionId' : target
      expect([name, canonicalFunctionName(name.toUpperCase())]).toEqual([name, stored])
    }
  })

  it('leave alone every function whose case matters', () => {
    const names = query(
      "SELECT name FROM system.functions WHERE NOT case_insensitive AND match(name, '^[A-Za-z_0-9]+$')",
    ).split('\n')
    const insensitive = new Set(REWRITTEN_NAMES.functions.keys())
    // DATE_DIFF and its like share their lower-case form with another function; the parser rewrites those.
    const clashing = names.filter(
      (name) => canonicalFunctionName(name) !== name && !insensitive.has(name.toLowerCase()),
    )
    expect(clashing).toEqual([])
  })

  it('hold every aggregate function alias of the engine', () => {
    const rows = query(
      "SELECT name, alias_to FROM system.functions WHERE is_aggregate AND alias_to != '' AND NOT case_insensitive",
    ).split('\n')
    expect(rows.map((row) => row.split('\t')).sort()).toEqual([...REWRITTEN_NAMES.aggregates].sort())
  })

  it('hold every type alias of the engine', () => {
    const rows = query("SELECT name, alias_to FROM system.data_type_families WHERE alias_to != ''").split('\n')
    for (const row of rows) {
      const [name = '', target = ''] = row.split('\t')
      expect([name, canonicalTypeName(name)]).toEqual([name, name === 'GEOMETRY' ? canonicalTypeName(name) : target])
    }
  })

  it('hold every type and engine, so that none looks misspelt', () => {
    const types = query("SELECT name FROM system.data_type_families WHERE alias_to = ''").split('\n')
    expect(types.filter((name) => !KNOWN_TYPES.has(name))).toEqual([])
    const engines = query('SELECT name FROM system.table_engines').split('\n')
    expect(engines.filter((name) => !KNOWN_ENGINES.has(name))).toEqual([])
  })

  it('know which settings belong to queries', () => {
    const names = query(
      'SELECT name FROM system.settings WHERE name NOT IN (SELECT name FROM system.merge_tree_settings)',
    ).split('\n')
    expect(names.filter((name) => !isQuerySetting(name))).toEqual([])
    const own = query('SELECT name FROM system.merge_tree_settings').split('\n')
    expect(own.filter((name) => isQuerySetting(name))).toEqual([])
  })
})
