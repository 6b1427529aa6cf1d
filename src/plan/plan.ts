/**
 * Changes to ordered steps: what the server can do, at what risk, in which order; and what it cannot, with the way
 * out. Pure: no I/O, no clock.
 */
import type { Change } from '../diff/change.js'
import { readsEverything } from '../diff/expression-names.js'
import { type MaterializedView, objectKey, objectName, type Table } from '../model/definition.js'
import { arrange } from './arrange.js'
import { brokenCallers, brokenDictionaries, brokenReaders, refreshedViews, restatedGrants } from './dependents.js'
import { keyOf, nameChange } from './describe.js'
import { engineAbilities } from './engines.js'
import { planObject } from './plan-object.js'
import { planTable, stepOf, writesTo } from './plan-table.js'
import {
  hasDictionaries,
  isUnchangedView,
  type PlanOptions,
  RANK,
  type Role,
  type Scene,
  setScene,
  type Work,
} from './scene.js'
import type { Plan, Refusal, Step } from './step.js'

export type { PlanOptions } from './scene.js'

/**
 * Plans changes. Each change ends in steps or in a refusal; with refusals the steps are those of the rest and must not
 * be run. Order: drops of dependents, databases, renames, alters, creates, in dependency order within each, except
 * where a later object must change first (a materialized view before a column that it read is dropped).
 */
export function planChanges(changes: readonly Change[], options: PlanOptions): Plan {
  if (changes.length === 0) return { steps: [], refusals: [] }
  const scene = setScene(changes, options)
  const refusals: Refusal[] = []
  const work: Work[] = []
  const add = (role: Role, rank: number, key: string, ...steps: Step[]) => {
    if (steps.length > 0) work.push({ role, rank, key, steps })
  }

  const tables = new Map<string, Change[]>()
  const objects: Change[] = []
  for (const change of changes) {
    if (isPartOfTable(change)) {
      const key = objectKey(change.table)
      if (!tables.has(key)) tables.set(key, [])
      tables.get(key)!.push(change)
    } else objects.push(change)
  }

  // Tables first: what happens to them decides what must happen to the objects that read them.
  const recreated = new Map<string, Step>()
  const detached = new Set<string>()
  const reshaped = new Map<string, readonly Change[]>()
  for (const [key, parts] of tables) {
    const to = scene.after.get(key) as Table
    const from = scene.before.get(scene.oldKeys.get(key) ?? key) as Table
    const readers = (scene.usersAfter.get(key) ?? []).map((user) => scene.after.get(user)!)
    const planned = planTable({
      from,
      to,
      changes: parts,
      unchangedReaders: readers.filter((reader) => isUnchangedView(scene, reader)) as MaterializedView[],
      readers: readers
        .filter((reader) => !(reader.kind === 'materialized_view' && writesTo(reader, to)))
        .map(objectName),
    })
    const mustRebuild = planned.refusals.length > 0 && planned.refusals.every((r) => r.code === 'rebuild_required')
    if (mustRebuild && options.allowRecreate) {
      recreated.set(key, recreateStep(scene, from, to, planned.refusals))
      reshaped.set(key, parts)
      continue
    }
    refusals.push(...planned.refusals)
    add('bring', RANK.alter, key, ...planned.expand)
    add('contract', RANK.alter, key, ...planned.contract)
    reshaped.set(key, parts)
    if (parts.some((part) => part.kind === 'dropColumn'))
      for (const reader of readers)
        if (reader.kind === 'materialized_view' && readsEverything(reader.query) && scene.before.has(objectKey(reader)))
          detach(reader, to)
  }
  function detach(view: MaterializedView, table: Table): void {
    const key = objectKey(view)
    if (detached.has(key)) return
    if (view.to === undefined) {
      refusals.push({
        change: { kind: 'modifyMaterializedView', from: view, to: view, attributes: [] },
        code: 'plan_refused',
        object: key,
        message: `Materialized view ${objectName(view)} selects every column of ${objectName(table)} into an inner table, so no column can be dropped.`,
        hint: 'Name the columns in its query, or move it to a target table (to) first.',
      })
      return
    }
    detached.add(key)
    const old = scene.before.get(key) as MaterializedView
    const why = `${objectName(view)} selects every column of ${objectName(table)}, and the server keeps a column that a view reads.`
    add(
      'drop',
      RANK.dropDependent,
      key,
      stepOf(
        { kind: 'dropMaterializedView', view: old },
        { risk: 'danger', reason: why, warning: 'Rows inserted until it is created again do not pass through it.' },
      ),
    )
    add(
      'bring',
      RANK.create,
      key,
      stepOf(
        { kind: 'createMaterializedView', view },
        { risk: 'safe', reason: `${objectName(view)} comes back over the changed table; its target's rows stay.` },
      ),
    )
  }

  for (const [key, step] of recreated) {
    add('bring', RANK.alter, key, step)
  }
  const moved = movedInnerTables(objects)
  for (const change of objects) {
    const { key } = nameChange(change)
    // A recreated table is dropped under its old name; a detached view comes back in its new form.
    if (change.kind === 'renameTable' && recreated.has(key)) continue
    if (change.kind === 'modifyMaterializedView' && (detached.has(key) || moved.has(key))) continue
    if (change.kind === 'renameMaterializedView' && moved.has(key)) {
      const old = scene.before.get(keyOf('materialized_view', change.from)) as MaterializedView
      if (!options.allowRecreate) {
        refusals.push(cannotMove(change, old))
        continue
      }
      const reason = `The server cannot move ${objectName(old)} and its inner table to another database.`
      const lost = { risk: 'danger', reason, warning: 'The rows in its inner table are lost.' } as const
      const drop = unchecked(scene, { kind: 'dropMaterializedView', view: old })
      add('drop', RANK.dropDependent, objectKey(old), stepOf(drop, lost))
      add(
        'bring',
        RANK.create,
        key,
        stepOf({ kind: 'createMaterializedView', view: change.view }, { risk: 'safe', reason }),
      )
      continue
    }
    const outcome = planObject(scene, unchecked(scene, change))
    if ('code' in outcome) refusals.push(outcome)
    else work.push(outcome)
  }

  for (const step of refreshedViews(scene, changes, reshaped, detached)) add('bring', RANK.replace, step.key, step)
  for (const step of restatedGrants(scene, changes)) add('bring', RANK.create, step.key, step)
  refusals.push(
    ...brokenReaders(scene, changes),
    ...brokenDictionaries(scene, changes),
    ...brokenCallers(scene, changes),
  )
  return { steps: arrange(scene, work, detached), refusals }
}

