/**
 * What a DDL statement makes of a schema, on syntax trees: the state that a user would declare after such an edit.
 * Nothing here knows what the server allows; that is what the planner is asked.
 */
import type { Rename } from '../../src/diff/diff.js'
import { sortedByKey } from '../../src/model/canonical.js'
import { type Definition, isDatabaseObject, type Model, objectKey } from '../../src/model/definition.js'
import type { Declaration } from '../../src/model/dsl.js'
import { calledFunctions, declaredFunctions, inlineCalls } from '../../src/model/inline.js'
import { definitionFromNode, definitionFromStatement } from '../../src/model/statement.js'
import { settingValue } from '../../src/model/storage.js'
import type { Identifier } from '../../src/sql/ast.js'
import type {
  AlterCommand,
  ColumnDeclaration,
  CreateTable,
  CreateView,
  ObjectName,
  Position,
  Statement,
  StorageDefinition,
  TableElements,
} from '../../src/sql/ast-ddl.js'
import { parseTypeText } from '../../src/sql/parse.js'
import { printExpression, printType } from '../../src/sql/print.js'
import { parseStatement } from '../../src/sql/statement.js'
import { mapNode } from '../../src/sql/walk.js'

/** A schema as the statements that make it, each by the key of its definition. */
export type Schema = ReadonlyMap<string, { readonly node: Statement; readonly definition: Definition }>

export type Edited = { readonly schema: Schema; readonly renames: readonly Rename[] }

/** Thrown where a statement speaks of something that no edit of a schema can name: no case for the planner. */
export class NotAnEdit extends Error {}

const DATABASE = 'am'

/** Reads what the server shows; what chkit has no word for is left out. */
export function schemaOf(statements: readonly string[]): Schema {
  const schema = new Map<string, { node: Statement; definition: Definition }>()
  for (const text of statements) {
    const { node, warnings } = parseStatement(text)
    const definition = definitionFromStatement(text, { currentDatabase: DATABASE })
    if (warnings.length === 0 && definition.kind !== 'raw') schema.set(objectKey(definition), { node, definition })
  }
  return schema
}

/** The model of a schema. Column lists of views are the server's doing, so `columns` says which were declared. */
export function modelOf(schema: Schema, withColumns: ReadonlySet<string> = new Set()): Model {
  const definitions = [...schema].map(([key, { definition }]) => {
    const isView = definition.kind === 'view' || definition.kind === 'materialized_view'
    if (!isView || withColumns.has(key)) return definition
    const { columns: _, ...rest } = definition
    return rest as Definition
  })
  return { definitions: sortedByKey(definitions) }
}

