import { assertNever } from '../../errors.js'
import type { AlterCommand, AlterNamedCollection, AlterStatement, Position } from '../ast-ddl.js'
import { quoteIdentifierIfNeeded, quoteString } from '../quote.js'
import {
  printAssignments,
  printCall,
  printCluster,
  printColumn,
  printConstraint,
  printIndex,
  printInPartition,
  printList,
  printObjectName,
  printPartition,
  printProjection,
  printRefresh,
  printSqlSecurity,
  printTtlRule,
} from './ddl-common.js'
import { printCollectionEntries } from './ddl-create.js'
import { printExpression } from './expression.js'
import { printQuery, printSettingName, printSettings } from './query.js'

/** ALTER TABLE or DATABASE; every command in brackets, as the server prints it. */
export function printAlter(node: AlterStatement): string {
  // The server's formatter forgets TEMPORARY; without it the statement would speak of another table.
  const object = node.temporary ? `TEMPORARY ${node.object}` : node.object
  const commands = node.commands.map((command) => `(${printAlterCommand(command)})`).join(', ')
  return `ALTER ${object} ${printObjectName(node.name)}${printCluster(node.cluster)} ${commands}`
}

/** ALTER NAMED COLLECTION. */
export function printAlterNamedCollection(node: AlterNamedCollection): string {
  let out = `ALTER NAMED COLLECTION ${node.ifExists ? 'IF EXISTS ' : ''}${quoteIdentifierIfNeeded(node.name)}`
  out += printCluster(node.cluster)
  if (node.set.length > 0) out += ` SET ${printCollectionEntries(node.set)}`
  if (node.delete.length > 0) out += ` DELETE ${node.delete.map(printSettingName).join(', ')}`
  return out
}

function printPosition(position: Position | undefined): string {
  if (position === undefined) return ''
  // The space after FIRST is the server's.
  return position.kind === 'first' ? ' FIRST ' : ` AFTER ${printExpression(position.after)}`
}

function ifNotExists(command: { readonly ifNotExists?: true }): string {
  return command.ifNotExists ? 'IF NOT EXISTS ' : ''
}

function ifExists(command: { readonly ifExists?: true }): string {
  return command.ifExists ? 'IF EXISTS ' : ''
}

/** `PARTITION p` or `PART 'x'`. */
function printPartitionOrPart(partition: Parameters<typeof printPartition>[0]): string {
  return `${partition.kind === 'part' ? 'PART' : 'PARTITION'} ${printPartition(partition)}`
}

function printNames(names: readonly string[]): string {
  return names.map(quoteIdentifierIfNeeded).join(', ')
}

function printModifyColumn(command: Extract<AlterCommand, { kind: 'modifyColumn' }>): string {
  const head = `MODIFY COLUMN ${ifExists(command)}${printColumn(command.column)}`
  const { change } = command
  if (change === undefined) return head + printPosition(command.position)
  switch (change.kind) {
    case 'remove':
      return `${head} REMOVE ${change.property}`
    case 'modifySetting':
      return `${head} MODIFY SETTING ${printSettings(change.settings)}`
    case 'resetSetting':
      return `${head} RESET SETTING  ${printNames(change.settings)}`
    case 'addEnumValues':
      return `${head} ADD ENUM VALUES (  ${printList(change.values)} ) `
  }
}

function printStatistics(command: Extract<AlterCommand, { kind: 'statistics' }>): string {
  // The formatter forgets IF EXISTS of MATERIALIZE STATISTICS.
  const guard = command.ifNotExists ? 'IF NOT EXISTS ' : ifExists(command)
  const columns = command.columns === undefined ? 'ALL' : printList(command.columns)
  const types = command.types === undefined ? '' : ` TYPE  ${command.types.map(printCall).join(', ')}`
  return `${command.action} STATISTICS ${guard} ${columns}${types}`
}

