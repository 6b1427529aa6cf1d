import { isUtf8 } from 'node:buffer'
import { accessSync, constants, mkdirSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, isAbsolute, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { messageOf } from '../errors.js'

/** Loads TypeScript and JavaScript modules of the project. Each module runs once in a loader's life. */
export type ModuleLoader = {
  /** Everything the module exports. Throws `ModuleLoadError`. */
  load(file: string): Promise<Readonly<Record<string, unknown>>>
  /** Forgets the loaded modules, so that the next loader of this process reads the files anew. */
  dispose(): void
}

/** Why a module did not load; the caller gives it the code of what it was loading. */
export class ModuleLoadError extends Error {
  /** `syntax`: a file does not parse; `missing_import`: an import names nothing; `thrown`: its code threw. */
  readonly kind: 'syntax' | 'missing_import' | 'thrown'
  /**
   * `/path/file.ts:3:7` (both from 1) of what does not parse, `/path/file.ts:3` of what was thrown, as far as it is
   * known; may be another file than the one asked for.
   */
  readonly location: string
  /** What happened, without the location. */
  readonly reason: string

  constructor(kind: ModuleLoadError['kind'], location: string, reason: string, cause: unknown) {
    super(`${location}: ${reason}`, { cause })
    this.name = 'ModuleLoadError'
    this.kind = kind
    this.location = location
    this.reason = reason
  }
}

export type ModuleLoaderOptions = {
  /** Folder of the config file; relative lookups and the cache start here. */
  readonly root: string
  readonly env: Readonly<Record<string, string | undefined>>
  /**
   * Modules that `import` gets instead of a file, by specifier. A function is called at the first import of its
   * specifier and may give a promise: what nobody imports is never loaded.
   */
  readonly provided: Readonly<Record<string, () => unknown>>
}

/** A loader whose transpiled output is kept between runs where a folder for it can be written. */
export function createModuleLoader(options: ModuleLoaderOptions): ModuleLoader {
  // Through require: importing the CommonJS package would first scan its whole text for export names, which takes
  // longer than everything else here together.
  const require = createRequire(import.meta.url)
  const { createJiti } = require('jiti') as typeof import('jiti')
  const before = new Set(Object.keys(require.cache))
  const jiti = createJiti(join(options.root, 'chkit-loader.js'), {
    fsCache: cacheFolder(options) ?? false,
    moduleCache: true,
    interopDefault: true,
    // Bun would else load files by itself, and resolve `chkit` to whatever is installed, or to nothing.
    tryNative: false,
    virtualModules: lazyModules(options.provided),
  })
  return {
    load: async (file) => {
      refuseOtherEncodings(file)
      try {
        return exportsOf(await jiti.import(file))
      } catch (error) {
        throw explain(error, file)
      }
    },
    dispose: () => {
      for (const key of Object.keys(require.cache)) {
        if (!before.has(key) && !key.includes('node_modules')) delete require.cache[key]
      }
    },
  }
}

/** Text of another encoding would load, with its letters replaced, and end up in names and comments of the database. */
function refuseOtherEncodings(file: string): void {
  // A package's name, or a path that jiti completes: what cannot be found here is for jiti to find or to report.
  if (!isAbsolute(file) || !isFile(file)) return
  const bytes = readFileSync(file)
  if (isUtf8(bytes)) return
  const line =
    bytes
      .toString('latin1')
      .split('\n')
      .findIndex((text) => !isUtf8(Buffer.from(text, 'latin1'))) + 1
  throw new ModuleLoadError('thrown', `${file}:${line}`, 'it is not UTF-8; save it as UTF-8', undefined)
}

/**
 * The exports as a plain object. jiti gives a module without a default export itself as its default, which is right for
 * CommonJS (`module.exports = …`) and wrong for a module that exports by name only.
 */
function exportsOf(loaded: unknown): Readonly<Record<string, unknown>> {
  if (typeof loaded !== 'object' || loaded === null) return { default: loaded }
  const exports: Record<string, unknown> = {}
  for (const key of Object.keys(loaded)) exports[key] = (loaded as Record<string, unknown>)[key]
  const isModule = '__esModule' in loaded || Object.prototype.toString.call(loaded) === '[object Module]'
  if (!isModule && Object.keys(exports).length > 0 && !('default' in exports)) exports.default = loaded
  return exports
}

/** An object whose property is the module, or a promise of it: jiti awaits what an `import` finds. */
function lazyModules(provided: ModuleLoaderOptions['provided']): Record<string, unknown> {
  const modules: Record<string, unknown> = {}
  for (const [specifier, load] of Object.entries(provided)) {
    let loaded: unknown
    Object.defineProperty(modules, specifier, {
      enumerable: true,
      get: () => {
        loaded ??= load()
        return loaded
      },
    })
  }
  return modules
}

/**
 * Where transpiled modules are kept: `node_modules/.cache` of the project where that exists, else the user's cache
 * folder; never a folder that others can write, since what lies there is executed. Undefined when neither is writable.
 */
function cacheFolder({ root, env }: ModuleLoaderOptions): string | undefined {
  const projectCache = join(root, 'node_modules', '.cache')
  const home = env.HOME ?? env.USERPROFILE
  const userCache = env.XDG_CACHE_HOME ?? env.LOCALAPPDATA ?? (home === undefined ? undefined : join(home, '.cache'))
  const folders = [isFolder(projectCache) ? projectCache : undefined, userCache]
  for (const folder of folders) {
    if (folder === undefined || folder === '') continue
    const own = join(folder, 'chkit')
    try {
      mkdirSync(own, { recursive: true, mode: 0o700 })
      accessSync(own, constants.W_OK)
      return own
    } catch {
      // Any failure means the same: this folder cannot hold a cache, and none is needed.
    }
  }
  return undefined
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

function explain(error: unknown, file: string): ModuleLoadError {
  const message = messageOf(error)
  const parse = /^(?:ParseError|SyntaxError): ([\s\S]*?)\s*\n\s*(\S.*?):(\d+):(\d+)\s*$/.exec(message)
  if (parse !== null) {
    const [, reason = '', path, line, column] = parse
    // The parser counts columns from 0, editors from 1.
    return new ModuleLoadError('syntax', `${path}:${line}:${Number(column) + 1}`, reason.trim(), error)
  }
  const place = projectPlace(error)
  // A SyntaxError of a line that ran is what `JSON.parse` and the like throw.
  if (error instanceof SyntaxError && place === undefined) return new ModuleLoadError('syntax', file, message, error)
  if (isMissingModule(error)) {
    const [first = message] = message.split('\n')
    const importer = /Require stack:\n- (.+)/.exec(message)?.[1]?.trim() ?? file
    return new ModuleLoadError('missing_import', importer, first, error)
  }
  return new ModuleLoadError('thrown', place ?? file, message, error)
}

function isMissingModule(error: unknown): boolean {
  const code = (error as { readonly code?: unknown } | null)?.code
  return code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND'
}

/** Where chkit's own code lies: `dist` with its chunks, or `src`. */
const OWN_FOLDER = dirname(fileURLToPath(import.meta.url)).replace(/[/\\](?:chunks|config)$/, '')

/**
 * `/path/file.ts:3`: the innermost line of the error's stack that lies in a file of the project; undefined where there is
 * none. It has no column, since transpiling keeps lines and moves what stands on them.
 */
export function projectPlace(error: unknown): string | undefined {
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  for (const line of stack.split('\n').slice(1)) {
    const frame = /^at (?:.*? \((.+)\)|(?:async )?(.+))$/.exec(line.trim())
    const [, place = '', number] = /^(.+\.[cm]?[jt]sx?):(\d+):\d+$/.exec(frame?.[1] ?? frame?.[2] ?? '') ?? []
    if (number === undefined || place.includes('node_modules') || place.startsWith('node:')) continue
    const path = place.startsWith('file:') ? fileURLToPath(place) : place
    if (!path.startsWith(`${OWN_FOLDER}${sep}`)) return `${path}:${number}`
  }
  return undefined
}
