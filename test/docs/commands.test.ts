import { expect, test } from 'vitest'
import { CORE_COMMANDS } from '../../src/cli/registry.js'
import { readPage } from './pages.js'

test.each(CORE_COMMANDS.map(({ name }) => name))('the page of %s has prose and says how it exits', (name) => {
  const prose = readPage(`docs/commands/${name}.md`).split('<!-- /generated:command -->')[1] ?? ''
  expect(prose).toContain('\n## Exit codes\n')
  expect(prose.split('\n## Exit codes\n')[1]?.trim()).not.toBe('')
})
