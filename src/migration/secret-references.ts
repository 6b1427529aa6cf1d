import type { Executor } from '../clickhouse/executor.js'
import { ChkitError } from '../errors.js'
import { stringValue, Token, type Tokens, tokenize, tokenText } from '../sql/lexer.js'
import { quoteString } from '../sql/quote.js'
import type { ParsedMigration } from './migration-file.js'

type Environment = Readonly<Record<string, string | undefined>>

/** The whole of a string, or `{env:NAME}` for a part of it. */
const REFERENCE = /^env:([A-Za-z_][A-Za-z0-9_]*)$|\{env:([A-Za-z_][A-Za-z0-9_]*)\}/g

/**
 * Functions whose parameters the server hides: table functions over other systems, and those that encrypt
 * (ClickHouse 26.7, `FunctionSecretArgumentsFinder`).
 */
const HOLDS_SECRETS =
  /^(?:mysql|postgresql|mongodb|redis|jdbc|odbc|ytsaurus|arrowflight|(?:remote|remoteSecure)|url(?:Cluster)?|(?:s3|gcs|cosn|oss|azureBlobStorage|(?:iceberg|deltaLake|paimon)(?:S3|Azure)?|hudi)(?:Cluster)?|(?:try)?(?:en|de)crypt|aes_(?:en|de)crypt_mysql)$/i

/**
 * Where a secret may stand: among the parameters of a dictionary's source, of an engine, of a disk and of functions that
 * take secrets, in SETTINGS, behind IDENTIFIED .. BY, and in a named collection. A string anywhere else is only a string.
 */
function isSecretPlace(tokens: Tokens, index: number): boolean {
  const word = (at: number) => (at < 0 ? '' : tokenText(tokens, at).toUpperCase())
  if (word(index - 1) === '=' && isInSettings(index - 1, tokens, word)) return true
  if (word(index - 1) === 'BY' || (word(1) === 'NAMED' && word(2) === 'COLLECTION')) return true
  for (let at = index - 1; at >= 0; at--) {
    const matching = tokens.matching[at] ?? -1
    if (matching >= 0 && matching < at) at = matching
    else if (matching > index) {
      if (word(at - 1) === 'SOURCE' || word(at - 1) === 'DISK' || HOLDS_SECRETS.test(word(at - 1))) return true
      if (word(at - 3) === 'ENGINE' || word(at - 2) === 'ENGINE') return true
    }
  }
  return false
}

/** True when the list of `name = value` that holds the token begins with SETTINGS. */
function isInSettings(index: number, tokens: Tokens, word: (at: number) => string): boolean {
  for (let at = index; at >= 0; at--) {
    const matching = tokens.matching[at] ?? -1
    if (matching > at) return false
    if (matching >= 0) at = matching
    else if (word(at) === 'SETTINGS' || word(at) === 'SETTING') return true
    else if (word(at) === 'SET' || word(at) === 'SELECT' || word(at) === 'WHERE') return false
  }
  return false
}

/** A statement with its secrets put in. */
export type ResolvedSecrets = {
  readonly text: string
  /** Variables that are not set, whose references stay. */
  readonly missing: readonly string[]
  /** The values that were put in. */
  readonly secrets: readonly string[]
}

/** The statement with each `'env:NAME'`, and each `{env:NAME}` in a string, in a secret's place replaced by the variable's value. */
export function resolveSecrets(sql: string, env: Environment): ResolvedSecrets {
  if (!sql.includes("'env:") && !sql.includes('{env:')) return { text: sql, missing: [], secrets: [] }
  const tokens = tokenize(sql)
  const missing = new Set<string>()
  const secrets = new Set<string>()
  let text = ''
  let end = 0
  for (let index = 0; index < tokens.count; index++) {
    if (tokens.kinds[index] !== Token.string || !isSecretPlace(tokens, index)) continue
    const written = stringValue(tokens, index)
    const resolved = written.replace(REFERENCE, (reference, whole?: string, part?: string) => {
      const name = (whole ?? part) as string
      const value = env[name]
      if (value === undefined) missing.add(name)
      else if (value !== '') secrets.add(value)
      return value ?? reference
    })
    if (resolved === written) continue
    text += sql.slice(end, tokens.starts[index]) + quoteString(resolved)
    end = tokens.ends[index] as number
  }
  return { text: text + sql.slice(end), missing: [...missing], secrets: [...secrets] }
}

/** A place where a secret is needed and its variable is not set. */
export type MissingSecret = {
  readonly variable: string
  readonly migration: string
  /** One-based number and line of the statement. */
  readonly statement: number
  readonly line: number
}

/** Every place where a secret is missing, in the order of the statements. */
export function missingSecrets(migrations: readonly ParsedMigration[], env: Environment): MissingSecret[] {
  return migrations.flatMap(({ name, statements }) =>
    statements.flatMap(({ number, line, text }) =>
      resolveSecrets(text, env).missing.map((variable) => ({ variable, migration: name, statement: number, line })),
    ),
  )
}

/** Throws `secret_missing` when a secret is; before anything is sent, since the reference itself would become the password. */
export function requireSecrets(migrations: readonly ParsedMigration[], env: Environment): void {
  const missing = missingSecrets(migrations, env)
  if (missing.length === 0) return
  const variables = [...new Set(missing.map(({ variable }) => variable))]
  throw new ChkitError('secret_missing', `${describeMissing(missing)}. Nothing was sent.`, {
    hint: `Set ${variables.join(', ')} in the environment of this command (empty where the secret is empty), and run it again.`,
    details: { variables, missing },
  })
}

/** `Environment variable A is not set; it is needed by statement 2 of 1_a.sql (line 3)`; for a list that is not empty. */
export function describeMissing(missing: readonly MissingSecret[]): string {
  const places = new Map<string, string[]>()
  for (const { variable, migration, statement, line } of missing) {
    const place = `statement ${statement} of ${migration}${line > 0 ? ` (line ${line})` : ''}`
    places.set(variable, [...(places.get(variable) ?? []), place])
  }
  return [...places]
    .map(
      ([variable, needed]) => `The environment variable ${variable} is not set, and is needed by ${needed.join(', ')}`,
    )
    .join('. ')
}

/**
 * The executor with secrets put in right before a statement is sent: no file and no journal ever holds them. `hide` is
 * told each one before it is sent. Throws `secret_missing` for a reference that nobody has looked at before.
 */
export function withSecrets(executor: Executor, env: Environment, hide: (secret: string) => void): Executor {
  return {
    ...executor,
    command: async (sql, options) => {
      const { text, missing, secrets } = resolveSecrets(sql, env)
      const [variable] = missing
      if (variable !== undefined) {
        throw new ChkitError(
          'secret_missing',
          `The environment variable ${variable} is not set. The statement was not sent.`,
          {
            hint: `Set ${variable} in the environment of this command, and run it again.`,
            details: { variables: missing },
          },
        )
      }
      for (const secret of secrets) hide(secret)
      return executor.command(text, secrets.length === 0 ? options : { ...options, secrets })
    },
  }
}
