import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createProject, type Project } from '../support/cli.js'

const CONFIG = "import { defineConfig } from 'chkit'\nexport default defineConfig({ schema: './schema/*.ts' })\n"

let project: Project
beforeEach(() => {
  project = createProject()
})
afterEach(() => project.remove())

describe('help', () => {
  test('without a command lists all of them, grouped by what they touch', async () => {
    const { exitCode, stdout, stderr } = await project.run([])
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(stdout).toMatchInlineSnapshot(`
      "chkit 0.1.0  Schema as code for ClickHouse.

      Usage  chkit <command> [flags]

      Commands that write project files
        init        Write clickhouse.config.ts and an example schema where missing.
        generate    Write a migration for what changed in the schema since the last one.

      Commands that only read
        status      Show which migrations are applied, pending, missing or edited.
        drift       Compare the live database with what the applied migrations led to.
        check       Fail when migrations are pending, edited or missing, or when the database drifted.
        graph       Show which objects of the schema need which others.
        plugin      List the configured plugins and their commands, or run one.
        completion  Print a completion script for bash, zsh or fish.
        help        Show all commands, or one in full.
        version     Print the version.

      Commands that change the database
        migrate     Show the pending migrations, or apply them.

      Flags of every command
        --config <path>     Config file. Default: clickhouse.config.ts in the working directory.
        --json              Print one JSON document on stdout and everything else on stderr.
        --table <selector>  Only these objects: table, prefix*, database.table or database.prefix*.
        --mode <name>       Handed to the config function. Default: CHKIT_MODE, else development.
        --help              Show help for the command (also -h).

      chkit <command> --help shows the flags of one command.
      "
    `)
  })

  test('of one command by flag, before or behind it, or by the help command', async () => {
    const byFlag = await project.run(['generate', '--help'])
    expect(byFlag.exitCode).toBe(0)
    expect(byFlag.stdout).toContain('--rename-table <db.old=db.new>')
    expect((await project.run(['-h', 'generate'])).stdout).toBe(byFlag.stdout)
    expect((await project.run(['help', 'generate'])).stdout).toBe(byFlag.stdout)
  })

  test('as a document describes every command and flag', async () => {
    const { json } = await project.run(['--help', '--json'])
    expect(json).toMatchObject({ command: 'help', schemaVersion: 1, ok: true })
    const commands = json.commands as { name: string; effect: string }[]
    expect(commands.map(({ name }) => name)).toEqual([
      'init',
      'generate',
      'migrate',
      'status',
      'drift',
      'check',
      'graph',
      'plugin',
      'completion',
      'help',
      'version',
    ])
  })

  test('of an unknown command is refused with the nearest one', async () => {
    const { exitCode, stderr } = await project.run(['help', 'genrate'])
    expect(exitCode).toBe(2)
    expect(stderr).toContain('Unknown command "genrate".')
    expect(stderr).toContain('chkit generate')
  })

  test('says in one line why plugin commands are missing when the config does not load', async () => {
    project.write({ 'clickhouse.config.ts': "throw new Error('boom')\n" })
    const { exitCode, stdout, stderr } = await project.run(['--help'])
    expect(exitCode).toBe(0)
    expect(stdout).toContain('generate')
    expect(stderr.trim().split('\n')).toEqual([expect.stringContaining('boom')])
  })
})

describe('version', () => {
  test.each([['--version'], ['-v'], ['version']])('%s prints it', async (word) => {
    expect(await project.run([word])).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) })
  })

  test('as a document', async () => {
    expect((await project.run(['version', '--json'])).json).toMatchObject({ command: 'version', ok: true })
  })
})

describe('the next command', () => {
  test.each([
    { agent: undefined, next: 'Next: chkit generate --name init, then chkit migrate --apply' },
    { agent: 'npm/10.8.2 node/v20.19.0 linux x64', next: 'Next: npx chkit generate --name init, then npx chkit' },
    { agent: 'pnpm/9.0.0 npm/? node/v20.19.0', next: 'Next: pnpm exec chkit generate' },
    { agent: 'bun/1.4.5 npm/? node/v24', next: 'Next: bunx chkit generate' },
    { agent: 'toString/1', next: 'Next: chkit generate' },
  ])('can be pasted where chkit was started by $agent', async ({ agent, next }) => {
    expect((await project.run(['init'], { env: { npm_config_user_agent: agent } })).stdout).toContain(next)
    expect((await project.run(['status'], { env: { CLICKHOUSE_URL: 'chdb::memory:' } })).stdout).toContain(
      'Next: chkit generate',
    )
  })
})

