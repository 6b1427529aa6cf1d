import { assertNever } from '../errors.js'
import type { Expression, Identifier, IdentifierPart, Query } from './ast.js'
import type {
  AlterCommand,
  AlterStatement,
  CreateDictionary,
  CreateTable,
  CreateView,
  DropAccess,
  DropStatement,
  ObjectName,
  Partition,
  RenameStatement,
  Statement,
  SystemStatement,
  TableElements,
} from './ast-ddl.js'
import { Token, tokenize } from './lexer.js'
import { printPartition } from './printer/ddl-common.js'
import { printExpression } from './printer/expression.js'
import { deletesRows } from './ttl.js'
import { referencedTables } from './walk.js'

/** `safe`: nothing can be lost; `caution`: read it first; `danger`: data or rights are lost, with no way back. */
export type Risk = 'safe' | 'caution' | 'danger'

/** What a statement can touch. A view may be a materialized one where the text does not tell. */
export type ObjectKind =
  | 'table'
  | 'view'
  | 'materialized_view'
  | 'dictionary'
  | 'database'
  | 'function'
  | 'named_collection'
  | 'workload'
  | 'resource'
  | 'user'
  | 'role'
  | 'quota'
  | 'settings_profile'
  | 'row_policy'
  | 'masking_policy'
  | 'server'

/** An object by name, unquoted. `database` is absent for what lives outside databases. */
export interface EffectObject {
  readonly kind: ObjectKind
  readonly database?: string
  readonly name: string
}

/** An object of a statement and what the statement does to it. */
export interface ObjectEffect extends EffectObject {
  readonly role: 'creates' | 'changes' | 'drops' | 'reads' | 'writes' | 'renames'
  /** The columns that are spoken of, where not all are. */
  readonly columns?: readonly string[]
}

/** One thing that a statement does, with its risk. */
export interface StatementOperation {
  /** Snake case, as the planner names its operations: `drop_table`, `alter_table_drop_column`. */
  readonly type: string
  /** `table:db.name` or `table:db.name:column:x`; for people, never parsed. */
  readonly key: string
  readonly risk: Risk
  /** Set for danger, and for caution where there is a name for it. */
  readonly warningCode?: string
  /** A sentence. */
  readonly reason: string
  /** The object that holds what is at risk; absent where the text does not tell. */
  readonly object?: EffectObject
}

/** What a statement does, told from its tree alone. */
export interface StatementEffects {
  readonly objects: readonly ObjectEffect[]
  /** False when running it changes nothing on the server. */
  readonly mutates: boolean
  readonly operations: readonly StatementOperation[]
}

/**
 * What `node` does. `database` is the current one, for names without theirs. Danger is decided from the tree, so a DROP
 * inside a string or a comment is none; a statement that was not parsed is judged by its first word. Never throws.
 */
export function statementEffects(node: Statement, database?: string): StatementEffects {
  const collector = new Collector(database)
  collect(node, collector)
  return { objects: collector.objects, operations: collector.operations, mutates: collector.mutates }
}

/** Gathers effects; the same object in the same role is listed once. */
class Collector {
  readonly objects: ObjectEffect[] = []
  readonly operations: StatementOperation[] = []
  mutates = false
  private readonly database: string | undefined
  private readonly seen = new Set<string>()

  constructor(database: string | undefined) {
    this.database = database
  }

  /** The object that a name in the text stands for. */
  named(kind: ObjectKind, name: ObjectName): EffectObject {
    const database = name.database === undefined ? this.database : partText(name.database)
    return { kind, ...(database === undefined ? {} : { database }), name: partText(name.name) }
  }

  touch(role: ObjectEffect['role'], object: EffectObject, columns?: readonly string[]): void {
    const key = JSON.stringify([role, object.kind, object.database, object.name, columns])
    if (this.seen.has(key)) return
    this.seen.add(key)
    this.objects.push({ role, ...object, ...(columns === undefined ? {} : { columns }) })
    if (role !== 'reads') this.mutates = true
  }

  reads(query: Query | Expression): void {
    for (const reference of referencedTables(query)) {
      if (reference.kind === 'tableFunction') continue
      const kind = reference.kind === 'dictionary' ? 'dictionary' : 'table'
      const database = reference.database ?? this.database
      this.touch('reads', { kind, ...(database === undefined ? {} : { database }), name: reference.table })
    }
  }

