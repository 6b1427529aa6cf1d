import { relative } from 'node:path'
import { assertNever } from '../errors.js'
import { canonicalise, collectDefinitions } from '../model/canonical.js'
import { EMPTY_MODEL, type Model, type ObjectKind, objectKey, objectName } from '../model/definition.js'
import { dependenciesOf, dependencyCycles } from '../model/dependencies.js'
import type { CommandContext, CommandResult } from '../plugin-host/command.js'
import { declaredDefinitions } from '../plugin-host/definitions.js'
import { selectScope } from './scope.js'
import { scopePayload, scopeWarning } from './scope-payload.js'

/** A declared object; `key` is `kind:db.name`, `name` the same without the kind. */
type Node = { readonly key: string; readonly kind: ObjectKind; readonly name: string }

/** `from` needs `to`: it is created after it. Both are keys of nodes. */
type Edge = { readonly from: string; readonly to: string }

type Graph = {
  /** Sorted by key. */
  readonly nodes: readonly Node[]
  /** Sorted by `from`, then `to`. */
  readonly edges: readonly Edge[]
  /** Each circle once, as keys; the last needs the first. */
  readonly cycles: readonly (readonly string[])[]
}

type Format = 'mermaid' | 'dot' | 'json'

/** Runs `chkit graph`. */
export async function run(context: CommandContext): Promise<CommandResult> {
  const model = await declaredModel(context)
  const selected = selectScope(context.flags.table, EMPTY_MODEL, model)
  const graph = graphOf(model, selected.filter(model))
  const format = (context.flags.format ?? 'mermaid') as Format
  const warning = scopeWarning(selected.scope)
  if (warning !== undefined) context.warn(warning)
  for (const cycle of graph.cycles) {
    const path = [...cycle, cycle[0]].join(' → ')
    context.warn(cycle.length === 1 ? `${cycle[0]} reads itself.` : `These objects need each other: ${path}.`)
  }
  return {
    payload: { scope: scopePayload(selected.scope), format, ...graph },
    text: spelled(format, graph),
  }
}

/**
 * The schema as declared. A circle makes a schema invalid for every other command; here it is what somebody wants to
 * see, so plugins, which are promised a valid schema, are left out then.
 */
async function declaredModel(context: CommandContext): Promise<Model> {
  const files = await context.schemaFiles()
  const { config } = context
  const declared = files.flatMap(({ file, exports }) => collectDefinitions(exports, relative(config.root, file)))
  const { model, issues } = canonicalise(declared, { defaultDatabase: config.clickhouse?.database })
  if (issues.length > 0 && issues.every(({ code }) => code === 'dependency_cycle')) return model
  const { definitions, warnings } = declaredDefinitions(files, config)
  for (const { message } of warnings) context.warn(message)
  return { definitions: await context.plugins.onSchemaLoaded(definitions) }
}

function graphOf(model: Model, inScope: Model): Graph {
  const nodes = inScope.definitions.map((definition) => ({
    key: objectKey(definition),
    kind: definition.kind,
    name: objectName(definition),
  }))
  const keys = new Set(nodes.map(({ key }) => key))
  const edges = inScope.definitions.flatMap((definition) =>
    dependenciesOf(definition, model)
      .filter((key) => keys.has(key))
      .map((to) => ({ from: objectKey(definition), to })),
  )
  const cycles = dependencyCycles(model).filter((cycle) => cycle.some((key) => keys.has(key)))
  return { nodes, edges, cycles }
}

function spelled(format: Format, graph: Graph): string {
  switch (format) {
    case 'mermaid':
      return mermaid(graph)
    case 'dot':
      return dot(graph)
    case 'json':
      return JSON.stringify(graph, undefined, 2)
    default:
      return assertNever(format, 'format')
  }
}

/** What a kind of object looks like in both drawings. */
const SHAPES: Readonly<Partial<Record<ObjectKind, { readonly mermaid: readonly [string, string]; dot: string }>>> = {
  table: { mermaid: ['[(', ')]'], dot: 'cylinder' },
  view: { mermaid: ['[', ']'], dot: 'box' },
  materialized_view: { mermaid: ['[[', ']]'], dot: 'box3d' },
  dictionary: { mermaid: ['[/', '/]'], dot: 'note' },
  sql_function: { mermaid: ['([', '])'], dot: 'ellipse' },
  database: { mermaid: ['{{', '}}'], dot: 'folder' },
}

/** Ids are numbers: names of objects may hold anything, and Mermaid knows no way to quote an id. */
function mermaid({ nodes, edges }: Graph): string {
  const ids = new Map(nodes.map(({ key }, index) => [key, `n${index}`]))
  const lines = nodes.map(({ key, kind, name }) => {
    const [open, close] = SHAPES[kind]?.mermaid ?? ['>', ']']
    return `  ${ids.get(key)}${open}"${mermaidText(`${kind.replaceAll('_', ' ')}\n${name}`)}"${close}`
  })
  return ['flowchart LR', ...lines, ...edges.map(({ from, to }) => `  ${ids.get(from)} --> ${ids.get(to)}`)].join('\n')
}

/** A label reads entities, written with `#` and without the ampersand; all but plain characters are written so. */
function mermaidText(text: string): string {
  return text.replace(/[^\p{L}\p{N} ._,:-]/gu, (character) =>
    character === '\n' ? '<br/>' : `#${character.codePointAt(0)};`,
  )
}

function dot({ nodes, edges }: Graph): string {
  const lines = nodes.map(({ key, kind, name }) => {
    const label = dotText(`${kind.replaceAll('_', ' ')}\n${name}`)
    return `  ${dotText(key)} [label=${label}, shape=${SHAPES[kind]?.dot ?? 'plaintext'}]`
  })
  const arrows = edges.map(({ from, to }) => `  ${dotText(from)} -> ${dotText(to)}`)
  return ['digraph schema {', '  rankdir=LR', ...lines, ...arrows, '}'].join('\n')
}

function dotText(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`
}
