import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { backfillFile, execute, leftTables, planned } from './support.js'

const DAYS = ['--from', '2024-01-01', '--to', '2024-01-04']

const at = backfillFile([
  'CREATE TABLE app.source (at DateTime, id UInt64, kind LowCardinality(String)) ENGINE = MergeTree PARTITION BY toYYYYMM(at) ORDER BY (kind, at)',
  // 100,000 rows over ten days, of which three are in the window.
  "INSERT INTO app.source SELECT toDateTime('2023-12-29', 'UTC') + number * 8 + 3, number, toString(number % 7) FROM numbers(100000)",
  'CREATE TABLE app.target AS app.source',
])

const figures = async (table: string, condition = '1') => {
  const [row] = await at.connection.query(
    `SELECT count() AS rows, sum(id) AS sum, uniqExact(id) AS ids FROM ${table} WHERE ${condition}`,
  )
  return row
}

const IN_WINDOW = "at >= toDateTime('2024-01-01', 'UTC') AND at < toDateTime('2024-01-04', 'UTC')"

describe('copying a table', () => {
  test('every row of the window arrives once, and nothing is left behind', async () => {
    const id = await planned(at.project, ['--target', 'app.target', '--source', 'app.source', ...DAYS])
    const result = await at.run('run', '--plan-id', id)
    expect(result.json).toMatchObject({
      ok: true,
      planId: id,
      status: 'completed',
      chunks: { total: 12, done: 12, pending: 0, failed: 0, unknown: 0 },
      rows: 32400,
    })
    expect(await figures('app.target')).toEqual(await figures('app.source', IN_WINDOW))
    expect(await leftTables(at.connection)).toEqual([])
  })

  test('the same parameters give the same plan, which a second run does not repeat', async () => {
    const argv = ['--target', 'app.target', '--source', 'app.source', ...DAYS]
    const id = await planned(at.project, argv)
    expect(id).toMatch(/^[0-9a-f]{16}$/)
    await at.project.run(['backfill', 'run', '--plan-id', id])
    expect(await planned(at.project, argv)).toBe(id)
    expect(await planned(at.project, [...argv, '--chunk-hours', '3'])).not.toBe(id)
    const again = await at.run('run', '--plan-id', id, '--replay-done')
    expect(again.json).toMatchObject({ ok: true, status: 'completed', rows: 32400 })
    expect(await figures('app.target')).toEqual(await figures('app.source', IN_WINDOW))
  })

  test('four chunks run at the same time', async () => {
    // Each block that is read takes 0.4 s.
    await execute(at.connection, [
      'CREATE VIEW app.slow AS SELECT at, id, kind FROM app.source WHERE NOT ignore(sleep(0.4))',
      'TRUNCATE TABLE system.query_log',
    ])
    const argv = ['--target', 'app.target', '--source', 'app.slow', '--time-column', 'at', ...DAYS]
    const id = await planned(at.project, [...argv, '--chunk-hours', '12'])
    const result = await at.run('run', '--plan-id', id, '--parallel', '4')
    expect(result.json).toMatchObject({ ok: true, rows: 32400 })
    expect(await figures('app.target')).toEqual(await figures('app.source', IN_WINDOW))
    await at.connection.command('SYSTEM FLUSH LOGS')
    // How many of them were under way when one began.
    const [most] = await at.connection.query(
      `WITH writes AS (SELECT query_id, minIf(event_time_microseconds, type = 'QueryStart') AS began, minIf(event_time_microseconds, type = 'QueryFinish') AS ended
        FROM system.query_log WHERE query_id LIKE 'chkit-backfill-%-write-%' GROUP BY query_id)
       SELECT max(n) AS most FROM (SELECT a.query_id, count() AS n FROM writes AS a, writes AS b WHERE b.began <= a.began AND a.began < b.ended GROUP BY a.query_id)`,
    )
    expect(most).toEqual({ most: 4 })
  })

  test.each([
    ['the connection is reset before a chunk is written', 'resetBefore', '^INSERT INTO'],
    ['the connection is reset after a chunk was written', 'resetAfter', '^INSERT INTO'],
    ['the connection is reset before a partition moves', 'resetBefore', 'MOVE PARTITION'],
    ['the connection is reset after a partition moved', 'resetAfter', 'MOVE PARTITION'],
    ['a proxy gives up after a partition moved', 'proxyErrorAfter', 'MOVE PARTITION'],
    ['the staging table is made and nobody is told', 'resetAfter', '^CREATE TABLE'],
  ] as const)('rows stay exact when %s', async (_name, action, match) => {
    const id = await planned(at.project, ['--target', 'app.target', '--source', 'app.source', ...DAYS])
    await at.server.faults([{ action, match, skip: 2, times: 3 }])
    const result = await at.run('run', '--plan-id', id, '--parallel', '3')
    expect(result.json).toMatchObject({ ok: true, status: 'completed' })
    expect(await figures('app.target')).toEqual(await figures('app.source', IN_WINDOW))
    expect(await leftTables(at.connection)).toEqual([])
  })
})

