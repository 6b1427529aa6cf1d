/**
 * Which objects of a model a definition needs, by the tokens of its canonical texts: queries name their tables with
 * the database, so every `db.name` that the model knows is a reference. Kept small on purpose; a parser-made graph can
 * take its place through `PlanOptions.dependenciesOf`.
 */
import { unquoteName } from '../diff/expression-names.js'
import { type Definition, isDatabaseObject, type Model, objectKey } from '../model/definition.js'
import { Token, tokenize } from '../sql/lexer.js'

/** The keys (`objectKey`) of the objects that a definition needs. */
export type DependenciesOf = (definition: Definition) => readonly string[]

/** Looks names up in one model; reading a definition costs as much as tokenizing its texts. */
export function referencesIn(model: Model): DependenciesOf {
  const objects = new Map<string, string>()
  const functions = new Map<string, string>()
  for (const definition of model.definitions) {
    if (isDatabaseObject(definition)) objects.set(`${definition.database}\0${definition.name}`, objectKey(definition))
    else if (definition.kind === 'sql_function') functions.set(definition.name, objectKey(definition))
  }
  return (definition) => {
    const found = new Set<string>()
    const database = isDatabaseObject(definition) ? definition.database : ''
    const add = (db: string, name: string) => {
      const key = objects.get(`${db}\0${name}`)
      if (key !== undefined) found.add(key)
    }
    for (const text of textsOf(definition)) collect(text, database, add, functions, found)
    if (definition.kind === 'materialized_view') {
      if (definition.to) add(definition.to.database, definition.to.name)
      for (const view of definition.refresh?.dependsOn ?? []) add(view.database, view.name)
    }
    if (definition.kind === 'raw')
      for (const dependency of definition.dependsOn ?? []) {
        const key = model.definitions.find(
          (d) =>
            objectKey(d) === dependency ||
            ('name' in d && isDatabaseObject(d) && `${d.database}.${d.name}` === dependency),
        )
        if (key) found.add(objectKey(key))
      }
    found.delete(objectKey(definition))
    return [...found]
  }
}

/** The texts of a definition in which another object can be named. */
function textsOf(definition: Definition): readonly string[] {
  switch (definition.kind) {
    case 'view':
    case 'materialized_view':
      return [definition.query]
    case 'dictionary':
      return [definition.source]
    case 'sql_function':
      return [definition.expression]
    case 'table': {
      // The engine's parameters as one list: Distributed and Buffer name database and table one after the other.
      const texts = [definition.engine.args.join(', ')]
      for (const column of definition.columns) {
        if (column.default?.expression) texts.push(column.default.expression)
        if (column.ttl) texts.push(column.ttl)
      }
      for (const index of definition.indexes ?? []) texts.push(index.expression)
      for (const constraint of definition.constraints ?? []) texts.push(constraint.expression)
      for (const projection of definition.projections ?? []) texts.push(projection.body)
      texts.push(...(definition.ttl ?? []), ...(definition.orderBy ?? []), ...(definition.partitionBy ?? []))
      return texts
    }
    default:
      return []
  }
}

function collect(
  text: string,
  database: string,
  add: (database: string, name: string) => void,
  functions: ReadonlyMap<string, string>,
  found: Set<string>,
): void {
  const tokens = tokenize(text)
  const isName = (index: number) => {
    const kind = tokens.kinds[index]
    return kind === Token.word || kind === Token.quotedIdentifier
  }
  const nameAt = (index: number) => {
    const raw = text.slice(tokens.starts[index], tokens.ends[index])
    return tokens.kinds[index] === Token.string ? unquoteName(`\`${raw.slice(1, -1)}\``) : unquoteName(raw)
  }
  const isText = (index: number) => isName(index) || tokens.kinds[index] === Token.string
  let sourceTable: string | undefined
  let sourceDatabase = database
  for (let index = 0; index < tokens.count; index++) {
    if (tokens.kinds[index] === Token.string) {
      // dictGet('db.name', ...) names a dictionary in a string.
      const name = nameAt(index)
      const dot = name.indexOf('.')
      if (dot > 0) add(name.slice(0, dot), name.slice(dot + 1))
      else if (tokens.kinds[index - 1] === Token.leftParen) add(database, name)
    }
    // Distributed(cluster, db, table), Buffer(db, table, ...), merge(db, ...).
    if (isText(index) && tokens.kinds[index + 1] === Token.comma && isText(index + 2))
      add(nameAt(index), nameAt(index + 2))
    if (!isName(index)) continue
    if (tokens.kinds[index + 1] === Token.dot && isName(index + 2)) add(nameAt(index), nameAt(index + 2))
    if (tokens.kinds[index + 1] === Token.leftParen) {
      const key = functions.get(nameAt(index))
      if (key !== undefined) found.add(key)
    }
    // A dictionary's SOURCE(CLICKHOUSE(TABLE 't' DB 'd')).
    const word = nameAt(index).toUpperCase()
    if (word === 'TABLE' && isText(index + 1)) sourceTable = nameAt(index + 1)
    if (word === 'DB' && isText(index + 1)) sourceDatabase = nameAt(index + 1)
  }
  if (sourceTable !== undefined) add(sourceDatabase, sourceTable)
}
