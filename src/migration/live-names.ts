import type { ParsedMigration } from './migration-file.js'
import { type ObjectRef, proofOf, refKey } from './proof.js'

/** The table, view or dictionary that a name will stand for at some point of a run, as the server calls it now; undefined for one that the run makes. */
export type LiveName = (object: ObjectRef) => ObjectRef | undefined

type PendingStatement = ParsedMigration['statements'][number]

/**
 * Calls `visit` for each statement in the order of the run, with what names will stand for right before it: pending
 * statements before it may rename, exchange, drop and make again what they name. `current` is the database of names
 * without one. Pure.
 */
export function followNames(
  migrations: readonly ParsedMigration[],
  current: string,
  visit: (migration: ParsedMigration, statement: PendingStatement, live: LiveName) => void,
): void {
  const moved = new Map<string, ObjectRef | undefined>()
  const live: LiveName = (object) => {
    const key = refKey(object)
    return moved.has(key) ? moved.get(key) : object
  }
  for (const migration of migrations) {
    for (const statement of migration.statements) {
      visit(migration, statement, live)
      follow(statement, current, live, moved)
    }
  }
}

function follow(
  { node }: PendingStatement,
  current: string,
  live: LiveName,
  moved: Map<string, ObjectRef | undefined>,
): void {
  const proof = proofOf(node, current)
  switch (proof.kind) {
    case 'moved':
      for (const { from, to } of proof.pairs) {
        const [first, second] = [live(from), live(to)]
        moved.set(refKey(to), first)
        moved.set(refKey(from), proof.exchange ? second : undefined)
      }
      return
    case 'gone':
      // A table that is detached keeps its rows, and its name.
      if (node.kind === 'drop' && node.action === 'DETACH') return
      for (const object of proof.objects) moved.set(refKey(object), undefined)
      return
    case 'made':
      if (isNew(node)) moved.set(refKey(proof.object), undefined)
      return
    default:
  }
}

/** True where the statement surely makes another object than one that has the name now. */
function isNew(node: PendingStatement['node']): boolean {
  if (node.kind !== 'createTable' && node.kind !== 'createView' && node.kind !== 'createDictionary') return false
  return node.action !== 'ATTACH' && !node.ifNotExists
}
