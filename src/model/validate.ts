import type { Expression, Identifier } from '../sql/ast.js'
import { referencedColumns, referencedTables } from '../sql/walk.js'
import { readExpression, readKey, readProjection, readTtl } from './clause.js'
import {
  type Column,
  type Definition,
  type Dictionary,
  isDatabaseObject,
  type MaterializedView,
  type Model,
  objectName,
  type Table,
  type View,
} from './definition.js'
import { dependencyCycles } from './dependencies.js'
import { isCaseInsensitiveFunction } from './functions.js'
import type { Issue, IssueCode } from './issue.js'
import { holdsPlainSecret } from './plain-secret.js'
import { missingInQuery, missingInTarget } from './query-columns.js'
import { isMergeTree } from './storage.js'

type Report = (code: IssueCode, message: string, hint?: string) => void

/**
 * Everything that is wrong with a model as a whole, in the order of its definitions: what the server would refuse, and
 * what it would accept and break on later. Names are never refused for needing quotes.
 */
export function validateModel(model: Model): readonly Issue[] {
  const issues: Issue[] = []
  const byName = new Map<string, Definition>()
  for (const definition of model.definitions)
    if (isDatabaseObject(definition)) byName.set(objectName(definition), definition)
  for (const definition of model.definitions) validateDefinition(definition, byName, reporter(definition, issues))
  for (const cycle of dependencyCycles(model)) {
    const first = model.definitions.find((definition) => `${definition.kind}:${objectName(definition)}` === cycle[0])
    if (first === undefined) continue
    const path = [...cycle, cycle[0]].join(' -> ')
    reporter(first, issues)(
      'dependency_cycle',
      `depends on itself: ${path}`,
      'Let one of them read from something else',
    )
  }
  issues.push(...renameIssues(model))
  return issues
}

function reporter(definition: Definition, issues: Issue[]): Report {
  const { kind, origin } = definition
  return (code, message, hint) => {
    issues.push({
      code,
      message: `${kind} ${objectName(definition)}: ${message}`,
      kind,
      ...(isDatabaseObject(definition) && { database: definition.database }),
      name: isDatabaseObject(definition) ? definition.name : objectName(definition),
      ...(origin?.file !== undefined && { file: origin.file }),
      ...(origin?.line !== undefined && { line: origin.line }),
      ...(hint !== undefined && { hint }),
    })
  }
}

function validateDefinition(definition: Definition, byName: ReadonlyMap<string, Definition>, report: Report): void {
  if (holdsPlainSecret(definition))
    report(
      'plain_secret',
      'holds a password or key, which would be written into migrations and snapshots',
      "Name an environment variable instead: 'env:NAME', or {env:NAME} for a part of a text",
    )
  switch (definition.kind) {
    case 'table':
      validateTable(definition, report)
      break
    case 'view':
      validateReads(definition, byName, report)
      break
    case 'materialized_view':
      validateMaterializedView(definition, byName, report)
      break
    case 'dictionary':
      validateDictionary(definition, report)
      break
    default:
  }
}

/** Two objects, or two columns of one table, cannot both have been the same one before. */
function renameIssues(model: Model): readonly Issue[] {
  const issues: Issue[] = []
  const sources = new Map<string, Definition>()
  for (const definition of model.definitions) {
    if (!isDatabaseObject(definition) || definition.renamedFrom === undefined) continue
    const source = `${definition.renamedFrom.database}.${definition.renamedFrom.name}`
    const other = sources.get(source)
    if (other === undefined) sources.set(source, definition)
    else
      reporter(definition, issues)(
        'duplicate_rename_source',
        conflictingSource('table', source, objectName(other), objectName(definition)),
      )
  }
  return issues
}

/** The sentence of the same mistake among `--rename-table` and `--rename-column`. */
function conflictingSource(kind: 'table' | 'column', source: string, one: string, other: string): string {
  return `Conflicting ${kind} rename source mapping for "${source}": it is renamed to both "${one}" and "${other}"`
}

