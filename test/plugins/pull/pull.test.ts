import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { connect } from '../../../src/clickhouse/connect.js'
import type { Executor } from '../../../src/clickhouse/executor.js'
import { createProject, type Project } from '../../support/cli.js'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const PULLED = 'src/db/schema/pulled.ts'

const STATEMENTS = [
  'CREATE DATABASE app',
  "CREATE TABLE app.`user events` (id UInt64 COMMENT 'it\\'s', kind Enum8('view' = 1) DEFAULT 'view', at DateTime DEFAULT now(), INDEX ix kind TYPE set(10)) ENGINE = ReplacingMergeTree(at) PARTITION BY toYYYYMM(at) ORDER BY (id) TTL at + INTERVAL 1 DAY SETTINGS index_granularity = 1024 COMMENT 'événements 🎉'",
  'CREATE TABLE app.daily (day Date, total UInt64) ENGINE = SummingMergeTree ORDER BY day',
  'CREATE MATERIALIZED VIEW app.to_daily TO app.daily AS SELECT toDate(at) AS day, count() AS total FROM app.`user events` GROUP BY day',
  'CREATE MATERIALIZED VIEW app.kept ENGINE = MergeTree ORDER BY id AS SELECT id FROM app.`user events`',
  'CREATE VIEW app.recent AS SELECT id, at FROM app.`user events` WHERE at > now() - INTERVAL 1 DAY',
  "CREATE DICTIONARY app.kinds (id UInt64, name String DEFAULT '?') PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 'daily' DB 'app' USER 'reader' PASSWORD 'secret')) LAYOUT(FLAT()) LIFETIME(300)",
  'CREATE FUNCTION pull_twice AS x -> x * 2',
  'CREATE TABLE app._chkit_migrations_old (x UInt8) ENGINE = Memory',
  "CREATE DATABASE lonely COMMENT 'nothing in it'",
]

let project: Project
let engine: Executor

function config(options = '{}', extra = ''): string {
  return `import { defineConfig } from 'chkit'
import { pull } from 'chkit/plugins/pull'
export default defineConfig({ schema: './src/db/schema/**/*.ts', plugins: [pull(${options})], clickhouse: { url: 'chdb:./data' }, ${extra} })`
}

beforeEach(async () => {
  project = createProject({ 'clickhouse.config.ts': config() })
  engine = await connect({ url: 'chdb:./data' }, { root: project.dir })
  for (const statement of STATEMENTS) await engine.command(statement)
})

afterEach(async () => {
  await engine.command('DROP FUNCTION IF EXISTS pull_twice')
  await engine.close()
  project.remove()
})

const read = (file: string) => readFileSync(join(project.dir, file), 'utf8')

test('writes every object, and answers with what it wrote', async () => {
  const { exitCode, json } = await project.run(['pull', '--json'])
  expect(exitCode).toBe(0)
  expect(json).toMatchObject({
    command: 'pull schema',
    ok: true,
    mode: 'write',
    outFile: PULLED,
    layout: 'single',
    databases: ['app', 'lonely'],
    objectCount: 8,
    counts: { database: 1, dictionary: 1, materialized_view: 2, sql_function: 1, table: 2, view: 1 },
    files: [{ file: PULLED, status: 'created' }],
    fallbacks: [],
    skipped: [],
    secrets: [{ object: 'app.kinds', variable: 'APP_KINDS_SECRET' }],
    baseline: null,
  })
  await expect(read(PULLED)).toMatchFileSnapshot('../../../fixtures/pull/every-kind/pulled.golden')
  expect(read(PULLED)).not.toContain('_chkit_')
})

test('what it writes passes the type checker', async () => {
  await project.run(['pull'])
  project.write({ 'package.json': '{ "type": "module" }' })
  writeFileSync(
    join(project.dir, 'tsconfig.json'),
    JSON.stringify({
      extends: join(root, 'tsconfig.json'),
      compilerOptions: {
        noEmit: true,
        rootDir: '/',
        types: ['node'],
        typeRoots: [join(root, 'node_modules/@types')],
        paths: { chkit: [join(root, 'src/index.ts')] },
      },
      include: ['src/**/*.ts'],
    }),
  )
  const { status, stdout } = spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', project.dir], { encoding: 'utf8' })
  expect({ status, stdout }).toEqual({ status: 0, stdout: '' })
}, 60_000)

