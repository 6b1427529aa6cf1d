import type { Expression } from '../sql/ast.js'
import { referencedFunctions, referencedTables, type TableReference } from '../sql/walk.js'
import { accessReferences } from './access-references.js'
import { readExpression, readQuery } from './clause.js'
import {
  type AccessKind,
  compareCodeUnits,
  type Definition,
  type Dictionary,
  isDatabaseObject,
  type MaterializedView,
  type Model,
  objectKey,
  objectName,
  type QualifiedName,
  type RawObject,
  type Table,
  type View,
} from './definition.js'
import { rawEffects } from './raw.js'

/** Names of a model's objects, for looking up what a query means. */
type Lookup = {
  /** By `database.name`. */
  readonly objects: ReadonlyMap<string, Definition>
  readonly databases: ReadonlyMap<string, Definition>
  readonly functions: ReadonlyMap<string, Definition>
  /** By key, and raw objects by their own key. */
  readonly keys: ReadonlyMap<string, Definition>
}

const LOOKUPS = new WeakMap<Model, Lookup>()

function lookupOf(model: Model): Lookup {
  let lookup = LOOKUPS.get(model)
  if (lookup === undefined) {
    const objects = new Map<string, Definition>()
    const databases = new Map<string, Definition>()
    const functions = new Map<string, Definition>()
    const keys = new Map<string, Definition>()
    for (const definition of model.definitions) {
      if (definition.kind === 'raw') addRaw(definition, { objects, databases, functions })
      keys.set(objectKey(definition), definition)
      if (isDatabaseObject(definition)) objects.set(objectName(definition), definition)
      else if (definition.kind === 'database') databases.set(definition.name, definition)
      else if (definition.kind === 'sql_function') functions.set(definition.name, definition)
      else keys.set(objectName(definition), definition)
    }
    lookup = { objects, databases, functions, keys }
    LOOKUPS.set(model, lookup)
  }
  return lookup
}

/** What a raw object makes, others may read: by the names in its text, and by its key, which may be `database.name`. */
function addRaw(raw: RawObject, to: Record<'objects' | 'databases' | 'functions', Map<string, Definition>>): void {
  const add = (names: Map<string, Definition>, name: string) => {
    if (!names.has(name)) names.set(name, raw)
  }
  add(to.objects, raw.key)
  for (const { kind, database, name } of rawEffects(raw).makes) {
    if (kind === 'function') add(to.functions, name)
    else if (kind === 'database') add(to.databases, name)
    else if (database !== undefined) add(to.objects, `${database}.${name}`)
  }
}

/**
 * Keys of the objects of `model` that must exist before `definition` can be created, in code-unit order: its database,
 * the tables its query reads, the source and target of a materialized view, the source table of a dictionary, tables
 * below Distributed, Buffer, Merge and Dictionary engines, functions and dictionaries in its expressions. Objects that
 * the model does not hold are left out.
 */
export function dependenciesOf(definition: Definition, model: Model): readonly string[] {
  const lookup = lookupOf(model)
  const found = new Set<string>()
  const add = (dependency: Definition | undefined) => {
    if (dependency !== undefined && dependency !== definition) found.add(objectKey(dependency))
  }
  const object = (database: string, name: string) => add(lookup.objects.get(`${database}.${name}`))
  if (isDatabaseObject(definition)) {
    add(lookup.databases.get(definition.database))
    for (const name of definition.functions ?? []) add(lookup.functions.get(name))
  }
  for (const reference of referencesOf(definition)) {
    if (reference.kind === 'function') add(lookup.functions.get(reference.name))
    else if (reference.kind === 'key') add(lookup.keys.get(reference.key))
    else if (reference.kind === 'match') {
      for (const [name, other] of lookup.objects)
        if (reference.matches(name) && other !== definition && other.kind !== 'materialized_view') add(other)
    } else object(reference.database, reference.name)
  }
  if (definition.kind === 'raw')
    for (const name of definition.dependsOn ?? [])
      add(lookup.keys.get(name) ?? lookup.objects.get(name) ?? lookup.databases.get(name))
  found.delete(objectKey(definition))
  return [...found].sort(compareCodeUnits)
}

