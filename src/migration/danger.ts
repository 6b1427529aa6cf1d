import type { Executor } from '../clickhouse/executor.js'
import { readTableSizes, type TableSize } from '../clickhouse/table-sizes.js'
import { ChkitError } from '../errors.js'
import { followNames, type LiveName } from './live-names.js'
import type { MigrationStatement, ParsedMigration } from './migration-file.js'
import { findNarrowings } from './narrowing.js'
import type { ObjectRef } from './proof.js'

/** One dangerous operation of a pending migration, as the payload shows it. */
export type DestructiveOperation = {
  readonly migration: string
  /** One-based number and line of its statement. */
  readonly statement: number
  readonly line: number
  readonly type: string
  readonly key: string
  readonly risk: 'danger'
  readonly warningCode: string
  readonly reason: string
  /** A sentence with the rows and bytes that are there now. */
  readonly impact: string
  /** Null where the server does not count them. */
  readonly rows: number | null
  /** On disk. */
  readonly bytes: number | null
  readonly recommendation: string
  readonly summary: string
}

type Operation = MigrationStatement['effects']['operations'][number]
/** What an operation acts on: an object, or the whole of a database where the name is empty. */
type Target = {
  /** As the statement names it. */
  readonly named: ObjectRef
  /** As the server calls it now; undefined where the migrations make it themselves. */
  readonly live: ObjectRef | undefined
}

type Found = {
  readonly migration: ParsedMigration
  readonly statement: MigrationStatement
  readonly operation: Operation
  /** Undefined where its text does not tell. */
  readonly target: Target | undefined
}

const NOT_NAMED = 'destructive_operation_review_required'

/** Dangerous where the target holds rows: a new one holds none. */
const REPLACED_BY_REFRESH = 'refresh_replaces_rows'

const RECOMMENDATIONS: Readonly<Record<string, string>> = {
  drop_table_data_loss:
    'Make sure that nothing reads the table any more, and keep a copy of its rows (BACKUP, or RENAME it away first).',
  drop_column_irreversible:
    'Make sure that no query, view or dictionary reads the column, and copy its values if they may be needed.',
  modify_column_data_loss:
    'Make sure that no stored value is changed by it: count those that the new type cannot hold, or convert into a new column.',
  drop_view_dependency_break:
    'Make sure that nothing reads the view; a materialized view stops filling its target, and what it holds itself is lost.',
  [REPLACED_BY_REFRESH]: 'Give the view a target of its own, or APPEND, where these rows are to stay.',
  [NOT_NAMED]: 'Read the statement and make sure that what it removes is not needed.',
}

function dangerous(migrations: readonly ParsedMigration[], current: string): Found[] {
  const found: Found[] = []
  followNames(migrations, current, (migration, statement, live) => {
    for (const operation of statement.effects.operations) {
      if (operation.risk === 'danger' || operation.warningCode === REPLACED_BY_REFRESH)
        found.push({ migration, statement, operation, target: targetOf(operation, current, live) })
    }
  })
  return found
}

/** In the order in which they would run. */
function inOrder(migrations: readonly ParsedMigration[], found: readonly Found[]): Found[] {
  const place = new Map(migrations.map((migration, index) => [migration, index]))
  const at = (one: Found) => place.get(one.migration) ?? 0
  return [...found].sort((a, b) => at(a) - at(b) || a.statement.number - b.statement.number)
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']

/** `12.3 KiB`. */
export function formatBytes(bytes: number): string {
  const power = Math.min(UNITS.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(bytes, 1)) / 10)))
  const value = bytes / 1024 ** power
  return `${power === 0 ? value : value.toFixed(1)} ${UNITS[power]}`
}

/** `1,234`. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+(?!\d))/g, ',')
}

/** Kinds of objects that hold rows, or stand for what does. */
const HOLDERS: ReadonlySet<string> = new Set(['table', 'view', 'materialized_view', 'dictionary', 'database'])

function targetOf({ object }: Operation, current: string, live: LiveName): Target | undefined {
  if (object === undefined || !HOLDERS.has(object.kind)) return undefined
  const whole = { database: object.name, name: '' }
  if (object.kind === 'database') return { named: whole, live: whole }
  const named = { database: object.database ?? current, name: object.name }
  return { named, live: live(named) }
}

const textOf = ({ database, name }: ObjectRef) => (name === '' ? `Database ${database}` : `${database}.${name}`)

function impactOf(target: Target | undefined, size: TableSize | undefined): string {
  if (target === undefined) return 'What it touches cannot be told from its text.'
  const named = textOf(target.named)
  if (target.live === undefined) return `${named} is what these migrations make of it; nothing of it is there now.`
  const live = textOf(target.live)
  const held = size === undefined || size.rows === 0 ? 'no rows' : `${rowCount(size.rows)} (${formatBytes(size.bytes)})`
  return live === named ? `${named} holds ${held} now.` : `${named} is ${live} now, which holds ${held}.`
}

const rowCount = (rows: number) => `${formatCount(rows)} row${rows === 1 ? '' : 's'}`

/** The dangerous operations of `migrations`, with what is there now. Throws connection codes. */
export async function findDestructive(
  executor: Executor,
  migrations: readonly ParsedMigration[],
): Promise<DestructiveOperation[]> {
  const narrowings = (await findNarrowings(executor, migrations)).map(({ table, live, ...one }) => ({
    ...one,
    target: { named: table, live },
  }))
  const found = inOrder(migrations, [...dangerous(migrations, executor.database), ...narrowings])
  const known = found.flatMap(({ target }) => (target?.live === undefined ? [] : [target.live]))
  const read = await readTableSizes(executor, known)
  const sizes = new Map(known.map((target, index) => [target, read[index]]))
  return found.flatMap(({ migration, statement, operation, target }) => {
    const size = target?.live === undefined ? undefined : sizes.get(target.live)
    const warningCode = operation.warningCode ?? NOT_NAMED
    const { object } = operation
    const isRowless = object !== undefined && !HOLDERS.has(object.kind)
    const impact = isRowless ? `A ${object.kind.replaceAll('_', ' ')} holds no rows.` : impactOf(target, size)
    if (warningCode === REPLACED_BY_REFRESH && (size?.rows ?? 0) === 0) return []
    return {
      migration: migration.name,
      statement: statement.number,
      line: statement.line,
      type: operation.type,
      key: operation.key,
      risk: 'danger',
      warningCode,
      reason: operation.reason,
      impact,
      rows: target === undefined ? null : (size?.rows ?? 0),
      bytes: target === undefined ? null : (size?.bytes ?? 0),
      recommendation: RECOMMENDATIONS[warningCode] ?? RECOMMENDATIONS[NOT_NAMED] ?? '',
      summary: `${migration.name}, statement ${statement.number}: ${operation.type} ${operation.key}. ${impact}`,
    }
  })
}

/** The refusal of dangerous operations that nobody has allowed. */
export function destructiveBlocked(
  operations: readonly DestructiveOperation[],
  more: Readonly<Record<string, unknown>>,
): ChkitError {
  const migrations = [...new Set(operations.map((operation) => operation.migration))]
  const count = operations.length === 1 ? '1 dangerous operation' : `${operations.length} dangerous operations`
  return new ChkitError('destructive_blocked', `Blocked: ${count} in ${migrations.join(', ')}. Nothing was applied.`, {
    hint: 'Read them, then run again with --allow-destructive.',
    details: { payload: { ...more, destructiveMigrations: migrations, destructiveOperations: operations } },
  })
}
