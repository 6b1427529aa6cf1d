import { posix, win32 } from 'node:path'
import { type Doc, layout, quoted } from './layout.js'
import { identifiers, type NameStyle, upperFirst } from './names.js'
import type { Shape } from './shape.js'
import {
  type Direction,
  type Helper,
  helperSources,
  type Modes,
  objectSchema,
  propertyOf,
  schemaOf,
  wrapped,
} from './spell.js'

/** An object of the schema that rows are read from, and written to where `insert` is there. */
export type Target = {
  readonly kind: 'table' | 'view' | 'materialized view' | 'dictionary'
  readonly database: string
  readonly name: string
  readonly comment?: string
  /** What a SELECT can return, in column order. */
  readonly row: readonly Property[]
  /** What an INSERT takes; undefined for what cannot be inserted into. */
  readonly insert?: readonly Property[]
}

export type Property = {
  readonly name: string
  readonly shape: Shape
  readonly optional: boolean
  readonly comment?: string
}

export type TypesOptions = { readonly modes: Modes; readonly nameStyle: NameStyle; readonly zod: boolean }

type Named = { readonly target: Target; readonly name: string }

function named(targets: readonly Target[], style: NameStyle): readonly Named[] {
  const names = identifiers(targets, style)
  return targets.map((target, index) => ({ target, name: names[index]! }))
}

/** The file of row and insert types, and zod schemas where asked for. Same input, same text; ends with a newline. */
export function renderTypes(targets: readonly Target[], options: TypesOptions): string {
  const used = new Set<Helper>()
  const objects = named(targets, options.nameStyle).map(({ target, name }) =>
    [
      ...renderObject(target, name, 'row', options, used),
      ...(target.insert ? renderObject(target, name, 'insert', options, used) : []),
    ].join('\n\n'),
  )
  const helpers = helperSources(options.modes).flatMap(([helper, source]) => (used.has(helper) ? [source] : []))
  const parts = [renderReadSettings(options.modes), ...helpers, ...objects]
  return `${options.zod ? "import { z } from 'zod'\n\n" : ''}${parts.join('\n\n')}\n`
}

function renderReadSettings(modes: Modes): string {
  return `/** Query settings under which rows arrive as these types say: \`clickhouse_settings: chkitReadSettings\`. */
export const chkitReadSettings = {
  output_format_json_quote_64bit_integers: 1,
  output_format_json_quote_decimals: ${modes.decimal === 'string' ? 1 : 0},
} as const`
}

const SUFFIX: Readonly<Record<Direction, string>> = { row: 'Row', insert: 'Insert' }

function renderObject(
  target: Target,
  base: string,
  direction: Direction,
  options: TypesOptions,
  used: Set<Helper>,
): string[] {
  const properties = (direction === 'row' ? target.row : target.insert) ?? []
  const name = `${base}${SUFFIX[direction]}`
  const title = direction === 'row' ? `A row of the ${target.kind}` : `A row to insert into the ${target.kind}`
  const comment = direction === 'row' ? target.comment : undefined
  const type = [
    docComment([`${title} \`${target.database}.${target.name}\`.`, comment], ''),
    `export interface ${name} {`,
    ...properties.flatMap((property) => renderProperty(property, direction, options.modes)),
    '}',
  ].join('\n')
  return options.zod ? [type, renderSchema(properties, name, direction, used)] : [type]
}

function renderProperty(property: Property, direction: Direction, modes: Modes): string[] {
  const line = `  ${layout(propertyOf(property.name, property.optional, property.shape, modes), 2, 2)}`
  return direction === 'row' && property.comment ? [docComment([property.comment], '  '), line] : [line]
}

function renderSchema(properties: readonly Property[], type: string, direction: Direction, used: Set<Helper>): string {
  const fields = properties.map((property): [Property, Doc] => {
    const { shape } = property
    if (!property.optional) return [property, schemaOf(shape, direction, used)]
    if (shape.kind !== 'nullable') return [property, wrapped(shape, schemaOf(shape, direction, used), 'optional')]
    return [property, wrapped(shape.of, schemaOf(shape.of, direction, used), 'nullish')]
  })
  // The server drops an unknown field without a word, so a schema for inserts refuses it.
  const doc = objectSchema(direction === 'row' ? 'z.object' : 'z.strictObject', fields)
  const head = `export const ${type}Schema = `
  return `${head}${layout(doc, 0, Number.POSITIVE_INFINITY)} satisfies z.ZodType<${type}>`
}

