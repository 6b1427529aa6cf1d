import { z } from 'zod'
import { PLAN_VERSION, type Plan, planId, windowOf } from './plan.js'
import type { BackfillEvent, ChunkState, Clearing } from './state.js'

/**
 * What state files and rows of the ledger must look like before anything is done on their word. Fields that are not
 * known here pass, so that a later version may add some.
 */

const count = z.number().int().nonnegative()
const time = z.iso.datetime()
const name = z.object({ database: z.string().min(1), name: z.string().min(1) })

const staging = z.object({
  table: z.string().min(1),
  parts: z.array(z.object({ partition: z.string(), name: z.string(), hash: z.string(), rows: count })),
  rows: count,
  bytes: count,
})

// An attempt that was cut off does not count, so the number may go one below that of the attempt.
const attempts = z.number().int()

const chunkState = z.discriminatedUnion('status', [
  z.object({ status: z.literal('pending'), attempts, error: z.string().optional() }),
  z.object({ status: z.literal('writing'), attempts, table: z.string().nullable(), queryId: z.string() }),
  z.object({ status: z.literal('staged'), attempts, staging }),
  z.object({
    status: z.literal('moving'),
    attempts,
    staging,
    blocks: z.record(z.string(), z.number()),
    serverTime: z.number(),
  }),
  z.object({ status: z.literal('done'), attempts, rows: count, bytes: count }),
  z.object({ status: z.literal('failed'), attempts, error: z.string() }),
  z.object({ status: z.literal('unknown'), attempts, error: z.string(), table: z.string().nullable() }),
])

const clearing = z.enum(['pending', 'clearing', 'cleared'])

const event = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('status'),
    at: time,
    status: z.enum(['planned', 'running', 'completed', 'failed', 'interrupted', 'cancelled']),
  }),
  z.object({ kind: z.literal('clearing'), at: time, clearing, sequence: count.optional() }),
  z.object({ kind: z.literal('chunk'), at: time, chunk: z.string(), state: chunkState, sequence: count.optional() }),
  z.object({ kind: z.literal('restart'), at: time }),
  z.object({ kind: z.literal('note'), at: time, chunk: z.string().optional(), text: z.string() }),
])

const plan = z.object({
  version: z.literal(PLAN_VERSION),
  id: z.string().regex(/^[0-9a-f]{16}$/),
  createdAt: time,
  strategy: z.enum(['table', 'mv_replay']),
  target: name,
  storage: name,
  source: name,
  view: name.nullable(),
  from: time,
  to: time,
  chunkHours: z.number().positive(),
  timeColumn: z.object({ name: z.string(), type: z.string(), from: z.string() }),
  columns: z.array(z.string()).min(1),
  mechanism: z.enum(['staged', 'keyed', 'direct']),
  existing: z.enum(['append', 'replace']),
  replaceWhere: z.string().nullable(),
  environment: z.object({ server: z.string(), database: z.string(), fingerprint: z.string() }),
  incarnation: z.string().optional(),
  definitions: z.object({ target: z.string().nullable(), source: z.string().nullable(), view: z.string().nullable() }),
  warnings: z.array(z.string()),
  chunks: z
    .array(
      z.object({
        id: z.string(),
        from: time,
        to: time,
        idempotencyToken: z.string(),
        sourceRows: count.nullable(),
      }),
    )
    .min(1),
})

/** A value of another file, or why it is none. */
export type Checked<Value> = { readonly value: Value } | { readonly wrong: string }

function check<Value>(schema: z.ZodType, found: unknown): Checked<Value> {
  const { error } = schema.safeParse(found)
  if (error === undefined) return { value: found as Value }
  const [issue] = error.issues
  const path = issue?.path.join('.') ?? ''
  return { wrong: `${path === '' ? '' : `${path}: `}${issue?.message ?? 'it has another form'}` }
}

export const checkEvent = (found: unknown): Checked<BackfillEvent> => check(event, found)
export const checkChunkState = (found: unknown): Checked<ChunkState> => check(chunkState, found)
export const checkClearing = (found: unknown): Checked<Clearing> => check(clearing, found)

/** Also wrong: a plan that was edited. Its id is the hash of what it does, and its chunks follow one another. */
export function checkPlan(found: unknown): Checked<Plan> {
  const checked = check<Plan>(plan, found)
  if ('wrong' in checked) return checked
  const { value } = checked
  const identity = {
    ...value,
    window: windowOf(value),
    chunkMs: Math.round(value.chunkHours * 3_600_000),
    timeColumn: value.timeColumn.name,
    fingerprint: value.environment.fingerprint,
  }
  if (planId(identity) !== value.id) return { wrong: 'it was edited: what it says to do has another id' }
  const ends = [value.from, ...value.chunks.map(({ to }) => to)]
  const follows = value.chunks.every((chunk, index) => chunk.from === ends[index]) && ends.at(-1) === value.to
  return follows ? checked : { wrong: 'it was edited: its chunks do not follow one another' }
}
