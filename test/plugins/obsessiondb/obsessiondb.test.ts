import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { connect } from '../../../src/clickhouse/connect.js'
import { createProject, type Project } from '../../support/cli.js'

const EMBEDDED = 'chdb:./db'
const SHARED_HOST = 'https://abc.eu-west-1.aws.clickhouse.cloud:8443'

/** Tables of the shared family, an inner table, and a view whose query speaks of engines. */
const schema = (engine = 'SharedReplacingMergeTree(version)', more = '') => `
import { materializedView, table, view } from 'chkit'
export const events = table({
  database: 'app', name: 'events', engine: '${engine}', orderBy: 'id',
  columns: { id: 'UInt64', version: 'UInt64', ${more} },
})
export const replicated = table({
  database: 'app', name: 'replicated', orderBy: 'id', columns: { id: 'UInt64' },
  engine: "SharedMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}')",
})
export const totals = materializedView({
  database: 'app', name: 'totals', engine: 'SharedSummingMergeTree', orderBy: 'id',
  as: 'SELECT id, count() AS n FROM app.events GROUP BY id',
})
export const engines = view({
  database: 'app', name: 'engines', as: "SELECT name, engine = 'SharedMergeTree' AS is_shared FROM system.tables",
})
`

let project: Project
afterEach(() => project.remove())

function start(url: string | undefined, options = '{}', text = schema()): void {
  const connection = url === undefined ? '' : `clickhouse: { url: '${url}', database: 'app' },`
  project = createProject({ 'schema.ts': text })
  configure(connection, options)
}

function configure(connection: string, options = '{}'): void {
  project.write({
    'clickhouse.config.ts': `import { defineConfig } from 'chkit'
import { obsessiondb } from 'chkit/plugins/obsessiondb'
export default defineConfig({ schema: './schema.ts', ${connection} plugins: [obsessiondb(${options})] })
`,
  })
}

const folder = () => join(project.dir, 'chkit/migrations')
const migrations = () => readdirSync(folder()).sort()
const migration = (index = 0) => readFileSync(join(folder(), migrations()[index] ?? ''), 'utf8')
const snapshot = () => readFileSync(join(project.dir, 'chkit/meta/snapshot.json'), 'utf8')
const run = (...argv: string[]) => project.run([...argv, '--json'])

async function liveEngines(): Promise<Record<string, string>> {
  const executor = await connect({ url: EMBEDDED }, { root: project.dir })
  try {
    const rows = await executor.query<{ name: string; engine_full: string }>(
      "SELECT name, engine_full FROM system.tables WHERE database = 'app' AND name IN ('events', 'replicated', 'plain') ORDER BY name",
    )
    return Object.fromEntries(rows.map(({ name, engine_full }) => [name, engine_full.split(' ORDER')[0] ?? '']))
  } finally {
    await executor.close()
  }
}

async function expectClean(...flags: string[]): Promise<void> {
  expect((await run('status', ...flags)).json).toMatchObject({ ok: true, pending: 0 })
  expect((await run('drift', '--exit-code', ...flags)).json).toMatchObject({ ok: true, drifted: false })
  expect((await run('check', '--strict', ...flags)).json).toMatchObject({ ok: true, failedChecks: [] })
  expect((await run('generate', ...flags)).json).toMatchObject({ ok: true, operationCount: 0 })
}

const PLAIN = { events: 'ReplacingMergeTree(version)', replicated: 'MergeTree' }
const FLAGS = [[], ['--force-shared-engines'], ['--no-shared-engines']] as const

