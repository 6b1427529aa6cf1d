import type { Executor } from '../clickhouse/executor.js'
import { ServerError } from '../clickhouse/server-error.js'
import { quoteQualified, quoteString } from '../sql/quote.js'
import { isCut } from './cut.js'
import { lockPrefix } from './journal.js'
import type { ProcessIdentity } from './process-identity.js'

/** One claim to the lock; the one with the greatest epoch holds it. */
export type Claim = {
  readonly epoch: number
  readonly owner: string
  readonly host: string
  /** Milliseconds since 1970, by the server's clock. */
  readonly expiresAt: number
  /** Where others on the holder's machine can see whether it still lives; absent where that cannot be told. */
  readonly process?: ProcessIdentity
}

/** All claims, greatest epoch first, and the server's time of the same moment. */
export type Claims = { readonly now: number; readonly claims: readonly Claim[] }

/** Where claims are kept. `create` is atomic: of many for one epoch, one is kept. */
export type LockStore = {
  /** True where every node of a cluster sees the same claims. */
  readonly shared: boolean
  list(): Promise<Claims>
  /** Says nothing about success: after a cut connection nobody knows, so whoever creates looks afterwards. */
  create(claim: Claim): Promise<void>
  renew(claim: Claim): Promise<void>
  /** A claim that is gone is fine. */
  drop(epoch: number): Promise<void>
}

const NOW = 'toUnixTimestamp64Milli(now64(3))'

function parseIdentity(value: unknown): ProcessIdentity | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  if (!('machine' in value) || !('pid' in value) || !('started' in value)) return undefined
  return { machine: String(value.machine), pid: Number(value.pid), started: String(value.started) }
}

function parseClaim(epoch: number, text: string): Claim {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && 'owner' in value && 'host' in value && 'expiresAt' in value) {
      const claim = { epoch, owner: String(value.owner), host: String(value.host), expiresAt: Number(value.expiresAt) }
      const identity = 'process' in value ? parseIdentity(value.process) : undefined
      return identity === undefined ? claim : { ...claim, process: identity }
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  // Someone wrote something else there: whoever it is holds the lock until a person breaks it.
  return { epoch, owner: 'unknown', host: 'unknown', expiresAt: Number.POSITIVE_INFINITY }
}

type Row = { readonly now: number | string; readonly names: readonly string[]; readonly texts: readonly string[] }

function claimsOf(row: Row | undefined, epochOf: (name: string) => number): Claims {
  const claims = (row?.names ?? []).flatMap((name, index) => {
    const epoch = epochOf(name)
    return Number.isSafeInteger(epoch) ? [parseClaim(epoch, row?.texts[index] ?? '')] : []
  })
  return { now: Number(row?.now ?? 0), claims: claims.sort((a, b) => b.epoch - a.epoch) }
}

/** Runs a creation; that another was faster, or that the connection was cut, shows when one looks. */
async function attempt(run: () => Promise<unknown>, taken: ReadonlySet<number>): Promise<void> {
  try {
    await run()
  } catch (error) {
    const lost = error instanceof ServerError && taken.has(error.clickhouseCode)
    if (!lost && !isCut(error)) throw error
  }
}

/** TABLE_ALREADY_EXISTS. */
const TABLE_TAKEN: ReadonlySet<number> = new Set([57])

/** NaN for the names of other tables. */
const epochIn = (text: string) => (/^\d+$/.test(text) ? Number(text) : Number.NaN)

/** A table per epoch, its comment the claim: CREATE TABLE succeeds for one of many. Seen by one node only. */
export function tableStore(executor: Executor, journalTable: string): LockStore {
  const prefix = lockPrefix(journalTable)
  const tableOf = (epoch: number) => quoteQualified(executor.database, prefix + epoch)
  return {
    shared: false,
    list: async () => {
      const [row] = await executor.query<Row>(
        `SELECT ${NOW} AS now, groupArray(name) AS names, groupArray(comment) AS texts FROM system.tables ` +
          `WHERE database = ${quoteString(executor.database)} AND startsWith(name, ${quoteString(prefix)})`,
      )
      return claimsOf(row, (name) => epochIn(name.slice(prefix.length)))
    },
    create: async (claim) => {
      const comment = quoteString(JSON.stringify(claim))
      const sql = `CREATE TABLE ${tableOf(claim.epoch)} (held UInt8) ENGINE = Memory COMMENT ${comment}`
      await attempt(() => executor.command(sql), TABLE_TAKEN)
    },
    renew: async (claim) => {
      await executor.command(`ALTER TABLE ${tableOf(claim.epoch)} MODIFY COMMENT ${quoteString(JSON.stringify(claim))}`)
    },
    drop: async (epoch) => {
      await executor.command(`DROP TABLE IF EXISTS ${tableOf(epoch)}`)
    },
  }
}

/** Strict inserts refuse a key that exists with it. */
const KEEPER_EXCEPTION = 999

const KEY_TAKEN: ReadonlySet<number> = new Set([KEEPER_EXCEPTION])

/**
 * Rows of a KeeperMap table, one per epoch, its value the claim: a strict insert succeeds for one of many, on every node
 * of a cluster. Undefined where the server has no KeeperMap set up. Source: the manual's page on KeeperMap, seen on 26.7.
 */
export async function keeperStore(executor: Executor, journalTable: string): Promise<LockStore | undefined> {
  const table = quoteQualified(executor.database, `${lockPrefix(journalTable)}keeper`)
  const path = quoteString(`/chkit/${encodeURIComponent(executor.database)}/${encodeURIComponent(journalTable)}`)
  try {
    await executor.command(
      `CREATE TABLE IF NOT EXISTS ${table} (epoch UInt64, claim String) ENGINE = KeeperMap(${path}) PRIMARY KEY epoch`,
    )
  } catch (error) {
    // No path prefix is configured, the engine is not built in, or we may not use it: tables then serve. Not so where
    // Keeper is only away: the next run would hold a lock of the other kind beside this one.
    if (error instanceof ServerError && error.clickhouseCode !== KEEPER_EXCEPTION) return undefined
    throw error
  }
  return {
    shared: true,
    list: async () => {
      const [row] = await executor.query<Row>(
        `SELECT ${NOW} AS now, groupArray(toString(epoch)) AS names, groupArray(claim) AS texts FROM ${table}`,
      )
      return claimsOf(row, Number)
    },
    create: async (claim) => {
      const sql = `INSERT INTO ${table} SETTINGS keeper_map_strict_mode = 1 VALUES (${claim.epoch}, ${quoteString(JSON.stringify(claim))})`
      await attempt(() => executor.command(sql), KEY_TAKEN)
    },
    renew: async (claim) => {
      await executor.command(
        `ALTER TABLE ${table} UPDATE claim = ${quoteString(JSON.stringify(claim))} WHERE epoch = ${claim.epoch}`,
      )
    },
    drop: async (epoch) => {
      await executor.command(`ALTER TABLE ${table} DELETE WHERE epoch = ${epoch}`)
    },
  }
}

/** False for servers before 21, and for the embedded engine: its folder is its lock. Throws connection codes. */
export async function canLock(executor: Executor): Promise<boolean> {
  return executor.kind !== 'embedded' && (await executor.server()).major >= 21
}

/** KeeperMap where the server has it, tables otherwise. Creates the KeeperMap table where it is missing. */
export async function openLockStore(executor: Executor, journalTable: string): Promise<LockStore> {
  return (await keeperStore(executor, journalTable)) ?? tableStore(executor, journalTable)
}
