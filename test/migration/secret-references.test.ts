import { expect, test } from 'vitest'
import { resolveSecrets } from '../../src/migration/secret-references.js'

const env = { DB_PASSWORD: "it's\\secret", EMPTY: '' }

test.each([
  ['a reference is replaced by the quoted value', "PASSWORD 'env:DB_PASSWORD'", "PASSWORD 'it\\'s\\\\secret'", []],
  ['an empty variable is a value', "PASSWORD 'env:EMPTY'", "PASSWORD ''", []],
  ['an unset variable keeps its reference', "PASSWORD 'env:NOPE'", "PASSWORD 'env:NOPE'", ['NOPE']],
  ['a reference within a longer text is text', "'see env:DB_PASSWORD'", "'see env:DB_PASSWORD'", []],
  ['a comment and a quoted name are left alone', "/* 'env:EMPTY' */ `env:EMPTY`", "/* 'env:EMPTY' */ `env:EMPTY`", []],
])('%s', (_name, sql, text, missing) => {
  expect(resolveSecrets(sql, env)).toEqual({ text, missing })
})
