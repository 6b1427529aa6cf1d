import { sortedByKey } from '../model/canonical.js'
import {
  compareCodeUnits,
  type Definition,
  isDatabaseObject,
  type Model,
  objectKey,
  objectName,
  type QualifiedName,
} from '../model/definition.js'
import { dependenciesOf } from '../model/dependencies.js'
import { sameDefinition } from '../model/same.js'
import { matchesSelector, parseTableSelector } from '../model/scope.js'
import { EVERYTHING, type SelectedScope } from './scope-payload.js'

/** Resolves `--table` against the union of both models. Throws `invalid_table_selector`. */
export function selectScope(selector: unknown, from: Model, to: Model): SelectedScope {
  if (typeof selector !== 'string') return EVERYTHING
  const parsed = parseTableSelector(selector)
  const matches = ({ database, name }: QualifiedName) => matchesSelector(parsed, database, name)
  const direct = (definition: Definition): boolean =>
    isDatabaseObject(definition) ? matches(definition) : matches({ database: '', name: objectName(definition) })
  // A table that is renamed into the scope takes its old name along: creating the new one beside it would be no rename.
  const formerNames = new Set(
    to.definitions.flatMap((one) =>
      isDatabaseObject(one) && one.renamedFrom !== undefined && direct(one)
        ? [`${one.renamedFrom.database}.${one.renamedFrom.name}`]
        : [],
    ),
  )
  const covers = (definition: Definition) =>
    direct(definition) || (isDatabaseObject(definition) && formerNames.has(objectName(definition)))
  const matched = [...from.definitions, ...to.definitions].filter((one) => isDatabaseObject(one) && covers(one))
  const matchedTables = [...new Set(matched.map(objectName))].sort(compareCodeUnits)
  return {
    scope: { enabled: true, selector, matchedTables, matchCount: matchedTables.length },
    filter: (model) => ({ definitions: model.definitions.filter(covers) }),
    apply: (before, after) => ({
      definitions: sortedByKey([
        ...before.definitions.filter((one) => !covers(one)),
        ...after.definitions.filter(covers),
      ]),
    }),
    leftOut: (target, declared) => leftOut(target, declared, covers),
  }
}

function leftOut(target: Model, declared: Model, covers: (definition: Definition) => boolean): string[] {
  const inTarget = new Map(target.definitions.map((one) => [objectKey(one), one]))
  const inDeclared = new Map(declared.definitions.map((one) => [objectKey(one), one]))
  const lines: string[] = []
  for (const definition of target.definitions.filter(covers)) {
    for (const key of dependenciesOf(definition, declared)) {
      const wanted = inDeclared.get(key)
      const kept = inTarget.get(key)
      if (wanted === undefined || covers(wanted)) continue
      if (kept === undefined) lines.push(`${objectKey(definition)} needs ${key}, which the scope leaves out.`)
      else if (!sameDefinition(wanted, kept)) {
        lines.push(`${objectKey(definition)} needs ${key}, whose changes the scope leaves out.`)
      }
    }
  }
  return lines
}
