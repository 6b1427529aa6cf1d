import type {
  Asterisk,
  ColumnsMatcher,
  ColumnTransformer,
  Expression,
  FunctionCall,
  Identifier,
  Literal,
  Query,
  Setting,
} from '../ast.js'
import { identifierValue, stringValue, Token } from '../lexer.js'
import { printType } from '../printer/type.js'
import { type Cursor, ParseFailure, parseCommaList } from './cursor.js'
import { acceptParameter, parseCompoundIdentifier } from './identifier.js'
import { acceptIntervalUnit, intervalFromText, intervalFunction, toIntervalName } from './interval.js'
import { numberLiteral, wordLiteral } from './literal.js'
import { call, type FreshCall, functionCall, identifierOf, operation } from './nodes.js'
import { parseSelectWithUnion, parseSettings } from './query.js'
import { parseSpecialFunction } from './special-functions.js'
import { parseType } from './type.js'
import { parseOver } from './window.js'

/**
 * Expressions. Builds the tree that the server's `ParserExpression` builds (26.7): operators become functions with
 * `operator` set, casts become `CAST(x, 'T')`, CASE becomes `multiIf`.
 */

/** A chain of operators longer than this is a tree too deep for the server to format, and for us. */
const MAX_CHAIN = 2000

type OperatorKind = 'binary' | 'mergeable' | 'comparison' | 'isNull' | 'between' | 'notBetween' | 'like' | 'isValue'

interface Operator {
  readonly name: string
  readonly precedence: number
  readonly kind: OperatorKind
  /** How many tokens it spans. */
  readonly tokens: number
}

const operator = (name: string, precedence: number, kind: OperatorKind = 'binary', tokens = 1): Operator => ({
  name,
  precedence,
  kind,
  tokens,
})

const SYMBOLS: (Operator | undefined)[] = []
SYMBOLS[Token.equals] = operator('equals', 9, 'comparison')
SYMBOLS[Token.notEquals] = operator('notEquals', 9, 'comparison')
SYMBOLS[Token.less] = operator('less', 9, 'comparison')
SYMBOLS[Token.greater] = operator('greater', 9, 'comparison')
SYMBOLS[Token.lessOrEquals] = operator('lessOrEquals', 9, 'comparison')
SYMBOLS[Token.greaterOrEquals] = operator('greaterOrEquals', 9, 'comparison')
SYMBOLS[Token.spaceship] = operator('isNotDistinctFrom', 9, 'comparison')
SYMBOLS[Token.concat] = operator('concat', 10, 'mergeable')
SYMBOLS[Token.plus] = operator('plus', 11)
SYMBOLS[Token.minus] = operator('minus', 11)
SYMBOLS[Token.asterisk] = operator('multiply', 12)
SYMBOLS[Token.slash] = operator('divide', 12)
SYMBOLS[Token.percent] = operator('modulo', 12)

const OR = operator('or', 4, 'mergeable')
const AND = operator('and', 5, 'mergeable')
const NOT_PRECEDENCE = 5
const NEGATE_PRECEDENCE = 13
const DISTINCT_FROM = operator('isDistinctFrom', 6, 'comparison', 3)
const NOT_DISTINCT_FROM = operator('isNotDistinctFrom', 6, 'comparison', 4)
const IS_NULL = operator('isNull', 6, 'isNull', 2)
const IS_NOT_NULL = operator('isNotNull', 6, 'isNull', 3)
const IS_UNKNOWN = operator('isNull', 6, 'isNull', 2)
const IS_NOT_UNKNOWN = operator('isNotNull', 6, 'isNull', 3)
const IS_VALUE = operator('isNotDistinctFrom', 6, 'isValue', 2)
const IS_NOT_VALUE = operator('isDistinctFrom', 6, 'isValue', 3)
const BETWEEN = operator('between', 7, 'between')
const NOT_BETWEEN = operator('notBetween', 7, 'notBetween', 2)
const LIKE = operator('like', 9, 'like')
const ILIKE = operator('ilike', 9, 'like')
const NOT_LIKE = operator('notLike', 9, 'like', 2)
const NOT_ILIKE = operator('notILike', 9, 'like', 2)
const REGEXP = operator('match', 9, 'comparison')
const IN = operator('in', 9)
const NOT_IN = operator('notIn', 9, 'binary', 2)
const GLOBAL_IN = operator('globalIn', 9, 'binary', 2)
const GLOBAL_NOT_IN = operator('globalNotIn', 9, 'binary', 3)
const MOD = operator('modulo', 12)
const DIV = operator('intDiv', 12)

/** The binary or postfix operator at the cursor, without stepping over it. */
function operatorAt(cursor: Cursor): Operator | undefined {
  const { index } = cursor
  const kind = cursor.kinds[index]!
  if (kind !== Token.word) return SYMBOLS[kind]
  const length = cursor.ends[index]! - cursor.starts[index]!
  if (length > 7) return undefined
  switch (cursor.source.charCodeAt(cursor.starts[index]!) | 32) {
    case 97:
      return length === 3 && cursor.isWord(index, 'and') ? AND : undefined
    case 98:
      return length === 7 && cursor.isWord(index, 'between') ? BETWEEN : undefined
    case 100:
      return length === 3 && cursor.isWord(index, 'div') ? DIV : undefined
    case 103:
      if (length !== 6 || !cursor.isWord(index, 'global')) return undefined
      if (cursor.isWord(index + 1, 'in')) return GLOBAL_IN
      return cursor.isWord(index + 1, 'not') && cursor.isWord(index + 2, 'in') ? GLOBAL_NOT_IN : undefined
    case 105:
      if (length === 2) {
        // IN PARTITION belongs to the ALTER command around the expression.
        if (cursor.isWord(index, 'in'))
          return cursor.inEndsAtDepth === cursor.depth || cursor.isWord(index + 1, 'partition') ? undefined : IN
        return cursor.isWord(index, 'is') ? isOperator(cursor, index) : undefined
      }
      return length === 5 && cursor.isWord(index, 'ilike') ? ILIKE : undefined
    case 108:
      return length === 4 && cursor.isWord(index, 'like') ? LIKE : undefined
    case 109:
      return length === 3 && cursor.isWord(index, 'mod') ? MOD : undefined
    case 110:
      if (length !== 3 || !cursor.isWord(index, 'not')) return undefined
      if (cursor.isWord(index + 1, 'in')) return NOT_IN
      if (cursor.isWord(index + 1, 'like')) return NOT_LIKE
      if (cursor.isWord(index + 1, 'between')) return NOT_BETWEEN
      return cursor.isWord(index + 1, 'ilike') ? NOT_ILIKE : undefined
    case 111:
      return length === 2 && cursor.isWord(index, 'or') ? OR : undefined
    case 114:
      return length === 6 && cursor.isWord(index, 'regexp') ? REGEXP : undefined
    default:
      return undefined
  }
}

