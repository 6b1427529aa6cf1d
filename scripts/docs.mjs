// npm run docs: writes what the registry and the payload schemas know into docs/: the flag tables, payload fields and
// examples of docs/commands/<name>.md between their markers (prose around them is kept), the list of commands, and
// docs/schemas/<name>.json. With --check nothing is written and stale pages end it with 1.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const isCheck = process.argv.includes('--check')

/** The registry and the payload schemas, straight from the sources. */
async function loadSources() {
  const outfile = join(tmpdir(), `chkit-docs-${process.pid}.mjs`)
  await build({
    absWorkingDir: root,
    stdin: {
      contents: [
        "export { createRegistry } from './src/cli/registry.ts'",
        "export { documentSchema, failureDocument, RESULT_DOCUMENTS } from './src/cli/payloads.ts'",
        "export { flagUsage, commandUsage } from './src/commands/help.run.ts'",
        "export { z } from 'zod'",
      ].join('\n'),
      resolveDir: root,
      loader: 'ts',
    },
    bundle: true,
    format: 'esm',
    platform: 'node',
    external: ['chdb', 'jiti', './*.run.js'],
    outfile,
    logLevel: 'warning',
    plugins: [{ name: 'no-handlers', setup: skipHandlers }],
  })
  try {
    return await import(pathToFileURL(outfile).href)
  } finally {
    rmSync(outfile)
  }
}

/** The pages need what commands are, not what they do. */
function skipHandlers(bundler) {
  bundler.onResolve({ filter: /\.run\.js$/ }, ({ kind, path }) =>
    kind === 'dynamic-import' ? { path, external: true } : undefined,
  )
}

const { createRegistry, documentSchema, failureDocument, RESULT_DOCUMENTS, flagUsage, commandUsage, z } =
  await loadSources()
const registry = createRegistry()
const stale = []

/** Puts `generated` between the markers of a page; a page that is missing is made with its title. */
function writeSection(path, title, name, generated) {
  const file = join(root, path)
  const begin = `<!-- generated:${name} -->`
  const end = `<!-- /generated:${name} -->`
  const section = `${begin}\n${generated.trim()}\n${end}`
  const old = existsSync(file) ? readFileSync(file, 'utf8') : `# ${title}\n`
  const from = old.indexOf(begin)
  const to = old.indexOf(end)
  const text =
    from === -1 || to === -1
      ? `${old.trimEnd()}\n\n${section}\n`
      : old.slice(0, from) + section + old.slice(to + end.length)
  writeFile(path, text)
}

function writeFile(path, text) {
  const file = join(root, path)
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return
  stale.push(path)
  if (isCheck) return
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(file, text)
}

const EFFECTS = {
  read: 'Reads only: it changes no file and no database.',
  files: 'Writes project files; the database is left alone.',
  database: 'Changes the database.',
}

const cell = (text) => text.replaceAll('|', '\\|').replaceAll('\n', ' ')
const code = (text) => `\`${text}\``

function flagTable(flags) {
  if (flags.length === 0) return 'No flags of its own.'
  const rows = flags.map((flag) => {
    const choices = flag.choices === undefined ? '' : ` One of: ${flag.choices.map(code).join(', ')}.`
    const repeat = flag.type === 'string[]' && !/comma/i.test(flag.description) ? ' Comma-separated or repeated.' : ''
    return `| ${code(cell(flagUsage(flag)))} | ${cell(flag.description)}${choices}${repeat} |`
  })
  return ['| Flag | |', '| --- | --- |', ...rows].join('\n')
}

/** The type of a JSON Schema node in a few words. */
function typeText(node) {
  if (node.const !== undefined) return code(JSON.stringify(node.const))
  if (node.enum !== undefined) return node.enum.map((value) => code(JSON.stringify(value))).join(', ')
  if (node.anyOf !== undefined) return node.anyOf.map(typeText).join(' or ')
  if (node.type === 'array') return `list of ${typeText(node.items ?? {})}`
  if (node.type === 'object' && node.properties !== undefined) {
    return `{ ${Object.entries(node.properties)
      .map(([key, value]) => `${key}${(node.required ?? []).includes(key) ? '' : '?'}: ${nestedType(value)}`)
      .join(', ')} }`
  }
  if (node.type === 'object') return `object of ${typeText(node.additionalProperties || {})}`
  return [node.type ?? 'any'].flat().join(' or ')
}

