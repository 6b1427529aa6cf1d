import { ChkitError } from '../errors.js'
import { nearest } from '../nearest.js'
import type { FlagDef, Flags, ValueIssue } from '../plugin-host/command.js'

/** What argv holds: flags by bare name with their last or collected values, and everything else in order. */
export type ParsedArguments = { readonly flags: Flags; readonly positionals: readonly string[] }

/** One word of argv: a flag as typed with its value where one was attached, or a plain word. */
type Token =
  | { readonly kind: 'flag'; readonly typed: string; readonly name: string; readonly attached?: string }
  | { readonly kind: 'word'; readonly text: string }

const SHORT_FLAGS: Readonly<Record<string, string>> = { h: 'help', v: 'version' }

function readToken(word: string): Token {
  if (word.startsWith('--')) {
    const equals = word.indexOf('=')
    if (equals === -1) return { kind: 'flag', typed: word, name: word.slice(2) }
    return { kind: 'flag', typed: word.slice(0, equals), name: word.slice(2, equals), attached: word.slice(equals + 1) }
  }
  // A lone dash is a word by custom (standard input), and `-5` can only be meant as a value.
  if (!/^-[A-Za-z]/.test(word)) return { kind: 'word', text: word }
  return { kind: 'flag', typed: word, name: SHORT_FLAGS[word.slice(1)] ?? word }
}

type Spelling = { readonly flag: FlagDef; readonly negated: boolean }

function spellingsOf(defs: readonly FlagDef[]): Map<string, Spelling> {
  const known = new Map<string, Spelling>()
  for (const flag of defs) {
    for (const name of [flag.name, ...(flag.aliases ?? [])]) {
      known.set(name, { flag, negated: false })
      if (flag.negation) known.set(`no-${name}`, { flag, negated: true })
    }
  }
  return known
}

/**
 * Parses the words behind `chkit` by the given definitions. A flag that takes a value takes the next word, unless that
 * looks like a flag itself (`--name=--x` says it was meant). `--` ends the flags. Values are checked and converted.
 * Throws `unknown_flag`, `missing_flag_value` and `invalid_flag_value`, each naming the flag.
 */
export async function parseArguments(argv: readonly string[], defs: readonly FlagDef[]): Promise<ParsedArguments> {
  const known = spellingsOf(defs)
  const raw = new Map<FlagDef, boolean | string | string[]>()
  const positionals: string[] = []
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] as string
    if (word === '--') {
      positionals.push(...argv.slice(index + 1))
      break
    }
    const token = readToken(word)
    if (token.kind === 'word') {
      positionals.push(token.text)
      continue
    }
    const spelling = known.get(token.name)
    if (spelling === undefined) throw unknownFlag(token.typed, known)
    const { flag, negated } = spelling
    if (flag.type === 'boolean') {
      raw.set(flag, readBoolean(token, flag) !== negated)
      continue
    }
    const value = token.attached ?? argv[index + 1]
    if (token.attached === undefined) {
      if (value === undefined || value === '--' || readToken(value).kind === 'flag') throw missingValue(flag)
      index++
    }
    if (flag.type === 'string') raw.set(flag, value as string)
    else raw.set(flag, [...((raw.get(flag) as string[] | undefined) ?? []), ...splitList(flag, value as string)])
  }
  const flags: Record<string, unknown> = {}
  for (const [flag, value] of raw) flags[flag.name] = await checkValue(flag, value)
  return { flags, positionals }
}

function readBoolean(token: Token & { kind: 'flag' }, flag: FlagDef): boolean {
  if (token.attached === undefined || token.attached === 'true') return true
  if (token.attached === 'false') return false
  throw new ChkitError('invalid_flag_value', `Flag --${flag.name} takes no value, but got "${token.attached}".`, {
    hint: `Write --${flag.name} alone.`,
    details: { flag: flag.name },
  })
}

function splitList(flag: FlagDef, value: string): string[] {
  const entries = value
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
  if (entries.length === 0) throw missingValue(flag)
  return entries
}

async function checkValue(flag: FlagDef, value: boolean | string | string[]): Promise<unknown> {
  if (value === '') throw missingValue(flag)
  if (flag.choices !== undefined) {
    for (const entry of Array.isArray(value) ? value : [value]) {
      if (!flag.choices.includes(String(entry))) throw badChoice(flag, String(entry), flag.choices)
    }
  }
  if (flag.schema === undefined) return value
  const result = await flag.schema['~standard'].validate(value)
  if (result.issues === undefined) return result.value
  throw new ChkitError(
    'invalid_flag_value',
    `Flag --${flag.name} does not take "${String(value)}": ${issueTexts(result.issues)}.`,
    { details: { flag: flag.name, value } },
  )
}

function issueTexts(issues: readonly ValueIssue[]): string {
  return issues.map((issue) => issue.message.replace(/\.$/, '')).join('; ')
}

function badChoice(flag: FlagDef, value: string, choices: readonly string[]): ChkitError {
  const near = nearest(value, choices)
  return new ChkitError(
    'invalid_flag_value',
    `Flag --${flag.name} does not take "${value}": expected ${choices.join(', ')}.`,
    { hint: near === undefined ? undefined : `Did you mean "${near}"?`, details: { flag: flag.name, value, choices } },
  )
}

function missingValue(flag: FlagDef): ChkitError {
  return new ChkitError('missing_flag_value', `Flag --${flag.name} needs a value.`, {
    hint: `Write --${flag.name} ${flag.placeholder ?? '<value>'}, or --${flag.name}=<value> for one that begins with a dash.`,
    details: { flag: flag.name },
  })
}

function unknownFlag(typed: string, known: ReadonlyMap<string, Spelling>): ChkitError {
  const near = nearest(typed.replace(/^-+/, ''), [...known.keys()])
  return new ChkitError('unknown_flag', `Unknown flag ${typed}.`, {
    hint: near === undefined ? 'Run the command with --help for its flags.' : `Did you mean --${near}?`,
    details: { flag: typed, ...(near === undefined ? {} : { suggestion: `--${near}` }) },
  })
}

/** What must be known of argv before the config, and so the whole registry, can be loaded. */
export type Scan = {
  /** Plain words in order: the command's name, then its arguments. */
  readonly words: readonly string[]
  readonly json: boolean
  readonly help: boolean
  readonly version: boolean
  readonly config?: string
  readonly mode?: string
}

/**
 * A first look at argv that never throws: `defs` only say which flags take a value, unknown flags are passed over. The
 * full parse by the command's own definitions comes later.
 */
export function scanArguments(argv: readonly string[], defs: readonly FlagDef[]): Scan {
  const known = spellingsOf(defs)
  const words: string[] = []
  const values = new Map<string, string>()
  const present = new Set<string>()
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] as string
    if (word === '--') {
      words.push(...argv.slice(index + 1))
      break
    }
    const token = readToken(word)
    if (token.kind === 'word') {
      words.push(token.text)
      continue
    }
    if (token.attached !== 'false') present.add(token.name)
    const flag = known.get(token.name)?.flag
    if (flag === undefined || flag.type === 'boolean') continue
    const next = argv[index + 1]
    const takesNext = token.attached === undefined && next !== undefined && readToken(next).kind === 'word'
    if (takesNext) index++
    const value = token.attached ?? (takesNext ? next : undefined)
    if (value !== undefined) values.set(flag.name, value)
  }
  return {
    words,
    json: present.has('json'),
    help: present.has('help'),
    version: present.has('version'),
    config: values.get('config'),
    mode: values.get('mode'),
  }
}
