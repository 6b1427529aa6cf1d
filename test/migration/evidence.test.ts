import { describe, expect, test } from 'vitest'
import { judge, type ObjectState, type Observation, type Verdict } from '../../src/migration/evidence.js'
import { serverFingerprint } from '../../src/migration/mutation-text.js'
import type { Proof } from '../../src/migration/proof.js'

const [a, b, c] = ['a', 'b', 'c'].map((name) => ({ database: 'd', name })) as [
  { database: string; name: string },
  { database: string; name: string },
  { database: string; name: string },
]
const key = (name: string) => JSON.stringify(['d', name])
const state = (uuid: string, extra: Partial<ObjectState> = {}): ObjectState => ({
  uuid,
  create: 'c1',
  engine: 'MergeTree',
  rows: 0,
  ...extra,
})

type Seen = {
  objects?: Record<string, ObjectState>
  mutations?: Record<string, string[]>
  commands?: Record<string, Record<string, string[]>>
  blocks?: Record<string, string>
  named?: Record<string, string>
}
const seen = ({ objects = {}, mutations = {}, commands = {}, blocks = {}, named = {} }: Seen): Observation => {
  const keyed = <T>(record: Record<string, T>) =>
    Object.fromEntries(Object.entries(record).map(([name, value]) => [key(name), value]))
  return {
    objects: keyed(objects),
    mutations: keyed(mutations),
    commands: keyed(commands),
    blocks: keyed(blocks),
    named: Object.fromEntries(Object.entries(named).map(([name, id]) => [JSON.stringify(['user', name]), id])),
  }
}

const made: Proof = { kind: 'made', object: a, filled: false }
const filled: Proof = { kind: 'made', object: a, filled: true }
const gone: Proof = { kind: 'gone', objects: [a] }
const goneBoth: Proof = { kind: 'gone', objects: [a, b] }
const rename: Proof = { kind: 'moved', exchange: false, pairs: [{ from: a, to: b }] }
const exchange: Proof = { kind: 'moved', exchange: true, pairs: [{ from: a, to: b }] }
const rotate: Proof = {
  kind: 'moved',
  exchange: false,
  pairs: [
    { from: a, to: c },
    { from: b, to: a },
    { from: c, to: b },
  ],
}
const altered: Proof = { kind: 'altered', object: a }
const mutated: Proof = { kind: 'mutated', object: a }
const mutatedSo: Proof = { kind: 'mutated', object: a, commands: [serverFingerprint('DELETE WHERE x = 1')] }
const written: Proof = { kind: 'written', object: a, rows: 2 }
const emptied: Proof = { kind: 'emptied', object: a }
const user: Proof = { kind: 'named', what: 'user', names: ['u'], present: true }
const dropUser: Proof = { kind: 'named', what: 'user', names: ['u'], present: false }

