import { ChkitError } from '../errors.js'
import { nearest } from '../nearest.js'
import type {
  CommandContext,
  CommandResult,
  Effect,
  FlagDef,
  RegisteredCommand,
  RegisteredFlag,
  Registry,
  Style,
} from '../plugin-host/command.js'
import { alignColumns, wrapText } from './text-table.js'

const EFFECTS: readonly { readonly effect: Effect; readonly title: string }[] = [
  { effect: 'files', title: 'Commands that write project files' },
  { effect: 'read', title: 'Commands that only read' },
  { effect: 'database', title: 'Commands that change the database' },
]

/** How one flag is spelled in help: `--name <slug>`, `--[no-]emit-zod`, with its other spellings. */
export function flagUsage(flag: FlagDef): string {
  const value = flag.type === 'boolean' ? '' : ` ${flag.placeholder ?? '<value>'}`
  const names = [flag.name, ...(flag.aliases ?? [])].map((name) => `--${flag.negation ? '[no-]' : ''}${name}`)
  return `${names.join(', ')}${value}`
}

function flagDescription(flag: RegisteredFlag, style: Style): string {
  const choices = flag.choices === undefined ? '' : ` One of: ${flag.choices.join(', ')}.`
  const owner = flag.addedBy === undefined ? '' : style.dim(` (plugin ${flag.addedBy})`)
  return `${flag.description}${choices}${owner}`
}

/** The line that shows how a command is called, without `chkit`. */
export function commandUsage(command: RegisteredCommand): string {
  const parts = [command.name, command.arguments, command.flags.length > 0 ? '[flags]' : undefined]
  return parts.filter(Boolean).join(' ')
}

/** Help for the whole program: all commands, grouped by what they touch. */
export function renderOverview(registry: Registry, version: string, style: Style, lineWidth?: number): string {
  const lines = [
    `${style.bold('chkit')} ${style.dim(version)}  Schema as code for ClickHouse.`,
    '',
    `${style.bold('Usage')}  chkit <command> [flags]`,
  ]
  const width = Math.max(...registry.commands.map((command) => command.name.length))
  for (const { effect, title } of EFFECTS) {
    const commands = registry.commands.filter((command) => command.effect === effect)
    if (commands.length === 0) continue
    const rows = commands.map((command) => [
      style.cyan(command.name.padEnd(width)),
      command.description + (command.plugin === undefined ? '' : style.dim(` (plugin ${command.plugin})`)),
    ])
    lines.push('', style.bold(title), ...alignColumns(rows, '  ', lineWidth))
  }
  const flags = registry.globalFlags.map((flag) => [style.cyan(flagUsage(flag)), flagDescription(flag, style)])
  lines.push('', style.bold('Flags of every command'), ...alignColumns(flags, '  ', lineWidth))
  lines.push('', style.dim('chkit <command> --help shows the flags of one command.'))
  return lines.join('\n')
}

/** Help for one command; `globalFlags` empty leaves their list out. */
export function renderCommand(
  command: RegisteredCommand,
  globalFlags: readonly FlagDef[],
  style: Style,
  lineWidth?: number,
): string {
  const effect = { read: 'changes nothing', files: 'writes project files', database: 'changes the database' }
  const lines = [command.description, '', `${style.bold('Usage')}  chkit ${commandUsage(command)}`]
  if (command.aliases.length > 0) lines.push(`${style.bold('Also')}   chkit ${command.aliases.join(', chkit ')}`)
  lines.push(`${style.bold('Effect')} ${effect[command.effect]}`)
  const section = (title: string, flags: readonly RegisteredFlag[]) => {
    if (flags.length === 0) return
    const rows = flags.map((flag) => [style.cyan(flagUsage(flag)), flagDescription(flag, style)])
    lines.push('', style.bold(title), ...alignColumns(rows, '  ', lineWidth))
  }
  section('Flags', command.flags)
  section('Flags of every command', globalFlags)
  if (command.details !== undefined)
    lines.push('', ...command.details.split('\n').flatMap((line) => wrapText(line, lineWidth)))
  if (command.examples.length > 0) {
    const rows = command.examples.map(({ line, description }) => [style.cyan(line), style.dim(description)])
    lines.push('', style.bold('Examples'), ...alignColumns(rows, '  ', lineWidth))
  }
  return lines.join('\n')
}

/** What the registry says of commands, for `--json`. */
export function describeCommands(commands: readonly RegisteredCommand[]): readonly Readonly<Record<string, unknown>>[] {
  return commands.map((command) => ({
    name: command.name,
    aliases: command.aliases,
    description: command.description,
    effect: command.effect,
    usage: `chkit ${commandUsage(command)}`,
    ...(command.plugin === undefined ? {} : { plugin: command.plugin }),
    flags: command.flags.map(describeFlag),
  }))
}

function describeFlag(flag: RegisteredFlag): Readonly<Record<string, unknown>> {
  const { name, type, description, placeholder, negation, choices, aliases, addedBy } = flag
  const plugin = addedBy === undefined ? {} : { plugin: addedBy }
  return { name, type, description, placeholder, negation, choices, aliases, ...plugin }
}

/** Help for the words behind `help`: nothing, a command, or a plugin with several commands. Throws `unknown_command`. */
export function helpFor(
  words: readonly string[],
  registry: Registry,
  version: string,
  style: Style,
  lineWidth?: number,
): CommandResult {
  if (words.length === 0) {
    const payload = {
      version,
      commands: describeCommands(registry.commands),
      globalFlags: registry.globalFlags.map(describeFlag),
    }
    return { payload, text: renderOverview(registry, version, style, lineWidth) }
  }
  const name = words.join(' ')
  const exact = registry.commands.find((command) => command.name === name)
  const chosen = exact === undefined ? registry.commands.filter((command) => command.plugin === name) : [exact]
  if (chosen.length === 0) throw unknownCommand(words[0] as string, registry)
  const text = chosen
    .map((command, index) =>
      renderCommand(command, index === chosen.length - 1 ? registry.globalFlags : [], style, lineWidth),
    )
    .join(`\n\n${style.dim('─'.repeat(60))}\n\n`)
  return {
    payload: { version, commands: describeCommands(chosen), globalFlags: registry.globalFlags.map(describeFlag) },
    text,
  }
}

/** The error for a word that calls nothing, with the nearest command. */
export function unknownCommand(word: string, registry: Registry): ChkitError {
  const names = registry.commands.flatMap((command) => [command.name, ...command.aliases])
  const near = nearest(word, [...names, ...new Set(names.map((name) => name.split(' ', 1)[0] as string))])
  return new ChkitError('unknown_command', `Unknown command "${word}".`, {
    hint: near === undefined ? 'Run `chkit --help` for the commands.' : `Did you mean \`chkit ${near}\`?`,
    details: { command: word, ...(near === undefined ? {} : { suggestion: near }) },
  })
}

/** `chkit help`. */
export async function run(context: CommandContext): Promise<CommandResult> {
  return helpFor(context.args, context.registry, context.version, context.style, context.width)
}
