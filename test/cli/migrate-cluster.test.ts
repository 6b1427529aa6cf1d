import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connect } from '../../src/clickhouse/connect.js'
import type { Executor } from '../../src/clickhouse/executor.js'
import { createProject, type Project } from '../support/cli.js'
import { clusterMissing, type OldCluster, startOldCluster } from '../support/zookeeper.js'

describe.skipIf(clusterMissing)(`on two replicas of ClickHouse 18.16 (${clusterMissing ?? 'installed'})`, () => {
  let cluster: OldCluster
  let nodes: [Executor, Executor]
  let project: Project

  const configure = (node: 0 | 1) =>
    project.write({
      'clickhouse.config.ts': `export default {
        schema: './schema.ts', migrationsDir: './migrations', metaDir: './meta', safety: { allowDestructive: true },
        clickhouse: { url: '${cluster.replicas[node].url}', database: 'app', cluster: 'pair' },
      }`,
    })
  const json = async (...argv: string[]) => {
    const result = await project.run([...argv, '--json'])
    return { ...result.json, exitCode: result.exitCode } as Record<string, unknown>
  }

  beforeAll(async () => {
    cluster = await startOldCluster()
    nodes = [
      await connect({ url: cluster.replicas[0].url }, { root: '/' }),
      await connect({ url: cluster.replicas[1].url }, { root: '/' }),
    ]
    project = createProject({
      'migrations/1_a.sql': `CREATE TABLE app.t ON CLUSTER pair (id UInt64) ENGINE = ReplicatedMergeTree('/t', '{replica}') ORDER BY id;
INSERT INTO app.t VALUES (1), (2);
`,
    })
  })
  afterAll(async () => {
    project?.remove()
    for (const node of nodes ?? []) await node.close()
    await cluster?.stop()
  })

  test('the journal is replicated: what one node applied, the other knows', async () => {
    configure(0)
    expect(await json('migrate', '--apply')).toMatchObject({
      exitCode: 0,
      applied: [{ name: '1_a.sql', statements: 2 }],
    })
    configure(1)
    await nodes[1].command('SYSTEM SYNC REPLICA app._chkit_migrations')
    expect(await json('status')).toMatchObject({ exitCode: 0, applied: 1, pending: 0 })
    expect(await json('migrate', '--apply')).toMatchObject({ exitCode: 0, applied: [] })
    await nodes[1].command('SYSTEM SYNC REPLICA app.t')
    expect(await nodes[1].query('SELECT count() AS n FROM app.t')).toEqual([{ n: 2 }])
  })

  test('a run on the other node goes on where the first stopped', async () => {
    project.write({ 'migrations/2_b.sql': 'INSERT INTO app.t VALUES (3);\nALTER TABLE app.t ADD COLUMN x Nonsense;' })
    configure(0)
    expect(await json('migrate', '--apply')).toMatchObject({ exitCode: 1, details: { statement: 2 } })
    project.write({ 'migrations/2_b.sql': 'INSERT INTO app.t VALUES (3);\nALTER TABLE app.t ADD COLUMN x UInt8;' })
    configure(1)
    expect(await json('migrate', '--apply')).toMatchObject({ exitCode: 0, applied: [{ resumed: 1 }] })
    expect(await nodes[1].query('SELECT count() AS n FROM app.t')).toEqual([{ n: 3 }])
  })

  test('a replica that does not answer is no failure: what ran here is done, and the server\u2019s words are passed on', async () => {
    project.write({
      'migrations/3_c.sql': `SET distributed_ddl_task_timeout = 2;
CREATE TABLE app.late ON CLUSTER pair (x UInt8) ENGINE = MergeTree ORDER BY x;
`,
    })
    configure(0)
    cluster.replicas[1].pause()
    try {
      const result = await json('migrate', '--apply')
      expect(result).toMatchObject({ exitCode: 0, applied: [{ name: '3_c.sql' }] })
      expect(String(result.warnings)).toMatch(/has run here, but: .*unfinished hosts/s)
    } finally {
      cluster.replicas[1].resume()
    }
  })
})
