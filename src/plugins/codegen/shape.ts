/**
 * What a value of a ClickHouse type looks like as JSON. `@clickhouse/client` parses JSONEachRow with `JSON.parse`, so
 * this is also what a program gets. Each rule was seen on 26.7; test/plugins/codegen/rows.test.ts reads real rows of
 * every type to hold it.
 */

export type Shape =
  | { readonly kind: 'string' }
  /** Integers up to 32 bits. */
  | { readonly kind: 'integer' }
  /** 64 bits and wider, intervals included: JSON numbers or, quoted by the server, strings. */
  | { readonly kind: 'wideInteger' }
  /** NaN and the infinities arrive as null, or quoted as `nan`, `inf`, `-inf`. */
  | { readonly kind: 'float' }
  | { readonly kind: 'decimal' }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'null' }
  /** A JSON object: its declared paths as fields, nested by their dots; every other path holds anything. */
  | { readonly kind: 'json'; readonly fields: readonly JsonField[] }
  /** Dynamic: any JSON value. */
  | { readonly kind: 'any' }
  | { readonly kind: 'enum'; readonly names: readonly string[] }
  | { readonly kind: 'nullable'; readonly of: Shape }
  | { readonly kind: 'array'; readonly of: Shape }
  /** A Map; whatever its key type, JSON keys are strings. */
  | { readonly kind: 'record'; readonly of: Shape }
  | { readonly kind: 'object'; readonly fields: readonly Field[] }
  | { readonly kind: 'tuple'; readonly items: readonly Shape[] }
  | { readonly kind: 'union'; readonly of: readonly Shape[] }
  /** A type that has no JSON form, with the part of the text that has none. */
  | { readonly kind: 'unsupported'; readonly type: string; readonly reason: string }

export type Field = { readonly name: string; readonly shape: Shape }

/** A declared path of a JSON: always there when read, and may be left out when written. */
export type JsonField = Field & { readonly optional: boolean }

const STRING: Shape = { kind: 'string' }
const INTEGER: Shape = { kind: 'integer' }
const WIDE: Shape = { kind: 'wideInteger' }
const FLOAT: Shape = { kind: 'float' }
const DECIMAL: Shape = { kind: 'decimal' }
const BOOLEAN: Shape = { kind: 'boolean' }
const JSON_OBJECT: Shape = { kind: 'json', fields: [] }

const array = (of: Shape): Shape => ({ kind: 'array', of })
const nullable = (of: Shape): Shape => ({ kind: 'nullable', of })

const POINT: Shape = { kind: 'tuple', items: [FLOAT, FLOAT] }
const RING = array(POINT)
const POLYGON = array(RING)
const MULTI_POLYGON = array(POLYGON)
const GEOMETRY = nullable({ kind: 'union', of: [POINT, RING, POLYGON, MULTI_POLYGON] })

const byName = (shape: Shape, names: string): [string, Shape][] => names.split(' ').map((name) => [name, shape])

/** Types whose parameters, if any, do not change the shape; names in the server's own case. */
const NAMED: ReadonlyMap<string, Shape> = new Map([
  ...byName(STRING, 'String FixedString UUID IPv4 IPv6 Date Date32 DateTime DateTime64 Time Time64'),
  ...byName(INTEGER, 'UInt8 UInt16 UInt32 Int8 Int16 Int32'),
  ...byName(WIDE, 'UInt64 UInt128 UInt256 Int64 Int128 Int256'),
  ...'Nanosecond Microsecond Millisecond Second Minute Hour Day Week Month Quarter Year'
    .split(' ')
    .map((unit): [string, Shape] => [`Interval${unit}`, WIDE]),
  ...byName(FLOAT, 'Float32 Float64 BFloat16'),
  ...byName(DECIMAL, 'Decimal Decimal32 Decimal64 Decimal128 Decimal256'),
  ['Bool', BOOLEAN],
  ['Nothing', { kind: 'null' }],
  // Of no elements; the server takes it without brackets too, and keeps it so.
  ['Tuple', { kind: 'tuple', items: [] }],
  ['JSON', JSON_OBJECT],
  ['Dynamic', { kind: 'any' }],
  ['Point', POINT],
  ...byName(RING, 'Ring LineString'),
  ...byName(POLYGON, 'Polygon MultiLineString'),
  ['MultiPolygon', MULTI_POLYGON],
  ['Geometry', GEOMETRY],
  ['QBit', array(FLOAT)],
])

