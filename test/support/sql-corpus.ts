import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Formatter } from './formatter.js'

const FOLDER = join(import.meta.dirname, '../../fixtures/sql')

/** Fixture files of one family, by the start of their names. */
export function corpusFiles(prefix: string): string[] {
  return readdirSync(FOLDER).filter((file) => file.startsWith(`${prefix}-`) && file.endsWith('.sql'))
}

/** Statements of a fixture file: separated by lines that hold `;;` and nothing else. */
export function readCorpus(file: string): string[] {
  return readFileSync(join(FOLDER, file), 'utf8')
    .split(/^;;$/m)
    .map((text) => text.trim())
    .filter((text) => text !== '')
}

/** Parses and prints a text; `undefined` where the parser does not follow it. */
export type RoundTrip = (text: string) => string | undefined

/**
 * Where our reading of the texts, or of what the engine makes of them, is not the engine's; empty when nowhere. Texts
 * that the engine refuses are skipped, and so is the second reading of what it printed but cannot read itself.
 */
export function problems(formatter: Formatter, texts: readonly string[], roundTrip: RoundTrip): string[] {
  const found: string[] = []
  const formatted = formatter.format(texts)
  const again = formatter.format(formatted.map((text) => text ?? 'SELECT 1'))
  texts.forEach((text, index) => {
    const wanted = formatted[index]
    if (wanted === undefined) return
    const printed = roundTrip(text)
    if (printed !== wanted) {
      found.push(`text:   ${text}\nserver: ${wanted}\nours:   ${printed}`)
      return
    }
    // Read once more: mostly the same, but the server drops quotes that it would need (`true` as a name).
    const second = roundTrip(printed)
    const wantedAgain = again[index]
    if (wantedAgain !== undefined && second !== wantedAgain)
      found.push(`again:  ${printed}\nserver: ${wantedAgain}\nours:   ${second}`)
  })
  return found
}
