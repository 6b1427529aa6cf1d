/** Source text that fits its lines: a list stays on one line where it can, else each item gets its own. */

export type Doc = string | Group | readonly Doc[]

export type Group = {
  readonly kind: 'group'
  readonly open: string
  readonly items: readonly Doc[]
  readonly close: string
  /** Between items on one line: `, `, `; `, ` | `. */
  readonly separator: string
  /** Around each item when they stand on lines of their own: `['', ',']`, `['| ', '']`. */
  readonly line: readonly [before: string, after: string]
  /** Inside the brackets on one line: `{ a }`, but `[a]`. */
  readonly padding: '' | ' '
}

const WIDTH = 120

/** `doc` as text. `indent` counts spaces, `used` the columns taken before it on its line. */
export function layout(doc: Doc, indent: number, used: number): string {
  if (typeof doc === 'string') return doc
  if (isGroup(doc)) return layoutGroup(doc, indent, used)
  let text = ''
  for (const part of doc) {
    const lastLine = text.lastIndexOf('\n')
    text += layout(part, indent, lastLine < 0 ? used + text.length : text.length - lastLine - 1)
  }
  return text
}

function layoutGroup(group: Group, indent: number, used: number): string {
  const onOneLine = flat(group)
  // Room for a comma behind it.
  if (used + onOneLine.length < WIDTH || group.items.length === 0) return onOneLine
  const inner = ' '.repeat(indent + 2)
  const [before, after] = group.line
  const lines = group.items.map(
    (item) => `${inner}${before}${layout(item, indent + 2, indent + 2 + before.length)}${after}`,
  )
  const end = group.close === '' ? '' : `\n${' '.repeat(indent)}${group.close}`
  return `${group.open.trimEnd()}\n${lines.join('\n')}${end}`
}

/** `doc` on one line, however long. */
export function flat(doc: Doc): string {
  if (typeof doc === 'string') return doc
  if (!isGroup(doc)) return doc.map(flat).join('')
  if (doc.items.length === 0) return doc.open + doc.close
  return doc.open + doc.padding + doc.items.map(flat).join(doc.separator) + doc.padding + doc.close
}

function isGroup(doc: Group | readonly Doc[]): doc is Group {
  return 'kind' in doc
}

const INVISIBLE = /[\u007f-\u009f\u2028\u2029\ufeff]/g

/** A TypeScript string literal in the quotes that need fewer escapes; characters that an editor would not show are escaped. */
export function quoted(text: string): string {
  const double = JSON.stringify(text).replace(
    INVISIBLE,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  if (count(text, "'") > count(text, '"')) return double
  return `'${double.slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
}

function count(text: string, char: string): number {
  return text.split(char).length - 1
}

/** A property name as it stands in a type: bare where it may be. */
export function propertyName(name: string): string {
  return /^[A-Za-z_$][A-Za-z0-9_$]*$/.test(name) ? name : quoted(name)
}
