import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseTypeText } from '../../src/sql/parse.js'
import { printType } from '../../src/sql/print.js'
import { type Formatter, startFormatter } from '../support/formatter.js'
import { corpusFiles, problems, readCorpus } from '../support/sql-corpus.js'
import { grammar } from '../support/sql-grammar.js'

let formatter: Formatter

beforeAll(() => {
  formatter = startFormatter()
})
afterAll(() => formatter.close())

const HEAD = 'CREATE TABLE t (a '
const TAIL = ') ENGINE = Memory'

/** The type in a table of one column; both the text and the engine's print of it have that frame. */
const roundTrip = (text: string): string | undefined => {
  const start = text.startsWith(HEAD) ? HEAD.length : 'CREATE TABLE t (`a` '.length
  const { node } = parseTypeText(text.slice(start, -TAIL.length))
  return node.kind === 'unparsed' ? undefined : `CREATE TABLE t (\`a\` ${printType(node)}${TAIL}`
}

describe('types print as the server prints them', () => {
  test.each(corpusFiles('type'))('%s', (file) => {
    expect(problems(formatter, readCorpus(file), roundTrip)).toEqual([])
  })

  test('types generated from a grammar', () => {
    const { type } = grammar(4711)
    const texts = Array.from({ length: 500 }, () => HEAD + type(3) + TAIL)
    expect(problems(formatter, texts, roundTrip)).toEqual([])
  })
})

describe('the tree of a type', () => {
  test('names the elements of a tuple', () => {
    expect(parseTypeText('Tuple(a UInt8, String)').node).toEqual({
      kind: 'type',
      name: 'Tuple',
      args: [
        { kind: 'namedType', name: 'a', type: { kind: 'type', name: 'UInt8' } },
        { kind: 'type', name: 'String' },
      ],
    })
  })

  test('tells the parts of JSON apart', () => {
    expect(parseTypeText("JSON(max_dynamic_paths=2, a.b Int8, SKIP c, SKIP REGEXP 'd')").node).toMatchObject({
      args: [
        { kind: 'jsonParameter', name: 'max_dynamic_paths' },
        { kind: 'jsonPath', path: { parts: ['a', 'b'] } },
        { kind: 'jsonSkip', path: { parts: ['c'] } },
        { kind: 'jsonSkipRegexp', pattern: 'd' },
      ],
    })
  })

  test.each(['', 'Array(', 'Array(UInt8', 'Array(UInt8))', '1', 'Tuple(a b c)', `${'Array('.repeat(100_000)}`])(
    'keeps %s as text',
    (text) => {
      const { node, warnings } = parseTypeText(text)
      expect(node).toEqual({ kind: 'unparsed', text })
      expect(warnings).toHaveLength(1)
    },
  )
})
