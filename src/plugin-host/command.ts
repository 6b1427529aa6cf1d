import type { ZodType } from 'zod'
import type { Executor } from '../clickhouse/executor.js'
import type { ResolvedConfig } from '../config/config.js'

/**
 * What a command is: a plain object. Core commands and plugin commands are the same thing; dispatch, help, completion
 * and the docs read these objects and nothing else.
 */

/** What a command touches: nothing, project files, or the database. */
export type Effect = 'read' | 'files' | 'database'

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
  /** Validates and converts the value; its output is what the handler sees. Loaded on use only. */
  readonly schema?: ZodType
}

export type FlagValue = unknown

/** Parsed flags, keyed by bare name; absent flags are absent. */
export type Flags = Readonly<Record<string, FlagValue>>

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
  /** False in CI and where stdin or stdout is no TTY. */
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

/** What every handler gets. The streams, the clock and the environment are values here, so that tests supply them. */
export type CommandContext = {
  readonly command: string
  readonly flags: Flags
  /** Positional arguments. */
  readonly args: readonly string[]
  readonly jsonMode: boolean
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Milliseconds since 1970, UTC. */
  readonly now: () => number
  readonly style: Style
  readonly prompt: Prompt
  /** A line to stderr (stdout belongs to the result). */
  readonly note: (line: string) => void
  /** A warning to stderr; also collected into the JSON document's `warnings`. */
  readonly warn: (line: string) => void
  readonly progress: (text: string) => Progress
  /** Throws `config_not_found` and the like when there is none. */
  readonly config: ResolvedConfig
  /** Opens the connection on first use; throws `connection_required` when none is configured. Closed by dispatch. */
  readonly connection: () => Promise<Executor>
  /** Aborted on SIGINT and SIGTERM. */
  readonly signal: AbortSignal
}

export type CommandDef<Context = CommandContext> = {
  readonly name: string
  /** One line. */
  readonly description: string
  readonly effect: Effect
  readonly flags?: readonly FlagDef[]
  /** Shown in the usage line, `[<plugin> [<command> ...]]`; undefined means that stray arguments are refused. */
  readonly arguments?: string
  /** Longer help, below the flags. */
  readonly details?: string
  /** Lines for help and docs. */
  readonly examples?: readonly { readonly line: string; readonly description: string }[]
  readonly run: (context: Context) => Promise<CommandResult | number | undefined>
}
