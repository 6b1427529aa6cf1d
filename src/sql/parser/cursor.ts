import { identifierValue, stringValue, Token, type TokenKind, type Tokens, tokenize } from '../lexer.js'

/**
 * Why a text could not be read, and at which token. Thrown by parsing functions only, caught at the public border;
 * no `Error`, since taking a stack trace for every alternative that is tried would cost more than the parsing.
 */
export class ParseFailure {
  readonly expected: string
  readonly tokenIndex: number
  /** Deep nesting: no alternative may be tried after it. */
  readonly fatal: boolean
  constructor(expected: string, tokenIndex: number, fatal = false) {
    this.expected = expected
    this.tokenIndex = tokenIndex
    this.fatal = fatal
  }
}

/** Nesting at which the parser gives up: the server's `max_parser_depth`. */
export const MAX_DEPTH = 1000

/**
 * A position in a token list. Keywords are written in upper case (`at('ORDER BY')`) and match any case. Every
 * `expect` and `fail` throws a `ParseFailure`; `at` and `accept` never throw.
 */
export class Cursor {
  readonly tokens: Tokens
  readonly source: string
  readonly kinds: readonly number[]
  readonly starts: readonly number[]
  readonly ends: readonly number[]
  /** Index of the current token. */
  index: number
  /** The farthest token at which an alternative failed; the best place to point a user to. */
  farthest = 0
  depth = 0
  /** The depth at which IN ends an expression instead of going on: the first argument of POSITION. */
  inEndsAtDepth = -1
  /** A run of opening round brackets that was looked through: its first index and the index after its last. */
  runStart = -1
  runEnd = -1
  /** Alternatives that failed, by name and token index: `acceptOnce` tries none of them twice. */
  failed: Set<string> | undefined
  /** Where the type of the last `::` ended. */
  castEnd = -1

  constructor(tokens: Tokens, index = 0) {
    this.tokens = tokens
    this.source = tokens.source
    this.kinds = tokens.kinds
    this.starts = tokens.starts
    this.ends = tokens.ends
    this.index = index
  }

  get kind(): TokenKind {
    return this.kinds[this.index] as TokenKind
  }

  kindAt(index: number): TokenKind {
    return (index <= this.tokens.count ? this.kinds[index] : Token.end) as TokenKind
  }

  /** True at the end of the text; a semicolon is not the end. */
  get isEnd(): boolean {
    return this.kinds[this.index] === Token.end
  }

  advance(): void {
    if (this.index < this.tokens.count) this.index++
  }

  /** True when the tokens here are the words of `phrase` (upper case, one space between words). */
  at(phrase: string): boolean {
    return this.phraseEnd(phrase, this.index) >= 0
  }

  /** Like `at`, for the tokens from `index` on. */
  atIndex(phrase: string, index: number): boolean {
    return this.phraseEnd(phrase, index) >= 0
  }

  /** Steps over `phrase` if it is here. */
  accept(phrase: string): boolean {
    const end = this.phraseEnd(phrase, this.index)
    if (end < 0) return false
    this.index = end
    return true
  }

  /** Steps over the first of `phrases` that is here and returns it. Put longer phrases first. */
  acceptOneOf<const T extends string>(...phrases: readonly T[]): T | undefined {
    for (const phrase of phrases) if (this.accept(phrase)) return phrase
    return undefined
  }

  expect(phrase: string): void {
    if (!this.accept(phrase)) this.fail(phrase)
  }

  atToken(kind: TokenKind): boolean {
    return this.kinds[this.index] === kind
  }

  acceptToken(kind: TokenKind): boolean {
    if (this.kinds[this.index] !== kind) return false
    this.index++
    return true
  }

  expectToken(kind: TokenKind, name: string): void {
    if (!this.acceptToken(kind)) this.fail(name)
  }

  /** True at a word or quoted identifier. */
  atIdentifier(): boolean {
    const kind = this.kinds[this.index]
    return kind === Token.word || kind === Token.quotedIdentifier
  }

