import { describe, expect, test } from 'vitest'
import { sqlTokens } from '../../../src/index.js'
import { plainStatement } from '../../../src/plugins/obsessiondb/statement.js'
import { decide } from '../../../src/plugins/obsessiondb/target.js'

describe('plainStatement', () => {
  const rewritten: readonly { name: string; from: string; to: string; engines: readonly string[] }[] = [
    {
      name: 'the engine of a table, everything else as written',
      from: 'CREATE TABLE t (id UInt64) -- Shared\nENGINE =  SharedMergeTree\nORDER BY id',
      to: 'CREATE TABLE t (id UInt64) -- Shared\nENGINE =  MergeTree\nORDER BY id',
      engines: ['SharedMergeTree'],
    },
    {
      name: 'parameters of the family',
      from: 'CREATE TABLE t (a Int8, v Int8) ENGINE SharedReplacingMergeTree(v) ORDER BY a',
      to: 'CREATE TABLE t (a Int8, v Int8) ENGINE ReplacingMergeTree(v) ORDER BY a',
      engines: ['SharedReplacingMergeTree'],
    },
    {
      name: 'path and replica are left out, other parameters stay',
      from: "create table t (a Int8, v Int8) engine=SharedSummingMergeTree('/p/{uuid}', '{replica}', (v)) order by a",
      to: 'create table t (a Int8, v Int8) engine=SummingMergeTree((v)) order by a',
      engines: ['SharedSummingMergeTree'],
    },
    {
      name: 'path and replica alone leave empty brackets',
      from: "CREATE TABLE t (a Int8) ENGINE = SharedMergeTree('/p', '{replica}') ORDER BY a",
      to: 'CREATE TABLE t (a Int8) ENGINE = MergeTree() ORDER BY a',
      engines: ['SharedMergeTree'],
    },
    {
      name: 'a quoted engine',
      from: 'CREATE TABLE t (a Int8) ENGINE = `SharedMergeTree` ORDER BY a',
      to: 'CREATE TABLE t (a Int8) ENGINE = MergeTree ORDER BY a',
      engines: ['SharedMergeTree'],
    },
    {
      name: 'a table called engine, filled by a query that is left alone',
      from: "CREATE TABLE engine ENGINE = SharedMergeTree ORDER BY a AS SELECT 1 AS a, 'ENGINE = SharedMergeTree'",
      to: "CREATE TABLE engine ENGINE = MergeTree ORDER BY a AS SELECT 1 AS a, 'ENGINE = SharedMergeTree'",
      engines: ['SharedMergeTree'],
    },
    {
      name: 'a copy of another table',
      from: 'CREATE TABLE t AS other ENGINE = SharedMergeTree ORDER BY a',
      to: 'CREATE TABLE t AS other ENGINE = MergeTree ORDER BY a',
      engines: ['SharedMergeTree'],
    },
    {
      name: 'the inner table of a materialized view, not its query',
      from: 'CREATE MATERIALIZED VIEW m ENGINE = SharedAggregatingMergeTree ORDER BY a AS SELECT a, engine = SharedMergeTree FROM t',
      to: 'CREATE MATERIALIZED VIEW m ENGINE = AggregatingMergeTree ORDER BY a AS SELECT a, engine = SharedMergeTree FROM t',
      engines: ['SharedAggregatingMergeTree'],
    },
  ]
  test.each(rewritten)('$name', ({ from, to, engines }) => {
    expect(plainStatement(from)).toEqual({ text: to, engines })
  })

  const untouched: readonly { name: string; sql: string }[] = [
    { name: 'a view', sql: 'CREATE VIEW v AS SELECT engine = SharedMergeTree FROM t' },
    { name: 'a view in brackets', sql: 'CREATE VIEW v AS (SELECT engine = SharedMergeTree FROM t)' },
    { name: 'a materialized view with a target', sql: 'CREATE MATERIALIZED VIEW SharedV TO t AS WITH 1 AS x SELECT x' },
    { name: 'text', sql: "CREATE TABLE t (a String DEFAULT 'ENGINE = SharedMergeTree') ENGINE = Log" },
    { name: 'a comment', sql: 'CREATE TABLE t (a Int8) ENGINE = Log /* ENGINE = SharedMergeTree */' },
    { name: 'a heredoc', sql: 'CREATE TABLE t (a Int8) ENGINE = Log COMMENT $x$ENGINE = SharedMergeTree$x$' },
    { name: 'another engine', sql: 'CREATE TABLE t (a Int8) ENGINE = SharedSet' },
    { name: 'another statement', sql: 'INSERT INTO t SELECT 1 AS ENGINE, SharedMergeTree FROM s' },
  ]
  test.each(untouched)('leaves $name alone', ({ sql }) => {
    expect(plainStatement(sql)).toEqual({ text: sql, engines: [] })
  })
})

describe('decide', () => {
  const none = { force: false, no: false }
  const rows: readonly { url: string | undefined; hosts?: readonly string[]; engines: 'kept' | 'rewritten' }[] = [
    { url: 'http://localhost:8123', engines: 'rewritten' },
    { url: 'chdb:./db', engines: 'rewritten' },
    { url: 'https://abc.eu-west-1.aws.clickhouse.cloud:8443', engines: 'kept' },
    { url: 'https://X.ObsessionDB.com.', engines: 'kept' },
    { url: 'https://obsessiondb.com', engines: 'kept' },
    { url: 'https://notobsessiondb.com', engines: 'rewritten' },
    { url: 'https://obsessiondb.com.evil.example', engines: 'rewritten' },
    { url: 'https://host.example/?x=.clickhouse.cloud', engines: 'rewritten' },
    { url: 'https://db.example.com', hosts: ['DB.example.com'], engines: 'kept' },
    { url: 'https://a.b.example.com', hosts: ['*.example.com'], engines: 'kept' },
    { url: 'https://example.com', hosts: ['*.example.com'], engines: 'rewritten' },
    { url: 'http://[::1]:8123', hosts: ['[::1]'], engines: 'kept' },
    { url: undefined, engines: 'kept' },
  ]
  test.each(rows)('$url with hosts $hosts: $engines', ({ url, hosts = [], engines }) => {
    expect(decide(url, hosts, none).engines).toBe(engines)
  })

  test('flags come before the host', () => {
    expect(decide('chdb:./db', [], { force: true, no: false }).engines).toBe('kept')
    expect(decide('https://a.clickhouse.cloud', [], { force: false, no: true }).engines).toBe('rewritten')
  })
})

test('sqlTokens gives kind, value and place, and passes over comments', () => {
  const sql = "a.`b``c` /* x */ = 'd''e', 1.5"
  const tokens = sqlTokens(sql)
  expect(tokens.map(({ kind, value }) => [kind, value])).toEqual([
    ['word', 'a'],
    ['symbol', '.'],
    ['quoted_identifier', 'b`c'],
    ['symbol', '='],
    ['string', "d'e"],
    ['symbol', ','],
    ['number', '1.5'],
  ])
  expect(tokens.map(({ start, end, text }) => sql.slice(start, end) === text)).not.toContain(false)
})