/** The schema after `text`. Throws `NotAnEdit`. */
export function applyStatement(before: Schema, text: string): Edited {
  const { node, warnings } = parseStatement(text)
  if (warnings.length > 0) throw new NotAnEdit('the parser does not follow it')
  const schema = new Map(before)
  const renames: Rename[] = []
  const put = (created: Statement) => {
    const functions = declaredFunctions(
      [...schema.values()].flatMap(({ definition }): Declaration[] =>
        definition.kind === 'sql_function'
          ? [{ kind: 'sql_function', name: definition.name, as: definition.expression }]
          : [],
      ),
    )
    const isFunction = created.kind === 'createFunction'
    const inlined =
      isFunction || calledFunctions(created, functions).length === 0 ? created : inlineCalls(created, functions)
    const definition = definitionFromNode(inlined, { database: DATABASE, declared: !hasWholeNested(created) })
    if (definition === undefined) throw new NotAnEdit('it makes no object that a schema declares')
    schema.set(objectKey(definition), { node: inlined, definition })
    return definition
  }
  const nameOf = (name: ObjectName) => {
    if (typeof name.name !== 'string') throw new NotAnEdit('its name is a parameter')
    return { database: typeof name.database === 'string' ? name.database : DATABASE, name: name.name }
  }
  const keyOf = (name: ObjectName): string => {
    const { database, name: bare } = nameOf(name)
    const found = ['table', 'view', 'materialized_view', 'dictionary']
      .map((kind) => `${kind}:${database}.${bare}`)
      .find((key) => schema.has(key))
    if (found === undefined) throw new NotAnEdit(`there is no ${database}.${bare}`)
    return found
  }

  switch (node.kind) {
    case 'alter': {
      if (node.object === 'DATABASE') {
        const key = `database:${String(node.name.name)}`
        const old = schema.get(key)
        if (old?.node.kind !== 'createDatabase') throw new NotAnEdit('there is no such database')
        let edited = old.node
        for (const command of node.commands) {
          if (command.kind !== 'modifyComment') throw new NotAnEdit(`${command.kind} of a database`)
          edited = { ...edited, comment: command.comment }
        }
        put(edited)
        break
      }
      const key = keyOf(node.name)
      const old = schema.get(key)!.node
      if (old.kind !== 'createTable' && old.kind !== 'createView' && old.kind !== 'createDictionary')
        throw new NotAnEdit('it has no columns')
      let edited: Statement = old
      for (const command of node.commands) {
        if (edited.kind === 'createDictionary') {
          if (command.kind !== 'modifyComment') throw new NotAnEdit(`${command.kind} of a dictionary`)
          edited = { ...edited, comment: command.comment }
        } else {
          edited = applyCommand(edited, command)
          if (command.kind === 'renameColumn')
            renames.push({
              kind: 'column',
              table: nameOf(node.name),
              from: columnName(command.from),
              to: columnName(command.to),
            })
        }
      }
      put(edited)
      break
    }
    case 'createIndex': {
      if (node.hypothetical || node.unique) throw new NotAnEdit('a hypothetical index lives in a session')
      put(applyCommand(tableAt(schema, keyOf(node.table)), { kind: 'addIndex', index: node.index }))
      break
    }
    case 'dropIndex': {
      const name: Identifier = { kind: 'identifier', parts: [node.name] }
      put(applyCommand(tableAt(schema, keyOf(node.table)), { kind: 'dropElement', element: 'INDEX', name }))
      break
    }
    case 'createTable':
    case 'createView':
    case 'createDictionary': {
      if ('populate' in node && node.populate) throw new NotAnEdit('POPULATE copies rows')
      const { database, name } = nameOf(node.name)
      const taken = ['table', 'view', 'materialized_view', 'dictionary']
        .map((kind) => `${kind}:${database}.${name}`)
        .filter((key) => schema.has(key))
      const replaces = ('orReplace' in node && node.orReplace) || node.action === 'REPLACE'
      if (taken.length > 0 && !replaces) throw new NotAnEdit('the name is taken')
      for (const key of taken) schema.delete(key)
      put(node)
      break
    }
    case 'createFunction':
      if (schema.has(`sql_function:${node.name}`) && !node.orReplace) throw new NotAnEdit('the name is taken')
      put(node)
      break
    case 'createDatabase':
      if (schema.has(`database:${String(node.name)}`)) throw new NotAnEdit('the name is taken')
      put(node)
      break
    case 'drop': {
      if (node.action !== 'DROP') throw new NotAnEdit(`${node.action} is no change of a schema`)
      for (const name of node.names) {
        if (node.object !== 'DATABASE') {
          schema.delete(keyOf(name))
          continue
        }
        if (!schema.delete(`database:${String(name.name)}`)) throw new NotAnEdit('there is no such database')
        for (const [key, { definition }] of schema)
          if (isDatabaseObject(definition) && definition.database === name.name) schema.delete(key)
      }
      break
    }
    case 'dropGlobal':
      if (node.object !== 'FUNCTION' || !schema.delete(`sql_function:${node.name}`))
        throw new NotAnEdit('there is no such function')
      break
    case 'rename': {
      if (node.object === 'DATABASE') throw new NotAnEdit('a database has no former name in the schema')
      const old = new Map(schema)
      for (const { from, to } of node.pairs) {
        const names = [nameOf(from), nameOf(to)] as const
        const keys = node.exchange ? [keyOf(from), keyOf(to)] : [keyOf(from)]
        const moved = keys.map((key) => schema.get(key)!.node as CreateTable)
        for (const key of keys) schema.delete(key)
        if (!node.exchange && [...schema.values()].some(({ definition }) => isNamed(definition, names[1])))
          throw new NotAnEdit('the name is taken')
        for (const [index, one] of moved.entries()) put({ ...one, name: names[index === 0 ? 1 : 0] })
        renames.push({ kind: 'object', from: names[0], to: names[1] })
        if (node.exchange) renames.push({ kind: 'object', from: names[1], to: names[0] })
      }
      if (old.size !== schema.size) throw new NotAnEdit('the names clash')
      break
    }
    default:
      throw new NotAnEdit(`${node.kind} is no change of a schema`)
  }
  return { schema, renames }
}

