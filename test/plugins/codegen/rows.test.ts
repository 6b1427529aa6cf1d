import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Session } from 'chdb'
import { createJiti } from 'jiti'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Table } from '../../../src/index.js'
import { renderTypes } from '../../../src/plugins/codegen/render.js'
import { targetsOf } from '../../../src/plugins/codegen/targets.js'
import { removeFolder, temporaryFolder } from '../../support/engine.js'
import { atRow, EVERY_TYPE, ROW_COUNT } from './every-type.js'

/**
 * Rows of every type, from the engine through JSONEachRow and `JSON.parse` (all that @clickhouse/client does with
 * them) into the generated schemas and types.
 */

type Schema = { parse(value: unknown): unknown; safeParse(value: unknown): { success: boolean; error?: Error } }
type Generated = Readonly<Record<string, Schema>>

const ROOT = resolve(import.meta.dirname, '../../..')
const ALLOW = 'allow_suspicious_variant_types = 1, enable_nullable_tuple_type = 1, flatten_nested = 1'
const AS_TYPED = 'output_format_json_quote_64bit_integers = 1'

let folder: string
let session: Session
let table: Table

beforeAll(async () => {
  folder = temporaryFolder('chkit-codegen-')
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  session = new Session()
  session.query(`SET ${ALLOW}`)
  session.query(`CREATE TABLE all_types (n UInt8, ${declaredColumns().join(', ')}) ENGINE = MergeTree ORDER BY n`)
  for (let row = 0; row < ROW_COUNT; row++) {
    const values = EVERY_TYPE.map(({ values }) => atRow(values, row))
    session.query(`INSERT INTO all_types SELECT ${row}, ${values.join(', ')}`)
  }
  // As introspection reads them: the server's own text of each type.
  const columns = rowsOf("SELECT name, type FROM system.columns WHERE table = 'all_types' ORDER BY position")
  table = {
    kind: 'table',
    database: 'default',
    name: 'all_types',
    engine: { name: 'MergeTree', args: [] },
    orderBy: ['n'],
    columns: columns as { name: string; type: string }[],
  }
})

afterAll(() => {
  session?.cleanup()
  removeFolder(folder)
})

function declaredColumns(): string[] {
  const plain = EVERY_TYPE.filter(({ name }) => !name.startsWith('items.'))
  return [...plain.map(({ name, type }) => `\`${name}\` ${type}`), 'items Nested(sku String, n UInt64)']
}

