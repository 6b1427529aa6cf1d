import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { platform, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ChkitError } from '../../index.js'
import { sha256 } from './plan.js'

/**
 * One run per plan on this machine. The lock is a local socket that a run listens on: the system gives it back the
 * moment the process ends, however it ends, so that a killed run can be resumed at once and nothing is ever stale.
 */

export type Lock = { release(): Promise<void> }

/** Takes the lock of a plan in a state folder. Throws `lock_held` while another process has it. */
export async function acquireRunLock(stateDir: string, planId: string): Promise<Lock> {
  const address = addressOf(sha256(`${resolve(stateDir)}\n${planId}`).slice(0, 32))
  const server = (await listen(address.path)) ?? (await takeOver(address))
  if (!server) throw held(planId)
  return {
    async release() {
      const closed = once(server, 'close')
      server.close()
      await closed
    },
  }
}

/** True while some process has the lock. */
export async function isRunLockHeld(stateDir: string, planId: string): Promise<boolean> {
  return answers(addressOf(sha256(`${resolve(stateDir)}\n${planId}`).slice(0, 32)).path)
}

type Address = { readonly path: string; readonly isFile: boolean }

function addressOf(name: string): Address {
  // Names of Linux's abstract sockets and of Windows' pipes vanish with the process; elsewhere a file stays behind.
  if (platform() === 'linux') return { path: `\0chkit-backfill-${name}`, isFile: false }
  if (platform() === 'win32') return { path: `\\\\.\\pipe\\chkit-backfill-${name}`, isFile: false }
  return { path: join(tmpdir(), `chkit-backfill-${name}.sock`), isFile: true }
}

async function listen(path: string): Promise<Server | undefined> {
  const server = createServer((socket) => socket.end())
  server.unref()
  const failed = once(server, 'error')
  server.listen(path)
  const outcome = await Promise.race([once(server, 'listening').then(() => 'listening'), failed])
  if (outcome === 'listening') return server
  const [error] = outcome as [Error]
  if ('code' in error && error.code === 'EADDRINUSE') return undefined
  throw new ChkitError('internal_error', `The lock of the backfill cannot be taken: ${error.message}.`, {
    cause: error,
  })
}

/** Removes a socket file that nobody listens on and takes its place; undefined when somebody does. */
async function takeOver(address: Address): Promise<Server | undefined> {
  if (!address.isFile || (await answers(address.path))) return undefined
  rmSync(address.path, { force: true })
  // Two runs may both have found it dead: after a moment the file belongs to the later one.
  await sleep(Math.random() * 200)
  return listen(address.path)
}

async function answers(path: string): Promise<boolean> {
  const socket = connect(path)
  const failed = once(socket, 'error').then(() => false)
  const result = await Promise.race([once(socket, 'connect').then(() => true), failed])
  socket.destroy()
  return result
}

function held(planId: string): ChkitError {
  return new ChkitError('lock_held', `Another process is running backfill ${planId}.`, {
    hint: `Watch it with chkit backfill status --plan-id ${planId}, or stop it with chkit backfill cancel --plan-id ${planId}.`,
    retriable: true,
  })
}
