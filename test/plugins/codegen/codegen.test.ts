import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { createProject, type Project } from '../../support/cli.js'

const TYPES = 'src/generated/chkit-types.ts'

let project: Project

afterEach(() => project.remove())

function config(options: string, more = ''): string {
  return `import { defineConfig } from 'chkit'
import { codegen } from 'chkit/plugins/codegen'
export default defineConfig({ schema: './schema.ts', plugins: [codegen(${options})], ${more} })
`
}

const column = (name: string, type: string) => `{ name: '${name}', type: "${type}" }`

function schema(...columns: string[]): string {
  return `import { table, view } from 'chkit'
export const events = table({
  database: 'app', name: 'events', engine: 'MergeTree', orderBy: ['id'],
  columns: [{ name: 'id', type: 'UInt64' }, ${columns.join(', ')}],
})
`
}

function start(options = '{}', schemaText = schema(), more = ''): void {
  project = createProject({ 'clickhouse.config.ts': config(options, more), 'schema.ts': schemaText })
}

const read = (path: string) => readFileSync(join(project.dir, path), 'utf8')
const exists = (path: string) => existsSync(join(project.dir, path))

describe('chkit codegen', () => {
  test('writes the types, then has nothing to do', async () => {
    start()
    const first = await project.run(['codegen', '--json'])
    expect(first.stderr).toBe('')
    expect(first).toMatchObject({
      exitCode: 0,
      json: {
        ok: true,
        mode: 'write',
        outFile: TYPES,
        ingestOutFile: null,
        objectCount: 1,
        files: [{ kind: 'types', file: TYPES, status: 'created' }],
      },
    })
    expect(read(TYPES)).toContain('export interface AppEventsRow {\n  id: string\n}')
    expect(read(TYPES)).not.toContain('zod')
    const second = await project.run(['codegen', '--json'])
    expect(second.json.files).toEqual([{ kind: 'types', file: TYPES, status: 'unchanged' }])
    expect((await project.run(['plugin', 'codegen', 'codegen'])).stdout).toBe(`${TYPES} is up to date.\n`)
  })

  test('obeys its flags before its options', async () => {
    start("{ emitZod: true, bigintMode: 'string' }")
    const flags = [
      '--out-file',
      'a.ts',
      '--no-emit-zod',
      '--emit-ingest',
      '--ingest-out-file',
      'lib/b.ts',
      '--bigint-mode',
      'bigint',
    ]
    expect(await project.run(['codegen', ...flags])).toMatchObject({
      exitCode: 0,
      stdout: 'Wrote a.ts.\nWrote lib/b.ts.\n',
    })
    expect(read('a.ts')).toContain('id: bigint')
    expect(read('a.ts')).not.toContain('zod')
    expect(read('lib/b.ts')).toContain("import type { AppEventsInsert } from '../a.js'")
    expect(exists(TYPES)).toBe(false)
    expect(await project.run(['codegen', '--bigint-mode', 'float'])).toMatchObject({ exitCode: 2 })
  })

  test('writes the same text for a schema in another order', async () => {
    const table = (name: string) =>
      `export const ${name} = table({ database: 'app', name: '${name}', engine: 'Memory', columns: { id: 'UInt8' } })\n`
    start('{ emitIngest: true }', `import { table } from 'chkit'\n${table('a')}${table('b')}`)
    await project.run(['codegen'])
    project.write({ 'schema.ts': `import { table } from 'chkit'\n${table('b')}${table('a')}` })
    expect((await project.run(['codegen', '--check'])).exitCode).toBe(0)
  })
})

describe('chkit codegen --check', () => {
  test('says what is missing, then what is stale, and writes nothing', async () => {
    start('{ emitIngest: true }')
    const missing = await project.run(['codegen', '--check', '--json'])
    expect(missing).toMatchObject({
      exitCode: 1,
      json: { ok: false, mode: 'check', findingCodes: ['codegen_missing_output', 'codegen_missing_ingest_output'] },
    })
    expect(exists('src')).toBe(false)
    await project.run(['codegen'])
    expect(await project.run(['codegen', '--check', '--json'])).toMatchObject({ exitCode: 0, json: { upToDate: true } })
    project.write({ 'schema.ts': schema(column('note', 'String')) })
    const stale = await project.run(['codegen', '--check', '--json'])
    expect(stale).toMatchObject({
      exitCode: 1,
      json: { findingCodes: ['codegen_stale_output', 'codegen_stale_ingest_output'] },
    })
    expect((await project.run(['codegen', '--check'])).stdout).toContain(
      `codegen_stale_output: ${TYPES} is not what the schema asks for. Run \`chkit codegen\`.`,
    )
  })

  test('does not mind line ends that git rewrote', async () => {
    start()
    await project.run(['codegen'])
    project.write({ [TYPES]: read(TYPES).replaceAll('\n', '\r\n') })
    expect((await project.run(['codegen', '--check'])).exitCode).toBe(0)
  })
})

