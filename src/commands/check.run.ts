import { appendFileSync } from 'node:fs'
import { messageOf } from '../errors.js'
import type { MigrationStatus } from '../migration/status.js'
import { readMigrationStatus } from '../migration/status.js'
import type { CommandContext, CommandResult } from '../plugin-host/command.js'
import type { CheckResult } from '../plugin-host/plugin.js'
import { findings } from './drift.run.js'
import { foreignMigrations } from './foreign-migrations.js'
import { type LiveState, readJournal, readLiveState } from './live-state.js'
import { warnOfMissingDatabase } from './missing-database.js'
import { scopePayload } from './scope-payload.js'
import { wrapText } from './text-table.js'

/** One thing that the gate reports, for text, annotations and the summary. */
type Finding = { readonly severity: 'error' | 'warn' | 'info'; readonly title: string; readonly message: string }

/** Runs `chkit check`. */
export async function run(context: CommandContext): Promise<CommandResult> {
  const { config, flags } = context
  const strict = flags.strict === true
  const policy = strict ? { failOnPending: true, failOnChecksumMismatch: true, failOnDrift: true } : config.check
  const journal = await readJournal(context)
  const status = readMigrationStatus(config, journal)
  await warnOfMissingDatabase(context, journal)
  const live = config.clickhouse === undefined ? undefined : await readLiveState(context, journal, flags.table)
  const plugins = await context.plugins.onCheck()

  const drifted = live?.report.drifted ?? false
  const failedChecks = [
    ...(policy.failOnPending && status.pendingMigrations.length > 0 ? ['pending_migrations'] : []),
    ...(missingOf(status).length > 0 ? ['missing_migrations'] : []),
    ...(policy.failOnChecksumMismatch && status.checksumMismatches.length > 0 ? ['checksum_mismatch'] : []),
    ...(policy.failOnDrift && drifted ? ['schema_drift'] : []),
    ...plugins.filter(fails).map(({ plugin }) => `plugin:${plugin}`),
  ]
  const ok = failedChecks.length === 0
  const found = allFindings(status, live, plugins, failedChecks)
  announce(context, found, ok)
  if (!context.jsonMode) await context.plugins.onCheckReport(plugins)
  const counts = reasonCounts(live)
  return {
    exitCode: ok ? 0 : 1,
    payload: {
      ok,
      ...(ok ? {} : { error: `Failed checks: ${failedChecks.join(', ')}`, code: 'check_failed', retriable: false }),
      strict,
      policy,
      ...(live === undefined ? {} : { scope: scopePayload(live.scope.scope) }),
      failedChecks,
      pendingCount: status.pendingMigrations.length,
      missingCount: missingOf(status).length,
      checksumMismatchCount: status.checksumMismatches.length,
      drifted,
      driftEvaluated: live !== undefined,
      driftReasonCounts: counts.byReason,
      driftReasonTotals: counts.totals,
      plugins: Object.fromEntries(
        plugins.map(({ plugin, evaluated, ok: passed, findings: own, metadata }) => [
          plugin,
          {
            evaluated,
            ok: passed,
            findingCodes: [...new Set(own.map(({ code }) => code))],
            findings: own,
            ...(metadata === undefined ? {} : { metadata }),
          },
        ]),
      ),
    },
    text: checkText(context, status, live, found, ok),
  }
}

function fails(result: CheckResult): boolean {
  return result.findings.some(({ severity }) => severity === 'error')
}

function reasonCounts(live: LiveState | undefined) {
  const byReason: Record<string, number> = {}
  const add = (reason: string) => {
    byReason[reason] = (byReason[reason] ?? 0) + 1
  }
  for (const { code } of live?.report.objectDrift ?? []) add(code)
  for (const { reasonCodes } of live?.report.tableDrift ?? []) reasonCodes.forEach(add)
  const object = live?.report.objectDrift.length ?? 0
  const table = (live?.report.tableDrift ?? []).reduce((sum, { reasonCodes }) => sum + reasonCodes.length, 0)
  return { byReason, totals: { total: object + table, object, table } }
}

