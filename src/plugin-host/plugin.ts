import type { Executor } from '../clickhouse/executor.js'
import type { ResolvedConfig } from '../config/config.js'
import type { Baseline, BaselineOptions } from '../migration/baseline.js'
import type { Holder } from '../migration/lock.js'
import type { DeclaredObject } from '../model/declarations.js'
import type { Definition } from '../model/definition.js'
import type { Declaration } from '../model/dsl.js'
import type { Plan } from '../plan/step.js'
import type { Effect, FlagDef, Flags, InferFlags, Progress, Prompt, Style, TableScope, ValueSchema } from './command.js'

/**
 * The plugin contract, version 1. A plugin is a plain object; a hook maps value to value, and the host validates what
 * comes back. Official plugins use nothing that is not here.
 */

export type PluginManifest = {
  /** Not empty; also what `chkit <name>` and `config.plugins[].name` say. */
  readonly name: string
  readonly apiVersion: 1
  readonly version?: string
  /** Major versions of chkit it works with, both ends included. */
  readonly compatibility?: { readonly cli?: { readonly minMajor?: number; readonly maxMajor?: number } }
}

export type IntrospectOptions = {
  /** Only the objects of these databases; default all but the server's own. */
  readonly databases?: readonly string[]
  /** Also users, roles, grants, policies, quotas, profiles and named collections. */
  readonly access?: boolean
}

/** What lives on the server. chkit's own tables, inner tables and the server's own databases are not in it. */
export type LiveSchema = {
  /** Canonical definitions with the declarations that make them, sorted by `objectKey`; last what only `raw` can hold. */
  readonly objects: readonly DeclaredObject[]
  /** What nothing can be declared for, because the server shows no statement or it belongs to another system. */
  readonly skipped: readonly { readonly object: string; readonly reason: string }[]
  /** Groups of objects that the account may not see, and the server's answer. */
  readonly unseen: readonly { readonly object: string; readonly reason: string }[]
}

/** A lock on the server that a plugin asks for. */
export type LockRequest = {
  /** Where the lock's tables lie while it is held, unquoted; must exist. */
  readonly database: string
  /** Of the lock, and the beginning of its tables' names; `_chkit_` at its start keeps them out of drift and pull. */
  readonly name: string
  /** Who takes it, for those who wait: letters, digits and dashes. */
  readonly holder: string
  /** What messages call it: `the backfill lock of app.events`. */
  readonly text: string
}

/** A lock that is held. */
export type PluginLock = {
  /** Asked right before each statement. Throws `lock_lost` when the lease has run out or another run holds it. */
  assertHeld(): Promise<void>
  release(): Promise<void>
}

/** Who holds a lock: `owner` is the request's `holder` with a random part, `expiresInMs` by the server's clock. */
export type LockHolder = Holder

