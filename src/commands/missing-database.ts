import type { JournalState } from '../migration/journal.js'
import type { CommandContext } from '../plugin-host/command.js'

/**
 * Warns where nothing is applied because the configured database is not there: a wrong name or server would else read
 * like a project that was never applied. Asks nothing of a journal that is a file, or that holds something.
 */
export async function warnOfMissingDatabase(context: CommandContext, journal: JournalState): Promise<void> {
  const { clickhouse, journal: kept } = context.config
  if (clickhouse === undefined || kept.store !== 'table' || journal.applied.length > 0) return
  const { database, target, server } = await context.connection()
  if ((await server()).databaseExists) return
  const where = clickhouse.url.startsWith('http') ? ', or this account may not see it' : ''
  context.warn(`Database ${database} does not exist on ${target}${where}; chkit migrate --apply creates it.`)
}
