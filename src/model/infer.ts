/**
 * The rows of a declared table as TypeScript types, read from the type texts by the compiler alone.
 *
 * The mapping is what `@clickhouse/client` returns for `JSONEachRow`, seen on 26.7 with
 * `output_format_json_quote_64bit_integers = 1` (the server's default before 25.8; without it JSON numbers arrive that
 * JavaScript cannot hold). `codegen` writes the same mapping into files; test/plugins/codegen holds the two together.
 *
 * Compile time is what decides the shape of this file: plain names are one property lookup, every other type is taken
 * apart by whole pieces (between commas, between quotes), and all lists are walked by tail calls.
 */

/** A row as `SELECT` returns it. Columns that `SELECT *` leaves out (MATERIALIZED, ALIAS) are optional; EPHEMERAL ones cannot be read. `Big` and `Dec` stand for 64-bit and wider integers and for Decimal. */
export type InferRow<T, Big = string, Dec = number> = Rows<ColumnsOf<T>, Big, Dec, 'row'>

/** A row to insert: MATERIALIZED and ALIAS columns are absent; columns with a DEFAULT, EPHEMERAL ones and those that hold NULL may be left out. */
export type InferInsert<T, Big = string, Dec = number> = Inserts<ColumnsOf<T>, Big, Dec, 'insert'>

/** The TypeScript type of one ClickHouse type text: `InferType<'Array(Nullable(UInt8))'>` is `(number | null)[]`. A text that is no known type gives `unknown`. */
export type InferType<Text, Big = string, Dec = number> = Parse<Text, Big, Dec, 'row'>

// ---- columns

type AnyColumn = { readonly name: PropertyKey; readonly type: string }

/** The columns of a declaration as a union of `{ name, type, ... }`, Nested ones flattened as the table's settings say. */
type ColumnsOf<T> = [T] extends [{ readonly kind: 'dictionary' | 'view' | 'materialized_view' }]
  ? Listed<T>
  : true extends KeepsNested<T>
    ? Listed<T>
    : Flattened<Listed<T>>

// A table's declaration is a union (with an engine, or of a table function): `true` for any of its members decides.
type KeepsNested<T> = T extends { readonly settings?: infer S }
  ? S extends { readonly flatten_nested: 0 | false | '0' }
    ? true
    : false
  : false

type Listed<T> = T extends { readonly kind: 'dictionary'; readonly attributes?: infer A }
  ? ListedColumns<NonNullable<A>>
  : T extends { readonly columns?: infer C }
    ? ListedColumns<NonNullable<C>>
    : AnyColumn

type ListedColumns<C> = C extends readonly (infer Column)[]
  ? Column
  : { [K in keyof C]: C[K] extends string ? { name: K; type: C[K] } : C[K] & { name: K } }[keyof C]

// Asked once for the whole union: most tables have no Nested column, and then the union stays as it is.
type Flattened<C> = Extract<C, { readonly type: `Nested(${string}` }> extends never ? C : Flatten<C>

type Flatten<C> = C extends { readonly name: infer N extends string; readonly type: `Nested(${infer Args})` }
  ? FlattenEach<N, Split<Args>[number], Omit<C, 'name' | 'type'>>
  : C

type FlattenEach<N extends string, Element, Rest> = Element extends string
  ? NameAndType<Element> extends [infer Field extends string, infer Type extends string]
    ? Rest & { name: `${N}.${Field}`; type: `Array(${Type})` }
    : never
  : never

type Computed = { readonly materialized: unknown } | { readonly alias: unknown }
type Ephemeral = { readonly ephemeral: unknown }
type Defaulted = { readonly default: unknown } | { readonly defaultExpression: unknown } | Ephemeral

type Rows<C, B, D, J> =
  Extract<C, Computed | Ephemeral> extends never
    ? Present<C, B, D, J>
    : Merge<Present<Exclude<C, Computed | Ephemeral>, B, D, J> & Omissible<Extract<C, Computed>, B, D, J>>

// The union is sorted into its two parts once, and each part is mapped once.
type Inserts<C, B, D, J> = InsertsOf<Exclude<C, Computed>, B, D, J>
type InsertsOf<C, B, D, J> = Merge<
  Present<Exclude<C, Defaulted | HoldsNull>, B, D, J> & Omissible<Extract<C, Defaulted | HoldsNull>, B, D, J>
>

