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
 * Prints expressions the way ClickHouse 26.7 does on one line. What its formatter hands down from node to node is a
 * mode: a sum of the bits below.
 */

/** The node is an operand: an operator, or anything with an alias, gets brackets. */
export const OPERAND = 1
/**
 * Somewhere below a call with several arguments: IN gets brackets there, subqueries included, down to the next pair
 * of brackets around an expression.
 */
const IN_CALL = 2
/** Not the first element of a list: a lambda gets brackets. */
export const LATER_ELEMENT = 4
/** Below what `[1]` or `.1` is applied to, however deep: a minus as an operand gets brackets whatever it stands before. */
const SUBSCRIPTED = 8
/** What a node hands down to everything below it. */
const INHERITED = IN_CALL | SUBSCRIPTED

/** An expression as `formatQuerySingleLine` spells it. `mode` is for the printers of queries only. */
export function printExpression(node: Expression, mode = 0): string {
  return print(node, mode)
}

/** Comma-separated expressions. */
export function printExpressionList(nodes: readonly Expression[], mode = 0): string {
  return printList(nodes, mode & INHERITED)
}

function printList(nodes: readonly Expression[], inherited: number): string {
  if (nodes.length === 0) return ''
  let out = print(nodes[0]!, inherited)
  for (let index = 1; index < nodes.length; index++) out += `, ${print(nodes[index]!, inherited | LATER_ELEMENT)}`
  return out
}

function print(node: Expression, mode: number): string {
  switch (node.kind) {
    case 'orderByElement':
      return printOrderByElement(node, mode)
    case 'type':
      return printType(node)
    case 'unparsed':
      return node.text
    case 'asterisk':
      return node.parenthesized ? `(${printAsterisk(node, mode & SUBSCRIPTED)})` : printAsterisk(node, mode)
    default:
  }
  const { alias } = node
  if (alias === undefined) {
    if (node.parenthesized)
      return isBracketed(node) ? printBare(node, mode) : `(${printBare(node, mode & SUBSCRIPTED)})`
    if (mode > OPERAND && getsBrackets(node, mode)) return `(${printBare(node, modeInBrackets(node, mode))})`
    return printBare(node, mode)
  }
  const name = quoteIdentifierIfNeeded(alias)
  if (mode & OPERAND) return `(${printBare(node, mode & SUBSCRIPTED)} AS ${name})`
  if (node.parenthesized) {
    if (node.kind === 'subquery') return `(${printBare(node, mode & SUBSCRIPTED)} AS ${name})`
    return `(${printBare(node, mode & SUBSCRIPTED)}) AS ${name}`
  }
  if (mode > OPERAND && getsBrackets(node, mode)) return `(${printBare(node, modeInBrackets(node, mode))}) AS ${name}`
  return `${printBare(node, mode)} AS ${name}`
}

/** Nodes that are written in brackets anyway; the server adds no second pair. */
function isBracketed(node: Expression): boolean {
  return node.kind === 'subquery' || (node.kind === 'literal' && node.type === 'tuple')
}

/** IN among several arguments, and a lambda that is not the first of its list. */
function getsBrackets(node: Expression, mode: number): boolean {
  if (node.kind !== 'function' || !node.operator) return false
  if (mode & IN_CALL && isIn(node.name)) return true
  return (mode & LATER_ELEMENT) !== 0 && node.name === 'lambda'
}

/** Brackets around IN are new ground for what is inside; those around a lambda are not. */
function modeInBrackets(node: Expression, mode: number): number {
  return node.kind === 'function' && node.name === 'lambda' ? mode & INHERITED : mode & SUBSCRIPTED
}

function isIn(name: string): boolean {
  return name === 'in' || name === 'notIn' || name === 'globalIn' || name === 'globalNotIn'
}

