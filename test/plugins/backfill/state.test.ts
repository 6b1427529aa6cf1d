import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { ChkitError } from '../../../src/errors.js'
import { PLAN_VERSION, type Plan, planId, plannedChunks, windowOf } from '../../../src/plugins/backfill/plan.js'
import {
  type ChunkState,
  openEvents,
  readPlan,
  readRun,
  stateFiles,
  writePlan,
} from '../../../src/plugins/backfill/state.js'
import { splitWindow } from '../../../src/plugins/backfill/window.js'
import { removeFolder, temporaryFolder } from '../../support/engine.js'

/** State files as kills, full disks, editors and backups leave them: read as they were meant, or refused by name. */

const folder = temporaryFolder('chkit-backfill-state-')
afterAll(() => removeFolder(folder))
const files = stateFiles(folder)

const range = { from: '2024-01-01T00:00:00.000Z', to: '2024-01-02T00:00:00.000Z' }
const name = (table: string) => ({ database: 'app', name: table })
const identity = {
  target: name('target'),
  source: name('source'),
  view: null,
  window: windowOf(range),
  chunkMs: 12 * 3_600_000,
  timeColumn: 'at',
  existing: 'append',
  fingerprint: 'f',
} as const
const id = planId(identity)
const PLAN: Plan = {
  version: PLAN_VERSION,
  id,
  createdAt: range.to,
  strategy: 'table',
  target: identity.target,
  storage: identity.target,
  source: identity.source,
  view: null,
  ...range,
  chunkHours: 12,
  timeColumn: { name: 'at', type: 'DateTime', from: 'flag' },
  columns: ['at', 'id'],
  mechanism: 'staged',
  existing: 'append',
  replaceWhere: null,
  environment: { server: 'http://localhost:8123', database: 'app', fingerprint: 'f' },
  incarnation: '',
  definitions: { target: 'a', source: 'b', view: null },
  warnings: ['ünïcode'],
  chunks: plannedChunks(id, splitWindow(identity.window, identity.chunkMs), undefined),
}
const STAGING = { table: '_s', parts: [{ partition: 'all', name: 'all_1_1_0', hash: 'h', rows: 3 }], rows: 3, bytes: 9 }
const STATES: readonly ChunkState[] = [
  { status: 'writing', attempts: 1, table: '_s', queryId: 'q' },
  { status: 'staged', attempts: 1, staging: STAGING },
  { status: 'moving', attempts: 1, staging: STAGING, blocks: { all: 4 }, serverTime: 1700000000 },
  { status: 'done', attempts: 1, rows: 3, bytes: 9 },
]

beforeEach(() => {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  writePlan(files, PLAN)
  const log = openEvents(files, PLAN, () => Date.parse(range.to))
  log.append({ kind: 'status', status: 'running' })
  for (const state of STATES) log.append({ kind: 'chunk', chunk: '0001', state, sequence: 7 })
  log.append({ kind: 'chunk', chunk: '0002', state: { status: 'failed', attempts: 4, error: 'full' } })
  log.flush()
  log.close()
})

/** The code with which reading is refused; undefined where it is not. Anything but a ChkitError fails the test. */
function refusal(read: () => unknown): string | undefined {
  try {
    read()
    return undefined
  } catch (error) {
    if (error instanceof ChkitError) return error.code
    throw error
  }
}

describe('cut off after every byte', () => {
  test('a plan is refused, whatever is left of it', () => {
    const whole = readFileSync(files.planFile(id))
    for (let length = 0; length < whole.length - 1; length++) {
      writeFileSync(files.planFile(id), whole.subarray(0, length))
      expect(refusal(() => readPlan(files, id))).toBe('state_corrupt')
    }
  })

  test('a run file is refused, and without it the events are enough', () => {
    const whole = readFileSync(files.runFile(id))
    const meant = readRun(files, id)
    for (let length = 0; length < whole.length - 1; length++) {
      writeFileSync(files.runFile(id), whole.subarray(0, length))
      expect(refusal(() => readRun(files, id))).toBe('state_corrupt')
    }
    rmSync(files.runFile(id))
    expect(readRun(files, id)).toEqual(meant)
  })

  test('events that the run file has counted are missed; without a run file, what is left holds', () => {
    const whole = readFileSync(files.eventsFile(id))
    for (let length = 0; length < whole.length; length++) {
      writeFileSync(files.eventsFile(id), whole.subarray(0, length))
      expect(refusal(() => readRun(files, id))).toBe('state_corrupt')
    }
    rmSync(files.runFile(id))
    for (let length = 0; length < whole.length; length++) {
      writeFileSync(files.eventsFile(id), whole.subarray(0, length))
      const lines = whole.subarray(0, length).toString('latin1').split('\n').length - 1
      expect(readRun(files, id).events).toBe(lines)
    }
  })
})