/** Columns that take NULL, or the empty state, where an INSERT leaves them out. Read from the text: asking the finished type whether it holds null would spell out every tuple. */
type HoldsNull =
  | { readonly nullable: true }
  | {
      readonly type:
        | `${'' | 'LowCardinality('}Nullable(${string}`
        | `SimpleAggregateFunction(${OfOneValue}, ${'' | 'LowCardinality('}Nullable(${string}`
        | `${'Variant' | 'AggregateFunction' | 'Dynamic'}(${string}`
        | 'Dynamic'
        | 'Geometry'
        | 'GEOMETRY'
    }

/** By their names, because any text before `, Nullable(` would also be the first element of a tuple. */
type OfOneValue =
  | `any${'' | 'Last'}${'' | '_respect_nulls'}`
  | 'min'
  | 'max'
  | `sum${'' | 'WithOverflow'}`
  | `groupBit${'And' | 'Or' | 'Xor'}`

type Present<C, B, D, J> = { [K in C as NameOf<K>]: Cell<K, B, D, J> }
type Omissible<C, B, D, J> = { [K in C as NameOf<K>]?: Cell<K, B, D, J> | undefined }

/** One object type in place of an intersection, so that editors show the fields. */
type Merge<T> = { [K in keyof T]: T[K] }

type NameOf<C> = C extends { readonly name: infer N extends PropertyKey } ? N : never

type Cell<C, B, D, J> = C extends { readonly nullable: true; readonly type: infer T }
  ? Parse<T, B, D, J> | null
  : C extends { readonly type: infer T }
    ? Parse<T, B, D, J>
    : unknown

// ---- types

/** Types without parameters whose values are plain JSON. Names in ClickHouse's own case. */
type Plain = {
  String: string
  UUID: string
  UInt8: number
  UInt16: number
  UInt32: number
  Int8: number
  Int16: number
  Int32: number
  Float32: number
  Float64: number
  BFloat16: number
  Bool: boolean
  Date: string
  Date32: string
  DateTime: string
  DateTime64: string
  Time: string
  Time64: string
  IPv4: string
  IPv6: string
  JSON: JsonObject
  Dynamic: unknown
  Nothing: null
  Tuple: []
} & Geo

type Geo = {
  Point: [number, number]
  Ring: [number, number][]
  LineString: [number, number][]
  Polygon: [number, number][][]
  MultiLineString: [number, number][][]
  MultiPolygon: [number, number][][][]
  Geometry: [number, number] | [number, number][] | [number, number][][] | [number, number][][][] | null
  GEOMETRY: Geo['Geometry']
}

/** A JSON column's value: paths without a declared type may hold anything. */
type JsonObject = Record<string, unknown>

/** Integers that the server quotes; an Interval is an Int64. */
type WideInteger =
  | 'UInt64'
  | 'Int64'
  | 'UInt128'
  | 'Int128'
  | 'UInt256'
  | 'Int256'
  | `Interval${'Nanosecond' | 'Microsecond' | 'Millisecond' | 'Second' | 'Minute' | 'Hour' | 'Day' | 'Week' | 'Month' | 'Quarter' | 'Year'}`

/** Names that the server takes in any case (`system.data_type_families` of 26.7), here in upper case. */
type AnyCaseText =
  | 'TEXT'
  | 'TINYTEXT'
  | 'MEDIUMTEXT'
  | 'LONGTEXT'
  | 'BLOB'
  | 'TINYBLOB'
  | 'MEDIUMBLOB'
  | 'LONGBLOB'
  | 'CLOB'
  | 'BYTEA'
  | 'BINARY'
  | 'VARBINARY'
  | 'BINARY VARYING'
  | 'BINARY LARGE OBJECT'
  | 'CHAR'
  | 'CHARACTER'
  | 'VARCHAR'
  | 'VARCHAR2'
  | 'NCHAR'
  | 'NVARCHAR'
  | `${'CHAR' | 'CHARACTER' | 'NCHAR' | 'NATIONAL CHARACTER'} LARGE OBJECT`
  | `${'CHAR' | 'CHARACTER' | 'NCHAR' | 'NATIONAL CHAR' | 'NATIONAL CHARACTER'} VARYING`
  | 'NATIONAL CHAR'
  | 'NATIONAL CHARACTER'
  | 'DATE'
  | 'DATE32'
  | 'DATETIME'
  | 'DATETIME32'
  | 'DATETIME64'
  | 'TIMESTAMP'
  | 'TIME'
  | 'TIME64'
  | 'INET4'
  | 'INET6'

