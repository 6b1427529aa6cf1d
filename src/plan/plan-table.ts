/**
 * Changes of one table as steps. The rules are those of reference/alter-matrix.md sections 1 and 4 (seen on 26.7):
 * metadata only where the server can, a mutation where it must rewrite, a refusal where it cannot or would break later.
 */
import type { Change, ColumnAttribute, Position } from '../diff/change.js'
import { isPrefix } from '../diff/equal.js'
import { aggregates, columnsIn, mentionsColumn, readsEverything } from '../diff/expression-names.js'
import { assertNever } from '../errors.js'
import { readTtl } from '../model/clause.js'
import { type Column, type MaterializedView, objectKey, objectName, type Table } from '../model/definition.js'
import { outputColumns } from '../model/query-columns.js'
import { quoteIdentifierIfNeeded, quoteQualified } from '../sql/quote.js'
import { deletesRows } from '../sql/ttl.js'
import { type ColumnRoles, columnRoles, deletesValues, isStored } from './column-roles.js'
import { nameChange, reverseOf } from './describe.js'
import { engineAbilities, READ_ONLY_SETTINGS } from './engines.js'
import type { Refusal, Risk, Step } from './step.js'
import { classifyTypeChange, keyTypeMayChange, versionTypeMayChange } from './type-change.js'

type ChangeOf<Kind extends Change['kind']> = Extract<Change, { kind: Kind }>
type ModifyColumn = ChangeOf<'modifyColumn'>

/** A table with what surrounds it. `from` is named as before the plan, `to` as after it. */
export type TableChanges = {
  readonly from: Table
  readonly to: Table
  /** Changes of this table's own parts; no create, drop or rename of the table. */
  readonly changes: readonly Change[]
  /** Materialized views, in their desired state, that read this table and that this plan leaves as they are. */
  readonly unchangedReaders: readonly MaterializedView[]
  /** Names of all that reads this table, for warnings. */
  readonly readers: readonly string[]
}

/** Steps that must run before dependent objects change, those that must run after, and what cannot be done. */
export type TableSteps = {
  readonly expand: readonly Step[]
  readonly contract: readonly Step[]
  readonly refusals: readonly Refusal[]
}

/** Where a step stands among those of its table. Lower runs first. */
const PHASE = {
  dropParts: 0,
  removeTtl: 1,
  settings: 2,
  renames: 3,
  columns: 4,
  clauses: 5,
  mutations: 6,
  ttl: 7,
  addParts: 8,
  dropColumns: 9,
  resetSettings: 10,
} as const

type Phase = (typeof PHASE)[keyof typeof PHASE]

/** How to say it to the reader. */
type Facts = { readonly risk: Risk; readonly reason: string; readonly mutation?: boolean } & Pick<
  Step,
  'warning' | 'guard'
>

type Verdict = { readonly phase: Phase; readonly facts: Facts } | Pick<Refusal, 'code' | 'message' | 'hint'>

/** What the rows of every verdict may look at. */
type Scope = TableChanges & {
  readonly roles: ReadonlyMap<string, ColumnRoles>
  readonly name: string
  readonly added: ReadonlyMap<string, Column>
}

/** The statement that rewrites the table by copying, in words: what a rebuild would do. */
const RECREATE_HINT =
  'Run generate with --allow-recreate to drop the table and create it anew; its rows are lost, so copy them elsewhere first.'
const RECREATE_EMPTY_HINT =
  'Run generate with --allow-recreate to drop the table and create it anew; its engine keeps no rows, so none are lost.'

function hintFor({ from }: TableChanges, hint: string): string {
  return hint === RECREATE_HINT && !engineAbilities(from.engine).holdsRows ? RECREATE_EMPTY_HINT : hint
}

/** The step of a change with its names, its risk and its reverse. */
export function stepOf(change: Change, facts: Facts): Step {
  const reverse = reverseOf(change)
  return { change, ...nameChange(change), mutation: false, ...facts, ...(reverse && { reverse }) }
}

/** Plans the parts of one table. Never throws; each change ends in at least one step or one refusal. */
export function planTable(table: TableChanges): TableSteps {
  const added = new Map<string, Column>()
  for (const change of table.changes) if (change.kind === 'addColumn') added.set(change.column.name, change.column)
  const scope: Scope = { ...table, roles: columnRoles(table.from), name: objectName(table.to), added }
  const entries: { readonly phase: Phase; readonly step: Step }[] = []
  const refusals: Refusal[] = []
  for (const change of inPlace(scope.to, withRebuiltParts(scope))) {
    for (const part of splitChange(change)) {
      const verdict = decide(scope, part)
      if ('code' in verdict)
        refusals.push({ change: part, object: objectKey(table.to), ...verdict, hint: hintFor(table, verdict.hint) })
      else entries.push({ phase: verdict.phase, step: stepOf(part, verdict.facts) })
    }
  }
  // Sorting is stable: within a phase the order of the changes, which is the order of columns, stays.
  entries.sort((a, b) => a.phase - b.phase)
  return {
    expand: entries.filter((entry) => entry.phase < PHASE.dropColumns).map((entry) => entry.step),
    contract: dependentsFirst(entries.filter((entry) => entry.phase >= PHASE.dropColumns).map((entry) => entry.step)),
    refusals,
  }
}

