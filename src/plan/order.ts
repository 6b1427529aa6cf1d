/** Puts units of work in an order that respects what must come first. */

/** Work that runs as one block. `rank` decides where nothing else does; ties break by `name`, then by place in the list. */
export type Unit<Payload> = {
  readonly name: string
  readonly rank: number
  readonly payload: Payload
  /** Indexes of units that must run before this one. */
  readonly after: Set<number>
}

/**
 * The units in an order in which each comes after all of its `after`, the lowest rank first among those that may run.
 * Where the demands form a circle, the lowest rank of it goes first: an order is always found.
 */
export function orderUnits<Payload>(units: readonly Unit<Payload>[]): Unit<Payload>[] {
  const places = units.map((_, index) => index)
  places.sort((a, b) => compare(units[a]!, units[b]!) || a - b)
  const standing = new Int32Array(units.length)
  for (const [place, index] of places.entries()) standing[index] = place

  const waiting = new Int32Array(units.length)
  const followers: number[][] = units.map(() => [])
  for (const [index, unit] of units.entries())
    for (const earlier of unit.after) {
      if (earlier === index) continue
      followers[earlier]!.push(index)
      waiting[index]!++
    }

  const done = new Uint8Array(units.length)
  const ready = new Heap()
  for (const [index, count] of waiting.entries()) if (count === 0) ready.push(standing[index]!)
  const ordered: Unit<Payload>[] = []
  let oldest = 0
  while (ordered.length < units.length) {
    let place = ready.pop()
    if (place === undefined) {
      while (done[places[oldest]!]) oldest++
      place = oldest
    }
    const index = places[place]!
    if (done[index]) continue
    done[index] = 1
    ordered.push(units[index]!)
    for (const follower of followers[index]!) {
      waiting[follower]!--
      if (waiting[follower] === 0 && !done[follower]) ready.push(standing[follower]!)
    }
  }
  return ordered
}

function compare(a: Unit<unknown>, b: Unit<unknown>): number {
  return a.rank - b.rank || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)
}

/** A binary heap of numbers, smallest first. */
class Heap {
  private readonly items: number[] = []

  push(value: number): void {
    const { items } = this
    let at = items.length
    items.push(value)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (items[parent]! <= value) break
      items[at] = items[parent]!
      at = parent
    }
    items[at] = value
  }

  pop(): number | undefined {
    const { items } = this
    const top = items[0]
    const last = items.pop()
    if (items.length === 0 || last === undefined) return top
    let at = 0
    while (true) {
      let child = at * 2 + 1
      if (child >= items.length) break
      if (child + 1 < items.length && items[child + 1]! < items[child]!) child++
      if (items[child]! >= last) break
      items[at] = items[child]!
      at = child
    }
    items[at] = last
    return top
  }
}
