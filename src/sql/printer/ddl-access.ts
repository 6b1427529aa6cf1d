import type {
  AccessBase,
  AuthenticationMethod,
  DropAccess,
  GrantElement,
  GrantStatement,
  HostSet,
  MaskingPolicyStatement,
  MoveAccess,
  PolicyTarget,
  ProfileChanges,
  ProfileElement,
  QuotaStatement,
  RoleSet,
  RoleStatement,
  RowPolicyStatement,
  SetRole,
  SettingsProfileStatement,
  UserName,
  UserStatement,
} from '../ast-ddl.js'
import { quoteIdentifier, quoteIdentifierIfNeeded, quoteString } from '../quote.js'
import { printAssignments, printCluster, printObjectName, printSettingValue } from './ddl-common.js'
import { printExpression } from './expression.js'
import { printSettingName } from './query.js'

function printHead(node: AccessBase, object: string): string {
  const guard = node.ifExists ? ' IF EXISTS' : node.ifNotExists ? ' IF NOT EXISTS' : node.orReplace ? ' OR REPLACE' : ''
  return `${node.action} ${object}${guard} `
}

/** ` IN storage`, or nothing. */
function printStorageName(storage: string | undefined): string {
  return storage === undefined ? '' : ` IN ${quoteIdentifierIfNeeded(storage)}`
}

/** A name in CREATE and ALTER USER, where an @ in it forces quotes. */
function printUserName(user: UserName): string {
  if (typeof user.name !== 'string') return printExpression(user.name)
  const quoted = user.literal || user.name.includes('@')
  const name = quoted ? quoteString(user.name) : quoteIdentifierIfNeeded(user.name)
  return user.host === undefined ? name : `${name}@${quoteString(user.host)}`
}

/** A name in a list of roles or users: name and host are one name. */
function printRoleName(user: UserName): string {
  if (typeof user.name !== 'string') return printExpression(user.name)
  return quoteIdentifierIfNeeded(user.host === undefined ? user.name : `${user.name}@${user.host}`)
}

/** `ALL EXCEPT a, b`; `all` is the word of the place. */
export function printRoleSet(set: RoleSet, all: 'ALL' | 'ANY' = 'ALL'): string {
  const parts: string[] = []
  if (set.all) parts.push(all)
  else {
    parts.push(...set.names.map(printRoleName))
    if (set.currentUser) parts.push('CURRENT_USER')
    if (parts.length === 0) parts.push('NONE')
  }
  const except = set.except.map(printRoleName)
  if (set.exceptCurrentUser) except.push('CURRENT_USER')
  return except.length > 0 ? `${parts.join(', ')} EXCEPT ${except.join(', ')}` : parts.join(', ')
}

function printSecret(secret: AuthenticationMethod['by']): string {
  if (secret === undefined) return ''
  return ` BY ${typeof secret === 'string' ? quoteString(secret) : printExpression(secret)}`
}

function printMethod(method: AuthenticationMethod): string {
  let out = method.type === undefined ? printSecret(method.by).trimStart() : method.type + printSecret(method.by)
  if (method.salt !== undefined) out += ` SALT ${quoteString(method.salt)}`
  if (method.server !== undefined) out += ` SERVER ${quoteString(method.server)}`
  if (method.scheme !== undefined) out += ` SCHEME ${quoteString(method.scheme)}`
  if (method.realm !== undefined) out += ` REALM ${quoteString(method.realm)}`
  if (method.names !== undefined) out += ` ${method.names.kind} ${method.names.values.map(quoteString).join(', ')}`
  if (method.keys !== undefined)
    out += ` BY ${method.keys.map((item) => `KEY ${item.key} TYPE ${quoteIdentifier(item.type)}`).join(', ')}`
  if (method.validUntil !== undefined) out += ` VALID UNTIL ${quoteString(method.validUntil)}`
  return out
}

function printAuthentication(methods: readonly AuthenticationMethod[]): string {
  const withWord = methods[0]?.type === undefined ? '' : 'WITH '
  return `IDENTIFIED ${withWord}${methods.map(printMethod).join(', ')}`
}