  add(
    risk: Risk,
    type: string,
    object: EffectObject | undefined,
    reason: string,
    facts: { readonly code?: string; readonly member?: string; readonly key?: string } = {},
  ): void {
    this.mutates = true
    const base = facts.key ?? (object === undefined ? type : objectKey(object))
    const key = facts.member === undefined ? base : `${base}:${facts.member}`
    const code = facts.code ?? (risk === 'danger' ? 'destructive_operation_review_required' : undefined)
    this.operations.push({
      type,
      key,
      risk,
      ...(code === undefined ? {} : { warningCode: code }),
      reason,
      ...(object === undefined ? {} : { object }),
    })
  }
}

function partText(part: IdentifierPart): string {
  if (typeof part === 'string') return part
  if (part.kind === 'parameter') return `{${part.name}:${part.type}}`
  return printExpression({ kind: 'identifier', parts: [part] })
}

function objectKey(object: EffectObject): string {
  // Definitions call it `sql_function`, and one thing has one key.
  const kind = object.kind === 'function' ? 'sql_function' : object.kind
  return `${kind}:${object.database === undefined ? '' : `${object.database}.`}${object.name}`
}

function global(kind: ObjectKind, name: string): EffectObject {
  return { kind, name }
}

function columnText(name: Identifier): string {
  return name.parts.map(partText).join('.')
}

const LOST = 'cannot be brought back'

