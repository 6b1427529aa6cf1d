import type { Expression, FunctionCall, Setting, TypeNode } from '../sql/ast.js'
import type {
  ColumnDeclaration,
  ConstraintDeclaration,
  CreateDictionary,
  CreateTable,
  CreateView,
  DictionaryAttribute,
  IndexDeclaration,
  InnerTarget,
  ObjectName,
  ProjectionDeclaration,
  Statement,
  StorageDefinition,
  TableElements,
  TtlRule,
} from '../sql/ast-ddl.js'
import { quoteIdentifierIfNeeded } from '../sql/quote.js'
import type { ParseWarning } from '../sql/warning.js'
import {
  literalNode,
  type Parsed,
  readCall,
  readCalls,
  readDictionary,
  readEngine,
  readExpression,
  readIndexed,
  readKey,
  readLambda,
  readName,
  readProjection,
  readQuery,
  readRefresh,
  readSettingValue,
  readTtl,
  readType,
} from './clause.js'
import type {
  ColumnInput,
  ColumnOptions,
  ColumnsInput,
  ConstraintInput,
  DatabaseDeclaration,
  DictionaryAttributesInput,
  DictionaryDeclaration,
  IndexInput,
  KeyInput,
  MaterializedViewDeclaration,
  NameInput,
  ProjectionInput,
  RefreshInput,
  SettingsInput,
  SettingValue,
  SqlFunctionDeclaration,
  StorageInput,
  TableDeclaration,
  TimeSeriesTargetsInput,
  ViewDeclaration,
} from './dsl.js'
import type { IssueCode } from './issue.js'
import { nullable } from './table.js'

/** Where the reader of one declaration puts what it finds. */
export type Findings = {
  issue(code: IssueCode, message: string, hint?: string): void
  /** A text that stays as it is, since the parser did not follow it. */
  unparsed(clause: string, problem: ParseWarning): void
}

/** The tree of a table as CREATE TABLE would be parsed. Every text that cannot be followed is kept and reported. */
export function tableNode(table: TableDeclaration, name: ObjectName, findings: Findings): CreateTable {
  const { asTableFunction } = table
  return {
    kind: 'createTable',
    action: 'CREATE',
    name,
    elements: elementsNode(columnNodes(table.columns, findings), table, findings),
    ...(asTableFunction === undefined
      ? { storage: storageNode(table as StorageInput, table.columns, findings) }
      : { asFunction: callOf(expression(asTableFunction, 'asTableFunction', findings)) }),
    targets: table.targets && targetNodes(table.targets, findings),
    comment: table.comment,
    cluster: table.cluster,
  }
}

const ROLES = { samples: 'SAMPLES', tags: 'TAGS', metrics: 'METRICS' } as const

/** SAMPLES, TAGS and METRICS of a TimeSeries table, in the order of the fields. */
function targetNodes(targets: TimeSeriesTargetsInput, findings: Findings): readonly InnerTarget[] {
  return (Object.keys(targets) as (keyof TimeSeriesTargetsInput)[]).flatMap((field): readonly InnerTarget[] => {
    const target = targets[field]
    if (target === undefined) return []
    const role = ROLES[field]
    const clause = `targets.${field}`
    if (typeof target === 'string' || target.name !== undefined)
      return [{ role, table: nameNode(target as NameInput, clause, findings) }]
    const { columns, engine } = target
    return [
      {
        role,
        innerColumns: columns && columnNodes(columns, findings),
        innerEngine: engine === undefined ? undefined : storageNode({ ...target, engine }, columns, findings),
      },
    ]
  })
}

/** What stands in the brackets of a CREATE. */
function elementsNode(
  columns: readonly ColumnDeclaration[],
  { indexes, projections, constraints }: Pick<TableDeclaration, 'indexes' | 'projections' | 'constraints'>,
  findings: Findings,
): TableElements {
  return {
    columns,
    indexes: (indexes ?? []).map((index) => indexNode(index, findings)),
    projections: (projections ?? []).flatMap((projection) => projectionNode(projection, findings)),
    constraints: (constraints ?? []).flatMap((constraint) => constraintNode(constraint, findings)),
  }
}

function callOf(node: Expression): FunctionCall {
  return node.kind === 'function' ? node : { kind: 'function', name: node.kind === 'unparsed' ? node.text : '' }
}

/** The tree of a view as CREATE VIEW would be parsed. */
export function viewNode(view: ViewDeclaration, name: ObjectName, findings: Findings): CreateView {
  const { columnAliases } = view
  return { ...viewHead(view, name, findings), view: 'VIEW', ...(columnAliases && { columnAliases }) }
}

