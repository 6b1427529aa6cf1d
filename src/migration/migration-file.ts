import { ChkitError } from '../errors.js'
import type { Statement } from '../sql/ast-ddl.js'
import { type StatementEffects, statementEffects } from '../sql/effects.js'
import { tokenize } from '../sql/lexer.js'
import { splitStatements } from '../sql/split.js'
import { parseStatement } from '../sql/statement.js'
import type { ParseWarning } from '../sql/warning.js'
import { hashStatement } from './evidence.js'
import type { MigrationFile } from './read-migration.js'

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
  readonly effects: StatementEffects
  /** Why it was not understood, for a person: `file:line:column: ...`; the statement is sent all the same. */
  readonly problem?: string
}

export type ParsedMigration = MigrationFile & { readonly statements: readonly MigrationStatement[] }

function invalid(migration: MigrationFile, at: { line: number; column: number }, message: string): ChkitError {
  const { line, column } = at
  const sentence = message.replace(/\.$/, '')
  return new ChkitError('migration_invalid', `${migration.file}:${line}:${column}: ${sentence}.`, {
    hint: 'Correct the file. Nothing was applied.',
    details: { migration: migration.name, file: migration.file, line, column },
  })
}

/** Why a statement is refused that speaks to a session, which connections over HTTP do not have; undefined for others. */
function sessionRefusal(node: Statement): string | undefined {
  switch (node.kind) {
    case 'use':
      return 'USE has no effect on the statements after it: name the database in each of them'
    case 'session':
      return 'transactions cannot span the statements of a migration'
    case 'setRole':
      return node.default
        ? undefined
        : 'SET ROLE has no effect on the statements after it: connect as a user that has the role'
    case 'createTable':
    case 'createView':
      return 'temporary' in node && node.temporary
        ? 'a temporary table is gone before the next statement: use a plain one, and drop it in the end'
        : undefined
    case 'set': {
      const odd = node.settings.find(({ value }) => value.kind !== 'literal' && value.kind !== 'default')
      return odd === undefined ? undefined : `SET ${odd.name}: only a literal can be sent as a setting`
    }
    default:
      return undefined
  }
}

/** From the first word on: a comment above a statement may be edited after it ran. */
function withoutComments(text: string): string {
  const tokens = tokenize(text)
  return tokens.count === 0 ? text : text.slice(tokens.starts[0])
}

function parseOne(
  text: string,
  at: { number: number; line: number },
  database: string,
  describe: (warning: ParseWarning) => string,
): MigrationStatement {
  const { node, warnings } = parseStatement(text)
  const problem = warnings[0] === undefined ? undefined : describe(warnings[0])
  return {
    ...at,
    text,
    hash: hashStatement(text),
    node,
    effects: statementEffects(node, database),
    ...(problem !== undefined && { problem }),
  }
}

/** Where in the file a statement that begins at `start` was not understood, and why. */
function notUnderstood(file: string, start: { line: number; column: number }, warning: ParseWarning): string {
  const line = start.line + warning.line - 1
  const column = warning.line === 1 ? start.column + warning.column - 1 : warning.column
  return `${file}:${line}:${column}: this statement is not understood: ${warning.message}. It is sent as it stands.`
}

/**
 * The statements of a migration, each parsed. `database` is the current one, for names without theirs. Throws
 * `migration_empty`, and `migration_invalid` with the position.
 */
export function parseMigration(migration: MigrationFile, database: string): ParsedMigration {
  const pieces = splitStatements(migration.text)
  const statements = pieces.map((piece, index) => {
    if (piece.problem !== undefined) throw invalid(migration, piece.problem, piece.problem.message)
    const { line, column } = piece
    const statement = parseOne(withoutComments(piece.text), { number: index + 1, line }, database, (warning) =>
      notUnderstood(migration.file, { line, column }, warning),
    )
    const refusal = sessionRefusal(statement.node)
    if (refusal !== undefined) throw invalid(migration, { line: piece.line, column: piece.column }, refusal)
    return statement
  })
  if (statements.length === 0) {
    throw new ChkitError('migration_empty', `${migration.file} holds no statement.`, {
      hint: 'Write its statements, each ended by a semicolon, or delete the file.',
      details: { migration: migration.name, file: migration.file },
    })
  }
  return { ...migration, statements }
}

/** The migration with other statements in it, as plugins made them. The checksum stays the file's. */
export function replaceStatements(
  migration: ParsedMigration,
  texts: readonly string[],
  database: string,
): ParsedMigration {
  const before = new Map(migration.statements.map((statement) => [statement.text, statement]))
  const statements = texts.map((text, index) => {
    const known = before.get(text)
    const ofPlugin = (warning: ParseWarning) =>
      `${migration.file}: statement ${index + 1}, which a plugin made, is not understood: ${warning.message}.`
    const at = { number: index + 1, line: known?.line ?? 0 }
    return parseOne(text, at, database, (warning) => known?.problem ?? ofPlugin(warning))
  })
  return { ...migration, statements }
}
