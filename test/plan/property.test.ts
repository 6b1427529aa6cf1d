/**
 * Random schemas and random edits of them: what a plan leaves on the engine is what a fresh database would hold, reads
 * back without drift, and no row of a kept column has changed. Seeds are fixed, so a failure repeats.
 */
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { diffModels, type Rename } from '../../src/diff/diff.js'
import { withRenamedColumns } from '../../src/diff/diff-table.js'
import { findDrift } from '../../src/diff/drift.js'
import { mentionsColumn } from '../../src/diff/expression-names.js'
import {
  type Column,
  type Definition,
  EMPTY_MODEL,
  type Model,
  type Settings,
  type Table,
} from '../../src/model/definition.js'
import { planChanges } from '../../src/plan/plan.js'
import { renderPlan } from '../../src/render/render.js'
import { type Engine, startEngine } from './support/engine.js'
import { columns, materializedView, model, table, target, view } from './support/models.js'

let engine: Engine
beforeAll(() => {
  engine = startEngine()
})
afterAll(() => engine.close())

/** Each type with a literal of it and the types it may be converted to without loss. */
const TYPES: Readonly<Record<string, { readonly literal: string; readonly wider: readonly string[] }>> = {
  UInt8: { literal: '7', wider: ['UInt16', 'UInt64', 'Bool', 'String', 'Nullable(UInt8)'] },
  UInt16: { literal: '7', wider: ['UInt64', 'String'] },
  UInt64: { literal: '7', wider: ['String', 'Int128'] },
  Int128: { literal: '7', wider: ['String'] },
  Bool: { literal: 'true', wider: ['UInt8'] },
  String: { literal: "'x'", wider: ['LowCardinality(String)', 'Nullable(String)'] },
  'LowCardinality(String)': { literal: "'x'", wider: ['String'] },
  'Nullable(UInt8)': { literal: '7', wider: ['Nullable(UInt64)'] },
  'Nullable(UInt64)': { literal: '7', wider: [] },
  'Nullable(String)': { literal: "'x'", wider: [] },
  Date: { literal: "toDate('2024-01-01')", wider: ['DateTime', 'Date32'] },
  Date32: { literal: "toDate32('2024-01-01')", wider: [] },
  DateTime: { literal: "toDateTime('2024-01-01 00:00:00')", wider: ["DateTime('UTC')", 'DateTime64(3)'] },
  "DateTime('UTC')": { literal: "toDateTime('2024-01-01 00:00:00')", wider: ['DateTime'] },
  'DateTime64(3)': { literal: "toDateTime64('2024-01-01 00:00:00', 3)", wider: ['DateTime64(6)'] },
  'DateTime64(6)': { literal: "toDateTime64('2024-01-01 00:00:00', 6)", wider: [] },
  'Decimal(9, 2)': { literal: '7', wider: ['Decimal(18, 4)'] },
  'Decimal(18, 4)': { literal: '7', wider: [] },
  "Enum8('a' = 1)": { literal: "'a'", wider: ["Enum8('a' = 1, 'b' = 2)", "Enum16('a' = 1)"] },
  "Enum8('a' = 1, 'b' = 2)": { literal: "'a'", wider: ['String'] },
  "Enum16('a' = 1)": { literal: "'a'", wider: [] },
  'Array(UInt8)': { literal: '[1, 2]', wider: ['Array(UInt16)'] },
  'Array(UInt16)': { literal: '[1, 2]', wider: [] },
  'Map(String, UInt8)': { literal: "map('a', 1)", wider: ['Map(String, UInt64)'] },
  'Map(String, UInt64)': { literal: "map('a', 1)", wider: [] },
  'Tuple(a UInt8, b String)': { literal: "(1, 'x')", wider: ['Tuple(a UInt64, b String)'] },
  'Tuple(a UInt64, b String)': { literal: "(1, 'x')", wider: [] },
}
const TYPE_NAMES = Object.keys(TYPES)

const OPERATIONS = [
  'addColumn',
  'addColumn',
  'dropColumn',
  'moveColumn',
  'convertColumn',
  'convertColumn',
  'renameColumn',
  'default',
  'comment',
  'codec',
  'columnTtl',
  'statistics',
  'columnSettings',
  'index',
  'index',
  'projection',
  'constraint',
  'ttl',
  'setting',
  'tableComment',
  'sortingKey',
  'view',
  'materializedView',
] as const

