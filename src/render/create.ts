/** CREATE statements of every kind of object, laid out for people: one column and one clause per line. */
import { assertNever } from '../errors.js'
import type {
  AccessKind,
  AccessObject,
  Column,
  Database,
  Definition,
  Dictionary,
  DictionaryAttribute,
  MaterializedView,
  Spelling,
  SqlFunction,
  SqlText,
  Storage,
  Table,
  View,
} from '../model/definition.js'
import { spelledColumns, storageSpelling } from '../model/time-series.js'
import type { Statement } from '../sql/ast-ddl.js'
import { Token, tokenize } from '../sql/lexer.js'
import { quoteIdentifier, quoteIdentifierIfNeeded, quoteString } from '../sql/quote.js'
import { parseStatement, printStatement } from '../sql/statement.js'
import {
  onCluster,
  quoteConstantNames,
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
  // Settings without an engine are taken for query settings (seen on 26.7).
  else if (database.settings) lines.push('ENGINE = Atomic')
  if (database.settings) lines.push(`SETTINGS ${renderSettings(database.settings)}`)
  if (database.comment) lines.push(`COMMENT ${quoteString(database.comment)}`)
  return lines.join('\n')
}

function createTable(table: Table, mode: CreateMode): SqlText {
  const members = memberLines(table.columns, table)
  const lines = [`${opening('TABLE', mode)} ${renderName(table)}${onCluster(table.cluster)}`]
  if (members.length > 0) lines.push(list(members))
  if (table.asTableFunction !== undefined) lines.push(`AS ${table.asTableFunction}`)
  else lines.push(...storageLines(table, table.spelling, table.columns))
  lines.push(...targetLines(table), ...commentLines(table))
  return lines.join('\n')
}

/** SAMPLES, TAGS and METRICS of a TimeSeries table. */
function targetLines({ targets, spelling }: Table): SqlText[] {
  return (targets ?? []).flatMap((target) => {
    const { role, table, columns, inner } = target
    if (table !== undefined) return [`${role} ${renderName(table)}`]
    const lines: SqlText[] = []
    if (columns !== undefined && columns.length > 0)
      lines.push(`${role} INNER COLUMNS ${list(memberLines(spelledColumns(target, spelling), {}))}`)
    if (inner !== undefined) {
      const [engine, ...clauses] = storageLines(inner, storageSpelling(spelling, role), columns)
      lines.push(`${role} INNER ${engine}`, ...clauses)
    }
    return lines
  })
}

type Members = Pick<Table, 'indexes' | 'constraints' | 'projections'>

function memberLines(columns: readonly Column[], rest: Members): SqlText[] {
  return [
    ...columns.map((column) => renderColumn(column, 'create')),
    ...(rest.indexes ?? []).map((index) => `INDEX ${quoteConstantNames(renderIndex(index), columns)}`),
    ...(rest.constraints ?? []).map((constraint) => `CONSTRAINT ${renderConstraint(constraint)}`),
    ...(rest.projections ?? []).map((projection) => `PROJECTION ${renderProjection(projection)}`),
  ]
}

/** The comment of an object; an empty one only where it was written. */
function commentLines(object: { readonly comment?: string; readonly spelling?: Spelling }): SqlText[] {
  if (object.comment) return [`COMMENT ${quoteString(object.comment)}`]
  return object.spelling?.comment === undefined ? [] : [`COMMENT ${object.spelling.comment}`]
}

function storageLines(storage: Storage, spelling: Spelling | undefined, columns: readonly Column[] = []): SqlText[] {
  const key = (clause: 'partitionBy' | 'primaryKey' | 'orderBy' | 'uniqueKey', words: SqlText) => {
    const entries = storage[clause]
    const isUnpartitioned = clause === 'partitionBy' && entries?.length === 0
    const text = spelling?.[clause] ?? (entries === undefined || isUnpartitioned ? undefined : renderKey(entries))
    return text === undefined ? [] : [`${words} ${quoteConstantNames(text, columns)}`]
  }
  const settings = spelling?.settings ?? (storage.settings ? renderSettings(storage.settings) : '')
  return [
    ...(storage.engine.name === '' ? [] : [`ENGINE = ${spelling?.engine ?? renderEngine(storage.engine)}`]),
    ...key('partitionBy', 'PARTITION BY'),
    ...key('primaryKey', 'PRIMARY KEY'),
    ...key('orderBy', 'ORDER BY'),
    ...(storage.sampleBy === undefined ? [] : [`SAMPLE BY ${quoteConstantNames(storage.sampleBy, columns)}`]),
    ...key('uniqueKey', 'UNIQUE KEY'),
    ...(storage.ttl?.length ? [`TTL ${quoteConstantNames(storage.ttl.join(', '), columns)}`] : []),
    ...(settings === '' ? [] : [`SETTINGS ${settings}`]),
  ]
}

