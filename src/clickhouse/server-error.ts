import { ChkitError, type ErrorCode } from '../errors.js'
import { scrubSecrets } from './secrets.js'

/** What a server's error text says, taken apart. */
export type ServerErrorText = {
  /** The server's number, 60 for example. */
  readonly clickhouseCode: number
  /** `UNKNOWN_TABLE`; undefined when neither the text nor our table of names knows it. */
  readonly clickhouseName?: string
  /** The sentence without code, version and stack trace. */
  readonly message: string
  /** Where a syntax error stands, 1-based, in bytes of the statement. */
  readonly position?: number
}

/**
 * A refusal by the server. `clickhouseCode` and `clickhouseName` are the server's own; `code` is `server_error`, or the
 * more telling `authentication_failed`, `access_denied`, `database_not_found`.
 */
export class ServerError extends ChkitError {
  readonly clickhouseCode: number
  readonly clickhouseName: string | undefined
  /** 1-based byte position of a syntax error in `statement`. */
  readonly position: number | undefined
  /** The statement that was sent, without secrets; undefined when the refusal concerns the connection. */
  readonly statement: string | undefined
  readonly queryId: string | undefined

  constructor(error: ServerErrorText, context: ServerErrorContext) {
    const { clickhouseCode, clickhouseName, position } = error
    const label = clickhouseName === undefined ? `${clickhouseCode}` : `${clickhouseCode} ${clickhouseName}`
    const code = errorCodeOf(clickhouseCode)
    const statement =
      context.statement === undefined ? undefined : scrubSecrets(context.statement, context.secrets ?? [])
    super(code, scrubSecrets(`ClickHouse error ${label}: ${error.message}`, context.secrets ?? []), {
      hint: hintOf(code, clickhouseCode, context),
      retriable: RETRIABLE.has(clickhouseCode),
      details: {
        clickhouseCode,
        ...(clickhouseName === undefined ? {} : { clickhouseName }),
        ...(position === undefined ? {} : { position }),
        ...(context.queryId === undefined ? {} : { queryId: context.queryId }),
      },
    })
    this.name = 'ServerError'
    this.clickhouseCode = clickhouseCode
    this.clickhouseName = clickhouseName
    this.position = position
    this.statement = statement
    this.queryId = context.queryId
  }
}

/**
 * Runs something that is no statement of the user's. A refusal by the server then begins with `what`, a clause such as
 * `The journal cannot be written`, and has `hint` where it has none of its own; its code stays.
 */
export async function explaining<Result>(what: string, hint: string, run: () => Promise<Result>): Promise<Result> {
  try {
    return await run()
  } catch (error) {
    if (!(error instanceof ServerError)) throw error
    throw new ChkitError(error.code, `${what}: ${error.message}`, {
      hint: error.hint ?? hint,
      details: error.details,
      retriable: error.retriable,
      cause: error,
    })
  }
}

export type ServerErrorContext = {
  readonly statement?: string
  readonly queryId?: string
  readonly username?: string
  readonly database?: string
  readonly secrets?: readonly string[]
}

/**
 * The error in a text that is one: `Code: 60. DB::Exception: ... (UNKNOWN_TABLE) (version ...)` of servers since 20,
 * `Code: 60, e.displayText() = DB::Exception: ..., e.what() = ...` of older ones. Undefined when it is something else.
 * Where an error wraps another (`ON CLUSTER`) the outer code is taken. Seen on 18.16 and 26.7.
 */
export function parseServerError(text: string): ServerErrorText | undefined {
  const head = HEAD.exec(text) ?? FOREIGN_HEAD.exec(text)
  if (!head) return undefined
  const clickhouseCode = Number(head[1])
  let message = text.slice(head.index + head[0].length)
  message = message.replace(/,? ?Stack trace(?: \(when copying this message[^)]*\))?:[\s\S]*$/, '')
  message = message.replace(/, e\.what\(\) = [\s\S]*$/, '')
  message = message.replace(/\s*\(version [^()]*(?:\([^()]*\)[^()]*)*\)\s*$/, '').trim()
  const named = /\s*\(([A-Z][A-Z0-9_]{2,})\)\s*$/.exec(message)
  if (named) message = message.slice(0, named.index)
  const clickhouseName = named?.[1] ?? ERROR_NAMES[clickhouseCode]
  const position = /failed at position (\d+)/.exec(message)?.[1]
  return {
    clickhouseCode,
    ...(clickhouseName === undefined ? {} : { clickhouseName }),
    message: shortened(message.trim()),
    ...(position === undefined ? {} : { position: Number(position) }),
  }
}

