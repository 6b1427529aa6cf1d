import { createHash } from 'node:crypto'
import type { TimeColumn } from './time-column.js'
import type { Window } from './window.js'

/** `database` and `name`, unquoted. */
export type TableName = { readonly database: string; readonly name: string }

/**
 * How a chunk's rows reach the target. `staged`: into a table of their own, and from there by MOVE PARTITION, which can
 * be told from not having happened. `keyed`: straight, since the target keeps one row per key however often it is
 * written. `direct`: straight, and what was lost on the way cannot be told.
 */
export type Mechanism = 'staged' | 'keyed' | 'direct'

/** What becomes of rows that the target holds in the window: they stay, or they are deleted before the first chunk. */
export type Existing = 'append' | 'replace'

/** One stretch of the window, done or not done as a whole. */
export type PlannedChunk = {
  /** `0001`, in order of time. */
  readonly id: string
  readonly from: string
  readonly to: string
  /** Sent as `insert_deduplication_token`. */
  readonly idempotencyToken: string
  /** Rows of the source when the plan was made; null where they were not counted. */
  readonly sourceRows: number | null
}

/** Format version of plan files. */
export const PLAN_VERSION = 1

/** An immutable plan, as `plans/<id>.json` holds it. Times are ISO 8601, UTC. */
export type Plan = {
  readonly version: typeof PLAN_VERSION
  readonly id: string
  readonly createdAt: string
  readonly strategy: 'table' | 'mv_replay'
  readonly target: TableName
  /** Where the rows of the target lie: itself, or the inner table of a materialized view. */
  readonly storage: TableName
  readonly source: TableName
  /** The materialized view whose query is replayed. */
  readonly view: TableName | null
  readonly from: string
  readonly to: string
  readonly chunkHours: number
  readonly timeColumn: TimeColumn
  /** Columns that are written, in the target's order. */
  readonly columns: readonly string[]
  readonly mechanism: Mechanism
  readonly existing: Existing
  /** Condition on the target's rows that `replace` deletes; empty for all rows. */
  readonly replaceWhere: string | null
  /** The server and database it was made for. */
  readonly environment: Environment
  /** The id that the server gave the target's table; empty where it gives none, absent in plans of earlier versions. */
  readonly incarnation?: string
  /** SHA-256 of the CREATE statements of target, source and view. */
  readonly definitions: Readonly<Record<'target' | 'source' | 'view', string | null>>
  readonly warnings: readonly string[]
  readonly chunks: readonly PlannedChunk[]
}

export type Environment = {
  /** The connection without credentials. */
  readonly server: string
  readonly database: string
  readonly fingerprint: string
}

/** The environment of a connection; the same server and database always give the same fingerprint. */
export function environmentOf(connection: { readonly target: string; readonly database: string }): Environment {
  const server = connection.target.replace(/\/+$/, '')
  return { server, database: connection.database, fingerprint: sha256([server, connection.database]).slice(0, 16) }
}

/** What a plan's id is made of. */
export type PlanIdentity = {
  readonly target: TableName
  readonly source: TableName
  readonly view: TableName | null
  readonly window: Window
  readonly chunkMs: number
  readonly timeColumn: string
  readonly existing: Existing
  readonly fingerprint: string
}

/** First 16 hex digits of the SHA-256 over what the plan does, and where. */
export function planId(identity: PlanIdentity): string {
  const { target, source, view, window, chunkMs, timeColumn, existing, fingerprint } = identity
  const parts = [
    [target.database, target.name],
    [window.from, window.to],
    chunkMs,
    timeColumn,
    fingerprint,
    [source.database, source.name],
    view && [view.database, view.name],
    existing,
  ]
  return sha256(parts).slice(0, 16)
}

/** The chunks of a plan with their tokens. */
export function plannedChunks(
  id: string,
  windows: readonly Window[],
  sourceRows: ReadonlyMap<number, number> | undefined,
): readonly PlannedChunk[] {
  const digits = Math.max(4, String(windows.length).length)
  return windows.map((window, index) => ({
    id: String(index + 1).padStart(digits, '0'),
    from: new Date(window.from).toISOString(),
    to: new Date(window.to).toISOString(),
    idempotencyToken: sha256([id, window.from, window.to]).slice(0, 32),
    sourceRows: sourceRows === undefined ? null : (sourceRows.get(index) ?? 0),
  }))
}

export function windowOf(range: { readonly from: string; readonly to: string }): Window {
  return { from: Date.parse(range.from), to: Date.parse(range.to) }
}

/** `database.name`, for messages. */
export function showName({ database, name }: TableName): string {
  return `${database}.${name}`
}

export function sameName(a: TableName, b: TableName): boolean {
  return a.database === b.database && a.name === b.name
}

/** Hash of a value's JSON, in hex. */
export function sha256(value: unknown): string {
  return createHash('sha256')
    .update(typeof value === 'string' ? value : JSON.stringify(value))
    .digest('hex')
}
