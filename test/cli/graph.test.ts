import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createProject, type Project } from '../support/cli.js'

const SCHEMA = `
import { dictionary, materializedView, sqlFunction, table, view } from 'chkit'
export const twice = sqlFunction({ name: 'twice', as: '(x) -> x * 2' })
export const events = table({
  database: 'app', name: 'events', engine: 'MergeTree', orderBy: 'id',
  columns: { id: 'UInt64', double: { type: 'UInt64', alias: 'twice(id)' } },
})
export const totals = table({
  database: 'app', name: 'totals', engine: 'SummingMergeTree', orderBy: 'id', columns: { id: 'UInt64', n: 'UInt64' },
})
export const feed = materializedView({
  database: 'app', name: 'feed', to: 'app.totals', as: 'SELECT id, count() AS n FROM app.events GROUP BY id',
})
export const recent = view({ database: 'app', name: 'recent', as: 'SELECT id FROM app.totals' })
export const names = dictionary({
  database: 'ref', name: 'names', attributes: { id: 'UInt64', n: 'UInt64' }, primaryKey: 'id',
  source: "CLICKHOUSE(TABLE 'totals' DB 'app')", layout: 'FLAT()', lifetime: 300,
})
`
const CONFIG = "export default { schema: './schema/*.ts' }\n"

let project: Project
beforeEach(() => {
  project = createProject({ 'clickhouse.config.ts': CONFIG, 'schema/all.ts': SCHEMA })
})
afterEach(() => project.remove())

describe('chkit graph', () => {
  test('draws a Mermaid flowchart without a connection', async () => {
    const { exitCode, stdout } = await project.run(['graph'])
    expect(exitCode).toBe(0)
    expect(stdout).toBe(`flowchart LR
  n0[/"dictionary<br/>ref.names"/]
  n1[["materialized view<br/>app.feed"]]
  n2(["sql function<br/>twice"])
  n3[("table<br/>app.events")]
  n4[("table<br/>app.totals")]
  n5["view<br/>app.recent"]
  n0 --> n4
  n1 --> n3
  n1 --> n4
  n3 --> n2
  n5 --> n4
`)
  })

  test('draws a Graphviz digraph', async () => {
    const { stdout } = await project.run(['graph', '--format', 'dot'])
    expect(stdout).toBe(`digraph schema {
  rankdir=LR
  "dictionary:ref.names" [label="dictionary\\nref.names", shape=note]
  "materialized_view:app.feed" [label="materialized view\\napp.feed", shape=box3d]
  "sql_function:twice" [label="sql function\\ntwice", shape=ellipse]
  "table:app.events" [label="table\\napp.events", shape=cylinder]
  "table:app.totals" [label="table\\napp.totals", shape=cylinder]
  "view:app.recent" [label="view\\napp.recent", shape=box]
  "dictionary:ref.names" -> "table:app.totals"
  "materialized_view:app.feed" -> "table:app.events"
  "materialized_view:app.feed" -> "table:app.totals"
  "table:app.events" -> "sql_function:twice"
  "view:app.recent" -> "table:app.totals"
}
`)
  })

  test('prints nodes and edges as JSON, of the objects in scope', async () => {
    const { stdout } = await project.run(['graph', '--format', 'json', '--table', 'app.t*'])
    expect(JSON.parse(stdout)).toEqual({
      nodes: [{ key: 'table:app.totals', kind: 'table', name: 'app.totals' }],
      edges: [],
      cycles: [],
    })
    const { json } = await project.run(['graph', '--json', '--table', 'ref.names'])
    expect(json).toMatchObject({ command: 'graph', ok: true, scope: { matchedTables: ['ref.names'], matchCount: 1 } })
  })

  test('names with quotes, brackets and backslashes stay inside of their labels', async () => {
    project.write({
      'schema/all.ts':
        "import { table } from 'chkit'\nexport default table({ database: 'app', name: 'a\"]b\\\\', engine: 'Memory', columns: { id: 'UInt8' } })\n",
    })
    expect((await project.run(['graph'])).stdout).toBe('flowchart LR\n  n0[("table<br/>app.a#34;#93;b#92;")]\n')
    expect((await project.run(['graph', '--format', 'dot'])).stdout).toContain('"table:app.a\\"]b\\\\"')
  })

  test('shows a circle and warns of it, where other commands refuse the schema', async () => {
    project.write({
      'schema/all.ts': `import { view } from 'chkit'
export const a = view({ database: 'app', name: 'a', as: 'SELECT 1 FROM app.b' })
export const b = view({ database: 'app', name: 'b', as: 'SELECT 1 FROM app.a' })
export const c = view({ database: 'app', name: 'c', as: 'SELECT 1 FROM app.c' })
`,
    })
    const { exitCode, json } = await project.run(['graph', '--json'])
    expect(exitCode).toBe(0)
    expect(json).toMatchObject({
      edges: [
        { from: 'view:app.a', to: 'view:app.b' },
        { from: 'view:app.b', to: 'view:app.a' },
      ],
      cycles: [['view:app.a', 'view:app.b'], ['view:app.c']],
      warnings: ['These objects need each other: view:app.a → view:app.b → view:app.a.', 'view:app.c reads itself.'],
    })
    expect((await project.run(['generate', '--json'])).json).toMatchObject({ code: 'validation_failed' })
  })

  test('an unknown format is named with those there are', async () => {
    const { exitCode, json } = await project.run(['graph', '--format', 'svg', '--json'])
    expect({ exitCode, code: json.code }).toEqual({ exitCode: 2, code: 'invalid_flag_value' })
  })
})
