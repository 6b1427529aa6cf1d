import { createRequire } from 'node:module'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { canonicalise, definitionFromStatement } from '../../src/model/canonical.js'
import { declarationsOf } from '../../src/model/declarations.js'
import type { Definition, Table } from '../../src/model/definition.js'
import { neededSettings } from '../../src/model/needed-settings.js'
import { renderCreate } from '../../src/render/create.js'
import { removeFolder, temporaryFolder } from '../support/engine.js'

type Engine = { query(sql: string, format: string): string; cleanup(): void }
const { Session } = createRequire(import.meta.url)('chdb') as { Session: new (path: string) => Engine }

/** Tables that a server with default settings refuses, and the settings that make it take them. */
const TABLES: readonly (readonly [columns: string, storage: string, settings: readonly string[]])[] = [
  ['x LowCardinality(UInt8)', 'MergeTree ORDER BY id', ['allow_suspicious_low_cardinality_types']],
  ['x Array(LowCardinality(Nullable(Date)))', 'Memory', ['allow_suspicious_low_cardinality_types']],
  ['x FixedString(300)', 'Log', ['allow_suspicious_fixed_string_types']],
  ['x Variant(UInt8, UInt16)', 'MergeTree ORDER BY id', ['allow_suspicious_variant_types']],
  ['x Tuple(a Variant(String, FixedString(3)))', 'MergeTree ORDER BY id', ['allow_suspicious_variant_types']],
  ['x Nullable(Tuple(a UInt8))', 'MergeTree ORDER BY id', ['enable_nullable_tuple_type']],
  ['x Nullable(Point)', 'Memory', ['enable_nullable_tuple_type']],
  [
    'x AggregateFunction(timeSeriesRateToGrid(100, 200, 10, 15), DateTime, Float64)',
    'MergeTree ORDER BY id',
    ['allow_experimental_time_series_aggregate_functions'],
  ],
  ['x LowCardinality(UInt8)', "MySQL('h:3306', 'd', 't', 'u', '')", ['allow_suspicious_low_cardinality_types']],
  [
    'x LowCardinality(UInt8)',
    "S3('https://bucket.s3.amazonaws.com/x', 'CSV')",
    ['allow_suspicious_low_cardinality_types'],
  ],
  ['x UInt8 CODEC(LZ4, ZSTD)', 'MergeTree ORDER BY id', ['allow_suspicious_codecs']],
  ['x UInt64 CODEC(Delta)', 'MergeTree ORDER BY id', ['allow_suspicious_codecs']],
  ['x UInt64 CODEC(NONE, LZ4)', 'MergeTree ORDER BY id', ['allow_suspicious_codecs']],
  ['x UInt64 CODEC(Gorilla)', 'MergeTree ORDER BY id', ['allow_suspicious_codecs']],
  ['x Float64 CODEC(Delta, Gorilla)', 'MergeTree ORDER BY id', ['allow_suspicious_codecs']],
  ['x UInt64 CODEC(AES_128_GCM_SIV, LZ4)', 'MergeTree ORDER BY id', ['allow_suspicious_codecs']],
  ['x UInt64 CODEC(Delta, AES_128_GCM_SIV)', 'MergeTree ORDER BY id', ['allow_suspicious_codecs']],
  ['x Float64 CODEC(ALP)', 'MergeTree ORDER BY id', ['allow_experimental_codecs']],
  ['x String TTL now() + INTERVAL 1 DAY', 'MergeTree ORDER BY id', ['allow_suspicious_ttl_expressions']],
  ['x String', 'MergeTree ORDER BY id TTL now() + INTERVAL 1 DAY', ['allow_suspicious_ttl_expressions']],
  [
    'x DateTime',
    'MergeTree ORDER BY id TTL x + INTERVAL 1 DAY RECOMPRESS CODEC(ZSTD(3), LZ4)',
    ['allow_suspicious_ttl_expressions'],
  ],
  ['x Date', 'MergeTree(x, (id), 8192)', ['allow_deprecated_syntax_for_merge_tree']],
  [
    'x FixedString(500) CODEC(LZ4, LZ4)',
    'MergeTree ORDER BY id SETTINGS min_rows_for_wide_part = 7',
    ['allow_suspicious_codecs', 'allow_suspicious_fixed_string_types'],
  ],
]

/** Tables that need no setting. */
const PLAIN = [
  "x LowCardinality(Nullable(String)), y LowCardinality(FixedString(2)), z Enum8('LowCardinality(UInt8)' = 1)",
  'x FixedString(256), y Variant(String, UInt8, Array(String)), z Nullable(String)',
  'x UInt64 CODEC(Delta, LZ4), y Float64 CODEC(Gorilla), z UInt64 CODEC(T64), a String CODEC(ZSTD(3), AES_128_GCM_SIV)',
  'x UInt64 CODEC(DoubleDelta), y Float32 CODEC(FPC(12), ZSTD), z DateTime CODEC(Delta(4), Default), a String CODEC(NONE)',
  'x DateTime, y String TTL x + INTERVAL 1 DAY',
  'x Float64 CODEC(Gorilla, LZ4), y Float32 CODEC(Delta, ZSTD), z UInt32 CODEC(T64, Delta), a Nullable(Float32) CODEC(Gorilla)',
]

const folder = temporaryFolder()
let engine: Engine
const query = (sql: string): string => engine.query(sql, 'TSVRaw').replace(/\n$/, '')

beforeAll(() => {
  engine = new Session(folder)
  query('CREATE DATABASE ns')
})

afterAll(() => {
  engine.cleanup()
  removeFolder(folder)
})

/** The table as the server shows it. */
function stored(): string {
  return query("SELECT create_table_query FROM system.tables WHERE database = 'ns' AND name = 't'")
}

function created(text: string): Table {
  query('DROP TABLE IF EXISTS ns.t SYNC')
  query(text)
  return definitionFromStatement(stored(), { currentDatabase: 'ns' }) as Table
}

describe('a table that a server refuses by default', () => {
  it.each(TABLES)('%s, %s', (columns, storage, settings) => {
    const plain = `CREATE TABLE ns.t (id UInt64, ${columns}) ENGINE = ${storage}`
    query('DROP TABLE IF EXISTS ns.t SYNC')
    expect(() => query(plain)).toThrow()
    const asked = settings.map((name) => `${name} = 1`).join(', ')
    const live = created(plain.includes('SETTINGS') ? `${plain}, ${asked}` : `${plain} SETTINGS ${asked}`)
    const text = stored()
    expect(Object.keys(neededSettings(live))).toEqual(settings)

    // What pull declares makes the same table on such a server, and is the live table to the differ.
    const [object] = declarationsOf([live], () => text)
    expect(object?.fallback).toBeUndefined()
    const { model, issues } = canonicalise([object!.declaration])
    expect(issues).toEqual([])
    const declared = model.definitions[0] as Definition
    query('DROP TABLE ns.t SYNC')
    query(renderCreate(declared, 'create'))
    expect(stored()).toBe(text)
    const { spelling: _spelling, origin: _origin, ...state } = declared as Table
    const { spelling: _liveSpelling, ...liveState } = live
    expect(state).toEqual(liveState)
  })
})

it.each(PLAIN)('needs no setting: %s', (columns) => {
  expect(neededSettings(created(`CREATE TABLE ns.t (id UInt64, ${columns}) ENGINE = MergeTree ORDER BY id`))).toEqual(
    {},
  )
})
