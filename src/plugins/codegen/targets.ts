import {
  ChkitError,
  type Column,
  type Definition,
  type Dictionary,
  type Executor,
  type MaterializedView,
  type Table,
  type View,
} from '../../index.js'
import type { Property, Target } from './render.js'
import { AGGREGATE_REASON, insertShape, nestedFields, type Shape, shapeOf, unsupportedIn } from './shape.js'

export type TargetsOptions = {
  /** Views, materialized views and dictionaries too. */
  readonly includeViews: boolean
  /** True: a type without a JSON form is an error; false: it is `unknown`, and said. */
  readonly failOnUnsupportedType: boolean
}

export type Targets = {
  /** Sorted by database and name, in code-unit order. */
  readonly targets: readonly Target[]
  /** What could not be typed, one sentence each. */
  readonly warnings: readonly string[]
}

type PlainColumn = Pick<Column, 'name' | 'type' | 'default' | 'comment'>

/**
 * The objects to generate code for. `connection` answers for views that declare no columns; undefined where none is at
 * hand. Throws `unsupported_type`, naming every column and view that cannot be typed.
 */
export async function targetsOf(
  definitions: readonly Definition[],
  options: TargetsOptions,
  connection: (() => Promise<Executor>) | undefined,
): Promise<Targets> {
  const problems: string[] = []
  const targets = definitions.flatMap((one) => (one.kind === 'table' && !isFunctionTable(one) ? tableTarget(one) : []))
  if (options.includeViews) {
    targets.push(...definitions.flatMap((one) => (one.kind === 'dictionary' ? dictionaryTarget(one) : [])))
    const views = definitions.filter(isView)
    const columns = await viewColumns(views, connection)
    for (const view of views) {
      const found = columns.get(view)
      if (found) targets.push(viewTarget(view, found))
      else problems.push(`${nameOf(view)}: its columns are not declared, and no server could tell them`)
    }
  }
  problems.push(...targets.flatMap(unsupportedColumns))
  if (problems.length > 0 && options.failOnUnsupportedType) throw unsupported(problems)
  return { targets: targets.sort(byName), warnings: problems }
}

function unsupported(problems: readonly string[]): ChkitError {
  const count = problems.length === 1 ? 'One column or view' : `${problems.length} columns and views`
  return new ChkitError('unsupported_type', `${count} cannot be typed:\n  ${problems.join('\n  ')}`, {
    hint: 'Declare `columns` for a view; set failOnUnsupportedType: false to get `unknown` for a type without a JSON form.',
    details: { problems },
  })
}

function unsupportedColumns(target: Target): string[] {
  return target.row.flatMap(({ name, shape }) =>
    unsupportedIn(shape).map(
      ({ type, reason }) => `${target.database}.${target.name}, column ${name}, type ${type}: ${reason}`,
    ),
  )
}

function nameOf(object: { readonly database: string; readonly name: string }): string {
  return `${object.database}.${object.name}`
}

