/**
 * One pair of random schemas on the engine: create A, insert rows, plan A to B, run it, and hold what is there against a
 * fresh B. Every refusal must be one that the engine shares, or a trap.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Session } from 'chdb'
import { diffModels, type Rename } from '../../../src/diff/diff.js'
import { findDrift } from '../../../src/diff/drift.js'
import { resolveRenames } from '../../../src/diff/renames.js'
import { definitionFromStatement, sortedByKey } from '../../../src/model/canonical.js'
import { type Column, EMPTY_MODEL, type Model, type Table } from '../../../src/model/definition.js'
import { planChanges } from '../../../src/plan/plan.js'
import { stepOf } from '../../../src/plan/plan-table.js'
import type { Refusal } from '../../../src/plan/step.js'
import { renderPlan, renderStep } from '../../../src/render/render.js'
import type { Statement } from '../../../src/sql/ast-ddl.js'
import { printExpression } from '../../../src/sql/print.js'
import { quoteIdentifier, quoteString } from '../../../src/sql/quote.js'
import { parseStatement, printStatement } from '../../../src/sql/statement.js'
import { applyEdit, DATABASES, type Edit, modelOfWorld, settled, type World } from './schema-generator.js'

export type Tally = {
  pairs: number
  /** The engine refuses to create A or B: no pair of schemas. */
  unusable: number
  migrated: number
  recreated: number
  refused: number
  unchanged: number
  /** Why the engine would not have it, by error name. */
  readonly reasons: Record<string, number>
}

export type EveryKindEngine = {
  readonly check: (first: readonly Edit[], second: readonly Edit[]) => void
  readonly close: () => void
}

const LIST = DATABASES.map(quoteString).join(', ')

