import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createProject, type Project } from '../support/cli.js'
import { testPrompt } from '../support/prompt.js'

const CONFIG = `export default { schema: './schema/*.ts', clickhouse: { url: 'chdb:./db', database: 'app' } }\n`

function tableOf(name: string, columns: string, more = ''): string {
  return `table({ database: 'app', name: '${name}', engine: 'MergeTree', orderBy: ['id'], columns: [${columns}], ${more} })`
}

function schemaOf(...definitions: string[]): string {
  return `import { table, view, materializedView, schema } from 'chkit'\nexport default schema(${definitions.join(', ')})\n`
}

const ID = `{ name: 'id', type: 'UInt64' }`
const MAIL = `{ name: 'mail', type: 'String' }`

let project: Project

beforeEach(() => {
  project = createProject({ 'clickhouse.config.ts': CONFIG })
})
afterEach(() => project.remove())

const declare = (...definitions: string[]) => project.write({ 'schema/main.ts': schemaOf(...definitions) })
const json = async (...argv: string[]) => (await project.run([...argv, '--json'])).json
const migrations = () => readdirSync(join(project.dir, 'chkit/migrations')).sort()

/** Every file of the project with its content and time, but for the database's own. */
function fingerprint(): Record<string, string> {
  const seen: Record<string, string> = {}
  const visit = (folder: string) => {
    for (const entry of readdirSync(join(project.dir, folder), { withFileTypes: true })) {
      const path = join(folder, entry.name)
      if (path === 'db') continue
      if (entry.isDirectory()) visit(path)
      else seen[path] = `${statSync(join(project.dir, path)).mtimeMs} ${readFileSync(join(project.dir, path), 'utf8')}`
    }
  }
  visit('.')
  return seen
}

describe('a plan', () => {
  test('is shown and nothing is written', async () => {
    declare(tableOf('users', ID))
    const before = fingerprint()
    const { exitCode, stdout, json: document } = await project.run(['generate', '--dryrun', '--json'])
    expect({ exitCode, lines: stdout.trimEnd().split('\n').length }).toEqual({ exitCode: 0, lines: 1 })
    expect(document).toMatchObject({
      command: 'generate',
      schemaVersion: 1,
      ok: true,
      scope: { enabled: false, matchedTables: [], matchCount: 0 },
      mode: 'plan',
      operationCount: 2,
      riskSummary: { safe: 2, caution: 0, danger: 0 },
      operations: [
        { type: 'create_database', key: 'database:app', risk: 'safe' },
        { type: 'create_table', key: 'table:app.users', risk: 'safe' },
      ],
      renameSuggestions: [],
    })
    expect(fingerprint()).toEqual(before)
  })

  test('keeps the order of columns that are added in the middle', async () => {
    declare(tableOf('users', ID))
    await project.run(['generate'])
    declare(tableOf('users', `{ name: 'z', type: 'Int8' }, { name: 'a', type: 'Int8' }, ${ID}, ${MAIL}`))
    const { operations } = (await json('generate', '--dryrun')) as { operations: { sql: string }[] }
    const sql = operations.map((operation) => operation.sql).join('\n')
    expect(sql).toMatch(/`z` Int8 FIRST/)
    expect(sql).toMatch(/`a` Int8 AFTER `z`/)
    expect(sql).toMatch(/`mail` String AFTER `id`|`mail` String(?!\s+(FIRST|AFTER))/)
  })

  test('orders a view after what it reads, and a materialized view after its source and its target', async () => {
    declare(
      `materializedView({ database: 'app', name: 'a_mv', to: { database: 'app', name: 'z_target' }, as: 'SELECT id FROM app.y_source' })`,
      `view({ database: 'app', name: 'b_view', as: 'SELECT id FROM app.c_view' })`,
      `view({ database: 'app', name: 'c_view', as: 'SELECT id FROM app.y_source' })`,
      tableOf('y_source', ID),
      tableOf('z_target', ID),
    )
    const { operations } = (await json('generate', '--dryrun')) as { operations: { key: string }[] }
    const keys = operations.map(({ key }) => key)
    const at = (part: string) => keys.findIndex((key) => key.endsWith(part))
    expect(at('a_mv')).toBeGreaterThan(Math.max(at('y_source'), at('z_target')))
    expect(at('b_view')).toBeGreaterThan(at('c_view'))
    expect(at('c_view')).toBeGreaterThan(at('y_source'))
    await project.run(['generate'])
    expect(await json('migrate', '--apply')).toMatchObject({ ok: true })
    expect(await json('drift')).toMatchObject({ drifted: false })
  })
})