function collect(node: Statement, c: Collector): void {
  switch (node.kind) {
    case 'select':
    case 'union':
    case 'setOperation':
    case 'output':
      c.reads(node)
      return
    // EXPLAIN executes nothing, whatever it explains.
    case 'explain':
    case 'explainStatement':
    case 'inspect':
      return
    case 'unparsed':
      collectUnparsed(node.text, c)
      return
    case 'createTable':
      collectCreateTable(node, c)
      return
    case 'createView':
      collectCreateView(node, c)
      return
    case 'createDictionary': {
      const object = c.named('dictionary', node.name)
      c.touch(
        'creates',
        object,
        node.attributes?.map((attribute) => attribute.name),
      )
      const source = sourceTable(node)
      if (source !== undefined) c.touch('reads', c.named('table', source))
      if (node.orReplace || node.action === 'REPLACE')
        c.add(
          'caution',
          'replace_dictionary',
          object,
          'The dictionary is replaced; an error in it shows when it is loaded.',
        )
      else c.add('safe', 'create_dictionary', object, 'A dictionary is created.')
      return
    }
    case 'createDatabase': {
      const object = global('database', partText(node.name))
      c.touch('creates', object)
      c.add('safe', 'create_database', object, 'A database is created.')
      return
    }
    case 'createFunction': {
      const object = global('function', node.name)
      c.touch('creates', object)
      if (node.orReplace)
        c.add('caution', 'replace_function', object, 'Objects that were made with the function keep its old body.')
      else c.add('safe', 'create_function', object, 'A function is created.')
      return
    }
    case 'createNamedCollection':
      collectCreated(c, 'named_collection', node.name)
      return
    case 'createWorkload':
      collectCreated(c, 'workload', node.name)
      return
    case 'createResource':
      collectCreated(c, 'resource', node.name)
      return
    case 'alterNamedCollection': {
      const object = global('named_collection', node.name)
      c.touch('changes', object)
      if (node.delete.length > 0)
        c.add('caution', 'alter_named_collection', object, 'Keys of the collection are removed.')
      else c.add('safe', 'alter_named_collection', object, 'The collection is changed.')
      return
    }
    case 'createIndex': {
      const table = c.named('table', node.table)
      c.touch('changes', table)
      const member = `index:${node.index.name}`
      c.add('safe', 'alter_table_add_index', table, 'An index is added; old parts have it when it is materialized.', {
        member,
      })
      return
    }
    case 'dropIndex': {
      const table = c.named('table', node.table)
      c.touch('changes', table)
      addDropElement(c, 'index', table, node.name)
      return
    }
    case 'drop':
      collectDrop(node, c)
      return
    case 'dropGlobal': {
      const kind = snake(node.object) as ObjectKind
      const object = global(kind, node.name)
      c.touch('drops', object)
      const code = node.object === 'FUNCTION' ? { code: 'drop_function_dependency_break' } : {}
      c.add('danger', `drop_${kind}`, object, `The ${node.object.toLowerCase()} is dropped; what uses it fails.`, code)
      return
    }
    case 'undrop': {
      const object = c.named('table', node.name)
      c.touch('creates', object)
      c.add('safe', 'undrop_table', object, 'A dropped table is brought back.')
      return
    }
    case 'rename':
      collectRename(node, c)
      return
    case 'alter':
      collectAlter(node, c)
      return
    case 'insert': {
      if (node.table !== undefined) {
        const object = c.named('table', node.table)
        c.touch('writes', object)
        c.add('safe', 'insert', object, 'Rows are added.')
      } else c.add('caution', 'insert', undefined, 'Rows are written to a table function.')
      if (node.select !== undefined) c.reads(node.select)
      return
    }
    case 'deleteFrom': {
      const object = c.named('table', node.table)
      c.touch('writes', object)
      c.reads(node.where)
      addDelete(c, object)
      return
    }
    case 'updateTable': {
      const object = c.named('table', node.table)
      c.touch(
        'writes',
        object,
        node.assignments.map((item) => columnText(item.column)),
      )
      c.reads(node.where)
      addUpdate(c, object)
      return
    }
    case 'optimize': {
      const object = c.named('table', node.table)
      c.touch('writes', object)
      if (node.deduplicate)
        c.add('danger', 'optimize_deduplicate', object, `Rows that repeat others are removed and ${LOST}.`, {
          code: 'delete_rows_data_loss',
        })
      else if (node.cleanup)
        c.add('danger', 'optimize_cleanup', object, `Rows marked as deleted are removed and ${LOST}.`, {
          code: 'delete_rows_data_loss',
        })
      else c.add('caution', 'optimize_table', object, 'Parts are rewritten, which reads and writes all their data.')
      return
    }
    case 'user':
    case 'role':
      for (const name of node.names) {
        const text = typeof name.name === 'string' ? name.name : partText(name.name)
        collectAccess(c, node.kind, node.action, text, node.orReplace)
      }
      return
    case 'quota':
      for (const name of node.names) collectAccess(c, 'quota', node.action, name, node.orReplace)
      return
    case 'settingsProfile':
      for (const name of node.names) collectAccess(c, 'settings_profile', node.action, name, node.orReplace)
      return
    case 'rowPolicy':
      for (const target of node.targets)
        for (const policy of target.policies) collectAccess(c, 'row_policy', node.action, policy, node.orReplace)
      return
    case 'maskingPolicy':
      collectAccess(c, 'masking_policy', node.action, node.name, undefined)
      return
    case 'dropAccess':
      collectDropAccess(node, c)
      return
    case 'moveAccess':
      c.add('caution', `move_${snake(node.object)}`, undefined, 'Access objects move to another storage.')
      return
    case 'grant':
      collectGrant(node, c)
      return
    case 'setRole':
      if (node.default) c.add('caution', 'set_default_role', undefined, 'The default roles of users change.')
      return
    // They change the session alone.
    case 'set':
    case 'use':
    case 'session':
      return
    case 'kill':
      c.add('danger', `kill_${node.object.toLowerCase()}`, undefined, 'Work that runs on the server is stopped.')
      return
    case 'system':
      collectSystem(node, c)
      return
    case 'backup':
      if (node.action === 'BACKUP') c.add('safe', 'backup', undefined, 'A backup is written.')
      else c.add('caution', 'restore', undefined, 'Objects and data are restored from a backup.')
      return
    case 'executeAs':
      if (node.statement !== undefined) collect(node.statement, c)
      return
    case 'parallel':
      for (const statement of node.statements) collect(statement, c)
      return
    default:
      assertNever(node, 'statement')
  }
}

function snake(words: string): string {
  return words.toLowerCase().replaceAll(' ', '_')
}

/** The table of a `SOURCE(CLICKHOUSE(..))` on this server; `undefined` for other sources and for another host. */
function sourceTable(node: CreateDictionary): ObjectName | undefined {
  if (node.source?.name !== 'CLICKHOUSE') return undefined
  const text = (key: string) => {
    const value = node.source?.pairs?.find((pair) => pair.key === key)?.value
    if (value === undefined || !('kind' in value)) return undefined
    if (value.kind === 'literal' && value.type === 'string') return value.value
    return value.kind === 'identifier' ? columnText(value) : undefined
  }
  const host = text('HOST')
  const table = text('TABLE')
  if (table === undefined || (host !== undefined && host !== 'localhost' && host !== '127.0.0.1')) return undefined
  const database = text('DB')
  return database === undefined || database === '' ? { name: table } : { database, name: table }
}

