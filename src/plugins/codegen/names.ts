import { createHash } from 'node:crypto'

/** How an object's name becomes the first part of its types' names. */
export type NameStyle = 'pascal' | 'camel' | 'raw'

type Named = { readonly database: string; readonly name: string }

/**
 * One identifier per object, `AppEvents` for `app.events`, in the order given. Objects whose names come out the same
 * (`user_events` and `userEvents`) all get six hex digits of their full name's SHA-256 appended, so that none of them
 * changes its meaning when another one is added or dropped.
 */
export function identifiers(objects: readonly Named[], style: NameStyle): readonly string[] {
  const plain = objects.map((object) => identifier(object, style))
  const uses = new Map<string, number>()
  // The functions' names begin `ingestApp`, whatever the style: `app_x` and `App_x` are one there.
  for (const name of plain.map(upperFirst)) uses.set(name, (uses.get(name) ?? 0) + 1)
  return plain.map((name, index) =>
    uses.get(upperFirst(name)) === 1 ? name : `${name}_${fingerprint(objects[index]!)}`,
  )
}

/** `AppEvents`, `appEvents` or `app_events`. Letters of any script stay; everything else separates words. */
function identifier({ database, name }: Named, style: NameStyle): string {
  const text = style === 'raw' ? rawName(`${database}_${name}`) : capitalised([database, name], style)
  return /^[\p{ID_Start}_]/u.test(text) ? text : `_${text}`
}

function rawName(text: string): string {
  return text.replace(/[^\p{ID_Continue}]/gu, '_')
}

function capitalised(parts: readonly string[], style: NameStyle): string {
  const words = parts.flatMap((part) => part.split(/[^\p{L}\p{N}]+/u)).filter((word) => word !== '')
  const text = words.map(upperFirst).join('')
  return style === 'camel' ? lowerFirst(text) : text
}

/** `word` with its first letter in upper case, whatever its script. */
export function upperFirst(word: string): string {
  const [first = ''] = word
  return first.toUpperCase() + word.slice(first.length)
}

function lowerFirst(word: string): string {
  const [first = ''] = word
  return first.toLowerCase() + word.slice(first.length)
}

function fingerprint({ database, name }: Named): string {
  return createHash('sha256')
    .update(JSON.stringify([database, name]))
    .digest('hex')
    .slice(0, 6)
}
