import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

/**
 * Imports point one way. `sql` stands below `model`, unlike in a tool that compares texts: the canonical form of an object
 * is made of parsed expressions, so the language comes first; spelling changes as DDL is `render`, above `plan`.
 */
const LAYERS: readonly (readonly string[])[] = [
  ['errors', 'nearest', 'version'],
  ['sql'],
  ['model'],
  ['diff', 'config'],
  ['plan'],
  ['render'],
  ['clickhouse'],
  ['migration'],
  ['plugin-host'],
  ['index'],
  ['plugins', 'commands'],
  ['cli'],
  ['main'],
]

const src = fileURLToPath(new URL('../../src', import.meta.url))

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return sourceFiles(path)
    return path.endsWith('.ts') ? [path] : []
  })
}

const files = sourceFiles(src).map((path) => ({ path: relative(src, path), text: readFileSync(path, 'utf8') }))

/** The folder of a file below src, or the file's own name at the top. */
function layerName(path: string): string {
  return path.includes('/') ? path.slice(0, path.indexOf('/')) : path.replace(/\.ts$/, '')
}

function rank(path: string): number {
  return LAYERS.findIndex((layer) => layer.includes(layerName(path)))
}

/** Relative imports of a file, as paths below src; those of types only are marked. */
function imports(path: string, text: string): { readonly target: string; readonly typeOnly: boolean }[] {
  const pattern = /(?:^|\n)\s*(import|export)\s+(type\s)?[^'"]*?from\s+'(\.[^']+)'|import\(\s*'(\.[^']+)'\s*\)/g
  return [...text.matchAll(pattern)].map((match) => ({
    target: relative(src, resolve(src, dirname(path), (match[3] ?? match[4])!)).replace(/\.js$/, '.ts'),
    typeOnly: match[2] !== undefined,
  }))
}

test('every folder has its place in the order', () => {
  expect(files.filter(({ path }) => rank(path) < 0).map(({ path }) => path)).toEqual([])
})

test('the imports are read at all', () => {
  const model = files.find(({ path }) => path === 'model/canonical.ts')!
  expect(imports(model.path, model.text).map(({ target }) => target)).toContain('model/validate.ts')
  expect(files.flatMap(({ path, text }) => imports(path, text)).length).toBeGreaterThan(files.length)
})

test('imports point from later stages to earlier ones', () => {
  const wrong = files.flatMap(({ path, text }) =>
    imports(path, text)
      .filter(({ target, typeOnly }) => {
        // The contract of a command names the types of what it is given; types cost nothing at run time.
        if (typeOnly && layerName(path) === 'plugin-host') return false
        return rank(target) > rank(path)
      })
      .map(({ target }) => `${path} imports ${target}`),
  )
  expect(wrong).toEqual([])
})

describe('plugins are built on the public API alone', () => {
  const plugins = files.filter(({ path }) => path.startsWith('plugins/'))
  test.each(plugins.map(({ path, text }) => ({ path, text })))('$path', ({ path, text }) => {
    const own = path.split('/').slice(0, 2).join('/')
    const foreign = imports(path, text).filter(({ target }) => target !== 'index.ts' && !target.startsWith(`${own}/`))
    expect(foreign).toEqual([])
  })
})

test('the core knows no plugin by name, but for the table of modules and of how to configure them', () => {
  const allowed = new Set(['cli/provided-modules.ts', 'cli/registry.ts'])
  const knowing = files.filter(
    ({ path, text }) =>
      !path.startsWith('plugins/') &&
      !allowed.has(path) &&
      imports(path, text).some(({ target }) => target.startsWith('plugins/')),
  )
  expect(knowing.map(({ path }) => path)).toEqual([])
})

test('only main touches the process', () => {
  const touching = files.filter(
    ({ path, text }) => path !== 'main.ts' && /\bprocess\.(exit|stdout|stderr|stdin|env|argv|on)\b/.test(codeOf(text)),
  )
  expect(touching.map(({ path }) => path)).toEqual([])
})

test('the middle is pure: no clock, no randomness, no files, no network', () => {
  const middle = files.filter(({ path }) => ['sql', 'model', 'diff', 'plan', 'render'].includes(layerName(path)))
  const impure = middle.filter(({ text }) =>
    /\bDate\.now\(|\bnew Date\(\)|Math\.random\(|from 'node:/.test(codeOf(text)),
  )
  expect(impure.map(({ path }) => path)).toEqual([])
})

/** The text without comments and without template and string contents, roughly: enough to find calls. */
function codeOf(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/(^|\s)\/\/.*$/gm, '')
    .replace(/`(?:[^`\\]|\\.)*`/g, '``')
}
