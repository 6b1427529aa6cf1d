import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Risk, statementEffects } from '../../src/sql/effects.js'
import { parseScript, parseStatement } from '../../src/sql/statement.js'

const effects = (text: string, database?: string) => statementEffects(parseStatement(text).node, database)
const operations = (text: string) =>
  effects(text, 'db').operations.map(({ key, risk, warningCode }) => [key, risk, warningCode])

test('a refresh without APPEND puts the rows of its target at risk', () => {
  const of = (text: string) =>
    effects(text, 'db').operations.map(({ type, key, risk, warningCode, object }) => [
      type,
      key,
      risk,
      warningCode,
      object?.name,
    ])
  const view = (clause: string) => `CREATE MATERIALIZED VIEW v REFRESH EVERY 1 DAY ${clause} AS SELECT 1 AS a`
  const created = ['create_materialized_view', 'materialized_view:db.v', 'safe', undefined, 'v']
  expect(of(view('TO t'))).toEqual([
    ['refresh_materialized_view', 'materialized_view:db.v', 'caution', 'refresh_replaces_rows', 't'],
    created,
  ])
  expect(of(view('APPEND TO t'))).toEqual([created])
  expect(of(view('ENGINE = Memory'))).toEqual([created])
})

describe('danger', () => {
  test.each<[text: string, key: string, code: string]>([
    ['DROP TABLE t', 'table:db.t', 'drop_table_data_loss'],
    ['DROP TABLE IF EXISTS a.t ON CLUSTER c SYNC', 'table:a.t', 'drop_table_data_loss'],
    ['/* DROP VIEW v */ drop /* x */ table -- y\n t', 'table:db.t', 'drop_table_data_loss'],
    ['DROP VIEW v', 'view:db.v', 'drop_view_dependency_break'],
    ['DROP DICTIONARY d', 'dictionary:db.d', 'drop_dictionary_dependency_break'],
    ['DROP DATABASE x', 'database:x', 'drop_database_data_loss'],
    ['TRUNCATE t', 'table:db.t', 'truncate_table_data_loss'],
    ['TRUNCATE ALL TABLES FROM x', 'database:x', 'truncate_database_data_loss'],
    ['TRUNCATE DATABASE x', 'database:x', 'truncate_database_data_loss'],
    ['DETACH TABLE t PERMANENTLY', 'table:db.t', 'detach_table_permanently'],
    ['CREATE OR REPLACE TABLE t (a Int8) ENGINE = Memory', 'table:db.t', 'replace_table_data_loss'],
    ['REPLACE TABLE t (a Int8) ENGINE = Memory', 'table:db.t', 'replace_table_data_loss'],
    [
      'CREATE OR REPLACE MATERIALIZED VIEW v ENGINE = Memory AS SELECT 1',
      'materialized_view:db.v',
      'replace_view_data_loss',
    ],
    ['ALTER TABLE t DROP COLUMN IF EXISTS `a b`', 'table:db.t:column:a b', 'drop_column_irreversible'],
    ['ALTER TABLE t CLEAR COLUMN a IN PARTITION 1', 'table:db.t:column:a', 'clear_column_data_loss'],
    ["ALTER TABLE t DROP PARTITION '2020'", "table:db.t:partition:'2020'", 'drop_partition_data_loss'],
    ["ALTER TABLE t DROP PART 'all_1_1_0'", "table:db.t:part:'all_1_1_0'", 'drop_partition_data_loss'],
    ['ALTER TABLE t DROP DETACHED PARTITION ALL', 'table:db.t:partition:ALL', 'drop_partition_data_loss'],
    ['ALTER TABLE t DETACH PARTITION 1', 'table:db.t:partition:1', 'detach_partition_data_loss'],
    ['ALTER TABLE t REPLACE PARTITION 1 FROM u', 'table:db.t:partition:1', 'replace_partition_data_loss'],
    ['ALTER TABLE t MOVE PARTITION 1 TO TABLE u', 'table:db.t:partition:1', 'move_partition_data_loss'],
    ['ALTER TABLE t DELETE WHERE 1', 'table:db.t', 'delete_rows_data_loss'],
    ['ALTER TABLE t UPDATE a = 1 WHERE 1', 'table:db.t', 'update_rows_data_loss'],
    ['DELETE FROM t WHERE 1', 'table:db.t', 'delete_rows_data_loss'],
    ['UPDATE t SET a = 1 WHERE 1', 'table:db.t', 'update_rows_data_loss'],
    ['ALTER TABLE t MODIFY TTL d + INTERVAL 1 DAY', 'table:db.t', 'modify_ttl_data_loss'],
    ['ALTER TABLE t MODIFY COLUMN a String TTL d', 'table:db.t:column:a', 'modify_ttl_data_loss'],
    [
      'ALTER TABLE t RESET SETTING storage_policy',
      'table:db.t:setting:storage_policy',
      'reset_storage_policy_data_loss',
    ],
    ['OPTIMIZE TABLE t FINAL DEDUPLICATE', 'table:db.t', 'delete_rows_data_loss'],
    ['DROP USER u', 'user:u', 'destructive_operation_review_required'],
    ['DROP ROW POLICY p ON t', 'row_policy:p', 'destructive_operation_review_required'],
    ['DROP NAMED COLLECTION n', 'named_collection:n', 'destructive_operation_review_required'],
    ['REVOKE SELECT ON t FROM u', 'revoke', 'revoke_access_loss'],
    ["SYSTEM DROP REPLICA 'r'", "server:DROP REPLICA 'r'", 'destructive_operation_review_required'],
    ['KILL MUTATION WHERE 1', 'kill_mutation', 'destructive_operation_review_required'],
    ['DROP TABLE `x` SOMETHING NEW', 'unparsed', 'unparsed_statement'],
    ['DROP ALIEN x', 'unparsed', 'unparsed_statement'],
    ['SELECT 1 PARALLEL WITH DROP ALIEN x', 'unparsed', 'unparsed_statement'],
    ['EXECUTE AS u DROP TABLE t', 'table:db.t', 'drop_table_data_loss'],
  ])('%s', (text, key, code) => {
    expect(operations(text)).toEqual([[key, 'danger', code]])
  })

  test('every object of a list, every command of an ALTER, every statement joined by PARALLEL WITH', () => {
    expect(operations('DROP TABLE a, x.b')).toEqual([
      ['table:db.a', 'danger', 'drop_table_data_loss'],
      ['table:x.b', 'danger', 'drop_table_data_loss'],
    ])
    expect(operations('ALTER TABLE t ADD COLUMN a Int8, DROP COLUMN b, DELETE WHERE c')).toEqual([
      ['table:db.t:column:a', 'safe', undefined],
      ['table:db.t:column:b', 'danger', 'drop_column_irreversible'],
      ['table:db.t', 'danger', 'delete_rows_data_loss'],
    ])
    expect(operations('CREATE TABLE a (x Int8) ENGINE = Memory PARALLEL WITH DROP TABLE b')).toEqual([
      ['table:db.a', 'safe', undefined],
      ['table:db.b', 'danger', 'drop_table_data_loss'],
    ])
  })

  test.each([
    "SELECT 'DROP TABLE t'",
    'SELECT 1 /* ; DROP TABLE t; */ -- DROP TABLE u',
    "INSERT INTO t VALUES ('; DROP TABLE t;')",
    "CREATE TABLE t (a String COMMENT 'DROP TABLE x', `DROP TABLE y` Int8) ENGINE = Memory",
    'SELECT $$ DROP TABLE t $$',
    'EXPLAIN AST DROP TABLE t',
    'SHOW CREATE TABLE t',
    'CREATE VIEW v AS SELECT drop, table FROM t',
  ])('none in: %s', (text) => {
    expect(effects(text).operations.filter((operation) => operation.risk === 'danger')).toEqual([])
  })
})

