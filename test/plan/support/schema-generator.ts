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
export const TYPES: Readonly<Record<string, { readonly value: string; readonly to: readonly string[] }>> = {
  UInt8: { value: '7', to: ['UInt16', 'UInt64', 'Bool', 'String', 'Nullable(UInt8)'] },
  UInt16: { value: '7', to: ['UInt64', 'String'] },
  UInt32: { value: '7', to: ['UInt64', 'DateTime', 'Int64'] },
  UInt64: { value: '7', to: ['String', 'Int128', 'UInt32', 'Nullable(UInt64)'] },
  Int8: { value: '-7', to: ['Int64', 'String'] },
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
  'Nullable(UInt64)': { value: '7', to: ['UInt64', 'UInt32'] },
  'Nullable(String)': { value: 'NULL', to: ['String'] },
  'Nullable(DateTime64(3))': { value: 'NULL', to: [] },
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
  "Enum8('it\\'s' = -1, 'b c' = 2)": { value: "'b c'", to: ["Enum8('it\\'s' = -1, 'b c' = 2, '' = 3)", 'Int8'] },
  "Enum8('it\\'s' = -1, 'b c' = 2, '' = 3)": { value: "'b c'", to: ["Enum8('it\\'s' = -1, 'b c' = 2)"] },
  UUID: { value: 'generateUUIDv4()', to: ['String'] },
  IPv4: { value: "toIPv4('1.2.3.4')", to: ['String'] },
  'Array(UInt8)': { value: '[1, 2]', to: ['Array(UInt16)'] },
  'Array(UInt16)': { value: '[1, 2]', to: [] },
  'Array(Nullable(String))': { value: "['a', NULL]", to: ['Array(String)'] },
  'Array(String)': { value: "['a']", to: ['Array(LowCardinality(String))', 'Array(Nullable(String))'] },
  'Array(LowCardinality(String))': { value: "['a']", to: [] },
  'Array(Tuple(a UInt8, b String))': { value: "[(1, 'x')]", to: [] },
  'Map(LowCardinality(String), Array(UInt8))': { value: "map('a', [1])", to: [] },
  'Array(Array(String))': { value: "[['a'], []]", to: [] },
  'Map(String, UInt8)': { value: "map('a', 1)", to: ['Map(String, UInt64)'] },
  'Map(String, UInt64)': { value: "map('a', 1)", to: [] },
  'Tuple(a UInt8, b String)': { value: "(1, 'x')", to: ['Tuple(a UInt64, b String)'] },
  'Tuple(a UInt64, b String)': { value: "(1, 'x')", to: [] },
  'Variant(String, UInt64)': { value: '1::UInt64', to: [] },
  Dynamic: { value: "'x'", to: [] },
  JSON: { value: "'{}'", to: [] },
  'JSON(a UInt8, SKIP b)': { value: "'{}'", to: [] },
  'JSON(max_dynamic_paths = 8)': { value: "'{}'", to: ['JSON'] },
  'Dynamic(max_types = 4)': { value: "'x'", to: [] },
  Ring: { value: '[(1, 2)]', to: [] },
  IPv6: { value: "toIPv6('::1')", to: ['String'] },
  Float32: { value: '1.5', to: ['Float64'] },
  UInt256: { value: '7', to: [] },
  "DateTime64(9, 'Europe/Berlin')": { value: 'now64(9)', to: [] },
  'AggregateFunction(uniq, String)': { value: "initializeAggregation('uniqState', 'x')", to: [] },
  'SimpleAggregateFunction(max, DateTime)': { value: "toDateTime('2024-01-01 00:00:00')", to: [] },
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
  'Set',
  'EmbeddedRocksDB',
  'GenerateRandom(1)',
  "URL('http://localhost:1/x', 'CSV')",
]

