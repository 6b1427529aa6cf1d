import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const src = (path: string) => fileURLToPath(new URL(`./src/${path}`, import.meta.url))

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
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
})
