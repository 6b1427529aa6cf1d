import { connect } from '../../src/clickhouse/connect.js'
import type { Executor } from '../../src/clickhouse/executor.js'
import { createProject, type Project } from './cli.js'
import { type OldCluster, startOldCluster } from './zookeeper.js'

/** A project on a real cluster of two replicas, with the database `app` and the cluster's name `pair`. */
export type ClusterProject = {
  readonly cluster: OldCluster
  readonly nodes: readonly [Executor, Executor]
  /** `host:port` of the native protocol, as messages name hosts. */
  readonly addresses: readonly [string, string]
  readonly project: Project
  /** Makes the project connect to that node. */
  configure(node: 0 | 1): void
  /** The JSON document of a run, with its exit code. */
  json(...argv: string[]): Promise<Record<string, unknown>>
  tables(node: 0 | 1, name: string): Promise<{ engine: string }[]>
  /** Names, sorted. */
  columns(node: 0 | 1, table: string): Promise<string[]>
  stop(): Promise<void>
}

/** Starts the cluster and makes the project, connected to the first node. Call `stop` in the end. */
export async function startClusterProject(files: Readonly<Record<string, string>>): Promise<ClusterProject> {
  const cluster = await startOldCluster()
  const open = (node: 0 | 1) => connect({ url: cluster.replicas[node].url }, { root: '/' })
  const nodes = [await open(0), await open(1)] as const
  const addressOf = (node: 0 | 1) => `127.0.0.1:${cluster.replicas[node].ports.tcp}`
  const project = createProject(files)
  const configure = (node: 0 | 1) =>
    project.write({
      'clickhouse.config.ts': `export default {
        schema: './schema.ts', migrationsDir: './migrations', metaDir: './meta', safety: { allowDestructive: true },
        clickhouse: { url: '${cluster.replicas[node].url}', database: 'app', cluster: 'pair' },
      }`,
    })
  configure(0)
  return {
    cluster,
    nodes,
    addresses: [addressOf(0), addressOf(1)],
    project,
    configure,
    json: async (...argv) => {
      const result = await project.run([...argv, '--json'])
      return { ...result.json, exitCode: result.exitCode }
    },
    tables: (node, name) =>
      nodes[node].query(`SELECT engine FROM system.tables WHERE database = 'app' AND name = '${name}'`),
    columns: async (node, table) => {
      const rows = await nodes[node].query<{ name: string }>(
        `SELECT name FROM system.columns WHERE database = 'app' AND table = '${table}' ORDER BY name`,
      )
      return rows.map(({ name }) => name)
    },
    stop: async () => {
      project.remove()
      for (const node of nodes) await node.close()
      await cluster.stop()
    },
  }
}
