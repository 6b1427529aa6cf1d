/** TimeSeries tables through the command line: their samples, tags and metrics are a part of the declaration. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { connect } from '../../src/clickhouse/connect.js'
import { createProject, type Project } from '../support/cli.js'

const CONFIG = `import { pull } from 'chkit/plugins/pull'
export default () => ({
  schema: './schema.ts',
  clickhouse: {
    url: 'chdb:./db',
    database: 'app',
    settings: { allow_experimental_time_series_table: 1 },
  },
  plugins: [pull({ outFile: './schema.ts', overwrite: true })],
})\n`

const METRICS = `table({ database: 'app', name: 'm', engine: 'ReplacingMergeTree', orderBy: 'metric_family_name',
  columns: { metric_family_name: 'String', type: 'LowCardinality(String)', unit: 'LowCardinality(String)', help: 'String' } })`

const WRITTEN = `table({ database: 'app', name: 'written', engine: 'TimeSeries', columns: [],
  settings: { tags_to_columns: "fn:{'instance':'instance'}", store_min_time_and_max_time: 0 },
  targets: {
    metrics: 'app.m',
    samples: {
      columns: { id: 'UInt64', timestamp: { type: 'DateTime64(6)', codec: 'DoubleDelta, ZSTD' }, value: 'FLOAT' },
      engine: 'MergeTree', orderBy: '(id, timestamp)', ttl: 'toDateTime(timestamp) + INTERVAL 1 YEAR',
      settings: { index_granularity: 8192, min_bytes_for_wide_part: '0' },
    },
    tags: {
      columns: { id: { type: 'UInt64', defaultExpression: 'sipHash64(metric_name, all_tags)', comment: "the tags' hash" } },
      engine: 'ReplacingMergeTree', primaryKey: 'metric_name', orderBy: ['metric_name', 'id'],
    },
  },
  comment: 'all written' })`

let project: Project
beforeEach(() => {
  project = createProject({ 'clickhouse.config.ts': CONFIG })
})
afterEach(() => project.remove())

function declare(...definitions: string[]): void {
  const text = `import { schema, table } from 'chkit'\nexport default schema(${definitions.join(', ')})\n`
  project.write({ 'schema.ts': text })
}

async function query<Row>(sql: string, { dir } = project): Promise<Row[]> {
  const settings = { allow_experimental_time_series_table: 1 }
  const executor = await connect({ url: 'chdb:./db', settings }, { root: dir })
  try {
    return await executor.query<Row>(sql)
  } finally {
    await executor.close()
  }
}

async function statements(from = project): Promise<readonly string[]> {
  const rows = await query<{ text: string }>(
    "SELECT create_table_query AS text FROM system.tables WHERE database = 'app' AND NOT startsWith(name, '.') AND NOT startsWith(name, '_chkit') ORDER BY name",
    from,
  )
  return rows.map(({ text }) => text)
}

async function succeed(...argv: string[]): Promise<void> {
  const { exitCode, stdout, stderr } = await project.run(argv)
  expect({ exitCode, said: exitCode === 0 ? '' : stdout + stderr }).toEqual({ exitCode: 0, said: '' })
}

async function expectClean(): Promise<void> {
  await succeed('drift', '--exit-code')
  expect((await project.run(['generate', '--json'])).json).toMatchObject({ operationCount: 0, migrationFile: null })
}

test('a table that leaves everything to the server is made, changed and renamed without drift', async () => {
  declare("table({ database: 'app', name: 'ts', engine: 'TimeSeries', columns: [] })")
  await succeed('generate')
  await succeed('migrate', '--apply')
  await expectClean()
  await query("INSERT INTO app.ts (metric_name, tags, time_series) VALUES ('up', map('job', 'x'), [(now64(3), 1.5)])")
  declare(
    "table({ database: 'app', name: 'metrics', renamedFrom: 'app.ts', engine: 'TimeSeries', columns: [], comment: 'now with a word' })",
  )
  await succeed('generate')
  await succeed('migrate', '--apply')
  await expectClean()
  expect(await query('SELECT count() AS n FROM timeSeriesSamples(app.metrics)')).toMatchObject([{ n: 1 }])
  declare(
    "table({ database: 'app', name: 'metrics', engine: 'TimeSeries', columns: [], comment: 'now with a word', targets: { samples: { columns: { id: 'UUID', timestamp: 'DateTime64(3)', value: 'Float64' } }, tags: { engine: 'AggregatingMergeTree', primaryKey: 'metric_name', orderBy: 'tuple(metric_name, id)', settings: { allow_dimensions_outside_sorting_key: 1 } } } })",
  )
  await expectClean()
})

test('targets that are written out come back as they were, and are fixed at CREATE', async () => {
  declare(METRICS, WRITTEN)
  await succeed('generate')
  await succeed('migrate', '--apply')
  await expectClean()
  const before = await statements()
  expect(before.at(-1)).toContain('METRICS app.m SAMPLES INNER COLUMNS (`id` UInt64')

  await succeed('pull', '--force')
  await expectClean()
  const copy = createProject({ 'clickhouse.config.ts': CONFIG })
  try {
    copy.write({ 'schema.ts': readFileSync(join(project.dir, 'schema.ts'), 'utf8') })
    for (const argv of [['generate'], ['migrate', '--apply']])
      expect(await copy.run(argv)).toMatchObject({ exitCode: 0 })
    expect(await statements(copy)).toEqual(before)
  } finally {
    copy.remove()
  }

  declare(METRICS, WRITTEN.replace("value: 'FLOAT'", "value: 'Float64'"))
  const refused = await project.run(['generate', '--json'])
  expect(refused.exitCode).not.toBe(0)
  expect(refused.json).toMatchObject({ code: 'rebuild_required' })
  await succeed('generate', '--allow-recreate')
  await succeed('migrate', '--apply', '--allow-destructive')
  await expectClean()
  expect((await statements()).at(-1)).toContain('`value` Float64')
})

test('a table that keeps the rows of another one cannot go away', async () => {
  declare(METRICS, WRITTEN)
  await succeed('generate')
  await succeed('migrate', '--apply')
  declare(WRITTEN)
  const refused = await project.run(['generate', '--json'])
  expect(refused.json).toMatchObject({ code: 'plan_refused' })
})
