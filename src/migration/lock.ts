import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Executor } from '../clickhouse/executor.js'
import { ServerError } from '../clickhouse/server-error.js'
import { ChkitError } from '../errors.js'
import { quoteQualified, quoteString } from '../sql/quote.js'
import { isCut, persistently } from './cut.js'
import { lockPrefix } from './journal.js'

/**
 * One runner at a time. The lock is a table whose name carries an epoch: CREATE TABLE succeeds for one of many, and the
 * greatest epoch holds. Its comment says who holds it and until when, in the server's time. A holder that cannot renew
 * in time knows by its own clock that it has lost the lock, before anyone else may take it.
 *
 * The table is dropped on release. A slow contender may then create an epoch that was already used, or one below the
 * greatest; it looks again after creating, and gives way to any greater epoch.
 */

/** Milliseconds for which a lock holds without being renewed. */
export const LEASE_MS = 30_000

/** Milliseconds that a statement may take from the check to its arrival at the server. */
const MARGIN_MS = 8_000

/** Who holds the lock. */
export type Holder = {
  readonly owner: string
  readonly host: string
  readonly epoch: number
  /** Milliseconds until it expires, by the server's clock; negative when it has. */
  readonly expiresInMs: number
}

export type Lock = {
  /** Grows with every run that held the lock; 0 where no lock is needed. */
  readonly epoch: number
  readonly runner: string
  /** Asked right before each statement. Throws `lock_lost` when the lease has run out or another epoch holds. */
  assertHeld(): Promise<void>
  release(): Promise<void>
}

/** A name for this run: host and a random part. */
export function newRunner(): string {
  return `${hostname()}/${randomBytes(4).toString('hex')}`
}

/** For the embedded engine, whose folder is locked by this process, and for servers without table comments. */
export function noLock(runner: string): Lock {
  return { epoch: 0, runner, assertHeld: async () => undefined, release: async () => undefined }
}

/** TABLE_ALREADY_EXISTS. */
const EXISTS = 57
/** UNKNOWN_TABLE, UNKNOWN_DATABASE, TABLE_IS_DROPPED. */
const GONE: ReadonlySet<number> = new Set([60, 81, 218])

type LockTable = { readonly epoch: number; readonly owner: string; readonly host: string; readonly expiresAt: number }
type Listing = { readonly now: number; readonly tables: readonly LockTable[] }

