import type { IdentifierPart } from '../ast.js'
import type {
  BackupElement,
  BackupStatement,
  ExecuteAs,
  InspectStatement,
  KillStatement,
  ObjectName,
  OptimizeStatement,
  Partition,
  SystemStatement,
} from '../ast-ddl.js'
import { Token } from '../lexer.js'
import { printPolicyTargets, printRoleSet } from '../printer/ddl-access.js'
import { printNamePart, printObjectName, printPartition } from '../printer/ddl-common.js'
import { printExpression } from '../printer/expression.js'
import { printTable } from '../printer/query.js'
import { quoteIdentifier, quoteIdentifierIfNeeded, quoteString } from '../quote.js'
import { type Cursor, parseCommaList } from './cursor.js'
import { parsePolicyTable, parsePolicyTargets, parseRoleSet } from './ddl-access.js'
import {
  flag,
  parseBareCall,
  parseCluster,
  parseConstant,
  parseNameOrString,
  parseObjectName,
  parsePartition,
} from './ddl-common.js'
import { parseExpressionWithoutAlias as parseExpression, startsQuery } from './expression.js'
import { parseQuery, parseSettings } from './query.js'
import { parseTable } from './tables.js'

/** OPTIMIZE TABLE; the words are consumed. */
export function parseOptimize(cursor: Cursor): OptimizeStatement {
  const table = parseObjectName(cursor)
  const cluster = parseCluster(cursor)
  const partition = cursor.accept('PARTITION') ? parsePartition(cursor) : undefined
  const dryRunParts = cursor.accept('DRY RUN PARTS') ? parseCommaList(cursor, () => cursor.string('part')) : undefined
  const final = cursor.acceptOneOf('FINAL', 'FORCE') ? true : undefined
  const deduplicate = flag(cursor, 'DEDUPLICATE')
  const deduplicateBy = deduplicate && cursor.accept('BY') ? parseCommaList(cursor, parseExpression) : undefined
  const cleanup = flag(cursor, 'CLEANUP')
  const manifest = flag(cursor, 'MANIFEST')
  return {
    kind: 'optimize',
    table,
    cluster,
    partition,
    dryRunParts,
    final,
    deduplicate,
    deduplicateBy,
    cleanup,
    manifest,
  }
}

/** KILL; the word is consumed. */
export function parseKill(cursor: Cursor): KillStatement {
  const object = cursor.acceptOneOf('QUERY', 'MUTATION', 'PART_MOVE_TO_SHARD', 'TRANSACTION') ?? cursor.fail('QUERY')
  const cluster = parseCluster(cursor)
  cursor.expect('WHERE')
  const where = parseExpression(cursor)
  return { kind: 'kill', object, cluster, where, mode: cursor.acceptOneOf('SYNC', 'ASYNC', 'TEST') ?? 'ASYNC' }
}

/** What a SYSTEM command takes after its words. */
type SystemTail = 'none' | 'object' | 'words' | 'objects' | 'streaming'

