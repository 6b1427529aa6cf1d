import { createHash } from 'node:crypto'
import type { AlterCommand, Statement } from '../sql/ast-ddl.js'
import { parseStatement, printStatement } from '../sql/statement.js'

/**
 * A mutation is known by its text: `system.mutations.command` holds each command as the server formats it. Ours and the
 * server's are read by one parser and compared as it prints them. They may differ all the same, where the server puts in
 * values of its own (of subqueries and functions that run beforehand), so a text that is not found proves nothing.
 */

/** A short form of a command's text, for the journal: 16 hexadecimal digits. */
function fingerprint(command: AlterCommand): string {
  const text = printStatement({ kind: 'alter', object: 'TABLE', name: { name: 't' }, commands: [command] })
  return createHash('sha256').update(text, 'utf8').digest('hex').slice(0, 16)
}

function readCommand(text: string): AlterCommand | undefined {
  const { node } = parseStatement(`ALTER TABLE t ${text}`)
  const [command, ...more] = node.kind === 'alter' ? node.commands : []
  return command === undefined || command.kind === 'unparsed' || more.length > 0 ? undefined : command
}

/** The fingerprints of commands of an ALTER. */
export function commandFingerprints(commands: readonly AlterCommand[]): readonly string[] {
  return commands.map(fingerprint)
}

/** The fingerprint of what the server makes of a lightweight DELETE: `UPDATE _row_exists = 0 WHERE ...` (seen on 26.7). */
export function deletionFingerprints(node: Extract<Statement, { kind: 'deleteFrom' }>): readonly string[] {
  const marks = readCommand('UPDATE _row_exists = 0 WHERE 1')
  if (marks?.kind !== 'update') return []
  const { where, partition } = node
  return [fingerprint({ ...marks, where, ...(partition === undefined ? {} : { partition }) })]
}

/** The fingerprint of a `system.mutations.command`, with the parentheses of newer servers or without; empty for one that cannot be read. */
export function serverFingerprint(command: string): string {
  const bare = command.startsWith('(') && command.endsWith(')') ? command.slice(1, -1) : command
  const read = readCommand(bare)
  return read === undefined ? '' : fingerprint(read)
}
