import { expect, test } from 'vitest'
import { sameText } from '../../src/model/same.js'

test.each([
  ['equal texts', 'a + 1', 'a + 1', true],
  ['other texts', 'a + 1', 'a + 2', false],
  ['a hidden string stands for any string', "mysql('h', 'u', '[HIDDEN]')", "mysql('h', 'u', 'env:PW')", true],
  ['but not for something else', "mysql('h', '[HIDDEN]')", 'mysql(h, pw)', false],
  ['nor for two strings', "mysql('h', '[HIDDEN]')", "mysql('h', 'u', 'pw')", false],
  ['what is not hidden counts', "mysql('h', '[HIDDEN]')", "mysql('other', 'pw')", false],
  ['a part of a string is hidden', "'mongodb://root:[HIDDEN]@h/db'", "'mongodb://root:pw@h/db'", true],
  ['what stands around the hidden part counts', "'mongodb://root:[HIDDEN]@h/db'", "'mongodb://root:pw@h/x'", false],
  ['parts around a hidden part do not overlap', "'aa[HIDDEN]aa'", "'aaa'", false],
  ['two parts of a string are hidden', "'A=[HIDDEN];B=[HIDDEN];c'", "'A=1;B=2;c'", true],
  ['the text between two hidden parts counts', "'A=[HIDDEN];B=[HIDDEN];c'", "'A=1;C=2;c'", false],
  ['a reference stands for the whole string', "'mongodb://root:[HIDDEN]@h/db'", "'env:MONGO_URL'", true],
  [
    'an encrypting function hides all its keys',
    "encrypt('m', '[HIDDEN]')",
    "encrypt('m', s || 'x', 'key', 'iv')",
    true,
  ],
  ['behind a hidden call texts count', "encrypt('m', '[HIDDEN]') + 1", "encrypt('m', s, 'key') + 2", false],
  ['the mode of encryption counts', "encrypt('m', '[HIDDEN]')", "encrypt('n', s, 'key')", false],
] as const)('%s', (_name, a, b, same) => {
  expect(sameText(a, b)).toBe(same)
  expect(sameText(b, a)).toBe(same)
})
