import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { connect } from '../../src/clickhouse/connect.js'
import { createProject, type Project } from '../support/cli.js'
import { testPrompt } from '../support/prompt.js'

const CONFIG = `export default ({ mode }) => ({
  schema: './schema/*.ts',
  clickhouse: { url: 'chdb:./db', database: 'app' },
  ...(mode === 'relaxed' ? { check: { failOnPending: false, failOnDrift: false, failOnChecksumMismatch: false } } : {}),
})\n`

const SCHEMA = `import { dictionary, materializedView, schema, table, view } from 'chkit'
export default schema(
  table({
    database: 'app', name: 'events', engine: 'MergeTree', orderBy: ['id'], partitionBy: 'toYYYYMM(at)', ttl: 'at + INTERVAL 1 YEAR',
    columns: [
      { name: 'id', type: 'UInt64' },
      { name: 'at', type: 'DateTime', default: 'fn:now()' },
      { name: 'kind', type: "Enum8('view' = 1, 'buy' = 2)", comment: 'what happened' },
      { name: 'price', type: 'Decimal(18, 4)', codec: 'ZSTD(3)' },
    ],
    indexes: [{ name: 'by_price', expression: 'price', type: 'minmax', granularity: 4 }],
    projections: [{ name: 'by_kind', query: 'SELECT kind, count() GROUP BY kind' }],
    constraints: [{ name: 'positive', check: 'price >= 0' }],
    settings: { merge_with_ttl_timeout: 3600 },
    comment: 'all events',
  }),
  table({ database: 'app', name: 'daily', engine: 'SummingMergeTree', orderBy: ['day'], columns: { day: 'Date', sales: 'UInt64' } }),
  materializedView({ database: 'app', name: 'to_daily', to: { database: 'app', name: 'daily' }, as: 'SELECT toDate(at) AS day, count() AS sales FROM app.events GROUP BY day' }),
  view({ database: 'app', name: 'recent', as: 'SELECT * FROM app.events WHERE at > now() - INTERVAL 1 DAY' }),
)
`

let project: Project

beforeEach(async () => {
  project = createProject({ 'clickhouse.config.ts': CONFIG, 'schema/main.ts': SCHEMA })
  await project.run(['generate', '--name', 'init'])
  const { exitCode, stdout } = await project.run(['migrate', '--apply', '--json'])
  expect({ exitCode, stdout }).toMatchObject({ exitCode: 0 })
})
afterEach(() => project.remove())

const json = async (...argv: string[]) => (await project.run([...argv, '--json'])).json

/** Somebody else, with a connection of their own. */
async function byHand(...statements: string[]): Promise<void> {
  const executor = await connect({ url: 'chdb:./db' }, { root: project.dir })
  try {
    for (const statement of statements) await executor.command(statement)
  } finally {
    await executor.close()
  }
}

test('right after applying there is none, and the gate passes', async () => {
  expect(await json('drift')).toMatchObject({
    ok: true,
    drifted: false,
    expectedCount: 4,
    actualCount: 4,
    missing: [],
    extra: [],
    kindMismatches: [],
    objectDrift: [],
    tableDrift: [],
    repair: [],
  })
  expect(await json('check')).toMatchObject({
    ok: true,
    strict: false,
    policy: { failOnPending: true, failOnChecksumMismatch: true, failOnDrift: true },
    failedChecks: [],
    pendingCount: 0,
    checksumMismatchCount: 0,
    drifted: false,
    driftEvaluated: true,
    driftReasonTotals: { total: 0, object: 0, table: 0 },
    plugins: {},
  })
})

