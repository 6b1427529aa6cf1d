import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client'
import type { ClickHouseConfig } from '../config/config.js'
import { ChkitError, messageOf } from '../errors.js'
import type { ConnectOptions } from './connect.js'
import { type ConnectionContext, connectionError, networkError } from './connection-error.js'
import {
  type CommandResult,
  type Executor,
  type QueryOptions,
  type QuerySession,
  type QuerySettings,
  sizeSettings,
} from './executor.js'
import { decodeRows, encodeRows, isCompleteAnswer, ROW_FORMAT } from './rows.js'
import { scrubSecrets } from './secrets.js'
import { BARE_STATE_QUERY, readState, type ServerState, stateQuery } from './server.js'
import { lateErrorText, parseServerError, ServerError, type ServerErrorText } from './server-error.js'

/** Idle sockets are given up well before any server closes them (3 s before 23.11), or a request would meet the closing. */
const IDLE_SOCKET_MS = 1_500

/** What a first answer may hold; something that is not ClickHouse might never stop sending. */
const FIRST_ANSWER_BYTES = 1_000_000

/** What of an answer's text a message shows. */
const EXCERPT = 120

/** One request: text in the body, everything else in the URL, as any proxy passes it on. */
type Request = {
  readonly text: string
  readonly urlParams: QuerySettings
  readonly queryParams?: Readonly<Record<string, unknown>>
  readonly queryId: string
  readonly limitMs: number
  readonly signal?: AbortSignal
  readonly maxBytes?: number
  /** Of this statement, besides the connection's own. */
  readonly secrets?: readonly string[]
}

type Answer = {
  readonly body: string
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly writtenRows?: number
  readonly writtenBytes?: number
}

