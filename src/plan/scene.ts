/** What the parts of the planner look things up in: both states, who needs whom, and how work is ranked. */
import type { Change } from '../diff/change.js'
import { readsEverything } from '../diff/expression-names.js'
import { type Definition, isDatabaseObject, type Model, objectKey, objectName } from '../model/definition.js'
import { dependenciesOf } from '../model/dependencies.js'
import { keyOf, nameChange } from './describe.js'
import type { Step } from './step.js'

export type PlanOptions = {
  readonly from: Model
  readonly to: Model
  /** Plan what cannot be done in place as drop and create, which loses rows, instead of refusing it. */
  readonly allowRecreate?: boolean
}

/** Ranks of units: what runs first where dependencies leave a choice. */
export const RANK = {
  dropDependent: 0,
  dropTable: 1,
  createDatabase: 2,
  rename: 3,
  alter: 4,
  replace: 5,
  create: 6,
  dropDatabase: 7,
} as const

/**
 * drop: gives the name up; rename: passes it on; bring: the object then has its desired form as far as others need it;
 * contract: takes away what nobody may need any more; database: makes room.
 */
export type Role = 'drop' | 'rename' | 'bring' | 'contract' | 'database'

/** Steps that run in a row for one object: what they do to its name and shape, and when they run if nothing else decides. */
export type Work = {
  readonly role: Role
  readonly rank: number
  readonly key: string
  readonly steps: readonly Step[]
}

/** Everything the parts of the planner look things up in; built once per plan. */
export type Scene = {
  readonly options: PlanOptions
  readonly before: ReadonlyMap<string, Definition>
  readonly after: ReadonlyMap<string, Definition>
  /** New key to old key of renamed objects. */
  readonly oldKeys: ReadonlyMap<string, string>
  /** Keys of objects that have an object-level or part change. */
  readonly touched: ReadonlySet<string>
  /** Those of them that get another name and nothing else. */
  readonly onlyRenamed: ReadonlySet<string>
  /** `db.name` of everything that lives in a database afterwards, whatever its kind. */
  readonly namesAfter: ReadonlySet<string>
  readonly needsBefore: ReadonlyMap<string, readonly string[]>
  readonly needsAfter: ReadonlyMap<string, readonly string[]>
  readonly usersBefore: ReadonlyMap<string, readonly string[]>
  readonly usersAfter: ReadonlyMap<string, readonly string[]>
}

/**
 * True when the server would keep an object because dictionaries read it, or because tables read it in expressions
 * (`dictGet`, `joinGet`).
 */
export function hasDictionaries(scene: Scene, key: string): boolean {
  const isRead = isReadInExpressions(scene.before.get(key))
  return (scene.usersBefore.get(key) ?? []).some((user) => isRead || scene.before.get(user)?.kind === 'dictionary')
}

/** True for what the expressions of tables may read, which the server then keeps: dictionaries, Join and Set tables. */
export function isReadInExpressions(definition: Definition | undefined): boolean {
  if (definition?.kind === 'table') return definition.engine.name === 'Join' || definition.engine.name === 'Set'
  return definition?.kind === 'dictionary'
}

export function setScene(changes: readonly Change[], options: PlanOptions): Scene {
  const byKey = (model: Model) => new Map(model.definitions.map((definition) => [objectKey(definition), definition]))
  const oldKeys = new Map<string, string>()
  const touched = new Set<string>()
  const remade = new Set<string>()
  for (const change of changes) {
    const { key } = nameChange(change)
    const subject = 'table' in change ? objectKey(change.table) : key
    touched.add(subject)
    if (change.kind === 'renameTable') oldKeys.set(key, keyOf('table', change.from))
    else if (change.kind === 'renameView') oldKeys.set(key, keyOf('view', change.from))
    else if (change.kind === 'renameMaterializedView') oldKeys.set(key, keyOf('materialized_view', change.from))
    else if (change.kind === 'renameDictionary') oldKeys.set(key, keyOf('dictionary', change.from))
    else remade.add(subject)
  }
  const needsBefore = needs(options.from)
  const needsAfter = needs(options.to)
  return {
    options,
    before: byKey(options.from),
    after: byKey(options.to),
    oldKeys,
    touched,
    onlyRenamed: new Set([...oldKeys.keys()].filter((key) => !remade.has(key))),
    namesAfter: new Set(options.to.definitions.filter(isDatabaseObject).map(objectName)),
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

export function isUnchangedView(scene: Scene, definition: Definition): boolean {
  const key = objectKey(definition)
  return definition.kind === 'materialized_view' && scene.before.has(key) && !scene.touched.has(key)
}

export function seesEverything(scene: Scene, key: string): boolean {
  const definition = scene.after.get(key)
  return definition !== undefined && 'query' in definition && readsEverything(definition.query)
}
