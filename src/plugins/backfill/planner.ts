import {
  ChkitError,
  type Definition,
  type Executor,
  type Prompt,
  quoteIdentifier,
  quoteQualified,
} from '../../index.js'
import {
  type FeedingView,
  feedingViews,
  type Guarantee,
  guaranteeOf,
  incarnationOf,
  insertable,
  type LiveTable,
  readTable,
  requireTable,
  selectable,
  selfInsertion,
  storageOf,
  viewsBehind,
} from './catalog.js'
import { tolerating } from './fate.js'
import { type BackfillTableOptions, type Options, readTableOptions } from './options.js'
import {
  type Existing,
  environmentOf,
  PLAN_VERSION,
  type Plan,
  planId,
  plannedChunks,
  sameName,
  sha256,
  showName,
  type TableName,
} from './plan.js'
import {
  momentBefore,
  replaySelect,
  sourceSelect,
  timeOutputs,
  typedMoment,
  viewInput,
  windowCondition,
} from './query.js'
import { chooseTimeColumn, type TimeColumn, timeRange, timeTypeOf } from './time-column.js'
import { checkWindow, DAY_MS, splitWindow, type Window } from './window.js'

/** What `plan` was asked for. */
export type PlanRequest = {
  readonly target: string
  readonly source?: string
  readonly view?: string
  readonly from?: number
  readonly to?: number
  readonly chunkHours?: number
  readonly timeColumn?: string
  readonly existing?: Existing
  readonly forceLargeWindow: boolean
  readonly force: boolean
}

/** What planning needs besides the request. */
export type PlanningContext = {
  readonly connection: Executor
  readonly options: Options
  readonly definitions: readonly Definition[]
  readonly prompt: Prompt
  readonly now: () => number
  /** The plan of an id, if it has been made. */
  readonly known: (id: string) => Plan | undefined
}

/** Where the rows come from. */
type Origin = { readonly source: LiveTable; readonly view: FeedingView | null }

/**
 * The plan for a request: the one that was made before for the same parameters, or a new one. Writes nothing. Throws
 * `choice_required`, `guarantee_missing`, `window_invalid`, `invalid_flag_value` and server errors.
 */
export async function makePlan(
  request: PlanRequest,
  context: PlanningContext,
): Promise<{ readonly plan: Plan; readonly isNew: boolean }> {
  const { connection, options } = context
  const target = await requireTable(connection, parseName(request.target, connection.database, 'target'), 'target')
  const storage = await storageOf(connection, target)
  const guarantee = guaranteeOf(storage, await connection.server())
  checkGuarantee(guarantee, storage, request, options)
  const tableOptions = (name: TableName) => optionsOf(context.definitions, name)
  const origin = await originOf(request, target, storage, tableOptions(target), context)
  const timeColumn = timeColumnOf(request, origin, tableOptions(target), tableOptions(origin.source), options)
  const window = await windowOfRequest(request, origin.source, timeColumn, context)
  const kind = timeTypeOf(timeColumn.type)?.kind
  const chunkMs = checkWindow(window, request.chunkHours ?? options.defaults.chunkHours, {
    ...options.limits,
    forceLargeWindow: request.forceLargeWindow,
    wholeDays: kind === 'date' || kind === 'date32',
  })
  const environment = environmentOf(connection)
  const identity = (existing: Existing) =>
    planId({
      target,
      source: origin.source,
      view: origin.view,
      window,
      chunkMs,
      timeColumn: timeColumn.name,
      existing,
      fingerprint: environment.fingerprint,
    })
  const choices: readonly Existing[] = request.existing ? [request.existing] : ['append', 'replace']
  if (!request.force) {
    const known = choices.map((choice) => context.known(identity(choice))).find(Boolean)
    if (known && !isRecreated(known, storage)) return { plan: known, isNew: false }
  }
  const columns = await columnsOf(origin, storage, timeColumn, window, connection)
  const replaceWhere = await replaceConditionOf(origin, storage, timeColumn, window, connection)
  const found = await rowsInTheWay(storage, replaceWhere, connection)
  const existing = await chooseExisting(request, origin, storage, found, replaceWhere, context)
  const id = planId({
    target,
    source: origin.source,
    view: origin.view,
    window,
    chunkMs,
    timeColumn: timeColumn.name,
    existing,
    fingerprint: environment.fingerprint,
  })
  const windows = splitWindow(window, chunkMs)
  const plan: Plan = {
    version: PLAN_VERSION,
    id,
    createdAt: new Date(context.now()).toISOString(),
    strategy: origin.view ? 'mv_replay' : 'table',
    target: nameOf(target),
    storage: nameOf(storage),
    source: nameOf(origin.source),
    view: origin.view && nameOf(origin.view),
    from: new Date(window.from).toISOString(),
    to: new Date(window.to).toISOString(),
    chunkHours: chunkMs / 3_600_000,
    timeColumn,
    columns,
    mechanism: guarantee.mechanism,
    existing,
    replaceWhere: existing === 'replace' ? replaceWhere : null,
    environment,
    incarnation: incarnationOf(storage),
    definitions: definitionsOf(storage, origin.source, origin.view),
    warnings: [
      ...warningsOf(guarantee, origin, storage, timeColumn, columns, found, existing),
      ...(await chainWarnings(storage, guarantee, connection)),
    ],
    chunks: plannedChunks(id, windows, await countRows(origin.source, timeColumn, window, chunkMs, connection)),
  }
  return { plan, isNew: true }
}

