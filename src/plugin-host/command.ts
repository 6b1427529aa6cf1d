import type { Executor } from '../clickhouse/executor.js'
import type { ResolvedConfig } from '../config/config.js'
import type { PluginRuntime } from './plugin.js'

/**
 * What a command is: a plain object. Core commands and plugin commands are the same thing; dispatch, help, completion
 * and the docs read these objects and nothing else.
 */

/** What a command touches: nothing, project files, or the database. */
export type Effect = 'read' | 'files' | 'database'

/**
 * A schema for one value: any Standard Schema (https://standardschema.dev), which every zod schema is. The core's own
 * flags implement it by hand, so that starting chkit loads no validation library.
 */
export type ValueSchema<Output = unknown> = {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => ValueResult<Output> | Promise<ValueResult<Output>>
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined
  }
}

/** What a schema says of a value: the converted value, or everything that is wrong with it. */
export type ValueResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly ValueIssue[] }

/** One thing that is wrong; `path` leads to it from the value's root. */
export type ValueIssue = {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

export type FlagDef = {
  /** Bare name, `allow-destructive`; spelled `--allow-destructive` on the command line and keyed so in `flags`. */
  readonly name: string
  readonly type: 'boolean' | 'string' | 'string[]'
  /** One line for help and docs. */
  readonly description: string
  /** Stands for the value in help, `<id>`. */
  readonly placeholder?: string
  /** Booleans only: `--no-<name>` is accepted and yields false. */
  readonly negation?: boolean
  readonly choices?: readonly string[]
  /** Other spelling that means the same flag, bare (`execute` for `apply`). */
  readonly aliases?: readonly string[]
  /** Validates and converts the value (of `string[]`, the whole list); its output is what the handler sees. */
  readonly schema?: ValueSchema
}

export type FlagValue = unknown

/** Parsed flags, keyed by bare name; absent flags are absent. */
export type Flags = Readonly<Record<string, FlagValue>>

type OutputOf<Schema> = Schema extends ValueSchema<infer Output> ? Output : never

type ValueOf<Flag extends FlagDef> = Flag extends { readonly schema: infer Schema }
  ? OutputOf<Schema>
  : Flag extends { readonly type: 'boolean' }
    ? boolean
    : Flag extends { readonly choices: readonly (infer Choice)[] }
      ? Flag extends { readonly type: 'string[]' }
        ? readonly Choice[]
        : Choice
      : Flag extends { readonly type: 'string[]' }
        ? readonly string[]
        : string

/** The parsed form of a list of flag definitions: each flag's value by its bare name, undefined where it was not given. */
export type InferFlags<Defs extends readonly FlagDef[]> = {
  readonly [Flag in Defs[number] as Flag['name']]?: ValueOf<Flag>
}

/** The objects that `--table` selected. */
export type TableScope = {
  readonly enabled: boolean
  readonly selector?: string
  /** `db.table`, sorted. */
  readonly matchedTables: readonly string[]
  readonly matchCount: number
}

/** Shows that something lasting goes on: a spinner on a TTY, a line now and then elsewhere, always on stderr. */
export type Progress = {
  /** Replaces the line shown now. */
  update(text: string): void
  /** Ends with a line that stays; undefined removes it. */
  done(text?: string): void
}

/** Questions to a person; every one rejects on a non-interactive run instead of waiting. Injected, so that tests answer. */
export type Prompt = {
  /** False in CI, with `--json`, and where stdin or stdout is no TTY. */
  readonly interactive: boolean
  confirm(question: string): Promise<boolean>
  /** True only when the answer is exactly `expected`. */
  typed(question: string, expected: string): Promise<boolean>
  select<T>(
    question: string,
    choices: readonly { readonly value: T; readonly label: string; readonly hint?: string }[],
  ): Promise<T>
}

/** Colours that vanish where the stream takes none. */
export type Style = {
  bold(text: string): string
  dim(text: string): string
  red(text: string): string
  green(text: string): string
  yellow(text: string): string
  cyan(text: string): string
}

/** What a handler returns: data for `--json` and lines for people; `output` decides which is shown. */
export type CommandResult = {
  /** Default 0; the JSON document's `ok` is `exitCode === 0` unless the payload says otherwise. */
  readonly exitCode?: number
  /** The fields of the JSON document besides `command`, `schemaVersion` and `ok`. */
  readonly payload: Readonly<Record<string, unknown>>
  /** Lines for stdout in text mode, no trailing newline; may be empty. */
  readonly text: string
}

/** One schema file: its absolute path and everything it exports, `default` included. */
export type SchemaFile = { readonly file: string; readonly exports: Readonly<Record<string, unknown>> }

/** What every handler gets. The streams, the clock and the environment are values here, so that tests supply them. */
export type CommandContext = {
  /** The command's full name, as its document says (`generate`, `backfill plan`). */
  readonly command: string
  readonly flags: Flags
  /** Positional arguments. */
  readonly args: readonly string[]
  readonly jsonMode: boolean
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Milliseconds since 1970, UTC. */
  readonly now: () => number
  /** The running chkit's version, `1.2.3`. */
  readonly version: string
  /** For text on stdout. */
  readonly style: Style
  /** Characters per line of stdout; undefined where it is no terminal. */
  readonly width: number | undefined
  readonly prompt: Prompt
  /** A line to stderr (stdout belongs to the result). */
  readonly note: (line: string) => void
  /** A warning to stderr; also collected into the JSON document's `warnings`. */
  readonly warn: (line: string) => void
  readonly progress: (text: string) => Progress
  /** Throws `config_not_found` and the like when there is none. */
  readonly config: ResolvedConfig
  /** Loads the schema files in order of their paths, each once; throws `schema_not_found` and the schema_* codes. */
  readonly schemaFiles: () => Promise<readonly SchemaFile[]>
  /** Opens the connection on first use; throws `connection_required` when none is configured. Closed by dispatch. */
  readonly connection: () => Promise<Executor>
  /** The configured plugins: their hooks, in registration order. Without plugins every hook gives back what it got. */
  readonly plugins: PluginRuntime
  /** Every command there is, for help, completion and `plugin`. */
  readonly registry: Registry
  /** The text with every known secret (password, URL credentials, their encoded forms) replaced. For files and journals. */
  readonly redact: (text: string) => string
  /** Makes `redact`, and all that is printed, hide one more secret. */
  readonly hide: (secret: string) => void
  /** Aborted on SIGINT and SIGTERM. */
  readonly signal: AbortSignal
}

export type CommandDef<Context = CommandContext> = {
  readonly name: string
  /** One line. */
  readonly description: string
  readonly effect: Effect
  /** Whether a config is loaded first; default `required`. `optional`: loaded where there is one. */
  readonly config?: 'required' | 'optional' | 'none'
  readonly flags?: readonly FlagDef[]
  /** Shown in the usage line, `[<plugin> [<command> ...]]`; undefined means that stray arguments are refused. */
  readonly arguments?: string
  /** The values that the first positional argument can take, for completion. */
  readonly argumentChoices?: readonly string[]
  /** Longer help, below the flags. */
  readonly details?: string
  /** Lines for help and docs. */
  readonly examples?: readonly { readonly line: string; readonly description: string }[]
  readonly run: (context: Context) => Promise<CommandResult | number | undefined>
}

/** A command as the registry holds it: a core command, or a plugin's with the words that call it. */
export type RegisteredCommand = {
  /** The words that call it, joined by one space: `generate`, `backfill plan`. */
  readonly name: string
  /** Other words that call it (`pull` for `pull schema`). */
  readonly aliases: readonly string[]
  /** The plugin it comes from; undefined for core commands. */
  readonly plugin?: string
  readonly description: string
  readonly effect: Effect
  readonly config: 'required' | 'optional' | 'none'
  readonly arguments?: string
  readonly argumentChoices?: readonly string[]
  readonly details?: string
  readonly examples: readonly { readonly line: string; readonly description: string }[]
  /** Its own flags, then those that plugins added; the global ones are `Registry.globalFlags`. */
  readonly flags: readonly RegisteredFlag[]
  readonly run: (context: CommandContext) => Promise<CommandResult | number | undefined>
}

/** A flag and the plugin that added it to a command of the core. */
export type RegisteredFlag = FlagDef & { readonly addedBy?: string }

/** The one list of commands that dispatch, help, completion and the docs read. */
export type Registry = {
  readonly commands: readonly RegisteredCommand[]
  readonly globalFlags: readonly FlagDef[]
}