function isPartOfTable(change: Change): change is Extract<Change, { table: Table }> {
  return (
    'table' in change && change.kind !== 'createTable' && change.kind !== 'dropTable' && change.kind !== 'renameTable'
  )
}

type RenameView = Extract<Change, { kind: 'renameMaterializedView' }>

/** Materialized views that would take their inner table to another database, which the server refuses (seen on 26.7). */
function movedInnerTables(changes: readonly Change[]): ReadonlySet<string> {
  const moved = changes.filter(
    (change): change is RenameView =>
      change.kind === 'renameMaterializedView' &&
      change.from.database !== change.to.database &&
      change.view.to === undefined,
  )
  return new Set(moved.map((change) => objectKey(change.view)))
}

function cannotMove(change: RenameView, old: MaterializedView): Refusal {
  return {
    change,
    code: 'rebuild_required',
    object: objectKey(change.view),
    message: `Materialized view ${objectName(old)} keeps its rows in an inner table, and the server cannot move it to another database.`,
    hint: 'Run generate with --allow-recreate to drop the view with its rows and create it anew, or move it to a target table (to) first.',
  }
}

/** Drops and renames of what dictionaries or readers of a dictionary still need, told to go on: the name stays in use. */
function unchecked(scene: Scene, change: Change): Change {
  switch (change.kind) {
    case 'renameView':
      return hasDictionaries(scene, keyOf('view', change.from)) ? { ...change, hasDependents: true } : change
    case 'renameMaterializedView':
      return hasDictionaries(scene, keyOf('materialized_view', change.from))
        ? { ...change, hasDependents: true }
        : change
    case 'dropTable':
    case 'dropView':
    case 'dropMaterializedView':
    case 'dropDictionary': {
      const { key, name } = droppedBy(change)
      return scene.namesAfter.has(name) && hasDictionaries(scene, key) ? { ...change, hasDependents: true } : change
    }
    default:
      return change
  }
}

type Drop = Extract<Change, { kind: 'dropTable' | 'dropView' | 'dropMaterializedView' | 'dropDictionary' }>

function droppedBy(change: Drop): { readonly key: string; readonly name: string } {
  const object = 'table' in change ? change.table : 'view' in change ? change.view : change.dictionary
  return { key: objectKey(object), name: objectName(object) }
}

function recreateStep(scene: Scene, from: Table, to: Table, refusals: readonly Refusal[]): Step {
  const holdsRows = engineAbilities(from.engine).holdsRows
  return stepOf(
    {
      kind: 'recreateTable',
      from,
      to,
      reasons: refusals.map((refusal) => refusal.message),
      hasDependents: hasDictionaries(scene, objectKey(from)),
    },
    {
      risk: 'danger',
      reason: `Table ${objectName(to)} is dropped and created anew. ${refusals[0]!.message}`,
      warning: holdsRows ? 'All of its rows are lost.' : 'Its engine keeps no rows of its own.',
    },
  )
}
