import { join, relative, resolve } from 'node:path'
import {
  type CheckFinding,
  type CheckResult,
  ChkitError,
  definePlugin,
  flagsOf,
  type PluginCommandContext,
  type PluginCommandResult,
  type PluginContext,
} from '../../index.js'
import { diagnose } from './doctor.js'
import { planFlags, planIdFlag, runFlags } from './flags.js'
import { arrivedOf, findLedgerPlan, lockOwnerOf, lockRequestOf } from './ledger.js'
import { acquireRunLock } from './lock.js'
import { type BackfillOptions, type Options, optionsSchema } from './options.js'
import { type Plan, showName } from './plan.js'
import { makePlan } from './planner.js'
import { short } from './progress.js'
import { dropLeftovers, ledgerNews, type RunSummary, runPlan, summarise } from './run.js'
import {
  openEvents,
  planIds,
  readPlan,
  readRun,
  type StateFiles,
  stateFiles,
  writeAtomically,
  writePlan,
} from './state.js'
import { showTime } from './window.js'

export type { BackfillOptions, BackfillTableOptions } from './options.js'

type Context = PluginContext<Options>
type CommandContext = PluginCommandContext<Options>

/** The plugin itself: copies and view replays in time windows, resumable, each row exactly once. */
export const backfillPlugin = definePlugin<Options>({
  manifest: { name: 'backfill', apiVersion: 1 },
  options: optionsSchema,
  commands: [
    {
      name: 'plan',
      description: 'Cut a window of time into chunks, and write the plan.',
      effect: 'files',
      flags: planFlags,
      examples: [
        {
          line: 'chkit backfill plan --target app.events_daily --from 2024-01-01 --to 2024-01-31',
          description: 'Replay the materialized view that writes into events_daily.',
        },
        {
          line: 'chkit backfill plan --target app.events --source app.events_old --from 2024-01-01 --to 2024-01-31',
          description: 'Copy rows from one table into another.',
        },
      ],
      run: runPlanCommand,
    },
    {
      name: 'run',
      description: 'Run a plan, or what is left of it.',
      effect: 'database',
      flags: [...runFlags, ...planFlags],
      examples: [
        { line: 'chkit backfill run --plan-id 0123456789abcdef --parallel 4', description: 'Four chunks at a time.' },
      ],
      run: (context) => runRunCommand(context, false),
    },
    {
      name: 'resume',
      description: 'Go on with a run that was interrupted, cancelled or failed.',
      effect: 'database',
      flags: runFlags,
      run: (context) => runRunCommand(context, true),
    },
    {
      name: 'status',
      description: 'Show how far a plan is, or all plans.',
      effect: 'read',
      flags: planIdFlag,
      run: runStatusCommand,
    },
    {
      name: 'cancel',
      description: 'Stop a run after the chunks that are under way; nothing that is done is undone.',
      effect: 'database',
      flags: planIdFlag,
      run: runCancelCommand,
    },
    {
      name: 'doctor',
      description: 'Say what is wrong with a plan, and the command that mends it.',
      effect: 'read',
      flags: planIdFlag,
      run: runDoctorCommand,
    },
  ],
  hooks: { onCheck: (context) => checkResult(context) },
})

/** `backfill({ ... })` in `config.plugins`: copies and view replays in time windows, each row exactly once. */
export function backfill(options: BackfillOptions = {}): {
  readonly plugin: typeof backfillPlugin
  readonly name: 'backfill'
  readonly options: BackfillOptions
} {
  return { plugin: backfillPlugin, name: 'backfill', options }
}

export default backfillPlugin

function stateDirOf({ config, options }: Context): string {
  return options.stateDir === undefined ? join(config.metaDir, 'backfill') : resolve(config.root, options.stateDir)
}

function filesOf(context: Context): StateFiles {
  return stateFiles(stateDirOf(context))
}

