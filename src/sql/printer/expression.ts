import type {
  Asterisk,
  ColumnsMatcher,
  ColumnTransformer,
  Expression,
  FrameBound,
  FunctionCall,
  Identifier,
  IdentifierPart,
  Literal,
  OrderByElement,
  WindowDefinition,
} from '../ast.js'
import { quoteIdentifierIfNeeded, quoteString } from '../quote.js'
import { printQuery, printSettings } from './query.js'
import { printType } from './type.js'

/**
 * Prints expressions the way ClickHouse 26.7 does on one line. `needParens` says that the node is an operand: then an
 * operator, or anything with an alias, gets brackets.
 */

/** An expression as `formatQuerySingleLine` spells it. */
export function printExpression(node: Expression): string {
  return print(node, false)
}

/** Comma-separated expressions. */
export function printExpressionList(nodes: readonly Expression[]): string {
  let out = ''
  for (let index = 0; index < nodes.length; index++) {
    if (index > 0) out += ', '
    out += print(nodes[index]!, false)
  }
  return out
}

function print(node: Expression, needParens: boolean): string {
  switch (node.kind) {
    case 'orderByElement':
      return printOrderByElement(node)
    case 'type':
      return printType(node)
    case 'unparsed':
      return node.text
    case 'asterisk': {
      const text = printAsterisk(node)
      return node.parenthesized ? `(${text})` : text
    }
    default:
  }
  const { alias } = node
  if (alias === undefined) {
    if (node.parenthesized && !isBracketed(node)) return `(${printBare(node, false)})`
    return printBare(node, needParens)
  }
  const name = quoteIdentifierIfNeeded(alias)
  if (needParens) return `(${printBare(node, false)} AS ${name})`
  if (node.parenthesized) {
    if (node.kind === 'subquery') return `(${printBare(node, false)} AS ${name})`
    return `(${printBare(node, false)}) AS ${name}`
  }
  return `${printBare(node, false)} AS ${name}`
}

/** Nodes that are written in brackets anyway; the server adds no second pair. */
function isBracketed(node: Expression): boolean {
  return node.kind === 'subquery' || (node.kind === 'literal' && node.type === 'tuple')
}

function printBare(node: Exclude<Expression, OrderByElement | Asterisk>, needParens: boolean): string {
  switch (node.kind) {
    case 'literal':
      return printLiteral(node)
    case 'identifier':
      return printIdentifier(node)
    case 'function':
      return printFunction(node, needParens)
    case 'subquery':
      return `(${printQuery(node.query)})`
    case 'parameter':
      return `{${quoteIdentifierIfNeeded(node.name)}:${node.type}}`
    case 'columns':
      return printColumns(node)
    case 'type':
      return printType(node)
    case 'unparsed':
      return node.text
  }
}

/** A constant as the server spells it. */
export function printLiteral(node: Literal): string {
  switch (node.type) {
    case 'int':
    case 'float':
      return node.value
    case 'string':
      return quoteString(node.value)
    case 'null':
      return 'NULL'
    case 'bool':
      return node.value ? 'true' : 'false'
    case 'array':
      return `[${printLiterals(node.items)}]`
    case 'tuple':
      if (node.items.length < 2) return `tuple(${printLiterals(node.items)})`
      return `(${printLiterals(node.items)})`
    case 'map': {
      let out = ''
      for (const { key, value } of node.entries) out += `${out && ', '}${printLiteral(key)}:${printLiteral(value)}`
      return `{${out}}`
    }
  }
}

function printLiterals(items: readonly Literal[]): string {
  let out = ''
  for (let index = 0; index < items.length; index++) out += (index > 0 ? ', ' : '') + printLiteral(items[index]!)
  return out
}

/** A name, each part quoted where needed. */
export function printIdentifier(node: Identifier): string {
  const { parts } = node
  let out = printPart(parts[0]!)
  for (let index = 1; index < parts.length; index++) out += `.${printPart(parts[index]!)}`
  return out
}

function printPart(part: IdentifierPart): string {
  if (typeof part === 'string') return quoteIdentifierIfNeeded(part)
  switch (part.kind) {
    case 'parameter':
      return `{${quoteIdentifierIfNeeded(part.name)}:${part.type.trimEnd()}}`
    case 'subObject':
      return `^${quoteIdentifierIfNeeded(part.name)}`
    case 'typedPath':
      return `:${quoteIdentifierIfNeeded(part.type)}`
  }
}

