import type { Expression, FunctionCall, Identifier, IdentifierPart, Literal, QueryParameter } from '../ast.js'
import type {
  Assignment,
  ColumnDeclaration,
  ConstraintDeclaration,
  IndexDeclaration,
  InnerTarget,
  LikeClause,
  ObjectName,
  OutputClause,
  Partition,
  ProjectionDeclaration,
  ProjectionQuery,
  RefreshStrategy,
  SqlSecurity,
  StorageDefinition,
  TableElements,
  TimeInterval,
  TimeUnit,
  TtlRule,
} from '../ast-ddl.js'
import { Token } from '../lexer.js'
import { type Cursor, parseCommaList } from './cursor.js'
import {
  parseExpressionWithoutAlias as parseExpression,
  parseFunction,
  parseSelectExpression,
  parseExpression as parseWithAlias,
} from './expression.js'
import { acceptParameter } from './identifier.js'
import { parseLiteral } from './literal.js'
import { call, identifierOf, operation } from './nodes.js'
import { parseSettings } from './query.js'
import { parseType } from './type.js'

/** `{x:Identifier}` or a name. */
export function parseNamePart(cursor: Cursor): IdentifierPart {
  const parameter = acceptParameter(cursor)
  if (parameter === undefined) return cursor.identifier('name')
  return { kind: 'parameter', name: parameter.name, type: parameter.type }
}

/** `[database.]name`. */
export function parseObjectName(cursor: Cursor): ObjectName {
  const first = parseNamePart(cursor)
  if (!cursor.acceptToken(Token.dot)) return { name: first }
  return { database: first, name: parseNamePart(cursor) }
}

/** `a.b.c` as an identifier node. */
export function parseCompoundName(cursor: Cursor): Identifier {
  const parts = [cursor.identifier('name')]
  while (cursor.acceptToken(Token.dot)) parts.push(cursor.identifier('name'))
  return { kind: 'identifier', parts }
}

/** True where the text of a query starts, brackets included. */
export function atQuery(cursor: Cursor): boolean {
  let index = cursor.index
  while (cursor.kindAt(index) === Token.leftParen) index++
  return cursor.atIndex('SELECT', index) || cursor.atIndex('WITH', index) || cursor.atIndex('FROM', index)
}

/** `ON CLUSTER name`, or nothing. */
export function parseCluster(cursor: Cursor): string | undefined {
  if (!cursor.accept('ON CLUSTER')) return undefined
  return parseNameOrString(cursor, 'cluster name')
}

/** A name that may also stand in single quotes. */
export function parseNameOrString(cursor: Cursor, expected = 'name'): string {
  return cursor.atToken(Token.string) ? cursor.string(expected) : cursor.identifier(expected)
}

/** `true` when `phrase` is here, else `undefined`: for optional flags of nodes. */
export function flag(cursor: Cursor, phrase: string): true | undefined {
  return cursor.accept(phrase) ? true : undefined
}

/** `UUID '..'`, or nothing. */
export function parseUuid(cursor: Cursor): string | undefined {
  return cursor.accept('UUID') ? cursor.string('UUID') : undefined
}

/** `COMMENT 'text'`, or nothing. */
export function parseComment(cursor: Cursor): string | undefined {
  return cursor.accept('COMMENT') ? cursor.string('comment') : undefined
}

/** A name with optional brackets: engines, codecs, statistics and index types. */
export function parseNamedCall(cursor: Cursor): FunctionCall {
  const name = cursor.identifier()
  if (!cursor.atToken(Token.leftParen)) return { kind: 'function', name }
  // As for any call the server knows some names as special: an engine Overlay(..) becomes overlay(..).
  const call = parseFunction(cursor, name, true)
  return call.kind === 'function' ? call : cursor.fail('name')
}

/** As `parseNamedCall`, for codecs, statistics and the places of backups: there brackets around a parameter are forgotten. */
export function parseBareCall(cursor: Cursor): FunctionCall {
  const call = parseNamedCall(cursor)
  if (call.args === undefined) return call
  return {
    ...call,
    args: call.args.map((arg) => ('parenthesized' in arg ? { ...arg, parenthesized: undefined } : arg)),
  }
}

