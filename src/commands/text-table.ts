/** The text without terminal escapes, as a reader sees it. */
function visible(text: string): string {
  return text.replace(/\x1b\[[0-9;]*m/g, '')
}

/** Narrower than this, lines are left to the terminal: a word a line reads worse than a broken one. */
const NARROWEST = 24

/**
 * The text as lines of at most `width` characters, broken between words; a longer word stays whole. The first begins with
 * `indent`, the others with `hanging`; both count. Without a width, or with a very small one, it is one line.
 */
export function wrapText(text: string, width: number | undefined, indent = '', hanging = indent): string[] {
  if (width === undefined || width - hanging.length < NARROWEST) return [indent + text]
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    const start = lines.length === 0 ? indent : hanging
    if (line !== '' && visible(`${start}${line} ${word}`).length > width) {
      lines.push(start + line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, (lines.length === 0 ? indent : hanging) + line]
}

/**
 * Rows as lines with aligned columns, two spaces between them; colours do not count as width. `indent` stands before each
 * line. The last column is not padded; with `width`, its words go on below where a line would be longer.
 */
export function alignColumns(rows: readonly (readonly string[])[], indent = '', width?: number): string[] {
  const widths: number[] = []
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, visible(cell).length)
    })
  }
  return rows.flatMap((row) => {
    const before = row.slice(0, -1).reduce((sum, _, column) => sum + (widths[column] as number) + 2, indent.length)
    const cells = row.map((cell, column) => {
      const padding = column === row.length - 1 ? 0 : (widths[column] as number) - visible(cell).length
      return cell + ' '.repeat(padding)
    })
    const first = [...cells.slice(0, -1), ''].join('  ')
    return wrapText(cells.at(-1) ?? '', width, `${indent}${first}`, ' '.repeat(before)).map((line) => line.trimEnd())
  })
}
