import { ChkitError } from '../errors.js'
import { nearest } from '../nearest.js'
import type { CommandContext, CommandResult, FlagDef, RegisteredCommand, Registry } from '../plugin-host/command.js'

const SHELLS = ['bash', 'zsh', 'fish']

/** `chkit completion <shell>`: the script. Throws `unexpected_argument` for another shell. */
export async function run(context: CommandContext): Promise<CommandResult> {
  const [shell, ...rest] = context.args
  if (shell === undefined || !SHELLS.includes(shell) || rest.length > 0) {
    const near = shell === undefined ? undefined : nearest(shell, SHELLS)
    throw new ChkitError(
      'unexpected_argument',
      shell === undefined ? 'Name a shell: bash, zsh or fish.' : `"${context.args.join(' ')}" is no shell chkit knows.`,
      { hint: `Run \`chkit completion ${near ?? 'bash'}\`.`, details: { shells: SHELLS } },
    )
  }
  const script = completionScript(shell as 'bash' | 'zsh' | 'fish', context.registry)
  return { payload: { shell, script }, text: script.trimEnd() }
}

/** The script that completes everything the registry holds: commands, flags, choices, and files for paths. */
export function completionScript(shell: 'bash' | 'zsh' | 'fish', registry: Registry): string {
  const nodes = collectNodes(registry)
  return shell === 'bash' ? bashScript(nodes) : shell === 'zsh' ? zshScript(nodes) : fishScript(nodes)
}

/** What may follow after some words have been typed: `words` is '' at first, then `migrate` or `backfill plan`. */
type Node = {
  readonly words: string
  readonly next: readonly { readonly word: string; readonly description: string }[]
  readonly flags: readonly FlagDef[]
}

function collectNodes(registry: Registry): readonly Node[] {
  const calls = registry.commands.flatMap((command) => callsOf(command))
  const paths = new Set<string>([''])
  for (const { words } of calls) {
    for (let length = 1; length <= words.length; length++) paths.add(words.slice(0, length).join(' '))
  }
  return [...paths].map((path) => {
    const depth = path === '' ? 0 : path.split(' ').length
    const next = new Map<string, string>()
    for (const { words, command } of calls) {
      const follows = words.length > depth && words.slice(0, depth).join(' ') === path
      const word = words[depth]
      if (!follows || word === undefined) continue
      const ends = words.length === depth + 1
      if (ends || !next.has(word)) next.set(word, ends ? command.description : `Commands of plugin ${word}`)
    }
    const called = calls.find(({ words }) => words.join(' ') === path)?.command
    for (const choice of called?.argumentChoices ?? []) next.set(choice, '')
    if (path === 'help') {
      for (const { words, command } of calls) {
        const word = words[0] as string
        if (words.length === 1) next.set(word, command.description)
        else if (!next.has(word)) next.set(word, `Commands of plugin ${word}`)
      }
    }
    return {
      words: path,
      next: [...next].map(([word, description]) => ({ word, description })),
      flags: [...(called?.flags ?? []), ...registry.globalFlags],
    }
  })
}

/** All word sequences that call a command; a plugin's also behind `plugin`. */
function callsOf(
  command: RegisteredCommand,
): { readonly words: readonly string[]; readonly command: RegisteredCommand }[] {
  const names = [command.name, ...command.aliases].map((name) => name.split(' '))
  const short = command.name.split(' ').at(-1) as string
  const behindPlugin = command.plugin === undefined ? [] : [['plugin', command.plugin, short]]
  return [...names, ...behindPlugin].map((words) => ({ words, command }))
}

function spellings(flag: FlagDef): string[] {
  const names = [flag.name, ...(flag.aliases ?? [])]
  return [...names.map((name) => `--${name}`), ...(flag.negation ? names.map((name) => `--no-${name}`) : [])]
}

/** Flags whose value is a path say so in their placeholder or name. */
function takesFile(flag: FlagDef): boolean {
  return /path|file|dir/i.test(flag.placeholder ?? '') || /(^|-)(config|file|dir|path)$/.test(flag.name)
}