type AnyCaseNumber =
  | `${'TINYINT' | 'SMALLINT' | 'MEDIUMINT' | 'INT' | 'INT1' | 'INTEGER'}${'' | ' SIGNED' | ' UNSIGNED'}`
  | 'BYTE'
  | 'YEAR'
  | 'FLOAT'
  | 'REAL'
  | 'SINGLE'
  | 'DOUBLE'
  | 'DOUBLE PRECISION'

type AnyCaseWide = 'BIGINT' | 'BIGINT SIGNED' | 'BIGINT UNSIGNED' | 'SIGNED' | 'UNSIGNED' | 'BIT' | 'SET'
type AnyCaseDecimal = 'DECIMAL' | 'DEC' | 'NUMERIC' | 'FIXED' | `DECIMAL${32 | 64 | 128 | 256}`
type TwoWords = Extract<AnyCaseText | AnyCaseNumber | AnyCaseWide, `${string} ${string}`>

type Parse<T, B, D, J> = T extends keyof Plain
  ? Plain[T]
  : T extends WideInteger
    ? B
    : T extends `${infer Head}(${infer Args})`
      ? Call<Head, Args, B, D, J>
      : T extends Trimmable
        ? Parse<Trim<T>, B, D, J>
        : AnyCase<T, B, D, J>

type AnyCase<T, B, D, J> = T extends string
  ? string extends T
    ? unknown
    : Uppercase<T> extends AnyCaseText
      ? string
      : Uppercase<T> extends AnyCaseNumber
        ? number
        : Uppercase<T> extends AnyCaseWide
          ? B
          : Uppercase<T> extends AnyCaseDecimal
            ? D
            : Uppercase<T> extends 'BOOL' | 'BOOLEAN'
              ? boolean
              : Uppercase<T> extends 'JSON'
                ? JsonObject
                : // The server takes MySQL's display width: `INT(11) UNSIGNED`.
                  T extends `${infer Head}(${string})${infer Tail}`
                  ? AnyCase<`${Trim<Head>} ${Trim<Tail>}`, B, D, J>
                  : unknown
  : unknown

// Not `T[]`: the compiler keeps those as deferred references inside of conditional types, and two of them that come out
// as `string[]` are then not identical (TypeScript 7.0).
type List<T> = Array<T>

type Call<Head extends string, Args extends string, B, D, J> = Head extends 'Nullable'
  ? Parse<Args, B, D, J> | null
  : Head extends 'LowCardinality'
    ? Parse<Args, B, D, J>
    : Head extends 'Array'
      ? List<Parse<Args, B, D, J>>
      : Head extends 'DateTime64' | 'DateTime' | 'FixedString' | 'Time64'
        ? string
        : Head extends 'Decimal'
          ? D
          : Head extends 'Enum8' | 'Enum16'
            ? EnumOf<Args>
            : Head extends 'Map'
              ? MapOf<Split<Args>, B, D, J>
              : Head extends 'Tuple'
                ? TupleOf<Split<Args>, B, D, J>
                : Head extends 'Nested'
                  ? List<TupleOf<Split<Args>, B, D, J>>
                  : Head extends 'SimpleAggregateFunction'
                    ? LastOf<Split<Args>, B, D, J>
                    : Head extends 'Variant'
                      ? Parse<Split<Args>[number], B, D, J> | null
                      : Head extends 'JSON'
                        ? JsonOf<DeclaredPath<Split<Args>[number]>, B, D, J>
                        : Head extends 'QBit'
                          ? number[]
                          : Head extends 'Dynamic' | 'AggregateFunction'
                            ? unknown
                            : Head extends Trimmable
                              ? Call<Trim<Head>, Args, B, D, J>
                              : Uppercase<Head> extends 'ENUM'
                                ? EnumOf<Args>
                                : Uppercase<Head> extends 'JSON'
                                  ? Call<'JSON', Args, B, D, J>
                                  : AnyCase<Head, B, D, J>

type MapOf<Parts extends string[], B, D, J> = Parts extends [string, infer Value]
  ? Record<string, Parse<Value, B, D, J>>
  : unknown

/** `E` is a union of `[path, type]`. */
type JsonOf<E, B, D, J> = [E] extends [never] ? JsonObject : JsonTree<E, B, D, J>

