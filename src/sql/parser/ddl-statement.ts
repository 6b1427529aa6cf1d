import type { Query } from '../ast.js'
import type { ParallelStatement, SessionStatement, Statement } from '../ast-ddl.js'
import { Token } from '../lexer.js'
import { printObjectName } from '../printer/ddl-common.js'
import { printOverrideBody } from '../printer/ddl-create.js'
import { printExpression } from '../printer/expression.js'
import type { Cursor } from './cursor.js'
import { parseAccess, parseDropAccess, parseMoveAccess, parseSetRole } from './ddl-access.js'
import { parseAlter, parseAlterNamedCollection } from './ddl-alter.js'
import { parseNamePart, parseObjectName, parseOutput, parseUnsigned } from './ddl-common.js'
import { parseCreate, parseOverrideBody, parseTableFunction } from './ddl-create.js'
import { parseDrop, parseDropLike, parseExchange, parseRename, parseUndrop } from './ddl-drop.js'
import { parseGrant } from './ddl-grant.js'
import { parseDeleteFrom, parseInsert, parseUpdateTable } from './ddl-insert.js'
import {
  parseBackup,
  parseCheck,
  parseDescribe,
  parseExecuteAs,
  parseExists,
  parseKill,
  parseOptimize,
  parseShow,
  parseSystem,
} from './ddl-system.js'
import { parseExplainHead, parseQueryWithOutput, parseSettings, parseWithElements } from './query.js'

/** The statement at the cursor, up to the end of the text or a closing semicolon. Fails on anything that follows. */
export function parseWholeStatement(cursor: Cursor): Statement {
  const statement = parseParallel(cursor)
  while (cursor.acceptToken(Token.semicolon));
  if (!cursor.isEnd) cursor.fail('end of statement')
  return statement
}

function parseParallel(cursor: Cursor): Statement {
  const first = parseOne(cursor)
  if (!cursor.at('PARALLEL WITH')) return first
  const statements = [first]
  while (cursor.accept('PARALLEL WITH')) statements.push(parseOne(cursor))
  const parallel: ParallelStatement = { kind: 'parallel', statements }
  return parallel
}

/** One statement without what PARALLEL WITH adds. */
function parseOne(cursor: Cursor): Statement {
  const statement = parseKnown(cursor)
  if (isQuery(statement)) return statement
  const output = parseOutput(cursor)
  return output === undefined ? statement : { ...statement, output }
}

function isQuery(statement: Statement): statement is Query | ParallelStatement {
  switch (statement.kind) {
    case 'select':
    case 'union':
    case 'setOperation':
    case 'explain':
    case 'output':
    case 'unparsed':
    case 'parallel':
      return true
    default:
      return false
  }
}

function parseKnown(cursor: Cursor): Statement {
  const parse = cursor.kind === Token.word ? STATEMENTS.get(cursor.text().toUpperCase()) : undefined
  if (parse === undefined) return parseQueryWithOutput(cursor)
  const { index } = cursor
  cursor.advance()
  const statement = parse(cursor)
  if (statement !== undefined) return statement
  cursor.index = index + 1
  return cursor.fail('a known statement')
}

type Parser = (cursor: Cursor) => Statement | undefined

