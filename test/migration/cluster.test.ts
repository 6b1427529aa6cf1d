import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { connect } from '../../src/clickhouse/connect.js'
import type { Executor } from '../../src/clickhouse/executor.js'
import { ServerError } from '../../src/clickhouse/server-error.js'
import { ChkitError } from '../../src/errors.js'
import {
  clusterHosts,
  describeLook,
  judgeHosts,
  observeHosts,
  repeatableForm,
  taskAnswers,
  withoutOnCluster,
} from '../../src/migration/cluster.js'
import type { Observation } from '../../src/migration/evidence.js'
import { proofOf } from '../../src/migration/proof.js'
import { parseStatement, printStatement } from '../../src/sql/statement.js'
import { freshEngine } from '../support/engine.js'
import { startHttpServer } from '../support/http-server.js'

const PROOF = { kind: 'made', object: { database: 'd', name: 't' }, filled: false } as const
const holds = (create?: string): Observation => ({
  objects: create === undefined ? {} : { '["d","t"]': { uuid: '', create, engine: 'Memory', rows: null } },
  mutations: {},
  blocks: {},
  named: {},
})
const GONE = new ChkitError('connection_timeout', 'no answer')

describe('what the hosts of a cluster have made of a CREATE', () => {
  const cases = [
    { name: 'all have it', before: [undefined, undefined], now: ['a', 'a'], sent: false, verdict: 'done' },
    {
      name: 'one has not come to it',
      before: [undefined, undefined],
      now: ['a', undefined],
      sent: true,
      verdict: 'partial',
    },
    {
      name: 'none has it',
      before: [undefined, undefined],
      now: [undefined, undefined],
      sent: false,
      verdict: 'not_done',
    },
    {
      name: 'one holds another',
      before: [undefined, 'b'],
      now: ['a', 'b'],
      sent: true,
      verdict: 'partial',
      conflicting: ['h2'],
    },
    { name: 'it was there before, on all', before: ['a', 'a'], now: ['a', 'a'], sent: true, verdict: 'done' },
    {
      name: 'only another host has it',
      before: [undefined, undefined],
      now: [undefined, 'a'],
      sent: false,
      verdict: 'partial',
    },
    {
      name: 'one does not answer',
      before: [undefined, undefined],
      now: ['a', GONE],
      sent: true,
      verdict: 'done',
      absent: ['h2'],
    },
  ] as const
  test.each(cases)('$name: $verdict', ({ before, now, sent, verdict, ...more }) => {
    const seen = new Map(
      now.map((state, index) => [`h${index + 1}`, state instanceof ChkitError ? state : holds(state)] as const),
    )
    const evidence = {
      proof: PROOF,
      before: holds(before[0]),
      cluster: { name: 'c', hosts: { h1: holds(before[0]), h2: holds(before[1]) } },
    }
    const here = seen.get('h1')
    const look = judgeHosts(evidence, here instanceof ChkitError || here === undefined ? holds() : here, seen, sent)
    expect(look).toMatchObject({
      verdict,
      conflicting: 'conflicting' in more ? more.conflicting : [],
      absent: 'absent' in more ? [{ address: 'h2', reason: 'no answer' }] : [],
    })
    expect(describeLook(look)).not.toBe('')
  })
})

test.each([
  ['CREATE TABLE t ON CLUSTER c (x UInt8) ENGINE = Memory', 'CREATE TABLE IF NOT EXISTS t'],
  ['DROP TABLE t ON CLUSTER c', 'DROP TABLE IF EXISTS t'],
  ['ALTER TABLE t ON CLUSTER c ADD COLUMN a UInt8, DROP COLUMN b', 'ADD COLUMN IF NOT EXISTS `a` UInt8, '],
  ['ALTER TABLE t ON CLUSTER c UPDATE a = a + 1 WHERE 1', undefined],
  ['EXCHANGE TABLES a AND b ON CLUSTER c', undefined],
] as const)('%s is repeated as %s', (text, expected) => {
  const again = repeatableForm(parseStatement(text).node)
  if (expected === undefined) expect(again).toBeUndefined()
  else expect(printStatement(again ?? expect.fail())).toContain(expected.split(', ')[0])
})

