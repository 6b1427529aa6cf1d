import { readStatement } from '../model/canonical.js'
import { compareCodeUnits, type Definition, type Model, objectKey } from '../model/definition.js'
import { type CatalogEntry, type CatalogOptions, readCatalog, type SkippedObject } from './catalog.js'
import type { Executor } from './executor.js'

export type Introspection = {
  /** What lives on the server, canonical. */
  readonly model: Model
  /** What lives there too but is not in the model, with the reason; sorted by object. */
  readonly skipped: readonly SkippedObject[]
  /** The server's own statement for each definition of the model. */
  readonly statements: ReadonlyMap<Definition, string>
  readonly stats: {
    readonly databases: number
    /** Tables, views, materialized views and dictionaries. */
    readonly tables: number
    readonly functions: number
    readonly accessObjects: number
    /** Characters of the CREATE statements that were read. */
    readonly characters: number
  }
}

/**
 * Reads the live schema: one request to greet the server where that has not happened, two for the objects, three more
 * with `access`. A statement that cannot be understood ends in `skipped`; it never fails the rest. Creates nothing.
 */
export async function introspect(executor: Executor, options: CatalogOptions = {}): Promise<Introspection> {
  const { entries, skipped } = await readCatalog(executor, options)
  const { major, minor } = await executor.server()
  // Versions of aggregate states came with 21.10.
  const withoutStateVersions = major < 21 || (major === 21 && minor < 10)
  const definitions: { readonly key: string; readonly definition: Definition }[] = []
  const notUnderstood: SkippedObject[] = []
  const statements = new Map<Definition, string>()
  for (const entry of entries) {
    const { definition, warnings } = readStatement(entry.statement, {
      currentDatabase: entry.database ?? executor.database,
      withoutStateVersions,
    })
    if (definition.kind === 'raw') {
      const reason = warnings[0]?.message ?? 'chkit has no word for what it is.'
      notUnderstood.push({ object: entryName(entry), reason, statement: entry.statement })
    } else {
      definitions.push({ key: objectKey(definition), definition })
      statements.set(definition, entry.statement)
    }
  }
  const count = (kind: CatalogEntry['kind']) => entries.filter((entry) => entry.kind === kind).length
  return {
    model: {
      definitions: definitions.sort((a, b) => compareCodeUnits(a.key, b.key)).map(({ definition }) => definition),
    },
    statements,
    skipped: [...skipped, ...notUnderstood].sort((a, b) => compareCodeUnits(a.object, b.object)),
    stats: {
      databases: count('database'),
      tables: count('table'),
      functions: count('sql_function'),
      accessObjects: count('access'),
      characters: entries.reduce((sum, entry) => sum + entry.statement.length, 0),
    },
  }
}

function entryName(entry: CatalogEntry): string {
  return entry.database === undefined ? entry.name : `${entry.database}.${entry.name}`
}
