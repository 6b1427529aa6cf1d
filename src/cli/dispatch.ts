import type { Executor } from '../clickhouse/executor.js'
import { helpFor, unknownCommand } from '../commands/help.run.js'
import type { ResolvedConfig } from '../config/config.js'
import { configMode, configPath, hasConfig, loadConfig } from '../config/load.js'
import { createModuleLoader, type ModuleLoader } from '../config/module-loader.js'
import { ChkitError, messageOf, toChkitError } from '../errors.js'
import type {
  CommandContext,
  CommandResult,
  Flags,
  Progress,
  RegisteredCommand,
  Registry,
  SchemaFile,
  TableScope,
} from '../plugin-host/command.js'
import {
  createHost,
  type HostServices,
  type PluginHost,
  pluginCommands,
  pluginExtensions,
} from '../plugin-host/host.js'
import { parseArguments, type Scan, scanArguments } from './flags.js'
import type { Io } from './io.js'
import {
  createProgress,
  createStyle,
  ERASE_LINE,
  errorDocument,
  errorText,
  resultDocument,
  takesColour,
} from './output.js'
import { createPrompt } from './prompt.js'
import { projectModules } from './provided-modules.js'
import { createRedactor } from './redact.js'
import { CORE_COMMANDS, createRegistry, findCommand, GLOBAL_FLAGS, OFFICIAL_PLUGINS } from './registry.js'

/**
 * One invocation, from the words behind `chkit` to the exit code. Never throws: every failure is printed here, as text or
 * as the one JSON document, and nowhere else.
 */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  const scan = scanArguments(argv, [...GLOBAL_FLAGS, ...CORE_COMMANDS.flatMap((command) => command.flags ?? [])])
  const session = openSession(scan, io)
  sessions.set(io, session)
  io.cleanForeign?.(session.redact)
  const restoreConsole = scan.json ? routeConsole((line) => io.stderr.write(session.redact(line))) : undefined
  let exitCode: number
  try {
    exitCode = await dispatch(argv, scan, session)
  } catch (error) {
    exitCode = session.fail(error)
  } finally {
    await session.close()
    restoreConsole?.()
  }
  return exitCode
}

/**
 * Reports what nobody caught, such as a promise that a plugin left alone, in the form that the run would have used, and
 * gives the exit code. For the moment before the process ends.
 */
export function reportCrash(argv: readonly string[], io: Io, thrown: unknown): number {
  const session = sessions.get(io) ?? openSession(scanArguments(argv, GLOBAL_FLAGS), io)
  return session.fail(thrown)
}

/** What a run ends with when the project's own code ended the process, with this code, before the run had come to its end. */
export function endedByProject(code: number): ChkitError {
  return new ChkitError('internal_error', `The project’s own code ended the process, with code ${code}.`, {
    hint: 'Look for `process.exit` in the config, the schema files and the plugins; let them throw an error instead.',
  })
}

/** What one invocation holds: its output, its config and connection once they are opened, and how it ends. */
type Session = ReturnType<typeof openSession>

/** The session of each run, for a crash beside it: it alone knows the secrets of the config and the command under way. */
const sessions = new WeakMap<Io, Session>()

