import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { ResolvedConfig } from '../config/config.js'
import { migrationId } from '../migration/directory.js'

/**
 * A sentence for applied migrations of which neither file nor snapshot is here, so that they may be another project's;
 * undefined where each missing one has left its snapshot.
 */
export function foreignMigrations(config: ResolvedConfig, missing: readonly string[]): string | undefined {
  const foreign = missing.filter((name) => !existsSync(join(config.metaDir, 'snapshots', `${migrationId(name)}.json`)))
  const [first, ...more] = foreign
  if (first === undefined) return undefined
  const which = more.length === 0 ? first : `${first} and ${more.length} more`
  return `${which} left no snapshot here: if another project applied it, give each project a database, or a journal.table, of its own.`
}
