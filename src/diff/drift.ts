/** Drift: the changes that would repair a live database, told as differences. */
import {
  type AccessKind,
  type Column,
  compareCodeUnits,
  type Definition,
  type Dictionary,
  isDatabaseObject,
  type MaterializedView,
  type Model,
  type ObjectKind,
  objectKey,
  objectName,
  type QualifiedName,
  type SqlText,
  type Storage,
  type Table,
  type View,
} from '../model/definition.js'
import { coveredGrants, sameAccess } from '../model/grants.js'
import { sameExpression } from '../model/meaning.js'
import { rawEffects } from '../model/raw.js'
import { Token, tokenize, tokenText } from '../sql/lexer.js'
import type { Change, ColumnAttribute } from './change.js'
import { diffTable } from './diff-table.js'
import { dictionaryDiffers, materializedViewDifferences, viewDiffers } from './diff-view.js'
import { equalComments, equalDatabaseEngines } from './equal.js'

/** Why a table differs; names are contract. */
export type TableDriftReason =
  | 'missing_column'
  | 'extra_column'
  | 'changed_column'
  | 'setting_mismatch'
  | 'index_mismatch'
  | 'projection_mismatch'
  | 'constraint_mismatch'
  | 'ttl_mismatch'
  | 'engine_mismatch'
  | 'primary_key_mismatch'
  | 'order_by_mismatch'
  | 'partition_by_mismatch'
  | 'sample_by_mismatch'
  | 'unique_key_mismatch'
  | 'comment_mismatch'

/** Texts as SQL; null where a side has none. */
type Sides = { readonly expected: string | null; readonly actual: string | null }

export type ColumnDrift = { readonly name: string; readonly attribute: ColumnAttribute } & Sides

export type NamedDrift = { readonly name: string } & Sides

export type TableDrift = {
  /** `db.name` */
  readonly table: string
  /** In the order of `TableDriftReason`. */
  readonly reasonCodes: readonly TableDriftReason[]
  readonly missingColumns: readonly string[]
  readonly extraColumns: readonly string[]
  readonly changedColumns: readonly ColumnDrift[]
  readonly settingDiffs: readonly NamedDrift[]
  readonly indexDiffs: readonly NamedDrift[]
  readonly projectionDiffs: readonly NamedDrift[]
  readonly constraintDiffs: readonly NamedDrift[]
  readonly ttlMismatch: boolean
  readonly engineMismatch: boolean
  readonly primaryKeyMismatch: boolean
  readonly orderByMismatch: boolean
  readonly uniqueKeyMismatch: boolean
  readonly partitionByMismatch: boolean
  readonly sampleByMismatch: boolean
  readonly commentMismatch: boolean
  /** Both sides of each clause whose mismatch is true above. */
  readonly clauses: readonly ({ readonly clause: string } & Sides)[]
}

export type ObjectDrift = {
  readonly code: 'missing_object' | 'extra_object' | 'kind_mismatch' | 'definition_mismatch'
  /** `kind:db.name`; for a kind mismatch the bare name. */
  readonly object: string
  readonly expectedKind?: ObjectKind
  readonly actualKind?: ObjectKind
  readonly expected?: string
  readonly actual?: string
}

export type Drift = {
  readonly expectedCount: number
  readonly actualCount: number
  readonly drifted: boolean
  /** `kind:db.name`, sorted. */
  readonly missing: readonly string[]
  readonly extra: readonly string[]
  readonly kindMismatches: readonly {
    readonly expected: ObjectKind
    readonly actual: ObjectKind
    readonly object: string
  }[]
  readonly objectDrift: readonly ObjectDrift[]
  readonly tableDrift: readonly TableDrift[]
}

export type DriftOptions = {
  /** Tables that chkit keeps for itself besides those whose names begin with `_chkit_`; never extra. */
  readonly ownTables?: readonly QualifiedName[]
  /** Databases in which objects that nobody declared count as extra; by default those that the expected state uses. */
  readonly databases?: readonly string[]
  /** The database of the connection, in which raw objects make what they name without one. */
  readonly defaultDatabase?: string
}

