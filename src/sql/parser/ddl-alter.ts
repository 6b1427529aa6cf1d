import type { FunctionCall, Identifier } from '../ast.js'
import type {
  AlterCommand,
  AlterNamedCollection,
  AlterStatement,
  ColumnProperty,
  Partition,
  Position,
} from '../ast-ddl.js'
import { Token } from '../lexer.js'
import { type Cursor, parseCommaList } from './cursor.js'
import {
  flag,
  parseAlterColumn,
  parseAssignments,
  parseCluster,
  parseCompoundName,
  parseConstant,
  parseConstraint,
  parseIndex,
  parseInPartition,
  parseModifiedColumn,
  parseNamedCall,
  parseNamePart,
  parseObjectName,
  parsePartition,
  parseProjection,
  parseRefresh,
  parseSqlSecurity,
  parseTtl,
} from './ddl-common.js'
import { parseCollectionEntries } from './ddl-create.js'
import { parseExpressionWithoutAlias as parseExpression } from './expression.js'
import { parseQuery, parseSettings } from './query.js'

/** ALTER TABLE or ALTER DATABASE; ALTER is consumed. `undefined` for other objects. */
export function parseAlter(cursor: Cursor): AlterStatement | undefined {
  if (cursor.accept('DATABASE')) {
    const name = { name: parseNamePart(cursor) }
    const cluster = parseCluster(cursor)
    return { kind: 'alter', object: 'DATABASE', name, cluster, commands: parseCommands(cursor) }
  }
  const temporary = flag(cursor, 'TEMPORARY')
  if (!cursor.accept('TABLE')) return temporary ? cursor.fail('TABLE') : undefined
  const name = parseObjectName(cursor)
  const cluster = parseCluster(cursor)
  return { kind: 'alter', object: 'TABLE', temporary, name, cluster, commands: parseCommands(cursor) }
}

/** ALTER NAMED COLLECTION; the words are consumed. */
export function parseAlterNamedCollection(cursor: Cursor): AlterNamedCollection {
  const ifExists = flag(cursor, 'IF EXISTS')
  const name = cursor.identifier('collection name')
  const cluster = parseCluster(cursor)
  const set = cursor.accept('SET') ? parseCollectionEntries(cursor) : []
  const deleted = cursor.accept('DELETE') ? parseCommaList(cursor, () => cursor.identifier('key')) : []
  if (set.length + deleted.length === 0) cursor.fail('SET or DELETE')
  return { kind: 'alterNamedCollection', ifExists, name, cluster, set, delete: deleted }
}

/** Commands, all in brackets or all bare: a mixture is a syntax error of the server too. */
function parseCommands(cursor: Cursor): AlterCommand[] {
  if (!cursor.atToken(Token.leftParen)) return parseCommaList(cursor, parseCommand)
  return parseCommaList(cursor, () => {
    cursor.expectToken(Token.leftParen, '(')
    const command = parseCommand(cursor)
    cursor.expectToken(Token.rightParen, ')')
    return command
  })
}

function parseCommand(cursor: Cursor): AlterCommand {
  const verb = cursor.text().toUpperCase()
  const parse = COMMANDS.get(verb)
  if (parse === undefined || cursor.kind !== Token.word) return cursor.fail('ALTER command')
  cursor.advance()
  return parse(cursor)
}

/** Each first word of a command with the function that reads the rest. */
const COMMANDS: ReadonlyMap<string, (cursor: Cursor) => AlterCommand> = new Map([
  ['ADD', parseAdd],
  ['DROP', parseDropCommand],
  ['CLEAR', parseClear],
  ['MODIFY', parseModify],
  ['ALTER', parseAlterColumnType],
  ['RENAME', parseRenameColumn],
  ['COMMENT', parseCommentColumn],
  ['MATERIALIZE', parseMaterialize],
  ['REMOVE', parseRemove],
  ['RESET', parseReset],
  ['DETACH', (cursor) => ({ kind: 'detachPartition', partition: parsePartitionOrPart(cursor) })],
  ['ATTACH', parseAttachPartition],
  ['REPLACE', parseReplacePartition],
  ['MOVE', parseMovePartition],
  ['FETCH', parseFetchPartition],
  ['FREEZE', parseFreeze],
  ['UNFREEZE', parseUnfreeze],
  ['FORGET', parseForget],
  ['DELETE', parseDelete],
  ['UPDATE', parseUpdate],
  ['APPLY', parseApply],
  ['REWRITE', parseRewrite],
  ['UNLOCK', parseUnlock],
])