function collectCreated(c: Collector, kind: ObjectKind, name: string): void {
  const object = global(kind, name)
  c.touch('creates', object)
  c.add('safe', `create_${kind}`, object, `A ${kind.replaceAll('_', ' ')} is created.`)
}

function collectAccess(
  c: Collector,
  kind: ObjectKind,
  action: 'CREATE' | 'ALTER',
  name: string,
  orReplace: true | undefined,
): void {
  const object = global(kind, name)
  const words = kind.replaceAll('_', ' ')
  if (action === 'ALTER') {
    c.touch('changes', object)
    c.add('caution', `alter_${kind}`, object, `The ${words} changes, and with it who may do what.`)
  } else if (orReplace) {
    c.touch('creates', object)
    c.add('caution', `replace_${kind}`, object, `A ${words} of that name is replaced; what it held is lost.`)
  } else {
    c.touch('creates', object)
    c.add('safe', `create_${kind}`, object, `A ${words} is created.`)
  }
}

function collectDropAccess(node: DropAccess, c: Collector): void {
  const kind = snake(node.object) as ObjectKind
  const names = node.targets?.flatMap((target) => target.policies) ?? node.names.map((user) => userText(user.name))
  for (const name of names) {
    const object = global(kind, name)
    c.touch('drops', object)
    c.add('danger', `drop_${kind}`, object, `The ${node.object.toLowerCase()} and what was granted by it ${LOST}.`)
  }
}

function userText(name: string | { readonly name: string }): string {
  return typeof name === 'string' ? name : `{${name.name}}`
}

function collectGrant(node: Extract<Statement, { kind: 'grant' }>, c: Collector): void {
  if (node.action === 'CHECK GRANT') return
  if (node.action === 'GRANT') {
    if (node.replaceOption)
      c.add('danger', 'grant_replace', undefined, 'What was granted before is replaced.', {
        code: 'revoke_access_loss',
      })
    else c.add('caution', 'grant', undefined, 'Rights are granted.')
    return
  }
  c.add('danger', 'revoke', undefined, 'Rights are taken away.', { code: 'revoke_access_loss' })
}

function columnsOf(elements: TableElements | undefined): string[] | undefined {
  return elements?.columns.map((column) => column.name)
}

function collectCreateTable(node: CreateTable, c: Collector): void {
  const object = c.named('table', node.name)
  c.touch('creates', object, columnsOf(node.elements))
  if (node.asSelect !== undefined) c.reads(node.asSelect)
  if (node.asTable !== undefined) c.touch('reads', c.named('table', node.asTable))
  if (node.asFunction !== undefined) c.reads(node.asFunction)
  if (node.orReplace || node.action === 'REPLACE')
    c.add('danger', 'replace_table', object, `The rows of a table of that name ${LOST}.`, {
      code: 'replace_table_data_loss',
    })
  else if (node.action === 'ATTACH') c.add('safe', 'attach_table', object, 'A detached table is attached.')
  else c.add('safe', 'create_table', object, 'A table is created.')
}

function collectCreateView(node: CreateView, c: Collector): void {
  const materialized = node.view !== 'VIEW'
  const kind: ObjectKind = materialized ? 'materialized_view' : 'view'
  const object = c.named(kind, node.name)
  c.touch('creates', object, columnsOf(node.elements) ?? node.columnAliases)
  c.reads(node.query)
  if (node.to !== undefined) {
    const target = c.named('table', node.to)
    c.touch('writes', target)
    if (node.refresh !== undefined && !node.refresh.append)
      c.add('caution', 'refresh_materialized_view', target, 'Each refresh replaces all rows of the target.', {
        code: 'refresh_replaces_rows',
        key: objectKey(object),
      })
  }
  if (!node.orReplace) {
    c.add('safe', `create_${kind}`, object, materialized ? 'A materialized view is created.' : 'A view is created.')
    return
  }
  if (materialized && node.to === undefined)
    c.add('danger', `replace_${kind}`, object, `The rows of its inner table ${LOST}.`, {
      code: 'replace_view_data_loss',
    })
  else
    c.add('caution', `replace_${kind}`, object, 'A table of that name would be dropped with its rows.', {
      code: 'replace_view_drops_table',
    })
}

