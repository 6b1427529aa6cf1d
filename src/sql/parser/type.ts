import type { Literal, TypeArgument, TypeNode } from '../ast.js'
import { Token } from '../lexer.js'
import type { Cursor } from './cursor.js'
import { parseExpression } from './expression.js'
import { parseCompoundIdentifier } from './identifier.js'
import { acceptLiteral, parseLiteral } from './literal.js'

/** Words that may follow the first word of an SQL type name; longer phrases first. */
const NAME_SUFFIXES: ReadonlyMap<string, readonly string[]> = new Map<string, readonly string[]>([
  ['NATIONAL', ['CHARACTER LARGE OBJECT', 'CHARACTER VARYING', 'CHAR VARYING', 'CHARACTER', 'CHAR']],
  ['BINARY', ['LARGE OBJECT', 'VARYING']],
  ['CHAR', ['LARGE OBJECT', 'VARYING']],
  ['CHARACTER', ['LARGE OBJECT', 'VARYING']],
  ['NCHAR', ['LARGE OBJECT', 'VARYING']],
  ['DOUBLE', ['PRECISION']],
  ...['TINYINT', 'SMALLINT', 'MEDIUMINT', 'INT', 'INTEGER', 'BIGINT', 'INT1'].map(
    (name) => [name, ['SIGNED', 'UNSIGNED']] as const,
  ),
])

/** A data type: `Array(Nullable(String))`, `DOUBLE PRECISION`, `JSON(max_dynamic_paths = 16, a.b Int64)`. */
export function parseType(cursor: Cursor): TypeNode {
  const bare = cursor.atToken(Token.word)
  let name = cursor.identifier('data type')
  if (bare && cursor.kinds[cursor.index] === Token.word && name.length <= 9) {
    for (const suffix of NAME_SUFFIXES.get(name.toUpperCase()) ?? []) {
      if (!cursor.accept(suffix)) continue
      name = `${name} ${suffix}`
      break
    }
  }
  if (!cursor.atToken(Token.leftParen)) return { kind: 'type', name }
  cursor.enter()
  cursor.index++
  const args: TypeArgument[] = []
  while (!cursor.acceptToken(Token.rightParen)) {
    if (args.length > 0) cursor.expectToken(Token.comma, ',')
    args.push(parseTypeArgument(cursor, name))
  }
  cursor.leave()
  return { kind: 'type', name, args }
}

function parseTypeArgument(cursor: Cursor, typeName: string): TypeArgument {
  switch (typeName) {
    case 'Tuple':
    case 'Nested':
      return parseElement(cursor)
    case 'AggregateFunction':
    case 'SimpleAggregateFunction':
      return parseAggregateArgument(cursor)
    default:
  }
  switch (cursor.kind) {
    case Token.string:
      return parseEnumValue(cursor)
    case Token.number:
    case Token.minus:
      return parseLiteral(cursor)
    default:
  }
  if (isObjectType(typeName)) return parseJsonArgument(cursor)
  if (cursor.kindAt(cursor.index + 1) === Token.equals) {
    const name = cursor.identifier()
    cursor.index++
    return { kind: 'jsonParameter', name, value: parseLiteral(cursor) }
  }
  return parseType(cursor)
}

function isObjectType(name: string): boolean {
  return name === 'JSON' || name === 'Object' || name.toUpperCase() === 'JSON'
}

/** `name Type` or just `Type`: an element is named when another name follows the first. */
function parseElement(cursor: Cursor): TypeArgument {
  const next = cursor.kindAt(cursor.index + 1)
  if (next === Token.word || next === Token.quotedIdentifier) {
    const named = cursor.attempt(() => {
      const name = cursor.identifier()
      const type = parseType(cursor)
      if (!cursor.atToken(Token.comma) && !cursor.atToken(Token.rightParen)) cursor.fail(',')
      return { kind: 'namedType' as const, name, type }
    })
    if (named) return named
  }
  return parseType(cursor)
}

/** `sum`, `quantiles(0.5, 0.9)`, a version number, then the types of the arguments. */
function parseAggregateArgument(cursor: Cursor): TypeArgument {
  if (cursor.kind === Token.number) return parseLiteral(cursor)
  const literalArguments = cursor.attempt(() => parseType(cursor))
  if (literalArguments && (cursor.atToken(Token.comma) || cursor.atToken(Token.rightParen))) return literalArguments
  return parseExpression(cursor)
}

function parseEnumValue(cursor: Cursor): TypeArgument {
  const literal = parseLiteral(cursor) as Literal & { readonly value: string }
  if (!cursor.acceptToken(Token.equals)) return literal
  const value = acceptLiteral(cursor) ?? cursor.fail('number')
  return { kind: 'enumValue', name: literal.value, value }
}

function parseJsonArgument(cursor: Cursor): TypeArgument {
  if (cursor.at('SKIP REGEXP')) {
    cursor.index += 2
    return { kind: 'jsonSkipRegexp', pattern: cursor.string() }
  }
  if (cursor.at('SKIP')) {
    cursor.index++
    return { kind: 'jsonSkip', path: parseCompoundIdentifier(cursor) }
  }
  if (cursor.kindAt(cursor.index + 1) === Token.equals) {
    const name = cursor.identifier()
    cursor.index++
    return { kind: 'jsonParameter', name, value: parseLiteral(cursor) }
  }
  return { kind: 'jsonPath', path: parseCompoundIdentifier(cursor), type: parseType(cursor) }
}
