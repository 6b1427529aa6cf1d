/**
 * Equality of texts that say the same in other words. A server keeps some spellings that it does not tell apart: brackets
 * that change nothing, `plus(a, 1)` for `a + 1`, `'1'` for `1` in a setting. The canonical form keeps them too, so that what
 * is created again is created as it was; here they are no difference. Servers before 25.1 show brackets of their own.
 */
import type { FunctionCall, TypeNode } from '../sql/ast.js'
import type { TtlRule } from '../sql/ast-ddl.js'
import { quoteString } from '../sql/quote.js'
import {
  type Parsed,
  readCall,
  readDictionary,
  readExpression,
  readKey,
  readProjection,
  readQuery,
  readTtl,
} from './clause.js'
import { codecText } from './codec.js'
import type { Projection, SqlText } from './definition.js'
import { sameText } from './same.js'

/** True when two expressions are the same but for their spelling, or both are missing. */
export function sameExpression(a: SqlText | undefined, b: SqlText | undefined): boolean {
  return same(a, b, readExpression)
}

/** True when two entries of a key are the same but for their spelling; they may end with `DESC`. */
export function sameKeyEntry(a: SqlText, b: SqlText): boolean {
  return same(a, b, readKey)
}

/** True when two queries are the same but for their spelling. */
export function sameQuery(a: SqlText, b: SqlText): boolean {
  return same(a, b, readQuery)
}

/** True when two rules of a table's TTL are the same but for their spelling. */
export function sameTtlRule(a: SqlText, b: SqlText): boolean {
  return same(a, b, (text) => {
    const parsed = readTtl(text)
    return parsed.problem === undefined ? { node: parsed.node.map(plainRule) } : parsed
  })
}

/** A rule that recompresses, with the parameters that its codecs have by default. */
function plainRule({ expression, action }: TtlRule) {
  return action.kind === 'recompress'
    ? { expression, action: { ...action, codec: codecText(action.codec, STRING) } }
    : { expression, action }
}

const STRING: TypeNode = { kind: 'type', name: 'String' }

/** True when two projections hold the same but for their spelling; settings are not looked at. */
export function sameProjectionBody(a: Projection, b: Projection): boolean {
  if (a.form !== b.form) return false
  return same(a.body, b.body, (body) => readProjection(a.form === 'query' ? `p (${body})` : `p ${body}`))
}

/** Parameters that an index has when it is given none (seen on 26.7). */
const INDEX_DEFAULTS: Readonly<Record<string, readonly SqlText[]>> = {
  bloom_filter: ['0.025'],
  vector_similarity: ["'hnsw'", "'L2Distance'", '0', "'bf16'", '32', '128'],
}

/** True when two types of indexes are the same: case, order of named parameters and written defaults aside. */
export function sameIndexType(a: SqlText, b: SqlText): boolean {
  return same(a, b, (text) => {
    const parsed = readCall(text)
    return parsed.problem === undefined ? { node: plainIndexType(parsed.node) } : parsed
  })
}

function plainIndexType(call: FunctionCall): FunctionCall {
  const name = call.name.toLowerCase()
  const written = call.args ?? []
  const implied = (INDEX_DEFAULTS[name] ?? []).slice(written.length).flatMap((text) => {
    const parsed = readExpression(text)
    return parsed.problem === undefined ? [parsed.node] : []
  })
  const args = [...written, ...implied].map(plainIndexParameter)
  const nameOf = (arg: (typeof args)[number]) => JSON.stringify(arg).slice(0, 200)
  return {
    kind: 'function',
    name,
    args: name === 'text' ? args.sort((x, y) => (nameOf(x) < nameOf(y) ? -1 : 1)) : args,
  }
}

/** `tokenizer = array`, `= 'array'` and `= array()` name the same tokenizer. */
function plainIndexParameter(arg: NonNullable<FunctionCall['args']>[number]) {
  if (arg.kind !== 'function' || arg.name !== 'equals' || arg.args?.length !== 2) return arg
  const [name, value] = arg.args
  const word =
    value?.kind === 'identifier' && value.parts.length === 1
      ? value.parts[0]
      : value?.kind === 'function' && (value.args ?? []).length === 0
        ? value.name
        : undefined
  if (typeof word !== 'string') return arg
  return { ...arg, args: [name!, { kind: 'literal', type: 'string', value: word } as const] }
}

/** True when source or layout of a dictionary, both as `NAME(key value ..)`, say the same: order and quotes aside. */
export function sameDictionaryClause(a: SqlText, b: SqlText, clause: 'SOURCE' | 'LAYOUT'): boolean {
  return same(a, b, (text) => {
    const parsed = readDictionary(`d (x UInt8) ${clause}(${text})`)
    return parsed.problem === undefined ? { node: plainPairs(parsed.node) } : parsed
  })
}

