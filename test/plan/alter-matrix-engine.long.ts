/** The whole alter matrix by its own statements: the reference says what this engine does. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type MatrixEngine, matrixCases, startMatrixEngine } from '../support/alter-matrix.js'

let engine: MatrixEngine
beforeAll(() => {
  engine = startMatrixEngine()
})
afterAll(() => engine.close())

describe('the alter matrix by the engine', () => {
  it.each(matrixCases())('$id', (row) => {
    expect(engine.replay(row)).toBe(row.errorName)
  })
})
