import { relative } from 'node:path'
import type { RenameSuggestion } from '../diff/rename-suggestions.js'
import { listMigrations, migrationId, nextMigrationId, slugOf } from '../migration/directory.js'
import { loadHead, mendHead, type NewMigration, writeMigration } from '../migration/history.js'
import { HistoryMoved, historyMark } from '../migration/history-lock.js'
import { openJournal } from '../migration/journal.js'
import { isSealedBy } from '../migration/snapshot.js'
import { EMPTY_MODEL } from '../model/definition.js'
import { operationsOf, riskSummary } from '../plan/operations.js'
import type { Risk, Statement, Step } from '../plan/step.js'
import type { CommandContext, CommandResult, TableScope } from '../plugin-host/command.js'
import { declaredFingerprint } from './fingerprint.js'
import type { Planned } from './generate-plan.js'
import { invocation } from './invocation.js'
import { EVERYTHING, scopePayload, scopeWarning } from './scope-payload.js'
import { wrapText } from './text-table.js'

/** What a report shows of a plan. */
type ShownPlan = Pick<Planned, 'plan' | 'statements' | 'suggestions'>

const NOTHING_PLANNED: ShownPlan = { plan: { steps: [], refusals: [] }, statements: [], suggestions: [] }

/** Runs `chkit generate`. Where another run wrote a migration while this one planned, it plans again on top of that. */
export async function run(context: CommandContext): Promise<CommandResult> {
  for (;;) {
    try {
      return await generate(context)
    } catch (error) {
      if (!(error instanceof HistoryMoved)) throw error
    }
  }
}

async function generate(context: CommandContext): Promise<CommandResult> {
  const { config, flags } = context
  const mark = historyMark(config.migrationsDir, config.metaDir)
  const history = {
    migrationsDir: config.migrationsDir,
    metaDir: config.metaDir,
    appliedIds: () => appliedIds(context),
  }
  const head = await loadHead(history)
  for (const id of head.deleted) {
    context.warn(`Migration ${id} was deleted before it was applied; what it did is planned again.`)
  }
  const from = head.snapshot === undefined ? EMPTY_MODEL : { definitions: head.snapshot.definitions }

  if (flags.empty === true) {
    if (flags.dryrun === true) return shown(context, NOTHING_PLANNED, EVERYTHING.scope, undefined)
    const { fingerprint } = head.snapshot ?? {}
    const written = write(context, {
      planned: mark,
      parent: head.migration,
      statements: [],
      definitions: from.definitions,
      fingerprint,
    })
    return applied(context, written, undefined, from.definitions.length, [])
  }

  const files = await context.schemaFiles()
  const fingerprint = declaredFingerprint(context, files)
  const asked = flags.table !== undefined || flags['rename-table'] !== undefined || flags['rename-column'] !== undefined
  if (!asked && !head.stale && head.snapshot !== undefined && isSealedBy(head.snapshot, fingerprint)) {
    return flags.dryrun === true
      ? shown(context, NOTHING_PLANNED, EVERYTHING.scope, undefined)
      : applied(context, undefined, EVERYTHING.scope, from.definitions.length, [])
  }

  // Reading and planning a schema needs the greater part of chkit, which a run with nothing to do never loads.
  const { planDeclared } = await import('./generate-plan.js')
  const planned = await planDeclared(context, from, files)
  const { scope, target } = planned
  const warning = scopeWarning(scope)
  if (warning !== undefined) context.warn(warning)
  if (flags.dryrun === true) return shown(context, planned, scope, warning)
  if (planned.plan.steps.length === 0) {
    mendHead(config.metaDir, head)
    return applied(context, undefined, scope, target.definitions.length, [], warning)
  }
  const written = write(context, {
    planned: mark,
    parent: head.migration,
    statements: planned.statements,
    definitions: target.definitions,
    renameSuggestionCount: planned.suggestions.length,
    // A scope leads to a state that nobody declared as a whole, and a warning is given again until its cause is gone.
    declared: scope.enabled || planned.warned ? undefined : fingerprint,
  })
  return applied(context, written, scope, target.definitions.length, planned.statements, warning, planned)
}

async function appliedIds(context: CommandContext): Promise<readonly string[]> {
  const journal = await openJournal(context.config, context.connection)
  const state = await journal.read({ statements: false })
  return state.applied.map(({ name }) => migrationId(name))
}

function write(
  context: CommandContext,
  what: Pick<
    NewMigration,
    'planned' | 'parent' | 'statements' | 'definitions' | 'declared' | 'fingerprint' | 'renameSuggestionCount'
  >,
): { readonly migrationFile: string; readonly snapshotFile: string } {
  const { config, flags } = context
  const existing = listMigrations(config.migrationsDir).map(migrationId)
  const now = context.now()
  return writeMigration({
    migrationsDir: config.migrationsDir,
    metaDir: config.metaDir,
    id: (flags['migration-id'] as string | undefined) ?? nextMigrationId(now, existing),
    slug: slugOf((flags.name as string | undefined) ?? (flags.empty === true ? 'manual' : 'auto')),
    generatedAt: new Date(now).toISOString(),
    chkitVersion: context.version,
    ...what,
  })
}

