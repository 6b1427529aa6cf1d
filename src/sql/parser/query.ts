import type {
  ExplainQuery,
  Expression,
  FunctionCall,
  GroupBy,
  Identifier,
  LimitBy,
  Literal,
  Query,
  QueryWithOutput,
  SelectQuery,
  Setting,
  Subquery,
  UnionMode,
  WithElement,
} from '../ast.js'
import { Token } from '../lexer.js'
import { printSettings } from '../printer/query.js'
import { type Cursor, parseCommaList } from './cursor.js'
import {
  parseExpression,
  parseExpressionList,
  parseExpressionWithoutAlias,
  parseSelectExpression,
  startsQuery,
} from './expression.js'
import { acceptParameter } from './identifier.js'
import { parseLiteral } from './literal.js'
import { parseInterpolate, parseOrderByList } from './order-by.js'
import { parseTables } from './tables.js'
import { parseWindowDefinition } from './window.js'

type Fresh<T> = { -readonly [K in keyof T]: T[K] }

const UNION_MODES: readonly UnionMode[] = [
  'UNION ALL',
  'UNION DISTINCT',
  'UNION',
  'INTERSECT ALL',
  'INTERSECT DISTINCT',
  'INTERSECT',
  'EXCEPT ALL',
  'EXCEPT DISTINCT',
  'EXCEPT',
]

/** One query or several joined by UNION, INTERSECT, EXCEPT; also EXPLAIN and VALUES where they stand as a query. */
export function parseSelectWithUnion(cursor: Cursor): Query {
  cursor.enter()
  if (cursor.kinds[cursor.index] === Token.word) {
    if (cursor.at('EXPLAIN')) return leave(cursor, viewExplain(parseExplain(cursor)))
  }
  const first = parseUnionElement(cursor)
  if (cursor.kinds[cursor.index] !== Token.word) return leave(cursor, first)
  let mode = acceptUnionMode(cursor)
  if (mode === undefined) return leave(cursor, first)
  const queries = [first]
  const modes: UnionMode[] = []
  while (mode) {
    modes.push(mode)
    queries.push(parseUnionElement(cursor))
    mode = acceptUnionMode(cursor)
  }
  return leave(cursor, { kind: 'union', queries, modes })
}

function acceptUnionMode(cursor: Cursor): UnionMode | undefined {
  for (const mode of UNION_MODES) if (cursor.accept(mode)) return mode
  return undefined
}

/** Any query that yields rows, without what may follow a whole statement. */
export const parseQuery = parseSelectWithUnion

function leave<T>(cursor: Cursor, node: T): T {
  cursor.leave()
  return node
}

function parseUnionElement(cursor: Cursor): Query {
  if (!cursor.atToken(Token.leftParen)) return parseSelect(cursor)
  cursor.index++
  const query = parseSelectWithUnion(cursor)
  cursor.expectToken(Token.rightParen, ')')
  return query
}

/** What the server makes of EXPLAIN inside brackets: a SELECT from the table function viewExplain. */
function viewExplain(explain: ExplainQuery): SelectQuery {
  const text = (value: string): Literal => ({ kind: 'literal', type: 'string', value })
  const settings = explain.settings ? printSettings(explain.settings) : ''
  return selectAllFrom({
    kind: 'function',
    name: 'viewExplain',
    args: [text(explain.mode), text(settings), { kind: 'subquery', query: explain.query }],
  })
}

/** `SELECT * FROM source`. */
export function selectAllFrom(source: FunctionCall | Identifier | Subquery): SelectQuery {
  return { kind: 'select', columns: [{ kind: 'asterisk' }], from: [{ kind: 'table', table: { source } }] }
}

/** `EXPLAIN [mode] [settings]`, without what is explained. `mode` is spelled as the server prints it. */
export function parseExplainHead(cursor: Cursor): { mode: string; settings?: Setting[] } {
  cursor.expect('EXPLAIN')
  const mode = parseExplainMode(cursor)
  return cursor.kindAt(cursor.index + 1) === Token.equals ? { mode, settings: parseSettings(cursor) } : { mode }
}

function parseExplainMode(cursor: Cursor): string {
  const mode = cursor.acceptOneOf('AST', 'SYNTAX', 'QUERY TREE', 'PIPELINE', 'PLAN', 'ESTIMATE')
  return mode === undefined || mode === 'PLAN' ? 'EXPLAIN' : `EXPLAIN ${mode}`
}

