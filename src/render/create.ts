/** CREATE statements of every kind of object, laid out for people: one column and one clause per line. */
import { assertNever } from '../errors.js'
import type {
  AccessKind,
  AccessObject,
  Database,
  Definition,
  Dictionary,
  DictionaryAttribute,
  MaterializedView,
  SqlFunction,
  SqlText,
  Storage,
  Table,
  View,
} from '../model/definition.js'
import { Token, tokenize } from '../sql/lexer.js'
import { quoteIdentifier, quoteIdentifierIfNeeded, quoteQualified, quoteString } from '../sql/quote.js'
import {
  onCluster,
  renderColumn,
  renderConstraint,
  renderEngine,
  renderIndex,
  renderKey,
  renderName,
  renderProjection,
  renderRefresh,
  renderSecurity,
  renderSettings,
  renderViewColumn,
} from './clauses.js'

/** `create`: fails when the object exists; `ifNotExists`: safe to repeat; `orReplace`: takes the place of an old one. */
export type CreateMode = 'create' | 'ifNotExists' | 'orReplace'

const LIST_INDENT = '    '

/** One CREATE statement without its semicolon. Settings, keys and engines are spelled as `spelling` remembers them. */
export function renderCreate(definition: Definition, mode: CreateMode = 'ifNotExists'): SqlText {
  switch (definition.kind) {
    case 'database':
      return createDatabase(definition, mode)
    case 'table':
      return createTable(definition, mode)
    case 'view':
      return createView(definition, mode)
    case 'materialized_view':
      return createMaterializedView(definition, mode)
    case 'dictionary':
      return createDictionary(definition, mode)
    case 'sql_function':
      return createFunction(definition, mode)
    case 'role':
    case 'user':
    case 'grant':
    case 'row_policy':
    case 'quota':
    case 'settings_profile':
    case 'named_collection':
      return createAccess(definition, mode)
    case 'raw':
      return definition.create
    default:
      return assertNever(definition, 'definition')
  }
}

function opening(object: string, mode: CreateMode): SqlText {
  const replace = mode === 'orReplace' ? 'OR REPLACE ' : ''
  const guard = mode === 'ifNotExists' ? ' IF NOT EXISTS' : ''
  return `CREATE ${replace}${object}${guard}`
}

function list(items: readonly SqlText[]): SqlText {
  return `(\n${items.map((item) => LIST_INDENT + item).join(',\n')}\n)`
}

function createDatabase(database: Database, mode: CreateMode): SqlText {
  const lines = [
    `${opening('DATABASE', mode === 'create' ? 'create' : 'ifNotExists')} ${quoteIdentifierIfNeeded(database.name)}${onCluster(database.cluster)}`,
  ]
  if (database.engine) lines.push(`ENGINE = ${renderEngine(database.engine)}`)
  if (database.spelling?.settings) lines.push(`SETTINGS ${database.spelling.settings}`)
  if (database.comment) lines.push(`COMMENT ${quoteString(database.comment)}`)
  return lines.join('\n')
}

function createTable(table: Table, mode: CreateMode): SqlText {
  const members = [
    ...table.columns.map((column) => renderColumn(column, 'create')),
    ...(table.indexes ?? []).map((index) => `INDEX ${renderIndex(index)}`),
    ...(table.constraints ?? []).map((constraint) => `CONSTRAINT ${renderConstraint(constraint)}`),
    ...(table.projections ?? []).map((projection) => `PROJECTION ${renderProjection(projection)}`),
  ]
  const lines = [`${opening('TABLE', mode)} ${renderName(table)}${onCluster(table.cluster)}`]
  if (members.length > 0) lines.push(list(members))
  if (table.asTableFunction !== undefined) lines.push(`AS ${table.asTableFunction}`)
  else lines.push(...storageLines(table, table.spelling))
  if (table.comment) lines.push(`COMMENT ${quoteString(table.comment)}`)
  return lines.join('\n')
}

function storageLines(storage: Storage, spelling: Table['spelling']): SqlText[] {
  const lines = [`ENGINE = ${spelling?.engine ?? renderEngine(storage.engine)}`]
  if (storage.partitionBy?.length) lines.push(`PARTITION BY ${spelling?.partitionBy ?? renderKey(storage.partitionBy)}`)
  if (storage.primaryKey !== undefined)
    lines.push(`PRIMARY KEY ${spelling?.primaryKey ?? renderKey(storage.primaryKey)}`)
  if (storage.orderBy !== undefined) lines.push(`ORDER BY ${spelling?.orderBy ?? renderKey(storage.orderBy)}`)
  if (storage.sampleBy !== undefined) lines.push(`SAMPLE BY ${storage.sampleBy}`)
  if (storage.uniqueKey?.length) lines.push(`UNIQUE KEY ${spelling?.uniqueKey ?? renderKey(storage.uniqueKey)}`)
  if (storage.ttl?.length) lines.push(`TTL ${storage.ttl.join(', ')}`)
  const settings = spelling?.settings ?? (storage.settings ? renderSettings(storage.settings) : '')
  if (settings !== '') lines.push(`SETTINGS ${settings}`)
  return lines
}

