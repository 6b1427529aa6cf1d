import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import * as dsl from '../../src/model/dsl.js'
import { createProject } from '../support/cli.js'
import { blocksOf, ROOT, readPage } from './pages.js'

const page = readPage('docs/schema.md')
const blocks = blocksOf(page).filter(({ info }) => info.startsWith('ts'))
const named = blocks.map((block) => ({ ...block, name: `line ${block.line}` }))

test('every constructor has its place on the page', () => {
  const missing = Object.keys(dsl).filter((name) => !new RegExp(`\`${name}\`|\\b${name}\\(\\{`).test(page))
  expect(missing).toEqual([])
})

test('every example compiles', () => {
  mkdirSync(join(ROOT, '.tmp'), { recursive: true })
  const folder = mkdtempSync(join(ROOT, '.tmp/schema-docs-'))
  try {
    for (const { text, line } of blocks) writeFileSync(join(folder, `line-${line}.ts`), text)
    const config = { extends: '../../tsconfig.json', include: ['*.ts'], compilerOptions: { noUnusedLocals: false } }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
    const tsc = spawnSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', folder], {
      encoding: 'utf8',
    })
    expect(tsc.stdout).toBe('')
    expect(tsc.status).toBe(0)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test.each(named.filter(({ info }) => info === 'ts schema'))(
  '$name is applied, and the database has not drifted',
  async ({ text }) => {
    const project = createProject({
      'schema.ts': text,
      'clickhouse.config.ts': `export default { schema: './schema.ts', clickhouse: { url: 'chdb:./db', database: 'app' } }`,
    })
    try {
      expect((await project.run(['generate', '--json'])).json).toMatchObject({ ok: true, mode: 'apply' })
      const applied = await project.run(['migrate', '--apply', '--json'])
      expect(applied.json).toMatchObject({ ok: true })
      expect((await project.run(['drift', '--json'])).json).toMatchObject({ ok: true, drifted: false })
      expect((await project.run(['check', '--strict', '--json'])).json).toMatchObject({ ok: true })
      expect((await project.run(['generate', '--json'])).json).toMatchObject({ operationCount: 0 })
    } finally {
      project.remove()
    }
  },
)

// The embedded engine has no storage for access objects.
test.each(named.filter(({ info }) => info === 'ts generate'))('$name is planned', async ({ text }) => {
  const project = createProject({
    'schema.ts': text,
    'clickhouse.config.ts': "export default { schema: './schema.ts' }",
  })
  try {
    const plan = await project.run(['generate', '--dryrun', '--json'])
    expect(plan.json).toMatchObject({ ok: true, mode: 'plan' })
    expect(plan.json.operationCount).toBeGreaterThan(8)
  } finally {
    project.remove()
  }
})
