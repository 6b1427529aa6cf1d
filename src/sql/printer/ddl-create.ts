import type {
  CollectionEntry,
  CreateDatabase,
  CreateDictionary,
  CreateFunction,
  CreateIndex,
  CreateNamedCollection,
  CreateResource,
  CreateTable,
  CreateView,
  CreateWorkload,
  DictionaryFunction,
  DictionaryPair,
  TableOverride,
} from '../ast-ddl.js'
import { quoteIdentifier, quoteIdentifierIfNeeded, quoteString } from '../quote.js'
import {
  printCall,
  printClause,
  printCluster,
  printComment,
  printElements,
  printIndexBody,
  printNamePart,
  printObjectName,
  printRefresh,
  printSettingsClause,
  printSqlSecurity,
  printStorage,
  printTargets,
  printUuid,
} from './ddl-common.js'
import { printExpression, printExpressionList } from './expression.js'
import { printQuery, printSettings } from './query.js'
import { printType } from './type.js'

interface CreateHead {
  readonly action: 'CREATE' | 'ATTACH' | 'REPLACE'
  readonly orReplace?: true
  readonly temporary?: true
  readonly ifNotExists?: true
}

/** `CREATE OR REPLACE TEMPORARY object IF NOT EXISTS `, with the space behind it. */
function printHead(node: CreateHead, object: string): string {
  const replace = node.orReplace ? ' OR REPLACE' : ''
  const temporary = node.temporary ? ' TEMPORARY' : ''
  return `${node.action}${replace}${temporary} ${object} ${node.ifNotExists ? 'IF NOT EXISTS ' : ''}`
}

/** CREATE, ATTACH or REPLACE TABLE. */
export function printCreateTable(node: CreateTable): string {
  let out = printHead(node, 'TABLE') + printObjectName(node.name) + printUuid(node.uuid)
  if (node.fromPath !== undefined) out += ` FROM ${quoteString(node.fromPath)}`
  out += printCluster(node.cluster)
  if (node.attachAs !== undefined) return `${out} AS ${node.attachAs}`
  if (node.asTable !== undefined) out += `${printFill(node)} AS ${printObjectName(node.asTable)}`
  if (node.elements !== undefined) out += ` ${printElements(node.elements)}`
  if (node.asFunction !== undefined) out += ` AS ${printExpression(node.asFunction)}`
  out += printStorage(node.storage) + printTargets(node.targets)
  if (node.asSelect === undefined) return out + printComment(node.comment)
  out += printFill(node) + printComment(node.comment)
  // With FORMAT behind it the server brackets the query, so that FORMAT does not become a part of it.
  const query = printQuery(node.asSelect)
  return `${out} AS ${node.output === undefined ? query : `(${query})`}`
}

function printFill(node: CreateTable): string {
  if (node.clone) return ' CLONE'
  return node.empty ? ' EMPTY' : ''
}

/** CREATE or ATTACH of a view of any kind. */
export function printCreateView(node: CreateView): string {
  let out = printHead(node, node.view) + printObjectName(node.name) + printUuid(node.uuid) + printCluster(node.cluster)
  if (node.refresh !== undefined) out += ` REFRESH ${printRefresh(node.refresh)}`
  if (node.to !== undefined) out += ` TO ${printObjectName(node.to)}`
  if (node.toInnerUuid !== undefined) out += ` TO INNER UUID ${quoteString(node.toInnerUuid)}`
  if (node.elements !== undefined) out += ` ${printElements(node.elements)}`
  if (node.columnAliases !== undefined) out += ` (${node.columnAliases.map(quoteIdentifierIfNeeded).join(', ')})`
  if (node.innerStorage !== undefined) out += ` INNER${printStorage(node.innerStorage)}`
  out += printStorage(node.storage)
  if (node.watermark !== undefined)
    out += ` WATERMARK ${typeof node.watermark === 'string' ? node.watermark : printExpression(node.watermark)}`
  if (node.allowedLateness !== undefined) out += ` ALLOWED_LATENESS ${printExpression(node.allowedLateness)}`
  if (node.populate) out += ' POPULATE'
  if (node.empty) out += ' EMPTY'
  if (node.sqlSecurity !== undefined) out += ` ${printSqlSecurity(node.sqlSecurity)}`
  const query = printQuery(node.query)
  return `${out}${printComment(node.comment)} AS ${node.output === undefined ? query : `(${query})`}`
}

function printPair(pair: DictionaryPair): string {
  const { value } = pair
  if (!('kind' in value)) return `${pair.key} (${value.map(printPair).join(' ')})`
  return `${pair.key} ${printExpression(value)}`
}

function printDictionaryFunction(call: DictionaryFunction): string {
  return call.pairs === undefined ? call.name : `${call.name}(${call.pairs.map(printPair).join(' ')})`
}

