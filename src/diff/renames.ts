/** Which objects and columns keep their data under another name: from schema, from flags, checked against both states. */
import { ChkitError } from '../errors.js'
import {
  type DatabaseObject,
  isDatabaseObject,
  type Model,
  objectName,
  type QualifiedName,
  type Table,
} from '../model/definition.js'
import type { ColumnRename, ObjectRename, Rename } from './diff.js'

/** Values of `--rename-table` and `--rename-column`, already split at commas by the flag parser or not. */
export type RenameFlags = {
  /** `old_db.old=new_db.new` */
  readonly tables?: readonly string[]
  /** `db.table.old=new` */
  readonly columns?: readonly string[]
}

type Mapping<Name> = { readonly from: Name; readonly to: Name; readonly flag?: string }
type ColumnMapping = {
  readonly table: QualifiedName
  readonly from: string
  readonly to: string
  readonly flag?: string
}

/**
 * The renames between two models. Flags win over `renamedFrom`; a `renamedFrom` whose old name is gone, or whose new
 * name exists already, was carried out before and is ignored. Throws `rename_conflict` (two sources or targets, chains,
 * cycles, a name that is taken or still declared) and `rename_invalid` (a flag that cannot be read or names nothing).
 */
export function resolveRenames(from: Model, to: Model, flags: RenameFlags = {}): Rename[] {
  const before = objectsByName(from)
  const after = objectsByName(to)
  const tables = objectRenames(before, after, flags.tables ?? [])
  const columns = columnRenames(before, after, tables, flags.columns ?? [])
  return [...tables, ...columns]
}

function objectsByName(model: Model): Map<string, DatabaseObject> {
  const objects = new Map<string, DatabaseObject>()
  for (const definition of model.definitions)
    if (isDatabaseObject(definition)) objects.set(objectName(definition), definition)
  return objects
}

const text = (name: QualifiedName) => `${name.database}.${name.name}`

// Tables, views and dictionaries

function objectRenames(
  before: ReadonlyMap<string, DatabaseObject>,
  after: ReadonlyMap<string, DatabaseObject>,
  flags: readonly string[],
): ObjectRename[] {
  const given = items(flags).map(parseTableFlag)
  checkObjectMappings(given)
  for (const { from, to, flag } of given) {
    const invalid = (why: string) =>
      new ChkitError('rename_invalid', `--rename-table mapping "${flag}" is invalid: ${why}`, {
        hint: 'Name the old table as in the last migration and the new one as in the schema: --rename-table old_db.old=new_db.new',
      })
    const old = before.get(text(from))
    const next = after.get(text(to))
    if (text(from) === text(to)) throw invalid('both names are the same.')
    if (old === undefined) throw invalid(`${text(from)} is not part of the previous state.`)
    if (next === undefined) throw invalid(`${text(to)} is not declared in the schema.`)
    if (after.has(text(from))) throw invalid(`${text(from)} is still declared in the schema.`)
    if (before.has(text(to))) throw invalid(`${text(to)} exists already in the previous state.`)
    if (old.kind !== next.kind) throw invalid(`${text(from)} is a ${old.kind} and ${text(to)} is a ${next.kind}.`)
  }
  const takenSources = new Set(given.map((mapping) => text(mapping.from)))
  const takenTargets = new Set(given.map((mapping) => text(mapping.to)))
  const declared: Mapping<QualifiedName>[] = []
  for (const object of after.values()) {
    const source = object.renamedFrom
    if (source === undefined || takenTargets.has(objectName(object)) || takenSources.has(text(source))) continue
    declared.push({ from: source, to: { database: object.database, name: object.name } })
  }
  checkObjectMappings(declared)
  const alive = declared.filter(
    ({ from, to }) =>
      before.get(text(from))?.kind === after.get(text(to))?.kind &&
      isAlive('table', text(from), text(to), before.has(text(to)), after.has(text(from))),
  )
  return [...given, ...alive]
    .map(({ from, to }): ObjectRename => ({ kind: 'object', from, to }))
    .sort((a, b) => (text(a.to) < text(b.to) ? -1 : 1))
}

