/**
 * ClickHouse's HTTP protocol in front of the embedded engine, as a process of its own: real sockets, real statuses and
 * headers, several requests under way, and switches for what networks and servers do to a client. Started by
 * `http-server.ts`; prints one JSON line with its ports, and ends with its standard input.
 *
 * The engine lacks request ids and a query log, so each request's id is its session's `log_comment`: `system.processes`
 * and KILL QUERY are read through that, and `system.query_log` is a real table that this process fills.
 */
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliDecompressSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib'

const options = JSON.parse(process.argv[2] ?? '{}')
const { Session, drainPending } = createRequire(import.meta.url)('chdb')

const temporary = options.path === undefined
const path = options.path ?? mkdtempSync(join(tmpdir(), 'chkit-http-'))
const connectionArgs = options.configFile ? [`--config-file=${options.configFile}`] : undefined
const users = new Map((options.users ?? [{ name: 'default', password: '' }]).map((user) => [user.name, user]))
const displayName = 'test-server'
const timezone = 'UTC'

/** Rules that spoil requests; see `Fault` in http-server.ts. */
let faults = []
let latencyMs = 0
let silent = false
/** Resolvers of requests that a hang holds. */
const held = new Set()
const history = []
const stats = { requests: 0, connections: 0, inFlight: 0, mostInFlight: 0 }

/** What this server calls a query's id. */
const REQUEST_ID = "if(Settings['log_comment'] != '', Settings['log_comment'], query_id)"

// ---- engine ---------------------------------------------------------------------------------------------------------

const base = openSession()
base.query('SELECT 1')
const queryLogFile = join(path, 'query-log.jsonl')
createSystemTables()
let pendingLog = []
const logTimer = setInterval(flushLog, 1_000)

function openSession() {
  return new Session(path, connectionArgs ? { connectionArgs } : {})
}

