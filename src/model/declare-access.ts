import { Token, tokenize, tokenText } from '../sql/lexer.js'
import { quoteIdentifierIfNeeded } from '../sql/quote.js'
import { parseStatement } from '../sql/statement.js'
import type { AccessObject } from './definition.js'
import type { Declaration, NamedCollectionInput, SettingValue } from './dsl.js'
import { compact, settingValue } from './storage.js'

/**
 * The declaration of an access object, its clauses cut out of the canonical statement. What the DSL has no field for
 * (several tables in one policy, authentication by several methods of one user) makes it `undefined`.
 */
export function accessDeclaration(object: AccessObject): Declaration | undefined {
  const { statement, cluster } = object
  switch (object.kind) {
    case 'role': {
      const { SETTINGS } = clausesOf(statement, ['SETTINGS'])
      return compact({ kind: 'role', name: object.name, settings: SETTINGS, cluster })
    }
    case 'user': {
      const clauses = clausesOf(statement, [
        'IDENTIFIED',
        'HOST',
        'DEFAULT ROLE',
        'DEFAULT DATABASE',
        'SETTINGS',
        'GRANTEES',
      ])
      if (clauses.GRANTEES !== undefined) return undefined
      return compact({
        kind: 'user',
        name: object.name,
        identified: clauses.IDENTIFIED,
        host: clauses.HOST,
        defaultRole: names(clauses['DEFAULT ROLE']),
        defaultDatabase: names(clauses['DEFAULT DATABASE'])?.[0],
        settings: clauses.SETTINGS,
        cluster,
      })
    }
    case 'grant': {
      const clauses = clausesOf(statement, [
        'GRANT',
        'ON',
        'TO',
        'WITH GRANT OPTION',
        'WITH ADMIN OPTION',
        'WITH REPLACE OPTION',
      ])
      const { GRANT, ON, TO } = clauses
      if (GRANT === undefined || TO === undefined || clauses['WITH REPLACE OPTION'] !== undefined) return undefined
      return compact({
        kind: 'grant',
        privileges: GRANT,
        on: ON,
        to: names(TO)!,
        withGrantOption: clauses['WITH GRANT OPTION'] === undefined ? undefined : true,
        withAdminOption: clauses['WITH ADMIN OPTION'] === undefined ? undefined : true,
        cluster,
      })
    }
    case 'row_policy':
      return policyDeclaration(object)
    case 'quota': {
      const clauses = clausesOf(statement, ['KEYED BY', 'FOR', 'TO'])
      return compact({
        kind: 'quota',
        name: object.name,
        keyedBy: clauses['KEYED BY'],
        limits: clauses.FOR,
        to: names(clauses.TO),
        cluster,
      })
    }
    case 'settings_profile': {
      const { SETTINGS, TO } = clausesOf(statement, ['SETTINGS', 'TO'])
      return compact({ kind: 'settings_profile', name: object.name, settings: SETTINGS, to: names(TO), cluster })
    }
    case 'named_collection':
      return collectionDeclaration(object)
  }
}

function policyDeclaration({ statement, cluster }: AccessObject): Declaration | undefined {
  const { node } = parseStatement(statement)
  if (node.kind !== 'rowPolicy') return undefined
  const policy = node.targets[0]?.policies[0]
  const table = node.targets[0]?.tables[0]
  const clauses = clausesOf(statement, ['FOR SELECT USING', 'USING', 'AS', 'TO'])
  const using = clauses['FOR SELECT USING'] ?? clauses.USING
  if (policy === undefined || table === undefined || using === undefined) return undefined
  if (table.name === undefined && table.database === undefined) return undefined
  return compact({
    kind: 'row_policy',
    name: policy,
    on:
      table.name === undefined
        ? `${quoteIdentifierIfNeeded(table.database ?? '')}.*`
        : compact({ database: table.database, name: table.name }),
    using,
    as: node.restrictive === undefined ? undefined : node.restrictive ? 'restrictive' : 'permissive',
    to: names(clauses.TO),
    cluster,
  })
}

function collectionDeclaration({ statement, name, cluster }: AccessObject): Declaration | undefined {
  const { node } = parseStatement(statement)
  if (node.kind !== 'createNamedCollection') return undefined
  const values: Record<string, NamedCollectionInput['values'][string]> = {}
  for (const { setting, overridable } of node.entries) {
    const value = plainValue(setting.value)
    if (value === undefined) return undefined
    values[setting.name] = overridable === undefined ? value : { value, overridable }
  }
  return compact({ kind: 'named_collection', name, values, cluster })
}

function plainValue(value: Parameters<typeof settingValue>[0]): SettingValue | undefined {
  if (value.kind !== 'literal') return undefined
  if (value.type === 'string' || value.type === 'bool') return value.value
  const text = settingValue(value)
  return String(Number(text)) === text ? Number(text) : undefined
}

/** `a, b` as a list of names, unquoted; phrases like `ALL EXCEPT a` stay one entry. */
function names(list: string | undefined): readonly string[] | undefined {
  if (list === undefined) return undefined
  const tokens = tokenize(list)
  const parts: string[] = []
  let start = 0
  for (let index = 0; index <= tokens.count; index++) {
    if (index < tokens.count && tokens.kinds[index] !== Token.comma) continue
    const end = index === tokens.count ? list.length : tokens.starts[index]!
    parts.push(list.slice(start, end).trim())
    start = end + 1
  }
  if (parts[0]?.toUpperCase().startsWith('ALL')) return [list]
  return parts.map((part) =>
    part.startsWith('`') && part.endsWith('`') ? part.slice(1, -1).replaceAll('\\`', '`') : part,
  )
}

/** The texts behind those of `phrases` (upper case) that `statement` has outside of brackets. */
function clausesOf<const P extends string>(statement: string, phrases: readonly P[]): Partial<Record<P, string>> {
  const tokens = tokenize(statement)
  const found: { phrase: P; start: number; end: number }[] = []
  for (let index = 0; index < tokens.count; index++) {
    const closing = tokens.kinds[index] === Token.leftParen ? tokens.matching[index]! : -1
    if (closing > index) {
      index = closing
      continue
    }
    const phrase = phrases.find((one) =>
      one
        .split(' ')
        .every(
          (word, offset) =>
            tokens.kinds[index + offset] === Token.word && tokenText(tokens, index + offset).toUpperCase() === word,
        ),
    )
    if (phrase === undefined || found.some((one) => one.phrase === phrase)) continue
    const last = index + phrase.split(' ').length - 1
    found.push({ phrase, start: tokens.starts[index]!, end: tokens.ends[last]! })
    index = last
  }
  const clauses: Partial<Record<P, string>> = {}
  found.forEach(({ phrase, end }, index) => {
    clauses[phrase] = statement.slice(end, found[index + 1]?.start ?? statement.length).trim()
  })
  return clauses
}
