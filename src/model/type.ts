import type { Expression, FunctionCall, Literal, SqlNode, TypeArgument, TypeNode } from '../sql/ast.js'
import { printType } from '../sql/print.js'
import { mapNode } from '../sql/walk.js'
import { compareCodeUnits } from './definition.js'
import { canonicalAggregateName, canonicalTypeName, isVersionedAggregate } from './functions.js'

/** Types that take no parameter; the length of an SQL alias (`VARCHAR(255)`, `INT(11)`) is accepted and forgotten. */
const WITHOUT_PARAMETERS = new Set([
  'String',
  'Int8',
  'Int16',
  'Int32',
  'Int64',
  'UInt8',
  'UInt16',
  'UInt32',
  'UInt64',
  'Float32',
  'Float64',
  'BFloat16',
])

const DECIMAL_PRECISION: Readonly<Record<string, string>> = {
  Decimal32: '9',
  Decimal64: '18',
  Decimal128: '38',
  Decimal256: '76',
}

/** Defaults that the server leaves out when it prints JSON and Dynamic. */
const TYPE_PARAMETER_DEFAULTS: Readonly<Record<string, string>> = {
  max_dynamic_paths: '1024',
  max_dynamic_types: '32',
  max_types: '32',
}

const TEXTS = new WeakMap<TypeNode, string>()

/** `type` as the server prints it for a column: aliases resolved, enum values numbered, Variant and JSON sorted. */
export function typeText(type: TypeNode): string {
  if (type.args === undefined) {
    if (SIMPLE.has(type.name)) return type.name
    const name = canonicalTypeName(type.name)
    if (SIMPLE.has(name)) return name
  }
  let text = TEXTS.get(type)
  if (text === undefined) {
    text = printType(canonicalType(type))
    TEXTS.set(type, text)
  }
  return text
}

/** Types that are printed as their bare name, for the path that most columns take. */
const SIMPLE: ReadonlySet<string> = new Set([
  ...WITHOUT_PARAMETERS,
  ...'Bool Date Date32 DateTime UUID IPv4 IPv6 Int128 Int256 UInt128 UInt256 Dynamic JSON Time'.split(' '),
])

/** The canonical form of a type as a tree. Idempotent. */
export function canonicalType(type: TypeNode): TypeNode {
  const name = canonicalTypeName(type.name)
  const args = type.args ?? []
  if (WITHOUT_PARAMETERS.has(name)) return { kind: 'type', name }
  switch (name) {
    case 'Decimal':
      return withArgs(name, [args[0] ?? int('10'), args[1] ?? int('0')])
    case 'Decimal32':
    case 'Decimal64':
    case 'Decimal128':
    case 'Decimal256':
      return withArgs('Decimal', [int(DECIMAL_PRECISION[name]!), args[0] ?? int('0')])
    case 'DateTime32':
      return withArgs('DateTime', args)
    case 'DateTime':
    case 'Time':
      return withPrecision(name, args)
    case 'DateTime64':
    case 'Time64':
      return withArgs(name, args.length === 0 ? [int('3')] : args.filter((arg, index) => index === 0 || isString(arg)))
    case 'Enum':
    case 'Enum8':
    case 'Enum16':
      return canonicalEnum(name, args)
    case 'Variant':
      return canonicalVariant(args)
    case 'Dynamic':
      return withArgs(
        name,
        args.filter((arg) => !isDefaultParameter(arg)),
      )
    case 'JSON':
      return canonicalJson(args)
    case 'AggregateFunction':
    case 'SimpleAggregateFunction':
      return canonicalAggregate(name, args)
    default:
      return withArgs(name, args.map(canonicalArgument))
  }
}

/** `DateTime(3)`, as other databases spell it, is `DateTime64(3)`; a precision of 0 is none. */
function withPrecision(name: 'DateTime' | 'Time', args: readonly TypeArgument[]): TypeNode {
  const [first, ...rest] = args
  if (first?.kind !== 'literal' || first.type !== 'int') return withArgs(name, args)
  return first.value === '0' ? withArgs(name, rest) : withArgs(`${name}64`, args)
}

/** Empty brackets are never printed: `Tuple()` is `Tuple`. */
function withArgs(name: string, args: readonly TypeArgument[]): TypeNode {
  return args.length === 0 ? { kind: 'type', name } : { kind: 'type', name, args }
}

function int(value: string): Literal {
  return { kind: 'literal', type: 'int', value }
}

function isString(arg: TypeArgument): boolean {
  return arg.kind === 'literal' && arg.type === 'string'
}

