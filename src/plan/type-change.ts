/**
 * What the server does when a column's type changes, for columns in no special role and for key columns.
 * Source: reference/alter-matrix.md sections 1.2 and 1.3, seen on 26.7.
 */
import type { SqlText } from '../model/definition.js'
import { Token, tokenize } from '../sql/lexer.js'
import { quoteIdentifierIfNeeded, quoteString } from '../sql/quote.js'

export type TypeChange = {
  /** metadata: nothing is rewritten; mutation: parts are rewritten; refused: the server has no such conversion. */
  readonly way: 'metadata' | 'mutation' | 'refused'
  /** What values may lose or turn into, as the rest of a sentence; undefined when each value keeps its meaning. */
  readonly loss?: string
  /** Rows for which this holds must not exist: the conversion would fail on them, or they could not be read after. */
  readonly guard?: SqlText
  /** The command must carry a default although the column has none: Nullable to plain. */
  readonly needsDefault?: boolean
}

type ParsedType = { readonly name: string; readonly args: readonly string[] }

/** The name of a type and its parameters as texts: `Map(String, UInt8)` is `Map` and two texts. */
export function parseType(type: string): ParsedType {
  const tokens = tokenize(type)
  if (tokens.kinds[1] !== Token.leftParen) return { name: type.trim(), args: [] }
  const close = tokens.matching[1]!
  if (close < 0) return { name: type.trim(), args: [] }
  const args: string[] = []
  let start = tokens.ends[1]!
  for (let index = 2; index < close; index++) {
    const opens = tokens.matching[index]!
    if (opens > index) index = opens
    else if (tokens.kinds[index] === Token.comma) {
      args.push(type.slice(start, tokens.starts[index]).trim())
      start = tokens.ends[index]!
    }
  }
  if (close > 2) args.push(type.slice(start, tokens.starts[close]).trim())
  return { name: type.slice(tokens.starts[0], tokens.ends[0]), args }
}

/**
 * What happens to a column `name` that turns from one canonical type into another. `hasDefault`: it has a DEFAULT of
 * its own afterwards, which the server puts in the place of NULL.
 */
export function classifyTypeChange(name: string, from: string, to: string, hasDefault = false): TypeChange {
  if (from === to) return { way: 'metadata' }
  const quoted = quoteIdentifierIfNeeded(name)
  const plain = withoutNullable(from)
  if (!hasDefault || plain === undefined || withoutNullable(to) !== undefined || acceptsNull(parseType(to)))
    return change(quoted, from, to)
  const inner = change(quoted, plain, to)
  if (inner.way === 'refused') return inner
  const loss = inner.loss === undefined ? 'NULL becomes the default' : `NULL becomes the default, and ${inner.loss}`
  return { ...inner, way: 'mutation', loss }
}

/** `T` of `Nullable(T)`, of `LowCardinality(Nullable(T))` with its LowCardinality; undefined for other types. */
function withoutNullable(type: string): string | undefined {
  const { name, args } = parseType(type)
  if (name === 'Nullable') return args[0]
  if (name !== 'LowCardinality') return undefined
  const inner = withoutNullable(args[0]!)
  return inner === undefined ? undefined : `LowCardinality(${inner})`
}

const METADATA: TypeChange = { way: 'metadata' }
const MUTATION: TypeChange = { way: 'mutation' }
const REFUSED: TypeChange = { way: 'refused' }

