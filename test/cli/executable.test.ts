import { spawn, spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createProject, type Project } from '../support/cli.js'
import { buildExecutable, type Executable } from '../support/executable.js'

// The executable itself, bundled from the sources as they are; everything else runs in process.
let main: string
let executable: Executable
beforeAll(async () => {
  executable = await buildExecutable()
  main = executable.path
})
afterAll(() => executable.remove())

let project: Project
beforeEach(() => {
  project = createProject()
})
afterEach(() => project.remove())

const chkit = (args: readonly string[], options: object = {}) =>
  spawnSync(process.execPath, [main, ...args], {
    cwd: project.dir,
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    env: { HOME: project.dir },
    ...options,
  })

/** A config whose plugin `x` has one command, `chkit x`, with the given body. */
const usePlugin = (body: string, head = '', effect = 'read') =>
  project.write({
    'clickhouse.config.ts': `import { definePlugin } from 'chkit'
      ${head}
      export default { schema: './schema/*.ts', plugins: [definePlugin({
        manifest: { name: 'x', apiVersion: 1 },
        commands: [{ name: 'x', description: 'x', effect: '${effect}', run: async (context) => { ${body} } }],
      })] }`,
  })

test('--version needs no file but the executable’s own', () => {
  const dir = mkdtempSync(join(tmpdir(), 'chkit-alone-'))
  try {
    copyFileSync(main, join(dir, 'main.mjs'))
    for (const word of ['--version', '-v', 'version']) {
      const { status, stdout, stderr } = spawnSync(process.execPath, [join(dir, 'main.mjs'), word], {
        encoding: 'utf8',
      })
      expect({ status, stdout, stderr }).toEqual({
        status: 0,
        stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
        stderr: '',
      })
    }
  } finally {
    rmSync(dir, { recursive: true })
  }
})

test('init, then help of everything that loads', () => {
  expect(chkit(['init'])).toMatchObject({ status: 0, stderr: '' })
  expect(chkit(['--help'])).toMatchObject({ status: 0, stderr: '', stdout: expect.stringContaining('chkit <command>') })
  expect(chkit(['status', '--bogus'])).toMatchObject({
    status: 2,
    stdout: '',
    stderr: expect.stringContaining('--bogus'),
  })
})

describe('stdout', () => {
  test('holds one document, whatever the config and its plugins print', () => {
    usePlugin(
      "console.log('a'); console.table([{ a: 1 }]); process.stdout.write('b\\n'); context.print({ c: 1 }); return { payload: { d: 1 } }",
      "console.log('from the config'); process.stdout.write('raw\\n')",
    )
    const { status, stdout, stderr } = chkit(['x', '--json'])
    expect({ status, document: JSON.parse(stdout) }).toEqual({
      status: 0,
      document: { command: 'x', schemaVersion: 1, ok: true, d: 1 },
    })
    for (const text of ['from the config', 'raw', 'a\n', 'b\n', '"c": 1']) expect(stderr).toContain(text)
  })

  test('gets all of a large document before the process ends', () => {
    usePlugin("return { payload: { text: 'x'.repeat(20_000_000) } }")
    const { status, stdout } = chkit(['x', '--json'])
    expect({ status, length: JSON.parse(stdout).text.length }).toEqual({ status: 0, length: 20_000_000 })
  })

  test('may be closed by its reader', () => {
    usePlugin("return { text: 'line\\n'.repeat(2_000_000) }")
    const { status, stdout, stderr } = spawnSync('sh', ['-c', `"${process.execPath}" "${main}" x | head -1`], {
      cwd: project.dir,
      encoding: 'utf8',
      env: { HOME: project.dir, PATH: process.env.PATH },
    })
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'line\n', stderr: '' })
  })

  test('holds a document also for a promise that a plugin left alone', () => {
    usePlugin("Promise.reject(new Error('left alone')); await new Promise((done) => setTimeout(done, 60_000))")
    const { status, stdout, stderr } = chkit(['x', '--json'], { timeout: 20_000 })
    expect({ status, document: JSON.parse(stdout), stderr }).toMatchObject({
      status: 1,
      document: { command: 'x', ok: false, error: 'left alone', code: 'internal_error' },
      stderr: '',
    })
  })

  test.each([0, 7])('holds a document also where a plugin ends the process with %i', (code) => {
    usePlugin(`process.exit(${code})`)
    const { status, stdout } = chkit(['x', '--json'])
    expect({ status, document: JSON.parse(stdout) }).toMatchObject({
      status: code === 0 ? 1 : code,
      document: { ok: false, error: `The project’s own code ended the process, with code ${code}.` },
    })
  })

  test.each([{ argv: ['x'] }, { argv: ['x', '--json'] }])(
    'shows no secret that the project’s own code prints: $argv',
    ({ argv }) => {
      usePlugin(
        `const said = [PASSWORD, process.env.CLICKHOUSE_PASSWORD, process.env.DATABASE_URL.slice(14, 26)]
       console.log('said', said); console.table(said); console.error(...said)
       process.stdout.write(Buffer.from(said.join() + '\\n')); process.stderr.write(said.join())
       process.stdout.write(Buffer.from([0xff, 0x0a])); context.print(said)
       throw new Error(said.join())`,
        "const PASSWORD = ['lit', 'eral-', 'word'].join('')",
      )
      const config = readFileSync(join(project.dir, 'clickhouse.config.ts'), 'utf8')
      project.write({
        'clickhouse.config.ts': config.replace(
          "schema: './schema/*.ts',",
          "schema: './schema/*.ts', clickhouse: { url: 'http://127.0.0.1:1', password: PASSWORD },",
        ),
      })
      const env = {
        HOME: project.dir,
        CLICKHOUSE_PASSWORD: 'by-environment',
        DATABASE_URL: 'pg://somebody:in-the-url-1@host/db',
        CHKIT_DEBUG: '1',
      }
      const { status, stdout, stderr } = chkit(argv, { env })
      expect(status).toBe(1)
      expect(stderr).toContain('[hidden]')
      expect(stdout + stderr).not.toMatch(/literal-word|by-environment|in-the-url-1/)
    },
  )

  test('shows no secret of the config in what a promise that was left alone failed with', () => {
    usePlugin(
      'Promise.reject(new Error(context.config.clickhouse.password)); await new Promise((done) => setTimeout(done, 60_000))',
    )
    const config = readFileSync(join(project.dir, 'clickhouse.config.ts'), 'utf8')
    project.write({
      'clickhouse.config.ts': config.replace(
        "schema: './schema/*.ts',",
        "schema: './schema/*.ts', clickhouse: { url: 'http://127.0.0.1:1', password: ['lit', 'eral-word'].join('') },",
      ),
    })
    const { status, stdout, stderr } = chkit(['x'], { timeout: 20_000 })
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toContain('error [hidden] (internal_error)')
  })

  test('does not wait for what a plugin left open', () => {
    usePlugin('setInterval(() => {}, 1000); return 3')
    expect(chkit(['x'], { timeout: 20_000 })).toMatchObject({ status: 3, signal: null })
  })
})

