import type { CommandDef } from '../plugin-host/command.js'

/** `chkit plugin`: the configured plugins and their commands. Running one is done by dispatch. */
export const command: CommandDef = {
  name: 'plugin',
  description: 'List the configured plugins and their commands, or run one.',
  effect: 'read',
  flags: [],
  arguments: '[<plugin> [<command> ...]]',
  examples: [
    { line: 'chkit plugin', description: 'List the configured plugins.' },
    { line: 'chkit plugin backfill', description: 'List the commands of one plugin.' },
    { line: 'chkit plugin backfill status --plan-id 0123456789abcdef', description: 'Run one.' },
  ],
  run: async (context) => (await import('./plugin.run.js')).run(context),
}
