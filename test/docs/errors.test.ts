import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { describe, expect, test } from 'vitest'
import { EXIT_CODES } from '../../src/errors.js'
import { ROOT, readPage } from './pages.js'

const page = readPage('docs/errors.md')
const section = (title: string) => page.split(`\n## ${title}\n`)[1]?.split('\n## ')[0] ?? ''

/** The first cells of the rows of all tables in `text` that hold a code. */
const codesOf = (text: string) => [...text.matchAll(/^\| `([a-z_]+)` \|/gm)].map(([, code]) => code ?? '')

/** The texts in quotes in the part of a source file from `start` on, up to `end`. */
function quotedIn(path: string, start: string, end: string): readonly string[] {
  const text = readPage(path).split(start)[1]?.split(end)[0] ?? ''
  return [...text.matchAll(/'([a-z_]+)'/g)].map(([, code]) => code ?? '')
}

describe('the page of errors', () => {
  test('lists every error code with its exit code, and no other', () => {
    const rows = [...section('Error codes').matchAll(/^\| `([a-z_0-9]+)` \| (\d+) \|/gm)]
    const listed = Object.fromEntries(rows.map(([, code, exit]) => [code, Number(exit)]))
    expect(listed).toEqual(EXIT_CODES)
    expect(rows.length).toBe(Object.keys(EXIT_CODES).length)
  })

  test('lists every exit code', () => {
    const listed = [...section('Exit codes').matchAll(/^\| (\d+) \|/gm)].map(([, exit]) => Number(exit))
    expect(listed).toEqual([...new Set([0, ...Object.values(EXIT_CODES)])].sort((a, b) => a - b))
  })

  test('lists every validation issue, and no other', () => {
    const known = [
      ...readPage('src/model/issue.ts')
        .split('/** One thing that is wrong')[0]!
        .matchAll(/^ {2}\| '([a-z_]+)'/gm),
    ].map(([, code]) => code)
    expect(known.length).toBeGreaterThan(30)
    expect(codesOf(section('Validation issues'))).toEqual(known)
  })

  test('lists every code of a destructive operation, and no other', () => {
    const known = [...readPage('src/sql/effects.ts').matchAll(/code: (.+),?$/gm)]
      .flatMap(([, value]) => [...(value ?? '').matchAll(/'([a-z_]+)'/g)].map(([, code]) => code ?? ''))
      .filter((code) => code.includes('_'))
    const named = [
      ...quotedIn('src/migration/danger.ts', 'const NOT_NAMED = ', '\n'),
      ...quotedIn('src/migration/narrowing.ts', 'warningCode: ', '\n'),
    ]
    expect(codesOf(section('Destructive operations')).sort()).toEqual([...new Set([...known, ...named])].sort())
  })

  test('lists the findings of the plugins', () => {
    const sources = readdirSync(join(ROOT, 'src/plugins'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
    const known = sources.flatMap((file) => {
      const [plugin = ''] = relative(join(ROOT, 'src/plugins'), file).split(sep)
      return [...readFileSync(file, 'utf8').matchAll(/'([a-z]+(?:_[a-z]+)+)'/g)]
        .map(([, code]) => code ?? '')
        .filter((code) => code.startsWith(`${plugin}_`))
    })
    expect(known.length).toBeGreaterThan(3)
    const listed = section('Findings of plugins')
    expect(known.filter((code) => !listed.includes(`\`${code}\``))).toEqual([])
  })
})
