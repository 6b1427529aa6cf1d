import { expect, test } from 'vitest'
import { inlineParams } from '../../src/clickhouse/bind.js'
import { decodeRows, encodeRows } from '../../src/clickhouse/rows.js'

const answer = (type: string, value: string) => `{"meta":[{"name":"v","type":"${type}"}],"data":[[${value}]]}`

test.each([
  { name: 'a quoted 64-bit integer, as old servers send it', type: 'UInt64', value: '"42"', expected: 42 },
  { name: 'an unquoted one, as new servers do', type: 'UInt64', value: '42', expected: 42 },
  { name: 'one beyond 2^53, quoted', type: 'Int64', value: '"-9007199254740993"', expected: '-9007199254740993' },
  { name: 'one beyond 2^53, unquoted', type: 'Int64', value: '-9007199254740993', expected: '-9007199254740993' },
  { name: 'the largest exact one, unquoted', type: 'Int64', value: '9007199254740991', expected: 9007199254740991 },
  { name: 'a null', type: 'Nullable(UInt64)', value: 'null', expected: null },
  { name: 'digits in a text', type: 'String', value: '"12345678901234567890"', expected: '12345678901234567890' },
  {
    name: 'digits behind an escaped quote',
    type: 'String',
    value: '"\\"12345678901234567890"',
    expected: '"12345678901234567890',
  },
  { name: 'a long fraction', type: 'Float64', value: '0.1234567890123456789', expected: 0.12345678901234568 },
  { name: 'a whole float', type: 'Float64', value: '10000000000000000', expected: 1e16 },
])('$name', ({ type, value, expected }) => {
  expect(decodeRows(answer(type, value))).toEqual([{ v: expected }])
})

test.each(['{"meta":[{"name":"v","type":"UInt8"}],"data":[[1]', '<html>', '[]', '{"meta":1,"data":[]}', 'null'])(
  '%s is no answer',
  (body) => {
    expect(decodeRows(body)).toBeUndefined()
  },
)

test('nothing is no rows', () => {
  expect(decodeRows('')).toEqual([])
})

test('rows are written with dates as the server reads them', () => {
  const rows = [
    { a: 1n, at: new Date(Date.UTC(2024, 0, 2, 3, 4, 5)), ms: new Date(Date.UTC(2024, 0, 2, 3, 4, 5, 6)), s: 'x\n' },
  ]
  expect(encodeRows(rows)).toBe('{"a":"1","at":"2024-01-02 03:04:05","ms":"2024-01-02 03:04:05.006","s":"x\\n"}\n')
})

test.each([
  { name: 'text', sql: 'SELECT {a:String}', params: { a: "it's \\" }, text: "SELECT 'it\\'s \\\\'" },
  { name: 'a number', sql: 'SELECT {a : UInt8}', params: { a: 5 }, text: 'SELECT CAST(5 AS UInt8)' },
  { name: 'a name', sql: 'SELECT {c:Identifier} FROM t', params: { c: 'a`b' }, text: 'SELECT `a\\`b` FROM t' },
  {
    name: 'an array of texts',
    sql: 'x IN {a:Array(String)}',
    params: { a: ["'"] },
    text: "x IN CAST(['\\''] AS Array(String))",
  },
  {
    name: 'braces in a text or comment',
    sql: "SELECT '{a:String}' /* {a:String} */, {a:String}",
    params: { a: 'v' },
    text: "SELECT '{a:String}' /* {a:String} */, 'v'",
  },
  { name: 'null', sql: 'SELECT {a:Nullable(UInt8)}', params: { a: null }, text: 'SELECT NULL' },
])('for servers that bind nothing, $name is put into the text', ({ sql, params, text }) => {
  expect(inlineParams(sql, params)).toBe(text)
})