describe('on a server without shared engines', () => {
  test('plan and migration show the plain engines, the snapshot keeps the declared ones', async () => {
    start(EMBEDDED)
    const plan = await run('generate', '--dryrun')
    expect(plan.json.operations).toContainEqual({
      type: 'create_table',
      key: 'table:app.events',
      risk: 'safe',
      reason: 'Table app.events is new.',
      sql: expect.stringContaining('ENGINE = ReplacingMergeTree(version)'),
      warning:
        'SharedReplacingMergeTree is written as ReplacingMergeTree: the embedded engine is neither an ObsessionDB host nor ClickHouse Cloud.',
    })
    await run('generate')
    expect(migration()).toContain('--   SharedReplacingMergeTree is written as ReplacingMergeTree: the embedded engine')
    expect(migration()).not.toMatch(/ENGINE = Shared/)
    expect(migration()).not.toContain('{replica}')
    expect(migration()).toContain("engine = 'SharedMergeTree'")
    expect(snapshot()).toContain('"SharedReplacingMergeTree"')
    expect(snapshot()).toContain('"SharedSummingMergeTree"')
    expect(await run('migrate', '--apply')).toMatchObject({ exitCode: 0 })
    expect(await liveEngines()).toEqual(PLAIN)
    for (const flags of FLAGS) await expectClean(...flags)
  })

  test('a migration generated with --force-shared-engines runs with plain ones', async () => {
    start(EMBEDDED)
    await run('generate', '--force-shared-engines')
    expect(migration()).toContain('ENGINE = SharedReplacingMergeTree(version)')
    expect(migration()).toContain("ENGINE = SharedMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}')")
    const applied = await run('migrate', '--apply')
    expect(applied).toMatchObject({ exitCode: 0, json: { ok: true } })
    expect(applied.stderr).toContain('SharedReplacingMergeTree runs as ReplacingMergeTree')
    expect(await liveEngines()).toEqual(PLAIN)
    for (const flags of FLAGS) await expectClean(...flags)
  })

  test('migrate --force-shared-engines sends them as they are; the next run goes on without the flag', async () => {
    start(EMBEDDED)
    await run('generate', '--force-shared-engines')
    const failed = await run('migrate', '--apply', '--force-shared-engines')
    expect(failed).toMatchObject({ exitCode: 1, json: { code: 'migration_failed' } })
    expect(String(failed.json.error)).toMatch(/SharedReplacingMergeTree|SharedMergeTree/)
    expect(await run('migrate', '--apply')).toMatchObject({ exitCode: 0 })
    await expectClean()
  })

  test('a migration written by hand is rewritten as well', async () => {
    start(EMBEDDED, '{}', 'export default []')
    project.write({
      'chkit/migrations/20260101000000_hand.sql':
        'CREATE TABLE app.plain (id UInt64) ENGINE = SharedMergeTree ORDER BY id;\n' +
        'INSERT INTO app.plain SELECT 1; -- ENGINE = SharedMergeTree\n',
    })
    expect(await run('migrate', '--apply', '--no-shared-engines')).toMatchObject({ exitCode: 0 })
    expect(await liveEngines()).toEqual({ plain: 'MergeTree' })
  })

  test('a later change of such a table is planned and applied', async () => {
    start(EMBEDDED)
    await run('generate', '--migration-id', '20260101000000')
    await run('migrate', '--apply')
    project.write({ 'schema.ts': schema(undefined, "note: 'String'") })
    expect((await run('generate', '--migration-id', '20260102000000')).json).toMatchObject({ operationCount: 1 })
    expect(migration(1)).toContain('ALTER TABLE app.events ADD COLUMN')
    await run('migrate', '--apply')
    await expectClean()
  })

  test.each([
    { name: 'refused without', flags: [] },
    { name: 'recreated with', flags: ['--allow-recreate'] },
  ])('a declared engine that only becomes shared is not $name --allow-recreate', async ({ flags }) => {
    start(EMBEDDED, '{}', schema('ReplacingMergeTree(version)'))
    await run('generate', '--migration-id', '20260101000000')
    await run('migrate', '--apply')
    project.write({ 'schema.ts': schema('SharedReplacingMergeTree(version)') })
    expect((await run('generate', ...flags)).json).toMatchObject({ ok: true, operationCount: 0 })
    project.write({ 'schema.ts': schema('SharedReplacingMergeTree(version)', "note: 'String'") })
    expect((await run('generate', '--migration-id', '20260102000000')).json).toMatchObject({
      operationCount: 1,
      riskSummary: { danger: 0 },
    })
    await run('migrate', '--apply')
    await expectClean()
    project.write({ 'schema.ts': schema('SharedSummingMergeTree', "note: 'String'") })
    expect((await run('generate')).json).toMatchObject({ code: 'rebuild_required' })
  })

  test('a table that is made anew, and the text of a raw object', async () => {
    const declared = (engine: string) => `import { raw, table } from 'chkit'
export const events = table({ database: 'app', name: 'events', engine: '${engine}', orderBy: 'id', columns: { id: 'UInt64' } })
export const plain = raw({ key: 'plain', create: 'CREATE TABLE app.plain (id UInt64) ENGINE = SharedMergeTree ORDER BY id' })`
    start(EMBEDDED, '{}', declared('SharedMergeTree'))
    await run('generate', '--migration-id', '20260101000000')
    expect(await run('migrate', '--apply')).toMatchObject({ exitCode: 0 })
    expect(await liveEngines()).toEqual({ events: 'MergeTree', plain: 'MergeTree' })
    project.write({ 'schema.ts': declared('SharedSummingMergeTree') })
    expect((await run('generate')).json).toMatchObject({ code: 'rebuild_required' })
    const plan = await run('generate', '--allow-recreate', '--migration-id', '20260102000000')
    expect(plan.json).toMatchObject({ ok: true, riskSummary: { safe: 0, caution: 0 } })
    expect(migration(1)).toContain('SharedSummingMergeTree is written as SummingMergeTree')
    expect(await run('migrate', '--apply', '--allow-destructive')).toMatchObject({ exitCode: 0 })
    expect(await liveEngines()).toMatchObject({ events: 'SummingMergeTree' })
    const drift = await run('drift')
    expect(drift.json.tableDrift).toEqual([])
  })

  test('check says what was decided', async () => {
    start(EMBEDDED)
    await run('generate')
    await run('migrate', '--apply')
    const metadata = async (...flags: string[]) =>
      ((await run('check', ...flags)).json.plugins as { obsessiondb: { metadata: unknown } }).obsessiondb.metadata
    expect(await metadata()).toEqual({
      sharedEngines: 'rewritten',
      reason: 'the embedded engine is neither an ObsessionDB host nor ClickHouse Cloud',
      host: 'chdb',
    })
    expect(await metadata('--force-shared-engines')).toMatchObject({ sharedEngines: 'kept' })
  })
})

