import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { removeFolder, temporaryFolder } from '../../support/engine.js'
import { startHttpServer } from '../../support/http-server.js'
import { killAndResume, seeded } from './kill.js'
import { backfillProject, connectTo, execute, planned } from './support.js'

/** Rows of two months, so that chunks have two partitions and more; ids tell lost rows from doubled ones. */
const TABLES = [
  'CREATE DATABASE app',
  'CREATE TABLE app.source (at DateTime64(3), id UInt64, v Float64) ENGINE = MergeTree PARTITION BY (toYYYYMM(at), id % 3) ORDER BY at',
  "INSERT INTO app.source SELECT toDateTime64('2024-01-25', 3, 'UTC') + number * 2, number, number / 7 FROM numbers(600000)",
]

const HOURLY = [
  'CREATE TABLE app.hourly (hour DateTime, kind UInt8, n AggregateFunction(count), ids AggregateFunction(uniqExact, UInt64), v AggregateFunction(sum, Float64)) ENGINE = AggregatingMergeTree PARTITION BY toYYYYMM(hour) ORDER BY (hour, kind)',
  'CREATE MATERIALIZED VIEW app.hourly_mv TO app.hourly AS SELECT toStartOfHour(at) AS hour, id % 5 AS kind, countState() AS n, uniqExactState(id) AS ids, sumState(v) AS v FROM app.source GROUP BY hour, kind',
]

const WINDOW = ['--from', '2024-01-25', '--to', '2024-02-08']
const RAW = 'SELECT count() AS rows, sum(id) AS sum, uniqExact(id) AS ids'
const IN_WINDOW = "at >= toDateTime64('2024-01-25', 3, 'UTC') AND at < toDateTime64('2024-02-08', 3, 'UTC')"

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** Adds the tests of runs that are killed `kills` times each. */
export function killTests(kills: number): void {
  const timeout = 60_000 + kills * 10_000

  test(`a copy that is killed ${kills} times beside a server ends with every row once`, { timeout }, async () => {
    const server = await startHttpServer()
    cleanups.push(() => server.stop())
    await copy(server.url, kills, 11)
  })

  test(`a copy that loses its state folder with each of ${kills} kills ends with every row once`, {
    timeout,
  }, async () => {
    const server = await startHttpServer()
    cleanups.push(() => server.stop())
    await copy(server.url, kills, 14, true)
  })

  test(`a copy whose engine is killed with it ${kills} times ends with every row once`, { timeout }, async () => {
    const folder = temporaryFolder()
    cleanups.push(() => removeFolder(folder))
    await copy(`chdb:${folder}/db`, kills, 12)
  })

  const replayKills = Math.ceil(kills / 2)
  test(`a replay into aggregate states that is killed ${replayKills} times is what the view makes`, {
    timeout,
  }, async () => {
    const folder = temporaryFolder()
    cleanups.push(() => removeFolder(folder))
    const url = `chdb:${folder}/db`
    const project = backfillProject(url)
    cleanups.push(() => project.remove())
    await withConnection(url, [...TABLES, ...HOURLY])
    // A run is killed some twenty times before it is completed: then the target is emptied, and the next one begins.
    const random = seeded(13)
    for (let killed = 0, round = 0; killed < replayKills; round++) {
      const chunkHours = String(2 + round / 10)
      await withConnection(url, ['TRUNCATE TABLE app.hourly', 'DROP TABLE IF EXISTS app._chkit_backfill_ledger SYNC'])
      rmSync(join(project.dir, 'chkit'), { recursive: true, force: true })
      const id = await planned(project, ['--target', 'app.hourly', ...WINDOW, '--chunk-hours', chunkHours])
      const more = await killAndResume(project.dir, id, replayKills - killed, random, ['--parallel', '2'])
      expect(more).toBeGreaterThan(0)
      killed += more
      const { rows, wanted } = await ask(url, FINALISED, EXPECTED)
      expect(rows.length).toBeGreaterThan(1000)
      expect(rows).toEqual(wanted)
    }
  })
}

const FINALISED =
  'SELECT hour, kind, countMerge(n) AS n, uniqExactMerge(ids) AS ids, round(sumMerge(v), 3) AS v FROM app.hourly GROUP BY hour, kind ORDER BY hour, kind'
const EXPECTED = `SELECT toStartOfHour(at) AS hour, id % 5 AS kind, count() AS n, uniqExact(id) AS ids, round(sum(v), 3) AS v FROM app.source WHERE ${IN_WINDOW} GROUP BY hour, kind ORDER BY hour, kind`

/** Copies into one target after the other, each run killed until it is completed, until there were `kills` kills. */
async function copy(url: string, kills: number, seed: number, losesState = false): Promise<void> {
  const project = backfillProject(url)
  cleanups.push(() => project.remove())
  await withConnection(url, TABLES)
  const random = seeded(seed)
  for (let killed = 0, round = 0; killed < kills; round++) {
    const target = `app.target_${round}`
    await withConnection(url, [`CREATE TABLE ${target} AS app.source`])
    const argv = ['--target', target, '--source', 'app.source', ...WINDOW, '--chunk-hours', '2']
    const id = await planned(project, argv)
    const more = await killAndResume(project.dir, id, kills - killed, random, ['--parallel', '2'], async () => {
      if (!losesState) return
      rmSync(join(project.dir, 'chkit/meta/backfill'), { recursive: true })
      expect(await planned(project, argv)).toBe(id)
    })
    expect(more).toBeGreaterThan(0)
    killed += more
    const { rows, wanted } = await ask(url, `${RAW} FROM ${target}`, `${RAW} FROM app.source WHERE ${IN_WINDOW}`)
    expect(rows).toEqual(wanted)
  }
  const left = await ask(
    url,
    "SELECT name FROM system.tables WHERE database = 'app' AND startsWith(name, '_chkit') AND name != '_chkit_backfill_ledger'",
    'SELECT 1',
  )
  expect(left.rows).toEqual([])
}

async function withConnection(url: string, statements: readonly string[]): Promise<void> {
  const connection = await connectTo(url)
  await execute(connection, statements)
  await connection.close()
}

async function ask(url: string, sql: string, wantedSql: string) {
  const connection = await connectTo(url)
  try {
    return { rows: await connection.query(sql), wanted: await connection.query(wantedSql) }
  } finally {
    await connection.close()
  }
}