/** Names the server takes in any case (`system.data_type_families` of 26.7), in upper case, single spaces. */
const ANY_CASE: ReadonlyMap<string, Shape> = new Map([
  ...byName(STRING, 'TEXT TINYTEXT MEDIUMTEXT LONGTEXT BLOB TINYBLOB MEDIUMBLOB LONGBLOB CLOB BYTEA BINARY VARBINARY'),
  ...byName(STRING, 'CHAR CHARACTER VARCHAR VARCHAR2 NCHAR NVARCHAR INET4 INET6'),
  ...byName(STRING, 'DATE DATE32 DATETIME DATETIME32 DATETIME64 TIMESTAMP TIME TIME64'),
  ...[
    'BINARY VARYING',
    'BINARY LARGE OBJECT',
    'NATIONAL CHAR',
    'NATIONAL CHARACTER',
    ...['CHAR', 'CHARACTER', 'NCHAR', 'NATIONAL CHARACTER'].map((name) => `${name} LARGE OBJECT`),
    ...['CHAR', 'CHARACTER', 'NCHAR', 'NATIONAL CHAR', 'NATIONAL CHARACTER'].map((name) => `${name} VARYING`),
  ].map((name): [string, Shape] => [name, STRING]),
  ...['TINYINT', 'SMALLINT', 'MEDIUMINT', 'INT', 'INT1', 'INTEGER'].flatMap((name): [string, Shape][] => [
    [name, INTEGER],
    [`${name} SIGNED`, INTEGER],
    [`${name} UNSIGNED`, INTEGER],
  ]),
  ...byName(INTEGER, 'BYTE YEAR'),
  ...['BIGINT', 'BIGINT SIGNED', 'BIGINT UNSIGNED', 'SIGNED', 'UNSIGNED', 'BIT', 'SET'].map((name): [string, Shape] => [
    name,
    WIDE,
  ]),
  ...['FLOAT', 'REAL', 'SINGLE', 'DOUBLE', 'DOUBLE PRECISION'].map((name): [string, Shape] => [name, FLOAT]),
  ...byName(DECIMAL, 'DECIMAL DEC NUMERIC FIXED DECIMAL32 DECIMAL64 DECIMAL128 DECIMAL256'),
  ...byName(BOOLEAN, 'BOOL BOOLEAN'),
  ['JSON', JSON_OBJECT],
  ['GEOMETRY', GEOMETRY],
])

/** The shape of a type text. Never throws: what it does not know is `unsupported`, at its place inside the type. */
export function shapeOf(text: string): Shape {
  const type = text.trim()
  const open = type.indexOf('(')
  if (open < 0) return namedShape(type, type)
  const head = type.slice(0, open).trim()
  const close = type.lastIndexOf(')')
  const inside = type.slice(open + 1, close < 0 ? undefined : close)
  // The server takes MySQL's display width: `INT(11) UNSIGNED`.
  const tail = close < 0 ? '' : type.slice(close + 1).trim()
  return tail === '' ? parameterisedShape(head, inside, type) : namedShape(`${head} ${tail}`, type)
}

function namedShape(name: string, type: string): Shape {
  return (
    NAMED.get(name) ??
    ANY_CASE.get(name.replace(/\s+/g, ' ').toUpperCase()) ?? {
      kind: 'unsupported',
      type,
      reason: name.startsWith('AggregateFunction') ? AGGREGATE_REASON : 'chkit does not know this type',
    }
  )
}

/** Why an AggregateFunction is unsupported. */
export const AGGREGATE_REASON = 'an aggregation state is binary data that only the server can read'

