import pico from 'picocolors'
import type { ChkitError } from '../errors.js'
import type { CommandResult, Progress, Style } from '../plugin-host/command.js'
import type { OutputStream } from './io.js'
import { redactValue } from './redact.js'

/** Version of all JSON documents; stays 1 as long as fields are only added. */
export const DOCUMENT_VERSION = 1

type Environment = Readonly<Record<string, string | undefined>>

/** Whether colours go to this stream: `NO_COLOR` says no, `FORCE_COLOR` yes, else only a capable TTY gets them. */
export function takesColour(stream: OutputStream, env: Environment): boolean {
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return false
  if (env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '')
    return env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== 'false'
  return stream.isTTY && env.TERM !== 'dumb'
}

/** Colours for one stream; without them every function gives back its text. */
export function createStyle(coloured: boolean): Style {
  const { bold, dim, red, green, yellow, cyan } = pico.createColors(coloured)
  return { bold, dim, red, green, yellow, cyan }
}

/** The JSON document of a command that ended by itself, one line with its newline. `ok` follows the exit code. */
export function resultDocument(
  command: string,
  result: CommandResult,
  warnings: readonly string[],
  redact: (text: string) => string,
): string {
  const { ok, ...payload } = result.payload
  const document = {
    command,
    schemaVersion: DOCUMENT_VERSION,
    ok: typeof ok === 'boolean' ? ok : (result.exitCode ?? 0) === 0,
    ...payload,
    ...(warnings.length > 0 ? { warnings } : {}),
  }
  return stringify(document, redact)
}

/**
 * The JSON document of a failure; `done` is what the command's own document would have held. Facts that a command's contract puts at the top (`issues`, `checksumMismatches`) come in
 * `details.payload`; the rest of `details` stays what it is.
 */
export function errorDocument(
  command: string,
  error: ChkitError,
  warnings: readonly string[],
  redact: (text: string) => string,
  done: Readonly<Record<string, unknown>> = {},
): string {
  const { payload, ...details } = error.details as { payload?: Readonly<Record<string, unknown>> }
  const document = {
    command,
    schemaVersion: DOCUMENT_VERSION,
    ...done,
    ok: false,
    ...(payload ?? {}),
    // The contract names this one by its code; the sentences are in `issues`.
    error: error.code === 'validation_failed' ? error.code : error.message,
    code: error.code,
    retriable: error.retriable,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(Object.keys(details).length > 0 ? { details } : {}),
    ...(warnings.length > 0 ? { warnings } : {}),
  }
  return stringify(document, redact)
}

function stringify(document: Readonly<Record<string, unknown>>, redact: (text: string) => string): string {
  // The names of commands and codes are ours and fixed: a password that happens to equal one of them must not break them.
  const { command, code, ...rest } = document
  const clean = redactValue(rest, redact) as Record<string, unknown>
  const ordered: Record<string, unknown> = {}
  for (const key of Object.keys(document)) {
    ordered[key] = key === 'command' ? command : key === 'code' ? code : clean[key]
  }
  return `${JSON.stringify(ordered)}\n`
}

/** The lines of a failure for people: what happened, what to do next, and where each finding stands. */
export function errorText(error: ChkitError, style: Style, debug: boolean): string {
  const [first, ...more] = error.message.split('\n')
  const lines = [`${style.red(style.bold('error'))} ${first} ${style.dim(`(${error.code})`)}`, ...more]
  if (error.hint !== undefined) {
    const [hint, ...rest] = error.hint.split('\n')
    lines.push(`${style.cyan('hint')}  ${hint}`, ...rest.map((line) => `      ${line}`))
  }
  if (debug) lines.push(style.dim(stackOf(error)))
  return lines.join('\n') + '\n'
}

function stackOf(error: unknown): string {
  const lines: string[] = []
  for (let current: unknown = error, depth = 0; current instanceof Error && depth < 8; depth++) {
    lines.push(`${depth === 0 ? '' : 'caused by '}${current.stack ?? current.message}`)
    current = current.cause
  }
  return lines.join('\n')
}

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
const FRAME_INTERVAL_MS = 80

/** Takes what stands on the current line of a terminal away and goes back to its start. */
export const ERASE_LINE = '\r\x1b[2K'
const LINE_INTERVAL_MS = 10_000

/** Shows progress on stderr: a spinner on a TTY, elsewhere a line every ten seconds at most. */
export function createProgress(
  stream: OutputStream,
  style: Style,
  now: () => number,
  animated: boolean,
): (text: string) => Progress {
  return (text) => (animated ? spinner(stream, style, text) : plainProgress(stream, now, text))
}

function spinner(stream: OutputStream, style: Style, initial: string): Progress {
  let text = initial
  let frame = 0
  const draw = () => {
    const width = Math.max(20, (stream.columns ?? 80) - 3)
    const shown = text.length > width ? `${text.slice(0, width - 1)}…` : text
    stream.write(`${ERASE_LINE}${style.cyan(FRAMES[frame++ % FRAMES.length] as string)} ${shown}`)
  }
  draw()
  const timer = setInterval(draw, FRAME_INTERVAL_MS)
  timer.unref()
  return {
    update: (next) => {
      text = next
    },
    done: (last) => {
      clearInterval(timer)
      stream.write(ERASE_LINE)
      if (last !== undefined) stream.write(`${last}\n`)
    },
  }
}

function plainProgress(stream: OutputStream, now: () => number, initial: string): Progress {
  // Nothing is said at once: work that ends within the interval needs no line in a log.
  let shownAt = now()
  let shown = initial
  return {
    update: (text) => {
      if (text === shown || now() - shownAt < LINE_INTERVAL_MS) return
      shown = text
      shownAt = now()
      stream.write(`${text}\n`)
    },
    done: (last) => {
      if (last !== undefined) stream.write(`${last}\n`)
    },
  }
}