/** Pairs in the order of their keys, numbers as strings. Keys that come several times keep their order. */
function plainPairs(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    const list = value.map(plainPairs)
    const keyOf = (pair: unknown) => (pair as { readonly key?: string }).key ?? ''
    return list.every((pair) => keyOf(pair) !== '')
      ? list.sort((x, y) => (keyOf(x) < keyOf(y) ? -1 : keyOf(x) > keyOf(y) ? 1 : 0))
      : list
  }
  const { kind, type } = value as { readonly kind?: unknown; readonly type?: unknown }
  if (kind === 'literal' && (type === 'int' || type === 'float')) return { ...value, type: 'string' }
  return Object.fromEntries(Object.entries(value).map(([field, inner]) => [field, plainPairs(inner)]))
}

const SIZES: Readonly<Record<string, number>> = { K: 1, M: 2, G: 3, T: 4, P: 5 }

/** True when two values of a setting are the same to the server: `1`, `'1'`, `true` and `1.0`; `'1Ki'` and `1024`. */
export function sameSettingValue(a: SqlText, b: SqlText): boolean {
  return sameText(a, b) || plainValue(a) === plainValue(b)
}

function plainValue(text: SqlText): string {
  const bare = text.replace(/^'(.*)'$/s, '$1')
  const word = bare.toLowerCase()
  if (word === 'true' || word === 'false') return word === 'true' ? '1' : '0'
  if (/^-?\d+$/.test(bare)) return bare
  const [, digits, unit, binary] = /^(\d+(?:\.\d*)?)([KMGTP])(i?)$/.exec(bare) ?? []
  if (digits !== undefined && unit !== undefined) return String(Number(digits) * (binary ? 1024 : 1000) ** SIZES[unit]!)
  return /^-?\d+\.?\d*(?:e[+-]?\d+)?$/i.test(bare) ? String(Number(bare)) : bare
}

function same<T>(a: SqlText | undefined, b: SqlText | undefined, read: (text: SqlText) => Parsed<T>): boolean {
  if (a === b) return true
  if (a === undefined || b === undefined) return false
  if (sameText(a, b)) return true
  const [one, other] = [read(a), read(b)]
  return one.problem === undefined && other.problem === undefined && sameTree(one.node, other.node)
}

/** How a node was written, and nothing else. */
const SPELLING: ReadonlySet<string> = new Set(['parenthesized', 'operator'])

type Fields = Readonly<Record<string, unknown>>

function sameTree(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a))
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => sameTree(item, b[index]))
  const [left, right] = [a as Fields, b as Fields]
  if (isString(left) && isString(right))
    return left.alias === right.alias && sameText(quoteString(left.value), quoteString(right.value))
  if (isDictionaryCall(left) && left.name === right.name) return sameDictionaryCalls(left, right)
  for (const field in left) if (!SPELLING.has(field) && !sameTree(left[field], right[field])) return false
  for (const field in right)
    if (!SPELLING.has(field) && left[field] === undefined && right[field] !== undefined) return false
  return true
}

function isString(node: Fields): node is Fields & { readonly value: string } {
  return node.kind === 'literal' && node.type === 'string'
}

function isDictionaryCall(node: Fields): boolean {
  if (node.kind !== 'function' || typeof node.name !== 'string') return false
  return node.name.startsWith('dictGet') || node.name === 'dictHas' || node.name === 'dictIsIn'
}

/** The server writes the database before the name of a dictionary that it finds in the current one (seen on 26.7). */
function sameDictionaryCalls(a: Fields, b: Fields): boolean {
  const [one, other] = [a.args, b.args]
  if (!Array.isArray(one) || !Array.isArray(other)) return one === other
  const names = [dictionaryName(one[0]), dictionaryName(other[0])]
  const [short = '', long = ''] = names.sort((x, y) => (x ?? '').length - (y ?? '').length)
  const isSame = short === long || (!short.includes('.') && long.endsWith(`.${short}`))
  if (!isSame || short === '') return sameTree({ ...a, name: '' }, { ...b, name: '' })
  return sameTree({ ...a, name: '', args: one.slice(1) }, { ...b, name: '', args: other.slice(1) })
}

function dictionaryName(node: Fields | undefined): string | undefined {
  if (node?.kind === 'literal' && node.type === 'string') return String(node.value)
  return node?.kind === 'identifier' ? (node.parts as readonly unknown[]).map(String).join('.') : undefined
}