function change(column: string, fromText: string, toText: string): TypeChange {
  if (fromText === toText) return METADATA
  const from = parseType(fromText)
  const to = parseType(toText)

  if (from.name === 'AggregateFunction' || to.name === 'AggregateFunction') return REFUSED
  const plainFrom = from.name === 'SimpleAggregateFunction' ? from.args.slice(1).join(', ') : undefined
  const plainTo = to.name === 'SimpleAggregateFunction' ? to.args.slice(1).join(', ') : undefined
  if (plainFrom !== undefined || plainTo !== undefined) return change(column, plainFrom ?? fromText, plainTo ?? toText)

  if (from.name === 'LowCardinality' || to.name === 'LowCardinality') {
    const inner = change(
      column,
      from.name === 'LowCardinality' ? from.args[0]! : fromText,
      to.name === 'LowCardinality' ? to.args[0]! : toText,
    )
    return inner.way === 'metadata' ? { ...inner, way: 'mutation' } : inner
  }
  if (from.name === 'Nullable' && to.name !== 'Nullable' && !acceptsNull(to)) {
    const inner = change(column, from.args[0]!, toText)
    if (inner.way === 'refused') return inner
    return {
      ...inner,
      way: 'mutation',
      needsDefault: true,
      guard: inner.guard === undefined ? `${column} IS NULL` : `(${column} IS NULL) OR (${inner.guard})`,
    }
  }
  if (from.name === 'Nullable' || to.name === 'Nullable') {
    const inner = change(
      column,
      from.name === 'Nullable' ? from.args[0]! : fromText,
      to.name === 'Nullable' ? to.args[0]! : toText,
    )
    // NULL stays NULL, and the casts of a guard cannot tell it from what they refuse.
    const guard =
      from.name === 'Nullable' && inner.guard !== undefined
        ? { guard: `(${column} IS NOT NULL) AND (${inner.guard})` }
        : {}
    return { ...inner, ...guard, ...(inner.way === 'metadata' && { way: 'mutation' as const }) }
  }

  const isEnum = (type: ParsedType) => type.name === 'Enum8' || type.name === 'Enum16'
  if (isEnum(from) && isEnum(to)) return enumChange(column, from, to)
  if (from.name === 'String' && isEnum(to)) {
    const labels = [...enumValues(to).values()].map(quoteString)
    return { way: 'mutation', guard: `${column} NOT IN (${labels.join(', ')})` }
  }
  if (isEnum(from) && to.name === 'String') return { way: 'mutation' }
  if (from.name === 'Enum8' && to.name === 'Int8') return METADATA
  if (isInteger(from.name) && isEnum(to))
    return { way: 'mutation', guard: `${column} NOT IN (${[...enumValues(to).keys()].join(', ')})` }

  if (to.name === 'String') {
    if (from.name === 'Dynamic' || from.name === 'JSON') return { way: 'mutation' }
    return MUTATION
  }
  if (from.name === 'FixedString' && to.name === 'FixedString')
    return Number(to.args[0]) > Number(from.args[0]) ? MUTATION : REFUSED
  if (from.name === 'String' && to.name === 'FixedString')
    return { way: 'mutation', guard: `length(${column}) > ${to.args[0]}` }
  if (from.name === 'String' && to.name === 'JSON')
    return { way: 'mutation', guard: `(NOT isValidJSON(${column})) OR (JSONType(${column}) != 'Object')` }
  if (from.name === 'String' && isScalar(to))
    return { way: 'mutation', guard: `accurateCastOrNull(${column}, ${quoteString(toText)}) IS NULL` }

  const time = timeChange(from, to)
  if (time !== undefined) return time
  const numeric = numericChange(column, from, to)
  if (numeric !== undefined) return numeric
  if (isPoint(from, fromText, to, toText)) return METADATA

  if (from.name === to.name && (from.name === 'Array' || from.name === 'Map'))
    return from.name === 'Array' ? arrayChange(column, from, to) : mapChange(column, from, to)
  if (from.name === 'Tuple' && to.name === 'Tuple') return tupleChange(column, from, to)
  if (from.name === 'Nested' && to.name === 'Nested') return tupleChange(column, from, to)
  if (from.name === 'JSON' && to.name === 'JSON') return jsonChange(column, from, to, toText)
  if (to.name === 'Dynamic' || (to.name === 'Variant' && to.args.includes(fromText))) return MUTATION
  if (from.name === 'Variant' && to.name === 'Variant') {
    const removed = from.args.filter((type) => !to.args.includes(type))
    // The server extends a Variant only: it converts none to one with fewer types (seen on 26.7).
    return removed.length === 0 ? MUTATION : { way: 'refused' }
  }
  return {
    way: 'mutation',
    loss: `a value that cannot be turned from ${fromText} into ${toText} makes it fail or is lost`,
  }
}

/** Types that hold NULL by themselves. */
function acceptsNull(type: ParsedType): boolean {
  return type.name === 'Dynamic' || type.name === 'Variant'
}

// Numbers

const INTEGER = /^(U?)Int(8|16|32|64|128|256)$/

function isInteger(name: string): boolean {
  return INTEGER.test(name)
}

