import { expect, test } from 'vitest'
import { isCertain, isHarmlessLate, proofOf } from '../../src/migration/proof.js'
import { parseStatement } from '../../src/sql/statement.js'

const t = { database: 'd', name: 't' }
const rows: readonly { text: string; proof: unknown }[] = [
  { text: 'DROP PARTITION 1', proof: { kind: 'written', object: t, rows: null } },
  { text: 'MOVE PARTITION 1 TO TABLE u', proof: { kind: 'written', object: t, rows: null } },
  // Active parts stay as they are, so that they cannot say that it did not run.
  { text: "MOVE PARTITION 1 TO DISK 'cold'", proof: { kind: 'none' } },
  { text: "FETCH PARTITION 1 FROM '/tables/u'", proof: { kind: 'none' } },
  { text: 'FORGET PARTITION 1', proof: { kind: 'none' } },
  { text: "FREEZE WITH NAME 'x'", proof: { kind: 'none' } },
  { text: "DROP PARTITION 1, FREEZE WITH NAME 'x'", proof: { kind: 'none' } },
  { text: 'DROP DETACHED PARTITION 1', proof: { kind: 'repeatable' } },
  { text: "UNFREEZE WITH NAME 'x'", proof: { kind: 'repeatable' } },
]
test.each(rows)('what proves that ALTER TABLE ... $text ran', ({ text, proof }) => {
  expect(proofOf(parseStatement(`ALTER TABLE t ${text}`).node, 'd')).toEqual(proof)
})

test.each([
  { settings: '', kind: 'written' },
  { settings: 'SETTINGS async_insert = 1, wait_for_async_insert = 1', kind: 'written' },
  { settings: 'SETTINGS async_insert = 1, wait_for_async_insert = 0', kind: 'none' },
])('parts prove an INSERT only when it is answered after they are written: $settings', ({ settings, kind }) => {
  expect(proofOf(parseStatement(`INSERT INTO t ${settings} VALUES (1)`).node, 'd').kind).toBe(kind)
})

test.each([
  { text: 'CREATE TABLE t (x UInt8) ENGINE = Memory', harmless: true },
  { text: 'CREATE OR REPLACE TABLE t (x UInt8) ENGINE = Memory', harmless: false },
  { text: 'CREATE DATABASE e', harmless: true },
  { text: 'DROP DATABASE e', harmless: false },
  { text: 'DROP TABLE t', harmless: false },
  { text: 'EXCHANGE TABLES t AND u', harmless: false },
  { text: 'ALTER TABLE t MODIFY COLUMN x UInt16', harmless: false },
  { text: 'GRANT SELECT ON t TO u', harmless: true },
])('$text is harmless when it comes once more later: $harmless', ({ text, harmless }) => {
  const { node } = parseStatement(text)
  expect(isHarmlessLate(node, proofOf(node, 'd'))).toBe(harmless)
})

test('a table that is replaced takes the name when it is filled; a new one may be filled halfway', () => {
  const certain = (text: string) => isCertain(proofOf(parseStatement(text).node, 'd'))
  expect(certain('CREATE OR REPLACE TABLE t ENGINE = Memory AS SELECT 1')).toBe(true)
  expect(certain('CREATE TABLE t ENGINE = Memory AS SELECT 1')).toBe(false)
})
