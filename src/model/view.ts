import type { Query } from '../sql/ast.js'
import type { CreateView, ObjectName, RefreshStrategy, SqlSecurity, TimeInterval } from '../sql/ast-ddl.js'
import { quoteIdentifierIfNeeded } from '../sql/quote.js'
import type { MaterializedView, QualifiedName, Refresh, View, ViewColumn } from './definition.js'
import { declaredQueryText, storedQueryText } from './query.js'
import { compact, storageForm } from './storage.js'
import { columnsForm, elementsForm, type FormContext, nameText, settingsByName, typeReader } from './table.js'

/** The canonical view of a CREATE VIEW. */
export function viewForm(node: CreateView, context: FormContext): View {
  const name = qualifiedName(node.name, context.database)
  const { spelling, ...common } = commonForm(node)
  const query = node.columnAliases === undefined ? node.query : withAliases(node.query, node.columnAliases)
  const columnAliases = node.columnAliases?.map(quoteIdentifierIfNeeded).join(', ')
  const fullSpelling = compact({ ...spelling, columnAliases })
  return {
    kind: 'view',
    ...name,
    query: context.declared ? declaredQueryText(query, name.database) : storedQueryText(query),
    ...columnsOf(node, context),
    ...securityForm(node.sqlSecurity),
    ...common,
    ...(Object.keys(fullSpelling).length > 0 && { spelling: fullSpelling }),
  }
}

/** The query with its columns named as `CREATE VIEW v (a, b)` asks for, in each part of a union; the server stores it so. */
function withAliases(query: Query, aliases: readonly string[]): Query {
  if (query.kind === 'union') return { ...query, queries: query.queries.map((part) => withAliases(part, aliases)) }
  if (query.kind !== 'select' || query.columns.length !== aliases.length) return query
  return { ...query, columns: query.columns.map((column, index) => ({ ...column, alias: aliases[index]! })) }
}

/** The canonical form of a CREATE MATERIALIZED VIEW. */
export function materializedViewForm(node: CreateView, context: FormContext): MaterializedView {
  const name = qualifiedName(node.name, context.database)
  const inner =
    node.to === undefined ? storageForm(node.storage, { database: name.database, hasNested: false }) : undefined
  const common = commonForm(node)
  const spelling = compact({ ...inner?.spelling, ...common.spelling })
  return {
    kind: 'materialized_view',
    ...name,
    query: context.declared ? declaredQueryText(node.query, name.database) : storedQueryText(node.query),
    ...(node.to && { to: qualifiedName(node.to, name.database) }),
    ...(inner && { inner: inner.storage }),
    ...(node.refresh && { refresh: refreshForm(node.refresh, name.database) }),
    ...columnsOf(node, context),
    ...elementsForm(node.elements),
    ...securityForm(node.sqlSecurity),
    ...common,
    ...(Object.keys(spelling).length > 0 && { spelling }),
  }
}

/** Both parts of a name; `database` where the text has none. */
export function qualifiedName(name: ObjectName, database: string): QualifiedName {
  return {
    database: name.database === undefined ? database : nameText(name.database),
    name: nameText(name.name),
  }
}

function columnsOf(node: CreateView, context: FormContext): { readonly columns?: readonly ViewColumn[] } {
  const columns = node.elements?.columns
  return columns === undefined || columns.length === 0
    ? {}
    : { columns: columnsForm(columns, true, typeReader(context)) }
}

function commonForm(node: CreateView): Pick<View, 'comment' | 'cluster' | 'spelling'> {
  return {
    ...(node.comment && { comment: node.comment }),
    ...(node.comment === '' && { spelling: { comment: "''" } }),
    ...(node.cluster && { cluster: node.cluster }),
  }
}

function securityForm(security: SqlSecurity | undefined): Pick<View, 'definer' | 'sqlSecurity'> {
  if (security === undefined) return {}
  const { definer } = security
  const name = definer === undefined ? undefined : definer.kind === 'currentUser' ? 'CURRENT_USER' : definer.name
  return {
    ...(name !== undefined && { definer: name }),
    sqlSecurity: security.security ?? 'DEFINER',
  }
}

function refreshForm(refresh: RefreshStrategy, database: string): Refresh {
  const { schedule, offset, randomize, dependsOn, append } = refresh
  const settings = settingsByName(refresh.settings)
  return {
    schedule: schedule === undefined ? '' : `${schedule.kind} ${intervalText(schedule.interval)}`,
    ...(offset && { offset: intervalText(offset) }),
    ...(randomize && { randomize: intervalText(randomize) }),
    ...(dependsOn && { dependsOn: dependsOn.map((view) => qualifiedName(view, database)) }),
    ...(append && { append }),
    ...(settings && { settings }),
  }
}

function intervalText(interval: TimeInterval): string {
  return interval.map(({ amount, unit }) => `${amount} ${unit}`).join(' ')
}