const OWN_PREFIX = '_chkit_'

/**
 * Compares what the applied migrations led to with what a server shows. What the schema does not speak of counts as
 * extra only for tables, views, materialized views and dictionaries in its databases, and for functions once it
 * declares one; access objects, databases and raw objects are never extra, and raw ones cannot be looked for.
 */
export function findDrift(expected: Model, actual: Model, options: DriftOptions = {}): Drift {
  const wanted = comparableObjects(expected)
  const live = comparableObjects(actual)
  const liveByName = new Map<string, Definition>()
  for (const definition of live) if (isDatabaseObject(definition)) liveByName.set(objectName(definition), definition)
  const liveByKey = new Map(live.map((definition) => [objectKey(definition), definition]))
  const expectedKeys = new Set(wanted.map(objectKey))
  const expectedNames = new Set(wanted.filter(isDatabaseObject).map(objectName))

  const grants = (definitions: readonly Definition[]) =>
    definitions.filter(isAccess).filter(({ kind }) => kind === 'grant')
  const covered = coveredGrants(grants(wanted), grants(live))

  const objectDrift: ObjectDrift[] = []
  const tableDrift: TableDrift[] = []
  const kindMismatches: Drift['kindMismatches'][number][] = []
  const missing: string[] = []
  for (const definition of wanted) {
    const key = objectKey(definition)
    const found = liveByKey.get(key)
    if (found !== undefined) {
      if (definition.kind === 'table' && found.kind === 'table') {
        const drift = tableDriftOf(definition, found)
        if (drift !== undefined) tableDrift.push(drift)
      } else {
        const difference = definitionMismatch(definition, found)
        if (difference !== undefined) objectDrift.push({ code: 'definition_mismatch', object: key, ...difference })
      }
      continue
    }
    if (definition.kind === 'grant' && covered.has(definition)) continue
    const other = isDatabaseObject(definition) ? liveByName.get(objectName(definition)) : undefined
    if (other !== undefined) {
      const object = objectName(definition)
      kindMismatches.push({ expected: definition.kind, actual: other.kind, object })
      objectDrift.push({ code: 'kind_mismatch', object, expectedKind: definition.kind, actualKind: other.kind })
    } else {
      missing.push(key)
      objectDrift.push({ code: 'missing_object', object: key, expectedKind: definition.kind })
    }
  }

  const governs = extraRule(wanted, options, madeByRaw(expected, options.defaultDatabase))
  const extra: string[] = []
  for (const definition of live) {
    if (expectedKeys.has(objectKey(definition)) || !governs(definition)) continue
    if (isDatabaseObject(definition) && expectedNames.has(objectName(definition))) continue
    extra.push(objectKey(definition))
    objectDrift.push({ code: 'extra_object', object: objectKey(definition), actualKind: definition.kind })
  }
  return {
    expectedCount: wanted.length,
    actualCount: live.filter((definition) => expectedKeys.has(objectKey(definition)) || governs(definition)).length,
    drifted: objectDrift.length > 0 || tableDrift.length > 0,
    missing: missing.sort(compareCodeUnits),
    extra: extra.sort(compareCodeUnits),
    kindMismatches,
    objectDrift: objectDrift.sort((a, b) => compareCodeUnits(a.object, b.object)),
    tableDrift: tableDrift.sort((a, b) => compareCodeUnits(a.table, b.table)),
  }
}

/** Raw objects have no form that a server could be asked for. */
function comparableObjects(model: Model): Definition[] {
  return model.definitions.filter((definition) => definition.kind !== 'raw')
}

