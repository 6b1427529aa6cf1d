import { Token, type Tokens, tokenize, tokenText } from '../sql/lexer.js'
import { type Definition, objectKey } from './definition.js'

/** Fields that say how or where something was written, not what it is. */
const NOT_COMPARED = new Set(['spelling', 'origin', 'plugins', 'renamedFrom', 'functions', 'cluster'])

/**
 * True when both are the same object in the same form: deep equality of everything but `spelling`, `origin`,
 * `plugins`, `cluster`, `functions` and `renamedFrom`. Of a view, columns and security count only where `expected` speaks of them,
 * since the server fills them in. Key order never matters.
 */
export function sameDefinition(expected: Definition, actual: Definition): boolean {
  if (expected === actual) return true
  if (objectKey(expected) !== objectKey(actual)) return false
  const unspoken = new Set(NOT_COMPARED)
  if (expected.kind === 'view' || expected.kind === 'materialized_view') {
    if (expected.columns === undefined) unspoken.add('columns')
    if (expected.definer === undefined || expected.definer === 'CURRENT_USER') unspoken.add('definer')
    if (expected.sqlSecurity === undefined) unspoken.add('sqlSecurity')
  }
  // Engines over other tables and table functions bring their columns with them.
  if (expected.kind === 'table' && expected.columns.length === 0) unspoken.add('columns')
  return sameFields(expected, actual, unspoken)
}

const HIDDEN = '[HIDDEN]'

/** Functions of which the server hides everything behind the first parameter, as one (seen on 26.7). */
const ENCRYPTING = new Set(['encrypt', 'decrypt', 'trydecrypt', 'aes_encrypt_mysql', 'aes_decrypt_mysql'])

/**
 * True when two texts are equal but for secrets that the server hides: `'[HIDDEN]'` stands for any string, within a
 * string for any part of it, and in a function that encrypts for all the parameters that follow.
 */
export function sameText(a: string, b: string): boolean {
  if (a === b) return true
  if (!a.includes(HIDDEN) && !b.includes(HIDDEN)) return false
  const left = tokenize(a)
  const right = tokenize(b)
  let [at, other] = [0, 0]
  while (at < left.count && other < right.count) {
    const [one, two] = [tokenText(left, at), tokenText(right, other)]
    if (one === two || (isString(left, at) && isString(right, other) && sameSecret(one, two))) {
      at++
      other++
    } else if (one === `'${HIDDEN}'` || two === `'${HIDDEN}'`) {
      const ends = [
        endOfEncrypted(left, at) ?? endOfLiteral(left, at),
        endOfEncrypted(right, other) ?? endOfLiteral(right, other),
      ] as const
      if (ends[0] === undefined || ends[1] === undefined) return false
      at = ends[0]
      other = ends[1]
    } else return false
  }
  return at === left.count && other === right.count
}

function isString(tokens: Tokens, index: number): boolean {
  return tokens.kinds[index] === Token.string
}

/** True when one of the quoted strings shows the other with its secret hidden, or names the variable that holds it. */
function sameSecret(a: string, b: string): boolean {
  const [shown, whole] = a.includes(HIDDEN) ? [a, b] : [b, a]
  if (!shown.includes(HIDDEN)) return false
  if (shown === `'${HIDDEN}'` || whole.startsWith("'env:")) return true
  const parts = shown.split(HIDDEN)
  let from = parts[0]!.length
  if (!whole.startsWith(parts[0]!) || !whole.endsWith(parts.at(-1)!)) return false
  for (const part of parts.slice(1, -1)) {
    const found = whole.indexOf(part, from)
    if (found < 0) return false
    from = found + part.length
  }
  return whole.length - parts.at(-1)!.length >= from
}

/** Behind a literal: values of named collections are hidden whatever their types are. */
function endOfLiteral(tokens: Tokens, index: number): number | undefined {
  const end = tokens.kinds[index] === Token.minus ? index + 1 : index
  const kind = tokens.kinds[end]
  const isLiteral =
    kind === Token.number || kind === Token.string || /^(?:true|false|null)$/i.test(tokenText(tokens, end))
  return isLiteral ? end + 1 : undefined
}

/** The closing bracket of the call around a token, where that call's parameters are hidden as one. */
function endOfEncrypted(tokens: Tokens, index: number): number | undefined {
  for (let at = index; at < tokens.count; at++) {
    const matching = tokens.matching[at] ?? -1
    if (matching > at) at = matching
    else if (matching >= 0) return ENCRYPTING.has(tokenText(tokens, matching - 1).toLowerCase()) ? at : undefined
  }
  return undefined
}

function sameFields(a: object, b: object, except: ReadonlySet<string>): boolean {
  const left = a as Readonly<Record<string, unknown>>
  const right = b as Readonly<Record<string, unknown>>
  for (const field in left) if (!except.has(field) && !sameValue(left[field], right[field])) return false
  for (const field in right)
    if (!except.has(field) && left[field] === undefined && right[field] !== undefined) return false
  return true
}

const NOTHING: ReadonlySet<string> = new Set()
const RENAMED: ReadonlySet<string> = new Set(['renamedFrom'])

function sameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a === 'string' && typeof b === 'string') return sameText(a, b)
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a))
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => sameValue(item, b[index]))
  return sameFields(a, b, 'type' in a ? RENAMED : NOTHING)
}
