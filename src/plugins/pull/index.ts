import { isAbsolute, relative, resolve } from 'node:path'
import { z } from 'zod'
import {
  type Baseline,
  ChkitError,
  type DeclaredObject,
  type Definition,
  defineFlags,
  definePlugin,
  flagsOf,
  isDatabaseObject,
  type LiveSchema,
  objectName,
  type PluginCommandContext,
  type PluginCommandResult,
} from '../../index.js'
import { layoutFolder, schemaFiles } from './layout.js'
import { plannedFiles, stageFiles, type WrittenFile } from './output.js'
import { type SecretReference, withReferences } from './secrets.js'

const optionsSchema = z.strictObject({
  /** The schema file, relative to the config file; with `per-table` its name without extension is a folder. */
  outFile: z
    .string()
    .regex(/\.[cm]?ts$/, 'must be the path of a TypeScript file, such as ./src/db/schema/pulled.ts')
    .default('./src/db/schema/pulled.ts'),
  /** Only the objects of these databases. Default: all but the server's own. */
  databases: z.array(z.string().min(1)).min(1).optional(),
  /** Replaces files that exist, as --force does. */
  overwrite: z.boolean().default(false),
  /** One file, or one per object. */
  layout: z.enum(['single', 'per-table']).default('single'),
})

/** The options of `pull({ ... })`; all have defaults. */
export type PullOptions = z.input<typeof optionsSchema>

type Options = z.output<typeof optionsSchema>
type Context = PluginCommandContext<Options>

const flags = defineFlags([
  { name: 'out-file', type: 'string', placeholder: '<path>', description: 'The schema file to write.' },
  {
    name: 'database',
    type: 'string[]',
    placeholder: '<name>',
    description: 'Only the objects of this database; may be repeated.',
  },
  { name: 'layout', type: 'string', choices: ['single', 'per-table'], description: 'One file, or one per object.' },
  { name: 'dryrun', type: 'boolean', description: 'Print what would be written; write nothing.' },
  { name: 'force', type: 'boolean', aliases: ['overwrite'], description: 'Replace files that exist.' },
  {
    name: 'baseline',
    type: 'boolean',
    description: 'Also write the snapshot and a first migration that is already marked as applied.',
  },
])

/** The plugin itself: the live database as schema files. */
export const pullPlugin = definePlugin<Options>({
  manifest: { name: 'pull', apiVersion: 1 },
  options: optionsSchema,
  commands: [
    {
      name: 'schema',
      description: 'Write the live database as a TypeScript schema.',
      effect: 'files',
      default: true,
      flags,
      details:
        'Applied to an empty server, the schema makes the same objects. What it cannot represent is listed. With --baseline an existing database is adopted: generate, drift and check are clean right after.',
      examples: [
        { line: 'chkit pull --dryrun', description: 'See what would be written.' },
        { line: 'chkit pull --database app --force', description: 'Write one database, over the file that is there.' },
        { line: 'chkit pull --baseline', description: 'Adopt an existing database.' },
      ],
      run: runPull,
    },
  ],
})

/** `pull({ ... })` in `config.plugins`: writes the live database as a TypeScript schema. */
export function pull(options: PullOptions = {}) {
  return { plugin: pullPlugin, name: 'pull', options }
}

export default pullPlugin