/** `(call, call)`. */
export function parseCallList(cursor: Cursor): FunctionCall[] {
  cursor.expectToken(Token.leftParen, '(')
  const calls = parseCommaList(cursor, parseBareCall)
  cursor.expectToken(Token.rightParen, ')')
  return calls
}

/** `(name = value, ..)`. */
export function parseBracketedSettings(cursor: Cursor) {
  cursor.expectToken(Token.leftParen, '(')
  const settings = parseSettings(cursor)
  cursor.expectToken(Token.rightParen, ')')
  return settings
}

/** A literal or `{x:Type}`; fails on anything else. */
export function parseConstant(cursor: Cursor): Literal | QueryParameter {
  return acceptParameter(cursor) ?? parseLiteral(cursor)
}

/** `column = expression, ..`. */
export function parseAssignments(cursor: Cursor): Assignment[] {
  return parseCommaList(cursor, () => {
    const column = parseCompoundName(cursor)
    cursor.expectToken(Token.equals, '=')
    return { column, expression: parseExpression(cursor) }
  })
}

/** What stands after PARTITION. */
export function parsePartition(cursor: Cursor): Partition {
  if (cursor.accept('ALL')) return { kind: 'all' }
  if (cursor.at('ID') && cursor.kindAt(cursor.index + 1) !== Token.leftParen) {
    cursor.advance()
    return { kind: 'id', id: parseConstant(cursor) }
  }
  return { kind: 'value', value: parseExpression(cursor) }
}

/** `IN PARTITION ..`, or nothing. */
export function parseInPartition(cursor: Cursor): Partition | undefined {
  return cursor.accept('IN PARTITION') ? parsePartition(cursor) : undefined
}

/** `[NOT] LIKE | ILIKE 'pattern'`, or nothing. */
export function parseLike(cursor: Cursor): LikeClause | undefined {
  const word = cursor.acceptOneOf('NOT LIKE', 'NOT ILIKE', 'LIKE', 'ILIKE')
  if (word === undefined) return undefined
  return {
    not: word.startsWith('NOT') ? true : undefined,
    caseInsensitive: word.endsWith('ILIKE') ? true : undefined,
    pattern: cursor.string('pattern'),
  }
}

/** `INTO OUTFILE ..`, `FORMAT ..`, `SETTINGS ..` after a statement. */
export function parseOutput(cursor: Cursor): OutputClause | undefined {
  const outfile = cursor.accept('INTO OUTFILE') ? cursor.string('file name') : undefined
  let settings = cursor.accept('SETTINGS') ? parseSettings(cursor) : undefined
  const format = cursor.accept('FORMAT') ? cursor.identifier('format') : undefined
  if (settings === undefined && cursor.accept('SETTINGS')) settings = parseSettings(cursor)
  if (outfile === undefined && format === undefined && settings === undefined) return undefined
  return { outfile, format, settings }
}

const TYPELESS_IN_CREATE = ['DEFAULT', 'MATERIALIZED', 'EPHEMERAL', 'ALIAS', 'AUTO_INCREMENT', 'NOT NULL', 'TTL']
const TYPELESS_IN_MODIFY = [
  ...TYPELESS_IN_CREATE,
  'COMMENT',
  'CODEC',
  'STATISTICS',
  'PRIMARY KEY',
  'REMOVE',
  'MODIFY SETTING',
  'RESET SETTING',
  'ADD ENUM VALUES',
]

function atAny(cursor: Cursor, phrases: readonly string[]): boolean {
  for (const phrase of phrases) if (cursor.at(phrase)) return true
  return false
}

/** What a declaration says beyond the column itself. */
interface ParsedColumn {
  readonly column: ColumnDeclaration
  readonly primaryKey: boolean
}

/** A column of CREATE TABLE. */
export function parseColumn(cursor: Cursor): ParsedColumn {
  return parseColumnClauses(cursor, cursor.identifier('column name'), TYPELESS_IN_CREATE)
}