function parameterisedShape(head: string, inside: string, type: string): Shape {
  switch (head) {
    case 'Nullable':
      return nullable(shapeOf(inside))
    case 'LowCardinality':
      return shapeOf(inside)
    case 'Array':
      return array(shapeOf(inside))
    case 'Map':
      return mapShape(splitArguments(inside), type)
    case 'Tuple':
      return tupleShape(splitArguments(inside))
    case 'Nested':
      return array(tupleShape(splitArguments(inside)))
    case 'Variant':
      return nullable({ kind: 'union', of: splitArguments(inside).map(shapeOf) })
    case 'SimpleAggregateFunction':
      return shapeOf(splitArguments(inside).at(-1) ?? '')
    case 'Enum8':
    case 'Enum16':
      return { kind: 'enum', names: enumNames(inside) }
    case 'JSON':
      return { kind: 'json', fields: jsonFields(splitArguments(inside).flatMap(declaredPath)) }
    default:
      if (head.toUpperCase() === 'JSON') return parameterisedShape('JSON', inside, type)
      return head.toUpperCase() === 'ENUM' ? { kind: 'enum', names: enumNames(inside) } : namedShape(head, type)
  }
}

function mapShape(parts: readonly string[], type: string): Shape {
  const value = parts[1]
  if (parts.length !== 2 || value === undefined) {
    return { kind: 'unsupported', type, reason: 'a Map has a key type and a value type' }
  }
  return { kind: 'record', of: shapeOf(value) }
}

// The server wants all elements named or none, so the first one decides.
function tupleShape(parts: readonly string[]): Shape {
  if (parts[0] === undefined || !nameAndType(parts[0])) return { kind: 'tuple', items: parts.map(shapeOf) }
  return {
    kind: 'object',
    fields: parts.map((part) => {
      const { name, type } = nameAndType(part) ?? { name: part, type: part }
      return { name, shape: shapeOf(type) }
    }),
  }
}

type DeclaredPath = { readonly keys: readonly string[]; readonly shape: Shape }

