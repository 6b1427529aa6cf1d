import { execFileSync } from 'node:child_process'
import { symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client'
import { createJiti } from 'jiti'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Table } from '../../../src/index.js'
import { renderIngest, renderTypes } from '../../../src/plugins/codegen/render.js'
import { targetsOf } from '../../../src/plugins/codegen/targets.js'
import { removeFolder, temporaryFolder } from '../../support/engine.js'
import { type HttpServer, startHttpServer } from '../../support/http-server.js'
import { atRow, EVERY_TYPE, ROW_COUNT } from './every-type.js'

/** Generated functions insert through a real client over HTTP, and what they inserted is read back by the generated schema. */

const ROOT = resolve(import.meta.dirname, '../../..')

const EVENTS: Table = {
  kind: 'table',
  database: 'app',
  name: 'odd `name` */',
  engine: { name: 'MergeTree', args: [] },
  orderBy: ['id'],
  columns: [
    { name: 'id', type: 'UInt64' },
    { name: 'big', type: 'Int256' },
    { name: 'price', type: 'Decimal(38, 10)' },
    { name: 'ratio', type: 'Float64' },
    { name: 'ratios', type: 'Array(Nullable(Float64))' },
    { name: 'kind', type: "Enum8('view' = 1, 'buy' = 2)", default: { kind: 'DEFAULT', expression: "'view'" } },
    { name: 'note', type: 'Nullable(String)' },
    { name: 'labels', type: 'Map(UInt64, Array(Int64))' },
    { name: 'place', type: 'Tuple(`the name` String, at Point)' },
    { name: 'items', type: 'Nested(sku String, n UInt64)' },
    { name: 'two words', type: 'UUID' },
    { name: 'toJSON', type: 'String' },
    { name: 'raw', type: 'String', default: { kind: 'EPHEMERAL' } },
    { name: 'size', type: 'UInt64', default: { kind: 'DEFAULT', expression: 'length(raw)' } },
    { name: 'upper', type: 'String', default: { kind: 'MATERIALIZED', expression: 'upper(raw)' } },
  ],
}

const CREATE = `CREATE TABLE app.\`odd \\\`name\\\` */\` (id UInt64, big Int256, price Decimal(38, 10), ratio Float64,
  ratios Array(Nullable(Float64)), kind Enum8('view' = 1, 'buy' = 2) DEFAULT 'view', note Nullable(String),
  labels Map(UInt64, Array(Int64)), place Tuple(\`the name\` String, at Point), items Nested(sku String, n UInt64),
  \`two words\` UUID, toJSON String, raw String EPHEMERAL, size UInt64 DEFAULT length(raw), upper String MATERIALIZED upper(raw))
  ENGINE = MergeTree ORDER BY id`

const UUID = '00000000-0000-4000-8000-000000000001'

type Row = Record<string, unknown>
type Ingest = {
  ingestAppOddName(client: ClickHouseClient, rows: readonly Row[], params?: object): Promise<{ executed: boolean }>
}
type Types = {
  AppOddNameRowSchema: { parse(value: unknown): Row }
  AppOddNameInsertSchema: { parse(value: unknown): Row; safeParse(value: unknown): { success: boolean } }
  chkitReadSettings: Record<string, number>
}

let folder: string
let server: HttpServer
let client: ClickHouseClient

beforeAll(async () => {
  folder = temporaryFolder('chkit-ingest-')
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  server = await startHttpServer()
  client = createClient({ url: server.url, log: { level: ClickHouseLogLevel.OFF } })
  await client.command({ query: 'CREATE DATABASE app' })
  await client.command({ query: CREATE })
})

afterAll(async () => {
  await client?.close()
  await server?.stop()
  removeFolder(folder)
})

function generate(bigint: 'string' | 'bigint', decimal: 'number' | 'string'): Promise<Ingest & Types> {
  return generateFor<Ingest & Types>(EVENTS, bigint, decimal)
}

