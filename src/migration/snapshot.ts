import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync, unlinkSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { ChkitError, messageOf } from '../errors.js'
import { compareCodeUnits, type Definition, objectKey } from '../model/definition.js'
import { readTextIfPresent, systemCode, writeFileAtomic } from './atomic-file.js'
import { entriesOf } from './directory.js'
import { conflictMarkerAt, findJsonFault, positionAt } from './json-position.js'

/** The format that this chkit writes. Version 1 is the older one: no `migration`, definitions as they were declared. */
export const SNAPSHOT_VERSION = 2

/** What a snapshot says about itself; the first lines of its file. */
export type SnapshotHeader = {
  readonly version: number
  /** ISO 8601, UTC. */
  readonly generatedAt: string
  /** Id of the migration that leads to this state; null for a state that no migration led to. */
  readonly migration: string | null
  /** Id of the migration whose state this one was planned from; null for the first. */
  readonly parent: string | null
  /** See `serialiseSnapshot`; absent where the schema files did not say all that made this state. */
  readonly fingerprint?: string
}

/** The schema after a migration: definitions without `origin`, sorted by their key. */
export type Snapshot = SnapshotHeader & { readonly definitions: readonly Definition[] }

/** Binds what was declared (a hash) to what it became, so that a snapshot edited by hand is not taken for it. */
function sealOf(declared: string, definitions: unknown): string {
  return createHash('sha256').update(declared).update(JSON.stringify(definitions)).digest('hex')
}

/** True when `snapshot`, as read from its file, is the canonical form of exactly the declarations with this hash. */
export function isSealedBy(snapshot: Snapshot, declared: string | undefined): boolean {
  if (declared === undefined || snapshot.fingerprint === undefined) return false
  return snapshot.fingerprint === sealOf(declared, snapshot.definitions)
}

/** Path of the newest snapshot. */
export function headPath(metaDir: string): string {
  return join(metaDir, 'snapshot.json')
}

/** Path of the snapshot that a migration led to. */
export function snapshotPath(metaDir: string, id: string): string {
  return join(metaDir, 'snapshots', `${id}.json`)
}

/** Fields that say where a definition came from, not what it is. */
const NOT_STATE: ReadonlySet<string> = new Set(['origin', 'renamedFrom', 'plugins'])

function withoutKeys(value: Readonly<Record<string, unknown>>, left: ReadonlySet<string>): Record<string, unknown> {
  const entries = Object.entries(value).filter(([key, item]) => item !== undefined && !left.has(key))
  entries.sort(([a], [b]) => compareCodeUnits(a, b))
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]))
}

/** A copy with keys in code-unit order; order of lists is kept. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return withoutKeys(value as Record<string, unknown>, NO_KEYS)
}

const NO_KEYS: ReadonlySet<string> = new Set()
const COLUMN_NOT_STATE: ReadonlySet<string> = new Set(['renamedFrom'])

/** What of a definition is state: names of the past, places in files and plugin options stay out. */
function stateOf(definition: Definition): Record<string, unknown> {
  const plain = withoutKeys({ ...definition }, NOT_STATE)
  if (definition.kind !== 'table') return plain
  return { ...plain, columns: definition.columns.map((column) => withoutKeys({ ...column }, COLUMN_NOT_STATE)) }
}

function stateOfAll(snapshot: Snapshot): Record<string, unknown>[] {
  return [...snapshot.definitions].sort((a, b) => compareCodeUnits(objectKey(a), objectKey(b))).map(stateOf)
}

/**
 * The file's text: stable, sorted, one line per leaf, header first so that it can be read without the rest. `declared`
 * is the hash of the declarations that it is the whole canonical form of: the text then carries their fingerprint.
 */
export function serialiseSnapshot(snapshot: Snapshot, declared?: string): string {
  const { version, generatedAt, migration, parent } = snapshot
  const definitions = stateOfAll(snapshot)
  const fingerprint = declared === undefined ? snapshot.fingerprint : sealOf(declared, definitions)
  return JSON.stringify({ version, generatedAt, migration, parent, fingerprint, definitions }, undefined, 1) + '\n'
}

