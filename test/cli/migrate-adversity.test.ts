import { renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { connect } from '../../src/clickhouse/connect.js'
import type { Executor } from '../../src/clickhouse/executor.js'
import { acquireLock, lockHolder } from '../../src/migration/lock.js'
import { openLockStore } from '../../src/migration/lock-store.js'
import { createProject, type Project } from '../support/cli.js'
import { type Fault, type HttpServer, startHttpServer } from '../support/http-server.js'

/** Everything that comes in a bad way: files, servers, accounts. Each ends with a sentence, a code and a true journal. */

let server: HttpServer
let executor: Executor
let project: Project
let db: string
let made = 0

beforeAll(async () => {
  const password = 'pass-word-1'
  server = await startHttpServer({
    users: [
      { name: 'default', password: '' },
      { name: 'reads', password, readonly: 1 },
      { name: 'sets', password, readonly: 2 },
      { name: 'selects', password, selectOnly: true },
    ],
  })
  executor = await connect({ url: server.url }, { root: '/' })
})
afterAll(async () => {
  await executor.close()
  await server.stop()
})
afterEach(async () => {
  await server.faults([])
  await server.release()
  project.remove()
})

/** `DB` in the files stands for the database's name. */
function newProject(files: Readonly<Record<string, string>>, clickhouse = '', url = server.url): void {
  db = `adverse${++made}`
  project = createProject({
    'clickhouse.config.ts': `export default {
      schema: './schema.ts', migrationsDir: './migrations', metaDir: './meta',
      clickhouse: { url: '${url}', database: '${db}', ${clickhouse} },
    }`,
  })
  write(files)
}

function write(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) project.write({ [`migrations/${name}`]: text.replaceAll('DB', db) })
}

async function apply(...argv: string[]) {
  const { exitCode, stderr, json } = await project.run(['migrate', '--apply', '--json', ...argv])
  expect(stderr).not.toMatch(/^ {4}at /m)
  return { exitCode, ...json } as Readonly<Record<string, unknown>> & { exitCode: number }
}

const rows = (sql: string) => executor.query(sql.replaceAll('DB', db))
const journal = () =>
  rows('SELECT statement, outcome FROM DB._chkit_migrations_statements ORDER BY sequence').catch(() => [])

const ONE = { '1_a.sql': 'CREATE TABLE DB.t (x UInt8) ENGINE = Memory;\n' }

