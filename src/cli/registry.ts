/**
 * The registry: one list of plain command objects, from which dispatch, help, completion and the docs' command pages
 * come. How a command is made:
 *
 * - `src/commands/<name>.ts` exports `command: CommandDef`: name, description, effect, flags, examples. It is loaded on
 *   every start, so it imports types, `flag-values.ts` and nothing else, and its `run` imports the handler dynamically.
 * - `src/commands/<name>.run.ts` exports `run(context: CommandContext): Promise<CommandResult>`. It returns
 *   `{ payload, text, exitCode? }` or throws a ChkitError; it prints nothing itself besides `context.note`,
 *   `context.warn` and `context.progress`.
 * - The command is listed below, its payload gets a zod schema in `payloads.ts`, its page is `docs/commands/<name>.md`.
 */
import { command as check } from '../commands/check.js'
import { command as completion } from '../commands/completion.js'
import { command as drift } from '../commands/drift.js'
import { command as generate } from '../commands/generate.js'
import { command as graph } from '../commands/graph.js'
import { command as help } from '../commands/help.js'
import { command as init } from '../commands/init.js'
import { command as migrate } from '../commands/migrate.js'
import { command as plugin } from '../commands/plugin.js'
import { command as status } from '../commands/status.js'
import { command as version } from '../commands/version.js'
import { ChkitError } from '../errors.js'
import { nearest } from '../nearest.js'
import type { CommandDef, FlagDef, RegisteredCommand, RegisteredFlag, Registry } from '../plugin-host/command.js'

/** Every command of the core, in the order of a project's life. */
export const CORE_COMMANDS: readonly CommandDef[] = [
  init,
  generate,
  migrate,
  status,
  drift,
  check,
  graph,
  plugin,
  completion,
  help,
  version,
]

/** The flags that every command takes. */
export const GLOBAL_FLAGS: readonly FlagDef[] = [
  {
    name: 'config',
    type: 'string',
    placeholder: '<path>',
    description: 'Config file. Default: clickhouse.config.ts in the working directory.',
  },
  { name: 'json', type: 'boolean', description: 'Print one JSON document on stdout and everything else on stderr.' },
  {
    name: 'table',
    type: 'string',
    placeholder: '<selector>',
    description: 'Only these objects: table, prefix*, database.table or database.prefix*.',
  },
  {
    name: 'mode',
    type: 'string',
    placeholder: '<name>',
    description: 'Handed to the config function. Default: CHKIT_MODE, else development.',
  },
  { name: 'help', type: 'boolean', description: 'Show help for the command (also -h).' },
]

/**
 * Plugins known by name before they are configured, so that their commands can answer how to configure them. Data only:
 * the core holds none of their code.
 */
export const OFFICIAL_PLUGINS: Readonly<Record<string, { readonly import: string; readonly does: string }>> = {
  pull: { import: 'chkit/plugins/pull', does: 'writes the live database as a TypeScript schema' },
  codegen: { import: 'chkit/plugins/codegen', does: 'writes TypeScript types from the schema' },
  backfill: { import: 'chkit/plugins/backfill', does: 'copies rows in time windows' },
}

/** What a plugin brings: commands under their full names, and flags for commands of the core. */
export type PluginContribution = {
  readonly plugin: string
  readonly commands: readonly Omit<RegisteredCommand, 'plugin'>[]
  readonly extensions: readonly { readonly command: string; readonly flags: readonly FlagDef[] }[]
}

/**
 * The core's commands merged with what plugins bring. Throws `plugin_command_conflict` and `plugin_flag_conflict`, naming
 * both sides, and `plugin_invalid` for an extension of a command that is none of the core's.
 */
export function createRegistry(contributions: readonly PluginContribution[] = []): Registry {
  const core = CORE_COMMANDS.map((command) => registerCore(command, contributions))
  for (const { plugin: name, extensions } of contributions) {
    for (const extension of extensions) requireCoreCommand(name, extension.command)
  }
  const commands: RegisteredCommand[] = [...core]
  for (const contribution of contributions) {
    for (const command of contribution.commands) {
      const registered = { ...command, plugin: contribution.plugin }
      requireFreeName(commands, registered)
      requireFreeFlags(registered.name, `plugin "${contribution.plugin}"`, registered.flags)
      commands.push(registered)
    }
  }
  return { commands, globalFlags: GLOBAL_FLAGS }
}