type Reference =
  | { readonly kind: 'object'; readonly database: string; readonly name: string }
  | { readonly kind: 'function'; readonly name: string }
  | { readonly kind: 'key'; readonly key: string }
  /** All objects whose `database.name` matches. */
  | { readonly kind: 'match'; readonly matches: (name: string) => boolean }

/** Names of all that a definition speaks of, whether or not a model holds it. */
function referencesOf(definition: Definition): readonly Reference[] {
  switch (definition.kind) {
    case 'table':
      return tableReferences(definition)
    case 'view':
      return [...queryReferences(definition.query, definition.database), ...definerReferences(definition)]
    case 'materialized_view': {
      const own = queryReferences(definition.query, definition.database)
      const target = definition.to === undefined ? [] : [{ kind: 'object' as const, ...definition.to }]
      const follows = (definition.refresh?.dependsOn ?? []).map((name) => ({ kind: 'object' as const, ...name }))
      return [...own, ...target, ...follows, ...definerReferences(definition)]
    }
    case 'dictionary':
      return dictionaryReferences(definition)
    case 'sql_function':
      return expressionReferences(definition.expression, '')
    case 'database':
      return []
    case 'raw':
      return rawEffects(definition).reads.flatMap(({ database, name }) =>
        database === undefined ? [] : [{ kind: 'object', database, name }],
      )
    default:
      return accessReferences(definition).flatMap(({ kinds, name }) => kinds.map((kind) => keyed(kind, name)))
  }
}

/** Names of the functions that the texts of `definition` call, the server's own included. */
export function functionsCalledBy(definition: Definition): readonly string[] {
  return referencesOf(definition).flatMap((one) => (one.kind === 'function' ? [one.name] : []))
}

function keyed(kind: AccessKind, name: string): Reference {
  return { kind: 'key', key: `${kind}:${name}` }
}

/** The server makes no view whose definer it does not know (seen on 26.7). */
function definerReferences(view: View | MaterializedView): readonly Reference[] {
  return view.definer === undefined || view.definer === 'CURRENT_USER' ? [] : [keyed('user', view.definer)]
}

function queryReferences(query: string, database: string): readonly Reference[] {
  const parsed = readQuery(query)
  if (parsed.problem !== undefined) return []
  return [
    ...referencedTables(parsed.node).flatMap((reference) => toReference(reference, database)),
    ...referencedFunctions(parsed.node).map((name) => ({ kind: 'function' as const, name })),
  ]
}

function toReference(reference: TableReference, database: string): readonly Reference[] {
  if (reference.kind === 'tableFunction') return tableFunctionReferences(reference.name, reference.args, database)
  return [{ kind: 'object', database: reference.database ?? database, name: reference.table }]
}

/** Where a table function has the table that it reads: behind the name of a cluster, an address, or at its beginning. */
const TABLE_ARGUMENT: Readonly<Record<string, number>> = {
  cluster: 1,
  clusterAllReplicas: 1,
  remote: 1,
  remoteSecure: 1,
  loop: 0,
  mergeTreeIndex: 0,
  mergeTreeProjection: 0,
  mergeTreeAnalyzeIndexes: 0,
  timeSeriesData: 0,
  timeSeriesTags: 0,
  timeSeriesMetrics: 0,
  timeSeriesSelector: 0,
}

