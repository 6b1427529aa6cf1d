import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { removeFolder, temporaryFolder } from './engine.js'

/** chkit bundled from the sources as they are now, for tests that need a process of its own. */
export type Executable = { readonly path: string; remove(): void }

/** Bundles `src/main.ts` into a temporary folder; run it with Node. Call `remove` in the end. */
export async function buildExecutable(): Promise<Executable> {
  const folder = temporaryFolder('chkit-executable-')
  await build({
    entryPoints: [fileURLToPath(new URL('../../src/main.ts', import.meta.url))],
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    external: ['chdb', 'jiti'],
    banner: {
      js: "import { createRequire as __chkitRequire } from 'node:module'; const require = __chkitRequire(import.meta.url);",
    },
    define: { CHKIT_VERSION: '"0.0.0"' },
    logLevel: 'error',
  })
  symlinkSync(fileURLToPath(new URL('../../node_modules', import.meta.url)), join(folder, 'node_modules'))
  return { path: join(folder, 'main.mjs'), remove: () => removeFolder(folder) }
}
