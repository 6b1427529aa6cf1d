import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { derivedStatements } from './derived-statements.js'

/** Statements that live together in one database, in the order in which they are run. */
export type Scenario = { readonly name: string; readonly statements: readonly RealStatement[] }

/** One CREATE statement, and the query settings that its author's session had. */
export type RealStatement = {
  readonly text: string
  readonly settings: Readonly<Record<string, string | number>>
}

/** Another folder of such files can take the place of the repository's; then nothing is derived. */
const other = process.env.CHKIT_REAL_WORLD_FOLDER
const folder = other ?? fileURLToPath(new URL('../../../fixtures/real-world', import.meta.url))

/** The files of fixtures/real-world, and statements that are made by rule. A line `;;` parts two statements of a file. */
export function realWorldScenarios(): readonly Scenario[] {
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .sort()
  const written = files.map((file) => ({
    name: `rw_${file.replace('.sql', '').replaceAll('-', '_')}`,
    statements: readFileSync(`${folder}/${file}`, 'utf8')
      .split(/^;;[ \t]*\n/m)
      .filter((text) => text.trim() !== '')
      .map(statementOf),
  }))
  if (other !== undefined) return written
  return [...written, ...derivedStatements().map(({ name, texts }) => ({ name, statements: texts.map(statementOf) }))]
}

/** `-- settings: a=1, b=2` in the first line is the session's part. */
function statementOf(text: string): RealStatement {
  const line = /^-- settings: (.*)$/m.exec(text)?.[1] ?? ''
  const pairs = line
    .split(',')
    .map((pair) => pair.trim().split('='))
    .filter((pair): pair is [string, string] => pair.length === 2)
  return { text: text.trim(), settings: Object.fromEntries(pairs) }
}
