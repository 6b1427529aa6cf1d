/** The differences between two states of one table. */
import type { Column, Engine, SqlText, Storage, Table, TimeSeriesTarget } from '../model/definition.js'
import { sameExpression, sameSettingValue } from '../model/meaning.js'
import { completedTarget } from '../model/time-series.js'
import type { Change, ColumnAttribute, Position } from './change.js'
import { stableNames } from './column-order.js'
import {
  effectivePrimaryKey,
  equalColumns,
  equalComments,
  equalConstraints,
  equalDefaults,
  equalEngines,
  equalIndexes,
  equalKeys,
  equalProjections,
  equalSettings,
  equalStatistics,
  equalTtls,
} from './equal.js'
import { renameColumnsIn } from './expression-names.js'

/** How the two sides are read. */
export type TableDiffOptions = {
  /**
   * `from` is what a server shows: an engine that it put in place of the declared one is no difference, nor is the
   * primary key that a table keeps when its sorting key was extended.
   */
  readonly live?: boolean
  /** Old name to new name of columns that are renamed on the way. */
  readonly columnRenames?: ReadonlyMap<string, string>
}

/**
 * Changes that turn `from` into `to`, in the order of the table's clauses; columns in the order of `to`. Never looks
 * at `spelling`, `origin`, `plugins`, `cluster` or `renamedFrom`. The tables may have different names.
 */
export function diffTable(from: Table, to: Table, options: TableDiffOptions = {}): Change[] {
  if (from === to) return []
  const renames = options.columnRenames
  const changes: Change[] = []
  let before = from
  if (renames !== undefined && renames.size > 0) {
    for (const [old, name] of renames) changes.push({ kind: 'renameColumn', table: to, from: old, to: name })
    before = withRenamedColumns(from, renames)
  }
  diffColumns(before, to, changes)
  diffNamed(before.indexes, to.indexes, equalIndexes, {
    add: (index) => changes.push({ kind: 'addIndex', table: to, index }),
    drop: (index) => changes.push({ kind: 'dropIndex', table: to, index }),
    modify: (old, index) => changes.push({ kind: 'modifyIndex', table: to, from: old, to: index }),
  })
  diffNamed(before.projections, to.projections, equalProjections, {
    add: (projection) => changes.push({ kind: 'addProjection', table: to, projection }),
    drop: (projection) => changes.push({ kind: 'dropProjection', table: to, projection }),
    modify: (old, projection) => changes.push({ kind: 'modifyProjection', table: to, from: old, to: projection }),
  })
  diffNamed(before.constraints, to.constraints, equalConstraints, {
    add: (constraint) => changes.push({ kind: 'addConstraint', table: to, constraint }),
    drop: (constraint) => changes.push({ kind: 'dropConstraint', table: to, constraint }),
    modify: (old, constraint) => changes.push({ kind: 'modifyConstraint', table: to, from: old, to: constraint }),
  })
  diffStorage(before, to, options.live === true, changes)
  if (!equalComments(before.comment, to.comment))
    changes.push({ kind: 'modifyTableComment', table: to, from: before.comment ?? '', to: to.comment ?? '' })
  return changes
}

function diffColumns(from: Table, to: Table, changes: Change[]): void {
  // Engines over other tables and table functions bring their columns with them.
  if (from.columns === to.columns || to.columns.length === 0) return
  if (sameColumns(from.columns, to.columns)) return
  const old = new Map<string, Column>()
  for (const column of from.columns) old.set(column.name, column)
  const wanted = new Set<string>()
  for (const column of to.columns) wanted.add(column.name)
  const stable = stableNames(
    from.columns.map((column) => column.name),
    to.columns.map((column) => column.name),
    signColumn(from.engine),
  )
  let lastKept = to.columns.length - 1
  while (lastKept >= 0 && !old.has(to.columns[lastKept]!.name)) lastKept--

  for (const [index, column] of to.columns.entries()) {
    const position: Position = index === 0 ? 'first' : { after: to.columns[index - 1]!.name }
    const before = old.get(column.name)
    if (before === undefined) {
      // Behind the last kept column the server appends by itself.
      changes.push({ kind: 'addColumn', table: to, column, ...(index < lastKept ? { position } : {}) })
      continue
    }
    const attributes = changedAttributes(before, column)
    const moved = !stable.has(column.name)
    if (moved) attributes.push('position')
    if (attributes.length > 0)
      changes.push({
        kind: 'modifyColumn',
        table: to,
        from: before,
        to: column,
        attributes,
        ...(moved ? { position } : {}),
      })
  }
  for (const column of from.columns)
    if (!wanted.has(column.name)) changes.push({ kind: 'dropColumn', table: to, column })
}

