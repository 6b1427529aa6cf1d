import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import type { Session } from 'chdb'
import type { ClickHouseConfig } from '../config/config.js'
import { ChkitError, messageOf } from '../errors.js'
import { quoteIdentifier, quoteString } from '../sql/quote.js'
import { type Chdb, errorCode, loadChdb } from './chdb.js'
import type { ConnectOptions } from './connect.js'
import { type CommandResult, type Executor, type QueryOptions, type QuerySettings, sizeSettings } from './executor.js'
import { decodeRows, encodeRows, ROW_FORMAT } from './rows.js'
import { readState, type ServerState, stateQuery } from './server.js'
import { parseServerError, ServerError } from './server-error.js'

/** A data directory that this process has open. The engine allows one per process, and any number of sessions on it. */
type DataDirectory = {
  readonly path: string
  /** Made for `chdb::memory:`, or in place of a missing folder; removed when its last user closes. */
  readonly temporary: boolean
  /** Whether it was not there before; it is removed as well where nothing was sent but queries. */
  readonly made: boolean
  changed: boolean
  users: number
}

/** Process-wide, because the engine is. */
const openDirectories = new Map<string, DataDirectory>()

/** Sessions kept open for reuse by one executor. */
const IDLE_SESSIONS = 4

const MEMORY = ':memory:'

/** The embedded engine on a data directory. It is opened by the first call, and created when it does not exist and may be. */
export function openEmbedded(config: ClickHouseConfig, options: ConnectOptions): Executor {
  const { path, engineArguments } = parseUrl(config.url, options.root)
  const target = path === MEMORY ? `chdb:${MEMORY}` : `chdb:${path}`
  const database = config.database ?? 'default'
  const secrets = config.password ? [config.password] : []
  let chdb: Chdb | undefined
  let directory: DataDirectory | undefined
  let state: ServerState | undefined
  let closed = false
  const idle: EmbeddedSession[] = []
  const busy = new Set<EmbeddedSession>()

  function open(): { readonly chdb: Chdb; readonly directory: DataDirectory } {
    if (closed) throw new ChkitError('internal_error', `The connection to ${target} is closed.`)
    chdb ??= loadChdb([join(options.root, 'package.json'), import.meta.url])
    directory ??= enterDirectory(path, target, options.createsData ?? true)
    return { chdb, directory }
  }

  /** A session that nobody else uses: a session runs one query at a time and remembers its settings. */
  function acquire(): EmbeddedSession {
    const session = idle.pop() ?? start()
    try {
      // Each time, because the database may have been created or dropped meanwhile; it costs 0.1 ms.
      const exists = tryUse(session.native, database)
      if (!exists && session.inDatabase) tryUse(session.native, 'default')
      session.inDatabase = exists
    } catch (error) {
      session.native.close()
      throw error
    }
    busy.add(session)
    return session
  }

  function start(): EmbeddedSession {
    const opened = open()
    let native: Session
    try {
      native = startSession(opened.chdb, opened.directory, engineArguments, target)
    } catch (error) {
      // A directory that could not be opened must not keep this process from opening another.
      if (idle.length + busy.size === 0) {
        leaveDirectory(opened.directory)
        directory = undefined
      }
      throw error
    }
    const mark = `chkit-${randomUUID()}`
    try {
      applySettings(native, { ...config.settings, log_comment: mark })
    } catch (error) {
      native.close()
      throw error
    }
    return { native, mark, inDatabase: false }
  }

  function release(session: EmbeddedSession, reusable: boolean): void {
    busy.delete(session)
    if (reusable && !closed && idle.length < IDLE_SESSIONS) idle.push(session)
    else session.native.close()
  }

  async function run(sql: string, call: QueryOptions): Promise<string> {
    const queryId = call.queryId ?? randomUUID()
    if (call.signal?.aborted) throw interrupted(target)
    const settings = { ...sizeSettings(sql), ...call.settings }
    const session = attempt(acquire, sql, queryId, call)
    if (directory !== undefined && !isQuery(sql)) directory.changed = true
    let finished = false
    try {
      applySettings(session.native, settings)
      const limits = {
        format: ROW_FORMAT,
        ...(call.signal ? { signal: call.signal } : {}),
        ...(call.timeoutMs ? { timeout: call.timeoutMs } : {}),
      }
      const result = call.params
        ? await session.native.queryBindAsync(sql, call.params, limits)
        : await session.native.queryAsync(sql, limits)
      finished = true
      return result.text()
    } catch (error) {
      finished = !isEarlyEnd(error)
      // The engine goes on computing after an early end; stop it, or closing would wait for it.
      if (!finished) kill(session.mark)
      throw translate(error, sql, queryId, call)
    } finally {
      release(session, finished && forgets(session, Object.keys(settings)))
    }
  }

  /** Puts settings back to what they were before a statement; a new session would cost 50 ms. False where that fails. */
  function forgets({ native, mark }: EmbeddedSession, names: readonly string[]): boolean {
    if (names.length === 0) return true
    const kept: QuerySettings = { ...config.settings, log_comment: mark }
    const parts = names.map((name) => {
      const own = kept[name]
      return `${quoteIdentifier(name)} = ${own === undefined ? 'DEFAULT' : settingValue(own)}`
    })
    try {
      native.query(`SET ${parts.join(', ')}`)
      return true
    } catch (error) {
      // A read-only session takes none any more, its own included.
      if (parseServerError(messageOf(error))) return false
      throw error
    }
  }

  function attempt<T>(action: () => T, sql: string, queryId: string, call: QueryOptions): T {
    try {
      return action()
    } catch (error) {
      throw translate(error, sql, queryId, call)
    }
  }

  function translate(error: unknown, sql: string, queryId: string, call: QueryOptions): unknown {
    if (error instanceof ChkitError) return error
    if (errorCode(error) === 'CHDB_ABORT') return interrupted(target)
    if (errorCode(error) === 'CHDB_TIMEOUT') {
      return new ChkitError('connection_timeout', `${target} did not finish within ${call.timeoutMs} ms.`, {
        retriable: true,
        cause: error,
      })
    }
    const parsed = parseServerError(messageOf(error))
    const hidden = [...secrets, ...(call.secrets ?? [])]
    return parsed ? new ServerError(parsed, { statement: sql, queryId, database, secrets: hidden }) : error
  }

  function kill(mark: string): void {
    if (!chdb || !directory) return
    const killer = startSession(chdb, directory, engineArguments, target)
    killer
      .queryAsync(`KILL QUERY WHERE Settings['log_comment'] = ${quoteString(mark)} ASYNC`)
      // The query may have ended by itself.
      .catch(() => undefined)
      .finally(() => killer.close())
  }

  async function checkState(): Promise<ServerState> {
    if (!state) {
      const session = attempt(acquire, '', '', {})
      try {
        const row = decodeRows(session.native.query(stateQuery(database), ROW_FORMAT))?.[0]
        state = readState(row ?? {}, target)
      } finally {
        release(session, true)
      }
    }
    return state
  }

  async function command(sql: string, call: QueryOptions = {}): Promise<CommandResult> {
    const queryId = call.queryId ?? randomUUID()
    await run(sql, { ...call, queryId })
    return { queryId }
  }

  return {
    kind: 'embedded',
    target,
    database,
    command,
    async query<Row>(sql: string, call: QueryOptions = {}) {
      const text = await run(sql, call)
      const rows = decodeRows(text)
      if (!rows)
        throw new ChkitError('server_error', `${target} answered what is no ${ROW_FORMAT}: '${text.slice(0, 120)}'.`)
      return rows as Row[]
    },
    async insert(table, rows, call = {}) {
      if (rows.length === 0) return { queryId: call.queryId ?? randomUUID(), writtenRows: 0 }
      const done = await command(`INSERT INTO ${table} FORMAT JSONEachRow\n${encodeRows(rows)}`, call)
      return { ...done, writtenRows: rows.length }
    },
    async server() {
      return (await checkState()).info
    },
    async close() {
      if (closed) return
      closed = true
      for (const session of idle.splice(0)) session.native.close()
      // A connection is only gone, and another directory only to be opened, when nothing runs on it any more.
      if (chdb) await chdb.drainPending()
      for (const session of busy) session.native.close()
      if (chdb) await chdb.drainPending()
      if (directory) leaveDirectory(directory)
    },
  }
}