function isOperator(cursor: Cursor, index: number): Operator | undefined {
  const not = cursor.isWord(index + 1, 'not')
  const next = not ? index + 2 : index + 1
  if (cursor.isWord(next, 'null')) return not ? IS_NOT_NULL : IS_NULL
  if (cursor.isWord(next, 'unknown')) return not ? IS_NOT_UNKNOWN : IS_UNKNOWN
  if (cursor.isWord(next, 'true') || cursor.isWord(next, 'false')) return not ? IS_NOT_VALUE : IS_VALUE
  if (cursor.isWord(next, 'distinct') && cursor.isWord(next + 1, 'from')) return not ? NOT_DISTINCT_FROM : DISTINCT_FROM
  return undefined
}

/** Words that no bare alias may be (26.7): each would be read as the start of the next clause. */
const RESTRICTED_ALIASES: ReadonlySet<string> = new Set(
  (
    'ALL ANTI ANY ARRAY AS ASOF BETWEEN CROSS ELSE EXCEPT FINAL FORMAT FROM FULL GLOBAL GROUP HAVING ILIKE INNER ' +
    'INTERSECT INTO JOIN LEFT LIKE LIMIT NATURAL NOT OFFSET ON ONLY ORDER PARALLEL PASTE PREWHERE QUALIFY RIGHT ' +
    'SAMPLE SEMI SETTINGS STREAM UNION USING WHERE WINDOW WITH'
  ).split(' '),
)

/** `AS name`, or where `bare` allows it just `name`; steps over it. */
export function acceptAlias(cursor: Cursor, bare: boolean): string | undefined {
  const { index } = cursor
  const kind = cursor.kinds[index]
  if (kind === Token.word) {
    if (cursor.isWord(index, 'as')) {
      const next = cursor.kindAt(index + 1)
      if (next !== Token.word && next !== Token.quotedIdentifier) return undefined
      cursor.index++
      return cursor.identifier('alias')
    }
    if (!bare || RESTRICTED_ALIASES.has(cursor.text().toUpperCase())) return undefined
    // COMMENT 'text' after the query of a view is a clause of the view.
    if (cursor.isWord(index, 'comment') && cursor.kindAt(index + 1) === Token.string) return undefined
    return cursor.identifier()
  }
  return bare && kind === Token.quotedIdentifier ? cursor.identifier('alias') : undefined
}

/** Fields of a node that this file has just built and may still set. */
type Fresh = { alias?: string; parenthesized?: true }

/** One expression, with `AS alias` where the text has it. */
export function parseExpression(cursor: Cursor): Expression {
  return parseElement(cursor, false)
}

/** One expression of a SELECT list: the alias may stand without AS. */
export function parseSelectExpression(cursor: Cursor): Expression {
  return parseElement(cursor, true)
}

/**
 * One expression of a construct with words of its own, such as CASE: the alias may stand without AS where none of
 * `words` does.
 */
export function parseAliased(cursor: Cursor, ...words: readonly string[]): Expression {
  const node = parseExpressionWithoutAlias(cursor)
  if (node.kind === 'asterisk') return node
  if (cursor.kinds[cursor.index] === Token.word && words.some((word) => cursor.at(word))) return node
  const isWritten = cursor.at('AS')
  const alias = acceptAlias(cursor, true)
  if (alias === undefined) return node
  ;(node as Fresh).alias = alias
  return isWritten ? continued(cursor, node) : node
}

/** Comma-separated expressions; at least one. */
export function parseExpressionList(cursor: Cursor): Expression[] {
  return parseCommaList(cursor, parseExpression)
}

/** One expression in which no alias is looked for: what stands between BETWEEN and AND, or before a clause word. */
export function parseExpressionWithoutAlias(cursor: Cursor): Expression {
  cursor.enter()
  const node = parseLambdaOrTernary(cursor)
  cursor.leave()
  return node
}

function parseElement(cursor: Cursor, bareAlias: boolean): Expression {
  cursor.enter()
  const node = parseLambdaOrTernary(cursor)
  cursor.leave()
  const kind = cursor.kinds[cursor.index]
  if (kind === Token.word || kind === Token.quotedIdentifier) {
    if (node.kind === 'asterisk') return node
    const alias = acceptAlias(cursor, bareAlias)
    if (alias === undefined) return node
    ;(node as Fresh).alias = alias
    if (!bareAlias) return continued(cursor, node)
  }
  return node
}

/** Inside of brackets the expression may go on behind an alias: `(a AS x AND b)` is `((a AS x) AND b)`. */
function continued(cursor: Cursor, aliased: Expression): Expression {
  const { index } = cursor
  const kind = cursor.kindAt(index)
  if (kind === Token.comma || kind === Token.rightParen || kind === Token.rightBracket) return aliased
  cursor.enter()
  const node = parseTernary(cursor, parsePostfix(cursor, aliased))
  cursor.leave()
  return node
}

function parseLambdaOrTernary(cursor: Cursor): Expression {
  const arguments_ = acceptLambdaArguments(cursor)
  if (arguments_) return lambda(arguments_, parseTernary(cursor))
  return parseTernary(cursor)
}

function lambda(parameters: readonly Expression[], body: Expression): FunctionCall {
  return operation('lambda', [tuple(parameters), body])
}

function tuple(args: readonly Expression[]): FunctionCall {
  return operation('tuple', args)
}