/** The tables that a table function of a query reads on this server; any other name may be a parameterised view's. */
function tableFunctionReferences(name: string, args: readonly Expression[], database: string): readonly Reference[] {
  if (name === 'merge') {
    const [first, pattern = first] = args
    return mergeReferences(first === pattern ? undefined : first, pattern, database)
  }
  const at = TABLE_ARGUMENT[name]
  if (at === undefined) return [{ kind: 'object', ...qualified(name, database) }]
  if (name.startsWith('remote') && !isLocal(nameOrText(args[0]))) return []
  const [first, second] = args.slice(at)
  // `db.t`, `'db', 't'`, or `db, t`.
  const pair = second?.kind === 'identifier' || second?.kind === 'literal' ? nameOrText(second) : undefined
  const table = nameOrText(first)
  if (table === undefined) return []
  if (pair === undefined || (first?.kind === 'identifier' && first.parts.length > 1))
    return [{ kind: 'object', ...qualified(table, database) }]
  return [{ kind: 'object', database: table, name: pair }]
}

/** True for addresses of this server. */
function isLocal(address: string | undefined): boolean {
  return /^(?:localhost|127\.0\.0\.\d+|\[?::1\]?)?(?::\d+)?$/.test(address ?? 'elsewhere')
}

/** Functions, and the dictionaries and tables that an expression reads through functions. */
function expressionReferences(text: string, database: string): readonly Reference[] {
  // Nothing can be referred to without brackets; the server prints them around the table of IN as well.
  if (!text.includes('(')) return []
  const memo = EXPRESSION_REFERENCES.get(text)
  if (memo?.database === database) return memo.references
  const references = readReferences(text, database)
  if (EXPRESSION_REFERENCES.size > 50_000) EXPRESSION_REFERENCES.clear()
  EXPRESSION_REFERENCES.set(text, { database, references })
  return references
}

/** The last answer for each text; expressions repeat from table to table. */
const EXPRESSION_REFERENCES = new Map<
  string,
  { readonly database: string; readonly references: readonly Reference[] }
>()

function readReferences(text: string, database: string): readonly Reference[] {
  const parsed = readExpression(text)
  if (parsed.problem !== undefined) return []
  return [
    ...referencedTables(parsed.node).flatMap((reference) => toReference(reference, database)),
    ...referencedFunctions(parsed.node).map((name) => ({ kind: 'function' as const, name })),
  ]
}

function tableReferences(table: Table): readonly Reference[] {
  const references: Reference[] = [...engineReferences(table), ...collectionReferences(table.engine.args[0])]
  const read = (text: string | undefined) => {
    if (text !== undefined) references.push(...expressionReferences(text, table.database))
  }
  for (const { table: target } of table.targets ?? [])
    if (target !== undefined) references.push({ kind: 'object', ...target })
  for (const column of table.columns) {
    read(column.default?.expression)
    read(column.ttl)
  }
  for (const list of [table.orderBy, table.primaryKey, table.partitionBy, table.ttl])
    for (const text of list ?? []) read(text)
  read(table.sampleBy)
  for (const index of table.indexes ?? []) read(index.expression)
  for (const constraint of table.constraints ?? []) read(constraint.expression)
  for (const projection of table.projections ?? [])
    if (projection.form === 'query') references.push(...queryReferences(projection.body, table.database))
  read(table.asTableFunction)
  const call = nodeOf(table.asTableFunction)
  if (call?.kind === 'function') references.push(...tableFunctionReferences(call.name, call.args ?? [], table.database))
  return references
}

/** Tables below a table: Distributed(cluster, db, t), Buffer(db, t), Merge(db, regexp), Dictionary(d), Alias(t). */
function engineReferences(table: Table): readonly Reference[] {
  const { name, args } = table.engine
  switch (name) {
    case 'Distributed': {
      const [database, target] = [textOf(args[1]), textOf(args[2])]
      return target === undefined ? [] : [{ kind: 'object', database: database || table.database, name: target }]
    }
    case 'Buffer': {
      const [database, target] = [textOf(args[0]), textOf(args[1])]
      return target === undefined ? [] : [{ kind: 'object', database: database || table.database, name: target }]
    }
    case 'Merge':
      return mergeReferences(nodeOf(args[0]), nodeOf(args[1]), table.database)
    case 'Alias': {
      const [first, second] = [textOf(args[0]), textOf(args[1])]
      if (first === undefined) return []
      return [
        {
          kind: 'object',
          ...(second === undefined ? qualified(first, table.database) : { database: first, name: second }),
        },
      ]
    }
    case 'Dictionary': {
      const target = textOf(args[0])
      if (target === undefined) return []
      const dot = target.indexOf('.')
      return [
        dot < 0
          ? { kind: 'object', database: table.database, name: target }
          : { kind: 'object', database: target.slice(0, dot), name: target.slice(dot + 1) },
      ]
    }
    default:
      return []
  }
}