async function generateFor<T extends object>(
  table: Table,
  bigint: 'string' | 'bigint',
  decimal: 'number' | 'string',
): Promise<T> {
  const { targets } = await targetsOf([table], { includeViews: false, failOnUnsupportedType: true }, undefined)
  const suffix = table === EVENTS ? bigint : `${table.name}-${bigint}`
  const types = join(folder, `types-${suffix}.ts`)
  const ingest = join(folder, `ingest-${suffix}.ts`)
  writeFileSync(types, renderTypes(targets, { modes: { bigint, decimal }, nameStyle: 'pascal', zod: true }))
  writeFileSync(ingest, renderIngest(targets, { nameStyle: 'pascal', typesModule: `./types-${suffix}.js` }))
  const jiti = createJiti(import.meta.url)
  return { ...(await jiti.import<object>(types)), ...(await jiti.import<object>(ingest)) } as T
}

async function readBack(settings: Record<string, number>): Promise<Row> {
  const result = await client.query({
    query: 'SELECT *, upper FROM app.`odd \\`name\\` */` ORDER BY id',
    format: 'JSONEachRow',
    clickhouse_settings: settings,
  })
  const [row] = await result.json<Row>()
  await client.command({ query: 'TRUNCATE TABLE app.`odd \\`name\\` */`' })
  return row!
}

const PLAIN = {
  note: null,
  toJSON: 'x',
  labels: {},
  place: { 'the name': 'x', at: [1, -2.5] },
  'items.sku': [],
  'items.n': [],
}

describe('generated insert functions', () => {
  test('insert bigints, NaN and quoted names, and the schema reads them back', async () => {
    const { ingestAppOddName, AppOddNameRowSchema, chkitReadSettings } = await generate('bigint', 'string')
    const row = {
      ...PLAIN,
      id: 2n ** 64n - 1n,
      big: -(2n ** 255n),
      price: '1234567890123456789012345678.0123456789',
      ratio: Number.NEGATIVE_INFINITY,
      ratios: [1.5, null],
      labels: { '18446744073709551615': [-(2n ** 63n)] },
      'items.sku': ['a'],
      'items.n': [2n ** 53n + 1n],
      'two words': UUID,
      raw: 'abc',
    }
    expect(await ingestAppOddName(client, [row])).toMatchObject({ executed: true })
    const read = await readBack({ ...chkitReadSettings, output_format_json_quote_denormals: 1 })
    const { raw: _, ...stored } = row
    expect(AppOddNameRowSchema.parse(read)).toEqual({ ...stored, kind: 'view', size: 3n, upper: 'ABC' })
  })

  test('leave what is left out to the table', async () => {
    const { ingestAppOddName, AppOddNameRowSchema, chkitReadSettings } = await generate('string', 'number')
    const { note: _, ...rest } = PLAIN
    const row = { ...rest, id: '7', big: '-1', price: 1.5, ratio: Number.NaN, ratios: [-0], 'two words': UUID }
    await ingestAppOddName(client, [row])
    const parsed = AppOddNameRowSchema.parse(await readBack(chkitReadSettings))
    expect(parsed).toEqual({ ...row, note: null, kind: 'view', size: '0', upper: '' })
  })

  test('send nothing for an empty list', async () => {
    const { ingestAppOddName } = await generate('string', 'number')
    expect(await ingestAppOddName(client, [])).toMatchObject({ executed: false })
  })

  test('refuse a misspelled field, in the schema and on the server', async () => {
    const { ingestAppOddName, AppOddNameInsertSchema } = await generate('string', 'number')
    const row = { ...PLAIN, id: '7', big: '-1', price: 1.5, ratio: 1, ratios: [], 'two words': UUID, nte: 'x' }
    expect(AppOddNameInsertSchema.safeParse(row).success).toBe(false)
    await expect(ingestAppOddName(client, [row])).rejects.toThrow(/nte/)
  })

  test('take the client’s parameters', async () => {
    const { ingestAppOddName } = await generate('string', 'number')
    const row = { ...PLAIN, id: '7', big: '-1', price: 1.5, ratio: 1, ratios: [], 'two words': UUID }
    const result = await ingestAppOddName(client, [row], { query_id: 'my-insert' })
    expect(result).toMatchObject({ query_id: 'my-insert' })
    await readBack({})
  })

  test('compile under a strict tsc, with a client of their own', async () => {
    await generate('string', 'number')
    const program = `import { createClient } from '@clickhouse/client'
import { ingestAppOddName } from './ingest-string.js'
import { AppOddNameInsertSchema, type AppOddNameRow, chkitReadSettings } from './types-string.js'

const client = createClient()
await ingestAppOddName(client, [AppOddNameInsertSchema.parse({})])
const result = await client.query({ query: 'SELECT 1', format: 'JSONEachRow', clickhouse_settings: chkitReadSettings })
export const rows: AppOddNameRow[] = await result.json<AppOddNameRow>()
`
    writeFileSync(join(folder, 'program.ts'), program)
    const compilerOptions = {
      target: 'es2022',
      lib: ['es2023'],
      module: 'nodenext',
      moduleResolution: 'nodenext',
      types: ['node'],
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      noUnusedLocals: true,
      verbatimModuleSyntax: true,
      isolatedModules: true,
      skipLibCheck: true,
      noEmit: true,
    }
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['program.ts'] }))
    const tsc = join(ROOT, 'node_modules/.bin/tsc')
    expect(() => execFileSync(tsc, ['-p', folder], { encoding: 'utf8', stdio: 'pipe' })).not.toThrow()
  })
})