/** `x ->` or `(x, y) ->`: steps over it when the tokens ahead show one. */
function acceptLambdaArguments(cursor: Cursor): readonly Expression[] | undefined {
  const { index } = cursor
  const kind = cursor.kinds[index]
  if (kind === Token.word || kind === Token.quotedIdentifier) {
    if (cursor.kinds[index + 1] === Token.arrow) {
      const name = cursor.identifier()
      cursor.index++
      return [identifierOf(name)]
    }
    if (cursor.kinds[index + 1] !== Token.dot) return undefined
    let end = index + 2
    while (cursor.kindAt(end) <= Token.quotedIdentifier && cursor.kindAt(end + 1) === Token.dot) end += 2
    if (cursor.kindAt(end) > Token.quotedIdentifier || cursor.kindAt(end + 1) !== Token.arrow) return undefined
    const name = parseCompoundIdentifier(cursor)
    cursor.expectToken(Token.arrow, '->')
    return [name]
  }
  if (kind !== Token.leftParen && kind !== Token.leftBrace) return undefined
  const close = cursor.tokens.matching[index]!
  if (close < 0 || cursor.kindAt(close + 1) !== Token.arrow) return undefined
  if (kind === Token.leftBrace) {
    const name = parseCompoundIdentifier(cursor)
    cursor.expectToken(Token.arrow, '->')
    return [name]
  }
  cursor.index++
  const names: Expression[] = []
  if (cursor.index < close) {
    do {
      if (cursor.index === close) break
      // The server takes any expression that turns out to be a name: `(a)`, `(a AS b)`, `t.a`.
      const at = cursor.index
      const parameter = parseExpression(cursor)
      if (parameter.kind !== 'identifier') throw new ParseFailure('lambda parameter', at)
      names.push(parameter)
    } while (cursor.acceptToken(Token.comma))
  }
  cursor.expectToken(Token.rightParen, ')')
  cursor.index++
  return names
}

function parseTernary(cursor: Cursor, first?: Expression): Expression {
  const condition = parseBinary(cursor, 4, first)
  if (cursor.kinds[cursor.index] !== Token.question) return condition
  cursor.index++
  const then = parseBinary(cursor, 4)
  cursor.expectToken(Token.colon, ':')
  return call('if', [condition, then, parseBinary(cursor, 4)])
}

/** Operators of `precedence` and tighter; all of them associate to the left. `first` is the first operand where it was read. */
function parseBinary(cursor: Cursor, precedence: number, first?: Expression): Expression {
  let left = first ?? parseUnary(cursor)
  let chain = 0
  let mergeable: Expression[] | undefined
  let mergedName = ''
  while (true) {
    const found = operatorAt(cursor)
    if (found === undefined || found.precedence < precedence) return left
    if (++chain > MAX_CHAIN && found.kind !== 'mergeable')
      throw new ParseFailure('a shorter chain of operators', cursor.index, true)
    const start = cursor.index
    cursor.index += found.tokens
    if (found.kind === 'mergeable') {
      const right = parseBinary(cursor, found.precedence + 1)
      if (mergeable !== undefined && mergedName === found.name) {
        mergeable.push(right)
      } else {
        mergeable = [left, right]
        mergedName = found.name
        left = operation(found.name, mergeable)
      }
      continue
    }
    mergeable = undefined
    switch (found.kind) {
      case 'isNull':
        left = operation(found.name, [left])
        break
      case 'isValue': {
        const value = cursor.isWord(start + found.tokens - 1, 'true')
        left = operation(found.name, [left, { kind: 'literal', type: 'bool', value }])
        break
      }
      case 'between':
      case 'notBetween':
        left = parseBetween(cursor, left, found.kind === 'notBetween')
        break
      case 'like': {
        const quantified = acceptQuantified(cursor, found.name, left)
        if (quantified !== undefined) {
          left = quantified
          break
        }
        const pattern = parseBinary(cursor, found.precedence + 1)
        left = operation(
          found.name,
          cursor.accept('ESCAPE')
            ? [left, pattern, { kind: 'literal', type: 'string', value: cursor.string() }]
            : [left, pattern],
        )
        break
      }
      case 'comparison': {
        const quantified = acceptQuantified(cursor, found.name, left)
        left = quantified ?? operation(found.name, [left, parseBinary(cursor, found.precedence + 1)])
        break
      }
      default:
        left = operation(found.name, [left, parseBinary(cursor, found.precedence + 1)])
    }
  }
}

/** Nodes that the value of a BETWEEN may print as: it is printed twice, and so again in every BETWEEN around it. */
const MAX_REPEATED = 100_000

/** How many nodes the value of each BETWEEN prints as, for the one around it. */
const PRINTED_NODES = new WeakMap<object, number>()

function printedNodes(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  const known = PRINTED_NODES.get(value)
  if (known !== undefined) return known
  let sum = 1
  for (const field of Object.values(value)) sum += printedNodes(field)
  return sum
}

function parseBetween(cursor: Cursor, value: Expression, negated: boolean): Expression {
  const repeated = printedNodes(value)
  if (repeated > MAX_REPEATED) throw new ParseFailure('a smaller value of BETWEEN', cursor.index, true)
  const lower = parseBinary(cursor, BETWEEN.precedence + 1)
  cursor.expect('AND')
  const upper = parseBinary(cursor, BETWEEN.precedence + 2)
  const node = negated
    ? operation('or', [operation('less', [value, lower]), operation('greater', [value, upper])])
    : operation('and', [operation('greaterOrEquals', [value, lower]), operation('lessOrEquals', [value, upper])])
  PRINTED_NODES.set(node, 2 * repeated + printedNodes(lower) + printedNodes(upper))
  return node
}

/** What the server rewrites `x op ANY (SELECT ..)` into: the aggregate over the subquery, or IN. */
const QUANTIFIED: Readonly<Record<string, { readonly any: readonly string[]; readonly all: readonly string[] }>> = {
  equals: { any: ['in'], all: ['in', 'singleValueOrNull'] },
  notEquals: { any: ['notIn', 'singleValueOrNull'], all: ['notIn'] },
  less: { any: ['less', 'max'], all: ['less', 'min'] },
  lessOrEquals: { any: ['lessOrEquals', 'max'], all: ['lessOrEquals', 'min'] },
  greater: { any: ['greater', 'min'], all: ['greater', 'max'] },
  greaterOrEquals: { any: ['greaterOrEquals', 'min'], all: ['greaterOrEquals', 'max'] },
}

