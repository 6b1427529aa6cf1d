import type { Setting } from '../ast.js'
import type {
  AccessBase,
  AuthenticationMethod,
  DropAccess,
  HostSet,
  MaskingPolicyStatement,
  MoveAccess,
  PolicyTarget,
  ProfileChanges,
  ProfileElement,
  QuotaInterval,
  QuotaStatement,
  RoleSet,
  RoleStatement,
  RowPolicyStatement,
  SetRole,
  SettingsProfileStatement,
  Statement,
  UserName,
  UserStatement,
} from '../ast-ddl.js'
import { Token } from '../lexer.js'
import { type Cursor, parseCommaList } from './cursor.js'
import {
  acceptTimeUnit,
  flag,
  parseAssignments,
  parseCluster,
  parseNameOrString,
  parseObjectName,
  parseUnsigned,
} from './ddl-common.js'
import { parseExpressionWithoutAlias as parseExpression } from './expression.js'
import { parseLiteral } from './literal.js'
import { parseSettingValue } from './query.js'

const OBJECTS = [
  ['USER', 'USER'],
  ['ROLE', 'ROLE'],
  ['QUOTA', 'QUOTA'],
  ['SETTINGS PROFILE', 'SETTINGS PROFILE'],
  ['PROFILE', 'SETTINGS PROFILE'],
  ['ROW POLICY', 'ROW POLICY'],
  ['POLICY', 'ROW POLICY'],
  ['MASKING POLICY', 'MASKING POLICY'],
] as const

