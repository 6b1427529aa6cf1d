/** The format every read asks for: compact, with types, and the same from 18.16 to today. */
export const ROW_FORMAT = 'JSONCompact'

type CompactAnswer = {
  readonly meta: readonly { readonly name: string; readonly type: string }[]
  readonly data: readonly (readonly unknown[])[]
}

/**
 * The rows of a JSONCompact answer as objects. Servers disagree on whether 64-bit integers are quoted; here they are
 * numbers where that is exact and strings where it is not. Undefined when the text is no complete answer, an error
 * appended to its first rows for example. An empty text (a statement without a result) is no rows.
 */
export function decodeRows(body: string): Record<string, unknown>[] | undefined {
  if (body.trim() === '') return []
  const answer = parseAnswer(body)
  if (!answer) return undefined
  const columns = answer.meta.map(({ name, type }) => ({ name, convert: CONVERTERS.find((c) => c.type.test(type)) }))
  return answer.data.map((values) => {
    const row: Record<string, unknown> = {}
    columns.forEach(({ name, convert }, at) => {
      const value = values[at]
      row[name] = convert ? convert.map(value) : value
    })
    return row
  })
}

/** True when `body` is a whole JSONCompact answer or empty. */
export function isCompleteAnswer(body: string): boolean {
  return body.trim() === '' || parseAnswer(body) !== undefined
}

function parseAnswer(body: string): CompactAnswer | undefined {
  try {
    const value: unknown = JSON.parse(quoteLongIntegers(body))
    return isCompactAnswer(value) ? value : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function isCompactAnswer(value: unknown): value is CompactAnswer {
  if (typeof value !== 'object' || value === null) return false
  return 'meta' in value && Array.isArray(value.meta) && 'data' in value && Array.isArray(value.data)
}

/** Integers beyond 2^53 lose digits in JSON.parse, so those that are long enough to are read as strings. */
function quoteLongIntegers(body: string): string {
  if (!/\d{16}/.test(body)) return body
  return body.replace(JSON_SCALAR, (token) => (LONG_INTEGER.test(token) ? `"${token}"` : token))
}

const JSON_SCALAR = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/g
const LONG_INTEGER = /^-?\d{16,}$/

const CONVERTERS: readonly { readonly type: RegExp; map(value: unknown): unknown }[] = [
  { type: /^(?:Nullable\()?Float(?:32|64)\)?$/, map: float },
  { type: /^(?:Nullable\()?U?Int(?:64|128|256)\)?$/, map: exactInteger },
  {
    type: /^Array\((?:Nullable\()?U?Int(?:64|128|256)\)?\)$/,
    map: (value) => (Array.isArray(value) ? value.map(exactInteger) : value),
  },
]

/** Whole floats were taken for integers above. */
function float(value: unknown): unknown {
  return typeof value === 'string' && LONG_INTEGER.test(value) ? Number(value) : value
}

function exactInteger(value: unknown): unknown {
  if (typeof value !== 'string') return value
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

/** Rows as JSONEachRow lines. Dates become `YYYY-MM-DD hh:mm:ss[.mmm]` in UTC and bigints their digits, as the server reads them. */
export function encodeRows(rows: readonly Readonly<Record<string, unknown>>[]): string {
  return rows.map((row) => `${JSON.stringify(row, serverValue)}\n`).join('')
}

/** JSON.stringify calls `toJSON` first, so the Date itself is only to be had from the holder. */
function serverValue(this: unknown, key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  const original: unknown = typeof this === 'object' && this !== null ? Reflect.get(this, key) : value
  if (!(original instanceof Date)) return value
  return original
    .toISOString()
    .replace('T', ' ')
    .replace(/(?:\.000)?Z$/, '')
}
