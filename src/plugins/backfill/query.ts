import {
  mapNode,
  parseSelectText,
  parseStatement,
  printExpression,
  printSelect,
  printStatement,
  quoteIdentifier,
  quoteQualified,
  type SqlNode,
  type SqlQuery,
  walk,
} from '../../index.js'
import { showName, type TableName } from './plan.js'
import { type TimeColumn, type TimeType, timeLiteral, timeRange, timeTypeOf } from './time-column.js'
import type { Window } from './window.js'

/** `column >= from AND column < to`, in SQL; without an end that lies beyond what the column can hold. */
export function windowCondition(column: TimeColumn, window: Window): string {
  const name = quoteIdentifier(column.name)
  const type = timeTypeOf(column.type) ?? { kind: 'datetime' }
  const { first, last } = timeRange(type)
  if (window.from > last || window.to <= first) return '0'
  const lower = window.from <= first ? `${name} IS NOT NULL` : `${name} >= ${timeLiteral(window.from, type)}`
  return window.to > last ? lower : `${lower} AND ${name} < ${timeLiteral(window.to, type)}`
}

/** Rows of the source within a window; `columns` empty means all that `*` means. */
export function sourceSelect(
  source: TableName,
  columns: readonly string[],
  column: TimeColumn,
  window: Window,
): string {
  const list = columns.length === 0 ? '*' : columns.map(quoteIdentifier).join(', ')
  return `SELECT ${list} FROM ${quoteQualified(source.database, source.name)} WHERE ${windowCondition(column, window)}`
}

/** A view's query that could not be taken apart, with the reason. */
export type Unreadable = { readonly wrong: string }

/**
 * The query that a materialized view runs for a block of new rows: of several joined by UNION ALL the first alone, as
 * the server does (seen on 26.7).
 */
export function viewQuery(query: SqlQuery): SqlQuery {
  return query.kind === 'union' ? (query.queries[0] ?? query) : query
}

/** The table that a view's query reads first, through subqueries and WITH; undefined when it reads none. */
export function leadingTable(
  query: SqlQuery,
  database: string,
  outer: ReadonlyMap<string, SqlQuery> = new Map(),
): TableName | undefined {
  if (query.kind === 'union') return query.queries[0] && leadingTable(query.queries[0], database, outer)
  if (query.kind !== 'select') return undefined
  const named = new Map(outer)
  for (const element of query.with ?? []) if (element.kind === 'withQuery') named.set(element.name, element.query)
  const first = query.from?.[0]
  if (first?.kind !== 'table') return undefined
  const { source } = first.table
  if (source.kind === 'subquery') return leadingTable(source.query, database, named)
  if (source.kind !== 'identifier') return undefined
  const [name, second] = source.parts
  if (typeof name !== 'string') return undefined
  if (typeof second === 'string') return { database: name, name: second }
  const common = named.get(name)
  if (!common) return { database, name }
  named.delete(name)
  return leadingTable(common, database, named)
}

/**
 * The view's query over some rows of its source. Every mention of the source is replaced, in joins and after IN as well:
 * for a view they all stand for the new rows (seen on 26.7).
 */
export function replaySelect(query: SqlQuery, source: TableName, database: string, rows: string): string {
  const { node } = parseSelectText(rows)
  const inner = node as SqlQuery
  // FROM first: what is put in after IN reads from the source itself, and must not be replaced again.
  const changed = mapNode(replaceTables(query, source, database, inner), (child): SqlNode => {
    if (child.kind === 'identifier') return withoutDatabase(child, source)
    if (child.kind === 'function' && isIn(child.name) && child.args?.length === 2) {
      const [left, right] = child.args
      if (left && right && isSource(right, source, database)) {
        return { ...child, args: [left, { kind: 'subquery', query: inner }] }
      }
    }
    return child
  })
  return printSelect(changed)
}

/** FROM elements are replaced apart from names in expressions, which keep meaning the table by its name as alias. */
function replaceTables(query: SqlQuery, source: TableName, database: string, inner: SqlQuery): SqlQuery {
  return mapNode(query, (child) => {
    if (child.kind !== 'table' || !('table' in child)) return child
    const { table } = child
    if (table.source.kind !== 'identifier' || !isSource(table.source, source, database)) return child
    const { final: _final, ...rest } = table
    return {
      ...child,
      table: { ...rest, source: { kind: 'subquery' as const, query: inner }, alias: table.alias ?? source.name },
    }
  })
}

