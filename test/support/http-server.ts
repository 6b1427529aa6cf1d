import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** An account of the test server. */
export type TestUser = {
  readonly name: string
  readonly password: string
  /** 1: refuses writes and any setting; 2: refuses writes. */
  readonly readonly?: 1 | 2
  /** Only reads are granted; everything else is 497. */
  readonly selectOnly?: boolean
}

export type HttpServerOptions = {
  /** Data directory, kept; without one it is temporary. */
  readonly path?: string
  readonly port?: number
  /** Default: `default` without a password. */
  readonly users?: readonly TestUser[]
  readonly tls?: { readonly certFile: string; readonly keyFile: string; readonly caFile?: string }
  /** What `version()` answers instead of the engine's. */
  readonly version?: string
  /** Configuration file of the engine (KeeperMap, users). */
  readonly configFile?: string
  /** False: no session is ever found again, as behind a balancer that sends each request to another node. */
  readonly sessions?: boolean
  /** False: `system.query_log` stays empty. */
  readonly queryLog?: boolean
  /** After how many idle ms the server closes a socket. */
  readonly keepAliveMs?: number
}

/**
 * What happens to requests whose text matches. `skip` lets that many pass first; `times` (default 1) is how often it
 * strikes. `...Before` leaves the statement unexecuted, `...After` spoils the answer to one that ran.
 */
export type Fault = {
  readonly action:
    | 'resetBefore'
    | 'resetAfter'
    | 'closeBefore'
    | 'closeAfter'
    | 'hangBefore'
    | 'hangAfter'
    | 'killBefore'
    | 'killAfter'
    | 'proxyErrorBefore'
    | 'proxyErrorAfter'
    | 'delayBefore'
    | 'delayAfter'
    | 'cutAfter'
    | 'lateException'
    | 'html'
  /** Regular expression over the statement, case-insensitive; default any. */
  readonly match?: string
  readonly skip?: number
  readonly times?: number
  /** Of a proxy's error; default 504. */
  readonly status?: number
  /** Of a delay. */
  readonly ms?: number
  /** Of a late exception: since 25.11, before, or with the connection cut behind it. */
  readonly style?: 'tagged' | 'plain' | 'cut'
  /** Of a late exception: the body before it. */
  readonly rows?: string
  /** Of a late exception: its text. */
  readonly text?: string
}

export type HistoryEntry = {
  readonly queryId: string
  readonly query: string
  readonly user: string
  readonly database?: string
  readonly state: 'received' | 'running' | 'finished' | 'failed'
  readonly fault?: Fault['action']
  readonly settings: Readonly<Record<string, string>>
  /** Id of the HTTP session. */
  readonly session?: string
  readonly encoding?: string
}

export type HttpServer = {
  readonly url: string
  readonly port: number
  readonly pid: number
  readonly process: ChildProcess
  faults(faults: readonly Fault[]): Promise<void>
  /** Added to every request. */
  latency(ms: number): Promise<void>
  /** Accepts and never answers. */
  silent(on: boolean): Promise<void>
  /** Lets hanging requests go on. */
  release(): Promise<void>
  stats(): Promise<{ requests: number; connections: number; inFlight: number; mostInFlight: number; held: number }>
  /** Every statement that arrived, in order. */
  history(): Promise<HistoryEntry[]>
  clearHistory(): Promise<void>
  stop(): Promise<void>
  /** Ends it with SIGKILL, as a crash. */
  kill(): Promise<void>
}

const ENTRY = fileURLToPath(new URL('./clickhouse-http.mjs', import.meta.url))

/** Starts ClickHouse's HTTP interface in front of an embedded engine, in a process of its own on a free loopback port. */
export async function startHttpServer(options: HttpServerOptions = {}): Promise<HttpServer> {
  const child = spawn(process.execPath, [ENTRY, JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'inherit'],
    // Each query in flight holds one of these threads.
    env: { ...process.env, UV_THREADPOOL_SIZE: '64' },
  })
  const exit = once(child, 'exit')
  const line = await Promise.race([
    once(createInterface(child.stdout), 'line').then(([text]) => String(text)),
    exit.then(([code]) => Promise.reject(new Error(`the test server ended with ${code} before it listened`))),
  ])
  const { port, controlPort }: { port: number; controlPort: number } = JSON.parse(line)

  async function control<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`http://127.0.0.1:${controlPort}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status}`)
    return (await response.json()) as T
  }

  return {
    url: `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    port,
    pid: child.pid ?? 0,
    process: child,
    faults: (faults) => control('PUT', '/faults', faults),
    latency: (ms) => control('PUT', '/latency', { ms }),
    silent: (on) => control('PUT', '/silent', { on }),
    release: () => control('POST', '/release'),
    stats: () => control('GET', '/stats'),
    history: () => control('GET', '/history'),
    clearHistory: () => control('DELETE', '/history'),
    async stop() {
      child.stdin?.end()
      await exit
    },
    async kill() {
      child.kill('SIGKILL')
      await exit
    },
  }
}
