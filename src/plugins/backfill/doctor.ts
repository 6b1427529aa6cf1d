import { ChkitError, type Executor, type LockHolder, type PluginContext } from '../../index.js'
import { readTable } from './catalog.js'
import { arrivedOf, findLedgerPlan, lockRequestOf, readLedger } from './ledger.js'
import { isRunLockHeld } from './lock.js'
import { environmentOf, type Plan, showName } from './plan.js'
import { definitionsOf, isRecreated, readPlanTables } from './planner.js'
import { pressureOn } from './pressure.js'
import { ledgerNews, leftovers, stagingTables, summarise } from './run.js'
import { type RunState, readPlan, readRun, type StateFiles } from './state.js'

/** One thing that is wrong, and the line to type. */
export type Problem = { readonly code: string; readonly message: string; readonly mend: string }

/** What a diagnosis looks at. */
export type Patient = {
  readonly stateDir: string
  readonly files: StateFiles
  readonly connection: PluginContext['connection']
  readonly lockHolder: PluginContext['lockHolder']
}

/**
 * What is wrong with a plan, in the order in which it should be mended; empty when nothing is. Changes nothing. Throws
 * `plan_not_found` where neither the files nor a ledger on the server know the plan.
 */
export async function diagnose(id: string, patient: Patient): Promise<readonly Problem[]> {
  const { files, stateDir } = patient
  let plan: Plan
  let state: RunState
  try {
    plan = readPlan(files, id)
    state = readRun(files, id)
  } catch (error) {
    if (error instanceof ChkitError && error.code === 'state_corrupt') return [problemOf(error)]
    if (error instanceof ChkitError && error.code === 'plan_not_found') return lostProblems(id, error, patient)
    throw error
  }
  const running = await isRunLockHeld(stateDir, id)
  return [...stateProblems(plan, state, running), ...(await serverProblems(plan, state, running, patient))]
}

/** Of a plan without a file: what the ledger on the server knows of it. */
async function lostProblems(
  id: string,
  notFound: ChkitError,
  { connection, stateDir }: Patient,
): Promise<readonly Problem[]> {
  const executor = await connection().catch((error: unknown) => {
    if (error instanceof ChkitError) return undefined
    throw error
  })
  const plan = executor && (await findLedgerPlan(executor, id))
  const storage = plan && (await readTable(executor, plan.storage))
  if (!plan || !storage) throw notFound
  const known = (await readLedger(executor, storage)).get(id)
  return [
    {
      code: 'state_lost',
      message: `The plan is not in ${stateDir}; the ledger beside ${showName(plan.storage)} has it: ${known ? arrivedOf(known) : 0} of ${plan.chunks.length} chunks have arrived.`,
      mend: `chkit backfill resume --plan-id ${id}`,
    },
  ]
}

function problemOf(error: ChkitError): Problem {
  return { code: error.code, message: error.message, mend: error.hint ?? '' }
}

/** What the state alone tells. Pure. */
export function stateProblems(plan: Plan, state: RunState, running: boolean): readonly Problem[] {
  const { chunks, failed } = summarise(plan, state)
  const resume = `chkit backfill resume --plan-id ${plan.id}`
  const problems: Problem[] = []
  if (running) return problems
  if (state.status === 'planned') {
    problems.push({
      code: 'not_started',
      message: 'The plan has not been run.',
      mend: `chkit backfill run --plan-id ${plan.id}`,
    })
  }
  if (state.status === 'running' || state.status === 'interrupted') {
    const how = state.status === 'running' ? 'Its run ended without a word' : 'Its run was interrupted'
    problems.push({
      code: 'interrupted',
      message: `${how}: ${chunks.done} of ${chunks.total} chunks are done.`,
      mend: resume,
    })
  }
  if (state.status === 'cancelled') {
    problems.push({
      code: 'cancelled',
      message: `It was cancelled after ${chunks.done} of ${chunks.total} chunks.`,
      mend: resume,
    })
  }
  for (const { chunk, from, to, error } of failed) {
    const unknown = state.chunks.get(chunk)?.status === 'unknown'
    problems.push({
      code: unknown ? 'chunk_unknown' : 'chunk_failed',
      message: `Chunk ${chunk} (${from} to ${to}): ${error}`,
      mend: unknown
        ? `Compare the rows of that time in ${showName(plan.source)} and ${showName(plan.target)}; delete what arrived, then: ${resume} --replay-failed`
        : `${resume} --replay-failed`,
    })
  }
  return problems
}

