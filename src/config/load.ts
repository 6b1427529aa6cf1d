import { existsSync, statSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path'
import { ChkitError, messageOf } from '../errors.js'
import type { ClickHouseConfig, ConfigEnvironment, ResolvedConfig, TlsOptions, UserConfig } from './config.js'
import { ModuleLoadError, type ModuleLoader, projectPlace } from './module-loader.js'
import { escapeGlob } from './schema-files.js'

/** The config file's name when `--config` names none. */
export const DEFAULT_CONFIG_FILE = 'clickhouse.config.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** `--mode`, else `CHKIT_MODE`, else `development`. */
export function configMode(flag: string | undefined, env: Environment): string {
  return flag ?? (env.CHKIT_MODE || 'development')
}

/** Absolute path of the config file to load; it need not exist. */
export function configPath(flag: string | undefined, cwd: string): string {
  return resolve(cwd, flag ?? DEFAULT_CONFIG_FILE)
}

/** Whether there is a config file to load. */
export function hasConfig(file: string): boolean {
  return existsSync(file)
}

/**
 * The config with defaults applied and paths absolute. Throws `config_not_found`, `config_syntax_error`,
 * `config_load_failed` and `config_invalid`.
 */
export async function loadConfig(
  file: string,
  environment: ConfigEnvironment,
  loader: ModuleLoader,
  cwd: string,
  env: Environment,
): Promise<ResolvedConfig> {
  const label = labelOf(file, cwd)
  if (!(statSync(file, { throwIfNoEntry: false })?.isFile() ?? false)) {
    throw new ChkitError('config_not_found', `Config not found: ${label}.`, {
      hint: hintForMissing(file, cwd),
      details: { file },
    })
  }
  const { exported } = await loadExport(file, label, loader)
  const value = await settleConfig(exported, environment, label)
  const { validateConfig } = await import('./schema.js')
  return resolveConfig(validateConfig(value, label), file, environment.mode, env)
}

const CONFIG_EXTENSIONS = ['ts', 'mts', 'cts', 'js', 'mjs', 'cjs']

/** Names a config that is near: beside the missing one with another extension, or in a folder above. */
function hintForMissing(file: string, cwd: string): string {
  const stem = basename(file).replace(/\.[cm]?[jt]s$/, '')
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const found = CONFIG_EXTENSIONS.map((extension) => join(folder, `${stem}.${extension}`)).find((path) =>
      existsSync(path),
    )
    if (found !== undefined) {
      const near = relative(cwd, found)
      return `There is ${near}: add --config ${near}${dirname(found) === cwd ? '' : ', or run chkit in its folder'}.`
    }
    if (folder === dirname(folder)) return 'Run `chkit init` to write one, or name another with --config <path>.'
  }
}

/** In an object, because an async function would await an exported promise itself. */
async function loadExport(file: string, label: string, loader: ModuleLoader): Promise<{ readonly exported: unknown }> {
  let exports: Readonly<Record<string, unknown>>
  try {
    exports = await loader.load(file)
  } catch (error) {
    if (!(error instanceof ModuleLoadError)) throw error
    const where = error.location === file ? label : error.location
    throw error.kind === 'syntax'
      ? new ChkitError('config_syntax_error', `${error.location} does not parse: ${error.reason}`, {
          details: { file, location: error.location },
          cause: error,
        })
      : new ChkitError('config_load_failed', `${label} could not be loaded: ${error.reason} (${where})`, {
          details: { file, location: error.location },
          cause: error,
        })
  }
  const exported = exports.default ?? exports.config
  if (exported === undefined || exported === null || isEmptyModule(exports)) {
    throw new ChkitError('config_invalid', `${label} exports no config.`, {
      hint: 'Export it: `export default defineConfig({ schema: … })`.',
      details: { file },
    })
  }
  return { exported }
}

/** A CommonJS-style module that exports nothing shows an empty object as its default. */
function isEmptyModule(exports: Readonly<Record<string, unknown>>): boolean {
  return Object.keys(exports).length === 0
}

function isFunction(value: unknown): value is (environment: ConfigEnvironment) => unknown {
  return typeof value === 'function'
}

/** The object behind the export: what the function gives, or what a promise resolves to. */
async function settleConfig(exported: unknown, environment: ConfigEnvironment, label: string): Promise<unknown> {
  try {
    return await (isFunction(exported) ? exported(environment) : exported)
  } catch (error) {
    if (!isFunction(exported)) {
      const message = `The promise that ${label} exports failed: ${messageOf(error)}${placeIn(error)}`
      throw new ChkitError('config_load_failed', message, { cause: error })
    }
    throw new ChkitError(
      'config_load_failed',
      `The function in ${label} failed for command "${environment.command}", mode "${environment.mode}": ${messageOf(error)}${placeIn(error)}`,
      { cause: error },
    )
  }
}

