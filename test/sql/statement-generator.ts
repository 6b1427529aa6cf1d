/**
 * Statements derived from a grammar, the same for the same seed. Each rule draws its parts at random, so a few hundred
 * statements join clauses that nobody would write beside each other by hand.
 */
export function derivedStatements(seed: number, count: number): string[] {
  const draw = new Draw(seed)
  const statements = new Set<string>()
  while (statements.size < count) statements.add(draw.pick(STATEMENTS)(draw))
  return [...statements]
}

type Rule = (draw: Draw) => string

/** A linear congruential generator with the few drawing functions that the rules need. */
class Draw {
  private state: number

  constructor(seed: number) {
    this.state = seed >>> 0
  }

  below(limit: number): number {
    this.state = (Math.imul(this.state, 1664525) + 1013904223) >>> 0
    return Math.floor((this.state / 2 ** 32) * limit)
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!
  }

  /** The rule's text with a space before it, in `percent` of the cases. */
  maybe(rule: Rule | string, percent = 40): string {
    if (this.below(100) >= percent) return ''
    return ` ${typeof rule === 'string' ? rule : rule(this)}`
  }

  list(rule: Rule, most: number, glue = ', '): string {
    return Array.from({ length: 1 + this.below(most) }, () => rule(this)).join(glue)
  }
}

const name: Rule = (draw) =>
  draw.pick(['a', 'b', 'c1', 'id', 'ts', 'value', '`a b`', '"quoted"', 'Table', 'index1', '`from`', 'k'])
const object: Rule = (draw) => (draw.below(2) === 0 ? name(draw) : `${name(draw)}.${name(draw)}`)
const text: Rule = (draw) =>
  draw.pick(["'x'", "''", "'it''s'", "'a\\\\b'", "'tab\\t'", "'; drop table t'", "'-- no'", '$$heredoc$$', "'日本'"])
const number: Rule = (draw) => draw.pick(['0', '1', '42', '3.14', '1e3', '0xFF', '18446744073709551615', '-7', '1_000'])
const cluster: Rule = (draw) => `on cluster ${draw.pick(['c', "'{cluster}'", '`my-cluster`'])}`

const type: Rule = (draw) =>
  draw.pick<Rule>([
    () => 'UInt64',
    () => 'String',
    () => "DateTime64(3, 'UTC')",
    () => 'Decimal(18, 4)',
    () => "Enum8('a' = 1, 'b' = -2)",
    () => 'double precision',
    () => 'Nullable(Int8)',
    () => 'LowCardinality(String)',
    () => 'AggregateFunction(quantiles(0.5, 0.9), Float64)',
    (inner) => `Array(${type(inner)})`,
    (inner) => `Map(String, ${type(inner)})`,
    (inner) => `Tuple(x ${type(inner)}, y ${type(inner)})`,
    (inner) => `Nested(n ${type(inner)})`,
    () => 'JSON(max_dynamic_paths = 8, a.b Int64, SKIP c)',
    () => 'FixedString(16)',
  ])(draw)

const expression: Rule = (draw) =>
  draw.pick<Rule>([
    name,
    name,
    number,
    text,
    () => 'now()',
    (inner) => `${expression(inner)} + ${expression(inner)}`,
    (inner) => `(${expression(inner)}) * ${number(inner)}`,
    (inner) => `toDate(${expression(inner)})`,
    (inner) => `${name(inner)} in (1, 2, ${number(inner)})`,
    (inner) => `not ${expression(inner)} and ${expression(inner)}`,
    (inner) => `${name(inner)} between 1 and 2 or ${name(inner)} is not null`,
    (inner) => `if(${expression(inner)}, ${expression(inner)}, null)`,
    (inner) => `cast(${name(inner)} as ${type(inner)})`,
    (inner) => `${name(inner)}::String`,
    (inner) => `arrayMap(x -> x + ${number(inner)}, [1, 2, 3])`,
    (inner) => `case when ${name(inner)} > 1 then ${text(inner)} else ${text(inner)} end`,
    (inner) => `${name(inner)} - interval ${inner.pick(['1 day', '2 week', '15 minute'])}`,
    (inner) => `(${expression(inner)}, ${expression(inner)})`,
    (inner) => `-${name(inner)}`,
    (inner) => `${name(inner)} like ${text(inner)}`,
    (inner) => `(select max(${name(inner)}) from ${object(inner)})`,
  ])(draw)

