/** Canonical definitions by hand, with what a case does not care about filled in. */
import {
  type Column,
  compareCodeUnits,
  type Definition,
  type Dictionary,
  type MaterializedView,
  type Model,
  objectKey,
  type Table,
  type View,
} from '../../../src/model/definition.js'

export function model(...definitions: readonly Definition[]): Model {
  return { definitions: [...definitions].sort((a, b) => compareCodeUnits(objectKey(a), objectKey(b))) }
}

export function column(name: string, type: string, rest: Partial<Column> = {}): Column {
  return { name, type, ...rest }
}

/** Columns from `id UInt64` texts, for those that have nothing but a type. */
export function columns(...texts: readonly string[]): Column[] {
  return texts.map((text) => {
    const space = text.indexOf(' ')
    return { name: text.slice(0, space), type: text.slice(space + 1) }
  })
}

/** `d.t`, a MergeTree with `id UInt64` as its key and `a UInt32`, `b String` beside it. */
export function table(rest: Partial<Table> = {}): Table {
  return {
    kind: 'table',
    database: 'd',
    name: 't',
    engine: { name: 'MergeTree', args: [] },
    columns: columns('id UInt64', 'a UInt32', 'b String'),
    orderBy: ['id'],
    ...rest,
  }
}

export function view(rest: Partial<View> = {}): View {
  return { kind: 'view', database: 'd', name: 'v', query: 'SELECT id, a FROM d.t', ...rest }
}

/** `d.mv`, writing `id, a` of `d.t` to `d.target`. */
export function materializedView(rest: Partial<MaterializedView> = {}): MaterializedView {
  return {
    kind: 'materialized_view',
    database: 'd',
    name: 'mv',
    query: 'SELECT id, a FROM d.t',
    to: { database: 'd', name: 'target' },
    ...rest,
  }
}

export function target(rest: Partial<Table> = {}): Table {
  return table({ name: 'target', columns: columns('id UInt64', 'a UInt32'), ...rest })
}

export function dictionary(rest: Partial<Dictionary> = {}): Dictionary {
  return {
    kind: 'dictionary',
    database: 'd',
    name: 'dict',
    attributes: [
      { name: 'id', type: 'UInt64' },
      { name: 'a', type: 'UInt32', default: '0' },
    ],
    primaryKey: ['id'],
    source: "CLICKHOUSE(TABLE 't' DB 'd')",
    layout: 'FLAT()',
    lifetime: 'MIN 0 MAX 300',
    ...rest,
  }
}
