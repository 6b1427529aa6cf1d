import { closeSync, openSync, statSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { ensureDirectory, systemCode, writeError } from './atomic-file.js'
import { entriesOf, listMigrations } from './directory.js'

/** Milliseconds between two looks at the lock of another process. */
const LOOK_EVERY_MS = 20

/** Milliseconds after which a lock that never changed is taken for one that a killed process left. Writing takes a few. */
const ABANDONED_AFTER_MS = 5_000

/** Thrown inside the lock when another process added to the history after it was read: plan again. */
export class HistoryMoved extends Error {
  constructor() {
    super('Another run changed the migrations meanwhile.')
    this.name = 'HistoryMoved'
  }
}

/** What the history consists of, as text to compare: another text means that somebody added or removed a migration. */
export function historyMark(migrationsDir: string, metaDir: string): string {
  return JSON.stringify([listMigrations(migrationsDir), entriesOf(join(metaDir, 'snapshots')).sort()])
}

/**
 * Runs `action` while no other process writes a migration: an exclusively created file in `metaDir` is the lock, because
 * two runs that start in the same second would else take the same id, and both would build on the same parent. Blocks
 * this process while it waits. Throws `file_unwritable`, `disk_full`.
 */
export function withHistoryLock<Result>(metaDir: string, action: () => Result): Result {
  const path = join(metaDir, '.generate.lock')
  ensureDirectory(metaDir)
  acquire(path)
  try {
    return action()
  } finally {
    remove(path)
  }
}

function acquire(path: string): void {
  let waitedMs = 0
  let seen: number | undefined
  while (!create(path)) {
    const inode = statSync(path, { throwIfNoEntry: false })?.ino
    if (inode !== seen) waitedMs = 0
    seen = inode
    if (waitedMs >= ABANDONED_AFTER_MS) remove(path)
    sleep(LOOK_EVERY_MS)
    waitedMs += LOOK_EVERY_MS
  }
}

function create(path: string): boolean {
  try {
    closeSync(openSync(path, 'wx', 0o644))
    return true
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false
    throw writeError(error, path)
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    // Somebody took it for abandoned; whatever else it is, the next run waits for it and goes on.
    if (systemCode(error) === undefined) throw error
  }
}

function sleep(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
}