function validateTable(table: Table, report: Report): void {
  const { columns } = table
  if (columns.length === 0 && table.asTableFunction === undefined && isMergeTree(table.engine.name))
    report('empty_columns', 'has no columns')
  const names = columnNames(columns)
  if (names.columns.size < columns.length) duplicates(columns, 'column', 'duplicate_column_name', report)
  duplicates(table.indexes ?? [], 'index', 'duplicate_index_name', report)
  duplicates(table.projections ?? [], 'projection', 'duplicate_projection_name', report)
  duplicates(table.constraints ?? [], 'constraint', 'duplicate_constraint_name', report)
  const former = new Map<string, string>()
  for (const { name, renamedFrom } of columns) {
    if (renamedFrom === undefined) continue
    const other = former.get(renamedFrom)
    if (other === undefined) former.set(renamedFrom, name)
    else report('duplicate_rename_source', conflictingSource('column', renamedFrom, other, name))
  }
  if (columns.length === 0) return
  validateStorage(table, names, report)
  validateColumns(columns, names, report)
  for (const index of table.indexes ?? [])
    for (const column of missing(read(index.expression), names))
      report('index_missing_column', `index ${index.name} reads column ${column}, which does not exist`)
  for (const constraint of table.constraints ?? [])
    for (const column of missing(read(constraint.expression), names))
      report('constraint_missing_column', `constraint ${constraint.name} reads column ${column}, which does not exist`)
  for (const projection of table.projections ?? [])
    for (const column of missing(projectionExpressions(projection.form, projection.body), names))
      report('projection_missing_column', `projection ${projection.name} reads column ${column}, which does not exist`)
}

function duplicates(items: readonly { readonly name: string }[], what: string, code: IssueCode, report: Report): void {
  if (items.length < 2) return
  const seen = new Set<string>()
  for (const { name } of items) {
    if (seen.has(name)) report(code, `${what} ${name} is there more than once`)
    seen.add(name)
  }
}

/** What names of columns mean in an expression: columns, and first parts of names with dots. */
type Names = { readonly columns: ReadonlyMap<string, Column>; readonly nested: ReadonlySet<string> }

function columnNames(columns: readonly Column[]): Names {
  const byName = new Map<string, Column>()
  const nested = new Set<string>()
  for (const column of columns) {
    byName.set(column.name, column)
    const dot = column.name.indexOf('.')
    if (dot > 0) nested.add(column.name.slice(0, dot))
  }
  return { columns: byName, nested }
}

/** The tree of a canonical text; `undefined` for one that the parser did not follow, which nothing can be said about. */
function read(text: string): Expression | undefined {
  const parsed = readExpression(text)
  return parsed.problem === undefined ? parsed.node : undefined
}

/** Names that `expression` reads and that are no columns, their sub-columns or virtual columns. */
function missing(expression: Expression | readonly Expression[] | undefined, names: Names): readonly string[] {
  if (expression === undefined) return []
  // The bare name of a column: nearly every key.
  if (!Array.isArray(expression)) {
    const node = expression as Expression
    if (node.kind === 'literal') return []
    if (node.kind === 'identifier' && node.parts.length === 1 && names.columns.has(String(node.parts[0]))) return []
  }
  const found: string[] = []
  for (const { parts } of columnsOf(expression)) {
    const texts = parts.map((part) => (typeof part === 'string' ? part : '')).filter((part) => part !== '')
    if (texts.length < parts.length && texts.length === 0) continue
    if (!isKnown(texts, names)) found.push(texts.join('.'))
  }
  if (found.length === 0) return found
  // `id IN (db.t)` is how the server stores a table behind IN; without a table it would be a column of a tuple.
  const tables = new Set([expression].flat().flatMap(tablesOf))
  return found.filter((name) => !tables.has(name))
}

function tablesOf(expression: Expression): readonly string[] {
  return referencedTables(expression).flatMap((reference) =>
    reference.kind === 'table' && reference.database !== undefined ? [`${reference.database}.${reference.table}`] : [],
  )
}

const COLUMNS_OF = new WeakMap<object, readonly Identifier[]>()

/** The names that an expression reads; texts that repeat share their tree, and so their answer. */
function columnsOf(expression: Expression | readonly Expression[]): readonly Identifier[] {
  let columns = COLUMNS_OF.get(expression)
  if (columns === undefined) {
    columns = referencedColumns(expression)
    COLUMNS_OF.set(expression, columns)
  }
  return columns
}

function isKnown(parts: readonly string[], names: Names): boolean {
  const [first = ''] = parts
  if (names.columns.has(first) || (parts.length === 1 && names.nested.has(first))) return true
  // Virtual columns: _part, _partition_id, _block_number and others that come with each release.
  if (first.startsWith('_')) return true
  for (let end = 2; end <= parts.length; end++) if (names.columns.has(parts.slice(0, end).join('.'))) return true
  return false
}

function keyColumns(entry: string): { readonly expression: Expression | undefined; readonly bare: string | undefined } {
  const parsed = readKey(entry)
  const node = parsed.problem === undefined ? parsed.node : undefined
  const expression = node?.kind === 'orderByElement' ? node.expression : node
  const bare = expression?.kind === 'identifier' ? expression.parts.map(String).join('.') : undefined
  return { expression, bare }
}

