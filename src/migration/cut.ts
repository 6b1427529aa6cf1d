import { setTimeout as sleep } from 'node:timers/promises'
import { ServerError } from '../clickhouse/server-error.js'
import { ChkitError, type ErrorCode } from '../errors.js'

/** Failures of the connection, after which a statement may or may not have arrived, and may still be running. */
const CUT: ReadonlySet<ErrorCode> = new Set([
  'connection_refused',
  'connection_timeout',
  'connection_reset',
  'connection_not_clickhouse',
  'connection_proxy_error',
])

/** True when `error` says that the connection failed, not the statement. */
export function isCut(error: unknown): error is ChkitError {
  return error instanceof ChkitError && CUT.has(error.code)
}

/**
 * Does something that may be done twice, again after a cut connection until `forMs` have passed. Throws what it threw
 * last, and at once what is no cut connection.
 */
export async function persistently<Result>(run: () => Promise<Result>, forMs: number): Promise<Result> {
  const deadline = performance.now() + forMs
  for (let pause = 50; ; pause = Math.min(pause * 2, 1000)) {
    try {
      return await run()
    } catch (error) {
      if (!isCut(error) || performance.now() > deadline) throw error
      await sleep(pause)
    }
  }
}

/** KEEPER_EXCEPTION, NO_ZOOKEEPER, TABLE_IS_READ_ONLY, UNKNOWN_STATUS_OF_INSERT; ABORTED: a replica starts anew after its session. */
const KEEPER_AWAY: ReadonlySet<number> = new Set([999, 225, 242, 319, 236])

/** Milliseconds for ZooKeeper to come back; its sessions alone take up to 30 s to be made anew. */
const KEEPER_MS = 120_000

/** True when `error` says that ZooKeeper, or the way to it, is gone for now. */
export function isKeeperAway(error: unknown): error is ServerError {
  return error instanceof ServerError && KEEPER_AWAY.has(error.clickhouseCode)
}

/**
 * The same, and again as well while ZooKeeper is away, without which a replicated table takes no rows. `onAway` is told
 * what the server says.
 */
export async function patiently<Result>(
  run: () => Promise<Result>,
  forMs: number,
  onAway: (error: ServerError) => void,
): Promise<Result> {
  const deadline = performance.now() + KEEPER_MS
  for (;;) {
    try {
      return await persistently(run, forMs)
    } catch (error) {
      if (!isKeeperAway(error) || performance.now() > deadline) throw error
      onAway(error)
      await sleep(1000)
    }
  }
}
