import { afterEach, beforeEach, expect, test } from 'vitest'
import { createProject, type Project } from '../support/cli.js'

/** SQL that the parser does not follow: the text is used as it stands, and a warning says where it went wrong. */

let project: Project

beforeEach(() => {
  project = createProject({
    'clickhouse.config.ts': `export default { schema: './schema/*.ts', clickhouse: { url: 'chdb:./db' } }\n`,
  })
})
afterEach(() => project.remove())

test('in a schema file: names the file, the object, and line, column and token of its text', async () => {
  project.write({
    'schema/a.ts': `import { view, table } from 'chkit'
export const t = table({ database: 'app', name: 't', engine: 'Memory', columns: { id: 'UInt64' } })
export const v = view({ database: 'app', name: 'v', as: \`SELECT id
FROM app.t
WHERE id = = 1\` })
`,
  })
  const sentence =
    'schema/a.ts: view app.v: the text of as is kept as it is, since it could not be followed: expected expression, ' +
    'found "=" (line 3, column 12 of the text)'
  for (const command of ['generate', 'graph']) {
    const { exitCode, stderr } = await project.run(command === 'generate' ? ['generate', '--dryrun'] : [command])
    expect({ command, exitCode, stderr }).toEqual({ command, exitCode: 0, stderr: `warning ${sentence}\n` })
  }
  expect((await project.run(['generate', '--json'])).json).toMatchObject({ ok: true, warnings: [sentence] })
})

test('in a migration: names the file with line and column, and the token, for each statement that is still to be sent', async () => {
  project.write({
    'schema/a.ts': 'export {}\n',
    'chkit/migrations/20240101000000_x.sql': `-- the first
CREATE TABLE x (a Int8) ENGINE = Memory;

-- not to be followed
ALTER TABLE x
  FOO BAR;
  /* more */ SELECT 'a;b', a
FROM x WHERE a IN )) 1;
`,
  })
  const file = `${project.dir}/chkit/migrations/20240101000000_x.sql`
  const warnings = [
    `${file}:6:3: this statement is not understood: expected ALTER command, found "FOO". It is sent as it stands.`,
    `${file}:8:19: this statement is not understood: expected expression, found ")". It is sent as it stands.`,
  ]
  const planned = await project.run(['migrate', '--json'])
  expect(planned.json).toMatchObject({ ok: true, mode: 'plan', warnings })
  expect(planned.stderr).toBe(warnings.map((warning) => `warning ${warning}\n`).join(''))
})
