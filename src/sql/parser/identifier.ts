import type { Identifier, IdentifierPart, QueryParameter } from '../ast.js'
import { identifierValue, Token, tokenText } from '../lexer.js'
import type { Cursor } from './cursor.js'

/** One name, unquoted. */
export function parseIdentifier(cursor: Cursor): string {
  return cursor.identifier()
}

/** The value of a string literal. */
export function parseStringLiteral(cursor: Cursor): string {
  return cursor.string()
}

/**
 * `a`, `a.b`, `{p:Identifier}.b`, and the JSON paths `a.^b`, `a.:T`, `a.b[]`. Stops before a dot that is followed by
 * something else (`a.1`, `a.*`).
 */
export function parseCompoundIdentifier(cursor: Cursor): Identifier {
  const first = identifierPart(cursor)
  if (cursor.kinds[cursor.index] !== Token.dot)
    return { kind: 'identifier', parts: [first], alias: undefined, parenthesized: undefined }
  const parts: IdentifierPart[] = [first]
  while (cursor.kinds[cursor.index] === Token.dot) {
    const next = cursor.kindAt(cursor.index + 1)
    if (next === Token.caret && isName(cursor, cursor.index + 2)) {
      cursor.index += 2
      parts.push({ kind: 'subObject', name: cursor.identifier() })
    } else if (next === Token.colon && isName(cursor, cursor.index + 2)) {
      cursor.index += 2
      parts.push({ kind: 'typedPath', type: cursor.identifier() })
    } else if (isName(cursor, cursor.index + 1) || next === Token.leftBrace) {
      cursor.index++
      parts.push(identifierPart(cursor))
      const type = arrayPath(cursor)
      if (type) parts.push({ kind: 'typedPath', type })
    } else break
  }
  return { kind: 'identifier', parts, alias: undefined, parenthesized: undefined }
}

function isName(cursor: Cursor, index: number): boolean {
  const kind = cursor.kindAt(index)
  return kind === Token.word || kind === Token.quotedIdentifier
}

/** `[]` after a part of a path means its elements: as many Array(..) around JSON as there are pairs. */
function arrayPath(cursor: Cursor): string | undefined {
  let type = ''
  while (cursor.atToken(Token.leftBracket) && cursor.kindAt(cursor.index + 1) === Token.rightBracket) {
    cursor.index += 2
    type = `Array(${type || 'JSON'})`
  }
  return type || undefined
}

function identifierPart(cursor: Cursor): IdentifierPart {
  if (cursor.kinds[cursor.index] === Token.leftBrace) {
    const parameter = acceptParameter(cursor)
    if (parameter?.type.trimEnd() !== 'Identifier') return cursor.fail('identifier')
    return { kind: 'parameter', name: parameter.name, type: 'Identifier' }
  }
  return cursor.identifier()
}

/** `{name:Type}` at the cursor; steps over it. `undefined` if something else is here. */
export function acceptParameter(cursor: Cursor): QueryParameter | undefined {
  const { index } = cursor
  if (cursor.kinds[index] !== Token.leftBrace) return undefined
  const close = cursor.tokens.matching[index]!
  if (
    close < index + 4 ||
    !isName(cursor, index + 3) ||
    cursor.kinds[index + 1] !== Token.word ||
    cursor.kinds[index + 2] !== Token.colon
  )
    return undefined
  cursor.index = close + 1
  const name = identifierValue(cursor.tokens, index + 1)
  // The server keeps everything up to the closing brace, spaces before it included, but for a lone Identifier.
  const isLone = close === index + 4 && tokenText(cursor.tokens, index + 3) === 'Identifier'
  const type = isLone ? 'Identifier' : cursor.source.slice(cursor.starts[index + 3], cursor.starts[close])
  return { kind: 'parameter', name, type }
}
