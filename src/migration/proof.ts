import type { Setting } from '../sql/ast.js'
import type { AlterCommand, AlterStatement, CreateTable, CreateView, ObjectName, Statement } from '../sql/ast-ddl.js'
import { Token, tokenize } from '../sql/lexer.js'
import { commandFingerprints, deletionFingerprints } from './mutation-text.js'

/**
 * What will prove that a statement ran, read from its syntax tree before it is sent. ClickHouse has no transaction
 * around DDL, so after a crash the system tables are asked what became of it; `evidence.ts` asks and judges.
 */

/** A table, view or dictionary, unquoted. */
export type ObjectRef = { readonly database: string; readonly name: string }

/** The key of an object in maps and sets, never read back; what is outside databases has a key of its own. */
export function refKey({ database, name }: { readonly database?: string | undefined; readonly name: string }): string {
  return JSON.stringify([database, name])
}

/** Things outside databases, by the system table that lists them. */
export type NamedKind =
  | 'database'
  | 'function'
  | 'named_collection'
  | 'user'
  | 'role'
  | 'quota'
  | 'settings_profile'
  | 'workload'
  | 'resource'

export type Proof =
  /** The object is there, and it is not the one that was there before. `filled`: by a SELECT that may have ended halfway. */
  | { readonly kind: 'made'; readonly object: ObjectRef; readonly filled: boolean }
  | { readonly kind: 'gone'; readonly objects: readonly ObjectRef[] }
  /** Identities have moved between names, pair after pair. */
  | {
      readonly kind: 'moved'
      readonly exchange: boolean
      readonly pairs: readonly { readonly from: ObjectRef; readonly to: ObjectRef }[]
    }
  /** The object's CREATE text differs from before. */
  | { readonly kind: 'altered'; readonly object: ObjectRef }
  /**
   * `system.mutations` has a new row for it, of just these commands (`commandFingerprints`; intents of versions before
   * have none).
   */
  | { readonly kind: 'mutated'; readonly object: ObjectRef; readonly commands?: readonly string[] }
  /**
   * Parts have come or gone; which of them were this statement's doing, parts alone do not say. `rows`: how many rows
   * the statement itself spells out, null where that is not known.
   */
  | { readonly kind: 'written'; readonly object: ObjectRef; readonly rows: number | null }
  | { readonly kind: 'emptied'; readonly object: ObjectRef }
  | { readonly kind: 'named'; readonly what: NamedKind; readonly names: readonly string[]; readonly present: boolean }
  /** Running it a second time changes nothing more than running it once. */
  | { readonly kind: 'repeatable' }
  /** Only the server's query log knows. */
  | { readonly kind: 'none' }

const NONE: Proof = { kind: 'none' }
const REPEATABLE: Proof = { kind: 'repeatable' }

function refOf(name: ObjectName, database: string): ObjectRef | undefined {
  const part = name.database ?? database
  return typeof part === 'string' && typeof name.name === 'string' ? { database: part, name: name.name } : undefined
}

function withRef(name: ObjectName, database: string, proof: (object: ObjectRef) => Proof): Proof {
  const object = refOf(name, database)
  return object === undefined ? NONE : proof(object)
}

/** Commands that rewrite parts in the background and leave a row in `system.mutations`. */
const MUTATIONS: ReadonlySet<AlterCommand['kind']> = new Set([
  'update',
  'delete',
  'materializeColumn',
  'clearColumn',
  'materializeElement',
  'clearElement',
  'materializeTtl',
  'applyDeletedMask',
  'applyPatches',
  'rewriteParts',
] as const)

/** Commands by which active parts come or go. */
function changesParts(command: AlterCommand): boolean {
  switch (command.kind) {
    case 'detachPartition':
    case 'attachPartition':
    case 'replacePartition':
      return true
    case 'dropPartition':
      return command.detached !== true
    case 'movePartition':
      return command.to.kind === 'TABLE'
    default:
      return false
  }
}

/** Commands that remove what is kept beside the table: a second time there is nothing left to remove. */
function clearsAside(command: AlterCommand): boolean {
  return (command.kind === 'dropPartition' && command.detached === true) || command.kind === 'unfreeze'
}

/** Commands of partitions, which do not show in the table's definition. */
const OF_PARTITIONS: ReadonlySet<AlterCommand['kind']> = new Set([
  'dropPartition',
  'detachPartition',
  'attachPartition',
  'replacePartition',
  'movePartition',
  'fetchPartition',
  'forgetPartition',
  'freeze',
  'unfreeze',
  'unlockSnapshot',
] as const)

