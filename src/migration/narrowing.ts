import type { Executor } from '../clickhouse/executor.js'
import { typeText } from '../model/type.js'
import { classifyTypeChange } from '../plan/type-change.js'
import type { Identifier, IdentifierPart } from '../sql/ast.js'
import type { AlterCommand } from '../sql/ast-ddl.js'
import type { StatementOperation } from '../sql/effects.js'
import { whereIn } from './evidence.js'
import type { MigrationStatement, ParsedMigration } from './migration-file.js'

/** A conversion of a stored column by which values change or are lost without an error. */
export type Narrowing = {
  readonly migration: ParsedMigration
  readonly statement: MigrationStatement
  readonly operation: StatementOperation
}

type Alter = {
  readonly migration: ParsedMigration
  readonly statement: MigrationStatement
  readonly database: string
  readonly table: string
  readonly commands: readonly AlterCommand[]
}

type LiveColumn = { readonly type: string; readonly defaultKind: string }

/**
 * The conversions of `migrations` that lose values, told from the types that the columns have now: the statement alone
 * does not say what it converts from. Tables that are not there yet hold nothing to lose. Throws connection codes.
 */
export async function findNarrowings(
  executor: Executor,
  migrations: readonly ParsedMigration[],
): Promise<readonly Narrowing[]> {
  const alters = migrations.flatMap((migration) =>
    migration.statements.flatMap((statement) => alterOf(migration, statement, executor.database)),
  )
  if (!alters.some(({ commands }) => commands.some(convertedType))) return []
  const columns = await readColumns(executor, alters)
  return alters.flatMap((alter) => alter.commands.flatMap((command) => narrowingsOf(alter, command, columns)))
}

function alterOf(migration: ParsedMigration, statement: MigrationStatement, current: string): Alter[] {
  const { node } = statement
  if (node.kind !== 'alter' || node.object !== 'TABLE') return []
  const [database, table] = [node.name.database ?? current, node.name.name]
  if (typeof database !== 'string' || typeof table !== 'string') return []
  return [{ migration, statement, database, table, commands: node.commands }]
}

/** The type that a column is given; undefined where the command gives none. */
function convertedType(command: AlterCommand): string | undefined {
  if (command.kind !== 'modifyColumn' || command.column.type === undefined) return undefined
  const type = typeText(command.column.type)
  return command.column.nullability === 'NULL' ? `Nullable(${type})` : type
}

const keyOf = (alter: Alter, column: string) => JSON.stringify([alter.database, alter.table, column])

async function readColumns(executor: Executor, alters: readonly Alter[]): Promise<Map<string, LiveColumn>> {
  const tables = new Map(
    alters.map(({ database, table }) => [JSON.stringify([database, table]), { database, name: table }]),
  )
  const rows = await executor.query<{
    database: string
    table: string
    name: string
    type: string
    default_kind: string
  }>(
    `SELECT database, table, name, type, default_kind FROM system.columns WHERE ${whereIn([...tables.values()], 'table')}`,
  )
  return new Map(
    rows.map(({ database, table, name, type, default_kind: defaultKind }) => [
      JSON.stringify([database, table, name]),
      { type, defaultKind },
    ]),
  )
}

/** What the command loses. Carries its rename or its type into `columns`, for the commands that come after it. */
function narrowingsOf(alter: Alter, command: AlterCommand, columns: Map<string, LiveColumn>): Narrowing[] {
  if (command.kind === 'renameColumn') {
    const column = columns.get(keyOf(alter, textOf(command.from)))
    if (column !== undefined) columns.set(keyOf(alter, textOf(command.to)), column)
    return []
  }
  const to = convertedType(command)
  if (command.kind !== 'modifyColumn' || to === undefined) return []
  const { name, default: given } = command.column
  const column = columns.get(keyOf(alter, name))
  if (column === undefined) return []
  const defaultKind = given?.kind ?? column.defaultKind
  columns.set(keyOf(alter, name), { type: to, defaultKind })
  // What parts do not hold cannot be lost.
  if ([column.defaultKind, defaultKind].some((kind) => kind === 'ALIAS' || kind === 'EPHEMERAL')) return []
  const { way, loss } = classifyTypeChange(name, column.type, to, defaultKind === 'DEFAULT')
  if (way === 'refused' || loss === undefined) return []
  const operation: StatementOperation = {
    type: 'alter_table_modify_column',
    key: `table:${alter.database}.${alter.table}:column:${name}`,
    risk: 'danger',
    warningCode: 'modify_column_data_loss',
    reason: `Column ${name} is converted from ${column.type} to ${to}: ${loss}.`,
    object: { kind: 'table', database: alter.database, name: alter.table },
  }
  return [{ migration: alter.migration, statement: alter.statement, operation }]
}

function textOf({ parts }: Identifier): string {
  const text = (part: IdentifierPart) => (typeof part === 'string' ? part : '')
  return parts.map(text).join('.')
}
