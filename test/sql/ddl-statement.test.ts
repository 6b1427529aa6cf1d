import { describe, expect, test } from 'vitest'
import type { CreateTable, Statement } from '../../src/sql/ast-ddl.js'
import { parseStatement, printStatement } from '../../src/sql/statement.js'

const parse = (text: string) => parseStatement(text).node
const printed = (text: string) => printStatement(parse(text))

/** The tree without fields that are not set. */
const plain = (node: Statement) => JSON.parse(JSON.stringify(node)) as unknown

describe('trees', () => {
  test('of a table keep clauses apart', () => {
    const node = parse(
      "CREATE TABLE db.t (id UInt64, s String DEFAULT 'x' CODEC(ZSTD(3)), INDEX i s TYPE minmax, CONSTRAINT c CHECK id > 0)" +
        ' ENGINE = MergeTree ORDER BY (id, s DESC) TTL d DELETE WHERE id = 1 SETTINGS a = 1',
    ) as CreateTable
    expect(node.name).toEqual({ database: 'db', name: 't' })
    expect(node.elements?.columns.map((column) => column.name)).toEqual(['id', 's'])
    expect(node.elements?.indexes[0]).toMatchObject({ name: 'i', granularity: '1' })
    expect(node.elements?.constraints[0]).toMatchObject({ name: 'c', kind: 'CHECK' })
    expect(node.storage?.engine).toEqual({ kind: 'function', name: 'MergeTree' })
    expect(node.storage?.ttl?.[0]?.action.kind).toBe('delete')
    expect(node.storage?.settings?.map((setting) => setting.name)).toEqual(['a'])
  })

  test('put a primary key from the columns where it belongs', () => {
    expect(printed('CREATE TABLE t (a Int8 PRIMARY KEY, b Int8) ENGINE = MergeTree')).toBe(
      'CREATE TABLE t (`a` Int8, `b` Int8) ENGINE = MergeTree PRIMARY KEY tuple(a)',
    )
  })

  test('of a drop', () => {
    expect(plain(parse('drop table if exists `a.b`, c.d on cluster x sync'))).toEqual({
      kind: 'drop',
      action: 'DROP',
      object: 'TABLE',
      ifExists: true,
      names: [{ name: 'a.b' }, { database: 'c', name: 'd' }],
      cluster: 'x',
      sync: true,
    })
  })

  test('keep the data of an insert, which is not printed', () => {
    expect(plain(parse("INSERT INTO t (a) FORMAT CSV\n1,'it''s\n;2\n;"))).toEqual({
      kind: 'insert',
      table: { name: 't' },
      columns: [{ kind: 'identifier', parts: ['a'] }],
      format: 'CSV',
      data: "1,'it''s\n;2",
    })
  })
})

describe('unknown syntax', () => {
  test.each<[text: string, token: string, line: number, column: number]>([
    ['CREATE TABLE t (a Int8) ENGINE = MergeTree\n  FROBNICATE BY a', 'FROBNICATE', 2, 3],
    ['ALTER TABLE t ADD COLUMN a Int8, EXPLODE COLUMN b', 'EXPLODE', 1, 34],
    ['DROP TABLE t EXTRA', 'EXTRA', 1, 14],
    ['CREATE SOMETHING x', 'SOMETHING', 1, 8],
    ["SELECT 'abc", "'abc", 1, 8],
    ['', '', 1, 1],
    ['DROP TABLE', '', 1, 11],
  ])('%j is kept, with the place', (text, token, line, column) => {
    const { node, warnings } = parseStatement(text)
    expect(node).toEqual({ kind: 'unparsed', text })
    expect(printStatement(node)).toBe(text)
    expect(warnings).toMatchObject([{ token, line, column }])
  })
})

describe('hostile texts end in time and keep their text', () => {
  const many = (count: number, item: (index: number) => string, glue = ', ') =>
    Array.from({ length: count }, (_, i) => item(i)).join(glue)
  test.each<[name: string, text: string]>([
    ['deep brackets', `CREATE TABLE t (a Int8 DEFAULT ${'('.repeat(50_000)}1${')'.repeat(50_000)}) ENGINE = Memory`],
    ['deep types', `CREATE TABLE t (a ${'Array('.repeat(50_000)}Int8${')'.repeat(50_000)}) ENGINE = Memory`],
    ['deep dictionary pairs', `CREATE DICTIONARY d (a Int8) PRIMARY KEY a SOURCE(${'x('.repeat(50_000)}`],
    ['nested EXECUTE AS', `${'EXECUTE AS u '.repeat(20_000)}SELECT 1`],
    ['nested EXPLAIN', `${'EXPLAIN AST '.repeat(20_000)}DROP TABLE t`],
    ['many columns', `CREATE TABLE t (${many(100_000, (i) => `c${i} Int8`)}) ENGINE = Memory`],
    ['many commands', `ALTER TABLE t ${many(50_000, (i) => `ADD COLUMN c${i} Int8`)}`],
    ['many statements joined', `DROP TABLE a${' PARALLEL WITH DROP TABLE a'.repeat(30_000)}`],
    ['many rows', `INSERT INTO t VALUES ${many(300_000, () => '(1, 2)')}`],
    ['keys that fail late', `CREATE TABLE t (a Int8) ENGINE = MergeTree ORDER BY (${'(a, b), '.repeat(20_000)}c DESC)`],
    [
      'bracketed keys',
      `CREATE TABLE t (a Int8) ENGINE = MergeTree ORDER BY ${'('.repeat(900)}a DESC${')'.repeat(900)}`,
    ],
    ['one word again and again', 'DROP '.repeat(200_000)],
  ])('%s', (_, text) => {
    const begin = process.cpuUsage().user
    const { node, warnings } = parseStatement(text)
    const out = printStatement(node)
    expect(process.cpuUsage().user - begin).toBeLessThan(5_000_000)
    if (node.kind === 'unparsed') {
      expect(out === text).toBe(true)
      expect(warnings).toHaveLength(1)
    }
  })
})
