import { describe, expect, test } from 'vitest'
import { parseSelectText, type SqlQuery } from '../../../src/index.js'
import { judgeParts, type TargetPart } from '../../../src/plugins/backfill/chunk.js'
import { environmentOf, planId } from '../../../src/plugins/backfill/plan.js'
import { progressLine, short, showDuration } from '../../../src/plugins/backfill/progress.js'
import {
  leadingTable,
  replaySelect,
  stagingStatement,
  timeOutputs,
  windowCondition,
} from '../../../src/plugins/backfill/query.js'
import { chooseTimeColumn, timeLiteral, timeTypeOf } from '../../../src/plugins/backfill/time-column.js'
import { checkWindow, parseTimestamp, splitWindow } from '../../../src/plugins/backfill/window.js'

describe('times', () => {
  test.each([
    ['2024-01-31', '2024-01-31T00:00:00.000Z'],
    ['2024-01-31 12:30', '2024-01-31T12:30:00.000Z'],
    ['2024-01-31T12:30:15.5Z', '2024-01-31T12:30:15.500Z'],
    ['2024-01-31T12:30:00+02:00', '2024-01-31T10:30:00.000Z'],
    ['2024-02-29', '2024-02-29T00:00:00.000Z'],
  ])('%s is %s', (text, iso) => {
    expect(new Date(parseTimestamp(text) ?? Number.NaN).toISOString()).toBe(iso)
  })

  test.each([
    '2024-02-30',
    '2023-02-29',
    '2024-13-01',
    '2024-01-01T25:00',
    '0024-01-01',
    '2024-01-01T00:00+99:99',
    'yesterday',
    '',
    '20240101',
  ])('%j is none', (text) => {
    expect(parseTimestamp(text)).toBeUndefined()
  })

  test('chunks cover the window without gap or overlap, the last one is what is left', () => {
    expect(splitWindow({ from: 0, to: 25 }, 10)).toEqual([
      { from: 0, to: 10 },
      { from: 10, to: 20 },
      { from: 20, to: 25 },
    ])
  })

  test('a column of whole days takes whole days', () => {
    const limits = { maxWindowHours: 720, minChunkMinutes: 15, forceLargeWindow: false, wholeDays: true }
    expect(checkWindow({ from: 0, to: 3 * 86_400_000 }, 6, limits)).toBe(86_400_000)
    expect(() => checkWindow({ from: 0, to: 3_600_000 }, 6, limits)).toThrow('00:00 UTC')
  })

  test.each([
    ['Date', "toDate('2024-01-31')"],
    ['Date32', "toDate32('2024-01-31')"],
    ["DateTime('Europe/Berlin')", "toDateTime('2024-01-31 12:00:00', 'UTC')"],
    ['Nullable(DateTime64(6))', "toDateTime64('2024-01-31 12:00:00.000', 6, 'UTC')"],
  ])('a moment for %s', (type, literal) => {
    const time = timeTypeOf(type)
    expect(time && timeLiteral(Date.UTC(2024, 0, 31, 12), time)).toBe(literal)
  })

  // The server takes 2300-01-01 for 2299-12-31, and rows of that day would not be before it.
  test.each([
    ['Date32', '1899-01-01', '2300-01-01', '`t` IS NOT NULL'],
    ['Date32', '2299-01-01', '2300-01-01', "`t` >= toDate32('2299-01-01')"],
    ['Date', '2149-06-06', '2149-06-07', "`t` >= toDate32('2149-06-06')"],
    ['DateTime', '1960-01-01', '1980-01-01', "`t` IS NOT NULL AND `t` < toDateTime('1980-01-01 00:00:00', 'UTC')"],
    ['DateTime64(9)', '2262-01-01', '2263-01-01', "`t` >= toDateTime64('2262-01-01 00:00:00.000', 9, 'UTC')"],
    ['DateTime64(9)', '2263-01-01', '2264-01-01', '0'],
    ['DateTime', '1950-01-01', '1960-01-01', '0'],
  ])('a window of %s from %s to %s has no end beyond what the column can hold', (type, from, to, condition) => {
    const window = { from: Date.parse(from), to: Date.parse(to) }
    expect(windowCondition({ name: 't', type, from: 'flag' }, window)).toBe(condition)
  })
})

