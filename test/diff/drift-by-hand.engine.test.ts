import { afterAll, beforeAll, expect, it } from 'vitest'
import { findDrift } from '../../src/diff/drift.js'
import { canonicalise, definitionFromStatement } from '../../src/model/canonical.js'
import { type Definition, isDatabaseObject } from '../../src/model/definition.js'
import {
  type Declaration,
  dictionary,
  materializedView,
  sqlFunction,
  type TableInput,
  table,
  view,
} from '../../src/model/dsl.js'
import { renderCreate } from '../../src/render/create.js'
import { type ChdbSession, openSession } from '../support/chdb-session.js'

/** Somebody changes one attribute of one object on the server: drift says which. */

let engine: ChdbSession
const query = (sql: string): string => engine.query(sql)

beforeAll(() => {
  engine = openSession()
  for (const name of ['allow_statistics', 'allow_experimental_statistics', 'allow_suspicious_codecs'])
    query(`SET ${name} = 1`)
  query('CREATE DATABASE am')
  query('USE am')
  query('CREATE TABLE src (id UInt32, k String, ts DateTime) ENGINE = MergeTree ORDER BY id')
  query('CREATE TABLE dst (id UInt32, k String) ENGINE = MergeTree ORDER BY id')
  query('CREATE TABLE dst2 (id UInt32, k String) ENGINE = MergeTree ORDER BY id')
})

afterAll(() => engine.close())

const TABLE: TableInput = {
  database: 'am',
  name: 't',
  engine: 'ReplacingMergeTree(ts)',
  partitionBy: 'toYYYYMM(ts)',
  orderBy: ['id', 'intHash32(b)'],
  primaryKey: 'id',
  ttl: ['ts + INTERVAL 1 YEAR', "ts + INTERVAL 1 DAY TO VOLUME 'default'"],
  settings: { merge_with_ttl_timeout: 3600, ttl_only_drop_parts: true, deduplicate_merge_projection_mode: 'drop' },
  comment: 'all',
  columns: [
    { name: 'id', type: 'UInt32' },
    { name: 'a', type: 'UInt32', default: 1, comment: 'of a', codec: 'Delta, ZSTD(3)' },
    { name: 'b', type: 'UInt32' },
    { name: 'ts', type: 'DateTime' },
    { name: 's', type: 'String', ttl: 'ts + INTERVAL 1 DAY', settings: { max_compress_block_size: 1000 } },
    { name: 'm', type: 'UInt32', materialized: 'a + 1' },
    { name: 'al', type: 'UInt32', alias: 'a + 2' },
    { name: 'ep', type: 'String', ephemeral: "'x'" },
    { name: 'e', type: "Enum8('a' = 1, 'b' = 2)" },
    { name: 'st', type: 'UInt32', statistics: ['tdigest'] },
    { name: 'arr', type: 'Array(Float32)' },
  ],
  indexes: [
    { name: 'i', expression: 'a', type: 'minmax' },
    { name: 'bf', expression: 's', type: 'bloom_filter', typeArgs: 0.01, granularity: 2 },
    { name: 'tx', expression: 's', type: "text(tokenizer = 'splitByNonAlpha')" },
  ],
  projections: [
    { name: 'p', query: 'SELECT a, id ORDER BY a', settings: { index_granularity: 100 } },
    { name: 'pi', index: 'b', type: 'basic' },
  ],
  constraints: [
    { name: 'c', check: 'a > 0' },
    { name: 'u', assume: 'a < 100' },
  ],
}

type ByHand = readonly [statement: string, reason: string, named: string]

