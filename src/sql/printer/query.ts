import type {
  GroupBy,
  Join,
  Query,
  QueryWithOutput,
  SampleRatio,
  SelectQuery,
  SetOperation,
  Setting,
  TableExpression,
  TablesElement,
  UnionQuery,
  WithElement,
} from '../ast.js'
import { quoteIdentifier, quoteIdentifierIfNeeded, quoteString } from '../quote.js'
import { printExpression, printExpressionList, printLiteral, printWindow } from './expression.js'

/** A query as `formatQuerySingleLine` spells it. */
export function printQuery(node: Query): string {
  switch (node.kind) {
    case 'select':
      return printSelectQuery(node)
    case 'union':
      return printUnion(node)
    case 'setOperation':
      return printSetOperation(node)
    case 'explain':
      return `${node.mode} ${node.settings ? `${printSettings(node.settings)} ` : ''}${printQuery(node.query)}`
    case 'output':
      return printOutput(node)
    case 'unparsed':
      return node.text
  }
}

function printUnion(node: UnionQuery): string {
  let out = ''
  for (let index = 0; index < node.queries.length; index++) {
    const query = node.queries[index]!
    if (index > 0) out += ` ${node.modes[index - 1]} `
    // `SELECT * EXCEPT SELECT 1` would read as a list of columns, so the server brackets both sides of EXCEPT.
    const beside = isExcept(node.modes[index]) || isExcept(node.modes[index - 1])
    out += beside || query.kind === 'union' ? `(${printQuery(query)})` : printQuery(query)
  }
  return out
}

/** The server's own form of INTERSECT and EXCEPT in a stored query: every side that is a union gets brackets. */
function printSetOperation(node: SetOperation): string {
  const between = ` ${node.operator} `
  return node.queries
    .map((query) => (isExcept(node.operator) || query.kind !== 'select' ? `(${printQuery(query)})` : printQuery(query)))
    .join(between)
}

function isExcept(mode: string | undefined): boolean {
  return mode?.startsWith('EXCEPT') ?? false
}

function printOutput(node: QueryWithOutput): string {
  let out = printQuery(node.query)
  const { outfile } = node
  if (outfile) {
    out += ` INTO OUTFILE ${quoteString(outfile.path)}`
    if (outfile.append) out += ' APPEND'
    if (outfile.truncate) out += ' TRUNCATE'
    if (outfile.stdout) out += ' AND STDOUT'
    if (outfile.compression !== undefined) out += ` COMPRESSION ${quoteString(outfile.compression)}`
    if (outfile.level) out += ` LEVEL ${printLiteral(outfile.level)}`
  }
  if (node.format !== undefined) out += ` FORMAT ${quoteIdentifierIfNeeded(node.format)}`
  if (node.settings) out += ` SETTINGS ${printSettings(node.settings)}`
  return out
}

function printSelectQuery(node: SelectQuery): string {
  let out = ''
  if (node.with) out += `WITH ${node.recursive ? 'RECURSIVE ' : ''}${node.with.map(printWithElement).join(', ')} `
  out += node.distinct ? 'SELECT DISTINCT ' : 'SELECT '
  out += printExpressionList(node.columns)
  if (node.from) out += ` FROM ${printTables(node.from)}`
  if (node.prewhere) out += ` PREWHERE ${printExpression(node.prewhere)}`
  if (node.where) out += ` WHERE ${printExpression(node.where)}`
  if (node.groupBy) out += printGroupBy(node.groupBy)
  if (node.having) out += ` HAVING ${printExpression(node.having)}`
  if (node.windows) {
    const windows = node.windows.map((w) => `${quoteIdentifierIfNeeded(w.name)} AS (${printWindow(w.definition)})`)
    out += ` WINDOW ${windows.join(', ')}`
  }
  if (node.qualify) out += ` QUALIFY ${printExpression(node.qualify)}`
  out += printOrderBy(node)
  if (node.limitBy) {
    const { limit, offset, all, by } = node.limitBy
    out += ` LIMIT ${offset ? `${printExpression(offset)}, ` : ''}${printExpression(limit)}`
    out += ` BY ${all ? 'ALL' : printExpressionList(by)}`
  }
  if (node.limit) {
    out += ` LIMIT ${node.offset ? `${printExpression(node.offset)}, ` : ''}${printExpression(node.limit)}`
    // Two spaces: the server's formatter writes a line break for them in its long form.
    if (node.withTies) out += '  WITH TIES'
  } else if (node.offset) out += ` OFFSET ${printExpression(node.offset)}`
  if (node.settings) out += ` SETTINGS ${printSettings(node.settings)}`
  return out
}

