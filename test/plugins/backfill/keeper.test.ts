import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Executor } from '../../../src/clickhouse/executor.js'
import { removeFolder, temporaryFolder } from '../../support/engine.js'
import { type HttpServer, startHttpServer } from '../../support/http-server.js'
import {
  startZooKeeper,
  writeKeeperMapConfiguration,
  type ZooKeeper,
  zooKeeperMissing,
} from '../../support/zookeeper.js'
import { backfillProject, connectTo, execute, planned } from './support.js'

/** A server with ZooKeeper. Replicas of the embedded engine never leave read-only mode: it has no interserver address. */

const folder = temporaryFolder()
let zookeeper: ZooKeeper | undefined
let server: HttpServer | undefined
let connection: Executor

beforeAll(async () => {
  if (zooKeeperMissing) return
  zookeeper = await startZooKeeper()
  const configFile = writeKeeperMapConfiguration(folder, zookeeper)
  server = await startHttpServer({ configFile, path: join(folder, 'db') })
  connection = await connectTo(server.url)
  await execute(connection, [
    'CREATE DATABASE app',
    'CREATE TABLE app.source (at DateTime, id UInt64) ENGINE = MergeTree ORDER BY at',
    "INSERT INTO app.source SELECT toDateTime('2024-01-01', 'UTC') + number * 17, number FROM numbers(10000)",
  ])
})

afterAll(async () => {
  await connection?.close()
  // An engine with a replica that was never active does not close.
  await server?.kill()
  await zookeeper?.stop()
  removeFolder(folder)
})

const PLAN = ['--source', 'app.source', '--from', '2024-01-01', '--to', '2024-01-03', '--chunk-hours', '24']

test.skipIf(zooKeeperMissing)(
  'the lock is kept in KeeperMap, where every node sees it, and is given back',
  async () => {
    const project = backfillProject(server?.url ?? '')
    try {
      await execute(connection, ['CREATE TABLE app.target AS app.source'])
      const id = await planned(project, ['--target', 'app.target', ...PLAN])
      expect((await project.run(['backfill', 'run', '--plan-id', id, '--json'])).json).toMatchObject({
        ok: true,
        rows: 10000,
      })
      const [table] = await connection.query<{ name: string }>(
        "SELECT name FROM system.tables WHERE database = 'app' AND engine = 'KeeperMap'",
      )
      expect(table?.name).toMatch(/^_chkit_backfill_[0-9a-f]{12}_lock_keeper$/)
      expect(await connection.query(`SELECT * FROM app.${table?.name}`)).toEqual([])
    } finally {
      project.remove()
    }
  },
)

test.skipIf(zooKeeperMissing)('a replica that is read-only is refused before anything is sent', async () => {
  const project = backfillProject(server?.url ?? '')
  try {
    await execute(connection, [
      "CREATE TABLE app.replica (at DateTime, id UInt64) ENGINE = ReplicatedMergeTree('/chkit/replica', 'one') ORDER BY at",
    ])
    const id = await planned(project, ['--target', 'app.replica', ...PLAN])
    const refused = await project.run(['backfill', 'run', '--plan-id', id, '--json'])
    expect(refused.json).toMatchObject({ ok: false, code: 'guarantee_missing', retriable: true })
    expect(refused.json.error).toContain('The replica app.replica')
    expect(
      await connection.query("SELECT name FROM system.tables WHERE name LIKE '%replica%' AND name LIKE '\\_chkit%'"),
    ).toEqual([])
  } finally {
    project.remove()
  }
})
