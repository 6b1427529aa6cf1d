/**
 * Changes to ordered steps: what the server can do, at what risk, in which order; and what it cannot, with the way
 * out. Pure: no I/O, no clock.
 */
import type { Change } from '../diff/change.js'
import { readsEverything } from '../diff/expression-names.js'
import { assertNever } from '../errors.js'
import {
  type Definition,
  isDatabaseObject,
  type MaterializedView,
  type Model,
  objectKey,
  objectName,
  type Table,
  type View,
} from '../model/definition.js'
import { dependenciesOf } from '../model/dependencies.js'
import { keyOf, nameChange } from './describe.js'
import { engineAbilities } from './engines.js'
import { orderUnits, type Unit } from './order.js'
import { planTable, stepOf } from './plan-table.js'
import { planMaterializedView } from './plan-view.js'
import type { Plan, Refusal, Step } from './step.js'

export type PlanOptions = {
  readonly from: Model
  readonly to: Model
  /** Plan what cannot be done in place as drop and create, which loses rows, instead of refusing it. */
  readonly allowRecreate?: boolean
}

/** Ranks of units: what runs first where dependencies leave a choice. */
const RANK = {
  dropDependent: 0,
  dropTable: 1,
  createDatabase: 2,
  rename: 3,
  alter: 4,
  replace: 5,
  create: 6,
  dropDatabase: 7,
} as const

type Role = 'drop' | 'rename' | 'bring' | 'contract' | 'database'

type Work = { readonly role: Role; readonly key: string; readonly steps: readonly Step[] }

/** Everything the parts of the planner look things up in; built once per plan. */
type Scene = {
  readonly options: PlanOptions
  readonly before: ReadonlyMap<string, Definition>
  readonly after: ReadonlyMap<string, Definition>
  /** New key to old key of renamed objects. */
  readonly oldKeys: ReadonlyMap<string, string>
  /** Keys of objects that have an object-level or part change. */
  readonly touched: ReadonlySet<string>
  readonly needsBefore: ReadonlyMap<string, readonly string[]>
  readonly needsAfter: ReadonlyMap<string, readonly string[]>
  readonly usersBefore: ReadonlyMap<string, readonly string[]>
  readonly usersAfter: ReadonlyMap<string, readonly string[]>
}

/**
 * Plans changes. Each change ends in steps or in a refusal; with refusals the steps are those of the rest and must not
 * be run. Order: drops of dependents, databases, renames, alters, creates, in dependency order within each, except
 * where a later object must change first (a materialized view before a column that it read is dropped).
 */