/** Names of what raw objects make: it is known, though it cannot be compared. Their keys are such names as well. */
function madeByRaw(model: Model, defaultDatabase: string | undefined): ReadonlySet<string> {
  return new Set(
    model.definitions.flatMap((definition) => {
      if (definition.kind !== 'raw') return []
      const made = rawEffects(definition).makes.map(({ kind, database = defaultDatabase, name }) =>
        kind === 'function' || database === undefined ? name : `${database}.${name}`,
      )
      return [definition.key, ...made]
    }),
  )
}

function extraRule(
  wanted: readonly Definition[],
  options: DriftOptions,
  raw: ReadonlySet<string>,
): (definition: Definition) => boolean {
  const databases = new Set(options.databases ?? [])
  if (options.databases === undefined)
    for (const definition of wanted) {
      if (isDatabaseObject(definition)) databases.add(definition.database)
      if (definition.kind === 'database') databases.add(definition.name)
    }
  const own = new Set((options.ownTables ?? []).map((table) => `${table.database}.${table.name}`))
  const declaresFunctions = wanted.some((definition) => definition.kind === 'sql_function')
  return (definition) => {
    if (raw.has(objectName(definition))) return false
    if (definition.kind === 'sql_function') return declaresFunctions
    if (!isDatabaseObject(definition)) return false
    if (definition.name.startsWith(OWN_PREFIX) || own.has(objectName(definition))) return false
    return databases.has(definition.database)
  }
}

// Tables

function tableDriftOf(expected: Table, actual: Table): TableDrift | undefined {
  const changes = diffTable(actual, expected, { live: true })
  if (changes.length === 0) return undefined
  const reasons = new Set<TableDriftReason>()
  const missingColumns: string[] = []
  const extraColumns: string[] = []
  const changedColumns: ColumnDrift[] = []
  const settingDiffs: NamedDrift[] = []
  const indexDiffs: NamedDrift[] = []
  const projectionDiffs: NamedDrift[] = []
  const constraintDiffs: NamedDrift[] = []
  const clauses: ({ clause: string } & Sides)[] = []
  for (const change of changes) {
    switch (change.kind) {
      case 'addColumn':
        reasons.add('missing_column')
        missingColumns.push(change.column.name)
        break
      case 'dropColumn':
        reasons.add('extra_column')
        extraColumns.push(change.column.name)
        break
      case 'modifyColumn':
        reasons.add('changed_column')
        changedColumns.push(...columnDrifts(change, actual))
        break
      case 'modifyTableSetting':
        reasons.add('setting_mismatch')
        settingDiffs.push({ name: change.name, expected: change.to ?? null, actual: change.from ?? null })
        break
      default: {
        const named = namedDrift(change)
        if (named !== undefined) {
          reasons.add(named.reason)
          const list = {
            index_mismatch: indexDiffs,
            projection_mismatch: projectionDiffs,
            constraint_mismatch: constraintDiffs,
          }
          list[named.reason].push(named.drift)
          break
        }
        const clause = clauseDrift(change)
        if (clause === undefined) break
        reasons.add(clause.reason)
        clauses.push(clause.drift)
      }
    }
  }
  return {
    table: objectName(expected),
    reasonCodes: REASONS.filter((reason) => reasons.has(reason)),
    missingColumns,
    extraColumns,
    changedColumns,
    settingDiffs,
    indexDiffs,
    projectionDiffs,
    constraintDiffs,
    ttlMismatch: reasons.has('ttl_mismatch'),
    engineMismatch: reasons.has('engine_mismatch'),
    primaryKeyMismatch: reasons.has('primary_key_mismatch'),
    orderByMismatch: reasons.has('order_by_mismatch'),
    uniqueKeyMismatch: reasons.has('unique_key_mismatch'),
    partitionByMismatch: reasons.has('partition_by_mismatch'),
    sampleByMismatch: reasons.has('sample_by_mismatch'),
    commentMismatch: reasons.has('comment_mismatch'),
    clauses,
  }
}

