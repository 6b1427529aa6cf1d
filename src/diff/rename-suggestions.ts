/** Guesses which drop and add may be one rename. A guess is only ever shown and asked about, never acted on. */
import { type Column, compareCodeUnits, objectKey, type Table } from '../model/definition.js'
import { quoteIdentifier, quoteQualified } from '../sql/quote.js'
import type { Change } from './change.js'
import { equalColumns, equalEngines, equalTexts } from './equal.js'

export type RenameSuggestion = {
  readonly kind: 'table' | 'column'
  readonly database: string
  /** The table as it is called now; for a renamed table its old name. */
  readonly table: string
  readonly from: string
  readonly to: string
  readonly confidence: 'high' | 'medium' | 'low'
  readonly reason: string
  /** The statement that would keep the data. */
  readonly confirmationSQL: string
  readonly dropOperationKey: string
  readonly addOperationKey: string
}

/** Likely renames among the changes, best first; each drop and each add is used at most once. */
export function suggestRenames(changes: readonly Change[]): RenameSuggestion[] {
  return [...suggestTables(changes), ...suggestColumns(changes)]
}

type Rated<Item> = { readonly from: Item; readonly to: Item; readonly score: number; readonly reason: string }

function confidence(score: number): RenameSuggestion['confidence'] {
  return score >= 0.8 ? 'high' : score >= 0.5 ? 'medium' : 'low'
}

/** The best pairs, each item once. Ties break by name. */
function bestPairs<Item extends { readonly name: string }>(rated: readonly Rated<Item>[]): Rated<Item>[] {
  const sorted = [...rated].sort(
    (a, b) => b.score - a.score || compareCodeUnits(a.from.name, b.from.name) || compareCodeUnits(a.to.name, b.to.name),
  )
  const used = new Set<Item>()
  return sorted.filter(({ from, to }) => {
    if (used.has(from) || used.has(to)) return false
    used.add(from).add(to)
    return true
  })
}

function suggestColumns(changes: readonly Change[]): RenameSuggestion[] {
  const tables = new Map<string, { table: Table; dropped: Column[]; added: Column[] }>()
  for (const change of changes) {
    if (change.kind !== 'dropColumn' && change.kind !== 'addColumn') continue
    const key = objectKey(change.table)
    if (!tables.has(key)) tables.set(key, { table: change.table, dropped: [], added: [] })
    tables.get(key)![change.kind === 'dropColumn' ? 'dropped' : 'added'].push(change.column)
  }
  return [...tables].flatMap(([key, { table, dropped, added }]) => {
    const rated = dropped.flatMap((from) => added.flatMap((to) => rateColumns(from, to, dropped.length + added.length)))
    return bestPairs(rated).map(
      ({ from, to, score, reason }): RenameSuggestion => ({
        kind: 'column',
        database: table.database,
        table: table.name,
        from: from.name,
        to: to.name,
        confidence: confidence(score),
        reason,
        confirmationSQL: `ALTER TABLE ${quoteQualified(table.database, table.name)} RENAME COLUMN ${quoteIdentifier(from.name)} TO ${quoteIdentifier(to.name)}`,
        dropOperationKey: `${key}:column:${from.name}`,
        addOperationKey: `${key}:column:${to.name}`,
      }),
    )
  })
}

function rateColumns(from: Column, to: Column, candidates: number): Rated<Column>[] {
  if (from.type !== to.type) return []
  const same = equalColumns({ ...from, comment: '' }, { ...to, comment: '' })
  const alone = candidates === 2
  const alike = similarity(from.name, to.name)
  const score = (same ? 0.4 : 0.25) + (alone ? 0.25 : 0) + alike * 0.4
  if (score < 0.4) return []
  const reasons = [
    same ? `same definition (${from.type})` : `same type (${from.type})`,
    ...(alone ? ['the only column dropped and the only one added'] : []),
    ...(alike >= 0.5 ? ['similar names'] : []),
  ]
  return [{ from, to, score, reason: reasons.join(', ') }]
}

function suggestTables(changes: readonly Change[]): RenameSuggestion[] {
  const dropped = changes.flatMap((change) => (change.kind === 'dropTable' ? [change.table] : []))
  const added = changes.flatMap((change) => (change.kind === 'createTable' ? [change.table] : []))
  const rated = dropped.flatMap((from) => added.flatMap((to) => rateTables(from, to)))
  return bestPairs(rated).map(({ from, to, score, reason }) => ({
    kind: 'table',
    database: from.database,
    table: from.name,
    from: `${from.database}.${from.name}`,
    to: `${to.database}.${to.name}`,
    confidence: confidence(score),
    reason,
    confirmationSQL: `RENAME TABLE ${quoteQualified(from.database, from.name)} TO ${quoteQualified(to.database, to.name)}`,
    dropOperationKey: objectKey(from),
    addOperationKey: objectKey(to),
  }))
}

function rateTables(from: Table, to: Table): Rated<Table>[] {
  if (!equalEngines(from.engine, to.engine) || !equalTexts(from.orderBy, to.orderBy)) return []
  const names = new Map(to.columns.map((column) => [column.name, column.type]))
  const shared = from.columns.filter((column) => names.get(column.name) === column.type).length
  const share = shared / Math.max(from.columns.length, to.columns.length)
  if (share < 0.5) return []
  const alike = similarity(from.name, to.name)
  return [
    {
      from,
      to,
      score: share * 0.8 + alike * 0.2,
      reason: `same engine and sorting key, ${shared} of ${to.columns.length} columns the same${alike >= 0.5 ? ', similar names' : ''}`,
    },
  ]
}

/** 1 for equal names, 0 for names that share nothing: common pairs of letters over all pairs. */
function similarity(a: string, b: string): number {
  const pairs = (text: string) => {
    const found = new Map<string, number>()
    const plain = text.toLowerCase()
    for (let index = 0; index < plain.length - 1; index++) {
      const pair = plain.slice(index, index + 2)
      found.set(pair, (found.get(pair) ?? 0) + 1)
    }
    return found
  }
  const left = pairs(a)
  const right = pairs(b)
  let common = 0
  for (const [pair, count] of left) common += Math.min(count, right.get(pair) ?? 0)
  const total = Math.max(0, a.length - 1) + Math.max(0, b.length - 1)
  return total === 0 ? 0 : (2 * common) / total
}