function openSession(scan: Scan, io: Io) {
  const redactor = createRedactor(io.env)
  const stdoutStyle = createStyle(!scan.json && takesColour(io.stdout, io.env))
  const stderrStyle = createStyle(takesColour(io.stderr, io.env))
  const warnings: string[] = []
  const animated = io.stderr.isTTY && io.env.CI === undefined && io.env.TERM !== 'dumb'
  const quietStderr = { ...io.stderr, write: (text: string) => io.stderr.write(redactor.redact(text)) }
  const startProgress = createProgress(quietStderr, stderrStyle, io.now, animated)
  const running = new Set<Progress>()
  const progress = (text: string): Progress => {
    const started = startProgress(text)
    running.add(started)
    const done = (last?: string) => {
      running.delete(started)
      started.done(last)
    }
    return { update: started.update, done }
  }
  const say = (line: string) => {
    // A line that is being animated goes away first, and comes back below with its next frame.
    if (animated && running.size > 0) io.stderr.write(ERASE_LINE)
    io.stderr.write(`${redactor.redact(line)}\n`)
  }
  const state: {
    command: string
    config?: ResolvedConfig
    connection?: Promise<Executor>
    loader?: ModuleLoader
    schemaFiles?: Promise<readonly SchemaFile[]>
    flags: Flags
    /** Whether the command may create a database that is not there. */
    createsData: boolean
  } = { command: scan.words[0] ?? 'help', flags: {}, createsData: false }

  const requireConfig = (): ResolvedConfig => {
    if (state.config === undefined) {
      throw new ChkitError('config_required', `"chkit ${state.command}" needs a config, and none was loaded.`, {
        hint: 'Run `chkit init` to write one.',
      })
    }
    return state.config
  }

  return {
    io,
    scan,
    state,
    warnings,
    stdoutStyle,
    width: io.stdout.isTTY ? io.stdout.columns : undefined,
    redact: redactor.redact,
    hide: (secret: string) => redactor.add(secret),
    note: say,
    warn: (line: string) => {
      warnings.push(line)
      say(`${stderrStyle.yellow('warning')} ${line}`)
    },
    progress,
    prompt: createPrompt(io, scan.json),
    requireConfig,
    loader: (root: string): ModuleLoader => {
      state.loader ??= createModuleLoader({ root, env: io.env, provided: projectModules() })
      return state.loader
    },
    adopt: (config: ResolvedConfig) => {
      state.config = config
      redactor.add(config.clickhouse?.password, config.clickhouse?.username ?? 'default')
    },
    schemaFiles: (): Promise<readonly SchemaFile[]> => {
      const config = requireConfig()
      state.schemaFiles ??= import('../config/schema-files.js').then(({ loadSchemaFiles }) =>
        loadSchemaFiles(config, state.loader as ModuleLoader),
      )
      return state.schemaFiles
    },
    connection: (): Promise<Executor> => {
      const config = requireConfig()
      state.connection ??= openConnection(config, state.createsData)
      return state.connection
    },
    /** Prints what a command returned and gives its exit code. */
    finish: (result: CommandResult): number => {
      if (scan.json) io.stdout.write(resultDocument(state.command, result, warnings, redactor.redact))
      else if (result.text !== '') io.stdout.write(`${redactor.redact(result.text)}\n`)
      return result.exitCode ?? 0
    },
    /** Prints a failure and gives its exit code. `done` is what the command came to before something behind it failed. */
    fail: (thrown: unknown, done?: CommandResult): number => {
      const error = interruptedOr(thrown, io.signal)
      if (scan.json) io.stdout.write(errorDocument(state.command, error, warnings, redactor.redact, done?.payload))
      else if (done !== undefined && done.text !== '') io.stdout.write(`${redactor.redact(done.text)}\n`)
      const debug = io.env.CHKIT_DEBUG === '1'
      // With --json the document says it all; a stack that was asked for goes to stderr.
      if (!scan.json || debug) io.stderr.write(redactor.redact(errorText(error, stderrStyle, debug)))
      return error.exitCode
    },
    close: async (): Promise<void> => {
      state.loader?.dispose()
      if (state.connection === undefined) return
      try {
        const closing = state.connection.then((connection) => connection.close())
        // After an interrupt nobody waits for a server that may be the very reason for it.
        await (io.signal.aborted ? Promise.race([closing, delay(CLOSE_GRACE_MS)]) : closing)
      } catch (error) {
        // A connection that never opened has been reported; one that does not close must not change the outcome.
        if (io.env.CHKIT_DEBUG === '1') say(`closing the connection: ${messageOf(error)}`)
      }
    },
  }
}

const CLOSE_GRACE_MS = 1_000

