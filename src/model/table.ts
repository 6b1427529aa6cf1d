import type { FunctionCall, Setting, TypeNode } from '../sql/ast.js'
import type {
  ColumnDeclaration,
  ConstraintDeclaration,
  CreateTable,
  IndexDeclaration,
  ProjectionDeclaration,
  ProjectionQuery,
  TableElements,
} from '../sql/ast-ddl.js'
import { printExpression } from '../sql/print.js'
import { codecText } from './codec.js'
import {
  type Column,
  type ColumnDefault,
  type Constraint,
  compareCodeUnits,
  type Projection,
  type Settings,
  type SkippingIndex,
  type SqlText,
  type Table,
} from './definition.js'
import { expressionText } from './expression.js'
import { canonicalTypeName } from './functions.js'
import { withCanonicalNames } from './query.js'
import { compact, settingValue, storageForm } from './storage.js'
import { targetForms } from './time-series.js'
import { storedTypeText, typeText } from './type.js'

/** What a canonical form must know beyond the statement. */
export type FormContext = {
  /** Where names without a database belong. */
  readonly database: string
  /** True for what somebody wrote, false for what the server shows: it has flattened Nested and qualified tables already. */
  readonly declared: boolean
  /** True for a server that knows no versions of aggregate states, so that nothing follows from their absence. */
  readonly withoutStateVersions?: boolean
}

/** How the types that `context` shows are read. */
export function typeReader({ declared, withoutStateVersions }: FormContext): typeof typeText {
  return declared || withoutStateVersions ? typeText : storedTypeText
}

/** The canonical table of a CREATE TABLE. */
export function tableForm(node: CreateTable, context: FormContext): Table {
  const own = typeof node.name.database === 'string' ? node.name.database : context.database
  const keepNested = !context.declared || setsFlattenNested(node.storage?.settings)
  const columns = bringsColumns(node) ? [] : columnsForm(node.elements?.columns ?? [], keepNested, typeReader(context))
  const hasNested = columns.some((column) => column.type.startsWith('Nested('))
  const { storage, spelling } =
    node.asFunction !== undefined
      ? { storage: { engine: { name: '', args: [] } }, spelling: {} }
      : storageForm(node.storage, { database: own, hasNested })
  const kept = node.targets && targetForms(node.targets, own)
  const allSpelling = compact({ ...spelling, ...kept?.spelling, comment: node.comment === '' ? "''" : undefined })
  return {
    kind: 'table',
    database: own,
    name: nameText(node.name.name),
    ...storage,
    columns,
    ...elementsForm(node.elements),
    ...(kept && kept.targets.length > 0 && { targets: kept.targets }),
    ...(node.asFunction && { asTableFunction: expressionText(node.asFunction) }),
    ...(node.comment && { comment: node.comment }),
    ...(node.cluster && { cluster: node.cluster }),
    ...(Object.keys(allSpelling).length > 0 && { spelling: allSpelling }),
  }
}

/**
 * Alias shows the columns of its table and refuses to be created with any; TimeSeries shows its own, whatever was
 * written (seen on 26.7). Servers before kept the columns of its inner tables there, `id` among them.
 */
function bringsColumns({ storage, elements }: CreateTable): boolean {
  const engine = storage?.engine?.name
  return engine === 'Alias' || (engine === 'TimeSeries' && !elements?.columns.some(({ name }) => name === 'id'))
}

/** A name that is plain text; a query parameter keeps its braces. */
export function nameText(name: CreateTable['name']['name']): string {
  return typeof name === 'string' ? name : printExpression({ kind: 'identifier', parts: [name] })
}

function setsFlattenNested(settings: readonly Setting[] | undefined): boolean {
  const setting = settings?.find(({ name }) => name === 'flatten_nested')
  if (setting === undefined) return false
  return ['0', 'false', "'0'"].includes(settingValue(setting.value))
}

/** Canonical columns; a Nested column becomes one array per element unless `keepNested`. */
export function columnsForm(
  columns: readonly ColumnDeclaration[],
  keepNested: boolean,
  text: typeof typeText = typeText,
): readonly Column[] {
  const forms: Column[] = []
  for (const column of columns) {
    if (!keepNested && column.type !== undefined && isNested(column.type)) forms.push(...flattened(column, text))
    else forms.push(columnForm(column, text))
  }
  return forms
}

function isNested(type: TypeNode): boolean {
  return type.args !== undefined && canonicalTypeName(type.name) === 'Nested'
}

/** `n Nested(a T, b U)` as `n.a Array(T)`, `n.b Array(U)`: every clause goes to each of them. */
function flattened(column: ColumnDeclaration, text: typeof typeText): Column[] {
  return (column.type?.args ?? []).flatMap((arg) => {
    if (arg.kind !== 'namedType') return []
    const type: TypeNode = { kind: 'type', name: 'Array', args: [arg.type] }
    return [columnForm({ ...column, name: `${column.name}.${arg.name}`, type }, text)]
  })
}

