import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { createProject } from '../support/cli.js'

test('the plugin of the authoring page runs as it stands', async () => {
  const page = readFileSync(fileURLToPath(new URL('../../docs/plugins/authoring.md', import.meta.url)), 'utf8')
  const source = /```ts\n\/\/ plugins\/naming\.ts\n([\s\S]*?)```/.exec(page)?.[1] ?? ''
  const zod = fileURLToPath(import.meta.resolve('zod'))
  const table = (name: string) =>
    `table({ database: 'd', name: '${name}', engine: 'MergeTree', columns: { id: 'UInt64' }, orderBy: 'id' })`
  const project = createProject({
    'plugins/naming.ts': source.replace("'zod'", JSON.stringify(zod)),
    'schema/a.ts': `import { table } from 'chkit'\nexport default [${table('app_a')}, ${table('a_long_name')}]\n`,
    'clickhouse.config.ts': `export default { schema: './schema/*.ts', plugins: [
      { resolve: './plugins/naming.ts', name: 'naming', enabled: true, options: { prefix: 'app_' } }] }`,
  })
  try {
    expect((await project.run(['naming', 'list', '--json'])).json).toMatchObject({
      ok: true,
      names: ['a_long_name', 'app_a'],
    })
    expect((await project.run(['naming', 'list', '--max-length', '6'])).stdout).toBe('app_a\n')
  } finally {
    project.remove()
  }
})
