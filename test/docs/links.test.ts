import { existsSync, statSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, test } from 'vitest'
import { listPages, ROOT, readPage } from './pages.js'

/** A page without its fenced blocks, whose brackets are no links. */
const prose = (text: string) => text.replace(/^( *)```[\s\S]*?^\1```$/gm, '')

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(path: string): ReadonlySet<string> {
  const titles = [...prose(readPage(path)).matchAll(/^#{1,6} (.+)$/gm)].map(([, title]) => title ?? '')
  const anchors = new Set<string>()
  for (const title of titles) {
    const base = title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M}_ -]/gu, '')
      .replaceAll(' ', '-')
    let anchor = base
    for (let count = 1; anchors.has(anchor); count++) anchor = `${base}-${count}`
    anchors.add(anchor)
  }
  return anchors
}

const links = listPages().flatMap((page) =>
  [...prose(readPage(page)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => ({ page, target: target ?? '' })),
)
const local = links.filter(({ target }) => !/^[a-z]+:/.test(target))

describe('links', () => {
  test('there are some', () => expect(local.length).toBeGreaterThan(50))

  test('all of them lead somewhere', () => {
    const broken = local.filter(({ page, target }) => {
      const [path = '', anchor] = target.split('#')
      const file = path === '' ? page : normalize(join(dirname(page), path))
      if (!existsSync(join(ROOT, file))) return true
      if (anchor === undefined || anchor === '') return false
      return statSync(join(ROOT, file)).isDirectory() || !anchorsOf(file).has(anchor)
    })
    expect(broken).toEqual([])
  })

  test('none leads out of what is published but to a source of the project', () => {
    const outside = local.filter(({ page, target }) => normalize(join(dirname(page), target)).startsWith('..'))
    expect(outside).toEqual([])
  })

  test('every page is linked from another one', () => {
    const linked = new Set(
      local.map(({ page, target }) => normalize(join(dirname(page), (target.split('#')[0] ?? '') || '.'))),
    )
    const orphans = listPages().filter((page) => page !== 'README.md' && !linked.has(page))
    expect(orphans).toEqual([])
  })
})