/** Commands by their words; where several fit, the longest counts. `DROP .. CACHE` is printed as CLEAR. */
const SYSTEM_COMMANDS: ReadonlyMap<string, SystemTail> = new Map<string, SystemTail>([
  ...spread('none', [
    'SHUTDOWN',
    'KILL',
    'RELOAD DICTIONARIES',
    'RELOAD EMBEDDED DICTIONARIES',
    'RELOAD MODELS',
    'RELOAD FUNCTIONS',
    'RELOAD CONFIG',
    'RELOAD USERS',
    'RELOAD ASYNCHRONOUS METRICS',
    'RECONNECT ZOOKEEPER',
    'RESTART REPLICAS',
    'SYNC TRANSACTION LOG',
    'SYNC FILE CACHE',
    'START VIEWS',
    'STOP VIEWS',
    'PAUSE VIEWS',
    'START THREAD FUZZER',
    'STOP THREAD FUZZER',
    'REPLICA READY',
    'REPLICA UNREADY',
    'RESET COVERAGE',
    'RESET DDL WORKER',
    'JEMALLOC PURGE',
    'JEMALLOC ENABLE PROFILE',
    'JEMALLOC DISABLE PROFILE',
    'JEMALLOC FLUSH PROFILE',
    'FREE MEMORY',
  ]),
  ...spread('object', [
    'RELOAD DICTIONARY',
    'UNLOAD DICTIONARY',
    'RELOAD MODEL',
    'RELOAD FUNCTION',
    'RESTART REPLICA',
    'RESTORE REPLICA',
    'RESTORE DATABASE REPLICA',
    'RESTART DISK',
    'SYNC REPLICA',
    'SYNC DATABASE REPLICA',
    'WAIT LOADING PARTS',
    'REFRESH VIEW',
    'WAIT VIEW',
    'CANCEL VIEW',
    'START VIEW',
    'STOP VIEW',
    'PAUSE VIEW',
    'START REPLICATED VIEW',
    'STOP REPLICATED VIEW',
    'TEST VIEW',
    'LOAD PRIMARY KEY',
    'UNLOAD PRIMARY KEY',
    'PREWARM MARK CACHE',
    'PREWARM PRIMARY INDEX CACHE',
    'FLUSH DISTRIBUTED',
    'FLUSH OBJECT STORAGE QUEUE',
    'SCHEDULE MERGE',
    'ENABLE FAILPOINT',
    'DISABLE FAILPOINT',
    'WAIT FAILPOINT',
    'NOTIFY FAILPOINT',
  ]),
  ...['START', 'STOP'].flatMap((verb) =>
    spread(
      'object',
      [
        'MERGES',
        'TTL MERGES',
        'MOVES',
        'FETCHES',
        'REPLICATED SENDS',
        'REPLICATION QUEUES',
        'PULLING REPLICATION LOG',
        'DISTRIBUTED SENDS',
        'CLEANUP',
        'VIRTUAL PARTS UPDATE',
        'REDUCE BLOCKING PARTS',
      ].map((what) => `${verb} ${what}`),
    ),
  ),
  ...spread('streaming', ['START', 'STOP', 'PAUSE', 'CANCEL', 'REFRESH']),
  ...spread('objects', ['FLUSH LOGS', 'FLUSH ASYNC INSERT QUEUE']),
  ...spread('words', [
    'DROP REPLICA',
    'DROP DATABASE REPLICA',
    'DROP CATALOG REPLICA',
    'SYNC FILESYSTEM CACHE',
    'START LISTEN',
    'STOP LISTEN',
    'SUSPEND',
    'UNFREEZE',
    'UNLOCK SNAPSHOT',
    'ALLOCATE MEMORY',
    'SET COVERAGE TEST',
  ]),
  ...['DROP', 'CLEAR'].flatMap((verb) =>
    spread(
      'words',
      [
        'DNS CACHE',
        'CONNECTIONS CACHE',
        'MARK CACHE',
        'PRIMARY INDEX CACHE',
        'UNCOMPRESSED CACHE',
        'INDEX MARK CACHE',
        'INDEX UNCOMPRESSED CACHE',
        'VECTOR SIMILARITY INDEX CACHE',
        'TEXT INDEX TOKENS CACHE',
        'TEXT INDEX HEADER CACHE',
        'TEXT INDEX POSTINGS CACHE',
        'TEXT INDEX CACHES',
        'MMAP CACHE',
        'QUERY CACHE',
        'QUERY CONDITION CACHE',
        'COMPILED EXPRESSION CACHE',
        'FILESYSTEM CACHE',
        'DISK METADATA CACHE',
        'DISTRIBUTED CACHE',
        'PAGE CACHE',
        'SCHEMA CACHE',
        'FORMAT SCHEMA CACHE',
        'S3 CLIENT CACHE',
        'ICEBERG METADATA CACHE',
        'PAIMON METADATA CACHE',
        'PARQUET METADATA CACHE',
        'AVRO SCHEMA CACHE',
        'POINT IN POLYGON CACHE',
        'ENCRYPTION HEADERS CACHE',
      ].map((what) => `${verb} ${what}`),
    ),
  ),
])

