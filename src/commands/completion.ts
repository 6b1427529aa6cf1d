import type { CommandDef } from '../plugin-host/command.js'

/** `chkit completion`: a completion script for a shell. */
export const command: CommandDef = {
  name: 'completion',
  description: 'Print a completion script for bash, zsh or fish.',
  effect: 'read',
  config: 'optional',
  flags: [],
  arguments: '<bash|zsh|fish>',
  argumentChoices: ['bash', 'zsh', 'fish'],
  details: 'Plugin commands are completed when a config loads in the folder where the script is made.',
  examples: [
    { line: 'source <(chkit completion bash)', description: 'For the running bash; put it into ~/.bashrc to keep it.' },
    { line: 'chkit completion zsh > "${fpath[1]}/_chkit"', description: 'For zsh.' },
    { line: 'chkit completion fish > ~/.config/fish/completions/chkit.fish', description: 'For fish.' },
  ],
  run: async (context) => (await import('./completion.run.js')).run(context),
}