/** The column that a collapsing engine never lets move (seen on 26.7); the others move around it. */
function signColumn(engine: Engine): string | undefined {
  const sign = /CollapsingMergeTree$/.test(engine.name) ? argsWithoutReplica(engine)[0] : undefined
  return sign?.replace(/^`(.*)`$/, '$1')
}

function sameColumns(from: readonly Column[], to: readonly Column[]): boolean {
  if (from.length !== to.length) return false
  for (let index = 0; index < from.length; index++) {
    const a = from[index]!
    const b = to[index]!
    if (a.name !== b.name || !equalColumns(a, b)) return false
  }
  return true
}

/** The attributes in which two columns of one name differ, in the order of a declaration; position not included. */
export function changedAttributes(from: Column, to: Column): ColumnAttribute[] {
  if (equalColumns(from, to)) return []
  const attributes: ColumnAttribute[] = []
  if (from.type !== to.type) attributes.push('type')
  if (!equalDefaults(from.default, to.default, to.type)) attributes.push('default')
  if (!equalComments(from.comment, to.comment)) attributes.push('comment')
  if (from.codec !== to.codec) attributes.push('codec')
  if (!equalStatistics(from.statistics, to.statistics)) attributes.push('statistics')
  if (!sameExpression(from.ttl, to.ttl)) attributes.push('ttl')
  if (!equalSettings(from.settings, to.settings)) attributes.push('settings')
  return attributes
}

/** Calls for members of two lists that are known by name; their order is not compared, it has no meaning. */
function diffNamed<Item extends { readonly name: string }>(
  from: readonly Item[] | undefined,
  to: readonly Item[] | undefined,
  equal: (a: Item, b: Item) => boolean,
  found: { add: (item: Item) => void; drop: (item: Item) => void; modify: (from: Item, to: Item) => void },
): void {
  if (from === to || ((from?.length ?? 0) === 0 && (to?.length ?? 0) === 0)) return
  const old = new Map<string, Item>()
  for (const item of from ?? []) old.set(item.name, item)
  const wanted = new Set<string>()
  for (const item of to ?? []) wanted.add(item.name)
  for (const item of from ?? []) if (!wanted.has(item.name)) found.drop(item)
  for (const item of to ?? []) {
    const before = old.get(item.name)
    if (before === undefined) found.add(item)
    else if (!equal(before, item)) found.modify(before, item)
  }
}

