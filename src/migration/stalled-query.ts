import type { Executor } from '../clickhouse/executor.js'
import { ServerError } from '../clickhouse/server-error.js'
import { quoteString } from '../sql/quote.js'

/**
 * Milliseconds without progress after which a query that a dead run left behind is killed. Longer than what the server
 * itself waits for without reading a row: 120 s for a lock on a table, 180 s for the hosts of a cluster.
 */
export const STALLED_MS = 240_000

/** UNKNOWN_IDENTIFIER and the like on catalogues of another age, ACCESS_DENIED, SYNTAX_ERROR, READONLY. */
const CANNOT: ReadonlySet<number> = new Set([46, 47, 62, 164, 497])

async function ifPossible<Result>(run: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await run()
  } catch (error) {
    if (error instanceof ServerError && CANNOT.has(error.clickhouseCode)) return undefined
    throw error
  }
}

/** What a running query has done so far; a text that differs when it gets on. Undefined where the server does not tell. */
async function progressOf(executor: Executor, queryId: string): Promise<string | undefined> {
  const counters = "read_rows, written_rows, ProfileEvents['UserTimeMicroseconds'] AS cpu"
  const rows = await ifPossible(() =>
    executor.query(`SELECT ${counters} FROM system.processes WHERE query_id = ${quoteString(queryId)}`),
  )
  return rows === undefined ? undefined : JSON.stringify(rows)
}

/**
 * Looks after one query that a dead run left running: each call compares its progress with that of the call before, and
 * kills it once when `stalledMs` have passed without any. Throws connection codes.
 */
export function watchStalled(executor: Executor, queryId: string, stalledMs: number): () => Promise<void> {
  let seen: string | undefined
  let since = performance.now()
  let killed = false
  return async () => {
    if (killed) return
    const progress = await progressOf(executor, queryId)
    if (progress === undefined || progress !== seen) {
      seen = progress
      since = performance.now()
    } else if (performance.now() - since >= stalledMs) {
      killed = true
      await ifPossible(() => executor.command(`KILL QUERY WHERE query_id = ${quoteString(queryId)} ASYNC`))
    }
  }
}
