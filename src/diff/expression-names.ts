/**
 * Reads column names in expressions by tokens alone. That is enough here because canonical expressions write a column
 * as a bare or back-quoted name, and because the server's own rename works the same way: it replaces every identifier
 * of that name, arguments of lambdas included (seen on 26.7).
 */
import { Token, tokenize } from '../sql/lexer.js'
import { quoteIdentifierIfNeeded } from '../sql/quote.js'

/** An identifier in a text: its parts unquoted (`n.a` has two), and where it stands. */
type Name = { readonly parts: readonly { readonly name: string; readonly end: number }[]; readonly start: number }

const UNESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', r: '\r', n: '\n', t: '\t', '0': '\0' }

/** The name inside `` `name` `` or `"name"`. */
export function unquoteName(text: string): string {
  const quote = text[0]
  if (quote !== '`' && quote !== '"') return text
  let out = ''
  for (let index = 1; index < text.length - 1; index++) {
    const char = text[index]!
    if (char === '\\') {
      index++
      out += UNESCAPES[text[index]!] ?? text[index]!
    } else {
      out += char
      if (char === quote) index++
    }
  }
  return out
}

/** Identifiers that stand where a column can stand: not a function's name, not an alias behind AS. */
function namesIn(text: string): Name[] {
  const tokens = tokenize(text)
  const names: Name[] = []
  const textOf = (index: number) => text.slice(tokens.starts[index], tokens.ends[index])
  for (let index = 0; index < tokens.count; index++) {
    const kind = tokens.kinds[index]
    if (kind !== Token.word && kind !== Token.quotedIdentifier) continue
    const start = index
    const parts = [{ name: unquoteName(textOf(index)), end: tokens.ends[index]! }]
    while (
      tokens.kinds[index + 1] === Token.dot &&
      (tokens.kinds[index + 2] === Token.word || tokens.kinds[index + 2] === Token.quotedIdentifier)
    ) {
      index += 2
      parts.push({ name: unquoteName(textOf(index)), end: tokens.ends[index]! })
    }
    if (tokens.kinds[index + 1] === Token.leftParen && kind === Token.word && parts.length === 1) continue
    if (start > 0 && tokens.kinds[start - 1] === Token.word && textOf(start - 1).toUpperCase() === 'AS') continue
    names.push({ parts, start: tokens.starts[start]! })
  }
  return names
}

/** The columns among `columns` that the expression reads; `t.c`, `c.subcolumn` and flattened `n.a` are understood. */
export function columnsIn(expression: string, columns: ReadonlySet<string>): ReadonlySet<string> {
  const found = new Set<string>()
  for (const { parts } of namesIn(expression)) {
    let joined = ''
    for (const [index, part] of parts.entries()) {
      joined = index === 0 ? part.name : `${joined}.${part.name}`
      if (columns.has(joined)) found.add(joined)
      if (columns.has(part.name)) found.add(part.name)
    }
  }
  return found
}

/** True when the text names `column` where a column can stand. */
export function mentionsColumn(text: string, column: string): boolean {
  return columnsIn(text, new Set([column])).size > 0
}

/** The expression with columns renamed the way the server rewrites it on RENAME COLUMN. Other text is untouched. */
export function renameColumnsIn(expression: string, renames: ReadonlyMap<string, string>): string {
  let out = ''
  let copied = 0
  for (const { parts, start } of namesIn(expression)) {
    let joined = ''
    let match: { to: string; end: number } | undefined
    for (const [index, part] of parts.entries()) {
      joined = index === 0 ? part.name : `${joined}.${part.name}`
      const to = renames.get(joined)
      if (to !== undefined) match = { to, end: part.end }
    }
    if (match === undefined) continue
    out += expression.slice(copied, start) + match.to.split('.').map(quoteIdentifierIfNeeded).join('.')
    copied = match.end
  }
  return copied === 0 ? expression : out + expression.slice(copied)
}

/**
 * True when a query selects columns that it does not name: by `COLUMNS('..')`, by a NATURAL JOIN, or by an asterisk that
 * is neither a factor nor inside `count(*)`.
 */
export function readsEverything(query: string): boolean {
  const tokens = tokenize(query)
  for (let index = 1; index < tokens.count; index++) {
    if (
      tokens.kinds[index] === Token.word &&
      /^(?:COLUMNS|NATURAL)$/i.test(query.slice(tokens.starts[index], tokens.ends[index]))
    )
      return true
    if (tokens.kinds[index] !== Token.asterisk) continue
    const before = tokens.kinds[index - 1]
    if (before === Token.comma || before === Token.dot) return true
    if (before !== Token.word) continue
    const word = query.slice(tokens.starts[index - 1], tokens.ends[index - 1]).toUpperCase()
    if (word === 'SELECT' || word === 'DISTINCT') return true
  }
  return false
}

/** True when a projection's query groups or calls functions, so that what it stores is not its columns as they are. */
export function aggregates(query: string): boolean {
  const tokens = tokenize(query)
  for (let index = 0; index < tokens.count; index++) {
    if (tokens.kinds[index] !== Token.word) continue
    if (tokens.kinds[index + 1] === Token.leftParen) return true
    if (query.slice(tokens.starts[index], tokens.ends[index]).toUpperCase() === 'GROUP') return true
  }
  return false
}
