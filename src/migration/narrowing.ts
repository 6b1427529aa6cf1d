import type { Executor } from '../clickhouse/executor.js'
import { typeText } from '../model/type.js'
import { classifyTypeChange } from '../plan/type-change.js'
import type { Identifier, IdentifierPart } from '../sql/ast.js'
import type { AlterCommand } from '../sql/ast-ddl.js'
import type { StatementOperation } from '../sql/effects.js'
import { whereIn } from './evidence.js'
import { followNames, type LiveName } from './live-names.js'
import type { MigrationStatement, ParsedMigration } from './migration-file.js'
import { type ObjectRef, refKey } from './proof.js'

/** A conversion of a stored column by which values change or are lost without an error. */
export type Narrowing = {
  readonly migration: ParsedMigration
  readonly statement: MigrationStatement
  readonly operation: StatementOperation
  /** As the statement names it. */
  readonly table: ObjectRef
  /** As the server calls it now. */
  readonly live: ObjectRef
}

type Alter = Omit<Narrowing, 'operation'> & { readonly commands: readonly AlterCommand[] }

type LiveColumn = { readonly type: string; readonly defaultKind: string }

/**
 * The conversions of `migrations` that lose values, told from the types that the columns have now: the statement alone
 * does not say what it converts from. Tables that are not there yet hold nothing to lose. Throws connection codes.
 */
export async function findNarrowings(
  executor: Executor,
  migrations: readonly ParsedMigration[],
): Promise<readonly Narrowing[]> {
  const alters: Alter[] = []
  followNames(migrations, executor.database, (migration, statement, live) => {
    const alter = alterOf(migration, statement, executor.database, live)
    if (alter !== undefined) alters.push(alter)
  })
  if (!alters.some(({ commands }) => commands.some(convertedType))) return []
  const columns = await readColumns(executor, alters)
  return alters.flatMap((alter) => alter.commands.flatMap((command) => narrowingsOf(alter, command, columns)))
}

function alterOf(
  migration: ParsedMigration,
  statement: MigrationStatement,
  current: string,
  liveName: LiveName,
): Alter | undefined {
  const { node } = statement
  if (node.kind !== 'alter' || node.object !== 'TABLE') return undefined
  const [database, name] = [node.name.database ?? current, node.name.name]
  if (typeof database !== 'string' || typeof name !== 'string') return undefined
  const table = { database, name }
  const live = liveName(table)
  return live === undefined ? undefined : { migration, statement, table, live, commands: node.commands }
}

/** The type that a column is given; undefined where the command gives none. */
function convertedType(command: AlterCommand): string | undefined {
  if (command.kind !== 'modifyColumn' || command.column.type === undefined) return undefined
  const type = typeText(command.column.type)
  return command.column.nullability === 'NULL' ? `Nullable(${type})` : type
}

const keyOf = ({ live }: Alter, column: string) => JSON.stringify([live.database, live.name, column])

async function readColumns(executor: Executor, alters: readonly Alter[]): Promise<Map<string, LiveColumn>> {
  const tables = new Map(alters.map(({ live }) => [refKey(live), live]))
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
    key: `table:${alter.table.database}.${alter.table.name}:column:${name}`,
    risk: 'danger',
    warningCode: 'modify_column_data_loss',
    reason: `Column ${name} is converted from ${column.type} to ${to}: ${loss}.`,
    object: { kind: 'table', ...alter.table },
  }
  const { commands: _, ...at } = alter
  return [{ ...at, operation }]
}

function textOf({ parts }: Identifier): string {
  const text = (part: IdentifierPart) => (typeof part === 'string' ? part : '')
  return parts.map(text).join('.')
}
