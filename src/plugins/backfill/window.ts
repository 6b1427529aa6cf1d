import { ChkitError } from '../../index.js'

/** A stretch of time: `from` belongs to it, `to` does not. Milliseconds since 1970, UTC. */
export type Window = { readonly from: number; readonly to: number }

export const HOUR_MS = 3_600_000
export const DAY_MS = 24 * HOUR_MS

const TIMESTAMP = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)?)?\s*(Z|[+-]\d\d:?\d\d)?$/i

/** Milliseconds since 1970 of `2024-01-31`, `2024-01-31 12:00` or ISO 8601; without a zone it is UTC. Undefined for anything else. */
export function parseTimestamp(text: string): number | undefined {
  const match = TIMESTAMP.exec(text.trim())
  if (!match) return undefined
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zone = 'Z'] = match
  const numbers = [year, month, day, hour, minute, second].map(Number)
  const [y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0] = numbers
  const instant = Date.UTC(y, mo - 1, d, h, mi, s, Number(fraction.padEnd(3, '0')))
  const read = new Date(instant)
  // Date.UTC takes the 31st of February for the 2nd or 3rd of March, and the year 24 for 1924.
  const same =
    read.getUTCFullYear() === y && read.getUTCMonth() === mo - 1 && read.getUTCDate() === d && read.getUTCHours() === h
  const offset = offsetMs(zone)
  return !same || mi > 59 || s > 59 || offset === undefined ? undefined : instant - offset
}

function offsetMs(zone: string): number | undefined {
  if (/^z$/i.test(zone)) return 0
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(-2))]
  if (hours > 14 || minutes > 59) return undefined
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000
}

/** ISO 8601 in UTC, without milliseconds where there are none. */
export function showTime(instant: number): string {
  return new Date(instant).toISOString().replace('.000Z', 'Z')
}

/** The chunks of a window in order: without gaps, without overlap, the last one as long as what is left. */
export function splitWindow(window: Window, chunkMs: number): readonly Window[] {
  const chunks: Window[] = []
  for (let from = window.from; from < window.to; from += chunkMs) {
    chunks.push({ from, to: Math.min(from + chunkMs, window.to) })
  }
  return chunks
}

export type WindowLimits = {
  readonly maxWindowHours: number
  readonly minChunkMinutes: number
  readonly forceLargeWindow: boolean
  /** The time column holds whole days. */
  readonly wholeDays: boolean
}

/** More than this, and the plan's file becomes a burden for every command. */
const MAX_CHUNKS = 100_000

/**
 * The length of a chunk in ms. A column of whole days takes whole days. Throws `window_invalid` for what the limits or
 * the column do not allow.
 */
export function checkWindow(window: Window, chunkHours: number, limits: WindowLimits): number {
  const hours = (window.to - window.from) / HOUR_MS
  if (hours <= 0) {
    throw invalid(`--from ${showTime(window.from)} is not before --to ${showTime(window.to)}.`)
  }
  if (hours > limits.maxWindowHours && !limits.forceLargeWindow) {
    throw invalid(
      `The window of ${round(hours)} hours is longer than limits.maxWindowHours (${limits.maxWindowHours}).`,
      'Plan a shorter window, or add --force-large-window.',
    )
  }
  if (chunkHours * 60 < limits.minChunkMinutes) {
    throw invalid(
      `Chunks of ${round(chunkHours * 60)} minutes are shorter than limits.minChunkMinutes (${limits.minChunkMinutes}).`,
      'Give a greater --chunk-hours.',
    )
  }
  if (limits.wholeDays && (window.from % DAY_MS !== 0 || window.to % DAY_MS !== 0)) {
    throw invalid('The time column holds whole days, so the window must begin and end at 00:00 UTC.')
  }
  const chunkMs = limits.wholeDays
    ? Math.ceil((chunkHours * HOUR_MS) / DAY_MS) * DAY_MS
    : Math.round(chunkHours * HOUR_MS)
  const count = Math.ceil((window.to - window.from) / chunkMs)
  if (count > MAX_CHUNKS) {
    throw invalid(
      `The window would be cut into ${count} chunks; ${MAX_CHUNKS} is the most.`,
      'Give a greater --chunk-hours.',
    )
  }
  return chunkMs
}

function round(value: number): number {
  return Number(value.toFixed(2))
}

function invalid(message: string, hint?: string): ChkitError {
  return new ChkitError('window_invalid', message, hint === undefined ? {} : { hint })
}
