import type { Origin } from './definition.js'
import type { Declaration } from './dsl.js'
import { DECLARATION_KINDS } from './shape.js'

/** A definition of a schema file and where it came from. */
export type Declared = { readonly declaration: Declaration; readonly origin?: Origin }

/**
 * Every definition that a module exports: alone, in arrays of any depth, or in a `default schema(...)`. Each once by
 * identity, in the order of the exports. Values of other kinds are passed over; nothing is checked.
 */
export function collectDefinitions(moduleExports: unknown, file?: string): readonly Declared[] {
  const found = new Set<Declaration>()
  if (isObject(moduleExports)) for (const name of Object.keys(moduleExports)) collect(moduleExports[name], found, 0)
  const origin: Origin | undefined = file === undefined ? undefined : { file }
  return [...found].map((declaration) => (origin === undefined ? { declaration } : { declaration, origin }))
}

/** Deeper nesting than any schema has; ends a list that contains itself. */
const MAX_DEPTH = 32

function collect(value: unknown, found: Set<Declaration>, depth: number): void {
  if (depth > MAX_DEPTH) return
  if (Array.isArray(value)) {
    for (const item of value) collect(item, found, depth + 1)
    return
  }
  if (!isObject(value)) return
  if (typeof value.kind === 'string' && DECLARATION_KINDS.has(value.kind)) found.add(value as unknown as Declaration)
  // `default` of a CommonJS module that was loaded as ESM holds the exports themselves.
  else if (depth === 0 && 'default' in value) collect(value.default, found, depth + 1)
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
