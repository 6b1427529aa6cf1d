/**
 * The syntax tree of the language core: expressions, types, queries. Plain frozen-by-type data without positions, so
 * trees can be compared, stored and sent as JSON. The shapes follow ClickHouse's own tree (26.7), because the
 * formatter's parentheses depend on what the server's parser builds: `x BETWEEN 1 AND 2` is already `and(..)` here.
 */

/** Fields that every node that can stand in an expression may carry. */
export interface Aliased {
  /** The name after AS, unquoted. */
  readonly alias?: string
  /** Set when the text had brackets around the node; the server keeps one pair of them. */
  readonly parenthesized?: true
}

/** A constant. Numbers are kept as the text that the server prints for them: `value` of an int or float is SQL. */
export type Literal =
  | (Aliased & { readonly kind: 'literal'; readonly type: 'null' })
  | (Aliased & { readonly kind: 'literal'; readonly type: 'bool'; readonly value: boolean })
  | (Aliased & { readonly kind: 'literal'; readonly type: 'int' | 'float' | 'string'; readonly value: string })
  | (Aliased & { readonly kind: 'literal'; readonly type: 'array' | 'tuple'; readonly items: readonly Literal[] })
  | (Aliased & {
      readonly kind: 'literal'
      readonly type: 'map'
      readonly entries: readonly { readonly key: Literal; readonly value: Literal }[]
    })

/** A name of one or more parts, unquoted. A part may be a parameter `{name:Identifier}` or a JSON path step. */
export interface Identifier extends Aliased {
  readonly kind: 'identifier'
  readonly parts: readonly IdentifierPart[]
}

/** A plain name, `{x:Identifier}`, or the JSON steps `^name` (sub-object) and `:Type` (typed sub-column). */
export type IdentifierPart =
  | string
  | { readonly kind: 'parameter'; readonly name: string; readonly type: string }
  | { readonly kind: 'subObject'; readonly name: string }
  | { readonly kind: 'typedPath'; readonly type: string }

/** A function call, and every operator: `operator` is set where the text used operator form (`a + b`, `[a]`, `(a, b)`). */
export interface FunctionCall extends Aliased {
  readonly kind: 'function'
  readonly name: string
  /** Arguments; `undefined` for a name without brackets where the grammar takes both (engine and codec names). */
  readonly args?: readonly Expression[]
  /** `quantile(0.5)(x)`: the first brackets. */
  readonly parameters?: readonly Expression[]
  readonly operator?: true
  /** The arguments are one query without its own brackets: `view(SELECT 1)`. */
  readonly query?: Query
  /** `viewIfPermitted(SELECT 1 ELSE null('x Int8'))`: the table function after ELSE. */
  readonly otherwise?: Expression
  readonly nulls?: 'ignore' | 'respect'
  /** `OVER name` or `OVER (..)`. */
  readonly over?: string | WindowDefinition
  /** A trailing `SETTINGS a = 1` inside the brackets of a table function. */
  readonly settings?: readonly Setting[]
}

/** `(SELECT ..)` inside an expression or as a table. */
export interface Subquery extends Aliased {
  readonly kind: 'subquery'
  readonly query: Query
}

/** `*` and `t.*`, with what EXCEPT, REPLACE and APPLY make of it. */
export interface Asterisk {
  readonly kind: 'asterisk'
  readonly qualifier?: Identifier
  /** The expression before `.*` where it is no name: `(SELECT 1 AS a).*`. */
  readonly expression?: Expression
  readonly transformers?: readonly ColumnTransformer[]
  readonly parenthesized?: true
}

/** `COLUMNS('regexp')` or `COLUMNS(a, b)`. */
export interface ColumnsMatcher extends Aliased {
  readonly kind: 'columns'
  readonly qualifier?: Identifier
  /** The expression before `.COLUMNS` where it is no name. */
  readonly expression?: Expression
  readonly pattern?: string
  readonly columns?: readonly Expression[]
  readonly transformers?: readonly ColumnTransformer[]
}

/** What follows `*` or `COLUMNS(..)`. */
export type ColumnTransformer =
  | {
      readonly kind: 'except'
      readonly strict?: true
      readonly columns?: readonly Identifier[]
      readonly pattern?: string
    }
  | {
      readonly kind: 'replace'
      readonly strict?: true
      readonly items: readonly { readonly expression: Expression; readonly name: string }[]
    }
  | {
      readonly kind: 'apply'
      readonly function?: string
      readonly parameters?: readonly Expression[]
      readonly lambda?: Expression
      readonly columnPrefix?: string
    }

