/** What each step says to the server: ALTER commands that may share a statement, or statements of their own. */
import type { Change, Position } from '../diff/change.js'
import { assertNever } from '../errors.js'
import type { AccessObject, Column, SqlText, Table } from '../model/definition.js'
import { deletesValues, isStored } from '../plan/column-roles.js'
import type { Step } from '../plan/step.js'
import { classifyTypeChange } from '../plan/type-change.js'
import type { QuotaInterval, RoleSet, Statement } from '../sql/ast-ddl.js'
import { Token, tokenize } from '../sql/lexer.js'
import { quoteIdentifier, quoteIdentifierIfNeeded, quoteString } from '../sql/quote.js'
import { parseStatement, printStatement } from '../sql/statement.js'
import {
  onCluster,
  renderColumn,
  renderConstraint,
  renderDefault,
  renderIndex,
  renderKey,
  renderName,
  renderProjection,
  renderRefresh,
  renderSecurity,
  spelledSetting,
} from './clauses.js'
import { ACCESS_WORDS, accessOnCluster, accessTail, renderCreate } from './create.js'

/**
 * Commands of one batch may share an ALTER. `alone` never shares: list-valued commands swallow the comma behind them,
 * and a conversion that fails must not take others with it. `setting` and `reset` are joined into one list.
 */
export type Batch =
  | 'metadata'
  | 'rename'
  | 'dropParts'
  | 'dropColumns'
  | 'removals'
  | 'mutation'
  | 'setting'
  | 'reset'
  | 'alone'

export type AlterCommand = {
  readonly kind: 'alter'
  readonly table: Table
  readonly batch: Batch
  readonly text: SqlText
  /** Query settings that must stand at the end of the statement. */
  readonly settings?: SqlText
  /** Runs before the first metadata command: the server checks REMOVE against the column as it was before the ALTER. */
  readonly early?: boolean
  /** Runs after all commands of the same run of steps that are not late: parts of columns that ALTER adds separately. */
  readonly late?: boolean
}

export type WholeStatement = { readonly kind: 'statement'; readonly text: SqlText }

export type Command = AlterCommand | WholeStatement

/** The commands of a step in order, without the check of its guard; empty when there is nothing to run. */
export function commandsOf(step: Step): Command[] {
  return changeCommands(step.change, step)
}

/** The statement that fails while rows stand in the way of a step; undefined for a step without a guard. */
export function guardOf(step: Step): SqlText | undefined {
  if (step.guard === undefined) return undefined
  const { table, condition, message } = step.guard
  return `SELECT throwIf(count() > 0, ${quoteString(message)}) FROM ${renderName(table)} WHERE ${condition}`
}

function whole(text: SqlText): WholeStatement {
  return { kind: 'statement', text }
}

