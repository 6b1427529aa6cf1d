import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { takeNamedLock } from '../../../src/migration/named-lock.js'
import { lockRequestOf } from '../../../src/plugins/backfill/ledger.js'
import type { Project } from '../../support/cli.js'
import { backfillProject, execute, planned, serverOfFile } from './support.js'

/** Two checkouts with state folders of their own, or one whose state folder was lost: the server's ledger tells. */

const at = serverOfFile()
let here: Project
let there: Project

const IMPATIENT =
  '{ defaults: { retryDelayMs: 1, maxRetriesPerChunk: 0, requireIdempotencyToken: false, chunkHours: 12 } }'
const WINDOW = ['--from', '2024-01-01', '--to', '2024-01-03']
const PLAN = ['--target', 'app.target', '--source', 'app.source', ...WINDOW]

beforeEach(async () => {
  await at.server.faults([])
  await execute(at.connection, [
    'DROP DATABASE IF EXISTS app SYNC',
    'CREATE DATABASE app',
    'CREATE TABLE app.source (at DateTime, id UInt64) ENGINE = MergeTree PARTITION BY id % 2 ORDER BY at',
    "INSERT INTO app.source SELECT toDateTime('2024-01-01', 'UTC') + number * 17, number FROM numbers(10000)",
    'CREATE TABLE app.target AS app.source',
  ])
  here = backfillProject(at.server.url, IMPATIENT)
  there = backfillProject(at.server.url, IMPATIENT)
  return () => {
    here.remove()
    there.remove()
  }
})

const run = (project: Project, command: string, ...argv: string[]) =>
  project.run(['backfill', command, ...argv, '--json'])
const stateOf = ({ dir }: Project) => join(dir, 'chkit/meta/backfill')

async function expectExact(table = 'target'): Promise<void> {
  const [row] = await at.connection.query(
    `SELECT count() AS rows, uniqExact(id) AS ids, sum(id) AS sum FROM app.${table}`,
  )
  expect(row).toEqual({ rows: 10000, ids: 10000, sum: 49995000 })
}

/** Runs a plan until its third chunk is to be moved, where the connection is lost for good. */
async function runHalf(project: Project, id: string, match = 'MOVE PARTITION', skip = 4): Promise<void> {
  await at.server.faults([{ action: 'resetBefore', match, skip, times: 99 }])
  expect((await run(project, 'run', '--plan-id', id)).json).toMatchObject({ ok: false })
  await at.server.faults([])
}

