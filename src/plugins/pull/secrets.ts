import { type Declaration, type Definition, objectName } from '../../index.js'

/** A secret that the server hid, and the environment variable that stands for it in the schema. */
export type SecretReference = {
  readonly object: string
  /** Undefined where the secret is part of a longer text, which no reference can replace. */
  readonly variable?: string
}

const HIDDEN = '[HIDDEN]'

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
  const total = countWhole(declaration)
  const secrets: SecretReference[] = []
  const reference = (): string => {
    const stem = `${object.replace(/[^A-Za-z0-9]+/g, '_').replace(/^_|_$/g, '')}_SECRET`.toUpperCase()
    const variable = `${/^\d/.test(stem) ? '_' : ''}${stem}${total > 1 ? `_${secrets.length + 1}` : ''}`
    secrets.push({ object, variable })
    return `env:${variable}`
  }
  const replaced = mapTexts(declaration, (one) =>
    one === HIDDEN ? reference() : one.replaceAll(`'${HIDDEN}'`, () => `'${reference()}'`),
  ) as Declaration
  const isPartial = JSON.stringify(replaced).includes(HIDDEN)
  return { declaration: replaced, secrets: isPartial ? [...secrets, { object }] : secrets }
}

function countWhole(value: unknown): number {
  let count = 0
  mapTexts(value, (text) => {
    count += text === HIDDEN ? 1 : text.split(`'${HIDDEN}'`).length - 1
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
