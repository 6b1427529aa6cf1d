import { describe, expect, test } from 'vitest'
import { splitStatements } from '../../src/sql/split.js'

const texts = (script: string) => splitStatements(script).map((statement) => statement.text)

describe('splitStatements', () => {
  test.each<[name: string, script: string, statements: string[]]>([
    ['nothing in an empty text', '', []],
    ['nothing in white space and semicolons', ' ;\n;; ', []],
    ['a statement without a semicolon', 'SELECT 1', ['SELECT 1']],
    ['two on one line', 'SELECT 1; SELECT 2;', ['SELECT 1', 'SELECT 2']],
    ['a semicolon in a string', "SELECT ';'; SELECT 2", ["SELECT ';'", 'SELECT 2']],
    ['a doubled quote before it', "SELECT 'it''s;'; SELECT 2", ["SELECT 'it''s;'", 'SELECT 2']],
    ['an escaped quote before it', "SELECT 'a\\';'; SELECT 2", ["SELECT 'a\\';'", 'SELECT 2']],
    ['a backslash at the end of a string', "SELECT '\\\\'; SELECT 2", ["SELECT '\\\\'", 'SELECT 2']],
    ['semicolons in quoted names', 'SELECT `a;b`, "c;d"; SELECT 2', ['SELECT `a;b`, "c;d"', 'SELECT 2']],
    ['a heredoc', 'SELECT $a$ ; $b$ ; $a$; SELECT 2', ['SELECT $a$ ; $b$ ; $a$', 'SELECT 2']],
    ['a heredoc that does not end is none', 'SELECT $a$; SELECT 2', ['SELECT $a$', 'SELECT 2']],
    ['a line comment', 'SELECT 1 -- ; no\n+ 2; SELECT 3', ['SELECT 1 -- ; no\n+ 2', 'SELECT 3']],
    ['a # comment', 'SELECT 1 #! ; no\n+ 2; SELECT 3', ['SELECT 1 #! ; no\n+ 2', 'SELECT 3']],
    ['a // comment', 'SELECT 1 // ; no\n+ 2; SELECT 3', ['SELECT 1 // ; no\n+ 2', 'SELECT 3']],
    ['a block comment', 'SELECT 1 /* ; */; SELECT 3', ['SELECT 1', 'SELECT 3']],
    [
      'nested block comments',
      'SELECT 1 /* a /* ; */ ; */ + 2; SELECT 3',
      ['SELECT 1 /* a /* ; */ ; */ + 2', 'SELECT 3'],
    ],
    ['a block comment that looks nested and is not', 'SELECT /*/ ; */ 1; SELECT 2', ['SELECT /*/ ; */ 1', 'SELECT 2']],
    ['only comments', '-- a;\n/* b; */\n#! c', []],
    ['a comment before a statement belongs to it', '-- why\nSELECT 1', ['-- why\nSELECT 1']],
    ['a comment above a blank line does not', '-- header\n\n-- why\nSELECT 1', ['-- why\nSELECT 1']],
    ['a comment behind a semicolon does not', 'SELECT 1; -- done\nSELECT 2', ['SELECT 1', 'SELECT 2']],
    ['a comment after that one does', 'SELECT 1; -- done\n-- next\nSELECT 2', ['SELECT 1', '-- next\nSELECT 2']],
    ['a comment at the end belongs to nothing', 'SELECT 1;\n-- end; of file', ['SELECT 1']],
    ['Windows line ends', 'SELECT 1;\r\n-- x\r\nSELECT 2;\r\n', ['SELECT 1', '-- x\r\nSELECT 2']],
    ['a byte order mark', '\uFEFFSELECT 1; SELECT 2', ['SELECT 1', 'SELECT 2']],
    ['semicolons inside brackets end it all the same', 'SELECT (1; SELECT 2', ['SELECT (1', 'SELECT 2']],
    [
      'values',
      "INSERT INTO t VALUES (1, ';'), (2, 'b'); SELECT 2",
      ["INSERT INTO t VALUES (1, ';'), (2, 'b')", 'SELECT 2'],
    ],
    [
      'data up to a blank line',
      'INSERT INTO t FORMAT CSV\n1,"a;b"\n2,it\'s;x\n\nSELECT 2;',
      ['INSERT INTO t FORMAT CSV\n1,"a;b"\n2,it\'s;x', 'SELECT 2'],
    ],
    [
      'data up to a semicolon before the next statement',
      'INSERT INTO t FORMAT JSONEachRow {"a": "it\'s"};\nALTER TABLE t DROP COLUMN a;',
      ['INSERT INTO t FORMAT JSONEachRow {"a": "it\'s"}', 'ALTER TABLE t DROP COLUMN a'],
    ],
    [
      'a row that ends with a semicolon before another row',
      'INSERT INTO t FORMAT TSV\na;\nb;\n',
      ['INSERT INTO t FORMAT TSV\na;\nb'],
    ],
    [
      'a format of a query',
      'INSERT INTO t SELECT 1 FORMAT Null; SELECT 2',
      ['INSERT INTO t SELECT 1 FORMAT Null', 'SELECT 2'],
    ],
    ['a format without data', 'INSERT INTO t FORMAT CSV; SELECT 2', ['INSERT INTO t FORMAT CSV', 'SELECT 2']],
    [
      'a column named format',
      'INSERT INTO t (format, a) VALUES (1, 2); SELECT 2',
      ['INSERT INTO t (format, a) VALUES (1, 2)', 'SELECT 2'],
    ],
  ])('%s', (_, script, statements) => {
    expect(texts(script)).toEqual(statements)
  })

  test('says where each statement stands', () => {
    const script = '-- header\n\n-- one\nSELECT 1;  SELECT\n2;\n'
    expect(splitStatements(script)).toEqual([
      { text: '-- one\nSELECT 1', startOffset: 11, endOffset: 26, textLine: 3, line: 4, column: 1, index: 0 },
      { text: 'SELECT\n2', startOffset: 29, endOffset: 37, textLine: 4, line: 4, column: 12, index: 1 },
    ])
    for (const { text, startOffset, endOffset } of splitStatements(script))
      expect(script.slice(startOffset, endOffset)).toBe(text)
  })

  test.each([
    ['a string', "SELECT 1;\nSELECT 'abc; DROP TABLE t;\n", 'a string that does not end', 2, 8],
    ['a quoted name', 'SELECT `abc;', 'a quoted name that does not end', 1, 8],
    ['a comment', 'SELECT 1\n/* abc; SELECT 2', 'a comment that does not end', 2, 1],
    ['a nested comment', 'SELECT 1 /* a /* b */ ;', 'a comment that does not end', 1, 10],
    ['a stray character', 'SELECT 1 # x', 'nothing', 0, 0],
    ['a stray sign', 'SELECT 1 \\ 2; SELECT 3', 'a character that is no SQL', 1, 10],
  ])('reports %s that does not end', (_, script, message, line, column) => {
    const problems = splitStatements(script).flatMap((statement) => statement.problem ?? [])
    if (message === 'nothing') expect(problems).toEqual([])
    else expect(problems).toMatchObject([{ line, column, message: expect.stringContaining(message) }])
  })

  test('keeps every statement of a large script, in time', () => {
    const script = Array.from({ length: 20_000 }, (_, index) => `-- number ${index}\nSELECT ${index}, ';';`).join('\n')
    const begin = process.cpuUsage().user
    expect(splitStatements(script)).toHaveLength(20_000)
    expect(process.cpuUsage().user - begin).toBeLessThan(3_000_000)
  })

  test.each([
    ['heredocs that do not end', '$x$ ;'.repeat(100_000)],
    ['heredocs of many tags', Array.from({ length: 50_000 }, (_, index) => `$t${index}$;`).join('')],
    ['inserts with quotes in their data', "INSERT INTO t FORMAT CSV\nit's\n\n".repeat(20_000)],
    ['inserts whose rows end with semicolons', `INSERT INTO t FORMAT CSV\n${'a;\n'.repeat(200_000)}`],
    ['inserts with data and no blank line', 'INSERT INTO t FORMAT CSV\n1;\n'.repeat(50_000)],
    ['statements on one line', 'SELECT 1;'.repeat(200_000)],
    ['open comments', '/*'.repeat(300_000)],
    ['closed comments', '/**/ ;'.repeat(100_000)],
    ['blank lines', '\n\n'.repeat(300_000)],
    ['open brackets', '('.repeat(500_000)],
    ['comment lines before one statement', `${'-- x\n'.repeat(100_000)}SELECT 1`],
  ])('ends in time: %s', (_, script) => {
    const begin = process.cpuUsage().user
    splitStatements(script)
    // Microseconds of this process, since other work on the machine is none of ours.
    expect(process.cpuUsage().user - begin).toBeLessThan(3_000_000)
  })
})