test('a rate is kept: the same copy takes as long as its bytes allow', async () => {
  const argv = [
    '--target',
    'app.target',
    '--source',
    'app.source',
    '--from',
    '2024-01-01',
    '--to',
    '2024-01-02',
    '--chunk-hours',
    '4',
  ]
  const id = await planned(at.project, argv)
  // About 10,800 rows of 14 bytes in six chunks: after the fifth, 126 kB are due.
  const begin = performance.now()
  const result = await at.run('run', '--plan-id', id, '--max-bytes-per-second', '60k')
  expect(result.json).toMatchObject({ ok: true, rows: 10800 })
  expect(performance.now() - begin).toBeGreaterThan(1_500)
})

test('rows of a target with TTL, projections and indexes arrive, and the target merges as before', async () => {
  await execute(at.connection, [
    `CREATE TABLE app.rich (at DateTime, id UInt64 CODEC(Delta, ZSTD), kind LowCardinality(String), note String DEFAULT 'x' TTL at + INTERVAL 50 YEAR, day Date MATERIALIZED toDate(at),
      INDEX i id TYPE minmax GRANULARITY 1, PROJECTION p (SELECT kind, count() GROUP BY kind), CONSTRAINT c CHECK id < 1000000)
      ENGINE = ReplacingMergeTree(id) PARTITION BY (toYYYYMM(at), kind) PRIMARY KEY kind ORDER BY (kind, at, id)
      TTL at + INTERVAL 60 YEAR SETTINGS index_granularity = 1024, deduplicate_merge_projection_mode = 'rebuild'`.replace(
      ' SAMPLE BY kind',
      '',
    ),
  ])
  const id = await planned(at.project, ['--target', 'app.rich', '--source', 'app.source', ...DAYS])
  expect((await at.run('run', '--plan-id', id)).json).toMatchObject({ ok: true })
  await execute(at.connection, ['OPTIMIZE TABLE app.rich FINAL'])
  expect(await figures('app.rich')).toEqual(await figures('app.source', IN_WINDOW))
})

test.each([
  ['a Date column', 'Date', 'toDate(at)'],
  ['a Date32 column', 'Date32', 'toDate32(at)'],
  ['times of a zone that skips an hour', "DateTime('Europe/Berlin')", 'at'],
  ['times of a zone with half an hour', "DateTime64(6, 'Asia/Kolkata')", 'addMilliseconds(toDateTime64(at, 6), 500)'],
  ['nanoseconds', "DateTime64(9, 'UTC')", 'addNanoseconds(toDateTime64(at, 9), 999999999)'],
  ['times that may be missing', 'Nullable(DateTime)', 'at'],
])('%s: every row of the window, none beside it, though a clock is put forward in it', async (_name, type, value) => {
  // Four days around the night of 31 March 2024, of which two are in the window; a row each 10 minutes.
  const moment = "toDateTime('2024-03-29', 'UTC') + number * 600"
  await execute(at.connection, [
    `CREATE TABLE app.edges (t ${type}, id UInt64) ENGINE = MergeTree ORDER BY id`,
    `INSERT INTO app.edges SELECT ${value}, number FROM (SELECT ${moment} AS at, number FROM numbers(576))`,
    'CREATE TABLE app.edges_copy AS app.edges',
  ])
  const argv = ['--target', 'app.edges_copy', '--source', 'app.edges', '--time-column', 't']
  const id = await planned(at.project, [...argv, '--from', '2024-03-30', '--to', '2024-04-01', '--chunk-hours', '13.7'])
  expect((await at.run('run', '--plan-id', id)).json).toMatchObject({
    ok: true,
    rows: 288,
  })
  expect(
    await at.connection.query(
      'SELECT count() AS n, min(id) AS first, max(id) AS last, uniqExact(id) AS ids FROM app.edges_copy',
    ),
  ).toEqual([{ n: 288, first: 144, last: 431, ids: 288 }])
})

