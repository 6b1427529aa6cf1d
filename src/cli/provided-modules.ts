/** Gives a module when it is first imported; a promise is awaited by the importer. */
type Load = () => unknown

const core: Load = () => import('../index.js')

/** Official plugins that are part of this package, by name. */
const PLUGIN_MODULES: Readonly<Record<string, Load>> = {
  backfill: () => import('../plugins/backfill/index.js'),
  codegen: () => import('../plugins/codegen/index.js'),
  obsessiondb: () => import('../plugins/obsessiondb/index.js'),
  pull: () => import('../plugins/pull/index.js'),
}

/**
 * What `import` in a project's config, schema and plugin files gets for chkit's own modules, by specifier: the running
 * ones, also where the project has not installed chkit. The older names of an existing project lead to the same modules.
 */
export function projectModules(): Readonly<Record<string, Load>> {
  const modules: Record<string, Load> = { chkit: core, '@chkit/core': core }
  for (const [name, load] of Object.entries(PLUGIN_MODULES)) {
    modules[`chkit/plugins/${name}`] = load
    modules[`@chkit/plugin-${name}`] = load
  }
  return modules
}
