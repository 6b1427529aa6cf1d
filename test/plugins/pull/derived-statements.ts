/** CREATE statements made by rule, a database of them at a time: every value of one list in every place of another. */
export function derivedStatements(): readonly { readonly name: string; readonly texts: readonly string[] }[] {
  return [
    { name: 'rw_derived_types', texts: TYPES.flatMap(typeTables) },
    { name: 'rw_derived_defaults', texts: EXPRESSIONS.map(defaultTable) },
    {
      name: 'rw_derived_codecs',
      texts: CODECS.flatMap(([type, codecs]) => codecs.map((codec) => codecTable(type, codec))),
    },
    { name: 'rw_derived_keys', texts: ENGINES.flatMap((engine) => KEYS.map((key) => keyTable(engine, key))) },
    { name: 'rw_derived_settings', texts: SETTINGS.map(settingTable) },
    { name: 'rw_derived_ttl', texts: TTLS.flatMap(ttlTables) },
    { name: 'rw_derived_indexes', texts: INDEXES.flatMap(indexTables) },
    { name: 'rw_derived_views', texts: [VIEW_BASE, VIEW_OTHER, ...QUERIES.flatMap(viewsOf)] },
    { name: 'rw_derived_names', texts: NAMES.flatMap(namedObjects) },
    { name: 'rw_derived_comments', texts: COMMENTS.map(commentTable) },
  ].map(({ name, texts }) => ({ name, texts: texts.map((text, index) => text.replaceAll('$N', String(index))) }))
}

const TYPES =
  `UInt8|UInt16|UInt32|UInt64|UInt128|UInt256|Int8|Int16|Int32|Int64|Int128|Int256|Float32|Float64|BFloat16|Bool|String|
  FixedString(7)|UUID|Date|Date32|DateTime|DateTime('UTC')|DateTime('America/New_York')|DateTime64(0)|DateTime64(3)|DateTime64(6, 'Asia/Tokyo')|
  Decimal(9, 4)|Decimal(38, 10)|Decimal32(3)|Decimal64(5)|Decimal128(7)|Decimal256(20)|Decimal(5)|IPv4|IPv6|Enum8('a' = 1, 'b' = 2)|Enum('z' = 5, 'a' = 1, 'm')|
  Enum16('x' = -32768, 'y' = 32767)|LowCardinality(String)|LowCardinality(Nullable(String))|LowCardinality(FixedString(4))|LowCardinality(Date)|LowCardinality(UInt32)|
  Array(UInt8)|Array(Array(String))|Array(Nullable(Float64))|Array(LowCardinality(String))|Array(Tuple(UInt8, String))|Map(String, String)|Map(UInt64, Array(String))|
  Map(LowCardinality(String), Map(String, UInt8))|Tuple(UInt8, String)|Tuple(a UInt8, b Tuple(c String, d Date))|Tuple(\`x y\` UInt8, \`select\` String)|Nested(a UInt8, b Array(String))|
  Variant(String, UInt64)|Variant(Array(UInt8), Date, Bool)|Dynamic|Dynamic(max_types=5)|JSON|JSON(max_dynamic_paths=8, a UInt8)|JSON(b String, a.c Array(UInt8), SKIP x)|
  AggregateFunction(count)|AggregateFunction(sum, UInt64)|AggregateFunction(uniq, String, UInt8)|AggregateFunction(quantiles(0.1, 0.9), Float32)|AggregateFunction(argMax, String, DateTime)|
  AggregateFunction(groupArray(5), String)|AggregateFunction(anyIf, Nullable(String), UInt8)|SimpleAggregateFunction(sum, UInt64)|SimpleAggregateFunction(any, String)|
  SimpleAggregateFunction(groupUniqArrayArray, Array(String))|SimpleAggregateFunction(max, DateTime64(3))|Point|Ring|Polygon|MultiPolygon|LineString|MultiLineString|
  IntervalSecond|IntervalMonth|Time|Time64(3)|int|integer|bigint|smallint|tinyint|float|double|real|text|varchar(30)|char|boolean|timestamp|datetime|date|decimal(10, 2)|numeric(12)|
  blob|bytea|int unsigned|bigint unsigned|INT4|INT8 SIGNED|Nullable(UInt8)|Nullable(String)|Nullable(DateTime64(3, 'UTC'))|Nullable(Decimal(10, 2))|Nullable(UUID)|Nullable(Enum8('a' = 1))|Nullable(IPv4)|QBit(Float32, 4)`
    .split('|')
    .map((type) => type.trim())