/** `ANY (SELECT ..)`, `SOME(array)` and the like behind a comparison; other operators take arrays alone. */
function acceptQuantified(cursor: Cursor, name: string, left: Expression): Expression | undefined {
  if (cursor.kinds[cursor.index] !== Token.word || cursor.kindAt(cursor.index + 1) !== Token.leftParen) return undefined
  const all = cursor.at('ALL')
  const some = !all && cursor.at('SOME')
  if (!(all || some || cursor.at('ANY'))) return undefined
  if (!startsQuery(cursor, cursor.index + 2))
    return all || some ? acceptQuantifiedArray(cursor, name, left, all) : undefined
  const rewritten = QUANTIFIED[name]
  if (rewritten === undefined) return undefined
  // `= any((SELECT 1) + 1)` is a call.
  const query = acceptOnce(cursor, 'quantified', (at) => {
    at.index++
    return acceptParenthesizedQuery(at)
  })
  if (query === undefined) return undefined
  const [result, aggregate] = rewritten[all ? 'all' : 'any']
  if (aggregate === undefined) return operation(result!, [left, { kind: 'subquery', query }])
  const wrapped: Query = {
    kind: 'select',
    columns: [call(aggregate, [{ kind: 'asterisk' }])],
    from: [{ kind: 'table', table: { source: { kind: 'subquery', query } } }],
  }
  return operation(result!, [left, { kind: 'subquery', query: wrapped }])
}

/** `x = SOME(array)`: the function over the array that the server makes of it. `ANY(array)` stays the aggregate. */
function acceptQuantifiedArray(cursor: Cursor, name: string, left: Expression, all: boolean): Expression | undefined {
  const array = acceptOnce(cursor, 'quantifiedArray', (at) => {
    at.index += 2
    const item = parseExpressionWithoutAlias(at)
    at.expectToken(Token.rightParen, ')')
    return item
  })
  if (array === undefined) return undefined
  let node: FunctionCall
  if (name === 'equals' && !all) node = call('has', [array, left])
  else if (name === 'notEquals' && all) node = operation('not', [call('has', [array, left])])
  else {
    const item = identifierOf('_a')
    const condition = operation(name, [left, item])
    node = call(all ? 'arrayAll' : 'arrayExists', [call('lambda', [call('tuple', [item]), condition]), array])
  }
  return parsePostfix(cursor, node)
}

function parseUnary(cursor: Cursor): Expression {
  const { index } = cursor
  const kind = cursor.kinds[index]
  if (kind === Token.minus) {
    const literal = acceptSignedLiteral(cursor)
    if (literal) return parsePostfix(cursor, literal)
    cursor.index++
    cursor.enter()
    // +1 under a minus keeps the minus as an operator.
    const operand = parseBinary(cursor, NEGATE_PRECEDENCE + 1)
    cursor.leave()
    return operation('negate', [operand])
  }
  if (kind === Token.plus) {
    cursor.index++
    cursor.enter()
    const next = cursor.kinds[cursor.index]
    let operand: Expression
    if (next === Token.minus) {
      cursor.index++
      operand = operation('negate', [parseBinary(cursor, NEGATE_PRECEDENCE + 1)])
    } else if (next === Token.number) operand = parsePostfix(cursor, numberOperand(cursor))
    // Behind a plus the server has no eye for constants: `+[1]::T` casts the array, not its text.
    else if (next === Token.leftBracket) operand = parsePostfix(cursor, parseSquare(cursor, false))
    else if (next === Token.leftParen) operand = parsePostfix(cursor, parseRound(cursor, false))
    else operand = parseBinary(cursor, NEGATE_PRECEDENCE + 1)
    cursor.leave()
    return operand
  }
  if (kind === Token.word && cursor.ends[index]! - cursor.starts[index]! === 3 && cursor.isWord(index, 'not')) {
    cursor.index++
    cursor.enter()
    const operand = parseBinary(cursor, NOT_PRECEDENCE + 1)
    cursor.leave()
    return operation('not', [operand])
  }
  return parsePostfix(cursor, parseOperand(cursor))
}

/** `-1`, `-1.5::T`, `-inf`: the sign belongs to the number. */
function acceptSignedLiteral(cursor: Cursor): Expression | undefined {
  const { index } = cursor
  const next = cursor.kindAt(index + 1)
  if (next === Token.number) {
    if (cursor.kindAt(index + 2) === Token.doubleColon) return castOfText(cursor, index, index + 2)
    const literal = numberLiteral(cursor.source.slice(cursor.starts[index + 1], cursor.ends[index + 1]), true)
    if (literal) cursor.index += 2
    return literal
  }
  if (next !== Token.word) return undefined
  const literal = wordLiteral(cursor, index + 1, true)
  if (literal) cursor.index += 2
  return literal
}

/** `<tokens from..to>::T`: the server keeps a constant's text as written, as the string to be cast. */
function castOfText(cursor: Cursor, from: number, to: number): FunctionCall {
  const text = cursor.slice(from, to)
  cursor.index = to + 1
  return castTo({ kind: 'literal', type: 'string', value: text }, cursor)
}

function castTo(value: Expression, cursor: Cursor): FunctionCall {
  const type = parseType(cursor)
  if (type.args === undefined) cursor.castEnd = cursor.index
  return call('CAST', [value, { kind: 'literal', type: 'string', value: printType(type) }])
}

function numberOperand(cursor: Cursor): Literal {
  const literal = numberLiteral(cursor.text(), false)
  if (literal === undefined) cursor.fail('number')
  cursor.index++
  return literal!
}