function isNamed(definition: Definition, name: { readonly database: string; readonly name: string }): boolean {
  return isDatabaseObject(definition) && definition.database === name.database && definition.name === name.name
}

function tableAt(schema: Schema, key: string): CreateTable | CreateView {
  const node = schema.get(key)!.node
  if (node.kind !== 'createTable' && node.kind !== 'createView') throw new NotAnEdit('it has no indexes')
  return node
}

function hasWholeNested(node: Statement): boolean {
  return node.kind === 'createTable' && (node.elements?.columns ?? []).some((column) => column.type?.name === 'Nested')
}

function columnName(name: Identifier): string {
  return name.parts.map(String).join('.')
}

type Node = CreateTable | CreateView

const NO_ELEMENTS: TableElements = { columns: [], indexes: [], constraints: [], projections: [] }

function applyCommand<T extends Node>(node: T, command: AlterCommand): T {
  const elements = node.elements ?? NO_ELEMENTS
  const withElements = (change: Partial<TableElements>): T => ({ ...node, elements: { ...elements, ...change } })
  const withStorage = (change: Partial<Record<keyof StorageDefinition, unknown>>): T => {
    if (node.kind === 'createView') throw new NotAnEdit('a view has no storage of its own')
    return { ...node, storage: { ...node.storage, ...change } as StorageDefinition }
  }
  const withColumn = (name: string, change: (column: ColumnDeclaration) => ColumnDeclaration): T => {
    if (!elements.columns.some((column) => column.name === name)) throw new NotAnEdit(`there is no column ${name}`)
    return withElements({
      columns: elements.columns.map((column) => (column.name === name ? change(column) : column)),
    })
  }
  const onlyTables = () => {
    if (node.kind === 'createView') throw new NotAnEdit('a view has no columns of its own')
  }
  switch (command.kind) {
    case 'addColumn': {
      onlyTables()
      if (elements.columns.some((column) => column.name === command.column.name)) {
        if (command.ifNotExists) return node
        throw new NotAnEdit('the column is there')
      }
      if (command.column.type === undefined) throw new NotAnEdit('a column has a type')
      return withElements({
        columns: placed(elements.columns, command.column, command.position, elements.columns.length),
      })
    }
    case 'dropColumn': {
      onlyTables()
      const name = columnName(command.column)
      const rest = elements.columns.filter((column) => column.name !== name && !column.name.startsWith(`${name}.`))
      if (rest.length === elements.columns.length) {
        if (command.ifExists) return node
        throw new NotAnEdit(`there is no column ${name}`)
      }
      return withElements({ columns: rest })
    }
    case 'renameColumn': {
      onlyTables()
      const [from, to] = [columnName(command.from), columnName(command.to)]
      if (elements.columns.some((column) => column.name === to)) throw new NotAnEdit('the column is there')
      const renamed = withColumn(from, (column) => ({ ...column, name: to }))
      return mapNode(renamed, (child) =>
        child.kind === 'identifier' && columnName(child as Identifier) === from
          ? { ...child, parts: (command.to as Identifier).parts }
          : child,
      ) as T
    }
    case 'commentColumn':
      return withColumn(columnName(command.column), (column) => ({ ...column, comment: command.comment }))
    case 'modifyColumn': {
      onlyTables()
      const { column: given, change, position } = command
      if (command.ifExists && !elements.columns.some((column) => column.name === given.name)) return node
      const edited = withColumn(given.name, (column) => modified(column, given, change))
      if (position === undefined) return edited
      const columns = edited.elements!.columns
      const at = columns.findIndex((column) => column.name === given.name)
      const rest = columns.filter((_, index) => index !== at)
      return { ...edited, elements: { ...edited.elements!, columns: placed(rest, columns[at]!, position, at) } }
    }
    case 'addIndex':
      onlyTables()
      return withElements({ indexes: added(elements.indexes, command.index, command) })
    case 'addProjection':
      onlyTables()
      return withElements({ projections: added(elements.projections, command.projection, command) })
    case 'addConstraint':
      onlyTables()
      return withElements({ constraints: added(elements.constraints, command.constraint, command) })
    case 'modifyConstraint': {
      const { constraint } = command
      if (!elements.constraints.some(({ name }) => name === constraint.name)) throw new NotAnEdit('no such constraint')
      return withElements({
        constraints: elements.constraints.map((one) => (one.name === constraint.name ? constraint : one)),
      })
    }
    case 'dropElement': {
      const list = ({ INDEX: 'indexes', PROJECTION: 'projections', CONSTRAINT: 'constraints' } as const)[
        command.element
      ]
      const name = columnName(command.name)
      const rest = (elements[list] as readonly { readonly name: string }[]).filter((one) => one.name !== name)
      if (rest.length === elements[list].length && !command.ifExists) throw new NotAnEdit(`there is no ${name}`)
      return withElements({ [list]: rest })
    }
    case 'statistics': {
      onlyTables()
      if (command.action === 'CLEAR' || command.action === 'MATERIALIZE' || command.columns === undefined)
        throw new NotAnEdit('statistics are only built or dropped')
      let edited = node
      for (const column of command.columns) edited = applyStatistics(edited, columnName(column), command)
      return edited
    }
    case 'modifyOrderBy': {
      const { storage } = node
      return withStorage({ orderBy: command.orderBy, primaryKey: storage?.primaryKey ?? storage?.orderBy })
    }
    case 'modifySampleBy':
      return withStorage({ sampleBy: command.sampleBy })
    case 'removeSampleBy':
      if (node.storage?.sampleBy === undefined) throw new NotAnEdit('there is no sampling key')
      return withStorage({ sampleBy: undefined })
    case 'modifyTtl':
      return withStorage({ ttl: command.ttl })
    case 'removeTtl':
      if (node.storage?.ttl === undefined) throw new NotAnEdit('there is no TTL')
      return withStorage({ ttl: undefined })
    case 'modifySetting': {
      let settings = node.storage?.settings ?? []
      for (const setting of command.settings) {
        if (settingValue(setting.value) === 'DEFAULT') settings = settings.filter(({ name }) => name !== setting.name)
        else if (settings.some(({ name }) => name === setting.name))
          settings = settings.map((one) => (one.name === setting.name ? setting : one))
        else settings = [...settings, setting]
      }
      return withStorage({ settings })
    }
    case 'resetSetting':
      return withStorage({
        settings: (node.storage?.settings ?? []).filter(({ name }) => !command.settings.includes(name)),
      })
    case 'modifyComment':
      return { ...node, comment: command.comment }
    case 'modifyQuery':
      if (node.kind !== 'createView') throw new NotAnEdit('a table has no query')
      return { ...node, query: command.query, elements: undefined }
    case 'modifyRefresh':
      if (node.kind !== 'createView') throw new NotAnEdit('a table has no schedule')
      return { ...node, refresh: command.refresh }
    case 'modifySqlSecurity':
      if (node.kind !== 'createView') throw new NotAnEdit('a table has no SQL SECURITY')
      return { ...node, sqlSecurity: { ...node.sqlSecurity, ...command.sqlSecurity } }
    default:
      throw new NotAnEdit(`${command.kind} is no change of a schema`)
  }
}