/** The tree of a materialized view as CREATE MATERIALIZED VIEW would be parsed. */
export function materializedViewNode(
  view: MaterializedViewDeclaration,
  name: ObjectName,
  findings: Findings,
): CreateView {
  const to = view.to === undefined ? undefined : nameNode(view.to, 'to', findings)
  return {
    ...viewHead(view, name, findings),
    view: 'MATERIALIZED VIEW',
    to,
    storage: to === undefined ? storageNode(view as StorageInput, view.columns, findings) : undefined,
    refresh: view.refresh === undefined ? undefined : refreshNode(view.refresh, findings),
  }
}

function viewHead(
  view: ViewDeclaration | MaterializedViewDeclaration,
  name: ObjectName,
  findings: Findings,
): Omit<CreateView, 'view'> {
  const columns = view.columns === undefined ? undefined : columnNodes(view.columns, findings)
  const security = view.sqlSecurity?.toUpperCase() as 'DEFINER' | 'INVOKER' | 'NONE' | undefined
  const isCurrent = view.definer?.toUpperCase() === 'CURRENT_USER'
  return {
    kind: 'createView',
    action: 'CREATE',
    name,
    query: parsed(readQuery(view.as), 'as', findings) ?? { kind: 'unparsed', text: view.as.trim() },
    elements: columns && elementsNode(columns, 'to' in view || 'engine' in view ? view : {}, findings),
    comment: view.comment,
    cluster: view.cluster,
    sqlSecurity:
      security === undefined && view.definer === undefined
        ? undefined
        : {
            security: security ?? 'DEFINER',
            definer:
              view.definer === undefined
                ? undefined
                : isCurrent
                  ? { kind: 'currentUser' }
                  : { kind: 'user', name: view.definer },
          },
  }
}

function refreshNode(refresh: RefreshInput, findings: Findings): CreateView['refresh'] {
  const schedule =
    refresh.every !== undefined ? `EVERY ${refresh.every}` : refresh.after !== undefined ? `AFTER ${refresh.after}` : ''
  const clauses = [schedule]
  if (refresh.offset !== undefined) clauses.push(`OFFSET ${refresh.offset}`)
  if (refresh.randomize !== undefined) clauses.push(`RANDOMIZE FOR ${refresh.randomize}`)
  const list =
    refresh.dependsOn === undefined ? [] : Array.isArray(refresh.dependsOn) ? refresh.dependsOn : [refresh.dependsOn]
  const dependsOn = (list as readonly NameInput[]).flatMap(
    (name) => nameNode(name, 'refresh.dependsOn', findings) ?? [],
  )
  // A schedule may be missing where the view only follows others; the grammar then wants them in the text.
  if (schedule === '' && dependsOn.length > 0) clauses.push('DEPENDS ON x')
  const node = parsed(readRefresh(clauses.join(' ')), 'refresh', findings)
  if (node === undefined) {
    findings.issue(
      'invalid_sql',
      `The refresh clause "${clauses.join(' ')}" is no schedule`,
      "Write every: '1 HOUR' or after: '30 MINUTE'",
    )
    return undefined
  }
  return {
    ...node,
    dependsOn: dependsOn.length > 0 ? dependsOn : undefined,
    settings: settingNodes(refresh.settings, findings),
    append: refresh.append ? true : undefined,
  }
}

/** The tree of a dictionary as CREATE DICTIONARY would be parsed. */
export function dictionaryNode(
  dictionary: DictionaryDeclaration,
  name: ObjectName,
  findings: Findings,
): CreateDictionary {
  const clauses = dictionaryClauses(dictionary, findings)
  const attributes = attributeNodes(dictionary.attributes ?? dictionary.columns ?? [], findings)
  return {
    kind: 'createDictionary',
    action: 'CREATE',
    name,
    attributes,
    primaryKey: keyList(dictionary.primaryKey, 'primaryKey', attributes, findings),
    ...clauses,
    range: dictionary.range,
    settings: settingNodes(dictionary.settings, findings),
    comment: dictionary.comment,
    cluster: dictionary.cluster,
  }
}