function isMutation(command: AlterCommand): boolean {
  if (command.kind === 'statistics') return command.action === 'MATERIALIZE' || command.action === 'CLEAR'
  return MUTATIONS.has(command.kind)
}

function proofOfAlter(node: AlterStatement, database: string): Proof {
  if (node.object === 'DATABASE') return REPEATABLE
  const object = refOf(node.name, database)
  if (object === undefined || node.commands.some((command) => command.kind === 'unparsed')) return NONE
  const mutations = node.commands.filter(isMutation)
  const mutated = (): Proof => ({ kind: 'mutated', object, commands: commandFingerprints(mutations) })
  if (mutations.length === node.commands.length) return mutated()
  if (node.commands.every(changesParts)) return { kind: 'written', object, rows: null }
  if (node.commands.every(clearsAside)) return REPEATABLE
  if (node.commands.some((command) => OF_PARTITIONS.has(command.kind))) return NONE
  // The server takes the metadata commands of an ALTER first and starts its mutation next, so only the mutation says
  // that all of it was taken.
  return mutations.length > 0 ? mutated() : { kind: 'altered', object }
}

function isReplacing(node: Statement): boolean {
  return ('orReplace' in node && node.orReplace === true) || ('action' in node && node.action === 'REPLACE')
}

function proofOfCreate(node: CreateTable | CreateView, database: string): Proof {
  if (node.temporary) return REPEATABLE
  // One that is replaced takes the name when it is filled (seen on 26.7).
  const filled =
    node.kind === 'createTable'
      ? node.asSelect !== undefined && !node.empty && !isReplacing(node)
      : node.populate === true
  const copied = node.kind === 'createTable' && node.clone === true
  return withRef(node.name, database, (object) => ({ kind: 'made', object, filled: filled || copied }))
}

const textNames = (names: readonly { readonly name: unknown }[]): string[] | undefined => {
  const texts = names.map((name) => name.name)
  return texts.every((text) => typeof text === 'string') ? texts : undefined
}

function named(what: NamedKind, names: readonly string[] | undefined, present: boolean): Proof {
  return names === undefined ? NONE : { kind: 'named', what, names, present }
}

const ACCESS_KINDS: Readonly<Record<string, NamedKind>> = {
  USER: 'user',
  ROLE: 'role',
  QUOTA: 'quota',
  'SETTINGS PROFILE': 'settings_profile',
}

const GLOBAL_KINDS = {
  FUNCTION: 'function',
  'NAMED COLLECTION': 'named_collection',
  WORKLOAD: 'workload',
  RESOURCE: 'resource',
} as const satisfies Readonly<Record<string, NamedKind>>

function waitsForNothing({ name, value }: Setting): boolean {
  return name === 'wait_for_async_insert' && 'value' in value && ['0', 'false'].includes(String(value.value))
}

/** What will prove that `node` ran; `database` is the current one, for names without theirs. Never throws. */
export function proofOf(node: Statement, database: string): Proof {
  switch (node.kind) {
    case 'createTable':
    case 'createView':
      return proofOfCreate(node, database)
    case 'createDictionary':
      return withRef(node.name, database, (object) => ({ kind: 'made', object, filled: false }))
    case 'createDatabase':
      return typeof node.name === 'string' ? named('database', [node.name], true) : NONE
    case 'createFunction':
      return node.orReplace ? REPEATABLE : named('function', [node.name], true)
    case 'createNamedCollection':
      return named('named_collection', [node.name], true)
    case 'createWorkload':
      return node.orReplace ? REPEATABLE : named('workload', [node.name], true)
    case 'createResource':
      return node.orReplace ? REPEATABLE : named('resource', [node.name], true)
    case 'drop':
      return proofOfDrop(node, database)
    case 'dropGlobal':
      return named(GLOBAL_KINDS[node.object], [node.name], false)
    case 'dropAccess': {
      const what = ACCESS_KINDS[node.object]
      return what === undefined ? (node.ifExists ? REPEATABLE : NONE) : named(what, textNames(node.names), false)
    }
    case 'rename':
      return proofOfRename(node, database)
    case 'alter':
      return proofOfAlter(node, database)
    case 'createIndex':
    case 'dropIndex':
      return withRef(node.table, database, (object) => ({ kind: 'altered', object }))
    case 'insert':
      // Rows that are not waited for come some time after the answer.
      return node.table === undefined || node.settings?.some(waitsForNothing)
        ? NONE
        : withRef(node.table, database, (object) => ({ kind: 'written', object, rows: countTuples(node.data) }))
    case 'deleteFrom':
      return withRef(node.table, database, (object) => ({
        kind: 'mutated',
        object,
        commands: deletionFingerprints(node),
      }))
    case 'updateTable':
      return withRef(node.table, database, (object) => ({ kind: 'written', object, rows: null }))
    case 'undrop':
      return withRef(node.name, database, (object) => ({ kind: 'made', object, filled: false }))
    case 'user':
      return node.action === 'CREATE' && !node.orReplace
        ? named('user', textNames(node.names), true)
        : proofOfSetting(node)
    case 'role':
      return node.action === 'CREATE' && !node.orReplace
        ? named('role', textNames(node.names), true)
        : proofOfSetting(node)
    case 'settingsProfile':
      return node.action === 'CREATE' && !node.orReplace
        ? named('settings_profile', node.names, true)
        : proofOfSetting(node)
    case 'quota':
      return node.action === 'CREATE' && !node.orReplace ? named('quota', node.names, true) : proofOfSetting(node)
    case 'optimize':
    case 'select':
    case 'union':
    case 'setOperation':
    case 'explain':
      return REPEATABLE
    default:
      return OTHER_REPEATABLE.has(node.kind) ? REPEATABLE : NONE
  }
}