describe('generate, by target', () => {
  test.each([
    { name: 'ClickHouse Cloud', url: SHARED_HOST, options: '{}', flags: [], shared: true },
    { name: 'an ObsessionDB host', url: 'https://x.obsessiondb.com', options: '{}', flags: [], shared: true },
    {
      name: 'a host of the options',
      url: 'http://db.corp:8123',
      options: "{ hosts: ['*.corp'] }",
      flags: [],
      shared: true,
    },
    { name: 'no connection', url: undefined, options: '{}', flags: [], shared: true },
    { name: 'a plain server', url: 'http://localhost:1', options: '{}', flags: [], shared: false },
    { name: 'Cloud, overridden', url: SHARED_HOST, options: '{}', flags: ['--no-shared-engines'], shared: false },
    {
      name: 'a plain server, overridden',
      url: 'http://localhost:1',
      options: '{}',
      flags: ['--force-shared-engines'],
      shared: true,
    },
  ])('$name: shared engines $shared', async ({ url, options, flags, shared }) => {
    start(url, options)
    const plan = await run('generate', '--dryrun', ...flags)
    expect(plan.exitCode).toBe(0)
    const sql = JSON.stringify((plan.json.operations as { sql: string }[]).map((operation) => operation.sql))
    expect(/ENGINE = Shared/.test(sql)).toBe(shared)
  })

  test('generated for Cloud, applied to a plain server', async () => {
    start(SHARED_HOST)
    await run('generate', '--migration-id', '20260101000000')
    // The head is all that the next command reads, so that the target may change between the two.
    expect(migration()).toContain('ENGINE = SharedMergeTree')
    configure(`clickhouse: { url: '${EMBEDDED}', database: 'app' },`)
    expect(await run('migrate', '--apply')).toMatchObject({ exitCode: 0 })
    expect(await liveEngines()).toEqual(PLAIN)
    await expectClean()
  })
})

describe('flags and options', () => {
  test.each(['generate', 'migrate', 'status', 'drift', 'check'])('%s refuses both flags at once', async (command) => {
    start(EMBEDDED)
    expect(await run(command, '--force-shared-engines', '--no-shared-engines')).toMatchObject({
      exitCode: 2,
      json: { code: 'invalid_flag_value' },
    })
    const help = await project.run([command, '--help'])
    expect(help.stdout).toContain('--force-shared-engines')
    expect(help.stdout).toContain('--no-shared-engines')
  })

  test.each(["{ hosts: ['https://x.example'] }", "{ hosts: 'x' }", '{ host: [] }'])(
    'options %s are refused',
    async (options) => {
      start(EMBEDDED, options)
      expect(await run('status')).toMatchObject({ exitCode: 2, json: { code: 'plugin_option_invalid' } })
    },
  )
})