/** Edits of the parts of a table, and of what reads it. */
const TABLE_OPERATIONS = [
  'addColumn',
  'addColumn',
  'addColumn',
  'addNested',
  'dropColumn',
  'dependentDefault',
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
  'shorterSortingKey',
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
  'moveAll',
  'become',
  'dictionaryDefault',
  'materializedViewColumns',
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

const LAYOUTS = [
  'FLAT()',
  'HASHED()',
  'CACHE(SIZE_IN_CELLS 100)',
  'HASHED_ARRAY()',
  'COMPLEX_KEY_HASHED()',
  'SPARSE_HASHED()',
  'HASHED(SHARDS 2)',
  'FLAT(INITIAL_ARRAY_SIZE 10 MAX_ARRAY_SIZE 1000)',
] as const

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

/** Objects of every kind that read and write each other, where edits meet what hangs on a thing. */
export const LINKED: World = new Map<string, Declaration>([
  ['database', { kind: 'database', name: 'd', comment: "it's" }],
  ['f0', { kind: 'sql_function', name: 'chkit_f0', as: '(x) -> x + 1' }],
  [
    't',
    {
      kind: 'table',
      database: 'd',
      name: 't',
      engine: 'MergeTree',
      orderBy: ['id', '`k 0`'],
      primaryKey: 'id',
      partitionBy: 'toYYYYMM(at)',
      columns: [
        ...START_COLUMNS,
        { name: 'k 0', type: 'UInt16' },
        { name: 'dep0', type: 'UInt64', materialized: 'length(toString(`c1`))' },
        { name: 'called', type: 'UInt64', alias: 'chkit_f0(`dep0`)' },
      ],
      indexes: [{ name: 'i0', expression: '`c0`', type: 'minmax' }],
      projections: [{ name: 'p0', query: 'SELECT id, `c0` ORDER BY `c0`' }],
      constraints: [{ name: 'k0', check: 'length(`c1`) < 1000' }],
      ttl: 'at + INTERVAL 50 YEAR',
      settings: { max_parts_in_total: 500 },
    },
  ],
  [
    'sink',
    {
      kind: 'table',
      database: 'd 2`"',
      name: 'sink',
      engine: 'MergeTree',
      orderBy: 'id',
      columns: [
        ...START_COLUMNS,
        { name: 'last at', type: 'DateTime', alias: "dictGetOrDefault('d.dict', 'at', id, at)" },
      ],
    },
  ],
  [
    'total',
    {
      kind: 'table',
      database: 'd',
      name: 'total',
      engine: 'SummingMergeTree((v))',
      orderBy: 'id',
      columns: [
        { name: 'id', type: 'UInt64' },
        { name: 'at', type: 'DateTime' },
        { name: 'v', type: 'UInt32' },
        { name: 'c1', type: 'String' },
      ],
    },
  ],
  ['view0', { kind: 'view', database: 'd', name: 'v', as: 'SELECT id, `c0` FROM `d`.`t`' }],
  ['view1', { kind: 'view', database: 'd 2`"', name: 'vv', as: 'SELECT * FROM `d`.`v`' }],
  [
    'mv0',
    {
      kind: 'materialized_view',
      database: 'd',
      name: 'mv',
      to: '`d 2\\`"`.`sink`',
      as: 'SELECT id, at, `c0` AS `c0`, `c1` AS `c1` FROM `d`.`t`',
    },
  ],
  [
    'mv1',
    {
      kind: 'materialized_view',
      database: 'd',
      name: 'own',
      engine: 'MergeTree',
      orderBy: 'id',
      as: 'SELECT id, any(`c1`) AS `x` FROM `d`.`t` GROUP BY id',
    },
  ],
  [
    'mv2',
    {
      kind: 'materialized_view',
      database: 'd',
      name: 'sums',
      to: '`d`.`total`',
      as: 'SELECT id, any(`c1`) AS `c1` FROM `d 2\\`"`.`sink` GROUP BY id',
    },
  ],
  [
    'dict0',
    {
      kind: 'dictionary',
      database: 'd',
      name: 'dict',
      attributes: [
        { name: 'id', type: 'UInt64' },
        { name: 'at', type: 'DateTime' },
        { name: 'c1', type: 'String' },
      ],
      primaryKey: 'id',
      source: "CLICKHOUSE(TABLE 't' DB 'd')",
      layout: 'HASHED()',
      lifetime: 0,
    },
  ],
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

export const FIXED = new Set(['id', 'at', 'v', 'sign', 'del'])
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
      const order = pick(
        [['id'], ['id', 'toDate(at)'], ['id', 'at'], ['id', '`k 0`'], ['cityHash64(`k 0`)', 'id'], ['id', 'at DESC']],
        b,
      )
      const byOwn = c % 7 === 0
      const base: ColumnInput[] = [
        { name: 'id', type: 'UInt64' },
        { name: 'at', type: 'DateTime' },
      ]
      if (/\bv\b/.test(engine)) base.push({ name: 'v', type: 'UInt32' })
      if (/\bsign\b/.test(engine)) base.push({ name: 'sign', type: 'Int8' })
      if (/\bdel\b/.test(engine)) base.push({ name: 'del', type: 'UInt8' })
      if (byOwn || order.some((entry) => entry.includes('`k 0`')))
        base.push({ name: 'k 0', type: pick(['UInt16', 'String', "Enum8('a' = 1)", 'DateTime'], a + c) })
      return put(id, {
        kind: 'table',
        database,
        name,
        engine,
        columns: base,
        ...(keyed && { orderBy: order, ...(order.length > 1 && c % 3 === 0 && { primaryKey: order.slice(0, 1) }) }),
        ...(keyed && c % 5 === 0 && { partitionBy: byOwn ? '`k 0`' : 'toYYYYMM(at)' }),
        ...(engine === 'EmbeddedRocksDB' && { primaryKey: 'id' }),
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
        as: viewQuery(pick(sources, a), b, world),
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
      const to = ownTables.filter(
        ([, table]) => table !== target[1] && isMergeTree(table) && !/del|sign/.test(table.engine!),
      )
      if (to.length > 0 && c % 3 > 0)
        return put(id, {
          kind: 'materialized_view',
          database,
          name,
          to: nameOf(pick(to, c)[1]),
          as: materializedQuery(target[1], b, pick(to, c)[1]),
          ...refresh,
        } as MaterializedViewDeclaration)
      return put(id, {
        kind: 'materialized_view',
        database,
        name,
        engine: 'MergeTree',
        orderBy: 'id',
        as: materializedQuery(target[1], b),
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
        attributes: dictionaryAttributes(target[1], c),
        primaryKey: 'id',
        source: `CLICKHOUSE(${collection === undefined ? '' : `NAME ${quoteIdentifier(collection[1].name)} `}TABLE ${quoteString(target[1].name)} DB ${quoteString(target[1].database!)})`,
        layout: pick(LAYOUTS, b),
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
      return renamedObject(world, id, {
        ...object,
        database: home,
        name,
        renamedFrom: nameOf(object),
      } as DatabaseDeclaration)
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
      return put(id, { ...view, as: viewQuery(pick(tables, c)[1], b, world) } as Declaration)
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
      const views = [...(kinds.view ?? []), ...(kinds.materialized_view ?? [])]
      if (views.length === 0) return undefined
      const [id, view] = pick(views, a)
      return put(id, {
        ...view,
        sqlSecurity: pick(['INVOKER', 'DEFINER', 'NONE', 'DEFINER'], view.kind === 'view' ? b : b | 1),
        definer: b % 2 === 1 ? 'default' : undefined,
      } as Declaration)
    }
    case 'materializedViewQuery': {
      const views = kinds.materialized_view ?? []
      if (views.length === 0 || target === undefined) return undefined
      const [id, view] = pick(views, c)
      if (view.to === nameOf(target[1])) return undefined
      const written = tables.find(([, table]) => view.to !== undefined && nameOf(table) === view.to)?.[1]
      const as =
        b % 2 === 0
          ? `SELECT id, at FROM ${nameOf(target[1])} WHERE id > ${b % 9}`
          : materializedQuery(target[1], b >> 1, written)
      return put(id, { ...view, as } as Declaration)
    }
    case 'refresh': {
      const views = (kinds.materialized_view ?? []).filter(([, view]) => view.refresh !== undefined)
      if (views.length === 0) return undefined
      const [id, view] = pick(views, a)
      const { append } = view.refresh as { append?: boolean }
      return put(id, {
        ...view,
        refresh: clean({
          every: pick(['1 YEAR', '18 MONTH', '2 YEAR'], b),
          append,
          dependsOn: b % 4 === 0 && pick(views, c)[0] !== id ? nameOf(pick(views, c)[1]) : undefined,
          settings: b % 5 === 0 ? { refresh_retries: c } : undefined,
        }),
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
            { layout: pick(LAYOUTS, c) },
            ...(target === undefined ? [] : [{ attributes: dictionaryAttributes(target[1], c) }]),
            ...(target === undefined
              ? []
              : [
                  { source: `CLICKHOUSE(QUERY ${quoteString(`SELECT * FROM ${nameOf(target[1])}`)})` },
                  {
                    source: `CLICKHOUSE(TABLE ${quoteString(target[1].name)} DB ${quoteString(target[1].database!)} WHERE 'id > ${c}' INVALIDATE_QUERY 'SELECT 1')`,
                  },
                ]),
            { source: "HTTP(URL 'http://localhost:1/x' FORMAT 'TSV' HEADERS(HEADER(NAME 'a' VALUE 'b')))" },
            { source: 'NULL()' },
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
          ...(/^(?:U?Int|Float)\d+$/.test(type)
            ? [{ default: 7 }, { codec: 'Delta, ZSTD(3)' }, { nullable: true }]
            : []),
          ...(/^U?Int(?:8|16|32|64)$/.test(type) ? [{ codec: 'T64, LZ4' }, { codec: 'DoubleDelta, LZ4' }] : []),
          ...(type === 'String' ? [{ default: "it's \\ `x`\n" }, { ephemeral: true as const }] : []),
          ...(type === 'Bool' ? [{ default: false }] : []),
          ...(type.startsWith('Nullable(') ? [{ default: null }] : []),
          ...(type === 'DateTime' ? [{ default: 'fn:now()' }, { default: '2024-01-01 00:00:00' }] : []),
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
    case 'dropColumn': {
      const without = column && withTable({ columns: columnsOf(target![1]).filter((one) => one !== column) })
      if (without === undefined || c % 3 === 0) return without
      const readsIt = (one: Declaration) =>
        (one.kind === 'view' || one.kind === 'materialized_view') &&
        one.as.includes(nameOf(target![1])) &&
        one.as.includes(quoted!)
      const readsNoMore = { as: `SELECT id FROM ${nameOf(target![1])}` }
      return new Map(
        [...without].map(([id, one]) => [id, readsIt(one) ? ({ ...one, ...readsNoMore } as Declaration) : one]),
      )
    }
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
      const followed = new Map(
        [...world].map(([id, one]) => [id, a % 5 === 0 ? one : columnFollowed(one, table, column.name, name)]),
      )
      return followed.set(target![0], {
        ...everywhere,
        database: inDatabase,
        name: tableName,
        renamedFrom,
        columns: columnsOf(everywhere).map((one) =>
          one.name === column.name ? { ...one, name, renamedFrom: column.name } : one,
        ),
      } as TableDeclaration)
    }
    case 'dependentDefault': {
      if (column === undefined) return undefined
      const { name, type } = pick(
        [
          { name: 'dep0', type: 'UInt64' },
          { name: 'dep 1', type: 'String' },
        ],
        a,
      )
      if (column.name === name) return undefined
      const text = type === 'String' ? `toString(${quoted})` : `length(toString(${quoted}))`
      const made = {
        name,
        type,
        ...pick([{ defaultExpression: text }, { materialized: text }, { alias: text }, { ephemeral: text }], c),
      }
      const columns = columnsOf(target![1])
      const at = columns.findIndex((one) => one.name === name)
      return withTable({ columns: at < 0 ? [...columns, made] : columns.map((one, i) => (i === at ? made : one)) })
    }
    case 'dictionaryDefault': {
      const dictionaries = (kinds.dictionary ?? []).filter(([, one]) => isSimple(one))
      if (dictionaries.length === 0 || target === undefined) return undefined
      const columns = columnsOf(target[1]).filter(({ name }) => name !== 'last at')
      const [, dictionary] = pick(dictionaries, b)
      const read = `dictGetOrDefault(${dottedName(dictionary)}, 'at', id, at)`
      return withTable({
        columns: [
          ...columns,
          { name: 'last at', type: 'DateTime', ...pick([{ defaultExpression: read }, { alias: read }], c) },
        ],
      })
    }
    case 'become': {
      const one = pick([...tables, ...(kinds.view ?? [])], a)
      if (one === undefined || one[1].renamedFrom !== undefined) return undefined
      const { database: home, name } = one[1]
      return put(
        one[0],
        (one[1].kind === 'view'
          ? { kind: 'table', database: home, name, engine: 'MergeTree', orderBy: 'id', columns: START_COLUMNS }
          : { kind: 'view', database: home, name, as: VIEW_OF_NUMBERS }) as Declaration,
      )
    }
    case 'moveAll': {
      const home = pick(DATABASES, a)
      let next = world
      for (const [id] of world) {
        const one = next.get(id)!
        if (!isInDatabase(one) || one.database === home || one.renamedFrom !== undefined) continue
        if ([...next.values()].some((o) => isInDatabase(o) && o.database === home && o.name === one.name)) continue
        next = renamedObject(next, id, { ...one, database: home, renamedFrom: nameOf(one) } as DatabaseDeclaration)
      }
      return next
    }
    case 'materializedViewColumns': {
      const views = (kinds.materialized_view ?? []).filter(([, view]) => view.to !== undefined)
      if (views.length === 0 || target === undefined) return undefined
      const [id, view] = pick(views, a)
      const columns = pick(
        [undefined, [{ name: 'id', type: 'UInt64' }], [{ name: 'id', type: 'UInt64', comment: "it's" }]],
        b,
      )
      return put(id, { ...view, columns, as: `SELECT id FROM ${nameOf(target[1])}` } as Declaration)
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
          { name, expression: `toString(${quoted})`, type: 'text(tokenizer = splitByNonAlpha)' },
          { name, expression: quoted!, type: 'bloom_filter' },
          { name, expression: `${quoted}, at`, type: 'set(0)' },
          { name, expression: `length(toString(${quoted})) > 3`, type: 'hypothesis' },
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
          { name, query: `SELECT _part_offset ORDER BY ${quoted}` },
          { name, query: `WITH toString(${quoted}) AS t SELECT t, count() GROUP BY t` },
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
                ...(own.some(({ type }) => type === 'DateTime')
                  ? [`${quoteIdentifier(own.find(({ type }) => type === 'DateTime')!.name)} + INTERVAL 70 YEAR`]
                  : []),
                ...(quoted && isStored
                  ? [
                      `at + INTERVAL 50 YEAR GROUP BY id SET ${quoted} = any(${quoted})`,
                      `at + INTERVAL 60 YEAR DELETE WHERE length(toString(${quoted})) > 1000`,
                    ]
                  : []),
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
          ['storage_policy', 'default'],
          ['add_minmax_index_for_numeric_columns', true],
          ['auto_statistics_types', 'minmax'],
          ['auto_statistics_types', undefined],
          ['assign_part_uuids', true],
          ['enable_block_number_column', true],
          ['allow_nullable_key', true],
          ['deduplicate_merge_projection_mode', 'rebuild'],
          ['deduplicate_merge_projection_mode', undefined],
          ['alter_column_secondary_index_mode', 'drop'],
          ['alter_column_secondary_index_mode', undefined],
          ['min_bytes_for_wide_part', undefined],
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
    case 'shorterSortingKey': {
      if (target === undefined || !isMergeTree(target[1])) return undefined
      const order = [target[1].orderBy].flat() as string[]
      if (order.length < 2) return undefined
      const primary = target[1].primaryKey === undefined ? order : ([target[1].primaryKey].flat() as string[])
      const shorter = order.slice(0, -1)
      return withTable({ orderBy: shorter, primaryKey: primary.length > shorter.length ? shorter : primary })
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
    const { refresh } = one as MaterializedViewDeclaration
    const schedule = refresh?.dependsOn === from ? { refresh: { ...refresh, dependsOn: to } } : {}
    return { ...one, as: one.as.replaceAll(from, () => to), ...target, ...schedule } as Declaration
  }
  if (one.kind === 'dictionary') {
    const place = ({ name, database }: DatabaseDeclaration) => `TABLE ${quoteString(name)} DB ${quoteString(database!)}`
    const inQuery = (name: string) => quoteString(name).slice(1, -1)
    return {
      ...one,
      source: one.source.replace(place(before), () => place(after)).replaceAll(inQuery(from), () => inQuery(to)),
    }
  }
  if (one.kind === 'table' && before.kind === 'dictionary' && isSimple(before) && isSimple(after)) {
    const read = (text: string | undefined) => text?.replaceAll(dottedName(before), () => dottedName(after))
    const columns = columnsOf(one).map((column) =>
      clean({ ...column, defaultExpression: read(column.defaultExpression), alias: read(column.alias) }),
    )
    return { ...one, columns } as Declaration
  }
  if (one.kind === 'table' && /^(?:Buffer|Distributed)\(/.test(one.engine ?? '')) {
    const place = ({ name, database }: DatabaseDeclaration) => `${quoteString(database!)}, ${quoteString(name)},`
    return { ...one, engine: one.engine!.replace(place(before), () => place(after)) } as TableDeclaration
  }
  return one
}

/** Names that may stand in a string as `db.name`. */
function isSimple({ database, name }: DatabaseDeclaration): boolean {
  return /^[a-z]+$/.test(database ?? '') && /^[a-z]+$/.test(name)
}

function dottedName({ database, name }: DatabaseDeclaration): string {
  return quoteString(`${database}.${name}`)
}

/** The world with an object under another name, which all that read it follow. */
function renamedObject(world: World, id: string, next: DatabaseDeclaration): World {
  const before = world.get(id) as DatabaseDeclaration
  return new Map([...world].map(([other, one]) => [other, other === id ? next : retargeted(one, before, next)]))
}

/** What reads or writes a column of a table by its name follows it. */
function columnFollowed(one: Declaration, table: TableDeclaration, from: string, to: string): Declaration {
  const [before, after] = [quoteIdentifier(from), quoteIdentifier(to)]
  if (one.kind === 'view' || one.kind === 'materialized_view') {
    const reads = one.as.includes(nameOf(table))
    const writes = one.kind === 'materialized_view' && one.to === nameOf(table)
    const as = one.as.replaceAll(before, (name, at: number) =>
      (one.as.slice(at - 3, at) === 'AS ' ? writes : reads) ? after : name,
    )
    return { ...one, as } as Declaration
  }
  if (one.kind === 'dictionary' && isSourceOf(one, table)) {
    const attributes = (one.attributes as readonly { name: string; type: string }[]).map((attribute) =>
      attribute.name === from ? { ...attribute, name: to } : attribute,
    )
    return { ...one, attributes }
  }
  return one
}

function isSourceOf(dictionary: DictionaryDeclaration, table: TableDeclaration): boolean {
  return (
    dictionary.source.includes(`TABLE ${quoteString(table.name)} DB ${quoteString(table.database!)}`) ||
    dictionary.source.includes(quoteString(nameOf(table)).slice(1, -1))
  )
}

const IN_DICTIONARIES = /^(?:U?Int\d+|Float\d+|String|Date|DateTime|UUID|IPv4|Array\(UInt8\)|Nullable\(UInt8\))$/

function dictionaryAttributes(table: TableDeclaration, c: number): DictionaryDeclaration['attributes'] {
  const own = columnsOf(table).filter(
    ({ name, type, ephemeral, nullable }) =>
      !FIXED.has(name) && IN_DICTIONARIES.test(type) && ephemeral === undefined && nullable === undefined,
  )
  const column = own.length > 0 && c % 2 === 0 ? pick(own, c >> 1) : undefined
  return [
    { name: 'id', type: 'UInt64' },
    { name: 'at', type: 'DateTime', default: '2024-01-01 00:00:00' },
    ...(column === undefined ? [] : [{ name: column.name, type: column.type }]),
  ]
}

const VIEW_OF_NUMBERS = 'SELECT number AS id, toDateTime(0) AS at FROM numbers(3)'

function viewQuery(read: TableDeclaration | ViewDeclaration, b: number, world: World): string {
  const functions = [...world.values()].filter((one) => one.kind === 'sql_function' && one.as.includes('x + '))
  const call = functions.length > 0 ? `${(functions[0] as { name: string }).name}(id)` : 'id + 1'
  const source = nameOf(read)
  const own = read.kind === 'table' ? columnsOf(read).filter(({ name }) => !FIXED.has(name)) : []
  const column = own.length > 0 ? quoteIdentifier(pick(own, b).name) : 'id'
  return pick(
    [
      `SELECT id FROM ${source}`,
      `SELECT * FROM ${source}`,
      `SELECT id, ${call} AS next FROM ${source} WHERE id > 1`,
      `SELECT id FROM ${source} WHERE id = {p:UInt64}`,
      `SELECT max(id) AS id FROM ${source} AS x INNER JOIN (SELECT id AS k FROM ${source}) AS y ON x.id = y.k`,
      `WITH q AS (SELECT id FROM ${source}) SELECT id FROM q UNION ALL SELECT id FROM ${source} LIMIT 5`,
      `SELECT id, ${column} FROM ${source}`,
      `SELECT id, toString(${column}) AS \`odd \\\` name\` FROM ${source} ORDER BY id`,
      `SELECT x.*, toTypeName(x.${column}) AS type FROM ${source} AS x`,
      `SELECT * EXCEPT (id), id FROM (SELECT * FROM ${source})`,
      `SELECT COLUMNS('^i') FROM ${source}`,
    ],
    b,
  )
}

/** A query whose output, besides id and at, is a column of the target of the same type. */
function materializedQuery(source: TableDeclaration, b: number, target?: TableDeclaration): string {
  const own = columnsOf(source).filter(({ name, ephemeral }) => !FIXED.has(name) && ephemeral === undefined)
  const column = own.length > 0 ? pick(own, b >> 2) : undefined
  const into =
    target === undefined
      ? { name: 'x' }
      : columnsOf(target).find(
          ({ name, type, materialized, alias }) =>
            !FIXED.has(name) && type === column?.type && materialized === undefined && alias === undefined,
        )
  const one = nameOf(source)
  const [read, written] = column && into ? [quoteIdentifier(column.name), quoteIdentifier(into.name)] : ['at', 'at']
  return pick(
    [
      ...(target === undefined ? [`SELECT id, count() AS n FROM ${one} GROUP BY id`] : []),
      `SELECT id, at FROM ${one}`,
      `SELECT id FROM ${one} WHERE id > 5`,
      `SELECT id, ${read} AS ${written} FROM ${one}`,
      `SELECT id, any(${read}) AS ${written} FROM ${one} GROUP BY id`,
      `SELECT * FROM ${one}`,
      `SELECT id, max(at) AS at FROM (SELECT * FROM ${one}) GROUP BY id`,
    ],
    b,
  )
}

function clean<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as T
}
