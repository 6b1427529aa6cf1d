import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { readCatalog } from '../../src/clickhouse/catalog.js'
import { connect } from '../../src/clickhouse/connect.js'
import type { Executor } from '../../src/clickhouse/executor.js'
import { databaseEngines, hasSystemColumn } from '../../src/clickhouse/features.js'
import { readTableSizes } from '../../src/clickhouse/table-sizes.js'
import type { ClickHouseConfig } from '../../src/config/config.js'
import { ChkitError } from '../../src/errors.js'
import { isFencedOff, openFence } from '../../src/migration/fence.js'
import { type OldServer, oldServerMissing, startOldServer } from '../support/old-server.js'

describe.skipIf(oldServerMissing)(
  `ClickHouse 18.16${oldServerMissing ? ` (skipped: ${oldServerMissing})` : ''}`,
  () => {
    let server: OldServer
    const open: Executor[] = []
    beforeAll(async () => {
      server = await startOldServer()
    })
    afterAll(() => server.stop())
    afterEach(async () => {
      for (const executor of open.splice(0)) await executor.close()
    })

    async function openOld(config: Partial<ClickHouseConfig> = {}): Promise<Executor> {
      const executor = await connect({ url: server.url, ...config }, { root: '/' })
      open.push(executor)
      return executor
    }

    async function failure(promise: Promise<unknown>): Promise<ChkitError> {
      const error = await promise.then(
        () => new Error('expected a failure'),
        (e: unknown) => e,
      )
      if (!(error instanceof ChkitError)) throw error
      return error
    }

    test('is greeted, and its lacks are known', async () => {
      const info = await (await openOld()).server()
      expect(info).toMatchObject({ major: 18, minor: 16, readonly: 0 })
      expect(hasSystemColumn(info, 'tables', 'create_table_query')).toBe(true)
      expect(hasSystemColumn(info, 'tables', 'uuid')).toBe(false)
      expect(hasSystemColumn(info, 'functions', 'create_query')).toBe(false)
      expect(hasSystemColumn(info, 'mutations', 'is_done')).toBe(true)
    })

    test('refuses what comes when its session has ended, and gives none where there is no time', async () => {
      const executor = await openOld()
      await executor.command('CREATE TABLE fenced (x UInt8) ENGINE = Memory')
      const started = performance.now()
      const session = await openFence(executor, () => 4_500 - (performance.now() - started))
      expect(session).toMatchObject({ timeoutS: 1, mustExist: true })
      await executor.command('INSERT INTO fenced VALUES (1)', session === undefined ? {} : { session })
      await new Promise((resolve) => setTimeout(resolve, 3_100))
      const late = await failure(
        executor.command('INSERT INTO fenced VALUES (2)', session === undefined ? {} : { session }),
      )
      expect(isFencedOff(late)).toBe(true)
      expect(await executor.query('SELECT x FROM fenced')).toEqual([{ x: 1 }])
      expect(await openFence(executor, () => 3_500)).toBeUndefined()
    })

    test('creates the configured database, writes and reads, with parameters put into the text', async () => {
      const executor = await openOld({ database: 'shop' })
      expect(await executor.query('SELECT currentDatabase() AS d')).toEqual([{ d: 'default' }])
      await executor.command('CREATE DATABASE shop')
      await executor.command('CREATE TABLE t (id UInt64, s String) ENGINE = MergeTree ORDER BY id')
      await executor.insert('t', [
        { id: 9007199254740993n, s: "it's" },
        { id: 5, s: '\\' },
      ])
      expect(
        await executor.query('SELECT * FROM t WHERE has({list:Array(String)}, s) ORDER BY id', {
          params: { list: ["it's", '\\'] },
        }),
      ).toEqual([
        { id: 5, s: '\\' },
        { id: '9007199254740993', s: "it's" },
      ])
      expect(
        await executor.query("SELECT value FROM system.settings WHERE name = 'max_block_size'", {
          settings: { max_block_size: 77 },
        }),
      ).toEqual([{ value: '77' }])
      expect(await readTableSizes(executor, [{ database: 'shop', name: 't' }])).toMatchObject([{ rows: 2 }])
      expect((await databaseEngines(executor)).get('shop')).toBe('Ordinary')
    })

    test('shows its objects', async () => {
      const executor = await openOld()
      for (const sql of [
        'CREATE DATABASE IF NOT EXISTS seen',
        'CREATE TABLE seen.t (id UInt64, d Date) ENGINE = MergeTree PARTITION BY toYYYYMM(d) ORDER BY id',
        'CREATE VIEW seen.v AS SELECT id FROM seen.t',
        'CREATE MATERIALIZED VIEW seen.m ENGINE = SummingMergeTree ORDER BY id AS SELECT id, count() AS n FROM seen.t GROUP BY id',
        'CREATE MATERIALIZED VIEW seen.to TO seen.t AS SELECT id, d FROM seen.t',
      ]) {
        await executor.command(sql)
      }
      const { entries, skipped } = await readCatalog(executor, { databases: ['seen'] })
      expect(entries.map(({ kind, name, engine }) => [kind, name, engine])).toEqual([
        ['database', 'seen', 'Ordinary'],
        ['table', 'm', 'MaterializedView'],
        ['table', 't', 'MergeTree'],
        ['table', 'to', 'MaterializedView'],
        ['table', 'v', 'View'],
      ])
      expect(skipped).toEqual([])
    })

    test('refuses with its old codes, under our names', async () => {
      const executor = await openOld()
      expect(await failure(executor.query('SELECT * FROM default.nope'))).toMatchObject({
        code: 'server_error',
        clickhouseCode: 60,
        clickhouseName: 'UNKNOWN_TABLE',
      })
      expect(await failure(executor.query('SELECT * FROM gone.nope'))).toMatchObject({
        code: 'database_not_found',
        clickhouseCode: 81,
      })
      expect(await failure(executor.command('SELEC 1'))).toMatchObject({
        clickhouseCode: 62,
        clickhouseName: 'SYNTAX_ERROR',
        position: 1,
      })
      // Its answer begins as rows; wait_end_of_query holds it back until the outcome is known.
      expect(await failure(executor.query('SELECT throwIf(number = 1000000) FROM numbers(10000000)'))).toMatchObject({
        clickhouseCode: 395,
      })
      expect(
        await failure((await openOld({ username: 'writer', password: 'wrong-one' })).query('SELECT 1')),
      ).toMatchObject({ code: 'authentication_failed', clickhouseCode: 193 })
      expect(await failure((await openOld({ username: 'nobody' })).query('SELECT 1'))).toMatchObject({
        code: 'authentication_failed',
        clickhouseCode: 192,
      })
    })

    test('a read-only account reads without settings and may not write', async () => {
      const executor = await openOld({ username: 'reader', password: 'reader-secret', settings: { max_threads: 2 } })
      expect(await executor.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
      expect(await failure(executor.command('CREATE DATABASE x'))).toMatchObject({
        code: 'access_denied',
        clickhouseCode: 164,
      })
    })

    test('takes a statement of a megabyte', async () => {
      const long = 'ü'.repeat(500_000)
      expect(await (await openOld()).query(`SELECT lengthUTF8('${long}') AS n`)).toEqual([{ n: 500_000 }])
    })

    test('takes compressed requests', async () => {
      expect(await (await openOld({ compression: true })).query('SELECT 1 AS one')).toEqual([{ one: 1 }])
    })

    test('its native port is named as such', async () => {
      const error = await failure((await openOld({ url: `http://127.0.0.1:${server.ports.tcp}` })).query('SELECT 1'))
      expect(error).toMatchObject({ code: 'connection_not_clickhouse' })
      expect(error.message).toContain('clickhouse-client')
    })

    test('stopped (SIGSTOP) it times out, continued it answers', async () => {
      server.pause()
      try {
        expect(await failure((await openOld({ connectTimeoutMs: 300 })).query('SELECT 1'))).toMatchObject({
          code: 'connection_timeout',
        })
      } finally {
        server.resume()
      }
      expect(await (await openOld()).query('SELECT 1 AS one')).toEqual([{ one: 1 }])
    })
  },
)
