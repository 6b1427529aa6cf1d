import type {
  DeleteStatement,
  DropGlobal,
  DropIndex,
  DropStatement,
  InsertStatement,
  RenameStatement,
  Undrop,
  UpdateStatement,
} from '../ast-ddl.js'
import { quoteIdentifierIfNeeded, quoteString } from '../quote.js'
import {
  printAssignments,
  printCluster,
  printInPartition,
  printLike,
  printList,
  printNamePart,
  printObjectName,
  printSettingsClause,
  printUuid,
} from './ddl-common.js'
import { printExpression } from './expression.js'
import { printQuery } from './query.js'

/** DROP, DETACH or TRUNCATE. */
export function printDrop(node: DropStatement): string {
  const names = node.names.map(printObjectName).join(', ')
  const tail = `${printCluster(node.cluster)}${node.permanently ? ' PERMANENTLY' : ''}${node.sync ? ' SYNC' : ''}`
  const exists = node.ifExists ? 'IF EXISTS ' : ''
  if (node.tablesOf !== undefined) {
    const all = node.tablesOf.all ? 'ALL TABLES' : 'TABLES'
    return `${node.action} ${all} FROM ${exists}${names}${printLike(node.tablesOf.like)}${tail}`
  }
  const temporary = node.temporary ? 'TEMPORARY ' : ''
  const empty = node.ifEmpty ? 'IF EMPTY ' : ''
  return `${node.action} ${temporary}${node.object} ${exists}${empty}${names}${printUuid(node.uuid)}${tail}`
}

/** DROP FUNCTION, NAMED COLLECTION, WORKLOAD or RESOURCE. */
export function printDropGlobal(node: DropGlobal): string {
  const exists = node.ifExists ? 'IF EXISTS ' : ''
  return `DROP ${node.object} ${exists}${quoteIdentifierIfNeeded(node.name)}${printCluster(node.cluster)}`
}

/** DROP INDEX name ON table. */
export function printDropIndex(node: DropIndex): string {
  const head = `DROP ${node.hypothetical ? 'HYPOTHETICAL ' : ''}INDEX ${node.ifExists ? 'IF EXISTS ' : ''}`
  return `${head}${quoteIdentifierIfNeeded(node.name)} ON ${printObjectName(node.table)}${printCluster(node.cluster)}`
}

/** UNDROP TABLE. */
export function printUndrop(node: Undrop): string {
  return `UNDROP TABLE ${printObjectName(node.name)}${printUuid(node.uuid)}${printCluster(node.cluster)}`
}

/** RENAME or EXCHANGE. */
export function printRename(node: RenameStatement): string {
  const cluster = printCluster(node.cluster)
  if (node.exchange) {
    const pairs = node.pairs.map((pair) => `${printObjectName(pair.from)} AND ${printObjectName(pair.to)}`)
    return `EXCHANGE ${node.object === 'TABLE' ? 'TABLES' : 'DICTIONARIES'} ${pairs.join(', ')}${cluster}`
  }
  const pairs = node.pairs.map(
    (pair) => `${pair.ifExists ? 'IF EXISTS ' : ''}${printObjectName(pair.from)} TO ${printObjectName(pair.to)}`,
  )
  return `RENAME ${node.object} ${pairs.join(', ')}${cluster}`
}

/** INSERT without its inline data, which the server's formatter leaves out too. */
export function printInsert(node: InsertStatement): string {
  let out = 'INSERT INTO '
  if (node.function !== undefined) out += `FUNCTION ${printExpression(node.function)}`
  else if (node.table !== undefined) out += printObjectName(node.table)
  if (node.partitionBy !== undefined) out += ` PARTITION BY ${printExpression(node.partitionBy)}`
  if (node.columns !== undefined) out += ` (${printList(node.columns)})`
  if (node.infile !== undefined) {
    out += ` FROM INFILE ${quoteString(node.infile.path)}`
    if (node.infile.compression !== undefined) out += ` COMPRESSION ${quoteString(node.infile.compression)}`
  }
  out += printSettingsClause(node.settings)
  if (node.select !== undefined) out += ` ${printQuery(node.select)}`
  // Unlike elsewhere the format's name is not quoted here.
  if (node.format !== undefined) out += ` FORMAT ${node.format}`
  return out
}

/** `DELETE FROM`. */
export function printDeleteFrom(node: DeleteStatement): string {
  const head = `DELETE FROM ${printObjectName(node.table)}${printCluster(node.cluster)}`
  return `${head}${printInPartition(node.partition)} WHERE ${printExpression(node.where)}`
}

/** `UPDATE table SET`. */
export function printUpdateTable(node: UpdateStatement): string {
  const head = `UPDATE ${printObjectName(node.table)}${printCluster(node.cluster)}`
  const body = `${printAssignments(node.assignments)}${printInPartition(node.partition)}`
  return `${head} SET ${body} WHERE ${printExpression(node.where)}`
}

/** USE and its database. */
export function printUse(database: Parameters<typeof printNamePart>[0]): string {
  return `USE ${printNamePart(database)}`
}