/** A column of ADD COLUMN: the name may be compound. */
export function parseAlterColumn(cursor: Cursor): ColumnDeclaration {
  return parseColumnClauses(cursor, compoundText(cursor), TYPELESS_IN_CREATE).column
}

/** A column of MODIFY COLUMN: any clause may stand without the type. `name` where it was read before. */
export function parseModifiedColumn(cursor: Cursor, name = compoundText(cursor)): ColumnDeclaration {
  return parseColumnClauses(cursor, name, TYPELESS_IN_MODIFY).column
}

function compoundText(cursor: Cursor): string {
  return parseCompoundName(cursor).parts.join('.')
}

function parseNullability(cursor: Cursor): ColumnDeclaration['nullability'] {
  return cursor.acceptOneOf('NOT NULL', 'NULL')
}

function parseDefault(cursor: Cursor, hasType: boolean): ColumnDeclaration['default'] {
  const kind = cursor.acceptOneOf('DEFAULT', 'MATERIALIZED', 'EPHEMERAL', 'ALIAS')
  if (kind === undefined) return undefined
  if (kind !== 'EPHEMERAL') return { kind, expression: parseExpression(cursor) }
  if (cursor.at('COMMENT')) return { kind }
  const expression = cursor.attempt(() => parseExpression(cursor))
  if (expression === undefined && !hasType) cursor.fail('expression')
  return expression === undefined ? { kind } : { kind, expression }
}

function parseColumnClauses(cursor: Cursor, name: string, typeless: readonly string[]): ParsedColumn {
  let type = atAny(cursor, typeless) ? undefined : parseType(cursor)
  let collation = cursor.accept('COLLATE') ? cursor.identifier('collation') : undefined
  let nullability = parseNullability(cursor)
  const defaultValue = parseDefault(cursor, type !== undefined)
  collation ??= cursor.accept('COLLATE') ? cursor.identifier('collation') : undefined
  nullability ??= parseNullability(cursor)
  if (cursor.accept('AUTO_INCREMENT') && type === undefined) type = { kind: 'type', name: 'INT' }
  nullability ??= parseNullability(cursor)
  const comment = parseComment(cursor)
  const codec = cursor.accept('CODEC') ? parseCallList(cursor) : undefined
  const statistics = cursor.accept('STATISTICS') ? parseCallList(cursor) : undefined
  const ttl = cursor.accept('TTL') ? parseExpression(cursor) : undefined
  const primaryKey = cursor.accept('PRIMARY KEY')
  // Without a bracket SETTINGS belongs to the statement.
  const ownSettings = cursor.kindAt(cursor.index + 1) === Token.leftParen && cursor.accept('SETTINGS')
  const settings = ownSettings ? parseBracketedSettings(cursor) : undefined
  const column: ColumnDeclaration = {
    name,
    type,
    nullability,
    default: defaultValue,
    comment,
    codec,
    statistics,
    ttl,
    collation,
    settings,
  }
  return { column, primaryKey }
}

/** One granule of these indexes covers a whole part. */
const WHOLE_PART = '100000000'

/** `name expression TYPE type GRANULARITY n`. */
export function parseIndex(cursor: Cursor): IndexDeclaration {
  const name = cursor.identifier('index name')
  const expression = parseExpression(cursor)
  cursor.expect('TYPE')
  return parseIndexTail(cursor, name, expression, parseNamedCall(cursor))
}

/** The part of an index after its type. */
export function parseIndexTail(
  cursor: Cursor,
  name: string,
  expression: Expression,
  type: FunctionCall | undefined,
): IndexDeclaration {
  let granularity = type?.name === 'text' || type?.name === 'vector_similarity' ? WHOLE_PART : '1'
  if (cursor.accept('GRANULARITY')) granularity = parseUnsigned(cursor)
  // What is written for a text index does not count.
  if (type?.name === 'text') granularity = WHOLE_PART
  return { name, expression, type, granularity }
}

