import { expect, test } from 'vitest'
import { proofOf } from '../../src/migration/proof.js'
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
