import type { Expression, FunctionCall, IdentifierPart, Setting } from '../ast.js'
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
  RefreshStrategy,
  SqlSecurity,
  StorageDefinition,
  TableElements,
  TimeInterval,
  TtlRule,
} from '../ast-ddl.js'
import { quoteIdentifier, quoteIdentifierIfNeeded, quoteString } from '../quote.js'
import { printExpression, printExpressionList } from './expression.js'
import { printSettings } from './query.js'
import { printType } from './type.js'

/** A part of a name: quoted when needed, or `{x:Identifier}`. */
export function printNamePart(part: IdentifierPart): string {
  if (typeof part === 'string') return quoteIdentifierIfNeeded(part)
  if (part.kind === 'parameter') return `{${part.name}:${part.type}}`
  return printExpression({ kind: 'identifier', parts: [part] })
}

/** `database.name`, quoted where needed. */
export function printObjectName(name: ObjectName): string {
  if (name.database === undefined) return printNamePart(name.name)
  return `${printNamePart(name.database)}.${printNamePart(name.name)}`
}

/** ` ON CLUSTER c`, or nothing. */
export function printCluster(cluster: string | undefined): string {
  return cluster === undefined ? '' : ` ON CLUSTER ${quoteIdentifierIfNeeded(cluster)}`
}

/** ` UUID '..'`, or nothing. */
export function printUuid(uuid: string | undefined): string {
  return uuid === undefined ? '' : ` UUID ${quoteString(uuid)}`
}

/** ` COMMENT '..'`, or nothing. */
export function printComment(comment: string | undefined): string {
  return comment === undefined ? '' : ` COMMENT ${quoteString(comment)}`
}

/** ` SETTINGS a = 1`, or nothing. */
export function printSettingsClause(settings: readonly Setting[] | undefined): string {
  return settings === undefined ? '' : ` SETTINGS ${printSettings(settings)}`
}

/** The value of a setting, without its name. */
export function printSettingValue(value: Setting['value']): string {
  return value.kind === 'default' ? 'DEFAULT' : printExpression(value)
}

/** `a, b` from expressions. */
export function printList(items: readonly Expression[]): string {
  return printExpressionList(items)
}

/** An engine, codec, statistics or index type. Its brackets are printed when it has arguments, even none. */
export function printCall(call: FunctionCall): string {
  const name = quoteIdentifierIfNeeded(call.name)
  return call.args === undefined ? name : `${name}(${printList(call.args)})`
}

/** `a = 1, b = 2`. */
export function printAssignments(assignments: readonly Assignment[]): string {
  return assignments.map((item) => `${printExpression(item.column)} = ${printClause(item.expression)}`).join(', ')
}

/** What stands after PARTITION, or after PART. */
export function printPartition(partition: Partition): string {
  switch (partition.kind) {
    case 'all':
      return 'ALL'
    case 'id':
      return `ID ${printExpression(partition.id)}`
    case 'value':
      return printExpression(partition.value)
    case 'part':
      return printExpression(partition.name)
  }
}

/** ` IN PARTITION ..`, or nothing. */
export function printInPartition(partition: Partition | undefined): string {
  return partition === undefined ? '' : ` IN PARTITION ${printPartition(partition)}`
}

/** ` LIKE 'x'`, or nothing. */
export function printLike(like: LikeClause | undefined): string {
  if (like === undefined) return ''
  return `${like.not ? ' NOT' : ''} ${like.caseInsensitive ? 'ILIKE' : 'LIKE'} ${quoteString(like.pattern)}`
}

/** ` INTO OUTFILE .. FORMAT .. SETTINGS ..`, or nothing. */
export function printOutput(output: OutputClause | undefined): string {
  if (output === undefined) return ''
  let out = ''
  if (output.outfile !== undefined) out += ` INTO OUTFILE ${quoteString(output.outfile)}`
  if (output.format !== undefined) out += ` FORMAT ${quoteIdentifierIfNeeded(output.format)}`
  return out + printSettingsClause(output.settings)
}

/** An expression that is a clause of its own: its brackets go around the alias that was written in them. */
export function printClause(expression: Expression): string {
  const isBracketed = 'alias' in expression && expression.alias !== undefined && expression.parenthesized === true
  return isBracketed ? `(${printExpression({ ...expression, parenthesized: undefined })})` : printExpression(expression)
}