function shown(
  context: CommandContext,
  planned: ShownPlan,
  scope: TableScope,
  warning: string | undefined,
): CommandResult {
  const { statements, plan, suggestions } = planned
  const list = operationsOf(plan, statements)
  return {
    payload: {
      scope: scopePayload(scope),
      mode: 'plan',
      operationCount: list.length,
      riskSummary: riskSummary(plan.steps),
      operations: list,
      renameSuggestions: suggestions,
      ...(warning === undefined ? {} : { warning }),
    },
    text: planText(context, statements, suggestions),
  }
}

function applied(
  context: CommandContext,
  written: { readonly migrationFile: string; readonly snapshotFile: string } | undefined,
  scope: TableScope | undefined,
  definitionCount: number,
  statements: readonly Statement[],
  warning?: string,
  planned?: ShownPlan,
): CommandResult {
  const { style } = context
  const steps = stepsOf(statements)
  const path = (file: string) => relative(context.cwd, file) || file
  const lines =
    written === undefined
      ? [
          `${style.green('✓')} Nothing to do: the schema equals the last snapshot (${countOf(definitionCount, 'object')}).`,
        ]
      : [
          ...(statements.length > 0 ? [planText(context, statements, planned?.suggestions ?? []), ''] : []),
          `${style.green('✓')} Wrote ${style.bold(path(written.migrationFile))}`,
          `  Next: read it, then run ${style.cyan(invocation(context.env, 'migrate --apply'))}`,
        ]
  return {
    payload: {
      scope: scopePayload(scope),
      mode: 'apply',
      migrationFile: written?.migrationFile ?? null,
      snapshotFile: written?.snapshotFile ?? null,
      definitionCount,
      operationCount: steps.length,
      riskSummary: riskSummary(steps),
      ...(warning === undefined ? {} : { warning }),
      ...((planned?.suggestions.length ?? 0) > 0 ? { renameSuggestions: planned?.suggestions } : {}),
    },
    text: lines.join('\n'),
  }
}

function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** The steps that statements carry out, each once: several statements may serve one step. */
function stepsOf(statements: readonly Statement[]): readonly Step[] {
  return [...new Set(statements.flatMap((statement) => statement.steps))]
}

/** What stands below a risk begins where the operation's name does. */
const NOTE_INDENT = ' '.repeat(10)

/** The plan for people: each operation with its risk, the statements below, and what a careful reader should know. */
function planText(
  context: CommandContext,
  statements: readonly Statement[],
  suggestions: readonly RenameSuggestion[],
): string {
  const { style, width } = context
  const steps = stepsOf(statements)
  if (steps.length === 0) return `${style.green('✓')} Nothing to do: the schema equals the last snapshot.`
  const colour: Record<Risk, (text: string) => string> = {
    safe: style.green,
    caution: style.yellow,
    danger: (text) => style.bold(style.red(text)),
  }
  const risks = riskSummary(steps)
  const summary = (['safe', 'caution', 'danger'] as const)
    .filter((risk) => risks[risk] > 0)
    .map((risk) => colour[risk](`${risks[risk]} ${risk}`))
  const lines = [`${style.bold(countOf(steps.length, 'operation'))} (${summary.join(', ')})`]
  const told = new Set<Step>()
  for (const statement of statements) {
    lines.push('')
    for (const step of statement.steps) {
      // Of several statements of one step, the first says why.
      if (told.has(step)) {
        lines.push(`  ${colour[step.risk](step.risk.padEnd(7))} ${step.key}  ${style.dim('(continued)')}`)
        continue
      }
      told.add(step)
      const head = `  ${colour[step.risk](step.risk.padEnd(7))} `
      lines.push(...wrapText(`${step.key}  ${style.dim(step.reason)}`, width, head, NOTE_INDENT))
      if (step.warning !== undefined)
        lines.push(...wrapText(`${style.yellow('note')} ${step.warning}`, width, NOTE_INDENT))
    }
    lines.push(...statement.text.split('\n').map((line) => `    ${line}`))
  }
  for (const suggestion of suggestions) {
    const flag = renameFlag(suggestion)
    const told = `${suggestion.from} and ${suggestion.to} look alike (${suggestion.reason}); to keep the data:`
    // The flag stands alone: broken into two lines it could not be copied.
    lines.push('', ...wrapText(`${style.yellow('rename?')} ${told}`, width, '  ', NOTE_INDENT))
    lines.push(`${NOTE_INDENT}${style.cyan(flag)}`)
  }
  return lines.join('\n')
}

/** The flag that confirms a suggestion, as a shell takes it. Of a table, both names come with their database. */
function renameFlag({ kind, database, table, from, to }: RenameSuggestion): string {
  const mapping = kind === 'column' ? `${database}.${table}.${from}=${to}` : `${from}=${to}`
  const word = /^[\w.=-]+$/.test(mapping) ? mapping : `'${mapping.replaceAll("'", "'\\''")}'`
  return `--rename-${kind} ${word}`
}