/** `EXPLAIN [mode] [settings] query`. */
export function parseExplain(cursor: Cursor): ExplainQuery {
  const head = parseExplainHead(cursor)
  return { kind: 'explain', ...head, query: parseSelectWithUnion(cursor) }
}

/** A query with INTO OUTFILE, FORMAT and SETTINGS after it where the text has them. EXPLAIN stays EXPLAIN here. */
export function parseQueryWithOutput(cursor: Cursor): Query {
  const query = cursor.at('EXPLAIN') ? parseExplain(cursor) : parseSelectWithUnion(cursor)
  if (cursor.kinds[cursor.index] !== Token.word) return query
  const node: Fresh<QueryWithOutput> = { kind: 'output', query }
  if (cursor.accept('INTO OUTFILE')) node.outfile = parseOutfile(cursor)
  if (cursor.accept('FORMAT')) node.format = cursor.identifier('format name')
  if (cursor.accept('SETTINGS')) node.settings = parseSettings(cursor)
  return node.outfile || node.format || node.settings ? node : query
}

function parseOutfile(cursor: Cursor): NonNullable<QueryWithOutput['outfile']> {
  const outfile: Fresh<NonNullable<QueryWithOutput['outfile']>> = { path: cursor.string() }
  if (cursor.accept('APPEND')) outfile.append = true
  if (cursor.accept('TRUNCATE')) outfile.truncate = true
  if (cursor.accept('AND STDOUT')) outfile.stdout = true
  if (cursor.accept('COMPRESSION')) {
    outfile.compression = cursor.string()
    if (cursor.accept('LEVEL')) outfile.level = parseLiteral(cursor)
  }
  return outfile
}

/** `name = value, ..` after SETTINGS; at least one. */
export function parseSettings(cursor: Cursor): Setting[] {
  const settings = [parseSetting(cursor)]
  while (cursor.atToken(Token.comma)) {
    cursor.index++
    settings.push(parseSetting(cursor))
  }
  return settings
}

/** `name = value`, or a name alone, which switches the setting on. */
export function parseSetting(cursor: Cursor): Setting {
  let name = cursor.identifier('setting name')
  while (cursor.acceptToken(Token.dot)) name += `.${cursor.identifier('setting name')}`
  if (!cursor.acceptToken(Token.equals)) return { name, value: { kind: 'literal', type: 'bool', value: true } }
  return { name, value: parseSettingValue(cursor) }
}

/** What may stand after `=` in SETTINGS: a constant, DEFAULT, a parameter, or a call such as `disk(..)`. */
export function parseSettingValue(cursor: Cursor): Setting['value'] {
  if (cursor.accept('DEFAULT')) return { kind: 'default' }
  const parameter = acceptParameter(cursor)
  if (parameter) return parameter
  if (cursor.atToken(Token.word) && cursor.kindAt(cursor.index + 1) === Token.leftParen) {
    const value = parseExpression(cursor)
    if (value.kind === 'function') return value
  }
  return parseLiteral(cursor)
}

/** The elements of a WITH clause; the cursor is after WITH (and RECURSIVE). */
export function parseWithElements(cursor: Cursor): WithElement[] {
  const elements = [parseWithElement(cursor)]
  while (cursor.acceptToken(Token.comma)) {
    // A trailing comma is forgiven.
    if (cursor.at('SELECT')) break
    elements.push(parseWithElement(cursor))
  }
  return elements
}

/**
 * A SELECT with every field there is, in the order of the text; see nodes.ts for why.
 */
function emptySelect(): Fresh<SelectQuery> {
  return {
    kind: 'select',
    with: undefined,
    recursive: undefined,
    distinct: undefined,
    columns: [],
    from: undefined,
    prewhere: undefined,
    where: undefined,
    groupBy: undefined,
    having: undefined,
    windows: undefined,
    qualify: undefined,
    orderBy: undefined,
    orderByAll: undefined,
    interpolate: undefined,
    limitBy: undefined,
    limit: undefined,
    offset: undefined,
    withTies: undefined,
    settings: undefined,
  }
}

