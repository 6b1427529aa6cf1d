/** Objects that nobody changed, although what they read changes or goes away. */
import type { Change } from '../diff/change.js'
import { dictionaryStructureDiffers } from '../diff/diff-view.js'
import { equalViewColumns } from '../diff/equal.js'
import { mentionsColumn, readsEverything } from '../diff/expression-names.js'
import { accessReferences } from '../model/access-references.js'
import {
  type Definition,
  type Dictionary,
  type MaterializedView,
  objectKey,
  objectName,
  type SqlText,
  type Table,
  type View,
} from '../model/definition.js'
import { dictionarySource, functionsCalledBy } from '../model/dependencies.js'
import { missingInQuery } from '../model/query-columns.js'
import { rawEffects } from '../model/raw.js'
import { sameText } from '../model/same.js'
import { keyOf, nameChange } from './describe.js'
import { stepOf } from './plan-table.js'
import { isReadInExpressions, type Scene } from './scene.js'
import type { Refusal, Step } from './step.js'

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

/** True when the columns of a query may differ after `changes` of what it reads; without them, after any change. */
function showsChange(query: SqlText, changes: readonly Change[] | undefined): boolean {
  if (changes === undefined || readsEverything(query)) return true
  return changes.some(
    (change) =>
      change.kind === 'modifyColumn' &&
      change.attributes.includes('type') &&
      // ARRAY JOIN names a flattened Nested column by what stands before its dot.
      (mentionsColumn(query, change.to.name) || mentionsColumn(query, change.to.name.split('.', 1)[0]!)),
  )
}

/** True for an object that may have other columns from now on, or that stands where another kind of object stood. */
function replacesShape(change: Change): boolean {
  switch (change.kind) {
    case 'createTable':
    case 'createView':
    case 'createMaterializedView':
    case 'createDictionary':
      return true
    case 'modifyView':
      return !sameText(change.from.query, change.to.query) || !equalViewColumns(change.from.columns, change.to.columns)
    case 'modifyMaterializedView':
      return change.attributes.includes('query') || change.attributes.includes('columns')
    case 'modifyDictionary':
      return dictionaryStructureDiffers(change.from, change.to)
    default:
      return false
  }
}

/**
 * Views freeze the names and types of their columns when they are created: those over a table that changes are stated
 * again, so that they show what a new one would. Views with a declared column list stay as they are.
 */