/** A connection to a server's HTTP interface, without a session: each request stands alone. */
export function openHttp(config: ClickHouseConfig, options: ConnectOptions): Executor {
  const target = describeTarget(config)
  const client = openClient(config, options, target)
  const { database, username, secrets, context } = target
  const requestLimitMs = config.requestTimeoutMs ?? 300_000
  const connectLimitMs = config.connectTimeoutMs ?? 10_000
  let state: Promise<ServerState> | undefined
  /** Undefined: as `state` says. A CREATE or DROP of the configured database changes it. */
  let databaseExists: boolean | undefined
  let closed = false

  async function ask(request: Request): Promise<Answer> {
    const answer = await send(client, request, context)
    const error = errorIn(answer)
    if (error) throw serverError(error, request)
    if (answer.status < 200 || answer.status > 299) {
      throw foreignAnswer(answer, { ...context, secrets: [...secrets, ...(request.secrets ?? [])] })
    }
    return answer
  }

  function serverError(error: ServerErrorText, request: Request): ServerError {
    const { text: statement, queryId } = request
    const hidden = [...secrets, ...(request.secrets ?? [])]
    return new ServerError(error, { statement, queryId, username, database, secrets: hidden })
  }

  async function verify(signal?: AbortSignal): Promise<ServerState> {
    return askState(stateQuery(database), signal).catch((error: unknown) => {
      if (error instanceof ServerError && error.code === 'access_denied') return askState(BARE_STATE_QUERY, signal)
      throw error
    })
  }

  async function askState(text: string, signal?: AbortSignal): Promise<ServerState> {
    const request: Request = {
      text,
      urlParams: { default_format: ROW_FORMAT },
      queryId: randomUUID(),
      limitMs: connectLimitMs,
      maxBytes: FIRST_ANSWER_BYTES,
      ...(signal ? { signal } : {}),
    }
    const answer = await ask(request)
    const row = decodeRows(answer.body)?.[0]
    if (!row || !('version' in row)) throw foreignAnswer(answer, context)
    return readState(row, target.url)
  }

  async function ready(signal?: AbortSignal): Promise<ServerState> {
    if (closed) throw new ChkitError('internal_error', `The connection to ${target.url} is closed.`)
    state ??= verify(signal).catch((error: unknown) => {
      // A failure is not remembered: the next call may find the server up.
      state = undefined
      throw error
    })
    return state
  }

  /** Sends a statement with what this connection and this call add to it. */
  async function run(sql: string, call: QueryOptions, urlParams: QuerySettings): Promise<Answer> {
    const { info, ...known } = await ready(call.signal)
    databaseExists ??= known.databaseExists
    const bindsParams = info.major > 19 || (info.major === 19 && info.minor >= 14)
    const inline = call.params !== undefined && (!bindsParams || isLong(call.params))
    const text = inline ? (await import('./bind.js')).inlineParams(sql, call.params ?? {}) : sql
    // An account with readonly = 1 is refused for any setting, whatever its value.
    const settings = info.readonly === 1 ? {} : { ...sizeSettings(text), ...config.settings, ...call.settings }
    const request = (withDatabase: boolean): Request => ({
      text,
      urlParams: {
        ...numeric(settings),
        ...urlParams,
        ...sessionParams(call.session),
        ...(withDatabase ? { database } : {}),
      },
      queryId: call.queryId ?? randomUUID(),
      limitMs: call.timeoutMs ?? requestLimitMs,
      ...(call.params && !inline ? { queryParams: call.params } : {}),
      ...(call.signal ? { signal: call.signal } : {}),
      ...(call.secrets ? { secrets: call.secrets } : {}),
    })
    const sentDatabase = databaseExists
    try {
      return await ask(request(sentDatabase))
    } catch (error) {
      if (!sentDatabase || !(error instanceof ServerError) || error.clickhouseCode !== 81) throw error
      // The current database may have been dropped; such a statement was refused before it did anything.
      if (await askDatabaseExists(call.signal)) throw error
      databaseExists = false
      return ask(request(false))
    }
  }

  async function askDatabaseExists(signal?: AbortSignal): Promise<boolean> {
    return (await verify(signal)).databaseExists
  }

  async function command(sql: string, call: QueryOptions = {}): Promise<CommandResult> {
    const queryId = call.queryId ?? randomUUID()
    // Without wait_end_of_query the status line is sent before the outcome is known.
    const answer = await run(sql, { ...call, queryId }, { default_format: ROW_FORMAT, wait_end_of_query: 1 })
    // Any statement that speaks of a database may have created ours; asking again costs one request, and only then.
    if (databaseExists === false && /database/i.test(sql)) databaseExists = await askDatabaseExists(call.signal)
    const { writtenRows, writtenBytes } = answer
    return {
      queryId,
      ...(writtenRows === undefined ? {} : { writtenRows }),
      ...(writtenBytes === undefined ? {} : { writtenBytes }),
    }
  }

  return {
    kind: 'http',
    target: target.url,
    database,
    command,
    async query<Row>(sql: string, call: QueryOptions = {}) {
      const read = () => run(sql, call, { default_format: ROW_FORMAT, wait_end_of_query: 1 })
      const answer = await read().catch((error: unknown) => {
        // A kept-alive socket that the server closed under our request; reading again is harmless.
        if (error instanceof ChkitError && error.code === 'connection_reset') return read()
        throw error
      })
      const rows = decodeRows(answer.body)
      if (!rows) throw foreignAnswer(answer, context)
      return rows as Row[]
    },
    async insert(table, rows, call = {}) {
      if (rows.length === 0) return { queryId: call.queryId ?? randomUUID(), writtenRows: 0 }
      const done = await command(`INSERT INTO ${table} FORMAT JSONEachRow\n${encodeRows(rows)}`, call)
      return { ...done, writtenRows: rows.length }
    },
    async server() {
      return (await ready()).info
    },
    async close() {
      closed = true
      await client.close()
    },
  }
}

type Target = {
  /** Without credentials. */
  readonly url: string
  readonly endpoint: URL
  readonly username: string
  readonly password: string
  readonly database: string
  readonly secrets: readonly string[]
  readonly context: ConnectionContext
}

