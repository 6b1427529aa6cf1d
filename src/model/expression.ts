import type { Expression } from '../sql/ast.js'
import { printExpression } from '../sql/print.js'
import { withCanonicalNames } from './query.js'

const TEXTS = new WeakMap<Expression, string>()

/** `expression` as the server stores it: its formatter's print, functions under the server's names. */
export function expressionText(expression: Expression): string {
  let text = TEXTS.get(expression)
  if (text === undefined) {
    text = printExpression(withCanonicalNames(expression))
    TEXTS.set(expression, text)
  }
  return text
}

/** `expression` without the brackets that were written around it: `(a)` is `a` in a key. */
export function withoutBrackets<T extends Expression>(expression: T): T {
  return 'parenthesized' in expression && expression.parenthesized
    ? { ...expression, parenthesized: undefined }
    : expression
}
