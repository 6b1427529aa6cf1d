import { setTimeout as sleep } from 'node:timers/promises'
import { type Executor, quoteString } from '../../index.js'
import { tolerating } from './fate.js'
import type { TableName } from './plan.js'

/** Why a run should wait before it sends more; undefined when it need not. */
export async function pressureOn(connection: Executor, storage: TableName): Promise<string | undefined> {
  return (await partsPressure(connection, storage)) ?? (await memoryPressure(connection))
}

/**
 * Moving parts does not make the server slow down or refuse, as inserting does, so its own limit is kept for it: with
 * `parts_to_delay_insert` active parts in one partition it would delay inserts.
 */
async function partsPressure(connection: Executor, { database, name }: TableName): Promise<string | undefined> {
  const rows = await tolerating(() =>
    connection.query<{ parts: number; limit: number | string }>(
      `SELECT max(parts) AS parts, (SELECT toUInt64OrZero(any(value)) FROM system.merge_tree_settings WHERE name = 'parts_to_delay_insert') AS limit ` +
        `FROM (SELECT count() AS parts FROM system.parts WHERE database = ${quoteString(database)} AND table = ${quoteString(name)} AND active GROUP BY partition_id)`,
    ),
  )
  const { parts = 0, limit = 0 } = rows?.[0] ?? {}
  if (Number(limit) === 0 || Number(parts) < Number(limit)) return undefined
  return `a partition of ${database}.${name} has ${parts} parts; waiting for merges`
}

/** At nine tenths of what the server allows itself, the next chunk would most likely fail. */
const MEMORY_SHARE = 0.9

async function memoryPressure(connection: Executor): Promise<string | undefined> {
  const rows = await tolerating(() =>
    connection.query<{ used: number | string; most: number | string }>(
      `SELECT (SELECT sum(value) FROM system.metrics WHERE metric = 'MemoryTracking') AS used, ` +
        `(SELECT toUInt64OrZero(any(value)) FROM system.server_settings WHERE name = 'max_server_memory_usage') AS most`,
    ),
  )
  const used = Number(rows?.[0]?.used ?? 0)
  const most = Number(rows?.[0]?.most ?? 0)
  if (most === 0 || used < most * MEMORY_SHARE) return undefined
  return `the server uses ${Math.round((used / most) * 100)} % of its memory`
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