/** Inside of single quotes for a POSIX shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

function bashScript(nodes: readonly Node[]): string {
  const flagsWithValue = new Map<string, FlagDef>()
  for (const { flags } of nodes) {
    for (const flag of flags)
      if (flag.type !== 'boolean') for (const name of spellings(flag)) flagsWithValue.set(name, flag)
  }
  const values = [...flagsWithValue].map(([name, flag]) => {
    if (flag.choices !== undefined) {
      return `    ${name}) COMPREPLY=($(compgen -W ${quoted(flag.choices.join(' '))} -- "$current")); return ;;`
    }
    return takesFile(flag)
      ? `    ${name}) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$current")); return ;;`
      : `    ${name}) return ;;`
  })
  const cases = nodes.map(({ words, next, flags }) => {
    const flagWords = flags.flatMap(spellings).join(' ')
    return `    ${quoted(words)}) words=${quoted(next.map(({ word }) => word).join(' '))}; flags=${quoted(flagWords)} ;;`
  })
  return `# chkit completion for bash
_chkit() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  local path='' word words='' flags='' index
  COMPREPLY=()
  # A flag written --name=value arrives in three words.
  if [[ "$previous" == '=' ]]; then previous="\${COMP_WORDS[COMP_CWORD-2]}"; fi
  if [[ "$current" == '=' ]]; then current=''; fi
  case "$previous" in
${values.join('\n')}
  esac
  for ((index = 1; index < COMP_CWORD; index++)); do
    word="\${COMP_WORDS[index]}"
    case "$word" in
      ${[...flagsWithValue.keys()].join('|')})
        if [[ "\${COMP_WORDS[index+1]}" == '=' ]]; then index=$((index + 2)); else index=$((index + 1)); fi ;;
      -*) ;;
      *) path="\${path:+$path }$word" ;;
    esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  if [[ "$current" == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$current"))
  else
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  fi
}
complete -F _chkit chkit
`
}

function zshScript(nodes: readonly Node[]): string {
  // Inside of [...] a bracket or a colon has a meaning to _arguments and _describe.
  const description = (text: string) => text.replace(/[[\]:\\]/g, '\\$&')
  const spec = (flag: FlagDef, name: string): string => {
    const text = description(flag.description)
    if (flag.type === 'boolean') return quoted(`${name}[${text}]`)
    const action = flag.choices !== undefined ? `(${flag.choices.join(' ')})` : takesFile(flag) ? '_files' : ' '
    const repeat = flag.type === 'string[]' ? '*' : ''
    return quoted(`${repeat}${name}=[${text}]:${description(flag.placeholder ?? 'value')}:${action}`)
  }
  const cases = nodes.map(({ words, next, flags }) => {
    const specs = flags.flatMap((flag) => spellings(flag).map((name) => spec(flag, name)))
    const entries = next.map(({ word, description: text }) => quoted(`${word}:${description(text)}`))
    return `    ${quoted(words)})
      entries=(${entries.join(' ')})
      specs=(${specs.join(' ')})
      ;;`
  })
  const valueFlags = new Set<string>()
  for (const { flags } of nodes) {
    for (const flag of flags) if (flag.type !== 'boolean') for (const name of spellings(flag)) valueFlags.add(name)
  }
  return `#compdef chkit
# chkit completion for zsh
_chkit() {
  local -a entries specs
  local path_words='' word index
  for ((index = 2; index < CURRENT; index++)); do
    word="\${words[index]}"
    case "$word" in
      ${[...valueFlags].join('|')}) ((index++)) ;;
      -*) ;;
      *) path_words="\${path_words:+$path_words }$word" ;;
    esac
  done
  case "$path_words" in
${cases.join('\n')}
  esac
  if [[ "\${words[CURRENT]}" != -* ]] && (( \${#entries} )) && [[ -z "\${specs[(r)*\${words[CURRENT-1]}=*]}" || "\${words[CURRENT-1]}" != --* ]]; then
    _describe 'command' entries
  else
    _arguments $specs '*: :'
  fi
}
if [ "$funcstack[1]" = "_chkit" ]; then _chkit "$@"; else compdef _chkit chkit; fi
`
}

function fishScript(nodes: readonly Node[]): string {
  const valueFlags = new Set<string>()
  for (const { flags } of nodes) {
    for (const flag of flags) if (flag.type !== 'boolean') for (const name of spellings(flag)) valueFlags.add(name)
  }
  const fishQuoted = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
  const lines = nodes.flatMap(({ words, next, flags }) => {
    const condition = `-n ${fishQuoted(`__chkit_at ${fishQuoted(words)}`)}`
    const entries = next.map(({ word, description }) => {
      const text = description === '' ? '' : ` -d ${fishQuoted(description)}`
      return `complete -c chkit ${condition} -f -a ${fishQuoted(word)}${text}`
    })
    const flagLines = flags.flatMap((flag) =>
      spellings(flag).map((name) => {
        const value =
          flag.type === 'boolean'
            ? ''
            : flag.choices !== undefined
              ? ` -x -a ${fishQuoted(flag.choices.join(' '))}`
              : takesFile(flag)
                ? ' -r -F'
                : ' -x'
        return `complete -c chkit ${condition} -l ${name.slice(2)}${value} -d ${fishQuoted(flag.description)}`
      }),
    )
    return [...entries, ...flagLines]
  })
  return `# chkit completion for fish
function __chkit_at
  set -l skip 0
  set -l path
  for word in (commandline -opc)[2..-1]
    if test $skip -eq 1
      set skip 0
      continue
    end
    switch $word
      case ${[...valueFlags].join(' ')}
        set skip 1
      case '-*'
      case '*'
        set -a path $word
    end
  end
  test "$path" = "$argv[1]"
end
complete -c chkit -f
${lines.join('\n')}
`
}