/** Dropped columns whose default reads another dropped one go before it: the server checks the commands in turn. */
function dependentsFirst(steps: readonly Step[]): readonly Step[] {
  const waiting = [...steps]
  const ordered: Step[] = []
  while (waiting.length > 0) {
    const free = waiting.findIndex(({ change }) => {
      if (change.kind !== 'dropColumn') return true
      const { name } = change.column
      return !waiting.some(
        (other) =>
          other.change.kind === 'dropColumn' &&
          other.change !== change &&
          [other.change.column.default?.expression, other.change.column.ttl].some(
            (text) => text !== undefined && mentionsColumn(text, name),
          ),
      )
    })
    ordered.push(...waiting.splice(Math.max(free, 0), 1))
  }
  return ordered
}

// Parts that stand in the way of a column's change

/**
 * The changes, with indexes and projections dropped before and added after where the server would refuse the change
 * of a column they read (projections) or go on pruning by old values (indexes over ALIAS columns).
 */
function withRebuiltParts(scope: Scope): readonly Change[] {
  const { changes, from, to } = scope
  const columnChanges = changes.filter(
    (change) => change.kind === 'renameColumn' || change.kind === 'modifyColumn' || change.kind === 'dropColumn',
  )
  if (columnChanges.length === 0) return changes
  const out: Change[] = []
  for (const change of changes) {
    // Split, so that the old part is gone before its columns change and the new one comes when they have.
    if (change.kind === 'modifyIndex')
      out.push({ kind: 'dropIndex', table: to, index: change.from }, { kind: 'addIndex', table: to, index: change.to })
    else if (change.kind === 'modifyProjection')
      out.push(
        { kind: 'dropProjection', table: to, projection: change.from },
        { kind: 'addProjection', table: to, projection: change.to },
      )
    else if (change.kind === 'modifyConstraint')
      out.push(
        { kind: 'dropConstraint', table: to, constraint: change.from },
        { kind: 'addConstraint', table: to, constraint: change.to },
      )
    else out.push(change)
  }
  const dropped = new Set(out.flatMap((change) => (change.kind === 'dropIndex' ? [change.index.name] : [])))
  // Settings come before the columns, but what is reset comes after them.
  const indexMode =
    to.settings?.alter_column_secondary_index_mode ?? from.settings?.alter_column_secondary_index_mode ?? ''
  const keepsIndexes = indexMode.includes('throw') || indexMode.includes('compatibility')
  for (const index of to.indexes ?? []) {
    const old = from.indexes?.find((candidate) => candidate.name === index.name)
    if (old === undefined || dropped.has(index.name)) continue
    const stale = columnChanges.some(
      (change) =>
        change.kind === 'modifyColumn' &&
        change.attributes.includes('default') &&
        (change.from.default?.kind === 'ALIAS' || change.to.default?.kind === 'ALIAS') &&
        mentionsColumn(index.expression, change.to.name),
    )
    const kept =
      keepsIndexes &&
      columnChanges.some(
        (change) =>
          (change.kind === 'renameColumn' && mentionsColumn(old.expression, change.from)) ||
          (change.kind === 'modifyColumn' &&
            change.attributes.includes('type') &&
            mentionsColumn(index.expression, change.to.name)),
      )
    if (stale || kept) out.push({ kind: 'dropIndex', table: to, index: old }, { kind: 'addIndex', table: to, index })
  }
  const gone = new Set(out.flatMap((change) => (change.kind === 'dropProjection' ? [change.projection.name] : [])))
  for (const projection of to.projections ?? []) {
    const old = from.projections?.find((candidate) => candidate.name === projection.name)
    if (old === undefined || gone.has(projection.name)) continue
    if (columnChanges.some((change) => projectionStandsInTheWay(old.body, projection.body, change)))
      out.push({ kind: 'dropProjection', table: to, projection: old }, { kind: 'addProjection', table: to, projection })
  }
  return out
}

