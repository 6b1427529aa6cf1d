import { randomUUID } from 'node:crypto'
import type { Executor, QuerySession } from '../clickhouse/executor.js'
import { ServerError } from '../clickhouse/server-error.js'

/**
 * A statement that would do harm when it came once more (rows a second time, an exchange turned back, a table dropped that
 * is new by then) is sent inside an HTTP session that ends before the lease of the lock does. A process that is stopped
 * right after it looked at its lease, and continued when another run holds the lock, delivers a statement that the server
 * then refuses: SESSION_NOT_FOUND. Nothing else in ClickHouse can do that.
 */

/** Seconds by which a session may outlive its timeout: the server looks once a second (seen on 18.16). */
const LATE_S = 2

/** Times that a session is made anew because making it took too long. */
const TRIES = 3

/**
 * Opens a session that ends before `leftMs` are over, for one statement; undefined where there is no time for one, or
 * the server gives none. Throws connection codes.
 */
export async function openFence(executor: Executor, leftMs: () => number): Promise<QuerySession | undefined> {
  for (let tries = 0; tries < TRIES; tries++) {
    const timeoutS = Math.floor(leftMs() / 1000) - LATE_S - 1
    if (timeoutS < 1) return undefined
    const session = { id: `chkit-${randomUUID()}`, timeoutS }
    try {
      await executor.query('SELECT 1', { session })
    } catch (error) {
      // A limit on sessions or on their timeout, or an account that may not: the lease alone has to do.
      if (error instanceof ServerError) return undefined
      throw error
    }
    if ((timeoutS + LATE_S) * 1000 <= leftMs()) return { ...session, mustExist: true }
  }
  return undefined
}

/** SESSION_NOT_FOUND. */
const NOT_FOUND = 372

/** True when the server refused a statement because its session has ended, or is on another node behind a balancer. */
export function isFencedOff(error: unknown): boolean {
  return error instanceof ServerError && error.clickhouseCode === NOT_FOUND
}