describe('what is in a file', () => {
  const refused: readonly { name: string; text: string; code: string; says: string }[] = [
    { name: 'nothing', text: '', code: 'migration_empty', says: 'holds no statement' },
    { name: 'comments only', text: '-- a\n/* b */\n', code: 'migration_empty', says: 'holds no statement' },
    { name: 'semicolons only', text: ';;\n ; ', code: 'migration_empty', says: 'holds no statement' },
    { name: 'a NUL', text: 'SELECT 1;\0', code: 'migration_invalid', says: '1:10' },
    {
      name: 'a string without an end',
      text: "SELECT 'a;",
      code: 'migration_invalid',
      says: 'a string that does not end',
    },
    {
      name: 'a comment without an end',
      text: 'SELECT 1; /* x',
      code: 'migration_invalid',
      says: 'a comment that does not end',
    },
    { name: 'USE', text: 'USE DB;', code: 'migration_invalid', says: 'USE has no effect' },
    { name: 'a transaction', text: 'BEGIN TRANSACTION;', code: 'migration_invalid', says: 'transactions' },
    {
      name: 'a temporary table',
      text: 'CREATE TEMPORARY TABLE x (a UInt8);',
      code: 'migration_invalid',
      says: 'a temporary table is gone',
    },
    { name: 'SET ROLE', text: 'SET ROLE r;', code: 'migration_invalid', says: 'SET ROLE has no effect' },
  ]
  test.each(refused)('$name: refused before anything is sent', async ({ text, code, says }) => {
    newProject({ ...ONE, '2_b.sql': text })
    expect(await apply()).toMatchObject({
      exitCode: 1,
      code,
      error: expect.stringContaining(says),
      hint: expect.any(String),
    })
    expect(await rows("SELECT name FROM system.databases WHERE name = 'DB'")).toEqual([])
  })

  test.each([
    'DROP DATABASE DB',
    'RENAME DATABASE DB TO DBx',
    'TRUNCATE ALL TABLES FROM DB',
    'DROP TABLE DB.t, DB._chkit_migrations_statements',
    'TRUNCATE TABLE _chkit_migrations',
    'EXCHANGE TABLES DB.t AND DB._chkit_migrations',
    'ALTER TABLE DB._chkit_migrations_statements DELETE WHERE 1',
  ])('the journal of the run itself is not taken from under it: %s', async (text) => {
    newProject({ ...ONE, '2_b.sql': `SELECT 1;\n${text};` })
    const result = await apply('--allow-destructive')
    expect(result).toMatchObject({ exitCode: 1, code: 'migration_invalid', details: { line: 2, statement: 2 } })
    expect(result.error).toContain('which the journal of this very run needs')
  })

  test('what only looks like the journal is let through', async () => {
    const others = "TRUNCATE TABLES FROM DB LIKE 't%';\nINSERT INTO DB.t SELECT count() FROM DB._chkit_migrations;"
    newProject({ ...ONE, '2_b.sql': `DROP DATABASE IF EXISTS DBother;\n${others}` })
    expect(await apply('--allow-destructive')).toMatchObject({ exitCode: 0 })
  })

  const taken: readonly { name: string; text: string; select: string; answer: unknown }[] = [
    {
      name: 'a byte order mark',
      text: '\uFEFFCREATE TABLE DB.t (x UInt8) ENGINE = Memory;',
      select: 'SELECT count() AS n FROM DB.t',
      answer: [{ n: 0 }],
    },
    {
      name: 'line ends of Windows, a semicolon in a string',
      text: "CREATE TABLE DB.t (x String) ENGINE = Memory;\r\nINSERT INTO DB.t VALUES ('a;b\r\nc');\r\n",
      select: 'SELECT x FROM DB.t',
      answer: [{ x: 'a;b\r\nc' }],
    },
    {
      name: 'rows behind FORMAT, with semicolons and dashes in them',
      text: 'CREATE TABLE DB.t (x UInt32, s String) ENGINE = MergeTree ORDER BY x;\nINSERT INTO DB.t FORMAT JSONEachRow {"x":1,"s":"a;b"} {"x":2,"s":"--c"};\nINSERT INTO DB.t FORMAT CSV\n3,"x;y"\n;\nINSERT INTO DB.t FORMAT TSV\n5\tq\n\nINSERT INTO DB.t VALUES (6, \'w\');',
      select: 'SELECT groupArray(s) AS s FROM (SELECT s FROM DB.t ORDER BY x)',
      answer: [{ s: ['a;b', '--c', 'x;y', 'q', 'w'] }],
    },
    {
      name: 'a statement of 5 MB',
      text: `CREATE TABLE DB.t (x String) ENGINE = Memory;\nINSERT INTO DB.t VALUES ('${'y;'.repeat(2_500_000)}');`,
      select: 'SELECT length(x) AS n FROM DB.t',
      answer: [{ n: 5_000_000 }],
    },
    {
      name: 'SET of a list, and SET back to the default',
      text: "SET max_block_size = 7, max_threads = 1;\nSET max_block_size = DEFAULT;\nCREATE TABLE DB.t ENGINE = Memory AS SELECT getSetting('max_block_size') = 7 AS x, getSetting('max_threads') AS y;",
      select: 'SELECT toString(x) AS x, toString(y) AS y FROM DB.t',
      answer: [{ x: '0', y: '1' }],
    },
  ]
  test.each(taken)('$name: applied as it stands', async ({ text, select, answer }) => {
    newProject({ '1_a.sql': text })
    expect(await apply()).toMatchObject({ exitCode: 0 })
    expect(await rows(select)).toEqual(answer)
    expect(await apply()).toMatchObject({ exitCode: 0, applied: [] })
  })

  test('an account whose INSERTs are not waited for: the journal and the rows are', async () => {
    newProject(
      {
        '1_a.sql':
          'CREATE TABLE DB.t (x UInt8) ENGINE = MergeTree ORDER BY x;\nINSERT INTO DB.t VALUES (1);\nSELECT throwIf(count() = 0) FROM DB.t;',
      },
      'settings: { async_insert: 1, wait_for_async_insert: 0, async_insert_use_adaptive_busy_timeout: 0, async_insert_busy_timeout_max_ms: 800 },',
    )
    expect(await apply()).toMatchObject({ exitCode: 0 })
    expect(await journal()).toHaveLength(6)
  })

  test('what the server cannot read counts as not run, and the answer is short enough to read', async () => {
    newProject({ '1_a.sql': 'HELLO WORLD;' })
    const first = await apply()
    expect(first).toMatchObject({ exitCode: 1, code: 'migration_failed' })
    expect(String(first.error).length).toBeLessThan(500)
    expect(await journal()).toEqual([
      { statement: 1, outcome: 'intent' },
      { statement: 1, outcome: 'failed' },
    ])
    write({ '1_a.sql': 'SELECT 1;' })
    expect(await apply()).toMatchObject({ exitCode: 0, applied: [{ name: '1_a.sql' }] })
  })
})

