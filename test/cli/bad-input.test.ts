import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createProject, type Project } from '../support/cli.js'

const CONFIG = `export default {
  schema: './schema/*.ts',
  clickhouse: { url: 'chdb:./db', database: 'app' },
  journal: { store: 'file' },
}\n`

const tableNamed = (name: string, more = '') =>
  `import { table } from 'chkit'\nexport const ${name} = table({ database: 'app', name: '${name}', engine: 'MergeTree', columns: { id: 'UInt64' }, orderBy: ['id'], ${more} })\n`

let project: Project
beforeEach(() => {
  project = createProject({ 'clickhouse.config.ts': CONFIG, 'schema/a.ts': tableNamed('a') })
})
afterEach(() => project.remove())

const path = (...parts: readonly string[]) => join(project.dir, ...parts)
const read = (file: string) => readFileSync(path(file), 'utf8')

/** Every file below the project with its bytes and its time of change; the folders of the engine and of caches left out. */
function footprint(folder = project.dir): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && !/[/\\](?:db|\.cache)(?:[/\\]|$)/.test(entry.parentPath))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => `${file} ${statSync(file).mtimeMs} ${readFileSync(file).toString('base64')}`)
    .sort()
}

async function failure(...argv: string[]) {
  const { exitCode, stdout, json } = await project.run([...argv, '--json'])
  expect(json).toMatchObject({ ok: false, schemaVersion: 1, retriable: expect.any(Boolean) })
  expect(stdout).not.toMatch(/\n\s+at .*:\d+:\d+/)
  return { exitCode, ...json } as Record<string, unknown> & { exitCode: number; error: string; code: string }
}

describe('a config that', () => {
  const CASES: readonly {
    readonly name: string
    readonly config: string
    readonly code: string
    readonly says: RegExp
  }[] = [
    {
      name: 'does not parse',
      config: 'export default {',
      code: 'config_syntax_error',
      says: /clickhouse\.config\.ts:1:\d+ does not parse/,
    },
    { name: 'throws', config: "throw new Error('boom')", code: 'config_load_failed', says: /boom/ },
    { name: 'throws what is no error', config: "throw 'boom'", code: 'config_load_failed', says: /boom/ },
    { name: 'is empty', config: '', code: 'config_invalid', says: /exports no config/ },
    { name: 'exports something else', config: 'export const x = 1', code: 'config_invalid', says: /exports no config/ },
    { name: 'exports a number', config: 'export default 42', code: 'config_invalid', says: /must export an object/ },
    {
      name: 'is a function that gives nothing',
      config: 'export default () => undefined',
      code: 'config_invalid',
      says: /undefined/,
    },
    {
      name: 'is an async function that rejects',
      config: "export default async () => { throw new Error('no secret store') }",
      code: 'config_load_failed',
      says: /command "status", mode "development": no secret store/,
    },
    {
      name: 'is a promise that is rejected',
      config: "export default Promise.reject(new Error('no secret store'))",
      code: 'config_load_failed',
      says: /The promise that clickhouse\.config\.ts exports failed: no secret store/,
    },
    {
      name: 'is a promise that is rejected later',
      config:
        "export default (async () => { await new Promise((done) => setTimeout(done, 20)); throw new Error('no secret store') })()",
      code: 'config_load_failed',
      says: /no secret store/,
    },
    {
      name: 'imports what is not there',
      config: "import x from './nowhere'; export default x",
      code: 'config_load_failed',
      says: /nowhere/,
    },
  ]

  test.each(CASES)('$name', async ({ config, code, says }) => {
    project.write({ 'clickhouse.config.ts': config })
    const before = footprint()
    const { error, ...failed } = await failure('status')
    expect(failed).toMatchObject({ command: 'status', code, exitCode: 2 })
    expect(error).toMatch(says)
    expect(footprint()).toEqual(before)
  })

  test('has one mistake is told one', async () => {
    project.write({ 'clickhouse.config.ts': "export default { schema: './schema/*.ts', clickhouse: { url: '' } }" })
    expect((await failure('status')).details).toEqual({
      issues: [{ key: 'clickhouse.url', message: expect.stringContaining('must be a URL') }],
    })
  })
})

