import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import type { Executor } from '../clickhouse/executor.js'
import { quoteString } from '../sql/quote.js'
import { lockPrefix } from './journal.js'
import { acquireLock, type Holder, LEASE_MS, type Lock, lockHeld, lockHolder, noLock } from './lock.js'
import { canLock, openLockStore } from './lock-store.js'

/** A lock that somebody else than `migrate` asks for. */
export type NamedLockRequest = {
  /** Where the lock's tables lie while it is held, unquoted; must exist. */
  readonly database: string
  /** Of the lock, and the beginning of its tables' names; `_chkit_` at its start keeps them out of drift and pull. */
  readonly name: string
  /** Who takes it, for those who wait: letters, digits and dashes. */
  readonly holder: string
  /** What messages call it: `the backfill lock of app.events`. */
  readonly text: string
  readonly signal: AbortSignal
  /** Told who is waited for. */
  readonly onWait?: (holder: Holder) => void
  /** Milliseconds for which it holds without being renewed; only tests give one. */
  readonly leaseMs?: number
}

/**
 * A lock on the server, the way `migrate` takes its own. A holder that renews its lease is alive: `lock_held` at once. One
 * that does not is waited for until its lease has run out. On the embedded engine the folder is the lock, and servers
 * before 21 have none: there it is nobody's, and never refused.
 */
export async function takeNamedLock(executor: Executor, request: NamedLockRequest): Promise<Lock> {
  const { leaseMs = LEASE_MS, signal, holder: owner } = request
  // Claims are told apart by owner and host, so two runs of one name must not share them.
  const runner = `${hostname().replaceAll('/', '-')}/${owner}-${randomBytes(4).toString('hex')}`
  if (!(await canLock(executor))) return noLock(runner)
  const named = {
    text: request.text,
    hint: 'Wait for it, or stop it where it runs. If that run is dead, the lock frees itself in {seconds} s.',
    unreadableHint: `It does not expire. When nothing is under way, drop the tables of ${request.database} whose names begin with ${lockPrefix(request.name)}.`,
  }
  let seen: Holder | undefined
  return acquireLock({
    store: await openLockStore({ ...executor, database: request.database }, request.name),
    runner,
    timeoutMs: leaseMs + 5_000,
    journalEpoch: 0,
    leaseMs,
    signal,
    named,
    onWait: (holder) => {
      if (seen?.epoch === holder.epoch && holder.expiresInMs > seen.expiresInMs) throw lockHeld(holder, named)
      seen = holder
      request.onWait?.(holder)
    },
  })
}

/** Who holds a lock now; undefined when nobody does, or nobody can. */
export async function namedLockHolder(
  executor: Executor,
  { database, name }: Pick<NamedLockRequest, 'database' | 'name'>,
): Promise<Holder | undefined> {
  if (!(await canLock(executor))) return undefined
  // Only looking must not create the table that KeeperMap needs.
  const tables = await executor.query(
    `SELECT 1 FROM system.tables WHERE database = ${quoteString(database)} AND startsWith(name, ${quoteString(lockPrefix(name))}) LIMIT 1`,
  )
  if (tables.length === 0) return undefined
  const holder = await lockHolder(await openLockStore({ ...executor, database }, name))
  return holder !== undefined && holder.expiresInMs > 0 ? holder : undefined
}
