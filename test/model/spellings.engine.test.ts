import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { diffModels } from '../../src/diff/diff.js'
import { findDrift } from '../../src/diff/drift.js'
import { definitionFromStatement } from '../../src/model/canonical.js'
import { type Definition, isDatabaseObject } from '../../src/model/definition.js'
import { definitionFromNode } from '../../src/model/statement.js'
import { parseStatement } from '../../src/sql/statement.js'
import { type ChdbSession, openSession } from '../support/chdb-session.js'

/**
 * Groups of spellings of one thing (`=`) and of other things (`!`), put in place of the `%` of the last template (`#T`).
 * The server takes each; whichever of one group was written and whichever is live, there is neither plan nor drift, and
 * between one group's spellings and others there are both.
 */
type Group = { readonly name: string; readonly same: string[]; readonly other: string[] }

function readGroups(text: string): readonly Group[] {
  const groups: Group[] = []
  let template = '%'
  for (const line of text.trimEnd().split('\n')) {
    const rest = line.slice(2)
    if (line.startsWith('#T ')) template = line.slice(3)
    else if (line.startsWith('# ')) groups.push({ name: rest, same: [], other: [] })
    else groups.at(-1)![line.startsWith('= ') ? 'same' : 'other'].push(template.replace('%', () => rest))
  }
  return groups
}

const GROUPS = readGroups(readFileSync(new URL('../../fixtures/model/spellings.txt', import.meta.url), 'utf8'))

/** Clusters that `Distributed` may name; nothing is sent there. */
const replica = '<shard><replica><host>127.0.0.1</host><port>9000</port></replica></shard>'
const CONFIG = `<remote_servers><c>${replica}</c><c2>${replica}</c2></remote_servers>`

let engine: ChdbSession
const query = (sql: string): string => engine.query(sql)

beforeAll(() => {
  engine = openSession(CONFIG)
  for (const name of [
    'allow_suspicious_low_cardinality_types',
    'allow_suspicious_codecs',
    'allow_experimental_codecs',
    'allow_suspicious_types_in_order_by',
    'allow_suspicious_variant_types',
    'allow_statistics',
    'enable_time_time64_type',
  ])
    query(`SET ${name} = 1`)
  for (const statement of [
    'CREATE DATABASE am',
    'CREATE DATABASE am2',
    'USE am',
    'CREATE TABLE src (id UInt32, k String, ts DateTime, d Date, v Float64, arr Array(UInt8)) ENGINE = MergeTree ORDER BY id',
    'CREATE TABLE dst (id UInt32, k String) ENGINE = MergeTree ORDER BY id',
    'CREATE TABLE jn (id UInt32, k String) ENGINE = Join(ANY, LEFT, id)',
    "CREATE DICTIONARY dict (id UInt64, name String) PRIMARY KEY id SOURCE(CLICKHOUSE(DB 'am' TABLE 'src')) LAYOUT(HASHED()) LIFETIME(0)",
  ])
    query(statement)
})

afterAll(() => engine.close())

type Spelled = { readonly text: string; readonly declared: Definition; readonly live: Definition }

function spelled(text: string): Spelled {
  const { node, warnings } = parseStatement(text)
  expect(warnings).toEqual([])
  const declared = definitionFromNode(node, { database: 'am', declared: true })
  if (declared === undefined) throw new Error(`no definition: ${text}`)
  query(text)
  try {
    return { text, declared, live: definitionFromStatement(shown(declared), { currentDatabase: 'am' }) }
  } finally {
    query(`DROP ${WORDS[declared.kind] ?? 'VIEW'} ${'name' in declared ? declared.name : ''}`)
  }
}

const WORDS: Readonly<Record<string, string>> = {
  table: 'TABLE',
  dictionary: 'DICTIONARY',
  sql_function: 'FUNCTION',
  database: 'DATABASE',
}

function shown(definition: Definition): string {
  if (isDatabaseObject(definition))
    return query(`SELECT create_table_query FROM system.tables WHERE database = 'am' AND name = '${definition.name}'`)
  if (definition.kind === 'database')
    return query(
      `SELECT concat('CREATE DATABASE ', name, ' ENGINE = ', engine_full) FROM system.databases WHERE name = '${definition.name}'`,
    )
  return query("SELECT create_query FROM system.functions WHERE origin = 'SQLUserDefined'")
}

const model = (definition: Definition) => ({ definitions: [definition] })

/** What a user is told when `expected` is declared and `actual` is there. */
function differences(expected: Spelled, actual: Spelled): readonly string[] {
  const { drifted } = findDrift(model(expected.declared), model(actual.live))
  const changes = diffModels(model(actual.declared), model(expected.declared))
  return [...(drifted ? ['drift'] : []), ...(changes.length > 0 ? ['plan'] : [])]
}

describe('one form of every spelling', () => {
  it.each(GROUPS)('$name', ({ same, other }) => {
    const [these, others] = [same.map(spelled), other.map(spelled)]
    for (const one of [...these, ...others]) expect([one.text, differences(one, one)]).toEqual([one.text, []])
    for (const one of these) {
      for (const two of these) expect([one.text, two.text, differences(one, two)]).toEqual([one.text, two.text, []])
      for (const two of others) {
        expect([one.text, two.text, differences(one, two)]).toEqual([one.text, two.text, ['drift', 'plan']])
        expect([two.text, one.text, differences(two, one)]).toEqual([two.text, one.text, ['drift', 'plan']])
      }
    }
  })
})
