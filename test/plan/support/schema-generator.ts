/**
 * Random schemas in the schema language, over every kind of object and every attribute, and random edits of them. A
 * schema is what a row of edits makes of nothing, so that a failing pair shrinks to the few edits that matter.
 */
import fc from 'fast-check'
import { canonicalise } from '../../../src/model/canonical.js'
import type { Model } from '../../../src/model/definition.js'
import type {
  ColumnInput,
  Declaration,
  DictionaryDeclaration,
  MaterializedViewDeclaration,
  NamedCollectionDeclaration,
  TableDeclaration,
  ViewDeclaration,
} from '../../../src/model/dsl.js'
import { quoteIdentifier, quoteString } from '../../../src/sql/quote.js'

/** Declarations by a name of the generator's own, which a rename keeps. */
export type World = ReadonlyMap<string, Declaration>

export type Edit = { readonly operation: Operation; readonly a: number; readonly b: number; readonly c: number }

/** Databases that schemas use; the second must be quoted everywhere. */
export const DATABASES = ['d', 'd 2`"'] as const

/** The cluster of Distributed tables: one host, which nobody asks. */
export const CLUSTER = 'main'

/** Named collections that schemas use. */
export const COLLECTIONS = ['chkit_raw', 'chkit_source', 'chkit other'] as const

const TABLE_NAMES = [
  't',
  'events',
  'odd name',
  "it's",
  'quo`te',
  'naïve 表',
  'new\nline',
  'back\\slash',
  'select',
  'a.b',
]
const COLUMN_NAMES = ['c0', 'c1', 'with space', "sin'gle", 'quo`te', '列', 'new\nline', 'back\\slash', 'from', 'a"b']
const COMMENTS = [undefined, 'plain', "it's", 'back\\slash `q` "d"', 'two\nlines', '注释 ✓', 'tab\there; --x']

/** A literal of each type, and the types it may be converted to without loss. */
const TYPES: Readonly<Record<string, { readonly value: string; readonly to: readonly string[] }>> = {
  UInt8: { value: '7', to: ['UInt16', 'UInt64', 'Bool', 'String', 'Nullable(UInt8)'] },
  UInt16: { value: '7', to: ['UInt64', 'String'] },
  UInt32: { value: '7', to: ['UInt64', 'DateTime', 'Int64'] },
  UInt64: { value: '7', to: ['String', 'Int128'] },
  Int64: { value: '-7', to: ['String', 'Float64'] },
  Int128: { value: '7', to: ['String'] },
  Float64: { value: '1.5', to: ['String'] },
  Bool: { value: 'true', to: ['UInt8'] },
  String: { value: "'x\\'y'", to: ['LowCardinality(String)', 'Nullable(String)'] },
  'FixedString(4)': { value: "'abcd'", to: ['FixedString(8)', 'String'] },
  'FixedString(8)': { value: "'abcd'", to: ['String'] },
  'LowCardinality(String)': { value: "'x'", to: ['String', 'LowCardinality(Nullable(String))'] },
  'LowCardinality(Nullable(String))': { value: "'x'", to: [] },
  'Nullable(UInt8)': { value: '7', to: ['Nullable(UInt64)'] },
  'Nullable(UInt64)': { value: '7', to: [] },
  'Nullable(String)': { value: 'NULL', to: [] },
  Date: { value: "toDate('2024-01-01')", to: ['DateTime', 'Date32'] },
  Date32: { value: "toDate32('2024-01-01')", to: [] },
  DateTime: { value: "toDateTime('2024-01-01 00:00:00')", to: ["DateTime('UTC')", 'DateTime64(3)'] },
  "DateTime('UTC')": { value: "toDateTime('2024-01-01 00:00:00')", to: ['DateTime'] },
  'DateTime64(3)': { value: 'now64(3)', to: ['DateTime64(6)'] },
  'DateTime64(6)': { value: 'now64(6)', to: [] },
  'Decimal(9, 2)': { value: '7', to: ['Decimal(18, 4)'] },
  'Decimal(18, 4)': { value: '7', to: [] },
  "Enum8('a' = 1)": { value: "'a'", to: ["Enum8('a' = 1, 'b' = 2)", "Enum16('a' = 1)"] },
  "Enum8('a' = 1, 'b' = 2)": { value: "'a'", to: ['String'] },
  "Enum16('a' = 1)": { value: "'a'", to: [] },
  UUID: { value: 'generateUUIDv4()', to: ['String'] },
  IPv4: { value: "toIPv4('1.2.3.4')", to: ['String'] },
  'Array(UInt8)': { value: '[1, 2]', to: ['Array(UInt16)'] },
  'Array(UInt16)': { value: '[1, 2]', to: [] },
  'Array(Array(String))': { value: "[['a'], []]", to: [] },
  'Map(String, UInt8)': { value: "map('a', 1)", to: ['Map(String, UInt64)'] },
  'Map(String, UInt64)': { value: "map('a', 1)", to: [] },
  'Tuple(a UInt8, b String)': { value: "(1, 'x')", to: ['Tuple(a UInt64, b String)'] },
  'Tuple(a UInt64, b String)': { value: "(1, 'x')", to: [] },
  'Variant(String, UInt64)': { value: '1::UInt64', to: [] },
  Dynamic: { value: "'x'", to: [] },
  JSON: { value: "'{}'", to: [] },
  'JSON(a UInt8, SKIP b)': { value: "'{}'", to: [] },
  Point: { value: '(1, 2)', to: ['Tuple(Float64, Float64)'] },
  'Tuple(Float64, Float64)': { value: '(1, 2)', to: ['Point'] },
  'SimpleAggregateFunction(sum, UInt64)': { value: '1', to: ['UInt64'] },
}
const TYPE_NAMES = Object.keys(TYPES)

