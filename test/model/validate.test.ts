import { describe, expect, it } from 'vitest'
import { canonicalise } from '../../src/model/canonical.js'
import {
  type Declaration,
  dictionary,
  materializedView,
  namedCollection,
  table,
  user,
  view,
} from '../../src/model/dsl.js'

function codesOf(...declarations: readonly Declaration[]): readonly string[] {
  return canonicalise(declarations).issues.map((issue) => issue.code)
}

type TableFields = Readonly<Record<string, unknown>>

function tableWith(fields: TableFields): Declaration {
  return table({
    database: 'db',
    name: 't',
    engine: 'MergeTree',
    orderBy: 'id',
    columns: { id: 'UInt64', ts: 'DateTime', name: 'String' },
    ...fields,
  } as Parameters<typeof table>[0])
}

const COLUMNS = [
  { name: 'id', type: 'UInt64' },
  { name: 'ts', type: 'DateTime' },
]

describe('a table is refused for', () => {
  it.each<[name: string, fields: TableFields, codes: readonly string[]]>([
    ['no engine', { engine: undefined }, ['missing_field']],
    ['an engine that is no text', { engine: 5 }, ['invalid_field']],
    ['a field that does not exist', { orderby: 'id' }, ['unknown_field']],
    ['a field named like one that every object inherits', { constructor: 'id' }, ['unknown_field']],
    ['a column without a type', { columns: [{ name: 'id' }] }, ['missing_field']],
    ['a column with an unknown field', { columns: [{ name: 'id', type: 'UInt8', nulable: true }] }, ['unknown_field']],
    [
      'two kinds of default',
      { columns: [{ name: 'id', type: 'UInt8', default: 1, alias: '1' }] },
      ['conflicting_fields'],
    ],
    ['a type that cannot be read', { columns: { id: 'Array(' } }, ['invalid_sql']],
    ['an index without an expression', { indexes: [{ name: 'i', type: 'minmax' }] }, ['missing_field']],
    ['a constraint that is both', { constraints: [{ name: 'c', check: '1', assume: '1' }] }, ['conflicting_fields']],
    ['a projection that is no query', { projections: [{ name: 'p', query: 'FROM x' }] }, ['invalid_sql']],
    ['clauses inside of the engine', { engine: 'MergeTree ORDER BY id' }, ['invalid_field']],
    ['no columns', { columns: [], orderBy: 'tuple()' }, ['empty_columns']],
    ['no sorting key', { orderBy: undefined }, ['order_by_missing']],
    ['a sorting key that the engine has not', { engine: 'Memory' }, ['order_by_not_supported']],
    ['two columns of one name', { columns: [...COLUMNS, { name: 'id', type: 'String' }] }, ['duplicate_column_name']],
    [
      'a column that Nested makes twice',
      { columns: [...COLUMNS, { name: 'n.a', type: 'Array(UInt8)' }, { name: 'n', type: 'Nested(a UInt8)' }] },
      ['duplicate_column_name'],
    ],
    [
      'two indexes of one name',
      {
        indexes: [
          { name: 'i', expression: 'id', type: 'minmax' },
          { name: 'i', expression: 'ts', type: 'minmax' },
        ],
      },
      ['duplicate_index_name'],
    ],
    [
      'two projections of one name',
      {
        projections: [
          { name: 'p', query: 'SELECT id ORDER BY id' },
          { name: 'p', query: 'SELECT ts ORDER BY ts' },
        ],
      },
      ['duplicate_projection_name'],
    ],
    [
      'two constraints of one name',
      {
        constraints: [
          { name: 'c', check: 'id > 1' },
          { name: 'c', check: 'id > 2' },
        ],
      },
      ['duplicate_constraint_name'],
    ],
    ['a missing column in the sorting key', { orderBy: ['id', 'lower(nam)'] }, ['order_by_missing_column']],
    [
      'a missing column in the primary key',
      { primaryKey: ['nope'], orderBy: ['id'] },
      ['primary_key_missing_column', 'primary_key_not_prefix'],
    ],
    ['a primary key that is no prefix', { primaryKey: ['ts'], orderBy: ['id', 'ts'] }, ['primary_key_not_prefix']],
    ['a missing column in the partition key', { partitionBy: 'toYYYYMM(day)' }, ['partition_by_missing_column']],
    ['a missing column in the sampling key', { sampleBy: 'nope' }, ['sample_by_missing_column']],
    ['a sampling key outside of the primary key', { sampleBy: 'ts' }, ['sample_by_not_in_primary_key']],
    ['a missing column in the unique key', { uniqueKey: 'nope' }, ['unique_key_missing_column']],
    ['a missing column in the TTL', { ttl: 'ts + INTERVAL 1 DAY DELETE WHERE nope > 1' }, ['ttl_missing_column']],
    ['a nullable column in a key', { columns: { id: 'Nullable(UInt8)' } }, ['key_column_nullable']],
    [
      'a low cardinality nullable column in a key',
      { columns: { id: 'LowCardinality(Nullable(String))' } },
      ['key_column_nullable'],
    ],
    ['an aggregate state in a key', { columns: { id: 'AggregateFunction(sum, UInt8)' } }, ['key_column_type']],
    ['JSON in a key', { columns: { id: 'JSON' } }, ['key_column_type']],
    ['an alias in a key', { columns: [{ name: 'id', type: 'UInt8', alias: '1' }] }, ['key_column_not_stored']],
    ['a missing version column', { engine: 'ReplacingMergeTree(version)' }, ['engine_missing_column']],
    ['a missing column to sum', { engine: 'SummingMergeTree((id, total))' }, ['engine_missing_column']],
    [
      'a missing sign behind replica paths',
      { engine: "ReplicatedCollapsingMergeTree('/p', 'r', sign)" },
      ['engine_missing_column'],
    ],
    [
      'a missing column in an index',
      { indexes: [{ name: 'i', expression: 'lower(nam)', type: 'minmax' }] },
      ['index_missing_column'],
    ],
    [
      'a missing column in a projection',
      { projections: [{ name: 'p', query: 'SELECT nam ORDER BY id' }] },
      ['projection_missing_column'],
    ],
    [
      'a missing column in a constraint',
      { constraints: [{ name: 'c', check: 'nam = 1' }] },
      ['constraint_missing_column'],
    ],
    [
      'a missing column in a default',
      { columns: [...COLUMNS, { name: 'x', type: 'UInt8', defaultExpression: 'idd + 1' }] },
      ['default_missing_column'],
    ],
    [
      'a missing column in a column TTL',
      { columns: [...COLUMNS, { name: 'x', type: 'UInt8', ttl: 'tts + toIntervalDay(1)' }] },
      ['column_ttl_missing_column'],
    ],
    [
      'defaults that read each other',
      {
        columns: [
          ...COLUMNS,
          { name: 'a', type: 'UInt8', defaultExpression: 'b' },
          { name: 'b', type: 'UInt8', defaultExpression: 'a' },
        ],
      },
      ['default_cycle'],
    ],
    [
      'two columns that were one before',
      {
        columns: [
          ...COLUMNS,
          { name: 'a', type: 'UInt8', renamedFrom: 'x' },
          { name: 'b', type: 'UInt8', renamedFrom: 'x' },
        ],
      },
      ['duplicate_rename_source'],
    ],
    ['a former name that cannot be read', { renamedFrom: 'a.b.c' }, ['invalid_sql']],
  ])('%s', (_name, fields, codes) => {
    expect(codesOf(tableWith(fields))).toEqual(codes)
  })

  it('everything at once, in one list', () => {
    const fields = {
      orderBy: ['nope'],
      partitionBy: 'nope2',
      indexes: [{ name: 'i', expression: 'nope3', type: 'minmax' }],
      columns: { id: 'UInt64', x: { type: 'UInt8', defaultExpression: 'nope4' } },
    }
    expect(codesOf(tableWith(fields), view({ database: 'db', name: 't', as: 'SELECT 1 AS a' }))).toEqual([
      'duplicate_object_name',
      'order_by_missing_column',
      'partition_by_missing_column',
      'default_missing_column',
      'index_missing_column',
    ])
  })
})

