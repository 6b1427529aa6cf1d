import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { flat } from '../../src/plugins/codegen/layout.js'
import { shapeOf } from '../../src/plugins/codegen/shape.js'
import { typeOf } from '../../src/plugins/codegen/spell.js'
import { removeFolder, temporaryFolder } from '../support/engine.js'

const ROOT = resolve(import.meta.dirname, '../..')
const MODES = { bigint: 'string', decimal: 'number' } as const

let folder: string

beforeAll(() => {
  folder = temporaryFolder('chkit-infer-')
})
afterAll(() => removeFolder(folder))

/** Compiles one file; gives what tsc says and the milliseconds it took by its own count. */
function compile(name: string, program: string): { readonly errors: string; readonly totalMs: number } {
  writeFileSync(join(folder, `${name}.ts`), program)
  const config = join(folder, `${name}.json`)
  writeFileSync(
    config,
    JSON.stringify({
      compilerOptions: {
        target: 'es2022',
        lib: ['es2023'],
        module: 'nodenext',
        moduleResolution: 'nodenext',
        types: [],
        strict: true,
        skipLibCheck: true,
        noEmit: true,
      },
      files: [`${name}.ts`],
    }),
  )
  const text = run(['-p', config, '--extendedDiagnostics'])
  const errors = text
    .split('\n')
    .filter((line) => /error TS/.test(line))
    .join('\n')
  return { errors, totalMs: 1000 * Number(/Total time:\s*([\d.]+)s/.exec(text)?.[1]) }
}

function run(args: readonly string[]): string {
  try {
    return execFileSync(join(ROOT, 'node_modules/.bin/tsc'), args, { encoding: 'utf8', stdio: 'pipe' })
  } catch (error) {
    if (error instanceof Error && 'stdout' in error) return String(error.stdout)
    throw error
  }
}

const IMPORTS = `import { table } from '${ROOT}/src/model/dsl.js'
import type { InferInsert, InferRow, InferType } from '${ROOT}/src/model/infer.js'
`

/** Type texts as people write them: aliases, odd spacing, quotes and commas inside of names. */
const TEXTS: readonly string[] = [
  ...'String UInt8 UInt64 Int256 Float32 BFloat16 Bool Date Date32 DateTime DateTime64 Time Time64 UUID IPv4 IPv6'.split(
    ' ',
  ),
  ...'JSON Dynamic Nothing Point Ring LineString Polygon MultiLineString MultiPolygon Geometry IntervalQuarter'.split(
    ' ',
  ),
  ...'int INTEGER TinyInt bigint SIGNED varchar text BLOB double REAL decimal Numeric TIMESTAMP bool BOOLEAN json'.split(
    ' ',
  ),
  'Decimal(38, 10)',
  'Decimal256(3)',
  'dec(5,2)',
  'INT(11)',
  'INT(11) UNSIGNED',
  'bigint unsigned',
  'DOUBLE PRECISION',
  'national character varying',
  'char(3)',
  "DateTime('Asia/Tokyo')",
  "datetime64(3, 'UTC')",
  'FixedString( 16 )',
  ' Nullable ( UInt8 ) ',
  'LowCardinality(Nullable(FixedString(2)))',
  'Array(Array(Nullable(Decimal(9, 2))))',
  'Map(LowCardinality(String),Map(Date,Array(UInt64)))',
  "Map(Enum8('a,b' = 1, ')' = 2), Tuple(UInt8, String))",
  'Tuple(UInt8)',
  'Tuple()',
  'Array(Tuple)',
  'Tuple(UInt8, String,)',
  'Tuple(BIGINT UNSIGNED, DOUBLE PRECISION)',
  'Tuple(a UInt8, b Tuple(c Nullable(String), UInt8 Date))',
  'Tuple(\n    a UInt8,\n    b Array(\n        String))',
  'Tuple(`x y` UInt8, `a\\`b` String, "q" Bool, `c,d(` Date)',
  'Nested(a UInt8, b Nested(c String))',
  'Array(Nested(a UInt8))',
  "Enum('only', 'names')",
  "Enum8('it\\'s' = -1, 'it''s' = 0, '' = 1, 'a\\\\b' = 2, 'tab\\t' = 3, '\\d' = 4, '(' = 5, ', ' = 6)",
  "Nullable(Enum16('x' = 1))",
  'SimpleAggregateFunction(sum, UInt64)',
  'SimpleAggregateFunction(groupArrayArray(3), Array(Nullable(String)))',
  'AggregateFunction(quantiles(0.5, 0.9), UInt64)',
  'Array(AggregateFunction(uniq, String))',
  'Variant(UInt64, String, Array(Tuple(a Bool)))',
  'Dynamic(max_types=3)',
  'JSON(max_dynamic_paths=2, a.b String, SKIP c)',
  "JSON(a UInt64, `b.c` Array(Nullable(Int8)), `b.d e` Tuple(x UInt8, y String), skip q, SKIP REGEXP '^z, (q)', max_dynamic_types = 3)",
  'json(`e`.`f g` Int8, h.`i j` Bool, `SKIP` UInt8, `max_dynamic_paths` Decimal(9, 2))',
  'Array(JSON(a UInt8, a.b String, l Array(JSON(q UInt8)), m Map(String, Int64)))',
  'JSON()',
  'JSON(SKIP a.b)',
  'QBit(Float32, 8)',
  'Mystery',
  'Mystery(UInt8)',
  'Array(Mystery)',
]

