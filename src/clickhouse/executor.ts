/**
 * The seam between chkit and an engine. Two implementations exist: HTTP(S) through `@clickhouse/client`, and the
 * embedded engine through `chdb`. Tests put an engine behind it, never a mock of one.
 */

/** Values of query settings; booleans are sent as 1 and 0. */
export type QuerySettings = Readonly<Record<string, string | number | boolean>>

/** Longer statements need `max_query_size` raised (the server's default is 262,144 bytes); a character has up to 4 bytes. */
const LONG_STATEMENT = 60_000

/** The settings that a statement of this length needs to be read at all; none for usual lengths. */
export function sizeSettings(statement: string): QuerySettings {
  return statement.length > LONG_STATEMENT ? { max_query_size: 4 * statement.length + 1_000 } : {}
}

/** A session of the server's HTTP interface. Only one statement at a time may use it, and only the node that has it knows it. */
export type QuerySession = {
  readonly id: string
  /** Seconds after its last statement at which it ends. */
  readonly timeoutS: number
  /** Refused with SESSION_NOT_FOUND when there is none of this id; otherwise it is made. */
  readonly mustExist?: true
}

export type QueryOptions = {
  /** Server-side bound parameters of `{name:Type}` placeholders; servers before 19.14 get them as literals in the text. */
  readonly params?: Readonly<Record<string, unknown>>
  /** Query settings for this statement only. Not sent for accounts with `readonly = 1`, which the server would refuse. */
  readonly settings?: QuerySettings
  /** The statement's id on the server; the executor makes one when it is missing. */
  readonly queryId?: string
  /** Stops waiting with `interrupted`; the statement may still run on the server. */
  readonly signal?: AbortSignal
  /** Milliseconds until the client gives up; undefined means the connection's own limit, 0 none. */
  readonly timeoutMs?: number
  /** Ignored by the embedded engine. */
  readonly session?: QuerySession
  /** What stands in the statement and no error may show, however the server repeats it. */
  readonly secrets?: readonly string[]
}

export type CommandResult = {
  readonly queryId: string
  /** From the server's summary where it sends one. */
  readonly writtenRows?: number
  readonly writtenBytes?: number
}

export type ServerInfo = {
  /** Text of `version()`, for example `26.7.2.1`. */
  readonly version: string
  readonly major: number
  readonly minor: number
  readonly timezone: string
  readonly hostName: string
  /** The account's `readonly` setting: 1 may neither write nor change settings, 2 may change settings. */
  readonly readonly: 0 | 1 | 2
  /** Whether the configured database was there, and visible to the account, when this was asked. */
  readonly databaseExists: boolean
  /** `table.column` of those system tables whose columns differ between servers; ask with `hasSystemColumn`. */
  readonly systemColumns: ReadonlySet<string>
}

export type Executor = {
  readonly kind: 'http' | 'embedded'
  /** What messages call this connection: the URL without credentials, or `chdb:<path>`. */
  readonly target: string
  /** The configured database; may not exist yet. */
  readonly database: string
  /**
   * Rows as objects, for reads: a connection that was reset is tried a second time. 64-bit integers are numbers where
   * that is exact and strings where it is not, on every server. No FORMAT in `sql`. Sent without a current database
   * unless the configured one exists; qualify names. Throws ChkitError (connection codes, `server_error`).
   */
  query<Row>(sql: string, options?: QueryOptions): Promise<Row[]>
  /** Runs one statement to its end. Throws ChkitError; a server's refusal is a `ServerError`. */
  command(sql: string, options?: QueryOptions): Promise<CommandResult>
  /** Inserts rows as JSONEachRow; `table` is SQL text, quoted where needed, with a column list if wanted. */
  insert(
    table: string,
    rows: readonly Readonly<Record<string, unknown>>[],
    options?: QueryOptions,
  ): Promise<CommandResult>
  /** Asked once, then remembered. Over HTTP the first call of any method asks it, in one request that sends no settings. */
  server(): Promise<ServerInfo>
  /** Ends the connection; later calls throw. Safe to call twice. */
  close(): Promise<void>
}
