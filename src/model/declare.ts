import type { Expression, Setting } from '../sql/ast.js'
import { identifierValue, tokenize } from '../sql/lexer.js'
import { printExpression } from '../sql/print.js'
import { quoteString } from '../sql/quote.js'
import { readEngine, readExpression, readProjection } from './clause.js'
import { accessDeclaration } from './declare-access.js'
import type {
  Column,
  Definition,
  Dictionary,
  DictionaryAttribute,
  MaterializedView,
  Projection,
  Refresh,
  Settings,
  SkippingIndex,
  Spelling,
  SqlText,
  Storage,
  Table,
  TimeSeriesTarget,
  View,
  ViewColumn,
} from './definition.js'
import type {
  ColumnInput,
  Declaration,
  DefaultLiteral,
  DictionaryAttributeInput,
  IndexInput,
  InnerTableInput,
  KeyInput,
  NameInput,
  ProjectionInput,
  RefreshInput,
  SettingsInput,
  SettingValue,
  StorageInput,
  TimeSeriesTargetsInput,
} from './dsl.js'
import { compact, settingValue } from './storage.js'
import { spelledColumns, storageSpelling } from './time-series.js'

/**
 * The declaration that makes `definition`, as plain data in the order in which people write the fields: what `pull`
 * prints. `canonicalise` of it gives the definition back, its spelling included, so that the object it creates has the
 * same `create_table_query`. `undefined` for an access object that
 * the DSL has no words for.
 */
export function declarationOf(definition: Definition): Declaration | undefined {
  switch (definition.kind) {
    case 'table':
      return tableDeclaration(definition)
    case 'view':
      return compact({ ...viewHead(definition), kind: 'view', columnAliases: aliasList(definition.spelling) })
    case 'materialized_view':
      return materializedViewDeclaration(definition)
    case 'dictionary':
      return dictionaryDeclaration(definition)
    case 'sql_function':
      return compact({
        kind: 'sql_function',
        name: definition.name,
        as: definition.expression,
        cluster: definition.cluster,
      })
    case 'database':
      return compact({
        kind: 'database',
        name: definition.name,
        engine: definition.engine && engineText(definition.engine),
        settings: definition.settings && settingsInput(definition.settings),
        comment: definition.comment,
        cluster: definition.cluster,
      })
    case 'raw':
      return compact({
        kind: 'raw',
        key: definition.key,
        create: definition.create,
        drop: definition.drop,
        dependsOn: definition.dependsOn,
      })
    default:
      return accessDeclaration(definition)
  }
}

function tableDeclaration(table: Table): Declaration {
  const head = { kind: 'table', database: table.database, name: table.name } as const
  const columns = table.columns.map(columnInput)
  const targets = table.targets && targetsInput(table.targets, table.spelling)
  const tail = compact({ ...elementInputs(table), targets, ...common(table), plugins: table.plugins })
  if (table.asTableFunction !== undefined) return { ...head, columns, asTableFunction: table.asTableFunction, ...tail }
  return { ...head, columns, ...storageInput(table, table.spelling), ...tail }
}

function targetsInput(targets: readonly TimeSeriesTarget[], spelling: Spelling | undefined): TimeSeriesTargetsInput {
  const inputs = targets.map((target): [string, NameInput | InnerTableInput] => {
    const { role, table, columns, inner } = target
    const field = role.toLowerCase()
    if (table !== undefined) return [field, table]
    return [
      field,
      compact({
        ...(columns && { columns: spelledColumns(target, spelling).map(columnInput) }),
        ...(inner && storageInput(inner, storageSpelling(spelling, role))),
      }),
    ]
  })
  return Object.fromEntries(inputs)
}

function elementInputs({ indexes, projections, constraints }: Pick<Table, 'indexes' | 'projections' | 'constraints'>) {
  return compact({
    indexes: indexes?.map(indexInput),
    projections: projections?.map(projectionInput),
    constraints: constraints?.map(({ name, type, expression }) =>
      type === 'CHECK' ? { name, check: expression } : { name, assume: expression },
    ),
  })
}

