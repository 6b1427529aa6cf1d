import { describe, expect, test } from 'vitest'
import { alignColumns, wrapText } from '../../src/commands/text-table.js'

const red = (text: string) => `\x1b[31m${text}\x1b[39m`

describe('wrapText', () => {
  const rows: readonly { name: string; args: Parameters<typeof wrapText>; lines: readonly string[] }[] = [
    { name: 'a text that fits', args: ['one two', 40], lines: ['one two'] },
    { name: 'no width', args: ['word '.repeat(40).trim(), undefined, '  '], lines: [`  ${'word '.repeat(40).trim()}`] },
    {
      name: 'a width too small for words',
      args: ['one two three four five six', 12],
      lines: ['one two three four five six'],
    },
    {
      name: 'words that go on below',
      args: ['one two three four five six', 30, '  ', '    '],
      lines: ['  one two three four five six'],
    },
    {
      name: 'words that go on below, further in',
      args: ['one two three four five six seven', 28, '  ', '    '],
      lines: ['  one two three four five', '    six seven'],
    },
    { name: 'a line that is just full', args: ['1234567890 1234567890 12', 24], lines: ['1234567890 1234567890 12'] },
    { name: 'a word longer than the line', args: [`a ${'x'.repeat(30)} b`, 24], lines: ['a', 'x'.repeat(30), 'b'] },
    {
      name: 'colours, which have no width',
      args: [`${red('1234567890')} 1234567890 12`, 24],
      lines: [`${red('1234567890')} 1234567890 12`],
    },
  ]
  test.each(rows)('$name', ({ args, lines }) => {
    expect(wrapText(...args)).toEqual(lines)
  })
})

test('alignColumns goes on below the last column', () => {
  expect(
    alignColumns(
      [
        [red('--a'), 'first words and more of them'],
        ['--longer', 'x'],
      ],
      '  ',
      39,
    ),
  ).toEqual([`  ${red('--a')}       first words and more of`, '            them', '  --longer  x'])
})
