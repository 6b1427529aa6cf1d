import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { ServerError } from '../clickhouse/server-error.js'
import { ChkitError } from '../errors.js'
import { persistently } from './cut.js'
import type { Claim, Claims, LockStore } from './lock-store.js'
import { hasEnded, ownIdentity } from './process-identity.js'

/**
 * One runner at a time. Runs lay claim to epochs: of many claims to one epoch one is kept, and the greatest epoch holds.
 * A claim says who holds the lock and until when, in the server's time. A holder that cannot renew in time knows by its
 * own clock that it has lost the lock, before anyone else may take it.
 *
 * The claim is dropped on release. A slow contender may then claim an epoch that was already used, or one below the
 * greatest; it looks again after claiming, and gives way to any greater epoch.
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
  /** Milliseconds until it expires, by the server's clock; negative when it has, infinite where the claim cannot be read. */
  readonly expiresInMs: number
}

export type Lock = {
  /** Grows with every run that held the lock; 0 where no lock is needed. */
  readonly epoch: number
  readonly runner: string
  /** Asked right before each statement. Throws `lock_lost` when the lease has run out or another epoch holds. */
  assertHeld(): Promise<void>
  /** Milliseconds for which it surely holds without being renewed; infinite where no lock is needed. */
  leftMs(): number
  release(): Promise<void>
}

/** A name for this run: host and a random part. */
export function newRunner(): string {
  return `${hostname()}/${randomBytes(4).toString('hex')}`
}

/** For the embedded engine, whose folder is locked by this process, and for servers without table comments. */
export function noLock(runner: string): Lock {
  const nothing = async () => undefined
  return { epoch: 0, runner, assertHeld: nothing, leftMs: () => Number.POSITIVE_INFINITY, release: nothing }
}

/** UNKNOWN_TABLE, UNKNOWN_DATABASE, TABLE_IS_DROPPED. */
const GONE: ReadonlySet<number> = new Set([60, 81, 218])

function claimOf(runner: string, epoch: number, expiresAt: number): Claim {
  const [host = '', owner = ''] = runner.split('/')
  const identity = ownIdentity()
  return { epoch, owner, host, expiresAt, ...(identity === undefined ? {} : { process: identity }) }
}

/** True when nobody can act on the claim any more: its lease has run out, or its process was on this machine and ended. */
function isFree(claim: Claim, now: number): boolean {
  return claim.expiresAt <= now || (claim.process !== undefined && hasEnded(claim.process))
}

export type AcquireOptions = {
  readonly store: LockStore
  readonly runner: string
  /** Milliseconds to wait for another run; 0 refuses at once. */
  readonly timeoutMs: number
  /** The greatest epoch that the journal knows. */
  readonly journalEpoch: number
  readonly leaseMs?: number
  readonly signal: AbortSignal
  readonly onWait: (holder: Holder) => void
  /** What messages call it; default the migration lock. */
  readonly named?: LockName
}

/** A lock in words: `the migration lock`, and what to do where its holder is dead. */
export type LockName = {
  readonly text: string
  /** `{seconds}` stands for what is left of the lease. */
  readonly hint: string
  /** Where the claim says neither who holds the lock nor until when. */
  readonly unreadableHint: string
}

const MIGRATION_LOCK: LockName = {
  text: 'the migration lock',
  hint: 'Wait for it (--lock-timeout <s>). If that run is dead, the lock frees itself in {seconds} s; chkit migrate --unlock breaks it.',
  unreadableHint: 'It does not expire. When no run is under way, break it: chkit migrate --unlock.',
}

function holderOf(now: number, held: Claim): Holder {
  return { owner: held.owner, host: held.host, epoch: held.epoch, expiresInMs: held.expiresAt - now }
}

/** The run that holds the lock now, expired or not; undefined when nobody does. */
export async function lockHolder(store: LockStore): Promise<Holder | undefined> {
  const { now, claims } = await store.list()
  const [held] = claims
  return held === undefined ? undefined : holderOf(now, held)
}

/** Throws `lock_held` while a run is under way that may still act. */
export async function refuseBesideRun(store: LockStore): Promise<void> {
  const { now, claims } = await store.list()
  const [held] = claims
  if (held !== undefined && !isFree(held, now)) throw lockHeld(holderOf(now, held))
}

/** Removes every claim, whoever holds it. */
export async function breakLock(store: LockStore): Promise<void> {
  for (const { epoch } of (await store.list()).claims) await store.drop(epoch)
}