/** `{name:Type}`; the type is kept as written. */
export interface QueryParameter extends Aliased {
  readonly kind: 'parameter'
  readonly name: string
  readonly type: string
}

/** Everything that can stand where a value is expected. */
export type Expression =
  | Literal
  | Identifier
  | FunctionCall
  | Subquery
  | Asterisk
  | ColumnsMatcher
  | QueryParameter
  | OrderByElement
  | TypeNode
  | Unparsed

/** Text that the parser did not follow, verbatim. */
export interface Unparsed {
  readonly kind: 'unparsed'
  readonly text: string
}

/** A data type. `args` is `undefined` without brackets and empty with empty ones. */
export interface TypeNode {
  readonly kind: 'type'
  readonly name: string
  readonly args?: readonly TypeArgument[]
}

/** What can stand between the brackets of a type. */
export type TypeArgument =
  | TypeNode
  | Expression
  | { readonly kind: 'namedType'; readonly name: string; readonly type: TypeNode }
  | { readonly kind: 'enumValue'; readonly name: string; readonly value: Literal }
  | { readonly kind: 'jsonParameter'; readonly name: string; readonly value: Literal }
  | { readonly kind: 'jsonPath'; readonly path: Identifier; readonly type: TypeNode }
  | { readonly kind: 'jsonSkip'; readonly path: Identifier }
  | { readonly kind: 'jsonSkipRegexp'; readonly pattern: string }

/** One entry of ORDER BY, also used in keys of tables. */
export interface OrderByElement {
  readonly kind: 'orderByElement'
  readonly expression: Expression
  readonly direction: 'ASC' | 'DESC'
  readonly nulls?: 'FIRST' | 'LAST'
  readonly collation?: Expression
  readonly fill?: WithFill
}

/** `WITH FILL FROM .. TO .. STEP .. STALENESS ..`. */
export interface WithFill {
  readonly from?: Expression
  readonly to?: Expression
  readonly step?: Expression
  readonly staleness?: Expression
}

/** `name = expression` in INTERPOLATE; without expression the column itself. */
export interface InterpolateElement {
  readonly column: string
  readonly expression?: Expression
}

/** What stands in the brackets of OVER, or after a name in WINDOW. */
export interface WindowDefinition {
  readonly parent?: string
  readonly partitionBy?: readonly Expression[]
  readonly orderBy?: readonly Expression[]
  readonly frame?: WindowFrame
}

/** `ROWS BETWEEN begin AND end`. */
export interface WindowFrame {
  readonly unit: 'ROWS' | 'RANGE' | 'GROUPS'
  readonly begin: FrameBound
  readonly end: FrameBound
}

/** One end of a window frame. */
export type FrameBound =
  | { readonly kind: 'currentRow' }
  | { readonly kind: 'unbounded'; readonly direction: 'PRECEDING' | 'FOLLOWING' }
  | { readonly kind: 'offset'; readonly offset: Expression; readonly direction: 'PRECEDING' | 'FOLLOWING' }

/** `name = value` in SETTINGS; `DEFAULT` resets. */
export interface Setting {
  readonly name: string
  readonly value: Literal | QueryParameter | FunctionCall | { readonly kind: 'default' }
}

/** One element of WITH: an aliased expression or a named query. */
export type WithElement =
  | { readonly kind: 'withExpression'; readonly expression: Expression }
  | {
      readonly kind: 'withQuery'
      readonly name: string
      readonly columns?: readonly string[]
      readonly query: Query
      readonly materialized?: true
    }

/** A table in FROM. */
export interface TableExpression {
  readonly source: Identifier | FunctionCall | Subquery
  readonly alias?: string
  /** `AS t(a, b)`. */
  readonly columnAliases?: readonly string[]
  readonly final?: true
  readonly stream?: true
  readonly sampleSize?: SampleRatio
  readonly sampleOffset?: SampleRatio
}

/** `1 / 10` or `0.1`, as the server prints it. */
export interface SampleRatio {
  readonly numerator: string
  readonly denominator: string
}

/** FROM in order: the first element has no join; ARRAY JOIN stands among them. */
export type TablesElement =
  | { readonly kind: 'table'; readonly table: TableExpression; readonly join?: Join }
  | { readonly kind: 'arrayJoin'; readonly left: boolean; readonly expressions: readonly Expression[] }

