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

/** Integer types whose display width, `INT(11)`, the server reads and forgets. */
const WIDTH_TYPES: ReadonlySet<string> = new Set(
  (
    'TINYINT SMALLINT MEDIUMINT INT INTEGER BIGINT INT1 INT8 INT16 INT32 INT64 INT128 INT256 ' +
    'UINT8 UINT16 UINT32 UINT64 UINT128 UINT256'
  ).split(' '),
)

/** A data type: `Array(Nullable(String))`, `DOUBLE PRECISION`, `JSON(max_dynamic_paths = 16, a.b Int64)`. */
export function parseType(cursor: Cursor): TypeNode {
  const bare = cursor.atToken(Token.word)
  let name = cursor.identifier('data type')
  const next = cursor.kinds[cursor.index]
  if (bare && name.length <= 9 && (next === Token.word || next === Token.leftParen)) {
    const upper = name.toUpperCase()
    if (
      next === Token.leftParen &&
      WIDTH_TYPES.has(upper) &&
      cursor.kindAt(cursor.index + 1) === Token.number &&
      cursor.kindAt(cursor.index + 2) === Token.rightParen
    )
      cursor.index += 3
    const suffix = NAME_SUFFIXES.get(upper)?.find((words) => cursor.accept(words))
    if (suffix) name = `${upper} ${suffix}`
  }
  if (!cursor.atToken(Token.leftParen)) return { kind: 'type', name }
  cursor.enter()
  cursor.index++
  const args: TypeArgument[] = []
  while (!cursor.acceptToken(Token.rightParen)) {
    if (args.length > 0) {
      cursor.expectToken(Token.comma, ',')
      if (cursor.acceptToken(Token.rightParen)) break
    }
    args.push(parseTypeArgument(cursor, name, args))
  }
  cursor.leave()
  return { kind: 'type', name, args }
}

function parseTypeArgument(cursor: Cursor, typeName: string, before: readonly TypeArgument[]): TypeArgument {
  switch (typeName) {
    case 'Tuple':
    case 'Nested':
      return parseElement(cursor)
    case 'AggregateFunction':
    case 'SimpleAggregateFunction':
      // A version number may come first, then the function with its parameters, then the types of its arguments.
      if (before.every((argument) => argument.kind === 'literal')) {
        return cursor.kind === Token.number ? parseLiteral(cursor) : parseExpression(cursor)
      }
      return parseType(cursor)
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
  if (typeName.length === 4 && typeName.toUpperCase() === 'JSON') return parseJsonArgument(cursor)
  if (cursor.kindAt(cursor.index + 1) === Token.equals) {
    const name = cursor.identifier()
    cursor.index++
    return { kind: 'jsonParameter', name, value: parseLiteral(cursor) }
  }
  return parseType(cursor)
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
