import type {
  Expression,
  FunctionCall,
  Identifier,
  Join,
  SampleRatio,
  Subquery,
  TableExpression,
  TablesElement,
} from '../ast.js'
import { Token } from '../lexer.js'
import { type Cursor, parseCommaList } from './cursor.js'
import { acceptAlias, parseExpression, parseExpressionList, parseFunction, startsQuery } from './expression.js'
import { parseCompoundIdentifier } from './identifier.js'
import { parseSelectWithUnion, selectAllFrom } from './query.js'

type Fresh<T> = { -readonly [K in keyof T]: T[K] }

/**
 * The tables after FROM with their joins and ARRAY JOINs, in order. Where FROM stands before SELECT, aliases need
 * their AS (`bareAlias` false).
 */
export function parseTables(cursor: Cursor, bareAlias = true): TablesElement[] {
  const elements: TablesElement[] = [{ kind: 'table', table: parseTable(cursor, bareAlias) }]
  while (true) {
    const element = acceptTablesElement(cursor, bareAlias)
    if (element === undefined) return elements
    elements.push(element)
  }
}

function acceptTablesElement(cursor: Cursor, bareAlias: boolean): TablesElement | undefined {
  if (cursor.acceptToken(Token.comma))
    return { kind: 'table', table: parseTable(cursor, bareAlias), join: { type: 'COMMA' } }
  if (cursor.kinds[cursor.index] !== Token.word) return undefined
  if (cursor.accept('LEFT ARRAY JOIN')) return arrayJoin(cursor, true)
  if (cursor.accept('INNER ARRAY JOIN') || cursor.accept('ARRAY JOIN')) return arrayJoin(cursor, false)
  const join = acceptJoinWords(cursor)
  if (join === undefined) return undefined
  const table = parseTable(cursor, bareAlias)
  if (cursor.accept('USING')) join.using = parseUsing(cursor)
  else if (cursor.accept('ON')) join.on = parseExpression(cursor)
  else if (join.type !== 'CROSS' && join.type !== 'PASTE' && !join.natural) cursor.fail('ON or USING')
  return { kind: 'table', table, join }
}

function arrayJoin(cursor: Cursor, left: boolean): TablesElement {
  return {
    kind: 'arrayJoin',
    left,
    expressions: parseExpressionList(cursor),
  }
}

/** `[GLOBAL|LOCAL] [NATURAL] [strictness] [type] JOIN`, strictness before or after the type. */
function acceptJoinWords(cursor: Cursor): Fresh<Join> | undefined {
  const { index } = cursor
  const join: Fresh<Join> = { type: 'INNER' }
  // LOCAL is the default, and the server forgets it.
  if (cursor.acceptOneOf('GLOBAL', 'LOCAL') === 'GLOBAL') join.locality = 'GLOBAL'
  if (cursor.accept('NATURAL')) join.natural = true
  let strictness = cursor.acceptOneOf('ANY', 'ALL', 'ASOF', 'SEMI', 'ANTI', 'ONLY')
  const type = cursor.acceptOneOf('INNER', 'LEFT', 'RIGHT', 'FULL', 'CROSS', 'PASTE')
  if (strictness === undefined) strictness = cursor.acceptOneOf('ANY', 'ALL', 'ASOF', 'SEMI', 'ANTI', 'ONLY')
  if (type === 'LEFT' || type === 'RIGHT' || type === 'FULL') cursor.accept('OUTER')
  if (!cursor.accept('JOIN')) {
    cursor.index = index
    return undefined
  }
  if (strictness === 'ONLY') strictness = undefined
  if (strictness) join.strictness = strictness
  // SEMI and ANTI without a side keep the rows of the left table.
  join.type = type ?? (strictness === 'SEMI' || strictness === 'ANTI' ? 'LEFT' : 'INNER')
  return join
}

function parseUsing(cursor: Cursor): Expression[] {
  if (cursor.atToken(Token.leftParen)) {
    cursor.index++
    const columns = parseCommaList(cursor, parseExpression)
    cursor.expectToken(Token.rightParen, ')')
    return columns
  }
  return parseCommaList(cursor, parseExpression)
}

/** One table of FROM: a name, table function or subquery with alias, FINAL and SAMPLE. */
export function parseTable(cursor: Cursor, bareAlias: boolean): TableExpression {
  const node: Fresh<TableExpression> = {
    source: parseSource(cursor),
    alias: undefined,
    columnAliases: undefined,
    final: undefined,
    stream: undefined,
    sampleSize: undefined,
    sampleOffset: undefined,
  }
  const alias = cursor.at('UUID') ? undefined : acceptAlias(cursor, bareAlias)
  if (alias !== undefined) {
    node.alias = alias
    if (cursor.acceptToken(Token.leftParen)) {
      node.columnAliases = parseCommaList(cursor, (at) => at.identifier())
      cursor.expectToken(Token.rightParen, ')')
    }
  }
  if (cursor.kinds[cursor.index] !== Token.word) return node
  if (cursor.accept('FINAL')) node.final = true
  if (cursor.accept('STREAM')) node.stream = true
  if (cursor.accept('SAMPLE')) {
    node.sampleSize = parseRatio(cursor)
    if (cursor.accept('OFFSET')) node.sampleOffset = parseRatio(cursor)
  }
  return node
}

