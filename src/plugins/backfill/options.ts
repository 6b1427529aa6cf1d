import { z } from 'zod'

/** The options of `backfill({ ... })`, checked when the config is loaded. Everything has a default. */
export const optionsSchema = z.strictObject({
  /** Folder of plans, runs and events, relative to the config file; default `<metaDir>/backfill`. */
  stateDir: z.string().min(1).optional(),
  defaults: z
    .strictObject({
      /** Hours of one chunk; fractions are allowed. */
      chunkHours: z.number().positive().default(6),
      /** Chunks that run at the same time. */
      maxParallelChunks: z.number().int().min(1).max(64).default(1),
      /** How often a chunk is tried again after it failed. */
      maxRetriesPerChunk: z.number().int().min(0).max(100).default(3),
      /** Milliseconds before the first retry; doubled with each one, at most a minute. */
      retryDelayMs: z.number().int().min(0).default(1000),
      /** Refuses targets on which a repeated chunk cannot be told from a new one. */
      requireIdempotencyToken: z.boolean().default(true),
      /** Time column of tables that name none themselves. */
      timeColumn: z.string().min(1).optional(),
    })
    .prefault({}),
  policy: z
    .strictObject({
      /** `run` takes only plans that `plan` has written; false: it plans by itself when it gets a target. */
      requireDryRunBeforeRun: z.boolean().default(true),
      /** `plan` needs --from and --to; false: the source's first and last row are taken. */
      requireExplicitWindow: z.boolean().default(true),
      /** Refuses a run whose window overlaps one that has rows of the same source in the same target. */
      blockOverlappingRuns: z.boolean().default(true),
      /** `chkit check` fails while a plan is not completed; false: it warns. */
      failCheckOnRequiredPendingBackfill: z.boolean().default(true),
    })
    .prefault({}),
  limits: z
    .strictObject({
      /** Longer windows need --force-large-window. */
      maxWindowHours: z.number().positive().default(720),
      /** Shorter chunks are refused. */
      minChunkMinutes: z.number().positive().default(15),
    })
    .prefault({}),
})

/** What a config may say; all of it may be left out. */
export type BackfillOptions = z.input<typeof optionsSchema>

/** The options with their defaults. */
export type Options = z.output<typeof optionsSchema>

/** What `table({ plugins: { backfill: { ... } } })` may say. */
export type BackfillTableOptions = {
  /** The column whose time decides in which chunk a row is. */
  readonly timeColumn?: string
  /** `database.table` that `backfill plan` copies from when --source is not given. */
  readonly source?: string
}

const tableOptionsSchema = z.strictObject({
  timeColumn: z.string().min(1).optional(),
  source: z.string().min(1).optional(),
})

/** A table's own options, or what is wrong with them as a sentence. */
export function readTableOptions(value: unknown): BackfillTableOptions | { readonly wrong: string } {
  if (value === undefined) return {}
  const result = tableOptionsSchema.safeParse(value)
  if (result.success) return result.data
  return { wrong: result.error.issues.map(({ path, message }) => [...path, message].join(': ')).join('; ') }
}

declare module '../../index.js' {
  interface TablePlugins {
    readonly backfill?: BackfillTableOptions
  }
}
