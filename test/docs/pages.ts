import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's root, absolute. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** The text of a page, by its path from the root. */
export function readPage(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}

/** Paths of all Markdown pages that readers see, from the root, sorted. */
export function listPages(): readonly string[] {
  const docs = readdirSync(join(ROOT, 'docs'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.md'))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
  return ['README.md', 'CHANGELOG.md', ...docs].sort()
}

/** A fenced block: the words behind its fence, its text, and the line of its fence. */
export type Block = { readonly info: string; readonly text: string; readonly line: number }

/** The fenced blocks of a page in order, however far they are indented. */
export function blocksOf(page: string): readonly Block[] {
  const blocks: Block[] = []
  let open: { info: string; line: number; indent: number; lines: string[] } | undefined
  for (const [index, line] of page.split('\n').entries()) {
    const fence = /^( *)```(.*)$/.exec(line)
    if (fence === null) open?.lines.push(line.slice(open.indent))
    else if (open === undefined)
      open = { info: (fence[2] ?? '').trim(), line: index + 1, indent: fence[1]!.length, lines: [] }
    else {
      blocks.push({ info: open.info, text: `${open.lines.join('\n')}\n`, line: open.line })
      open = undefined
    }
  }
  return blocks
}
