import type { ResolvedConfig } from '../config/config.js'
import { splitStatements } from '../sql/split.js'
import { readMigration } from './read-migration.js'

/**
 * The first line of a statement as its file has it now, without comments above it; null where the file holds no
 * statement of that number. `number` counts from 1. Throws like `readMigration`.
 */
export function statementLine(
  config: Pick<ResolvedConfig, 'migrationsDir'>,
  migration: string,
  number: number,
): string | null {
  const piece = splitStatements(readMigration(config.migrationsDir, migration).text)[number - 1]
  if (piece === undefined) return null
  const line = piece.text.split('\n')[piece.line - piece.textLine] ?? ''
  return line.slice(piece.line === piece.textLine ? 0 : piece.column - 1).trim()
}
