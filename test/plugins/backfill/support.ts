import { afterAll, beforeAll, beforeEach } from 'vitest'
import { connect } from '../../../src/clickhouse/connect.js'
import type { Executor } from '../../../src/clickhouse/executor.js'
import { type CliResult, createProject, type Project } from '../../support/cli.js'
import { type HttpServer, startHttpServer } from '../../support/http-server.js'

/** A server for all tests of a file and a connection to it, there while they run. */
export function serverOfFile(): { readonly server: HttpServer; readonly connection: Executor } {
  const held: { server?: HttpServer; connection?: Executor } = {}
  beforeAll(async () => {
    held.server = await startHttpServer()
    held.connection = await connectTo(held.server.url)
  })
  afterAll(async () => {
    await held.connection?.close()
    await held.server?.stop()
  })
  return held as { server: HttpServer; connection: Executor }
}

/** What the tests of a file share: a server, a connection, and for each test a database `app` and a project of its own. */
export type BackfillFile = {
  readonly server: HttpServer
  readonly connection: Executor
  readonly project: Project
  /** `chkit backfill <command> ... --json`. */
  run(command: string, ...argv: string[]): Promise<CliResult>
  /** `plan` and `run` with the same flags; both must succeed. Gives the plan's id. */
  copy(argv: readonly string[], ...runArgv: string[]): Promise<string>
}

/** Starts them for a file; `statements` are run in the empty database before each test. */
export function backfillFile(statements: readonly string[], options = FAST): BackfillFile {
  const at = serverOfFile()
  const held: { project?: Project } = {}
  const project = () => held.project as Project
  beforeEach(async () => {
    await at.server.faults([])
    await execute(at.connection, ['DROP DATABASE IF EXISTS app SYNC', 'CREATE DATABASE app', ...statements])
    held.project = backfillProject(at.server.url, options)
    return () => project().remove()
  })
  const run: BackfillFile['run'] = (command, ...argv) => project().run(['backfill', command, ...argv, '--json'])
  return {
    get server() {
      return at.server
    },
    get connection() {
      return at.connection
    },
    get project() {
      return project()
    },
    run,
    copy: async (argv, ...runArgv) => {
      const id = await planned(project(), argv)
      const { exitCode, stdout, stderr } = await run('run', '--plan-id', id, ...runArgv)
      if (exitCode !== 0) throw new Error(`run ended with ${exitCode}: ${stdout}${stderr}`)
      return id
    },
  }
}

/** Staging tables that are left on the server. */
export function leftTables(connection: Executor): Promise<readonly object[]> {
  return connection.query(
    "SELECT name FROM system.tables WHERE database = 'app' AND startsWith(name, '_chkit') AND name != '_chkit_backfill_ledger'",
  )
}

/** A config with the plugin and this connection. */
export function configText(url: string, options = '{}', extra = ''): string {
  return `import { defineConfig } from 'chkit'
import { backfill } from 'chkit/plugins/backfill'

export default defineConfig({
  schema: './schema/**/*.ts',
  outDir: './chkit',
  migrationsDir: './chkit/migrations',
  metaDir: './chkit/meta',
  clickhouse: { url: '${url}', database: 'app' },
  plugins: [backfill(${options})],
  ${extra}
})
`
}

export const FAST = '{ defaults: { retryDelayMs: 10 } }'

/** A project against a server, with the plugin and no schema files of its own. */
export function backfillProject(url: string, options = FAST, files: Readonly<Record<string, string>> = {}): Project {
  return createProject({ 'clickhouse.config.ts': configText(url, options), ...files })
}

/** A second connection to the same server, for the test's own statements. */
export function connectTo(url: string): Promise<Executor> {
  return connect({ url, database: 'default' }, { root: '/' })
}

/** Runs statements one after the other. */
export async function execute(connection: Executor, statements: readonly string[]): Promise<void> {
  for (const statement of statements) await connection.command(statement)
}

/** The `planId` of a `plan --json`, which must have succeeded. */
export async function planned(project: Project, argv: readonly string[]): Promise<string> {
  const result = await project.run(['backfill', 'plan', ...argv, '--json'])
  if (result.exitCode !== 0) throw new Error(`plan ended with ${result.exitCode}: ${result.stdout}${result.stderr}`)
  return String(result.json.planId)
}