async function serverProblems(
  plan: Plan,
  state: RunState,
  running: boolean,
  { connection: connect, lockHolder }: Patient,
): Promise<readonly Problem[]> {
  try {
    const connection = await connect()
    const here = environmentOf(connection)
    if (here.fingerprint !== plan.environment.fingerprint) {
      const { server, database } = plan.environment
      return [
        {
          code: 'other_environment',
          message: `The plan was made for ${server}, database ${database}; this is ${here.server}, database ${here.database}.`,
          mend: `Use the config of that server, or: chkit backfill resume --plan-id ${plan.id} --force-environment`,
        },
      ]
    }
    return [
      ...(await tableProblems(plan, connection)),
      ...(running ? [] : holderProblems(plan, await lockHolder(lockRequestOf(plan.storage)))),
      ...(running ? [] : await ledgerProblems(plan, state, connection)),
      ...(await pressureProblems(plan, connection)),
    ]
  } catch (error) {
    if (!(error instanceof ChkitError)) throw error
    return [{ code: error.code, message: error.message, mend: error.hint ?? 'Check `clickhouse` in the config.' }]
  }
}

async function tableProblems(plan: Plan, connection: Executor): Promise<readonly Problem[]> {
  const { storage, source, view } = await readPlanTables(plan, connection)
  const gone = [
    ...(storage ? [] : [plan.storage]),
    ...(source ? [] : [plan.source]),
    ...(view === undefined && plan.view ? [plan.view] : []),
  ]
  if (!storage || !source || view === undefined) {
    return gone.map((name) => ({
      code: 'table_gone',
      message: `${showName(name)} does not exist.`,
      mend: 'chkit migrate --apply',
    }))
  }
  const recreated = isRecreated(plan, storage)
    ? [
        {
          code: 'target_recreated',
          message: `${showName(plan.storage)} was dropped and created again, or exchanged: what had arrived was in another table.`,
          mend: 'Plan again with the same parameters: all chunks begin anew.',
        },
      ]
    : []
  const now = definitionsOf(storage, source, view)
  const changed = (['target', 'source', 'view'] as const)
    .filter((part) => now[part] !== plan.definitions[part])
    .map((part) => ({
      code: 'definition_changed',
      message: `The definition of the ${part} has changed since the plan was made.`,
      mend: `Plan again, or: chkit backfill resume --plan-id ${plan.id} --force-compatibility`,
    }))
  return [...recreated, ...changed]
}

function holderProblems(plan: Plan, holder: LockHolder | undefined): readonly Problem[] {
  if (!holder) return []
  const seconds = Math.ceil(holder.expiresInMs / 1000)
  return [
    {
      code: 'running_elsewhere',
      message: `${holder.owner} on ${holder.host} writes into ${showName(plan.storage)}, for ${seconds} s more at least.`,
      mend: 'Wait for it, or stop it there. If that run is dead, its lock frees itself.',
    },
  ]
}

/** What other checkouts have done, or else the tables that nobody needs: of the former these files know nothing. */
async function ledgerProblems(plan: Plan, state: RunState, connection: Executor): Promise<readonly Problem[]> {
  const known = await ledgerNews(plan, state, connection)
  if (known === undefined) return leftoverProblems(plan, state, connection)
  return [
    {
      code: 'ledger_ahead',
      message: `The ledger beside ${showName(plan.storage)} knows more than these files, from ${known.host}: ${arrivedOf(known)} of ${plan.chunks.length} chunks have arrived.`,
      mend: `chkit backfill resume --plan-id ${plan.id}`,
    },
  ]
}

async function leftoverProblems(plan: Plan, state: RunState, connection: Executor): Promise<readonly Problem[]> {
  const names = leftovers(await stagingTables(plan, connection), state)
  return names.map((name) => ({
    code: 'staging_left',
    message: `The staging table ${plan.storage.database}.${name} was left behind; no chunk needs it.`,
    mend: `chkit backfill cancel --plan-id ${plan.id} drops it, and so does the end of a run.`,
  }))
}

async function pressureProblems(plan: Plan, connection: Executor): Promise<readonly Problem[]> {
  const reason = await pressureOn(connection, plan.storage)
  if (reason === undefined) return []
  return [
    {
      code: 'server_busy',
      message: `A run would wait: ${reason}.`,
      mend: `Wait, or run with less: chkit backfill resume --plan-id ${plan.id} --parallel 1 --max-bytes-per-second 20M`,
    },
  ]
}
