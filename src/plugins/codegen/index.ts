import { isAbsolute, relative, resolve } from 'node:path'
import { z } from 'zod'
import {
  type CheckFinding,
  type CheckResult,
  ChkitError,
  type Definition,
  defineFlags,
  definePlugin,
  flagsOf,
  type InferFlags,
  type PluginCommandContext,
  type PluginCommandResult,
  type PluginContext,
} from '../../index.js'
import type { NameStyle } from './names.js'
import { type Output, type StagedOutputs, stageOutputs, stateOf, type WrittenOutput } from './output.js'
import { moduleSpecifier, renderIngest, renderTypes } from './render.js'
import { targetsOf } from './targets.js'

const MODULE = /\.[cm]?ts$/

const moduleFile = z
  .string()
  .regex(MODULE, 'must be the path of a TypeScript file, such as ./src/generated/chkit-types.ts')

const optionsSchema = z
  .strictObject({
    /** The file of types, relative to the config file. */
    outFile: moduleFile.default('./src/generated/chkit-types.ts'),
    /** Also writes a zod schema for each type. */
    emitZod: z.boolean().default(false),
    /** Also writes functions that insert through `@clickhouse/client`. */
    emitIngest: z.boolean().default(false),
    /** The file of those functions, relative to the config file. */
    ingestOutFile: moduleFile.default('./src/generated/chkit-ingest.ts'),
    /** `AppEventsRow`, `appEventsRow` or `app_eventsRow`. */
    tableNameStyle: z.enum(['pascal', 'camel', 'raw']).default('pascal'),
    /** What 64-bit and wider integers are. */
    bigintMode: z.enum(['string', 'bigint']).default('string'),
    /** What decimals are: `number` as the server writes them by default, `string` with output_format_json_quote_decimals = 1. */
    decimalMode: z.enum(['number', 'string']).default('number'),
    /** Rows of views, materialized views and dictionaries too. */
    includeViews: z.boolean().default(false),
    /** Writes the files with each `chkit generate`. */
    runOnGenerate: z.boolean().default(true),
    /** False: a type without a JSON form becomes `unknown` with a warning. */
    failOnUnsupportedType: z.boolean().default(true),
  })
  .refine((options) => resolve(options.outFile) !== resolve(options.ingestOutFile), {
    path: ['ingestOutFile'],
    message: 'must not be the same file as outFile',
  })

/** The options of `codegen({ ... })`; all have defaults. */
export type CodegenOptions = z.input<typeof optionsSchema>

type Options = z.output<typeof optionsSchema>
type Context = PluginContext<Options>

const flags = defineFlags([
  { name: 'check', type: 'boolean', description: 'Write nothing; fail when a file is missing or out of date.' },
  { name: 'out-file', type: 'string', placeholder: '<path>', description: 'File of the types.' },
  { name: 'emit-zod', type: 'boolean', negation: true, description: 'Write zod schemas too.' },
  { name: 'emit-ingest', type: 'boolean', negation: true, description: 'Write insert functions too.' },
  { name: 'ingest-out-file', type: 'string', placeholder: '<path>', description: 'File of the insert functions.' },
  {
    name: 'bigint-mode',
    type: 'string',
    choices: ['string', 'bigint'],
    description: 'What 64-bit and wider integers are in the types.',
  },
  { name: 'include-views', type: 'boolean', description: 'Write rows of views and dictionaries too.' },
])

const STALE_CODE = { types: 'codegen_stale_output', ingest: 'codegen_stale_ingest_output' } as const
const MISSING_CODE = { types: 'codegen_missing_output', ingest: 'codegen_missing_ingest_output' } as const

/** Outputs that `generate` staged while it planned, by config file, until it is known how it ended. */
const staged = new Map<string, StagedOutputs>()

