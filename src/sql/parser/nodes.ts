import type { Expression, FunctionCall, Identifier } from '../ast.js'

/**
 * The commonest nodes, made in one place with every field there is: nodes that gain fields one by one are of many shapes
 * to the runtime, which makes everything that reads them slow.
 */

/** A call that may still be set. */
export type FreshCall = { -readonly [K in keyof FunctionCall]: FunctionCall[K] }

/** A call; all of them have one shape, whatever is set in them later. */
export function functionCall(name: string, args: readonly Expression[], operator: true | undefined): FreshCall {
  return {
    kind: 'function',
    name,
    parameters: undefined,
    args,
    operator,
    query: undefined,
    otherwise: undefined,
    nulls: undefined,
    over: undefined,
    settings: undefined,
    alias: undefined,
    parenthesized: undefined,
  }
}

/** `name(args)`. */
export function call(name: string, args: readonly Expression[]): FunctionCall {
  return functionCall(name, args, undefined)
}

/** What stands in operator form: `a + b`, `[a]`, `(a, b)`. */
export function operation(name: string, args: readonly Expression[]): FunctionCall {
  return functionCall(name, args, true)
}

/** A plain name. */
export function identifierOf(name: string): Identifier {
  return { kind: 'identifier', parts: [name], alias: undefined, parenthesized: undefined }
}
