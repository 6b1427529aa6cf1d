import { z } from 'zod'

/**
 * The JSON document of every command, as zod schemas. Tests parse real output with them, and `scripts/docs.mjs` writes the
 * JSON Schemas of docs/schemas from them; nothing at run time loads this file. Documents may gain fields, never lose them.
 */

const document = <Shape extends z.core.$ZodLooseShape>(command: string, shape: Shape) =>
  z.looseObject({
    command: z.literal(command),
    schemaVersion: z.literal(1),
    ok: z.boolean(),
    ...shape,
    warnings: z.array(z.string()).optional().describe('What was also printed as warnings on stderr.'),
  })

const risk = z.enum(['safe', 'caution', 'danger'])
const riskSummary = z.object({ safe: z.int(), caution: z.int(), danger: z.int() })
const metadata = z.record(z.string(), z.unknown())

const scope = z
  .object({
    enabled: z.boolean(),
    selector: z.string().optional(),
    matchedTables: z.array(z.string()).describe('`database.table`, sorted.'),
    matchCount: z.int(),
  })
  .describe('What `--table` selected.')

const checksumMismatch = z.object({ name: z.string(), expected: z.string(), actual: z.string() })
const journal = z.object({ store: z.enum(['table', 'file']), location: z.string() })

const flag = z.object({
  name: z.string(),
  type: z.enum(['boolean', 'string', 'string[]']),
  description: z.string(),
  placeholder: z.string().optional(),
  negation: z.boolean().optional(),
  choices: z.array(z.string()).optional(),
  aliases: z.array(z.string()).optional(),
  plugin: z.string().optional().describe('The plugin that added the flag.'),
})

const commandDescription = z.object({
  name: z.string(),
  aliases: z.array(z.string()),
  description: z.string(),
  effect: z.enum(['read', 'files', 'database']),
  usage: z.string(),
  plugin: z.string().optional(),
  flags: z.array(flag),
})

const operation = z.object({
  type: z.string(),
  key: z.string(),
  risk,
  reason: z.string().describe('A sentence: why it has this risk.'),
  sql: z.string().describe('The statements that carry it out, each with its semicolon.'),
  warning: z.string().optional().describe('What a reader should do or know besides.'),
})

const renameSuggestion = z.object({
  kind: z.string(),
  database: z.string(),
  table: z.string(),
  from: z.string(),
  to: z.string(),
  confidence: z.union([z.number(), z.string()]),
  reason: z.string(),
  confirmationSQL: z.string(),
  dropOperationKey: z.string(),
  addOperationKey: z.string(),
})

const appliedMigration = z.object({
  name: z.string(),
  appliedAt: z.string().describe('ISO 8601, UTC.'),
  checksum: z.string().describe('SHA-256 of the text with line ends as LF, hex.'),
  statements: z.int(),
  durationMs: z.number(),
})

const side = z.string().nullable().describe('As SQL; null where a side has none.')
const nameDiff = z.looseObject({ name: z.string(), expected: side, actual: side })

const tableDrift = z.looseObject({
  table: z.string(),
  reasonCodes: z.array(z.string()),
  missingColumns: z.array(z.string()),
  extraColumns: z.array(z.string()),
  changedColumns: z.array(
    z.looseObject({ name: z.string(), attribute: z.string(), expected: z.unknown(), actual: z.unknown() }),
  ),
  settingDiffs: z.array(nameDiff),
  indexDiffs: z.array(nameDiff),
  projectionDiffs: z.array(nameDiff),
  constraintDiffs: z.array(nameDiff),
  ttlMismatch: z.boolean(),
  engineMismatch: z.boolean(),
  primaryKeyMismatch: z.boolean(),
  orderByMismatch: z.boolean(),
  uniqueKeyMismatch: z.boolean(),
  partitionByMismatch: z.boolean(),
  sampleByMismatch: z.boolean(),
  commentMismatch: z.boolean(),
  clauses: z
    .array(z.looseObject({ clause: z.string(), expected: side, actual: side }))
    .describe('Both sides of each clause whose mismatch is true.'),
})