/** New indexes and projections in the order of the table, each told where it stands unless it comes last by itself. */
function inPlace(table: Table, changes: readonly Change[]): readonly Change[] {
  const indexes = placesOf(
    table.indexes ?? [],
    changes.flatMap((change) => (change.kind === 'addIndex' ? [change.index] : [])),
  )
  const projections = placesOf(
    table.projections ?? [],
    changes.flatMap((change) => (change.kind === 'addProjection' ? [change.projection] : [])),
  )
  const order = (list: readonly { readonly name: string }[] | undefined, name: string) =>
    (list ?? []).findIndex((item) => item.name === name)
  const others: Change[] = []
  const parts: { readonly rank: number; readonly change: Change }[] = []
  for (const change of changes) {
    if (change.kind === 'addIndex' || change.kind === 'modifyIndex') {
      const { name } = change.kind === 'addIndex' ? change.index : change.to
      parts.push({ rank: order(table.indexes, name), change: { ...change, ...indexes(name) } })
    } else if (change.kind === 'addProjection' || change.kind === 'modifyProjection') {
      const { name } = change.kind === 'addProjection' ? change.projection : change.to
      const rank = (table.indexes?.length ?? 0) + order(table.projections, name)
      parts.push({ rank, change: { ...change, ...projections(name) } })
    } else others.push(change)
  }
  return [...others, ...parts.sort((a, b) => a.rank - b.rank).map(({ change }) => change)]
}

function placesOf(
  wanted: readonly { readonly name: string }[],
  added: readonly { readonly name: string }[],
): (name: string) => { readonly position?: Position } {
  const names = new Set(added.map((item) => item.name))
  let lastKept = wanted.length - 1
  while (lastKept >= 0 && names.has(wanted[lastKept]!.name)) lastKept--
  return (name) => {
    const at = wanted.findIndex((item) => item.name === name)
    if (at < 0 || at > lastKept || (at === lastKept && at === wanted.length - 1)) return {}
    return { position: at === 0 ? 'first' : { after: wanted[at - 1]!.name } }
  }
}

function projectionStandsInTheWay(oldBody: string, body: string, change: Change): boolean {
  if (change.kind === 'renameColumn') return mentionsColumn(oldBody, change.from) || readsEverything(oldBody)
  if (change.kind !== 'modifyColumn' || !mentionsColumn(body, change.to.name)) return false
  const computed = change.attributes.includes('default') && change.to.default?.kind === 'ALIAS'
  return computed || (change.attributes.includes('type') && aggregates(body))
}

/** A moved column whose type is converted too moves first: a mutation waits, later `AFTER` clauses must not. */
function splitChange(change: Change): readonly Change[] {
  if (change.kind !== 'modifyColumn') return [change]
  const { attributes, position, ...rest } = change
  const converts = attributes.includes('ttl') || (attributes.includes('type') && wayOf(change) === 'mutation')
  if (!converts || !attributes.includes('position')) return [change]
  const others = attributes.filter((attribute) => attribute !== 'position')
  return [
    { ...rest, to: rest.from, attributes: ['position'], ...(position !== undefined && { position }) },
    { ...rest, attributes: others },
  ]
}

function wayOf(change: ModifyColumn): 'metadata' | 'mutation' | 'refused' {
  if (!isStored(change.from) || !isStored(change.to)) return 'metadata'
  return classifyTypeChange(change.to.name, change.from.type, change.to.type).way
}

// Verdicts

function rebuild(message: string, hint: string = RECREATE_HINT): Verdict {
  return { code: 'rebuild_required', message, hint }
}

function refuse(message: string, hint: string): Verdict {
  return { code: 'plan_refused', message, hint }
}

function allow(phase: Phase, facts: Facts): Verdict {
  return { phase, facts }
}

