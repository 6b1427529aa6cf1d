import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { projectModules } from '../../src/cli/provided-modules.js'
import { createProject } from '../support/cli.js'

const folder = fileURLToPath(new URL('../../src/plugins', import.meta.url))
const plugins = readdirSync(folder).filter((name) => existsSync(`${folder}/${name}/index.ts`))

test('every official plugin can be imported by both of its names', () => {
  expect(Object.keys(projectModules()).sort()).toEqual(
    ['chkit', '@chkit/core', ...plugins.flatMap((name) => [`chkit/plugins/${name}`, `@chkit/plugin-${name}`])].sort(),
  )
})

test.each(plugins)('%s is found from a project that has not installed chkit', async (name) => {
  const project = createProject({
    'clickhouse.config.ts': `
      import { defineConfig } from '@chkit/core'
      import * as chkit from 'chkit'
      import { ${name} } from 'chkit/plugins/${name}'
      import { ${name} as older } from '@chkit/plugin-${name}'
      if (older !== ${name} || chkit.defineConfig !== defineConfig) throw new Error('two instances')
      export default defineConfig({ schema: 'a.ts', plugins: [${name}()] })`,
  })
  try {
    const { json } = await project.run(['plugin', '--json'])
    expect(json).toMatchObject({ ok: true, plugins: [{ name }] })
  } finally {
    project.remove()
  }
})