function parsePosition(cursor: Cursor): Position | undefined {
  if (cursor.accept('FIRST')) return { kind: 'first' }
  if (cursor.accept('AFTER')) return { kind: 'after', after: parseCompoundName(cursor) }
  return undefined
}

function parsePartitionOrPart(cursor: Cursor): Partition {
  if (cursor.accept('PARTITION')) return parsePartition(cursor)
  cursor.expect('PART')
  return { kind: 'part', name: parseConstant(cursor) }
}

function parseNames(cursor: Cursor): Identifier[] {
  return parseCommaList(cursor, parseCompoundName)
}

function parseCalls(cursor: Cursor): FunctionCall[] {
  return parseCommaList(cursor, parseNamedCall)
}

function parseAdd(cursor: Cursor): AlterCommand {
  const what =
    cursor.acceptOneOf('COLUMN', 'INDEX', 'STATISTICS', 'PROJECTION', 'CONSTRAINT') ??
    cursor.fail('COLUMN, INDEX, STATISTICS, PROJECTION or CONSTRAINT')
  const ifNotExists = flag(cursor, 'IF NOT EXISTS')
  switch (what) {
    case 'COLUMN':
      return { kind: 'addColumn', ifNotExists, column: parseAlterColumn(cursor), position: parsePosition(cursor) }
    case 'INDEX':
      return { kind: 'addIndex', ifNotExists, index: parseIndex(cursor), position: parsePosition(cursor) }
    case 'PROJECTION':
      return {
        kind: 'addProjection',
        ifNotExists,
        projection: parseProjection(cursor),
        position: parsePosition(cursor),
      }
    case 'CONSTRAINT':
      return { kind: 'addConstraint', ifNotExists, constraint: parseConstraint(cursor) }
    case 'STATISTICS': {
      const columns = parseNames(cursor)
      cursor.expect('TYPE')
      return { kind: 'statistics', action: 'ADD', ifNotExists, columns, types: parseCalls(cursor) }
    }
  }
}

function parseDropCommand(cursor: Cursor): AlterCommand {
  const detached = flag(cursor, 'DETACHED')
  if (detached || cursor.at('PARTITION') || cursor.at('PART'))
    return { kind: 'dropPartition', detached, partition: parsePartitionOrPart(cursor) }
  const what =
    cursor.acceptOneOf('COLUMN', 'INDEX', 'PROJECTION', 'CONSTRAINT', 'STATISTICS') ??
    cursor.fail('COLUMN, INDEX, STATISTICS, PROJECTION, CONSTRAINT, PARTITION or PART')
  const ifExists = flag(cursor, 'IF EXISTS')
  if (what === 'COLUMN') return { kind: 'dropColumn', ifExists, column: parseCompoundName(cursor) }
  if (what === 'STATISTICS') return { kind: 'statistics', action: 'DROP', ifExists, columns: parseNames(cursor) }
  return { kind: 'dropElement', element: what, ifExists, name: parseCompoundName(cursor) }
}

function parseClear(cursor: Cursor): AlterCommand {
  const what =
    cursor.acceptOneOf('COLUMN', 'INDEX', 'PROJECTION', 'STATISTICS') ??
    cursor.fail('COLUMN, INDEX, PROJECTION or STATISTICS')
  if (what === 'STATISTICS') return parseStatistics(cursor, 'CLEAR')
  const ifExists = flag(cursor, 'IF EXISTS')
  const name = parseCompoundName(cursor)
  const partition = parseInPartition(cursor)
  if (what === 'COLUMN') return { kind: 'clearColumn', ifExists, column: name, partition }
  return { kind: 'clearElement', element: what, ifExists, name, partition }
}

/** CLEAR and MATERIALIZE STATISTICS, where ALL stands for every column. */
function parseStatistics(cursor: Cursor, action: 'CLEAR' | 'MATERIALIZE'): AlterCommand {
  if (cursor.accept('ALL')) return { kind: 'statistics', action }
  const ifExists = flag(cursor, 'IF EXISTS')
  return { kind: 'statistics', action, ifExists, columns: parseNames(cursor) }
}

function parseMaterialize(cursor: Cursor): AlterCommand {
  const what =
    cursor.acceptOneOf('COLUMN', 'INDEX', 'PROJECTION', 'STATISTICS', 'TTL') ??
    cursor.fail('COLUMN, INDEX, PROJECTION, STATISTICS or TTL')
  switch (what) {
    case 'STATISTICS':
      return parseStatistics(cursor, 'MATERIALIZE')
    case 'TTL':
      return { kind: 'materializeTtl', partition: parseInPartition(cursor) }
    case 'COLUMN':
      return {
        kind: 'materializeColumn',
        column: parseCompoundName(cursor),
        partition: parseInPartition(cursor),
      }
    default: {
      const ifExists = flag(cursor, 'IF EXISTS')
      const name = parseCompoundName(cursor)
      return { kind: 'materializeElement', element: what, ifExists, name, partition: parseInPartition(cursor) }
    }
  }
}