/** An unsigned whole number, as text. */
export function parseUnsigned(cursor: Cursor): string {
  const value = cursor.atToken(Token.number) ? parseLiteral(cursor) : undefined
  if (value?.type !== 'int') return cursor.fail('number')
  return value.value
}

/** `name CHECK expression` or ASSUME. */
export function parseConstraint(cursor: Cursor): ConstraintDeclaration {
  const name = cursor.identifier('constraint name')
  const kind = cursor.acceptOneOf('CHECK', 'ASSUME') ?? cursor.fail('CHECK or ASSUME')
  return { name, kind, expression: parseExpression(cursor) }
}

function parseProjectionQuery(cursor: Cursor): ProjectionQuery {
  const withItems = cursor.accept('WITH') ? parseCommaList(cursor, parseWithAlias) : undefined
  cursor.expect('SELECT')
  const columns = parseCommaList(cursor, parseSelectExpression)
  const where = cursor.accept('WHERE') ? parseExpression(cursor) : undefined
  const groupBy = cursor.accept('GROUP BY') ? parseCommaList(cursor, parseExpression) : undefined
  const orderBy = cursor.accept('ORDER BY') ? parseProjectionOrder(cursor) : undefined
  return { with: withItems, columns, where, groupBy, orderBy }
}

/** ORDER BY of a projection: a list without brackets is one tuple. */
function parseProjectionOrder(cursor: Cursor): Expression {
  const items = parseCommaList(cursor, parseExpression)
  if (items.length === 1) return items[0]!
  return operation('tuple', items)
}

/** `name (SELECT ..) | INDEX expression TYPE type`, then `WITH SETTINGS (..)`. */
export function parseProjection(cursor: Cursor): ProjectionDeclaration {
  const name = cursor.identifier('projection name')
  let query: ProjectionQuery | undefined
  let index: ProjectionDeclaration['index']
  if (cursor.accept('INDEX')) {
    const expression = parseExpression(cursor)
    cursor.expect('TYPE')
    index = { expression, type: parseNamedCall(cursor) }
  } else {
    cursor.expectToken(Token.leftParen, '(')
    query = parseProjectionQuery(cursor)
    cursor.expectToken(Token.rightParen, ')')
  }
  const settings = cursor.accept('WITH SETTINGS') ? parseBracketedSettings(cursor) : undefined
  return { name, query, index, settings }
}

/** The brackets after a table's name, and the primary key that was declared in them. */
export interface ParsedElements {
  readonly elements: TableElements
  readonly primaryKey?: Expression
}

/** Steps over `FOREIGN KEY (..) REFERENCES ..`, which the server accepts and forgets. */
function skipForeignKey(cursor: Cursor): void {
  while (!cursor.isEnd && !cursor.atToken(Token.comma) && !cursor.atToken(Token.rightParen)) {
    const after = cursor.atToken(Token.leftParen) ? cursor.afterBracket(cursor.index) : -1
    if (after >= 0) cursor.index = after
    else cursor.advance()
  }
}

/** `(columns, indexes, ..)`. */
export function parseElements(cursor: Cursor): ParsedElements {
  cursor.expectToken(Token.leftParen, '(')
  const columns: ColumnDeclaration[] = []
  const indexes: IndexDeclaration[] = []
  const constraints: ConstraintDeclaration[] = []
  const projections: ProjectionDeclaration[] = []
  const inlineKeys: Expression[] = []
  let primaryKey: Expression | undefined
  do {
    // A comma may stand before the closing bracket.
    if (cursor.atToken(Token.rightParen) && columns.length + indexes.length + constraints.length > 0) break
    if (cursor.accept('INDEX')) indexes.push(parseIndex(cursor))
    else if (cursor.accept('CONSTRAINT')) constraints.push(parseConstraint(cursor))
    else if (cursor.accept('PROJECTION')) projections.push(parseProjection(cursor))
    else if (cursor.accept('PRIMARY KEY')) {
      if (primaryKey !== undefined) cursor.fail('one primary key')
      primaryKey = parseExpression(cursor)
    } else if (cursor.accept('FOREIGN KEY')) skipForeignKey(cursor)
    else {
      const parsed = parseColumn(cursor)
      columns.push(parsed.column)
      if (parsed.primaryKey) inlineKeys.push(identifierOf(parsed.column.name))
    }
  } while (cursor.acceptToken(Token.comma))
  cursor.expectToken(Token.rightParen, ')')
  if (inlineKeys.length > 0) {
    if (primaryKey !== undefined) cursor.fail('one primary key')
    primaryKey = operation('tuple', inlineKeys)
  }
  return { elements: { columns, indexes, constraints, projections }, primaryKey }
}

