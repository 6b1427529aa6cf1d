import { expect, test } from 'vitest'
import { backfillFile, execute, planned } from './support.js'

const SOURCE =
  'CREATE TABLE app.source (at DateTime, id UInt64, v Int32, day Date MATERIALIZED toDate(at)) ENGINE = MergeTree ORDER BY at'
const FILL =
  "INSERT INTO app.source SELECT toDateTime('2024-01-01', 'UTC') + number * 9, number, number % 100 FROM numbers(40000)"
const WINDOW = ['--from', '2024-01-01', '--to', '2024-01-06']

const at = backfillFile([SOURCE])

/** One view of the engine: its target, its query, and what to compare. */
type Case = { name: string; target: string; query: string; compare: string; before?: readonly string[] }

const CASES: readonly Case[] = [
  {
    name: 'plain rows',
    target: '(id UInt64, twice Int64) ENGINE = MergeTree ORDER BY id',
    query: 'SELECT id, v * 2 AS twice FROM app.source WHERE v > 10',
    compare: 'SELECT count(), sum(id), sum(twice) FROM T',
  },
  {
    name: 'sums of a SummingMergeTree',
    target: '(day Date, n UInt64, s Int64) ENGINE = SummingMergeTree ORDER BY day',
    query: 'SELECT toDate(at) AS day, count() AS n, sum(v) AS s FROM app.source GROUP BY day',
    compare: 'SELECT day, sum(n), sum(s) FROM T GROUP BY day ORDER BY day',
  },
  {
    name: 'aggregate states without a time',
    target:
      '(bucket UInt8, ids AggregateFunction(uniq, UInt64), q AggregateFunction(quantilesExact(0.5, 0.9), Int32)) ENGINE = AggregatingMergeTree ORDER BY bucket',
    query:
      'SELECT id % 3 AS bucket, uniqState(id) AS ids, quantilesExactState(0.5, 0.9)(v) AS q FROM app.source GROUP BY bucket',
    compare: 'SELECT bucket, uniqMerge(ids), quantilesExactMerge(0.5, 0.9)(q) FROM T GROUP BY bucket ORDER BY bucket',
  },
  {
    name: 'a query with WITH, a subquery, and names with the database',
    target: '(d Date, n UInt64) ENGINE = SummingMergeTree ORDER BY d',
    query:
      'WITH rows AS (SELECT app.source.at AS t, source.v FROM app.source WHERE app.source.v < 50) SELECT toDate(t) AS d, count() AS n FROM (SELECT * FROM rows) GROUP BY d',
    compare: 'SELECT d, sum(n) FROM T GROUP BY d ORDER BY d',
  },
  {
    name: 'a materialized column of the source, and a column of the target that the view does not write',
    target: "(day Date, n UInt64, extra String DEFAULT 'x') ENGINE = SummingMergeTree ORDER BY (day, extra)",
    query: 'SELECT day, count() AS n FROM app.source GROUP BY day',
    compare: 'SELECT day, extra, sum(n) FROM T GROUP BY day, extra ORDER BY day',
  },
  {
    name: 'an EPHEMERAL column of the target, from which another is computed',
    target: '(id UInt64, raw String EPHEMERAL, size UInt64 DEFAULT length(raw)) ENGINE = MergeTree ORDER BY id',
    query: "SELECT id, repeat('x', v) AS raw FROM app.source",
    compare: 'SELECT sum(id), sum(size) FROM T',
  },
  {
    name: 'a join with another table, read as it is now',
    target: '(name String, n UInt64) ENGINE = SummingMergeTree ORDER BY name',
    query:
      'SELECT names.name AS name, count() AS n FROM app.source AS s INNER JOIN app.names AS names ON names.v = s.v GROUP BY name',
    compare: 'SELECT name, sum(n) FROM T GROUP BY name ORDER BY name',
    before: [
      'CREATE TABLE app.names (v Int32, name String) ENGINE = MergeTree ORDER BY v',
      "INSERT INTO app.names SELECT number, concat('n', toString(number % 4)) FROM numbers(60)",
    ],
  },
  {
    name: 'a union, of which the server runs the first query only',
    target: '(id UInt64) ENGINE = MergeTree ORDER BY id',
    query: 'SELECT id FROM app.source WHERE v = 1 UNION ALL SELECT id + 1000000 FROM app.source WHERE v = 2',
    compare: 'SELECT count(), sum(id) FROM T',
  },
]

