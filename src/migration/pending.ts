import { ChkitError } from '../errors.js'
import { compareCodeUnits } from '../model/definition.js'
import { nearest } from '../nearest.js'
import { migrationId } from './directory.js'
import type { JournalEntry } from './journal.js'

/** A migration file as the decision sees it. */
export type FileFacts = { readonly name: string; readonly checksum: string }

export type ChecksumMismatch = { readonly name: string; readonly expected: string; readonly actual: string }

/** Files against the journal. All lists are sorted by name. */
export type HistoryStatus = {
  readonly applied: readonly string[]
  readonly pending: readonly string[]
  /** Applied, but the file is gone. */
  readonly missing: readonly string[]
  readonly mismatches: readonly ChecksumMismatch[]
  /** Pending, but sorting before one that is applied or begun. */
  readonly outOfOrder: readonly string[]
  /** The last one applied or begun, by name. */
  readonly newest: string | undefined
  /** Begun, but neither applied nor there any more. */
  readonly lost: readonly string[]
  /** Pending, with the very content of an applied file that is gone. */
  readonly renamed: readonly { readonly name: string; readonly was: string }[]
}

const byName = (a: string, b: string) => compareCodeUnits(a, b)

/** Compares the migration files with the journal; `begun` are the half-done ones. Pure. */
export function compareHistory(
  files: readonly FileFacts[],
  applied: readonly JournalEntry[],
  begun: readonly string[],
): HistoryStatus {
  const entries = new Map(applied.map((entry) => [entry.name, entry]))
  const present = new Set(files.map((file) => file.name))
  const pending = files
    .map((file) => file.name)
    .filter((name) => !entries.has(name))
    .sort(byName)
  const missing = [...entries.keys()].filter((name) => !present.has(name)).sort(byName)
  const newest = [...entries.keys(), ...begun].sort(byName).at(-1)
  return {
    applied: [...entries.keys()].sort(byName),
    pending,
    missing,
    mismatches: files
      .flatMap((file) => mismatchOf(file, entries.get(file.name)))
      .sort((a, b) => byName(a.name, b.name)),
    outOfOrder: pending.filter((name) => newest !== undefined && byName(name, newest) < 0 && !begun.includes(name)),
    newest,
    lost: begun.filter((name) => !present.has(name)).sort(byName),
    renamed: files
      .filter(({ name }) => !entries.has(name))
      .flatMap(({ name, checksum }) => {
        const was = missing.find((gone) => checksum !== '' && entries.get(gone)?.checksum === checksum)
        return was === undefined ? [] : [{ name, was }]
      })
      .sort((a, b) => byName(a.name, b.name)),
  }
}

/** An older journal may not know the checksum; nothing can then be compared. */
function mismatchOf(file: FileFacts, entry: JournalEntry | undefined): ChecksumMismatch[] {
  if (entry === undefined || entry.checksum === '' || entry.checksum === file.checksum) return []
  return [{ name: file.name, expected: entry.checksum, actual: file.checksum }]
}

export type PendingOptions = {
  readonly allowOutOfOrder: boolean
  /** Id or file name of the last migration to take. */
  readonly to?: string
}

/**
 * The migrations to run, in order. Throws `checksum_mismatch`, `migration_not_found` (a half-done file is gone, or `to`
 * names none), `migration_renamed`, `out_of_order_migration`.
 */
export function choosePending(status: HistoryStatus, options: PendingOptions): readonly string[] {
  refuseMismatches(status)
  refuseLost(status)
  const upTo = options.to === undefined ? undefined : findTarget(options.to, [...status.applied, ...status.pending])
  const chosen = status.pending.filter((name) => upTo === undefined || compareCodeUnits(name, upTo) <= 0)
  refuseRenamed(status, chosen)
  const late = chosen.filter((name) => status.outOfOrder.includes(name))
  if (late.length > 0 && !options.allowOutOfOrder) {
    throw new ChkitError(
      'out_of_order_migration',
      `${late.join(', ')} sort${late.length === 1 ? 's' : ''} before ${status.newest}, which is already applied or begun.`,
      {
        hint: 'Give the file a newer id, or pass --allow-out-of-order if it depends on nothing that came after it.',
        details: { outOfOrder: late, newestApplied: status.newest },
      },
    )
  }
  return chosen
}

function refuseMismatches({ mismatches }: HistoryStatus): void {
  if (mismatches.length === 0) return
  throw new ChkitError('checksum_mismatch', 'Checksum mismatch detected on applied migrations', {
    hint: `Restore ${mismatches.map((mismatch) => mismatch.name).join(', ')} as applied, and put what should change into a new migration.`,
    details: { payload: { checksumMismatches: mismatches } },
  })
}

function refuseLost({ lost }: HistoryStatus): void {
  const [name] = lost
  if (name === undefined) return
  throw new ChkitError('migration_not_found', `${name} was begun but not finished, and its file is gone.`, {
    hint: 'Restore the file from version control: the next run goes on where it stopped.',
    details: { migrations: lost },
  })
}

/** Under another name its statements would run a second time. */
function refuseRenamed({ renamed }: HistoryStatus, chosen: readonly string[]): void {
  const taken = renamed.filter(({ name }) => chosen.includes(name))
  const [first] = taken
  if (first === undefined) return
  throw new ChkitError(
    'migration_renamed',
    `${first.name} holds exactly what ${first.was} held, which is applied and whose file is gone: it was renamed, and would run again.`,
    {
      hint: `Give it back the name ${first.was}. If its statements are meant to run once more, change the file, if only by a comment.`,
      details: { renamed: taken },
    },
  )
}

function findTarget(to: string, names: readonly string[]): string {
  const exact = names.find((name) => name === to || name === `${to}.sql`)
  const meant = exact === undefined ? names.filter((name) => migrationId(name) === to) : [exact]
  const [found, another] = meant
  if (another !== undefined) {
    throw new ChkitError('migration_not_found', `Several migrations have the id "${to}": ${meant.join(', ')}.`, {
      hint: `Give the whole name, for example --to ${another.replace(/\.sql$/, '')}.`,
      details: { to, migrations: meant },
    })
  }
  if (found !== undefined) return found
  const close = nearest(to, names.map(migrationId))
  throw new ChkitError('migration_not_found', `No migration has the id "${to}".`, {
    hint: close === undefined ? 'chkit status lists them.' : `Did you mean ${close}?`,
    details: { to },
  })
}
