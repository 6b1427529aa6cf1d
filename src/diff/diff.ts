/** What must change to lead one model to another. */
import { assertNever } from '../errors.js'
import {
  type Database,
  type DatabaseObject,
  type Definition,
  isDatabaseObject,
  type Model,
  objectKey,
  objectName,
  type QualifiedName,
} from '../model/definition.js'
import { sameAccess } from '../model/grants.js'
import { sameExpression } from '../model/meaning.js'
import type { Change } from './change.js'
import { diffTable } from './diff-table.js'
import { dictionaryDiffers, materializedViewDifferences, viewDiffers } from './diff-view.js'
import { equalComments, equalDatabaseEngines, equalSettings } from './equal.js'

/** A table, view or dictionary that keeps its rows under another name. */
export type ObjectRename = { readonly kind: 'object'; readonly from: QualifiedName; readonly to: QualifiedName }

/** A column that keeps its values under another name; `table` is its table's name after renames. */
export type ColumnRename = {
  readonly kind: 'column'
  readonly table: QualifiedName
  readonly from: string
  readonly to: string
}

/** A rename as `resolveRenames` yields them: no conflicts, every source exists before and every target after. */
export type Rename = ObjectRename | ColumnRename

export type DiffOptions = {
  /** `from` was read from a server: see `TableDiffOptions.live`. */
  readonly live?: boolean
}

/** Databases that every server has; never created, never dropped. */
const BUILT_IN_DATABASES: ReadonlySet<string> = new Set([
  'default',
  'system',
  'INFORMATION_SCHEMA',
  'information_schema',
])

/**
 * The changes that lead `from` to `to`: dropped objects first, then objects in the order of `to`, each with its own
 * changes in a row. `plan` decides the order of execution. Both models are canonical; neither is modified. Databases
 * that objects of `to` use are created without being declared, and dropped only when a declared one was removed.
 */
export function diffModels(
  from: Model,
  to: Model,
  renames: readonly Rename[] = [],
  options: DiffOptions = {},
): Change[] {
  if (from === to || (renames.length === 0 && sameModels(from, to, options))) return []
  const changes: Change[] = []
  const before = new Map<string, Definition>()
  for (const definition of from.definitions) before.set(objectKey(definition), definition)

  const objectRenames = new Map<string, QualifiedName>()
  const columnRenames = new Map<string, Map<string, string>>()
  for (const rename of renames) {
    if (rename.kind === 'object') objectRenames.set(qualified(rename.to), rename.from)
    else {
      const table = qualified(rename.table)
      if (!columnRenames.has(table)) columnRenames.set(table, new Map())
      columnRenames.get(table)!.set(rename.from, rename.to)
    }
  }

  const kept = new Set<string>()
  const later: Change[] = []
  diffDatabases(from, to, later)
  for (const definition of to.definitions) {
    if (definition.kind === 'database') continue
    const key = objectKey(definition)
    let old = before.get(key)
    let oldKey = key
    if (isDatabaseObject(definition)) {
      const name = `${definition.database}.${definition.name}`
      const source = objectRenames.size > 0 ? objectRenames.get(name) : undefined
      if (source !== undefined) {
        oldKey = `${definition.kind}:${qualified(source)}`
        old = before.get(oldKey)
        if (old !== undefined) later.push(renamed(definition, source))
      }
      if (old !== undefined) {
        kept.add(oldKey)
        if (old !== definition) diffObject(old, definition, columnRenames.get(name), options, later)
        continue
      }
    } else if (old !== undefined) {
      kept.add(key)
      if (old !== definition) diffObject(old, definition, undefined, options, later)
      continue
    }
    later.push(created(definition))
  }
  for (const definition of from.definitions)
    if (definition.kind !== 'database' && !kept.has(objectKey(definition))) changes.push(dropped(definition))
  changes.push(...later)
  return changes
}

/** The common case, answered without looking anything up: the same objects in the same order, none changed. */
function sameModels(from: Model, to: Model, options: DiffOptions): boolean {
  if (from.definitions.length !== to.definitions.length) return false
  const changes: Change[] = []
  for (let index = 0; index < to.definitions.length; index++) {
    const a = from.definitions[index]!
    const b = to.definitions[index]!
    if (a === b) continue
    if (a.kind !== b.kind || objectName(a) !== objectName(b)) return false
    if (a.kind === 'database' && b.kind === 'database') {
      if (!sameDatabases(a, b)) return false
    } else diffObject(a, b, undefined, options, changes)
    if (changes.length > 0) return false
  }
  return true
}

function qualified(name: QualifiedName): string {
  return `${name.database}.${name.name}`
}

