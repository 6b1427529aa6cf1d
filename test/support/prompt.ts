import type { Prompt } from '../../src/plugin-host/command.js'

/** A person at a terminal who always gives the same answers; every question is kept. */
export function testPrompt(answers: { readonly confirm?: boolean; readonly typed?: string }): {
  readonly prompt: Prompt
  readonly questions: string[]
} {
  const questions: string[] = []
  const prompt: Prompt = {
    interactive: true,
    confirm: async (question) => {
      questions.push(question)
      return answers.confirm ?? false
    },
    typed: async (question, expected) => {
      questions.push(question)
      return answers.typed === expected
    },
    select: async (question, choices) => {
      questions.push(question)
      const [first] = choices
      if (first === undefined) throw new Error('a question without choices')
      return first.value
    },
  }
  return { prompt, questions }
}