test('a server with clusterAllReplicas is asked through it, and a host that is down is told from one without the table', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'chkit-cluster-'))
  const configFile = join(folder, 'config.xml')
  const replica = (port: number) => `<replica><host>127.0.0.1</host><port>${port}</port></replica>`
  writeFileSync(
    configFile,
    `<clickhouse><tcp_port>9000</tcp_port><remote_servers><duo><shard>${replica(9000)}${replica(1)}</shard></duo></remote_servers><macros><both>duo</both></macros></clickhouse>`,
  )
  const server = await startHttpServer({ configFile })
  const executor = await connect({ url: server.url }, { root: '/' })
  try {
    await executor.command('CREATE TABLE default.q (x UInt8) ENGINE = Memory')
    const hosts = await clusterHosts(executor, 'duo')
    expect(hosts.map(({ address, local }) => ({ address, local }))).toEqual([
      { address: '127.0.0.1:9000', local: true },
      { address: '127.0.0.1:1', local: false },
    ])
    expect((await clusterHosts(executor, '{both}')).map(({ address }) => address)).toEqual(
      hosts.map(({ address }) => address),
    )
    const proof = proofOf(parseStatement('CREATE TABLE q (x UInt8) ENGINE = Memory').node, 'default')
    const seen = await observeHosts(executor, hosts, [proof])
    expect(Object.keys((seen.get('127.0.0.1:9000') as Observation).objects)).toHaveLength(1)
    expect(seen.get('127.0.0.1:1')).toBeInstanceOf(ChkitError)
    // The same text that asks another host, asked of this one.
    const rows = await executor.query(
      `SELECT name FROM (SELECT * FROM clusterAllReplicas(duo, system.tables) WHERE _shard_num = 1) WHERE database = 'default' AND name = 'q' SETTINGS skip_unavailable_shards = 1`,
    )
    expect(rows).toEqual([{ name: 'q' }])
  } finally {
    await executor.close()
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
})

test('ON CLUSTER is cut out of what goes to a database that distributes DDL itself', () => {
  const text = "ALTER TABLE d.t ON CLUSTER `my c` ADD COLUMN x String DEFAULT 'ON CLUSTER y'"
  expect(withoutOnCluster(text)).toBe("ALTER TABLE d.t ADD COLUMN x String DEFAULT 'ON CLUSTER y'")
  expect(withoutOnCluster('DROP TABLE d.t')).toBe('DROP TABLE d.t')
})

describe('the answers of hosts to a task of the DDL queue', () => {
  /** As 26.7 says it when a host has not finished within distributed_ddl_task_timeout. */
  const ANSWER =
    'Distributed DDL task /clickhouse/task_queue/ddl/query-0000000010 is not finished on 1 of 2 hosts (0 of them are ' +
    'currently executing the task, 1 are inactive). They are going to execute the query in background. Was waiting for ' +
    '180.5 seconds, which is longer than distributed_ddl_task_timeout'

  test('are read from system.distributed_ddl_queue, with columns that the server has', async () => {
    const engine = await freshEngine()
    try {
      const info = await engine.server()
      const asked: string[] = []
      const rows = [
        { host: 'n1', port: 9000, code: 0, text: '' },
        { host: 'n2', port: 9000, code: '60', text: 'Code: 60. DB::Exception: Table d.t does not exist' },
      ]
      const query = async (sql: string) => {
        asked.push(sql)
        return rows
      }
      const played: Executor = { ...engine, query: query as Executor['query'] }
      expect(await taskAnswers(played, ANSWER)).toEqual([
        { address: 'n1:9000', code: 0, text: '' },
        { address: 'n2:9000', code: 60, text: 'Code: 60. DB::Exception: Table d.t does not exist' },
      ])
      expect(asked).toHaveLength(1)
      expect(asked[0]).toContain("entry = 'query-0000000010'")
      // The engine has no queue to read (139), but it has the table, and knows what such a question would answer.
      const columns = await engine.query<{ name: string }>(`DESCRIBE (${asked[0]})`)
      expect(columns.map(({ name }) => name)).toEqual(['host', 'port', 'code', 'text'])
      expect(info.major).toBeGreaterThan(20)
    } finally {
      await engine.close()
    }
  })

  test('none where the answer names no task, or nothing may be read', async () => {
    const refuses = async () => {
      throw new ServerError({ clickhouseCode: 497, message: 'Not enough privileges' }, {})
    }
    const server = async () => ({ systemColumns: new Set(['distributed_ddl_queue.exception_text']) })
    const played = { query: refuses, server } as unknown as Executor
    expect(await taskAnswers(played, ANSWER)).toEqual([])
    expect(await taskAnswers(played, 'Timeout exceeded')).toEqual([])
  })
})
