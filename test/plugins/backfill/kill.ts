import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../../dist/main.js', import.meta.url))

/** Runs the real executable; kills it with SIGKILL after `killAfterMs` unless it has ended. */
async function runExecutable(cwd: string, argv: readonly string[], killAfterMs?: number) {
  const child = spawn(process.execPath, [MAIN, ...argv], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, CI: '1' },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data) => {
      output += data
    })
  }
  const exit = once(child, 'exit')
  if (killAfterMs !== undefined) {
    await Promise.race([exit, sleep(killAfterMs)])
    child.kill('SIGKILL')
  }
  const [code] = await exit
  return { code: code as number | null, output }
}

/**
 * Resumes a plan and kills it, until it was killed `kills` times or is completed, then lets it end. Returns how often it
 * was really killed. `random` gives numbers from 0 to 1. `afterKill` runs between a kill and the next run.
 */
export async function killAndResume(
  cwd: string,
  planId: string,
  kills: number,
  random: () => number,
  extra: readonly string[] = [],
  afterKill: () => Promise<void> = async () => undefined,
): Promise<number> {
  let killed = 0
  for (let round = 0; round < kills; round++) {
    const { code, output } = await runExecutable(
      cwd,
      ['backfill', 'resume', '--plan-id', planId, ...extra],
      300 + random() * 700,
    )
    if (code === 0) return killed
    if (code !== null) throw new Error(`resume ended with ${code} in round ${round}: ${output}`)
    killed++
    await afterKill()
  }
  const { code, output } = await runExecutable(cwd, ['backfill', 'resume', '--plan-id', planId, ...extra])
  if (code !== 0) throw new Error(`the last resume ended with ${code}: ${output}`)
  return killed
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