const setting: Rule = (draw) =>
  `${draw.pick(['a', 'max_threads', 'index_granularity', 'storage_policy'])}${draw.pick([' = ', '='])}${draw.pick([number, text])(draw)}`
const settings: Rule = (draw) => `settings ${draw.list(setting, 3)}`
const codec: Rule = (draw) =>
  `codec(${draw.list((inner) => inner.pick(['ZSTD(3)', 'LZ4', 'Delta', 'Delta(4)', 'NONE', 'T64']), 2)})`
const ttlTime: Rule = (draw) => `${name(draw)} + interval ${1 + draw.below(9)} ${draw.pick(['day', 'month', 'hour'])}`

const column: Rule = (draw) =>
  name(draw) +
  draw.maybe(type, 100) +
  draw.maybe((inner) => inner.pick(['null', 'not null']), 15) +
  draw.maybe((inner) => `${inner.pick(['default', 'materialized', 'alias', 'ephemeral'])} ${expression(inner)}`) +
  draw.maybe((inner) => `comment ${text(inner)}`, 25) +
  draw.maybe(codec, 25) +
  draw.maybe('statistics(tdigest, uniq)', 10) +
  draw.maybe((inner) => `ttl ${ttlTime(inner)}`, 15) +
  draw.maybe((inner) => `settings (${setting(inner)})`, 10)

const indexType: Rule = (draw) =>
  draw.pick([
    'minmax',
    'set(100)',
    'bloom_filter',
    'bloom_filter(0.01)',
    'ngrambf_v1(3, 256, 2, 0)',
    "text(tokenizer = 'splitByNonAlpha')",
  ])
const index: Rule = (draw) =>
  `${name(draw)} ${draw.pick([name, expression])(draw)} type ${indexType(draw)}${draw.maybe('granularity 4')}`
const projection: Rule = (draw) =>
  `${name(draw)} (select ${draw.list(name, 3)}${draw.maybe((inner) => `group by ${inner.list(name, 2)}`)}${draw.maybe((inner) => `order by ${inner.list(name, 2)}`)})`
const constraint: Rule = (draw) => `${name(draw)} ${draw.pick(['check', 'assume'])} ${expression(draw)}`

const element: Rule = (draw) =>
  draw.pick<Rule>([
    column,
    column,
    column,
    column,
    (inner) => `index ${index(inner)}`,
    (inner) => `projection ${projection(inner)}`,
    (inner) => `constraint ${constraint(inner)}`,
  ])(draw)

const ttlRule: Rule = (draw) =>
  ttlTime(draw) +
  draw.maybe(
    (inner) =>
      inner.pick<Rule>([
        () => 'delete',
        (rule) => `delete where ${name(rule)} = ${number(rule)}`,
        (rule) => `to ${rule.pick(['disk', 'volume'])}${rule.maybe('if exists', 20)} ${text(rule)}`,
        (rule) => `recompress ${codec(rule)}`,
        (rule) => `group by ${rule.list(name, 2)} set ${rule.list((item) => `${name(item)} = max(${name(item)})`, 2)}`,
      ])(inner),
    70,
  )

const engine: Rule = (draw) =>
  draw.pick([
    'MergeTree',
    'MergeTree()',
    'ReplacingMergeTree(v)',
    "ReplicatedMergeTree('/clickhouse/{shard}', '{replica}')",
    'SummingMergeTree((a, b))',
    'Memory',
    'Null',
    'Distributed(c, db, t, rand())',
    "Kafka('h:9092', 't', 'g', 'JSONEachRow')",
  ])
const key: Rule = (draw) =>
  draw.pick<Rule>([
    name,
    (inner) => `(${inner.list(expression, 3)})`,
    () => 'tuple()',
    () => '()',
    (inner) => `(${name(inner)}, ${name(inner)} desc)`,
  ])(draw)
const plainKey: Rule = (draw) =>
  draw.pick<Rule>([name, (inner) => `(${inner.list(expression, 3)})`, () => 'tuple()'])(draw)
