import type { CommandDef } from '../plugin-host/command.js'

/** `chkit help`: all commands, or one in full. */
export const command: CommandDef = {
  name: 'help',
  description: 'Show all commands, or one in full.',
  effect: 'read',
  config: 'optional',
  flags: [],
  arguments: '[<command> ...]',
  examples: [{ line: 'chkit help generate', description: 'The flags of one command.' }],
  run: async (context) => (await import('./help.run.js')).run(context),
}