describe('what happens to files', () => {
  test('one that was renamed after it ran does not run again', async () => {
    newProject({ '1_a.sql': 'CREATE TABLE DB.t (x UInt8) ENGINE = Memory;', '2_b.sql': 'INSERT INTO DB.t VALUES (1);' })
    expect(await apply()).toMatchObject({ exitCode: 0 })
    const [from, to] = ['2_b.sql', '2_better.sql'].map((name) => join(project.dir, 'migrations', name)) as [
      string,
      string,
    ]
    renameSync(from, to)
    expect(await apply()).toMatchObject({
      exitCode: 1,
      code: 'migration_renamed',
      error: expect.stringContaining('2_better.sql holds exactly what 2_b.sql held'),
      hint: expect.stringContaining('Give it back the name 2_b.sql'),
      details: { renamed: [{ name: '2_better.sql', was: '2_b.sql' }] },
    })
    expect(await rows('SELECT count() AS n FROM DB.t')).toEqual([{ n: 1 }])
    write({ '2_better.sql': '-- once more\nINSERT INTO DB.t VALUES (1);' })
    expect(await apply()).toMatchObject({ exitCode: 0 })
    expect(await rows('SELECT count() AS n FROM DB.t')).toEqual([{ n: 2 }])
  })

  test('one that is gone after a part of it ran is asked for; status says where it stands', async () => {
    newProject({
      '1_a.sql': 'CREATE TABLE DB.t (x UInt8) ENGINE = Memory;\nCREATE TABLE DB.u (x Nonsense) ENGINE = Memory;',
    })
    expect(await apply()).toMatchObject({ exitCode: 1, code: 'migration_failed', details: { statement: 2 } })
    rmSync(join(project.dir, 'migrations/1_a.sql'))
    expect(await apply()).toMatchObject({
      exitCode: 1,
      code: 'migration_not_found',
      hint: expect.stringContaining('Restore'),
    })
    const status = await project.run(['status', '--json'])
    expect(status.json).toMatchObject({ halfDone: [{ name: '1_a.sql', statement: 2, outcome: 'failed' }] })
  })
})