async function runPull(context: Context): Promise<PluginCommandResult> {
  const given = flagsOf(context.flags, flags)
  if (context.flags.table !== undefined)
    context.warn('pull always writes whole databases; --table changes nothing. Use --database.')
  const { outFile, databases, overwrite, layout } = withFlags(context, given)
  const live = await readLive(context, databases)
  const { objects, secrets } = named(wanted(live, databases))
  const files = schemaFiles(objects, layout, outFile)
  const planned = plannedFiles(
    files,
    overwrite || given.dryrun === true,
    layout === 'single' ? undefined : layoutFolder(outFile),
  )
  report(context, live, objects, secrets)
  const payload = {
    outFile: shown(context, outFile),
    layout,
    databases: databasesOf(objects),
    objectCount: objects.length,
    counts: countsOf(objects),
    fallbacks: objects
      .filter(({ fallback }) => fallback !== undefined)
      .map(({ definition, fallback }) => ({ object: objectName(definition), reason: fallback })),
    skipped: live.skipped,
    unseen: live.unseen,
    secrets,
  }
  if (given.dryrun === true) {
    return {
      payload: {
        mode: 'dryrun',
        ...payload,
        files: planned.map((one) => ({
          ...shownFile(context, one),
          text: files.find(({ file }) => file === one.file)?.text,
        })),
        baseline: null,
      },
      text: files.map(({ file, text }) => `// ${shown(context, file)}\n${text}`).join('\n'),
    }
  }
  const staged = stageFiles(files, planned)
  let baseline: Baseline | undefined
  try {
    if (given.baseline === true)
      baseline = await context.baseline(
        objects.map(({ declaration }) => declaration),
        { force: overwrite },
      )
  } catch (error) {
    staged.discard()
    throw error
  }
  staged.commit()
  if (baseline !== undefined) await warnOfOthers(context, objects)
  return {
    payload: {
      mode: 'write',
      ...payload,
      files: planned.map((one) => shownFile(context, one)),
      baseline:
        baseline === undefined
          ? null
          : {
              migrationFile: baseline.migrationFile ? shown(context, baseline.migrationFile) : null,
              snapshotFile: baseline.snapshotFile ? shown(context, baseline.snapshotFile) : null,
              statementCount: baseline.statementCount,
              journal: baseline.journal,
            },
    },
    text: summary(context, objects, planned, baseline),
  }
}

type Resolved = Pick<Options, 'overwrite' | 'layout' | 'databases'> & { readonly outFile: string }

/** The options with what the command line says in their place. Paths there start in the working directory. */
function withFlags(context: Context, given: ReturnType<typeof flagsOf<typeof flags>>): Resolved {
  const { options } = context
  const path = given['out-file']
  if (path !== undefined && !/\.[cm]?ts$/.test(path))
    throw new ChkitError('invalid_flag_value', `--out-file must be the path of a TypeScript file, not "${path}".`, {
      hint: 'For example --out-file src/db/schema/pulled.ts.',
    })
  return {
    outFile: path === undefined ? resolve(context.config.root, options.outFile) : resolve(context.cwd, path),
    databases: given.database?.flatMap((one) => one.split(',')).filter((one) => one !== '') ?? options.databases,
    overwrite: options.overwrite || given.force === true,
    layout: given.layout ?? options.layout,
  }
}

/** The live schema; access objects belong to the server as a whole and are left out where databases are named. */
async function readLive(context: Context, databases: readonly string[] | undefined): Promise<LiveSchema> {
  const progress = context.progress('Reading the live schema')
  try {
    const live = await context.introspect({ databases, access: databases === undefined })
    const found = new Set(live.objects.map(({ definition }) => (definition.kind === 'database' ? definition.name : '')))
    const missing = (databases ?? []).filter(
      (name) => !found.has(name) && !live.skipped.some(({ object }) => object === name),
    )
    if (missing.length === 0) return live
    const names = missing.map((name) => `"${name}"`).join(', ')
    throw new ChkitError('database_not_found', `There is no database ${names} on the server.`, {
      hint: 'Names are case-sensitive; `chkit pull --dryrun` without --database shows all of them.',
      details: { databases: missing },
    })
  } finally {
    progress.done()
  }
}

/** Everything but databases that need no declaration: `default`, and plain ones that hold something. */
function wanted(live: LiveSchema, databases: readonly string[] | undefined): readonly DeclaredObject[] {
  const used = new Set(
    live.objects.flatMap(({ definition }) => (isDatabaseObject(definition) ? [definition.database] : [])),
  )
  return live.objects.filter(({ definition }) => {
    if (definition.kind !== 'database') return true
    const isPlain = definition.engine === undefined && definition.comment === undefined && !definition.settings
    if (definition.name === 'default') return definition.comment !== undefined && databases !== undefined
    return !(isPlain && used.has(definition.name))
  })
}

