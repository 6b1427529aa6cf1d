/** A plan as payloads and headers of migrations show it. Loads nothing, so that a run without a plan may use it too. */
import type { SqlText } from '../model/definition.js'
import type { Plan, Risk, Statement, Step } from './step.js'

/** One operation as payloads show it; `sql` holds the statements that carry it out, as text with semicolons. */
export type Operation = {
  readonly type: string
  readonly key: string
  readonly risk: Risk
  readonly reason: string
  readonly sql: SqlText
  readonly warning?: string
}

/** The operations of a plan, one per step, with the statements that were made of it. */
export function operationsOf(plan: Pick<Plan, 'steps'>, statements: readonly Statement[]): Operation[] {
  const texts = new Map<Step, string[]>()
  for (const statement of statements)
    for (const step of statement.steps) {
      if (!texts.has(step)) texts.set(step, [])
      texts.get(step)!.push(`${statement.text};`)
    }
  return plan.steps.map((step) => ({
    type: step.type,
    key: step.key,
    risk: step.risk,
    reason: step.reason,
    sql: (texts.get(step) ?? []).join('\n'),
    ...(step.warning !== undefined && { warning: step.warning }),
  }))
}

/** How many steps there are of each risk. */
export function riskSummary(steps: readonly Step[]): Readonly<Record<Risk, number>> {
  const summary: Record<Risk, number> = { safe: 0, caution: 0, danger: 0 }
  for (const step of steps) summary[step.risk]++
  return summary
}