/** What somebody does by hand, and how drift names it. `repaired`: the statements that drift offers lead back. */
const CASES: readonly {
  readonly name: string
  readonly statements: readonly string[]
  readonly drift: Record<string, unknown>
  readonly repaired?: false
}[] = [
  {
    name: 'a column more',
    statements: ['ALTER TABLE app.events ADD COLUMN extra String'],
    drift: { tableDrift: [{ table: 'app.events', reasonCodes: ['extra_column'], extraColumns: ['extra'] }] },
  },
  {
    name: 'a column less',
    statements: ['DROP VIEW app.to_daily', 'ALTER TABLE app.daily DROP COLUMN sales'],
    drift: {
      missing: ['materialized_view:app.to_daily'],
      tableDrift: [{ table: 'app.daily', reasonCodes: ['missing_column'], missingColumns: ['sales'] }],
    },
  },
  {
    name: 'another default, codec and comment',
    statements: [
      "ALTER TABLE app.events MODIFY COLUMN at DateTime DEFAULT 0, MODIFY COLUMN price CODEC(LZ4), COMMENT COLUMN kind 'x'",
    ],
    drift: {
      tableDrift: [
        {
          reasonCodes: ['changed_column'],
          changedColumns: [
            { name: 'at', attribute: 'default' },
            { name: 'kind', attribute: 'comment', expected: 'what happened', actual: 'x' },
            { name: 'price', attribute: 'codec', expected: 'ZSTD(3)', actual: 'LZ4' },
          ],
        },
      ],
    },
  },
  {
    name: 'index, projection, constraint, setting, TTL and comment',
    statements: [
      'ALTER TABLE app.events DROP INDEX by_price',
      'ALTER TABLE app.events DROP PROJECTION by_kind',
      'ALTER TABLE app.events DROP CONSTRAINT positive',
      'ALTER TABLE app.events MODIFY SETTING merge_with_ttl_timeout = 7200',
      'ALTER TABLE app.events REMOVE TTL',
      "ALTER TABLE app.events MODIFY COMMENT 'other'",
    ],
    drift: {
      tableDrift: [
        {
          reasonCodes: [
            'setting_mismatch',
            'index_mismatch',
            'projection_mismatch',
            'constraint_mismatch',
            'ttl_mismatch',
            'comment_mismatch',
          ],
          ttlMismatch: true,
          commentMismatch: true,
          engineMismatch: false,
        },
      ],
    },
  },
  {
    name: 'a view that reads otherwise',
    statements: ['CREATE OR REPLACE VIEW app.recent AS SELECT * FROM app.events'],
    drift: { objectDrift: [{ code: 'definition_mismatch', object: 'view:app.recent' }], tableDrift: [] },
  },
  {
    name: 'a table in place of a view',
    statements: ['DROP VIEW app.recent', 'CREATE TABLE app.recent (id UInt64) ENGINE = MergeTree ORDER BY id'],
    drift: { kindMismatches: [{ expected: 'view', actual: 'table', object: 'app.recent' }] },
    repaired: false,
  },
  {
    name: 'another engine and other keys',
    statements: [
      'DROP VIEW app.to_daily',
      'DROP TABLE app.daily',
      'CREATE TABLE app.daily (day Date, sales UInt64) ENGINE = MergeTree PARTITION BY day ORDER BY (day, sales)',
    ],
    drift: {
      tableDrift: [{ reasonCodes: ['engine_mismatch', 'order_by_mismatch', 'partition_by_mismatch'] }],
    },
    repaired: false,
  },
  {
    name: 'a table that nobody declared',
    statements: ['CREATE TABLE app.stray (id UInt64) ENGINE = Log'],
    drift: {
      extra: ['table:app.stray'],
      objectDrift: [{ code: 'extra_object', object: 'table:app.stray', actualKind: 'table' }],
    },
    repaired: false,
  },
]

describe('what somebody did by hand', () => {
  test.each(CASES)('$name', async ({ statements, drift, repaired }) => {
    await byHand(...statements)
    const document = await json('drift')
    expect(document).toMatchObject({ ok: true, drifted: true, ...drift })
    expect((await project.run(['drift', '--exit-code', '--json'])).exitCode).toBe(1)
    expect(await json('check')).toMatchObject({ ok: false, failedChecks: ['schema_drift'], drifted: true })
    if (repaired === false) return
    await byHand(...(document.repair as string[]))
    expect(await json('drift')).toMatchObject({ drifted: false })
  })

  test('is none of the business of another database', async () => {
    await byHand('CREATE DATABASE other', 'CREATE TABLE other.t (id UInt64) ENGINE = Log')
    expect(await json('drift')).toMatchObject({ drifted: false })
  })

  test('is looked for in the scope only', async () => {
    await byHand('ALTER TABLE app.events ADD COLUMN extra String')
    expect(await json('drift', '--table', 'app.daily')).toMatchObject({ drifted: false, expectedCount: 1 })
    expect(await json('drift', '--table', 'events')).toMatchObject({
      drifted: true,
      scope: { matchedTables: ['app.events'] },
    })
  })
})

