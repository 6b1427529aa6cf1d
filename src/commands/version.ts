import type { CommandDef } from '../plugin-host/command.js'

/** `chkit version`: the version of the running chkit. */
export const command: CommandDef = {
  name: 'version',
  description: 'Print the version.',
  effect: 'read',
  config: 'none',
  flags: [],
  examples: [{ line: 'chkit --version', description: 'The same, without loading anything else.' }],
  run: async (context) => ({ payload: { version: context.version }, text: context.version }),
}