function typeTables(type: string): string[] {
  return [
    `CREATE TABLE type_$N (id UInt64, v ${type}, w ${type} COMMENT 'the ${type.replaceAll("'", "\\'")}') ENGINE = MergeTree ORDER BY id`,
    `CREATE TABLE type_$N (v Array(${type.startsWith('Nested') ? 'String' : type}), t Tuple(x ${type.startsWith('Nested') ? 'String' : type}, y UInt8)) ENGINE = Memory`,
  ]
}

const EXPRESSIONS =
  `1|-1|0.5|1e3|'x'|''|'it''s'|NULL|true|[]|[1,2]|['a']|(1,'a')|map()|{}|now()|today()|now64(3)|generateUUIDv4()|rand()|a+1|a + b * 2 - 3 / 4 % 5|(a + b) * 2|-a|- -a|not a|a = 1|a == 1|a != b|a <> b|
  a < b AND b > 1 OR a = 0|(a OR b) AND a|a AND NOT b|a IN (1, 2, 3)|a NOT IN (1)|a IN [1, 2]|a BETWEEN 1 AND 5|a NOT BETWEEN b AND 7|s LIKE 'x%'|s NOT LIKE '_y'|s ILIKE '%Z%'|s IS NULL|s IS NOT NULL|a IS NULL OR b|
  s || 'x' || s|concat(s, 'x')|a::String|a::Nullable(UInt8)|CAST(a AS String)|CAST(a, 'Float64')|'2020-01-01'::Date|5::UInt8|CASE WHEN a THEN 1 ELSE 2 END|CASE a WHEN 1 THEN 'x' WHEN 2 THEN 'y' ELSE 'z' END|a ? 1 : 0|if(a, b, 3)|
  multiIf(a=1,1,b=2,2,3)|arrayMap(x -> x * 2, arr)|arrayFilter((x, i) -> x > i, arr, arr)|arrayMap(x -> (x, x + 1), arr)|arraySort(x -> -x, arr)|arr[1]|arr[-1]|m['k']|m['a b']|t.1|t.x|tupleElement(t, 'x')|(t.1, arr[1])|
  INTERVAL 1 DAY|now() + INTERVAL 1 HOUR|now() - INTERVAL 90 MINUTE|d + INTERVAL a DAY|toDate(d) + 7|DATE '2020-01-01'|TIMESTAMP '2020-01-01 00:00:00'|EXTRACT(YEAR FROM d)|EXTRACT(month FROM d)|DATE_ADD(d, INTERVAL 1 DAY)|date_sub(MONTH, 1, d)|
  dateDiff('day', d, now())|DATEDIFF(hour, d, now())|TRIM(s)|trim(BOTH 'x' FROM s)|trim(LEADING 'x' FROM s)|SUBSTRING(s FROM 2 FOR 3)|substring(s, 2)|POSITION('a' IN s)|UPPER(s)|lower(s)|LENGTH(s)|COALESCE(s, 'x')|IFNULL(s, '')|NULLIF(a, 1)|
  toStartOfInterval(d, INTERVAL 5 MINUTE)|toStartOfHour(d)|date_trunc('day', d)|formatDateTime(d, '%Y')|JSONExtractString(s, 'a', 'b')|JSONExtract(s, 'Tuple(a UInt8, b String)')|splitByChar(',', s)|splitByChar(',', s)[1]|extractAll(s, '(\\\\d+)')|replaceRegexpAll(s, '\\\\W+', '_')|
  match(s, '^a.*\\\\.b$')|cityHash64(s, a)|sipHash64(tuple(a, b))|bitAnd(a, 0xFF)|bitShiftLeft(a, 2)|toUInt64(s)|toUInt8OrNull(s)|toDecimal64(a, 2)|reinterpretAsUInt64(s)|hex(s)|unhex('4142')|base64Encode(s)|
  arrayReduce('sum', arr)|arrayJoin([1])|runningDifference(a)|length(arr)|arr.size0|empty(s)|notEmpty(arr)|has(arr, 1)|mapKeys(m)|m.keys|mapContains(m, 'k')|tuple(a, b)|array(a, b)|plus(a, 1)|and(a, b)|in(a, (1, 2))|equals(a, b)|
  greatest(a, b)|exp(1)|pi()|round(a / 3, 2)|intDiv(a, 3)|a DIV 2|a MOD 2|a || b|toString(a) || '_' || toString(b)|\`a\` + \`b\`|"a" + 1|currentDatabase()|hostName()|version()|toTypeName(a)|identity(a)|materialize(1)|ignore(a)|
  (((a)))|((1))|(a)|- (a)|-(-1)|+1|1 + -1|NOT (a = 1)|NOT a = 1|(a, b) = (1, 2)|(a, b) IN ((1, 2), (3, 4))|a = ANY(arr)|least(a, (b + 1) * 2)|0x1F|1_000|.5|5.|1e-5|inf|-inf|nan|18446744073709551615|-9223372036854775808|99999999999999999999|
  '\\\\n\\\\t\\\\\\\\'|'привет'|'🎉'|'a\\\\0b'|'fn:now()'|'env:HOME'|'$\{x}'|'\`tick\`'|x'4142'|b'0101'|$$dollar$$|'%'|'--not comment'|'/* no */'`
    .split('|')
    .reduce<string[]>((list, part) => {
      // `a || b` was cut in three: an empty part joins its neighbours again.
      const last = list.at(-1)
      if (part === '' && last !== undefined) list[list.length - 1] = `${last}||`
      else if (last?.endsWith('||')) list[list.length - 1] = last + part
      else list.push(part)
      return list
    }, [])
    .map((one) => one.trim())

