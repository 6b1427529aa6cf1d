/**
 * Grants as rights: the server takes grants apart by grantee, joins those on one object, and leaves out what others
 * cover (`SHOW ACCESS`, seen on 26.7), so that the texts of two states say little about their difference.
 */
import type { RoleSet, UserStatement } from '../sql/ast-ddl.js'
import { parseStatement, printStatement } from '../sql/statement.js'
import type { AccessObject } from './definition.js'
import { sameText } from './same.js'
import { userText } from './statement.js'

/** One right of one grantee; `column` is undefined for all columns, `on` for a role that is given. */
type Right = {
  readonly grantee: string
  readonly name: string
  readonly on?: string
  readonly column?: string
  /** WITH GRANT OPTION, or WITH ADMIN OPTION of a role. */
  readonly option: boolean
}

/** Groups of privileges with their members, and members that exist on whole servers or whole databases only. */
const GROUPS: ReadonlyMap<string, readonly string[]> = new Map(
  `
SHOW=SHOW DATABASES,SHOW TABLES,SHOW COLUMNS,SHOW DICTIONARIES
ALTER COLUMN=ALTER ADD COLUMN,ALTER MODIFY COLUMN,ALTER DROP COLUMN,ALTER COMMENT COLUMN,ALTER CLEAR COLUMN,ALTER RENAME COLUMN,ALTER MATERIALIZE COLUMN
ALTER INDEX=ALTER ORDER BY,ALTER SAMPLE BY,ALTER ADD INDEX,ALTER DROP INDEX,ALTER MATERIALIZE INDEX,ALTER CLEAR INDEX
ALTER STATISTICS=ALTER ADD STATISTICS,ALTER DROP STATISTICS,ALTER MODIFY STATISTICS,ALTER MATERIALIZE STATISTICS
ALTER PROJECTION=ALTER ADD PROJECTION,ALTER DROP PROJECTION,ALTER MATERIALIZE PROJECTION,ALTER CLEAR PROJECTION
ALTER CONSTRAINT=ALTER ADD CONSTRAINT,ALTER DROP CONSTRAINT,ALTER MODIFY CONSTRAINT
ALTER TABLE=ALTER UPDATE,ALTER DELETE,ALTER COLUMN,ALTER MODIFY COMMENT,ALTER INDEX,ALTER STATISTICS,ALTER PROJECTION,ALTER CONSTRAINT,ALTER TTL,ALTER MATERIALIZE TTL,ALTER SETTINGS,ALTER MOVE PARTITION,ALTER FETCH PARTITION,ALTER FREEZE PARTITION
ALTER DATABASE=ALTER MODIFY DATABASE COMMENT,ALTER DATABASE SETTINGS
ALTER VIEW=ALTER VIEW MODIFY QUERY,ALTER VIEW MODIFY REFRESH,ALTER VIEW MODIFY SQL SECURITY
ALTER=ALTER TABLE,ALTER DATABASE,ALTER VIEW
CREATE=CREATE DATABASE,CREATE TABLE,CREATE VIEW,CREATE DICTIONARY,CREATE FUNCTION
DROP=DROP DATABASE,DROP TABLE,DROP VIEW,DROP DICTIONARY,DROP FUNCTION
NAMED COLLECTION ADMIN=ALTER NAMED COLLECTION,CREATE NAMED COLLECTION,DROP NAMED COLLECTION,SHOW NAMED COLLECTIONS,NAMED COLLECTION
ALL=SHOW,SELECT,INSERT,ALTER TABLE,ALTER VIEW,CREATE,DROP,TRUNCATE,OPTIMIZE`
    .trim()
    .split('\n')
    .map((line): [string, string[]] => {
      const [group = '', members = ''] = line.split('=')
      return [group, members.split(',')]
    }),
)
const OF_SERVERS = new Set(['CREATE FUNCTION', 'DROP FUNCTION'])
const OF_DATABASES = new Set(['SHOW DATABASES', 'CREATE DATABASE', 'DROP DATABASE', 'ALTER DATABASE'])