const BINARY: ReadonlyMap<string, string> = new Map([
  ['multiply', ' * '],
  ['divide', ' / '],
  ['modulo', ' % '],
  ['plus', ' + '],
  ['minus', ' - '],
  ['notEquals', ' != '],
  ['lessOrEquals', ' <= '],
  ['greaterOrEquals', ' >= '],
  ['less', ' < '],
  ['greater', ' > '],
  ['equals', ' = '],
  ['isNotDistinctFrom', ' <=> '],
  ['isDistinctFrom', ' IS DISTINCT FROM '],
  ['like', ' LIKE '],
  ['ilike', ' ILIKE '],
  ['notLike', ' NOT LIKE '],
  ['notILike', ' NOT ILIKE '],
  ['in', ' IN '],
  ['notIn', ' NOT IN '],
  ['globalIn', ' GLOBAL IN '],
  ['globalNotIn', ' GLOBAL NOT IN '],
])

function printFunction(node: FunctionCall, needParens: boolean): string {
  if (node.operator && node.args !== undefined) {
    const text = printOperator(node, node.args, needParens)
    if (text !== undefined) return text
  }
  let out = quoteIdentifierIfNeeded(node.name)
  if (node.query) {
    out += `(${printQuery(node.query)}`
    return node.otherwise ? `${out} ELSE ${print(node.otherwise, false)})` : `${out})`
  }
  if (node.parameters) out += `(${printExpressionList(node.parameters)})`
  if (node.args) {
    out += `(${printArguments(node.args)}`
    if (node.settings) out += `${node.args.length > 0 ? ', ' : ''}SETTINGS ${printSettings(node.settings)}`
    out += ')'
  }
  if (node.nulls) out += node.nulls === 'ignore' ? ' IGNORE NULLS' : ' RESPECT NULLS'
  if (node.over !== undefined) {
    out += ` OVER ${typeof node.over === 'string' ? quoteIdentifierIfNeeded(node.over) : `(${printWindow(node.over)})`}`
  }
  return out
}

/** How many calls with several arguments stand around the node that is being printed. */
let callsAround = 0

/** Inside a call with several arguments, however deep, the server brackets every IN. */
function printArguments(args: readonly Expression[]): string {
  if (args.length < 2) return printExpressionList(args)
  callsAround++
  try {
    return printExpressionList(args)
  } finally {
    callsAround--
  }
}

const SET_OPERATORS: ReadonlySet<string> = new Set(['in', 'notIn', 'globalIn', 'globalNotIn'])

/** The operator form, or `undefined` where the server has none for this function. */
function printOperator(node: FunctionCall, args: readonly Expression[], needParens: boolean): string | undefined {
  const text = operatorText(node.name, args)
  if (text === undefined) return undefined
  if (!needParens && callsAround > 0 && !node.parenthesized && SET_OPERATORS.has(node.name)) return `(${text})`
  return needParens && node.name !== 'array' && node.name !== 'tuple' ? `(${text})` : text
}

function operatorText(name: string, args: readonly Expression[]): string | undefined {
  switch (name) {
    case 'array':
      return `[${printExpressionList(args)}]`
    case 'tuple':
      return args.length > 1 ? `(${printExpressionList(args)})` : undefined
    case 'lambda':
      return printLambda(args)
    case 'and':
      return printMerged(args, ' AND ')
    case 'or':
      return printMerged(args, ' OR ')
    case 'not':
      return printPrefix('NOT ', args[0]!)
    case 'negate':
      return printPrefix('-', args[0]!)
    case 'isNull':
      return `${print(args[0]!, true)} IS NULL`
    case 'isNotNull':
      return `${print(args[0]!, true)} IS NOT NULL`
    case 'arrayElement':
      return `${print(args[0]!, true)}[${print(args[1]!, false)}]`
    case 'tupleElement':
      return printTupleElement(args[0]!, args[1]!)
    case 'in':
    case 'notIn':
    case 'globalIn':
    case 'globalNotIn':
      return `${print(args[0]!, true)}${BINARY.get(name)}${printSet(args[1]!)}`
    default: {
      const symbol = BINARY.get(name)
      if (symbol === undefined) return undefined
      const text = `${print(args[0]!, true)}${symbol}${print(args[1]!, true)}`
      return args.length === 3 ? `${text} ESCAPE ${print(args[2]!, true)}` : text
    }
  }
}

function printMerged(args: readonly Expression[], between: string): string {
  let out = print(args[0]!, true)
  for (let index = 1; index < args.length; index++) out += between + print(args[index]!, true)
  return out
}

function printPrefix(symbol: string, operand: Expression): string {
  const text = print(operand, true)
  if (operand.kind === 'subquery' && symbol === 'NOT ') return `NOT (${text})`
  // A minus before a constant would read as its sign.
  if (symbol === '-' && operand.kind === 'literal' && !text.startsWith('(') && !text.startsWith('['))
    return `-(${text})`
  return symbol + text
}

function printLambda(args: readonly Expression[]): string {
  const parameters = (args[0] as FunctionCall).args!
  const names =
    parameters.length === 1 ? print(parameters[0]!, false) : `(${parameters.map((p) => print(p, false)).join(', ')})`
  return `${names} -> ${print(args[1]!, true)}`
}