/** The server brackets a lambda here. */
function printDefault(expression: Expression): string {
  const text = printClause(expression)
  const lambda = expression.kind === 'function' && expression.name === 'lambda' && expression.operator
  return lambda && !expression.parenthesized ? `(${text})` : text
}

/** `` `name` type .. ``: one column declaration. */
export function printColumn(column: ColumnDeclaration): string {
  let out = quoteIdentifier(column.name)
  if (column.type !== undefined) out += ` ${printType(column.type)}`
  if (column.nullability !== undefined) out += ` ${column.nullability}`
  if (column.default !== undefined) {
    out += ` ${column.default.kind}`
    if (column.default.expression !== undefined) out += ` ${printDefault(column.default.expression)}`
  }
  out += printComment(column.comment)
  if (column.codec !== undefined) out += ` CODEC(${column.codec.map(printCall).join(', ')})`
  if (column.statistics !== undefined) out += ` STATISTICS(${column.statistics.map(printCall).join(', ')})`
  if (column.ttl !== undefined) out += ` TTL ${printClause(column.ttl)}`
  if (column.collation !== undefined) out += ` COLLATE ${quoteIdentifierIfNeeded(column.collation)}`
  if (column.settings !== undefined) out += ` SETTINGS (${printSettings(column.settings)})`
  return out
}

/** `name expression TYPE type GRANULARITY n`, without INDEX. */
export function printIndex(index: IndexDeclaration): string {
  return `${quoteIdentifierIfNeeded(index.name)} ${printIndexBody(index)}`
}

/** An index without its name. */
export function printIndexBody(index: IndexDeclaration): string {
  const type = index.type === undefined ? '' : ` TYPE ${printCall(index.type)}`
  return `${printClause(index.expression)}${type} GRANULARITY ${index.granularity}`
}

/** `name CHECK expression`, without CONSTRAINT. */
export function printConstraint(constraint: ConstraintDeclaration): string {
  return `${quoteIdentifierIfNeeded(constraint.name)} ${constraint.kind} ${printClause(constraint.expression)}`
}

/** An operator tuple of a projection's ORDER BY is printed without its brackets. */
function printProjectionOrder(order: Expression): string {
  if (order.kind === 'function' && order.name === 'tuple' && order.operator && (order.args?.length ?? 0) > 1)
    return printList(order.args!)
  return printExpression(order)
}

/** `name (SELECT ..)` or `name INDEX ..`, without PROJECTION. `gap` is what the server prints after INDEX. */
export function printProjection(projection: ProjectionDeclaration, gap = ' '): string {
  let out = quoteIdentifierIfNeeded(projection.name)
  if (projection.index !== undefined)
    out += ` INDEX${gap}${printExpression(projection.index.expression)} TYPE ${printCall(projection.index.type)}`
  if (projection.query !== undefined) {
    const { query } = projection
    out += ' ('
    if (query.with !== undefined) out += `WITH ${printList(query.with)} `
    out += `SELECT ${printList(query.columns)}`
    if (query.where !== undefined) out += ` WHERE ${printExpression(query.where)}`
    if (query.groupBy !== undefined) out += ` GROUP BY ${printList(query.groupBy)}`
    if (query.orderBy !== undefined) out += ` ORDER BY ${printProjectionOrder(query.orderBy)}`
    out += ')'
  }
  if (projection.settings !== undefined) out += ` WITH SETTINGS (${printSettings(projection.settings)})`
  return out
}

/** `(columns, INDEX .., CONSTRAINT .., PROJECTION ..)`. */
export function printElements(elements: TableElements): string {
  let out = ''
  for (const column of elements.columns) out += out === '' ? printColumn(column) : `, ${printColumn(column)}`
  for (const index of elements.indexes) out += `${out === '' ? '' : ', '}INDEX ${printIndex(index)}`
  for (const item of elements.constraints) out += `${out === '' ? '' : ', '}CONSTRAINT ${printConstraint(item)}`
  for (const item of elements.projections) out += `${out === '' ? '' : ', '}PROJECTION ${printProjection(item)}`
  return `(${out})`
}

