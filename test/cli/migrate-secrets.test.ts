import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { connect } from '../../src/clickhouse/connect.js'
import type { Executor } from '../../src/clickhouse/executor.js'
import { createProject, type Project } from '../support/cli.js'
import { type HttpServer, startHttpServer } from '../support/http-server.js'

const SECRET = "s3cr'et-value-7"

let server: HttpServer
let executor: Executor
let project: Project
let made = 0

beforeAll(async () => {
  server = await startHttpServer()
  executor = await connect({ url: server.url }, { root: '/' })
})
afterAll(async () => {
  await executor.close()
  await server.stop()
})
afterEach(async () => {
  await server.faults([])
  project.remove()
})

const dictionary = (db: string) =>
  `CREATE DICTIONARY ${db}.d (id UInt64, name String) PRIMARY KEY id
SOURCE(CLICKHOUSE(HOST 'localhost' USER 'u' PASSWORD 'env:DICT_PASSWORD' TABLE 't')) LAYOUT(FLAT()) LIFETIME(0)`

function newProject(statements: (db: string) => string): string {
  const db = `secrets${++made}`
  project = createProject({
    'clickhouse.config.ts': `export default {
      schema: './schema.ts', migrationsDir: './migrations', metaDir: './meta',
      clickhouse: { url: '${server.url}', database: '${db}' },
    }`,
    'migrations/1_a.sql': statements(db),
  })
  return db
}

/** Everything that anyone could read afterwards: what was printed, and the journal. */
async function traces(db: string, env: Record<string, string>): Promise<{ text: string; exitCode: number }> {
  const runs = [
    await project.run(['migrate', '--apply'], { env }),
    await project.run(['migrate', '--apply', '--json'], { env: { ...env, CHKIT_DEBUG: '1' } }),
    await project.run(['status', '--json'], { env }),
  ]
  const journal = await executor.query(`SELECT * FROM ${db}._chkit_migrations_statements`)
  const printed = runs.map(({ stdout, stderr }) => stdout + stderr).join('')
  return { text: `${printed}${JSON.stringify(journal)}`, exitCode: runs[0]?.exitCode ?? -1 }
}

test('a variable that is not set stops the run before anything is sent', async () => {
  const db = newProject((name) => `CREATE TABLE ${name}.t (x UInt8) ENGINE = Memory;\n\n${dictionary(name)};\n`)
  const plan = await project.run(['migrate', '--json'])
  expect(plan.exitCode).toBe(0)
  expect(String(plan.json.warnings)).toContain('DICT_PASSWORD is not set')
  const { exitCode, json } = await project.run(['migrate', '--apply', '--json'])
  expect({ exitCode, ...json }).toMatchObject({
    exitCode: 2,
    code: 'secret_missing',
    error:
      'The environment variable DICT_PASSWORD is not set, and is needed by statement 2 of 1_a.sql (line 3). Nothing was sent.',
    hint: expect.stringContaining('Set DICT_PASSWORD in the environment'),
    details: { variables: ['DICT_PASSWORD'], missing: [{ migration: '1_a.sql', statement: 2, line: 3 }] },
  })
  expect(await executor.query(`SELECT name FROM system.databases WHERE name = '${db}'`)).toEqual([])
})

test('a secret that is set goes to the server and nowhere else', async () => {
  const db = newProject((name) => `${dictionary(name)};\n`)
  const { text, exitCode } = await traces(db, { DICT_PASSWORD: SECRET })
  expect(exitCode).toBe(0)
  expect(text).not.toContain('s3cr')
})

/** What a server says that repeats the statement, as it is or cut off. */
const ECHOES: readonly { name: string; secret: string; text: string; leak: string }[] = [
  { name: 'cut off', secret: SECRET, text: `Syntax error at PASSWORD 's3cr\\'et-v. Expected one of: x`, leak: 's3cr' },
  { name: 'short', secret: 'qz', text: "Wrong argument 'qz' of CLICKHOUSE", leak: 'qz' },
]
test.each(ECHOES)('a server that repeats the statement does not print it: $name', async ({ secret, text, leak }) => {
  const db = newProject((name) => `${dictionary(name)};\n`)
  await server.faults([
    {
      action: 'lateException',
      match: '^CREATE DICTIONARY',
      style: 'plain',
      times: 2,
      rows: '',
      text: `Code: 36. DB::Exception: ${text}. (BAD_ARGUMENTS)`,
    },
  ])
  const found = await traces(db, { DICT_PASSWORD: secret })
  expect(found.exitCode).toBe(1)
  expect(found.text).toContain('BAD_ARGUMENTS')
  expect(found.text).not.toContain(leak)
})