function decide(scope: Scope, change: Change): Verdict {
  const abilities = engineAbilities(scope.from.engine)
  const engine = scope.from.engine.name
  const cannot = (what: string) => rebuild(`The ${engine} engine cannot ${what} of ${scope.name} in place.`)
  if (isReadOnly(scope.from) && change.kind !== 'modifyTableSetting')
    return refuse(
      `${scope.name} cannot change: its setting table_readonly is on.`,
      'Take table_readonly away in a migration of its own, then generate again.',
    )
  switch (change.kind) {
    case 'addColumn':
      if (!abilities.columns) return cannot(`add column ${change.column.name}`)
      return (
        partsRefused(scope, change.column, change.column.statistics, change.column.ttl) ??
        allow(PHASE.columns, {
          risk: 'safe',
          reason: 'Adding a column changes metadata only.',
          ...innerTableWarning(scope, change.column),
        })
      )
    case 'dropColumn':
      if (!abilities.columns) return cannot(`drop column ${change.column.name}`)
      return decideDropColumn(scope, change)
    case 'renameColumn':
      if (!abilities.renameColumn) return cannot(`rename column ${change.from}`)
      return decideRenameColumn(scope, change)
    case 'modifyColumn': {
      const commentOnly = change.attributes.every((attribute) => attribute === 'comment')
      if (commentOnly ? !abilities.columnComment : !abilities.columns) return cannot(`change column ${change.to.name}`)
      return decideModifyColumn(scope, change)
    }
    case 'modifyEngine':
      return rebuild(
        `The engine of ${scope.name} changes from ${engineText(change.from)} to ${engineText(change.to)}; the server cannot do that in place.`,
      )
    case 'modifyPartitionKey':
      return rebuild(
        `The partition key of ${scope.name} changes from ${keyText(change.from)} to ${keyText(change.to)}; parts cannot be regrouped in place.`,
      )
    case 'modifyPrimaryKey':
      return rebuild(
        `The primary key of ${scope.name} changes from ${keyText(change.from)} to ${keyText(change.to)}; the server fixes it at CREATE.`,
      )
    case 'modifyUniqueKey':
      return rebuild(`The unique key of ${scope.name} changes; the server fixes it at CREATE.`)
    case 'modifySortingKey':
      return decideSortingKey(scope, change)
    case 'modifySamplingKey':
      return allow(PHASE.clauses, {
        risk: 'safe',
        reason: 'The sampling key is metadata; stored rows stay as they are.',
      })
    case 'modifyTableTtl':
      if (!abilities.mergeTree) return cannot('change the TTL')
      return decideTtl(scope, change)
    case 'modifyTableSetting':
      if (!abilities.settings) return cannot(`change setting ${change.name}`)
      return decideSetting(scope, change)
    case 'modifyTableComment':
      if (!abilities.tableComment) return cannot('change the comment')
      return allow(PHASE.clauses, { risk: 'safe', reason: 'A comment is metadata only.' })
    case 'addIndex':
    case 'modifyIndex':
    case 'dropIndex':
      if (!abilities.mergeTree) return cannot('change indexes')
      return decideIndex(scope, change)
    case 'addProjection':
    case 'modifyProjection':
    case 'dropProjection':
      if (!abilities.mergeTree) return cannot('change projections')
      return decideProjection(scope, change)
    case 'addConstraint':
    case 'modifyConstraint':
    case 'dropConstraint':
      if (!abilities.mergeTree) return cannot('change constraints')
      return decideConstraint(change)
    default:
      return refuse(`Change ${change.kind} does not belong to a table's parts.`, 'Report this as a bug of chkit.')
  }
}

function isReadOnly(table: Table): boolean {
  return table.settings?.table_readonly === '1'
}

function engineText(engine: { readonly name: string; readonly args: readonly string[] }): string {
  return engine.args.length > 0 ? `${engine.name}(${engine.args.join(', ')})` : engine.name
}

function keyText(entries: readonly string[] | undefined): string {
  return `(${(entries ?? []).join(', ')})`
}

function qualifiedName(table: Table): string {
  return quoteQualified(table.database, table.name)
}

// Columns

function unchangedReadersOf(scope: Scope, column: string): string[] {
  return scope.unchangedReaders.filter((view) => mentionsColumn(view.query, column)).map((view) => objectName(view))
}

/** True when `table` is the target of `view`. */
export function writesTo(view: MaterializedView, table: Table): boolean {
  return view.to !== undefined && view.to.database === table.database && view.to.name === table.name
}

/** What becomes of stored rows while a column of theirs changes. */
function rowsText({ from }: Scope): string {
  const { mergeTree, holdsRows } = engineAbilities(from.engine)
  if (mergeTree) return 'parts are rewritten in the background'
  return holdsRows ? 'the rows that it holds are rewritten at once' : 'its engine keeps no rows of its own'
}

/** A view that selects everything into an inner table goes on without what was added later. */
function innerTableWarning(scope: Scope, column: Column): { readonly warning?: string } {
  if (column.default?.kind !== undefined && column.default.kind !== 'DEFAULT') return {}
  const keeping = scope.unchangedReaders.filter((view) => view.to === undefined && readsEverything(view.query))
  if (keeping.length === 0) return {}
  const names = keeping.map((view) => objectName(view)).join(', ')
  return { warning: `The inner table of ${names} keeps the columns that it has, and does not get ${column.name}.` }
}

function decideDropColumn(scope: Scope, change: ChangeOf<'dropColumn'>): Verdict {
  const { name } = change.column
  const readers = unchangedReadersOf(scope, name)
  if (readers.length > 0)
    return refuse(
      `Column ${name} of ${scope.name} cannot be dropped: materialized view ${readers.join(', ')} reads or writes it.`,
      `Change the query of ${readers.join(', ')} so that it does without ${name}, then generate again.`,
    )
  return allow(PHASE.dropColumns, {
    risk: 'danger',
    mutation: true,
    reason: `Dropping column ${name} deletes its values; they cannot be brought back.`,
  })
}

