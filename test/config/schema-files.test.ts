import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { projectModules } from '../../src/cli/provided-modules.js'
import { configMode, loadConfig } from '../../src/config/load.js'
import { createModuleLoader } from '../../src/config/module-loader.js'
import { loadSchemaFiles } from '../../src/config/schema-files.js'
import { createProject, type Project } from '../support/cli.js'

let project: Project
beforeEach(() => {
  project = createProject()
})
afterEach(() => project.remove())

async function load(schema: string | readonly string[], dir = project.dir) {
  project.write({
    [join(dir.slice(project.dir.length), 'clickhouse.config.ts')]:
      `export default { schema: ${JSON.stringify(schema)} }`,
  })
  const loader = createModuleLoader({ root: dir, env: {}, provided: projectModules() })
  try {
    const environment = { command: 'generate', mode: configMode(undefined, {}) }
    const config = await loadConfig(join(dir, 'clickhouse.config.ts'), environment, loader, dir, {})
    const files = await loadSchemaFiles(config, loader)
    return files.map(({ file, exports }) => ({ file: file.slice(dir.length + 1), exports: { ...exports } }))
  } finally {
    loader.dispose()
  }
}

const names = (files: readonly { readonly file: string }[]) => files.map(({ file }) => file)

describe('finding files', () => {
  const tree = { 's/b.ts': '', 's/a.ts': '', 's/deep/c.ts': '', 's/types.d.ts': '', 's/readme.md': '', 'other.ts': '' }
  const rows: readonly { name: string; schema: string | readonly string[]; files: readonly string[] }[] = [
    { name: 'one file', schema: './other.ts', files: ['other.ts'] },
    {
      name: 'a pattern, sorted, without declaration files',
      schema: './s/**/*.ts',
      files: ['s/a.ts', 's/b.ts', 's/deep/c.ts'],
    },
    { name: 'one level', schema: 's/*.ts', files: ['s/a.ts', 's/b.ts'] },
    { name: 'a folder', schema: './s', files: ['s/a.ts', 's/b.ts', 's/deep/c.ts'] },
    {
      name: 'several patterns, each file once',
      schema: ['s/a.ts', 's/*.ts', 'other.ts'],
      files: ['other.ts', 's/a.ts', 's/b.ts'],
    },
    { name: 'an exclusion', schema: ['s/**/*.ts', '!s/deep/**'], files: ['s/a.ts', 's/b.ts'] },
    { name: 'alternatives', schema: 's/{a,b}.ts', files: ['s/a.ts', 's/b.ts'] },
  ]
  test.each(rows)('$name', async ({ schema, files }) => {
    project.write(tree)
    expect(names(await load(schema))).toEqual(files)
  })

  test.each(['[x]', 'a(b)', 'with space', '{a,b}', 'ünïcode'])('below a folder called %s', async (folder) => {
    project.write({ [`${folder}/s/a.ts`]: 'export const a = 1' })
    expect(names(await load('./s/*.ts', join(project.dir, folder)))).toEqual(['s/a.ts'])
  })

  test('a pattern above the config’s folder', async () => {
    project.write({ 's/a.ts': '', 'sub/x': '' })
    const dir = join(project.dir, 'sub')
    expect(names(await load('../s/*.ts', dir))).toHaveLength(1)
  })

  test('nothing found names the patterns', async () => {
    const error = await load(['./none/*.ts', 'x.ts']).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      code: 'schema_not_found',
      exitCode: 1,
      message: 'No schema file matches "none/*.ts", "x.ts".',
    })
  })
})

describe('loading files', () => {
  test('gives all that each file exports', async () => {
    project.write({
      's/a.ts': 'export const one = 1\nexport default [2]\n',
      's/b.ts': 'module.exports = { three: 3 }\n',
    })
    const files = await load('s/*.ts')
    expect(files[0]?.exports).toMatchObject({ one: 1, default: [2] })
    expect(files[1]?.exports).toMatchObject({ three: 3 })
  })

  test('runs a module that two files import once, and gives both the running chkit', async () => {
    project.write({
      'shared.ts': "import * as chkit from 'chkit'\nexport const token = {}\nexport { chkit }\n",
      's/a.ts': "import { token, chkit } from '../shared'\nexport const a = token\nexport const c = chkit.table\n",
      's/b.ts':
        "import { token } from '../shared.js'\nimport { table } from '@chkit/core'\nexport const b = token\nexport const c = table\n",
    })
    const [a, b] = await load('s/*.ts')
    expect(a?.exports.a).toBe(b?.exports.b)
    expect(typeof a?.exports.c).toBe('function')
    expect(a?.exports.c).toBe(b?.exports.c)
  })

  const broken: readonly { name: string; text: string; code: string; message: RegExp }[] = [
    {
      name: 'syntax',
      text: 'export const a = 1\nexport const b: = 2\n',
      code: 'schema_syntax_error',
      message: /s\/a\.ts:2:17 does not parse: /,
    },
    {
      name: 'a throw',
      text: "export const a = 1\n\nthrow new Error('bad day')\n",
      code: 'schema_load_failed',
      message: /^Schema file s\/a\.ts could not be loaded: bad day \(.*s\/a\.ts:3\)$/,
    },
    {
      name: 'a throw of something odd',
      text: 'throw undefined',
      code: 'schema_load_failed',
      message: /^Schema file s\/a\.ts could not be loaded: undefined$/,
    },
    {
      name: 'a missing module',
      text: "import 'no-such-package'\n",
      code: 'schema_load_failed',
      message: /Cannot find module 'no-such-package'/,
    },
    {
      name: 'top-level await that rejects',
      text: "await Promise.reject(new Error('later'))\n",
      code: 'schema_load_failed',
      message: /later/,
    },
  ]
  test.each(['my schema (1)', 'src/config', 'src/model'])('a throw in the folder %s is found', async (folder) => {
    project.write({ [`${folder}/a.ts`]: "\nthrow new Error('bad day')\n" })
    const error = await load(`${folder.replaceAll(/[()]/g, '?')}/*.ts`).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ message: expect.stringContaining(`(${project.dir}/${folder}/a.ts:2)`) })
  })

  test.each(broken)('$name names the file and the place', async ({ text, code, message }) => {
    project.write({ 's/a.ts': text })
    const error = await load('s/*.ts').catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code, exitCode: 1, message: expect.stringMatching(message) })
  })
})
