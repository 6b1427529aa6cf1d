/** What `clickhouse.config.ts` exports, and what it resolves to. The zod schema in `schema.ts` validates it. */

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

/**
 * A path to a plugin's module, an entry with its options, or a plugin that needs none. The plugin host reads these; the
 * config only carries them.
 */
export type PluginEntry =
  | string
  | { readonly manifest: { readonly name: string } }
  | {
      /** Path of the plugin's module, from the config file's folder, or the name of an installed package. */
      readonly resolve: string
      /** Must equal the manifest's name. */
      readonly name?: string
      /** Default true. */
      readonly enabled?: boolean
      readonly options?: unknown
    }
  | {
      /** The plugin itself, as `definePlugin` made it. */
      readonly plugin: object
      readonly name?: string
      readonly enabled?: boolean
      readonly options?: unknown
    }

/** The object that a config file exports. Relative paths start at the config file's folder. */
export type UserConfig = {
  /** Glob patterns of the schema files. */
  readonly schema: string | readonly string[]
  /** Default `./chkit`. */
  readonly outDir?: string
  /** Default `<outDir>/migrations`. */
  readonly migrationsDir?: string
  /** Default `<outDir>/meta`. */
  readonly metaDir?: string
  readonly plugins?: readonly PluginEntry[]
  readonly clickhouse?: ClickHouseConfig & {
    /** Older spelling of `username`. */
    readonly user?: string
    /** Older way to say `https`: true turns an `http:` url into `https:`. */
    readonly secure?: boolean
  }
  /** All true by default. */
  readonly check?: Partial<CheckPolicy>
  readonly safety?: { readonly allowDestructive?: boolean }
  readonly journal?: Partial<JournalConfig>
}

/** What a config function is told. */
export type ConfigEnvironment = {
  /** The command under way, as typed: `generate`, `pull`; `help` when there is none. */
  readonly command: string
  /** `--mode`, else `CHKIT_MODE`, else `development`. */
  readonly mode: string
}

export type ConfigFunction = (environment: ConfigEnvironment) => UserConfig | Promise<UserConfig>

/** Gives back the config, typed; an object or a function, as it was given. */
export function defineConfig(config: UserConfig): UserConfig
export function defineConfig<Config extends ConfigFunction>(config: Config): Config
// Not one generic signature: of a type that is inferred, the compiler lets every misspelled key pass.
export function defineConfig(config: UserConfig | ConfigFunction): UserConfig | ConfigFunction {
  return config
}
