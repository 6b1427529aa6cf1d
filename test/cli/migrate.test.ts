import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { documentSchema } from '../../src/cli/payloads.js'
import { connect } from '../../src/clickhouse/connect.js'
import type { Prompt } from '../../src/plugin-host/command.js'
import { createProject, type Project } from '../support/cli.js'

const CONFIG = `export default {
  schema: './schema.ts',
  outDir: './chkit',
  migrationsDir: './migrations',
  metaDir: './meta',
  clickhouse: { url: 'chdb:./db', database: 'app' },
}
`

const CREATE = `-- operation: create_table key=table:app.events risk=safe
CREATE TABLE app.events (id UInt64, note String) ENGINE = MergeTree ORDER BY id;
`

let project: Project
beforeEach(() => {
  project = createProject({ 'clickhouse.config.ts': CONFIG })
})
afterEach(() => project.remove())

async function rows<Row>(sql: string): Promise<Row[]> {
  const executor = await connect({ url: 'chdb:./db' }, { root: project.dir })
  try {
    return await executor.query<Row>(sql)
  } finally {
    await executor.close()
  }
}

const tables = async () =>
  (await rows<{ name: string }>("SELECT name FROM system.tables WHERE database = 'app' ORDER BY name")).map(
    ({ name }) => name,
  )

const JOURNAL_TABLES = ['_chkit_migrations', '_chkit_migrations_statements']

async function json(...argv: string[]) {
  const result = await project.run([...argv, '--json'])
  documentSchema(argv[0] === 'status' ? 'status' : 'migrate').parse(result.json)
  return { ...result.json, exitCode: result.exitCode } as Record<string, unknown> & { exitCode: number }
}

function person(answers: { confirm?: boolean; typed?: string }): { prompt: Prompt; questions: string[] } {
  const questions: string[] = []
  return {
    questions,
    prompt: {
      interactive: true,
      confirm: async (question) => {
        questions.push(question)
        return answers.confirm ?? false
      },
      typed: async (question, expected) => {
        questions.push(question)
        return answers.typed === expected
      },
      select: () => Promise.reject(new Error('nothing to select')),
    },
  }
}

describe('planning and applying', () => {
  test('nothing pending', async () => {
    expect(await json('migrate')).toMatchObject({ exitCode: 0, ok: true, mode: 'plan', pending: [] })
    expect(await json('migrate', '--apply')).toMatchObject({ exitCode: 0, mode: 'execute', applied: [] })
    expect(await tables()).toEqual([])
  })

  test('without --apply it lists, and creates nothing', async () => {
    project.write({ 'migrations/1_a.sql': CREATE })
    expect(await json('migrate')).toMatchObject({
      mode: 'plan',
      scope: { enabled: false },
      pending: ['1_a.sql'],
      operations: [{ migration: '1_a.sql', statement: 1, risk: 'safe' }],
    })
    expect(await rows("SELECT 1 FROM system.databases WHERE name = 'app'")).toEqual([])
  })

  test('applies in order, creates the database, and writes the journal', async () => {
    project.write({
      'migrations/2_b.sql':
        "INSERT INTO app.events VALUES (1, 'a;b'), (2, '--c');\nALTER TABLE app.events ADD COLUMN at DateTime;",
      'migrations/1_a.sql': CREATE,
    })
    const result = await json('migrate', '--apply')
    expect(result).toMatchObject({
      exitCode: 0,
      mode: 'execute',
      applied: [
        { name: '1_a.sql', statements: 1 },
        { name: '2_b.sql', statements: 2 },
      ],
      journal: { store: 'table', location: 'app._chkit_migrations' },
    })
    expect(await tables()).toEqual([...JOURNAL_TABLES, 'events'])
    expect(await rows('SELECT id, note FROM app.events ORDER BY id')).toEqual([
      { id: 1, note: 'a;b' },
      { id: 2, note: '--c' },
    ])
    expect(await rows('SELECT name, length(checksum) AS length FROM app._chkit_migrations ORDER BY name')).toEqual([
      { name: '1_a.sql', length: 64 },
      { name: '2_b.sql', length: 64 },
    ])
    expect(await json('migrate', '--apply')).toMatchObject({ applied: [] })
    expect(await json('status')).toMatchObject({ total: 2, applied: 2, pending: 0, halfDone: [] })
  })

  test('the text says what ran', async () => {
    project.write({ 'migrations/1_a.sql': CREATE })
    const plan = await project.run(['migrate'])
    expect(plan.stdout).toContain('1 pending migration')
    expect(plan.stdout).toContain('1_a.sql')
    const run = await project.run(['migrate', '--apply'])
    expect(run.stdout).toMatch(/✓ 1_a\.sql {2}1 statement, \d+ ms/)
    expect((await project.run(['status'])).stdout).toContain('Everything is applied.')
  })

  test('--to stops after a migration', async () => {
    project.write({ 'migrations/1_a.sql': CREATE, 'migrations/2_b.sql': 'DETACH TABLE nothing;' })
    expect(await json('migrate', '--apply', '--to', '1')).toMatchObject({ applied: [{ name: '1_a.sql' }] })
    expect(await json('status')).toMatchObject({ pendingMigrations: ['2_b.sql'] })
  })

  test('a person is asked, and may say no', async () => {
    project.write({ 'migrations/1_a.sql': CREATE })
    const no = person({ confirm: false })
    expect((await project.run(['migrate'], { tty: true, prompt: no.prompt })).exitCode).toBe(0)
    expect(no.questions).toEqual(['Apply pending migrations now?'])
    expect(await tables()).toEqual([])
    const yes = person({ confirm: true })
    expect((await project.run(['migrate'], { tty: true, prompt: yes.prompt })).exitCode).toBe(0)
    expect(await tables()).toContain('events')
  })

  test('SET goes with the statements after it', async () => {
    project.write({
      'migrations/1_a.sql':
        'SET allow_suspicious_low_cardinality_types = 1;\nCREATE TABLE app.t (x LowCardinality(UInt8)) ENGINE = MergeTree ORDER BY tuple();',
    })
    expect(await json('migrate', '--apply')).toMatchObject({ exitCode: 0 })
  })
})

