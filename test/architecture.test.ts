import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const SRC = fileURLToPath(new URL('../src', import.meta.url))

/** From the bottom up; what stands on one line may import each other. */
const LAYERS = [
  ['errors.ts', 'nearest.ts'],
  ['sql'],
  ['model', 'config'],
  ['diff'],
  ['plan'],
  ['render'],
  ['clickhouse'],
  ['migration'],
  ['plugin-host'],
  ['index.ts'],
  ['commands'],
  ['cli'],
  ['main.ts'],
] as const

type Import = { readonly file: string; readonly target: string }

/** Every import and re-export of `src`, paths from there; packages by their names. */
const imports: readonly Import[] = readdirSync(SRC, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .flatMap((entry) => {
    const path = join(entry.parentPath, entry.name)
    const file = relative(SRC, path).split(sep).join('/')
    const text = readFileSync(path, 'utf8')
    const found = text.matchAll(/^(?:import|export|\} from|[^\n]*\bimport\()[^\n]*?'([^'\n]+)'/gm)
    return [...found]
      .map(([, target]) => target ?? '')
      .map((target) => ({
        file,
        target: target.startsWith('.') ? normalize(join(dirname(file), target)).replace(/\.js$/, '.ts') : target,
      }))
  })

const heightOf = (path: string) =>
  LAYERS.findIndex((names) => names.some((name) => path === name || path.startsWith(`${name}/`)))

describe('imports', () => {
  test('are found', () => {
    expect(imports.length).toBeGreaterThan(500)
    expect(imports).toContainEqual({ file: 'plugins/obsessiondb/index.ts', target: 'index.ts' })
  })

  test('every file has its layer', () => {
    const files = [...new Set(imports.map(({ file }) => file))].filter((file) => !file.startsWith('plugins/'))
    expect(files.filter((file) => heightOf(file) < 0)).toEqual([])
  })

  test('lower layers never import higher ones', () => {
    const upward = imports.filter(
      ({ file, target }) => !file.startsWith('plugins/') && heightOf(target) >= 0 && heightOf(target) > heightOf(file),
    )
    expect(upward).toEqual([])
  })

  test('plugins import the public API, packages and their own files, and nobody imports them but the list of modules', () => {
    const isPackage = (target: string) => !/\.ts$/.test(target)
    const beyond = imports.filter(({ file, target }) => {
      if (!file.startsWith('plugins/')) return target.startsWith('plugins/') && file !== 'cli/provided-modules.ts'
      const own = file.split('/').slice(0, 2).join('/')
      return !isPackage(target) && target !== 'index.ts' && !target.startsWith(`${own}/`)
    })
    expect(beyond).toEqual([])
  })
})

test('only main.ts touches the process', () => {
  const touching = readdirSync(SRC, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && entry.name !== 'main.ts')
    .filter((entry) => {
      const code = readFileSync(join(entry.parentPath, entry.name), 'utf8')
        .replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
        .replace(/'[^'\n]*'|`[^`]*`/g, "''")
      return /\bprocess\.\w/.test(code)
    })
    .map((entry) => relative(SRC, join(entry.parentPath, entry.name)))
  expect(touching).toEqual([])
})

test('the middle is pure: no clock, no randomness, no files', () => {
  const impure = ['sql', 'model', 'diff', 'plan', 'render'].flatMap((folder) =>
    readdirSync(join(SRC, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .filter((name) => {
        const code = readFileSync(join(SRC, folder, name), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
        return /\bDate\.now\(|\bnew Date\(\)|Math\.random\(|from 'node:/.test(code)
      })
      .map((name) => `${folder}/${name}`),
  )
  expect(impure).toEqual([])
})