describe('a table is accepted with', () => {
  it.each<[name: string, fields: TableFields]>([
    [
      'a table behind IN, in the brackets that the server stores',
      { columns: [...COLUMNS, { name: 'x', type: 'UInt8', alias: 'id IN (db.keys)' }] },
    ],
    [
      'a nullable key where that is allowed',
      { columns: { id: 'Nullable(UInt8)' }, settings: { allow_nullable_key: 1 } },
    ],
    [
      'JSON in a key where that is allowed',
      { columns: { id: 'JSON' }, settings: { allow_suspicious_types_in_order_by: 1 } },
    ],
    ['a part of JSON in a key', { columns: { id: 'JSON' }, orderBy: 'id.a.:String' }],
    ['an element of a tuple in a key', { columns: { n: 'Tuple(a UInt8)' }, orderBy: 'n.a' }],
    [
      'an element of Nested in a default',
      { columns: { id: 'UInt8', n: 'Nested(a UInt8)', x: { type: 'UInt64', defaultExpression: 'length(n.a)' } } },
    ],
    ['sub-columns', { columns: { id: 'UInt8', a: 'Array(UInt8)', x: { type: 'UInt64', alias: 'a.size0' } } }],
    [
      'lambda parameters',
      { columns: { id: 'UInt8', a: 'Array(UInt8)', x: { type: 'Array(UInt8)', alias: 'arrayMap(q -> q + id, a)' } } },
    ],
    [
      'names of functions without brackets',
      { columns: { id: 'UInt8', x: { type: 'DateTime', defaultExpression: 'CURRENT_TIMESTAMP' } } },
    ],
    ['virtual columns', { projections: [{ name: 'p', query: 'SELECT id, _part_offset ORDER BY name' }] }],
    [
      'aliases inside of a projection',
      { projections: [{ name: 'p', query: 'WITH id + 1 AS z SELECT z, name ORDER BY z' }] },
    ],
    ['descending keys', { orderBy: ['id DESC', 'ts'], primaryKey: ['id'] }],
    ['an expression in the primary key', { orderBy: ['toDate(ts)', 'id'], primaryKey: 'toDate(ts)' }],
    ['a sampling key in brackets', { orderBy: ['id', 'cityHash64(name)'], sampleBy: '(cityHash64(name))' }],
    ['strings among engine parameters', { engine: "ReplicatedReplacingMergeTree('/p/{shard}', '{replica}', ts)" }],
    [
      'a Nested among the columns to sum',
      { columns: { id: 'UInt8', n: 'Nested(k UInt8, v UInt64)' }, engine: 'SummingMergeTree((n))', orderBy: 'id' },
    ],
    ['names of one spelling in different case', { columns: { id: 'UInt8', ID: 'UInt8' } }],
    ['an enum that is called JSON', { columns: { id: "Enum8('JSON' = 1, 'Nullable(' = 2)" } }],
    [
      'any name at all',
      { name: 'a.b c`d"e\'f\\g\n🔑', columns: { 'a.b c`d"e\'f': 'UInt8' }, orderBy: '`a.b c\\`d"e\'f`' },
    ],
  ])('%s', (_name, fields) => {
    expect(canonicalise([tableWith(fields)]).issues).toEqual([])
  })
})

