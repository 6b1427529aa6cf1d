import { createHash } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { systemCode } from './atomic-file.js'

/** A process that others on its machine can look for. Plain values, written as JSON. */
export type ProcessIdentity = {
  /** Hash of the boot and the namespace of process numbers: equal only where a number means the same process. */
  readonly machine: string
  readonly pid: number
  /** Clock ticks from the boot to its start: a number that is used again starts later. */
  readonly started: string
}

/** ENOENT: no such process, or a system without /proc. The rest: what a container may keep from us. */
const NOT_TOLD: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ESRCH', 'EACCES', 'EPERM', 'EINVAL', 'ENOTDIR'])

function read<Value>(from: () => Value): Value | undefined {
  try {
    return from()
  } catch (error) {
    if (NOT_TOLD.has(systemCode(error))) return undefined
    throw error
  }
}

function machineOf(): string | undefined {
  const boot = read(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8'))
  const namespace = read(() => readlinkSync('/proc/self/ns/pid'))
  if (boot === undefined || namespace === undefined) return undefined
  return createHash('sha256').update(boot).update(namespace).digest('hex').slice(0, 16)
}

/** State and start of a process; undefined when there is none. Source: proc(5). */
function statOf(pid: number | 'self'): { readonly pid: number; state: string; started: string } | undefined {
  const text = read(() => readFileSync(`/proc/${pid}/stat`, 'utf8'))
  if (text === undefined) return undefined
  // The name stands in brackets and may hold anything; what follows it is numbers, from field 3 on.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return { pid: Number.parseInt(text, 10), state: fields[0] ?? '', started: fields[19] ?? '' }
}

/** This process; undefined where the system does not tell (only Linux does). */
export function ownIdentity(): ProcessIdentity | undefined {
  const machine = machineOf()
  const stat = statOf('self')
  return machine === undefined || stat === undefined ? undefined : { machine, pid: stat.pid, started: stat.started }
}

/**
 * True when `identity` is a process of this machine that has ended, killed ones that nobody has waited for included.
 * False for one that lives, stopped ones included, and for whatever cannot be told from here.
 */
export function hasEnded(identity: ProcessIdentity): boolean {
  if (identity.machine !== machineOf()) return false
  const stat = statOf(identity.pid)
  return stat === undefined || stat.started !== identity.started || stat.state === 'Z' || stat.state === 'X'
}

/** The arguments of a process of this machine, its program first; empty when they cannot be told. */
export function argumentsOf(pid: number): readonly string[] {
  return (read(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8')) ?? '').split('\0')
}
