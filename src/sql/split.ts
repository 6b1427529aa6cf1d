import { Token, type Tokens, tokenize } from './lexer.js'

/** One statement of a script and where it stands. Offsets are UTF-16 code units of the script. */
export interface SplitStatement {
  /**
   * The statement as written, no semicolon, no white space around it. A comment right before it belongs to it; one
   * that a blank line parts from it, or that follows the semicolon before it on the same line, does not.
   */
  readonly text: string
  /** Of `text`. */
  readonly startOffset: number
  /** Behind the last character of `text`. */
  readonly endOffset: number
  /** Line of the statement's first word, from 1. */
  readonly line: number
  /** Column of its first word in UTF-16 code units, from 1. */
  readonly column: number
  /** Line on which `text` begins, comments included, from 1. */
  readonly textLine: number
  /** Position among the statements, from 0. */
  readonly index: number
  /** Set when a quote or comment does not end, or a character belongs to no token: what the server would refuse. */
  readonly problem?: SplitProblem
}

/** A place at which the text is no SQL. */
export interface SplitProblem {
  /** A sentence that names the first characters. */
  readonly message: string
  readonly offset: number
  readonly line: number
  readonly column: number
}

/**
 * The statements of a script, cut at the semicolons that are no part of a string, a quoted name, a heredoc or a
 * comment. Texts of only comments are no statements. What follows FORMAT in an INSERT is data: it ends at a blank
 * line, as clickhouse-client has it, or at a semicolon that ends a line and is followed by another statement or by
 * nothing. Never throws; linear in the length.
 */
export function splitStatements(text: string): SplitStatement[] {
  const statements: SplitStatement[] = []
  const lines = new LineCounter(text)
  let blanks: BlankLines | undefined
  const failures = { heredocs: 0 }
  let from = 0
  while (from < text.length) {
    const reader = new StatementReader(text)
    const tokens = tokenize(text, { from, failures, stop: reader.stop })
    const hasSemicolon = tokens.count > 0 && tokens.kinds[tokens.count - 1] === Token.semicolon
    const last = tokens.count - (hasSemicolon ? 2 : 1)
    let next = tokens.ends[tokens.count]!
    if (last < 0) {
      if (!hasSemicolon) break
      from = next
      continue
    }
    let end = tokens.ends[last]!
    if (reader.atData) {
      blanks ??= new BlankLines(text)
      ;({ end, next } = inlineDataEnd(text, end, blanks))
    }
    const first = tokens.starts[0]!
    const start = commentStart(text, from, first)
    const textLine = lines.at(start).line
    const piece = { text: text.slice(start, end), startOffset: start, endOffset: end, textLine, ...lines.at(first) }
    const problem = problemOf(tokens, lines)
    statements.push({ ...piece, index: statements.length, ...(problem ? { problem } : {}) })
    from = next
  }
  return statements
}

/** Counts lines on the way through a text; asked with growing offsets it reads the text once. */
class LineCounter {
  private readonly text: string
  private line = 1
  private lineStart = 0
  /** The first newline that is not counted yet, or the length of the text. */
  private newline: number

  constructor(text: string) {
    this.text = text
    this.newline = this.next(0)
  }

  at(offset: number): { line: number; column: number } {
    if (offset < this.lineStart) {
      this.line = 1
      this.lineStart = 0
      this.newline = this.next(0)
    }
    while (this.newline < offset) {
      this.line++
      this.lineStart = this.newline + 1
      this.newline = this.next(this.lineStart)
    }
    return { line: this.line, column: offset - this.lineStart + 1 }
  }

  private next(from: number): number {
    const newline = this.text.indexOf('\n', from)
    return newline < 0 ? this.text.length : newline
  }
}

/** Finds blank lines at growing offsets; reads the text once. */
class BlankLines {
  private readonly text: string
  private readonly pattern = /\r?\n[ \t]*\r?\n/g
  private found: { readonly start: number; readonly end: number } | undefined
  private searchedFrom = 0

  constructor(text: string) {
    this.text = text
    this.search(0)
  }

  /** The first blank line at or behind `from`: where the line before it ends, and where the line after it starts. */
  after(from: number): { readonly start: number; readonly end: number } | undefined {
    if (from < this.searchedFrom || (this.found !== undefined && this.found.start < from)) this.search(from)
    return this.found
  }

  private search(from: number): void {
    this.searchedFrom = from
    this.pattern.lastIndex = from
    const match = this.pattern.exec(this.text)
    this.found = match === null ? undefined : { start: match.index, end: this.pattern.lastIndex }
  }
}

function problemOf(tokens: Tokens, lines: LineCounter): SplitProblem | undefined {
  for (let index = 0; index < tokens.count; index++) {
    if (tokens.kinds[index] !== Token.error) continue
    const offset = tokens.starts[index]!
    const shown = tokens.source.slice(offset, offset + 20).split('\n', 1)[0]!
    return { message: `${whatIsWrong(shown)}: ${shown}`, offset, ...lines.at(offset) }
  }
  return undefined
}

