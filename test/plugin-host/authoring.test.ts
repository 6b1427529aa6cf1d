import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { blocksOf, ROOT, readPage } from '../docs/pages.js'
import { createProject } from '../support/cli.js'

const examples = blocksOf(readPage('docs/plugins/authoring.md')).filter(({ info }) => info === 'ts')

/** The example whose first line names this file. */
function example(file: string): string {
  const found = examples.find(({ text }) => text.startsWith(`// ${file}\n`))
  if (found === undefined) throw new Error(`The page has no example ${file}.`)
  return found.text.replace("'zod'", JSON.stringify(fileURLToPath(import.meta.resolve('zod'))))
}

test('the plugins of the authoring page compile', () => {
  expect(examples.length).toBe(2)
  mkdirSync(join(ROOT, '.tmp'), { recursive: true })
  const folder = mkdtempSync(join(ROOT, '.tmp/authoring-'))
  try {
    for (const { text, line } of examples) writeFileSync(join(folder, `line-${line}.ts`), text)
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ extends: '../../tsconfig.json', include: ['*.ts'] }))
    const tsc = spawnSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', folder], {
      encoding: 'utf8',
    })
    expect(tsc.stdout).toBe('')
    expect(tsc.status).toBe(0)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('the first one runs as it stands', async () => {
  const table = (name: string) =>
    `table({ database: 'd', name: '${name}', engine: 'MergeTree', columns: { id: 'UInt64' }, orderBy: 'id' })`
  const project = createProject({
    'plugins/naming.ts': example('plugins/naming.ts'),
    'schema/a.ts': `import { table } from 'chkit'\nexport default [${table('app_a')}, ${table('a_long_name')}]\n`,
    'clickhouse.config.ts': `export default { schema: './schema/*.ts', plugins: [
      { resolve: './plugins/naming.ts', name: 'naming', enabled: true, options: { prefix: 'app_' } }] }`,
  })
  try {
    expect((await project.run(['naming', 'list', '--json'])).json).toMatchObject({
      ok: true,
      names: ['a_long_name', 'app_a'],
    })
    expect((await project.run(['naming', 'list', '--max-length', '6'])).stdout).toBe('app_a\n')
  } finally {
    project.remove()
  }
})

test('the second one stops a plan, and changes statements', async () => {
  const schema = (owner: string) => `import { table } from 'chkit'
export const a = table({ database: 'd', name: 'a', engine: 'MergeTree', columns: { id: 'UInt64' }, orderBy: 'id', ${owner} })\n`
  const project = createProject({
    'plugins/owners.ts': example('plugins/owners.ts'),
    // What the plugin before it made of the statements.
    'plugins/seen.ts': `import { appendFileSync } from 'node:fs'
export default { manifest: { name: 'seen', apiVersion: 1 }, hooks: {
  onBeforeApply: ({ cwd, statements }) => appendFileSync(cwd + '/seen.sql', statements.join(';')) } }`,
    'schema.ts': schema(''),
    'clickhouse.config.ts': `export default { schema: './schema.ts', clickhouse: { url: 'chdb:./db' },
      plugins: ['./plugins/owners.ts', './plugins/seen.ts'] }`,
  })
  try {
    expect((await project.run(['generate', '--json'])).json).toMatchObject({
      code: 'plugin_failed',
      error: 'Plugin "owners" failed in onPlanCreated: d.a has no owner.',
    })
    project.write({ 'schema.ts': schema("plugins: { owners: { team: 'billing' } }") })
    expect((await project.run(['generate', '--json'])).json).toMatchObject({ ok: true, operationCount: 2 })
    expect((await project.run(['migrate', '--apply', '--ticket', 'OPS-1', '--json'])).json).toMatchObject({ ok: true })
    expect(readFileSync(join(project.dir, 'seen.sql'), 'utf8')).toMatch(
      /^\/\* OPS-1 \*\/ CREATE DATABASE[^;]*;\/\* OPS-1 \*\/ CREATE TABLE/,
    )
    expect((await project.run(['check', '--json'])).json).toMatchObject({ ok: true })
  } finally {
    project.remove()
  }
})