function nameOf({ database, name }: TableName): TableName {
  return { database, name }
}

/** True when the target is another table of the same name: what a run of the plan brought is not in it. */
export function isRecreated(plan: Plan, storage: LiveTable): boolean {
  return (plan.incarnation ?? '') !== '' && plan.incarnation !== incarnationOf(storage)
}

/** Hashes of the CREATE statements that a plan stands on. */
export function definitionsOf(
  storage: { readonly create: string },
  source: { readonly create: string },
  view: { readonly create: string } | null,
): Plan['definitions'] {
  return { target: sha256(storage.create), source: sha256(source.create), view: view && sha256(view.create) }
}

/** `db.table` or `table`. Throws `invalid_flag_value`. */
export function parseName(text: string, database: string, flag: string): TableName {
  const dot = text.indexOf('.')
  const name = dot < 0 ? { database, name: text } : { database: text.slice(0, dot), name: text.slice(dot + 1) }
  if (name.database !== '' && name.name !== '') return name
  throw new ChkitError('invalid_flag_value', `--${flag} '${text}' is no table name; write database.table.`)
}

function checkGuarantee(guarantee: Guarantee, storage: LiveTable, request: PlanRequest, options: Options): void {
  if (guarantee.missing === undefined || request.force || !options.defaults.requireIdempotencyToken) return
  throw new ChkitError(
    'guarantee_missing',
    `A backfill of ${showName(storage)} cannot promise that every row arrives exactly once: ${guarantee.missing}.`,
    {
      hint: 'Use a table of the MergeTree family, or add --force: a chunk that is cut off may then be lost or doubled, and the run stops there and says so.',
      details: { target: showName(storage), engine: storage.engine },
    },
  )
}

function optionsOf(definitions: readonly Definition[], name: TableName): BackfillTableOptions {
  const table = definitions.find((one) => one.kind === 'table' && sameName(one, name))
  if (table?.kind !== 'table') return {}
  const found = readTableOptions(table.plugins?.backfill)
  if (!('wrong' in found)) return found
  throw new ChkitError('plugin_option_invalid', `plugins.backfill of the table ${showName(name)}: ${found.wrong}.`)
}

async function originOf(
  request: PlanRequest,
  target: LiveTable,
  storage: LiveTable,
  tableOptions: BackfillTableOptions,
  context: PlanningContext,
): Promise<Origin> {
  const { connection } = context
  const origin = await findOrigin(request, target, tableOptions, context)
  const reason = await selfInsertion(connection, origin.source, storage)
  if (reason !== undefined) {
    throw new ChkitError('guarantee_missing', `A table is never inserted into itself: ${reason}.`, {
      hint: 'Name the table that holds the rows with --source database.table.',
    })
  }
  if (origin.source.engine === 'Null') {
    throw new ChkitError(
      'guarantee_missing',
      `${showName(origin.source)} has the engine Null: it keeps no rows to read.`,
    )
  }
  return origin
}