test('names without a database mean the configured one, also in the run that creates it', async () => {
  project.write({
    'migrations/1_a.sql': 'CREATE TABLE plain (x UInt8) ENGINE = MergeTree ORDER BY x;\nINSERT INTO plain VALUES (1);',
  })
  expect(await json('migrate', '--apply')).toMatchObject({ exitCode: 0 })
  expect(await rows('SELECT x FROM app.plain')).toEqual([{ x: 1 }])
})

describe('history', () => {
  test('a checksum that differs stops everything; line ends do not count', async () => {
    project.write({ 'migrations/1_a.sql': CREATE })
    await json('migrate', '--apply')
    project.write({ 'migrations/1_a.sql': CREATE.replaceAll('\n', '\r\n') })
    expect(await json('migrate')).toMatchObject({ exitCode: 0, pending: [] })
    project.write({ 'migrations/1_a.sql': `${CREATE}-- edited\n`, 'migrations/2_b.sql': CREATE })
    const result = await json('migrate', '--apply')
    expect(result).toMatchObject({
      exitCode: 1,
      ok: false,
      error: 'Checksum mismatch detected on applied migrations',
      code: 'checksum_mismatch',
      checksumMismatches: [{ name: '1_a.sql' }],
    })
    expect(await json('status')).toMatchObject({
      exitCode: 0,
      checksumMismatchCount: 1,
      checksumMismatches: [{ name: '1_a.sql' }],
    })
  })

  test('an applied file that is gone is reported by status and stops nothing', async () => {
    project.write({ 'migrations/1_a.sql': CREATE })
    await json('migrate', '--apply')
    rmSync(join(project.dir, 'migrations/1_a.sql'))
    expect(await json('status')).toMatchObject({ total: 0, applied: 1, missingMigrations: ['1_a.sql'] })
    expect(await json('migrate')).toMatchObject({ exitCode: 0, pending: [] })
  })

  test('a file that sorts before an applied one is refused by name', async () => {
    project.write({ 'migrations/2_b.sql': CREATE })
    await json('migrate', '--apply')
    project.write({ 'migrations/1_a.sql': 'CREATE TABLE app.early (x UInt8) ENGINE = Memory;' })
    const refused = await json('migrate', '--apply')
    expect(refused).toMatchObject({ exitCode: 1, code: 'out_of_order_migration' })
    expect(refused.error).toContain('1_a.sql')
    expect(await json('migrate', '--apply', '--allow-out-of-order')).toMatchObject({ applied: [{ name: '1_a.sql' }] })
  })

  test('with --table only files that are wholly in scope are taken', async () => {
    project.write({
      'migrations/1_a.sql': CREATE,
      'migrations/2_b.sql': 'CREATE TABLE app.other (x UInt8) ENGINE = Memory;',
      'migrations/3_c.sql': 'ALTER TABLE app.events ADD COLUMN a UInt8; ALTER TABLE app.other ADD COLUMN a UInt8;',
    })
    const result = await json('migrate', '--apply', '--table', 'app.ev*')
    expect(result).toMatchObject({
      applied: [{ name: '1_a.sql' }],
      leftOut: ['2_b.sql', '3_c.sql'],
      scope: { enabled: true, selector: 'app.ev*', matchedTables: ['app.events'], matchCount: 1 },
    })
    expect(await json('status')).toMatchObject({ pendingMigrations: ['2_b.sql', '3_c.sql'] })
  })
})

