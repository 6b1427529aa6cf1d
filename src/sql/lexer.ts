/**
 * Cuts ClickHouse SQL into tokens. Follows the server's own lexer (seen on 26.7): what it takes for one token is one
 * token here, so that splitting, parsing and risk all stand on the same reading of the text.
 */

/** The kinds of token. Comments and white space yield no token. */
export const Token = {
  end: 0,
  word: 1,
  /** "name" or `name`, quotes and escapes still in place. */
  quotedIdentifier: 2,
  /** 'text', x'41', b'01', $tag$text$tag$; decode with `stringValue`. */
  string: 3,
  number: 4,
  leftParen: 5,
  rightParen: 6,
  leftBracket: 7,
  rightBracket: 8,
  leftBrace: 9,
  rightBrace: 10,
  comma: 11,
  semicolon: 12,
  dot: 13,
  asterisk: 14,
  plus: 15,
  minus: 16,
  slash: 17,
  percent: 18,
  arrow: 19,
  question: 20,
  colon: 21,
  doubleColon: 22,
  equals: 23,
  notEquals: 24,
  less: 25,
  greater: 26,
  lessOrEquals: 27,
  greaterOrEquals: 28,
  spaceship: 29,
  concat: 30,
  at: 31,
  doubleAt: 32,
  caret: 33,
  pipe: 34,
  dollar: 35,
  /** Text that is no token of the language: an unclosed quote or comment, a stray character. */
  error: 36,
} as const

/** One of the numbers in `Token`. */
export type TokenKind = (typeof Token)[keyof typeof Token]

/**
 * All tokens of a text as parallel arrays. Token `count` is the end token; offsets are UTF-16 code units.
 * `matching[i]` is the index of the bracket that closes (or opens) bracket `i`; -1 for one without its partner, or
 * crossed with another kind, and for every other token.
 */
export interface Tokens {
  readonly source: string
  readonly count: number
  readonly kinds: readonly number[]
  readonly starts: readonly number[]
  readonly ends: readonly number[]
  readonly matching: readonly number[]
}

const SPACE = 1
const DIGIT = 2
const LETTER = 4
const HEX = 8
const WORD = DIGIT | LETTER

const CLASS = new Uint8Array(128)
for (const char of ' \t\n\r\f\v') CLASS[char.charCodeAt(0)] = SPACE
for (let code = 48; code < 58; code++) CLASS[code] = DIGIT | HEX
for (let code = 65; code < 91; code++) CLASS[code] = CLASS[code + 32] = LETTER
for (let code = 65; code < 71; code++) CLASS[code] = CLASS[code + 32] = LETTER | HEX
CLASS[95] = LETTER

