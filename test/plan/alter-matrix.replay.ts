/** The whole alter matrix by the planner: for every row that a schema edit can express, a plan that the engine accepts, or a refusal. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { complaint, type MatrixEngine, matrixCases, startMatrixEngine } from '../support/alter-matrix.js'

const counts: Record<string, number> = {}
let engine: MatrixEngine
beforeAll(() => {
  engine = startMatrixEngine()
})
afterAll(() => {
  engine.close()
  console.log(`alter matrix, by the planner: ${JSON.stringify(counts)}`)
})

describe('the alter matrix by the planner', () => {
  it.each(matrixCases())('$id', (row) => {
    const verdict = engine.plan(row)
    counts[verdict.kind] = (counts[verdict.kind] ?? 0) + 1
    expect(complaint(row, verdict)).toBeUndefined()
  })
  it('most of it can be said by a schema, and most of that can be planned', () => {
    expect(counts.planned).toBeGreaterThan(1_300)
    expect(counts.notAnEdit).toBeLessThan(900)
  })
})
