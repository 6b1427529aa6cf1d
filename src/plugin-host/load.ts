import { existsSync } from 'node:fs'
import { isAbsolute, resolve } from 'node:path'
import type { ResolvedConfig } from '../config/config.js'
import { ModuleLoadError, type ModuleLoader } from '../config/module-loader.js'
import { ChkitError, type ErrorCode } from '../errors.js'
import { nearest } from '../nearest.js'
import type { FlagDef, ValueIssue, ValueSchema } from './command.js'
import type { HookName, Plugin, PluginCommand } from './plugin.js'

/** The plugin API that this chkit has. */
export const PLUGIN_API_VERSION = 1

/** A plugin that passed every check, and its options as its own schema returned them. */
export type LoadedPlugin = { readonly name: string; readonly plugin: Plugin; readonly options: unknown }

const HOOKS: readonly HookName[] = [
  'onInit',
  'onConfigLoaded',
  'onSchemaLoaded',
  'onPlanCreated',
  'onBeforeApply',
  'onAfterApply',
  'onCheck',
  'onCheckReport',
  'onComplete',
]

/**
 * The plugins of the config in registration order, those with `enabled: false` left out unread. Throws the plugin_* codes,
 * all of exit code 2.
 */
export async function loadPlugins(
  config: ResolvedConfig,
  loader: ModuleLoader,
  version: string,
): Promise<readonly LoadedPlugin[]> {
  const loaded: LoadedPlugin[] = []
  for (const [index, entry] of config.plugins.entries()) {
    const place = `config.plugins[${index}]`
    const registration = readEntry(entry, place)
    if (!registration.enabled) continue
    const label = registration.source ?? place
    const candidate = registration.plugin ?? (await loadModule(registration.source ?? '', config, loader))
    const plugin = checkPlugin(candidate, label, version)
    const { name } = plugin.manifest
    if (registration.name !== undefined && registration.name !== name) {
      throw invalid(
        'plugin_invalid',
        `${place} names the plugin "${registration.name}", but its manifest says "${name}".`,
        `Write name: '${name}', or leave the name out.`,
      )
    }
    if (loaded.some((other) => other.name === name)) {
      throw invalid('plugin_duplicate', `Two plugins are named "${name}".`, 'Configure it once, in config.plugins.')
    }
    loaded.push({ name, plugin, options: await checkOptions(plugin, registration.options) })
  }
  return loaded
}

type Registration = {
  /** Path or package name; undefined for an inline plugin. */
  readonly source?: string
  readonly plugin?: unknown
  readonly name?: string
  readonly enabled: boolean
  readonly options?: unknown
}

const ENTRY_KEYS = ['resolve', 'plugin', 'name', 'enabled', 'options']

function readEntry(entry: unknown, place: string): Registration {
  if (typeof entry === 'string' && entry !== '') return { source: entry, enabled: true }
  if (isObject(entry) && 'manifest' in entry) return { plugin: entry, enabled: true }
  if (!isObject(entry)) {
    throw invalid(
      'plugin_invalid',
      `${place} is no plugin.`,
      'Write a path, { resolve: "…" }, or what a plugin function returns, such as pull({ … }).',
    )
  }
  for (const key of Object.keys(entry)) {
    if (ENTRY_KEYS.includes(key)) continue
    const near = nearest(key, ENTRY_KEYS)
    throw invalid(
      'plugin_invalid',
      `${place} holds the unknown key "${key}".`,
      near === undefined ? `Keys: ${ENTRY_KEYS.join(', ')}.` : `Did you mean "${near}"?`,
    )
  }
  const { resolve: source, plugin, name, enabled = true, options } = entry
  if ((source === undefined) === (plugin === undefined)) {
    throw invalid('plugin_invalid', `${place} needs either "resolve" or "plugin".`, undefined)
  }
  if (source !== undefined && (typeof source !== 'string' || source === '')) {
    throw invalid('plugin_invalid', `${place}.resolve must be a path or the name of a package.`, undefined)
  }
  if (name !== undefined && (typeof name !== 'string' || name === '')) {
    throw invalid('plugin_invalid', `${place}.name must be a text that is not empty.`, undefined)
  }
  if (typeof enabled !== 'boolean')
    throw invalid('plugin_invalid', `${place}.enabled must be true or false.`, undefined)
  return { source, plugin, name, enabled, options }
}