function viewLines(view: View | MaterializedView): SqlText[] {
  const lines: SqlText[] = []
  const security = renderSecurity(view)
  if (security !== '') lines.push(security)
  lines.push(...commentLines(view))
  lines.push(`AS ${view.query}`)
  return lines
}

function createView(view: View, mode: CreateMode): SqlText {
  const lines = [`${opening('VIEW', mode)} ${renderName(view)}${onCluster(view.cluster)}`]
  if (view.columns?.length) lines.push(list(memberLines(view.columns, {})))
  if (view.spelling?.columnAliases !== undefined) lines.push(`(${view.spelling.columnAliases})`)
  return [...lines, ...viewLines(view)].join('\n')
}

function createMaterializedView(view: MaterializedView, mode: CreateMode): SqlText {
  const lines = [`${opening('MATERIALIZED VIEW', mode)} ${renderName(view)}${onCluster(view.cluster)}`]
  if (view.refresh) lines.push(`REFRESH ${renderRefresh(view.refresh)}`)
  if (view.to) lines.push(`TO ${renderName(view.to)}`)
  const members = memberLines(view.columns ?? [], view)
  if (members.length > 0) lines.push(list(members))
  if (view.to === undefined && view.inner) lines.push(...storageLines(view.inner, view.spelling, view.columns))
  return [...lines, ...viewLines(view)].join('\n')
}

function renderAttribute(attribute: DictionaryAttribute, spelling: Spelling | undefined): SqlText {
  let text = `${quoteIdentifier(attribute.name)} ${spelling?.[`attribute ${attribute.name}`] ?? attribute.type}`
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
    list(dictionary.attributes.map((attribute) => renderAttribute(attribute, dictionary.spelling))),
    `PRIMARY KEY ${dictionary.primaryKey.join(', ')}`,
    `SOURCE(${dictionary.spelling?.source ?? dictionary.source})`,
  ]
  if (dictionary.lifetime !== undefined) lines.push(`LIFETIME(${dictionary.lifetime})`)
  lines.push(`LAYOUT(${dictionary.spelling?.layout ?? dictionary.layout})`)
  if (dictionary.range)
    lines.push(
      `RANGE(MIN ${quoteIdentifierIfNeeded(dictionary.range.min)} MAX ${quoteIdentifierIfNeeded(dictionary.range.max)})`,
    )
  if (dictionary.settings && Object.keys(dictionary.settings).length > 0)
    lines.push(`SETTINGS(${renderSettings(dictionary.settings)})`)
  lines.push(...commentLines(dictionary))
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

/** A statement about access objects, made for a cluster: where ON CLUSTER stands differs from kind to kind. */
export function accessOnCluster(statement: SqlText, cluster: string | undefined): SqlText {
  if (cluster === undefined || cluster === '') return statement
  const { node } = parseStatement(statement)
  return node.kind === 'unparsed' ? statement : printStatement({ ...node, cluster } as Statement)
}

function createAccess(object: AccessObject, mode: CreateMode): SqlText {
  return accessOnCluster(createAccessHere(object, mode), object.cluster)
}

function createAccessHere(object: AccessObject, mode: CreateMode): SqlText {
  const tail = accessTail(object)
  if (object.kind === 'grant' || tail === object.statement) return object.statement
  const words = ACCESS_WORDS[object.kind]
  if (mode === 'orReplace' && object.kind !== 'named_collection') return `CREATE ${words} OR REPLACE ${tail}`
  return `CREATE ${words}${mode === 'create' ? '' : ' IF NOT EXISTS'} ${tail}`
}
