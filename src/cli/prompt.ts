import { ChkitError } from '../errors.js'
import type { Prompt } from '../plugin-host/command.js'
import type { Io } from './io.js'

/** True where a person can answer: stdin and stdout are terminals, it is no CI job, and stdout is not given to JSON. */
export function isInteractive(io: Io, json: boolean): boolean {
  const ci = io.env.CI === '1' || io.env.CI === 'true'
  return !json && !ci && io.stdin.isTTY && io.stdout.isTTY
}

/** Questions on the terminal. The library is loaded with the first one; an answer that is refused is `interrupted`. */
export function createPrompt(io: Io, json: boolean): Prompt {
  if (io.prompt !== undefined) return io.prompt
  if (!isInteractive(io, json) || io.terminal === undefined) return SILENT_PROMPT
  const terminal = io.terminal as { readonly input: NodeJS.ReadStream; readonly output: NodeJS.WriteStream }
  const shared = { input: terminal.input, output: terminal.output, signal: io.signal }
  return {
    interactive: true,
    confirm: async (question) => {
      const { confirm } = await import('@clack/prompts')
      return answered(await confirm({ message: question, initialValue: false, ...shared }))
    },
    typed: async (question, expected) => {
      const { text } = await import('@clack/prompts')
      return answered(await text({ message: question, placeholder: expected, ...shared })) === expected
    },
    select: async (question, choices) => {
      const { select } = await import('@clack/prompts')
      // The library types options by whether their value is a primitive; asked by position, it need not know ours.
      const options = choices.map(({ label, hint }, index) => ({ value: index, label, hint }))
      const index = answered(await select({ message: question, options, ...shared }))
      return (choices[index] as (typeof choices)[number]).value
    },
  }
}

function answered<Answer>(answer: Answer): Exclude<Answer, symbol> {
  if (typeof answer === 'symbol') throw new ChkitError('interrupted', 'The question was not answered.')
  return answer as Exclude<Answer, symbol>
}

function refuse(question: string): Promise<never> {
  return Promise.reject(
    new ChkitError('internal_error', `A question came up where nobody can answer: ${question}`, {
      hint: 'Give the answer by a flag; --help lists them.',
    }),
  )
}

const SILENT_PROMPT: Prompt = { interactive: false, confirm: refuse, typed: refuse, select: refuse }
