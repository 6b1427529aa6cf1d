import { execFileSync, spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

/**
 * The package as a user gets it: packed, installed into an empty project, type-checked, and run through its whole life on
 * each runtime that it promises. Needs the npm registry.
 */

const root = fileURLToPath(new URL('../..', import.meta.url))
const work = mkdtempSync(join(tmpdir(), 'chkit-pack-'))
const project = join(work, 'project')
let tarball = ''
let packed: readonly string[] = []

function npm(args: readonly string[], cwd: string): string {
  return execFileSync('npm', [...args], { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

beforeAll(() => {
  const [result] = JSON.parse(npm(['pack', '--json', '--ignore-scripts', '--pack-destination', work], root))
  tarball = join(work, result.filename)
  packed = result.files.map(({ path }: { path: string }) => path)
  mkdirSync(project)
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'empty', private: true, type: 'module' }))
  npm(['install', '--no-audit', '--no-fund', tarball], project)
  // The embedded engine is half a gigabyte: the checkout's copy stands in for another download of the same package.
  mkdirSync(join(project, 'node_modules/@chdb'), { recursive: true })
  symlinkSync(join(root, 'node_modules/chdb'), join(project, 'node_modules/chdb'))
  for (const name of readdirSync(join(root, 'node_modules/@chdb'))) {
    symlinkSync(join(root, 'node_modules/@chdb', name), join(project, 'node_modules/@chdb', name))
  }
}, 300_000)

afterAll(() => rmSync(work, { recursive: true, force: true }))

describe('the packed package', () => {
  test('holds the build, the types, the docs and the licence, and nothing else', () => {
    expect(packed).toEqual(
      expect.arrayContaining(['LICENSE', 'README.md', 'CHANGELOG.md', 'dist/main.js', 'dist/index.js']),
    )
    expect(packed).toEqual(expect.arrayContaining(['dist/types/index.d.ts', 'docs/getting-started.md']))
    expect(
      packed.filter((path) => !/^(dist|docs)\/|^(LICENSE|README\.md|CHANGELOG\.md|package\.json)$/.test(path)),
    ).toEqual([])
  })

  test('passes publint', async () => {
    const { publint } = await import('publint')
    const { formatMessage } = await import('publint/utils')
    const { messages } = await publint({ pkgDir: join(project, 'node_modules/chkit'), strict: true, pack: false })
    const pkg = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([])
  })

  test('resolves every export for a program and for the compiler', () => {
    const plugins = readdirSync(join(root, 'src/plugins')).filter((name) =>
      existsSync(join(root, 'src/plugins', name, 'index.ts')),
    )
    const imports = plugins.map((name) => `import * as ${name} from 'chkit/plugins/${name}'`)
    const program = [
      "import { defineConfig, type InferInsert, type InferRow, schema, table } from 'chkit'",
      ...imports,
      'export const events = table({',
      "  database: 'app', name: 'events', engine: 'MergeTree', orderBy: ['id'],",
      "  columns: [{ name: 'id', type: 'UInt64' }, { name: 'tags', type: 'Array(Nullable(String))' }],",
      '})',
      "const row: InferRow<typeof events> = { id: '1', tags: ['a', null] }",
      '// @ts-expect-error a 64-bit integer arrives as a text',
      'const wrong: InferRow<typeof events> = { id: 1, tags: [] }',
      "const insert: InferInsert<typeof events> = { id: '1', tags: [] }",
      "export const config = defineConfig({ schema: './x.ts', plugins: [] })",
      'export default schema(events)',
      `console.log(typeof row, typeof wrong, typeof insert, ${plugins.map((name) => `typeof ${name}`).join(', ')})`,
    ].join('\n')
    writeFileSync(join(project, 'program.ts'), program)
    writeFileSync(
      join(project, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          module: 'nodenext',
          target: 'es2022',
          strict: true,
          skipLibCheck: false,
          outDir: 'out',
          types: [],
        },
        files: ['program.ts'],
      }),
    )
    const tsc = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.json'], {
      cwd: project,
      encoding: 'utf8',
    })
    expect(tsc.stdout + tsc.stderr).toBe('')
    const run = spawnSync(process.execPath, ['out/program.js'], { cwd: project, encoding: 'utf8' })
    expect(run.stderr).toBe('')
    expect(run.stdout.trim()).toBe(['object', 'object', 'object', ...plugins.map(() => 'object')].join(' '))
  })
})

