// npm run bench: what chkit costs beside the bare runtime, in one run on one machine. Prints a line per figure and, as
// the last thing, one JSON document. Ratios count, not milliseconds: machines differ. Not part of the tests.
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ensureBuild, ensureDependencies, root } from './setup.mjs'

// npm run bench -- backfill: copies of many rows, which take minutes and have a document of their own.
if (process.argv[2] === 'backfill') {
  await import('./bench-backfill.mjs')
  process.exit(0)
}

ensureDependencies()
ensureBuild()

const main = join(root, 'dist/main.js')
const runs = Number(process.env.BENCH_RUNS ?? 9)
const work = mkdtempSync(join(tmpdir(), 'chkit-bench-'))
const figures = []
let bundles = 0

function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}

/** Wall milliseconds and peak resident KiB of one run of node with these arguments. */
function once(args, cwd) {
  const begin = process.hrtime.bigint()
  const result = spawnSync('/usr/bin/time', ['-f', '%M', process.execPath, ...args], {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, CI: '1', NO_COLOR: '1' },
  })
  const wallMs = Number(process.hrtime.bigint() - begin) / 1e6
  if (result.status !== 0) throw new Error(`node ${args.join(' ')} failed:\n${result.stdout}\n${result.stderr}`)
  return { wallMs, peakKib: Number(result.stderr.trim().split('\n').at(-1)), stdout: result.stdout }
}

/** A case and bare node take turns, so that a noisy moment hits both. */
function pair(name, args, cwd, limit, extra = {}) {
  once(args, cwd)
  const ours = []
  const bare = []
  let peakKib = 0
  for (let i = 0; i < runs; i++) {
    bare.push(once(['-e', '0'], cwd).wallMs)
    const run = once(args, cwd)
    ours.push(run.wallMs)
    peakKib = Math.max(peakKib, run.peakKib)
  }
  const figure = {
    name,
    ms: Math.round(median(ours)),
    bareNodeMs: Math.round(median(bare)),
    ratio: Number((median(ours) / median(bare)).toFixed(2)),
    limit,
    peakMib: Math.round(peakKib / 1024),
    ...extra,
  }
  report(figure)
}

function report(figure) {
  figures.push(figure)
  const value =
    figure.ratio === undefined ? `${figure.value} ${figure.unit}` : `${figure.ratio} x ${figure.of ?? 'bare node'}`
  const memory = figure.peakMib === undefined ? '' : `, ${figure.peakMib} MiB`
  const bound = figure.limit === undefined ? '' : ` (${figure.unit ? '' : 'at most '}${figure.limit})`
  console.log(`${figure.name.padEnd(44)} ${value}${bound}${memory}`)
}

/** A project with one schema file of `tables` tables of 20 columns. */
function project(name, tables, clickhouse = '') {
  const dir = join(work, name)
  mkdirSync(join(dir, 'src/db/schema'), { recursive: true })
  writeFileSync(
    join(dir, 'clickhouse.config.ts'),
    `import { defineConfig } from 'chkit'\nexport default defineConfig({ schema: './src/db/schema/**/*.ts', outDir: './chkit', migrationsDir: './chkit/migrations', metaDir: './chkit/meta'${clickhouse} })\n`,
  )
  const types = ['UInt64', 'String', 'DateTime64(3)', 'LowCardinality(String)', 'Nullable(Int32)', 'Array(UInt8)']
  const lines = ["import { table } from 'chkit'", '']
  for (let t = 0; t < tables; t++) {
    lines.push(`export const t${t} = table({`, `  database: 'bench',`, `  name: 't${t}',`, '  columns: [')
    lines.push(
      `    { name: 'id', type: 'UInt64' },`,
      `    { name: 'at', type: 'DateTime', defaultExpression: 'now()' },`,
    )
    for (let c = 2; c < 20; c++) lines.push(`    { name: 'c${c}', type: '${types[(t + c) % types.length]}' },`)
    lines.push('  ],', `  engine: 'MergeTree()',`, `  orderBy: ['id'],`, `  partitionBy: 'toYYYYMM(at)',`, '})', '')
  }
  writeFileSync(join(dir, 'src/db/schema/tables.ts'), lines.join('\n'))
  return dir
}

function chkit(args, cwd) {
  const result = spawnSync(process.execPath, [main, ...args], {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, CI: '1' },
  })
  if (result.status !== 0) throw new Error(`chkit ${args.join(' ')} failed:\n${result.stdout}\n${result.stderr}`)
  return result.stdout
}

/** Like `once`, without stopping this process: the server that it runs reads its pipe. */
function spawned(args, cwd) {
  const begin = process.hrtime.bigint()
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, CI: '1' },
    })
    child.on('error', reject)
    child.on('exit', (code) => {
      if (code === 0) resolve({ wallMs: Number(process.hrtime.bigint() - begin) / 1e6 })
      else reject(new Error(`node ${args.join(' ')} ended with ${code}`))
    })
  })
}