function collectDrop(node: DropStatement, c: Collector): void {
  for (const name of node.names) {
    const kind = node.object.toLowerCase() as 'table' | 'view' | 'dictionary' | 'database'
    const object = kind === 'database' ? global(kind, partText(name.name)) : c.named(kind, name)
    c.touch(node.action === 'TRUNCATE' ? 'writes' : node.action === 'DETACH' ? 'changes' : 'drops', object)
    addDrop(c, node, kind, object)
  }
}

function addDrop(c: Collector, node: DropStatement, kind: string, object: EffectObject): void {
  if (node.action === 'TRUNCATE') {
    const what = kind === 'database' ? 'The rows of all its tables' : 'Its rows'
    c.add('danger', `truncate_${kind}`, object, `${what} ${LOST}.`, { code: `truncate_${kind}_data_loss` })
    return
  }
  if (node.action === 'DETACH') {
    if (node.permanently)
      c.add('danger', `detach_${kind}`, object, 'It is gone from the server until it is attached by hand.', {
        code: `detach_${kind}_permanently`,
      })
    else c.add('caution', `detach_${kind}`, object, 'It is gone until it is attached or the server restarts.')
    return
  }
  switch (kind) {
    case 'view':
      c.add(
        'danger',
        'drop_view',
        object,
        'What reads the view fails; a materialized view stops filling its target, and takes the rows of an inner table with it.',
        {
          code: 'drop_view_dependency_break',
        },
      )
      return
    case 'dictionary':
      c.add('danger', 'drop_dictionary', object, 'What reads the dictionary fails.', {
        code: 'drop_dictionary_dependency_break',
      })
      return
    default:
      if (node.temporary) c.add('caution', 'drop_table', object, 'A temporary table is dropped.')
      else
        c.add('danger', `drop_${kind}`, object, `The ${kind} and all its rows ${LOST}.`, {
          code: kind === 'database' ? 'drop_database_data_loss' : 'drop_table_data_loss',
        })
  }
}

function collectRename(node: RenameStatement, c: Collector): void {
  const kind = node.object.toLowerCase() as 'table' | 'database' | 'dictionary'
  const verb = node.exchange ? 'exchange' : 'rename'
  const reason = node.exchange
    ? 'The two names change places at once; what reads them sees the other object.'
    : 'What names it by its old name fails; materialized views that read it are detached from it.'
  for (const pair of node.pairs) {
    const object = (name: ObjectName) => (kind === 'database' ? global(kind, partText(name.name)) : c.named(kind, name))
    const from = object(pair.from)
    c.touch('renames', from)
    c.touch(node.exchange ? 'renames' : 'creates', object(pair.to))
    c.add('caution', `${verb}_${kind}`, from, reason)
  }
}

function addDropElement(
  c: Collector,
  element: 'index' | 'projection' | 'constraint',
  table: EffectObject,
  name: string,
) {
  const reason = `The ${element} is dropped${element === 'constraint' ? '' : '; to have it again its data must be built anew'}.`
  c.add('caution', `alter_table_drop_${element}`, table, reason, { member: `${element}:${name}` })
}

function addDelete(c: Collector, table: EffectObject): void {
  c.add('danger', 'delete_rows', table, `The rows that match ${LOST}.`, { code: 'delete_rows_data_loss' })
}

function addUpdate(c: Collector, table: EffectObject): void {
  c.add('danger', 'update_rows', table, `The old values of the rows that match ${LOST}.`, {
    code: 'update_rows_data_loss',
  })
}

function collectAlter(node: AlterStatement, c: Collector): void {
  const kind = node.object === 'DATABASE' ? 'database' : 'table'
  const object = kind === 'database' ? global(kind, partText(node.name.name)) : c.named(kind, node.name)
  c.touch('changes', object)
  for (const command of node.commands) collectCommand(command, object, c)
}

function partitionMember(partition: Partition | undefined): { member?: string } {
  if (partition === undefined) return {}
  return { member: `${partition.kind === 'part' ? 'part' : 'partition'}:${printPartition(partition)}` }
}

