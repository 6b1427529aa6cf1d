import type { Change } from '../diff/change.js'
import { diffModels, type Rename } from '../diff/diff.js'
import { type RenameSuggestion, suggestRenames } from '../diff/rename-suggestions.js'
import { resolveRenames } from '../diff/renames.js'
import { ChkitError } from '../errors.js'
import { isDatabaseObject, type Model, objectKey } from '../model/definition.js'
import { planChanges } from '../plan/plan.js'
import type { Plan, Refusal, Statement } from '../plan/step.js'
import type { CommandContext, SchemaFile, TableScope } from '../plugin-host/command.js'
import { declaredDefinitions } from '../plugin-host/definitions.js'
import { replicatedDatabases } from '../render/cluster.js'
import { renderPlan } from '../render/render.js'
import { selectScope } from './scope.js'

/** Everything that decides the next migration, before anything is written. */
export type Planned = {
  readonly plan: Plan
  readonly statements: readonly Statement[]
  readonly suggestions: readonly RenameSuggestion[]
  /** The state that the migration leads to. */
  readonly target: Model
  /** What `--table` selects of it. */
  readonly scope: TableScope
  /** True when reading the schema gave warnings. */
  readonly warned: boolean
}

/**
 * The way from `from` to what `files` declare, within `--table`. Asks about likely renames where somebody can answer.
 * Throws `validation_failed` and the schema codes, and the code of the first refusal with all of them in its payload.
 */
export async function planDeclared(
  context: CommandContext,
  from: Model,
  files: readonly SchemaFile[],
): Promise<Planned> {
  const { model: declared, warned } = await declaredModel(context, files)
  const { scope, apply, leftOut } = selectScope(context.flags.table, from, declared)
  context.plugins.setTableScope(scope)
  const target = apply(from, declared)
  for (const line of leftOut(target, declared)) context.warn(line)
  const planned = await planWithQuestions(context, from, target)
  refuse(planned.plan.refusals)
  return { ...planned, target, scope, warned }
}

/** What the schema files declare, with what plugins make of it. Throws `validation_failed` and the schema codes. */
async function declaredModel(context: CommandContext, files: readonly SchemaFile[]) {
  const { definitions, warnings } = declaredDefinitions(files, context.config)
  for (const { message } of warnings) context.warn(message)
  const model: Model = { definitions: await context.plugins.onSchemaLoaded(definitions) }
  return { model, warned: warnings.length > 0 }
}

/** Plans, asking a person about likely renames where there is one to ask. */
async function planWithQuestions(context: CommandContext, from: Model, target: Model) {
  const flags = {
    tables: (context.flags['rename-table'] ?? []) as readonly string[],
    columns: (context.flags['rename-column'] ?? []) as readonly string[],
  }
  const renames = resolveRenames(from, target, flags)
  let changes = diffModels(from, target, renames)
  let suggestions = suggestRenames(changes)
  if (suggestions.length > 0 && context.prompt.interactive && context.flags.dryrun !== true) {
    const confirmed: Rename[] = []
    for (const suggestion of suggestions) {
      if (await context.prompt.confirm(questionOf(suggestion))) confirmed.push(renameOf(suggestion, target))
    }
    // Whoever was asked has answered: the plan does not ask again.
    suggestions = []
    if (confirmed.length > 0) changes = diffModels(from, target, [...renames, ...confirmed])
  }
  return finish(context, from, target, changes, suggestions)
}

async function finish(
  context: CommandContext,
  from: Model,
  target: Model,
  changes: readonly Change[],
  suggestions: readonly RenameSuggestion[],
) {
  const allowRecreate = context.flags['allow-recreate'] === true
  const own = planChanges(changes, { from, to: target, allowRecreate })
  const plan = await context.plugins.onPlanCreated(own, target.definitions)
  const placed = { cluster: context.config.clickhouse?.cluster, replicatedDatabases: replicatedDatabases(from, target) }
  return { plan, statements: renderPlan(plan, placed), suggestions }
}

/** Throws for what the server cannot or must not do, all of it at once. */
function refuse(refusals: readonly Refusal[]): void {
  const [first] = refusals
  if (first === undefined) return
  const details = refusals.map(({ code, object, message, hint }) => ({ code, object, message, hint }))
  const code = refusals.some((refusal) => refusal.code === 'rebuild_required') ? 'rebuild_required' : first.code
  const hints = [...new Set(refusals.map(({ hint }) => hint))]
  throw new ChkitError(code, refusals.map(({ message }) => message).join('\n'), {
    hint: hints.join('\n'),
    details: { payload: { refusals: details } },
  })
}

function questionOf({ kind, database, table, from, to, reason }: RenameSuggestion): string {
  const where = kind === 'column' ? ` of ${database}.${table}` : ''
  return `Is ${kind} ${to} the former ${from}${where}, renamed? (${reason})`
}

/** Of a table, `from` and `to` are texts with the database in front; names hold dots, so the parts come from elsewhere. */
function renameOf(suggestion: RenameSuggestion, target: Model): Rename {
  const { database, table, from, to } = suggestion
  if (suggestion.kind === 'column') return { kind: 'column', table: { database, name: table }, from, to }
  const next = target.definitions.find((one) => objectKey(one) === suggestion.addOperationKey)
  if (next === undefined || !isDatabaseObject(next)) {
    throw new ChkitError('internal_error', `${suggestion.addOperationKey} was suggested, but is not declared.`)
  }
  return { kind: 'object', from: { database, name: table }, to: { database: next.database, name: next.name } }
}
