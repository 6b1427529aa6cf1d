import { describe, expect, test } from 'vitest'
import { parseExpressionText, parseSelectText } from '../../src/sql/parse.js'
import { printExpression } from '../../src/sql/print.js'
import { mapNode, referencedColumns, referencedFunctions, referencedTables } from '../../src/sql/walk.js'

const tables = (text: string) =>
  referencedTables(parseSelectText(text).node as Parameters<typeof referencedTables>[0]).map((reference) =>
    reference.kind === 'tableFunction'
      ? `${reference.name}()`
      : `${reference.kind === 'table' ? '' : `${reference.kind} `}${reference.database ? `${reference.database}.` : ''}${reference.table}`,
  )

const columns = (text: string) =>
  referencedColumns(parseExpressionText(text).node as Parameters<typeof referencedColumns>[0]).map((name) =>
    name.parts.join('.'),
  )

describe('the tables that a query reads', () => {
  test.each([
    { name: 'FROM and joins', text: 'SELECT 1 FROM a JOIN d.b USING (x), c', tables: ['a', 'd.b', 'c'] },
    {
      name: 'subqueries everywhere',
      text: 'SELECT (SELECT 1 FROM a) FROM (SELECT 1 FROM b) WHERE x IN (SELECT 1 FROM c)',
      tables: ['b', 'a', 'c'],
    },
    {
      name: 'not the names of WITH',
      text: 'WITH q AS (SELECT 1 FROM a) SELECT 1 FROM q JOIN b USING x',
      tables: ['a', 'b'],
    },
    { name: 'a table called like a later WITH', text: 'WITH q AS (SELECT 1 FROM q) SELECT 1 FROM q', tables: ['q'] },
    {
      name: 'a recursive WITH',
      text: 'WITH RECURSIVE q AS (SELECT 1 UNION ALL SELECT 1 FROM q) SELECT 1 FROM q',
      tables: [],
    },
    {
      name: 'WITH seen by the rest of a union',
      text: 'WITH q AS (SELECT 1 FROM a) SELECT 1 FROM q UNION ALL SELECT 1 FROM q',
      tables: ['a'],
    },
    { name: 'the table after IN', text: 'SELECT 1 FROM a WHERE x IN d.b', tables: ['a', 'd.b'] },
    {
      name: 'dictionaries and join tables',
      text: "SELECT dictGet('d.e', 'v', k), joinGet(d.j, 'v', k) FROM a",
      tables: ['a', 'dictionary d.e', 'joinTable d.j'],
    },
    {
      name: 'table functions',
      text: 'SELECT 1 FROM numbers(3), view(SELECT 1 FROM a)',
      tables: ['numbers()', 'view()', 'a'],
    },
    { name: 'a name once', text: 'SELECT 1 FROM a, a AS b, `a`', tables: ['a'] },
  ])('$name', ({ text, tables: expected }) => {
    expect(tables(text)).toEqual(expected)
  })
})

describe('the columns that an expression reads', () => {
  test.each([
    { name: 'names and paths', text: 'a + b.c * f(d)', columns: ['a', 'b.c', 'd'] },
    { name: 'not what a lambda binds', text: 'arrayMap((x, y) -> x + y + z, a, b)', columns: ['z', 'a', 'b'] },
    { name: 'a name outside of the lambda that binds it', text: 'arrayMap(x -> x, x)', columns: ['x'] },
    { name: 'not its own aliases', text: '(a AS q) + q', columns: ['a'] },
    { name: 'windows too', text: 'sum(a) OVER (PARTITION BY b ORDER BY c)', columns: ['a', 'b', 'c'] },
    {
      name: 'what COLUMNS lists, under its table',
      text: 'f(t.COLUMNS(a, b), COLUMNS(c))',
      columns: ['t.a', 't.b', 'c'],
    },
    {
      name: 'what COLUMNS leaves out only where that must be there',
      text: "(COLUMNS('a') EXCEPT b, COLUMNS('c') EXCEPT STRICT d)",
      columns: ['d'],
    },
    { name: 'nothing of what a pattern may match', text: "t.COLUMNS('a|b')", columns: [] },
    { name: 'not a function in the place of a lambda', text: 'arrayMap(toString, a)', columns: ['a'] },
    {
      name: 'not what a lambda written as a call binds',
      text: 'arrayMap(lambda(tuple(x), x + y), a)',
      columns: ['y', 'a'],
    },
    { name: 'an array without a lambda', text: 'arraySum(a) + arrayCount(x -> x, b)', columns: ['a', 'b'] },
    {
      name: 'not subqueries, tables and dictionaries',
      text: "(SELECT x) + (a IN t) + dictGet('d', 'v', k)",
      columns: ['a', 'k'],
    },
  ])('$name', ({ text, columns: expected }) => {
    expect(columns(text)).toEqual(expected)
  })
})

test('functions are listed once, operators by their names', () => {
  expect(referencedFunctions(parseExpressionText('f(g(1)) + f(2)').node)).toEqual(['plus', 'f', 'g'])
})

test('mapNode rewrites a copy and shares what stays', () => {
  const { node } = parseExpressionText('f(a) + g(b)')
  const mapped = mapNode(node, (child) =>
    child.kind === 'identifier' && child.parts[0] === 'a' ? { ...child, parts: ['z'] } : child,
  )
  expect(printExpression(mapped)).toBe('f(z) + g(b)')
  expect(printExpression(node)).toBe('f(a) + g(b)')
  expect(mapNode(node, (child) => child)).toBe(node)
})
