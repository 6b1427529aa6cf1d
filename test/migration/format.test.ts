import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { readOperationComments, renderMigration } from '../../src/migration/format.js'
import type { Table } from '../../src/model/definition.js'
import type { Risk, Step } from '../../src/plan/step.js'

const table: Table = {
  kind: 'table',
  database: 'app',
  name: 'events',
  engine: { name: 'MergeTree', args: [] },
  columns: [],
}
const step = (type: string, key: string, risk: Risk, warning?: string): Step => ({
  change: { kind: 'dropTable', table },
  type,
  key,
  risk,
  mutation: false,
  reason: 'Its rows are lost.',
  warning,
})
const head = {
  id: '20260101000000',
  generatedAt: '2026-01-01T00:00:00.000Z',
  chkitVersion: '0.1.0',
  definitions: [table],
}
const golden = (name: string) =>
  fileURLToPath(new URL(`../../fixtures/migration/${name}/migration.sql`, import.meta.url))

describe('renderMigration', () => {
  test('each statement stands below its operations', async () => {
    const text = renderMigration({
      ...head,
      statements: [
        {
          text: 'CREATE TABLE app.events\n(\n    `id` UInt64\n)\nENGINE = MergeTree\nORDER BY id',
          steps: [step('create_table', 'table:app.events', 'safe')],
        },
        {
          text: 'ALTER TABLE app.users ADD COLUMN a UInt8, DROP COLUMN b',
          steps: [
            step('alter_table_add_column', 'table:app.users:column:a', 'safe'),
            step('alter_table_drop_column', 'table:app.users:column:b', 'danger'),
          ],
        },
      ],
    })
    await expect(text).toMatchFileSnapshot(golden('two-statements'))
  })

  test('an empty migration says where to write', async () => {
    await expect(renderMigration({ ...head, statements: [] })).toMatchFileSnapshot(golden('empty'))
  })

  test('names with line ends cannot leave their comment, and a comment cannot swallow the semicolon', async () => {
    const text = renderMigration({
      ...head,
      statements: [
        {
          text: 'SELECT 1 -- last word',
          steps: [step('raw', 'raw:a\n;DROP TABLE x;\r\u2028', 'caution', 'Look\ntwice.')],
        },
      ],
    })
    await expect(text).toMatchFileSnapshot(golden('nasty-names'))
    expect(readOperationComments(text)).toEqual([
      { type: 'raw', key: 'raw:a\\n;DROP TABLE x;\\r\\u2028', risk: 'caution' },
    ])
  })
})
