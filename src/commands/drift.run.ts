import { relative } from 'node:path'
import { diffModels } from '../diff/diff.js'
import type { Drift, NamedDrift, TableDrift } from '../diff/drift.js'
import { type RenameSuggestion, suggestRenames } from '../diff/rename-suggestions.js'
import { ChkitError } from '../errors.js'
import { objectKey, objectName } from '../model/definition.js'
import { planChanges } from '../plan/plan.js'
import type { Statement } from '../plan/step.js'
import type { CommandContext, CommandResult, Style } from '../plugin-host/command.js'
import { replicatedDatabases } from '../render/cluster.js'
import { renderPlan } from '../render/render.js'
import { type LiveState, readJournal, readLiveState, snapshotMissing } from './live-state.js'
import { warnOfMissingDatabase } from './missing-database.js'
import { scopePayload, scopeWarning } from './scope-payload.js'
import { wrapText } from './text-table.js'

/** Runs `chkit drift`. */
export async function run(context: CommandContext): Promise<CommandResult> {
  if (context.config.clickhouse === undefined) {
    throw new ChkitError('connection_required', 'clickhouse config is required for drift checks', {
      hint: "Add clickhouse: { url: 'http://localhost:8123' } to the config.",
    })
  }
  const journal = await readJournal(context, { statements: false })
  const state = await readLiveState(context, journal, context.flags.table)
  if (state === undefined) {
    await warnOfMissingDatabase(context, journal)
    throw snapshotMissing(context.config)
  }
  const { report, scope } = state
  const { statements: repair, renames } = report.drifted
    ? await planRepair(context, state)
    : { statements: [], renames: [] }
  const warning = scopeWarning(scope.scope)
  if (warning !== undefined) context.warn(warning)
  return {
    exitCode: report.drifted && context.flags['exit-code'] === true ? 1 : 0,
    payload: {
      ok: !(report.drifted && context.flags['exit-code'] === true),
      scope: scopePayload(scope.scope),
      snapshotFile: state.snapshotFile,
      ...report,
      repair: repair.map(({ text }) => text),
      ...(warning === undefined ? {} : { warning }),
    },
    text: driftText(context, state, repair, renames),
  }
}

type Repair = { readonly statements: readonly Statement[]; readonly renames: readonly RenameSuggestion[] }

/**
 * The statements that lead the live database back to what was applied, where the server can do that in place, and what
 * of it looks like a rename by hand. Objects that chkit does not know are left alone. Plugins see the plan as they see
 * one of `generate`.
 */
async function planRepair(context: CommandContext, state: LiveState): Promise<Repair> {
  const { expected, actual, report } = state
  const missing = new Set(report.missing)
  const wanted = new Set(expected.definitions.map(objectName))
  const actualKnown = {
    definitions: [
      ...actual.definitions.filter(
        (one) => one.kind === 'database' || (one.kind !== 'grant' && wanted.has(objectName(one))),
      ),
      // Nobody can tell whether what a raw object made is there: it is taken for granted, as it is in the report.
      ...expected.definitions.filter((one) => one.kind === 'raw'),
      // The server has its own texts for what is granted.
      ...expected.definitions.filter((one) => one.kind === 'grant' && !missing.has(objectKey(one))),
    ],
  }
  const changes = diffModels(actualKnown, expected, [], { live: true })
  const own = planChanges(changes, { from: actualKnown, to: expected, allowRecreate: false })
  const plan = await context.plugins.onPlanCreated(own, expected.definitions)
  const { cluster } = context.config.clickhouse ?? {}
  const placed = { cluster, replicatedDatabases: replicatedDatabases(expected, actual) }
  return { statements: renderPlan(plan, placed), renames: suggestRenames(changes) }
}

function driftText(
  context: CommandContext,
  state: LiveState,
  repair: Repair['statements'],
  renames: Repair['renames'],
) {
  const { style, width } = context
  const { report } = state
  const snapshot = relative(context.cwd, state.snapshotFile) || state.snapshotFile
  if (!report.drifted) {
    return `${style.green('✓')} No drift: ${report.expectedCount} ${plural(report.expectedCount, 'object')} as applied ${style.dim(`(${snapshot})`)}`
  }
  const lines = [
    `${style.red('✗')} ${style.bold('The live database differs from what was applied')} ${style.dim(`(${snapshot})`)}`,
  ]
  let previous = ''
  for (const [object, what] of findings(report)) {
    if (object !== previous) lines.push(`  ${style.bold(object)}`)
    previous = object
    lines.push(...wrapText(what, width, '    ', '      '))
  }
  if (report.extra.length > 0) {
    const advice =
      'What is not in the schema is left alone: declare it (chkit pull writes it as TypeScript) or drop it.'
    lines.push('', ...wrapText(advice, width))
  }
  if (repair.length > 0) {
    const command = style.cyan('chkit generate --empty --name repair')
    lines.push('', ...wrapText(`To lead it back, put this into a migration (${command}):`, width), '')
    lines.push(...repair.flatMap((statement) => repairLines(statement, style)))
  }
  for (const rename of renames) lines.push('', ...renameLines(rename, context))
  return lines.join('\n')
}

