import { afterEach, expect, test } from 'vitest'
import type { Prompt } from '../../src/plugin-host/command.js'
import { createProject, type Project } from '../support/cli.js'

let project: Project
afterEach(() => project.remove())

const YES: Prompt = {
  interactive: true,
  confirm: async () => true,
  typed: async () => true,
  select: () => Promise.reject(new Error('nothing to select')),
}

const CONFIG = `import { definePlugin } from 'chkit'
const talker = definePlugin({
  manifest: { name: 'talker', apiVersion: 1 },
  hooks: { onBeforeApply: ({ warn }) => warn('said on the way') },
})
export default { schema: './schema.ts', clickhouse: { url: 'chdb:./db', database: 'app' }, plugins: [talker] }
`

test('a line that is said while a spinner turns takes the spinner’s place', async () => {
  project = createProject({
    'clickhouse.config.ts': CONFIG,
    'chkit/migrations/1_a.sql': 'CREATE TABLE app.a (id UInt64) ENGINE = Memory;',
  })
  const { exitCode, stderr } = await project.run(['migrate'], { tty: true, prompt: YES, env: { NO_COLOR: '1' } })
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 })
  const line = stderr.split('\n').find((text) => text.endsWith('said on the way'))
  expect(line?.split('\x1b[2K').at(-1)).toBe('warning said on the way')
})
