import { ChkitError, messageOf } from '../errors.js'
import type { Definition } from '../model/definition.js'
import type { Plan } from '../plan/step.js'
import type { Flags, RegisteredCommand, TableScope } from './command.js'
import type { LoadedPlugin } from './load.js'
import type {
  CheckFinding,
  CheckResult,
  CommandExtension,
  HookName,
  PluginCommand,
  PluginCommandContext,
  PluginContext,
  PluginRuntime,
} from './plugin.js'

/** What the host needs of a run to make the contexts of hooks and commands. */
export type HostServices = Omit<PluginContext, 'options' | 'flags' | 'tableScope' | 'command'> & {
  readonly command: () => string
  readonly flags: () => Flags
  readonly scope: () => TableScope
  /** What `onSchemaLoaded` made of the definitions, checked like the user's own schema. Throws `validation_failed`. */
  readonly canonicalise: (returned: readonly unknown[], before: readonly Definition[]) => Promise<readonly Definition[]>
}

/** The runtime that commands use, with the hooks that dispatch itself calls. */
export type PluginHost = PluginRuntime & {
  onInit(): Promise<void>
  onConfigLoaded(): Promise<void>
  onComplete(exitCode: number): Promise<void>
}

/** The host of the loaded plugins; with none of them every hook gives back what it got. */
export function createHost(plugins: readonly LoadedPlugin[], services: HostServices): PluginHost {
  let scope: TableScope | undefined
  const contextOf = ({ options }: LoadedPlugin): PluginContext => ({
    ...servicesOf(services),
    command: services.command(),
    flags: services.flags(),
    tableScope: scope ?? services.scope(),
    options,
  })
  /** Calls one hook of every plugin that has it, in registration order. */
  const each = async (
    hook: HookName,
    call: (loaded: LoadedPlugin, context: PluginContext) => unknown,
  ): Promise<void> => {
    for (const loaded of plugins) {
      if (loaded.plugin.hooks?.[hook] === undefined) continue
      await guarded(loaded.name, hook, async () => call(loaded, contextOf(loaded)))
    }
  }
  return {
    names: plugins.map(({ name }) => name),
    setTableScope: (next) => {
      scope = next
    },
    onInit: () => each('onInit', ({ plugin }, context) => plugin.hooks?.onInit?.(context)),
    onConfigLoaded: () => each('onConfigLoaded', ({ plugin }, context) => plugin.hooks?.onConfigLoaded?.(context)),
    onComplete: (exitCode) =>
      each('onComplete', ({ plugin }, context) => plugin.hooks?.onComplete?.({ ...context, exitCode })),
    onSchemaLoaded: async (definitions) => {
      let current = definitions
      await each('onSchemaLoaded', async ({ plugin, name }, context) => {
        const returned = await plugin.hooks?.onSchemaLoaded?.({ ...context, definitions: current })
        if (returned === undefined || returned === null) return
        const list: unknown = isObject(returned) && 'definitions' in returned ? returned.definitions : returned
        if (!Array.isArray(list)) throw invalidResult(name, 'onSchemaLoaded', 'a list of definitions')
        current = await services.canonicalise(list, current)
      })
      return current
    },
    onPlanCreated: async (plan, definitions) => {
      let current = plan
      await each('onPlanCreated', async ({ plugin, name }, context) => {
        const returned = await plugin.hooks?.onPlanCreated?.({ ...context, plan: current, definitions })
        if (returned === undefined || returned === null) return
        current = readPlan(isObject(returned) && 'plan' in returned ? returned.plan : returned, name)
      })
      return current
    },
    onBeforeApply: async ({ migration, statements }) => {
      let current = statements
      await each('onBeforeApply', async ({ plugin, name }, context) => {
        const returned = await plugin.hooks?.onBeforeApply?.({ ...context, migration, statements: current })
        if (returned === undefined || returned === null) return
        const list: unknown = isObject(returned) && 'statements' in returned ? returned.statements : returned
        if (list === undefined || isObject(list)) return
        current = readStatements(list, name)
      })
      return current
    },
    onAfterApply: (facts) =>
      each('onAfterApply', ({ plugin }, context) => plugin.hooks?.onAfterApply?.({ ...context, ...facts })),
    onCheck: async () => {
      const results: CheckResult[] = []
      await each('onCheck', async ({ plugin, name }, context) => {
        const returned = await plugin.hooks?.onCheck?.(context)
        if (returned !== undefined && returned !== null) results.push(readCheckResult(returned, name))
      })
      return results
    },
    onCheckReport: (results) =>
      each('onCheckReport', ({ plugin, name }, context) => {
        const result = results.find((one) => one.plugin === name)
        return result === undefined ? undefined : plugin.hooks?.onCheckReport?.({ ...context, result })
      }),
  }
}

function servicesOf(services: HostServices): Omit<PluginContext, 'options' | 'flags' | 'tableScope' | 'command'> {
  const { command: _command, flags: _flags, scope: _scope, canonicalise: _canonicalise, ...shared } = services
  return shared
}