/** All tables that `Merge(database, pattern)` and `merge([database,] pattern)` read; without a database, of `own`. */
function mergeReferences(
  database: Expression | undefined,
  tables: Expression | undefined,
  own: string,
): readonly Reference[] {
  const pattern = regexp(nameOrText(tables))
  if (pattern === undefined) return []
  const isCall = (name: string) => database?.kind === 'function' && database.name.toUpperCase() === name
  const isPattern = isCall('REGEXP')
  const databases = isPattern && database?.kind === 'function' ? regexp(nameOrText(database.args?.[0])) : undefined
  const named = database === undefined || isCall('CURRENTDATABASE') ? own : nameOrText(database)
  const isIn = (name: string) => (isPattern ? (databases?.test(name) ?? false) : name === named)
  const matches = (object: string) => {
    const dot = object.indexOf('.')
    return isIn(object.slice(0, dot)) && pattern.test(object.slice(dot + 1))
  }
  return [{ kind: 'match', matches }]
}

/** Kafka(c), S3(c, ..), MySQL(c): a bare name as the first parameter may be that of a named collection. */
function collectionReferences(arg: string | undefined): readonly Reference[] {
  if (arg === undefined || arg.startsWith("'")) return []
  const name = textOf(arg)
  return name === undefined ? [] : [keyed('named_collection', name)]
}

/** The name or string that an engine's parameter is. */
function textOf(arg: string | undefined): string | undefined {
  return nameOrText(nodeOf(arg))
}

function nodeOf(arg: string | undefined): Expression | undefined {
  if (arg === undefined) return undefined
  const parsed = readExpression(arg)
  return parsed.problem === undefined ? parsed.node : undefined
}

function nameOrText(node: Expression | undefined): string | undefined {
  if (node?.kind === 'literal' && node.type === 'string') return node.value
  if (node?.kind === 'identifier') return node.parts.map(String).join('.')
  return undefined
}

