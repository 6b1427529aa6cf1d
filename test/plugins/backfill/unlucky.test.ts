import { appendFileSync, existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { startHttpServer } from '../../support/http-server.js'
import { backfillFile, backfillProject, configText, connectTo, execute, leftTables, planned } from './support.js'

const IMPATIENT = '{ defaults: { retryDelayMs: 1, maxRetriesPerChunk: 0 } }'
const PLAN = [
  '--target',
  'app.target',
  '--source',
  'app.source',
  '--from',
  '2024-01-01',
  '--to',
  '2024-01-03',
  '--chunk-hours',
  '12',
]

const at = backfillFile(
  [
    'CREATE TABLE app.source (at DateTime, id UInt64) ENGINE = MergeTree PARTITION BY id % 2 ORDER BY at',
    "INSERT INTO app.source SELECT toDateTime('2024-01-01', 'UTC') + number * 17, number FROM numbers(10000)",
    'CREATE TABLE app.target AS app.source',
  ],
  IMPATIENT,
)
const { run } = at

const state = (...path: string[]) => join(at.project.dir, 'chkit/meta/backfill', ...path)

async function expectExact(): Promise<void> {
  const [row] = await at.connection.query(
    'SELECT count() AS rows, uniqExact(id) AS ids, sum(id) AS sum FROM app.target',
  )
  expect(row).toEqual({ rows: 10000, ids: 10000, sum: 49995000 })
  expect(await leftTables(at.connection)).toEqual([])
}

describe('what cannot be promised is refused', () => {
  test.each([
    ['the table itself', ['--target', 'app.source', '--source', 'app.source'], 'guarantee_missing', 'same table'],
    [
      'a view on the target',
      ['--target', 'app.target', '--source', 'app.target_view'],
      'guarantee_missing',
      'reads from app.target',
    ],
    [
      'a Merge table over the target',
      ['--target', 'app.target', '--source', 'app.target_merge'],
      'guarantee_missing',
      'reads from app.target',
    ],
    [
      'a Merge table as target',
      ['--target', 'app.target_merge', '--source', 'app.source', '--force'],
      'guarantee_missing',
      'takes no rows',
    ],
    [
      'a Memory table as target',
      ['--target', 'app.memory', '--source', 'app.source'],
      'guarantee_missing',
      'exactly once',
    ],
    ['no source at all', ['--target', 'app.target'], 'choice_required', 'where the rows of app.target come from'],
    [
      'a target that is not there',
      ['--target', 'app.nothing', '--source', 'app.source'],
      'invalid_flag_value',
      'app.nothing',
    ],
    [
      'a time column that is none',
      ['--target', 'app.target', '--source', 'app.source', '--time-column', 'id'],
      'invalid_flag_value',
      'UInt64',
    ],
    ['a window that ends before it begins', [...PLAN, '--to', '2023-01-01'], 'window_invalid', 'not before'],
    ['a window beyond the limit', [...PLAN, '--to', '2024-03-01'], 'window_invalid', 'maxWindowHours'],
    ['chunks below the limit', [...PLAN, '--chunk-hours', '0.1'], 'window_invalid', 'minChunkMinutes'],
    ['a time that is none', [...PLAN, '--from', '2024-02-31'], 'invalid_flag_value', '--from'],
  ])('%s', async (_name, argv, code, sentence) => {
    await execute(at.connection, [
      'CREATE VIEW app.target_view AS SELECT * FROM (SELECT * FROM app.target)',
      "CREATE TABLE app.target_merge AS app.source ENGINE = Merge('app', '^target$')",
      'CREATE TABLE app.memory (at DateTime, id UInt64) ENGINE = Memory',
    ])
    const window = argv.includes('--from') ? [] : ['--from', '2024-01-01', '--to', '2024-01-03']
    const result = await run('plan', ...argv, ...window)
    expect(result.json).toMatchObject({ ok: false, code })
    expect(String(result.json.error)).toContain(sentence)
  })

  test('a Set, which nobody can read, takes its rows', async () => {
    await execute(at.connection, ['CREATE TABLE app.ids (id UInt64) ENGINE = Set'])
    await at.copy([...PLAN, '--target', 'app.ids'])
    expect(await at.connection.query('SELECT count() AS n FROM app.source WHERE id IN app.ids')).toEqual([{ n: 10000 }])
  })

  test('a Memory table is taken by force, with a warning', async () => {
    await execute(at.connection, ['CREATE TABLE app.memory (at DateTime, id UInt64) ENGINE = Memory'])
    const result = await run('plan', ...PLAN, '--target', 'app.memory', '--force')
    expect(result.json).toMatchObject({ ok: true, exactlyOnce: false, mechanism: 'direct' })
    expect(result.stderr).toContain('exactly once')
    expect((await run('run', '--plan-id', String(result.json.planId))).json).toMatchObject({
      ok: true,
      status: 'completed',
    })
    expect(await at.connection.query('SELECT count() AS n FROM app.memory')).toEqual([{ n: 10000 }])
  })

  test('by force, a chunk that is cut off in an unknown state stops the run and is never repeated by itself', async () => {
    await execute(at.connection, ['CREATE TABLE app.memory (at DateTime, id UInt64) ENGINE = Memory'])
    const id = await planned(at.project, [...PLAN, '--target', 'app.memory', '--force'])
    await at.server.faults([{ action: 'resetBefore', match: '^INSERT INTO app.memory', times: 1 }])
    await run('run', '--plan-id', id)
    const again = await run('resume', '--plan-id', id)
    expect(again.json).toMatchObject({
      ok: false,
      code: 'run_incomplete',
      details: { chunks: { done: 3, unknown: 1 } },
    })
    const doctor = await run('doctor', '--plan-id', id)
    expect(doctor.json).toMatchObject({ healthy: false, problems: [{ code: 'chunk_unknown' }] })
    expect((await run('resume', '--plan-id', id, '--replay-failed')).json).toMatchObject({ ok: true })
    expect(await at.connection.query('SELECT count() AS n FROM app.memory')).toEqual([{ n: 10000 }])
  })
})

test('without a query log, a chunk whose answer was lost is unknown: not tried again, whatever retries are left, and said by every command', async () => {
  const silent = await startHttpServer({ queryLog: false })
  const other = await connectTo(silent.url)
  const forgetful = backfillProject(silent.url)
  try {
    await execute(other, [
      'CREATE DATABASE app',
      'CREATE TABLE app.source (at DateTime, id UInt64) ENGINE = MergeTree ORDER BY at',
      "INSERT INTO app.source SELECT toDateTime('2024-01-01', 'UTC') + number * 17, number FROM numbers(10000)",
      'CREATE TABLE app.memory (at DateTime, id UInt64) ENGINE = Memory',
    ])
    const id = await planned(forgetful, [...PLAN, '--target', 'app.memory', '--force'])
    await silent.faults([{ action: 'resetAfter', match: '^INSERT INTO app.memory', skip: 1 }])
    const ended = await forgetful.run(['backfill', 'run', '--plan-id', id, '--json'])
    expect(ended.json).toMatchObject({
      ok: false,
      code: 'run_incomplete',
      details: {
        chunks: { done: 3, unknown: 1 },
        failed: [{ chunk: '0002', error: expect.stringContaining('Nobody can tell') }],
      },
    })
    const again = await forgetful.run(['backfill', 'resume', '--plan-id', id, '--json'])
    expect(again.json).toMatchObject({ ok: false, code: 'run_incomplete', details: { chunks: { unknown: 1 } } })
    expect(await other.query('SELECT count() AS n, uniqExact(id) AS ids FROM app.memory')).toEqual([
      { n: 10000, ids: 10000 },
    ])
    const status = await forgetful.run(['backfill', 'status', '--plan-id', id])
    expect(status.stdout).toContain('chunk 0002: Nobody can tell whether the rows of chunk 0002')
    const doctor = await forgetful.run(['backfill', 'doctor', '--plan-id', id, '--json'])
    expect(doctor.json).toMatchObject({
      problems: [{ code: 'chunk_unknown', mend: expect.stringContaining('Compare the rows') }],
    })
  } finally {
    forgetful.remove()
    await other.close()
    await silent.stop()
  }
})

describe('runs that go wrong', () => {
  test('two runs at once: one runs, the other is told', async () => {
    const id = await planned(at.project, PLAN)
    await at.server.faults([{ action: 'delayBefore', match: '^INSERT', ms: 300, times: 4 }])
    const results = await Promise.all([run('run', '--plan-id', id), run('run', '--plan-id', id)])
    expect(results.map(({ exitCode }) => exitCode).sort()).toEqual([0, 4])
    expect(results.find(({ exitCode }) => exitCode === 4)?.json).toMatchObject({ code: 'lock_held', retriable: true })
    await expectExact()
  })

  test('a server that is away stops the run, and nothing is lost', async () => {
    const id = await planned(at.project, PLAN)
    await at.server.faults([{ action: 'resetBefore', match: 'MOVE PARTITION', skip: 1, times: 99 }])
    const stopped = await run('run', '--plan-id', id)
    expect(stopped.json).toMatchObject({ ok: false, code: 'connection_reset', retriable: true })
    expect(stopped.json.hint).toContain(`chkit backfill resume --plan-id ${id}`)
    await at.server.faults([])
    expect((await run('resume', '--plan-id', id)).json).toMatchObject({ ok: true, rows: 10000 })
    await expectExact()
  })

  test('parts that a crashed server has on both sides of a move are not moved again', async () => {
    const id = await planned(at.project, PLAN)
    await at.server.faults([{ action: 'resetBefore', match: 'MOVE PARTITION', times: 99 }])
    await run('run', '--plan-id', id)
    await at.server.faults([])
    const [staging] = await at.connection.query<{ name: string }>(
      "SELECT name FROM system.tables WHERE database = 'app' AND startsWith(name, '_chkit') AND name != '_chkit_backfill_ledger'",
    )
    // ATTACH ... FROM copies a part and leaves the other where it is, as such a crash does.
    await execute(at.connection, [`ALTER TABLE app.target ATTACH PARTITION 1 FROM app.${staging?.name}`])
    expect((await run('resume', '--plan-id', id)).json).toMatchObject({ ok: true, rows: 10000 })
    await expectExact()
  })

  test('a chunk that fails too often waits for --replay-failed; check and doctor say so', async () => {
    await execute(at.connection, ['ALTER TABLE app.target ADD CONSTRAINT small CHECK id < 5000'])
    const id = await planned(at.project, PLAN)
    const failed = await run('run', '--plan-id', id)
    expect(failed.json).toMatchObject({
      ok: false,
      code: 'run_incomplete',
      details: { chunks: { done: 1, failed: 3 } },
    })
    expect((await run('doctor', '--plan-id', id)).json).toMatchObject({
      healthy: false,
      problems: [{ code: 'chunk_failed' }, { code: 'chunk_failed' }, { code: 'chunk_failed' }],
    })
    expect(await checkCodes()).toEqual(['backfill_required_pending', 'backfill_chunk_failed_retry_exhausted'])
    await execute(at.connection, ['ALTER TABLE app.target DROP CONSTRAINT small'])
    const changed = await run('resume', '--plan-id', id, '--replay-failed')
    expect(changed.json).toMatchObject({ code: 'plan_mismatch', details: { changed: ['target'] } })
    const resumed = await run('resume', '--plan-id', id, '--replay-failed', '--force-compatibility')
    expect(resumed.json).toMatchObject({ ok: true, status: 'completed' })
    await expectExact()
    expect(await checkCodes()).toEqual([])
  })

  test('cancel stops a plan until it is resumed', async () => {
    const id = await planned(at.project, PLAN)
    await at.server.faults([{ action: 'resetBefore', match: 'MOVE PARTITION', skip: 3, times: 99 }])
    await run('run', '--plan-id', id)
    await at.server.faults([])
    expect((await run('cancel', '--plan-id', id)).json).toMatchObject({ ok: true, status: 'cancelled' })
    expect((await run('run', '--plan-id', id)).json).toMatchObject({ ok: false, code: 'run_cancelled' })
    expect((await run('resume', '--plan-id', id)).json).toMatchObject({ ok: true, status: 'completed' })
    await expectExact()
  })

  test('cancel reaches a run that is under way', async () => {
    const id = await planned(at.project, PLAN)
    await at.server.faults([{ action: 'delayBefore', match: '^INSERT', ms: 400, times: 9 }])
    const running = run('run', '--plan-id', id)
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect((await run('cancel', '--plan-id', id)).json).toMatchObject({ ok: true, requested: true })
    expect((await running).json).toMatchObject({ ok: false, code: 'run_cancelled' })
    await at.server.faults([])
    expect((await run('resume', '--plan-id', id)).json).toMatchObject({ ok: true })
    await expectExact()
  })

  test('an interrupt ends the run with 130, and resume goes on', async () => {
    const id = await planned(at.project, PLAN)
    await at.server.faults([{ action: 'delayBefore', match: '^INSERT', ms: 500, times: 2 }])
    const abort = new AbortController()
    setTimeout(() => abort.abort(), 400)
    const result = await at.project.run(['backfill', 'run', '--plan-id', id, '--json'], { signal: abort.signal })
    expect(result.exitCode).toBe(130)
    await at.server.faults([])
    expect((await run('resume', '--plan-id', id)).json).toMatchObject({ ok: true })
    await expectExact()
  })
})

/** Finding codes of the plugin in `chkit check`. */
async function checkCodes(): Promise<unknown> {
  at.project.write({
    'schema/app.ts':
      "import { table } from 'chkit'\nexport const t = table({ database: 'app', name: 't', columns: [{ name: 'a', type: 'Int8' }], engine: 'MergeTree', orderBy: ['a'] })\n",
  })
  await at.project.run(['generate', '--json'])
  const { json } = await at.project.run(['check', '--json'])
  const plugins = json.plugins as Readonly<Record<string, { findingCodes: readonly string[] }>>
  return plugins.backfill?.findingCodes
}

describe('files that are damaged', () => {
  test('half a line at the end of the events, as a kill leaves it, is no damage', async () => {
    const id = await planned(at.project, PLAN)
    await run('run', '--plan-id', id)
    appendFileSync(state('events', `${id}.ndjson`), '{"at":"2024-01-')
    expect((await run('run', '--plan-id', id)).json).toMatchObject({ ok: true, status: 'completed', rows: 10000 })
    await expectExact()
  })

  test('a run file cut short stops everything, doctor says how to mend it, and that mends it', async () => {
    const id = await planned(at.project, PLAN)
    await at.server.faults([{ action: 'resetBefore', match: 'MOVE PARTITION', skip: 3, times: 99 }])
    await run('run', '--plan-id', id)
    await at.server.faults([])
    const file = state('runs', `${id}.json`)
    truncateSync(file, 40)
    const damaged = readFileSync(file)
    const refused = await run('resume', '--plan-id', id)
    expect(refused.json).toMatchObject({ ok: false, code: 'state_corrupt', details: { file } })
    expect(readFileSync(file)).toEqual(damaged)
    const doctor = await run('doctor', '--plan-id', id)
    expect(doctor.json).toMatchObject({ healthy: false, problems: [{ code: 'state_corrupt' }] })
    expect(JSON.stringify(doctor.json)).toContain(`mv ${file}`)
    writeFileSync(`${file}.broken`, damaged)
    const { rmSync } = await import('node:fs')
    rmSync(file)
    expect((await run('resume', '--plan-id', id)).json).toMatchObject({ ok: true, status: 'completed' })
    expect(existsSync(file)).toBe(true)
    await expectExact()
  })

  test('events that were cut back are missed, and nothing is sent', async () => {
    const id = await planned(at.project, PLAN)
    await run('run', '--plan-id', id)
    const file = state('events', `${id}.ndjson`)
    writeFileSync(file, readFileSync(file, 'utf8').split('\n').slice(0, 3).join('\n').concat('\n'))
    expect((await run('resume', '--plan-id', id)).json).toMatchObject({ ok: false, code: 'state_corrupt' })
    await expectExact()
  })

  test('a plan file cut short is refused, and planning again brings it back', async () => {
    const id = await planned(at.project, PLAN)
    const file = state('plans', `${id}.json`)
    truncateSync(file, 100)
    expect((await run('run', '--plan-id', id)).json).toMatchObject({ ok: false, code: 'state_corrupt' })
    const { renameSync } = await import('node:fs')
    renameSync(file, `${file}.broken`)
    expect(await planned(at.project, PLAN)).toBe(id)
    expect((await run('run', '--plan-id', id)).json).toMatchObject({ ok: true })
    await expectExact()
  })

  test('a plan that was made for another database is refused, unless forced', async () => {
    const id = await planned(at.project, PLAN)
    at.project.write({
      'clickhouse.config.ts': configText(at.server.url, IMPATIENT).replace("database: 'app'", "database: 'default'"),
    })
    const refused = await run('run', '--plan-id', id)
    expect(refused.json).toMatchObject({ ok: false, code: 'plan_mismatch', details: { planned: { database: 'app' } } })
    expect((await run('doctor', '--plan-id', id)).json).toMatchObject({ problems: [{}, { code: 'other_environment' }] })
    expect((await run('run', '--plan-id', id, '--force-environment')).json).toMatchObject({ ok: true })
    await expectExact()
  })

  test('an unreachable server and bad options: a sentence and a code', async () => {
    at.project.write({ 'clickhouse.config.ts': configText('http://127.0.0.1:1', IMPATIENT) })
    expect((await run('plan', ...PLAN)).json).toMatchObject({ ok: false, code: 'connection_refused', retriable: true })
    at.project.write({ 'clickhouse.config.ts': configText(at.server.url, '{ defaults: { chunkHour: 1 } }') })
    const options = await run('status')
    expect(options.json).toMatchObject({ ok: false, code: 'plugin_option_invalid' })
    expect(options.exitCode).toBe(2)
    at.project.write({ 'clickhouse.config.ts': configText(at.server.url) })
    expect((await run('run', '--plan-id', '0000000000000000')).json).toMatchObject({ code: 'plan_not_found' })
    expect((await run('run', '--plan-id', 'x')).json).toMatchObject({ code: 'invalid_flag_value' })
  })
})