const MEND_HEAD =
  'Restore the file from version control, or delete it: the next run makes it again from the snapshots folder.'

/** The record of one migration cannot be made again from anything, unless that migration is planned again. */
const MEND_RECORD =
  'Restore the file from version control. Without it, and if its migration is applied nowhere, delete the migration of the same id as well: the next generate plans it again.'

const UNMERGE_HEAD =
  'Do not merge it by hand: delete it and run the same command again. It is made anew from the snapshots folder, which also shows whether two branches must be put in order.'

/** False for `snapshot.json`, which is only a copy of the newest file in `snapshots/`. */
function isRecordFile(path: string): boolean {
  return basename(dirname(path)) === 'snapshots'
}

function corrupt(
  path: string,
  message: string,
  at?: { line: number; column: number },
  hint = isRecordFile(path) ? MEND_RECORD : MEND_HEAD,
): ChkitError {
  const where = at === undefined ? path : `${path}:${at.line}:${at.column}`
  return new ChkitError('snapshot_corrupt', `Snapshot ${where} ${message}.`, {
    hint,
    details: { file: path, ...(at === undefined ? {} : { line: at.line, column: at.column }) },
  })
}

function parseJson(text: string, path: string): unknown {
  if (text.trim() === '') throw corrupt(path, 'is empty', { line: 1, column: 1 })
  try {
    return JSON.parse(text)
  } catch (error) {
    const marker = conflictMarkerAt(text)
    if (marker !== undefined) {
      throw corrupt(
        path,
        'holds merge conflict markers',
        positionAt(text, marker),
        isRecordFile(path) ? MEND_RECORD : UNMERGE_HEAD,
      )
    }
    const fault = findJsonFault(text)
    throw corrupt(path, `is no JSON: ${fault?.message ?? messageOf(error)}`, fault)
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function idOrNull(value: unknown, field: string, path: string): string | null {
  if (value === null || value === undefined) return null
  if (typeof value === 'string') return value
  throw corrupt(path, `has a "${field}" that is neither an id nor null`)
}

function parseHeader(value: Record<string, unknown>, path: string): SnapshotHeader {
  const version = value.version
  if (version === undefined) throw corrupt(path, 'is no snapshot: it has no "version"')
  if (typeof version !== 'number' || !Number.isInteger(version) || version < 1) {
    throw corrupt(path, `has a "version" that is no whole number: ${JSON.stringify(version)}`)
  }
  if (version > SNAPSHOT_VERSION) {
    throw new ChkitError(
      'snapshot_version_unsupported',
      `Snapshot ${path} has version ${version}; this chkit reads versions up to ${SNAPSHOT_VERSION}.`,
      {
        hint: 'Update chkit to the version that wrote it.',
        details: { file: path, version, supported: SNAPSHOT_VERSION },
      },
    )
  }
  return {
    version,
    generatedAt: typeof value.generatedAt === 'string' ? value.generatedAt : '',
    migration: idOrNull(value.migration, 'migration', path),
    parent: idOrNull(value.parent, 'parent', path),
    ...(typeof value.fingerprint === 'string' ? { fingerprint: value.fingerprint } : {}),
  }
}

/** Turns the definitions of a version 1 snapshot, in declared form, into canonical ones. */
export type UpgradeDefinitions = (definitions: readonly unknown[]) => readonly Definition[]

function requireDefinitions(value: unknown, path: string): readonly Record<string, unknown>[] {
  if (!Array.isArray(value)) throw corrupt(path, 'has no list of "definitions"')
  for (const [index, item] of value.entries()) {
    if (!isRecord(item) || typeof item.kind !== 'string') {
      throw corrupt(path, `has a definition without a kind: entry ${index + 1} of "definitions"`)
    }
  }
  return value as readonly Record<string, unknown>[]
}

/**
 * The snapshot in `text`. Throws `snapshot_corrupt` with file, line and column for what is truncated, conflicted or no
 * snapshot, `snapshot_version_unsupported` for one of a newer chkit, or of version 1 where no `upgrade` is given.
 */
export function parseSnapshot(text: string, path: string, upgrade?: UpgradeDefinitions): Snapshot {
  const value = parseJson(text, path)
  if (!isRecord(value)) throw corrupt(path, 'is no snapshot: it holds no object')
  const header = parseHeader(value, path)
  const definitions = requireDefinitions(value.definitions, path)
  if (header.version >= 2) return { ...header, definitions: definitions as unknown as readonly Definition[] }
  if (upgrade === undefined) {
    throw new ChkitError('snapshot_version_unsupported', `Snapshot ${path} has version 1, which cannot be read here.`, {
      hint: "Run 'chkit generate' once; it brings the snapshot up to date.",
      details: { file: path, version: 1, supported: SNAPSHOT_VERSION },
    })
  }
  return { ...header, definitions: upgrade(definitions) }
}

/** The snapshot at `path`, or undefined when there is no such file. Throws like `parseSnapshot`, and `file_unreadable`. */
export function readSnapshot(path: string, upgrade?: UpgradeDefinitions): Snapshot | undefined {
  const text = readTextIfPresent(path)
  return text === undefined ? undefined : parseSnapshot(text, path, upgrade)
}

const HEADER_BYTES = 1024

function firstBytes(path: string): string {
  const handle = openSync(path, 'r')
  try {
    const buffer = Buffer.allocUnsafe(HEADER_BYTES)
    return buffer.toString('utf8', 0, readSync(handle, buffer, 0, HEADER_BYTES, 0))
  } finally {
    closeSync(handle)
  }
}

/** The header as `serialiseSnapshot` writes it, from the first bytes; undefined when the file looks otherwise. */
function headerFromStart(text: string, path: string): SnapshotHeader | undefined {
  const end = text.search(/,\s*"definitions"\s*:/)
  if (end < 0) return undefined
  try {
    const value: unknown = JSON.parse(text.slice(0, end) + '}')
    return isRecord(value) ? parseHeader(value, path) : undefined
  } catch (error) {
    // Not in the form that chkit writes (merged or edited by hand); the whole file is then read and judged.
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function readHeader(path: string): SnapshotHeader {
  let start: string
  try {
    start = firstBytes(path)
  } catch (error) {
    throw new ChkitError('file_unreadable', `${path} cannot be read (${systemCode(error) ?? messageOf(error)}).`, {
      hint: 'Check that it is a file and that you may read it.',
      details: { file: path, systemCode: systemCode(error) },
      cause: error,
    })
  }
  const header = headerFromStart(start, path)
  if (header !== undefined) return header
  const value = parseJson(readTextIfPresent(path) ?? '', path)
  if (!isRecord(value)) throw corrupt(path, 'is no snapshot: it holds no object')
  return parseHeader(value, path)
}

/** What the snapshots folder tells about one migration: its id is the file's name. */
export type SnapshotLink = { readonly id: string; readonly parent: string | null }

/** The links of all snapshots in `<metaDir>/snapshots`, sorted by id. Reads the first bytes of each file only. */
export function readSnapshotLinks(metaDir: string): SnapshotLink[] {
  return entriesOf(join(metaDir, 'snapshots'))
    .filter((name) => name.endsWith('.json') && !name.startsWith('.'))
    .sort(compareCodeUnits)
    .map((name) => {
      const id = name.slice(0, -'.json'.length)
      return { id, parent: readHeader(snapshotPath(metaDir, id)).parent }
    })
}

/** Writes a snapshot atomically. Throws `file_unwritable` or `disk_full`. */
export function writeSnapshot(path: string, snapshot: Snapshot): void {
  writeFileAtomic(path, serialiseSnapshot(snapshot))
}

/** Removes a snapshot of a migration that never came to be; a missing file is fine. */
export function removeSnapshot(metaDir: string, id: string): void {
  try {
    unlinkSync(snapshotPath(metaDir, id))
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
  }
}