/** What is done to the table, the reason code and the text in the report that names the attribute. */
const OF_A_TABLE: readonly ByHand[] = [
  ['ADD COLUMN z UInt8', 'extra_column', 'z'],
  ['DROP COLUMN arr', 'missing_column', 'arr'],
  ['MODIFY COLUMN b UInt32 AFTER id', 'changed_column', 'position'],
  ['MODIFY COLUMN arr Array(Float64)', 'changed_column', 'type'],
  ["MODIFY COLUMN e Enum8('a' = 1, 'b' = 2, 'c' = 3)", 'changed_column', 'type'],
  ['MODIFY COLUMN a DEFAULT 2', 'changed_column', 'default'],
  ['MODIFY COLUMN a REMOVE DEFAULT', 'changed_column', 'default'],
  ['MODIFY COLUMN b DEFAULT 0', 'changed_column', 'default'],
  ['MODIFY COLUMN m MATERIALIZED a + 2', 'changed_column', 'default'],
  ['MODIFY COLUMN m REMOVE MATERIALIZED', 'changed_column', 'default'],
  ['MODIFY COLUMN m DEFAULT a + 1', 'changed_column', 'default'],
  ['MODIFY COLUMN al ALIAS a + 3', 'changed_column', 'default'],
  ["MODIFY COLUMN ep EPHEMERAL 'y'", 'changed_column', 'default'],
  ["COMMENT COLUMN a 'other'", 'changed_column', 'comment'],
  ["COMMENT COLUMN a ''", 'changed_column', 'comment'],
  ["COMMENT COLUMN b 'new'", 'changed_column', 'comment'],
  ['MODIFY COLUMN a CODEC(Delta, ZSTD(4))', 'changed_column', 'codec'],
  ['MODIFY COLUMN a CODEC(ZSTD(3))', 'changed_column', 'codec'],
  ['MODIFY COLUMN a REMOVE CODEC', 'changed_column', 'codec'],
  ['MODIFY COLUMN b CODEC(NONE)', 'changed_column', 'codec'],
  ['MODIFY COLUMN s TTL ts + INTERVAL 2 DAY', 'changed_column', 'ttl'],
  ['MODIFY COLUMN s REMOVE TTL', 'changed_column', 'ttl'],
  ['MODIFY COLUMN s MODIFY SETTING max_compress_block_size = 2000', 'changed_column', 'settings'],
  ['MODIFY COLUMN s MODIFY SETTING min_compress_block_size = 10', 'changed_column', 'settings'],
  ['MODIFY COLUMN s RESET SETTING max_compress_block_size', 'changed_column', 'settings'],
  ['MODIFY STATISTICS st TYPE tdigest, uniq', 'changed_column', 'statistics'],
  ['DROP STATISTICS st', 'changed_column', 'statistics'],
  ['ADD STATISTICS b TYPE uniq', 'changed_column', 'statistics'],
  ['RENAME COLUMN arr TO arr2', 'extra_column', 'arr2'],
  ['MODIFY SETTING merge_with_ttl_timeout = 60', 'setting_mismatch', 'merge_with_ttl_timeout'],
  ['RESET SETTING merge_with_ttl_timeout', 'setting_mismatch', 'merge_with_ttl_timeout'],
  ['MODIFY SETTING ttl_only_drop_parts = 0', 'setting_mismatch', 'ttl_only_drop_parts'],
  ["MODIFY SETTING deduplicate_merge_projection_mode = 'rebuild'", 'setting_mismatch', 'deduplicate_merge_projection'],
  ['MODIFY SETTING max_parts_in_total = 5', 'setting_mismatch', 'max_parts_in_total'],
  ['DROP INDEX i', 'index_mismatch', 'i'],
  ['ADD INDEX j b TYPE minmax', 'index_mismatch', 'j'],
  ['DROP INDEX i, ADD INDEX i b TYPE minmax', 'index_mismatch', 'i'],
  ['DROP INDEX i, ADD INDEX i a TYPE set(0)', 'index_mismatch', 'i'],
  ['DROP INDEX i, ADD INDEX i a TYPE minmax GRANULARITY 2', 'index_mismatch', 'i'],
  ['DROP INDEX bf, ADD INDEX bf s TYPE bloom_filter(0.02) GRANULARITY 2', 'index_mismatch', 'bf'],
  ['DROP INDEX bf, ADD INDEX bf s TYPE bloom_filter GRANULARITY 2', 'index_mismatch', 'bf'],
  ["DROP INDEX tx, ADD INDEX tx s TYPE text(tokenizer = 'array')", 'index_mismatch', 'tx'],
  [
    "DROP INDEX tx, ADD INDEX tx s TYPE text(tokenizer = 'splitByNonAlpha', preprocessor = lower(s))",
    'index_mismatch',
    'tx',
  ],
  ['DROP PROJECTION p', 'projection_mismatch', 'p'],
  ['ADD PROJECTION q (SELECT b ORDER BY b)', 'projection_mismatch', 'q'],
  [
    'DROP PROJECTION p, ADD PROJECTION p (SELECT id, a ORDER BY a) WITH SETTINGS (index_granularity = 100)',
    'projection_mismatch',
    'p',
  ],
  [
    'DROP PROJECTION p, ADD PROJECTION p (SELECT a, id ORDER BY a) WITH SETTINGS (index_granularity = 200)',
    'projection_mismatch',
    'p',
  ],
  ['DROP PROJECTION p, ADD PROJECTION p (SELECT a, id ORDER BY a)', 'projection_mismatch', 'p'],
  ['DROP PROJECTION pi, ADD PROJECTION pi INDEX a TYPE basic', 'projection_mismatch', 'pi'],
  ['DROP CONSTRAINT c', 'constraint_mismatch', 'c'],
  ['ADD CONSTRAINT d CHECK b > 0', 'constraint_mismatch', 'd'],
  ['DROP CONSTRAINT c, ADD CONSTRAINT c CHECK a >= 0', 'constraint_mismatch', 'c'],
  ['DROP CONSTRAINT u, ADD CONSTRAINT u CHECK a < 100', 'constraint_mismatch', 'u'],
  ['MODIFY TTL ts + INTERVAL 1 YEAR', 'ttl_mismatch', 'TTL'],
  ["MODIFY TTL ts + INTERVAL 2 YEAR, ts + INTERVAL 1 DAY TO VOLUME 'default'", 'ttl_mismatch', 'TTL'],
  ["MODIFY TTL ts + INTERVAL 1 YEAR WHERE a > 1, ts + INTERVAL 1 DAY TO VOLUME 'default'", 'ttl_mismatch', 'TTL'],
  ["MODIFY TTL ts + INTERVAL 1 YEAR, ts + INTERVAL 1 DAY TO DISK 'default'", 'ttl_mismatch', 'TTL'],
  ['REMOVE TTL', 'ttl_mismatch', 'TTL'],
  ["MODIFY COMMENT 'other'", 'comment_mismatch', 'COMMENT'],
  ["MODIFY COMMENT ''", 'comment_mismatch', 'COMMENT'],
  ['ADD COLUMN k2 UInt8, MODIFY ORDER BY (id, intHash32(b), k2)', 'order_by_mismatch', 'ORDER BY'],
  ['MODIFY ORDER BY id', 'order_by_mismatch', 'ORDER BY'],
]