describe('the time column', () => {
  const columns = [
    { name: 'id', type: 'UInt64' },
    { name: 'created_at', type: 'DateTime' },
    { name: 'seen', type: 'DateTime64(3)' },
    { name: 'ts', type: 'DateTime' },
  ]
  test.each([
    ['the flag first', { flag: 'seen', table: 'ts', defaults: 'created_at' }, 'seen', 'flag'],
    ['then the table', { table: 'ts', defaults: 'created_at' }, 'ts', 'table'],
    ['then the defaults', { defaults: 'created_at' }, 'created_at', 'defaults'],
    ['then the sorting key', { sortingKey: ['id', 'seen', 'ts'] }, 'seen', 'sorting key'],
    ['then a usual name', {}, 'ts', 'name'],
  ])('%s', (_name, given, name, from) => {
    expect(chooseTimeColumn({ columns, sortingKey: [], ...given })).toMatchObject({ name, from })
  })

  test.each([
    ['one that is not there', { flag: 'nope' }, "it has no column 'nope'"],
    ['one that is no time', { flag: 'id' }, "its column 'id' is UInt64, which is no time"],
    ['none at all', { columns: columns.slice(0, 1) }, 'it has no Date or DateTime column'],
  ])('%s is refused', (_name, given, wrong) => {
    expect(chooseTimeColumn({ columns, sortingKey: [], ...given })).toEqual({ wrong })
  })
})

describe('the id of a plan', () => {
  const identity = {
    target: { database: 'a', name: 't' },
    source: { database: 'a', name: 's' },
    view: null,
    window: { from: 0, to: 10 },
    chunkMs: 5,
    timeColumn: 'at',
    existing: 'append' as const,
    fingerprint: environmentOf({ target: 'http://h:8123/', database: 'a' }).fingerprint,
  }

  test('depends on each part of it, and on nothing else', () => {
    expect(planId(identity)).toMatch(/^[0-9a-f]{16}$/)
    expect(planId({ ...identity })).toBe(planId(identity))
    const others = [
      { target: { database: 'a', name: 'u' } },
      { source: { database: 'b', name: 's' } },
      { view: { database: 'a', name: 'v' } },
      { window: { from: 0, to: 11 } },
      { chunkMs: 6 },
      { timeColumn: 'ts' },
      { existing: 'replace' as const },
      { fingerprint: environmentOf({ target: 'http://h:8123', database: 'b' }).fingerprint },
    ].map((change) => planId({ ...identity, ...change }))
    expect(new Set([planId(identity), ...others]).size).toBe(others.length + 1)
  })
})

describe('queries', () => {
  const query = (text: string) => parseSelectText(text).node as SqlQuery
  const source = { database: 'd', name: 's' }

  test.each([
    ['a plain table', 'SELECT a FROM d.s', 'd.s'],
    ['an alias', 'SELECT a FROM d.s AS x', 'd.s'],
    ['a subquery', 'SELECT a FROM (SELECT a FROM d.s)', 'd.s'],
    ['WITH of an outer query', 'WITH c AS (SELECT a FROM d.s) SELECT a FROM (SELECT a FROM c)', 'd.s'],
    ['the first of a join', 'SELECT a FROM d.s INNER JOIN d.t USING a', 'd.s'],
    ['a table function', 'SELECT number FROM numbers(3)', undefined],
  ])('the leading table: %s', (_name, text, expected) => {
    const found = leadingTable(query(text), 'd')
    expect(found && `${found.database}.${found.name}`).toBe(expected)
  })

  test('every mention of the source is replaced, names keep their meaning', () => {
    const text =
      'SELECT d.s.a, x.b FROM d.s INNER JOIN d.s AS x ON x.a = s.a WHERE a IN (d.s) AND b IN (SELECT b FROM s)'
    expect(replaySelect(query(text), source, 'd', 'SELECT * FROM d.s WHERE t > 1')).toBe(
      'SELECT s.a, x.b FROM (SELECT * FROM d.s WHERE t > 1) AS s INNER JOIN (SELECT * FROM d.s WHERE t > 1) AS x ON x.a = s.a ' +
        'WHERE (a IN (SELECT * FROM d.s WHERE t > 1)) AND (b IN (SELECT b FROM (SELECT * FROM d.s WHERE t > 1) AS s))',
    )
  })

  test('outputs that are the time, or the time rounded down', () => {
    const outputs = timeOutputs(
      query(
        'SELECT toStartOfHour(at) AS hour, at, toStartOfInterval(at, INTERVAL 5 MINUTE) AS five, at + 1 AS later, id FROM d.s',
      ),
      'at',
    )
    expect(outputs.map(({ name, of }) => `${name}: ${of('X')}`)).toEqual([
      'at: X',
      'hour: toStartOfHour(X)',
      'five: toStartOfInterval(X, toIntervalMinute(5))',
    ])
  })

  test('a staging table has the structure and the engine of the target, no TTL, no merges, a path of its own', () => {
    const create =
      "CREATE TABLE d.t (`a` UInt8 TTL b + toIntervalDay(1), `b` Date) ENGINE = ReplicatedReplacingMergeTree('/t/{shard}', '{replica}', a) PARTITION BY b ORDER BY a TTL b + toIntervalDay(9) SETTINGS index_granularity = 8192, parts_to_throw_insert = 5 COMMENT 'x'"
    expect(stagingStatement(create, { name: { database: 'd', name: 'st' }, keeperPath: '/p' })).toBe(
      "CREATE TABLE d.st (`a` UInt8, `b` Date) ENGINE = ReplicatedReplacingMergeTree('/p', '{replica}', a) PARTITION BY b ORDER BY a " +
        'SETTINGS index_granularity = 8192, max_bytes_to_merge_at_max_space_in_pool = 1, parts_to_delay_insert = 1000000, ' +
        'parts_to_throw_insert = 1000000, max_parts_in_total = 10000000, non_replicated_deduplication_window = 0, replicated_deduplication_window = 0',
    )
    expect(
      stagingStatement("CREATE TABLE d.t (`a` UInt8) ENGINE = SharedMergeTree('/t', '{replica}') ORDER BY a", {
        name: { database: 'd', name: 'st' },
      }),
    ).toContain('ENGINE = MergeTree() ORDER BY a')
  })
})

