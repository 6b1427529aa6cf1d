import type { ColumnsMatcher, Expression, Identifier, Query, SqlNode } from './ast.js'

/**
 * Walking and rewriting trees without knowing their kinds: a node is any object with a string `kind`, and its children
 * are whatever nodes its fields reach, through lists and through objects without a kind.
 */

type Fields = { readonly [field: string]: unknown }

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null
}

/** `value` as a node, if it is one. */
function asNode(value: Fields): SqlNode | undefined {
  return typeof value.kind === 'string' ? (value as unknown as SqlNode) : undefined
}

/**
 * Calls `visit` for `node` and everything below it, parents first, in the order of the text. Where `visit` returns
 * `false` it does not go deeper.
 */
export function walk(node: unknown, visit: (node: SqlNode) => boolean | undefined): void {
  if (!isObject(node)) return
  if (Array.isArray(node)) {
    for (const item of node) walk(item, visit)
    return
  }
  const self = asNode(node)
  if (self && visit(self) === false) return
  for (const field in node) {
    const value = node[field]
    if (typeof value === 'object') walk(value, visit)
  }
}

/**
 * A copy of the tree in which each node is `change(node)`, children first. What does not change is shared with the
 * input, which stays as it was.
 */
export function mapNode<T>(node: T, change: (node: SqlNode) => SqlNode): T {
  return mapValue(node, change) as T
}

function mapValue(value: unknown, change: (node: SqlNode) => SqlNode): unknown {
  if (!isObject(value)) return value
  if (Array.isArray(value)) {
    let copy: unknown[] | undefined
    for (let index = 0; index < value.length; index++) {
      const mapped = mapValue(value[index], change)
      if (mapped !== value[index] && copy === undefined) copy = value.slice()
      if (copy) copy[index] = mapped
    }
    return copy ?? value
  }
  let copy: Record<string, unknown> | undefined
  for (const field in value) {
    const child = value[field]
    if (typeof child !== 'object' || child === null) continue
    const mapped = mapValue(child, change)
    if (mapped === child) continue
    copy ??= { ...value }
    copy[field] = mapped
  }
  const result = copy ?? value
  const node = asNode(result)
  return node ? change(node) : result
}

/** Something a query reads rows from. */
export type TableReference =
  /** `database` is `undefined` where the text does not say it. */
  | { readonly kind: 'table'; readonly database?: string; readonly table: string }
  /** Read through dictGet and its family, or through a `dictionary(..)` table function. */
  | { readonly kind: 'dictionary'; readonly database?: string; readonly table: string }
  /** Read through joinGet. */
  | { readonly kind: 'joinTable'; readonly database?: string; readonly table: string }
  /** Any other table function, a parameterised view included; what its arguments mean is not looked at. */
  | { readonly kind: 'tableFunction'; readonly name: string; readonly args: readonly Expression[] }

const IN_FUNCTIONS: ReadonlySet<string> = new Set(
  'in notIn globalIn globalNotIn nullIn notNullIn globalNullIn globalNotNullIn'.split(' '),
)

/**
 * Everything that `query` reads: tables in FROM, joins and subqueries, the table on the right of IN, dictionaries of
 * dictGet, tables of joinGet, table functions. Names of WITH queries are left out where they are in scope. Each once,
 * in the order of the text.
 */
export function referencedTables(query: Query | Expression): readonly TableReference[] {
  const found = new Map<string, TableReference>()
  collectTables(query, new Set(), (reference) => {
    const key = JSON.stringify(reference)
    if (!found.has(key)) found.set(key, reference)
  })
  return [...found.values()]
}

type Report = (reference: TableReference) => void

