import { riskSummary } from '../plan/operations.js'
import type { Statement, Step } from '../plan/step.js'

/** What the head of a generated migration says. */
export type MigrationHead = {
  readonly id: string
  /** ISO 8601, UTC. */
  readonly generatedAt: string
  readonly chkitVersion: string
  readonly definitions: readonly unknown[]
  readonly statements: readonly Statement[]
  readonly renameSuggestionCount?: number
}

/** `text` on one line: a name may hold a line end, and a comment ends at one. */
function oneLine(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f\u0085\u2028\u2029]/g, (char) => {
    const escapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }
    return escapes[char] ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

function operationLines(step: Step): string[] {
  const lines = [`-- operation: ${step.type} key=${oneLine(step.key)} risk=${step.risk}`]
  if (step.risk !== 'safe') lines.push(`--   ${oneLine(step.reason)}`)
  if (step.warning !== undefined) lines.push(`--   ${oneLine(step.warning)}`)
  return lines
}

/** A statement that ends in a line comment would swallow a semicolon behind it. */
function terminated(text: string): string {
  const lastLine = text.slice(text.lastIndexOf('\n') + 1)
  return /--|#/.test(lastLine) ? `${text}\n;` : `${text};`
}

function renderStatement(statement: Statement): string {
  return [...statement.steps.flatMap(operationLines), terminated(statement.text.trimEnd())].join('\n')
}

/**
 * The text of a migration file: a head of comments, then each statement below the operations that it carries out,
 * ended by a semicolon. Comments are for readers: nothing in chkit decides by them.
 */
export function renderMigration(head: MigrationHead): string {
  // A step that several statements carry out is one operation.
  const steps = [...new Set(head.statements.flatMap((statement) => statement.steps))]
  const risks = riskSummary(steps)
  const lines = [
    '-- chkit-migration-format: v2',
    `-- id: ${head.id}`,
    `-- generated-at: ${head.generatedAt}`,
    `-- cli-version: ${head.chkitVersion}`,
    `-- definition-count: ${head.definitions.length}`,
    `-- operation-count: ${steps.length}`,
    `-- rename-suggestion-count: ${head.renameSuggestionCount ?? 0}`,
    `-- risk-summary: safe=${risks.safe}, caution=${risks.caution}, danger=${risks.danger}`,
  ]
  const body =
    head.statements.length === 0
      ? ['-- Write statements here, each ended by a semicolon.']
      : head.statements.map(renderStatement)
  return [lines.join('\n'), ...body].join('\n\n') + '\n'
}

/** One `-- operation:` line of a migration, as written. */
export type OperationComment = { readonly type: string; readonly key: string; readonly risk: string }

/** The operations that the comments of a migration name, in order. For display only: anyone may have edited them. */
export function readOperationComments(text: string): OperationComment[] {
  return [...text.matchAll(/^-- operation: (\S+) key=(.*) risk=(\w+)\r?$/gm)].map(([, type, key, risk]) => ({
    type: type ?? '',
    key: key ?? '',
    risk: risk ?? '',
  }))
}