test('its three names are one command', async () => {
  const runs = [['pull'], ['pull', 'schema'], ['plugin', 'pull', 'schema']]
  const texts: string[] = []
  for (const words of runs) {
    const { exitCode } = await project.run([...words, '--force'])
    expect(exitCode).toBe(0)
    texts.push(read(PULLED))
  }
  expect(new Set(texts).size).toBe(1)
})

describe('files that are there', () => {
  test('a file with other text is kept unless --force is given', async () => {
    project.write({ [PULLED]: '// mine\n' })
    const refused = await project.run(['pull', '--json'])
    expect(refused.json).toMatchObject({ ok: false, code: 'file_exists' })
    expect(read(PULLED)).toBe('// mine\n')
    for (const flag of ['--force', '--overwrite']) {
      project.write({ [PULLED]: '// mine\n' })
      expect((await project.run(['pull', flag, '--json'])).json).toMatchObject({ files: [{ status: 'updated' }] })
    }
  })

  test('the option overwrite stands for the flag', async () => {
    project.write({ [PULLED]: '// mine\n', 'clickhouse.config.ts': config('{ overwrite: true }') })
    expect((await project.run(['pull'])).exitCode).toBe(0)
  })

  test('the same text again is no change', async () => {
    await project.run(['pull'])
    expect((await project.run(['pull', '--json'])).json).toMatchObject({ files: [{ status: 'unchanged' }] })
  })

  test('--dryrun shows the text and writes nothing', async () => {
    const { json } = await project.run(['pull', '--dryrun', '--json'])
    expect(json).toMatchObject({ mode: 'dryrun', files: [{ file: PULLED, status: 'created' }] })
    expect(existsSync(join(project.dir, PULLED))).toBe(false)
    const shown = await project.run(['pull', '--dryrun'])
    expect(shown.stdout).toContain('export const userEvents = table({')
  })

  test('a place that cannot be written is an error and leaves nothing', async () => {
    project.write({ 'src/db': 'a file where a folder is needed' })
    const { json } = await project.run(['pull', '--json'])
    expect(json).toMatchObject({ ok: false, code: 'file_unwritable' })
  })
})

describe('the layout per-table', () => {
  test('writes one file per object, and removes those of objects that are gone', async () => {
    project.write({ 'clickhouse.config.ts': config("{ layout: 'per-table' }") })
    await project.run(['pull'])
    const list = () => readdirSync(join(project.dir, 'src/db/schema/pulled'), { recursive: true }).map(String).sort()
    expect(list()).toEqual([
      'app',
      'app/daily.ts',
      'app/kept.ts',
      'app/kinds.ts',
      'app/recent.ts',
      'app/to_daily.ts',
      'app/user_events-326ba49f.ts',
      'databases.ts',
      'functions.ts',
    ])
    project.write({ 'src/db/schema/pulled/mine.ts': 'export {}\n' })
    await engine.command('DROP VIEW app.recent')
    expect((await project.run(['pull', '--json'])).json).toMatchObject({ ok: false, code: 'file_exists' })
    const { json } = await project.run(['pull', '--force', '--json'])
    expect(json.files).toContainEqual({ file: 'src/db/schema/pulled/app/recent.ts', status: 'removed' })
    expect(list()).toContain('mine.ts')
    expect((await project.run(['generate', '--dryrun', '--json'])).json).toMatchObject({ ok: true })
  })
})

describe('databases', () => {
  test('--database leaves the others out', async () => {
    const { json } = await project.run(['pull', '--database', 'lonely', '--json'])
    expect(json).toMatchObject({ databases: ['lonely'], counts: { database: 1, sql_function: 1 } })
  })

  test('a database that is not there is an error that names it', async () => {
    const { json } = await project.run(['pull', '--database', 'App', '--json'])
    expect(json).toMatchObject({ ok: false, code: 'database_not_found', error: expect.stringContaining('"App"') })
  })

  test('an option that makes no sense is refused before anything is read', async () => {
    project.write({ 'clickhouse.config.ts': config("{ layout: 'folders' }") })
    const { exitCode, json } = await project.run(['pull', '--json'])
    expect(exitCode).toBe(2)
    expect(json).toMatchObject({ code: 'plugin_option_invalid' })
    project.write({ 'clickhouse.config.ts': config() })
    expect((await project.run(['pull', '--out-file', 'pulled.txt', '--json'])).json).toMatchObject({
      code: 'invalid_flag_value',
    })
  })
})

