import { type SqlToken, sqlTokens } from '../../index.js'
import { isSharedEngine, plainName, replicaParameters } from './engine.js'

/** A statement with the engines that were rewritten in it, as `SharedMergeTree`; none when it stayed as it was. */
export type RewrittenStatement = { readonly text: string; readonly engines: readonly string[] }

type Edit = { readonly start: number; readonly end: number; readonly text: string }

const CREATES: ReadonlySet<string> = new Set(['CREATE', 'ATTACH', 'REPLACE'])
const OPENING: ReadonlySet<string> = new Set(['(', '[', '{'])
const CLOSING: ReadonlySet<string> = new Set([')', ']', '}'])

/**
 * `sql` with plain engines in its ENGINE clauses, everything else as written. Only CREATE, ATTACH and REPLACE of a table
 * or of a materialized view's inner table have such a clause; views and queries are never touched.
 */
export function plainStatement(sql: string): RewrittenStatement {
  // Reading tokens costs time in a migration of thousands of statements, and most of them hold no such name.
  if (!sql.includes('Shared')) return { text: sql, engines: [] }
  const tokens = sqlTokens(sql)
  if (tokens[0] === undefined || !CREATES.has(upper(tokens[0]))) return { text: sql, engines: [] }
  const engines: string[] = []
  const edits: Edit[] = []
  let depth = 0
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index]!
    if (OPENING.has(token.text)) depth++
    else if (CLOSING.has(token.text)) depth--
    if (depth > 0) continue
    if (startsQuery(tokens, index)) break
    const name = engineNameAt(tokens, index)
    if (name === undefined || !isSharedEngine(tokens[name]!.value)) continue
    engines.push(tokens[name]!.value)
    edits.push(...engineEdits(tokens, name))
  }
  return { text: applyEdits(sql, edits), engines }
}

const upper = (token: SqlToken | undefined): string => (token?.kind === 'word' ? token.text.toUpperCase() : '')

/** True at the AS of `AS SELECT`: from there on it is the query's text. `AS other_table` and `AS (SELECT` go on. */
function startsQuery(tokens: readonly SqlToken[], index: number): boolean {
  if (upper(tokens[index]) !== 'AS') return false
  const next = upper(tokens[index + 1])
  return next === 'SELECT' || next === 'WITH' || next === 'FROM' || next === 'EXPLAIN'
}

/** The index of the name in `ENGINE = name` or `ENGINE name`, when such a clause begins at `index`. */
function engineNameAt(tokens: readonly SqlToken[], index: number): number | undefined {
  if (upper(tokens[index]) !== 'ENGINE') return undefined
  const name = tokens[index + 1]?.text === '=' ? index + 2 : index + 1
  const kind = tokens[name]?.kind
  return kind === 'word' || kind === 'quoted_identifier' ? name : undefined
}

/** The name without `Shared`, and its parameters without the path and the replica. */
function engineEdits(tokens: readonly SqlToken[], name: number): Edit[] {
  const { start, end, value } = tokens[name]!
  const renamed: Edit = { start, end, text: plainName(value) }
  const parameters = parametersFrom(tokens, name + 1)
  const left = replicaParameters(parameters.map((parameter) => parameter[0]!.text))
  const first = parameters[0]?.[0]
  if (left === 0 || first === undefined) return [renamed]
  const kept = parameters[left]?.[0]
  const behind = kept ?? parameters.at(-1)!.at(-1)!
  return [renamed, { start: first.start, end: kept === undefined ? behind.end : behind.start, text: '' }]
}

/** The tokens of each parameter in the brackets that open at `index`; none where no bracket opens. */
function parametersFrom(tokens: readonly SqlToken[], index: number): SqlToken[][] {
  if (tokens[index]?.text !== '(') return []
  const parameters: SqlToken[][] = [[]]
  let depth = 1
  for (const token of tokens.slice(index + 1)) {
    if (OPENING.has(token.text)) depth++
    else if (CLOSING.has(token.text)) depth--
    if (depth === 0) break
    if (depth === 1 && token.text === ',') parameters.push([])
    else parameters.at(-1)!.push(token)
  }
  return parameters.filter((parameter) => parameter.length > 0)
}

function applyEdits(sql: string, edits: readonly Edit[]): string {
  let text = ''
  let from = 0
  for (const edit of edits) {
    text += sql.slice(from, edit.start) + edit.text
    from = edit.end
  }
  return text + sql.slice(from)
}
