// npm test: installs what is missing, builds, runs the tests, and ends with the plain line `N passed, N failed, N skipped`.
// Suites: the default one; --pack (the packed package in an empty project, three runtimes); --long (property tests at
// length); --replay (the whole alter matrix). Anything else on the line goes to vitest.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { ensureBuild, ensureDependencies, root } from './setup.mjs'

const SUITES = {
  default: ['test/**/*.test.ts'],
  pack: ['test/**/*.pack.ts'],
  long: ['test/**/*.long.ts'],
  replay: ['test/**/*.replay.ts'],
}

const args = process.argv.slice(2)
const suite = Object.keys(SUITES).find((name) => args.includes(`--${name}`)) ?? 'default'
const rest = args.filter((arg) => arg !== `--${suite}`)

ensureDependencies()
ensureBuild()

mkdirSync(`${root}/.tmp`, { recursive: true })
const report = `${root}/.tmp/report-${suite}.json`
rmSync(report, { force: true })
const vitest = spawnSync(
  process.execPath,
  [
    `${root}/node_modules/vitest/vitest.mjs`,
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...rest,
  ],
  { cwd: root, stdio: 'inherit', env: { ...process.env, CHKIT_TEST_INCLUDE: SUITES[suite].join(',') } },
)

let totals
try {
  totals = JSON.parse(readFileSync(report, 'utf8'))
} catch (error) {
  console.error(`The test runner left no report: ${error.message}`)
  console.log('0 passed, 1 failed')
  process.exit(1)
}
const skipped = totals.numPendingTests + (totals.numTodoTests ?? 0)
// A file that fails to load counts no test of its own, yet it is a failure.
const brokenFiles = totals.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0)
const failed = totals.numFailedTests + brokenFiles.length
console.log(`${totals.numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
process.exit(vitest.status === 0 && failed === 0 && totals.numPassedTests > 0 ? 0 : 1)
