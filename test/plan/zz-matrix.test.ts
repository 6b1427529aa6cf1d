import { readFileSync, writeFileSync } from 'node:fs'
import { Session } from 'chdb'
import { it } from 'vitest'
import { diffModels } from '../../src/diff/diff.js'
import { definitionFromStatement, sortedByKey } from '../../src/model/canonical.js'
import { planChanges } from '../../src/plan/plan.js'
import { renderPlan } from '../../src/render/render.js'

const cases = JSON.parse(readFileSync('/work/shared/reference/alter-matrix.json', 'utf8')).filter(
  (c: any) => !c.requires,
)
it('matrix', { timeout: 3000000 }, () => {
  const s = new Session()
  const run = (q: string, f = 'TSVRaw') => String(s.query(q, f) ?? '').trim()
  const read = () =>
    run(
      "SELECT create_table_query AS q FROM system.tables WHERE database IN ('am','am2','am3') AND name NOT LIKE '.inner%' AND create_table_query != ''",
      'JSONEachRow',
    )
      .split('\n')
      .filter(Boolean)
      .map((r) => JSON.parse(r).q as string)
  const model = (t: string[]) => ({
    definitions: sortedByKey(t.map((x) => definitionFromStatement(x, { currentDatabase: 'am' }))),
  })
  const sets = new Set<string>()
  const reset = () => {
    for (const k of sets) {
      try {
        run(`SET ${k} = DEFAULT`)
      } catch {}
    }
    sets.clear()
    for (const d of ['am', 'am2', 'am3'])
      try {
        run(`DROP DATABASE IF EXISTS ${d} SYNC`)
      } catch {
        run(`DROP DATABASE IF EXISTS ${d} SYNC SETTINGS check_table_dependencies=0`)
      }
    run('CREATE DATABASE am')
  }
  const exec = (q: string) => {
    const m = /^SET (\w+)\s*=/.exec(q)
    if (m) sets.add(m[1]!)
    return run(q)
  }
  const result: Record<string, number> = {}
  const bad: unknown[] = []
  const skipObjects =
    /DATABASE|WORKLOAD|NAMED|RBAC|partition copy|MASKING|WINDOW|rebuild recipe|asynchronous|failed conversion|DROP DATABASE|secrets|TimeSeries/
  for (const c of cases) {
    if (
      c.outcome !== 'ok' ||
      skipObjects.test(c.object) ||
      !/^(ALTER|CREATE OR REPLACE|DROP|RENAME)/.test(c.statement)
    ) {
      result.skipped = (result.skipped ?? 0) + 1
      continue
    }
    let kind = '?'
    let detail: unknown
    try {
      reset()
      for (const q of c.setup) exec(q)
      exec(c.statement)
      const after = read()
      reset()
      for (const q of c.setup) exec(q)
      const before = read()
      const from = model(before),
        to = model(after)
      const ch = diffModels(from, to)
      if (ch.length === 0) {
        kind = JSON.stringify(before.sort()) === JSON.stringify(after.sort()) ? 'no change' : 'SAME MODEL'
        if (kind === 'SAME MODEL') detail = { before, after }
      } else {
        const plan = planChanges(ch, { from, to })
        if (plan.refusals.length > 0) {
          kind = 'refused'
          detail = plan.refusals.map((r) => r.message)
        } else {
          const texts = renderPlan(plan).map((x) => x.text)
          try {
            for (const t of texts) run(t)
            const got = read()
            const d = diffModels(model(got), to)
            kind = d.length === 0 ? 'ok' : 'DIFFERENT'
            if (d.length) detail = { texts, got, after }
          } catch (e) {
            kind = 'ENGINE REFUSED'
            detail = { texts, error: String((e as Error).message).slice(0, 300) }
          }
        }
      }
    } catch (e) {
      kind = 'setup'
      detail = String((e as Error).message).slice(0, 200)
    }
    result[kind] = (result[kind] ?? 0) + 1
    if (!['ok', 'no change'].includes(kind)) bad.push({ kind, id: c.id, statement: c.statement, detail })
  }
  writeFileSync('/tmp/probe/matrix.json', JSON.stringify(bad, null, 1))
  console.log(result)
})
