/** Changes of materialized views as steps (alter-matrix section 2). */
import type { Change, MaterializedViewAttribute } from '../diff/change.js'
import { unquoteName } from '../diff/expression-names.js'
import { type MaterializedView, type Model, objectKey, objectName, type Table } from '../model/definition.js'
import { Token, tokenize } from '../sql/lexer.js'
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
  const before = outputNames(from.query)
  const after = outputNames(view.query)
  const sameOutput = before !== undefined && after !== undefined && before.join('\0') === after.join('\0')
  const alterable =
    attributes.every((attribute) => ALTERABLE.has(attribute)) &&
    (view.to !== undefined || !attributes.includes('query') || sameOutput)
  if (alterable)
    return {
      step: stepOf(change, {
        risk: attributes.includes('query') || attributes.includes('refresh') ? 'caution' : 'safe',
        reason: 'The view is altered in place; rows that it has written stay as they are.',
        ...(attributes.includes('query') && { warning: 'Only rows inserted from then on pass through the new query.' }),
      }),
    }
  if (from.to !== undefined && view.to !== undefined)
    return {
      step: stepOf(
        { kind: 'replaceMaterializedView', from, to: view },
        { risk: 'caution', reason: 'The view is replaced; the rows in its target table stay.' },
      ),
    }
  const reasons = [`${attributes.join(', ')} of an inner table's view cannot be altered`]
  if (allowRecreate) return { step: recreation(from, view, reasons) }
  return refusalOf(change, {
    code: 'rebuild_required',
    message: `Materialized view ${name} keeps its rows in an inner table, and its ${attributes.join(', ')} cannot change in place.`,
    hint: 'Run generate with --allow-recreate to drop the view with its rows and create it anew, or move it to a target table (to) first.',
  })
}

function recreation(from: MaterializedView, to: MaterializedView, reasons: readonly string[]): Step {
  return stepOf(
    { kind: 'recreateMaterializedView', from, to, reasons },
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
function columnsUnknownToTarget(view: MaterializedView, model: Model): string[] {
  if (view.to === undefined) return []
  const target = model.definitions.find(
    (definition): definition is Table =>
      definition.kind === 'table' && definition.database === view.to!.database && definition.name === view.to!.name,
  )
  const names = view.columns?.map((column) => column.name) ?? outputNames(view.query)
  if (target === undefined || names === undefined) return []
  const known = new Set(target.columns.map((column) => column.name))
  return names.filter((name) => !known.has(name))
}

/** Words that end a SELECT list at its own depth. */
const LIST_ENDS: ReadonlySet<string> = new Set([
  'FROM',
  'WHERE',
  'PREWHERE',
  'GROUP',
  'ORDER',
  'LIMIT',
  'UNION',
  'INTERSECT',
  'EXCEPT',
  'SETTINGS',
  'HAVING',
  'QUALIFY',
  'WINDOW',
])

/** The names of a canonical query's output columns, or undefined when a name is not written out (`*`, bare expressions). */
export function outputNames(query: string): string[] | undefined {
  const tokens = tokenize(query)
  const wordAt = (index: number) =>
    tokens.kinds[index] === Token.word ? query.slice(tokens.starts[index], tokens.ends[index]).toUpperCase() : ''
  let index = 0
  while (index < tokens.count && wordAt(index) !== 'SELECT') {
    // WITH name AS (subquery): step over brackets, the outer SELECT follows.
    index = tokens.matching[index]! > index ? tokens.matching[index]! + 1 : index + 1
  }
  if (wordAt(index + 1) === 'DISTINCT') index++
  const names: string[] = []
  let start = index + 1
  for (index = start; index <= tokens.count; index++) {
    const close = tokens.matching[index]
    if (index < tokens.count && close !== undefined && close > index) {
      index = close
      continue
    }
    const ends = index === tokens.count || LIST_ENDS.has(wordAt(index))
    if (!ends && tokens.kinds[index] !== Token.comma) continue
    const last = index - 1
    const kind = tokens.kinds[last]
    const named =
      last === start || wordAt(last - 1) === 'AS' || (tokens.kinds[last - 1] === Token.dot && last - start === 2)
    if (!named || (kind !== Token.word && kind !== Token.quotedIdentifier)) return undefined
    names.push(unquoteName(query.slice(tokens.starts[last], tokens.ends[last])))
    if (ends) return names
    start = index + 1
  }
  return undefined
}