const storage: Rule = (draw) =>
  `engine${draw.pick([' = ', '=', ' '])}${engine(draw)}` +
  draw.maybe((inner) => `partition by ${plainKey(inner)}`) +
  draw.maybe((inner) => `primary key ${plainKey(inner)}`, 25) +
  draw.maybe((inner) => `order by ${key(inner)}`, 70) +
  draw.maybe((inner) => `sample by ${expression(inner)}`, 15) +
  draw.maybe((inner) => `ttl ${inner.list(ttlRule, 2)}`) +
  draw.maybe(settings)

const select: Rule = (draw) =>
  `select ${draw.list((inner) => `${expression(inner)}${inner.maybe((item) => `as ${name(item)}`)}`, 3)}` +
  ` from ${object(draw)}${draw.maybe((inner) => `where ${expression(inner)}`)}` +
  draw.maybe((inner) => `group by ${inner.list(name, 2)}`, 25) +
  draw.maybe((inner) => `order by ${name(inner)}`, 25) +
  draw.maybe((inner) => `union all select ${number(inner)}`, 15)

const security: Rule = (draw) =>
  draw.pick(['sql security invoker', 'definer = u sql security definer', 'sql security none definer = current_user'])
const refresh: Rule = (draw) =>
  `refresh ${draw.pick(['every 1 day offset 2 hour', 'after 90 minute', 'every 36 hour', 'every 1 week 8 day'])}` +
  draw.maybe('randomize for 10 minute') +
  draw.maybe((inner) => `depends on ${inner.list(object, 2)}`) +
  draw.maybe('append', 30)

const position: Rule = (draw) => draw.pick<Rule>([() => 'first', (inner) => `after ${name(inner)}`])(draw)
const partition: Rule = (draw) =>
  draw.pick<Rule>([number, text, (inner) => `id ${text(inner)}`, () => "tuple('a', 1)", () => "('a', 2)"])(draw)

const command: Rule = (draw) =>
  draw.pick<Rule>([
    (c) => `add column${c.maybe('if not exists')} ${column(c)}${c.maybe(position, 30)}`,
    (c) => `drop column${c.maybe('if exists')} ${name(c)}`,
    (c) => `modify column${c.maybe('if exists')} ${column(c)}${c.maybe(position, 20)}`,
    (c) => `modify column ${name(c)} remove ${c.pick(['default', 'codec', 'ttl', 'comment'])}`,
    (c) => `rename column${c.maybe('if exists')} ${name(c)} to ${name(c)}`,
    (c) => `comment column${c.maybe('if exists')} ${name(c)} ${text(c)}`,
    (c) => `clear column ${name(c)}${c.maybe((p) => `in partition ${partition(p)}`)}`,
    (c) => `materialize column ${name(c)}`,
    (c) => `add index${c.maybe('if not exists')} ${index(c)}${c.maybe(position, 30)}`,
    (c) => `drop index${c.maybe('if exists')} ${name(c)}`,
    (c) => `materialize index ${name(c)}${c.maybe((p) => `in partition ${partition(p)}`)}`,
    (c) => `add projection${c.maybe('if not exists')} ${projection(c)}${c.maybe(position, 30)}`,
    (c) => `drop projection${c.maybe('if exists')} ${name(c)}`,
    (c) => `add constraint${c.maybe('if not exists')} ${constraint(c)}`,
    (c) => `drop constraint${c.maybe('if exists')} ${name(c)}`,
    (c) => `modify order by ${plainKey(c)}`,
    () => 'remove ttl',
    (c) => `modify comment ${text(c)}`,
    (c) => `drop ${c.pick(['', 'detached '])}partition ${partition(c)}`,
    (c) => `attach partition ${partition(c)} from ${object(c)}`,
    (c) => `move partition ${partition(c)} to ${c.pick(["disk 'd'", "volume 'v'", 'table u'])}`,
    (c) => `delete${c.maybe((p) => `in partition ${partition(p)}`, 20)} where ${expression(c)}`,
    (c) =>
      `update ${c.list((a) => `${name(a)} = ${expression(a)}`, 2)}${c.maybe((p) => `in partition ${partition(p)}`, 20)} where ${expression(c)}`,
  ])(draw)

