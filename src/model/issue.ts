import type { ObjectKind } from './definition.js'

/** Stable codes of what can be wrong with a schema. They are contract: payloads carry them, the README lists them. */
export type IssueCode =
  // what the files hold
  | 'invalid_definition'
  | 'missing_field'
  | 'invalid_field'
  | 'unknown_field'
  | 'conflicting_fields'
  | 'invalid_sql'
  | 'plain_secret'
  // names
  | 'duplicate_object_name'
  | 'duplicate_column_name'
  | 'duplicate_index_name'
  | 'duplicate_projection_name'
  | 'duplicate_constraint_name'
  | 'duplicate_rename_source'
  // tables
  | 'empty_columns'
  | 'order_by_missing'
  | 'order_by_not_supported'
  | 'order_by_missing_column'
  | 'primary_key_missing_column'
  | 'primary_key_not_prefix'
  | 'partition_by_missing_column'
  | 'sample_by_missing_column'
  | 'sample_by_not_in_primary_key'
  | 'unique_key_missing_column'
  | 'ttl_missing_column'
  | 'column_ttl_missing_column'
  | 'key_column_nullable'
  | 'key_column_type'
  | 'key_column_not_stored'
  | 'engine_missing_column'
  | 'index_missing_column'
  | 'projection_missing_column'
  | 'constraint_missing_column'
  | 'default_missing_column'
  | 'default_cycle'
  // views and dictionaries
  | 'materialized_view_target_missing_column'
  | 'source_missing_column'
  | 'dictionary_key_missing_column'
  | 'dictionary_range_missing_column'
  | 'dictionary_lifetime_missing'
  // graph
  | 'dependency_cycle'

/** One thing that is wrong with the schema; nothing is generated while there is one. */
export type Issue = {
  readonly code: IssueCode
  /** A sentence that names the object and the thing in it. */
  readonly message: string
  readonly kind?: ObjectKind
  readonly database?: string
  readonly name?: string
  readonly file?: string
  readonly line?: number
  /** What to do about it. */
  readonly hint?: string
}

/**
 * Something that chkit goes on with, but that its reader should know: a text that the parser did not follow, or a type
 * or engine that looks misspelt.
 */
export type ModelWarning = {
  readonly code: 'unparsed_sql' | 'unknown_name'
  readonly message: string
  readonly kind?: ObjectKind
  readonly database?: string
  readonly name?: string
  readonly file?: string
  /** 1-based, within the text of the clause. */
  readonly line?: number
  /** The token at which the parser stopped, as written. */
  readonly token?: string
}
