import type { ObjectEffect } from '../sql/effects.js'
import { sqlTokens } from '../sql/tokens.js'
import { objectsOf } from './evidence.js'
import type { MigrationStatement } from './migration-file.js'
import { isCertain, type ObjectRef, type Proof, refKey } from './proof.js'

/** A statement with its proof. */
export type Planned = { readonly statement: MigrationStatement; readonly proof: Proof }

/** A statement of a batch, and the positions in the batch of those that must be done before it is sent. */
export type Scheduled = Planned & { readonly after: readonly number[] }

/** Statements whose intents may be written together: none of them touches what the intent of another speaks of. */
export type Batch = readonly Scheduled[]

/** Most statements at once of which only the journal knows for sure that they ran: a crash leaves so many open. */
const MOST_UNCERTAIN = 8

/**
 * How a statement goes with others: `parallel`, at the same time as those that share no name with it; `ordered`, its
 * intent with theirs, but after all before it and before all after it; `alone`, nothing else is under way.
 */
type Company = 'parallel' | 'ordered' | 'alone'

const IN_DATABASES: ReadonlySet<string> = new Set(['table', 'view', 'materialized_view', 'dictionary'])

/** What a statement names that was there before it. */
function usedObjects({ effects }: MigrationStatement): readonly ObjectEffect[] {
  return effects.objects.filter((object) => object.role !== 'creates')
}

/** The company that a statement of its kind may have, if all that it names are plain tables, and if not. */
function companyOf({ statement: { node }, proof }: Planned): { readonly plain: Company; readonly otherwise: Company } {
  const alone = { plain: 'alone', otherwise: 'alone' } as const
  const made = proof.kind === 'made' && isCertain(proof)
  switch (node.kind) {
    case 'createTable': {
      if (!made || node.action !== 'CREATE' || node.orReplace) return alone
      // It reads tables by a pattern of their names.
      const pattern = node.asFunction !== undefined || node.storage?.engine?.name === 'Merge'
      return { plain: pattern ? 'ordered' : 'parallel', otherwise: 'ordered' }
    }
    case 'createView':
      return made && !node.orReplace ? { plain: 'parallel', otherwise: 'ordered' } : alone
    case 'createDictionary':
      return made && !node.orReplace ? { plain: 'ordered', otherwise: 'ordered' } : alone
    case 'alter':
      return proof.kind === 'altered' || proof.kind === 'mutated' ? { plain: 'parallel', otherwise: 'alone' } : alone
    case 'insert':
    case 'updateTable':
      return proof.kind === 'written' ? { plain: 'parallel', otherwise: 'alone' } : alone
    case 'deleteFrom':
      return proof.kind === 'mutated' ? { plain: 'parallel', otherwise: 'alone' } : alone
    case 'drop':
      return proof.kind === 'gone' && node.object === 'TABLE' ? { plain: 'parallel', otherwise: 'alone' } : alone
    case 'rename':
      return proof.kind === 'moved' && node.object === 'TABLE' ? { plain: 'parallel', otherwise: 'alone' } : alone
    default:
      return alone
  }
}

/** Tables that `items` use and that the server must be asked of: is it a plain table that nothing hangs on? */
export function tablesToAsk(items: readonly Planned[]): readonly ObjectRef[] {
  const found = new Map<string, ObjectRef>()
  for (const item of items) {
    if (companyOf(item).plain !== 'parallel') continue
    for (const { kind, database, name } of usedObjects(item.statement))
      if (IN_DATABASES.has(kind) && database !== undefined) found.set(refKey({ database, name }), { database, name })
  }
  return [...found.values()]
}

const STORING_ENGINE = /(MergeTree|Log|^Memory|^Null|^Set|^Join)$/

/** Statements after which nothing more hangs on the tables that they name. */
const KEEPS_PLAIN: ReadonlySet<string> = new Set(['insert', 'alter', 'deleteFrom', 'updateTable'])

/**
 * Follows which tables are plain through the statements of a migration. A plain table stores its own rows and nothing
 * hangs on it: no view is filled from it and none stands between its name and others. Only then does the text of a
 * statement tell all that it touches.
 */