const ENGINES: readonly string[] = [
  'MergeTree',
  'MergeTree',
  'MergeTree',
  'ReplacingMergeTree(v)',
  'ReplacingMergeTree(v, del)',
  'SummingMergeTree',
  'SummingMergeTree((v))',
  'AggregatingMergeTree',
  'CoalescingMergeTree',
  'CollapsingMergeTree(sign)',
  'VersionedCollapsingMergeTree(sign, v)',
  'Memory',
  'Log',
  'TinyLog',
  'StripeLog',
  'Null',
  'Join(ANY, LEFT, id)',
]

/** Edits of the parts of a table, and of what reads it. */
const TABLE_OPERATIONS = [
  'addColumn',
  'addColumn',
  'addColumn',
  'addNested',
  'dropColumn',
  'moveColumn',
  'convertColumn',
  'convertColumn',
  'renameColumn',
  'default',
  'default',
  'columnComment',
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
  'setting',
  'sortingKey',
  'objectComment',
  'viewQuery',
  'materializedViewQuery',
] as const

const OPERATIONS = [
  ...TABLE_OPERATIONS,
  'addTable',
  'addTable',
  'addTable',
  'addUpperTable',
  'addView',
  'addView',
  'addMaterializedView',
  'addRefreshable',
  'addDictionary',
  'addFunction',
  'addDatabase',
  'addCollection',
  'addRaw',
  'drop',
  'rename',
  'rename',
  'move',
  'viewColumns',
  'viewSecurity',
  'innerStorage',
  'refresh',
  'dictionary',
  'collection',
  'function',
  'samplingKey',
  'partitionKey',
  'engine',
] as const
type Operation = (typeof OPERATIONS)[number]

/** Rows of edits, each decided by three numbers. */
export const edits = (minLength: number, maxLength: number) => rowsOf(OPERATIONS, minLength, maxLength)

/** Rows of edits of what is there: nothing is made, dropped or renamed as a whole. */
export const tableEdits = (minLength: number, maxLength: number) => rowsOf(TABLE_OPERATIONS, minLength, maxLength)

function rowsOf(operations: readonly Operation[], minLength: number, maxLength: number) {
  return fc.array(
    fc.record({ operation: fc.constantFrom(...operations), a: fc.nat(9999), b: fc.nat(9999), c: fc.nat(9999) }),
    { minLength, maxLength },
  )
}

const START_COLUMNS: readonly ColumnInput[] = [
  { name: 'id', type: 'UInt64' },
  { name: 'at', type: 'DateTime' },
  { name: 'c0', type: 'UInt8' },
  { name: 'c1', type: 'String' },
]

/** One table with what reads it: where edits that make nothing begin. */
export const ONE_TABLE: World = new Map<string, Declaration>([
  ['t', { kind: 'table', database: 'd', name: 't', engine: 'MergeTree', orderBy: 'id', columns: START_COLUMNS }],
  ['sink', { kind: 'table', database: 'd', name: 'sink', engine: 'Null', columns: START_COLUMNS.slice(0, 2) }],
  ['view0', { kind: 'view', database: 'd', name: 'v', as: 'SELECT * FROM `d`.`t`' }],
  ['mv0', { kind: 'materialized_view', database: 'd', name: 'mv', to: '`d`.`sink`', as: 'SELECT id, at FROM `d`.`t`' }],
])

function pick<Item>(list: readonly Item[], index: number): Item {
  return list[index % list.length]!
}