export function planChanges(changes: readonly Change[], options: PlanOptions): Plan {
  if (changes.length === 0) return { steps: [], refusals: [] }
  const scene = setScene(changes, options)
  const refusals: Refusal[] = []
  const work: (Work & { readonly rank: number })[] = []
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
      readers: readers.filter((reader) => reader.kind !== 'table').map(objectName),
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

  for (const change of objects) {
    const { key } = nameChange(change)
    switch (change.kind) {
      case 'createDatabase':
        add(
          'database',
          RANK.createDatabase,
          key,
          stepOf(change, { risk: 'safe', reason: `Database ${change.database.name} is created unless it exists.` }),
        )
        break
      case 'dropDatabase':
        add(
          'drop',
          RANK.dropDatabase,
          key,
          stepOf(change, {
            risk: 'danger',
            reason: `Database ${change.database.name} is dropped with everything in it, also what chkit does not know.`,
          }),
        )
        break
      case 'modifyDatabase':
        if (change.from.engine?.name !== change.to.engine?.name && change.from.engine && change.to.engine)
          refusals.push({
            change,
            code: 'rebuild_required',
            object: key,
            message: `The engine of database ${change.to.name} cannot change from ${change.from.engine.name} to ${change.to.engine.name}.`,
            hint: 'Declare a new database and move the tables into it.',
          })
        else
          add(
            'database',
            RANK.createDatabase,
            key,
            stepOf(change, { risk: 'safe', reason: 'A comment is metadata only.' }),
          )
        break
      case 'createTable':
        add(
          'bring',
          RANK.create,
          key,
          stepOf(change, { risk: 'safe', reason: `Table ${objectName(change.table)} is new.` }),
        )
        break
      case 'dropTable':
        add(
          'drop',
          RANK.dropTable,
          key,
          stepOf(change, {
            risk: 'danger',
            reason: engineAbilities(change.table.engine).holdsRows
              ? `Dropping table ${objectName(change.table)} deletes its rows.`
              : `Table ${objectName(change.table)} is dropped; its engine keeps no rows of its own.`,
          }),
        )
        break
      case 'renameTable': {
        if (recreated.has(key)) break
        const old = keyOf('table', change.from)
        const hasDependents = hasDictionaries(scene, old)
        const users = scene.usersBefore.get(old) ?? []
        const views = users.filter((user) => scene.before.get(user)?.kind === 'materialized_view')
        add(
          'rename',
          RANK.rename,
          key,
          stepOf(hasDependents ? { ...change, hasDependents } : change, {
            risk: 'caution',
            reason: `Table ${change.from.database}.${change.from.name} keeps its rows under the name ${objectName(change.table)}.`,
            warning:
              views.length > 0
                ? `Between the rename and the change of ${views.map((view) => objectName(scene.before.get(view)!)).join(', ')} inserted rows do not pass through the materialized view: pause inserts.`
                : `Queries that still name ${change.from.database}.${change.from.name} fail from then on.`,
          }),
        )
        break
      }
      case 'renameView':
      case 'renameMaterializedView':
      case 'renameDictionary':
        add(
          'rename',
          RANK.rename,
          key,
          stepOf(
            change.kind === 'renameDictionary' && hasDictionaries(scene, keyOf('dictionary', change.from))
              ? { ...change, hasDependents: true }
              : change,
            {
              risk: 'caution',
              reason: `${change.from.database}.${change.from.name} is called ${change.to.database}.${change.to.name} from now on.`,
              warning: `Queries that still name ${change.from.database}.${change.from.name} fail from then on.`,
            },
          ),
        )
        break
      case 'createView':
        add(
          'bring',
          RANK.create,
          key,
          stepOf(change, { risk: 'safe', reason: `View ${objectName(change.view)} is new.` }),
        )
        break
      case 'dropView':
        add(
          'drop',
          RANK.dropDependent,
          key,
          stepOf(change, {
            risk: 'danger',
            reason: `View ${objectName(change.view)} is dropped; queries that read it fail.`,
          }),
        )
        break
      case 'modifyView':
        add(
          'bring',
          RANK.replace,
          key,
          stepOf(change, {
            risk: 'caution',
            reason: `View ${objectName(change.to)} is replaced in one statement; if its query is invalid the old one stays.`,
          }),
        )
        break
      case 'createMaterializedView':
        add(
          'bring',
          RANK.create,
          key,
          stepOf(change, {
            risk: 'safe',
            reason: `Materialized view ${objectName(change.view)} is new.`,
            ...(change.view.refresh === undefined && { warning: 'Only rows inserted from then on pass through it.' }),
          }),
        )
        break
      case 'dropMaterializedView':
        add(
          'drop',
          RANK.dropDependent,
          key,
          stepOf(change, {
            risk: 'danger',
            reason: change.view.to
              ? `Materialized view ${objectName(change.view)} is dropped; its target ${change.view.to.database}.${change.view.to.name} keeps its rows and gets no more.`
              : `Materialized view ${objectName(change.view)} is dropped with the rows of its inner table.`,
          }),
        )
        break
      case 'modifyMaterializedView': {
        if (detached.has(key)) break
        const outcome = planMaterializedView(change, options.to, options.allowRecreate === true)
        if ('refusal' in outcome) refusals.push(outcome.refusal)
        else add('bring', RANK.replace, key, outcome.step)
        break
      }
      case 'createDictionary':
        add(
          'bring',
          RANK.create,
          key,
          stepOf(change, {
            risk: 'safe',
            reason: `Dictionary ${objectName(change.dictionary)} is new; it loads when it is first read.`,
          }),
        )
        break
      case 'dropDictionary':
        add(
          'drop',
          RANK.dropDependent,
          key,
          stepOf(change, {
            risk: 'danger',
            reason: `Dictionary ${objectName(change.dictionary)} is dropped; queries that read it fail. Its source keeps its rows.`,
          }),
        )
        break
      case 'modifyDictionary':
        if (!detached.has(key))
          add(
            'bring',
            RANK.replace,
            key,
            stepOf(change, {
              risk: 'caution',
              reason: `Dictionary ${objectName(change.to)} is replaced in one statement; errors of its source show when it loads.`,
            }),
          )
        break
      case 'createFunction':
        add(
          'bring',
          RANK.create,
          key,
          stepOf(change, { risk: 'safe', reason: `Function ${change.function.name} is new.` }),
        )
        break
      case 'dropFunction':
        add(
          'drop',
          RANK.dropTable,
          key,
          stepOf(change, {
            risk: 'danger',
            reason: `Function ${change.function.name} is dropped; queries that call it fail, objects that were created with it keep its body.`,
          }),
        )
        break
      case 'modifyFunction': {
        const users = (scene.usersAfter.get(key) ?? [])
          .filter((user) => !scene.touched.has(user))
          .map((user) => objectName(scene.after.get(user)!))
        add(
          'bring',
          RANK.alter,
          key,
          stepOf(change, {
            risk: 'caution',
            reason: `Function ${change.to.name} is replaced; queries use the new body at once.`,
            warning: `The server copies a function's body into objects when they are created or altered: ${users.length > 0 ? users.join(', ') : 'what chkit does not know'} keeps the old one until then.`,
          }),
        )
        break
      }
      case 'createAccess':
        add('bring', RANK.create, key, stepOf(change, { risk: 'safe', reason: `${key} is new.` }))
        break
      case 'dropAccess':
        add(
          'drop',
          RANK.dropDependent,
          key,
          stepOf(change, { risk: 'danger', reason: `${key} is taken away; who relied on it loses it.` }),
        )
        break
      case 'modifyAccess':
        add(
          'bring',
          RANK.replace,
          key,
          stepOf(change, { risk: 'caution', reason: `${key} changes for everyone who has it.` }),
        )
        break
      case 'createRaw':
        add(
          'bring',
          RANK.create,
          key,
          stepOf(change, { risk: 'caution', reason: `${key} is created by its own text, which chkit does not judge.` }),
        )
        break
      case 'dropRaw':
        add(
          'drop',
          RANK.dropDependent,
          key,
          stepOf(
            change,
            change.object.drop !== undefined
              ? { risk: 'danger', reason: `${key} is dropped by its own text.` }
              : {
                  risk: 'safe',
                  reason: `${key} is no longer declared.`,
                  warning: `It declared no drop text, so it stays on the server.`,
                },
          ),
        )
        break
      case 'modifyRaw':
        add(
          'bring',
          RANK.replace,
          key,
          stepOf(
            change,
            change.from.drop !== undefined
              ? { risk: 'danger', reason: `${key} is dropped and created anew by its own texts.` }
              : { risk: 'caution', reason: `The new text of ${key} runs; it declared no drop text for the old one.` },
          ),
        )
        break
      case 'recreateTable':
      case 'replaceMaterializedView':
      case 'recreateMaterializedView':
        add('bring', RANK.alter, key, stepOf(change, { risk: 'danger', reason: 'Asked for as it is.' }))
        break
      default:
        refusals.push({
          change,
          code: 'plan_refused',
          object: key,
          message: `Change ${change.kind} has no plan.`,
          hint: 'Report this as a bug of chkit.',
        })
    }
  }

  for (const step of refreshedViews(scene, reshaped, detached)) add('bring', RANK.replace, step.key, step)
  refusals.push(...brokenReaders(scene, changes))
  return { steps: arrange(scene, work, detached), refusals }
}