/** The plugin itself: types, zod schemas and insert functions from the schema. */
export const codegenPlugin = definePlugin<Options>({
  manifest: { name: 'codegen', apiVersion: 1 },
  options: optionsSchema,
  commands: [
    {
      name: 'codegen',
      description: 'Write TypeScript types, zod schemas and insert functions for the schema.',
      effect: 'files',
      default: true,
      flags,
      examples: [
        { line: 'chkit codegen', description: 'Write the files that the options name.' },
        { line: 'chkit codegen --check', description: 'In CI: fail when they are not what the schema asks for.' },
      ],
      run: runCodegen,
    },
  ],
  hooks: {
    // Here, and not after the migration is written: a failure must stop `generate` before it has written anything.
    async onPlanCreated(context) {
      if (context.command !== 'generate' || !context.options.runOnGenerate) return
      // A plan for some tables carries the others as they were; the files are about the schema as it is.
      const definitions = context.tableScope.enabled ? await context.schema() : context.definitions
      const { outputs, warnings } = await renderOutputs(context, context.options, definitions)
      warnings.forEach(context.warn)
      if (context.flags.dryrun === true) return
      staged.get(context.config.file)?.discard()
      staged.set(context.config.file, stageOutputs(outputs))
    },
    onComplete(context) {
      const outputs = staged.get(context.config.file)
      if (!outputs) return
      staged.delete(context.config.file)
      if (context.exitCode !== 0) return outputs.discard()
      const written = outputs.commit()
      warnOfEdits(context, written)
      for (const one of written) if (one.status !== 'unchanged') context.print(writtenLine(context, one))
    },
    async onCheck(context) {
      const definitions = await context.schema()
      try {
        const { outputs } = await renderOutputs(context, context.options, definitions)
        return checkResult(context, outputs)
      } catch (error) {
        // The other checks have something to say as well.
        if (error instanceof ChkitError) return notChecked(error)
        throw error
      }
    },
  },
})

/** `codegen({ ... })` in `config.plugins`: writes types, zod schemas and insert functions for the schema. */
export function codegen(options: CodegenOptions = {}) {
  return { plugin: codegenPlugin, name: 'codegen', options }
}

export default codegenPlugin

async function runCodegen(context: PluginCommandContext<Options>): Promise<PluginCommandResult> {
  if (context.flags.table !== undefined)
    context.warn('codegen always writes the whole schema; --table changes nothing.')
  const options = withFlags(context.options, flagsOf(context.flags, flags), context.cwd)
  const { outputs, warnings, count } = await renderOutputs(context, options, await context.schema())
  warnings.forEach(context.warn)
  const files = {
    outFile: shown(context, outputs[0]?.file ?? ''),
    ingestOutFile: options.emitIngest ? shown(context, outputs[1]?.file ?? '') : null,
  }
  if (context.flags.check === true) {
    const { ok, findings } = checkResult(context, outputs)
    return {
      exitCode: ok ? 0 : 1,
      payload: { mode: 'check', ...files, upToDate: ok, findingCodes: findings.map(({ code }) => code), findings },
      text: ok
        ? 'Generated code is up to date.'
        : findings.map(({ code, message }) => `${code}: ${message}`).join('\n'),
    }
  }
  const written = stageOutputs(outputs).commit()
  warnOfEdits(context, written)
  return {
    payload: {
      mode: 'write',
      ...files,
      objectCount: count,
      files: written.map((one) => ({ ...one, file: shown(context, one.file) })),
    },
    text: written.map((one) => writtenLine(context, one)).join('\n'),
  }
}

type Rendered = { readonly outputs: readonly Output[]; readonly warnings: readonly string[]; readonly count: number }