/** A parser lists every word that it could have read on, hundreds of them. */
function shortened(message: string): string {
  const at = message.lastIndexOf('. Expected one of: ')
  return at < 0 || message.length - at < EXPECTED
    ? message
    : `${message.slice(0, at + EXPECTED).replace(/,[^,]*$/, '')}, ...`
}

const EXPECTED = 200

const HEAD = /Code: (\d+)(?:\.|,) (?:e\.displayText\(\) = )?(?:Poco::|std::)?(?:\w+::)*\w*[Ee]xception\w*: /

/** Exceptions of the libraries below the server. */
const FOREIGN_HEAD = /(?:Poco|std)::[Ee]xception\. Code: (\d+), (?:e\.code\(\) = -?\d+, )?(?:e\.displayText\(\) = )?/

/** How far from its end an answer may carry an error that came after its first rows. */
const TAIL = 32_768

/**
 * The error text at the end of an answer that began as a success. Since 25.11 it stands between two `__exception__`
 * lines with the tag of the `X-ClickHouse-Exception-Tag` header; before, it was simply appended to the rows. Only the
 * last line that begins with `Code:` counts, so that rows which quote an error are not mistaken for one; ask this of
 * text that did not parse as its format.
 */
export function lateErrorText(body: string, tag: string | undefined): string | undefined {
  const tail = body.slice(-TAIL)
  if (tag) {
    const start = tail.lastIndexOf(`__exception__\r\n${tag}\r\n`)
    if (start >= 0)
      return tail.slice(start + `__exception__\r\n${tag}\r\n`.length).replace(/\s*\d+ \S+\s*__exception__\s*$/, '')
  }
  const found = [...tail.matchAll(/(?:^|[\n\t"}\],])(?=Code: \d+[.,] )/g)].at(-1)
  if (!found) return undefined
  const text = tail.slice(found.index + found[0].length)
  return parseServerError(text) ? text : undefined
}

function errorCodeOf(clickhouseCode: number): ErrorCode {
  if (AUTHENTICATION.has(clickhouseCode)) return 'authentication_failed'
  if (ACCESS.has(clickhouseCode)) return 'access_denied'
  return clickhouseCode === 81 ? 'database_not_found' : 'server_error'
}

function hintOf(code: ErrorCode, clickhouseCode: number, context: ServerErrorContext): string | undefined {
  const user = context.username === undefined ? 'the account' : `user '${context.username}'`
  switch (code) {
    case 'authentication_failed':
      return `Check \`clickhouse.username\` and \`clickhouse.password\` in the config (connecting as ${user}); is the variable they come from set here?`
    case 'access_denied':
      return clickhouseCode === 164
        ? `${capitalise(user)} is read-only on this server; use an account that may run this statement.`
        : `Grant ${user} what the message names, or use an account that has it.`
    case 'database_not_found':
      return context.database === undefined
        ? undefined
        : `\`chkit migrate --apply\` creates the configured database '${context.database}'; other databases belong into the schema.`
    default:
      return undefined
  }
}

function capitalise(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}

/** UNKNOWN_USER, WRONG_PASSWORD, REQUIRED_PASSWORD, IP_ADDRESS_NOT_ALLOWED of old servers; 516 since 20. */
const AUTHENTICATION: ReadonlySet<number> = new Set([192, 193, 194, 195, 516])

/** ACCESS_DENIED, DATABASE_ACCESS_DENIED, READONLY. */
const ACCESS: ReadonlySet<number> = new Set([497, 291, 164])

/** Errors of the moment: load, network, Keeper, shutdown. The same statement may succeed later. */
const RETRIABLE: ReadonlySet<number> = new Set([
  159, 202, 203, 209, 210, 225, 236, 241, 242, 252, 279, 285, 319, 394, 439, 473, 517, 571, 999,
])

/** Names for servers that do not send them (before 20.x); a selection of what DDL and reads run into. */
const ERROR_NAMES: Readonly<Record<number, string>> = {
  6: 'CANNOT_PARSE_TEXT',
  10: 'NOT_FOUND_COLUMN_IN_BLOCK',
  15: 'DUPLICATE_COLUMN',
  16: 'NO_SUCH_COLUMN_IN_TABLE',
  20: 'NUMBER_OF_COLUMNS_DOESNT_MATCH',
  27: 'CANNOT_PARSE_INPUT_ASSERTION_FAILED',
  36: 'BAD_ARGUMENTS',
  42: 'NUMBER_OF_ARGUMENTS_DOESNT_MATCH',
  43: 'ILLEGAL_TYPE_OF_ARGUMENT',
  44: 'ILLEGAL_COLUMN',
  46: 'UNKNOWN_FUNCTION',
  47: 'UNKNOWN_IDENTIFIER',
  48: 'NOT_IMPLEMENTED',
  49: 'LOGICAL_ERROR',
  50: 'UNKNOWN_TYPE',
  53: 'TYPE_MISMATCH',
  56: 'UNKNOWN_STORAGE',
  57: 'TABLE_ALREADY_EXISTS',
  59: 'ILLEGAL_TYPE_OF_COLUMN_FOR_FILTER',
  60: 'UNKNOWN_TABLE',
  62: 'SYNTAX_ERROR',
  63: 'UNKNOWN_AGGREGATE_FUNCTION',
  70: 'CANNOT_CONVERT_TYPE',
  73: 'UNKNOWN_FORMAT',
  76: 'CANNOT_OPEN_FILE',
  80: 'INCORRECT_QUERY',
  81: 'UNKNOWN_DATABASE',
  82: 'DATABASE_ALREADY_EXISTS',
  107: 'FILE_DOESNT_EXIST',
  115: 'UNKNOWN_SETTING',
  122: 'INCOMPATIBLE_COLUMNS',
  128: 'TOO_LARGE_ARRAY_SIZE',
  133: 'AGGREGATE_FUNCTION_DOESNT_ALLOW_PARAMETERS',
  158: 'TOO_MANY_ROWS',
  159: 'TIMEOUT_EXCEEDED',
  164: 'READONLY',
  170: 'BAD_GET',
  179: 'MULTIPLE_EXPRESSIONS_FOR_ALIAS',
  192: 'UNKNOWN_USER',
  193: 'WRONG_PASSWORD',
  194: 'REQUIRED_PASSWORD',
  195: 'IP_ADDRESS_NOT_ALLOWED',
  202: 'TOO_MANY_SIMULTANEOUS_QUERIES',
  209: 'SOCKET_TIMEOUT',
  210: 'NETWORK_ERROR',
  218: 'TABLE_IS_DROPPED',
  219: 'DATABASE_NOT_EMPTY',
  225: 'NO_ZOOKEEPER',
  241: 'MEMORY_LIMIT_EXCEEDED',
  242: 'TABLE_IS_READ_ONLY',
  252: 'TOO_MANY_PARTS',
  253: 'REPLICA_ALREADY_EXISTS',
  291: 'DATABASE_ACCESS_DENIED',
  341: 'UNFINISHED',
  352: 'AMBIGUOUS_COLUMN_NAME',
  386: 'NO_COMMON_TYPE',
  394: 'QUERY_WAS_CANCELLED',
  395: 'FUNCTION_THROW_IF_VALUE_IS_NON_ZERO',
  497: 'ACCESS_DENIED',
  516: 'AUTHENTICATION_FAILED',
  999: 'KEEPER_EXCEPTION',
  1000: 'POCO_EXCEPTION',
  1001: 'STD_EXCEPTION',
  1002: 'UNKNOWN_EXCEPTION',
}