function checkObjectMappings(mappings: readonly Mapping<QualifiedName>[]): void {
  checkMappings(
    'table',
    mappings.map(({ from, to }) => ({ scope: '', from: text(from), to: text(to) })),
  )
}

function parseTableFlag(flag: string): Mapping<QualifiedName> & { readonly flag: string } {
  const sides = flag.split('=')
  const from = parseQualified(sides[0])
  const to = parseQualified(sides[1])
  if (sides.length !== 2 || from === undefined || to === undefined)
    throw new ChkitError(
      'rename_invalid',
      `--rename-table mapping "${flag}" is invalid: it must read old_db.old=new_db.new.`,
      {
        hint: 'Example: --rename-table analytics.events=analytics.page_views',
      },
    )
  return { from, to, flag }
}

function parseQualified(side: string | undefined): QualifiedName | undefined {
  const dot = side?.indexOf('.') ?? -1
  if (side === undefined || dot <= 0 || dot === side.length - 1) return undefined
  return { database: side.slice(0, dot).trim(), name: side.slice(dot + 1).trim() }
}

// Columns

function columnRenames(
  before: ReadonlyMap<string, DatabaseObject>,
  after: ReadonlyMap<string, DatabaseObject>,
  tables: readonly ObjectRename[],
  flags: readonly string[],
): ColumnRename[] {
  const newName = new Map(tables.map((rename) => [text(rename.from), rename.to]))
  const oldName = new Map(tables.map((rename) => [text(rename.to), rename.from]))
  const tableBefore = (table: QualifiedName) => {
    const object = before.get(text(oldName.get(text(table)) ?? table))
    return object?.kind === 'table' ? object : undefined
  }
  const given = items(flags)
    .map((flag) => parseColumnFlag(flag, before, after))
    .map((mapping) => ({ ...mapping, table: newName.get(text(mapping.table)) ?? mapping.table }))
  checkColumnMappings(given)
  for (const { table, from, to, flag } of given) {
    const invalid = (why: string) =>
      new ChkitError('rename_invalid', `--rename-column mapping "${flag}" is invalid: ${why}`, {
        hint: 'Name the column as in the last migration and its new name as in the schema: --rename-column db.table.old=new',
      })
    const old = tableBefore(table)
    const next = after.get(text(table))
    if (from === to) throw invalid('both names are the same.')
    if (next?.kind !== 'table') throw invalid(`${text(table)} is not a table of the schema.`)
    if (old === undefined || !hasColumn(old, from))
      throw invalid(`${text(table)} has no column ${from} in the previous state.`)
    if (!hasColumn(next, to)) throw invalid(`${text(table)} has no column ${to} in the schema.`)
    if (hasColumn(next, from)) throw invalid(`column ${from} of ${text(table)} is still declared in the schema.`)
    if (hasColumn(old, to)) throw invalid(`column ${to} of ${text(table)} exists already in the previous state.`)
  }
  const key = (table: QualifiedName, column: string) => `${text(table)}.${column}`
  const takenSources = new Set(given.map((mapping) => key(mapping.table, mapping.from)))
  const takenTargets = new Set(given.map((mapping) => key(mapping.table, mapping.to)))
  const declared: ColumnMapping[] = []
  for (const table of after.values()) {
    if (table.kind !== 'table') continue
    for (const column of table.columns) {
      const source = column.renamedFrom
      if (source === undefined || takenTargets.has(key(table, column.name)) || takenSources.has(key(table, source)))
        continue
      declared.push({ table: { database: table.database, name: table.name }, from: source, to: column.name })
    }
  }
  checkColumnMappings(declared)
  const alive = declared.filter(({ table, from, to }) => {
    const old = tableBefore(table)
    const next = after.get(text(table)) as Table
    if (old === undefined || !hasColumn(old, from)) return false
    return isAlive('column', key(table, from), key(table, to), hasColumn(old, to), hasColumn(next, from))
  })
  return [...given, ...alive].map(({ table, from, to }): ColumnRename => ({ kind: 'column', table, from, to }))
}

function hasColumn(table: Table, name: string): boolean {
  return table.columns.some((column) => column.name === name)
}

