import type { Executor } from '../../src/clickhouse/executor.js'
import { quoteString } from '../../src/sql/quote.js'

/** Statements per query: the text of one query must stay below the server's `max_query_size`. */
const BATCH = 100

/** What `formatQuerySingleLine` of the engine makes of each text; null where it refuses it. */
export async function formatAll(engine: Executor, texts: readonly string[]): Promise<(string | null)[]> {
  const formatted: (string | null)[] = []
  for (let from = 0; from < texts.length; from += BATCH) {
    const list = texts
      .slice(from, from + BATCH)
      .map(quoteString)
      .join(', ')
    const rows = await engine.query<{ f: string | null }>(
      `SELECT formatQuerySingleLineOrNull(arrayJoin([${list}])) AS f`,
    )
    for (const row of rows) formatted.push(row.f)
  }
  return formatted
}