test('a scope that matches nothing is a warning and an empty result', async () => {
  project.write({ 'migrations/1_a.sql': CREATE })
  expect(await json('migrate', '--apply', '--table', 'nothing*')).toMatchObject({
    exitCode: 0,
    applied: [],
    scope: { enabled: true, matchCount: 0 },
    warnings: ['No tables matched selector "nothing*".', 'Left out, because they touch more than the scope: 1_a.sql.'],
  })
  expect(await json('migrate', '--table', '*')).toMatchObject({ exitCode: 2, code: 'invalid_table_selector' })
})

describe('plugins', () => {
  const withPlugin = (hooks: string) =>
    project.write({
      'clickhouse.config.ts': CONFIG.replace(
        'schema:',
        `plugins: [{ plugin: { manifest: { name: 'demo', apiVersion: 1 }, hooks: { ${hooks} } } }],\n  schema:`,
      ),
    })

  test('may change the statements, and are told what ran', async () => {
    withPlugin(`
      onBeforeApply: ({ statements }) => [...statements, "INSERT INTO app.events VALUES (9, 'plugin')"],
      onAfterApply: ({ migration, statements, print }) => print(migration + ' ' + statements.length),`)
    project.write({ 'migrations/1_a.sql': CREATE })
    expect(await json('migrate', '--apply')).toMatchObject({ exitCode: 0, applied: [{ statements: 2 }] })
    expect(await rows('SELECT id FROM app.events')).toEqual([{ id: 9 }])
    expect(await json('status')).toMatchObject({ checksumMismatchCount: 0, pending: 0 })
  })

  test('cannot bring in danger that nobody has allowed', async () => {
    withPlugin(`onBeforeApply: ({ statements }) => [...statements, 'DROP TABLE app.events'],`)
    project.write({ 'migrations/1_a.sql': CREATE })
    expect(await json('migrate', '--apply')).toMatchObject({ exitCode: 3, destructiveMigrations: ['1_a.sql'] })
    expect(await tables()).not.toContain('events')
  })

  test('that fail before a migration stop it, by their name', async () => {
    withPlugin(`onBeforeApply: () => { throw new Error('not today') },`)
    project.write({ 'migrations/1_a.sql': CREATE })
    const failed = await json('migrate', '--apply')
    expect(failed).toMatchObject({ exitCode: 1, code: 'plugin_failed' })
    expect(failed.error).toContain('Plugin "demo" failed in onBeforeApply: not today')
    expect(await tables()).not.toContain('events')
  })
})