describe('who is asked, and how', () => {
  const accounts: readonly { name: string; clickhouse: string; code: string; says: string }[] = [
    {
      name: 'a wrong password',
      clickhouse: "password: 'wrong'",
      code: 'authentication_failed',
      says: 'AUTHENTICATION_FAILED',
    },
    {
      name: 'readonly = 1',
      clickhouse: "username: 'reads', password: 'pass-word-1'",
      code: 'access_denied',
      says: 'cannot be created',
    },
    {
      name: 'readonly = 2',
      clickhouse: "username: 'sets', password: 'pass-word-1'",
      code: 'access_denied',
      says: 'cannot be created',
    },
    {
      name: 'only SELECT',
      clickhouse: "username: 'selects', password: 'pass-word-1'",
      code: 'access_denied',
      says: 'cannot be created',
    },
  ]
  test.each(accounts)('an account with $name', async ({ clickhouse, code, says }) => {
    newProject(ONE, clickhouse)
    expect(await apply()).toMatchObject({
      exitCode: 1,
      code,
      error: expect.stringContaining(says),
      hint: expect.any(String),
    })
    expect(await rows("SELECT name FROM system.databases WHERE name = 'DB'")).toEqual([])
  })

  test('a right to everything but the journal: said by its name, and nothing is sent', async () => {
    newProject(ONE)
    await server.faults([
      {
        action: 'lateException',
        match: '^CREATE TABLE.*_chkit_migrations`? ',
        style: 'plain',
        rows: '',
        text: 'Code: 497. DB::Exception: u: Not enough privileges. (ACCESS_DENIED)',
      },
    ])
    expect(await apply()).toMatchObject({
      exitCode: 1,
      code: 'access_denied',
      error: expect.stringMatching(
        /^The journal adverse\d+\._chkit_migrations cannot be created: ClickHouse error 497/,
      ),
      hint: expect.stringContaining('Grant user'),
    })
    expect(await rows("SELECT name FROM system.tables WHERE database = 'DB' AND name = 't'")).toEqual([])
  })

  const faults: readonly { name: string; fault: Fault; code: string; says: string }[] = [
    {
      name: 'another program',
      fault: { action: 'html' },
      code: 'connection_not_clickhouse',
      says: 'it answered HTTP 200',
    },
    {
      name: 'a proxy without its server',
      fault: { action: 'proxyErrorBefore', status: 502, times: 9 },
      code: 'connection_proxy_error',
      says: "answered HTTP 502 with '<html>",
    },
  ]
  test.each(faults)('$name', async ({ fault, code, says }) => {
    newProject(ONE)
    await server.faults([fault])
    expect(await apply()).toMatchObject({
      exitCode: 1,
      code,
      error: expect.stringContaining(says),
      hint: expect.any(String),
    })
    await server.faults([])
    expect(await apply()).toMatchObject({ exitCode: 0 })
  })

  test.each([
    { name: 'nobody listens', url: 'http://127.0.0.1:1', code: 'connection_refused' },
    { name: 'a host that nobody knows', url: 'http://no-such-host.invalid:8123', code: 'connection_host_unknown' },
  ])('$name', async ({ url, code }) => {
    newProject(ONE, '', url)
    expect(await apply()).toMatchObject({ exitCode: 1, code, hint: expect.any(String) })
  })

  test('https to a port that speaks http', async () => {
    newProject(ONE, '', server.url.replace('http:', 'https:'))
    expect(await apply()).toMatchObject({
      exitCode: 1,
      code: 'connection_tls_failed',
      hint: expect.stringContaining('tls'),
    })
  })
})

const FULL = 'Code: 243. DB::Exception: Cannot reserve 1.00 MiB, not enough space. (NOT_ENOUGH_SPACE)'