function printHosts(hosts: HostSet): string {
  if (hosts.any) return 'ANY'
  const parts: string[] = []
  if (hosts.local) parts.push('LOCAL')
  if (hosts.ips.length > 0) parts.push(`IP ${hosts.ips.map(quoteString).join(', ')}`)
  if (hosts.names.length > 0) parts.push(`NAME ${hosts.names.map(quoteString).join(', ')}`)
  if (hosts.regexps.length > 0) parts.push(`REGEXP ${hosts.regexps.map(quoteString).join(', ')}`)
  if (hosts.likes.length > 0) parts.push(`LIKE ${hosts.likes.map(quoteString).join(', ')}`)
  return parts.length > 0 ? parts.join(', ') : 'NONE'
}

function printElement(element: ProfileElement, parentWord: string): string {
  if (element.parent !== undefined) return `${parentWord}${quoteIdentifier(element.parent)}`
  let out = printSettingName(element.setting ?? '')
  if (element.value !== undefined) out += ` = ${printSettingValue(element.value)}`
  if (element.min !== undefined) out += ` MIN ${printSettingValue(element.min)}`
  if (element.max !== undefined) out += ` MAX ${printSettingValue(element.max)}`
  if (element.writability !== undefined) out += ` ${element.writability}`
  return out
}

/** ` SETTINGS ..`, or nothing. `parentWord` is PROFILE for users and roles, INHERIT for profiles. */
function printProfile(settings: readonly ProfileElement[] | undefined, parentWord: 'PROFILE' | 'INHERIT'): string {
  if (settings === undefined) return ''
  if (settings.length === 0) return ' SETTINGS NONE'
  return ` SETTINGS ${settings.map((element) => printElement(element, `${parentWord} `)).join(', ')}`
}

function printChanges(changes: ProfileChanges | undefined): string {
  if (changes === undefined) return ''
  const parts: string[] = []
  const plural = (word: string, items: readonly unknown[]) => (items.length > 1 ? `${word}S` : word)
  const names = (items: readonly string[]) => items.map(printSettingName).join(', ')
  const profiles = (items: readonly string[]) => items.map(quoteIdentifier).join(', ')
  const elements = (items: readonly ProfileElement[]) => items.map((item) => printElement(item, '')).join(', ')
  if (changes.dropAllSettings) parts.push('DROP ALL SETTINGS')
  if (changes.dropAllProfiles) parts.push('DROP ALL PROFILES')
  const { dropProfiles, dropSettings, addProfiles, addSettings, modifySettings } = changes
  if (dropProfiles.length > 0) parts.push(`DROP ${plural('PROFILE', dropProfiles)} ${profiles(dropProfiles)}`)
  if (dropSettings.length > 0) parts.push(`DROP ${plural('SETTING', dropSettings)} ${names(dropSettings)}`)
  if (addProfiles.length > 0) parts.push(`ADD ${plural('PROFILE', addProfiles)} ${profiles(addProfiles)}`)
  if (addSettings.length > 0) parts.push(`ADD ${plural('SETTING', addSettings)} ${elements(addSettings)}`)
  if (modifySettings.length > 0) parts.push(`MODIFY ${plural('SETTING', modifySettings)} ${elements(modifySettings)}`)
  return parts.length > 0 ? ` ${parts.join(', ')}` : ''
}

