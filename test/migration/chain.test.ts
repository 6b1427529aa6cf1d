import { describe, expect, test } from 'vitest'
import {
  type ChainDecision,
  type ChainFacts,
  chainError,
  decideChain,
  newestWithSnapshot,
} from '../../src/migration/chain.js'

const head = (migration: string | null, parent: string | null = null) => ({
  version: 2,
  generatedAt: '2026-01-01T00:00:00.000Z',
  migration,
  parent,
})
const link = (id: string, parent: string | null = null) => ({ id, parent })
const line = [link('1'), link('2', '1'), link('3', '2')]

const cases: readonly ({ name: string; decision: ChainDecision } & ChainFacts)[] = [
  {
    name: 'nothing was ever generated',
    head: undefined,
    links: [],
    files: [],
    applied: undefined,
    decision: { kind: 'empty' },
  },
  {
    name: 'only hand-written files',
    head: undefined,
    links: [],
    files: ['1', '2'],
    applied: undefined,
    decision: { kind: 'empty' },
  },
  {
    name: 'the head is the newest',
    head: head('3', '2'),
    links: line,
    files: ['1', '2', '3'],
    applied: undefined,
    decision: { kind: 'head' },
  },
  {
    name: 'a snapshot of an older chkit has no migration',
    head: head(null),
    links: [],
    files: ['1'],
    applied: undefined,
    decision: { kind: 'head' },
  },
  {
    name: 'hand-written files beside generated ones count for nothing',
    head: head('3', '2'),
    links: line,
    files: ['1', '2', '25', '3', '4'],
    applied: undefined,
    decision: { kind: 'head' },
  },
  {
    name: 'killed after the migration file, before the head',
    head: head('2', '1'),
    links: line,
    files: ['1', '2', '3'],
    applied: undefined,
    decision: { kind: 'mend', id: '3' },
  },
  {
    name: 'killed after the first migration file, before any head',
    head: undefined,
    links: [link('1')],
    files: ['1'],
    applied: undefined,
    decision: { kind: 'mend', id: '1' },
  },
  {
    name: 'killed after the snapshot, before the migration file: the snapshot counts for nothing',
    head: head('2', '1'),
    links: line,
    files: ['1', '2'],
    applied: undefined,
    decision: { kind: 'head' },
  },
  {
    name: 'a deleted head file asks the journal',
    head: head('3', '2'),
    links: line,
    files: ['1', '2'],
    applied: undefined,
    decision: { kind: 'askJournal', missing: ['3'] },
  },
  {
    name: 'deleted before it was applied',
    head: head('3', '2'),
    links: line,
    files: ['1', '2'],
    applied: ['1'],
    decision: { kind: 'replan', id: '2', deleted: ['3'] },
  },
  {
    name: 'deleted after it was applied',
    head: head('3', '2'),
    links: line,
    files: ['1', '2'],
    applied: ['1', '2', '3'],
    decision: { kind: 'head' },
  },
  {
    name: 'the last two deleted, the older of them applied',
    head: head('3', '2'),
    links: line,
    files: ['1'],
    applied: ['1', '2'],
    decision: { kind: 'replan', id: '2', deleted: ['3'] },
  },
  {
    name: 'everything deleted, nothing applied',
    head: head('2', '1'),
    links: [link('1'), link('2', '1')],
    files: [],
    applied: [],
    decision: { kind: 'replan', id: null, deleted: ['1', '2'] },
  },
  {
    name: 'deleted together with its snapshot',
    head: head('3', '2'),
    links: [link('1'), link('2', '1')],
    files: ['1', '2'],
    applied: [],
    decision: { kind: 'replan', id: '2', deleted: ['3'] },
  },
  {
    name: 'the head deleted and a file gone: the journal is asked',
    head: undefined,
    links: line,
    files: ['1', '2'],
    applied: undefined,
    decision: { kind: 'askJournal', missing: ['3'] },
  },
  {
    name: 'two branches after a merge',
    head: head('2b', '1'),
    links: [link('1'), link('2a', '1'), link('2b', '1')],
    files: ['1', '2a', '2b'],
    applied: undefined,
    decision: { kind: 'branches', parent: '1', tips: ['2a', '2b'] },
  },
  {
    name: 'branches of unequal length',
    head: head('4', '2'),
    links: [...line, link('4', '2'), link('5', '4')],
    files: ['1', '2', '3', '4', '5'],
    applied: undefined,
    decision: { kind: 'branches', parent: '2', tips: ['3', '5'] },
  },
  {
    name: 'two first migrations',
    head: head('1'),
    links: [link('1'), link('2')],
    files: ['1', '2'],
    applied: undefined,
    decision: { kind: 'branches', parent: null, tips: ['1', '2'] },
  },
  {
    name: 'one of two branches deleted: the head that names it is planned again on the other',
    head: head('2b', '1'),
    links: [link('1'), link('2a', '1')],
    files: ['1', '2a'],
    applied: [],
    decision: { kind: 'replan', id: '2a', deleted: ['2b'] },
  },
  {
    name: 'one of two branches deleted: the head names the other',
    head: head('2a', '1'),
    links: [link('1'), link('2a', '1'), link('2b', '1')],
    files: ['1', '2a'],
    applied: undefined,
    decision: { kind: 'head' },
  },
  {
    name: 'deleted in the middle, never applied',
    head: head('3', '2'),
    links: line,
    files: ['1', '3'],
    applied: ['1'],
    decision: { kind: 'gap', missing: '2', dependents: ['3'] },
  },
  {
    name: 'deleted in the middle after it was applied',
    head: head('3', '2'),
    links: line,
    files: ['3'],
    applied: ['1', '2'],
    decision: { kind: 'head' },
  },
  {
    name: 'old snapshots were cleaned away',
    head: head('3', '2'),
    links: [link('3', '2')],
    files: ['1', '2', '3'],
    applied: undefined,
    decision: { kind: 'head' },
  },
  {
    name: 'the snapshots folder was cleaned away',
    head: head('3', '2'),
    links: [],
    files: ['1', '2', '3'],
    applied: undefined,
    decision: { kind: 'head' },
  },
  {
    name: 'parents that go in a circle end',
    head: head('2', '1'),
    links: [link('1', '2'), link('2', '1'), link('3', '2')],
    files: ['1', '2', '3'],
    applied: [],
    decision: { kind: 'mend', id: '3' },
  },
]

describe('decideChain', () => {
  test.each(cases)('$name', ({ decision, name: _, ...facts }) => {
    expect(decideChain(facts)).toEqual(decision)
  })
})

test('branches are reported by file name with the way out', () => {
  const error = chainError({ kind: 'branches', parent: '1', tips: ['2a', '2b'] }, (id) => `${id}_x.sql`)
  expect(error?.code).toBe('snapshot_branches')
  expect(error?.message).toBe('Two branches generated migrations from the same state (1): 2a_x.sql and 2b_x.sql.')
  expect(error?.hint).toContain('2b_x.sql and snapshots/2b.json')
})

test('the applied state is the newest applied migration that has a snapshot', () => {
  expect(newestWithSnapshot(['1', '3', '2', '9'], line)).toBe('3')
  expect(newestWithSnapshot([], line)).toBeUndefined()
})
