import { type Definition, isDatabaseObject } from '../../index.js'

/** Words that cannot be the name of an export (`exports` and `require` where modules are transformed), and what the module imports. */
const TAKEN: ReadonlySet<string> = new Set(
  `abstract any arguments as async await boolean break case catch class const continue debugger declare default delete
   do else enum eval export extends false finally for from function get if implements import in infer instanceof
   interface is keyof let module namespace never new null number object of package private protected public readonly
   return set static string super switch symbol this throw true try type typeof undefined unique unknown var void
   while with yield database dictionary grant materializedView namedCollection quota raw role rowPolicy settingsProfile
   sqlFunction table user view schema exports require globalThis
   jitiImport jitiESMResolve`.split(/\s+/),
)

/** What is longer is cut, so that the first line of a declaration holds it. */
const LONGEST = 80

const KIND_WORDS: Readonly<Record<Definition['kind'], string>> = {
  database: 'Database',
  table: 'Table',
  view: 'View',
  materialized_view: 'View',
  dictionary: 'Dictionary',
  sql_function: 'Function',
  role: 'Role',
  user: 'User',
  grant: 'Grant',
  row_policy: 'Policy',
  quota: 'Quota',
  settings_profile: 'Profile',
  named_collection: 'Collection',
  raw: 'Object',
}

/**
 * One identifier per definition, in the order given: `userEvents` for `app.user_events`, `appUserEvents` where another
 * object would have the same. What still collides gets a number, in order.
 */
export function exportNames(definitions: readonly Definition[]): readonly string[] {
  const short = definitions.map((definition) => identifier([baseName(definition)], definition.kind))
  const uses = new Map<string, number>()
  for (const name of short) uses.set(name, (uses.get(name) ?? 0) + 1)
  const taken = new Set<string>()
  return definitions.map((definition, index) => {
    const plain = short[index] as string
    const name = uses.get(plain) === 1 ? plain : longName(definition)
    let free = name
    for (let number = 2; taken.has(free) || (free !== plain && uses.has(free)); number++) free = `${name}${number}`
    taken.add(free)
    return free
  })
}

function baseName(definition: Definition): string {
  switch (definition.kind) {
    case 'raw':
      return definition.key.slice(0, 60)
    case 'grant':
      return definition.name.slice(0, 60)
    default:
      return definition.name
  }
}

function longName(definition: Definition): string {
  const name = baseName(definition)
  if (isDatabaseObject(definition)) return identifier([definition.database, name], definition.kind)
  return identifier([name, KIND_WORDS[definition.kind]], definition.kind)
}

/** Letters and digits of any script stay; everything else separates words. */
function identifier(parts: readonly string[], kind: Definition['kind']): string {
  const words = parts.flatMap((part) => part.normalize('NFC').split(/[^\p{ID_Continue}$]+|_+/u)).filter((one) => one)
  const text = words
    .map((word, index) => (index === 0 ? lowerFirst(word) : upperFirst(word)))
    .join('')
    .slice(0, LONGEST)
    // Not half of a character.
    .replace(/[\ud800-\udbff]$/, '')
  if (text === '') return `unnamed${KIND_WORDS[kind]}`
  if (TAKEN.has(text)) return text + KIND_WORDS[kind]
  return /^[\p{ID_Start}$]/u.test(text) ? text : `_${text}`
}

/** `URLHits` becomes `urlHits`, `HITS` becomes `hits`, `Hits` becomes `hits`. */
function lowerFirst(word: string): string {
  const capitals = /^\p{Lu}+(?=\p{Lu}\p{Ll}|$|\p{N})|^\p{Lu}/u.exec(word)?.[0] ?? ''
  return capitals.toLowerCase() + word.slice(capitals.length)
}

function upperFirst(word: string): string {
  const [first = ''] = word
  return first.toUpperCase() + word.slice(first.length)
}