function parseSource(cursor: Cursor): Identifier | FunctionCall | Subquery {
  if (cursor.atToken(Token.leftParen)) return parseBracketedSource(cursor)
  if (cursor.atToken(Token.string)) return { kind: 'identifier', parts: [cursor.string()] }
  if (atCall(cursor)) {
    // `db.view(x = 1)`, a parameterised view: the server keeps its name as one with a dot.
    let name = cursor.identifier('table function')
    while (cursor.acceptToken(Token.dot)) name += `.${cursor.identifier('table function')}`
    const call = parseFunction(cursor, name, true)
    return call.kind === 'function' ? call : cursor.fail('table function')
  }
  return parseCompoundIdentifier(cursor)
}

/** At a name with a bracket behind it. */
function atCall(cursor: Cursor): boolean {
  if (!cursor.atIdentifier()) return false
  let end = cursor.index
  const isName = (kind: number | undefined) => kind === Token.word || kind === Token.quotedIdentifier
  while (cursor.kindAt(end + 1) === Token.dot && isName(cursor.kindAt(end + 2))) end += 2
  return cursor.kindAt(end + 1) === Token.leftParen
}

function parseBracketedSource(cursor: Cursor): Subquery {
  cursor.enter()
  cursor.index++
  let source: Subquery
  if (atValues(cursor)) {
    cursor.index++
    const args = parseCommaList(cursor, parseExpression)
    source = { kind: 'subquery', query: selectAllFrom({ kind: 'function', name: 'SQLStandardValues', args }) }
  } else if (startsQuery(cursor, cursor.index) && !startsWithTable(cursor, cursor.index)) {
    source = { kind: 'subquery', query: parseSelectWithUnion(cursor) }
  } else {
    // Brackets around a join: the server reads it as a subquery over the join.
    const from = parseTables(cursor)
    if (from.length < 2) cursor.fail('JOIN')
    source = { kind: 'subquery', query: { kind: 'select', columns: [{ kind: 'asterisk' }], from } }
  }
  cursor.expectToken(Token.rightParen, ')')
  cursor.leave()
  return source
}

/** `(VALUES (1), (2))`; before anything else than a list's end, `values(..)` is the table function. */
function atValues(cursor: Cursor): boolean {
  if (!cursor.at('VALUES') || cursor.kindAt(cursor.index + 1) !== Token.leftParen) return false
  const next = cursor.kindAt(cursor.afterBracket(cursor.index + 1))
  return next === Token.comma || next === Token.rightParen
}

/** Whether the query in brackets at `index` is the first table of a join, as in `((SELECT 1) AS a JOIN b ..)`. */
function startsWithTable(cursor: Cursor, index: number): boolean {
  let open = index
  while (cursor.kindAt(open) === Token.leftParen) {
    const after = cursor.afterBracket(open)
    if (after < 0) return false
    if (cursor.kindAt(after) !== Token.rightParen)
      return !['UNION', 'INTERSECT', 'EXCEPT'].some((word) => cursor.atIndex(word, after))
    open++
  }
  return false
}

interface Decimal {
  readonly numerator: bigint
  readonly denominator: bigint
}

/** `0.25` is 25 / 100: the server keeps the digits and does not reduce. */
function parseDecimal(cursor: Cursor): Decimal {
  if (!cursor.atToken(Token.number)) cursor.fail('sample ratio')
  const match = /^(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(cursor.text().replaceAll('_', ''))
  if (match === null) return cursor.fail('sample ratio')
  cursor.index++
  const fraction = match[2] ?? ''
  const exponent = Number(match[3] ?? '0')
  if (Math.abs(exponent) > 400 || fraction.length > 400) return cursor.fail('sample ratio')
  let numerator = BigInt(match[1]! + fraction)
  let denominator = 10n ** BigInt(fraction.length)
  if (exponent > 0) numerator *= 10n ** BigInt(exponent)
  else denominator *= 10n ** BigInt(-exponent)
  return { numerator, denominator }
}

function parseRatio(cursor: Cursor): SampleRatio {
  let { numerator, denominator } = parseDecimal(cursor)
  if (cursor.acceptToken(Token.slash)) {
    const divisor = parseDecimal(cursor)
    numerator *= divisor.denominator
    denominator *= divisor.numerator
  }
  return { numerator: String(numerator), denominator: String(denominator) }
}