function rowsOf(sql: string, settings = ''): Record<string, unknown>[] {
  const text = session.query(settings === '' ? sql : `${sql} SETTINGS ${settings}`, 'JSONEachRow')
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

async function generate(bigint: 'string' | 'bigint', decimal: 'number' | 'string'): Promise<Generated> {
  const { targets } = await targetsOf([table], { includeViews: false, failOnUnsupportedType: true }, undefined)
  const file = join(folder, `types-${bigint}-${decimal}.ts`)
  writeFileSync(file, renderTypes(targets, { modes: { bigint, decimal }, nameStyle: 'pascal', zod: true }))
  return createJiti(import.meta.url).import<Generated>(file)
}

describe('rows of every type', () => {
  test('are parsed by the generated schema, edge values included', async () => {
    const { DefaultAllTypesRowSchema: schema } = await generate('string', 'number')
    const rows = rowsOf('SELECT * FROM all_types ORDER BY n', AS_TYPED)
    expect(rows).toHaveLength(ROW_COUNT)
    rows.forEach((row, index) => {
      const expected = Object.fromEntries(EVERY_TYPE.map(({ name, parsed }) => [name, atRow(parsed, index)]))
      expect(schema!.parse(row)).toEqual({ n: index, ...expected })
    })
  })

  test('become bigint and decimal text where the options ask for them', async () => {
    const { DefaultAllTypesRowSchema: schema } = await generate('bigint', 'string')
    const settings = `${AS_TYPED}, output_format_json_quote_decimals = 1`
    const [row] = rowsOf('SELECT * FROM all_types ORDER BY n', settings)
    expect(schema!.parse(row)).toMatchObject({
      i64: -(2n ** 63n),
      i256: -(2n ** 255n),
      interval: -3n,
      dec9: '1.1',
      dec38: '123456.0000000001',
      pair: [1n, 'a'],
      map_u64: { '18446744073709551615': ['x', null] },
    })
  })

  test('keep NaN and the infinities where the server writes their names', async () => {
    const { DefaultAllTypesRowSchema: schema } = await generate('string', 'number')
    const rows = rowsOf('SELECT * FROM all_types ORDER BY n', `${AS_TYPED}, output_format_json_quote_denormals = 1`)
    expect(schema!.parse(rows[1])).toMatchObject({
      f32: Number.NaN,
      f64: Number.NEGATIVE_INFINITY,
      bf16: Number.POSITIVE_INFINITY,
    })
  })

  test('are refused, not rounded, where JSON numbers have lost digits', async () => {
    const { DefaultAllTypesRowSchema: schema } = await generate('string', 'number')
    const [row] = rowsOf('SELECT * FROM all_types ORDER BY n', 'output_format_json_quote_64bit_integers = 0')
    const result = schema!.safeParse(row)
    expect(result.success).toBe(false)
    expect(result.error?.message).toContain('output_format_json_quote_64bit_integers = 1')
    // What fits is taken as it comes from a server that does not quote.
    const fits = rowsOf(
      'SELECT * REPLACE (1 AS i64, 1 AS u128, -1 AS i128, 1 AS u256, 1 AS i256) FROM all_types ORDER BY n',
    )
    expect(schema!.parse(fits[0])).toMatchObject({ i64: '1', i128: '-1', u64: '0' })
  })

  test('are accepted by the generated types and the inferred ones under tsc', async () => {
    await generate('string', 'number')
    const rows = rowsOf('SELECT * FROM all_types ORDER BY n', `${AS_TYPED}`).map(withoutNaN)
    const columns = table.columns.map(
      ({ name, type }) => `  { name: ${JSON.stringify(name)}, type: ${JSON.stringify(type)} },`,
    )
    const program = `import { type InferInsert, type InferRow, table } from 'chkit'
import type { DefaultAllTypesInsert, DefaultAllTypesRow } from './types-string-number.js'

const allTypes = table({ database: 'default', name: 'all_types', engine: 'MergeTree', orderBy: 'n', columns: [
${columns.join('\n')}
] })

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
type Plain<T> = { [K in keyof T]: T[K] }
export const rowsAreTheSame: Equal<Plain<DefaultAllTypesRow>, InferRow<typeof allTypes>> = true
export const insertsAreTheSame: Equal<
  Plain<DefaultAllTypesInsert>,
  InferInsert<typeof allTypes>
> = true

export const rows: DefaultAllTypesRow[] = ${JSON.stringify(rows, null, 2)}
export const inferred: InferRow<typeof allTypes>[] = rows
export const inserts: DefaultAllTypesInsert[] = rows
`
    expect(compile(program)).toBe('')
    expect(compile(program.replace('"u8": 0', '"u8": "0"'))).toContain(
      "Type 'string' is not assignable to type 'number'",
    )
  })
})

// Without quoted denormals they arrive as null, which the row types leave to the schema.
function withoutNaN(row: Record<string, unknown>): Record<string, unknown> {
  return { ...row, f32: row.f32 ?? 0, f64: row.f64 ?? 0, bf16: row.bf16 ?? 0 }
}

/** What tsc says of the program; empty when it compiles. */
function compile(program: string): string {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'program.ts'), program)
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        target: 'es2022',
        lib: ['es2023'],
        module: 'nodenext',
        moduleResolution: 'nodenext',
        types: ['node'],
        strict: true,
        skipLibCheck: true,
        noEmit: true,
        paths: { chkit: [join(ROOT, 'src/index.ts')] },
      },
      files: ['program.ts'],
    }),
  )
  try {
    execFileSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', folder], { encoding: 'utf8', stdio: 'pipe' })
    return ''
  } catch (error) {
    if (error instanceof Error && 'stdout' in error) return String(error.stdout)
    throw error
  }
}
