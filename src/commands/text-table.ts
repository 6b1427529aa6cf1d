/** The text without terminal escapes, as a reader sees it. */
function visible(text: string): string {
  return text.replace(/\x1b\[[0-9;]*m/g, '')
}

/**
 * Rows as lines with aligned columns, two spaces between them; colours do not count as width. `indent` stands before each
 * line. The last column is not padded.
 */
export function alignColumns(rows: readonly (readonly string[])[], indent = ''): string[] {
  const widths: number[] = []
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, visible(cell).length)
    })
  }
  return rows.map((row) => {
    const cells = row.map((cell, column) => {
      const padding = column === row.length - 1 ? 0 : (widths[column] as number) - visible(cell).length
      return cell + ' '.repeat(padding)
    })
    return `${indent}${cells.join('  ')}`.trimEnd()
  })
}
