/**
 * Stable, snake_case names of everything that can go wrong. They are contract: CI jobs and scripts match on them,
 * docs/errors.md lists them, and a test holds that page to this table.
 */
export type ErrorCode = keyof typeof EXIT_CODES

/**
 * The exit code of each error code. 1: the command failed; 2: usage or configuration; 3: destructive operations
 * blocked; 4: another run holds the migration lock; 130: interrupted. Source: docs/errors.md.
 */
export const EXIT_CODES = {
  // usage
  unknown_command: 2,
  unknown_flag: 2,
  missing_flag_value: 2,
  invalid_flag_value: 2,
  unexpected_argument: 2,
  invalid_table_selector: 2,
  // configuration
  config_not_found: 2,
  config_syntax_error: 2,
  config_load_failed: 2,
  config_invalid: 2,
  config_required: 2,
  secret_missing: 2,
  // plugins
  plugin_not_found: 2,
  plugin_invalid: 2,
  plugin_incompatible: 2,
  plugin_duplicate: 2,
  plugin_option_invalid: 2,
  plugin_flag_conflict: 2,
  plugin_command_conflict: 2,
  plugin_unknown: 2,
  plugin_not_configured: 2,
  no_plugins_configured: 1,
  plugin_failed: 1,
  // schema files and snapshots
  schema_not_found: 1,
  schema_syntax_error: 1,
  schema_load_failed: 1,
  schema_empty: 1,
  validation_failed: 1,
  rename_conflict: 2,
  rename_invalid: 2,
  rebuild_required: 1,
  plan_refused: 1,
  history_exists: 1,
  snapshot_not_found: 1,
  snapshot_corrupt: 1,
  snapshot_version_unsupported: 1,
  snapshot_branches: 1,
  // migrations and journal
  migration_not_found: 1,
  migration_invalid: 1,
  migration_empty: 1,
  migration_id_conflict: 1,
  migration_renamed: 1,
  checksum_mismatch: 1,
  out_of_order_migration: 1,
  destructive_blocked: 3,
  migration_failed: 1,
  migration_unsettled: 1,
  migration_edited: 1,
  journal_corrupt: 1,
  journal_version_unsupported: 1,
  lock_held: 4,
  lock_lost: 4,
  // long copies in chunks
  plan_not_found: 1,
  plan_mismatch: 1,
  window_invalid: 2,
  choice_required: 2,
  guarantee_missing: 1,
  overlapping_run: 1,
  run_incomplete: 1,
  run_cancelled: 1,
  state_corrupt: 1,
  // connection and server
  connection_required: 1,
  connection_refused: 1,
  connection_host_unknown: 1,
  connection_timeout: 1,
  connection_tls_failed: 1,
  connection_reset: 1,
  connection_not_clickhouse: 1,
  connection_proxy_error: 1,
  authentication_failed: 1,
  access_denied: 1,
  database_not_found: 1,
  server_too_old: 1,
  server_error: 1,
  embedded_engine_missing: 1,
  embedded_engine_busy: 1,
  // files
  file_unreadable: 1,
  file_unwritable: 1,
  file_not_utf8: 1,
  disk_full: 1,
  file_not_generated: 1,
  file_exists: 1,
  // other
  check_failed: 1,
  unsupported_type: 1,
  sql_unparsable: 1,
  interrupted: 130,
  internal_error: 1,
} as const

/** Everything an error carries besides its message. */
export type ErrorFacts = {
  /** What to do next, often the line to type. */
  readonly hint?: string
  /** Typed facts for JSON output: plain data, no secrets. */
  readonly details?: Readonly<Record<string, unknown>>
  /** True when the same command may succeed later with nothing changed (a network failure, a held lock). */
  readonly retriable?: boolean
  readonly cause?: unknown
}

/**
 * The one error class. `message` is a sentence that names the things involved; `code` is stable. Dispatch alone
 * catches it, prints it and picks the exit code.
 */
export class ChkitError extends Error {
  readonly code: ErrorCode
  readonly hint: string | undefined
  readonly details: Readonly<Record<string, unknown>>
  readonly retriable: boolean

  constructor(code: ErrorCode, message: string, facts: ErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause })
    this.name = 'ChkitError'
    this.code = code
    this.hint = facts.hint
    this.details = facts.details ?? {}
    this.retriable = facts.retriable ?? false
  }

  /** The process exit code that belongs to `code`. */
  get exitCode(): number {
    return EXIT_CODES[this.code]
  }
}

/** `value` itself when it is a ChkitError, otherwise an `internal_error` that keeps it as its cause. Never throws. */
export function toChkitError(value: unknown): ChkitError {
  if (value instanceof ChkitError) return value
  return new ChkitError('internal_error', messageOf(value), { cause: value })
}

/** The message of anything that was thrown, without its stack. Plain objects are told by their message, or as JSON. Never throws. */
export function messageOf(value: unknown): string {
  if (value instanceof Error) return value.message || value.name
  if (typeof value !== 'object' || value === null) return String(value)
  try {
    const message = 'message' in value ? value.message : undefined
    if (typeof message === 'string' && message !== '') return message
    return JSON.stringify(value) ?? 'an object without a message'
  } catch {
    // A getter or a toJSON of its own that fails, or a cycle.
    return 'an object without a message'
  }
}

/** Fails to compile when a union has a member that the switch before it does not handle. */
export function assertNever(value: never, what: string): never {
  throw new ChkitError('internal_error', `Unhandled ${what}: ${JSON.stringify(value)}.`)
}