describe('what is written', () => {
  test('the migration, the snapshot that it led to, and the head, the second naming the first as its parent', async () => {
    declare(tableOf('users', ID))
    const first = await json('generate', '--name', 'Add Users!')
    expect(first).toMatchObject({ mode: 'apply', definitionCount: 1, operationCount: 2 })
    const [name = ''] = migrations()
    expect(name).toMatch(/^\d{14}_add_users\.sql$/)
    const id = name.slice(0, 14)
    const head = JSON.parse(readFileSync(join(project.dir, 'chkit/meta/snapshot.json'), 'utf8'))
    expect(head).toMatchObject({ migration: id, parent: null })
    expect(JSON.parse(readFileSync(join(project.dir, `chkit/meta/snapshots/${id}.json`), 'utf8'))).toEqual(head)
    declare(tableOf('users', `${ID}, ${MAIL}`))
    await json('generate')
    const second = JSON.parse(readFileSync(join(project.dir, 'chkit/meta/snapshot.json'), 'utf8'))
    expect(second.parent).toBe(id)
    expect(second.migration > id).toBe(true)
  })

  test('ids grow even when the clock stands still', async () => {
    const now = () => Date.UTC(2026, 0, 1)
    declare(tableOf('a', ID))
    await project.run(['generate'], { now })
    declare(tableOf('a', ID), tableOf('b', ID))
    await project.run(['generate'], { now })
    const [first = '', second = ''] = migrations().map((name) => name.slice(0, 14))
    expect(first).toBe('20260101000000')
    expect(second > first).toBe(true)
  })

  test('nothing, when there is nothing to do', async () => {
    declare(tableOf('users', ID))
    await project.run(['generate'])
    const before = fingerprint()
    for (const argv of [['generate', '--json'], ['generate'], ['generate', '--dryrun']]) {
      expect((await project.run(argv)).exitCode).toBe(0)
    }
    expect(await json('generate')).toMatchObject({ migrationFile: null, operationCount: 0 })
    expect(fingerprint()).toEqual(before)
  })

  test('nothing, when the same schema is only spelled differently', async () => {
    declare(
      tableOf(
        'users',
        `{ name: 'id', type: 'BIGINT UNSIGNED' }, { name: 'at', type: 'DateTime', defaultExpression: 'NOW()' }`,
      ),
    )
    await project.run(['generate'])
    declare(
      tableOf(
        'users',
        `{ name: 'id', type: 'UInt64' }, { name: 'at', type: 'TIMESTAMP', default: 'fn:now()' }`,
        `partitionBy: []`,
      ),
    )
    expect(await json('generate')).toMatchObject({ migrationFile: null, operationCount: 0 })
  })

  test('a snapshot that was edited by hand is not taken for what is declared', async () => {
    declare(tableOf('users', `${ID}, ${MAIL}`))
    await project.run(['generate'])
    const head = join(project.dir, 'chkit/meta/snapshot.json')
    const edited = JSON.parse(readFileSync(head, 'utf8'))
    edited.definitions[0].columns.pop()
    writeFileSync(head, JSON.stringify(edited))
    expect(await json('generate', '--dryrun')).toMatchObject({
      operationCount: 1,
      operations: [{ type: 'alter_table_add_column' }],
    })
  })

  test('an empty migration is a skeleton to fill in, and changes no state', async () => {
    declare(tableOf('users', ID))
    await project.run(['generate'])
    expect(await json('generate', '--empty', '--name', 'by hand')).toMatchObject({ operationCount: 0 })
    expect(migrations()).toHaveLength(2)
    expect(await json('generate')).toMatchObject({ migrationFile: null })
    expect(await project.run(['migrate', '--apply', '--json'])).toMatchObject({ exitCode: 1 })
  })
})

