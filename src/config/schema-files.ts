import { statSync } from 'node:fs'
import { relative } from 'node:path'
import { ChkitError, messageOf } from '../errors.js'
import type { ResolvedConfig } from './config.js'
import { ModuleLoadError, type ModuleLoader } from './module-loader.js'

/** Folders and files that a pattern never means. */
const IGNORED = ['**/node_modules/**', '**/*.d.ts', '**/*.d.mts', '**/*.d.cts']

/** The text with every sign that means something in a glob pattern taken literally. */
export function escapeGlob(path: string): string {
  return path.replace(/[()[\]{}!*?+@|]/g, '\\$&')
}

/** Absolute paths that the config's patterns match, sorted by code units. Throws `schema_not_found`. */
export async function findSchemaFiles(config: ResolvedConfig): Promise<readonly string[]> {
  const prefix = `${escapeGlob(config.root.replaceAll('\\', '/')).replace(/\/$/, '')}/`
  const files = new Set<string>()
  const patterns: string[] = []
  for (const absolute of config.schema) {
    const negated = absolute.startsWith('!')
    const pattern = negated ? absolute.slice(1) : absolute
    // Below the root, patterns are matched relative to it: the root's own name is then never read as a pattern.
    const local = pattern.startsWith(prefix) ? pattern.slice(prefix.length) : pattern
    if (!negated && !/[\\()[\]{}!*?]/.test(local)) {
      const file = pattern === local ? local : `${config.root}/${local}`
      if (statSync(file, { throwIfNoEntry: false })?.isFile() ?? false) {
        files.add(file)
        continue
      }
    }
    patterns.push(negated ? `!${local}` : local)
  }
  if (patterns.some((pattern) => !pattern.startsWith('!'))) {
    const { glob } = await import('tinyglobby')
    const found = await glob(patterns, { cwd: config.root, absolute: true, ignore: IGNORED, dot: false })
    for (const file of found) if (/\.[cm]?[jt]sx?$/.test(file)) files.add(file)
  }
  if (files.size === 0) {
    const shown = config.schema.map((pattern) => (pattern.startsWith(prefix) ? pattern.slice(prefix.length) : pattern))
    throw new ChkitError('schema_not_found', `No schema file matches ${shown.map((one) => `"${one}"`).join(', ')}.`, {
      hint: `The patterns start at ${config.root}. Correct \`schema\` in the config, or run \`chkit init\` for an example.`,
      details: { patterns: config.schema, root: config.root },
    })
  }
  return [...files].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
}

/**
 * What each schema file exports, in order of the paths. Throws `schema_not_found`, `schema_syntax_error` with file, line
 * and column, and `schema_load_failed` with the file and what it threw.
 */
export async function loadSchemaFiles(
  config: ResolvedConfig,
  loader: ModuleLoader,
): Promise<readonly { readonly file: string; readonly exports: Readonly<Record<string, unknown>> }[]> {
  const files = await findSchemaFiles(config)
  const loaded: { file: string; exports: Readonly<Record<string, unknown>> }[] = []
  // One after the other: two files that import a third must both find it loaded.
  for (const file of files) {
    try {
      loaded.push({ file, exports: await settled(await loader.load(file), file) })
    } catch (error) {
      if (!(error instanceof ModuleLoadError)) throw error
      throw schemaError(error, file, config.root)
    }
  }
  return loaded
}

/** The exports with what promises among them came to: a definition behind one must not go unseen. */
async function settled(exports: Readonly<Record<string, unknown>>, file: string): Promise<Record<string, unknown>> {
  const values: Record<string, unknown> = { ...exports }
  for (const [name, value] of Object.entries(exports)) {
    if (!(value instanceof Promise)) continue
    try {
      values[name] = await value
    } catch (error) {
      throw new ModuleLoadError('thrown', file, `the promise exported as ${name} failed: ${messageOf(error)}`, error)
    }
  }
  return values
}

function schemaError(error: ModuleLoadError, file: string, root: string): ChkitError {
  const label = relative(root, file)
  const details = { file, location: error.location }
  if (error.kind === 'syntax') {
    return new ChkitError('schema_syntax_error', `${error.location} does not parse: ${error.reason}`, {
      details,
      cause: error,
    })
  }
  const where = error.location === file ? '' : ` (${error.location})`
  return new ChkitError('schema_load_failed', `Schema file ${label} could not be loaded: ${error.reason}${where}`, {
    details,
    cause: error,
  })
}