type Edit = {
  readonly operation: (typeof OPERATIONS)[number]
  readonly a: number
  readonly b: number
  readonly c: number
}

const edits = (maxLength: number) =>
  fc.array(
    fc.record({
      operation: fc.constantFrom(...OPERATIONS),
      a: fc.nat(1000),
      b: fc.nat(1000),
      c: fc.nat(1000),
    }),
    { minLength: 1, maxLength },
  )

type State = {
  readonly table: Table
  readonly others: readonly Definition[]
  readonly renames: ReadonlyMap<string, string>
  /** Names given up by the edits: a new column of such a name would be the old one converted. */
  readonly retired: ReadonlySet<string>
}

const START: State = {
  table: table({
    columns: columns('id UInt64', 'at DateTime', 'c0 UInt8', 'c1 String'),
    primaryKey: undefined,
  }),
  others: [target()],
  renames: new Map(),
  retired: new Set(),
}

function pick<Item>(list: readonly Item[], index: number): Item {
  return list[index % list.length]!
}

function isUsed(state: State, name: string): boolean {
  const { table } = state
  const texts = [
    ...(table.indexes ?? []).map((index) => index.expression),
    ...(table.projections ?? []).map((projection) => projection.body),
    ...(table.constraints ?? []).map((constraint) => constraint.expression),
    ...(table.orderBy ?? []),
    ...table.columns.flatMap((column) => [column.default?.expression ?? '', column.ttl ?? '']),
    ...state.others.flatMap((other) => ('query' in other ? [other.query] : [])),
  ]
  return texts.some((text) => mentionsColumn(text, name))
}

const isStored = (column: Column) =>
  column.default === undefined || column.default.kind === 'DEFAULT' || column.default.kind === 'MATERIALIZED'