/** CREATE, REPLACE or ATTACH DICTIONARY. */
export function printCreateDictionary(node: CreateDictionary): string {
  let out =
    printHead(node, 'DICTIONARY') + printObjectName(node.name) + printUuid(node.uuid) + printCluster(node.cluster)
  if (node.attributes !== undefined) {
    const attributes = node.attributes.map((attribute) => {
      let text = `${quoteIdentifier(attribute.name)} ${printType(attribute.type)}`
      if (attribute.default !== undefined) text += ` DEFAULT ${printExpression(attribute.default)}`
      if (attribute.expression !== undefined) text += ` EXPRESSION ${printClause(attribute.expression)}`
      if (attribute.hierarchical) text += ' HIERARCHICAL'
      if (attribute.bidirectional) text += ' BIDIRECTIONAL'
      if (attribute.injective) text += ' INJECTIVE'
      if (attribute.isObjectId) text += ' IS_OBJECT_ID'
      return text
    })
    out += ` (${attributes.join(', ')})`
  }
  if (node.primaryKey !== undefined) out += ` PRIMARY KEY ${printExpressionList(node.primaryKey)}`
  if (node.source !== undefined) out += ` SOURCE(${printDictionaryFunction(node.source)})`
  if (node.lifetime !== undefined) out += ` LIFETIME(MIN ${node.lifetime.min} MAX ${node.lifetime.max})`
  if (node.layout !== undefined) out += ` LAYOUT(${printDictionaryFunction(node.layout)})`
  if (node.range !== undefined)
    out += ` RANGE(MIN ${quoteIdentifierIfNeeded(node.range.min)} MAX ${quoteIdentifierIfNeeded(node.range.max)})`
  if (node.settings !== undefined) out += ` SETTINGS(${printSettings(node.settings)})`
  return out + printComment(node.comment)
}

function printOverride(override: TableOverride): string {
  return `TABLE OVERRIDE ${quoteIdentifierIfNeeded(override.table)} (${printOverrideBody(override)})`
}

/** What a table override holds, without its name and brackets. */
export function printOverrideBody(override: TableOverride): string {
  const columns = override.columns === undefined ? '' : `COLUMNS ${printElements(override.columns)}`
  return (columns + printStorage(override.storage)).trim()
}

/** CREATE or ATTACH DATABASE. */
export function printCreateDatabase(node: CreateDatabase): string {
  let out = printHead(node, 'DATABASE') + printNamePart(node.name) + printUuid(node.uuid) + printCluster(node.cluster)
  if (node.engine !== undefined) out += ` ENGINE = ${printCall(node.engine)}`
  out += printSettingsClause(node.settings)
  if (node.overrides !== undefined) out += ` ${node.overrides.map(printOverride).join(', ')}`
  return out + printComment(node.comment)
}

/** CREATE FUNCTION. */
export function printCreateFunction(node: CreateFunction): string {
  const head = printHead({ ...node, action: 'CREATE' }, 'FUNCTION')
  return `${head}${quoteIdentifierIfNeeded(node.name)}${printCluster(node.cluster)} AS ${printExpression(node.body)}`
}

/** `key = value [[NOT] OVERRIDABLE], ..`. */
export function printCollectionEntries(entries: readonly CollectionEntry[]): string {
  return entries
    .map((entry) => {
      const text = printSettings([entry.setting])
      if (entry.overridable === undefined) return text
      return `${text} ${entry.overridable ? '' : 'NOT '}OVERRIDABLE`
    })
    .join(', ')
}

/** CREATE NAMED COLLECTION. */
export function printCreateNamedCollection(node: CreateNamedCollection): string {
  const head = printHead({ ...node, action: 'CREATE' }, 'NAMED COLLECTION')
  const name = quoteIdentifierIfNeeded(node.name) + printCluster(node.cluster)
  return `${head}${name} AS ${printCollectionEntries(node.entries)}`
}

/** CREATE WORKLOAD. */
export function printCreateWorkload(node: CreateWorkload): string {
  let out = printHead({ ...node, action: 'CREATE' }, 'WORKLOAD')
  out += quoteIdentifierIfNeeded(node.name) + printCluster(node.cluster)
  if (node.parent !== undefined) out += ` IN ${quoteIdentifierIfNeeded(node.parent)}`
  if (node.settings === undefined) return out
  const settings = node.settings.map((item) => {
    const text = printSettings([item.setting])
    return item.resource === undefined ? text : `${text} FOR ${quoteIdentifierIfNeeded(item.resource)}`
  })
  return `${out} SETTINGS ${settings.join(', ')}`
}

/** CREATE RESOURCE. */
export function printCreateResource(node: CreateResource): string {
  const operations = node.operations.map((operation) =>
    operation.disk === undefined ? operation.phrase : `${operation.phrase} ${quoteIdentifierIfNeeded(operation.disk)}`,
  )
  const head = printHead({ ...node, action: 'CREATE' }, 'RESOURCE')
  return `${head}${quoteIdentifierIfNeeded(node.name)}${printCluster(node.cluster)} (${operations.join(', ')})`
}

/** CREATE INDEX name ON table. */
export function printCreateIndex(node: CreateIndex): string {
  const kind = node.unique ? 'UNIQUE INDEX' : node.hypothetical ? 'HYPOTHETICAL INDEX' : 'INDEX'
  const head = printHead({ action: 'CREATE', ifNotExists: node.ifNotExists }, kind)
  const place = `${quoteIdentifierIfNeeded(node.index.name)} ON ${printObjectName(node.table)}`
  return `${head}${place}${printCluster(node.cluster)} ${printIndexBody(node.index)}`
}