describe('caution and safe', () => {
  test.each<[text: string, risk: Risk, code: string | undefined]>([
    ['CREATE TABLE t (a Int8) ENGINE = Memory', 'safe', undefined],
    ['CREATE OR REPLACE VIEW v AS SELECT 1', 'caution', 'replace_view_drops_table'],
    ['RENAME TABLE a TO b', 'caution', undefined],
    ['EXCHANGE TABLES a AND b', 'caution', undefined],
    ['ALTER TABLE t MODIFY COLUMN a UInt8', 'caution', undefined],
    ["ALTER TABLE t MODIFY COLUMN a COMMENT 'x'", 'safe', undefined],
    ['ALTER TABLE t DROP INDEX i', 'caution', undefined],
    ['ALTER TABLE t DROP PROJECTION p', 'caution', undefined],
    ['ALTER TABLE t DROP CONSTRAINT c', 'caution', undefined],
    ["ALTER TABLE t MODIFY TTL d TO DISK 'cold'", 'caution', undefined],
    ['ALTER TABLE t MODIFY SETTING a = 1', 'safe', undefined],
    ["ALTER TABLE t MOVE PARTITION 1 TO DISK 'd'", 'caution', undefined],
    ['DETACH TABLE t', 'caution', undefined],
    ['OPTIMIZE TABLE t FINAL', 'caution', undefined],
    ['INSERT INTO t SELECT 1', 'safe', undefined],
    ['GRANT SELECT ON t TO u', 'caution', undefined],
    ['SYSTEM FLUSH LOGS', 'safe', undefined],
    ['FROBNICATE t', 'caution', 'unparsed_statement'],
  ])('%s', (text, risk, code) => {
    expect(effects(text).operations.map((operation) => [operation.risk, operation.warningCode])).toEqual([[risk, code]])
  })
})