test('a window without rows is completed, and one without length or the other way round is refused', async () => {
  const argv = ['--target', 'app.target', '--source', 'app.source']
  const id = await planned(at.project, [...argv, '--from', '2030-01-01', '--to', '2030-01-02'])
  expect((await at.run('run', '--plan-id', id)).json).toMatchObject({ ok: true, rows: 0 })
  for (const to of ['2024-01-01', '2023-12-31', '2024-01-01T01:00+01:00']) {
    const refused = await at.run('plan', ...argv, '--from', '2024-01-01', '--to', to)
    expect(refused).toMatchObject({ exitCode: 2, json: { code: 'window_invalid' } })
  }
})

describe('a server under pressure', () => {
  test('too many parts in the target: the run waits for merges, says so, and goes on', async () => {
    await execute(at.connection, [
      'CREATE TABLE app.crowded (at DateTime, id UInt64) ENGINE = MergeTree ORDER BY at SETTINGS parts_to_delay_insert = 8',
      'SYSTEM STOP MERGES app.crowded',
      ...Array.from({ length: 8 }, (_, n) => `INSERT INTO app.crowded VALUES ('2000-01-01', ${n})`),
    ])
    const argv = ['--target', 'app.crowded', '--source', 'app.source', ...DAYS, '--chunk-hours', '24']
    const id = await planned(at.project, argv)
    const running = at.run('run', '--plan-id', id)
    await expect
      .poll(() => readFileSync(join(at.project.dir, `chkit/meta/backfill/events/${id}.ndjson`), 'utf8'), {
        timeout: 30_000,
      })
      .toContain('pauses: ')
    expect(await at.connection.query('SELECT count() AS n FROM app.crowded')).toEqual([{ n: 8 }])
    await execute(at.connection, ['SYSTEM START MERGES app.crowded', 'OPTIMIZE TABLE app.crowded FINAL'])
    const result = await running
    expect(result.json).toMatchObject({ ok: true, rows: 32400 })
    expect(result.stderr).toContain(
      'pauses: a partition of app.crowded has 8 parts, of 8 with which the server delays inserts; waiting for merges',
    )
    expect(result.stderr).toMatch(/goes on after \d+ s\./)
    expect(await at.connection.query('SELECT count() AS n FROM app.crowded')).toEqual([{ n: 32408 }])
  })

  test('asked how busy it is, a server that does not answer ends no run', async () => {
    const id = await planned(at.project, [
      '--target',
      'app.target',
      '--source',
      'app.source',
      ...DAYS,
      '--chunk-hours',
      '24',
    ])
    await at.server.faults([{ action: 'resetBefore', match: 'active GROUP BY partition_id', times: 4 }])
    const result = await at.run('run', '--plan-id', id, '--parallel', '2')
    expect(result.json).toMatchObject({ ok: true, rows: 32400 })
  })

  test('a server out of memory: fewer chunks at a time, said, and every row once', async () => {
    const id = await planned(at.project, ['--target', 'app.target', '--source', 'app.source', ...DAYS])
    const text =
      'Code: 241. DB::Exception: (total) memory limit exceeded: would use 21.00 GiB. (MEMORY_LIMIT_EXCEEDED) (version 26.7.1.1)\n'
    await at.server.faults([
      { action: 'lateException', match: '^INSERT INTO app._chkit_backfill_\\w{16}_', text, times: 3 },
    ])
    const result = await at.run('run', '--plan-id', id, '--parallel', '4')
    expect(result.json).toMatchObject({ ok: true, rows: 32400, chunks: { failed: 0 } })
    expect(result.stderr).toMatch(/Chunk \d+ waits for \d+ ms, and fewer run at a time: .*MEMORY_LIMIT_EXCEEDED/)
    expect(await figures('app.target')).toEqual(await figures('app.source', IN_WINDOW))
    expect(await leftTables(at.connection)).toEqual([])
  })
})
