/** Clauses that begin a line of their own, longest first. */
const CLAUSES =
  /^(?:(?:GLOBAL |LOCAL )?(?:ANY |ALL |ASOF |SEMI |ANTI )?(?:INNER|LEFT|RIGHT|FULL|CROSS|PASTE)(?: ANY| ALL| ASOF| SEMI| ANTI| OUTER| ARRAY)* JOIN|ARRAY JOIN|FROM|PREWHERE|WHERE|GROUP BY|HAVING|WINDOW|QUALIFY|ORDER BY|LIMIT|SETTINGS|UNION ALL|UNION DISTINCT|INTERSECT|SELECT)\b/

/** Where a list has one item per line. */
const LISTS = /^(?:SELECT(?: DISTINCT)?|WITH(?: RECURSIVE)?) /

const MIN_LENGTH = 60

/**
 * A query on several lines: one per clause, one per item of a SELECT or WITH list. Only blanks outside of brackets and
 * quotes become line ends, so that joining the lines with single blanks gives `text` back. A short query is one line.
 */
export function queryLines(text: string): readonly string[] {
  if (text.length < MIN_LENGTH) return [text]
  const lines: string[] = []
  let clause = ''
  for (const one of split(text, (rest) => CLAUSES.test(rest))) {
    clause = one
    const head = LISTS.exec(clause)?.[0]
    const items = head === undefined ? [] : split(clause, (_rest, before) => before === ',')
    if (head === undefined || items.length === 1) {
      lines.push(clause)
      continue
    }
    lines.push(
      head.trimEnd(),
      ...[(items[0] as string).slice(head.length), ...items.slice(1)].map((item) => `  ${item}`),
    )
  }
  return lines
}

/** Cuts at the blanks outside of brackets and quotes for which `isCut` holds, given what follows and the sign before. */
function split(text: string, isCut: (rest: string, before: string) => boolean): readonly string[] {
  const parts: string[] = []
  let start = 0
  let depth = 0
  for (let index = 0; index < text.length; index++) {
    const char = text[index] as string
    if (char === "'" || char === '`' || char === '"') index = endOfQuote(text, index)
    else if (char === '(' || char === '[' || char === '{') depth++
    else if (char === ')' || char === ']' || char === '}') depth--
    else if (char === ' ' && depth === 0 && isCut(text.slice(index + 1, index + 60), text[index - 1] ?? '')) {
      parts.push(text.slice(start, index))
      start = index + 1
    }
  }
  parts.push(text.slice(start))
  return parts
}

function endOfQuote(text: string, start: number): number {
  const quote = text[start]
  for (let index = start + 1; index < text.length; index++) {
    if (text[index] === '\\') index++
    else if (text[index] === quote) return index
  }
  return text.length
}
