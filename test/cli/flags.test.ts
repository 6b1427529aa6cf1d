import { describe, expect, test } from 'vitest'
import { parseArguments, scanArguments } from '../../src/cli/flags.js'
import { seconds } from '../../src/commands/flag-values.js'
import type { FlagDef } from '../../src/plugin-host/command.js'

const defs: readonly FlagDef[] = [
  { name: 'config', type: 'string', description: '' },
  { name: 'json', type: 'boolean', description: '' },
  { name: 'help', type: 'boolean', description: '' },
  { name: 'apply', type: 'boolean', aliases: ['execute'], description: '' },
  { name: 'emit-zod', type: 'boolean', negation: true, description: '' },
  { name: 'rename-table', type: 'string[]', description: '' },
  { name: 'bigint-mode', type: 'string', choices: ['string', 'bigint'], description: '' },
  { name: 'lock-timeout', type: 'string', placeholder: '<s>', schema: seconds, description: '' },
]

describe('parseArguments', () => {
  const rows: readonly { name: string; argv: string[]; flags: object; positionals?: string[] }[] = [
    { name: 'a value as the next word', argv: ['--config', 'a.ts'], flags: { config: 'a.ts' } },
    { name: 'a value behind an equals sign', argv: ['--config=a.ts'], flags: { config: 'a.ts' } },
    { name: 'an equals sign inside of a value', argv: ['--config=a=b'], flags: { config: 'a=b' } },
    { name: 'a value that begins with dashes, by equals sign', argv: ['--config=--x'], flags: { config: '--x' } },
    { name: 'a negative number as a value', argv: ['--config', '-5'], flags: { config: '-5' } },
    {
      name: 'lists, repeated and comma-separated',
      argv: ['--rename-table', 'a=b, c=d', '--rename-table=e=f'],
      flags: { 'rename-table': ['a=b', 'c=d', 'e=f'] },
    },
    { name: 'the last of two values', argv: ['--config', 'a', '--config', 'b'], flags: { config: 'b' } },
    { name: 'another spelling under the flag’s own name', argv: ['--execute'], flags: { apply: true } },
    { name: 'a negated flag', argv: ['--no-emit-zod'], flags: { 'emit-zod': false } },
    {
      name: 'a boolean with a written value',
      argv: ['--json=false', '--apply=true'],
      flags: { json: false, apply: true },
    },
    { name: 'the short form of help', argv: ['-h'], flags: { help: true } },
    {
      name: 'words in their order',
      argv: ['plugin', '--json', 'x', 'y'],
      flags: { json: true },
      positionals: ['plugin', 'x', 'y'],
    },
    {
      name: 'everything behind -- as words',
      argv: ['a', '--', '--json', '-h'],
      flags: {},
      positionals: ['a', '--json', '-h'],
    },
    { name: 'a lone dash as a word', argv: ['-'], flags: {}, positionals: ['-'] },
    { name: 'a converted value', argv: ['--lock-timeout', '1.5'], flags: { 'lock-timeout': 1.5 } },
    { name: 'one of the choices', argv: ['--bigint-mode=bigint'], flags: { 'bigint-mode': 'bigint' } },
  ]
  test.each(rows)('reads $name', async ({ argv, flags, positionals }) => {
    expect(await parseArguments(argv, defs)).toEqual({ flags, positionals: positionals ?? [] })
  })

  const refusals: readonly { name: string; argv: string[]; code: string; message: string; hint?: string }[] = [
    {
      name: 'an unknown flag, with the nearest one',
      argv: ['--aply'],
      code: 'unknown_flag',
      message: 'Unknown flag --aply.',
      hint: 'Did you mean --apply?',
    },
    {
      name: 'a flag that is near to nothing',
      argv: ['--zzzzzzzz'],
      code: 'unknown_flag',
      message: 'Unknown flag --zzzzzzzz.',
    },
    { name: 'an unknown short flag', argv: ['-x'], code: 'unknown_flag', message: 'Unknown flag -x.' },
    {
      name: 'a negation that is not declared',
      argv: ['--no-json'],
      code: 'unknown_flag',
      message: 'Unknown flag --no-json.',
    },
    {
      name: 'a missing value at the end',
      argv: ['--config'],
      code: 'missing_flag_value',
      message: 'Flag --config needs a value.',
    },
    {
      name: 'a missing value before another flag',
      argv: ['--config', '--json'],
      code: 'missing_flag_value',
      message: 'Flag --config needs a value.',
    },
    {
      name: 'an empty value',
      argv: ['--config='],
      code: 'missing_flag_value',
      message: 'Flag --config needs a value.',
    },
    {
      name: 'a list of commas',
      argv: ['--rename-table', ',,'],
      code: 'missing_flag_value',
      message: 'Flag --rename-table needs a value.',
    },
    {
      name: 'a value for a boolean',
      argv: ['--json=yes'],
      code: 'invalid_flag_value',
      message: 'Flag --json takes no value, but got "yes".',
    },
    {
      name: 'a value that its schema refuses',
      argv: ['--lock-timeout', 'soon'],
      code: 'invalid_flag_value',
      message: 'Flag --lock-timeout does not take "soon": expected a number of seconds, such as 30.',
    },
    {
      name: 'a value that is no choice',
      argv: ['--bigint-mode', 'strin'],
      code: 'invalid_flag_value',
      message: 'Flag --bigint-mode does not take "strin": expected string, bigint.',
      hint: 'Did you mean "string"?',
    },
  ]
  test.each(refusals)('refuses $name', async ({ argv, code, message, hint }) => {
    const error = await parseArguments(argv, defs).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code, message, exitCode: 2, ...(hint === undefined ? {} : { hint }) })
  })
})

describe('scanArguments', () => {
  test('finds what is needed before the config, and passes over what it does not know', () => {
    const scan = scanArguments(
      ['--config', 'x.ts', '--odd', 'generate', '--json', '--mode=prod'],
      [...defs, { name: 'mode', type: 'string', description: '' }],
    )
    expect(scan).toEqual({ words: ['generate'], json: true, help: false, version: false, config: 'x.ts', mode: 'prod' })
  })

  test('leaves alone what stands behind --', () => {
    expect(scanArguments(['a', '--', '--json'], defs)).toMatchObject({ words: ['a', '--json'], json: false })
  })
})