describe('one target, two checkouts', () => {
  test('a run while another machine is writing: refused, naming the plan and the host', async () => {
    const id = await planned(here, PLAN)
    const held = await takeNamedLock(at.connection, {
      ...lockRequestOf({ database: 'app', name: 'target' }),
      holder: 'backfill-0123456789abcdef',
      signal: new AbortController().signal,
      leaseMs: 1_500,
    })
    try {
      const refused = await run(here, 'run', '--plan-id', id)
      expect(refused.exitCode).toBe(4)
      expect(refused.json).toMatchObject({ ok: false, code: 'lock_held', retriable: true })
      expect(refused.json.error).toMatch(
        /Another run holds the backfill lock of app\.target: backfill-0123456789abcdef-\w+ on \S+\./,
      )
      expect((await run(here, 'doctor', '--plan-id', id)).json).toMatchObject({
        problems: [{ code: 'not_started' }, { code: 'running_elsewhere' }],
      })
    } finally {
      await held.release()
    }
    expect((await run(here, 'run', '--plan-id', id)).json).toMatchObject({ ok: true })
    await expectExact()
  })

  test('both run the same plan at once: one does it, the other finds it done', async () => {
    const [id, same] = [await planned(here, PLAN), await planned(there, PLAN)]
    expect(same).toBe(id)
    const results = await Promise.all([run(here, 'run', '--plan-id', id), run(there, 'run', '--plan-id', id)])
    for (const { json } of results) expect(json).toMatchObject({ ok: true, status: 'completed', rows: 10000 })
    await expectExact()
  })

  test('a run that stopped here goes on there', async () => {
    const id = await planned(here, PLAN)
    await runHalf(here, id)
    const plan = await run(there, 'plan', ...PLAN)
    expect(plan.stderr).toContain('2 of 4 chunks have arrived by the ledger')
    expect((await run(there, 'doctor', '--plan-id', id)).json).toMatchObject({
      problems: [{ code: 'not_started' }, { code: 'ledger_ahead' }],
    })
    // Cancelled here, where nothing is known of it, the chunk that was to be moved keeps its staging table.
    expect((await run(there, 'cancel', '--plan-id', id)).json).toMatchObject({ ok: true, droppedTables: [] })
    const resumed = await run(there, 'resume', '--plan-id', id)
    expect(resumed.json).toMatchObject({ ok: true, status: 'completed', rows: 10000 })
    expect(resumed.stderr).toContain('3 chunks are as the ledger app._chkit_backfill_ledger says')
    expect((await run(here, 'resume', '--plan-id', id)).json).toMatchObject({ ok: true, status: 'completed' })
    await expectExact()
  })

  test('an overlapping window that was planned elsewhere is refused', async () => {
    await runHalf(here, await planned(here, PLAN))
    const id = await planned(there, [...PLAN, '--from', '2024-01-02'])
    const refused = await run(there, 'run', '--plan-id', id)
    expect(refused.json).toMatchObject({ ok: false, code: 'overlapping_run' })
    expect(refused.json.error).toMatch(/\(interrupted, run from \S+\) writes rows of app\.source into app\.target/)
    // Rows of another time are no concern of it.
    const after = await planned(there, [...PLAN, '--from', '2024-01-03', '--to', '2024-01-04'])
    expect((await run(there, 'run', '--plan-id', after)).json).toMatchObject({ ok: true })
  })
})

describe('a state folder that is gone', () => {
  test('doctor tells from the server, and resume goes on', async () => {
    const id = await planned(here, PLAN)
    await runHalf(here, id)
    rmSync(stateOf(here), { recursive: true })
    expect((await run(here, 'status', '--plan-id', id)).json).toMatchObject({ ok: false, code: 'plan_not_found' })
    const doctor = await run(here, 'doctor', '--plan-id', id)
    expect(doctor.json).toMatchObject({ healthy: false, problems: [{ code: 'state_lost' }] })
    expect(JSON.stringify(doctor.json)).toContain('2 of 4 chunks have arrived')
    const resumed = await run(here, 'resume', '--plan-id', id)
    expect(resumed.json).toMatchObject({ ok: true, status: 'completed', rows: 10000 })
    expect(resumed.stderr).toContain('it is back from the ledger')
    await expectExact()
    expect((await run(here, 'doctor')).json).toMatchObject({ healthy: true })
  })

  test('after the run was completed, planning and running again adds nothing', async () => {
    const id = await planned(here, PLAN)
    await run(here, 'run', '--plan-id', id)
    rmSync(stateOf(here), { recursive: true })
    expect(await planned(here, PLAN)).toBe(id)
    expect((await run(here, 'run', '--plan-id', id)).json).toMatchObject({ ok: true, rows: 10000 })
    await expectExact()
  })

  test('an older copy of it is brought up to date', async () => {
    const id = await planned(here, PLAN)
    await runHalf(here, id, 'MOVE PARTITION', 2)
    const copy = `${stateOf(here)}.copy`
    cpSync(stateOf(here), copy, { recursive: true })
    expect((await run(here, 'resume', '--plan-id', id)).json).toMatchObject({ ok: true })
    rmSync(stateOf(here), { recursive: true })
    cpSync(copy, stateOf(here), { recursive: true })
    expect((await run(here, 'resume', '--plan-id', id)).json).toMatchObject({ ok: true, rows: 10000 })
    await expectExact()
  })

  test('rows that were replaced are not deleted a second time', async () => {
    await execute(at.connection, ["INSERT INTO app.target SELECT toDateTime('2024-01-01', 'UTC'), 77 FROM numbers(5)"])
    const id = await planned(here, [...PLAN, '--existing', 'replace'])
    await runHalf(here, id)
    rmSync(stateOf(here), { recursive: true })
    await at.server.clearHistory()
    expect((await run(here, 'resume', '--plan-id', id)).json).toMatchObject({ ok: true, rows: 10000 })
    expect((await at.server.history()).filter(({ query }) => query.includes('DELETE WHERE'))).toEqual([])
    await expectExact()
    // Replayed as a whole, the ledger forgets what had arrived, in this checkout and in others.
    await planned(there, [...PLAN, '--existing', 'replace'])
    expect((await run(here, 'run', '--plan-id', id, '--replay-done')).json).toMatchObject({ ok: true, rows: 10000 })
    expect((await run(there, 'run', '--plan-id', id)).json).toMatchObject({ ok: true, rows: 10000 })
    await expectExact()
  })

  test('where nothing is promised, a chunk that was cut off is unknown, not begun anew', async () => {
    await execute(at.connection, ['CREATE TABLE app.memory (at DateTime, id UInt64) ENGINE = Memory'])
    const id = await planned(here, [...PLAN, '--target', 'app.memory', '--force'])
    await runHalf(here, id, '^INSERT INTO app.memory', 2)
    rmSync(stateOf(here), { recursive: true })
    const again = await run(here, 'resume', '--plan-id', id)
    expect(again.json).toMatchObject({ code: 'run_incomplete', details: { chunks: { done: 3, unknown: 1 } } })
  })
})