const SOURCE = tableWith({ name: 'src' })
const TARGET = tableWith({ name: 'dst', columns: { id: 'UInt64', n: 'UInt64' } })

describe('views', () => {
  it.each<[name: string, as: string, codes: readonly string[]]>([
    ['read columns that are there', 'SELECT id, upper(name) AS n FROM src WHERE ts > now()', []],
    ['read a column that is not there', 'SELECT idd AS id FROM src', ['source_missing_column']],
    ['read it through an alias of the table', 'SELECT s.idd AS id FROM src AS s', ['source_missing_column']],
    ['use their own aliases', 'SELECT id + 1 AS x, x * 2 AS y FROM src ORDER BY y', []],
    ['join tables that are declared', 'SELECT src.id, dst.n FROM src JOIN dst ON src.id = dst.id', []],
    ['join one that is not', 'SELECT anything FROM src JOIN other USING id', []],
    ['miss a column of a join', 'SELECT dst.name FROM src JOIN dst ON src.id = dst.id', ['source_missing_column']],
    ['read named queries', 'WITH q AS (SELECT 1 AS z) SELECT z FROM q', []],
    ['read from subqueries', 'SELECT z FROM (SELECT id AS z FROM src)', []],
    ['bring names by ARRAY JOIN', 'SELECT a FROM src ARRAY JOIN [1] AS a', []],
    ['read from both sides of a union', 'SELECT id FROM src UNION ALL SELECT idd FROM src', ['source_missing_column']],
  ])('%s', (_name, as, codes) => {
    expect(codesOf(SOURCE, TARGET, view({ database: 'db', name: 'v', as }))).toEqual(codes)
  })

  it.each<[name: string, as: string, codes: readonly string[]]>([
    ['write columns that the target has', 'SELECT id, count() AS n FROM src GROUP BY id', []],
    [
      'write one that it has not',
      'SELECT id, count() AS total FROM src GROUP BY id',
      ['materialized_view_target_missing_column'],
    ],
    ['write all columns of the source', 'SELECT * FROM src', []],
  ])('that are materialized %s', (_name, as, codes) => {
    expect(codesOf(SOURCE, TARGET, materializedView({ database: 'db', name: 'v', to: 'dst', as }))).toEqual(codes)
  })

  it('that are materialized need a target or an engine, not both', () => {
    const both = { database: 'db', name: 'v', to: 'dst', engine: 'MergeTree', orderBy: 'id', as: 'SELECT 1 AS id' }
    expect(codesOf(materializedView(both as unknown as Parameters<typeof materializedView>[0]))).toEqual([
      'conflicting_fields',
    ])
  })

  it('may not read each other in a circle', () => {
    const issues = canonicalise([
      view({ database: 'db', name: 'a', as: 'SELECT * FROM b' }),
      view({ database: 'db', name: 'b', as: 'SELECT * FROM a' }),
    ]).issues
    expect(issues).toMatchObject([{ code: 'dependency_cycle', kind: 'view', name: 'a' }])
    expect(issues[0]!.message).toContain('view:db.a -> view:db.b -> view:db.a')
    expect(codesOf(view({ database: 'db', name: 'a', as: 'SELECT * FROM a' }))).toEqual(['dependency_cycle'])
    expect(codesOf(view({ database: 'db', name: 'a', as: 'WITH a AS (SELECT 1) SELECT * FROM a' }))).toEqual([])
  })
})

