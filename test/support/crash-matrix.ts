import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connect } from '../../src/clickhouse/connect.js'
import type { Executor } from '../../src/clickhouse/executor.js'
import { createProject, type Project } from './cli.js'
import { buildExecutable, type Executable } from './executable.js'
import { type Fault, type HttpServer, startHttpServer } from './http-server.js'

/**
 * The crash matrix: every statement kind, at every statement of a migration, the run is disturbed before the statement
 * reaches the server and after it ran, by a reset, a proxy's error, an answer that never comes, and kill -9 of a real
 * process, also at each write of the journal. After the next run the database must equal the one of an undisturbed run,
 * each INSERT's rows there once. Nobody touches the dead run's lock.
 */

const statements = (db: string): string[] => [
  `CREATE TABLE ${db}.events (id UInt64, kind String, n UInt32) ENGINE = MergeTree ORDER BY id`,
  `CREATE TABLE ${db}.totals (kind String, n UInt64) ENGINE = SummingMergeTree ORDER BY kind`,
  `INSERT INTO ${db}.events VALUES (1, 'a', 10), (2, 'b', 20)`,
  `CREATE MATERIALIZED VIEW ${db}.totals_mv TO ${db}.totals AS SELECT kind, sum(n) AS n FROM ${db}.events GROUP BY kind`,
  `INSERT INTO ${db}.events SELECT number + 100, 'c', number FROM numbers(1000)`,
  `ALTER TABLE ${db}.events ADD COLUMN note String DEFAULT 'x', ADD INDEX by_kind kind TYPE set(10) GRANULARITY 1`,
  `ALTER TABLE ${db}.events UPDATE note = 'y' WHERE kind = 'a'`,
  `ALTER TABLE ${db}.events MODIFY COLUMN n UInt64`,
  `DELETE FROM ${db}.events WHERE id = 2`,
  `CREATE VIEW ${db}.recent AS SELECT id, kind FROM ${db}.events WHERE id > 500`,
  `CREATE TABLE ${db}.events_new (id UInt64, kind String, n UInt64, note String) ENGINE = MergeTree ORDER BY (kind, id)`,
  `INSERT INTO ${db}.events_new SELECT id, kind, n, note FROM ${db}.events`,
  `EXCHANGE TABLES ${db}.events AND ${db}.events_new`,
  `RENAME TABLE ${db}.events_new TO ${db}.events_old`,
  `INSERT INTO ${db}.events VALUES (3, 'd', 5, 'late')`,
  `ALTER TABLE ${db}.events RENAME COLUMN note TO remark`,
  `TRUNCATE TABLE ${db}.events_old`,
  `DROP TABLE ${db}.events_old`,
  `ALTER TABLE ${db}.events MODIFY COMMENT 'done'`,
  `INSERT INTO ${db}.totals VALUES ('z', 1)`,
]
/** Indexes of all statements of the matrix's migration. */
export const ALL_STATEMENTS: readonly number[] = statements('x').map((_, index) => index)

/**
 * Declares the tests of the matrix, server and executable included. `numbersOf` says at which statements (indexes) each
 * point of disturbance is tested; points are counted from 0.
 */
