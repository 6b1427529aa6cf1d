import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { removeFolder, temporaryFolder } from './engine.js'
import {
  endWithUs,
  freePorts,
  type OldServer,
  type OldServerPorts,
  oldServerMissing,
  startOldServer,
} from './old-server.js'

/** Where Debian's package `zookeeper` puts its program; it needs `java` as well. */
const JAR = '/usr/share/java/zookeeper.jar'

/** Why tests with ZooKeeper cannot run here; undefined when they can. */
export const zooKeeperMissing: string | undefined =
  existsSync(JAR) && existsSync('/usr/bin/java') ? undefined : 'zookeeper is not installed (apt-get install zookeeper)'

/** Why tests on a two-replica cluster cannot run here; undefined when they can. */
export const clusterMissing: string | undefined = oldServerMissing ?? zooKeeperMissing

export type ZooKeeper = {
  readonly port: number
  /** SIGSTOP: sessions stall, then expire. */
  pause(): void
  resume(): void
  /** Ends it with SIGKILL and keeps its data; `start` brings it back on the same port. */
  kill(): Promise<void>
  start(): Promise<void>
  /** Ends it and removes its data. */
  stop(): Promise<void>
}

/** Starts a ZooKeeper of one node on loopback with its own data folder, and waits until it answers. */
export async function startZooKeeper(): Promise<ZooKeeper> {
  if (zooKeeperMissing) throw new Error(zooKeeperMissing)
  const folder = temporaryFolder('chkit-zookeeper-')
  mkdirSync(join(folder, 'data'))
  const { http: port } = await freePorts()
  writeFileSync(
    join(folder, 'zoo.cfg'),
    `tickTime=1000\ndataDir=${folder}/data\nclientPortAddress=127.0.0.1\nclientPort=${port}\nadmin.enableServer=false\nmaxClientCnxns=0\n4lw.commands.whitelist=srvr\n`,
  )
  let child = await launch(folder, port)
  const end = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exit = once(child, 'exit')
    child.kill('SIGKILL')
    await exit
  }
  return {
    port,
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    kill: end,
    async start() {
      child = await launch(folder, port)
    },
    async stop() {
      await end()
      removeFolder(folder)
    },
  }
}

async function launch(folder: string, port: number): Promise<ChildProcess> {
  const child = spawn(
    '/usr/bin/java',
    [
      '-Xmx256m',
      '-cp',
      `${JAR}:/etc/zookeeper/conf`,
      'org.apache.zookeeper.server.ZooKeeperServerMain',
      join(folder, 'zoo.cfg'),
    ],
    { stdio: 'ignore', cwd: folder },
  )
  endWithUs(child)
  const deadline = Date.now() + 30_000
  while (Date.now() < deadline && child.exitCode === null) {
    if (await answers(port)) return child
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  child.kill('SIGKILL')
  throw new Error(`zookeeper did not start on port ${port}`)
}

/** True when ZooKeeper serves sessions; it listens, and says `imok`, before it does, and 18.16 crashes when it comes too early. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.end('srvr'))
    let text = ''
    socket.setTimeout(1_000, () => socket.destroy())
    socket.on('data', (data) => {
      text += data
    })
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(text.includes('Mode: standalone')))
  })
}

/**
 * Writes an engine configuration that has KeeperMap on this ZooKeeper and returns its path: for `startHttpServer`'s
 * `configFile` or `chdb:./data?config=...`.
 */
export function writeKeeperMapConfiguration(folder: string, zookeeper: ZooKeeper): string {
  const path = join(folder, 'keeper-map.xml')
  writeFileSync(
    path,
    `<clickhouse>${zooKeeperXml(zookeeper)}<keeper_map_path_prefix>/chkit_test</keeper_map_path_prefix></clickhouse>\n`,
  )
  return path
}

function zooKeeperXml(zookeeper: ZooKeeper): string {
  return `<zookeeper><node index="1"><host>127.0.0.1</host><port>${zookeeper.port}</port></node><session_timeout_ms>15000</session_timeout_ms></zookeeper>`
}

export type OldCluster = {
  /** Its name in ON CLUSTER. */
  readonly name: 'pair'
  readonly zookeeper: ZooKeeper
  readonly replicas: readonly [OldServer, OldServer]
  stop(): Promise<void>
}

/** Two ClickHouse 18.16 servers, one shard with two replicas, and a ZooKeeper. Macros: `{shard}`, `{replica}`. */
export async function startOldCluster(): Promise<OldCluster> {
  const zookeeper = await startZooKeeper()
  const ports = [await freePorts(), await freePorts()] as const
  const start = (index: 0 | 1) =>
    startOldServer({ ports: ports[index], configuration: () => clusterXml(zookeeper, ports, index + 1) })
  const replicas = await Promise.all([start(0), start(1)])
  return {
    name: 'pair',
    zookeeper,
    replicas,
    async stop() {
      await Promise.all(replicas.map((replica) => replica.stop()))
      await zookeeper.stop()
    },
  }
}

function clusterXml(zookeeper: ZooKeeper, ports: readonly OldServerPorts[], replica: number): string {
  const nodes = ports.map(({ tcp }) => `<replica><host>127.0.0.1</host><port>${tcp}</port></replica>`).join('')
  return `${zooKeeperXml(zookeeper)}
<remote_servers><pair><shard><internal_replication>true</internal_replication>${nodes}</shard></pair></remote_servers>
<distributed_ddl><path>/clickhouse/task_queue/ddl</path></distributed_ddl>
<macros><shard>1</shard><replica>replica_${replica}</replica></macros>`
}
