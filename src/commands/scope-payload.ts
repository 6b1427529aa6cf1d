import type { Model } from '../model/definition.js'
import type { TableScope } from '../plugin-host/command.js'

/** What `--table` selects among the objects of two models. */
export type SelectedScope = {
  readonly scope: TableScope
  /** Only what is in scope. */
  filter(model: Model): Model
  /** `to` where it is in scope, `from` everywhere else. */
  apply(from: Model, to: Model): Model
  /** What objects in scope need, but the scope leaves as it is: one sentence each. */
  leftOut(target: Model, declared: Model): string[]
}

/** No `--table`: everything is meant. */
export const EVERYTHING: SelectedScope = {
  scope: { enabled: false, matchedTables: [], matchCount: 0 },
  filter: (model) => model,
  apply: (_from, to) => to,
  leftOut: () => [],
}

/** The scope as payloads carry it. */
export function scopePayload(scope: TableScope | undefined): TableScope {
  return scope ?? EVERYTHING.scope
}

/** The sentence for a scope that matches nothing. */
export function scopeWarning(scope: TableScope): string | undefined {
  return scope.enabled && scope.matchCount === 0 ? `No tables matched selector "${scope.selector}".` : undefined
}
