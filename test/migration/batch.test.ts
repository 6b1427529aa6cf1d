import { describe, expect, test } from 'vitest'
import { batchesOf, tablesToAsk } from '../../src/migration/batch.js'
import { parseMigration } from '../../src/migration/migration-file.js'
import { proofOf } from '../../src/migration/proof.js'

function planned(statements: readonly string[]) {
  const file = { name: '1.sql', file: '/1.sql', text: statements.map((text) => `${text};\n`).join(''), checksum: '' }
  return parseMigration(file, 'db').statements.map((statement) => ({
    statement,
    proof: proofOf(statement.node, 'db'),
  }))
}

/** Numbers of statements by batch, each with those that it waits for. */
function shape(statements: readonly string[], plain: readonly string[]) {
  const batches = batchesOf(
    planned(statements),
    plain.map((name) => ({ database: 'db', name })),
  )
  return batches.map((batch) => batch.map(({ after }) => after))
}

const TABLE = (name: string, columns = 'x UInt8') => `CREATE TABLE ${name} (${columns}) ENGINE = MergeTree ORDER BY x`

describe('which statements go together', () => {
  test.each<{ name: string; statements: string[]; plain?: string[]; batches: number[][][] }>([
    { name: 'creations of tables', statements: [TABLE('a'), TABLE('b'), TABLE('c')], batches: [[[], [], []]] },
    {
      name: 'a view waits for its table alone',
      statements: [TABLE('a'), TABLE('b'), 'CREATE VIEW v AS SELECT * FROM a'],
      batches: [[[], [], [0]]],
    },
    {
      name: 'a view on a view waits for everything before it, and everything after it waits for that',
      statements: [
        TABLE('a'),
        'CREATE VIEW v AS SELECT * FROM a',
        TABLE('b'),
        'CREATE VIEW w AS SELECT * FROM v',
        TABLE('c'),
      ],
      batches: [[[], [0], [], [0, 1, 2], [3]]],
    },
    {
      name: 'a table named in a string of another is waited for',
      statements: [TABLE('a'), "CREATE TABLE b (x UInt8 DEFAULT joinGet('db.a', 'x', 1)) ENGINE = Memory"],
      batches: [[[], [0]]],
    },
    {
      name: 'a table that reads others by a pattern waits for all',
      statements: [TABLE('a'), "CREATE TABLE m (x UInt8) ENGINE = Merge(db, '^a')"],
      batches: [[[], [0]]],
    },
    {
      name: 'an ALTER of a table that the same file creates begins a batch, since its intent speaks of the table',
      statements: [TABLE('a'), 'ALTER TABLE a ADD COLUMN y UInt8'],
      batches: [[[]], [[]]],
    },
    {
      name: 'ALTERs of different plain tables',
      statements: ['ALTER TABLE a ADD COLUMN y UInt8', 'ALTER TABLE b ADD COLUMN y UInt8'],
      plain: ['a', 'b'],
      batches: [[[], []]],
    },
    {
      name: 'ALTERs of tables on which something hangs',
      statements: ['ALTER TABLE a ADD COLUMN y UInt8', 'ALTER TABLE b ADD COLUMN y UInt8'],
      plain: ['a'],
      batches: [[[]], [[]]],
    },
    {
      name: 'INSERTs into different plain tables, apart from what is always provable',
      statements: [TABLE('a'), TABLE('b'), 'INSERT INTO a VALUES (1)', 'INSERT INTO b VALUES (1)'],
      batches: [
        [[], []],
        [[], []],
      ],
    },
    {
      name: 'an INSERT into a table that fills a view',
      statements: [
        'CREATE MATERIALIZED VIEW mv TO b AS SELECT * FROM a',
        'INSERT INTO a VALUES (1)',
        'INSERT INTO c VALUES (1)',
      ],
      plain: ['a', 'b', 'c'],
      batches: [[[]], [[]], [[]]],
    },
    {
      name: 'an INSERT from what the one before it fills',
      statements: ['INSERT INTO a VALUES (1)', 'INSERT INTO b SELECT * FROM a'],
      plain: ['a', 'b'],
      batches: [[[], [0]]],
    },
    {
      name: 'at most eight of which only the journal knows',
      statements: Array.from({ length: 9 }, (_, index) => `INSERT INTO t${index} VALUES (1)`),
      plain: Array.from({ length: 9 }, (_, index) => `t${index}`),
      batches: [[[], [], [], [], [], [], [], []], [[]]],
    },
    {
      name: 'what is not understood stands alone',
      statements: [TABLE('a'), 'CREATE FUNCTION f AS (x) -> x', TABLE('b'), 'GRANT SELECT ON db.* TO me'],
      batches: [[[]], [[]], [[]], [[]]],
    },
    {
      name: 'users, roles and grants each after what is before them, and before what is after',
      statements: [
        TABLE('a'),
        TABLE('b'),
        'CREATE ROLE r',
        'CREATE USER u',
        'GRANT SELECT ON db.a TO r',
        'GRANT r TO u',
        'CREATE VIEW v DEFINER = u SQL SECURITY DEFINER AS SELECT * FROM a',
        'REVOKE r FROM u',
      ],
      batches: [[[], []], [[]], [[]], [[]], [[]], [[]], [[]]],
    },
    {
      name: 'RENAME and DROP of plain tables; a name that is spoken of twice is waited for',
      statements: ['RENAME TABLE a TO b', 'DROP TABLE c', 'DROP TABLE d'],
      plain: ['a', 'c', 'd'],
      batches: [[[], [], []]],
    },
  ])('$name', ({ statements, plain = [], batches }) => {
    expect(shape(statements, plain)).toEqual(batches)
  })

  test('the server is asked of tables that are used, not of those that are only created', () => {
    expect(
      tablesToAsk(planned([TABLE('a'), 'ALTER TABLE b ADD COLUMN y UInt8', 'CREATE VIEW v AS SELECT * FROM c'])),
    ).toEqual([
      { database: 'db', name: 'b' },
      { database: 'db', name: 'c' },
    ])
  })
})
