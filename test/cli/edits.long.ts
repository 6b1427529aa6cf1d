/** The awkward edits of test/plan/support/edits.ts on the command line: generate, migrate, drift, and generate again. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { connect } from '../../src/clickhouse/connect.js'
import type { Declaration } from '../../src/model/dsl.js'
import { EDITS, THREE_ROWS } from '../plan/support/edits.js'
import { createProject, type Project } from '../support/cli.js'

const CONFIG = `export default { schema: './schema.ts', clickhouse: { url: 'chdb:./db', database: 'default' } }\n`

let project: Project
beforeEach(() => {
  project = createProject({ 'clickhouse.config.ts': CONFIG })
})
afterEach(() => project.remove())

async function query(statements: readonly string[]): Promise<unknown> {
  const executor = await connect({ url: 'chdb:./db' }, { root: project.dir })
  try {
    let rows: unknown
    for (const sql of statements) rows = await executor.query(sql)
    return rows
  } finally {
    await executor.close()
  }
}

/** The exit code of the first command that fails, with all that it said; of the last one otherwise. */
async function edit(declarations: readonly Declaration[]): Promise<{ exitCode: number; said: string }> {
  project.write({ 'schema.ts': `export default ${JSON.stringify(declarations)} as never\n` })
  for (const argv of [['generate'], ['migrate', '--apply', '--allow-destructive']]) {
    const { exitCode, stdout, stderr } = await project.run(argv)
    if (exitCode !== 0) return { exitCode, said: stdout + stderr }
  }
  return { exitCode: 0, said: '' }
}

describe('an edit of the schema file', () => {
  it.each(EDITS)('$name', async ({ before, rows, after, keeps, refused, stopped }) => {
    expect(await edit(before)).toEqual({ exitCode: 0, said: '' })
    await query(rows ?? [THREE_ROWS])
    const { exitCode, said } = await edit(after)
    if (refused !== undefined || stopped !== undefined) {
      expect(exitCode, said).not.toBe(0)
      expect(said).toMatch((refused ?? stopped)!)
      return
    }
    expect({ exitCode, said }).toEqual({ exitCode: 0, said: '' })
    // The values themselves are compared in test/plan/edits.test.ts; here the query must find what it reads.
    if (keeps !== undefined) await query([keeps[0]])
    const drift = await project.run(['drift', '--exit-code'])
    expect(drift.exitCode, drift.stdout).toBe(0)
    expect((await project.run(['generate', '--json'])).json).toMatchObject({ migrationFile: null, operationCount: 0 })
  })
})
