import { relative } from 'node:path'
import { diffModels } from '../diff/diff.js'
import type { Drift, NamedDrift, TableDrift } from '../diff/drift.js'
import { ChkitError } from '../errors.js'
import { objectKey } from '../model/definition.js'
import { planChanges } from '../plan/plan.js'
import type { CommandContext, CommandResult } from '../plugin-host/command.js'
import { replicatedDatabases } from '../render/cluster.js'
import { renderPlan } from '../render/render.js'
import { type LiveState, readJournal, readLiveState, snapshotMissing } from './live-state.js'
import { warnOfMissingDatabase } from './missing-database.js'
import { scopePayload, scopeWarning } from './scope-payload.js'

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
    throw snapshotMissing()
  }
  const { report, scope } = state
  const repair = report.drifted ? await repairStatements(context, state) : []
  const warning = scopeWarning(scope.scope)
  if (warning !== undefined) context.warn(warning)
  return {
    exitCode: report.drifted && context.flags['exit-code'] === true ? 1 : 0,
    payload: {
      ok: !(report.drifted && context.flags['exit-code'] === true),
      scope: scopePayload(scope.scope),
      snapshotFile: state.snapshotFile,
      ...report,
      repair,
      ...(warning === undefined ? {} : { warning }),
    },
    text: driftText(context, state, repair),
  }
}

/**
 * The statements that lead the live database back to what was applied, where the server can do that in place. Objects
 * that chkit does not know are left alone. Plugins see the plan as they see one of `generate`.
 */
async function repairStatements(context: CommandContext, state: LiveState): Promise<string[]> {
  const { expected, actual, report } = state
  const known = new Set(report.extra)
  const actualKnown = {
    definitions: actual.definitions.filter((one) => !known.has(objectKey(one))),
  }
  const changes = diffModels(actualKnown, expected, [], { live: true })
  const own = planChanges(changes, { from: actualKnown, to: expected, allowRecreate: false })
  const plan = await context.plugins.onPlanCreated(own, expected.definitions)
  const { cluster } = context.config.clickhouse ?? {}
  const placed = { cluster, replicatedDatabases: replicatedDatabases(expected, actual) }
  return renderPlan(plan, placed).map(({ text }) => text)
}

function driftText(context: CommandContext, state: LiveState, repair: readonly string[]): string {
  const { style } = context
  const { report } = state
  const snapshot = relative(context.cwd, state.snapshotFile) || state.snapshotFile
  if (!report.drifted) {
    return `${style.green('✓')} No drift: ${report.expectedCount} ${plural(report.expectedCount, 'object')} as applied ${style.dim(`(${snapshot})`)}`
  }
  const lines = [
    `${style.red('✗')} ${style.bold('The live database differs from what was applied')} ${style.dim(`(${snapshot})`)}`,
  ]
  lines.push(...findings(report).map(([object, what]) => `  ${style.bold(object)}  ${what}`))
  if (repair.length > 0) {
    lines.push(
      '',
      `To lead it back, put this into a migration (${style.cyan('chkit generate --empty --name repair')}):`,
      '',
    )
    lines.push(...repair.flatMap((text) => `${text};`.split('\n').map((line) => `    ${line}`)))
  }
  return lines.join('\n')
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
      expected === undefined ? 'is defined differently' : `is ${shorten(actual)}, applied was ${shorten(expected)}`,
    ])
  return [...objects, ...definitions, ...report.tableDrift.flatMap(tableFindings)]
}

function tableFindings(drift: TableDrift): [string, string][] {
  const phrases = [
    ...drift.missingColumns.map((name) => `column ${name} is missing`),
    ...drift.extraColumns.map((name) => `column ${name} is not in the schema`),
    ...drift.changedColumns.map(
      ({ name, attribute, expected, actual }) =>
        `column ${name}: ${attribute} is ${shorten(actual)}, applied was ${shorten(expected)}`,
    ),
    ...named('setting', drift.settingDiffs),
    ...named('index', drift.indexDiffs),
    ...named('projection', drift.projectionDiffs),
    ...named('constraint', drift.constraintDiffs),
    ...(drift.ttlMismatch ? ['TTL differs'] : []),
    ...(drift.engineMismatch ? ['engine differs'] : []),
    ...(drift.primaryKeyMismatch ? ['primary key differs'] : []),
    ...(drift.orderByMismatch ? ['sorting key differs'] : []),
    ...(drift.uniqueKeyMismatch ? ['unique key differs'] : []),
    ...(drift.partitionByMismatch ? ['partition key differs'] : []),
    ...(drift.sampleByMismatch ? ['sampling key differs'] : []),
    ...(drift.commentMismatch ? ['comment differs'] : []),
  ]
  return phrases.map((phrase) => [drift.table, phrase])
}

function named(noun: string, diffs: readonly NamedDrift[]): string[] {
  return diffs.map(
    ({ name, expected, actual }) => `${noun} ${name} is ${shorten(actual)}, applied was ${shorten(expected)}`,
  )
}

function shorten(text: unknown): string {
  const shown = text === undefined || text === null || text === '' ? 'none' : String(text)
  return shown.length > 100 ? `${shown.slice(0, 99)}…` : shown
}

function plural(count: number, noun: string): string {
  return count === 1 ? noun : `${noun}s`
}