async function findOrigin(
  request: PlanRequest,
  target: LiveTable,
  tableOptions: BackfillTableOptions,
  { connection }: PlanningContext,
): Promise<Origin> {
  const read = (name: string, flag: string) =>
    requireTable(connection, parseName(name, connection.database, flag), 'source')
  if (request.source !== undefined) return { source: await read(request.source, 'source'), view: null }
  const views = await feedingViews(connection, target)
  const view = chooseView(views, request, connection.database, target)
  if (view)
    return { source: await requireTable(connection, view.source, `source of the view ${showName(view)},`), view }
  if (tableOptions.source !== undefined) return { source: await read(tableOptions.source, 'source'), view: null }
  throw new ChkitError('choice_required', `It is not known where the rows of ${showName(target)} come from.`, {
    hint: `No materialized view writes into it. Name the table to copy from: --source database.table, or plugins: { backfill: { source: 'database.table' } } in the table's definition.`,
  })
}

function chooseView(
  views: readonly FeedingView[],
  request: PlanRequest,
  database: string,
  target: LiveTable,
): FeedingView | undefined {
  const names = views.map(showName).join(', ')
  if (request.view !== undefined) {
    const wanted = parseName(request.view, database, 'view')
    const view = views.find((one) => sameName(one, wanted))
    if (view) return view
    throw new ChkitError(
      'invalid_flag_value',
      `${showName(wanted)} is no materialized view that writes into ${showName(target)}.`,
      {
        ...(names === '' ? {} : { hint: `These do: ${names}.` }),
      },
    )
  }
  if (views.length < 2) return views[0]
  throw new ChkitError('choice_required', `Several materialized views write into ${showName(target)}: ${names}.`, {
    hint: 'Plan a backfill for each, with --view database.view.',
    details: { views: views.map(showName) },
  })
}

function timeColumnOf(
  request: PlanRequest,
  origin: Origin,
  targetOptions: BackfillTableOptions,
  sourceOptions: BackfillTableOptions,
  options: Options,
): TimeColumn {
  const { source, view } = origin
  const columns = selectable(source)
  // Of a view's target, the column may be one of the target only; the window is one of the source.
  const targetSays =
    columns.some(({ name }) => name === targetOptions.timeColumn) || !view ? targetOptions.timeColumn : undefined
  const choice = chooseTimeColumn({
    flag: request.timeColumn,
    table: view ? (sourceOptions.timeColumn ?? targetSays) : (targetSays ?? sourceOptions.timeColumn),
    defaults: options.defaults.timeColumn,
    columns,
    sortingKey: source.sortingKey.split(',').map((entry) => entry.trim().replace(/^`(.*)`$/, '$1')),
  })
  if (!('wrong' in choice)) return choice
  throw new ChkitError('invalid_flag_value', `The time column of ${showName(source)} is not known: ${choice.wrong}.`, {
    hint: `Name one with --time-column, or in the table's definition: plugins: { backfill: { timeColumn: '...' } }.`,
    details: { table: showName(source), columns: columns.map(({ name, type }) => ({ name, type })) },
  })
}

async function windowOfRequest(
  request: PlanRequest,
  source: LiveTable,
  column: TimeColumn,
  { options, connection }: PlanningContext,
): Promise<Window> {
  if (request.from !== undefined && request.to !== undefined) return { from: request.from, to: request.to }
  if (options.policy.requireExplicitWindow) {
    throw new ChkitError('window_invalid', 'A plan needs --from and --to.', {
      hint: 'Give both, or set policy.requireExplicitWindow to false to take the whole source.',
    })
  }
  const name = quoteIdentifier(column.name)
  const [row] = await connection.query<{ first: number | string; last: number | string; rows: number }>(
    `SELECT toUnixTimestamp64Milli(toDateTime64(min(${name}), 3, 'UTC')) AS first, ` +
      `toUnixTimestamp64Milli(toDateTime64(max(${name}), 3, 'UTC')) AS last, count() AS rows ` +
      `FROM ${quoteQualified(source.database, source.name)}`,
  )
  if (!row || Number(row.rows) === 0) {
    throw new ChkitError('window_invalid', `${showName(source)} is empty, so --from and --to cannot be taken from it.`)
  }
  // Whole days, so that planning again tomorrow finds the same plan.
  const from = request.from ?? Math.floor(Number(row.first) / DAY_MS) * DAY_MS
  return { from, to: request.to ?? (Math.floor(Number(row.last) / DAY_MS) + 1) * DAY_MS }
}

/** The columns that are written, in the target's order. */
async function columnsOf(
  origin: Origin,
  storage: LiveTable,
  timeColumn: TimeColumn,
  window: Window,
  connection: Executor,
): Promise<readonly string[]> {
  const available = origin.view
    ? await outputColumns(origin, origin.view, timeColumn, window, connection)
    : selectable(origin.source).map(({ name }) => name)
  const columns = insertable(storage)
    .map(({ name }) => name)
    .filter((name) => available.includes(name))
  if (columns.length > 0) return columns
  throw new ChkitError(
    'guarantee_missing',
    `${showName(origin.source)} has no column of the same name as one of ${showName(storage)}, so there is nothing to copy.`,
  )
}

