/** Access objects and named collections as declarations: their statement cut into the clauses that the DSL names. */
import { identifierValue, stringValue, Token, type Tokens, tokenize, tokenText } from '../sql/lexer.js'
import type { AccessObject } from './definition.js'
import type { Declaration, NamedCollectionInput, NameInput } from './dsl.js'
import { compact } from './storage.js'

/** The declaration of an access object. What the DSL has no field for is lost here, and found by who reads it back. */
export function accessDeclaration(object: AccessObject): Declaration {
  const { name, statement, cluster } = object
  const tokens = tokenize(statement)
  switch (object.kind) {
    case 'role':
      return compact({ kind: 'role' as const, name, settings: clausesOf(tokens, ['SETTINGS']).SETTINGS, cluster })
    case 'user': {
      const found = clausesOf(tokens, ['IDENTIFIED', 'HOST', 'DEFAULT ROLE', 'DEFAULT DATABASE', 'SETTINGS'])
      const database = found['DEFAULT DATABASE']
      return compact({
        kind: 'user' as const,
        name,
        identified: found.IDENTIFIED,
        host: found.HOST,
        defaultRole: namesOf(found['DEFAULT ROLE']),
        defaultDatabase: database && identifierValue(tokenize(database), 0),
        settings: found.SETTINGS,
        cluster,
      })
    }
    case 'grant': {
      const found = clausesOf(tokens, ['GRANT', 'ON', 'TO', 'WITH'])
      return compact({
        kind: 'grant' as const,
        privileges: found.GRANT ?? '',
        on: found.ON,
        to: namesOf(found.TO) ?? '',
        withGrantOption: found.WITH === 'GRANT OPTION' ? true : undefined,
        withAdminOption: found.WITH === 'ADMIN OPTION' ? true : undefined,
        cluster,
      })
    }
    case 'row_policy': {
      const found = clausesOf(tokens, ['ROW POLICY', 'ON', 'FOR SELECT USING', 'AS', 'TO'])
      return compact({
        kind: 'row_policy' as const,
        name: identifierValue(tokenize(found['ROW POLICY'] ?? ''), 0),
        on: nameOf(found.ON ?? ''),
        using: found['FOR SELECT USING'] ?? '',
        as: found.AS as 'permissive' | 'restrictive' | undefined,
        to: namesOf(found.TO),
        cluster,
      })
    }
    case 'quota': {
      const found = clausesOf(tokens, ['KEYED BY', 'FOR', 'TO'])
      return compact({
        kind: 'quota' as const,
        name,
        keyedBy: found['KEYED BY'],
        limits: found.FOR,
        to: namesOf(found.TO),
        cluster,
      })
    }
    case 'settings_profile': {
      const found = clausesOf(tokens, ['SETTINGS PROFILE', 'SETTINGS', 'TO'])
      return compact({
        kind: 'settings_profile' as const,
        name,
        settings: found.SETTINGS,
        to: namesOf(found.TO),
        cluster,
      })
    }
    case 'named_collection':
      return compact({ kind: 'named_collection' as const, name, values: collectionValues(tokens), cluster })
  }
}

/**
 * The texts behind the given words, in the order in which they are given; each is looked for behind the one before.
 * Words in brackets do not count.
 */
function clausesOf<const Words extends string>(
  tokens: Tokens,
  words: readonly Words[],
): { readonly [Word in Words]?: string } {
  const found: { words: Words; start: number; end: number }[] = []
  let index = 0
  for (const one of words) {
    const start = findWords(tokens, one.split(' '), index)
    if (start < 0) continue
    const end = start + one.split(' ').length
    found.push({ words: one, start, end })
    index = end
  }
  const texts: { [Word in Words]?: string } = {}
  found.forEach((clause, position) => {
    const stop = found[position + 1]?.start ?? tokens.count
    texts[clause.words] = textOf(tokens, clause.end, stop)
  })
  return texts
}

function findWords(tokens: Tokens, words: readonly string[], from: number): number {
  for (let index = from; index + words.length <= tokens.count; index++) {
    const close = tokens.matching[index] ?? -1
    if (close > index) {
      index = close
      continue
    }
    const here = index
    const matches = words.every(
      (word, offset) =>
        tokens.kinds[here + offset] === Token.word && tokenText(tokens, here + offset).toUpperCase() === word,
    )
    if (matches) return index
  }
  return -1
}

/** The source text of the tokens from `from` up to `to`, which is not among them. */
function textOf(tokens: Tokens, from: number, to: number): string {
  return from >= to ? '' : tokens.source.slice(tokens.starts[from], tokens.ends[to - 1])
}

/** The items of a list as pairs of token numbers, the second one behind the item. */
export function listItems(tokens: Tokens, from: number, to: number): readonly (readonly [number, number])[] {
  const items: [number, number][] = []
  let start = from
  for (let index = from; index < to; index++) {
    const close = tokens.matching[index] ?? -1
    if (close > index) index = close
    else if (tokens.kinds[index] === Token.comma) {
      items.push([start, index])
      start = index + 1
    }
  }
  if (start < to) items.push([start, to])
  return items
}

/** A list of users or roles: one as text, several as a list. */
function namesOf(text: string | undefined): string | readonly string[] | undefined {
  if (text === undefined) return undefined
  const tokens = tokenize(text)
  const names = listItems(tokens, 0, tokens.count).map(([from, to]) =>
    to - from === 1 ? identifierValue(tokens, from) : textOf(tokens, from, to),
  )
  return names.length === 1 ? names[0] : names
}

function nameOf(text: string): NameInput {
  const tokens = tokenize(text)
  return tokens.count === 3
    ? { database: identifierValue(tokens, 0), name: identifierValue(tokens, 2) }
    : identifierValue(tokens, 0)
}

function collectionValues(tokens: Tokens): NamedCollectionInput['values'] {
  const values: Record<string, NamedCollectionInput['values'][string]> = {}
  const start = findWords(tokens, ['AS'], 3) + 1
  for (const [from, to] of listItems(tokens, start, tokens.count)) {
    const isFlagged = tokenText(tokens, to - 1).toUpperCase() === 'OVERRIDABLE'
    const isNot = isFlagged && tokenText(tokens, to - 2).toUpperCase() === 'NOT'
    const end = to - (isNot ? 2 : isFlagged ? 1 : 0)
    const isText = end - from === 3 && tokens.kinds[from + 2] === Token.string
    const text = textOf(tokens, from + 2, end)
    const value = isText ? stringValue(tokens, from + 2) : /^-?\d{1,15}$/.test(text) ? Number(text) : text
    values[identifierValue(tokens, from)] = isFlagged ? { value, overridable: !isNot } : value
  }
  return values
}