/** Attributes that no ALTER reaches: the table was made again. */
const MADE_AGAIN: readonly (readonly [name: string, other: Partial<TableInput>, reason: string])[] = [
  ['another engine', { engine: 'MergeTree' }, 'engine_mismatch'],
  ['another version column', { engine: 'ReplacingMergeTree' }, 'engine_mismatch'],
  ['another partition key', { partitionBy: 'toYYYYMMDD(ts)' }, 'partition_by_mismatch'],
  ['no partition key', { partitionBy: undefined }, 'partition_by_mismatch'],
  ['another sorting key', { orderBy: ['id', 'b'] }, 'order_by_mismatch'],
  ['the whole sorting key as primary key', { primaryKey: undefined }, 'primary_key_mismatch'],
  ['a sampling key', { primaryKey: ['id', 'intHash32(b)'], sampleBy: 'intHash32(b)' }, 'sample_by_mismatch'],
  ['another granularity', { settings: { ...TABLE.settings, index_granularity: 100 } }, 'setting_mismatch'],
]

const VIEW = { database: 'am', name: 'v', as: 'SELECT id, k FROM src', comment: 'c' } as const
const TO_TARGET = { ...VIEW, to: 'dst' } as const
const INNER = { ...VIEW, engine: 'MergeTree', orderBy: 'id', settings: { merge_with_ttl_timeout: 60 } } as const
const REFRESHED = {
  ...TO_TARGET,
  refresh: { every: '1 DAY', offset: '2 HOUR', randomize: '1 HOUR', append: true, settings: { refresh_retries: 3 } },
} as const
const DICTIONARY = {
  database: 'am',
  name: 'd',
  attributes: { id: 'UInt64', k: { type: 'String', default: 'x' }, p: { type: 'UInt64', hierarchical: true } },
  primaryKey: 'id',
  source: "CLICKHOUSE(TABLE 'src' DB 'am')",
  layout: 'HASHED()',
  lifetime: { min: 1, max: 300 },
  comment: 'c',
} as const
const head = "CREATE OR REPLACE DICTIONARY d (id UInt64, k String DEFAULT 'x', p UInt64 HIERARCHICAL) PRIMARY KEY id"