const NO_TYPE: TypeNode = { kind: 'type', name: '' }

function columnForm(column: ColumnDeclaration, text: typeof typeText): Column {
  const type = column.nullability === 'NULL' ? nullable(column.type ?? NO_TYPE) : (column.type ?? NO_TYPE)
  // One object literal for the common column, since there are tens of thousands of them.
  if (isPlainColumn(column)) return { name: column.name, type: text(type) }
  const settings = settingsByName(column.settings)
  return {
    name: column.name,
    type: text(type),
    ...(column.default && { default: defaultForm(column.default) }),
    ...(column.codec && { codec: codecText(column.codec, type) }),
    ...(column.ttl && { ttl: expressionText(column.ttl) }),
    ...(settings && { settings }),
    ...(column.statistics && { statistics: column.statistics.map(callText).sort(compareCodeUnits) }),
    ...(column.comment && { comment: column.comment }),
  }
}

function isPlainColumn(column: ColumnDeclaration): boolean {
  return !(column.default || column.codec || column.ttl || column.settings || column.statistics || column.comment)
}

/** `Nullable(type)`, inside of LowCardinality where the server wants it there. */
export function nullable(type: TypeNode): TypeNode {
  if (type.name === 'Nullable') return type
  const inner = type.args?.[0]
  if (type.name === 'LowCardinality' && inner?.kind === 'type') return { ...type, args: [nullable(inner)] }
  return { kind: 'type', name: 'Nullable', args: [type] }
}

/** The expression that the server puts into an EPHEMERAL without one once an ALTER has touched the column. */
const EPHEMERAL_DEFAULT = 'defaultValueOfTypeName'

function defaultForm({ kind, expression }: NonNullable<ColumnDeclaration['default']>): ColumnDefault {
  const isImplied = kind === 'EPHEMERAL' && expression?.kind === 'function' && expression.name === EPHEMERAL_DEFAULT
  return expression === undefined || isImplied ? { kind } : { kind, expression: expressionText(expression) }
}

/** A name with parameters (`set(100)`), empty brackets as they stand; in `text(preprocessor = LOWER(s))` are expressions. */
function callText(call: FunctionCall): SqlText {
  return printExpression(call.args === undefined ? call : { ...call, args: withCanonicalNames(call.args) })
}

/** Settings by name as SQL texts, in the order in which they were written. */
export function settingsByName(settings: readonly Setting[] | undefined): Settings | undefined {
  if (settings === undefined || settings.length === 0) return undefined
  return Object.fromEntries(settings.map(({ name, value }) => [name, settingValue(value)]))
}

type ElementForms = {
  readonly indexes?: readonly SkippingIndex[]
  readonly projections?: readonly Projection[]
  readonly constraints?: readonly Constraint[]
}

/** Indexes, projections and constraints; empty lists are left out. */
export function elementsForm(elements: TableElements | undefined): ElementForms {
  if (elements === undefined) return {}
  const { indexes, projections, constraints } = elements
  return {
    ...(indexes.length > 0 && { indexes: indexes.map(indexForm) }),
    ...(projections.length > 0 && { projections: projections.map(projectionForm) }),
    ...(constraints.length > 0 && { constraints: constraints.map(constraintForm) }),
  }
}

function indexForm({ name, expression, type, granularity }: IndexDeclaration): SkippingIndex {
  return {
    name,
    expression: expressionText(expression),
    type: type === undefined ? '' : callText(type),
    granularity: Number(granularity),
  }
}

function constraintForm({ name, kind, expression }: ConstraintDeclaration): Constraint {
  return { name, type: kind, expression: expressionText(expression) }
}

function projectionForm({ name, query, index, settings }: ProjectionDeclaration): Projection {
  const body =
    index !== undefined
      ? `INDEX ${expressionText(index.expression)} TYPE ${callText(index.type)}`
      : query === undefined
        ? ''
        : projectionQueryText(query)
  const named = settingsByName(settings)
  return { name, form: index === undefined ? 'query' : 'index', body, ...(named && { settings: named }) }
}

function projectionQueryText(query: ProjectionQuery): SqlText {
  const list = (items: readonly Parameters<typeof expressionText>[0][]) => items.map(expressionText).join(', ')
  const clauses = [`SELECT ${list(query.columns)}`]
  if (query.with) clauses.unshift(`WITH ${list(query.with)}`)
  if (query.where) clauses.push(`WHERE ${expressionText(query.where)}`)
  if (query.groupBy) clauses.push(`GROUP BY ${list(query.groupBy)}`)
  if (query.orderBy) clauses.push(`ORDER BY ${projectionOrder(query.orderBy)}`)
  return clauses.join(' ')
}

/** The server drops the brackets of a projection's ORDER BY, and the word `tuple` before them. */
function projectionOrder(order: NonNullable<ProjectionQuery['orderBy']>): SqlText {
  if (order.kind === 'function' && order.name === 'tuple' && order.args !== undefined && order.args.length > 0)
    return order.args.map(expressionText).join(', ')
  return expressionText(order)
}