function registerCore(command: CommandDef, contributions: readonly PluginContribution[]): RegisteredCommand {
  const flags: RegisteredFlag[] = [...(command.flags ?? [])]
  const owners = new Map<string, string>()
  for (const flag of [...GLOBAL_FLAGS, ...flags]) for (const name of spellings(flag)) owners.set(name, 'chkit itself')
  for (const { plugin: name, extensions } of contributions) {
    for (const extension of extensions.filter((candidate) => candidate.command === command.name)) {
      for (const flag of extension.flags) {
        for (const spelling of spellings(flag)) {
          const owner = owners.get(spelling)
          if (owner !== undefined) throw flagConflict(spelling, command.name, `plugin "${name}"`, owner)
          owners.set(spelling, `plugin "${name}"`)
        }
        flags.push({ ...flag, addedBy: name })
      }
    }
  }
  return {
    name: command.name,
    aliases: [],
    description: command.description,
    effect: command.effect,
    config: command.config ?? 'required',
    arguments: command.arguments,
    argumentChoices: command.argumentChoices,
    details: command.details,
    examples: command.examples ?? [],
    flags,
    run: command.run,
  }
}

/** Every bare name that a flag takes on the command line. */
function spellings(flag: FlagDef): string[] {
  const negated = flag.negation ? [`no-${flag.name}`] : []
  return [flag.name, ...(flag.aliases ?? []), ...negated]
}

function requireFreeFlags(command: string, owner: string, flags: readonly FlagDef[]): void {
  const owners = new Map<string, string>()
  for (const flag of GLOBAL_FLAGS) for (const name of spellings(flag)) owners.set(name, 'chkit itself')
  for (const flag of flags) {
    for (const name of spellings(flag)) {
      const taken = owners.get(name)
      if (taken !== undefined) throw flagConflict(name, command, owner, taken)
      owners.set(name, owner)
    }
  }
}

function flagConflict(flag: string, command: string, added: string, owner: string): ChkitError {
  const message =
    added === owner
      ? `Flag --${flag} of "chkit ${command}" is defined twice by ${owner}.`
      : `Flag --${flag} of "chkit ${command}" is defined by ${owner} and by ${added}.`
  return new ChkitError('plugin_flag_conflict', message, {
    hint: 'Rename the flag in one of them, or configure only one.',
    details: { flag, command, owners: [owner, added] },
  })
}

function requireFreeName(commands: readonly RegisteredCommand[], added: RegisteredCommand): void {
  // A plugin called `generate` would turn the words `generate x` from a command with an argument into another command.
  const firstWord = added.name.split(' ', 1)[0] as string
  const coreNames = CORE_COMMANDS.map((command) => command.name)
  for (const name of [added.name, ...added.aliases, ...coreNames.filter((core) => core === firstWord)]) {
    const taken = commands.find((command) => command.name === name || command.aliases.includes(name))
    if (taken === undefined) continue
    const owner = taken.plugin === undefined ? 'chkit itself' : `plugin "${taken.plugin}"`
    throw new ChkitError(
      'plugin_command_conflict',
      `Command "chkit ${name}" is defined by ${owner} and by plugin "${added.plugin}".`,
      { hint: 'Rename the command or the plugin.', details: { command: name, owners: [owner, added.plugin] } },
    )
  }
}

function requireCoreCommand(pluginName: string, command: string): void {
  const names = CORE_COMMANDS.map((candidate) => candidate.name)
  if (names.includes(command)) return
  const near = nearest(command, names)
  throw new ChkitError('plugin_invalid', `Plugin "${pluginName}" adds flags to the unknown command "${command}".`, {
    hint: near === undefined ? `Commands that can be extended: ${names.join(', ')}.` : `Did you mean "${near}"?`,
  })
}

/**
 * The command that the words call, and how many of the words are its name; the longest name wins. `plugin <plugin>
 * [<command>]` calls a plugin's command as well. Undefined when no command matches.
 */
export function findCommand(
  registry: Registry,
  words: readonly string[],
): { readonly command: RegisteredCommand; readonly wordCount: number } | undefined {
  if (words[0] === 'plugin' && words[1] !== undefined) {
    const called = findPluginCommand(registry, words[1], words[2])
    if (called !== undefined) return { command: called.command, wordCount: called.wordCount + 1 }
  }
  for (let wordCount = Math.min(2, words.length); wordCount > 0; wordCount--) {
    const name = words.slice(0, wordCount).join(' ')
    const command = registry.commands.find((candidate) => candidate.name === name || candidate.aliases.includes(name))
    if (command !== undefined) return { command, wordCount }
  }
  return undefined
}

function findPluginCommand(
  registry: Registry,
  pluginName: string,
  commandName: string | undefined,
): { readonly command: RegisteredCommand; readonly wordCount: number } | undefined {
  if (commandName === undefined) return undefined
  // `chkit plugin codegen codegen` names a command that is called `chkit codegen` at top level.
  const names = commandName === pluginName ? [pluginName] : [`${pluginName} ${commandName}`]
  const command = registry.commands.find(
    (candidate) => candidate.plugin === pluginName && names.some((name) => candidate.name === name),
  )
  return command === undefined ? undefined : { command, wordCount: 2 }
}
