/** Steps to statements: the only place where DDL is spelled. Pure. */
import type { SqlText, Table } from '../model/definition.js'
import type { Plan, Statement, Step } from '../plan/step.js'
import { onCluster, renderName } from './clauses.js'
import { type ClusterOptions, withCluster } from './cluster.js'
import { type AlterCommand, COMMAND_INDENT, commandsOf, guardOf } from './commands.js'

export type RenderOptions = ClusterOptions & {
  /** False gives every command an ALTER of its own; default true. */
  readonly merge?: boolean
}

type Pending = { readonly command: AlterCommand; readonly step: Step }

/**
 * The statements of a plan in order, none with a semicolon. Commands for one table that follow each other and may
 * share an ALTER are merged; each statement leads back to its steps. A step may need several statements, or none. What
 * guards a step is checked before anything changes.
 */
export function renderPlan(plan: Pick<Plan, 'steps'>, options: RenderOptions = {}): Statement[] {
  const statements: Statement[] = plan.steps.flatMap((step) => {
    const text = guardOf(step)
    return text === undefined ? [] : [{ text, steps: [step] }]
  })
  let run: Pending[] = []
  const flush = () => {
    if (run.length === 0) return
    statements.push(...mergeRun(run, options.merge ?? true))
    run = []
  }
  for (const step of plan.steps) {
    for (const command of commandsOf({ ...step, change: withCluster(step.change, options) })) {
      if (command.kind === 'statement') {
        flush()
        statements.push({ text: command.text, steps: [step] })
        continue
      }
      if (run.length > 0 && !sameTable(run[0]!.command.table, command.table)) flush()
      run.push({ command, step })
    }
  }
  flush()
  return statements
}

/** The statements that carry out one step when it stands alone. */
export function renderStep(step: Step): Statement[] {
  return renderPlan({ steps: [step] })
}

function sameTable(a: Table, b: Table): boolean {
  return a.database === b.database && a.name === b.name
}

/** Commands of one table in a row, as few statements as may be. */
function mergeRun(run: readonly Pending[], merge: boolean): Statement[] {
  const inTime = run.filter(({ command }) => !command.early && !command.late)
  const early = run.filter(({ command }) => command.early)
  const firstMetadata = inTime.findIndex(({ command }) => command.batch === 'metadata' || command.batch === 'mutation')
  if (early.length > 0) inTime.splice(firstMetadata < 0 ? inTime.length : firstMetadata, 0, ...early)
  const ordered = [...inTime, ...run.filter(({ command }) => command.late)]
  const groups: Pending[][] = []
  for (const pending of ordered) {
    const group = groups[groups.length - 1]
    if (merge && group !== undefined && mayShare(group[0]!, pending)) group.push(pending)
    else groups.push([pending])
  }
  return groups.map((group) => ({
    text: alterStatement(group.map(({ command }) => command)),
    steps: [...new Set(group.map(({ step }) => step))],
  }))
}

function mayShare(first: Pending, next: Pending): boolean {
  const { batch } = first.command
  return batch !== 'alone' && batch === next.command.batch
}

function alterStatement(commands: readonly AlterCommand[]): SqlText {
  const { table, batch } = commands[0]!
  const settings = commands.find((command) => command.settings !== undefined)?.settings
  const head = `ALTER TABLE ${renderName(table)}${onCluster(table.cluster)}`
  const tail = settings === undefined ? '' : `\nSETTINGS ${settings}`
  const texts = commands.map((command) => command.text)
  if (batch === 'setting') return `${head} MODIFY SETTING ${texts.join(', ')}${tail}`
  if (batch === 'reset') return `${head} RESET SETTING ${texts.join(', ')}${tail}`
  if (texts.length === 1 && !texts[0]!.includes(`,\n${COMMAND_INDENT}`)) return `${head} ${texts[0]}${tail}`
  return `${head}\n${COMMAND_INDENT}${texts.join(`,\n${COMMAND_INDENT}`)}${tail}`
}
