import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { connect } from '../../src/clickhouse/connect.js'
import type { Executor } from '../../src/clickhouse/executor.js'
import { createProject, type Project } from '../support/cli.js'
import { removeFolder, temporaryFolder } from '../support/engine.js'
import { buildExecutable, type Executable } from '../support/executable.js'
import { type HttpServer, startHttpServer } from '../support/http-server.js'

const STATEMENTS = [
  'CREATE TABLE app.a (id UInt64, n UInt32) ENGINE = MergeTree ORDER BY id',
  'INSERT INTO app.a VALUES (1, 1), (2, 2), (3, 3)',
  'ALTER TABLE app.a ADD COLUMN note String',
  "ALTER TABLE app.a UPDATE note = 'x' WHERE id = 1",
  'CREATE TABLE app.b AS app.a',
  "INSERT INTO app.b VALUES (7, 7, 'seven')",
  'EXCHANGE TABLES app.a AND app.b',
  'RENAME TABLE app.b TO app.c',
  'CREATE VIEW app.v AS SELECT id FROM app.c',
  "INSERT INTO app.c VALUES (4, 4, 'four'), (5, 5, 'five')",
  'ALTER TABLE app.c DROP COLUMN n',
  'CREATE TABLE app.d (x UInt8) ENGINE = Memory',
  'DROP TABLE app.d',
]
const FILE = STATEMENTS.map((text) => `${text};\n`).join('\n')

const config = (url: string) => `export default {
  schema: './schema.ts', migrationsDir: './migrations', metaDir: './meta', safety: { allowDestructive: true },
  clickhouse: { url: '${url}', database: 'app', requestTimeoutMs: 20000 },
}`

const EXPECTED = {
  tables: ['a', 'c', 'v'],
  a: [{ id: 7, n: 7, note: 'seven' }],
  c: [
    { id: 1, note: 'x' },
    { id: 2, note: '' },
    { id: 3, note: '' },
    { id: 4, note: 'four' },
    { id: 5, note: 'five' },
  ],
}

async function state(executor: Executor) {
  const tables = await executor.query<{ name: string }>(
    "SELECT name FROM system.tables WHERE database = 'app' AND name NOT LIKE '\\\\_chkit%' ORDER BY name",
  )
  return {
    tables: tables.map(({ name }) => name),
    a: await executor.query('SELECT * FROM app.a ORDER BY id'),
    c: await executor.query('SELECT * FROM app.c ORDER BY id'),
  }
}

let project: Project
afterEach(() => project.remove())

describe('the embedded engine, killed with the process that holds it', () => {
  let chkit: Executable
  beforeAll(async () => {
    chkit = await buildExecutable()
  })
  afterAll(() => chkit.remove())

  const start = () => {
    const child = spawn(process.execPath, [chkit.path, 'migrate', '--apply', '--json'], {
      cwd: project.dir,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let out = ''
    child.stdout.on('data', (data: Buffer) => {
      out += data.toString()
    })
    return { child, ended: once(child, 'close').then(([code]) => ({ code: code as number | null, out })) }
  }

  test('at many moments: the runs after it end with the database of an undisturbed run', async () => {
    project = createProject({ 'clickhouse.config.ts': config('chdb:./db'), 'migrations/1_a.sql': FILE })
    let kills = 0
    // On a busy machine a run takes several times as long; the moments then lie further apart.
    for (let wait = 300; ; wait += wait < 1000 ? 40 : wait / 5) {
      const run = start()
      const timer = setTimeout(() => run.child.kill('SIGKILL'), wait)
      const { code, out } = await run.ended
      clearTimeout(timer)
      if (code === null) {
        kills++
        continue
      }
      expect({ code, out }).toMatchObject({ code: 0 })
      break
    }
    expect(kills).toBeGreaterThan(0)
    const executor = await connect({ url: 'chdb:./db' }, { root: project.dir })
    expect(await state(executor)).toEqual(EXPECTED)
    await executor.close()
  })
})

describe('the server, killed under a run', () => {
  const rows = STATEMENTS.flatMap((text, index) =>
    (['killBefore', 'killAfter'] as const).map((action) => ({ action, index, text })),
  ).filter(({ index }) => [0, 1, 3, 6, 9].includes(index))

  test.each(rows)('$action at "$text"', async ({ action, index }) => {
    const path = join(temporaryFolder(), 'data')
    let server: HttpServer = await startHttpServer({ path })
    const { port } = server
    try {
      project = createProject({ 'clickhouse.config.ts': config(server.url), 'migrations/1_a.sql': FILE })
      const match = `^\\s*${(STATEMENTS[index] ?? '').replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`
      await server.faults([{ action, match }])
      const dead = once(server.process, 'exit')
      const running = project.run(['migrate', '--apply', '--json'])
      await dead
      server = await startHttpServer({ path, port })
      const first = await running
      if (action === 'killAfter' && (STATEMENTS[index] ?? '').startsWith('INSERT')) {
        // The log of the query died with the server: that the rows are this statement's own, nobody can tell.
        expect(first.json).toMatchObject({ code: 'migration_unsettled', details: { statement: index + 1 } })
        const decided = await project.run(['migrate', '--resolve', `1:${index + 1}=done`, '--json'])
        expect(decided.exitCode).toBe(0)
      }
      const last = first.exitCode === 0 ? first : await project.run(['migrate', '--apply', '--json'])
      expect(last.json).toMatchObject({ ok: true })
      const executor = await connect({ url: server.url }, { root: '/' })
      expect(await state(executor)).toEqual(EXPECTED)
      await executor.close()
    } finally {
      await server.stop()
      removeFolder(join(path, '..'))
    }
  })
})