function collectCommand(command: AlterCommand, table: EffectObject, c: Collector): void {
  const type = (verb: string) => `alter_${table.kind}_${verb}`
  const column = (name: string) => ({ member: `column:${name}` })
  switch (command.kind) {
    case 'addColumn':
      c.touch('changes', table, [command.column.name])
      c.add(
        'safe',
        type('add_column'),
        table,
        'A column is added; stored parts stay as they are.',
        column(command.column.name),
      )
      return
    case 'dropColumn': {
      const name = columnText(command.column)
      c.touch('changes', table, [name])
      c.add('danger', type('drop_column'), table, `The values of the column ${LOST}.`, {
        code: 'drop_column_irreversible',
        ...column(name),
      })
      return
    }
    case 'clearColumn': {
      const name = columnText(command.column)
      c.touch('changes', table, [name])
      c.add('danger', type('clear_column'), table, `The values of the column ${LOST}.`, {
        code: 'clear_column_data_loss',
        ...column(name),
      })
      return
    }
    case 'modifyColumn':
      collectModifyColumn(command, table, c)
      return
    case 'renameColumn': {
      const name = columnText(command.from)
      c.touch('changes', table, [name])
      c.add('caution', type('rename_column'), table, 'Views and queries that use the old name fail.', column(name))
      return
    }
    case 'commentColumn':
      c.add('safe', type('comment_column'), table, 'Only a comment changes.', column(columnText(command.column)))
      return
    case 'materializeColumn': {
      const name = columnText(command.column)
      c.add(
        'caution',
        type('materialize_column'),
        table,
        'Stored values are computed anew, which rewrites parts.',
        column(name),
      )
      return
    }
    case 'addIndex':
      c.add('safe', type('add_index'), table, 'An index is added; old parts have it when it is materialized.', {
        member: `index:${command.index.name}`,
      })
      return
    case 'addProjection':
      c.add(
        'safe',
        type('add_projection'),
        table,
        'A projection is added; old parts have it when it is materialized.',
        {
          member: `projection:${command.projection.name}`,
        },
      )
      return
    case 'addConstraint':
    case 'modifyConstraint': {
      const verb = command.kind === 'addConstraint' ? 'add_constraint' : 'modify_constraint'
      const member = `constraint:${command.constraint.name}`
      c.add('caution', type(verb), table, 'Rows that are there are not checked; inserts that fail it are refused.', {
        member,
      })
      return
    }
    case 'dropElement':
      addDropElement(c, command.element.toLowerCase() as 'index', table, columnText(command.name))
      return
    case 'clearElement':
    case 'materializeElement': {
      const element = command.element.toLowerCase()
      const verb = command.kind === 'clearElement' ? 'clear' : 'materialize'
      const member = `${element}:${columnText(command.name)}`
      c.add('caution', type(`${verb}_${element}`), table, 'Parts are rewritten.', { member })
      return
    }
    case 'statistics': {
      const rewrites = command.action === 'ADD' || command.action === 'MODIFY' ? 'safe' : 'caution'
      c.add(rewrites, type(`${command.action.toLowerCase()}_statistics`), table, 'Statistics change, the rows do not.')
      return
    }
    case 'modifyOrderBy':
      c.add(
        'caution',
        type('modify_order_by'),
        table,
        'The sorting key changes; with Replacing engines also what a duplicate is.',
      )
      return
    case 'modifySampleBy':
    case 'removeSampleBy':
      c.add(
        'safe',
        type(command.kind === 'removeSampleBy' ? 'remove_sample_by' : 'modify_sample_by'),
        table,
        'Only metadata changes.',
      )
      return
    case 'modifyTtl':
      if (deletesRows(command.ttl))
        c.add(
          'danger',
          type('modify_ttl'),
          table,
          `Rows that are older than it allows are removed at once and ${LOST}.`,
          {
            code: 'modify_ttl_data_loss',
          },
        )
      else c.add('caution', type('modify_ttl'), table, 'Parts move or are compressed anew.')
      return
    case 'removeTtl':
      c.add('safe', type('remove_ttl'), table, 'Rows no longer expire.')
      return
    case 'materializeTtl':
      c.add('danger', type('materialize_ttl'), table, `Rows that have expired are removed and ${LOST}.`, {
        code: 'modify_ttl_data_loss',
      })
      return
    case 'modifySetting':
      for (const setting of command.settings)
        c.add('safe', type('modify_setting'), table, 'A setting changes.', { member: `setting:${setting.name}` })
      return
    case 'resetSetting':
      for (const name of command.settings) addResetSetting(c, type('reset_setting'), table, name)
      return
    case 'modifyQuery':
      c.reads(command.query)
      c.add('caution', type('modify_query'), table, 'The query is not checked against the target of the view.')
      return
    case 'modifyRefresh':
      c.add(
        'caution',
        type('modify_refresh'),
        table,
        'The whole REFRESH clause is replaced; what is not repeated is lost.',
      )
      return
    case 'modifySqlSecurity':
      c.add('caution', type('modify_sql_security'), table, 'Other rights are used to read.')
      return
    case 'modifyComment':
      c.add('safe', type('modify_comment'), table, 'Only a comment changes.')
      return
    case 'dropPartition':
    case 'detachPartition': {
      const dropped = command.kind === 'dropPartition'
      const verb = `${dropped ? 'drop' : 'detach'}_${command.partition.kind === 'part' ? 'part' : 'partition'}`
      const reason = dropped ? `Its rows ${LOST}.` : 'Its rows are gone from the table until it is attached again.'
      c.add('danger', type(verb), table, reason, {
        code: dropped ? 'drop_partition_data_loss' : 'detach_partition_data_loss',
        ...partitionMember(command.partition),
      })
      return
    }
    case 'attachPartition':
      if (command.from !== undefined) c.touch('reads', c.named('table', command.from))
      c.touch('writes', table)
      c.add(
        'caution',
        type('attach_partition'),
        table,
        'Rows are added; a second time they are there twice.',
        partitionMember(command.partition),
      )
      return
    case 'replacePartition':
      c.touch('reads', c.named('table', command.from))
      c.touch('writes', table)
      c.add('danger', type('replace_partition'), table, `The rows that the partition had ${LOST}.`, {
        code: 'replace_partition_data_loss',
        ...partitionMember(command.partition),
      })
      return
    case 'movePartition':
      if (command.to.kind === 'DISK' || command.to.kind === 'VOLUME') {
        c.add(
          'caution',
          type('move_partition'),
          table,
          'Parts move to another disk.',
          partitionMember(command.partition),
        )
        return
      }
      if (command.to.kind === 'TABLE') c.touch('writes', c.named('table', command.to.table))
      c.add('danger', type('move_partition'), table, 'Its rows leave the table.', {
        code: 'move_partition_data_loss',
        ...partitionMember(command.partition),
      })
      return
    case 'fetchPartition':
      c.add(
        'caution',
        type('fetch_partition'),
        table,
        'Parts are copied from another replica.',
        partitionMember(command.partition),
      )
      return
    case 'freeze':
      c.add('safe', type('freeze_partition'), table, 'A local copy is made.')
      return
    case 'unfreeze':
      c.add('danger', type('unfreeze_partition'), table, `The frozen copy ${LOST}.`, { code: 'unfreeze_backup_loss' })
      return
    case 'forgetPartition':
      c.add('caution', type('forget_partition'), table, 'What Keeper knows of the empty partition is removed.')
      return
    case 'delete':
      c.reads(command.where)
      addDelete(c, table)
      return
    case 'update':
      c.touch(
        'changes',
        table,
        command.assignments.map((item) => columnText(item.column)),
      )
      c.reads(command.where)
      addUpdate(c, table)
      return
    case 'applyDeletedMask':
      c.add('danger', type('apply_deleted_mask'), table, `Rows that were deleted lightly are removed and ${LOST}.`, {
        code: 'delete_rows_data_loss',
      })
      return
    case 'applyPatches':
    case 'rewriteParts':
      c.add(
        'caution',
        type(command.kind === 'applyPatches' ? 'apply_patches' : 'rewrite_parts'),
        table,
        'Parts are rewritten.',
      )
      return
    case 'unlockSnapshot':
      c.add('caution', type('unlock_snapshot'), table, 'A snapshot is given up.')
      return
    case 'unparsed':
      c.add('caution', type('unparsed'), table, 'The command was not understood.', { code: 'unparsed_statement' })
      return
    default:
      assertNever(command, 'ALTER command')
  }
}