/** Files that are gone although the database holds what they did, or a part of it; a sentence for each. */
function missingOf({ missingMigrations, pendingMigrations, halfDone }: MigrationStatus): readonly string[] {
  const lost = halfDone.filter(({ name }) => !pendingMigrations.includes(name))
  return [
    ...missingMigrations.map((name) => `${name} was applied, but its file is gone`),
    ...lost.map(({ name }) => `${name} was begun but not finished, and its file is gone`),
  ]
}

function allFindings(
  status: MigrationStatus,
  live: LiveState | undefined,
  plugins: readonly CheckResult[],
  failedChecks: readonly string[],
): Finding[] {
  const severity = (check: string) => (failedChecks.includes(check) ? 'error' : 'warn')
  return [
    ...status.pendingMigrations.map(
      (name): Finding => ({ severity: severity('pending_migrations'), title: 'pending migration', message: name }),
    ),
    ...missingOf(status).map((message): Finding => ({ severity: 'error', title: 'missing migration', message })),
    ...status.checksumMismatches.map(
      ({ name }): Finding => ({
        severity: severity('checksum_mismatch'),
        title: 'edited migration',
        message: `${name} was changed after it was applied`,
      }),
    ),
    ...(live === undefined ? [] : findings(live.report)).map(
      ([object, what]): Finding => ({
        severity: severity('schema_drift'),
        title: 'drift',
        message: `${object} ${what}`,
      }),
    ),
    ...plugins.flatMap(({ plugin, findings: own }) =>
      own.map(
        (finding): Finding => ({
          severity: finding.severity,
          title: `${plugin} ${finding.code}`,
          message: finding.message,
        }),
      ),
    ),
  ]
}

/** On GitHub Actions: an annotation per finding on stderr, and a summary in the file that the runner names. */
function announce(context: CommandContext, found: readonly Finding[], ok: boolean): void {
  if (context.env.GITHUB_ACTIONS !== 'true') return
  const command = { error: 'error', warn: 'warning', info: 'notice' }
  for (const { severity, title, message } of found) {
    context.note(`::${command[severity]} title=${annotationProperty(`chkit: ${title}`)}::${annotationText(message)}`)
  }
  const file = context.env.GITHUB_STEP_SUMMARY
  if (file === undefined || file === '') return
  const rows = found.map(({ severity, title, message }) => `| ${severity} | ${title} | ${tableCell(message)} |`)
  const table = rows.length === 0 ? [] : ['', '| severity | what | where |', '| --- | --- | --- |', ...rows]
  const text = [`### chkit check: ${ok ? 'passed' : 'failed'}`, ...table, ''].join('\n')
  try {
    appendFileSync(file, context.redact(`${text}\n`))
  } catch (error) {
    // The summary is a courtesy: the gate's answer must not depend on it.
    context.warn(`The summary could not be written to GITHUB_STEP_SUMMARY: ${messageOf(error)}`)
  }
}

/** Escapes of workflow commands. Source: GitHub's toolkit, `packages/core/src/command.ts`. */
function annotationText(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function annotationProperty(text: string): string {
  return annotationText(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}

function tableCell(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('|', '\\|').replaceAll(/\r?\n/g, ' ')
}

function checkText(
  context: CommandContext,
  status: MigrationStatus,
  live: LiveState | undefined,
  found: readonly Finding[],
  ok: boolean,
): string {
  const { style } = context
  const mark = { error: style.red('✗'), warn: style.yellow('!'), info: style.dim('·') }
  const lines = found.map(({ severity, title, message }) => `${mark[severity]} ${title}: ${message}`)
  const facts = [
    `${status.applied} applied`,
    live === undefined
      ? 'drift not evaluated'
      : `${live.report.expectedCount} ${live.report.expectedCount === 1 ? 'object' : 'objects'} compared`,
  ].join(', ')
  const verdict = ok
    ? `${style.green('✓')} ${style.bold('Check passed')}`
    : `${style.red('✗')} ${style.bold('Check failed')}`
  const foreign = foreignMigrations(context.config, status.missingMigrations)
  const advice = foreign === undefined ? [] : wrapText(foreign, context.width, '  ')
  return [...lines, ...advice, `${verdict} ${style.dim(`(${facts})`)}`].join('\n')
}