type Sorted = { readonly [Kind in Declaration['kind']]?: readonly [string, Extract<Declaration, { kind: Kind }>][] }

function byKind(world: World): Sorted {
  const sorted: Record<string, [string, Declaration][]> = {}
  for (const [id, one] of world) {
    sorted[one.kind] ??= []
    sorted[one.kind]!.push([id, one])
  }
  return sorted as Sorted
}

const columnsOf = (table: TableDeclaration) => table.columns as readonly ColumnInput[]
type DatabaseDeclaration = Extract<Declaration, { kind: 'table' | 'view' | 'materialized_view' | 'dictionary' }>

function isInDatabase(one: Declaration): one is DatabaseDeclaration {
  return ['table', 'view', 'materialized_view', 'dictionary'].includes(one.kind)
}

const FIXED = new Set(['id', 'at', 'v', 'sign', 'del'])
const isMergeTree = (table: TableDeclaration) => table.engine?.includes('MergeTree') ?? false

/**
 * The world after an edit, or the same one where the edit has nothing to act on or would make the schema invalid by
 * chkit's own rules.
 */
export function applyEdit(world: World, edit: Edit): World {
  const next = edited(world, edit)
  if (next === undefined || next === world) return world
  return canonicalise([...next.values()]).issues.length === 0 ? next : world
}

/** The canonical model of a world. Throws when it is not valid. */
export function modelOfWorld(world: World): Model {
  const { model, issues, warnings } = canonicalise([...world.values()])
  if (issues.length > 0 || warnings.length > 0)
    throw new Error([...issues, ...warnings].map(({ message }) => message).join('\n'))
  return model
}

/** `renamedFrom` is news once: the next edits start from a world that has forgotten it. */
export function settled(world: World): World {
  return new Map([...world].map(([id, one]) => [id, withoutRenames(one)]))
}

function withoutRenames(one: Declaration): Declaration {
  const { renamedFrom: _, ...rest } = one as Declaration & { renamedFrom?: unknown }
  if (rest.kind !== 'table') return rest as Declaration
  const columns = columnsOf(rest as TableDeclaration).map(({ renamedFrom: __, ...column }) => column)
  return { ...rest, columns } as Declaration
}

function nameOf(one: Declaration): string {
  const { database, name } = one as { database?: string; name: string }
  return `${quoteIdentifier(database ?? '')}.${quoteIdentifier(name)}`
}

