/** Drift of window views, which the schema language has no word for: they are declared as raw objects. */
import {
  compareCodeUnits,
  type MaterializedView,
  type Model,
  type RawObject,
  type SqlText,
} from '../model/definition.js'
import { expressionText } from '../model/expression.js'
import { storageForm } from '../model/storage.js'
import { materializedViewForm } from '../model/view.js'
import type { CreateView } from '../sql/ast-ddl.js'
import { parseStatement } from '../sql/statement.js'
import { materializedViewDifferences } from './diff-view.js'
import type { Drift, ObjectDrift } from './drift.js'

/** What a server shows of an object that no model holds. */
export type UnnamedObject = {
  /** `database.name` */
  readonly object: string
  readonly statement?: string
}

/** A window view as the materialized view that it mostly is, and what it has besides. */
type WindowView = {
  readonly view: MaterializedView
  readonly rest: readonly (SqlText | undefined)[]
}

/**
 * `report` with the window views that raw objects of `expected` create: missing from `unnamed`, or another there. The
 * names of those that were looked for and found are `compared`. A raw text that creates anything else is left alone.
 */
export function withWindowViews(
  report: Drift,
  expected: Model,
  unnamed: readonly UnnamedObject[],
  defaultDatabase: string,
): { readonly report: Drift; readonly compared: ReadonlySet<string> } {
  const live = new Map(unnamed.map(({ object, statement }) => [object, statement]))
  const found: ObjectDrift[] = []
  const missing: string[] = []
  const compared = new Set<string>()
  for (const raw of expected.definitions) {
    const wanted = raw.kind === 'raw' ? windowViewOf(raw, defaultDatabase) : undefined
    if (raw.kind !== 'raw' || wanted === undefined) continue
    const name = `${wanted.view.database}.${wanted.view.name}`
    const object = `raw:${raw.key}`
    const statement = live.get(name)
    if (statement === undefined) {
      missing.push(object)
      found.push({ code: 'missing_object', object, expectedKind: 'raw' })
      continue
    }
    compared.add(name)
    const actual = readWindowView(statement, { database: wanted.view.database, declared: false })
    if (actual === undefined || differs(actual, wanted))
      found.push({ code: 'definition_mismatch', object, expected: raw.create, actual: statement })
  }
  if (found.length === 0 && compared.size === 0) return { report, compared }
  return {
    compared,
    report: {
      ...report,
      expectedCount: report.expectedCount + missing.length + compared.size,
      actualCount: report.actualCount + compared.size,
      drifted: report.drifted || found.length > 0,
      missing: [...report.missing, ...missing].sort(compareCodeUnits),
      objectDrift: [...report.objectDrift, ...found].sort((a, b) => compareCodeUnits(a.object, b.object)),
    },
  }
}

function windowViewOf(raw: RawObject, database: string): WindowView | undefined {
  // Most raw objects are something else; their texts need not be parsed for that.
  return /window\s+view/i.test(raw.create) ? readWindowView(raw.create, { database, declared: true }) : undefined
}

function readWindowView(
  text: string,
  context: { readonly database: string; readonly declared: boolean },
): WindowView | undefined {
  const { node } = parseStatement(text)
  if (node.kind !== 'createView' || node.view !== 'WINDOW VIEW') return undefined
  return { view: materializedViewForm(node, context), rest: besides(node, context.database) }
}

/** WATERMARK, ALLOWED_LATENESS and the engine of the table in which windows wait until they fire. */
function besides({ watermark, allowedLateness, innerStorage }: CreateView, database: string): WindowView['rest'] {
  const inner = innerStorage && storageForm(innerStorage, { database, hasNested: false }).storage
  return [
    typeof watermark === 'string' ? watermark : watermark && expressionText(watermark),
    allowedLateness && expressionText(allowedLateness),
    inner && JSON.stringify(inner),
  ]
}

function differs(actual: WindowView, wanted: WindowView): boolean {
  return (
    materializedViewDifferences(actual.view, wanted.view, { live: true }).length > 0 ||
    actual.rest.some((text, index) => text !== wanted.rest[index])
  )
}