function integerRange(name: string): { signed: boolean; bits: number } | undefined {
  const match = INTEGER.exec(name === 'Bool' ? 'UInt8' : name)
  return match === null ? undefined : { signed: match[1] === '', bits: Number(match[2]) }
}

const FLOAT_BITS: Readonly<Record<string, number>> = { BFloat16: 8, Float32: 24, Float64: 53 }

function isNumeric(type: ParsedType): boolean {
  return integerRange(type.name) !== undefined || type.name in FLOAT_BITS || type.name === 'Decimal'
}

function isScalar(type: ParsedType): boolean {
  return (
    isNumeric(type) ||
    ['Date', 'Date32', 'DateTime', 'DateTime64', 'Time', 'Time64', 'UUID', 'IPv4', 'IPv6'].includes(type.name)
  )
}

function numericChange(column: string, from: ParsedType, to: ParsedType): TypeChange | undefined {
  if (!isNumeric(from) || !isNumeric(to)) return undefined
  if (from.name === 'Bool' && to.name === 'UInt8') return METADATA
  if (from.name === 'UInt8' && to.name === 'Bool') return { way: 'metadata', loss: 'values above 1 are read as true' }
  if (to.name === 'Bool') return { way: 'mutation', loss: 'every value but 0 becomes true' }
  if (holdsNumbers(from, to)) return MUTATION
  const cut = from.name in FLOAT_BITS || from.name === 'Decimal'
  // A value out of the range of a Decimal fails the mutation, whose metadata stays; elsewhere it wraps around.
  if (to.name === 'Decimal')
    return {
      way: 'mutation',
      guard: `accurateCastOrNull(${column}, ${quoteString(`Decimal(${to.args.join(', ')})`)}) IS NULL`,
      ...(cut && { loss: 'fractions may be cut' }),
    }
  return { way: 'mutation', loss: `values out of range wrap around silently${cut ? ', and fractions may be cut' : ''}` }
}

/** True when every number of `from` is a number of `to`. */
function holdsNumbers(from: ParsedType, to: ParsedType): boolean {
  const a = integerRange(from.name)
  const b = integerRange(to.name)
  if (a && b) return a.signed === b.signed ? b.bits >= a.bits : b.signed && b.bits > a.bits
  if (a && to.name in FLOAT_BITS) return a.bits - (a.signed ? 1 : 0) <= FLOAT_BITS[to.name]!
  if (a && to.name === 'Decimal')
    return Number(to.args[0]) - Number(to.args[1] ?? 0) >= Math.ceil(a.bits * Math.LOG10E * Math.LN2)
  if (from.name in FLOAT_BITS && to.name in FLOAT_BITS) return FLOAT_BITS[to.name]! >= FLOAT_BITS[from.name]!
  if (from.name === 'Decimal' && to.name === 'Decimal') {
    const [precision, scale] = [Number(from.args[0]), Number(from.args[1] ?? 0)]
    const [wider, finer] = [Number(to.args[0]), Number(to.args[1] ?? 0)]
    return finer >= scale && wider - finer >= precision - scale
  }
  return false
}

// Time

function timeChange(from: ParsedType, to: ParsedType): TypeChange | undefined {
  const times = ['Date', 'Date32', 'DateTime', 'DateTime64']
  if (from.name === 'DateTime' && to.name === 'UInt32') return METADATA
  if (from.name === 'UInt32' && to.name === 'DateTime') return METADATA
  if (from.name === 'Date' && to.name === 'UInt16') return METADATA
  if (!times.includes(from.name) || !times.includes(to.name)) return undefined
  if (from.name === 'DateTime' && to.name === 'DateTime') return METADATA
  if (from.name === 'DateTime64' && to.name === 'DateTime64') {
    const [before, after] = [Number(from.args[0] ?? 3), Number(to.args[0] ?? 3)]
    if (before === after) return METADATA
    return after > before ? MUTATION : { way: 'mutation', loss: 'digits of the fraction are cut' }
  }
  const rank = times.indexOf(to.name) - times.indexOf(from.name)
  const widens = rank > 0 && !(from.name === 'Date32' && to.name === 'DateTime')
  return widens
    ? MUTATION
    : { way: 'mutation', loss: 'the time of day, fractions or dates out of range are lost or wrap around' }
}

