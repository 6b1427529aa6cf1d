import type { Engine } from '../../index.js'

const SHARED = /^Shared(?=\w*MergeTree$)/

/** True for `SharedMergeTree`, `SharedReplacingMergeTree` and their kin. */
export function isSharedEngine(name: string): boolean {
  return SHARED.test(name)
}

/** `SharedReplacingMergeTree` as `ReplacingMergeTree`; any other name as it is. */
export function plainName(name: string): string {
  return name.replace(SHARED, '')
}

/**
 * How many parameters of a shared engine are its own: the path and the replica name, which a server that replicates
 * shows first (`'/clickhouse/tables/{uuid}/{shard}', '{replica}'`). A plain engine takes neither. `args` are SQL texts.
 */
export function replicaParameters(args: readonly string[]): number {
  return args.length >= 2 && args[0]!.startsWith("'") && args[1]!.startsWith("'") ? 2 : 0
}

/** The plain engine that means the same as a shared one; any other engine as it is. */
export function plainEngine(engine: Engine): Engine {
  if (!isSharedEngine(engine.name)) return engine
  return { name: plainName(engine.name), args: engine.args.slice(replicaParameters(engine.args)) }
}
