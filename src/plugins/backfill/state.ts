import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { ChkitError } from '../../index.js'
import { PLAN_VERSION, type Plan } from './plan.js'
import { checkEvent, checkPlan } from './state-schema.js'

/** A part of a staging table, as it was when the chunk's rows were complete. */
export type StagedPart = {
  readonly partition: string
  readonly name: string
  readonly hash: string
  readonly rows: number
}

/** A staging table whose rows are complete. */
export type Staging = {
  readonly table: string
  readonly parts: readonly StagedPart[]
  readonly rows: number
  /** Uncompressed. */
  readonly bytes: number
}

/** Where a chunk stands. Every change is an event, on disk before the statement that it speaks of is sent. */
export type ChunkState =
  | { readonly status: 'pending'; readonly attempts: number; readonly error?: string }
  /** Rows are being written: into a table that nobody reads, or straight into the target. */
  | { readonly status: 'writing'; readonly attempts: number; readonly table: string | null; readonly queryId: string }
  | { readonly status: 'staged'; readonly attempts: number; readonly staging: Staging }
  | {
      readonly status: 'moving'
      readonly attempts: number
      readonly staging: Staging
      /** Greatest block number of the target by partition, before the first partition was moved. */
      readonly blocks: Readonly<Record<string, number>>
      /** Seconds since 1970 by the server's clock. */
      readonly serverTime: number
    }
  | { readonly status: 'done'; readonly attempts: number; readonly rows: number; readonly bytes: number }
  | { readonly status: 'failed'; readonly attempts: number; readonly error: string }
  /** Nobody can tell whether its rows are in the target. */
  | { readonly status: 'unknown'; readonly attempts: number; readonly error: string; readonly table: string | null }

export type RunStatus = 'planned' | 'running' | 'completed' | 'failed' | 'interrupted' | 'cancelled'

export type Clearing = 'pending' | 'clearing' | 'cleared'

/** How far a plan has come. */
export type RunState = {
  readonly status: RunStatus
  readonly clearing: Clearing
  readonly startedAt: string | null
  readonly updatedAt: string | null
  /** Chunks without an entry are pending. */
  readonly chunks: ReadonlyMap<string, ChunkState>
  /** The ledger's row behind what is known of a chunk (of the clearing: under ''); chunks without one are not in it. */
  readonly sequences: ReadonlyMap<string, number>
  /** How many events this is the sum of. */
  readonly events: number
}

type OwnedState = RunState & { readonly chunks: Map<string, ChunkState>; readonly sequences: Map<string, number> }

/** One line of `events/<id>.ndjson`. */
export type BackfillEvent =
  | { readonly at: string; readonly kind: 'status'; readonly status: RunStatus }
  | { readonly at: string; readonly kind: 'clearing'; readonly clearing: Clearing; readonly sequence?: number }
  | {
      readonly at: string
      readonly kind: 'chunk'
      readonly chunk: string
      readonly state: ChunkState
      /** Of the ledger's row that says the same. */
      readonly sequence?: number
    }
  /** The target is another table than before: nothing of the plan has arrived in it. */
  | { readonly at: string; readonly kind: 'restart' }
  /** Things worth knowing that change no state: a pause, a retry. */
  | { readonly at: string; readonly kind: 'note'; readonly chunk?: string; readonly text: string }

/** The state before the first event. */
function notStarted(): OwnedState {
  const maps = { chunks: new Map<string, ChunkState>(), sequences: new Map<string, number>() }
  return { status: 'planned', clearing: 'pending', startedAt: null, updatedAt: null, ...maps, events: 0 }
}

/** The sum of all events, in order. Pure. */
export function sumOf(events: readonly BackfillEvent[]): RunState {
  return events.reduce(applyEvent, notStarted())
}

/** The state after one more event. Its chunks are those of `state`, changed in place: a plan may have a great many. */
function applyEvent(state: OwnedState, event: BackfillEvent): OwnedState {
  const next = { ...state, updatedAt: event.at, startedAt: state.startedAt ?? event.at, events: state.events + 1 }
  switch (event.kind) {
    case 'status':
      return { ...next, status: event.status }
    case 'clearing':
      if (event.sequence !== undefined) state.sequences.set('', event.sequence)
      return { ...next, clearing: event.clearing }
    case 'chunk': {
      state.chunks.set(event.chunk, event.state)
      if (event.sequence !== undefined) state.sequences.set(event.chunk, event.sequence)
      return next
    }
    case 'restart':
      return { ...notStarted(), updatedAt: event.at, events: next.events }
    case 'note':
      return next
  }
}

