import { type Definition, objectKey } from './definition.js'

/** Fields that say how or where something was written, not what it is. */
const NOT_COMPARED = new Set(['spelling', 'origin', 'plugins', 'renamedFrom', 'cluster'])

/**
 * True when both are the same object in the same form: deep equality of everything but `spelling`, `origin`,
 * `plugins`, `cluster` and `renamedFrom`. Of a view, columns and security count only where `expected` speaks of them,
 * since the server fills them in. Key order never matters.
 */
export function sameDefinition(expected: Definition, actual: Definition): boolean {
  if (objectKey(expected) !== objectKey(actual)) return false
  const unspoken = new Set(NOT_COMPARED)
  if (expected.kind === 'view' || expected.kind === 'materialized_view') {
    if (expected.columns === undefined) unspoken.add('columns')
    if (expected.definer === undefined || expected.definer === 'CURRENT_USER') unspoken.add('definer')
    if (expected.sqlSecurity === undefined) unspoken.add('sqlSecurity')
  }
  return sameFields(expected, actual, unspoken)
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
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a))
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => sameValue(item, b[index]))
  return sameFields(a, b, 'type' in a ? RENAMED : NOTHING)
}