/** SOURCE, LAYOUT and LIFETIME are read with the server's grammar, in a dictionary made for that. */
function dictionaryClauses(
  dictionary: DictionaryDeclaration,
  findings: Findings,
): Pick<CreateDictionary, 'source' | 'layout' | 'lifetime'> {
  const read = (clause: string, field: string) => parsed(readDictionary(`d (x UInt8) ${clause}`), field, findings)
  const failed = (field: string, text: unknown) =>
    findings.issue('invalid_sql', `The ${field} "${String(text)}" of the dictionary cannot be read`)
  const source = read(`SOURCE(${dictionary.source})`, 'source')?.source
  const layout = read(`LAYOUT(${dictionary.layout})`, 'layout')?.layout
  if (source === undefined) failed('source', dictionary.source)
  if (layout === undefined) failed('layout', dictionary.layout)
  const text = lifetimeText(dictionary.lifetime)
  if (text === undefined) return { source, layout }
  const lifetime = read(`LIFETIME(${text})`, 'lifetime')?.lifetime
  if (lifetime === undefined) failed('lifetime', text)
  return { source, layout, lifetime }
}

function lifetimeText(lifetime: DictionaryDeclaration['lifetime']): string | undefined {
  if (lifetime === undefined || typeof lifetime === 'string') return lifetime
  return typeof lifetime === 'number' ? String(lifetime) : `MIN ${lifetime.min} MAX ${lifetime.max}`
}

function attributeNodes(attributes: DictionaryAttributesInput, findings: Findings): DictionaryAttribute[] {
  const list = isList(attributes)
    ? attributes
    : Object.entries(attributes).map(([name, value]) =>
        typeof value === 'string' ? { name, type: value } : { ...value, name },
      )
  return list.map((attribute) => {
    const clause = `attribute ${attribute.name}`
    const value = attribute.default
    const node =
      value === undefined
        ? undefined
        : typeof value === 'string' && value.startsWith('fn:')
          ? expression(value.slice(3), clause, findings)
          : literalNode(value)
    return {
      name: attribute.name,
      type: typeNode(attribute.type, clause, findings),
      default: node?.kind === 'literal' ? node : undefined,
      expression: attribute.expression === undefined ? undefined : expression(attribute.expression, clause, findings),
      hierarchical: attribute.hierarchical ? true : undefined,
      bidirectional: attribute.bidirectional ? true : undefined,
      injective: attribute.injective ? true : undefined,
      isObjectId: attribute.isObjectId ? true : undefined,
    }
  })
}

/** The tree of a function as CREATE FUNCTION would be parsed. */
export function functionNode(declaration: SqlFunctionDeclaration, findings: Findings): Statement {
  const body = parsed(readLambda(declaration.as), 'as', findings) ?? {
    kind: 'unparsed' as const,
    text: declaration.as.trim(),
  }
  return { kind: 'createFunction', name: declaration.name, body, cluster: declaration.cluster }
}

/** The tree of a database as CREATE DATABASE would be parsed. */
export function databaseNode(declaration: DatabaseDeclaration, findings: Findings): Statement {
  const engine =
    declaration.engine === undefined ? undefined : parsed(readEngine(declaration.engine), 'engine', findings)
  return {
    kind: 'createDatabase',
    action: 'CREATE',
    name: declaration.name,
    engine: engine?.engine,
    settings: settingNodes(declaration.settings, findings),
    comment: declaration.comment,
    cluster: declaration.cluster,
  }
}

/** The tree of `parsed`, or `undefined` with a warning about `clause`. */
function parsed<T>(result: Parsed<T>, clause: string, findings: Findings): T | undefined {
  if (result.problem === undefined) return result.node
  findings.unparsed(clause, result.problem)
  return undefined
}

function expression(text: string, clause: string, findings: Findings): Expression {
  return parsed(readExpression(text), clause, findings) ?? { kind: 'unparsed', text: text.trim() }
}

function typeNode(text: string, clause: string, findings: Findings): TypeNode {
  const result = readType(text)
  if (result.problem === undefined) return result.node
  const withNull = /^(.*?)\s+(not\s+)?null\s*$/is.exec(text)
  if (withNull !== null) {
    const inner = typeNode(withNull[1]!, clause, findings)
    return withNull[2] === undefined ? nullable(inner) : inner
  }
  findings.issue('invalid_sql', `The type "${text}" of ${clause} cannot be read: ${result.problem.message}`)
  return { kind: 'type', name: text.trim() }
}

/** `[db.]name` or its parts. */
export function nameNode(name: NameInput, clause: string, findings: Findings): ObjectName | undefined {
  if (typeof name !== 'string')
    return name.database === undefined ? { name: name.name } : { database: name.database, name: name.name }
  const result = readName(name)
  if (result.problem === undefined) return result.node
  findings.issue('invalid_sql', `"${name}" in ${clause} is no name of the form db.name: ${result.problem.message}`)
  return undefined
}

