import type { Executor } from '../clickhouse/executor.js'
import { introspect } from '../clickhouse/introspect.js'
import type { ResolvedConfig } from '../config/config.js'
import { isOwnTable } from '../migration/journal.js'
import { type DeclaredObject, declarationsOf, withDependencies } from '../model/declarations.js'
import { objectName, type RawObject } from '../model/definition.js'
import type { IntrospectOptions, LiveSchema } from './plugin.js'

/** Entries of `skipped` that speak of a whole group which the account may not see, not of an object. */
const GROUPS: ReadonlySet<string> = new Set(['access objects', 'named collections'])

/** What lives on the server, as the schema would declare it. Creates nothing; chkit's own tables are left out. */
export async function readLiveSchema(
  config: ResolvedConfig,
  executor: Executor,
  options: IntrospectOptions,
): Promise<LiveSchema> {
  const { databases, access } = options
  const live = await introspect(executor, {
    databases,
    access,
    exclude: (_database, name) => isOwnTable(name, config.journal.table),
  })
  const objects: readonly DeclaredObject[] = declarationsOf(
    live.model.definitions,
    (definition) => live.statements.get(definition) ?? '',
  )
  // What the parser did not follow is still an object: its text makes it again.
  const texts = live.skipped.flatMap(({ object, reason, statement }): DeclaredObject[] => {
    if (statement === undefined) return []
    const raw: RawObject = { kind: 'raw', key: object, create: statement }
    return [{ definition: raw, declaration: raw, fallback: reason }]
  })
  const unseen = live.skipped.filter(({ object, statement }) => statement === undefined && GROUPS.has(object))
  return {
    objects: orderedRaws([...objects, ...texts]),
    skipped: live.skipped
      .filter((one) => one.statement === undefined && !unseen.includes(one))
      .map(({ object, reason }) => ({ object, reason })),
    unseen: unseen.map(({ object, reason }) => ({ object, reason })),
  }
}

/** The same objects; those that are raw say what must be there before them. */
function orderedRaws(objects: readonly DeclaredObject[]): readonly DeclaredObject[] {
  const raws = objects.flatMap(({ definition }) => (definition.kind === 'raw' ? [definition] : []))
  if (raws.length === 0) return objects
  const names = new Set(objects.map(({ definition }) => objectName(definition)))
  const complete = new Map(withDependencies(raws, names).map((raw) => [raw.key, raw]))
  return objects.map((object) => {
    const raw = object.definition.kind === 'raw' ? complete.get(object.definition.key) : undefined
    return raw === undefined ? object : { ...object, definition: raw, declaration: raw }
  })
}
