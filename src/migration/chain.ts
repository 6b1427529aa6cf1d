import { assertNever, ChkitError } from '../errors.js'
import { compareCodeUnits } from '../model/definition.js'
import type { SnapshotHeader, SnapshotLink } from './snapshot.js'

/**
 * Which snapshot the next plan starts from. Snapshots form a chain by `parent`; files may have been deleted, branches
 * merged, a run killed between two writes. The decision is pure; `history.ts` reads the files it needs.
 */

/** What the decision is made from. */
export type ChainFacts = {
  /** Header of `snapshot.json`; undefined when the file is missing. */
  readonly head: SnapshotHeader | undefined
  readonly links: readonly SnapshotLink[]
  /** Ids of the migration files that exist. */
  readonly files: readonly string[]
  /** Ids that the journal holds; undefined while it has not been asked. */
  readonly applied: readonly string[] | undefined
}

export type ChainDecision =
  /** Nothing was ever generated: plan from an empty schema. */
  | { readonly kind: 'empty' }
  /** `snapshot.json` is right. */
  | { readonly kind: 'head' }
  /** `snapshot.json` is missing or behind (a run was killed between two writes): the named snapshot is the head. */
  | { readonly kind: 'mend'; readonly id: string }
  /** Migrations were deleted before they were applied; plan again from the named one, null for an empty schema. */
  | { readonly kind: 'replan'; readonly id: string | null; readonly deleted: readonly string[] }
  /** Files are gone, and only the journal knows whether they were applied. */
  | { readonly kind: 'askJournal'; readonly missing: readonly string[] }
  /** Two or more branches generated from the same state. */
  | { readonly kind: 'branches'; readonly parent: string | null; readonly tips: readonly string[] }
  /** A deleted migration that others were built upon. */
  | { readonly kind: 'gap'; readonly missing: string; readonly dependents: readonly string[] }

function ancestors(id: string | null, parents: ReadonlyMap<string, string | null>): string[] {
  const seen: string[] = []
  let at = id
  // A parent that names its own descendant would go round for ever.
  while (at !== null && !seen.includes(at)) {
    seen.push(at)
    at = parents.get(at) ?? null
  }
  return seen
}

function commonAncestor(tips: readonly string[], parents: ReadonlyMap<string, string | null>): string | null {
  const [first = null, ...others] = tips
  const lines = others.map((tip) => new Set(ancestors(tip, parents)))
  return ancestors(first, parents).find((id) => lines.every((line) => line.has(id))) ?? null
}

/** The decision, see `ChainDecision`. Never throws. */
export function decideChain(facts: ChainFacts): ChainDecision {
  const parents = new Map(facts.links.map((link) => [link.id, link.parent]))
  const headId = facts.head?.migration ?? null
  if (facts.head !== undefined && headId !== null && !parents.has(headId)) parents.set(headId, facts.head.parent)

  const present = new Set([...facts.files, ...(facts.applied ?? [])])
  const live = [...parents.keys()].filter((id) => present.has(id)).sort(compareCodeUnits)
  const built = new Set(live.flatMap((id) => ancestors(parents.get(id) ?? null, parents)))
  const tips = live.filter((id) => !built.has(id))

  const goneBelow = [...built].filter((id) => parents.has(id) && !present.has(id)).sort(compareCodeUnits)
  // Without a head nothing says how far the chain had come, so every snapshot whose file is gone may count.
  const headGone = facts.head === undefined ? [...parents.keys()] : headId === null ? [] : [headId]
  const missing = [...new Set([...goneBelow, ...headGone.filter((id) => !present.has(id))])]
  if (missing.length > 0 && facts.applied === undefined) return { kind: 'askJournal', missing }

  if (tips.length > 1) return { kind: 'branches', parent: commonAncestor(tips, parents), tips }
  const [gap] = goneBelow
  if (gap !== undefined) {
    return { kind: 'gap', missing: gap, dependents: live.filter((id) => ancestors(id, parents).includes(gap)) }
  }
  return decideTip(facts, headId, tips[0] ?? null, parents, present)
}

function decideTip(
  facts: ChainFacts,
  headId: string | null,
  tip: string | null,
  parents: ReadonlyMap<string, string | null>,
  present: ReadonlySet<string>,
): ChainDecision {
  if (headId === tip) return facts.head === undefined ? { kind: 'empty' } : { kind: 'head' }
  if (headId !== null && !present.has(headId)) {
    const deleted = ancestors(headId, parents).filter((id) => !present.has(id))
    return { kind: 'replan', id: tip, deleted: deleted.sort(compareCodeUnits) }
  }
  if (tip !== null) return { kind: 'mend', id: tip }
  return { kind: 'head' }
}

/** The error for a decision that a person must act on, or undefined where chkit goes on by itself. */
export function chainError(decision: ChainDecision, nameOf: (id: string) => string): ChkitError | undefined {
  switch (decision.kind) {
    case 'branches': {
      const tips = decision.tips.map(nameOf)
      const youngest = tips.at(-1)
      const youngestId = decision.tips.at(-1)
      return new ChkitError(
        'snapshot_branches',
        `Two branches generated migrations from the same state (${decision.parent ?? 'the empty schema'}): ${tips.join(' and ')}.`,
        {
          hint: `Delete the one that is not applied anywhere, for example ${youngest} and snapshots/${youngestId}.json, and snapshot.json too if git left conflict markers in it; then run 'chkit generate': it plans the same changes again on top of the other.`,
          details: { parent: decision.parent, tips: decision.tips, migrations: tips },
        },
      )
    }
    case 'gap':
      return new ChkitError(
        'migration_not_found',
        `Migration ${decision.missing} was deleted and never applied, but ${decision.dependents.map(nameOf).join(', ')} build on it.`,
        {
          hint: "Restore the file from version control, or delete those that build on it as well; 'chkit generate' then plans all of it again.",
          details: { missing: decision.missing, dependents: decision.dependents },
        },
      )
    case 'empty':
    case 'head':
    case 'mend':
    case 'replan':
    case 'askJournal':
      return undefined
    default:
      return assertNever(decision, 'chain decision')
  }
}

/** Of the applied migrations, the id of the newest one that has a snapshot; undefined when none has. */
export function newestWithSnapshot(applied: readonly string[], links: readonly SnapshotLink[]): string | undefined {
  const known = new Set(links.map((link) => link.id))
  return applied
    .filter((id) => known.has(id))
    .sort(compareCodeUnits)
    .at(-1)
}
