import type { ObjectName, Statement } from '../sql/ast-ddl.js'
import type { ParseWarning } from '../sql/warning.js'
import { accessNode } from './access.js'
import { lineOfCall } from './call-site.js'
import type { Declared } from './collect.js'
import {
  columnList,
  databaseNode,
  dictionaryNode,
  type Findings,
  functionNode,
  materializedViewNode,
  nameNode,
  tableNode,
  viewNode,
} from './declared.js'
import {
  type Column,
  compareCodeUnits,
  type Definition,
  isDatabaseObject,
  type Model,
  type ObjectKind,
  type Origin,
  objectKey,
  objectName,
  type QualifiedName,
  type Table,
} from './definition.js'
import type { ColumnsInput, Declaration, NameInput, RawDeclaration } from './dsl.js'
import { calledFunctions, declaredFunctions, inlineCalls, type SqlFunctions } from './inline.js'
import type { Issue, IssueCode, ModelWarning } from './issue.js'
import { slipsOf } from './known-names.js'
import { shapeProblems } from './shape.js'
import { definitionFromNode } from './statement.js'
import { hasKeyInParameters, isMergeTree } from './storage.js'
import { validateModel } from './validate.js'

/** The canonical model of a schema, everything that is wrong with it, and what its reader should know. */
export type Canonicalised = {
  /** All objects that could be read, sorted by key; complete only when there are no issues. */
  readonly model: Model
  readonly issues: readonly Issue[]
  readonly warnings: readonly ModelWarning[]
}

export type CanonicaliseOptions = {
  /** Where objects without a database belong; `default` when left out. */
  readonly defaultDatabase?: string
}

/**
 * The form that the server would show of everything that is declared, checked as a whole. A definition that is found
 * several times (re-exported by another file) counts once. Never throws for what a schema file can hold.
 */
export function canonicalise(
  declared: readonly (Declared | Declaration)[],
  options: CanonicaliseOptions = {},
): Canonicalised {
  const defaultDatabase = options.defaultDatabase ?? 'default'
  const issues: Issue[] = []
  const warnings: ModelWarning[] = []
  const seen = new Set<Declaration>()
  const definitions: Definition[] = []
  const items: Declared[] = []
  for (const item of declared) {
    const { declaration, origin } = 'declaration' in item ? item : { declaration: item, origin: undefined }
    if (seen.has(declaration)) continue
    seen.add(declaration)
    items.push({ declaration, origin })
  }
  const functions = declaredFunctions(items.map(({ declaration }) => declaration))
  for (const { declaration, origin } of items) {
    const definition = canonicalDefinition(declaration, origin, { defaultDatabase, functions }, issues, warnings)
    if (definition !== undefined) definitions.push(definition)
  }
  const unique = uniqueObjects(definitions, issues)
  const model: Model = { definitions: sortedByKey(unique) }
  issues.push(...validateModel(model))
  return { model, issues: issues.map((issue) => withLine(issue, items, defaultDatabase)), warnings }
}

/** The issue with the line of the call that made its object; of a duplicate, of the last one in its file. */
function withLine(issue: Issue, items: readonly Declared[], defaultDatabase: string): Issue {
  const { file, kind, name, database } = issue
  if (file === undefined || kind === undefined || issue.line !== undefined) return issue
  const made = items.findLast(
    ({ declaration, origin }) =>
      origin?.file === file &&
      declaration.kind === kind &&
      nameOf(declaration) === name &&
      databaseOf(declaration, defaultDatabase) === database,
  )
  const line = made === undefined ? undefined : lineOfCall(made.declaration, file)
  return line === undefined ? issue : { ...issue, line }
}

/** Definitions in the order of a model: by key, in code units. */
export function sortedByKey(definitions: readonly Definition[]): readonly Definition[] {
  return definitions
    .map((definition) => ({ definition, key: objectKey(definition) }))
    .sort((a, b) => compareCodeUnits(a.key, b.key))
    .map(({ definition }) => definition)
}

/** Objects that share their name space: a table, a view and a dictionary cannot have one name in one database. */
function nameSpace(definition: Definition): string {
  return isDatabaseObject(definition) ? 'object in a database' : definition.kind
}

function uniqueObjects(definitions: readonly Definition[], issues: Issue[]): readonly Definition[] {
  const known = new Map<string, Definition>()
  for (const definition of definitions) {
    const name = JSON.stringify([
      nameSpace(definition),
      isDatabaseObject(definition) ? definition.database : '',
      isDatabaseObject(definition) ? definition.name : objectName(definition),
    ])
    const first = known.get(name)
    if (first === undefined) known.set(name, definition)
    else issues.push(duplicateIssue(first, definition))
  }
  return [...known.values()]
}

