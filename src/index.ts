/**
 * The public API: what schema files, configs and plugins import from `chkit`. Nothing here reads a file, opens a
 * connection or knows the command line.
 */

export type { Executor, QueryOptions, ServerInfo } from './clickhouse/executor.js'
export {
  type CheckPolicy,
  type ClickHouseConfig,
  type ConfigEnvironment,
  type ConfigFunction,
  defineConfig,
  type JournalConfig,
  type PluginEntry,
  type ResolvedConfig,
  type TlsOptions,
  type UserConfig,
} from './config/config.js'
export type { Change } from './diff/change.js'
export { ChkitError, type ErrorCode, type ErrorFacts } from './errors.js'
export type { Baseline, BaselineOptions } from './migration/baseline.js'
export type { DeclaredObject } from './model/declarations.js'
export type * from './model/definition.js'
export { isDatabaseObject, objectKey, objectName } from './model/definition.js'
export * from './model/dsl.js'
export type * from './model/infer.js'
export type { Plan, Refusal, Risk, Statement, Step } from './plan/step.js'
export type {
  Effect,
  FlagDef,
  Flags,
  InferFlags,
  Progress,
  Prompt,
  Style,
  TableScope,
  ValueIssue,
  ValueResult,
  ValueSchema,
} from './plugin-host/command.js'
export {
  type CheckFinding,
  type CheckResult,
  type CommandExtension,
  defineFlags,
  definePlugin,
  type FindingSeverity,
  flagsOf,
  type HookName,
  type IntrospectOptions,
  type LiveSchema,
  type LockHolder,
  type LockRequest,
  type Plugin,
  type PluginCommand,
  type PluginCommandContext,
  type PluginCommandResult,
  type PluginContext,
  type PluginHooks,
  type PluginLock,
  type PluginManifest,
} from './plugin-host/plugin.js'
/** SQL for plugins that read or write it: quoting, and trees between `parse...` and `print...`. */
export type { Query as SqlQuery, SqlNode } from './sql/ast.js'
export type { CreateTable as SqlCreateTable, Statement as SqlStatement } from './sql/ast-ddl.js'
export { type Parsed, parseSelectText } from './sql/parse.js'
export { printExpression, printSelect } from './sql/print.js'
export { quoteIdentifier, quoteQualified, quoteString } from './sql/quote.js'
export { parseStatement, printStatement } from './sql/statement.js'
export { type SqlToken, sqlTokens } from './sql/tokens.js'
export { mapNode, walk } from './sql/walk.js'