describe('a schema file that', () => {
  test('exports a promise is waited for', async () => {
    const declared = tableNamed('b').replace('export const b =', 'export default (async () =>').replace(/\n$/, ')()\n')
    project.write({ 'schema/b.ts': declared })
    const { json } = await project.run(['generate', '--dryrun', '--json'])
    expect(json).toMatchObject({
      operations: [{ type: 'create_database' }, { key: 'table:app.a' }, { key: 'table:app.b' }],
    })
  })

  test('exports a promise that is rejected names it', async () => {
    project.write({ 'schema/b.ts': "export const later = Promise.reject(new Error('boom'))\n" })
    expect(await failure('generate')).toMatchObject({
      code: 'schema_load_failed',
      exitCode: 1,
      error: 'Schema file schema/b.ts could not be loaded: the promise exported as later failed: boom',
    })
    expect(existsSync(path('chkit'))).toBe(false)
  })
})

describe('a file of another encoding', () => {
  const LATIN1 = Buffer.from('// first line\nexport const caf\u00e9 = 1\n', 'latin1')
  test('is no schema file', async () => {
    writeFileSync(path('schema/b.ts'), LATIN1)
    expect(await failure('generate')).toMatchObject({
      code: 'schema_load_failed',
      exitCode: 1,
      error: `Schema file schema/b.ts could not be loaded: it is not UTF-8; save it as UTF-8 (${path('schema/b.ts')}:2)`,
    })
  })

  test('is no config', async () => {
    writeFileSync(path('clickhouse.config.ts'), LATIN1)
    expect(await failure('status')).toMatchObject({ code: 'config_load_failed', exitCode: 2 })
  })

  test('is no migration', async () => {
    mkdirSync(path('chkit/migrations'), { recursive: true })
    writeFileSync(path('chkit/migrations/1_a.sql'), LATIN1)
    expect(await failure('migrate', '--apply')).toMatchObject({ code: 'file_not_utf8', exitCode: 1 })
  })
})

describe('flags without a command', () => {
  test.each([
    { argv: ['--bogus'], code: 'unknown_flag', error: 'Unknown flag --bogus.' },
    { argv: ['--no-help'], code: 'unknown_flag', error: 'Unknown flag --no-help.' },
    { argv: ['--mode'], code: 'missing_flag_value', error: 'Flag --mode needs a value.' },
  ])('$argv', async ({ argv, code, error }) => {
    expect(await failure(...argv)).toMatchObject({ exitCode: 2, code, error })
  })
})

describe('a journal file that', () => {
  const GOOD = '{\n  "version": 2,\n  "applied": []\n}\n'
  test.each([
    { name: 'is empty', text: '', code: 'journal_corrupt', says: '1:1 is no JSON: it is empty' },
    { name: 'is cut short', text: GOOD.slice(0, 25), code: 'journal_corrupt', says: 'is no JSON' },
    {
      name: 'holds merge conflicts',
      text: `{\n<<<<<<< HEAD\n${GOOD}=======\n>>>>>>> other\n`,
      code: 'journal_corrupt',
      says: '2:1 holds merge conflict markers',
    },
    { name: 'is an empty object', text: '{}', code: 'journal_corrupt', says: 'has no list of "applied" migrations' },
    {
      name: 'comes from a newer chkit',
      text: GOOD.replace('2', '99'),
      code: 'journal_version_unsupported',
      says: 'version 99',
    },
  ])('$name stops every command that reads it, and is left alone', async ({ text, code, says }) => {
    project.write({ 'chkit/meta/journal.json': text })
    for (const argv of [['status'], ['check'], ['migrate', '--apply']]) {
      const failed = await failure(...argv)
      expect(failed).toMatchObject({ code, exitCode: 1 })
      expect(failed.error).toContain(says)
    }
    expect(read('chkit/meta/journal.json')).toBe(text)
  })
})

describe('a place that cannot be written', () => {
  test.each([
    { name: 'a file where the output folder belongs', file: 'chkit' },
    { name: 'a file where the migrations belong', file: 'chkit/migrations' },
    { name: 'a file where the snapshots belong', file: 'chkit/meta' },
  ])('$name stops generate, and nothing else is written', async ({ file }) => {
    project.write({ [file]: 'mine' })
    const before = footprint()
    expect(await failure('generate')).toMatchObject({
      code: expect.stringMatching(/^file_un(?:readable|writable)$/),
      exitCode: 1,
      hint: expect.any(String),
    })
    expect(footprint()).toEqual(before)
  })
})

