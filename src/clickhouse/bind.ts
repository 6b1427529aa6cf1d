import { ChkitError } from '../errors.js'
import { Token, tokenize } from '../sql/lexer.js'
import { quoteIdentifier, quoteString } from '../sql/quote.js'

/**
 * `sql` with every `{name:Type}` replaced by its value as a literal, for servers older than 19.14, which bind nothing
 * themselves. Values become `CAST('text' AS Type)` as the server does, identifiers are quoted. Throws `internal_error` for a
 * placeholder without a value.
 */
export function inlineParams(sql: string, params: Readonly<Record<string, unknown>>): string {
  const tokens = tokenize(sql)
  let out = ''
  let copied = 0
  for (let at = 0; at < tokens.count; at++) {
    if (tokens.kinds[at] !== Token.leftBrace || tokens.kinds[at + 2] !== Token.colon) continue
    const close = tokens.matching[at] ?? -1
    if (close < 0) continue
    const name = sql.slice(tokens.starts[at + 1], tokens.ends[at + 1])
    const type = sql.slice(tokens.ends[at + 2], tokens.starts[close]).trim()
    if (!Object.hasOwn(params, name)) {
      throw new ChkitError('internal_error', `No value for the query parameter {${name}:${type}}.`)
    }
    out += sql.slice(copied, tokens.starts[at]) + literal(params[name], type)
    copied = tokens.ends[close] ?? copied
    at = close
  }
  return out + sql.slice(copied)
}

function literal(value: unknown, type: string): string {
  if (type === 'Identifier') return quoteIdentifier(String(value))
  if (value === null || value === undefined) return 'NULL'
  if (type === 'String') return quoteString(String(value))
  return `CAST(${plainLiteral(value)} AS ${type})`
}

function plainLiteral(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value)
  if (typeof value === 'boolean') return value ? '1' : '0'
  if (Array.isArray(value)) return `[${value.map(plainLiteral).join(', ')}]`
  return quoteString(String(value))
}
