import type { Executor } from '../clickhouse/executor.js'
import { stringValue, Token, tokenize } from '../sql/lexer.js'
import { quoteString } from '../sql/quote.js'

type Environment = Readonly<Record<string, string | undefined>>

const REFERENCE = /^env:([A-Za-z_][A-Za-z0-9_]*)$/

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
    if (tokens.kinds[index] !== Token.string) continue
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