/** Runs what a plugin brought; its error becomes `Plugin "<name>" failed in <place>: <message>`, its code kept where it has one. */
async function guarded<Result>(name: string, place: string, call: () => Promise<Result>): Promise<Result> {
  try {
    return await call()
  } catch (error) {
    const message = `Plugin "${name}" failed in ${place}: ${messageOf(error)}`
    if (!(error instanceof ChkitError)) {
      throw new ChkitError('plugin_failed', message, { details: { plugin: name, in: place }, cause: error })
    }
    throw new ChkitError(error.code, message, {
      hint: error.hint,
      details: { ...error.details, plugin: name, in: place },
      retriable: error.retriable,
      cause: error,
    })
  }
}

/**
 * The commands of a plugin under the words that call them: `<plugin> <command>`, or `<plugin>` for the command that is
 * named like it; its default command answers to both.
 */
export function pluginCommands(
  loaded: LoadedPlugin,
  services: HostServices,
): readonly Omit<RegisteredCommand, 'plugin'>[] {
  const { name, plugin } = loaded
  return (plugin.commands ?? []).map((command) => ({
    name: command.name === name ? name : `${name} ${command.name}`,
    aliases: command.default === true && command.name !== name ? [name] : [],
    description: command.description,
    effect: command.effect,
    config: 'required',
    arguments: command.arguments,
    details: command.details,
    examples: command.examples ?? [],
    flags: command.flags ?? [],
    run: async ({ args }) => {
      const context: PluginCommandContext = {
        ...servicesOf(services),
        command: services.command(),
        flags: services.flags(),
        tableScope: services.scope(),
        options: loaded.options,
        args,
      }
      return guarded(name, `command:${command.name}`, async () => readResult(await command.run(context), command, name))
    },
  }))
}

/** The flags that a plugin adds, one entry per command. */
export function pluginExtensions({
  plugin,
}: LoadedPlugin): readonly { command: string; flags: CommandExtension['flags'] }[] {
  return (plugin.extendCommands ?? []).flatMap(({ command, flags }) =>
    (typeof command === 'string' ? [command] : command).map((name) => ({ command: name, flags })),
  )
}

function readResult(returned: unknown, command: PluginCommand, name: string) {
  if (returned === undefined || returned === null) return { payload: {}, text: '' }
  if (typeof returned === 'number' && Number.isInteger(returned)) return { exitCode: returned, payload: {}, text: '' }
  if (isObject(returned)) {
    const { exitCode, payload = {}, text = '' } = returned
    if (isObject(payload) && typeof text === 'string' && (exitCode === undefined || Number.isInteger(exitCode))) {
      return { exitCode: exitCode as number | undefined, payload, text }
    }
  }
  throw invalidResult(name, `command:${command.name}`, 'an exit code, nothing, or { exitCode?, payload?, text? }')
}

function readPlan(value: unknown, name: string): Plan {
  const problem = (what: string) => invalidResult(name, 'onPlanCreated', `a plan; ${what}`)
  if (!isObject(value) || !Array.isArray(value.steps)) throw problem('"steps" must be a list')
  for (const [index, step] of value.steps.entries()) {
    const at = `steps[${index}]`
    if (!isObject(step) || !isObject(step.change) || typeof step.change.kind !== 'string') {
      throw problem(`${at} has no change`)
    }
    for (const field of ['type', 'key', 'reason']) {
      if (typeof step[field] !== 'string') throw problem(`${at}.${field} must be a text`)
    }
    if (!['safe', 'caution', 'danger'].includes(String(step.risk))) {
      throw problem(`${at}.risk must be "safe", "caution" or "danger"`)
    }
  }
  if (value.refusals !== undefined && !Array.isArray(value.refusals)) throw problem('"refusals" must be a list')
  return { ...(value as unknown as Plan), refusals: (value.refusals ?? []) as Plan['refusals'] }
}

function readStatements(value: unknown, name: string): readonly string[] {
  if (!Array.isArray(value) || !value.every((one): one is string => typeof one === 'string' && one.trim() !== '')) {
    throw invalidResult(name, 'onBeforeApply', 'a list of statements, none of them empty')
  }
  return value
}

function readCheckResult(value: unknown, name: string): CheckResult {
  const problem = (what: string) => invalidResult(name, 'onCheck', `a check result; ${what}`)
  if (!isObject(value) || typeof value.evaluated !== 'boolean' || typeof value.ok !== 'boolean') {
    throw problem('"evaluated" and "ok" must be true or false')
  }
  if (!Array.isArray(value.findings)) throw problem('"findings" must be a list')
  for (const [index, finding] of value.findings.entries()) {
    const isFinding =
      isObject(finding) &&
      typeof finding.code === 'string' &&
      typeof finding.message === 'string' &&
      ['info', 'warn', 'error'].includes(String(finding.severity))
    if (!isFinding) throw problem(`findings[${index}] needs "code", "message" and a severity "info", "warn" or "error"`)
  }
  const findings = value.findings as readonly CheckFinding[]
  // A finding of severity error fails the check, whatever the plugin says of itself.
  const ok = value.ok && !findings.some(({ severity }) => severity === 'error')
  const metadata = isObject(value.metadata) ? { metadata: value.metadata } : {}
  return { plugin: name, evaluated: value.evaluated, ok, findings, ...metadata }
}

function invalidResult(name: string, place: string, expected: string): ChkitError {
  return new ChkitError('plugin_invalid', `it must return ${expected}.`, { details: { plugin: name, in: place } })
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
