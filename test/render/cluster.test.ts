import { expect, test } from 'vitest'
import { diffModels } from '../../src/diff/diff.js'
import { canonicalise } from '../../src/model/canonical.js'
import { EMPTY_MODEL, type Model } from '../../src/model/definition.js'
import { database, grant, namedCollection, role, rowPolicy, table, user, view } from '../../src/model/dsl.js'
import { planChanges } from '../../src/plan/plan.js'
import { replicatedDatabases } from '../../src/render/cluster.js'
import { renderPlan } from '../../src/render/render.js'

type Declared = Parameters<typeof canonicalise>[0]

function modelOf(...declared: Declared): Model {
  const { model, issues } = canonicalise(declared)
  expect(issues).toEqual([])
  return model
}

const COLUMNS = [{ name: 'id', type: 'UInt64' }]
const events = (more: object = {}) =>
  table({ database: 'app', name: 'events', engine: 'MergeTree', columns: COLUMNS, orderBy: ['id'], ...more })

function texts(from: Model, to: Model, cluster: string | undefined = 'main'): string[] {
  const plan = planChanges(diffModels(from, to, []), { from, to })
  const options = { cluster, replicatedDatabases: replicatedDatabases(from, to) }
  return renderPlan(plan, options).map(({ text }) => text.split('\n')[0] ?? '')
}

test('the configured cluster is rendered for every kind of object, and an object\u2019s own wins', () => {
  const to = modelOf(
    events(),
    events({ name: 'other', cluster: 'second' }),
    view({ database: 'app', name: 'v', as: 'SELECT id FROM app.events' }),
    role({ name: 'reader' }),
    user({ name: 'bob', identified: 'WITH no_password' }),
    grant({ privileges: 'SELECT', on: 'app.*', to: 'reader' }),
    rowPolicy({ name: 'own', on: 'app.events', using: 'id = 1', to: 'reader' }),
    namedCollection({ name: 'keys', values: { a: '1' } }),
  )
  expect(texts(EMPTY_MODEL, to).sort()).toMatchInlineSnapshot(`
    [
      "CREATE DATABASE IF NOT EXISTS app ON CLUSTER second",
      "CREATE NAMED COLLECTION IF NOT EXISTS keys ON CLUSTER main AS a = '1'",
      "CREATE ROLE IF NOT EXISTS reader ON CLUSTER main",
      "CREATE ROW POLICY IF NOT EXISTS own ON app.events ON CLUSTER main FOR SELECT USING id = 1 TO reader",
      "CREATE TABLE IF NOT EXISTS app.events ON CLUSTER main",
      "CREATE TABLE IF NOT EXISTS app.other ON CLUSTER second",
      "CREATE USER IF NOT EXISTS bob ON CLUSTER main IDENTIFIED WITH no_password",
      "CREATE VIEW IF NOT EXISTS app.v ON CLUSTER main",
      "GRANT ON CLUSTER main SELECT ON app.* TO reader",
    ]
  `)
  expect(texts(to, EMPTY_MODEL).sort()).toMatchInlineSnapshot(`
    [
      "DROP NAMED COLLECTION IF EXISTS keys ON CLUSTER main",
      "DROP ROLE IF EXISTS reader ON CLUSTER main",
      "DROP ROW POLICY IF EXISTS own ON app.events ON CLUSTER main",
      "DROP TABLE IF EXISTS app.events ON CLUSTER main",
      "DROP TABLE IF EXISTS app.other ON CLUSTER second",
      "DROP USER IF EXISTS bob ON CLUSTER main",
      "DROP VIEW IF EXISTS app.v ON CLUSTER main",
      "REVOKE ON CLUSTER main SELECT ON app.* FROM reader",
    ]
  `)
  expect(to.definitions.some((definition) => 'cluster' in definition && definition.cluster === 'main')).toBe(false)
})

test('an ALTER names the cluster as well', () => {
  const to = modelOf(events({ columns: [...COLUMNS, { name: 'x', type: 'String' }] }))
  expect(texts(modelOf(events()), to)).toEqual([
    'ALTER TABLE app.events ON CLUSTER main ADD COLUMN IF NOT EXISTS `x` String',
  ])
})

test('objects of a Replicated database are created once, by the database itself', () => {
  const replicated = database({ name: 'app', engine: "Replicated('/dbs/app', '{shard}', '{replica}')" })
  expect(texts(EMPTY_MODEL, modelOf(replicated, events({ cluster: 'second' })))).toEqual([
    'CREATE DATABASE IF NOT EXISTS app ON CLUSTER main',
    'CREATE TABLE IF NOT EXISTS app.events',
  ])
})

test('Distributed is created after the table below it, gets new columns after it, and loses them before it', () => {
  const pair = (...columns: { name: string; type: string }[]) =>
    modelOf(
      events({
        name: 'a_all',
        engine: 'Distributed(main, app, z_local, rand())',
        orderBy: undefined,
        columns: [...COLUMNS, ...columns],
      }),
      events({ name: 'z_local', columns: [...COLUMNS, ...columns] }),
    )
  const names = (list: string[]) =>
    list.map((text) => /(CREATE|DROP|ALTER) TABLE (IF (NOT )?EXISTS )?app\.(\w+)/.exec(text)?.[4]).filter(Boolean)
  const x = { name: 'x', type: 'UInt8' }
  expect(names(texts(EMPTY_MODEL, pair()))).toEqual(['z_local', 'a_all'])
  expect(names(texts(pair(), pair(x)))).toEqual(['z_local', 'a_all'])
  expect(names(texts(pair(x), pair()))).toEqual(['a_all', 'z_local'])
  expect(names(texts(pair(), EMPTY_MODEL))).toEqual(['a_all', 'z_local'])
})