/** One key expression with its direction; ascending is the bare expression. */
function parseKeyElement(cursor: Cursor): Expression {
  const expression = parseExpression(cursor)
  if (cursor.acceptOneOf('DESCENDING', 'DESC')) return { kind: 'orderByElement', expression, direction: 'DESC' }
  cursor.acceptOneOf('ASCENDING', 'ASC')
  return expression
}

/** ORDER BY of a table: `a`, `a DESC`, `(a, b)`, or a list with directions, which becomes `tuple(..)`. */
function parseSortingKey(cursor: Cursor): Expression {
  const simple = cursor.attempt(() => parseKeyElement(cursor))
  if (simple !== undefined) return simple
  cursor.accept('TUPLE')
  cursor.expectToken(Token.leftParen, '(')
  const args = parseCommaList(cursor, parseKeyElement)
  cursor.expectToken(Token.rightParen, ')')
  return call('tuple', args)
}

/** One rule of TTL. */
function parseTtlRule(cursor: Cursor): TtlRule {
  const expression = parseExpression(cursor)
  const move = cursor.acceptOneOf('TO DISK', 'TO VOLUME')
  if (move !== undefined) {
    const ifExists = flag(cursor, 'IF EXISTS')
    const to = move === 'TO DISK' ? 'DISK' : 'VOLUME'
    return { expression, action: { kind: 'move', to, name: cursor.string('name'), ifExists } }
  }
  if (cursor.accept('RECOMPRESS')) {
    cursor.expect('CODEC')
    return { expression, action: { kind: 'recompress', codec: parseCallList(cursor) } }
  }
  if (cursor.accept('GROUP BY')) {
    const by = parseCommaList(cursor, parseExpression)
    const set = cursor.accept('SET') ? parseTtlAssignments(cursor) : []
    return { expression, action: { kind: 'groupBy', by, set } }
  }
  cursor.accept('DELETE')
  const where = cursor.accept('WHERE') ? parseExpression(cursor) : undefined
  return { expression, action: { kind: 'delete', where } }
}

/** Assignments of `GROUP BY .. SET`: they end where the next comma starts another rule. */
function parseTtlAssignments(cursor: Cursor): Assignment[] {
  const assignments: Assignment[] = []
  do {
    const column = parseCompoundName(cursor)
    cursor.expectToken(Token.equals, '=')
    assignments.push({ column, expression: parseExpression(cursor) })
  } while (
    cursor.atToken(Token.comma) &&
    isAssignmentStart(cursor, cursor.index + 1) &&
    cursor.acceptToken(Token.comma)
  )
  return assignments
}

function isAssignmentStart(cursor: Cursor, from: number): boolean {
  let index = from
  while (cursor.kindAt(index + 1) === Token.dot) index += 2
  const kind = cursor.kindAt(index)
  return (kind === Token.word || kind === Token.quotedIdentifier) && cursor.kindAt(index + 1) === Token.equals
}

/** `rule, rule`; a comma before another command about the TTL (`REMOVE TTL`) belongs to ALTER. */
export function parseTtl(cursor: Cursor): TtlRule[] {
  const rules = [parseTtlRule(cursor)]
  while (cursor.atToken(Token.comma) && !cursor.atIndex('TTL', cursor.index + 2)) {
    cursor.advance()
    rules.push(parseTtlRule(cursor))
  }
  return rules
}

