import type { Change, Engine, MaterializedView, Plan, Refusal, Step, Table } from '../../index.js'
import { isSharedEngine, plainEngine, plainName } from './engine.js'
import { plainStatement } from './statement.js'

/**
 * The plan with plain engines in all that it creates; each step that changed says so in its warning, with `reason`. The
 * steps alone change: the state that they lead to stays as it was declared.
 */
export function plainPlan(plan: Plan, reason: string): Plan {
  return { ...plan, steps: plan.steps.map((step) => plainStep(step, reason)) }
}

/**
 * The plan without changes of an engine into its shared form or back: a server with shared engines puts them in place
 * of plain ones, and any other server gets plain ones in either case, so there is nothing to rebuild.
 */
export function withoutEngineSwaps(plan: Plan): Plan {
  return { steps: plan.steps.filter((step) => !isSwap(step)), refusals: plan.refusals.filter((one) => !isSwap(one)) }
}

function plainStep(step: Step, reason: string): Step {
  const change = plainChange(step.change)
  const reverse = step.reverse && plainChange(step.reverse)
  if (change === step.change) return reverse === step.reverse ? step : { ...step, reverse }
  const note = `${engineNote(step.change)}: ${reason}.`
  const warning = step.warning === undefined ? note : `${step.warning} ${note}`
  return { ...step, change, warning, ...(reverse === undefined ? {} : { reverse }) }
}

function engineNote(change: Change): string {
  const names = [...new Set(enginesIn(change))]
  return names.map((name) => `${name} is written as ${plainName(name)}`).join(', ')
}

/** The shared engines that a change would write. */
function enginesIn(change: Change): readonly string[] {
  switch (change.kind) {
    case 'createTable':
      return [change.table.engine.name]
    case 'recreateTable':
      return [change.to.engine.name]
    case 'createMaterializedView':
      return innerEngine(change.view)
    case 'modifyMaterializedView':
    case 'replaceMaterializedView':
    case 'recreateMaterializedView':
      return innerEngine(change.to)
    case 'createRaw':
      return plainStatement(change.object.create).engines
    case 'modifyRaw':
      return plainStatement(change.to.create).engines
    default:
      return []
  }
}

function innerEngine(view: MaterializedView): readonly string[] {
  return view.inner === undefined ? [] : [view.inner.engine.name]
}

/** The same object where nothing is to be rewritten. */
function plainChange(change: Change): Change {
  if (!enginesIn(change).some(isSharedEngine)) return change
  switch (change.kind) {
    case 'createTable':
      return { ...change, table: plainTable(change.table) }
    case 'recreateTable':
      return { ...change, to: plainTable(change.to) }
    case 'createMaterializedView':
      return { ...change, view: plainView(change.view) }
    case 'modifyMaterializedView':
      return { ...change, from: plainView(change.from), to: plainView(change.to) }
    case 'replaceMaterializedView':
    case 'recreateMaterializedView':
      return { ...change, to: plainView(change.to) }
    case 'createRaw':
      return { ...change, object: { ...change.object, create: plainStatement(change.object.create).text } }
    case 'modifyRaw':
      return { ...change, to: { ...change.to, create: plainStatement(change.to.create).text } }
    default:
      return change
  }
}

function plainTable(table: Table): Table {
  return { ...table, engine: plainEngine(table.engine) }
}

/** The view's own inner table; its query and everything else stay. */
function plainView(view: MaterializedView): MaterializedView {
  return view.inner === undefined ? view : { ...view, inner: { ...view.inner, engine: plainEngine(view.inner.engine) } }
}

function isSwap({ change }: Step | Refusal): boolean {
  if (change.kind === 'modifyEngine') return isSameBesidesShared(change.from, change.to)
  // These carry all that differs in an object: only where nothing else does there is nothing to do.
  if (change.kind === 'recreateTable') return stateText(plainTable(change.from)) === stateText(plainTable(change.to))
  if (change.kind === 'modifyMaterializedView' || change.kind === 'recreateMaterializedView') {
    // A step without a difference restates a view whose source changed.
    const isInner = change.kind === 'recreateMaterializedView' || change.attributes.includes('inner')
    return isInner && stateText(plainView(change.from)) === stateText(plainView(change.to))
  }
  return false
}

function isSameBesidesShared(from: Engine, to: Engine): boolean {
  return JSON.stringify(sorted(plainEngine(from))) === JSON.stringify(sorted(plainEngine(to)))
}

/** What of an object is state, as comparable text. */
function stateText(object: Table | MaterializedView): string {
  const { origin: _origin, spelling: _spelling, ...state } = object
  return JSON.stringify(sorted(state))
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, item]) => item !== undefined && key !== 'renamedFrom' && key !== 'plugins')
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  )
}
