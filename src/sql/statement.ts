import type { Statement } from './ast-ddl.js'
import { type Parsed, parseWhole } from './parse.js'
import { parseWholeStatement } from './parser/ddl-statement.js'
import { printAnyStatement } from './printer/ddl-statement.js'
import { type SplitStatement, splitStatements } from './split.js'
import type { ParseWarning } from './warning.js'

/** One statement of any kind, with an optional semicolon. What cannot be followed is `unparsed`. Never throws. */
export function parseStatement(text: string): Parsed<Statement> {
  return parseWhole<Statement>(text, parseWholeStatement)
}

/** A statement on one line, without a semicolon, as `formatQuerySingleLine` of ClickHouse 26.7 prints it. */
export function printStatement(node: Statement): string {
  return printAnyStatement(node)
}

/** A statement of a script with its tree. */
export interface ParsedStatement extends SplitStatement {
  readonly node: Statement
  /** Places in the script, not in the statement. */
  readonly warnings: readonly ParseWarning[]
}

/** The statements of a script, each parsed. Never throws. */
export function parseScript(script: string): ParsedStatement[] {
  return splitStatements(script).map((piece) => {
    const { node, warnings } = parseStatement(piece.text)
    return { ...piece, node, warnings: warnings.map((warning) => inScript(script, piece, warning)) }
  })
}

function inScript(script: string, piece: SplitStatement, warning: ParseWarning): ParseWarning {
  const offset = piece.startOffset + warning.offset
  const lineStart = script.lastIndexOf('\n', offset - 1) + 1
  return { ...warning, offset, line: piece.textLine + warning.line - 1, column: offset - lineStart + 1 }
}
