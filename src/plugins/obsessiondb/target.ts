/** What becomes of shared engines, and why, as the end of a sentence. */
export type Decision = {
  readonly engines: 'kept' | 'rewritten'
  /** `localhost is neither an ObsessionDB host nor ClickHouse Cloud`. */
  readonly reason: string
  /** The host of the configured URL; undefined without a connection. */
  readonly host?: string
}

/** Hosts whose servers have shared engines. */
const SHARED_HOSTS = ['obsessiondb.com', '*.obsessiondb.com', '*.clickhouse.cloud'] as const

/** True when `pattern` is the host, or `*.` and a parent of it. Case does not matter. */
function matches(host: string, pattern: string): boolean {
  const wanted = pattern.toLowerCase()
  return wanted.startsWith('*.') ? host.endsWith(wanted.slice(1)) : host === wanted
}

/** The host of a URL, in lower case; `chdb` for the embedded engine, which has none. */
function hostOf(url: string): string {
  if (/^chdb:/i.test(url)) return 'chdb'
  // A final dot means the same host to DNS.
  return new URL(url).hostname.toLowerCase().replace(/\.$/, '')
}

/** Decides by the flags, else by the URL's host. Without a URL engines are kept: `migrate` knows its target. Pure. */
export function decide(
  url: string | undefined,
  hosts: readonly string[],
  flags: { readonly force: boolean; readonly no: boolean },
): Decision {
  const host = url === undefined ? undefined : hostOf(url)
  if (flags.force) return { engines: 'kept', reason: '--force-shared-engines was given', host }
  if (flags.no) return { engines: 'rewritten', reason: '--no-shared-engines was given', host }
  if (host === undefined) return { engines: 'kept', reason: 'no connection is configured' }
  if ([...SHARED_HOSTS, ...hosts].some((pattern) => matches(host, pattern))) {
    return { engines: 'kept', reason: `${host} has shared engines`, host }
  }
  const what = host === 'chdb' ? 'the embedded engine' : host
  return { engines: 'rewritten', reason: `${what} is neither an ObsessionDB host nor ClickHouse Cloud`, host }
}
