import { Token, tokenize, tokenText } from '../sql/lexer.js'
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

const HIDDEN = "'[HIDDEN]'"

/** True when two texts are equal but for secrets that the server hides: `'[HIDDEN]'` stands for any string. */
export function sameText(a: string, b: string): boolean {
  if (a === b) return true
  if (!a.includes(HIDDEN) && !b.includes(HIDDEN)) return false
  const left = tokenize(a)
  const right = tokenize(b)
  if (left.count !== right.count) return false
  for (let index = 0; index < left.count; index++) {
    const one = tokenText(left, index)
    const other = tokenText(right, index)
    const hidden =
      (one === HIDDEN || other === HIDDEN) && left.kinds[index] === Token.string && right.kinds[index] === Token.string
    if (one !== other && !hidden) return false
  }
  return true
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