function applyEdit(state: State, edit: Edit): State {
  const { table } = state
  const others = table.columns.filter((column) => column.name !== 'id' && column.name !== 'at')
  const victim = others.length > 0 ? pick(others, edit.a) : undefined
  const withTable = (change: Partial<Table>): State => ({ ...state, table: { ...table, ...change } })
  const withColumn = (change: Partial<Column>): State =>
    withTable({
      columns: table.columns.map((column) => (column === victim ? clean({ ...column, ...change }) : column)),
    })
  const isKey = victim !== undefined && (table.orderBy ?? []).includes(victim.name)
  switch (edit.operation) {
    case 'addColumn': {
      const name = `c${edit.b % 9}`
      if (table.columns.some((column) => column.name === name) || state.retired.has(name)) return state
      const type = pick(TYPE_NAMES, edit.a)
      const place = edit.c % (table.columns.length + 1)
      const extras: Partial<Column> = [
        {},
        {},
        { default: { kind: 'DEFAULT', expression: TYPES[type]!.literal } } as const,
        { comment: "it's" },
        { codec: 'ZSTD(3)', comment: 'c' },
      ][edit.c % 5]!
      return withTable({
        columns: [...table.columns.slice(0, place), { name, type, ...extras }, ...table.columns.slice(place)],
      })
    }
    case 'dropColumn':
      if (victim === undefined || isUsed(state, victim.name)) return state
      return {
        ...withTable({ columns: table.columns.filter((column) => column !== victim) }),
        retired: new Set([...state.retired, victim.name]),
      }
    case 'moveColumn': {
      const moved = pick(table.columns, edit.a)
      const rest = table.columns.filter((column) => column !== moved)
      const place = edit.b % (rest.length + 1)
      return withTable({ columns: [...rest.slice(0, place), moved, ...rest.slice(place)] })
    }
    case 'convertColumn': {
      if (victim === undefined || isKey) return state
      const wider = TYPES[victim.type]?.wider ?? []
      if (wider.length === 0 || victim.statistics) return state
      const type = pick(wider, edit.b)
      return withColumn({
        type,
        ...(victim.default?.kind === 'DEFAULT' && { default: { kind: 'DEFAULT', expression: TYPES[type]!.literal } }),
      })
    }
    case 'renameColumn': {
      if (victim === undefined || isKey) return state
      const name = `r${edit.b % 5}`
      if (table.columns.some((column) => column.name === name) || state.retired.has(name)) return state
      if (state.others.some((other) => 'query' in other && mentionsColumn(other.query, victim.name))) return state
      const renames = new Map(state.renames).set(name, state.renames.get(victim.name) ?? victim.name)
      renames.delete(victim.name)
      return {
        ...state,
        renames,
        retired: new Set([...state.retired, victim.name]),
        table: withRenamedColumns(table, new Map([[victim.name, name]])),
      }
    }
    case 'default': {
      if (victim === undefined || isKey) return state
      const kinds = ['DEFAULT', 'MATERIALIZED', 'ALIAS', 'EPHEMERAL', undefined] as const
      const kind = pick(kinds, edit.b)
      const hidden = kind === 'ALIAS' || kind === 'EPHEMERAL'
      if (hidden && (isUsed(state, victim.name) || victim.codec || victim.ttl || victim.statistics || victim.settings))
        return state
      return withColumn({ default: kind && { kind, expression: TYPES[victim.type]!.literal } })
    }
    case 'comment':
      return victim ? withColumn({ comment: pick([undefined, 'a', "b'\n`"], edit.b) }) : state
    case 'codec':
      return victim && isStored(victim)
        ? withColumn({ codec: pick([undefined, 'ZSTD(1)', 'LZ4', 'NONE'], edit.b) })
        : state
    case 'columnTtl':
      return victim && isStored(victim) && !isKey
        ? withColumn({ ttl: pick([undefined, 'at + toIntervalYear(50)', 'at + toIntervalYear(60)'], edit.b) })
        : state
    case 'statistics':
      return victim && isStored(victim) && /^U?Int(8|16|64)$/.test(victim.type)
        ? withColumn({ statistics: pick([undefined, ['tdigest'], ['tdigest', 'uniq']], edit.b) })
        : state
    case 'columnSettings':
      return victim && isStored(victim)
        ? withColumn({
            settings: pick(
              [undefined, { max_compress_block_size: '5000' }, { min_compress_block_size: '100' }] as readonly (
                | Settings
                | undefined
              )[],
              edit.b,
            ),
          })
        : state
    case 'index': {
      if (victim === undefined || !isStored(victim) || /Array|Map|Tuple/.test(victim.type)) return state
      const name = `i${edit.b % 3}`
      const rest = (table.indexes ?? []).filter((index) => index.name !== name)
      const type = pick(['minmax', 'set(10)', undefined], edit.c)
      const indexes =
        type === undefined ? rest : [...rest, { name, expression: victim.name, type, granularity: 1 + (edit.c % 3) }]
      return withTable({ indexes: indexes.length > 0 ? indexes : undefined })
    }
    case 'projection': {
      if (victim === undefined || !isStored(victim) || victim.type.startsWith('Nullable')) return state
      const name = `p${edit.b % 2}`
      const rest = (table.projections ?? []).filter((projection) => projection.name !== name)
      const body = pick(
        [
          `SELECT id, ${victim.name} ORDER BY ${victim.name}`,
          `SELECT ${victim.name}, count() GROUP BY ${victim.name}`,
          undefined,
        ],
        edit.c,
      )
      const projections = body === undefined ? rest : [...rest, { name, form: 'query' as const, body }]
      return withTable({ projections: projections.length > 0 ? projections : undefined })
    }
    case 'constraint': {
      if (victim === undefined || !isStored(victim)) return state
      const name = `k${edit.b % 2}`
      const rest = (table.constraints ?? []).filter((constraint) => constraint.name !== name)
      const expression = pick([`isNotNull(${victim.name}) < 2`, `isNotNull(${victim.name}) < 3`, undefined], edit.c)
      const constraints = expression === undefined ? rest : [...rest, { name, type: 'CHECK' as const, expression }]
      return withTable({ constraints: constraints.length > 0 ? constraints : undefined })
    }
    case 'ttl':
      return withTable({
        ttl: pick(
          [undefined, ['at + toIntervalYear(50)'], ['at + toIntervalYear(60) WHERE id > 5', 'at + toIntervalYear(61)']],
          edit.a,
        ),
      })
    case 'setting': {
      const settings = { ...table.settings }
      const [name, value] = pick(
        [
          ['max_parts_in_total', '500'],
          ['ttl_only_drop_parts', '1'],
          ['max_parts_in_total', undefined],
          ['merge_with_ttl_timeout', '99'],
          ['merge_with_ttl_timeout', undefined],
        ] as const,
        edit.a,
      )
      if (value === undefined) delete settings[name]
      else settings[name] = value
      return withTable({ settings: Object.keys(settings).length > 0 ? settings : undefined })
    }
    case 'tableComment':
      return withTable({ comment: pick([undefined, 'x', "y'"], edit.a) })
    case 'sortingKey': {
      const name = `s${edit.a % 3}`
      if (table.columns.some((column) => column.name === name) || state.retired.has(name)) return state
      return withTable({
        columns: [...table.columns, { name, type: 'UInt16' }],
        orderBy: [...(table.orderBy ?? []), name],
        primaryKey: ['id'],
      })
    }
    case 'view': {
      const query = pick(
        [undefined, 'SELECT * FROM d.t', 'SELECT id, at FROM d.t', 'SELECT id FROM d.t WHERE id > 1'],
        edit.a,
      )
      const rest = state.others.filter((other) => other.kind !== 'view')
      return {
        ...state,
        others: query === undefined ? rest : [...rest, view({ query, ...(edit.b % 2 === 0 && { comment: 'v' }) })],
      }
    }
    case 'materializedView': {
      const query = pick(
        [undefined, 'SELECT id, toUInt32(1) AS a FROM d.t', 'SELECT id FROM d.t', 'SELECT id + 1 AS id FROM d.t'],
        edit.a,
      )
      const rest = state.others.filter((other) => other.kind !== 'materialized_view')
      return {
        ...state,
        others:
          query === undefined
            ? rest
            : [...rest, materializedView({ query, ...(edit.b % 2 === 0 && { comment: 'm' }) })],
      }
    }
  }
}