/** Starts an engine whose `check` throws where a pair does not come out as it must; counts go into `tally`. */
export function startEveryKind(tally: Tally): EveryKindEngine {
  const directory = mkdtempSync(join(tmpdir(), 'chkit-kinds-'))
  const session = new Session(directory)
  const run = (sql: string) => String(session.query(sql, 'TSVRaw') ?? '').replace(/\n$/, '')
  const texts = (sql: string) =>
    session
      .query(sql, 'JSONCompactEachRow')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as string[])

  const clear = () => {
    for (const [name] of texts("SELECT name FROM system.functions WHERE origin = 'SQLUserDefined'"))
      run(`DROP FUNCTION ${quoteIdentifier(name!)}`)
    run('DROP NAMED COLLECTION IF EXISTS chkit_raw')
    for (const database of DATABASES)
      run(`DROP DATABASE IF EXISTS ${quoteIdentifier(database)} SYNC SETTINGS check_table_dependencies = 0`)
  }
  const statementsOf = (from: Model, to: Model, renames: readonly Rename[] = []) => {
    const plan = planChanges(diffModels(from, to, renames), { from, to })
    if (plan.refusals.length > 0) throw new Error(`refused: ${plan.refusals.map(({ message }) => message).join('; ')}`)
    return renderPlan(plan).map(({ text }) => text)
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
  const shown = (): Record<string, string> =>
    Object.fromEntries(
      texts(
        `SELECT concat(database, '.', name), create_table_query FROM system.tables WHERE database IN (${LIST}) AND NOT startsWith(name, '.inner')
         UNION ALL SELECT name, create_query FROM system.functions WHERE origin = 'SQLUserDefined'`,
      )
        .map(([name, text]): [string, string] => [name!, comparable(text!)])
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    )
  const live = (): Model => {
    const rows = texts(
      `SELECT create_table_query FROM system.tables WHERE database IN (${LIST}) AND NOT startsWith(name, '.inner')
       UNION ALL SELECT create_query FROM system.functions WHERE origin = 'SQLUserDefined'`,
    ).map(([text]) => definitionFromStatement(text!, { currentDatabase: 'd' }))
    const databases = texts(`SELECT name, engine_full, comment FROM system.databases WHERE name IN (${LIST})`).map(
      ([name, engine, comment]) =>
        definitionFromStatement(
          `CREATE DATABASE ${quoteIdentifier(name!)} ENGINE = ${engine}${comment === '' ? '' : ` COMMENT ${quoteString(comment!)}`}`,
          { currentDatabase: 'd' },
        ),
    )
    return { definitions: sortedByKey([...rows, ...databases]) }
  }
  const creatable = (model: Model): boolean => {
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

  const check: EveryKindEngine['check'] = (first, second) => {
    tally.pairs++
    const worldA = settled(first.reduce<World>(applyEdit, new Map()))
    const worldB = second.reduce<World>(applyEdit, worldA)
    const from = modelOfWorld(worldA)
    const to = modelOfWorld(worldB)
    if (!creatable(to)) {
      tally.unusable++
      return
    }
    const fresh = shown()
    equal(shownDrift(to, live()), [], 'a fresh B drifts')
    if (!creatable(from)) {
      tally.unusable++
      return
    }
    equal(shownDrift(from, live()), [], 'a fresh A drifts')
    const renames = resolveRenames(from, to)
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
      runAll(statements)
      for (const [index, { after }] of rows.entries())
        equal(run(after), sums[index], `rows changed:\n${statements.join(';\n')}`)
      tally.migrated++
    }
    equal(shown(), fresh, 'differs from a fresh B')
    equal(shownDrift(to, live()), [], 'B drifts')
    equal(diffModels(to, modelOfWorld(settled(worldB))).length, 0, 'a second generate is not empty')
  }

  return {
    check,
    close() {
      clear()
      session.cleanup()
      rmSync(directory, { recursive: true, force: true })
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

/** Named collections stand for raw objects; introspection without `access` does not see them. */
function shownDrift(expected: Model, actual: Model): unknown[] {
  const seen = { definitions: expected.definitions.filter(({ kind }) => kind !== 'raw') }
  const databases = new Set(seen.definitions.flatMap((one) => (one.kind === 'database' ? [one.name] : [])))
  // Databases that were not declared are made for the tables in them, and no drift.
  const there = actual.definitions.filter((one) => one.kind !== 'database' || databases.has(one.name))
  const { objectDrift, tableDrift } = findDrift(seen, { definitions: there })
  return [...objectDrift, ...tableDrift]
}

const HOLDS_ROWS = /MergeTree|^Memory$|Log$|^Join$/

function insertRows(run: (sql: string) => string, table: Table): void {
  if (!HOLDS_ROWS.test(table.engine.name)) return
  const has = (name: string) => table.columns.some((column) => column.name === name)
  if (!has('id') || !has('at')) return
  const name = `${quoteIdentifier(table.database)}.${quoteIdentifier(table.name)}`
  const sign = has('sign') ? [', sign', ', 1'] : ['', '']
  try {
    run(
      `INSERT INTO ${name} (id, at${sign[0]}) SELECT number, toDateTime('2026-01-01 00:00:00') + number${sign[1]} FROM numbers(7)`,
    )
  } catch (error) {
    // A view below it may not take what a default gives: rows are then not inserted, the schema is none the worse.
    if (!/^Query failed: Code: \d+/.test(messageOf(error))) throw error
  }
}

const isStored = (column: Column) =>
  column.default === undefined || column.default.kind === 'DEFAULT' || column.default.kind === 'MATERIALIZED'

/** Queries over the columns that B keeps as they are in A, by their names in A and in B. */
function keptRows(from: Model, to: Model, renames: readonly Rename[]): { before: string; after: string }[] {
  return tablesOf(to).flatMap((table) => {
    if (!HOLDS_ROWS.test(table.engine.name)) return []
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

/**
 * The text of an object in the one form that equal objects share. What is levelled here, and why a created object and
 * one altered to the same state may differ in it (reference: alter-matrix 5.3):
 * - EPHEMERAL without an expression shows `defaultValueOfTypeName` once an ALTER has touched the column;
 * - the primary key stays in the text once the sorting key was modified, also when both are equal again;
 * - settings stand in the order in which they came;
 * - constraints have no FIRST or AFTER, so a changed one goes to the end;
 * - an empty COMMENT stays in the text of CREATE, and ALTER removes it.
 */
function comparable(text: string): string {
  const { node, warnings } = parseStatement(text)
  if (warnings.length > 0) throw new Error(`the engine's own text is not followed: ${text}`)
  return printStatement(levelled(node))
}

function levelled(node: Statement): Statement {
  if (node.kind !== 'createTable' && node.kind !== 'createView') return node
  const { storage, elements } = node
  const print = (key: NonNullable<typeof storage>['orderBy']) => key && printExpression(key)
  return {
    ...node,
    comment: node.comment === '' ? undefined : node.comment,
    ...(storage && {
      storage: {
        ...storage,
        primaryKey: print(storage.primaryKey) === print(storage.orderBy) ? undefined : storage.primaryKey,
        settings: storage.settings && [...storage.settings].sort((a, b) => (a.name < b.name ? -1 : 1)),
      },
    }),
    ...(elements && {
      elements: {
        ...elements,
        constraints: [...elements.constraints].sort((a, b) => (a.name < b.name ? -1 : 1)),
        columns: elements.columns.map((column) =>
          column.default?.kind === 'EPHEMERAL' &&
          column.default.expression?.kind === 'function' &&
          column.default.expression.name === 'defaultValueOfTypeName'
            ? { ...column, default: { kind: 'EPHEMERAL' as const } }
            : column,
        ),
      },
    }),
  }
}