/** The server's regular expressions are RE2; what JavaScript cannot read matches nothing. */
function regexp(pattern: string | undefined): RegExp | undefined {
  if (pattern === undefined) return undefined
  try {
    return new RegExp(pattern)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** The table or query of a ClickHouse source on this server; expressions of attributes. */
function dictionaryReferences(dictionary: Dictionary): readonly Reference[] {
  const references: Reference[] = []
  const collection = /\bNAME (\w+|`(?:[^`\\]|\\.)*`|'(?:[^'\\]|\\.)*')/.exec(dictionary.source)?.[1]
  const name = textOf(collection)
  if (name !== undefined) references.push(keyed('named_collection', name))
  const source = dictionarySource(dictionary)
  if (source.table !== undefined) references.push({ kind: 'object', ...source.table })
  if (source.query !== undefined) references.push(...queryReferences(source.query, source.database))
  for (const attribute of dictionary.attributes)
    if (attribute.expression !== undefined)
      references.push(...expressionReferences(attribute.expression, dictionary.database))
  return references
}

/**
 * The table or the query that a dictionary reads on this server, with the database that its bare names belong to; both
 * are undefined for any other source.
 */
export function dictionarySource(dictionary: Dictionary): {
  readonly database: string
  readonly table?: QualifiedName
  readonly query?: string
} {
  const pairs = sourcePairs(dictionary.source)
  const database = pairs?.get('DB') ?? dictionary.database
  const table = pairs?.get('TABLE')
  const query = pairs?.get('QUERY')
  return {
    database,
    // Beside a DB the text is the table's own name, with all of its dots.
    ...(table !== undefined && { table: pairs?.has('DB') ? { database, name: table } : qualified(table, database) }),
    ...(query !== undefined && { query }),
  }
}

function qualified(table: string, database: string): QualifiedName {
  const dot = table.indexOf('.')
  return dot < 0 ? { database, name: table } : { database: table.slice(0, dot), name: table.slice(dot + 1) }
}

/** Text values of a local `CLICKHOUSE(KEY 'value' ..)` source by key; `undefined` for any other source. */
function sourcePairs(source: string): ReadonlyMap<string, string> | undefined {
  if (!source.startsWith('CLICKHOUSE(')) return undefined
  const pairs = new Map<string, string>()
  const found = source.matchAll(/([A-Z_]+) '((?:[^'\\]|\\.)*)'/g)
  for (const [, key, value] of found) pairs.set(key!, textOf(`'${value}'`) ?? '')
  const host = pairs.get('HOST')
  return host === undefined || isLocal(host) ? pairs : undefined
}

/** The keys of a model's objects in an order in which they can be created, and the circles that prevent one. */
export type CreationOrder = {
  /** Dependencies first; ties in code-unit order. Members of a circle stand in code-unit order among themselves. */
  readonly keys: readonly string[]
  /** Each circle once, from its first member in code-unit order. */
  readonly cycles: readonly (readonly string[])[]
}

/** Orders the objects of `model` by what they need. */
export function creationOrder(model: Model): CreationOrder {
  const needs = new Map<string, readonly string[]>()
  for (const definition of model.definitions) needs.set(objectKey(definition), dependenciesOf(definition, model))
  const state = new Map<string, 'open' | 'done'>()
  const keys: string[] = []
  const cycles: (readonly string[])[] = []
  for (const start of [...needs.keys()].sort(compareCodeUnits)) {
    // An own stack: a chain of views may be longer than the call stack allows.
    const path: { key: string; next: number }[] = []
    const open = (key: string) => {
      state.set(key, 'open')
      path.push({ key, next: 0 })
    }
    if (state.get(start) === undefined) open(start)
    while (path.length > 0) {
      const top = path[path.length - 1]!
      const next = needs.get(top.key)![top.next++]
      if (next === undefined) {
        state.set(top.key, 'done')
        keys.push(top.key)
        path.pop()
      } else if (state.get(next) === 'open') {
        cycles.push(path.slice(path.findIndex((step) => step.key === next)).map((step) => step.key))
      } else if (state.get(next) === undefined) open(next)
    }
  }
  return { keys, cycles: cycles.map(fromSmallest) }
}

function fromSmallest(cycle: readonly string[]): readonly string[] {
  const smallest = [...cycle].sort(compareCodeUnits)[0]!
  const at = cycle.indexOf(smallest)
  return [...cycle.slice(at), ...cycle.slice(0, at)]
}

/** The circles among a model's objects; a refreshable view may follow itself through others. */
export function dependencyCycles(model: Model): readonly (readonly string[])[] {
  const alone = model.definitions.filter(readsItself).map((definition) => [objectKey(definition)])
  return [...creationOrder(model).cycles, ...alone]
}

/** True for a view or a dictionary whose query names itself: it cannot be created. */
function readsItself(definition: Definition): boolean {
  if (definition.kind !== 'view' && definition.kind !== 'materialized_view' && definition.kind !== 'dictionary')
    return false
  const { database, name } = definition
  const reads =
    definition.kind === 'dictionary' ? dictionaryReferences(definition) : queryReferences(definition.query, database)
  return reads.some((one) => one.kind === 'object' && one.name === name && one.database === database)
}

/** Keys of the objects that need `key` directly, in code-unit order. */
export function dependentsOf(key: string, model: Model): readonly string[] {
  return model.definitions
    .filter((definition) => dependenciesOf(definition, model).includes(key))
    .map(objectKey)
    .sort(compareCodeUnits)
}