function spread(tail: SystemTail, commands: readonly string[]): [string, SystemTail][] {
  return commands.map((command) => [command, tail])
}

const LONGEST_COMMAND = 6

/** SYSTEM; the word is consumed. `undefined` for a command that is not known. */
export function parseSystem(cursor: Cursor): SystemStatement | undefined {
  let phrase = ''
  let command: string | undefined
  let end = cursor.index
  for (let index = cursor.index; index < cursor.index + LONGEST_COMMAND; index++) {
    if (cursor.kindAt(index) !== Token.word) break
    const word = cursor.source.slice(cursor.starts[index], cursor.ends[index]).toUpperCase()
    phrase = phrase === '' ? word : `${phrase} ${word}`
    if (!SYSTEM_COMMANDS.has(phrase)) continue
    command = phrase
    end = index + 1
  }
  if (command === undefined) return undefined
  cursor.index = end
  const kind = SYSTEM_COMMANDS.get(command)!
  if (kind === 'streaming') return { kind: 'system', command, tail: alwaysQuoted(parseObjectName(cursor)) }
  let cluster = parseCluster(cursor)
  let target: ObjectName | undefined
  if (kind === 'object' && (cursor.atIdentifier() || cursor.atToken(Token.string)) && !cursor.at('ON')) {
    target = cursor.atToken(Token.string) ? dottedName(cursor.string()) : parseObjectName(cursor)
    cluster ??= parseCluster(cursor)
  }
  const pieces: string[] = []
  if (kind === 'objects' && cursor.atIdentifier())
    pieces.push(parseCommaList(cursor, parseObjectName).map(printObjectName).join(', '))
  const acceptCluster = () => {
    // A second one is no clause; to take it for one would be to stand still.
    if (cluster !== undefined) return false
    cluster = parseCluster(cursor)
    return cluster !== undefined
  }
  const rest = kind === 'none' ? '' : parseWords(cursor, acceptCluster)
  if (rest !== '') pieces.push(rest)
  const printed = /^DROP .*CACHES?$/.test(command) ? `CLEAR${command.slice(4)}` : command
  return { kind: 'system', command: printed, cluster, target, tail: pieces.length > 0 ? pieces.join(' ') : undefined }
}

/** The server quotes the table of START, STOP and their like without a further word in any case. */
function alwaysQuoted({ database, name }: ObjectName): string {
  const quoted = (part: IdentifierPart) => (typeof part === 'string' ? quoteIdentifier(part) : printNamePart(part))
  return database === undefined ? quoted(name) : `${quoted(database)}.${quoted(name)}`
}

function dottedName(text: string): ObjectName {
  const dot = text.indexOf('.')
  return dot < 0 ? { name: text } : { database: text.slice(0, dot), name: text.slice(dot + 1) }
}

/** Words that are keywords after a SYSTEM command; others are names. */
const TAIL_WORDS = new Set(
  (
    'ALL CONNECTIONS CUSTOM DATABASE DEFAULT EXCEPT EXISTS FAKE FILE FOR FROM GRPC HTTP HTTPS IF INTERSERVER KEY ' +
    'LIGHTWEIGHT MYSQL NAME OFFSET ON PARTS PATH PAUSE POSTGRESQL PROMETHEUS PROXY PULL QUERIES RESUME S3 SECOND ' +
    'SECURE SET SHARD SSH STRICT TABLE TAG TCP TIME UNSET URL AZURE HDFS VOLUME WITH ZKPATH'
  ).split(' '),
)