function changeCommands(change: Change, step: Step): Command[] {
  const alter = (
    batch: Batch,
    text: SqlText,
    extra: Pick<AlterCommand, 'early' | 'late' | 'settings'> = {},
  ): AlterCommand => ({
    kind: 'alter',
    table: (change as { readonly table: Table }).table,
    batch,
    text,
    ...extra,
  })
  switch (change.kind) {
    case 'createDatabase':
      return [whole(renderCreate(change.database))]
    case 'dropDatabase':
      return [
        whole(
          `DROP DATABASE IF EXISTS ${quoteIdentifierIfNeeded(change.database.name)}${onCluster(change.database.cluster)}`,
        ),
      ]
    case 'modifyDatabase':
      return [
        whole(
          `ALTER DATABASE ${quoteIdentifierIfNeeded(change.to.name)}${onCluster(change.to.cluster)} MODIFY COMMENT ${quoteString(change.to.comment ?? '')}`,
        ),
      ]
    case 'createTable':
      return [whole(renderCreate(change.table))]
    case 'dropTable':
      return [whole(drop('TABLE', change.table) + unchecked(change.hasDependents))]
    case 'recreateTable':
      // SYNC: a replica's path is free for the new table only once the old one is gone.
      return [
        whole(`${drop('TABLE', change.from)} SYNC${unchecked(change.hasDependents)}`),
        whole(renderCreate(change.to)),
      ]
    case 'renameTable':
      return [whole(rename('TABLE', change, change.table.cluster) + unchecked(change.hasDependents))]
    case 'renameView':
    case 'renameMaterializedView':
      return [whole(rename('TABLE', change, change.view.cluster) + unchecked(change.hasDependents))]
    case 'renameDictionary':
      return [whole(rename('DICTIONARY', change, change.dictionary.cluster) + unchecked(change.hasDependents))]
    case 'addColumn':
      return addColumn(change.column, change.position).map((part) => alter(part.batch, part.text, part))
    case 'dropColumn':
      return [alter('dropColumns', `DROP COLUMN IF EXISTS ${quoteIdentifier(change.column.name)}`)]
    case 'renameColumn':
      return [
        alter('rename', `RENAME COLUMN IF EXISTS ${quoteIdentifier(change.from)} TO ${quoteIdentifier(change.to)}`),
      ]
    case 'modifyColumn':
      return modifyColumn(change, step).map((part) => alter(part.batch, part.text, part))
    case 'modifySortingKey':
      return [alter('metadata', `MODIFY ORDER BY ${change.table.spelling?.orderBy ?? renderKey(change.to ?? [])}`)]
    case 'modifySamplingKey':
      return [alter('metadata', change.to === undefined ? 'REMOVE SAMPLE BY' : `MODIFY SAMPLE BY ${change.to}`)]
    case 'modifyTableTtl':
      return [alter('alone', change.to?.length ? `MODIFY TTL ${change.to.join(', ')}` : 'REMOVE TTL')]
    case 'modifyTableSetting': {
      const name = quoteIdentifierIfNeeded(change.name)
      // MODIFY SETTING x = DEFAULT is accepted and does nothing (seen on 26.7): only RESET goes back.
      if (change.to === undefined) return [alter('reset', name)]
      return [alter('setting', `${name} = ${spelledSetting(change.table.spelling, change.name) ?? change.to}`)]
    }
    case 'modifyTableComment':
      return [alter('metadata', `MODIFY COMMENT ${quoteString(change.to)}`)]
    case 'addIndex':
      return [
        alter('metadata', `ADD INDEX IF NOT EXISTS ${renderIndex(change.index)}${renderPosition(change.position)}`),
      ]
    case 'dropIndex':
      return [alter('dropParts', `DROP INDEX IF EXISTS ${quoteIdentifierIfNeeded(change.index.name)}`)]
    case 'modifyIndex':
      return [
        alter(
          'alone',
          `DROP INDEX IF EXISTS ${quoteIdentifierIfNeeded(change.from.name)},\n${COMMAND_INDENT}ADD INDEX ${renderIndex(change.to)}${renderPosition(change.position)}`,
        ),
      ]
    case 'addProjection':
      return [
        alter(
          'metadata',
          `ADD PROJECTION IF NOT EXISTS ${renderProjection(change.projection)}${renderPosition(change.position)}`,
        ),
      ]
    case 'dropProjection':
      return [alter('dropParts', `DROP PROJECTION IF EXISTS ${quoteIdentifierIfNeeded(change.projection.name)}`)]
    case 'modifyProjection':
      return [
        alter(
          'alone',
          `DROP PROJECTION IF EXISTS ${quoteIdentifierIfNeeded(change.from.name)},\n${COMMAND_INDENT}ADD PROJECTION ${renderProjection(change.to)}${renderPosition(change.position)}`,
        ),
      ]
    case 'addConstraint':
      return [alter('metadata', `ADD CONSTRAINT IF NOT EXISTS ${renderConstraint(change.constraint)}`)]
    case 'dropConstraint':
      return [alter('dropParts', `DROP CONSTRAINT IF EXISTS ${quoteIdentifierIfNeeded(change.constraint.name)}`)]
    case 'modifyConstraint':
      return [
        alter(
          'alone',
          `DROP CONSTRAINT IF EXISTS ${quoteIdentifierIfNeeded(change.from.name)},\n${COMMAND_INDENT}ADD CONSTRAINT ${renderConstraint(change.to)}`,
        ),
      ]
    case 'createView':
    case 'createMaterializedView':
      return [whole(renderCreate(change.view))]
    case 'dropView':
    case 'dropMaterializedView':
      return [whole(drop('VIEW', change.view) + unchecked(change.hasDependents))]
    case 'modifyView':
      return [whole(renderCreate(change.to, 'orReplace'))]
    case 'replaceMaterializedView':
      return [whole(renderCreate(change.to, 'orReplace'))]
    case 'recreateMaterializedView':
      return [
        whole(`${drop('VIEW', change.from)} SYNC${unchecked(change.hasDependents)}`),
        whole(renderCreate(change.to)),
      ]
    case 'modifyMaterializedView':
      return modifyMaterializedView(change).map(whole)
    case 'createDictionary':
      return [whole(renderCreate(change.dictionary))]
    case 'dropDictionary':
      return [whole(drop('DICTIONARY', change.dictionary) + unchecked(change.hasDependents))]
    case 'modifyDictionary':
      return [whole(renderCreate(change.to, 'orReplace'))]
    case 'createFunction':
      return [whole(renderCreate(change.function))]
    case 'dropFunction':
      return [
        whole(
          `DROP FUNCTION IF EXISTS ${quoteIdentifierIfNeeded(change.function.name)}${onCluster(change.function.cluster)}`,
        ),
      ]
    case 'modifyFunction':
      return [whole(renderCreate(change.to, 'orReplace'))]
    case 'createAccess':
      return [whole(renderCreate(change.object))]
    case 'dropAccess':
      return [whole(dropAccess(change.object))]
    case 'modifyAccess':
      return [whole(alterAccess(change.from, change.to))]
    case 'createRaw':
      return [whole(change.object.create)]
    case 'dropRaw':
      // A migration holds a statement for all that it does, also for what it leaves where it is.
      return [whole(change.object.drop ?? `SELECT ${quoteString(`${step.key} stays: it declared no drop text`)}`)]
    case 'modifyRaw':
      return [...(change.from.drop === undefined ? [] : [whole(change.from.drop)]), whole(change.to.create)]
    case 'modifyEngine':
    case 'modifyPrimaryKey':
    case 'modifyPartitionKey':
    case 'modifyUniqueKey':
      // The server has no statement for these; the planner refuses them or plans recreateTable.
      return []
    default:
      return assertNever(change, 'change')
  }
}