/** True for the code units of a bare word: ASCII letters, digits, underscore. */
function isWordCode(code: number): boolean {
  return code < 128 && (CLASS[code]! & WORD) !== 0
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

/** White space beyond ASCII that the server skips: texts pasted from a word processor still run. */
function isUnicodeSpace(code: number): boolean {
  return (
    code === 0x85 ||
    code === 0xa0 ||
    code === 0x180e ||
    (code >= 0x2000 && code <= 0x200d) ||
    code === 0x2028 ||
    code === 0x2029 ||
    code === 0x202f ||
    code === 0x205f ||
    code === 0x2060 ||
    code === 0x3000 ||
    code === 0xfeff
  )
}

/** Single-character tokens by code unit; 0 where more must be read. */
const SINGLE = new Uint8Array(128)
for (const [char, kind] of [
  ['(', Token.leftParen],
  [')', Token.rightParen],
  ['[', Token.leftBracket],
  [']', Token.rightBracket],
  ['{', Token.leftBrace],
  ['}', Token.rightBrace],
  [',', Token.comma],
  [';', Token.semicolon],
  ['*', Token.asterisk],
  ['+', Token.plus],
  ['%', Token.percent],
  ['?', Token.question],
  ['^', Token.caret],
] as const)
  SINGLE[char.charCodeAt(0)] = kind

/** Ends the search for closing heredoc tags: a text with this many unclosed ones holds no heredocs worth finding. */
const MAX_FAILED_HEREDOCS = 200

/** How to read only a part of a text. */
export interface TokenizeRange {
  /** Where to start, in UTF-16 code units; must not be inside a token. */
  readonly from: number
  /** Counts heredocs that do not end over all calls for one text, which keeps the whole linear. */
  readonly failures: { heredocs: number }
  /** Asked after each token; true ends the reading behind it. */
  readonly stop: (kind: number, start: number, end: number) => boolean
}

/**
 * The tokens of `source`. Never throws: what cannot be read becomes `Token.error`. Linear in the length. With `range`
 * it reads from there until it is stopped.
 */
export function tokenize(source: string, range?: TokenizeRange): Tokens {
  const length = source.length
  // Plain arrays: most texts are short, and a typed array costs more to make than they have tokens.
  const kinds: number[] = []
  const starts: number[] = []
  const ends: number[] = []
  const matching: number[] = []
  const open: number[] = []
  let count = 0
  let position = range?.from ?? 0
  const failures = range?.failures ?? { heredocs: 0 }

  while (position < length) {
    const start = position
    const code = source.charCodeAt(position)
    const kindOfCode = code < 128 ? CLASS[code]! : 0
    let kind: number
    if (kindOfCode === SPACE) {
      position++
      continue
    }
    if ((kindOfCode & LETTER) !== 0) {
      position++
      if ((code | 32) === 120 || (code | 32) === 98) {
        // x'41' and b'01' are strings; anything else that starts so is a word.
        const end = source.charCodeAt(position) === 39 ? bitStringEnd(source, position + 1, (code | 32) === 120) : -1
        if (end > 0) {
          position = end
          kind = Token.string
        } else {
          position = wordEnd(source, position)
          kind = Token.word
        }
      } else {
        position = wordEnd(source, position)
        kind = Token.word
      }
    } else if ((kindOfCode & DIGIT) !== 0) {
      const afterDot = count > 0 && kinds[count - 1] === Token.dot
      position = numberEnd(source, position, afterDot)
      kind = Token.number
      if (isWordCode(source.charCodeAt(position))) {
        position = plainWordEnd(source, position)
        kind = isPlainWord(source, start, position) ? Token.word : Token.error
      }
    } else if (code < 128 && SINGLE[code] !== 0) {
      kind = SINGLE[code]!
      position++
    } else {
      const next = position + 1 < length ? source.charCodeAt(position + 1) : 0
      position++
      switch (code) {
        case 39: // '
          position = quotedEnd(source, position, 39)
          kind = position < 0 ? Token.error : Token.string
          break
        case 34: // "
        case 96: // `
          position = quotedEnd(source, position, code)
          kind = position < 0 ? Token.error : Token.quotedIdentifier
          break
        case 46: // .
          kind = Token.dot
          if (isDigit(next) && !endsOperand(count > 0 ? kinds[count - 1]! : Token.end)) {
            position = fractionEnd(source, position)
            kind = Token.number
          }
          break
        case 45: // -
          if (next === 45) {
            position = lineEnd(source, position)
            continue
          }
          kind = next === 62 ? Token.arrow : Token.minus
          if (next === 62) position++
          break
        case 47: // /
          if (next === 42) {
            const end = commentEnd(source, position + 1)
            if (end >= 0) {
              position = end
              continue
            }
            position = length
            kind = Token.error
          } else if (next === 47) {
            position = lineEnd(source, position)
            continue
          } else kind = Token.slash
          break
        case 35: // #
          if (next === 32 || next === 33) {
            position = lineEnd(source, position)
            continue
          }
          kind = Token.error
          break
        case 58: // :
          kind = next === 58 ? Token.doubleColon : Token.colon
          if (next === 58) position++
          break
        case 61: // =
          kind = Token.equals
          if (next === 61) position++
          break
        case 33: // !
          kind = next === 61 ? Token.notEquals : Token.error
          if (next === 61) position++
          break
        case 60: // <
          if (next === 61) {
            position++
            kind = Token.lessOrEquals
            if (source.charCodeAt(position) === 62) {
              position++
              kind = Token.spaceship
            }
          } else if (next === 62) {
            position++
            kind = Token.notEquals
          } else kind = Token.less
          break
        case 62: // >
          kind = next === 61 ? Token.greaterOrEquals : Token.greater
          if (next === 61) position++
          break
        case 124: // |
          kind = next === 124 ? Token.concat : Token.pipe
          if (next === 124) position++
          break
        case 64: // @
          kind = next === 64 ? Token.doubleAt : Token.at
          if (next === 64) position++
          break
        case 36: {
          // $
          const end = failures.heredocs < MAX_FAILED_HEREDOCS ? heredocEnd(source, start) : -1
          if (end > 0) {
            position = end
            kind = Token.string
          } else {
            failures.heredocs++
            if (isWordCode(next)) {
              position = wordEnd(source, position)
              kind = Token.word
            } else kind = Token.dollar
          }
          break
        }
        case 0x2018: // ‘text’
          position = source.indexOf('\u2019', position) + 1
          kind = position === 0 ? Token.error : Token.string
          break
        case 0x201c: // “name”
          position = source.indexOf('\u201d', position) + 1
          kind = position === 0 ? Token.error : Token.quotedIdentifier
          break
        case 0x2212: // −
          kind = Token.minus
          break
        default:
          if (isUnicodeSpace(code)) continue
          kind = Token.error
      }
      // An unclosed quote swallows the rest: no later token can be trusted.
      if (kind === Token.error && position <= 0) position = length
    }
    kinds.push(kind)
    starts.push(start)
    ends.push(position)
    matching.push(-1)
    if (kind >= Token.leftParen && kind <= Token.rightBrace) {
      if (kind === Token.leftParen || kind === Token.leftBracket || kind === Token.leftBrace) open.push(count)
      else if (open.length > 0 && kinds[open[open.length - 1]!] === kind - 1) {
        const opener = open.pop()!
        matching[opener] = count
        matching[count] = opener
      }
    }
    count++
    if (range?.stop(kind, start, position)) break
  }
  const end = range ? position : length
  kinds.push(Token.end)
  starts.push(end)
  ends.push(end)
  matching.push(-1)
  return { source, count, kinds, starts, ends, matching }
}

/** After these tokens a dot selects an element; elsewhere `.5` is a number. */
function endsOperand(kind: number): boolean {
  return (
    kind === Token.rightParen ||
    kind === Token.rightBracket ||
    kind === Token.word ||
    kind === Token.quotedIdentifier ||
    kind === Token.number
  )
}

/** Offset behind the end of a comment whose opening ends at `from`, or -1. Comments nest, as on the server (26.7). */
function commentEnd(source: string, from: number): number {
  const marks = /\/\*|\*\//g
  marks.lastIndex = from
  let depth = 1
  for (let mark = marks.exec(source); mark !== null; mark = marks.exec(source)) {
    depth += mark[0] === '/*' ? 1 : -1
    if (depth === 0) return marks.lastIndex
  }
  return -1
}

function lineEnd(source: string, from: number): number {
  const end = source.indexOf('\n', from)
  return end < 0 ? source.length : end + 1
}

function wordEnd(source: string, from: number): number {
  let position = from
  while (true) {
    const code = source.charCodeAt(position)
    if (!(code < 128 && ((CLASS[code]! & WORD) !== 0 || code === 36))) return position
    position++
  }
}

function plainWordEnd(source: string, from: number): number {
  let position = from
  while (isWordCode(source.charCodeAt(position))) position++
  return position
}

function isPlainWord(source: string, start: number, end: number): boolean {
  return plainWordEnd(source, start) >= end
}

/** The end after the closing quote, or -1 when there is none. Backslash escapes and doubled quotes are skipped. */
function quotedEnd(source: string, from: number, quote: number): number {
  const length = source.length
  let position = from
  while (position < length) {
    const code = source.charCodeAt(position)
    if (code === quote) {
      if (source.charCodeAt(position + 1) !== quote) return position + 1
      position += 2
    } else if (code === 92) position += 2
    else position++
  }
  return -1
}

/** The end of x'..' or b'..' after its quote, or -1 when a character in it is no digit of that base. */
function bitStringEnd(source: string, from: number, hex: boolean): number {
  let position = from
  while (true) {
    const code = source.charCodeAt(position)
    if (code === 39) return position + 1
    if (!(hex ? code < 128 && (CLASS[code]! & HEX) !== 0 : code === 48 || code === 49)) return -1
    position++
  }
}

/** The end of $tag$..$tag$ or -1. */
function heredocEnd(source: string, start: number): number {
  const tagEnd = plainWordEnd(source, start + 1)
  if (source.charCodeAt(tagEnd) !== 36) return -1
  const tag = source.slice(start, tagEnd + 1)
  const close = source.indexOf(tag, tagEnd + 1)
  return close < 0 ? -1 : close + tag.length
}

function digitsEnd(source: string, from: number, hex: boolean, startOfBlock: boolean): number {
  const mask = hex ? HEX : DIGIT
  let position = from
  let first = startOfBlock
  while (true) {
    const code = source.charCodeAt(position)
    if (code < 128 && (CLASS[code]! & mask) !== 0) position++
    else if (code === 95 && !first) {
      // 1_000: an underscore counts only between two digits.
      const next = source.charCodeAt(position + 1)
      if (!(next < 128 && (CLASS[next]! & mask) !== 0)) return position
      position++
    } else return position
    first = false
  }
}

function numberEnd(source: string, start: number, afterDot: boolean): number {
  // x.1.2 reads as x . 1 . 2, so after a dot only digits belong to the number.
  if (afterDot) return digitsEnd(source, start + 1, false, false)
  let position = start + 1
  let hex = false
  let startOfBlock = false
  if (source.charCodeAt(start) === 48) {
    const mark = source.charCodeAt(start + 1) | 32
    const digit = source.charCodeAt(start + 2)
    if (mark === 120 && digit < 128 && (CLASS[digit]! & HEX) !== 0) hex = true
    if (hex || (mark === 98 && (digit === 48 || digit === 49))) {
      position = start + 2
      startOfBlock = true
    }
  }
  position = digitsEnd(source, position, hex, startOfBlock)
  if (source.charCodeAt(position) === 46) position = digitsEnd(source, position + 1, hex, true)
  return exponentEnd(source, position, hex)
}

function fractionEnd(source: string, from: number): number {
  return exponentEnd(source, digitsEnd(source, from, false, true), false)
}

function exponentEnd(source: string, from: number, hex: boolean): number {
  if ((source.charCodeAt(from) | 32) !== (hex ? 112 : 101) || from + 1 >= source.length) return from
  let position = from + 1
  const sign = source.charCodeAt(position)
  if ((sign === 45 || sign === 43) && position + 1 < source.length) position++
  return digitsEnd(source, position, false, true)
}

/** The text of token `index`, as written. */
export function tokenText(tokens: Tokens, index: number): string {
  return tokens.source.slice(tokens.starts[index], tokens.ends[index])
}

/** The name that a word or quoted identifier token stands for: quotes removed, escapes resolved. */
export function identifierValue(tokens: Tokens, index: number): string {
  const text = tokenText(tokens, index)
  if (tokens.kinds[index] === Token.word) return text
  const quote = text.charCodeAt(0)
  if (quote === 0x201c) return text.slice(1, -1)
  return withoutEscapes(text.slice(1, -1), quote)
}

/** The value of a string token: '..' with its escapes, x'..', b'..', heredoc or ‘..’. */
export function stringValue(tokens: Tokens, index: number): string {
  const start = tokens.starts[index]!
  const end = tokens.ends[index]!
  const { source } = tokens
  const first = source.charCodeAt(start)
  if (first === 39) return withoutEscapes(source.slice(start + 1, end - 1), 39)
  if (first === 36) {
    const tagLength = source.indexOf('$', start + 1) - start + 1
    return source.slice(start + tagLength, end - tagLength)
  }
  if (first === 0x2018) return source.slice(start + 1, end - 1)
  return bitStringValue(source.slice(start + 2, end - 1), (first | 32) === 120)
}

const UTF8 = new TextDecoder('utf-8', { ignoreBOM: true })

/** Bytes of x'..' or b'..' (an incomplete first byte is filled with zeros), read as UTF-8 where they are UTF-8. */
function bitStringValue(digits: string, hex: boolean): string {
  const width = hex ? 2 : 8
  const padded = digits.padStart(Math.ceil(digits.length / width) * width, '0')
  const bytes = new Uint8Array(padded.length / width)
  for (let index = 0; index < bytes.length; index++)
    bytes[index] = Number.parseInt(padded.slice(index * width, (index + 1) * width), hex ? 16 : 2)
  return UTF8.decode(bytes)
}

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  e: '\x1b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '0': '\0',
}

