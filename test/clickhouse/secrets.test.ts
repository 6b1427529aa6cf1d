import { expect, test } from 'vitest'
import { scrubSecrets } from '../../src/clickhouse/secrets.js'

const SECRET = "s3cr'et-value-7"

const rows: readonly { name: string; text: string; clean: string }[] = [
  { name: 'as it is', text: `with ${SECRET} in it`, clean: 'with [HIDDEN] in it' },
  {
    name: 'escaped',
    text: "password 's3cr\\'et-value-7', twice: 's3cr\\'et-value-7'",
    clean: "password '[HIDDEN]', twice: '[HIDDEN]'",
  },
  { name: 'with a doubled quote', text: "Bad: 's3cr''et-value-7'", clean: "Bad: '[HIDDEN]'" },
  { name: 'percent-encoded', text: `http://h/?p=${encodeURIComponent(SECRET)}&x`, clean: 'http://h/?p=[HIDDEN]&x' },
  { name: 'in a URL', text: 'http://me:other@h:1/', clean: 'http://[HIDDEN]@h:1/' },
  { name: 'cut off behind a quote', text: "PASSWORD 's3cr\\'et-v. Expected", clean: "PASSWORD '[HIDDEN]. Expected" },
  { name: 'a word that begins alike', text: 'the s3cr table', clean: 'the s3cr table' },
]
test.each(rows)('a secret $name', ({ text, clean }) => {
  expect(scrubSecrets(text, [SECRET])).toBe(clean)
})

test('a short one is hidden between quotes only', () => {
  expect(scrubSecrets("qz 'qz' qzz", ['qz'])).toBe("qz '[HIDDEN]' qzz")
})
