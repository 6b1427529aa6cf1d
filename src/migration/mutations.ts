import { setTimeout as sleep } from 'node:timers/promises'
import type { Executor } from '../clickhouse/executor.js'
import { ChkitError } from '../errors.js'
import { quoteString } from '../sql/quote.js'
import type { ObjectRef } from './proof.js'

/** One mutation that is not done. */
export type MutationState = {
  readonly id: string
  readonly command: string
  readonly partsLeft: number
  /** Of those parts, on disk. */
  readonly bytesLeft: number
  /** Empty while nothing has failed. */
  readonly failure: string
}

async function unfinished(executor: Executor, object: ObjectRef): Promise<MutationState[]> {
  type Row = { id: string; command: string; parts: number | string; failure: string; names: string[] }
  const where = `database = ${quoteString(object.database)} AND table = ${quoteString(object.name)}`
  const modern = (await executor.server()).major >= 20
  const rows = await executor.query<Row>(
    `SELECT mutation_id AS id, command, parts_to_do AS parts, ` +
      (modern ? 'latest_fail_reason AS failure, parts_to_do_names AS names ' : "'' AS failure, [] AS names ") +
      `FROM system.mutations WHERE ${where} AND is_done = 0 ORDER BY create_time, id`,
  )
  const sizes = await partSizes(
    executor,
    where,
    rows.flatMap((row) => row.names),
  )
  return rows.map((row) => ({
    id: row.id,
    command: row.command,
    partsLeft: Number(row.parts),
    bytesLeft: row.names.reduce((sum, name) => sum + (sizes.get(name) ?? 0), 0),
    failure: row.failure,
  }))
}

async function partSizes(
  executor: Executor,
  where: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  if (names.length === 0) return new Map()
  const rows = await executor.query<{ name: string; bytes: number | string }>(
    `SELECT name, bytes_on_disk AS bytes FROM system.parts WHERE ${where} AND active AND name IN (${names.map(quoteString).join(', ')})`,
  )
  return new Map(rows.map((row) => [row.name, Number(row.bytes)]))
}

export type FollowOptions = {
  readonly signal: AbortSignal
  /** Told at each look: what is left, and milliseconds since the first. */
  readonly onProgress: (left: readonly MutationState[], elapsedMs: number) => void
  readonly intervalMs?: number
}

/** Looks with the same failure and no part fewer, after which a mutation is taken to be stuck. */
const STUCK_LOOKS = 5

/**
 * Waits until no mutation of `object` is under way. Throws `migration_failed` with the server's reason when one fails
 * again and again without getting on, and `interrupted`; the mutations themselves go on on the server.
 */
export async function followMutations(executor: Executor, object: ObjectRef, options: FollowOptions): Promise<void> {
  const started = performance.now()
  let stuck = 0
  let before = ''
  for (let look = 0; ; look++) {
    const left = await unfinished(executor, object)
    if (left.length === 0) return
    options.onProgress(left, performance.now() - started)
    const failed = left.find((mutation) => mutation.failure !== '')
    const now = JSON.stringify(left.map(({ id, partsLeft }) => [id, partsLeft]))
    stuck = failed !== undefined && now === before ? stuck + 1 : 0
    before = now
    if (failed !== undefined && stuck >= STUCK_LOOKS) throw stuckError(object, failed)
    if (options.signal.aborted) {
      throw new ChkitError(
        'interrupted',
        `Interrupted; mutation ${left[0]?.id} of ${object.database}.${object.name} goes on on the server.`,
      )
    }
    await sleep(options.intervalMs ?? Math.min(50 * 1.5 ** look, 1000))
  }
}

function stuckError(object: ObjectRef, mutation: MutationState): ChkitError {
  const table = `${object.database}.${object.name}`
  return new ChkitError(
    'migration_failed',
    `Mutation ${mutation.id} of ${table} (${mutation.command}) fails: ${mutation.failure}`,
    {
      hint: `Remove the cause and run again, or take it back: KILL MUTATION WHERE database = ${quoteString(object.database)} AND table = ${quoteString(object.name)} AND mutation_id = ${quoteString(mutation.id)}.`,
      details: {
        table,
        mutation: mutation.id,
        command: mutation.command,
        partsLeft: mutation.partsLeft,
        reason: mutation.failure,
      },
    },
  )
}