function defaultTable(expression: string, index: number): string {
  const kind = ['DEFAULT', 'MATERIALIZED', 'ALIAS'][index % 3]
  return `CREATE TABLE default_$N (a UInt8, b UInt8, s String, d DateTime, arr Array(UInt8), m Map(String, UInt8), t Tuple(x UInt8, y UInt8), c ${kind} ${expression}, e ALIAS ${expression}) ENGINE = MergeTree ORDER BY a`
}

const CODECS: readonly (readonly [string, readonly string[]])[] = [
  [
    'UInt64',
    [
      'LZ4',
      'ZSTD',
      'ZSTD(5)',
      'LZ4HC',
      'LZ4HC(9)',
      'NONE',
      'Default',
      'Delta',
      'Delta(8)',
      'Delta, ZSTD',
      'DoubleDelta',
      'DoubleDelta, LZ4',
      'T64',
      "T64('bit'), ZSTD(1)",
      'GCD',
      'GCD, LZ4',
      'Delta(4), Delta(8), LZ4',
    ],
  ],
  ['Float64', ['Gorilla', 'Gorilla, ZSTD(3)', 'FPC', 'FPC(12), LZ4', 'ZSTD(22)']],
  ['DateTime', ['Delta', 'DoubleDelta, ZSTD(1)', 'T64, LZ4HC', 'Delta(4), Default']],
  ['String', ['ZSTD(1)', 'zstd(3)', 'lz4', 'ZSTD(3, 26)', 'Default']],
  ['Array(UInt32)', ['Delta, ZSTD', 'DoubleDelta(4), LZ4', 'T64']],
  ['Nullable(Int16)', ['Delta, LZ4', 'ZSTD']],
  ['Map(String, UInt64)', ['ZSTD(2)', 'LZ4']],
  ['Tuple(a UInt8, b String)', ['ZSTD(1)']],
]

function codecTable(type: string, codec: string): string {
  return `CREATE TABLE codec_$N (k UInt8, v ${type} CODEC(${codec})) ENGINE = MergeTree ORDER BY k`
}

const ENGINES = [
  'MergeTree',
  'MergeTree()',
  'ReplacingMergeTree',
  'ReplacingMergeTree(ver)',
  'ReplacingMergeTree(ver, del)',
  'SummingMergeTree',
  'SummingMergeTree((x, y))',
  'AggregatingMergeTree',
  'CollapsingMergeTree(sign)',
  'VersionedCollapsingMergeTree(sign, ver)',
  'CoalescingMergeTree()',
]

