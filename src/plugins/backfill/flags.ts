import { z } from 'zod'
import { defineFlags, type InferFlags } from '../../index.js'
import { parseTimestamp } from './window.js'

const timestamp = z.string().transform((text, issues) => {
  const instant = parseTimestamp(text)
  if (instant !== undefined) return instant
  issues.addIssue({
    code: 'custom',
    message: 'must be a time such as 2024-01-31, 2024-01-31T12:00 or 2024-01-31T12:00:00Z (UTC)',
  })
  return z.NEVER
})

const positive = z.string().transform((text, issues) => {
  const value = Number(text)
  if (text.trim() !== '' && Number.isFinite(value) && value > 0) return value
  issues.addIssue({ code: 'custom', message: 'must be a number above 0' })
  return z.NEVER
})

const STEPS: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9 }

const rate = z.string().transform((text, issues) => {
  const match = /^(\d+(?:\.\d+)?)\s*([kmg]?)b?$/i.exec(text.trim())
  const value = Number(match?.[1] ?? 0) * (STEPS[(match?.[2] ?? '').toLowerCase()] ?? 0)
  if (value >= 1) return value
  issues.addIssue({ code: 'custom', message: 'must be a number of bytes such as 5000000, 500k or 20M' })
  return z.NEVER
})

const parallel = positive.refine((value) => Number.isInteger(value) && value <= 64, 'must be a whole number up to 64')

const planId = z.string().regex(/^[0-9a-f]{16}$/, 'must be the 16 hex digits that plan has printed')

export const planFlags = defineFlags([
  { name: 'target', type: 'string', placeholder: '<db.table>', description: 'Table that the rows are written into.' },
  {
    name: 'from',
    type: 'string',
    placeholder: '<time>',
    schema: timestamp,
    description: 'First moment of the window, UTC.',
  },
  {
    name: 'to',
    type: 'string',
    placeholder: '<time>',
    schema: timestamp,
    description: 'First moment after the window, UTC.',
  },
  {
    name: 'source',
    type: 'string',
    placeholder: '<db.table>',
    description: 'Table to copy from; without it, the materialized view that writes into the target is replayed.',
  },
  {
    name: 'view',
    type: 'string',
    placeholder: '<db.view>',
    description: 'Which view to replay, where several write into the target.',
  },
  {
    name: 'chunk-hours',
    type: 'string',
    placeholder: '<hours>',
    schema: positive,
    description: 'Length of one chunk.',
  },
  {
    name: 'time-column',
    type: 'string',
    placeholder: '<column>',
    description: 'Column of the source that the window is about.',
  },
  {
    name: 'existing',
    type: 'string',
    choices: ['append', 'replace'],
    description: 'What becomes of rows that the target holds in the window.',
  },
  { name: 'force-large-window', type: 'boolean', description: 'Allow a window beyond limits.maxWindowHours.' },
  { name: 'force', type: 'boolean', description: 'Plan although not every row is sure to arrive exactly once.' },
])

export const planIdFlag = defineFlags([
  { name: 'plan-id', type: 'string', placeholder: '<id>', schema: planId, description: 'The plan, by its id.' },
])

export const runFlags = defineFlags([
  ...planIdFlag,
  { name: 'parallel', type: 'string', placeholder: '<n>', schema: parallel, description: 'Chunks at the same time.' },
  {
    name: 'max-bytes-per-second',
    type: 'string',
    placeholder: '<bytes>',
    schema: rate,
    description: 'Read and write no faster than this on average (20M, 500k).',
  },
  {
    name: 'replay-done',
    type: 'boolean',
    description: 'Run chunks that are done again, where that replaces their rows.',
  },
  { name: 'replay-failed', type: 'boolean', description: 'Run chunks again that have failed too often.' },
  { name: 'force-overlap', type: 'boolean', description: 'Run although another backfill covers a part of the window.' },
  {
    name: 'force-compatibility',
    type: 'boolean',
    description: 'Run although a table has changed since the plan was made.',
  },
  {
    name: 'force-environment',
    type: 'boolean',
    description: 'Run although the plan was made for another server or database.',
  },
])

export type PlanFlags = InferFlags<typeof planFlags>
export type RunFlagValues = InferFlags<typeof runFlags>