/** How the second and later commands of an ALTER are indented. */
export const COMMAND_INDENT = '    '

function drop(
  object: string,
  target: { readonly database: string; readonly name: string; readonly cluster?: string },
): SqlText {
  return `DROP ${object} IF EXISTS ${renderName(target)}${onCluster(target.cluster)}`
}

/** Dictionaries that read a table, and tables that read a dictionary in a default, keep it otherwise (seen on 26.7). */
function unchecked(hasDependents: boolean | undefined): SqlText {
  return hasDependents ? ' SETTINGS check_table_dependencies = 0' : ''
}

function rename(
  object: string,
  change: { readonly from: { database: string; name: string }; readonly to: { database: string; name: string } },
  cluster: string | undefined,
): SqlText {
  return `RENAME ${object} IF EXISTS ${renderName(change.from)} TO ${renderName(change.to)}${onCluster(cluster)}`
}

// Columns

type ColumnCommand = Pick<AlterCommand, 'batch' | 'text' | 'early' | 'late' | 'settings'>

/** Nested columns stay whole only when the statement says so. */
function nestedSettings(type: string): Pick<AlterCommand, 'settings'> {
  return type.startsWith('Nested(') ? { settings: 'flatten_nested = 0' } : {}
}

function addColumn(column: Column, position: Position | undefined): ColumnCommand[] {
  const commands: ColumnCommand[] = [
    {
      batch: 'metadata',
      text: `ADD COLUMN IF NOT EXISTS ${renderColumn(placed(column, position), 'alter')}${renderPosition(position)}`,
      ...nestedSettings(column.type),
    },
  ]
  // ADD COLUMN takes both and forgets them (seen on 26.7).
  if (column.statistics?.length) commands.push(statisticsCommand('ADD', column.name, column.statistics))
  if (column.settings && Object.keys(column.settings).length > 0)
    commands.push(settingsCommand(column.name, Object.entries(column.settings)))
  return commands
}

/** EPHEMERAL takes AFTER and FIRST for its expression, if it has none (seen on 26.7): then the one that the server would show. */
function placed(column: Column, position: Position | undefined): Column {
  if (position === undefined || column.default?.kind !== 'EPHEMERAL' || column.default.expression !== undefined)
    return column
  return { ...column, default: { kind: 'EPHEMERAL', expression: anyValueOf(column.type) } }
}

function renderPosition(position: Position | undefined): SqlText {
  if (position === undefined) return ''
  return position === 'first' ? ' FIRST' : ` AFTER ${quoteIdentifier(position.after)}`
}

