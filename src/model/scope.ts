import { ChkitError } from '../errors.js'

/** A parsed `--table` selector; `prefix` selectors match every name that begins so. */
export type TableSelector = {
  /** As it was given. */
  readonly text: string
  /** Undefined matches any database. */
  readonly database?: string
  readonly name: string
  readonly prefix: boolean
}

/**
 * The selector that `text` spells: `table`, `prefix*`, `database.table` or `database.prefix*`. Throws
 * `invalid_table_selector` for anything else: a bare `*`, a `*` that is not last, an empty part.
 */
export function parseTableSelector(text: string): TableSelector {
  const dot = text.indexOf('.')
  const database = dot < 0 ? undefined : text.slice(0, dot)
  const rest = dot < 0 ? text : text.slice(dot + 1)
  const prefix = rest.endsWith('*')
  const name = prefix ? rest.slice(0, -1) : rest
  const reason =
    text.trim() === ''
      ? 'it is empty'
      : database !== undefined && database.trim() === ''
        ? 'the database before the dot is empty'
        : database?.includes('*')
          ? 'a database cannot hold *'
          : name.includes('*')
            ? 'only one * is allowed, at the end'
            : name.trim() === ''
              ? prefix
                ? 'a bare * would match everything; name at least the beginning'
                : 'the table name is empty'
              : undefined
  if (reason !== undefined)
    throw new ChkitError('invalid_table_selector', `Invalid table selector "${text}": ${reason}`, {
      hint: 'Use <table>, <prefix*>, <database.table> or <database.prefix*>',
      details: { selector: text },
    })
  return database === undefined ? { text, name, prefix } : { text, database, name, prefix }
}

/** True when the selector means the object with this database and name; an empty `database` has only bare selectors. */
export function matchesSelector(selector: TableSelector, database: string, name: string): boolean {
  if (selector.database !== undefined && selector.database !== database) return false
  return selector.prefix ? name.startsWith(selector.name) : name === selector.name
}
