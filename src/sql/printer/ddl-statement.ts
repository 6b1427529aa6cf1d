import { assertNever } from '../../errors.js'
import type { Statement } from '../ast-ddl.js'
import { quoteIdentifierIfNeeded } from '../quote.js'
import {
  printDropAccess,
  printGrant,
  printMaskingPolicy,
  printMoveAccess,
  printQuota,
  printRole,
  printRowPolicy,
  printSetRole,
  printSettingsProfile,
  printUser,
} from './ddl-access.js'
import { printAlter, printAlterNamedCollection } from './ddl-alter.js'
import { printOutput } from './ddl-common.js'
import {
  printCreateDatabase,
  printCreateDictionary,
  printCreateFunction,
  printCreateIndex,
  printCreateNamedCollection,
  printCreateResource,
  printCreateTable,
  printCreateView,
  printCreateWorkload,
} from './ddl-create.js'
import {
  printDeleteFrom,
  printDrop,
  printDropGlobal,
  printDropIndex,
  printInsert,
  printRename,
  printUndrop,
  printUpdateTable,
  printUse,
} from './ddl-drop.js'
import { printBackup, printKill, printOptimize, printSystem } from './ddl-system.js'
import { printQuery, printSettings } from './query.js'

/** A statement as the server's `formatQuerySingleLine` prints it. */
export function printAnyStatement(node: Statement): string {
  if (!('output' in node) || node.output === undefined) return printBody(node)
  return printBody(node) + printOutput(node.output)
}

function printBody(node: Statement): string {
  switch (node.kind) {
    case 'select':
    case 'union':
    case 'setOperation':
    case 'explain':
    case 'output':
    case 'unparsed':
      return printQuery(node)
    case 'createTable':
      return printCreateTable(node)
    case 'createView':
      return printCreateView(node)
    case 'createDictionary':
      return printCreateDictionary(node)
    case 'createDatabase':
      return printCreateDatabase(node)
    case 'createFunction':
      return printCreateFunction(node)
    case 'createNamedCollection':
      return printCreateNamedCollection(node)
    case 'alterNamedCollection':
      return printAlterNamedCollection(node)
    case 'createWorkload':
      return printCreateWorkload(node)
    case 'createResource':
      return printCreateResource(node)
    case 'createIndex':
      return printCreateIndex(node)
    case 'dropIndex':
      return printDropIndex(node)
    case 'drop':
      return printDrop(node)
    case 'dropGlobal':
      return printDropGlobal(node)
    case 'undrop':
      return printUndrop(node)
    case 'rename':
      return printRename(node)
    case 'alter':
      return printAlter(node)
    case 'insert':
      return printInsert(node)
    case 'deleteFrom':
      return printDeleteFrom(node)
    case 'updateTable':
      return printUpdateTable(node)
    case 'optimize':
      return printOptimize(node)
    case 'user':
      return printUser(node)
    case 'role':
      return printRole(node)
    case 'settingsProfile':
      return printSettingsProfile(node)
    case 'rowPolicy':
      return printRowPolicy(node)
    case 'quota':
      return printQuota(node)
    case 'maskingPolicy':
      return printMaskingPolicy(node)
    case 'dropAccess':
      return printDropAccess(node)
    case 'moveAccess':
      return printMoveAccess(node)
    case 'grant':
      return printGrant(node)
    case 'setRole':
      return printSetRole(node)
    case 'set':
      return `SET ${printSettings(node.settings)}`
    case 'use':
      return printUse(node.database)
    case 'kill':
      return printKill(node)
    case 'system':
      return printSystem(node)
    case 'backup':
      return printBackup(node)
    case 'inspect':
    case 'session':
      return node.text
    case 'explainStatement': {
      const settings = node.settings === undefined ? '' : `${printSettings(node.settings)} `
      return `${node.mode} ${settings}${printAnyStatement(node.statement)}`
    }
    case 'executeAs': {
      const head = `EXECUTE AS ${quoteIdentifierIfNeeded(node.user)}`
      return node.statement === undefined ? head : `${head} ${printAnyStatement(node.statement)}`
    }
    case 'parallel':
      return node.statements.map(printAnyStatement).join(' PARALLEL WITH ')
    default:
      return assertNever(node, 'statement')
  }
}
