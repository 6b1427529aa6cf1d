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
    for (const form of formsOf(secret)) {
      if (secret.length < RECOGNISABLE) out = out.split(`'${form}'`).join(`'${HIDDEN}'`)
      else out = withoutBeginning(out.split(form).join(HIDDEN), form)
    }
  }
  return out.replace(USER_INFO, `$1${HIDDEN}@`)
}

/** As it is, and as URLs, JSON and both ways of quoting in SQL spell it. */
function formsOf(secret: string): ReadonlySet<string> {
  const escaped = secret.replace(/\\/g, '\\\\').replace(/'/g, "\\'")
  const json = JSON.stringify(secret).slice(1, -1)
  return new Set([secret, encodeURIComponent(secret), json, escaped, secret.replace(/'/g, "''")])
}

function withoutBeginning(text: string, form: string): string {
  const pieces = text.split(`'${form.slice(0, RECOGNISABLE)}`)
  return pieces
    .map((piece, index) => {
      if (index === 0) return piece
      let same = 0
      while (same < piece.length && piece[same] === form[RECOGNISABLE + same]) same++
      return `'${HIDDEN}${piece.slice(same)}`
    })
    .join('')
}
