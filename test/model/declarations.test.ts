import { describe, expect, test } from 'vitest'
import { definitionFromStatement } from '../../src/model/canonical.js'
import { declarationsOf, withDependencies } from '../../src/model/declarations.js'
import type { Definition, RawObject } from '../../src/model/definition.js'

const read = (statement: string): Definition => definitionFromStatement(statement, { currentDatabase: 'app' })

/** In the form in which a server answers `SHOW ACCESS` and `system.named_collections`. */
const ACCESS: readonly (readonly [statement: string, declaration: object])[] = [
  ['CREATE ROLE analyst', { kind: 'role', name: 'analyst' }],
  [
    'CREATE ROLE `odd role` SETTINGS max_memory_usage = 1000 MIN 500 MAX 2000 CONST',
    { kind: 'role', name: 'odd role', settings: 'max_memory_usage = 1000 MIN 500 MAX 2000 CONST' },
  ],
  [
    "CREATE USER anna IDENTIFIED WITH no_password HOST IP '10.0.0.0/8' DEFAULT ROLE analyst DEFAULT DATABASE app SETTINGS readonly = 1",
    {
      kind: 'user',
      name: 'anna',
      identified: 'WITH no_password',
      host: "IP '10.0.0.0/8'",
      defaultRole: ['analyst'],
      defaultDatabase: 'app',
      settings: 'readonly = 1',
    },
  ],
  [
    "CREATE USER bob IDENTIFIED WITH sha256_password BY '[HIDDEN]'",
    { kind: 'user', name: 'bob', identified: "WITH sha256_password BY '[HIDDEN]'" },
  ],
  [
    'GRANT SELECT, INSERT ON app.* TO analyst',
    { kind: 'grant', privileges: 'SELECT, INSERT', on: 'app.*', to: ['analyst'] },
  ],
  ['GRANT SELECT(id, name) ON app.users TO anna, `odd role`', { kind: 'grant', to: ['anna', 'odd role'] }],
  [
    'GRANT analyst TO anna WITH ADMIN OPTION',
    { kind: 'grant', privileges: 'analyst', to: ['anna'], withAdminOption: true },
  ],
  ['GRANT ALL ON *.* TO anna WITH GRANT OPTION', { kind: 'grant', on: '*.*', withGrantOption: true }],
  [
    'CREATE ROW POLICY own ON app.events FOR SELECT USING (owner = currentUser()) AND (x IN (1, 2)) AS restrictive TO analyst, anna',
    { kind: 'row_policy', name: 'own', as: 'restrictive', to: ['analyst', 'anna'] },
  ],
  [
    'CREATE ROW POLICY p ON app.`odd t` FOR SELECT USING 1 TO ALL EXCEPT anna',
    { kind: 'row_policy', to: ['ALL EXCEPT anna'] },
  ],
  [
    'CREATE QUOTA hourly KEYED BY user_name FOR INTERVAL 1 hour MAX queries = 100, errors = 5 TO analyst',
    { kind: 'quota', keyedBy: 'user_name' },
  ],
  [
    'CREATE QUOTA two FOR INTERVAL 1 hour MAX queries = 100, FOR RANDOMIZED INTERVAL 1 day NO LIMITS TO ALL',
    { kind: 'quota', name: 'two' },
  ],
  [
    'CREATE SETTINGS PROFILE small SETTINGS max_threads = 2 READONLY, INHERIT `default` TO analyst',
    { kind: 'settings_profile', name: 'small', to: ['analyst'] },
  ],
  [
    "CREATE NAMED COLLECTION source AS host = 'h', port = 9000 NOT OVERRIDABLE, password = '[HIDDEN]' OVERRIDABLE",
    { kind: 'named_collection', values: { host: 'h', port: { value: 9000, overridable: false } } },
  ],
]

describe('access objects come back as they were shown', () => {
  test.each(ACCESS)('%s', (statement, expected) => {
    const definition = read(statement)
    const [object] = declarationsOf([definition], () => statement)
    expect(object?.fallback).toBeUndefined()
    expect(object?.declaration).toMatchObject(expected)
  })
})

test('what the schema language cannot say is kept by its text, with the reason', () => {
  const statement = 'CREATE TABLE app.t (a UInt8) ENGINE = Memory'
  const odd = { ...read(statement), spelling: { engine: 'Memory()', made: 'up' } }
  const [object] = declarationsOf([odd], () => statement)
  expect(object).toEqual({
    definition: { kind: 'raw', key: 'app.t', create: statement, drop: 'DROP TABLE IF EXISTS app.t' },
    declaration: { kind: 'raw', key: 'app.t', create: statement, drop: 'DROP TABLE IF EXISTS app.t' },
    fallback: 'the schema language cannot say its spelling',
  })
})

test('a raw object depends on what its text names', () => {
  const raw: RawObject = {
    kind: 'raw',
    key: 'app.v',
    create: 'CREATE VIEW app.v (a) AS SELECT a FROM app.t, `odd db`.`odd t`',
  }
  const names = new Set(['app.v', 'app.t', 'app.other', 'odd db.odd t'])
  expect(withDependencies([raw], names)).toEqual([{ ...raw, dependsOn: ['app.t', 'odd db.odd t'] }])
})

test('a view that names its columns has them in its query as the server does', () => {
  const shown = 'CREATE VIEW app.v (`x y` UInt8, `b` String) (`x y`, b) AS SELECT 1 AS `x y`, a AS b FROM app.t'
  const [object] = declarationsOf([read(shown)], () => shown)
  expect(object?.fallback).toBeUndefined()
  expect(object?.declaration).toMatchObject({ kind: 'view', columnAliases: ['x y', 'b'] })
  const written = read('CREATE VIEW app.v (`x y`, b) AS SELECT 1, a FROM app.t')
  expect(written).toMatchObject({ query: 'SELECT 1 AS `x y`, a AS b FROM app.t' })
})