function edited(world: World, { operation, a, b, c }: Edit): World | undefined {
  const kinds = byKind(world)
  const put = (id: string, one: Declaration): World => new Map(world).set(id, clean(one))
  const fresh = (prefix: string): string | undefined => {
    const free = [0, 1, 2].map((n) => `${prefix}${n}`).find((id) => !world.has(id))
    return free
  }
  const isFree = (database: string, name: string): boolean =>
    ![...world.values()].some((one) => isInDatabase(one) && one.database === database && one.name === name)
  const free = (database: string): string | undefined =>
    TABLE_NAMES.map((_, index) => pick(TABLE_NAMES, b + index)).find((name) => isFree(database, name))
  const tables = kinds.table ?? []
  const ownTables = tables.filter(([, table]) => columnsOf(table).some(({ name }) => name === 'id'))
  const target = ownTables.length > 0 ? pick(ownTables, a) : undefined
  const database = pick(DATABASES, c % 4 === 0 ? 1 : 0)
  const withTable = (change: Partial<TableDeclaration>): World | undefined =>
    target && put(target[0], { ...target[1], ...change } as TableDeclaration)
  const own = target ? columnsOf(target[1]).filter(({ name }) => !FIXED.has(name)) : []
  const column = own.length > 0 ? pick(own, b) : undefined
  const withColumn = (change: Partial<ColumnInput>): World | undefined =>
    column &&
    withTable({ columns: columnsOf(target![1]).map((one) => (one === column ? clean({ ...one, ...change }) : one)) })
  const isStored = column !== undefined && column.alias === undefined && column.ephemeral === undefined
  const quoted = column && quoteIdentifier(column.name)

  switch (operation) {
    case 'addTable': {
      const id = fresh('table')
      const name = free(database)
      if (id === undefined || name === undefined) return undefined
      const engine = pick(ENGINES, a)
      const keyed = engine.includes('MergeTree')
      const order = pick([['id'], ['id', 'toDate(at)'], ['id', 'at']], b)
      const base: ColumnInput[] = [
        { name: 'id', type: 'UInt64' },
        { name: 'at', type: 'DateTime' },
      ]
      if (/\bv\b/.test(engine)) base.push({ name: 'v', type: 'UInt32' })
      if (/\bsign\b/.test(engine)) base.push({ name: 'sign', type: 'Int8' })
      if (/\bdel\b/.test(engine)) base.push({ name: 'del', type: 'UInt8' })
      return put(id, {
        kind: 'table',
        database,
        name,
        engine,
        columns: base,
        ...(keyed && { orderBy: order, ...(order.length > 1 && c % 3 === 0 && { primaryKey: ['id'] }) }),
        ...(keyed && c % 5 === 0 && { partitionBy: 'toYYYYMM(at)' }),
      } as TableDeclaration)
    }
    case 'addUpperTable': {
      const id = fresh('upper')
      const name = free(database)
      if (id === undefined || name === undefined || target === undefined) return undefined
      const below = target[1]
      const engine = pick(
        [
          `Buffer(${quoteString(below.database!)}, ${quoteString(below.name)}, 1, 10, 100, 10000, 1000000, 10000000, 100000000)`,
          `Merge(${quoteString(below.database!)}, '^t$')`,
          `Distributed(${quoteString(CLUSTER)}, ${quoteString(below.database!)}, ${quoteString(below.name)}, id)`,
        ],
        c,
      )
      return put(id, {
        kind: 'table',
        database,
        name,
        engine,
        columns: [
          { name: 'id', type: 'UInt64' },
          { name: 'at', type: 'DateTime' },
        ],
      } as TableDeclaration)
    }
    case 'addView': {
      const id = fresh('view')
      const name = free(database)
      const sources = [...tables, ...(kinds.view ?? [])].map(([, one]) => one)
      if (id === undefined || name === undefined || sources.length === 0) return undefined
      return put(id, {
        kind: 'view',
        database,
        name,
        as: viewQuery(nameOf(pick(sources, a)), b, world),
      } as ViewDeclaration)
    }
    case 'addMaterializedView':
    case 'addRefreshable': {
      const id = fresh('mv')
      const name = free(database)
      if (id === undefined || name === undefined || target === undefined) return undefined
      const refresh = operation === 'addRefreshable' && {
        refresh: clean({
          ...pick([{ every: '1 YEAR' }, { after: '400 DAY' }, { every: '12 MONTH', offset: '3 DAY' }], b),
          randomize: pick([undefined, '2 HOUR'], b),
          append: c % 2 === 0 ? true : undefined,
        }),
      }
      const as = pick(
        [
          `SELECT id, count() AS n FROM ${nameOf(target[1])} GROUP BY id`,
          `SELECT id, at FROM ${nameOf(target[1])}`,
          `SELECT id FROM ${nameOf(target[1])} WHERE id > 5`,
        ],
        b,
      )
      const to = ownTables.filter(
        ([, table]) => table !== target[1] && isMergeTree(table) && !/del|sign/.test(table.engine!),
      )
      if (to.length > 0 && c % 3 > 0)
        return put(id, {
          kind: 'materialized_view',
          database,
          name,
          to: nameOf(pick(to, c)[1]),
          as,
          ...refresh,
        } as MaterializedViewDeclaration)
      return put(id, {
        kind: 'materialized_view',
        database,
        name,
        engine: 'MergeTree',
        orderBy: 'id',
        as,
        ...refresh,
      } as MaterializedViewDeclaration)
    }
    case 'addDictionary': {
      const id = fresh('dict')
      const name = free(database)
      if (id === undefined || name === undefined || target === undefined) return undefined
      const collection = a % 3 === 0 ? kinds.named_collection?.[0] : undefined
      return put(id, {
        kind: 'dictionary',
        database,
        name,
        attributes: [
          { name: 'id', type: 'UInt64' },
          { name: 'at', type: 'DateTime', default: '2024-01-01 00:00:00' },
        ],
        primaryKey: 'id',
        source: `CLICKHOUSE(${collection === undefined ? '' : `NAME ${quoteIdentifier(collection[1].name)} `}TABLE ${quoteString(target[1].name)} DB ${quoteString(target[1].database!)})`,
        layout: pick(['FLAT()', 'HASHED()', 'CACHE(SIZE_IN_CELLS 100)', 'HASHED_ARRAY()'], b),
        lifetime: pick<number | { min: number; max: number }>([300, { min: 10, max: 20 }, 0], c),
      } as DictionaryDeclaration)
    }
    case 'addFunction': {
      const id = fresh('f')
      return id === undefined
        ? undefined
        : put(id, {
            kind: 'sql_function',
            name: `chkit_${id}`,
            as: pick(['(x) -> x + 1', 'x -> (x * 2)', '(x, y) -> concat(x, y)'], b),
          })
    }
    case 'addDatabase':
      return put('database', {
        kind: 'database',
        name: DATABASES[0],
        ...clean({ comment: pick(COMMENTS, b) }),
      } as Declaration)
    case 'addCollection':
      return put('collection', {
        kind: 'named_collection',
        name: pick(COLLECTIONS.slice(1), a),
        values: { user: 'default', port: b % 3 },
      } as NamedCollectionDeclaration)
    case 'collection': {
      const [id, one] = kinds.named_collection?.[0] ?? []
      if (id === undefined || one === undefined) return undefined
      const values = pick<NamedCollectionDeclaration['values']>(
        [
          { user: 'default' },
          { user: "it's", port: 7 },
          { 'odd key': { value: 'x', overridable: true }, user: { value: 'y', overridable: false } },
        ],
        b,
      )
      return put(id, { ...one, values })
    }
    case 'addRaw':
      return put('raw', {
        kind: 'raw',
        key: 'collection',
        create: `CREATE NAMED COLLECTION chkit_raw AS a = ${b % 3}`,
        drop: 'DROP NAMED COLLECTION IF EXISTS chkit_raw',
      })
    case 'drop': {
      const ids = [...world.keys()]
      if (ids.length === 0) return undefined
      const next = new Map(world)
      next.delete(pick(ids, a))
      return next
    }
    case 'rename':
    case 'move': {
      const all = [...world].filter((entry): entry is [string, DatabaseDeclaration] => isInDatabase(entry[1]))
      if (all.length === 0) return undefined
      const [id, object] = pick(all, a)
      const home = operation === 'rename' ? object.database! : DATABASES.find((one) => one !== object.database)!
      const name = operation === 'move' && isFree(home, object.name) ? object.name : free(home)
      if (name === undefined || object.renamedFrom !== undefined) return undefined
      const next = { ...object, database: home, name, renamedFrom: nameOf(object) } as DatabaseDeclaration
      const renamed = new Map<string, Declaration>()
      for (const [other, one] of world) renamed.set(other, other === id ? next : retargeted(one, object, next))
      return renamed
    }
    case 'objectComment': {
      const all = [...world].filter(([, one]) => isInDatabase(one))
      if (all.length === 0) return undefined
      const [id, one] = pick(all, a)
      return put(id, { ...one, comment: pick(COMMENTS, b) } as Declaration)
    }
    case 'viewQuery': {
      const views = kinds.view ?? []
      if (views.length === 0 || tables.length === 0) return undefined
      const [id, view] = pick(views, a)
      return put(id, { ...view, as: viewQuery(nameOf(pick(tables, c)[1]), b, world) } as Declaration)
    }
    case 'viewColumns': {
      const views = kinds.view ?? []
      if (views.length === 0 || tables.length === 0) return undefined
      const [id, view] = pick(views, a)
      return put(id, {
        ...view,
        ...pick<Partial<ViewDeclaration>>(
          [
            { columns: undefined, columnAliases: undefined },
            { columns: [{ name: 'id', type: 'UInt64', comment: pick(COMMENTS, c) }], columnAliases: undefined },
            { columns: undefined, columnAliases: ['odd name'] },
          ],
          b,
        ),
        as: `SELECT id FROM ${nameOf(pick(tables, c)[1])}`,
      } as ViewDeclaration)
    }
    case 'innerStorage': {
      const views = (kinds.materialized_view ?? []).filter(([, view]) => view.to === undefined)
      if (views.length === 0) return undefined
      const [id, view] = pick(views, a)
      return put(id, {
        ...view,
        ...pick<object>(
          [
            { settings: { max_parts_in_total: b } },
            { indexes: [{ name: 'i', expression: 'id', type: 'minmax' }] },
            { projections: [{ name: 'p', query: 'SELECT id ORDER BY id' }] },
            { partitionBy: 'id % 2' },
            { engine: 'SummingMergeTree' },
          ],
          c,
        ),
      } as MaterializedViewDeclaration)
    }
    case 'viewSecurity': {
      const views = kinds.view ?? []
      if (views.length === 0) return undefined
      const [id, view] = pick(views, a)
      return put(id, {
        ...view,
        sqlSecurity: pick(['INVOKER', 'DEFINER'], b),
        definer: b % 2 === 1 ? 'default' : undefined,
      } as Declaration)
    }
    case 'materializedViewQuery': {
      const views = kinds.materialized_view ?? []
      if (views.length === 0 || target === undefined) return undefined
      const [id, view] = pick(views, c)
      return put(id, { ...view, as: `SELECT id, at FROM ${nameOf(target[1])} WHERE id > ${b % 9}` } as Declaration)
    }
    case 'refresh': {
      const views = (kinds.materialized_view ?? []).filter(([, view]) => view.refresh !== undefined)
      if (views.length === 0) return undefined
      const [id, view] = pick(views, a)
      const { append } = view.refresh as { append?: boolean }
      return put(id, {
        ...view,
        refresh: clean({ every: pick(['1 YEAR', '18 MONTH', '2 YEAR'], b), append }),
      } as Declaration)
    }
    case 'dictionary': {
      const dictionaries = kinds.dictionary ?? []
      if (dictionaries.length === 0) return undefined
      const [id, dictionary] = pick(dictionaries, a)
      return put(id, {
        ...dictionary,
        ...pick<Partial<DictionaryDeclaration>>(
          [
            { layout: 'HASHED()' },
            { lifetime: { min: 1, max: b } },
            { settings: { max_threads: 2 } },
            {
              attributes: [
                { name: 'id', type: 'UInt64' },
                { name: 'at', type: 'DateTime', expression: 'now()' },
              ],
            },
            {
              attributes: [
                { name: 'id', type: 'UInt64' },
                { name: 'parent', type: 'UInt64', expression: 'id', hierarchical: true, default: 0 },
                { name: 'at', type: 'DateTime', injective: true, default: '2024-01-01 00:00:00' },
              ],
            },
            {
              attributes: [
                { name: 'id', type: 'UInt64' },
                { name: 'at', type: 'DateTime' },
                { name: 'last', type: 'DateTime', expression: 'at + 1' },
              ],
              range: { min: 'at', max: 'last' },
              layout: 'RANGE_HASHED()',
            },
          ],
          b,
        ),
      } as Declaration)
    }
    case 'function': {
      const functions = kinds.sql_function ?? []
      if (functions.length === 0) return undefined
      const [id, one] = pick(functions, a)
      return put(id, { ...one, as: pick(['(x) -> x + 2', "x -> if(x = 1, 'a', 'b')"], b) })
    }
    case 'addColumn': {
      if (target === undefined) return undefined
      const columns = columnsOf(target[1])
      const name = pick(COLUMN_NAMES, b)
      if (columns.some((one) => one.name === name)) return undefined
      const type = pick(TYPE_NAMES, a + c)
      const { value } = TYPES[type]!
      const extras: Partial<ColumnInput> = pick<Partial<ColumnInput>>(
        [
          {},
          {},
          { defaultExpression: value },
          { materialized: value },
          { alias: value },
          { ephemeral: value },
          { comment: pick(COMMENTS, c) },
          { codec: 'ZSTD(3)', comment: pick(COMMENTS, c) },
        ],
        c,
      )
      const at = c % (columns.length + 1)
      return withTable({ columns: [...columns.slice(0, at), clean({ name, type, ...extras }), ...columns.slice(at)] })
    }
    case 'addNested': {
      if (target === undefined) return undefined
      const columns = columnsOf(target[1])
      if (columns.some(({ name }) => name === 'nest')) return undefined
      return withTable({ columns: [...columns, { name: 'nest', type: 'Nested(`a b` UInt8, c Array(String))' }] })
    }
    case 'dropColumn':
      return column && withTable({ columns: columnsOf(target![1]).filter((one) => one !== column) })
    case 'moveColumn': {
      if (target === undefined) return undefined
      const columns = columnsOf(target[1])
      const moved = pick(columns, b)
      const rest = columns.filter((one) => one !== moved)
      const at = c % (rest.length + 1)
      return withTable({ columns: [...rest.slice(0, at), moved, ...rest.slice(at)] })
    }
    case 'convertColumn': {
      const wider = column === undefined ? [] : (TYPES[column.type]?.to ?? [])
      if (column === undefined || wider.length === 0) return undefined
      const type = pick(wider, c)
      const { value } = TYPES[type]!
      return withColumn({
        type,
        ...(column.defaultExpression !== undefined && { defaultExpression: value }),
        ...(column.materialized !== undefined && { materialized: value }),
        ...(column.alias !== undefined && { alias: value }),
        ...(column.ephemeral !== undefined && { ephemeral: value }),
      })
    }
    case 'renameColumn': {
      if (column === undefined || column.renamedFrom !== undefined) return undefined
      const name = pick(COLUMN_NAMES, c)
      if (columnsOf(target![1]).some((one) => one.name === name)) return undefined
      const table = target![1]
      const from = quoteIdentifier(column.name)
      const text = <T>(value: T): T =>
        (typeof value === 'string' ? value.replaceAll(from, quoteIdentifier(name)) : value) as T
      const deep = (value: unknown): unknown =>
        Array.isArray(value)
          ? value.map(deep)
          : typeof value === 'object' && value !== null
            ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, key === 'name' ? item : deep(item)]))
            : text(value)
      const { database: inDatabase, name: tableName, renamedFrom, ...rest } = table
      const everywhere = deep(rest) as TableDeclaration
      return put(target![0], {
        ...everywhere,
        database: inDatabase,
        name: tableName,
        renamedFrom,
        columns: columnsOf(everywhere).map((one) =>
          one.name === column.name ? { ...one, name, renamedFrom: column.name } : one,
        ),
      } as TableDeclaration)
    }
    case 'default': {
      if (column === undefined) return undefined
      const { value } = TYPES[column.type] ?? { value: undefined }
      if (value === undefined) return undefined
      const none = {
        default: undefined,
        defaultExpression: undefined,
        materialized: undefined,
        alias: undefined,
        ephemeral: undefined,
      }
      const functions = (kinds.sql_function ?? []).filter(([, one]) => one.as.includes('x + '))
      const called = functions.length > 0 && column.type === 'UInt64' ? `${functions[0]![1].name}(id)` : value
      return withColumn({
        ...none,
        ...pick<Partial<ColumnInput>>(
          [{}, { defaultExpression: called }, { materialized: called }, { alias: called }, { ephemeral: value }],
          c,
        ),
      })
    }
    case 'columnComment':
      return withColumn({ comment: pick(COMMENTS, c) })
    case 'codec':
      return isStored ? withColumn({ codec: pick([undefined, 'ZSTD(1)', 'LZ4', 'NONE', 'LZ4HC(3)'], c) }) : undefined
    case 'columnTtl':
      return isStored && isMergeTree(target![1])
        ? withColumn({ ttl: pick([undefined, 'at + INTERVAL 50 YEAR', 'at + toIntervalYear(60)'], c) })
        : undefined
    case 'statistics':
      return isStored && isMergeTree(target![1]) && /^U?Int(8|16|32|64)$/.test(column!.type)
        ? withColumn({ statistics: pick([undefined, 'tdigest', ['uniq', 'tdigest'], ['minmax']], c) })
        : undefined
    case 'columnSettings':
      return isStored && isMergeTree(target![1])
        ? withColumn({
            settings: pick<ColumnInput['settings']>(
              [
                undefined,
                { max_compress_block_size: 5000 },
                { min_compress_block_size: 100, max_compress_block_size: 6000 },
              ],
              c,
            ),
          })
        : undefined
    case 'index': {
      if (!isStored || !isMergeTree(target![1])) return undefined
      const { indexes = [] } = target![1]
      const name = pick(['i0', 'odd index', 'quo`te'], b)
      const rest = indexes.filter((one) => one.name !== name)
      const made = pick(
        [
          undefined,
          { name, expression: quoted!, type: 'minmax' },
          { name, expression: quoted!, type: 'set', typeArgs: 100, granularity: 2 },
          { name, expression: quoted!, type: 'bloom_filter', typeArgs: '0.01' },
          { name, expression: `toString(${quoted})`, type: 'tokenbf_v1(256, 2, 0)', granularity: 3 },
          { name, expression: `(id, ${quoted})`, type: 'minmax', granularity: 4 },
          { name, expression: `lower(toString(${quoted}))`, type: 'ngrambf_v1(3, 256, 2, 0)' },
        ],
        c,
      )
      return withTable({ indexes: made === undefined ? (rest.length > 0 ? rest : undefined) : [...rest, made] })
    }
    case 'projection': {
      if (!isStored || target![1].engine !== 'MergeTree') return undefined
      const { projections = [] } = target![1]
      const name = pick(['p0', 'odd projection'], b)
      const rest = projections.filter((one) => one.name !== name)
      const made = pick(
        [
          undefined,
          { name, query: `SELECT id, ${quoted} ORDER BY ${quoted}` },
          { name, query: `SELECT ${quoted}, count() GROUP BY ${quoted}` },
          { name, query: 'SELECT * ORDER BY at' },
          { name, query: `SELECT at, max(id) GROUP BY at`, settings: { index_granularity: 100 } },
          { name, index: quoted!, type: 'basic' },
        ],
        c,
      )
      return withTable({ projections: made === undefined ? (rest.length > 0 ? rest : undefined) : [...rest, made] })
    }
    case 'constraint': {
      if (!isStored || !isMergeTree(target![1])) return undefined
      const { constraints = [] } = target![1]
      const name = pick(['k0', 'odd constraint'], b)
      const rest = constraints.filter((one) => one.name !== name)
      const made = pick(
        [undefined, { name, check: `isNotNull(${quoted}) < 2` }, { name, assume: `id < 1000000 OR isNull(${quoted})` }],
        c,
      )
      return withTable({ constraints: made === undefined ? (rest.length > 0 ? rest : undefined) : [...rest, made] })
    }
    case 'ttl':
      return target && isMergeTree(target[1])
        ? withTable({
            ttl: pick<string | string[] | undefined>(
              [
                undefined,
                'at + INTERVAL 50 YEAR',
                ['at + INTERVAL 60 YEAR DELETE WHERE id > 5', 'at + toIntervalYear(61)'],
                'at + INTERVAL 50 YEAR RECOMPRESS CODEC(ZSTD(9)), at + INTERVAL 51 YEAR',
                "at + INTERVAL 40 YEAR TO DISK 'default'",
              ],
              b,
            ),
          })
        : undefined
    case 'setting': {
      if (target === undefined || !isMergeTree(target[1])) return undefined
      const settings: Record<string, string | number | boolean> = { ...target[1].settings }
      const [name, value] = pick(
        [
          ['max_parts_in_total', 500],
          ['ttl_only_drop_parts', true],
          ['max_parts_in_total', undefined],
          ['merge_with_ttl_timeout', 99],
          ['merge_with_ttl_timeout', undefined],
          ['deduplicate_merge_projection_mode', 'drop'],
          ['min_bytes_for_wide_part', 0],
          ['ttl_only_drop_parts', undefined],
          ['index_granularity', 1024],
          ['alter_column_secondary_index_mode', 'throw'],
        ] as const,
        b,
      )
      if (value === undefined) delete settings[name]
      else settings[name] = value
      return withTable({ settings: Object.keys(settings).length > 0 ? settings : undefined })
    }
    case 'sortingKey': {
      if (target === undefined || !isMergeTree(target[1])) return undefined
      const columns = columnsOf(target[1])
      const name = pick(['s0', 's 1'], b)
      if (columns.some((one) => one.name === name)) return undefined
      const order = [target[1].orderBy].flat() as string[]
      return withTable({
        columns: [...columns, { name, type: 'UInt16' }],
        orderBy: [...order, quoteIdentifier(name)],
        primaryKey: target[1].primaryKey ?? order,
      })
    }
    case 'samplingKey':
      return target && isMergeTree(target[1]) ? withTable({ sampleBy: pick([undefined, 'id'], b) }) : undefined
    case 'partitionKey':
      return target && isMergeTree(target[1])
        ? withTable({ partitionBy: pick([undefined, 'toYYYYMM(at)', 'id % 4'], b) })
        : undefined
    case 'engine': {
      if (target === undefined || !isMergeTree(target[1])) return undefined
      return withTable({ engine: pick(['MergeTree', 'AggregatingMergeTree', 'SummingMergeTree'], b) })
    }
  }
}

