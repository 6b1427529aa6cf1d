import type { Expression } from '../sql/ast.js'
import type {
  DictionaryAttribute as AttributeNode,
  CreateDictionary,
  DictionaryFunction,
  DictionaryPair,
} from '../sql/ast-ddl.js'
import { printExpression, printType } from '../sql/print.js'
import { quoteString } from '../sql/quote.js'
import type { Dictionary, DictionaryAttribute, Spelling } from './definition.js'
import { expressionText } from './expression.js'
import { compact } from './storage.js'
import { type FormContext, settingsByName } from './table.js'
import { typeText } from './type.js'
import { qualifiedName } from './view.js'

/**
 * The canonical dictionary of a CREATE DICTIONARY. Type aliases, which the server keeps here, are resolved; how they
 * were written stays in the spelling under `attribute <name>`, as do `source` and `layout`.
 */
export function dictionaryForm(node: CreateDictionary, context: FormContext): Dictionary {
  const name = qualifiedName(node.name, context.database)
  const source = node.source === undefined ? '' : functionText(node.source, true)
  const layout = node.layout === undefined ? '' : functionText(node.layout, true)
  const settings = settingsByName(node.settings)
  const spelling: Spelling = compact({
    source: unlessSame(node.source && functionText(node.source, false), source),
    layout: unlessSame(node.layout && functionText(node.layout, false), layout),
    comment: node.comment === '' ? "''" : undefined,
    ...typeSpellings(node.attributes ?? []),
  })
  return {
    kind: 'dictionary',
    ...name,
    attributes: (node.attributes ?? []).map(attributeForm),
    primaryKey: (node.primaryKey ?? []).map(keyText),
    source,
    layout,
    ...(node.lifetime && { lifetime: `MIN ${node.lifetime.min} MAX ${node.lifetime.max}` }),
    ...(node.range && { range: node.range }),
    ...(settings && { settings }),
    ...(node.comment && { comment: node.comment }),
    ...(node.cluster && { cluster: node.cluster }),
    ...(Object.keys(spelling).length > 0 && { spelling }),
  }
}

function keyText(key: Expression): string {
  return expressionText(key)
}

function unlessSame(written: string | undefined, canonical: string): string | undefined {
  return written === canonical ? undefined : written
}

function attributeForm(attribute: AttributeNode): DictionaryAttribute {
  return {
    name: attribute.name,
    type: typeText(attribute.type),
    ...(attribute.default && { default: printExpression(attribute.default) }),
    ...(attribute.expression && { expression: expressionText(attribute.expression) }),
    ...(attribute.hierarchical && { hierarchical: true }),
    ...(attribute.bidirectional && { bidirectional: true }),
    ...(attribute.injective && { injective: true }),
    ...(attribute.isObjectId && { isObjectId: true }),
  }
}

function typeSpellings(attributes: readonly AttributeNode[]): Record<string, string | undefined> {
  return Object.fromEntries(
    attributes.map(({ name, type }) => [`attribute ${name}`, unlessSame(printType(type), typeText(type))]),
  )
}

/**
 * `NAME(KEY value KEY value)`. In the canonical form the brackets are always there, and a bare word is a string, as
 * the server reads it; otherwise the text is as it was written.
 */
function functionText(call: DictionaryFunction, canonical: boolean): string {
  if (call.pairs === undefined) return canonical ? `${call.name}()` : call.name
  return `${call.name}(${pairsText(call.pairs, canonical)})`
}

function pairsText(pairs: readonly DictionaryPair[], canonical: boolean): string {
  return pairs.map((pair) => pairText(pair, canonical)).join(' ')
}

function pairText({ key, value }: DictionaryPair, canonical: boolean): string {
  if (!('kind' in value)) return `${key} (${pairsText(value, canonical)})`
  if (canonical && value.kind === 'identifier' && value.parts.length === 1 && typeof value.parts[0] === 'string')
    return `${key} ${quoteString(value.parts[0])}`
  return `${key} ${printExpression(value)}`
}