/** One command, without brackets. */
export function printAlterCommand(command: AlterCommand): string {
  switch (command.kind) {
    case 'addColumn':
      return `ADD COLUMN ${ifNotExists(command)}${printColumn(command.column)}${printPosition(command.position)}`
    case 'dropColumn':
      return `DROP COLUMN ${ifExists(command)}${printExpression(command.column)}`
    case 'clearColumn': {
      const name = ifExists(command) + printExpression(command.column)
      return `CLEAR COLUMN ${name}${printInPartition(command.partition)}`
    }
    case 'modifyColumn':
      return printModifyColumn(command)
    case 'renameColumn':
      return `RENAME COLUMN ${ifExists(command)}${printExpression(command.from)} TO ${printExpression(command.to)}`
    case 'commentColumn': {
      const name = ifExists(command) + printExpression(command.column)
      return `COMMENT COLUMN ${name} ${quoteString(command.comment)}`
    }
    case 'materializeColumn':
      return `MATERIALIZE COLUMN ${printExpression(command.column)}${printInPartition(command.partition)}`
    case 'addIndex':
      return `ADD INDEX ${ifNotExists(command)}${printIndex(command.index)}${printPosition(command.position)}`
    case 'addProjection': {
      const projection = printProjection(command.projection, '  ')
      return `ADD PROJECTION ${ifNotExists(command)}${projection}${printPosition(command.position)}`
    }
    case 'addConstraint':
      return `ADD CONSTRAINT ${ifNotExists(command)}${printConstraint(command.constraint)}`
    case 'modifyConstraint':
      return `MODIFY CONSTRAINT ${ifExists(command)}${printConstraint(command.constraint)}`
    case 'dropElement':
      return `DROP ${command.element} ${ifExists(command)}${printExpression(command.name)}`
    case 'clearElement':
    case 'materializeElement': {
      const verb = command.kind === 'clearElement' ? 'CLEAR' : 'MATERIALIZE'
      const name = ifExists(command) + printExpression(command.name)
      return `${verb} ${command.element} ${name}${printInPartition(command.partition)}`
    }
    case 'statistics':
      return printStatistics(command)
    case 'modifyOrderBy':
      return `MODIFY ORDER BY ${printExpression(command.orderBy)}`
    case 'modifySampleBy':
      return `MODIFY SAMPLE BY ${printExpression(command.sampleBy)}`
    case 'removeSampleBy':
      return 'REMOVE SAMPLE BY'
    case 'modifyTtl':
      return `MODIFY TTL ${command.ttl.map(printTtlRule).join(', ')}`
    case 'removeTtl':
      return 'REMOVE TTL'
    case 'materializeTtl':
      return `MATERIALIZE TTL${printInPartition(command.partition)}`
    case 'modifySetting':
      return `MODIFY SETTING ${printSettings(command.settings)}`
    case 'resetSetting':
      return `RESET SETTING  ${printNames(command.settings)}`
    case 'modifyQuery':
      return `MODIFY QUERY ${printQuery(command.query)}`
    case 'modifyRefresh':
      return `MODIFY REFRESH ${printRefresh(command.refresh, '  ')}`
    case 'modifySqlSecurity':
      return `MODIFY ${printSqlSecurity(command.sqlSecurity)}`
    case 'modifyComment':
      return `MODIFY COMMENT ${quoteString(command.comment)}`
    case 'dropPartition':
      return `DROP ${command.detached ? 'DETACHED ' : ''}${printPartitionOrPart(command.partition)}`
    case 'detachPartition':
      return `DETACH ${printPartitionOrPart(command.partition)}`
    case 'attachPartition': {
      const from = command.from === undefined ? '' : ` FROM ${printObjectName(command.from)}`
      return `ATTACH ${printPartitionOrPart(command.partition)}${from}`
    }
    case 'replacePartition':
      return `REPLACE ${printPartitionOrPart(command.partition)} FROM ${printObjectName(command.from)}`
    case 'movePartition': {
      const { to } = command
      const target = to.kind === 'TABLE' ? printObjectName(to.table) : quoteString(to.name)
      return `MOVE ${printPartitionOrPart(command.partition)} TO ${to.kind} ${target}`
    }
    case 'fetchPartition':
      return `FETCH ${printPartitionOrPart(command.partition)} FROM ${quoteString(command.from)}`
    case 'freeze': {
      const partition = command.partition === undefined ? '' : ` ${printPartitionOrPart(command.partition)}`
      const name = command.name === undefined ? '' : ` WITH NAME ${quoteString(command.name)}`
      return `FREEZE${partition}${name}`
    }
    case 'unfreeze': {
      const partition = command.partition === undefined ? '' : ` ${printPartitionOrPart(command.partition)}`
      return `UNFREEZE${partition} WITH NAME ${quoteString(command.name)}`
    }
    case 'forgetPartition':
      return `FORGET ${printPartitionOrPart(command.partition)}`
    case 'delete':
      return `DELETE${printInPartition(command.partition)} WHERE ${printExpression(command.where)}`
    case 'update': {
      const assignments = printAssignments(command.assignments)
      return `UPDATE  ${assignments}${printInPartition(command.partition)} WHERE ${printExpression(command.where)}`
    }
    case 'applyDeletedMask':
      return `APPLY DELETED MASK${printInPartition(command.partition)}`
    case 'applyPatches':
      return `APPLY PATCHES${printInPartition(command.partition)}`
    case 'rewriteParts':
      return `REWRITE PARTS${printInPartition(command.partition)}`
    case 'unlockSnapshot': {
      const from = command.from === undefined ? '' : ` FROM ${printCall(command.from)}`
      return `UNLOCK SNAPSHOT ${quoteString(command.name)}${from}`
    }
    case 'unparsed':
      return command.text
    default:
      return assertNever(command, 'ALTER command')
  }
}