describe('usage errors', () => {
  const rows: readonly { name: string; argv: string[]; code: string; message: string }[] = [
    { name: 'an unknown command', argv: ['genrate'], code: 'unknown_command', message: 'Unknown command "genrate".' },
    { name: 'an unknown flag', argv: ['init', '--yolo'], code: 'unknown_flag', message: 'Unknown flag --yolo.' },
    {
      name: 'a stray argument',
      argv: ['init', 'here'],
      code: 'unexpected_argument',
      message: '"chkit init" takes no argument, but got "here".',
    },
    {
      name: 'no config',
      argv: ['status'],
      code: 'config_not_found',
      message: 'Config not found: clickhouse.config.ts.',
    },
    {
      name: 'a config that is not there',
      argv: ['status', '--config', 'other.ts'],
      code: 'config_not_found',
      message: 'Config not found: other.ts.',
    },
    {
      name: 'an official plugin without a config',
      argv: ['pull'],
      code: 'plugin_not_configured',
      message: 'Plugin "pull", which writes the live database as a TypeScript schema, is not configured.',
    },
    {
      name: 'the same behind plugin',
      argv: ['plugin', 'codegen'],
      code: 'config_not_found',
      message: 'Config not found: clickhouse.config.ts.',
    },
    {
      name: 'no shell for completion',
      argv: ['completion'],
      code: 'unexpected_argument',
      message: 'Name a shell: bash, zsh or fish.',
    },
    {
      name: 'another shell',
      argv: ['completion', 'tcsh'],
      code: 'unexpected_argument',
      message: '"tcsh" is no shell chkit knows.',
    },
  ]
  test.each(rows)('$name: exit 2, as text and as a document', async ({ argv, code, message }) => {
    const text = await project.run(argv)
    expect({ exitCode: text.exitCode, stdout: text.stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(text.stderr).toContain(message)
    expect(text.stderr).not.toContain('    at ')
    const document = await project.run([...argv, '--json'])
    expect(document.exitCode).toBe(2)
    expect(document.json).toMatchObject({
      command: argv[0],
      schemaVersion: 1,
      ok: false,
      error: message,
      code,
      retriable: false,
    })
    expect(document.stderr).toBe('')
  })

  test.each(['status', 'check', 'drift', 'migrate', 'generate'])('a selector that is none, of %s', async (command) => {
    project.write({ 'clickhouse.config.ts': CONFIG })
    expect(await project.run([command, '--table', '*', '--json'])).toMatchObject({
      exitCode: 2,
      json: { command, code: 'invalid_table_selector' },
    })
  })

  test.each([
    {
      at: 'clickhouse.config.mjs',
      argv: [],
      hint: 'There is clickhouse.config.mjs: add --config clickhouse.config.mjs.',
    },
    {
      at: '../clickhouse.config.ts',
      argv: [],
      hint: 'There is ../clickhouse.config.ts: add --config ../clickhouse.config.ts, or',
    },
    { at: 'other.config.js', argv: ['--config', 'other.config.ts'], hint: 'There is other.config.js: add' },
    { at: 'elsewhere.ts', argv: [], hint: 'Run `chkit init`' },
  ])('a missing config with $at nearby', async ({ at, argv, hint }) => {
    project.write({ [`sub/${at}`]: CONFIG })
    const { exitCode, stderr } = await project.run(['status', ...argv], { cwd: join(project.dir, 'sub') })
    expect(exitCode).toBe(2)
    expect(stderr).toContain(`hint  ${hint}`)
  })

  test('a stack is shown only when it is asked for', async () => {
    const { stderr } = await project.run(['status'], { env: { CHKIT_DEBUG: '1' } })
    expect(stderr).toContain('    at ')
  })

  test('plugin without plugins fails with 1', async () => {
    project.write({ 'clickhouse.config.ts': CONFIG })
    expect(await project.run(['plugin', '--json'])).toMatchObject({
      exitCode: 1,
      json: { error: 'No plugins configured. Add entries to config.plugins first.', code: 'no_plugins_configured' },
    })
    expect((await project.run(['backfill', 'plan', '--json'])).json).toMatchObject({ code: 'plugin_not_configured' })
  })
})

describe('colours', () => {
  const COLOUR = '\x1b['
  test.each([
    { name: 'a pipe gets none', tty: false, env: {}, coloured: false },
    { name: 'a terminal gets them', tty: true, env: {}, coloured: true },
    { name: 'NO_COLOR forbids them', tty: true, env: { NO_COLOR: '1' }, coloured: false },
    { name: 'FORCE_COLOR demands them', tty: false, env: { FORCE_COLOR: '1' }, coloured: true },
    { name: 'a dumb terminal gets none', tty: true, env: { TERM: 'dumb' }, coloured: false },
  ])('$name', async ({ tty, env, coloured }) => {
    expect((await project.run(['--help'], { tty, env })).stdout.includes(COLOUR)).toBe(coloured)
  })
})

describe('init', () => {
  test('writes a config and an example, and overwrites neither', async () => {
    const first = await project.run(['init', '--json'])
    expect(first.json).toEqual({
      command: 'init',
      schemaVersion: 1,
      ok: true,
      created: ['clickhouse.config.ts', 'src/db/schema/example.ts'],
      skipped: [],
    })
    project.write({ 'clickhouse.config.ts': CONFIG })
    const second = await project.run(['init', '--json'])
    expect(second.json).toMatchObject({ created: [], skipped: ['clickhouse.config.ts', 'src/db/schema/example.ts'] })
    expect((await project.run(['init'])).stdout).toContain('chkit generate')
  })

  test('writes a config that loads', async () => {
    await project.run(['init'])
    expect((await project.run(['plugin', '--json'])).json).toMatchObject({ code: 'no_plugins_configured' })
  })
})