describe('danger', () => {
  const seed = async () => {
    project.write({ 'migrations/1_a.sql': `${CREATE}INSERT INTO app.events VALUES (1, 'x'), (2, 'y');` })
    await json('migrate', '--apply')
  }

  test('a hand-written DROP without any marker is stopped, with what it would cost', async () => {
    await seed()
    project.write({ 'migrations/2_b.sql': 'DROP TABLE app.events;' })
    const result = await json('migrate', '--apply')
    expect(result).toMatchObject({
      exitCode: 3,
      ok: false,
      code: 'destructive_blocked',
      destructiveMigrations: ['2_b.sql'],
      destructiveOperations: [
        { migration: '2_b.sql', risk: 'danger', warningCode: 'drop_table_data_loss', rows: 2, statement: 1, line: 1 },
      ],
    })
    const [operation] = result.destructiveOperations as Record<string, string>[]
    expect(operation?.impact).toMatch(/^app\.events holds 2 rows \(.+\) now\.$/)
    for (const field of ['type', 'key', 'reason', 'recommendation', 'summary']) expect(operation?.[field]).toBeTruthy()
    expect(await tables()).toContain('events')
    expect(await json('status')).toMatchObject({ pending: 1, halfDone: [] })
    expect(await json('migrate', '--apply', '--allow-destructive')).toMatchObject({ exitCode: 0 })
    expect(await tables()).not.toContain('events')
  })

  const CONVERSIONS = [
    { name: 'a number that wraps around', sql: 'MODIFY COLUMN id UInt64, MODIFY COLUMN n Int16', lossy: ['n'] },
    { name: 'a time that loses its fraction, as its own statement', sql: 'MODIFY COLUMN at DateTime', lossy: ['at'] },
    {
      name: 'a column that the same statement renames',
      sql: 'RENAME COLUMN n TO m; MODIFY COLUMN m UInt8',
      lossy: ['m'],
    },
    { name: 'a wider number', sql: 'MODIFY COLUMN n Int64', lossy: [] },
    { name: 'a default without a type', sql: 'MODIFY COLUMN n DEFAULT 3', lossy: [] },
    { name: 'a table that is not there yet', sql: 'ADD COLUMN new UInt64; MODIFY COLUMN new UInt8', lossy: [] },
  ]
  test.each(CONVERSIONS)('a conversion is judged by the type that is there: $name', async ({ sql, lossy }) => {
    project.write({
      'migrations/1_a.sql':
        'CREATE TABLE app.t (id UInt64, n Int32, at DateTime64(3)) ENGINE = MergeTree ORDER BY id;\nINSERT INTO app.t VALUES (1, 70000, now64(3));',
    })
    await json('migrate', '--apply')
    const statements = sql.split('; ').map((commands) => `ALTER TABLE app.t ${commands};`)
    project.write({ 'migrations/2_b.sql': `-- operation: x key=y risk=safe\n${statements.join('\n')}` })
    const result = await json('migrate', '--apply')
    const operations = (result.destructiveOperations ?? []) as Record<string, unknown>[]
    expect(operations.map(({ warningCode, key, rows }) => ({ warningCode, key, rows }))).toEqual(
      lossy.map((column) => ({ warningCode: 'modify_column_data_loss', key: `table:app.t:column:${column}`, rows: 1 })),
    )
    expect(result.exitCode).toBe(lossy.length > 0 ? 3 : 0)
    expect(await json('migrate', '--apply', '--allow-destructive')).toMatchObject({ exitCode: 0 })
  })

  const RENAMED: readonly { name: string; sql: string; expected: readonly Record<string, unknown>[] }[] = [
    {
      name: 'a conversion after a rename in a file before it',
      sql: 'RENAME TABLE app.t TO app.u; -- next\nALTER TABLE app.u MODIFY COLUMN n Int16;',
      expected: [
        { key: 'table:app.u:column:n', rows: 1, impact: /^app\.u is app\.t now, which holds 1 row \(.+\)\.$/ },
      ],
    },
    {
      name: 'a drop after an exchange',
      sql: 'CREATE TABLE app.n (id UInt64) ENGINE = MergeTree ORDER BY id; EXCHANGE TABLES app.n AND app.t; -- next\nDROP TABLE app.n;',
      expected: [{ key: 'table:app.n', rows: 1, impact: /^app\.n is app\.t now, which holds 1 row/ }],
    },
    {
      name: 'what the migrations make themselves',
      sql: 'DROP TABLE app.t; CREATE TABLE app.t (n Int64) ENGINE = MergeTree ORDER BY n; -- next\nDROP TABLE app.t;',
      expected: [
        { key: 'table:app.t', rows: 1, impact: /^app\.t holds 1 row \(.+\) now\.$/ },
        { key: 'table:app.t', rows: 0, impact: /^app\.t is what these migrations make of it/ },
      ],
    },
  ]
  test.each(RENAMED)('names are followed through what is pending: $name', async ({ sql, expected }) => {
    project.write({
      'migrations/1_a.sql':
        'CREATE TABLE app.t (id UInt64, n Int32) ENGINE = MergeTree ORDER BY id;\nINSERT INTO app.t VALUES (1, 70000);',
    })
    await json('migrate', '--apply')
    for (const [index, text] of sql.split('-- next').entries())
      project.write({ [`migrations/${index + 2}_b.sql`]: text })
    const result = await json('migrate', '--apply')
    expect(result.destructiveOperations).toMatchObject(
      expected.map(({ impact, ...facts }) => ({ ...facts, impact: expect.stringMatching(impact as RegExp) })),
    )
    expect(await json('migrate', '--apply', '--allow-destructive')).toMatchObject({ exitCode: 0 })
  })

  test('comments that say safe do not help, and a DROP in a comment or a string does not hurt', async () => {
    await seed()
    project.write({
      'migrations/2_b.sql':
        '-- operation: create_table key=table:app.x risk=safe\n/* nothing; */ DrOp /* ; */ TABLE `app`.events -- bye\n;',
    })
    expect(await json('migrate', '--apply')).toMatchObject({ exitCode: 3 })
    project.write({
      'migrations/2_b.sql':
        "-- DROP TABLE app.events;\n/* DROP TABLE app.events; /* nested; */ DROP TABLE app.events; */\nINSERT INTO app.events VALUES (3, 'DROP TABLE app.events; -- x'), (4, $$DROP TABLE app.events;$$);",
    })
    expect(await json('migrate', '--apply')).toMatchObject({ exitCode: 0, applied: [{ statements: 1 }] })
    expect(await rows('SELECT count() AS n FROM app.events')).toEqual([{ n: 4 }])
  })

  test('all pending files are judged before any of them runs', async () => {
    project.write({ 'migrations/1_a.sql': CREATE, 'migrations/2_b.sql': 'DROP TABLE app.events;' })
    expect(await json('migrate', '--apply')).toMatchObject({ exitCode: 3 })
    expect(await tables()).toEqual([])
  })

  test('only a typed yes passes', async () => {
    await seed()
    project.write({ 'migrations/2_b.sql': 'DROP TABLE app.events;' })
    const hasty = person({ typed: 'y' })
    const refused = await project.run(['migrate', '--apply'], { tty: true, prompt: hasty.prompt })
    expect(refused.exitCode).toBe(3)
    expect(refused.stderr).toContain('app.events holds 2 rows')
    const sure = person({ typed: 'yes' })
    expect((await project.run(['migrate', '--apply'], { tty: true, prompt: sure.prompt })).exitCode).toBe(0)
  })

  test('the config may allow it', async () => {
    project.write({
      'clickhouse.config.ts': CONFIG.replace('schema:', 'safety: { allowDestructive: true },\n  schema:'),
    })
    await seed()
    project.write({ 'migrations/2_b.sql': 'DROP TABLE app.events;' })
    expect(await json('migrate', '--apply')).toMatchObject({ exitCode: 0 })
  })
})