describe('a file that is not as codegen left it', () => {
  test('edited by hand: check says so, and writing keeps the edited text', async () => {
    start()
    await project.run(['codegen'])
    const edited = read(TYPES).replace('id: string', 'id: number')
    project.write({ [TYPES]: edited, 'schema.ts': schema(column('note', 'String')) })
    const check = await project.run(['codegen', '--check'])
    expect(check.exitCode).toBe(1)
    expect(check.stdout).toContain(`codegen_stale_output: ${TYPES} was edited by hand.`)
    const written = await project.run(['codegen'])
    expect(written).toMatchObject({ exitCode: 0 })
    const kept = readdirSync(join(project.dir, 'src/generated')).find((name) => name.includes('.edited-'))
    expect(kept).toMatch(/^chkit-types\.ts\.edited-[0-9a-f]{8}$/)
    expect(written.stderr).toContain(
      `${TYPES} had been edited by hand; the edited text is kept in src/generated/${kept}.`,
    )
    expect(read(`src/generated/${kept}`)).toBe(edited)
    expect(read(TYPES)).toContain('note: string')
  })

  test('written by someone else: it is left alone', async () => {
    start()
    project.write({ [TYPES]: 'export const mine = 1\n' })
    const result = await project.run(['codegen', '--json'])
    expect(result).toMatchObject({ exitCode: 1, json: { ok: false, code: 'file_not_generated' } })
    expect(read(TYPES)).toBe('export const mine = 1\n')
  })

  test('in a place where nothing can be written: a sentence, and no half of the outputs', async () => {
    start("{ emitIngest: true, ingestOutFile: './blocked/ingest.ts' }")
    project.write({ blocked: 'a file where a folder should be' })
    const result = await project.run(['codegen', '--json'])
    expect(result).toMatchObject({ exitCode: 1, json: { code: expect.stringMatching(/^file_un/) } })
    expect(exists(TYPES)).toBe(false)
    expect(exists('src/generated') ? readdirSync(join(project.dir, 'src/generated')) : []).toEqual([])
  })

  test('is a folder: a sentence', async () => {
    start()
    mkdirSync(join(project.dir, TYPES), { recursive: true })
    expect(await project.run(['codegen', '--json'])).toMatchObject({
      exitCode: 1,
      json: { code: 'file_unreadable' },
    })
  })
})

describe('chkit generate', () => {
  test('writes the files with the migration, not with --dryrun', async () => {
    start('{ emitZod: true }')
    expect((await project.run(['generate', '--dryrun'])).exitCode).toBe(0)
    expect(exists('src')).toBe(false)
    const result = await project.run(['generate', '--json'])
    expect(result).toMatchObject({ exitCode: 0, json: { ok: true } })
    expect(read(TYPES)).toContain('AppEventsRowSchema')
    expect(readdirSync(join(project.dir, 'src/generated'))).toEqual(['chkit-types.ts'])
    // Nothing changed in the schema, but the file is gone.
    writeFileSync(join(project.dir, TYPES), read(TYPES).replace('id: wideInteger', 'id: z.any()'))
    expect((await project.run(['generate'])).stderr).toContain('had been edited by hand')
    expect((await project.run(['codegen', '--check'])).exitCode).toBe(0)
  })

  test('leaves them to chkit codegen where runOnGenerate is false', async () => {
    start('{ runOnGenerate: false }')
    expect((await project.run(['generate'])).exitCode).toBe(0)
    expect(exists(TYPES)).toBe(false)
  })

  test('with --table still writes the types of the whole schema', async () => {
    start()
    const other =
      "export const other = table({ database: 'app', name: 'other', engine: 'Memory', columns: { id: 'UInt8' } })\n"
    project.write({ 'schema.ts': schema() + other })
    expect((await project.run(['generate', '--table', 'app.events'])).exitCode).toBe(0)
    expect(read(TYPES)).toContain('AppOtherRow')
  })

  test.each([
    ['a type without a JSON form', '{}', column('state', 'AggregateFunction(sum, UInt64)'), 'unsupported_type'],
    ['an output that cannot be written', "{ outFile: './blocked/types.ts' }", '', 'file_un'],
  ])('fails before it writes anything on %s', async (_, options, extra, code) => {
    start(options, schema(extra))
    project.write({ blocked: 'a file where a folder should be' })
    const result = await project.run(['generate', '--json'])
    expect(result.exitCode).toBe(1)
    expect(result.json).toMatchObject({
      code: expect.stringContaining(code),
      error: expect.stringMatching(/^Plugin "codegen" failed in onPlanCreated: /),
    })
    expect(readdirSync(project.dir).sort()).toEqual(['blocked', 'clickhouse.config.ts', 'schema.ts'])
  })
})

