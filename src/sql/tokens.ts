import { identifierValue, stringValue, Token, type Tokens, tokenize } from './lexer.js'

/** One token of a SQL text. Comments and white space are none. Offsets are UTF-16 code units of the text. */
export type SqlToken = {
  /** `symbol` is everything else: brackets, operators, punctuation, and what is no SQL. */
  readonly kind: 'word' | 'quoted_identifier' | 'string' | 'number' | 'symbol'
  /** As written. */
  readonly text: string
  /** What it stands for: names and strings without quotes and escapes, everything else as written. */
  readonly value: string
  readonly start: number
  /** Behind the last character. */
  readonly end: number
}

/**
 * The tokens of `sql` as ClickHouse's own lexer cuts them, for plugins that read or rewrite statements: nothing in a
 * string, a quoted name, a heredoc or a comment is mistaken for a clause. Never throws; linear in the length.
 */
export function sqlTokens(sql: string): readonly SqlToken[] {
  const tokens = tokenize(sql)
  return Array.from({ length: tokens.count }, (_, index) => tokenAt(tokens, index))
}

function tokenAt(tokens: Tokens, index: number): SqlToken {
  const start = tokens.starts[index]!
  const end = tokens.ends[index]!
  const text = tokens.source.slice(start, end)
  switch (tokens.kinds[index]) {
    case Token.word:
      return { kind: 'word', text, value: text, start, end }
    case Token.quotedIdentifier:
      return { kind: 'quoted_identifier', text, value: identifierValue(tokens, index), start, end }
    case Token.string:
      return { kind: 'string', text, value: stringValue(tokens, index), start, end }
    case Token.number:
      return { kind: 'number', text, value: text, start, end }
    default:
      return { kind: 'symbol', text, value: text, start, end }
  }
}
