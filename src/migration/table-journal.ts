import type { Executor, QuerySettings } from '../clickhouse/executor.js'
import { hasAsyncInsert } from '../clickhouse/features.js'
import { ServerError } from '../clickhouse/server-error.js'
import { ChkitError } from '../errors.js'
import { quoteIdentifierIfNeeded, quoteQualified, quoteString } from '../sql/quote.js'
import { type Journal, type JournalEntry, type StatementEvent, statementTable } from './journal.js'
import { syncReplica } from './sync-replica.js'

/** 60 UNKNOWN_TABLE and 81 UNKNOWN_DATABASE: nothing was written yet. */
const MISSING: ReadonlySet<number> = new Set([60, 81])

/** UNKNOWN_IDENTIFIER, and NO_SUCH_COLUMN_IN_TABLE of older servers. */
const NO_COLUMN: ReadonlySet<number> = new Set([47, 16])

type Own = { readonly name: string; readonly qualified: string; readonly columns: (moment: string) => Columns }

async function rowsOrNone<Row>(executor: Executor, own: Own, sql: string, settings: QuerySettings): Promise<Row[]> {
  try {
    return await executor.query<Row>(sql, { settings })
  } catch (error) {
    if (error instanceof ServerError && MISSING.has(error.clickhouseCode)) return []
    if (error instanceof ServerError && NO_COLUMN.has(error.clickhouseCode)) throw await altered(executor, own, error)
    throw error
  }
}

/** Someone has changed the journal's columns: what is missing, and the statement that brings it back. */
async function altered(executor: Executor, { name, qualified, columns }: Own, cause: ServerError): Promise<ChkitError> {
  const where = `database = ${quoteString(executor.database)} AND table = ${quoteString(name)}`
  const found = await executor.query<{ name: string }>(`SELECT name FROM system.columns WHERE ${where}`)
  const present = new Set(found.map((column) => column.name))
  const missing = columns(await momentType(executor)).filter(([column]) => !present.has(column))
  if (missing.length === 0) return cause
  const names = missing.map(([column]) => column).join(', ')
  return new ChkitError(
    'journal_corrupt',
    `The table ${qualified} is a journal without the columns that it needs: ${names}.`,
    {
      hint: `Restore it from a backup, or at least its shape: ALTER TABLE ${qualified} ${missing.map(([column, type]) => `ADD COLUMN ${column} ${type}`).join(', ')}`,
      details: { table: qualified, missingColumns: missing.map(([column]) => column) },
      cause,
    },
  )
}

async function momentType(executor: Executor): Promise<string> {
  return (await executor.server()).major < 20 ? "DateTime('UTC')" : "DateTime64(3, 'UTC')"
}

/** Reads of a SharedMergeTree (ClickHouse Cloud) show what was written through any node only when asked to. */
const SHARED: QuerySettings = { select_sequential_consistency: 1 }

/** `2026-01-31 12:00:00.000` of a UTC column as ISO 8601. */
function isoOf(text: string): string {
  return text === '' ? '' : `${text.replace(' ', 'T')}Z`
}

/** ISO 8601 as the server reads it; `digits` of a second, 0 or 3. */
function serverTime(iso: string, digits: 0 | 3): string {
  return iso
    .replace('T', ' ')
    .replace('Z', '')
    .slice(0, digits === 0 ? 19 : 23)
}

/** The engine of a table in the configured database; empty where there is no such table. */
async function engineOf(executor: Executor, name: string): Promise<string> {
  const where = `database = ${quoteString(executor.database)} AND name = ${quoteString(name)}`
  const rows = await executor.query<{ engine: string }>(`SELECT engine FROM system.tables WHERE ${where}`)
  return rows[0]?.engine ?? ''
}

async function hasTable(executor: Executor, name: string): Promise<boolean> {
  return (await engineOf(executor, name)) !== ''
}

