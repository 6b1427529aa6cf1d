import type { Identifier, TypeArgument, TypeNode } from '../ast.js'
import { quoteIdentifier, quoteIdentifierIfNeeded, quoteString } from '../quote.js'
import { printExpression, printIdentifier } from './expression.js'

/** A data type as the server's formatter spells it on one line. */
export function printType(node: TypeNode): string {
  if (node.args === undefined || node.args.length === 0) return node.name
  let out = `${node.name}(`
  for (let index = 0; index < node.args.length; index++) {
    if (index > 0) out += ', '
    out += printTypeArgument(node.args[index]!)
  }
  return `${out})`
}

function printTypeArgument(node: TypeArgument): string {
  switch (node.kind) {
    case 'type':
      return printType(node)
    case 'namedType':
      return `${quoteIdentifierIfNeeded(node.name)} ${printType(node.type)}`
    case 'enumValue':
      return `${quoteString(node.name)} = ${printExpression(node.value)}`
    case 'jsonParameter':
      return `${node.name} = ${printExpression(node.value)}`
    case 'jsonPath':
      // The server keeps a typed path as one name, dots included.
      return `${quotePath(pathText(node.path))} ${printType(node.type)}`
    case 'jsonSkip':
      return `SKIP ${printIdentifier(node.path)}`
    case 'jsonSkipRegexp':
      return `SKIP REGEXP ${quoteString(node.pattern)}`
    default:
      return printExpression(node)
  }
}

/** A path called `skip` would be read as the word SKIP. */
function quotePath(path: string): string {
  return path.toLowerCase() === 'skip' ? quoteIdentifier(path) : quoteIdentifierIfNeeded(path)
}

function pathText(path: Identifier): string {
  return path.parts.map((part) => (typeof part === 'string' ? part : printIdentifier(path))).join('.')
}
