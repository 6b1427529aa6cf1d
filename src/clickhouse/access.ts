import type { Statement } from '../sql/ast-ddl.js'
import { Token, tokenize, tokenText } from '../sql/lexer.js'
import { quoteIdentifierIfNeeded } from '../sql/quote.js'
import { parseStatement } from '../sql/statement.js'
import type { Catalog, CatalogEntry, SkippedObject } from './catalog.js'
import type { Executor, ServerInfo } from './executor.js'
import { hasSystemColumn } from './features.js'
import { ServerError } from './server-error.js'

/**
 * Users, roles, grants, row policies, quotas and settings profiles that were made by SQL, and named collections, in
 * three queries. What stands in the server's configuration files is not ours to change and left out. An account that
 * may not see them gets a note in `skipped` instead of an error.
 */
export async function readAccess(executor: Executor, info: ServerInfo): Promise<Catalog> {
  const skipped: SkippedObject[] = []
  const unlessRefused = async <T>(object: string, empty: T, read: () => Promise<T>): Promise<T> => {
    try {
      return await read()
    } catch (error) {
      if (!(error instanceof ServerError)) throw error
      skipped.push({ object, reason: error.message })
      return empty
    }
  }
  const access = hasSystemColumn(info, 'users', 'storage')
    ? await unlessRefused('access objects', [], () => readStatements(executor))
    : []
  const collections = hasSystemColumn(info, 'named_collections', 'create_query')
    ? await unlessRefused('named collections', [], () => readCollections(executor))
    : []
  return { entries: [...access, ...collections], skipped }
}

async function readStatements(executor: Executor): Promise<CatalogEntry[]> {
  const shown = await executor.query<Record<string, string>>('SHOW ACCESS')
  const configured = new Set((await executor.query<{ key: string }>(CONFIGURED)).map((row) => row.key))
  return shown
    .map((row) => withHiddenSecrets(Object.values(row)[0] ?? ''))
    .filter((statement) => !isConfigured(statement, configured))
    .map((statement) => ({ kind: 'access', name: statement, engine: '', statement }))
}

const SECRET_METHODS = new Set(
  'plaintext_password sha256_password sha256_hash double_sha1_password double_sha1_hash bcrypt_password bcrypt_hash scram_sha256_password scram_sha256_hash'.split(
    ' ',
  ),
)

/**
 * A user's statement with `BY '[HIDDEN]'` behind each method of authentication that has a secret: the server leaves it
 * out (seen on 26.7), and without it the statement says nothing that could be run.
 */
export function withHiddenSecrets(statement: string): string {
  if (!statement.startsWith('CREATE USER ')) return statement
  const tokens = tokenize(statement)
  let text = ''
  let end = 0
  for (let index = 1; index < tokens.count; index++) {
    if (tokens.kinds[index] !== Token.word || !SECRET_METHODS.has(tokenText(tokens, index))) continue
    const isMethod = tokenText(tokens, index - 1).toUpperCase() === 'WITH' || tokens.kinds[index - 1] === Token.comma
    const hasSecret = index + 1 < tokens.count && tokenText(tokens, index + 1).toUpperCase() === 'BY'
    if (!isMethod || hasSecret) continue
    text += `${statement.slice(end, tokens.ends[index])} BY '[HIDDEN]'`
    end = tokens.ends[index] as number
  }
  return text + statement.slice(end)
}

async function readCollections(executor: Executor): Promise<CatalogEntry[]> {
  const rows = await executor.query<{ name: string; create_query: string }>(
    "SELECT name, create_query FROM system.named_collections WHERE source = 'SQL'",
  )
  return rows.map((row) => ({ kind: 'access', name: row.name, engine: '', statement: row.create_query }))
}

/** What comes from users.xml and its like, keyed by kind and name. */
const CONFIGURED = [
  ['user', 'users', 'name'],
  ['role', 'roles', 'name'],
  ['settings profile', 'settings_profiles', 'name'],
  ['quota', 'quotas', 'name'],
  ['row policy', 'row_policies', "concat(short_name, ' ', database, ' ', table)"],
]
  .map(
    ([kind, table, name]) =>
      `SELECT concat('${kind} ', ${name}) AS key FROM system.${table} WHERE storage = 'users_xml'`,
  )
  .join(' UNION ALL ')

/** True when everything that the statement makes stands in the configuration. */
function isConfigured(statement: string, configured: ReadonlySet<string>): boolean {
  const { node } = parseStatement(statement)
  // A user's statement is shown without its secret, which is not a form that can be run, nor always be parsed.
  if (node.kind === 'unparsed') return startsWithUser(statement, configured)
  const keys = keysOf(node)
  return keys.length > 0 && keys.every((key) => configured.has(key))
}

function startsWithUser(statement: string, configured: ReadonlySet<string>): boolean {
  for (const key of configured) {
    if (!key.startsWith(USER)) continue
    if (statement.startsWith(`CREATE USER ${quoteIdentifierIfNeeded(key.slice(USER.length))} `)) return true
  }
  return false
}

const USER = 'user '

function keysOf(node: Statement): string[] {
  switch (node.kind) {
    case 'user':
      return node.names.map(({ name }) => `${USER}${String(name)}`)
    case 'role':
      return node.names.map(({ name }) => `role ${String(name)}`)
    case 'settingsProfile':
      return node.names.map((name) => `settings profile ${name}`)
    case 'quota':
      return node.names.map((name) => `quota ${name}`)
    case 'rowPolicy':
      return node.targets.flatMap(({ policies, tables }) =>
        policies.flatMap((policy) => tables.map((t) => `row policy ${policy} ${t.database ?? ''} ${t.name ?? ''}`)),
      )
    case 'grant':
      return (node.grantees?.names ?? []).map(({ name }) => `${USER}${String(name)}`)
    default:
      return []
  }
}