/** Creates the configured database where it is missing; on a cluster, everywhere. Throws the server's refusal. */
export async function createDatabase(executor: Executor, journalTable: string, cluster?: string): Promise<void> {
  const exists = await executor.query(`SELECT 1 FROM system.databases WHERE name = ${quoteString(executor.database)}`)
  // That it exists here says nothing of the other nodes of a cluster; that a run has been there before does.
  if (exists.length > 0 && (cluster === undefined || (await hasTable(executor, journalTable)))) return
  const onCluster = cluster === undefined ? '' : ` ON CLUSTER ${quoteIdentifierIfNeeded(cluster)}`
  await executor.command(`CREATE DATABASE IF NOT EXISTS ${quoteIdentifierIfNeeded(executor.database)}${onCluster}`)
}

type Columns = readonly (readonly [name: string, type: string])[]

function createTable(qualified: string, columns: Columns, orderBy: string, suffix: Storage): string {
  const list = columns.map(([name, type]) => `${name} ${type}`).join(', ')
  return `CREATE TABLE IF NOT EXISTS ${qualified}${suffix.cluster} (${list}) ENGINE = ${suffix.engine} ORDER BY (${orderBy})`
}

type Storage = { readonly cluster: string; readonly engine: string }

/**
 * Replicated where a cluster is configured, so that every node sees the same history: all nodes are replicas of one
 * table, whatever their shards. The path is spelled out because older servers know no `{database}` and `{table}`.
 */
async function storageOf(executor: Executor, table: string, cluster: string | undefined): Promise<Storage> {
  if (cluster === undefined) return { cluster: '', engine: 'MergeTree' }
  const rows = await executor.query<{ macro: string }>('SELECT macro FROM system.macros')
  const macros = new Set(rows.map((row) => row.macro))
  // Names of replicas need not differ between shards.
  const replica = macros.has('shard') ? '{shard}-{replica}' : '{replica}'
  const path = `/clickhouse/chkit/${encodeURIComponent(executor.database)}/${encodeURIComponent(table)}`
  return {
    cluster: ` ON CLUSTER ${quoteIdentifierIfNeeded(cluster)}`,
    engine: `ReplicatedMergeTree(${quoteString(path)}, '${replica}')`,
  }
}

/**
 * The journal in the table `<database>.<table>`, its statements in `<table>_statements` beside it. Both only ever grow.
 * With a `cluster` both are replicated over it.
 */
export function openTableJournal(executor: Executor, table: string, cluster?: string): Journal {
  const applied = quoteQualified(executor.database, table)
  const statements = quoteQualified(executor.database, statementTable(table))
  const lines: Own = { name: statementTable(table), qualified: statements, columns: statementColumns }
  let digits: 0 | 3 = 3
  const create = async (qualified: string, name: string, columns: Columns, orderBy: string) => {
    // Asked first: on a cluster a replica that is down would keep even an IF NOT EXISTS waiting.
    if (!(await hasTable(executor, name))) {
      const storage = await storageOf(executor, name, cluster)
      await executor.command(createTable(qualified, columns, orderBy, storage))
    }
    if (cluster !== undefined) await syncReplica(executor, qualified)
  }
  return {
    store: 'table',
    location: `${executor.database}.${table}`,
    read: async (what) => {
      const engine = await engineOf(executor, statementTable(table))
      // Another node may have written what this one has not fetched yet: less than all would run statements twice.
      if (engine.startsWith('Replicated')) {
        await syncReplica(executor, applied)
        await syncReplica(executor, statements)
      }
      const settings = engine.startsWith('Shared') ? SHARED : {}
      return {
        applied: await readApplied(executor, { name: table, qualified: applied, columns: appliedColumns }, settings),
        statements: what?.statements === false ? [] : await readStatements(executor, lines, settings),
      }
    },
    prepare: async () => {
      await createDatabase(executor, table, cluster)
      const moment = await momentType(executor)
      digits = moment.startsWith('DateTime64') ? 3 : 0
      await create(applied, table, appliedColumns(moment), 'name')
      await create(statements, statementTable(table), statementColumns(moment), 'migration, statement, sequence')
    },
    recordStatements: async (events) => {
      await executor.insert(statements, numbered(events, digits), { settings: await writtenAtOnce(executor) })
    },
    recordApplied: async (entry) => {
      const row = {
        name: entry.name,
        applied_at: serverTime(entry.appliedAt, digits),
        checksum: entry.checksum,
        chkit_version: entry.chkitVersion,
      }
      await executor.insert(applied, [row], { settings: await writtenAtOnce(executor) })
    },
  }
}