function statisticsCommand(verb: 'ADD' | 'MODIFY', name: string, types: readonly string[]): ColumnCommand {
  const guard = verb === 'ADD' ? ' IF NOT EXISTS' : ''
  return {
    batch: 'alone',
    late: true,
    text: `${verb} STATISTICS${guard} ${quoteIdentifier(name)} TYPE ${types.join(', ')}`,
  }
}

function settingsCommand(name: string, settings: readonly (readonly [string, SqlText])[]): ColumnCommand {
  const values = settings.map(([key, value]) => `${quoteIdentifierIfNeeded(key)} = ${value}`).join(', ')
  return { batch: 'alone', late: true, text: `MODIFY COLUMN ${quoteIdentifier(name)} MODIFY SETTING ${values}` }
}

/**
 * The commands of a changed column: what is removed first, then one MODIFY COLUMN with all that is set, then what
 * ALTER takes only separately. The type is always said: some engine columns refuse a MODIFY without it.
 */
function modifyColumn(change: Extract<Change, { kind: 'modifyColumn' }>, step: Step): ColumnCommand[] {
  const { from, to, attributes } = change
  const has = (attribute: (typeof attributes)[number]) => attributes.includes(attribute)
  const name = quoteIdentifier(to.name)
  const commands: ColumnCommand[] = []
  const rewrites = step.mutation && !deletesValues(change)
  const batch: Batch = rewrites ? (step.guard || step.risk === 'danger' ? 'alone' : 'mutation') : 'metadata'
  const type = has('type') ? to.type : from.type

  if (deletesValues(change)) commands.push({ batch: 'alone', early: true, text: `CLEAR COLUMN ${name}` })
  if (has('statistics') && !to.statistics?.length)
    commands.push({ batch: 'alone', early: true, text: `DROP STATISTICS IF EXISTS ${name}` })
  if (has('codec') && to.codec === undefined)
    commands.push({ batch: 'removals', early: true, text: `MODIFY COLUMN ${name} REMOVE CODEC` })
  if (has('ttl') && to.ttl === undefined)
    commands.push({ batch: 'removals', early: true, text: `MODIFY COLUMN ${name} REMOVE TTL` })
  if (has('default') && to.default === undefined && from.default !== undefined) {
    // REMOVE EPHEMERAL does not parse (seen on 26.7): through a DEFAULT instead.
    const ephemeral = from.default.kind === 'EPHEMERAL'
    if (ephemeral)
      commands.push({
        batch: 'alone',
        early: true,
        text: `MODIFY COLUMN ${name} ${from.type} DEFAULT ${anyValueOf(from.type)}`,
      })
    commands.push({
      batch: 'removals',
      early: true,
      text: `MODIFY COLUMN ${name} REMOVE ${ephemeral ? 'DEFAULT' : from.default.kind}`,
    })
  }

  // With the kind and the type in one command the server looks for stored values to convert (seen on 26.7).
  if (has('type') && isStored(from) && !isStored(to))
    commands.push({
      batch: 'alone',
      early: true,
      text: `MODIFY COLUMN ${name} ${from.type} ${to.default!.kind} ${anyValueOf(from.type)}`,
    })

  let set = ''
  // Nullable to plain is refused without a default, even where no row holds NULL.
  const borrowedDefault =
    has('type') &&
    to.default === undefined &&
    step.mutation &&
    classifyTypeChange(to.name, from.type, to.type).needsDefault === true
  if (borrowedDefault) set += ` DEFAULT ${anyValueOf(to.type)}`
  else if (has('default') || (has('type') && to.default !== undefined))
    set += renderDefault(placed(to, change.position))
  const sets =
    has('type') ||
    has('position') ||
    (has('default') && to.default !== undefined) ||
    (has('codec') && to.codec !== undefined) ||
    (has('ttl') && to.ttl !== undefined)
  if (has('comment') && sets && to.comment) set += ` COMMENT ${quoteString(to.comment)}`
  // A codec is checked against the kind that the column still has.
  const lateCodec = from.default?.kind === 'ALIAS' && has('default') && to.default !== undefined
  if (has('codec') && to.codec !== undefined && !lateCodec) set += ` CODEC(${to.codec})`
  if (has('ttl') && to.ttl !== undefined) set += ` TTL ${to.ttl}`
  if (sets)
    commands.push({
      batch,
      text: `MODIFY COLUMN ${name} ${type}${set}${renderPosition(change.position)}`,
      ...nestedSettings(type),
    })
  if (has('codec') && to.codec !== undefined && lateCodec)
    commands.push({ batch: 'alone', late: true, text: `MODIFY COLUMN ${name} ${type} CODEC(${to.codec})` })
  if (borrowedDefault) commands.push({ batch: 'alone', text: `MODIFY COLUMN ${name} REMOVE DEFAULT` })
  if (has('comment') && !(sets && to.comment))
    commands.push({ batch: 'metadata', text: `COMMENT COLUMN ${name} ${quoteString(to.comment ?? '')}` })

  if (has('statistics') && to.statistics?.length)
    commands.push(statisticsCommand(from.statistics?.length ? 'MODIFY' : 'ADD', to.name, to.statistics))
  if (has('settings')) {
    const wanted = to.settings ?? {}
    const changed = Object.entries(wanted).filter(([key, value]) => from.settings?.[key] !== value)
    const removed = Object.keys(from.settings ?? {}).filter((key) => !(key in wanted))
    if (changed.length > 0) commands.push(settingsCommand(to.name, changed))
    if (removed.length > 0)
      commands.push({ batch: 'alone', late: true, text: `MODIFY COLUMN ${name} RESET SETTING ${removed.join(', ')}` })
  }
  return commands
}

