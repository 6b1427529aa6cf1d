import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from '../../src/clickhouse/connect.js'
import type { Executor } from '../../src/clickhouse/executor.js'
import type { ClickHouseConfig } from '../../src/config/config.js'

/** An empty folder under the system's temporary one. The caller removes it with `removeFolder`. */
export function temporaryFolder(name = 'chkit-test-'): string {
  return mkdtempSync(join(tmpdir(), name))
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
}

/** A fresh embedded engine, gone with `close`. A process can hold one at a time: close it before the next. */
export async function freshEngine(config: Partial<ClickHouseConfig> = {}): Promise<Executor> {
  return connect({ url: 'chdb::memory:', ...config }, { root: tmpdir() })
}