/** A runtime to run the executable with: its name, and the program that npm installs for it. */
const RUNTIMES = [
  { name: 'node 20.19', packages: ['node@20.19.6'], program: 'node_modules/node/bin/node', version: /^v20\.19\./ },
  { name: 'node 24', packages: ['node@24'], program: 'node_modules/node/bin/node', version: /^v24\./ },
  { name: 'bun', packages: ['bun@1.4.5'], program: 'node_modules/bun/bin/bun.exe', version: /^1\./ },
]

describe.each(RUNTIMES)('the whole life on $name', ({ name, packages, program, version }) => {
  const home = join(work, name.replace(/\W/g, '-'))
  const runtime = join(home, 'runtime', program)
  const life = join(home, 'life')

  function chkit(...args: string[]) {
    const { CLICKHOUSE_URL: _url, GITHUB_ACTIONS: _actions, ...env } = process.env
    const main = join(life, 'node_modules/chkit/dist/main.js')
    return spawnSync(runtime, [main, ...args], { cwd: life, encoding: 'utf8', env: { ...env, CI: '1' } })
  }

  function json(...args: string[]) {
    const { status, stdout, stderr } = chkit(...args, '--json')
    return { status, stderr, ...JSON.parse(stdout) }
  }

  beforeAll(() => {
    mkdirSync(join(home, 'runtime'), { recursive: true })
    writeFileSync(join(home, 'runtime/package.json'), JSON.stringify({ private: true }))
    npm(['install', '--no-audit', '--no-fund', ...packages], join(home, 'runtime'))
    mkdirSync(life)
    writeFileSync(join(life, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
    symlinkSync(join(project, 'node_modules'), join(life, 'node_modules'))
  }, 300_000)

  test('init, generate, migrate, change, drift, check', () => {
    expect(execFileSync(runtime, ['--version'], { encoding: 'utf8' })).toMatch(version)
    expect(chkit('--version').stdout.trim()).toBe(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version)
    expect(json('init').created).toEqual(['clickhouse.config.ts', 'src/db/schema/example.ts'])
    expect(json('generate', '--name', 'init')).toMatchObject({ status: 0, ok: true, operationCount: 1 })
    expect(json('migrate', '--apply')).toMatchObject({ status: 0, ok: true, applied: [{ statements: 1 }] })
    expect(json('check')).toMatchObject({ status: 0, ok: true, driftEvaluated: true, drifted: false })

    const file = join(life, 'src/db/schema/example.ts')
    const before = readFileSync(file, 'utf8')
    const after = before.replace(
      /(\n\s*\{ name: 'source'.*\n)/,
      "$1    { name: 'country', type: 'LowCardinality(String)' },\n",
    )
    expect(after).not.toBe(before)
    writeFileSync(file, after)
    expect(json('generate', '--dryrun').operations).toMatchObject([{ type: 'alter_table_add_column' }])
    expect(json('generate')).toMatchObject({ status: 0, operationCount: 1 })
    expect(json('check')).toMatchObject({ status: 1, ok: false, failedChecks: ['pending_migrations'] })
    expect(json('migrate', '--apply')).toMatchObject({ status: 0, ok: true })
    expect(json('generate')).toMatchObject({ status: 0, migrationFile: null })
    expect(json('drift')).toMatchObject({ status: 0, drifted: false })
    expect(json('status')).toMatchObject({ applied: 2, pending: 0 })
    expect(chkit('nonsense').status).toBe(2)
  }, 120_000)
})