function viewLines(view: View | MaterializedView): SqlText[] {
  const lines: SqlText[] = []
  const security = renderSecurity(view)
  if (security !== '') lines.push(security)
  if (view.comment) lines.push(`COMMENT ${quoteString(view.comment)}`)
  lines.push(`AS ${view.query}`)
  return lines
}

function createView(view: View, mode: CreateMode): SqlText {
  const lines = [`${opening('VIEW', mode)} ${renderName(view)}${onCluster(view.cluster)}`]
  if (view.columns?.length) lines.push(list(view.columns.map(renderViewColumn)))
  return [...lines, ...viewLines(view)].join('\n')
}

function createMaterializedView(view: MaterializedView, mode: CreateMode): SqlText {
  const lines = [`${opening('MATERIALIZED VIEW', mode)} ${renderName(view)}${onCluster(view.cluster)}`]
  if (view.refresh) lines.push(`REFRESH ${renderRefresh(view.refresh)}`)
  if (view.to) lines.push(`TO ${renderName(view.to)}`)
  if (view.columns?.length) lines.push(list(view.columns.map(renderViewColumn)))
  if (view.to === undefined && view.inner) lines.push(...storageLines(view.inner, view.spelling))
  return [...lines, ...viewLines(view)].join('\n')
}

function renderAttribute(attribute: DictionaryAttribute): SqlText {
  let text = `${quoteIdentifier(attribute.name)} ${attribute.type}`
  if (attribute.default !== undefined) text += ` DEFAULT ${attribute.default}`
  if (attribute.expression !== undefined) text += ` EXPRESSION ${attribute.expression}`
  if (attribute.hierarchical) text += ' HIERARCHICAL'
  if (attribute.bidirectional) text += ' BIDIRECTIONAL'
  if (attribute.injective) text += ' INJECTIVE'
  if (attribute.isObjectId) text += ' IS_OBJECT_ID'
  return text
}

function createDictionary(dictionary: Dictionary, mode: CreateMode): SqlText {
  const lines = [
    `${opening('DICTIONARY', mode)} ${renderName(dictionary)}${onCluster(dictionary.cluster)}`,
    list(dictionary.attributes.map(renderAttribute)),
    `PRIMARY KEY ${dictionary.primaryKey.join(', ')}`,
    `SOURCE(${dictionary.source})`,
  ]
  if (dictionary.lifetime !== undefined) lines.push(`LIFETIME(${dictionary.lifetime})`)
  lines.push(`LAYOUT(${dictionary.layout})`)
  if (dictionary.range)
    lines.push(
      `RANGE(MIN ${quoteIdentifierIfNeeded(dictionary.range.min)} MAX ${quoteIdentifierIfNeeded(dictionary.range.max)})`,
    )
  if (dictionary.settings && Object.keys(dictionary.settings).length > 0)
    lines.push(`SETTINGS(${renderSettings(dictionary.settings)})`)
  if (dictionary.comment) lines.push(`COMMENT ${quoteString(dictionary.comment)}`)
  return lines.join('\n')
}

function createFunction(definition: SqlFunction, mode: CreateMode): SqlText {
  const name = quoteIdentifierIfNeeded(definition.name)
  return `${opening('FUNCTION', mode)} ${name}${onCluster(definition.cluster)} AS ${definition.expression}`
}

// Access objects and named collections, whose statements are canonical texts

/** How a statement about an access object of a kind begins, after CREATE, ALTER or DROP. */
export const ACCESS_WORDS: Readonly<Record<Exclude<AccessKind, 'grant'>, string>> = {
  role: 'ROLE',
  user: 'USER',
  row_policy: 'ROW POLICY',
  quota: 'QUOTA',
  settings_profile: 'SETTINGS PROFILE',
  named_collection: 'NAMED COLLECTION',
}

/** What stands behind `CREATE <words> [IF NOT EXISTS | OR REPLACE]`: the name and the rest. */
export function accessTail(object: AccessObject): SqlText {
  if (object.kind === 'grant') return object.statement
  const { statement } = object
  const tokens = tokenize(statement)
  const wordAt = (index: number) =>
    tokens.kinds[index] === Token.word ? statement.slice(tokens.starts[index], tokens.ends[index]).toUpperCase() : ''
  const expected = ['CREATE', ...ACCESS_WORDS[object.kind].split(' ')]
  if (!expected.every((word, index) => wordAt(index) === word)) return statement
  let index = expected.length
  if (wordAt(index) === 'IF' && wordAt(index + 1) === 'NOT' && wordAt(index + 2) === 'EXISTS') index += 3
  else if (wordAt(index) === 'OR' && wordAt(index + 1) === 'REPLACE') index += 2
  return statement.slice(tokens.starts[index])
}

function createAccess(object: AccessObject, mode: CreateMode): SqlText {
  const tail = accessTail(object)
  if (object.kind === 'grant' || tail === object.statement) return object.statement
  const words = ACCESS_WORDS[object.kind]
  if (mode === 'orReplace' && object.kind !== 'named_collection') return `CREATE ${words} OR REPLACE ${tail}`
  return `CREATE ${words}${mode === 'create' ? '' : ' IF NOT EXISTS'} ${tail}`
}

/** `database.name` of anything with both, quoted. */
export function quoted(object: { readonly database: string; readonly name: string }): SqlText {
  return quoteQualified(object.database, object.name)
}