/** Other objects, and what is done to them. */
const OF_OTHERS: readonly (readonly [name: string, declaration: Declaration, statement: string])[] = [
  ['the query of a view', view(VIEW), "CREATE OR REPLACE VIEW v AS SELECT id FROM src COMMENT 'c'"],
  ['the filter of a view', view(VIEW), "CREATE OR REPLACE VIEW v AS SELECT id, k FROM src WHERE id > 1 COMMENT 'c'"],
  ['the comment of a view', view(VIEW), "ALTER TABLE v MODIFY COMMENT 'd'"],
  ['no comment of a view', view(VIEW), "ALTER TABLE v MODIFY COMMENT ''"],
  ['the definer of a view', view(VIEW), 'ALTER TABLE v MODIFY SQL SECURITY DEFINER DEFINER = default'],
  [
    'the declared security of a view',
    view({ ...VIEW, sqlSecurity: 'DEFINER', definer: 'CURRENT_USER' }),
    'ALTER TABLE v MODIFY SQL SECURITY INVOKER',
  ],
  [
    'the declared columns of a view',
    view({ ...VIEW, columns: { id: 'UInt32', k: 'String' } }),
    "CREATE OR REPLACE VIEW v (id UInt64, k String) AS SELECT id, k FROM src COMMENT 'c'",
  ],
  [
    'the query of a materialized view',
    materializedView(TO_TARGET),
    'ALTER TABLE v MODIFY QUERY SELECT 1::UInt32 AS id, k FROM src',
  ],
  ['the comment of a materialized view', materializedView(TO_TARGET), "ALTER TABLE v MODIFY COMMENT 'd'"],
  [
    'the target of a materialized view',
    materializedView(TO_TARGET),
    "DROP VIEW v; CREATE MATERIALIZED VIEW v TO dst2 AS SELECT id, k FROM src COMMENT 'c'",
  ],
  [
    'a target instead of an inner table',
    materializedView(INNER),
    "DROP VIEW v SYNC; CREATE MATERIALIZED VIEW v TO dst2 AS SELECT id, k FROM src COMMENT 'c'",
  ],
  ...[
    ['the engine of an inner table', 'ReplacingMergeTree ORDER BY id SETTINGS merge_with_ttl_timeout = 60'],
    ['the sorting key of an inner table', 'MergeTree ORDER BY (id, k) SETTINGS merge_with_ttl_timeout = 60'],
    [
      'the partition key of an inner table',
      'MergeTree PARTITION BY id ORDER BY id SETTINGS merge_with_ttl_timeout = 60',
    ],
    ['a setting of an inner table', 'MergeTree ORDER BY id SETTINGS merge_with_ttl_timeout = 61'],
  ].map(([name, storage]): readonly [string, Declaration, string] => [
    name!,
    materializedView(INNER),
    `DROP VIEW v SYNC; CREATE MATERIALIZED VIEW v ENGINE = ${storage} AS SELECT id, k FROM src COMMENT 'c'`,
  ]),
  ...[
    ['the schedule of a refresh', 'EVERY 2 DAY OFFSET 2 HOUR RANDOMIZE FOR 1 HOUR SETTINGS refresh_retries = 3 APPEND'],
    ['the kind of a schedule', 'AFTER 1 DAY RANDOMIZE FOR 1 HOUR SETTINGS refresh_retries = 3 APPEND'],
    ['the offset of a refresh', 'EVERY 1 DAY OFFSET 3 HOUR RANDOMIZE FOR 1 HOUR SETTINGS refresh_retries = 3 APPEND'],
    ['the randomness of a refresh', 'EVERY 1 DAY OFFSET 2 HOUR SETTINGS refresh_retries = 3 APPEND'],
    ['a setting of a refresh', 'EVERY 1 DAY OFFSET 2 HOUR RANDOMIZE FOR 1 HOUR SETTINGS refresh_retries = 4 APPEND'],
    [
      'what a refresh depends on',
      'EVERY 1 DAY OFFSET 2 HOUR RANDOMIZE FOR 1 HOUR DEPENDS ON w SETTINGS refresh_retries = 3 APPEND',
    ],
    ['a refresh that replaces', 'EVERY 1 DAY OFFSET 2 HOUR RANDOMIZE FOR 1 HOUR SETTINGS refresh_retries = 3'],
  ].map(([name, refresh]): readonly [string, Declaration, string] => [
    name!,
    materializedView(REFRESHED),
    `DROP VIEW v; CREATE MATERIALIZED VIEW v REFRESH ${refresh} TO dst EMPTY AS SELECT id, k FROM src COMMENT 'c'`,
  ]),
  [
    'no refresh any more',
    materializedView(REFRESHED),
    "DROP VIEW v; CREATE MATERIALIZED VIEW v TO dst AS SELECT id, k FROM src COMMENT 'c'",
  ],
  ...[
    [
      'the source of a dictionary',
      `${head} SOURCE(CLICKHOUSE(TABLE 'dst' DB 'am')) LIFETIME(MIN 1 MAX 300) LAYOUT(HASHED()) COMMENT 'c'`,
    ],
    [
      'a filter in the source',
      `${head} SOURCE(CLICKHOUSE(TABLE 'src' DB 'am' WHERE 'id > 1')) LIFETIME(MIN 1 MAX 300) LAYOUT(HASHED()) COMMENT 'c'`,
    ],
    [
      'the lifetime of a dictionary',
      `${head} SOURCE(CLICKHOUSE(TABLE 'src' DB 'am')) LIFETIME(MIN 1 MAX 301) LAYOUT(HASHED()) COMMENT 'c'`,
    ],
    [
      'the least lifetime',
      `${head} SOURCE(CLICKHOUSE(TABLE 'src' DB 'am')) LIFETIME(300) LAYOUT(HASHED()) COMMENT 'c'`,
    ],
    [
      'the layout of a dictionary',
      `${head} SOURCE(CLICKHOUSE(TABLE 'src' DB 'am')) LIFETIME(MIN 1 MAX 300) LAYOUT(FLAT()) COMMENT 'c'`,
    ],
    [
      'a parameter of a layout',
      `${head} SOURCE(CLICKHOUSE(TABLE 'src' DB 'am')) LIFETIME(MIN 1 MAX 300) LAYOUT(HASHED(SHARDS 2)) COMMENT 'c'`,
    ],
    [
      'settings of a dictionary',
      `${head} SOURCE(CLICKHOUSE(TABLE 'src' DB 'am')) LIFETIME(MIN 1 MAX 300) LAYOUT(HASHED()) SETTINGS(dictionary_use_async_executor = 1) COMMENT 'c'`,
    ],
    [
      'the comment of a dictionary',
      `${head} SOURCE(CLICKHOUSE(TABLE 'src' DB 'am')) LIFETIME(MIN 1 MAX 300) LAYOUT(HASHED())`,
    ],
    ...[
      ['the type of an attribute', "id UInt64, k Nullable(String) DEFAULT 'x', p UInt64 HIERARCHICAL"],
      ['the default of an attribute', "id UInt64, k String DEFAULT 'y', p UInt64 HIERARCHICAL"],
      ['the expression of an attribute', "id UInt64, k String DEFAULT 'x' EXPRESSION lower(k), p UInt64 HIERARCHICAL"],
      ['the hierarchy of an attribute', "id UInt64, k String DEFAULT 'x', p UInt64"],
      ['the direction of a hierarchy', "id UInt64, k String DEFAULT 'x', p UInt64 HIERARCHICAL BIDIRECTIONAL"],
      ['an injective attribute', "id UInt64, k String DEFAULT 'x' INJECTIVE, p UInt64 HIERARCHICAL"],
      ['an object id', "id UInt64, k String DEFAULT 'x' IS_OBJECT_ID, p UInt64 HIERARCHICAL"],
      ['one attribute more', "id UInt64, k String DEFAULT 'x', p UInt64 HIERARCHICAL, q UInt8"],
      ['one attribute less', "id UInt64, k String DEFAULT 'x'"],
      ['the order of attributes', "id UInt64, p UInt64 HIERARCHICAL, k String DEFAULT 'x'"],
    ].map(([name, attributes]) => [
      name!,
      `CREATE OR REPLACE DICTIONARY d (${attributes}) PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 'src' DB 'am')) LIFETIME(MIN 1 MAX 300) LAYOUT(HASHED()) COMMENT 'c'`,
    ]),
  ].map(([name, statement]): readonly [string, Declaration, string] => [name!, dictionary(DICTIONARY), statement!]),
  [
    'the body of a function',
    sqlFunction({ name: 'f', as: 'x -> x + 1' }),
    'CREATE OR REPLACE FUNCTION f AS x -> x + 2',
  ],
  [
    'the parameters of a function',
    sqlFunction({ name: 'f', as: 'x -> x + 1' }),
    'CREATE OR REPLACE FUNCTION f AS (x, y) -> x + 1',
  ],
]