/** Each first word with the function that reads the rest; `undefined` from it means: not a statement that is known. */
const STATEMENTS: ReadonlyMap<string, Parser> = new Map<string, Parser>([
  ['CREATE', (cursor) => parseAccess(cursor, 'CREATE') ?? parseCreate(cursor, 'CREATE')],
  ['ATTACH', (cursor) => parseCreate(cursor, 'ATTACH')],
  ['REPLACE', (cursor) => parseCreate(cursor, 'REPLACE')],
  [
    'ALTER',
    (cursor) =>
      parseAccess(cursor, 'ALTER') ??
      (cursor.accept('NAMED COLLECTION') ? parseAlterNamedCollection(cursor) : parseAlter(cursor)),
  ],
  ['DROP', (cursor) => parseDropAccess(cursor) ?? parseDrop(cursor)],
  ['DETACH', (cursor) => parseDropLike(cursor, 'DETACH')],
  ['TRUNCATE', (cursor) => parseDropLike(cursor, 'TRUNCATE')],
  ['UNDROP', parseUndrop],
  ['RENAME', parseRename],
  ['EXCHANGE', parseExchange],
  ['MOVE', parseMoveAccess],
  ['INSERT', (cursor) => (cursor.accept('INTO') ? parseInsert(cursor) : undefined)],
  ['WITH', parseAfterWith],
  ['DELETE', (cursor) => (cursor.accept('FROM') ? parseDeleteFrom(cursor) : undefined)],
  ['UPDATE', parseUpdateTable],
  ['OPTIMIZE', (cursor) => (cursor.accept('TABLE') ? parseOptimize(cursor) : undefined)],
  ['KILL', parseKill],
  ['SYSTEM', parseSystem],
  ['GRANT', (cursor) => parseGrant(cursor, 'GRANT')],
  ['REVOKE', (cursor) => parseGrant(cursor, 'REVOKE')],
  ['CHECK', (cursor) => (cursor.accept('GRANT') ? parseGrant(cursor, 'CHECK GRANT') : parseCheck(cursor))],
  ['SET', parseSet],
  ['USE', parseUse],
  ['BACKUP', (cursor) => parseBackup(cursor, 'BACKUP')],
  ['RESTORE', (cursor) => parseBackup(cursor, 'RESTORE')],
  ['EXPLAIN', parseExplain],
  ['SHOW', parseShow],
  ['EXISTS', parseExists],
  ['DESCRIBE', parseDescribe],
  ['DESC', parseDescribe],
  ['EXECUTE', parseExecute],
  ['WATCH', parseWatch],
  ['BEGIN', (cursor) => session(cursor.accept('TRANSACTION'), 'BEGIN TRANSACTION')],
  ['START', (cursor) => session(cursor.accept('TRANSACTION'), 'BEGIN TRANSACTION')],
  ['COMMIT', () => session(true, 'COMMIT')],
  ['ROLLBACK', () => session(true, 'ROLLBACK')],
])

function session(matched: boolean, text: string): SessionStatement | undefined {
  return matched ? { kind: 'session', text } : undefined
}

/** `WITH .. INSERT INTO`: the WITH moves into the query. Any other WITH starts a query. */
function parseAfterWith(cursor: Cursor): Statement {
  const { index } = cursor
  const elements = cursor.attempt(() => {
    const parsed = parseWithElements(cursor)
    cursor.expect('INSERT INTO')
    return parsed
  })
  if (elements !== undefined) return parseInsert(cursor, elements)
  cursor.index = index - 1
  return parseQueryWithOutput(cursor)
}

function parseSet(cursor: Cursor): Statement {
  if (cursor.accept('DEFAULT ROLE')) return parseSetRole(cursor, true)
  if (cursor.accept('ROLE')) return parseSetRole(cursor, false)
  if (cursor.accept('TRANSACTION SNAPSHOT')) {
    const number = cursor.text()
    cursor.expectToken(Token.number, 'number')
    return { kind: 'session', text: `SET TRANSACTION SNAPSHOT ${number}` }
  }
  return { kind: 'set', settings: parseSettings(cursor) }
}

function parseUse(cursor: Cursor): Statement {
  if (cursor.at('DATABASE') && cursor.kindAt(cursor.index + 1) !== Token.end) cursor.advance()
  return { kind: 'use', database: parseNamePart(cursor) }
}

function parseWatch(cursor: Cursor): Statement {
  let text = `WATCH ${printObjectName(parseObjectName(cursor))}`
  if (cursor.accept('EVENTS')) text += ' EVENTS'
  if (cursor.accept('LIMIT')) text += ` LIMIT ${parseUnsigned(cursor)}`
  return { kind: 'session', text }
}

function parseExecute(cursor: Cursor): Statement | undefined {
  if (!cursor.accept('AS')) return undefined
  const head = parseExecuteAs(cursor)
  if (cursor.isEnd || cursor.atToken(Token.semicolon)) return { ...head }
  return { ...head, statement: parseOne(cursor) }
}

function parseExplain(cursor: Cursor): Statement {
  const start = cursor.index - 1
  if (cursor.accept('CURRENT TRANSACTION')) return { kind: 'session', text: 'EXPLAIN CURRENT TRANSACTION' }
  if (cursor.accept('TABLE OVERRIDE')) {
    const source = printExpression(parseTableFunction(cursor))
    const body = printOverrideBody(parseOverrideBody(cursor, ''))
    return { kind: 'inspect', command: 'EXPLAIN', text: `EXPLAIN TABLE OVERRIDE ${source} ${body}` }
  }
  const query = cursor.attempt(() => {
    cursor.index = start
    return parseQueryWithOutput(cursor)
  })
  if (query !== undefined) return query
  cursor.index = start
  const { mode, settings } = parseExplainHead(cursor)
  return { kind: 'explainStatement', mode, settings, statement: parseOne(cursor) }
}