/** `.1`, `.name`, `.*`, `[i]`, `::T`, as many as there are. */
function parsePostfix(cursor: Cursor, operand: Expression): Expression {
  let node = operand
  let chain = 0
  while (true) {
    const kind = cursor.kinds[cursor.index]
    if (kind === Token.leftBracket) {
      cursor.index++
      const position = parseExpression(cursor)
      cursor.expectToken(Token.rightBracket, ']')
      node = operation('arrayElement', [node, position])
    } else if (kind === Token.doubleColon) {
      cursor.index++
      node = castTo(node, cursor)
    } else if (kind === Token.dot) {
      const next = cursor.kindAt(cursor.index + 1)
      if (next === Token.number) {
        cursor.index++
        const element = numberOperand(cursor)
        if (element.type !== 'int') cursor.fail('tuple element')
        node = operation('tupleElement', [node, element])
      } else if (next === Token.asterisk) {
        cursor.index += 2
        node = withTransformers(cursor, { kind: 'asterisk', expression: node })
      } else if (next === Token.word || next === Token.quotedIdentifier) {
        cursor.index++
        if (cursor.at('COLUMNS') && cursor.kindAt(cursor.index + 1) === Token.leftParen) {
          node = parseColumns(cursor, { expression: node })
          continue
        }
        const name = cursor.identifier()
        node = operation('tupleElement', [node, { kind: 'literal', type: 'string', value: name }])
      } else {
        cursor.index++
        node = operation('tupleElement', [node, parseTupleElement(cursor)])
      }
    } else return node
    if (++chain > MAX_CHAIN) throw new ParseFailure('a shorter chain of operators', cursor.index, true)
  }
}

/** What follows the dot when it is no plain number and no name: `x.-1`, `x.'name'`, `x.(1)`. */
function parseTupleElement(cursor: Cursor): Expression {
  cursor.enter()
  const negative = cursor.acceptToken(Token.minus)
  const signed = negative || cursor.acceptToken(Token.plus)
  const operand = parseOperand(cursor)
  const element = signed ? parsePostfix(cursor, operand) : operand
  cursor.leave()
  return negative ? operation('negate', [element]) : element
}

/** True where `(` is followed by a query rather than an expression. */
export function startsQuery(cursor: Cursor, index: number): boolean {
  const at = cursor.afterParens(index)
  if (cursor.kindAt(at) !== Token.word) return false
  switch (cursor.source.charCodeAt(cursor.starts[at]!) | 32) {
    case 115: // s
      return cursor.isWord(at, 'select') && queryGoesOn(cursor, at + 1)
    case 119: // w
      return cursor.isWord(at, 'with') && queryGoesOn(cursor, at + 1)
    case 102: // f
      return cursor.isWord(at, 'from') && queryGoesOn(cursor, at + 1)
    case 101: // e
      return cursor.isWord(at, 'explain') && queryGoesOn(cursor, at + 1)
    default:
      return false
  }
}

/** A column may be called `from`: after a query's first word something other than `,` `)` or an operator must stand. */
function queryGoesOn(cursor: Cursor, index: number): boolean {
  switch (cursor.kindAt(index)) {
    case Token.comma:
    case Token.rightParen:
    case Token.dot:
    case Token.end:
    case Token.equals:
    case Token.doubleColon:
      return false
    default:
      return true
  }
}

function parseOperand(cursor: Cursor): Expression {
  const { index } = cursor
  switch (cursor.kinds[index]) {
    case Token.number:
      if (cursor.kindAt(index + 1) === Token.doubleColon) return castOfText(cursor, index, index + 1)
      return numberOperand(cursor)
    case Token.string:
      cursor.index++
      return { kind: 'literal', type: 'string', value: stringValue(cursor.tokens, index) }
    case Token.word:
      return parseWordOperand(cursor)
    case Token.quotedIdentifier:
      return parseNamed(cursor)
    case Token.leftParen:
      return parseRound(cursor)
    case Token.leftBracket:
      return parseSquare(cursor)
    case Token.leftBrace: {
      const parameter = acceptParameter(cursor)
      if (parameter === undefined) cursor.fail('query parameter')
      if (parameter!.type.trimEnd() !== 'Identifier') return parameter!
      cursor.index = index
      return parseNamed(cursor)
    }
    case Token.asterisk:
      cursor.index++
      return withTransformers(cursor, { kind: 'asterisk' })
    case Token.doubleAt:
      return parseGlobalVariable(cursor)
    default:
      return cursor.fail('expression')
  }
}

/** `@@name` and `@@scope.name`. */
function parseGlobalVariable(cursor: Cursor): Expression {
  cursor.index++
  let name = cursor.identifier()
  if (cursor.atToken(Token.dot)) {
    cursor.index++
    name = cursor.identifier()
  }
  const node = call('globalVariable', [{ kind: 'literal', type: 'string', value: name }])
  return { ...node, alias: `@@${name}` }
}

function parseRound(cursor: Cursor, keepsText = true): Expression {
  const { index } = cursor
  const close = cursor.tokens.matching[index]!
  if (close < 0) cursor.fail('closing bracket')
  if (keepsText && cursor.kindAt(close + 1) === Token.doubleColon && isLiteralText(cursor, index, close))
    return castOfText(cursor, index, close + 1)
  if (startsQuery(cursor, index + 1)) {
    const query = acceptOnce(cursor, 'query', acceptParenthesizedQuery)
    if (query) return { kind: 'subquery', query }
    cursor.index = index
  }
  cursor.index++
  if (cursor.acceptToken(Token.rightParen)) return tuple([])
  cursor.enter()
  const items = [parseExpression(cursor)]
  let comma = false
  while (cursor.acceptToken(Token.comma)) {
    if (cursor.atToken(Token.rightParen)) {
      // `(x::T,)`: the server's parser of simple types takes the comma, so this is no tuple.
      comma ||= cursor.index !== cursor.castEnd + 1
      break
    }
    comma = true
    if (!pushMergedLambda(cursor, items)) items.push(parseExpression(cursor))
  }
  cursor.expectToken(Token.rightParen, ')')
  cursor.leave()
  if (!comma) {
    ;(items[0] as Fresh).parenthesized = true
    return items[0]!
  }
  if (items.length > 1 && items.every(isTupleLiteralItem)) return literalOf('tuple', items)
  return tuple(items)
}

function acceptParenthesizedQuery(cursor: Cursor): Query {
  cursor.index++
  cursor.enter()
  const query = parseSelectWithUnion(cursor)
  cursor.expectToken(Token.rightParen, ')')
  cursor.leave()
  return query
}

/**
 * Tries `parse` here, unless it has already failed at this token: without that memory, nested alternatives would be
 * tried over and over. Restores the position and returns `undefined` on failure.
 */
export function acceptOnce<T>(cursor: Cursor, name: string, parse: (cursor: Cursor) => T): T | undefined {
  const { index } = cursor
  if (cursor.failed?.has(`${name}:${index}`)) return undefined
  const result = cursor.attempt(() => parse(cursor))
  if (result !== undefined) return result
  cursor.failed ??= new Set()
  cursor.failed.add(`${name}:${index}`)
  return undefined
}

