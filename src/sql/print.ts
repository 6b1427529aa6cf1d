/** What ClickHouse 26.7's `formatQuerySingleLine` would print: on one line, without a semicolon. */
export { printExpression, printExpressionList, printIdentifier, printLiteral } from './printer/expression.js'
export { printQuery, printQuery as printSelect, printSettings } from './printer/query.js'
export { printType } from './printer/type.js'
