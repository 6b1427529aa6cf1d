import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseExpressionText, parseSelectText } from '../../src/sql/parse.js'
import { printExpression, printSelect } from '../../src/sql/print.js'
import { type Formatter, startFormatter } from '../support/formatter.js'
import { corpusFiles, problems, readCorpus } from '../support/sql-corpus.js'
import { grammar } from '../support/sql-grammar.js'

let formatter: Formatter

beforeAll(() => {
  formatter = startFormatter()
})
afterAll(() => formatter.close())

const roundTrip = (text: string): string | undefined => {
  const { node } = parseSelectText(text)
  return node.kind === 'unparsed' ? undefined : printSelect(node)
}

const format = (text: string): string => printExpression(parseExpressionText(text).node)

describe('expressions print as formatQuerySingleLine does', () => {
  test.each(corpusFiles('expression'))('%s', (file) => {
    expect(problems(formatter, readCorpus(file), roundTrip)).toEqual([])
  })

  test.each([1, 2, 3])('expressions generated from seed %i', (seed) => {
    const { expression } = grammar(seed * 7919)
    const texts = Array.from({ length: 400 }, () => `SELECT ${expression(3)}`)
    expect(problems(formatter, texts, roundTrip)).toEqual([])
  })
})

describe('what the server makes of operators', () => {
  test.each([
    { name: 'brackets every nested operator', text: 'a + b * c', printed: 'a + (b * c)' },
    { name: 'keeps one redundant pair', text: '((a))', printed: '(a)' },
    { name: 'keeps chains of AND flat', text: 'a AND b AND c', printed: 'a AND b AND c' },
    { name: 'takes BETWEEN apart', text: 'a BETWEEN 1 AND 2', printed: '(a >= 1) AND (a <= 2)' },
    {
      name: 'keeps the text of a cast constant',
      text: '[1,2]::Array(UInt8)',
      printed: "CAST('[1,2]', 'Array(UInt8)')",
    },
    { name: 'brackets a single value after IN', text: 'a IN b', printed: 'a IN (b)' },
    { name: 'brackets IN among several arguments', text: 'f(a IN b, c)', printed: 'f((a IN (b)), c)' },
    { name: 'brackets a lambda that is not first', text: 'f(1, (x, y) -> x)', printed: 'f(1, ((x, y) -> x))' },
    { name: 'reads operator names as functions', text: 'plus(a, 1)', printed: 'plus(a, 1)' },
    { name: 'drops what trims nothing', text: "TRIM(BOTH '' FROM a)", printed: 'a' },
    {
      name: 'turns an interval of several parts into a tuple',
      text: "INTERVAL '1 day 2 hours'",
      printed: '(toIntervalDay(1), toIntervalHour(2))',
    },
    { name: 'shortens numbers', text: '[1.0, 1e3, 0xFF, 1_000]', printed: '[1., 1000., 255, 1000]' },
    { name: 'gives quotes to names that need them', text: '"a b".`select`', printed: '`a b`.`select`' },
  ])('$name', ({ text, printed }) => {
    expect(format(text)).toBe(printed)
    expect(formatter.format([`SELECT ${text}`])).toEqual([`SELECT ${printed}`])
  })
})

describe('text that cannot be followed is kept', () => {
  test.each([
    { text: 'a +', token: '', line: 1, column: 4 },
    { text: 'a b c', token: 'c', line: 1, column: 5 },
    { text: 'f(a,\n  b]', token: ']', line: 2, column: 4 },
    { text: "'unclosed", token: "'unclosed", line: 1, column: 1 },
    { text: 'a = /* never closed', token: '/* never closed', line: 1, column: 5 },
    { text: '', token: '', line: 1, column: 1 },
  ])('$text', ({ text, token, line, column }) => {
    const { node, warnings } = parseExpressionText(text)
    expect(node).toEqual({ kind: 'unparsed', text })
    expect(printExpression(node)).toBe(text)
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toMatchObject({ token, line, column })
  })
})

describe('hostile text ends in bounded time', () => {
  const deep = (unit: string, count: number, middle = '1', close = '') =>
    unit.repeat(count) + middle + close.repeat(count)

  test.each([
    { name: 'open brackets', text: '('.repeat(100_000) },
    { name: 'nested brackets', text: deep('(', 50_000, '1', ')') },
    { name: 'nested calls', text: deep('f(', 20_000, '1', ')') },
    { name: 'nested arrays', text: deep('[', 50_000, '1', ']') },
    { name: 'nested intervals', text: deep('interval (', 900, '1', ')') },
    { name: 'nested CASE', text: deep('case (', 900, '1', ')') },
    { name: 'nested subqueries without end', text: '(SELECT '.repeat(20_000) },
    { name: 'names that start a query', text: deep('(with + (', 400, '1', '))') },
    { name: 'minus upon minus', text: '- '.repeat(100_000) + '1' },
    { name: 'NOT upon NOT', text: 'NOT '.repeat(100_000) + '1' },
    { name: 'a long chain of plus', text: '1 + '.repeat(100_000) + '1' },
    { name: 'a long chain of casts', text: `1${'::Int8'.repeat(100_000)}` },
    { name: 'BETWEEN of BETWEEN, each printed twice', text: deep('(', 60, 'a', ' between 1 and 2)') },
    { name: 'a long chain of BETWEEN', text: `1${' between 1 and 2'.repeat(50_000)}` },
    { name: 'CASE without WHEN', text: deep('case ', 900, '1', ' end') },
    { name: 'elements from the end', text: `x${'.-(y'.repeat(900)}` },
    { name: 'brackets of lambdas', text: deep('(x, (', 400, 'y', ')) -> 1') },
    { name: 'dollars', text: '$a1'.repeat(200_000) },
    { name: 'lambdas', text: 'x -> '.repeat(50_000) + '1' },
    { name: 'a megabyte of nothing', text: ' '.repeat(1_000_000) },
  ])('$name', ({ text }) => {
    const start = performance.now()
    const { node, warnings } = parseExpressionText(text)
    expect(printExpression(node).length).toBeGreaterThan(0)
    expect(node.kind === 'unparsed').toBe(warnings.length === 1)
    expect(performance.now() - start).toBeLessThan(2000)
  })

  test('long lists and chains that the server merges are read in full', () => {
    const list = Array.from({ length: 100_000 }, (_, index) => `a${index}`)
    expect(format(`[${list.join(',')}]`)).toBe(`[${list.join(', ')}]`)
    expect(format(list.join(' and '))).toBe(list.join(' AND '))
  })

  test('nesting that people write is followed', () => {
    expect(format(deep('f(', 300, 'a', ')'))).toBe(deep('f(', 300, 'a', ')'))
  })
})
