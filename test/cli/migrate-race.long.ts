import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect } from '../../src/clickhouse/connect.js'
import type { Executor } from '../../src/clickhouse/executor.js'
import { LEASE_MS } from '../../src/migration/lock.js'
import { createProject, type Project } from '../support/cli.js'
import { buildExecutable, type Executable } from '../support/executable.js'
import { type HttpServer, startHttpServer } from '../support/http-server.js'

const PROCESSES = 16
const ROUNDS = 20

let server: HttpServer
let executor: Executor
let chkit: Executable

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

function newProject(db: string): Project {
  return createProject({
    'clickhouse.config.ts': `export default {
      schema: './schema.ts', migrationsDir: './migrations', metaDir: './meta',
      clickhouse: { url: '${server.url}', database: '${db}' },
    }`,
    'migrations/1_a.sql': `CREATE TABLE ${db}.t (x UInt32) ENGINE = MergeTree ORDER BY x;\nINSERT INTO ${db}.t VALUES (1);`,
    'migrations/2_b.sql': `INSERT INTO ${db}.t SELECT number FROM numbers(10);\nINSERT INTO ${db}.t VALUES (77);`,
  })
}

function start(project: Project): { child: ChildProcess; ended: Promise<number | null> } {
  const args = [chkit.path, 'migrate', '--apply', '--json', '--lock-timeout', '120']
  const child = spawn(process.execPath, args, { cwd: project.dir, stdio: 'ignore' })
  return { child, ended: once(child, 'close').then(([code]) => code as number | null) }
}

const rows = async (db: string) => (await executor.query<{ n: number }>(`SELECT count() AS n FROM ${db}.t`))[0]?.n

test(`${PROCESSES} processes at once, ${ROUNDS} rounds: each statement ran once, all end with 0 or 4`, async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const project = newProject(`round${round}`)
    const codes = await Promise.all(Array.from({ length: PROCESSES }, () => start(project).ended))
    expect(codes.filter((code) => code !== 0 && code !== 4)).toEqual([])
    expect(codes).toContain(0)
    expect(await rows(`round${round}`)).toBe(12)
    expect(await executor.query(`SELECT name FROM round${round}._chkit_migrations ORDER BY name`)).toEqual([
      { name: '1_a.sql' },
      { name: '2_b.sql' },
    ])
    project.remove()
  }
}, 1_200_000)

test('a statement that arrives after the lease of its sender is refused by the server', async () => {
  const project = newProject('late')
  await server.faults([{ action: 'hangBefore', match: 'INSERT INTO late\\.t VALUES \\(1\\)' }])
  const holder = start(project)
  while ((await server.stats()).held === 0) await new Promise((resolve) => setTimeout(resolve, 20))
  // As if it had been stopped between looking at its lease and writing to its socket.
  holder.child.kill('SIGSTOP')
  await new Promise((resolve) => setTimeout(resolve, LEASE_MS + 1000))
  expect(await start(project).ended).toBe(0)
  expect(await rows('late')).toBe(12)
  await server.release()
  holder.child.kill('SIGCONT')
  expect(await holder.ended).toBe(4)
  const late = (await server.history()).filter(({ query }) => /INSERT INTO late\.t VALUES \(1\)/.test(query))
  expect(late.map(({ state }) => state)).toEqual(['received', 'finished'])
  expect(await rows('late')).toBe(12)
  project.remove()
}, 120_000)

test('a holder that is stopped past its lease and continued changes nothing more', async () => {
  const project = newProject('stopped')
  await server.faults([{ action: 'hangBefore', match: 'INSERT INTO stopped\\.t VALUES \\(1\\)' }])
  const holder = start(project)
  while ((await server.stats()).held === 0) await new Promise((resolve) => setTimeout(resolve, 20))
  holder.child.kill('SIGSTOP')
  await server.faults([])
  await server.release()
  await new Promise((resolve) => setTimeout(resolve, LEASE_MS + 1000))
  expect(await start(project).ended).toBe(0)
  expect(await rows('stopped')).toBe(12)
  await server.clearHistory()
  holder.child.kill('SIGCONT')
  expect(await holder.ended).toBe(4)
  const changed = (await server.history()).filter(({ query }) => !/^\s*SELECT/i.test(query))
  expect(changed.map(({ query }) => query)).toEqual([])
  expect(await rows('stopped')).toBe(12)
  project.remove()
}, 180_000)