function anyValueOf(type: string): SqlText {
  return `defaultValueOfTypeName(${quoteString(type)})`
}

// Materialized views

function modifyMaterializedView(change: Extract<Change, { kind: 'modifyMaterializedView' }>): SqlText[] {
  const { to: view, attributes } = change
  const head = `ALTER TABLE ${renderName(view)}${onCluster(view.cluster)}`
  const statements: SqlText[] = []
  if (attributes.includes('query')) statements.push(`${head} MODIFY QUERY ${view.query}`)
  if (attributes.includes('refresh') && view.refresh)
    statements.push(`${head} MODIFY REFRESH ${renderRefresh(view.refresh)}`)
  // No ALTER takes security away; DEFINER is what a materialized view has where nothing else is said.
  if (attributes.includes('security'))
    statements.push(`${head} MODIFY ${renderSecurity(view) || 'SQL SECURITY DEFINER'}`)
  if (attributes.includes('comment')) statements.push(`${head} MODIFY COMMENT ${quoteString(view.comment ?? '')}`)
  return statements
}

// Access objects

function dropAccess(object: AccessObject): SqlText {
  if (object.kind === 'grant') return accessOnCluster(revoke(object.statement), object.cluster)
  return `DROP ${ACCESS_WORDS[object.kind]} IF EXISTS ${accessName(object)}${onCluster(object.cluster)}`
}

/** The name as its statement spells it: `bob`, `bob@'%'`, `policy ON db.t`. */
function accessName(object: AccessObject): SqlText {
  const tail = accessTail(object)
  const tokens = tokenize(tail)
  let last = 0
  if (tokens.kinds[1] === Token.at) last = 2
  if (object.kind === 'row_policy') {
    last = 2
    while (tokens.kinds[last + 1] === Token.dot) last += 2
  }
  return tail.slice(0, tokens.ends[last])
}

/** GRANT p ON o TO u WITH GRANT OPTION, turned round. */
function revoke(grant: SqlText): SqlText {
  const tokens = tokenize(grant)
  const wordAt = (index: number) =>
    tokens.kinds[index] === Token.word ? grant.slice(tokens.starts[index], tokens.ends[index]).toUpperCase() : ''
  let end = grant.length
  let to = -1
  for (let index = 1; index < tokens.count; index++) {
    if (wordAt(index) === 'TO') to = index
    if (to >= 0 && wordAt(index) === 'WITH') {
      end = tokens.starts[index]!
      break
    }
  }
  if (to < 0) return grant
  const privileges = grant.slice(tokens.ends[0], tokens.starts[to]).trim()
  return `REVOKE ${privileges} FROM ${grant.slice(tokens.ends[to], end).trim()}`
}

