import { describe, expect, test } from 'vitest'
import { messageOf, toChkitError } from '../src/errors.js'

const cyclic: Record<string, unknown> = {}
cyclic.self = cyclic

describe('what was thrown, as a sentence', () => {
  test.each([
    { thrown: new Error('no route'), says: 'no route' },
    { thrown: new TypeError(''), says: 'TypeError' },
    { thrown: 'plain text', says: 'plain text' },
    { thrown: undefined, says: 'undefined' },
    { thrown: Symbol('x'), says: 'Symbol(x)' },
    { thrown: { message: 'from another library' }, says: 'from another library' },
    { thrown: { status: 503 }, says: '{"status":503}' },
    { thrown: cyclic, says: 'an object without a message' },
    { thrown: Object.create(null), says: '{}' },
    {
      thrown: {
        get message() {
          throw new Error('a getter that fails')
        },
      },
      says: 'an object without a message',
    },
  ])('$says', ({ thrown, says }) => {
    expect(messageOf(thrown)).toBe(says)
    expect(toChkitError(thrown)).toMatchObject({ code: 'internal_error', message: says })
  })
})
