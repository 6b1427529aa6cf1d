import type { Executor } from '../clickhouse/executor.js'
import { ServerError } from '../clickhouse/server-error.js'
import { patiently } from './cut.js'

/** UNKNOWN_TABLE, UNKNOWN_DATABASE; BAD_ARGUMENTS: the table is not replicated. ACCESS_DENIED and READONLY: we may only read. */
const NOT_REPLICATED: ReadonlySet<number> = new Set([60, 81, 36, 497, 164])

/** Milliseconds to find the server again while it waits for its replicas. */
const SYNC_MS = 5_000

/**
 * Waits until this node has what the others wrote. `table` is SQL text; one that is missing, or is not replicated, needs
 * no waiting. Throws connection codes and what the server says of its replicas.
 */
export async function syncReplica(executor: Executor, table: string): Promise<void> {
  try {
    await patiently(
      () => executor.command(`SYSTEM SYNC REPLICA ${table}`),
      SYNC_MS,
      () => undefined,
    )
  } catch (error) {
    if (!(error instanceof ServerError && NOT_REPLICATED.has(error.clickhouseCode))) throw error
  }
}