function nestedType(node) {
  if (node.type === 'object' && node.properties !== undefined) return '{ … }'
  if (node.type === 'array' && node.items?.type === 'object') return '[ … ]'
  return typeText(node).replaceAll('`', '')
}

const COMMON = ['command', 'schemaVersion', 'ok', 'warnings']

function payloadTables(command) {
  const schemas = RESULT_DOCUMENTS[command].map((schema) => z.toJSONSchema(schema, { io: 'input' }))
  const tables = schemas.map((schema) => {
    const fields = Object.entries(schema.properties).filter(([key]) => !COMMON.includes(key))
    const rows = fields.map(([key, node]) => {
      const optional = (schema.required ?? []).includes(key) ? '' : ' (optional)'
      return `| ${code(key)}${optional} | ${cell(typeText(node))} | ${cell(node.description ?? '')} |`
    })
    return ['| Field | Type | |', '| --- | --- | --- |', ...rows].join('\n')
  })
  return tables.join('\n\nor\n\n')
}

for (const command of registry.commands) {
  const lines = [
    command.description,
    '',
    '```',
    `chkit ${commandUsage(command)}`,
    '```',
    '',
    EFFECTS[command.effect],
    '',
    '## Flags',
    '',
    flagTable(command.flags),
    '',
    `Every command also takes ${registry.globalFlags.map((flag) => code(flagUsage(flag))).join(', ')}.`,
  ]
  if (command.details !== undefined) lines.push('', command.details)
  if (command.examples.length > 0) {
    const width = Math.max(...command.examples.map(({ line }) => line.length))
    const examples = command.examples.map(({ line, description }) => `${line.padEnd(width)}  # ${description}`)
    lines.push('', '## Examples', '', '```bash', ...examples, '```')
  }
  lines.push(
    '',
    '## JSON document',
    '',
    'Besides `command`, `schemaVersion`, `ok` and, where there were any, `warnings`:',
    '',
    payloadTables(command.name),
    '',
    `A failed run prints \`error\`, \`code\`, \`retriable\` and, where they help, \`hint\` and \`details\` ([error codes](../errors.md)). JSON Schema: [${command.name}.json](../schemas/${command.name}.json).`,
  )
  writeSection(`docs/commands/${command.name}.md`, `chkit ${command.name}`, 'command', lines.join('\n'))
  const schema = z.toJSONSchema(documentSchema(command.name), { io: 'input' })
  writeFile(
    `docs/schemas/${command.name}.json`,
    `${JSON.stringify({ ...schema, title: `chkit ${command.name} --json` }, null, 2)}\n`,
  )
}

const failure = z.toJSONSchema(failureDocument, { io: 'input' })
writeFile('docs/schemas/failure.json', `${JSON.stringify({ ...failure, title: 'A failed run of chkit' }, null, 2)}\n`)

const index = registry.commands.map(
  (command) => `| [${command.name}](${command.name}.md) | ${command.effect} | ${cell(command.description)} |`,
)
writeSection(
  'docs/commands/README.md',
  'Commands',
  'commands',
  [
    '| Command | Effect | |',
    '| --- | --- | --- |',
    ...index,
    '',
    '## Flags of every command',
    '',
    flagTable(registry.globalFlags),
  ].join('\n'),
)

writeSection(
  'docs/json-output.md',
  'JSON output',
  'documents',
  [
    '| document | page | JSON Schema |',
    '| --- | --- | --- |',
    ...registry.commands.map(
      ({ name }) => `| ${code(name)} | [${name}](commands/${name}.md) | [${name}.json](schemas/${name}.json) |`,
    ),
    '| a failure | [error codes](errors.md) | [failure.json](schemas/failure.json) |',
  ].join('\n'),
)

// A page or a schema of a command that is no more must not stay.
for (const folder of ['docs/commands', 'docs/schemas']) {
  const known = [...registry.commands.map(({ name }) => name), 'README', 'failure']
  for (const name of existsSync(join(root, folder)) ? readdirSync(join(root, folder)) : []) {
    if (!/\.(md|json)$/.test(name) || known.includes(name.replace(/\.(md|json)$/, ''))) continue
    stale.push(`${folder}/${name} (no such command)`)
    if (!isCheck && folder === 'docs/schemas') rmSync(join(root, folder, name))
  }
}

if (isCheck && stale.length > 0) {
  console.error(`Stale pages; run \`npm run docs\`:\n${stale.map((path) => `  ${path}`).join('\n')}`)
  process.exit(1)
}
console.log(stale.length === 0 ? 'All pages are up to date.' : `Wrote ${stale.join(', ')}.`)
