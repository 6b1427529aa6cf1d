import type { Executor } from '../clickhouse/executor.js'
import { ChkitError } from '../errors.js'
import { quoteString } from '../sql/quote.js'
import { type QueryFate, queryFate } from './evidence.js'

/** Milliseconds without an answer after which the server is asked for the first time, and between looks. */
const FIRST_MS = 2_000
const EVERY_MS = 3_000

/** Milliseconds for the answer to a look. */
const LOOK_MS = 2_500

/** Looks that must miss the query before its end is believed: its answer may just be on its way. */
const MISSES = 2

const ENDED: ReadonlySet<QueryFate> = new Set(['finished', 'refused', 'failed'])

type Row = { readonly elapsed: number; readonly read: number | string; readonly written: number | string }

/**
 * Sends a statement and looks after it while its answer does not come: `report` is told what the server says of the query.
 * A connection that hangs says nothing by itself; when the server has ended the query and the answer is still missing,
 * this throws `connection_reset` long before the request times out. Otherwise throws what `send` throws.
 */
export async function withAnswerWatch<Result>(
  executor: Executor,
  queryId: string,
  report: (what: string) => void,
  send: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const waiting = new AbortController()
  const started = performance.now()
  let misses = 0
  let timer: NodeJS.Timeout | undefined
  const look = async () => {
    const told = await describe(executor, queryId)
    if (timer === undefined) return
    report(told.replace('{time}', `${Math.round((performance.now() - started) / 1000)} s`))
    misses = told === UNKNOWN ? misses + 1 : 0
    if (misses >= MISSES && ENDED.has(await fateOf(executor, queryId))) waiting.abort()
    else if (timer !== undefined) again(EVERY_MS)
  }
  const again = (afterMs: number) => {
    timer = setTimeout(() => void look(), afterMs)
    timer.unref()
  }
  again(FIRST_MS)
  try {
    return await send(waiting.signal)
  } catch (error) {
    if (!waiting.signal.aborted) throw error
    throw new ChkitError('connection_reset', `The server has ended query ${queryId}, and its answer did not come.`, {
      hint: 'Is there a proxy or a firewall that drops idle connections?',
      retriable: true,
      cause: error,
    })
  } finally {
    clearTimeout(timer)
    timer = undefined
  }
}

const UNKNOWN = 'no answer for {time}, and the server does not run it'

async function describe(executor: Executor, queryId: string): Promise<string> {
  const columns = 'elapsed, read_rows AS read, written_rows AS written'
  try {
    const rows = await executor.query<Row>(
      `SELECT ${columns} FROM system.processes WHERE query_id = ${quoteString(queryId)}`,
      { timeoutMs: LOOK_MS },
    )
    const [row] = rows
    if (row === undefined) return UNKNOWN
    const count = Math.max(Number(row.read), Number(row.written))
    const rowsDone = count === 0 ? '' : `, ${count.toLocaleString('en-US')} rows so far`
    return `the server has been at it for ${Math.round(row.elapsed)} s${rowsDone}`
  } catch (error) {
    if (!(error instanceof ChkitError)) throw error
    return `no answer for {time}, and the server cannot be asked (${error.code})`
  }
}

async function fateOf(executor: Executor, queryId: string): Promise<QueryFate> {
  try {
    return await queryFate(executor, queryId)
  } catch (error) {
    // It is asked again with the next look.
    if (error instanceof ChkitError) return 'silent'
    throw error
  }
}
