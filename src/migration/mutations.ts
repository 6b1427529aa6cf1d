import { setTimeout as sleep } from 'node:timers/promises'
import type { Executor } from '../clickhouse/executor.js'
import { hasSystemColumn } from '../clickhouse/features.js'
import { ChkitError } from '../errors.js'
import type { AlterStatement } from '../sql/ast-ddl.js'
import { quoteIdentifier, quoteIdentifierIfNeeded, quoteQualified, quoteString } from '../sql/quote.js'
import type { SystemSource } from './evidence.js'
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

async function unfinished(executor: Executor, object: ObjectRef, from: SystemSource): Promise<MutationState[]> {
  type Row = { id: string; command: string; parts: number | string; failure: string; names: string[] }
  const where = `database = ${quoteString(object.database)} AND table = ${quoteString(object.name)}`
  const info = await executor.server()
  const names = hasSystemColumn(info, 'mutations', 'parts_to_do_names') ? 'parts_to_do_names' : 'emptyArrayString()'
  const failure = hasSystemColumn(info, 'mutations', 'latest_fail_reason') ? 'latest_fail_reason' : "''"
  const rows = await executor.query<Row>(
    `SELECT mutation_id AS id, command, parts_to_do AS parts, ${failure} AS failure, ${names} AS names ` +
      `FROM ${from('mutations')} WHERE ${where} AND is_done = 0 ORDER BY create_time, id`,
  )
  const sizes = await partSizes(
    executor,
    where,
    rows.flatMap((row) => row.names),
    from,
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
  from: SystemSource,
): Promise<ReadonlyMap<string, number>> {
  if (names.length === 0) return new Map()
  const rows = await executor.query<{ name: string; bytes: number | string }>(
    `SELECT name, bytes_on_disk AS bytes FROM ${from('parts')} WHERE ${where} AND active AND name IN (${names.map(quoteString).join(', ')})`,
  )
  return new Map(rows.map((row) => [row.name, Number(row.bytes)]))
}

/** What is left of the mutations of a table on all hosts that were asked. */
export type MutationProgress = {
  readonly mutations: readonly MutationState[]
  readonly partsLeft: number
  readonly bytesLeft: number
  readonly elapsedMs: number
  /** Parts per second since the first look; 0 until one is done. */
  readonly partsPerSecond: number
  /** Undefined while nothing is known of the rate. */
  readonly msLeft: number | undefined
}

export type FollowOptions = {
  readonly signal: AbortSignal
  /** Told at each look. */
  readonly onProgress: (progress: MutationProgress) => void
  /** The statement that takes the change back where the server can; part of the hint of a mutation that fails. */
  readonly reverse?: string | undefined
  /** Where the mutations are looked for: every replica of a cluster; default this server. */
  readonly sources?: readonly SystemSource[]
  readonly intervalMs?: number
}

/** Looks with the same failure and no part fewer, after which a mutation is taken to be stuck. */
const STUCK_LOOKS = 5

const HERE: SystemSource = (table) => `system.${table}`

function progressOf(mutations: readonly MutationState[], first: number, elapsedMs: number): MutationProgress {
  const sum = (pick: (mutation: MutationState) => number) => mutations.reduce((total, one) => total + pick(one), 0)
  const partsLeft = sum(({ partsLeft: parts }) => parts)
  const done = first - partsLeft
  const partsPerSecond = done > 0 && elapsedMs > 0 ? (done * 1000) / elapsedMs : 0
  return {
    mutations,
    partsLeft,
    bytesLeft: sum(({ bytesLeft }) => bytesLeft),
    elapsedMs,
    partsPerSecond,
    msLeft: partsPerSecond > 0 ? (partsLeft * 1000) / partsPerSecond : undefined,
  }
}

/** `2 mutations, 14 parts (1.2 GiB) left, 3.5 parts/s, about 4 s to go`. */
export function describeProgress(progress: MutationProgress): string {
  const { mutations, partsLeft, bytesLeft, elapsedMs, partsPerSecond, msLeft } = progress
  const bytes = bytesLeft > 0 ? ` (${formatBytes(bytesLeft)})` : ''
  const counted = `${mutations.length} mutation${mutations.length === 1 ? '' : 's'}, ${partsLeft} parts${bytes} left`
  if (msLeft === undefined) return `${counted}, ${Math.round(elapsedMs / 1000)} s`
  return `${counted}, ${partsPerSecond.toFixed(1)} parts/s, about ${Math.ceil(msLeft / 1000)} s to go`
}

function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10))
  const amount = bytes / 1024 ** power
  return `${power === 0 ? amount : amount.toFixed(1)} ${units[power]}`
}

