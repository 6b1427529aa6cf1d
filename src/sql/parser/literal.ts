import type { Literal } from '../ast.js'
import { stringValue, Token } from '../lexer.js'
import type { Cursor } from './cursor.js'

const MAX_UINT64 = 18446744073709551615n
const MIN_INT64 = -9223372036854775808n

/** A floating point number as the server prints it: shortest digits, a trailing dot on whole numbers. */
export function formatFloat(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
  if (Object.is(value, -0)) return '-0.'
  const text = String(value)
  if (text.indexOf('e') >= 0) return text.replace('e+', 'e')
  return text.indexOf('.') >= 0 ? text : `${text}.`
}

function hexFloat(text: string): number {
  const [mantissa, exponent = '0'] = text.slice(2).toLowerCase().split('p')
  const [whole, fraction = ''] = mantissa!.split('.')
  return Number(BigInt(`0x${whole}${fraction}`)) * 2 ** (Number(exponent) - 4 * fraction.length)
}

/** The literal that the number token text stands for, or `undefined` where the server refuses it (overflow, `1e`). */
export function numberLiteral(text: string, negative: boolean): Literal | undefined {
  if (text.length < 16 && isDecimalDigits(text)) {
    const value = Number(text)
    return { kind: 'literal', type: 'int', value: negative && value !== 0 ? String(-value) : String(value) }
  }
  const plain = text.indexOf('_') >= 0 ? text.replaceAll('_', '') : text
  const base = plain.length > 2 && plain[0] === '0' ? plain[1]!.toLowerCase() : ''
  if (base === 'x' || base === 'b' || isDecimalDigits(plain)) {
    const isHexFloat = base === 'x' && /[.p]/i.test(plain)
    if (!isHexFloat) {
      if (base === 'b' && !/^0b[01]+$/i.test(plain)) return undefined
      const value = negative ? -BigInt(plain) : BigInt(plain)
      if (value >= MIN_INT64 && value <= MAX_UINT64) return { kind: 'literal', type: 'int', value: String(value) }
      return floatLiteral(Number(value))
    }
    const value = hexFloat(plain)
    return floatLiteral(negative ? -value : value)
  }
  const value = Number(plain)
  if (Number.isNaN(value)) return undefined
  return floatLiteral(negative ? -value : value)
}

function floatLiteral(value: number): Literal | undefined {
  return Number.isFinite(value) ? { kind: 'literal', type: 'float', value: formatFloat(value) } : undefined
}

function isDecimalDigits(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code < 48 || code > 57) return false
  }
  return true
}

/**
 * The word literals NULL, true, false, inf, infinity, nan at token `index`, or `undefined`. A sign before inf is the
 * caller's.
 */
export function wordLiteral(cursor: Cursor, index: number, negative = false): Literal | undefined {
  const length = cursor.ends[index]! - cursor.starts[index]!
  if (length < 3 || length > 8) return undefined
  switch (cursor.source.charCodeAt(cursor.starts[index]!) | 32) {
    case 110: // n
      if (cursor.isWord(index, 'null')) return negative ? undefined : { kind: 'literal', type: 'null' }
      if (cursor.isWord(index, 'nan')) return { kind: 'literal', type: 'float', value: 'nan' }
      return undefined
    case 105: // i
      if (cursor.isWord(index, 'inf') || cursor.isWord(index, 'infinity'))
        return { kind: 'literal', type: 'float', value: negative ? '-inf' : 'inf' }
      return undefined
    case 116: // t
      return !negative && cursor.isWord(index, 'true') ? { kind: 'literal', type: 'bool', value: true } : undefined
    case 102: // f
      return !negative && cursor.isWord(index, 'false') ? { kind: 'literal', type: 'bool', value: false } : undefined
    default:
      return undefined
  }
}

/** A number with an optional sign, string, NULL, bool, array or tuple of those; steps over it. `undefined` if none. */
export function acceptLiteral(cursor: Cursor): Literal | undefined {
  switch (cursor.kind) {
    case Token.string:
      return { kind: 'literal', type: 'string', value: stringValue(cursor.tokens, cursor.index++) }
    case Token.number: {
      const literal = numberLiteral(cursor.text(), false)
      if (literal) cursor.index++
      return literal
    }
    case Token.minus:
    case Token.plus: {
      const negative = cursor.kind === Token.minus
      const next = cursor.kindAt(cursor.index + 1)
      let literal: Literal | undefined
      if (next === Token.number) {
        literal = numberLiteral(
          cursor.source.slice(cursor.starts[cursor.index + 1], cursor.ends[cursor.index + 1]),
          negative,
        )
      } else if (next === Token.word) literal = wordLiteral(cursor, cursor.index + 1, negative)
      if (literal && !(literal.type === 'int' || literal.type === 'float')) return undefined
      if (literal) cursor.index += 2
      return literal
    }
    case Token.word: {
      const literal = wordLiteral(cursor, cursor.index)
      if (literal) cursor.index++
      return literal
    }
    case Token.leftBracket:
    case Token.leftParen:
      return cursor.attempt(() => literalList(cursor))
    case Token.leftBrace:
      return cursor.attempt(() => literalMap(cursor))
    default:
      return undefined
  }
}

function literalList(cursor: Cursor): Literal {
  cursor.enter()
  const type = cursor.kind === Token.leftBracket ? 'array' : 'tuple'
  const close = type === 'array' ? Token.rightBracket : Token.rightParen
  cursor.index++
  const items: Literal[] = []
  while (!cursor.acceptToken(close)) {
    if (items.length > 0) cursor.expectToken(Token.comma, ',')
    if (items.length > 0 && type === 'tuple' && cursor.acceptToken(close)) break
    items.push(acceptLiteral(cursor) ?? cursor.fail('literal'))
  }
  cursor.leave()
  return { kind: 'literal', type, items }
}

function literalMap(cursor: Cursor): Literal {
  cursor.enter()
  cursor.expectToken(Token.leftBrace, '{')
  const entries: { key: Literal; value: Literal }[] = []
  while (!cursor.acceptToken(Token.rightBrace)) {
    if (entries.length > 0) cursor.expectToken(Token.comma, ',')
    const key = acceptLiteral(cursor) ?? cursor.fail('literal')
    cursor.expectToken(Token.colon, ':')
    entries.push({ key, value: acceptLiteral(cursor) ?? cursor.fail('literal') })
  }
  cursor.leave()
  return { kind: 'literal', type: 'map', entries }
}

/** Expects a literal of any form at the cursor. */
export function parseLiteral(cursor: Cursor): Literal {
  return acceptLiteral(cursor) ?? cursor.fail('literal')
}