/** Without its storage policy a table does not load the parts on other disks after a restart. */
function addResetSetting(c: Collector, type: string, table: EffectObject, name: string): void {
  const member = `setting:${name}`
  if (name === 'storage_policy')
    c.add('danger', type, table, 'Rows on other disks of the policy vanish at the next restart.', {
      code: 'reset_storage_policy_data_loss',
      member,
    })
  else c.add('safe', type, table, 'A setting goes back to its default.', { member })
}

function collectModifyColumn(
  command: Extract<AlterCommand, { kind: 'modifyColumn' }>,
  table: EffectObject,
  c: Collector,
): void {
  const { column, change } = command
  const member = `column:${column.name}`
  const type = `alter_${table.kind}_modify_column`
  c.touch('changes', table, [column.name])
  if (column.ttl !== undefined)
    c.add('danger', type, table, `Values that are older than the TTL allows are reset at once and ${LOST}.`, {
      code: 'modify_ttl_data_loss',
      member,
    })
  else if (column.type !== undefined)
    c.add('caution', type, table, 'A narrower type loses values; one that does not fit stops the mutation.', { member })
  else if (change?.kind === 'remove' || column.default !== undefined)
    c.add('caution', type, table, 'Values of rows that do not store the column may change.', { member })
  else c.add('safe', type, table, 'Only metadata changes.', { member })
}