/** One rule of TTL. */
export function printTtlRule(rule: TtlRule): string {
  const { action } = rule
  const expression = printClause(rule.expression)
  switch (action.kind) {
    case 'delete':
      return action.where === undefined ? expression : `${expression} WHERE ${printExpression(action.where)}`
    case 'move':
      return `${expression} TO ${action.to}${action.ifExists ? ' IF EXISTS' : ''} ${quoteString(action.name)}`
    case 'groupBy': {
      const set = action.set.length > 0 ? ` SET ${printAssignments(action.set)}` : ''
      return `${expression} GROUP BY ${printList(action.by)}${set}`
    }
    case 'recompress':
      return `${expression} RECOMPRESS CODEC(${action.codec.map(printCall).join(', ')})`
  }
}

/** ` ENGINE = .. ORDER BY ..`: each clause with a space before it. */
export function printStorage(storage: StorageDefinition | undefined): string {
  if (storage === undefined) return ''
  let out = ''
  if (storage.engine !== undefined) out += ` ENGINE = ${printCall(storage.engine)}`
  if (storage.partitionBy !== undefined) out += ` PARTITION BY ${printClause(storage.partitionBy)}`
  if (storage.primaryKey !== undefined) out += ` PRIMARY KEY ${printClause(storage.primaryKey)}`
  if (storage.orderBy !== undefined) out += ` ORDER BY ${printExpression(storage.orderBy)}`
  if (storage.sampleBy !== undefined) out += ` SAMPLE BY ${printClause(storage.sampleBy)}`
  if (storage.uniqueKey !== undefined) out += ` UNIQUE KEY ${printExpression(storage.uniqueKey)}`
  if (storage.ttl !== undefined) out += ` TTL ${storage.ttl.map(printTtlRule).join(', ')}`
  return out + printSettingsClause(storage.settings)
}

/** ` SAMPLES t TAGS INNER ENGINE = ..`. */
export function printTargets(targets: readonly InnerTarget[] | undefined): string {
  let out = ''
  for (const { role, table, innerUuid, innerColumns, innerEngine } of targets ?? []) {
    if (table !== undefined) out += ` ${role} ${printObjectName(table)}`
    if (innerUuid !== undefined) out += ` ${role} INNER UUID ${quoteString(innerUuid)}`
    if (innerColumns !== undefined) out += ` ${role} INNER COLUMNS (${innerColumns.map(printColumn).join(', ')})`
    if (innerEngine !== undefined) out += ` ${role} INNER${printStorage(innerEngine)}`
  }
  return out
}

/** `DEFINER = user SQL SECURITY kind`. */
export function printSqlSecurity(sqlSecurity: SqlSecurity): string {
  const parts: string[] = []
  const { definer, security } = sqlSecurity
  if (definer !== undefined)
    parts.push(`DEFINER = ${definer.kind === 'currentUser' ? 'CURRENT_USER' : quoteIdentifierIfNeeded(definer.name)}`)
  if (security !== undefined) parts.push(`SQL SECURITY ${security}`)
  return parts.join(' ')
}

function printInterval(interval: TimeInterval): string {
  return interval.map((part) => `${part.amount} ${part.unit}`).join(' ')
}

/** `EVERY 1 HOUR ..`, without REFRESH. `gap` is what the server prints after DEPENDS ON. */
export function printRefresh(refresh: RefreshStrategy, gap = ' '): string {
  const parts: string[] = []
  if (refresh.schedule !== undefined) parts.push(`${refresh.schedule.kind} ${printInterval(refresh.schedule.interval)}`)
  if (refresh.offset !== undefined) parts.push(`OFFSET ${printInterval(refresh.offset)}`)
  if (refresh.randomize !== undefined) parts.push(`RANDOMIZE FOR ${printInterval(refresh.randomize)}`)
  if (refresh.dependsOn !== undefined)
    parts.push(`DEPENDS ON${gap}${refresh.dependsOn.map(printObjectName).join(', ')}`)
  if (refresh.settings !== undefined) parts.push(`SETTINGS ${printSettings(refresh.settings)}`)
  if (refresh.append) parts.push('APPEND')
  return parts.join(' ')
}