/** The entries of a key, checked for missing, unstored and unsuitable columns. */
function validateKey(
  entries: readonly string[] | undefined,
  what: string,
  code: IssueCode,
  names: Names,
  table: Table,
  report: Report,
): void {
  for (const entry of entries ?? []) {
    const { expression, bare } = keyColumns(entry)
    for (const column of missing(expression, names))
      report(code, `the ${what} names column ${column}, which does not exist`)
    const column = bare === undefined ? undefined : names.columns.get(bare)
    if (column === undefined) continue
    const kind = column.default?.kind
    if (kind === 'ALIAS' || kind === 'EPHEMERAL')
      report('key_column_not_stored', `the ${what} names column ${column.name}, which is ${kind} and not stored`)
    const unsuitable = unsuitableInKey(column.type, table)
    if (unsuitable === 'nullable')
      report(
        'key_column_nullable',
        `the ${what} names column ${column.name} of type ${column.type}, which may be NULL`,
        'Take Nullable off, wrap it (assumeNotNull, ifNull), or set allow_nullable_key to 1',
      )
    else if (unsuitable === 'type')
      report('key_column_type', `the ${what} names column ${column.name} of type ${column.type}, which no key can hold`)
  }
}

const NEVER_IN_KEY = /\b(?:AggregateFunction|SimpleAggregateFunction)\(/
const SUSPICIOUS_IN_KEY = /\b(?:JSON|Dynamic|Variant)\b/

/** Why no key can hold the type, if none can (seen on 26.7). */
function unsuitableInKey(columnType: string, table: Table): 'nullable' | 'type' | undefined {
  // Most types are a bare word; enum values and time zones are no types.
  if (!columnType.includes('(') && !SUSPICIOUS_IN_KEY.test(columnType)) return undefined
  const type = columnType.replace(/'(?:[^'\\]|\\.)*'/g, "''")
  if (NEVER_IN_KEY.test(type)) return 'type'
  // That setting belongs to the query, so only the written list of settings has it.
  const allowed = table.spelling?.settings?.includes('allow_suspicious_types_in_order_by') ?? false
  if (!allowed && SUSPICIOUS_IN_KEY.test(type)) return 'type'
  return type.includes('Nullable(') && table.settings?.allow_nullable_key !== '1' ? 'nullable' : undefined
}

function validateStorage(storage: Table, names: Names, report: Report): void {
  const key = (entries: readonly string[] | undefined, what: string, code: IssueCode) =>
    validateKey(entries, what, code, names, storage, report)
  key(storage.orderBy, 'sorting key', 'order_by_missing_column')
  key(storage.primaryKey, 'primary key', 'primary_key_missing_column')
  key(storage.partitionBy, 'partition key', 'partition_by_missing_column')
  key(storage.uniqueKey, 'unique key', 'unique_key_missing_column')
  const { orderBy, primaryKey, sampleBy } = storage
  if (orderBy !== undefined && primaryKey !== undefined) {
    const prefix = primaryKey.every((entry, index) => entry === orderBy[index]?.replace(/ DESC$/, ''))
    if (!prefix)
      report(
        'primary_key_not_prefix',
        `the primary key (${primaryKey.join(', ')}) is no prefix of the sorting key (${orderBy.join(', ')})`,
        'Begin orderBy with the columns of primaryKey, in the same order',
      )
  }
  if (sampleBy !== undefined) {
    const gone = missing(read(sampleBy), names)
    for (const column of gone)
      report('sample_by_missing_column', `the sampling key names column ${column}, which does not exist`)
    const bare = sampleBy.startsWith('(') && sampleBy.endsWith(')') ? sampleBy.slice(1, -1) : sampleBy
    if (
      gone.length === 0 &&
      orderBy !== undefined &&
      !(primaryKey ?? orderBy).some((entry) => entry === sampleBy || entry === bare)
    )
      report('sample_by_not_in_primary_key', `the sampling key ${sampleBy} is no entry of the primary key`)
  }
  for (const rule of storage.ttl ?? [])
    for (const column of ttlExpressions(rule).flatMap((expression) => missing(expression, names)))
      report('ttl_missing_column', `the TTL "${rule}" reads column ${column}, which does not exist`)
  // SummingMergeTree takes the name of a Nested, which stands for its columns.
  for (const column of engineColumns(storage))
    if (!names.columns.has(column) && !names.nested.has(column))
      report('engine_missing_column', `the engine ${storage.engine.name} names column ${column}, which does not exist`)
}

function ttlExpressions(rule: string): readonly Expression[] {
  const parsed = readTtl(rule)
  return (parsed.problem === undefined ? parsed.node : []).flatMap(({ expression, action }) => {
    if (action.kind === 'delete') return action.where === undefined ? [expression] : [expression, action.where]
    if (action.kind !== 'groupBy') return [expression]
    return [expression, ...action.by, ...action.set.flatMap((assignment) => [assignment.column, assignment.expression])]
  })
}

