/**
 * How ClickHouse's own formatter writes names and strings (seen on 26.7: `backQuoteIfNeed`, `quoteString`).
 * These are the only functions that quote; everything that spells SQL stands on them.
 */

/** Characters that the server writes as a two-character escape inside '' and ``. */
const ESCAPES: Readonly<Record<string, string>> = {
  '\b': '\\b',
  '\f': '\\f',
  '\r': '\\r',
  '\n': '\\n',
  '\t': '\\t',
  '\0': '\\0',
  '\\': '\\\\',
}

/** Texts without any of these, nearly all, are written as they are. */
const ESCAPED = /[\b\f\r\n\t\0\\'`]/

function escapeFor(text: string, quote: string): string {
  if (!ESCAPED.test(text)) return text
  let out = ''
  for (const char of text) out += char === quote ? `\\${quote}` : (ESCAPES[char] ?? char)
  return out
}

const PLAIN = /^[A-Za-z_][A-Za-z0-9_]*$/

/** `text` as a ClickHouse string literal, quotes included. */
export function quoteString(text: string): string {
  return `'${escapeFor(text, "'")}'`
}

/** `name` in backquotes, always. Column names in a declaration are written this way. */
export function quoteIdentifier(name: string): string {
  return `\`${escapeFor(name, '`')}\``
}

/** Words that the server backquotes although they look like plain names (`backQuoteIfNeed`, seen on 26.7). */
const QUOTED_WORDS: ReadonlySet<string> = new Set(['distinct', 'all', 'table', 'select', 'from', 'values', 'null'])

/** `name` as the server writes it where a name is expected: bare when it is a plain word, else in backquotes. */
export function quoteIdentifierIfNeeded(name: string): string {
  if (!PLAIN.test(name)) return quoteIdentifier(name)
  return name.length <= 8 && QUOTED_WORDS.has(name.toLowerCase()) ? quoteIdentifier(name) : name
}

/** `database.name`, each part quoted when needed. An empty `database` yields the bare name. */
export function quoteQualified(database: string | undefined, name: string): string {
  return database
    ? `${quoteIdentifierIfNeeded(database)}.${quoteIdentifierIfNeeded(name)}`
    : quoteIdentifierIfNeeded(name)
}