function decideRenameColumn(scope: Scope, change: ChangeOf<'renameColumn'>): Verdict {
  const { from, to } = change
  if (nestOf(from) !== nestOf(to))
    return refuse(
      `Column ${from} of ${scope.name} cannot be renamed to ${to}: the server keeps what stands before the dot.`,
      `Add ${to} as a column of its own, copy the values, and drop ${from} later.`,
    )
  const role = scope.roles.get(from)
  if (role?.key)
    return rebuild(`Column ${from} of ${scope.name} cannot be renamed: it is part of the ${role.keyClause}.`)
  if (role?.engine)
    return rebuild(`Column ${from} of ${scope.name} cannot be renamed: the engine uses it (${role.engine}).`)
  const readers = unchangedReadersOf(scope, from)
  if (readers.length > 0)
    return refuse(
      `Column ${from} of ${scope.name} cannot be renamed to ${to}: materialized view ${readers.join(', ')} reads it under its old name, and every insert would fail.`,
      `Change the query of ${readers.join(', ')} to read ${to}, then generate again.`,
    )
  return allow(PHASE.renames, {
    risk: 'caution',
    mutation: engineAbilities(scope.from.engine).mergeTree,
    reason: `Renaming column ${from} to ${to} keeps its values; ${rowsText(scope)}.`,
    warning: `Queries that still name ${from} fail from then on${readersText(scope)}.`,
  })
}

/** `n` of the flattened Nested column `n.a`: the server takes every dotted name for one. */
function nestOf(column: string): string | undefined {
  const dot = column.indexOf('.')
  return dot < 0 ? undefined : column.slice(0, dot)
}

function readersText(scope: Scope): string {
  return scope.readers.length > 0
    ? `; ${scope.readers.join(', ')} ${scope.readers.length === 1 ? 'reads' : 'read'} this table`
    : ''
}

function decideModifyColumn(scope: Scope, change: ModifyColumn): Verdict {
  const { from, to, attributes } = change
  const has = (attribute: ColumnAttribute) => attributes.includes(attribute)
  const role = scope.roles.get(to.name)
  const refused =
    modificationRefusedByRole(scope, change, role) ??
    partsRefused(scope, to, has('statistics') ? to.statistics : undefined, has('ttl') ? to.ttl : undefined)
  if (refused !== undefined) return refused

  const notes: string[] = []
  const warnings: string[] = []
  let risk: Risk = 'safe'
  let mutation = false
  let guard: Step['guard']
  const raise = (to: Risk) => {
    if (to === 'danger' || risk === 'safe') risk = to
  }

  if (has('type')) {
    // A column that parts do not hold before or after has nothing to convert.
    const stored = isStored(from) && isStored(to)
    const oldName = nameBefore(scope, to.name)
    const conversion = classifyTypeChange(oldName, from.type, to.type, to.default?.kind === 'DEFAULT')
    if (conversion.way === 'refused' && stored)
      return rebuild(`The server cannot convert column ${to.name} of ${scope.name} from ${from.type} to ${to.type}.`)
    mutation = conversion.way === 'mutation' && stored
    notes.push(
      mutation
        ? `Column ${to.name} is converted from ${from.type} to ${to.type}; ${rowsText(scope)}.`
        : `The type of ${to.name} changes from ${from.type} to ${to.type} in metadata only.`,
    )
    if (mutation) raise('caution')
    if (conversion.loss !== undefined && stored) {
      raise('danger')
      warnings.push(`Values may be lost: ${conversion.loss}.`)
    }
    if (conversion.guard !== undefined && stored) {
      raise('caution')
      guard = {
        table: { database: scope.from.database, name: scope.from.name },
        condition: conversion.guard,
        message: `rows of ${objectName(scope.from)} hold values of ${oldName} that ${to.type} cannot hold`,
      }
      warnings.push('The migration stops before its first change while such rows exist.')
    }
    for (const view of scope.unchangedReaders)
      if (!writesTo(view, scope.to)) {
        if (mentionsColumn(view.query, to.name))
          warnings.push(
            view.to === undefined
              ? `Materialized view ${objectName(view)} reads it, and its inner table keeps the types of its columns: check that they hold what its query gives for ${to.type}.`
              : `Materialized view ${objectName(view)} reads it: check that its query accepts ${to.type}.`,
          )
      } else if (outputColumns(view.query)?.includes(to.name) ?? true)
        warnings.push(`Materialized view ${objectName(view)} writes it: check that what it selects fits ${to.type}.`)
  }
  if (has('default')) {
    const [note, warning, defaultRisk] = defaultNotes(scope, change)
    if (deletesValues(change)) mutation = true
    notes.push(note)
    if (warning !== undefined) warnings.push(warning)
    raise(defaultRisk)
  }
  if (has('codec')) notes.push('Old parts keep their codec until they are merged.')
  if (has('ttl')) {
    if (to.ttl !== undefined) {
      mutation = true
      raise('caution')
      notes.push(`The TTL of ${to.name} is applied to stored rows at once.`)
      warnings.push('Values that have expired under the new TTL are reset.')
    } else notes.push(`Removing the TTL of ${to.name} changes metadata only.`)
  }
  if (has('statistics')) notes.push(`Statistics of ${to.name} change; old parts get them when they are merged.`)
  if (notes.length === 0)
    notes.push(has('position') ? `Moving column ${to.name} changes metadata only.` : 'Changes metadata only.')

  return allow(mutation || guard !== undefined ? PHASE.mutations : PHASE.columns, {
    risk,
    mutation,
    reason: notes.join(' '),
    ...(warnings.length > 0 && { warning: warnings.join(' ') }),
    ...(guard && { guard }),
  })
}

