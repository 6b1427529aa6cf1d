/**
 * The cases of reference/alter-matrix that need no server configuration, and how they are replayed: what the statement
 * itself does, and what the planner makes of the same edit of a schema.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Session } from 'chdb'
import { diffModels, type Rename } from '../../src/diff/diff.js'
import { findDrift } from '../../src/diff/drift.js'
import { resolveRenames } from '../../src/diff/renames.js'
import { ChkitError } from '../../src/errors.js'
import { EMPTY_MODEL, type Model } from '../../src/model/definition.js'
import { validateModel } from '../../src/model/validate.js'
import { planChanges } from '../../src/plan/plan.js'
import { renderPlan } from '../../src/render/render.js'
import { quoteString } from '../../src/sql/quote.js'
import { applyStatement, modelOf, NotAnEdit, type Schema, schemaOf } from './apply-statement.js'

/** One case: `setup` runs on an empty database `am`; `errorName` is undefined where the engine accepts `statement`. */
export type MatrixCase = {
  readonly id: string
  readonly setup: readonly string[]
  readonly statement: string
  readonly errorName: string | undefined
}

/** The cases of the fixture in their order. */
export function matrixCases(): readonly MatrixCase[] {
  const file = fileURLToPath(new URL('../../fixtures/alter-matrix.json', import.meta.url))
  const { setup, cases } = JSON.parse(readFileSync(file, 'utf8')) as {
    readonly setup: readonly string[]
    readonly cases: readonly (readonly [string, readonly number[], string, string | null])[]
  }
  return cases.map(([id, texts, statement, errorName]) => ({
    id,
    setup: texts.map((index) => setup[index]!),
    statement,
    errorName: errorName ?? undefined,
  }))
}

/** What the planner's answer to a case came to. */
export type Verdict =
  /** No edit of a schema says it: data, partitions, mutations, what is refused before it means anything. */
  | { readonly kind: 'notAnEdit'; readonly why: string }
  /** The schema is the same afterwards. */
  | { readonly kind: 'nothing' }
  /** Not planned: the rules of the schema or the planner say why. */
  | { readonly kind: 'refused'; readonly by: 'validation' | 'plan'; readonly message: string }
  /** Every statement ran and the engine then shows the wanted schema. */
  | { readonly kind: 'planned' }
  /** The plan's own check stopped it before anything changed: rows stand in the way. */
  | { readonly kind: 'stopped'; readonly message: string }
  /** The engine refuses the wanted schema even on an empty database. */
  | { readonly kind: 'invalid'; readonly message: string }
  | { readonly kind: 'failed'; readonly message: string; readonly statements: readonly string[] }

/**
 * What is refused although the engine accepts the statement, and why: by message, and a few by case. Everything else
 * that is refused, or that only ALTER can reach, must be an error of the engine as well.
 */
const REFUSED_FOR: readonly { readonly message: RegExp; readonly why: string }[] = [
  { message: /chained or cyclic table rename/, why: 'trap 2: materialized views stay with the old name' },
  { message: /cannot go away: .* still reads it/, why: 'traps 2, 15: the reader breaks' },
  { message: /dictionary .* still reads it/, why: 'trap 15: the dictionary fails when it loads the next time' },
  { message: /reads column .*, which does not have it/, why: 'trap 15: the reader breaks' },
  {
    message: /writes column .*, which its target .* does not have/,
    why: 'trap 13: inserts break or values are dropped',
  },
  {
    message: /is part of the (sorting|partition) key|which no key can hold|the engine uses it \(version\)/,
    why: 'SimpleAggregateFunction in a key: CREATE refuses what ALTER then shows',
  },
  { message: /cannot rename column .* in place/, why: 'Memory: every value of the column is lost' },
  {
    message: /parts cannot be regrouped|cannot do that in place|primary key .* must stay its beginning/,
    why: 'CREATE OR REPLACE drops the rows: only with --allow-recreate',
  },
  { message: /keeps its rows in an inner table/, why: 'CREATE OR REPLACE drops the rows of the inner table' },
  { message: /holds a password/, why: 'a secret is written as an environment reference' },
  { message: /rename-column mapping/, why: 'one schema cannot say both that a column is new and that it was renamed' },
  { message: /The Alias engine cannot/, why: 'carried out on the table behind it' },
  { message: /has no columns/, why: 'ATTACH by name alone declares nothing' },
  { message: /cannot have a TTL: it is EPHEMERAL/, why: 'later mutations fail' },
  {
    message: /cannot be EPHEMERAL: a projection reads it/,
    why: 'every later INSERT fails (NOT_FOUND_COLUMN_IN_BLOCK)',
  },
  { message: /which may be NULL$/, why: 'CREATE refuses the nullable key whose permission ALTER takes away' },
]