describe('a failure in the middle', () => {
  const BROKEN = `${CREATE}
INSERT INTO app.events VALUES (1, 'once');
ALTER TABLE app.events ADD COLUMN broken NoSuchType;
CREATE VIEW app.after AS SELECT id FROM app.events;
`

  test('says where, why, what was applied before and what comes next; the next run goes on there', async () => {
    project.write({
      'migrations/0_first.sql': 'CREATE TABLE app.first (x UInt8) ENGINE = Memory;',
      'migrations/1_a.sql': BROKEN,
    })
    const failed = await json('migrate', '--apply')
    expect(failed).toMatchObject({
      exitCode: 1,
      code: 'migration_failed',
      mode: 'execute',
      applied: [{ name: '0_first.sql' }],
      details: {
        migration: '1_a.sql',
        statement: 3,
        statementCount: 4,
        line: 5,
        text: 'ALTER TABLE app.events ADD COLUMN broken NoSuchType',
        clickhouseCode: 50,
        clickhouseName: 'UNKNOWN_TYPE',
        appliedStatements: 2,
      },
    })
    expect(failed.hint).toContain('goes on with statement 3')
    expect(await json('status')).toMatchObject({
      pendingMigrations: ['1_a.sql'],
      halfDone: [
        {
          name: '1_a.sql',
          statement: 3,
          text: 'ALTER TABLE app.events ADD COLUMN broken NoSuchType',
          doneStatements: 2,
          outcome: 'failed',
        },
      ],
    })
    const { stdout } = await project.run(['status'])
    expect(stdout).toContain('half-done 1_a.sql: statement 3 was refused by the server')
    expect(stdout).toContain('\n            ALTER TABLE app.events ADD COLUMN broken NoSuchType\n')

    project.write({ 'migrations/1_a.sql': BROKEN.replace('NoSuchType', 'UInt8') })
    expect(await json('migrate', '--apply')).toMatchObject({
      exitCode: 0,
      applied: [{ name: '1_a.sql', statements: 4, resumed: 2 }],
    })
    expect(await rows('SELECT count() AS n FROM app.events')).toEqual([{ n: 1 }])
    expect(await tables()).toContain('after')
  })

  test('says what ran beside it, where others depend on nothing of it', async () => {
    const file = `CREATE TABLE app.a (x UInt8) ENGINE = Memory;
CREATE TABLE app.b (x NoSuchType) ENGINE = Memory;
CREATE TABLE app.c (x UInt8) ENGINE = Memory;
CREATE VIEW app.v AS SELECT x FROM app.b;
`
    project.write({ 'migrations/1_a.sql': file })
    const failed = await json('migrate', '--apply')
    expect(failed).toMatchObject({ code: 'migration_failed', details: { statement: 2, appliedStatements: 2 } })
    expect(failed.hint).toBe(
      'Statements 1, 3 have run and stay. The next run goes on with statement 2 of 4; it may be corrected in the file first.',
    )
    project.write({ 'migrations/1_a.sql': file.replace('NoSuchType', 'UInt8') })
    expect(await json('migrate', '--apply')).toMatchObject({ applied: [{ statements: 4, resumed: 2 }] })
    expect(await tables()).toEqual(expect.arrayContaining(['a', 'b', 'c', 'v']))
  })

  test('is told where CREATE IF NOT EXISTS made nothing, since a detached table has the name', async () => {
    project.write({
      'migrations/1_a.sql': `${CREATE}INSERT INTO app.events VALUES (1, 'kept');\nDETACH TABLE app.events PERMANENTLY;`,
    })
    await json('migrate', '--apply')
    project.write({
      'migrations/2_b.sql': `CREATE TABLE IF NOT EXISTS app.gone (x UInt8) ENGINE = Memory;
DROP TABLE app.gone;
CREATE TABLE IF NOT EXISTS app.events (id UInt64, note String) ENGINE = MergeTree ORDER BY id;`,
    })
    const failed = await json('migrate', '--apply', '--allow-destructive')
    expect(failed).toMatchObject({
      exitCode: 1,
      code: 'migration_failed',
      details: { migration: '2_b.sql', statement: 3, object: 'app.events' },
    })
    expect(await json('status')).toMatchObject({ pendingMigrations: ['2_b.sql'] })
    await rows(/ATTACH TABLE [\w.]+/.exec(String(failed.hint))?.[0] ?? '')
    expect(await json('migrate', '--apply', '--allow-destructive')).toMatchObject({
      applied: [{ name: '2_b.sql', statements: 3, resumed: 3 }],
    })
    expect(await rows('SELECT note FROM app.events')).toEqual([{ note: 'kept' }])
  })

  test('a statement that ran may not be edited afterwards', async () => {
    project.write({ 'migrations/1_a.sql': BROKEN })
    await json('migrate', '--apply')
    project.write({ 'migrations/1_a.sql': BROKEN.replace("'once'", "'twice'") })
    const refused = await json('migrate', '--apply')
    expect(refused).toMatchObject({
      exitCode: 1,
      code: 'migration_edited',
      details: { statement: 2, text: "INSERT INTO app.events VALUES (1, 'twice')" },
    })
    expect(await json('migrate')).toMatchObject({ exitCode: 1, code: 'migration_edited' })
    project.write({ 'migrations/1_a.sql': CREATE })
    expect(await json('migrate', '--apply')).toMatchObject({
      code: 'migration_edited',
      details: { statement: 2, text: null },
    })
    rmSync(join(project.dir, 'migrations/1_a.sql'))
    expect(await json('migrate', '--apply')).toMatchObject({ exitCode: 1, code: 'migration_not_found' })
    expect((await project.run(['status'])).stdout).toContain('its file is gone: restore it')
    expect(await json('check')).toMatchObject({ exitCode: 1, failedChecks: ['missing_migrations'], missingCount: 1 })
    expect(await rows('SELECT note FROM app.events')).toEqual([{ note: 'once' }])
  })

  test('that all of it ran is enough to go on where the journal of files was lost', async () => {
    project.write({ 'migrations/1_a.sql': `${CREATE}INSERT INTO app.events VALUES (1, 'once');` })
    await json('migrate', '--apply')
    await rows('DROP TABLE app._chkit_migrations')
    expect((await project.run(['status'])).stdout).toContain(
      'half-done 1_a.sql: all 2 statements have run, which the next run writes down',
    )
    expect(await json('migrate', '--apply')).toMatchObject({ applied: [{ statements: 2, resumed: 2 }] })
    expect(await rows('SELECT count() AS n FROM app.events')).toEqual([{ n: 1 }])
  })

  test('a journal that lost a column says how to get it back', async () => {
    project.write({ 'migrations/1_a.sql': CREATE })
    await json('migrate', '--apply')
    await rows('ALTER TABLE app._chkit_migrations_statements DROP COLUMN evidence, DROP COLUMN runner')
    const refused = await json('status')
    expect(refused).toMatchObject({ exitCode: 1, code: 'journal_corrupt' })
    await rows(/ALTER TABLE .*/.exec(String(refused.hint))?.[0] ?? '')
    expect(await json('status')).toMatchObject({ exitCode: 0, applied: 1, halfDone: [] })
  })

  test('two files of one id: --to wants the whole name, --resolve finds the open one', async () => {
    project.write({ 'migrations/1_a.sql': CREATE, 'migrations/1_b.sql': BROKEN.replace(CREATE, 'SELECT 1;') })
    const refused = await json('migrate', '--apply', '--to', '1')
    expect(refused).toMatchObject({ exitCode: 1, code: 'migration_not_found' })
    const [, argument = ''] = /--to (\S+)\./.exec(String(refused.hint)) ?? []
    expect(await json('migrate', '--apply', '--to', argument)).toMatchObject({ details: { migration: '1_b.sql' } })
    await rows(
      "INSERT INTO app._chkit_migrations_statements (migration, statement, outcome, sequence, query_id) SELECT '1_b.sql', 3, 'intent', 9e15, 'q'",
    )
    expect(await json('migrate', '--resolve', '1:3=done')).toMatchObject({ exitCode: 0, migration: '1_b.sql' })
  })
})

