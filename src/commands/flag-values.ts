import type { ValueSchema } from '../plugin-host/command.js'

/**
 * Schemas for the values of core flags, written by hand against the Standard Schema interface: flags are defined on
 * every start, and loading a validation library for them would be felt on every start.
 */

function textSchema<Output>(read: (text: string) => Output | undefined, expected: string): ValueSchema<Output> {
  return {
    '~standard': {
      version: 1,
      vendor: 'chkit',
      validate: (value) => {
        const output = typeof value === 'string' ? read(value) : undefined
        return output === undefined ? { issues: [{ message: `expected ${expected}` }] } : { value: output }
      },
    },
  }
}

/** Seconds as a number, zero or more, fractions allowed. */
export const seconds = textSchema(
  (text) => (/^\d+(\.\d+)?$/.test(text) ? Number(text) : undefined),
  'a number of seconds, such as 30',
)

/** A whole number, one or more. */
export const positiveInteger = textSchema(
  (text) => (/^[1-9]\d{0,5}$/.test(text) ? Number(text) : undefined),
  'a whole number, 1 or more',
)

/** A migration's id: 14 digits (`20260131235959`), or whatever the project's files begin with: letters, digits, `_`, `-`. */
export const migrationId = textSchema(
  (text) => (/^[0-9A-Za-z][0-9A-Za-z_-]*$/.test(text) ? text : undefined),
  'letters, digits, "_" and "-" only',
)