function isPlainLiteral(node: Expression): node is Literal {
  return node.kind === 'literal' && node.alias === undefined
}

/** A list of nothing but constants is one constant, and forgets brackets around its items. */
function literalOf(type: 'array' | 'tuple', items: readonly Literal[]): Literal {
  for (const item of items) if (item.parenthesized) delete (item as Fresh).parenthesized
  return { kind: 'literal', type, items }
}

/** A tuple is a constant for the server when it holds plain constants and such tuples, but no arrays. */
function isTupleLiteralItem(node: Expression): node is Literal {
  return isPlainLiteral(node) && node.type !== 'array'
}

function parseSquare(cursor: Cursor, keepsText = true): Expression {
  const { index } = cursor
  const close = cursor.tokens.matching[index]!
  if (close < 0) cursor.fail('closing bracket')
  if (keepsText && cursor.kindAt(close + 1) === Token.doubleColon && isLiteralText(cursor, index, close))
    return castOfText(cursor, index, close + 1)
  cursor.index++
  if (cursor.acceptToken(Token.rightBracket)) return { kind: 'literal', type: 'array', items: [] }
  cursor.enter()
  const items = parseExpressionList(cursor)
  cursor.expectToken(Token.rightBracket, ']')
  cursor.leave()
  return items.every(isPlainLiteral) ? literalOf('array', items) : operation('array', items)
}

/** True when the tokens between two brackets are only constants: then `::` takes their text as it is. */
function isLiteralText(cursor: Cursor, open: number, close: number): boolean {
  let last: number = Token.comma
  for (let index = open; index <= close; index++) {
    const kind = cursor.kinds[index]!
    const afterOpening = last === Token.leftBracket || last === Token.leftParen || last === Token.comma
    switch (kind) {
      case Token.leftBracket:
      case Token.leftParen:
      case Token.string:
        // A heredoc is no constant here.
        if (!afterOpening || cursor.source.charCodeAt(cursor.starts[index]!) === 36) return false
        break
      case Token.minus:
        if (!afterOpening) return false
        break
      case Token.number:
        if (!afterOpening && last !== Token.minus) return false
        break
      case Token.comma:
        if (afterOpening || last === Token.minus) return false
        break
      case Token.rightBracket:
      case Token.rightParen:
        if (last === Token.comma || last === Token.minus) return false
        break
      default:
        return false
    }
    last = kind
  }
  return true
}

/** Operands that begin with a bare word: constants, CASE, INTERVAL, typed literals, functions, names. */
function parseWordOperand(cursor: Cursor): Expression {
  const { index } = cursor
  const literal = wordLiteral(cursor, index)
  if (literal) {
    cursor.index++
    return literal
  }
  const next = cursor.kindAt(index + 1)
  switch (cursor.source.charCodeAt(cursor.starts[index]!) | 32) {
    case 99: // c
      if (cursor.isWord(index, 'case') && next !== Token.dot && next !== Token.comma) {
        const node = acceptOnce(cursor, 'case', parseCase)
        if (node) return node
      }
      if (next === Token.leftParen && cursor.isWord(index, 'columns')) return parseColumns(cursor, {})
      break
    case 105: // i
      if (next !== Token.leftParen || cursor.isWord(index, 'interval')) {
        if (
          cursor.isWord(index, 'interval') &&
          next !== Token.dot &&
          next !== Token.comma &&
          next !== Token.rightParen
        ) {
          const node = acceptOnce(cursor, 'interval', parseInterval)
          if (node) return node
        }
      }
      break
    case 100: // d
      if (next === Token.string && cursor.isWord(index, 'date')) return typedLiteral(cursor, 'toDate')
      break
    case 116: // t
      if (next === Token.string && cursor.isWord(index, 'timestamp')) return typedLiteral(cursor, 'toDateTime')
      break
    case 101: // e
      if (next === Token.leftParen && cursor.isWord(index, 'exists')) return parseExists(cursor)
      break
    default:
  }
  return parseNamed(cursor)
}

function typedLiteral(cursor: Cursor, name: string): FunctionCall {
  cursor.index++
  return call(name, [{ kind: 'literal', type: 'string', value: cursor.string() }])
}

function parseExists(cursor: Cursor): FunctionCall {
  cursor.index++
  const query = acceptParenthesizedQuery(cursor)
  return call('exists', [{ kind: 'subquery', query }])
}

function parseCase(cursor: Cursor): FunctionCall {
  cursor.expect('CASE')
  // A column of that name: `CASE WHEN a THEN case ELSE b END`.
  if (cursor.at('ELSE') || cursor.at('END')) cursor.fail('expression')
  cursor.enter()
  const args: Expression[] = []
  const name = cursor.at('WHEN') ? 'multiIf' : 'caseWithExpression'
  if (name === 'caseWithExpression') args.push(parseAliased(cursor, 'WHEN', 'ELSE', 'END'))
  while (cursor.accept('WHEN')) {
    args.push(parseAliased(cursor, 'THEN'))
    cursor.expect('THEN')
    args.push(parseAliased(cursor, 'WHEN', 'ELSE', 'END'))
  }
  args.push(cursor.accept('ELSE') ? parseAliased(cursor, 'END') : { kind: 'literal', type: 'null' })
  cursor.expect('END')
  cursor.leave()
  return call(name, args)
}

function parseInterval(cursor: Cursor): FunctionCall {
  cursor.expect('INTERVAL')
  if (cursor.atToken(Token.string)) {
    const parts = intervalFromText(stringValue(cursor.tokens, cursor.index))
    if (parts) {
      cursor.index++
      return parts.length === 1 ? parts[0]! : tuple(parts)
    }
  }
  const value = parseExpression(cursor)
  let unit = acceptIntervalUnit(cursor)
  const alias = unit === undefined ? acceptAlias(cursor, true) : undefined
  if (alias !== undefined) {
    ;(value as Fresh).alias = alias
    unit = acceptIntervalUnit(cursor)
  }
  if (unit === undefined) cursor.fail('interval unit')
  return intervalFunction(toIntervalName(unit!), value)
}

