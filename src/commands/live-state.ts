import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { introspect } from '../clickhouse/introspect.js'
import type { ResolvedConfig } from '../config/config.js'
import { type Drift, findDrift } from '../diff/drift.js'
import { withWindowViews } from '../diff/window-view.js'
import { ChkitError } from '../errors.js'
import { appliedSnapshot } from '../migration/history.js'
import { isOwnTable, type JournalState, openJournal } from '../migration/journal.js'
import { type Definition, EMPTY_MODEL, isDatabaseObject, type Model } from '../model/definition.js'
import type { CommandContext } from '../plugin-host/command.js'
import { withLiveFunctions } from './live-functions.js'
import { selectScope } from './scope.js'
import type { SelectedScope } from './scope-payload.js'

/** The live database beside what the applied migrations led to. */
export type LiveState = {
  readonly expected: Model
  readonly actual: Model
  readonly report: Drift
  readonly scope: SelectedScope
  /** Absolute path of the snapshot that `expected` was read from. */
  readonly snapshotFile: string
}

/** The journal's state. Creates nothing. */
export async function readJournal(
  context: CommandContext,
  what?: { readonly statements: boolean },
): Promise<JournalState> {
  const journal = await openJournal(context.config, context.connection)
  return journal.read(what)
}

/**
 * Reads the live objects in the databases that the expected state uses and compares. Undefined where there is no
 * snapshot of an applied migration. Creates nothing.
 */
export async function readLiveState(
  context: CommandContext,
  journal: JournalState,
  selector: unknown,
): Promise<LiveState | undefined> {
  const { config } = context
  const found = appliedSnapshot(
    journal.applied.map(({ name }) => name),
    config.metaDir,
  )
  if (found === undefined) return undefined
  const full: Model = { definitions: found.snapshot.definitions }
  const scope = selectScope(selector, EMPTY_MODEL, full)
  context.plugins.setTableScope(scope.scope)
  const databases = [...new Set(full.definitions.flatMap((one) => databaseOf(one) ?? []))].sort()
  const progress = context.progress('Reading the live schema')
  try {
    const live = await introspect(await context.connection(), {
      databases,
      // Three more queries, which not every account may run: asked only where the answer is compared.
      access: full.definitions.some(({ kind }) => ACCESS_GROUPS.has(kind)),
      exclude: (_database, name) => isOwnTable(name, config.journal.table),
    })
    const unseen = new Set(live.skipped.map(({ object }) => object))
    const expected = scope.filter({
      definitions: full.definitions.filter(({ kind }) => !unseen.has(ACCESS_GROUPS.get(kind) ?? '')),
    })
    const actual = scope.filter(live.model)
    const stored = withLiveFunctions(expected, live.model)
    const defaultDatabase = config.clickhouse?.database ?? 'default'
    const drift = findDrift(stored, actual, { databases, defaultDatabase })
    const { report, compared } = withWindowViews(drift, stored, live.skipped, defaultDatabase)
    for (const { object, reason } of live.skipped)
      if (!compared.has(object)) context.warn(`${object} is not compared: ${reason}`)
    return { expected: stored, actual, report, scope, snapshotFile: found.file }
  } finally {
    progress.done()
  }
}

/** Kinds that an account may not be allowed to see, with the group under which introspection then skips them. */
const ACCESS_GROUPS: ReadonlyMap<Definition['kind'], string> = new Map([
  ['role', 'access objects'],
  ['user', 'access objects'],
  ['grant', 'access objects'],
  ['row_policy', 'access objects'],
  ['quota', 'access objects'],
  ['settings_profile', 'access objects'],
  ['named_collection', 'named collections'],
])

/** The database that a definition lives in, or is. */
function databaseOf(definition: Definition): string | undefined {
  if (definition.kind === 'database') return definition.name
  return isDatabaseObject(definition) ? definition.database : undefined
}

/** The error of a command that needs a snapshot of an applied migration. */
export function snapshotMissing(config: ResolvedConfig): ChkitError {
  if (existsSync(join(config.metaDir, 'snapshot.json'))) {
    return new ChkitError(
      'snapshot_not_found',
      'No migration of this project is applied yet: there is nothing to compare with.',
      {
        hint: "Run 'chkit migrate --apply' first. What is generated but not applied is no drift.",
      },
    )
  }
  return new ChkitError('snapshot_not_found', "Snapshot not found. Run 'chkit generate' before drift checks.", {
    hint: "Run 'chkit generate', then 'chkit migrate --apply': drift compares with what was applied.",
  })
}