/** A statement to be copied, with what it loses as a comment above it. */
function repairLines({ text, steps }: Statement, style: Style): string[] {
  const losses = steps.filter(({ risk }) => risk === 'danger').map(({ reason }) => style.red(`-- ${reason}`))
  return [...losses, ...`${text};`.split('\n')].map((line) => `    ${line}`)
}

/** Live, the former name is what chkit misses: the way back goes from `from`, which it would drop, to `to`. */
function renameLines(
  { kind, from, to, database, table, reason, confirmationSQL }: RenameSuggestion,
  context: CommandContext,
) {
  const object = kind === 'column' ? `${database}.${table}` : 'table'
  const told = `${object}: ${to} seems to have been renamed to ${from} by hand (${reason}). This keeps the values, in place of the statements for both:`
  return [...wrapText(told, context.width), '', `    ${confirmationSQL};`]
}

/** Every difference as the object it is in and a phrase. */
export function findings(report: Drift): [string, string][] {
  const objects = report.objectDrift
    .filter(({ code }) => code !== 'definition_mismatch')
    .map(({ code, object, expectedKind, actualKind }): [string, string] => {
      if (code === 'missing_object') return [object, 'is missing']
      if (code === 'extra_object') return [object, 'is not in the schema']
      return [object, `is a ${actualKind}, not a ${expectedKind}`]
    })
  const definitions = report.objectDrift
    .filter(({ code }) => code === 'definition_mismatch')
    .map(({ object, expected, actual }): [string, string] => [
      object,
      expected === undefined ? 'is defined differently' : bothSides(expected, actual),
    ])
  return [...objects, ...definitions, ...report.tableDrift.flatMap(tableFindings)]
}

function tableFindings(drift: TableDrift): [string, string][] {
  const phrases = [
    ...drift.missingColumns.map((name) => `column ${name} is missing`),
    ...drift.extraColumns.map((name) => `column ${name} is not in the schema`),
    ...drift.changedColumns.map(
      ({ name, attribute, expected, actual }) => `column ${name}: ${attribute} ${bothSides(expected, actual)}`,
    ),
    ...named('setting', drift.settingDiffs),
    ...named('index', drift.indexDiffs),
    ...named('projection', drift.projectionDiffs),
    ...named('constraint', drift.constraintDiffs),
    ...drift.clauses.map(({ clause, expected, actual }) => `${clause} ${bothSides(expected, actual)}`),
  ]
  return phrases.map((phrase) => [drift.table, phrase])
}

function named(noun: string, diffs: readonly NamedDrift[]): string[] {
  return diffs.map(({ name, expected, actual }) => `${noun} ${name} ${bothSides(expected, actual)}`)
}

/** Most characters of one side that are shown, and how many of what both share stand before a difference. */
const LONGEST_SIDE = 240
const SHARED_BEFORE = 30

/** `is a, applied was b`; of long texts the part in which they differ. */
function bothSides(expected: unknown, actual: unknown): string {
  const [was, is] = [shown(expected), shown(actual)]
  let shared = 0
  while (shared < Math.min(was.length, is.length) && was[shared] === is[shared]) shared++
  const isShort = was.length <= LONGEST_SIDE && is.length <= LONGEST_SIDE
  const start = isShort || shared <= SHARED_BEFORE ? 0 : shared - SHARED_BEFORE
  return `is ${excerpt(is, start)}, applied was ${excerpt(was, start)}`
}

function excerpt(text: string, start: number): string {
  const end = start + LONGEST_SIDE
  return `${start > 0 ? '…' : ''}${text.slice(start, end)}${text.length > end ? '…' : ''}`
}

function shown(text: unknown): string {
  return text === undefined || text === null || text === '' ? 'none' : String(text)
}

function plural(count: number, noun: string): string {
  return count === 1 ? noun : `${noun}s`
}