function applyStatistics<T extends Node>(
  node: T,
  name: string,
  command: Extract<AlterCommand, { kind: 'statistics' }>,
): T {
  const columns = (node.elements ?? NO_ELEMENTS).columns
  const column = columns.find((one) => one.name === name)
  if (column === undefined) throw new NotAnEdit(`there is no column ${name}`)
  const before = column.statistics ?? []
  const given = command.types ?? []
  if (
    command.action === 'ADD' &&
    given.some((type) => before.some((one) => one.name === type.name)) &&
    !command.ifNotExists
  )
    throw new NotAnEdit('the statistics are there')
  if (command.action === 'DROP' && before.length === 0 && !command.ifExists)
    throw new NotAnEdit('there are no statistics')
  const added = given.filter((type) => !before.some((one) => one.name === type.name))
  const statistics = command.action === 'DROP' ? undefined : command.action === 'MODIFY' ? given : [...before, ...added]
  return {
    ...node,
    elements: {
      ...node.elements!,
      columns: columns.map((one) => {
        if (one !== column) return one
        const { statistics: _, ...rest } = one
        return statistics === undefined ? rest : { ...rest, statistics }
      }),
    },
  }
}

function placed(
  columns: readonly ColumnDeclaration[],
  column: ColumnDeclaration,
  position: Position | undefined,
  fallback: number,
): readonly ColumnDeclaration[] {
  let at = fallback
  if (position?.kind === 'first') at = 0
  else if (position?.kind === 'after') {
    const after = columnName(position.after)
    at = columns.findIndex((one) => one.name === after) + 1
    if (at === 0) throw new NotAnEdit(`there is no column ${after}`)
  }
  return [...columns.slice(0, at), column, ...columns.slice(at)]
}

