import { describe, expect, it } from 'vitest'
import { ChkitError } from '../../src/errors.js'
import { matchesSelector, parseTableSelector } from '../../src/model/scope.js'

describe('a selector', () => {
  it.each([
    ['events', 'app', 'events', true],
    ['events', 'other', 'events', true],
    ['events', 'app', 'events2', false],
    ['ev*', 'app', 'events', true],
    ['ev*', 'app', 'ev', true],
    ['ev*', 'app', 'level', false],
    ['app.events', 'app', 'events', true],
    ['app.events', 'other', 'events', false],
    ['app.ev*', 'app', 'events', true],
    ['app.ev*', 'apps', 'events', false],
    ['app.a.b', 'app', 'a.b', true],
  ])('%s on %s.%s: %s', (text, database, name, expected) => {
    expect(matchesSelector(parseTableSelector(text), database, name)).toBe(expected)
  })

  it.each(['', ' ', '*', 'app.*', '.events', '*.events', 'a*p.events', 'app.', 'e*s', 'app.e*s', '**', 'ev**', '.'])(
    'refuses %j',
    (text) => {
      try {
        parseTableSelector(text)
        expect.unreachable()
      } catch (error) {
        expect(error).toBeInstanceOf(ChkitError)
        expect(error).toMatchObject({ code: 'invalid_table_selector', exitCode: 2, details: { selector: text } })
      }
    },
  )
})
