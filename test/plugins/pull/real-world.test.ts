import { spawnSync } from 'node:child_process'
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect } from '../../../src/clickhouse/connect.js'
import type { Executor } from '../../../src/clickhouse/executor.js'
import { createProject, type Project } from '../../support/cli.js'
import { realWorldScenarios } from './real-world.js'

/**
 * Statements as real projects have them: created on one engine, pulled through the front door, generated and applied on
 * an empty engine. Every object must then have the same `create_table_query`.
 */

const scenarios = realWorldScenarios()
const repository = fileURLToPath(new URL('../../..', import.meta.url))

/** Settings that the authors of these statements have in their profiles. */
const settings = {
  allow_suspicious_low_cardinality_types: 1,
  allow_suspicious_fixed_string_types: 1,
  allow_suspicious_variant_types: 1,
  allow_suspicious_codecs: 1,
  allow_suspicious_ttl_expressions: 1,
  allow_suspicious_primary_key: 1,
  allow_experimental_codecs: 1,
  allow_suspicious_indices: 1,
  allow_materialized_view_with_bad_select: 1,
  allow_experimental_time_series_table: 1,
  allow_experimental_window_view: 1,
  allow_deprecated_syntax_for_merge_tree: 1,
  enable_nullable_tuple_type: 1,
  allow_statistics: 1,
  enable_time_time64_type: 1,
}

/** Of these, what a project needs to apply the pulled schema: what no table can say in its CREATE. */
const sessionSettings = {
  // A target that does not exist, or lacks a column.
  allow_materialized_view_with_bad_select: 1,
  // CREATE TABLE ... AS merge(...).
  allow_suspicious_variant_types: 1,
  allow_experimental_window_view: 1,
}

/** What a server of these projects has beside its defaults: clusters, a second volume, graphite rules. */
const ENGINE = `<clickhouse>
  <remote_servers>${['default', 'main', 'cluster_1'].map((name) => `<${name}><shard><replica><host>127.0.0.1</host><port>9000</port></replica></shard></${name}>`).join('')}</remote_servers>
  <macros><shard>01</shard><replica>r1</replica><cluster>main</cluster></macros>
  <storage_configuration>
    <disks><cold><type>local</type><path>/tmp/chkit-real-world-cold/</path></cold></disks>
    <policies><hot_cold><volumes><hot><disk>default</disk></hot><cold><disk>cold</disk></cold></volumes></hot_cold></policies>
  </storage_configuration>
  <custom_local_disks_base_directory>/tmp/</custom_local_disks_base_directory>
  <graphite_rollup><path_column_name>metric</path_column_name><time_column_name>ts</time_column_name><value_column_name>val</value_column_name><version_column_name>updated</version_column_name><default><function>avg</function><retention><age>0</age><precision>60</precision></retention></default></graphite_rollup>
</clickhouse>`

/** Objects that do not come back identical, and why. */
const KNOWN: Readonly<Record<string, string>> = {}

type Objects = ReadonlyMap<string, string>

async function liveObjects(executor: Executor): Promise<Objects> {
  const rows = await executor.query<{ key: string; text: string }>(
    `SELECT concat(database, '.', name) AS key, create_table_query AS text FROM system.tables
     WHERE startsWith(database, 'rw_') AND NOT startsWith(name, '.inner')
     UNION ALL SELECT concat('function ', name), create_query FROM system.functions WHERE origin = 'SQLUserDefined'
     UNION ALL SELECT concat('database ', name), concat(engine_full, ' ', comment) FROM system.databases WHERE startsWith(name, 'rw_')`,
  )
  return new Map(rows.map(({ key, text }) => [key, text]))
}

function config(data: string, query: Readonly<Record<string, number>>): string {
  return `import { defineConfig } from 'chkit'
import { pull } from 'chkit/plugins/pull'
export default defineConfig({
  schema: './src/db/schema/**/*.ts',
  plugins: [pull({ overwrite: true })],
  clickhouse: { url: 'chdb:${data}?config=./engine.xml', settings: ${JSON.stringify(query)} },
})`
}

