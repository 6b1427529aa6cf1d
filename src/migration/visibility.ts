import { setTimeout as sleep } from 'node:timers/promises'
import type { Executor } from '../clickhouse/executor.js'
import { databaseEngines } from '../clickhouse/features.js'
import { ServerError } from '../clickhouse/server-error.js'
import { ChkitError } from '../errors.js'
import { distributesDdl } from '../render/cluster.js'
import { quoteIdentifier, quoteString } from '../sql/quote.js'
import { type ClusterHost, clusterHosts, observeHosts, sameThings } from './cluster.js'
import { objectsOf } from './evidence.js'
import type { Proof } from './proof.js'

/**
 * Databases that distribute DDL themselves (`Replicated`; `Shared`, which is ClickHouse Cloud's) answer when the
 * connected node has run a statement, and the others follow. Behind a balancer the next request may meet one that has
 * not: all nodes are asked until they show the same. The node that ran it is among them, so what they agree on is the
 * new state, whichever node answers.
 */

/** Milliseconds for the nodes to agree; what takes longer has another reason than lag. */
const AGREE_MS = 60_000

export type VisibilityOptions = {
  readonly signal: AbortSignal
  readonly report: (what: string) => void
  readonly warn: (line: string) => void
  /** Milliseconds to wait; default 60,000. */
  readonly agreeMs?: number
}

export type Visibility = {
  /** Waits until all nodes show the same of what statements with these proofs touch. Throws connection codes, `interrupted`. */
  wait(proofs: readonly Proof[]): Promise<void>
  /** All nodes of the first of these databases that distributes DDL; empty where none does, or they cannot be listed. */
  nodesOf(databases: readonly string[]): Promise<readonly ClusterHost[]>
}

/** Asks nothing but the engines of the databases, once, where none of them distributes DDL. */
export function openVisibility(executor: Executor, options: VisibilityOptions): Visibility {
  let engines: ReadonlyMap<string, string> = new Map()
  let given = false
  const engineOf = async (database: string): Promise<string> => {
    if (!engines.has(database)) engines = await databaseEngines(executor)
    return engines.get(database) ?? ''
  }
  return {
    nodesOf: async (databases) => {
      for (const database of databases)
        if (distributesDdl(await engineOf(database))) return nodesIfListed(executor, database)
      return []
    },
    wait: async (proofs) => {
      if (executor.kind === 'embedded' || given) return
      const shared = new Map<string, Proof[]>()
      for (const proof of proofs) {
        for (const { database } of objectsOf(proof).slice(0, 1))
          if (distributesDdl(await engineOf(database))) shared.set(database, [...(shared.get(database) ?? []), proof])
      }
      for (const [database, touched] of shared) {
        const agreed = await waitForNodes(executor, database, touched, options)
        // Nodes that never agree would be waited for behind each statement.
        if (!agreed) given = true
      }
    },
  }
}

/** False when the nodes did not agree in time, or cannot be asked. */
async function waitForNodes(
  executor: Executor,
  database: string,
  proofs: readonly Proof[],
  options: VisibilityOptions,
): Promise<boolean> {
  try {
    const hosts = await nodesOf(executor, database)
    return hosts.length < 2 || (await agree(executor, hosts, proofs, options))
  } catch (error) {
    if (!(error instanceof ServerError)) throw error
    options.warn(`Whether all nodes see the changes in ${database} cannot be asked: ${error.message}`)
    await syncHere(executor, database)
    return false
  }
}

/** The database's own cluster, or that of the service; empty where the server lists neither. */
async function nodesOf(executor: Executor, database: string): Promise<readonly ClusterHost[]> {
  const names = [database, 'default']
  const rows = await executor.query<{ cluster: string }>(
    `SELECT DISTINCT cluster FROM system.clusters WHERE cluster IN (${names.map(quoteString).join(', ')})`,
  )
  const known = new Set(rows.map(({ cluster }) => cluster))
  const name = names.find((candidate) => known.has(candidate))
  // Behind a balancer no node is the connected one for long: each is asked by its place in the cluster.
  return name === undefined ? [] : clusterHosts(executor, name, { byPlace: true })
}

async function nodesIfListed(executor: Executor, database: string): Promise<readonly ClusterHost[]> {
  try {
    return await nodesOf(executor, database)
  } catch (error) {
    // Rights that are missing: this node alone is asked.
    if (error instanceof ServerError) return []
    throw error
  }
}

async function agree(
  executor: Executor,
  hosts: readonly ClusterHost[],
  proofs: readonly Proof[],
  { signal, report, warn, agreeMs = AGREE_MS }: VisibilityOptions,
): Promise<boolean> {
  const started = performance.now()
  for (let pause = 50; ; pause = Math.min(pause * 1.5, 1000)) {
    const seen = await observeHosts(executor, hosts, proofs)
    const answers = [...seen].flatMap(([address, now]) => (now instanceof ChkitError ? [] : [{ address, now }]))
    const [first] = answers
    const refusal = [...seen.values()].find((now) => now instanceof ServerError)
    if (first === undefined && refusal !== undefined) throw refusal
    const others = answers.filter(({ now }) => first !== undefined && !sameThings(now, first.now))
    if (others.length === 0) return true
    const elapsedMs = performance.now() - started
    const names = `${first?.address} and ${others.map(({ address }) => address).join(', ')}`
    if (elapsedMs > agreeMs) {
      warn(
        `${names} still show different things after ${Math.round(elapsedMs / 1000)} s. The run goes on without asking them.`,
      )
      return false
    }
    if (signal.aborted) throw new ChkitError('interrupted', 'Interrupted while waiting for all nodes to see a change.')
    report(`waiting for all nodes to see it: ${names} differ`)
    await sleep(pause)
  }
}

/** At least the node that answers has then what the others ran before. */
async function syncHere(executor: Executor, database: string): Promise<void> {
  try {
    await executor.command(`SYSTEM SYNC DATABASE REPLICA ${quoteIdentifier(database)}`)
  } catch (error) {
    // A database of another engine, or a right that is missing.
    if (!(error instanceof ServerError)) throw error
  }
}