/** Commands after which a comma would belong to the command itself. */
const listCommand: Rule = (draw) =>
  draw.pick<Rule>([
    (c) => `modify ttl ${c.list(ttlRule, 2)}`,
    (c) => `modify setting ${c.list(setting, 2)}`,
    (c) => `reset setting ${c.list(name, 2)}`,
    (c) => `add statistics ${c.list(name, 2)} type tdigest, uniq`,
    (c) => `modify query ${select(c)}`,
    (c) => `modify ${refresh(c)}`,
  ])(draw)

const STATEMENTS: readonly Rule[] = [
  (draw) =>
    `create${draw.maybe('or replace', 20)} table ${object(draw)}${draw.maybe(cluster, 15)} (${column(draw)}, ${draw.list(element, 5)}) ${storage(draw)}${draw.maybe((inner) => `comment ${text(inner)}`, 30)}`,
  (draw) => `create table if not exists ${object(draw)} (${draw.list(column, 4)}) ${storage(draw)}`,
  (draw) => `create table ${object(draw)} ${storage(draw)}${draw.maybe('empty', 20)} as ${select(draw)}`,
  (draw) => `create${draw.maybe('or replace', 30)} view ${object(draw)}${draw.maybe(security, 30)} as ${select(draw)}`,
  (draw) =>
    `create materialized view ${object(draw)}${draw.maybe(cluster, 15)}${draw.maybe(refresh)} to ${object(draw)}${draw.maybe((inner) => `(${inner.list(column, 2)})`, 30)}${draw.maybe(security, 20)} as ${select(draw)}`,
  (draw) => `create materialized view ${object(draw)} ${storage(draw)}${draw.maybe('populate', 20)} as ${select(draw)}`,
  (draw) =>
    `create dictionary ${object(draw)} (id UInt64, ${draw.list((inner) => `${name(inner)} ${type(inner)}${inner.maybe((item) => `default ${item.pick(['0', "'x'", 'null'])}`)}${inner.maybe('hierarchical', 20)}`, 3)}) primary key id source(clickhouse(host 'h' port ${1 + draw.below(9999)} table ${text(draw)})) lifetime(${draw.pick(['300', 'min 1 max 10', '0'])}) layout(${draw.pick(['flat()', 'hashed', 'cache(size_in_cells 100)'])})${draw.maybe((inner) => `comment ${text(inner)}`, 30)}`,
  (draw) =>
    `alter table ${object(draw)}${draw.maybe(cluster, 15)} ${draw.list(command, 3)}${draw.maybe('settings alter_sync = 2', 15)}`,
  (draw) => `alter table ${object(draw)} ${draw.list((inner) => `(${inner.pick([command, listCommand])(inner)})`, 3)}`,
  (draw) => `alter table ${object(draw)} ${listCommand(draw)}`,
  (draw) =>
    `drop ${draw.pick(['table', 'view', 'dictionary'])}${draw.maybe('if exists')} ${object(draw)}${draw.maybe(cluster, 20)}${draw.maybe('sync', 30)}`,
  (draw) => `rename table ${draw.list((inner) => `${object(inner)} to ${object(inner)}`, 3)}`,
  (draw) => `insert into ${object(draw)} (${draw.list(name, 3)}) ${select(draw)}`,
  (draw) => `delete from ${object(draw)} where ${expression(draw)}`,
  (draw) =>
    `optimize table ${object(draw)}${draw.maybe((inner) => `partition ${partition(inner)}`)}${draw.maybe('final')}`,
  (draw) =>
    `create row policy ${name(draw)} on ${object(draw)}${draw.maybe('as restrictive', 30)} using ${expression(draw)} to ${draw.pick(['all', 'r', 'all except r', 'r, s'])}`,
  (draw) =>
    `grant ${draw.list((inner) => inner.pick(['select', 'insert', 'alter table', 'select(a, b)', 'drop']), 2)} on ${draw.pick(['*.*', 'db.*', 'db.t', 't'])} to ${draw.pick(['u', 'r, s'])}${draw.maybe('with grant option', 20)}`,
]