const GARBAGE = ['', 'null', '[]', '{}', '42', '"text"', '\u0000\u0000\u0000', '<html></html>', '{"id":"x"}', '[{}]']

describe('other texts', () => {
  test.each(GARBAGE)('%j is no plan, no run file and no event', (text) => {
    writeFileSync(files.planFile(id), text)
    expect(refusal(() => readPlan(files, id))).toBe('state_corrupt')
    const run = readFileSync(files.runFile(id))
    writeFileSync(files.runFile(id), text)
    expect(refusal(() => readRun(files, id))).toBe('state_corrupt')
    writeFileSync(files.runFile(id), run)
    const events = readFileSync(files.eventsFile(id), 'utf8')
    writeFileSync(files.eventsFile(id), `${events}${text}\n`)
    expect(refusal(() => readRun(files, id))).toBe('state_corrupt')
  })

  test.each([
    ['another window', { to: '2024-01-03T00:00:00.000Z' }],
    ['another target', { target: name('other') }],
    ['a chunk less', { chunks: PLAN.chunks.slice(1) }],
    ['chunks in another order', { chunks: [...PLAN.chunks].reverse() }],
    ['no columns', { columns: [] }],
    ['another engine of delivery', { mechanism: 'magic' }],
    ['a time that is none', { from: 'yesterday' }],
    ['a version that is yet to come', { version: 2 }],
    ['the id of another plan', { id: '0123456789abcdef' }],
  ])('a plan with %s is refused', (_name, change) => {
    writeFileSync(files.planFile(id), JSON.stringify({ ...PLAN, ...change }))
    expect(refusal(() => readPlan(files, id))).toBe('state_corrupt')
  })

  test.each([
    ['a state that is none', { kind: 'chunk', chunk: '0001', state: { status: 'finished' } }],
    ['a done chunk without rows', { kind: 'chunk', chunk: '0001', state: { status: 'done', attempts: 1 } }],
    ['a move without its parts', { kind: 'chunk', chunk: '0001', state: { ...STATES[2], staging: { table: '_s' } } }],
    ['a kind that is none', { kind: 'finished' }],
  ])('an event with %s is refused, naming its line', (_name, event) => {
    const events = readFileSync(files.eventsFile(id), 'utf8')
    writeFileSync(files.eventsFile(id), `${events}${JSON.stringify({ at: range.from, ...event })}\n`)
    expect(() => readRun(files, id)).toThrow(/line 7: /)
  })

  test('fields that a later version may add are no harm', () => {
    writeFileSync(files.planFile(id), JSON.stringify({ ...PLAN, added: 1 }))
    expect(readPlan(files, id).id).toBe(id)
  })

  test.each(['planFile', 'runFile', 'eventsFile'] as const)('a folder in place of %s is a sentence', (which) => {
    rmSync(files[which](id))
    mkdirSync(files[which](id))
    expect(refusal(() => (which === 'planFile' ? readPlan(files, id) : readRun(files, id)))).toBe('file_unreadable')
  })

  test('a file in place of the folder is a sentence', () => {
    rmSync(dirname(files.eventsFile(id)), { recursive: true })
    writeFileSync(dirname(files.eventsFile(id)), '')
    rmSync(files.runFile(id))
    expect(refusal(() => openEvents(files, PLAN, Date.now))).toBe('file_unwritable')
  })
})