/** The rest of a statement as the server prints it: keywords upper case, names quoted when needed, strings quoted. */
function parseWords(cursor: Cursor, acceptCluster: () => boolean): string {
  let out = ''
  let glue = true
  while (!cursor.isEnd && !atStatementEnd(cursor)) {
    if (cursor.at('ON CLUSTER') && acceptCluster()) continue
    const { kind } = cursor
    let piece: string
    if (kind === Token.string) piece = quoteString(cursor.string())
    else if (kind === Token.number) {
      piece = cursor.text()
      cursor.advance()
    } else if (kind === Token.quotedIdentifier) piece = quoteIdentifierIfNeeded(cursor.identifier())
    else if (kind === Token.word) {
      const word = cursor.identifier()
      const upper = word.toUpperCase()
      piece = TAIL_WORDS.has(upper) ? upper : quoteIdentifierIfNeeded(word)
    } else if (kind === Token.comma || kind === Token.dot) {
      out += kind === Token.comma ? ', ' : '.'
      cursor.advance()
      glue = true
      continue
    } else return cursor.fail('end of statement')
    out += glue ? piece : ` ${piece}`
    glue = false
  }
  return out
}

/** True where a clause starts that does not belong to the statement itself. */
function atStatementEnd(cursor: Cursor): boolean {
  return (
    cursor.atToken(Token.semicolon) ||
    cursor.at('PARALLEL WITH') ||
    cursor.at('SETTINGS') ||
    cursor.at('FORMAT') ||
    cursor.at('INTO OUTFILE')
  )
}

/** BACKUP or RESTORE; the word is consumed. */
export function parseBackup(cursor: Cursor, action: BackupStatement['action']): BackupStatement {
  const elements = parseCommaList(cursor, parseBackupElement)
  const cluster = parseCluster(cursor)
  cursor.expect(action === 'BACKUP' ? 'TO' : 'FROM')
  const place = parseBareCall(cursor)
  let settings = cursor.accept('SETTINGS') ? parseSettings(cursor) : undefined
  const mode = cursor.acceptOneOf('ASYNC', 'SYNC')
  if (mode !== undefined)
    settings = [
      ...(settings ?? []).filter((setting) => setting.name !== 'async'),
      { name: 'async', value: { kind: 'literal', type: 'bool', value: mode === 'ASYNC' } },
    ]
  return { kind: 'backup', action, elements, cluster, place, settings }
}

function parseBackupElement(cursor: Cursor): BackupElement {
  if (cursor.accept('ALL')) return { object: 'ALL', ...parseExcept(cursor, undefined) }
  if (cursor.accept('DATABASE')) {
    const name = { name: cursor.identifier('database') }
    const as = cursor.accept('AS') ? { name: cursor.identifier('database') } : undefined
    return { object: 'DATABASE', name, as, ...parseExcept(cursor, name.name) }
  }
  const word = cursor.acceptOneOf('TEMPORARY TABLE', 'TABLE', 'DICTIONARY', 'VIEW') ?? cursor.fail('TABLE or DATABASE')
  const name = parseObjectName(cursor)
  const as = cursor.accept('AS') ? parseObjectName(cursor) : undefined
  let partitions: Partition[] | undefined
  if (cursor.acceptOneOf('PARTITIONS', 'PARTITION')) partitions = parseCommaList(cursor, parsePartition)
  return { object: word === 'TEMPORARY TABLE' ? word : 'TABLE', name, as, partitions }
}

function parseExcept(
  cursor: Cursor,
  database: string | undefined,
): Pick<BackupElement, 'exceptDatabases' | 'exceptTables'> {
  let exceptDatabases: string[] | undefined
  let exceptTables: ObjectName[] | undefined
  while (true) {
    if (exceptDatabases === undefined && cursor.acceptOneOf('EXCEPT DATABASES', 'EXCEPT DATABASE'))
      exceptDatabases = parseCommaList(cursor, () => cursor.identifier('database'))
    else if (exceptTables === undefined && cursor.acceptOneOf('EXCEPT TABLES', 'EXCEPT TABLE'))
      exceptTables = parseCommaList(cursor, parseObjectName).map((name) =>
        name.database === database ? { name: name.name } : name,
      )
    else return { exceptDatabases, exceptTables }
  }
}

/** EXECUTE AS user; the words are consumed. */
export function parseExecuteAs(cursor: Cursor): Omit<ExecuteAs, 'statement'> {
  return { kind: 'executeAs', user: parseNameOrString(cursor, 'user') }
}