function canonicalArgument(arg: TypeArgument): TypeArgument {
  switch (arg.kind) {
    case 'type':
      return canonicalType(arg)
    case 'namedType':
      return { ...arg, type: canonicalType(arg.type) }
    case 'jsonPath':
      return { ...arg, type: canonicalType(arg.type) }
    default:
      return arg
  }
}

/** Values sorted by number; a value without one is one more than the value before it, the first is 1. */
function canonicalEnum(name: 'Enum' | 'Enum8' | 'Enum16', args: readonly TypeArgument[]): TypeNode {
  const values: { name: string; number: number }[] = []
  let next = 1
  for (const arg of args) {
    const value = enumValue(arg)
    // Something that is no enum value: the server will say so, the text stays.
    if (value === undefined) return withArgs(name, args)
    const number = value.number ?? next
    values.push({ name: value.name, number })
    next = number + 1
  }
  values.sort((a, b) => a.number - b.number)
  const wide = values.some((value) => value.number < -128 || value.number > 127)
  return withArgs(
    name === 'Enum' ? (wide ? 'Enum16' : 'Enum8') : name,
    values.map((value) => ({ kind: 'enumValue', name: value.name, value: int(String(value.number)) })),
  )
}

function enumValue(arg: TypeArgument): { name: string; number?: number } | undefined {
  if (arg.kind === 'literal' && arg.type === 'string') return { name: arg.value }
  if (arg.kind === 'enumValue') {
    const number = arg.value.type === 'int' ? Number(arg.value.value) : Number.NaN
    return Number.isSafeInteger(number) ? { name: arg.name, number: number === 0 ? 0 : number } : undefined
  }
  return undefined
}

/** Alternatives sorted by their printed name, each once. */
function canonicalVariant(args: readonly TypeArgument[]): TypeNode {
  const types = new Map<string, TypeArgument>()
  for (const arg of args) {
    const type = canonicalArgument(arg)
    types.set(type.kind === 'type' ? printType(type) : '', type)
  }
  const sorted = [...types].sort(([a], [b]) => compareCodeUnits(a, b))
  return withArgs(
    'Variant',
    sorted.map(([, type]) => type),
  )
}

function isDefaultParameter(arg: TypeArgument): boolean {
  if (arg.kind !== 'jsonParameter') return false
  return 'value' in arg.value && arg.value.value === TYPE_PARAMETER_DEFAULTS[arg.name]
}

/** `JSON(max_dynamic_types, max_dynamic_paths, paths by name, SKIP by name, SKIP REGEXP by pattern)`. */
function canonicalJson(args: readonly TypeArgument[]): TypeNode {
  const rank = (arg: TypeArgument): string => {
    switch (arg.kind) {
      case 'jsonParameter':
        return arg.name === 'max_dynamic_types' ? '0' : '1'
      case 'jsonPath':
        return `2${arg.path.parts.map(String).join('.')}`
      case 'jsonSkip':
        return `3${arg.path.parts.map(String).join('.')}`
      case 'jsonSkipRegexp':
        return `4${arg.pattern}`
      default:
        return '5'
    }
  }
  const kept = args.filter((arg) => !isDefaultParameter(arg)).map((arg) => joinPath(canonicalArgument(arg)))
  return withArgs(
    'JSON',
    kept
      .map((arg) => ({ arg, rank: rank(arg) }))
      .sort((a, b) => compareCodeUnits(a.rank, b.rank))
      .map(({ arg }) => arg),
  )
}

/** A dotted path is one quoted name in the server's print: `` `b.c` Int32 ``. */
function joinPath(arg: TypeArgument): TypeArgument {
  if (arg.kind !== 'jsonPath' && arg.kind !== 'jsonSkip') return arg
  if (arg.path.parts.length < 2) return arg
  return { ...arg, path: { kind: 'identifier', parts: [arg.path.parts.map(String).join('.')] } }
}

function canonicalAggregate(name: string, args: readonly TypeArgument[]): TypeNode {
  // `AggregateFunction(1, sumMap, T)`: the version of the state's format may stand first.
  const [first] = args
  const at = first?.kind === 'literal' ? 1 : 0
  const canonical = args.map((arg, index) => (index === at ? aggregateCall(arg) : canonicalArgument(arg)))
  if (at === 0 || first?.kind !== 'literal' || first.type !== 'int') return withArgs(name, canonical)
  // The server writes 1 by itself, and a function without versions has none but 0, which is not written.
  const isImplied = first.value === (hasVersions(canonical[1], canonical[2]) ? '1' : '0')
  return withArgs(name, isImplied ? canonical.slice(1) : canonical)
}

