import type { FunctionCall } from '../sql/ast.js'
import type {
  CreateDatabase,
  CreateFunction,
  CreateNamedCollection,
  GrantStatement,
  QuotaStatement,
  RoleSet,
  RoleStatement,
  RowPolicyStatement,
  SettingsProfileStatement,
  Statement,
  UserName,
  UserStatement,
} from '../sql/ast-ddl.js'
import { quoteIdentifierIfNeeded, quoteQualified } from '../sql/quote.js'
import { parseStatement, printStatement } from '../sql/statement.js'
import type { ParseWarning } from '../sql/warning.js'
import {
  type AccessKind,
  type AccessObject,
  compareCodeUnits,
  type Database,
  type Definition,
  type RawObject,
  type SqlFunction,
} from './definition.js'
import { dictionaryForm } from './dictionary.js'
import { expressionText } from './expression.js'
import { engineForm } from './storage.js'
import { type FormContext, nameText, settingsByName, tableForm } from './table.js'
import { materializedViewForm, viewForm } from './view.js'

/** What a CREATE statement stands for, and where its text could not be followed. */
export type StatementReading = { readonly definition: Definition; readonly warnings: readonly ParseWarning[] }

/** How a statement is read: where names without a database belong, and what the server that showed it does not know. */
export type ReadingOptions = { readonly currentDatabase: string } & Pick<FormContext, 'withoutStateVersions'>

/**
 * The definition that the server shows by a CREATE (or GRANT) statement, for example in `system.tables.create_table_query`.
 * `currentDatabase` is where names without a database belong. What chkit has no word for comes back as a raw object
 * with the text. Never throws.
 */
export function definitionFromStatement(statement: string | Statement, options: ReadingOptions): Definition {
  return readStatement(statement, options).definition
}

/** Like `definitionFromStatement`, with the parser's warnings. */
export function readStatement(statement: string | Statement, options: ReadingOptions): StatementReading {
  if (typeof statement !== 'string') return { definition: definitionOf(statement, options), warnings: [] }
  const { node, warnings } = parseStatement(statement)
  const definition = warnings.length > 0 ? rawOf(statement) : definitionOf(node, options, statement)
  return { definition, warnings }
}

function definitionOf(node: Statement, options: ReadingOptions, text?: string): Definition {
  const { currentDatabase: database, withoutStateVersions } = options
  const context: FormContext = { database, declared: false, ...(withoutStateVersions && { withoutStateVersions }) }
  return definitionFromNode(node, context) ?? rawOf(text ?? printStatement(node))
}

function rawOf(text: string): RawObject {
  return { kind: 'raw', key: text, create: text }
}

/** The canonical form of a CREATE or GRANT statement; `undefined` for a statement that stands for no single object. */
export function definitionFromNode(node: Statement, context: FormContext): Definition | undefined {
  switch (node.kind) {
    case 'createTable':
      return node.asTable || node.asSelect || node.temporary ? undefined : tableForm(node, context)
    case 'createView':
      if (node.view === 'WINDOW VIEW' || (node.columnAliases !== undefined && node.view !== 'VIEW')) return undefined
      return node.view === 'VIEW' ? viewForm(node, context) : materializedViewForm(node, context)
    case 'createDictionary':
      return dictionaryForm(node, context)
    case 'createDatabase':
      return databaseForm(node)
    case 'createFunction':
      return functionForm(node)
    default:
      return accessForm(node)
  }
}

function databaseForm(node: CreateDatabase): Database {
  const engine = databaseEngine(node.engine)
  const settings = settingsByName(node.settings)
  return {
    kind: 'database',
    name: nameText(node.name),
    ...(engine && { engine }),
    ...(settings && { settings }),
    ...(node.comment && { comment: node.comment }),
    ...(node.cluster && { cluster: node.cluster }),
  }
}

/** Atomic is what the server takes by itself. */
function databaseEngine(call: FunctionCall | undefined): Database['engine'] {
  if (call === undefined || (call.name === 'Atomic' && (call.args ?? []).length === 0)) return undefined
  return engineForm(call, '')
}

function functionForm(node: CreateFunction): SqlFunction {
  return {
    kind: 'sql_function',
    name: node.name,
    expression: expressionText(node.body),
    ...(node.cluster && { cluster: node.cluster }),
  }
}