const IN_FUNCTIONS: ReadonlySet<string> = new Set([
  'in',
  'notIn',
  'globalIn',
  'globalNotIn',
  'nullIn',
  'notNullIn',
  'globalNullIn',
  'globalNotNullIn',
])

function isIn(name: string): boolean {
  return IN_FUNCTIONS.has(name)
}

function isSource(node: SqlNode, source: TableName, database: string): boolean {
  if (node.kind !== 'identifier') return false
  const parts = node.parts.length === 1 ? [database, ...node.parts] : node.parts
  return parts.length === 2 && parts[0] === source.database && parts[1] === source.name
}

/** `database.table.column` as `table.column`: a subquery has a name, and no database. */
function withoutDatabase(node: SqlNode & { kind: 'identifier' }, source: TableName): SqlNode {
  const [database, table, ...rest] = node.parts
  if (rest.length === 0 || database !== source.database || table !== source.name) return node
  return { ...node, parts: [source.name, ...rest] }
}

/**
 * The columns of its source that a view sees: empty for all that `*` means, else these with the MATERIALIZED and ALIAS
 * columns that its query names.
 */
export function viewInput(
  columns: readonly { readonly name: string; readonly kind: string }[],
  query: SqlQuery,
): readonly string[] {
  const isPlain = (kind: string) => kind === '' || kind === 'DEFAULT'
  if (columns.every(({ kind }) => isPlain(kind))) return []
  const named = new Set<string>()
  walk(query, (node) => {
    if (node.kind === 'identifier') for (const part of node.parts) if (typeof part === 'string') named.add(part)
    return undefined
  })
  return columns
    .filter(({ name, kind }) => isPlain(kind) || (kind !== 'EPHEMERAL' && named.has(name)))
    .map(({ name }) => name)
}

/** Every table that a query names, anywhere in it. */
export function tablesOf(query: SqlNode, database: string): readonly TableName[] {
  const names: TableName[] = []
  walk(query, (node) => {
    if (node.kind !== 'identifier' || node.parts.length > 2) return undefined
    const parts = node.parts.length === 1 ? [database, ...node.parts] : node.parts
    const [first, second] = parts
    if (typeof first === 'string' && typeof second === 'string') names.push({ database: first, name: second })
    return undefined
  })
  return names
}

/** Functions that round a time down to the beginning of something, so that windows at such beginnings stay apart. */
const ROUNDING =
  /^(toStartOf(Interval|Year|ISOYear|Quarter|Month|Week|Day|Hour|FifteenMinutes|TenMinutes|FiveMinutes|Minute|Second)|toMonday|toDate|toDate32|toDateTime|toDateTime64|toYYYYMM|toYYYYMMDD|date_trunc|dateTrunc|timeSlot)$/i

/**
 * For each output column of a query that is the time column, or the time column rounded down: its name and its
 * expression as a function of the time. The plain time comes first.
 */
export function timeOutputs(
  query: SqlQuery,
  timeColumn: string,
): readonly { name: string; of: (time: string) => string }[] {
  if (query.kind !== 'select') return []
  const outputs = query.columns.flatMap((column) => {
    const name = 'alias' in column && column.alias ? column.alias : lastPart(column)
    if (name === undefined || !isTimeOf(column, timeColumn)) return []
    const of = (time: string) => {
      const replaced = mapNode(
        column,
        (node): SqlNode => (isTime(node, timeColumn) ? { kind: 'unparsed', text: time } : node),
      )
      const { alias: _alias, ...bare } = replaced as typeof replaced & { alias?: string }
      return printExpression(bare as typeof replaced)
    }
    return [{ name, of, plain: column.kind === 'identifier' }]
  })
  return outputs.sort((a, b) => Number(b.plain) - Number(a.plain))
}

function lastPart(node: SqlNode): string | undefined {
  if (node.kind !== 'identifier') return undefined
  const last = node.parts.at(-1)
  return typeof last === 'string' ? last : undefined
}

function isTime(node: SqlNode, timeColumn: string): boolean {
  return node.kind === 'identifier' && lastPart(node) === timeColumn
}

