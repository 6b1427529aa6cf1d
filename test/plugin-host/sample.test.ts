import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createProject, type Project } from '../support/cli.js'

const SAMPLE = resolve(fileURLToPath(new URL('../../fixtures/plugins/sample/index.ts', import.meta.url)))

const config = (entry: string, head = '') =>
  `${head}\nexport default { schema: './schema/*.ts', plugins: [${entry}] }\n`
const withOptions = (options: object) =>
  config(`{ resolve: ${JSON.stringify(SAMPLE)}, options: ${JSON.stringify(options)} }`)

let project: Project
beforeEach(() => {
  project = createProject()
})
afterEach(() => project.remove())

const useConfig = (text: string) => project.write({ 'clickhouse.config.ts': text })
const log = () => {
  const file = join(project.dir, 'audit.ndjson')
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

describe('registration', () => {
  const forms: readonly { name: string; text: string }[] = [
    { name: 'a path', text: config(JSON.stringify(SAMPLE)) },
    {
      name: 'resolve with a name',
      text: config(`{ resolve: ${JSON.stringify(SAMPLE)}, name: 'audit', enabled: true, options: {} }`),
    },
    {
      name: 'inline',
      text: config(
        "{ plugin: audit, options: { logFile: 'audit.ndjson' } }",
        `import audit from ${JSON.stringify(SAMPLE)}`,
      ),
    },
    { name: 'the plugin itself', text: config('audit', `import { audit } from ${JSON.stringify(SAMPLE)}`) },
  ]
  test.each(forms)('by $name', async ({ text }) => {
    useConfig(text)
    expect((await project.run(['plugin', '--json'])).json).toMatchObject({
      ok: true,
      plugins: [{ name: 'audit', commands: [{ name: 'audit log' }, { name: 'audit fail' }] }],
    })
  })

  test('by a path from the config file’s folder', async () => {
    project.write({
      'conf/p/mine.ts': `export { default } from ${JSON.stringify(SAMPLE)}`,
      'conf/c.ts': config("'./p/mine'"),
    })
    expect((await project.run(['plugin', '--config', 'conf/c.ts', '--json'])).json).toMatchObject({
      plugins: [{ name: 'audit' }],
    })
  })

  test('a disabled plugin is not even loaded', async () => {
    useConfig(config("{ resolve: './nowhere.ts', enabled: false }"))
    expect((await project.run(['plugin', '--json'])).json).toMatchObject({ code: 'no_plugins_configured' })
  })

  const inline = (fields: string) => config(`{ plugin: { ${fields} } }`)
  const refusals: readonly { name: string; text: string; code: string; error: string | RegExp }[] = [
    {
      name: 'a path that leads nowhere',
      text: config("'./nowhere.ts'"),
      code: 'plugin_not_found',
      error: /^Plugin "\.\/nowhere\.ts" was not found from /,
    },
    {
      name: 'a package that is not installed',
      text: config("'chkit-plugin-none'"),
      code: 'plugin_not_found',
      error: /^Plugin "chkit-plugin-none" was not found from /,
    },
    {
      name: 'a module that is no plugin',
      text: config("'./clickhouse.config.ts'"),
      code: 'plugin_invalid',
      error: './clickhouse.config.ts is no plugin, but an object without a manifest.',
    },
    {
      name: 'an entry of no form',
      text: config('5'),
      code: 'plugin_invalid',
      error: 'config.plugins[0] is no plugin.',
    },
    {
      name: 'an unknown key',
      text: config("{ resolve: './x', option: {} }"),
      code: 'plugin_invalid',
      error: 'config.plugins[0] holds the unknown key "option".',
    },
    {
      name: 'an empty name',
      text: inline("manifest: { name: '', apiVersion: 1 }"),
      code: 'plugin_invalid',
      error: 'The plugin of config.plugins[0] has no name: its manifest\'s "name" must not be empty.',
    },
    {
      name: 'another API',
      text: inline("manifest: { name: 'x', apiVersion: 2 }"),
      code: 'plugin_incompatible',
      error: 'Plugin "x" is made for plugin API 2, this chkit has 1.',
    },
    {
      name: 'a chkit that is too old',
      text: inline("manifest: { name: 'x', apiVersion: 1, compatibility: { cli: { minMajor: 99 } } }"),
      code: 'plugin_incompatible',
      error: /^Plugin "x" needs chkit of major version at least 99; this is /,
    },
    {
      name: 'a chkit that is too new',
      text: inline("manifest: { name: 'x', apiVersion: 1, compatibility: { cli: { maxMajor: -1 } } }"),
      code: 'plugin_incompatible',
      error: /^Plugin "x" needs chkit of major version at most -1; this is /,
    },
    {
      name: 'two of one name',
      text: config(`${JSON.stringify(SAMPLE)}, ${JSON.stringify(SAMPLE)}`),
      code: 'plugin_duplicate',
      error: 'Two plugins are named "audit".',
    },
    {
      name: 'another name than the manifest’s',
      text: config(`{ resolve: ${JSON.stringify(SAMPLE)}, name: 'other' }`),
      code: 'plugin_invalid',
      error: 'config.plugins[0] names the plugin "other", but its manifest says "audit".',
    },
    {
      name: 'a wrong option',
      text: withOptions({ logFile: 5 }),
      code: 'plugin_option_invalid',
      error: /^Invalid plugin option "logFile" for plugin "audit": /,
    },
    {
      name: 'an unknown option',
      text: withOptions({ logfile: 'x' }),
      code: 'plugin_option_invalid',
      error: /^Invalid plugin options for plugin "audit": .*logfile/,
    },
    {
      name: 'an unknown hook',
      text: inline("manifest: { name: 'x', apiVersion: 1 }, hooks: { onPlanned: () => {} }"),
      code: 'plugin_invalid',
      error: 'Plugin "x" has the unknown hook "onPlanned".',
    },
    {
      name: 'a command without an effect',
      text: inline("manifest: { name: 'x', apiVersion: 1 }, commands: [{ name: 'a', description: '', run() {} }]"),
      code: 'plugin_invalid',
      error: 'Plugin "x": command "a" must declare its effect: "read", "files" or "database".',
    },
    {
      name: 'a flag that the core has',
      text: inline(
        "manifest: { name: 'x', apiVersion: 1 }, extendCommands: [{ command: 'generate', flags: [{ name: 'dryrun', type: 'boolean', description: '' }] }]",
      ),
      code: 'plugin_flag_conflict',
      error: 'Flag --dryrun of "chkit generate" is defined by chkit itself and by plugin "x".',
    },
    {
      name: 'a flag that another plugin adds',
      text: config(
        `${JSON.stringify(SAMPLE)}, { plugin: { manifest: { name: 'x', apiVersion: 1 }, extendCommands: [{ command: 'migrate', flags: [{ name: 'ticket', type: 'string', description: '' }] }] } }`,
      ),
      code: 'plugin_flag_conflict',
      error: 'Flag --ticket of "chkit migrate" is defined by plugin "audit" and by plugin "x".',
    },
    {
      name: 'flags for a command that is none',
      text: inline("manifest: { name: 'x', apiVersion: 1 }, extendCommands: [{ command: 'generat', flags: [] }]"),
      code: 'plugin_invalid',
      error: 'Plugin "x" adds flags to the unknown command "generat".',
    },
    {
      name: 'a command that the core has',
      text: inline(
        "manifest: { name: 'status', apiVersion: 1 }, commands: [{ name: 'status', description: '', effect: 'read', run() {} }]",
      ),
      code: 'plugin_command_conflict',
      error: 'Command "chkit status" is defined by chkit itself and by plugin "status".',
    },
    {
      name: 'a plugin command below one that the core has',
      text: inline(
        "manifest: { name: 'status', apiVersion: 1 }, commands: [{ name: 'more', description: '', effect: 'read', run() {} }]",
      ),
      code: 'plugin_command_conflict',
      error: 'Command "chkit status" is defined by chkit itself and by plugin "status".',
    },
  ]
  test.each(refusals)('$name is refused with exit 2', async ({ text, code, error }) => {
    useConfig(text)
    const { exitCode, json } = await project.run(['plugin', '--json'])
    expect(json).toMatchObject({
      ok: false,
      code,
      error: typeof error === 'string' ? error : expect.stringMatching(error),
    })
    expect(exitCode).toBe(2)
  })
})

describe('commands', () => {
  beforeEach(() => useConfig(withOptions({})))

  test('are called by the plugin’s name, behind plugin, and the default one by the name alone', async () => {
    for (const words of [['audit', 'log'], ['plugin', 'audit', 'log'], ['audit']]) {
      const { exitCode, json } = await project.run([...words, '--json', '--hook', 'onComplete'])
      expect({ exitCode, json }).toMatchObject({ exitCode: 0, json: { command: 'audit log', ok: true } })
    }
    expect(log().filter(({ hook }) => hook === 'onComplete')).toHaveLength(3)
  })

  test('get their flags parsed and converted', async () => {
    await project.run(['audit', 'log'])
    const { stdout } = await project.run([
      'audit',
      'log',
      '--hook',
      'onInit,onComplete',
      '--limit=1',
      '--order',
      'newest',
      '--no-times',
    ])
    expect(stdout).toBe('1 of 3 entries\naudit log onInit\n')
  })

  test('print to stderr while stdout holds the document', async () => {
    const { json, stderr } = await project.run(['audit', '--json'])
    expect(json).toMatchObject({ command: 'audit log', entries: [{ hook: 'onInit' }, { hook: 'onConfigLoaded' }] })
    expect(stderr).toBe('2 of 2 entries\n')
  })

  test.each([
    {
      name: 'an unknown flag',
      argv: ['audit', 'log', '--limt', '1'],
      code: 'unknown_flag',
      error: 'Unknown flag --limt.',
    },
    {
      name: 'a value that its zod schema refuses',
      argv: ['audit', '--limit', 'many'],
      code: 'invalid_flag_value',
      error: expect.stringMatching(/^Flag --limit does not take "many": /),
    },
    {
      name: 'an unknown command',
      argv: ['audit', 'lag'],
      code: 'unexpected_argument',
      error: expect.stringContaining('got "lag". Other commands of the plugin: fail.'),
    },
    {
      name: 'an unknown command behind plugin',
      argv: ['plugin', 'audit', 'lag'],
      code: 'plugin_unknown',
      error: 'Unknown command of plugin "audit" "lag". Available: log, fail.',
    },
    {
      name: 'an unknown plugin',
      argv: ['plugin', 'audi'],
      code: 'plugin_unknown',
      error: 'Unknown plugin "audi". Available: audit.',
    },
    {
      name: 'an official plugin that is not configured',
      argv: ['plugin', 'pull'],
      code: 'plugin_not_configured',
      error: expect.stringContaining('is not configured'),
    },
  ])('$name: exit 2', async ({ argv, code, error }) => {
    const { exitCode, json } = await project.run([...argv, '--json'])
    expect({ exitCode, json }).toMatchObject({ exitCode: 2, json: { code, error } })
  })

  test('may end with an exit code of their own', async () => {
    expect(await project.run(['audit', 'fail', 'code', '--json'])).toMatchObject({
      exitCode: 7,
      json: { command: 'audit fail', ok: false },
    })
    expect(log().at(-1)).toMatchObject({ hook: 'onComplete', exitCode: 7 })
  })

  test('that throw are wrapped, and onComplete is told', async () => {
    const { exitCode, json } = await project.run(['audit', 'fail', 'loudly', '--json'])
    expect({ exitCode, json }).toMatchObject({
      exitCode: 1,
      json: { code: 'plugin_failed', error: 'Plugin "audit" failed in command:fail: asked to fail: loudly' },
    })
    expect(log().at(-1)).toMatchObject({ hook: 'onComplete', exitCode: 1 })
  })

  test('stand in help, in their group, with their flags', async () => {
    const overview = await project.run(['--help'])
    expect(overview.stdout).toMatch(/audit log +Show what was logged\. \(plugin audit\)/)
    const own = await project.run(['audit', 'log', '--help'])
    expect(own.stdout).toContain('--[no-]times')
    expect(own.stdout).toContain('One of: oldest, newest.')
    expect((await project.run(['help', 'generate'])).stdout).toMatch(/--ticket <id> .*\(plugin audit\)/)
    expect((await project.run(['help', 'audit'])).stdout).toContain('Fail in the way that is asked for.')
    expect(log()).toEqual([])
  })

  test('stand in completion scripts', async () => {
    for (const shell of ['bash', 'zsh', 'fish']) {
      const { stdout } = await project.run(['completion', shell])
      for (const word of ['audit', 'log', 'no-times', 'ticket', 'oldest newest']) expect(stdout).toContain(word)
    }
  })
})

describe('hooks around a core command', () => {
  test('run in order, and see the flags that the plugin added', async () => {
    useConfig(withOptions({}))
    await project.run(['status', '--ticket', 'OPS-17', '--json'])
    expect(log().map(({ hook, command, ticket }) => ({ hook, command, ticket }))).toEqual(
      ['onInit', 'onConfigLoaded', 'onComplete'].map((hook) => ({ hook, command: 'status', ticket: 'OPS-17' })),
    )
  })

  test('a flag that a plugin added is checked by its schema', async () => {
    useConfig(withOptions({}))
    expect(await project.run(['status', '--ticket', 'soon', '--json'])).toMatchObject({
      exitCode: 2,
      json: {
        code: 'invalid_flag_value',
        error: 'Flag --ticket does not take "soon": expected a ticket such as OPS-17.',
      },
    })
  })

  test.each(['onInit', 'onConfigLoaded', 'onComplete'])('%s that throws fails the command', async (hook) => {
    useConfig(withOptions({ failIn: hook }))
    expect(await project.run(['status', '--json'])).toMatchObject({
      exitCode: 1,
      json: {
        command: 'status',
        ok: false,
        code: 'plugin_failed',
        error: `Plugin "audit" failed in ${hook}: told to fail in ${hook}`,
      },
    })
  })
})

test('a hook that throws behind a command takes nothing of what it did from the answer', async () => {
  useConfig(withOptions({ failIn: 'onComplete' }))
  const failure = {
    ok: false,
    code: 'plugin_failed',
    error: 'Plugin "audit" failed in onComplete: told to fail in onComplete',
  }
  expect((await project.run(['status', '--json'])).json).toMatchObject({ ...failure, total: 0, pendingMigrations: [] })
  const { exitCode, stdout, stderr } = await project.run(['status'])
  expect({ exitCode, stdout, stderr }).toEqual({
    exitCode: 1,
    stdout: expect.stringContaining('0 applied, 0 pending'),
    stderr: expect.stringContaining(failure.error),
  })
})

test('the whole life with every hook: schema, plan, statements, check and report', async () => {
  const configure = (options: object) =>
    useConfig(
      `export default { schema: './schema/*.ts', clickhouse: { url: 'chdb:./dev', database: 'app' },
        plugins: [{ resolve: ${JSON.stringify(SAMPLE)}, options: ${JSON.stringify(options)} }] }`,
    )
  project.write({
    'schema/a.ts': `import { table } from 'chkit'
      export const a = table({ database: 'app', name: 'a', engine: 'MergeTree', columns: { id: 'UInt64' }, orderBy: 'id',
        plugins: { audit: { owner: 'me' } } })`,
  })
  configure({ tableIn: 'app' })
  const plan = await project.run(['generate', '--dryrun', '--json'])
  const operations = plan.json.operations as readonly { key: string }[]
  expect(operations.map(({ key }) => key)).toEqual(expect.arrayContaining(['table:app.a', 'table:app.audit_log']))

  configure({ failIn: 'onPlanCreated' })
  expect((await project.run(['generate', '--json'])).json).toMatchObject({ code: 'plugin_failed' })
  expect(existsSync(join(project.dir, 'chkit'))).toBe(false)

  configure({})
  expect((await project.run(['generate', '--name', 'a', '--ticket', 'OPS-1', '--json'])).exitCode).toBe(0)
  const applied = await project.run(['migrate', '--apply', '--json'])
  expect(applied.json).toMatchObject({ ok: true, applied: [{ name: expect.stringContaining('_a.sql') }] })
  expect((await project.run(['check', '--json'])).json).toMatchObject({
    ok: true,
    plugins: { audit: { evaluated: true, ok: true, findingCodes: [] } },
  })

  configure({ requireTicket: true })
  const failed = await project.run(['check', '--json'])
  expect({ exitCode: failed.exitCode, json: failed.json }).toMatchObject({
    exitCode: 1,
    json: { failedChecks: ['plugin:audit'], plugins: { audit: { ok: false, findingCodes: ['audit_ticket_missing'] } } },
  })
  expect((await project.run(['check'])).stdout + (await project.run(['check'])).stderr).toContain(
    'audit: tickets missing',
  )

  const hooks = log()
    .filter(({ command }) => command === 'migrate')
    .map(({ hook }) => hook)
  expect(hooks).toEqual(['onInit', 'onConfigLoaded', 'onBeforeApply', 'onAfterApply', 'onComplete'])
  const generated = log()
    .filter(({ command, ticket }) => command === 'generate' && ticket === 'OPS-1')
    .map(({ hook }) => hook)
  expect(generated).toEqual(['onInit', 'onConfigLoaded', 'onSchemaLoaded', 'onPlanCreated', 'onComplete'])
})