/** How a table is joined to what stands before it. */
export interface Join {
  readonly locality?: 'GLOBAL' | 'LOCAL'
  readonly strictness?: 'ANY' | 'ALL' | 'ASOF' | 'SEMI' | 'ANTI'
  readonly type: 'INNER' | 'LEFT' | 'RIGHT' | 'FULL' | 'CROSS' | 'COMMA' | 'PASTE'
  readonly using?: readonly Expression[]
  readonly on?: Expression
  readonly natural?: true
}

/** GROUP BY and its modifiers. */
export interface GroupBy {
  readonly all?: true
  readonly items: readonly Expression[]
  readonly groupingSets?: readonly (readonly Expression[])[]
  readonly rollup?: true
  readonly cube?: true
  readonly totals?: true
}

/** `LIMIT n [OFFSET m] BY ..`. */
export interface LimitBy {
  readonly limit: Expression
  readonly offset?: Expression
  readonly all?: true
  readonly by: readonly Expression[]
}

/** One SELECT. */
export interface SelectQuery {
  readonly kind: 'select'
  readonly with?: readonly WithElement[]
  readonly recursive?: true
  readonly distinct?: true
  readonly columns: readonly Expression[]
  readonly from?: readonly TablesElement[]
  readonly prewhere?: Expression
  readonly where?: Expression
  readonly groupBy?: GroupBy
  readonly having?: Expression
  readonly windows?: readonly { readonly name: string; readonly definition: WindowDefinition }[]
  readonly qualify?: Expression
  readonly orderBy?: readonly Expression[]
  /** `ORDER BY ALL`: then `orderBy` is absent. */
  readonly orderByAll?: { readonly direction: 'ASC' | 'DESC'; readonly nulls?: 'FIRST' | 'LAST' }
  /** INTERPOLATE; empty for the bare word. */
  readonly interpolate?: readonly InterpolateElement[]
  readonly limitBy?: LimitBy
  readonly limit?: Expression
  readonly offset?: Expression
  readonly withTies?: true
  readonly settings?: readonly Setting[]
}

/**
 * Several queries side by side; `modes[i]` stands between `queries[i]` and `queries[i + 1]`. The list is flat as the
 * server's: that INTERSECT binds tighter is decided when the query runs.
 */
export interface UnionQuery {
  readonly kind: 'union'
  readonly queries: readonly Query[]
  readonly modes: readonly UnionMode[]
}

/** The words between two queries; bare ones leave the choice between ALL and DISTINCT to a setting of the server. */
export type UnionMode =
  | 'UNION'
  | 'UNION ALL'
  | 'UNION DISTINCT'
  | 'INTERSECT'
  | 'INTERSECT ALL'
  | 'INTERSECT DISTINCT'
  | 'EXCEPT'
  | 'EXCEPT ALL'
  | 'EXCEPT DISTINCT'

/**
 * INTERSECT or EXCEPT with its operands grouped the way the server runs them. The parser never builds it; the
 * canonical form of a view's query does on its way.
 */
export interface SetOperation {
  readonly kind: 'setOperation'
  readonly operator: Exclude<UnionMode, 'UNION' | 'UNION ALL' | 'UNION DISTINCT'>
  readonly queries: readonly Query[]
}

/** `EXPLAIN ..`, which may also stand as a table. */
export interface ExplainQuery {
  readonly kind: 'explain'
  /** `EXPLAIN`, `EXPLAIN AST`, `EXPLAIN QUERY TREE`, ..: the words as the server prints them. */
  readonly mode: string
  readonly settings?: readonly Setting[]
  readonly query: Query
}

/** `query INTO OUTFILE .. FORMAT .. SETTINGS ..`: what stands after a whole query. */
export interface QueryWithOutput {
  readonly kind: 'output'
  readonly query: Query
  readonly outfile?: {
    readonly path: string
    readonly append?: true
    readonly truncate?: true
    readonly stdout?: true
    readonly compression?: string
    readonly level?: Literal
  }
  readonly format?: string
  readonly settings?: readonly Setting[]
}

/** Every form of query that yields rows. */
export type Query = SelectQuery | UnionQuery | SetOperation | ExplainQuery | QueryWithOutput | Unparsed

/** Any node that `walk` visits. */
export type SqlNode =
  | Expression
  | TypeArgument
  | Query
  | WithElement
  | TablesElement
  | ColumnTransformer
  | FrameBound
  | Exclude<IdentifierPart, string>
  | { readonly kind: 'default' }