function nameBefore(scope: Scope, column: string): string {
  const renamed = scope.changes.find((change) => change.kind === 'renameColumn' && change.to === column)
  return renamed?.kind === 'renameColumn' ? renamed.from : column
}

function modificationRefusedByRole(
  scope: Scope,
  change: ModifyColumn,
  role: ColumnRoles | undefined,
): Verdict | undefined {
  const { from, to, attributes } = change
  const has = (attribute: ColumnAttribute) => attributes.includes(attribute)
  if (role === undefined) return undefined
  const column = `Column ${to.name} of ${scope.name}`
  const use = role.key ? `it is part of the ${role.keyClause}` : `the engine uses it (${role.engine})`
  const losesStorage = has('default') && isStored(from) && !isStored(to)
  if (losesStorage && role.engine !== 'summed') return rebuild(`${column} cannot become ${to.default!.kind}: ${use}.`)
  if (has('ttl') && (role.key || role.engine === 'sign' || role.engine === 'is_deleted'))
    return rebuild(`${column} cannot have a TTL: ${use}.`)
  if (has('type')) {
    const allowed = role.key
      ? keyTypeMayChange(from.type, to.type, role.key === 'bare')
      : typeMayChangeInEngine(role.engine, from.type, to.type)
    if (!allowed) return rebuild(`${column} cannot change its type from ${from.type} to ${to.type}: ${use}.`)
  }
  if (
    role.engine === 'sign' &&
    attributes.some((attribute) => attribute !== 'comment' && attribute !== 'position' && attribute !== 'statistics')
  )
    return rebuild(`${column} cannot be changed: ${use}.`)
  if (role.engine === 'is_deleted' && has('settings')) return rebuild(`${column} cannot have other settings: ${use}.`)
  return undefined
}

/** Projections that read an EPHEMERAL column, which CREATE takes: every insert would fail (seen on 26.7). */
function projectionRefused(scope: Scope, column: string, body: string): Verdict | undefined {
  if (!mentionsColumn(body, column)) return undefined
  return refuse(
    `Column ${column} of ${scope.name} cannot be EPHEMERAL: a projection reads it, and every insert would fail.`,
    `Take ${column} out of the projection.`,
  )
}

/** What CREATE takes on a column that is not stored, and ALTER does not, or breaks on (seen on 26.7). */
function partsRefused(
  scope: Scope,
  column: Column,
  statistics: Column['statistics'],
  ttl: Column['ttl'],
): Verdict | undefined {
  const kind = column.default?.kind
  if (statistics?.length && !isStored(column))
    return refuse(
      `Column ${column.name} of ${scope.name} cannot have statistics: it is ${kind}, and only stored columns have them.`,
      `Leave the statistics of ${column.name} out.`,
    )
  if (kind === 'EPHEMERAL')
    for (const { body } of scope.to.projections ?? []) {
      const refused = projectionRefused(scope, column.name, body)
      if (refused !== undefined) return refused
    }
  if (ttl !== undefined && kind === 'EPHEMERAL')
    return refuse(
      `Column ${column.name} of ${scope.name} cannot have a TTL: it is EPHEMERAL, and every later mutation of the table would fail.`,
      `Leave the TTL of ${column.name} out.`,
    )
  return undefined
}

function typeMayChangeInEngine(use: ColumnRoles['engine'], from: string, to: string): boolean {
  switch (use) {
    case 'version':
      return versionTypeMayChange(from, to)
    case 'is_deleted':
      return (from === 'UInt8' && to === 'Bool') || (from === 'Bool' && to === 'UInt8')
    case 'sign':
      return false
    case 'summed':
    case undefined:
      return true
    default:
      return assertNever(use, 'engine column')
  }
}

