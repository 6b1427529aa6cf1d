import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createRedactor } from '../../src/cli/redact.js'
import { createProject, type Project } from '../support/cli.js'

const SECRET = "p@ss'w\\rd/ü+1"

describe('redact', () => {
  const forms: readonly { name: string; text: string }[] = [
    { name: 'as it is', text: SECRET },
    { name: 'percent-encoded', text: encodeURIComponent(SECRET) },
    { name: 'percent-encoded, the apostrophe too', text: encodeURIComponent(SECRET).replaceAll("'", '%27') },
    { name: 'in JSON', text: JSON.stringify({ a: SECRET }) },
    { name: 'in SQL', text: `'${SECRET.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'` },
    { name: 'in SQL with a doubled quote', text: `'${SECRET.replaceAll("'", "''")}'` },
    { name: 'in base64', text: Buffer.from(SECRET).toString('base64') },
    { name: 'in a Basic header', text: `Basic ${Buffer.from(`me:${SECRET}`).toString('base64')}` },
    { name: 'in a URL', text: `http://me:${encodeURIComponent(SECRET)}@host:8123/?a=1` },
    { name: 'amid other text, twice', text: `x${SECRET}y${SECRET}z` },
  ]
  test.each(forms)('hides a password $name', ({ text }) => {
    const redactor = createRedactor({})
    redactor.add(SECRET, 'me')
    const clean = redactor.redact(text)
    expect(clean).toContain('[hidden]')
    for (const form of [SECRET, encodeURIComponent(SECRET), 'w\\\\rd', 'w\\rd']) expect(clean).not.toContain(form)
  })

  const unknown: readonly { text: string; clean: string }[] = [
    { text: 'https://u:secret@h/x', clean: 'https://u:[hidden]@h/x' },
    { text: 'see http://h:8123/?user=u&password=abc&x=1', clean: 'see http://h:8123/?user=u&password=[hidden]&x=1' },
    { text: 'http://host:8123/path@2 and a:b@c', clean: 'http://host:8123/path@2 and a:b@c' },
    { text: 'SELECT 1 AS `a:b@c`', clean: 'SELECT 1 AS `a:b@c`' },
  ]
  test.each(unknown)('finds credentials that nobody told of: $text', ({ text, clean }) => {
    expect(createRedactor({}).redact(text)).toBe(clean)
  })

  test('takes values of variables named like secrets', () => {
    const { redact } = createRedactor({ CLICKHOUSE_PASSWORD: 'hunter22', MY_API_KEY: 'key-123456', PATH: '/usr/bin' })
    expect(redact('hunter22 key-123456 /usr/bin')).toBe('[hidden] [hidden] /usr/bin')
  })

  test('a short password is hidden where it stands as one, and nowhere else', () => {
    const redactor = createRedactor({})
    redactor.add('a', 'default')
    expect(redactor.redact("a table, password 'a', password=a; a")).toBe(
      "a table, password '[hidden]', password=[hidden]; a",
    )
  })
})

describe('no output shows a secret', () => {
  let project: Project
  beforeEach(() => {
    project = createProject()
  })
  afterEach(() => project.remove())
  const env = { CHKIT_DEBUG: '1', HOME: '/nonexistent' }
  const quoted = JSON.stringify(SECRET)

  const rows: readonly { name: string; text: string }[] = [
    {
      name: 'an error of a plugin',
      text: `export default { schema: 'a', clickhouse: { url: 'http://h:1', username: 'me', password: ${quoted} }, plugins: [{ plugin: {
        manifest: { name: 'x', apiVersion: 1 },
        commands: [{ name: 'x', description: '', effect: 'read', run: ({ print, warn, config }) => {
          print(config); warn('w ' + config.clickhouse.password)
          throw new Error('cannot reach http://me:' + encodeURIComponent(config.clickhouse.password) + '@h:1 with ' + config.clickhouse.password)
        } }] } }] }`,
    },
    {
      name: 'a payload of a plugin',
      text: `export default { schema: 'a', clickhouse: { url: ${JSON.stringify(`http://me:${encodeURIComponent(SECRET)}@h:1`)} }, plugins: [{ plugin: {
        manifest: { name: 'x', apiVersion: 1 },
        commands: [{ name: 'x', description: '', effect: 'read', run: ({ config }) => ({ payload: { config }, text: JSON.stringify(config) }) }] } }] }`,
    },
    {
      name: 'a config that throws a URL',
      text: `throw new Error(${JSON.stringify(`http://me:${encodeURIComponent(SECRET)}@h:1 is bad`)})`,
    },
  ]
  test.each(rows)('$name', async ({ text }) => {
    project.write({ 'clickhouse.config.ts': text })
    for (const argv of [['x'], ['x', '--json']]) {
      const { stdout, stderr } = await project.run(argv, { env })
      expect(stdout + stderr).toContain('[hidden]')
      for (const form of [SECRET, encodeURIComponent(SECRET), JSON.stringify(SECRET).slice(1, -1)]) {
        expect(stdout + stderr).not.toContain(form)
      }
    }
  })
})
