import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createProject, type Project } from '../support/cli.js'

const NAMES = [
  "it's",
  'back`tick',
  'double"quote',
  'do.t',
  'sp ace',
  ' lead and trail ',
  'new\nline',
  'cr\r\nlf',
  'tab\t',
  'back\\slash',
  'emo🎉ji',
  'コラム',
  '`',
  "'",
  '\\',
  'a--b',
  'a/*b',
  'semi;colon',
  '$$',
  '{curly:UInt8}',
  'per%cent',
  '9lives',
  'a-b',
  'x(y)',
  'a b desc',
  'select',
  'FROM',
  'table',
  'index',
  'null',
  'order',
  'case',
  'interval',
  'default',
  'x'.repeat(150),
]

/** The name as an expression may write it. */
const quoted = (name: string) =>
  `\`${name.replace(/[\\`]/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t')}\``

/** One table for each name, which stands wherever a name or a text may stand; `suffix` renames table and column. */
function schemaOf(suffix: string): string {
  const tables = NAMES.map((name, index) => {
    const column = `${name}${suffix}`
    const former = suffix === '' ? {} : { renamedFrom: name }
    const database = ['my "odd` db', 'data.base', 'new\nline🎉'][index % 3]
    return {
      database,
      name: column,
      ...(suffix === '' ? {} : { renamedFrom: { database, name } }),
      engine: 'MergeTree',
      columns: [
        { name: 'key', type: 'UInt64' },
        { name: column, ...former, type: 'String', default: name, comment: name },
        { name: `m${name}`, type: 'UInt64', materialized: `length(${quoted(column)})` },
      ],
      orderBy: ['key'],
      comment: name,
      indexes: [{ name: `i${name}`, expression: quoted(column), type: 'minmax', granularity: 1 }],
      constraints: [{ name: `c${name}`, check: `${quoted(column)} != 'never'` }],
      projections: [{ name: `p${name}`, query: `SELECT ${quoted(column)}, count() GROUP BY ${quoted(column)}` }],
    }
  })
  return `import { table } from 'chkit'\nexport default ${JSON.stringify(tables)}.map(table)\n`
}

let project: Project
beforeEach(() => {
  project = createProject({
    'clickhouse.config.ts':
      "export default { schema: './schema.ts', clickhouse: { url: 'chdb:./db', database: 'my \"odd` db' } }",
  })
})
afterEach(() => project.remove())

async function json(...argv: string[]) {
  const { exitCode, json: document } = await project.run([...argv, '--json'])
  return { exitCode, ...document } as Record<string, unknown> & { exitCode: number }
}

/** Generates, applies, and expects that nothing is left to do and nothing drifted. */
async function live(schema: string): Promise<void> {
  project.write({ 'schema.ts': schema })
  expect(await json('generate')).toMatchObject({ exitCode: 0, ok: true })
  expect(await json('migrate', '--apply', '--allow-destructive')).toMatchObject({ exitCode: 0, ok: true })
  expect(await json('drift')).toMatchObject({ exitCode: 0, drifted: false })
  expect(await json('generate')).toMatchObject({ operationCount: 0, migrationFile: null })
}

describe('names of all kinds', () => {
  test('live through schema, SQL, server, drift, rename and drop', { timeout: 120_000 }, async () => {
    await live(schemaOf(''))
    await live(schemaOf(' 2'))
    await live(
      "import { table } from 'chkit'\nexport const last = table({ database: 'data.base', name: 'last', engine: 'Memory', columns: { id: 'UInt8' } })\n",
    )
  })

  test('of columns stand in keys as they are', { timeout: 60_000 }, async () => {
    const tables = NAMES.filter((name) => name !== 'null').map((name, index) => ({
      database: 'app',
      name: `t${index}`,
      engine: 'MergeTree',
      columns: [
        { name, type: 'String' },
        { name: 'key', type: 'UInt64' },
      ],
      orderBy: [name, 'key'],
      primaryKey: [name],
      partitionBy: index % 2 === 0 ? name : 'key',
    }))
    await live(`import { table } from 'chkit'\nexport default ${JSON.stringify(tables)}.map(table)\n`)
  })
})
