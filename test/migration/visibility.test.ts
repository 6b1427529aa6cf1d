import { describe, expect, test } from 'vitest'
import type { Executor } from '../../src/clickhouse/executor.js'
import { ServerError } from '../../src/clickhouse/server-error.js'
import { proofOf } from '../../src/migration/proof.js'
import { openVisibility } from '../../src/migration/visibility.js'
import { parseStatement } from '../../src/sql/statement.js'

/**
 * The services whose databases distribute DDL themselves cannot be started here: the embedded engine takes no database of
 * the engine Replicated (it has no interserver address), and Shared exists on ClickHouse Cloud only. So their catalogues
 * are played by a fake executor, node by node.
 */

type Service = {
  readonly engine: string
  /** Clusters by name, with their number of nodes. */
  readonly clusters: Readonly<Record<string, number>>
  /** The definition of the table that each node shows, look by look; the last look stays. undefined: it does not answer. */
  readonly looks?: readonly (readonly (string | undefined)[])[]
  readonly refuses?: number
}

function play(service: Service) {
  const sent: string[] = []
  let looks = 0
  const refused = (code: number) => new ServerError({ clickhouseCode: code, message: 'Not enough privileges' }, {})
  const query = async (sql: string): Promise<unknown[]> => {
    sent.push(sql)
    if (sql.includes('system.databases')) return [{ name: 'd', engine: service.engine }]
    const names = Object.keys(service.clusters)
    if (sql.includes('DISTINCT cluster'))
      return names.filter((name) => sql.includes(`'${name}'`)).map((cluster) => ({ cluster }))
    if (sql.includes('FROM system.clusters')) {
      const name = names.find((candidate) => sql.includes(`'${candidate}'`)) ?? ''
      return Array.from({ length: service.clusters[name] ?? 0 }, (_, index) => ({
        host_name: `n${index + 1}`,
        port: 9000,
        is_local: index === 0 ? 1 : 0,
      }))
    }
    const node = Number(/_shard_num = (\d+)/.exec(sql)?.[1])
    expect(node, sql).toBeGreaterThan(0)
    if (service.refuses !== undefined) throw refused(service.refuses)
    const all = service.looks ?? []
    const look = all[Math.min(Math.floor(looks / (all[0]?.length ?? 1)), all.length - 1)]?.[node - 1]
    if (sql.includes('system.one')) {
      if (look === undefined) looks++
      return look === undefined ? [] : [{ 1: 1 }]
    }
    if (!sql.includes('system.tables')) return []
    looks++
    return look === ''
      ? []
      : [{ database: 'd', name: 't', engine: 'SharedMergeTree', uuid: '', create: look, rows: null }]
  }
  const executor: Executor = {
    kind: 'http',
    target: 'http://service',
    database: 'd',
    query: query as Executor['query'],
    command: async (sql) => {
      sent.push(sql)
      return { queryId: '' }
    },
    insert: async () => ({ queryId: '' }),
    server: async () => ({
      version: '26.7',
      major: 26,
      minor: 7,
      timezone: 'UTC',
      hostName: 'n1',
      readonly: 0,
      databaseExists: true,
      systemColumns: new Set(),
    }),
    close: async () => undefined,
  }
  return { executor, sent }
}

const PROOF = proofOf(parseStatement('CREATE TABLE d.t (x UInt8) ENGINE = MergeTree ORDER BY x').node, 'd')

async function waitTwice(service: Service) {
  const { executor, sent } = play(service)
  const warnings: string[] = []
  const reports: string[] = []
  const visibility = openVisibility(executor, {
    signal: new AbortController().signal,
    warn: (line) => warnings.push(line),
    report: (line) => reports.push(line),
    agreeMs: 400,
  })
  await visibility.wait([PROOF])
  const first = sent.splice(0)
  await visibility.wait([PROOF])
  return { first, second: sent, warnings, reports }
}

const asksNodes = (sent: readonly string[]) => sent.some((sql) => sql.includes('clusterAllReplicas('))

describe('changes in databases that distribute DDL themselves are waited for', () => {
  test('a usual database: its engine is asked for once, and nothing else', async () => {
    const { first, second, warnings } = await waitTwice({ engine: 'Atomic', clusters: { default: 2 } })
    expect(first).toHaveLength(1)
    expect([...second, ...warnings]).toEqual([])
  })

  const rows: readonly { name: string; service: Service; waits: boolean; cluster: string }[] = [
    {
      name: 'Replicated: all nodes show it at once',
      service: { engine: 'Replicated', clusters: { d: 2, default: 3 }, looks: [['a', 'a']] },
      waits: false,
      cluster: 'd',
    },
    {
      name: 'Shared: one node sees it late',
      service: {
        engine: 'Shared',
        clusters: { default: 2 },
        looks: [
          ['a', ''],
          ['a', ''],
          ['a', 'a'],
        ],
      },
      waits: true,
      cluster: 'default',
    },
    {
      name: 'Shared: a dropped table is seen for a while',
      service: {
        engine: 'Shared',
        clusters: { default: 3 },
        looks: [
          ['', 'a', 'a'],
          ['', '', ''],
        ],
      },
      waits: true,
      cluster: 'default',
    },
    {
      name: 'Shared: an ALTER arrives node by node',
      service: {
        engine: 'Shared',
        clusters: { default: 3 },
        looks: [
          ['b', 'a', 'a'],
          ['b', 'b', 'a'],
          ['b', 'b', 'b'],
        ],
      },
      waits: true,
      cluster: 'default',
    },
    {
      name: 'a node that does not answer is not waited for',
      service: { engine: 'Replicated', clusters: { d: 2 }, looks: [['a', undefined]] },
      waits: false,
      cluster: 'd',
    },
    {
      name: 'a statement that changes nothing',
      service: { engine: 'Shared', clusters: { default: 2 }, looks: [['', '']] },
      waits: false,
      cluster: 'default',
    },
  ]
  test.each(rows)('$name', async ({ service, waits, cluster }) => {
    const { first, second, warnings, reports } = await waitTwice(service)
    expect(warnings).toEqual([])
    expect(reports.length > 0).toBe(waits)
    if (waits) expect(reports[0]).toMatch(/waiting for all nodes to see it: n1:9000 and .* differ/)
    expect(first.some((sql) => sql.includes(`clusterAllReplicas(${cluster}, system.tables)`))).toBe(true)
    expect(asksNodes(second)).toBe(true)
  })

  test('one node alone needs no asking', async () => {
    const { first } = await waitTwice({ engine: 'Shared', clusters: { default: 1 } })
    expect(asksNodes(first)).toBe(false)
  })

  test('nodes that never agree are named once, and not waited for again', async () => {
    const { second, warnings } = await waitTwice({ engine: 'Shared', clusters: { default: 2 }, looks: [['a', 'b']] })
    expect(warnings).toEqual([expect.stringMatching(/^n1:9000 and n2:9000 still show different things after \d s/)])
    expect(second).toEqual([])
  })
})

test('nodes that may not be asked: said once, and the one that answers is brought up to date', async () => {
  const service: Service = { engine: 'Replicated', clusters: { d: 2 }, refuses: 497 }
  const { first, second, warnings } = await waitTwice(service)
  expect(warnings).toEqual([expect.stringContaining('cannot be asked')])
  expect(first).toContain('SYSTEM SYNC DATABASE REPLICA `d`')
  expect(second).toEqual([])
})
