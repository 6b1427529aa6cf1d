import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createStyle } from '../../src/cli/output.js'
import type { ResolvedConfig } from '../../src/config/config.js'
import type { Definition } from '../../src/model/definition.js'
import type { Plan } from '../../src/plan/step.js'
import { createHost, type PluginHost } from '../../src/plugin-host/host.js'
import type { PluginHooks } from '../../src/plugin-host/plugin.js'
import { createProject, type Project } from '../support/cli.js'

const never = () => {
  throw new Error('not used here')
}

/** A host of plugins that have nothing but hooks, in the order given. */
function hostOf(hooks: Readonly<Record<string, PluginHooks>>): PluginHost {
  const plugins = Object.entries(hooks).map(([name, own]) => ({
    name,
    plugin: { manifest: { name, apiVersion: 1 as const }, hooks: own },
    options: {},
  }))
  return createHost(plugins, {
    command: () => 'generate',
    flags: () => ({}),
    scope: () => ({ enabled: false, matchedTables: [], matchCount: 0 }),
    canonicalise: async (returned) => returned as readonly Definition[],
    config: {} as ResolvedConfig,
    jsonMode: false,
    print: never,
    warn: never,
    progress: never,
    prompt: { interactive: false, confirm: never, typed: never, select: never },
    style: createStyle(false),
    connection: never,
    schema: never,
    introspect: never,
    baseline: never,
    lock: never,
    lockHolder: never,
    redact: (text) => text,
    cwd: '/',
    env: {},
    now: () => 0,
    signal: new AbortController().signal,
  })
}

const definition: Definition = { kind: 'database', name: 'a', engine: { name: 'Atomic', args: [] } }
const step = {
  change: { kind: 'createDatabase', database: definition },
  type: 'create_database',
  key: 'database:a',
  risk: 'safe',
  mutation: false,
  reason: 'New.',
} as const
const plan: Plan = { steps: [step], refusals: [] }

describe('hooks that map a value', () => {
  test('see what the one before returned, in registration order', async () => {
    const seen: unknown[] = []
    const host = hostOf({
      one: { onBeforeApply: ({ statements }) => [...statements, 'SELECT 2'] },
      two: { onBeforeApply: ({ statements }) => void seen.push(statements) },
      three: { onBeforeApply: ({ statements }) => ({ statements: statements.map((text) => `${text} + 1`) }) },
    })
    expect(await host.onBeforeApply({ migration: 'm.sql', statements: ['SELECT 1'] })).toEqual([
      'SELECT 1 + 1',
      'SELECT 2 + 1',
    ])
    expect(seen).toEqual([['SELECT 1', 'SELECT 2']])
  })

  test('returning nothing leaves the value itself', async () => {
    const host = hostOf({ one: { onPlanCreated: () => undefined, onSchemaLoaded: () => null } })
    expect(await host.onPlanCreated(plan, [])).toBe(plan)
    const definitions = [definition]
    expect(await host.onSchemaLoaded(definitions)).toBe(definitions)
  })

  test('a plan may come bare or in an object, and may lack refusals', async () => {
    const risky = { steps: [{ ...step, risk: 'danger' as const }] } as unknown as Plan
    for (const hook of [() => risky, () => ({ plan: risky })]) {
      expect(await hostOf({ one: { onPlanCreated: hook } }).onPlanCreated(plan, [])).toEqual({ ...risky, refusals: [] })
    }
  })

  test('the scope that the command resolved reaches later hooks', async () => {
    const host = hostOf({
      one: { onSchemaLoaded: ({ tableScope }) => void expect(tableScope.matchCount).toBe(1) },
    })
    host.setTableScope({ enabled: true, selector: 'a', matchedTables: ['d.a'], matchCount: 1 })
    await host.onSchemaLoaded([])
  })

  const wrong: readonly { name: string; call: () => Promise<unknown>; message: string }[] = [
    {
      name: 'definitions that are no list',
      call: () => hostOf({ p: { onSchemaLoaded: () => ({ definitions: 5 }) as never } }).onSchemaLoaded([]),
      message: 'Plugin "p" failed in onSchemaLoaded: it must return a list of definitions.',
    },
    {
      name: 'a plan without steps',
      call: () => hostOf({ p: { onPlanCreated: () => ({}) as never } }).onPlanCreated(plan, []),
      message: 'Plugin "p" failed in onPlanCreated: it must return a plan; "steps" must be a list.',
    },
    {
      name: 'a step of an unknown risk',
      call: () =>
        hostOf({
          p: { onPlanCreated: () => ({ steps: [{ ...step, risk: 'mild' }], refusals: [] }) as never },
        }).onPlanCreated(plan, []),
      message:
        'Plugin "p" failed in onPlanCreated: it must return a plan; steps[0].risk must be "safe", "caution" or "danger".',
    },
    {
      name: 'an empty statement',
      call: () => hostOf({ p: { onBeforeApply: () => [' '] } }).onBeforeApply({ migration: 'm', statements: [] }),
      message: 'Plugin "p" failed in onBeforeApply: it must return a list of statements, none of them empty.',
    },
    {
      name: 'a finding of an unknown severity',
      call: () =>
        hostOf({
          p: {
            onCheck: () =>
              ({
                plugin: 'p',
                evaluated: true,
                ok: true,
                findings: [{ code: 'a', message: 'b', severity: 'bad' }],
              }) as never,
          },
        }).onCheck(),
      message:
        'Plugin "p" failed in onCheck: it must return a check result; findings[0] needs "code", "message" and a severity "info", "warn" or "error".',
    },
  ]
  test.each(wrong)('$name is refused', async ({ call, message }) => {
    await expect(call()).rejects.toMatchObject({ code: 'plugin_invalid', message })
  })
})

