import type { Executor } from '../clickhouse/executor.js'
import { stringValue, Token, type Tokens, tokenize, tokenText } from '../sql/lexer.js'
import { quoteString } from '../sql/quote.js'

type Environment = Readonly<Record<string, string | undefined>>

const REFERENCE = /^env:([A-Za-z_][A-Za-z0-9_]*)$/

/**
 * Where a secret may stand: among the parameters of a dictionary's source, of an engine and of a disk, behind
 * IDENTIFIED .. BY, and in a named collection. A string anywhere else is only a string.
 */
function isSecretPlace(tokens: Tokens, index: number): boolean {
  const word = (at: number) => (at < 0 ? '' : tokenText(tokens, at).toUpperCase())
  if (word(index - 1) === 'BY' || (word(1) === 'NAMED' && word(2) === 'COLLECTION')) return true
  for (let at = index - 1; at >= 0; at--) {
    const matching = tokens.matching[at] ?? -1
    if (matching >= 0 && matching < at) at = matching
    else if (matching > index) {
      if (word(at - 1) === 'SOURCE' || word(at - 1) === 'DISK') return true
      if (word(at - 3) === 'ENGINE' || word(at - 2) === 'ENGINE') return true
    }
  }
  return false
}

/**
 * The statement with each string `'env:NAME'` replaced by the variable's value, and the names of variables that are not
 * set, whose references stay.
 */
export function resolveSecrets(
  sql: string,
  env: Environment,
): { readonly text: string; readonly missing: readonly string[] } {
  if (!sql.includes("'env:")) return { text: sql, missing: [] }
  const tokens = tokenize(sql)
  const missing: string[] = []
  let text = ''
  let end = 0
  for (let index = 0; index < tokens.count; index++) {
    if (tokens.kinds[index] !== Token.string || !isSecretPlace(tokens, index)) continue
    const name = REFERENCE.exec(stringValue(tokens, index))?.[1]
    if (name === undefined) continue
    const value = env[name]
    if (value === undefined) missing.push(name)
    else {
      text += sql.slice(end, tokens.starts[index]) + quoteString(value)
      end = tokens.ends[index] as number
    }
  }
  return { text: text + sql.slice(end), missing }
}

/** The executor with secrets put in right before a statement is sent: no file, journal or message ever holds them. */
export function withSecrets(executor: Executor, env: Environment, warn: (line: string) => void): Executor {
  return {
    ...executor,
    command: (sql, options) => {
      const { text, missing } = resolveSecrets(sql, env)
      for (const name of new Set(missing))
        warn(`The environment variable ${name} is not set: the text 'env:${name}' is sent in place of the secret.`)
      return executor.command(text, options)
    },
  }
}
