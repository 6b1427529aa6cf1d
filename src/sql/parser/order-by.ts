import type { InterpolateElement, OrderByElement, WithFill } from '../ast.js'
import { Token } from '../lexer.js'
import { type Cursor, parseCommaList } from './cursor.js'
import { parseExpression } from './expression.js'

type Fresh<T> = { -readonly [K in keyof T]: T[K] }

/** `expression [ASC | DESC] [NULLS ..] [COLLATE ..] [WITH FILL ..]`. */
export function parseOrderByElement(cursor: Cursor): OrderByElement {
  const node: Fresh<OrderByElement> = {
    kind: 'orderByElement',
    expression: parseExpression(cursor),
    direction: 'ASC',
  }
  if (cursor.kinds[cursor.index] !== Token.word) return node
  if (cursor.accept('DESC') || cursor.accept('DESCENDING')) node.direction = 'DESC'
  else if (!cursor.accept('ASC')) cursor.accept('ASCENDING')
  if (cursor.accept('NULLS')) {
    node.nulls = cursor.acceptOneOf('FIRST', 'LAST') ?? cursor.fail('FIRST or LAST')
  }
  if (cursor.accept('COLLATE')) node.collation = { kind: 'literal', type: 'string', value: cursor.string() }
  if (cursor.accept('WITH FILL')) node.fill = parseFill(cursor)
  return node
}

/** Comma-separated entries of ORDER BY; at least one. */
export function parseOrderByList(cursor: Cursor): OrderByElement[] {
  return parseCommaList(cursor, parseOrderByElement)
}

function parseFill(cursor: Cursor): WithFill {
  const fill: Fresh<WithFill> = {}
  if (cursor.accept('FROM')) fill.from = parseExpression(cursor)
  if (cursor.accept('TO')) fill.to = parseExpression(cursor)
  if (cursor.accept('STEP')) fill.step = parseExpression(cursor)
  if (cursor.accept('STALENESS')) fill.staleness = parseExpression(cursor)
  return fill
}

/** What follows INTERPOLATE: nothing, `()` or a list of `name [AS expression]` in brackets. */
export function parseInterpolate(cursor: Cursor): InterpolateElement[] {
  if (!cursor.acceptToken(Token.leftParen)) return []
  if (cursor.acceptToken(Token.rightParen)) return []
  const items = parseCommaList(cursor, (at): InterpolateElement => {
    const column = at.identifier()
    return at.accept('AS') ? { column, expression: parseExpression(at) } : { column }
  })
  cursor.expectToken(Token.rightParen, ')')
  return items
}
