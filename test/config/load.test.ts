import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { projectModules } from '../../src/cli/provided-modules.js'
import type { ResolvedConfig } from '../../src/config/config.js'
import { configMode, loadConfig } from '../../src/config/load.js'
import { createModuleLoader } from '../../src/config/module-loader.js'
import { createProject, type Project } from '../support/cli.js'

const FILE = 'clickhouse.config.ts'

let project: Project
beforeEach(() => {
  project = createProject()
})
afterEach(() => project.remove())

async function load(text: string, env: Record<string, string> = {}): Promise<ResolvedConfig> {
  project.write({ [FILE]: text })
  const loader = createModuleLoader({ root: project.dir, env: {}, provided: projectModules() })
  try {
    const environment = { command: 'generate', mode: configMode(undefined, env) }
    return await loadConfig(join(project.dir, FILE), environment, loader, project.dir, env)
  } finally {
    loader.dispose()
  }
}

describe('a config that holds', () => {
  test('gets defaults and absolute paths', async () => {
    const { dir } = project
    expect(await load("export default { schema: './src/**/*.ts' }")).toEqual({
      file: join(dir, FILE),
      root: dir,
      schema: [`${dir}/src/**/*.ts`],
      outDir: join(dir, 'chkit'),
      migrationsDir: join(dir, 'chkit/migrations'),
      metaDir: join(dir, 'chkit/meta'),
      plugins: [],
      check: { failOnPending: true, failOnChecksumMismatch: true, failOnDrift: true },
      safety: { allowDestructive: false },
      journal: { store: 'file', table: '_chkit_migrations' },
      mode: 'development',
    })
  })

  const forms: readonly { name: string; text: string }[] = [
    { name: 'an object as default', text: "export default { schema: 'a.ts', outDir: 'x' }" },
    { name: 'an object as config', text: "export const config = { schema: 'a.ts', outDir: 'x' }" },
    {
      name: 'by defineConfig',
      text: "import { defineConfig } from 'chkit'\nexport default defineConfig({ schema: 'a.ts', outDir: 'x' })",
    },
    {
      name: 'a function',
      text: "export default ({ mode, command }: { mode: string; command: string }) => ({ schema: 'a.ts', outDir: mode === 'development' && command === 'generate' ? 'x' : 'y' })",
    },
    {
      name: 'an async function',
      text: "export default async () => ({ schema: ['a.ts'], outDir: await Promise.resolve('x') })",
    },
    { name: 'a promise', text: "export default Promise.resolve({ schema: 'a.ts', outDir: 'x' })" },
    { name: 'a CommonJS module', text: "module.exports = { schema: 'a.ts', outDir: 'x' }" },
    {
      name: 'with types and enums',
      text: "enum E { X = 'x' }\nconst c: { schema: string; outDir: string } = { schema: 'a.ts', outDir: E.X }\nexport default c",
    },
  ]
  test.each(forms)('$name', async ({ text }) => {
    expect((await load(text)).outDir).toBe(join(project.dir, 'x'))
  })

  test('takes the connection apart: credentials out of the URL, paths made absolute', async () => {
    const config = await load(`export default { schema: 'a.ts', clickhouse: {
      url: 'https://me:p%40ss@db.example.com:8443/', tls: { caFile: './ca.pem' } } }`)
    expect(config.clickhouse).toEqual({
      url: 'https://db.example.com:8443/',
      username: 'me',
      password: 'p@ss',
      database: 'default',
      tls: { caFile: join(project.dir, 'ca.pem') },
    })
    expect(config.journal.store).toBe('table')
  })

  test.each([
    { name: 'an embedded folder', url: 'chdb:./dev', expected: (dir: string) => `chdb:${dir}/dev` },
    { name: 'an embedded engine in memory', url: 'chdb::memory:', expected: () => 'chdb::memory:' },
    { name: 'a server', url: 'http://localhost:8123', expected: () => 'http://localhost:8123' },
  ])('keeps $name', async ({ url, expected }) => {
    const config = await load(`export default { schema: 'a.ts', clickhouse: { url: '${url}' } }`)
    expect(config.clickhouse?.url).toBe(expected(project.dir))
  })

  test('accepts the older spellings', async () => {
    const config = await load(
      `export default { schema: 'a.ts', clickhouse: { url: 'http://h:1', user: 'u', secure: true } }`,
    )
    expect(config.clickhouse).toMatchObject({ url: 'https://h:1', username: 'u' })
  })

  test('the mode comes from CHKIT_MODE, the journal table from CHKIT_JOURNAL_TABLE', async () => {
    const config = await load("export default { schema: 'a.ts', journal: { table: 'mine' } }", {
      CHKIT_MODE: 'staging',
      CHKIT_JOURNAL_TABLE: 'theirs',
    })
    expect({ mode: config.mode, table: config.journal.table }).toEqual({ mode: 'staging', table: 'theirs' })
  })
})