function clean<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as T
}

function modelOf(state: State): Model {
  return model(clean(state.table), ...state.others)
}

function run(from: Model, to: Model, renames: readonly Rename[] = []): string[] {
  const plan = planChanges(diffModels(from, to, renames), { from, to })
  expect(plan.refusals).toEqual([])
  const texts = renderPlan(plan).map((statement) => statement.text)
  for (const text of texts) {
    try {
      engine.run(text)
    } catch (error) {
      throw new Error(`${text}\n${error instanceof Error ? error.message : String(error)}\nin:\n${texts.join(';\n')}`)
    }
  }
  return texts
}

const RUNS = Number(process.env.CHKIT_PROPERTY_RUNS ?? 120)
const SEED = Number(process.env.CHKIT_PROPERTY_SEED ?? 20260101)

it(`a plan between two random schemas leads to what a fresh database holds (${RUNS} pairs)`, {
  timeout: 1_800_000,
}, () => {
  let valid = 0
  fc.assert(
    fc.property(edits(8), edits(6), (first, second) => {
      const a = first.reduce<State>(applyEdit, START)
      const b = second.reduce<State>(applyEdit, { ...a, renames: new Map(), retired: new Set() })
      const from = modelOf(a)
      const to = modelOf(b)
      // What the server itself refuses to create is no schema.
      engine.clear()
      try {
        for (const { text } of renderPlan(planChanges(diffModels(EMPTY_MODEL, to), { from: EMPTY_MODEL, to })))
          engine.run(text)
      } catch {
        return
      }
      const fresh = engine.show()
      engine.clear()
      run(EMPTY_MODEL, from)
      valid++
      engine.run('INSERT INTO d.t (id, at) SELECT number, now() FROM numbers(7)')
      const before = new Map(a.table.columns.map((column) => [column.name, column]))
      const renames: Rename[] = [...b.renames]
        .filter(([name, old]) => before.has(old) && !before.has(name) && b.table.columns.some((c) => c.name === name))
        .filter(([, old]) => !b.table.columns.some((c) => c.name === old))
        .map(([name, old]) => ({ kind: 'column', table: { database: 'd', name: 't' }, from: old, to: name }))
      const kept = b.table.columns.flatMap((column) => {
        const old =
          before.get(renames.find((rename) => rename.to === column.name && rename.kind === 'column')?.from as string) ??
          before.get(column.name)
        const same = old !== undefined && old.type === column.type && isStored(old) && isStored(column)
        return same ? [{ old: old.name, name: column.name }] : []
      })
      const sums = (names: readonly string[]) =>
        engine.run(
          `SELECT ${['count()', ...names.map((name) => `sum(cityHash64(toString(${name})))`)].join(', ')} FROM d.t`,
        )
      const rows = sums(kept.map(({ old }) => old))

      run(from, to, renames)

      expect(sums(kept.map(({ name }) => name))).toBe(rows)
      expect(engine.show()).toEqual(fresh)
      const drift = findDrift(to, engine.read())
      expect([...drift.objectDrift, ...drift.tableDrift]).toEqual([])
    }),
    { numRuns: RUNS, seed: SEED },
  )
  expect(valid).toBeGreaterThan(RUNS / 2)
})
