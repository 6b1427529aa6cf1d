import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { connect } from '../../src/clickhouse/connect.js'
import type { Executor } from '../../src/clickhouse/executor.js'
import { watchStalled } from '../../src/migration/stalled-query.js'
import type { Prompt } from '../../src/plugin-host/command.js'
import { createProject, type Project } from '../support/cli.js'
import { buildExecutable, type Executable } from '../support/executable.js'
import { type HttpServer, startHttpServer } from '../support/http-server.js'

let server: HttpServer
let executor: Executor
let chkit: Executable
let project: Project
let made = 0

beforeAll(async () => {
  chkit = await buildExecutable()
  server = await startHttpServer()
  executor = await connect({ url: server.url }, { root: '/' })
})
afterAll(async () => {
  await executor.close()
  await server.stop()
  chkit.remove()
})
afterEach(async () => {
  await server.faults([])
  await server.release()
  project.remove()
})

function newProject(url = server.url): string {
  const db = `signals${++made}`
  project = createProject({
    'clickhouse.config.ts': `export default {
      schema: './schema.ts', migrationsDir: './migrations', metaDir: './meta',
      clickhouse: { url: '${url}', database: '${db}' },
    }`,
    'migrations/1_a.sql': `CREATE TABLE ${db}.t (x UInt32) ENGINE = MergeTree ORDER BY x;
INSERT INTO ${db}.t VALUES (1);
ALTER TABLE ${db}.t MODIFY COMMENT 'c';
`,
  })
  return db
}

