import type { TtlRule } from './ast-ddl.js'

/** True when a rule of the TTL removes rows, at once if they are old enough. */
export function deletesRows(rules: readonly TtlRule[]): boolean {
  return rules.some((rule) => rule.action.kind === 'delete' || rule.action.kind === 'groupBy')
}