/** What reads an object by its name follows it. */
function retargeted(one: Declaration, before: DatabaseDeclaration, after: DatabaseDeclaration): Declaration {
  const [from, to] = [nameOf(before), nameOf(after)]
  if (one.kind === 'view' || one.kind === 'materialized_view') {
    const target = 'to' in one && one.to === from ? { to } : {}
    return { ...one, as: one.as.replaceAll(from, () => to), ...target } as Declaration
  }
  if (one.kind === 'dictionary') {
    const place = ({ name, database }: DatabaseDeclaration) => `TABLE ${quoteString(name)} DB ${quoteString(database!)}`
    return { ...one, source: one.source.replace(place(before), () => place(after)) }
  }
  if (one.kind === 'table' && /^(?:Buffer|Distributed)\(/.test(one.engine ?? '')) {
    const place = ({ name, database }: DatabaseDeclaration) => `${quoteString(database!)}, ${quoteString(name)},`
    return { ...one, engine: one.engine!.replace(place(before), () => place(after)) } as TableDeclaration
  }
  return one
}

function viewQuery(source: string, b: number, world: World): string {
  const functions = [...world.values()].filter((one) => one.kind === 'sql_function' && one.as.includes('x + '))
  const call = functions.length > 0 ? `${(functions[0] as { name: string }).name}(id)` : 'id + 1'
  return pick(
    [
      `SELECT id FROM ${source}`,
      `SELECT * FROM ${source}`,
      `SELECT id, ${call} AS next FROM ${source} WHERE id > 1`,
      `SELECT id FROM ${source} WHERE id = {p:UInt64}`,
      `SELECT max(id) AS id FROM ${source} AS x INNER JOIN (SELECT id AS k FROM ${source}) AS y ON x.id = y.k`,
      `WITH q AS (SELECT id FROM ${source}) SELECT id FROM q UNION ALL SELECT id FROM ${source} LIMIT 5`,
    ],
    b,
  )
}

function clean<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as T
}