const rows: readonly { name: string; proof: Proof; before: Seen; now: Seen; verdict: Verdict; alone?: boolean }[] = [
  { name: 'created', proof: made, before: {}, now: { objects: { a: state('1') } }, verdict: 'done' },
  { name: 'not created', proof: made, before: {}, now: {}, verdict: 'not_done' },
  {
    name: 'IF NOT EXISTS over one that was there',
    proof: made,
    before: { objects: { a: state('1') } },
    now: { objects: { a: state('1') } },
    verdict: 'not_done',
  },
  {
    name: 'replaced',
    proof: made,
    before: { objects: { a: state('1') } },
    now: { objects: { a: state('2') } },
    verdict: 'done',
  },
  {
    name: 'replaced without UUIDs',
    proof: made,
    before: { objects: { a: state('', { create: 'x' }) } },
    now: { objects: { a: state('') } },
    verdict: 'done',
  },
  {
    name: 'created by a SELECT: halfway or whole',
    proof: filled,
    before: {},
    now: { objects: { a: state('1') } },
    verdict: 'unknown',
  },
  { name: 'dropped', proof: gone, before: { objects: { a: state('1') } }, now: {}, verdict: 'done' },
  {
    name: 'not dropped',
    proof: gone,
    before: { objects: { a: state('1') } },
    now: { objects: { a: state('1') } },
    verdict: 'not_done',
  },
  {
    name: 'dropped, and made again by another',
    proof: gone,
    before: { objects: { a: state('1') } },
    now: { objects: { a: state('2') } },
    verdict: 'done',
  },
  { name: 'IF EXISTS where nothing was', proof: gone, before: {}, now: {}, verdict: 'not_done' },
  {
    name: 'one of two dropped',
    proof: goneBoth,
    before: { objects: { a: state('1'), b: state('2') } },
    now: { objects: { b: state('2') } },
    verdict: 'unknown',
  },
  {
    name: 'renamed',
    proof: rename,
    before: { objects: { a: state('1') } },
    now: { objects: { b: state('1') } },
    verdict: 'done',
  },
  {
    name: 'not renamed',
    proof: rename,
    before: { objects: { a: state('1') } },
    now: { objects: { a: state('1') } },
    verdict: 'not_done',
  },
  {
    name: 'renamed without UUIDs',
    proof: rename,
    before: { objects: { a: state('') } },
    now: { objects: { b: state('') } },
    verdict: 'done',
  },
  {
    name: 'exchanged',
    proof: exchange,
    before: { objects: { a: state('1'), b: state('2') } },
    now: { objects: { a: state('2'), b: state('1') } },
    verdict: 'done',
  },
  {
    name: 'not exchanged',
    proof: exchange,
    before: { objects: { a: state('1'), b: state('2') } },
    now: { objects: { a: state('1'), b: state('2') } },
    verdict: 'not_done',
  },
  {
    name: 'rotated through a third name',
    proof: rotate,
    before: { objects: { a: state('1'), b: state('2') } },
    now: { objects: { a: state('2'), b: state('1') } },
    verdict: 'done',
  },
  {
    name: 'rotated halfway',
    proof: rotate,
    before: { objects: { a: state('1'), b: state('2') } },
    now: { objects: { c: state('1'), b: state('2') } },
    verdict: 'unknown',
  },
  {
    name: 'altered',
    proof: altered,
    before: { objects: { a: state('1') } },
    now: { objects: { a: state('1', { create: 'c2' }) } },
    verdict: 'done',
  },
  {
    name: 'not altered',
    proof: altered,
    before: { objects: { a: state('1') } },
    now: { objects: { a: state('1') } },
    verdict: 'not_done',
  },
  {
    name: 'a mutation was queued',
    proof: mutated,
    before: { objects: { a: state('1') }, mutations: { a: ['m1'] } },
    now: { objects: { a: state('1') }, mutations: { a: ['m1', 'm2'] } },
    verdict: 'done',
  },
  {
    name: 'a mutation of another was queued',
    proof: mutatedSo,
    before: { objects: { a: state('1') }, mutations: { a: ['m1'] } },
    now: {
      objects: { a: state('1') },
      mutations: { a: ['m1', 'm2'] },
      commands: { a: { m1: ['DELETE WHERE x = 1'], m2: ['DELETE WHERE x = 2'] } },
    },
    verdict: 'unknown',
  },
  {
    name: 'ours was queued between those of others',
    proof: mutatedSo,
    before: { objects: { a: state('1') } },
    now: {
      objects: { a: state('1') },
      mutations: { a: ['m1', 'm2', 'm3'] },
      commands: { a: { m1: ['(DELETE WHERE x = 2)'], m2: ['(DELETE WHERE x = 1)'], m3: ['(DELETE WHERE x = 3)'] } },
    },
    verdict: 'done',
  },
  {
    name: 'an old mutation was forgotten, no new one queued',
    proof: mutated,
    before: { objects: { a: state('1') }, mutations: { a: ['m1', 'm2'] } },
    now: { objects: { a: state('1') }, mutations: { a: ['m2'] } },
    verdict: 'not_done',
  },
  {
    name: 'metadata changed, its mutation missing',
    proof: mutated,
    before: { objects: { a: state('1') } },
    now: { objects: { a: state('1', { create: 'c2' }) } },
    verdict: 'unknown',
  },
  {
    name: 'nothing inserted',
    proof: written,
    before: { objects: { a: state('1') }, blocks: { a: 'x' } },
    now: { objects: { a: state('1') }, blocks: { a: 'x' } },
    verdict: 'not_done',
  },
  {
    name: 'something was inserted, by this or by another',
    proof: written,
    before: { objects: { a: state('1') } },
    now: { objects: { a: state('1', { rows: 2 }) }, blocks: { a: 'x' } },
    verdict: 'unknown',
  },
  {
    name: 'something was inserted, and nobody else is there',
    proof: written,
    alone: true,
    before: { objects: { a: state('1') } },
    now: { objects: { a: state('1', { rows: 2 }) }, blocks: { a: 'x' } },
    verdict: 'done',
  },
  {
    name: 'a part of the rows was inserted, and nobody else is there',
    proof: written,
    alone: true,
    before: { objects: { a: state('1') } },
    now: { objects: { a: state('1', { rows: 1 }) }, blocks: { a: 'x' } },
    verdict: 'unknown',
  },
  {
    name: 'inserted into a table that counts nothing',
    proof: written,
    before: { objects: { a: state('1', { engine: 'Null', rows: null }) } },
    now: { objects: { a: state('1', { engine: 'Null', rows: null }) } },
    verdict: 'unknown',
  },
  {
    name: 'truncated',
    proof: emptied,
    before: { objects: { a: state('1', { rows: 9 }) }, blocks: { a: 'x' } },
    now: { objects: { a: state('1') } },
    verdict: 'done',
  },
  {
    name: 'not truncated',
    proof: emptied,
    before: { objects: { a: state('1', { rows: 9 }) }, blocks: { a: 'x' } },
    now: { objects: { a: state('1', { rows: 9 }) }, blocks: { a: 'x' } },
    verdict: 'not_done',
  },
  { name: 'a user was created', proof: user, before: {}, now: { named: { u: '1' } }, verdict: 'done' },
  { name: 'a user was not created', proof: user, before: {}, now: {}, verdict: 'not_done' },
  { name: 'a user was dropped', proof: dropUser, before: { named: { u: '1' } }, now: {}, verdict: 'done' },
  {
    name: 'repeatable statements are repeated',
    proof: { kind: 'repeatable' },
    before: {},
    now: {},
    verdict: 'not_done',
  },
  { name: 'without a proof nobody knows', proof: { kind: 'none' }, before: {}, now: {}, verdict: 'unknown' },
]

describe('judge', () => {
  test.each(rows)('$name', ({ proof, before, now, verdict, alone = false }) => {
    expect(judge(proof, seen(before), seen(now), alone)).toBe(verdict)
  })
})
