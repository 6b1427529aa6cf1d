import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ClusterProject, startClusterProject } from '../support/cluster-project.js'
import { clusterMissing } from '../support/zookeeper.js'

describe.skipIf(clusterMissing)(`on two replicas of ClickHouse 18.16 (${clusterMissing ?? 'installed'})`, () => {
  let on: ClusterProject
  beforeAll(async () => {
    on = await startClusterProject({
      'migrations/1_a.sql': `CREATE TABLE app.z1 ON CLUSTER pair (x UInt8) ENGINE = ReplicatedMergeTree('/z1', '{replica}') ORDER BY x;\n`,
    })
  })
  afterAll(() => on?.stop())

  test('ZooKeeper that is gone for a while is waited for', async () => {
    expect(await on.json('migrate', '--apply')).toMatchObject({ exitCode: 0 })
    on.project.write({
      'migrations/2_b.sql': `CREATE TABLE app.z2 ON CLUSTER pair (x UInt8) ENGINE = ReplicatedMergeTree('/z2', '{replica}') ORDER BY x;
INSERT INTO app.z2 VALUES (1);
ALTER TABLE app.z2 ON CLUSTER pair ADD COLUMN y UInt8;
`,
    })
    await on.cluster.zookeeper.kill()
    setTimeout(() => void on.cluster.zookeeper.start(), 2500)
    const result = await on.json('migrate', '--apply')
    expect(result, JSON.stringify(result)).toMatchObject({ exitCode: 0, applied: [{ name: '2_b.sql' }] })
    for (const node of [0, 1] as const) expect(await on.columns(node, 'z2')).toEqual(['x', 'y'])
    expect(await on.nodes[0].query('SELECT count() AS n FROM app.z2')).toEqual([{ n: 1 }])
  })
})