/** CHECK TABLE, CHECK DATABASE, CHECK ALL TABLES; CHECK is consumed. */
export function parseCheck(cursor: Cursor): InspectStatement | undefined {
  if (cursor.accept('ALL TABLES')) return { kind: 'inspect', command: 'CHECK', text: 'CHECK ALL TABLES' }
  if (cursor.accept('DATABASE'))
    return inspect('CHECK', `CHECK DATABASE ${quoteIdentifierIfNeeded(cursor.identifier())}`)
  if (!cursor.accept('TABLE')) return undefined
  let text = `CHECK TABLE ${printObjectName(parseObjectName(cursor))}`
  if (cursor.accept('PARTITION')) text += ` PARTITION ${printPartition(parsePartition(cursor))}`
  else if (cursor.accept('PART')) text += ` PART ${printExpression(parseConstant(cursor))}`
  return inspect('CHECK', text)
}

function inspect(command: InspectStatement['command'], text: string): InspectStatement {
  return { kind: 'inspect', command, text }
}

/** EXISTS; the word is consumed. */
export function parseExists(cursor: Cursor): InspectStatement | undefined {
  if (cursor.accept('DATABASE'))
    return inspect('EXISTS', `EXISTS DATABASE ${quoteIdentifierIfNeeded(cursor.identifier())}`)
  const temporary = cursor.accept('TEMPORARY') ? 'TEMPORARY ' : ''
  const object = cursor.acceptOneOf('TABLE', 'VIEW', 'DICTIONARY') ?? 'TABLE'
  return inspect('EXISTS', `EXISTS ${temporary}${object} ${printObjectName(parseObjectName(cursor))}`)
}

/** DESCRIBE; the word is consumed. */
export function parseDescribe(cursor: Cursor): InspectStatement | undefined {
  if (cursor.accept('FILESYSTEM CACHE'))
    return inspect('DESCRIBE', `DESCRIBE FILESYSTEM CACHE ${quoteString(cursor.string())}`)
  cursor.accept('TABLE')
  // A query may stand without brackets.
  if (!cursor.atToken(Token.leftParen) && startsQuery(cursor, cursor.index)) {
    const source = { kind: 'subquery', query: parseQuery(cursor) } as const
    return inspect('DESCRIBE', `DESCRIBE TABLE ${printTable({ source })}`)
  }
  return inspect('DESCRIBE', `DESCRIBE TABLE ${printTable(parseTable(cursor, true))}`)
}

/** SHOW commands whose words are printed as they are, with what may follow. */
const SHOW_COMMANDS: readonly (readonly [phrase: string, printed: string])[] = [
  ['PROCESSLIST', 'PROCESSLIST'],
  ['PRIVILEGES', 'PRIVILEGES'],
  ['ENGINES', 'ENGINES'],
  ['ACCESS', 'ACCESS'],
  ['FILESYSTEM CACHES', 'FILESYSTEM CACHES'],
  ['CURRENT ROLES', 'CURRENT ROLES'],
  ['ENABLED ROLES', 'ENABLED ROLES'],
  ['CURRENT QUOTA', 'CURRENT QUOTA'],
  ['QUOTAS', 'QUOTAS'],
  ['QUOTA', 'CURRENT QUOTA'],
  ['USERS', 'USERS'],
  ['ROLES', 'ROLES'],
  ['SETTINGS PROFILES', 'SETTINGS PROFILES'],
  ['PROFILES', 'SETTINGS PROFILES'],
  ['FUNCTIONS', 'FUNCTIONS'],
  ['MERGES', 'MERGES'],
  ['CLUSTERS', 'CLUSTERS'],
  ['CHANGED SETTINGS', 'CHANGED SETTINGS'],
  ['SETTINGS', 'SETTINGS'],
  ['DATABASES', 'DATABASES'],
]