async function loadModule(source: string, config: ResolvedConfig, loader: ModuleLoader): Promise<unknown> {
  const local = resolve(config.root, source)
  const isPath = source.startsWith('.') || isAbsolute(source) || existsSync(local)
  try {
    const exports = await loader.load(isPath ? local : source)
    const named = Object.values(exports).find((value) => isObject(value) && 'manifest' in value)
    const byDefault = exports.default
    return isObject(byDefault) && 'manifest' in byDefault ? byDefault : (exports.plugin ?? named ?? byDefault)
  } catch (error) {
    if (!(error instanceof ModuleLoadError)) throw error
    const details = { plugin: source, location: error.location }
    // An import inside of the plugin may be missing as well; that is the plugin's fault, not the config's.
    const isMissing = [local, source].some((name) => error.reason.includes(`'${name}'`))
    if (error.kind === 'missing_import' && isMissing) {
      throw new ChkitError('plugin_not_found', `Plugin "${source}" was not found from ${config.root}.`, {
        hint: isPath ? 'Paths start at the config file’s folder.' : `Install it: npm install ${source}`,
        details,
        cause: error,
      })
    }
    const reason = error.kind === 'missing_import' ? `${error.reason} (${error.location})` : error.message
    throw new ChkitError('plugin_invalid', `Plugin "${source}" could not be loaded: ${reason}`, {
      details,
      cause: error,
    })
  }
}

/** The value as a plugin. Throws `plugin_invalid` and `plugin_incompatible`; `label` says where it came from. */
function checkPlugin(value: unknown, label: string, version: string): Plugin {
  if (!isObject(value) || !isObject(value.manifest)) {
    const what = isObject(value) ? 'an object without a manifest' : `a ${typeof value}`
    throw invalid(
      'plugin_invalid',
      value === undefined ? `${label} exports no plugin.` : `${label} is no plugin, but ${what}.`,
      typeof value === 'function'
        ? 'Call it in the config, plugins: [name({ … })], or export what it returns.'
        : "Export it: `export default definePlugin({ manifest: { name: '…', apiVersion: 1 } })`.",
    )
  }
  const { manifest } = value
  if (typeof manifest.name !== 'string' || manifest.name.trim() === '') {
    throw invalid(
      'plugin_invalid',
      `The plugin of ${label} has no name: its manifest's "name" must not be empty.`,
      undefined,
    )
  }
  const { name } = manifest
  if (manifest.apiVersion !== PLUGIN_API_VERSION) {
    throw invalid(
      'plugin_incompatible',
      `Plugin "${name}" is made for plugin API ${String(manifest.apiVersion)}, this chkit has ${PLUGIN_API_VERSION}.`,
      'Install a version of the plugin that fits.',
    )
  }
  checkCompatibility(name, manifest.compatibility, version)
  checkHooks(name, value.hooks)
  checkCommands(name, value.commands)
  for (const extension of readList(name, 'extendCommands', value.extendCommands)) {
    const names = isObject(extension) && (Array.isArray(extension.command) ? extension.command : [extension.command])
    if (!isObject(extension) || !names || names.some((one) => typeof one !== 'string')) {
      throw invalid(
        'plugin_invalid',
        `Plugin "${name}": each of extendCommands needs "command" and "flags".`,
        undefined,
      )
    }
    checkFlags(name, `extendCommands of "${names.join('", "')}"`, extension.flags)
  }
  if (value.options !== undefined && !isValueSchema(value.options)) {
    throw invalid(
      'plugin_invalid',
      `Plugin "${name}": "options" must be a schema, such as one of zod 3.24 or later.`,
      undefined,
    )
  }
  // Every field that the host reads has been looked at.
  return value as unknown as Plugin
}

function checkCompatibility(name: string, compatibility: unknown, version: string): void {
  const cli = isObject(compatibility) && isObject(compatibility.cli) ? compatibility.cli : {}
  const major = Number.parseInt(version, 10)
  const { minMajor, maxMajor } = cli
  const tooOld = typeof minMajor === 'number' && major < minMajor
  const tooNew = typeof maxMajor === 'number' && major > maxMajor
  if (!tooOld && !tooNew) return
  const range = [
    typeof minMajor === 'number' ? `at least ${minMajor}` : undefined,
    typeof maxMajor === 'number' ? `at most ${maxMajor}` : undefined,
  ]
  throw invalid(
    'plugin_incompatible',
    `Plugin "${name}" needs chkit of major version ${range.filter(Boolean).join(' and ')}; this is ${version}.`,
    tooOld ? 'Install a newer chkit.' : 'Install a newer version of the plugin.',
  )
}