function added<Item extends { readonly name: string }>(
  list: readonly Item[],
  item: Item,
  command: { readonly ifNotExists?: true; readonly position?: Position },
): readonly Item[] {
  if (list.some(({ name }) => name === item.name)) {
    if (command.ifNotExists) return list
    throw new NotAnEdit(`${item.name} is there`)
  }
  let at = list.length
  if (command.position?.kind === 'first') at = 0
  else if (command.position?.kind === 'after') {
    const after = columnName(command.position.after)
    at = list.findIndex(({ name }) => name === after) + 1
    if (at === 0) throw new NotAnEdit(`there is no ${after}`)
  }
  return [...list.slice(0, at), item, ...list.slice(at)]
}

type ColumnChange = Extract<AlterCommand, { kind: 'modifyColumn' }>['change']

function modified(column: ColumnDeclaration, given: ColumnDeclaration, change: ColumnChange): ColumnDeclaration {
  const merged: ColumnDeclaration = {
    ...column,
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  }
  switch (change?.kind) {
    case undefined:
      return merged
    case 'remove': {
      const { property } = change
      const kinds = ['DEFAULT', 'MATERIALIZED', 'ALIAS']
      const field = kinds.includes(property) ? 'default' : (property.toLowerCase() as keyof ColumnDeclaration)
      if (column[field] === undefined || (field === 'default' && column.default?.kind !== property))
        throw new NotAnEdit(`the column has no ${property}`)
      return { ...merged, [field]: undefined }
    }
    case 'modifySetting': {
      const names = change.settings.map(({ name }) => name)
      const kept = (column.settings ?? []).filter(({ name }) => !names.includes(name))
      return { ...merged, settings: [...kept, ...change.settings] }
    }
    case 'resetSetting':
      return { ...merged, settings: (column.settings ?? []).filter(({ name }) => !change.settings.includes(name)) }
    case 'addEnumValues': {
      const { type } = column
      if (type?.args === undefined || !type.name.startsWith('Enum')) throw new NotAnEdit('the column is no Enum')
      const known = new Set(type.args.map((arg) => printType({ ...type, args: [arg] })))
      const values = change.values.map((value) => `${type.name}(${printExpression(value)})`)
      const fresh = values.filter((value) => !known.has(value)).map((value) => value.slice(type.name.length + 1, -1))
      const parsed = parseTypeText(`${[printType(type).slice(0, -1), ...fresh].join(', ')})`).node
      return { ...merged, ...(parsed.kind === 'type' && { type: parsed }) }
    }
  }
}
