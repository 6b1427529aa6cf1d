import { execFileSync } from 'node:child_process'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Column, Table, View } from '../../../src/index.js'
import { identifiers } from '../../../src/plugins/codegen/names.js'
import { moduleSpecifier, renderIngest, renderTypes, type TypesOptions } from '../../../src/plugins/codegen/render.js'
import { targetsOf } from '../../../src/plugins/codegen/targets.js'

const ROOT = resolve(import.meta.dirname, '../../..')

function tableOf(name: string, columns: readonly Column[], more: Partial<Table> = {}): Table {
  return {
    kind: 'table',
    database: 'app',
    name,
    engine: { name: 'MergeTree', args: [] },
    orderBy: [],
    columns,
    ...more,
  }
}

const NAMES = Array.from({ length: 20 }, (_, index) => `'value number ${index}' = ${index}`).join(', ')

const EVENTS = tableOf(
  'user_events',
  [
    { name: 'id', type: 'UInt64', comment: 'Primary.' },
    { name: 'kind', type: "Enum8('view' = 1, 'it\\'s' = 2)", default: { kind: 'DEFAULT', expression: "'view'" } },
    { name: 'when done', type: 'Nullable(DateTime64(3))' },
    { name: 'total', type: 'Float64', default: { kind: 'MATERIALIZED', expression: '1' } },
    { name: 'shout', type: 'String', default: { kind: 'ALIAS', expression: 'upper(kind)' } },
    { name: 'raw', type: 'String', default: { kind: 'EPHEMERAL' } },
    { name: 'price', type: 'Decimal(18, 4)' },
    { name: 'states', type: `Array(Enum16(${NAMES}))` },
    { name: 'maybe_state', type: `Nullable(Enum16(${NAMES}))` },
    {
      name: 'address',
      type: 'Tuple(street String, a_rather_long_field_name Nullable(String), points Array(Tuple(x Int64, y Float64)), `last one` Bool)',
    },
    { name: 'items', type: 'Nested(sku String, n UInt8)' },
    {
      name: 'addresses',
      type: 'Array(Tuple(street String, a_rather_long_field_name Nullable(String), points Map(String, Tuple(x Int64, y Float64))))',
      default: { kind: 'DEFAULT', expression: '[]' },
    },
    {
      name: 'by_name',
      type: 'Map(String, Tuple(street String, a_rather_long_field_name Nullable(String), points Array(Tuple(Int64, Float64))))',
    },
    { name: 'free', type: 'Variant(UInt64, String)' },
    { name: '__proto__', type: 'UInt8' },
  ],
  { comment: 'What users did.\nEnds a comment: */ not' },
)

async function types(tables: readonly Table[], options: Partial<TypesOptions> = {}): Promise<string> {
  const { targets } = await targetsOf(tables, { includeViews: false, failOnUnsupportedType: true }, undefined)
  return renderTypes(targets, {
    modes: { bigint: 'string', decimal: 'number' },
    nameStyle: 'pascal',
    zod: true,
    ...options,
  })
}

/** The text as biome formats it, with the settings of this repository. */
function formatted(text: string): string {
  return execFileSync(join(ROOT, 'node_modules/.bin/biome'), ['format', '--stdin-file-path=src/generated.ts'], {
    cwd: ROOT,
    input: text,
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'ignore'],
  })
}

describe('the generated text', () => {
  test('is what the fixture shows, for types and schemas', async () => {
    await expect(await types([EVENTS])).toMatchFileSnapshot(join(ROOT, 'fixtures/codegen/user-events/types.golden'))
  })

  test('is what the fixture shows, for insert functions', async () => {
    const { targets } = await targetsOf([EVENTS], { includeViews: false, failOnUnsupportedType: true }, undefined)
    const text = renderIngest(targets, { nameStyle: 'pascal', typesModule: './chkit-types.js' })
    await expect(text).toMatchFileSnapshot(join(ROOT, 'fixtures/codegen/user-events/ingest.golden'))
  })

  test('is formatted: a formatter finds nothing to change', async () => {
    const wide = { modes: { bigint: 'bigint', decimal: 'string' } } as const
    for (const text of [await types([EVENTS]), await types([EVENTS], wide), await types([])])
      expect(formatted(text)).toBe(text)
    const { targets } = await targetsOf([EVENTS], { includeViews: false, failOnUnsupportedType: true }, undefined)
    const ingest = renderIngest(targets, { nameStyle: 'pascal', typesModule: './chkit-types.js' })
    expect(formatted(ingest)).toBe(ingest)
  })

  test('does not depend on the order in which tables are found', async () => {
    const tables = ['b', 'a', 'Z'].map((name) => tableOf(name, [{ name: 'id', type: 'UInt8' }]))
    expect(await types(tables)).toBe(await types([...tables].reverse()))
  })

  test('keeps Nested columns whole where the table does', async () => {
    const nested: Column = { name: 'items', type: 'Nested(sku String, n UInt8)' }
    const whole = await types([tableOf('t', [nested], { settings: { flatten_nested: '0' } })], { zod: false })
    expect(whole).toContain('items: { sku: string; n: number }[]')
    expect(await types([tableOf('t', [nested])], { zod: false })).toContain(
      "'items.sku': string[]\n  'items.n': number[]",
    )
  })
})

