import { execFileSync } from 'node:child_process'
import { symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Session } from 'chdb'
import fc from 'fast-check'
import { createJiti } from 'jiti'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Table } from '../../../src/index.js'
import { renderTypes } from '../../../src/plugins/codegen/render.js'
import { targetsOf } from '../../../src/plugins/codegen/targets.js'
import { removeFolder, temporaryFolder } from '../../support/engine.js'

/** Types that nobody thought of, filled with random values by the engine's own `generateRandom`. */

const ROOT = resolve(import.meta.dirname, '../../..')
const COUNT = 150

const NAMES = ['a', 'b c', 'it`s', 'UInt8', 'x,y', '(', 'ключ', 'a\\b', '__proto__', 'constructor']
const quote = (text: string, mark: string) => mark + text.replace(/\\/g, '\\\\').replaceAll(mark, `\\${mark}`) + mark

const scalar = fc.constantFrom(
  ...'UInt8 UInt64 Int32 Int128 UInt256 Float32 Float64 String UUID IPv4 IPv6 Date Date32 DateTime Bool'.split(' '),
  "DateTime64(3, 'UTC')",
  'Decimal(9, 2)',
  'Decimal(38, 10)',
  'FixedString(3)',
)
const enumeration = fc
  .uniqueArray(fc.constantFrom('a', "it's", 'x, y', '(', '', 'b\\', 'ключ', '"'), { minLength: 1, maxLength: 4 })
  .map((names) => `Enum8(${names.map((name, index) => `${quote(name, "'")} = ${index}`).join(', ')})`)
const leaf = fc.oneof(
  { weight: 4, arbitrary: scalar },
  enumeration,
  fc.constantFrom('LowCardinality(String)', 'LowCardinality(Nullable(String))', 'Point', 'MultiPolygon'),
  fc.oneof(scalar, enumeration).map((type) => `Nullable(${type})`),
)
const key = fc.constantFrom('String', 'UInt64', 'Date', 'LowCardinality(String)', "Enum8('k' = 1, ',' = 2)")

const anyType = fc.letrec<{ type: string }>((tie) => ({
  type: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    tie('type').map((type) => `Array(${type})`),
    fc.tuple(key, tie('type')).map(([k, v]) => `Map(${k}, ${v})`),
    fc.array(tie('type'), { minLength: 1, maxLength: 3 }).map((types) => `Tuple(${types.join(', ')})`),
    fc
      .tuple(fc.uniqueArray(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 3 }), tie('type'), leaf)
      .map(
        ([names, first, rest]) =>
          `Tuple(${names.map((name, i) => `${quote(name, '`')} ${i === 0 ? first : rest}`).join(', ')})`,
      ),
  ),
})).type

let folder: string
let session: Session

beforeAll(() => {
  folder = temporaryFolder('chkit-random-types-')
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  session = new Session()
})

afterAll(() => {
  session?.cleanup()
  removeFolder(folder)
})

type Schema = { safeParse(value: unknown): { success: boolean; error?: Error } }

test('random values of random types are parsed, and the types agree with the inferred ones', async () => {
  const types = fc.sample(anyType, { numRuns: COUNT, seed: 20260721 })
  session.query('SET flatten_nested = 0')
  session.query(
    `CREATE TABLE random (${types.map((type, index) => `c${index} ${type}`).join(', ')}) ENGINE = GenerateRandom(7, 8, 3)`,
  )
  const columns = parseLines(
    session.query("SELECT name, type FROM system.columns WHERE table = 'random' ORDER BY position", 'JSONEachRow'),
  ) as { name: string; type: string }[]
  const table: Table = {
    kind: 'table',
    database: 'db',
    name: 'random',
    engine: { name: 'Memory', args: [] },
    columns,
  }
  const { targets } = await targetsOf([table], { includeViews: false, failOnUnsupportedType: true }, undefined)
  const file = join(folder, 'types.ts')
  const modes = { bigint: 'string', decimal: 'number' } as const
  writeFileSync(file, renderTypes(targets, { modes, nameStyle: 'pascal', zod: true }))
  const generated = await createJiti(import.meta.url).import<Record<string, Schema>>(file)
  const settings = 'output_format_json_quote_64bit_integers = 1, output_format_json_validate_utf8 = 1'
  const rows = parseLines(session.query(`SELECT * FROM random LIMIT 20 SETTINGS ${settings}`, 'JSONEachRow'))
  expect(rows).toHaveLength(20)
  for (const row of rows) expect(generated.DbRandomRowSchema!.safeParse(row).error?.message).toBeUndefined()

  writeFileSync(
    join(folder, 'program.ts'),
    `import type { InferType } from '${ROOT}/src/model/infer.js'
import type { DbRandomRow } from './types.js'
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
${[...columns.entries()]
  .flatMap(([index, { name, type }]) => [
    `export const server${index}: Equal<DbRandomRow['${name}'], InferType<${JSON.stringify(type)}>> = true`,
    `export const written${index}: Equal<DbRandomRow['${name}'], InferType<${JSON.stringify(types[index])}>> = true`,
  ])
  .join('\n')}
`,
  )
  const compilerOptions = {
    target: 'es2022',
    lib: ['es2023'],
    module: 'nodenext',
    moduleResolution: 'nodenext',
    types: [],
    strict: true,
    skipLibCheck: true,
    noEmit: true,
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['program.ts'] }))
  expect(compile()).toBe('')
})

function compile(): string {
  try {
    return execFileSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', folder], { encoding: 'utf8', stdio: 'pipe' })
  } catch (error) {
    if (error instanceof Error && 'stdout' in error) return String(error.stdout)
    throw error
  }
}

function parseLines(text: string): unknown[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown)
}
