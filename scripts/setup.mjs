// What the two commands of the README need on a fresh machine: dependencies by the lockfile, and a build.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))
const BUN = 'bun@1.4.5'

/** Runs a command with its output shown; ends this process with its exit code when it fails. */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options })
  if (result.error) {
    console.error(`${command} could not be started: ${result.error.message}`)
    process.exit(1)
  }
  if (result.status !== 0) process.exit(result.status ?? 1)
}

/** Installs by bun.lock unless what it asks for is there already. */
export function ensureDependencies() {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'))
  const missing = Object.keys({ ...dependencies, ...devDependencies }).filter(
    (name) => !existsSync(`${root}/node_modules/${name}/package.json`),
  )
  if (missing.length === 0) return
  console.error(`Installing dependencies (${missing.length} missing) ...`)
  run('npx', ['--yes', BUN, 'install', '--frozen-lockfile'])
}

function newest(folder) {
  let time = 0
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`
    time = Math.max(time, entry.isDirectory() ? newest(path) : statSync(path).mtimeMs)
  }
  return time
}

/** Builds dist/ unless it is newer than every source file. */
export function ensureBuild() {
  const built = `${root}/dist/main.js`
  const sources = Math.max(newest(`${root}/src`), statSync(`${root}/package.json`).mtimeMs)
  if (existsSync(built) && statSync(built).mtimeMs > sources) return
  console.error('Building ...')
  run(process.execPath, [`${root}/scripts/build.mjs`])
}
