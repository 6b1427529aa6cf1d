// npm run bench -- backfill: what copying in chunks costs beside one INSERT SELECT of the same rows, both into an empty
// table of the embedded engine. BENCH_ROWS scales it (default 100,000,000), BENCH_RUNS repeats it (default 3); the two
// take turns, and the median ratio counts.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureBuild, ensureDependencies, root } from './setup.mjs'

ensureDependencies()
ensureBuild()

const rows = Number(process.env.BENCH_ROWS ?? 100_000_000)
const runs = Number(process.env.BENCH_RUNS ?? 3)
const chunks = Number(process.env.BENCH_CHUNKS ?? 20)
const days = 10
const project = mkdtempSync(join(tmpdir(), 'chkit-bench-'))
const main = join(root, 'dist/main.js')

/** Statements in an engine of their own process, as each run of chkit has; returns their milliseconds, opening the engine included. */
function engine(statements) {
  const script = `
    const { Session } = require('chdb')
    const begin = process.hrtime.bigint()
    const session = new Session(${JSON.stringify(join(project, 'db'))})
    for (const sql of ${JSON.stringify(statements)}) session.query(sql)
    console.log(Number(process.hrtime.bigint() - begin) / 1e6)
    session.close()`
  return Number(node(['-e', script], root).trim().split('\n').at(-1))
}

function node(args, cwd) {
  const result = spawnSync(process.execPath, args, { cwd, encoding: 'utf8', env: { ...process.env, CI: '1' } })
  if (result.status !== 0)
    throw new Error(`node ${args.join(' ').slice(0, 300)} failed:\n${result.stdout}\n${result.stderr}`)
  return result.stdout
}

/** Milliseconds that `chkit backfill run` reports: opening the engine, all chunks, closing the books. */
function copyInChunks(target, parallel) {
  const plan = JSON.parse(
    node(
      [
        main,
        'backfill',
        'plan',
        '--target',
        `bench.${target}`,
        '--source',
        'bench.source',
        '--from',
        '2024-01-01',
        '--to',
        `2024-01-${String(days + 1).padStart(2, '0')}`,
        '--chunk-hours',
        String((days * 24) / chunks),
        '--json',
      ],
      project,
    ),
  )
  const run = JSON.parse(
    node([main, 'backfill', 'run', '--plan-id', plan.planId, '--parallel', String(parallel), '--json'], project),
  )
  if (run.rows !== rows) throw new Error(`${run.rows} of ${rows} rows were copied`)
  return run.durationMs
}

function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]
}

try {
  writeFileSync(
    join(project, 'clickhouse.config.ts'),
    `import { defineConfig } from 'chkit'\nimport { backfill } from 'chkit/plugins/backfill'\nexport default defineConfig({ schema: './schema/*.ts', clickhouse: { url: 'chdb:./db', database: 'bench' }, plugins: [backfill()] })\n`,
  )
  const columns = '(at DateTime, id UInt64) ENGINE = MergeTree ORDER BY at'
  engine([
    'CREATE DATABASE bench',
    `CREATE TABLE bench.source ${columns}`,
    `INSERT INTO bench.source SELECT toDateTime('2024-01-01', 'UTC') + intDiv(number * ${days * 86_400}, ${rows}), number FROM numbers(${rows})`,
  ])
  const figures = { one: [], serial: [], parallel: [] }
  for (let run = 0; run < runs; run++) {
    const fresh = (name) => [`DROP TABLE IF EXISTS bench.${name} SYNC`, `CREATE TABLE bench.${name} ${columns}`]
    engine(fresh('one'))
    figures.one.push(engine(['INSERT INTO bench.one SELECT * FROM bench.source']))
    for (const [kind, parallel] of [
      ['serial', 1],
      ['parallel', cpus().length],
    ]) {
      engine(['DROP TABLE IF EXISTS bench.one SYNC', ...fresh(`${kind}_${run}`)])
      figures[kind].push(copyInChunks(`${kind}_${run}`, parallel))
      engine([`DROP TABLE bench.${kind}_${run} SYNC`])
    }
  }
  const ratio = (kind) => Number((median(figures[kind]) / median(figures.one)).toFixed(2))
  const document = {
    rows,
    chunks,
    cores: cpus().length,
    insertSelectMs: Math.round(median(figures.one)),
    chunksMs: Math.round(median(figures.serial)),
    ratio: ratio('serial'),
    parallelMs: Math.round(median(figures.parallel)),
    parallelRatio: ratio('parallel'),
    all: figures,
  }
  console.log(`one INSERT SELECT of ${rows} rows`.padEnd(44), `${document.insertSelectMs} ms`)
  console.log(`${chunks} chunks, one at a time`.padEnd(44), `${document.ratio} x (at most 1.1)`)
  console.log(`${chunks} chunks, ${document.cores} at a time`.padEnd(44), `${document.parallelRatio} x`)
  console.log(JSON.stringify({ backfill: document }))
} finally {
  rmSync(project, { recursive: true, force: true })
}
