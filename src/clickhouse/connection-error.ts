import { ChkitError, type ErrorCode, messageOf } from '../errors.js'

/** What a message about a connection may name. */
export type ConnectionContext = {
  /** The URL without credentials. */
  readonly target: string
  readonly host: string
  readonly secure: boolean
  /** What no message may show, whatever an answer repeats. */
  readonly secrets: readonly string[]
  /** Milliseconds after which we gave up, when we did. */
  readonly timeoutMs?: number
}

/** `error` of the network layer as a ChkitError with a connection code; undefined when it is of another kind. */
export function networkError(error: unknown, context: ConnectionContext): ChkitError | undefined {
  const facts = [...chain(error)]
  for (const { code, message } of facts) {
    const kind = KINDS.find((k) => k.codes.test(code) || k.text?.test(message))
    if (!kind) continue
    const cause = code === '' ? message : code
    if (kind.code === 'connection_reset' && /before secure TLS connection was established/.test(message)) {
      return connectionError('connection_tls_failed', context, cause, error)
    }
    return connectionError(
      kind.code,
      context,
      kind.code === 'connection_tls_failed' ? `${cause}: ${message}` : cause,
      error,
    )
  }
  return undefined
}

/** A connection error with the sentence and hint that belong to its code. `cause` is the reason in a word. */
export function connectionError(
  code: ErrorCode,
  context: ConnectionContext,
  cause: string,
  thrown?: unknown,
): ChkitError {
  const { message, hint, retriable } = words(code, context, cause)
  return new ChkitError(code, message, { hint, retriable, details: { target: context.target }, cause: thrown })
}

type Words = { readonly message: string; readonly hint: string; readonly retriable: boolean }

function words(code: ErrorCode, context: ConnectionContext, cause: string): Words {
  const { target, host, secure, timeoutMs } = context
  switch (code) {
    case 'connection_refused':
      return {
        message: `${target} refused the connection (${cause}).`,
        hint: 'Is ClickHouse running there, and is this its HTTP port (8123, or 8443 for https)?',
        retriable: true,
      }
    case 'connection_host_unknown':
      return {
        message: `The host '${host}' of ${target} cannot be resolved (${cause}).`,
        hint: 'Check the host name in `clickhouse.url`, and the network or VPN that knows it.',
        retriable: false,
      }
    case 'connection_timeout':
      return {
        message:
          timeoutMs === undefined
            ? `${target} did not answer (${cause}).`
            : `${target} did not answer within ${timeoutMs} ms (${cause}).`,
        hint: `Check host, port and firewall${secure ? ', and that the port speaks HTTPS' : ''}; \`clickhouse.connectTimeoutMs\` and \`clickhouse.requestTimeoutMs\` set the limits.`,
        retriable: true,
      }
    case 'connection_tls_failed':
      return {
        message: `No secure connection to ${target}: ${cause}`,
        hint: secure
          ? 'Check `clickhouse.tls` (caFile, certFile, keyFile), the certificate, and that the port speaks HTTPS (8443 by default).'
          : 'The server expects https: change `clickhouse.url`.',
        retriable: false,
      }
    case 'connection_not_clickhouse':
      return {
        message: `${target} is not a ClickHouse HTTP interface: ${cause}`,
        hint: 'Point `clickhouse.url` at the HTTP port (8123, or 8443 for https); 9000 and 9440 are the native protocol.',
        retriable: false,
      }
    case 'connection_proxy_error':
      return {
        message: `A proxy in front of ${target} answered ${cause}.`,
        hint: 'ClickHouse did not answer the proxy; try again. For long statements raise the proxy timeout.',
        retriable: true,
      }
    default:
      return {
        message: `The connection to ${target} was cut before the answer was complete (${cause}).`,
        hint: 'Try again; the server, or a proxy before it, closed the connection.',
        retriable: true,
      }
  }
}

/** Codes of Node (libuv, OpenSSL, llhttp) and of Bun, which names some of them differently. */
const KINDS: readonly { readonly code: ErrorCode; readonly codes: RegExp; readonly text?: RegExp }[] = [
  {
    code: 'connection_refused',
    codes: /^(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|ConnectionRefused|FailedToOpenSocket)$/,
  },
  { code: 'connection_host_unknown', codes: /^(ENOTFOUND|EAI_\w+|DNSResolveFailed)$/ },
  { code: 'connection_timeout', codes: /^(ETIMEDOUT|ESOCKETTIMEDOUT|ConnectionTimeout)$/ },
  {
    code: 'connection_tls_failed',
    codes:
      /^(EPROTO|ERR_(SSL|TLS|OSSL)_\w+|CERT_\w+|\w*CERT\w*|UNABLE_TO_\w+|DEPTH_ZERO_SELF_SIGNED_CERT|HOSTNAME_MISMATCH)$/,
  },
  { code: 'connection_not_clickhouse', codes: /^(HPE_\w+|Malformed_HTTP_Response)$/ },
  {
    code: 'connection_reset',
    codes:
      /^(ECONNRESET|EPIPE|ECONNABORTED|ERR_STREAM_PREMATURE_CLOSE|ERR_STREAM_DESTROYED|ConnectionClosed|ConnectionReset)$/,
    text: /^(aborted|socket hang up|The socket connection was closed unexpectedly)/i,
  },
]

/** The error, what it aggregates (one per address tried) and what caused it. */
function* chain(error: unknown): Generator<{ readonly code: string; readonly message: string }> {
  if (typeof error !== 'object' || error === null) return
  yield { code: 'code' in error && typeof error.code === 'string' ? error.code : '', message: messageOf(error) }
  if (error instanceof AggregateError) for (const inner of error.errors) yield* chain(inner)
  if (error instanceof Error && error.cause !== undefined) yield* chain(error.cause)
}
