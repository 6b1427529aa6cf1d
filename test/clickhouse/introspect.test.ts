import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connect } from '../../src/clickhouse/connect.js'
import type { Executor } from '../../src/clickhouse/executor.js'
import { introspect } from '../../src/clickhouse/introspect.js'
import { objectKey } from '../../src/model/definition.js'
import { type HttpServer, startHttpServer } from '../support/http-server.js'

let server: HttpServer
let executor: Executor

const STATEMENTS = [
  'CREATE DATABASE shop',
  "CREATE TABLE shop.events (id UInt64, `a b` Nullable(String) DEFAULT 'x' COMMENT 'it''s', at DateTime64(3) CODEC(Delta, ZSTD(1)), note String TTL toDateTime(at) + INTERVAL 1 DAY, INDEX i id TYPE minmax GRANULARITY 2, PROJECTION p (SELECT id ORDER BY at), CONSTRAINT c CHECK id > 0) ENGINE = ReplacingMergeTree(id) PARTITION BY toYYYYMM(at) ORDER BY (id, at) TTL toDateTime(at) + INTERVAL 1 MONTH SETTINGS ttl_only_drop_parts = 1, deduplicate_merge_projection_mode = 'drop' COMMENT 'all of it'",
  'CREATE TABLE shop.log (line String) ENGINE = Log',
  'CREATE TABLE shop.numbers AS numbers(10)',
  'CREATE VIEW shop.recent AS SELECT * FROM shop.events WHERE at > now() - 60',
  'CREATE VIEW shop.one_of AS SELECT * FROM shop.events WHERE id = {id:UInt64}',
  'CREATE MATERIALIZED VIEW shop.counts ENGINE = SummingMergeTree ORDER BY id AS SELECT id, count() AS n FROM shop.events GROUP BY id',
  'CREATE MATERIALIZED VIEW shop.copy TO shop.log AS SELECT toString(id) AS line FROM shop.events',
  'CREATE MATERIALIZED VIEW shop.hourly REFRESH EVERY 1 HOUR APPEND TO shop.log AS SELECT toString(count()) AS line FROM shop.events',
  "CREATE DICTIONARY shop.names (id UInt64, name String DEFAULT '?') PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 'events' DB 'shop')) LAYOUT(HASHED()) LIFETIME(MIN 60 MAX 90)",
  'CREATE FUNCTION double_it AS (x) -> x * 2',
  'CREATE TABLE shop._chkit_migrations (name String) ENGINE = Memory',
]

beforeAll(async () => {
  server = await startHttpServer()
  executor = await connect({ url: server.url }, { root: '/' })
  for (const sql of STATEMENTS) await executor.command(sql)
})
afterAll(async () => {
  await executor.close()
  await server.stop()
})

describe('the live schema', () => {
  test('has every object once, sorted, and skips nothing', async () => {
    const { model, skipped, stats } = await introspect(executor, { databases: ['shop'] })
    expect(skipped).toEqual([])
    expect(model.definitions.map(objectKey)).toEqual([
      'database:shop',
      'dictionary:shop.names',
      'materialized_view:shop.copy',
      'materialized_view:shop.counts',
      'materialized_view:shop.hourly',
      'sql_function:double_it',
      'table:shop.events',
      'table:shop.log',
      'table:shop.numbers',
      'view:shop.one_of',
      'view:shop.recent',
    ])
    expect(stats).toMatchObject({ databases: 1, tables: 9, functions: 1, accessObjects: 0 })
  })

  test('says what it cannot put into words', async () => {
    await executor.command('CREATE DATABASE odd')
    await executor.command('CREATE TABLE odd.src (at DateTime) ENGINE = MergeTree ORDER BY at')
    await executor.command(
      "CREATE WINDOW VIEW odd.w ENGINE = Memory AS SELECT count() AS n, tumbleStart(w) AS s FROM odd.src GROUP BY tumble(at, INTERVAL '1' MINUTE) AS w",
      {
        settings: { allow_experimental_window_view: 1, allow_experimental_analyzer: 0 },
      },
    )
    const { model, skipped } = await introspect(executor, { databases: ['odd'] })
    expect(model.definitions.map(objectKey)).toEqual(['database:odd', 'sql_function:double_it', 'table:odd.src'])
    expect(skipped).toMatchObject([{ object: 'odd.w', statement: expect.stringContaining('CREATE WINDOW VIEW odd.w') }])
  })

  test('is the same through the embedded engine’s text and over HTTP twice', async () => {
    const first = await introspect(executor)
    const second = await introspect(executor)
    expect(second).toEqual(first)
    expect(JSON.parse(JSON.stringify(first.model))).toEqual(first.model)
  })

  test('a thousand tables of twenty columns: at most four queries, below a second', async () => {
    const columns = Array.from(
      { length: 19 },
      (_, at) =>
        `column_${at} ${['UInt64', 'String', 'DateTime64(3)', 'Nullable(Decimal(9, 2))'][at % 4]} COMMENT 'number ${at}'`,
    )
    await executor.command('CREATE DATABASE many')
    for (let batch = 0; batch < 1000; batch += 50) {
      await Promise.all(
        Array.from({ length: 50 }, (_, at) =>
          executor.command(
            `CREATE TABLE many.t${batch + at} (id UInt64, ${columns.join(', ')}) ENGINE = MergeTree ORDER BY id`,
          ),
        ),
      )
    }
    const fresh = await connect({ url: server.url }, { root: '/' })
    await server.clearHistory()
    const start = performance.now()
    const { model, skipped } = await introspect(fresh, { databases: ['many'] })
    const ms = performance.now() - start
    await fresh.close()
    const { requests } = await server.stats()
    console.info(`introspection of 1,000 tables over HTTP: ${Math.round(ms)} ms, ${requests} requests`)
    expect(skipped).toEqual([])
    expect(model.definitions).toHaveLength(1002)
    expect(requests).toBeLessThanOrEqual(4)
    // Generous: the machine may be busy. The figure that counts is printed.
    expect(ms).toBeLessThan(3_000)
    await executor.command('DROP DATABASE many')
  })
})
