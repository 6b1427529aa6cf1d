import { ChkitError } from '../errors.js'
import { quoteString } from '../sql/quote.js'
import type { ServerInfo } from './executor.js'
import { SYSTEM_TABLES } from './features.js'

/** What one request tells about a connection before anything else is sent. */
export type ServerState = {
  readonly info: ServerInfo
  /** Whether the configured database exists; only then may requests name it as the current one. */
  readonly databaseExists: boolean
}

/**
 * The oldest server that chkit works with. 18.16 is what Debian still ships and what the tests run against: it has
 * `system.tables.create_table_query`, `sorting_key` and `wait_end_of_query`, without which nothing can be compared.
 */
export const OLDEST_SERVER = { major: 18, minor: 16 } as const

/** The one question of a new connection. Needs no settings and no function younger than 18.16. */
export function stateQuery(database: string): string {
  return (
    'SELECT version() AS version, timezone() AS timezone, hostName() AS host_name, ' +
    "(SELECT value FROM system.settings WHERE name = 'readonly') AS readonly, " +
    `(SELECT count() FROM system.databases WHERE name = ${quoteString(database)}) AS database_exists, ` +
    "(SELECT groupArray(concat(table, '.', name)) FROM system.columns WHERE database = 'system' " +
    `AND table IN (${SYSTEM_TABLES.map(quoteString).join(', ')})) AS system_columns`
  )
}

/** What is left of `stateQuery` for an account that may read no system table at all. */
export const BARE_STATE_QUERY = 'SELECT version() AS version, timezone() AS timezone, hostName() AS host_name'

/** Reads the answer to `stateQuery`, or to `BARE_STATE_QUERY`, where the database is taken to exist. Throws `server_too_old`. */
export function readState(row: Readonly<Record<string, unknown>>, target: string): ServerState {
  const version = String(row.version)
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10))
  if (major < OLDEST_SERVER.major || (major === OLDEST_SERVER.major && minor < OLDEST_SERVER.minor)) {
    const oldest = `${OLDEST_SERVER.major}.${OLDEST_SERVER.minor}`
    throw new ChkitError('server_too_old', `${target} runs ClickHouse ${version}; chkit needs ${oldest} or newer.`, {
      hint: `Upgrade the server; ${oldest} is the oldest whose system tables show what chkit compares.`,
      details: { version, oldest },
    })
  }
  const readonly = Number(row.readonly ?? 0)
  const databaseExists = row.database_exists === undefined || Number(row.database_exists) > 0
  return {
    info: {
      version,
      major,
      minor,
      timezone: String(row.timezone),
      hostName: String(row.host_name),
      readonly: readonly === 1 || readonly === 2 ? readonly : 0,
      databaseExists,
      systemColumns: new Set(Array.isArray(row.system_columns) ? row.system_columns.map(String) : []),
    },
    databaseExists,
  }
}