function delay(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms))
}

async function openConnection(config: ResolvedConfig, createsData: boolean): Promise<Executor> {
  if (config.clickhouse === undefined) {
    throw new ChkitError('connection_required', 'No connection is configured: the config has no `clickhouse`.', {
      hint: "Add clickhouse: { url: 'http://localhost:8123' } to the config.",
    })
  }
  const { connect } = await import('../clickhouse/connect.js')
  return connect(config.clickhouse, { root: config.root, createsData })
}

/** After an interrupt, whatever was thrown is its echo, unless it says what became of the work under way. */
function interruptedOr(thrown: unknown, signal: AbortSignal): ChkitError {
  const error = toChkitError(thrown)
  const isEcho = error.code === 'internal_error' || error.code === 'plugin_failed'
  if (!signal.aborted || !isEcho) return error
  return new ChkitError('interrupted', 'Interrupted.', { cause: thrown })
}

/**
 * The result of a command, or `interrupted` as soon as the signal comes: a command that changes no database has nothing to
 * finish. One that does is waited for, since it alone knows what became of the statement under way.
 */
async function untilInterrupted<Result>(
  work: Promise<Result>,
  effect: RegisteredCommand['effect'],
  signal: AbortSignal,
): Promise<Result> {
  if (effect === 'database') return work
  let stop: (() => void) | undefined
  const interrupted = new Promise<never>((_, reject) => {
    stop = () => reject(new ChkitError('interrupted', 'Interrupted.'))
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
  try {
    return await Promise.race([work, interrupted])
  } finally {
    if (stop !== undefined) signal.removeEventListener('abort', stop)
  }
}

/** Waits for the last hooks; after an interrupt for a moment only, so that none of them keeps the process. */
async function endedInTime(work: Promise<void>, signal: AbortSignal): Promise<void> {
  try {
    await untilInterrupted(work, 'read', signal)
  } catch (error) {
    if (!signal.aborted) throw error
    await Promise.race([work, delay(CLOSE_GRACE_MS)])
  }
}

async function dispatch(argv: readonly string[], scan: Scan, session: Session): Promise<number> {
  if (scan.version) {
    session.state.command = 'version'
    return session.finish({ payload: { version: session.io.version }, text: session.io.version })
  }
  const core = createRegistry()
  const { words } = scan
  if (scan.help || words.length === 0 || words[0] === 'help') return showHelp(argv, core, session)
  const found = findCommand(core, words)
  if (found?.command.config === 'none') return runCommand(argv, words, core, undefined, session)
  const need = found?.command.config ?? 'required'
  const loaded = await loadProject(found === undefined, need === 'optional', session)
  return runCommand(argv, words, loaded?.registry ?? core, loaded?.host, session)
}

type Project = { readonly registry: Registry; readonly host: PluginHost }

/**
 * The config and its plugins. Where the first word is no command of the core, a missing config means an unknown command
 * (or an official plugin that is not configured). With `optional` a config that does not load is a warning.
 */
async function loadProject(unknown: boolean, optional: boolean, session: Session): Promise<Project | undefined> {
  const { io, scan } = session
  const file = configPath(scan.config, io.cwd)
  const isMissing = !hasConfig(file)
  if (isMissing && unknown) throw notACommand(scan.words, createRegistry())
  if (isMissing && optional && scan.config === undefined) return undefined
  try {
    return await openProject(file, session)
  } catch (error) {
    if (!optional) throw error
    session.warn(`Plugin commands are missing here: ${messageOf(error).split('\n', 1)[0]}`)
    return undefined
  }
}

async function openProject(file: string, session: Session): Promise<Project> {
  const { io, scan } = session
  const environment = { command: scan.words[0] ?? 'help', mode: configMode(scan.mode, io.env) }
  const loader = session.loader(file.replace(/[/\\][^/\\]*$/, '') || '/')
  const loading = loadConfig(file, environment, loader, io.cwd, io.env)
  const config = await untilInterrupted(loading, 'read', io.signal)
  session.adopt(config)
  const services = hostServices(session, () => host)
  const plugins = config.plugins.length === 0 ? [] : await loadConfigured(config, loader, io.version)
  const host: PluginHost = createHost(plugins, services)
  const registry = createRegistry(
    plugins.map((loaded) => ({
      plugin: loaded.name,
      commands: pluginCommands(loaded, services),
      extensions: pluginExtensions(loaded),
    })),
  )
  return { registry, host }
}

async function loadConfigured(config: ResolvedConfig, loader: ModuleLoader, version: string) {
  const { loadPlugins } = await import('../plugin-host/load.js')
  return loadPlugins(config, loader, version)
}

function hostServices(session: Session, host: () => PluginHost): HostServices {
  const { io, scan, state } = session
  let schema: Promise<Awaited<ReturnType<HostServices['schema']>>> | undefined
  const canonicalise: HostServices['canonicalise'] = async (returned, before) => {
    const { returnedDefinitions } = await import('../plugin-host/definitions.js')
    return returnedDefinitions(returned, before, session.requireConfig())
  }
  return {
    command: () => state.command,
    flags: () => state.flags,
    scope: () => unresolvedScope(state.flags),
    canonicalise,
    get config() {
      return session.requireConfig()
    },
    jsonMode: scan.json,
    print: (value) => {
      const text = session.redact(typeof value === 'string' ? value : (JSON.stringify(value, null, 2) ?? String(value)))
      ;(scan.json ? io.stderr : io.stdout).write(`${text}\n`)
    },
    warn: session.warn,
    progress: session.progress,
    prompt: session.prompt,
    style: session.stdoutStyle,
    connection: session.connection,
    schema: () => {
      schema ??= (async () => {
        const { declaredDefinitions } = await import('../plugin-host/definitions.js')
        const own = declaredDefinitions(await session.schemaFiles(), session.requireConfig())
        return host().onSchemaLoaded(own.definitions)
      })()
      return schema
    },
    introspect: async (options = {}) => {
      const { readLiveSchema } = await import('../plugin-host/live.js')
      return readLiveSchema(session.requireConfig(), await session.connection(), options)
    },
    baseline: async (declarations, options) => {
      const { writeBaseline } = await import('../migration/baseline.js')
      const { declaredDefinitions } = await import('../plugin-host/definitions.js')
      const { now, version, signal } = io
      const config = session.requireConfig()
      const context = { config, executor: await session.connection(), now, version, signal, onWait: session.note }
      const read = () => declaredDefinitions([{ file: '', exports: { declarations } }], config).definitions
      return writeBaseline(context, declarations.length === 0 ? [] : read(), options)
    },
    lock: async (request) => {
      const { takeNamedLock } = await import('../migration/named-lock.js')
      const waiting = session.progress(`Taking ${request.text}`)
      try {
        return await takeNamedLock(await session.connection(), {
          ...request,
          signal: io.signal,
          onWait: ({ owner, host }) => waiting.update(`Waiting for ${request.text}, held by ${owner} on ${host}`),
        })
      } finally {
        waiting.done()
      }
    },
    lockHolder: async (request) => {
      const { namedLockHolder } = await import('../migration/named-lock.js')
      return namedLockHolder(await session.connection(), request)
    },
    redact: session.redact,
    cwd: io.cwd,
    env: io.env,
    now: io.now,
    signal: io.signal,
  }
}

/** What `--table` says before a command has looked at what there is. */
function unresolvedScope(flags: Flags): TableScope {
  const { table } = flags
  if (typeof table !== 'string') return { enabled: false, matchedTables: [], matchCount: 0 }
  return { enabled: true, selector: table, matchedTables: [], matchCount: 0 }
}

/** Help reads the registry with the plugins' commands when a config loads, and says in a line why it does not. */
async function showHelp(argv: readonly string[], core: Registry, session: Session): Promise<number> {
  const { io, scan, state } = session
  const words = scan.words[0] === 'help' ? scan.words.slice(1) : scan.words
  state.command = 'help'
  let registry = core
  const file = configPath(scan.config, io.cwd)
  if (hasConfig(file)) {
    try {
      registry = (await openProject(file, session)).registry
    } catch (error) {
      session.warn(`Plugin commands are missing here: ${messageOf(error).split('\n', 1)[0]}`)
    }
  } else if (scan.config !== undefined) {
    session.warn(`Plugin commands are missing here: there is no config at ${scan.config}.`)
  }
  state.command = 'help'
  const target = findCommand(registry, words)
  // `chkit help --bogus` and `chkit --bogus` are still checked; `chkit generate --help …` shows help whatever else is there.
  if (!scan.help) await parseArguments(argv, [...registry.globalFlags])
  if (target === undefined && words.length > 0 && !registry.commands.some((command) => command.plugin === words[0])) {
    throw notACommand(words, registry)
  }
  // `chkit audit --help` is about all commands of the plugin, also where one of them is its default.
  const isGroup = registry.commands.some((command) => command.plugin === words[0]) && words.length === 1
  const name = isGroup || target === undefined ? words : target.command.name.split(' ')
  return session.finish(helpFor(name, registry, io.version, session.stdoutStyle, session.width))
}

function notACommand(words: readonly string[], registry: Registry): ChkitError {
  const name = words[0] === 'plugin' ? (words[1] ?? '') : (words[0] ?? '')
  const official = Object.hasOwn(OFFICIAL_PLUGINS, name) ? OFFICIAL_PLUGINS[name] : undefined
  if (official === undefined) return unknownCommand(words[0] ?? '', registry)
  return new ChkitError('plugin_not_configured', `Plugin "${name}", which ${official.does}, is not configured.`, {
    hint: `Add it to clickhouse.config.ts: import { ${name} } from '${official.import}', then plugins: [${name}()].`,
    details: { plugin: name },
  })
}

async function runCommand(
  argv: readonly string[],
  words: readonly string[],
  registry: Registry,
  host: PluginHost | undefined,
  session: Session,
): Promise<number> {
  const { state } = session
  const found = findCommand(registry, words)
  const plugins: PluginHost =
    host ??
    createHost(
      [],
      hostServices(session, () => plugins),
    )
  if (found === undefined) {
    const group = registry.commands.filter((command) => command.plugin === words[0])
    if (group.length > 0) return pluginGroup(words, group, registry, session)
    throw notACommand(words, registry)
  }
  const isListOfOfficial =
    found.command.name === 'plugin' && words[1] !== undefined && !plugins.names.includes(words[1])
  if (isListOfOfficial && Object.hasOwn(OFFICIAL_PLUGINS, words[1] as string) && plugins.names.length > 0) {
    throw notACommand(words, registry)
  }
  state.command = found.command.name
  const { flags, positionals } = await parseArguments(argv, [...registry.globalFlags, ...found.command.flags])
  state.flags = flags
  if (typeof flags.table === 'string') {
    // Before the command looks at anything: some come to the selector only where there is something to select.
    const { parseTableSelector } = await import('../model/scope.js')
    parseTableSelector(flags.table)
  }
  state.createsData = found.command.effect === 'database'
  const args = positionals.slice(found.wordCount)
  refuseStrayArguments(found.command, args, registry)
  return runHandler(found.command, commandContext(args, registry, plugins, session), plugins, session)
}

/** `chkit backfill` alone, or with a word that is none of its commands. */
function pluginGroup(
  words: readonly string[],
  group: readonly RegisteredCommand[],
  registry: Registry,
  session: Session,
): number {
  const [pluginName, word] = words
  const commands = group.map((command) => command.name.split(' ').at(-1) as string)
  if (word !== undefined) {
    throw new ChkitError(
      'unknown_command',
      `Plugin "${pluginName}" has no command "${word}". Available: ${commands.join(', ')}.`,
      { hint: `Run \`chkit help ${pluginName}\`.`, details: { plugin: pluginName, available: commands } },
    )
  }
  return session.finish(
    helpFor([pluginName as string], registry, session.io.version, session.stdoutStyle, session.width),
  )
}

function refuseStrayArguments(command: RegisteredCommand, args: readonly string[], registry: Registry): void {
  if (command.arguments !== undefined || args.length === 0) return
  const group = registry.commands.filter((other) => command.plugin !== undefined && other.plugin === command.plugin)
  const siblings = group.filter((other) => other !== command).map((other) => other.name.split(' ').at(-1) as string)
  const known = siblings.length > 0 ? ` Other commands of the plugin: ${siblings.join(', ')}.` : ''
  throw new ChkitError(
    'unexpected_argument',
    `"chkit ${command.name}" takes no argument, but got "${args.join(' ')}".${known}`,
    { hint: `Run \`chkit ${command.name} --help\` for its flags.`, details: { arguments: args } },
  )
}

function commandContext(
  args: readonly string[],
  registry: Registry,
  plugins: PluginHost,
  session: Session,
): CommandContext {
  const { io, scan, state } = session
  return {
    command: state.command,
    flags: state.flags,
    args,
    jsonMode: scan.json,
    cwd: io.cwd,
    env: io.env,
    now: io.now,
    version: io.version,
    style: session.stdoutStyle,
    width: session.width,
    prompt: session.prompt,
    note: session.note,
    warn: session.warn,
    progress: session.progress,
    get config() {
      return session.requireConfig()
    },
    schemaFiles: session.schemaFiles,
    connection: session.connection,
    plugins,
    registry,
    redact: session.redact,
    hide: session.hide,
    signal: io.signal,
  }
}

/** Runs the handler between the first hooks and the last one, which is told the exit code also after a failure. */
async function runHandler(
  command: RegisteredCommand,
  context: CommandContext,
  plugins: PluginHost,
  session: Session,
): Promise<number> {
  let outcome: { readonly result: CommandResult } | { readonly thrown: unknown }
  try {
    await untilInterrupted(plugins.onInit().then(plugins.onConfigLoaded), 'read', context.signal)
    outcome = { result: asResult(await untilInterrupted(command.run(context), command.effect, context.signal)) }
  } catch (thrown) {
    outcome = { thrown }
  }
  const exitCode =
    'result' in outcome ? (outcome.result.exitCode ?? 0) : interruptedOr(outcome.thrown, session.io.signal).exitCode
  try {
    await endedInTime(plugins.onComplete(exitCode), session.io.signal)
  } catch (error) {
    // The first failure is the one to report; without one, this is it, behind what the command has done.
    if ('result' in outcome) return session.fail(error, outcome.result)
    session.warn(messageOf(error))
  }
  return 'result' in outcome ? session.finish(outcome.result) : session.fail(outcome.thrown)
}

function asResult(returned: CommandResult | number | undefined): CommandResult {
  if (typeof returned === 'object') return returned
  return { exitCode: returned ?? 0, payload: {}, text: '' }
}

/** While stdout belongs to the document, what modules of the project print by `console` goes to stderr. */
function routeConsole(write: (line: string) => void): () => void {
  const methods = ['log', 'info', 'debug', 'table', 'dir'] as const
  const saved = methods.map((method) => [method, console[method]] as const)
  for (const method of methods) {
    console[method] = (...values: readonly unknown[]) => {
      write(`${values.map((value) => (typeof value === 'string' ? value : inspect(value))).join(' ')}\n`)
    }
  }
  return () => {
    for (const [method, original] of saved) Object.assign(console, { [method]: original })
  }
}

function inspect(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value)
  } catch {
    // A cycle or a bigint: JSON cannot show it, and a line on stderr needs no more.
    return String(value)
  }
}