async function outputColumns(
  { source }: Origin,
  view: FeedingView,
  timeColumn: TimeColumn,
  window: Window,
  connection: Executor,
): Promise<readonly string[]> {
  const rows = sourceSelect(source, viewInput(source.columns, view.query), timeColumn, window)
  const described = await connection.query<{ name: string }>(
    `DESCRIBE TABLE (${replaySelect(view.query, view.source, view.database, rows)})`,
  )
  return described.map(({ name }) => name)
}

/**
 * The condition on the target's rows that came, or would have come, from the window; empty for all of them; null where
 * they cannot be told from others.
 */
async function replaceConditionOf(
  origin: Origin,
  storage: LiveTable,
  timeColumn: TimeColumn,
  window: Window,
  connection: Executor,
): Promise<string | null> {
  const outputs = origin.view
    ? timeOutputs(origin.view.query, timeColumn.name)
    : [{ name: timeColumn.name, of: (time: string) => time }]
  const type = timeTypeOf(timeColumn.type)
  for (const output of outputs) {
    const column = storage.columns.find(({ name }) => name === output.name)
    if (!column || !type) continue
    const at = (instant: number) => `CAST(${output.of(typedMoment(instant, timeColumn))}, ${quoted(column.type)})`
    const starts = (instant: number) => `${at(instant)} != ${at(momentBefore(instant, type))}`
    const { first, last } = timeRange(type)
    const ends = [
      { instant: window.from, operator: '>=', bounds: window.from > first },
      { instant: window.to, operator: '<', bounds: window.to <= last },
    ].filter(({ bounds }) => bounds)
    const name = quoteIdentifier(column.name)
    if (ends.length === 0) return `${name} IS NOT NULL`
    if (ends.some(({ instant }) => instant <= first || instant > last)) return '0'
    const [row] = await connection.query<{ aligned: number }>(
      `SELECT ${ends.map(({ instant }) => starts(instant)).join(' AND ')} AS aligned`,
    )
    if (Number(row?.aligned) === 1)
      return ends.map(({ instant, operator }) => `${name} ${operator} ${at(instant)}`).join(' AND ')
  }
  const name = quoteIdentifier(timeColumn.name)
  const [outside] = await connection.query<{ rows: number }>(
    `SELECT count() AS rows FROM ${quoteQualified(origin.source.database, origin.source.name)} WHERE NOT (${windowCondition(timeColumn, window)}) OR ${name} IS NULL`,
  )
  return Number(outside?.rows) === 0 ? '' : null
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}

/** Rows of the target that are in the window, or may be; 0 where it does not let itself be read (Set, File, Kafka). */
async function rowsInTheWay(storage: LiveTable, condition: string | null, connection: Executor): Promise<number> {
  const where = condition ? ` WHERE ${condition}` : ''
  const sql = `SELECT count() AS rows FROM ${quoteQualified(storage.database, storage.name)}${where}`
  const count = () => connection.query<{ rows: number }>(sql)
  const rows = storage.engine.endsWith('MergeTree') ? await count() : await tolerating(count)
  return Number(rows?.[0]?.rows ?? 0)
}

async function chooseExisting(
  request: PlanRequest,
  origin: Origin,
  storage: LiveTable,
  found: number,
  replaceWhere: string | null,
  { prompt }: PlanningContext,
): Promise<Existing> {
  if (request.existing === 'replace' && replaceWhere === null) {
    throw new ChkitError(
      'guarantee_missing',
      `Which rows of ${showName(storage)} belong to the window cannot be told, so they cannot be replaced.`,
      {
        hint: 'The window must begin and end where the times of the target do (a full hour, day, month), or hold every row of the source. Otherwise: --existing append.',
      },
    )
  }
  if (request.existing === 'replace' && !storage.engine.endsWith('MergeTree')) {
    throw new ChkitError('guarantee_missing', `The rows of a ${storage.engine} table cannot be replaced by window.`)
  }
  if (request.existing !== undefined) return request.existing
  // Copies append by default; for a view the rows that are there are most likely the very same, already aggregated.
  if (found === 0 || !origin.view || request.force) return 'append'
  const place = replaceWhere ? 'in the window' : 'in all'
  if (prompt.interactive) {
    return prompt.select<Existing>(`${showName(storage)} holds ${found} rows ${place} already. What becomes of them?`, [
      { value: 'append', label: 'append', hint: 'they stay, and the rows of the window are added' },
      ...(replaceWhere === null
        ? []
        : [{ value: 'replace' as const, label: 'replace the window', hint: 'they are deleted first' }]),
    ])
  }
  throw new ChkitError('choice_required', `${showName(storage)} holds ${found} rows ${place} already.`, {
    hint: 'Say what becomes of them: --existing append keeps them and adds the rows of the window, --existing replace deletes those of the window first.',
    details: { rows: found, choices: replaceWhere === null ? ['append'] : ['append', 'replace'] },
  })
}