describe('the history', () => {
  test('a migration deleted before it was applied is planned again', async () => {
    declare(tableOf('users', ID))
    await project.run(['generate', '--name', 'one'])
    await project.run(['migrate', '--apply'])
    declare(tableOf('users', `${ID}, ${MAIL}`))
    await project.run(['generate', '--name', 'two'])
    const [, second = ''] = migrations()
    rmSync(join(project.dir, 'chkit/migrations', second))
    const { json: document, stderr } = await project.run(['generate', '--name', 'again', '--json'])
    expect(document).toMatchObject({ operationCount: 1 })
    expect(stderr).toMatch(/deleted before it was applied/)
    expect(await json('migrate', '--apply')).toMatchObject({ ok: true })
    expect(await json('check')).toMatchObject({ ok: true })
  })

  test('two branches that both generated are named, and the way out works', async () => {
    declare(tableOf('users', ID))
    await project.run(['generate', '--name', 'base'])
    const meta = join(project.dir, 'chkit/meta')
    const base = readFileSync(join(meta, 'snapshot.json'), 'utf8')
    declare(tableOf('users', `${ID}, ${MAIL}`))
    await project.run(['generate', '--name', 'ours'])
    writeFileSync(join(meta, 'snapshot.json'), base)
    const ours = migrations()[1] ?? ''
    const hidden = join(project.dir, 'elsewhere')
    mkdirSync(hidden)
    const id = ours.slice(0, 14)
    const files = [`chkit/migrations/${ours}`, `chkit/meta/snapshots/${id}.json`].map(
      (path) => [path, readFileSync(join(project.dir, path), 'utf8')] as const,
    )
    for (const [path] of files) rmSync(join(project.dir, path))
    declare(tableOf('users', ID), tableOf('orders', ID))
    await project.run(['generate', '--name', 'theirs'], { now: () => Date.now() + 60_000 })
    for (const [path, text] of files) writeFileSync(join(project.dir, path), text)
    declare(tableOf('users', `${ID}, ${MAIL}`), tableOf('orders', ID))

    const refused = await project.run(['generate', '--json'])
    expect(refused.exitCode).toBe(1)
    expect(refused.json).toMatchObject({ code: 'snapshot_branches' })
    expect(String(refused.json.error)).toContain('_ours.sql')
    expect(String(refused.json.error)).toContain('_theirs.sql')
    const theirs = migrations().find((name) => name.includes('theirs')) ?? ''
    expect(String(refused.json.hint)).toContain(theirs)
    rmSync(join(project.dir, 'chkit/migrations', theirs))
    rmSync(join(meta, 'snapshots', `${theirs.slice(0, 14)}.json`))
    expect(await json('generate', '--name', 'merged')).toMatchObject({ ok: true })
    expect(await json('migrate', '--apply')).toMatchObject({ ok: true })
    expect(await json('drift')).toMatchObject({ drifted: false })
  })

  test('a run killed between its writes is mended by the next one', async () => {
    declare(tableOf('users', ID))
    await project.run(['generate', '--name', 'one'])
    const head = join(project.dir, 'chkit/meta/snapshot.json')
    const old = readFileSync(head, 'utf8')
    declare(tableOf('users', `${ID}, ${MAIL}`))
    await project.run(['generate', '--name', 'two'])
    const right = readFileSync(head, 'utf8')
    writeFileSync(head, old)
    expect(await json('generate')).toMatchObject({ migrationFile: null })
    expect(readFileSync(head, 'utf8')).toBe(right)
  })
})