function diffStorage(from: Table, to: Table, live: boolean, changes: Change[]): void {
  const table = to
  if (!(live ? sameEngineOnServer(from.engine, to.engine) : equalEngines(from.engine, to.engine)))
    changes.push({ kind: 'modifyEngine', table, from: from.engine, to: to.engine })
  if (!sameExpression(from.asTableFunction, to.asTableFunction))
    changes.push({
      kind: 'modifyEngine',
      table,
      from: { name: from.asTableFunction ?? from.engine.name, args: [] },
      to: { name: to.asTableFunction ?? to.engine.name, args: [] },
    })
  diffTargets(from, to, live, changes)
  if (!equalKeys(from.partitionBy ?? [], to.partitionBy ?? []))
    changes.push({ kind: 'modifyPartitionKey', table, from: from.partitionBy, to: to.partitionBy })
  if (primaryKeyDiffers(from, to, live))
    changes.push({
      kind: 'modifyPrimaryKey',
      table,
      from: effectivePrimaryKey(from),
      to: effectivePrimaryKey(to),
    })
  if (!equalKeys(from.orderBy, to.orderBy))
    changes.push({ kind: 'modifySortingKey', table, from: from.orderBy, to: to.orderBy })
  if (!equalKeys(from.uniqueKey ?? [], to.uniqueKey ?? []))
    changes.push({ kind: 'modifyUniqueKey', table, from: from.uniqueKey, to: to.uniqueKey })
  if (!sameExpression(from.sampleBy, to.sampleBy))
    changes.push({ kind: 'modifySamplingKey', table, from: from.sampleBy, to: to.sampleBy })
  if (!equalTtls(from.ttl ?? [], to.ttl ?? []))
    changes.push({ kind: 'modifyTableTtl', table, from: from.ttl, to: to.ttl })
  diffSettings(from, to, changes)
}

const TARGET_ROLES = ['SAMPLES', 'TAGS', 'METRICS'] as const

/**
 * The targets of a TimeSeries table, which are a part of its engine: the server fixes them at CREATE. A server shows
 * all of them, of which `to` need not speak; two declarations are compared by what the server makes of them.
 */
function diffTargets(from: Table, to: Table, live: boolean, changes: Change[]): void {
  if (from.targets === to.targets || from.engine.name !== to.engine.name) return
  const find = (table: Table, role: TimeSeriesTarget['role']) => table.targets?.find((target) => target.role === role)
  for (const role of TARGET_ROLES) {
    const declared = find(to, role)
    if (live ? declared === undefined : declared === find(from, role)) continue
    const before = live ? find(from, role) : completedTarget(role, from.targets ?? [], from.settings)
    const after = live ? declared! : completedTarget(role, to.targets ?? [], to.settings)
    const isWhole = live || before?.columns?.length === after.columns?.length
    if (before === undefined || (isWhole && equalTargets(before, after))) continue
    const engine = (target: TimeSeriesTarget) => ({ name: `${to.engine.name} ${targetText(target)}`, args: [] })
    changes.push({ kind: 'modifyEngine', table: to, from: engine(before), to: engine(after) })
  }
}

/** True when `from` is what `to` says of it; the order of columns has no meaning. */
function equalTargets(from: TimeSeriesTarget, to: TimeSeriesTarget): boolean {
  if (to.table !== undefined || from.table !== undefined)
    return from.table?.database === to.table?.database && from.table?.name === to.table?.name
  const sameColumns = (to.columns ?? []).every((column) => {
    const other = from.columns?.find(({ name }) => name === column.name)
    return other !== undefined && equalColumns(other, column)
  })
  return sameColumns && (to.inner === undefined || (from.inner !== undefined && equalStorage(from.inner, to.inner)))
}

function equalStorage(from: Storage, to: Storage): boolean {
  const table = (storage: Storage): Table => ({ ...storage, kind: 'table', database: '', name: '', columns: [] })
  return diffTable(table(from), table(to)).length === 0
}

function targetText({ role, table, columns, inner }: TimeSeriesTarget): SqlText {
  if (table !== undefined) return `${role} ${table.database}.${table.name}`
  const names = (columns ?? []).map(({ name, type }) => `${name} ${type}`)
  const engine = inner && [inner.engine.name, ...(inner.orderBy ? ['ORDER BY', inner.orderBy.join(', ')] : [])]
  return [role, 'INNER', `(${names.join(', ')})`, ...(engine ?? [])].join(' ')
}

/**
 * A primary key that nobody wrote follows the sorting key, except that the server keeps the old one when it extends
 * the sorting key in place. So without a declared primary key an extension is no second difference.
 */
