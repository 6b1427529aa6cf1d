import { mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { ChkitError, messageOf } from '../errors.js'
import type { CommandContext, CommandResult } from '../plugin-host/command.js'
import { invocation } from './invocation.js'

const CONFIG_FILE = 'clickhouse.config.ts'
const EXAMPLE_FILE = 'src/db/schema/example.ts'

/** `chkit init`: writes what is missing, overwrites nothing. Throws `file_unwritable` and `disk_full`. */
export async function run(context: CommandContext): Promise<CommandResult> {
  const embedded = hasEmbeddedEngine(context.cwd)
  const files = [
    { path: CONFIG_FILE, text: configTemplate(embedded) },
    { path: EXAMPLE_FILE, text: EXAMPLE_TEMPLATE },
  ]
  const created: string[] = []
  const skipped: string[] = []
  for (const { path, text } of files) (writeMissing(join(context.cwd, path), text) ? created : skipped).push(path)
  return { payload: { created, skipped }, text: report(context, created, skipped, embedded) }
}

function report(
  { style, env }: CommandContext,
  created: readonly string[],
  skipped: readonly string[],
  embedded: boolean,
): string {
  const lines = [
    ...created.map((path) => `${style.green('created')}  ${path}`),
    ...skipped.map((path) => `${style.dim('kept')}     ${path} ${style.dim('(it was there)')}`),
    '',
  ]
  if (created.includes(CONFIG_FILE)) {
    const where = embedded ? 'the embedded engine (chdb) in ./chkit/dev-db' : 'http://localhost:8123'
    lines.push(`The database is ${where}, unless CLICKHOUSE_URL says otherwise.`)
    if (embedded) lines.push('Put chkit/dev-db into .gitignore; commit chkit/migrations and chkit/meta.')
  }
  const next = ['generate --name init', 'migrate --apply'].map((words) => style.cyan(invocation(env, words)))
  lines.push(`Next: ${next.join(', then ')}`)
  return lines.join('\n')
}

/** True when the file was written. Opened exclusively: a file that appears meanwhile is kept as well. */
function writeMissing(path: string, text: string): boolean {
  try {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text, { flag: 'wx' })
    return true
  } catch (error) {
    const code = (error as { readonly code?: unknown }).code
    if (code === 'EEXIST' && !isBlockedFolder(error)) return false
    throw new ChkitError(
      code === 'ENOSPC' ? 'disk_full' : 'file_unwritable',
      `${path} cannot be written: ${messageOf(error)}`,
      { details: { file: path }, cause: error },
    )
  }
}

/** A file stands where a folder is needed: `mkdir` says so with the same code as a file that is there already. */
function isBlockedFolder(error: unknown): boolean {
  return (error as { readonly syscall?: unknown }).syscall === 'mkdir'
}

/** Whether the optional engine can be resolved from the project or from chkit's own place. */
function hasEmbeddedEngine(cwd: string): boolean {
  return [join(cwd, 'package.json'), import.meta.url].some((from) => {
    try {
      createRequire(from).resolve('chdb')
      return true
    } catch {
      // Not installed there; any other reason why it cannot be resolved makes it just as unusable.
      return false
    }
  })
}

function configTemplate(embedded: boolean): string {
  const url = embedded ? 'chdb:./chkit/dev-db' : 'http://localhost:8123'
  const comment = embedded
    ? '    // chdb:<folder> is ClickHouse inside this process; http(s)://host:port is a server.\n'
    : '    // http(s)://host:port is a server; with the package chdb installed, chdb:./chkit/dev-db needs none.\n'
  return `import { defineConfig } from 'chkit'
// import { pull } from 'chkit/plugins/pull'
// import { codegen } from 'chkit/plugins/codegen'
// import { backfill } from 'chkit/plugins/backfill'

export default defineConfig({
  // Files that export tables, views and the rest of the schema.
  schema: './src/db/schema/**/*.ts',

  // Commit migrations and meta (the snapshots that migrations led to); not the database of the embedded engine.
  outDir: './chkit',
  migrationsDir: './chkit/migrations',
  metaDir: './chkit/meta',

  plugins: [
    // pull({ outFile: './src/db/schema/pulled.ts' }),  // live database -> schema files
    // codegen({ emitZod: true }),                      // schema -> TypeScript types
    // backfill(),                                      // time-windowed, resumable copies
  ],

  clickhouse: {
${comment}    url: process.env.CLICKHOUSE_URL ?? '${url}',
    username: process.env.CLICKHOUSE_USER ?? 'default',
    password: process.env.CLICKHOUSE_PASSWORD ?? '',
    database: process.env.CLICKHOUSE_DB ?? 'default',
  },
})
`
}

const EXAMPLE_TEMPLATE = `import { schema, table } from 'chkit'

export const events = table({
  database: 'default',
  name: 'events',
  engine: 'MergeTree',
  columns: [
    { name: 'id', type: 'UInt64' },
    { name: 'source', type: 'String' },
    { name: 'ingested_at', type: 'DateTime64(3)', defaultExpression: 'now64(3)' },
  ],
  orderBy: ['id'],
  partitionBy: 'toYYYYMM(ingested_at)',
})

export default schema(events)
`