/** ALTER keeps what a replaced object would lose: passwords, and the grants that hang on a role. */
function alterAccess(from: AccessObject, to: AccessObject): SqlText {
  if (to.kind === 'grant') return accessOnCluster(to.statement, to.cluster)
  if (to.kind === 'named_collection') return alterCollection(from, to)
  const before = parseStatement(from.statement).node
  const after = parseStatement(to.statement).node
  if (before.kind === 'unparsed' || after.kind === 'unparsed')
    return accessOnCluster(`ALTER ${ACCESS_WORDS[to.kind]} IF EXISTS ${accessTail(to)}`, to.cluster)
  const altered = { ...withRemovals(before, after), action: 'ALTER', ifExists: true } as Statement
  return accessOnCluster(printStatement(altered), to.cluster)
}

const NOBODY: RoleSet = { none: true, names: [], except: [] }

/** ALTER leaves a clause that it does not name as it was: what is declared no more is taken back by name. */
function withRemovals(before: Statement, after: Statement): Statement {
  if (before.kind === 'role' && after.kind === 'role')
    return { ...after, ...(before.settings && !after.settings && { settings: [] }) }
  if (before.kind === 'settingsProfile' && after.kind === 'settingsProfile')
    return {
      ...after,
      ...(before.settings && !after.settings && { settings: [] }),
      ...(before.to && !after.to && { to: NOBODY }),
    }
  if (before.kind === 'user' && after.kind === 'user')
    return {
      ...after,
      ...(before.authentication && !after.authentication && { authentication: [{ type: 'no_password' }] }),
      ...(before.hosts && !after.hosts && { hosts: { any: true, ips: [], names: [], regexps: [], likes: [] } }),
      ...(before.defaultDatabase && !after.defaultDatabase && { defaultDatabase: {} }),
      ...(before.defaultRoles && !after.defaultRoles && { defaultRoles: { all: true, names: [], except: [] } }),
      ...(before.grantees && !after.grantees && { grantees: { all: true, names: [], except: [] } }),
      ...(before.settings && !after.settings && { settings: [] }),
    }
  if (before.kind === 'rowPolicy' && after.kind === 'rowPolicy')
    return {
      ...after,
      ...(before.restrictive !== undefined && after.restrictive === undefined && { restrictive: false }),
      ...(before.using !== undefined && after.using === undefined && { using: 'NONE' as const }),
      ...(before.to && !after.to && { to: NOBODY }),
    }
  if (before.kind === 'quota' && after.kind === 'quota') {
    const lengthOf = (interval: QuotaInterval) => `${interval.amount} ${interval.unit}`
    const kept = new Set(after.intervals.map(lengthOf))
    const gone = before.intervals.filter((interval) => !kept.has(lengthOf(interval)))
    return {
      ...after,
      ...(before.keyedBy && !after.keyedBy && { keyedBy: [] }),
      intervals: [...after.intervals, ...gone.map((interval) => ({ ...interval, limits: 'NO LIMITS' as const }))],
      ...(before.to && !after.to && { to: NOBODY }),
    }
  }
  return after
}

function alterCollection(from: AccessObject, to: AccessObject): SqlText {
  const tail = accessTail(to)
  const before = collectionKeys(accessTail(from))
  const after = collectionKeys(tail)
  const removed = [...before.keys()].filter((key) => !after.has(key))
  const name = quoteIdentifierIfNeeded(to.name)
  const set = [...after].filter(([key, value]) => before.get(key) !== value).map(([key, value]) => `${key} = ${value}`)
  const parts = [
    set.length > 0 ? `SET ${set.join(', ')}` : '',
    removed.length > 0 ? `DELETE ${removed.join(', ')}` : '',
  ]
  return `ALTER NAMED COLLECTION IF EXISTS ${name}${onCluster(to.cluster)} ${parts.filter(Boolean).join(' ')}`
}

/** `name AS k = v, ...` as key and value texts. */
function collectionKeys(tail: SqlText): Map<string, string> {
  const tokens = tokenize(tail)
  const keys = new Map<string, string>()
  const add = (start: number, end: number) => {
    if (tokens.kinds[start + 1] !== Token.equals) return
    keys.set(
      tail.slice(tokens.starts[start], tokens.ends[start]),
      tail.slice(tokens.ends[start + 1], tokens.ends[end]).trim(),
    )
  }
  let start = 0
  while (start < tokens.count && tail.slice(tokens.starts[start], tokens.ends[start]).toUpperCase() !== 'AS') start++
  start++
  for (let index = start; index <= tokens.count; index++) {
    if (index < tokens.count && tokens.kinds[index] !== Token.comma) continue
    add(start, index - 1)
    start = index + 1
  }
  return keys
}