function createSystemTables() {
  base.query(`CREATE TABLE IF NOT EXISTS system.query_log (
    type Enum8('QueryStart' = 1, 'QueryFinish' = 2, 'ExceptionBeforeStart' = 3, 'ExceptionWhileProcessing' = 4),
    event_date Date, event_time DateTime, event_time_microseconds DateTime64(6), query_start_time DateTime,
    query_duration_ms UInt64, written_rows UInt64, result_rows UInt64, current_database LowCardinality(String), query String,
    query_kind LowCardinality(String), exception_code Int32, exception String, is_initial_query UInt8,
    user LowCardinality(String), query_id String, initial_query_id String, log_comment String
  ) ENGINE = Memory`)
  const columns = base
    .query("SELECT name FROM system.columns WHERE database = 'system' AND table = 'processes'", 'TSVRaw')
    .trim()
    .split('\n')
    .filter((name) => name !== 'query_id' && name !== 'initial_query_id')
  base.query(`CREATE VIEW IF NOT EXISTS system.processes_by_request AS SELECT ${REQUEST_ID} AS query_id, ${REQUEST_ID} AS initial_query_id,
    ${columns.map((name) => `\`${name}\``).join(', ')} FROM system.processes WHERE query NOT LIKE 'INSERT INTO system.query_log%'`)
  if (existsSync(queryLogFile)) {
    const rows = readFileSync(queryLogFile, 'utf8')
    if (rows) base.query(`INSERT INTO system.query_log FORMAT JSONEachRow\n${rows}`)
  }
}

function flushLog() {
  if (pendingLog.length === 0) return
  const rows = pendingLog.map((row) => `${JSON.stringify(row)}\n`).join('')
  pendingLog = []
  appendFileSync(queryLogFile, rows)
  base.query(`INSERT INTO system.query_log FORMAT JSONEachRow\n${rows}`)
}

function logQuery(type, request, extra = {}) {
  if (options.queryLog === false) return
  const now = new Date().toISOString().replace('T', ' ').replace('Z', '')
  const started = new Date(request.startedAt).toISOString().replace('T', ' ').slice(0, 19)
  pendingLog.push({
    type,
    event_date: now.slice(0, 10),
    event_time: now.slice(0, 19),
    event_time_microseconds: now,
    query_start_time: started,
    query_duration_ms: Date.now() - request.startedAt,
    current_database: request.database ?? 'default',
    query: request.text,
    query_kind: keyword(request.text),
    is_initial_query: 1,
    user: request.user.name,
    query_id: request.queryId,
    initial_query_id: request.queryId,
    ...extra,
  })
}

/** Idle sessions by what was set on them for good. */
const pool = new Map()

function takeSession(key, prepare) {
  const idle = pool.get(key)?.pop()
  if (idle) return idle
  const session = openSession()
  prepare(session)
  return session
}

function giveBack(key, session) {
  const idle = pool.get(key) ?? []
  if (idle.length < 8) pool.set(key, [...idle, session])
  else session.close()
}

// ---- requests -------------------------------------------------------------------------------------------------------

/** URL parameters that are no settings. */
const RESERVED = new Set([
  'query',
  'database',
  'default_format',
  'query_id',
  'user',
  'password',
  'quota_key',
  'session_id',
  'session_timeout',
  'session_check',
  'wait_end_of_query',
  'buffer_size',
  'compress',
  'decompress',
  'stacktrace',
  'role',
  'enable_http_compression',
  'http_zlib_compression_level',
  'send_progress_in_http_headers',
  'http_headers_progress_interval_ms',
  'cancel_http_readonly_queries_on_client_close',
  'add_http_cors_header',
])

class EngineError extends Error {
  constructor(code, name, message) {
    super(`Code: ${code}. DB::Exception: ${message}. (${name}) (version ${version} (official build))\n`)
    this.code = code
  }
}

const version = base.query('SELECT version()', 'TSVRaw').trim()

async function serve(req, res) {
  stats.requests++
  const url = new URL(req.url, 'http://localhost')
  if (silent) return
  if (url.pathname === '/ping') return answer(res, 200, { 'Content-Type': 'text/html; charset=UTF-8' }, 'Ok.\n')
  const body = await readBody(req)
  if (latencyMs > 0) await sleep(latencyMs)
  if (silent) return
  const request = { queryId: url.searchParams.get('query_id') || crypto.randomUUID(), startedAt: Date.now() }
  try {
    request.user = authenticate(req, url)
    request.text = [url.searchParams.get('query'), body].filter((part) => part).join('\n')
    request.database = url.searchParams.get('database') || req.headers['x-clickhouse-database'] || undefined
    request.format = url.searchParams.get('default_format') || req.headers['x-clickhouse-format'] || 'TabSeparated'
    request.params = {}
    request.settings = {}
    for (const [name, value] of url.searchParams) {
      if (name.startsWith('param_')) request.params[name.slice('param_'.length)] = value
      else if (!RESERVED.has(name)) request.settings[name] = value
    }
    const fault = takeFault(request.text)
    const entry = {
      queryId: request.queryId,
      query: request.text,
      user: request.user.name,
      database: request.database,
      state: 'received',
      fault: fault?.action,
      settings: request.settings,
      session: url.searchParams.get('session_id') ?? undefined,
      encoding: req.headers['content-encoding'],
    }
    history.push(entry)
    if (fault && (await spoilBefore(fault, req, res))) return
    const session = enterSession(url)
    entry.state = 'running'
    stats.inFlight++
    stats.mostInFlight = Math.max(stats.mostInFlight, stats.inFlight)
    let result
    try {
      result = await execute(request)
      entry.state = 'finished'
    } catch (error) {
      entry.state = 'failed'
      throw error
    } finally {
      stats.inFlight--
      session?.leave()
    }
    if (fault && (await spoilAfter(fault, req, res, request))) return
    const summary = {
      read_rows: String(result.rowsRead ?? 0),
      read_bytes: String(result.bytesRead ?? 0),
      written_rows: String(result.writtenRows ?? 0),
      written_bytes: '0',
      total_rows_to_read: '0',
      result_rows: '0',
      result_bytes: '0',
      elapsed_ns: '0',
    }
    const bytes = Buffer.from(result.bytes())
    answer(
      res,
      200,
      { ...clickhouseHeaders(request), 'X-ClickHouse-Summary': JSON.stringify(summary) },
      compressed(bytes, req, url, res),
    )
  } catch (error) {
    fail(res, request, error)
  }
}

const httpSessions = new Map()

/** As the server's NamedSessionsStorage: one statement at a time, gone when its timeout has passed since the last one. */
function enterSession(url) {
  const id = url.searchParams.get('session_id')
  if (id === null) return undefined
  const known = httpSessions.get(id)
  const alive = options.sessions !== false && known !== undefined && (known.busy || known.until > Date.now())
  if (!alive && url.searchParams.get('session_check') === '1')
    throw new EngineError(372, 'SESSION_NOT_FOUND', `Session ${id} not found`)
  if (alive && known.busy)
    throw new EngineError(373, 'SESSION_IS_LOCKED', `Session ${id} is locked by a concurrent client`)
  const session = { busy: true, until: 0 }
  httpSessions.set(id, session)
  return {
    leave() {
      session.busy = false
      session.until = Date.now() + Number(url.searchParams.get('session_timeout') ?? 60) * 1000
    },
  }
}

async function readBody(req) {
  const chunks = []
  for await (const chunk of req) chunks.push(chunk)
  const raw = Buffer.concat(chunks)
  switch (req.headers['content-encoding']) {
    case 'gzip':
      return gunzipSync(raw).toString('utf8')
    case 'deflate':
      return inflateSync(raw).toString('utf8')
    case 'br':
      return brotliDecompressSync(raw).toString('utf8')
    default:
      return raw.toString('utf8')
  }
}

function compressed(bytes, req, url, res) {
  if (url.searchParams.get('enable_http_compression') !== '1') return bytes
  if (!/\bgzip\b/.test(req.headers['accept-encoding'] ?? '')) return bytes
  res.setHeader('Content-Encoding', 'gzip')
  return gzipSync(bytes)
}

function authenticate(req, url) {
  let name = url.searchParams.get('user') ?? req.headers['x-clickhouse-user']
  let password = url.searchParams.get('password') ?? req.headers['x-clickhouse-key'] ?? ''
  const basic = /^Basic (.+)$/i.exec(req.headers.authorization ?? '')
  if (basic) {
    const text = Buffer.from(basic[1], 'base64').toString('utf8')
    name = text.slice(0, text.indexOf(':'))
    password = text.slice(text.indexOf(':') + 1)
  }
  name ??= 'default'
  const user = users.get(name)
  if (!user || user.password !== password) {
    throw new EngineError(
      516,
      'AUTHENTICATION_FAILED',
      `${name}: Authentication failed: password is incorrect, or there is no user with such name`,
    )
  }
  return user
}

async function execute(request) {
  const { text, user } = request
  if (text.trim() === '')
    throw new EngineError(62, 'SYNTAX_ERROR', 'Syntax error: failed at position 1 (end of query): . Empty query')
  if (user.readonly === 1 && Object.keys(request.settings).length > 0) {
    const [name] = Object.keys(request.settings)
    throw new EngineError(164, 'READONLY', `Cannot modify '${name}' setting in readonly mode`)
  }
  if (user.selectOnly && !/^(SELECT|WITH|SHOW|DESCRIBE|DESC|EXISTS|EXPLAIN)$/.test(keyword(text))) {
    throw new EngineError(
      497,
      'ACCESS_DENIED',
      `${user.name}: Not enough privileges. To execute this query, it's necessary to have the grant ${keyword(text)} ON *.*`,
    )
  }
  if (hasSecondStatement(text))
    throw new EngineError(62, 'SYNTAX_ERROR', 'Syntax error (Multi-statements are not allowed): failed at position 1')
  if (/^\s*SYSTEM\s+FLUSH\s+LOGS/i.test(text)) {
    flushLog()
    return { bytes: () => new Uint8Array(0) }
  }
  const readonly = user.readonly ?? 0
  // Settings stay on a session, so one that got any is used once; a read-only one cannot be prepared again.
  const single = readonly !== 0 || Object.keys({ ...request.settings, ...request.params }).length > 0
  const key = request.database ?? ''
  const session = single ? openSession() : takeSession(key, prepare)
  let started = false
  try {
    if (single) prepare(session)
    // Every time: the database may be gone since.
    if (request.database !== undefined) session.query(`USE ${quoteName(request.database)}`)
    const params = Object.entries(request.params).map(([name, value]) => [`param_${name}`, value])
    const settings = [...Object.entries({ ...request.settings, log_comment: request.queryId }), ...params].map(
      ([name, value]) =>
        `\`${name}\` = '${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\0', '\\0')}'`,
    )
    session.query(`SET ${settings.join(', ')}`)
    if (readonly !== 0) session.query(`SET readonly = ${readonly}`)
    logQuery('QueryStart', request)
    started = true
    const result = await session.queryAsync(rewrite(text), { format: request.format })
    logQuery('QueryFinish', request)
    return { bytes: () => result.bytes(), rowsRead: result.rowsRead, bytesRead: result.bytesRead }
  } catch (error) {
    const engineError = asEngineError(error)
    logQuery(started ? 'ExceptionWhileProcessing' : 'ExceptionBeforeStart', request, {
      exception_code: engineError.code,
      exception: engineError.message,
    })
    throw engineError
  } finally {
    if (single) session.close()
    else giveBack(key, session)
  }
}

