import type { Expression, Query, TypeNode, Unparsed } from './ast.js'
import { Token } from './lexer.js'
import { type Cursor, cursorOf, ParseFailure } from './parser/cursor.js'
import { parseSelectExpression } from './parser/expression.js'
import { parseQueryWithOutput } from './parser/query.js'
import { parseType } from './parser/type.js'
import { type ParseWarning, warningOf } from './warning.js'

/** A parsed text. With warnings, `node` is `unparsed` and holds the text as it was. */
export interface Parsed<T> {
  readonly node: T | Unparsed
  readonly warnings: readonly ParseWarning[]
}

/** One expression, alias included. Never throws. */
export function parseExpressionText(text: string): Parsed<Expression> {
  return parseWhole(text, parseSelectExpression)
}

/** One data type. Never throws. */
export function parseTypeText(text: string): Parsed<TypeNode> {
  return parseWhole(text, parseType)
}

/** One query (SELECT, UNION, EXPLAIN), with FORMAT and INTO OUTFILE; a final semicolon is allowed. Never throws. */
export function parseSelectText(text: string): Parsed<Query> {
  return parseWhole(text, (cursor) => {
    const query = parseQueryWithOutput(cursor)
    cursor.acceptToken(Token.semicolon)
    return query
  })
}

/**
 * Runs `parse` over the whole of `text`. What it does not follow, or leaves over, makes the result an `unparsed` node
 * with the text verbatim and one warning. Never throws for any text.
 */
export function parseWhole<T>(text: string, parse: (cursor: Cursor) => T): Parsed<T> {
  const cursor = cursorOf(text)
  try {
    const node = parse(cursor)
    if (!cursor.isEnd) cursor.fail('the end')
    return { node, warnings: [] }
  } catch (failure) {
    // RangeError: the stack ran out before the depth limit did.
    if (!(failure instanceof ParseFailure || failure instanceof RangeError)) throw failure
    return { node: { kind: 'unparsed', text }, warnings: [warningOf(cursor, failure)] }
  }
}
