import { ChkitError } from '../errors.js'
import type { Definition } from '../model/definition.js'
import type { Statement } from '../plan/step.js'
import { writeFileAtomic } from './atomic-file.js'
import { type ChainDecision, chainError, decideChain, newestWithSnapshot } from './chain.js'
import { listMigrations, migrationFileName, migrationId, migrationPath, requireFreeId } from './directory.js'
import { renderMigration } from './format.js'
import { HistoryMoved, historyMark, withHistoryLock } from './history-lock.js'
import {
  headPath,
  readSnapshot,
  readSnapshotLinks,
  removeSnapshot,
  SNAPSHOT_VERSION,
  type Snapshot,
  serialiseSnapshot,
  snapshotPath,
  type UpgradeDefinitions,
  writeSnapshot,
} from './snapshot.js'

export type HistoryOptions = {
  readonly migrationsDir: string
  readonly metaDir: string
  /** Ids that the journal holds. Asked only when a file is gone and the answer matters; may throw connection codes. */
  readonly appliedIds: () => Promise<readonly string[]>
  readonly upgrade?: UpgradeDefinitions
}

/** The state that the next migration is planned from. */
export type Head = {
  /** Undefined when nothing was generated yet. */
  readonly snapshot: Snapshot | undefined
  /** Id of the migration that led to it, the parent of the next one; null for none. */
  readonly migration: string | null
  /** Ids of migrations that were deleted before they were applied and are planned again. */
  readonly deleted: readonly string[]
  /** True when `snapshot.json` does not hold this state and the next write brings it up to date. */
  readonly stale: boolean
}

function readKnown(metaDir: string, id: string, upgrade: UpgradeDefinitions | undefined): Snapshot {
  const path = snapshotPath(metaDir, id)
  const snapshot = readSnapshot(path, upgrade)
  if (snapshot !== undefined) return snapshot
  throw new ChkitError('snapshot_not_found', `Snapshot ${path} is missing.`, {
    hint: 'Restore it from version control.',
    details: { file: path, migration: id },
  })
}

/**
 * The newest state of the history: reads `snapshot.json`, the chain of snapshots and the names of the migrations.
 * Writes nothing. Throws `snapshot_corrupt`, `snapshot_version_unsupported`, `snapshot_branches` (two branches
 * generated), `migration_not_found` (others build on a deleted migration).
 */
export async function loadHead(options: HistoryOptions): Promise<Head> {
  const { metaDir, migrationsDir, upgrade } = options
  const names = listMigrations(migrationsDir)
  const nameOf = (id: string) => names.find((name) => migrationId(name) === id) ?? id
  const links = readSnapshotLinks(metaDir)
  const files = names.map(migrationId)
  const head = readHead(metaDir, upgrade, () => {
    const branches = decideChain({ head: undefined, links, files, applied: [] })
    const error = chainError(branches, nameOf)
    if (error !== undefined) throw error
  })
  const facts = { head, links, files }
  let decision = decideChain({ ...facts, applied: undefined })
  if (decision.kind === 'askJournal') decision = decideChain({ ...facts, applied: await options.appliedIds() })
  const error = chainError(decision, nameOf)
  if (error !== undefined) throw error
  return headOf(decision, head, metaDir, upgrade)
}

/** `snapshot.json`; before its corruption is reported, branches are, because a merge of both corrupts it and they say more. */
function readHead(
  metaDir: string,
  upgrade: UpgradeDefinitions | undefined,
  reportBranches: () => void,
): Snapshot | undefined {
  try {
    return readSnapshot(headPath(metaDir), upgrade)
  } catch (error) {
    if (error instanceof ChkitError && error.code === 'snapshot_corrupt') reportBranches()
    throw error
  }
}

function headOf(
  decision: ChainDecision,
  head: Snapshot | undefined,
  metaDir: string,
  upgrade: UpgradeDefinitions | undefined,
): Head {
  const deleted = decision.kind === 'replan' ? decision.deleted : []
  if (decision.kind === 'mend' || decision.kind === 'replan') {
    const snapshot = decision.id === null ? undefined : readKnown(metaDir, decision.id, upgrade)
    return { snapshot, migration: decision.id, deleted, stale: true }
  }
  return { snapshot: head, migration: head?.migration ?? null, deleted, stale: false }
}

