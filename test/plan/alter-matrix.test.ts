/** A spread of the alter matrix: every tenth case, by the statement itself and by the planner. All of it: alter-matrix.replay.ts. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { complaint, type MatrixEngine, matrixCases, startMatrixEngine } from '../support/alter-matrix.js'

let engine: MatrixEngine
beforeAll(() => {
  engine = startMatrixEngine()
})
afterAll(() => engine.close())

const ROWS = matrixCases().filter((_, index) => index % 10 === 3)

describe('every tenth case of the alter matrix', () => {
  it.each(ROWS)('$id: the planner does what the engine accepts, or says why not', (row) => {
    expect(complaint(row, engine.plan(row))).toBeUndefined()
  })
  it.each(ROWS.filter((_, index) => index % 5 === 0))('$id: the engine answers as the matrix says', (row) => {
    expect(engine.replay(row)).toBe(row.errorName)
  })
})