export function crashMatrix(numbersOf: (point: number) => readonly number[]): void {
  let points = 0
  const numbers = () => numbersOf(points++)
  let server: HttpServer
  let executor: Executor
  let chkit: Executable
  let expected: string
  let made = 0

  beforeAll(async () => {
    chkit = await buildExecutable()
    server = await startHttpServer()
    executor = await connect({ url: server.url }, { root: '/' })
    const calm = newCase()
    expect((await calm.run()).exitCode).toBe(0)
    expected = await fingerprint(calm.db)
    calm.project.remove()
  })
  afterAll(async () => {
    await executor.close()
    await server.stop()
    chkit.remove()
  })

  type Case = {
    readonly db: string
    readonly project: Project
    run(): Promise<{ exitCode: number; document: Readonly<Record<string, unknown>> }>
  }

  function newCase({ requestTimeoutMs = 20_000 } = {}): Case {
    const db = `app${++made}`
    const project = createProject({
      'clickhouse.config.ts': `export default {
      schema: './schema.ts', migrationsDir: './migrations', metaDir: './meta', safety: { allowDestructive: true },
      clickhouse: { url: '${server.url}', database: '${db}', requestTimeoutMs: ${requestTimeoutMs} },
    }`,
      'migrations/1_all.sql': statements(db)
        .map((text) => `${text};\n`)
        .join('\n'),
    })
    return {
      db,
      project,
      run: async () => {
        const { exitCode, json } = await project.run(['migrate', '--apply', '--json'])
        return { exitCode, document: json }
      },
    }
  }

  /** Everything that a user would see of the database, without its name. */
  async function fingerprint(db: string): Promise<string> {
    const tables = await executor.query<{ name: string; create: string }>(
      `SELECT name, create_table_query AS create FROM system.tables WHERE database = '${db}' AND name NOT LIKE '\\\\_chkit%' ORDER BY name`,
    )
    const seen = []
    for (const { name, create } of tables) {
      const rows = name.endsWith('_mv')
        ? []
        : await executor.query(
            `SELECT count() AS rows, sum(cityHash64(*)) AS hash FROM ${name === 'totals' ? `(SELECT kind, sum(n) AS n FROM ${db}.totals GROUP BY kind)` : `${db}.${name}`}`,
          )
      seen.push([name, create.replaceAll(db, 'db'), rows])
    }
    return JSON.stringify(seen, undefined, 1)
  }

  const literally = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  const at = (db: string, index: number) => `^\\s*${literally(statements(db)[index] ?? '')}`

  /** Runs until the run ends well; a statement that nobody can tell may stop it at most once per look. */
  async function finish(one: Case): Promise<void> {
    const { exitCode, document } = await one.run()
    expect({ exitCode, error: document.error }).toEqual({ exitCode: 0, error: undefined })
    expect(await fingerprint(one.db)).toBe(expected)
    const again = await one.run()
    expect(again.document).toMatchObject({ ok: true, applied: [] })
  }

  describe.each<{ action: Fault['action'] }>([
    { action: 'resetBefore' },
    { action: 'resetAfter' },
    { action: 'proxyErrorBefore' },
    { action: 'proxyErrorAfter' },
    { action: 'cutAfter' },
  ])('the network: $action', ({ action }) => {
    test.each(numbers())('at statement index %i the same run goes on', async (index) => {
      const one = newCase()
      await server.clearHistory()
      await server.faults([{ action, match: at(one.db, index) }])
      await finish(one)
      expect((await server.history()).some(({ fault }) => fault === action)).toBe(true)
      one.project.remove()
    })
  })

  function start(one: Case): ChildProcess {
    return spawn(process.execPath, [chkit.path, 'migrate', '--apply', '--json'], {
      cwd: one.project.dir,
      stdio: 'ignore',
    })
  }

  async function killWhenHeld(child: ChildProcess): Promise<void> {
    const deadline = Date.now() + 20_000
    while ((await server.stats()).held === 0) {
      if (Date.now() > deadline || child.exitCode !== null) throw new Error('the run never came to the statement')
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
    await server.faults([])
    await server.release()
  }

  const intent = (db: string, index: number) => journalLine(db, index, 'intent')
  const outcome = (db: string, index: number) => journalLine(db, index, 'done')
  /** A write of the statement journal with such a line; lines of other statements may be beside it. */
  const journalLine = (db: string, index: number, kind: string) =>
    `_chkit_migrations_statements[^{]*(?:.*\\n)?\\{"migration":"1_all\\.sql","statement":${index + 1},"outcome":"${kind}"`.replace(
      '_chkit',
      `\`?${db}\`?\\.\`?_chkit`,
    )

  describe.each<{ name: string; action: Fault['action']; match: (db: string, index: number) => string }>([
    { name: 'before its intent is written', action: 'hangBefore', match: intent },
    { name: 'after its intent was written', action: 'hangAfter', match: intent },
    { name: 'before the statement arrives', action: 'hangBefore', match: at },
    { name: 'after it ran, before anyone wrote it down', action: 'hangAfter', match: at },
    { name: 'before its outcome is written', action: 'hangBefore', match: outcome },
    { name: 'after its outcome was written', action: 'hangAfter', match: outcome },
  ])('kill -9 $name', ({ action, match }) => {
    test.each(numbers())('at statement index %i the next run settles it', async (index) => {
      const one = newCase()
      await server.faults([{ action, match: match(one.db, index) }])
      const child = start(one)
      await killWhenHeld(child)
      await finish(one)
      one.project.remove()
    })
  })

  describe.each<{ name: string; action: Fault['action'] }>([
    { name: 'before it runs', action: 'hangBefore' },
    { name: 'after it ran', action: 'hangAfter' },
  ])('no answer comes, $name, until the client gives up', ({ action }) => {
    test.each(numbers())('at statement index %i the same run goes on', async (index) => {
      const one = newCase({ requestTimeoutMs: 1500 })
      await server.faults([{ action, match: at(one.db, index) }])
      await finish(one)
      await server.release()
      one.project.remove()
    })
  })
}