function prepare(session) {
  // The embedded engine reads `1 + 1` as a query; a server does not.
  session.query('SET implicit_select = 0')
}

function asEngineError(error) {
  if (error instanceof EngineError) return error
  const text = String(error?.message ?? error).replace(/^Query failed: /, '')
  const code = Number(/Code: (\d+)/.exec(text)?.[1] ?? 1002)
  const out = new Error(`${text} (version ${version} (official build))\n`)
  return Object.assign(out, { code })
}

/** Request ids live in `log_comment`, so what asks for ids is asked there. */
function rewrite(text) {
  let sql = text
  if (options.version) sql = sql.replace(/\bversion\(\)/g, `'${options.version}'`)
  if (/^\s*KILL\s+QUERY/i.test(sql)) return sql.replace(/\b(?:initial_)?query_id\b/g, REQUEST_ID)
  return sql.replace(/\bsystem\.processes\b/g, 'system.processes_by_request')
}

function quoteName(name) {
  return `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``
}

function keyword(text) {
  return (/^(?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/|\()*([A-Za-z]+)/.exec(text)?.[1] ?? '').toUpperCase()
}

/** A server takes one statement; the engine would run both. */
function hasSecondStatement(text) {
  if (keyword(text) === 'INSERT') return false
  const rest = text.replace(
    /'(?:[^'\\]|\\[\s\S]|'')*'|"(?:[^"\\]|\\[\s\S])*"|`(?:[^`\\]|\\[\s\S])*`|\$(\w*)\$[\s\S]*?\$\1\$|--[^\n]*|\/\*[\s\S]*?\*\//g,
    ' ',
  )
  return /;\s*[^\s;]/.test(rest)
}

// ---- answers --------------------------------------------------------------------------------------------------------

function clickhouseHeaders(request) {
  return {
    'Content-Type': request.format?.startsWith('JSON')
      ? 'application/json; charset=UTF-8'
      : 'text/tab-separated-values; charset=UTF-8',
    'X-ClickHouse-Server-Display-Name': displayName,
    'X-ClickHouse-Query-Id': request.queryId,
    'X-ClickHouse-Timezone': timezone,
    'X-ClickHouse-Format': request.format ?? 'TabSeparated',
  }
}

function answer(res, status, headers, body) {
  if (res.destroyed || res.writableEnded) return
  res.writeHead(status, { Connection: 'Keep-Alive', 'Keep-Alive': 'timeout=10, max=9999', ...headers })
  res.end(body)
}

function fail(res, request, thrown) {
  const error = asEngineErrorKeeping(thrown)
  answer(
    res,
    statusOf(error.code),
    {
      ...clickhouseHeaders(request),
      'Content-Type': 'text/plain; charset=UTF-8',
      'X-ClickHouse-Exception-Code': String(error.code),
    },
    error.message,
  )
}

function asEngineErrorKeeping(error) {
  return typeof error?.code === 'number' ? error : asEngineError(error)
}

/** As `exceptionCodeToHTTPStatus` of ClickHouse 26. */
function statusOf(code) {
  if (code === 194) return 401
  if ([192, 193, 516, 512].includes(code)) return 403
  if ([6, 26, 27, 32, 36, 38, 41, 53, 62, 72, 117, 120, 321, 427, 69, 131].includes(code)) return 400
  if ([46, 47, 50, 56, 60, 63, 73, 81, 115, 336, 511].includes(code)) return 404
  if (code === 48) return 501
  if (code === 159) return 408
  if ([209, 76, 439].includes(code)) return 503
  return 500
}

// ---- faults ---------------------------------------------------------------------------------------------------------

function takeFault(text) {
  for (const fault of faults) {
    if (fault.match !== undefined && !new RegExp(fault.match, 'is').test(text)) continue
    if ((fault.skip ?? 0) > 0) {
      fault.skip--
      continue
    }
    if ((fault.times ?? 1) <= 0) continue
    fault.times = (fault.times ?? 1) - 1
    return fault
  }
  return undefined
}

/** True when the request ends here, unexecuted. */
async function spoilBefore(fault, req, res) {
  switch (fault.action) {
    case 'resetBefore':
      req.socket.resetAndDestroy()
      return true
    case 'closeBefore':
      req.socket.destroy()
      return true
    case 'killBefore':
      process.kill(process.pid, 'SIGKILL')
      return true
    case 'hangBefore':
      await hang()
      return req.socket.destroyed
    case 'proxyErrorBefore':
      proxyError(res, fault)
      return true
    case 'delayBefore':
      await sleep(fault.ms ?? 100)
      return false
    case 'html':
      answer(res, 200, { 'Content-Type': 'text/html' }, '<html><body>Welcome to nginx!</body></html>')
      return true
    default:
      return false
  }
}

/** True when the request was executed but its answer is spoilt. */
async function spoilAfter(fault, req, res, request) {
  switch (fault.action) {
    case 'resetAfter':
      req.socket.resetAndDestroy()
      return true
    case 'closeAfter':
      req.socket.destroy()
      return true
    case 'killAfter':
      process.kill(process.pid, 'SIGKILL')
      return true
    case 'hangAfter':
      await hang()
      return req.socket.destroyed
    case 'proxyErrorAfter':
      proxyError(res, fault)
      return true
    case 'delayAfter':
      await sleep(fault.ms ?? 100)
      return false
    case 'cutAfter':
      res.writeHead(200, { ...clickhouseHeaders(request), 'Transfer-Encoding': 'chunked' })
      res.write('{\n\t"meta":\n\t[', () => req.socket.resetAndDestroy())
      return true
    case 'lateException':
      lateException(fault, req, res, request)
      return true
    default:
      return false
  }
}

function proxyError(res, fault) {
  const status = fault.status ?? 504
  answer(
    res,
    status,
    { 'Content-Type': 'text/html', Server: 'nginx' },
    `<html>\r\n<head><title>${status} Gateway Time-out</title></head>\r\n<body><center><h1>${status} Gateway Time-out</h1></center></body>\r\n</html>\r\n`,
  )
}

/** The status line is out, then the query fails: as servers since 25.11 say it, as older ones did, and with the connection cut. */
function lateException(fault, req, res, request) {
  const text =
    fault.text ??
    `Code: 395. DB::Exception: Value passed to 'throwIf' function is non-zero: while executing. (FUNCTION_THROW_IF_VALUE_IS_NON_ZERO) (version ${version} (official build))\n`
  const style = fault.style ?? 'tagged'
  const tag = 'PU1FNUFH98fyFi2z'
  const headers = {
    ...clickhouseHeaders(request),
    'Transfer-Encoding': 'chunked',
    ...(style === 'plain' ? {} : { 'X-ClickHouse-Exception-Tag': tag }),
  }
  res.writeHead(200, headers)
  res.write(fault.rows ?? '{\n\t"meta":\n\t[\n\t\t{"name": "n", "type": "UInt8"}\n\t],\n\n\t"data":\n\t[\n\t\t[0]')
  if (style === 'plain') return void res.end(`\n${text}`)
  res.write(`\r\n__exception__\r\n${tag}\r\n${text}${Buffer.byteLength(text)} ${tag}\r\n__exception__\r\n`, () => {
    if (style === 'cut') req.socket.destroy()
    else res.end()
  })
}

function hang() {
  return new Promise((resolve) => held.add(resolve))
}

function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

// ---- control --------------------------------------------------------------------------------------------------------

const control = http.createServer(async (req, res) => {
  const body = await readBody(req)
  const value = body ? JSON.parse(body) : undefined
  const reply = (result = {}) => answer(res, 200, { 'Content-Type': 'application/json' }, JSON.stringify(result))
  switch (`${req.method} ${req.url}`) {
    case 'PUT /faults':
      faults = value
      return reply()
    case 'PUT /latency':
      latencyMs = value.ms
      return reply()
    case 'PUT /silent':
      silent = value.on
      return reply()
    case 'POST /release':
      for (const resolve of held) resolve()
      held.clear()
      return reply()
    case 'GET /stats':
      return reply({ ...stats, held: held.size, version })
    case 'GET /history':
      return reply(history)
    case 'DELETE /history':
      history.length = 0
      stats.requests = 0
      stats.mostInFlight = 0
      stats.connections = 0
      return reply()
    default:
      return answer(res, 404, {}, 'unknown control request')
  }
})

const handler = (req, res) => {
  serve(req, res).catch((error) => fail(res, { queryId: '' }, error))
}
const server = options.tls
  ? https.createServer(
      {
        key: readFileSync(options.tls.keyFile),
        cert: readFileSync(options.tls.certFile),
        ...(options.tls.caFile
          ? { ca: readFileSync(options.tls.caFile), requestCert: true, rejectUnauthorized: true }
          : {}),
      },
      handler,
    )
  : http.createServer(handler)
server.keepAliveTimeout = options.keepAliveMs ?? 10_000
// A control request must never meet the closing of an idle socket; the tests' side gives up its sockets first.
control.keepAliveTimeout = 0
server.on('connection', () => stats.connections++)

server.listen(options.port ?? 0, '127.0.0.1', () => {
  control.listen(0, '127.0.0.1', () => {
    console.log(JSON.stringify({ port: server.address().port, controlPort: control.address().port, version }))
  })
})

async function stop() {
  server.close()
  server.closeAllConnections()
  clearInterval(logTimer)
  flushLog()
  for (const idle of pool.values()) for (const session of idle) session.close()
  base.close()
  const leave = () => {
    if (temporary) rmSync(path, { recursive: true, force: true })
    process.exit(0)
  }
  // Statements that were left running are not waited for.
  setTimeout(leave, 3_000).unref()
  await drainPending()
  leave()
}

process.on('SIGTERM', stop)
process.on('SIGINT', () => {})
process.stdin.on('end', stop).resume()
