import type { Expression, FunctionCall, Query } from '../ast.js'
import type {
  CollectionEntry,
  CreateDatabase,
  CreateFunction,
  CreateIndex,
  CreateNamedCollection,
  CreateResource,
  CreateTable,
  CreateView,
  CreateWorkload,
  ObjectName,
  Statement,
  StorageDefinition,
  TableElements,
  TableOverride,
} from '../ast-ddl.js'
import { Token } from '../lexer.js'
import { type Cursor, parseCommaList } from './cursor.js'
import {
  atQuery,
  flag,
  type ParsedElements,
  parseCluster,
  parseComment,
  parseElements,
  parseEngine,
  parseIndexTail,
  parseNamedCall,
  parseNameOrString,
  parseNamePart,
  parseObjectName,
  parseRefresh,
  parseSqlSecurity,
  parseStorage,
  parseTargets,
  parseUuid,
  withPrimaryKey,
} from './ddl-common.js'
import { parseDictionary } from './ddl-dictionary.js'
import { parseExpressionWithoutAlias as parseExpression, parseFunction } from './expression.js'
import { operation } from './nodes.js'
import { parseQuery, parseSetting, parseSettings } from './query.js'

/** CREATE, ATTACH or REPLACE of anything but access objects; the first word is consumed. */
export function parseCreate(cursor: Cursor, action: 'CREATE' | 'ATTACH' | 'REPLACE'): Statement | undefined {
  const orReplace = action === 'CREATE' ? flag(cursor, 'OR REPLACE') : undefined
  const temporary = flag(cursor, 'TEMPORARY')
  if (cursor.accept('TABLE')) return parseCreateTable(cursor, action, orReplace, temporary)
  if (action !== 'REPLACE') {
    const view = cursor.acceptOneOf('MATERIALIZED VIEW', 'WINDOW VIEW', 'VIEW')
    if (view !== undefined) return parseCreateView(cursor, action, view, orReplace, temporary)
  }
  if (temporary) return undefined
  if (cursor.accept('DICTIONARY')) return parseDictionary(cursor, action, orReplace)
  if (action !== 'REPLACE' && cursor.accept('DATABASE')) return parseCreateDatabase(cursor, action)
  if (action !== 'CREATE') return undefined
  if (cursor.accept('FUNCTION')) return parseCreateFunction(cursor, orReplace)
  if (cursor.accept('WORKLOAD')) return parseCreateWorkload(cursor, orReplace)
  if (cursor.accept('RESOURCE')) return parseCreateResource(cursor, orReplace)
  if (cursor.accept('NAMED COLLECTION')) return parseCreateNamedCollection(cursor)
  if (cursor.accept('UNIQUE INDEX')) return parseCreateIndex(cursor, { unique: true })
  if (cursor.accept('HYPOTHETICAL INDEX')) return parseCreateIndex(cursor, { hypothetical: true })
  if (cursor.accept('INDEX')) return parseCreateIndex(cursor, {})
  return undefined
}

/** What stands after AS in CREATE TABLE. */
interface TableSource {
  readonly asTable?: ObjectName
  readonly asFunction?: FunctionCall
  readonly asSelect?: Query
}

function parseTableSource(cursor: Cursor): TableSource {
  if (atQuery(cursor)) return { asSelect: parseQuery(cursor) }
  const name = parseObjectName(cursor)
  if (!cursor.atToken(Token.leftParen)) return { asTable: name }
  cursor.index--
  return { asFunction: parseTableFunction(cursor) }
}

/** A table function; its arguments may be whole queries. Brackets after its own are left alone. */
export function parseTableFunction(cursor: Cursor): FunctionCall {
  const name = cursor.identifier('table function')
  const end = cursor.atToken(Token.leftParen) ? cursor.afterBracket(cursor.index) : -1
  if (end < 0) cursor.fail('(')
  const call = parseFunction(cursor, name, true)
  if (call.kind !== 'function') return cursor.fail('table function')
  if (call.parameters === undefined) return call
  cursor.index = end
  return { kind: 'function', name: call.name, args: call.parameters }
}