function duplicateIssue(first: Definition, second: Definition): Issue {
  const files = [first.origin?.file, second.origin?.file].filter((file) => file !== undefined)
  const where =
    files.length === 0
      ? ''
      : files.length === 2 && files[0] !== files[1]
        ? ` in ${files[0]} and in ${files[1]}`
        : ` twice in ${files[0]}`
  const kinds = first.kind === second.kind ? '' : ` (as ${first.kind} and as ${second.kind})`
  return {
    code: 'duplicate_object_name',
    message: `${objectName(second)} is defined${where === '' ? ' more than once' : where}${kinds}`,
    ...subject(second.kind, isDatabaseObject(second) ? second.database : undefined, shortName(second), second.origin),
    hint: 'Keep one of the definitions, or give the other a name of its own',
  }
}

function shortName(definition: Definition): string {
  return isDatabaseObject(definition) ? definition.name : objectName(definition)
}

function subject(kind: ObjectKind, database: string | undefined, name: string | undefined, origin: Origin | undefined) {
  return {
    kind,
    ...(database !== undefined && { database }),
    ...(name !== undefined && { name }),
    ...(origin?.file !== undefined && { file: origin.file }),
    ...(origin?.line !== undefined && { line: origin.line }),
  }
}

type ReadingContext = { readonly defaultDatabase: string; readonly functions: SqlFunctions }

/** One declaration in canonical form; `undefined` with issues when it cannot be read. */
function canonicalDefinition(
  declaration: Declaration,
  origin: Origin | undefined,
  context: ReadingContext,
  issues: Issue[],
  warnings: ModelWarning[],
): Definition | undefined {
  const name = typeof nameOf(declaration) === 'string' ? nameOf(declaration) : undefined
  const { defaultDatabase, functions } = context
  const database = databaseOf(declaration, defaultDatabase)
  const about = subject(declaration.kind, database, name, origin)
  const label = database === undefined ? (name ?? '?') : `${database}.${name ?? '?'}`
  const where = origin?.file === undefined ? '' : `${origin.file}: `
  const shape = shapeProblems(declaration)
  for (const { code, message, hint } of shape)
    issues.push({ code, message: `${declaration.kind} ${label}: ${message}`, ...about, ...(hint && { hint }) })
  if (shape.length > 0) return undefined
  const findings: Findings = {
    issue(code: IssueCode, message: string, hint?: string) {
      issues.push({ code, message: `${declaration.kind} ${label}: ${message}`, ...about, ...(hint && { hint }) })
    },
    unparsed(clause: string, problem: ParseWarning) {
      const at = `line ${problem.line}, column ${problem.column} of the text`
      warnings.push({
        code: 'unparsed_sql',
        message: `${where}${declaration.kind} ${label}: the text of ${clause} is kept as it is, since it could not be followed: ${problem.message} (${at})`,
        ...about,
        line: problem.line,
        token: problem.token,
      })
    },
  }
  const definition = readDeclaration(declaration, database ?? defaultDatabase, functions, findings)
  if (definition === undefined) return undefined
  for (const { place, name: unknown, meant } of slipsOf(definition)) {
    const message = `${where}${declaration.kind} ${label}: ${place} ${unknown}, which no server knows. Did you mean ${meant}?`
    warnings.push({ code: 'unknown_name', message, ...about })
  }
  checkKeys(definition, declaration, findings)
  return withDeclaredFacts(definition, declaration, origin, findings)
}

/** Engines that take no keys (seen on 26.7: "doesn't support PARTITION_BY, PRIMARY_KEY, ORDER_BY or SAMPLE_BY"). */
const KEYLESS_ENGINES = new Set(
  `Memory Log TinyLog StripeLog Null Set Join Buffer Merge Distributed Kafka RabbitMQ NATS GenerateRandom Dictionary
   File URL MySQL PostgreSQL MongoDB SQLite ODBC JDBC Executable ExecutablePool FileLog`.split(/\s+/),
)

/** A MergeTree table must say its order, since the server would silently take none; engines without keys take none. */
function checkKeys(definition: Definition, declaration: Declaration, findings: Findings): void {
  const storage =
    definition.kind === 'table' ? definition : definition.kind === 'materialized_view' ? definition.inner : undefined
  if (storage === undefined || !('orderBy' in declaration || 'engine' in declaration)) return
  const { orderBy, primaryKey } = declaration as { readonly orderBy?: unknown; readonly primaryKey?: unknown }
  const { name } = storage.engine
  if (isMergeTree(name) && !hasKeyInParameters(storage.engine) && orderBy === undefined && primaryKey === undefined)
    findings.issue(
      'order_by_missing',
      `the engine ${name} needs orderBy`,
      "Name the sorting key, or write orderBy: 'tuple()' for none",
    )
  if (KEYLESS_ENGINES.has(name) && (orderBy !== undefined || primaryKey !== undefined))
    findings.issue(
      'order_by_not_supported',
      `the engine ${name} has no sorting or primary key`,
      'Leave orderBy and primaryKey out',
    )
}