const REASONS: readonly TableDriftReason[] = [
  'missing_column',
  'extra_column',
  'changed_column',
  'setting_mismatch',
  'index_mismatch',
  'projection_mismatch',
  'constraint_mismatch',
  'ttl_mismatch',
  'engine_mismatch',
  'primary_key_mismatch',
  'order_by_mismatch',
  'partition_by_mismatch',
  'sample_by_mismatch',
  'unique_key_mismatch',
  'comment_mismatch',
]

function columnDrifts(change: Extract<Change, { kind: 'modifyColumn' }>, actual: Table): ColumnDrift[] {
  return change.attributes.map((attribute) => {
    if (attribute !== 'position')
      return {
        name: change.to.name,
        attribute,
        expected: attributeText(change.to, attribute),
        actual: attributeText(change.from, attribute),
      }
    const place = actual.columns.findIndex((column) => column.name === change.to.name)
    const before = actual.columns[place - 1]
    const expected =
      change.position === undefined || change.position === 'first' ? 'FIRST' : `AFTER ${change.position.after}`
    return {
      name: change.to.name,
      attribute,
      expected,
      actual: before === undefined ? 'FIRST' : `AFTER ${before.name}`,
    }
  })
}

function attributeText(column: Column, attribute: Exclude<ColumnAttribute, 'position'>): string | null {
  switch (attribute) {
    case 'type':
      return column.type
    case 'default':
      return column.default === undefined
        ? null
        : [column.default.kind, column.default.expression].filter(Boolean).join(' ')
    case 'statistics':
      return column.statistics?.join(', ') ?? null
    case 'settings':
      return settingsText(column.settings)
    default:
      return column[attribute] ?? null
  }
}

function settingsText(settings: Readonly<Record<string, string>> | undefined): string | null {
  if (settings === undefined) return null
  return Object.entries(settings)
    .map(([name, value]) => `${name} = ${value}`)
    .join(', ')
}

type NamedReason = 'index_mismatch' | 'projection_mismatch' | 'constraint_mismatch'

function namedDrift(change: Change): { readonly reason: NamedReason; readonly drift: NamedDrift } | undefined {
  const found = <Item extends { readonly name: string }>(
    reason: NamedReason,
    expected: Item | undefined,
    actual: Item | undefined,
    text: (item: Item) => string,
  ) => ({
    reason,
    drift: {
      name: (expected ?? actual)!.name,
      expected: expected === undefined ? null : text(expected),
      actual: actual === undefined ? null : text(actual),
    },
  })
  type Index = NonNullable<Table['indexes']>[number]
  type Projection = NonNullable<Table['projections']>[number]
  type Constraint = NonNullable<Table['constraints']>[number]
  const index = (item: Index) => `${item.expression} TYPE ${item.type} GRANULARITY ${item.granularity}`
  const projection = (item: Projection) =>
    [item.body, settingsText(item.settings)].filter(Boolean).join(' WITH SETTINGS ')
  const constraint = (item: Constraint) => `${item.type} ${item.expression}`
  switch (change.kind) {
    case 'addIndex':
      return found('index_mismatch', change.index, undefined, index)
    case 'dropIndex':
      return found('index_mismatch', undefined, change.index, index)
    case 'modifyIndex':
      return found('index_mismatch', change.to, change.from, index)
    case 'addProjection':
      return found('projection_mismatch', change.projection, undefined, projection)
    case 'dropProjection':
      return found('projection_mismatch', undefined, change.projection, projection)
    case 'modifyProjection':
      return found('projection_mismatch', change.to, change.from, projection)
    case 'addConstraint':
      return found('constraint_mismatch', change.constraint, undefined, constraint)
    case 'dropConstraint':
      return found('constraint_mismatch', undefined, change.constraint, constraint)
    case 'modifyConstraint':
      return found('constraint_mismatch', change.to, change.from, constraint)
    default:
      return undefined
  }
}