/** Makes the plan that the flags ask for, or finds it. */
async function planOf(context: CommandContext): Promise<{ readonly plan: Plan; readonly isNew: boolean }> {
  const flags = flagsOf(context.flags, planFlags)
  if (flags.target === undefined) {
    throw new ChkitError('missing_flag_value', '--target is missing.', {
      hint: 'chkit backfill plan --target database.table --from 2024-01-01 --to 2024-01-31',
    })
  }
  const files = filesOf(context)
  return makePlan(
    {
      target: flags.target,
      source: flags.source,
      view: flags.view,
      from: flags.from,
      to: flags.to,
      chunkHours: flags['chunk-hours'],
      timeColumn: flags['time-column'],
      existing: flags.existing,
      forceLargeWindow: flags['force-large-window'] === true,
      force: flags.force === true,
    },
    {
      connection: await context.connection(),
      options: context.options,
      definitions: await definitionsOrNone(context),
      prompt: context.prompt,
      now: context.now,
      known: (id) => (planIds(stateDirOf(context)).includes(id) ? readPlan(files, id) : undefined),
    },
  )
}

/** The schema's definitions; none where a project has no schema files, which a backfill does not need. */
async function definitionsOrNone(context: Context): ReturnType<Context['schema']> {
  try {
    return await context.schema()
  } catch (error) {
    if (error instanceof ChkitError && (error.code === 'schema_not_found' || error.code === 'schema_empty')) return []
    throw error
  }
}

async function runPlanCommand(context: CommandContext): Promise<PluginCommandResult> {
  const { plan, isNew } = await planOf(context)
  const files = filesOf(context)
  if (isNew) await storePlan(plan, context)
  plan.warnings.forEach(context.warn)
  await warnOfOthers(plan, context)
  const { status } = readRun(files, plan.id)
  const payload = { ...planPayload(plan, context), created: isNew, status }
  return { payload, text: planText(plan, isNew, status) }
}

/** A plan whose run has begun is never replaced, unless its target is no longer the same table: then it begins anew. */
async function storePlan(plan: Plan, context: Context): Promise<void> {
  const files = filesOf(context)
  const begun = planIds(stateDirOf(context)).includes(plan.id) && readRun(files, plan.id).chunks.size > 0
  if (begun && readPlan(files, plan.id).incarnation !== plan.incarnation) {
    const lock = await acquireRunLock(stateDirOf(context), plan.id)
    try {
      restart(plan, context)
    } finally {
      await lock.release()
    }
    return
  }
  if (begun) {
    throw new ChkitError('plan_mismatch', `Plan ${plan.id} exists, and its run has begun; it is not replaced.`, {
      hint: `chkit backfill status --plan-id ${plan.id}`,
    })
  }
  writePlan(files, plan)
}

function restart(plan: Plan, context: Context): void {
  const files = filesOf(context)
  const log = openEvents(files, plan, context.now)
  try {
    log.append({ kind: 'restart' })
    log.flush()
  } finally {
    log.close()
  }
  writePlan(files, plan)
  context.warn(`${showName(plan.storage)} is another table than before: all chunks of plan ${plan.id} begin anew.`)
}

/** The plan of an id from its file, or from a ledger on the server where the file was lost or is elsewhere. */
async function knownPlan(id: string, context: Context): Promise<Plan> {
  const files = filesOf(context)
  try {
    return readPlan(files, id)
  } catch (error) {
    if (!(error instanceof ChkitError && error.code === 'plan_not_found')) throw error
    const plan = context.config.clickhouse && (await findLedgerPlan(await context.connection(), id))
    if (!plan) throw error
    writePlan(files, plan)
    context.warn(
      `Plan ${id} was not in ${stateDirOf(context)}; it is back from the ledger beside ${showName(plan.storage)}.`,
    )
    return plan
  }
}

/** Says what other checkouts have done of a plan, by the ledger. */
async function warnOfOthers(plan: Plan, context: Context): Promise<void> {
  const known = await ledgerNews(plan, readRun(filesOf(context), plan.id), await context.connection())
  if (known === undefined) return
  context.warn(
    `Its run has begun from ${known.host}: ${arrivedOf(known)} of ${plan.chunks.length} chunks have arrived by the ledger. A run from here goes on there.`,
  )
}

function planPayload(plan: Plan, context: Context): Readonly<Record<string, unknown>> {
  const { chunks } = plan
  return {
    planId: plan.id,
    planFile: relative(context.config.root, filesOf(context).planFile(plan.id)),
    strategy: plan.strategy,
    target: showName(plan.target),
    source: showName(plan.source),
    view: plan.view && showName(plan.view),
    from: plan.from,
    to: plan.to,
    chunkHours: plan.chunkHours,
    chunkCount: chunks.length,
    timeColumn: plan.timeColumn.name,
    timeColumnFrom: plan.timeColumn.from,
    columns: plan.columns,
    mechanism: plan.mechanism,
    exactlyOnce: plan.mechanism !== 'direct',
    existing: plan.existing,
    sourceRows: sourceRowsOf(plan),
    environment: plan.environment,
    warnings: plan.warnings,
  }
}