describe('a server without room', () => {
  test('for the lock: said so, nothing was sent, and the lock is free for the next run', async () => {
    newProject(ONE)
    await server.faults([
      { action: 'lateException', match: '^CREATE TABLE.*_lock_1', style: 'plain', rows: '', text: FULL },
    ])
    expect(await apply()).toMatchObject({
      exitCode: 1,
      code: 'server_error',
      error: expect.stringContaining('The migration lock cannot be taken: ClickHouse error 243'),
      hint: expect.stringContaining('No statement was sent'),
    })
    expect(await apply('--lock-timeout', '0')).toMatchObject({ exitCode: 0, applied: [{ name: '1_a.sql' }] })
  })

  test.each([
    { name: 'for an intent', match: '_chkit_migrations_statements[^{]*\\{[^}]*"intent"' },
    { name: 'for an outcome', match: '_chkit_migrations_statements[^{]*\\{[^}]*"done"' },
    { name: 'for the migration as a whole', match: 'INSERT INTO [^ ]*_chkit_migrations`? ' },
  ])('$name: the next run goes on, and nothing runs twice', async ({ match }) => {
    newProject({
      '1_a.sql': 'CREATE TABLE DB.t (x UInt8) ENGINE = MergeTree ORDER BY x;\nINSERT INTO DB.t VALUES (1);',
    })
    await server.faults([{ action: 'lateException', match, style: 'plain', rows: '', text: FULL, times: 99 }])
    expect(await apply()).toMatchObject({
      exitCode: 1,
      code: 'server_error',
      error: expect.stringMatching(
        /^The journal adverse\d+\._chkit_migrations cannot be written: ClickHouse error 243/,
      ),
      hint: expect.stringContaining('the next run finds out how far this one came'),
    })
    await server.faults([])
    expect(await apply()).toMatchObject({ exitCode: 0 })
    expect(await rows('SELECT count() AS n FROM DB.t')).toEqual([{ n: 1 }])
  })
})

describe('clocks and signals', () => {
  test('Ctrl-C while waiting for the lock: it ends at once, and leaves the lock to its holder', async () => {
    newProject(ONE)
    await executor.command(`CREATE DATABASE ${db}`)
    const store = await openLockStore({ ...executor, database: db }, '_chkit_migrations')
    const waiting = new AbortController()
    const held = await acquireLock({
      store,
      runner: 'elsewhere/1234',
      timeoutMs: 0,
      journalEpoch: 0,
      signal: waiting.signal,
      onWait: () => undefined,
    })
    setTimeout(() => waiting.abort(), 600)
    const started = performance.now()
    const { exitCode, json } = await project.run(['migrate', '--apply', '--json', '--lock-timeout', '60'], {
      signal: waiting.signal,
    })
    expect({ exitCode, ...json }).toMatchObject({ exitCode: 130, code: 'interrupted' })
    expect(performance.now() - started).toBeLessThan(10_000)
    expect(await lockHolder(store)).toMatchObject({ owner: '1234', host: 'elsewhere' })
    await held.release()
  })

  test('machines whose clocks differ by two hours: the journal keeps its order', async () => {
    newProject({
      '1_a.sql': 'CREATE TABLE DB.t (x UInt8) ENGINE = Memory;\nCREATE TABLE DB.u (x Nonsense) ENGINE = Memory;',
    })
    const at = async (hours: number) =>
      project.run(['migrate', '--apply', '--json'], { now: () => Date.now() + hours * 3_600_000 })
    expect((await at(1)).json).toMatchObject({ code: 'migration_failed', details: { statement: 2 } })
    write({ '1_a.sql': 'CREATE TABLE DB.t (x UInt8) ENGINE = Memory;\nCREATE TABLE DB.u (x UInt8) ENGINE = Memory;' })
    expect((await at(-1)).json).toMatchObject({ ok: true, applied: [{ name: '1_a.sql', resumed: 1 }] })
    const outcomes = (await journal()) as { statement: number; outcome: string }[]
    expect(outcomes.filter(({ statement }) => statement === 2).map(({ outcome }) => outcome)).toEqual([
      'intent',
      'failed',
      'intent',
      'done',
    ])
    const status = await project.run(['status', '--json'])
    expect(status.json).toMatchObject({ applied: 1, pending: 0, halfDone: [] })
  })
})

describe('flags that mean another run each', () => {
  test.each([
    ['--apply', '--unlock'],
    ['--unlock', '--resolve', '1:1=done'],
    ['--apply', '--resolve', '1:1=done'],
  ])('%s %s', async (...argv) => {
    newProject(ONE)
    const { exitCode, json } = await project.run(['migrate', '--json', ...argv])
    expect({ exitCode, ...json }).toMatchObject({
      exitCode: 2,
      code: 'invalid_flag_value',
      error: expect.stringContaining('do not go together'),
    })
  })
})
