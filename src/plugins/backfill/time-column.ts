/** How a time column keeps its time, which decides how a moment is spelled for it. */
export type TimeType =
  | { readonly kind: 'date' }
  | { readonly kind: 'date32' }
  | { readonly kind: 'datetime' }
  | { readonly kind: 'datetime64'; readonly precision: number }

/** The time column of a plan. */
export type TimeColumn = {
  readonly name: string
  /** As the server prints it. */
  readonly type: string
  /** Where the choice came from. */
  readonly from: 'flag' | 'table' | 'defaults' | 'sorting key' | 'name'
}

/** A column as far as the choice needs it. */
export type NamedType = { readonly name: string; readonly type: string }

/** The time type of a column type, wrappers taken off; undefined for what holds no time. */
export function timeTypeOf(type: string): TimeType | undefined {
  const wrapped = /^(?:Nullable|LowCardinality)\((.*)\)$/.exec(type)
  if (wrapped) return timeTypeOf(wrapped[1] ?? '')
  if (type === 'Date') return { kind: 'date' }
  if (type === 'Date32') return { kind: 'date32' }
  if (/^DateTime(\(|$)/.test(type)) return { kind: 'datetime' }
  const match = /^DateTime64\((\d+)/.exec(type)
  return match ? { kind: 'datetime64', precision: Number(match[1]) } : undefined
}

/** Names that tables commonly give the time of a row, the most telling first. */
const COMMON_NAMES = [
  'event_time',
  'event_timestamp',
  'timestamp',
  'ts',
  'time',
  'datetime',
  'event_date',
  'date',
  'day',
  'created_at',
  'ingested_at',
  'inserted_at',
  'received_at',
  'occurred_at',
  'at',
  'created',
]

export type TimeColumnSources = {
  /** --time-column. */
  readonly flag?: string
  /** `plugins.backfill.timeColumn` of the table. */
  readonly table?: string
  readonly defaults?: string
  /** Of the table that rows are read from, in column order. */
  readonly columns: readonly NamedType[]
  /** Entries of its sorting key that are plain columns, in order. */
  readonly sortingKey: readonly string[]
}

/** The time column, or a sentence that says why there is none. Pure: first who says it, then what can be seen. */
export function chooseTimeColumn(sources: TimeColumnSources): TimeColumn | { readonly wrong: string } {
  const said = (
    [
      [sources.flag, 'flag'],
      [sources.table, 'table'],
      [sources.defaults, 'defaults'],
    ] as const
  ).find(([name]) => name !== undefined)
  if (said?.[0] !== undefined) return named(said[0], said[1], sources.columns)
  const times = sources.columns.filter(({ type }) => timeTypeOf(type) !== undefined)
  const byKey = sources.sortingKey.map((name) => times.find((column) => column.name === name)).find(Boolean)
  if (byKey) return { ...byKey, from: 'sorting key' }
  for (const name of COMMON_NAMES) {
    const byName = times.find((column) => column.name.toLowerCase() === name)
    if (byName) return { ...byName, from: 'name' }
  }
  // With one column of time there is nothing to choose.
  if (times.length === 1 && times[0]) return { ...times[0], from: 'name' }
  return {
    wrong:
      times.length === 0
        ? 'it has no Date or DateTime column'
        : `none of its columns of time (${times.map(({ name }) => name).join(', ')}) is in the sorting key or has a usual name`,
  }
}

function named(name: string, from: TimeColumn['from'], columns: readonly NamedType[]): TimeColumn | { wrong: string } {
  const column = columns.find((one) => one.name === name)
  if (!column) return { wrong: `it has no column '${name}'` }
  if (timeTypeOf(column.type) === undefined)
    return { wrong: `its column '${name}' is ${column.type}, which is no time` }
  return { ...column, from }
}

const MAX_DATETIME_MS = 0xffff_ffff * 1000

/**
 * The first and last moment that a type can hold. The server takes others for the nearest of these, or refuses them
 * (DateTime64(9)), so that a window which reaches further must not be compared by its ends (seen on 26.7).
 */
export function timeRange(type: TimeType): { readonly first: number; readonly last: number } {
  switch (type.kind) {
    case 'date':
      return { first: 0, last: Date.UTC(2149, 5, 6) }
    case 'date32':
      return { first: Date.UTC(1900, 0), last: Date.UTC(2299, 11, 31) }
    case 'datetime':
      return { first: 0, last: MAX_DATETIME_MS }
    case 'datetime64':
      return {
        first: Date.UTC(1900, 0),
        last: type.precision === 9 ? Date.UTC(2262, 3, 11, 23, 47, 16) : Date.UTC(2299, 11, 31, 23, 59, 59, 999),
      }
  }
}

/** A moment as an SQL expression that compares with a column of this type without losing its index. UTC. */
export function timeLiteral(instant: number, type: TimeType): string {
  const text = new Date(instant).toISOString().replace('T', ' ').replace('Z', '')
  const day = text.slice(0, 10)
  switch (type.kind) {
    case 'date':
      return instant < 0 || instant > MAX_DATETIME_MS ? `toDate32('${day}')` : `toDate('${day}')`
    case 'date32':
      return `toDate32('${day}')`
    case 'datetime':
      return instant % 1000 === 0 && instant >= 0 && instant <= MAX_DATETIME_MS
        ? `toDateTime('${text.slice(0, 19)}', 'UTC')`
        : `toDateTime64('${text}', 3, 'UTC')`
    case 'datetime64':
      return `toDateTime64('${text}', ${Math.max(3, type.precision)}, 'UTC')`
  }
}
