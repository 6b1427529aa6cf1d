import type { CommandDef } from '../plugin-host/command.js'

/** `chkit status`: migration files against the journal. */
export const command: CommandDef = {
  name: 'status',
  description: 'Show which migrations are applied, pending, missing or edited.',
  effect: 'read',
  flags: [],
  examples: [{ line: 'chkit status --json', description: 'The same for a script.' }],
  run: async (context) => (await import('./status.run.js')).run(context),
}