function printTupleElement(value: Expression, element: Expression): string | undefined {
  if (element.kind !== 'literal' || element.type !== 'int') return undefined
  if (value.kind === 'literal' && value.type !== 'tuple' && value.type !== 'array') return undefined
  const text = print(value, true)
  return needsBracketsBeforeDot(value) ? `(${text}).${element.value}` : `${text}.${element.value}`
}

/** Calls and subqueries get a pair before `.1`, unless they have one. */
function needsBracketsBeforeDot(value: Expression): boolean {
  if (value.kind === 'subquery') return true
  if (value.kind !== 'function' || value.parenthesized || value.alias !== undefined) return false
  if (!value.operator) return value.name !== 'tuple' && value.name !== 'array'
  return operatorText(value.name, value.args!) === undefined && value.name !== 'tuple'
}

/** The right side of IN: brackets even around a single value. */
function printSet(node: Expression): string {
  if ('alias' in node && node.alias !== undefined) return print(node, true)
  const text = print(node, false)
  switch (node.kind) {
    case 'subquery':
      return text
    case 'literal':
      if (node.type === 'tuple' || node.type === 'array') return text
      break
    case 'function':
      if (node.parenthesized) break
      if (!node.operator || node.name === 'tuple' || node.name === 'array') return text
      break
    default:
  }
  return 'parenthesized' in node && node.parenthesized ? text : `(${text})`
}

function printAsterisk(node: Asterisk): string {
  let out = '*'
  if (node.qualifier) out = `${printIdentifier(node.qualifier)}.*`
  else if (node.expression) out = `${print(node.expression, false)}.*`
  return out + printTransformers(node.transformers)
}

function printColumns(node: ColumnsMatcher): string {
  let out = ''
  if (node.qualifier) out = `${printIdentifier(node.qualifier)}.`
  else if (node.expression) out = `${print(node.expression, false)}.`
  out += `COLUMNS(${node.columns ? printExpressionList(node.columns) : quoteString(node.pattern ?? '')})`
  return out + printTransformers(node.transformers)
}

function printTransformers(transformers: readonly ColumnTransformer[] | undefined): string {
  let out = ''
  for (const transformer of transformers ?? []) out += ` ${printTransformer(transformer)}`
  return out
}

function printTransformer(node: ColumnTransformer): string {
  switch (node.kind) {
    case 'except': {
      const head = node.strict ? 'EXCEPT STRICT ' : 'EXCEPT '
      if (node.pattern !== undefined) return head + quoteString(node.pattern)
      const names = printExpressionList(node.columns ?? [])
      return node.columns?.length === 1 ? head + names : `${head}(${names})`
    }
    case 'replace': {
      const items = node.items.map(
        (item) => `${print(item.expression, false)} AS ${quoteIdentifierIfNeeded(item.name)}`,
      )
      return `REPLACE ${node.strict ? 'STRICT ' : ''}(${items.join(', ')})`
    }
    case 'apply': {
      let out = node.lambda ? print(node.lambda, false) : quoteIdentifierIfNeeded(node.function ?? '')
      if (node.parameters) out += `(${printExpressionList(node.parameters)})`
      return node.columnPrefix === undefined ? `APPLY ${out}` : `APPLY (${out}, ${quoteString(node.columnPrefix)})`
    }
  }
}

/** What stands in the brackets of OVER. */
export function printWindow(node: WindowDefinition): string {
  const parts: string[] = []
  if (node.parent !== undefined) parts.push(quoteIdentifierIfNeeded(node.parent))
  if (node.partitionBy) parts.push(`PARTITION BY ${printExpressionList(node.partitionBy)}`)
  if (node.orderBy) parts.push(`ORDER BY ${printExpressionList(node.orderBy)}`)
  if (node.frame)
    parts.push(`${node.frame.unit} BETWEEN ${printBound(node.frame.begin)} AND ${printBound(node.frame.end)}`)
  return parts.join(' ')
}

function printBound(bound: FrameBound): string {
  switch (bound.kind) {
    case 'currentRow':
      return 'CURRENT ROW'
    case 'unbounded':
      return `UNBOUNDED ${bound.direction}`
    case 'offset':
      return `${print(bound.offset, false)} ${bound.direction}`
  }
}

/** One entry of ORDER BY; the direction is always spelled out. */
export function printOrderByElement(node: OrderByElement): string {
  let out = `${print(node.expression, false)} ${node.direction}`
  if (node.nulls) out += ` NULLS ${node.nulls}`
  if (node.collation) out += ` COLLATE ${print(node.collation, false)}`
  const { fill } = node
  if (fill) {
    out += ' WITH FILL'
    if (fill.from) out += ` FROM ${print(fill.from, false)}`
    if (fill.to) out += ` TO ${print(fill.to, false)}`
    if (fill.step) out += ` STEP ${print(fill.step, false)}`
    if (fill.staleness) out += ` STALENESS ${print(fill.staleness, false)}`
  }
  return out
}
