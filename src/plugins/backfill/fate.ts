import { setTimeout as sleep } from 'node:timers/promises'
import { ChkitError, type Executor, quoteString } from '../../index.js'

/** What the server remembers of a query. `silent`: nothing, or it keeps no log. */
export type Fate = 'running' | 'finished' | 'refused' | 'failed' | 'silent'

/** The fate of a query by its id, from `system.processes` and `system.query_log`. */
export async function queryFate(connection: Executor, queryId: string): Promise<Fate> {
  // The embedded engine runs nothing that outlives its process, and takes no ids.
  if (connection.kind === 'embedded') return 'silent'
  if (await isRunning(connection, queryId)) return 'running'
  await tolerating(() => connection.command('SYSTEM FLUSH LOGS'))
  const rows = await tolerating(() =>
    connection.query<{ type: string }>(
      `SELECT toString(type) AS type FROM system.query_log WHERE query_id = ${quoteString(queryId)} ORDER BY event_time, type`,
    ),
  )
  const types = (rows ?? []).map(({ type }) => type)
  if (types.includes('QueryFinish')) return 'finished'
  if (types.includes('ExceptionBeforeStart')) return 'refused'
  if (types.includes('ExceptionWhileProcessing')) return 'failed'
  return 'silent'
}

async function isRunning(connection: Executor, queryId: string): Promise<boolean> {
  const running = await connection.query(`SELECT 1 FROM system.processes WHERE query_id = ${quoteString(queryId)}`)
  return running.length > 0
}

/** A query's fate once it has ended; tells `onWait` now and then. Throws `interrupted`, connection codes. */
export async function endedFate(
  connection: Executor,
  queryId: string,
  signal: AbortSignal,
  onWait: () => void,
): Promise<Exclude<Fate, 'running'>> {
  for (let waited = 0; ; waited++) {
    const fate = await queryFate(connection, queryId)
    if (fate !== 'running') return fate
    if (signal.aborted) throw new ChkitError('interrupted', `Interrupted while query ${queryId} is still running.`)
    if (waited % 10 === 0) onWait()
    await sleep(Math.min(50 * 2 ** waited, 1000))
  }
}

/** Ends a query that nobody waits for any more, and waits until it is gone. */
export async function killQuery(connection: Executor, queryId: string): Promise<void> {
  if (connection.kind === 'embedded') return
  await tolerating(() => connection.command(`KILL QUERY WHERE query_id = ${quoteString(queryId)} SYNC`))
}

/** Undefined where the server refuses: an account without rights to it, a server without the table. */
export async function tolerating<Result>(ask: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await ask()
  } catch (error) {
    if (error instanceof ChkitError && (error.code === 'server_error' || error.code === 'access_denied'))
      return undefined
    throw error
  }
}

const LOST: ReadonlySet<string> = new Set([
  'connection_refused',
  'connection_host_unknown',
  'connection_timeout',
  'connection_reset',
  'connection_proxy_error',
  'connection_not_clickhouse',
])

/** True for errors after which nobody knows whether the server took the statement. */
export function isConnectionError(error: unknown): error is ChkitError {
  return error instanceof ChkitError && LOST.has(error.code)
}

/** The server's own number of an error, or undefined. */
export function serverCode(error: unknown): number | undefined {
  const code = error instanceof ChkitError ? error.details.clickhouseCode : undefined
  return typeof code === 'number' ? code : undefined
}

/**
 * TOO_MANY_SIMULTANEOUS_QUERIES, MEMORY_LIMIT_EXCEEDED, TOO_MANY_PARTS, CANNOT_SCHEDULE_TASK; and of ZooKeeper
 * NO_ZOOKEEPER, TABLE_IS_READ_ONLY, UNKNOWN_STATUS_OF_INSERT, KEEPER_EXCEPTION.
 */
const PRESSURE: ReadonlySet<number> = new Set([202, 241, 252, 439, 225, 242, 319, 999])

/** True when the server says that it has too much to do, too little room, or no ZooKeeper for now. */
export function isPressure(error: unknown): boolean {
  const code = serverCode(error)
  return code !== undefined && PRESSURE.has(code)
}
