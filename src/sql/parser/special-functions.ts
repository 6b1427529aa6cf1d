import type { Expression, FunctionCall } from '../ast.js'
import { Token } from '../lexer.js'
import { printType } from '../printer/type.js'
import { type Cursor, parseCommaList } from './cursor.js'
import { acceptAlias, parseAliased, parseExpressionWithoutAlias, parseFunction, startsQuery } from './expression.js'
import { acceptIntervalUnit, intervalFunction, intervalUnitOf, toIntervalName } from './interval.js'
import { call } from './nodes.js'
import { parseSelectWithUnion } from './query.js'
import { parseType } from './type.js'

/**
 * Functions with a grammar of their own, and what the server's parser makes of them: `EXTRACT(DAY FROM x)` is
 * `toDayOfMonth(x)`. Names match in any case.
 */
type SpecialParser = (cursor: Cursor, name: string) => Expression | undefined

const SPECIAL: ReadonlyMap<string, SpecialParser> = new Map<string, SpecialParser>([
  ['CAST', parseCast],
  ['EXTRACT', parseExtract],
  ['SUBSTRING', parseSubstring],
  ['OVERLAY', parseOverlay],
  ['POSITION', parsePosition],
  ['TRIM', parseTrim],
  ['LTRIM', (cursor) => renamed(cursor, 'trimLeft')],
  ['RTRIM', (cursor) => renamed(cursor, 'trimRight')],
  ['GROUPING', (cursor) => renamed(cursor, 'grouping')],
  ...['DATEADD', 'DATE_ADD', 'TIMESTAMPADD', 'TIMESTAMP_ADD'].map(
    (name) => [name, (cursor: Cursor) => parseDateArithmetic(cursor, 'plus')] as const,
  ),
  ...['DATESUB', 'DATE_SUB', 'TIMESTAMPSUB', 'TIMESTAMP_SUB'].map(
    (name) => [name, (cursor: Cursor) => parseDateArithmetic(cursor, 'minus')] as const,
  ),
  ...['DATEDIFF', 'DATE_DIFF', 'TIMESTAMPDIFF', 'TIMESTAMP_DIFF'].map((name) => [name, parseDateDiff] as const),
  ['EXISTS', parseExists],
  ['VIEW', parseView],
  ['VIEWIFPERMITTED', parseView],
])

/** The call with the cursor at its bracket, or `undefined` when `name` has no grammar of its own here. */
export function parseSpecialFunction(cursor: Cursor, name: string, quoted = false): Expression | undefined {
  const length = name.length
  // In quotes, NOT is a function of that name, and VIEW no keyword; the others do not mind.
  if (quoted && length === 3 && name.toUpperCase() === 'NOT') return parseQuotedNot(cursor)
  if (length < 4 || length > 15) return undefined
  const parse = SPECIAL.get(name.toUpperCase())
  return quoted && parse === parseView ? undefined : parse?.(cursor, name)
}

const int = (value: string): Expression => ({ kind: 'literal', type: 'int', value })
const text = (value: string): Expression => ({ kind: 'literal', type: 'string', value })

function open(cursor: Cursor): void {
  cursor.expectToken(Token.leftParen, '(')
}

function close(cursor: Cursor): void {
  cursor.expectToken(Token.rightParen, ')')
}

/** Expressions up to the closing bracket, which is stepped over; may be none. */
function restOfArguments(cursor: Cursor): Expression[] {
  if (cursor.acceptToken(Token.rightParen)) return []
  const args = parseCommaList(cursor, (at) => parseAliased(at))
  close(cursor)
  return args
}

/** `` `not`(x) `` of one argument is the operator; of more, a call. */
function parseQuotedNot(cursor: Cursor): FunctionCall | undefined {
  const { index } = cursor
  open(cursor)
  const args = restOfArguments(cursor)
  if (args.length === 1) return { ...call('not', args), operator: true }
  cursor.index = index
  return undefined
}

function renamed(cursor: Cursor, name: string): FunctionCall {
  open(cursor)
  return call(name, restOfArguments(cursor))
}

/** `CAST(x AS T)`, `CAST(x AS alias AS T)`, `CAST(x, 'T')`. */
function parseCast(cursor: Cursor): FunctionCall {
  open(cursor)
  let value = parseExpressionWithoutAlias(cursor)
  // Only what stands after the name tells whether AS gives an alias or the type.
  const afterName = cursor.index + 2
  if (cursor.at('AS')) {
    if (cursor.atIndex('AS', afterName) || cursor.kindAt(afterName) === Token.comma)
      value = { ...value, alias: acceptAlias(cursor, false) } as Expression
  } else if (cursor.atIdentifier()) value = { ...value, alias: acceptAlias(cursor, true) } as Expression
  if (cursor.accept('AS')) {
    const type = parseType(cursor)
    close(cursor)
    return call('CAST', [value, text(printType(type))])
  }
  cursor.expectToken(Token.comma, ',')
  const type = parseAliased(cursor)
  close(cursor)
  return call('CAST', [value, type])
}

const EXTRACT_FUNCTIONS: Readonly<Record<string, (x: Expression) => FunctionCall>> = (() => {
  const simple = (name: string) => (x: Expression) => call(name, [x])
  const yearPart = (x: Expression) => call('__toYearCalendarOnly', [x])
  const ordinal = (years: string) => (x: Expression) =>
    call('plus', [call('intDiv', [call('minus', [yearPart(x), int('1')]), int(years)]), int('1')])
  return {
    EPOCH: simple('toUnixTimestamp'),
    DOW: (x: Expression) => call('toDayOfWeek', [x, int('2')]),
    DOY: simple('toDayOfYear'),
    ISODOW: simple('toDayOfWeek'),
    ISOYEAR: simple('toISOYear'),
    CENTURY: ordinal('100'),
    DECADE: (x: Expression) => call('intDiv', [yearPart(x), int('10')]),
    MILLENNIUM: ordinal('1000'),
    TIMEZONE_HOUR: (x: Expression) => call('intDiv', [call('timezoneOffset', [x]), call('toInt64', [int('3600')])]),
  }
})()

