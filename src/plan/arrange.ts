/** The order of all work: each statement finds what it needs, and nothing is in its way. */
import { assertNever } from '../errors.js'
import { objectName } from '../model/definition.js'
import { orderUnits, type Unit } from './order.js'
import { RANK, type Role, type Scene, seesEverything, type Work } from './scene.js'
import type { Step } from './step.js'

/** The steps of all work in an order in which each statement finds what it needs and nothing that is in its way. */
export function arrange(scene: Scene, work: readonly Work[], detached: ReadonlySet<string>): Step[] {
  const units: Unit<Work>[] = work.map((item) => ({ name: item.key, rank: item.rank, payload: item, after: new Set() }))
  const byRole = (role: Role) => {
    const found = new Map<string, number[]>()
    for (const [index, item] of work.entries()) {
      if (item.role !== role) continue
      found.set(item.key, [...(found.get(item.key) ?? []), index])
    }
    return found
  }
  const drops = byRole('drop')
  const renames = byRole('rename')
  const brings = byRole('bring')
  const contracts = byRole('contract')
  const none: readonly number[] = []
  const newKeys = new Map([...scene.oldKeys].map(([to, from]) => [from, to]))
  const altered = new Set(work.flatMap((item) => (item.steps[0]!.change.kind === 'modifyAccess' ? [item.key] : [])))
  const nameOf = (key: string) => {
    const definition = scene.after.get(key) ?? scene.before.get(key)
    return definition === undefined ? key : objectName(definition)
  }
  /** Where each name (`db.name`, whatever the kind) is given up. */
  const released = new Map<string, number[]>()
  const release = (key: string, index: number) => {
    const name = nameOf(key)
    released.set(name, [...(released.get(name) ?? []), index])
  }
  for (const [key, indexes] of drops) for (const index of indexes) release(key, index)
  for (const [key, indexes] of renames) for (const index of indexes) release(scene.oldKeys.get(key) ?? key, index)

  for (const [index, item] of work.entries()) {
    const { after } = units[index]!
    const waitFor = (indexes: readonly number[] | undefined) => {
      for (const other of indexes ?? none) if (other !== index) after.add(other)
    }
    const oldKey = scene.oldKeys.get(item.key) ?? item.key
    const usersBefore = scene.usersBefore.get(oldKey) ?? []
    switch (item.role) {
      case 'bring': {
        for (const needed of scene.needsAfter.get(item.key) ?? []) {
          waitFor(renames.get(needed))
          // An altered user waits for its grants instead: a default role must be granted before it is named.
          if (!isGrantTo(scene, item.key, needed, altered)) waitFor(brings.get(needed))
          // What selects every column is stated when they are final; so is what stepped aside for them.
          if (detached.has(item.key) || seesEverything(scene, item.key)) waitFor(contracts.get(needed))
        }
        waitFor(renames.get(item.key))
        waitFor(released.get(nameOf(item.key)))
        if (altered.has(item.key))
          for (const user of scene.usersAfter.get(item.key) ?? [])
            if (isGrantTo(scene, user, item.key, altered)) waitFor(brings.get(user))
        for (const user of usersBefore) if (item.steps[0]!.change.kind === 'recreateTable') waitFor(drops.get(user))
        break
      }
      case 'rename':
        waitFor(released.get(nameOf(item.key)))
        for (const user of usersBefore) {
          waitFor(drops.get(user))
          // What its expressions read no more is taken out of a table while the old name still means something.
          const reader = newKeys.get(user) ?? user
          if (scene.before.get(user)?.kind !== 'table' || scene.needsAfter.get(reader)?.includes(item.key)) continue
          waitFor(brings.get(reader))
          waitFor(contracts.get(reader))
        }
        break
      case 'contract':
        waitFor(brings.get(item.key))
        waitFor(renames.get(item.key))
        for (const user of usersBefore) {
          waitFor(drops.get(user))
          if (!detached.has(user) && !seesEverything(scene, user)) waitFor(brings.get(user))
        }
        break
      case 'drop':
        for (const user of usersBefore) {
          waitFor(drops.get(user))
          if (detached.has(user)) continue
          waitFor(brings.get(user))
          // The server keeps what a column reads, also one that goes with it.
          waitFor(contracts.get(user))
        }
        if (item.rank === RANK.dropDatabase)
          waitFor([...drops.values()].flat().filter((other) => work[other]!.rank < RANK.dropDatabase))
        break
      case 'database':
        break
      default:
        assertNever(item.role, 'role')
    }
  }
  return orderUnits(units).flatMap((unit) => unit.payload.steps)
}

/** True for a grant to a user or role that exists already and is altered in the same plan. */
function isGrantTo(scene: Scene, key: string, needed: string, altered: ReadonlySet<string>): boolean {
  return scene.after.get(key)?.kind === 'grant' && altered.has(needed)
}
