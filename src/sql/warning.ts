import { type Cursor, ParseFailure } from './parser/cursor.js'

/** What the parser could not follow: the token it stopped at and where that stands in the text. */
export interface ParseWarning {
  /** A sentence naming what was expected and what was found. */
  readonly message: string
  /** The token as written; empty at the end of the text. */
  readonly token: string
  /** UTF-16 code units from the start of the text. */
  readonly offset: number
  /** Counted from 1. */
  readonly line: number
  /** Counted from 1, in UTF-16 code units. */
  readonly column: number
}

/** The warning for `failure`, at the farthest token that any alternative reached. */
export function warningOf(cursor: Cursor, failure: unknown): ParseWarning {
  const { tokens, source } = cursor
  const known = failure instanceof ParseFailure
  const index = Math.min(known ? Math.max(failure.tokenIndex, 0) : cursor.index, tokens.count)
  const offset = tokens.starts[index]!
  const token = source.slice(offset, tokens.ends[index])
  const shown = token.length > 40 ? `${token.slice(0, 40)}…` : token
  const expected = known ? failure.expected : 'less nesting'
  let line = 1
  let lineStart = 0
  for (let at = source.indexOf('\n'); at >= 0 && at < offset; at = source.indexOf('\n', at + 1)) {
    line++
    lineStart = at + 1
  }
  const found = token === '' ? 'the end of the text' : `"${shown}"`
  return { message: `expected ${expected}, found ${found}`, token, offset, line, column: offset - lineStart + 1 }
}
