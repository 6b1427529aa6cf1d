/** What stands in the place of a secret. */
const HIDDEN = '[hidden]'

/** Shorter secrets are words that occur by chance; replacing them anywhere would ruin the text around them. */
const MINIMUM_LENGTH = 6

const SECRET_ENVIRONMENT = /(PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|PRIVATE_KEY|ACCESS_KEY)$/i

/** Replaces secrets in text. Secrets may be added while it is in use: the config is loaded after output has begun. */
export type Redactor = {
  readonly redact: (text: string) => string
  /** `user` and `secret` also hide as the `user:secret` pair that a Basic header holds. */
  readonly add: (secret: string | undefined, user?: string) => void
}

/**
 * A redactor that knows the values of environment variables named like secrets. It replaces each secret as it is, as
 * percent-encoding, JSON, SQL and base64 write it, and the password of any URL.
 */
export function createRedactor(env: Readonly<Record<string, string | undefined>>): Redactor {
  const long = new Set<string>()
  const short = new Set<string>()
  const add = (secret: string | undefined, user?: string) => {
    if (secret === undefined || secret === '') return
    for (const form of formsOf(secret, user)) (form.length >= MINIMUM_LENGTH ? long : short).add(form)
  }
  for (const [name, value] of Object.entries(env)) {
    if (SECRET_ENVIRONMENT.test(name)) add(value)
    // The password of a URL, wherever it is printed alone: `CLICKHOUSE_URL`, `DATABASE_URL`.
    else add(/^[a-z][a-z0-9+.-]*:\/\/[^\s/?#@:]*:([^\s/?#@]+)@/i.exec(value ?? '')?.[1])
  }
  const redact = (text: string): string => {
    let clean = text
    // Longest first: a secret that begins like another one must not leave its tail behind.
    for (const form of [...long].sort((a, b) => b.length - a.length)) clean = clean.replaceAll(form, HIDDEN)
    clean = clean.replace(/\b([a-z][a-z0-9+.-]*:\/\/)([^\s/?#@"`<>:]*):([^\s/"`<>]*)@/gi, `$1$2:${HIDDEN}@`)
    clean = clean.replace(/([?&](?:password|passwd|token|secret|api_?key|access_token)=)[^&\s'"`<>]+/gi, `$1${HIDDEN}`)
    for (const form of short) {
      const quoted = form.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
      // A short secret is hidden where it stands as a value: quoted, or behind a sign that introduces one.
      clean = clean.replace(
        new RegExp(`((?:password|passwd|secret|token)\\W{1,4})${quoted}(?!\\w)`, 'gi'),
        `$1${HIDDEN}`,
      )
    }
    return clean
  }
  return { redact, add }
}

function formsOf(secret: string, user: string | undefined): string[] {
  const encoded = encodeURIComponent(secret)
  const json = JSON.stringify(secret).slice(1, -1)
  const sql = secret.replace(/\\/g, '\\\\').replace(/'/g, "\\'")
  const forms = [
    secret,
    encoded,
    encoded.replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`),
    encoded.replace(/%20/g, '+'),
    json,
    sql,
    secret.replace(/'/g, "''"),
    base64(secret),
  ]
  try {
    forms.push(decodeURIComponent(secret))
  } catch (error) {
    // The secret holds a percent sign that encodes nothing: it has no decoded form.
    if (!(error instanceof URIError)) throw error
  }
  if (user !== undefined) forms.push(base64(`${user}:${secret}`))
  // Base64 of a very short secret is text that can occur by chance only rarely, but padding never helps a match.
  return [...new Set(forms.map((form) => form.replace(/=+$/, '')))].filter((form) => form !== '')
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64')
}

/** The same value with `redact` applied to every string in it, keys excepted. Cycles are cut. */
export function redactValue(value: unknown, redact: (text: string) => string): unknown {
  const seen = new Set<object>()
  const walk = (current: unknown): unknown => {
    if (typeof current === 'string') return redact(current)
    if (typeof current === 'bigint') return String(current)
    if (typeof current !== 'object' || current === null) return current
    if (seen.has(current)) return '[circular]'
    seen.add(current)
    const copy = Array.isArray(current)
      ? current.map(walk)
      : 'toJSON' in current && typeof current.toJSON === 'function'
        ? walk(current.toJSON())
        : Object.fromEntries(Object.entries(current).map(([key, entry]) => [key, walk(entry)]))
    seen.delete(current)
    return copy
  }
  return walk(value)
}
