import type { CommandDef } from '../plugin-host/command.js'

/** `chkit graph`: what the declared objects need of each other. */
export const command: CommandDef = {
  name: 'graph',
  description: 'Show which objects of the schema need which others.',
  effect: 'read',
  flags: [
    {
      name: 'format',
      type: 'string',
      placeholder: '<format>',
      choices: ['mermaid', 'dot', 'json'],
      description: 'What to print. Default: mermaid.',
    },
  ],
  examples: [
    { line: 'chkit graph', description: 'A Mermaid flowchart, as Markdown pages show it.' },
    { line: 'chkit graph --format dot | dot -Tsvg > schema.svg', description: 'A picture by Graphviz.' },
    { line: "chkit graph --table 'app.event*' --format json", description: 'Nodes and edges of some objects.' },
  ],
  run: async (context) => (await import('./graph.run.js')).run(context),
}