/** ` (/path/file.ts:3)`; empty where the error does not say. */
function placeIn(error: unknown): string {
  const place = projectPlace(error)
  return place === undefined ? '' : ` (${place})`
}

function labelOf(file: string, cwd: string): string {
  const short = relative(cwd, file)
  return short === '' || short.startsWith('..') || isAbsolute(short) ? file : short
}

function resolveConfig(config: UserConfig, file: string, mode: string, env: Environment): ResolvedConfig {
  const root = dirname(file)
  const outDir = resolve(root, config.outDir ?? './chkit')
  const patterns = typeof config.schema === 'string' ? [config.schema] : config.schema
  return {
    file,
    root,
    schema: patterns.map((pattern) => absolutePattern(root, pattern)),
    outDir,
    migrationsDir:
      config.migrationsDir === undefined ? resolve(outDir, 'migrations') : resolve(root, config.migrationsDir),
    metaDir: config.metaDir === undefined ? resolve(outDir, 'meta') : resolve(root, config.metaDir),
    plugins: config.plugins ?? [],
    ...(config.clickhouse === undefined ? {} : { clickhouse: resolveClickHouse(config.clickhouse, root) }),
    check: {
      failOnPending: config.check?.failOnPending ?? true,
      failOnChecksumMismatch: config.check?.failOnChecksumMismatch ?? true,
      failOnDrift: config.check?.failOnDrift ?? true,
    },
    safety: { allowDestructive: config.safety?.allowDestructive ?? false },
    journal: {
      store: config.journal?.store ?? (config.clickhouse === undefined ? 'file' : 'table'),
      // The variable is set for one run, the config for all: the nearer one wins.
      table: env.CHKIT_JOURNAL_TABLE || (config.journal?.table ?? '_chkit_migrations'),
    },
    mode,
  }
}

/** The pattern below `root`, whose own name may hold signs that mean something in a pattern. A leading `!` stays in front. */
function absolutePattern(root: string, pattern: string): string {
  if (pattern.startsWith('!')) return `!${absolutePattern(root, pattern.slice(1))}`
  const plain = pattern.replaceAll('\\', '/').replace(/^(?:\.\/)+/, '')
  if (isAbsolute(pattern)) return pattern
  let base = root
  let rest = plain
  while (rest.startsWith('../')) {
    base = dirname(base)
    rest = rest.slice(3)
  }
  return `${escapeGlob(base.replaceAll('\\', '/')).replace(/\/$/, '')}/${rest}`
}

function resolveClickHouse(given: NonNullable<UserConfig['clickhouse']>, root: string): ClickHouseConfig {
  const { user, secure, ...config } = given
  const { url, username, password } = splitCredentials(resolveUrl(config.url, secure ?? false, root))
  return {
    ...config,
    url,
    username: config.username ?? user ?? username,
    password: config.password ?? password,
    // An unset variable arrives as an empty text; both mean the default.
    database: config.database || 'default',
    ...(config.tls === undefined ? {} : { tls: resolveTls(config.tls, root) }),
  }
}

function resolveUrl(url: string, secure: boolean, root: string): string {
  const embedded = /^chdb:(.*)$/is.exec(url)?.[1]
  if (embedded !== undefined) return embedded === ':memory:' ? 'chdb::memory:' : `chdb:${resolve(root, embedded)}`
  return secure ? url.replace(/^http:/i, 'https:') : url
}

/** Credentials out of the URL, so that no message that shows the URL can show them. */
function splitCredentials(url: string): {
  readonly url: string
  readonly username?: string
  readonly password?: string
} {
  if (!/^https?:/i.test(url)) return { url }
  const parsed = new URL(url)
  if (parsed.username === '' && parsed.password === '') return { url }
  const username = decode(parsed.username)
  const password = decode(parsed.password)
  parsed.username = ''
  parsed.password = ''
  return { url: parsed.toString(), ...(username === '' ? {} : { username }), ...(password === '' ? {} : { password }) }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (error) {
    // A percent sign that encodes nothing: the text is meant as it stands.
    if (error instanceof URIError) return text
    throw error
  }
}

function resolveTls(tls: TlsOptions, root: string): TlsOptions {
  const file = (path: string | undefined) => (path === undefined ? undefined : resolve(root, path))
  return { ...tls, caFile: file(tls.caFile), certFile: file(tls.certFile), keyFile: file(tls.keyFile) }
}
