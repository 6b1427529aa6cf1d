/** What access objects need of each other, read from their statements. */
import type { ProfileElement, RoleSet, Statement } from '../sql/ast-ddl.js'
import { parseStatement } from '../sql/statement.js'
import type { AccessObject } from './definition.js'
import { userText } from './statement.js'

/**
 * Names of the access objects that must exist before this one, with the kinds that each may be of: the roles and users
 * that it is given to or that it gives, the profiles that it inherits. Empty for a statement that cannot be read.
 */
export function accessReferences(object: AccessObject): readonly AccessReference[] {
  if (object.kind === 'named_collection') return []
  return referencesOf(parseStatement(object.statement).node)
}

/** A name that stands for one of these kinds of objects. */
export type AccessReference = {
  readonly kinds: readonly ('role' | 'user' | 'settings_profile')[]
  readonly name: string
}

function referencesOf(node: Statement): readonly AccessReference[] {
  switch (node.kind) {
    case 'user':
      return [...roles(node.defaultRoles), ...grantees(node.grantees), ...profiles(node.settings)]
    case 'role':
      return profiles(node.settings)
    case 'settingsProfile':
      return [...profiles(node.settings), ...grantees(node.to)]
    case 'rowPolicy':
    case 'quota':
      return grantees(node.to)
    case 'grant':
      return [...roles(node.roles), ...grantees(node.grantees)]
    default:
      return []
  }
}

function roles(set: RoleSet | undefined): readonly AccessReference[] {
  return namesOf(set).map((name) => ({ kinds: ['role'], name }))
}

function grantees(set: RoleSet | undefined): readonly AccessReference[] {
  return namesOf(set).map((name) => ({ kinds: ['role', 'user'], name }))
}

function profiles(settings: readonly ProfileElement[] | undefined): readonly AccessReference[] {
  return (settings ?? []).flatMap(({ parent }) =>
    parent === undefined ? [] : [{ kinds: ['settings_profile'], name: parent }],
  )
}

function namesOf(set: RoleSet | undefined): readonly string[] {
  return [...(set?.names ?? []), ...(set?.except ?? [])].map(userText)
}