function parseCreateTable(
  cursor: Cursor,
  action: CreateTable['action'],
  orReplace: true | undefined,
  temporary: true | undefined,
): CreateTable {
  const ifNotExists = flag(cursor, 'IF NOT EXISTS')
  const name = parseObjectName(cursor)
  const uuid = parseUuid(cursor)
  const fromPath = action === 'ATTACH' && cursor.accept('FROM') ? cursor.string('path') : undefined
  const cluster = parseCluster(cursor)
  if (action === 'ATTACH' && fromPath === undefined) {
    const word = cursor.acceptOneOf('AS NOT REPLICATED', 'AS REPLICATED')
    const attachAs = word === 'AS REPLICATED' ? 'REPLICATED' : 'NOT REPLICATED'
    if (word !== undefined)
      return { kind: 'createTable', action, orReplace, temporary, ifNotExists, name, uuid, cluster, attachAs }
  }
  let parsed: ParsedElements | undefined
  if (cursor.atToken(Token.leftParen)) parsed = parseElements(cursor)
  let storage = parseStorage(cursor)
  let targets = parseTargets(cursor)
  let comment = parseComment(cursor)
  const empty = flag(cursor, 'EMPTY')
  const clone = empty ? undefined : flag(cursor, 'CLONE')
  let source: TableSource = {}
  if (cursor.accept('AS')) source = parseTableSource(cursor)
  else if (empty || clone) cursor.fail('AS')
  if (source.asTable !== undefined && storage === undefined) {
    storage = parseStorage(cursor)
    targets ??= parseTargets(cursor)
  }
  comment ??= parseComment(cursor)
  // Written out, not spread together: this object is made for every table, and a spread costs more than the parsing.
  return {
    kind: 'createTable',
    action,
    orReplace,
    temporary,
    ifNotExists,
    name,
    uuid,
    cluster,
    fromPath,
    attachAs: undefined,
    elements: parsed?.elements,
    storage: withPrimaryKey(cursor, storage, parsed?.primaryKey),
    targets,
    comment,
    empty,
    clone,
    asTable: source.asTable,
    asFunction: source.asFunction,
    asSelect: source.asSelect,
    output: undefined,
  }
}

/** `(a, b)`: the names of a view's columns without types. */
function parseColumnAliases(cursor: Cursor): string[] {
  cursor.expectToken(Token.leftParen, '(')
  const names = parseCommaList(cursor, () => cursor.identifier('column name'))
  cursor.expectToken(Token.rightParen, ')')
  return names
}

function parseInnerEngine(cursor: Cursor): StorageDefinition | undefined {
  if (!cursor.at('INNER ENGINE')) return undefined
  cursor.advance()
  return parseStorage(cursor)
}

function parseWatermark(cursor: Cursor): CreateView['watermark'] {
  if (!cursor.accept('WATERMARK')) return undefined
  cursor.acceptToken(Token.equals)
  return cursor.acceptOneOf('STRICTLY_ASCENDING', 'ASCENDING') ?? parseExpression(cursor)
}

function parseAllowedLateness(cursor: Cursor): Expression | undefined {
  if (!cursor.accept('ALLOWED_LATENESS')) return undefined
  cursor.acceptToken(Token.equals)
  return parseExpression(cursor)
}

