import { identifierValue, stringValue, Token, type Tokens, tokenize, tokenText } from '../sql/lexer.js'
import type { Definition, Settings } from './definition.js'

/**
 * Which parameter, from 0, is the password, of engines and table functions that take one by position (ClickHouse 26.7,
 * `FunctionSecretArgumentsFinder`). Those that are told by their other parameters are below.
 */
const PASSWORD_AT: Readonly<Record<string, number>> = {
  mysql: 4,
  postgresql: 4,
  materializedpostgresql: 4,
  mongodb: 4,
  redis: 2,
  remote: 4,
  remotesecure: 4,
}

/** `(url, key id, secret, …)`; the second is a format where there are no keys. */
const OBJECT_STORES = new Set(['s3', 's3cluster', 's3queue', 'gcs', 'oss', 'cosn', 'icebergs3', 'deltalake', 'hudi'])
const KEY_ID = /^(?:env:.*|[A-Z0-9]{16,128})$/

/** `(url, container, blob, account, key, …)`, or a connection string in place of the URL. */
const AZURE = /^(?:azureBlobStorage|(?:iceberg|deltaLake|paimon)Azure)(?:Cluster)?$/i
const ACCOUNT_KEY = /(?:^|;)\s*(?:AccountKey|SharedAccessSignature)\s*=([^;]+)/i

/** Names of settings and of keys of named collections that hold a secret. */
const SECRET_NAME = /(?:^|_)(?:password|secret_access_key|secret|token|account_key|private_key)$/i

/** Methods behind which BY is followed by the password itself. */
const PASSWORD_METHOD = /^(?:IDENTIFIED|\w+_PASSWORD)$/i

/** Whether the definition spells out a secret that belongs into the environment. Never throws. */
export function holdsPlainSecret(definition: Definition): boolean {
  switch (definition.kind) {
    case 'table': {
      const { name, args } = definition.engine
      // The parameters of the family of MergeTree are no secrets: the path that most tables take.
      if (args.length > 0 && !name.endsWith('MergeTree') && secretIn(`${name}(${args.join(', ')})`)) return true
      if (definition.asTableFunction !== undefined && secretIn(definition.asTableFunction)) return true
      return secretInSettings(definition.settings)
    }
    case 'view':
    case 'materialized_view':
      return MENTIONS.test(definition.query) && secretIn(definition.query, false)
    case 'dictionary':
      return secretIn(definition.source)
    case 'user':
    case 'named_collection':
      return secretIn(definition.statement)
    default:
      return false
  }
}

/** What a query must mention to be looked through at all. */
const MENTIONS = new RegExp(
  `(?:\\b(?:${[...Object.keys(PASSWORD_AT), ...OBJECT_STORES, 'url'].join('|')})|Azure\\w*)\\s*\\(`,
  'i',
)

function secretInSettings(settings: Settings | undefined): boolean {
  for (const [name, value] of Object.entries(settings ?? {})) {
    if (value.startsWith("'")) {
      if (SECRET_NAME.test(name) && isPlain(value.slice(1, -1))) return true
      if (hasPlainUserInfo(value.slice(1, -1))) return true
    } else if (value.startsWith('disk(') && secretIn(value)) return true
  }
  return false
}

/** `named`: whether a name in front of a string tells as well; in a query `password = 'x'` is a comparison. */
function secretIn(text: string, named = true): boolean {
  const tokens = tokenize(text)
  for (let index = 0; index < tokens.count; index++) {
    const close = tokens.matching[index] ?? -1
    if (tokens.kinds[index] === Token.leftParen && index > 0 && close > index && secretInCall(tokens, index, close))
      return true
    if (
      named &&
      tokens.kinds[index] === Token.string &&
      (hasPlainUserInfo(stringValue(tokens, index)) ||
        (isNamedSecret(tokens, index) && isPlain(stringValue(tokens, index))))
    )
      return true
  }
  return false
}

/** `password = '…'`, `PASSWORD '…'` of a dictionary's source, `… BY '…'` of a user. */
function isNamedSecret(tokens: Tokens, index: number): boolean {
  const word = (at: number) =>
    at < 0 ? '' : tokens.kinds[at] === Token.quotedIdentifier ? identifierValue(tokens, at) : tokenText(tokens, at)
  if (word(index - 1) === '=') return SECRET_NAME.test(word(index - 2))
  if (word(index - 1).toUpperCase() === 'BY') return PASSWORD_METHOD.test(word(index - 2))
  return word(index - 1).toUpperCase() === 'PASSWORD'
}

function secretInCall(tokens: Tokens, open: number, close: number): boolean {
  const written = tokenText(tokens, open - 1)
  const name = written.toLowerCase()
  // The table function `redis(server, key, structure, db, password)` has more in front of it than the engine `Redis`.
  const at = written === 'redis' ? 4 : Object.hasOwn(PASSWORD_AT, name) ? PASSWORD_AT[name] : undefined
  const isAzure = AZURE.test(name)
  if (at === undefined && !OBJECT_STORES.has(name) && !isAzure && name !== 'url') return false
  const strings = parameters(tokens, open, close)
  if (isAzure) {
    const key = ACCOUNT_KEY.exec(strings[0] ?? '')?.[1] ?? (strings.length > 4 ? strings[4] : undefined)
    return key !== undefined && isPlain(key)
  }
  if (strings.some((value) => value !== undefined && hasPlainUserInfo(value))) return true
  const password =
    OBJECT_STORES.has(name) && KEY_ID.test(strings[1] ?? '') ? strings[2] : at === undefined ? undefined : strings[at]
  return password !== undefined && isPlain(password)
}

/** The parameters of a call; undefined where one is more, or other, than a string. */
function parameters(tokens: Tokens, open: number, close: number): (string | undefined)[] {
  const values: (string | undefined)[] = []
  let start = open + 1
  for (let index = start; index <= close; index++) {
    const matching = tokens.matching[index] ?? -1
    if (matching > index) index = matching
    else if (index === close || tokens.kinds[index] === Token.comma) {
      const isString = index === start + 1 && tokens.kinds[start] === Token.string
      values.push(isString ? stringValue(tokens, start) : undefined)
      start = index + 1
    }
  }
  return values
}

/** `scheme://user:password@host` with a password that is spelled out. */
function hasPlainUserInfo(text: string): boolean {
  const password = /^[a-z][a-z0-9+.-]*:\/\/[^\s/:@]*:([^\s/@]+)@/i.exec(text)?.[1]
  return password !== undefined && isPlain(password)
}

/** Neither empty, nor hidden by the server, nor a reference to the environment. */
function isPlain(text: string): boolean {
  return text !== '' && !text.includes('[HIDDEN]') && !/^env:|\{env:/.test(text)
}