function sourceRowsOf({ chunks }: Plan): number | null {
  if (chunks.some((chunk) => chunk.sourceRows === null)) return null
  return chunks.reduce((sum, chunk) => sum + (chunk.sourceRows ?? 0), 0)
}

function planText(plan: Plan, isNew: boolean, status: string): string {
  const rows = sourceRowsOf(plan)
  const what = plan.view ? `the view ${showName(plan.view)} over ${showName(plan.source)}` : showName(plan.source)
  return [
    `Plan ${plan.id}${isNew ? '' : `, made ${showTime(Date.parse(plan.createdAt))} (${status})`}`,
    `  ${plan.view ? 'replays' : 'copies'} ${what} into ${showName(plan.target)}`,
    `  ${showTime(Date.parse(plan.from))} to ${showTime(Date.parse(plan.to))} by ${plan.timeColumn.name}, in ${plan.chunks.length === 1 ? 'one chunk' : `${plan.chunks.length} chunks of ${plan.chunkHours} hours`}`,
    ...(rows === null ? [] : [`  ${short(rows)} rows of the source`]),
    `  rows that are there already: ${plan.existing === 'append' ? 'stay' : 'those of the window are deleted first'}`,
    `Run it: chkit backfill run --plan-id ${plan.id}`,
  ].join('\n')
}

async function runRunCommand(context: CommandContext, resume: boolean): Promise<PluginCommandResult> {
  const flags = flagsOf(context.flags, runFlags)
  const plan =
    flags['plan-id'] === undefined ? await plannedNow(context, resume) : await knownPlan(flags['plan-id'], context)
  const started = context.now()
  const summary = await runPlan(plan, {
    connection: await context.connection(),
    stateDir: stateDirOf(context),
    files: filesOf(context),
    options: context.options,
    flags: {
      resume,
      replayDone: flags['replay-done'] === true,
      replayFailed: flags['replay-failed'] === true,
      forceOverlap: flags['force-overlap'] === true,
      forceCompatibility: flags['force-compatibility'] === true,
      forceEnvironment: flags['force-environment'] === true,
      maxParallelChunks: flags.parallel,
      maxBytesPerSecond: flags['max-bytes-per-second'],
    },
    now: context.now,
    signal: context.signal,
    warn: context.warn,
    progress: context.progress,
    lock: context.lock,
  })
  const durationMs = Math.round(context.now() - started)
  return {
    payload: { planId: plan.id, target: showName(plan.target), ...summary, durationMs },
    text: runText(plan, summary),
  }
}

/** For `run` without --plan-id, where the policy lets it plan by itself. */
async function plannedNow(context: CommandContext, resume: boolean): Promise<Plan> {
  if (resume || context.options.policy.requireDryRunBeforeRun || context.flags.target === undefined) {
    throw new ChkitError('missing_flag_value', '--plan-id is missing.', {
      hint: 'chkit backfill plan prints it; chkit backfill status lists the plans.',
    })
  }
  const { plan, isNew } = await planOf(context)
  if (isNew) await storePlan(plan, context)
  plan.warnings.forEach(context.warn)
  return plan
}

function runText(plan: Plan, { chunks, rows, bytes }: RunSummary): string {
  return `Backfill ${plan.id} is completed: ${chunks.done} of ${chunks.total} chunks, ${rows} rows (${short(bytes, 'B')}) in ${showName(plan.target)}.`
}