class PlainTables {
  private readonly keys: Set<string>

  constructor(onServer: readonly ObjectRef[]) {
    this.keys = new Set(onServer.map(refKey))
  }

  hasAllOf(item: Planned): boolean {
    return usedObjects(item.statement).every((object) => this.keys.has(refKey(object)))
  }

  follow({ statement: { node, effects } }: Planned): void {
    if (node.kind === 'createTable') {
      const engine = node.storage?.engine?.name
      const stores = engine === undefined ? node.asTable === undefined : STORING_ENGINE.test(engine)
      for (const object of effects.objects) if (object.role === 'creates' && stores) this.keys.add(refKey(object))
      return
    }
    if (KEEPS_PLAIN.has(node.kind) || (node.kind === 'createView' && node.view === 'VIEW')) return
    // What a view or a dictionary reads has something hanging on it from then on; of a name that moved or went, and of
    // what a statement does that is not understood, nothing is known.
    if (effects.objects.length === 0) this.keys.clear()
    for (const object of effects.objects) this.keys.delete(refKey(object))
  }
}

/** Every name that the text of a statement could speak of: its words, and the parts of its strings. */
function wordsOf(text: string): ReadonlySet<string> {
  const words = new Set<string>()
  for (const { kind, value } of sqlTokens(text)) {
    if (kind === 'word' || kind === 'quoted_identifier') words.add(value)
    if (kind === 'string') for (const part of value.split(/[^\p{L}\p{N}_]+/u)) words.add(part)
  }
  return words
}

/** A batch in the making. Who must wait for whom is told by names, which errs on the side of waiting. */
class Draft {
  readonly items: Scheduled[] = []
  readonly certain: boolean
  private readonly observed = new Set<string>()
  private readonly speakers = new Map<string, number[]>()
  private readonly changers = new Map<string, number[]>()
  private lastOrdered = -1

  constructor(first: Planned, company: Company) {
    this.certain = isCertain(first.proof)
    this.add(first, company)
  }

  takes(item: Planned): boolean {
    if (isCertain(item.proof) !== this.certain) return false
    if (!this.certain && this.items.length >= MOST_UNCERTAIN) return false
    // An intent speaks of the state right before its statement.
    return !objectsOf(item.proof).some((object) => this.observed.has(refKey(object)))
  }

  add(item: Planned, company: Company): void {
    const index = this.items.length
    const words = wordsOf(item.statement.text)
    const changed = item.statement.effects.objects.filter(({ role }) => role !== 'reads').map(({ name }) => name)
    const after = new Set<number>(this.lastOrdered < 0 ? [] : [this.lastOrdered])
    if (company === 'ordered') {
      for (let before = this.lastOrdered + 1; before < index; before++) after.add(before)
      this.lastOrdered = index
    }
    for (const name of changed) for (const before of this.speakers.get(name) ?? []) after.add(before)
    for (const word of words) for (const before of this.changers.get(word) ?? []) after.add(before)
    for (const name of changed) push(this.changers, name, index)
    for (const word of words) push(this.speakers, word, index)
    for (const object of objectsOf(item.proof)) this.observed.add(refKey(object))
    this.items.push({ ...item, after: [...after] })
  }
}

function push(lists: Map<string, number[]>, key: string, value: number): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [value])
  else list.push(value)
}

/**
 * Cuts statements into batches, keeping their order, and says which of a batch must wait for which. `plain` are those
 * of `tablesToAsk` that the server calls plain. Pure.
 */
export function batchesOf(items: readonly Planned[], plain: readonly ObjectRef[]): Batch[] {
  const tables = new PlainTables(plain)
  const batches: Scheduled[][] = []
  let draft: Draft | undefined
  for (const item of items) {
    const { plain: best, otherwise } = companyOf(item)
    const company = tables.hasAllOf(item) ? best : otherwise
    tables.follow(item)
    if (company === 'alone') {
      draft = undefined
      batches.push([{ ...item, after: [] }])
    } else if (draft?.takes(item)) {
      draft.add(item, company)
    } else {
      draft = new Draft(item, company)
      batches.push(draft.items)
    }
  }
  return batches
}