function primaryKeyDiffers(from: Table, to: Table, live: boolean): boolean {
  if (from.primaryKey === undefined && to.primaryKey === undefined) return false
  const before = effectivePrimaryKey(from)
  const after = effectivePrimaryKey(to)
  if (equalKeys(before, after)) return false
  const keptByServer = live && to.primaryKey === undefined && equalKeys(from.orderBy, to.orderBy)
  return !keptByServer
}

function diffSettings(from: Table, to: Table, changes: Change[]): void {
  if (equalSettings(from.settings, to.settings)) return
  const names = new Set([...Object.keys(from.settings ?? {}), ...Object.keys(to.settings ?? {})])
  for (const name of [...names].sort()) {
    // A query setting that decides how Nested columns are created; the server does not store it with the table.
    if (name === 'flatten_nested') continue
    const before = from.settings?.[name]
    const after = to.settings?.[name]
    // The server writes its default into the text of such a table as soon as an ALTER touches it (seen on 26.7).
    if (name === 'optimize_for_bulk_insert' && (before ?? '1') === (after ?? '1')) continue
    if (before !== undefined && after !== undefined && sameSettingValue(before, after)) continue
    if (before !== after) changes.push({ kind: 'modifyTableSetting', table: to, name, from: before, to: after })
  }
}

/** Engines to which the server adds their only format where none is written (seen on 26.7). */
const LAKES = /^(?:DeltaLake|Hudi|Iceberg)/

const REPLACED = /^(?:Shared|Replicated)(?=.*MergeTree$)/

/** True when the server may show `actual` for the declared `expected`: it puts its own engine and replica paths in. */
export function sameEngineOnServer(actual: Engine, expected: Engine): boolean {
  if (equalEngines(actual, expected)) return true
  if (actual.name.replace(REPLACED, '') !== expected.name.replace(REPLACED, '')) return false
  const left = [...argsWithoutReplica(actual)]
  const right = argsWithoutReplica(expected)
  if (LAKES.test(actual.name) && left.length === right.length + 1 && left.at(-1) === "'Parquet'") left.pop()
  return left.length === right.length && left.every((arg, index) => sameExpression(arg, right[index]!))
}

/** Engine parameters without the path and the replica name that replicated engines carry first. */
export function argsWithoutReplica(engine: Engine): readonly SqlText[] {
  const replicated = REPLACED.test(engine.name)
  return replicated && engine.args.length >= 2 && engine.args[0]!.startsWith("'") ? engine.args.slice(2) : engine.args
}

/** The table as the server has it after RENAME COLUMN: names and every expression that reads them. */
export function withRenamedColumns(table: Table, renames: ReadonlyMap<string, string>): Table {
  const text = (expression: SqlText) => renameColumnsIn(expression, renames)
  const texts = (list: readonly SqlText[] | undefined) => list?.map(text)
  const renamed: Table = {
    ...table,
    columns: table.columns.map((column) => ({
      ...column,
      name: renames.get(column.name) ?? column.name,
      ...(column.ttl === undefined ? {} : { ttl: text(column.ttl) }),
      ...(column.default?.expression === undefined
        ? {}
        : { default: { kind: column.default.kind, expression: text(column.default.expression) } }),
    })),
    engine: { name: table.engine.name, args: table.engine.args.map(text) },
    ...(table.indexes && { indexes: table.indexes.map((index) => ({ ...index, expression: text(index.expression) })) }),
    ...(table.projections && { projections: table.projections.map((p) => ({ ...p, body: text(p.body) })) }),
    ...(table.constraints && {
      constraints: table.constraints.map((constraint) => ({ ...constraint, expression: text(constraint.expression) })),
    }),
    ...(table.sampleBy !== undefined && { sampleBy: text(table.sampleBy) }),
  }
  const lists = { orderBy: table.orderBy, primaryKey: table.primaryKey, partitionBy: table.partitionBy }
  const keys = Object.fromEntries(
    Object.entries({ ...lists, uniqueKey: table.uniqueKey, ttl: table.ttl })
      .filter(([, list]) => list !== undefined)
      .map(([clause, list]) => [clause, texts(list)]),
  )
  return { ...renamed, ...keys }
}