function nameOf(declaration: Declaration): string | undefined {
  if (declaration.kind === 'raw') return declaration.key
  return declaration.kind === 'grant' ? undefined : declaration.name
}

function databaseOf(declaration: Declaration, defaultDatabase: string): string | undefined {
  switch (declaration.kind) {
    case 'table':
    case 'view':
    case 'materialized_view':
    case 'dictionary':
      return typeof declaration.database === 'string' ? declaration.database : defaultDatabase
    default:
      return undefined
  }
}

function readDeclaration(
  declaration: Declaration,
  database: string,
  functions: SqlFunctions,
  findings: Findings,
): Definition | undefined {
  if (declaration.kind === 'raw') return rawDefinition(declaration)
  const written = declaredStatement(declaration, database, findings)
  const calls = written === undefined || written.kind === 'createFunction' ? [] : calledFunctions(written, functions)
  const node = calls.length === 0 ? written : inlineCalls(written, functions)
  const read = node && definitionFromNode(node, { database, declared: true })
  const definition = read && calls.length > 0 && isDatabaseObject(read) ? { ...read, functions: calls } : read
  if (node !== undefined && definition === undefined)
    findings.issue('invalid_sql', 'the declaration does not make one object')
  return definition
}

function declaredStatement(
  declaration: Exclude<Declaration, RawDeclaration>,
  database: string,
  findings: Findings,
): Statement | undefined {
  const name: ObjectName = { database, name: 'name' in declaration ? declaration.name : '' }
  switch (declaration.kind) {
    case 'table':
      return tableNode(declaration, name, findings)
    case 'view':
      return viewNode(declaration, name, findings)
    case 'materialized_view':
      return materializedViewNode(declaration, name, findings)
    case 'dictionary':
      return dictionaryNode(declaration, name, findings)
    case 'sql_function':
      return functionNode(declaration, findings)
    case 'database':
      return databaseNode(declaration, findings)
    default:
      return accessNode(declaration, findings)
  }
}

function rawDefinition(declaration: RawDeclaration): Definition {
  const { key, create, drop, dependsOn } = declaration
  return {
    kind: 'raw',
    key,
    create: create.trim().replace(/;\s*$/, ''),
    ...(drop !== undefined && { drop: drop.trim().replace(/;\s*$/, '') }),
    ...(dependsOn !== undefined && dependsOn.length > 0 && { dependsOn: [...dependsOn] }),
  }
}

/** What a CREATE statement cannot say: former names, plugin options, the file. */
function withDeclaredFacts(
  definition: Definition,
  declaration: Declaration,
  origin: Origin | undefined,
  findings: Findings,
): Definition {
  let full = origin === undefined ? definition : { ...definition, origin }
  if (isDatabaseObject(full) && 'renamedFrom' in declaration && declaration.renamedFrom !== undefined) {
    const renamedFrom = formerName(declaration.renamedFrom, full.database, findings)
    if (renamedFrom !== undefined) full = { ...full, renamedFrom }
  }
  if (full.kind === 'table' && declaration.kind === 'table')
    full = withTableFacts(full, declaration.columns, declaration.plugins)
  return full
}

function withTableFacts(table: Table, declared: ColumnsInput, plugins: object | undefined): Table {
  const former = new Map<string, string>()
  for (const column of columnList(declared))
    if (column.renamedFrom !== undefined) former.set(column.name, column.renamedFrom)
  const renamed =
    former.size === 0 ? table : { ...table, columns: table.columns.map((column) => withFormerName(column, former)) }
  return plugins === undefined ? renamed : { ...renamed, plugins: plugins as Readonly<Record<string, unknown>> }
}

/** A flattened Nested column `n.a` was `old.a` when `n` was `old`. */
function withFormerName(column: Column, former: ReadonlyMap<string, string>): Column {
  const whole = former.get(column.name)
  if (whole !== undefined) return { ...column, renamedFrom: whole }
  const dot = column.name.indexOf('.')
  const nested = dot < 0 ? undefined : former.get(column.name.slice(0, dot))
  return nested === undefined ? column : { ...column, renamedFrom: nested + column.name.slice(dot) }
}

function formerName(name: NameInput, database: string, findings: Findings): QualifiedName | undefined {
  const node = nameNode(name, 'renamedFrom', findings)
  if (node === undefined || typeof node.name !== 'string') return undefined
  return { database: typeof node.database === 'string' ? node.database : database, name: node.name }
}

export { collectDefinitions, type Declared } from './collect.js'
export { sameDefinition } from './same.js'
export { definitionFromStatement, readStatement } from './statement.js'