const KEYS = [
  'ORDER BY id',
  'ORDER BY (id)',
  'ORDER BY (id, d)',
  'ORDER BY tuple(id, d)',
  'ORDER BY (id, toDate(d))',
  'PRIMARY KEY id ORDER BY (id, d)',
  'PRIMARY KEY (id) ORDER BY (id, d, name)',
  'PARTITION BY toYYYYMM(d) ORDER BY id',
  'PARTITION BY (toYYYYMM(d)) ORDER BY (id)',
  'PARTITION BY (id % 4, toMonday(d)) ORDER BY (d, id) SETTINGS index_granularity = 1024',
  'ORDER BY (id, cityHash64(name)) SAMPLE BY cityHash64(name)',
  'ORDER BY (name, -id, id + 1)',
]

function keyTable(engine: string, key: string): string {
  const simple = engine.startsWith('Aggregating') ? 'SimpleAggregateFunction(sum, UInt64)' : 'UInt64'
  const sign = engine.startsWith('Aggregating') ? 'SimpleAggregateFunction(max, Int8)' : 'Int8'
  const del = engine.startsWith('Aggregating') ? 'SimpleAggregateFunction(max, UInt8)' : 'UInt8'
  return `CREATE TABLE key_$N (id UInt32, d DateTime, name String, x ${simple}, y ${simple}, sign ${sign}, ver ${del}, del ${del}) ENGINE = ${engine} ${key}`
}

const SETTINGS =
  `index_granularity = 8192|index_granularity = 4096|index_granularity = '4096'|min_bytes_for_wide_part = 0|min_bytes_for_wide_part = '10M'|ttl_only_drop_parts = 1|ttl_only_drop_parts = true|merge_with_ttl_timeout = 86400, ttl_only_drop_parts = 1|
  storage_policy = 'default'|index_granularity_bytes = 0|index_granularity_bytes = 10485760|enable_mixed_granularity_parts = 1, index_granularity = 512|parts_to_throw_insert = 300, parts_to_delay_insert = 150|max_suspicious_broken_parts = 500|
  ratio_of_defaults_for_sparse_serialization = 1.0|ratio_of_defaults_for_sparse_serialization = 0.95|old_parts_lifetime = 10|non_replicated_deduplication_window = 1000|deduplicate_merge_projection_mode = 'drop'|min_age_to_force_merge_seconds = 3600|
  number_of_free_entries_in_pool_to_execute_mutation = 0|max_bytes_to_merge_at_max_space_in_pool = 1000000000|cleanup_delay_period = 30|merge_max_block_size = 1024|primary_key_compress_block_size = 65536|marks_compression_codec = 'ZSTD(3)'|
  default_compression_codec = 'ZSTD(1)'|allow_nullable_key = 1|add_minmax_index_for_numeric_columns = 1|fsync_after_insert = 1|max_part_loading_threads = 'auto'|vertical_merge_algorithm_min_rows_to_activate = 1|string_serialization_version = 'with_size_stream'|
  object_serialization_version = 'v3'|auto_statistics_types = ''|max_concurrent_queries = 100, min_marks_to_honor_max_concurrent_queries = 10|min_rows_to_fsync_after_merge = 1|inactive_parts_to_throw_insert = 0|enable_block_number_column = 1|lightweight_mutation_projection_mode = 'throw'`
    .split('|')
    .map((one) => one.trim())

function settingTable(settings: string): string {
  return `CREATE TABLE setting_$N (id UInt64, s String, d DateTime) ENGINE = MergeTree PARTITION BY toYYYYMM(d) ORDER BY id TTL d + INTERVAL 30 DAY SETTINGS ${settings}`
}

const TTLS =
  `d + INTERVAL 1 DAY|d + INTERVAL 2 WEEK|d + toIntervalMonth(3)|toDate(d) + 30|d + INTERVAL 1 YEAR DELETE|d + INTERVAL 1 MONTH WHERE flag = 1|d + INTERVAL 1 MONTH DELETE WHERE flag IN (1, 2) AND v > 5|d + INTERVAL keep DAY|d + toIntervalDay(if(flag = 1, 7, 30))|
  d + INTERVAL 1 DAY TO VOLUME 'cold', d + INTERVAL 1 YEAR|d + INTERVAL 1 DAY TO DISK 'cold'|d + INTERVAL 1 WEEK RECOMPRESS CODEC(ZSTD(9))|d + INTERVAL 1 WEEK RECOMPRESS CODEC(LZ4HC), d + INTERVAL 2 WEEK|d + INTERVAL 1 DAY GROUP BY id SET v = sum(v)|
  d + INTERVAL 1 DAY GROUP BY id SET v = max(v), flag = any(flag), d = min(d)|dateTrunc('day', d) + INTERVAL 1 QUARTER|toStartOfHour(d) + INTERVAL 36 HOUR|d + INTERVAL 1 DAY + INTERVAL 2 HOUR|addDays(d, 5)|d64 + INTERVAL 1 DAY`
    .split('|')
    .map((one) => one.trim())