describe('a target that is another table now', () => {
  test('dropped and created again: refused, and planning again begins anew', async () => {
    const id = await planned(here, PLAN)
    await runHalf(here, id)
    await execute(at.connection, ['DROP TABLE app.target SYNC', 'CREATE TABLE app.target AS app.source'])
    const refused = await run(here, 'resume', '--plan-id', id)
    expect(refused.json).toMatchObject({ ok: false, code: 'plan_mismatch', details: { changed: ['target'] } })
    expect(refused.json.error).toContain('dropped and created again')
    expect((await run(here, 'doctor', '--plan-id', id)).json).toMatchObject({
      problems: [{ code: 'interrupted' }, { code: 'target_recreated' }],
    })
    const plan = await run(here, 'plan', ...PLAN)
    expect(plan.json).toMatchObject({ ok: true, planId: id, created: true, status: 'planned' })
    expect((await run(here, 'run', '--plan-id', id)).json).toMatchObject({ ok: true, rows: 10000 })
    await expectExact()
  })

  test('exchanged with a copy of its rows: by --force-compatibility the run goes on', async () => {
    const id = await planned(here, PLAN)
    await runHalf(here, id)
    await execute(at.connection, [
      'CREATE TABLE app.copy AS app.source',
      'INSERT INTO app.copy SELECT * FROM app.target',
      'EXCHANGE TABLES app.copy AND app.target',
      'DROP TABLE app.copy SYNC',
    ])
    expect((await run(here, 'resume', '--plan-id', id)).json).toMatchObject({ code: 'plan_mismatch' })
    expect((await run(here, 'resume', '--plan-id', id, '--force-compatibility')).json).toMatchObject({ ok: true })
    await expectExact()
  })

  test('dropped while the run is under way: the run stops, naming it', async () => {
    const id = await planned(here, PLAN)
    await at.server.faults([{ action: 'delayBefore', match: 'MOVE PARTITION', skip: 2, ms: 800 }])
    const running = run(here, 'run', '--plan-id', id)
    await new Promise((resolve) => setTimeout(resolve, 400))
    await execute(at.connection, ['DROP TABLE app.target SYNC'])
    const stopped = await running
    expect(stopped.json).toMatchObject({ ok: false })
    expect(String(stopped.json.error)).toContain('app.target')
    expect((await run(here, 'doctor', '--plan-id', id)).json).toMatchObject({ healthy: false })
    expect((await run(here, 'resume', '--plan-id', id)).json).toMatchObject({ ok: false, code: 'plan_mismatch' })
  })
})
