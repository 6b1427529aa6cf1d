/** Where a text stops being JSON: one-based line and column, and what was found there. */
export type JsonFault = { readonly line: number; readonly column: number; readonly message: string }

/** Line and column, both one-based, of `offset` in `text`. */
export function positionAt(text: string, offset: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset)
  const line = before.split('\n').length
  return { line, column: offset - before.lastIndexOf('\n') }
}

class Fault extends Error {
  constructor(
    readonly offset: number,
    message: string,
  ) {
    super(message)
  }
}

const SPACE = /[ \t\r\n]*/y
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
const WORD = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y

function match(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : -1
}

const skip = (text: string, at: number): number => match(SPACE, text, at)

function found(text: string, at: number): string {
  return at >= text.length ? 'the end of the file' : JSON.stringify(text[at])
}

function scanMembers(text: string, start: number, close: string, member: (at: number) => number): number {
  let at = skip(text, start + 1)
  if (text[at] === close) return at + 1
  for (;;) {
    at = skip(text, member(at))
    if (text[at] === close) return at + 1
    if (text[at] !== ',') throw new Fault(at, `expected "," or "${close}", found ${found(text, at)}`)
    at = skip(text, at + 1)
  }
}

function scanString(text: string, at: number): number {
  const end = match(STRING, text, at)
  if (end < 0)
    throw new Fault(at, text[at] === '"' ? 'a string that does not end' : `expected a name, found ${found(text, at)}`)
  return end
}

function scanValue(text: string, at: number): number {
  if (text[at] === '[') return scanMembers(text, at, ']', (from) => scanValue(text, from))
  if (text[at] === '{') {
    return scanMembers(text, at, '}', (from) => {
      const colon = skip(text, scanString(text, from))
      if (text[colon] !== ':') throw new Fault(colon, `expected ":", found ${found(text, colon)}`)
      return scanValue(text, skip(text, colon + 1))
    })
  }
  if (text[at] === '"') return scanString(text, at)
  const end = match(WORD, text, at)
  if (end <= at) throw new Fault(at, `expected a value, found ${found(text, at)}`)
  return end
}

/**
 * The first place where `text` is no JSON, or undefined when it is. The engines word and place their own messages
 * differently (some give no position at all), so this is asked after `JSON.parse` has failed.
 */
export function findJsonFault(text: string): JsonFault | undefined {
  try {
    const end = skip(text, scanValue(text, skip(text, 0)))
    if (end < text.length) throw new Fault(end, `expected the end of the file, found ${found(text, end)}`)
    return undefined
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    return { ...positionAt(text, error.offset), message: error.message }
  }
}

/** Offset of the first line that git wrote into the text where two branches changed it, or undefined. */
export function conflictMarkerAt(text: string): number | undefined {
  return /^(<{7}|={7}|>{7})( |\r?$)/m.exec(text)?.index
}
