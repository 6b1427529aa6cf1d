import type { ClickHouseConfig } from '../config/config.js'
import { ChkitError } from '../errors.js'
import type { Executor } from './executor.js'
import { scrubSecrets } from './secrets.js'

export type ConnectOptions = {
  /** Folder that `chdb:./path` and TLS files are relative to: the config file's. */
  readonly root: string
  /** False: where the embedded engine's folder is missing, an empty one elsewhere answers, and none is made. */
  readonly createsData?: boolean
  /** Sent as the User-Agent's application; default `chkit`. */
  readonly application?: string
  /** Most requests under way at a time over HTTP; default 32. */
  readonly maxConnections?: number
}

/**
 * Opens the connection that `config.url` describes, loading only the implementation it needs. Nothing is sent before
 * the first call of a method, and nothing is ever created. Throws `config_invalid` for a URL of another kind,
 * `embedded_engine_missing`, `connection_tls_failed` for unreadable certificate files.
 */
export async function connect(config: ClickHouseConfig, options: ConnectOptions): Promise<Executor> {
  if (/^https?:\/\//i.test(config.url)) {
    const { openHttp } = await import('./http.js')
    return openHttp(config, options)
  }
  if (/^chdb:/i.test(config.url)) {
    const { openEmbedded } = await import('./embedded.js')
    return openEmbedded(config, options)
  }
  throw new ChkitError(
    'config_invalid',
    `\`clickhouse.url\` is '${scrubSecrets(config.url, [])}', which is no connection chkit knows.`,
    {
      hint: 'Use `http://host:8123`, `https://host:8443`, `chdb:./path` or `chdb::memory:`.',
    },
  )
}
