/**
 * Random schemas over every kind of object, and random edits of them (support/schema-generator.ts): what a plan leaves
 * on the engine is what a fresh database would hold. Seeds are fixed, so a failure repeats; `CHKIT_PROPERTY_RUNS` and
 * `CHKIT_PROPERTY_SEED` ask for more, `npm run test:long` runs thousands.
 */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { startEveryKind, type Tally } from './support/every-kind.js'
import { edits } from './support/schema-generator.js'

const RUNS = Number(process.env.CHKIT_PROPERTY_RUNS ?? 40)
const SEED = Number(process.env.CHKIT_PROPERTY_SEED ?? 20260102)

it(`a plan between two random schemas of every kind leads to what a fresh database holds (${RUNS} pairs)`, {
  timeout: 3_600_000,
}, () => {
  const tally: Tally = { pairs: 0, unusable: 0, migrated: 0, recreated: 0, refused: 0, unchanged: 0, reasons: {} }
  const engine = startEveryKind(tally)
  try {
    fc.assert(fc.property(edits(8, 24), edits(1, 6), engine.check), {
      numRuns: RUNS,
      seed: SEED,
      ...(process.env.CHKIT_PROPERTY_QUICK && { endOnFailure: true }),
    })
  } finally {
    engine.close()
    console.log(JSON.stringify(tally))
  }
  expect(tally.migrated).toBeGreaterThan(RUNS / 3)
})