type AccessNode =
  | RoleStatement
  | UserStatement
  | RowPolicyStatement
  | QuotaStatement
  | SettingsProfileStatement
  | GrantStatement
  | CreateNamedCollection

/** Access objects are compared by their statement, printed without the guards that only matter while it runs. */
function accessForm(node: Statement): AccessObject | undefined {
  switch (node.kind) {
    case 'role':
      return onlyOne(node.names) ? accessObject('role', userText(node.names[0]!), node) : undefined
    case 'user':
      return onlyOne(node.names) ? accessObject('user', userText(node.names[0]!), node) : undefined
    case 'quota':
      return onlyOne(node.names) ? accessObject('quota', node.names[0]!, node) : undefined
    case 'settingsProfile':
      return onlyOne(node.names) ? accessObject('settings_profile', node.names[0]!, node) : undefined
    case 'rowPolicy': {
      const target = node.targets[0]
      const table = target?.tables[0]
      if (!target || !table || node.targets.length > 1 || !onlyOne(target.policies) || !onlyOne(target.tables))
        return undefined
      const on =
        table.name === undefined
          ? `${quoteIdentifierIfNeeded(table.database ?? '')}.*`
          : quoteQualified(table.database, table.name)
      return accessObject('row_policy', `${target.policies[0]} ON ${on}`, node)
    }
    case 'grant':
      return node.action === 'GRANT' ? accessObject('grant', printStatement(node), node) : undefined
    case 'createNamedCollection':
      // The server shows the entries in the order of their names (seen on 26.7).
      return accessObject('named_collection', node.name, {
        ...node,
        entries: [...node.entries].sort((a, b) => compareCodeUnits(a.setting.name, b.setting.name)),
      })
    default:
      return undefined
  }
}

function onlyOne(list: readonly unknown[]): boolean {
  return list.length === 1
}

/** `name`, or `name@host`: how the object of a user or role is called. */
export function userText(user: UserName): string {
  const name = typeof user.name === 'string' ? user.name : `{${user.name.name}:${user.name.type}}`
  return user.host === undefined ? name : `${name}@${user.host}`
}

/** Lists in the order in which `SHOW ACCESS` has them (seen on 26.7). Grants are named by their text, which stays. */
function inServersOrder(node: AccessNode): AccessNode {
  switch (node.kind) {
    case 'user':
      return { ...node, ...sortedSets({ defaultRoles: node.defaultRoles, grantees: node.grantees }) }
    case 'rowPolicy':
    case 'settingsProfile':
      return { ...node, ...sortedSets({ to: node.to }) }
    case 'quota': {
      const place = (name: string) => QUOTA_LIMITS.indexOf(name) + 1 || QUOTA_LIMITS.length + 1
      const intervals = node.intervals.map((interval) =>
        typeof interval.limits === 'string'
          ? interval
          : { ...interval, limits: [...interval.limits].sort((a, b) => place(a.name) - place(b.name)) },
      )
      return { ...node, intervals, ...sortedSets({ to: node.to }) }
    }
    default:
      return node
  }
}

const QUOTA_LIMITS: readonly string[] =
  'queries query_selects query_inserts errors result_rows result_bytes read_rows read_bytes execution_time written_bytes failed_sequential_authentications queries_per_normalized_hash'.split(
    ' ',
  )

function sortedSets<Field extends string>(sets: Readonly<Record<Field, RoleSet | undefined>>) {
  const sorted = (names: readonly UserName[]) => [...names].sort((a, b) => compareCodeUnits(userText(a), userText(b)))
  const entries = Object.entries<RoleSet | undefined>(sets).filter(([, set]) => set !== undefined)
  return Object.fromEntries(
    entries.map(([field, set]) => [field, { ...set!, names: sorted(set!.names), except: sorted(set!.except) }]),
  )
}

function accessObject(kind: AccessKind, name: string, node: AccessNode): AccessObject {
  const { cluster } = node
  const ordered = inServersOrder(node)
  const plain: Statement = {
    ...ordered,
    cluster: undefined,
    ifNotExists: undefined,
    orReplace: undefined,
  } as AccessNode
  return { kind, name, statement: printStatement(plain), ...(cluster && { cluster }) }
}
