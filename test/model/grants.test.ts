import { describe, expect, test } from 'vitest'
import { canonicalise } from '../../src/model/canonical.js'
import type { AccessObject } from '../../src/model/definition.js'
import { grant, rowPolicy } from '../../src/model/dsl.js'
import { coveredGrants, sameAccess } from '../../src/model/grants.js'
import { definitionFromStatement } from '../../src/model/statement.js'

const read = (text: string) => definitionFromStatement(text, { currentDatabase: 'default' }) as AccessObject

/** What `SHOW ACCESS` of 26.7 says of a role that was given each of these (see the first cases below). */
const SHOWN = [
  'GRANT S3 ON *.* TO reader',
  'GRANT URL ON *.* TO reader',
  'GRANT dictGet ON app.* TO reader',
  'GRANT SHOW, SELECT ON app.* TO reader WITH GRANT OPTION',
  'GRANT INSERT ON app.t TO reader',
  'GRANT ALTER UPDATE, ALTER DELETE ON x.pre* TO reader',
  'GRANT ALTER ADD COLUMN, ALTER MODIFY COLUMN, ALTER DROP COLUMN, INSERT(a, c) ON x.y TO reader',
  'GRANT ALTER COLUMN, CREATE DATABASE, CREATE TABLE, CREATE VIEW, CREATE DICTIONARY ON z.* TO reader',
  'GRANT `all`, reader TO bob',
  'GRANT admin TO bob WITH ADMIN OPTION',
  'GRANT ALL ON *.* TO owner',
].map(read)

describe('a grant', () => {
  test.each([
    ['columns that the whole table covers', 'GRANT SELECT(b, a), INSERT ON app.t TO reader', true],
    ['privileges in another order', 'GRANT SHOW, SELECT ON app.* TO reader WITH GRANT OPTION', true],
    ['several that are shown apart', 'GRANT S3, URL ON *.* TO reader', true],
    ['columns in another order', 'GRANT INSERT(c, a) ON x.y TO reader', true],
    ['a table below a prefix', 'GRANT ALTER UPDATE ON x.prefixed TO reader', true],
    ['a member of a group', 'GRANT ALTER ADD COLUMN ON z.t TO reader', true],
    ['a group that is shown by its members', 'GRANT CREATE ON z.* TO reader', true],
    ['what only ALL holds', 'GRANT SYSTEM RELOAD CONFIG, SOURCES ON *.* TO owner', true],
    ['roles, one of several', 'GRANT reader TO bob', true],
    ['a role with more than was asked', 'GRANT admin TO bob', true],
    ['a role without its option', 'GRANT reader TO bob WITH ADMIN OPTION', false],
    ['another grantee', 'GRANT SELECT ON app.* TO reader, bob', false],
    ['a column that is not there', 'GRANT INSERT(b) ON x.y TO reader', false],
    ['a wider object', 'GRANT INSERT ON app.* TO reader', false],
    ['an option that is not there', 'GRANT INSERT ON app.t TO reader WITH GRANT OPTION', false],
    ['a group of which a member is missing', 'GRANT ALTER ON z.* TO reader', false],
    ['everything', 'GRANT ALL ON app.* TO reader', false],
  ])('of %s', (_, text, isCovered) => {
    const grant = read(text)
    expect(coveredGrants([grant], SHOWN).has(grant)).toBe(isCovered)
  })
})

test.each([
  ['CREATE USER a', 'CREATE USER a IDENTIFIED WITH no_password', true],
  ['CREATE USER a', "CREATE USER a IDENTIFIED WITH sha256_password BY '[HIDDEN]'", false],
  ['CREATE USER a DEFAULT ROLE z, b', 'CREATE USER a IDENTIFIED WITH no_password DEFAULT ROLE b, z', true],
  ['CREATE ROW POLICY p ON d.t USING 1 TO z, b', 'CREATE ROW POLICY p ON d.t FOR SELECT USING 1 TO b, z', true],
  [
    'CREATE QUOTA q FOR INTERVAL 1 day MAX errors = 5, queries = 1, execution_time = 10, result_bytes = 5 TO z, a',
    'CREATE QUOTA q FOR INTERVAL 1 day MAX queries = 1, errors = 5, result_bytes = 5, execution_time = 10 TO a, z',
    true,
  ],
  ['CREATE QUOTA q FOR INTERVAL 1 day MAX errors = 5', 'CREATE QUOTA q FOR INTERVAL 1 day MAX errors = 6', false],
])('%s and %s', (a, b, isSame) => {
  expect(sameAccess(read(a), read(b))).toBe(isSame)
})

test('roles and all tables of a database are written unquoted', () => {
  const declared = canonicalise([
    grant({ privileges: ['wri ter', 'reader'], to: 'bob' }),
    grant({ privileges: '`a`, b', to: 'bob' }),
    rowPolicy({ name: 'p', on: '`my db`.*', using: '1', to: ['z', 'b c'] }),
  ])
  expect(declared.issues).toEqual([])
  expect(declared.model.definitions.map((one) => (one as AccessObject).statement)).toEqual([
    'GRANT `wri ter`, reader TO bob',
    'GRANT a, b TO bob',
    'CREATE ROW POLICY p ON `my db`.* FOR SELECT USING 1 TO `b c`, z',
  ])
})
