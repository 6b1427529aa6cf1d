import { type Doc, flat, propertyName, quoted } from './layout.js'
import type { Field, JsonField, Shape } from './shape.js'

/** How values that JSON numbers cannot hold are spelled in types. */
export type Modes = {
  /** 64-bit and wider integers. */
  readonly bigint: 'string' | 'bigint'
  readonly decimal: 'number' | 'string'
}

/** A shape as a TypeScript type. */
export function typeOf(shape: Shape, modes: Modes): Doc {
  const members = unionMembers(shape, modes)
  return members.length === 1 ? members[0]! : union('', members, '')
}

/** A property of an object type, `name: type`; a union that does not fit starts on the line below. */
export function propertyOf(name: string, optional: boolean, shape: Shape, modes: Modes): Doc {
  const members = unionMembers(shape, modes)
  // `| undefined` is said, so that the types also hold under exactOptionalPropertyTypes.
  if (optional && !members.includes('unknown')) members.push('undefined')
  const head = `${propertyName(name)}${optional ? '?' : ''}: `
  return members.length === 1 ? [head, members[0]!] : union(head, members, '')
}

function union(open: string, items: readonly Doc[], close: string): Doc {
  return { kind: 'group', open, items, close, separator: ' | ', line: ['| ', ''], padding: '' }
}

/** The members of a shape's type, each once, null last; `unknown` alone where one member is. */
function unionMembers(shape: Shape, modes: Modes): Doc[] {
  const members = new Map<string, Doc>()
  for (const member of membersOf(shape, modes)) members.set(flat(member), member)
  if (members.has('unknown')) return ['unknown']
  const hasNull = members.delete('null')
  return hasNull ? [...members.values(), 'null'] : [...members.values()]
}

function membersOf(shape: Shape, modes: Modes): Doc[] {
  switch (shape.kind) {
    case 'string':
      return ['string']
    case 'integer':
    case 'float':
      return ['number']
    case 'wideInteger':
      return [modes.bigint]
    case 'decimal':
      return [modes.decimal]
    case 'boolean':
      return ['boolean']
    case 'null':
      return ['null']
    case 'json':
      return shape.fields.length === 0 ? ['Record<string, unknown>'] : [jsonType(shape.fields, modes)]
    case 'any':
    case 'unsupported':
      return ['unknown']
    case 'enum':
      return shape.names.length === 0 ? ['never'] : shape.names.map(quoted)
    case 'nullable':
      return [...membersOf(shape.of, modes), 'null']
    case 'union':
      return shape.of.flatMap((member) => membersOf(member, modes))
    case 'array': {
      const members = unionMembers(shape.of, modes)
      return [members.length === 1 ? [members[0]!, '[]'] : union('(', members, ')[]')]
    }
    case 'record':
      return [['Record<string, ', typeOf(shape.of, modes), '>']]
    case 'tuple':
      return [
        list(
          '[',
          shape.items.map((item) => typeOf(item, modes)),
          ']',
        ),
      ]
    case 'object':
      return [objectType(shape.fields.map((field) => propertyOf(field.name, false, field.shape, modes)))]
  }
}

function objectType(items: readonly Doc[]): Doc {
  return { kind: 'group', open: '{', items, close: '}', separator: '; ', line: ['', ''], padding: ' ' }
}

/** Declared paths beside all others. */
function jsonType(fields: readonly JsonField[], modes: Modes): Doc {
  const declared = fields.map(({ name, optional, shape }) => propertyOf(name, optional, shape, modes))
  return objectType([...declared, '[path: string]: unknown'])
}

function list(open: string, items: readonly Doc[], close: string): Doc {
  return { kind: 'group', open, items, close, separator: ', ', line: ['', ','], padding: '' }
}

/** Schemas that the generated file declares once and uses by name. */
export type Helper = 'wideInteger' | 'decimal' | 'float' | 'floatInput'

/** Reading also takes what the server writes in place of NaN; writing takes numbers only. */
export type Direction = 'row' | 'insert'

/** A shape as a zod schema; the helpers it names are added to `used`. */
export function schemaOf(shape: Shape, direction: Direction, used: Set<Helper>): Doc {
  const helper = (name: Helper): Doc => {
    used.add(name)
    return name
  }
  const inner = (of: Shape) => schemaOf(of, direction, used)
  switch (shape.kind) {
    case 'string':
      return 'z.string()'
    case 'integer':
      return 'z.number().int()'
    case 'float':
      return helper(direction === 'row' ? 'float' : 'floatInput')
    case 'wideInteger':
      return helper('wideInteger')
    case 'decimal':
      return helper('decimal')
    case 'boolean':
      return 'z.boolean()'
    case 'null':
      return 'z.null()'
    case 'json': {
      if (shape.fields.length === 0) return 'z.record(z.string(), z.unknown())'
      const declared = shape.fields.map((field): [Field, Doc] => {
        const schema = inner(field.shape)
        return [field, field.optional ? wrapped(field.shape, schema, 'optional') : schema]
      })
      return objectSchema('z.looseObject', declared)
    }
    case 'any':
    case 'unsupported':
      return 'z.unknown()'
    case 'enum':
      return shape.names.length === 0 ? 'z.never()' : list('z.enum([', shape.names.map(quoted), '])')
    case 'nullable':
      return wrapped(shape.of, inner(shape.of), 'nullable')
    case 'array':
      return list('z.array(', [inner(shape.of)], ')')
    case 'record':
      return list('z.record(', ['z.string()', inner(shape.of)], ')')
    case 'tuple':
      return list('z.tuple([', shape.items.map(inner), '])')
    case 'object':
      return objectSchema(
        'z.object',
        shape.fields.map((field) => [field, inner(field.shape)]),
      )
    case 'union': {
      const members = [...new Map(byStrictness(shape.of).map((of) => [flat(inner(of)), of])).values()]
      return members.length === 1 ? inner(members[0]!) : list('z.union([', members.map(inner), '])')
    }
  }
}

