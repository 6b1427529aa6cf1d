// npm run demo: the whole life of a schema on the embedded engine, in a temporary project. It installs and builds what
// it needs, runs the real commands and prints what a user would see. Ends with 1 when anything is not as it should be.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureBuild, ensureDependencies, root } from './setup.mjs'

ensureDependencies()
ensureBuild()

const dir = mkdtempSync(join(tmpdir(), 'chkit-demo-'))
const colour = process.stdout.isTTY && !process.env.NO_COLOR
const paint = (code, text) => (colour ? `\x1b[${code}m${text}\x1b[0m` : text)
const env = { ...process.env, ...(colour ? { FORCE_COLOR: '1' } : {}), CI: '1' }
delete env.CLICKHOUSE_URL
delete env.GITHUB_ACTIONS

function title(text) {
  console.log(`\n${paint('1;36', `── ${text} ${'─'.repeat(Math.max(0, 72 - text.length))}`)}`)
}

/** Runs chkit as a user would, shows its output, and insists on the exit code. */
function chkit(args, expected = 0) {
  console.log(paint('1', `\n$ chkit ${args.join(' ')}`))
  const result = spawnSync(process.execPath, [join(root, 'dist/main.js'), ...args], { cwd: dir, env, encoding: 'utf8' })
  process.stdout.write(result.stderr)
  process.stdout.write(result.stdout)
  if (expected !== 0) console.log(paint('2', `(exit code ${result.status})`))
  if (result.status !== expected) fail(`chkit ${args.join(' ')} ended with ${result.status}, expected ${expected}`)
  return result.stdout
}

/** Runs SQL on the same database as somebody else would, in a process of its own, and returns the answer. */
function sql(statement, shown = statement) {
  console.log(paint('1', `\nclickhouse> ${shown}`))
  const program = `
    const { Session } = require(${JSON.stringify(createRequire(import.meta.url).resolve('chdb'))})
    const session = new Session('./chkit/dev-db')
    process.stdout.write(session.query(process.argv[1], 'PrettyCompactMonoBlock'))
    session.close()`
  const result = spawnSync(process.execPath, ['-e', program, statement], { cwd: dir, encoding: 'utf8' })
  if (result.status !== 0) fail(result.stderr)
  process.stdout.write(result.stdout)
  return result.stdout
}

function fail(message) {
  console.error(paint('31', `\nThe demo stopped: ${message}`))
  rmSync(dir, { recursive: true, force: true })
  process.exit(1)
}

const migrations = () =>
  readdirSync(join(dir, 'chkit/migrations'))
    .filter((name) => name.endsWith('.sql'))
    .sort()
const show = (path) => console.log(paint('2', readFileSync(join(dir, path), 'utf8').trimEnd().replace(/^/gm, '    ')))

title('A new project')
chkit(['init'])
show('src/db/schema/example.ts')

title('From schema to SQL')
chkit(['generate', '--name', 'first tables'])
show(join('chkit/migrations', migrations().at(-1)))
chkit(['migrate'])
chkit(['migrate', '--apply'])
chkit(['check'])

title('Rows arrive')
sql(
  "INSERT INTO default.events SELECT number, ['web', 'app', 'api'][number % 3 + 1], now64(3) - number FROM numbers(300000)",
)
sql('SELECT source, count() AS events FROM default.events GROUP BY source ORDER BY source')

title('The schema changes')
const schemaFile = join(dir, 'src/db/schema/example.ts')
const before = readFileSync(schemaFile, 'utf8')
const column =
  "    { name: 'country', type: 'LowCardinality(String)', default: 'unknown', comment: 'ISO 3166-1 alpha-2' },\n"
const after = before.replace(/(\n\s*\{ name: 'source',[^\n]*\n)/, `$1${column}`)
if (after === before) fail('the example schema has no source column any more')
writeFileSync(schemaFile, after)
console.log(`\nsrc/db/schema/example.ts, a line more:\n${paint('32', `  +${column.trimEnd()}`)}`)
chkit(['generate', '--dryrun'])
chkit(['generate', '--name', 'add country'])
chkit(['migrate', '--apply'])
sql('SELECT country, count() AS events FROM default.events GROUP BY country')

title('Somebody alters the table by hand')
sql("ALTER TABLE default.events MODIFY COLUMN country String DEFAULT 'XX'")
chkit(['drift'])
chkit(['check'], 1)

title('Repair')
const drift = spawnSync(process.execPath, [join(root, 'dist/main.js'), 'drift', '--json'], {
  cwd: dir,
  env,
  encoding: 'utf8',
})
const repair = JSON.parse(drift.stdout).repair
if (!repair?.length) fail('drift names no statement that repairs the table')
chkit(['generate', '--empty', '--name', 'repair country'])
const file = join('chkit/migrations', migrations().at(-1))
writeFileSync(
  join(dir, file),
  `${readFileSync(join(dir, file), 'utf8').trimEnd()}\n\n${repair.map((text) => `${text};`).join('\n\n')}\n`,
)
show(file)
chkit(['migrate', '--apply'])
chkit(['drift'])
chkit(['check'])
chkit(['status'])
if (!/300000|300,000/.test(sql('SELECT count() AS events FROM default.events'))) fail('rows were lost')

rmSync(dir, { recursive: true, force: true })
console.log(paint('1;32', '\nThe whole life, on a real ClickHouse engine, and every row is still there.'))
