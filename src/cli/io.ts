import type { Prompt } from '../plugin-host/command.js'

/** A stream to write text to. `write` never throws; what a closed reader does not want is dropped. */
export type OutputStream = {
  write(text: string): void
  readonly isTTY: boolean
  /** Characters per line; undefined where that is unknown. */
  readonly columns?: number
}

/** Everything `run` knows of the outside world. `main.ts` makes one of `process`; tests make their own. */
export type Io = {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdout: OutputStream
  readonly stderr: OutputStream
  readonly stdin: { readonly isTTY: boolean }
  /** The streams that questions are asked on; undefined where nobody can answer. */
  readonly terminal?: { readonly input: NodeJS.ReadableStream; readonly output: NodeJS.WritableStream }
  /** Milliseconds since 1970, UTC. */
  readonly now: () => number
  readonly signal: AbortSignal
  readonly version: string
  /** Told once how to hide secrets in what the project's own code writes to the process's streams past these ones. */
  readonly cleanForeign?: (redact: (text: string) => string) => void
  /** Answers questions instead of the terminal. Tests only. */
  readonly prompt?: Prompt
}