/**
 * Waits until no mutation of `object` is under way. Throws `migration_failed` with the server's reason when one fails
 * again and again without getting on, and `interrupted`; the mutations themselves go on on the server.
 */
export async function followMutations(executor: Executor, object: ObjectRef, options: FollowOptions): Promise<void> {
  const started = performance.now()
  let stuck = 0
  let before = ''
  let first = 0
  for (let look = 0; ; look++) {
    const left = (
      await Promise.all((options.sources ?? [HERE]).map((source) => unfinished(executor, object, source)))
    ).flat()
    if (left.length === 0) return
    const progress = progressOf(left, first, performance.now() - started)
    first = Math.max(first, progress.partsLeft)
    options.onProgress(progress)
    const failed = left.find((mutation) => mutation.failure !== '')
    const now = JSON.stringify(left.map(({ id, partsLeft }) => [id, partsLeft]))
    stuck = failed !== undefined && now === before ? stuck + 1 : 0
    before = now
    if (failed !== undefined && stuck >= STUCK_LOOKS) throw stuckError(object, failed, options.reverse)
    if (options.signal.aborted) {
      throw new ChkitError(
        'interrupted',
        `Interrupted; mutation ${left[0]?.id} of ${object.database}.${object.name} goes on on the server.`,
      )
    }
    await sleep(options.intervalMs ?? Math.min(50 * 1.5 ** look, 1000))
  }
}

function stuckError(object: ObjectRef, mutation: MutationState, reverse: string | undefined): ChkitError {
  const table = `${object.database}.${object.name}`
  return new ChkitError(
    'migration_failed',
    `Mutation ${mutation.id} of ${table} (${mutation.command}) fails: ${mutation.failure}`,
    {
      // KILL MUTATION alone leaves the new type behind, and reads of the column go on failing (seen on 26.7).
      hint:
        reverse === undefined
          ? `Remove the cause and run again, or take it back: KILL MUTATION WHERE database = ${quoteString(object.database)} AND table = ${quoteString(object.name)} AND mutation_id = ${quoteString(mutation.id)}.`
          : `Take it back with ${reverse}; then correct the rows and run again.`,
      details: {
        table,
        mutation: mutation.id,
        command: mutation.command,
        partsLeft: mutation.partsLeft,
        reason: mutation.failure,
        ...(reverse === undefined ? {} : { reverse }),
      },
    },
  )
}

/**
 * The ALTER that gives the columns which `node` modifies the types they have now; undefined where none is there. It heals
 * a table whose conversion fails on some row, without KILL MUTATION (seen on 26.7).
 */
export async function reverseOfTypes(executor: Executor, node: AlterStatement): Promise<string | undefined> {
  const database = node.name.database ?? executor.database
  const columns = node.commands.flatMap((command) =>
    command.kind === 'modifyColumn' ? [command.column.name].filter((name) => typeof name === 'string') : [],
  )
  if (typeof database !== 'string' || typeof node.name.name !== 'string' || columns.length === 0) return undefined
  const rows = await executor.query<{ name: string; type: string }>(
    `SELECT name, type FROM system.columns WHERE database = ${quoteString(database)} AND table = ${quoteString(node.name.name)} ` +
      `AND name IN (${columns.map(quoteString).join(', ')}) ORDER BY name`,
  )
  if (rows.length === 0) return undefined
  const cluster = node.cluster === undefined ? '' : ` ON CLUSTER ${quoteIdentifierIfNeeded(node.cluster)}`
  const commands = rows.map(({ name, type }) => `MODIFY COLUMN ${quoteIdentifier(name)} ${type}`)
  return `ALTER TABLE ${quoteQualified(database, node.name.name)}${cluster} ${commands.join(', ')}`
}
