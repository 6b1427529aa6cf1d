import type { CommandDef } from '../plugin-host/command.js'
import { migrationId, positiveInteger, seconds } from './flag-values.js'

/** `chkit migrate`: pending migration files onto the database, statement by statement. */
export const command: CommandDef = {
  name: 'migrate',
  description: 'Show the pending migrations, or apply them.',
  effect: 'database',
  flags: [
    {
      name: 'apply',
      type: 'boolean',
      aliases: ['execute'],
      description: 'Apply the pending migrations. Without it they are listed only.',
    },
    {
      name: 'allow-destructive',
      type: 'boolean',
      description: 'Allow statements that lose rows or objects.',
    },
    {
      name: 'to',
      type: 'string',
      placeholder: '<id>',
      description: 'Stop after this migration.',
      schema: migrationId,
    },
    {
      name: 'lock-timeout',
      type: 'string',
      placeholder: '<s>',
      description: 'Seconds to wait for another run that holds the migration lock.',
      schema: seconds,
    },
    {
      name: 'allow-out-of-order',
      type: 'boolean',
      description: 'Take pending files that sort before the newest applied one.',
    },
    {
      name: 'concurrency',
      type: 'string',
      placeholder: '<n>',
      description: 'Statements sent at a time where they depend on nothing of each other. Default: 4.',
      schema: positiveInteger,
    },
    {
      name: 'resolve',
      type: 'string',
      placeholder: '<id>:<n>=done|retry',
      description: 'Say of statement n of a half-done migration whether it has run.',
    },
    {
      name: 'unlock',
      type: 'boolean',
      description: 'Break the migration lock of a run that is dead, after a typed confirmation.',
    },
  ],
  examples: [
    { line: 'chkit migrate', description: 'List what would be applied.' },
    { line: 'chkit migrate --apply', description: 'Apply all pending migrations.' },
    { line: 'chkit migrate --apply --allow-destructive --json', description: 'Apply in CI, drops included.' },
  ],
  run: async (context) => (await import('./migrate.run.js')).run(context),
}
