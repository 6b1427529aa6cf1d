import type { CommandDef } from '../plugin-host/command.js'

/** `chkit drift`: the applied snapshot against the live database. */
export const command: CommandDef = {
  name: 'drift',
  description: 'Compare the live database with what the applied migrations led to.',
  effect: 'read',
  flags: [{ name: 'exit-code', type: 'boolean', description: 'Exit with 1 when there is drift.' }],
  examples: [
    { line: 'chkit drift', description: 'Show what was changed by hand.' },
    { line: 'chkit drift --table app.events --exit-code', description: 'One table, failing on drift.' },
  ],
  run: async (context) => (await import('./drift.run.js')).run(context),
}
