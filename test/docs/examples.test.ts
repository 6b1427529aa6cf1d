import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { CORE_COMMANDS, GLOBAL_FLAGS } from '../../src/cli/registry.js'
import type { FlagDef } from '../../src/plugin-host/command.js'
import type { Plugin } from '../../src/plugin-host/plugin.js'
import { blocksOf, listPages, ROOT, readPage } from './pages.js'

// The schema reference and the authoring page have tests of their own, which also run their examples.
const OWN_TESTS = ['docs/schema.md', 'docs/plugins/authoring.md']

test('every example that is a whole module compiles', () => {
  const modules = listPages()
    .filter((page) => !OWN_TESTS.includes(page))
    .flatMap((page) => blocksOf(readPage(page)).map((block) => ({ page, ...block })))
    .filter(({ info, text }) => info === 'ts' && /^import /m.test(text) && !text.includes('/* … */'))
    // Modules of the reader's project, and what codegen writes there, are compiled in tests of their own.
    .filter(({ text }) => !/from '\./.test(text))
  expect(modules.length).toBeGreaterThan(5)
  mkdirSync(join(ROOT, '.tmp'), { recursive: true })
  const folder = mkdtempSync(join(ROOT, '.tmp/examples-'))
  try {
    for (const { page, line, text } of modules) {
      writeFileSync(join(folder, `${page.replaceAll(/[/.]/g, '-')}-line-${line}.ts`), text)
    }
    const config = { extends: '../../tsconfig.json', include: ['*.ts'], compilerOptions: { noUnusedLocals: false } }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
    const tsc = spawnSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', folder], {
      encoding: 'utf8',
    })
    expect(tsc.stdout).toBe('')
    expect(tsc.status).toBe(0)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

/** The flags of each command by the words that call it, with what the official plugins bring. */
async function commandFlags(): Promise<ReadonlyMap<string, readonly FlagDef[]>> {
  const known = new Map<string, FlagDef[]>(CORE_COMMANDS.map(({ name, flags }) => [name, [...(flags ?? [])]]))
  for (const folder of readdirSync(join(ROOT, 'src/plugins'))) {
    const { default: plugin } = (await import(`../../src/plugins/${folder}/index.ts`)) as { default: Plugin }
    const { name } = plugin.manifest
    for (const command of plugin.commands ?? []) {
      const flags = [...(command.flags ?? [])]
      if (command.name !== name) known.set(`${name} ${command.name}`, flags)
      if (command.name === name || command.default === true) known.set(name, flags)
    }
    for (const { command, flags } of plugin.extendCommands ?? []) {
      for (const one of [command].flat()) known.get(one)?.push(...flags)
    }
  }
  return known
}

const spellings = (flag: FlagDef) => [
  `--${flag.name}`,
  ...(flag.aliases ?? []).map((alias) => `--${alias}`),
  ...(flag.negation === true ? [`--no-${flag.name}`] : []),
]

/** The command lines that pages show, in blocks and in running text. */
function commandLines(): readonly { page: string; words: readonly string[] }[] {
  return listPages().flatMap((page) => {
    const text = readPage(page)
    const shells = blocksOf(text).filter(({ info }) => /^(sh|bash|text|yaml)?$/.test(info))
    const lines = shells.flatMap((block) => block.text.split('\n'))
    const inline = [...text.matchAll(/`(chkit [^`]+)`/g)].map(([, code]) => code ?? '')
    return [...lines, ...inline].flatMap((line) => {
      const command = line.replace(/(^|\s)#.*$/, '')
      const found = command.includes('npm install') ? null : /(?:^|[\s(])chkit ([a-z][^|>;)]*)/.exec(command)
      return found === null ? [] : [{ page, words: (found[1] ?? '').trim().split(/\s+/) }]
    })
  })
}

test('every command line names a command and flags that there are', async () => {
  const known = await commandFlags()
  const lines = commandLines()
  expect(lines.length).toBeGreaterThan(60)
  const wrong = lines.filter(({ words }) => {
    const [first = '', second = ''] = words
    // A plugin of the reader's own, or a placeholder.
    if (first === 'audit' || first === 'naming') return false
    const [one, two] = first === 'plugin' && known.has(`${second} ${words[2]}`) ? [second, words[2]] : [first, second]
    const flags =
      known.get(`${one} ${two}`) ??
      known.get(one) ??
      (words.length === 1 && pluginNames(known).has(one) ? [] : undefined)
    if (flags === undefined) return true
    const allowed = new Set([...flags, ...GLOBAL_FLAGS].flatMap(spellings))
    return words.some(
      (word) => word.startsWith('--') && word !== '--' && !allowed.has(word.replace(/=.*$/, '').replace(/,$/, '')),
    )
  })
  expect(wrong).toEqual([])
})

const pluginNames = (known: ReadonlyMap<string, unknown>) =>
  new Set([...known.keys()].map((name) => name.split(' ')[0]))