function isList<T>(value: readonly T[] | unknown): value is readonly T[] {
  return Array.isArray(value)
}

/** Columns of a list or a record, in order. */
export function columnList(columns: ColumnsInput): readonly ColumnInput[] {
  if (isList(columns)) return columns
  return Object.entries(columns).map(([name, value]) =>
    typeof value === 'string' ? { name, type: value } : { ...value, name },
  )
}

function columnNodes(columns: ColumnsInput, findings: Findings): ColumnDeclaration[] {
  return columnList(columns).map((column) => columnNode(column, findings))
}

function columnNode(column: ColumnInput, findings: Findings): ColumnDeclaration {
  const clause = `column ${column.name}`
  const written = typeNode(column.type, clause, findings)
  const type = column.nullable ? nullable(written) : written
  let plain = true
  for (const field in column) if (field !== 'name' && field !== 'type' && field !== 'nullable') plain = false
  if (plain) return { name: column.name, type }
  const { codec, statistics } = column
  return {
    name: column.name,
    type,
    default: defaultNode(column, clause, findings),
    codec: codec === undefined ? undefined : parsed(readCalls(codec), `codec of ${clause}`, findings),
    statistics:
      statistics === undefined
        ? undefined
        : parsed(readCalls(typeof statistics === 'string' ? statistics : statistics.join(', ')), clause, findings),
    ttl: column.ttl === undefined ? undefined : expression(column.ttl, `ttl of ${clause}`, findings),
    settings: settingNodes(column.settings, findings),
    comment: column.comment,
  }
}

const EXPRESSION_PREFIX = 'fn:'

function defaultNode(column: ColumnOptions, clause: string, findings: Findings): ColumnDeclaration['default'] {
  const read = (text: string) => expression(text, `default of ${clause}`, findings)
  if (column.defaultExpression !== undefined) return { kind: 'DEFAULT', expression: read(column.defaultExpression) }
  if (column.materialized !== undefined) return { kind: 'MATERIALIZED', expression: read(column.materialized) }
  if (column.alias !== undefined) return { kind: 'ALIAS', expression: read(column.alias) }
  if (column.ephemeral !== undefined && (column.ephemeral as unknown) !== false)
    return typeof column.ephemeral === 'string'
      ? { kind: 'EPHEMERAL', expression: read(column.ephemeral) }
      : { kind: 'EPHEMERAL' }
  const value = column.default
  if (value === undefined) return undefined
  if (typeof value === 'string' && value.startsWith(EXPRESSION_PREFIX))
    return { kind: 'DEFAULT', expression: read(value.slice(EXPRESSION_PREFIX.length)) }
  return { kind: 'DEFAULT', expression: literalNode(value) }
}

function settingNodes(settings: SettingsInput | undefined, findings: Findings): Setting[] | undefined {
  if (settings === undefined) return undefined
  return Object.entries(settings).map(([name, value]) => ({ name, value: settingNode(name, value, findings) }))
}

function settingNode(name: string, value: SettingValue, findings: Findings): Setting['value'] {
  if (typeof value === 'string' && value.startsWith(EXPRESSION_PREFIX)) {
    const text = value.slice(EXPRESSION_PREFIX.length)
    return parsed(readSettingValue(text), `setting ${name}`, findings) ?? literalLike(text.trim())
  }
  const node = literalNode(value)
  return node.kind === 'literal' || node.kind === 'function' || node.kind === 'parameter' ? node : literalLike(value)
}

function literalLike(value: SettingValue): Setting['value'] {
  return { kind: 'literal', type: 'string', value: String(value) }
}

function indexNode(index: IndexInput, findings: Findings): IndexDeclaration {
  const clause = `index ${index.name}`
  const args = index.typeArgs === undefined ? [] : [index.typeArgs].flat()
  const text = args.length === 0 ? index.type : `${index.type}(${args.join(', ')})`
  const type = parsed(readCall(text), `type of ${clause}`, findings) ?? { kind: 'function' as const, name: text }
  return {
    name: index.name,
    expression: parsed(readIndexed(index.expression), clause, findings) ?? {
      kind: 'unparsed',
      text: index.expression.trim(),
    },
    type,
    granularity: String(index.granularity ?? defaultGranularity(type.name)),
  }
}

/** What the server takes where GRANULARITY is left out (seen on 26.7). */
function defaultGranularity(type: string): number {
  return type === 'text' || type === 'vector_similarity' ? 100_000_000 : 1
}

