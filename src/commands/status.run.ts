import { relative } from 'node:path'
import { openJournal } from '../migration/journal.js'
import { type HalfDone, type MigrationStatus, readMigrationStatus } from '../migration/status.js'
import type { CommandContext, CommandResult } from '../plugin-host/command.js'
import { foreignMigrations } from './foreign-migrations.js'
import { invocation } from './invocation.js'
import { warnOfMissingDatabase } from './missing-database.js'
import { wrapText } from './text-table.js'

/** Runs `chkit status`. Creates nothing. */
export async function run(context: CommandContext): Promise<CommandResult> {
  const { config } = context
  const journal = await openJournal(config, context.connection)
  const state = await journal.read()
  const status = readMigrationStatus(config, state)
  await warnOfMissingDatabase(context, state)
  const halfDone = await withTexts(context, status)
  return {
    payload: {
      migrationsDir: config.migrationsDir,
      total: status.total,
      applied: status.applied,
      pending: status.pending,
      pendingMigrations: status.pendingMigrations,
      missingMigrations: status.missingMigrations,
      checksumMismatchCount: status.checksumMismatches.length,
      checksumMismatches: status.checksumMismatches,
      halfDone,
      journal: { store: journal.store, location: journal.location },
    },
    text: statusText(context, { ...status, halfDone }, journal.location),
  }
}

/** A half-done migration with the first line of the statement it stands at; null where the file no longer has it. */
type Standing = HalfDone & { readonly text: string | null }

async function withTexts(context: CommandContext, status: MigrationStatus): Promise<readonly Standing[]> {
  const { config } = context
  if (status.halfDone.length === 0) return []
  const { statementLine } = await import('../migration/statement-line.js')
  // A statement may spell out a password.
  const redact = (line: string | null) => (line === null ? null : context.redact(line))
  const files = new Set(status.pendingMigrations)
  return status.halfDone.map((one) => ({
    ...one,
    text: files.has(one.name) ? redact(statementLine(config, one.name, one.statement)) : null,
  }))
}

function statusText(
  context: CommandContext,
  status: MigrationStatus & { readonly halfDone: readonly Standing[] },
  journal: string,
): string {
  const { style, config } = context
  const folder = relative(context.cwd, config.migrationsDir) || config.migrationsDir
  const lines = [
    `${style.bold(folder)} ${style.dim(`(journal: ${journal})`)}`,
    `  ${status.applied} applied, ${status.pending} pending`,
  ]
  const half = new Set(status.halfDone.map(({ name }) => name))
  for (const name of status.pendingMigrations) if (!half.has(name)) lines.push(`  ${style.yellow('pending ')}  ${name}`)
  for (const one of status.halfDone)
    lines.push(...halfDoneLines(context, one, status.pendingMigrations.includes(one.name)))
  for (const name of status.missingMigrations)
    lines.push(`  ${style.red('missing ')}  ${name} was applied, but its file is gone`)
  for (const { name } of status.checksumMismatches)
    lines.push(`  ${style.red('edited  ')}  ${name} was changed after it was applied`)
  const foreign = foreignMigrations(config, status.missingMigrations)
  if (foreign !== undefined) lines.push(...wrapText(foreign, context.width, '  '))
  if (status.total === 0 && lines.length === 2) lines.push(`  Next: ${style.cyan(invocation(context.env, 'generate'))}`)
  else if (lines.length === 2) lines.push(`  ${style.green('✓')} Everything is applied.`)
  else if (status.pending > 0) lines.push(`  Next: ${style.cyan(invocation(context.env, 'migrate --apply'))}`)
  return lines.join('\n')
}

const STANDS: Readonly<Record<HalfDone['outcome'], string>> = {
  pending: 'has not been sent',
  intent: 'was sent, and nobody wrote down what became of it',
  done: 'is done',
  failed: 'was refused by the server',
  not_done: 'did not run',
  unknown: 'ended in a way that leaves open what it did',
}

function halfDoneLines({ style }: CommandContext, one: Standing, present: boolean): string[] {
  const whole = one.outcome === 'pending' && one.text === null && present
  const stands = whole
    ? `${one.doneStatements === 1 ? 'its one statement has' : `all ${one.doneStatements} statements have`} run, which the next run writes down`
    : `statement ${one.statement} ${STANDS[one.outcome]}`
  const lines = [`  ${style.red('half-done')} ${one.name}: ${stands} ${style.dim(`(${one.since}, ${one.runner})`)}`]
  if (!present) lines.push('            its file is gone: restore it, and the next run goes on where it stopped')
  if (one.text !== null) lines.push(`            ${one.text}`)
  if (one.message !== '') lines.push(`            ${one.message.split('\n', 1)[0]}`)
  return lines
}
