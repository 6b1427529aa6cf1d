import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import type { Io } from '../../src/cli/io.js'
import { createPrompt } from '../../src/cli/prompt.js'

/** A terminal on which the given keys are typed, one after the other, once a question stands there. */
function terminal(keys: readonly string[], env: Record<string, string> = {}, isTTY = true) {
  const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => input })
  const output = Object.assign(new PassThrough(), { isTTY: true, columns: 80, rows: 24 })
  let shown = ''
  output.on('data', (data) => {
    if (shown === '') {
      keys.forEach((key, index) => {
        setTimeout(() => input.write(key), 20 * (index + 1))
      })
    }
    shown += String(data)
  })
  const stream = { write: () => {}, isTTY }
  const interrupt = new AbortController()
  const io: Io = {
    cwd: '/',
    env,
    stdout: stream,
    stderr: stream,
    stdin: { isTTY },
    terminal: { input, output },
    now: () => 0,
    signal: interrupt.signal,
    version: '0.0.0',
  }
  return { io, interrupt, shown: () => shown }
}

const DOWN = '\x1b[B'
const CANCEL = '\x03'

describe('questions on a terminal', () => {
  test('yes and no', async () => {
    const yes = terminal(['y'])
    expect(await createPrompt(yes.io, false).confirm('Apply pending migrations now?')).toBe(true)
    expect(yes.shown()).toContain('Apply pending migrations now?')
    expect(await createPrompt(terminal(['n']).io, false).confirm('?')).toBe(false)
    expect(await createPrompt(terminal(['\r']).io, false).confirm('Enter alone means no')).toBe(false)
  })

  test('only the expected text passes', async () => {
    expect(await createPrompt(terminal(['y', 'e', 's', '\r']).io, false).typed('Type yes', 'yes')).toBe(true)
    expect(await createPrompt(terminal(['y', '\r']).io, false).typed('Type yes', 'yes')).toBe(false)
    expect(await createPrompt(terminal(['\r']).io, false).typed('Enter alone is no yes', 'yes')).toBe(false)
  })

  test('one of several', async () => {
    const choices = [
      { value: { a: 1 }, label: 'first' },
      { value: { a: 2 }, label: 'second', hint: 'h' },
    ]
    expect(await createPrompt(terminal([DOWN, '\r']).io, false).select('Which?', choices)).toBe(choices[1]?.value)
  })

  test('leaving a question, and an interrupt while it stands, are interrupts', async () => {
    await expect(createPrompt(terminal([CANCEL]).io, false).confirm('?')).rejects.toMatchObject({ code: 'interrupted' })
    const { io, interrupt } = terminal([])
    setTimeout(() => interrupt.abort(), 50)
    await expect(createPrompt(io, false).confirm('?')).rejects.toMatchObject({ code: 'interrupted', exitCode: 130 })
  })
})

describe('nobody is asked', () => {
  test.each([
    { name: 'in CI', env: { CI: 'true' }, isTTY: true, json: false },
    { name: 'in CI by 1', env: { CI: '1' }, isTTY: true, json: false },
    { name: 'without a terminal', env: {}, isTTY: false, json: false },
    { name: 'with --json', env: {}, isTTY: true, json: true },
  ])('$name; a question rejects instead of waiting', async ({ env, isTTY, json }) => {
    const prompt = createPrompt(terminal([], env as Record<string, string>, isTTY).io, json)
    expect(prompt.interactive).toBe(false)
    await expect(prompt.confirm('Really?')).rejects.toThrow('Really?')
    await expect(prompt.typed('Really?', 'yes')).rejects.toThrow('Really?')
    await expect(prompt.select('Really?', [])).rejects.toThrow('Really?')
  })

  test('CI=false and CI=0 are no CI', () => {
    expect(createPrompt(terminal([], { CI: 'false' }).io, false).interactive).toBe(true)
    expect(createPrompt(terminal([], { CI: '0' }).io, false).interactive).toBe(true)
  })
})
