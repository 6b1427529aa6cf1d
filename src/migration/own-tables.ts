import { ChkitError } from '../errors.js'
import type { EffectObject } from '../sql/effects.js'
import { isOwnTable } from './journal.js'
import type { MigrationStatement, ParsedMigration } from './migration-file.js'

/** Where chkit keeps its tables: the configured database, and the name of the journal. */
export type OwnPlace = { readonly database: string; readonly journalTable: string }

/**
 * Refuses statements that would take chkit's own tables, or the database that holds them, from under the run: what has run
 * would be forgotten, and run again. Throws `migration_invalid` with the first one's place.
 */
export function refuseOwnTables(migrations: readonly ParsedMigration[], own: OwnPlace): void {
  for (const migration of migrations) {
    for (const statement of migration.statements) {
      const taken = takenFromUs(statement, own)
      if (taken === undefined) continue
      throw new ChkitError(
        'migration_invalid',
        `${migration.file}:${statement.line}: this statement takes away ${taken}, which the journal of this very run needs.`,
        {
          hint: 'Run it by hand, or keep the journal elsewhere (journal: { store: "file" }, or another clickhouse.database). Nothing was applied.',
          details: {
            migration: migration.name,
            file: migration.file,
            line: statement.line,
            statement: statement.number,
          },
        },
      )
    }
  }
}

/** The first thing of ours that the statement takes away; undefined where it leaves them be. */
function takenFromUs({ node, effects }: MigrationStatement, own: OwnPlace): string | undefined {
  const touched = effects.objects.filter(({ role }) => role !== 'reads')
  switch (node.kind) {
    case 'drop':
      return node.tablesOf?.like === undefined ? firstOwn(touched, own) : undefined
    case 'rename':
    case 'deleteFrom':
    case 'updateTable':
      return firstOwn(touched, own)
    default:
      return firstOwn(
        effects.operations.flatMap(({ risk, object }) => (risk === 'danger' && object !== undefined ? [object] : [])),
        own,
      )
  }
}

function firstOwn(objects: readonly EffectObject[], { database, journalTable }: OwnPlace): string | undefined {
  for (const { kind, database: place, name } of objects) {
    if (kind === 'database' && name === database) return `the database ${name}`
    if (kind === 'table' && place === database && isOwnTable(name, journalTable)) return `${place}.${name}`
  }
  return undefined
}
