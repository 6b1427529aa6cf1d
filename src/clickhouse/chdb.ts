import { createRequire } from 'node:module'
import { ChkitError, messageOf } from '../errors.js'

/** What we use of the package `chdb`, which is an optional peer. */
export type Chdb = Pick<typeof import('chdb'), 'Session' | 'drainPending'>

/**
 * The first `chdb` that resolves from one of these files (paths or file URLs): the project's own before the one beside
 * chkit. Throws `embedded_engine_missing`, also for one that is too old or has no library for this machine.
 */
export function loadChdb(from: readonly string[]): Chdb {
  let reason: unknown
  for (const file of from) {
    try {
      const loaded: unknown = createRequire(file)('chdb')
      if (isChdb(loaded)) return loaded
      reason = new Error('the package `chdb` that was found is too old: it has no asynchronous sessions.')
    } catch (error) {
      // An installation that is broken tells more than one that is missing elsewhere.
      if (reason === undefined || !isMissing(error)) reason = error
    }
  }
  throw new ChkitError(
    'embedded_engine_missing',
    isMissing(reason)
      ? 'The embedded engine needs the package `chdb`, which is not installed.'
      : `The embedded engine cannot be loaded: ${messageOf(reason)}`,
    { hint: 'npm install --save-dev chdb', cause: reason },
  )
}

function isChdb(value: unknown): value is Chdb {
  return typeof value === 'object' && value !== null && 'Session' in value && 'drainPending' in value
}

/** A chdb without its library for this platform misses another module than `chdb`. */
function isMissing(error: unknown): boolean {
  return errorCode(error) === 'MODULE_NOT_FOUND' && /'chdb'/.test(messageOf(error))
}

/** `code` of an error of Node or chdb; empty when it has none. */
export function errorCode(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : ''
}