function parseComment(comment: string): { owner: string; host: string; expiresAt: number } {
  try {
    const value: unknown = JSON.parse(comment)
    if (typeof value === 'object' && value !== null && 'owner' in value && 'host' in value && 'expiresAt' in value) {
      return { owner: String(value.owner), host: String(value.host), expiresAt: Number(value.expiresAt) }
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  // Someone wrote another comment: whoever it is holds the lock until a person breaks it.
  return { owner: 'unknown', host: 'unknown', expiresAt: Number.POSITIVE_INFINITY }
}

async function list(executor: Executor, prefix: string): Promise<Listing> {
  const [row] = await executor.query<{ now: number | string; names: string[]; comments: string[] }>(
    'SELECT toUnixTimestamp64Milli(now64(3)) AS now, groupArray(name) AS names, groupArray(comment) AS comments ' +
      `FROM system.tables WHERE database = ${quoteString(executor.database)} AND startsWith(name, ${quoteString(prefix)})`,
  )
  const names = row?.names ?? []
  const tables = names.flatMap((name, index) => {
    const epoch = Number(name.slice(prefix.length))
    return Number.isSafeInteger(epoch) ? [{ epoch, ...parseComment(row?.comments[index] ?? '') }] : []
  })
  return { now: Number(row?.now ?? 0), tables: tables.sort((a, b) => b.epoch - a.epoch) }
}

function commentOf(runner: string, epoch: number, expiresAt: number): string {
  const [host = '', owner = ''] = runner.split('/')
  return quoteString(JSON.stringify({ owner, host, epoch, expiresAt }))
}

async function drop(executor: Executor, table: string): Promise<void> {
  await executor.command(`DROP TABLE IF EXISTS ${quoteQualified(executor.database, table)}`)
}

/** Creates the lock table of an epoch, unless another run was faster. After a cut connection nobody knows; one looks. */
async function create(executor: Executor, table: string, comment: string): Promise<void> {
  try {
    await executor.command(
      `CREATE TABLE ${quoteQualified(executor.database, table)} (held UInt8) ENGINE = Memory COMMENT ${comment}`,
    )
  } catch (error) {
    const exists = error instanceof ServerError && error.clickhouseCode === EXISTS
    if (!exists && !isCut(error)) throw error
  }
}

export type AcquireOptions = {
  readonly journalTable: string
  readonly runner: string
  /** Milliseconds to wait for another run; 0 refuses at once. */
  readonly timeoutMs: number
  /** The greatest epoch that the journal knows. */
  readonly journalEpoch: number
  readonly leaseMs?: number
  readonly signal: AbortSignal
  readonly onWait: (holder: Holder) => void
}

function holderOf(listing: Listing, held: LockTable): Holder {
  return { owner: held.owner, host: held.host, epoch: held.epoch, expiresInMs: held.expiresAt - listing.now }
}

/** The run that holds the lock now, expired or not; undefined when nobody does. */
export async function lockHolder(executor: Executor, journalTable: string): Promise<Holder | undefined> {
  const listing = await list(executor, lockPrefix(journalTable))
  const [held] = listing.tables
  return held === undefined ? undefined : holderOf(listing, held)
}

/** Removes every lock table, whoever holds it. */
export async function breakLock(executor: Executor, journalTable: string): Promise<void> {
  const prefix = lockPrefix(journalTable)
  for (const { epoch } of (await list(executor, prefix)).tables) await drop(executor, prefix + epoch)
}

/** Takes the lock, waiting up to `timeoutMs`. Throws `lock_held`, naming the holder, `interrupted`, and server errors. */
export async function acquireLock(executor: Executor, options: AcquireOptions): Promise<Lock> {
  const prefix = lockPrefix(options.journalTable)
  const leaseMs = options.leaseMs ?? LEASE_MS
  const deadline = performance.now() + options.timeoutMs
  for (let tries = 0; ; tries++) {
    // Everything is counted from before the server was asked for its time, so that the lease in hand is never longer
    // than the one that others see.
    const asked = performance.now()
    const listing = await list(executor, prefix)
    const [held] = listing.tables
    if (held === undefined || held.expiresAt <= listing.now) {
      const lock = await tryEpoch(executor, prefix, listing, { leaseMs, asked, options })
      if (lock !== undefined) return lock
    } else {
      const holder = holderOf(listing, held)
      if (performance.now() >= deadline) throw lockHeld(holder)
      options.onWait(holder)
    }
    if (options.signal.aborted) throw new ChkitError('interrupted', 'Interrupted while waiting for the migration lock.')
    if (performance.now() >= deadline && tries > 20)
      throw new ChkitError('lock_held', 'Other runs were faster each time.', { retriable: true })
    // Contenders that start together should not ask together for ever.
    await sleep(Math.min(100 + 50 * tries, 1000) * (0.5 + Math.random()))
  }
}

function lockHeld(holder: Holder): ChkitError {
  return new ChkitError('lock_held', `Another run holds the migration lock: ${holder.owner} on ${holder.host}.`, {
    hint: `Wait for it (--lock-timeout <s>). If that run is dead, the lock frees itself in ${Math.ceil(holder.expiresInMs / 1000)} s; chkit migrate --unlock breaks it.`,
    details: { ...holder },
    retriable: true,
  })
}

async function tryEpoch(
  executor: Executor,
  prefix: string,
  listing: Listing,
  terms: { readonly leaseMs: number; readonly asked: number; readonly options: AcquireOptions },
): Promise<Lock | undefined> {
  const { leaseMs, asked, options } = terms
  const epoch = Math.max(options.journalEpoch, listing.tables[0]?.epoch ?? 0) + 1
  await create(executor, prefix + epoch, commentOf(options.runner, epoch, listing.now + leaseMs))
  const again = await list(executor, prefix)
  const mine = again.tables.find((table) => table.epoch === epoch && `${table.host}/${table.owner}` === options.runner)
  if (mine === undefined) return undefined
  if (again.tables[0]?.epoch !== epoch) {
    await drop(executor, prefix + epoch)
    return undefined
  }
  for (const older of again.tables.slice(1)) await drop(executor, prefix + older.epoch)
  return hold(executor, prefix, epoch, options.runner, leaseMs, asked)
}

function hold(executor: Executor, prefix: string, epoch: number, runner: string, leaseMs: number, since: number): Lock {
  const table = quoteQualified(executor.database, prefix + epoch)
  let confirmedAt = since
  let lost: string | undefined
  let renewing: Promise<void> | undefined

  const left = () => leaseMs - (performance.now() - confirmedAt)
  const renewOnce = async () => {
    const asked = performance.now()
    const listing = await list(executor, prefix)
    if (listing.tables[0]?.epoch !== epoch) {
      lost = listing.tables.length === 0 ? 'it was broken' : `epoch ${listing.tables[0]?.epoch} holds it now`
      return
    }
    // A lease that has run out is never taken up again: another run may be about to take it.
    if (left() <= 0) {
      lost = 'its lease ran out'
      return
    }
    await executor.command(`ALTER TABLE ${table} MODIFY COMMENT ${commentOf(runner, epoch, listing.now + leaseMs)}`)
    confirmedAt = asked
  }
  const renew = () => {
    renewing ??= renewOnce().finally(() => {
      renewing = undefined
    })
    return renewing
  }
  const timer = setInterval(() => {
    renew().catch((error: unknown) => {
      // A renewal that fails is tried again by the next tick; the lease, not the error, decides.
      if (error instanceof ServerError && GONE.has(error.clickhouseCode)) lost = 'it was broken'
    })
  }, leaseMs / 3)
  timer.unref()

  return {
    epoch,
    runner,
    assertHeld: async () => {
      if (lost === undefined && left() <= 0) lost = 'its lease ran out'
      if (lost === undefined && left() < MARGIN_MS) await renew()
      if (lost === undefined) return
      throw new ChkitError('lock_lost', `This run has lost the migration lock: ${lost}. It sends nothing more.`, {
        hint: 'Another run may go on with the migration. Run chkit status to see where it stands.',
        details: { epoch },
      })
    },
    release: async () => {
      clearInterval(timer)
      await renewing?.catch(() => undefined)
      if (lost === undefined) await persistently(() => drop(executor, prefix + epoch), 5000)
    },
  }
}
