import type { Query, SetOperation, UnionMode, UnionQuery, WithElement } from '../sql/ast.js'
import { printSelect } from '../sql/print.js'
import { compareCodeUnits } from './definition.js'
import { canonicalFunctionName } from './functions.js'

/** A declared `query` as the server would store it in a view of `database`; see `canonicalQuery`. */
export function declaredQueryText(query: Query, database: string): string {
  return printSelect(withReachableParameters(canonicalQuery(query, database)))
}

/** The text of a query that the server has stored: it is normalised already, only function names may be old. */
export function storedQueryText(query: Query): string {
  return printSelect(withReachableParameters(withCanonicalNames(query)))
}

/**
 * What the server makes of a view's query before it stores it: WITH given to all of a union, set operations grouped, function names resolved, tables
 * without a database given one. The last happens where the server's own visitor does it (`AddDefaultDatabaseVisitor`,
 * seen on 26.7), so that what it leaves alone stays alone.
 */
export function canonicalQuery(query: Query, database: string): Query {
  const grouped = mapTree(withGlobalWith(query), groupSetOperations)
  const rewritten = rewriteNode(grouped, { database, ...NO_NAMES })
  return mapTree(rewritten, flattenSetOperations) as Query
}

/** `node` with every function under the name that the server stores; nothing else changes. */
export function withCanonicalNames<T>(node: T): T {
  return rewriteNode(node, { database: undefined, ...NO_NAMES }) as T
}

type Context = {
  readonly database: string | undefined
  /** Names of WITH queries in scope; a list that grows while the WITH of a query is read. */
  readonly namedQueries: Set<string>
  /** What WITH gives a name to, as it is stored. */
  readonly namedValues: Map<string, PlainNode>
}

const NO_NAMES = { namedQueries: new Set<string>(), namedValues: new Map<string, PlainNode>() } as const

type PlainNode = { readonly kind?: unknown; readonly [field: string]: unknown }

function isNode(value: unknown): value is PlainNode {
  return typeof value === 'object' && value !== null
}

/** Rebuilds what changes and shares what does not. */
function rewriteNode(value: unknown, context: Context): unknown {
  if (Array.isArray(value)) return rewriteList(value, context)
  if (!isNode(value)) return value
  switch (value.kind) {
    case 'literal':
    case 'type':
    case 'parameter':
    case 'unparsed':
    // The server's visitors do not look into `APPLY (x -> ..)`.
    case 'apply':
      return value
    case 'select':
      return rewriteSelect(value, context)
    case 'union':
      return rewriteUnion(value, context)
    case 'table':
      return rewriteFields(qualifyTable(value, context), context)
    case 'function':
      return rewriteFunction(value, context)
    default:
      return rewriteFields(value, context)
  }
}

function rewriteList(list: readonly unknown[], context: Context): readonly unknown[] {
  let copy: unknown[] | undefined
  for (let index = 0; index < list.length; index++) {
    const rewritten = rewriteNode(list[index], context)
    if (rewritten !== list[index]) copy ??= [...list]
    if (copy !== undefined) copy[index] = rewritten
  }
  return copy ?? list
}

function rewriteFields(node: PlainNode, context: Context): PlainNode {
  let copy: Record<string, unknown> | undefined
  for (const field in node) {
    const value = node[field]
    if (typeof value !== 'object' || value === null) continue
    const rewritten = rewriteNode(value, context)
    if (rewritten === value) continue
    copy ??= { ...node }
    copy[field] = rewritten
  }
  return copy ?? node
}

/** WITH first, then FROM, then the rest: the order in which names of WITH queries become known. */
function rewriteSelect(select: PlainNode, outer: Context): PlainNode {
  const context: Context = {
    ...outer,
    namedQueries: new Set(outer.namedQueries),
    namedValues: new Map(outer.namedValues),
  }
  const elements = Array.isArray(select.with) ? (select.with as readonly PlainNode[]) : []
  // A copied WITH RECURSIVE loses the word, and its queries go on reading themselves.
  if (select.recursive === true || select.sees === 'itself')
    for (const element of elements) noteNamedQuery(element, context)
  const rewrittenWith = elements.map((element) => {
    const rewritten = rewriteNode(element, context) as PlainNode
    noteNamedQuery(element, context)
    const value = rewritten.kind === 'withExpression' ? (rewritten.expression as PlainNode) : undefined
    if (typeof value?.alias === 'string') context.namedValues.set(value.alias, value)
    return rewritten
  })
  const from = rewriteNode(select.from, context)
  const head = elements.length === 0 ? {} : { with: rewrittenWith }
  const rest = rewriteFields({ ...select, with: undefined, from: undefined }, context)
  return { ...rest, ...head, ...(from === undefined ? {} : { from }) }
}