// Enums

/** Number to label. Canonical enums are numbered: `'a' = 1`. */
function enumValues(type: ParsedType): Map<number, string> {
  const values = new Map<number, string>()
  for (const arg of type.args) {
    const tokens = tokenize(arg)
    const raw = arg.slice(tokens.starts[0]! + 1, tokens.ends[0]! - 1)
    const label = raw.replace(/\\(.)|''/g, (_, escaped: string | undefined) => escaped ?? "'")
    const equals = arg.lastIndexOf('=')
    values.set(Number(arg.slice(equals + 1)), label)
  }
  return values
}

function enumChange(column: string, from: ParsedType, to: ParsedType): TypeChange {
  const before = enumValues(from)
  const after = enumValues(to)
  const numberOf = new Map([...after].map(([number, label]) => [label, number]))
  const lost: string[] = []
  const relabelled: string[] = []
  for (const [number, label] of before) {
    const now = numberOf.get(label)
    if (now !== undefined && now !== number) return REFUSED
    if (now === number) continue
    const other = after.get(number)
    if (other !== undefined) relabelled.push(`${label} reads as ${other}`)
    else lost.push(label)
  }
  const way = from.name === to.name && lost.length === 0 ? 'metadata' : 'mutation'
  return {
    way,
    ...(relabelled.length > 0 ? { loss: `in every stored row ${relabelled.join(', ')}` } : {}),
    ...(lost.length > 0 ? { guard: `${column} IN (${lost.map(quoteString).join(', ')})` } : {}),
  }
}

// Composite types

function arrayChange(column: string, from: ParsedType, to: ParsedType): TypeChange {
  return joined([elementChange(column, from.args[0]!, to.args[0]!)])
}

function mapChange(column: string, from: ParsedType, to: ParsedType): TypeChange {
  return joined(
    ['mapKeys', 'mapValues'].map((list, index) =>
      elementChange(`${list}(${column})`, from.args[index]!, to.args[index]!),
    ),
  )
}

/** The change of each element of an array, guarded as a whole. Lambdas inside of lambdas take another name. */
function elementChange(array: SqlText, from: string, to: string): TypeChange {
  const outer = /^e(\d+)$|\(e(\d+)[,)]/.exec(array)
  const element = `e${Number(outer?.[1] ?? outer?.[2] ?? 0) + 1}`
  const inner = change(element, from, to)
  return {
    ...inner,
    ...(inner.guard !== undefined && { guard: `arrayExists(${element} -> (${inner.guard}), ${array})` }),
  }
}

/** The elements of tuples by their place. */
function placesChange(column: string, from: readonly string[], to: readonly string[]): TypeChange {
  return joined(from.map((type, index) => change(`tupleElement(${column}, ${index + 1})`, type, to[index]!)))
}

/** A composite is rewritten as a whole, and what must not be in one of its parts must not be in it. */
function joined(parts: readonly TypeChange[]): TypeChange {
  if (parts.some((part) => part.way === 'refused')) return REFUSED
  const losses = [...new Set(parts.flatMap(({ loss }) => loss ?? []))]
  const guards = parts.flatMap(({ guard }) => guard ?? [])
  return {
    way: parts.every((part) => part.way === 'metadata') ? 'metadata' : 'mutation',
    ...(losses.length > 0 && { loss: losses.join('; ') }),
    ...(guards.length > 0 && { guard: guards.length === 1 ? guards[0] : guards.map((one) => `(${one})`).join(' OR ') }),
  }
}

/** Element name to type; undefined for elements without names. */
function tupleElements(type: ParsedType): Map<string, string> | undefined {
  const elements = new Map<string, string>()
  for (const arg of type.args) {
    const tokens = tokenize(arg)
    const next = tokens.kinds[1]
    if (next !== Token.word && next !== Token.quotedIdentifier) return undefined
    elements.set(arg.slice(tokens.starts[0], tokens.ends[0]), arg.slice(tokens.starts[1]))
  }
  return elements
}

