import type { Change } from '../diff/change.js'
import type { QualifiedName, SqlText } from '../model/definition.js'

/** safe: metadata only or additive; caution: rewrites parts, replaces or narrows; danger: rows or objects are lost. */
export type Risk = 'safe' | 'caution' | 'danger'

/**
 * A condition that no row of the table may fulfil when the step runs. It is checked by a statement of its own that fails
 * with `message`, because the server would accept the change and break later, or break halfway. The check comes before
 * the first step of the plan, so that nothing has changed when it fails: names are those from before the plan.
 */
export type Guard = { readonly table: QualifiedName; readonly condition: SqlText; readonly message: string }

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
  /** True when the server rewrites parts in the background (a mutation). */
  readonly mutation: boolean
  /** What a reader should do or know besides, for example the MATERIALIZE statement that fills a new index. */
  readonly warning?: string
  readonly guard?: Guard
  readonly reverse?: Change
}

/** One SQL statement without its semicolon, and the steps it carries out; several when ALTERs were merged. */
export type Statement = { readonly text: string; readonly steps: readonly Step[] }

/** A change that is refused: what stands in the way and how to go on. */
export type Refusal = {
  readonly change: Change
  /** `rebuild_required`: the server cannot do it in place; `plan_refused`: it would accept it and break later. */
  readonly code: 'rebuild_required' | 'plan_refused'
  /** `kind:db.name`. */
  readonly object: string
  readonly message: string
  readonly hint: string
}

/** Steps in an order in which each succeeds on a database in the previous state. */
export type Plan = { readonly steps: readonly Step[]; readonly refusals: readonly Refusal[] }