/** CREATE or ALTER USER. */
export function printUser(node: UserStatement): string {
  let out = printHead(node, 'USER') + node.names.map(printUserName).join(', ')
  out += printStorageName(node.storage) + printCluster(node.cluster)
  if (node.renameTo !== undefined) out += ` RENAME TO ${quoteString(node.renameTo)}`
  if (node.authentication !== undefined)
    out += ` ${node.addAuthentication ? 'ADD ' : ''}${printAuthentication(node.authentication)}`
  if (node.resetAuthentication) out += ' RESET AUTHENTICATION METHODS TO NEW'
  if (node.validUntil !== undefined) out += ` VALID UNTIL ${quoteString(node.validUntil)}`
  if (node.hosts !== undefined) out += ` HOST ${printHosts(node.hosts)}`
  if (node.addHosts !== undefined) out += ` ADD HOST ${printHosts(node.addHosts)}`
  if (node.removeHosts !== undefined) out += ` DROP HOST ${printHosts(node.removeHosts)}`
  if (node.defaultDatabase !== undefined) {
    const { name } = node.defaultDatabase
    out += ` DEFAULT DATABASE ${name === undefined ? 'NONE' : quoteIdentifierIfNeeded(name)}`
  }
  if (node.defaultRoles !== undefined) out += ` DEFAULT ROLE ${printRoleSet(node.defaultRoles)}`
  out += printProfile(node.settings, 'PROFILE') + printChanges(node.settingsChanges)
  if (node.grantees !== undefined) out += ` GRANTEES ${printRoleSet(node.grantees, 'ANY')}`
  return out
}

/** CREATE or ALTER ROLE. */
export function printRole(node: RoleStatement): string {
  let out = printHead(node, 'ROLE') + node.names.map(printRoleName).join(', ')
  out += printStorageName(node.storage) + printCluster(node.cluster)
  if (node.renameTo !== undefined) out += ` RENAME TO ${quoteString(node.renameTo)}`
  return out + printProfile(node.settings, 'PROFILE') + printChanges(node.settingsChanges)
}

/** CREATE or ALTER SETTINGS PROFILE. */
export function printSettingsProfile(node: SettingsProfileStatement): string {
  let out = printHead(node, 'SETTINGS PROFILE') + node.names.map(quoteIdentifier).join(', ')
  out += printStorageName(node.storage) + printCluster(node.cluster)
  if (node.renameTo !== undefined) out += ` RENAME TO ${quoteString(node.renameTo)}`
  out += printProfile(node.settings, 'INHERIT') + printChanges(node.settingsChanges)
  return node.to === undefined ? out : `${out} TO ${printRoleSet(node.to)}`
}

/** `p, q ON a, b`, groups separated by commas. */
export function printPolicyTargets(targets: readonly PolicyTarget[]): string {
  return targets
    .map((target) => {
      const tables = target.tables.map((table) => {
        const name = table.name === undefined ? '*' : quoteIdentifierIfNeeded(table.name)
        return table.database === undefined ? name : `${quoteIdentifierIfNeeded(table.database)}.${name}`
      })
      return `${target.policies.map(quoteIdentifierIfNeeded).join(', ')} ON ${tables.join(', ')}`
    })
    .join(', ')
}

/** CREATE or ALTER ROW POLICY. */
export function printRowPolicy(node: RowPolicyStatement): string {
  let out = printHead(node, 'ROW POLICY') + printPolicyTargets(node.targets)
  out += printStorageName(node.storage) + printCluster(node.cluster)
  if (node.renameTo !== undefined) out += ` RENAME TO ${quoteIdentifierIfNeeded(node.renameTo)}`
  if (node.restrictive !== undefined) out += ` AS ${node.restrictive ? 'RESTRICTIVE' : 'PERMISSIVE'}`
  if (node.using !== undefined)
    out += ` FOR SELECT USING ${node.using === 'NONE' ? 'NONE' : printExpression(node.using)}`
  // CREATE .. TO NONE is what CREATE does anyway, so the server leaves it out.
  if (node.to !== undefined && !(node.action === 'CREATE' && isNobody(node.to))) out += ` TO ${printRoleSet(node.to)}`
  return out
}

function isNobody(set: RoleSet): boolean {
  return !set.all && !set.currentUser && set.names.length === 0
}