function whatIsWrong(shown: string): string {
  if (shown.startsWith('/*')) return 'a comment that does not end'
  if (shown.startsWith("'") || shown.startsWith('\u2018')) return 'a string that does not end'
  if (/^["`\u201c]/.test(shown)) return 'a quoted name that does not end'
  return 'a character that is no SQL'
}

/**
 * Where the comments start that stand before the first word at `first`: between it and them is no blank line. `from`
 * is the end of the statement before.
 */
function commentStart(text: string, from: number, first: number): number {
  let start = from
  if (from > 0) {
    // A comment behind the semicolon, on its line, speaks of the statement before.
    const newline = newlineBetween(text, from, first)
    if (newline < 0) return first
    if (text.slice(from, newline).trim() !== '') {
      if (insideComment(text, from, newline)) return first
      start = newline
    }
  }
  const blank = lastBlankLine(text, start, first)
  const between = blank < 0 ? start : blank
  let position = between
  while (position < first && isSpace(text.charCodeAt(position))) position++
  return position
}

/** The first newline in the range, or -1; looks at nothing outside it. */
function newlineBetween(text: string, from: number, to: number): number {
  for (let position = from; position < to; position++) if (text.charCodeAt(position) === 10) return position
  return -1
}

/** The last newline in the range, or -1; looks at nothing outside it. */
function lastNewlineBetween(text: string, from: number, to: number): number {
  for (let position = to - 1; position >= from; position--) if (text.charCodeAt(position) === 10) return position
  return -1
}

/** True when a block comment that begins before `newline` goes on after it. */
function insideComment(text: string, from: number, newline: number): boolean {
  const line = text.slice(from, newline)
  const open = line.lastIndexOf('/*')
  return open >= 0 && line.indexOf('*/', open) < 0
}

/** The offset behind the last empty line in the range, or -1. */
function lastBlankLine(text: string, from: number, to: number): number {
  let lineEnd = to
  while (true) {
    const newline = lastNewlineBetween(text, from, lineEnd)
    if (newline < 0) return -1
    if (lineEnd < to && isBlank(text, newline + 1, lineEnd)) return lineEnd + 1
    lineEnd = newline
  }
}

function isBlank(text: string, from: number, to: number): boolean {
  for (let position = from; position < to; position++) if (!isSpace(text.charCodeAt(position))) return false
  return true
}

function isSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13) || code === 0xfeff
}

/**
 * Watches the tokens of one statement: it ends at a semicolon, or behind `INSERT .. FORMAT name`, where data follows
 * that is no SQL. VALUES needs no such care, since its data is made of the same tokens; behind a query or INFILE a
 * FORMAT has no data.
 */
class StatementReader {
  /** True when reading ended because inline data follows. */
  atData = false
  private readonly text: string
  private count = 0
  private depth = 0
  private mayHaveData = true
  private behindFormat = false

  constructor(text: string) {
    this.text = text
  }

  readonly stop = (kind: number, start: number, end: number): boolean => {
    if (kind === Token.semicolon) return true
    if (!this.mayHaveData) return false
    const first = this.count++ === 0
    if (kind === Token.leftParen) this.depth++
    else if (kind === Token.rightParen) this.depth--
    if (kind !== Token.word || this.depth > 0) {
      this.behindFormat = false
      return false
    }
    const word = this.text.slice(start, Math.min(end, start + 16)).toUpperCase()
    if (this.behindFormat) {
      this.atData = word !== 'VALUES'
      this.mayHaveData = false
      return this.atData
    }
    if (first) this.mayHaveData = word === 'INSERT'
    else if (word === 'SELECT' || word === 'VALUES' || word === 'INFILE') this.mayHaveData = false
    this.behindFormat = word === 'FORMAT'
    return false
  }
}

/** The words with which a line can start that is a statement and no row of data. */
const STARTERS =
  /^(?:CREATE|ALTER|DROP|INSERT|SELECT|WITH|RENAME|EXCHANGE|TRUNCATE|OPTIMIZE|SYSTEM|DELETE|UPDATE|GRANT|REVOKE|SET|USE|ATTACH|DETACH|KILL|EXPLAIN|SHOW|DESCRIBE|CHECK|BACKUP|RESTORE|UNDROP)\s/i

/** Where inline data ends, and where the next statement begins. */
function inlineDataEnd(text: string, from: number, blanks: BlankLines): { end: number; next: number } {
  let after = from
  while (isSpace(text.charCodeAt(after))) after++
  if (text[after] === ';') return { end: from, next: after + 1 }
  const gap = blanks.after(from)
  const limit = gap ? gap.start : text.length
  for (let newline = lineEndAt(text, from, limit); ; newline = lineEndAt(text, newline + 1, limit)) {
    let last = newline
    while (last > from && isSpace(text.charCodeAt(last - 1))) last--
    const semicolon = last > from && text[last - 1] === ';'
    if (semicolon && (newline >= limit || startsStatement(text, newline)))
      return { end: trimmed(text, from, last - 1), next: last }
    if (newline >= limit) return { end: trimmed(text, from, limit), next: gap ? gap.end : text.length }
  }
}

function lineEndAt(text: string, from: number, limit: number): number {
  const newline = newlineBetween(text, from, limit)
  return newline < 0 ? limit : newline
}

function trimmed(text: string, from: number, to: number): number {
  let end = to
  while (end > from && isSpace(text.charCodeAt(end - 1))) end--
  return end
}

/** True when the next line that is not empty starts a statement or a comment. */
function startsStatement(text: string, from: number): boolean {
  const next = text.slice(from, from + 200).trimStart()
  return next === '' || next.startsWith('--') || next.startsWith('/*') || STARTERS.test(next)
}
