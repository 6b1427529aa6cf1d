import type { Expression, FunctionCall } from '../ast.js'
import type { Cursor } from './cursor.js'
import { call } from './nodes.js'

/** The units of INTERVAL, as they stand in function names (`toIntervalDay`). */
export type IntervalUnit =
  | 'Nanosecond'
  | 'Microsecond'
  | 'Millisecond'
  | 'Second'
  | 'Minute'
  | 'Hour'
  | 'Day'
  | 'Week'
  | 'Month'
  | 'Quarter'
  | 'Year'

const SPELLINGS: readonly [IntervalUnit, string][] = [
  ['Nanosecond', 'NANOSECOND NANOSECONDS SQL_TSI_NANOSECOND NS'],
  ['Microsecond', 'MICROSECOND MICROSECONDS SQL_TSI_MICROSECOND MCS'],
  ['Millisecond', 'MILLISECOND MILLISECONDS SQL_TSI_MILLISECOND MS'],
  ['Second', 'SECOND SECONDS SQL_TSI_SECOND SS S'],
  ['Minute', 'MINUTE MINUTES SQL_TSI_MINUTE MI N'],
  ['Hour', 'HOUR HOURS SQL_TSI_HOUR HH H'],
  ['Day', 'DAY DAYS SQL_TSI_DAY DD D'],
  ['Week', 'WEEK WEEKS SQL_TSI_WEEK WK WW'],
  ['Month', 'MONTH MONTHS SQL_TSI_MONTH MM M'],
  ['Quarter', 'QUARTER QUARTERS SQL_TSI_QUARTER QQ Q'],
  ['Year', 'YEAR YEARS SQL_TSI_YEAR YYYY YY'],
]

const UNITS: ReadonlyMap<string, IntervalUnit> = new Map(
  SPELLINGS.flatMap(([unit, words]) => words.split(' ').map((word) => [word, unit] as const)),
)

/** The unit that a word names in any of the server's spellings, or `undefined`. */
export function intervalUnitOf(word: string): IntervalUnit | undefined {
  return UNITS.get(word.toUpperCase())
}

/** The unit at the cursor; steps over it. */
export function acceptIntervalUnit(cursor: Cursor): IntervalUnit | undefined {
  const unit = cursor.atIdentifier() ? intervalUnitOf(cursor.text()) : undefined
  if (unit) cursor.index++
  return unit
}

/** `toIntervalDay` for Day. */
export function toIntervalName(unit: IntervalUnit): string {
  return `toInterval${unit}`
}

/** A call of one of the toInterval functions. */
export function intervalFunction(name: string, value: Expression): FunctionCall {
  return call(name, [value])
}

/** `'1 day 2 hours'` as calls of toInterval functions, or `undefined` when the text has no such form. */
export function intervalFromText(text: string): FunctionCall[] | undefined {
  const words = text.trim().split(/\s+/)
  if (words.length < 2 || words.length % 2 !== 0) return undefined
  const parts: FunctionCall[] = []
  for (let index = 0; index < words.length; index += 2) {
    const unit = intervalUnitOf(words[index + 1]!)
    const value = words[index]!
    if (unit === undefined || !/^[+-]?\d+$/.test(value)) return undefined
    parts.push(intervalFunction(toIntervalName(unit), { kind: 'literal', type: 'int', value: String(BigInt(value)) }))
  }
  return parts
}