/** What a changed default means: a sentence, a warning, and its risk. */
function defaultNotes(scope: Scope, change: ModifyColumn): readonly [string, string | undefined, Risk] {
  const { from, to } = change
  const name = quoteIdentifierIfNeeded(to.name)
  const before = from.default?.kind
  const after = to.default?.kind
  if (deletesValues(change))
    return [`Column ${to.name} becomes EPHEMERAL: its stored values are deleted.`, undefined, 'danger']
  if (isStored(from) && !isStored(to))
    return [
      `Column ${to.name} becomes ${after}: its stored values can no longer be read.`,
      'The stored bytes go when parts are merged.',
      before === 'MATERIALIZED' ? 'caution' : 'danger',
    ]
  if (!isStored(from) && isStored(to))
    return [
      `Column ${to.name} is stored from now on; rows from before have no value of their own.`,
      after === undefined
        ? undefined
        : `Run ALTER TABLE ${qualifiedName(scope.to)} MATERIALIZE COLUMN ${name} to store the expression's values in them.`,
      'caution',
    ]
  if (after === 'MATERIALIZED')
    return [
      `New rows of ${to.name} are computed by the new expression; stored rows keep their values.`,
      `Run ALTER TABLE ${qualifiedName(scope.to)} MATERIALIZE COLUMN ${name} to compute them anew.`,
      'safe',
    ]
  if (after === 'DEFAULT')
    return [
      'A default changes metadata only.',
      `Rows in parts that do not hold ${to.name} yet show the new default as well.`,
      'safe',
    ]
  return [
    after === undefined ? `The default of ${to.name} is removed.` : `The ${after} expression changes metadata only.`,
    undefined,
    'safe',
  ]
}

// Sorting key

function decideSortingKey(scope: Scope, change: ChangeOf<'modifySortingKey'>): Verdict {
  const from = change.from ?? []
  const to = change.to ?? []
  const what = `The sorting key of ${scope.name} changes from ${keyText(from)} to ${keyText(to)}`
  if (change.from === undefined || change.to === undefined)
    return rebuild(`${what}; the server cannot do that in place.`)
  const primaryKey = scope.from.primaryKey ?? from
  if (!isPrefix(primaryKey, to))
    return rebuild(`${what}; the primary key ${keyText(primaryKey)} must stay its beginning.`)
  if (to.length === 0) return rebuild(`${what}; a sorting key cannot be removed.`)

  // The server walks both keys side by side: what does not match the old key must be a column added with it.
  let matched = 0
  const extension: string[] = []
  for (const entry of to) {
    if (entry === from[matched]) matched++
    else extension.push(entry)
  }
  const known = new Set([...scope.from.columns.map((column) => column.name), ...scope.added.keys()])
  if (to.some((entry) => entry.endsWith(' DESC')))
    return rebuild(`${what}; a descending entry can only be part of a CREATE.`)
  for (const entry of extension) {
    for (const name of columnsIn(entry, known)) {
      const column = scope.added.get(name)
      if (column === undefined)
        return rebuild(`${what}; column ${name} exists already, and only columns added in the same ALTER may join it.`)
      if (column.default !== undefined)
        return rebuild(
          `${what}; the new column ${name} has a ${column.default.kind}, and only columns without one may join it.`,
        )
      if (
        column.type.startsWith('Nullable(') &&
        scope.to.settings?.allow_nullable_key !== '1' &&
        scope.to.settings?.allow_nullable_key !== 'true'
      )
        return rebuild(`${what}; the new column ${name} is Nullable, and allow_nullable_key is off.`)
    }
  }
  const engine = scope.from.engine.name.replace(/^(?:Shared|Replicated)/, '')
  const merges = engine !== 'MergeTree' && extension.length + (from.length - matched) > 0
  const warnings = [
    ...(merges ? [`${engine} merges rows by the sorting key: what counts as the same row changes.`] : []),
    ...(scope.to.primaryKey === undefined && to.length > from.length
      ? [`A table made anew would have ${keyText(to)} as its primary key: declare primaryKey ${keyText(primaryKey)}.`]
      : []),
  ]
  return allow(PHASE.clauses, {
    risk: merges ? 'caution' : 'safe',
    reason: 'The sorting key changes in metadata only; the primary key stays as it is.',
    ...(warnings.length > 0 && { warning: warnings.join(' ') }),
  })
}

// TTL and settings

function decideTtl(scope: Scope, change: ChangeOf<'modifyTableTtl'>): Verdict {
  if (change.to === undefined || change.to.length === 0)
    return allow(PHASE.removeTtl, {
      risk: 'safe',
      reason: 'Removing the TTL changes metadata only; no row is deleted any more.',
    })
  // As migrate judges the statement, which holds all rules, those that stay as they are included.
  const deletes = change.to.some((rule) => {
    const { node } = readTtl(rule)
    return node === undefined || deletesRows(node)
  })
  return allow(PHASE.ttl, {
    risk: deletes ? 'danger' : 'caution',
    mutation: true,
    reason: `The TTL of ${scope.name} is applied to stored rows at once.`,
    warning: deletes
      ? 'Rows that have expired under the new TTL are deleted by this statement, for good.'
      : 'Parts that are old enough under the new TTL are moved or recompressed by this statement.',
  })
}