describe('renames', () => {
  const CASES = [
    {
      name: 'renamedFrom of a column',
      columns: `${ID}, { name: 'email', type: 'String', renamedFrom: 'mail' }`,
      argv: [],
    },
    {
      name: '--rename-column',
      columns: `${ID}, { name: 'email', type: 'String' }`,
      argv: ['--rename-column', 'app.users.mail=email'],
    },
  ]
  test.each(CASES)('$name keeps the data', async ({ columns, argv }) => {
    declare(tableOf('users', `${ID}, ${MAIL}`))
    await project.run(['generate'])
    await project.run(['migrate', '--apply'])
    declare(tableOf('users', columns))
    const plan = (await json('generate', '--dryrun', ...argv)) as { operations: { type: string; sql: string }[] }
    expect(plan.operations.map(({ type }) => type)).toEqual(['alter_table_rename_column'])
    await project.run(['generate', ...argv])
    expect(await json('migrate', '--apply')).toMatchObject({ ok: true })
    expect(await json('drift')).toMatchObject({ drifted: false })
    expect(await json('generate')).toMatchObject({ migrationFile: null })
  })

  test('a likely rename is suggested, and on a terminal asked', async () => {
    declare(tableOf('users', `${ID}, ${MAIL}`))
    await project.run(['generate'])
    declare(tableOf('users', `${ID}, { name: 'email', type: 'String' }`))
    const plan = await json('generate', '--dryrun')
    expect(plan.renameSuggestions).toMatchObject([
      { kind: 'column', database: 'app', table: 'users', from: 'mail', to: 'email' },
    ])
    const { prompt, questions } = testPrompt({ confirm: true })
    await project.run(['generate'], { tty: true, prompt })
    expect(questions).toHaveLength(1)
    expect(readFileSync(join(project.dir, 'chkit/migrations', migrations()[1] ?? ''), 'utf8')).toContain(
      'RENAME COLUMN',
    )
  })

  test.each([
    { name: 'a plain name', to: 'people', flag: '--rename-table app.users=app.people' },
    { name: 'a name with a dot and a space', to: 'all. people', flag: "--rename-table 'app.users=app.all. people'" },
  ])('a likely rename of a table to $name: the flag that is shown works, and a yes keeps the rows', async (row) => {
    declare(tableOf('users', `${ID}, ${MAIL}`))
    await project.run(['generate'])
    declare(tableOf(row.to, `${ID}, ${MAIL}`))
    const shown = await project.run(['generate', '--dryrun'])
    expect(shown.stdout).toContain(row.flag)
    const flag = ['--rename-table', `app.users=app.${row.to}`]
    const planned = (await json('generate', '--dryrun', ...flag)) as { operations: { type: string }[] }
    expect(planned.operations.map(({ type }) => type)).toEqual(['rename_table'])
    const { prompt, questions } = testPrompt({ confirm: true })
    await project.run(['generate'], { tty: true, prompt })
    expect(questions).toEqual([
      expect.stringMatching(new RegExp(`^Is table app.${row.to} the former app.users, renamed\\?`)),
    ])
    const written = readFileSync(join(project.dir, 'chkit/migrations', migrations()[1] ?? ''), 'utf8')
    expect(written).toContain('RENAME TABLE')
    expect(written).not.toContain('DROP TABLE')
  })

  const CONFLICTS = [
    {
      argv: ['--rename-table', 'app.users=app.a,app.users=app.b'],
      sentence: 'Conflicting table rename source mapping for',
    },
    {
      argv: ['--rename-table', 'app.users=app.a,app.orders=app.a'],
      sentence: 'Conflicting table rename target mapping for',
    },
    {
      argv: ['--rename-table', 'app.users=app.a,app.a=app.b'],
      sentence: 'Unsupported chained or cyclic table rename mapping involving',
    },
    { argv: ['--rename-table', 'nonsense'], sentence: '--rename-table mapping' },
    {
      argv: ['--rename-column', 'app.users.mail=a,app.users.mail=b'],
      sentence: 'Conflicting column rename source mapping for',
    },
    {
      argv: ['--rename-column', 'app.users.mail=a,app.users.id=a'],
      sentence: 'Conflicting column rename target mapping for',
    },
  ]
  test.each(CONFLICTS)('$argv is a conflict', async ({ argv, sentence }) => {
    declare(tableOf('users', `${ID}, ${MAIL}`), tableOf('orders', ID))
    await project.run(['generate'])
    const { exitCode, json: document } = await project.run(['generate', '--json', ...argv])
    expect(exitCode).toBe(2)
    expect(String(document.error)).toContain(sentence)
  })
})

