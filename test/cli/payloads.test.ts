import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { documentSchema, failureDocument, RESULT_DOCUMENTS } from '../../src/cli/payloads.js'
import { CORE_COMMANDS } from '../../src/cli/registry.js'
import { createProject, type Project } from '../support/cli.js'

const SAMPLE = fileURLToPath(new URL('../../fixtures/plugins/sample/index.ts', import.meta.url))

let project: Project
beforeEach(() => {
  project = createProject({
    'clickhouse.config.ts': `export default { schema: './none/*.ts', plugins: [${JSON.stringify(SAMPLE)}] }`,
  })
})
afterEach(() => project.remove())

test('every command has a schema for its document, and a file of it', () => {
  expect(Object.keys(RESULT_DOCUMENTS)).toEqual(CORE_COMMANDS.map(({ name }) => name))
  for (const name of [...Object.keys(RESULT_DOCUMENTS), 'failure']) {
    const file = fileURLToPath(new URL(`../../docs/schemas/${name}.json`, import.meta.url))
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ title: expect.any(String) })
  }
})

describe('real documents fit their schemas', () => {
  const rows: readonly { argv: string[]; command: keyof typeof RESULT_DOCUMENTS; exitCode: number }[] = [
    { argv: ['init'], command: 'init', exitCode: 0 },
    { argv: ['plugin'], command: 'plugin', exitCode: 0 },
    { argv: ['plugin', 'audit'], command: 'plugin', exitCode: 0 },
    { argv: ['plugin', 'nobody'], command: 'plugin', exitCode: 2 },
    { argv: ['completion', 'fish'], command: 'completion', exitCode: 0 },
    { argv: ['completion'], command: 'completion', exitCode: 2 },
    { argv: [], command: 'help', exitCode: 0 },
    { argv: ['generate', '--help'], command: 'help', exitCode: 0 },
    { argv: ['audit', '-h'], command: 'help', exitCode: 0 },
    { argv: ['version'], command: 'version', exitCode: 0 },
    { argv: ['status', '--nope'], command: 'status', exitCode: 2 },
  ]
  test.each(rows)('chkit $argv', async ({ argv, command, exitCode }) => {
    const result = await project.run([...argv, '--json'])
    expect(result.exitCode).toBe(exitCode)
    expect(result.json.command).toBe(command)
    const schema = exitCode === 0 ? documentSchema(command) : failureDocument
    expect(schema.safeParse(result.json).error).toBeUndefined()
  })
})

test('the whole life of a project, document by document', async () => {
  const life = createProject()
  try {
    const steps: readonly { argv: string[]; command: keyof typeof RESULT_DOCUMENTS; exitCode: number }[] = [
      { argv: ['init'], command: 'init', exitCode: 0 },
      { argv: ['drift'], command: 'drift', exitCode: 1 },
      { argv: ['graph'], command: 'graph', exitCode: 0 },
      { argv: ['generate', '--dryrun'], command: 'generate', exitCode: 0 },
      { argv: ['generate', '--name', 'init'], command: 'generate', exitCode: 0 },
      { argv: ['generate'], command: 'generate', exitCode: 0 },
      { argv: ['generate', '--table', 'nothing_*'], command: 'generate', exitCode: 0 },
      { argv: ['check'], command: 'check', exitCode: 1 },
      { argv: ['migrate'], command: 'migrate', exitCode: 0 },
      { argv: ['migrate', '--apply'], command: 'migrate', exitCode: 0 },
      { argv: ['status'], command: 'status', exitCode: 0 },
      { argv: ['drift'], command: 'drift', exitCode: 0 },
      { argv: ['check'], command: 'check', exitCode: 0 },
    ]
    for (const { argv, command, exitCode } of steps) {
      const result = await life.run([...argv, '--json'])
      const label = `chkit ${argv.join(' ')}`
      expect({ label, exitCode: result.exitCode, command: result.json.command }).toEqual({ label, exitCode, command })
      const isFailure = 'code' in result.json && command !== 'check'
      const schema = isFailure ? failureDocument : z.union([...RESULT_DOCUMENTS[command]])
      expect({ label, error: schema.safeParse(result.json).error }).toEqual({ label, error: undefined })
    }
  } finally {
    life.remove()
  }
})

describe('a folder that cannot be written', () => {
  test('init says which file, and writes nothing else there', async () => {
    project.write({ src: 'a file in the place of a folder' })
    const { exitCode, json } = await project.run(['init', '--json'])
    expect({ exitCode, json }).toMatchObject({
      exitCode: 1,
      json: { code: 'file_unwritable', error: expect.stringContaining('src/db/schema/example.ts cannot be written') },
    })
  })
})
