import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect } from '../../src/clickhouse/connect.js'
import type { Executor } from '../../src/clickhouse/executor.js'
import { describeProgress } from '../../src/migration/mutations.js'
import { createProject, type Project } from '../support/cli.js'
import { type HttpServer, startHttpServer } from '../support/http-server.js'

let server: HttpServer
let executor: Executor
let project: Project

beforeAll(async () => {
  server = await startHttpServer()
  executor = await connect({ url: server.url, database: 'default' }, { root: '/' })
  project = createProject({
    'clickhouse.config.ts': `export default {
      schema: './schema.ts', migrationsDir: './migrations', metaDir: './meta', safety: { allowDestructive: true },
      clickhouse: { url: '${server.url}', database: 'app' },
    }`,
    'migrations/1_a.sql': `CREATE TABLE app.t (id UInt64, v String) ENGINE = MergeTree ORDER BY id;
INSERT INTO app.t VALUES (1, '1'), (2, 'bad');
`,
  })
})
afterAll(async () => {
  project.remove()
  await executor.close()
  await server.stop()
})

const json = async (...argv: string[]) => {
  const result = await project.run([...argv, '--json'])
  return { ...result.json, exitCode: result.exitCode } as Record<string, unknown>
}

test('a conversion that fails reports the row and the ALTER that takes it back; after that and a correction it runs', async () => {
  expect(await json('migrate', '--apply')).toMatchObject({ exitCode: 0 })
  project.write({
    'migrations/2_b.sql': 'ALTER TABLE app.t MODIFY COLUMN v UInt32;\nALTER TABLE app.t ADD COLUMN after UInt8;',
  })
  const failed = await json('migrate', '--apply')
  expect(failed, JSON.stringify(failed)).toMatchObject({
    exitCode: 1,
    code: 'migration_failed',
    details: { statement: 1 },
  })
  const reverse = 'ALTER TABLE app.t MODIFY COLUMN `v` String'
  expect(String(failed.error)).toContain('Cannot parse')
  expect(String(failed.hint)).toContain(reverse)

  // Nothing goes on behind it, and the next run says the same.
  const again = await json('migrate', '--apply')
  expect(again).toMatchObject({ exitCode: 1, details: { statement: 1 } })
  expect(String(again.hint)).toContain(reverse)
  const columns = "SELECT name FROM system.columns WHERE database = 'app' AND table = 't' AND name = 'after'"
  expect(await executor.query(columns)).toEqual([])

  await executor.command(reverse)
  await executor.command("ALTER TABLE app.t UPDATE v = '7' WHERE v = 'bad' SETTINGS mutations_sync = 1")
  const retried = await json('migrate', '--apply')
  expect(retried, JSON.stringify(retried)).toMatchObject({ exitCode: 0, applied: [{ name: '2_b.sql' }] })
  expect(await executor.query('SELECT v, after FROM app.t ORDER BY v')).toEqual([
    { v: 1, after: 0 },
    { v: 7, after: 0 },
  ])
})

test('a run that is stopped while a mutation is under way says so; the next one waits for it', async () => {
  await executor.command('CREATE TABLE app.slow (id UInt64, v UInt64) ENGINE = MergeTree ORDER BY id')
  await executor.command('INSERT INTO app.slow SELECT number, 0 FROM numbers(3)')
  await executor.command('SYSTEM STOP MERGES app.slow')
  project.write({
    'migrations/3_c.sql': `SET mutations_sync = 0;
ALTER TABLE app.slow UPDATE v = 1 WHERE id >= 0;
CREATE TABLE app.copied ENGINE = MergeTree ORDER BY id AS SELECT * FROM app.slow;
`,
  })
  const stop = new AbortController()
  const running = project.run(['migrate', '--apply', '--json'], { signal: stop.signal })
  const queued = "SELECT 1 FROM system.mutations WHERE table = 'slow' AND NOT is_done"
  while ((await executor.query(queued)).length === 0) await new Promise((resolve) => setTimeout(resolve, 20))
  setTimeout(() => stop.abort(), 300)
  const stopped = await running
  expect({ exitCode: stopped.exitCode, ...stopped.json }).toMatchObject({
    exitCode: 130,
    code: 'interrupted',
    error: expect.stringMatching(/mutation .* of app\.slow goes on on the server/),
  })
  const next = json('migrate', '--apply')
  await new Promise((resolve) => setTimeout(resolve, 1500))
  expect(await executor.query("SELECT 1 FROM system.tables WHERE database = 'app' AND name = 'copied'")).toEqual([])
  await executor.command('SYSTEM START MERGES app.slow')
  expect(await next).toMatchObject({ exitCode: 0, applied: [{ name: '3_c.sql', resumed: 2 }] })
  expect(await executor.query('SELECT sum(v) AS n FROM app.copied')).toEqual([{ n: 3 }])
})

test('progress names parts, bytes, the rate and the time left', () => {
  const mutation = { id: 'm', command: 'c', partsLeft: 14, bytesLeft: 1.5 * 1024 ** 3, failure: '' }
  const base = { mutations: [mutation], partsLeft: 14, bytesLeft: mutation.bytesLeft, elapsedMs: 4000 }
  expect(describeProgress({ ...base, partsPerSecond: 0, msLeft: undefined })).toBe(
    '1 mutation, 14 parts (1.5 GiB) left, 4 s',
  )
  expect(describeProgress({ ...base, partsPerSecond: 3.5, msLeft: 4000 })).toBe(
    '1 mutation, 14 parts (1.5 GiB) left, 3.5 parts/s, about 4 s to go',
  )
})