/** States that only ALTER reaches: the engine refuses to create them, so no schema can declare them. */
const NOT_CREATABLE: Readonly<Record<string, string>> = {
  'mvsrc.view_missing_src_cols': 'accepted only with a column list; the table it reads is missing',
  'db.settings_disk': 'database settings are accepted where the statement has no IF NOT EXISTS',
  'db.max': 'database settings are accepted where the statement has no IF NOT EXISTS',
  'codec.gorilla_int': 'trap 18: a codec that does not suit the type',
  'role.mv_source.to_string': 'trap 15: the query cannot digest the new type',
}

/** What a guard stops although the engine accepts the statement, and why: by case. */
const STOPPED_FOR: Readonly<Record<string, string>> = {
  'recover.enum_shrink': 'trap: rows hold the value that goes, and cannot be read later',
  'type.40': 'trap: rows hold the value that goes, and cannot be read later',
}

/**
 * What no schema says and only the server knows: there the planned statement is refused as the statement of the case
 * is, before it has changed anything. Of the stuck mutation migrate tells more, and waits for it.
 */
const REFUSED_BY_SERVER: Readonly<Record<string, string>> = {
  'drop.max_size': 'the session forbids to drop tables of any size',
  'recover.drop_col_while_stuck': 'a mutation of the table is stuck',
}

/** Where chkit falls short; each is told in the documentation of the matrix and none loses data. */
const SHORT: Readonly<Record<string, string>> = {
  'drop.detach':
    'CREATE TABLE IF NOT EXISTS over a permanently detached table does nothing: migrate tells it, no plan can',
}

/** What is wrong with a verdict; undefined when the case came out as it must. */
export function complaint(row: MatrixCase, verdict: Verdict): string | undefined {
  if (row.id in SHORT) return undefined
  if (row.id in REFUSED_BY_SERVER && verdict.kind === 'failed' && errorNameOf(verdict.message) === row.errorName)
    return undefined
  if (verdict.kind === 'failed') return `${verdict.message}\n${verdict.statements.join(';\n')}`
  if (row.errorName !== undefined) return undefined
  if (verdict.kind === 'refused' && !REFUSED_FOR.some(({ message }) => message.test(verdict.message)))
    return `refused, though the engine accepts it: ${verdict.message}`
  if (verdict.kind === 'invalid' && !(row.id in NOT_CREATABLE))
    return `the engine refuses to create what it accepts by ALTER: ${verdict.message}`
  if (verdict.kind === 'stopped' && !(row.id in STOPPED_FOR))
    return `stopped, though the engine accepts it: ${verdict.message}`
  return undefined
}

export type MatrixEngine = {
  /** The name of the error, or undefined when the engine accepted the statement. */
  readonly replay: (row: MatrixCase) => string | undefined
  readonly plan: (row: MatrixCase) => Verdict
  readonly close: () => void
}

const DATABASES = ['am', 'am2', 'am3']
const LIST = DATABASES.map(quoteString).join(', ')