const MODIFIABLE = [
  'COLUMN',
  'ORDER BY',
  'SAMPLE BY',
  'TTL',
  'SETTING',
  'QUERY',
  'REFRESH',
  'COMMENT',
  'CONSTRAINT',
  'STATISTICS',
] as const

function parseModify(cursor: Cursor): AlterCommand {
  if (cursor.at('SQL SECURITY') || cursor.at('DEFINER')) {
    const sqlSecurity = parseSqlSecurity(cursor)
    return sqlSecurity === undefined ? cursor.fail('SQL SECURITY') : { kind: 'modifySqlSecurity', sqlSecurity }
  }
  const what = cursor.acceptOneOf(...MODIFIABLE) ?? cursor.fail(MODIFIABLE.join(', '))
  switch (what) {
    case 'COLUMN':
      return parseModifyColumn(cursor)
    case 'ORDER BY':
      return { kind: 'modifyOrderBy', orderBy: parseExpression(cursor) }
    case 'SAMPLE BY':
      return { kind: 'modifySampleBy', sampleBy: parseExpression(cursor) }
    case 'TTL':
      return { kind: 'modifyTtl', ttl: parseTtl(cursor) }
    case 'SETTING':
      return { kind: 'modifySetting', settings: parseSettings(cursor) }
    case 'QUERY':
      return { kind: 'modifyQuery', query: parseQuery(cursor) }
    case 'REFRESH':
      return { kind: 'modifyRefresh', refresh: parseRefresh(cursor) }
    case 'COMMENT':
      return { kind: 'modifyComment', comment: cursor.string('comment') }
    case 'CONSTRAINT': {
      const ifExists = flag(cursor, 'IF EXISTS')
      return { kind: 'modifyConstraint', ifExists, constraint: parseConstraint(cursor) }
    }
    case 'STATISTICS': {
      const columns = parseNames(cursor)
      cursor.expect('TYPE')
      return { kind: 'statistics', action: 'MODIFY', columns, types: parseCalls(cursor) }
    }
  }
}

const PROPERTIES: readonly ColumnProperty[] = [
  'DEFAULT',
  'MATERIALIZED',
  'ALIAS',
  'COMMENT',
  'CODEC',
  'TTL',
  'SETTINGS',
]

function parseModifyColumn(cursor: Cursor): AlterCommand {
  const ifExists = flag(cursor, 'IF EXISTS')
  const column = parseModifiedColumn(cursor)
  if (cursor.accept('REMOVE')) {
    const property = cursor.acceptOneOf(...PROPERTIES) ?? cursor.fail(PROPERTIES.join(', '))
    return { kind: 'modifyColumn', ifExists, column, change: { kind: 'remove', property } }
  }
  if (cursor.accept('MODIFY SETTING'))
    return {
      kind: 'modifyColumn',
      ifExists,
      column,
      change: { kind: 'modifySetting', settings: parseSettings(cursor) },
    }
  if (cursor.accept('RESET SETTING'))
    return {
      kind: 'modifyColumn',
      ifExists,
      column,
      change: { kind: 'resetSetting', settings: parseSettingNames(cursor) },
    }
  if (cursor.accept('ADD ENUM VALUES')) {
    cursor.expectToken(Token.leftParen, '(')
    const values = parseCommaList(cursor, parseExpression)
    cursor.expectToken(Token.rightParen, ')')
    return { kind: 'modifyColumn', ifExists, column, change: { kind: 'addEnumValues', values } }
  }
  return { kind: 'modifyColumn', ifExists, column, position: parsePosition(cursor) }
}

function parseSettingNames(cursor: Cursor): string[] {
  return parseCommaList(cursor, () => cursor.identifier('setting'))
}

/** `ALTER COLUMN c TYPE T`: the server reads it as MODIFY COLUMN. */
function parseAlterColumnType(cursor: Cursor): AlterCommand {
  cursor.expect('COLUMN')
  const ifExists = flag(cursor, 'IF EXISTS')
  const name = parseCompoundName(cursor).parts.join('.')
  cursor.expect('TYPE')
  return { kind: 'modifyColumn', ifExists, column: parseModifiedColumn(cursor, name), position: parsePosition(cursor) }
}

