import {
  array,
  boolean,
  minLength,
  number,
  enum as oneOf,
  optional,
  positive,
  record,
  refine,
  strictObject,
  string,
  union,
  unknown,
} from 'zod/mini'
import { ChkitError } from '../errors.js'
import { nearest } from '../nearest.js'
import type { UserConfig } from './config.js'

// Every message is what the value must be, so that one sentence fits all: "`<key>` must be <message>".
// zod/mini and named imports keep what is bundled, and so loaded on every run, at a twentieth of the whole library.
const text = (expected = 'a text') => string({ error: expected })
const filled = (expected = 'a text that is not empty') => text(expected).check(minLength(1, { error: expected }))
const flag = () => boolean({ error: 'true or false' })
const milliseconds = () =>
  number({ error: 'a number of milliseconds' }).check(positive({ error: 'a number of milliseconds above 0' }))
const path = () => optional(filled('a path'))

const CONNECTION = 'a URL: http://host:8123, https://host:8443, chdb:./path or chdb::memory:'

const tls = strictObject(
  { caFile: path(), certFile: path(), keyFile: path(), rejectUnauthorized: optional(flag()) },
  { error: 'an object' },
)

const clickhouse = strictObject(
  {
    url: filled(CONNECTION).check(refine(isConnectionUrl, { error: CONNECTION })),
    username: optional(text()),
    user: optional(text()),
    password: optional(text()),
    database: optional(text()),
    secure: optional(flag()),
    cluster: optional(filled()),
    tls: optional(tls),
    connectTimeoutMs: optional(milliseconds()),
    requestTimeoutMs: optional(milliseconds()),
    settings: optional(
      record(text(), union([text(), number(), boolean()], { error: 'a text, a number or a boolean' }), {
        error: 'an object',
      }),
    ),
    compression: optional(flag()),
  },
  { error: 'an object' },
)

const check = strictObject(
  { failOnPending: optional(flag()), failOnChecksumMismatch: optional(flag()), failOnDrift: optional(flag()) },
  { error: 'an object' },
)

const safety = strictObject({ allowDestructive: optional(flag()) }, { error: 'an object' })

const journal = strictObject(
  {
    store: optional(oneOf(['table', 'file'], { error: '"table" or "file"' })),
    table: optional(filled('a table name')),
  },
  { error: 'an object' },
)

const GLOBS = 'a glob pattern or a list of them, such as "./src/db/schema/**/*.ts"'

const config = strictObject(
  {
    schema: union([filled(GLOBS), array(filled(GLOBS)).check(minLength(1, { error: GLOBS }))], { error: GLOBS }),
    outDir: path(),
    migrationsDir: path(),
    metaDir: path(),
    plugins: optional(array(unknown(), { error: 'a list of plugins' })),
    clickhouse: optional(clickhouse),
    check: optional(check),
    safety: optional(safety),
    journal: optional(journal),
  },
  { error: 'an object' },
)

/** The keys that exist at each place, for suggestions. */
const KNOWN_KEYS: Readonly<Record<string, readonly string[]>> = {
  '': Object.keys(config.shape),
  clickhouse: Object.keys(clickhouse.shape),
  'clickhouse.tls': Object.keys(tls.shape),
  check: Object.keys(check.shape),
  safety: Object.keys(safety.shape),
  journal: Object.keys(journal.shape),
}

function isConnectionUrl(url: string): boolean {
  if (/^chdb:./i.test(url)) return true
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) return false
  return new URL(url).hostname !== ''
}

/** One thing that is wrong with a config: the key (`clickhouse.url`, empty for the whole) and a sentence. */
export type ConfigIssue = { readonly key: string; readonly message: string; readonly suggestion?: string }

/** The exported value as a config. Throws `config_invalid` with every issue at once; `label` names the file in it. */
export function validateConfig(value: unknown, label: string): UserConfig {
  const result = config.safeParse(value)
  if (result.success) return result.data as UserConfig
  const found = result.error.issues.flatMap((issue) => describe(issue, value))
  // A value that fails two tests of its kind is still one mistake.
  const issues = [...new Map(found.map((issue) => [issue.message, issue])).values()]
  const [first] = issues
  const message =
    issues.length === 1 && first !== undefined
      ? `${label} is invalid: ${first.message}`
      : `${label} is invalid:\n${issues.map((issue) => `  - ${issue.message}`).join('\n')}`
  throw new ChkitError('config_invalid', message, { details: { issues } })
}

type ZodIssue = { readonly code?: string; readonly path: readonly PropertyKey[]; readonly message: string }

function describe(issue: ZodIssue, root: unknown): ConfigIssue[] {
  const place = issue.path.map(String).join('.')
  if (issue.code === 'unrecognized_keys') {
    const { keys } = issue as ZodIssue & { readonly keys: readonly string[] }
    return keys.map((name) => unknownKey(place, name))
  }
  if (place === '') return [{ key: '', message: `it must export ${issue.message}, not ${kindOf(root)}.` }]
  const value = issue.path.reduce<unknown>(
    (current, key) => (current as Record<PropertyKey, unknown> | undefined)?.[key],
    root,
  )
  const missing = value === undefined ? ' It is undefined: is an environment variable missing?' : ''
  const absent = value === undefined && !Object.hasOwn(parentOf(issue.path, root), issue.path.at(-1) as PropertyKey)
  if (absent) return [{ key: place, message: `\`${place}\` is missing: it must be ${issue.message}.` }]
  return [{ key: place, message: `\`${place}\` must be ${issue.message}.${missing}` }]
}

function parentOf(path: readonly PropertyKey[], root: unknown): object {
  const parent = path
    .slice(0, -1)
    .reduce<unknown>((current, key) => (current as Record<PropertyKey, unknown> | undefined)?.[key], root)
  return typeof parent === 'object' && parent !== null ? parent : {}
}

function unknownKey(place: string, name: string): ConfigIssue {
  const key = place === '' ? name : `${place}.${name}`
  const near = nearest(name, KNOWN_KEYS[place] ?? [])
  const suggestion = near === undefined ? undefined : place === '' ? near : `${place}.${near}`
  return {
    key,
    message: `Unknown key \`${key}\`.${suggestion === undefined ? '' : ` Did you mean \`${suggestion}\`?`}`,
    ...(suggestion === undefined ? {} : { suggestion }),
  }
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'a list' : `a value of type ${typeof value}`
}
