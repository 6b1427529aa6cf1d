/** What a column is used for in its own table, which decides what may happen to it (alter-matrix 1.1). */

import type { Change } from '../diff/change.js'
import { argsWithoutReplica } from '../diff/diff-table.js'
import { columnsIn } from '../diff/expression-names.js'
import type { Column, SqlText, Table } from '../model/definition.js'

export type ColumnRoles = {
  /** Stands in the sorting, primary, partition, sampling or unique key. */
  readonly key?: 'bare' | 'expression'
  /** The clause that `key` speaks of, for messages. */
  readonly keyClause?: 'sorting key' | 'primary key' | 'partition key' | 'sampling key' | 'unique key'
  readonly engine?: 'version' | 'is_deleted' | 'sign' | 'summed'
}

/** The roles of each column of the table that has one. */
export function columnRoles(table: Table): ReadonlyMap<string, ColumnRoles> {
  const columns = new Set(table.columns.map((column) => column.name))
  const roles = new Map<string, ColumnRoles>()
  const add = (name: string, role: ColumnRoles) => roles.set(name, { ...roles.get(name), ...role })

  const clauses: readonly [NonNullable<ColumnRoles['keyClause']>, readonly SqlText[]][] = [
    ['unique key', table.uniqueKey ?? []],
    ['sampling key', table.sampleBy === undefined ? [] : [table.sampleBy]],
    ['sorting key', table.orderBy ?? []],
    ['partition key', table.partitionBy ?? []],
    ['primary key', table.primaryKey ?? []],
  ]
  for (const [keyClause, entries] of clauses)
    for (const entry of entries)
      for (const name of columnsIn(entry, columns)) {
        const bare = columnOfEntry(entry) === name && roles.get(name)?.key !== 'expression'
        add(name, { key: bare ? 'bare' : 'expression', keyClause })
      }

  const args = argsWithoutReplica(table.engine).map((arg) => [...columnsIn(arg, columns)])
  const mark = (index: number, engine: NonNullable<ColumnRoles['engine']>) => {
    for (const name of args[index] ?? []) add(name, { engine })
  }
  const engine = table.engine.name.replace(/^(?:Shared|Replicated)/, '')
  if (engine === 'ReplacingMergeTree') {
    mark(0, 'version')
    mark(1, 'is_deleted')
  } else if (engine === 'CollapsingMergeTree') mark(0, 'sign')
  else if (engine === 'VersionedCollapsingMergeTree') {
    mark(0, 'sign')
    mark(1, 'version')
  } else if (engine === 'SummingMergeTree' || engine === 'CoalescingMergeTree') mark(0, 'summed')
  return roles
}

/** True for a column that parts hold: one without a default kind, or with DEFAULT or MATERIALIZED. */
export function isStored(column: Column): boolean {
  return column.default === undefined || column.default.kind === 'DEFAULT' || column.default.kind === 'MATERIALIZED'
}

/** `name` of a key entry that is nothing but a column, with or without a direction. */
function columnOfEntry(entry: SqlText): string {
  const bare = entry.replace(/ (?:ASC|DESC)$/, '')
  return bare.startsWith('`') && bare.endsWith('`') ? bare.slice(1, -1) : bare
}

/**
 * True for a stored column that becomes EPHEMERAL: parts must not hold it any longer, for every later mutation of one that
 * does fails with NO_SUCH_COLUMN_IN_TABLE until it is merged (seen on 26.7).
 */
export function deletesValues(change: Extract<Change, { kind: 'modifyColumn' }>): boolean {
  const { table, from, to } = change
  return table.engine.name.endsWith('MergeTree') && isStored(from) && to.default?.kind === 'EPHEMERAL'
}
