import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Executor } from '../../src/clickhouse/executor.js'
import { parseStatement, printStatement } from '../../src/sql/statement.js'
import { freshEngine } from '../support/engine.js'
import { formatAll } from './engine-formatter.js'
import { derivedStatements } from './statement-generator.js'

const FOLDER = join(import.meta.dirname, '../../fixtures/sql')

/** Statements of a fixture file: separated by lines that hold `;;` and nothing else. */
function readStatements(file: string): string[] {
  return readFileSync(join(FOLDER, file), 'utf8')
    .split(/^;;$/m)
    .map((text) => text.trim())
    .filter((text) => text !== '')
}

/**
 * Statements on which we differ from the server's formatter on purpose, by the reason. In the first group the
 * formatter loses a part of the meaning (reference/alter-matrix.md 5.3): its text is another statement.
 */
const KNOWN_DIFFERENCES: readonly { readonly reason: string; readonly matches: (text: string) => boolean }[] = [
  {
    reason: 'the formatter drops IF EXISTS of MATERIALIZE',
    matches: (text) => /materialize (index|projection|statistics) if exists/i.test(text),
  },
  { reason: 'the formatter drops TEMPORARY of ALTER', matches: (text) => /^alter temporary/i.test(text) },
  { reason: 'the formatter drops SHARD', matches: (text) => /move part 'x' to shard/i.test(text) },
  { reason: 'the formatter drops UUID of DROP', matches: (text) => /^drop table t uuid/i.test(text) },
  { reason: 'the formatter completes a date with a time', matches: (text) => /set fake time '2020-01-01'/i.test(text) },
  { reason: 'the formatter turns one privilege into its parent', matches: (text) => /^grant source read/i.test(text) },
]

/** All ways in which our reading of `text` is not the server's; empty when there is none. */
function problems(text: string, formatted: string | null): string[] {
  const { node, warnings } = parseStatement(text)
  const printed = printStatement(node)
  if (node.kind === 'unparsed') {
    if (printed !== text || warnings.length === 0) return [`lost: ${text}`]
    if (formatted !== null) return [`not parsed: ${text} (${warnings[0]!.message})`]
    return []
  }
  const found: string[] = []
  const differs = formatted !== null && printed !== formatted
  if (differs && !KNOWN_DIFFERENCES.some((known) => known.matches(text)))
    found.push(`statement: ${text}\n   server: ${formatted}\n     ours: ${printed}`)
  const again = printStatement(parseStatement(printed).node)
  if (again !== printed) found.push(`unstable: ${printed}\n   second: ${again}`)
  return found
}

let engine: Executor

beforeAll(async () => {
  engine = await freshEngine()
})

afterAll(() => engine.close())

const files = readdirSync(FOLDER).filter((file) => file.startsWith('ddl-') && file.endsWith('.sql'))

describe('every statement prints as formatQuerySingleLine does', () => {
  test.each(files)('%s', async (file) => {
    const statements = readStatements(file)
    const formatted = await formatAll(engine, statements)
    expect(statements.filter((_, index) => formatted[index] === null)).toEqual([])
    expect(statements.flatMap((text, index) => problems(text, formatted[index]!))).toEqual([])
  })

  test('statements derived by rule', async () => {
    const statements = derivedStatements(20_260_707, 600)
    const formatted = await formatAll(engine, statements)
    const accepted = formatted.filter((text) => text !== null).length
    expect(accepted).toBeGreaterThan(statements.length * 0.95)
    expect(statements.flatMap((text, index) => problems(text, formatted[index]!))).toEqual([])
  })

  test('there are at least 800 distinct statements in the files', () => {
    expect(new Set(files.flatMap(readStatements)).size).toBeGreaterThanOrEqual(800)
  })
})

describe('what the server refuses', () => {
  test('is kept or printed, never thrown away', () => {
    for (const text of readStatements('refused-ddl.sql')) {
      const { node, warnings } = parseStatement(text)
      if (node.kind !== 'unparsed') continue
      expect(printStatement(node)).toBe(text)
      expect(warnings[0]!.line).toBe(1)
      expect(text.slice(warnings[0]!.offset, warnings[0]!.offset + warnings[0]!.token.length)).toBe(warnings[0]!.token)
    }
  })
})

describe('known differences', () => {
  test.each(KNOWN_DIFFERENCES.map((known) => known.reason))('%s: still so', async (reason) => {
    const known = KNOWN_DIFFERENCES.find((item) => item.reason === reason)!
    const statements = files.flatMap(readStatements).filter((text) => known.matches(text))
    const formatted = await formatAll(engine, statements)
    const differing = statements.filter((text, index) => printStatement(parseStatement(text).node) !== formatted[index])
    expect(differing.length).toBeGreaterThan(0)
  })
})
