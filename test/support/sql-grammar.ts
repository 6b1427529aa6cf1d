/**
 * Random but repeatable SQL from a grammar: `grammar(seed)` yields texts that the engine mostly accepts, spread over
 * every operator, literal form, clause and type, in the spellings people use.
 */
export interface Grammar {
  readonly expression: (depth?: number) => string
  readonly type: (depth?: number) => string
  readonly select: (depth?: number) => string
}

/** A generator whose texts depend on `seed` only. */
export function grammar(seed: number): Grammar {
  let state = seed >>> 0 || 1
  const random = () => {
    // xorshift32
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state / 4294967296
  }
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!
  const chance = (p: number) => random() < p
  const many = (make: () => string, min: number, max: number, between = ', ') =>
    Array.from({ length: min + Math.floor(random() * (max - min + 1)) }, make).join(between)
  const word = (text: string) => (chance(0.5) ? text : text.toLowerCase())

  const name = () =>
    pick([
      'a',
      'b',
      'c1',
      '_x',
      'ts',
      'user_id',
      '`a b`',
      '"quoted"',
      'date',
      'key',
      'value',
      'value.x',
      't.a',
      'json.a.b',
      'json.^sub',
      'json.a.:Int64',
      'json.`a b`.:`Array(JSON)`',
      'json.a[].b',
      'json.a[][]',
      '{col:Identifier}',
      '{tab:Identifier}.a',
      'interval',
      'timestamp',
      '`true`',
      '`select`',
      '`distinct`',
      'é',
      'array',
      'format',
      'settings',
      'left',
      'any',
      'db.t.a',
      '`t`.`a``b`',
    ])
  const plainName = () => pick(['a', 'b', 'c1', '_x', '`a b`', '"q"'])
  const literal = () =>
    pick([
      '0',
      '1',
      '42',
      '1_000',
      '0xFF',
      '0b101',
      '1.5',
      '1.0',
      '1e3',
      '0.1e-5',
      '18446744073709551615',
      '-1',
      '-2.5',
      '1e25',
      "'str'",
      "''",
      "'it''s'",
      "'a\\nb'",
      "'\\\\'",
      "x'41'",
      '$$h$$',
      'NULL',
      'true',
      'FALSE',
      'inf',
      'nan',
      '[1, 2]',
      "['a','b']",
      '(1, 2)',
      "(1,'x')",
      '[]',
      '[[1],[2,3]]',
      '[(1,2)]',
      '(1,(2,3))',
      '{p:UInt8}',
      '{ q : Array(String) }',
      '{from:Nullable(Date)}',
      "{table:Enum8('a' = 1)}",
      '{m:Map(String, UInt8)}',
      '0x1.8p3',
      '1__0',
      '5.',
      '-inf',
      '-NaN',
      '00012',
      '1e-400',
      '340282366920938463463374607431768211456',
      "'\\x41\\u0042\\e\\%\\_'",
      "'a\\'b'",
      "b'0100'",
      '$t$ $$ $t$',
      "'☃ 🎉'",
      '[1.0, -2, NULL]',
      "(NULL, ('a', -1))",
      "[('a', [1])]",
      '-0x10',
    ])
  const fn = () =>
    pick([
      'f',
      'toDate',
      'count',
      'sum',
      'IF',
      'lower',
      'coalesce',
      'arrayJoin',
      'plus',
      'and',
      'tuple',
      'array',
      'ifNull',
      'toString',
      'left',
      'REPLACE',
      'any',
      'map',
      'concat',
      'not',
      '`not`',
      'in',
      'like',
      'tupleElement',
      'arrayElement',
      'negate',
      'isNull',
      'grouping',
      'now',
      'substr',
      'date',
      'dictGet',
      'format',
    ])
  const unit = () =>
    pick([
      'DAY',
      'day',
      'HOUR',
      'MONTH',
      'YEAR',
      'MINUTE',
      'SECOND',
      'WEEK',
      'QUARTER',
      'MILLISECOND',
      'days',
      'SQL_TSI_DAY',
    ])

  const type = (depth = 2): string => {
    const simple = () =>
      pick([
        'UInt8',
        'Int64',
        'String',
        'Float64',
        'Date',
        'DateTime',
        "DateTime('UTC')",
        'DateTime64(3)',
        "DateTime64(6, 'UTC')",
        'Decimal(10,2)',
        'Decimal64(4)',
        'UUID',
        'IPv4',
        'FixedString(16)',
        'Bool',
        "Enum('a'=1,'b'=2)",
        "Enum8('x','y')",
        'INT',
        'INT UNSIGNED',
        'double precision',
        'VARCHAR(10)',
        'CHAR VARYING(3)',
        'Dynamic',
        'Dynamic(max_types=3)',
        'JSON',
        'JSON(max_dynamic_paths=8, a.b Int8, SKIP c)',
        'Point',
        'Nothing',
        'BIGINT(20)',
      ])
    if (depth <= 0 || chance(0.3)) return simple()
    const inner = () => type(depth - 1)
    return pick([
      () => `Array(${inner()})`,
      () => `Nullable(${inner()})`,
      () => `LowCardinality(${inner()})`,
      () => `Map(${inner()},${inner()})`,
      () => `Tuple(${many(inner, 1, 3)})`,
      () => `Tuple(${many(() => `${plainName()} ${inner()}`, 1, 3)})`,
      () => `Nested(${many(() => `${plainName()} ${inner()}`, 1, 3, ',')})`,
      () => `Variant(${many(inner, 1, 3)})`,
      () => `AggregateFunction(${pick(['sum', 'quantiles(0.5,0.9)', 'uniq', 'topK(3)'])}, ${inner()})`,
      () => `SimpleAggregateFunction(${pick(['sum', 'anyLast', 'max'])}, ${inner()})`,
    ])()
  }

  const expression = (depth = 3): string => {
    if (depth <= 0) return chance(0.6) ? name() : literal()
    const e = () => expression(depth - 1)
    const leaf = () => expression(0)
    const bracketed = () => `(${e()})`
    return pick<() => string>([
      leaf,
      leaf,
      bracketed,
      () => `(${bracketed()})`,
      () => `${e()} ${pick(['+', '-', '*', '/', '%', 'DIV', 'mod', '||'])} ${e()}`,
      () => `${e()}${pick([' + ', '-', '*', ' / ', '%', '||'])}${leaf()}`,
      () => `${e()} ${pick(['=', '==', '!=', '<>', '<', '>', '<=', '>=', '<=>'])} ${e()}`,
      () => `${e()} ${word(pick(['AND', 'OR']))} ${e()}`,
      () => `${e()} ${word(pick(['AND', 'OR']))} ${e()} ${word(pick(['AND', 'OR']))} ${e()}`,
      () => `${word('NOT')} ${e()}`,
      () => `-${e()}`.replace(/^--/, '- -'),
      () => `- ${name()}`,
      () => `${e()} ${word(pick(['IS NULL', 'IS NOT NULL', 'IS TRUE', 'IS NOT UNKNOWN']))}`,
      () => `${e()} IS ${pick(['', 'NOT '])}DISTINCT FROM ${e()}`,
      () => `${e()} ${word(pick(['LIKE', 'NOT LIKE', 'ILIKE', 'NOT ILIKE', 'REGEXP']))} ${e()}`,
      () => `${e()} ${pick(['', 'not '])}between ${leaf()} and ${leaf()}`,
      () =>
        `${e()} ${word(pick(['IN', 'NOT IN', 'GLOBAL IN', 'GLOBAL NOT IN']))} ${pick([bracketed, leaf, () => `(${many(e, 2, 3)})`, () => '(SELECT 1)'])()}`,
      () => `(${e()}) ? ${e()} : ${leaf()}`,
      () => `${fn()}(${many(e, 0, 3)})`,
      () => `${fn()}(${many(e, 1, 2)})`,
      () => `quantile(${pick(['0.5', '0.9, 1'])})(${e()})`,
      () => `count(DISTINCT ${many(e, 1, 2)})`,
      () => `sum(${e()}) FILTER (WHERE ${e()})`,
      () => `any(${e()}) ${pick(['IGNORE', 'respect'])} NULLS`,
      () =>
        `sum(${e()}) OVER (${pick(['', `PARTITION BY ${e()} `, 'w '])}${pick(['', `ORDER BY ${leaf()} DESC `])}${pick(['', 'ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW', 'rows 1 preceding'])})`,
      () => `arrayMap(${pick(['x -> ', '(x) -> ', '(x, y) -> '])}${e()}, ${e()})`,
      () => `CASE WHEN ${e()} THEN ${e()} ${pick(['', `ELSE ${e()} `])}END`,
      () => `case ${e()} when ${leaf()} then ${e()} when ${leaf()} then ${leaf()} else ${e()} end`,
      () => `CAST(${e()} AS ${type(1)})`,
      () => `CAST(${e()}, 'String')`,
      () => `${pick([leaf, bracketed])()}::${type(1)}`,
      () => `INTERVAL ${pick(['1', "'2'", name(), bracketed()])} ${unit()}`,
      () => "INTERVAL '1 day 2 hours'",
      () => `${pick(['DATE', 'date'])} '2024-01-01'`,
      () => "TIMESTAMP '2024-01-01 00:00:00'",
      () => `EXTRACT(${pick(['YEAR', 'month', 'DAY', 'hour', 'EPOCH', 'DOW'])} FROM ${e()})`,
      () => `${pick(['trim', 'TRIM'])}(${pick(['BOTH', 'leading', 'TRAILING'])} ${leaf()} FROM ${e()})`,
      () => `SUBSTRING(${e()} FROM ${leaf()}${pick(['', ` FOR ${leaf()}`])})`,
      () => `POSITION(${leaf()} IN ${leaf()})`,
      () => `DATE_ADD(${unit()}, ${leaf()}, ${e()})`,
      () => `dateDiff(${pick(["'day'", 'day', 'MONTH'])}, ${e()}, ${leaf()})`,
      () => `[${many(e, 0, 3)}]`,
      () => `(${many(e, 2, 3)})`,
      () => `(${e()},)`,
      () => `map(${e()}, ${e()})`,
      () => `${pick([name, bracketed, () => `f(${leaf()})`])()}[${e()}]`,
      () => `${pick([plainName, bracketed, () => `f(${leaf()})`, () => '(a, b)'])()}.${pick(['1', '2.1'])}`,
      () => `${pick([bracketed, () => `f(${leaf()})`])()}.${plainName()}`,
      () => `(${e()} AS ${plainName()})`,
      () => `f(${e()} AS x1)`,
      () => `(${depth > 1 ? select(0) : 'SELECT 1'})`,
      () => `EXISTS (${depth > 1 ? select(0) : 'SELECT 1'})`,
      () => `${leaf()} ${pick(['=', '<', '>=', '!='])} ${pick(['ANY', 'ALL', 'SOME'])} (SELECT 1)`,
      () => `${pick([plainName, bracketed, () => `f(${leaf()})`])()}.${pick(['-1', '- 2', '+1', '-a', "'x'", '(1)'])}`,
      () => `count(${pick(['*', 't.*', '* EXCEPT a', 'DISTINCT *'])}) ${pick(['', `FILTER (WHERE ${e()})`])}`,
      () => `${e()} ${word(pick(['LIKE', 'NOT ILIKE']))} ${leaf()} ESCAPE '!'`,
      () => `arrayMap(${pick(['(x AS y)', '((x))', '(x, (y))', '(t.x)', '()'])} -> ${e()}, ${e()})`,
      () => `f(${e()}, ${plainName()} -> ${e()})`,
      () => `[${pick(['x', '(x, y)'])} -> ${e()}]`,
      () => `CASE ${leaf()} q WHEN ${leaf()} w THEN ${e()} ELSE ${leaf()} r END`,
      () => `CAST(${e()} ${pick(['a1', 'AS a1', ''])} AS ${type(1)})`,
      () => `EXTRACT(${pick(['WEEK', 'CENTURY', 'DOY', 'ISOYEAR', 'QUARTER', 'DECADE'])} FROM ${e()} a1)`,
      () => `OVERLAY(${leaf()} PLACING ${e()} FROM ${leaf()}${pick(['', ` FOR ${e()}`])})`,
      () => `POSITION((${e()}) IN (${e()}))`,
      () => `TRIM(${pick(['', `BOTH ${leaf()} a1 FROM `])}${e()} a2)`,
      () => `DATE_SUB(${unit()}, ${e()} a1, ${leaf()} a2)`,
      () => `timestampdiff(${unit()}, ${e()}, ${leaf()} a2)`,
      () => `INTERVAL ${e()} ${unit()}`,
      () => `INTERVAL ${e()} a1 ${unit()}`,
      () => `-INTERVAL ${leaf()} ${unit()} * ${e()}`,
      () =>
        `${pick(['sumIf', 'quantilesIf(0.5, 0.9)', 'topK(3)', 'sumMapMerge'])}(${many(e, 1, 2)}) ${pick(['', 'OVER w', 'OVER (w)'])}`,
      () => `(${e()}, ${e()}) ${word(pick(['IN', 'NOT IN']))} ((${leaf()}, ${leaf()}), (1, 2))`,
      () => `${e()} IN ${pick([`[${many(e, 0, 2)}]`, `tuple(${e()})`, 'db.t', "'s'", `f(${e()})`, '((1))', '(1, )'])}`,
      () => `${e()} ? ${e()} : ${e()}`,
      () => `+${e()}`,
      () => `- (${e()})`,
      () => `NOT(${e()})`,
      () => `${bracketed()}${pick(['[1]', '.1', '::String', '.x', '[1].2', '.1::Int8[2]'])}`,
      () => `${literal()}::${type(1)}`,
      () => `[${many(literal, 0, 3)}]::Array(${type(0)})`,
      () => `(${many(literal, 2, 3)})::Tuple(${type(0)}, ${type(0)})`,
      () => `${e()} IS NOT NULL IS NULL`,
      () => `${leaf()} <=> ${e()}`,
      () =>
        `(${e()} AS ${plainName()})${pick([' + 1', ' AND 2', " || 'x'", ' IN (1)', ' IS NULL', '.1', '[1]', '::String'])}`,
      () =>
        `sum(${e()}) OVER (ORDER BY ${e()} DESC NULLS LAST ${pick(['ROWS', 'RANGE', 'GROUPS'])} BETWEEN ${pick(['UNBOUNDED PRECEDING', `${leaf()} PRECEDING`, `${e()} PRECEDING`])} AND ${pick(['CURRENT ROW', `${leaf()} FOLLOWING`, 'UNBOUNDED FOLLOWING'])})`,
      () => `COLUMNS(${pick(["'^a'", 'a, b', 't.a'])})`,
      () => `t.COLUMNS('x') APPLY (${pick(['sum', 'x -> x + 1', 'quantile(0.5)'])})`,
      () => `@@${pick(['version', 'global.x'])}`,
    ])()
  }

  const column = (depth: number) =>
    pick<() => string>([
      () => expression(depth),
      () => expression(depth),
      () => `${expression(depth)} AS ${plainName()}`,
      () => `${expression(depth)} ${pick(['x1', 'y2', '`z z`'])}`,
      () =>
        pick([
          '*',
          't.*',
          '* EXCEPT a',
          '* EXCEPT (a, b)',
          '* REPLACE (a + 1 AS a)',
          "COLUMNS('^a')",
          'COLUMNS(a, b)',
          '* APPLY(sum)',
          't.* APPLY(x -> x + 1)',
          "* EXCEPT('x') APPLY toString",
          "* LIKE '%a_'",
          "t.* ILIKE 'x'",
          '* EXCEPT STRICT (a) REPLACE STRICT (b AS c)',
          "* APPLY(sum, 'p_')",
          `* REPLACE (${expression(1)} AS a, b AS c)`,
          `* APPLY(x -> ${expression(1)})`,
          `${expression(0)} AS ${pick(['date', 'key', 'type', 'index', 'final', 'true', 'nan', 'interval'])}`,
          `${expression(0)} ${pick(['date', 'key', 'type', 'comment', 'first', 'rows', 'ties', 'by'])}`,
        ]),
    ])()

  const table = (depth: number): string =>
    pick<() => string>([
      () => pick(['t', 'db.t', '`d b`.`t t`', 'system.one']),
      () =>
        pick(['t', 'db.t']) +
        pick([' AS x', ' x', ' FINAL', ' AS y FINAL', ' SAMPLE 0.1', ' SAMPLE 1/10 OFFSET 1/2', '']),
      () => `(${depth > 0 ? select(depth - 1) : 'SELECT 1'})${pick(['', ' AS s', ' s', ' AS s(a, b)'])}`,
      () =>
        pick([
          'numbers(10)',
          "remote('h', db.t)",
          'view(SELECT 1)',
          "s3('u', 'k', format = 'CSV')",
          "url('u', CSV, 'a Int8', SETTINGS a = 1)",
          'generateSeries(1, 10) AS g',
          '(VALUES (1, 2), (3, 4)) AS v(a, b)',
          "values('a Int8, b String', (1, 'x'))",
          '{tab:Identifier}',
          '{db:Identifier}.t',
          "merge(db, '^x')",
          'cluster(c, db.t)',
          "remote('h', view(SELECT 1 UNION ALL SELECT 2))",
          `view(${depth > 0 ? select(depth - 1) : 'SELECT 1'})`,
          "viewIfPermitted(SELECT 1 ELSE null('a Int8'))",
          "executable('s', CSV, 'a Int8', (SELECT 1), SETTINGS a = 1)",
          `(${depth > 0 ? `${table(0)} JOIN ${table(0)} USING (a)` : 't CROSS JOIN u'})`,
          "format(JSONEachRow, '{}')",
          'dictionary(db.d)',
          't STREAM',
          "'file.csv'",
        ]),
    ])()

  const from = (depth: number): string => {
    let out = table(depth)
    let arrayJoined = false
    for (let joins = Math.floor(random() * 3); joins > 0; joins--) {
      out += pick<() => string>([
        // After ARRAY JOIN, and after USING without brackets, a comma continues the list.
        () => (arrayJoined || out.endsWith('USING a') ? ` CROSS JOIN ${table(depth)}` : `, ${table(depth)}`),
        () => ` CROSS JOIN ${table(depth)}`,
        () =>
          ` ${pick(['', 'GLOBAL '])}${pick(['', 'ANY ', 'ALL ', 'ASOF '])}${pick(['', 'INNER ', 'LEFT ', 'LEFT OUTER ', 'RIGHT ', 'FULL '])}JOIN ${table(depth)} ${pick(['ON a = b', 'USING a', 'USING (a, b)', `ON ${expression(1)}`])}`,
        () =>
          ` ${pick(['LEFT SEMI', 'SEMI LEFT', 'ANTI', 'LEFT ANTI', 'RIGHT ANY', 'LEFT ASOF'])} JOIN ${table(depth)} USING (a)`,
        () => ` PASTE JOIN ${table(depth)}`,
        () => ` ${pick(['', 'LEFT '])}ARRAY JOIN ${pick(['arr', 'arr AS x', '[1, 2] AS y, z'])}`,
      ])()
      arrayJoined ||= out.includes('ARRAY JOIN')
    }
    return out
  }

  const order = (depth: number) =>
    many(
      () =>
        `${expression(depth)}${pick(['', ' ASC', ' DESC', ' desc nulls first', ' NULLS LAST', " COLLATE 'en'", ' WITH FILL', ' WITH FILL FROM 1 TO 5 STEP 1'])}`,
      1,
      2,
    )

  const one = (depth: number): string => {
    const parts: string[] = []
    if (chance(0.15))
      parts.push(
        `WITH ${pick(['', 'RECURSIVE '])}${many(() => pick([`${expression(1)} AS w1`, `cte AS (${depth > 0 ? select(depth - 1) : 'SELECT 1'})`, 'c2(a, b) AS (SELECT 1, 2)', 'm AS MATERIALIZED (SELECT 1)']), 1, 2)}`,
      )
    parts.push(`${word('SELECT')}${pick(['', '', '', ' DISTINCT', ' ALL', ' TOP 3', ' DISTINCT ON (a)'])}`)
    const isTop = parts[parts.length - 1]!.includes('TOP')
    const noLimitBy = parts[parts.length - 1]!.includes('ON (')
    parts.push(many(() => column(depth), 1, 3))
    if (chance(0.8)) parts.push(`${word('FROM')} ${from(depth)}`)
    if (chance(0.1)) parts.push(`PREWHERE ${expression(depth)}`)
    if (chance(0.4)) parts.push(`${word('WHERE')} ${expression(depth)}`)
    if (chance(0.3))
      parts.push(
        `${word('GROUP BY')} ${pick([() => many(() => expression(depth), 1, 3), () => 'ALL', () => 'ROLLUP(a, b)', () => 'CUBE(a)', () => 'GROUPING SETS ((a), (b, c), ())', () => 'a WITH ROLLUP', () => 'a, b WITH TOTALS'])()}`,
      )
    if (chance(0.15)) parts.push(`HAVING ${expression(depth)}`)
    if (chance(0.1)) parts.push('WINDOW w AS (PARTITION BY a ORDER BY b), w2 AS (w ROWS CURRENT ROW)')
    if (chance(0.1)) parts.push(`QUALIFY ${expression(depth)}`)
    const ordered = chance(0.3)
    if (ordered)
      parts.push(
        `${word('ORDER BY')} ${pick([() => order(depth), () => 'ALL', () => 'ALL DESC', () => 'a WITH FILL INTERPOLATE (b AS b + 1)'])()}`,
      )
    if (!noLimitBy && chance(0.1))
      parts.push(`LIMIT ${pick(['2', '1, 2', '2 OFFSET 1'])} BY ${pick(['a', 'a, b', 'ALL'])}`)
    if (chance(0.2))
      parts.push(
        isTop
          ? ''
          : pick([
              'LIMIT 5',
              'LIMIT 1, 5',
              'limit 5 offset 2',
              'OFFSET 3',
              ordered ? 'LIMIT 5 WITH TIES' : 'LIMIT 6',
              'LIMIT 0.5',
              'LIMIT -3 OFFSET -1',
              'LIMIT (SELECT 5)',
              `LIMIT ${expression(1)}`,
              ordered ? 'OFFSET 2 ROWS FETCH NEXT 3 ROWS ONLY' : 'OFFSET 4 ROWS',
              ordered ? 'FETCH FIRST 3 ROWS WITH TIES' : 'LIMIT 7',
            ]),
      )
    if (chance(0.1))
      parts.push(
        pick(['SETTINGS a = 1', "settings a = 1, b = 'x', c = 1.5", 'SETTINGS a = DEFAULT', 'SETTINGS max_threads=8']),
      )
    return parts.join(pick([' ', '\n', ' /* c */ ']))
  }

  const select = (depth = 1): string => {
    if (depth > 0 && chance(0.15)) {
      const operand = () => (chance(0.3) ? `(${select(depth - 1)})` : one(0))
      return many(
        operand,
        2,
        3,
        ` ${pick(['UNION ALL', 'UNION DISTINCT', 'UNION', 'INTERSECT', 'EXCEPT', 'EXCEPT ALL', 'intersect distinct'])} `,
      )
    }
    return one(depth)
  }

  return { expression, type, select }
}
