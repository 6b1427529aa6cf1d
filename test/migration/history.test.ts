import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ChkitError } from '../../src/errors.js'
import { appliedSnapshot, loadHead, mendHead, type NewMigration, writeMigration } from '../../src/migration/history.js'
import { parseSnapshot, serialiseSnapshot } from '../../src/migration/snapshot.js'
import type { Definition, Table } from '../../src/model/definition.js'

let root: string
let options: Parameters<typeof loadHead>[0]
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'chkit-history-'))
  options = {
    migrationsDir: join(root, 'migrations'),
    metaDir: join(root, 'meta'),
    appliedIds: async () => [],
  }
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const table = (name: string): Table => ({
  kind: 'table',
  database: 'app',
  name,
  engine: { name: 'MergeTree', args: [] },
  columns: [{ name: 'id', type: 'UInt64', renamedFrom: 'old' }],
  orderBy: ['id'],
  origin: { file: '/secret/path.ts', line: 3 },
  plugins: { backfill: { timeColumn: 'at' } },
})

const migration = (id: string, parent: string | null, tables: readonly string[]): NewMigration => ({
  ...options,
  id,
  slug: 'change',
  statements: [],
  definitions: tables.map(table),
  parent,
  generatedAt: '2026-01-01T00:00:00.000Z',
  chkitVersion: '0.1.0',
})

const names = (definitions: readonly Definition[] | undefined) =>
  definitions?.map((definition) => ('name' in definition ? definition.name : ''))

async function failure(run: () => unknown): Promise<ChkitError> {
  try {
    await run()
  } catch (error) {
    if (error instanceof ChkitError) return error
    throw error
  }
  throw new Error('expected an error')
}

describe('writing and loading', () => {
  test('the head is what was written, without origins, renames and plugin options', async () => {
    const written = writeMigration(migration('1', null, ['b', 'a']))
    expect(written.name).toBe('1_change.sql')
    const head = await loadHead(options)
    expect(head.stale).toBe(false)
    expect(head.migration).toBe('1')
    expect(names(head.snapshot?.definitions)).toEqual(['a', 'b'])
    const text = readFileSync(join(root, 'meta/snapshot.json'), 'utf8')
    expect(text).not.toMatch(/secret|renamedFrom|plugins/)
    expect(readFileSync(join(root, 'meta/snapshots/1.json'), 'utf8')).toBe(text)
  })

  test('an id that is taken is refused and nothing is written', async () => {
    writeMigration(migration('1', null, ['a']))
    const before = readdirSync(root, { recursive: true }).sort()
    const error = await failure(() => writeMigration({ ...migration('1', null, ['b']), slug: 'other' }))
    expect(error.code).toBe('migration_id_conflict')
    expect(readdirSync(root, { recursive: true }).sort()).toEqual(before)
  })

  test('a migration file that cannot be written takes its snapshot back', async () => {
    writeFileSync(join(root, 'migrations'), 'a file where the folder should be')
    const error = await failure(() => writeMigration({ ...migration('1', null, ['a']) }))
    expect(['file_unwritable', 'file_unreadable']).toContain(error.code)
    expect(existsSync(join(root, 'meta/snapshots/1.json'))).toBe(false)
    expect(existsSync(join(root, 'meta/snapshot.json'))).toBe(false)
  })

  test('a run killed before the head was written is mended', async () => {
    writeMigration(migration('1', null, ['a']))
    const before = readFileSync(join(root, 'meta/snapshot.json'), 'utf8')
    writeMigration(migration('2', '1', ['a', 'b']))
    const after = readFileSync(join(root, 'meta/snapshot.json'), 'utf8')
    writeFileSync(join(root, 'meta/snapshot.json'), before)
    const head = await loadHead(options)
    expect(head).toMatchObject({ migration: '2', stale: true, deleted: [] })
    mendHead(options.metaDir, head)
    expect(readFileSync(join(root, 'meta/snapshot.json'), 'utf8')).toBe(after)
  })

  test('a migration deleted before it was applied is planned again', async () => {
    writeMigration(migration('1', null, ['a']))
    writeMigration(migration('2', '1', ['a', 'b']))
    rmSync(join(root, 'migrations/2_change.sql'))
    const head = await loadHead({ ...options, appliedIds: async () => ['1'] })
    expect(head).toMatchObject({ migration: '1', stale: true, deleted: ['2'] })
    expect(names(head.snapshot?.definitions)).toEqual(['a'])
  })

  test('a migration deleted after it was applied is not', async () => {
    writeMigration(migration('1', null, ['a']))
    rmSync(join(root, 'migrations/1_change.sql'))
    const head = await loadHead({ ...options, appliedIds: async () => ['1'] })
    expect(head).toMatchObject({ migration: '1', stale: false })
  })

  test('a merge of two branches is reported as such, even when it left conflict markers in the head', async () => {
    writeMigration(migration('1', null, ['a']))
    writeMigration(migration('2', '1', ['a', 'b']))
    writeMigration(migration('3', '1', ['a', 'c']))
    expect((await failure(() => loadHead(options))).code).toBe('snapshot_branches')
    writeFileSync(join(root, 'meta/snapshot.json'), '{\n<<<<<<< ours\n "version": 2\n=======\n}\n>>>>>>> theirs\n')
    const error = await failure(() => loadHead(options))
    expect(error.code).toBe('snapshot_branches')
    expect(error.message).toContain('2_change.sql and 3_change.sql')
    rmSync(join(root, 'migrations/3_change.sql'))
    rmSync(join(root, 'meta/snapshots/3.json'))
    expect(await failure(() => loadHead(options))).toMatchObject({ code: 'snapshot_corrupt', details: { line: 2 } })
    rmSync(join(root, 'meta/snapshot.json'))
    expect(await loadHead(options)).toMatchObject({ migration: '2', stale: true })
  })
})

