// npm run build: bundles src into dist/ and emits the types. With `--no-types` the JavaScript only.
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const { version } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'))
const started = Date.now()

const plugins = readdirSync(`${root}/src/plugins`, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && existsSync(`${root}/src/plugins/${entry.name}/index.ts`))
  .map((entry) => entry.name)

// Built beside dist and moved in its place: whoever runs dist/main.js meanwhile finds the old build or the new one.
const staging = `${root}/dist.${process.pid}.tmp`
rmSync(staging, { recursive: true, force: true })

/**
 * The config's schema needs a twentieth of zod, the official plugins' options all of it. Bundled together, each would load
 * what both need: so the config's part is bundled by itself first.
 */
const configSchema = {
  name: 'config-schema',
  setup(main) {
    main.onLoad({ filter: /[\\/]src[\\/]config[\\/]schema\.ts$/ }, async ({ path }) => {
      const { outputFiles } = await build({
        entryPoints: [path],
        bundle: true,
        write: false,
        format: 'esm',
        platform: 'node',
        target: 'node20.19',
        external: ['../errors.js', '../nearest.js'],
      })
      return { contents: outputFiles[0].text, loader: 'js', resolveDir: dirname(path) }
    })
  },
}

/** zod brings its messages in fifty languages; chkit speaks one. */
const oneLocale = {
  name: 'one-locale',
  setup(main) {
    main.onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js'",
      loader: 'js',
    }))
  },
}

const result = await build({
  absWorkingDir: root,
  entryPoints: {
    main: 'src/main.ts',
    index: 'src/index.ts',
    ...Object.fromEntries(plugins.map((name) => [`plugins/${name}`, `src/plugins/${name}/index.ts`])),
  },
  outdir: staging,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  chunkNames: 'chunks/[name]-[hash]',
  // Dependencies are bundled: one file is found and scanned faster than the hundreds a package consists of. jiti is
  // loaded through require at run time, and chdb is the user's own.
  external: ['chdb', 'jiti'],
  // What is bundled from CommonJS packages asks for Node's modules by `require`.
  banner: {
    js: "import { createRequire as __chkitRequire } from 'node:module'; const require = __chkitRequire(import.meta.url);",
  },
  plugins: [configSchema, oneLocale],
  define: { CHKIT_VERSION: JSON.stringify(version) },
  // Node compiles what it loads on every start; names of functions matter to nobody but a reader of CHKIT_DEBUG stacks.
  minify: true,
  legalComments: 'linked',
  metafile: true,
  logLevel: 'warning',
})

chmodSync(`${staging}/main.js`, 0o755)
if (!process.argv.includes('--no-types')) {
  const tsc = spawnSync(
    process.execPath,
    [`${root}/node_modules/typescript/bin/tsc`, '-p', `${root}/tsconfig.build.json`, '--outDir', `${staging}/types`],
    { stdio: 'inherit' },
  )
  if (tsc.status !== 0) {
    rmSync(staging, { recursive: true, force: true })
    process.exit(1)
  }
}

mkdirSync(`${root}/dist`, { recursive: true })
const old = `${root}/dist.${process.pid}.old`
renameSync(`${root}/dist`, old)
renameSync(staging, `${root}/dist`)
rmSync(old, { recursive: true, force: true })

const bytes = Object.values(result.metafile.outputs).reduce((sum, output) => sum + output.bytes, 0)
console.log(
  `Built chkit ${version} with ${plugins.length} plugins: ${Math.round(bytes / 1024)} kB in ${Date.now() - started} ms.`,
)