const finding = z.object({
  code: z.string(),
  message: z.string(),
  severity: z.enum(['info', 'warn', 'error']),
  metadata: metadata.optional(),
})

/** What every failed run prints instead; some commands add fields of their own, listed below. */
export const failureDocument = z.looseObject({
  command: z.string(),
  schemaVersion: z.literal(1),
  ok: z.literal(false),
  error: z.string().describe('A sentence.'),
  code: z.string().describe('Stable, snake_case.'),
  retriable: z.boolean().describe('The same command may succeed later with nothing changed.'),
  hint: z.string().optional().describe('What to do next.'),
  details: metadata.optional(),
  warnings: z.array(z.string()).optional(),
  issues: z
    .array(
      z.looseObject({
        code: z.string(),
        message: z.string(),
        kind: z.string().optional(),
        database: z.string().optional(),
        name: z.string().optional(),
        file: z.string().optional(),
        line: z.int().optional(),
      }),
    )
    .optional()
    .describe('With `validation_failed`: everything that is wrong with the schema.'),
  refusals: z
    .array(z.looseObject({ code: z.string(), object: z.string(), message: z.string(), hint: z.string() }))
    .optional()
    .describe('With `rebuild_required` and `plan_refused`: everything that the plan refuses.'),
  checksumMismatches: z.array(checksumMismatch).optional().describe('With `checksum_mismatch`.'),
  destructiveMigrations: z.array(z.string()).optional().describe('With `destructive_blocked`.'),
  destructiveOperations: z
    .array(
      z.looseObject({
        migration: z.string(),
        type: z.string(),
        key: z.string(),
        risk: z.string(),
        warningCode: z.string(),
        reason: z.string(),
        impact: z.unknown(),
        recommendation: z.string(),
        summary: z.string(),
      }),
    )
    .optional()
    .describe('With `destructive_blocked`.'),
})