describe('a config that does not hold', () => {
  const rows: readonly { name: string; text: string; code: string; message: string | RegExp }[] = [
    {
      name: 'syntax',
      text: 'export default {\n  schema: ,\n}',
      code: 'config_syntax_error',
      message: /clickhouse\.config\.ts:2:\d+ does not parse: Unexpected token/,
    },
    {
      name: 'throws',
      text: "\nthrow new Error('no luck')",
      code: 'config_load_failed',
      message: /^clickhouse\.config\.ts could not be loaded: no luck \(.*clickhouse\.config\.ts:2\)$/,
    },
    {
      name: 'imports nothing that is there',
      text: "import './nope.js'\nexport default {}",
      code: 'config_load_failed',
      message: /Cannot find module '\.\/nope\.js'/,
    },
    {
      name: 'exports nothing',
      text: 'const a = 1',
      code: 'config_invalid',
      message: 'clickhouse.config.ts exports no config.',
    },
    {
      name: 'exports something else',
      text: 'export const other = {}',
      code: 'config_invalid',
      message: 'clickhouse.config.ts exports no config.',
    },
    {
      name: 'exports a number',
      text: 'export default 5',
      code: 'config_invalid',
      message: 'clickhouse.config.ts is invalid: it must export an object, not a value of type number.',
    },
    {
      name: 'a function that throws',
      text: "export default () => { throw new Error('no luck') }",
      code: 'config_load_failed',
      message:
        /^The function in clickhouse\.config\.ts failed for command "generate", mode "development": no luck \(.*clickhouse\.config\.ts:1\)$/,
    },
    {
      name: 'a throw behind types that are taken away: the line, and no column that would be wrong',
      text: 'type A = { b: string }\n\ninterface C { d: A }\nconst c = {} as C; const e: string = c.d.b\nexport default { schema: e }\n',
      code: 'config_load_failed',
      message: /^clickhouse\.config\.ts could not be loaded: Cannot read .* \(.*clickhouse\.config\.ts:4\)$/,
    },
    {
      name: 'what does not parse: line and column from 1',
      text: "export default {\n  schema: './x',,\n}\n",
      code: 'config_syntax_error',
      message: /clickhouse\.config\.ts:2:17 does not parse: /,
    },
    {
      name: 'a SyntaxError of something that ran',
      text: "\nexport default JSON.parse('{')\n",
      code: 'config_load_failed',
      message: /^clickhouse\.config\.ts could not be loaded: .* \(.*clickhouse\.config\.ts:2\)$/,
    },
    {
      name: 'a function that gives nothing',
      text: 'export default () => undefined',
      code: 'config_invalid',
      message: 'clickhouse.config.ts is invalid: it must export an object, not a value of type undefined.',
    },
    {
      name: 'an unknown key',
      text: "export default { schema: 'a', migrationDir: 'x' }",
      code: 'config_invalid',
      message: 'clickhouse.config.ts is invalid: Unknown key `migrationDir`. Did you mean `migrationsDir`?',
    },
    {
      name: 'an unknown nested key',
      text: "export default { schema: 'a', clickhouse: { url: 'http://h', databse: 'x' } }",
      code: 'config_invalid',
      message: 'clickhouse.config.ts is invalid: Unknown key `clickhouse.databse`. Did you mean `clickhouse.database`?',
    },
    {
      name: 'a missing schema',
      text: 'export default {}',
      code: 'config_invalid',
      message:
        'clickhouse.config.ts is invalid: `schema` is missing: it must be a glob pattern or a list of them, such as "./src/db/schema/**/*.ts".',
    },
    {
      name: 'a URL from a variable that is not set',
      text: "export default { schema: 'a', clickhouse: { url: process.env.CHKIT_TEST_UNSET } }",
      code: 'config_invalid',
      message:
        'clickhouse.config.ts is invalid: `clickhouse.url` must be a URL: http://host:8123, https://host:8443, chdb:./path or chdb::memory:. It is undefined: is an environment variable missing?',
    },
    {
      name: 'a URL of another kind',
      text: "export default { schema: 'a', clickhouse: { url: 'tcp://h:9000' } }",
      code: 'config_invalid',
      message:
        'clickhouse.config.ts is invalid: `clickhouse.url` must be a URL: http://host:8123, https://host:8443, chdb:./path or chdb::memory:.',
    },
    {
      name: 'several things, all of them at once',
      text: "export default { schema: 5, outDir: '', check: { failOnDrift: 'no' }, journal: { store: 'tabel' }, foo: 1 }",
      code: 'config_invalid',
      message: [
        'clickhouse.config.ts is invalid:',
        '  - `schema` must be a glob pattern or a list of them, such as "./src/db/schema/**/*.ts".',
        '  - `outDir` must be a path.',
        '  - `check.failOnDrift` must be true or false.',
        '  - `journal.store` must be "table" or "file".',
        '  - Unknown key `foo`.',
      ].join('\n'),
    },
  ]
  test.each(rows)('$name', async ({ text, code, message }) => {
    const error = await load(text).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      code,
      exitCode: 2,
      message: typeof message === 'string' ? message : expect.stringMatching(message),
    })
  })

  test('a broken import names the file that is broken', async () => {
    project.write({ 'other.ts': 'export const a = = 1\n' })
    const error = await load("import { a } from './other'\nexport default { schema: a }").catch(
      (thrown: unknown) => thrown,
    )
    expect(error).toMatchObject({
      code: 'config_syntax_error',
      message: expect.stringMatching(/other\.ts:1:\d+ does not parse/),
    })
  })
})