function byName(a: Target, b: Target): number {
  return compare(a.database, b.database) || compare(a.name, b.name)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function tableTarget(table: Table): Target {
  const columns = keepsNested(table) ? table.columns : table.columns.flatMap(flattened)
  return {
    kind: 'table',
    database: table.database,
    name: table.name,
    comment: table.comment,
    row: columns.flatMap(rowProperty),
    insert: columns.flatMap(insertProperty),
  }
}

/** Without this setting the server turns each Nested column into one Array column per element. */
function keepsNested(table: Table): boolean {
  return table.settings?.flatten_nested === '0' || table.settings?.flatten_nested === 'false'
}

function flattened(column: PlainColumn): readonly PlainColumn[] {
  const fields = nestedFields(column.type)
  if (!fields) return [column]
  return fields.map(({ name, type }) => ({ ...column, name: `${column.name}.${name}`, type: `Array(${type})` }))
}

// SELECT * leaves out MATERIALIZED and ALIAS columns; an EPHEMERAL one cannot be selected at all.
function rowProperty({ name, type, default: value, comment }: PlainColumn): Property[] {
  if (value?.kind === 'EPHEMERAL') return []
  return [{ name, shape: shapeOf(type), optional: value?.kind === 'MATERIALIZED' || value?.kind === 'ALIAS', comment }]
}

function insertProperty({ name, type, default: value }: PlainColumn): Property[] {
  if (value?.kind === 'MATERIALIZED' || value?.kind === 'ALIAS') return []
  const shape = insertShape(shapeOf(type))
  // What an INSERT leaves out takes its default; without one, a column that can hold NULL gets NULL, and a state is empty.
  return [{ name, shape, optional: value !== undefined || holdsNull(shape) }]
}

function holdsNull(shape: Shape): boolean {
  if (shape.kind === 'unsupported') return shape.reason === AGGREGATE_REASON
  return shape.kind === 'nullable' || shape.kind === 'any'
}

function dictionaryTarget(dictionary: Dictionary): Target {
  return {
    kind: 'dictionary',
    database: dictionary.database,
    name: dictionary.name,
    comment: dictionary.comment,
    row: dictionary.attributes.map(({ name, type }) => ({ name, shape: shapeOf(type), optional: false })),
  }
}

/** What has rows but no columns of its own: views, and tables that stand for a table function. */
type AnyView = View | MaterializedView | Table

function isView(definition: Definition): definition is AnyView {
  if (definition.kind === 'table') return isFunctionTable(definition)
  return definition.kind === 'view' || definition.kind === 'materialized_view'
}

function isFunctionTable(table: Table): boolean {
  return table.asTableFunction !== undefined && table.columns.length === 0
}

function viewTarget(view: AnyView, columns: readonly PlainColumn[]): Target {
  return {
    kind: view.kind === 'materialized_view' ? 'materialized view' : view.kind,
    database: view.database,
    name: view.name,
    comment: view.comment,
    row: columns.flatMap(rowProperty),
  }
}

/** The columns of each view: declared, or what the server says of its query. Views that neither knows are left out. */
async function viewColumns(
  views: readonly AnyView[],
  connection: (() => Promise<Executor>) | undefined,
): Promise<ReadonlyMap<AnyView, readonly PlainColumn[]>> {
  const found = new Map<AnyView, readonly PlainColumn[]>()
  for (const view of views) if (view.columns?.length) found.set(view, view.columns)
  const open = views.filter((view) => !found.has(view))
  if (open.length === 0 || !connection) return found
  const executor = await connection()
  await Promise.all(
    open.map(async (view) => {
      const columns = (await describeQuery(executor, view)) ?? (await existingColumns(executor, view))
      if (columns.length > 0) found.set(view, columns)
    }),
  )
  return found
}

/** What the server answers to a query that it cannot run yet. */
const NOT_THERE: ReadonlySet<string> = new Set(['server_error', 'database_not_found'])

/** The columns of the declared query; the view on the server may still be an older one. Undefined where the query does not run there yet. */
async function describeQuery(executor: Executor, view: AnyView): Promise<readonly PlainColumn[] | undefined> {
  try {
    const source = view.kind === 'table' ? view.asTableFunction : `(${view.query})`
    return await executor.query<PlainColumn>(`DESCRIBE TABLE ${source}`)
  } catch (error) {
    // Its tables may not exist yet, or the query may take parameters. A connection that fails is another matter.
    if (error instanceof ChkitError && NOT_THERE.has(error.code)) return undefined
    throw error
  }
}

async function existingColumns(executor: Executor, view: AnyView): Promise<readonly PlainColumn[]> {
  return executor.query<PlainColumn>(
    `SELECT name, type, comment FROM system.columns
    WHERE database = {database:String} AND table = {name:String} ORDER BY position`,
    { params: { database: view.database, name: view.name } },
  )
}
