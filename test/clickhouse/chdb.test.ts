import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadChdb } from '../../src/clickhouse/chdb.js'
import { ChkitError } from '../../src/errors.js'
import { removeFolder, temporaryFolder } from '../support/engine.js'

let folder: string
beforeEach(() => {
  folder = temporaryFolder()
})
afterEach(() => removeFolder(folder))

/** A package `chdb` in `<folder>/<project>/node_modules`; returns a file to resolve from. */
function project(name: string, code?: string): string {
  const home = join(folder, name, 'node_modules', 'chdb')
  mkdirSync(home, { recursive: true })
  if (code !== undefined) writeFileSync(join(home, 'index.js'), code)
  return join(folder, name, 'package.json')
}

const working = (name: string) =>
  `exports.name = '${name}'; exports.Session = class {}; exports.drainPending = () => {}`

function refusal(from: readonly string[]): ChkitError {
  try {
    loadChdb(from)
  } catch (error) {
    if (error instanceof ChkitError) return error
    throw error
  }
  throw new Error('expected a refusal')
}

test('the project’s own comes before the one beside chkit', () => {
  expect(loadChdb([project('mine', working('mine')), project('other', working('other'))])).toMatchObject({
    name: 'mine',
  })
  expect(loadChdb([join(folder, 'none', 'package.json'), project('other', working('other'))])).toMatchObject({
    name: 'other',
  })
})

test('a missing package names the line to type', () => {
  const error = refusal([join(folder, 'a', 'package.json'), join(folder, 'b', 'package.json')])
  expect(error).toMatchObject({ code: 'embedded_engine_missing', hint: 'npm install --save-dev chdb' })
  expect(error.message).toContain('not installed')
})

test('a package without its library says why, wherever it stands', () => {
  const broken = project('broken', "require('@chdb/lib-plan9-mips')")
  for (const from of [
    [broken, join(folder, 'none', 'package.json')],
    [join(folder, 'none', 'package.json'), broken],
  ]) {
    expect(refusal(from)).toMatchObject({ code: 'embedded_engine_missing' })
    expect(refusal(from).message).toContain('@chdb/lib-plan9-mips')
  }
})

test('a package that is too old says so', () => {
  expect(refusal([project('old', 'exports.query = () => 1')]).message).toContain('too old')
})