function noteNamedQuery(element: PlainNode, context: Context): void {
  if (element.kind === 'withQuery') context.namedQueries.add(String(element.name))
}

/** The server's visitor does not enter a union that stands directly in a union. */
function rewriteUnion(union: PlainNode, context: Context): PlainNode {
  const { queries, modes } = bracketExcept(union as unknown as UnionQuery)
  const outside: Context = { ...context, database: undefined }
  const rewritten = queries.map((query) => rewriteNode(query, query.kind === 'union' ? outside : context))
  return bracketWith({ ...union, modes, queries: rewritten })
}

/**
 * The server stores `(WITH x AS (..) a UNION ALL b) UNION ALL c` without the brackets, but it has not given the WITH to
 * `c`, as it would without them: a SELECT that lacks it tells where they stood.
 */
function bracketWith(union: PlainNode): PlainNode {
  const queries = union.queries as readonly PlainNode[]
  const modes = union.modes as readonly UnionMode[]
  const first = queries[0]
  if (first?.kind !== 'select' || !Array.isArray(first.with)) return union
  const given = first.recursive === true ? withoutCopies(first, queries) : queries
  const end = 1 + queries.slice(1).findIndex((query) => withOf(first, query) !== query)
  if (end < 2) return { ...union, queries: given }
  const head = { kind: 'union', queries: given.slice(0, end), modes: modes.slice(0, end - 1) }
  return { ...union, queries: [head, ...given.slice(end)], modes: modes.slice(end - 1) }
}

/**
 * `queries` without the copies of a WITH RECURSIVE that the server has given to those after the first: it leaves out
 * RECURSIVE in them, so they could not be created again.
 */
function withoutCopies(first: PlainNode, queries: readonly PlainNode[]): readonly PlainNode[] {
  const text = (elements: unknown) =>
    printSelect({ kind: 'select', with: elements as readonly WithElement[], columns: [{ kind: 'asterisk' }] })
  const original = text(first.with)
  const strip = (query: PlainNode): PlainNode => {
    if (query.kind === 'union') return { ...query, queries: (query.queries as readonly PlainNode[]).map(strip) }
    const isCopy = query.kind === 'select' && Array.isArray(query.with) && text(query.with) === original
    return isCopy ? { ...query, with: undefined, sees: undefined } : query
  }
  return [first, ...queries.slice(1).map(strip)]
}

/**
 * The server stores `a UNION ALL (b EXCEPT c)` as `a UNION ALL (b) EXCEPT ALL (c)`, and would read that as
 * `(a UNION ALL b) EXCEPT c`, which it stores in another way: so its text tells the two apart, and we write the first
 * with the brackets that it needs.
 */
function bracketExcept(union: UnionQuery): UnionQuery {
  if (!union.modes.some((mode, index) => index > 0 && mode.startsWith('EXCEPT'))) return union
  const queries = [union.queries[0]!]
  const modes: UnionMode[] = []
  union.modes.forEach((mode, index) => {
    const right = union.queries[index + 1]!
    if (modes.length > 0 && mode.startsWith('EXCEPT'))
      queries.push({ kind: 'union', queries: [queries.pop()!, right], modes: [mode] })
    else {
      queries.push(right)
      modes.push(mode)
    }
  })
  return unionOfAll(queries, modes)
}

/**
 * The server takes a view for a parameterised one when a SELECT that stands directly in its union has a parameter, and
 * refuses it otherwise. It stores `a INTERSECT b INTERSECT c` as `(a INTERSECT b) INTERSECT c`, which therefore may not
 * be created again: brackets at the start that change nothing are taken away.
 */
function withReachableParameters(query: Query): Query {
  if (query.kind !== 'union' || !hasParameter(query)) return query
  if (query.queries.some((one) => one.kind === 'select' && hasParameter(one))) return query
  const [first, ...others] = query.queries
  if (first?.kind !== 'union') return query
  const flat = unionOfAll([...first.queries, ...others], [...first.modes, ...query.modes])
  return printSelect(regrouped(flat)) === printSelect(regrouped(query)) ? withReachableParameters(flat) : query
}

function hasParameter(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(hasParameter)
  return isNode(value) && (value.kind === 'parameter' || Object.values(value).some(hasParameter))
}

function regrouped(query: Query): Query {
  return mapTree(mapTree(query, groupSetOperations), flattenSetOperations) as Query
}

function qualifyTable(element: PlainNode, context: Context): PlainNode {
  const table = element.table as PlainNode
  const source = qualified(table.source, context)
  return source === table.source ? element : { ...element, table: { ...table, source } }
}

