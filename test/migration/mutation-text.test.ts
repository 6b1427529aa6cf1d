import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Executor } from '../../src/clickhouse/executor.js'
import { judge, observe } from '../../src/migration/evidence.js'
import { serverFingerprint } from '../../src/migration/mutation-text.js'
import { proofOf } from '../../src/migration/proof.js'
import { parseStatement } from '../../src/sql/statement.js'
import { freshEngine } from '../support/engine.js'

let engine: Executor
beforeAll(async () => {
  engine = await freshEngine()
  await engine.command('CREATE DATABASE d')
  await engine.command(
    `CREATE TABLE d.t (id UInt64, n Int32, s String, t DateTime, INDEX i s TYPE set(10) GRANULARITY 1,
      PROJECTION p (SELECT s, count() GROUP BY s)) ENGINE = MergeTree ORDER BY id
      SETTINGS lightweight_mutation_projection_mode = 'rebuild'`,
  )
  await engine.command('CREATE TABLE d.u (id UInt64) ENGINE = MergeTree ORDER BY id')
  await engine.command("INSERT INTO d.t SELECT number, number, 'x', '2020-01-01 00:00:00' FROM numbers(10)")
})
afterAll(async () => engine.close())

/** Statements of every kind of mutation, spelled as people spell them. */
const STATEMENTS = [
  `alter table d.t update n=n+1, s='it''s; ok' where id=1 and s<>''`,
  'ALTER TABLE d.t UPDATE n = 5 WHERE id IN (SELECT id FROM d.u)',
  'ALTER TABLE d.t UPDATE n = 5 WHERE id IN (1, 2, 3) AND NOT (id = 7 OR id = 8)',
  "ALTER TABLE d.t UPDATE `s` = concat(s, 'ü'), n = if(n > 0, -n, n::Int32) WHERE true",
  'ALTER TABLE d.t UPDATE n = CASE WHEN id < 3 THEN 1 ELSE 2 END WHERE id % 2 = 0',
  'ALTER TABLE d.t DELETE WHERE id = 2 OR NOT id < 3',
  'DELETE FROM d.t WHERE id = 3',
  'ALTER TABLE d.t UPDATE n = 1 WHERE 1, DELETE WHERE id = 4',
  'ALTER TABLE d.t ADD COLUMN m UInt8, UPDATE n = 3 WHERE id = 6',
  'ALTER TABLE d.t MATERIALIZE INDEX i',
  'ALTER TABLE d.t MATERIALIZE PROJECTION p',
  'ALTER TABLE d.t CLEAR INDEX i',
  "ALTER TABLE d.t UPDATE t = now() WHERE t < toDateTime('2020-01-01 00:00:00') - INTERVAL 1 DAY AND (s LIKE 'a%' OR id BETWEEN 1 AND 3)",
  'ALTER TABLE d.t APPLY DELETED MASK',
  'ALTER TABLE d.t DELETE IN PARTITION tuple() WHERE id = 9',
]

describe('a mutation is known by its text in system.mutations', () => {
  test.each(STATEMENTS)('%s', async (statement) => {
    const proof = proofOf(parseStatement(statement).node, 'd')
    const before = await observe(engine, [proof])
    // Two others queue theirs first.
    await engine.command("ALTER TABLE d.t UPDATE s = 'another' WHERE id = 1000")
    await engine.command('ALTER TABLE d.t DELETE WHERE id = 1001')
    expect(judge(proof, before, await observe(engine, [proof]), false)).toBe('unknown')
    await engine.command(statement, { settings: { mutations_sync: 2 } })
    expect(judge(proof, before, await observe(engine, [proof]), false)).toBe('done')
  })
})

describe('serverFingerprint', () => {
  const rows: readonly { name: string; a: string; b: string; same: boolean }[] = [
    {
      name: 'servers before 22 print no parentheses',
      a: '(UPDATE n = 1 WHERE id = 2)',
      b: 'UPDATE n = 1 WHERE id = 2',
      same: true,
    },
    {
      name: 'parentheses of an expression are not those of the command',
      a: '(DELETE WHERE (a = b) AND (c = d))',
      b: 'DELETE WHERE (a = b) AND (c = d)',
      same: true,
    },
    { name: 'another value', a: 'UPDATE n = 1 WHERE id = 2', b: 'UPDATE n = 2 WHERE id = 2', same: false },
    { name: 'another command', a: 'MATERIALIZE INDEX i', b: 'CLEAR INDEX i', same: false },
  ]
  test.each(rows)('$name', ({ a, b, same }) => {
    expect(serverFingerprint(a) === serverFingerprint(b)).toBe(same)
  })

  test('what cannot be read equals nothing of ours', () => {
    expect(serverFingerprint('SOMETHING NEW x')).toBe('')
  })
})
