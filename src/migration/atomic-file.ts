import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { ChkitError, type ErrorCode, messageOf } from '../errors.js'

/** The `code` of a Node system error (`ENOENT`), or undefined for anything else. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

// ENOENT: what Node says when it cannot make a folder on a file system that is mounted read-only.
const UNWRITABLE: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EROFS', 'EISDIR', 'ENOTDIR', 'EEXIST', 'ENOENT'])

/** The failure of a write to `path` as `disk_full` or `file_unwritable`. */
export function writeError(error: unknown, path: string): ChkitError {
  const code = systemCode(error)
  const full = code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG'
  const errorCode: ErrorCode = full ? 'disk_full' : 'file_unwritable'
  if (!full && !UNWRITABLE.has(code ?? '')) {
    return new ChkitError('file_unwritable', `Could not write ${path}: ${messageOf(error)}.`, {
      details: { file: path, systemCode: code },
      cause: error,
    })
  }
  return new ChkitError(errorCode, full ? `No space left to write ${path}.` : `${path} cannot be written (${code}).`, {
    hint: full
      ? 'Free some space and run the same command again; the file is as it was before.'
      : `Check the permissions of ${dirname(path)}; the file is as it was before.`,
    details: { file: path, systemCode: code },
    cause: error,
  })
}

function syncDirectory(directory: string): void {
  let handle: number
  try {
    handle = openSync(directory, 'r')
  } catch (error) {
    // Windows cannot open a folder; the rename itself is then all there is.
    if (systemCode(error) === 'EISDIR' || systemCode(error) === 'EPERM') return
    throw error
  }
  try {
    fsyncSync(handle)
  } catch (error) {
    // Some file systems refuse fsync on folders; nothing is lost but the guarantee across a power cut.
    if (systemCode(error) !== 'EINVAL' && systemCode(error) !== 'EPERM' && systemCode(error) !== 'ENOTSUP') throw error
  } finally {
    closeSync(handle)
  }
}

/** Creates `directory` and its parents. Throws `file_unwritable` or `disk_full`. */
export function ensureDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true })
  } catch (error) {
    throw writeError(error, directory)
  }
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    // The first failure is the one to report; a sibling that was never made or cannot be removed changes nothing.
    if (systemCode(error) === undefined) throw error
  }
}

function writeAll(handle: number, bytes: Uint8Array): void {
  let offset = 0
  while (offset < bytes.length) offset += writeSync(handle, bytes, offset)
}

/**
 * Replaces the file at `path` by `text` (UTF-8) in one step: temporary sibling, fsync, rename, fsync of the folder.
 * A reader sees the old or the new text, never a part. Throws `disk_full` or `file_unwritable`, leaving no sibling.
 */
export function writeFileAtomic(path: string, text: string): void {
  const directory = dirname(path)
  ensureDirectory(directory)
  const sibling = join(directory, `.${randomBytes(6).toString('hex')}.chkit-tmp`)
  let handle: number | undefined
  try {
    handle = openSync(sibling, 'wx', 0o644)
    writeAll(handle, Buffer.from(text, 'utf8'))
    fsyncSync(handle)
    closeSync(handle)
    handle = undefined
    renameSync(sibling, path)
    syncDirectory(directory)
  } catch (error) {
    if (handle !== undefined) closeSync(handle)
    removeQuietly(sibling)
    throw writeError(error, path)
  }
}

/**
 * Appends `text` to the file at `path`, creating it, and waits until it is on disk. Throws like `writeFileAtomic`; a part
 * that was written before the disk was full is taken back, since the next text would go on behind it.
 */
export function appendDurably(path: string, text: string): void {
  ensureDirectory(dirname(path))
  let handle: number | undefined
  let size: number | undefined
  try {
    handle = openSync(path, 'a', 0o644)
    size = fstatSync(handle).size
    writeAll(handle, Buffer.from(text, 'utf8'))
    fsyncSync(handle)
  } catch (error) {
    if (handle !== undefined && size !== undefined) truncateQuietly(handle, size)
    throw writeError(error, path)
  } finally {
    if (handle !== undefined) closeSync(handle)
  }
}

function truncateQuietly(handle: number, size: number): void {
  try {
    ftruncateSync(handle, size)
  } catch (error) {
    // The failure to write is the one to report; a line without its end is left out when it is read.
    if (systemCode(error) === undefined) throw error
  }
}

/** The file's bytes, or undefined when there is none. Throws `file_unreadable`. */
export function readBytesIfPresent(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw new ChkitError('file_unreadable', `${path} cannot be read (${systemCode(error) ?? messageOf(error)}).`, {
      hint: 'Check that it is a file and that you may read it.',
      details: { file: path, systemCode: systemCode(error) },
      cause: error,
    })
  }
}

/** Offset of the first byte that is no UTF-8, or -1. */
function firstInvalidByte(bytes: Buffer): number {
  // Decoding keeps everything before the first bad byte, so the common prefix of both encodings ends there.
  const again = Buffer.from(bytes.toString('utf8'), 'utf8')
  const end = Math.min(bytes.length, again.length)
  for (let i = 0; i < end; i++) if (bytes[i] !== again[i]) return i
  return bytes.length === again.length ? -1 : end
}

/** `bytes` as text without a byte order mark. Throws `file_not_utf8` with the offset of the first bad byte. */
export function decodeUtf8(bytes: Buffer, path: string): string {
  const utf16 =
    bytes.length >= 2 && ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff))
  const text = bytes.toString('utf8')
  // U+FFFD may be written in the file itself, so only its presence asks for the exact look.
  const invalidAt = utf16 ? 0 : text.includes('\ufffd') ? firstInvalidByte(bytes) : -1
  if (invalidAt >= 0) {
    throw new ChkitError(
      'file_not_utf8',
      utf16 ? `${path} is UTF-16, not UTF-8.` : `${path} is not UTF-8: byte ${invalidAt} is invalid.`,
      { hint: 'Save the file as UTF-8 and run the same command again.', details: { file: path, offset: invalidAt } },
    )
  }
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
}

/** The file's text without a byte order mark, or undefined when there is none. Throws `file_unreadable`, `file_not_utf8`. */
export function readTextIfPresent(path: string): string | undefined {
  const bytes = readBytesIfPresent(path)
  return bytes === undefined ? undefined : decodeUtf8(bytes, path)
}