describe('what the parts of the target tell after a move was cut off', () => {
  const staged = [
    { partition: 'p', name: 'p_1_1_0', hash: 'one', rows: 1 },
    { partition: 'p', name: 'p_2_2_0', hash: 'two', rows: 1 },
  ]
  const part = (block: number, hash: string, more: Partial<TargetPart> = {}): TargetPart => ({
    partition: 'p',
    hash,
    minBlock: block,
    maxBlock: block,
    version: block,
    ...more,
  })
  const arrived = (parts: readonly TargetPart[], crashed = true) => {
    const judged = judgeParts(staged, parts, { p: 4 }, crashed)
    return judged.kind === 'known' ? [...judged.arrived] : judged.kind
  }

  test.each([
    ['nothing came', [part(4, 'one')], []],
    ['both came', [part(5, 'one'), part(6, 'two')], ['p_1_1_0', 'p_2_2_0']],
    ['one came before the crash', [part(5, 'one')], ['p_1_1_0']],
    [
      'both came and were merged, which still shows',
      [part(5, 'one'), part(6, 'two'), part(5, 'm', { maxBlock: 6, version: 5 })],
      ['p_1_1_0', 'p_2_2_0'],
    ],
    ['another writer came', [part(5, 'other')], []],
    ['something came and was merged away', [part(1, 'm', { maxBlock: 6 })], 'unknown'],
    ['something came and was mutated', [part(5, 'other', { version: 9 })], 'unknown'],
    ['one is seen, and more was merged away', [part(5, 'one'), part(6, 'm', { maxBlock: 8 })], 'unknown'],
  ])('%s', (_name, parts, expected) => {
    expect(arrived(parts)).toEqual(expected)
  })

  test('without a crash a partition is in one place, whatever was merged', () => {
    expect(arrived([part(1, 'm', { maxBlock: 6 })], false)).toEqual([])
  })
})

test('the progress line', () => {
  const figures = {
    chunks: { done: 3, total: 12, failed: 0 },
    rows: 3_000_000,
    bytes: 36_000_000,
    newRows: 1_000_000,
    newBytes: 12_000_000,
    shareBefore: 0.2,
    share: 0.3,
    elapsedMs: 10_000,
  }
  expect(progressLine(figures)).toBe('3/12 chunks, 3.0 M rows, 36.0 MB, 100 k rows/s, 1.2 MB/s, 1 m 10 s left')
  expect([short(950), short(1_234), short(45_600_000, 'B'), showDuration(7_260_000)]).toEqual([
    '950',
    '1.2 k',
    '45.6 MB',
    '2 h 1 m',
  ])
})