/** A bare table name with its database; anything else as it is. */
function qualified(source: unknown, context: Context): unknown {
  if (context.database === undefined || !isNode(source) || source.kind !== 'identifier') return source
  const parts = source.parts as readonly unknown[]
  const name = parts[0]
  if (parts.length !== 1 || typeof name !== 'string' || context.namedQueries.has(name)) return source
  return { ...source, parts: [context.database, name] }
}

/** Behind IN the server writes out what WITH gave the name to (seen on 26.7); elsewhere the name stays. */
function namedValue(set: unknown, { namedQueries, namedValues }: Context): PlainNode | undefined {
  if (!isNode(set) || set.kind !== 'identifier') return undefined
  const [name, ...more] = set.parts as readonly unknown[]
  if (typeof name !== 'string' || more.length > 0 || namedQueries.has(name)) return undefined
  const value = namedValues.get(name)
  // A name that stands for a name is taken for that of a table then.
  return value?.kind === 'identifier' ? { kind: 'identifier', parts: value.parts } : value
}

/** Functions whose second argument may be the name of a table. */
const IN_FUNCTIONS = new Set([
  'in',
  'notIn',
  'globalIn',
  'globalNotIn',
  'nullIn',
  'notNullIn',
  'globalNullIn',
  'globalNotNullIn',
])

function rewriteFunction(call: PlainNode, context: Context): PlainNode {
  const name = String(call.name)
  const canonical = canonicalFunctionName(name)
  let node: PlainNode = canonical === name ? call : { ...call, name: canonical }
  const args = call.args as readonly unknown[] | undefined
  if (args?.length === 2 && IN_FUNCTIONS.has(name)) {
    const set = qualified(namedValue(args[1], context) ?? args[1], context)
    if (set !== args[1]) node = { ...node, args: [args[0], set] }
  }
  return rewriteFields(node, context)
}

/**
 * The WITH of the first SELECT of a union is that of all of them (`ApplyWithGlobalVisitor`, seen on 26.7): a SELECT
 * without WITH gets the whole list, one with its own gets the aliased expressions that it lacks. Outermost first.
 */
function withGlobalWith(value: unknown, budget = { nodes: MAX_SPREAD_NODES }): unknown {
  if (Array.isArray(value)) {
    const mapped = value.map((item) => withGlobalWith(item, budget))
    return mapped.some((item, index) => item !== value[index]) ? mapped : value
  }
  if (!isNode(value) || value.kind === 'literal' || value.kind === 'type') return value
  if (--budget.nodes < 0) return value
  const node = value.kind === 'union' ? spreadWith(value) : value
  let copy: Record<string, unknown> | undefined
  for (const field in node) {
    const inner = node[field]
    if (typeof inner !== 'object' || inner === null) continue
    const mapped = withGlobalWith(inner, budget)
    if (mapped === inner) continue
    copy ??= { ...node }
    copy[field] = mapped
  }
  return copy ?? node
}

/** Unions within the WITH of unions double at each level, in the server's own text too: here the copying ends. */
const MAX_SPREAD_NODES = 200_000

/** The alias of an expression in WITH; a named query has none. */
function aliasOf(element: PlainNode): string | undefined {
  const { alias } = (isNode(element.expression) ? element.expression : element) as PlainNode
  return typeof alias === 'string' ? alias : undefined
}

function spreadWith(union: PlainNode): PlainNode {
  const [first, ...others] = union.queries as readonly PlainNode[]
  if (first?.kind !== 'select' || !Array.isArray(first.with)) return union
  return { ...union, queries: [first, ...others.map((query) => withOf(first, query))] }
}

/** `query` with the WITH of `first`, the first SELECT of its union; itself where it lacks nothing. */
function withOf(first: PlainNode, query: PlainNode): PlainNode {
  if (query.kind === 'union') {
    const queries = query.queries as readonly PlainNode[]
    const given = queries.map((one) => withOf(first, one))
    return given.some((one, index) => one !== queries[index]) ? { ...query, queries: given } : query
  }
  if (query.kind !== 'select') return query
  const elements = first.with as readonly PlainNode[]
  if (!Array.isArray(query.with))
    return { ...query, with: elements, ...(first.recursive === true && { sees: 'itself' }) }
  const own = query.with as readonly PlainNode[]
  const lacking = elements
    .filter((element) => aliasOf(element) !== undefined && !own.some((one) => aliasOf(one) === aliasOf(element)))
    .sort((a, b) => compareCodeUnits(aliasOf(a)!, aliasOf(b)!))
  return lacking.length === 0 ? query : { ...query, with: [...own, ...lacking] }
}

