import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ChkitError } from '../../src/errors.js'
import { appendDurably, decodeUtf8, readTextIfPresent, writeFileAtomic } from '../../src/migration/atomic-file.js'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'chkit-atomic-'))
})
afterEach(() => {
  chmodSync(root, 0o755)
  rmSync(root, { recursive: true, force: true })
})

function failure(run: () => unknown): ChkitError {
  try {
    run()
  } catch (error) {
    if (error instanceof ChkitError) return error
    throw error
  }
  throw new Error('expected an error')
}

describe('writeFileAtomic', () => {
  test('creates folders, replaces the text and leaves nothing beside it', () => {
    const path = join(root, 'a/b/file.json')
    writeFileAtomic(path, 'one')
    writeFileAtomic(path, 'two')
    expect(readFileSync(path, 'utf8')).toBe('two')
    expect(readdirSync(join(root, 'a/b'))).toEqual(['file.json'])
  })

  test('a folder in the place of the file is reported and left alone', () => {
    const path = join(root, 'taken')
    mkdirSync(join(path, 'inner'), { recursive: true })
    const error = failure(() => writeFileAtomic(path, 'text'))
    expect(error.code).toBe('file_unwritable')
    expect(error.message).toContain(path)
    expect(readdirSync(root)).toEqual(['taken'])
  })

  test('a file in the place of a folder is reported', () => {
    writeFileSync(join(root, 'file'), '')
    expect(failure(() => writeFileAtomic(join(root, 'file/child.json'), 'x')).code).toBe('file_unwritable')
  })

  test('takes back the part of a text that no longer fitted', async () => {
    const path = join(root, 'lines')
    const module = join(root, 'atomic-file.mjs')
    const source = fileURLToPath(new URL('../../src/migration/atomic-file.ts', import.meta.url))
    await build({ entryPoints: [source], bundle: true, platform: 'node', format: 'esm', outfile: module })
    const script = `import('${module}').then(({ appendDurably }) => {
      appendDurably('${path}', 'x'.repeat(6000))
      try { appendDurably('${path}', 'y'.repeat(6000)) } catch (error) { console.log(error.code) }
    })`
    // A limit of 8 KiB for each file; on a full disk, too, what still fits is written.
    const output = execFileSync('bash', ['-c', `ulimit -f 8; exec '${process.execPath}' -e "$0"`, script], {
      encoding: 'utf8',
    })
    expect(output).toBe('disk_full\n')
    expect(readFileSync(path, 'utf8')).toBe('x'.repeat(6000))
  })

  test('a full disk is said to be one, and the old text stays', () => {
    // /dev/full answers every write with ENOSPC; through a link it stands for the file itself.
    const error = failure(() => appendDurably('/dev/full', 'text'))
    expect(error.code).toBe('disk_full')
    expect(error.message).toBe('No space left to write /dev/full.')
  })
})

describe('reading', () => {
  test('a missing file is undefined', () => {
    expect(readTextIfPresent(join(root, 'none'))).toBeUndefined()
  })

  test('a folder is unreadable', () => {
    expect(failure(() => readTextIfPresent(root)).code).toBe('file_unreadable')
  })

  const texts: readonly { name: string; bytes: Buffer; text?: string; offset?: number }[] = [
    { name: 'plain text', bytes: Buffer.from('héllo'), text: 'héllo' },
    { name: 'a byte order mark is dropped', bytes: Buffer.from('\ufeffSELECT 1'), text: 'SELECT 1' },
    { name: 'a written U+FFFD is valid', bytes: Buffer.from('a\ufffdb'), text: 'a\ufffdb' },
    { name: 'Latin-1', bytes: Buffer.from([0x61, 0xe9, 0x62]), offset: 1 },
    { name: 'a sequence cut at the end', bytes: Buffer.from([0x61, 0xc3]), offset: 1 },
    {
      name: 'bad bytes after a written U+FFFD',
      bytes: Buffer.concat([Buffer.from('\ufffd'), Buffer.from([0xff])]),
      offset: 3,
    },
    { name: 'UTF-16', bytes: Buffer.from([0xff, 0xfe, 0x41, 0x00]), offset: 0 },
  ]
  test.each(texts)('$name', ({ bytes, text, offset }) => {
    if (text !== undefined) {
      expect(decodeUtf8(bytes, 'x.sql')).toBe(text)
      return
    }
    const error = failure(() => decodeUtf8(bytes, 'x.sql'))
    expect(error.code).toBe('file_not_utf8')
    expect(error.details).toEqual({ file: 'x.sql', offset })
  })
})