function common(definition: Table | View | MaterializedView | Dictionary) {
  return compact({
    comment: definition.comment ?? (definition.spelling?.comment === undefined ? undefined : ''),
    cluster: definition.cluster,
    renamedFrom: definition.renamedFrom,
  })
}

function engineText(engine: Storage['engine']): string {
  return engine.args.length === 0 ? engine.name : `${engine.name}(${engine.args.join(', ')})`
}

function storageInput(storage: Storage, spelling: Spelling | undefined): StorageInput {
  return compact({
    engine: spelling?.engine ?? engineText(storage.engine),
    partitionBy: keyInput(spelling?.partitionBy, storage.partitionBy),
    primaryKey: keyInput(spelling?.primaryKey, storage.primaryKey),
    orderBy: keyInput(spelling?.orderBy, storage.orderBy),
    sampleBy: storage.sampleBy,
    uniqueKey: keyInput(spelling?.uniqueKey, storage.uniqueKey),
    ttl: storage.ttl,
    settings:
      spelling?.settings === undefined
        ? storage.settings && settingsInput(storage.settings)
        : writtenSettings(spelling.settings),
  })
}

function keyInput(spelling: SqlText | undefined, entries: readonly SqlText[] | undefined): KeyInput | undefined {
  if (spelling !== undefined) return spelling
  if (entries?.length === 0) return 'tuple()'
  // A list of one would be the entry itself, and the server tells `tuple(a DESC)` from `a DESC`.
  const [only] = entries ?? []
  return entries?.length === 1 && only?.endsWith(' DESC') ? `tuple(${only})` : entries
}

/** The list behind SETTINGS, in its order and with its values as they were written. */
function writtenSettings(text: SqlText): SettingsInput | undefined {
  const parsed = readEngine(`Null SETTINGS ${text}`)
  if (parsed.problem !== undefined) return undefined
  const entries = (parsed.node?.settings ?? []).map(({ name, value }): [string, SettingValue] => [
    name,
    settingInput(value),
  ])
  return Object.fromEntries(entries)
}

function settingsInput(settings: Settings): SettingsInput {
  return Object.fromEntries(
    Object.entries(settings).map(([name, text]) => {
      const parsed = readExpression(text)
      const value = parsed.problem === undefined ? parsed.node : undefined
      const isValue = value?.kind === 'literal' || value?.kind === 'function' || value?.kind === 'parameter'
      return [name, isValue ? settingInput(value) : `fn:${text}`]
    }),
  )
}

function settingInput(value: Setting['value']): SettingValue {
  const text = settingValue(value)
  if (value.kind !== 'literal') return `fn:${text}`
  if (value.type === 'bool') return value.value
  if (value.type === 'string') return value.value.startsWith('fn:') ? `fn:${text}` : value.value
  const number = Number(text)
  return String(number) === text && Number.isFinite(number) && Math.abs(number) <= Number.MAX_SAFE_INTEGER
    ? number
    : `fn:${text}`
}

function columnInput(column: Column | ViewColumn): ColumnInput {
  return compact({
    name: column.name,
    type: column.type,
    ...defaultInput(column.default),
    codec: column.codec,
    ttl: column.ttl,
    settings: column.settings && settingsInput(column.settings),
    statistics: column.statistics,
    comment: column.comment,
    renamedFrom: column.renamedFrom,
  })
}

function defaultInput(value: Column['default']): Partial<ColumnInput> {
  if (value === undefined) return {}
  const { kind, expression } = value
  switch (kind) {
    case 'MATERIALIZED':
      return { materialized: expression }
    case 'ALIAS':
      return { alias: expression }
    case 'EPHEMERAL':
      return { ephemeral: expression ?? true }
    case 'DEFAULT': {
      const literal = literalInput(expression ?? '')
      return literal === undefined ? { defaultExpression: expression } : { default: literal }
    }
  }
}

