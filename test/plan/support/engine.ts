/** The embedded engine as the judge of what is rendered. One session per process: one data directory. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Session } from 'chdb'
import { definitionFromStatement, sortedByKey } from '../../../src/model/canonical.js'
import type { Model } from '../../../src/model/definition.js'
import type { Setting } from '../../../src/sql/ast.js'
import type { Statement } from '../../../src/sql/ast-ddl.js'
import { printExpression } from '../../../src/sql/print.js'
import { quoteIdentifier, quoteString } from '../../../src/sql/quote.js'
import { parseStatement, printStatement } from '../../../src/sql/statement.js'

export type Engine = {
  /** Runs one statement; returns its rows as TSV without the last line break. */
  readonly run: (sql: string) => string
  /** Drops the databases that cases use, and all SQL functions. */
  readonly clear: () => void
  /** The text of every object in those databases by `db.name`, and of functions, in the form that equal objects share. */
  readonly show: () => Record<string, string>
  /** What the server shows, read into the model as introspection does. */
  readonly read: () => Model
  readonly close: () => void
}

/** With `cluster`, a cluster of that name, of one host that does not answer. */
export function startEngine(databases: readonly string[] = ['d', 'd2'], cluster?: string): Engine {
  const directory = mkdtempSync(join(tmpdir(), 'chkit-plan-'))
  const session = new Session(join(directory, 'data'), { connectionArgs: engineArguments(directory, cluster) })
  const list = databases.map(quoteString).join(', ')
  const run = (sql: string) => String(session.query(sql, 'TSVRaw') ?? '').replace(/\n$/, '')
  const rows = (sql: string) =>
    session
      .query(sql, 'JSONCompactEachRow')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as string[])
  const objects = () =>
    rows(
      `SELECT concat(database, '.', name), create_table_query FROM system.tables WHERE database IN (${list}) AND NOT match(name, '^\\\\.(tmp\\\\.)?inner|^_tmp_replace_')
       UNION ALL SELECT name, create_query FROM system.functions WHERE origin = 'SQLUserDefined'`,
    )
  const innerTables = () =>
    rows(
      `SELECT concat('inner table of ', v.database, '.', v.name), replace(t.create_table_query, t.name, 'inner')
       FROM system.tables AS t INNER JOIN system.tables AS v ON t.name = concat('.inner_id.', toString(v.uuid))
       WHERE t.database IN (${list}) AND v.database IN (${list})`,
    )
  return {
    run,
    clear: () => {
      for (const [name] of rows("SELECT name FROM system.functions WHERE origin = 'SQLUserDefined'"))
        run(`DROP FUNCTION ${quoteIdentifier(name!)}`)
      for (const database of databases)
        run(`DROP DATABASE IF EXISTS ${quoteIdentifier(database)} SYNC SETTINGS check_table_dependencies = 0`)
    },
    show: () =>
      Object.fromEntries(
        [...objects(), ...innerTables()]
          .map(([name, text]): [string, string] => [name!, comparable(text!)])
          .sort(([a], [b]) => (a < b ? -1 : 1)),
      ),
    read: () => {
      const texts = objects().map(([, text]) => text!)
      for (const [name, engine, comment] of rows(
        `SELECT name, engine_full, comment FROM system.databases WHERE name IN (${list})`,
      ))
        texts.push(
          `CREATE DATABASE ${quoteIdentifier(name!)} ENGINE = ${engine}${comment === '' ? '' : ` COMMENT ${quoteString(comment!)}`}`,
        )
      return { definitions: sortedByKey(texts.map((text) => definitionFromStatement(text, { currentDatabase: 'd' }))) }
    },
    close: () => {
      session.cleanup()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

function engineArguments(directory: string, cluster: string | undefined): string[] {
  if (cluster === undefined) return []
  const file = join(directory, 'engine.xml')
  const host = '<shard><replica><host>localhost</host><port>1</port></replica></shard>'
  writeFileSync(file, `<clickhouse><remote_servers><${cluster}>${host}</${cluster}></remote_servers></clickhouse>`)
  return [`--config-file=${file}`]
}

/**
 * The text of an object in the one form that equal objects share. What is levelled here, and why a created object and
 * one altered to the same state may differ in it (reference: alter-matrix 5.3):
 * - EPHEMERAL without an expression shows `defaultValueOfTypeName` once an ALTER has touched the column;
 * - the primary key stays in the text once the sorting key was modified, also when both are equal again;
 * - settings stand in the order in which they came;
 * - constraints have no FIRST or AFTER, so a changed one goes to the end;
 * - EmbeddedRocksDB writes out `optimize_for_bulk_insert` once an ALTER has touched the table;
 * - an empty COMMENT stays in the text of CREATE, and ALTER removes it;
 * - a view without SQL SECURITY is one with INVOKER;
 * - the inner table of a materialized view keeps its columns as they are, which the plan says.
 */
function comparable(text: string): string {
  const { node, warnings } = parseStatement(text)
  if (warnings.length > 0) throw new Error(`the engine's own text is not followed: ${text}`)
  return printStatement(levelled(node))
}

function levelled(node: Statement): Statement {
  if (node.kind !== 'createTable' && node.kind !== 'createView') return node
  const { storage, elements } = node
  const isInner = node.kind === 'createTable' ? node.name.name === 'inner' : storage !== undefined
  const print = (key: NonNullable<typeof storage>['orderBy']) => key && printExpression(key)
  const saysNothing =
    node.kind === 'createView' &&
    node.view === 'VIEW' &&
    node.sqlSecurity?.security === 'INVOKER' &&
    node.sqlSecurity.definer === undefined
  return {
    ...node,
    ...(saysNothing && { sqlSecurity: undefined }),
    comment: node.comment === '' ? undefined : node.comment,
    ...(storage && {
      storage: {
        ...storage,
        primaryKey: print(storage.primaryKey) === print(storage.orderBy) ? undefined : storage.primaryKey,
        settings: withoutImplied(storage.settings),
      },
    }),
    ...(elements && {
      elements: {
        ...elements,
        constraints: [...elements.constraints].sort((a, b) => (a.name < b.name ? -1 : 1)),
        columns: (isInner ? [] : elements.columns).map((column) => {
          const isImplied =
            column.default?.kind === 'EPHEMERAL' &&
            column.default.expression?.kind === 'function' &&
            column.default.expression.name === 'defaultValueOfTypeName'
          return isImplied ? { ...column, default: { kind: 'EPHEMERAL' as const } } : column
        }),
      },
    }),
  }
}

function withoutImplied(settings: readonly Setting[] | undefined): readonly Setting[] | undefined {
  const own = (settings ?? []).filter(({ name }) => name !== 'optimize_for_bulk_insert')
  return own.length === 0 ? undefined : own.sort((a, b) => (a.name < b.name ? -1 : 1))
}