function parseSelect(cursor: Cursor): SelectQuery {
  const node = emptySelect()
  if (cursor.accept('WITH')) {
    if (cursor.accept('RECURSIVE')) node.recursive = true
    node.with = parseWithElements(cursor)
  }
  if (cursor.accept('FROM')) node.from = parseTables(cursor, false)
  cursor.expect('SELECT')
  let distinctOn: Expression[] | undefined
  if (cursor.at('DISTINCT') || cursor.at('ALL')) {
    const isAll = cursor.at('ALL')
    cursor.index++
    if (!isAll) {
      if (cursor.accept('ON')) {
        cursor.expectToken(Token.leftParen, '(')
        distinctOn = parseExpressionList(cursor)
        cursor.expectToken(Token.rightParen, ')')
      } else node.distinct = true
    }
  }
  parseTop(cursor, node)
  node.columns = parseSelectList(cursor)
  if (node.from === undefined && cursor.accept('FROM')) node.from = parseTables(cursor)
  if (cursor.accept('PREWHERE')) node.prewhere = parseExpression(cursor)
  if (cursor.accept('WHERE')) node.where = parseExpression(cursor)
  const groupBy = parseGroupBy(cursor)
  if (groupBy) node.groupBy = groupBy
  if (cursor.accept('HAVING')) node.having = parseExpression(cursor)
  if (cursor.accept('WINDOW')) node.windows = parseCommaList(cursor, parseNamedWindow)
  if (cursor.accept('QUALIFY')) node.qualify = parseExpression(cursor)
  if (cursor.accept('ORDER BY')) parseOrderBy(cursor, node)
  parseLimits(cursor, node)
  if (distinctOn) {
    if (node.limitBy) cursor.fail('no LIMIT BY beside DISTINCT ON')
    node.limitBy = { limit: { kind: 'literal', type: 'int', value: '1' }, by: distinctOn }
  }
  // What follows a finished SELECT may hold SETTINGS of the output clause; the first belong to the query.
  if (cursor.accept('SETTINGS')) node.settings = parseSettings(cursor)
  return node
}

function parseTop(cursor: Cursor, node: Fresh<SelectQuery>): void {
  if (!cursor.at('TOP')) return
  const next = cursor.kindAt(cursor.index + 1)
  if (next === Token.leftParen) {
    cursor.index += 2
    node.limit = parseExpression(cursor)
    cursor.expectToken(Token.rightParen, ')')
  } else if (next === Token.number) {
    cursor.index++
    node.limit = parseLiteral(cursor)
  } else return
  if (cursor.accept('WITH TIES')) node.withTies = true
}

function parseSelectList(cursor: Cursor): Expression[] {
  const columns = [parseSelectExpression(cursor)]
  while (cursor.acceptToken(Token.comma)) {
    // A trailing comma is forgiven at the end and before FROM.
    if (cursor.isEnd || cursor.atToken(Token.semicolon)) break
    if (
      cursor.at('FROM') &&
      cursor.kindAt(cursor.index + 1) !== Token.comma &&
      cursor.kindAt(cursor.index + 1) !== Token.end
    )
      break
    columns.push(parseSelectExpression(cursor))
  }
  return columns
}

function parseWithElement(cursor: Cursor): WithElement {
  const { index } = cursor
  if (cursor.atIdentifier()) {
    const named = cursor.attempt((): WithElement | undefined => {
      const name = cursor.identifier()
      let columns: string[] | undefined
      if (cursor.acceptToken(Token.leftParen)) {
        columns = parseCommaList(cursor, (at) => at.identifier())
        cursor.expectToken(Token.rightParen, ')')
      }
      cursor.expect('AS')
      const materialized = cursor.accept('MATERIALIZED') ? true : undefined
      if (!cursor.atToken(Token.leftParen) || !startsQuery(cursor, cursor.index + 1)) return cursor.fail('query')
      cursor.index++
      const query = parseSelectWithUnion(cursor)
      cursor.expectToken(Token.rightParen, ')')
      return { kind: 'withQuery', name, columns, query, materialized }
    })
    if (named) return named
    cursor.index = index
  }
  return { kind: 'withExpression', expression: parseExpression(cursor) }
}