/** Brings `snapshot.json` up to date when `head` says that it is not. Throws `file_unwritable` or `disk_full`. */
export function mendHead(metaDir: string, head: Head): void {
  if (head.stale && head.snapshot !== undefined) writeSnapshot(headPath(metaDir), head.snapshot)
}

export type NewMigration = {
  readonly migrationsDir: string
  readonly metaDir: string
  readonly id: string
  readonly slug: string
  readonly statements: readonly Statement[]
  /** The state after the migration. */
  readonly definitions: readonly Definition[]
  readonly parent: string | null
  /** Hash of the declarations that `definitions` is the whole canonical form of; see `serialiseSnapshot`. */
  readonly declared?: string
  /** The fingerprint of the parent's snapshot, where the state stays the same. */
  readonly fingerprint?: string
  /** ISO 8601, UTC. */
  readonly generatedAt: string
  readonly chkitVersion: string
  readonly renameSuggestionCount?: number
  /** `historyMark` of the moment the parent was read. Where it is another one now, nothing is written: `HistoryMoved`. */
  readonly planned?: string
}

export type WrittenMigration = {
  readonly name: string
  readonly migrationFile: string
  readonly snapshotFile: string
}

/**
 * Writes a migration under the lock of the history: first `snapshots/<id>.json`, then the migration file, which makes it count, then `snapshot.json`.
 * A run killed between two of these leaves a snapshot that nobody reads, or a head that the next run mends. When a
 * write fails, what was written before is taken back. Throws `migration_id_conflict`, `file_unwritable`, `disk_full`, and `HistoryMoved`.
 */
export function writeMigration(migration: NewMigration): WrittenMigration {
  const { metaDir, migrationsDir, planned } = migration
  return withHistoryLock(metaDir, () => {
    if (planned !== undefined && planned !== historyMark(migrationsDir, metaDir)) throw new HistoryMoved()
    return writeFiles(migration)
  })
}

function writeFiles(migration: NewMigration): WrittenMigration {
  const { metaDir, migrationsDir, id } = migration
  requireFreeId(id, listMigrations(migrationsDir).map(migrationId))
  const name = migrationFileName(id, migration.slug)
  const migrationFile = migrationPath(migrationsDir, name)
  const text = renderMigration(migration)
  const state: Snapshot = {
    version: SNAPSHOT_VERSION,
    generatedAt: migration.generatedAt,
    migration: id,
    parent: migration.parent,
    definitions: migration.definitions,
    ...(migration.fingerprint === undefined ? {} : { fingerprint: migration.fingerprint }),
  }
  const snapshot = serialiseSnapshot(state, migration.declared)
  writeFileAtomic(snapshotPath(metaDir, id), snapshot)
  try {
    writeFileAtomic(migrationFile, text)
  } catch (error) {
    removeSnapshot(metaDir, id)
    throw error
  }
  writeFileAtomic(headPath(metaDir), snapshot)
  return { name, migrationFile, snapshotFile: headPath(metaDir) }
}

/**
 * The state that the applied migrations led to: the snapshot of the newest applied one that has a snapshot. Falls back
 * to `snapshot.json` where it is older than the snapshots folder. Undefined when there is none. `appliedNames` are the
 * journal's, with `.sql`.
 */
export function appliedSnapshot(
  appliedNames: readonly string[],
  metaDir: string,
  upgrade?: UpgradeDefinitions,
): { readonly snapshot: Snapshot; readonly file: string } | undefined {
  const links = readSnapshotLinks(metaDir)
  const id = newestWithSnapshot(appliedNames.map(migrationId), links)
  if (id !== undefined) return { snapshot: readKnown(metaDir, id, upgrade), file: snapshotPath(metaDir, id) }
  const head = readSnapshot(headPath(metaDir), upgrade)
  const usable = head !== undefined && appliedNames.length > 0 && (head.migration === null || links.length === 0)
  return usable ? { snapshot: head, file: headPath(metaDir) } : undefined
}
