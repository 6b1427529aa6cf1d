/**
 * Equality of the parts of definitions. Both sides are canonical, so texts are compared as they are; what the server
 * is known to show in two ways for one meaning (reference: alter-matrix 5.3) is listed here and nowhere else.
 */
import type {
  Column,
  ColumnDefault,
  Constraint,
  Engine,
  Projection,
  Settings,
  SkippingIndex,
  SqlText,
  ViewColumn,
} from '../model/definition.js'
import {
  sameExpression,
  sameIndexType,
  sameKeyEntry,
  sameProjectionBody,
  sameSettingValue,
  sameTtlRule,
} from '../model/meaning.js'
import { quoteString } from '../sql/quote.js'

/** True when both lists are undefined or hold the same texts in the same order. */
export function equalTexts(a: readonly string[] | undefined, b: readonly string[] | undefined): boolean {
  if (a === b) return true
  if (a === undefined || b === undefined || a.length !== b.length) return false
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false
  return true
}

/** True when two keys have the same entries in the same order. */
export function equalKeys(a: readonly SqlText[] | undefined, b: readonly SqlText[] | undefined): boolean {
  return equalLists(a, b, sameKeyEntry)
}

/** True when two table TTLs have the same rules in the same order. */
export function equalTtls(a: readonly SqlText[], b: readonly SqlText[]): boolean {
  return equalLists(a, b, sameTtlRule)
}

function equalLists(
  a: readonly SqlText[] | undefined,
  b: readonly SqlText[] | undefined,
  same: (a: SqlText, b: SqlText) => boolean,
): boolean {
  if (a === b) return true
  if (a === undefined || b === undefined || a.length !== b.length) return false
  return a.every((text, index) => text === b[index] || same(text, b[index]!))
}

/** True when both hold the same settings, hidden secrets aside; undefined equals no settings. Key order does not matter. */
export function equalSettings(a: Settings | undefined, b: Settings | undefined): boolean {
  if (a === b) return true
  let left = 0
  for (const name in a) {
    const [one, other] = [a[name], b?.[name]]
    if (one !== other && (one === undefined || other === undefined || !sameSettingValue(one, other))) return false
    left++
  }
  for (const _ in b) left--
  return left === 0
}

/** True when name and parameters are the same, hidden secrets aside. */
export function equalEngines(a: Engine, b: Engine): boolean {
  if (a === b) return true
  return (
    a.name === b.name &&
    a.args.length === b.args.length &&
    a.args.every((arg, index) => sameExpression(arg, b.args[index]!))
  )
}

/** As `equalEngines`; a Filesystem database that was declared without its path is shown with one (seen on 26.7). */
export function equalDatabaseEngines(a: Engine, b: Engine): boolean {
  const isAnywhere = a.args.length === 0 || b.args.length === 0
  return equalEngines(a, b) || (a.name === 'Filesystem' && b.name === 'Filesystem' && isAnywhere)
}

/** Undefined and an empty comment are the same: the server drops an empty one from columns and on ALTER. */
export function equalComments(a: string | undefined, b: string | undefined): boolean {
  return a === b || (a ?? '') === (b ?? '')
}

/** An EPHEMERAL without an expression is shown with `defaultValueOfTypeName` once an ALTER has touched it. */
export function equalDefaults(a: ColumnDefault | undefined, b: ColumnDefault | undefined, type: string): boolean {
  if (a === b) return true
  if (a === undefined || b === undefined || a.kind !== b.kind) return false
  if (sameExpression(a.expression, b.expression)) return true
  if (a.kind !== 'EPHEMERAL') return false
  const implied = `defaultValueOfTypeName(${quoteString(type)})`
  return (a.expression ?? implied) === (b.expression ?? implied)
}

/** True when two columns of one name are the same apart from where they stand. */
export function equalColumns(a: Column, b: Column): boolean {
  return (
    a === b ||
    (a.type === b.type &&
      a.codec === b.codec &&
      (a.ttl === b.ttl || sameExpression(a.ttl, b.ttl)) &&
      (a.comment === b.comment || equalComments(a.comment, b.comment)) &&
      (a.default === b.default || equalDefaults(a.default, b.default, a.type)) &&
      (a.settings === b.settings || equalSettings(a.settings, b.settings)) &&
      (a.statistics === b.statistics || equalStatistics(a.statistics, b.statistics)))
  )
}

/** True when both are the same statistics; the server keeps the case in which a type was written. */
export function equalStatistics(a: readonly string[] | undefined, b: readonly string[] | undefined): boolean {
  const plain = (list: readonly string[] | undefined) => (list ?? []).map((type) => type.toLowerCase()).sort()
  return equalTexts(plain(a), plain(b))
}

export function equalIndexes(a: SkippingIndex, b: SkippingIndex): boolean {
  return (
    a === b ||
    (a.granularity === b.granularity && sameKeyEntry(a.expression, b.expression) && sameIndexType(a.type, b.type))
  )
}

export function equalProjections(a: Projection, b: Projection): boolean {
  return a === b || (sameProjectionBody(a, b) && equalSettings(a.settings, b.settings))
}

export function equalConstraints(a: Constraint, b: Constraint): boolean {
  return a === b || (a.type === b.type && sameExpression(a.expression, b.expression))
}

export function equalViewColumns(a: readonly ViewColumn[] | undefined, b: readonly ViewColumn[] | undefined): boolean {
  if (a === b) return true
  if (a === undefined || b === undefined || a.length !== b.length) return false
  return a.every((column, index) => column.name === b[index]!.name && equalColumns(column, b[index]!))
}

/** The key as the server uses it when no primary key was written. */
export function effectivePrimaryKey(storage: {
  readonly primaryKey?: readonly SqlText[]
  readonly orderBy?: readonly SqlText[]
}): readonly SqlText[] | undefined {
  return storage.primaryKey ?? storage.orderBy
}

/** True when `prefix` is how `list` begins; equal lists count. */
export function isPrefix(prefix: readonly string[], list: readonly string[]): boolean {
  return prefix.length <= list.length && prefix.every((entry, index) => entry === list[index])
}
