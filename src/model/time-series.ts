/** What a TimeSeries table says about where its rows are kept. */
import type { InnerTarget } from '../sql/ast-ddl.js'
import { printExpression, printType } from '../sql/print.js'
import type { Column, Settings, Spelling, SqlText, Storage, TimeSeriesTarget } from './definition.js'
import { compact, storageForm } from './storage.js'
import { columnsForm, nameText } from './table.js'

/** The canonical targets, and how they were written; the spelling's clauses begin with the role: `TAGS orderBy`. */
export type TargetForms = { readonly targets: readonly TimeSeriesTarget[]; readonly spelling: Spelling }

/** The canonical form of SAMPLES, TAGS and METRICS, in the order in which they were written: the server keeps it. */
export function targetForms(nodes: readonly InnerTarget[], database: string): TargetForms {
  const spelling: Record<string, SqlText> = {}
  const targets = nodes.map((node): TimeSeriesTarget => {
    const { role, table, innerColumns, innerEngine } = node
    if (table !== undefined) {
      const own = table.database === undefined ? database : nameText(table.database)
      return { role, table: { database: own, name: nameText(table.name) } }
    }
    const columns = innerColumns && columnsForm(innerColumns, true)
    const storage = innerEngine && storageForm(innerEngine, { database, hasNested: false })
    Object.assign(spelling, spellingOf(node, columns ?? [], storage?.spelling))
    return compact({ role, columns, inner: storage?.storage })
  })
  return { targets, spelling }
}

/** Unlike elsewhere the server stores what was written among the clauses of an inner table (seen on 26.7). */
function spellingOf(
  { role, innerColumns, innerEngine }: InnerTarget,
  columns: readonly Column[],
  storage: Spelling | undefined,
): Spelling {
  const texts: Record<string, SqlText | undefined> = {}
  for (const [clause, text] of Object.entries(storage ?? {})) texts[`${role} ${clause}`] = text
  const granularity = innerEngine?.settings?.some(({ name }) => name === 'index_granularity')
  if (granularity && texts[`${role} settings`] === undefined)
    texts[`${role} settings`] = innerEngine!.settings!.map(settingText).join(', ')
  for (const [index, { name, type, codec }] of (innerColumns ?? []).entries()) {
    const column = columns[index]!
    const written = type && printType(type)
    if (written !== column.type) texts[`${role} type ${name}`] = written
    const codecs = codec?.map((call) => printExpression(call)).join(', ')
    if (codecs !== column.codec) texts[`${role} codec ${name}`] = codecs
  }
  return compact(texts)
}

function settingText({ name, value }: NonNullable<NonNullable<InnerTarget['innerEngine']>['settings']>[number]) {
  return `${name} = ${value.kind === 'default' ? 'DEFAULT' : printExpression(value)}`
}

/** The spelling of one target's storage clauses, as `Spelling` of a table names them. */
export function storageSpelling(spelling: Spelling | undefined, role: TimeSeriesTarget['role']): Spelling {
  const own = Object.entries(spelling ?? {}).filter(([clause]) => clause.startsWith(`${role} `))
  return Object.fromEntries(own.map(([clause, text]) => [clause.slice(role.length + 1), text]))
}

/** The columns of a target as they were written. */
export function spelledColumns(target: TimeSeriesTarget, spelling: Spelling | undefined): readonly Column[] {
  return (target.columns ?? []).map((column) => {
    const type = spelling?.[`${target.role} type ${column.name}`] ?? column.type
    const codec = spelling?.[`${target.role} codec ${column.name}`] ?? column.codec
    return { ...column, type, ...(codec !== undefined && { codec }) }
  })
}

const SAMPLES: TimeSeriesTarget = {
  role: 'SAMPLES',
  columns: [
    { name: 'id', type: 'UUID' },
    { name: 'timestamp', type: 'DateTime64(3)' },
    { name: 'value', type: 'Float64' },
  ],
  inner: { engine: { name: 'MergeTree', args: [] }, orderBy: ['id', 'timestamp'] },
}

const METRICS: TimeSeriesTarget = {
  role: 'METRICS',
  columns: [
    { name: 'metric_family_name', type: 'String' },
    { name: 'type', type: 'LowCardinality(String)' },
    { name: 'unit', type: 'LowCardinality(String)' },
    { name: 'help', type: 'String' },
  ],
  inner: { engine: { name: 'ReplacingMergeTree', args: [] }, orderBy: ['metric_family_name'] },
}

const TAGS_STORAGE: Storage = {
  engine: { name: 'AggregatingMergeTree', args: [] },
  orderBy: ['metric_name', 'id'],
  primaryKey: ['metric_name'],
  settings: { allow_dimensions_outside_sorting_key: '1' },
}

const isOff = (settings: Settings | undefined, name: string) => settings?.[name] === '0'

/** The tags table that follows from the settings and from the columns of the samples. */
function impliedTags(settings: Settings | undefined, samples: readonly Column[]): TimeSeriesTarget {
  const typeOf = (name: string) => samples.find((column) => column.name === name)?.type
  const hash = isOff(settings, 'use_all_tags_column_to_generate_id') ? 'tags' : 'all_tags'
  const time = `Nullable(${typeOf('timestamp') ?? 'DateTime64(3)'})`
  const own = [...(settings?.tags_to_columns ?? '').matchAll(/:'((?:[^'\\]|\\.)*)'/g)].map(([, name]) => name!)
  const columns: Column[] = [
    {
      name: 'id',
      type: typeOf('id') ?? 'UUID',
      default: { kind: 'DEFAULT', expression: `reinterpretAsUUID(sipHash128(metric_name, ${hash}))` },
    },
    { name: 'metric_name', type: 'LowCardinality(String)' },
    ...own.map((name) => ({ name, type: 'String' })),
    { name: 'tags', type: 'Map(LowCardinality(String), String)' },
    ...(hash === 'tags' ? [] : [{ name: 'all_tags', type: 'Map(String, String)' }]),
  ]
  if (!isOff(settings, 'store_min_time_and_max_time'))
    for (const side of ['min', 'max'])
      columns.push({ name: `${side}_time`, type: `SimpleAggregateFunction(${side}, ${time})` })
  return { role: 'TAGS', columns, inner: TAGS_STORAGE }
}

/**
 * What the server (26.7) makes of a target that a declaration leaves to it: all of it, or the columns or the engine of
 * the one given. A table that is named is whole.
 */
export function completedTarget(
  role: TimeSeriesTarget['role'],
  targets: readonly TimeSeriesTarget[],
  settings: Settings | undefined,
): TimeSeriesTarget {
  const target = targets.find((one) => one.role === role)
  if (target?.table !== undefined) return target
  const samples = targets.find((one) => one.role === 'SAMPLES')?.columns ?? []
  const implied = role === 'TAGS' ? impliedTags(settings, samples) : role === 'SAMPLES' ? SAMPLES : METRICS
  const given = target?.columns ?? []
  const rest = (implied.columns ?? []).filter(({ name }) => !given.some((column) => column.name === name))
  return { role, columns: [...given, ...rest], inner: target?.inner ?? implied.inner! }
}
