/**
 * Edits that somebody might make to a schema file, the awkward ones: what is written before and after, the rows that are
 * there, and what must come of it. Each is in the schema language, as plain data.
 */
import type { Declaration, TableDeclaration } from '../../../src/model/dsl.js'

export type EditCase = {
  readonly name: string
  readonly before: readonly Declaration[]
  /** Run between the two; by default three rows go into `d.t`. */
  readonly rows?: readonly string[]
  readonly after: readonly Declaration[]
  /** A query, and its answer once the edit is carried out. */
  readonly keeps?: readonly [query: string, answer: string]
  /** Said in a refusal or a validation message, in place of a plan. */
  readonly refused?: RegExp
  /** The plan's guard stops it, and nothing has changed. */
  readonly stopped?: RegExp
}

type Columns = TableDeclaration['columns']
type Rest = Partial<TableDeclaration> & { readonly columns?: Columns }

const COLUMNS = { id: 'UInt64', a: 'UInt32', b: 'String', at: 'DateTime' } as const

const LIST = Object.entries(COLUMNS).map(([name, type]) => ({ name, type }))

/** `d.t`, a MergeTree by `id`. */
function t(rest: Rest = {}): Declaration {
  return {
    kind: 'table',
    database: 'd',
    name: 't',
    engine: 'MergeTree',
    orderBy: 'id',
    columns: COLUMNS,
    ...rest,
  } as Declaration
}

function sink(rest: Rest = {}): Declaration {
  return t({ name: 'sink', columns: { id: 'UInt64', a: 'UInt64' }, ...rest })
}

function mv(as: string, rest: object = {}): Declaration {
  return { kind: 'materialized_view', database: 'd', name: 'mv', to: 'd.sink', as, ...rest } as Declaration
}

/** A materialized view that keeps its rows itself. */
function inner(as: string, rest: object = {}): Declaration {
  return mv(as, { to: undefined, engine: 'MergeTree', orderBy: 'id', ...rest })
}

function view(as: string, rest: object = {}): Declaration {
  return { kind: 'view', database: 'd', name: 'v', as, ...rest } as Declaration
}

function dict(rest: object = {}): Declaration {
  return {
    kind: 'dictionary',
    database: 'd',
    name: 'dict',
    attributes: { id: 'UInt64', a: 'UInt32' },
    primaryKey: 'id',
    source: "CLICKHOUSE(TABLE 't' DB 'd')",
    layout: 'FLAT()',
    lifetime: 0,
    ...rest,
  } as Declaration
}

/** What is inserted where a case does not say otherwise. */
export const THREE_ROWS = "INSERT INTO d.t (id, a, b, at) VALUES (1, 10, 'x', 0), (2, 20, 'y', 0), (3, 30, 'z', 0)"

const SUM: EditCase['keeps'] = ['SELECT count(), sum(id) FROM d.t', '3\t6']

/** A column of `d.t` in place of `a`. */
function withA(a: string | object, rest: Rest = {}): Declaration {
  return t({ columns: { ...COLUMNS, a } as Columns, ...rest })
}

const DEFAULTS: Readonly<Record<string, object>> = {
  none: {},
  DEFAULT: { defaultExpression: 'id + 1' },
  MATERIALIZED: { materialized: 'id + 1' },
  ALIAS: { alias: 'id + 1' },
  EPHEMERAL: { ephemeral: '7' },
}

const INSERT_BARE = "INSERT INTO d.t (id, b, at) VALUES (1, 'x', 0), (2, 'y', 0), (3, 'z', 0)"

