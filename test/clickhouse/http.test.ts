import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { connect } from '../../src/clickhouse/connect.js'
import type { Executor } from '../../src/clickhouse/executor.js'
import { ServerError } from '../../src/clickhouse/server-error.js'
import type { ClickHouseConfig } from '../../src/config/config.js'
import { ChkitError } from '../../src/errors.js'
import { type HttpServer, startHttpServer } from '../support/http-server.js'
import { answering, type RawServer, startRawServer } from '../support/sockets.js'

const TLS = fileURLToPath(new URL('../support/tls/', import.meta.url))
const open: Executor[] = []
const raw: RawServer[] = []

afterEach(async () => {
  for (const executor of open.splice(0)) await executor.close()
  for (const server of raw.splice(0)) await server.stop()
})

async function openHttp(config: ClickHouseConfig): Promise<Executor> {
  const executor = await connect(config, { root: TLS })
  open.push(executor)
  return executor
}

async function failure(promise: Promise<unknown>): Promise<ChkitError> {
  const error = await promise.then(
    (value) => new Error(`expected a failure, got ${JSON.stringify(value)}`),
    (e: unknown) => e,
  )
  if (!(error instanceof ChkitError)) throw error
  return error
}

/** The error of a first query, and the ms it took. */
async function firstFailure(config: Partial<ClickHouseConfig> & { url: string }) {
  const executor = await openHttp({ connectTimeoutMs: 1_000, ...config })
  const start = performance.now()
  const error = await failure(executor.query('SELECT 1'))
  return { error, ms: performance.now() - start }
}

