import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readCatalog } from '../../src/clickhouse/catalog.js'
import { connect } from '../../src/clickhouse/connect.js'
import type { Executor } from '../../src/clickhouse/executor.js'
import { databaseEngines, hasSystemColumn, tableEngines } from '../../src/clickhouse/features.js'
import { readTableSizes } from '../../src/clickhouse/table-sizes.js'
import { quoteString } from '../../src/sql/quote.js'
import { removeFolder, temporaryFolder } from '../support/engine.js'
import { type HttpServer, startHttpServer } from '../support/http-server.js'

let server: HttpServer
let executor: Executor
const folder = temporaryFolder()

beforeAll(async () => {
  server = await startHttpServer()
  executor = await connect({ url: server.url, database: 'shop' }, { root: '/' })
  const statements = [
    'CREATE DATABASE shop',
    "CREATE DATABASE `o'dd.db` ENGINE = Atomic COMMENT 'it''s odd'",
    'CREATE TABLE shop.events (id UInt64, at DateTime) ENGINE = MergeTree ORDER BY id',
    'CREATE TABLE shop.`na\\`me "q" . \\n ü` (`a b` String) ENGINE = Memory',
    'CREATE VIEW shop.recent AS SELECT * FROM shop.events',
    'CREATE MATERIALIZED VIEW shop.counts ENGINE = SummingMergeTree ORDER BY id AS SELECT id, count() AS n FROM shop.events GROUP BY id',
    "CREATE DICTIONARY shop.names (id UInt64, name String) PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 'events' PASSWORD 'dict-secret')) LAYOUT(FLAT()) LIFETIME(60)",
    'CREATE FUNCTION double_it AS (x) -> x * 2',
    'CREATE TABLE shop._chkit_migrations (name String) ENGINE = Memory',
    'CREATE TABLE shop.journal (name String) ENGINE = Memory',
    // What a refresh and a CREATE OR REPLACE that are under way leave for a moment.
    'CREATE TABLE shop._tmp_replace_b4c879311d393211_iddpbtuyb2ee2ffa (a Int8) ENGINE = Memory',
    'CREATE TABLE shop.`.tmp.inner_id.fcab8899-b1a0-4acc-a67c-aea69f0c7e12` (a Int8) ENGINE = Memory',
    'INSERT INTO shop.events SELECT number, now() FROM numbers(1000)',
  ]
  for (const sql of statements) await executor.command(sql)
})
afterAll(async () => {
  await executor.close()
  await server.stop()
  removeFolder(folder)
})

describe('the catalog', () => {
  test('holds every declared object with its statement, and nothing of the server’s or ours', async () => {
    const { entries, skipped } = await readCatalog(executor, { exclude: (_, name) => name === 'journal' })
    expect(entries.map(({ kind, database, name }) => [kind, database, name]).sort()).toEqual(
      [
        ['database', undefined, 'default'],
        ['database', undefined, "o'dd.db"],
        ['database', undefined, 'shop'],
        ['sql_function', undefined, 'double_it'],
        ['table', 'shop', 'counts'],
        ['table', 'shop', 'events'],
        ['table', 'shop', 'names'],
        ['table', 'shop', 'na`me "q" . \n ü'],
        ['table', 'shop', 'recent'],
      ].sort(),
    )
    expect(skipped).toEqual([])
    const statement = (name: string) => entries.find((entry) => entry.name === name)?.statement
    expect(statement("o'dd.db")).toBe("CREATE DATABASE `o'dd.db` ENGINE = Atomic COMMENT 'it\\'s odd'")
    expect(statement('double_it')).toBe('CREATE FUNCTION double_it AS x -> (x * 2)')
    expect(statement('events')).toContain('CREATE TABLE shop.events')
    expect(statement('names')).toContain("PASSWORD '[HIDDEN]'")
  })

  test('is limited to the databases asked for', async () => {
    const { entries } = await readCatalog(executor, { databases: ["o'dd.db", 'not there'] })
    expect(entries.map((entry) => [entry.kind, entry.name])).toEqual([
      ['database', "o'dd.db"],
      ['sql_function', 'double_it'],
    ])
    expect((await readCatalog(executor, { databases: [] })).entries.map((entry) => entry.kind)).toEqual([
      'sql_function',
    ])
  })

  test('a SQLite database has its path, which its row in system.databases lacks', async () => {
    const path = join(folder, "o'lite.db")
    await executor.command(`CREATE DATABASE lite ENGINE = SQLite(${quoteString(path)}) COMMENT 'kept'`)
    try {
      const { entries, skipped } = await readCatalog(executor, { databases: ['lite'] })
      expect(skipped).toEqual([])
      expect(entries.find(({ kind }) => kind === 'database')?.statement).toContain(
        `CREATE DATABASE lite ENGINE = SQLite(${quoteString(path)})`,
      )
    } finally {
      await executor.command('DROP DATABASE lite')
    }
  })

  test('access objects that may not be seen are a note', async () => {
    const { skipped } = await readCatalog(executor, { access: true })
    expect(skipped.map(({ object }) => object)).toEqual(['access objects'])
  })
})

test('sizes come in the order asked, with 0 for what holds nothing', async () => {
  const sizes = await readTableSizes(executor, [
    { database: 'shop', name: 'gone' },
    { database: 'shop', name: 'events' },
  ])
  expect(sizes).toEqual([
    { database: 'shop', name: 'gone', rows: 0, bytes: 0 },
    { database: 'shop', name: 'events', rows: 1000, bytes: expect.any(Number) },
  ])
  expect(sizes[1]?.bytes).toBeGreaterThan(1000)
  const many = Array.from({ length: 600 }, (_, at) => ({ database: 'shop', name: at === 599 ? 'events' : `no${at}` }))
  expect((await readTableSizes(executor, many)).at(-1)).toMatchObject({ rows: 1000 })
  expect(await readTableSizes(executor, [])).toEqual([])
})

test('a materialized view holds what its inner table holds, and nothing of a target', async () => {
  for (const name of ['fed', 'sink'])
    await executor.command(`CREATE TABLE shop.${name} (n UInt64) ENGINE = MergeTree ORDER BY n`)
  await executor.command('CREATE MATERIALIZED VIEW shop.held ENGINE = MergeTree ORDER BY n AS SELECT n FROM shop.fed')
  await executor.command('CREATE MATERIALIZED VIEW shop.passed TO shop.sink AS SELECT n FROM shop.fed')
  await executor.command('INSERT INTO shop.fed SELECT number FROM numbers(7)')
  const named = (name: string) => ({ database: 'shop', name })
  expect(await readTableSizes(executor, [named('held'), named('passed'), named('sink')])).toMatchObject([
    { name: 'held', rows: 7 },
    { name: 'passed', rows: 0 },
    { name: 'sink', rows: 7 },
  ])
  for (const name of ['held', 'passed', 'fed', 'sink']) await executor.command(`DROP TABLE shop.${name} SYNC`)
})

test('features are what the system tables have', async () => {
  const info = await executor.server()
  expect(hasSystemColumn(info, 'tables', 'uuid')).toBe(true)
  expect(hasSystemColumn(info, 'tables', 'no_such_column')).toBe(false)
  expect(hasSystemColumn(info, 'named_collections')).toBe(true)
  expect([...(await tableEngines(executor))]).toContain('ReplacingMergeTree')
  expect((await databaseEngines(executor)).get('shop')).toBe('Atomic')
})