const refused: string[] = []
let accepted: Objects = new Map()
let engine: Executor
let source: Project
let target: Project

beforeAll(async () => {
  source = createProject({ 'clickhouse.config.ts': config('./data', {}), 'engine.xml': ENGINE })
  target = createProject({
    'clickhouse.config.ts': config(join(source.dir, 'data'), sessionSettings),
    'engine.xml': ENGINE,
  })
  // Stays open: a process whose engine was closed once can make no Kafka tables any more.
  engine = await connect({ url: 'chdb:./data?config=./engine.xml', settings }, { root: source.dir })
  for (const { name, statements } of scenarios) {
    await engine.command(`CREATE DATABASE ${name}`)
    const own = await connect(
      { url: 'chdb:./data?config=./engine.xml', database: name, settings },
      { root: source.dir },
    )
    for (const { text, settings: session } of statements) {
      try {
        await own.command(text, { settings: session })
      } catch (error) {
        const start = text
          .replace(/^--.*\n/gm, '')
          .slice(0, 90)
          .replace(/\s+/g, ' ')
        refused.push(`${name}: ${start}: ${String(error).slice(0, 250)}`)
      }
    }
    await own.close()
  }
  accepted = await liveObjects(engine)
}, 300_000)

afterAll(async () => {
  await engine.close()
  source.remove()
  target.remove()
  // The engine makes these itself: a SQLite file in the working directory, and the folders of disks.
  for (const path of ['sqlite.db', '/tmp/chkit-real-world-cold', '/tmp/chkit-real-world-local'])
    rmSync(path, { recursive: true, force: true })
})

/** Leaves the server as empty as it was. */
async function dropAll(): Promise<void> {
  const databases = await engine.query<{ name: string }>(
    "SELECT name FROM system.databases WHERE startsWith(name, 'rw_')",
  )
  for (const { name } of databases) await engine.command(`DROP DATABASE \`${name}\` SYNC`)
  const functions = await engine.query<{ name: string }>(
    "SELECT name FROM system.functions WHERE origin = 'SQLUserDefined'",
  )
  for (const { name } of functions) await engine.command(`DROP FUNCTION \`${name}\``)
}

test('a baseline of the corpus leaves nothing to generate and no drift', async () => {
  const pulled = await source.run(['pull', '--baseline', '--json'])
  expect(pulled.exitCode, pulled.stderr.slice(-2000)).toBe(0)
  const planned = await source.run(['generate', '--dryrun', '--json'])
  expect(planned.json).toMatchObject({ ok: true, operations: [] })
  const drift = (await source.run(['drift', '--json'])).json
  expect({ drifted: drift.drifted, tables: drift.tableDrift, objects: drift.objectDrift }).toEqual({
    drifted: false,
    tables: [],
    objects: [],
  })
  const checked = await source.run(['check', '--json'])
  expect(checked.json).toMatchObject({ ok: true })
}, 300_000)

test('the pulled schema of the corpus passes the type checker', async () => {
  await source.run(['pull', '--force'])
  const compilerOptions = {
    noEmit: true,
    rootDir: '/',
    types: ['node'],
    typeRoots: [join(repository, 'node_modules/@types')],
    paths: { chkit: [join(repository, 'src/index.ts')] },
  }
  source.write({
    'package.json': '{ "type": "module" }',
    'tsconfig.json': JSON.stringify({
      extends: join(repository, 'tsconfig.json'),
      compilerOptions,
      include: ['src/**/*.ts'],
    }),
  })
  const { stdout } = spawnSync(join(repository, 'node_modules/.bin/tsc'), ['-p', source.dir], { encoding: 'utf8' })
  expect(stdout.split('\n').filter((line) => line.includes('pulled.ts'))).toEqual([])
}, 300_000)

