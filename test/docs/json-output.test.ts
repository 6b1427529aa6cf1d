import { expect, test } from 'vitest'
import { documentSchema, failureDocument, RESULT_DOCUMENTS } from '../../src/cli/payloads.js'
import { blocksOf, readPage } from './pages.js'

const page = readPage('docs/json-output.md')

test('every document on the page is one that chkit prints', () => {
  const documents = blocksOf(page)
    .filter(({ info }) => info === 'json')
    .map(({ text }) => JSON.parse(text) as { command: keyof typeof RESULT_DOCUMENTS; ok: boolean })
  expect(documents.length).toBeGreaterThan(1)
  for (const document of documents) {
    const schema = document.ok ? documentSchema(document.command) : failureDocument
    expect(schema.safeParse(document).error).toBeUndefined()
  }
})

test('every document has its row', () => {
  const rows = [...page.matchAll(/\(schemas\/([a-z]+)\.json\)/g)].map(([, name]) => name)
  expect(rows.toSorted()).toEqual([...Object.keys(RESULT_DOCUMENTS), 'failure'].toSorted())
})