function acceptEngine(cursor: Cursor): boolean {
  if (!cursor.accept('ENGINE')) return false
  cursor.acceptToken(Token.equals)
  return true
}

/** ENGINE with its keys, TTL and SETTINGS; `undefined` when none of them is here. */
export function parseStorage(cursor: Cursor): StorageDefinition | undefined {
  const start = cursor.index
  let engine: FunctionCall | undefined
  if (acceptEngine(cursor)) engine = parseEngine(cursor)
  let partitionBy: Expression | undefined
  let primaryKey: Expression | undefined
  let orderBy: Expression | undefined
  let sampleBy: Expression | undefined
  let uniqueKey: Expression | undefined
  let ttl: TtlRule[] | undefined
  while (true) {
    if (partitionBy === undefined && cursor.accept('PARTITION BY')) partitionBy = parseExpression(cursor)
    else if (primaryKey === undefined && cursor.accept('PRIMARY KEY')) primaryKey = parseExpression(cursor)
    else if (orderBy === undefined && cursor.accept('ORDER BY')) orderBy = parseSortingKey(cursor)
    else if (sampleBy === undefined && cursor.accept('SAMPLE BY')) sampleBy = parseExpression(cursor)
    else if (uniqueKey === undefined && cursor.accept('UNIQUE KEY')) uniqueKey = parseExpression(cursor)
    else if (ttl === undefined && cursor.accept('TTL')) ttl = parseTtl(cursor)
    else break
  }
  const settings = cursor.accept('SETTINGS') ? parseSettings(cursor) : undefined
  if (cursor.index === start) return undefined
  return { engine, partitionBy, primaryKey, orderBy, sampleBy, uniqueKey, ttl, settings }
}

/** An engine; the server forgets empty brackets. */
export function parseEngine(cursor: Cursor): FunctionCall {
  const engine = parseNamedCall(cursor)
  return engine.args?.length === 0 ? { kind: 'function', name: engine.name } : engine
}

/** `storage` with a primary key that was declared among the columns. */
export function withPrimaryKey(
  cursor: Cursor,
  storage: StorageDefinition | undefined,
  primaryKey: Expression | undefined,
): StorageDefinition | undefined {
  if (primaryKey === undefined) return storage
  if (storage?.primaryKey !== undefined) cursor.fail('one primary key')
  return { ...storage, primaryKey }
}

/** SAMPLES, TAGS and METRICS of a TimeSeries table, in the order in which each is spoken of first. */
export function parseTargets(cursor: Cursor): InnerTarget[] | undefined {
  const targets = new Map<InnerTarget['role'], InnerTarget>()
  while (true) {
    const word = cursor.acceptOneOf('SAMPLES', 'DATA', 'TAGS', 'METRICS')
    if (word === undefined) return targets.size > 0 ? [...targets.values()] : undefined
    const role = word === 'DATA' ? 'SAMPLES' : word
    const part = parseTarget(cursor)
    const known: Partial<InnerTarget> = targets.get(role) ?? {}
    for (const field in part) if (known[field as keyof InnerTarget] !== undefined) cursor.fail('another clause')
    targets.set(role, { role, ...known, ...part })
  }
}

function parseTarget(cursor: Cursor): Omit<InnerTarget, 'role'> {
  if (cursor.accept('INNER UUID')) return { innerUuid: cursor.string('UUID') }
  if (cursor.accept('INNER COLUMNS')) return { innerColumns: parseInnerColumns(cursor) }
  // INNER may be left out.
  if (cursor.accept('INNER') || (cursor.at('ENGINE') && cursor.kindAt(cursor.index + 1) === Token.equals))
    return { innerEngine: parseStorage(cursor) ?? cursor.fail('ENGINE') }
  return { table: parseObjectName(cursor) }
}

/** Columns alone; a primary key among them is read and forgotten, and so is a comma behind the last. */
function parseInnerColumns(cursor: Cursor): ColumnDeclaration[] {
  cursor.expectToken(Token.leftParen, '(')
  const columns = [parseColumn(cursor).column]
  while (cursor.acceptToken(Token.comma) && !cursor.atToken(Token.rightParen)) columns.push(parseColumn(cursor).column)
  cursor.expectToken(Token.rightParen, ')')
  return columns
}

