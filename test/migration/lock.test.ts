import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { connect } from '../../src/clickhouse/connect.js'
import type { Executor } from '../../src/clickhouse/executor.js'
import { ChkitError } from '../../src/errors.js'
import { type AcquireOptions, acquireLock, breakLock, type Lock, lockHolder } from '../../src/migration/lock.js'
import { type Claim, type LockStore, openLockStore } from '../../src/migration/lock-store.js'
import { ownIdentity } from '../../src/migration/process-identity.js'
import { removeFolder, temporaryFolder } from '../support/engine.js'
import { type HttpServer, startHttpServer } from '../support/http-server.js'
import { startZooKeeper, writeKeeperMapConfiguration, zooKeeperMissing } from '../support/zookeeper.js'

type Setup = {
  readonly name: string
  readonly missing?: string
  readonly renewal: string
  readonly listing: string
  start(): Promise<{ server: HttpServer; stop: () => Promise<void> }>
}

const setups: readonly Setup[] = [
  {
    name: 'in tables',
    renewal: 'MODIFY COMMENT',
    listing: 'system.tables',
    start: async () => {
      const server = await startHttpServer()
      return { server, stop: () => server.stop() }
    },
  },
  {
    name: 'in KeeperMap on ZooKeeper',
    missing: zooKeeperMissing,
    renewal: 'UPDATE claim',
    listing: 'groupArray',
    start: async () => {
      const folder = temporaryFolder()
      const zookeeper = await startZooKeeper()
      const server = await startHttpServer({ configFile: writeKeeperMapConfiguration(folder, zookeeper) })
      const stop = async () => {
        await server.stop()
        await zookeeper.stop()
        removeFolder(folder)
      }
      return { server, stop }
    },
  },
]

async function failure(run: Promise<unknown>): Promise<ChkitError> {
  const error = await run.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (error instanceof ChkitError) return error
  throw new Error(`expected an error, got ${String(error)}`)
}

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

describe.each(setups)('the migration lock $name', ({ missing, renewal, listing, start }) => {
  let server: HttpServer
  let stop: () => Promise<void>
  let executor: Executor
  let store: LockStore
  beforeAll(async () => {
    if (missing !== undefined) return
    ;({ server, stop } = await start())
    executor = await connect({ url: server.url, database: 'default' }, { root: '/' })
    store = await openLockStore(executor, '_chkit_migrations')
  })
  afterAll(async () => {
    await executor?.close()
    await stop?.()
  })
  afterEach(async () => {
    if (missing !== undefined) return
    await server.faults([])
    await breakLock(store)
  })

  const acquire = (runner: string, options: Partial<AcquireOptions> = {}): Promise<Lock> =>
    acquireLock({
      store,
      runner: `host/${runner}`,
      timeoutMs: 0,
      journalEpoch: 0,
      signal: new AbortController().signal,
      onWait: () => undefined,
      ...options,
    })

  test.skipIf(missing)('refuses a second run by the name of the first, and leaves nothing behind', async () => {
    const lock = await acquire('one')
    const error = await failure(acquire('two'))
    expect(error).toMatchObject({
      code: 'lock_held',
      exitCode: 4,
      retriable: true,
      details: { owner: 'one', host: 'host', epoch: 1 },
    })
    await lock.release()
    expect(await lockHolder(store)).toBeUndefined()
  })

  test.skipIf(missing)('waits for the first, saying for whom', async () => {
    const lock = await acquire('one')
    const holders: string[] = []
    const second = acquire('two', { timeoutMs: 5000, onWait: ({ owner }) => holders.push(owner) })
    await wait(300)
    await lock.release()
    expect((await second).epoch).toBeGreaterThan(0)
    expect(holders).toContain('one')
    await (await second).release()
  })

  test.skipIf(missing)('is renewed while it is held', async () => {
    const lock = await acquire('one', { leaseMs: 6000 })
    await wait(8000)
    expect((await failure(acquire('two'))).code).toBe('lock_held')
    await lock.release()
  })

  test.skipIf(missing)(
    'a run whose lock was broken and taken by another sends nothing more, and leaves the other its lock',
    async () => {
      const lock = await acquire('one', { leaseMs: 9000 })
      // Renewals that do not arrive, as behind a cut network.
      await server.faults([{ action: 'resetBefore', match: renewal, times: 100 }])
      await breakLock(store)
      const second = await acquire('two', { journalEpoch: 1 })
      expect(second.epoch).toBe(2)
      await wait(3200)
      expect((await failure(lock.assertHeld())).code).toBe('lock_lost')
      await lock.release()
      await second.assertHeld()
      expect((await lockHolder(store))?.owner).toBe('two')
      await second.release()
    },
  )

  test.skipIf(missing)('is lost by the clock alone when it cannot be renewed', async () => {
    const lock = await acquire('one', { leaseMs: 800 })
    await server.faults([{ action: 'resetBefore', match: listing, times: 1000 }])
    await wait(1000)
    expect((await failure(lock.assertHeld())).code).toBe('lock_lost')
    await server.faults([])
    const second = await acquire('two')
    expect(second.epoch).toBe(2)
    await second.release()
    await lock.release()
  })

  test.skipIf(missing).each([
    { name: 'has ended on this machine', change: { pid: 2 ** 22 + 1 }, taken: true },
    { name: 'has ended, its number used again', change: { started: '1' }, taken: true },
    { name: 'lives on this machine', change: {}, taken: false },
    { name: 'is on another machine', change: { machine: 'other', pid: 2 ** 22 + 1 }, taken: false },
  ])('of a process that $name: free at once is $taken', async ({ change, taken }) => {
    const own = ownIdentity()
    if (own === undefined) throw new Error('this system tells nothing of processes')
    const expiresAt = Date.now() + 60_000
    await store.create({ epoch: 1, owner: 'dead', host: 'host', expiresAt, process: { ...own, ...change } })
    if (!taken) return expect((await failure(acquire('two'))).code).toBe('lock_held')
    const lock = await acquire('two')
    expect(lock.epoch).toBe(2)
    await lock.release()
  })

  test.skipIf(missing)('a claim that was overwritten holds until it is broken', async () => {
    const lock = await acquire('one', { leaseMs: 60_000 })
    await store.renew({ epoch: 1 } as Claim)
    const error = await failure(acquire('two'))
    expect(error).toMatchObject({ code: 'lock_held', details: { owner: 'unknown' }, retriable: false })
    expect(`${error.message} ${error.hint}`).toMatch(/claim cannot be read.*does not expire.*migrate --unlock/)
    await lock.release()
  })

  test.skipIf(missing)('is not looked for in another place while Keeper is only away', async () => {
    if (!store.shared) return
    const text = 'Code: 999. DB::Exception: All connection tries failed. (KEEPER_EXCEPTION) (version 26.7.2.1)\n'
    await server.faults([{ action: 'lateException', match: 'ENGINE = KeeperMap', text }])
    expect((await failure(openLockStore(executor, '_chkit_migrations'))).message).toContain('KEEPER_EXCEPTION')
  })

  test.skipIf(missing)('one of many contenders at a time', async () => {
    let holding = 0
    let most = 0
    const contend = async (index: number) => {
      const lock = await acquire(`r${index}`, { timeoutMs: 60_000 })
      holding++
      most = Math.max(most, holding)
      await wait(5)
      await lock.assertHeld()
      holding--
      await lock.release()
    }
    await Promise.all(Array.from({ length: 12 }, (_, index) => contend(index)))
    expect(most).toBe(1)
  })
})