function parseGroupBy(cursor: Cursor): GroupBy | undefined {
  if (!cursor.at('GROUP BY') && !cursor.at('WITH')) return undefined
  const node: Fresh<GroupBy> = { items: [] }
  let present = false
  if (cursor.accept('GROUP BY')) {
    present = true
    const modifier =
      cursor.kindAt(cursor.index + 1) === Token.leftParen ? cursor.acceptOneOf('ROLLUP', 'CUBE') : undefined
    if (modifier) {
      if (modifier === 'ROLLUP') node.rollup = true
      else node.cube = true
      cursor.expectToken(Token.leftParen, '(')
      node.items = parseExpressionList(cursor)
      cursor.expectToken(Token.rightParen, ')')
    } else if (cursor.accept('GROUPING SETS')) node.groupingSets = parseGroupingSets(cursor)
    else if (cursor.at('ALL') && cursor.kindAt(cursor.index + 1) !== Token.comma) {
      cursor.index++
      node.all = true
    } else node.items = parseExpressionList(cursor)
  }
  while (cursor.at('WITH')) {
    const modifier = cursor.acceptOneOf('WITH ROLLUP', 'WITH CUBE', 'WITH TOTALS')
    if (modifier === undefined) break
    present = true
    if (modifier === 'WITH ROLLUP') node.rollup = true
    else if (modifier === 'WITH CUBE') node.cube = true
    else node.totals = true
  }
  return present ? node : undefined
}

function parseGroupingSets(cursor: Cursor): Expression[][] {
  cursor.expectToken(Token.leftParen, '(')
  const sets = parseCommaList(cursor, (at) => {
    if (!at.atToken(Token.leftParen)) return [parseExpression(at)]
    const close = at.tokens.matching[at.index]!
    const afterSet = at.kindAt(close + 1)
    if (close < 0 || (afterSet !== Token.comma && afterSet !== Token.rightParen)) return [parseExpression(at)]
    at.index++
    if (at.acceptToken(Token.rightParen)) return []
    const items = parseExpressionList(at)
    at.expectToken(Token.rightParen, ')')
    return items
  })
  cursor.expectToken(Token.rightParen, ')')
  return sets
}

function parseNamedWindow(cursor: Cursor): { name: string; definition: ReturnType<typeof parseWindowDefinition> } {
  const name = cursor.identifier('window name')
  cursor.expect('AS')
  return { name, definition: parseWindowDefinition(cursor) }
}

function parseOrderBy(cursor: Cursor, node: Fresh<SelectQuery>): void {
  const items = parseOrderByList(cursor)
  const [only] = items
  if (items.length === 1 && only?.expression.kind === 'identifier' && isBareAll(only.expression)) {
    node.orderByAll = only.nulls ? { direction: only.direction, nulls: only.nulls } : { direction: only.direction }
  } else node.orderBy = items
  if (cursor.accept('INTERPOLATE')) node.interpolate = parseInterpolate(cursor)
}

function isBareAll(name: Identifier): boolean {
  const [part] = name.parts
  return name.parts.length === 1 && typeof part === 'string' && part.toUpperCase() === 'ALL'
}

function parseLimits(cursor: Cursor, node: Fresh<SelectQuery>): void {
  while (cursor.accept('LIMIT')) {
    let limit = parseExpression(cursor)
    let offset: Expression | undefined
    if (cursor.acceptToken(Token.comma)) {
      offset = limit
      limit = parseExpression(cursor)
    } else if (cursor.accept('OFFSET')) offset = parseExpression(cursor)
    if (cursor.accept('BY')) {
      node.limitBy = parseLimitBy(cursor, limit, offset)
      continue
    }
    if (node.limit) cursor.fail('one LIMIT')
    node.limit = limit
    if (offset) node.offset = offset
    if (cursor.accept('WITH TIES')) node.withTies = true
    break
  }
  if (node.offset === undefined && cursor.accept('OFFSET')) {
    node.offset = parseExpression(cursor)
    if (cursor.accept('ROWS') || cursor.accept('ROW')) {
      // The FETCH clause of the SQL standard.
    }
  }
  if (cursor.accept('FETCH')) {
    if (!cursor.accept('FIRST')) cursor.expect('NEXT')
    const limit = parseExpressionWithoutAlias(cursor)
    // TOP wins.
    node.limit ??= limit
    if (!cursor.accept('ROWS')) cursor.expect('ROW')
    if (cursor.accept('WITH TIES')) node.withTies = true
    else cursor.expect('ONLY')
  }
}

function parseLimitBy(cursor: Cursor, limit: Expression, offset: Expression | undefined): LimitBy {
  const base = offset ? { limit, offset } : { limit }
  if (cursor.at('ALL') && cursor.kindAt(cursor.index + 1) !== Token.comma) {
    cursor.index++
    return { ...base, all: true, by: [] }
  }
  return { ...base, by: parseExpressionList(cursor) }
}