function checkHooks(name: string, hooks: unknown): void {
  if (hooks === undefined) return
  if (!isObject(hooks)) throw invalid('plugin_invalid', `Plugin "${name}": "hooks" must be an object.`, undefined)
  for (const [hook, call] of Object.entries(hooks)) {
    if (!(HOOKS as readonly string[]).includes(hook)) {
      const near = nearest(hook, HOOKS)
      throw invalid(
        'plugin_invalid',
        `Plugin "${name}" has the unknown hook "${hook}".`,
        near === undefined ? `Hooks: ${HOOKS.join(', ')}.` : `Did you mean "${near}"?`,
      )
    }
    if (call !== undefined && typeof call !== 'function') {
      throw invalid('plugin_invalid', `Plugin "${name}": hook "${hook}" must be a function.`, undefined)
    }
  }
}

function checkCommands(name: string, commands: unknown): void {
  const seen = new Set<string>()
  let defaults = 0
  for (const command of readList(name, 'commands', commands)) {
    if (!isObject(command) || typeof command.name !== 'string' || !isWord(command.name)) {
      throw invalid(
        'plugin_invalid',
        `Plugin "${name}": each command needs a name of letters, digits and dashes.`,
        undefined,
      )
    }
    const label = `command "${command.name}"`
    if (seen.has(command.name)) {
      throw invalid('plugin_command_conflict', `Plugin "${name}" defines the ${label} twice.`, undefined)
    }
    seen.add(command.name)
    if (typeof command.run !== 'function') {
      throw invalid('plugin_invalid', `Plugin "${name}": ${label} needs a "run" function.`, undefined)
    }
    if (typeof command.description !== 'string') {
      throw invalid('plugin_invalid', `Plugin "${name}": ${label} needs a "description".`, undefined)
    }
    if (!['read', 'files', 'database'].includes(String(command.effect))) {
      throw invalid(
        'plugin_invalid',
        `Plugin "${name}": ${label} must declare its effect: "read", "files" or "database".`,
        undefined,
      )
    }
    if ((command as PluginCommand).default === true && ++defaults > 1) {
      throw invalid('plugin_invalid', `Plugin "${name}" has more than one default command.`, undefined)
    }
    checkFlags(name, label, command.flags)
  }
}

function checkFlags(name: string, label: string, flags: unknown): void {
  for (const flag of readList(name, `flags of ${label}`, flags)) {
    if (!isObject(flag) || typeof flag.name !== 'string' || !isWord(flag.name)) {
      throw invalid(
        'plugin_invalid',
        `Plugin "${name}": a flag of ${label} has no valid name.`,
        'Write it bare: "dry-run".',
      )
    }
    const { type, schema } = flag as Partial<FlagDef>
    if (type !== 'boolean' && type !== 'string' && type !== 'string[]') {
      throw invalid(
        'plugin_invalid',
        `Plugin "${name}": flag "${flag.name}" of ${label} must be of type "boolean", "string" or "string[]".`,
        undefined,
      )
    }
    if (typeof flag.description !== 'string') {
      throw invalid(
        'plugin_invalid',
        `Plugin "${name}": flag "${flag.name}" of ${label} needs a "description".`,
        undefined,
      )
    }
    if (schema !== undefined && !isValueSchema(schema)) {
      throw invalid('plugin_invalid', `Plugin "${name}": the schema of flag "${flag.name}" is none.`, undefined)
    }
  }
}

function readList(name: string, field: string, value: unknown): readonly unknown[] {
  if (value === undefined) return []
  if (Array.isArray(value)) return value
  throw invalid('plugin_invalid', `Plugin "${name}": ${field} must be a list.`, undefined)
}

async function checkOptions(plugin: Plugin, given: unknown): Promise<unknown> {
  const options = given ?? {}
  if (plugin.options === undefined) return options
  const result = await plugin.options['~standard'].validate(options)
  if (result.issues === undefined) return result.value
  const { name } = plugin.manifest
  const sentences = result.issues.map((issue) => optionSentence(issue, name))
  throw new ChkitError('plugin_option_invalid', sentences.join('\n'), {
    details: {
      plugin: name,
      issues: result.issues.map((issue) => ({ option: pathOf(issue), message: issue.message })),
    },
  })
}

function optionSentence(issue: ValueIssue, name: string): string {
  const path = pathOf(issue)
  const message = issue.message.replace(/\.$/, '')
  return `Invalid plugin option${path === '' ? 's' : ` "${path}"`} for plugin "${name}": ${message}.`
}

function pathOf(issue: ValueIssue): string {
  return (issue.path ?? []).map((step) => String(typeof step === 'object' ? step.key : step)).join('.')
}

function isValueSchema(value: unknown): value is ValueSchema {
  // A schema of zod's own kind is an object; other libraries have callable ones.
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false
  const standard = (value as { readonly '~standard'?: unknown })['~standard']
  return isObject(standard) && typeof standard.validate === 'function'
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isWord(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(text)
}

function invalid(code: ErrorCode, message: string, hint: string | undefined): ChkitError {
  return new ChkitError(code, message, { hint })
}