function checkColumnMappings(mappings: readonly ColumnMapping[]): void {
  checkMappings(
    'column',
    mappings.map(({ table, from, to }) => ({ scope: `${text(table)}.`, from, to })),
  )
}

/** The table is the longest known name that the flag begins with, since names may hold dots themselves. */
function parseColumnFlag(
  flag: string,
  before: ReadonlyMap<string, DatabaseObject>,
  after: ReadonlyMap<string, DatabaseObject>,
): ColumnMapping & { readonly flag: string } {
  const sides = flag.split('=')
  const left = sides[0]?.trim() ?? ''
  const to = sides[1]?.trim() ?? ''
  let found: { readonly table: QualifiedName; readonly from: string } | undefined
  for (let dot = left.indexOf('.'); dot >= 0; dot = left.indexOf('.', dot + 1)) {
    const object = after.get(left.slice(0, dot)) ?? before.get(left.slice(0, dot))
    if (object !== undefined)
      found = { table: { database: object.database, name: object.name }, from: left.slice(dot + 1) }
  }
  const parts = left.split('.')
  if (found === undefined && parts.length === 3)
    found = { table: { database: parts[0]!, name: parts[1]! }, from: parts[2]! }
  if (sides.length !== 2 || found === undefined || found.from === '' || to === '')
    throw new ChkitError(
      'rename_invalid',
      `--rename-column mapping "${flag}" is invalid: it must read db.table.old=new.`,
      {
        hint: 'Example: --rename-column analytics.events.ts=occurred_at',
      },
    )
  return { ...found, to, flag }
}

// Both

/**
 * True when a `renamedFrom` whose old name is there speaks of what is to come. It was carried out before when both names
 * were there and still are. Throws `rename_conflict` where ignoring it would drop what it means to keep.
 */
function isAlive(kind: 'table' | 'column', from: string, to: string, wasThere: boolean, stays: boolean): boolean {
  if (wasThere === stays) return !wasThere
  if (stays)
    throw new ChkitError('rename_conflict', `Renamed ${kind} "${from}" is still declared beside "${to}".`, {
      hint: 'Rename in one migration and declare the old name anew in the next; or take renamedFrom away, if it is no rename.',
    })
  throw new ChkitError('rename_conflict', `Renamed ${kind} "${from}" cannot become "${to}", which exists already.`, {
    hint: `Drop "${to}" in a migration before; or take renamedFrom away, to drop "${from}".`,
  })
}

function items(values: readonly string[]): string[] {
  return values
    .flatMap((value) => value.split(','))
    .map((value) => value.trim())
    .filter((value) => value !== '')
}

/** Conflicts that no order of statements can solve. `scope` stands before a column's name in messages. */
function checkMappings(
  kind: 'table' | 'column',
  mappings: readonly { readonly scope: string; readonly from: string; readonly to: string }[],
): void {
  const targetOf = new Map<string, string>()
  const sourceOf = new Map<string, string>()
  for (const { scope, from, to } of mappings) {
    const source = scope + from
    const target = scope + to
    const otherTarget = targetOf.get(source)
    if (otherTarget !== undefined && otherTarget !== target)
      throw new ChkitError(
        'rename_conflict',
        `Conflicting ${kind} rename source mapping for "${source}": it is renamed to both "${otherTarget}" and "${target}".`,
        { hint: 'Keep one of the two.' },
      )
    const otherSource = sourceOf.get(target)
    if (otherSource !== undefined && otherSource !== source)
      throw new ChkitError(
        'rename_conflict',
        `Conflicting ${kind} rename target mapping for "${target}": both "${otherSource}" and "${source}" are renamed to it.`,
        { hint: 'Keep one of the two.' },
      )
    targetOf.set(source, target)
    sourceOf.set(target, source)
  }
  for (const [source, target] of targetOf)
    if (targetOf.has(target))
      throw new ChkitError(
        'rename_conflict',
        `Unsupported chained or cyclic ${kind} rename mapping involving "${source}" and "${target}".`,
        { hint: 'Rename in two migrations, through a name that neither has.' },
      )
}