function printWithElement(node: WithElement): string {
  if (node.kind === 'withExpression') return printExpression(node.expression)
  const columns = node.columns ? `(${node.columns.map(quoteIdentifierIfNeeded).join(', ')})` : ''
  const head = `${quoteIdentifierIfNeeded(node.name)}${columns} AS ${node.materialized ? 'MATERIALIZED ' : ''}`
  return `${head}(${printQuery(node.query)})`
}

function printGroupBy(node: GroupBy): string {
  let out = ''
  if (node.all) out += ' GROUP BY ALL'
  else if (node.groupingSets)
    out += ` GROUP BY GROUPING SETS (${node.groupingSets.map((set) => `(${printExpressionList(set)})`).join(', ')})`
  else if (node.items.length > 0) out += ` GROUP BY ${printExpressionList(node.items)}`
  if (node.rollup) out += ' WITH ROLLUP'
  if (node.cube) out += ' WITH CUBE'
  if (node.totals) out += ' WITH TOTALS'
  return out
}

function printOrderBy(node: SelectQuery): string {
  let out = ''
  if (node.orderByAll) {
    out += ` ORDER BY ALL ${node.orderByAll.direction}`
    if (node.orderByAll.nulls) out += ` NULLS ${node.orderByAll.nulls}`
  } else if (node.orderBy) out += ` ORDER BY ${printExpressionList(node.orderBy)}`
  if (node.interpolate) {
    const items = node.interpolate.map(
      ({ column, expression }) =>
        `${quoteIdentifier(column)} AS ${expression ? printExpression(expression) : quoteIdentifierIfNeeded(column)}`,
    )
    out += items.length > 0 ? ` INTERPOLATE (${items.join(', ')})` : ' INTERPOLATE'
  }
  return out
}

function printTables(elements: readonly TablesElement[]): string {
  let out = ''
  for (const element of elements) {
    if (element.kind === 'arrayJoin') {
      out += ` ${element.left ? 'LEFT ' : ''}ARRAY JOIN ${printExpressionList(element.expressions)}`
      continue
    }
    if (element.join) out += printJoin(element.join)
    out += printTable(element.table)
    if (element.join?.using) out += ` USING (${printExpressionList(element.join.using)})`
    if (element.join?.on) out += ` ON ${printExpression(element.join.on)}`
  }
  return out
}

function printJoin(join: Join): string {
  if (join.type === 'COMMA') return ', '
  let out = ' '
  if (join.locality) out += `${join.locality} `
  if (join.natural) out += 'NATURAL '
  if (join.strictness && join.type !== 'CROSS' && join.type !== 'PASTE') out += `${join.strictness} `
  return `${out}${join.type === 'FULL' ? 'FULL OUTER' : join.type} JOIN `
}

function printTable(node: TableExpression): string {
  let out = printExpression(node.source)
  if (node.alias !== undefined) out += ` AS ${quoteIdentifierIfNeeded(node.alias)}`
  if (node.columnAliases) out += `(${node.columnAliases.map(quoteIdentifierIfNeeded).join(', ')})`
  if (node.final) out += ' FINAL'
  if (node.stream) out += ' STREAM'
  if (node.sampleSize) out += ` SAMPLE ${printRatio(node.sampleSize)}`
  if (node.sampleOffset) out += ` OFFSET ${printRatio(node.sampleOffset)}`
  return out
}

function printRatio({ numerator, denominator }: SampleRatio): string {
  return denominator === '1' ? numerator : `${numerator} / ${denominator}`
}

/** `a = 1, b = 'x'`: what stands after SETTINGS. */
export function printSettings(settings: readonly Setting[]): string {
  let out = ''
  for (const { name, value } of settings) {
    if (out !== '') out += ', '
    out += `${printSettingName(name)} = ${printSettingValue(value)}`
  }
  return out
}

/** The right side of one setting. */
export function printSettingValue(value: Setting['value']): string {
  return value.kind === 'default' ? 'DEFAULT' : printExpression(value)
}

/** The name of a setting: unlike other names it is bare also where it is a keyword, NULL apart. */
export function printSettingName(name: string): string {
  if (SETTING_NAME.test(name)) return name
  return name
    .split('.')
    .map((part) => (SETTING_NAME.test(part) ? part : quoteIdentifier(part)))
    .join('.')
}

const SETTING_NAME = /^(?!null$)[A-Za-z_][A-Za-z0-9_]*$/i