function ttlTables(ttl: string): string[] {
  const isColumnTtl = !/ TO | RECOMPRESS | GROUP BY | DELETE| WHERE /.test(ttl)
  const columns = `id UInt32, d DateTime, d64 DateTime64(3), flag UInt8, v UInt64, keep UInt16`
  return [
    `CREATE TABLE ttl_$N (${columns}) ENGINE = MergeTree ORDER BY id TTL ${ttl} SETTINGS storage_policy = 'hot_cold'`,
    ...(isColumnTtl
      ? [`CREATE TABLE ttl_$N (${columns}, w String DEFAULT 'x' TTL ${ttl}) ENGINE = MergeTree ORDER BY id`]
      : []),
  ]
}

const INDEXES =
  `a TYPE minmax|a TYPE minmax GRANULARITY 4|(a) TYPE minmax GRANULARITY 1|(a, b) TYPE minmax|a + b TYPE minmax|a TYPE set(0)|a TYPE set(100) GRANULARITY 2|s TYPE bloom_filter|s TYPE bloom_filter()|s TYPE bloom_filter(0.01) GRANULARITY 3|s TYPE ngrambf_v1(3, 512, 2, 0)|
  lower(s) TYPE tokenbf_v1(512, 3, 0) GRANULARITY 1|arr TYPE bloom_filter GRANULARITY 1|mapKeys(m) TYPE bloom_filter(0.01)|mapValues(m) TYPE set(10)|m['k'] TYPE set(5)|s TYPE text(tokenizer = 'splitByNonAlpha')|s TYPE text(tokenizer = ngrams(4))|
  s TYPE text(tokenizer = 'array')|lower(s) TYPE text(tokenizer = splitByString([' ', ',']))|toDate(d) TYPE minmax|a IN (1, 2) TYPE set(2)|a % 10 TYPE set(10) GRANULARITY 16|length(s) TYPE minmax|cityHash64(s) % 16 TYPE set(16)|s TYPE SET(20)|a TYPE MinMax|arr TYPE text(tokenizer = 'array')`
    .split('|')
    .map((one) => one.trim())

function indexTables(index: string): string[] {
  const columns = 'a UInt64, b UInt32, s String, d DateTime, arr Array(String), m Map(String, String)'
  return [
    `CREATE TABLE index_$N (${columns}, INDEX ix ${index}, INDEX \`second ix\` b TYPE minmax) ENGINE = MergeTree ORDER BY a`,
  ]
}

const VIEW_BASE =
  'CREATE TABLE base (a UInt8, b UInt8, s String, d DateTime, arr Array(UInt8), m Map(String, UInt64)) ENGINE = MergeTree ORDER BY a'
const VIEW_OTHER =
  'CREATE TABLE other (a UInt8, c UInt32, name Nullable(String)) ENGINE = ReplacingMergeTree ORDER BY a'