/** A name: column, function call, `t.*`, `t.COLUMNS(..)`. */
function parseNamed(cursor: Cursor): Expression {
  const { index } = cursor
  // The common case of one plain name, without anything behind it.
  const next = cursor.kinds[index + 1]
  if (next !== Token.dot && next !== Token.leftParen && cursor.kinds[index] !== Token.leftBrace)
    return identifierOf(cursor.identifier())
  const name = parseCompoundIdentifier(cursor)
  const after = cursor.kinds[cursor.index]
  if (after === Token.dot) {
    if (cursor.kindAt(cursor.index + 1) !== Token.asterisk) return name
    cursor.index += 2
    return withTransformers(cursor, { kind: 'asterisk', qualifier: name })
  }
  if (after !== Token.leftParen) return name
  const last = name.parts[name.parts.length - 1]
  if (name.parts.length > 1 && last === lastWord(cursor) && cursor.atIndex('COLUMNS', cursor.index - 1)) {
    cursor.index--
    return parseColumns(cursor, { qualifier: { kind: 'identifier', parts: name.parts.slice(0, -1) } })
  }
  if (!name.parts.every((part) => typeof part === 'string')) cursor.fail('operator')
  return parseFunction(cursor, name.parts.join('.'), index + 1 === cursor.index)
}

function lastWord(cursor: Cursor): string {
  return identifierValue(cursor.tokens, cursor.index - 1)
}

/** `name(..)` with the cursor at the bracket; `plain` when the name is one token. */
export function parseFunction(cursor: Cursor, name: string, plain: boolean): Expression {
  if (plain) {
    const quoted = cursor.kinds[cursor.index - 1] !== Token.word
    const special = parseSpecialFunction(cursor, name, quoted)
    if (special) return special
  }
  return parseRegularFunction(cursor, name)
}

/** `name(..)` with everything that may follow it: parameters, FILTER, nulls, OVER. The cursor is at the bracket. */
export function parseRegularFunction(cursor: Cursor, name: string): FunctionCall {
  cursor.enter()
  let parsed = parseArguments(cursor)
  let parameters: readonly Expression[] | undefined
  if (cursor.atToken(Token.leftParen)) {
    parameters = parsed.args
    if (parsed.distinct || parsed.settings) cursor.fail('arguments')
    parsed = parseArguments(cursor)
    if (parsed.args.length === 0 && cursor.atToken(Token.leftParen)) cursor.fail('end of call')
  }
  cursor.leave()
  const node = functionCall(name, parsed.args, undefined)
  if (parsed.distinct) node.name = `${name}Distinct`
  if (parameters) node.parameters = parameters
  if (parsed.settings) node.settings = parsed.settings
  if (cursor.kinds[cursor.index] === Token.word && mayBeSuffix(cursor)) parseCallSuffixes(cursor, node)
  return node
}

/** FILTER, IGNORE, RESPECT, OVER: by the first letter. */
function mayBeSuffix(cursor: Cursor): boolean {
  const code = cursor.source.charCodeAt(cursor.starts[cursor.index]!) | 32
  return code === 102 || code === 105 || code === 114 || code === 111
}

function parseCallSuffixes(cursor: Cursor, node: FreshCall): void {
  if (cursor.kindAt(cursor.index + 1) === Token.leftParen && cursor.at('FILTER')) {
    cursor.index += 2
    cursor.expect('WHERE')
    // `count(*)` counts rows: with a condition the server leaves nothing but the condition.
    const args = node.name === 'count' ? node.args!.filter((arg) => arg.kind !== 'asterisk') : node.args!
    node.args = [...args, parseExpression(cursor)]
    node.name = `${node.name}If`
    cursor.expectToken(Token.rightParen, ')')
  }
  const nulls = cursor.acceptOneOf('IGNORE NULLS', 'RESPECT NULLS')
  if (nulls) node.nulls = nulls === 'IGNORE NULLS' ? 'ignore' : 'respect'
  if (cursor.at('OVER')) {
    const next = cursor.kindAt(cursor.index + 1)
    if (next === Token.leftParen || next === Token.word || next === Token.quotedIdentifier) {
      cursor.index++
      node.over = parseOver(cursor)
    }
  }
}

interface Arguments {
  readonly args: readonly Expression[]
  readonly distinct: boolean
  readonly settings?: readonly Setting[]
}

function parseArguments(cursor: Cursor): Arguments {
  cursor.expectToken(Token.leftParen, '(')
  if (cursor.acceptToken(Token.rightParen)) return { args: [], distinct: false }
  let distinct = false
  if (cursor.kinds[cursor.index] === Token.word) {
    const next = cursor.kindAt(cursor.index + 1)
    if (next !== Token.comma && next !== Token.rightParen) {
      distinct = cursor.accept('DISTINCT')
      if (!distinct) cursor.accept('ALL')
    }
  }
  const args: Expression[] = []
  do {
    if (cursor.at('SETTINGS') && cursor.kindAt(cursor.index + 2) === Token.equals) {
      cursor.index++
      const settings = parseSettings(cursor)
      cursor.expectToken(Token.rightParen, ')')
      return { args, distinct, settings }
    }
    if (!pushMergedLambda(cursor, args)) args.push(parseExpression(cursor))
  } while (cursor.acceptToken(Token.comma))
  cursor.expectToken(Token.rightParen, ')')
  return { args, distinct }
}

/**
 * `f(a, x -> ..)`: an unbracketed lambda takes all elements before it as its parameters too. Replaces them in `items`
 * and steps over the lambda; false if none is here.
 */
function pushMergedLambda(cursor: Cursor, items: Expression[]): boolean {
  if (items.length === 0 || !cursor.atIdentifier() || cursor.kindAt(cursor.index + 1) !== Token.arrow) return false
  const name = cursor.identifier()
  cursor.index++
  const parameters: Expression[] = [...items, identifierOf(name)]
  const node = lambda(parameters, parseTernary(cursor))
  const alias = acceptAlias(cursor, false)
  if (alias !== undefined) (node as Fresh).alias = alias
  items.length = 0
  items.push(node)
  return true
}