/** SHOW; the word is consumed. `undefined` for forms that are kept as text. */
export function parseShow(cursor: Cursor): InspectStatement | undefined {
  if (cursor.accept('CREATE')) return parseShowCreate(cursor)
  if (cursor.accept('GRANTS')) return parseShowGrants(cursor)
  if (cursor.acceptOneOf('ROW POLICIES', 'POLICIES')) {
    const on = cursor.accept('ON') ? ` ON ${printObjectName(parseObjectName(cursor))}` : ''
    return inspect('SHOW', `SHOW ROW POLICIES${on}`)
  }
  if (cursor.accept('TABLE')) return inspect('SHOW', `SHOW CREATE TABLE ${printObjectName(parseObjectName(cursor))}`)
  if (cursor.accept('DATABASE'))
    return inspect('SHOW', `SHOW CREATE DATABASE ${quoteIdentifierIfNeeded(cursor.identifier())}`)
  if (cursor.accept('SETTING')) return inspect('SHOW', `SHOW SETTING ${quoteIdentifierIfNeeded(cursor.identifier())}`)
  if (cursor.accept('CLUSTER')) return inspect('SHOW', `SHOW CLUSTER ${parseNameOrString(cursor)}`)
  const tables = parseShowTables(cursor) ?? parseShowColumns(cursor)
  if (tables !== undefined) return tables
  for (const [phrase, printed] of SHOW_COMMANDS)
    if (cursor.accept(phrase)) return inspect('SHOW', `SHOW ${printed}${parseFilter(cursor)}`)
  return undefined
}

const ACCESS_OBJECTS: readonly (readonly [phrase: string, printed: string, plural: string])[] = [
  ['USERS', 'USER', 'USERS'],
  ['USER', 'USER', 'USERS'],
  ['ROLES', 'ROLE', 'ROLES'],
  ['ROLE', 'ROLE', 'ROLES'],
  ['QUOTAS', 'QUOTA', 'QUOTAS'],
  ['QUOTA', 'QUOTA', 'QUOTAS'],
  ['SETTINGS PROFILES', 'SETTINGS PROFILE', 'SETTINGS PROFILES'],
  ['SETTINGS PROFILE', 'SETTINGS PROFILE', 'SETTINGS PROFILES'],
  ['PROFILES', 'SETTINGS PROFILE', 'SETTINGS PROFILES'],
  ['PROFILE', 'SETTINGS PROFILE', 'SETTINGS PROFILES'],
]

/** SHOW CREATE of row and masking policies: by name and table, all of one name, all on a table, or all. */
function parseShowCreatePolicies(cursor: Cursor): InspectStatement | undefined {
  const word = cursor.acceptOneOf('ROW POLICIES', 'ROW POLICY', 'POLICIES', 'POLICY', 'MASKING POLICY')
  if (word === undefined) return undefined
  const isMasking = word.startsWith('MASKING')
  const all = isMasking ? 'SHOW CREATE MASKING POLICIES' : 'SHOW CREATE ROW POLICIES'
  const isPlural = word.endsWith('IES')
  if (cursor.accept('ON')) {
    if (cursor.atToken(Token.asterisk) && cursor.kindAt(cursor.index + 1) === Token.dot) {
      cursor.index += 2
      cursor.expectToken(Token.asterisk, '*')
      return inspect('SHOW', all)
    }
    return inspect(
      'SHOW',
      `${all} ${printPolicyTargets([{ policies: [], tables: [parsePolicyTable(cursor)] }]).trim()}`,
    )
  }
  const isName = cursor.atIdentifier() || cursor.atToken(Token.string)
  if (isPlural && (!isName || cursor.at('FORMAT') || cursor.at('INTO OUTFILE'))) return inspect('SHOW', all)
  const isOnlyName = cursor.kindAt(cursor.index + 1) !== Token.comma && !cursor.atIndex('ON', cursor.index + 1)
  if (isPlural && isOnlyName) return inspect('SHOW', `${all} ${quoteIdentifierIfNeeded(parseNameOrString(cursor))}`)
  const targets = printPolicyTargets(parsePolicyTargets(cursor, {}))
  return inspect('SHOW', `${isMasking ? all : 'SHOW CREATE ROW POLICY'} ${targets}`)
}