function clauseDrift(
  change: Change,
): { readonly reason: TableDriftReason; readonly drift: { readonly clause: string } & Sides } | undefined {
  const drift = (reason: TableDriftReason, clause: string, expected: string | null, actual: string | null) => ({
    reason,
    drift: { clause, expected, actual },
  })
  const list = (entries: readonly string[] | undefined) => (entries === undefined ? null : entries.join(', '))
  switch (change.kind) {
    case 'modifyTableTtl':
      return drift('ttl_mismatch', 'TTL', list(change.to), list(change.from))
    case 'modifyEngine': {
      const engine = (e: Table['engine']) => (e.args.length > 0 ? `${e.name}(${e.args.join(', ')})` : e.name)
      return drift('engine_mismatch', 'ENGINE', engine(change.to), engine(change.from))
    }
    case 'modifyPrimaryKey':
      return drift('primary_key_mismatch', 'PRIMARY KEY', list(change.to), list(change.from))
    case 'modifySortingKey':
      return drift('order_by_mismatch', 'ORDER BY', list(change.to), list(change.from))
    case 'modifyUniqueKey':
      return drift('unique_key_mismatch', 'UNIQUE KEY', list(change.to), list(change.from))
    case 'modifyPartitionKey':
      return drift('partition_by_mismatch', 'PARTITION BY', list(change.to), list(change.from))
    case 'modifySamplingKey':
      return drift('sample_by_mismatch', 'SAMPLE BY', change.to ?? null, change.from ?? null)
    case 'modifyTableComment':
      return drift('comment_mismatch', 'COMMENT', change.to, change.from)
    default:
      return undefined
  }
}

// Other objects

type Texts = { readonly expected: string; readonly actual: string }

/** Both sides of what differs first, or undefined when nothing does. */
function definitionMismatch(expected: Definition, actual: Definition): Texts | undefined {
  if (expected.kind === 'view' && actual.kind === 'view')
    return viewDiffers(actual, expected) ? sides(expected, actual, viewText) : undefined
  if (expected.kind === 'materialized_view' && actual.kind === 'materialized_view')
    return materializedViewDifferences(actual, expected, { live: true }).length > 0
      ? sides(expected, actual, materializedViewText)
      : undefined
  if (expected.kind === 'dictionary' && actual.kind === 'dictionary')
    return dictionaryDiffers(actual, expected) ? sides(expected, actual, dictionaryText) : undefined
  if (expected.kind === 'sql_function' && actual.kind === 'sql_function')
    return sameExpression(expected.expression, actual.expression)
      ? undefined
      : sides(expected, actual, (f) => f.expression)
  if (expected.kind === 'database' && actual.kind === 'database') {
    // A database that only has a name takes whatever engine the server gives it.
    const sameEngine =
      expected.engine === undefined ||
      (actual.engine !== undefined && equalDatabaseEngines(expected.engine, actual.engine))
    if (sameEngine && equalComments(expected.comment, actual.comment)) return undefined
    return sides(expected, actual, (d) =>
      [d.engine?.name, d.engine?.args.join(', '), d.comment].filter(Boolean).join(' '),
    )
  }
  if (isAccess(expected) && isAccess(actual))
    return sameAccess(expected, actual) ? undefined : sides(expected, actual, (o) => o.statement)
  return undefined
}

function isAccess(definition: Definition): definition is Extract<Definition, { kind: AccessKind }> {
  return 'statement' in definition
}

function sides<Object>(expected: Object, actual: Object, text: (object: Object) => string): Texts {
  return { expected: text(expected), actual: text(actual) }
}

function viewText(view: View | MaterializedView): string {
  const columns = view.columns?.map(
    ({ name, type, comment }) => `${name} ${type}${comment ? ` COMMENT ${comment}` : ''}`,
  )
  const parts = [...(columns ?? []), ...(view.kind === 'materialized_view' ? elementTexts(view) : [])]
  const security = [view.definer, view.sqlSecurity].filter(Boolean).join(' ')
  return [parts.length > 0 && `(${parts.join(', ')})`, security, view.comment && `COMMENT ${view.comment}`, view.query]
    .filter(Boolean)
    .join(' ')
}

