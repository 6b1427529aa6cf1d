/**
 * Awkward edits of a schema, from the declarations to the engine: what comes of each is what a fresh database would
 * hold, with the rows that were there, without drift and with nothing left to plan; or a refusal that says why, or a
 * guard that stops it before anything has changed.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { diffModels } from '../../src/diff/diff.js'
import { findDrift } from '../../src/diff/drift.js'
import { resolveRenames } from '../../src/diff/renames.js'
import { canonicalise } from '../../src/model/canonical.js'
import { EMPTY_MODEL, type Model } from '../../src/model/definition.js'
import type { Declaration } from '../../src/model/dsl.js'
import { planChanges } from '../../src/plan/plan.js'
import { renderPlan } from '../../src/render/render.js'
import { EDITS, THREE_ROWS } from './support/edits.js'
import { type Engine, startEngine } from './support/engine.js'

let engine: Engine
beforeAll(() => {
  engine = startEngine()
})
afterAll(() => engine.close())

/** The plan's statements; throws what `generate` would say. */
function planned(from: Model, to: readonly Declaration[]): { readonly to: Model; readonly texts: readonly string[] } {
  const { model, issues } = canonicalise(to)
  if (issues.length > 0) throw new Error(issues.map(({ message }) => message).join('\n'))
  const { steps, refusals } = planChanges(diffModels(from, model, resolveRenames(from, model)), { from, to: model })
  if (refusals.length > 0) throw new Error(refusals.map(({ message }) => message).join('\n'))
  return { to: model, texts: renderPlan({ steps }).map(({ text }) => text) }
}

function run(texts: readonly string[]): void {
  for (const text of texts) {
    try {
      engine.run(text)
    } catch (error) {
      throw new Error(
        `${error instanceof Error ? error.message : String(error)}\nat: ${text}\nin:\n${texts.join(';\n')}`,
      )
    }
  }
}

describe('an edit of the schema', () => {
  it.each(EDITS)('$name', ({ before, rows, after, keeps, refused, stopped }) => {
    engine.clear()
    const { to: from, texts } = planned(EMPTY_MODEL, before)
    run(texts)
    run(rows ?? [THREE_ROWS])
    if (refused !== undefined) {
      expect(() => planned(from, after)).toThrow(refused)
      return
    }
    const { to, texts: steps } = planned(from, after)
    if (stopped !== undefined) {
      const shown = engine.show()
      expect(() => run(steps)).toThrow(stopped)
      if (keeps !== undefined) expect(engine.run(keeps[0])).toBe(keeps[1])
      expect(engine.show()).toEqual(shown)
      return
    }
    run(steps)
    if (keeps !== undefined) expect(engine.run(keeps[0]), steps.join(';\n')).toBe(keeps[1])
    const { objectDrift, tableDrift } = findDrift(to, engine.read())
    expect([...objectDrift, ...tableDrift], steps.join(';\n')).toEqual([])
    expect(diffModels(to, to, resolveRenames(to, to))).toEqual([])
    const live = engine.show()
    engine.clear()
    run(planned(EMPTY_MODEL, after).texts)
    expect(live, steps.join(';\n')).toEqual(engine.show())
  })
})
