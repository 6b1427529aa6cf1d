import { describe, expect, test } from 'vitest'
import { ChkitError } from '../../src/errors.js'
import { choosePending, compareHistory, type PendingOptions } from '../../src/migration/pending.js'

const file = (name: string, checksum = `sum-${name}`) => ({ name: `${name}.sql`, checksum })
const entry = (name: string, checksum = `sum-${name}`) => ({
  name: `${name}.sql`,
  appliedAt: '',
  checksum,
  chkitVersion: '',
})
const sql = (...names: string[]) => names.map((name) => `${name}.sql`)

type Row = {
  name: string
  files: string[]
  applied: string[]
  begun?: string[]
  /** Checksums by name, where not the usual ones. */
  sums?: Record<string, string>
  options?: Partial<PendingOptions>
  pending?: string[]
  code?: string
  details?: object
}

const rows: readonly Row[] = [
  { name: 'nothing at all', files: [], applied: [], pending: [] },
  { name: 'all pending, in order', files: ['1', '2'], applied: [], pending: ['1', '2'] },
  { name: 'some applied', files: ['1', '2', '3'], applied: ['1', '2'], pending: ['3'] },
  { name: 'an applied file is gone: no reason to stop', files: ['2'], applied: ['1'], pending: ['2'] },
  {
    name: 'an applied file under another name',
    files: ['1', '2'],
    applied: ['0'],
    sums: { '0': 'same', '2': 'same' },
    code: 'migration_renamed',
    details: { renamed: [{ name: '2.sql', was: '0.sql' }] },
  },
  {
    name: 'an applied file under another name, but not taken',
    files: ['1', '2'],
    applied: ['0'],
    sums: { '0': 'same', '2': 'same' },
    options: { to: '1' },
    pending: ['1'],
  },
  {
    name: 'a copy of a file that is still there',
    files: ['1', '2'],
    applied: ['1'],
    sums: { '1': 'same', '2': 'same' },
    pending: ['2'],
  },
  { name: 'up to an id', files: ['1_a', '2_b', '3_c'], applied: [], options: { to: '2' }, pending: ['1_a', '2_b'] },
  { name: 'up to a file name', files: ['1_a', '2_b'], applied: [], options: { to: '1_a.sql' }, pending: ['1_a'] },
  { name: 'up to one that is applied', files: ['1_a', '2_b'], applied: ['1_a'], options: { to: '1' }, pending: [] },
  {
    name: 'up to none',
    files: ['1_a'],
    applied: [],
    options: { to: '7' },
    code: 'migration_not_found',
    details: { to: '7' },
  },
  {
    name: 'out of order',
    files: ['1', '2', '3'],
    applied: ['1', '3'],
    code: 'out_of_order_migration',
    details: { outOfOrder: sql('2'), newestApplied: '3.sql' },
  },
  {
    name: 'out of order, allowed',
    files: ['1', '2', '3'],
    applied: ['3'],
    options: { allowOutOfOrder: true },
    pending: ['1', '2'],
  },
  {
    name: 'out of order, but not taken',
    files: ['1', '2', '3'],
    applied: ['2'],
    options: { to: '0' },
    code: 'migration_not_found',
  },
  { name: 'a half-done file goes on', files: ['1', '2'], applied: ['1'], begun: ['2'], pending: ['2'] },
  {
    name: 'a file before a half-done one is late',
    files: ['1', '2'],
    applied: [],
    begun: ['2'],
    code: 'out_of_order_migration',
  },
  { name: 'a half-done file is gone', files: ['1'], applied: ['1'], begun: ['2'], code: 'migration_not_found' },
  { name: 'names sort by code unit', files: ['a', 'B', '10', '9'], applied: [], pending: ['10', '9', 'B', 'a'] },
]

describe('choosePending', () => {
  test.each(rows)('$name', ({ files, applied, begun = [], sums = {}, options, pending, code, details }) => {
    const status = compareHistory(
      files.map((name) => file(name, sums[name])),
      applied.map((name) => entry(name, sums[name])),
      sql(...begun),
    )
    const choose = () => choosePending(status, { allowOutOfOrder: false, ...options })
    if (code === undefined) {
      expect(choose()).toEqual(sql(...(pending ?? [])))
      return
    }
    expect(choose).toThrow(ChkitError)
    try {
      choose()
    } catch (error) {
      expect(error).toMatchObject({ code, details: details ?? {} })
    }
  })

  test('a checksum that differs stops everything', () => {
    const status = compareHistory([file('1', 'new'), file('2')], [entry('1', 'old')], [])
    try {
      choosePending(status, { allowOutOfOrder: true })
      expect.unreachable()
    } catch (error) {
      expect(error).toMatchObject({
        code: 'checksum_mismatch',
        message: 'Checksum mismatch detected on applied migrations',
        details: { payload: { checksumMismatches: [{ name: '1.sql', expected: 'old', actual: 'new' }] } },
      })
    }
  })

  test('an older journal that holds no checksum is believed', () => {
    expect(compareHistory([file('1')], [entry('1', '')], []).mismatches).toEqual([])
  })
})
