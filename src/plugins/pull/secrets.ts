import { type Declaration, type Definition, objectName } from '../../index.js'

/** A secret that the server hid, and the environment variable that stands for it in the schema. */
export type SecretReference = {
  readonly object: string
  /** Undefined where the server shows nothing of a whole list of parameters, which no reference can replace. */
  readonly variable?: string
}

const HIDDEN = '[HIDDEN]'

/** Of a function that encrypts the server shows all that follows the mode as one hidden text. */
const ENCRYPTED = /\b(?:(?:try)?(?:en|de)crypt|aes_(?:en|de)crypt_mysql)\('[^']*', '\[HIDDEN\]'/gi

/** The quoted text as a whole, or any part of a text. */
const SECRET = /'\[HIDDEN\]'|\[HIDDEN\]/g

/**
 * The declaration with an environment reference in place of each secret that the server hides, and what was replaced.
 * The nth secret of `app.users` is `APP_USERS_SECRET_n`, without the number where there is one.
 */
export function withReferences(
  definition: Definition,
  declaration: Declaration,
): { readonly declaration: Declaration; readonly secrets: readonly SecretReference[] } {
  const object = objectName(definition)
  const text = JSON.stringify(declaration)
  if (!text.includes(HIDDEN)) return { declaration, secrets: [] }
  const total = countSecrets(declaration)
  const secrets: SecretReference[] = []
  const reference = (): string => {
    const stem = `${object.replace(/[^A-Za-z0-9]+/g, '_').replace(/^_|_$/g, '')}_SECRET`.toUpperCase()
    const variable = `${/^\d/.test(stem) ? '_' : ''}${stem}${total > 1 ? `_${secrets.length + 1}` : ''}`
    secrets.push({ object, variable })
    return `env:${variable}`
  }
  const replaced = mapTexts(declaration, (text) =>
    text === HIDDEN
      ? reference()
      : replaceSecrets(text, (one) => (one === HIDDEN ? `{${reference()}}` : `'${reference()}'`)),
  ) as Declaration
  const hasMore = JSON.stringify(replaced).includes(HIDDEN)
  return { declaration: replaced, secrets: hasMore ? [...secrets, { object }] : secrets }
}

/** Replaces all that is hidden but for the parameters of functions that encrypt. */
function replaceSecrets(text: string, replacement: (one: string) => string): string {
  if (!text.includes(HIDDEN)) return text
  const kept = text.match(ENCRYPTED) ?? []
  const pieces = text.split(ENCRYPTED).map((piece) => piece.replace(SECRET, replacement))
  return pieces.map((piece, index) => piece + (kept[index] ?? '')).join('')
}

function countSecrets(value: unknown): number {
  let count = 0
  mapTexts(value, (text) => {
    if (text === HIDDEN) count++
    else
      replaceSecrets(text, (one) => {
        count++
        return one
      })
    return text
  })
  return count
}

function mapTexts(value: unknown, map: (text: string) => string): unknown {
  if (typeof value === 'string') return map(value)
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, map))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, mapTexts(field, map)]))
}