export function chunkState(state: RunState, chunk: string): ChunkState {
  return state.chunks.get(chunk) ?? { status: 'pending', attempts: 0 }
}

/** The files of one state folder. */
export type StateFiles = {
  readonly planFile: (id: string) => string
  readonly runFile: (id: string) => string
  readonly eventsFile: (id: string) => string
  readonly cancelFile: (id: string) => string
}

export function stateFiles(folder: string): StateFiles {
  return {
    planFile: (id) => join(folder, 'plans', `${id}.json`),
    runFile: (id) => join(folder, 'runs', `${id}.json`),
    eventsFile: (id) => join(folder, 'events', `${id}.ndjson`),
    cancelFile: (id) => join(folder, 'runs', `${id}.cancel`),
  }
}

/** Ids of the plans in a folder, sorted; empty where there is none. */
export function planIds(folder: string): readonly string[] {
  const plans = join(folder, 'plans')
  if (!existsSync(plans)) return []
  return readdirSync(plans)
    .flatMap((file) => /^([0-9a-f]{16})\.json$/.exec(file)?.[1] ?? [])
    .sort()
}

/** The plan of a file. Throws `plan_not_found`, `state_corrupt`. */
export function readPlan(files: StateFiles, id: string): Plan {
  const file = files.planFile(id)
  if (!existsSync(file)) {
    throw new ChkitError('plan_not_found', `There is no backfill plan ${id} (${file}).`, {
      hint: 'chkit backfill status lists the plans; chkit backfill plan makes one.',
    })
  }
  const found = readJson(file)
  if (isRecord(found) && typeof found.version === 'number' && found.version > PLAN_VERSION) {
    throw corrupt(
      file,
      `it has format version ${found.version}, this chkit reads ${PLAN_VERSION}`,
      'Use a newer chkit.',
    )
  }
  const checked = checkPlan(found)
  if ('wrong' in checked) throw corrupt(file, checked.wrong, PLAN_AGAIN)
  if (checked.value.id !== id) throw corrupt(file, `it holds plan ${checked.value.id}`, PLAN_AGAIN)
  return checked.value
}

const PLAN_AGAIN =
  'Move it away and plan again with the same parameters: the id stays the same, and so does what is done.'

/** Puts the plan in place, in one rename. Throws `file_unwritable`, `disk_full`. */
export function writePlan(files: StateFiles, plan: Plan): void {
  writeAtomically(files.planFile(plan.id), `${JSON.stringify(plan, null, 2)}\n`)
}

/**
 * How far a plan has come: its run file, and the events since that was written. The events alone are enough. Throws
 * `state_corrupt` where a line in the middle is no event, the run file is no JSON, or it knows more events than there are.
 */
export function readRun(files: StateFiles, id: string): RunState {
  const events = readEvents(files.eventsFile(id))
  const file = files.runFile(id)
  if (existsSync(file)) {
    const run = readJson(file)
    if (!isRecord(run) || run.planId !== id || typeof run.events !== 'number') {
      throw corrupt(file, 'it is no state of a backfill run', rebuildHint(file))
    }
    if (run.events > events.length) {
      throw corrupt(
        files.eventsFile(id),
        `it holds ${events.length} events, and ${file} was written after ${run.events}`,
        'Restore the file from a backup. Or move it and the run file away and resume: the ledger on the server knows what has arrived.',
      )
    }
  }
  return sumOf(events)
}

function rebuildHint(file: string): string {
  return `Remove it (mv ${file} ${file}.broken): its content is made again from the events.`
}

function readEvents(file: string): readonly BackfillEvent[] {
  if (!existsSync(file)) return []
  const lines = readText(file).split('\n')
  // What follows the last line end is a line that a killed run began; nothing was sent on its behalf.
  lines.pop()
  return lines.map((line, index) => {
    const checked = checkEvent(parsed(line))
    if ('value' in checked) return checked.value
    throw corrupt(
      file,
      `line ${index + 1}: ${checked.wrong}`,
      'Restore the file from a backup. Or move the files of this plan in events and runs away and resume: the ledger on the server knows what has arrived.',
    )
  })
}