/** The parts of a config's URL: what the config says itself wins over what stands in the URL. */
function describeTarget(config: ClickHouseConfig): Target {
  let url: URL
  try {
    url = new URL(config.url)
  } catch (cause) {
    throw new ChkitError('config_invalid', `\`clickhouse.url\` is no valid URL: '${scrubSecrets(config.url, [])}'.`, {
      hint: 'Use `http://host:8123`, `https://host:8443`, `chdb:./path` or `chdb::memory:`.',
      cause,
    })
  }
  if (url.search !== '') {
    throw new ChkitError('config_invalid', '`clickhouse.url` has parameters, which chkit does not read.', {
      hint: 'Put query settings into `clickhouse.settings`.',
    })
  }
  const username = config.username ?? (url.username ? decodeURIComponent(url.username) : 'default')
  const password = config.password ?? decodeURIComponent(url.password)
  const path = decodeURIComponent(url.pathname).replace(/^\/+|\/+$/g, '')
  // Many clients write the database as the path; with a configured one it is a proxy's prefix.
  const pathIsDatabase = config.database === undefined && path !== '' && !path.includes('/')
  const endpoint = new URL(url.origin)
  if (!pathIsDatabase) endpoint.pathname = url.pathname
  const printed = `${url.origin}${pathIsDatabase || path === '' ? '' : url.pathname}`
  const secrets = [password, decodeURIComponent(url.password)].filter((secret) => secret !== '')
  return {
    url: printed,
    endpoint,
    username,
    password,
    database: config.database ?? (pathIsDatabase ? path : 'default'),
    secrets,
    context: { target: printed, host: url.hostname, secure: url.protocol === 'https:', secrets },
  }
}

function openClient(config: ClickHouseConfig, options: ConnectOptions, target: Target): ClickHouseClient {
  const { endpoint, context, username, password } = target
  const agentOptions = { keepAlive: true, maxSockets: options.maxConnections ?? 32 }
  const tls = context.secure ? readTlsFiles(config, options, context) : {}
  // A client certificate without a password means that the certificate is the proof.
  const byCertificate = config.tls?.certFile !== undefined && password === ''
  return createClient({
    url: endpoint.origin,
    ...(endpoint.pathname === '/' ? {} : { pathname: endpoint.pathname }),
    username,
    password,
    application: options.application ?? 'chkit',
    // Our own timers decide; the client's only watches for silence on the socket.
    request_timeout: 0,
    compression: { request: config.compression ?? false, response: false },
    keep_alive: { enabled: true, idle_socket_ttl: IDLE_SOCKET_MS, eagerly_destroy_stale_sockets: true },
    http_agent: context.secure ? new HttpsAgent({ ...agentOptions, ...tls }) : new HttpAgent(agentOptions),
    ...(byCertificate
      ? {
          set_basic_auth_header: false,
          http_headers: { 'X-ClickHouse-User': username, 'X-ClickHouse-SSL-Certificate-Auth': 'on' },
        }
      : {}),
    // Errors are thrown, not logged: a log line could hold a statement or a URL.
    log: { level: ClickHouseLogLevel.OFF },
  })
}

type TlsFiles = { ca?: Buffer; cert?: Buffer; key?: Buffer; rejectUnauthorized?: boolean }

function readTlsFiles(config: ClickHouseConfig, options: ConnectOptions, context: ConnectionContext): TlsFiles {
  const { caFile, certFile, keyFile, rejectUnauthorized } = config.tls ?? {}
  const read = (file: string, what: string) => {
    const path = resolve(options.root, file)
    try {
      return readFileSync(path)
    } catch (cause) {
      const reason = `\`clickhouse.tls.${what}\` ${path} cannot be read (${messageOf(cause)}).`
      throw connectionError('connection_tls_failed', context, reason, cause)
    }
  }
  return {
    ...(caFile === undefined ? {} : { ca: read(caFile, 'caFile') }),
    ...(certFile === undefined ? {} : { cert: read(certFile, 'certFile') }),
    ...(keyFile === undefined ? {} : { key: read(keyFile, 'keyFile') }),
    ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
  }
}

/** Sends one request and reads its whole answer, whatever its status. Throws connection codes and `interrupted`. */
async function send(client: ClickHouseClient, request: Request, context: ConnectionContext): Promise<Answer> {
  const { signal, limitMs } = request
  if (signal?.aborted) throw interrupted(context)
  const controller = new AbortController()
  let timedOut = false
  let stream: Readable | undefined
  const stop = () => {
    controller.abort()
    stream?.destroy(new Error('aborted'))
  }
  signal?.addEventListener('abort', stop, { once: true })
  const timer =
    limitMs > 0
      ? setTimeout(() => {
          timedOut = true
          stop()
        }, limitMs)
      : undefined
  try {
    const result = await client.exec({
      query: request.text,
      query_id: request.queryId,
      abort_signal: controller.signal,
      ignore_error_response: true,
      clickhouse_settings: request.urlParams,
      ...(request.queryParams ? { query_params: request.queryParams } : {}),
    })
    stream = result.stream
    if (controller.signal.aborted) stream.destroy(new Error('aborted'))
    const status = result.http_status_code ?? 0
    const headers = result.response_headers
    const { body, cut } = await readBody(stream, request.maxBytes ?? Number.POSITIVE_INFINITY)
    // A server that fails late breaks its own chunked encoding, so a cut answer may still say why.
    if (cut !== undefined && (timedOut || signal?.aborted || !lateErrorText(body, header(headers, EXCEPTION_TAG))))
      throw cut
    return {
      body,
      status,
      headers,
      ...writtenIn(result.summary),
    }
  } catch (error) {
    if (timedOut) throw connectionError('connection_timeout', { ...context, timeoutMs: limitMs }, 'no answer', error)
    if (signal?.aborted) throw interrupted(context)
    throw networkError(error, context) ?? connectionError('connection_reset', context, messageOf(error), error)
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', stop)
  }
}