describe('a server over HTTP', () => {
  let server: HttpServer
  beforeAll(async () => {
    server = await startHttpServer({
      users: [
        { name: 'default', password: '' },
        { name: 'writer', password: 'p@ss:w/örd' },
        { name: 'reader', password: 'reader-secret', readonly: 1 },
        { name: 'analyst', password: 'analyst-secret', selectOnly: true },
      ],
    })
  })
  afterAll(() => server.stop())
  beforeEach(async () => {
    await server.faults([])
    await server.latency(0)
    await server.silent(false)
    await server.clearHistory()
  })

  test('is verified by one request without settings and without a database, then asked', async () => {
    const executor = await openHttp({ url: server.url, settings: { max_threads: 3 } })
    expect(await executor.query("SELECT getSetting('max_threads') AS n")).toEqual([{ n: 3 }])
    const [first, second, ...others] = await server.history()
    expect(first).toMatchObject({ settings: {} })
    expect(first?.database).toBeUndefined()
    expect(second).toMatchObject({ settings: { max_threads: '3' }, database: 'default' })
    expect(others).toEqual([])
    expect(await executor.server()).toMatchObject({ major: 26, readonly: 0 })
    expect(await server.stats()).toMatchObject({ requests: 2, connections: 1 })
  })

  test('rows come as objects: exact 64-bit integers, arrays, nulls, text of every kind', async () => {
    const executor = await openHttp({ url: server.url })
    const text = "tab\t nl\n q' bq` bs\\ nul\0 ü 🙂"
    const rows = await executor.query(
      'SELECT {t:String} AS t, 5::UInt64 AS n, 18446744073709551615 AS big, [1::Int64, -9007199254740993] AS list, NULL AS nothing, {list:Array(String)} AS texts',
      { params: { t: text, list: ["a'b", 'c\\d'] } },
    )
    expect(rows).toEqual([
      {
        t: text,
        n: 5,
        big: '18446744073709551615',
        list: [1, '-9007199254740993'],
        nothing: null,
        texts: ["a'b", 'c\\d'],
      },
    ])
  })

  test('parameters may be longer than a URL', async () => {
    const executor = await openHttp({ url: server.url })
    const long = "it's \\ long\n".repeat(20_000)
    expect(await executor.query('SELECT {s:String} AS s, {n:UInt8} AS n', { params: { s: long, n: 7 } })).toEqual([
      { s: long, n: 7 },
    ])
  })

  test('a statement may end in a comment, and many run at once', async () => {
    const executor = await openHttp({ url: server.url })
    expect(await executor.query('SELECT 1 AS one -- FORMAT CSV')).toEqual([{ one: 1 }])
    await Promise.all(Array.from({ length: 8 }, () => executor.query('SELECT sleep(0.3)')))
    expect((await server.stats()).mostInFlight).toBeGreaterThanOrEqual(4)
  })

  test('the configured database is created by a command, used from then on, and may vanish', async () => {
    const executor = await openHttp({ url: server.url, database: 'späte `db`' })
    expect(await executor.query('SELECT currentDatabase() AS d')).toEqual([{ d: 'default' }])
    await executor.command('CREATE DATABASE `späte \\`db\\``')
    await executor.command('CREATE TABLE t (a UInt64, at DateTime64(3), s String) ENGINE = MergeTree ORDER BY a')
    const at = new Date(Date.UTC(2024, 1, 3, 4, 5, 6, 789))
    expect(await executor.insert('t', [{ a: 9007199254740993n, at, s: "it's" }])).toMatchObject({ writtenRows: 1 })
    expect(await executor.query('SELECT * FROM t')).toEqual([
      { a: '9007199254740993', at: '2024-02-03 04:05:06.789', s: "it's" },
    ])
    await executor.command('DROP DATABASE `späte \\`db\\``')
    expect(await executor.query('SELECT currentDatabase() AS d')).toEqual([{ d: 'default' }])
  })

  test('requests are compressed when the config says so', async () => {
    const executor = await openHttp({ url: server.url, compression: true })
    expect(await executor.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
    expect((await server.history()).map((entry) => entry.encoding)).toEqual(['gzip', 'gzip'])
  })

  test('query ids are ours, seen by the server while a statement runs, and can be killed by', async () => {
    const executor = await openHttp({ url: server.url })
    const running = failure(
      executor.command(
        'SELECT sleepEachRow(1) FROM numbers(20) SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 0',
        { queryId: 'our-id' },
      ),
    )
    await expect
      .poll(() => executor.query("SELECT query_id AS id FROM system.processes WHERE query_id = 'our-id'"))
      .toEqual([{ id: 'our-id' }])
    await executor.command("KILL QUERY WHERE query_id = 'our-id' ASYNC")
    expect(await running).toMatchObject({ clickhouseCode: 394, clickhouseName: 'QUERY_WAS_CANCELLED', retriable: true })
    await executor.command('SYSTEM FLUSH LOGS')
    expect(
      await executor.query(
        "SELECT type, exception_code AS code FROM system.query_log WHERE query_id = 'our-id' ORDER BY type",
      ),
    ).toEqual([
      { type: 'QueryStart', code: 0 },
      { type: 'ExceptionWhileProcessing', code: 394 },
    ])
  })

  test('credentials come from the config or the URL, and appear nowhere', async () => {
    const password = 'p@ss:w/örd'
    const byUrl = await openHttp({ url: server.url.replace('://', `://writer:${encodeURIComponent(password)}@`) })
    const byConfig = await openHttp({ url: server.url, username: 'writer', password })
    for (const executor of [byUrl, byConfig]) {
      expect(await executor.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
      expect(executor.target).toBe(server.url)
      const error = await failure(
        executor.query(`SELECT '${password}', * FROM url('http://writer:short@127.0.0.1:1/', 'CSV', 'a Nope')`),
      )
      const shown = JSON.stringify([
        error.message,
        error.hint,
        error.details,
        error instanceof ServerError ? error.statement : '',
      ])
      expect(shown).not.toContain('örd')
    }
    expect((await server.history()).every((entry) => entry.user === 'writer')).toBe(true)
  })

  test('a wrong password and an unknown user fail with authentication_failed', async () => {
    for (const config of [
      { username: 'writer', password: 'guessed-wrongly' },
      { username: 'nobody' },
      { url: server.url.replace('://', '://writer:guessed-wrongly@') },
    ]) {
      const { error } = await firstFailure({ url: server.url, ...config })
      expect(error).toMatchObject({ code: 'authentication_failed', clickhouseCode: 516, retriable: false })
      expect(error.hint).toContain('clickhouse.password')
      expect(`${error.message}${error.hint}${JSON.stringify(error.details)}`).not.toContain('guessed')
    }
  })

  test('a read-only account is sent no settings and may read', async () => {
    const executor = await openHttp({
      url: server.url,
      username: 'reader',
      password: 'reader-secret',
      settings: { max_threads: 2 },
    })
    expect(await executor.query('SELECT 1 AS one', { settings: { max_block_size: 5 } })).toEqual([{ one: 1 }])
    expect((await executor.server()).readonly).toBe(1)
    const error = await failure(executor.command('CREATE DATABASE d'))
    expect(error).toMatchObject({ code: 'access_denied', clickhouseCode: 164 })
    expect(error.hint).toContain("'reader' is read-only")
  })

  test('an account that may only SELECT is denied by code', async () => {
    const executor = await openHttp({ url: server.url, username: 'analyst', password: 'analyst-secret' })
    expect(await executor.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
    expect(await failure(executor.command('CREATE DATABASE d'))).toMatchObject({
      code: 'access_denied',
      clickhouseCode: 497,
      clickhouseName: 'ACCESS_DENIED',
    })
  })

  test('refusals carry the server’s number and name, the statement and its id', async () => {
    const executor = await openHttp({ url: server.url })
    const rows: readonly [string, Partial<ServerError>][] = [
      ['SELECT * FROM default.nope', { code: 'server_error', clickhouseCode: 60, clickhouseName: 'UNKNOWN_TABLE' }],
      [
        'SELECT * FROM gone.nope',
        { code: 'database_not_found', clickhouseCode: 81, clickhouseName: 'UNKNOWN_DATABASE' },
      ],
      ['SELEC 1', { code: 'server_error', clickhouseCode: 62, clickhouseName: 'SYNTAX_ERROR', position: 1 }],
      [
        'SELECT throwIf(number = 3) FROM numbers(9)',
        { clickhouseCode: 395, clickhouseName: 'FUNCTION_THROW_IF_VALUE_IS_NON_ZERO' },
      ],
      ['SELECT 1; SELECT 2', { clickhouseCode: 62 }],
    ]
    for (const [sql, expected] of rows) {
      const error = await failure(executor.query(sql, { queryId: 'q-1' }))
      expect(error).toBeInstanceOf(ServerError)
      expect(error).toMatchObject({ ...expected, statement: sql, queryId: 'q-1' })
      expect(error.message).not.toMatch(/version \d|Stack trace/)
    }
  })

  test.each(['tagged', 'plain', 'cut'] as const)(
    'an error that arrives inside an HTTP 200 is an error (%s)',
    async (style) => {
      const executor = await openHttp({ url: server.url })
      await executor.server()
      await server.faults([{ action: 'lateException', style, times: 3 }])
      expect(await failure(executor.query('SELECT 1'))).toMatchObject({ code: 'server_error', clickhouseCode: 395 })
      expect(
        await failure(executor.command('CREATE TABLE IF NOT EXISTS default.late (a UInt8) ENGINE = Memory')),
      ).toMatchObject({ clickhouseCode: 395 })
      await server.faults([{ action: 'lateException', style, rows: '' }])
      expect(
        await failure(executor.command('CREATE TABLE IF NOT EXISTS default.late (a UInt8) ENGINE = Memory')),
      ).toMatchObject({ clickhouseCode: 395 })
    },
  )

  test('rows that quote an error are rows', async () => {
    const executor = await openHttp({ url: server.url })
    const quoted = '\nCode: 60. DB::Exception: Table x does not exist. (UNKNOWN_TABLE)'
    expect(await executor.query('SELECT {q:String} AS q', { params: { q: quoted } })).toEqual([{ q: quoted }])
  })

  test('a reset before the answer: a read is tried again, a command is not', async () => {
    const executor = await openHttp({ url: server.url })
    await executor.server()
    await server.faults([{ action: 'resetBefore', match: 'SELECT 7' }])
    expect(await executor.query('SELECT 7 AS n')).toEqual([{ n: 7 }])
    await server.clearHistory()
    for (const action of ['resetBefore', 'resetAfter', 'closeAfter', 'cutAfter'] as const) {
      await server.faults([{ action }])
      expect(await failure(executor.command('CREATE DATABASE IF NOT EXISTS d'))).toMatchObject({
        code: 'connection_reset',
        retriable: true,
      })
    }
    expect((await server.history()).map((entry) => entry.state)).toEqual([
      'received',
      'finished',
      'finished',
      'finished',
    ])
    await server.faults([{ action: 'resetBefore', times: 2 }])
    expect((await failure(executor.query('SELECT 7'))).code).toBe('connection_reset')
  })

  test('a proxy’s own errors are told apart from the server’s', async () => {
    const executor = await openHttp({ url: server.url })
    await executor.server()
    for (const status of [502, 503, 504]) {
      await server.faults([{ action: 'proxyErrorAfter', status }])
      const error = await failure(executor.command('SELECT 1'))
      expect(error).toMatchObject({ code: 'connection_proxy_error', retriable: true })
      expect(error.message).toContain(String(status))
    }
  })

  test('limits: of the connection before the first answer, of the request after it, of one call', async () => {
    await server.silent(true)
    const { error, ms } = await firstFailure({ url: server.url, connectTimeoutMs: 300 })
    expect(error).toMatchObject({ code: 'connection_timeout', retriable: true })
    expect(error.message).toContain('300 ms')
    expect(ms).toBeLessThan(1_000)
    await server.silent(false)
    const executor = await openHttp({ url: server.url, requestTimeoutMs: 400 })
    expect((await failure(executor.command('SELECT sleep(2)'))).message).toContain('400 ms')
    expect((await failure(executor.query('SELECT sleep(2)', { timeoutMs: 100 }))).message).toContain('100 ms')
    expect(await executor.query('SELECT sleep(1) AS s', { timeoutMs: 0 })).toEqual([{ s: 0 }])
  })

  test('an abort rejects at once with interrupted', async () => {
    const executor = await openHttp({ url: server.url })
    const controller = new AbortController()
    const running = failure(executor.query('SELECT sleep(3)', { signal: controller.signal }))
    setTimeout(() => controller.abort(), 200)
    const start = performance.now()
    expect((await running).code).toBe('interrupted')
    expect(performance.now() - start).toBeLessThan(1_000)
    expect((await failure(executor.query('SELECT 1', { signal: controller.signal }))).code).toBe('interrupted')
  })

  test('a failed first request is not remembered', async () => {
    const executor = await openHttp({ url: server.url, connectTimeoutMs: 2_000 })
    await server.silent(true)
    expect((await failure(executor.query('SELECT 1'))).code).toBe('connection_timeout')
    await server.silent(false)
    expect(await executor.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  test('a closed connection is not used again', async () => {
    const executor = await openHttp({ url: server.url })
    await executor.close()
    await executor.close()
    expect((await failure(executor.query('SELECT 1'))).code).toBe('internal_error')
  })
})

describe('what is there is not what was expected', () => {
  test('a server that is too old', async () => {
    const server = await startHttpServer({ version: '1.1.54388' })
    try {
      const { error } = await firstFailure({ url: server.url })
      expect(error).toMatchObject({ code: 'server_too_old', details: { version: '1.1.54388', oldest: '18.16' } })
    } finally {
      await server.stop()
    }
  })

  test('an idle socket that the server has closed is not an error', async () => {
    const server = await startHttpServer({ keepAliveMs: 300 })
    try {
      const executor = await openHttp({ url: server.url })
      for (let round = 0; round < 5; round++) {
        expect(await executor.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
        await new Promise((resolve) => setTimeout(resolve, 280 + round * 10))
      }
    } finally {
      await server.stop()
    }
  })

  test('a port without a listener', async () => {
    const gone = await startRawServer(() => undefined)
    await gone.stop()
    const { error, ms } = await firstFailure({ url: `http://127.0.0.1:${gone.port}` })
    expect(error).toMatchObject({ code: 'connection_refused', retriable: true })
    expect(ms).toBeLessThan(1_000)
  })

  test('a host that nobody knows', async () => {
    const { error } = await firstFailure({ url: 'http://no-such-host.invalid:8123' })
    expect(error).toMatchObject({ code: 'connection_host_unknown' })
    expect(error.message).toContain('no-such-host.invalid')
  })

  test('a listener that accepts and never answers', async () => {
    const server = await startRawServer(() => undefined)
    raw.push(server)
    const { error, ms } = await firstFailure({ url: `http://127.0.0.1:${server.port}`, connectTimeoutMs: 250 })
    expect(error).toMatchObject({ code: 'connection_timeout', retriable: true })
    expect(ms).toBeLessThan(900)
  })

  test('a listener that sends without end', async () => {
    const server = await startRawServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n')
      const timer = setInterval(() => socket.write('x'.repeat(100_000)), 1)
      socket.on('close', () => clearInterval(timer))
    })
    raw.push(server)
    const { error } = await firstFailure({ url: `http://127.0.0.1:${server.port}`, connectTimeoutMs: 3_000 })
    expect(error.code).toBe('connection_not_clickhouse')
  })

  const html = '<html><body>Welcome to nginx!</body></html>'
  const foreign: readonly { name: string; bytes: string; code: string }[] = [
    {
      name: 'a web page',
      bytes: `HTTP/1.1 200 OK\r\nContent-Length: ${html.length}\r\n\r\n${html}`,
      code: 'connection_not_clickhouse',
    },
    {
      name: 'a web server without that path',
      bytes: `HTTP/1.1 404 Not Found\r\nContent-Length: ${html.length}\r\n\r\n${html}`,
      code: 'connection_not_clickhouse',
    },
    {
      name: 'other JSON',
      bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{"meta":"no"}',
      code: 'connection_not_clickhouse',
    },
    {
      name: 'an empty answer',
      bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
      code: 'connection_not_clickhouse',
    },
    {
      name: 'a redirect',
      bytes: 'HTTP/1.1 301 Moved\r\nLocation: https://x/\r\nContent-Length: 0\r\n\r\n',
      code: 'connection_not_clickhouse',
    },
    {
      name: 'the native port',
      bytes:
        'HTTP/1.0 400 Bad Request\r\n\r\nPort 9000 is for clickhouse-client program\r\nYou must use port 8123 for HTTP.\r\n',
      code: 'connection_not_clickhouse',
    },
    {
      name: 'another protocol',
      bytes: "-ERR wrong number of arguments for 'get' command\r\n",
      code: 'connection_not_clickhouse',
    },
    {
      name: 'a gateway without its server',
      bytes: `HTTP/1.1 502 Bad Gateway\r\nContent-Length: ${html.length}\r\n\r\n${html}`,
      code: 'connection_proxy_error',
    },
    { name: 'a closed connection', bytes: '', code: 'connection_reset' },
    { name: 'half an answer', bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{', code: 'connection_reset' },
  ]
  test.each(foreign)('$name', async ({ bytes, code }) => {
    const server = await startRawServer(answering(bytes))
    raw.push(server)
    const { error } = await firstFailure({ url: `http://user:topsecret@127.0.0.1:${server.port}` })
    expect(error.code).toBe(code)
    expect(error.hint).toBeTruthy()
    expect(`${error.message}${error.hint}${JSON.stringify(error.details)}`).not.toContain('topsecret')
  })

  test.each(['http://host:8123/?max_threads=1', 'http://', 'http://[half', 'chbd:./x', 'localhost:8123', ''])(
    'the URL %j',
    async (url) => {
      expect(await failure(connect({ url }, { root: TLS }))).toMatchObject({ code: 'config_invalid' })
    },
  )
})

describe('TLS', () => {
  let server: HttpServer
  let strict: HttpServer
  let elsewhere: HttpServer
  const keyFile = `${TLS}server.key`
  beforeAll(async () => {
    server = await startHttpServer({ tls: { certFile: `${TLS}server.pem`, keyFile } })
    strict = await startHttpServer({ tls: { certFile: `${TLS}server.pem`, keyFile, caFile: `${TLS}ca.pem` } })
    elsewhere = await startHttpServer({ tls: { certFile: `${TLS}elsewhere.pem`, keyFile } })
  })
  afterAll(() => Promise.all([server.stop(), strict.stop(), elsewhere.stop()]))

  test('with the right CA, file relative to the config', async () => {
    const executor = await openHttp({ url: server.url, tls: { caFile: './ca.pem' } })
    expect(await executor.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  test('with an unknown CA fails, and passes when the config accepts any certificate', async () => {
    const { error } = await firstFailure({ url: server.url })
    expect(error).toMatchObject({ code: 'connection_tls_failed', retriable: false })
    expect(error.hint).toContain('caFile')
    const executor = await openHttp({ url: server.url, tls: { rejectUnauthorized: false } })
    expect(await executor.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  test('with a certificate of another host', async () => {
    const { error } = await firstFailure({ url: elsewhere.url, tls: { caFile: 'ca.pem' } })
    expect(error.code).toBe('connection_tls_failed')
  })

  test('with a client certificate', async () => {
    const refused = await firstFailure({ url: strict.url, tls: { caFile: 'ca.pem' } })
    expect(['connection_tls_failed', 'connection_reset']).toContain(refused.error.code)
    const executor = await openHttp({
      url: strict.url,
      tls: { caFile: 'ca.pem', certFile: 'client.pem', keyFile: 'client.key' },
    })
    expect(await executor.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  test('with a file that is not there', async () => {
    const error = await failure(connect({ url: server.url, tls: { caFile: 'gone.pem' } }, { root: TLS }))
    expect(error.code).toBe('connection_tls_failed')
    expect(error.message).toContain('gone.pem')
  })

  test('https to a plain port, and http to a TLS port', async () => {
    const plain = await startHttpServer()
    try {
      expect((await firstFailure({ url: plain.url.replace('http:', 'https:') })).error.code).toBe(
        'connection_tls_failed',
      )
      const reversed = await firstFailure({ url: server.url.replace('https:', 'http:') })
      expect(['connection_reset', 'connection_not_clickhouse', 'connection_tls_failed']).toContain(reversed.error.code)
    } finally {
      await plain.stop()
    }
  })
})
