import type { BackupElement, BackupStatement, KillStatement, OptimizeStatement, SystemStatement } from '../ast-ddl.js'
import { quoteIdentifierIfNeeded, quoteString } from '../quote.js'
import {
  printCall,
  printCluster,
  printList,
  printObjectName,
  printPartition,
  printSettingsClause,
} from './ddl-common.js'
import { printExpression } from './expression.js'

/** OPTIMIZE TABLE. */
export function printOptimize(node: OptimizeStatement): string {
  let out = `OPTIMIZE TABLE ${printObjectName(node.table)}${printCluster(node.cluster)}`
  if (node.partition !== undefined) out += ` PARTITION ${printPartition(node.partition)}`
  if (node.dryRunParts !== undefined) out += ` DRY RUN PARTS ${node.dryRunParts.map(quoteString).join(', ')}`
  if (node.final) out += ' FINAL'
  if (node.deduplicate) out += ' DEDUPLICATE'
  if (node.deduplicateBy !== undefined) out += ` BY ${printList(node.deduplicateBy)}`
  if (node.cleanup) out += ' CLEANUP'
  if (node.manifest) out += ' MANIFEST'
  return out
}

/** KILL with its mode, which the server always prints. */
export function printKill(node: KillStatement): string {
  return `KILL ${node.object}${printCluster(node.cluster)} WHERE ${printExpression(node.where)} ${node.mode}`
}

/** SYSTEM; the cluster stands before the object, or after the words of a command without one. */
export function printSystem(node: SystemStatement): string {
  const target = node.target === undefined ? '' : ` ${printObjectName(node.target)}`
  const tail = node.tail === undefined ? '' : ` ${node.tail}`
  const cluster = printCluster(node.cluster)
  if (node.command.startsWith('CLEAR ') || node.command === 'SYNC FILESYSTEM CACHE')
    return `SYSTEM ${node.command}${target}${tail}${cluster}`
  return `SYSTEM ${node.command}${cluster}${target}${tail}`
}

function printExcept(element: BackupElement): string {
  let out = ''
  const { exceptDatabases, exceptTables } = element
  if (exceptDatabases !== undefined) {
    const names = exceptDatabases.map(quoteIdentifierIfNeeded).join(',')
    out += ` EXCEPT ${exceptDatabases.length === 1 ? 'DATABASE' : 'DATABASES'} ${names}`
  }
  if (exceptTables !== undefined)
    out += ` EXCEPT ${exceptTables.length === 1 ? 'TABLE' : 'TABLES'} ${exceptTables.map(printObjectName).join(', ')}`
  return out
}

function printBackupElement(element: BackupElement): string {
  let out: string = element.object
  if (element.name !== undefined) out += ` ${printObjectName(element.name)}`
  if (element.as !== undefined) out += ` AS ${printObjectName(element.as)}`
  if (element.partitions !== undefined)
    out += ` ${element.partitions.length > 1 ? 'PARTITIONS' : 'PARTITION'}  ${element.partitions.map(printPartition).join(', ')}`
  return out + printExcept(element)
}

/** BACKUP and RESTORE. */
export function printBackup(node: BackupStatement): string {
  const elements = node.elements.map(printBackupElement).join(', ')
  const place = `${node.action === 'BACKUP' ? 'TO' : 'FROM'} ${printCall(node.place)}`
  return `${node.action} ${elements}${printCluster(node.cluster)} ${place}${printSettingsClause(node.settings)}`
}