/**
 * The grants among `expected` whose every right is given by the grants of `actual` together, whatever their texts. A
 * grant that cannot be read is never among them.
 */
export function coveredGrants(
  expected: readonly AccessObject[],
  actual: readonly AccessObject[],
): ReadonlySet<AccessObject> {
  const given = actual.flatMap((grant) => rightsOf(grant) ?? [])
  return new Set(
    expected.filter((grant) => {
      const rights = rightsOf(grant)
      return rights !== undefined && rights.length > 0 && rights.every((right) => isGiven(right, given))
    }),
  )
}

function rightsOf({ statement }: AccessObject): readonly Right[] | undefined {
  const { node, warnings } = parseStatement(statement)
  if (warnings.length > 0 || node.kind !== 'grant' || node.action !== 'GRANT' || node.currentGrants) return undefined
  const grantees = namesOf(node.grantees)
  const roles = node.roles === undefined ? [] : namesOf(node.roles)
  if (grantees === undefined || roles === undefined) return undefined
  return grantees.flatMap((grantee) => [
    ...roles.map((name) => ({ grantee, name, option: node.adminOption === true })),
    ...(node.elements ?? []).flatMap(({ privileges, on }) =>
      privileges.flatMap(({ name, columns }) =>
        (columns ?? [undefined]).map((column) => ({
          grantee,
          name,
          on,
          ...(column !== undefined && { column }),
          option: node.grantOption === true,
        })),
      ),
    ),
  ])
}

/** Undefined for what is no list of names. */
function namesOf(set: RoleSet | undefined): readonly string[] | undefined {
  const isList = set !== undefined && !set.all && !set.none && !set.currentUser && set.except.length === 0
  return isList ? set.names.map(userText) : undefined
}

function isGiven(right: Right, given: readonly Right[]): boolean {
  if (given.some((other) => gives(other, right))) return true
  const members = right.on === undefined ? undefined : GROUPS.get(right.name)
  if (members === undefined) return false
  const relevant = members.filter((member) => existsOn(member, right.on!))
  return relevant.length > 0 && relevant.every((name) => isGiven({ ...right, name }, given))
}

function gives(other: Right, right: Right): boolean {
  if (other.grantee !== right.grantee || (right.option && !other.option)) return false
  if (other.on === undefined || right.on === undefined) return other.on === right.on && other.name === right.name
  if (other.column !== undefined && other.column !== right.column) return false
  return holds(other.name, right.name) && reaches(other.on, right.on)
}

/** True when a privilege is another, or a group with it; `ALL` holds more than the members that prove it. */
function holds(group: string, name: string): boolean {
  return group === name || group === 'ALL' || (GROUPS.get(group)?.some((member) => holds(member, name)) ?? false)
}

/** True when what is said of one object (`*.*`, `db.*`, `db.pre*`, `db.t`, `*`) holds for the other. */
function reaches(wide: string, narrow: string): boolean {
  if (wide === narrow || wide === '*.*' || wide === '*') return true
  return wide.endsWith('*') && narrow.startsWith(wide.slice(0, -1))
}

function existsOn(privilege: string, on: string): boolean {
  if (on === '*.*') return true
  if (OF_SERVERS.has(privilege)) return false
  return on.endsWith('.*') || !OF_DATABASES.has(privilege)
}

/**
 * True when two access objects are the same on a server: secrets that it hides count as equal, and so does a user
 * without IDENTIFIED, which it shows as `WITH no_password`.
 */
export function sameAccess(a: AccessObject, b: AccessObject): boolean {
  return (
    a.kind === b.kind && (sameText(a.statement, b.statement) || sameText(withoutNoPassword(a), withoutNoPassword(b)))
  )
}

function withoutNoPassword({ kind, statement }: AccessObject): string {
  if (kind !== 'user') return statement
  const { node, warnings } = parseStatement(statement)
  if (warnings.length > 0 || node.kind !== 'user' || node.authentication?.length !== 1) return statement
  return node.authentication[0]!.type === 'no_password'
    ? printStatement({ ...node, authentication: undefined } as UserStatement)
    : statement
}