/** DEFINER and SQL SECURITY in either order. */
export function parseSqlSecurity(cursor: Cursor): SqlSecurity | undefined {
  let definer: SqlSecurity['definer']
  let security: SqlSecurity['security']
  while (true) {
    if (definer === undefined && cursor.accept('DEFINER')) {
      cursor.acceptToken(Token.equals)
      definer = cursor.accept('CURRENT_USER')
        ? { kind: 'currentUser' }
        : { kind: 'user', name: parseNameOrString(cursor, 'user') }
    } else if (security === undefined && cursor.accept('SQL SECURITY'))
      security = cursor.acceptOneOf('DEFINER', 'INVOKER', 'NONE') ?? cursor.fail('DEFINER, INVOKER or NONE')
    else break
  }
  if (definer === undefined && security === undefined) return undefined
  if (definer === undefined && security === 'DEFINER') definer = { kind: 'currentUser' }
  return { definer, security: security ?? 'DEFINER' }
}

const SECONDS: Readonly<Record<string, number>> = { WEEK: 604800, DAY: 86400, HOUR: 3600, MINUTE: 60, SECOND: 1 }
const MONTHS: Readonly<Record<string, number>> = { YEAR: 12, QUARTER: 3, MONTH: 1 }
const INTERVAL_UNITS = ['YEAR', 'QUARTER', 'MONTH', 'WEEK', 'DAY', 'HOUR', 'MINUTE', 'SECOND'] as const

/** `1 HOUR 30 MINUTE`, carried over into larger units as the server does. */
function parseTimeInterval(cursor: Cursor): TimeInterval {
  let months = 0
  let seconds = 0
  do {
    const amount = Number(parseUnsigned(cursor))
    const unit = acceptTimeUnit(cursor) ?? cursor.fail('time unit')
    if (unit in MONTHS) months += amount * MONTHS[unit]!
    else seconds += amount * SECONDS[unit]!
  } while (cursor.atToken(Token.number))
  const parts: { amount: number; unit: TimeUnit }[] = []
  const take = (unit: TimeUnit, size: number, rest: number) => {
    if (rest >= size) parts.push({ amount: Math.floor(rest / size), unit })
    return rest % size
  }
  months = take('MONTH', 1, take('YEAR', 12, months))
  for (const unit of ['WEEK', 'DAY', 'HOUR', 'MINUTE', 'SECOND'] as const) seconds = take(unit, SECONDS[unit]!, seconds)
  return parts.length > 0 ? parts : [{ amount: 0, unit: 'SECOND' }]
}

/** A unit name in singular or plural. */
export function acceptTimeUnit(cursor: Cursor): (typeof INTERVAL_UNITS)[number] | undefined {
  for (const unit of INTERVAL_UNITS) if (cursor.accept(unit) || cursor.accept(`${unit}S`)) return unit
  return undefined
}

/** What stands after REFRESH. */
export function parseRefresh(cursor: Cursor): RefreshStrategy {
  const kind = cursor.acceptOneOf('EVERY', 'AFTER')
  const schedule = kind === undefined ? undefined : { kind, interval: parseTimeInterval(cursor) }
  const offset = cursor.accept('OFFSET') ? parseTimeInterval(cursor) : undefined
  const randomize = cursor.accept('RANDOMIZE FOR') ? parseTimeInterval(cursor) : undefined
  const dependsOn = cursor.accept('DEPENDS ON') ? parseCommaList(cursor, parseObjectName) : undefined
  if (schedule === undefined && dependsOn === undefined) cursor.fail('EVERY, AFTER or DEPENDS ON')
  const settings = cursor.accept('SETTINGS') ? parseSettings(cursor) : undefined
  const append = flag(cursor, 'APPEND')
  return { schedule, offset, randomize, dependsOn, settings, append }
}