export function startMatrixEngine(): MatrixEngine {
  const directory = mkdtempSync(join(tmpdir(), 'chkit-matrix-'))
  const session = new Session(directory)
  const run = (sql: string) => String(session.query(sql, 'TSVRaw') ?? '').replace(/\n$/, '')
  let changedSettings: string[] = []
  let stopped = false

  const runOwn = (sql: string) => {
    stopped ||= sql.startsWith('SYSTEM STOP MERGES')
    const set = /^SET (\w+)/.exec(sql)
    if (set) changedSettings.push(set[1]!)
    run(sql)
  }
  /** While merges stand still, an ALTER that waits for its mutation and `DROP DATABASE .. SYNC` wait for ever. */
  const startMerges = () => {
    if (!stopped) return
    stopped = false
    run('SYSTEM START MERGES')
    for (let tries = 0; tries < 50 && run('SELECT count() FROM system.mutations WHERE NOT is_done') !== '0'; tries++)
      run('SELECT sleep(0.1)')
  }
  const reset = () => {
    startMerges()
    for (const name of changedSettings) run(`SET ${name} = DEFAULT`)
    changedSettings = []
    for (const database of DATABASES)
      run(`DROP DATABASE IF EXISTS ${database} SYNC SETTINGS check_table_dependencies = 0`)
    for (const name of run("SELECT name FROM system.functions WHERE origin = 'SQLUserDefined'").split('\n'))
      if (name !== '') run(`DROP FUNCTION ${name}`)
  }
  const prepare = (row: MatrixCase) => {
    reset()
    run('CREATE DATABASE am')
    for (const sql of row.setup) runOwn(sql)
  }
  const read = (): Schema => {
    const rows = session.query(
      `SELECT create_table_query FROM system.tables WHERE database IN (${LIST}) AND NOT startsWith(name, '.inner')
       UNION ALL SELECT create_query FROM system.functions WHERE origin = 'SQLUserDefined'
       UNION ALL SELECT concat('CREATE DATABASE ', name, ' ENGINE = ', engine_full, if(comment = '', '', concat(' COMMENT \\'', replaceAll(comment, '\\'', '\\\\\\''), '\\''))) FROM system.databases WHERE name IN (${LIST})`,
      'JSONCompactEachRow',
    )
    return schemaOf(
      rows
        .split('\n')
        .filter(Boolean)
        .map((line) => (JSON.parse(line) as [string])[0])
        .filter(Boolean),
    )
  }
  const canCreate = (model: Model): string | undefined => {
    reset()
    const plan = planChanges(diffModels(EMPTY_MODEL, model), { from: EMPTY_MODEL, to: model })
    try {
      for (const { text } of renderPlan(plan)) run(text)
      return undefined
    } catch (error) {
      return messageOf(error)
    }
  }

  return {
    replay(row) {
      prepare(row)
      try {
        runOwn(row.statement)
        return undefined
      } catch (error) {
        return errorNameOf(messageOf(error))
      }
    },
    plan(row) {
      prepare(row)
      const before = read()
      let edited: ReturnType<typeof applyStatement>
      try {
        edited = applyStatement(before, row.statement)
      } catch (error) {
        if (error instanceof NotAnEdit) return { kind: 'notAnEdit', why: error.message }
        throw error
      }
      const isCommentOfView = /COMMENT COLUMN/.test(row.statement)
      const columns = new Set(isCommentOfView ? edited.schema.keys() : [])
      const from = modelOf(before, columns)
      const to = modelOf(edited.schema, columns)
      let renames: readonly Rename[]
      try {
        renames = resolveRenames(from, to, renameFlags(edited.renames))
      } catch (error) {
        if (!(error instanceof ChkitError)) throw error
        return { kind: 'refused', by: 'plan', message: error.message }
      }
      const known = new Set(validateModel(from).map(({ message }) => message))
      const issues = validateModel(to).filter(({ message }) => !known.has(message))
      if (issues.length > 0)
        return { kind: 'refused', by: 'validation', message: issues.map(({ message }) => message).join('; ') }
      const changes = diffModels(from, to, renames)
      if (changes.length === 0) return { kind: 'nothing' }
      const plan = planChanges(changes, { from, to })
      if (plan.refusals.length > 0)
        return { kind: 'refused', by: 'plan', message: plan.refusals.map(({ message }) => message).join('; ') }
      const statements = renderPlan(plan).map(({ text }) => text)
      startMerges()
      for (const text of statements) {
        try {
          run(text)
        } catch (error) {
          const message = messageOf(error)
          if (errorNameOf(message) === 'FUNCTION_THROW_IF_VALUE_IS_NON_ZERO') return { kind: 'stopped', message }
          const invalid = canCreate(to)
          if (invalid !== undefined) return { kind: 'invalid', message: invalid }
          return { kind: 'failed', message, statements }
        }
      }
      const after = modelOf(read(), columns)
      const { objectDrift, tableDrift } = findDrift(to, after)
      const remaining = diffModels(after, to, [], { live: true })
      if (remaining.length > 0 || objectDrift.length > 0 || tableDrift.length > 0) {
        const message = `the engine then differs: ${JSON.stringify([remaining.map(({ kind }) => kind), objectDrift, tableDrift])}`
        return { kind: 'failed', message, statements }
      }
      return { kind: 'planned' }
    },
    close() {
      reset()
      session.cleanup()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

function renameFlags(renames: readonly Rename[]) {
  return {
    tables: renames.flatMap((rename) =>
      rename.kind === 'object'
        ? [`${rename.from.database}.${rename.from.name}=${rename.to.database}.${rename.to.name}`]
        : [],
    ),
    columns: renames.flatMap((rename) =>
      rename.kind === 'column' ? [`${rename.table.database}.${rename.table.name}.${rename.from}=${rename.to}`] : [],
    ),
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** The last name in brackets: causes stand before it. */
function errorNameOf(message: string): string {
  const names = [...message.matchAll(/\(([A-Z][A-Z0-9_]+)\)/g)]
  return names[names.length - 1]?.[1] ?? message
}