  /** The name at the cursor, unquoted; steps over it. */
  identifier(expected = 'identifier'): string {
    if (!this.atIdentifier()) this.fail(expected)
    const value = identifierValue(this.tokens, this.index++)
    if (value === '') {
      this.index--
      this.fail(expected)
    }
    return value
  }

  /** The value of the string literal at the cursor; steps over it. */
  string(expected = 'string literal'): string {
    if (this.kinds[this.index] !== Token.string) this.fail(expected)
    return stringValue(this.tokens, this.index++)
  }

  /** The text of the current token, as written. */
  text(): string {
    return this.source.slice(this.starts[this.index], this.ends[this.index])
  }

  /** The source from the start of token `from` to the end of token `to - 1`, as written. */
  slice(from: number, to: number): string {
    return to > from ? this.source.slice(this.starts[from], this.ends[to - 1]) : ''
  }

  /** The first index from `index` on that is no opening round bracket. Remembered, so nested look-ahead stays linear. */
  afterParens(index: number): number {
    if (index >= this.runStart && index < this.runEnd) return this.runEnd
    let end = index
    while (this.kinds[end] === Token.leftParen) end++
    this.runStart = index
    this.runEnd = end
    return end
  }

  /** The index after the bracket that closes the one at `index`, or -1. */
  afterBracket(index: number): number {
    const close = this.tokens.matching[index]!
    return close < 0 ? -1 : close + 1
  }

  /** Runs `parse`; where it fails, restores the position and returns `undefined`. */
  attempt<T>(parse: () => T): T | undefined {
    const { index, depth } = this
    try {
      return parse()
    } catch (failure) {
      if (!(failure instanceof ParseFailure) || failure.fatal) throw failure
      if (failure.tokenIndex > this.farthest) this.farthest = failure.tokenIndex
      this.index = index
      this.depth = depth
      return undefined
    }
  }

  /** Counts one level of nesting; pair with `leave`. */
  enter(): void {
    if (++this.depth > MAX_DEPTH) throw new ParseFailure(`nesting of at most ${MAX_DEPTH} levels`, this.index, true)
  }

  leave(): void {
    this.depth--
  }

  fail(expected: string): never {
    throw new ParseFailure(expected, this.index)
  }

  /** The index after the words of `phrase`, which start at token `from`; -1 when something else is there. */
  private phraseEnd(phrase: string, from: number): number {
    const { kinds, starts, source } = this
    // Nearly every question is answered by the first letter.
    if (kinds[from] !== Token.word || (source.charCodeAt(starts[from]!) & ~32) !== phrase.charCodeAt(0)) return -1
    const { length } = phrase
    let index = from
    let offset = 0
    while (kinds[index] === Token.word) {
      const end = this.ends[index]!
      for (let position = starts[index]!; position < end; position++, offset++) {
        const code = source.charCodeAt(position)
        if ((code >= 97 && code <= 122 ? code & ~32 : code) !== phrase.charCodeAt(offset)) return -1
      }
      index++
      if (offset === length) return index
      // The space between two words.
      if (phrase.charCodeAt(offset++) !== 32) return -1
    }
    return -1
  }

  /** True when token `index` is the bare word `lower` (lower case) in any case. */
  isWord(index: number, lower: string): boolean {
    if (this.kinds[index] !== Token.word) return false
    const start = this.starts[index]!
    const length = lower.length
    if (this.ends[index]! - start !== length) return false
    const { source } = this
    for (let offset = 0; offset < length; offset++) {
      const code = source.charCodeAt(start + offset)
      const wanted = lower.charCodeAt(offset)
      if (code !== wanted && (code >= 65 && code <= 90 ? code | 32 : code) !== wanted) return false
    }
    return true
  }
}

/** A cursor at the first token of `source`. */
export function cursorOf(source: string): Cursor {
  return new Cursor(tokenize(source))
}

/** Runs `item` for each element of a comma-separated list; at least one. */
export function parseCommaList<T>(cursor: Cursor, item: (cursor: Cursor) => T): T[] {
  const items = [item(cursor)]
  while (cursor.acceptToken(Token.comma)) items.push(item(cursor))
  return items
}