type EmbeddedSession = {
  readonly native: Session
  /** Value of `log_comment` on this session, by which a query of ours is found and killed. */
  readonly mark: string
  /** Whether the configured database is the current one; false while it does not exist. */
  inDatabase: boolean
}

/** `chdb:<path>[?config=<file>]`; `config` is an engine configuration file, relative to the project as well. */
function parseUrl(url: string, root: string): { readonly path: string; readonly engineArguments: readonly string[] } {
  const [location = '', query = ''] = url.slice('chdb:'.length).split('?', 2)
  const params = new URLSearchParams(query)
  for (const name of params.keys()) {
    if (name === 'config') continue
    throw new ChkitError('config_invalid', `\`clickhouse.url\` has an unknown parameter '${name}'.`, {
      hint: 'The embedded engine knows `chdb:./path?config=./engine.xml`.',
    })
  }
  const file = params.get('config')
  const engineArguments = file === null ? [] : [`--config-file=${resolve(root, file)}`]
  if (location === MEMORY) return { path: MEMORY, engineArguments }
  if (location === '') {
    throw new ChkitError('config_invalid', `\`clickhouse.url\` names no data directory: '${url}'.`, {
      hint: 'Use `chdb:./path` or `chdb::memory:`.',
    })
  }
  return { path: resolve(root, location.replace(/^\/\/(?=\/|\.)/, '')), engineArguments }
}