describe('generate', () => {
  test('--empty --dryrun writes nothing', async () => {
    const before = footprint()
    const { exitCode, json } = await project.run(['generate', '--empty', '--dryrun', '--json'])
    expect({ exitCode, json }).toMatchObject({ exitCode: 0, json: { mode: 'plan', operationCount: 0 } })
    expect(footprint()).toEqual(before)
  })

  test('refuses an id that would run before an existing migration', async () => {
    await project.run(['generate', '--migration-id', '20260101000000'])
    const before = footprint()
    expect(await failure('generate', '--empty', '--migration-id', '20251231000000')).toMatchObject({
      code: 'migration_id_conflict',
      exitCode: 1,
      error:
        'The id "20251231000000" sorts before the existing migration "20260101000000", and so would run before it.',
    })
    expect(footprint()).toEqual(before)
  })

  test('goes on over a lock that a killed process left', { timeout: 40_000 }, async () => {
    mkdirSync(path('chkit/meta'), { recursive: true })
    writeFileSync(path('chkit/meta/.generate.lock'), '')
    const { exitCode } = await project.run(['generate'])
    expect(exitCode).toBe(0)
    expect(readdirSync(path('chkit/meta')).sort()).toEqual(['snapshot.json', 'snapshots'])
  })
})

test('runs of generate at the same time write one migration', async () => {
  const runs = await Promise.all([1, 2, 3].map(() => project.run(['generate', '--json'])))
  const files = runs.map(({ json }) => json.migrationFile).filter((file) => file !== null)
  expect(files).toHaveLength(1)
  expect(readdirSync(path('chkit/migrations'))).toHaveLength(1)
  expect(readdirSync(path('chkit/meta/snapshots'))).toHaveLength(1)
})

describe('commands that read', () => {
  test.each([['status'], ['check'], ['generate', '--dryrun']])(
    '%s makes no engine folder where there is none',
    async (...argv) => {
      project.write({ 'clickhouse.config.ts': CONFIG.replace("  journal: { store: 'file' },\n", '') })
      const before = readdirSync(project.dir)
      expect((await project.run(argv)).exitCode).toBe(0)
      expect(readdirSync(project.dir)).toEqual(before)
    },
  )
})

describe('renamedFrom of one source in two places', () => {
  const table = (name: string, more: string) =>
    `table({ database: 'app', name: '${name}', engine: 'MergeTree', orderBy: ['id'], ${more} })`
  const SAME = "columns: { id: 'UInt64' }, renamedFrom: { database: 'app', name: 'a' }"
  test.each([
    {
      name: 'tables',
      definitions: `${table('x', SAME)}, ${table('y', SAME)}`,
      says: 'Conflicting table rename source mapping for "app.a": it is renamed to both "app.x" and "app.y"',
    },
    {
      name: 'columns',
      definitions: table(
        'a',
        "columns: [{ name: 'id', type: 'UInt64' }, { name: 'b', type: 'String', renamedFrom: 'o' }, { name: 'c', type: 'String', renamedFrom: 'o' }]",
      ),
      says: 'Conflicting column rename source mapping for "o": it is renamed to both "b" and "c"',
    },
  ])('$name', async ({ definitions, says }) => {
    project.write({ 'schema/a.ts': `import { table } from 'chkit'\nexport default [${definitions}]\n` })
    expect(await failure('generate')).toMatchObject({
      exitCode: 1,
      error: 'validation_failed',
      code: 'validation_failed',
      issues: [{ code: 'duplicate_rename_source', message: expect.stringContaining(says), file: 'schema/a.ts' }],
    })
  })
})

test('an issue names the line that declared its object, also through a function of the file', async () => {
  project.write({
    'schema/a.ts': `import { table } from 'chkit'
interface Options { readonly name: string }
const log = ({ name }: Options) =>
  table({
    database: 'app', name, engine: 'MergeTree', columns: { id: 'UInt64' },
    orderBy: ['gone'],
  })
export const one = log({ name: 'one' })
export default [
  log({ name: 'two' }),
  { ...log({ name: 'three' }) },
]
`,
  })
  const { json, stderr } = await project.run(['generate', '--json'])
  const issues = json.issues as readonly { readonly name: string; readonly line?: number }[]
  // A copy was made by nobody's call.
  expect(issues.map(({ name, line }) => [name, line])).toEqual([
    ['one', 8],
    ['three', undefined],
    ['two', 10],
  ])
  expect(stderr).toBe('')
  expect((await project.run(['generate'])).stderr).toContain('(schema/a.ts:10)')
})