/** CREATE or ALTER QUOTA. */
export function printQuota(node: QuotaStatement): string {
  let out = printHead(node, 'QUOTA') + node.names.map(quoteIdentifierIfNeeded).join(', ')
  out += printStorageName(node.storage) + printCluster(node.cluster)
  if (node.renameTo !== undefined) out += ` RENAME TO ${quoteIdentifierIfNeeded(node.renameTo)}`
  if (node.keyedBy !== undefined)
    out += node.keyedBy.length === 0 ? ' NOT KEYED' : ` KEYED BY ${node.keyedBy.join(', ')}`
  const intervals = node.intervals.map((interval) => {
    const head = `FOR${interval.randomized ? ' RANDOMIZED' : ''} INTERVAL ${interval.amount} ${interval.unit}`
    if (typeof interval.limits === 'string') return `${head} ${interval.limits}`
    return `${head} MAX ${interval.limits.map((limit) => `${limit.name} = ${limit.max}`).join(', ')}`
  })
  if (intervals.length > 0) out += ` ${intervals.join(', ')}`
  return node.to === undefined ? out : `${out} TO ${printRoleSet(node.to)}`
}

/** CREATE or ALTER MASKING POLICY. */
export function printMaskingPolicy(node: MaskingPolicyStatement): string {
  let out = printHead(node, 'MASKING POLICY')
  out += `${quoteIdentifierIfNeeded(node.name)} ON ${printObjectName(node.table)}${printCluster(node.cluster)}`
  if (node.assignments !== undefined) out += ` UPDATE ${printAssignments(node.assignments)}`
  if (node.where !== undefined) out += ` WHERE ${printExpression(node.where)}`
  if (node.to !== undefined) out += ` TO ${printRoleSet(node.to)}`
  return node.priority === undefined ? out : `${out} PRIORITY ${node.priority}`
}

function printNamesOrTargets(node: DropAccess | MoveAccess): string {
  if (node.targets !== undefined) return printPolicyTargets(node.targets)
  return node.names.map(printRoleName).join(', ')
}

/** DROP of access objects. */
export function printDropAccess(node: DropAccess): string {
  const exists = node.ifExists ? 'IF EXISTS ' : ''
  const storage = node.storage === undefined ? '' : ` FROM ${quoteIdentifierIfNeeded(node.storage)}`
  return `DROP ${node.object} ${exists}${printNamesOrTargets(node)}${storage}${printCluster(node.cluster)}`
}

/** MOVE of access objects. */
export function printMoveAccess(node: MoveAccess): string {
  const to = quoteIdentifierIfNeeded(node.to)
  return `MOVE ${node.object} ${printNamesOrTargets(node)} TO ${to}${printCluster(node.cluster)}`
}

function printGrantElement(element: GrantElement): string {
  const privileges = element.privileges.map((privilege) =>
    privilege.columns === undefined
      ? privilege.name
      : `${privilege.name}(${privilege.columns.map(quoteIdentifierIfNeeded).join(', ')})`,
  )
  return `${privileges.join(', ')} ON ${element.on}`
}

/** GRANT, REVOKE or CHECK GRANT. */
export function printGrant(node: GrantStatement): string {
  let out = `${node.action}${printCluster(node.cluster)} `
  if (node.optionFor !== undefined) out += `${node.optionFor} OPTION FOR `
  const elements = node.elements?.map(printGrantElement).join(', ')
  if (node.currentGrants) out += `CURRENT GRANTS(${elements ?? ''})`
  else if (elements !== undefined) out += elements
  else if (node.roles !== undefined) out += printRoleSet(node.roles)
  if (node.grantees !== undefined) out += ` ${node.action === 'GRANT' ? 'TO' : 'FROM'} ${printRoleSet(node.grantees)}`
  if (node.grantOption) out += ' WITH GRANT OPTION'
  if (node.adminOption) out += ' WITH ADMIN OPTION'
  if (node.replaceOption) out += ' WITH REPLACE OPTION'
  return out
}

/** SET ROLE and SET DEFAULT ROLE. */
export function printSetRole(node: SetRole): string {
  const roles = node.roles === undefined ? 'DEFAULT' : printRoleSet(node.roles)
  if (!node.default) return `SET ROLE ${roles}`
  return `SET DEFAULT ROLE ${roles} TO ${node.to === undefined ? '' : printRoleSet(node.to)}`
}
