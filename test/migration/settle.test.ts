import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { connect } from '../../src/clickhouse/connect.js'
import type { Executor } from '../../src/clickhouse/executor.js'
import { evidenceFor, observe, queryFate } from '../../src/migration/evidence.js'
import { proofOf } from '../../src/migration/proof.js'
import { settle } from '../../src/migration/settle.js'
import { parseStatement } from '../../src/sql/statement.js'
import { type HttpServer, startHttpServer } from '../support/http-server.js'

/** Two servers, of which a balancer may have given the statement to the other one. */
let servers: HttpServer[]
let here: Executor
let there: Executor
beforeAll(async () => {
  servers = await Promise.all([startHttpServer(), startHttpServer()])
  const executors = await Promise.all(servers.map(({ url }) => connect({ url }, { root: '/' })))
  ;[here, there] = executors as [Executor, Executor]
  for (const executor of executors) await executor.command('CREATE TABLE t (x UInt8) ENGINE = MergeTree ORDER BY x')
})
afterEach(() => servers[0]?.faults([]))
afterAll(async () => {
  await Promise.all([here, there].map((executor) => executor.close()))
  await Promise.all(servers.map((server) => server.stop()))
})

const INSERT = 'INSERT INTO t SELECT 1'
const intentOf = async (queryId: string) => {
  const proof = proofOf(parseStatement(INSERT).node, 'default')
  return { queryId, evidence: JSON.stringify(evidenceFor(proof, await observe(here, [proof]))) }
}
const options = { signal: new AbortController().signal, onRunning: () => undefined, intervalMs: 50, logMs: 1_500 }
const elsewhere = () => ({ executor: there, sources: [(table: string) => `system.${table}`] })

test('what another node runs is waited for, and counts as run', async () => {
  const intent = await intentOf('q1')
  const running: string[] = []
  const sent = there.command(`INSERT INTO t SELECT sleepEachRow(1) FROM numbers(2)`, { queryId: 'q1' })
  while ((await queryFate(there, 'q1')) !== 'running') await new Promise((resolve) => setTimeout(resolve, 20))
  const onRunning = (queryId: string) => running.push(queryId)
  expect(await settle(here, intent, { ...options, onRunning, elsewhere: elsewhere() })).toMatchObject({
    verdict: 'done',
    facts: expect.stringContaining('the query log says finished'),
  })
  expect(running).toContain('q1')
  await sent
  expect(await settle(here, intent, options)).toMatchObject({ verdict: 'not_done' })
})

test('a log that may not be flushed is waited for where nothing else can tell', async () => {
  const intent = await intentOf('q2')
  await here.command(INSERT, { queryId: 'q2' })
  const text = 'Code: 497. DB::Exception: Not enough privileges. (ACCESS_DENIED) (version 26.7.2.1)\n'
  await servers[0]?.faults([
    { action: 'lateException', match: 'FROM system.query_log', text },
    { action: 'lateException', match: 'SYSTEM FLUSH LOGS', times: 9, text },
  ])
  expect(await settle(here, intent, options)).toMatchObject({ verdict: 'done' })
})