function printBare(node: Exclude<Expression, OrderByElement | Asterisk>, mode: number): string {
  switch (node.kind) {
    case 'literal':
      return printLiteral(node)
    case 'identifier':
      return printIdentifier(node)
    case 'function':
      return printFunction(node, mode)
    case 'subquery':
      return `(${printQuery(node.query, mode & INHERITED)})`
    case 'parameter':
      return `{${node.name}:${node.type}}`
    case 'columns':
      return printColumns(node, mode)
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
      return `{${part.name}:${part.type.trimEnd()}}`
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

/** Functions with an operator form. `tupleElement` has one only for positions: `x.name` is printed as a call. */
const OPERATOR_FORMS: ReadonlySet<string> = new Set([
  ...BINARY.keys(),
  ...'array tuple lambda and or not negate isNull isNotNull arrayElement'.split(' '),
])

function printFunction(node: FunctionCall, mode: number): string {
  if (node.operator && node.args !== undefined) {
    const bracketed = (mode & OPERAND) !== 0 && !standsAlone(node.name, node.args[0], mode)
    // Those around a binary operator are new ground, as those around IN are; those around AND, NOT, IS NULL are not.
    const isNewGround = bracketed && (BINARY.has(node.name) || node.name === 'lambda')
    const text = operatorText(node.name, node.args, isNewGround ? mode & ~IN_CALL : mode)
    if (text !== undefined) return bracketed ? `(${text})` : text
  }
  let out = quoteIdentifierIfNeeded(node.name)
  if (node.query) {
    out += `(${printQuery(node.query, mode & INHERITED)}`
    return node.otherwise ? `${out} ELSE ${print(node.otherwise, mode & INHERITED)})` : `${out})`
  }
  if (node.parameters) out += `(${printExpressionList(node.parameters, mode)})`
  if (node.args) {
    out += `(${printExpressionList(node.args, node.args.length > 1 ? mode | IN_CALL : mode)}`
    if (node.settings) out += `${node.args.length > 0 ? ', ' : ''}SETTINGS ${printSettings(node.settings)}`
    out += ')'
  }
  if (node.nulls) out += node.nulls === 'ignore' ? ' IGNORE NULLS' : ' RESPECT NULLS'
  if (node.over !== undefined) {
    const over =
      typeof node.over === 'string' ? quoteIdentifierIfNeeded(node.over) : `(${printWindow(node.over, mode)})`
    out += ` OVER ${over}`
  }
  return out
}

function isList(node: FunctionCall): boolean {
  return node.name === 'array' || node.name === 'tuple'
}

/** Operator forms that need no brackets as operands: lists, and a minus before a constant, which has its own. */
function standsAlone(name: string, first: Expression | undefined, mode: number): boolean {
  if (name === 'array' || name === 'tuple') return true
  if (name !== 'negate' || first === undefined || mode & SUBSCRIPTED) return false
  return (
    isBracketedByMinus(first) || (first.kind === 'function' && first.name === 'negate' && first.alias === undefined)
  )
}

/** A minus before one of these would read as its sign, so the server writes `-(1)`. */
function isBracketedByMinus(operand: Expression): boolean {
  return (
    operand.kind === 'literal' && operand.type !== 'tuple' && operand.type !== 'array' && operand.alias === undefined
  )
}

/** The operator form of a call, or `undefined` where the server has none for this function. */
function operatorText(name: string, args: readonly Expression[], mode: number): string | undefined {
  const inherited = mode & INHERITED
  const operand = inherited | OPERAND
  switch (name) {
    case 'array':
      return `[${printExpressionList(args, mode)}]`
    case 'tuple':
      return args.length > 1 ? `(${printExpressionList(args, mode)})` : undefined
    case 'lambda':
      return printLambda(args, operand)
    case 'and':
      return printMerged(args, ' AND ', operand)
    case 'or':
      return printMerged(args, ' OR ', operand)
    case 'not': {
      const text = print(args[0]!, operand)
      return args[0]!.kind === 'subquery' && args[0]!.alias === undefined ? `NOT (${text})` : `NOT ${text}`
    }
    case 'negate': {
      const text = print(args[0]!, operand)
      // `--` would start a comment; a call of negate is taken for one more minus.
      const isMinus = text.startsWith('-') || text.startsWith('negate(')
      return isMinus || (isBracketedByMinus(args[0]!) && !text.startsWith('(')) ? `-(${text})` : `-${text}`
    }
    case 'isNull':
      return `${print(args[0]!, operand)} IS NULL`
    case 'isNotNull':
      return `${print(args[0]!, operand)} IS NOT NULL`
    case 'arrayElement':
      return `${print(args[0]!, operand | SUBSCRIPTED)}[${print(args[1]!, inherited)}]`
    case 'tupleElement':
      return printTupleElement(args[0]!, args[1]!, operand | SUBSCRIPTED)
    case 'in':
    case 'notIn':
    case 'globalIn':
    case 'globalNotIn':
      // Brackets around IN, where it has them, are new ground for what is inside.
      return `${print(args[0]!, OPERAND | (mode & SUBSCRIPTED))}${BINARY.get(name)}${printSet(args[1]!, mode & SUBSCRIPTED)}`
    default: {
      const symbol = BINARY.get(name)
      if (symbol === undefined) return undefined
      const text = `${print(args[0]!, operand)}${symbol}${print(args[1]!, operand)}`
      return args.length === 3 ? `${text} ESCAPE ${print(args[2]!, operand)}` : text
    }
  }
}

function printMerged(args: readonly Expression[], between: string, mode: number): string {
  let out = print(args[0]!, mode)
  for (let index = 1; index < args.length; index++) out += between + print(args[index]!, mode)
  return out
}

function printLambda(args: readonly Expression[], mode: number): string {
  const parameters = (args[0] as FunctionCall).args!
  const names = parameters.length === 1 ? print(parameters[0]!, OPERAND) : `(${printExpressionList(parameters)})`
  return `${names} -> ${print(args[1]!, mode)}`
}

function printTupleElement(value: Expression, element: Expression, mode: number): string | undefined {
  if (!hasDotForm(value, element)) return undefined
  const position = print(element, 0)
  if (mode & IN_CALL && value.kind === 'function') {
    const bracketed = bracketedInCall(value, mode)
    if (bracketed !== undefined) return `(${bracketed}).${position}`
  }
  const text = print(value, mode)
  return needsBracketsBeforeDot(value, mode) ? `(${text}).${position}` : `${text}.${position}`
}

/**
 * What stands in the brackets before `.1` among several arguments, where those brackets were written: unlike elsewhere
 * they are no new ground for an IN inside. `undefined` where nothing special holds.
 */
function bracketedInCall(value: FunctionCall, mode: number): string | undefined {
  if (value.alias === undefined)
    return value.parenthesized && !isIn(value.name) && !isList(value) ? printBare(value, mode & INHERITED) : undefined
  const text = isIn(value.name) ? `(${printBare(value, mode & SUBSCRIPTED)})` : printBare(value, mode & INHERITED)
  return `${text} AS ${quoteIdentifierIfNeeded(value.alias)}`
}

/** `x.1`: for positions only, and not after a plain constant. */
function hasDotForm(value: Expression, element: Expression): boolean {
  if (element.kind !== 'literal' || element.type !== 'int') return false
  return value.kind !== 'literal' || value.type === 'tuple' || value.type === 'array'
}

/** Calls and subqueries get a pair before `.1`, unless they have one. */
function needsBracketsBeforeDot(value: Expression, mode: number): boolean {
  if (value.kind === 'subquery') return value.alias === undefined
  if (mode & IN_CALL && value.kind === 'function' && isIn(value.name)) return true
  if (value.kind !== 'function' || value.parenthesized || value.alias !== undefined) return false
  return !isList(value) && !hasOperatorForm(value)
}

/** False for `a || b` and the like, which the server prints as a call. */
function hasOperatorForm(node: FunctionCall): boolean {
  if (!node.operator || node.args === undefined) return false
  if (node.name === 'tupleElement') return hasDotForm(node.args[0]!, node.args[1]!)
  return OPERATOR_FORMS.has(node.name)
}

/** The right side of IN: brackets even around a single value. */
function printSet(node: Expression, mode: number): string {
  if ('alias' in node && node.alias !== undefined) return print(node, mode | OPERAND)
  const text = print(node, mode)
  switch (node.kind) {
    case 'subquery':
      return text
    case 'literal':
      if (node.type === 'tuple' || node.type === 'array') return text
      break
    case 'function':
      if (node.parenthesized) break
      if (!hasOperatorForm(node) || isList(node)) return text
      break
    default:
  }
  return 'parenthesized' in node && node.parenthesized ? text : `(${text})`
}

function printAsterisk(node: Asterisk, mode: number): string {
  let out = '*'
  if (node.qualifier) out = `${printIdentifier(node.qualifier)}.*`
  else if (node.expression) out = `${print(node.expression, mode & INHERITED)}.*`
  return node.transformers ? out + printTransformers(node.transformers, mode) : out
}

function printColumns(node: ColumnsMatcher, mode: number): string {
  let out = ''
  if (node.qualifier) out = `${printIdentifier(node.qualifier)}.`
  else if (node.expression) out = `${print(node.expression, mode & INHERITED)}.`
  if (node.columns)
    out += `COLUMNS(${printExpressionList(node.columns, node.columns.length > 1 ? mode | IN_CALL : mode)})`
  else out += `COLUMNS(${quoteString(node.pattern ?? '')})`
  return node.transformers ? out + printTransformers(node.transformers, mode) : out
}

function printTransformers(transformers: readonly ColumnTransformer[], mode: number): string {
  let out = ''
  for (const transformer of transformers) out += ` ${printTransformer(transformer, mode)}`
  return out
}

/** Transformers print what is in them in the mode of the asterisk they belong to. */
function printTransformer(node: ColumnTransformer, mode: number): string {
  switch (node.kind) {
    case 'except': {
      const head = node.strict ? 'EXCEPT STRICT ' : 'EXCEPT '
      if (node.pattern !== undefined) return head + quoteString(node.pattern)
      const names = printExpressionList(node.columns ?? [])
      return node.columns?.length === 1 ? head + names : `${head}(${names})`
    }
    case 'replace': {
      const items = node.items.map((item) => `${print(item.expression, mode)} AS ${quoteIdentifierIfNeeded(item.name)}`)
      return `REPLACE ${node.strict ? 'STRICT ' : ''}(${items.join(', ')})`
    }
    case 'apply': {
      let out = node.lambda ? print(node.lambda, mode) : quoteIdentifierIfNeeded(node.function ?? '')
      if (node.parameters) out += `(${printExpressionList(node.parameters, mode)})`
      return node.columnPrefix === undefined ? `APPLY ${out}` : `APPLY (${out}, ${quoteString(node.columnPrefix)})`
    }
  }
}

/** What stands in the brackets of OVER. `mode` is for the printers of queries only. */
export function printWindow(node: WindowDefinition, mode = 0): string {
  const parts: string[] = []
  // The server does not forget here that the call is an operand: `sum(a) OVER (PARTITION BY (b + c)) + 1`.
  const inherited = mode & (INHERITED | OPERAND)
  if (node.parent !== undefined) parts.push(quoteIdentifierIfNeeded(node.parent))
  if (node.partitionBy) parts.push(`PARTITION BY ${printList(node.partitionBy, inherited)}`)
  if (node.orderBy) parts.push(`ORDER BY ${printList(node.orderBy, inherited)}`)
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
      return `${print(bound.offset, OPERAND)} ${bound.direction}`
  }
}

/** One entry of ORDER BY; the direction is always spelled out. `mode` is for the printers of queries only. */
export function printOrderByElement(node: OrderByElement, mode = 0): string {
  let out = `${print(node.expression, mode)} ${node.direction}`
  if (node.nulls) out += ` NULLS ${node.nulls}`
  if (node.collation) out += ` COLLATE ${print(node.collation, 0)}`
  const { fill } = node
  if (fill) {
    out += ' WITH FILL'
    if (fill.from) out += ` FROM ${print(fill.from, 0)}`
    if (fill.to) out += ` TO ${print(fill.to, 0)}`
    if (fill.step) out += ` STEP ${print(fill.step, 0)}`
    if (fill.staleness) out += ` STALENESS ${print(fill.staleness, 0)}`
  }
  return out
}
