import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { readAccess, withHiddenSecrets } from '../../src/clickhouse/access.js'
import { connect } from '../../src/clickhouse/connect.js'
import type { Executor } from '../../src/clickhouse/executor.js'
import { introspect } from '../../src/clickhouse/introspect.js'
import { type AccessObject, objectKey } from '../../src/model/definition.js'
import { coveredGrants } from '../../src/model/grants.js'
import { definitionFromStatement } from '../../src/model/statement.js'
import { removeFolder, temporaryFolder } from '../support/engine.js'

/**
 * The embedded engine has no storage for access objects made by SQL, so what a server answers for them is played from
 * rows in the form that its `SHOW ACCESS` has; what comes from configuration is the engine's own.
 */
function answering(executor: Executor, shown: readonly string[]): Executor {
  return {
    ...executor,
    async query<Row>(sql: string, options?: Parameters<Executor['query']>[1]) {
      const rows = await executor.query<Row>(sql, options)
      if (sql !== 'SHOW ACCESS') return rows
      return [...rows, ...shown.map((ACCESS) => ({ ACCESS }) as Row)]
    },
  }
}

let executor: Executor | undefined
let root: string | undefined
afterEach(async () => {
  await executor?.close()
  if (root) removeFolder(root)
})

async function engineWithAccess(roles = ''): Promise<Executor> {
  root = temporaryFolder()
  writeFileSync(
    join(root, 'users.xml'),
    `<clickhouse>${roles}<profiles><default/></profiles><users><default><password></password><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota><access_management>1</access_management><named_collection_control>1</named_collection_control></default></users><quotas><default/></quotas></clickhouse>`,
  )
  writeFileSync(join(root, 'engine.xml'), `<clickhouse><users_config>${root}/users.xml</users_config></clickhouse>`)
  executor = await connect({ url: 'chdb:./data?config=./engine.xml' }, { root })
  return executor
}

test('what stands in configuration files is left out, what was made by SQL is read', async () => {
  const engine = await engineWithAccess()
  await engine.command("CREATE NAMED COLLECTION source AS host = 'h', password = 'collection-secret'")
  expect((await readAccess(engine, await engine.server())).entries.map(({ name }) => name)).toEqual(['source'])
  const statements = [
    'CREATE ROLE analyst',
    'CREATE USER anna IDENTIFIED WITH no_password DEFAULT ROLE analyst',
    'CREATE ROW POLICY own ON shop.events FOR SELECT USING (owner = currentUser()) TO analyst',
    'CREATE QUOTA hourly FOR INTERVAL 1 hour MAX queries = 100 TO analyst',
    'CREATE SETTINGS PROFILE small SETTINGS max_threads = 2 TO analyst',
    'GRANT SELECT ON shop.* TO analyst',
  ]
  const { model, skipped } = await introspect(answering(engine, statements), { access: true, databases: [] })
  expect(skipped).toEqual([])
  expect(model.definitions.map(objectKey)).toEqual([
    'grant:GRANT SELECT ON shop.* TO analyst',
    'named_collection:source',
    'quota:hourly',
    'role:analyst',
    'row_policy:own ON shop.events',
    'settings_profile:small',
    'user:anna',
  ])
  expect(JSON.stringify(model)).not.toContain('collection-secret')
})

test('grants are found in the texts that the engine makes of them', async () => {
  const granted = [
    'GRANT SELECT(b, a), INSERT ON app.t TO reader',
    'GRANT SHOW, SELECT ON app.* TO reader WITH GRANT OPTION',
    'GRANT S3, URL ON *.* TO reader',
    'GRANT CREATE, ALTER ON z.* TO reader',
    'GRANT ALL ON y.* TO reader',
    'GRANT ALL ON v.t TO reader',
    'GRANT INSERT(c, a), ALTER DROP COLUMN ON x.y TO reader',
  ]
  const others = ['GRANT SELECT ON x.y TO reader', 'GRANT ALTER ON v.* TO reader', 'GRANT INSERT ON app.* TO reader']
  const queries = granted.map((text) => `<query>${text.replace(' TO reader', '')}</query>`).join('')
  const engine = await engineWithAccess(`<roles><reader><grants>${queries}</grants></reader></roles>`)
  const shown = await engine.query<{ ACCESS: string }>('SHOW ACCESS')
  const read = (text: string) => definitionFromStatement(text, { currentDatabase: 'default' }) as AccessObject
  const live = shown.map(({ ACCESS }) => read(ACCESS)).filter(({ kind }) => kind === 'grant')
  const covered = [...coveredGrants([...granted, ...others].map(read), live)]
  expect(covered.map(({ statement }) => statement)).toEqual(granted.map((text) => read(text).statement))
})

test('an account that may not see access objects gets a note', async () => {
  root = temporaryFolder()
  executor = await connect({ url: 'chdb::memory:' }, { root })
  const { entries, skipped } = await readAccess(executor, await executor.server())
  expect(entries).toEqual([])
  expect(skipped).toMatchObject([{ object: 'access objects', reason: expect.stringContaining('497 ACCESS_DENIED') }])
})

test.each([
  ['CREATE USER a IDENTIFIED WITH sha256_password', "CREATE USER a IDENTIFIED WITH sha256_password BY '[HIDDEN]'"],
  [
    'CREATE USER a IDENTIFIED WITH bcrypt_password, sha256_password HOST ANY',
    "CREATE USER a IDENTIFIED WITH bcrypt_password BY '[HIDDEN]', sha256_password BY '[HIDDEN]' HOST ANY",
  ],
  ['CREATE USER a IDENTIFIED WITH no_password', 'CREATE USER a IDENTIFIED WITH no_password'],
  ["CREATE USER a IDENTIFIED WITH sha256_hash BY 'x'", "CREATE USER a IDENTIFIED WITH sha256_hash BY 'x'"],
  ['CREATE ROLE sha256_password', 'CREATE ROLE sha256_password'],
])('a secret that the server leaves out is marked as hidden: %s', (shown, marked) => {
  expect(withHiddenSecrets(shown)).toBe(marked)
})
