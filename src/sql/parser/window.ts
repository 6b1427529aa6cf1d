import type { FrameBound, WindowDefinition, WindowFrame } from '../ast.js'
import { Token } from '../lexer.js'
import type { Cursor } from './cursor.js'
import { parseExpressionList, parseExpressionWithoutAlias } from './expression.js'
import { parseOrderByList } from './order-by.js'

/** What follows OVER: a window's name or a definition in brackets. */
export function parseOver(cursor: Cursor): string | WindowDefinition {
  return cursor.atToken(Token.leftParen) ? parseWindowDefinition(cursor) : cursor.identifier('window name')
}

/** `(parent PARTITION BY .. ORDER BY .. ROWS ..)`, brackets included. */
export function parseWindowDefinition(cursor: Cursor): WindowDefinition {
  cursor.expectToken(Token.leftParen, '(')
  cursor.enter()
  const node: { -readonly [K in keyof WindowDefinition]: WindowDefinition[K] } = {}
  if (cursor.atIdentifier() && !startsWindowClause(cursor)) node.parent = cursor.identifier()
  if (cursor.accept('PARTITION BY')) node.partitionBy = parseExpressionList(cursor)
  if (cursor.accept('ORDER BY')) node.orderBy = parseOrderByList(cursor)
  const unit = cursor.acceptOneOf('ROWS', 'RANGE', 'GROUPS')
  if (unit) node.frame = parseFrame(cursor, unit)
  cursor.expectToken(Token.rightParen, ')')
  cursor.leave()
  return node
}

function startsWindowClause(cursor: Cursor): boolean {
  return (
    cursor.at('PARTITION BY') ||
    cursor.at('ORDER BY') ||
    ((cursor.at('ROWS') || cursor.at('RANGE') || cursor.at('GROUPS')) &&
      cursor.kindAt(cursor.index + 1) !== Token.rightParen)
  )
}

function parseFrame(cursor: Cursor, unit: WindowFrame['unit']): WindowFrame {
  if (cursor.accept('BETWEEN')) {
    const begin = parseBound(cursor)
    cursor.expect('AND')
    return { unit, begin, end: parseBound(cursor) }
  }
  return { unit, begin: parseBound(cursor), end: { kind: 'currentRow' } }
}

function parseBound(cursor: Cursor): FrameBound {
  if (cursor.accept('CURRENT ROW')) return { kind: 'currentRow' }
  if (cursor.accept('UNBOUNDED')) return { kind: 'unbounded', direction: parseDirection(cursor) }
  const offset = parseExpressionWithoutAlias(cursor)
  return { kind: 'offset', offset, direction: parseDirection(cursor) }
}

function parseDirection(cursor: Cursor): 'PRECEDING' | 'FOLLOWING' {
  return cursor.acceptOneOf('PRECEDING', 'FOLLOWING') ?? cursor.fail('PRECEDING or FOLLOWING')
}