function canonical(declaration: Declaration): Definition {
  const { model, issues } = canonicalise([declaration], { defaultDatabase: 'am' })
  expect(issues).toEqual([])
  return model.definitions[0]!
}

function live(definition: Definition): Definition {
  const text = isDatabaseObject(definition)
    ? query(`SELECT create_table_query FROM system.tables WHERE database = 'am' AND name = '${definition.name}'`)
    : query("SELECT create_query FROM system.functions WHERE name = 'f'")
  return definitionFromStatement(text, { currentDatabase: 'am' })
}

function driftOf(expected: Definition) {
  return findDrift({ definitions: [expected] }, { definitions: [live(expected)] })
}

/** The definition on the server, for as long as `act` runs. */
function withObject<T>(definition: Definition, act: () => T): T {
  query(renderCreate(definition, 'create'))
  try {
    expect(driftOf(definition)).toMatchObject({ drifted: false })
    return act()
  } finally {
    const word =
      { table: 'TABLE', dictionary: 'DICTIONARY', sql_function: 'FUNCTION' }[definition.kind as 'table'] ?? 'VIEW'
    query(`DROP ${word} ${(definition as { readonly name: string }).name}${word === 'FUNCTION' ? '' : ' SYNC'}`)
  }
}

it.each(OF_A_TABLE)('a table: %s', (command, reason, named) => {
  const expected = canonical(table(TABLE))
  const drift = withObject(expected, () => {
    query(`ALTER TABLE t ${command}`)
    return driftOf(expected).tableDrift[0]
  })
  expect(drift?.reasonCodes).toContain(reason)
  expect(JSON.stringify(drift)).toContain(`"${named}`)
})

it.each(MADE_AGAIN)('a table made again with %s', (_name, other, reason) => {
  const expected = canonical(table(TABLE))
  const made = canonical(table({ ...TABLE, ...other } as TableInput))
  const drift = withObject(made, () => driftOf(expected).tableDrift[0])
  expect(drift?.reasonCodes).toContain(reason)
})

it.each(OF_OTHERS)('%s', (_name, declaration, statements) => {
  const expected = canonical(declaration)
  const drift = withObject(expected, () => {
    for (const statement of statements.split('; ')) query(statement)
    return driftOf(expected)
  })
  expect(drift.objectDrift).toMatchObject([{ code: 'definition_mismatch' }])
  const [{ expected: wanted, actual } = {}] = drift.objectDrift
  expect(actual).not.toBe(wanted)
})
