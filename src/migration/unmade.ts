import type { Executor } from '../clickhouse/executor.js'
import { ChkitError } from '../errors.js'
import { quoteQualified } from '../sql/quote.js'
import { whereIn } from './evidence.js'
import type { MigrationStatement, ParsedMigration } from './migration-file.js'
import { type ObjectRef, proofOf, refKey } from './proof.js'

type Promised = { readonly object: ObjectRef; readonly statement: MigrationStatement }

/**
 * Refuses to call a migration done whose `CREATE .. IF NOT EXISTS` made nothing: the server answers so, without a word,
 * where a detached table has the name (seen on 26.7). One request; none for a migration without such statements. Throws
 * `migration_failed` with the first one's place.
 */
export async function refuseUnmade(executor: Executor, migration: ParsedMigration): Promise<void> {
  const promised = promisedObjects(migration, executor.database)
  if (promised.length === 0) return
  const rows = await executor.query<{ database: string; name: string }>(
    `SELECT database, name FROM system.tables WHERE ${whereIn(
      promised.map(({ object }) => object),
      'name',
    )}`,
  )
  const found = new Set(rows.map(({ database, name }) => refKey({ database, name })))
  const missing = promised.find(({ object }) => !found.has(refKey(object)))
  if (missing === undefined) return
  const { object, statement } = missing
  const name = quoteQualified(object.database, object.name)
  throw new ChkitError(
    'migration_failed',
    `${migration.file}:${statement.line}: the server took this CREATE .. IF NOT EXISTS, but there is no ${name}: a detached table seems to have its name.`,
    {
      hint: `Bring it back (ATTACH TABLE ${name}) and run again: no statement is repeated. chkit drift then tells whether it is as declared.`,
      details: { migration: migration.name, statement: statement.number, line: statement.line, object: name },
    },
  )
}

/** What must be there when the last statement has run, told from the texts alone. Pure. */
function promisedObjects(migration: ParsedMigration, current: string): readonly Promised[] {
  const promised = new Map<string, Promised>()
  for (const statement of migration.statements) {
    const { node } = statement
    const proof = proofOf(node, current)
    switch (proof.kind) {
      case 'made':
        if (isQuiet(node)) promised.set(refKey(proof.object), { object: proof.object, statement })
        break
      case 'gone':
        for (const object of proof.objects) promised.delete(refKey(object))
        break
      case 'moved':
        for (const { from, to } of proof.pairs) for (const object of [from, to]) promised.delete(refKey(object))
        break
      case 'named':
        if (proof.what === 'database' && !proof.present) promised.clear()
        break
      case 'none':
        // What could not be read may take anything away.
        promised.clear()
        break
      default:
    }
  }
  return [...promised.values()]
}

/** Statements ON CLUSTER are asked about on their hosts, of which the connected one need not be one. */
function isQuiet(node: MigrationStatement['node']): boolean {
  if (node.kind !== 'createTable' && node.kind !== 'createView' && node.kind !== 'createDictionary') return false
  return node.ifNotExists === true && node.cluster === undefined
}
