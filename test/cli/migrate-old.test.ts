import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connect } from '../../src/clickhouse/connect.js'
import type { Executor } from '../../src/clickhouse/executor.js'
import { createProject, type Project } from '../support/cli.js'
import { type OldServer, oldServerMissing, startOldServer } from '../support/old-server.js'

describe.skipIf(oldServerMissing)(`on ClickHouse 18.16 (${oldServerMissing ?? 'installed'})`, () => {
  let server: OldServer
  let executor: Executor
  let project: Project

  beforeAll(async () => {
    server = await startOldServer()
    executor = await connect({ url: server.url }, { root: '/' })
    project = createProject({
      'clickhouse.config.ts': `export default {
        schema: './schema.ts', migrationsDir: './migrations', metaDir: './meta', safety: { allowDestructive: true },
        clickhouse: { url: '${server.url}', database: 'app' },
      }`,
      'migrations/1_a.sql': `CREATE TABLE app.t (id UInt64, n UInt32, s String) ENGINE = MergeTree ORDER BY id;
INSERT INTO app.t VALUES (1, 1, 'a;'), (2, 2, 'b');
ALTER TABLE app.t ADD COLUMN c UInt8;
ALTER TABLE app.t UPDATE n = 7 WHERE id = 1;
CREATE VIEW app.v AS SELECT id, n FROM app.t;
RENAME TABLE app.t TO app.t2;
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

  test('reading creates nothing, applying keeps the journal, and mutations are waited for', async () => {
    expect(await json('status')).toMatchObject({ exitCode: 0, pending: 1 })
    expect(await executor.query("SELECT 1 FROM system.databases WHERE name = 'app'")).toEqual([])
    const result = await json('migrate', '--apply')
    expect(result).toMatchObject({ exitCode: 0, applied: [{ name: '1_a.sql', statements: 6 }] })
    expect(await executor.query('SELECT id, n FROM app.t2 ORDER BY id')).toEqual([
      { id: 1, n: 7 },
      { id: 2, n: 2 },
    ])
    expect(await json('status')).toMatchObject({ applied: 1, pending: 0, halfDone: [] })
  })

  test('a failure in the middle goes on where it stopped', async () => {
    project.write({
      'migrations/2_b.sql': 'INSERT INTO app.t2 (id) VALUES (3);\nALTER TABLE app.t2 ADD COLUMN d Nonsense;',
    })
    expect(await json('migrate', '--apply')).toMatchObject({
      exitCode: 1,
      code: 'migration_failed',
      details: { statement: 2, clickhouseCode: 50 },
    })
    project.write({
      'migrations/2_b.sql': 'INSERT INTO app.t2 (id) VALUES (3);\nALTER TABLE app.t2 ADD COLUMN d UInt8;',
    })
    expect(await json('migrate', '--apply')).toMatchObject({ exitCode: 0, applied: [{ resumed: 1 }] })
    expect(await executor.query('SELECT count() AS n FROM app.t2')).toEqual([{ n: 3 }])
  })
})