describe('onCheck', () => {
  test('collects one result per plugin that gives one; an error fails it whatever the plugin says', async () => {
    const host = hostOf({
      silent: { onCheck: () => undefined },
      none: {},
      bad: {
        onCheck: () => ({
          plugin: 'someone else',
          evaluated: true,
          ok: true,
          findings: [{ code: 'x', message: 'y', severity: 'error' }],
        }),
      },
    })
    expect(await host.onCheck()).toEqual([
      { plugin: 'bad', evaluated: true, ok: false, findings: [{ code: 'x', message: 'y', severity: 'error' }] },
    ])
  })

  test('onCheckReport gets the plugin’s own result only', async () => {
    const reported: string[] = []
    const hook = ({ result }: { result: { plugin: string } }) => void reported.push(result.plugin)
    const host = hostOf({ a: { onCheckReport: hook }, b: { onCheckReport: hook } })
    await host.onCheckReport([{ plugin: 'b', evaluated: true, ok: true, findings: [] }])
    expect(reported).toEqual(['b'])
  })
})

describe('an error', () => {
  test('is wrapped with the plugin and the hook, and kept as the cause', async () => {
    const cause = new TypeError('oops')
    const host = hostOf({ p: { onAfterApply: () => Promise.reject(cause) } })
    await expect(host.onAfterApply({ migration: 'm', statements: [], appliedAt: '' })).rejects.toMatchObject({
      code: 'plugin_failed',
      exitCode: 1,
      message: 'Plugin "p" failed in onAfterApply: oops',
      cause,
    })
  })
})

describe('the schema of a plugin command', () => {
  let project: Project
  beforeEach(() => {
    project = createProject({
      'schema/a.ts':
        "import { table } from 'chkit'\nexport const a = table({ database: 'app', name: 'a', engine: 'MergeTree', columns: { id: 'INT' }, orderBy: 'id' })\n",
    })
  })
  afterEach(() => project.remove())

  const useHook = (hook: string) =>
    project.write({
      'clickhouse.config.ts': `import { definePlugin, table } from 'chkit'
        const extra = table({ database: 'app', name: 'b', engine: 'MergeTree', columns: { id: 'INT' }, orderBy: 'id' })
        const plugin = definePlugin({
          manifest: { name: 'show', apiVersion: 1 },
          hooks: { onSchemaLoaded: ({ definitions }) => ${hook} },
          commands: [{ name: 'show', description: 'x', effect: 'read', run: async ({ schema }) => {
            const definitions = await schema()
            return { payload: { definitions: definitions.map(({ kind, name, columns }) => [kind, name, columns?.[0].type]) } }
          } }],
        })
        export default { schema: './schema/*.ts', plugins: [plugin] }`,
    })

  test('is canonical, and so is what a hook adds to it', async () => {
    useHook('[...definitions, extra]')
    expect((await project.run(['show', '--json'])).json).toMatchObject({
      ok: true,
      definitions: [
        ['table', 'a', 'Int32'],
        ['table', 'b', 'Int32'],
      ],
    })
  })

  test('refuses what a hook breaks', async () => {
    useHook('[...definitions, { kind: "nothing" }]')
    expect((await project.run(['show', '--json'])).json).toMatchObject({
      ok: false,
      code: 'validation_failed',
      error: 'validation_failed',
      issues: [{ code: 'invalid_definition' }],
    })
    useHook('[...definitions, extra, extra, definitions[0], table({ ...extra, name: "a" })]')
    expect((await project.run(['show', '--json'])).json).toMatchObject({ code: 'validation_failed' })
  })

  test('of files that export nothing is an error that names them', async () => {
    useHook('undefined')
    project.write({ 'schema/a.ts': 'export const a = 1\n' })
    expect((await project.run(['show', '--json'])).json).toMatchObject({
      code: 'schema_empty',
      error: expect.stringContaining('The schema files export no definition: schema/a.ts.'),
    })
  })
})

test('a last hook that never ends holds up an interrupted run for a moment only', async () => {
  const project = createProject({
    'clickhouse.config.ts': `export default { schema: './schema/*.ts', plugins: [{ plugin: {
      manifest: { name: 'stuck', apiVersion: 1 },
      hooks: { onComplete: () => new Promise(() => {}) },
      commands: [{ name: 'stuck', description: 'x', effect: 'read', run: () => 3 }],
    } }] }`,
  })
  try {
    const interrupt = new AbortController()
    setTimeout(() => interrupt.abort(), 500)
    expect((await project.run(['stuck', '--json'], { signal: interrupt.signal })).exitCode).toBe(3)
  } finally {
    project.remove()
  }
})