describe('the gate', () => {
  const migration = () =>
    join(project.dir, 'chkit/migrations', readdirSync(join(project.dir, 'chkit/migrations')).sort()[0] ?? '')

  test('what is generated but not applied is pending, and no drift', async () => {
    project.write({ 'schema/main.ts': SCHEMA.replace("sales: 'UInt64'", "sales: 'UInt64', returns: 'UInt64'") })
    await project.run(['generate', '--name', 'returns'])
    expect(await json('drift')).toMatchObject({ drifted: false })
    expect(await json('check')).toMatchObject({
      ok: false,
      failedChecks: ['pending_migrations'],
      pendingCount: 1,
      drifted: false,
    })
    expect((await project.run(['check', '--mode', 'relaxed'])).exitCode).toBe(0)
    expect((await project.run(['check', '--mode', 'relaxed', '--strict'])).exitCode).toBe(1)
  })

  test('an applied file that may be another project’s', async () => {
    const hint = /\d+_init\.sql left no snapshot here: if another project applied it/
    const texts = async () => [(await project.run(['status'])).stdout, (await project.run(['check'])).stdout]
    rmSync(migration())
    for (const text of await texts()) expect(text).not.toMatch(hint)
    rmSync(join(project.dir, 'chkit/meta/snapshots'), { recursive: true })
    for (const text of await texts()) expect(text).toMatch(hint)
  })

  test('an applied file that is gone', async () => {
    rmSync(migration())
    expect(await json('check')).toMatchObject({ ok: false, failedChecks: ['missing_migrations'] })
    expect((await json('status')).missingMigrations).toHaveLength(1)
  })

  test('an applied file that was edited; other line ends are no edit', async () => {
    const text = readFileSync(migration(), 'utf8')
    writeFileSync(migration(), text.replaceAll('\n', '\r\n'))
    expect(await json('check')).toMatchObject({ ok: true })
    writeFileSync(migration(), `${text}-- a word more\n`)
    expect(await json('check')).toMatchObject({
      ok: false,
      failedChecks: ['checksum_mismatch'],
      checksumMismatchCount: 1,
    })
  })

  test('findings become annotations and a summary on GitHub Actions', async () => {
    await byHand('ALTER TABLE app.events ADD COLUMN `ex|tra%` String')
    const summary = join(project.dir, 'summary.md')
    const env = { HOME: process.env.HOME, GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: summary }
    const { stdout, stderr } = await project.run(['check', '--json'], { env })
    expect(JSON.parse(stdout)).toMatchObject({ ok: false })
    expect(stderr).toContain('::error title=chkit%3A drift::app.events column ex|tra%25 is not in the schema')
    expect(readFileSync(summary, 'utf8')).toContain(
      '| error | drift | app.events column ex\\|tra% is not in the schema |',
    )
  })

  test('reads create nothing', async () => {
    rmSync(join(project.dir, 'db'), { recursive: true })
    await byHand('CREATE DATABASE bystander')
    for (const command of ['status', 'check', 'drift']) await project.run([command, '--json'])
    const executor = await connect({ url: 'chdb:./db' }, { root: project.dir })
    try {
      const rows = await executor.query<{ name: string }>(
        "SELECT name FROM system.databases WHERE name IN ('app', 'bystander')",
      )
      expect(rows).toEqual([{ name: 'bystander' }])
      expect(await executor.query("SELECT name FROM system.tables WHERE name LIKE '\\\\_chkit%'")).toEqual([])
    } finally {
      await executor.close()
    }
  })
})

