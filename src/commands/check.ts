import type { CommandDef } from '../plugin-host/command.js'

/** `chkit check`: the gate for CI. */
export const command: CommandDef = {
  name: 'check',
  description: 'Fail when migrations are pending, edited or missing, or when the database drifted.',
  effect: 'read',
  flags: [{ name: 'strict', type: 'boolean', description: 'Set every policy, whatever the config relaxes.' }],
  examples: [{ line: 'chkit check --strict --json', description: 'The gate of a CI job.' }],
  run: async (context) => (await import('./check.run.js')).run(context),
}