describe('an interrupt', () => {
  /** Starts `chkit x --json`, sends the signals once it says that it is ready, and gives what came of it. */
  const interrupt = (signals: readonly NodeJS.Signals[]) =>
    new Promise<{ code: number | null; stdout: string }>((done) => {
      const child = spawn(process.execPath, [main, 'x', '--json'], { cwd: project.dir, env: { HOME: project.dir } })
      let stdout = ''
      child.stdout.on('data', (data) => {
        stdout += data
      })
      let sent = 0
      child.stderr.on('data', (data) => {
        if (String(data).includes('ready') && sent < signals.length) child.kill(signals[sent++])
      })
      child.on('close', (code) => done({ code, stdout }))
    })
  const wait = "context.warn('ready'); await new Promise((done) => setTimeout(done, 60_000))"

  test('ends a command that only reads at once, with a document', async () => {
    usePlugin(wait)
    const { code, stdout } = await interrupt(['SIGINT'])
    expect({ code, document: JSON.parse(stdout) }).toMatchObject({
      code: 130,
      document: { ok: false, code: 'interrupted' },
    })
  })

  test('ends a hook that waits for nothing', async () => {
    usePlugin('')
    const hooks = `hooks: { onInit: async (context) => { ${wait} } },`
    const config = readFileSync(join(project.dir, 'clickhouse.config.ts'), 'utf8')
    project.write({ 'clickhouse.config.ts': config.replace('commands:', `${hooks} commands:`) })
    const { code, stdout } = await interrupt(['SIGINT'])
    expect({ code, document: JSON.parse(stdout) }).toMatchObject({ code: 130, document: { code: 'interrupted' } })
  })

  test('ends a config that waits for nothing', async () => {
    project.write({
      'clickhouse.config.ts':
        "console.error('ready')\nawait new Promise((done) => setTimeout(done, 60_000))\nexport default {}\n",
    })
    const { code, stdout } = await interrupt(['SIGINT'])
    expect({ code, document: JSON.parse(stdout) }).toMatchObject({ code: 130, document: { code: 'interrupted' } })
  })

  test('lets a command that changes the database finish what it does', async () => {
    usePlugin(
      "context.warn('ready'); await new Promise((done) => context.signal.addEventListener('abort', () => setTimeout(done, 200))); return { payload: { finished: true } }",
      '',
      'database',
    )
    const { code, stdout } = await interrupt(['SIGTERM'])
    expect({ code, document: JSON.parse(stdout) }).toMatchObject({ code: 0, document: { finished: true } })
  })

  test('the second one ends everything', async () => {
    usePlugin(`context.signal.addEventListener('abort', () => context.warn('ready again')); ${wait}`, '', 'database')
    expect(await interrupt(['SIGINT', 'SIGINT'])).toEqual({ code: 130, stdout: '' })
  })
})