test('the text groups what differs, shows both sides, and says what a repair loses', async () => {
  await byHand(
    'ALTER TABLE app.events DROP INDEX by_price, DROP CONSTRAINT positive',
    'ALTER TABLE app.events RENAME COLUMN price TO cost',
    'ALTER TABLE app.daily MODIFY TTL day + INTERVAL 5 YEAR',
    "ALTER TABLE app.daily MODIFY COMMENT 'x'",
    'CREATE TABLE app.extra (a UInt8) ENGINE = Memory',
  )
  const { stdout } = await project.run(['drift'])
  expect(stdout).toContain('  table:app.extra\n    is not in the schema\n')
  expect(stdout).toContain(
    '  app.daily\n    TTL is day + toIntervalYear(5), applied was none\n    COMMENT is x, applied was none\n',
  )
  expect(stdout).toContain('declare it (chkit pull writes it as TypeScript) or drop it.')
  expect(stdout).toContain(
    '    -- Dropping column cost deletes its values; they cannot be brought back.\n    ALTER TABLE',
  )
  expect(stdout).toContain('app.events: price seems to have been renamed to cost by hand')
  expect(stdout).toContain('    ALTER TABLE app.events RENAME COLUMN `cost` TO `price`;')
})

describe('a database that is not there', () => {
  const engine = () => existsSync(join(project.dir, 'db'))

  test.each([['migrate'], ['status'], ['check'], ['drift']])('%s makes none', async (command) => {
    rmSync(join(project.dir, 'db'), { recursive: true })
    const { stderr } = await project.run([command])
    expect(stderr).toContain(`warning Database app does not exist on chdb:${project.dir}/db; chkit migrate --apply`)
    expect(await json(command)).toMatchObject({ warnings: [expect.stringContaining('does not exist')] })
    expect(engine()).toBe(false)
  })

  test('the plan of migrate makes none on a terminal either, and a yes makes it', async () => {
    rmSync(join(project.dir, 'db'), { recursive: true })
    await project.run(['migrate'], { tty: true, prompt: testPrompt({ confirm: false }).prompt })
    expect(engine()).toBe(false)
    await project.run(['migrate'], { tty: true, prompt: testPrompt({ confirm: true }).prompt })
    expect(engine()).toBe(true)
    const checked = await json('check')
    expect(checked).toMatchObject({ ok: true })
    expect(checked).not.toHaveProperty('warnings')
  })
})

describe('what is missing', () => {
  test('a connection', async () => {
    project.write({ 'clickhouse.config.ts': `export default { schema: './schema/*.ts' }\n` })
    const { exitCode, json: document } = await project.run(['drift', '--json'])
    expect(exitCode).toBe(1)
    expect(document).toMatchObject({ error: 'clickhouse config is required for drift checks' })
    expect(await json('check')).toMatchObject({ driftEvaluated: false })
  })

  test('a snapshot of something applied', async () => {
    rmSync(join(project.dir, 'chkit'), { recursive: true })
    rmSync(join(project.dir, 'db'), { recursive: true })
    const { exitCode, json: document } = await project.run(['drift', '--json'])
    expect(exitCode).toBe(1)
    expect(document).toMatchObject({ error: "Snapshot not found. Run 'chkit generate' before drift checks." })
    await project.run(['generate'])
    expect(await json('drift')).toMatchObject({
      code: 'snapshot_not_found',
      error: 'No migration of this project is applied yet: there is nothing to compare with.',
    })
  })
})

test('functions that others take care of stand in stored objects by their bodies: no drift until a body changes', async () => {
  await byHand('CREATE FUNCTION _scale AS (x, k) -> x * k + 1')
  project.write({
    'schema/scaled.ts': `import { table, view } from 'chkit'
export const scaled = table({ database: 'app', name: 'scaled', engine: 'MergeTree', orderBy: 'id', columns: {
  id: 'UInt64', twice: { type: 'UInt64', materialized: '_scale(id, 2)' } },
  constraints: [{ name: 'c', check: '_scale(id, 3) > 2' }] })
export const big = view({ database: 'app', name: 'big', as: 'SELECT _scale(id, 2) AS x FROM app.scaled' })
`,
  })
  await project.run(['generate', '--name', 'scaled'])
  expect(await json('migrate', '--apply')).toMatchObject({ ok: true })
  expect(await json('drift')).toMatchObject({ drifted: false, repair: [] })
  expect(await json('generate', '--dryrun')).toMatchObject({ operationCount: 0 })
  await byHand('ALTER TABLE app.scaled MODIFY COLUMN twice MATERIALIZED (id * 3) + 1')
  expect(await json('drift')).toMatchObject({
    tableDrift: [{ table: 'app.scaled', changedColumns: [{ name: 'twice', attribute: 'default' }] }],
  })
  await byHand('DROP FUNCTION _scale')
})