describe('what is refused', () => {
  test('everything that is wrong with a schema, at once, with the file', async () => {
    declare(tableOf('users', `${ID}, ${ID}`), tableOf('users', ID), tableOf('t', ID, `partitionBy: 'toYYYYMM(gone)'`))
    const { exitCode, json: document } = await project.run(['generate', '--json'])
    expect(exitCode).toBe(1)
    expect(document).toMatchObject({ ok: false, error: 'validation_failed', code: 'validation_failed' })
    const issues = document.issues as { code: string; file?: string }[]
    expect(issues.map(({ code }) => code)).toEqual(
      expect.arrayContaining(['duplicate_column_name', 'duplicate_object_name', 'partition_by_missing_column']),
    )
    expect(issues.every(({ file }) => file === 'schema/main.ts')).toBe(true)
    expect(existsSync(join(project.dir, 'chkit'))).toBe(false)
  })

  test('a rebuild, unless its loss is asked for by name', async () => {
    declare(tableOf('users', `${ID}, ${MAIL}`))
    await project.run(['generate'])
    declare(tableOf('users', `${ID}, ${MAIL}`, `partitionBy: 'id % 10'`))
    const refused = await project.run(['generate', '--json'])
    expect(refused.exitCode).toBe(1)
    expect(refused.json).toMatchObject({ code: 'rebuild_required' })
    expect(String(refused.json.hint)).toContain('--allow-recreate')
    expect(migrations()).toHaveLength(1)
    expect(await json('generate', '--dryrun', '--allow-recreate')).toMatchObject({ riskSummary: { danger: 1 } })
  })

  const SELECTORS = ['*', 'app.', '.users', '*.users', 'a*b', 'app.*x']
  test.each(SELECTORS)('the selector %s', async (selector) => {
    declare(tableOf('users', ID))
    const { exitCode, json: document } = await project.run(['generate', '--json', '--table', selector])
    expect({ exitCode, code: document.code }).toEqual({ exitCode: 2, code: 'invalid_table_selector' })
  })
})

describe('scope', () => {
  test('only what is selected is planned, the rest stays for later', async () => {
    declare(tableOf('users', ID), tableOf('orders', ID), tableOf('user_tags', ID))
    expect(await json('generate', '--table', 'app.user*')).toMatchObject({
      scope: { enabled: true, selector: 'app.user*', matchedTables: ['app.user_tags', 'app.users'], matchCount: 2 },
      definitionCount: 2,
    })
    expect(await json('generate', '--dryrun')).toMatchObject({ operations: [{ key: 'table:app.orders' }] })
  })

  test('a selector that matches nothing is a warning', async () => {
    declare(tableOf('users', ID))
    const { exitCode, json: document } = await project.run(['generate', '--dryrun', '--json', '--table', 'nothing'])
    expect(exitCode).toBe(0)
    expect(document).toMatchObject({ operationCount: 0, warning: 'No tables matched selector "nothing".' })
  })

  test('a plan that leaves out what it needs says so', async () => {
    declare(tableOf('users', ID), `view({ database: 'app', name: 'v', as: 'SELECT id FROM app.users' })`)
    const { stderr } = await project.run(['generate', '--dryrun', '--json', '--table', 'v'])
    expect(stderr).toContain('view:app.v needs table:app.users')
  })
})
