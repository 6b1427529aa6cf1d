import { z } from 'zod'
import { ChkitError, defineFlags, definePlugin, flagsOf, type PluginContext } from '../../index.js'
import { plainName } from './engine.js'
import { plainPlan, withoutEngineSwaps } from './plan.js'
import { plainStatement } from './statement.js'
import { type Decision, decide } from './target.js'

const host = z
  .string()
  .regex(/^(\*\.)?[\w-]+(\.[\w-]+)*$|^\[[\da-fA-F:.]+\]$/, 'must be a host such as db.example.com, or *.example.com')

const optionsSchema = z.strictObject({
  /** More hosts whose servers have shared engines, without scheme and port: `db.example.com`, `*.example.com`. */
  hosts: z.array(host).default([]),
})

/** The options of `obsessiondb({ ... })`; all have defaults. */
export type ObsessiondbOptions = z.input<typeof optionsSchema>

type Options = z.output<typeof optionsSchema>
type Context = PluginContext<Options>

const flags = defineFlags([
  {
    name: 'force-shared-engines',
    type: 'boolean',
    description: 'Keep Shared*MergeTree engines, whatever the target is.',
  },
  {
    name: 'no-shared-engines',
    type: 'boolean',
    description: 'Write Shared*MergeTree engines as their plain equivalents, whatever the target is.',
  },
])

/** The plugin itself: one schema with shared engines, for servers that have them and for those that do not. */
export const obsessiondbPlugin = definePlugin<Options>({
  manifest: { name: 'obsessiondb', apiVersion: 1 },
  options: optionsSchema,
  extendCommands: [{ command: ['generate', 'migrate', 'status', 'drift', 'check'], flags }],
  hooks: {
    onConfigLoaded: refuseBothFlags,
    onPlanCreated(context) {
      const plan = withoutEngineSwaps(context.plan)
      const { engines, reason } = decisionOf(context)
      return engines === 'kept' ? plan : plainPlan(plan, reason)
    },
    // Files that were written by hand, or generated for another target, are decided where they run.
    onBeforeApply(context) {
      const { engines, reason } = decisionOf(context)
      if (engines === 'kept') return undefined
      const rewritten = context.statements.map(plainStatement)
      const names = [...new Set(rewritten.flatMap((statement) => statement.engines))]
      if (names.length === 0) return undefined
      const runs = names.map((name) => `${name} runs as ${plainName(name)}`).join(', ')
      context.print(`${context.migration}: ${runs}: ${reason}.`)
      return { statements: rewritten.map(({ text }) => text) }
    },
    // A server that shows another form of a declared engine has not drifted; check only says what was decided.
    onCheck(context) {
      const { engines, host, reason } = decisionOf(context)
      const metadata = { sharedEngines: engines, reason, host: host ?? null }
      return { plugin: 'obsessiondb', evaluated: true, ok: true, findings: [], metadata }
    },
  },
})

/** `obsessiondb({ ... })` in `config.plugins`: plain engines where the target has no shared ones. */
export function obsessiondb(options: ObsessiondbOptions = {}) {
  return { plugin: obsessiondbPlugin, name: 'obsessiondb', options }
}

export default obsessiondbPlugin

function refuseBothFlags(context: Context): void {
  const given = flagsOf(context.flags, flags)
  if (given['force-shared-engines'] !== true || given['no-shared-engines'] !== true) return
  throw new ChkitError('invalid_flag_value', '--force-shared-engines and --no-shared-engines contradict each other.', {
    hint: 'Give one of them, or neither: the host of the configured URL then decides.',
  })
}

function decisionOf(context: Context): Decision {
  const given = flagsOf(context.flags, flags)
  return decide(context.config.clickhouse?.url, context.options.hosts, {
    force: given['force-shared-engines'] === true,
    no: given['no-shared-engines'] === true,
  })
}