function elementTexts({ indexes, projections, constraints }: MaterializedView): string[] {
  return [
    ...(indexes ?? []).map((index) => `INDEX ${index.name} ${index.expression} ${index.type}`),
    ...(projections ?? []).map((projection) => `PROJECTION ${projection.name} ${projection.body}`),
    ...(constraints ?? []).map((constraint) => `CONSTRAINT ${constraint.name} ${constraint.expression}`),
  ]
}

function materializedViewText(view: MaterializedView): string {
  const { refresh, inner } = view
  const follows = refresh?.dependsOn?.map(({ database, name }) => `${database}.${name}`).join(', ')
  const parts = [
    refresh &&
      `REFRESH ${[refresh.schedule, refresh.offset, refresh.randomize, follows && `DEPENDS ON ${follows}`, settingsText(refresh.settings), refresh.append && 'APPEND'].filter(Boolean).join(' ')}`,
    view.to && `TO ${view.to.database}.${view.to.name}`,
    inner && storageText(inner),
    viewText(view),
  ]
  return parts.filter(Boolean).join(' ')
}

function storageText({ engine, partitionBy, primaryKey, orderBy, sampleBy, ttl, settings }: Storage): string {
  const clause = (words: string, entries: readonly SqlText[] | undefined) =>
    entries !== undefined && entries.length > 0 && `${words} ${entries.join(', ')}`
  return [
    `ENGINE ${engine.name}(${engine.args.join(', ')})`,
    clause('PARTITION BY', partitionBy),
    clause('PRIMARY KEY', primaryKey),
    orderBy && `ORDER BY ${orderBy.join(', ')}`,
    sampleBy && `SAMPLE BY ${sampleBy}`,
    clause('TTL', ttl),
    settingsText(settings),
  ]
    .filter(Boolean)
    .join(' ')
}

/** What a source says of where its rows are; the rest may be secret. */
const SHOWN_OF_A_SOURCE = /^(?:db|table|host|port|user|where|update_field|update_lag|path|format|name|secure)$/i

/** The clauses of a source by name; of those that may hold secrets only that they are there. */
function sourceText(source: string): string {
  const tokens = tokenize(source)
  const words: string[] = []
  for (let index = 0; index < tokens.count; index++) {
    const isValue = tokens.kinds[index] !== Token.word && tokens.matching[index] === -1
    words.push(isValue && !SHOWN_OF_A_SOURCE.test(tokenText(tokens, index - 1)) ? '...' : tokenText(tokens, index))
  }
  return words.join(' ')
}

function dictionaryText(dictionary: Dictionary): string {
  const attributes = dictionary.attributes.map((a) =>
    [
      a.name,
      a.type,
      a.default && `DEFAULT ${a.default}`,
      a.expression && `EXPRESSION ${a.expression}`,
      a.hierarchical && 'HIERARCHICAL',
      a.bidirectional && 'BIDIRECTIONAL',
      a.injective && 'INJECTIVE',
      a.isObjectId && 'IS_OBJECT_ID',
    ]
      .filter(Boolean)
      .join(' '),
  )
  return [
    `(${attributes.join(', ')})`,
    `PRIMARY KEY ${dictionary.primaryKey.join(', ')}`,
    `SOURCE(${sourceText(dictionary.source)})`,
    dictionary.lifetime && `LIFETIME(${dictionary.lifetime})`,
    `LAYOUT(${dictionary.layout})`,
    dictionary.range && `RANGE(MIN ${dictionary.range.min} MAX ${dictionary.range.max})`,
    settingsText(dictionary.settings),
    dictionary.comment,
  ]
    .filter(Boolean)
    .join(' ')
}
