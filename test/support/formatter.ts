import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Session } from 'chdb'

/** The engine's formatter over many texts at once. Close it when done: a process holds one engine. */
export interface Formatter {
  /** `formatQuerySingleLine` of each text, in order; `undefined` where the engine cannot parse it. */
  readonly format: (texts: readonly string[]) => (string | undefined)[]
  readonly close: () => void
}

const MAX_BATCH_CHARS = 60_000

/** Starts an embedded engine in a temporary folder. */
export function startFormatter(): Formatter {
  const folder = mkdtempSync(join(tmpdir(), 'chkit-format-'))
  const session = new Session(folder)
  const run = (batch: readonly string[]): (string | undefined)[] => {
    const rows = batch.map((text) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`).join(',')
    const sql = `SELECT arrayJoin(arrayMap(x -> formatQuerySingleLineOrNull(x), [${rows}])) SETTINGS max_query_size = 100000000`
    const out = session.query(sql, 'JSONCompactEachRow')
    return out
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => (JSON.parse(line) as [string | null])[0] ?? undefined)
  }
  return {
    format(texts) {
      const results: (string | undefined)[] = []
      let batch: string[] = []
      let size = 0
      for (const text of texts) {
        batch.push(text)
        size += text.length
        if (size < MAX_BATCH_CHARS) continue
        results.push(...run(batch))
        batch = []
        size = 0
      }
      if (batch.length > 0) results.push(...run(batch))
      return results
    },
    close() {
      session.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
