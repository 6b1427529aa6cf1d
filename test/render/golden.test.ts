/** Schema files before and after, and the migration between them, as a reader would see it. Update with `vitest -u`. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { diffModels } from '../../src/diff/diff.js'
import { resolveRenames } from '../../src/diff/renames.js'
import { renderMigration } from '../../src/migration/format.js'
import { canonicalise, collectDefinitions } from '../../src/model/canonical.js'
import type { Model } from '../../src/model/definition.js'
import { operationsOf } from '../../src/plan/operations.js'
import { planChanges } from '../../src/plan/plan.js'
import { renderPlan } from '../../src/render/render.js'

const FOLDER = fileURLToPath(new URL('../../fixtures/plan/', import.meta.url))

async function load(file: string): Promise<Model> {
  const { model, issues } = canonicalise(collectDefinitions(await import(file)))
  expect(issues).toEqual([])
  return model
}

describe('fixtures/plan', () => {
  it.each(readdirSync(FOLDER).sort())('%s', async (name) => {
    const from = await load(join(FOLDER, name, 'before.ts'))
    const to = await load(join(FOLDER, name, 'after.ts'))
    const plan = planChanges(diffModels(from, to, resolveRenames(from, to)), { from, to })
    const statements = renderPlan(plan)
    const migration = renderMigration({
      id: '20260101000000',
      generatedAt: '2026-01-01T00:00:00.000Z',
      chkitVersion: '0.0.0',
      definitions: to.definitions,
      statements,
    })
    const operations = operationsOf(plan, statements).map(({ sql: _, ...operation }) => operation)
    const refusals = plan.refusals.map(({ change, ...refusal }) => ({ change: change.kind, ...refusal }))
    await expect(migration).toMatchFileSnapshot(join(FOLDER, name, 'migration.sql'))
    await expect(`${JSON.stringify({ operations, refusals }, null, 2)}\n`).toMatchFileSnapshot(
      join(FOLDER, name, 'plan.json'),
    )
  })
})