function isTimeOf(node: SqlNode, timeColumn: string): boolean {
  if (isTime(node, timeColumn)) return true
  if (node.kind !== 'function' || !ROUNDING.test(node.name)) return false
  const times = (node.args ?? []).filter((arg) => isTimeOf(arg, timeColumn))
  return times.length === 1 && (node.args ?? []).every((arg) => times.includes(arg) || isConstant(arg))
}

function isConstant(node: SqlNode): boolean {
  if (node.kind === 'literal') return true
  return node.kind === 'function' && /^toInterval/.test(node.name) && (node.args ?? []).every(isConstant)
}

/** A moment in the type of a column, as the source would hold it. */
export function typedMoment(instant: number, column: TimeColumn): string {
  const type = timeTypeOf(column.type) ?? { kind: 'datetime' }
  return `CAST(${timeLiteral(instant, type)}, '${column.type.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}')`
}

/** The moment before one, by the column's own precision; ms are fine enough for windows. */
export function momentBefore(instant: number, type: TimeType): number {
  switch (type.kind) {
    case 'date':
    case 'date32':
      return instant - 86_400_000
    case 'datetime':
      return Math.ceil(instant / 1000) * 1000 - 1000
    case 'datetime64':
      return type.precision === 0 ? Math.ceil(instant / 1000) * 1000 - 1000 : instant - 1
  }
}

export type StagingOptions = {
  readonly name: TableName
  /** Replaces the engine's path in Keeper; undefined: the engine takes no path here. */
  readonly keeperPath?: string
}

/** Settings of a staging table: its parts stay what they are, whatever the target's settings ask for. */
const STAGING_SETTINGS: Readonly<Record<string, string>> = {
  // Merged parts would have other hashes, and the hashes tell later what has been moved.
  max_bytes_to_merge_at_max_space_in_pool: '1',
  parts_to_delay_insert: '1000000',
  parts_to_throw_insert: '1000000',
  max_parts_in_total: '10000000',
  // Two equal blocks of one chunk are two blocks.
  non_replicated_deduplication_window: '0',
}

const REPLICATED_STAGING_SETTINGS: Readonly<Record<string, string>> = { replicated_deduplication_window: '0' }

/** The CREATE of a table with the target's structure that never merges, from the target's own CREATE statement. */
export function stagingStatement(createTarget: string, options: StagingOptions): string | Unreadable {
  const { node, warnings } = parseStatement(createTarget)
  if (node.kind !== 'createTable' || !node.storage?.engine) {
    return { wrong: warnings[0]?.message ?? `chkit cannot read the CREATE statement of ${showName(options.name)}` }
  }
  const { name: engineName, args } = node.storage.engine
  const replicated = engineName.startsWith('Replicated')
  const added = { ...STAGING_SETTINGS, ...(replicated ? REPLICATED_STAGING_SETTINGS : {}) }
  const kept = (node.storage.settings ?? []).filter(({ name }) => !(name in added))
  return printStatement({
    kind: 'createTable',
    action: 'CREATE',
    name: options.name,
    ...(node.elements
      ? { elements: { ...node.elements, columns: node.elements.columns.map(({ ttl: _ttl, ...column }) => column) } }
      : {}),
    storage: {
      ...node.storage,
      engine: {
        ...node.storage.engine,
        name: engineName.replace(/^Shared/, ''),
        ...(args
          ? { args: replicated || engineName.startsWith('Shared') ? keeperArguments(args, options) : args }
          : {}),
      },
      // Rows whose time is over must not vanish between counting and moving; the target's merges see to them.
      ttl: undefined,
      settings: [
        ...kept,
        ...Object.entries(added).map(([name, value]) => ({
          name,
          value: { kind: 'literal' as const, type: 'int' as const, value },
        })),
      ],
    },
  })
}

function keeperArguments<Arg extends SqlNode>(args: readonly Arg[], { keeperPath }: StagingOptions): readonly Arg[] {
  const isText = (arg: SqlNode | undefined) => arg?.kind === 'literal' && arg.type === 'string'
  if (!isText(args[0]) || !isText(args[1])) return args
  const rest = args.slice(2)
  if (keeperPath === undefined) return rest
  return [{ ...args[0], value: keeperPath } as unknown as Arg, args[1] as Arg, ...rest]
}
