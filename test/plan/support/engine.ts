/** The embedded engine as the judge of what is rendered. One session per process: one data directory. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Session } from 'chdb'
import { definitionFromStatement, sortedByKey } from '../../../src/model/canonical.js'
import type { Model } from '../../../src/model/definition.js'

export type Engine = {
  /** Runs one statement; returns its rows as TSV without the last line break. */
  readonly run: (sql: string) => string
  /** Drops the databases that cases use. */
  readonly clear: () => void
  /** `create_table_query` of every object in those databases, by `db.name`, in the form that equal objects share. */
  readonly show: () => Record<string, string>
  /** What the server shows, read into the model as introspection does. */
  readonly read: () => Model
  readonly close: () => void
}

const DATABASES = ['d', 'd2']

export function startEngine(): Engine {
  const directory = mkdtempSync(join(tmpdir(), 'chkit-plan-'))
  const session = new Session(directory)
  const run = (sql: string) =>
    String(session.query(sql, sql.endsWith('JSONEachRow') ? 'JSONEachRow' : 'TSVRaw') ?? '').replace(/\n$/, '')
  return {
    run,
    clear: () => {
      for (const name of run("SELECT name FROM system.functions WHERE origin = 'SQLUserDefined'").split('\n'))
        if (name !== '') run(`DROP FUNCTION ${name}`)
      for (const database of DATABASES)
        run(`DROP DATABASE IF EXISTS ${database} SYNC SETTINGS check_table_dependencies = 0`)
    },
    show: () => {
      const rows = run(
        `SELECT concat(database, '.', name), create_table_query FROM system.tables WHERE database IN ('d', 'd2') AND name NOT LIKE '.inner%' ORDER BY 1`,
      )
      const objects: Record<string, string> = {}
      for (const row of rows.split('\n')) {
        if (row === '') continue
        const tab = row.indexOf('\t')
        objects[row.slice(0, tab)] = comparable(row.slice(tab + 1))
      }
      return objects
    },
    read: () => {
      const rows = run(
        `SELECT create_table_query FROM system.tables WHERE database IN ('d', 'd2') AND name NOT LIKE '.inner%' UNION ALL SELECT create_query FROM system.functions WHERE origin = 'SQLUserDefined' UNION ALL SELECT concat('CREATE DATABASE ', name, ' ENGINE = ', engine_full, if(comment = '', '', concat(' COMMENT ', '\\'', comment, '\\''))) FROM system.databases WHERE name IN ('d', 'd2') FORMAT JSONEachRow`,
      )
      const texts = rows
        .split('\n')
        .filter(Boolean)
        .map((row) => String(Object.values(JSON.parse(row))[0]))
      return { definitions: sortedByKey(texts.map((text) => definitionFromStatement(text, { currentDatabase: 'd' }))) }
    },
    close: () => {
      session.cleanup()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** What differs between an object created and one altered to the same state (reference: alter-matrix 5.3). */
function comparable(text: string): string {
  return text
    .replace(' SETTINGS optimize_for_bulk_insert = true', '')
    .replace(/ EPHEMERAL defaultValueOfTypeName\('[^']*'\)/g, ' EPHEMERAL')
    .replace(/ PRIMARY KEY (?:\([^)]*\)|\S+)(?= ORDER BY)/, '')
    .replace(
      / SETTINGS ((?:\w+ = (?:'[^']*'|[^ ,')]+)(?:, )?)+)/,
      (_, list: string) => ` SETTINGS ${list.split(', ').sort().join(', ')}`,
    )
}
