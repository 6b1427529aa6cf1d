import type { Change } from '../diff/change.js'

/** safe: metadata only or additive; caution: rewrites parts, replaces or narrows; danger: rows or objects are lost. */
export type Risk = 'safe' | 'caution' | 'danger'

/** A change that the server can do, with what a reader must know before it runs. */
export type Step = {
  readonly change: Change
  /** Stable snake_case name for payloads and migration comments, such as `alter_table_add_column`. */
  readonly type: string
  /** `table:db.name`, `table:db.name:column:x`; printed, never parsed. */
  readonly key: string
  readonly risk: Risk
  /** One sentence. */
  readonly reason: string
  /** What a reader should do or know besides, for example the MATERIALIZE statement that fills a new index. */
  readonly warning?: string
  readonly reverse?: Change
}

/** One SQL statement without its semicolon, and the steps it carries out; several when ALTERs were merged. */
export type Statement = { readonly text: string; readonly steps: readonly Step[] }

/** A change that is refused: what stands in the way and how to go on. */
export type Refusal = {
  readonly change: Change
  readonly code: 'rebuild_required' | 'plan_refused'
  readonly object: string
  readonly message: string
  readonly hint: string
}

/** Steps in an order in which each succeeds on a database in the previous state. */
export type Plan = { readonly steps: readonly Step[]; readonly refusals: readonly Refusal[] }
