import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { connect } from '../../src/clickhouse/connect.js'
import type { Executor } from '../../src/clickhouse/executor.js'
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
  server = await startHttpServer({
    users: [
      { name: 'default', password: '' },
      { name: 'reader', password: 'r', selectOnly: true, readonly: 2 },
    ],
  })
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

function newProject(
  migrations: Readonly<Record<string, string>>,
  options: { user?: string; url?: string } = {},
): string {
  const db = `race${++made}`
  const user = options.user === undefined ? '' : `username: '${options.user}', password: 'r', `
  const files = Object.entries(migrations).map(([name, text]) => [`migrations/${name}`, text.replaceAll('DB', db)])
  project = createProject({
    'clickhouse.config.ts': `export default {
      schema: './schema.ts', migrationsDir: './migrations', metaDir: './meta',
      clickhouse: { url: '${options.url ?? server.url}', ${user}database: '${db}' },
    }`,
    ...Object.fromEntries(files),
  })
  return db
}

async function json(...argv: string[]) {
  const result = await project.run([...argv, '--json'])
  return { ...result.json, exitCode: result.exitCode } as Record<string, unknown> & { exitCode: number }
}

type Ended = { readonly code: number | null; readonly document: Record<string, unknown> }

function start(...argv: string[]): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn(process.execPath, [chkit.path, 'migrate', '--apply', '--json', ...argv], {
    cwd: project.dir,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let out = ''
  child.stdout?.on('data', (data: Buffer) => {
    out += data.toString()
  })
  const ended = once(child, 'close').then(
    ([code]): Ended => ({ code: code as number | null, document: out === '' ? {} : JSON.parse(out) }),
  )
  return { child, ended }
}

async function until(claim: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000
  while (!(await claim())) {
    if (Date.now() > deadline) throw new Error('it never came to that')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

const held = () => until(async () => (await server.stats()).held > 0)
const count = async (table: string) => (await executor.query<{ n: number }>(`SELECT count() AS n FROM ${table}`))[0]?.n

const FILES = {
  '1_a.sql': 'CREATE TABLE DB.t (x UInt32) ENGINE = MergeTree ORDER BY x;\nINSERT INTO DB.t VALUES (1);',
  '2_b.sql': 'INSERT INTO DB.t SELECT number FROM numbers(10);\nALTER TABLE DB.t ADD COLUMN y UInt8;',
}

describe('two runs at once', () => {
  test('many processes: each statement runs once, all end with 0 or 4', async () => {
    const db = newProject(FILES)
    const runs = Array.from({ length: 8 }, () => start('--lock-timeout', '60').ended)
    const ended = await Promise.all(runs)
    for (const { code, document } of ended)
      expect({ code, document }).toMatchObject({ code: expect.toSatisfy((c) => c === 0 || c === 4) })
    expect(await count(`${db}.t`)).toBe(11)
    expect(await count(`${db}._chkit_migrations`)).toBe(2)
    const names = ended
      .flatMap(({ document }) => (document.applied as { name: string }[] | undefined) ?? [])
      .map(({ name }) => name)
    expect(names.sort()).toEqual(['1_a.sql', '2_b.sql'])
  })

  test('the second says who holds the lock, and ends with 4 without waiting for ever', async () => {
    newProject(FILES)
    await server.faults([{ action: 'hangBefore', match: 'INSERT INTO race\\d+\\.t VALUES' }])
    const first = start()
    await held()
    const refused = await json('migrate', '--apply', '--lock-timeout', '0')
    expect(refused).toMatchObject({ exitCode: 4, code: 'lock_held', retriable: true })
    expect(refused.error).toMatch(/held|holds the migration lock/)
    // The run that is under way finds out by itself.
    expect(await json('migrate', '--resolve', '1:2=retry')).toMatchObject({ exitCode: 4, code: 'lock_held' })
    await server.release()
    expect((await first.ended).code).toBe(0)
  })

  test('nothing pending takes no lock', async () => {
    newProject(FILES)
    await json('migrate', '--apply')
    await server.clearHistory()
    await json('migrate', '--apply')
    expect((await server.history()).filter(({ query }) => /_lock_|CREATE|INSERT/.test(query))).toEqual([])
  })
})

describe('signals', () => {
  test('SIGTERM in the middle of a statement: it is finished, the lock released, the journal true', async () => {
    const db = newProject({ ...FILES, '1_a.sql': `${FILES['1_a.sql']}\nALTER TABLE DB.t MODIFY COMMENT 'c';` })
    await server.faults([{ action: 'delayAfter', match: 'INSERT INTO race\\d+\\.t VALUES', ms: 1500 }])
    const run = start()
    await until(async () =>
      (await server.history()).some(({ query, fault }) => fault === 'delayAfter' && query.includes(db)),
    )
    run.child.kill('SIGTERM')
    const { code, document } = await run.ended
    expect(code).toBe(130)
    expect(document).toMatchObject({ ok: false, code: 'interrupted' })
    expect(
      await executor.query(`SELECT name FROM system.tables WHERE database = '${db}' AND name LIKE '%lock%'`),
    ).toEqual([])
    expect(await json('status')).toMatchObject({
      applied: 0,
      halfDone: [{ name: '1_a.sql', statement: 3, doneStatements: 2 }],
    })
    expect(await json('migrate', '--apply')).toMatchObject({
      exitCode: 0,
      applied: [{ name: '1_a.sql', resumed: 2 }, {}],
    })
    expect(await count(`${db}.t`)).toBe(11)
  })
})

describe('what nobody can know', () => {
  test('an INSERT without a query log stops with the facts, and a person decides', async () => {
    const silent = await startHttpServer({ queryLog: false })
    const other = await connect({ url: silent.url }, { root: '/' })
    try {
      const db = newProject(FILES, { url: silent.url })
      await silent.faults([{ action: 'resetAfter', match: 'INSERT INTO race\\d+\\.t VALUES' }])
      const stopped = await json('migrate', '--apply')
      expect(stopped).toMatchObject({
        exitCode: 1,
        code: 'migration_unsettled',
        details: { migration: '1_a.sql', statement: 2, text: `INSERT INTO ${db}.t VALUES (1)` },
      })
      expect(stopped.hint).toContain('--resolve 1:2=done')
      expect(stopped.hint).toContain('--resolve 1:2=retry')
      expect(await json('migrate', '--apply')).toMatchObject({ exitCode: 1, code: 'migration_unsettled' })
      expect(await json('status')).toMatchObject({ halfDone: [{ name: '1_a.sql', statement: 2, outcome: 'unknown' }] })
      expect(await json('migrate', '--resolve', '1:2=done')).toMatchObject({
        exitCode: 0,
        mode: 'resolve',
        outcome: 'done',
      })
      expect(await json('migrate', '--apply')).toMatchObject({ exitCode: 0 })
      expect((await other.query<{ n: number }>(`SELECT count() AS n FROM ${db}.t`))[0]?.n).toBe(11)
    } finally {
      await other.close()
      await silent.stop()
    }
  })

  test('an INSERT that did not arrive is sent again without asking', async () => {
    const silent = await startHttpServer({ queryLog: false })
    try {
      newProject(FILES, { url: silent.url })
      await silent.faults([{ action: 'resetBefore', match: 'INSERT INTO race\\d+\\.t VALUES' }])
      expect(await json('migrate', '--apply')).toMatchObject({ exitCode: 0 })
    } finally {
      await silent.stop()
    }
  })
})

describe('statements that would do harm later are sent in a session that ends before the lease', () => {
  const inserts = async (of: HttpServer) =>
    (await of.history()).filter(({ query }) => /^INSERT INTO race\d+\.t /.test(query))

  test('each in its own; a plain CREATE without', async () => {
    await server.clearHistory()
    newProject(FILES)
    expect(await json('migrate', '--apply')).toMatchObject({ exitCode: 0 })
    const sessions = (await inserts(server)).map(({ session }) => session)
    expect(sessions).toHaveLength(2)
    sessions.push(
      ...(await server.history())
        .filter(({ query }) => query.startsWith('ALTER TABLE race'))
        .map(({ session }) => session),
    )
    expect(new Set(sessions).size).toBe(3)
    for (const session of sessions) expect(session).toMatch(/^chkit-/)
    const creates = (await server.history()).filter(({ query }) => /^CREATE TABLE race/.test(query))
    expect(creates.filter(({ session }) => session !== undefined)).toEqual([])
  })

  test('behind a balancer, where no session is found again, without one', async () => {
    const balanced = await startHttpServer({ sessions: false })
    const other = await connect({ url: balanced.url }, { root: '/' })
    try {
      const db = newProject(FILES, { url: balanced.url })
      expect(await json('migrate', '--apply')).toMatchObject({ exitCode: 0 })
      expect(await other.query(`SELECT count() AS n FROM ${db}.t`)).toEqual([{ n: 11 }])
      expect(
        (await inserts(balanced))
          .filter(({ state }) => state === 'finished')
          .every(({ session }) => session === undefined),
      ).toBe(true)
    } finally {
      await other.close()
      await balanced.stop()
    }
  })
})

test('names without a database mean the configured one, also in the run that creates it', async () => {
  const db = newProject({ '1_a.sql': 'CREATE TABLE plain (x UInt8) ENGINE = Memory;\nINSERT INTO plain VALUES (1);' })
  expect(await json('migrate', '--apply')).toMatchObject({ exitCode: 0 })
  expect(await count(`${db}.plain`)).toBe(1)
})

describe('accounts that may only SELECT', () => {
  test('status and the plan work, and applying says what is missing', async () => {
    const db = newProject(FILES)
    await json('migrate', '--apply', '--to', '1')
    project.write({
      'clickhouse.config.ts': `export default {
        schema: './schema.ts', migrationsDir: './migrations', metaDir: './meta',
        clickhouse: { url: '${server.url}', username: 'reader', password: 'r', database: '${db}' },
      }`,
    })
    expect(await json('status')).toMatchObject({ exitCode: 0, applied: 1, pending: 1 })
    expect(await json('migrate')).toMatchObject({ exitCode: 0, pending: ['2_b.sql'] })
    expect(await json('migrate', '--apply')).toMatchObject({ exitCode: 1, code: 'access_denied' })
  })
})

describe('the cost', () => {
  test('independent statements are sent several at a time, each once', async () => {
    const creates = Array.from({ length: 100 }, (_, index) => `CREATE TABLE DB.t${index} (x UInt8) ENGINE = Memory;`)
    const db = newProject({ '1_a.sql': creates.join('\n') })
    await server.latency(5)
    const result = await json('migrate', '--apply', '--concurrency', '8')
    await server.latency(0)
    expect(result).toMatchObject({ exitCode: 0, applied: [{ statements: 100 }] })
    expect(await count(`system.tables WHERE database = '${db}' AND name LIKE 't%'`)).toBe(100)
    expect((await server.stats()).mostInFlight).toBeGreaterThan(4)
  })

  test('the first failure stops the rest, and the next run goes on with it', async () => {
    const creates = Array.from({ length: 40 }, (_, index) =>
      index === 20
        ? 'CREATE TABLE DB.t20 (x Nonsense) ENGINE = Memory;'
        : `CREATE TABLE DB.t${index} (x UInt8) ENGINE = Memory;`,
    )
    const db = newProject({ '1_a.sql': creates.join('\n') })
    expect(await json('migrate', '--apply', '--concurrency', '8')).toMatchObject({
      exitCode: 1,
      details: { statement: 21 },
    })
    project.write({ 'migrations/1_a.sql': creates.join('\n').replaceAll('DB', db).replace('Nonsense', 'UInt16') })
    expect(await json('migrate', '--apply')).toMatchObject({ exitCode: 0, applied: [{ statements: 40 }] })
    expect(await count(`system.tables WHERE database = '${db}' AND name LIKE 't%'`)).toBe(40)
  })
})
