import type { MigrationStatement } from './migration-file.js'
import { isCertain, type Proof } from './proof.js'

/** A statement with its proof. */
export type Planned = { readonly statement: MigrationStatement; readonly proof: Proof }

/** Statements whose intents are written together; `parallel` ones depend on nothing of each other. */
export type Batch = { readonly items: readonly Planned[]; readonly parallel: boolean }

/** Most intents written in one go: what a crash leaves to settle by one look at the system tables. */
const MOST = 64

/** Engines of tables that read other tables, which may be created by a statement beside them. */
const READING_ENGINES: ReadonlySet<string> = new Set([
  'Distributed',
  'Merge',
  'Buffer',
  'Dictionary',
  'MaterializedView',
  'Alias',
])

/** True for a table that is created from its own text alone. */
function standsAlone({ node }: MigrationStatement): boolean {
  if (node.kind !== 'createTable' || node.action !== 'CREATE' || node.orReplace) return false
  if (node.asTable !== undefined || node.asFunction !== undefined || node.asSelect !== undefined) return false
  const engine = node.storage?.engine?.name
  return engine === undefined || !READING_ENGINES.has(engine)
}

function madeKey(proof: Proof): string | undefined {
  return proof.kind === 'made' && isCertain(proof)
    ? JSON.stringify([proof.object.database, proof.object.name])
    : undefined
}

/**
 * Cuts statements into batches, keeping their order. Creations of distinct objects share one, since one look tells
 * which of them exist; everything else is alone, so that its intent speaks of the state right before it. Pure.
 */
export function batchesOf(items: readonly Planned[]): Batch[] {
  const batches: { items: Planned[]; parallel: boolean; keys: Set<string> }[] = []
  for (const item of items) {
    const key = madeKey(item.proof)
    const parallel = standsAlone(item.statement)
    const last = batches.at(-1)
    const joins =
      key !== undefined &&
      last !== undefined &&
      last.keys.size > 0 &&
      last.parallel === parallel &&
      last.items.length < MOST &&
      !last.keys.has(key)
    if (joins) {
      last.items.push(item)
      last.keys.add(key)
    } else {
      batches.push({ items: [item], parallel, keys: new Set(key === undefined ? [] : [key]) })
    }
  }
  return batches.map(({ items, parallel }) => ({ items, parallel }))
}
