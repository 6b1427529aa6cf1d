/**
 * The candidate that a mistyped name most likely meant: the one with the fewest edits, at most a third of the name's
 * length and never more than three; undefined when none is that near. Ties go to the first candidate.
 */
export function nearest(name: string, candidates: readonly string[]): string | undefined {
  const typed = name.toLowerCase()
  const limit = Math.min(3, Math.max(1, Math.floor(typed.length / 3)))
  let best: string | undefined
  let bestEdits = limit + 1
  for (const candidate of candidates) {
    const known = candidate.toLowerCase()
    // A name typed in part (`--rename-col`) is nearer to its completion than any count of edits says.
    const begins = known !== typed && typed.length >= 3 && known.startsWith(typed)
    const edits = begins ? 1 : editDistance(typed, known)
    if (edits < bestEdits) {
      best = candidate
      bestEdits = edits
    }
  }
  return best
}

/** Insertions, deletions, substitutions and swaps of neighbours that turn one text into the other. */
function editDistance(a: string, b: string): number {
  let before: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1]
      let edits = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (same ? 0 : 1),
      )
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      if (swapped) edits = Math.min(edits, (before[column - 2] ?? 0) + 1)
      current.push(edits)
    }
    before = previous
    previous = current
  }
  return previous[b.length] ?? 0
}