test.each(CASES)('a replay gives what the view gives: $name', async ({ target, query, compare, before = [] }) => {
  // The view writes `live` as rows come in; `replayed` has an equal view, made after them.
  await execute(at.connection, [
    ...before,
    `CREATE TABLE app.live ${target}`,
    `CREATE MATERIALIZED VIEW app.live_mv TO app.live AS ${query}`,
    FILL,
    `CREATE TABLE app.replayed ${target}`,
    `CREATE MATERIALIZED VIEW app.replayed_mv TO app.replayed AS ${query}`,
  ])
  await at.copy(['--target', 'app.replayed', ...WINDOW], '--parallel', '2')
  const rows = async (table: string) => at.connection.query(compare.replace(' T', ` app.${table}`))
  expect(await rows('live')).not.toEqual([])
  expect(await rows('replayed')).toEqual(await rows('live'))
})

const DAILY =
  '(day Date, n SimpleAggregateFunction(sum, UInt64), ids AggregateFunction(uniqExact, UInt64)) ENGINE = AggregatingMergeTree ORDER BY day'
const DAILY_QUERY = 'SELECT toDate(at) AS day, count() AS n, uniqExactState(id) AS ids FROM app.source GROUP BY day'
const FINAL = 'SELECT day, sum(n) AS n, uniqExactMerge(ids) AS ids FROM app.daily GROUP BY day ORDER BY day'
const EXPECTED =
  'SELECT toDate(at) AS day, count() AS n, uniqExact(id) AS ids FROM app.source GROUP BY day ORDER BY day'

test('a target that holds rows: the choice is asked for, and both answers do what they say', async () => {
  await execute(at.connection, [
    FILL,
    `CREATE TABLE app.daily ${DAILY}`,
    `CREATE MATERIALIZED VIEW app.daily_mv TO app.daily AS ${DAILY_QUERY}`,
    // Live rows: one of the window, one behind it.
    "INSERT INTO app.source VALUES (toDateTime('2024-01-03 12:00:00', 'UTC'), 1000001, 1), (toDateTime('2024-01-20 12:00:00', 'UTC'), 1000002, 1)",
  ])
  const argv = ['backfill', 'plan', '--target', 'app.daily', ...WINDOW]
  const refused = await at.project.run([...argv, '--json'])
  expect(refused.exitCode).toBe(2)
  expect(refused.json).toMatchObject({
    ok: false,
    code: 'choice_required',
    details: { rows: 1, choices: ['append', 'replace'] },
  })
  const asked: string[] = []
  const prompt = {
    interactive: true,
    confirm: async () => false,
    typed: async () => false,
    select: async <T>(question: string, choices: readonly { readonly value: T }[]) => {
      asked.push(question)
      return choices[1]!.value
    },
  }
  const interactive = await at.project.run(argv, { tty: true, prompt })
  expect(interactive.exitCode).toBe(0)
  expect(asked).toEqual(['app.daily holds 1 rows in the window already. What becomes of them?'])
  const id = await planned(at.project, [...argv.slice(2), '--existing', 'replace'])
  await at.project.run(['backfill', 'run', '--plan-id', id])
  expect(await at.connection.query(FINAL)).toEqual(await at.connection.query(EXPECTED))
  // Replaced again, it is the same; appended to, the window is there twice.
  const replayed = await at.run('run', '--plan-id', id, '--replay-done')
  expect(replayed.json).toMatchObject({ ok: true, status: 'completed' })
  expect(await at.connection.query(FINAL)).toEqual(await at.connection.query(EXPECTED))
  const appended = await planned(at.project, [...argv.slice(2), '--existing', 'append'])
  const overlap = await at.run('run', '--plan-id', appended)
  expect(overlap.json).toMatchObject({ ok: false, code: 'overlapping_run' })
  await at.project.run(['backfill', 'run', '--plan-id', appended, '--force-overlap'])
  const [doubled] = await at.connection.query<{ n: number }>(
    "SELECT sum(n) AS n FROM app.daily WHERE day < toDate('2024-01-10')",
  )
  expect(doubled?.n).toBe(80002)
})