function projectionNode(projection: ProjectionInput, findings: Findings): readonly ProjectionDeclaration[] {
  const body = 'query' in projection ? bracketed(projection.query) : `INDEX ${projection.index} TYPE ${projection.type}`
  const result = readProjection(`${quoteIdentifierIfNeeded(projection.name)} ${body}`)
  if (result.problem !== undefined) {
    findings.issue(
      'invalid_sql',
      `The projection ${projection.name} cannot be read: ${result.problem.message}`,
      'A projection is SELECT columns [GROUP BY ..] [ORDER BY ..], without FROM',
    )
    return []
  }
  const settings = settingNodes(projection.settings, findings) ?? result.node.settings
  return [{ ...result.node, settings }]
}

function bracketed(query: string): string {
  const text = query.trim()
  return text.startsWith('(') ? text : `(${text})`
}

function constraintNode(constraint: ConstraintInput, findings: Findings): readonly ConstraintDeclaration[] {
  const { name } = constraint
  const [kind, text] =
    'check' in constraint ? (['CHECK', constraint.check] as const) : (['ASSUME', constraint.assume] as const)
  if (typeof text !== 'string') return []
  return [{ name, kind, expression: expression(text, `constraint ${name}`, findings) }]
}

function storageNode(storage: StorageInput, declared: ColumnsInput | undefined, findings: Findings): StorageDefinition {
  const columns = declared === undefined ? [] : columnList(declared)
  const engine = parsed(readEngine(storage.engine), 'engine', findings)
  if (
    engine !== undefined &&
    Object.entries(engine).some(([field, value]) => field !== 'engine' && value !== undefined)
  )
    findings.issue(
      'invalid_field',
      `The engine "${storage.engine}" holds more than the engine`,
      'Keys, TTL and settings have fields of their own',
    )
  return {
    engine: engine?.engine ?? { kind: 'function', name: storage.engine.trim() },
    orderBy: keyNode(storage.orderBy, 'orderBy', columns, findings),
    primaryKey: keyNode(storage.primaryKey, 'primaryKey', columns, findings),
    partitionBy: keyNode(storage.partitionBy, 'partitionBy', columns, findings),
    sampleBy: storage.sampleBy === undefined ? undefined : expression(storage.sampleBy, 'sampleBy', findings),
    uniqueKey: keyNode(storage.uniqueKey, 'uniqueKey', columns, findings),
    ttl: ttlNodes(storage.ttl, findings),
    settings: settingNodes(storage.settings, findings),
  }
}

function keyList(key: KeyInput, clause: string, columns: Named, findings: Findings): readonly Expression[] {
  const node = keyNode(key, clause, columns, findings)
  if (node === undefined) return []
  return node.kind === 'function' && node.name === 'tuple' ? (node.args ?? []) : [node]
}

type Named = readonly { readonly name: string }[]

/** What can be nothing but a name, or a path of names, in a key. */
const PLAIN_KEY = /^[A-Za-z_][\w.]*$/

/** The key of the given text; an entry that is the name of a column means that column, whatever else it reads like. */
function keyNode(
  key: KeyInput | undefined,
  clause: string,
  columns: Named,
  findings: Findings,
): Expression | undefined {
  if (key === undefined) return undefined
  const entries: readonly string[] = typeof key === 'string' ? [key] : key
  const nodes = entries.map((entry): Expression => {
    const isColumn = !PLAIN_KEY.test(entry) && columns.some(({ name }) => name === entry)
    if (isColumn) return { kind: 'identifier', parts: [entry] }
    return parsed(readKey(entry), clause, findings) ?? { kind: 'unparsed', text: entry.trim() }
  })
  if (nodes.length === 1) return nodes[0]
  // Entries with a direction only stand in `tuple(..)`.
  const plain = nodes.every((node) => node.kind !== 'orderByElement')
  return { kind: 'function', name: 'tuple', args: nodes, ...(plain && { operator: true }) }
}

function ttlNodes(ttl: string | readonly string[] | undefined, findings: Findings): readonly TtlRule[] | undefined {
  if (ttl === undefined) return undefined
  const rules = (typeof ttl === 'string' ? [ttl] : ttl).filter((text) => text.trim() !== '')
  if (rules.length === 0) return undefined
  return rules.flatMap(
    (text): readonly TtlRule[] =>
      parsed(readTtl(text), 'ttl', findings) ?? [
        { expression: { kind: 'unparsed', text: text.trim() }, action: { kind: 'delete' } },
      ],
  )
}