function collectTables(value: unknown, named: ReadonlySet<string>, report: Report): void {
  if (!isObject(value)) return
  if (Array.isArray(value)) {
    for (const item of value) collectTables(item, named, report)
    return
  }
  const node = asNode(value)
  switch (node?.kind) {
    case 'select': {
      let scope = named
      for (const element of node.with ?? []) {
        if (element.kind !== 'withQuery') {
          collectTables(element, scope, report)
          continue
        }
        const inner = new Set(scope).add(element.name)
        // Only a recursive query sees itself; any other reads the table of the same name.
        collectTables(element.query, node.recursive ? inner : scope, report)
        scope = inner
      }
      for (const element of node.from ?? []) {
        if (element.kind === 'table') collectSource(element.table.source, scope, report)
        collectTables(element.kind === 'table' ? element.join : element.expressions, scope, report)
      }
      collectFields(value, scope, report, 'with', 'from')
      return
    }
    case 'union': {
      // A WITH before the first SELECT of a union is seen by the others too.
      const [first] = node.queries
      let scope = named
      if (first?.kind === 'select')
        for (const element of first.with ?? [])
          if (element.kind === 'withQuery') scope = new Set(scope).add(element.name)
      for (const item of node.queries) collectTables(item, item === first ? named : scope, report)
      return
    }
    case 'function':
      collectCall(node.name, node.args, named, report)
      collectFields(value, named, report)
      return
    default:
      collectFields(value, named, report)
  }
}

function collectFields(node: Fields, named: ReadonlySet<string>, report: Report, ...except: readonly string[]): void {
  for (const [field, child] of Object.entries(node)) if (!except.includes(field)) collectTables(child, named, report)
}

/** `database.table` of a plain name, or `undefined` where a part is a parameter. */
export function tableOf(name: Identifier): { database?: string; table: string } | undefined {
  const parts = name.parts
  if (!parts.every((part) => typeof part === 'string')) return undefined
  if (parts.length === 1) return { table: parts[0] as string }
  return { database: parts[0] as string, table: (parts as string[]).slice(1).join('.') }
}

function collectSource(source: Expression, named: ReadonlySet<string>, report: Report): void {
  if (source.kind === 'identifier') reportName(source, named, report)
  else if (source.kind === 'subquery') collectTables(source, named, report)
  else if (source.kind === 'function') {
    const dictionary = source.name === 'dictionary' ? nameOf(source.args?.[0], source.args?.[1]) : undefined
    if (dictionary) report({ kind: 'dictionary', ...dictionary })
    else report({ kind: 'tableFunction', name: source.name, args: source.args ?? [] })
    collectTables([source.args, source.query, source.otherwise], named, report)
  }
}

function reportName(name: Identifier, named: ReadonlySet<string>, report: Report): void {
  const table = tableOf(name)
  if (table && !(table.database === undefined && named.has(table.table))) report({ kind: 'table', ...table })
}

/** The name that `'db.t'`, `'t'`, `db.t`, `t` or the pair `'db', 't'` spells. */
function nameOf(node: Expression | undefined, second?: Expression): { database?: string; table: string } | undefined {
  if (node?.kind === 'identifier') return tableOf(node)
  if (node?.kind !== 'literal' || node.type !== 'string') return undefined
  if (second?.kind === 'literal' && second.type === 'string') return { database: node.value, table: second.value }
  const dot = node.value.indexOf('.')
  return dot < 0 ? { table: node.value } : { database: node.value.slice(0, dot), table: node.value.slice(dot + 1) }
}

function collectCall(
  name: string,
  args: readonly Expression[] | undefined,
  named: ReadonlySet<string>,
  report: Report,
): void {
  if (/^dict(Get|Has|Is)/.test(name)) {
    const dictionary = nameOf(args?.[0])
    if (dictionary) report({ kind: 'dictionary', ...dictionary })
  } else if (/^joinGet/.test(name)) {
    const table = nameOf(args?.[0])
    if (table) report({ kind: 'joinTable', ...table })
  } else if (IN_FUNCTIONS.has(name)) {
    const set = args?.[1]
    if (set?.kind === 'identifier') reportName(set, named, report)
  }
}

/**
 * The columns that an expression reads, each once, in the order of the text: names without lambda parameters and
 * without names that are aliases of the same expression. Subqueries are not entered; the table on the right of IN and
 * the dictionary of dictGet are no columns.
 */
