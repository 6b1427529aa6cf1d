import type { CommandDef } from '../plugin-host/command.js'

/** `chkit init`: a config and an example schema file where there are none. */
export const command: CommandDef = {
  name: 'init',
  description: 'Write clickhouse.config.ts and an example schema where missing.',
  effect: 'files',
  config: 'none',
  flags: [],
  examples: [{ line: 'chkit init', description: 'Start a project in this folder.' }],
  run: async (context) => (await import('./init.run.js')).run(context),
}