export const EDITS: readonly EditCase[] = [
  {
    name: 'a rename, a type change, an index on it and a view that reads it, all at once',
    before: [
      withA({ type: 'UInt32' }, { indexes: [{ name: 'i', expression: 'a', type: 'minmax' }] }),
      sink(),
      mv('SELECT id, a FROM d.t'),
    ],
    after: [
      t({
        columns: { id: 'UInt64', amount: { type: 'UInt64', renamedFrom: 'a' }, b: 'String', at: 'DateTime' },
        indexes: [{ name: 'i', expression: 'amount', type: 'minmax' }],
      }),
      sink(),
      mv('SELECT id, amount AS a FROM d.t'),
    ],
    keeps: ['SELECT sum(amount), (SELECT sum(a) FROM d.sink) FROM d.t', '60\t60'],
  },
  {
    name: 'a rename and a narrower type that the rows do not fit',
    before: [t()],
    rows: ['INSERT INTO d.t (id, a) VALUES (1, 10), (2, 70000)'],
    after: [
      t({ columns: { id: 'UInt64', amount: { type: 'UInt16', renamedFrom: 'a' }, b: 'String', at: 'DateTime' } }),
    ],
    keeps: ['SELECT id, amount FROM d.t ORDER BY id', '1\t10\n2\t4464'],
  },
  {
    name: 'a rename and a type that text does not fit: nothing is renamed either',
    before: [t()],
    rows: ["INSERT INTO d.t (id, b) VALUES (1, '10'), (2, 'bad')"],
    after: [t({ columns: { id: 'UInt64', a: 'UInt32', n: { type: 'UInt32', renamedFrom: 'b' }, at: 'DateTime' } })],
    stopped: /hold values of b that UInt32 cannot hold/,
    keeps: ['SELECT b FROM d.t ORDER BY id', '10\nbad'],
  },
  {
    name: 'a renamed column that a view in another database reads, which follows',
    before: [t(), view('SELECT id, a FROM d.t', { database: 'd2' })],
    after: [
      t({ columns: { id: 'UInt64', z: { type: 'UInt32', renamedFrom: 'a' }, b: 'String', at: 'DateTime' } }),
      view('SELECT id, z FROM d.t', { database: 'd2' }),
    ],
    keeps: ['SELECT sum(z) FROM d2.v', '60'],
  },
  {
    name: 'a renamed column that a view in another database still reads',
    before: [t(), view('SELECT id, a FROM d.t', { database: 'd2' })],
    after: [
      t({ columns: { id: 'UInt64', z: { type: 'UInt32', renamedFrom: 'a' }, b: 'String', at: 'DateTime' } }),
      view('SELECT id, a FROM d.t', { database: 'd2' }),
    ],
    refused: /reads column a|has no column|does not have/,
  },
  {
    name: 'a sorting key extended by a new column',
    before: [t()],
    after: [t({ columns: { ...COLUMNS, s: 'UInt8' }, orderBy: ['id', 's'], primaryKey: 'id' })],
    keeps: SUM,
  },
  {
    name: 'a sorting key extended by a new column in the middle of other changes to the same table',
    before: [t({ indexes: [{ name: 'i', expression: 'b', type: 'bloom_filter' }] })],
    after: [
      t({
        columns: { s: 'UInt8', id: 'UInt64', at: 'DateTime', a: 'UInt64', b: 'LowCardinality(String)' },
        orderBy: ['id', 's'],
        primaryKey: 'id',
        indexes: [{ name: 'i', expression: 's', type: 'minmax' }],
        comment: 'x',
      }),
    ],
    keeps: ['SELECT sum(a), sum(id) FROM d.t', '60\t6'],
  },
  {
    name: 'a sorting key extended by a column that is there',
    before: [t()],
    after: [t({ orderBy: ['id', 'a'], primaryKey: 'id' })],
    refused: /column a exists already/,
  },
  ...(
    [
      ['a projection', { projections: [{ name: 'p', query: 'SELECT a, id ORDER BY a' }] }],
      ['a TTL', { ttl: 'at + toIntervalDay(a)' }],
      ['a constraint', { constraints: [{ name: 'k', check: 'a < 1000' }] }],
      ['an index', { indexes: [{ name: 'i', expression: 'a + 1', type: 'minmax' }] }],
      ['a default', { columns: { ...COLUMNS, n: { type: 'UInt32', defaultExpression: 'a + 1' } } }],
      ['an alias', { columns: { ...COLUMNS, n: { type: 'UInt32', alias: 'a + 1' } } }],
      ['the partition key', { partitionBy: 'a' }],
    ] as const
  ).flatMap(([what, rest]): EditCase[] => {
    const { a: _, ...others } = ('columns' in rest ? rest.columns : COLUMNS) as Record<string, string | object>
    return [
      {
        name: `a dropped column that ${what} still reads`,
        before: [t(rest as Rest)],
        after: [t({ ...(rest as Rest), columns: others as Columns })],
        refused: /column a\b|does not have|a of/,
      },
    ]
  }),
  ...(
    [
      ['a projection', { projections: [{ name: 'p', query: 'SELECT a, id ORDER BY a' }] }],
      ['a TTL', { ttl: 'at + toIntervalYear(a)' }],
      ['a constraint', { constraints: [{ name: 'k', check: 'a < 1000' }] }],
      ['an index', { indexes: [{ name: 'i', expression: 'a + 1', type: 'minmax' }] }],
      ['a default', { columns: { ...COLUMNS, n: { type: 'UInt32', defaultExpression: 'a + 1' } } }],
    ] as const
  ).map(
    ([what, rest]): EditCase => ({
      name: `a dropped column with ${what} that read it`,
      before: [t(rest as Rest)],
      rows: ["INSERT INTO d.t (id, a, b, at) VALUES (1, 10, 'x', now()), (2, 20, 'y', now()), (3, 30, 'z', now())"],
      after: [t({ columns: { id: 'UInt64', b: 'String', at: 'DateTime' } })],
      keeps: SUM,
    }),
  ),
  {
    name: 'a dropped column that a materialized view still reads',
    before: [t(), sink(), mv('SELECT id, a FROM d.t')],
    after: [t({ columns: { id: 'UInt64', b: 'String', at: 'DateTime' } }), sink(), mv('SELECT id, a FROM d.t')],
    refused: /a/,
  },
  {
    name: 'a dropped column that a dictionary still reads',
    before: [t(), dict()],
    after: [t({ columns: { id: 'UInt64', b: 'String', at: 'DateTime' } }), dict()],
    refused: /Column a of d\.t cannot be dropped: dictionary d\.dict still reads it/,
  },
  {
    name: 'a renamed column that the query of a dictionary still reads',
    before: [t(), dict({ source: "CLICKHOUSE(QUERY 'SELECT id, a FROM d.t')" })],
    after: [
      t({ columns: { id: 'UInt64', z: { type: 'UInt32', renamedFrom: 'a' }, b: 'String', at: 'DateTime' } }),
      dict({ source: "CLICKHOUSE(QUERY 'SELECT id, a FROM d.t')" }),
    ],
    refused: /Column a of d\.t cannot be renamed to z: dictionary d\.dict still reads it/,
  },
  {
    name: 'a dropped column together with the attribute of the dictionary that read it',
    before: [t(), dict({ attributes: { id: 'UInt64', a: 'UInt32', b: 'String' } })],
    after: [t({ columns: { id: 'UInt64', a: 'UInt32', at: 'DateTime' } }), dict()],
    keeps: ["SELECT dictGet('d.dict', 'a', toUInt64(2))", '20'],
  },
  {
    name: 'a renamed column with its dictionary attribute',
    before: [t(), dict()],
    after: [
      t({ columns: { id: 'UInt64', z: { type: 'UInt32', renamedFrom: 'a' }, b: 'String', at: 'DateTime' } }),
      dict({ attributes: { id: 'UInt64', z: 'UInt32' } }),
    ],
    keeps: ["SELECT dictGet('d.dict', 'z', toUInt64(2))", '20'],
  },
  {
    name: 'another engine',
    before: [t()],
    after: [t({ engine: 'ReplacingMergeTree' })],
    refused: /engine of d\.t changes/,
  },
  {
    name: 'another partition key',
    before: [t()],
    after: [t({ partitionBy: 'toYYYYMM(at)' })],
    refused: /partition key/,
  },
  {
    name: 'a column that becomes Nullable, with an index and a projection on it',
    before: [
      t({
        indexes: [{ name: 'i', expression: 'a', type: 'minmax' }],
        projections: [{ name: 'p', query: 'SELECT b, sum(a) GROUP BY b' }],
      }),
    ],
    after: [
      withA('Nullable(UInt32)', {
        indexes: [{ name: 'i', expression: 'a', type: 'minmax' }],
        projections: [{ name: 'p', query: 'SELECT b, sum(a) GROUP BY b' }],
      }),
    ],
    keeps: ['SELECT sum(a) FROM d.t WHERE a > 10', '50'],
  },
  {
    name: 'a Nullable column that becomes plain while rows hold NULL',
    before: [withA('Nullable(UInt32)')],
    rows: ['INSERT INTO d.t (id, a) VALUES (1, 10), (2, NULL)'],
    after: [t()],
    stopped: /hold values of a that UInt32 cannot hold/,
    keeps: ['SELECT id, a FROM d.t ORDER BY id', '1\t10\n2\t\\N'],
  },
  {
    name: 'LowCardinality there and back with a codec',
    before: [t({ columns: { ...COLUMNS, b: { type: 'String', codec: 'ZSTD(3)' } } })],
    after: [t({ columns: { ...COLUMNS, b: { type: 'LowCardinality(String)', codec: 'LZ4' } } })],
    keeps: ['SELECT groupArray(b) FROM (SELECT b FROM d.t ORDER BY id)', "['x','y','z']"],
  },
  {
    name: 'an Enum that grows',
    before: [t({ columns: { ...COLUMNS, b: "Enum8('x' = 1, 'y' = 2, 'z' = 3)" } })],
    after: [t({ columns: { ...COLUMNS, b: "Enum8('x' = 1, 'y' = 2, 'z' = 3, 'zz' = 4)" } })],
    keeps: ['SELECT groupArray(b) FROM (SELECT b FROM d.t ORDER BY id)', "['x','y','z']"],
  },
  {
    name: 'an Enum that loses a value that rows hold',
    before: [t({ columns: { ...COLUMNS, b: "Enum8('x' = 1, 'y' = 2, 'z' = 3)" } })],
    after: [t({ columns: { ...COLUMNS, b: "Enum8('x' = 1, 'y' = 2)" } })],
    stopped: /hold values of b that/,
    keeps: ['SELECT groupArray(b) FROM (SELECT b FROM d.t ORDER BY id)', "['x','y','z']"],
  },
  {
    name: 'an Enum whose numbers are dealt anew',
    before: [t({ columns: { ...COLUMNS, b: "Enum8('x' = 1, 'y' = 2, 'z' = 3)" } })],
    after: [t({ columns: { ...COLUMNS, b: "Enum8('x' = 2, 'y' = 1, 'z' = 3)" } })],
    refused: /cannot convert column b/,
  },
  {
    name: 'an Enum in the sorting key that grows',
    before: [withA("Enum8('p' = 1)", { orderBy: ['id', 'a'] })],
    rows: ["INSERT INTO d.t (id, a) VALUES (1, 'p'), (2, 'p'), (3, 'p')"],
    after: [withA("Enum8('p' = 1, 'q' = 2)", { orderBy: ['id', 'a'] })],
    keeps: SUM,
  },
  {
    name: 'a Decimal with more digits and one with fewer',
    before: [withA('Decimal(9, 2)')],
    rows: ['INSERT INTO d.t (id, a) VALUES (1, 1.25), (2, 2.5), (3, 99999.99)'],
    after: [withA('Decimal(18, 6)')],
    keeps: ['SELECT sum(a) FROM d.t', '100003.74'],
  },
  {
    name: 'a Decimal that its rows outgrow',
    before: [withA('Decimal(18, 2)')],
    rows: ['INSERT INTO d.t (id, a) VALUES (1, 1.25), (2, 99999999.5)'],
    after: [withA('Decimal(9, 4)')],
    stopped: /hold values of a that/,
    keeps: ['SELECT sum(a) FROM d.t', '100000000.75'],
  },
  {
    name: 'a DateTime64 with more digits, with the TTL that reads it',
    before: [withA('DateTime64(3)', { ttl: 'toDateTime(a) + INTERVAL 50 YEAR' })],
    rows: ["INSERT INTO d.t (id, a) VALUES (1, '2026-01-01 00:00:00.123')"],
    after: [withA('DateTime64(6)', { ttl: 'toDateTime(a) + INTERVAL 60 YEAR' })],
    keeps: ['SELECT a FROM d.t', '2026-01-01 00:00:00.123000'],
  },
  ...Object.entries(DEFAULTS).flatMap(([from, one]) =>
    Object.entries(DEFAULTS)
      .filter(([to]) => to !== from)
      .map(
        ([to, other]): EditCase => ({
          name: `a default of kind ${from} that becomes ${to}, with another type, comment and codec`,
          before: [withA({ type: 'UInt32', ...one })],
          rows: [INSERT_BARE],
          after: [
            withA({
              type: 'UInt64',
              ...other,
              comment: "it's `new`",
              ...(to !== 'ALIAS' && to !== 'EPHEMERAL' && { codec: 'ZSTD(3)' }),
            }),
          ],
          keeps: SUM,
        }),
      ),
  ),
  {
    name: 'comments with quotes, line breaks and backslashes',
    before: [t({ comment: "it's" }), view('SELECT id FROM d.t', { comment: 'a\nb' })],
    after: [
      t({ comment: 'back\\slash \'q\' "d" `b`\n', columns: { ...COLUMNS, b: { type: 'String', comment: "\\'\n" } } }),
      view('SELECT id FROM d.t', { comment: "\\\\'" }),
    ],
    keeps: SUM,
  },
  {
    name: 'settings taken back, changed and added together',
    before: [t({ settings: { max_parts_in_total: 500, ttl_only_drop_parts: true, merge_with_ttl_timeout: 99 } })],
    after: [t({ settings: { ttl_only_drop_parts: false, merge_with_ttl_timeout: 99, min_rows_for_wide_part: 5 } })],
    keeps: SUM,
  },
  {
    name: 'a TTL by another column and its deletion',
    before: [t({ ttl: 'at + INTERVAL 50 YEAR' })],
    rows: ['INSERT INTO d.t (id, at) VALUES (1, now()), (2, now()), (3, now())'],
    after: [t({ columns: { id: 'UInt64', a: 'UInt32', b: 'String', ts: 'DateTime' }, ttl: undefined })],
    keeps: SUM,
  },
  {
    name: 'a TTL moved to a new column',
    before: [t({ ttl: 'at + INTERVAL 50 YEAR' })],
    rows: ['INSERT INTO d.t (id, at) VALUES (1, now()), (2, now()), (3, now())'],
    after: [
      t({
        columns: { id: 'UInt64', a: 'UInt32', b: 'String', ts: { type: 'DateTime', defaultExpression: 'now()' } },
        ttl: 'ts + INTERVAL 50 YEAR',
      }),
    ],
    keeps: SUM,
  },
  {
    name: 'a renamed column in the TTL of table and of another column',
    before: [
      t({
        ttl: 'at + INTERVAL 50 YEAR',
        columns: { ...COLUMNS, b: { type: 'String', ttl: 'at + INTERVAL 40 YEAR' } },
      }),
    ],
    rows: ["INSERT INTO d.t (id, b, at) VALUES (1, 'x', now()), (2, 'y', now()), (3, 'z', now())"],
    after: [
      t({
        columns: {
          id: 'UInt64',
          a: 'UInt32',
          b: { type: 'String', ttl: 'ts + INTERVAL 40 YEAR' },
          ts: { type: 'DateTime', renamedFrom: 'at' },
        },
        ttl: 'ts + INTERVAL 50 YEAR',
      }),
    ],
    keeps: SUM,
  },
  {
    name: 'a sampling key that comes and one that goes',
    before: [t({ name: 't2', columns: { id: 'UInt64' }, sampleBy: 'id' }), t()],
    after: [t({ name: 't2', columns: { id: 'UInt64' } }), t({ sampleBy: 'id' })],
    keeps: SUM,
  },
  {
    name: 'a dictionary whose source, layout and lifetime change',
    before: [t(), dict()],
    after: [
      t(),
      dict({
        source: "CLICKHOUSE(QUERY 'SELECT id, toUInt32(a + 1) AS a FROM d.t')",
        layout: 'HASHED()',
        lifetime: { min: 1, max: 5 },
      }),
    ],
    keeps: ["SELECT dictGet('d.dict', 'a', toUInt64(2))", '21'],
  },
  {
    name: 'a materialized view that writes a column that its target gets in the same edit',
    before: [t(), sink(), mv('SELECT id, a FROM d.t')],
    after: [t(), sink({ columns: { id: 'UInt64', a: 'UInt64', b: 'String' } }), mv('SELECT id, a, b FROM d.t')],
    keeps: ['SELECT count(), sum(a) FROM d.sink', '3\t60'],
  },
  {
    name: 'a column dropped from source, target and the view between them',
    before: [t(), sink(), mv('SELECT id, a FROM d.t')],
    after: [
      t({ columns: { id: 'UInt64', b: 'String', at: 'DateTime' } }),
      sink({ columns: { id: 'UInt64' } }),
      mv('SELECT id FROM d.t'),
    ],
    keeps: ['SELECT count() FROM d.sink', '3'],
  },
  {
    name: 'a function that a default calls, with another body',
    before: [
      { kind: 'sql_function', name: 'chkit_f', as: 'x -> x + 1' },
      t({ columns: { ...COLUMNS, n: { type: 'UInt64', defaultExpression: 'chkit_f(a)' } } }),
    ],
    after: [
      { kind: 'sql_function', name: 'chkit_f', as: 'x -> x + 2' },
      t({ columns: { ...COLUMNS, n: { type: 'UInt64', defaultExpression: 'chkit_f(a)' } } }),
    ],
    keeps: ['SELECT sum(n) FROM d.t', '63'],
  },
  {
    name: 'a table that moves to another database with its view, materialized view and dictionary',
    before: [t(), view('SELECT id FROM d.t'), sink(), mv('SELECT id, a FROM d.t'), dict()],
    after: [
      t({ database: 'd2', renamedFrom: 'd.t' }),
      view('SELECT id FROM d2.t'),
      sink(),
      mv('SELECT id, a FROM d2.t'),
      dict({ source: "CLICKHOUSE(TABLE 't' DB 'd2')" }),
    ],
    keeps: ["SELECT count(), sum(a), dictGet('d.dict', 'a', toUInt64(2)) FROM d2.t", '3\t60\t20'],
  },
  {
    name: 'everything moves to another database',
    before: [t(), view('SELECT id FROM d.t'), sink(), mv('SELECT id, a FROM d.t'), dict()],
    after: [
      t({ database: 'd2', renamedFrom: 'd.t' }),
      view('SELECT id FROM d2.t', { database: 'd2', renamedFrom: 'd.v' }),
      sink({ database: 'd2', renamedFrom: 'd.sink' }),
      mv('SELECT id, a FROM d2.t', { database: 'd2', renamedFrom: 'd.mv', to: 'd2.sink' }),
      dict({ database: 'd2', renamedFrom: 'd.dict', source: "CLICKHOUSE(TABLE 't' DB 'd2')" }),
    ],
    keeps: [
      "SELECT count(), (SELECT sum(a) FROM d2.sink), dictGet('d2.dict', 'a', toUInt64(2)) FROM d2.t",
      '3\t60\t20',
    ],
  },
  {
    name: 'a materialized view with an inner table that moves to another database',
    before: [t(), inner('SELECT id, a FROM d.t')],
    after: [t(), inner('SELECT id, a FROM d.t', { database: 'd2', renamedFrom: 'd.mv' })],
    refused: /keeps its rows in an inner table, and the server cannot move it to another database/,
  },
  {
    name: 'a materialized view that another view still reads under its old name',
    before: [t(), inner('SELECT id, a FROM d.t'), view('SELECT id FROM d.mv')],
    after: [t(), inner('SELECT id, a FROM d.t', { name: 'mv2', renamedFrom: 'd.mv' }), view('SELECT id FROM d.mv')],
    refused: /d\.mv cannot go away: d\.v still reads it/,
  },
  {
    name: 'a view that selects everything of another one, which gets another query',
    before: [t(), view('SELECT id, a FROM d.t'), view('SELECT * FROM d.v', { name: 'w' })],
    after: [t(), view('SELECT id, b AS text FROM d.t'), view('SELECT * FROM d.v', { name: 'w' })],
    keeps: ['SELECT groupArray(text) FROM (SELECT text FROM d.w ORDER BY id)', "['x','y','z']"],
  },
  {
    name: 'a view over a view that becomes a table',
    before: [t(), view('SELECT id, a FROM d.t'), view('SELECT * FROM d.v', { name: 'w' })],
    after: [t(), t({ name: 'v', columns: { id: 'UInt64', n: 'Date' } }), view('SELECT * FROM d.v', { name: 'w' })],
    keeps: ['SELECT any(toTypeName(n)), count() FROM d.w', '\t0'],
  },
  {
    name: 'a dropped dictionary that a default still reads',
    before: [
      t(),
      dict(),
      t({ name: 'x', columns: { ...COLUMNS, n: { type: 'UInt32', alias: "dictGet('d.dict', 'a', id)" } } }),
    ],
    after: [t(), t({ name: 'x', columns: { ...COLUMNS, n: { type: 'UInt32', alias: "dictGet('d.dict', 'a', id)" } } })],
    refused: /d\.dict cannot go away: d\.x still reads it/,
  },
  {
    name: 'a dropped dictionary with the column that read it',
    before: [
      t(),
      dict(),
      t({ name: 'x', columns: { ...COLUMNS, n: { type: 'UInt32', alias: "dictGet('d.dict', 'a', id)" } } }),
    ],
    after: [t(), t({ name: 'x' })],
    keeps: SUM,
  },
  {
    name: 'a view that a dictionary reads, under another name',
    before: [t(), view('SELECT id, a FROM d.t'), dict({ source: "CLICKHOUSE(TABLE 'v' DB 'd')" })],
    after: [
      t(),
      view('SELECT id, a FROM d.t', { name: 'w', renamedFrom: 'd.v' }),
      dict({ source: "CLICKHOUSE(TABLE 'w' DB 'd')" }),
    ],
    keeps: ["SELECT dictGet('d.dict', 'a', toUInt64(2))", '20'],
  },
  {
    name: 'a view that becomes a table under the dictionary that reads it',
    before: [t(), view('SELECT id, a FROM d.t'), dict({ source: "CLICKHOUSE(TABLE 'v' DB 'd')" })],
    after: [t(), t({ name: 'v' }), dict({ source: "CLICKHOUSE(TABLE 'v' DB 'd')" })],
    keeps: SUM,
  },
  {
    name: 'a Join table that a default reads, under another name',
    before: [
      t(),
      t({ name: 'j', engine: 'Join(ANY, LEFT, id)', orderBy: undefined }),
      t({ name: 'x', columns: { ...COLUMNS, n: { type: 'UInt32', alias: "joinGet('d.j', 'a', id)" } } }),
    ],
    after: [
      t(),
      t({ name: 'k', engine: 'Join(ANY, LEFT, id)', orderBy: undefined, renamedFrom: 'd.j' }),
      t({ name: 'x', columns: { ...COLUMNS, n: { type: 'UInt32', alias: "joinGet('d.k', 'a', id)" } } }),
    ],
    keeps: SUM,
  },
  {
    name: 'an EPHEMERAL column without an expression in the middle, and one that moves to the front',
    before: [t({ columns: { ...COLUMNS, e: { type: 'String', ephemeral: true } } })],
    after: [
      t({
        columns: {
          e: { type: 'UInt64', ephemeral: true },
          id: 'UInt64',
          f: { type: 'String', ephemeral: true },
          a: 'UInt32',
          b: 'String',
          at: 'DateTime',
        },
      }),
    ],
    keeps: SUM,
  },
  {
    name: 'a column that becomes EPHEMERAL under a projection that reads it',
    before: [t({ projections: [{ name: 'p', query: 'WITH toString(a) AS x SELECT x, count() GROUP BY x' }] })],
    after: [
      withA(
        { type: 'UInt32', ephemeral: true },
        { projections: [{ name: 'p', query: 'WITH toString(a) AS x SELECT x, count() GROUP BY x' }] },
      ),
    ],
    refused: /cannot be EPHEMERAL: a projection reads it/,
  },
  {
    name: 'a sorting key with a descending entry that gets a column more',
    before: [t({ orderBy: ['id', 'at DESC'], primaryKey: 'id' })],
    after: [t({ columns: { ...COLUMNS, s: 'UInt8' }, orderBy: ['id', 'at DESC', 's'], primaryKey: 'id' })],
    refused: /a descending entry can only be part of a CREATE/,
  },
  {
    name: 'a Variant that loses a type',
    before: [t({ columns: { ...COLUMNS, u: 'Variant(Date, String, UInt64)' } })],
    after: [t({ columns: { ...COLUMNS, u: 'Variant(String, UInt64)' } })],
    refused: /cannot convert column u/,
  },
  {
    name: 'a column added under a view that selects everything into an inner table',
    before: [t(), inner('SELECT * FROM d.t')],
    after: [t({ columns: { ...COLUMNS, n: 'UInt8' } }), inner('SELECT * FROM d.t')],
    keeps: ['SELECT count() FROM d.mv', '3'],
  },
  {
    name: 'a dictionary that moves while the column that read it goes',
    before: [
      t({ columns: { ...COLUMNS, n: { type: 'UInt32', alias: "dictGet('d.dict', 'a', id)" } } }),
      t({ name: 'src' }),
      dict({ source: "CLICKHOUSE(TABLE 'src' DB 'd')" }),
    ],
    after: [
      t(),
      t({ name: 'src' }),
      dict({ database: 'd2', source: "CLICKHOUSE(TABLE 'src' DB 'd')", renamedFrom: 'd.dict' }),
    ],
    keeps: SUM,
  },
  {
    name: 'a table with a dot in its name under a dictionary, which gets another name',
    before: [t(), t({ name: 'a.b' }), dict({ source: "CLICKHOUSE(TABLE 'a.b' DB 'd')" })],
    after: [
      t(),
      t({ name: 'c.d', renamedFrom: { database: 'd', name: 'a.b' } }),
      dict({ source: "CLICKHOUSE(TABLE 'c.d' DB 'd')" }),
    ],
    keeps: SUM,
  },
  {
    name: 'a view whose column loses its comment with the list that held it',
    before: [t(), view('SELECT id FROM d.t', { columns: [{ name: 'id', type: 'UInt64', comment: "it's" }] })],
    after: [t(), view('SELECT id FROM d.t')],
    keeps: SUM,
  },
  {
    name: 'two tables that swap their names',
    before: [t(), t({ name: 'u', columns: { id: 'UInt64' } })],
    after: [t({ name: 'u', renamedFrom: 'd.t' }), t({ columns: { id: 'UInt64' }, renamedFrom: 'd.u' })],
    refused: /chained or cyclic table rename/,
  },
  {
    name: 'two columns that swap their names',
    before: [t({ columns: { id: 'UInt64', a: 'String', b: 'String', at: 'DateTime' } })],
    rows: ["INSERT INTO d.t (id, a, b) VALUES (1, 'a', 'b')"],
    after: [
      t({
        columns: {
          id: 'UInt64',
          b: { type: 'String', renamedFrom: 'a' },
          a: { type: 'String', renamedFrom: 'b' },
          at: 'DateTime',
        },
      }),
    ],
    refused: /chained or cyclic column rename/,
  },
  {
    name: 'a chain of column names',
    before: [t({ columns: { id: 'UInt64', a: 'String', b: 'String', at: 'DateTime' } })],
    rows: ["INSERT INTO d.t (id, a, b) VALUES (1, 'a', 'b')"],
    after: [
      t({
        columns: {
          id: 'UInt64',
          b: { type: 'String', renamedFrom: 'a' },
          c: { type: 'String', renamedFrom: 'b' },
          at: 'DateTime',
        },
      }),
    ],
    refused: /chained or cyclic column rename/,
  },
  {
    name: 'a column renamed over another one that goes',
    before: [t({ columns: { id: 'UInt64', a: 'String', b: 'String', at: 'DateTime' } })],
    rows: ["INSERT INTO d.t (id, a, b) VALUES (1, 'a', 'b')"],
    after: [t({ columns: { id: 'UInt64', b: { type: 'String', renamedFrom: 'a' }, at: 'DateTime' } })],
    refused: /which exists already/,
  },
  {
    name: 'a table renamed over another one that goes',
    before: [t(), t({ name: 'u', columns: { id: 'UInt64' } })],
    after: [t({ name: 'u', renamedFrom: 'd.t' })],
    refused: /which exists already/,
  },
  {
    name: 'names that differ only in case',
    before: [t()],
    after: [
      t({
        name: 'T',
        renamedFrom: 'd.t',
        columns: {
          id: 'UInt64',
          A: { type: 'UInt32', renamedFrom: 'a' },
          b: 'String',
          At: { type: 'DateTime', renamedFrom: 'at' },
        },
      }),
    ],
    keeps: ['SELECT sum(A) FROM d.T', '60'],
  },
  {
    name: 'a table renamed while its old name goes to a view',
    before: [t()],
    after: [t({ name: 'raw', renamedFrom: 'd.t' }), view('SELECT id, a FROM d.raw', { name: 't' })],
    refused: /"d\.t" is still declared beside/,
  },
  {
    name: 'a table renamed while its old name goes to a new table',
    before: [t()],
    after: [t({ name: 'old', renamedFrom: 'd.t' }), t({ columns: { id: 'UInt64' } })],
    refused: /"d\.t" is still declared beside/,
  },
  {
    name: 'a column that takes the name of a renamed one',
    before: [t()],
    after: [
      t({
        columns: {
          id: 'UInt64',
          a: 'String',
          old_a: { type: 'UInt32', renamedFrom: 'a' },
          b: 'String',
          at: 'DateTime',
        },
      }),
    ],
    refused: /"d\.t\.a" is still declared beside/,
  },
  {
    name: 'a view that becomes a table and a table that becomes a view, each by the name of the other',
    before: [t(), view('SELECT id FROM d.t')],
    after: [t({ name: 'v' }), view('SELECT id FROM d.v', { name: 't' })],
    keeps: ['SELECT count() FROM d.t', '0'],
  },
  {
    name: 'a materialized view that becomes refreshable',
    before: [t(), sink(), mv('SELECT id, a FROM d.t')],
    after: [t(), sink(), mv('SELECT id, a FROM d.t', { refresh: { every: '1 YEAR', append: true } })],
    keeps: SUM,
  },
  {
    name: 'tables over a table that gets a column',
    before: [
      t(),
      t({ name: 'over', engine: "Merge('d', '^t$')", orderBy: undefined }),
      t({ name: 'buf', engine: "Buffer('d', 't', 1, 1, 1, 1, 1, 1, 1)", orderBy: undefined }),
    ],
    after: (['t', 'over', 'buf'] as const).map((name) =>
      t({
        name,
        columns: { ...COLUMNS, n: 'UInt8' },
        ...(name === 'over' && { engine: "Merge('d', '^t$')", orderBy: undefined }),
        ...(name === 'buf' && { engine: "Buffer('d', 't', 1, 1, 1, 1, 1, 1, 1)", orderBy: undefined }),
      }),
    ),
    keeps: ['SELECT count(), sum(n) FROM d.over', '3\t0'],
  },
  {
    name: 'tables over a table that is renamed',
    before: [t(), t({ name: 'buf', engine: "Buffer('d', 't', 1, 1, 1, 1, 1, 1, 1)", orderBy: undefined })],
    after: [
      t({ name: 'n', renamedFrom: 'd.t' }),
      t({ name: 'buf', engine: "Buffer('d', 'n', 1, 1, 1, 1, 1, 1, 1)", orderBy: undefined }),
    ],
    refused: /engine of d\.buf changes/,
  },
  {
    name: 'a chain of materialized views whose key column takes a wider type',
    before: [
      t(),
      sink(),
      mv('SELECT id, a FROM d.t'),
      t({ name: 'total', engine: 'SummingMergeTree', columns: { id: 'UInt64', a: 'UInt64' } }),
      mv('SELECT id, sum(a) AS a FROM d.sink GROUP BY id', { name: 'mv2', to: 'd.total' }),
    ],
    after: [
      withA('UInt64'),
      sink({ columns: { id: 'UInt64', a: 'UInt128' } }),
      mv('SELECT id, a FROM d.t'),
      t({ name: 'total', engine: 'SummingMergeTree', columns: { id: 'UInt64', a: 'UInt256' } }),
      mv('SELECT id, sum(a) AS a FROM d.sink GROUP BY id', { name: 'mv2', to: 'd.total' }),
    ],
    keeps: ['SELECT sum(a), (SELECT sum(a) FROM d.sink), (SELECT sum(a) FROM d.total) FROM d.t', '60\t60\t60'],
  },
  {
    name: 'views over views over a renamed column',
    before: [t(), view('SELECT id, a FROM d.t'), view('SELECT id, a + 1 AS b FROM d.v', { name: 'w' })],
    after: [
      t({ columns: { id: 'UInt64', z: { type: 'UInt32', renamedFrom: 'a' }, b: 'String', at: 'DateTime' } }),
      view('SELECT id, z AS a FROM d.t'),
      view('SELECT id, a + 1 AS b FROM d.v', { name: 'w' }),
    ],
    keeps: ['SELECT sum(b) FROM d.w', '63'],
  },
  {
    name: 'a renamed column under a materialized view that selects everything',
    before: [t({ columns: { id: 'UInt64', a: 'UInt64' } }), sink(), mv('SELECT * FROM d.t')],
    rows: ['INSERT INTO d.t VALUES (1, 10)'],
    after: [
      t({ columns: { id: 'UInt64', z: { type: 'UInt64', renamedFrom: 'a' } } }),
      sink({ columns: { id: 'UInt64', z: { type: 'UInt64', renamedFrom: 'a' } } }),
      mv('SELECT * FROM d.t'),
    ],
    keeps: ['SELECT sum(z), (SELECT sum(z) FROM d.sink) FROM d.t', '10\t10'],
  },
  {
    name: 'a materialized column and an alias that read a renamed one',
    before: [
      t({
        columns: { ...COLUMNS, m: { type: 'UInt64', materialized: 'a * 2' }, n: { type: 'UInt64', alias: 'm + a' } },
      }),
    ],
    after: [
      t({
        columns: {
          id: 'UInt64',
          z: { type: 'UInt32', renamedFrom: 'a' },
          b: 'String',
          at: 'DateTime',
          k: { type: 'UInt64', materialized: 'z * 2', renamedFrom: 'm' },
          n: { type: 'UInt64', alias: 'k + z' },
        },
      }),
    ],
    keeps: ['SELECT sum(n), sum(k) FROM d.t', '180\t120'],
  },
  {
    name: 'a type, a default, a codec, a comment, statistics and an index of one column together',
    before: [
      withA(
        { type: 'UInt32', codec: 'LZ4', statistics: 'tdigest', comment: 'old', ttl: 'at + INTERVAL 50 YEAR' },
        {
          indexes: [{ name: 'i', expression: 'a', type: 'minmax' }],
        },
      ),
    ],
    rows: ['INSERT INTO d.t (id, a, at) VALUES (1, 10, now()), (2, 20, now()), (3, 30, now())'],
    after: [
      withA(
        {
          type: 'UInt64',
          codec: 'Delta, ZSTD(2)',
          statistics: ['tdigest', 'uniq'],
          comment: "it's",
          defaultExpression: 'id',
        },
        {
          indexes: [{ name: 'i', expression: 'a * 2', type: 'set(10)', granularity: 2 }],
        },
      ),
    ],
    keeps: ['SELECT sum(a) FROM d.t WHERE a > 10', '50'],
  },
  {
    name: 'a sorting key that shrinks and loses its column',
    before: [t({ columns: { ...COLUMNS, s: 'UInt8' }, orderBy: ['id', 's'], primaryKey: 'id' })],
    after: [t()],
    keeps: SUM,
  },
  {
    name: 'a primary key that is another part of the sorting key',
    before: [t({ orderBy: ['id', 'a'], primaryKey: 'id' })],
    after: [t({ orderBy: ['id', 'a'], primaryKey: ['id', 'a'] })],
    refused: /primary key of d\.t changes/,
  },
  {
    name: 'flattened nested columns that come, change and go',
    before: [t({ columns: [...LIST, { name: 'n', type: 'Nested(x UInt8, y String)' }] })],
    after: [t({ columns: [...LIST, { name: 'n', type: 'Nested(x UInt16, z Date)' }] })],
    keeps: SUM,
  },
  {
    name: 'a column that leaves its nest by a rename',
    before: [t({ columns: [...LIST, { name: 'n.x', type: 'Array(UInt8)' }] })],
    after: [t({ columns: [...LIST, { name: 'x', type: 'Array(UInt8)', renamedFrom: 'n.x' }] })],
    refused: /keeps what stands before the dot/,
  },
  {
    name: 'a dictionary that a default reads, renamed and changed',
    before: [
      t({ name: 'src', columns: { id: 'UInt64', a: 'UInt32' } }),
      dict({ source: "CLICKHOUSE(TABLE 'src' DB 'd')" }),
      t({
        columns: { ...COLUMNS, n: { type: 'UInt32', defaultExpression: "dictGetOrDefault('d.dict', 'a', id, 5)" } },
      }),
    ],
    after: [
      t({ name: 'src', columns: { id: 'UInt64', a: 'UInt32' } }),
      dict({ name: 'dict2', renamedFrom: 'd.dict', source: "CLICKHOUSE(TABLE 'src' DB 'd')", layout: 'HASHED()' }),
      t({
        columns: { ...COLUMNS, n: { type: 'UInt32', defaultExpression: "dictGetOrDefault('d.dict2', 'a', id, 5)" } },
      }),
    ],
    keeps: ['SELECT sum(n) FROM d.t', '15'],
  },
  {
    name: 'a function that gets another name, with the default that calls it',
    before: [
      { kind: 'sql_function', name: 'chkit_f', as: 'x -> x + 1' },
      t({ columns: { ...COLUMNS, n: { type: 'UInt64', materialized: 'chkit_f(a)' } } }),
    ],
    after: [
      { kind: 'sql_function', name: 'chkit_g', as: 'x -> x + 1' },
      t({ columns: { ...COLUMNS, n: { type: 'UInt64', materialized: 'chkit_g(a)' } } }),
    ],
    keeps: ['SELECT sum(n) FROM d.t', '63'],
  },
  {
    name: 'a materialized view that keeps its rows itself, with another query between the same columns and a comment',
    before: [t(), inner('SELECT id, a FROM d.t')],
    after: [t(), inner('SELECT id, a FROM d.t WHERE id > 1', { comment: "it's" })],
    keeps: ['SELECT count() FROM d.mv', '3'],
  },
  {
    name: 'a materialized view that keeps its rows itself, with one column more',
    before: [t(), inner('SELECT id FROM d.t')],
    after: [t(), inner('SELECT id, a FROM d.t')],
    refused: /keeps its rows in an inner table, and its query cannot change in place/,
  },
  {
    name: 'a materialized view that keeps its rows itself, with a TTL and an index more',
    before: [t(), inner('SELECT id, at FROM d.t')],
    after: [t(), inner('SELECT id, at FROM d.t', { ttl: 'at + INTERVAL 50 YEAR' })],
    refused: /keeps its rows in an inner table, and its inner table cannot change in place/,
  },
  {
    name: 'a materialized view that moves to a target table',
    before: [t(), inner('SELECT id, a FROM d.t')],
    after: [t(), sink(), mv('SELECT id, a FROM d.t')],
    refused: /keeps its rows in an inner table/,
  },
  {
    name: 'a renamed materialized view with an inner table, whose source is renamed too',
    before: [t(), inner('SELECT id, a FROM d.t')],
    after: [t({ name: 'u', renamedFrom: 'd.t' }), inner('SELECT id, a FROM d.u', { name: 'mv2', renamedFrom: 'd.mv' })],
    keeps: ['SELECT count() FROM d.mv2', '3'],
  },
  {
    name: 'Memory and Log tables that get columns',
    before: [
      t({ engine: 'Memory', orderBy: undefined }),
      t({ name: 'l', engine: 'Log', orderBy: undefined, columns: { id: 'UInt64' } }),
    ],
    after: [
      t({ engine: 'Memory', orderBy: undefined, columns: { ...COLUMNS, n: 'UInt8' } }),
      t({ name: 'l', engine: 'Log', orderBy: undefined, columns: { id: 'UInt64' }, comment: 'x' }),
    ],
    keeps: SUM,
  },
  {
    name: 'an index, a projection and a constraint under other names',
    before: [
      t({
        indexes: [
          { name: 'i', expression: 'a', type: 'minmax' },
          { name: 'j', expression: 'b', type: 'bloom_filter' },
        ],
        projections: [{ name: 'p', query: 'SELECT id ORDER BY a' }],
        constraints: [{ name: 'k', check: 'a < 100' }],
      }),
    ],
    after: [
      t({
        indexes: [
          { name: 'j', expression: 'b', type: 'bloom_filter' },
          { name: 'i2', expression: 'a', type: 'minmax' },
        ],
        projections: [{ name: 'p2', query: 'SELECT id ORDER BY a' }],
        constraints: [{ name: 'k2', check: 'a < 100' }],
      }),
    ],
    keeps: ['SELECT sum(a) FROM d.t WHERE a > 10', '50'],
  },
  {
    name: 'a refreshable view that follows another one',
    before: [
      t(),
      sink(),
      mv('SELECT id, a FROM d.t', { refresh: { every: '1 YEAR', append: true } }),
      mv('SELECT id, a FROM d.sink', { name: 'mv2', refresh: { every: '1 YEAR', append: true } }),
    ],
    after: [
      t(),
      sink(),
      mv('SELECT id, a FROM d.t', { refresh: { every: '2 YEAR', append: true } }),
      mv('SELECT id, a FROM d.sink', {
        name: 'mv2',
        refresh: { every: '2 YEAR', dependsOn: 'd.mv', randomize: '1 HOUR', append: true },
      }),
    ],
    keeps: SUM,
  },
  {
    name: 'a version column that takes a wider type, and one that takes a narrower one',
    before: [t({ engine: 'ReplacingMergeTree(a)' }), t({ name: 'u', engine: 'ReplacingMergeTree(a)' })],
    after: [
      withA('UInt64', { engine: 'ReplacingMergeTree(a)' }),
      withA('UInt8', { engine: 'ReplacingMergeTree(a)', name: 'u' }),
    ],
    refused: /Column a of d\.u cannot change its type/,
  },
  {
    name: 'a column of a dropped table with its materialized view, while the target stays',
    before: [t(), sink(), mv('SELECT id, a FROM d.t')],
    after: [sink()],
    keeps: ['SELECT count() FROM d.sink', '3'],
  },
  {
    name: 'everything is dropped but what is new',
    before: [
      t(),
      sink(),
      mv('SELECT id, a FROM d.t'),
      view('SELECT * FROM d.t'),
      dict(),
      inner('SELECT id FROM d.t', { name: 'own' }),
    ],
    after: [t({ name: 'rest', columns: { id: 'UInt64' } })],
    keeps: ["SELECT count() FROM system.tables WHERE database = 'd'", '1'],
  },
]