/** Takes the lock, waiting up to `timeoutMs`. Throws `lock_held`, naming the holder, `interrupted`, and server errors. */
export async function acquireLock(options: AcquireOptions): Promise<Lock> {
  const deadline = performance.now() + options.timeoutMs
  for (let tries = 0; ; tries++) {
    // Everything is counted from before the server was asked for its time, so that the lease in hand is never longer
    // than the one that others see.
    const asked = performance.now()
    const listing = await options.store.list()
    const [held] = listing.claims
    if (held === undefined || isFree(held, listing.now)) {
      const lock = await tryEpoch(options, listing, asked)
      if (lock !== undefined) return lock
    } else {
      const holder = holderOf(listing.now, held)
      if (performance.now() >= deadline) throw lockHeld(holder, options.named)
      options.onWait(holder)
    }
    if (options.signal.aborted)
      throw new ChkitError('interrupted', `Interrupted while waiting for ${(options.named ?? MIGRATION_LOCK).text}.`)
    if (performance.now() >= deadline && tries > 20)
      throw new ChkitError('lock_held', 'Other runs were faster each time.', { retriable: true })
    // Contenders that start together should not ask together for ever.
    await sleep(Math.min(100 + 50 * tries, 1000) * (0.5 + Math.random()))
  }
}

/** The holder in words: `<owner> on <host>`, or what is known of one whose claim cannot be read. */
export function describeHolder(holder: Holder): string {
  if (Number.isFinite(holder.expiresInMs)) return `${holder.owner} on ${holder.host}`
  return 'someone whose claim cannot be read, as another version may have written it'
}

/** `lock_held`, naming the holder. */
export function lockHeld(holder: Holder, named: LockName = MIGRATION_LOCK): ChkitError {
  const message = `Another run holds ${named.text}: ${describeHolder(holder)}.`
  if (!Number.isFinite(holder.expiresInMs))
    return new ChkitError('lock_held', message, { hint: named.unreadableHint, details: { ...holder } })
  return new ChkitError('lock_held', message, {
    hint: named.hint.replace('{seconds}', String(Math.ceil(holder.expiresInMs / 1000))),
    details: { ...holder },
    retriable: true,
  })
}

async function tryEpoch(options: AcquireOptions, listing: Claims, asked: number): Promise<Lock | undefined> {
  const { store, runner, leaseMs = LEASE_MS } = options
  const epoch = Math.max(options.journalEpoch, listing.claims[0]?.epoch ?? 0) + 1
  const claim = claimOf(runner, epoch, listing.now + leaseMs)
  const isMine = (other: Claim) => other.epoch === epoch && other.host === claim.host && other.owner === claim.owner
  try {
    await store.create(claim)
  } catch (error) {
    // It may stand all the same, and would keep others waiting for its lease.
    await dropMine(store, isMine)
    throw error
  }
  const { claims } = await store.list()
  const mine = claims.find(isMine)
  if (mine === undefined) return undefined
  if (claims[0]?.epoch !== epoch) {
    await store.drop(epoch)
    return undefined
  }
  for (const older of claims.slice(1)) await store.drop(older.epoch)
  return hold(store, epoch, { runner, leaseMs, since: asked, named: options.named ?? MIGRATION_LOCK })
}

async function dropMine(store: LockStore, isMine: (claim: Claim) => boolean): Promise<void> {
  try {
    const mine = (await store.list()).claims.find(isMine)
    if (mine !== undefined) await store.drop(mine.epoch)
  } catch (error) {
    // What kept the claim from being made says more.
    if (!(error instanceof ChkitError)) throw error
  }
}

function hold(
  store: LockStore,
  epoch: number,
  terms: { readonly runner: string; readonly leaseMs: number; readonly since: number; readonly named: LockName },
): Lock {
  const { runner, leaseMs } = terms
  let confirmedAt = terms.since
  let confirmedAtClock = Date.now() - (performance.now() - terms.since)
  let lost: string | undefined
  let renewing: Promise<void> | undefined

  // A machine that sleeps stops the one clock, and someone who sets the time turns back the other.
  const left = () => leaseMs - Math.max(performance.now() - confirmedAt, Date.now() - confirmedAtClock)
  const renewOnce = async () => {
    const asked = performance.now()
    const askedAtClock = Date.now()
    const { now, claims } = await store.list()
    if (claims[0]?.epoch !== epoch) {
      lost = claims.length === 0 ? 'it was broken' : `epoch ${claims[0]?.epoch} holds it now`
      return
    }
    // A lease that has run out is never taken up again: another run may be about to take it.
    if (left() <= 0) {
      lost = 'its lease ran out'
      return
    }
    await store.renew(claimOf(runner, epoch, now + leaseMs))
    confirmedAt = asked
    confirmedAtClock = askedAtClock
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
      throw new ChkitError('lock_lost', `This run has lost ${terms.named.text}: ${lost}. It sends nothing more.`, {
        hint: 'Another run may go on with the migration. Run chkit status to see where it stands.',
        details: { epoch },
      })
    },
    leftMs: left,
    release: async () => {
      clearInterval(timer)
      await renewing?.catch(() => undefined)
      if (lost === undefined) await persistently(() => store.drop(epoch), 5000)
    },
  }
}