/** Steps over the name of a kind of access object. */
function acceptObject(cursor: Cursor): DropAccess['object'] | undefined {
  for (const [phrase, object] of OBJECTS) if (cursor.accept(phrase)) return object
  return undefined
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** CREATE or ALTER of an access object; the first word is consumed. `undefined` when it is of another kind. */
export function parseAccess(cursor: Cursor, action: AccessBase['action']): Statement | undefined {
  const object = acceptObject(cursor)
  if (object === undefined) return undefined
  const base: Mutable<AccessBase> = { action }
  if (action === 'ALTER') base.ifExists = flag(cursor, 'IF EXISTS')
  else {
    base.ifNotExists = flag(cursor, 'IF NOT EXISTS')
    base.orReplace = flag(cursor, 'OR REPLACE')
  }
  switch (object) {
    case 'USER':
      return parseUser(cursor, base)
    case 'ROLE':
      return parseRole(cursor, base)
    case 'QUOTA':
      return parseQuota(cursor, base)
    case 'SETTINGS PROFILE':
      return parseSettingsProfile(cursor, base)
    case 'ROW POLICY':
      return parseRowPolicy(cursor, base)
    case 'MASKING POLICY':
      return parseMaskingPolicy(cursor, base)
  }
}

/** `name` or `name@host`; quotes of any kind. */
function parseUserName(cursor: Cursor): UserName {
  if (cursor.atToken(Token.leftBrace)) {
    const parameter = parseExpression(cursor)
    return parameter.kind === 'parameter' ? { name: parameter } : cursor.fail('name')
  }
  const literal = cursor.atToken(Token.string) ? true : undefined
  const name = parseNameOrString(cursor)
  if (!cursor.acceptToken(Token.at)) return literal ? { name, literal } : { name }
  const host = parseNameOrString(cursor, 'host')
  // name@'%' is any host, which is the same as no host.
  return host === '%' ? { name } : { name, host }
}

function parseNames(cursor: Cursor): string[] {
  return parseCommaList(cursor, () => parseNameOrString(cursor))
}

/** Reads `ON CLUSTER` and `IN storage`, which may stand at several places. */
function parsePlace(cursor: Cursor, base: Mutable<AccessBase>): boolean {
  if (base.cluster === undefined && cursor.at('ON CLUSTER')) {
    base.cluster = parseCluster(cursor)
    return true
  }
  if (base.storage === undefined && cursor.accept('IN')) {
    base.storage = parseNameOrString(cursor, 'storage')
    return true
  }
  if (base.action === 'ALTER' && base.renameTo === undefined && cursor.accept('RENAME TO')) {
    base.renameTo = parseNameOrString(cursor)
    return true
  }
  return false
}

/** `a, b`, `ALL [EXCEPT ..]`, `ANY`, `NONE`, `CURRENT_USER`. `allWord` is null where ALL is just a name. */
export function parseRoleSet(cursor: Cursor, allWord: 'ALL' | 'ANY' | null = 'ALL'): RoleSet {
  const names: UserName[] = []
  let all: true | undefined
  let none: true | undefined
  let currentUser: true | undefined
  do {
    if (cursor.accept('NONE')) none = true
    else if (allWord !== null && cursor.accept(allWord)) all = true
    else if (cursor.acceptOneOf('CURRENT_USER', 'CURRENT USER')) currentUser = true
    else names.push(parseUserName(cursor))
  } while (cursor.acceptToken(Token.comma))
  const except: UserName[] = []
  let exceptCurrentUser: true | undefined
  if (cursor.accept('EXCEPT'))
    do {
      if (cursor.accept('NONE')) continue
      if (cursor.acceptOneOf('CURRENT_USER', 'CURRENT USER')) exceptCurrentUser = true
      else except.push(parseUserName(cursor))
    } while (cursor.acceptToken(Token.comma))
  // ANY swallows the names beside it.
  return { all, none, currentUser, names: all && allWord === 'ANY' ? [] : names, except, exceptCurrentUser }
}

const PASSWORD_TYPES = new Set([
  'plaintext_password',
  'sha256_password',
  'double_sha1_password',
  'bcrypt_password',
  'scram_sha256_password',
  'sha256_hash',
  'double_sha1_hash',
  'bcrypt_hash',
  'scram_sha256_hash',
])
const BARE_TYPES = new Set(['no_password', 'no_authentication'])

function parseSecret(cursor: Cursor): AuthenticationMethod['by'] {
  if (!cursor.atToken(Token.leftBrace)) return cursor.string('password')
  const parameter = parseExpression(cursor)
  return parameter.kind === 'parameter' ? parameter : cursor.fail('password')
}

function parseMethod(cursor: Cursor): AuthenticationMethod {
  const type = cursor.identifier('authentication type').toLowerCase()
  const method: Mutable<AuthenticationMethod> = { type }
  if (PASSWORD_TYPES.has(type)) {
    cursor.expect('BY')
    method.by = parseSecret(cursor)
    if (type.endsWith('_hash') && cursor.accept('SALT')) method.salt = cursor.string('salt')
  } else if (type === 'ldap') {
    cursor.expect('SERVER')
    method.server = cursor.string('server')
  } else if (type === 'http') {
    cursor.expect('SERVER')
    method.server = cursor.string('server')
    if (cursor.accept('SCHEME')) method.scheme = cursor.string('scheme')
  } else if (type === 'kerberos') {
    if (cursor.accept('REALM')) method.realm = cursor.string('realm')
  } else if (type === 'ssl_certificate') {
    const kind = cursor.acceptOneOf('CN', 'SAN') ?? cursor.fail('CN or SAN')
    method.names = { kind, values: parseStrings(cursor) }
  } else if (type === 'ssh_key') {
    cursor.expect('BY')
    method.keys = parseSshKeys(cursor)
  } else if (!BARE_TYPES.has(type)) cursor.fail('authentication type')
  if (cursor.accept('VALID UNTIL')) method.validUntil = cursor.string('time')
  return method
}

/** `'a', 'b'`: stops before a comma that no string follows. */
function parseStrings(cursor: Cursor): string[] {
  const values = [cursor.string()]
  while (cursor.atToken(Token.comma) && cursor.kindAt(cursor.index + 1) === Token.string) {
    cursor.advance()
    values.push(cursor.string())
  }
  return values
}

function parseSshKeys(cursor: Cursor): { key: string; type: string }[] {
  const keys: { key: string; type: string }[] = []
  do {
    cursor.expect('KEY')
    const key = cursor.string('key')
    cursor.expect('TYPE')
    keys.push({ key, type: cursor.string('key type') })
  } while (cursor.atToken(Token.comma) && cursor.atIndex('KEY', cursor.index + 1) && cursor.acceptToken(Token.comma))
  return keys
}

/** What stands after IDENTIFIED. */
function parseIdentified(cursor: Cursor): AuthenticationMethod[] {
  if (cursor.accept('BY')) {
    const by = parseSecret(cursor)
    return [{ by, validUntil: cursor.accept('VALID UNTIL') ? cursor.string('time') : undefined }]
  }
  cursor.expect('WITH')
  return parseCommaList(cursor, parseMethod)
}

/** Addresses that the server takes for the local host. */
const LOCAL_IPS = new Set(['::1', '127.0.0.1'])

const HOST_LISTS = { IP: 'ips', NAME: 'names', REGEXP: 'regexps', LIKE: 'likes' } as const

const NO_HOSTS: HostSet = { ips: [], names: [], regexps: [], likes: [] }

/** `hosts` and one more of the list's kind. */
function withHost(hosts: HostSet, list: 'ips' | 'names' | 'regexps' | 'likes', text: string): HostSet {
  if (list === 'ips' && LOCAL_IPS.has(text)) return { ...hosts, local: true }
  // One address is printed without its mask.
  const host = list === 'ips' && text.endsWith('/32') && !text.includes(':') ? text.slice(0, -3) : text
  return { ...hosts, [list]: [...hosts[list], host] }
}

/** What stands after HOST, added to the `hosts` of an earlier HOST clause. */
function parseHosts(cursor: Cursor, hosts: HostSet = NO_HOSTS): HostSet {
  let list: (typeof HOST_LISTS)[keyof typeof HOST_LISTS] | undefined
  let result = hosts
  do {
    const word = cursor.acceptOneOf('ANY', 'NONE', 'LOCAL', 'IP', 'NAME', 'REGEXP', 'LIKE')
    if (word === 'ANY') result = { ...result, any: true }
    else if (word === 'NONE') result = { ...result, none: true }
    else if (word === 'LOCAL') result = { ...result, local: true }
    else {
      if (word !== undefined) list = HOST_LISTS[word]
      if (list === undefined) return cursor.fail('ANY, NONE, LOCAL, IP, NAME, REGEXP or LIKE')
      result = withHost(result, list, cursor.string())
    }
  } while (cursor.acceptToken(Token.comma))
  return result
}

/** Hosts that `name@host` stands for. */
function hostsOfNames(names: readonly UserName[]): HostSet | undefined {
  if (names.length !== 1) return undefined
  const host = names[0]!.host
  if (host === undefined) return undefined
  return host === 'localhost' ? { ...NO_HOSTS, local: true } : { ...NO_HOSTS, likes: [host] }
}

function parseUser(cursor: Cursor, base: Mutable<AccessBase>): UserStatement {
  const names = parseCommaList(cursor, parseUserName)
  const user: Mutable<UserStatement> = { kind: 'user', ...base, names }
  let hosts: HostSet | undefined
  let addedHosts: HostSet | undefined
  let removedHosts: HostSet | undefined
  let settings: ProfileElement[] | undefined
  const changes = newChanges()
  while (true) {
    if (parsePlace(cursor, user)) continue
    if (user.authentication === undefined && cursor.accept('NOT IDENTIFIED'))
      user.authentication = [{ type: 'no_password' }]
    else if (user.authentication === undefined && cursor.accept('IDENTIFIED'))
      user.authentication = parseIdentified(cursor)
    else if (user.authentication === undefined && base.action === 'ALTER' && cursor.accept('ADD IDENTIFIED')) {
      user.authentication = parseIdentified(cursor)
      user.addAuthentication = true
    } else if (base.action === 'ALTER' && cursor.accept('RESET AUTHENTICATION METHODS TO NEW'))
      user.resetAuthentication = true
    else if (user.validUntil === undefined && cursor.accept('VALID UNTIL')) user.validUntil = cursor.string('time')
    else if (base.action === 'ALTER' && cursor.accept('ADD HOST')) addedHosts = parseHosts(cursor, addedHosts)
    else if (base.action === 'ALTER' && cursor.accept('DROP HOST')) removedHosts = parseHosts(cursor, removedHosts)
    else if (cursor.accept('HOST')) hosts = parseHosts(cursor, hosts)
    else if (cursor.accept('DEFAULT DATABASE'))
      user.defaultDatabase = cursor.accept('NONE') ? {} : { name: parseNameOrString(cursor, 'database') }
    else if (cursor.acceptOneOf('DEFAULT ROLE', 'ROLE')) user.defaultRoles = parseRoleSet(cursor)
    else if (cursor.accept('GRANTEES')) user.grantees = parseRoleSet(cursor, 'ANY')
    else if (base.action === 'CREATE' && cursor.acceptOneOf('SETTINGS', 'SETTING'))
      settings = parseProfileElements(cursor)
    else if (base.action === 'ALTER' && parseChange(cursor, changes)) user.settingsChanges = changes
    else break
  }
  user.addHosts = addedHosts
  user.removeHosts = removedHosts
  user.hosts = hosts ?? (base.action === 'CREATE' ? hostsOfNames(names) : undefined)
  user.settings = settings
  return user
}

function parseRole(cursor: Cursor, base: Mutable<AccessBase>): RoleStatement {
  const role: Mutable<RoleStatement> = { kind: 'role', ...base, names: parseCommaList(cursor, parseUserName) }
  const changes = newChanges()
  while (true) {
    if (parsePlace(cursor, role)) continue
    if (base.action === 'CREATE' && cursor.acceptOneOf('SETTINGS', 'SETTING'))
      role.settings = parseProfileElements(cursor)
    else if (base.action === 'ALTER' && parseChange(cursor, changes)) role.settingsChanges = changes
    else return role
  }
}

function parseSettingsProfile(cursor: Cursor, base: Mutable<AccessBase>): SettingsProfileStatement {
  const profile: Mutable<SettingsProfileStatement> = { kind: 'settingsProfile', ...base, names: parseNames(cursor) }
  const changes = newChanges()
  while (true) {
    if (parsePlace(cursor, profile)) continue
    if (base.action === 'CREATE' && cursor.acceptOneOf('SETTINGS', 'SETTING'))
      profile.settings = parseProfileElements(cursor)
    else if (profile.to === undefined && cursor.accept('TO')) profile.to = parseRoleSet(cursor)
    else if (base.action === 'ALTER' && parseChange(cursor, changes)) profile.settingsChanges = changes
    else return profile
  }
}

type MutableChanges = {
  -readonly [K in keyof ProfileChanges]: ProfileChanges[K] extends readonly (infer Item)[] ? Item[] : ProfileChanges[K]
}

function newChanges(): MutableChanges {
  return { dropSettings: [], dropProfiles: [], addProfiles: [], addSettings: [], modifySettings: [] }
}

/** One clause of ALTER .. that changes settings; a comma may stand between clauses. */
function parseChange(cursor: Cursor, changes: MutableChanges): boolean {
  const comma = cursor.atToken(Token.comma) ? cursor.index++ : -1
  if (cursor.accept('DROP ALL SETTINGS')) changes.dropAllSettings = true
  else if (cursor.accept('DROP ALL PROFILES')) changes.dropAllProfiles = true
  else if (cursor.acceptOneOf('DROP SETTINGS', 'DROP SETTING')) changes.dropSettings.push(...parseChangeNames(cursor))
  else if (cursor.acceptOneOf('DROP PROFILES', 'DROP PROFILE')) changes.dropProfiles.push(...parseChangeNames(cursor))
  else if (cursor.acceptOneOf('ADD PROFILES', 'ADD PROFILE')) changes.addProfiles.push(...parseChangeNames(cursor))
  else if (cursor.acceptOneOf('ADD SETTINGS', 'ADD SETTING')) changes.addSettings.push(...parseSettingElements(cursor))
  else if (cursor.acceptOneOf('MODIFY SETTINGS', 'MODIFY SETTING'))
    changes.modifySettings.push(...parseSettingElements(cursor))
  else if (comma < 0 && cursor.acceptOneOf('SETTINGS', 'SETTING')) {
    // SETTINGS in ALTER replaces everything.
    changes.dropAllSettings = true
    changes.dropAllProfiles = true
    for (const element of parseProfileElements(cursor))
      if (element.parent === undefined) changes.addSettings.push(element)
      else changes.addProfiles.push(element.parent)
  } else {
    if (comma >= 0) cursor.index = comma
    return false
  }
  return true
}

/** Settings with bounds; stops before a comma that starts another clause. */
function parseSettingElements(cursor: Cursor): ProfileElement[] {
  const elements = [parseSettingElement(cursor)]
  while (cursor.atToken(Token.comma) && !atChangeWord(cursor, cursor.index + 1)) {
    cursor.advance()
    elements.push(parseSettingElement(cursor))
  }
  return elements
}

/** Names; stops before a comma that starts another clause. */
function parseChangeNames(cursor: Cursor): string[] {
  const names = [parseNameOrString(cursor)]
  while (cursor.atToken(Token.comma) && !atChangeWord(cursor, cursor.index + 1)) {
    cursor.advance()
    names.push(parseNameOrString(cursor))
  }
  return names
}

function atChangeWord(cursor: Cursor, index: number): boolean {
  return ['ADD', 'DROP', 'MODIFY'].some(
    (word) =>
      cursor.atIndex(word, index) &&
      ['SETTING', 'SETTINGS', 'PROFILE', 'PROFILES', 'ALL'].some((next) => cursor.atIndex(next, index + 1)),
  )
}

function parseSettingElement(cursor: Cursor): ProfileElement {
  const setting = cursor.identifier('setting')
  const element: Mutable<ProfileElement> = { setting }
  const value = (): Setting['value'] => {
    cursor.acceptToken(Token.equals)
    return parseSettingValue(cursor)
  }
  while (true) {
    if (element.value === undefined && cursor.atToken(Token.equals)) element.value = value()
    else if (cursor.accept('MIN')) element.min = value()
    else if (cursor.accept('MAX')) element.max = value()
    else if (cursor.acceptOneOf('CONST', 'READONLY')) element.writability = 'CONST'
    else if (cursor.accept('WRITABLE')) element.writability = 'WRITABLE'
    else if (cursor.accept('CHANGEABLE_IN_READONLY')) element.writability = 'CHANGEABLE_IN_READONLY'
    else return element
  }
}

/** `NONE`, or settings and profiles; a bare name is a profile. */
function parseProfileElements(cursor: Cursor): ProfileElement[] {
  if (cursor.accept('NONE')) return []
  return parseCommaList(cursor, () => {
    if (cursor.acceptOneOf('PROFILE', 'INHERIT')) return { parent: parseNameOrString(cursor, 'profile') }
    if (cursor.atToken(Token.string)) return { parent: cursor.string() }
    const element = parseSettingElement(cursor)
    const bare = Object.keys(element).length === 1
    return bare ? { parent: element.setting! } : element
  })
}

/** `p, q ON a, b`, several groups separated by commas. */
export function parsePolicyTargets(cursor: Cursor, base: Mutable<Pick<AccessBase, 'cluster'>>): PolicyTarget[] {
  const targets: PolicyTarget[] = []
  do {
    const policies = [parseNameOrString(cursor, 'policy name')]
    while (cursor.acceptToken(Token.comma)) policies.push(parseNameOrString(cursor, 'policy name'))
    if (base.cluster === undefined && cursor.at('ON CLUSTER')) base.cluster = parseCluster(cursor)
    cursor.expect('ON')
    const tables = [parsePolicyTable(cursor)]
    while (policies.length === 1 && cursor.atToken(Token.comma) && !startsTarget(cursor, cursor.index + 1)) {
      cursor.advance()
      tables.push(parsePolicyTable(cursor))
    }
    targets.push({ policies, tables })
  } while (cursor.acceptToken(Token.comma))
  return targets
}

/** True where `name ON` stands: another group of policies, no further table. */
function startsTarget(cursor: Cursor, index: number): boolean {
  return cursor.atIndex('ON', index + 1) && !cursor.atIndex('ON CLUSTER', index + 1)
}

/** `db.t`, `t`, `db.*` or `*`. */
export function parsePolicyTable(cursor: Cursor): PolicyTarget['tables'][number] {
  if (cursor.acceptToken(Token.asterisk)) return {}
  const first = cursor.identifier('table')
  if (!cursor.acceptToken(Token.dot)) return { name: first }
  if (cursor.acceptToken(Token.asterisk)) return { database: first }
  return { database: first, name: cursor.identifier('table') }
}

function parseRowPolicy(cursor: Cursor, base: Mutable<AccessBase>): RowPolicyStatement {
  const policy: Mutable<RowPolicyStatement> = { kind: 'rowPolicy', ...base, targets: [] }
  policy.targets = parsePolicyTargets(cursor, policy)
  while (true) {
    if (parsePlace(cursor, policy)) continue
    if (cursor.accept('AS')) {
      const kind = cursor.acceptOneOf('PERMISSIVE', 'RESTRICTIVE') ?? cursor.fail('PERMISSIVE or RESTRICTIVE')
      policy.restrictive = kind === 'RESTRICTIVE'
    } else if (policy.using === undefined && (cursor.at('FOR SELECT') || cursor.at('USING'))) {
      cursor.accept('FOR SELECT')
      cursor.expect('USING')
      policy.using = cursor.accept('NONE') ? 'NONE' : parseExpression(cursor)
    } else if (policy.to === undefined && cursor.accept('TO')) policy.to = parseRoleSet(cursor)
    else return policy
  }
}

function parseQuota(cursor: Cursor, base: Mutable<AccessBase>): QuotaStatement {
  const quota: Mutable<QuotaStatement> = { kind: 'quota', ...base, names: parseNames(cursor), intervals: [] }
  // A second FOR that no comma joins to the first replaces it, in the server too.
  let intervals: QuotaInterval[] = []
  while (true) {
    if (parsePlace(cursor, quota)) continue
    if (cursor.accept('NOT KEYED')) quota.keyedBy = []
    else if (cursor.acceptOneOf('KEYED BY', 'KEY BY')) quota.keyedBy = parseQuotaKeys(cursor)
    else if (cursor.accept('FOR')) intervals = parseIntervals(cursor)
    else if (quota.to === undefined && cursor.accept('TO')) quota.to = parseRoleSet(cursor)
    else break
  }
  quota.intervals = intervals
  return quota
}

function parseQuotaKeys(cursor: Cursor): string[] {
  if (cursor.acceptOneOf('NONE')) return []
  return parseCommaList(cursor, () => parseNameOrString(cursor, 'quota key').toLowerCase().replaceAll(' ', '_'))
}

function parseIntervals(cursor: Cursor): QuotaInterval[] {
  const intervals = [parseInterval(cursor)]
  while (cursor.atToken(Token.comma) && cursor.atIndex('FOR', cursor.index + 1)) {
    cursor.index += 2
    intervals.push(parseInterval(cursor))
  }
  return intervals
}

function parseInterval(cursor: Cursor): QuotaInterval {
  const randomized = flag(cursor, 'RANDOMIZED')
  cursor.accept('INTERVAL')
  const amount = parseUnsigned(cursor)
  const unit = (acceptTimeUnit(cursor) ?? cursor.fail('time unit')).toLowerCase()
  const bare = cursor.acceptOneOf('NO LIMITS', 'TRACKING ONLY')
  if (bare !== undefined) return { randomized, amount, unit, limits: bare }
  const limits: { name: string; max: string }[] = []
  do {
    cursor.accept('MAX')
    const name = cursor.identifier('limit').toLowerCase()
    cursor.acceptToken(Token.equals)
    limits.push({ name, max: parseLimit(cursor) })
  } while (cursor.atToken(Token.comma) && !cursor.atIndex('FOR', cursor.index + 1) && cursor.acceptToken(Token.comma))
  return { randomized, amount, unit, limits }
}

function parseLimit(cursor: Cursor): string {
  const value = parseLiteral(cursor)
  return value.type === 'int' || value.type === 'float' ? value.value : cursor.fail('number')
}

function parseMaskingPolicy(cursor: Cursor, base: Mutable<AccessBase>): MaskingPolicyStatement {
  const name = parseNameOrString(cursor, 'policy name')
  let cluster = parseCluster(cursor)
  cursor.expect('ON')
  const table = parseObjectName(cursor)
  cluster ??= parseCluster(cursor)
  const assignments = cursor.accept('UPDATE') ? parseAssignments(cursor) : undefined
  const where = cursor.accept('WHERE') ? parseExpression(cursor) : undefined
  const to = cursor.accept('TO') ? parseRoleSet(cursor) : undefined
  const priority = cursor.accept('PRIORITY') ? parseUnsigned(cursor) : undefined
  const { action, ifNotExists, ifExists } = base
  return {
    kind: 'maskingPolicy',
    action,
    ifNotExists,
    ifExists,
    name,
    table,
    cluster,
    assignments,
    where,
    to,
    priority,
  }
}

/** DROP of an access object; DROP is consumed. */
export function parseDropAccess(cursor: Cursor): DropAccess | undefined {
  const object = acceptObject(cursor)
  if (object === undefined) return undefined
  const ifExists = flag(cursor, 'IF EXISTS')
  const base: Mutable<AccessBase> = { action: 'ALTER' }
  const policies = object === 'ROW POLICY' || object === 'MASKING POLICY'
  const targets = policies ? parsePolicyTargets(cursor, base) : undefined
  const names = policies ? [] : parseCommaList(cursor, parseUserName)
  const cluster = base.cluster ?? parseCluster(cursor)
  const storage = cursor.accept('FROM') ? parseNameOrString(cursor, 'storage') : undefined
  return { kind: 'dropAccess', object, ifExists, names, targets, cluster, storage }
}

/** MOVE of access objects; MOVE is consumed. */
export function parseMoveAccess(cursor: Cursor): MoveAccess | undefined {
  const object = acceptObject(cursor)
  if (object === undefined) return undefined
  const base: Mutable<AccessBase> = { action: 'ALTER' }
  const policies = object === 'ROW POLICY'
  const targets = policies ? parsePolicyTargets(cursor, base) : undefined
  const names = policies ? [] : parseCommaList(cursor, parseUserName)
  cursor.expect('TO')
  const to = parseNameOrString(cursor, 'storage')
  return { kind: 'moveAccess', object, names, targets, cluster: base.cluster ?? parseCluster(cursor), to }
}

/** SET ROLE and SET DEFAULT ROLE; the words are consumed. */
export function parseSetRole(cursor: Cursor, isDefault: boolean): SetRole {
  if (!isDefault) {
    if (cursor.accept('DEFAULT')) return { kind: 'setRole' }
    return { kind: 'setRole', roles: parseRoleSet(cursor) }
  }
  const roles = parseRoleSet(cursor)
  cursor.expect('TO')
  return { kind: 'setRole', default: true, roles, to: parseRoleSet(cursor, null) }
}