/** `value` with `change` applied to every node, innermost first. */
function mapTree(value: unknown, change: (node: PlainNode) => PlainNode): unknown {
  if (Array.isArray(value)) {
    const mapped = value.map((item) => mapTree(item, change))
    return mapped.some((item, index) => item !== value[index]) ? mapped : value
  }
  if (!isNode(value) || value.kind === 'literal' || value.kind === 'type') return value
  let copy: Record<string, unknown> | undefined
  for (const field in value) {
    const inner = value[field]
    if (typeof inner !== 'object' || inner === null) continue
    const mapped = mapTree(inner, change)
    if (mapped === inner) continue
    copy ??= { ...value }
    copy[field] = mapped
  }
  return change(copy ?? value)
}

/**
 * The flat list of a parsed set operation as the server's tree (`SelectIntersectExceptQueryVisitor`): INTERSECT binds
 * first, EXCEPT takes all that stands before it as its left side, and both keep duplicates unless they say DISTINCT.
 */
function groupSetOperations(node: PlainNode): PlainNode {
  if (node.kind !== 'union') return node
  const union = node as unknown as UnionQuery
  let queries: Query[] = [union.queries[0]!]
  let modes: UnionMode[] = []
  for (let index = 0; index < union.modes.length; index++) {
    const right = union.queries[index + 1]!
    const mode = union.modes[index]!
    if (mode.startsWith('INTERSECT')) {
      const left = queries.pop()!
      queries.push({ kind: 'setOperation', operator: withAll(mode), queries: [left, right] } as SetOperation)
    } else {
      queries.push(right)
      modes.push(withAll(mode))
    }
  }
  const except = modes.findLastIndex((mode) => mode.startsWith('EXCEPT'))
  for (let index = 0; index <= except; index++) {
    const at = modes.findIndex((mode) => mode.startsWith('EXCEPT'))
    if (at < 0) break
    const left = groupUnion(queries.slice(0, at + 1), modes.slice(0, at))
    const operation = { kind: 'setOperation', operator: modes[at]!, queries: [left, queries[at + 1]!] } as SetOperation
    queries = [operation, ...queries.slice(at + 2)]
    modes = modes.slice(at + 1)
  }
  return groupUnion(queries, modes) as unknown as PlainNode
}

function withAll(mode: UnionMode): UnionMode {
  return mode === 'INTERSECT' || mode === 'EXCEPT' ? `${mode} ALL` : mode
}

/**
 * The server's `NormalizeSelectWithUnionQueryVisitor`: lists of UNION ALL are lifted into one, and everything to the
 * left of a UNION DISTINCT becomes distinct with it.
 */
function groupUnion(queries: readonly Query[], modes: readonly UnionMode[]): Query {
  if (queries.length === 1) return queries[0]!
  // A bare UNION means what a setting of the server says; it stays.
  if (modes.includes('UNION')) return unionOfAll(queries, modes)
  const distinct = modes.lastIndexOf('UNION DISTINCT')
  if (distinct < 0) return unionOf(queries.flatMap(liftAll), 'UNION ALL')
  const head = queries.slice(0, distinct + 2).flatMap((query) => (query.kind === 'union' ? query.queries : [query]))
  const tail = queries.slice(distinct + 2).flatMap(liftAll)
  const distinctUnion = unionOf(head, 'UNION DISTINCT')
  return tail.length === 0 ? distinctUnion : unionOf([distinctUnion, ...tail], 'UNION ALL')
}

function liftAll(query: Query): readonly Query[] {
  return query.kind === 'union' && query.modes.every((mode) => mode === 'UNION ALL') ? query.queries : [query]
}

function unionOf(queries: readonly Query[], mode: UnionMode): UnionQuery {
  return unionOfAll(
    queries,
    queries.slice(1).map(() => mode),
  )
}

function unionOfAll(queries: readonly Query[], modes: readonly UnionMode[]): UnionQuery {
  return { kind: 'union', queries, modes }
}

/** Back to the flat lists that the printer takes: in a UNION the server prints INTERSECT and EXCEPT without brackets. */
function flattenSetOperations(node: PlainNode): PlainNode {
  if (node.kind === 'setOperation') {
    const { operator, queries } = node as unknown as SetOperation
    return bracketWith({ kind: 'union', queries, modes: [operator], wasSetOperation: true })
  }
  if (node.kind !== 'union') return node
  const { queries, modes } = node as unknown as UnionQuery
  const flat: { queries: Query[]; modes: UnionMode[] } = { queries: [], modes: [] }
  queries.forEach((query, index) => {
    if (index > 0) flat.modes.push(modes[index - 1]!)
    // Not first, EXCEPT keeps its brackets: see `bracketExcept`.
    const isBracketed = index > 0 && query.kind === 'union' && query.modes[0]!.startsWith('EXCEPT')
    if (query.kind === 'union' && 'wasSetOperation' in query && !isBracketed) {
      flat.queries.push(...query.queries)
      flat.modes.push(...query.modes)
    } else flat.queries.push(query)
  })
  return bracketWith({ kind: 'union', ...flat })
}
