import { setTimeout as sleep } from 'node:timers/promises'
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