async function renderOutputs(
  context: Context,
  options: Options,
  definitions: readonly Definition[],
): Promise<Rendered> {
  const connection = context.config.clickhouse ? context.connection : undefined
  const { targets, warnings } = await targetsOf(definitions, options, connection)
  const outFile = resolve(context.config.root, options.outFile)
  const ingestOutFile = resolve(context.config.root, options.ingestOutFile)
  const nameStyle: NameStyle = options.tableNameStyle
  const modes = { bigint: options.bigintMode, decimal: options.decimalMode }
  const outputs: Output[] = [
    { kind: 'types', file: outFile, body: renderTypes(targets, { modes, nameStyle, zod: options.emitZod }) },
  ]
  if (options.emitIngest) {
    const typesModule = moduleSpecifier(ingestOutFile, outFile)
    outputs.push({ kind: 'ingest', file: ingestOutFile, body: renderIngest(targets, { nameStyle, typesModule }) })
  }
  return { outputs, warnings, count: targets.length }
}

/** The options with what the command line says in their place. Paths there start in the working directory. */
function withFlags(options: Options, given: InferFlags<typeof flags>, cwd: string): Options {
  const path = (value: string | undefined) => (value === undefined ? undefined : resolve(cwd, value))
  const changes = {
    outFile: path(given['out-file']),
    emitZod: given['emit-zod'],
    emitIngest: given['emit-ingest'],
    ingestOutFile: path(given['ingest-out-file']),
    bigintMode: given['bigint-mode'],
    includeViews: given['include-views'],
  }
  const overrides = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined))
  const result = optionsSchema.safeParse({ ...options, ...overrides })
  if (result.success) return result.data
  const issue = result.error.issues[0]
  const flag = kebabCase(String(issue?.path[0] ?? 'outFile'))
  throw new ChkitError('invalid_flag_value', `--${flag} ${issue?.message ?? 'is not valid'}.`)
}

/** `ingestOutFile` as the flag spells it, `ingest-out-file`. */
function kebabCase(option: string): string {
  return option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

function checkResult(context: Context, outputs: readonly Output[]): CheckResult {
  const findings = outputs.flatMap((output) => findingOf(context, output) ?? [])
  return { plugin: 'codegen', evaluated: true, ok: findings.length === 0, findings }
}

/** What kept the check from comparing anything, as its only finding. */
function notChecked({ code, message, hint }: ChkitError): CheckResult {
  const finding: CheckFinding = {
    code: code === 'unsupported_type' ? 'codegen_unsupported_type' : 'codegen_not_checked',
    message: hint === undefined ? message : `${message}\n${hint}`,
    severity: 'error',
    metadata: { code },
  }
  return { plugin: 'codegen', evaluated: false, ok: false, findings: [finding] }
}

function findingOf(context: Context, output: Output): CheckFinding | undefined {
  const file = shown(context, output.file)
  const state = stateOf(output)
  if (state === 'current') return undefined
  const code = state === 'missing' ? MISSING_CODE[output.kind] : STALE_CODE[output.kind]
  return { code, message: sentence(file, state), severity: 'error', metadata: { file, state } }
}

function sentence(file: string, state: 'missing' | 'stale' | 'edited' | 'foreign'): string {
  switch (state) {
    case 'missing':
      return `${file} does not exist. Run \`chkit codegen\`.`
    case 'stale':
      return `${file} is not what the schema asks for. Run \`chkit codegen\`.`
    case 'edited':
      return `${file} was edited by hand. Run \`chkit codegen\`, which keeps the edited text beside it.`
    case 'foreign':
      return `${file} was not written by chkit codegen. Move it away, or name another file.`
  }
}

function warnOfEdits(context: Context, written: readonly WrittenOutput[]): void {
  for (const { file, keptAs } of written) {
    if (keptAs === undefined) continue
    context.warn(
      `${shown(context, file)} had been edited by hand; the edited text is kept in ${shown(context, keptAs)}.`,
    )
  }
}

function writtenLine(context: Context, { file, status }: WrittenOutput): string {
  const name = shown(context, file)
  return status === 'unchanged' ? `${name} is up to date.` : `Wrote ${name}.`
}

/** A path as messages show it: relative to the config file where it lies below it. */
function shown(context: Context, file: string): string {
  const path = relative(context.config.root, file)
  return path.startsWith('..') || isAbsolute(path) ? file : path.replaceAll('\\', '/')
}