/** SHOW CREATE USER and its like. */
function parseShowCreateAccess(cursor: Cursor): InspectStatement | undefined {
  for (const [phrase, single, plural] of ACCESS_OBJECTS) {
    if (!cursor.accept(phrase)) continue
    if (!cursor.atIdentifier() || cursor.at('FORMAT') || cursor.at('INTO OUTFILE'))
      return inspect('SHOW', `SHOW CREATE ${phrase.endsWith('S') ? plural : single}`)
    const names = parseCommaList(cursor, () => quoteIdentifierIfNeeded(parseNameOrString(cursor)))
    return inspect('SHOW', `SHOW CREATE ${names.length > 1 ? plural : single} ${names.join(', ')}`)
  }
  return undefined
}

function parseShowGrants(cursor: Cursor): InspectStatement {
  let text = 'SHOW GRANTS'
  if (cursor.accept('FOR')) text += ` FOR ${printRoleSet(parseRoleSet(cursor))}`
  if (cursor.accept('WITH IMPLICIT')) text += ' WITH IMPLICIT'
  if (cursor.accept('FINAL')) text += ' FINAL'
  return inspect('SHOW', text)
}

function parseShowCreate(cursor: Cursor): InspectStatement | undefined {
  if (cursor.accept('DATABASE'))
    return inspect('SHOW', `SHOW CREATE DATABASE ${quoteIdentifierIfNeeded(cursor.identifier())}`)
  const access = parseShowCreateAccess(cursor) ?? parseShowCreatePolicies(cursor)
  if (access !== undefined) return access
  const temporary = cursor.accept('TEMPORARY') ? 'TEMPORARY ' : ''
  const object = cursor.acceptOneOf('TABLE', 'VIEW', 'DICTIONARY')
  return inspect('SHOW', `SHOW CREATE ${temporary}${object ?? 'TABLE'} ${printObjectName(parseObjectName(cursor))}`)
}

/** `[FROM name]`, then LIKE or WHERE, then LIMIT. */
function parseFilter(cursor: Cursor): string {
  let out = ''
  if (cursor.acceptOneOf('FROM', 'IN')) out += ` FROM ${quoteIdentifierIfNeeded(cursor.identifier('database'))}`
  const like = cursor.acceptOneOf('NOT LIKE', 'NOT ILIKE', 'LIKE', 'ILIKE')
  if (like !== undefined) out += ` ${like} ${quoteString(cursor.string('pattern'))}`
  else if (cursor.accept('WHERE')) out += ` WHERE ${printExpression(parseExpression(cursor))}`
  if (cursor.accept('LIMIT')) out += ` LIMIT ${printExpression(parseExpression(cursor))}`
  return out
}

function parseShowTables(cursor: Cursor): InspectStatement | undefined {
  const start = cursor.index
  // The server's formatter forgets FULL; SHOW executes nothing, so nothing is lost by following it.
  cursor.accept('FULL')
  const temporary = cursor.accept('TEMPORARY') ? 'TEMPORARY ' : ''
  const what = cursor.acceptOneOf('TABLES', 'DICTIONARIES')
  if (what === undefined) {
    cursor.index = start
    return undefined
  }
  return inspect('SHOW', `SHOW ${temporary}${what}${parseFilter(cursor)}`)
}

function parseShowColumns(cursor: Cursor): InspectStatement | undefined {
  const start = cursor.index
  const extended = cursor.accept('EXTENDED') ? 'EXTENDED ' : ''
  const full = cursor.accept('FULL') ? 'FULL ' : ''
  const word = cursor.acceptOneOf('COLUMNS', 'FIELDS', 'INDEXES', 'INDEX', 'INDICES', 'KEYS')
  if (word === undefined || cursor.acceptOneOf('FROM', 'IN') === undefined) {
    cursor.index = start
    return undefined
  }
  const what = word === 'COLUMNS' || word === 'FIELDS' ? 'COLUMNS' : 'INDEXES'
  return inspect(
    'SHOW',
    `SHOW ${extended}${full}${what} FROM ${printObjectName(parseObjectName(cursor))}${parseFilter(cursor)}`,
  )
}