const QUERIES = [
  'SELECT a, b FROM base',
  'SELECT * FROM base',
  "SELECT a AS x, b y, s FROM base WHERE a > 1 AND b < 5 OR s = 'x'",
  'SELECT a, count() AS c, sum(b) AS total FROM base GROUP BY a',
  'SELECT a, count(*) AS c FROM base GROUP BY a HAVING c > 1 ORDER BY c DESC LIMIT 10',
  'SELECT toStartOfHour(d) AS h, uniq(s) AS u, quantile(0.9)(b) AS q FROM base GROUP BY h',
  'SELECT toStartOfInterval(d, INTERVAL 5 MINUTE) AS t, avg(b) AS v FROM base GROUP BY t ORDER BY t',
  'SELECT base.a AS a, other.c AS c FROM base JOIN other ON base.a = other.a',
  'SELECT l.a AS a, r.name AS name FROM base AS l LEFT JOIN other AS r ON l.a = r.a AND r.c > 5',
  'SELECT l.a AS a, r.c AS c FROM base l LEFT ANY JOIN other r USING (a)',
  'SELECT a, c FROM base FULL OUTER JOIN other USING a',
  'SELECT a, x FROM base ARRAY JOIN arr AS x',
  'SELECT a, x, i FROM base LEFT ARRAY JOIN arr AS x, arrayEnumerate(arr) AS i',
  'SELECT a FROM base WHERE a IN (SELECT a FROM other WHERE c > 1)',
  'SELECT a FROM base WHERE (a, b) NOT IN (SELECT a, toUInt8(c) FROM other)',
  'WITH x AS (SELECT a, c FROM other) SELECT a, c FROM x',
  'WITH 5 AS five, a + five AS s5 SELECT a, s5 FROM base',
  'WITH (SELECT max(c) FROM other) AS mx SELECT a, mx FROM base',
  'WITH x AS (SELECT a FROM base), y AS (SELECT a FROM x WHERE a > 1) SELECT y.a AS a FROM y',
  'SELECT a FROM base UNION ALL SELECT a FROM other',
  'SELECT a FROM base UNION DISTINCT SELECT a FROM other',
  '(SELECT a FROM base LIMIT 1) UNION ALL (SELECT a FROM other LIMIT 2)',
  'SELECT a FROM (SELECT a, b FROM base WHERE b > 0) AS sub WHERE a < 5',
  'SELECT DISTINCT a, s FROM base ORDER BY a ASC, s DESC NULLS LAST',
  'SELECT a, row_number() OVER (PARTITION BY b ORDER BY d) AS rn FROM base',
  'SELECT a, sum(b) OVER (ORDER BY d ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS s3 FROM base',
  'SELECT a, rank() OVER w AS r FROM base WINDOW w AS (PARTITION BY s ORDER BY b DESC)',
  "SELECT a, if(b > 1, 'x', 'y') AS k, multiIf(a = 1, 1, a = 2, 2, 3) AS mi FROM base",
  "SELECT a, CASE WHEN b = 1 THEN 'one' ELSE 'other' END AS w FROM base",
  'SELECT arrayMap(x -> x + 1, arr) AS plus1, arraySum((x, y) -> x * y, arr, arr) AS dot FROM base',
  "SELECT m['k'] AS k, mapKeys(m) AS ks, arr[1] AS first_, tuple(a, b).1 AS t1 FROM base",
  "SELECT a, sumIf(b, s = 'x') AS sx, countIf(b > 2) AS c2, argMax(s, d) AS last_s FROM base GROUP BY a",
  'SELECT a, groupArray(10)(s) AS gs, topK(3)(s) AS ts, groupUniqArray(b) AS ub FROM base GROUP BY a',
  'SELECT a::String AS as_text, CAST(b AS UInt64) AS b64, s::Nullable(String) AS ns FROM base',
  "SELECT d + INTERVAL 1 DAY AS next, d - INTERVAL 2 HOUR AS before, dateDiff('day', d, now()) AS age FROM base",
  "SELECT a FROM base PREWHERE b = 1 WHERE s != '' LIMIT 5 OFFSET 3",
  'SELECT a, b FROM base ORDER BY a, b LIMIT 2 BY a',
  'SELECT a, sum(b) AS sb FROM base GROUP BY a WITH ROLLUP',
  'SELECT a, sum(b) AS sb FROM base GROUP BY a WITH TOTALS',
  'SELECT a FROM other FINAL WHERE name IS NOT NULL',
  'SELECT * EXCEPT (arr, m) FROM base',
  "SELECT COLUMNS('^[ab]$') FROM base",
  'SELECT * REPLACE (a + 1 AS a) FROM base',
  'SELECT number AS n, n * 2 AS twice FROM numbers(10)',
  'SELECT a, b FROM base SETTINGS max_threads = 2',
  "SELECT coalesce(name, 'none') AS n, ifNull(name, '') AS e, assumeNotNull(name) AS an FROM other",
  'SELECT a, count(DISTINCT s) AS ds, countDistinct(b) AS db FROM base GROUP BY a',
  "SELECT extract(s, '(\\\\d+)') AS digits, replaceRegexpAll(s, '[^a-z]+', '-') AS slug FROM base",
  "SELECT a FROM base WHERE s LIKE '%x%' AND NOT (b = 1 OR a BETWEEN 2 AND 3)",
  'SELECT a FROM base WHERE EXISTS (SELECT 1 FROM other)',
  'SELECT b.a AS a FROM base AS b CROSS JOIN (SELECT max(c) AS mc FROM other) AS o WHERE b.b < o.mc',
  "SELECT formatDateTime(d, '%Y-%m-%d %H:%i') AS f, toYYYYMM(d) AS ym, toDayOfWeek(d) AS dow FROM base",
  "SELECT if(a IN (1, 2, 3), 'in', 'out') AS io, a % 2 = 0 AS even, -a AS neg, NOT b AS nb FROM base",
  "SELECT 'it''s' AS q, 'back\\\\slash' AS bs, 'tab\\t' AS tb, 'юникод 🎉' AS u FROM base",
]

