import type { GrantElement, GrantStatement } from '../ast-ddl.js'
import { Token } from '../lexer.js'
import { PRIVILEGE_TREE, type Privilege } from '../privileges.js'
import { quoteIdentifierIfNeeded } from '../quote.js'
import { type Cursor, parseCommaList } from './cursor.js'
import { parseRoleSet } from './ddl-access.js'
import { parseCluster } from './ddl-common.js'

/** GRANT, REVOKE or CHECK GRANT; the words are consumed. */
export function parseGrant(cursor: Cursor, action: GrantStatement['action']): GrantStatement {
  if (action === 'CHECK GRANT') return { kind: 'grant', action, elements: parseElements(cursor) }
  const cluster = parseCluster(cursor)
  let optionFor: GrantStatement['optionFor']
  if (action === 'REVOKE') {
    if (cursor.accept('GRANT OPTION FOR')) optionFor = 'GRANT'
    else if (cursor.accept('ADMIN OPTION FOR')) optionFor = 'ADMIN'
  }
  const subject = parseSubject(cursor)
  cursor.expect(action === 'GRANT' ? 'TO' : 'FROM')
  // GRANT .. TO all speaks of a user called all.
  const grantees = parseRoleSet(cursor, action === 'GRANT' ? null : 'ALL')
  const options: { grantOption?: true; adminOption?: true; replaceOption?: true } = {}
  while (action === 'GRANT') {
    if (cursor.accept('WITH GRANT OPTION')) options.grantOption = true
    else if (cursor.accept('WITH ADMIN OPTION')) options.adminOption = true
    else if (cursor.accept('WITH REPLACE OPTION')) options.replaceOption = true
    else break
  }
  return { kind: 'grant', action, cluster, ...subject, optionFor, grantees, ...options }
}

function parseSubject(cursor: Cursor): Pick<GrantStatement, 'currentGrants' | 'elements' | 'roles'> {
  if (cursor.accept('CURRENT GRANTS')) return { currentGrants: true, elements: parseCurrentGrants(cursor) }
  const elements = cursor.attempt(() => parseElements(cursor))
  return elements === undefined ? { roles: parseRoleSet(cursor) } : { elements }
}

function parseCurrentGrants(cursor: Cursor): GrantElement[] {
  if (cursor.accept('ON')) return [{ privileges: [{ name: 'ALL' }], on: parseGrantTarget(cursor, false) }]
  cursor.expectToken(Token.leftParen, '(')
  const elements = parseElements(cursor)
  cursor.expectToken(Token.rightParen, ')')
  return elements
}

/** Elements without those that repeat a privilege on the same object. */
function parseElements(cursor: Cursor): GrantElement[] {
  const seen = new Set<string>()
  return parseCommaList(cursor, parseElement).flatMap((element) => {
    const privileges = element.privileges.filter((privilege) => {
      if (privilege.columns !== undefined) return true
      const key = `${privilege.name} ON ${element.on}`
      if (seen.has(key)) return false
      seen.add(key)
      return true
    })
    return privileges.length > 0 ? [{ privileges, on: element.on }] : []
  })
}

function parseElement(cursor: Cursor): GrantElement {
  let onName = false
  const privileges = parseCommaList(cursor, () => {
    const privilege = parsePrivilege(cursor)
    onName ||= privilege.onName
    if (!cursor.acceptToken(Token.leftParen)) return { name: privilege.name }
    const columns = parseCommaList(cursor, () => cursor.identifier('column name'))
    cursor.expectToken(Token.rightParen, ')')
    return { name: privilege.name, columns }
  })
  cursor.expect('ON')
  return { privileges, on: parseGrantTarget(cursor, onName) }
}

/** The longest spelling of a privilege that stands here. */
function parsePrivilege(cursor: Cursor): Privilege {
  let node = PRIVILEGE_TREE
  let found: Privilege | undefined
  let end = cursor.index
  for (let index = cursor.index; cursor.kindAt(index) === Token.word; index++) {
    const next = node.next.get(cursor.source.slice(cursor.starts[index], cursor.ends[index]).toUpperCase())
    if (next === undefined) break
    node = next
    if (node.privilege !== undefined) {
      found = node.privilege
      end = index + 1
    }
  }
  if (found === undefined) return cursor.fail('privilege')
  cursor.index = end
  return found
}

/** `*`, `name` or `prefix*`. */
function parseTargetPart(cursor: Cursor): string {
  if (cursor.acceptToken(Token.asterisk)) return '*'
  const name = quoteIdentifierIfNeeded(cursor.identifier('database or table'))
  // A star behind the name makes it a prefix.
  if (cursor.acceptToken(Token.asterisk)) return `${name}*`
  return name
}

function parseGrantTarget(cursor: Cursor, onName: boolean): string {
  const first = parseTargetPart(cursor)
  if (!cursor.acceptToken(Token.dot)) return first
  const second = parseTargetPart(cursor)
  if (first === '*' && second !== '*') cursor.fail('*')
  if (onName && first === '*') return '*'
  return `${first}.${second}`
}