export function refreshedViews(
  scene: Scene,
  changes: readonly Change[],
  reshaped: ReadonlyMap<string, readonly Change[]>,
  detached: ReadonlySet<string>,
): Step[] {
  const steps: Step[] = []
  const seen = new Set<string>()
  const queue = [
    ...[...reshaped].filter(([, parts]) => parts.some(changesShape)).map(([key]) => key),
    ...changes.flatMap((change) => (replacesShape(change) ? [nameChange(change).key] : [])),
  ]
  for (let key = queue.shift(); key !== undefined; key = queue.shift()) {
    for (const user of scene.usersAfter.get(key) ?? []) {
      const view = scene.after.get(user)!
      if (seen.has(user) || (view.kind !== 'view' && view.kind !== 'materialized_view')) continue
      if (!showsChange(view.query, reshaped.get(key))) continue
      // A materialized view's target is no source of it.
      if (view.kind === 'materialized_view' && key === keyOf('table', view.to ?? { database: '', name: '' })) continue
      seen.add(user)
      if (view.kind === 'view') queue.push(user)
      const stays = scene.before.has(user) && !scene.touched.has(user)
      if (view.columns !== undefined || detached.has(user) || !(stays || scene.onlyRenamed.has(user))) continue
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

/**
 * Grants that stay, stated again beside one that is revoked from the same user or role: REVOKE takes away what the two
 * have in common, and `REVOKE SELECT ON db.t` cuts a hole into a grant on `db.*`.
 */
export function restatedGrants(scene: Scene, changes: readonly Change[]): Step[] {
  const revoked = changes.flatMap((change) =>
    change.kind === 'dropAccess' && change.object.kind === 'grant' ? [change.object] : [],
  )
  if (revoked.length === 0) return []
  const lost = revoked.map(accessReferences)
  return scene.options.to.definitions.flatMap((grant) => {
    if (grant.kind !== 'grant' || !scene.before.has(objectKey(grant))) return []
    const own = accessReferences(grant).map(({ name }) => name)
    if (!lost.some((names) => names.some(({ name }) => own.includes(name)))) return []
    const reason = 'What is revoked from the same user or role may have been a part of it.'
    return [stepOf({ kind: 'modifyAccess', from: grant, to: grant }, { risk: 'safe', reason })]
  })
}

/** Tables over others are only asked when they are read; a TimeSeries table then refuses inserts as well. */
function breaksWithoutSource(user: Definition): boolean {
  return user.kind !== 'table' || user.targets !== undefined
}

/** Objects that stay as they are although what they read goes away: the server would break them later. */
export function brokenReaders(scene: Scene, changes: readonly Change[]): Refusal[] {
  const refusals: Refusal[] = []
  for (const change of changes) {
    const gone = goneBy(change)
    if (gone === undefined || (change.kind !== 'dropAccess' && scene.namesAfter.has(gone.name))) continue
    const users = (scene.usersBefore.get(gone.key) ?? []).filter(
      (user) =>
        scene.after.has(user) &&
        !scene.touched.has(user) &&
        // The server keeps what a table reads by its expressions.
        (isReadInExpressions(scene.before.get(gone.key)) || breaksWithoutSource(scene.after.get(user)!)),
    )
    if (users.length === 0) continue
    const readers = users.map((user) => objectName(scene.after.get(user)!)).join(', ')
    const verb = change.kind === 'dropAccess' ? 'name' : 'read'
    refusals.push({
      change,
      code: 'plan_refused',
      object: gone.key,
      message: `${gone.name} cannot go away: ${readers} still ${users.length === 1 ? `${verb}s` : verb} it.`,
      hint: `Change or remove ${readers} as well.`,
    })
  }
  return refusals
}

/**
 * Objects whose texts go on calling a function that goes away: the server keeps its body in some of them, and what is
 * made from these texts later fails.
 */
export function brokenCallers(scene: Scene, changes: readonly Change[]): Refusal[] {
  return changes.flatMap((change) => {
    if (change.kind !== 'dropFunction') return []
    const { name } = change.function
    const { definitions } = scene.options.to
    const isMade = definitions.some(
      (one) =>
        one.kind === 'raw' && rawEffects(one).makes.some((made) => made.kind === 'function' && made.name === name),
    )
    const callers = isMade ? [] : definitions.filter((one) => functionsCalledBy(one).includes(name)).map(objectName)
    if (callers.length === 0) return []
    const [object, names] = [objectKey(change.function), callers.join(', ')]
    const message = `Function ${name} cannot go away: ${names} still ${callers.length === 1 ? 'calls' : 'call'} it.`
    const hint = `Write its body in place of the calls in ${names}, or keep the function.`
    return [{ change, code: 'plan_refused' as const, object, message, hint }]
  })
}

/** Dictionaries that go on selecting a column which their source loses: they fail when they load the next time. */
export function brokenDictionaries(scene: Scene, changes: readonly Change[]): Refusal[] {
  return changes.flatMap((change) => {
    if (change.kind !== 'dropColumn' && change.kind !== 'renameColumn') return []
    const gone = change.kind === 'dropColumn' ? change.column.name : change.from
    if (change.table.columns.some(({ name }) => name === gone)) return []
    const readers = (scene.usersAfter.get(objectKey(change.table)) ?? [])
      .map((user) => scene.after.get(user))
      .filter((user) => user?.kind === 'dictionary' && selects(user, change.table, gone, scene))
      .map((user) => objectName(user!))
    if (readers.length === 0) return []
    const what = change.kind === 'dropColumn' ? 'be dropped' : `be renamed to ${change.to}`
    const hint = `Change or remove ${readers.join(', ')} as well.`
    const message = `Column ${gone} of ${objectName(change.table)} cannot ${what}: dictionary ${readers.join(', ')} still reads it.`
    return [{ change, code: 'plan_refused' as const, object: objectKey(change.table), message, hint }]
  })
}

function selects(dictionary: Dictionary, table: Table, column: string, scene: Scene): boolean {
  const source = dictionarySource(dictionary)
  if (source.query !== undefined) {
    const byName = new Map(scene.options.to.definitions.map((one) => [objectName(one), one]))
    return missingInQuery(source.query, byName).some((missing) => missing.column === column)
  }
  return (
    source.table?.database === table.database &&
    source.table.name === table.name &&
    dictionary.attributes.some(({ name, expression }) => name === column && expression === undefined)
  )
}

function goneBy(change: Change): { readonly key: string; readonly name: string } | undefined {
  switch (change.kind) {
    case 'dropTable':
      return { key: objectKey(change.table), name: objectName(change.table) }
    case 'dropView':
    case 'dropMaterializedView':
      return { key: objectKey(change.view), name: objectName(change.view) }
    case 'dropAccess':
      return { key: objectKey(change.object), name: objectKey(change.object) }
    case 'dropDictionary':
      return { key: objectKey(change.dictionary), name: objectName(change.dictionary) }
    case 'renameTable':
      return { key: keyOf('table', change.from), name: `${change.from.database}.${change.from.name}` }
    case 'renameMaterializedView':
      return { key: keyOf('materialized_view', change.from), name: `${change.from.database}.${change.from.name}` }
    case 'renameView':
      return { key: keyOf('view', change.from), name: `${change.from.database}.${change.from.name}` }
    case 'renameDictionary':
      return { key: keyOf('dictionary', change.from), name: `${change.from.database}.${change.from.name}` }
    default:
      return undefined
  }
}