async function runStatusCommand(context: CommandContext): Promise<PluginCommandResult> {
  const id = flagsOf(context.flags, planIdFlag)['plan-id']
  const files = filesOf(context)
  const statusOf = (one: string) => {
    const plan = readPlan(files, one)
    const state = readRun(files, one)
    return { plan, state, summary: summarise(plan, state) }
  }
  if (id === undefined) {
    const all = planIds(stateDirOf(context)).map((one) => orDamaged(one, statusOf))
    const plans = all.flatMap((one) => ('plan' in one ? [one] : []))
    const damaged = all.flatMap((one) => ('plan' in one ? [] : [one]))
    const lines = all.map((one) =>
      'plan' in one ? statusLine(one.plan, one.summary) : `${one.planId}  damaged  ${one.error}`,
    )
    return {
      ...(damaged.length > 0 ? { exitCode: 1 } : {}),
      payload: {
        plans: plans.map(({ plan, summary }) => ({
          planId: plan.id,
          target: showName(plan.target),
          from: plan.from,
          to: plan.to,
          ...summary,
        })),
        damaged,
      },
      text: all.length === 0 ? 'There are no backfill plans.' : lines.join('\n'),
    }
  }
  const { plan, state, summary } = statusOf(id)
  const { startedAt, updatedAt } = state
  return {
    payload: { ...planPayload(plan, context), ...summary, startedAt, updatedAt },
    text: [statusLine(plan, summary), ...summary.failed.map(({ chunk, error }) => `  chunk ${chunk}: ${error}`)].join(
      '\n',
    ),
  }
}

/** One plan with damaged files does not hide the others. */
function orDamaged<Status>(planId: string, read: (id: string) => Status): Status | { planId: string; error: string } {
  try {
    return read(planId)
  } catch (error) {
    if (error instanceof ChkitError) return { planId, error: error.message }
    throw error
  }
}

function statusLine(plan: Plan, { status, chunks, rows, bytes }: RunSummary): string {
  const failed = chunks.failed + chunks.unknown
  return `${plan.id}  ${status}  ${showName(plan.target)}  ${chunks.done}/${chunks.total} chunks${failed > 0 ? `, ${failed} failed` : ''}, ${rows} rows, ${short(bytes, 'B')}`
}

function requiredId(context: CommandContext): string {
  const id = flagsOf(context.flags, planIdFlag)['plan-id']
  if (id !== undefined) return id
  throw new ChkitError('missing_flag_value', '--plan-id is missing.', {
    hint: 'chkit backfill status lists the plans.',
  })
}

async function runCancelCommand(context: CommandContext): Promise<PluginCommandResult> {
  const id = requiredId(context)
  const files = filesOf(context)
  const plan = readPlan(files, id)
  let lock: Awaited<ReturnType<typeof acquireRunLock>>
  try {
    lock = await acquireRunLock(stateDirOf(context), id)
  } catch (error) {
    if (!(error instanceof ChkitError && error.code === 'lock_held')) throw error
    // The run looks for this file before each chunk.
    writeAtomically(files.cancelFile(id), '')
    return {
      payload: { planId: id, requested: true, ...summarise(plan, readRun(files, id)) },
      text: `Backfill ${id} is running; it stops after the chunks that are under way.`,
    }
  }
  try {
    await assertIdle(plan, context)
    return await cancelIdle(plan, context)
  } finally {
    await lock.release()
  }
}

/** Throws `lock_held` while a run of the plan goes on elsewhere, which a file here does not reach. */
async function assertIdle(plan: Plan, context: CommandContext): Promise<void> {
  const holder = await context.lockHolder(lockRequestOf(plan.storage)).catch((error: unknown) => {
    // Without its server a plan can still be cancelled: a run needs the server as well.
    if (error instanceof ChkitError) return undefined
    throw error
  })
  if (!holder?.owner.startsWith(lockOwnerOf(plan))) return
  throw new ChkitError('lock_held', `Backfill ${plan.id} is running on ${holder.host}, from another state folder.`, {
    hint: 'Cancel it there.',
    details: { ...holder },
    retriable: true,
  })
}

async function cancelIdle(plan: Plan, context: CommandContext): Promise<PluginCommandResult> {
  const files = filesOf(context)
  const log = openEvents(files, plan, context.now)
  try {
    if (log.state().status === 'completed') {
      return {
        payload: { planId: plan.id, requested: false, ...summarise(plan, log.state()) },
        text: `Backfill ${plan.id} is completed; there is nothing to cancel.`,
      }
    }
    log.append({ kind: 'status', status: 'cancelled' })
    const summary = summarise(plan, log.state())
    const dropped = await tidy(plan, log.state(), context)
    return {
      payload: { planId: plan.id, requested: true, ...summary, droppedTables: dropped },
      text: `Backfill ${plan.id} is cancelled after ${summary.chunks.done} of ${summary.chunks.total} chunks; their rows stay.`,
    }
  } finally {
    log.close()
  }
}

