import type { Statement } from './ast-ddl.js'
import type { Parsed } from './parse.js'
import { parseWhole } from './parse.js'
import { parseWholeStatement } from './parser/ddl-statement.js'
import { printAnyStatement } from './printer/ddl-statement.js'

/** One statement of any kind, with an optional semicolon. What cannot be followed is `unparsed`. Never throws. */
export function parseStatement(text: string): Parsed<Statement> {
  return parseWhole<Statement>(text, parseWholeStatement)
}

/** A statement on one line, without a semicolon, as `formatQuerySingleLine` of ClickHouse 26.7 prints it. */
export function printStatement(node: Statement): string {
  return printAnyStatement(node)
}
