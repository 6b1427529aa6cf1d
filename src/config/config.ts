/** What `clickhouse.config.ts` exports, and what it resolves to. The zod schema beside this file validates it. */

export type TlsOptions = {
  /** Paths to PEM files, relative to the config file. */
  readonly caFile?: string
  readonly certFile?: string
  readonly keyFile?: string
  /** Default true; false accepts any certificate. */
  readonly rejectUnauthorized?: boolean
}

export type ClickHouseConfig = {
  /** `http(s)://host:port`, `chdb:./path` or `chdb::memory:`. */
  readonly url: string
  readonly username?: string
  readonly password?: string
  /** Default `default`. */
  readonly database?: string
  /** Rendered as ON CLUSTER where the database is not Replicated. */
  readonly cluster?: string
  readonly tls?: TlsOptions
  /** Milliseconds to connect and get a first answer; default 10,000. */
  readonly connectTimeoutMs?: number
  /** Milliseconds for one request; default 300,000. */
  readonly requestTimeoutMs?: number
  /** Query settings sent with every statement. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>
  /** Compress requests (gzip); default false. */
  readonly compression?: boolean
}

export type CheckPolicy = {
  readonly failOnPending: boolean
  readonly failOnChecksumMismatch: boolean
  readonly failOnDrift: boolean
}

export type JournalConfig = {
  /** `table` where a connection is configured, else `file`. */
  readonly store: 'table' | 'file'
  /** Name of the journal's table in the configured database; default `_chkit_migrations`. */
  readonly table: string
}

/** The configuration with defaults applied and every path absolute. */
export type ResolvedConfig = {
  /** Absolute path of the config file. */
  readonly file: string
  /** Folder of the config file; relative paths start here. */
  readonly root: string
  /** Glob patterns, absolute. */
  readonly schema: readonly string[]
  readonly outDir: string
  readonly migrationsDir: string
  readonly metaDir: string
  /** Opaque here; the plugin host reads them. */
  readonly plugins: readonly unknown[]
  readonly clickhouse?: ClickHouseConfig
  readonly check: CheckPolicy
  readonly safety: { readonly allowDestructive: boolean }
  readonly journal: JournalConfig
  readonly mode: string
}
