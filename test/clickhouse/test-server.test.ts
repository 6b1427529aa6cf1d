import { afterAll, beforeAll, expect, test } from 'vitest'
import { removeFolder, temporaryFolder } from '../support/engine.js'
import { type HttpServer, startHttpServer } from '../support/http-server.js'

/** The test server is itself trusted by other tests, so its protocol is checked with a client that hides nothing. */
let server: HttpServer
let folder: string

beforeAll(async () => {
  folder = temporaryFolder()
  server = await startHttpServer({
    path: folder,
    users: [
      { name: 'default', password: '' },
      { name: 'u', password: 'p' },
    ],
  })
})
afterAll(async () => {
  await server.stop()
  removeFolder(folder)
})

async function send(search: string, body?: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${server.url}/${search}`, {
    headers,
    ...(body === undefined ? {} : { method: 'POST', body }),
  })
  return { status: response.status, headers: response.headers, text: await response.text() }
}

test('answers pings, queries in the URL, in the body and in both', async () => {
  expect((await send('ping')).text).toBe('Ok.\n')
  expect((await send('?query=SELECT%201')).text).toBe('1\n')
  expect((await send('', 'SELECT 1 FORMAT CSV')).text).toBe('1\n')
  await send('', 'CREATE TABLE default.both (a UInt8) ENGINE = MergeTree ORDER BY a')
  await send('?query=INSERT%20INTO%20default.both%20FORMAT%20CSV', '7\n8\n')
  expect((await send('?default_format=JSONCompactEachRow', 'SELECT a FROM default.both ORDER BY a')).text).toBe(
    '[7]\n[8]\n',
  )
})

test('sends the headers of a server', async () => {
  const { headers } = await send('?query_id=mine&default_format=JSON', 'SELECT 1')
  expect(headers.get('x-clickhouse-query-id')).toBe('mine')
  expect(headers.get('x-clickhouse-format')).toBe('JSON')
  expect(headers.get('x-clickhouse-timezone')).toBe('UTC')
  expect(headers.get('content-type')).toContain('application/json')
  expect(JSON.parse(headers.get('x-clickhouse-summary') ?? '')).toMatchObject({ read_rows: '1' })
})

test.each([
  { sql: 'SELEC', status: 400, code: '62' },
  { sql: 'SELECT * FROM default.nope', status: 404, code: '60' },
  { sql: 'SELECT 1; SELECT 2', status: 400, code: '62' },
  { sql: '1 + 1', status: 400, code: '62' },
  { sql: 'SELECT throwIf(1)', status: 500, code: '395' },
  { sql: '', status: 400, code: '62' },
])('refuses $sql with $status and $code', async ({ sql, status, code }) => {
  const answer = await send('', sql)
  expect([answer.status, answer.headers.get('x-clickhouse-exception-code')]).toEqual([status, code])
  expect(answer.text).toMatch(
    new RegExp(`^Code: ${code}\\. DB::Exception: [\\s\\S]* \\(version [\\d.]+ \\(official build\\)\\)\\n$`),
  )
})

test('takes one statement with a semicolon behind it, and semicolons in strings, names and comments', async () => {
  expect((await send('', "SELECT ';a', 1 AS `;b` -- ;c\n /* ;d */ ;\n")).text).toBe(';a\t1\n')
})

test('knows users by URL, headers and basic authentication', async () => {
  const basic = (text: string) => ({ Authorization: `Basic ${Buffer.from(text).toString('base64')}` })
  expect((await send('?user=u&password=p', 'SELECT 1')).status).toBe(200)
  expect((await send('', 'SELECT 1', { 'X-ClickHouse-User': 'u', 'X-ClickHouse-Key': 'p' })).status).toBe(200)
  expect((await send('', 'SELECT 1', basic('u:p'))).status).toBe(200)
  expect((await send('', 'SELECT 1', basic('u:q'))).status).toBe(403)
})

test('binds parameters and applies settings to one request only', async () => {
  const bound = await send(
    `?param_s=${encodeURIComponent("a\\tb\\'")}&param_n=5&param_l=${encodeURIComponent("['x']")}`,
    'SELECT {s:String}, {n:UInt8}, {l:Array(String)} FORMAT JSONCompactEachRow',
  )
  expect(bound.text).toBe('["a\\tb\'", 5, ["x"]]\n')
  const read = "SELECT value FROM system.settings WHERE name = 'max_block_size'"
  const before = await send('', read)
  expect((await send('?max_block_size=99', read)).text).toBe('99\n')
  expect((await send('', read)).text).toBe(before.text)
  expect((await send('?max_thrads=9', 'SELECT 1')).headers.get('x-clickhouse-exception-code')).toBe('115')
  expect((await send('?database=nope', 'SELECT 1')).headers.get('x-clickhouse-exception-code')).toBe('81')
})

test('goes on with a statement whose client has left', async () => {
  await send('', 'CREATE TABLE default.left (a UInt8) ENGINE = MergeTree ORDER BY a')
  const controller = new AbortController()
  const request = fetch(server.url, {
    method: 'POST',
    body: 'INSERT INTO default.left SELECT sleep(1) + 1',
    signal: controller.signal,
  }).catch(() => undefined)
  setTimeout(() => controller.abort(), 300)
  await request
  await expect
    .poll(async () => (await send('', 'SELECT count() FROM default.left')).text, { timeout: 3_000 })
    .toBe('1\n')
})

test('a killed server comes back with its tables and its query log', async () => {
  await send('?query_id=before-the-crash', 'CREATE TABLE default.kept (a UInt8) ENGINE = MergeTree ORDER BY a')
  await send('', 'SYSTEM FLUSH LOGS')
  await server.faults([{ action: 'killAfter', match: 'INSERT' }])
  await send('', 'INSERT INTO default.kept VALUES (1)').catch(() => undefined)
  await server.kill()
  server = await startHttpServer({ path: folder, port: server.port })
  expect((await send('', 'SELECT count() FROM default.kept')).text).toBe('1\n')
  expect(
    (await send('', "SELECT type FROM system.query_log WHERE query_id = 'before-the-crash' ORDER BY type")).text,
  ).toBe('QueryStart\nQueryFinish\n')
})