describe('inferred types', () => {
  test('are the ones that codegen writes, for every text', () => {
    const lines = TEXTS.map(
      (text, index) =>
        `export const t${index}: Equal<InferType<${JSON.stringify(text)}>, ${flat(typeOf(shapeOf(text), MODES))}> = true`,
    )
    const equal =
      'type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false\n'
    expect(
      compile(
        'texts',
        IMPORTS.replace('InferInsert, InferRow, ', '').replace(/import \{ table.*\n/, '') + equal + lines.join('\n'),
      ).errors,
    ).toBe('')
  })

  test('take an Enum of a thousand names', () => {
    const names = Array.from({ length: 990 }, (_, index) => `'name ${index}' = ${index}`).join(', ')
    const program = `import type { InferType } from '${ROOT}/src/model/infer.js'
export const name: InferType<${JSON.stringify(`Enum16(${names})`)}> = 'name 989'
`
    expect(compile('enum', program).errors).toBe('')
  })

  test('cost less than a second for 100 tables of 20 columns', () => {
    const tables = Array.from({ length: 100 }, (_, index) => tableSource(index))
    const declared = tables.map(({ declaration }) => declaration).join('\n')
    const used = tables.map(({ use }) => use).join('\n')
    // The quickest of three: what else the machine does is no cost of the types.
    const costsMs = [1, 2, 3].map(() => {
      const base = compile('base', `${IMPORTS.split('\n')[0]}\n${declared}`)
      const inferred = compile('inferred', IMPORTS.replace(', InferType', '') + declared + used)
      expect(base.errors + inferred.errors).toBe('')
      return inferred.totalMs - base.totalMs
    })
    expect(Math.min(...costsMs)).toBeLessThan(1000)
  })
})

/** A table of 20 columns whose types are nearly all its own, so that nothing the compiler knows of another one helps. */
function tableSource(index: number): { readonly declaration: string; readonly use: string } {
  const types = [
    'UInt64',
    'String',
    'LowCardinality(String)',
    "DateTime64(3, 'UTC')",
    `Nullable(Decimal(${10 + (index % 20)}, ${index % 9}))`,
    'Array(Nullable(UInt32))',
    'Map(String, Array(UInt32))',
    `Tuple(a UInt8, b${index} Nullable(String), c Tuple(d Date, e${index} String))`,
    `Enum8('a${index}' = 1, 'b' = 2, 'c' = 3, 'dd' = 4)`,
    `Nested(sku${index} String, n UInt8)`,
    'SimpleAggregateFunction(sum, UInt64)',
    'Variant(UInt64, String, Array(Bool))',
    'UUID',
    'Bool',
    'Float64',
    'Date',
    `Map(LowCardinality(String), Tuple(x${index} UInt8, y Float64))`,
    'IPv6',
    `JSON(a.b${index} UInt64, a.c Nullable(String), d Array(UInt8))`,
    `Array(Tuple(p${index} UInt64, q Enum8('x, y' = 1, 'z' = 2)))`,
  ]
  const extra = (column: number) => (column % 5 === 3 ? ", default: 'x'" : column === 18 ? ", materialized: 'x'" : '')
  const columns = types.map((type, column) => `{ name: 'c${column}', type: ${JSON.stringify(type)}${extra(column)} }`)
  return {
    declaration: `export const t${index} = table({ database: 'db', name: 't${index}', engine: 'MergeTree', orderBy: 'c0', columns: [
${columns.join(',\n')}] })`,
    use: `
export const read${index} = (row: InferRow<typeof t${index}>): string => row.c0 + row.c8 + row['c9.sku${index}'][0] + row.c7.c.e${index}
export const write${index} = (row: InferInsert<typeof t${index}>): string => row.c0 + row.c16.key?.x${index}`,
  }
}
