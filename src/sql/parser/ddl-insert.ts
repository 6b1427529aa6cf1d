import type { Expression, FunctionCall, Query, Setting, WithElement } from '../ast.js'
import type { DeleteStatement, InsertStatement, ObjectName, UpdateStatement } from '../ast-ddl.js'
import { Token } from '../lexer.js'
import type { Cursor } from './cursor.js'
import { atQuery, parseAssignments, parseCluster, parseInPartition, parseObjectName } from './ddl-common.js'
import { parseTableFunction } from './ddl-create.js'
import { parseExpressionWithoutAlias as parseExpression } from './expression.js'
import { parseQuery, parseSettings } from './query.js'

/** INSERT INTO; the words are consumed. `withElements` stood before INSERT and belong to its query. */
export function parseInsert(cursor: Cursor, withElements?: readonly WithElement[]): InsertStatement {
  cursor.accept('TABLE')
  let table: ObjectName | undefined
  let target: FunctionCall | undefined
  let partitionBy: Expression | undefined
  if (cursor.at('FUNCTION') && cursor.kindAt(cursor.index + 1) !== Token.dot && !isTableNamedFunction(cursor)) {
    cursor.advance()
    target = parseTableFunction(cursor)
    if (cursor.accept('PARTITION BY')) partitionBy = parseExpression(cursor)
  } else table = parseObjectName(cursor)
  const columns = parseInsertColumns(cursor)
  const infile = parseInfile(cursor)
  const settings = cursor.accept('SETTINGS') ? parseSettings(cursor) : undefined
  const node: { -readonly [K in keyof InsertStatement]: InsertStatement[K] } = {
    kind: 'insert',
    table,
    function: target,
    partitionBy,
    columns,
    infile,
    settings,
    select: undefined,
    format: undefined,
    data: undefined,
  }

  if (cursor.at('VALUES')) {
    cursor.advance()
    node.format = 'Values'
    node.data = restOfText(cursor)
  } else if (cursor.accept('FORMAT')) {
    node.format = cursor.identifier('format')
    node.data = infile ? undefined : restOfText(cursor)
  } else if (infile === undefined || atQuery(cursor)) {
    const select = withFirst(parseQuery(cursor), withElements)
    node.format = cursor.accept('FORMAT') ? cursor.identifier('format') : undefined
    node.settings = mergedSettings(settings, settingsOf(select))
    node.select = select
  }
  return node
}

function isTableNamedFunction(cursor: Cursor): boolean {
  const next = cursor.kindAt(cursor.index + 1)
  return next !== Token.word && next !== Token.quotedIdentifier
}

function parseInsertColumns(cursor: Cursor): Expression[] | undefined {
  if (!cursor.atToken(Token.leftParen) || atQuery(cursor)) return undefined
  cursor.advance()
  const columns = [parseExpression(cursor)]
  // A comma may stand before the closing bracket.
  while (cursor.acceptToken(Token.comma) && !cursor.atToken(Token.rightParen)) columns.push(parseExpression(cursor))
  cursor.expectToken(Token.rightParen, ')')
  return columns
}

function parseInfile(cursor: Cursor): InsertStatement['infile'] {
  if (!cursor.accept('FROM INFILE')) return undefined
  const path = cursor.string('file name')
  return { path, compression: cursor.accept('COMPRESSION') ? cursor.string('compression') : undefined }
}

/** All text after the last token that was read, white space at its ends and the closing semicolon left out. */
function restOfText(cursor: Cursor): string | undefined {
  const from = cursor.ends[cursor.index - 1]!
  cursor.index = cursor.tokens.count
  const text = cursor.source.slice(from).trim()
  const data = text.endsWith(';') ? text.slice(0, -1).trimEnd() : text
  return data === '' ? undefined : data
}

/** Settings of a query's last SELECT: the server copies them to the INSERT. */
function settingsOf(query: Query): readonly Setting[] | undefined {
  if (query.kind === 'select') return query.settings
  if (query.kind === 'union') return settingsOf(query.queries[query.queries.length - 1]!)
  return undefined
}

function mergedSettings(
  own: readonly Setting[] | undefined,
  fromSelect: readonly Setting[] | undefined,
): readonly Setting[] | undefined {
  if (own === undefined || fromSelect === undefined) return own ?? fromSelect
  const names = new Set(own.map((setting) => setting.name))
  return [...own, ...fromSelect.filter((setting) => !names.has(setting.name))]
}

/** `query` with `elements` before every SELECT in it: a WITH before INSERT speaks to all of them. */
function withFirst(query: Query, elements: readonly WithElement[] | undefined): Query {
  if (elements === undefined) return query
  if (query.kind === 'select') return { ...query, with: [...elements, ...(query.with ?? [])] }
  if (query.kind === 'union') return { ...query, queries: query.queries.map((part) => withFirst(part, elements)) }
  return query
}

/** `DELETE FROM`; the words are consumed. */
export function parseDeleteFrom(cursor: Cursor): DeleteStatement {
  const table = parseObjectName(cursor)
  const cluster = parseCluster(cursor)
  const partition = parseInPartition(cursor)
  cursor.expect('WHERE')
  return { kind: 'deleteFrom', table, cluster, partition, where: parseExpression(cursor) }
}

/** `UPDATE table SET ..`; UPDATE is consumed. */
export function parseUpdateTable(cursor: Cursor): UpdateStatement {
  const table = parseObjectName(cursor)
  const cluster = parseCluster(cursor)
  cursor.expect('SET')
  const assignments = parseAssignments(cursor)
  const partition = parseInPartition(cursor)
  cursor.expect('WHERE')
  return { kind: 'updateTable', table, cluster, assignments, partition, where: parseExpression(cursor) }
}
