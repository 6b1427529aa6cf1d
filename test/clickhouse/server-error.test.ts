import { describe, expect, test } from 'vitest'
import { HIDDEN, scrubSecrets } from '../../src/clickhouse/secrets.js'
import {
  lateErrorText,
  parseServerError,
  ServerError,
  type ServerErrorText,
} from '../../src/clickhouse/server-error.js'

describe('the error texts of servers', () => {
  const rows: readonly { name: string; text: string; error: ServerErrorText | undefined }[] = [
    {
      name: '26.7 over HTTP',
      text: "Code: 60. DB::Exception: Unknown table expression identifier 'default.nope' in scope SELECT * FROM default.nope. (UNKNOWN_TABLE) (version 26.7.2.1 (official build))\n",
      error: {
        clickhouseCode: 60,
        clickhouseName: 'UNKNOWN_TABLE',
        message: "Unknown table expression identifier 'default.nope' in scope SELECT * FROM default.nope.",
      },
    },
    {
      name: '26.7 embedded',
      text: 'Query failed: Code: 60. DB::Exception: Table d.x does not exist. (UNKNOWN_TABLE)',
      error: { clickhouseCode: 60, clickhouseName: 'UNKNOWN_TABLE', message: 'Table d.x does not exist.' },
    },
    {
      name: '18.16 over HTTP, named by our table',
      text: "Code: 81, e.displayText() = DB::Exception: Database nope doesn't exist, e.what() = DB::Exception\n",
      error: { clickhouseCode: 81, clickhouseName: 'UNKNOWN_DATABASE', message: "Database nope doesn't exist" },
    },
    {
      name: '18.16 with a stack trace',
      text: 'Code: 47, e.displayText() = DB::Exception: Unknown identifier: x, e.what() = DB::Exception, Stack trace:\n\n0. clickhouse-server(StackTrace::StackTrace()+0x16)\n',
      error: { clickhouseCode: 47, clickhouseName: 'UNKNOWN_IDENTIFIER', message: 'Unknown identifier: x' },
    },
    {
      name: '20.8 with its version in brackets',
      text: 'Code: 516, e.displayText() = DB::Exception: default: Authentication failed: password is incorrect or there is no user with such name (version 20.8.3.18)\n',
      error: {
        clickhouseCode: 516,
        clickhouseName: 'AUTHENTICATION_FAILED',
        message: 'default: Authentication failed: password is incorrect or there is no user with such name',
      },
    },
    {
      name: '22.8 with a build of another vendor',
      text: 'Code: 57. DB::Exception: Table default.t already exists. (TABLE_ALREADY_EXISTS) (version 22.8.15.25.altinitystable (altinity build))',
      error: { clickhouseCode: 57, clickhouseName: 'TABLE_ALREADY_EXISTS', message: 'Table default.t already exists.' },
    },
    {
      name: 'a syntax error with its position',
      text: 'Code: 62. DB::Exception: Syntax error: failed at position 17 (FRO) (line 2, col 3): FRO t. Expected one of: token. (SYNTAX_ERROR) (version 26.7.2.1)',
      error: {
        clickhouseCode: 62,
        clickhouseName: 'SYNTAX_ERROR',
        message: 'Syntax error: failed at position 17 (FRO) (line 2, col 3): FRO t. Expected one of: token.',
        position: 17,
      },
    },
    {
      name: 'one error around another (ON CLUSTER)',
      text: 'Code: 57. DB::Exception: There was an error on [host:9000]: Code: 57. DB::Exception: Table default.t already exists. (TABLE_ALREADY_EXISTS) (version 26.7.2.1 (official build)). (TABLE_ALREADY_EXISTS) (version 26.7.2.1 (official build))',
      error: {
        clickhouseCode: 57,
        clickhouseName: 'TABLE_ALREADY_EXISTS',
        message:
          'There was an error on [host:9000]: Code: 57. DB::Exception: Table default.t already exists. (TABLE_ALREADY_EXISTS) (version 26.7.2.1 (official build)).',
      },
    },
    {
      name: 'Keeper',
      text: 'Code: 999. Coordination::Exception: Session expired (ZSESSIONEXPIRED). (KEEPER_EXCEPTION) (version 24.3.1.1)',
      error: { clickhouseCode: 999, clickhouseName: 'KEEPER_EXCEPTION', message: 'Session expired (ZSESSIONEXPIRED).' },
    },
    {
      name: 'Poco, 18.16',
      text: 'Poco::Exception. Code: 1000, e.code() = 111, e.displayText() = Connection refused, e.what() = Connection refused',
      error: { clickhouseCode: 1000, clickhouseName: 'POCO_EXCEPTION', message: 'Connection refused' },
    },
    {
      name: 'std, 18.16',
      text: 'std::exception. Code: 1001, type: std::bad_alloc, e.what() = std::bad_alloc',
      error: { clickhouseCode: 1001, clickhouseName: 'STD_EXCEPTION', message: 'type: std::bad_alloc' },
    },
    {
      name: 'a code without a name, not in our table',
      text: 'Code: 4711. DB::Exception: New trouble',
      error: { clickhouseCode: 4711, message: 'New trouble' },
    },
    { name: 'a web page', text: '<html><h1>504 Gateway Time-out</h1></html>', error: undefined },
    { name: 'nothing', text: '', error: undefined },
  ]
  test.each(rows)('$name', ({ text, error }) => {
    expect(parseServerError(text)).toEqual(error)
  })
})

