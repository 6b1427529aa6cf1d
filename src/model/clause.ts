import type { Expression, FunctionCall, Query, Setting, TypeNode } from '../sql/ast.js'
import type {
  CreateDictionary,
  CreateFunction,
  ObjectName,
  ProjectionDeclaration,
  RefreshStrategy,
  StorageDefinition,
  TtlRule,
} from '../sql/ast-ddl.js'
import { parseWhole } from '../sql/parse.js'
import type { Cursor } from '../sql/parser/cursor.js'
import {
  parseCallList,
  parseNamedCall,
  parseObjectName,
  parseProjection,
  parseRefresh,
  parseStorage,
  parseTtl,
} from '../sql/parser/ddl-common.js'
import { parseDictionary } from '../sql/parser/ddl-dictionary.js'
import { parseExpression } from '../sql/parser/expression.js'
import { parseQuery, parseSettingValue } from '../sql/parser/query.js'
import { parseType } from '../sql/parser/type.js'
import type { ParseWarning } from '../sql/warning.js'

/** The tree of a clause, or why there is none. */
export type Parsed<T> =
  | { readonly node: T; readonly problem?: undefined }
  | { readonly node?: undefined; readonly problem: ParseWarning }

/** More texts than one schema holds; beyond it the memory is given back. */
const MEMO_SIZE = 50_000

/** A reader of whole texts that reads each text once: the same text always yields the same tree. */
function reader<T>(parse: (cursor: Cursor) => T, wrap: (text: string) => string = (text) => text) {
  const memo = new Map<string, Parsed<T>>()
  return (text: string): Parsed<T> => {
    let parsed = memo.get(text)
    if (parsed === undefined) {
      if (memo.size >= MEMO_SIZE) memo.clear()
      parsed = readWhole(wrap(text), parse)
      memo.set(text, parsed)
    }
    return parsed
  }
}

function readWhole<T>(text: string, parse: (cursor: Cursor) => T): Parsed<T> {
  // The parsed tree travels in a box, so that an `unparsed` node of a query is not taken for a failure.
  const { node, warnings } = parseWhole(text, (cursor) => ({ kind: 'parsed' as const, tree: parse(cursor) }))
  return node.kind === 'parsed' ? { node: node.tree } : { problem: warnings[0]! }
}

/** A data type. */
export const readType: (text: string) => Parsed<TypeNode> = reader(parseType)

/** What stands behind `=` in SETTINGS. */
export const readSettingValue: (text: string) => Parsed<Setting['value']> = reader(parseSettingValue)

/** An expression. */
export const readExpression: (text: string) => Parsed<Expression> = reader(parseExpression)

/** A query; one trailing semicolon is forgiven. */
export const readQuery: (text: string) => Parsed<Query> = reader(parseQuery, (text) => text.replace(/;\s*$/, ''))

/** The inside of CODEC or STATISTICS, with or without that word and its brackets. */
export const readCalls: (text: string) => Parsed<readonly FunctionCall[]> = reader(
  (cursor) => {
    cursor.acceptOneOf('CODEC', 'STATISTICS')
    return parseCallList(cursor)
  },
  (text) => (/^\s*(?:codec|statistics)\s*\(/i.test(text) ? text : `(${text})`),
)

/** A name with optional brackets: the type of an index. */
export const readCall: (text: string) => Parsed<FunctionCall> = reader(parseNamedCall)

/** An engine with its parameters. */
export const readEngine: (text: string) => Parsed<StorageDefinition | undefined> = reader(
  parseStorage,
  (text) => `ENGINE = ${text}`,
)

const readSortingKey = reader(parseStorage, (text) => `ORDER BY ${text}`)

/** A key: `a`, `(a, b)`, `a DESC`, or a bare list `a, b`. */
export function readKey(text: string): Parsed<Expression> {
  const parsed = orElse(readSortingKey(text), () => readSortingKey(`(${text})`))
  if (parsed.problem !== undefined) return parsed
  return parsed.node?.orderBy === undefined
    ? { problem: { message: 'expected a key', token: '', offset: 0, line: 1, column: 1 } }
    : { node: parsed.node.orderBy }
}

const readTtlRules = reader(parseTtl)

/** Rules of a table TTL, with or without that word in front. */
export function readTtl(text: string): Parsed<readonly TtlRule[]> {
  return orElse(readTtlRules(text), () => readTtlRules(text.replace(/^\s*ttl\s/i, '')))
}

/** What a data skipping index is over: an expression, or a bare list of them. */
export function readIndexed(text: string): Parsed<Expression> {
  return orElse(readExpression(text), () => readExpression(`(${text})`))
}

/** The second reading where the first has a problem and the second has none. */
function orElse<T>(first: Parsed<T>, second: () => Parsed<T>): Parsed<T> {
  if (first.problem === undefined) return first
  const other = second()
  return other.problem === undefined ? other : first
}

/** `name (SELECT ..)` or `name INDEX e TYPE t`. */
export const readProjection: (text: string) => Parsed<ProjectionDeclaration> = reader(parseProjection)

/** What stands after REFRESH. */
export const readRefresh: (text: string) => Parsed<RefreshStrategy> = reader(parseRefresh)

/** `[db.]name`. */
export const readName: (text: string) => Parsed<ObjectName> = reader(parseObjectName)

/** `d (attributes) PRIMARY KEY ..` and the other clauses of a dictionary. */
export const readDictionary: (text: string) => Parsed<CreateDictionary> = reader((cursor) =>
  parseDictionary(cursor, 'CREATE', undefined),
)

/** The lambda of a function. */
export const readLambda: (text: string) => Parsed<CreateFunction['body']> = reader(parseExpression)

/** The constant that a setting or default is given, from a JavaScript value. */
export function literalNode(value: string | number | bigint | boolean | null): Expression {
  if (value === null) return { kind: 'literal', type: 'null' }
  if (typeof value === 'boolean') return { kind: 'literal', type: 'bool', value }
  if (typeof value === 'string') return { kind: 'literal', type: 'string', value }
  const parsed = readExpression(String(value))
  return parsed.problem === undefined ? parsed.node : { kind: 'literal', type: 'float', value: String(value) }
}
