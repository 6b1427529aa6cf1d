import type { Expression, FunctionCall } from '../sql/ast.js'
import { parseStatement } from '../sql/statement.js'
import { mapNode, referencedFunctions } from '../sql/walk.js'
import { readLambda } from './clause.js'
import type { Declaration } from './dsl.js'
import { expressionText } from './expression.js'

/**
 * The server puts the body of a SQL function in place of its calls whenever it stores an object (seen on 26.7: views,
 * defaults, indexes, constraints, TTLs, projections, keys). What is declared with such calls must look the same.
 */
export type SqlFunctions = ReadonlyMap<string, { readonly parameters: readonly string[]; readonly body: Expression }>

/** The functions among `declarations`, those that raw texts create included; bodies with the calls of other declared functions already resolved. */
export function declaredFunctions(declarations: readonly Declaration[]): SqlFunctions {
  const functions = new Map<string, { parameters: readonly string[]; body: Expression }>()
  for (const declaration of declarations) {
    if (declaration.kind === 'raw' && typeof declaration.create === 'string') {
      const { node } = parseStatement(declaration.create)
      if (node.kind === 'createFunction') addFunction(functions, node.name, node.body)
    }
    if (declaration.kind !== 'sql_function' || typeof declaration.as !== 'string') continue
    const parsed = readLambda(declaration.as)
    if (parsed.problem !== undefined) continue
    // The function is created from its canonical text, so the brackets of that text are the brackets of the body.
    const created = readLambda(expressionText(parsed.node))
    if (created.problem === undefined) addFunction(functions, declaration.name, created.node)
  }
  // A body may call what is declared later; a circle ends after as many rounds as there are functions.
  for (let round = 0; round < functions.size; round++) {
    let changed = false
    for (const [name, { parameters, body }] of functions) {
      const others = new Map([...functions].filter(([other]) => other !== name))
      const inlined = inlineCalls(body, others)
      if (inlined === body) continue
      functions.set(name, { parameters, body: inlined })
      changed = true
    }
    if (!changed) break
  }
  return functions
}

function addFunction(
  functions: Map<string, { parameters: readonly string[]; body: Expression }>,
  name: string,
  lambda: Expression,
): void {
  if (lambda.kind !== 'function' || lambda.name !== 'lambda') return
  const [head, body] = lambda.args ?? []
  if (head === undefined || body === undefined) return
  const list = head.kind === 'function' ? (head.args ?? []) : head.kind === 'literal' ? [] : [head]
  const parameters = list.flatMap((parameter) =>
    parameter.kind === 'identifier' && typeof parameter.parts[0] === 'string' ? [parameter.parts[0]] : [],
  )
  functions.set(name, { parameters, body })
}

/** `node` with the calls of `functions` replaced by their bodies; the same value when there are none. */
export function inlineCalls<T>(node: T, functions: SqlFunctions): T {
  return mapNode(node, (child) => {
    if (child.kind !== 'function') return child
    const called = functions.get(child.name)
    return called === undefined || called.parameters.length !== (child.args ?? []).length
      ? child
      : replaced(child, called.parameters, called.body)
  })
}

/** The names of declared functions that `node` calls, sorted. */
export function calledFunctions(node: unknown, functions: SqlFunctions): readonly string[] {
  if (functions.size === 0) return []
  return referencedFunctions(node)
    .filter((name) => functions.has(name))
    .sort()
}

/** The body with arguments in place of parameters, under the alias of the call. */
function replaced(call: FunctionCall, parameters: readonly string[], body: Expression): Expression {
  const args = new Map(parameters.map((name, index) => [name, call.args![index]!]))
  const filled = mapNode(body, (node) => {
    if (node.kind !== 'identifier' || node.parts.length !== 1 || typeof node.parts[0] !== 'string') return node
    return args.get(node.parts[0]) ?? node
  })
  const { alias } = call
  return { ...filled, alias } as Expression
}
