import type {
  DropGlobal,
  DropIndex,
  DropStatement,
  ObjectName,
  RenameStatement,
  Statement,
  Undrop,
} from '../ast-ddl.js'
import { Token } from '../lexer.js'
import { type Cursor, parseCommaList } from './cursor.js'
import { flag, parseCluster, parseLike, parseNamePart, parseObjectName, parseUuid } from './ddl-common.js'

/** DROP of anything but access objects; DROP is consumed. `undefined` for an object that is not known here. */
export function parseDrop(cursor: Cursor): Statement | undefined {
  const global = cursor.acceptOneOf('FUNCTION', 'NAMED COLLECTION', 'WORKLOAD', 'RESOURCE')
  if (global !== undefined) return parseDropGlobal(cursor, global)
  if (cursor.accept('INDEX')) return parseDropIndex(cursor, undefined)
  if (cursor.accept('HYPOTHETICAL INDEX')) return parseDropIndex(cursor, true)
  return parseDropLike(cursor, 'DROP')
}

function parseDropGlobal(cursor: Cursor, object: DropGlobal['object']): DropGlobal {
  const ifExists = flag(cursor, 'IF EXISTS')
  const name = cursor.identifier('name')
  return { kind: 'dropGlobal', object, ifExists, name, cluster: parseCluster(cursor) }
}

function parseDropIndex(cursor: Cursor, hypothetical: true | undefined): DropIndex {
  const ifExists = flag(cursor, 'IF EXISTS')
  const name = cursor.identifier('index name')
  cursor.expect('ON')
  const table = parseObjectName(cursor)
  return { kind: 'dropIndex', hypothetical, ifExists, name, table, cluster: parseCluster(cursor) }
}

/** DROP, DETACH and TRUNCATE share their grammar; the first word is consumed. */
export function parseDropLike(cursor: Cursor, action: DropStatement['action']): DropStatement | undefined {
  if (action === 'TRUNCATE') {
    const tables = cursor.acceptOneOf('ALL TABLES FROM', 'ALL TABLES IN', 'TABLES FROM', 'TABLES IN')
    if (tables !== undefined) return parseTruncateAll(cursor, tables.startsWith('ALL'))
  }
  const temporary = flag(cursor, 'TEMPORARY')
  let object = cursor.acceptOneOf('TABLE', 'VIEW', 'DICTIONARY', 'DATABASE')
  if (object === undefined) {
    if (action !== 'TRUNCATE' || temporary || !cursor.atIdentifier()) return undefined
    object = 'TABLE'
  }
  const ifExists = flag(cursor, 'IF EXISTS')
  const ifEmpty = flag(cursor, 'IF EMPTY')
  let names: ObjectName[]
  if (object === 'DATABASE') names = [{ name: parseNamePart(cursor) }]
  else if (action === 'DROP') names = parseCommaList(cursor, parseObjectName)
  else names = [parseObjectName(cursor)]
  const uuid = parseUuid(cursor)
  const cluster = parseCluster(cursor)
  const permanently = action === 'DETACH' ? flag(cursor, 'PERMANENTLY') : undefined
  const sync = parseSync(cursor)
  return { kind: 'drop', action, object, temporary, ifExists, ifEmpty, names, uuid, cluster, permanently, sync }
}

function parseSync(cursor: Cursor): true | undefined {
  return cursor.acceptOneOf('NO DELAY', 'SYNC') === undefined ? undefined : true
}

function parseTruncateAll(cursor: Cursor, all: boolean): DropStatement {
  const ifExists = flag(cursor, 'IF EXISTS')
  const names = [{ name: parseNamePart(cursor) }]
  const like = parseLike(cursor)
  const cluster = parseCluster(cursor)
  const sync = parseSync(cursor)
  return {
    kind: 'drop',
    action: 'TRUNCATE',
    object: 'DATABASE',
    ifExists,
    names,
    tablesOf: { all, like },
    cluster,
    sync,
  }
}

/** UNDROP TABLE; UNDROP is consumed. */
export function parseUndrop(cursor: Cursor): Undrop {
  cursor.expect('TABLE')
  const name = parseObjectName(cursor)
  const uuid = parseUuid(cursor)
  return { kind: 'undrop', name, uuid, cluster: parseCluster(cursor) }
}

/** RENAME; the word is consumed. Without an object it renames tables. */
export function parseRename(cursor: Cursor): RenameStatement {
  const object = cursor.acceptOneOf('TABLE', 'DATABASE', 'DICTIONARY') ?? 'TABLE'
  const parseName = object === 'DATABASE' ? () => ({ name: parseNamePart(cursor) }) : () => parseObjectName(cursor)
  const pairs: RenameStatement['pairs'][number][] = []
  do {
    const ifExists = flag(cursor, 'IF EXISTS')
    const from = parseName()
    cursor.expect('TO')
    pairs.push({ from, to: parseName(), ifExists })
  } while (object !== 'DATABASE' && cursor.acceptToken(Token.comma))
  return { kind: 'rename', object, pairs, cluster: parseCluster(cursor) }
}

/** EXCHANGE; the word is consumed. */
export function parseExchange(cursor: Cursor): RenameStatement {
  const word = cursor.acceptOneOf('TABLES', 'DICTIONARIES') ?? cursor.fail('TABLES or DICTIONARIES')
  const pairs = parseCommaList(cursor, () => {
    const from = parseObjectName(cursor)
    cursor.expect('AND')
    return { from, to: parseObjectName(cursor) }
  })
  const object = word === 'TABLES' ? 'TABLE' : 'DICTIONARY'
  return { kind: 'rename', object, exchange: true, pairs, cluster: parseCluster(cursor) }
}
