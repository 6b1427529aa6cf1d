import type { Expression, Query, SelectQuery, TableExpression } from '../sql/ast.js'
import { referencedColumns } from '../sql/walk.js'
import { readQuery } from './clause.js'
import type { Definition, MaterializedView, Table } from './definition.js'
import { isCaseInsensitiveFunction } from './functions.js'

/**
 * What can be said about the columns of a query without an engine. Where anything is unknown (a table that is not
 * declared, an asterisk, a function), nothing is claimed.
 */

/** A column that a query reads from a declared table which lacks it. */
export type MissingSourceColumn = { readonly source: string; readonly column: string }

type Source = { readonly name: string; readonly columns: ReadonlySet<string> | undefined }

/** Columns that the SELECTs of `query` name and that the declared tables in their FROM do not have. */
export function missingInQuery(query: string, byName: ReadonlyMap<string, Definition>): readonly MissingSourceColumn[] {
  const parsed = readQuery(query)
  if (parsed.problem !== undefined) return []
  return selectsOf(parsed.node).flatMap((select) => missingInSelect(select, byName))
}

/** The SELECTs that a query consists of, set operations opened, subqueries not entered. */
function selectsOf(query: Query): readonly SelectQuery[] {
  switch (query.kind) {
    case 'select':
      return [query]
    case 'union':
    case 'setOperation':
      return query.queries.flatMap(selectsOf)
    case 'output':
      return selectsOf(query.query)
    default:
      return []
  }
}

function missingInSelect(select: SelectQuery, byName: ReadonlyMap<string, Definition>): readonly MissingSourceColumn[] {
  const sources = new Map<string, Source>()
  let known = true
  const named = new Set((select.with ?? []).flatMap((element) => (element.kind === 'withQuery' ? [element.name] : [])))
  for (const element of select.from ?? []) {
    if (element.kind !== 'table') {
      // ARRAY JOIN brings names of its own.
      known = false
      continue
    }
    const source = sourceOf(element.table, byName, named)
    if (source.columns === undefined || element.table.columnAliases !== undefined) known = false
    const alias = element.table.alias ?? lastPart(element.table)
    if (alias !== undefined) sources.set(alias, source)
  }
  if (sources.size === 0) return []
  const found: MissingSourceColumn[] = []
  const local = new Set([...localNames(select)])
  for (const { parts } of referencedColumns(expressionsOf(select))) {
    if (!parts.every((part) => typeof part === 'string')) continue
    const [first = '', second] = parts as readonly string[]
    const qualified = second === undefined ? undefined : sources.get(first)
    if (qualified?.columns !== undefined && !local.has(first)) {
      const column = second!
      if (!has(qualified.columns, parts.slice(1) as readonly string[]) && !isVirtual(column))
        found.push({ source: qualified.name, column })
    } else if (known && qualified === undefined && second === undefined && !local.has(first) && !isVirtual(first)) {
      if (isCaseInsensitiveFunction(first)) continue
      const all = [...sources.values()]
      if (!all.some((source) => has(source.columns!, [first])))
        found.push({ source: all.map((source) => source.name).join(' and '), column: first })
    }
  }
  return found
}

function isVirtual(column: string): boolean {
  return column.startsWith('_')
}

function has(columns: ReadonlySet<string>, parts: readonly string[]): boolean {
  for (let end = 1; end <= parts.length; end++) if (columns.has(parts.slice(0, end).join('.'))) return true
  // The whole of a flattened Nested column.
  if (parts.length === 1) for (const column of columns) if (column.startsWith(`${parts[0]}.`)) return true
  return false
}

function sourceOf(table: TableExpression, byName: ReadonlyMap<string, Definition>, named: ReadonlySet<string>): Source {
  const { source } = table
  if (source.kind !== 'identifier' || !source.parts.every((part) => typeof part === 'string'))
    return { name: '', columns: undefined }
  const parts = source.parts as readonly string[]
  const name = parts.join('.')
  if (parts.length === 1 && named.has(name)) return { name, columns: undefined }
  const definition = byName.get(name)
  if (definition?.kind !== 'table' || definition.columns.length === 0) return { name, columns: undefined }
  return { name, columns: new Set(definition.columns.map((column) => column.name)) }
}

function lastPart(table: TableExpression): string | undefined {
  const { source } = table
  const last = source.kind === 'identifier' ? source.parts[source.parts.length - 1] : undefined
  return typeof last === 'string' ? last : undefined
}

/** The clauses of a SELECT whose names are columns of its tables or names of its own. */
function expressionsOf(select: SelectQuery): readonly Expression[] {
  const { columns, prewhere, where, groupBy, having, qualify, orderBy, limitBy } = select
  const withExpressions = (select.with ?? []).flatMap((element) =>
    element.kind === 'withExpression' ? [element.expression] : [],
  )
  const joins = (select.from ?? []).flatMap((element) =>
    element.kind === 'table' && element.join?.on !== undefined ? [element.join.on] : [],
  )
  return [
    ...withExpressions,
    ...columns,
    ...joins,
    ...(groupBy?.items ?? []),
    ...(orderBy ?? []),
    ...(limitBy?.by ?? []),
    ...[prewhere, where, having, qualify].filter((clause) => clause !== undefined),
  ]
}

/** Names that the SELECT itself gives: aliases anywhere in it, WITH queries. */
function localNames(select: SelectQuery): readonly string[] {
  const names: string[] = []
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    if (Array.isArray(value)) {
      for (const item of value) visit(item)
      return
    }
    const node = value as Readonly<Record<string, unknown>>
    if (typeof node.alias === 'string') names.push(node.alias)
    if (node.kind === 'subquery') return
    for (const field in node) visit(node[field])
  }
  visit(expressionsOf(select))
  for (const element of select.with ?? []) if (element.kind === 'withQuery') names.push(element.name)
  return names
}

/** Names of the columns that a materialized view writes and that its declared target does not have. */
export function missingInTarget(view: MaterializedView, target: Table): readonly string[] {
  if (target.columns.length === 0) return []
  const columns = new Set(target.columns.map((column) => column.name))
  return (outputColumns(view.query) ?? []).filter((name) => !columns.has(name))
}

/** Names of a query's output columns as far as the text tells them; `undefined` when there may be others. */
export function outputColumns(query: string): readonly string[] | undefined {
  const parsed = readQuery(query)
  if (parsed.problem !== undefined) return undefined
  const [first] = selectsOf(parsed.node)
  return first?.columns.flatMap((column) => {
    if ('alias' in column && column.alias !== undefined) return [column.alias]
    // An expression without an alias gets a name that only the server knows.
    if (column.kind !== 'identifier') return []
    const last = column.parts[column.parts.length - 1]
    return column.parts.length === 1 && typeof last === 'string' ? [last] : []
  })
}
