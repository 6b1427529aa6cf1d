import { relative } from 'node:path'
import type { ResolvedConfig } from '../config/config.js'
import { ChkitError } from '../errors.js'
import { canonicalise, collectDefinitions, type Declared, sortedByKey } from '../model/canonical.js'
import { type Definition, objectKey } from '../model/definition.js'
import type { Declaration } from '../model/dsl.js'
import type { Issue, ModelWarning } from '../model/issue.js'
import { validateModel } from '../model/validate.js'
import type { SchemaFile } from './command.js'

/** Definitions in canonical form, sorted, and what their reader should know. */
export type DeclaredDefinitions = {
  readonly definitions: readonly Definition[]
  readonly warnings: readonly ModelWarning[]
}

/**
 * What the schema files declare, in canonical form. Throws `validation_failed` with every issue of every object, and
 * `schema_empty` when the files export no definition.
 */
export function declaredDefinitions(files: readonly SchemaFile[], config: ResolvedConfig): DeclaredDefinitions {
  const declared = files.flatMap(({ file, exports }) => collectDefinitions(exports, relative(config.root, file)))
  if (declared.length === 0) {
    const names = files.map(({ file }) => relative(config.root, file)).join(', ')
    throw new ChkitError('schema_empty', `The schema files export no definition: ${names}.`, {
      hint: 'Export what table({ … }), view({ … }) and the like return.',
      details: { files: files.map(({ file }) => file) },
    })
  }
  const { model, issues, warnings } = canonicalise(declared, { defaultDatabase: config.clickhouse?.database })
  refuseIssues(issues)
  return { definitions: model.definitions, warnings }
}

/**
 * What a plugin made of the definitions: canonical ones as they are, those that come from `table(...)` and the like in
 * canonical form, all checked as a whole. Throws `validation_failed`.
 */
export function returnedDefinitions(
  returned: readonly unknown[],
  before: readonly Definition[],
  config: ResolvedConfig,
): readonly Definition[] {
  const unchanged = new Set<unknown>(before)
  const canonical: Definition[] = []
  const added: Declared[] = []
  const odd: Issue[] = []
  for (const one of returned) {
    if (unchanged.has(one) || isCanonical(one)) canonical.push(one as Definition)
    else if (isDeclaration(one)) added.push({ declaration: one })
    else odd.push({ code: 'invalid_definition', message: 'onSchemaLoaded returned a value that is no definition' })
  }
  const { model, issues } = canonicalise(added, { defaultDatabase: config.clickhouse?.database })
  const keys = new Set(canonical.map(objectKey))
  const doubled = model.definitions.filter((definition) => keys.has(objectKey(definition)))
  const duplicates: readonly Issue[] = doubled.map((definition) => ({
    code: 'duplicate_object_name',
    message: `${objectKey(definition)} is returned by onSchemaLoaded more than once`,
    kind: definition.kind,
  }))
  const definitions = sortedByKey([...canonical, ...model.definitions])
  refuseIssues([...odd, ...issues, ...duplicates, ...(canonical.length > 0 ? validateModel({ definitions }) : [])])
  return definitions
}

function refuseIssues(issues: readonly Issue[]): void {
  if (issues.length === 0) return
  const lines = issues.map(issueLine)
  throw new ChkitError(
    'validation_failed',
    `The schema is invalid:\n${lines.map((line) => `  - ${line}`).join('\n')}`,
    {
      details: { payload: { issues } },
    },
  )
}

function issueLine(issue: Issue): string {
  const place = issue.file === undefined ? '' : ` (${issue.file}${issue.line === undefined ? '' : `:${issue.line}`})`
  const hint = issue.hint === undefined ? '' : `; ${issue.hint.charAt(0).toLowerCase()}${issue.hint.slice(1)}`
  return `${issue.message}${hint}${place}`
}

/** Canonical definitions hold parsed parts where declarations hold texts. */
function isCanonical(value: unknown): boolean {
  if (!isObject(value)) return false
  switch (value.kind) {
    case 'table':
      return isObject(value.engine) && Array.isArray(value.columns)
    case 'view':
    case 'materialized_view':
      return typeof value.query === 'string'
    case 'dictionary':
      return Array.isArray(value.attributes) && Array.isArray(value.primaryKey) && typeof value.source === 'string'
    case 'sql_function':
      return typeof value.expression === 'string'
    case 'database':
      return isObject(value.engine)
    default:
      return typeof value.statement === 'string'
  }
}

function isDeclaration(value: unknown): value is Declaration {
  return isObject(value) && collectDefinitions({ value }).length === 1
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