/** Where a run writes what it does. */
export type EventLog = {
  readonly state: () => RunState
  /** On disk when it returns. Throws `file_unwritable`, `disk_full`. */
  append(event: WithoutTime<BackfillEvent>): void
  /** Writes the run file as well. */
  flush(): void
  close(): void
}

export type WithoutTime<T> = T extends unknown ? Omit<T, 'at'> : never

/** How long the run file may lag behind the events; it is only a summary. */
const RUN_FILE_MS = 1000

/** Opens the events of a plan for a run that holds its lock; a half line at the end is cut off. */
export function openEvents(files: StateFiles, plan: Plan, now: () => number): EventLog {
  readRun(files, plan.id)
  let state = readEvents(files.eventsFile(plan.id)).reduce(applyEvent, notStarted())
  const file = files.eventsFile(plan.id)
  const handle = guarded(file, () => {
    mkdirSync(dirname(file), { recursive: true })
    return openSync(file, 'a+')
  })
  cutHalfLine(file, handle)
  let written = 0
  const flush = () => {
    written = now()
    writeAtomically(files.runFile(plan.id), `${JSON.stringify(runDocument(plan, state), null, 2)}\n`)
  }
  return {
    state: () => state,
    append(event) {
      const whole = { at: new Date(now()).toISOString(), ...event } as BackfillEvent
      guarded(file, () => {
        writeSync(handle, `${JSON.stringify(whole)}\n`)
        fsyncSync(handle)
      })
      state = applyEvent(state, whole)
      if (now() - written >= RUN_FILE_MS || event.kind === 'status') flush()
    },
    flush,
    close: () => closeSync(handle),
  }
}

function cutHalfLine(file: string, handle: number): void {
  const content = readFileSync(file)
  const end = content.lastIndexOf(10) + 1
  if (end < content.length) guarded(file, () => ftruncateSync(handle, end))
}

function runDocument(plan: Plan, state: RunState): Readonly<Record<string, unknown>> {
  const { chunks, sequences: _, ...rest } = state
  return { version: 1, planId: plan.id, ...rest, chunks: Object.fromEntries(chunks) }
}

/** The value of a JSON text; undefined, which no state is, where it is none. */
export function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function readJson(file: string): unknown {
  const text = readText(file)
  try {
    return JSON.parse(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    const hint = file.includes('plans') ? PLAN_AGAIN : rebuildHint(file)
    throw corrupt(file, `it is no JSON (${error.message}; ${Buffer.byteLength(text)} bytes)`, hint)
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new ChkitError('file_unreadable', `${file} cannot be read (${systemCode(error) ?? String(error)}).`, {
      details: { file },
      cause: error,
    })
  }
}

function corrupt(file: string, reason: string, hint?: string): ChkitError {
  return new ChkitError('state_corrupt', `${file} is damaged: ${reason}.`, {
    ...(hint === undefined ? {} : { hint }),
    details: { file },
  })
}

/** Writes beside, syncs, renames: whoever reads finds the old text or the new one. */
export function writeAtomically(file: string, text: string): void {
  guarded(file, () => {
    mkdirSync(dirname(file), { recursive: true })
    const temporary = `${file}.tmp`
    const handle = openSync(temporary, 'w')
    try {
      writeSync(handle, text)
      fsyncSync(handle)
    } finally {
      closeSync(handle)
    }
    renameSync(temporary, file)
  })
}

/** Removes a file, if it is there. */
export function removeFile(file: string): void {
  guarded(file, () => rmSync(file, { force: true }))
}

function guarded<Result>(file: string, action: () => Result): Result {
  try {
    return action()
  } catch (error) {
    const code = systemCode(error)
    const full = code === 'ENOSPC' || code === 'EDQUOT'
    const message = full ? `No space left to write ${file}.` : `${file} cannot be written (${code ?? String(error)}).`
    throw new ChkitError(full ? 'disk_full' : 'file_unwritable', message, {
      hint: full
        ? 'Free some space, then resume: what was recorded before is safe.'
        : `Check the permissions of ${dirname(file)}, then resume: what was recorded before is safe.`,
      details: { file },
      cause: error,
    })
  }
}

function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
