/** What replaces a secret in text that people or files may see. */
export const HIDDEN = '[HIDDEN]'

/** `user:pass@` after `://`, whatever the scheme; servers repeat such URLs in their messages. */
const USER_INFO = /(:\/\/)[^\s/@:'"]*:[^\s/@'"]*@/g

/** Characters of a secret that are enough to know the beginning of one that was cut off. */
const RECOGNISABLE = 4

/**
 * `text` without the given secrets and without the credentials of any URL in it. Secrets of fewer than four characters
 * are removed only from URLs and where they stand between quotes: replacing them everywhere would eat ordinary words. The
 * beginning of a longer one behind a quote goes as well, since servers cut the statements that they repeat.
 */
export function scrubSecrets(text: string, secrets: readonly string[]): string {
  let out = text
  for (const secret of secrets) {
    const forms = formsOf(secret)
    const isShort = secret.length < RECOGNISABLE
    for (const form of forms) out = isShort ? out.split(`'${form}'`).join(`'${HIDDEN}'`) : out.split(form).join(HIDDEN)
    if (!isShort) out = withoutBeginnings(out, forms)
  }
  return out.replace(USER_INFO, `$1${HIDDEN}@`)
}

/** As it is, and as URLs, JSON and both ways of quoting in SQL spell it; longest first, since one may begin another. */
function formsOf(secret: string): readonly string[] {
  const escaped = secret.replace(/\\/g, '\\\\').replace(/'/g, "\\'")
  const json = JSON.stringify(secret).slice(1, -1)
  const forms = new Set([secret, encodeURIComponent(secret), json, escaped, secret.replace(/'/g, "''")])
  return [...forms].sort((a, b) => b.length - a.length)
}

function withoutBeginnings(text: string, forms: readonly string[]): string {
  let out = text
  for (const head of new Set(forms.map((form) => `'${form.slice(0, RECOGNISABLE)}`))) {
    const [before = '', ...rest] = out.split(head)
    const candidates = forms.filter((form) => `'${form}`.startsWith(head)).map((form) => form.slice(RECOGNISABLE))
    const ends = rest.map((piece) => {
      const longest = Math.max(...candidates.map((form) => commonLength(piece, form)))
      return `'${HIDDEN}${piece.slice(longest)}`
    })
    out = before + ends.join('')
  }
  return out
}

function commonLength(a: string, b: string): number {
  let length = 0
  while (length < a.length && length < b.length && a[length] === b[length]) length++
  return length
}
