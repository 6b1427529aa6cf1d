import { ChkitError } from '../errors.js'
import type { Statement } from '../sql/ast-ddl.js'
import { type StatementOperation, statementEffects } from '../sql/effects.js'
import { parseStatement } from '../sql/parse.js'
import { splitStatements } from '../sql/split.js'
import { readTextIfPresent } from './atomic-file.js'
import { checksumOf } from './checksum.js'
import { migrationPath } from './directory.js'
import { hashStatement } from './evidence.js'

/** One statement of a migration, ready to be judged and sent. */
export type MigrationStatement = {
  /** One-based number in the file. */
  readonly number: number
  /** One statement, no trailing semicolon. */
  readonly text: string
  /** One-based line of its first word; 0 for a statement that a plugin put there. */
  readonly line: number
  readonly hash: string
  readonly node: Statement
  readonly operations: readonly StatementOperation[]
}

export type MigrationFile = {
  readonly name: string
  /** Absolute. */
  readonly file: string
  readonly text: string
  readonly checksum: string
}

export type ParsedMigration = MigrationFile & { readonly statements: readonly MigrationStatement[] }

/** Reads a migration. Throws `migration_not_found`, `file_unreadable`, `file_not_utf8`. */
export function readMigration(directory: string, name: string): MigrationFile {
  const file = migrationPath(directory, name)
  const text = readTextIfPresent(file)
  if (text === undefined) {
    throw new ChkitError('migration_not_found', `${file} is gone.`, { hint: 'Restore it from version control.' })
  }
  return { name, file, text, checksum: checksumOf(text) }
}
