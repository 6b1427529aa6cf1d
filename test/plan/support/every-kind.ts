/**
 * One pair of random schemas on the engine: create A, insert rows, plan A to B, run it, and hold what is there against a
 * fresh B. Every refusal must be one that the engine shares, or a trap.
 */
import { diffModels, type Rename } from '../../../src/diff/diff.js'
import { findDrift } from '../../../src/diff/drift.js'
import { resolveRenames } from '../../../src/diff/renames.js'
import { ChkitError } from '../../../src/errors.js'
import {
  type Column,
  EMPTY_MODEL,
  type MaterializedView,
  type Model,
  type Table,
} from '../../../src/model/definition.js'
import { planChanges } from '../../../src/plan/plan.js'
import { stepOf } from '../../../src/plan/plan-table.js'
import type { Refusal } from '../../../src/plan/step.js'
import { renderPlan, renderStep } from '../../../src/render/render.js'
import { quoteIdentifier } from '../../../src/sql/quote.js'
import { startEngine } from './engine.js'
import {
  applyEdit,
  CLUSTER,
  COLLECTIONS,
  DATABASES,
  type Edit,
  FIXED,
  modelOfWorld,
  settled,
  TYPES,
  type World,
} from './schema-generator.js'

export type Tally = {
  pairs: number
  /** The engine refuses to create A or B: no pair of schemas. */
  unusable: number
  migrated: number
  recreated: number
  refused: number
  /** Stopped by a guard, with nothing changed. */
  stopped: number
  unchanged: number
  /** Why the engine would not have it, by error name. */
  readonly reasons: Record<string, number>
}

export type EveryKindEngine = {
  /** Throws where a pair does not come out as it must; counts go into `tally`. */
  readonly check: (tally: Tally, start: World, first: readonly Edit[], second: readonly Edit[]) => void
  readonly close: () => void
}

export function startEveryKind(): EveryKindEngine {
  const engine = startEngine(DATABASES, CLUSTER)
  const { run, show: shown, read: live } = engine
  const statementsOf = (from: Model, to: Model, renames: readonly Rename[] = []) => {
    const plan = planChanges(diffModels(from, to, renames), { from, to })
    if (plan.refusals.length > 0) throw new Error(`refused: ${plan.refusals.map(({ message }) => message).join('; ')}`)
    return renderPlan(plan).map(({ text }) => text)
  }
  const clear = () => {
    engine.clear()
    for (const name of COLLECTIONS) run(`DROP NAMED COLLECTION IF EXISTS ${quoteIdentifier(name)}`)
  }
  const runAll = (statements: readonly string[]) => {
    for (const text of statements) {
      try {
        run(text)
      } catch (error) {
        throw new Error(`${messageOf(error)}\nat: ${text}\nin:\n${statements.join(';\n')}`)
      }
    }
  }
  const creatable = (tally: Tally, model: Model): boolean => {
    clear()
    const statements = statementsOf(EMPTY_MODEL, model)
    try {
      for (const text of statements) run(text)
      return true
    } catch (error) {
      tally.reasons[errorNameOf(error)] = (tally.reasons[errorNameOf(error)] ?? 0) + 1
      return false
    }
  }

  const check: EveryKindEngine['check'] = (tally, start, first, second) => {
    tally.pairs++
    const worldA = settled(first.reduce<World>(applyEdit, start))
    const worldB = second.reduce<World>(applyEdit, worldA)
    const from = modelOfWorld(worldA)
    const to = modelOfWorld(worldB)
    if (!creatable(tally, to)) {
      tally.unusable++
      return
    }
    const fresh = shown()
    equal(shownDrift(to, live()), [], 'a fresh B drifts')
    const uses = use(run, to)
    if (!creatable(tally, from)) {
      tally.unusable++
      return
    }
    equal(shownDrift(from, live()), [], 'a fresh A drifts')
    let renames: readonly Rename[]
    try {
      renames = resolveRenames(from, to)
    } catch (error) {
      if (!(error instanceof ChkitError && error.code === 'rename_conflict')) throw error
      tally.refused++
      return
    }
    const changes = diffModels(from, to, renames)
    if (changes.length === 0) tally.unchanged++
    for (const table of tablesOf(from)) insertRows(run, table)
    const plan = planChanges(changes, { from, to })
    if (plan.refusals.length > 0) {
      const recreation = planChanges(changes, { from, to, allowRecreate: true })
      if (recreation.refusals.length > 0 || first.length % 2 === 0) {
        const before = shown()
        for (const refusal of plan.refusals) justify(run, refusal, before)
        tally.refused++
        return
      }
      runAll(renderPlan(recreation).map(({ text }) => text))
      tally.recreated++
    } else {
      const rows = keptRows(from, to, renames)
      const sums = rows.map(({ before }) => run(before))
      const statements = renderPlan(plan).map(({ text }) => text)
      const before = shown()
      try {
        runAll(statements)
      } catch (error) {
        if (!STOPPED.test(messageOf(error))) throw error
        equal(shown(), before, 'a guard came too late')
        tally.stopped++
        return
      }
      for (const [index, { after }] of rows.entries())
        equal(run(after), sums[index], `rows changed:\n${statements.join(';\n')}`)
      tally.migrated++
    }
    equal(shown(), fresh, 'differs from a fresh B')
    equal(shownDrift(to, live()), [], 'B drifts')
    equal(diffModels(to, modelOfWorld(settled(worldB))).length, 0, 'a second generate is not empty')
    equal(use(run, to), uses, 'works otherwise than a fresh B')
  }

  return {
    check,
    close() {
      clear()
      engine.close()
    },
  }
}