// The marker becomes an index signature: any other path may hold anything. Written, a declared path may be left out.
type JsonTree<E, B, D, J> = J extends 'row'
  ? { [K in FirstKey<E> | OtherPaths as K extends string ? K : string]: JsonAt<E, K, B, D, J> }
  : { [K in FirstKey<E> | OtherPaths as K extends string ? K : string]?: JsonAt<E, K, B, D, J> | undefined }

type OtherPaths = { readonly otherPaths: true }

type FirstKey<E> = E extends [infer P extends string, unknown] ? (P extends `${infer Key}.${string}` ? Key : P) : never

// A key that has a type and paths below it arrives twice, of which readers keep one or the other.
type JsonAt<E, K, B, D, J> = K extends string
  ? [Below<E, K>] extends [never]
    ? Parse<E extends [K, infer T] ? T : never, B, D, J>
    : [Extract<E, [K, unknown]>] extends [never]
      ? JsonTree<Below<E, K>, B, D, J>
      : unknown
  : unknown

type Below<E, K extends string> = E extends [`${K}.${infer Rest}`, infer T] ? [Rest, T] : never

/** A path with its type, `[path, type]`; never for `SKIP path` and `max_dynamic_paths=8`. */
type DeclaredPath<P> = P extends `${infer Word} ${infer Rest}`
  ? Uppercase<Word> extends 'SKIP'
    ? never
    : Rest extends `=${string}`
      ? never
      : PathAndType<P>
  : never

// Dots part keys inside of quotes as well, and a path may be quoted in parts.
type PathAndType<P extends string> = P extends `\`${string}`
  ? NameAndType<P> extends [infer N extends string, infer T extends string]
    ? T extends `.${infer R}`
      ? Joined<N, PathAndType<R>>
      : [N, T]
    : never
  : P extends `${infer A}.\`${infer R}`
    ? A extends `${string} ${string}`
      ? Pair<NameAndType<P>>
      : Joined<A, PathAndType<`\`${R}`>>
    : Pair<NameAndType<P>>

type Pair<P> = P extends [string, string] ? P : never
type Joined<N extends string, P> = P extends [infer M extends string, infer T] ? [`${N}.${M}`, T] : never

type LastOf<Parts extends string[], B, D, J> = Parts extends [...string[], infer Last] ? Parse<Last, B, D, J> : unknown

// The server wants all elements named or none, so the first one decides.
type TupleOf<Parts extends string[], B, D, J> = Parts extends [infer First extends string, ...string[]]
  ? NameAndType<First> extends [string, string]
    ? { [P in Parts[number] as FieldName<P>]: NameAndType<P> extends [string, infer T] ? Parse<T, B, D, J> : unknown }
    : { -readonly [I in keyof Parts]: Parse<Parts[I], B, D, J> }
  : []

type FieldName<P extends string> = NameAndType<P> extends [infer N extends string, string] ? N : never

/** `name Type` as a pair, or `false` for a type alone. Names may be quoted by `` or "". */
type NameAndType<S extends string> = S extends `\`${infer Rest}`
  ? NamedBy<Unquote<Rest, '`'>>
  : S extends `"${infer Rest}`
    ? NamedBy<Unquote<Rest, '"'>>
    : S extends `${infer First} ${infer Rest}`
      ? First extends `${string}(${string}`
        ? false
        : Rest extends `(${string}`
          ? false
          : Uppercase<S> extends TwoWords
            ? false
            : [First, Trim<Rest>]
      : false

type NamedBy<Pair> = Pair extends [infer Name, infer Rest extends string] ? [Name, Trim<Rest>] : false

// ---- text

type Space = ' ' | '\n' | '\t' | '\r'
type Trimmable = `${Space}${string}` | `${string}${Space}`
type Trim<S extends string> = S extends `${Space}${infer R}` ? Trim<R> : S extends `${infer L}${Space}` ? Trim<L> : S

type Quote = "'" | '`' | '"'

/** The parts between commas outside of brackets and quotes, trimmed; a comma behind the last part is allowed. */
type Split<S extends string> = S extends `${string}${'(' | Quote}${string}`
  ? SplitDeep<S, '', [], '', []>
  : SplitFlat<S, []>

type SplitFlat<S extends string, Out extends string[]> = S extends `${infer Part},${infer Rest}`
  ? SplitFlat<Rest, [...Out, Trim<Part>]>
  : Trim<S> extends ''
    ? Out
    : [...Out, Trim<S>]

