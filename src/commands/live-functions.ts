import { declarationOf } from '../model/declare.js'
import { type Definition, isDatabaseObject, type Model } from '../model/definition.js'
import { calledFunctions, declaredFunctions, inlineCalls, type SqlFunctions } from '../model/inline.js'
import { definitionFromNode } from '../model/statement.js'
import { renderCreate } from '../render/create.js'
import { parseStatement } from '../sql/statement.js'

/**
 * `expected` as a server with the functions of `actual` stores it: their bodies in place of their calls. Those that the
 * schema declares stand there already; these are functions that somebody else takes care of. The same value where none
 * is called.
 */
export function withLiveFunctions(expected: Model, actual: Model): Model {
  const declarations = actual.definitions.flatMap((one) =>
    one.kind === 'sql_function' ? (declarationOf(one) ?? []) : [],
  )
  if (declarations.length === 0) return expected
  const functions = declaredFunctions(declarations)
  const definitions = expected.definitions.map((one) => withBodies(one, functions))
  return definitions.some((one, index) => one !== expected.definitions[index]) ? { definitions } : expected
}

function withBodies(definition: Definition, functions: SqlFunctions): Definition {
  if (!isDatabaseObject(definition)) return definition
  const text = renderCreate(definition, 'create')
  // Most objects call none, and need not be parsed to know it.
  if (![...functions.keys()].some((name) => text.includes(name))) return definition
  const { node } = parseStatement(text)
  if (calledFunctions(node, functions).length === 0) return definition
  const stored = definitionFromNode(inlineCalls(node, functions), { database: definition.database, declared: true })
  return stored ?? definition
}