describe('a type without a JSON form', () => {
  const states = tableOf('states', [
    { name: 'uniques', type: 'AggregateFunction(uniq, UInt64)' },
    { name: 'list', type: 'Array(Mystery(3))' },
  ])

  test('is an error that names every column and why', async () => {
    const run = targetsOf([states], { includeViews: false, failOnUnsupportedType: true }, undefined)
    await expect(run).rejects.toMatchObject({
      code: 'unsupported_type',
      details: {
        problems: [
          'app.states, column uniques, type AggregateFunction(uniq, UInt64): an aggregation state is binary data that only the server can read',
          'app.states, column list, type Mystery(3): chkit does not know this type',
        ],
      },
    })
  })

  test('is unknown, and said, where that was asked for', async () => {
    const { targets, warnings } = await targetsOf(
      [states],
      { includeViews: false, failOnUnsupportedType: false },
      undefined,
    )
    expect(warnings).toHaveLength(2)
    const text = renderTypes(targets, {
      modes: { bigint: 'string', decimal: 'number' },
      nameStyle: 'pascal',
      zod: true,
    })
    expect(text).toContain('uniques: unknown\n  list: unknown[]')
  })

  test('is also a view whose columns nobody knows', async () => {
    const view: View = { kind: 'view', database: 'app', name: 'daily', query: 'SELECT 1 AS one' }
    const options = { includeViews: true, failOnUnsupportedType: true }
    await expect(targetsOf([view], options, undefined)).rejects.toMatchObject({
      code: 'unsupported_type',
      details: { problems: ['app.daily: its columns are not declared, and no server could tell them'] },
    })
    const declared: View = { ...view, columns: [{ name: 'one', type: 'UInt8' }] }
    expect((await targetsOf([declared], options, undefined)).targets[0]?.row).toMatchObject([{ name: 'one' }])
  })
})

describe('names of types', () => {
  const named = (...names: string[]) => names.map((name) => ({ database: 'app', name }))

  test.each([
    ['pascal', ['AppUserEvents', 'App2024', 'AppÜbung', 'AppTYPE']],
    ['camel', ['appUserEvents', 'app2024', 'appÜbung', 'appTYPE']],
    ['raw', ['app_user_events', 'app_2024', 'app_übung', 'app_TYPE']],
  ] as const)('%s', (style, expected) => {
    expect(identifiers(named('user_events', '2024', 'übung', 'TYPE'), style)).toEqual(expected)
  })

  test('start with a letter whatever the database is called', () => {
    expect(identifiers([{ database: '2024', name: 'a-b' }], 'pascal')).toEqual(['_2024AB'])
    expect(identifiers([{ database: '💾', name: '!' }], 'raw')).toEqual(['___'])
  })

  test('that come out the same are told apart, in a way that another table does not change', () => {
    const two = identifiers(named('user_events', 'userEvents'), 'pascal')
    expect(two[0]).toMatch(/^AppUserEvents_[0-9a-f]{6}$/)
    expect(new Set(two).size).toBe(2)
    expect(identifiers(named('UserEvents', 'user_events', 'userEvents'), 'pascal').slice(1)).toEqual(two)
  })

  test('that differ in the case of their first letter are told apart: both functions would be called ingestApp_x', () => {
    const two = ['app', 'App'].map((database) => ({ database, name: 'x' }))
    expect(identifiers(two, 'raw')).toEqual(['app_x_93a429', 'App_x_bc1e5d'])
  })
})

test.each([
  ['/p/src/generated/ingest.ts', '/p/src/generated/types.ts', './types.js'],
  ['/p/src/a/ingest.ts', '/p/src/b/types.mts', '../b/types.mjs'],
])('%s imports %s as %s', (from, to, specifier) => {
  expect(moduleSpecifier(from, to)).toBe(specifier)
})