/** `Depth` counts open brackets; `Q` is the quote that is open; `Acc` holds the pieces of the unfinished part. */
type SplitDeep<
  S extends string,
  Acc extends string,
  Depth extends 1[],
  Q extends string,
  Out extends string[],
> = S extends `${infer Piece},${infer Rest}`
  ? After<Piece, Depth, Q> extends [infer D extends 1[], infer Open extends string]
    ? Open extends ''
      ? D extends []
        ? SplitDeep<Rest, '', [], '', [...Out, Trim<`${Acc}${Piece}`>]>
        : SplitDeep<Rest, `${Acc}${Piece},`, D, '', Out>
      : SplitDeep<Rest, `${Acc}${Piece},`, D, Open, Out>
    : never
  : Trim<`${Acc}${S}`> extends ''
    ? Out
    : [...Out, Trim<`${Acc}${S}`>]

/** Brackets and quotes that are open behind `Piece`. Pieces without quotes, nearly all, need only their brackets counted. */
type After<Piece extends string, Depth extends 1[], Q extends string> = Q extends ''
  ? Piece extends `${string}${Quote}${string}`
    ? Scan<Piece, Depth, ''>
    : [CloseAll<Piece, OpenAll<Piece, Depth>>, '']
  : Scan<Piece, Depth, Q>

type OpenAll<S extends string, Depth extends 1[]> = S extends `${string}(${infer R}` ? OpenAll<R, [...Depth, 1]> : Depth
type CloseAll<S extends string, Depth extends 1[]> = S extends `${string})${infer R}`
  ? CloseAll<R, Depth extends [1, ...infer D extends 1[]] ? D : []>
  : Depth

// One character at a time. A doubled quote closes and opens again, which leaves the state as it was.
type Scan<S extends string, Depth extends 1[], Q extends string> = S extends `${infer C}${infer R}`
  ? Q extends ''
    ? C extends Quote
      ? Scan<R, Depth, C>
      : C extends '('
        ? Scan<R, [...Depth, 1], ''>
        : C extends ')'
          ? Scan<R, Depth extends [1, ...infer D extends 1[]] ? D : [], ''>
          : Scan<R, Depth, ''>
    : C extends '\\'
      ? R extends `${string}${infer Next}`
        ? Scan<Next, Depth, Q>
        : [Depth, Q]
      : C extends Q
        ? Scan<R, Depth, ''>
        : Scan<R, Depth, Q>
  : [Depth, Q]

/** The union of an Enum's names; `Args` is `'a' = 1, 'b' = 2`, values optional. */
type EnumOf<Args extends string, Out = never> = Args extends `${string}'${infer Rest}`
  ? Rest extends `${infer Name}'${infer Next}`
    ? Name extends `${string}\\${string}`
      ? EnumSlow<Rest, Out>
      : Next extends `'${string}`
        ? EnumSlow<Rest, Out>
        : EnumOf<Next, Out | Name>
    : Out
  : Out

type EnumSlow<Rest extends string, Out> =
  Unquote<Rest, "'"> extends [infer Name, infer Next extends string] ? EnumOf<Next, Out | Name> : Out

/** Reads up to the quote that closes: `[content, what follows]`. `S` starts behind the opening quote. */
type Unquote<S extends string, Q extends string, Acc extends string = ''> = S extends `${infer A}${Q}${infer R}`
  ? EndsOpen<A> extends true
    ? Unquote<R, Q, `${Acc}${A}${Q}`>
    : R extends `${Q}${infer Next}`
      ? Unquote<Next, Q, `${Acc}${A}\\${Q}`>
      : [Unescape<`${Acc}${A}`>, R]
  : never

/** True when an odd number of backslashes ends the text: what follows is escaped. */
type EndsOpen<S extends string> = S extends `${infer L}\\` ? (EndsOpen<L> extends true ? false : true) : false

type Unescape<S extends string, Acc extends string = ''> = S extends `${infer A}\\${infer C}${infer R}`
  ? Unescape<R, `${Acc}${A}${C extends keyof Escapes ? Escapes[C] : C extends Quote ? C : `\\${C}`}`>
  : `${Acc}${S}`

type Escapes = {
  n: '\n'
  t: '\t'
  r: '\r'
  b: '\b'
  f: '\f'
  v: '\v'
  a: '\u0007'
  e: '\u001b'
  '0': '\0'
  '/': '/'
  '=': '='
  '\\': '\\'
}