// Wherever a list may break into lines, these follow the layout that formatters give: a chain behind short calls, a
// function around long ones.
const LONG: ReadonlySet<Shape['kind']> = new Set([
  'enum',
  'union',
  'tuple',
  'object',
  'array',
  'record',
  'nullable',
  'json',
])

/** The schema made nullable, optional, or both (`nullish`). */
export function wrapped(shape: Shape, schema: Doc, how: 'nullable' | 'optional' | 'nullish'): Doc {
  return LONG.has(shape.kind) ? list(`z.${how}(`, [schema], ')') : [schema, `.${how}()`]
}

/** `z.object({ ... })` from fields and their schemas. */
export function objectSchema(call: string, fields: readonly (readonly [Pick<Field, 'name'>, Doc])[]): Doc {
  return {
    kind: 'group',
    open: `${call}({`,
    // A plain `__proto__: value` would set the prototype.
    items: fields.map(([{ name }, doc]) => [name === '__proto__' ? "['__proto__']" : propertyName(name), ': ', doc]),
    close: '})',
    separator: ', ',
    line: ['', ','],
    padding: ' ',
  }
}

/**
 * zod takes the first member that fits, so those come first that lose nothing: a string stays the string it is, a map
 * keeps keys that an object schema would strip, an object with more fields comes before one with fewer.
 */
function byStrictness(members: readonly Shape[]): readonly Shape[] {
  return [...members].sort((a, b) => rank(a) - rank(b))
}

const RANKS: readonly Shape['kind'][] = [
  'enum',
  'string',
  'boolean',
  'integer',
  'float',
  'decimal',
  'wideInteger',
  'tuple',
  'array',
  'record',
  'object',
]

function rank(shape: Shape): number {
  const place = RANKS.indexOf(shape.kind) * 10_000
  return shape.kind === 'object' ? place - shape.fields.length : place
}

const WIDE_MESSAGE =
  'Expected an integer; a JSON number beyond 2^53 has lost digits: read with output_format_json_quote_64bit_integers = 1'
const DECIMAL_MESSAGE =
  'Expected a decimal; a JSON number of more than 15 digits has lost some: read with output_format_json_quote_decimals = 1'

/** The declaration of each helper, in the order of the file. */
export function helperSources(modes: Modes): readonly (readonly [Helper, string])[] {
  return [
    [
      'wideInteger',
      `const WIDE_INTEGER =
  '${WIDE_MESSAGE}'

/** 64-bit and wider integers: quoted, or JSON numbers that lost nothing. */
const wideInteger = z
  .union([z.string().regex(/^-?\\d+$/), z.number().refine(Number.isSafeInteger, WIDE_INTEGER), z.bigint()])
  .transform(${modes.bigint === 'bigint' ? 'BigInt' : 'String'})`,
    ],
    [
      'decimal',
      modes.decimal === 'number'
        ? `/** Decimals: JSON numbers, or quoted by output_format_json_quote_decimals. */
const decimal = z.union([z.number(), z.string().regex(/^-?\\d+(\\.\\d+)?$/)]).transform(Number)`
        : `const DECIMAL =
  '${DECIMAL_MESSAGE}'

/** At most 15 digits, not in scientific notation. */
const isExact = (value: number) => /^-?(?=(\\.?\\d){1,15}$)\\d+(\\.\\d+)?$/.test(String(value))

/** Decimals: quoted, or JSON numbers that lost nothing. */
const decimal = z.union([z.string().regex(/^-?\\d+(\\.\\d+)?$/), z.number().refine(isExact, DECIMAL)]).transform(String)`,
    ],
    [
      'float',
      `/** NaN and the infinities arrive as null, which becomes NaN; by name under output_format_json_quote_denormals. */
const float = z
  .union([z.custom<number>((value) => typeof value === 'number'), z.null(), z.string().regex(/^[+-]?(nan|inf|\\d.*)$/i)])
  .transform((value) => (typeof value === 'string' ? Number(value.replace(/inf/i, 'Infinity')) : (value ?? Number.NaN)))`,
    ],
    [
      'floatInput',
      `/** Any number, NaN and the infinities too. */
const floatInput = z.custom<number>((value) => typeof value === 'number', { error: 'Expected a number' })`,
    ],
  ]
}