/** The objects with environment references in place of hidden secrets. */
function named(objects: readonly DeclaredObject[]): {
  readonly objects: readonly DeclaredObject[]
  readonly secrets: readonly SecretReference[]
} {
  const secrets: SecretReference[] = []
  const replaced = objects.map((object) => {
    const result = withReferences(object.definition, object.declaration)
    secrets.push(...result.secrets)
    return { ...object, declaration: result.declaration }
  })
  return { objects: replaced, secrets }
}

/** Says on stderr what the schema does not hold, or holds in another form. */
function report(
  context: Context,
  live: LiveSchema,
  objects: readonly DeclaredObject[],
  secrets: readonly SecretReference[],
): void {
  for (const { object, reason } of live.skipped) context.warn(`${object} is not in the schema: ${reason}`)
  for (const { definition, fallback } of objects)
    if (fallback !== undefined) context.warn(`${objectName(definition)} is declared by its text: ${fallback}`)
  for (const { object, variable } of secrets)
    context.warn(
      variable === undefined
        ? `${object} holds an encryption whose parameters the server shows as [HIDDEN]: put them back by hand.`
        : `${object} holds a secret that the server does not show; the schema reads it from the environment variable ${variable}.`,
    )
}

/** After a baseline, what the schema files declare besides the pulled objects would be created next; say so. */
async function warnOfOthers(context: Context, objects: readonly DeclaredObject[]): Promise<void> {
  let declared: readonly Definition[]
  try {
    declared = await context.schema()
  } catch (error) {
    if (!(error instanceof ChkitError)) throw error
    context.warn(`The schema files do not fit together yet: ${error.message}`)
    return
  }
  const keyOf = (definition: Definition) => `${definition.kind} ${objectName(definition)}`
  const known = new Set(declared.map(keyOf))
  if (objects.length > 0 && !objects.some(({ definition }) => known.has(keyOf(definition))))
    context.warn('The pattern `schema` in the config does not match the file that was written: add it there.')
}

function databasesOf(objects: readonly DeclaredObject[]): readonly string[] {
  const names = objects.flatMap(({ definition }) =>
    isDatabaseObject(definition) ? [definition.database] : definition.kind === 'database' ? [definition.name] : [],
  )
  return [...new Set(names)].sort()
}

function countsOf(objects: readonly DeclaredObject[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const { definition } of objects) counts[definition.kind] = (counts[definition.kind] ?? 0) + 1
  return counts
}

function summary(
  context: Context,
  objects: readonly DeclaredObject[],
  files: readonly WrittenFile[],
  baseline: Baseline | undefined,
): string {
  const { style } = context
  const parts = Object.entries(countsOf(objects)).map(([kind, count]) => `${count} ${kind.replaceAll('_', ' ')}`)
  const lines = [`${style.green('✓')} ${objects.length} objects${parts.length > 0 ? ` (${parts.join(', ')})` : ''}`]
  if (files.length > 10)
    lines.push(`  ${files.length} files below ${shown(context, layoutFolder(files[0]?.file ?? ''))}`)
  else lines.push(...files.map((one) => `  ${one.status} ${style.bold(shown(context, one.file))}`))
  if (baseline?.migrationFile !== undefined)
    lines.push(
      `  created ${style.bold(shown(context, baseline.migrationFile))}, marked as applied in ${baseline.journal}`,
    )
  return lines.join('\n')
}

function shownFile(context: Context, { file, status }: WrittenFile) {
  return { file: shown(context, file), status }
}

/** A path as messages show it: relative to the config file where it lies below it. */
function shown(context: Context, file: string): string {
  const path = relative(context.config.root, file)
  return path.startsWith('..') || isAbsolute(path) ? file : path.replaceAll('\\', '/')
}
