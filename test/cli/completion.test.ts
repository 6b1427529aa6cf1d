import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createProject, type Project } from '../support/cli.js'

let project: Project
beforeAll(async () => {
  project = createProject({
    'clickhouse.config.ts': `export default { schema: 'a', plugins: [{ plugin: {
      manifest: { name: 'fill', apiVersion: 1 },
      commands: [
        { name: 'plan', description: "It's [a] plan: x", effect: 'files', flags: [{ name: 'mode-x', type: 'string', choices: ['one', 'two'], description: 'd' }] },
        { name: 'run', description: 'r', effect: 'database', default: true },
      ].map((command) => ({ ...command, run() {} })),
      extendCommands: [{ command: 'generate', flags: [{ name: 'out-file', type: 'string', description: 'f' }] }],
    } }] }`,
  })
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { exitCode, stdout, stderr } = await project.run(['completion', shell])
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    writeFileSync(join(project.dir, `chkit.${shell}`), stdout)
  }
})
afterAll(() => project.remove())

/** What bash offers for the last of the words. */
function complete(words: readonly string[]): string[] {
  const quoted = words.map((word) => `'${word}'`).join(' ')
  const program = `source ./chkit.bash; COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _chkit; printf '%s\\n' "\${COMPREPLY[@]}"`
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', program], { cwd: project.dir, encoding: 'utf8' })
  expect(stderr).toBe('')
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .sort()
}

describe('bash completes', () => {
  const rows: readonly { name: string; words: string[]; offers: string[] }[] = [
    {
      name: 'commands',
      words: ['chkit', ''],
      offers: [
        'check',
        'completion',
        'drift',
        'fill',
        'generate',
        'graph',
        'help',
        'init',
        'migrate',
        'plugin',
        'status',
        'version',
      ],
    },
    { name: 'the beginning of a command', words: ['chkit', 'gen'], offers: ['generate'] },
    { name: 'commands of a plugin', words: ['chkit', 'fill', ''], offers: ['plan', 'run'] },
    { name: 'plugins behind plugin', words: ['chkit', 'plugin', ''], offers: ['fill'] },
    { name: 'commands of a plugin behind plugin', words: ['chkit', 'plugin', 'fill', 'p'], offers: ['plan'] },
    {
      name: 'flags, with other spellings and those of plugins',
      words: ['chkit', 'generate', '--'],
      offers: [
        '--allow-recreate',
        '--config',
        '--dryrun',
        '--empty',
        '--help',
        '--json',
        '--migration-id',
        '--mode',
        '--name',
        '--out-file',
        '--rename-column',
        '--rename-table',
        '--table',
      ],
    },
    { name: 'a flag’s other spelling', words: ['chkit', 'migrate', '--exe'], offers: ['--execute'] },
    { name: 'choices', words: ['chkit', 'fill', 'plan', '--mode-x', ''], offers: ['one', 'two'] },
    { name: 'choices behind an equals sign', words: ['chkit', 'fill', 'plan', '--mode-x', '=', 't'], offers: ['two'] },
    { name: 'files for a path', words: ['chkit', 'generate', '--config', 'chkit.z'], offers: ['chkit.zsh'] },
    {
      name: 'files for a plugin’s path',
      words: ['chkit', 'generate', '--out-file', 'click'],
      offers: ['clickhouse.config.ts'],
    },
    { name: 'nothing for a free value', words: ['chkit', 'generate', '--name', ''], offers: [] },
    {
      name: 'flags behind a flag with a value',
      words: ['chkit', 'generate', '--name', 'x', '--dry'],
      offers: ['--dryrun'],
    },
    { name: 'commands behind a global flag', words: ['chkit', '--config', 'x', 'sta'], offers: ['status'] },
    { name: 'shells', words: ['chkit', 'completion', ''], offers: ['bash', 'fish', 'zsh'] },
    { name: 'commands behind help', words: ['chkit', 'help', 'dr'], offers: ['drift'] },
  ]
  test.each(rows)('$name', ({ words, offers }) => {
    expect(complete(words)).toEqual(offers)
  })
})

test.each(['zsh', 'fish'])('the %s script parses where that shell is installed', (shell) => {
  const { error, status, stderr } = spawnSync(shell, ['-n', `chkit.${shell}`], { cwd: project.dir, encoding: 'utf8' })
  if (error !== undefined) {
    expect((error as NodeJS.ErrnoException).code).toBe('ENOENT')
    return
  }
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
})