describe('--baseline', () => {
  test('adopts the database: nothing to generate, no drift, a clean check', async () => {
    const { json } = await project.run(['pull', '--baseline', '--json'])
    expect(json).toMatchObject({
      ok: true,
      baseline: {
        migrationFile: expect.stringMatching(/^chkit\/migrations\/\d+_baseline\.sql$/),
        snapshotFile: 'chkit/meta/snapshot.json',
        journal: 'default._chkit_migrations',
      },
    })
    expect((await project.run(['generate', '--json'])).json).toMatchObject({ operationCount: 0, migrationFile: null })
    expect((await project.run(['status', '--json'])).json).toMatchObject({ pending: 0 })
    expect((await project.run(['drift', '--json'])).json).toMatchObject({ drifted: false })
    expect((await project.run(['check', '--json'])).json).toMatchObject({ ok: true })
  })

  test('adopts named collections, whose values the server hides', async () => {
    await engine.command("CREATE NAMED COLLECTION pull_source AS host = 'h', password = 'collection-secret'")
    try {
      const { json } = await project.run(['pull', '--baseline', '--json'])
      expect(json).toMatchObject({ ok: true, counts: { named_collection: 1 } })
      expect(read(PULLED)).not.toContain('collection-secret')
      expect((await project.run(['generate', '--dryrun', '--json'])).json).toMatchObject({ operations: [] })
      expect((await project.run(['drift', '--json'])).json).toMatchObject({ drifted: false })
      await engine.command('DROP NAMED COLLECTION pull_source')
      expect((await project.run(['drift', '--json'])).json).toMatchObject({ drifted: true })
    } finally {
      await engine.command('DROP NAMED COLLECTION IF EXISTS pull_source')
    }
  })

  test('is refused where there is a history, and nothing is written', async () => {
    await project.run(['pull', '--baseline'])
    await engine.command('CREATE TABLE app.later (x UInt8) ENGINE = Memory')
    const before = read(PULLED)
    const { json } = await project.run(['pull', '--baseline', '--json'])
    expect(json).toMatchObject({ ok: false, code: 'file_exists' })
    const fresh = await project.run(['pull', '--baseline', '--out-file', 'src/db/schema/other.ts', '--json'])
    expect(fresh.json).toMatchObject({ ok: false, code: 'history_exists' })
    expect(existsSync(join(project.dir, 'src/db/schema/other.ts'))).toBe(false)
    expect(read(PULLED)).toBe(before)
  })

  test('with --force adds the difference, marked as applied', async () => {
    await project.run(['pull', '--baseline'])
    await engine.command('CREATE TABLE app.later (x UInt8) ENGINE = Memory')
    const { json } = await project.run(['pull', '--baseline', '--force', '--json'])
    expect(json).toMatchObject({ ok: true, baseline: { statementCount: 1 } })
    expect((await project.run(['generate', '--json'])).json).toMatchObject({ operationCount: 0 })
    expect((await project.run(['check', '--json'])).json).toMatchObject({ ok: true })
    expect(readdirSync(join(project.dir, 'chkit/migrations')).filter((name) => name.endsWith('.sql'))).toHaveLength(2)
  })

  test('warns where the config does not look at the file that was written', async () => {
    const { json } = await project.run(['pull', '--baseline', '--out-file', 'elsewhere/pulled.ts', '--json'])
    expect(String(json.warnings)).toMatch(/schema/i)
  })
})

test('thousands of tables take seconds and a handful of queries', async () => {
  await engine.command('CREATE DATABASE many')
  const columns = Array.from(
    { length: 20 },
    (_, index) => `c${index} UInt64 DEFAULT ${index} COMMENT 'column ${index}'`,
  )
  for (let index = 0; index < 1000; index++)
    await engine.command(`CREATE TABLE many.t${index} (${columns.join(', ')}) ENGINE = Memory`)
  // The processor's time: on a busy machine the clock counts the others too.
  const before = process.cpuUsage()
  const { json } = await project.run(['pull', '--database', 'many', '--json'])
  const { user, system } = process.cpuUsage(before)
  expect(json).toMatchObject({ counts: { table: 1000 } })
  expect((user + system) / 1e6).toBeLessThan(5)
}, 120_000)