/** Escapes after which the server drops the backslash, as before control characters; before any other character it keeps it. */
const BARE_ESCAPES = '\\\'"`/='

function withoutEscapes(text: string, quote: number): string {
  if (text.indexOf('\\') < 0) {
    const char = String.fromCharCode(quote)
    return text.indexOf(char) < 0 ? text : text.replaceAll(char + char, char)
  }
  let out = ''
  let bytes: number[] = []
  const flush = () => {
    if (bytes.length > 0) out += UTF8.decode(new Uint8Array(bytes))
    bytes = []
  }
  for (let index = 0; index < text.length; index++) {
    const char = text[index]!
    if (char === '\\' && index + 1 < text.length) {
      const next = text[++index]!
      if (next === 'x') {
        const code = Number.parseInt(text.slice(index + 1, index + 3), 16)
        // Neighbouring \x escapes spell the bytes of one UTF-8 character.
        bytes.push(Number.isNaN(code) ? 0 : code)
        index += 2
        continue
      }
      flush()
      if (next === 'N') continue
      out += SIMPLE_ESCAPES[next] ?? (BARE_ESCAPES.includes(next) || next < ' ' ? next : `\\${next}`)
    } else {
      flush()
      out += char
      if (text.charCodeAt(index) === quote) index++
    }
  }
  flush()
  return out
}
