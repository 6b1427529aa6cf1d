import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { removeFolder, temporaryFolder } from './engine.js'

/** Where Debian's package `clickhouse-server` (18.16) puts its program. */
const PROGRAM = '/usr/sbin/clickhouse-server'

/**
 * Why tests on the old server cannot run here; undefined when they can. Such tests are skipped by name
 * (`describe.skipIf(oldServerMissing)`), never passed.
 */
export const oldServerMissing: string | undefined = existsSync(PROGRAM)
  ? undefined
  : 'clickhouse-server 18.16 is not installed (apt-get install clickhouse-server)'

export type OldServerOptions = {
  /** More XML inside of the configuration's root: `<zookeeper>`, `<remote_servers>`, `<macros>`. */
  readonly configuration?: (ports: OldServerPorts) => string
  /** More XML inside of `<users>` and `<profiles>`. */
  readonly users?: string
  readonly profiles?: string
  /** Ports to use; default free ones. A cluster needs to know them beforehand. */
  readonly ports?: OldServerPorts
  /** Name of this replica, for `interserver_http_host` and messages; default `127.0.0.1`. */
  readonly host?: string
}

export type OldServerPorts = { readonly http: number; readonly tcp: number; readonly interserver: number }

export type OldServer = {
  readonly url: string
  readonly ports: OldServerPorts
  readonly folder: string
  readonly pid: number
  readonly process: ChildProcess
  /** SIGSTOP: accepts connections and answers nothing. */
  pause(): void
  resume(): void
  /** Ends it and removes its data. */
  stop(): Promise<void>
  /** Ends it with SIGKILL and keeps its data; `start` brings it back on the same ports. */
  kill(): Promise<void>
  start(): Promise<void>
}

/** Starts ClickHouse 18.16 on loopback with its own configuration and data folders, and waits until it answers. */
export async function startOldServer(options: OldServerOptions = {}): Promise<OldServer> {
  if (oldServerMissing) throw new Error(oldServerMissing)
  const folder = temporaryFolder('chkit-old-')
  const ports = options.ports ?? (await freePorts())
  writeConfiguration(folder, ports, options)
  let child = await launch(folder, ports)
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exit = once(child, 'exit')
    child.kill(signal)
    await exit
  }
  return {
    url: `http://127.0.0.1:${ports.http}`,
    ports,
    folder,
    get pid() {
      return child.pid ?? 0
    },
    get process() {
      return child
    },
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    async stop() {
      child.kill('SIGCONT')
      await end('SIGKILL')
      removeFolder(folder)
    },
    kill: () => end('SIGKILL'),
    async start() {
      child = await launch(folder, ports)
    },
  }
}

/**
 * Three ports that nobody listens on at the moment, from below the range that the system gives to outgoing connections:
 * one of those may take a port between our look and the server's start.
 */
export async function freePorts(): Promise<OldServerPorts> {
  const [http, tcp, interserver] = [await freePort(), await freePort(), await freePort()]
  return { http, tcp, interserver }
}

const handedOut = new Set<number>()

async function freePort(): Promise<number> {
  for (;;) {
    const port = 15_000 + Math.floor(Math.random() * 17_000)
    if (handedOut.has(port)) continue
    handedOut.add(port)
    const server = createServer()
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false))
      server.listen(port, '127.0.0.1', () => resolve(true))
    })
    if (!isFree) continue
    await new Promise((resolve) => server.close(resolve))
    return port
  }
}

function writeConfiguration(folder: string, ports: OldServerPorts, options: OldServerOptions): void {
  for (const name of ['data', 'tmp', 'user_files', 'format_schemas', 'log']) mkdirSync(join(folder, name))
  const host = options.host ?? '127.0.0.1'
  writeFileSync(
    join(folder, 'config.xml'),
    `<yandex>
<logger><level>warning</level><log>${folder}/log/server.log</log><errorlog>${folder}/log/error.log</errorlog></logger>
<http_port>${ports.http}</http_port><tcp_port>${ports.tcp}</tcp_port><interserver_http_port>${ports.interserver}</interserver_http_port>
<listen_host>127.0.0.1</listen_host><interserver_http_host>${host}</interserver_http_host>
<path>${folder}/data/</path><tmp_path>${folder}/tmp/</tmp_path>
<user_files_path>${folder}/user_files/</user_files_path><format_schema_path>${folder}/format_schemas/</format_schema_path>
<users_config>${folder}/users.xml</users_config><default_profile>default</default_profile><default_database>default</default_database>
<mark_cache_size>16777216</mark_cache_size><max_concurrent_queries>100</max_concurrent_queries>
<query_log><database>system</database><table>query_log</table><flush_interval_milliseconds>500</flush_interval_milliseconds></query_log>
${options.configuration?.(ports) ?? ''}
</yandex>
`,
  )
  const anywhere = '<networks><ip>::/0</ip></networks><quota>default</quota>'
  writeFileSync(
    join(folder, 'users.xml'),
    `<yandex>
<profiles><default></default><readonly><readonly>1</readonly></readonly>${options.profiles ?? ''}</profiles>
<users>
<default><password></password>${anywhere}<profile>default</profile></default>
<writer><password>writer-secret</password>${anywhere}<profile>default</profile></writer>
<reader><password>reader-secret</password>${anywhere}<profile>readonly</profile></reader>
${options.users ?? ''}
</users>
<quotas><default/></quotas>
</yandex>
`,
  )
}

async function launch(folder: string, ports: OldServerPorts): Promise<ChildProcess> {
  const child = spawn(PROGRAM, [`--config-file=${folder}/config.xml`], { stdio: 'ignore', cwd: folder })
  endWithUs(child)
  const deadline = Date.now() + 20_000
  while (Date.now() < deadline) {
    if (child.exitCode !== null) break
    const response = await fetch(`http://127.0.0.1:${ports.http}/ping`).catch(() => undefined)
    if (response?.ok) return child
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  child.kill('SIGKILL')
  throw new Error(
    `clickhouse-server did not start: ${spawnSync('tail', ['-5', join(folder, 'log', 'error.log')], { encoding: 'utf8' }).stdout}`,
  )
}

/** A test run that dies must not leave servers behind. */
export function endWithUs(child: ChildProcess): void {
  const script = `while kill -0 ${process.pid} 2>/dev/null && kill -0 ${child.pid} 2>/dev/null; do sleep 1; done; kill -9 ${child.pid} 2>/dev/null`
  spawn('sh', ['-c', script], { stdio: 'ignore', detached: true }).unref()
}