describe('the applied state', () => {
  test('is the snapshot of the newest applied migration, not the head', () => {
    writeMigration(migration('1', null, ['a']))
    writeMigration(migration('2', '1', ['a', 'b']))
    expect(names(appliedSnapshot(['1_change.sql'], options.metaDir)?.snapshot.definitions)).toEqual(['a'])
    expect(appliedSnapshot([], options.metaDir)).toBeUndefined()
  })
})

describe('parseSnapshot', () => {
  const file = 'meta/snapshot.json'
  const good = serialiseSnapshot({
    version: 2,
    generatedAt: '',
    migration: '1',
    parent: null,
    definitions: [table('a')],
  })
  const refusals: readonly { name: string; text: string; code: string; details?: object; message?: string }[] = [
    { name: 'empty', text: '', code: 'snapshot_corrupt', details: { line: 1, column: 1 } },
    { name: '{}', text: '{}', code: 'snapshot_corrupt', message: 'no "version"' },
    { name: 'a list', text: '[]', code: 'snapshot_corrupt', message: 'no object' },
    { name: 'no definitions', text: '{"version": 2}', code: 'snapshot_corrupt', message: '"definitions"' },
    {
      name: 'a definition without a kind',
      text: '{"version": 2, "definitions": [{}]}',
      code: 'snapshot_corrupt',
      message: 'entry 1',
    },
    { name: 'a newer version', text: '{"version": 3}', code: 'snapshot_version_unsupported', details: { version: 3 } },
    { name: 'a version that is no number', text: '{"version": "2"}', code: 'snapshot_corrupt', message: '"2"' },
    {
      name: 'truncated',
      text: '{\n "version": 2,\n "defin',
      code: 'snapshot_corrupt',
      details: { line: 3, column: 2 },
    },
    {
      name: 'a missing comma',
      text: '{"version": 2\n "x": 1}',
      code: 'snapshot_corrupt',
      details: { line: 2, column: 2 },
    },
    {
      name: 'conflict markers',
      text: good.replace(' "parent"', '<<<<<<< HEAD\n "parent"'),
      code: 'snapshot_corrupt',
      details: { line: 5, column: 1 },
      message: 'merge conflict markers',
    },
  ]
  test.each(refusals)('refuses $name', async ({ text, code, details, message }) => {
    const error = await failure(() => parseSnapshot(text, file))
    expect(error.code).toBe(code)
    expect(error.details).toMatchObject({ file, ...details })
    if (message !== undefined) expect(error.message).toContain(message)
  })

  test.each([
    { path: 'meta/snapshot.json', text: '', hint: 'makes it again from the snapshots folder' },
    { path: 'meta/snapshot.json', text: '<<<<<<< HEAD\n', hint: 'Do not merge it by hand' },
    { path: 'meta/snapshots/1.json', text: '', hint: 'Restore the file from version control' },
    { path: 'meta/snapshots/1.json', text: '<<<<<<< HEAD\n', hint: 'Restore the file from version control' },
  ])('the way out for $path with "$text" is one that works for that file', async ({ path, text, hint }) => {
    expect((await failure(() => parseSnapshot(text, path))).hint).toContain(hint)
  })

  test('every cut of a good file is refused', async () => {
    for (let end = 0; end < good.length - 2; end++) {
      expect((await failure(() => parseSnapshot(good.slice(0, end), file))).code).toBe('snapshot_corrupt')
    }
  })

  test('conflict markers inside a name are no conflict', () => {
    const odd = serialiseSnapshot({
      version: 2,
      generatedAt: '',
      migration: null,
      parent: null,
      definitions: [table('<<<<<<< x')],
    })
    expect(names(parseSnapshot(odd, file).definitions)).toEqual(['<<<<<<< x'])
  })

  test('writing what was read changes nothing', () => {
    expect(serialiseSnapshot(parseSnapshot(good, file))).toBe(good)
  })
})

test('a folder that is missing is an empty history', async () => {
  expect(await loadHead(options)).toEqual({ snapshot: undefined, migration: null, deleted: [], stale: false })
  mkdirSync(options.migrationsDir)
  expect(existsSync(options.metaDir)).toBe(false)
})