const DANGEROUS_SYSTEM = /^(DROP (DATABASE |CATALOG )?REPLICA|SHUTDOWN|KILL|UNFREEZE)/
const HARMLESS_SYSTEM = /^(CLEAR |FLUSH |WAIT |SYNC |PREWARM |LOAD |UNLOAD |RELOAD )/

function collectSystem(node: SystemStatement, c: Collector): void {
  const object: EffectObject = { kind: 'server', name: node.command.toLowerCase() }
  const type = `system_${snake(node.command)}`
  const target = node.target === undefined ? undefined : c.named('table', node.target)
  const facts = { key: `server:${[node.command, target && objectKey(target), node.tail].filter(Boolean).join(' ')}` }
  if (DANGEROUS_SYSTEM.test(node.command))
    c.add('danger', type, target, 'It removes what the server knows, or stops it.', facts)
  else if (HARMLESS_SYSTEM.test(node.command)) c.add('safe', type, target ?? object, 'No data changes.', facts)
  else c.add('caution', type, target ?? object, 'The server works differently from then on.', facts)
}

/** First words after which a statement that could not be parsed must be taken for destructive. */
const DESTRUCTIVE_WORDS: ReadonlySet<string> = new Set([
  'DROP',
  'TRUNCATE',
  'DETACH',
  'DELETE',
  'UPDATE',
  'ALTER',
  'REPLACE',
  'RENAME',
  'EXCHANGE',
  'REVOKE',
  'KILL',
  'MOVE',
  'SYSTEM',
  'UNDROP',
  'OPTIMIZE',
  'EXECUTE',
])

/** First words of statements that change nothing. */
const READING_WORDS: ReadonlySet<string> = new Set(['SELECT', 'SHOW', 'DESCRIBE', 'DESC', 'EXPLAIN', 'EXISTS', 'CHECK'])

/**
 * Judges a text that was not parsed by its words: the first one, OR REPLACE behind CREATE, and the first word of each
 * statement joined by PARALLEL WITH.
 */
function collectUnparsed(text: string, c: Collector): void {
  const tokens = tokenize(text)
  const word = (index: number) =>
    tokens.kinds[index] === Token.word ? text.slice(tokens.starts[index], tokens.ends[index]).toUpperCase() : ''
  const starts = [0]
  for (let index = 0; index + 2 < tokens.count; index++)
    if (word(index) === 'PARALLEL' && word(index + 1) === 'WITH') starts.push(index + 2)
  const destructive = starts.find(
    (index) => DESTRUCTIVE_WORDS.has(word(index)) || (word(index) === 'CREATE' && word(index + 1) === 'OR'),
  )
  const code = 'unparsed_statement'
  if (destructive !== undefined) {
    const first = word(destructive)
    c.add('danger', 'unparsed', undefined, `The statement was not understood, and ${first} can lose data.`, { code })
  } else if (starts.some((index) => !READING_WORDS.has(word(index))))
    c.add('caution', 'unparsed', undefined, 'The statement was not understood.', { code })
}