describe('errors at the end of an answer', () => {
  const text = 'Code: 395. DB::Exception: Value passed. (FUNCTION_THROW_IF_VALUE_IS_NON_ZERO) (version 26.7.2.1)\n'
  const rows: readonly { name: string; body: string; tag?: string; code: number | undefined }[] = [
    { name: 'after rows', body: `0\n0\n${text}`, code: 395 },
    { name: 'inside of JSON', body: `{"data":[\n\t\t[0],\n\t\t[1]${text}`, code: 395 },
    { name: 'alone', body: text, code: 395 },
    {
      name: 'between its tags',
      body: `0\n\r\n__exception__\r\nabcdefghijklmnop\r\n${text}99 abcdefghijklmnop\r\n__exception__\r\n`,
      tag: 'abcdefghijklmnop',
      code: 395,
    },
    { name: 'rows only', body: '0\n1\n', code: undefined },
    { name: 'a row that begins like one', body: 'Code: 5. Room\n', code: undefined },
  ]
  test.each(rows)('$name', ({ body, tag, code }) => {
    const late = lateErrorText(body, tag)
    expect(late === undefined ? undefined : parseServerError(late)?.clickhouseCode).toBe(code)
  })
})

describe('codes', () => {
  const rows: readonly { clickhouseCode: number; code: string; retriable: boolean }[] = [
    { clickhouseCode: 192, code: 'authentication_failed', retriable: false },
    { clickhouseCode: 193, code: 'authentication_failed', retriable: false },
    { clickhouseCode: 194, code: 'authentication_failed', retriable: false },
    { clickhouseCode: 516, code: 'authentication_failed', retriable: false },
    { clickhouseCode: 164, code: 'access_denied', retriable: false },
    { clickhouseCode: 291, code: 'access_denied', retriable: false },
    { clickhouseCode: 497, code: 'access_denied', retriable: false },
    { clickhouseCode: 81, code: 'database_not_found', retriable: false },
    { clickhouseCode: 60, code: 'server_error', retriable: false },
    { clickhouseCode: 202, code: 'server_error', retriable: true },
    { clickhouseCode: 242, code: 'server_error', retriable: true },
    { clickhouseCode: 999, code: 'server_error', retriable: true },
  ]
  test.each(rows)('$clickhouseCode is $code', ({ clickhouseCode, code, retriable }) => {
    expect(new ServerError({ clickhouseCode, message: 'm' }, {})).toMatchObject({ code, clickhouseCode, retriable })
  })
})

describe('secrets', () => {
  const rows: readonly { name: string; text: string; secrets: string[]; shown: string }[] = [
    { name: 'a password', text: 'got hunter22 here', secrets: ['hunter22'], shown: `got ${HIDDEN} here` },
    {
      name: 'a password in a URL',
      text: 'at http://u:p%40ss@h:1/x',
      secrets: ['p@ss'],
      shown: `at http://${HIDDEN}@h:1/x`,
    },
    {
      name: 'anybody’s credentials in a URL',
      text: "url('https://a:b@h/')",
      secrets: [],
      shown: `url('https://${HIDDEN}@h/')`,
    },
    { name: 'a short password outside of URLs stays', text: 'a banana', secrets: ['a'], shown: 'a banana' },
    {
      name: 'an address without credentials stays',
      text: 'http://h:8123/?a=b@c',
      secrets: [],
      shown: 'http://h:8123/?a=b@c',
    },
  ]
  test.each(rows)('$name', ({ text, secrets, shown }) => {
    expect(scrubSecrets(text, secrets)).toBe(shown)
  })
})
