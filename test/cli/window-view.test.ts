/** Window views through the command line: raw objects whose drift is seen all the same. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { connect } from '../../src/clickhouse/connect.js'
import { createProject, type Project } from '../support/cli.js'

/** The server makes window views by its older analysis of queries only (seen on 26.7). */
const SETTINGS = { allow_experimental_window_view: 1, allow_experimental_analyzer: 0 }
const CONFIG = `import { pull } from 'chkit/plugins/pull'
export default {
  schema: './schema.ts',
  clickhouse: { url: 'chdb:./db', database: 'app', settings: ${JSON.stringify(SETTINGS)} },
  plugins: [pull({ outFile: './schema.ts', overwrite: true })],
}\n`

const BY = 'FROM app.src GROUP BY tumble(at, INTERVAL 5 SECOND) AS w'
const VIEWS = [
  `CREATE WINDOW VIEW app.plain TO app.dst AS SELECT count() AS n, tumbleStart(w) AS s ${BY}`,
  `CREATE WINDOW VIEW app.late TO app.dst WATERMARK = STRICTLY_ASCENDING ALLOWED_LATENESS = INTERVAL '2' SECOND AS SELECT count() AS n, tumbleStart(w) AS s ${BY}`,
  `CREATE WINDOW VIEW app.kept ENGINE = MergeTree ORDER BY n WATERMARK = INTERVAL '3' SECOND AS SELECT count() AS n, tumbleEnd(w) AS s ${BY} COMMENT 'it''s kept'`,
  `create  window view app.memory INNER ENGINE = AggregatingMergeTree ORDER BY \`windowID(at, toIntervalSecond(5))\` ENGINE = Memory AS select COUNT() as n, tumbleStart(w) AS s ${BY}`,
]

let project: Project
beforeEach(() => {
  project = createProject({ 'clickhouse.config.ts': CONFIG })
  declare(VIEWS)
})
afterEach(() => project.remove())

function declare(views: readonly string[]): void {
  const raws = views.map((create) => {
    const key = /app\.\w+/.exec(create)![0]
    return `raw({ key: '${key}', create: ${JSON.stringify(create)}, drop: 'DROP VIEW IF EXISTS ${key}', dependsOn: ['app.src', 'app.dst'] })`
  })
  const text = `import { raw, schema, table } from 'chkit'
export default schema(
  table({ database: 'app', name: 'src', engine: 'MergeTree', orderBy: 'id', columns: { id: 'UInt64', at: 'DateTime' } }),
  table({ database: 'app', name: 'dst', engine: 'MergeTree', orderBy: 's', columns: { n: 'UInt64', s: 'DateTime' } }),
  ${raws.join(',\n  ')},
)\n`
  project.write({ 'schema.ts': text })
}

async function query<Row>(sql: string, { dir } = project): Promise<Row[]> {
  const executor = await connect({ url: 'chdb:./db', settings: SETTINGS }, { root: dir })
  try {
    return await executor.query<Row>(sql)
  } finally {
    await executor.close()
  }
}

const statements = (from = project) =>
  query<{ text: string }>(
    "SELECT create_table_query AS text FROM system.tables WHERE engine = 'WindowView' ORDER BY name",
    from,
  )

async function apply(on = project): Promise<void> {
  for (const argv of [['generate'], ['migrate', '--apply', '--allow-destructive']]) {
    const { exitCode, stdout, stderr } = await on.run(argv)
    expect({ exitCode, said: exitCode === 0 ? '' : stdout + stderr }).toEqual({ exitCode: 0, said: '' })
  }
}

async function expectClean(): Promise<void> {
  const drift = await project.run(['drift', '--exit-code'])
  expect({ exitCode: drift.exitCode, said: drift.exitCode === 0 ? '' : drift.stdout }).toEqual({
    exitCode: 0,
    said: '',
  })
  expect(drift.stderr).not.toContain('is not compared')
  expect((await project.run(['generate', '--json'])).json).toMatchObject({ operationCount: 0, migrationFile: null })
}

test('they are made, and made anew where their text changes, without drift', async () => {
  await apply()
  await expectClean()
  declare([VIEWS[0]!.replace('count()', 'count(id)'), ...VIEWS.slice(1)])
  await apply()
  await expectClean()
})

test('drift sees one that was changed or dropped by hand', async () => {
  await apply()
  await query('DROP TABLE app.late SYNC')
  await query(VIEWS[1]!.replace("'2'", "'3'"))
  await query('DROP TABLE app.memory SYNC')
  const drift = await project.run(['drift', '--json'])
  expect(drift.json).toMatchObject({
    drifted: true,
    missing: ['raw:app.memory'],
    objectDrift: [
      { code: 'definition_mismatch', object: 'raw:app.late', actual: expect.stringContaining("toIntervalSecond('3')") },
      { code: 'missing_object', object: 'raw:app.memory' },
    ],
  })
})

test('pulled they come back identical on an empty server', async () => {
  await apply()
  expect(await project.run(['pull', '--force'])).toMatchObject({ exitCode: 0 })
  const copy = createProject({ 'clickhouse.config.ts': CONFIG })
  try {
    copy.write({ 'schema.ts': readFileSync(join(project.dir, 'schema.ts'), 'utf8') })
    await apply(copy)
    expect(await statements(copy)).toEqual(await statements())
  } finally {
    copy.remove()
  }
})
