import { describe, expect, expectTypeOf, it } from 'vitest'
import {
  defineConfig,
  definePlugin,
  dictionary,
  materializedView,
  schema,
  type TableDeclaration,
  table,
  view,
} from '../../src/index.js'

declare module '../../src/model/dsl.js' {
  interface TablePlugins {
    readonly sample?: { readonly timeColumn: string }
  }
}

// What the compiler must accept, refuse and remember. The compiler checks this file with the rest; the assertions that
// need a value run as tests.

const events = table({
  database: 'app',
  name: 'events',
  engine: 'MergeTree',
  orderBy: ['id'],
  columns: [
    { name: 'id', type: 'UInt64' },
    { name: 'at', type: 'DateTime64(3)', defaultExpression: 'now64(3)' },
  ],
  settings: { flatten_nested: 0 },
  plugins: { sample: { timeColumn: 'at' } },
})

const users = table({
  name: 'users',
  engine: 'Null',
  columns: { id: 'UInt64', name: { type: 'String', nullable: true } },
})

describe('table', () => {
  it('remembers the literal types of its columns and settings', () => {
    expectTypeOf(events.columns[0].name).toEqualTypeOf<'id'>()
    expectTypeOf(events.columns[1].type).toEqualTypeOf<'DateTime64(3)'>()
    expectTypeOf(events.columns[1].defaultExpression).toEqualTypeOf<'now64(3)'>()
    expectTypeOf(users.columns.name).toEqualTypeOf<{ readonly type: 'String'; readonly nullable: true }>()
    expectTypeOf(events).toExtend<TableDeclaration>()
    expect(events.settings).toEqual({ flatten_nested: 0 })
  })

  it('refuses what no table has', () => {
    const base = { database: 'app', name: 't', columns: { id: 'UInt8' } } as const
    // @ts-expect-error: engine is required
    table({ ...base })
    // @ts-expect-error: a misspelt field
    table({ ...base, engine: 'MergeTree', orderby: 'id' })
    // @ts-expect-error: the engine is text
    table({ ...base, engine: 5 })
    // @ts-expect-error: a column without a type
    table({ ...base, engine: 'Null', columns: [{ name: 'id' }] })
    // @ts-expect-error: an option of a plugin in the wrong type
    table({ ...base, engine: 'Null', plugins: { sample: { timeColumn: 5 } } })
    // @ts-expect-error: frozen
    expect(() => (events.name = 'x')).toThrow()
  })
})

describe('materializedView', () => {
  it('takes a target or an engine, not both', () => {
    const base = { database: 'app', name: 'v', as: 'SELECT 1 AS id' }
    materializedView({ ...base, to: 'app.target' })
    materializedView({ ...base, engine: 'MergeTree', orderBy: 'id' })
    // @ts-expect-error: both
    materializedView({ ...base, to: 'app.target', engine: 'MergeTree' })
    // @ts-expect-error: neither
    materializedView({ ...base })
    // @ts-expect-error: POPULATE is never declared
    materializedView({ ...base, to: 'app.target', populate: true })
  })
})

describe('others', () => {
  it('keep their columns', () => {
    const v = view({ name: 'v', as: 'SELECT 1 AS a', columns: { a: 'UInt8' } })
    expectTypeOf(v.columns).toEqualTypeOf<{ readonly a: 'UInt8' } | undefined>()
    const d = dictionary({
      name: 'd',
      attributes: { id: 'UInt64', v: { type: 'String', default: '?' } },
      primaryKey: 'id',
      source: 'NULL()',
      layout: 'FLAT()',
    })
    expectTypeOf(d.attributes).toEqualTypeOf<
      { readonly id: 'UInt64'; readonly v: { readonly type: 'String'; readonly default: '?' } } | undefined
    >()
    expect(schema(events, [users, v], d)).toEqual([events, [users, v], d])
  })
})

describe('defineConfig', () => {
  const plugin = definePlugin({ manifest: { name: 'mine', apiVersion: 1 } })

  it('takes an object or a function, and plugins in every form', () => {
    const config = defineConfig({
      schema: 'a.ts',
      plugins: ['./a.ts', plugin, { plugin }, { resolve: 'b', options: {} }],
    })
    expect(config.schema).toBe('a.ts')
    expect(defineConfig(async ({ mode }) => ({ schema: mode }))).toBeTypeOf('function')
  })

  it('refuses keys that do not exist', () => {
    // @ts-expect-error: a misspelled key
    defineConfig({ schema: 'a.ts', migrationDir: 'x' })
    // @ts-expect-error: a misspelled key further in
    defineConfig({ schema: 'a.ts', clickhouse: { url: 'http://h', databse: 'x' } })
    // @ts-expect-error: no schema
    defineConfig({})
  })
})