function projectionExpressions(form: 'query' | 'index', body: string): readonly Expression[] | undefined {
  const parsed = readProjection(form === 'query' ? `p (${body})` : `p ${body}`)
  if (parsed.problem !== undefined) return undefined
  const { query, index } = parsed.node
  if (index !== undefined) return [index.expression]
  if (query === undefined) return undefined
  return [
    ...(query.with ?? []),
    ...query.columns,
    ...(query.where === undefined ? [] : [query.where]),
    ...(query.groupBy ?? []),
    ...(query.orderBy === undefined ? [] : [query.orderBy]),
  ]
}

/** Columns that the parameters of an engine of the MergeTree family name: version, sign, columns to sum. */
function engineColumns(table: Table): readonly string[] {
  const { name, args } = table.engine
  if (!isMergeTree(name) || name.endsWith('GraphiteMergeTree')) return []
  return args.flatMap((arg) => {
    const node = read(arg)
    if (node === undefined || node.kind === 'literal') return []
    return columnsOf(node).map(({ parts }) => parts.map(String).join('.'))
  })
}

function validateColumns(columns: readonly Column[], names: Names, report: Report): void {
  const reads = new Map<string, readonly string[]>()
  for (const column of columns) {
    const expression = column.default?.expression
    if (expression !== undefined) {
      const node = read(expression)
      if (node !== undefined && node.kind !== 'literal') {
        for (const name of missing(node, names))
          if (!isCaseInsensitiveFunction(name))
            report(
              'default_missing_column',
              `the ${column.default!.kind} of column ${column.name} reads column ${name}, which does not exist`,
            )
        reads.set(column.name, columnsRead(node, names))
      }
    }
    if (column.ttl !== undefined)
      for (const name of missing(read(column.ttl), names))
        report(
          'column_ttl_missing_column',
          `the TTL of column ${column.name} reads column ${name}, which does not exist`,
        )
  }
  for (const cycle of cyclesOf(reads))
    report('default_cycle', `the defaults of columns ${cycle.join(', ')} read each other in a circle`)
}

function columnsRead(node: Expression, names: Names): readonly string[] {
  return columnsOf(node).flatMap(({ parts }) => {
    const texts = parts.map((part) => (typeof part === 'string' ? part : ''))
    for (let end = texts.length; end > 0; end--) {
      const name = texts.slice(0, end).join('.')
      if (names.columns.has(name)) return [name]
    }
    return []
  })
}

/** Every circle in a small graph, once, from its first member in order. */
function cyclesOf(edges: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] {
  const cycles: string[][] = []
  const done = new Set<string>()
  const visit = (name: string, path: readonly string[]) => {
    const at = path.indexOf(name)
    if (at >= 0) {
      cycles.push(path.slice(at))
      return
    }
    if (done.has(name)) return
    for (const next of edges.get(name) ?? []) visit(next, [...path, name])
    done.add(name)
  }
  for (const name of edges.keys()) visit(name, [])
  return cycles
}

function validateReads(view: View | MaterializedView, byName: ReadonlyMap<string, Definition>, report: Report): void {
  for (const { source, column } of missingInQuery(view.query, byName))
    report('source_missing_column', `reads column ${column} of ${source}, which does not have it`)
}

function validateMaterializedView(
  view: MaterializedView,
  byName: ReadonlyMap<string, Definition>,
  report: Report,
): void {
  validateReads(view, byName, report)
  if (view.to === undefined) return
  const target = byName.get(`${view.to.database}.${view.to.name}`)
  if (target?.kind !== 'table') return
  for (const column of missingInTarget(view, target))
    report(
      'materialized_view_target_missing_column',
      `writes column ${column}, which its target ${objectName(target)} does not have`,
      `Add the column to ${objectName(target)}, or leave it out of the query`,
    )
}

function validateDictionary(dictionary: Dictionary, report: Report): void {
  const attributes = new Map(dictionary.attributes.map((attribute) => [attribute.name, attribute]))
  duplicates(dictionary.attributes, 'attribute', 'duplicate_column_name', report)
  for (const entry of dictionary.primaryKey) {
    const { bare } = keyColumns(entry)
    if (bare !== undefined && !attributes.has(bare))
      report('dictionary_key_missing_column', `the primary key names attribute ${bare}, which does not exist`)
  }
  const { range } = dictionary
  for (const end of range === undefined ? [] : [range.min, range.max])
    if (!attributes.has(end))
      report('dictionary_range_missing_column', `the range names attribute ${end}, which does not exist`)
  if (dictionary.lifetime === undefined && !/DIRECT\(/.test(dictionary.layout))
    report(
      'dictionary_lifetime_missing',
      'has no lifetime',
      'Give lifetime in seconds; only the layout DIRECT needs none',
    )
}