/** JSONEachRow reads back no Map whose keys are tuples (26.7), though it writes them. */
const UNWRITABLE = new Set(['map_tuple'])
/** A Dynamic holds what the JSON says, so an integer becomes an Int64 on the way through. */
const RETYPED = new Set(['dynamic'])

const SETTINGS = {
  allow_suspicious_variant_types: 1,
  enable_nullable_tuple_type: 1,
  flatten_nested: 1,
  output_format_json_quote_denormals: 1,
} as const

type AllTypes = {
  AppCopyRowSchema: { parse(value: unknown): Row }
  AppCopyInsertSchema: { parse(value: unknown): Row }
  chkitReadSettings: Record<string, number>
  ingestAppCopy(client: ClickHouseClient, rows: readonly Row[]): Promise<unknown>
}

test.each([
  ['string', 'string'],
  ['bigint', 'string'],
] as const)('rows of every type go out and in again unchanged: %s, decimals as %s', async (bigint, decimal) => {
  const cases = EVERY_TYPE.filter(({ name }) => !UNWRITABLE.has(name))
  const columns = [{ name: 'n', type: 'UInt8' }, ...cases.map(({ name, type }) => ({ name, type }))]
  const declared = columns.map(({ name, type }) => `\`${name}\` ${type}`).join(', ')
  const run = (query: string) =>
    client.command({ query, clickhouse_settings: { ...SETTINGS } as Record<string, number> })
  for (const name of ['original', 'copy']) {
    await run(`CREATE OR REPLACE TABLE app.${name} (${declared}) ENGINE = MergeTree ORDER BY n`)
  }
  for (let row = 0; row < ROW_COUNT; row++) {
    await run(`INSERT INTO app.original SELECT ${row}, ${cases.map(({ values }) => atRow(values, row)).join(', ')}`)
  }
  const table: Table = { ...EVENTS, name: 'copy', columns }
  const generated = await generateFor<AllTypes>(table, bigint, decimal)
  const clickhouse_settings = { ...generated.chkitReadSettings, output_format_json_quote_denormals: 1 } as Record<
    string,
    number
  >
  const readAll = async (name: string) => {
    const query = `SELECT * FROM app.${name} ORDER BY n`
    return (await client.query({ query, format: 'JSONEachRow', clickhouse_settings })).json<Row>()
  }

  const rows = (await readAll('original')).map((row) => generated.AppCopyRowSchema.parse(row))
  expect(rows).toHaveLength(ROW_COUNT)
  await generated.ingestAppCopy(
    client,
    rows.map((row) => generated.AppCopyInsertSchema.parse(row)),
  )

  const without = (row: Row) => Object.fromEntries(Object.entries(row).filter(([name]) => !RETYPED.has(name)))
  expect((await readAll('copy')).map(without)).toEqual((await readAll('original')).map(without))
})