describe('the module cache', () => {
  test('lies in node_modules/.cache where that exists, else in the user’s cache folder', async () => {
    const config = { [FILE]: "export default { schema: './schema/*.ts' }" }
    project.write({ ...config, 'home/x': '' })
    await project.run(['plugin'], { env: { HOME: join(project.dir, 'home') } })
    expect(readdirSync(join(project.dir, 'home/.cache/chkit'))).toHaveLength(1)
    project.write({ 'node_modules/.cache/x': '' })
    await project.run(['plugin'], { env: { HOME: join(project.dir, 'home2') } })
    expect(readdirSync(join(project.dir, 'node_modules/.cache/chkit'))).toHaveLength(1)
    expect(existsSync(join(project.dir, 'home2'))).toBe(false)
  })

  test('is not needed', async () => {
    project.write({ [FILE]: "export default { schema: './schema/*.ts' }", blocked: 'a file' })
    const { json } = await project.run(['plugin', '--json'], { env: { HOME: join(project.dir, 'blocked') } })
    expect(json).toMatchObject({ code: 'no_plugins_configured' })
  })

  test('never hides an edit', async () => {
    expect((await load("export default { schema: 'a.ts', outDir: 'x' }")).outDir).toBe(join(project.dir, 'x'))
    expect((await load("export default { schema: 'a.ts', outDir: 'y' }")).outDir).toBe(join(project.dir, 'y'))
  })
})
