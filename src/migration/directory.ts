import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { ChkitError, messageOf } from '../errors.js'
import { compareCodeUnits } from '../model/definition.js'
import { systemCode } from './atomic-file.js'

const EXTENSION = '.sql'

/** Names of the entries of `directory`, unsorted; empty when the folder does not exist. Throws `file_unreadable`. */
export function entriesOf(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw new ChkitError('file_unreadable', `${directory} cannot be read (${systemCode(error) ?? messageOf(error)}).`, {
      hint: 'Check that it is a folder and that you may read it.',
      details: { file: directory, systemCode: systemCode(error) },
      cause: error,
    })
  }
}

/** File names of the migrations in `directory`, in the order in which they run; empty when it does not exist. */
export function listMigrations(directory: string): string[] {
  return entriesOf(directory)
    .filter((name) => name.endsWith(EXTENSION) && !name.startsWith('.'))
    .sort(compareCodeUnits)
}

/** The id of a migration's file name: what stands before the first `_`, or the whole stem. */
export function migrationId(name: string): string {
  const stem = name.endsWith(EXTENSION) ? name.slice(0, -EXTENSION.length) : name
  const end = stem.indexOf('_')
  return end < 0 ? stem : stem.slice(0, end)
}

/** `<id>_<slug>.sql`. */
export function migrationFileName(id: string, slug: string): string {
  return `${id}_${slug}${EXTENSION}`
}

/** Absolute path of a migration. */
export function migrationPath(directory: string, name: string): string {
  return join(directory, name)
}

/** `text` as the readable part of a file name: lower-case words of a-z and 0-9 joined by `_`; `auto` when nothing is left. */
export function slugOf(text: string): string {
  const words = text
    .normalize('NFKD')
    .toLowerCase()
    .match(/[a-z0-9]+/g)
  return words === null ? 'auto' : words.join('_').slice(0, 80).replace(/_+$/, '')
}

function stampOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\D/g, '').slice(0, 14)
}

/** Milliseconds of a `YYYYMMDDHHMMSS` that is a real moment, else undefined. */
function momentOf(id: string): number | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(id)
  if (parts === null) return undefined
  const [year, month, day, hour, minute, second] = parts.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const moment = Date.UTC(year, month - 1, day, hour, minute, second)
  return stampOf(moment) === id ? moment : undefined
}

/** The next number of the same width, or undefined for all nines and for what is no number. */
function successor(id: string): string | undefined {
  if (!/^\d+$/.test(id) || /^9+$/.test(id)) return undefined
  return (BigInt(id) + 1n).toString().padStart(id.length, '0')
}

/**
 * The id of a new migration: `now` in UTC as `YYYYMMDDHHMMSS`, moved on where needed so that it sorts after every one
 * of `existing`. Throws `migration_id_conflict` when an existing id sorts after every timestamp.
 */
export function nextMigrationId(now: number, existing: readonly string[]): string {
  const stamp = stampOf(now)
  const newest = existing.reduce((a, b) => (compareCodeUnits(a, b) < 0 ? b : a), '')
  if (compareCodeUnits(newest, stamp) < 0) return stamp
  const moment = momentOf(newest)
  const next = moment === undefined ? successor(newest) : stampOf(moment + 1000)
  if (next !== undefined && compareCodeUnits(newest, next) < 0) return next
  throw new ChkitError('migration_id_conflict', `No timestamp sorts after the existing migration "${newest}".`, {
    hint: 'Pass --migration-id with an id that does.',
    details: { newest },
  })
}

/**
 * Refuses an id that is taken, that sorts before an existing one (its migration builds on all of them, and would run
 * before), or that cannot stand in a file name. Throws `migration_id_conflict`, `migration_invalid`.
 */
export function requireFreeId(id: string, existing: readonly string[]): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9.-]*$/.test(id)) {
    throw new ChkitError('migration_invalid', `"${id}" cannot be a migration id: letters, digits, "." and "-" only.`, {
      hint: 'For example --migration-id 20260131120000.',
    })
  }
  const hint = 'Pass another --migration-id, or none: the clock then gives one.'
  if (existing.includes(id)) {
    throw new ChkitError('migration_id_conflict', `A migration with the id "${id}" exists already.`, {
      hint,
      details: { id },
    })
  }
  const later = existing.filter((other) => compareCodeUnits(id, other) < 0).sort(compareCodeUnits)
  if (later.length === 0) return
  throw new ChkitError(
    'migration_id_conflict',
    `The id "${id}" sorts before the existing migration "${later.at(-1)}", and so would run before it.`,
    { hint, details: { id, newest: later.at(-1) } },
  )
}