function equal(actual: unknown, expected: unknown, what: string): void {
  const [one, other] = [JSON.stringify(actual, undefined, 1), JSON.stringify(expected, undefined, 1)]
  if (one !== other) throw new Error(`${what}\nis:\n${one}\nmust be:\n${other}`)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function errorNameOf(error: unknown): string {
  const names = [...messageOf(error).matchAll(/\(([A-Z][A-Z0-9_]+)\)/g)]
  return names[names.length - 1]?.[1] ?? messageOf(error)
}

const tablesOf = (model: Model) => model.definitions.filter((one): one is Table => one.kind === 'table')

/** Named collections, which raw objects make too, are not read here: the server hides their values. */
function shownDrift(expected: Model, actual: Model): unknown[] {
  const seen = { definitions: expected.definitions.filter(({ kind }) => kind !== 'raw' && kind !== 'named_collection') }
  const databases = new Set(seen.definitions.flatMap((one) => (one.kind === 'database' ? [one.name] : [])))
  // Databases that were not declared are made for the tables in them, and no drift.
  const there = actual.definitions.filter((one) => one.kind !== 'database' || databases.has(one.name))
  const { objectDrift, tableDrift } = findDrift(seen, { definitions: there })
  return [...objectDrift, ...tableDrift]
}

const HOLDS_ROWS = /MergeTree|^Memory$|Log$|^Join$/

function insertRows(run: (sql: string) => string, table: Table): string {
  const has = (name: string) => table.columns.some((column) => column.name === name)
  if (!HOLDS_ROWS.test(table.engine.name) || !has('id') || !has('at')) return 'not asked'
  const own = table.columns.filter(({ name, default: kind }) => !FIXED.has(name) && kind === undefined)
  const values = own.flatMap(({ name, type }) => (TYPES[type] ? [{ name, value: TYPES[type].value }] : []))
  const rows = (more: readonly { readonly name: string; readonly value: string }[]) => {
    const all = [
      { name: 'id', value: 'number' },
      { name: 'at', value: "toDateTime('2026-01-01 00:00:00') + number" },
      ...(has('sign') ? [{ name: 'sign', value: '1' }] : []),
      ...more,
    ]
    const names = all.map(({ name }) => quoteIdentifier(name)).join(', ')
    const result = tried(
      run,
      `INSERT INTO ${nameOf(table)} (${names}) SELECT ${all.map(({ value }) => value).join(', ')} FROM numbers(7)`,
    )
    return result.ok ? 'ok' : errorNameOf(result.error)
  }
  // A view below it may not take what is inserted: rows are then left out, the schema is none the worse.
  const result = rows(values)
  return result === 'ok' || values.length === 0 ? result : `${result}, ${rows([])}`
}

const nameOf = ({ database, name }: { readonly database: string; readonly name: string }) =>
  `${quoteIdentifier(database)}.${quoteIdentifier(name)}`

function tried(run: (sql: string) => string, sql: string): { ok: true; rows: string } | { ok: false; error: unknown } {
  try {
    return { ok: true, rows: run(sql) }
  } catch (error) {
    if (!/^Query failed: Code: \d+/.test(messageOf(error))) throw error
    return { ok: false, error }
  }
}

/** What a guard of the plan says. */
const STOPPED = /hold values of/

/** What each object answers, and how many rows come to each table that folds none when some go into all of them. */
function use(run: (sql: string) => string, model: Model): Record<string, string> {
  const seen: Record<string, string> = {}
  const answer = (sql: string) => {
    const result = tried(run, sql)
    return result.ok ? result.rows : errorNameOf(result.error)
  }
  const outcome = (sql: string) => {
    const result = tried(run, sql)
    return result.ok ? 'ok' : errorNameOf(result.error)
  }
  for (const one of model.definitions) {
    if (one.kind === 'dictionary') {
      if (!/HTTP/.test(one.source)) seen[`load ${nameOf(one)}`] = outcome(`SYSTEM RELOAD DICTIONARY ${nameOf(one)}`)
    } else if (one.kind === 'view' || one.kind === 'materialized_view' || one.kind === 'table') {
      if (one.kind === 'table' && !HOLDS_ROWS.test(one.engine.name)) continue
      // An inner table keeps the types that its columns had.
      const keepsTypes = one.kind === 'materialized_view' && one.to === undefined
      if (!keepsTypes) seen[`describe ${nameOf(one)}`] = answer(`DESCRIBE ${nameOf(one)}`)
      seen[`read ${nameOf(one)}`] = outcome(`EXPLAIN QUERY TREE SELECT * FROM ${nameOf(one)}`)
    }
  }
  const counted = model.definitions.filter(
    (one): one is Table | MaterializedView =>
      (one.kind === 'table' && /^(?:Memory|MergeTree)$/.test(one.engine.name) && !isRefreshed(one, model)) ||
      (one.kind === 'materialized_view' && one.inner?.engine.name === 'MergeTree' && one.refresh === undefined),
  )
  const counts = () => counted.map((one) => Number(answer(`SELECT count() FROM ${nameOf(one)}`)))
  const before = counts()
  let isWhole = true
  for (const one of tablesOf(model)) {
    const result = insertRows(run, one)
    seen[`insert ${nameOf(one)}`] = result
    if (result !== 'ok' && result !== 'not asked') isWhole = false
  }
  if (!isWhole) return seen
  for (const [index, count] of counts().entries())
    seen[`rows ${nameOf(counted[index]!)}`] = String(count - before[index]!)
  return seen
}

const isStored = (column: Column) =>
  column.default === undefined || column.default.kind === 'DEFAULT' || column.default.kind === 'MATERIALIZED'

/** True for the target of a refreshable view, whose first refresh may come at once. */
function isRefreshed(table: Table, model: Model): boolean {
  return model.definitions.some(
    (one) =>
      one.kind === 'materialized_view' &&
      one.refresh !== undefined &&
      one.to?.database === table.database &&
      one.to.name === table.name,
  )
}

/** Queries over the columns that B keeps as they are in A, by their names in A and in B. */
function keptRows(from: Model, to: Model, renames: readonly Rename[]): { before: string; after: string }[] {
  return tablesOf(to).flatMap((table) => {
    if (!HOLDS_ROWS.test(table.engine.name) || isRefreshed(table, to)) return []
    const moved = renames.find(
      (rename) => rename.kind === 'object' && rename.to.database === table.database && rename.to.name === table.name,
    )
    const oldName = moved?.kind === 'object' ? moved.from : table
    const old = tablesOf(from).find((one) => one.database === oldName.database && one.name === oldName.name)
    if (old === undefined) return []
    const oldColumn = (name: string) => {
      const rename = renames.find(
        (one) =>
          one.kind === 'column' &&
          one.table.database === table.database &&
          one.table.name === table.name &&
          one.to === name,
      )
      return rename?.kind === 'column' ? rename.from : name
    }
    const kept = table.columns.flatMap((column) => {
      const before = old.columns.find(({ name }) => name === oldColumn(column.name))
      return before && before.type === column.type && isStored(before) && isStored(column)
        ? [{ before: before.name, after: column.name }]
        : []
    })
    const query = (side: 'before' | 'after', { database, name }: { database: string; name: string }) =>
      `SELECT ${['count()', ...kept.map((column) => `sum(cityHash64(toString(${quoteIdentifier(column[side])})))`)].join(', ')} FROM ${quoteIdentifier(database)}.${quoteIdentifier(name)}`
    return [{ before: query('before', old), after: query('after', table) }]
  })
}

/** Refusals of what the engine would take and break on, by their messages; reference: alter-matrix sections 0 and 1. */
const TRAPS: readonly RegExp[] = [
  /materialized view .* reads or writes it/,
  /materialized view .* reads it under its old name/,
  /selects every column of/,
  /still reads it/,
  /cannot have a TTL: it is EPHEMERAL/,
  /deduplicate_merge_projection_mode/,
  /Memory engine cannot rename column/,
  /cannot be EPHEMERAL: a projection reads it/,
  // No statement says it of an inner table; the new query alone would run.
  /inner table, and its .*inner cannot change in place/,
]

/** Throws when the engine would carry out what was refused, and would be right to. */
function justify(run: (sql: string) => string, refusal: Refusal, before: Readonly<Record<string, string>>): void {
  if (TRAPS.some((trap) => trap.test(refusal.message))) return
  const statements = renderStep(stepOf(refusal.change, { risk: 'safe', reason: 'as it stands' }))
  // No statement says it: the engine has no syntax for other engines, primary, partition and unique keys.
  for (const { text } of statements) {
    try {
      run(text)
    } catch (error) {
      if (error instanceof Error) return
      throw error
    }
  }
  if (statements.length > 0)
    throw new Error(
      `refused without need: ${refusal.message}\n${statements.map(({ text }) => text).join(';\n')}\n${JSON.stringify(before, undefined, 1)}`,
    )
}
