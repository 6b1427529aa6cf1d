import type { Expression, Literal } from '../ast.js'
import type { CreateDictionary, DictionaryAttribute, DictionaryFunction, DictionaryPair } from '../ast-ddl.js'
import { Token } from '../lexer.js'
import { type Cursor, parseCommaList } from './cursor.js'
import {
  flag,
  parseBracketedSettings,
  parseCluster,
  parseComment,
  parseObjectName,
  parseUnsigned,
  parseUuid,
} from './ddl-common.js'
import { parseExpressionWithoutAlias as parseExpression } from './expression.js'
import { parseLiteral } from './literal.js'
import { parseType } from './type.js'

/** CREATE, REPLACE or ATTACH DICTIONARY; the words up to DICTIONARY are consumed. */
export function parseDictionary(
  cursor: Cursor,
  action: CreateDictionary['action'],
  orReplace: true | undefined,
): CreateDictionary {
  const ifNotExists = flag(cursor, 'IF NOT EXISTS')
  const name = parseObjectName(cursor)
  const uuid = parseUuid(cursor)
  const cluster = parseCluster(cursor)
  if (!cursor.atToken(Token.leftParen)) {
    if (action !== 'ATTACH') cursor.fail('(')
    const comment = parseComment(cursor)
    return { kind: 'createDictionary', action, orReplace, ifNotExists, name, uuid, cluster, comment }
  }
  cursor.advance()
  const attributes = parseCommaList(cursor, parseAttribute)
  cursor.expectToken(Token.rightParen, ')')
  const { primaryKey, source, lifetime, layout, range, settings } = parseDictionaryClauses(cursor)
  return {
    kind: 'createDictionary',
    action,
    orReplace,
    ifNotExists,
    name,
    uuid,
    cluster,
    attributes,
    primaryKey,
    source,
    lifetime,
    layout,
    range,
    settings,
    comment: parseComment(cursor),
  }
}

type Clauses = Pick<CreateDictionary, 'primaryKey' | 'source' | 'lifetime' | 'layout' | 'range' | 'settings'>

function parseDictionaryClauses(cursor: Cursor): Clauses {
  const clauses: { -readonly [K in keyof Clauses]: Clauses[K] } = {}
  while (true) {
    if (clauses.primaryKey === undefined && cursor.accept('PRIMARY KEY')) clauses.primaryKey = parseKey(cursor)
    else if (clauses.source === undefined && cursor.accept('SOURCE')) clauses.source = parseBracketedFunction(cursor)
    else if (clauses.lifetime === undefined && cursor.accept('LIFETIME')) clauses.lifetime = parseLifetime(cursor)
    else if (clauses.layout === undefined && cursor.accept('LAYOUT')) clauses.layout = parseBracketedFunction(cursor)
    else if (clauses.range === undefined && cursor.accept('RANGE')) clauses.range = parseRange(cursor)
    else if (
      clauses.settings === undefined &&
      cursor.at('SETTINGS') &&
      cursor.kindAt(cursor.index + 1) === Token.leftParen
    ) {
      cursor.advance()
      clauses.settings = parseBracketedSettings(cursor)
    } else return clauses
  }
}

function parseKey(cursor: Cursor): Expression[] {
  const name = (): Expression => ({ kind: 'identifier', parts: [cursor.identifier('attribute name')] })
  if (!cursor.acceptToken(Token.leftParen)) return parseCommaList(cursor, name)
  const names = parseCommaList(cursor, name)
  cursor.expectToken(Token.rightParen, ')')
  return names
}

function parseAttribute(cursor: Cursor): DictionaryAttribute {
  const name = cursor.identifier('attribute name')
  const type = parseType(cursor)
  let defaultValue: Literal | undefined
  let expression: Expression | undefined
  let hierarchical: true | undefined
  let bidirectional: true | undefined
  let injective: true | undefined
  let isObjectId: true | undefined
  while (true) {
    if (defaultValue === undefined && cursor.accept('DEFAULT')) defaultValue = parseLiteral(cursor)
    else if (expression === undefined && cursor.accept('EXPRESSION')) expression = parseExpression(cursor)
    else if (!hierarchical && cursor.accept('HIERARCHICAL')) hierarchical = true
    else if (!bidirectional && cursor.accept('BIDIRECTIONAL')) bidirectional = true
    else if (!injective && cursor.accept('INJECTIVE')) injective = true
    else if (!isObjectId && cursor.accept('IS_OBJECT_ID')) isObjectId = true
    else break
  }
  return { name, type, default: defaultValue, expression, hierarchical, bidirectional, injective, isObjectId }
}

function parseLifetime(cursor: Cursor): { min: string; max: string } {
  cursor.expectToken(Token.leftParen, '(')
  if (cursor.atToken(Token.number)) {
    const max = parseUnsigned(cursor)
    cursor.expectToken(Token.rightParen, ')')
    return { min: '0', max }
  }
  const lifetime = { min: '0', max: '0' }
  while (!cursor.acceptToken(Token.rightParen)) {
    if (cursor.accept('MIN')) lifetime.min = parseUnsigned(cursor)
    else if (cursor.accept('MAX')) lifetime.max = parseUnsigned(cursor)
    else cursor.fail('MIN or MAX')
  }
  return lifetime
}

function parseRange(cursor: Cursor): { min: string; max: string } {
  cursor.expectToken(Token.leftParen, '(')
  const range = { min: '', max: '' }
  while (!cursor.acceptToken(Token.rightParen)) {
    if (cursor.accept('MIN')) range.min = cursor.identifier('attribute name')
    else if (cursor.accept('MAX')) range.max = cursor.identifier('attribute name')
    else cursor.fail('MIN or MAX')
  }
  return range
}

/** `(name(pairs))` or `(name)`. */
function parseBracketedFunction(cursor: Cursor): DictionaryFunction {
  cursor.expectToken(Token.leftParen, '(')
  const name = cursor.identifier('name').toUpperCase()
  let pairs: DictionaryPair[] | undefined
  if (cursor.acceptToken(Token.leftParen)) pairs = parsePairs(cursor)
  cursor.expectToken(Token.rightParen, ')')
  return { name, pairs }
}

/** Pairs up to and including the closing bracket. */
function parsePairs(cursor: Cursor): DictionaryPair[] {
  const pairs: DictionaryPair[] = []
  cursor.enter()
  while (!cursor.acceptToken(Token.rightParen)) pairs.push(parsePair(cursor))
  cursor.leave()
  return pairs
}

function parsePair(cursor: Cursor): DictionaryPair {
  const key = cursor.identifier('key').toUpperCase()
  if (cursor.acceptToken(Token.leftParen)) return { key, value: parsePairs(cursor) }
  if (cursor.atIdentifier() && cursor.kindAt(cursor.index + 1) !== Token.leftParen && !isConstantWord(cursor))
    return { key, value: { kind: 'identifier', parts: [cursor.identifier()] } }
  if (!cursor.atIdentifier() || isConstantWord(cursor)) return { key, value: parseLiteral(cursor) }
  const value = parseExpression(cursor)
  if (value.kind === 'function') return { key, value }
  return cursor.fail('value')
}

function isConstantWord(cursor: Cursor): boolean {
  return cursor.at('NULL') || cursor.at('TRUE') || cursor.at('FALSE')
}