/** The documents of a command that ended by itself, by command name; several where it has several modes. */
export const RESULT_DOCUMENTS = {
  init: [document('init', { created: z.array(z.string()), skipped: z.array(z.string()) })],
  generate: [
    document('generate', {
      scope: scope.optional(),
      mode: z.literal('plan'),
      operationCount: z.int(),
      riskSummary,
      operations: z.array(operation),
      renameSuggestions: z.array(renameSuggestion),
      warning: z.string().optional(),
    }),
    document('generate', {
      scope: scope.optional(),
      mode: z.literal('apply'),
      migrationFile: z.string().nullable(),
      snapshotFile: z.string().nullable(),
      definitionCount: z.int(),
      operationCount: z.int(),
      riskSummary,
      warning: z.string().optional(),
    }),
  ],
  migrate: [
    document('migrate', {
      mode: z.literal('plan'),
      scope,
      pending: z.array(z.string()),
      operations: z.array(
        z.object({
          migration: z.string(),
          statement: z.int(),
          type: z.string(),
          key: z.string(),
          risk,
          reason: z.string(),
        }),
      ),
      leftOut: z.array(z.string()).describe('Pending, but touching more than the scope.'),
    }),
    document('migrate', {
      mode: z.literal('execute'),
      scope,
      applied: z.array(appliedMigration.loose()),
      journal,
      journalFile: z.string().optional(),
      leftOut: z.array(z.string()).describe('Pending, but touching more than the scope.'),
    }),
    document('migrate', {
      mode: z.literal('resolve'),
      migration: z.string(),
      statement: z.int(),
      outcome: z.enum(['done', 'not_done']),
    }),
    document('migrate', {
      mode: z.literal('unlock'),
      holder: z.object({ owner: z.string(), host: z.string(), epoch: z.int(), expiresInMs: z.number() }).nullable(),
    }),
  ],
  status: [
    document('status', {
      migrationsDir: z.string(),
      total: z.int(),
      applied: z.int(),
      pending: z.int(),
      pendingMigrations: z.array(z.string()),
      missingMigrations: z.array(z.string()),
      checksumMismatchCount: z.int(),
      checksumMismatches: z.array(checksumMismatch),
      halfDone: z
        .array(
          z.object({
            name: z.string(),
            statement: z.int().describe('The statement it stands at, from 1.'),
            text: z.string().nullable().describe('Its first line in the file; null where the file no longer has it.'),
            doneStatements: z.int(),
            outcome: z.enum(['pending', 'intent', 'done', 'failed', 'not_done', 'unknown']),
            since: z.string(),
            runner: z.string(),
            message: z.string(),
          }),
        )
        .describe('Migrations of which a part ran.'),
      journal,
    }),
  ],
  drift: [
    document('drift', {
      scope,
      snapshotFile: z.string(),
      expectedCount: z.int(),
      actualCount: z.int(),
      drifted: z.boolean(),
      missing: z.array(z.string()).describe('`kind:database.name`.'),
      extra: z.array(z.string()),
      kindMismatches: z.array(z.looseObject({ expected: z.string(), actual: z.string(), object: z.string() })),
      objectDrift: z.array(
        z.looseObject({
          code: z.enum(['missing_object', 'extra_object', 'kind_mismatch', 'definition_mismatch']),
          object: z.string(),
        }),
      ),
      tableDrift: z.array(tableDrift),
      repair: z.array(z.string()).describe('Statements that lead the database back to what was applied, in order.'),
      warning: z.string().optional(),
    }),
  ],
  check: [
    document('check', {
      strict: z.boolean(),
      policy: z.object({
        failOnPending: z.boolean(),
        failOnChecksumMismatch: z.boolean(),
        failOnDrift: z.boolean(),
      }),
      scope: scope.optional(),
      failedChecks: z
        .array(z.string())
        .describe(
          '`pending_migrations`, `missing_migrations`, `checksum_mismatch`, `schema_drift`, or `plugin:` and a name.',
        ),
      pendingCount: z.int(),
      missingCount: z.int(),
      checksumMismatchCount: z.int(),
      drifted: z.boolean(),
      driftEvaluated: z.boolean(),
      driftReasonCounts: z.record(z.string(), z.int()),
      driftReasonTotals: z.object({ total: z.int(), object: z.int(), table: z.int() }),
      plugins: z.record(
        z.string(),
        z.looseObject({
          evaluated: z.boolean(),
          ok: z.boolean(),
          findingCodes: z.array(z.string()),
          findings: z.array(finding).optional(),
          metadata: metadata.optional(),
        }),
      ),
    }),
  ],
  graph: [
    document('graph', {
      scope,
      format: z.enum(['mermaid', 'dot', 'json']).describe('What a run without `--json` prints.'),
      nodes: z.array(z.object({ key: z.string(), kind: z.string(), name: z.string() })).describe('Sorted by `key`.'),
      edges: z.array(z.object({ from: z.string(), to: z.string() })).describe('`from` needs `to`; both are keys.'),
      cycles: z.array(z.array(z.string())).describe('Objects that need each other in a circle, each circle once.'),
    }),
  ],
  plugin: [
    document('plugin', {
      plugins: z.array(z.object({ name: z.string(), commands: z.array(commandDescription) })),
    }),
    document('plugin', { plugin: z.string(), commands: z.array(commandDescription) }),
  ],
  completion: [document('completion', { shell: z.enum(['bash', 'zsh', 'fish']), script: z.string() })],
  help: [
    document('help', {
      version: z.string(),
      commands: z.array(commandDescription),
      globalFlags: z.array(flag),
    }),
  ],
  version: [document('version', { version: z.string() })],
} as const

/** Any document that the command can print: its own ones, or a failure. */
export function documentSchema(command: keyof typeof RESULT_DOCUMENTS): z.ZodType {
  return z.union([...RESULT_DOCUMENTS[command], failureDocument])
}