describe('dictionaries', () => {
  const base = {
    database: 'db',
    name: 'd',
    attributes: { id: 'UInt64', v: 'String' },
    primaryKey: 'id',
    source: "CLICKHOUSE(TABLE 'src')",
    layout: 'FLAT()',
    lifetime: 10,
  }
  it.each<[name: string, fields: object, codes: readonly string[]]>([
    ['are accepted', {}, []],
    ['need an attribute for their key', { primaryKey: 'idd' }, ['dictionary_key_missing_column']],
    ['need attributes for their range', { range: { min: 'v', max: 'w' } }, ['dictionary_range_missing_column']],
    ['need a lifetime', { lifetime: undefined }, ['dictionary_lifetime_missing']],
    ['need none where they are direct', { lifetime: undefined, layout: 'DIRECT()' }, []],
    ['may not hold a password', { source: "CLICKHOUSE(TABLE 't' PASSWORD 'secret')" }, ['plain_secret']],
    ['name it in the environment', { source: "CLICKHOUSE(TABLE 't' PASSWORD 'env:PW')" }, []],
    ['need a source that can be read', { source: 'CLICKHOUSE(' }, ['invalid_sql']],
  ])('%s', (_name, fields, codes) => {
    expect(codesOf(dictionary({ ...base, ...fields }))).toEqual(codes)
  })
})

