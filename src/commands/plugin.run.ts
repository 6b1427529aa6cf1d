import { ChkitError } from '../errors.js'
import { nearest } from '../nearest.js'
import type { CommandContext, CommandResult, RegisteredCommand } from '../plugin-host/command.js'
import { describeCommands } from './help.run.js'
import { alignColumns } from './text-table.js'

/** `chkit plugin`: lists. A command of a plugin is run by dispatch; words that reach this handler name none. */
export async function run(context: CommandContext): Promise<CommandResult> {
  const { names } = context.plugins
  const [pluginName, commandName] = context.args
  if (names.length === 0) {
    throw new ChkitError('no_plugins_configured', 'No plugins configured. Add entries to config.plugins first.', {
      hint: "For example: plugins: [pull({ outFile: './src/db/schema/pulled.ts' })], from 'chkit/plugins/pull'.",
    })
  }
  if (pluginName === undefined) return listPlugins(context)
  if (!names.includes(pluginName)) throw unknown('plugin', pluginName, names)
  const commands = commandsOf(context, pluginName)
  if (commandName !== undefined) {
    throw unknown(
      `command of plugin "${pluginName}"`,
      commandName,
      commands.map((command) => shortName(command)),
    )
  }
  return listCommands(context, pluginName, commands)
}

function commandsOf(context: CommandContext, pluginName: string): readonly RegisteredCommand[] {
  return context.registry.commands.filter((command) => command.plugin === pluginName)
}

function shortName(command: RegisteredCommand): string {
  return command.name.split(' ').at(-1) as string
}

function unknown(what: string, name: string, known: readonly string[]): ChkitError {
  const near = nearest(name, known)
  const available = known.length > 0 ? known.join(', ') : 'none'
  return new ChkitError('plugin_unknown', `Unknown ${what} "${name}". Available: ${available}.`, {
    hint: near === undefined ? undefined : `Did you mean "${near}"?`,
    details: { name, available: known },
  })
}

function listPlugins(context: CommandContext): CommandResult {
  const { style } = context
  const plugins = context.plugins.names.map((name) => ({ name, commands: commandsOf(context, name) }))
  const rows = plugins.map(({ name, commands }) => [
    style.cyan(name),
    commands.length === 0 ? style.dim('no commands') : commands.map((command) => `chkit ${command.name}`).join(', '),
  ])
  return {
    payload: { plugins: plugins.map(({ name, commands }) => ({ name, commands: describeCommands(commands) })) },
    text: [style.bold('Plugins'), ...alignColumns(rows, '  ')].join('\n'),
  }
}

function listCommands(context: CommandContext, name: string, commands: readonly RegisteredCommand[]): CommandResult {
  const { style } = context
  const rows = commands.map((command) => [
    style.cyan(`chkit ${command.name}`),
    command.description,
    style.dim(command.effect),
  ])
  const list = rows.length === 0 ? [style.dim('  It has no commands.')] : alignColumns(rows, '  ')
  return {
    payload: { plugin: name, commands: describeCommands(commands) },
    text: [`${style.bold('Commands of plugin')} ${style.bold(name)}`, ...list].join('\n'),
  }
}