function start(...argv: string[]): { child: ChildProcess; ended: Promise<Readonly<Record<string, unknown>>> } {
  const child = spawn(process.execPath, [chkit.path, 'migrate', '--apply', '--json', ...argv], {
    cwd: project.dir,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let stderr = ''
  child.stderr?.on('data', (data: Buffer) => {
    stderr += data.toString()
  })
  child.stdout?.on('data', (data: Buffer) => {
    out += data.toString()
  })
  const ended = once(child, 'close').then(([exitCode]) => ({
    exitCode,
    stderr,
    ...(out === '' ? {} : JSON.parse(out)),
  }))
  return { child, ended }
}

async function json(...argv: string[]) {
  const { exitCode, json } = await project.run([...argv, '--json'])
  return { exitCode, ...json }
}

async function until(claim: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = Date.now() + 20_000
  while (!(await claim())) {
    if (Date.now() > deadline) throw new Error('it never came to that')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

const held = () => until(async () => (await server.stats()).held > 0)
const locks = (db: string) =>
  executor.query(`SELECT name FROM system.tables WHERE database = '${db}' AND name LIKE '%_lock_%'`)
const rows = (db: string) => executor.query(`SELECT count() AS n FROM ${db}.t`)

/** Holds the run at its INSERT, which has arrived; `hangAfter`: and has run. */
async function startAndHold(action: 'hangBefore' | 'hangAfter', db: string) {
  await server.faults([{ action, match: `^INSERT INTO ${db}\\.t VALUES` }])
  const run = start()
  await held()
  return run
}

describe('SIGINT', () => {
  test('once: the statement under way is finished, the lock released, the journal true', async () => {
    const db = newProject()
    const run = await startAndHold('hangAfter', db)
    run.child.kill('SIGINT')
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(run.child.exitCode).toBe(null)
    await server.release()
    expect(await run.ended).toMatchObject({
      exitCode: 130,
      ok: false,
      code: 'interrupted',
      stderr: expect.stringContaining('A second Ctrl-C leaves at once'),
    })
    expect(await locks(db)).toEqual([])
    expect(await json('status')).toMatchObject({
      halfDone: [{ statement: 3, doneStatements: 2, text: `ALTER TABLE ${db}.t MODIFY COMMENT 'c'` }],
    })
    expect(await json('migrate', '--apply')).toMatchObject({ exitCode: 0, applied: [{ resumed: 2 }] })
    expect(await rows(db)).toEqual([{ n: 1 }])
  })

  test('twice: it leaves at once, and the next run settles it without waiting for the lease', async () => {
    const db = newProject()
    const run = await startAndHold('hangAfter', db)
    run.child.kill('SIGINT')
    await new Promise((resolve) => setTimeout(resolve, 200))
    run.child.kill('SIGINT')
    expect(await run.ended).toMatchObject({ exitCode: 130 })
    expect(await locks(db)).toHaveLength(1)
    await server.release()
    expect(await json('migrate', '--apply', '--lock-timeout', '0')).toMatchObject({
      exitCode: 0,
      applied: [{ resumed: 2 }],
    })
    expect(await rows(db)).toEqual([{ n: 1 }])
  })
})

test('while no answer comes, the server is asked what it does; one that was lost is not waited for', async () => {
  const db = newProject()
  project.write({
    'migrations/2_b.sql': `INSERT INTO ${db}.t SELECT sleepEachRow(1) FROM numbers(3) SETTINGS max_block_size = 1;
INSERT INTO ${db}.t VALUES (2);`,
  })
  await server.faults([{ action: 'hangAfter', match: 'VALUES \\(2\\)' }])
  const started = performance.now()
  const { exitCode, stderr } = await project.run(['migrate', '--apply'], { tty: true })
  expect(exitCode).toBe(0)
  expect(stderr).toMatch(/2_b.sql: statement 1 of 2: the server has been at it for \d s/)
  expect(stderr).toContain('2_b.sql: statement 2 of 2: no answer for 2 s, and the server does not run it')
  // A request may take 300 s.
  expect(performance.now() - started).toBeLessThan(30_000)
  expect(await rows(db)).toEqual([{ n: 5 }])
})

describe('--unlock', () => {
  const person = (typed: string): { prompt: Prompt; asked: string[] } => {
    const asked: string[] = []
    const no = async (): Promise<never> => {
      throw new Error('asked something else')
    }
    return {
      asked,
      prompt: {
        interactive: true,
        confirm: no,
        select: no,
        typed: async (question, expected) => {
          asked.push(question)
          return typed === expected
        },
      } as Prompt,
    }
  }

  test('breaks the lock only after the typed word; the run that had it sends nothing more', async () => {
    const db = newProject()
    const run = await startAndHold('hangAfter', db)

    expect(await json('migrate', '--unlock')).toMatchObject({ exitCode: 4, code: 'lock_held' })
    const unsure = person('yes')
    const refused = await project.run(['migrate', '--unlock'], { tty: true, prompt: unsure.prompt })
    expect(refused.exitCode).toBe(4)
    expect(unsure.asked).toEqual([expect.stringContaining('Type "unlock"')])
    expect(await locks(db)).toHaveLength(1)

    const sure = person('unlock')
    const broken = await project.run(['migrate', '--unlock'], { tty: true, prompt: sure.prompt })
    expect(broken).toMatchObject({ exitCode: 0 })
    expect(broken.stdout).toMatch(/The migration lock of \w+ on \S+ is broken/)
    expect(await locks(db)).toEqual([])

    const next = json('migrate', '--apply')
    // The second run waits for the query of the first, which the server still holds.
    await new Promise((resolve) => setTimeout(resolve, 500))
    await server.release()
    expect(await next).toMatchObject({ exitCode: 0 })
    await run.ended
    expect(await rows(db)).toEqual([{ n: 1 }])
  })

  test('says so where nobody holds it', async () => {
    newProject()
    expect(await json('migrate', '--unlock')).toMatchObject({ exitCode: 0, mode: 'unlock', holder: null })
  })
})

describe('the embedded engine', () => {
  test('held by another chkit migrate: waited for, then 4', async () => {
    newProject('chdb:./db')
    project.write({ 'migrations/2_b.sql': 'SELECT sleepEachRow(1) FROM numbers(5) SETTINGS max_block_size = 1;' })
    const run = start()
    // The engine writes this file when it opens the folder.
    await until(() => existsSync(join(project.dir, 'db/status')))
    const refused = await json('migrate', '--apply', '--lock-timeout', '0')
    expect(refused).toMatchObject({ exitCode: 4, code: 'lock_held', details: { process: run.child.pid } })
    expect(await json('migrate', '--apply', '--lock-timeout', '60')).toMatchObject({ exitCode: 0, applied: [] })
    expect(await run.ended).toMatchObject({ exitCode: 0 })
  })
})

describe('a query that a dead run left behind', () => {
  test('is killed when it gets no further', async () => {
    newProject()
    const queryId = `stalled-${Date.now()}`
    const running = executor.command('SELECT sleep(3), sleep(3), sleep(3), sleep(3)', { queryId }).then(
      () => 'ran to its end',
      () => 'was killed',
    )
    await until(
      async () => (await executor.query(`SELECT 1 FROM system.processes WHERE query_id = '${queryId}'`)).length > 0,
    )
    const look = watchStalled(executor, queryId, 300)
    let ended: string | undefined
    void running.then((how) => {
      ended = how
    })
    while (ended === undefined) {
      await look()
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    expect(ended).toBe('was killed')
  })
})
