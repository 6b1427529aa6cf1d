import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { connect } from '../../src/clickhouse/connect.js'
import type { Executor } from '../../src/clickhouse/executor.js'
import { ServerError } from '../../src/clickhouse/server-error.js'
import type { ClickHouseConfig } from '../../src/config/config.js'
import { ChkitError } from '../../src/errors.js'
import { removeFolder, temporaryFolder } from '../support/engine.js'

let root: string
const open: Executor[] = []

beforeEach(() => {
  root = temporaryFolder()
})

afterEach(async () => {
  for (const executor of open.splice(0)) await executor.close()
  removeFolder(root)
})

async function openEngine(config: Partial<ClickHouseConfig> = {}): Promise<Executor> {
  const executor = await connect({ url: 'chdb:./data', ...config }, { root })
  open.push(executor)
  return executor
}

async function failure(promise: Promise<unknown>): Promise<ChkitError> {
  const error = await promise.then(
    () => undefined,
    (e: unknown) => e,
  )
  if (!(error instanceof ChkitError)) throw new Error(`expected a ChkitError, got ${String(error)}`)
  return error
}

describe('embedded engine', () => {
  test('keeps a data directory relative to the project and finds its rows again', async () => {
    const first = await openEngine()
    await first.command('CREATE TABLE default.t (a UInt64, s String) ENGINE = MergeTree ORDER BY a')
    await first.insert('default.t', [
      { a: 1n, s: "it's `q`\n\\ ü" },
      { a: 18446744073709551615n, s: '' },
    ])
    await first.close()
    expect(existsSync(join(root, 'data'))).toBe(true)
    const second = await openEngine()
    expect(await second.query('SELECT a, s FROM default.t ORDER BY a -- with a comment')).toEqual([
      { a: 1, s: "it's `q`\n\\ ü" },
      { a: '18446744073709551615', s: '' },
    ])
  })

  test('in memory leaves nothing behind, and no folder named :memory:', async () => {
    const executor = await openEngine({ url: 'chdb::memory:' })
    expect(await executor.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
    await executor.close()
    expect(existsSync(join(root, ':memory:'))).toBe(false)
  })

  test('one process opens another directory after closing the first, and refuses before', async () => {
    const first = await openEngine()
    await first.query('SELECT 1')
    const second = await openEngine({ url: 'chdb:./other' })
    expect((await failure(second.query('SELECT 1'))).code).toBe('embedded_engine_busy')
    await first.close()
    expect(await second.query('SELECT 2 AS two')).toEqual([{ two: 2 }])
  })

  test('two connections to one directory share it; closing one leaves the other', async () => {
    const first = await openEngine()
    const second = await openEngine()
    await first.command('CREATE TABLE default.t (a UInt8) ENGINE = Memory')
    await first.close()
    expect(await second.query('SELECT count() AS n FROM default.t')).toEqual([{ n: 0 }])
  })

  test('uses the configured database once it exists and works before', async () => {
    const executor = await openEngine({ database: 'my db' })
    expect(await executor.query('SELECT currentDatabase() AS d')).toEqual([{ d: 'default' }])
    await executor.command('CREATE DATABASE `my db`')
    expect(await executor.query('SELECT currentDatabase() AS d')).toEqual([{ d: 'my db' }])
    await executor.command('CREATE TABLE t (a UInt8) ENGINE = Memory')
    expect(await executor.query("SELECT database FROM system.tables WHERE name = 't'")).toEqual([{ database: 'my db' }])
    await executor.command('DROP DATABASE `my db`')
    expect(await executor.query('SELECT currentDatabase() AS d')).toEqual([{ d: 'default' }])
  })

  test('settings of a statement do not stay', async () => {
    const executor = await openEngine({ settings: { max_block_size: 1234 } })
    const read = "SELECT name, value FROM system.settings WHERE name IN ('max_threads', 'max_block_size') ORDER BY name"
    const before = await executor.query(read)
    expect(before[0]).toEqual({ name: 'max_block_size', value: '1234' })
    const changed = await executor.query(read, { settings: { max_threads: 7, max_block_size: 99 } })
    expect(changed).toEqual([
      { name: 'max_block_size', value: '99' },
      { name: 'max_threads', value: '7' },
    ])
    expect(await executor.query(read)).toEqual(before)
  })

  test('takes a statement of a megabyte', async () => {
    const executor = await openEngine()
    const long = 'ü'.repeat(500_000)
    expect(await executor.query(`SELECT lengthUTF8('${long}') AS n`)).toEqual([{ n: 500_000 }])
  })

  test('binds parameters', async () => {
    const executor = await openEngine()
    const nasty = "'); DROP TABLE x; -- \\ \n\t ü"
    const rows = await executor.query(
      'SELECT {s:String} AS s, {n:UInt64} AS n, {c:Identifier} AS c FROM (SELECT 5 AS x)',
      {
        params: { s: nasty, n: 3, c: 'x' },
      },
    )
    expect(rows).toEqual([{ s: nasty, n: 3, c: 5 }])
  })

  test('a refusal carries number, name, position and statement', async () => {
    const executor = await openEngine()
    const unknown = await failure(executor.query('SELECT * FROM default.nope'))
    expect(unknown).toBeInstanceOf(ServerError)
    expect(unknown).toMatchObject({
      code: 'server_error',
      clickhouseCode: 60,
      clickhouseName: 'UNKNOWN_TABLE',
      statement: 'SELECT * FROM default.nope',
    })
    expect(await failure(executor.command('SELECT (1'))).toMatchObject({
      clickhouseCode: 62,
      clickhouseName: 'SYNTAX_ERROR',
    })
    expect(await failure(executor.command('CREATE TABLE gone.t (a UInt8) ENGINE = Memory'))).toMatchObject({
      code: 'database_not_found',
      clickhouseCode: 81,
    })
    expect(await failure(executor.query('SELECT 1', { settings: { max_thrads: 1 } }))).toMatchObject({
      clickhouseCode: 115,
    })
  })

  test('statements run beside each other', async () => {
    const executor = await openEngine()
    await executor.query('SELECT 1')
    const start = performance.now()
    await Promise.all([1, 2, 3].map(() => executor.query('SELECT sleep(0.4)')))
    expect(performance.now() - start).toBeLessThan(1_000)
  })

  test('an abort rejects at once, stops the query, and closing does not wait for it', async () => {
    const executor = await openEngine()
    await executor.query('SELECT 1')
    const controller = new AbortController()
    const start = performance.now()
    const running = failure(
      executor.query('SELECT count() FROM numbers(1e12) WHERE sipHash64(number) = 1', { signal: controller.signal }),
    )
    setTimeout(() => controller.abort(), 200)
    expect((await running).code).toBe('interrupted')
    await executor.close()
    expect(performance.now() - start).toBeLessThan(3_000)
  })

  test('a time limit rejects with its length', async () => {
    const executor = await openEngine()
    const error = await failure(executor.query('SELECT sleep(2)', { timeoutMs: 200 }))
    expect(error).toMatchObject({ code: 'connection_timeout', retriable: true })
    expect(error.message).toContain('200 ms')
  })

  test('a directory that another process holds is busy, and names the process', async () => {
    const path = join(root, 'data')
    const chdb = createRequire(import.meta.url).resolve('chdb')
    const holder = spawn(process.execPath, [
      '-e',
      `const { Session } = require(${JSON.stringify(chdb)}); const s = new Session(${JSON.stringify(path)}); s.query('SELECT 1'); console.log('open'); setTimeout(() => {}, 60000)`,
    ])
    try {
      await new Promise((resolve) => holder.stdout.once('data', resolve))
      const executor = await openEngine()
      const error = await failure(executor.query('SELECT 1'))
      expect(error).toMatchObject({ code: 'embedded_engine_busy', retriable: true })
      expect(error.message).toContain(String(holder.pid))
    } finally {
      holder.kill('SIGKILL')
      await new Promise((resolve) => holder.once('exit', resolve))
    }
    expect(await (await openEngine()).query('SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  test('an unknown URL parameter and a missing path are configuration errors', async () => {
    expect((await failure(openEngine({ url: 'chdb:./data?confg=x' }))).code).toBe('config_invalid')
    expect((await failure(openEngine({ url: 'chdb:' }))).code).toBe('config_invalid')
    expect((await failure(openEngine({ url: 'mysql://u:secret@host' }))).message).not.toContain('secret')
  })

  test('tells the engine and its version', async () => {
    const executor = await openEngine()
    expect(await executor.server()).toMatchObject({ major: 26, readonly: 0 })
    expect(executor).toMatchObject({ kind: 'embedded', database: 'default', target: `chdb:${join(root, 'data')}` })
  })
})
