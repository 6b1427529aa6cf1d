import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { removeFolder, temporaryFolder } from './engine.js'

type Session = { query(sql: string, format: string): string; cleanup(): void }
const { Session } = createRequire(import.meta.url)('chdb') as {
  Session: new (path: string, options: { readonly connectionArgs: readonly string[] }) => Session
}

/** ClickHouse in this process, as it is: statements in, text out. One at a time; the process stands in its folder. */
export type ChdbSession = {
  /** The answer as text without its last line break. Throws what the engine refuses. */
  query(sql: string): string
  close(): void
}

/** An empty engine in a folder of its own; `config` is the inside of its configuration file. */
export function openSession(config = ''): ChdbSession {
  const home = process.cwd()
  const folder = temporaryFolder()
  // Some engines make their files where the process stands.
  process.chdir(folder)
  const file = join(folder, 'config.xml')
  writeFileSync(file, `<clickhouse>${config}</clickhouse>`)
  const session = new Session(join(folder, 'data'), { connectionArgs: [`--config-file=${file}`] })
  return {
    query: (sql) => session.query(sql, 'TSVRaw').replace(/\n$/, ''),
    close() {
      session.cleanup()
      process.chdir(home)
      removeFolder(folder)
    },
  }
}