function decideSetting(scope: Scope, change: ChangeOf<'modifyTableSetting'>): Verdict {
  const { name, to } = change
  if (READ_ONLY_SETTINGS.has(name)) return rebuild(`Setting ${name} of ${scope.name} is read-only after CREATE.`)
  if (to === undefined && (name === 'storage_policy' || name === 'disk'))
    return refuse(
      `Setting ${name} of ${scope.name} cannot be reset: the server does not check where the parts are, and parts on other disks vanish at its next start.`,
      `Declare the ${name} you want by name, for example 'default'.`,
    )
  // A table that becomes read-only takes nothing else after that.
  const isLast = to === undefined || name === 'table_readonly'
  return allow(isLast ? PHASE.resetSettings : PHASE.settings, {
    risk: 'safe',
    reason:
      to === undefined ? `Setting ${name} goes back to the server's default.` : 'A table setting is metadata only.',
    ...(name === 'storage_policy' && {
      warning: 'The server accepts only a policy that holds every volume of the old one.',
    }),
  })
}

// Indexes, projections, constraints

function decideIndex(scope: Scope, change: ChangeOf<'addIndex' | 'modifyIndex' | 'dropIndex'>): Verdict {
  if (change.kind === 'dropIndex')
    return allow(PHASE.dropParts, {
      risk: 'caution',
      mutation: true,
      reason: `Index ${change.index.name} is dropped; rows stay.`,
    })
  const index = change.kind === 'addIndex' ? change.index : change.to
  return allow(PHASE.addParts, {
    risk: change.kind === 'addIndex' ? 'safe' : 'caution',
    mutation: change.kind === 'modifyIndex',
    reason: 'New parts get the index; parts from before do not have it yet.',
    warning: `Run ALTER TABLE ${qualifiedName(scope.to)} MATERIALIZE INDEX ${quoteIdentifierIfNeeded(index.name)} to build it for stored rows.`,
  })
}

/** Engines that drop or fold rows when they merge, which projections must be told how to follow. */
const FOLDING = /^(?:Shared|Replicated)?(?:Replacing|Summing|Aggregating|(?:Versioned)?Collapsing|Coalescing)MergeTree$/

function decideProjection(
  scope: Scope,
  change: ChangeOf<'addProjection' | 'modifyProjection' | 'dropProjection'>,
): Verdict {
  if (change.kind === 'dropProjection')
    return allow(PHASE.dropParts, {
      risk: 'caution',
      mutation: true,
      reason: `Projection ${change.projection.name} is dropped; the table's rows stay.`,
    })
  const projection = change.kind === 'addProjection' ? change.projection : change.to
  for (const { name, default: kind } of scope.to.columns) {
    const refused = kind?.kind === 'EPHEMERAL' ? projectionRefused(scope, name, projection.body) : undefined
    if (refused !== undefined) return refused
  }
  const mode = scope.to.settings?.deduplicate_merge_projection_mode ?? "'throw'"
  if (FOLDING.test(scope.to.engine.name) && mode.includes('throw'))
    return refuse(
      `Projection ${projection.name} of ${scope.name} cannot be added: ${scope.to.engine.name} folds rows and its deduplicate_merge_projection_mode is 'throw'.`,
      "Set deduplicate_merge_projection_mode to 'drop' or 'rebuild' in the table's settings.",
    )
  return allow(PHASE.addParts, {
    risk: change.kind === 'addProjection' ? 'safe' : 'caution',
    mutation: change.kind === 'modifyProjection',
    reason: 'New parts get the projection; parts from before do not have it yet.',
    warning: `Run ALTER TABLE ${qualifiedName(scope.to)} MATERIALIZE PROJECTION ${quoteIdentifierIfNeeded(projection.name)} to build it for stored rows.`,
  })
}

function decideConstraint(change: ChangeOf<'addConstraint' | 'modifyConstraint' | 'dropConstraint'>): Verdict {
  if (change.kind === 'dropConstraint')
    return allow(PHASE.dropParts, { risk: 'safe', reason: 'A constraint is metadata only.' })
  const constraint = change.kind === 'addConstraint' ? change.constraint : change.to
  return allow(PHASE.addParts, {
    risk: 'safe',
    reason: 'A constraint is metadata only.',
    warning:
      constraint.type === 'CHECK'
        ? 'Rows that are stored already are not checked; new inserts that break it fail.'
        : 'The server trusts an ASSUME without checking it.',
  })
}