/** Rows of the source by number of chunk; undefined where counting takes too long or the source will not say. */
async function countRows(
  source: LiveTable,
  column: TimeColumn,
  window: Window,
  chunkMs: number,
  connection: Executor,
): Promise<ReadonlyMap<number, number> | undefined> {
  const moment = `toUnixTimestamp64Milli(toDateTime64(${quoteIdentifier(column.name)}, 3, 'UTC'))`
  try {
    const rows = await connection.query<{ chunk: number; rows: number }>(
      `SELECT intDiv(${moment} - ${window.from}, ${chunkMs}) AS chunk, count() AS rows ` +
        `FROM ${quoteQualified(source.database, source.name)} WHERE ${windowCondition(column, window)} GROUP BY chunk`,
      { timeoutMs: 60_000 },
    )
    return new Map(rows.map((row) => [Number(row.chunk), Number(row.rows)]))
  } catch (error) {
    // The figures only serve the progress line.
    if (error instanceof ChkitError && (error.code === 'server_error' || error.code === 'connection_timeout'))
      return undefined
    throw error
  }
}

function warningsOf(
  guarantee: Guarantee,
  origin: Origin,
  storage: LiveTable,
  timeColumn: TimeColumn,
  columns: readonly string[],
  found: number,
  existing: Existing,
): readonly string[] {
  const warnings: string[] = []
  if (guarantee.missing !== undefined)
    warnings.push(`Not every row is sure to arrive exactly once: ${guarantee.missing}.`)
  if (timeColumn.type.startsWith('Nullable(')) {
    warnings.push(`Rows whose ${timeColumn.name} is NULL belong to no window and are left out.`)
  }
  const missing = insertable(storage).filter(({ name, kind }) => kind !== 'EPHEMERAL' && !columns.includes(name))
  if (missing.length > 0) {
    warnings.push(`These columns get their defaults: ${missing.map(({ name }) => name).join(', ')}.`)
  }
  const ignored = origin.view
    ? []
    : origin.source.columns.filter(({ name, kind }) => kind === '' && !storage.columns.some((one) => one.name === name))
  if (ignored.length > 0) {
    warnings.push(
      `These columns of ${showName(origin.source)} are not in the target: ${ignored.map(({ name }) => name).join(', ')}.`,
    )
  }
  if (found > 0 && existing === 'append') warnings.push(`${showName(storage)} holds ${found} rows already; they stay.`)
  return warnings
}

/** Moved parts do not go through views: those behind the target get their rows from a plan of their own. */
async function chainWarnings(
  storage: LiveTable,
  guarantee: Guarantee,
  connection: Executor,
): Promise<readonly string[]> {
  const views = await viewsBehind(connection, storage)
  if (views.length === 0) return []
  const names = views.map(({ view }) => showName(view)).join(', ')
  if (guarantee.mechanism !== 'staged') {
    return [
      `The rows go through ${names} as well, as those of any INSERT do; whatever is written twice arrives there twice.`,
    ]
  }
  const commands = views.map(
    ({ view, target }) => `chkit backfill plan --target ${showName(target)} --view ${showName(view)}`,
  )
  return [`The rows do not go through ${names}. Plan that afterwards: ${commands.join('; ')}.`]
}

/** Finds the plan's tables again; undefined members are gone. */
export async function readPlanTables(
  plan: Plan,
  connection: Executor,
): Promise<{ storage?: LiveTable; source?: LiveTable; view?: LiveTable | null }> {
  const [storage, source, view] = await Promise.all([
    readTable(connection, plan.storage),
    readTable(connection, plan.source),
    plan.view ? readTable(connection, plan.view) : null,
  ])
  return { storage, source, view }
}