function tupleChange(column: string, from: ParsedType, to: ParsedType): TypeChange {
  const before = tupleElements(from)
  const after = tupleElements(to)
  if (before === undefined || after === undefined) {
    if (from.args.length === to.args.length) {
      const types = (type: ParsedType, named: Map<string, string> | undefined) =>
        named ? [...named.values()] : type.args
      const result = placesChange(column, types(from, before), types(to, after))
      return result.way === 'metadata' ? MUTATION : result
    }
    return { way: 'mutation', loss: 'elements are matched by their place, so values may be lost' }
  }
  const removed = [...before.keys()].filter((name) => !after.has(name))
  const kept = joined(
    [...before].flatMap(([name, type], index) =>
      after.has(name) ? [change(`tupleElement(${column}, ${index + 1})`, type, after.get(name)!)] : [],
    ),
  )
  if (kept.way === 'refused') return kept
  const added = [...after.keys()].some((name) => !before.has(name))
  const losses = [
    ...(removed.length > 0
      ? [
          `the values of ${removed.join(', ')} are lost${added ? ', for elements are matched by name and a renamed one starts empty' : ''}`,
        ]
      : []),
    ...(kept.loss !== undefined ? [kept.loss] : []),
  ]
  return {
    way: 'mutation',
    ...(losses.length > 0 ? { loss: losses.join('; ') } : {}),
    ...(kept.guard !== undefined && { guard: kept.guard }),
  }
}

/** The server parses each value anew by the new type, and fails halfway on one that does not fit a typed path. */
function jsonChange(column: string, from: ParsedType, to: ParsedType, toText: string): TypeChange {
  const skips = (type: ParsedType) => type.args.filter((arg) => /^SKIP\b/i.test(arg))
  const added = skips(to).filter((skip) => !skips(from).includes(skip))
  const paths = (type: ParsedType) => type.args.filter((arg) => !/^SKIP\b/i.test(arg) && !arg.includes('='))
  const typed = paths(to).filter((path) => !paths(from).includes(path))
  const losses = [
    ...(added.length > 0 ? [`the values under ${added.join(', ')} are lost`] : []),
    ...(typed.some((path) => isInteger(path.slice(path.lastIndexOf(' ') + 1))) ? ['fractions may be cut'] : []),
  ]
  return {
    way: 'mutation',
    ...(losses.length > 0 ? { loss: losses.join('; ') } : {}),
    ...(typed.length > 0 ? { guard: `accurateCastOrNull(${column}, ${quoteString(toText)}) IS NULL` } : {}),
  }
}

function isPoint(from: ParsedType, fromText: string, to: ParsedType, toText: string): boolean {
  const tuple = 'Tuple(Float64, Float64)'
  return (from.name === 'Point' && toText === tuple) || (to.name === 'Point' && fromText === tuple)
}

// Keys

/**
 * True when the server changes the type of a column that stands in the sorting, primary, partition or sampling key.
 * `bare` means that it stands there alone, not inside an expression.
 */
export function keyTypeMayChange(from: string, to: string, bare: boolean): boolean {
  const a = parseType(from)
  const b = parseType(to)
  const strings = (x: string, y: string) => x === 'String' && y === 'LowCardinality(String)'
  if (strings(from, to) || strings(to, from)) return bare
  if (a.name.startsWith('Enum') && a.name === b.name) {
    const result = change('x', from, to)
    return result.way === 'metadata'
  }
  if (a.name === 'SimpleAggregateFunction' || b.name === 'SimpleAggregateFunction') return false
  if (a.name === 'LowCardinality' || b.name === 'LowCardinality' || a.name === 'Nullable' || b.name === 'Nullable')
    return false
  if (a.name === 'Tuple' || a.name === 'Point') return false
  return change('x', from, to).way === 'metadata'
}

/** True when the version column of a ReplacingMergeTree or VersionedCollapsingMergeTree may take the new type. */
export function versionTypeMayChange(from: string, to: string): boolean {
  if ((from === 'UInt8' && to === 'Bool') || (from === 'Bool' && to === 'UInt8')) return true
  const a = parseType(from)
  const b = parseType(to)
  const [before, after] = [integerRange(a.name), integerRange(b.name)]
  if (before && after && a.name !== 'Bool' && b.name !== 'Bool')
    return before.signed === after.signed && after.bits > before.bits
  if (a.name === 'DateTime' && b.name === 'DateTime') return true
  return a.name === 'DateTime64' && b.name === 'DateTime64' && Number(b.args[0]) >= Number(a.args[0])
}
