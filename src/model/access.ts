import type { Statement } from '../sql/ast-ddl.js'
import { quoteIdentifierIfNeeded, quoteQualified, quoteString } from '../sql/quote.js'
import { parseStatement } from '../sql/statement.js'
import { type Findings, nameNode } from './declared.js'
import type {
  GrantDeclaration,
  NamedCollectionDeclaration,
  NameInput,
  QuotaDeclaration,
  RoleDeclaration,
  RowPolicyDeclaration,
  SettingsProfileDeclaration,
  UserDeclaration,
} from './dsl.js'

type AccessDeclaration =
  | RoleDeclaration
  | UserDeclaration
  | GrantDeclaration
  | RowPolicyDeclaration
  | QuotaDeclaration
  | SettingsProfileDeclaration
  | NamedCollectionDeclaration

/**
 * The tree of an access object or named collection. These declarations are thin: their clauses are SQL, so the
 * statement is put together as text and read with the server's grammar.
 */
export function accessNode(declaration: AccessDeclaration, findings: Findings): Statement | undefined {
  const text = statementText(declaration, findings)
  if (text === undefined) return undefined
  const { node, warnings } = parseStatement(text)
  if (warnings.length === 0 && node.kind !== 'unparsed')
    return 'cluster' in declaration ? withCluster(node, declaration.cluster) : node
  findings.issue('invalid_sql', `${text} cannot be read: ${warnings[0]?.message ?? 'unknown syntax'}`)
  return undefined
}

function withCluster(node: Statement, cluster: string | undefined): Statement {
  return cluster === undefined ? node : ({ ...node, cluster } as Statement)
}

function statementText(declaration: AccessDeclaration, findings: Findings): string | undefined {
  switch (declaration.kind) {
    case 'role':
      return clauses(`CREATE ROLE ${quoteIdentifierIfNeeded(declaration.name)}`, ['SETTINGS', declaration.settings])
    case 'user':
      return clauses(
        `CREATE USER ${userName(declaration.name)}`,
        ['IDENTIFIED', declaration.identified && withReferences(declaration.identified)],
        ['HOST', declaration.host],
        ['DEFAULT ROLE', declaration.defaultRole && names(declaration.defaultRole)],
        ['DEFAULT DATABASE', declaration.defaultDatabase && quoteIdentifierIfNeeded(declaration.defaultDatabase)],
        ['SETTINGS', declaration.settings],
      )
    case 'grant':
      return clauses(
        `GRANT ${[declaration.privileges]
          .flat()
          .map((one) => (declaration.on === undefined ? roleName(one) : one))
          .join(', ')}`,
        ['ON', declaration.on],
        ['TO', names(declaration.to)],
        ['WITH', declaration.withGrantOption ? 'GRANT OPTION' : undefined],
        ['WITH', declaration.withAdminOption ? 'ADMIN OPTION' : undefined],
      )
    case 'row_policy': {
      const on = policyTable(declaration.on, findings)
      if (on === undefined) return undefined
      return clauses(
        `CREATE ROW POLICY ${quoteIdentifierIfNeeded(declaration.name)} ON ${on}`,
        ['FOR SELECT USING', declaration.using],
        ['AS', declaration.as],
        ['TO', declaration.to && names(declaration.to)],
      )
    }
    case 'quota':
      return clauses(
        `CREATE QUOTA ${quoteIdentifierIfNeeded(declaration.name)}`,
        ['KEYED BY', declaration.keyedBy],
        [
          'FOR',
          [declaration.limits ?? []]
            .flat()
            .map((limit) => limit.replace(/^\s*for\s+/i, ''))
            .join(', FOR '),
        ],
        ['TO', declaration.to && names(declaration.to)],
      )
    case 'settings_profile':
      return clauses(
        `CREATE SETTINGS PROFILE ${quoteIdentifierIfNeeded(declaration.name)}`,
        ['SETTINGS', declaration.settings],
        ['TO', declaration.to && names(declaration.to)],
      )
    case 'named_collection':
      return `CREATE NAMED COLLECTION ${quoteIdentifierIfNeeded(declaration.name)} AS ${collectionEntries(declaration)}`
  }
}

/** `db.table`, or `db.*` for all tables of a database. */
function policyTable(on: NameInput, findings: Findings): string | undefined {
  const database = typeof on === 'string' && on.endsWith('.*') ? on.slice(0, -2) : undefined
  const table = nameNode(database ?? on, 'on', findings)
  if (table === undefined || typeof table.name !== 'string') return undefined
  if (database !== undefined) return `${quoteIdentifierIfNeeded(table.name)}.*`
  return quoteQualified(typeof table.database === 'string' ? table.database : undefined, table.name)
}

function clauses(head: string, ...list: readonly (readonly [string, string | undefined])[]): string {
  return [head, ...list.flatMap(([word, text]) => (text ? [`${word} ${text}`] : []))].join(' ')
}

/** Words that stand for users rather than name one. */
const USER_WORDS = new Set(['ALL', 'NONE', 'CURRENT_USER'])

function names(list: string | readonly string[]): string {
  return [list].flat().map(userName).join(', ')
}

/** `name` or `name@host`, quoted where it must be; `ALL`, `NONE`, `ALL EXCEPT a` and `CURRENT_USER` keep their meaning. */
function userName(name: string): string {
  const upper = name.toUpperCase()
  return USER_WORDS.has(upper) || upper.startsWith('ALL EXCEPT ') ? name : quoteIdentifierIfNeeded(name)
}

/** A role that is granted, quoted where it must be; several in one text, quoted ones and other forms stay as they are. */
function roleName(text: string): string {
  return /[,`"(]|^CURRENT GRANTS$/i.test(text) ? text : quoteIdentifierIfNeeded(text)
}

/** `BY env:NAME` becomes `BY 'env:NAME'`: the reference is a string until the statement is executed. */
function withReferences(text: string): string {
  return text.replace(
    /(\s)env:([A-Za-z_][A-Za-z0-9_]*)/g,
    (_, space: string, name: string) => `${space}${quoteString(`env:${name}`)}`,
  )
}

function collectionEntries(declaration: NamedCollectionDeclaration): string {
  return Object.entries(declaration.values)
    .map(([key, entry]) => {
      const { value, overridable } = typeof entry === 'object' ? entry : { value: entry, overridable: undefined }
      const text = typeof value === 'string' ? quoteString(value) : String(value)
      const flag = overridable === undefined ? '' : overridable ? ' OVERRIDABLE' : ' NOT OVERRIDABLE'
      return `${quoteIdentifierIfNeeded(key)} = ${text}${flag}`
    })
    .join(', ')
}