function viewsOf(query: string): string[] {
  const hasUnorderable = /ORDER BY|LIMIT|WITH TOTALS|FINAL|UNION|FULL|CROSS|DISTINCT/.test(query)
  return [
    `CREATE VIEW view_$N AS ${query}`,
    `CREATE VIEW view_$N COMMENT 'about $N' AS ${query}`,
    `CREATE MATERIALIZED VIEW mv_$N ENGINE = MergeTree ORDER BY tuple() AS ${query}`,
    ...(hasUnorderable
      ? []
      : [`CREATE MATERIALIZED VIEW mv_$N REFRESH EVERY 1 HOUR ENGINE = Memory EMPTY AS ${query}`]),
  ]
}

const NAMES = [
  'simple',
  'With Space',
  'UPPER',
  'snake_case_name',
  'kebab-name',
  'dotted.name',
  "quo'te",
  'dou"ble',
  'back`tick',
  'back\\slash',
  '1digit',
  '名前',
  'имя',
  'emoji🎉',
  'select',
  'table',
  'index',
  'default',
  'a$b',
  '$dollar',
  '%percent',
  'tab\tname',
  'ñandú',
  'a/b',
  '{brace}',
  '(paren)',
  ',comma',
  ';semi',
  '--dash',
  '/*c*/',
  '#hash',
  '__proto__x',
  'x'.repeat(100),
]

function quoted(name: string): string {
  return `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``
}

function namedObjects(name: string): string[] {
  const [table, column] = [quoted(`${name} t`.trim()), quoted(name)]
  return [
    `CREATE TABLE ${table} (${column} UInt64, ${quoted(`${name}2`)} String DEFAULT toString(${column}), INDEX ${column} ${column} TYPE minmax, CONSTRAINT ${column} CHECK ${column} > 0, PROJECTION ${quoted(`p ${name}`)} (SELECT ${column} ORDER BY ${quoted(`${name}2`)})) ENGINE = MergeTree PARTITION BY ${column} % 10 ORDER BY ${column} COMMENT 'c'`,
    `CREATE VIEW ${quoted(`${name} v`)} AS SELECT ${column}, ${quoted(`${name}2`)} AS ${quoted(`${name} x`)} FROM ${table} WHERE ${column} > 1`,
    `CREATE MATERIALIZED VIEW ${quoted(`${name} m`)} TO ${table} AS SELECT ${column} FROM ${table}`,
    `CREATE DICTIONARY ${quoted(`${name} d`)} (${column} UInt64, ${quoted(`${name}2`)} String DEFAULT '') PRIMARY KEY ${column} SOURCE(NULL()) LAYOUT(FLAT()) LIFETIME(0)`,
  ]
}

const COMMENTS = [
  "it''s",
  '"double"',
  '`tick`',
  'back\\\\slash',
  'line\\nbreak',
  'tab\\t',
  'unicode é 漢字 🎉',
  '${template}',
  '*/',
  '-- dash',
  '%s',
  '\\0',
  '  spaces  ',
  '\u2028',
  '\u202e',
  '{"json": true}',
  "'' ''",
  'a\\bc',
  '\ufeffbom',
  '\\\\n',
]

function commentTable(comment: string): string {
  return `CREATE TABLE comment_$N (a UInt8 COMMENT '${comment}', b String DEFAULT '${comment}') ENGINE = MergeTree ORDER BY a COMMENT '${comment}'`
}
