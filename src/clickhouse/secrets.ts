/** What replaces a secret in text that people or files may see. */
export const HIDDEN = '[HIDDEN]'

/** `user:pass@` after `://`, whatever the scheme; servers repeat such URLs in their messages. */
const USER_INFO = /(:\/\/)[^\s/@:'"]*:[^\s/@'"]*@/g

/**
 * `text` without the given secrets and without the credentials of any URL in it. Secrets of fewer than four characters
 * are removed only from URLs: replacing them everywhere would eat ordinary words.
 */
export function scrubSecrets(text: string, secrets: readonly string[]): string {
  let out = text
  for (const secret of secrets) {
    if (secret.length < 4) continue
    for (const form of new Set([secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)])) {
      out = out.split(form).join(HIDDEN)
    }
  }
  return out.replace(USER_INFO, `$1${HIDDEN}@`)
}