/** What Biome has to say to the schema files, with the options of this repository. */
function formatted(project: Project) {
  const { formatter, javascript } = JSON.parse(readFileSync(join(repository, 'biome.json'), 'utf8'))
  project.write({ 'biome.json': JSON.stringify({ formatter, javascript, files: { maxSize: 2 ** 24 } }) })
  const biome = join(repository, 'node_modules/.bin/biome')
  const { status, stdout } = spawnSync(biome, ['format', '--colors=off', 'src'], { cwd: project.dir, encoding: 'utf8' })
  return { status, stdout: stdout.slice(0, 2000) }
}

test('the pulled schema of the corpus is formatted', () => {
  expect(formatted(source)).toEqual({ status: 0, stdout: '' })
})

test('one file per object is the same schema', async () => {
  const some = scenarios.slice(0, 8).flatMap(({ name }) => ['--database', name])
  const plans: unknown[] = []
  for (const layout of ['single', 'per-table']) {
    const pulled = await target.run(['pull', '--layout', layout, ...some, '--json'])
    expect(pulled.exitCode, pulled.stderr.slice(-2000)).toBe(0)
    expect(formatted(target)).toEqual({ status: 0, stdout: '' })
    const planned = await target.run(['generate', '--dryrun', '--json'])
    plans.push(planned.json)
    rmSync(join(target.dir, 'src'), { recursive: true })
  }
  expect(plans[0]).toMatchObject({ ok: true })
  expect(plans[1]).toEqual(plans[0])
}, 300_000)

test('every object of the corpus comes back identical', async () => {
  const pulled = await source.run(['pull', '--json'])
  expect(pulled.exitCode, pulled.stderr).toBe(0)
  const report = pulled.json as {
    fallbacks: { object: string; reason: string }[]
    skipped: unknown[]
    secrets: { variable: string }[]
  }
  cpSync(join(source.dir, 'src'), join(target.dir, 'src'), { recursive: true })
  const generated = await target.run(['generate', '--json'])
  expect(generated.exitCode, generated.stderr + generated.stdout).toBe(0)
  await dropAll()
  expect((await liveObjects(engine)).size).toBe(0)
  const applied = await target.run(['migrate', '--apply', '--json'], {
    env: {
      // Any value: the server shows it as hidden again.
      ...Object.fromEntries(report.secrets.map(({ variable }) => [variable, 'x'])),
      HOME: source.dir,
      RW_PIPELINES_S3_BACKED_SECRET: '/tmp/chkit-real-world-local/',
    },
  })
  if (applied.exitCode !== 0) console.log(applied.stdout.slice(0, 3000))
  const live = await liveObjects(engine)
  const different = [...accepted].filter(([key, text]) => live.get(key) !== text)
  const share = `${accepted.size - different.length} of ${accepted.size} objects identical, ${refused.length} statements refused by the engine`
  console.log(share)
  if (process.env.CHKIT_REAL_WORLD_LOG)
    writeFileSync(
      process.env.CHKIT_REAL_WORLD_LOG,
      [
        share,
        '== refused',
        ...refused,
        '== fallbacks',
        ...report.fallbacks.map(({ object, reason }) => `${object}: ${reason}`),
        '== different',
        ...different.map(([key, text]) =>
          live.has(key) ? `${key}\n  ${text}\n  ${live.get(key)}` : `${key} is missing`,
        ),
        '== migration',
        readdirSync(join(target.dir, 'chkit/migrations'))
          .map((name) => readFileSync(join(target.dir, 'chkit/migrations', name), 'utf8'))
          .join('\n'),
      ].join('\n'),
    )
  expect(applied.exitCode).toBe(0)
  expect(report.skipped).toEqual([])
  expect(different.map(([key]) => key).filter((key) => !(key in KNOWN))).toEqual([])
}, 300_000)
