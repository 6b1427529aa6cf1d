import { nearest } from '../nearest.js'
import type { Declaration, MaterializedViewDeclaration, TableDeclaration } from './dsl.js'

/**
 * What the fields of a declaration may hold, checked before anything reads them: a schema file is JavaScript, and its
 * author may have no type checker.
 */

type Check = (value: unknown) => string | undefined
type Field = { readonly check: Check; readonly required?: true }
type Shape = Readonly<Record<string, Field>>

/** One thing that does not fit; `path` is `columns[2].type`. */
export type ShapeProblem = {
  readonly code: 'missing_field' | 'invalid_field' | 'unknown_field' | 'conflicting_fields'
  readonly path: string
  readonly message: string
  readonly hint?: string
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const text: Check = (value) => (typeof value === 'string' ? undefined : 'text')
const filled: Check = (value) =>
  typeof value === 'string' && value.trim() !== '' ? undefined : 'text that is not empty'
/** A name may be a single blank. */
const named: Check = (value) => (typeof value === 'string' && value !== '' ? undefined : 'text that is not empty')
const flag: Check = (value) => (typeof value === 'boolean' ? undefined : 'true or false')
const count: Check = (value) =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 ? undefined : 'a whole number'
const literal: Check = (value) =>
  value === null || ['string', 'number', 'bigint', 'boolean'].includes(typeof value)
    ? undefined
    : 'text, a number, true, false or null'
const settingValue: Check = (value) =>
  ['string', 'number', 'boolean'].includes(typeof value) ? undefined : 'text, a number, true or false'
const texts: Check = (value) =>
  typeof value === 'string' || (Array.isArray(value) && value.every((item) => typeof item === 'string'))
    ? undefined
    : 'text or a list of texts'
const settings: Check = (value) => {
  if (!isObject(value)) return 'an object of settings'
  const bad = Object.entries(value).find(([, setting]) => settingValue(setting) !== undefined)
  return bad === undefined ? undefined : `settings with text, number or boolean values (${bad[0]} is none)`
}
const name: Check = (value) =>
  typeof value === 'string' || (isObject(value) && typeof value.name === 'string')
    ? undefined
    : "'db.name' or { database, name }"
const names: Check = (value) =>
  (Array.isArray(value) ? value : [value]).every((item) => name(item) === undefined)
    ? undefined
    : 'names of the form db.name'
const object: Check = (value) => (isObject(value) ? undefined : 'an object')
const anything: Check = () => undefined
const oneOf =
  (...words: readonly string[]): Check =>
  (value) =>
    words.includes(String(value).toLowerCase()) ? undefined : `one of ${words.join(', ')}`
const lifetime: Check = (value) =>
  typeof value === 'string' ||
  count(value) === undefined ||
  (isObject(value) && count(value.min) === undefined && count(value.max) === undefined)
    ? undefined
    : 'seconds, { min, max }, or the inside of LIFETIME'
const minAndMax: Check = (value) =>
  isObject(value) && typeof value.min === 'string' && typeof value.max === 'string' ? undefined : '{ min, max }'

const must = (check: Check): Field => ({ check, required: true })
const may = (check: Check): Field => ({ check })

const COLUMN: Shape = {
  name: must(named),
  type: must(filled),
  nullable: may(flag),
  default: may(literal),
  defaultExpression: may(filled),
  materialized: may(filled),
  alias: may(filled),
  ephemeral: may((value) => (typeof value === 'boolean' ? undefined : filled(value))),
  codec: may(filled),
  ttl: may(filled),
  settings: may(settings),
  statistics: may(texts),
  comment: may(text),
  renamedFrom: may(named),
}

const ATTRIBUTE: Shape = {
  name: must(named),
  type: must(filled),
  default: may(literal),
  expression: may(filled),
  hierarchical: may(flag),
  bidirectional: may(flag),
  injective: may(flag),
  isObjectId: may(flag),
}

const INDEX: Shape = {
  name: must(named),
  expression: must(filled),
  type: must(filled),
  typeArgs: may((value) =>
    [value].flat().every((item) => typeof item === 'string' || typeof item === 'number')
      ? undefined
      : 'text or numbers',
  ),
  granularity: may(count),
}

const PROJECTION: Shape = {
  name: must(named),
  query: may(filled),
  index: may(filled),
  type: may(filled),
  settings: may(settings),
}

const CONSTRAINT: Shape = { name: must(named), check: may(filled), assume: may(filled) }

const REFRESH: Shape = {
  every: may(filled),
  after: may(filled),
  offset: may(filled),
  randomize: may(filled),
  dependsOn: may(names),
  append: may(flag),
  settings: may(settings),
}

const NAMED: Shape = {
  database: may(filled),
  name: must(named),
  comment: may(text),
  cluster: may(filled),
  renamedFrom: may(name),
}

const STORAGE: Shape = {
  engine: may(filled),
  orderBy: may(texts),
  primaryKey: may(texts),
  partitionBy: may(texts),
  sampleBy: may(filled),
  uniqueKey: may(texts),
  ttl: may(texts),
  settings: may(settings),
}

const TARGETS: Shape = { samples: may(anything), tags: may(anything), metrics: may(anything) }

const INNER_TABLE: Shape = { ...STORAGE, columns: may(anything) }

const SECURITY: Shape = { definer: may(filled), sqlSecurity: may(oneOf('definer', 'invoker', 'none')) }

const SHAPES: Readonly<Record<Declaration['kind'], Shape>> = {
  table: {
    ...NAMED,
    ...STORAGE,
    columns: must(anything),
    indexes: may(anything),
    projections: may(anything),
    constraints: may(anything),
    targets: may(object),
    asTableFunction: may(filled),
    plugins: may(object),
  },
  view: { ...NAMED, ...SECURITY, as: must(filled), columns: may(anything), columnAliases: may(texts) },
  materialized_view: {
    ...NAMED,
    ...STORAGE,
    ...SECURITY,
    as: must(filled),
    to: may(name),
    refresh: may(object),
    columns: may(anything),
    indexes: may(anything),
    projections: may(anything),
    constraints: may(anything),
  },
  dictionary: {
    ...NAMED,
    attributes: may(anything),
    columns: may(anything),
    primaryKey: must(texts),
    source: must(filled),
    layout: must(filled),
    lifetime: may(lifetime),
    range: may(minAndMax),
    settings: may(settings),
  },
  sql_function: { name: must(named), as: must(filled), cluster: may(filled) },
  database: {
    name: must(named),
    engine: may(filled),
    settings: may(settings),
    comment: may(text),
    cluster: may(filled),
  },
  role: { name: must(named), settings: may(filled), cluster: may(filled) },
  user: {
    name: must(named),
    identified: may(filled),
    host: may(filled),
    defaultRole: may(texts),
    defaultDatabase: may(filled),
    settings: may(filled),
    cluster: may(filled),
  },
  grant: {
    privileges: must(texts),
    on: may(filled),
    to: must(texts),
    withGrantOption: may(flag),
    withAdminOption: may(flag),
    cluster: may(filled),
  },
  row_policy: {
    name: must(named),
    on: must(name),
    using: must(filled),
    as: may(oneOf('permissive', 'restrictive')),
    to: may(texts),
    cluster: may(filled),
  },
  quota: { name: must(named), keyedBy: may(filled), limits: may(texts), to: may(texts), cluster: may(filled) },
  settings_profile: { name: must(named), settings: may(filled), to: may(texts), cluster: may(filled) },
  named_collection: { name: must(named), values: must(object), cluster: may(filled) },
  raw: { key: must(filled), create: must(filled), drop: may(filled), dependsOn: may(texts) },
}

/** The kinds that a declaration may have. */
export const DECLARATION_KINDS: ReadonlySet<string> = new Set(Object.keys(SHAPES))

/** Everything in `declaration` that does not fit its kind; empty when it can be read. */
export function shapeProblems(declaration: Declaration): readonly ShapeProblem[] {
  const problems = check(declaration as unknown as Readonly<Record<string, unknown>>, SHAPES[declaration.kind], '', [
    'kind',
  ])
  switch (declaration.kind) {
    case 'table':
      problems.push(...columnProblems(declaration.columns, 'columns', COLUMN))
      problems.push(...elementProblems(declaration))
      problems.push(...targetProblems(declaration.targets))
      problems.push(...exactlyOne(declaration, ['engine', 'asTableFunction'], ''))
      break
    case 'view':
      problems.push(...columnProblems(declaration.columns, 'columns', COLUMN))
      break
    case 'materialized_view':
      problems.push(...columnProblems(declaration.columns, 'columns', COLUMN))
      problems.push(...elementProblems(declaration))
      problems.push(...exactlyOne(declaration, ['to', 'engine'], ''))
      if (isObject(declaration.refresh)) {
        problems.push(...check(declaration.refresh, REFRESH, 'refresh.'))
        if ('every' in declaration.refresh || 'after' in declaration.refresh)
          problems.push(...exactlyOne(declaration.refresh, ['every', 'after'], 'refresh.'))
      }
      break
    case 'dictionary':
      problems.push(...exactlyOne(declaration, ['attributes', 'columns'], ''))
      problems.push(...columnProblems(declaration.attributes ?? declaration.columns, 'attributes', ATTRIBUTE))
      break
    default:
  }
  return problems
}

function elementProblems(declaration: TableDeclaration | MaterializedViewDeclaration): ShapeProblem[] {
  return [
    ...listProblems(declaration.indexes, 'indexes', INDEX),
    ...listProblems(declaration.projections, 'projections', PROJECTION, ['query', 'index']),
    ...listProblems(declaration.constraints, 'constraints', CONSTRAINT, ['check', 'assume']),
  ]
}

/** Each target is a name, or an inner table whose clauses stand with an engine. */
function targetProblems(targets: unknown): ShapeProblem[] {
  if (!isObject(targets)) return []
  const problems = check(targets, TARGETS, 'targets.')
  for (const [role, target] of Object.entries(targets)) {
    const path = `targets.${role}`
    if (target === undefined || !Object.hasOwn(TARGETS, role) || name(target) === undefined) continue
    if (!isObject(target)) {
      problems.push({ code: 'invalid_field', path, message: `${path} must be a name or an inner table` })
      continue
    }
    problems.push(...check(target, INNER_TABLE, `${path}.`))
    problems.push(...columnProblems(target.columns, `${path}.columns`, COLUMN))
    const clause = Object.keys(STORAGE).find((field) => target[field] !== undefined)
    if (clause !== undefined && target.engine === undefined)
      problems.push({
        code: 'missing_field',
        path: `${path}.engine`,
        message: `${path}.engine is missing, and ${clause} needs it`,
      })
  }
  return problems
}

const REQUIRED_COUNTS = new WeakMap<Shape, number>()

function requiredCount(shape: Shape): number {
  let count = REQUIRED_COUNTS.get(shape)
  if (count === undefined) {
    count = Object.values(shape).filter(({ required }) => required).length
    REQUIRED_COUNTS.set(shape, count)
  }
  return count
}

/** True when `check` would find nothing. Looks only at the fields that are there, and nearly every value fits. */
function fits(value: Readonly<Record<string, unknown>>, shape: Shape): boolean {
  let required = 0
  for (const field in value) {
    const given = value[field]
    if (given === undefined) continue
    if (!Object.hasOwn(shape, field)) return false
    const wanted = shape[field]!
    if (wanted.check(given) !== undefined) return false
    if (wanted.required) required++
  }
  return required === requiredCount(shape)
}

function check(
  value: Readonly<Record<string, unknown>>,
  shape: Shape,
  path: string,
  ignored: readonly string[] = [],
): ShapeProblem[] {
  const problems: ShapeProblem[] = []
  for (const field in shape) {
    const { check: fits, required } = shape[field]!
    const given = value[field]
    if (given === undefined) {
      if (required) problems.push({ code: 'missing_field', path: path + field, message: `${path}${field} is missing` })
      continue
    }
    const wanted = fits(given)
    if (wanted !== undefined)
      problems.push({ code: 'invalid_field', path: path + field, message: `${path}${field} must be ${wanted}` })
  }
  for (const field in value) {
    if (Object.hasOwn(shape, field) || ignored.includes(field) || value[field] === undefined) continue
    const known = nearest(field, Object.keys(shape))
    problems.push({
      code: 'unknown_field',
      path: path + field,
      message: `${path}${field} is not a field that exists`,
      hint: known === undefined ? undefined : `Did you mean ${known}?`,
    })
  }
  return problems
}

function exactlyOne(value: object, fields: readonly string[], path: string): ShapeProblem[] {
  const given = fields.filter((field) => (value as Readonly<Record<string, unknown>>)[field] !== undefined)
  if (given.length === 1) return []
  const list = fields.map((field) => path + field).join(' or ')
  return given.length === 0
    ? [{ code: 'missing_field', path: path + fields[0], message: `${list} is missing` }]
    : [{ code: 'conflicting_fields', path: path + given[1], message: `${list}: only one of them may be given` }]
}

const DEFAULT_FIELDS = ['default', 'defaultExpression', 'materialized', 'alias', 'ephemeral']

function columnProblems(columns: unknown, path: string, shape: Shape): ShapeProblem[] {
  if (columns === undefined) return []
  const problems: ShapeProblem[] = []
  const each = (column: unknown, fields: Shape, place: () => string) => {
    if (isPlain(column)) return
    if (!isObject(column)) {
      const at = place()
      problems.push({ code: 'invalid_field', path: at, message: `${at} must be an object with name and type` })
      return
    }
    const given = DEFAULT_FIELDS.filter((field) => column[field] !== undefined && column[field] !== false)
    if (given.length <= 1 && fits(column, fields)) return
    const at = place()
    problems.push(...check(column, fields, `${at}.`))
    if (shape === COLUMN && given.length > 1)
      problems.push({
        code: 'conflicting_fields',
        path: at,
        message: `${at} has ${given.join(' and ')}: only one of them may be given`,
      })
  }
  if (Array.isArray(columns)) {
    for (const [index, column] of columns.entries()) each(column, shape, () => `${path}[${index}]`)
  } else if (isObject(columns)) {
    const { name: _, ...unnamed } = shape
    for (const [key, column] of Object.entries(columns))
      if (typeof column !== 'string') each(column, unnamed, () => `${path}.${key}`)
      else if (column.trim() === '')
        problems.push({ code: 'invalid_field', path: `${path}.${key}`, message: `${path}.${key} must be a type` })
  } else problems.push({ code: 'invalid_field', path, message: `${path} must be a list or a record of columns` })
  return problems
}

/** The column that nearly all are: a name and a type. */
function isPlain(column: unknown): boolean {
  if (!isObject(column)) return false
  let fields = 0
  for (const _ in column) fields++
  return fields === 2 && filled(column.name) === undefined && filled(column.type) === undefined
}

function listProblems(list: unknown, path: string, shape: Shape, alternatives?: readonly string[]): ShapeProblem[] {
  if (list === undefined) return []
  if (!Array.isArray(list)) return [{ code: 'invalid_field', path, message: `${path} must be a list` }]
  return list.flatMap((item: unknown, index) => {
    const at = `${path}[${index}]`
    if (!isObject(item)) return [{ code: 'invalid_field', path: at, message: `${at} must be an object` } as const]
    const problems = check(item, shape, `${at}.`)
    return alternatives === undefined ? problems : [...problems, ...exactlyOne(item, alternatives, `${at}.`)]
  })
}
