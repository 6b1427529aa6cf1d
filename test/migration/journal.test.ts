import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Executor } from '../../src/clickhouse/executor.js'
import { openFileJournal, parseFileJournal } from '../../src/migration/file-journal.js'
import {
  halfDone,
  isOwnTable,
  type Journal,
  type StatementEvent,
  statementStates,
} from '../../src/migration/journal.js'
import { openTableJournal } from '../../src/migration/table-journal.js'
import { freshEngine, removeFolder, temporaryFolder } from '../support/engine.js'

const event = (statement: number, outcome: StatementEvent['outcome'], queryId = `q${statement}`): StatementEvent => ({
  migration: '1_a.sql',
  statement,
  outcome,
  at: '2026-01-01T00:00:00.123Z',
  hash: `h${statement}`,
  queryId,
  evidence: outcome === 'intent' ? '{"proof":{"kind":"none"},"before":{}}' : '',
  epoch: 7,
  runner: 'host/abc',
  message: 'it\'s\n"so" \\ ünïcode',
})
const entry = { name: "1_'a`.sql", appliedAt: '2026-01-01T00:00:01.005Z', checksum: 'abc', chkitVersion: '0.1.0' }

let engine: Executor
let folder: string
beforeAll(async () => {
  engine = await freshEngine({ database: 'app db' })
})
afterAll(async () => engine.close())
beforeEach(() => {
  folder = temporaryFolder()
})
afterEach(() => removeFolder(folder))

const stores: readonly { name: string; open: () => Journal }[] = [
  { name: 'table', open: () => openTableJournal(engine, `_chkit.${folder.slice(-6)}`) },
  { name: 'file', open: () => openFileJournal(join(folder, 'meta')) },
]

describe.each(stores)('the $name journal', ({ open }) => {
  test('is empty before anything was written, and reading creates nothing', async () => {
    expect(await open().read()).toEqual({ applied: [], statements: [] })
    expect(existsSync(join(folder, 'meta'))).toBe(false)
    const tables = await engine.query(
      "SELECT 1 FROM system.tables WHERE database = 'app db' AND name LIKE '\\\\_chkit.%' AND name LIKE '%" +
        folder.slice(-6) +
        "%'",
    )
    expect(tables).toEqual([])
  })

  test('gives back what was written, in order', async () => {
    const journal = open()
    await journal.prepare()
    await journal.recordStatements([event(1, 'intent')])
    await journal.recordStatements([event(1, 'done'), event(2, 'intent')])
    await journal.recordApplied(entry)
    await journal.prepare()
    const state = await open().read()
    expect(state.applied).toEqual([entry])
    expect(state.statements).toEqual([event(1, 'intent'), event(1, 'done'), event(2, 'intent')])
  })
})

test('a table of an older chkit, with four columns, is read', async () => {
  await engine.command('CREATE DATABASE IF NOT EXISTS `app db`')
  await engine.command(
    "CREATE TABLE `app db`._old (name String, applied_at DateTime64(3, 'UTC'), checksum String, chkit_version String) ENGINE = MergeTree ORDER BY name",
  )
  await engine.command("INSERT INTO `app db`._old VALUES ('1_a.sql', '2025-01-01 00:00:00.000', 'abc', '0.1.0-beta')")
  expect(await openTableJournal(engine, '_old').read()).toEqual({
    applied: [{ name: '1_a.sql', appliedAt: '2025-01-01T00:00:00.000Z', checksum: 'abc', chkitVersion: '0.1.0-beta' }],
    statements: [],
  })
})

describe('the file journal', () => {
  test('reads the older shape, plain names, and writes the newer one', async () => {
    mkdirSync(join(folder, 'meta'))
    const path = join(folder, 'meta/journal.json')
    writeFileSync(path, '{"version":1,"applied":["1_a.sql"]}')
    const journal = openFileJournal(join(folder, 'meta'))
    expect((await journal.read()).applied).toEqual([{ name: '1_a.sql', appliedAt: '', checksum: '', chkitVersion: '' }])
    await journal.recordApplied(entry)
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ version: 2, applied: [{ name: '1_a.sql' }, entry] })
  })

  const refusals: readonly { name: string; text: string; code: string; details?: object }[] = [
    { name: 'empty', text: '', code: 'journal_corrupt', details: { line: 1, column: 1 } },
    { name: 'truncated', text: '{"version": 2,\n "appl', code: 'journal_corrupt', details: { line: 2, column: 2 } },
    { name: 'a list', text: '[]', code: 'journal_corrupt' },
    { name: 'no list of applied ones', text: '{}', code: 'journal_corrupt' },
    { name: 'an entry without a name', text: '{"applied":[{}]}', code: 'journal_corrupt' },
    { name: 'a newer version', text: '{"version":3}', code: 'journal_version_unsupported', details: { version: 3 } },
  ]
  test.each(refusals)('refuses $name', ({ text, code, details }) => {
    try {
      parseFileJournal(text, 'meta/journal.json')
      expect.unreachable()
    } catch (error) {
      expect(error).toMatchObject({ code, details: { file: 'meta/journal.json', ...details } })
    }
  })

  test('a statement line cut by a crash counts for nothing and is not continued', async () => {
    const journal = openFileJournal(join(folder, 'meta'))
    await journal.prepare()
    await journal.recordStatements([event(1, 'intent')])
    appendFileSync(join(folder, 'meta/journal.statements.ndjson'), '{"migration":"1_a.sql","outc')
    expect((await journal.read()).statements).toEqual([event(1, 'intent')])
    await journal.prepare()
    await journal.recordStatements([event(1, 'done')])
    expect((await journal.read()).statements).toEqual([event(1, 'intent'), event(1, 'done')])
  })
})

describe('statementStates', () => {
  const outcomes = (events: readonly StatementEvent[]) =>
    [...statementStates(events, '1_a.sql').values()].map(({ statement, outcome }) => [statement, outcome])

  const rows: readonly { name: string; events: StatementEvent[]; states: unknown[]; half: boolean }[] = [
    { name: 'nothing', events: [], states: [], half: false },
    { name: 'an intent is open', events: [event(1, 'intent')], states: [[1, 'intent']], half: true },
    {
      name: 'refused at the first statement: nothing changed',
      events: [event(1, 'intent'), event(1, 'failed')],
      states: [[1, 'failed']],
      half: false,
    },
    {
      name: 'done, then refused',
      events: [event(1, 'intent'), event(1, 'done'), event(2, 'intent'), event(2, 'failed')],
      states: [
        [1, 'done'],
        [2, 'failed'],
      ],
      half: true,
    },
    {
      name: 'a second try counts',
      events: [event(1, 'intent', 'a'), event(1, 'failed', 'a'), event(1, 'intent', 'b')],
      states: [[1, 'intent']],
      half: true,
    },
    {
      name: 'a late line of a run that lost its lock does not speak for the try after it',
      events: [event(1, 'intent', 'a'), event(1, 'intent', 'b'), event(1, 'not_done', 'a')],
      states: [[1, 'intent']],
      half: true,
    },
  ]
  test.each(rows)('$name', ({ events, states, half }) => {
    expect(outcomes(events)).toEqual(states)
    expect(halfDone({ applied: [], statements: events })).toEqual(half ? ['1_a.sql'] : [])
  })
})

test('its own tables are known by name', () => {
  const names = ['_j', '_j_statements', '_j_lock_3', '_jx', 'j']
  expect(names.filter((name) => isOwnTable(name, '_j'))).toEqual(['_j', '_j_statements', '_j_lock_3'])
})
