import type { Declaration } from '../../index.js'
import { queryLines } from './sql-lines.js'

/** An object with the name under which the module exports it. */
export type NamedDeclaration = { readonly name: string; readonly declaration: Declaration; readonly remark?: string }

/** The function of the schema language that makes a declaration. */
const CONSTRUCTORS: Readonly<Record<Declaration['kind'], string>> = {
  table: 'table',
  view: 'view',
  materialized_view: 'materializedView',
  dictionary: 'dictionary',
  sql_function: 'sqlFunction',
  database: 'database',
  role: 'role',
  user: 'user',
  grant: 'grant',
  row_policy: 'rowPolicy',
  quota: 'quota',
  settings_profile: 'settingsProfile',
  named_collection: 'namedCollection',
  raw: 'raw',
}

/** The order in which people write the fields; what is not here follows as it comes. */
const FIELD_ORDER = [
  'database',
  'name',
  'comment',
  'cluster',
  'refresh',
  'to',
  'engine',
  'columns',
  'attributes',
  'indexes',
  'constraints',
  'projections',
  'partitionBy',
  'primaryKey',
  'orderBy',
]

/** Characters per line. */
const WIDTH = 120

/** The text of a TypeScript module that exports the declarations in the order given. */
export function moduleSource(header: string, objects: readonly NamedDeclaration[]): string {
  const imports = [...new Set(objects.map(({ declaration }) => CONSTRUCTORS[declaration.kind]))].sort()
  const statement = `import { ${imports.join(', ')} } from 'chkit'`
  const blocks = objects.map(objectSource)
  return [
    header,
    '',
    ...(objects.length === 0 ? ['export {}'] : [statement]),
    ...blocks.flatMap((one) => ['', one]),
    '',
  ].join('\n')
}

function objectSource({ name, declaration, remark }: NamedDeclaration): string {
  const { kind, ...fields } = declaration
  const rank = (field: string) => {
    const index = FIELD_ORDER.indexOf(field)
    // The query is the longest part and stands last.
    return field === 'as' ? FIELD_ORDER.length + 1 : index < 0 ? FIELD_ORDER.length : index
  }
  const ordered = Object.fromEntries(Object.entries(fields).sort(([a], [b]) => rank(a) - rank(b)))
  const comment = remark === undefined ? '' : `// ${remark.replace(/\s+/gu, ' ')}\n`
  return `${comment}export const ${name} = ${CONSTRUCTORS[kind]}(${entriesSource(ordered, '')})`
}

/** An object literal with one field per line, whatever its length. */
function entriesSource(fields: Readonly<Record<string, unknown>>, indent: string): string {
  const inner = `${indent}  `
  const lines = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(
      ([field, value]) =>
        `${inner}${propertyName(field)}:${afterColon(field, fieldSource(field, value, inner), inner)},`,
    )
  return `{\n${lines.join('\n')}\n${indent}}`
}

/** A string that is too long for the line of its field stands in the next one, as formatters have it. */
function afterColon(field: string, source: string, indent: string): string {
  const isString = /^['"]/.test(source)
  // Behind a short name it stays: the next line would win nothing.
  const isTooLong =
    propertyName(field).length > 4 && indent.length + propertyName(field).length + 2 + source.length >= WIDTH
  return isString && isTooLong ? `\n${indent}  ${source}` : ` ${source}`
}

/** Clauses that people write as one text where there is one of them. */
const ONE_OR_MORE: ReadonlySet<string> = new Set(['partitionBy', 'ttl'])

function fieldSource(field: string, value: unknown, indent: string): string {
  if (ONE_OR_MORE.has(field) && Array.isArray(value) && value.length === 1) return inlineSource(value[0])
  if (field === 'as' && typeof value === 'string') return querySource(value, indent)
  return valueSource(value, indent, propertyName(field).length + 2)
}

/** A query as a template literal over several lines, where it is long and nothing in it needs to be escaped twice. */
function querySource(text: string, indent: string): string {
  const lines = queryLines(text)
  const isPlain = lines.length > 1 && lines.map((line) => line.trimStart()).join(' ') === text && !NOT_PLAIN.test(text)
  if (!isPlain) return stringSource(text)
  const inner = `${indent}  `
  const body = lines.map((line) => inner + line.replace(/\\|`|\$\{/g, '\\$&'))
  return `\`\n${body.join('\n')}\n${indent}\``
}

/** A value on one line where it fits behind `taken` characters, else over several. */
function valueSource(value: unknown, indent: string, taken: number): string {
  if (typeof value !== 'object' || value === null) return inlineSource(value)
  if (!isTall(value)) {
    const short = inlineSource(value)
    if (indent.length + taken + short.length < WIDTH) return short
  }
  if (!Array.isArray(value)) return entriesSource(value as Readonly<Record<string, unknown>>, indent)
  const inner = `${indent}  `
  const items = value.map((item) => `${inner}${valueSource(item, inner, 1)},`)
  return items.length === 0 ? '[]' : `[\n${items.join('\n')}\n${indent}]`
}

/** A list of objects stands one below the other, as Biome and Prettier have it. */
function isTall(value: object): boolean {
  return Array.isArray(value) && value.length > 1 && value.every(hasFields)
}

function hasFields(item: unknown): boolean {
  return typeof item === 'object' && item !== null && !Array.isArray(item) && Object.keys(item).length > 1
}

function inlineSource(value: unknown): string {
  if (typeof value === 'string') return stringSource(value)
  if (Array.isArray(value)) return `[${value.map(inlineSource).join(', ')}]`
  if (typeof value !== 'object' || value === null) return String(value)
  const fields = Object.entries(value).filter(([, field]) => field !== undefined)
  if (fields.length === 0) return '{}'
  return `{ ${fields.map(([name, field]) => `${propertyName(name)}: ${inlineSource(field)}`).join(', ')} }`
}

/** `__proto__` as a plain key would set the prototype instead of a field. */
function propertyName(name: string): string {
  if (name === '__proto__') return "['__proto__']"
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name) ? name : stringSource(name)
}

/**
 * What must not stand in source as it is: control characters, line separators, the marks that turn the direction of
 * text, and halves of surrogate pairs.
 */
const NOT_PLAIN =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/

const NOT_PLAIN_ALL = new RegExp(NOT_PLAIN.source, 'g')

/** Printable ASCII with nothing to escape: nearly every text there is. */
const SIMPLE = /^[ !#-&(-[\]-~]*$/

const ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** A string literal: in single quotes unless double ones need fewer escapes. */
export function stringSource(text: string): string {
  if (SIMPLE.test(text)) return `'${text}'`
  const count = (quote: string) => text.split(quote).length - 1
  const quote = count("'") > count('"') ? '"' : "'"
  const escaped = text
    .replace(/\\/g, '\\\\')
    .replaceAll(quote, `\\${quote}`)
    .replace(NOT_PLAIN_ALL, (char) => ESCAPES[char] ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
  return quote + escaped + quote
}