test('a window that cuts through the times of the target cannot be replaced', async () => {
  await execute(at.connection, [
    FILL,
    `CREATE TABLE app.daily ${DAILY}`,
    `CREATE MATERIALIZED VIEW app.daily_mv TO app.daily AS ${DAILY_QUERY}`,
  ])
  const cut = ['--from', '2024-01-01', '--to', '2024-01-03T12:00']
  const result = await at.run('plan', '--target', 'app.daily', ...cut, '--existing', 'replace')
  expect(result.json).toMatchObject({ ok: false, code: 'guarantee_missing' })
})

test('chained views: each target is replayed from the one before, and ends as the views would have left it', async () => {
  await execute(at.connection, [
    FILL,
    'CREATE TABLE app.hourly (hour DateTime, n UInt64) ENGINE = SummingMergeTree ORDER BY hour',
    'CREATE TABLE app.weekly (week Date, n AggregateFunction(sum, UInt64)) ENGINE = AggregatingMergeTree ORDER BY week',
    'CREATE MATERIALIZED VIEW app.hourly_mv TO app.hourly AS SELECT toStartOfHour(at) AS hour, count() AS n FROM app.source GROUP BY hour',
    'CREATE MATERIALIZED VIEW app.weekly_mv TO app.weekly AS SELECT toMonday(hour) AS week, sumState(n) AS n FROM app.hourly GROUP BY week',
  ])
  // A replay writes into its target alone, and says which plan comes next.
  const first = await at.run('plan', '--target', 'app.hourly', ...WINDOW)
  const next = 'chkit backfill plan --target app.weekly --view app.weekly_mv'
  expect(first.json.warnings).toEqual([`The rows do not go through app.weekly_mv. Plan that afterwards: ${next}.`])
  await at.project.run(['backfill', 'run', '--plan-id', String(first.json.planId)])
  expect(await at.connection.query('SELECT count() AS n FROM app.weekly')).toEqual([{ n: 0 }])
  await at.copy(['--target', 'app.weekly', '--view', 'app.weekly_mv', ...WINDOW])
  expect(
    await at.connection.query('SELECT week, sumMerge(n) AS n FROM app.weekly GROUP BY week ORDER BY week'),
  ).toEqual(
    await at.connection.query('SELECT toMonday(at) AS week, count() AS n FROM app.source GROUP BY week ORDER BY week'),
  )
})

test('a view with an inner table is backfilled under its own name', async () => {
  await execute(at.connection, [
    FILL,
    `CREATE MATERIALIZED VIEW app.daily ENGINE = SummingMergeTree ORDER BY day AS SELECT toDate(at) AS day, count() AS n FROM app.source GROUP BY day`,
  ])
  await at.copy(['--target', 'app.daily', ...WINDOW])
  expect(await at.connection.query('SELECT day, sum(n) AS n FROM app.daily GROUP BY day ORDER BY day')).toEqual(
    await at.connection.query('SELECT toDate(at) AS day, count() AS n FROM app.source GROUP BY day ORDER BY day'),
  )
})

test('two views into one target: one must be named, and both can be replayed', async () => {
  await execute(at.connection, [
    FILL,
    'CREATE TABLE app.both (id UInt64) ENGINE = MergeTree ORDER BY id',
    'CREATE MATERIALIZED VIEW app.low_mv TO app.both AS SELECT id FROM app.source WHERE v < 50',
    'CREATE MATERIALIZED VIEW app.high_mv TO app.both AS SELECT id FROM app.source WHERE v >= 50',
  ])
  const refused = await at.run('plan', '--target', 'app.both', ...WINDOW)
  expect(refused.json).toMatchObject({ code: 'choice_required', details: { views: ['app.high_mv', 'app.low_mv'] } })
  for (const view of ['app.high_mv', 'app.low_mv']) {
    await at.copy(['--target', 'app.both', '--view', view, '--existing', 'append', ...WINDOW])
  }
  expect(await at.connection.query('SELECT count() AS n, uniqExact(id) AS ids FROM app.both')).toEqual([
    { n: 40000, ids: 40000 },
  ])
})