function isPartOfTable(change: Change): change is Extract<Change, { table: Table }> {
  return (
    'table' in change && change.kind !== 'createTable' && change.kind !== 'dropTable' && change.kind !== 'renameTable'
  )
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

/** True when the server would keep an object because dictionaries read it, or tables read it as a dictionary. */
function hasDictionaries(scene: Scene, key: string): boolean {
  const isDictionary = scene.before.get(key)?.kind === 'dictionary'
  return (scene.usersBefore.get(key) ?? []).some(
    (user) => isDictionary || scene.before.get(user)?.kind === 'dictionary',
  )
}

function setScene(changes: readonly Change[], options: PlanOptions): Scene {
  const byKey = (model: Model) => new Map(model.definitions.map((definition) => [objectKey(definition), definition]))
  const oldKeys = new Map<string, string>()
  const touched = new Set<string>()
  for (const change of changes) {
    const { key } = nameChange(change)
    touched.add('table' in change ? objectKey(change.table) : key)
    if (change.kind === 'renameTable') oldKeys.set(key, keyOf('table', change.from))
    if (change.kind === 'renameView') oldKeys.set(key, keyOf('view', change.from))
    if (change.kind === 'renameMaterializedView') oldKeys.set(key, keyOf('materialized_view', change.from))
    if (change.kind === 'renameDictionary') oldKeys.set(key, keyOf('dictionary', change.from))
  }
  const needsBefore = needs(options.from)
  const needsAfter = needs(options.to)
  return {
    options,
    before: byKey(options.from),
    after: byKey(options.to),
    oldKeys,
    touched,
    needsBefore,
    needsAfter,
    usersBefore: inverted(needsBefore),
    usersAfter: inverted(needsAfter),
  }
}

function needs(model: Model): Map<string, readonly string[]> {
  const found = new Map<string, readonly string[]>()
  for (const definition of model.definitions) {
    const keys = dependenciesOf(definition, model)
    if (keys.length > 0) found.set(objectKey(definition), keys)
  }
  return found
}

function inverted(needs: ReadonlyMap<string, readonly string[]>): Map<string, string[]> {
  const users = new Map<string, string[]>()
  for (const [key, needed] of needs)
    for (const other of needed) {
      if (!users.has(other)) users.set(other, [])
      users.get(other)!.push(key)
    }
  return users
}

function isUnchangedView(scene: Scene, definition: Definition): boolean {
  const key = objectKey(definition)
  return definition.kind === 'materialized_view' && scene.before.has(key) && !scene.touched.has(key)
}

// Dependents that nobody changed

/** What of a table changed that a view's own column list shows. */
function changesShape(change: Change): boolean {
  return (
    change.kind === 'addColumn' ||
    change.kind === 'dropColumn' ||
    change.kind === 'renameColumn' ||
    (change.kind === 'modifyColumn' &&
      // An asterisk leaves out what is not stored as it stands, and follows the order of the columns.
      (['type', 'default', 'position'] as const).some((attribute) => change.attributes.includes(attribute)))
  )
}

/**
 * Views freeze the names and types of their columns when they are created: those over a table that changes are stated
 * again, so that they show what a new one would. Views with a declared column list stay as they are.
 */
function refreshedViews(
  scene: Scene,
  reshaped: ReadonlyMap<string, readonly Change[]>,
  detached: ReadonlySet<string>,
): Step[] {
  const steps: Step[] = []
  const seen = new Set<string>()
  const queue = [...reshaped].filter(([, parts]) => parts.some(changesShape)).map(([key]) => key)
  for (let key = queue.shift(); key !== undefined; key = queue.shift()) {
    for (const user of scene.usersAfter.get(key) ?? []) {
      const view = scene.after.get(user)!
      if (seen.has(user) || (view.kind !== 'view' && view.kind !== 'materialized_view')) continue
      const retyped =
        reshaped.get(key)?.some((part) => part.kind === 'modifyColumn' && part.attributes.includes('type')) ?? true
      if (!retyped && !readsEverything(view.query)) continue
      // A materialized view's target is no source of it.
      if (view.kind === 'materialized_view' && key === keyOf('table', view.to ?? { database: '', name: '' })) continue
      seen.add(user)
      if (view.kind === 'view') queue.push(user)
      if (view.columns !== undefined || !scene.before.has(user) || scene.touched.has(user) || detached.has(user))
        continue
      const step = restated(view)
      if (step !== undefined) steps.push(step)
    }
  }
  return steps
}

function restated(view: View | MaterializedView): Step | undefined {
  const why = 'The server fixed its columns when it was created; stated again it follows the changed table.'
  if (view.kind === 'view')
    return stepOf({ kind: 'modifyView', from: view, to: view }, { risk: 'caution', reason: why })
  if (view.to === undefined) return undefined
  return stepOf(
    { kind: 'modifyMaterializedView', from: view, to: view, attributes: ['query'] },
    { risk: 'safe', reason: why },
  )
}

/** Objects that stay as they are although what they read goes away: the server would break them later. */
function brokenReaders(scene: Scene, changes: readonly Change[]): Refusal[] {
  const refusals: Refusal[] = []
  const names = new Set(scene.options.to.definitions.filter(isDatabaseObject).map(objectName))
  for (const change of changes) {
    const gone = goneBy(change)
    if (gone === undefined || names.has(gone.name)) continue
    const users = (scene.usersBefore.get(gone.key) ?? []).filter(
      (user) => scene.after.has(user) && !scene.touched.has(user) && scene.after.get(user)!.kind !== 'table',
    )
    if (users.length === 0) continue
    const readers = users.map((user) => objectName(scene.after.get(user)!)).join(', ')
    refusals.push({
      change,
      code: 'plan_refused',
      object: gone.key,
      message: `${gone.name} cannot go away: ${readers} still reads it.`,
      hint: `Change or remove ${readers} as well.`,
    })
  }
  return refusals
}

function goneBy(change: Change): { readonly key: string; readonly name: string } | undefined {
  switch (change.kind) {
    case 'dropTable':
      return { key: objectKey(change.table), name: objectName(change.table) }
    case 'dropView':
    case 'dropMaterializedView':
      return { key: objectKey(change.view), name: objectName(change.view) }
    case 'dropDictionary':
      return { key: objectKey(change.dictionary), name: objectName(change.dictionary) }
    case 'renameTable':
      return { key: keyOf('table', change.from), name: `${change.from.database}.${change.from.name}` }
    case 'renameView':
      return { key: keyOf('view', change.from), name: `${change.from.database}.${change.from.name}` }
    case 'renameDictionary':
      return { key: keyOf('dictionary', change.from), name: `${change.from.database}.${change.from.name}` }
    default:
      return undefined
  }
}

// Order

/** The steps of all work in an order in which each statement finds what it needs and nothing that is in its way. */
function arrange(
  scene: Scene,
  work: readonly (Work & { readonly rank: number })[],
  detached: ReadonlySet<string>,
): Step[] {
  const units: Unit<Work>[] = work.map((item) => ({ name: item.key, rank: item.rank, payload: item, after: new Set() }))
  const byRole = (role: Role) => {
    const found = new Map<string, number[]>()
    for (const [index, item] of work.entries()) {
      if (item.role !== role) continue
      found.set(item.key, [...(found.get(item.key) ?? []), index])
    }
    return found
  }
  const drops = byRole('drop')
  const renames = byRole('rename')
  const brings = byRole('bring')
  const contracts = byRole('contract')
  const none: readonly number[] = []
  const nameOf = (key: string) => {
    const definition = scene.after.get(key) ?? scene.before.get(key)
    return definition === undefined ? key : objectName(definition)
  }
  /** Where each name (`db.name`, whatever the kind) is given up. */
  const released = new Map<string, number[]>()
  const release = (key: string, index: number) => {
    const name = nameOf(key)
    released.set(name, [...(released.get(name) ?? []), index])
  }
  for (const [key, indexes] of drops) for (const index of indexes) release(key, index)
  for (const [key, indexes] of renames) for (const index of indexes) release(scene.oldKeys.get(key) ?? key, index)

  for (const [index, item] of work.entries()) {
    const { after } = units[index]!
    const waitFor = (indexes: readonly number[] | undefined) => {
      for (const other of indexes ?? none) if (other !== index) after.add(other)
    }
    const oldKey = scene.oldKeys.get(item.key) ?? item.key
    const usersBefore = scene.usersBefore.get(oldKey) ?? []
    switch (item.role) {
      case 'bring': {
        for (const needed of scene.needsAfter.get(item.key) ?? []) {
          waitFor(renames.get(needed))
          waitFor(brings.get(needed))
          // What selects every column is stated when they are final; so is what stepped aside for them.
          if (detached.has(item.key) || seesEverything(scene, item.key)) waitFor(contracts.get(needed))
        }
        waitFor(renames.get(item.key))
        waitFor(released.get(nameOf(item.key)))
        for (const user of usersBefore) if (item.steps[0]!.change.kind === 'recreateTable') waitFor(drops.get(user))
        break
      }
      case 'rename':
        waitFor(released.get(nameOf(item.key)))
        for (const user of usersBefore) waitFor(drops.get(user))
        break
      case 'contract':
        waitFor(brings.get(item.key))
        waitFor(renames.get(item.key))
        for (const user of usersBefore) {
          waitFor(drops.get(user))
          if (!detached.has(user) && !seesEverything(scene, user)) waitFor(brings.get(user))
        }
        break
      case 'drop':
        for (const user of usersBefore) {
          waitFor(drops.get(user))
          if (!detached.has(user)) waitFor(brings.get(user))
        }
        if (item.rank === RANK.dropDatabase)
          waitFor([...drops.values()].flat().filter((other) => work[other]!.rank < RANK.dropDatabase))
        break
      case 'database':
        break
      default:
        assertNever(item.role, 'role')
    }
  }
  return orderUnits(units).flatMap((unit) => unit.payload.steps)
}

function seesEverything(scene: Scene, key: string): boolean {
  const definition = scene.after.get(key)
  return definition !== undefined && 'query' in definition && readsEverything(definition.query)
}