/** A path with its type; none for `SKIP path` and `max_dynamic_paths=8`. Dots part keys inside of quotes as well (26.7). */
function declaredPath(part: string): readonly DeclaredPath[] {
  if (/^(skip\s|\w+\s*=)/i.test(part)) return []
  const quotedPart = /^((?:[^\s`]+\.)?)(`(?:[^`\\]|\\[\s\S]|``)*`)\.([\s\S]+)$/.exec(part)
  if (quotedPart) {
    const [, before = '', name = '', rest = ''] = quotedPart
    const own = [...before.split('.').slice(0, -1), ...unquoted(name.slice(1, -1), '`').split('.')]
    return declaredPath(rest).map(({ keys, shape }) => ({ keys: [...own, ...keys], shape }))
  }
  const plainPart = /^([^\s`]+)\.(`[\s\S]+)$/.exec(part)
  if (plainPart) {
    return declaredPath(plainPart[2]!).map(({ keys, shape }) => ({
      keys: [...plainPart[1]!.split('.'), ...keys],
      shape,
    }))
  }
  const named = nameAndType(part)
  return named ? [{ keys: named.name.split('.'), shape: shapeOf(named.type) }] : []
}

/** Paths as a tree. A key that has a type and paths below it arrives twice, of which readers keep one or the other. */
function jsonFields(paths: readonly DeclaredPath[]): readonly JsonField[] {
  const names = [...new Set(paths.map(({ keys }) => keys[0]!))]
  return names.map((name) => {
    const own = paths.filter(({ keys }) => keys[0] === name)
    const below = own.filter(({ keys }) => keys.length > 1)
    const [leaf] = own.filter(({ keys }) => keys.length === 1)
    const fields = () => jsonFields(below.map(({ keys, shape }) => ({ keys: keys.slice(1), shape })))
    const shape: Shape =
      leaf === undefined ? { kind: 'json', fields: fields() } : below.length > 0 ? { kind: 'any' } : leaf.shape
    return { name, shape, optional: false }
  })
}

/** The shape of a value to insert: declared paths of a JSON may be left out. */
export function insertShape(shape: Shape): Shape {
  switch (shape.kind) {
    case 'json':
      return {
        ...shape,
        fields: shape.fields.map((field) => ({ ...field, shape: insertShape(field.shape), optional: true })),
      }
    case 'nullable':
    case 'array':
    case 'record':
      return { ...shape, of: insertShape(shape.of) }
    case 'union':
      return { ...shape, of: shape.of.map(insertShape) }
    case 'tuple':
      return { ...shape, items: shape.items.map(insertShape) }
    case 'object':
      return { ...shape, fields: shape.fields.map((field) => ({ ...field, shape: insertShape(field.shape) })) }
    default:
      return shape
  }
}

/** The elements of a Nested type text, or undefined when it is another type. Names unquoted. */
export function nestedFields(text: string): readonly { readonly name: string; readonly type: string }[] | undefined {
  const match = /^\s*Nested\s*\(([\s\S]*)\)\s*$/.exec(text)
  if (!match) return undefined
  return splitArguments(match[1]!).flatMap((part) => nameAndType(part) ?? [])
}

/** Two-word types, whose first word is no element name. */
function isTypeOfSeveralWords(text: string): boolean {
  return ANY_CASE.has(
    text
      .replace(/\s+/g, ' ')
      .replace(/\s*\(.*\)/, '')
      .toUpperCase(),
  )
}

function nameAndType(part: string): { readonly name: string; readonly type: string } | undefined {
  const first = part[0]
  if (first === '`' || first === '"') {
    const end = closingQuote(part, 0)
    return end < 0 ? undefined : { name: unquoted(part.slice(1, end), first), type: part.slice(end + 1).trim() }
  }
  const words = /^([^\s(]+)\s+([^(][\s\S]*)$/.exec(part)
  if (!words || isTypeOfSeveralWords(part)) return undefined
  return { name: words[1]!, type: words[2]!.trim() }
}

const QUOTES: ReadonlySet<string> = new Set(["'", '`', '"'])

/** The parts between commas outside of brackets and quotes, trimmed; empty parts are left out. */
function splitArguments(text: string): string[] {
  const parts: string[] = []
  let depth = 0
  let start = 0
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!
    if (QUOTES.has(char)) {
      const end = closingQuote(text, at)
      at = end < 0 ? text.length : end
    } else if (char === '(') depth++
    else if (char === ')') depth--
    else if (char === ',' && depth === 0) {
      parts.push(text.slice(start, at))
      start = at + 1
    }
  }
  parts.push(text.slice(start))
  return parts.map((part) => part.trim()).filter((part) => part !== '')
}

/** Index of the quote that closes the one at `open`, or -1. A backslash escapes; a doubled quote is part of the text. */
function closingQuote(text: string, open: number): number {
  const quote = text[open]
  for (let at = open + 1; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === quote) {
      if (text[at + 1] !== quote) return at
      at++
    }
  }
  return -1
}

function enumNames(inside: string): string[] {
  const names: string[] = []
  for (let at = 0; at < inside.length; at++) {
    if (inside[at] !== "'") continue
    const end = closingQuote(inside, at)
    if (end < 0) break
    names.push(unquoted(inside.slice(at + 1, end), "'"))
    at = end
  }
  return names
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  e: '\u001b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '0': '\0',
}

/** Characters that lose their backslash; before any other it stays (seen on 26.7). */
const BARE_ESCAPES: ReadonlySet<string> = new Set(['\\', "'", '"', '`', '/', '='])

function unquoted(text: string, quote: string): string {
  return text.replace(
    quote === "'" ? /\\([\s\S])|''/g : quote === '`' ? /\\([\s\S])|``/g : /\\([\s\S])|""/g,
    (whole, char?: string) => (char === undefined ? quote : (ESCAPES[char] ?? (BARE_ESCAPES.has(char) ? char : whole))),
  )
}

/** Every unsupported part inside a shape. */
export function unsupportedIn(shape: Shape): readonly { readonly type: string; readonly reason: string }[] {
  switch (shape.kind) {
    case 'unsupported':
      return [shape]
    case 'nullable':
    case 'array':
    case 'record':
      return unsupportedIn(shape.of)
    case 'union':
      return shape.of.flatMap(unsupportedIn)
    case 'tuple':
      return shape.items.flatMap(unsupportedIn)
    case 'object':
    case 'json':
      return shape.fields.flatMap((field) => unsupportedIn(field.shape))
    default:
      return []
  }
}
