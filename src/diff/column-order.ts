/** Which columns must move, found with the fewest moves. */

/**
 * The members of `to` that may stay where they are: a longest run of names that stand in the same order in both
 * lists. Names missing on either side are ignored; each name occurs once per list. `pinned` is among them where both
 * lists have it.
 */
export function stableNames(from: readonly string[], to: readonly string[], pinned?: string): ReadonlySet<string> {
  const place = new Map<string, number>()
  for (let index = 0; index < from.length; index++) place.set(from[index]!, index)
  const names: string[] = []
  const places: number[] = []
  let ascending = true
  const pinnedAt = pinned === undefined || !to.includes(pinned) ? undefined : place.get(pinned)
  let isPinnedPassed = false
  for (const name of to) {
    const at = place.get(name)
    if (at === undefined) continue
    if (name === pinned) isPinnedPassed = true
    else if (pinnedAt !== undefined && at > pinnedAt !== isPinnedPassed) {
      // It crosses the pinned one, so it is the one to move.
      ascending = false
      continue
    }
    if (places.length > 0 && at < places[places.length - 1]!) ascending = false
    names.push(name)
    places.push(at)
  }
  if (ascending) return new Set(names)

  // Names are unique, so the longest common subsequence is the longest increasing run of places (patience sorting).
  const tails: number[] = []
  const previous = new Int32Array(places.length).fill(-1)
  for (let index = 0; index < places.length; index++) {
    let low = 0
    let high = tails.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (places[tails[middle]!]! < places[index]!) low = middle + 1
      else high = middle
    }
    previous[index] = low > 0 ? tails[low - 1]! : -1
    tails[low] = index
  }
  const stable = new Set<string>()
  for (let index = tails[tails.length - 1] ?? -1; index >= 0; index = previous[index]!) stable.add(names[index]!)
  return stable
}
