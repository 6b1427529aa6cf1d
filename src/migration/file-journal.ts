import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import { ChkitError } from '../errors.js'
import { appendDurably, ensureDirectory, readTextIfPresent, systemCode, writeFileAtomic } from './atomic-file.js'
import type { Journal, JournalEntry, StatementEvent } from './journal.js'
import { conflictMarkerAt, findJsonFault, positionAt } from './json-position.js'

/** Version 1 held plain names, or entries without a chkit version. */
const VERSION = 2

function corrupt(path: string, message: string, at?: { readonly line: number; readonly column: number }): ChkitError {
  const where = at === undefined ? path : `${path}:${at.line}:${at.column}`
  return new ChkitError('journal_corrupt', `Journal ${where} ${message}.`, {
    hint: 'Restore the file from version control or a backup; chkit never overwrites it in this state.',
    details: { file: path, ...(at === undefined ? {} : { line: at.line, column: at.column }) },
  })
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    const marker = conflictMarkerAt(text)
    if (marker !== undefined) throw corrupt(path, 'holds merge conflict markers', positionAt(text, marker))
    const fault = text.trim() === '' ? { line: 1, column: 1, message: 'it is empty' } : findJsonFault(text)
    throw corrupt(path, `is no JSON: ${fault?.message ?? error.message}`, fault)
  }
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

function parseEntry(value: unknown, index: number, path: string): JournalEntry {
  if (typeof value === 'string') return { name: value, appliedAt: '', checksum: '', chkitVersion: '' }
  if (!isRecord(value) || typeof value.name !== 'string') {
    throw corrupt(path, `has an entry without a name: number ${index + 1} of "applied"`)
  }
  return {
    name: value.name,
    appliedAt: textOf(value.appliedAt),
    checksum: textOf(value.checksum),
    chkitVersion: textOf(value.chkitVersion),
  }
}

/** The applied migrations in `text`, older shapes brought up to date. Throws `journal_corrupt`, `journal_version_unsupported`. */
export function parseFileJournal(text: string, path: string): JournalEntry[] {
  const value = parse(text, path)
  if (!isRecord(value)) throw corrupt(path, 'holds no object')
  const version = value.version ?? 1
  if (typeof version !== 'number') throw corrupt(path, 'has a "version" that is no number')
  if (version > VERSION) {
    throw new ChkitError(
      'journal_version_unsupported',
      `Journal ${path} has version ${version}; this chkit reads versions up to ${VERSION}.`,
      { hint: 'Update chkit to the version that wrote it.', details: { file: path, version, supported: VERSION } },
    )
  }
  if (!Array.isArray(value.applied)) throw corrupt(path, 'has no list of "applied" migrations')
  return value.applied.map((item, index) => parseEntry(item, index, path))
}

const OUTCOMES: ReadonlySet<unknown> = new Set(['intent', 'done', 'failed', 'not_done', 'unknown'])

function parseEvent(line: string, number: number, path: string): StatementEvent {
  const value = parseLine(line, number, path)
  if (!isRecord(value) || typeof value.migration !== 'string' || !OUTCOMES.has(value.outcome)) {
    throw corrupt(path, 'holds a line that is no statement', { line: number, column: 1 })
  }
  return value as StatementEvent
}

function parseLine(line: string, number: number, path: string): unknown {
  try {
    return JSON.parse(line)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    const fault = findJsonFault(line)
    throw corrupt(path, `is no JSON: ${fault?.message ?? error.message}`, { line: number, column: fault?.column ?? 1 })
  }
}

/** The statement lines in `text`. A last line without its line end was cut while it was written, and counts for nothing. */
export function parseStatementLines(text: string, path: string): StatementEvent[] {
  const lines = text.split('\n')
  lines.pop()
  return lines.map((line, index) => parseEvent(line, index + 1, path))
}

function serialise(applied: readonly JournalEntry[]): string {
  return JSON.stringify({ version: VERSION, applied }, undefined, 2) + '\n'
}

/**
 * The journal in `<metaDir>/journal.json`, its statements in `journal.statements.ndjson` beside it. The first is
 * replaced atomically, the second only ever grows.
 */
export function openFileJournal(metaDir: string): Journal {
  const path = join(metaDir, 'journal.json')
  const statementsPath = join(metaDir, 'journal.statements.ndjson')
  const readApplied = () => {
    const text = readTextIfPresent(path)
    return text === undefined ? [] : parseFileJournal(text, path)
  }
  const readStatements = () => readTextIfPresent(statementsPath) ?? ''
  return {
    store: 'file',
    location: path,
    read: async () => ({ applied: readApplied(), statements: parseStatementLines(readStatements(), statementsPath) }),
    prepare: async () => {
      readApplied()
      ensureDirectory(metaDir)
      requireWritable(metaDir)
      const text = readStatements()
      // A line that was cut off must not be continued by the next one.
      if (text !== '' && !text.endsWith('\n'))
        writeFileAtomic(statementsPath, text.slice(0, text.lastIndexOf('\n') + 1))
    },
    recordStatements: async (events) => {
      appendDurably(statementsPath, events.map((event) => JSON.stringify(event) + '\n').join(''))
    },
    recordApplied: async (entry) => {
      writeFileAtomic(path, serialise([...readApplied(), entry]))
    },
  }
}

/** Found out before the first statement is sent, not after it. */
function requireWritable(metaDir: string): void {
  try {
    accessSync(metaDir, constants.W_OK)
  } catch (error) {
    throw new ChkitError('file_unwritable', `${metaDir} cannot be written (${systemCode(error) ?? 'unknown'}).`, {
      hint: 'The journal is kept there. Check the permissions; nothing was applied.',
      details: { file: metaDir, systemCode: systemCode(error) },
      cause: error,
    })
  }
}
