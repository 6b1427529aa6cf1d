import type {
  Expression,
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
import {
  LATER_ELEMENT,
  OPERAND,
  printExpression,
  printExpressionList,
  printLiteral,
  printWindow,
} from './expression.js'

/** A query as `formatQuerySingleLine` spells it. `mode` is for the printer of expressions only. */
export function printQuery(node: Query, mode = 0): string {
  switch (node.kind) {
    case 'select':
      return printSelectQuery(node, mode)
    case 'union':
      return printUnion(node, mode)
    case 'setOperation':
      return printSetOperation(node, mode)
    case 'explain':
      return `${node.mode} ${node.settings ? `${printSettings(node.settings)} ` : ''}${printQuery(node.query, mode)}`
    case 'output':
      return printOutput(node, mode)
    case 'unparsed':
      return node.text
  }
}

function printUnion(node: UnionQuery, mode: number): string {
  let out = ''
  for (let index = 0; index < node.queries.length; index++) {
    const query = node.queries[index]!
    if (index > 0) out += ` ${node.modes[index - 1]} `
    // `SELECT * EXCEPT SELECT 1` would read as a list of columns, so the server brackets both sides of EXCEPT.
    const beside = isExcept(node.modes[index]) || isExcept(node.modes[index - 1])
    out += beside || query.kind === 'union' ? `(${printQuery(query, mode)})` : printQuery(query, mode)
  }
  return out
}

/** The server's own form of INTERSECT and EXCEPT in a stored query: every side that is a union gets brackets. */
function printSetOperation(node: SetOperation, mode: number): string {
  const between = ` ${node.operator} `
  return node.queries
    .map((query) =>
      isExcept(node.operator) || query.kind !== 'select' ? `(${printQuery(query, mode)})` : printQuery(query, mode),
    )
    .join(between)
}

function isExcept(mode: string | undefined): boolean {
  return mode?.startsWith('EXCEPT') ?? false
}

function printOutput(node: QueryWithOutput, mode: number): string {
  let out = printQuery(node.query, mode)
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

function printSelectQuery(node: SelectQuery, mode: number): string {
  let out = ''
  if (node.with) out += `WITH ${node.recursive ? 'RECURSIVE ' : ''}${printWith(node.with, mode)} `
  const fromFirst = isOffsetAmbiguous(node)
  if (node.from && fromFirst) out += `FROM ${printTables(node.from, mode)} `
  out += node.distinct ? 'SELECT DISTINCT ' : 'SELECT '
  out += printExpressionList(node.columns, mode)
  if (node.from && !fromFirst) out += ` FROM ${printTables(node.from, mode)}`
  if (node.prewhere) out += ` PREWHERE ${printExpression(node.prewhere, mode)}`
  if (node.where) out += ` WHERE ${printExpression(node.where, mode)}`
  if (node.groupBy) out += printGroupBy(node.groupBy, mode)
  if (node.having) out += ` HAVING ${printExpression(node.having, mode)}`
  if (node.windows) {
    const windows = node.windows.map(
      (w) => `${quoteIdentifierIfNeeded(w.name)} AS (${printWindow(w.definition, mode)})`,
    )
    out += ` WINDOW ${windows.join(', ')}`
  }
  if (node.qualify) out += ` QUALIFY ${printExpression(node.qualify, mode)}`
  out += printOrderBy(node, mode)
  if (node.limitBy) {
    const { limit, offset, all, by } = node.limitBy
    out += ` LIMIT ${offset ? `${printExpression(offset, mode)}, ` : ''}${printExpression(limit, mode)}`
    out += ` BY ${all ? 'ALL' : printExpressionList(by, mode)}`
  }
  if (node.limit) {
    out += ` LIMIT ${node.offset ? `${printExpression(node.offset, mode)}, ` : ''}${printExpression(node.limit, mode)}`
    // Two spaces: the server's formatter writes a line break for them in its long form.
    if (node.withTies) out += '  WITH TIES'
  } else if (node.offset) out += ` OFFSET ${printExpression(node.offset, mode)}`
  if (node.settings) out += ` SETTINGS ${printSettings(node.settings)}`
  return out
}

/** `FROM t SAMPLE 0.1 OFFSET 3` would read as the offset of the sample, so the server then writes FROM first. */
function isOffsetAmbiguous(node: SelectQuery): boolean {
  if (node.offset === undefined || node.limit !== undefined || node.from === undefined) return false
  const [first] = node.from
  return first?.kind === 'table' && first.table.sampleSize !== undefined
}

function printWith(elements: readonly WithElement[], mode: number): string {
  return elements
    .map((element, index) => printWithElement(element, index === 0 ? mode : mode | LATER_ELEMENT))
    .join(', ')
}

function printWithElement(node: WithElement, mode: number): string {
  if (node.kind === 'withExpression') return printExpression(node.expression, mode)
  const columns = node.columns ? `(${node.columns.map(quoteIdentifierIfNeeded).join(', ')})` : ''
  const head = `${quoteIdentifierIfNeeded(node.name)}${columns} AS ${node.materialized ? 'MATERIALIZED ' : ''}`
  return `${head}(${printQuery(node.query, mode)})`
}

function printGroupBy(node: GroupBy, mode: number): string {
  let out = ''
  if (node.all) out += ' GROUP BY ALL'
  else if (node.groupingSets)
    out += ` GROUP BY GROUPING SETS (${node.groupingSets.map((set) => `(${printExpressionList(set, mode)})`).join(', ')})`
  else if (node.items.length > 0) out += ` GROUP BY ${printExpressionList(node.items, mode)}`
  if (node.rollup) out += ' WITH ROLLUP'
  if (node.cube) out += ' WITH CUBE'
  if (node.totals) out += ' WITH TOTALS'
  return out
}

function printOrderBy(node: SelectQuery, mode: number): string {
  let out = ''
  if (node.orderByAll) {
    out += ` ORDER BY ALL ${node.orderByAll.direction}`
    if (node.orderByAll.nulls) out += ` NULLS ${node.orderByAll.nulls}`
  } else if (node.orderBy) out += ` ORDER BY ${printExpressionList(node.orderBy, mode)}`
  if (node.interpolate) {
    const items = node.interpolate.map(
      ({ column, expression }) =>
        `${quoteIdentifier(column)} AS ${expression ? printExpression(expression, mode) : quoteIdentifierIfNeeded(column)}`,
    )
    out += items.length > 0 ? ` INTERPOLATE (${items.join(', ')})` : ' INTERPOLATE'
  }
  return out
}

function printTables(elements: readonly TablesElement[], mode: number): string {
  let out = ''
  for (const element of elements) {
    if (element.kind === 'arrayJoin') {
      out += ` ${element.left ? 'LEFT ' : ''}ARRAY JOIN ${printExpressionList(element.expressions, mode)}`
      continue
    }
    if (element.join) out += printJoin(element.join)
    out += printTable(element.table, mode)
    if (element.join?.using) out += ` USING (${printExpressionList(element.join.using, mode)})`
    if (element.join?.on) out += ` ON ${printJoinCondition(element.join.on, mode)}`
  }
  return out
}

function printJoinCondition(on: Expression, mode: number): string {
  return printExpression(on, 'alias' in on && on.alias !== undefined ? mode | OPERAND : mode)
}

function printJoin(join: Join): string {
  if (join.type === 'COMMA') return ', '
  let out = ' '
  if (join.locality) out += `${join.locality} `
  if (join.natural) out += 'NATURAL '
  if (join.strictness && join.type !== 'CROSS' && join.type !== 'PASTE') out += `${join.strictness} `
  return `${out}${join.type === 'FULL' ? 'FULL OUTER' : join.type} JOIN `
}

/** One table of FROM. `mode` is for the printers of queries only. */
export function printTable(node: TableExpression, mode = 0): string {
  let out = printExpression(node.source, mode)
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