/** What every hook and every plugin command gets. */
export type PluginContext<Options = unknown> = {
  /** The command under way, `generate` or `backfill plan`. */
  readonly command: string
  readonly config: ResolvedConfig
  /** All parsed flags by bare name: global, the command's own, and those that plugins added. */
  readonly flags: Flags
  /** What `--table` selected. Before the command has resolved the selector, `matchedTables` is empty. */
  readonly tableScope: TableScope
  /** The plugin's options, as its own schema returned them. */
  readonly options: Options
  readonly jsonMode: boolean
  /** Prints a value or a line: on stdout in text mode, on stderr with `--json`. */
  readonly print: (value: unknown) => void
  /** A warning on stderr, and in the document's `warnings`. */
  readonly warn: (line: string) => void
  readonly progress: (text: string) => Progress
  readonly prompt: Prompt
  readonly style: Style
  /** Opens the connection on first use; throws `connection_required` where none is configured. chkit closes it. */
  readonly connection: () => Promise<Executor>
  /** The canonical definitions of the schema files, `onSchemaLoaded` of every plugin applied; loaded on first use. */
  readonly schema: () => Promise<readonly Definition[]>
  /**
   * Reads the live database: three queries whatever the number of objects, three more with `access`. Every declaration
   * has been read back: it makes its object exactly, or it is `raw` and `fallback` says why. Creates nothing.
   */
  readonly introspect: (options?: IntrospectOptions) => Promise<LiveSchema>
  /**
   * Takes declarations, as `table(..)` returns them, for the state of the database: writes a migration that would create them with its
   * snapshot, and marks it as applied without executing it. Throws `history_exists` unless `force`, `plan_refused`,
   * `validation_failed`.
   */
  readonly baseline: (
    definitions: readonly (Definition | Declaration)[],
    options?: BaselineOptions,
  ) => Promise<Baseline>
  /**
   * Takes a lock that every machine sees, renewed while it is held, free 30 s after its holder died at the latest. Throws
   * `lock_held`, naming a holder that is alive; one that is not is waited for. On the embedded engine and on servers
   * before 21 nothing is taken.
   */
  readonly lock: (request: LockRequest) => Promise<PluginLock>
  /** Who holds a lock now; undefined when nobody does. */
  readonly lockHolder: (request: Pick<LockRequest, 'database' | 'name'>) => Promise<LockHolder | undefined>
  /** The text with every known secret replaced. */
  readonly redact: (text: string) => string
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Milliseconds since 1970, UTC. */
  readonly now: () => number
  /** Aborted on SIGINT and SIGTERM. */
  readonly signal: AbortSignal
}

/** What a command of a plugin gets. */
export type PluginCommandContext<Options = unknown> = PluginContext<Options> & { readonly args: readonly string[] }

/**
 * What a plugin command may return: an exit code (nothing means 0), or the fields of its JSON document with lines for
 * people, as the core's commands do.
 */
export type PluginCommandResult =
  | number
  // biome-ignore lint/suspicious/noConfusingVoidType: a handler may simply end.
  | void
  | {
      readonly exitCode?: number
      readonly payload?: Readonly<Record<string, unknown>>
      readonly text?: string
    }

export type PluginCommand<Options = unknown> = {
  readonly name: string
  readonly description: string
  readonly effect: Effect
  /** True: `chkit <plugin>` alone runs it. At most one per plugin; a command named like its plugin needs none. */
  readonly default?: boolean
  readonly flags?: readonly FlagDef[]
  /** Shown in the usage line; undefined means that stray arguments are refused. */
  readonly arguments?: string
  readonly details?: string
  readonly examples?: readonly { readonly line: string; readonly description: string }[]
  run(context: PluginCommandContext<Options>): Promise<PluginCommandResult> | PluginCommandResult
}

/** Flags that a plugin adds to core commands; they arrive parsed in `context.flags`. */
export type CommandExtension = {
  readonly command: string | readonly string[]
  readonly flags: readonly FlagDef[]
}

export type FindingSeverity = 'info' | 'warn' | 'error'

export type CheckFinding = {
  /** Stable, snake_case. */
  readonly code: string
  readonly message: string
  /** `error` fails the check. */
  readonly severity: FindingSeverity
  readonly metadata?: Readonly<Record<string, unknown>>
}

/** What a plugin's `onCheck` found. */
export type CheckResult = {
  readonly plugin: string
  /** False where nothing could be checked, for example without a connection. */
  readonly evaluated: boolean
  readonly ok: boolean
  readonly findings: readonly CheckFinding[]
  readonly metadata?: Readonly<Record<string, unknown>>
}

type Awaitable<T> = T | Promise<T>
// biome-ignore lint/suspicious/noConfusingVoidType: a hook that returns nothing leaves the value as it is.
type Unchanged = void | undefined | null