describe('a secret that is spelled out', () => {
  const engine = (text: string, settings?: Record<string, string>) =>
    table({ database: 'db', name: 't', engine: text, columns: { id: 'UInt64' }, settings } as Parameters<
      typeof table
    >[0])
  const query = (text: string) => view({ database: 'db', name: 'v', as: text })
  const bob = (identified: string) => user({ name: 'bob', identified })
  const values = (given: Record<string, string>) => namedCollection({ name: 'c', values: given })
  const rows: readonly { name: string; plain: Declaration; reference: Declaration }[] = [
    {
      name: 'the password of an engine',
      plain: engine("PostgreSQL('h:5432', 'db', 't', 'u', 'secret')"),
      reference: engine("PostgreSQL('h:5432', 'db', 't', 'u', 'env:PW')"),
    },
    {
      name: 'the key of an object store',
      plain: engine("S3('https://b.s3.amazonaws.com/x', 'AKIAIOSFODNN7EXAMPLE', 'secret', 'CSV')"),
      reference: engine("S3('https://b.s3.amazonaws.com/x', 'AKIAIOSFODNN7EXAMPLE', 'env:KEY', 'CSV')"),
    },
    {
      name: 'a part of a URL',
      plain: engine("URL('https://u:secret@h/x', 'CSV')"),
      reference: engine("URL('https://u:{env:PW}@h/x', 'CSV')"),
    },
    {
      name: 'a setting of a table',
      plain: engine("Kafka('h:9092', 't', 'g', 'JSONEachRow')", { kafka_sasl_password: 'secret' }),
      reference: engine("Kafka('h:9092', 't', 'g', 'JSONEachRow')", { kafka_sasl_password: 'env:PW' }),
    },
    {
      name: 'a table function in a query',
      plain: query("SELECT * FROM mysql('h:3306', 'd', 't', 'u', 'secret')"),
      reference: query("SELECT * FROM mysql('h:3306', 'd', 't', 'u', 'env:PW')"),
    },
    {
      name: 'the password of a user',
      plain: bob("WITH sha256_password BY 'secret'"),
      reference: bob('WITH sha256_password BY env:PW'),
    },
    {
      name: 'a value of a named collection',
      plain: values({ host: 'h', password: 'secret' }),
      reference: values({ host: 'h', password: 'env:PW' }),
    },
  ]
  it.each(rows)('is refused, and its reference taken: $name', ({ plain, reference }) => {
    const { issues } = canonicalise([plain])
    expect(issues.map(({ code }) => code)).toEqual(['plain_secret'])
    expect(JSON.stringify(issues)).not.toMatch(/['"]secret|:secret/)
    expect(codesOf(reference)).toEqual([])
  })

  it.each([
    { name: 'an object store without keys', one: engine("S3('https://b.s3.amazonaws.com/x.csv', 'CSV', 'gzip')") },
    { name: 'a URL without a password', one: engine("URL('https://h:8443/x', 'CSV')") },
    {
      name: 'a comparison with a column',
      one: query("SELECT 1 FROM mysql('h:3306', 'd', 't', 'u', 'env:PW') WHERE password = 'x'"),
    },
    { name: 'a hash of a user', one: bob("WITH sha256_hash BY 'ab'") },
    { name: 'an empty password', one: engine("MySQL('h:3306', 'd', 't', 'u', '')") },
  ])('is not seen in $name', ({ one }) => {
    expect(codesOf(one)).toEqual([])
  })
})

describe('an issue', () => {
  it('names object, files and a way out when two files define one object', () => {
    const { issues, model } = canonicalise([
      { declaration: tableWith({}), origin: { file: 'a.ts' } },
      { declaration: tableWith({ engine: 'Null', orderBy: undefined }), origin: { file: 'b.ts' } },
    ])
    expect(issues).toMatchObject([
      { code: 'duplicate_object_name', kind: 'table', database: 'db', name: 't', file: 'b.ts' },
    ])
    expect(issues[0]!.message).toBe('db.t is defined in a.ts and in b.ts')
    expect(issues[0]!.hint).toBeDefined()
    expect(model.definitions).toHaveLength(1)
  })

  it('suggests the field that was meant', () => {
    expect(canonicalise([tableWith({ orderby: 'id' })]).issues[0]).toMatchObject({ hint: 'Did you mean orderBy?' })
  })

  it('tells that a statement cannot be read', () => {
    expect(codesOf(user({ name: 'u', identified: 'FROB' }))).toEqual(['invalid_sql'])
  })
})