/** Statements that set a state rather than change it. */
const OTHER_REPEATABLE: ReadonlySet<string> = new Set([
  'grant',
  'output',
  'alterNamedCollection',
  'use',
  'set',
  'setRole',
  'system',
])

/** An ALTER of an access object sets what it names, unless it renames or adds. */
function proofOfSetting(node: {
  readonly renameTo?: string
  readonly addAuthentication?: true
  readonly orReplace?: true
}): Proof {
  return node.renameTo !== undefined || node.addAuthentication ? NONE : REPEATABLE
}

/** Rows in the text after VALUES; null for other formats and for text that is no list of tuples. */
function countTuples(data: string | undefined): number | null {
  if (data === undefined) return null
  const tokens = tokenize(data)
  let rows = 0
  let at = 0
  while (at < tokens.count) {
    if (tokens.kinds[at] === Token.comma || tokens.kinds[at] === Token.semicolon) {
      at++
      continue
    }
    const end = tokens.kinds[at] === Token.leftParen ? (tokens.matching[at] ?? -1) : -1
    if (end < 0) return null
    rows++
    at = end + 1
  }
  return rows
}

function proofOfDrop(node: Extract<Statement, { kind: 'drop' }>, database: string): Proof {
  if (node.temporary) return REPEATABLE
  if (node.tablesOf !== undefined) return NONE
  if (node.object === 'DATABASE') return named('database', textNames(node.names), false)
  const objects = node.names.map((name) => refOf(name, database))
  if (!objects.every((object) => object !== undefined)) return NONE
  const [first] = objects
  if (node.action === 'TRUNCATE') return first === undefined ? NONE : { kind: 'emptied', object: first }
  return { kind: 'gone', objects }
}

function proofOfRename(node: Extract<Statement, { kind: 'rename' }>, database: string): Proof {
  if (node.object === 'DATABASE') {
    const targets = textNames(node.pairs.map((pair) => pair.to))
    return node.exchange ? NONE : named('database', targets, true)
  }
  const pairs = node.pairs.map(({ from, to }) => ({ from: refOf(from, database), to: refOf(to, database) }))
  const known = pairs.filter(
    (pair): pair is { from: ObjectRef; to: ObjectRef } => pair.from !== undefined && pair.to !== undefined,
  )
  return known.length === pairs.length ? { kind: 'moved', exchange: node.exchange === true, pairs: known } : NONE
}

/** True where an open intent can always be settled by looking, so that its outcome need not be written at once. */
export function isCertain(proof: Proof): boolean {
  switch (proof.kind) {
    case 'made':
      return !proof.filled
    case 'gone':
    case 'moved':
    case 'altered':
    case 'named':
    case 'repeatable':
      return true
    default:
      return false
  }
}

/** The table whose mutations the statement may have started, which must end before the next one. */
export function mutatedObject(proof: Proof): ObjectRef | undefined {
  return proof.kind === 'mutated' || proof.kind === 'altered' ? proof.object : undefined
}

/** True where a statement that arrives once more, after others have followed it, is refused or sets what is set. */
export function isHarmlessLate(node: Statement, proof: Proof): boolean {
  switch (proof.kind) {
    case 'made':
      return !proof.filled && !isReplacing(node)
    case 'named':
      return proof.present
    case 'repeatable':
      return true
    default:
      return false
  }
}
