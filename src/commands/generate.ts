import type { CommandDef } from '../plugin-host/command.js'
import { migrationId } from './flag-values.js'

/** `chkit generate`: schema files against the newest snapshot, the difference as a migration file. */
export const command: CommandDef = {
  name: 'generate',
  description: 'Write a migration for what changed in the schema since the last one.',
  effect: 'files',
  flags: [
    { name: 'name', type: 'string', placeholder: '<slug>', description: 'Name of the migration file, behind its id.' },
    {
      name: 'migration-id',
      type: 'string',
      placeholder: '<id>',
      description: 'Id of the migration instead of the current UTC time.',
      schema: migrationId,
    },
    {
      name: 'rename-table',
      type: 'string[]',
      placeholder: '<db.old=db.new>',
      description: 'Plan a rename of a table instead of a drop and a create. Comma-separated or repeated.',
    },
    {
      name: 'rename-column',
      type: 'string[]',
      placeholder: '<db.table.old=new>',
      description: 'Plan a rename of a column instead of a drop and an add. Comma-separated or repeated.',
    },
    { name: 'dryrun', type: 'boolean', description: 'Show the plan and write nothing.' },
    { name: 'empty', type: 'boolean', description: 'Write a migration to be filled in by hand.' },
    {
      name: 'allow-recreate',
      type: 'boolean',
      description: 'Drop and create a table where ClickHouse cannot change it in place. Its rows are lost.',
    },
  ],
  examples: [
    { line: 'chkit generate --name add_users', description: 'Write the next migration.' },
    { line: 'chkit generate --dryrun --json', description: 'Show the plan as JSON and write nothing.' },
    {
      line: 'chkit generate --rename-column app.users.mail=email',
      description: 'Keep the data of a column whose name changed.',
    },
  ],
  run: async (context) => (await import('./generate.run.js')).run(context),
}
