import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connect } from '../../src/clickhouse/connect.js'
import type { Executor } from '../../src/clickhouse/executor.js'
import { introspect } from '../../src/clickhouse/introspect.js'
import { objectKey } from '../../src/model/definition.js'
import { removeFolder, temporaryFolder } from '../support/engine.js'
import { startHttpServer } from '../support/http-server.js'
import {
  clusterMissing,
  type OldCluster,
  startOldCluster,
  startZooKeeper,
  writeKeeperMapConfiguration,
  zooKeeperMissing,
} from '../support/zookeeper.js'

describe.skipIf(clusterMissing)(
  `two replicas of ClickHouse 18.16${clusterMissing ? ` (skipped: ${clusterMissing})` : ''}`,
  () => {
    let cluster: OldCluster
    let executors: readonly Executor[]
    beforeAll(async () => {
      cluster = await startOldCluster()
      executors = await Promise.all(cluster.replicas.map(({ url }) => connect({ url }, { root: '/' })))
    })
    afterAll(async () => {
      for (const executor of executors ?? []) await executor.close()
      await cluster?.stop()
    })

    test('ON CLUSTER reaches both, rows are replicated, both show the same', async () => {
      const [first, second] = executors as [Executor, Executor]
      await first.command('CREATE DATABASE shop ON CLUSTER pair')
      await first.command(
        "CREATE TABLE shop.t ON CLUSTER pair (id UInt64, s String) ENGINE = ReplicatedMergeTree('/tables/{shard}/t', '{replica}') ORDER BY id",
      )
      await first.insert('shop.t', [{ id: 1, s: 'one' }])
      await expect.poll(() => second.query('SELECT * FROM shop.t')).toEqual([{ id: 1, s: 'one' }])
      const models = await Promise.all(
        executors.map(async (one) => (await introspect(one, { databases: ['shop'] })).model),
      )
      expect(models[0]?.definitions.map(objectKey)).toEqual(['database:shop', 'table:shop.t'])
      expect(models[0]).toEqual(models[1])
    })

    test('a replica that is stopped is seen as such, and catches up', async () => {
      const [first, second] = executors as [Executor, Executor]
      cluster.replicas[1].pause()
      try {
        await expect(second.query('SELECT 1', { timeoutMs: 300 })).rejects.toMatchObject({ code: 'connection_timeout' })
        await first.insert('shop.t', [{ id: 2, s: 'two' }])
      } finally {
        cluster.replicas[1].resume()
      }
      await expect.poll(() => second.query('SELECT count() AS n FROM shop.t'), { timeout: 10_000 }).toEqual([{ n: 2 }])
    })
  },
)

describe.skipIf(zooKeeperMissing)(
  `KeeperMap on ZooKeeper${zooKeeperMissing ? ` (skipped: ${zooKeeperMissing})` : ''}`,
  () => {
    test('is there for the embedded engine behind HTTP, with writes that exclude each other', async () => {
      const folder = temporaryFolder()
      const zookeeper = await startZooKeeper()
      const server = await startHttpServer({ configFile: writeKeeperMapConfiguration(folder, zookeeper) })
      const executor = await connect({ url: server.url }, { root: '/' })
      try {
        await executor.command("CREATE TABLE default.k (a String, v String) ENGINE = KeeperMap('/lock') PRIMARY KEY a")
        const strict = { settings: { keeper_map_strict_mode: 1 } }
        const results = await Promise.allSettled(
          Array.from({ length: 8 }, (_, at) => executor.insert('default.k', [{ a: 'lock', v: `${at}` }], strict)),
        )
        expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
        expect(await executor.query('SELECT count() AS n FROM default.k')).toEqual([{ n: 1 }])
      } finally {
        await executor.close()
        await server.stop()
        await zookeeper.stop()
        removeFolder(folder)
      }
    })
  },
)