function parseRenameColumn(cursor: Cursor): AlterCommand {
  cursor.expect('COLUMN')
  const ifExists = flag(cursor, 'IF EXISTS')
  const from = parseCompoundName(cursor)
  cursor.expect('TO')
  return { kind: 'renameColumn', ifExists, from, to: parseCompoundName(cursor) }
}

function parseCommentColumn(cursor: Cursor): AlterCommand {
  cursor.expect('COLUMN')
  const ifExists = flag(cursor, 'IF EXISTS')
  const column = parseCompoundName(cursor)
  return { kind: 'commentColumn', ifExists, column, comment: cursor.string('comment') }
}

function parseRemove(cursor: Cursor): AlterCommand {
  if (cursor.accept('TTL')) return { kind: 'removeTtl' }
  cursor.expect('SAMPLE BY')
  return { kind: 'removeSampleBy' }
}

function parseReset(cursor: Cursor): AlterCommand {
  cursor.expect('SETTING')
  return { kind: 'resetSetting', settings: parseSettingNames(cursor) }
}

function parseAttachPartition(cursor: Cursor): AlterCommand {
  const partition = parsePartitionOrPart(cursor)
  const from = partition.kind !== 'part' && cursor.accept('FROM') ? parseObjectName(cursor) : undefined
  return { kind: 'attachPartition', partition, from }
}

function parseReplacePartition(cursor: Cursor): AlterCommand {
  cursor.expect('PARTITION')
  const partition = parsePartition(cursor)
  cursor.expect('FROM')
  return { kind: 'replacePartition', partition, from: parseObjectName(cursor) }
}

function parseMovePartition(cursor: Cursor): AlterCommand {
  const partition = parsePartitionOrPart(cursor)
  cursor.expect('TO')
  if (cursor.accept('TABLE')) {
    if (partition.kind === 'part') cursor.fail('DISK, VOLUME or SHARD')
    return { kind: 'movePartition', partition, to: { kind: 'TABLE', table: parseObjectName(cursor) } }
  }
  const kind = cursor.acceptOneOf('DISK', 'VOLUME', 'SHARD') ?? cursor.fail('DISK, VOLUME, SHARD or TABLE')
  return { kind: 'movePartition', partition, to: { kind, name: cursor.string('name') } }
}

function parseFetchPartition(cursor: Cursor): AlterCommand {
  const partition = parsePartitionOrPart(cursor)
  cursor.expect('FROM')
  return { kind: 'fetchPartition', partition, from: cursor.string('path') }
}

function parseFreeze(cursor: Cursor): AlterCommand {
  const partition = cursor.accept('PARTITION') ? parsePartition(cursor) : undefined
  return { kind: 'freeze', partition, name: cursor.accept('WITH NAME') ? cursor.string('name') : undefined }
}

function parseUnfreeze(cursor: Cursor): AlterCommand {
  const partition = cursor.accept('PARTITION') ? parsePartition(cursor) : undefined
  cursor.expect('WITH NAME')
  return { kind: 'unfreeze', partition, name: cursor.string('name') }
}

function parseForget(cursor: Cursor): AlterCommand {
  cursor.expect('PARTITION')
  return { kind: 'forgetPartition', partition: parsePartition(cursor) }
}

function parseDelete(cursor: Cursor): AlterCommand {
  const partition = parseInPartition(cursor)
  cursor.expect('WHERE')
  return { kind: 'delete', partition, where: parseExpression(cursor) }
}

function parseUpdate(cursor: Cursor): AlterCommand {
  const assignments = parseAssignments(cursor)
  const partition = parseInPartition(cursor)
  cursor.expect('WHERE')
  return { kind: 'update', assignments, partition, where: parseExpression(cursor) }
}

function parseApply(cursor: Cursor): AlterCommand {
  if (cursor.accept('PATCHES')) return { kind: 'applyPatches', partition: parseInPartition(cursor) }
  cursor.expect('DELETED MASK')
  return { kind: 'applyDeletedMask', partition: parseInPartition(cursor) }
}

function parseRewrite(cursor: Cursor): AlterCommand {
  cursor.expect('PARTS')
  return { kind: 'rewriteParts', partition: parseInPartition(cursor) }
}

function parseUnlock(cursor: Cursor): AlterCommand {
  cursor.expect('SNAPSHOT')
  const name = cursor.string('snapshot name')
  return { kind: 'unlockSnapshot', name, from: cursor.accept('FROM') ? parseNamedCall(cursor) : undefined }
}
