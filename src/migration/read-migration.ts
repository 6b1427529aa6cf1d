import { ChkitError } from '../errors.js'
import { readTextIfPresent } from './atomic-file.js'
import { checksumOf } from './checksum.js'
import { migrationPath } from './directory.js'

/** A migration as it stands on disk. Apart from parsing, so that `status` loads no parser. */
export type MigrationFile = {
  readonly name: string
  /** Absolute. */
  readonly file: string
  readonly text: string
  readonly checksum: string
}

/** Reads a migration. Throws `migration_not_found`, `file_unreadable`, `file_not_utf8`. */
export function readMigration(directory: string, name: string): MigrationFile {
  const file = migrationPath(directory, name)
  const text = readTextIfPresent(file)
  if (text === undefined) {
    throw new ChkitError('migration_not_found', `${file} is gone.`, { hint: 'Restore it from version control.' })
  }
  return { name, file, text, checksum: checksumOf(text) }
}