/** The JavaScript value whose literal is exactly `text`, if there is one. */
function literalInput(text: SqlText): DefaultLiteral | undefined {
  const parsed = readExpression(text)
  const node: Expression | undefined = parsed.problem === undefined ? parsed.node : undefined
  if (node?.kind !== 'literal' || node.parenthesized) return undefined
  switch (node.type) {
    case 'null':
      return null
    case 'bool':
      return node.value
    case 'string':
      return node.value.startsWith('fn:') || quoteString(node.value) !== text ? undefined : node.value
    case 'int':
    case 'float':
      return String(Number(node.value)) === text && Number.isFinite(Number(node.value)) ? Number(node.value) : undefined
    default:
      return undefined
  }
}

function indexInput({ name, expression, type, granularity }: SkippingIndex): IndexInput {
  const implied = /^(?:text|vector_similarity)\b/.test(type) ? 100_000_000 : 1
  return { name, expression, type, ...(granularity !== implied && { granularity }) }
}

function projectionInput({ name, form, body, settings }: Projection): ProjectionInput {
  const named = settings && { settings: settingsInput(settings) }
  if (form === 'query') return { name, query: body, ...named }
  const parsed = readProjection(`p ${body}`)
  const index = parsed.problem === undefined ? parsed.node.index : undefined
  if (index === undefined) return { name, index: body, type: '', ...named }
  return { name, index: printExpression(index.expression), type: printExpression(index.type), ...named }
}

function aliasList(spelling: Spelling | undefined): readonly string[] | undefined {
  if (spelling?.columnAliases === undefined) return undefined
  const tokens = tokenize(spelling.columnAliases)
  const names: string[] = []
  for (let index = 0; index < tokens.count; index += 2) names.push(identifierValue(tokens, index))
  return names
}

function viewHead(view: View | MaterializedView) {
  return compact({
    database: view.database,
    name: view.name,
    as: view.query,
    columns: view.columns?.map(columnInput),
    definer: view.definer,
    sqlSecurity: view.sqlSecurity,
    ...common(view),
  })
}

function materializedViewDeclaration(view: MaterializedView): Declaration {
  const head = {
    ...viewHead(view),
    ...elementInputs(view),
    ...(view.refresh && { refresh: refreshInput(view.refresh) }),
  }
  if (view.to !== undefined) return { kind: 'materialized_view', ...head, to: view.to }
  return {
    kind: 'materialized_view',
    ...head,
    ...storageInput(view.inner ?? { engine: { name: 'MergeTree', args: [] } }, view.spelling),
  }
}

function refreshInput(refresh: Refresh): RefreshInput {
  const { schedule, offset, randomize, dependsOn, append, settings } = refresh
  return compact({
    every: schedule.startsWith('EVERY ') ? schedule.slice('EVERY '.length) : undefined,
    after: schedule.startsWith('AFTER ') ? schedule.slice('AFTER '.length) : undefined,
    offset,
    randomize,
    dependsOn,
    append,
    settings: settings && settingsInput(settings),
  })
}

function dictionaryDeclaration(dictionary: Dictionary): Declaration {
  const { spelling, settings, lifetime } = dictionary
  return compact({
    kind: 'dictionary',
    database: dictionary.database,
    name: dictionary.name,
    attributes: dictionary.attributes.map((attribute) => attributeInput(attribute, spelling)),
    primaryKey: dictionary.primaryKey,
    source: spelling?.source ?? dictionary.source,
    layout: spelling?.layout ?? dictionary.layout,
    lifetime: lifetime && lifetimeInput(lifetime),
    range: dictionary.range,
    settings: settings && settingsInput(settings),
    ...common(dictionary),
  })
}

function lifetimeInput(text: SqlText): { readonly min: number; readonly max: number } | string {
  const found = /^MIN (\d+) MAX (\d+)$/.exec(text)
  return found === null ? text : { min: Number(found[1]), max: Number(found[2]) }
}

function attributeInput(attribute: DictionaryAttribute, spelling: Spelling | undefined): DictionaryAttributeInput {
  const literal = attribute.default === undefined ? undefined : literalInput(attribute.default)
  return compact({
    ...attribute,
    type: spelling?.[`attribute ${attribute.name}`] ?? attribute.type,
    default: attribute.default === undefined || literal !== undefined ? literal : `fn:${attribute.default}`,
  })
}
