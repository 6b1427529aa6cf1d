import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseSelectText } from '../../src/sql/parse.js'
import { printSelect } from '../../src/sql/print.js'
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

describe('queries print as formatQuerySingleLine does', () => {
  test.each(corpusFiles('select'))('%s', (file) => {
    expect(problems(formatter, readCorpus(file), roundTrip)).toEqual([])
  })

  test.each([1, 2, 3])('queries generated from seed %i', (seed) => {
    const { select } = grammar(seed * 104_729)
    const texts = Array.from({ length: 300 }, () => select(1))
    expect(problems(formatter, texts, roundTrip)).toEqual([])
  })
})

describe('what the server makes of clauses', () => {
  test.each([
    { name: 'puts the offset first', text: 'SELECT a LIMIT 5 OFFSET 2', printed: 'SELECT a LIMIT 2, 5' },
    { name: 'spells the direction', text: 'SELECT a ORDER BY b', printed: 'SELECT a ORDER BY b ASC' },
    { name: 'moves FROM after SELECT', text: 'FROM t SELECT a', printed: 'SELECT a FROM t' },
    { name: 'turns DISTINCT ON into LIMIT BY', text: 'SELECT DISTINCT ON (a) b', printed: 'SELECT b LIMIT 1 BY a' },
    {
      name: 'brackets both sides of EXCEPT',
      text: 'SELECT a EXCEPT SELECT b',
      printed: '(SELECT a) EXCEPT (SELECT b)',
    },
    {
      name: 'names the inner join',
      text: 'SELECT a FROM t JOIN u USING b',
      printed: 'SELECT a FROM t INNER JOIN u USING (b)',
    },
    {
      name: 'keeps the digits of a sample',
      text: 'SELECT a FROM t SAMPLE 0.25',
      printed: 'SELECT a FROM t SAMPLE 25 / 100',
    },
  ])('$name', ({ text, printed }) => {
    expect(roundTrip(text)).toBe(printed)
    expect(formatter.format([text])).toEqual([printed])
  })

  test('leaves nothing over', () => {
    const { node, warnings } = parseSelectText('SELECT a FROM t WHERE b GARBAGE more')
    expect(node).toEqual({ kind: 'unparsed', text: 'SELECT a FROM t WHERE b GARBAGE more' })
    expect(warnings[0]).toMatchObject({ token: 'GARBAGE', line: 1, column: 25 })
  })
})