/**
 * The text of a type that a server shows. Where it writes no version into the state of a function that has versions, the
 * state is of version 0: a new one is of version 1, and says so (seen on 26.7).
 */
export function storedTypeText(type: TypeNode): string {
  const text = typeText(type)
  return text.includes('AggregateFunction(') ? typeText(mapNode(type, withVersion)) : text
}

function withVersion(node: SqlNode): SqlNode {
  if (node.kind !== 'type' || node.name !== 'AggregateFunction' || node.args?.[0]?.kind === 'literal') return node
  const [call, first] = canonicalType(node).args ?? []
  return hasVersions(call, first) ? { ...node, args: [int('0'), ...(node.args ?? [])] } : node
}

/** True when the server knows several versions of the state of `call` over `first`. */
function hasVersions(call: TypeArgument | undefined, first: TypeArgument | undefined): boolean {
  // Over a Map it is the combinator: `sum` with `Map`, which has no versions.
  return isVersionedCall(call) && !(first?.kind === 'type' && first.name === 'Map')
}

/** True when the server writes version 1 for such a function by itself. */
function isVersionedCall(call: TypeArgument | undefined): boolean {
  if (call?.kind === 'identifier') return typeof call.parts[0] === 'string' && isVersionedAggregate(call.parts[0])
  return (call?.kind === 'type' || call?.kind === 'function') && isVersionedAggregate(call.name)
}

/** The function in an aggregate type: name resolved, empty brackets dropped. */
function aggregateCall(arg: TypeArgument): TypeArgument {
  switch (arg.kind) {
    case 'type':
      return withArgs(canonicalAggregateName(arg.name), arg.args ?? [])
    case 'function': {
      const call: FunctionCall = { kind: 'function', name: canonicalAggregateName(arg.name) }
      return arg.args === undefined || arg.args.length === 0 ? call : { ...call, args: arg.args }
    }
    case 'identifier': {
      const first = arg.parts[0]
      const renamed: Expression =
        typeof first === 'string' ? { kind: 'identifier', parts: [canonicalAggregateName(first)] } : arg
      return renamed
    }
    default:
      return arg
  }
}

/**
 * Sizes in bytes of the values that a column of `type` stores, one per part: two for `Tuple(UInt8, UInt32)`;
 * `undefined` for a part without a fixed size. Nullable and arrays count by what they hold.
 */
export function leafSizes(type: TypeNode): readonly (number | undefined)[] {
  const { name, args = [] } = canonicalType(type)
  switch (name) {
    case 'Nullable':
    case 'Array':
    case 'LowCardinality':
    case 'Tuple':
    case 'Map':
    case 'Nested':
      return args.length === 0 ? [undefined] : args.flatMap(argumentSizes)
    case 'SimpleAggregateFunction':
      return args.slice(-1).flatMap(argumentSizes)
    case 'FixedString':
      return [literalNumber(args[0])]
    case 'Decimal': {
      const precision = literalNumber(args[0]) ?? 10
      return [precision <= 9 ? 4 : precision <= 18 ? 8 : precision <= 38 ? 16 : 32]
    }
    default:
      return [name.startsWith('Interval') ? 8 : FIXED_SIZES[name]]
  }
}

function argumentSizes(arg: TypeArgument): readonly (number | undefined)[] {
  if (arg.kind === 'type') return leafSizes(arg)
  return arg.kind === 'namedType' ? leafSizes(arg.type) : [undefined]
}

function literalNumber(arg: TypeArgument | undefined): number | undefined {
  return arg?.kind === 'literal' && arg.type === 'int' ? Number(arg.value) : undefined
}

const FIXED_SIZES: Readonly<Record<string, number>> = {
  Int8: 1,
  UInt8: 1,
  Bool: 1,
  Enum8: 1,
  Int16: 2,
  UInt16: 2,
  Enum16: 2,
  Date: 2,
  BFloat16: 2,
  Int32: 4,
  UInt32: 4,
  Float32: 4,
  Date32: 4,
  DateTime: 4,
  Time: 4,
  IPv4: 4,
  Int64: 8,
  UInt64: 8,
  Float64: 8,
  DateTime64: 8,
  Time64: 8,
  Point: 8,
  Ring: 8,
  Polygon: 8,
  MultiPolygon: 8,
  LineString: 8,
  MultiLineString: 8,
  UUID: 16,
  IPv6: 16,
  Int128: 16,
  UInt128: 16,
  Int256: 32,
  UInt256: 32,
}
