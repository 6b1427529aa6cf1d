#!/usr/bin/env node
import type { Io, OutputStream } from './cli/io.js'

/** Set by the build; in the source tree the version comes from package.json. */
declare const CHKIT_VERSION: string | undefined

const argv = process.argv.slice(2)

/** True as soon as the run has said all it has to say. */
let hasEnded = false

// Nothing is imported above or before this: printing the version must cost no more than starting Node.
if (argv.length === 1 && ['--version', '-v', 'version'].includes(argv[0] as string)) {
  process.stdout.write(`${await readVersion()}\n`)
} else {
  await start()
}

async function readVersion(): Promise<string> {
  if (typeof CHKIT_VERSION === 'string') return CHKIT_VERSION
  const { readFileSync } = await import('node:fs')
  const manifest: { readonly version: string } = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  )
  return manifest.version
}

async function start(): Promise<void> {
  const nodeModule = await import('node:module')
  // Node 22.8 and later keep compiled code between runs; earlier versions, and the types of Node 20, lack the function.
  if ('enableCompileCache' in nodeModule && typeof nodeModule.enableCompileCache === 'function') {
    nodeModule.enableCompileCache()
  }
  const { endedByProject, reportCrash, run } = await import('./cli/dispatch.js')
  const version = await readVersion()
  const own = ownStreams()
  const write = own.stdout
  const interrupt = new AbortController()
  const onSignal = (signal: NodeJS.Signals) => {
    // The second time somebody means it: nothing is waited for any more.
    if (interrupt.signal.aborted) process.exit(signal === 'SIGINT' ? 130 : 143)
    interrupt.abort()
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  const io: Io = {
    cwd: process.cwd(),
    env: process.env,
    stdout: outputTo(process.stdout, write),
    stderr: outputTo(process.stderr, own.stderr),
    stdin: { isTTY: process.stdin.isTTY === true },
    terminal: process.stdin.isTTY
      ? { input: process.stdin, output: process.stderr.isTTY ? process.stderr : process.stdout }
      : undefined,
    now: Date.now,
    signal: interrupt.signal,
    version,
    cleanForeign: own.cleanForeign,
  }
  process.on('uncaughtException', (error) => {
    void end(reportCrash(argv, io, error), write)
  })
  // A config, a schema file or a plugin that ends the process itself must not look like a run that had nothing to say.
  process.on('exit', (code) => {
    if (hasEnded || interrupt.signal.aborted) return
    const failed = reportCrash(argv, io, endedByProject(code))
    process.exitCode = code === 0 ? failed : code
  })
  // Work that waits for nothing but a signal or a promise of a plugin must not look finished to Node.
  const awake = setInterval(() => {}, 2 ** 30)
  const exitCode = await run(argv, io)
  clearInterval(awake)
  await end(exitCode, write)
}

/** Sockets and engines that a plugin left open must not keep the process; what was printed must leave it first. */
async function end(exitCode: number, write: Write): Promise<never> {
  hasEnded = true
  process.exitCode = exitCode
  await Promise.all([flushed(process.stdout, write), flushed(process.stderr)])
  process.exit()
}

type Write = typeof process.stdout.write

/**
 * The real ways to stdout and stderr. Everybody else who writes to them (`console.log` in a schema file, a library) is
 * led past `cleanForeign`'s function first, since secrets are hidden in what they print as well; with `--json` what they
 * print on stdout reaches stderr instead: stdout holds one document.
 */
function ownStreams(): {
  readonly stdout: Write
  readonly stderr: Write
  readonly cleanForeign: NonNullable<Io['cleanForeign']>
} {
  const stdout: Write = process.stdout.write.bind(process.stdout)
  const stderr: Write = process.stderr.write.bind(process.stderr)
  const flags = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv
  let redact = (text: string) => text
  const foreign = (write: Write): Write => {
    const cleaned = (chunk: string | Uint8Array, ...rest: unknown[]) => {
      const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8')
      const clean = redact(text)
      // Bytes go on as they came where there is nothing to hide: they need not be text at all.
      return (write as (...values: unknown[]) => boolean)(clean === text ? chunk : clean, ...rest)
    }
    return cleaned as Write
  }
  process.stdout.write = foreign(flags.includes('--json') ? stderr : stdout)
  process.stderr.write = foreign(stderr)
  const cleanForeign = (next: (text: string) => string) => {
    redact = next
  }
  return { stdout, stderr, cleanForeign }
}

function outputTo(stream: NodeJS.WriteStream, write: Write): OutputStream {
  // A reader that went away (`chkit status | head -1`) is no failure of ours.
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
  return {
    write: (text) => {
      if (stream.writable) write(text)
    },
    isTTY: stream.isTTY === true,
    get columns() {
      return stream.columns
    },
  }
}

function flushed(stream: NodeJS.WriteStream, write: Write = stream.write.bind(stream)): Promise<void> {
  if (!stream.writable) return Promise.resolve()
  return new Promise((done) => {
    stream.once('error', () => done())
    write('', () => done())
  })
}