describe('bad input', () => {
  const files: readonly { name: string; bytes: string | Buffer; code: string; says?: string }[] = [
    { name: 'empty', bytes: '', code: 'migration_empty' },
    { name: 'comments only', bytes: '-- nothing\n/* here; */\n;\n', code: 'migration_empty' },
    { name: 'no UTF-8', bytes: Buffer.from([0x2d, 0x2d, 0xff, 0x0a]), code: 'file_not_utf8' },
    { name: 'UTF-16', bytes: Buffer.from('\ufeffSELECT 1;', 'utf16le'), code: 'file_not_utf8' },
    { name: 'a string that does not end', bytes: "SELECT 1;\nSELECT 'x;\n", code: 'migration_invalid', says: ':2:8:' },
    { name: 'a comment that does not end', bytes: 'SELECT 1; /* x', code: 'migration_invalid' },
    { name: 'USE', bytes: 'USE app;', code: 'migration_invalid', says: 'USE has no effect' },
  ]
  test.each(files)('a migration that is $name stops the run before anything happens', async ({ bytes, code, says }) => {
    project.write({ 'migrations/1_a.sql': CREATE, 'migrations/2_b.sql': '' })
    writeFileSync(join(project.dir, 'migrations/2_b.sql'), bytes)
    const result = await json('migrate', '--apply')
    expect(result).toMatchObject({ exitCode: 1, ok: false, code })
    expect(result.error).toContain('2_b.sql')
    if (says !== undefined) expect(result.error).toContain(says)
    expect(await tables()).toEqual([])
  })

  test('a byte order mark is no text', async () => {
    project.write({ 'migrations/1_a.sql': `\ufeff${CREATE}` })
    expect(await json('migrate', '--apply')).toMatchObject({ exitCode: 0 })
  })

  test('a folder in the place of a file', async () => {
    project.write({ 'migrations/1_a.sql/x': '' })
    expect(await json('migrate', '--apply')).toMatchObject({ exitCode: 1, code: 'file_unreadable' })
  })

  test('--resolve of what is not open, or is no statement', async () => {
    expect(await json('migrate', '--resolve', 'nonsense')).toMatchObject({ exitCode: 2, code: 'invalid_flag_value' })
    expect(await json('migrate', '--resolve', '1:1=done')).toMatchObject({ exitCode: 1, code: 'migration_not_found' })
  })
})