async function tidy(
  plan: Plan,
  state: ReturnType<typeof readRun>,
  context: CommandContext,
): Promise<readonly string[]> {
  try {
    const connection = await context.connection()
    // A staging table that these files do not know may hold the rows of a chunk that another checkout was moving.
    if ((await ledgerNews(plan, state, connection)) !== undefined) return []
    return await dropLeftovers(plan, state, connection)
  } catch (error) {
    if (!(error instanceof ChkitError)) throw error
    context.warn(`Staging tables may be left on the server: ${error.message}`)
    return []
  }
}

async function runDoctorCommand(context: CommandContext): Promise<PluginCommandResult> {
  const given = flagsOf(context.flags, planIdFlag)['plan-id']
  const stateDir = stateDirOf(context)
  const ids = given === undefined ? planIds(stateDir) : [given]
  const patient = {
    stateDir,
    files: filesOf(context),
    connection: context.connection,
    lockHolder: context.lockHolder,
  }
  const plans = []
  for (const planId of ids) {
    plans.push({ planId, problems: await diagnose(planId, patient) })
  }
  const problems = plans.flatMap((one) => one.problems.map((problem) => ({ planId: one.planId, ...problem })))
  const lines = problems.map(({ planId, message, mend }) => `${planId}: ${message}\n  ${mend}`)
  return {
    payload: { healthy: problems.length === 0, planIds: ids, problems },
    text: lines.length === 0 ? 'Nothing is wrong.' : lines.join('\n'),
  }
}

/** What `chkit check` is told: from the state files alone, no connection is opened. */
function checkResult(context: Context): CheckResult {
  const files = filesOf(context)
  const findings: CheckFinding[] = [...relaxedPolicies(context.options)]
  for (const id of planIds(stateDirOf(context))) findings.push(...planFindings(id, files, context.options))
  return {
    plugin: 'backfill',
    evaluated: true,
    ok: findings.every(({ severity }) => severity !== 'error'),
    findings,
  }
}

function planFindings(id: string, files: StateFiles, options: Options): readonly CheckFinding[] {
  let plan: Plan
  let state: ReturnType<typeof readRun>
  try {
    plan = readPlan(files, id)
    state = readRun(files, id)
  } catch (error) {
    if (!(error instanceof ChkitError)) throw error
    return [{ code: 'backfill_state_corrupt', severity: 'error', message: error.message, metadata: { planId: id } }]
  }
  const { chunks } = summarise(plan, state)
  const failed = chunks.failed + chunks.unknown
  const metadata = { planId: id, target: showName(plan.target), ...chunks }
  const findings: CheckFinding[] = []
  if (state.status !== 'completed' && state.status !== 'cancelled') {
    findings.push({
      code: 'backfill_required_pending',
      severity: options.policy.failCheckOnRequiredPendingBackfill ? 'error' : 'warn',
      message: `Backfill ${id} of ${showName(plan.target)} is not completed (${state.status}, ${chunks.done} of ${chunks.total} chunks). Run \`chkit backfill ${state.status === 'planned' ? 'run' : 'resume'} --plan-id ${id}\`.`,
      metadata,
    })
  }
  if (failed > 0) {
    findings.push({
      code: 'backfill_chunk_failed_retry_exhausted',
      severity: 'error',
      message: `${failed} chunks of backfill ${id} have failed as often as they may. Run \`chkit backfill doctor --plan-id ${id}\`.`,
      metadata,
    })
  }
  return findings
}

function relaxedPolicies({ policy, defaults }: Options): readonly CheckFinding[] {
  const relaxed = [
    ...Object.entries(policy).flatMap(([name, on]) => (on ? [] : [`policy.${name}`])),
    ...(defaults.requireIdempotencyToken ? [] : ['defaults.requireIdempotencyToken']),
  ]
  if (relaxed.length === 0) return []
  return [
    {
      code: 'backfill_policy_relaxed',
      severity: 'warn',
      message: `Safeguards of backfill are off: ${relaxed.join(', ')}.`,
      metadata: { relaxed },
    },
  ]
}
