/**
 * The seam between chkit and an engine. Two implementations exist: HTTP(S) through `@clickhouse/client`, and the
 * embedded engine through `chdb`. Tests put an engine behind it, never a mock of one.
 */

export type QueryOptions = {
  /** Server-side bound parameters of `{name:Type}` placeholders. */
  readonly params?: Readonly<Record<string, unknown>>
  /** Query settings for this statement only. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>
  /** The statement's id on the server; the executor makes one when it is missing. */
  readonly queryId?: string
  readonly signal?: AbortSignal
  /** Milliseconds until the client gives up; undefined means the connection's own limit. */
  readonly timeoutMs?: number
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
}

export type Executor = {
  readonly kind: 'http' | 'embedded'
  /** What messages call this connection: the URL without credentials, or `chdb:<path>`. */
  readonly target: string
  /** The configured database; may not exist yet. */
  readonly database: string
  /** Rows as objects. Sent without a current database unless it exists; qualify names. Throws ChkitError (connection codes, `server_error`). */
  query<Row>(sql: string, options?: QueryOptions): Promise<Row[]>
  /** Runs one statement to its end. Throws ChkitError; a server's refusal is a `ServerError`. */
  command(sql: string, options?: QueryOptions): Promise<CommandResult>
  insert(
    table: string,
    rows: readonly Readonly<Record<string, unknown>>[],
    options?: QueryOptions,
  ): Promise<CommandResult>
  /** Asked once, then remembered. */
  server(): Promise<ServerInfo>
  close(): Promise<void>
}