describe('objects', () => {
  test('of a materialized view', () => {
    expect(
      effects('CREATE MATERIALIZED VIEW mv TO x.target AS WITH w AS (SELECT 1) SELECT a FROM src JOIN w USING a', 'db')
        .objects,
    ).toEqual([
      { role: 'creates', kind: 'materialized_view', database: 'db', name: 'mv' },
      { role: 'reads', kind: 'table', database: 'db', name: 'src' },
      { role: 'writes', kind: 'table', database: 'x', name: 'target' },
    ])
  })

  test('of a dictionary over a table of this server', () => {
    const text = (host: string) =>
      `CREATE DICTIONARY d (id UInt64) PRIMARY KEY id SOURCE(CLICKHOUSE(${host} TABLE 'src' DB 'x')) LAYOUT(FLAT())`
    expect(effects(text(''), 'db').objects).toEqual([
      { role: 'creates', kind: 'dictionary', database: 'db', name: 'd', columns: ['id'] },
      { role: 'reads', kind: 'table', database: 'x', name: 'src' },
    ])
    expect(effects(text("HOST 'other'"), 'db').objects).toHaveLength(1)
  })

  test('without a current database', () => {
    expect(effects('ALTER TABLE t RENAME COLUMN a TO b').objects).toEqual([
      { role: 'changes', kind: 'table', name: 't' },
      { role: 'changes', kind: 'table', name: 't', columns: ['a'] },
    ])
  })

  test.each([
    ['SELECT 1', false],
    ['SHOW TABLES', false],
    ['EXPLAIN SELECT 1', false],
    ['SET a = 1', false],
    ['INSERT INTO t VALUES (1)', true],
    ['SYSTEM RELOAD CONFIG', true],
    ['GRANT SELECT ON t TO u', true],
    ['FROBNICATE', true],
  ])('%s mutates: %s', (text, mutates) => {
    expect(effects(text).mutates).toBe(mutates)
  })
})

test('every statement of the corpus has effects that say where they come from', () => {
  const folder = join(import.meta.dirname, '../../fixtures/sql')
  for (const file of readdirSync(folder).filter((name) => name.includes('ddl'))) {
    for (const text of readFileSync(join(folder, file), 'utf8').split(/^;;$/m)) {
      const { operations, mutates } = effects(text.trim())
      for (const operation of operations) expect(operation.reason).toMatch(/^[A-Z].*\.$/)
      if (operations.length > 0) expect(mutates).toBe(true)
      // What removes something never passes as safe.
      if (/^\s*(drop|truncate|revoke|kill)\b/i.test(text))
        expect([text, operations.some((operation) => operation.risk !== 'safe')]).toEqual([text, true])
    }
  }
})

test('parseScript gives each warning its place in the script', () => {
  const script = '-- header\n\nSELECT 1;\n-- why\nDROP TABLE t\n  FROBNICATED;\nSELECT 2'
  expect(
    parseScript(script).map(({ line, warnings }) => [line, warnings.map((w) => [w.token, w.line, w.column])]),
  ).toEqual([
    [3, []],
    [5, [['FROBNICATED', 6, 3]]],
    [7, []],
  ])
})
