/** Declarations for what lives on a server, each one proven by reading it back. */
import { identifierValue, Token, tokenize } from '../sql/lexer.js'
import { quoteIdentifierIfNeeded } from '../sql/quote.js'
import { accessDeclaration } from './access-declare.js'
import { canonicalise } from './canonical.js'
import { declarationOf } from './declare.js'
import {
  type AccessObject,
  compareCodeUnits,
  type Definition,
  isDatabaseObject,
  objectKey,
  objectName,
  type RawObject,
  type SqlText,
} from './definition.js'
import type { Declaration } from './dsl.js'
import type { Issue } from './issue.js'
import { neededSettings } from './needed-settings.js'

/** A definition as a schema file would declare it. */
export type DeclaredObject = {
  /** The object itself; where it can only be declared as `raw`, that raw object. */
  readonly definition: Definition
  /** Plain data with its `kind`, as `table({ .. })` and the like return it. */
  readonly declaration: Declaration
  /** Why the declaration is `raw` for an object that the schema language has another word for. */
  readonly fallback?: string
}

/**
 * A declaration for each definition, in their order: read back by `canonicalise` it is the same object, spelled the
 * same, but for settings of the query that its CREATE needs. Where that is not so, the declaration is `raw` with the text that `statement` gives, and says why. Never throws.
 */
export function declarationsOf(
  definitions: readonly Definition[],
  statement: (definition: Definition) => SqlText,
): readonly DeclaredObject[] {
  const objects = definitions.map((definition) => ({
    definition,
    declaration: declarationOf(definition) ?? accessDeclaration(definition as AccessObject),
  }))
  const problems = problemsOf(objects)
  return objects.map((object) => {
    const problem = problems.get(object.definition)
    if (problem === undefined) return { ...object, declaration: withNeededSettings(object) }
    const raw = rawObject(object.definition, statement(object.definition))
    return { definition: raw, declaration: raw, fallback: problem }
  })
}

/**
 * The raw objects with `dependsOn`: what their texts name by `database.name`. `names` are those of all objects around.
 */
export function withDependencies(raws: readonly RawObject[], names: ReadonlySet<string>): readonly RawObject[] {
  return raws.map((raw) => {
    const found = [...namesIn(raw.create)].filter((name) => name !== raw.key && names.has(name)).sort(compareCodeUnits)
    return found.length === 0 ? raw : { ...raw, dependsOn: found }
  })
}

/** Every `a.b` of a text, unquoted. */
function namesIn(text: string): ReadonlySet<string> {
  const tokens = tokenize(text)
  const names = new Set<string>()
  const isName = (index: number) => tokens.kinds[index] === Token.word || tokens.kinds[index] === Token.quotedIdentifier
  for (let index = 1; index + 1 < tokens.count; index++)
    if (tokens.kinds[index] === Token.dot && isName(index - 1) && isName(index + 1))
      names.add(`${identifierValue(tokens, index - 1)}.${identifierValue(tokens, index + 1)}`)
  return names
}

/** The declaration, with the settings of the query that a server with default settings asks for to create the object. */
function withNeededSettings({ definition, declaration }: Pair): Declaration {
  if (definition.kind !== 'table' || declaration.kind !== 'table' || 'asTableFunction' in declaration)
    return declaration
  const needed = neededSettings(definition)
  if (Object.keys(needed).length === 0) return declaration
  return { ...declaration, settings: { ...declaration.settings, ...needed } }
}

type Pair = Pick<DeclaredObject, 'definition' | 'declaration'>

/** What keeps a declaration from being its definition; definitions that come back as they are have no entry. */
function problemsOf(objects: readonly Pair[]): ReadonlyMap<Definition, string> {
  const { model, issues, warnings } = canonicalise(objects.map(({ declaration }) => declaration))
  const read = new Map(model.definitions.map((definition) => [objectKey(definition), definition]))
  const problems = new Map<Definition, string>()
  for (const { definition } of objects) {
    const back = read.get(objectKey(definition))
    const issue = issues.find((one) => isAbout(one, definition))
    const path = back === undefined ? 'definition' : firstDifference(definition, back)
    if (issue !== undefined) problems.set(definition, issue.message)
    else if (path !== undefined) {
      const warning = warnings.find((one) => isAbout({ ...one, kind: definition.kind }, definition))
      problems.set(definition, warning?.message ?? `the schema language cannot say its ${path}`)
    }
  }
  return problems
}

function isAbout(issue: Pick<Issue, 'kind' | 'database' | 'name'>, definition: Definition): boolean {
  if (issue.kind !== definition.kind) return false
  if (!isDatabaseObject(definition)) return issue.name === objectName(definition)
  return issue.database === definition.database && issue.name === definition.name
}

/** What says where a definition was read, not what it is. */
const NOT_STATE: ReadonlySet<string> = new Set(['origin', 'functions'])

/** The path of the first field that differs, empty for the values themselves; order of keys does not matter. */
function firstDifference(a: unknown, b: unknown): string | undefined {
  if (a === b) return undefined
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return ''
  const left = a as Readonly<Record<string, unknown>>
  const right = b as Readonly<Record<string, unknown>>
  for (const field of new Set([...Object.keys(left), ...Object.keys(right)])) {
    if (NOT_STATE.has(field)) continue
    const rest = firstDifference(left[field], right[field])
    if (rest !== undefined) return rest === '' ? field : `${field}.${rest}`
  }
  return undefined
}

const DROP_WORDS = { table: 'TABLE', view: 'VIEW', materialized_view: 'VIEW', dictionary: 'DICTIONARY' } as const

/** The object by its text, under the name that it has on the server. */
function rawObject(definition: Definition, create: SqlText): RawObject {
  if (!isDatabaseObject(definition)) return { kind: 'raw', key: objectName(definition), create }
  const { database, name } = definition
  const qualified = `${quoteIdentifierIfNeeded(database)}.${quoteIdentifierIfNeeded(name)}`
  return {
    kind: 'raw',
    key: objectName(definition),
    create,
    drop: `DROP ${DROP_WORDS[definition.kind]} IF EXISTS ${qualified}`,
  }
}