function parseCreateView(
  cursor: Cursor,
  action: CreateView['action'],
  view: CreateView['view'],
  orReplace: true | undefined,
  temporary: true | undefined,
): CreateView {
  const ifNotExists = flag(cursor, 'IF NOT EXISTS')
  const name = parseObjectName(cursor)
  const uuid = parseUuid(cursor)
  const cluster = parseCluster(cursor)
  const refresh = cursor.accept('REFRESH') ? parseRefresh(cursor) : undefined
  const toInnerUuid = cursor.accept('TO INNER UUID') ? cursor.string('UUID') : undefined
  const to = toInnerUuid === undefined && cursor.accept('TO') ? parseObjectName(cursor) : undefined
  let elements: TableElements | undefined
  let primaryKey: Expression | undefined
  let columnAliases: string[] | undefined
  if (cursor.atToken(Token.leftParen)) {
    columnAliases = cursor.attempt(() => parseColumnAliases(cursor))
    if (columnAliases === undefined) {
      ;({ elements, primaryKey } = parseElements(cursor))
      // The server shows both lists of a view that was made with names alone.
      if (cursor.atToken(Token.leftParen)) columnAliases = cursor.attempt(() => parseColumnAliases(cursor))
    }
  }
  const innerStorage = parseInnerEngine(cursor)
  const storage = withPrimaryKey(cursor, parseStorage(cursor), primaryKey)
  const watermark = parseWatermark(cursor)
  const allowedLateness = parseAllowedLateness(cursor)
  let populate = flag(cursor, 'POPULATE')
  let empty = flag(cursor, 'EMPTY')
  const sqlSecurity = parseSqlSecurity(cursor)
  populate ??= flag(cursor, 'POPULATE')
  empty ??= flag(cursor, 'EMPTY')
  let comment = parseComment(cursor)
  cursor.expect('AS')
  const query = parseQuery(cursor)
  comment ??= parseComment(cursor)
  return {
    kind: 'createView',
    action,
    view,
    orReplace,
    temporary,
    ifNotExists,
    name,
    uuid,
    cluster,
    refresh,
    to,
    toInnerUuid,
    elements,
    columnAliases,
    storage,
    innerStorage,
    watermark,
    allowedLateness,
    populate,
    empty,
    sqlSecurity,
    comment,
    query,
  }
}

function parseTableOverride(cursor: Cursor): TableOverride {
  const table = cursor.identifier('table')
  cursor.expectToken(Token.leftParen, '(')
  const override = parseOverrideBody(cursor, table)
  cursor.expectToken(Token.rightParen, ')')
  return override
}

/** `COLUMNS (..) ENGINE ..` of a table override; the columns may stand last. */
export function parseOverrideBody(cursor: Cursor, table: string): TableOverride {
  const columns = () => (cursor.accept('COLUMNS') ? parseElements(cursor) : undefined)
  const first = columns()
  const storage = parseStorage(cursor)
  const parsed = first ?? columns()
  return { table, columns: parsed?.elements, storage: withPrimaryKey(cursor, storage, parsed?.primaryKey) }
}

function parseCreateDatabase(cursor: Cursor, action: 'CREATE' | 'ATTACH'): CreateDatabase {
  const ifNotExists = flag(cursor, 'IF NOT EXISTS')
  const name = parseNamePart(cursor)
  const uuid = parseUuid(cursor)
  const cluster = parseCluster(cursor)
  let engine: FunctionCall | undefined
  if (cursor.accept('ENGINE')) {
    cursor.acceptToken(Token.equals)
    engine = parseEngine(cursor)
  }
  const settings = cursor.accept('SETTINGS') ? parseSettings(cursor) : undefined
  const overrides: TableOverride[] = []
  while (cursor.accept('TABLE OVERRIDE')) {
    overrides.push(parseTableOverride(cursor))
    cursor.acceptToken(Token.comma)
  }
  const comment = parseComment(cursor)
  return {
    kind: 'createDatabase',
    action,
    ifNotExists,
    name,
    uuid,
    cluster,
    engine,
    settings,
    overrides: overrides.length > 0 ? overrides : undefined,
    comment,
  }
}

function parseCreateFunction(cursor: Cursor, orReplace: true | undefined): CreateFunction {
  const ifNotExists = flag(cursor, 'IF NOT EXISTS')
  const name = cursor.identifier('function name')
  const cluster = parseCluster(cursor)
  cursor.expect('AS')
  return { kind: 'createFunction', orReplace, ifNotExists, name, cluster, body: parseExpression(cursor) }
}