describe('the file journal', () => {
  beforeEach(() =>
    project.write({ 'clickhouse.config.ts': CONFIG.replace('schema:', "journal: { store: 'file' },\n  schema:") }),
  )
  const journalFile = () => join(project.dir, 'meta/journal.json')

  test('keeps the history on disk and no table in the database', async () => {
    project.write({ 'migrations/1_a.sql': CREATE })
    expect(await json('migrate', '--apply')).toMatchObject({ exitCode: 0, journalFile: journalFile() })
    expect(await tables()).toEqual(['events'])
    expect(JSON.parse(readFileSync(journalFile(), 'utf8'))).toMatchObject({
      version: 2,
      applied: [{ name: '1_a.sql' }],
    })
    expect(await json('status')).toMatchObject({ applied: 1, journal: { store: 'file', location: journalFile() } })
    expect(readdirSync(join(project.dir, 'meta')).filter((name) => name.includes('tmp'))).toEqual([])
  })

  test('that is truncated stops the command with its position and stays as it is', async () => {
    project.write({ 'migrations/1_a.sql': CREATE, 'meta/journal.json': '{"version": 2,\n "applied": [' })
    for (const argv of [['status'], ['migrate', '--apply']]) {
      const result = await json(...argv)
      expect(result).toMatchObject({
        exitCode: 1,
        code: 'journal_corrupt',
        details: { file: journalFile(), line: 2, column: 14 },
      })
    }
    expect(readFileSync(journalFile(), 'utf8')).toBe('{"version": 2,\n "applied": [')
    expect(await tables()).toEqual([])
  })

  test('of a newer version is refused', async () => {
    project.write({ 'meta/journal.json': '{"version": 9, "applied": []}' })
    expect(await json('status')).toMatchObject({ exitCode: 1, code: 'journal_version_unsupported' })
  })

  test('that cannot be written stops the run before the first statement', async () => {
    project.write({ 'migrations/1_a.sql': CREATE, meta: 'a file in the place of the folder' })
    expect(await json('migrate', '--apply')).toMatchObject({ exitCode: 1 })
    expect(await tables()).toEqual([])
    // Root may write anywhere, so permissions show nothing there.
    if (process.getuid?.() === 0) return
    rmSync(join(project.dir, 'meta'))
    project.write({ 'meta/x': '' })
    chmodSync(join(project.dir, 'meta'), 0o555)
    expect(await json('migrate', '--apply')).toMatchObject({ exitCode: 1, code: 'file_unwritable' })
    chmodSync(join(project.dir, 'meta'), 0o755)
    expect(await tables()).toEqual([])
  })
})

test('status without a database that exists creates nothing', async () => {
  expect(await json('status')).toMatchObject({ exitCode: 0, total: 0, applied: 0, pending: 0 })
  expect(existsSync(join(project.dir, 'migrations'))).toBe(false)
  expect(existsSync(join(project.dir, 'meta'))).toBe(false)
  expect(await rows("SELECT 1 FROM system.databases WHERE name = 'app'")).toEqual([])
})
