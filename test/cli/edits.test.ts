/** Edits of a schema file where what the commands say matters as much as what they do: through the command line. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { connect } from '../../src/clickhouse/connect.js'
import { createProject, type Project } from '../support/cli.js'

const CONFIG = `import { definePlugin } from 'chkit'
const plugin = definePlugin({
  manifest: { name: 'careful', apiVersion: 1 },
  hooks: {
    onPlanCreated: ({ command, plan, warn }) => {
      warn(command + ' plans ' + plan.steps.map(({ key }) => key).join(', '))
      return { ...plan, steps: plan.steps.filter(({ key }) => !key.includes('keep_me')) }
    },
  },
})
export default ({ mode }) => ({
  schema: './schema.ts',
  clickhouse: { url: 'chdb:./db', database: 'app' },
  plugins: mode === 'careful' ? [{ plugin, name: 'careful' }] : [],
})\n`

const table = (columns: string, rest = '') =>
  `table({ database: 'app', name: 't', engine: 'MergeTree', orderBy: 'id', columns: { id: 'UInt64', ${columns} } ${rest} })`
const sink = `table({ database: 'app', name: 'sink', engine: 'MergeTree', orderBy: 'id', columns: { id: 'UInt64' } })`

let project: Project
beforeEach(() => {
  project = createProject({ 'clickhouse.config.ts': CONFIG })
})
afterEach(() => project.remove())

function declare(...definitions: string[]): void {
  const text = `import { materializedView, namedCollection, raw, schema, sqlFunction, table, view } from 'chkit'\nexport default schema(${definitions.join(', ')})\n`
  project.write({ 'schema.ts': text })
}

async function apply(...definitions: string[]): Promise<void> {
  declare(...definitions)
  for (const argv of [['generate'], ['migrate', '--apply']]) {
    const { exitCode, stderr } = await project.run(argv)
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 })
  }
}

async function query(sql: string): Promise<unknown[]> {
  const executor = await connect({ url: 'chdb:./db' }, { root: project.dir })
  try {
    return await executor.query(sql)
  } finally {
    await executor.close()
  }
}

test('a view that would replace the rows of its target needs a word', async () => {
  await apply(table("a: 'UInt8'"), sink)
  await query('INSERT INTO app.sink VALUES (7)')
  declare(
    table("a: 'UInt8'"),
    sink,
    "materializedView({ database: 'app', name: 'mv', to: 'app.sink', refresh: { every: '1 YEAR' }, as: 'SELECT id FROM app.t' })",
  )
  expect((await project.run(['generate'])).stdout).toContain('Each refresh replaces all rows of its target')
  const blocked = await project.run(['migrate', '--apply', '--json'])
  expect(blocked.exitCode).toBe(3)
  expect(blocked.json).toMatchObject({
    destructiveOperations: [{ warningCode: 'refresh_replaces_rows', impact: expect.stringContaining('1 row (') }],
  })
  await query('TRUNCATE TABLE app.sink')
  expect(await project.run(['migrate', '--apply'])).toMatchObject({ exitCode: 0 })
})

test('a raw object that goes without a drop text is said to stay', async () => {
  await apply(table("a: 'UInt8'"), "raw({ key: 'f', create: 'CREATE FUNCTION IF NOT EXISTS chkit_edit AS x -> x' })")
  declare(table("a: 'UInt8'"))
  const { stdout } = await project.run(['generate'])
  expect(stdout).toContain('raw:f is no longer declared.')
  expect(stdout).toContain('It declared no drop text, so what it made stays on the server.')
  expect(await project.run(['migrate', '--apply'])).toMatchObject({ exitCode: 0 })
  expect((await project.run(['generate', '--json'])).json).toMatchObject({ operationCount: 0, migrationFile: null })
})

test('plugins see the plan of a repair as they see one of generate', async () => {
  await apply(table("a: 'UInt8', keep_me: 'UInt8'"))
  await query('ALTER TABLE app.t DROP COLUMN a, DROP COLUMN keep_me')
  const { json, stderr } = await project.run(['drift', '--json', '--mode', 'careful'], {})
  expect(stderr).toContain('drift plans table:app.t:column:a, table:app.t:column:keep_me')
  expect(json.repair).toEqual(['ALTER TABLE app.t ADD COLUMN IF NOT EXISTS `a` UInt8'])
})

test('a conversion that rows stand in the way of changes nothing, and goes on once they are gone', async () => {
  await apply(table("b: 'String'"), sink)
  await query("INSERT INTO app.t VALUES (1, '10'), (2, 'bad')")
  declare(
    table("n: { type: 'UInt32', renamedFrom: 'b' }"),
    `table({ database: 'app', name: 'sink', engine: 'MergeTree', orderBy: 'id', columns: { id: 'UInt64', c: 'UInt8' } })`,
  )
  expect(await project.run(['generate'])).toMatchObject({ exitCode: 0 })
  const { exitCode, stderr, stdout } = await project.run(['migrate', '--apply'])
  expect(exitCode).toBe(1)
  expect(stderr + stdout).toContain('rows of app.t hold values of b that UInt32 cannot hold')
  expect(
    await query(
      "SELECT table, name FROM system.columns WHERE database = 'app' AND table != '_chkit_migrations' AND NOT startsWith(table, '_') ORDER BY 1, 2",
    ),
  ).toEqual([
    { table: 'sink', name: 'id' },
    { table: 't', name: 'b' },
    { table: 't', name: 'id' },
  ])
  await query('ALTER TABLE app.t DELETE WHERE id = 2 SETTINGS mutations_sync = 2')
  expect(await project.run(['migrate', '--apply'])).toMatchObject({ exitCode: 0 })
  expect(await query('SELECT id, n FROM app.t')).toEqual([{ id: 1, n: 10 }])
  expect(await project.run(['drift', '--exit-code'])).toMatchObject({ exitCode: 0 })
})

test('a rename over something that exists is a conflict, not a drop', async () => {
  await apply(table("a: 'String', b: 'String'"))
  declare(table("b: { type: 'String', renamedFrom: 'a' }"))
  const { exitCode, json } = await project.run(['generate', '--json'])
  expect(exitCode).toBe(2)
  expect(json).toMatchObject({
    code: 'rename_conflict',
    error: 'Renamed column "app.t.a" cannot become "app.t.b", which exists already.',
    hint: 'Drop "app.t.b" in a migration before; or take renamedFrom away, to drop "app.t.a".',
  })
})

test('what raw objects make is no drift, whatever their keys are, and no repair creates it again', async () => {
  await apply(
    "raw({ key: 'my function', create: 'CREATE FUNCTION chkit_raw_triple AS x -> x * 3', drop: 'DROP FUNCTION chkit_raw_triple' })",
    "raw({ key: 'my table', create: 'CREATE TABLE raw_made (id UInt64) ENGINE = Memory' })",
    "raw({ key: 'my view', create: 'CREATE VIEW app.raw_view AS SELECT id FROM app.sink', drop: 'DROP VIEW app.raw_view' })",
    table("a: 'UInt8', b: { type: 'UInt16', materialized: 'chkit_raw_triple(a)' }"),
    sink,
    "sqlFunction({ name: 'chkit_declared', as: 'x -> x' })",
    "materializedView({ database: 'app', name: 'over_raw', to: 'app.sink', as: 'SELECT id FROM app.raw_view' })",
  )
  expect(await project.run(['drift', '--exit-code'])).toMatchObject({ exitCode: 0 })
  await query('ALTER TABLE app.t DROP COLUMN b')
  const { json } = await project.run(['drift', '--json'])
  expect(json.repair).toEqual(['ALTER TABLE app.t ADD COLUMN IF NOT EXISTS `b` UInt16 MATERIALIZED a * 3'])
  declare(sink, "sqlFunction({ name: 'chkit_declared', as: 'x -> x' })")
  expect((await project.run(['generate'])).stdout).toContain('danger  raw:my function')
  expect(await project.run(['migrate', '--apply'])).toMatchObject({ exitCode: 3 })
})

test('only views that show a converted column are stated again, and texts fit the engine', async () => {
  const over = (b: string, d: string) => [
    table(`a: 'UInt8', b: '${b}'`),
    sink,
    "view({ database: 'app', name: 'no_b', as: 'SELECT id, a FROM app.t' })",
    "view({ database: 'app', name: 'b', as: 'SELECT b + 1 AS x FROM app.t' })",
    "view({ database: 'app', name: 'all_of_it', as: 'SELECT * FROM app.t' })",
    "materializedView({ database: 'app', name: 'in', to: 'app.t', as: 'SELECT id, 1 AS a, 2 AS b FROM app.sink' })",
    `table({ database: 'app', name: 'm', engine: "Merge('app', '${d}')", columns: { id: 'UInt64', b: '${b}' } })`,
  ]
  await apply(...over('UInt8', '^t$'))
  declare(...over('UInt16', '^t$'))
  const { stdout } = await project.run(['generate'])
  expect(stdout).not.toContain('app.no_b')
  for (const name of ['view:app.b ', 'view:app.all_of_it ']) expect(stdout).toContain(name)
  expect(stdout).toContain('Materialized view app.in writes it: check that what it selects fits UInt16.')
  expect(stdout).toContain('Column b is converted from UInt8 to UInt16; its engine keeps no rows of its own.')
  expect(await project.run(['migrate', '--apply'])).toMatchObject({ exitCode: 0 })
  expect(await project.run(['drift', '--exit-code'])).toMatchObject({ exitCode: 0 })
  declare(...over('UInt16', '^t.?$'))
  expect((await project.run(['generate'])).stderr).toContain('its engine keeps no rows, so none are lost')
})

test('named collections are compared in the order and the form that the server shows', async () => {
  const env = { CHKIT_SECRET: 'sesame' }
  const collection = (values: string) => `namedCollection({ name: 'chkit_edit_nc', values: { ${values} } })`
  const go = async (values: string) => {
    declare(collection(values))
    expect(await project.run(['generate'])).toMatchObject({ exitCode: 0 })
    expect(await project.run(['migrate', '--apply'], { env })).toMatchObject({ exitCode: 0 })
    expect(await project.run(['drift', '--exit-code'], { env })).toMatchObject({ exitCode: 0 })
  }
  await go(
    "zeta: 'z', port: 9000, below: -1, flag: true, secret: 'env:CHKIT_SECRET', o: { value: 'x', overridable: false }",
  )
  await go("secret: 'env:CHKIT_SECRET', o: { value: 'x', overridable: true }, added: 1.5")
  declare(collection("added: 1.5, o: { value: 'x', overridable: true }, secret: 'env:CHKIT_SECRET'"))
  expect((await project.run(['generate', '--json'])).json).toMatchObject({ operationCount: 0 })
  await query('ALTER NAMED COLLECTION chkit_edit_nc DELETE added')
  const { json } = await project.run(['drift', '--json'])
  expect(json).toMatchObject({ drifted: true, objectDrift: [{ object: 'named_collection:chkit_edit_nc' }] })
})

test('a view with an inner table whose comment changed is no drift, and what differs in it is shown', async () => {
  const view = (comment: string, rest = '') =>
    `materializedView({ database: 'app', name: 'mv', engine: 'MergeTree', orderBy: 'id', comment: '${comment}', ${rest} as: 'SELECT id FROM app.t',
      columns: { id: 'UInt64' }, indexes: [{ name: 'i', expression: 'id', type: 'minmax' }] })`
  await apply(table("a: 'UInt8'"), view('a'))
  await apply(table("a: 'UInt8'"), view('b'))
  expect(await project.run(['drift', '--exit-code'])).toMatchObject({ exitCode: 0 })
  declare(table("a: 'UInt8'"), view('b', "refresh: { every: '1 YEAR' },"))
  expect((await project.run(['generate'])).stderr).toContain('its refresh cannot begin, end or turn to APPEND in place')
})

test('a function that texts still call cannot go away', async () => {
  const caller = `table({ database: 'app', name: 't', engine: 'MergeTree', orderBy: 'id', columns: { id: 'UInt64', d: { type: 'UInt64', materialized: 'chkit_gone(id)' } } })`
  const declared = "sqlFunction({ name: 'chkit_gone', as: 'x -> x * 2' })"
  await apply(caller, declared)
  declare(caller)
  const { exitCode, json } = await project.run(['generate', '--json'])
  expect(exitCode).toBe(1)
  expect(json).toMatchObject({
    code: 'plan_refused',
    error: 'Function chkit_gone cannot go away: app.t still calls it.',
    hint: 'Write its body in place of the calls in app.t, or keep the function.',
  })
  // Made by a raw text instead, it stays; without calls, it goes, and is said to hold no rows.
  declare(table("d: { type: 'UInt64', materialized: 'id * 2' }"))
  expect(await project.run(['generate'])).toMatchObject({ exitCode: 0 })
  expect((await project.run(['migrate', '--apply', '--json'])).json).toMatchObject({
    destructiveOperations: [{ warningCode: 'drop_function_dependency_break', impact: 'A function holds no rows.' }],
  })
})
