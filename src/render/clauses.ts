/** Clauses that CREATE and ALTER share, spelled as the server prints them. */
import type {
  Column,
  Constraint,
  Engine,
  Projection,
  QualifiedName,
  Refresh,
  Settings,
  SkippingIndex,
  Spelling,
  SqlText,
  View,
} from '../model/definition.js'
import { keyClause } from '../model/storage.js'
import { identifierValue, Token, tokenize } from '../sql/lexer.js'
import { quoteIdentifier, quoteIdentifierIfNeeded, quoteQualified, quoteString } from '../sql/quote.js'

/** `a = 1, b = 'x'` in the order of the keys. */
export function renderSettings(settings: Settings): SqlText {
  return Object.entries(settings)
    .map(([name, value]) => `${quoteIdentifierIfNeeded(name)} = ${value}`)
    .join(', ')
}

/**
 * The value of a setting as the table's declaration spells it, for the server keeps `true` and `'1'` as they were
 * written; `undefined` where the declaration is spelled as it is canonical.
 */
export function spelledSetting(spelling: Spelling | undefined, name: string): SqlText | undefined {
  const text = spelling?.settings
  if (text === undefined) return undefined
  const tokens = tokenize(text)
  for (let start = 0, index = 0; index <= tokens.count; index++) {
    if (index < tokens.count && tokens.matching[index]! > index) index = tokens.matching[index]!
    if (index < tokens.count && tokens.kinds[index] !== Token.comma) continue
    if (tokens.kinds[start + 1] === Token.equals && identifierValue(tokens, start) === name)
      return text.slice(tokens.starts[start + 2], tokens.ends[index - 1])
    start = index + 1
  }
  return undefined
}

/** Words that are constants without quotes. */
const CONSTANT_WORDS: ReadonlySet<string> = new Set(['true', 'false', 'nan', 'inf', 'infinity'])

/**
 * `text`, a key or an index of a table, with those of `columns` in quotes that are called like a constant: the server
 * shows `ORDER BY true` for the column of that name, and would read a constant (seen on 26.7).
 */
export function quoteConstantNames(text: SqlText, columns: readonly { readonly name: string }[]): SqlText {
  const names = new Set(columns.map(({ name }) => name).filter((name) => CONSTANT_WORDS.has(name.toLowerCase())))
  if (names.size === 0) return text
  const tokens = tokenize(text)
  let out = ''
  let end = 0
  for (let index = 0; index < tokens.count; index++) {
    const word = text.slice(tokens.starts[index], tokens.ends[index])
    if (tokens.kinds[index] !== Token.word || !names.has(word)) continue
    out += text.slice(end, tokens.starts[index]) + quoteIdentifier(word)
    end = tokens.ends[index]!
  }
  return out + text.slice(end)
}

export function renderName(name: QualifiedName): SqlText {
  return quoteQualified(name.database, name.name)
}

/** ` ON CLUSTER c`, or nothing. */
export function onCluster(cluster: string | undefined): SqlText {
  return cluster === undefined || cluster === '' ? '' : ` ON CLUSTER ${quoteIdentifierIfNeeded(cluster)}`
}

export function renderDefault(column: Column): SqlText {
  if (column.default === undefined) return ''
  const { kind, expression } = column.default
  return expression === undefined ? ` ${kind}` : ` ${kind} ${expression}`
}

/**
 * A column's declaration. The server takes these clauses in this order only. ALTER loses statistics and settings
 * (accepted and dropped, seen on 26.7), so it asks for a declaration without them.
 */
export function renderColumn(column: Column, use: 'create' | 'alter'): SqlText {
  let text = `${quoteIdentifier(column.name)} ${column.type}${renderDefault(column)}`
  if (column.comment) text += ` COMMENT ${quoteString(column.comment)}`
  if (column.codec !== undefined) text += ` CODEC(${column.codec})`
  if (use === 'create' && column.statistics?.length) text += ` STATISTICS(${column.statistics.join(', ')})`
  if (column.ttl !== undefined) text += ` TTL ${column.ttl}`
  if (use === 'create' && column.settings && Object.keys(column.settings).length > 0)
    text += ` SETTINGS (${renderSettings(column.settings)})`
  return text
}

/** `name expression TYPE type GRANULARITY n`, without the word INDEX. */
export function renderIndex(index: SkippingIndex): SqlText {
  return `${quoteIdentifierIfNeeded(index.name)} ${index.expression} TYPE ${index.type} GRANULARITY ${index.granularity}`
}

/** `name (SELECT ...)` or `name INDEX e TYPE t`, without the word PROJECTION. */
export function renderProjection(projection: Projection): SqlText {
  const body = projection.form === 'query' ? `(${projection.body})` : projection.body
  const settings =
    projection.settings && Object.keys(projection.settings).length > 0
      ? ` WITH SETTINGS (${renderSettings(projection.settings)})`
      : ''
  return `${quoteIdentifierIfNeeded(projection.name)} ${body}${settings}`
}

/** `name CHECK e`, without the word CONSTRAINT. */
export function renderConstraint(constraint: Constraint): SqlText {
  return `${quoteIdentifierIfNeeded(constraint.name)} ${constraint.type} ${constraint.expression}`
}

export function renderEngine(engine: Engine): SqlText {
  return engine.args.length > 0 ? `${engine.name}(${engine.args.join(', ')})` : engine.name
}

/** Key entries as a key: `tuple()`, `a`, `(a, b)`. A single descending entry needs its brackets. */
export function renderKey(entries: readonly SqlText[]): SqlText {
  return entries.length === 1 && entries[0]!.endsWith(' DESC') ? `(${entries[0]})` : keyClause(entries)
}

/** `DEFINER = u SQL SECURITY DEFINER`, or nothing. */
export function renderSecurity(view: Pick<View, 'definer' | 'sqlSecurity'>): SqlText {
  const user = view.definer === 'CURRENT_USER' ? view.definer : view.definer && quoteIdentifierIfNeeded(view.definer)
  return [user && `DEFINER = ${user}`, view.sqlSecurity && `SQL SECURITY ${view.sqlSecurity}`].filter(Boolean).join(' ')
}

/** The whole REFRESH clause without its first word; MODIFY REFRESH drops whatever is not repeated. */
export function renderRefresh(refresh: Refresh): SqlText {
  const parts = [refresh.schedule]
  if (refresh.offset !== undefined) parts.push(`OFFSET ${refresh.offset}`)
  if (refresh.randomize !== undefined) parts.push(`RANDOMIZE FOR ${refresh.randomize}`)
  if (refresh.dependsOn?.length) parts.push(`DEPENDS ON ${refresh.dependsOn.map(renderName).join(', ')}`)
  if (refresh.settings && Object.keys(refresh.settings).length > 0)
    parts.push(`SETTINGS ${renderSettings(refresh.settings)}`)
  if (refresh.append) parts.push('APPEND')
  return parts.join(' ')
}
