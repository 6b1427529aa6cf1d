/**
 * Random schemas, and random edits of them (support/schema-generator.ts): what a plan leaves on the engine is what a
 * fresh database would hold, reads back without drift, and no row of a kept column has changed. Seeds are fixed, so a
 * failure repeats; `CHKIT_PROPERTY_RUNS` and `CHKIT_PROPERTY_SEED` ask for more, `npm run test:long` runs thousands.
 */
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type EveryKindEngine, startEveryKind, type Tally } from './support/every-kind.js'
import { type Edit, edits, LINKED, ONE_TABLE, tableEdits, type World } from './support/schema-generator.js'

const SEED = Number(process.env.CHKIT_PROPERTY_SEED ?? 20260102)
const runsOf = (usual: number) => Number(process.env.CHKIT_PROPERTY_RUNS ?? usual)

let engine: EveryKindEngine
beforeAll(() => {
  engine = startEveryKind()
})
afterAll(() => engine.close())

/** Holds that many pairs of schemas, by the edits that lead from `start` to the first and from there to the second. */
function hold(numRuns: number, first: fc.Arbitrary<Edit[]>, second: fc.Arbitrary<Edit[]>, start: World): Tally {
  const tally: Tally = {
    pairs: 0,
    unusable: 0,
    migrated: 0,
    recreated: 0,
    refused: 0,
    stopped: 0,
    unchanged: 0,
    reasons: {},
  }
  const endOnFailure = process.env.CHKIT_PROPERTY_QUICK !== undefined
  try {
    const property = fc.property(first, second, (one, other) => engine.check(tally, start, one, other))
    fc.assert(property, { numRuns, seed: SEED, endOnFailure })
  } finally {
    console.log(JSON.stringify(tally))
  }
  return tally
}

const OPTIONS = { timeout: 3_600_000 }
const EVERY_KIND = runsOf(40)
const TABLE = runsOf(80)

it(`leads from one random schema of every kind of object to another (${EVERY_KIND} pairs)`, OPTIONS, () => {
  const { migrated } = hold(EVERY_KIND, edits(8, 24), edits(1, 6), new Map())
  expect(migrated).toBeGreaterThan(EVERY_KIND / 3)
})

it(
  `leads from one random table, with a view and a materialized view over it, to another (${TABLE} pairs)`,
  OPTIONS,
  () => {
    const { migrated } = hold(TABLE, tableEdits(1, 10), tableEdits(1, 8), ONE_TABLE)
    expect(migrated).toBeGreaterThan(TABLE / 3)
  },
)

it(`leads from objects that read and write each other to others (${EVERY_KIND} pairs)`, OPTIONS, () => {
  const { migrated } = hold(EVERY_KIND, edits(0, 6), edits(1, 5), LINKED)
  expect(migrated).toBeGreaterThan(EVERY_KIND / 3)
})
