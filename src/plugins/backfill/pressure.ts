import { setTimeout as sleep } from 'node:timers/promises'
import { type Executor, quoteString } from '../../index.js'
import { tolerating } from './fate.js'
import type { TableName } from './plan.js'

/** At nine tenths of what the server allows itself, the next chunk would most likely fail. */
const MEMORY_SHARE = 0.9

type Readings = {
  readonly parts: number | string
  readonly limit: number | string
  readonly used: number | string
  readonly most: number | string
}

/** Why a run should wait before it sends more; undefined when it need not, or the server does not tell. */
export async function pressureOn(connection: Executor, storage: TableName): Promise<string | undefined> {
  const ask = (memory: boolean) => tolerating(() => connection.query<Readings>(readingsQuery(storage, memory)))
  // Servers before 23 list no settings of their own.
  const rows = (await ask(true)) ?? (await ask(false))
  return rows?.[0] && pressureIn(rows[0], storage)
}

/**
 * Moving parts does not make the server slow down or refuse, as inserting does, so its own limit is kept for it: with
 * `parts_to_delay_insert` active parts in one partition it would delay inserts. A table's own setting goes before the
 * server's.
 */
export function pressureIn(readings: Readings, { database, name }: TableName): string | undefined {
  const [parts, limit, used, most] = [readings.parts, readings.limit, readings.used, readings.most].map(Number) as [
    number,
    number,
    number,
    number,
  ]
  if (limit > 0 && parts >= limit) {
    return `a partition of ${database}.${name} has ${parts} parts, of ${limit} with which the server delays inserts; waiting for merges`
  }
  if (most > 0 && used >= most * MEMORY_SHARE)
    return `the server uses ${Math.round((used / most) * 100)} % of its memory`
  return undefined
}

/** One request for all readings. */
function readingsQuery({ database, name }: TableName, memory: boolean): string {
  const [inDatabase, itself] = [quoteString(database), quoteString(name)]
  const own = `SELECT toUInt64OrZero(extract(any(engine_full), 'parts_to_delay_insert = ([0-9]+)')) FROM system.tables WHERE database = ${inDatabase} AND name = ${itself}`
  const server = `SELECT toUInt64OrZero(any(value)) FROM system.merge_tree_settings WHERE name = 'parts_to_delay_insert'`
  return (
    `SELECT (SELECT max(parts) FROM (SELECT count() AS parts FROM system.parts WHERE database = ${inDatabase} AND table = ${itself} AND active GROUP BY partition_id)) AS parts, ` +
    `if((${own}) AS own > 0, own, (${server})) AS limit, ` +
    (memory
      ? `(SELECT sum(value) FROM system.metrics WHERE metric = 'MemoryTracking') AS used, ` +
        `(SELECT toUInt64OrZero(any(value)) FROM system.server_settings WHERE name = 'max_server_memory_usage') AS most`
      : '0 AS used, 0 AS most')
  )
}

/** Keeps the average of what was written below a rate. */
export type Throttle = { add(bytes: number): void; wait(signal: AbortSignal): Promise<void> }

/** A throttle in bytes per second; undefined never waits. `now` is in ms. */
export function createThrottle(maxBytesPerSecond: number | undefined, now: () => number): Throttle {
  const started = now()
  let bytes = 0
  return {
    add: (more) => {
      bytes += more
    },
    async wait(signal) {
      if (maxBytesPerSecond === undefined) return
      const due = started + (bytes / maxBytesPerSecond) * 1000
      while (now() < due && !signal.aborted) await pause(Math.min(due - now(), 1000), signal)
    },
  }
}

/** Waits, but no longer than until `signal`. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch((error: unknown) => {
    if (!(error instanceof Error && error.name === 'AbortError')) throw error
  })
}