function enterDirectory(path: string, target: string, createsData: boolean): DataDirectory {
  const known = openDirectories.get(path)
  if (known) {
    known.users++
    return known
  }
  const other = openDirectories.values().next().value
  if (other) {
    throw new ChkitError(
      'embedded_engine_busy',
      `${target} cannot be opened: this process has chdb:${other.path} open.`,
      {
        hint: 'The embedded engine holds one data directory per process; close the other connection first.',
        details: { openPath: other.path },
      },
    )
  }
  // A command that only reads leaves no folder behind: a database that was never made is empty.
  const temporary = path === MEMORY || (!createsData && !existsSync(path))
  const made = !temporary && !existsSync(path)
  // The engine would take ':memory:' for the name of a folder.
  const location = temporary ? mkdtempSync(join(tmpdir(), 'chkit-memory-')) : path
  if (!temporary) {
    refuseLockedDirectory(location, target)
    mkdirSync(dirname(location), { recursive: true })
  }
  const directory: DataDirectory = { path: location, temporary, made, changed: false, users: 1 }
  openDirectories.set(path, directory)
  return directory
}

function leaveDirectory(directory: DataDirectory): void {
  directory.users--
  if (directory.users > 0) return
  for (const [key, value] of openDirectories) if (value === directory) openDirectories.delete(key)
  if (directory.temporary || (directory.made && !directory.changed))
    rmSync(directory.path, { recursive: true, force: true })
}

/**
 * Throws `embedded_engine_busy` when another process holds the engine's lock on `path`/status. The engine itself
 * would print its refusal to stderr, so on Linux the kernel's list of locks is asked first.
 */
function refuseLockedDirectory(path: string, target: string): void {
  let holder: string | undefined
  try {
    const { ino } = statSync(join(path, 'status'))
    const own = readlinkSync('/proc/self')
    for (const line of readFileSync('/proc/locks', 'utf8').split('\n')) {
      const [, , , , pid, file] = line.trim().split(/\s+/)
      if (file?.split(':').at(-1) === String(ino) && pid !== own) holder = pid
    }
  } catch (error) {
    // No such directory yet, or a system without /proc: opening will tell.
    if (!['ENOENT', 'ENOTDIR', 'EACCES', 'EINVAL'].includes(errorCode(error))) throw error
  }
  if (holder !== undefined) throw busyError(target, holder)
}

function busyError(target: string, holder: string | undefined): ChkitError {
  const who = holder === undefined || holder === '-1' ? 'another process' : `process ${holder}`
  return new ChkitError('embedded_engine_busy', `${target} is in use by ${who}.`, {
    hint: 'The embedded engine serves one process at a time; wait for it to end, or stop it.',
    retriable: true,
    details: holder === undefined ? {} : { process: holder },
  })
}

function startSession(
  chdb: Chdb,
  directory: DataDirectory,
  engineArguments: readonly string[],
  target: string,
): Session {
  try {
    return new chdb.Session(directory.path, engineArguments.length > 0 ? { connectionArgs: engineArguments } : {})
  } catch (error) {
    if (/only one active data directory|still releasing its connection/.test(messageOf(error))) {
      throw new ChkitError(
        'embedded_engine_busy',
        `${target} cannot be opened: this process has another data directory open.`,
        {
          hint: 'The embedded engine holds one data directory per process; close the other connection first.',
          cause: error,
        },
      )
    }
    // The engine gives no reason; the only one seen is its lock on the directory. Others end in the same place.
    throw busyError(target, undefined)
  }
}

/** Makes `database` the session's current one; false when it does not exist. */
function tryUse(native: Session, database: string): boolean {
  try {
    native.query(`USE ${quoteIdentifier(database)}`)
    return true
  } catch (error) {
    if (parseServerError(messageOf(error))?.clickhouseCode === 81) return false
    throw error
  }
}

function applySettings(native: Session, settings: QuerySettings): void {
  const parts = Object.entries(settings).map(([name, value]) => `${quoteIdentifier(name)} = ${settingValue(value)}`)
  if (parts.length > 0) native.query(`SET ${parts.join(', ')}`)
}

function settingValue(value: QuerySettings[string]): string {
  return typeof value === 'string' ? quoteString(value) : String(Number(value))
}

/** Whether the statement can do no more than read; what begins in another way, with a comment too, is taken to write. */
function isQuery(sql: string): boolean {
  return /^\s*(?:SELECT|WITH|SHOW|EXISTS|DESCRIBE|EXPLAIN)\b/i.test(sql)
}

function isEarlyEnd(error: unknown): boolean {
  const code = errorCode(error)
  return code === 'CHDB_ABORT' || code === 'CHDB_TIMEOUT'
}

function interrupted(target: string): ChkitError {
  return new ChkitError('interrupted', `Interrupted while waiting for ${target}.`, { retriable: true })
}
