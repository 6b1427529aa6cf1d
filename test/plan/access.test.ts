/**
 * Plans of users, roles and what hangs on them. The embedded engine has no storage for them, so their order and their
 * texts are proven, and that the server's own grammar reads each text as it stands.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { diffModels } from '../../src/diff/diff.js'
import { canonicalise } from '../../src/model/canonical.js'
import { EMPTY_MODEL } from '../../src/model/definition.js'
import {
  type Declaration,
  dictionary,
  grant,
  namedCollection,
  quota,
  role,
  rowPolicy,
  settingsProfile,
  table,
  user,
  view,
} from '../../src/model/dsl.js'
import { planChanges } from '../../src/plan/plan.js'
import { renderPlan } from '../../src/render/render.js'
import { quoteString } from '../../src/sql/quote.js'
import { type Engine, startEngine } from './support/engine.js'

let engine: Engine
beforeAll(() => {
  engine = startEngine()
})
afterAll(() => engine.close())

function modelOf(declarations: readonly Declaration[]) {
  const { model, issues } = canonicalise(declarations)
  expect(issues).toEqual([])
  return model
}

function plan(before: readonly Declaration[], after: readonly Declaration[]) {
  const [from, to] = [before.length > 0 ? modelOf(before) : EMPTY_MODEL, modelOf(after)]
  const planned = planChanges(diffModels(from, to), { from, to })
  const texts = renderPlan(planned).map(({ text }) => text)
  for (const text of texts) engine.run(`SELECT formatQuery(${quoteString(text)})`)
  return { ...planned, texts }
}

const t = table({ database: 'default', name: 't', engine: 'MergeTree', orderBy: 'id', columns: { id: 'UInt64' } })
const everything: readonly Declaration[] = [
  grant({ privileges: 'SELECT', on: 'default.*', to: 'analyst' }),
  grant({ privileges: 'analyst', to: 'anna' }),
  quota({ name: 'a_quota', limits: 'INTERVAL 1 hour MAX queries = 9', to: 'anna' }),
  role({ name: 'analyst', settings: "PROFILE 'small'" }),
  rowPolicy({ name: 'own', on: 'default.t', using: 'id = 1', to: ['analyst', 'anna'] }),
  settingsProfile({ name: 'base', settings: 'max_threads = 2' }),
  settingsProfile({ name: 'small', settings: "INHERIT 'base', max_memory_usage = 1000" }),
  user({ name: 'anna', identified: 'BY env:ANNA', defaultRole: 'analyst' }),
  view({
    database: 'default',
    name: 'a_view',
    definer: 'anna',
    sqlSecurity: 'DEFINER',
    as: 'SELECT id FROM default.t',
  }),
  t,
]

const order = (texts: readonly string[]) =>
  texts.map((text) =>
    text
      .split('\n')[0]!
      .replace(/^(CREATE|DROP) (ROW POLICY|SETTINGS PROFILE|\w+) /, '$2 ')
      .split(' ')
      .slice(0, 4)
      .join(' '),
  )

describe('the order of access objects', () => {
  it('profiles, roles, users, then what is given to them, and views after their definers', () => {
    const { texts } = plan([], everything)
    const at = (start: string) => texts.findIndex((text) => text.startsWith(start))
    const pairs = [
      ['CREATE SETTINGS PROFILE IF NOT EXISTS `base`', 'CREATE SETTINGS PROFILE IF NOT EXISTS `small`'],
      ['CREATE SETTINGS PROFILE IF NOT EXISTS `small`', 'CREATE ROLE'],
      ['CREATE ROLE', 'CREATE USER'],
      ['CREATE ROLE', 'GRANT SELECT'],
      ['CREATE USER', 'GRANT analyst'],
      ['CREATE USER', 'CREATE ROW POLICY'],
      ['CREATE USER', 'CREATE QUOTA'],
      ['CREATE USER', 'CREATE VIEW'],
    ] as const
    for (const [first, second] of pairs) {
      expect(at(first), first).toBeGreaterThanOrEqual(0)
      expect(at(second), second).toBeGreaterThan(at(first))
    }
  })

  it('goes the other way when they are dropped', () => {
    const { texts } = plan(everything, [t])
    const gone = order(texts)
    expect(gone.indexOf('REVOKE SELECT ON default.*')).toBeLessThan(gone.indexOf('ROLE IF EXISTS analyst'))
    expect(gone.indexOf('REVOKE analyst FROM anna')).toBeLessThan(gone.indexOf('USER IF EXISTS anna'))
    expect(gone.indexOf('VIEW IF EXISTS default.a_view')).toBeLessThan(gone.indexOf('USER IF EXISTS anna'))
    expect(gone.indexOf('USER IF EXISTS anna')).toBeLessThan(gone.indexOf('ROLE IF EXISTS analyst'))
    expect(gone.indexOf('ROLE IF EXISTS analyst')).toBeLessThan(gone.indexOf('SETTINGS PROFILE IF EXISTS'))
  })

  it('grants a role before a user that exists takes it for its default', () => {
    const before = [role({ name: 'reader' }), user({ name: 'anna', identified: 'WITH no_password' })]
    const after = [
      role({ name: 'reader' }),
      user({ name: 'anna', identified: 'WITH no_password', defaultRole: 'reader' }),
      grant({ privileges: 'reader', to: 'anna' }),
    ]
    expect(plan(before, after).texts).toEqual([
      'GRANT reader TO anna',
      'ALTER USER IF EXISTS anna IDENTIFIED WITH no_password DEFAULT ROLE reader',
    ])
  })

  it('creates a named collection before the table and the dictionary that take their parameters from it', () => {
    const collection = namedCollection({ name: 'z_source', values: { host: 'localhost', db: 'default' } })
    const { texts } = plan(
      [],
      [
        collection,
        dictionary({
          database: 'default',
          name: 'a_dict',
          attributes: { id: 'UInt64', v: 'String' },
          primaryKey: 'id',
          source: "CLICKHOUSE(NAME z_source TABLE 't')",
          layout: 'FLAT()',
          lifetime: 0,
        }),
        table({ database: 'default', name: 'a_queue', engine: 'Kafka(z_source)', columns: { id: 'UInt64' } }),
      ],
    )
    expect(texts[0]).toMatch(/^CREATE NAMED COLLECTION/)
    expect(texts).toHaveLength(3)
  })
})

describe('a grant that is revoked', () => {
  it('leaves what other grants to the same role give', () => {
    const reader = role({ name: 'reader' })
    const wide = grant({ privileges: 'SELECT', on: 'd.*', to: 'reader' })
    expect(
      plan([reader, wide, grant({ privileges: 'SELECT', on: 'd.t', to: 'reader' })], [reader, wide]).texts,
    ).toEqual(['REVOKE SELECT ON d.t FROM reader', 'GRANT SELECT ON d.* TO reader'])
  })

  it('is no reason to state those of others again', () => {
    const roles = [role({ name: 'reader' }), role({ name: 'writer' })]
    const other = grant({ privileges: 'SELECT', on: 'd.*', to: 'writer' })
    expect(
      plan([...roles, other, grant({ privileges: 'SELECT', on: 'd.t', to: 'reader' })], [...roles, other]).texts,
    ).toEqual(['REVOKE SELECT ON d.t FROM reader'])
  })
})

it('a role that a grant still names cannot go away', () => {
  const given = grant({ privileges: 'SELECT', on: 'd.*', to: 'reader' })
  expect(plan([role({ name: 'reader' }), given], [given]).refusals).toMatchObject([
    {
      code: 'plan_refused',
      object: 'role:reader',
      message: 'role:reader cannot go away: GRANT SELECT ON d.* TO reader still names it.',
    },
  ])
})

describe('clauses that are declared no more are taken back by name, for ALTER leaves out what it does not name', () => {
  const rows: readonly (readonly [string, Declaration, Declaration, string])[] = [
    [
      'settings of a role',
      role({ name: 'r', settings: 'max_threads = 2' }),
      role({ name: 'r' }),
      'ALTER ROLE IF EXISTS r SETTINGS NONE',
    ],
    [
      'hosts, default role, database and settings of a user',
      user({
        name: 'u',
        identified: 'BY env:U',
        host: "IP '10.0.0.0/8'",
        defaultRole: 'NONE',
        defaultDatabase: 'd',
        settings: 'max_threads = 2',
      }),
      user({ name: 'u', identified: 'BY env:U' }),
      "ALTER USER IF EXISTS u IDENTIFIED BY 'env:U' HOST ANY DEFAULT DATABASE NONE DEFAULT ROLE ALL SETTINGS NONE",
    ],
    [
      'settings and users of a profile',
      settingsProfile({ name: 'p', settings: 'max_threads = 2', to: 'ALL' }),
      settingsProfile({ name: 'p' }),
      'ALTER SETTINGS PROFILE IF EXISTS `p` SETTINGS NONE TO NONE',
    ],
    [
      'kind and users of a row policy',
      rowPolicy({ name: 'p', on: 'd.t', using: 'a = 1', as: 'restrictive', to: 'ALL' }),
      rowPolicy({ name: 'p', on: 'd.t', using: 'a = 2' }),
      'ALTER ROW POLICY IF EXISTS p ON d.t AS PERMISSIVE FOR SELECT USING a = 2 TO NONE',
    ],
    [
      'key, intervals and users of a quota',
      quota({
        name: 'q',
        keyedBy: 'user_name',
        limits: ['INTERVAL 1 hour MAX queries = 1', 'INTERVAL 1 day MAX queries = 9'],
        to: 'ALL',
      }),
      quota({ name: 'q', limits: 'INTERVAL 1 day MAX queries = 8' }),
      'ALTER QUOTA IF EXISTS q NOT KEYED FOR INTERVAL 1 day MAX queries = 8, FOR INTERVAL 1 hour NO LIMITS TO NONE',
    ],
  ]
  it.each(rows)('%s', (_, before, after, text) => {
    expect(plan([before], [after]).texts).toEqual([text])
  })

  it('a user that loses its password is a danger', () => {
    const { texts, steps } = plan([user({ name: 'u', identified: 'BY env:U' })], [user({ name: 'u' })])
    expect(texts).toEqual(['ALTER USER IF EXISTS u IDENTIFIED WITH no_password'])
    expect(steps).toMatchObject([{ risk: 'danger', warning: expect.stringContaining('needs no password') }])
  })
})
