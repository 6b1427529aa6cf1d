import { ChkitError } from '../errors.js'
import type { CommandDef } from '../plugin-host/command.js'
import { migrationId, seconds } from './flag-values.js'

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
  ],
  examples: [
    { line: 'chkit migrate', description: 'List what would be applied.' },
    { line: 'chkit migrate --apply', description: 'Apply all pending migrations.' },
    { line: 'chkit migrate --apply --allow-destructive --json', description: 'Apply in CI, drops included.' },
  ],
  run: () => Promise.reject(new ChkitError('internal_error', 'chkit migrate is not part of this build.')),
}