/** Called in registration order; each one sees what the one before returned. Returning nothing changes nothing. */
export type PluginHooks<Options = unknown> = {
  onInit?(context: PluginContext<Options>): Awaitable<void>
  onConfigLoaded?(context: PluginContext<Options>): Awaitable<void>
  /** May return definitions, canonical or straight from `table(...)`; they are canonicalised and validated again. */
  onSchemaLoaded?(
    context: PluginContext<Options> & { readonly definitions: readonly Definition[] },
  ): Awaitable<readonly unknown[] | { readonly definitions: readonly unknown[] } | Unchanged>
  /** May return a plan. Throwing stops the command before anything is written. */
  onPlanCreated?(
    context: PluginContext<Options> & { readonly plan: Plan; readonly definitions: readonly Definition[] },
  ): Awaitable<Plan | { readonly plan: Plan } | Unchanged>
  /** May return the statements to run instead, each without its semicolon. */
  onBeforeApply?(
    context: PluginContext<Options> & { readonly migration: string; readonly statements: readonly string[] },
  ): Awaitable<readonly string[] | { readonly statements?: readonly string[] } | Unchanged>
  onAfterApply?(
    context: PluginContext<Options> & {
      readonly migration: string
      readonly statements: readonly string[]
      /** ISO 8601, UTC. */
      readonly appliedAt: string
    },
  ): Awaitable<void>
  onCheck?(context: PluginContext<Options>): Awaitable<CheckResult | Unchanged>
  /** Told this plugin's own result in text mode, after the report's summary; prints through `context.print`. */
  onCheckReport?(context: PluginContext<Options> & { readonly result: CheckResult }): Awaitable<void>
  /** Told the exit code, also after a failure. */
  onComplete?(context: PluginContext<Options> & { readonly exitCode: number }): Awaitable<void>
}

export type HookName = keyof PluginHooks

export type Plugin<Options = unknown> = {
  readonly manifest: PluginManifest
  /** Checks and converts the options of the config entry; undefined options arrive as `{}`. Usually a zod object. */
  readonly options?: ValueSchema<Options>
  readonly hooks?: PluginHooks<Options>
  readonly commands?: readonly PluginCommand<Options>[]
  readonly extendCommands?: readonly CommandExtension[]
}

/** Gives back the plugin, with its options typed from its schema. Checks nothing: the host does, when it loads it. */
export function definePlugin<Options = unknown>(plugin: Plugin<Options>): Plugin<Options> {
  return plugin
}

/** Gives back the flags with their literal types, so that `InferFlags<typeof flags>` knows each value. */
export function defineFlags<const Defs extends readonly FlagDef[]>(flags: Defs): Defs {
  return flags
}

/** The parsed values of `defs` out of all flags of a run, typed. */
export function flagsOf<const Defs extends readonly FlagDef[]>(flags: Flags, defs: Defs): InferFlags<Defs> {
  const own: Record<string, unknown> = {}
  for (const { name } of defs) if (flags[name] !== undefined) own[name] = flags[name]
  return own as InferFlags<Defs>
}

/** One migration about to run, or that ran. Statements carry no trailing semicolon. */
export type MigrationFacts = { readonly migration: string; readonly statements: readonly string[] }

/**
 * The hooks of all configured plugins as core commands call them, in registration order. Every method throws
 * `Plugin "<name>" failed in <hook>: <message>` (`plugin_failed`, or the code of the ChkitError it wraps).
 */
export type PluginRuntime = {
  /** Names in registration order. */
  readonly names: readonly string[]
  /** Tells later hooks what `--table` selected, once the command has resolved it. */
  setTableScope(scope: TableScope): void
  /** Definitions in canonical form, sorted; validated again when a plugin changed them. */
  onSchemaLoaded(definitions: readonly Definition[]): Promise<readonly Definition[]>
  onPlanCreated(plan: Plan, definitions: readonly Definition[]): Promise<Plan>
  /** The statements to run. */
  onBeforeApply(facts: MigrationFacts): Promise<readonly string[]>
  onAfterApply(facts: MigrationFacts & { readonly appliedAt: string }): Promise<void>
  /** One result per plugin that has the hook and returned one. */
  onCheck(): Promise<readonly CheckResult[]>
  onCheckReport(results: readonly CheckResult[]): Promise<void>
}
