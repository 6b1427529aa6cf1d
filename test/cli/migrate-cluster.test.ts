import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ClusterProject, startClusterProject } from '../support/cluster-project.js'
import { clusterMissing } from '../support/zookeeper.js'

describe.skipIf(clusterMissing)(`on two replicas of ClickHouse 18.16 (${clusterMissing ?? 'installed'})`, () => {
  let { cluster, nodes, addresses, project, configure, json, tables, columns, stop } = {} as ClusterProject
  beforeAll(async () => {
    ;({ cluster, nodes, addresses, project, configure, json, tables, columns, stop } = await startClusterProject({
      'migrations/1_a.sql': `CREATE TABLE app.t ON CLUSTER pair (id UInt64) ENGINE = ReplicatedMergeTree('/t', '{replica}') ORDER BY id;
INSERT INTO app.t VALUES (1), (2);
`,
    }))
  })
  afterAll(() => stop?.())

  test('the journal is replicated: what one node applied, the other knows', async () => {
    configure(0)
    expect(await json('migrate', '--apply')).toMatchObject({
      exitCode: 0,
      applied: [{ name: '1_a.sql', statements: 2 }],
    })
    configure(1)
    // Nothing is synchronised by hand: reading the journal does it.
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

  test('DDL without ON CLUSTER is named: the other node never sees it; ALTERs of replicated tables reach it', async () => {
    project.write({
      'migrations/2_c.sql': `CREATE TABLE app.here (x UInt8) ENGINE = MergeTree ORDER BY x;
ALTER TABLE app.t ADD COLUMN y UInt8;
ALTER TABLE app.t UPDATE x = 7 WHERE id > 0;
`,
    })
    configure(0)
    const result = await json('migrate', '--apply')
    expect(result).toMatchObject({ exitCode: 0, applied: [{ name: '2_c.sql' }] })
    const named = (result.warnings as string[]).filter((line) => line.includes('ON CLUSTER'))
    expect(named).toEqual([
      'Statement 1 of 2_c.sql (line 1) has no ON CLUSTER pair: it changes app.here on the connected node only.',
    ])
    expect(await tables(1, 'here')).toEqual([])
    // The run has waited for the mutation on both.
    for (const node of [0, 1] as const)
      expect(await nodes[node].query('SELECT DISTINCT x FROM app.t')).toEqual([{ x: 7 }])
  })

  test('a Local and Distributed pair is generated for the configured cluster and created on all hosts', async () => {
    configure(0)
    const pair = (columns: string) => ({
      'schema.ts': `import { schema, table } from 'chkit'
const columns = [{ name: 'id', type: 'UInt64' }${columns}] as const
export default schema(
  table({ database: 'app', name: 'all_events', engine: "Distributed('pair', 'app', 'events', rand())", columns }),
  table({ database: 'app', name: 'events', engine: "ReplicatedMergeTree('/events', '{replica}')", columns, orderBy: ['id'] }),
)`,
    })
    project.write(pair(''))
    const first = await json('generate', '--name', 'pair', '--migration-id', '3')
    expect(first).toMatchObject({ exitCode: 0 })
    expect(await json('migrate', '--apply')).toMatchObject({ exitCode: 0 })
    for (const node of [0, 1] as const) {
      expect(await tables(node, 'events')).toEqual([{ engine: 'ReplicatedMergeTree' }])
      expect(await tables(node, 'all_events')).toEqual([{ engine: 'Distributed' }])
    }
    await nodes[0].command('INSERT INTO app.events VALUES (1)')
    expect(await nodes[0].query('SELECT count() AS n FROM app.all_events')).toEqual([{ n: 1 }])
  })

  test('a replica that is stopped for a while is waited for, and has it in the end', async () => {
    project.write({
      'migrations/4_c.sql': `SET distributed_ddl_task_timeout = 1;
CREATE TABLE app.late ON CLUSTER pair (x UInt8) ENGINE = MergeTree ORDER BY x;
`,
    })
    configure(0)
    cluster.replicas[1].pause()
    setTimeout(() => cluster.replicas[1].resume(), 3500)
    const result = await json('migrate', '--apply')
    expect(result).toMatchObject({ exitCode: 0, applied: [{ name: '4_c.sql' }] })
    expect(String(result.warnings)).not.toContain('does not answer')
    expect(await tables(1, 'late')).toHaveLength(1)
  })

  test('a replica that stays away is named, and does not stop the run', async () => {
    project.write({
      'migrations/5_d.sql': `SET distributed_ddl_task_timeout = 1;
CREATE TABLE app.later ON CLUSTER pair (x UInt8) ENGINE = MergeTree ORDER BY x;
`,
    })
    cluster.replicas[1].pause()
    try {
      const result = await json('migrate', '--apply')
      expect(result).toMatchObject({ exitCode: 0, applied: [{ name: '5_d.sql' }] })
      expect(String(result.warnings)).toContain(`${addresses[0]} has run it; ${addresses[1]} does not answer`)
    } finally {
      cluster.replicas[1].resume()
    }
  })

  test('the answer of a host that comes after the 180 seconds is read from the DDL queue, and the host named', async () => {
    const source = 'CREATE TABLE app.source (x UInt8) ENGINE = MergeTree ORDER BY x'
    await nodes[0].command(source)
    configure(0)
    project.write({
      'migrations/5_e.sql': `SET distributed_ddl_task_timeout = 1;
CREATE TABLE app.copy ON CLUSTER pair AS app.source ENGINE = MergeTree ORDER BY x;
`,
    })
    cluster.replicas[1].pause()
    const running = json('migrate', '--apply')
    while ((await tables(0, 'copy')).length === 0) await new Promise((resolve) => setTimeout(resolve, 50))
    setTimeout(() => cluster.replicas[1].resume(), 2000)
    const refused = await running
    expect(refused, JSON.stringify(refused)).toMatchObject({
      exitCode: 1,
      code: 'migration_failed',
      details: { statement: 2 },
    })
    expect(String(refused.error)).toContain(`${addresses[0]} has run it; ${addresses[1]} has not`)
    expect(String(refused.error)).toMatch(new RegExp(`${addresses[1]}: Code: 60.*app.source doesn't exist`))
    await nodes[1].command(source)
    expect(await json('migrate', '--apply')).toMatchObject({ exitCode: 0, applied: [{ name: '5_e.sql' }] })
    for (const node of [0, 1] as const) expect(await columns(node, 'copy')).toEqual(['x'])
  })

  test('a replica that holds another table is named; when that is gone, the statement is completed there', async () => {
    await nodes[1].command('CREATE TABLE app.clash (y String) ENGINE = MergeTree ORDER BY y')
    project.write({
      'migrations/6_e.sql': `CREATE TABLE app.clash ON CLUSTER pair (x UInt8) ENGINE = ReplicatedMergeTree('/clash', '{replica}') ORDER BY x;
ALTER TABLE app.clash ON CLUSTER pair ADD COLUMN z UInt8;
`,
    })
    const clash = await json('migrate', '--apply')
    expect(clash).toMatchObject({ exitCode: 1, code: 'migration_failed', details: { statement: 1 } })
    expect(String(clash.error)).toContain(`${addresses[0]} has run it`)
    expect(String(clash.error)).toContain(`${addresses[1]} held another object of that name before`)
    expect(await json('migrate', '--apply')).toMatchObject({ exitCode: 1, code: 'migration_failed' })
    await nodes[1].command('DROP TABLE app.clash')
    expect(await json('migrate', '--apply')).toMatchObject({ exitCode: 0, applied: [{ name: '6_e.sql' }] })
    for (const node of [0, 1] as const) expect(await columns(node, 'clash')).toEqual(['x', 'z'])
    // What the replica missed while it was away came from the queue before this.
    expect(await tables(1, 'later')).toHaveLength(1)
  })
})
