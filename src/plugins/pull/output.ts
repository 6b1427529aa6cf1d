import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { ChkitError } from '../../index.js'
import { FIRST_LINE, type SchemaFile } from './layout.js'

export type WrittenFile = {
  /** Absolute. */
  readonly file: string
  readonly status: 'created' | 'updated' | 'unchanged' | 'removed'
}

/** Files whose new texts lie beside them on disk, not yet in place. */
export type StagedFiles = {
  /** What `commit` will do. */
  readonly files: readonly WrittenFile[]
  /** Puts every file in place, each in one rename, and removes those that are no longer wanted. */
  commit(): void
  /** Removes what was staged; the files are as they were. */
  discard(): void
}

/** How each file stands to what it should hold. Throws `file_unreadable`, and `file_exists` unless `overwrite`. */
export function plannedFiles(
  files: readonly SchemaFile[],
  overwrite: boolean,
  folder: string | undefined,
): readonly WrittenFile[] {
  const planned = files.map(({ file, text }): WrittenFile => {
    const before = readText(file)
    return { file, status: before === undefined ? 'created' : before === text ? 'unchanged' : 'updated' }
  })
  const kept = new Set(files.map(({ file }) => file))
  const stale = folder === undefined ? [] : ownFiles(folder).filter((file) => !kept.has(file))
  const changed = [...planned.filter(({ status }) => status === 'updated').map(({ file }) => file), ...stale]
  if (changed.length > 0 && !overwrite) throw existing(changed)
  return [...planned, ...stale.map((file): WrittenFile => ({ file, status: 'removed' }))]
}

/** Writes every text that differs beside its file, so that whatever can fail has failed before anything changed. */
export function stageFiles(files: readonly SchemaFile[], planned: readonly WrittenFile[]): StagedFiles {
  const statuses = new Map(planned.map(({ file, status }) => [file, status]))
  const changed = files.filter(({ file }) => statuses.get(file) !== 'unchanged')
  const discard = () => {
    for (const { file } of changed) removeIfThere(temporaryName(file))
  }
  try {
    for (const { file, text } of changed) writeText(file, text)
  } catch (error) {
    discard()
    throw error
  }
  return {
    files: planned,
    discard,
    commit: () => {
      for (const { file } of changed) guarded(file, () => renameSync(temporaryName(file), file))
      for (const { file, status } of planned)
        if (status === 'removed') guarded(file, () => rmSync(file, { force: true }))
    },
  }
}

/** The files below `folder` that an earlier pull wrote. */
function ownFiles(folder: string): readonly string[] {
  let names: readonly string[]
  try {
    names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return []
    throw error
  }
  return names
    .filter((name) => /\.[cm]?ts$/.test(name))
    .map((name) => join(folder, name))
    .filter((file) => readText(file)?.startsWith(FIRST_LINE))
    .sort()
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').replaceAll('\r\n', '\n')
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined
    throw new ChkitError('file_unreadable', `${file} cannot be read (${systemCode(error) ?? String(error)}).`, {
      hint: 'Name another file with --out-file, or in the options of pull.',
      details: { file },
      cause: error,
    })
  }
}

// One name per file: a run that was killed leaves one stray file at most, and the next run reuses it.
function temporaryName(file: string): string {
  return join(dirname(file), `.${basename(file)}.chkit-tmp`)
}

function removeIfThere(file: string): void {
  try {
    rmSync(file, { force: true })
  } catch (error) {
    // A file stands where its folder should be: then there is nothing to remove.
    if (systemCode(error) !== 'ENOTDIR') throw error
  }
}

function writeText(file: string, text: string): void {
  guarded(file, () => {
    mkdirSync(dirname(file), { recursive: true })
    const handle = openSync(temporaryName(file), 'w')
    try {
      writeSync(handle, text)
      fsyncSync(handle)
    } finally {
      closeSync(handle)
    }
  })
}

function guarded(file: string, write: () => void): void {
  try {
    write()
  } catch (error) {
    const code = systemCode(error)
    const full = code === 'ENOSPC' || code === 'EDQUOT'
    const message = full ? `No space left to write ${file}.` : `${file} cannot be written (${code ?? String(error)}).`
    throw new ChkitError(full ? 'disk_full' : 'file_unwritable', message, {
      hint: full ? 'Free some space and run the same command again.' : `Check the permissions of ${dirname(file)}.`,
      details: { file, ...(code && { systemCode: code }) },
      cause: error,
    })
  }
}

function existing(files: readonly string[]): ChkitError {
  const [first] = files
  const others = files.length === 1 ? '' : ` and ${files.length - 1} more`
  return new ChkitError('file_exists', `${first}${others} would be overwritten.`, {
    hint: 'Look at it with --dryrun, then pass --force, or name another file with --out-file.',
    details: { files },
  })
}

function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