async function readBody(stream: Readable, maxBytes: number): Promise<{ body: string; cut?: unknown }> {
  const chunks: Buffer[] = []
  let bytes = 0
  const text = () => Buffer.concat(chunks).toString('utf8')
  try {
    for await (const chunk of stream) {
      const part: Buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk))
      chunks.push(part)
      bytes += part.length
      if (bytes > maxBytes) break
    }
  } catch (cut) {
    return { body: text(), cut }
  }
  return { body: text() }
}

function interrupted(context: ConnectionContext): ChkitError {
  return new ChkitError('interrupted', `Interrupted while waiting for ${context.target}.`, {
    hint: 'The statement may still run on the server.',
    retriable: true,
  })
}

const EXCEPTION_CODE = 'x-clickhouse-exception-code'
const EXCEPTION_TAG = 'x-clickhouse-exception-tag'

/** The server's error in an answer: by its status, its header, or at the end of rows that began well. */
function errorIn(answer: Answer): ServerErrorText | undefined {
  const { body, status, headers } = answer
  const code = header(headers, EXCEPTION_CODE)
  if (status < 200 || status > 299 || code !== undefined) {
    const text = lateErrorText(body, header(headers, EXCEPTION_TAG)) ?? body
    const parsed = parseServerError(text)
    if (parsed || code === undefined) return parsed
    return { clickhouseCode: Number(code), message: excerpt(body, []) || 'no text' }
  }
  if (isCompleteAnswer(body)) return undefined
  const late = lateErrorText(body, header(headers, EXCEPTION_TAG))
  return late === undefined ? undefined : parseServerError(late)
}

/** An answer that ClickHouse did not give: a proxy's, or another program's. */
function foreignAnswer(answer: Answer, context: ConnectionContext): ChkitError {
  const { status, body } = answer
  const isGateway = status === 502 || status === 503 || status === 504
  const what =
    body.trim() === '' ? `HTTP ${status} without text` : `HTTP ${status} with '${excerpt(body, context.secrets)}'`
  return isGateway
    ? connectionError('connection_proxy_error', context, what)
    : connectionError('connection_not_clickhouse', context, `it answered ${what}.`)
}

function excerpt(body: string, secrets: readonly string[]): string {
  const line = scrubSecrets(body.slice(0, 1_000), secrets).replace(/\s+/g, ' ').trim()
  return line.length > EXCERPT ? `${line.slice(0, EXCERPT)}...` : line
}

function header(headers: Answer['headers'], name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' ? value : value?.[0]
}

function writtenIn(summary: { written_rows: string; written_bytes: string } | undefined): Partial<Answer> {
  if (!summary) return {}
  return { writtenRows: Number(summary.written_rows), writtenBytes: Number(summary.written_bytes) }
}

/** Parameters travel in the URL, which servers and proxies limit (16 KiB on old ones). */
function isLong(params: Readonly<Record<string, unknown>>): boolean {
  return Object.values(params).reduce<number>((sum, value) => sum + encodeURIComponent(String(value)).length, 0) > 4_000
}

function sessionParams(session: QuerySession | undefined): QuerySettings {
  if (session === undefined) return {}
  const { id, timeoutS, mustExist } = session
  return { session_id: id, session_timeout: timeoutS, ...(mustExist ? { session_check: 1 } : {}) }
}

/** Old servers read no `true` or `false` as a setting. */
function numeric(settings: QuerySettings): QuerySettings {
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [name, typeof value === 'boolean' ? Number(value) : value]),
  )
}