/** The ports of a test server, once it listens. */
function listening(server) {
  return new Promise((resolve, reject) => {
    let text = ''
    server.stdout.on('data', (chunk) => {
      text += chunk
      if (text.includes('\n')) resolve(JSON.parse(text.slice(0, text.indexOf('\n'))))
    })
    server.on('exit', (code) => reject(new Error(`the test server ended with ${code}`)))
  })
}

async function overHttp() {
  const server = spawn(process.execPath, [join(root, 'test/support/clickhouse-http.mjs')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  try {
    const { port, controlPort } = await listening(server)
    const url = `http://127.0.0.1:${port}`
    const control = `http://127.0.0.1:${controlPort}`
    const dir = project('http', 1000, `, clickhouse: { url: '${url}', database: 'bench' }`)
    chkit(['generate', '--json'], dir)
    await spawned([main, 'migrate', '--apply', '--json'], dir)
    const times = []
    for (let i = 0; i < 5; i++) times.push((await spawned([main, 'drift', '--json'], dir)).wallMs)
    report({
      name: 'drift, 1,000 tables over HTTP',
      value: Math.round(median(times)),
      unit: 'ms',
      limit: '<= 1,000 ms',
    })
    await fetch(`${control}/history`, { method: 'DELETE' })
    await spawned([main, 'drift', '--json'], dir)
    const { requests } = await (await fetch(`${control}/stats`)).json()
    report({ name: 'drift, requests', value: requests, unit: 'requests', limit: '<= 5' })
  } finally {
    server.kill()
  }
}

/** What the journal, the lock and the proofs cost: 1,000 CREATE by chkit, and by the bare client one after another. */
async function journaled() {
  const { createClient } = await import('@clickhouse/client')
  const server = spawn(process.execPath, [join(root, 'test/support/clickhouse-http.mjs')], {
    stdio: ['pipe', 'pipe', 'inherit'],
    // Each query under way holds one of these threads.
    env: { ...process.env, UV_THREADPOOL_SIZE: '64' },
  })
  try {
    const { port, controlPort } = await listening(server)
    const url = `http://127.0.0.1:${port}`
    const client = createClient({ url })
    const latency = (ms) =>
      fetch(`http://127.0.0.1:${controlPort}/latency`, { method: 'PUT', body: JSON.stringify({ ms }) })
    const statement = (database, index) =>
      `CREATE TABLE ${database}.t${index} (id UInt64, name String, at DateTime) ENGINE = MergeTree ORDER BY id`
    const indexes = Array.from({ length: 1000 }, (_, index) => index)
    let made = 0
    const bare = async () => {
      const database = `bare${made++}`
      await client.command({ query: `CREATE DATABASE ${database}` })
      const begin = performance.now()
      for (const index of indexes) await client.command({ query: statement(database, index) })
      const ms = performance.now() - begin
      await client.command({ query: `DROP DATABASE ${database} SYNC` })
      return ms
    }
    const ours = async (flags) => {
      const database = `ours${made++}`
      const dir = join(work, database)
      mkdirSync(join(dir, 'migrations'), { recursive: true })
      writeFileSync(
        join(dir, 'clickhouse.config.ts'),
        `export default { schema: './schema.ts', migrationsDir: './migrations', metaDir: './meta', clickhouse: { url: '${url}', database: '${database}' } }\n`,
      )
      writeFileSync(
        join(dir, 'migrations/1_tables.sql'),
        indexes.map((index) => `${statement(database, index)};\n`).join('\n'),
      )
      const { wallMs } = await spawned([main, 'migrate', '--apply', '--json', ...flags], dir)
      await client.command({ query: `DROP DATABASE ${database} SYNC` })
      return wallMs
    }
    for (const { name, ms, flags, limit } of [
      { name: 'migrate, 1,000 CREATE', ms: 0, flags: [], limit: 1.3 },
      { name: 'migrate, 1,000 CREATE, 5 ms, --concurrency 8', ms: 5, flags: ['--concurrency', '8'], limit: 0.4 },
    ]) {
      await latency(ms)
      const times = { bare: [], ours: [] }
      for (let i = 0; i < 3; i++) {
        times.bare.push(await bare())
        times.ours.push(await ours(flags))
      }
      const [bareClientMs, oursMs] = [median(times.bare), median(times.ours)]
      report({
        name,
        ms: Math.round(oursMs),
        bareClientMs: Math.round(bareClientMs),
        ratio: Number((oursMs / bareClientMs).toFixed(2)),
        of: 'the bare client',
        limit,
      })
    }
    await client.close()
  } finally {
    server.kill()
  }
}

/** Modules of the source in one file, as a URL to import: for figures of functions rather than of commands. */
async function bundled(contents) {
  const { build } = await import('esbuild')
  const outfile = join(work, `bundle-${bundles++}.mjs`)
  await build({
    stdin: { contents, resolveDir: root },
    bundle: true,
    format: 'esm',
    platform: 'node',
    outfile,
    logLevel: 'error',
  })
  return pathToFileURL(outfile).href
}

/** Everything that a folder of .sql fixtures holds, one statement an entry. */
function statementsIn(folder, splitStatements) {
  return readdirSync(join(root, 'fixtures', folder))
    .filter((file) => file.endsWith('.sql'))
    .flatMap((file) => splitStatements(readFileSync(join(root, 'fixtures', folder, file), 'utf8')))
    .map(({ text }) => text)
}

async function parsing() {
  const { parseStatement, printStatement, splitStatements } = await import(
    await bundled(`
      export { parseStatement, printStatement } from './src/sql/statement.js'
      export { splitStatements } from './src/sql/split.js'`)
  )
  const column = (i) =>
    `\`column_${i}\` ${i % 3 ? 'UInt64' : 'LowCardinality(Nullable(String))'} DEFAULT ${i} + toUInt64(1) CODEC(ZSTD(1))`
  const long = []
  for (let t = 0; t < 2000; t++) {
    const columns = Array.from({ length: 20 }, (_, i) => column(i)).join(', ')
    long.push(
      `CREATE TABLE db.table_${t} (${columns}) ENGINE = MergeTree PARTITION BY toYYYYMM(at) ORDER BY (a, b) SETTINGS index_granularity = 8192`,
    )
    long.push(
      `CREATE VIEW db.view_${t} AS SELECT a, count() AS c, sumIf(b, c > ${t}) AS s FROM db.table_${t} AS x INNER JOIN db.u USING (a) WHERE (a = 1) AND (b IN (1, 2, 3)) GROUP BY a ORDER BY c DESC LIMIT 10`,
    )
  }
  const real = statementsIn('real-world', splitStatements)
  const dense = statementsIn('sql', splitStatements)
  for (const [name, texts, rounds, limit] of [
    ['parse and print, tables of 20 columns', long, 1, '>= 10 MB/s'],
    ['parse and print, real statements', real, 40, '>= 10 MB/s'],
    ['parse and print, every feature once (70 bytes each)', dense, 20],
  ]) {
    const bytes = texts.reduce((sum, text) => sum + text.length, 0) * rounds
    const rates = []
    for (let i = 0; i < 7; i++) {
      const begin = performance.now()
      for (let round = 0; round < rounds; round++) for (const text of texts) printStatement(parseStatement(text).node)
      rates.push(bytes / 1e6 / ((performance.now() - begin) / 1000))
    }
    report({ name, value: median(rates).toFixed(1), unit: 'MB/s', limit })
  }
}

/** The canonical form of 1,000 tables of 20 columns, the first time in a process: nothing is warm. */
async function canonical() {
  const script = `
    import { canonicalise } from './src/model/canonical.js'
    import { table } from './src/model/dsl.js'
    const types = ['UInt64', 'String', 'LowCardinality(String)', "DateTime64(3, 'UTC')", 'Nullable(Float64)',
      'Array(String)', 'Map(String, UInt64)', 'Decimal(18, 4)', 'UUID', 'Tuple(a UInt8, b String)']
    const tables = Array.from({ length: 1000 }, (_, t) => table({
      database: 'bench', name: 't' + t, engine: 'MergeTree', primaryKey: ['at'], orderBy: ['at'],
      partitionBy: 'toYYYYMM(at)', ttl: 'at + INTERVAL 30 DAY', settings: { index_granularity: 8192 },
      columns: Array.from({ length: 20 }, (_, i) => i === 0 ? { name: 'at', type: 'DateTime' } : {
        name: 'c' + i, type: types[(i + t) % types.length],
        ...(i % 4 === 1 && { comment: 'a comment' }), ...(i % 5 === 2 && { codec: 'ZSTD(3)' }),
      }),
    }))
    const begin = performance.now()
    const { issues } = canonicalise(tables, { defaultDatabase: 'bench' })
    const ms = performance.now() - begin
    if (issues.length > 0) throw new Error(JSON.stringify(issues[0]))
    export default ms`
  const url = await bundled(script)
  const times = []
  for (let i = 0; i < 5; i++)
    times.push(
      Number(once(['--input-type=module', '-e', `console.log((await import('${url}')).default)`], work).stdout),
    )
  report({
    name: 'canonical form, 1,000 tables of 20 columns',
    value: Math.round(median(times)),
    unit: 'ms',
    limit: '<= 150 ms',
  })
}

try {
  pair('chkit --version', [main, '--version'], work, 1.2)
  pair('chkit --help, no config', [main, '--help'], work, 1.5)
  const small = project('small', 2)
  pair('status --json, small config', [main, 'status', '--json'], small, 2.5)
  for (const [tables, limit] of [
    [1000, 4],
    [5000, 12],
  ]) {
    const dir = project(`generate-${tables}`, tables)
    chkit(['generate', '--json'], dir)
    pair(`generate, nothing to do, ${tables} tables`, [main, 'generate', '--json'], dir, limit)
  }
  await overHttp()
  await journaled()
  await canonical()
  await parsing()
} finally {
  rmSync(work, { recursive: true, force: true })
}
console.log(JSON.stringify({ node: process.version, runs, figures }, null, 2))