function parseColumns(cursor: Cursor, of: { qualifier?: Identifier; expression?: Expression }): ColumnsMatcher {
  cursor.index += 2
  const node: { -readonly [K in keyof ColumnsMatcher]: ColumnsMatcher[K] } = { kind: 'columns', ...of }
  if (cursor.atToken(Token.string) && cursor.kindAt(cursor.index + 1) === Token.rightParen)
    node.pattern = cursor.string()
  else node.columns = parseExpressionList(cursor)
  cursor.expectToken(Token.rightParen, ')')
  return withTransformers(cursor, node)
}

/** Attaches EXCEPT, REPLACE and APPLY; `* LIKE 'a%'` becomes COLUMNS with a regular expression. */
function withTransformers<T extends Asterisk | ColumnsMatcher>(cursor: Cursor, node: T): T | ColumnsMatcher {
  let target: T | ColumnsMatcher = node
  if (cursor.kinds[cursor.index] !== Token.word) return node
  if (node.kind === 'asterisk' && node.expression === undefined && cursor.kindAt(cursor.index + 1) === Token.string) {
    const like = cursor.acceptOneOf('LIKE', 'ILIKE')
    if (like) {
      const pattern = `${like === 'ILIKE' ? '(?i)' : ''}${likeToRegexp(cursor.string())}`
      target = node.qualifier ? { kind: 'columns', qualifier: node.qualifier, pattern } : { kind: 'columns', pattern }
    }
  }
  const transformers: ColumnTransformer[] = []
  while (true) {
    const transformer = acceptTransformer(cursor)
    if (transformer === undefined) break
    transformers.push(transformer)
  }
  return transformers.length > 0 ? { ...target, transformers } : target
}

/** The regular expression that the server makes of a LIKE pattern. */
function likeToRegexp(pattern: string): string {
  let out = pattern.startsWith('%') ? '' : '^'
  const body = pattern.replace(/^%+/, '')
  let end = '$'
  for (let index = 0; index < body.length; index++) {
    const char = body[index]!
    if (char === '%') {
      if (index === body.length - 1) end = ''
      else out += '.*'
    } else if (char === '_') out += '.'
    else if (char === '\\' && index + 1 < body.length) {
      const next = body[++index]!
      out += next === '%' || next === '_' ? next : `\\${next}`
    } else out += '^$.[]|()?*+{:-'.includes(char) ? `\\${char}` : char
  }
  return out + end
}

function acceptTransformer(cursor: Cursor): ColumnTransformer | undefined {
  if (cursor.kinds[cursor.index] !== Token.word) return undefined
  if (cursor.at('EXCEPT')) return acceptExcept(cursor)
  if (cursor.at('REPLACE')) return acceptReplace(cursor)
  return cursor.at('APPLY') ? parseApply(cursor) : undefined
}

function acceptExcept(cursor: Cursor): ColumnTransformer | undefined {
  // `SELECT * EXCEPT SELECT ..` is the set operation.
  if (cursor.at('EXCEPT SELECT') || cursor.at('EXCEPT ALL') || cursor.at('EXCEPT DISTINCT')) return undefined
  if (cursor.kindAt(cursor.index + 1) === Token.leftParen && startsQuery(cursor, cursor.index + 2)) return undefined
  cursor.index++
  const strict = cursor.accept('STRICT') ? { strict: true as const } : {}
  const bracketed = cursor.acceptToken(Token.leftParen)
  const close = () => {
    if (bracketed) cursor.expectToken(Token.rightParen, ')')
  }
  if (cursor.atToken(Token.string)) {
    const pattern = cursor.string()
    close()
    return { kind: 'except', ...strict, pattern }
  }
  const name = (): Identifier => identifierOf(cursor.identifier())
  const columns = bracketed ? parseCommaList(cursor, name) : [name()]
  close()
  return { kind: 'except', ...strict, columns }
}

function acceptReplace(cursor: Cursor): ColumnTransformer {
  cursor.index++
  const strict = cursor.accept('STRICT') ? { strict: true as const } : {}
  const item = () => {
    // An alias in brackets stays with the expression: `(a AS b) AS c`.
    const expression = parseExpressionWithoutAlias(cursor)
    return { expression, name: acceptAlias(cursor, false) ?? cursor.fail('AS name') }
  }
  if (cursor.atToken(Token.leftParen)) {
    const { index } = cursor
    const close = cursor.tokens.matching[index]!
    // `REPLACE (a + 1) AS a` brackets the expression, `REPLACE (a + 1 AS a)` the list.
    if (close > 0 && !cursor.atIndex('AS', close + 1) && !isOperatorAfter(cursor, close + 1)) {
      cursor.index++
      const items = parseCommaList(cursor, item)
      cursor.expectToken(Token.rightParen, ')')
      return { kind: 'replace', ...strict, items }
    }
  }
  return { kind: 'replace', ...strict, items: [item()] }
}

function isOperatorAfter(cursor: Cursor, index: number): boolean {
  const kind = cursor.kindAt(index)
  return SYMBOLS[kind] !== undefined || kind === Token.doubleColon || kind === Token.dot || kind === Token.leftBracket
}

function parseApply(cursor: Cursor): ColumnTransformer {
  cursor.index++
  const bracketed = cursor.acceptToken(Token.leftParen)
  let node: ColumnTransformer
  const isLambda =
    (cursor.atIdentifier() && cursor.kindAt(cursor.index + 1) === Token.arrow) ||
    (cursor.atToken(Token.leftParen) && cursor.kindAt(cursor.afterBracket(cursor.index)) === Token.arrow)
  if (isLambda) node = { kind: 'apply', lambda: parseExpressionWithoutAlias(cursor) }
  else if (bracketed && cursor.acceptToken(Token.leftParen)) {
    // The server's own print of a lambda in brackets, before a prefix.
    node = { kind: 'apply', lambda: parseExpressionWithoutAlias(cursor) }
    cursor.expectToken(Token.rightParen, ')')
  } else {
    const name = cursor.identifier('function name')
    node = { kind: 'apply', function: name }
    if (cursor.acceptToken(Token.leftParen)) {
      const parameters = cursor.atToken(Token.rightParen) ? [] : parseExpressionList(cursor)
      cursor.expectToken(Token.rightParen, ')')
      node = { ...node, parameters }
    }
  }
  if (!bracketed) return node
  if (cursor.acceptToken(Token.comma)) node = { ...node, columnPrefix: cursor.string() }
  cursor.expectToken(Token.rightParen, ')')
  return node
}