function diffObject(
  from: Definition,
  to: Definition,
  columnRenames: ReadonlyMap<string, string> | undefined,
  options: DiffOptions,
  changes: Change[],
): void {
  if (from.kind === 'table' && to.kind === 'table') {
    for (const change of diffTable(from, to, { ...options, ...(columnRenames && { columnRenames }) }))
      changes.push(change)
  } else if (from.kind === 'view' && to.kind === 'view') {
    if (viewDiffers(from, to)) changes.push({ kind: 'modifyView', from, to })
  } else if (from.kind === 'materialized_view' && to.kind === 'materialized_view') {
    const attributes = materializedViewDifferences(from, to, options)
    if (attributes.length > 0) changes.push({ kind: 'modifyMaterializedView', from, to, attributes })
  } else if (from.kind === 'dictionary' && to.kind === 'dictionary') {
    if (dictionaryDiffers(from, to)) changes.push({ kind: 'modifyDictionary', from, to })
  } else if (from.kind === 'sql_function' && to.kind === 'sql_function') {
    if (!sameExpression(from.expression, to.expression)) changes.push({ kind: 'modifyFunction', from, to })
  } else if (from.kind === 'raw' && to.kind === 'raw') {
    if (from.create !== to.create) changes.push({ kind: 'modifyRaw', from, to })
  } else if ('statement' in from && 'statement' in to) {
    // A secret that the server hides is no difference that a repair could take away.
    if (!sameAccess(from, to)) changes.push({ kind: 'modifyAccess', from, to })
  }
}

function created(definition: Definition): Change {
  switch (definition.kind) {
    case 'database':
      return { kind: 'createDatabase', database: definition }
    case 'table':
      return { kind: 'createTable', table: definition }
    case 'view':
      return { kind: 'createView', view: definition }
    case 'materialized_view':
      return { kind: 'createMaterializedView', view: definition }
    case 'dictionary':
      return { kind: 'createDictionary', dictionary: definition }
    case 'sql_function':
      return { kind: 'createFunction', function: definition }
    case 'raw':
      return { kind: 'createRaw', object: definition }
    case 'role':
    case 'user':
    case 'grant':
    case 'row_policy':
    case 'quota':
    case 'settings_profile':
    case 'named_collection':
      return { kind: 'createAccess', object: definition }
    default:
      return assertNever(definition, 'definition')
  }
}

function dropped(definition: Definition): Change {
  switch (definition.kind) {
    case 'database':
      return { kind: 'dropDatabase', database: definition }
    case 'table':
      return { kind: 'dropTable', table: definition }
    case 'view':
      return { kind: 'dropView', view: definition }
    case 'materialized_view':
      return { kind: 'dropMaterializedView', view: definition }
    case 'dictionary':
      return { kind: 'dropDictionary', dictionary: definition }
    case 'sql_function':
      return { kind: 'dropFunction', function: definition }
    case 'raw':
      return { kind: 'dropRaw', object: definition }
    case 'role':
    case 'user':
    case 'grant':
    case 'row_policy':
    case 'quota':
    case 'settings_profile':
    case 'named_collection':
      return { kind: 'dropAccess', object: definition }
    default:
      return assertNever(definition, 'definition')
  }
}

function renamed(object: DatabaseObject, from: QualifiedName): Change {
  const to = { database: object.database, name: object.name }
  switch (object.kind) {
    case 'table':
      return { kind: 'renameTable', from, to, table: object }
    case 'view':
      return { kind: 'renameView', from, to, view: object }
    case 'materialized_view':
      return { kind: 'renameMaterializedView', from, to, view: object }
    case 'dictionary':
      return { kind: 'renameDictionary', from, to, dictionary: object }
    default:
      return assertNever(object, 'object')
  }
}

/** The databases that objects live in, each with the cluster of the first object that names one. */
function usedDatabases(model: Model): Map<string, string | undefined> {
  const used = new Map<string, string | undefined>()
  for (const definition of model.definitions) {
    if (!isDatabaseObject(definition)) continue
    if (!used.has(definition.database) || (used.get(definition.database) === undefined && definition.cluster))
      used.set(definition.database, definition.cluster)
  }
  return used
}

/** An engine or settings that nobody declared are the server's choice. */
function sameDatabases(from: Database, to: Database): boolean {
  const engine = to.engine === undefined || from.engine === undefined || equalDatabaseEngines(from.engine, to.engine)
  const settings = to.settings === undefined || equalSettings(from.settings, to.settings)
  return engine && settings && equalComments(from.comment, to.comment)
}

function declaredDatabases(model: Model): Map<string, Database> {
  const declared = new Map<string, Database>()
  for (const definition of model.definitions)
    if (definition.kind === 'database') declared.set(definition.name, definition)
  return declared
}

function diffDatabases(from: Model, to: Model, changes: Change[]): void {
  const declaredBefore = declaredDatabases(from)
  const declaredAfter = declaredDatabases(to)
  const usedBefore = usedDatabases(from)
  const usedAfter = usedDatabases(to)
  for (const [name, database] of declaredAfter) {
    const old = declaredBefore.get(name)
    const exists = old !== undefined || usedBefore.has(name) || BUILT_IN_DATABASES.has(name)
    if (!exists) changes.push({ kind: 'createDatabase', database })
    else {
      const known: Database = old ?? { kind: 'database', name }
      if (!sameDatabases(known, database)) changes.push({ kind: 'modifyDatabase', from: known, to: database })
    }
  }
  for (const [name, cluster] of usedAfter) {
    if (declaredAfter.has(name) || declaredBefore.has(name) || usedBefore.has(name) || BUILT_IN_DATABASES.has(name))
      continue
    changes.push({ kind: 'createDatabase', database: { kind: 'database', name, ...(cluster ? { cluster } : {}) } })
  }
  for (const [name, database] of declaredBefore)
    if (!declaredAfter.has(name) && !usedAfter.has(name)) changes.push({ kind: 'dropDatabase', database })
}