describe('chkit check', () => {
  test('reports what codegen --check would', async () => {
    start()
    await project.run(['generate'])
    const clean = await project.run(['check', '--json'])
    expect(clean.json).toMatchObject({ plugins: { codegen: { evaluated: true, ok: true, findingCodes: [] } } })
    project.write({ 'schema.ts': schema(column('note', 'String')) })
    const stale = await project.run(['check', '--json'])
    expect(stale).toMatchObject({ exitCode: 1 })
    expect(stale.json).toMatchObject({
      failedChecks: expect.arrayContaining(['plugin:codegen']),
      plugins: { codegen: { ok: false, findingCodes: ['codegen_stale_output'] } },
    })
  })

  test.each([
    [
      'a type without a JSON form',
      '{}',
      column('state', 'AggregateFunction(sum, UInt64)'),
      'codegen_unsupported_type',
      /app\.events, column state/,
    ],
    ['an output that is a folder', "{ outFile: './taken.ts' }", '', 'codegen_not_checked', /taken\.ts/],
  ])('finds %s, and goes on with the other checks', async (_, options, extra, code, message) => {
    start(options, schema(extra))
    project.write({ 'taken.ts/inside.txt': 'a file in a folder of that name' })
    const { exitCode, json } = await project.run(['check', '--json'])
    expect(exitCode).toBe(1)
    expect(json).toMatchObject({
      failedChecks: expect.arrayContaining(['plugin:codegen']),
      plugins: { codegen: { evaluated: false, ok: false, findingCodes: [code] } },
    })
    const text = await project.run(['check'])
    expect(text.stdout + text.stderr).toMatch(message)
  })
})

describe('options', () => {
  test.each([
    ['a file that is no TypeScript', "{ outFile: './types.js' }", 'must be the path of a TypeScript file'],
    ['an unknown name', '{ outfle: 1 } as never', 'outfle'],
    ['a style that does not exist', "{ tableNameStyle: 'snake' } as never", 'tableNameStyle'],
    ['both outputs in one file', "{ outFile: './a.ts', ingestOutFile: 'a.ts' }", 'must not be the same file'],
  ])('%s: exit 2 and a sentence', async (_, options, message) => {
    start(options)
    const result = await project.run(['codegen', '--json'])
    expect(result).toMatchObject({ exitCode: 2, json: { code: 'plugin_option_invalid' } })
    expect(JSON.stringify(result.json)).toContain(message)
  })

  test('failOnUnsupportedType: false gives unknown and a warning', async () => {
    start('{ failOnUnsupportedType: false }', schema(column('state', 'AggregateFunction(sum, UInt64)')))
    const result = await project.run(['codegen'])
    expect(result).toMatchObject({ exitCode: 0 })
    expect(result.stderr).toContain(
      'app.events, column state, type AggregateFunction(sum, UInt64): an aggregation state',
    )
    expect(read(TYPES)).toContain('state: unknown')
  })
})

describe('views', () => {
  const views = `${schema(column('note', 'String'))}
export const daily = view({ database: 'app', name: 'daily', as: 'SELECT 1 AS one, [toUInt64(2)] AS list' })
export const digits = table({ database: 'app', name: 'digits', asTableFunction: 'numbers(10)', columns: [] })
`

  test('are left out unless asked for', async () => {
    start('{}', views)
    await project.run(['codegen'])
    expect(read(TYPES)).not.toContain('Daily')
  })

  test('get their columns from the engine', async () => {
    start('{ includeViews: true }', views, "clickhouse: { url: 'chdb::memory:' }")
    expect(await project.run(['codegen'])).toMatchObject({ exitCode: 0, stdout: `Wrote ${TYPES}.\n` })
    expect(read(TYPES)).toContain('export interface AppDailyRow {\n  one: number\n  list: string[]\n}')
    expect(read(TYPES)).toContain('export interface AppDigitsRow {\n  number: string\n}')
    expect(read(TYPES)).not.toMatch(/App(Daily|Digits)Insert/)
  })

  test('without declared columns and without a connection are named', async () => {
    start('{}', views)
    const result = await project.run(['codegen', '--include-views', '--json'])
    expect(result).toMatchObject({ exitCode: 1, json: { code: 'unsupported_type' } })
    expect(JSON.stringify(result.json)).toContain('app.daily: its columns are not declared')
  })

  test('with a server that does not answer: the connection’s own error', async () => {
    start('{ includeViews: true }', views, "clickhouse: { url: 'http://127.0.0.1:9' }")
    const result = await project.run(['codegen', '--json'])
    expect(result).toMatchObject({ exitCode: 1, json: { code: 'connection_refused' } })
  })
})