/** `key = value [[NOT] OVERRIDABLE], ..`. */
export function parseCollectionEntries(cursor: Cursor): CollectionEntry[] {
  return parseCommaList(cursor, () => {
    const setting = parseSetting(cursor)
    const word = cursor.acceptOneOf('NOT OVERRIDABLE', 'OVERRIDABLE')
    return { setting, overridable: word === undefined ? undefined : word === 'OVERRIDABLE' }
  })
}

function parseCreateNamedCollection(cursor: Cursor): CreateNamedCollection {
  const ifNotExists = flag(cursor, 'IF NOT EXISTS')
  const name = cursor.identifier('collection name')
  const cluster = parseCluster(cursor)
  cursor.expect('AS')
  return { kind: 'createNamedCollection', ifNotExists, name, cluster, entries: parseCollectionEntries(cursor) }
}

function parseCreateWorkload(cursor: Cursor, orReplace: true | undefined): CreateWorkload {
  const ifNotExists = flag(cursor, 'IF NOT EXISTS')
  const name = cursor.identifier('workload name')
  const cluster = parseCluster(cursor)
  const parent = cursor.accept('IN') ? cursor.identifier('workload name') : undefined
  const settings = cursor.accept('SETTINGS')
    ? parseCommaList(cursor, () => {
        const setting = parseSetting(cursor)
        return { setting, resource: cursor.accept('FOR') ? cursor.identifier('resource name') : undefined }
      })
    : undefined
  return { kind: 'createWorkload', orReplace, ifNotExists, name, cluster, parent, settings }
}

function parseCreateResource(cursor: Cursor, orReplace: true | undefined): CreateResource {
  const ifNotExists = flag(cursor, 'IF NOT EXISTS')
  const name = cursor.identifier('resource name')
  const cluster = parseCluster(cursor)
  cursor.expectToken(Token.leftParen, '(')
  const operations = parseCommaList(cursor, () => {
    const withDisk = cursor.acceptOneOf('READ DISK', 'WRITE DISK')
    if (withDisk !== undefined) return { phrase: withDisk, disk: parseNameOrString(cursor, 'disk') }
    const phrase =
      cursor.acceptOneOf(
        'READ ANY DISK',
        'WRITE ANY DISK',
        'MASTER THREAD',
        'WORKER THREAD',
        'QUERY',
        'MEMORY RESERVATION',
      ) ?? cursor.fail('resource operation')
    return { phrase }
  })
  cursor.expectToken(Token.rightParen, ')')
  return { kind: 'createResource', orReplace, ifNotExists, name, cluster, operations }
}

/** One entry of CREATE INDEX (..); its direction is accepted and forgotten by the server. */
function parseIndexKey(cursor: Cursor): Expression {
  const expression = parseExpression(cursor)
  cursor.acceptOneOf('DESCENDING', 'DESC', 'ASCENDING', 'ASC')
  return expression
}

/** The expression of CREATE INDEX: in brackets a list of keys, of which a single one loses its brackets. */
function parseIndexExpression(cursor: Cursor): Expression {
  if (!cursor.atToken(Token.leftParen)) return parseExpression(cursor)
  const bracketed = cursor.attempt(() => {
    cursor.advance()
    const keys = parseCommaList(cursor, parseIndexKey)
    cursor.expectToken(Token.rightParen, ')')
    return keys
  })
  if (bracketed === undefined) return parseExpression(cursor)
  if (bracketed.length === 1) return bracketed[0]!
  return operation('tuple', bracketed)
}

function parseCreateIndex(cursor: Cursor, flags: { unique?: true; hypothetical?: true }): CreateIndex {
  const ifNotExists = flag(cursor, 'IF NOT EXISTS')
  const name = cursor.identifier('index name')
  cursor.expect('ON')
  const table = parseObjectName(cursor)
  const cluster = parseCluster(cursor)
  const expression = parseIndexExpression(cursor)
  const type = cursor.accept('TYPE') ? parseNamedCall(cursor) : undefined
  const index = parseIndexTail(cursor, name, expression, type)
  return { kind: 'createIndex', ...flags, ifNotExists, index, table, cluster }
}
