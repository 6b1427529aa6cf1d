/** Changes of materialized views as steps (alter-matrix section 2). */

import type { Change, MaterializedViewAttribute } from '../diff/change.js'
import { readsEverything } from '../diff/expression-names.js'
import {
  type MaterializedView,
  type Model,
  objectKey,
  objectName,
  type QualifiedName,
  type Table,
} from '../model/definition.js'
import { missingInTarget, outputColumns } from '../model/query-columns.js'
import { stepOf } from './plan-table.js'
import type { Refusal, Step } from './step.js'

type Outcome = { readonly step: Step } | { readonly refusal: Refusal }

/** What ALTER can change in a materialized view; the rest needs a new one. */
const ALTERABLE: ReadonlySet<MaterializedViewAttribute> = new Set(['query', 'refresh', 'comment', 'security'])

/** The step for a changed materialized view, or why there is none. */
export function planMaterializedView(
  change: Extract<Change, { kind: 'modifyMaterializedView' }>,
  to: Model,
  allowRecreate: boolean,
): Outcome {
  const { from, to: view, attributes } = change
  const name = objectName(view)
  const unknown = columnsUnknownToTarget(view, to)
  if (attributes.includes('query') && unknown.length > 0)
    return refusalOf(change, {
      code: 'plan_refused',
      message: `Materialized view ${name} selects ${unknown.join(', ')}, which its target ${view.to!.database}.${view.to!.name} does not have; the server would drop the values silently.`,
      hint: `Add the column to the target, or name the output as one of its columns.`,
    })

  // The text of an inner table's columns is fixed when the view is made; the query alone may change only between them.
  const before = outputColumns(from.query)
  const after = outputColumns(view.query)
  const sameOutput =
    before !== undefined &&
    after !== undefined &&
    !readsEverything(from.query) &&
    !readsEverything(view.query) &&
    before.join('\0') === after.join('\0')
  const alterable =
    attributes.every((attribute) => ALTERABLE.has(attribute)) &&
    (view.to !== undefined || !attributes.includes('query') || sameOutput)
  if (alterable)
    return {
      step: stepOf(change, {
        risk: attributes.includes('query') || attributes.includes('refresh') ? 'caution' : 'safe',
        reason: 'The view is altered in place; rows that it has written stay as they are.',
        ...(attributes.includes('query') && { warning: newQueryText(view) }),
      }),
    }
  if (from.to !== undefined && view.to !== undefined) {
    const replaced = { kind: 'replaceMaterializedView', from, to: view } as const
    return {
      step: beginsToReplaceRows(from, view)
        ? stepOf(replaced, { risk: 'danger', reason: 'The view is replaced.', warning: REPLACES_ROWS })
        : stepOf(replaced, {
            risk: 'caution',
            reason: 'The view is replaced; the rows in its target table stay.',
            ...replacementWarning(from.to, view.to, view),
          }),
    }
  }
  const parts = attributes.map((attribute) => WORDS[attribute] ?? attribute).join(', ')
  const isSchedule = attributes.join() === 'append'
  const reasons = [
    isSchedule
      ? "the refresh of an inner table's view cannot begin, end or turn to APPEND"
      : `${parts} of an inner table's view cannot be altered`,
  ]
  if (allowRecreate) return { step: recreation(from, view, reasons) }
  return refusalOf(change, {
    code: 'rebuild_required',
    message: `Materialized view ${name} keeps its rows in an inner table, and its ${isSchedule ? 'refresh cannot begin, end or turn to APPEND' : `${parts} cannot change`} in place: ${fixedBecause(attributes)}.`,
    hint:
      view.to === undefined
        ? 'Run generate with --allow-recreate to drop the view with its rows and create it anew, or move its rows to a target table (to) first.'
        : `Declare the view with a target (to) under another name and copy the rows of ${name} into it before dropping ${name}; or run generate with --allow-recreate, which loses them.`,
  })
}

const WORDS: Readonly<Partial<Record<MaterializedViewAttribute, string>>> = {
  to: 'target',
  inner: 'inner table',
  append: 'kind of refresh',
}

/** What the new query of a view means for rows. */
function newQueryText({ refresh, to }: MaterializedView): string {
  if (refresh === undefined)
    return `Only rows inserted from then on pass through the new query${to === undefined ? '; the inner table keeps the types of its columns' : ''}.`
  if (refresh.append === true) return 'Refreshes from then on append the rows of the new query.'
  const target = to === undefined ? 'its rows' : `the rows of ${to.database}.${to.name}`
  return `The next refresh replaces ${target} by those of the new query.`
}

/** What a view that is made anew over a target does with rows. */
function replacementWarning(from: QualifiedName, to: QualifiedName, { refresh }: MaterializedView) {
  const [old, next] = [`${from.database}.${from.name}`, `${to.database}.${to.name}`]
  const notes = old === next ? [] : [`${old} keeps its rows and gets no more.`]
  if (refresh === undefined && old !== next) notes.push(`${next} gets only rows inserted from then on.`)
  if (refresh !== undefined)
    notes.push(
      `It refreshes as soon as it is made${refresh.append === true ? ` and appends all rows of its query to ${next}` : ''}.`,
    )
  return notes.length === 0 ? {} : { warning: notes.join(' ') }
}

/** Why the server cannot, by the attribute that weighs most (seen on 26.7). */
function fixedBecause(attributes: readonly MaterializedViewAttribute[]): string {
  if (attributes.includes('to')) return 'the rows would stay behind'
  if (attributes.includes('inner'))
    return 'an ALTER of that table, which bears another name on each server, leaves the view as it was made'
  if (attributes.includes('columns')) return 'the server fixes the list of columns at CREATE'
  if (attributes.includes('append')) return 'the server fixes that at CREATE'
  return 'it may yield columns that the table lacks, and the table bears another name on each server'
}

/** True when a view replaces the rows of its target at each refresh, and did not before. */
export function beginsToReplaceRows(from: MaterializedView | undefined, to: MaterializedView): boolean {
  const replaces = (view: MaterializedView) =>
    view.to !== undefined && view.refresh !== undefined && view.refresh.append !== true
  const isSameTarget = from?.to?.database === to.to?.database && from?.to?.name === to.to?.name
  return replaces(to) && !(from !== undefined && replaces(from) && isSameTarget)
}

export const REPLACES_ROWS = 'Each refresh replaces all rows of its target, also those that others have written.'

function recreation(from: MaterializedView, to: MaterializedView, reasons: readonly string[]): Step {
  // A rename of the same plan has been carried out by then.
  const renamed = { ...from, database: to.database, name: to.name }
  return stepOf(
    { kind: 'recreateMaterializedView', from: renamed, to, reasons },
    {
      risk: 'danger',
      reason: `Materialized view ${objectName(to)} is dropped and created anew: ${reasons.join('; ')}.`,
      warning: 'The rows in its inner table are lost.',
    },
  )
}

function refusalOf(
  change: Extract<Change, { kind: 'modifyMaterializedView' }>,
  facts: Pick<Refusal, 'code' | 'message' | 'hint'>,
): Outcome {
  return { refusal: { change, object: objectKey(change.to), ...facts } }
}

/** Output columns that the declared target lacks; empty when the target or the output is not known here. */
function columnsUnknownToTarget(view: MaterializedView, model: Model): readonly string[] {
  const { to } = view
  if (to === undefined) return []
  const target = model.definitions.find(
    (definition): definition is Table =>
      definition.kind === 'table' && definition.database === to.database && definition.name === to.name,
  )
  return target === undefined ? [] : missingInTarget(view, target)
}
