import { afterEach, beforeEach, expect, test } from 'vitest'
import { createProject, type Project } from '../support/cli.js'

const CONFIG = `export default { schema: './schema.ts', clickhouse: { url: 'chdb:./db', database: 'app' } }\n`

const schemaOf = (columns: string) => `import { schema, table } from 'chkit'
const of = (name: string) => table({ database: 'app', name, engine: 'MergeTree', columns: ${columns}, orderBy: ['id'] })
export default schema(of('a'), of('b'))\n`

let project: Project
beforeEach(async () => {
  project = createProject({ 'clickhouse.config.ts': CONFIG, 'schema.ts': schemaOf("{ id: 'UInt64' }") })
  await project.run(['generate', '--migration-id', '1'])
  await project.run(['migrate', '--apply'])
})
afterEach(() => project.remove())

test.each([['generate'], ['generate', '--dryrun'], ['migrate'], ['drift']])(
  '%s warns of a selector that matches nothing',
  async (...argv) => {
    const text = await project.run([...argv, '--table', 'nope'])
    expect(text.exitCode).toBe(0)
    expect(text.stderr).toContain('No tables matched selector "nope".')
    const { exitCode, json } = await project.run([...argv, '--table', 'nope', '--json'])
    expect({ exitCode, json }).toMatchObject({
      exitCode: 0,
      json: {
        ok: true,
        scope: { enabled: true, selector: 'nope', matchedTables: [], matchCount: 0 },
        warnings: expect.arrayContaining(['No tables matched selector "nope".']),
      },
    })
  },
)

test('migrate names the files it leaves once, and takes them later', async () => {
  project.write({ 'schema.ts': schemaOf("{ id: 'UInt64', n: 'String' }") })
  await project.run(['generate', '--table', 'a', '--migration-id', '2'])
  await project.run(['generate', '--table', 'b', '--migration-id', '3'])
  const scoped = await project.run(['migrate', '--apply', '--table', 'app.a', '--json'])
  expect(scoped.json).toMatchObject({
    applied: [{ name: '2_auto.sql' }],
    leftOut: ['3_auto.sql'],
    scope: { matchedTables: ['app.a'] },
    warnings: ['Left out, because they touch more than the scope: 3_auto.sql.'],
  })
  const rest = await project.run(['migrate', '--apply', '--json'])
  expect(rest.json).toMatchObject({ applied: [{ name: '3_auto.sql' }], leftOut: [] })
  expect((await project.run(['drift', '--json'])).json).toMatchObject({ drifted: false })
})