export function referencedColumns(expression: Expression | readonly Expression[]): readonly Identifier[] {
  const found = new Map<string, Identifier>()
  const aliases = new Set<string>()
  walk(expression, (node) => {
    if ('alias' in node && typeof node.alias === 'string') aliases.add(node.alias)
    return node.kind !== 'subquery'
  })
  collectColumns(expression, new Set(), (name) => {
    const [first] = name.parts
    if (name.parts.length === 1 && typeof first === 'string' && aliases.has(first) && name.alias === undefined) return
    const { kind, parts } = name
    const key = JSON.stringify(parts)
    if (!found.has(key)) found.set(key, { kind, parts })
  })
  return [...found.values()]
}

function collectColumns(value: unknown, bound: ReadonlySet<string>, report: (name: Identifier) => void): void {
  if (!isObject(value)) return
  if (Array.isArray(value)) {
    for (const item of value) collectColumns(item, bound, report)
    return
  }
  const fields = Object.values(value)
  const node = asNode(value)
  if (node) {
    if (node.kind === 'identifier') {
      const [first] = node.parts
      if (typeof first === 'string' && !bound.has(first)) report(node)
      return
    }
    if (node.kind === 'subquery' || node.kind === 'type') return
    if (node.kind === 'asterisk') return
    if (node.kind === 'columns') {
      collectMatched(node, bound, report)
      return
    }
    if (node.kind === 'function') {
      const args = node.args ?? []
      if (node.name === 'lambda' && args[0]?.kind === 'function') {
        const inner = new Set(bound)
        for (const parameter of args[0].args ?? [])
          if (parameter.kind === 'identifier' && typeof parameter.parts[0] === 'string') inner.add(parameter.parts[0])
        collectColumns(args[1], inner, report)
        return
      }
      const skip = firstNonColumn(node.name, args)
      if (skip >= 0) {
        collectColumns(
          args.filter((_, index) => index !== skip),
          bound,
          report,
        )
        collectColumns([node.over, node.parameters], bound, report)
        return
      }
    }
  }
  collectColumns(fields, bound, report)
}

/** `t.COLUMNS(a, b)` reads `t.a` and `t.b`; what a pattern matches is not known. */
function collectMatched(
  { qualifier, expression, columns, transformers }: ColumnsMatcher,
  bound: ReadonlySet<string>,
  report: (name: Identifier) => void,
): void {
  collectColumns(columns, bound, (name) =>
    report(qualifier === undefined ? name : { ...name, parts: [...qualifier.parts, ...name.parts] }),
  )
  // EXCEPT takes the name of a column that is not there, unless it is STRICT.
  const reading = transformers?.filter((one) => one.kind !== 'except' || one.strict)
  collectColumns([expression, reading], bound, report)
}

/** Functions whose first of several arguments is a lambda, or the bare name of a function: `arrayMap(toString, a)`. */
const HIGHER_ORDER =
  /^(array(Map|Filter|Fold|Fill|ReverseFill|Split|ReverseSplit|Exists|All|Count|Sum|Avg|Min|Max|Product|First|Last|FirstIndex|LastIndex|FirstOrNull|LastOrNull|CumSum|CumSumNonNegative|Difference|Compact|Sort|ReverseSort|PartialSort|PartialReverseSort)|map(Apply|Filter|Exists|All|Sort|ReverseSort))$/

/** The index of the argument that names a table, a dictionary or a function rather than a column, or -1. */
function firstNonColumn(name: string, args: readonly Expression[]): number {
  if (args.length > 1 && args[0]?.kind === 'identifier' && HIGHER_ORDER.test(name)) return 0
  if (/^(dict(Get|Has|Is)|joinGet)/.test(name)) return 0
  if (IN_FUNCTIONS.has(name) && args[1]?.kind === 'identifier' && !args[1].parenthesized) return 1
  return -1
}

/** The names of all functions below `node`, as written, each once; operators appear as their functions. */
export function referencedFunctions(node: unknown): readonly string[] {
  const found = new Set<string>()
  walk(node, (child) => {
    if (child.kind === 'function') found.add(child.name)
  })
  return [...found]
}
