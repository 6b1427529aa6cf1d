import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { run } from '../../src/cli/dispatch.js'
import type { Prompt } from '../../src/plugin-host/command.js'

const { version } = createRequire(import.meta.url)('../../package.json') as { readonly version: string }

/** What `runCli` may be told; without `tty` the run is non-interactive, as in a pipe. */
export type CliOptions = {
  readonly cwd: string
  /** The whole environment of the run; default is empty but for a HOME below `cwd`'s parent, so that nothing leaks in. */
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly tty?: boolean
  readonly prompt?: Prompt
  /** Milliseconds since 1970; default the real clock. */
  readonly now?: () => number
  readonly signal?: AbortSignal
}

export type CliResult = {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
  /** The one JSON document of a `--json` run; throws when stdout holds anything else. */
  readonly json: Readonly<Record<string, unknown>>
}

/** Runs chkit in this process as the executable would, with captured streams. */
export async function runCli(argv: readonly string[], options: CliOptions): Promise<CliResult> {
  let stdout = ''
  let stderr = ''
  const isTTY = options.tty ?? false
  const exitCode = await run(argv, {
    cwd: options.cwd,
    env: options.env ?? { HOME: process.env.HOME },
    stdout: {
      write: (text) => {
        stdout += text
      },
      isTTY,
    },
    stderr: {
      write: (text) => {
        stderr += text
      },
      isTTY,
    },
    stdin: { isTTY },
    now: options.now ?? Date.now,
    signal: options.signal ?? new AbortController().signal,
    version,
    prompt: options.prompt,
  })
  return {
    exitCode,
    stdout,
    stderr,
    get json() {
      if (!stdout.endsWith('\n') || stdout.trimEnd().includes('\n')) throw new Error(`Not one document:\n${stdout}`)
      return JSON.parse(stdout) as Readonly<Record<string, unknown>>
    },
  }
}

/** A temporary project folder. */
export type Project = {
  readonly dir: string
  /** Writes files by their paths relative to the folder; folders are made. */
  write(files: Readonly<Record<string, string>>): void
  run(argv: readonly string[], options?: Partial<CliOptions>): Promise<CliResult>
  remove(): void
}

/** Makes a temporary project with the given files; call `remove` in the end. */
export function createProject(files: Readonly<Record<string, string>> = {}): Project {
  const dir = mkdtempSync(join(tmpdir(), 'chkit-test-'))
  const write: Project['write'] = (added) => {
    for (const [path, text] of Object.entries(added)) {
      const file = join(dir, path)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, text)
    }
  }
  write(files)
  return {
    dir,
    write,
    run: (argv, options) => runCli(argv, { cwd: dir, ...options }),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  }
}
