/** How package managers call a command of the project, by the first word of the agent that they name to what they start. */
const RUNNERS: Readonly<Record<string, string>> = { npm: 'npx', pnpm: 'pnpm exec', yarn: 'yarn', bun: 'bunx' }

/**
 * The command line to show for `words`, as it can be pasted: `npx chkit migrate` where chkit itself was started so, since
 * what a project installs is not on the shell's path; `chkit migrate` elsewhere. Never throws.
 */
export function invocation(env: Readonly<Record<string, string | undefined>>, words: string): string {
  const agent = /^([a-z]+)\//.exec(env.npm_config_user_agent ?? '')?.[1]
  const runner = agent === undefined || !Object.hasOwn(RUNNERS, agent) ? undefined : RUNNERS[agent]
  return runner === undefined ? `chkit ${words}` : `${runner} chkit ${words}`
}