/** A line that the server only holds in memory is none: the account's default may be not to wait for it. */
async function writtenAtOnce(executor: Executor): Promise<QuerySettings> {
  return hasAsyncInsert(await executor.server()) ? { async_insert: 0 } : {}
}

/** The first four are contract: the tables of existing projects have them. */
function appliedColumns(moment: string): Columns {
  return [
    ['name', 'String'],
    ['applied_at', moment],
    ['checksum', 'String'],
    ['chkit_version', 'String'],
  ]
}

function statementColumns(moment: string): Columns {
  return [
    ['migration', 'String'],
    ['statement', 'UInt32'],
    ['outcome', 'String'],
    ['at', moment],
    ['sequence', 'UInt64'],
    ['hash', 'String'],
    ['query_id', 'String'],
    ['evidence', 'String'],
    ['epoch', 'UInt64'],
    ['runner', 'String'],
    ['message', 'String'],
  ]
}

let lastSequence = 0

/** Rows with a number that orders them: microseconds of their time, always growing within this process. */
function numbered(events: readonly StatementEvent[], digits: 0 | 3): Record<string, unknown>[] {
  return events.map((event) => {
    lastSequence = Math.max(lastSequence + 1, Date.parse(event.at) * 1000)
    return {
      migration: event.migration,
      statement: event.statement,
      outcome: event.outcome,
      at: serverTime(event.at, digits),
      sequence: lastSequence,
      hash: event.hash,
      query_id: event.queryId,
      evidence: event.evidence,
      epoch: event.epoch,
      runner: event.runner,
      message: event.message,
    }
  })
}

async function readApplied(executor: Executor, own: Own, settings: QuerySettings): Promise<JournalEntry[]> {
  type Row = { name: string; applied_at: string; checksum: string; chkit_version: string }
  const sql = `SELECT name, toString(applied_at) AS applied_at, checksum, chkit_version FROM ${own.qualified} ORDER BY name, applied_at`
  const rows = await rowsOrNone<Row>(executor, own, sql, settings)
  // The first row of a name counts: it is when the migration ran.
  const first = new Map<string, JournalEntry>()
  for (const row of rows) {
    if (first.has(row.name)) continue
    first.set(row.name, {
      name: row.name,
      appliedAt: isoOf(row.applied_at),
      checksum: row.checksum,
      chkitVersion: row.chkit_version,
    })
  }
  return [...first.values()]
}

async function readStatements(executor: Executor, own: Own, settings: QuerySettings): Promise<StatementEvent[]> {
  type Row = Omit<StatementEvent, 'queryId'> & { query_id: string; sequence: number | string }
  const columns =
    'migration, statement, outcome, toString(at) AS at, sequence, hash, query_id, evidence, epoch, runner, message'
  const rows = await rowsOrNone<Row>(
    executor,
    own,
    `SELECT ${columns} FROM ${own.qualified} ORDER BY sequence`,
    settings,
  )
  // A clock that lags behind that of the run before must not sort new lines before old ones.
  lastSequence = rows.reduce((newest, row) => Math.max(newest, Number(row.sequence)), lastSequence)
  return rows.map(({ query_id, sequence: _, ...row }) => ({
    ...row,
    at: isoOf(row.at),
    queryId: query_id,
    epoch: Number(row.epoch),
  }))
}
