import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

const src = (path: string) => fileURLToPath(new URL(`./src/${path}`, import.meta.url))

/** Files that take half a minute and more, the longest first: begun last, they would keep one core waiting. */
const LONG = [
  'plugins/pull/real-world',
  'plugins/backfill/kill',
  'plan/property',
  'plugins/backfill/views',
  'plugins/backfill/backfill',
  'cli/migrate-crash',
  'plan/alter-matrix',
  'migration/lock',
  'cli/migrate-killed',
].map((name) => `/test/${name}.test.ts`)

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const index = LONG.findIndex((name) => moduleId.endsWith(name))
      return index < 0 ? LONG.length : index
    }
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b))
  }
}

export default defineConfig({
  resolve: {
    alias: [
      { find: /^chkit$/, replacement: src('index.ts') },
      { find: /^chkit\/plugins\/(.+)$/, replacement: src('plugins/$1/index.ts') },
    ],
  },
  test: {
    include: (process.env.CHKIT_TEST_INCLUDE ?? 'test/**/*.test.ts').split(','),
    exclude: ['node_modules/**'],
    // A process holds one embedded engine with one data directory, so every file gets a process of its own.
    pool: 'forks',
    sequence: { sequencer: LongestFirst },
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
})