/** A doc comment of one or more lines. Whatever the comment holds, it ends where it should. */
function docComment(paragraphs: readonly (string | undefined)[], indent: string): string {
  const lines = paragraphs
    .flatMap((paragraph) => (paragraph ?? '').split(/\r\n|[\n\r\u2028\u2029]/))
    .map((line) => line.replaceAll('*/', '*\\/').trim())
    .filter((line) => line !== '')
  if (lines.length === 1) return `${indent}/** ${lines[0]} */`
  return [`${indent}/**`, ...lines.map((line) => `${indent} * ${line}`), `${indent} */`].join('\n')
}

export type IngestOptions = {
  readonly nameStyle: NameStyle
  /** How the file imports the types: `./chkit-types.js`. */
  readonly typesModule: string
}

/** The file of functions that insert through `@clickhouse/client`. Ends with a newline. */
export function renderIngest(targets: readonly Target[], options: IngestOptions): string {
  const tables = named(targets, options.nameStyle).filter(({ target }) => (target.insert?.length ?? 0) > 0)
  const imports = ["import type { BaseQueryParams, ClickHouseClient, InsertResult } from '@clickhouse/client'"]
  if (tables.length > 0) {
    const names: Doc = {
      kind: 'group',
      open: 'import type {',
      items: tables.map(({ name }) => `${name}Insert`),
      close: '}',
      separator: ', ',
      line: ['', ','],
      padding: ' ',
    }
    const from = ` from ${quoted(options.typesModule)}`
    imports.push(layout(names, 0, from.length) + from)
  }
  return `${[imports.join('\n'), INGEST_HELPERS, ...tables.map(renderFunction)].join('\n\n')}\n`
}

const INGEST_HELPERS = `/** Anything that inserts as \`createClient()\` of @clickhouse/client does. */
export type Ingestor = Pick<ClickHouseClient, 'insert'>

async function insertRows(
  client: Ingestor,
  table: string,
  columns: [string, ...string[]],
  rows: readonly object[],
  params: BaseQueryParams,
): Promise<InsertResult> {
  return client.insert({
    ...params,
    // A misspelled field would otherwise be dropped without a word.
    clickhouse_settings: { input_format_skip_unknown_fields: 0, ...params.clickhouse_settings },
    table,
    // Named, because EPHEMERAL columns are read only where the INSERT names them.
    columns,
    values: rows.map(toJson),
    format: 'JSONEachRow',
  })
}

/** The value as JSON can carry it: bigint, NaN, the infinities and -0 as the texts that the server reads. */
function toJson(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'number') return numberToJson(value)
  if (Array.isArray(value)) return value.map(toJson)
  // What has a method of that name says itself what it is as JSON; a column may be called so too.
  if (typeof value === 'object' && value !== null && !('toJSON' in value && typeof value.toJSON === 'function')) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toJson(item)]))
  }
  return value
}

function numberToJson(value: number): number | string {
  if (Number.isFinite(value)) return Object.is(value, -0) ? '-0' : value
  return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf'
}`

function renderFunction({ target, name }: Named): string {
  const columns = (target.insert ?? []).map((property) => quoted(backquoted(property.name)))
  const list = (open: string, items: readonly Doc[], close: string): Doc => {
    return { kind: 'group', open, items, close, separator: ', ', line: ['', ','], padding: '' }
  }
  const table = quoted(`${backquoted(target.database)}.${backquoted(target.name)}`)
  const call = list('insertRows(', ['client', table, list('[', columns, ']'), 'rows', 'params'], ')')
  const does = `Inserts rows into \`${target.database}.${target.name}\`; an empty list sends nothing.`
  return `${docComment([does, 'Rejects with the errors of @clickhouse/client.'], '')}
export async function ingest${upperFirst(name)}(
  client: Ingestor,
  rows: readonly ${name}Insert[],
  params: BaseQueryParams = {},
): Promise<InsertResult> {
  return ${layout(call, 2, 9)}
}`
}

/** The client puts table and column names into the statement as they are. */
function backquoted(name: string): string {
  const escaped = name.replace(/[\\`]/g, '\\$&').replace(/[\n\t\r\0]/g, (char) => CONTROL[char] ?? char)
  return `\`${escaped}\``
}

const CONTROL: Readonly<Record<string, string>> = { '\n': '\\n', '\t': '\\t', '\r': '\\r', '\0': '\\0' }

/** The module specifier by which `from` imports `to`, both absolute: `./chkit-types.js`. */
export function moduleSpecifier(from: string, to: string): string {
  const path = from.includes('\\') ? win32 : posix
  const relative = path.relative(path.dirname(from), to).replaceAll('\\', '/')
  const compiled = relative.replace(/\.([cm]?)ts$/, '.$1js')
  return compiled.startsWith('.') ? compiled : `./${compiled}`
}
