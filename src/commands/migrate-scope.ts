import type { ParsedMigration } from '../migration/migration-file.js'
import { headPath, readSnapshot } from '../migration/snapshot.js'
import { compareCodeUnits, isDatabaseObject } from '../model/definition.js'
import { matchesSelector, parseTableSelector } from '../model/scope.js'
import type { TableScope } from '../plugin-host/command.js'

/** What `--table` selects among the objects that pending migrations touch. */
export type MigrationScope = {
  readonly scope: TableScope
  /** True when everything that the migration touches is in scope. */
  covers(migration: ParsedMigration): boolean
}

type Named = { readonly database: string; readonly name: string }

/** Objects with a database that a migration touches; undefined when what it touches cannot be told, or is no such object. */
function touched(migration: ParsedMigration): readonly Named[] | undefined {
  const objects: Named[] = []
  for (const { effects } of migration.statements) {
    for (const { kind, role, database, name } of effects.objects) {
      // What is only read stays as it is, and a database that tables need is created by whoever comes first.
      if (role === 'reads' || (kind === 'database' && role === 'creates')) continue
      if (database === undefined || name === '') return undefined
      objects.push({ database, name })
    }
    if (effects.objects.length === 0) return undefined
  }
  return objects
}

/** Objects of the newest snapshot. */
function snapshotObjects(metaDir: string): readonly Named[] {
  return (readSnapshot(headPath(metaDir))?.definitions ?? []).filter(isDatabaseObject)
}

/**
 * Resolves `--table` against the newest snapshot and what the pending migrations touch. Throws
 * `invalid_table_selector` and, only where there is a selector, the snapshot codes.
 */
export function migrationScope(
  selector: unknown,
  metaDir: string,
  migrations: readonly ParsedMigration[],
): MigrationScope {
  if (typeof selector !== 'string') {
    return { scope: { enabled: false, matchedTables: [], matchCount: 0 }, covers: () => true }
  }
  const parsed = parseTableSelector(selector)
  const all = [...snapshotObjects(metaDir), ...migrations.flatMap((migration) => touched(migration) ?? [])]
  const matched = all
    .filter((object) => matchesSelector(parsed, object.database, object.name))
    .map(({ database, name }) => `${database}.${name}`)
  const matchedTables = [...new Set(matched)].sort(compareCodeUnits)
  return {
    scope: { enabled: true, selector, matchedTables, matchCount: matchedTables.length },
    covers: (migration) =>
      touched(migration)?.every((object) => matchesSelector(parsed, object.database, object.name)) ?? false,
  }
}