const EXTRACT_UNITS: Readonly<Record<string, string>> = {
  Week: 'toISOWeek',
  Day: 'toDayOfMonth',
}

function parseExtract(cursor: Cursor): FunctionCall {
  open(cursor)
  if (cursor.atIdentifier() && cursor.atIndex('FROM', cursor.index + 1)) {
    const word = cursor.text().toUpperCase()
    const unit = intervalUnitOf(word)
    const build =
      EXTRACT_FUNCTIONS[word] ?? (unit && ((x: Expression) => call(EXTRACT_UNITS[unit] ?? `to${unit}`, [x])))
    if (build === undefined) cursor.fail('date part')
    cursor.index += 2
    const node = build!(parseAliased(cursor))
    close(cursor)
    return node
  }
  return call('extract', restOfArguments(cursor))
}

function parseSubstring(cursor: Cursor): FunctionCall {
  open(cursor)
  if (cursor.acceptToken(Token.rightParen)) return call('substring', [])
  const args = [parseAliased(cursor)]
  if (cursor.accept('FROM')) {
    args.push(parseAliased(cursor, 'FOR'))
    if (cursor.accept('FOR')) args.push(parseAliased(cursor))
    close(cursor)
    return call('substring', args)
  }
  if (cursor.acceptToken(Token.comma)) return call('substring', [...args, ...restOfArguments(cursor)])
  close(cursor)
  return call('substring', args)
}

function parseOverlay(cursor: Cursor): FunctionCall {
  open(cursor)
  if (cursor.acceptToken(Token.rightParen)) return call('overlay', [])
  const args = [parseAliased(cursor, 'PLACING')]
  if (cursor.accept('PLACING')) {
    args.push(parseAliased(cursor))
    cursor.expect('FROM')
    args.push(parseAliased(cursor, 'FOR'))
    if (cursor.accept('FOR')) args.push(parseAliased(cursor))
    close(cursor)
    return call('overlay', args)
  }
  if (cursor.acceptToken(Token.comma)) return call('overlay', [...args, ...restOfArguments(cursor)])
  close(cursor)
  return call('overlay', args)
}

/** `POSITION(a IN b)` is `position(b, a)`. */
function parsePosition(cursor: Cursor): FunctionCall {
  open(cursor)
  const outer = cursor.inEndsAtDepth
  cursor.inEndsAtDepth = cursor.depth + 1
  const first = parseAliased(cursor, 'IN')
  cursor.inEndsAtDepth = outer
  if (cursor.accept('IN')) {
    const haystack = parseAliased(cursor)
    close(cursor)
    return call('position', [haystack, first])
  }
  if (cursor.acceptToken(Token.comma)) return call('position', [first, ...restOfArguments(cursor)])
  close(cursor)
  return call('position', [first])
}

function parseTrim(cursor: Cursor): Expression {
  open(cursor)
  const side = cursor.acceptOneOf('BOTH', 'LEADING', 'TRAILING')
  if (side === undefined) return call('trimBoth', restOfArguments(cursor))
  const characters = parseAliased(cursor)
  cursor.expect('FROM')
  const value = parseAliased(cursor)
  close(cursor)
  // Nothing to trim: the server drops the call.
  if (characters.kind === 'literal' && characters.type === 'string' && characters.value === '') return value
  const name = side === 'BOTH' ? 'trimBoth' : side === 'LEADING' ? 'trimLeft' : 'trimRight'
  return call(name, [value, characters])
}

function parseDateArithmetic(cursor: Cursor, name: string): FunctionCall {
  open(cursor)
  if (cursor.kindAt(cursor.index + 1) === Token.comma) {
    const unit = acceptIntervalUnit(cursor)
    if (unit) {
      cursor.index++
      const amount = parseAliased(cursor)
      cursor.expectToken(Token.comma, ',')
      const value = parseAliased(cursor)
      close(cursor)
      return call(name, [value, intervalFunction(toIntervalName(unit), amount)])
    }
  }
  return call(name, restOfArguments(cursor))
}

function parseDateDiff(cursor: Cursor): FunctionCall {
  open(cursor)
  if (cursor.kindAt(cursor.index + 1) === Token.comma) {
    const unit = acceptIntervalUnit(cursor)
    if (unit) {
      cursor.index++
      return call('dateDiff', [text(unit.toLowerCase()), ...restOfArguments(cursor)])
    }
  }
  return call('dateDiff', restOfArguments(cursor))
}

/** `` `exists`(SELECT ..) ``; without the quotes it is an operator. */
function parseExists(cursor: Cursor): FunctionCall | undefined {
  if (!startsQuery(cursor, cursor.index + 1)) return undefined
  open(cursor)
  const query = parseSelectWithUnion(cursor)
  close(cursor)
  return call('exists', [{ kind: 'subquery', query }])
}

/** `view(SELECT ..)`, `viewIfPermitted(SELECT .. ELSE f(..))`: the query stands without brackets of its own. */
function parseView(cursor: Cursor, name: string): FunctionCall | undefined {
  if (!startsQuery(cursor, cursor.index + 1)) return undefined
  open(cursor)
  const query = parseSelectWithUnion(cursor)
  if (cursor.accept('ELSE')) {
    const otherwise = parseFunction(cursor, cursor.identifier('table function'), true)
    close(cursor)
    return { kind: 'function', name, query, otherwise }
  }
  close(cursor)
  return { kind: 'function', name, query }
}
