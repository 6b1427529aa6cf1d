import { describe, expect, it } from 'vitest'
import { diffModels } from '../../src/diff/diff.js'
import { suggestRenames } from '../../src/diff/rename-suggestions.js'
import { type RenameFlags, resolveRenames } from '../../src/diff/renames.js'
import { ChkitError } from '../../src/errors.js'
import type { Model } from '../../src/model/definition.js'
import { column, columns, model, table, view } from '../plan/support/models.js'

const from = model(table({ name: 'a' }), table({ name: 'b' }), view())
const name = (table: string) => ({ database: 'd', name: table })

const RESOLVED: readonly { name: string; from?: Model; to: Model; flags?: RenameFlags; renames: readonly unknown[] }[] =
  [
    {
      name: 'renamedFrom names the old table',
      to: model(table({ name: 'x', renamedFrom: name('a') }), table({ name: 'b' })),
      renames: [{ kind: 'object', from: name('a'), to: name('x') }],
    },
    {
      name: 'a renamedFrom whose old name is gone was carried out before',
      to: model(table({ name: 'b', renamedFrom: name('gone') })),
      renames: [],
    },
    {
      name: 'a renamedFrom whose new name exists already was carried out before',
      to: model(table({ name: 'a' }), table({ name: 'b', renamedFrom: name('a') })),
      renames: [],
    },
    {
      name: 'a view is not renamed from a table',
      to: model(view({ name: 'x', renamedFrom: name('a') })),
      renames: [],
    },
    {
      name: 'a flag wins over renamedFrom',
      to: model(table({ name: 'x', renamedFrom: name('a') })),
      flags: { tables: ['d.b=d.x'] },
      renames: [{ kind: 'object', from: name('b'), to: name('x') }],
    },
    {
      name: 'flags come repeated and separated by commas',
      to: model(table({ name: 'x' }), table({ name: 'y' })),
      flags: { tables: ['d.a=d.x, d.b=d.y'] },
      renames: [
        { kind: 'object', from: name('a'), to: name('x') },
        { kind: 'object', from: name('b'), to: name('y') },
      ],
    },
    {
      name: 'a column is renamed in a renamed table, named by its old or its new name',
      to: model(table({ name: 'x', columns: columns('id UInt64', 'z UInt32', 'y String') })),
      flags: { tables: ['d.a=d.x'], columns: ['d.a.a=z', 'd.x.b=y'] },
      renames: [
        { kind: 'object', from: name('a'), to: name('x') },
        { kind: 'column', table: name('x'), from: 'a', to: 'z' },
        { kind: 'column', table: name('x'), from: 'b', to: 'y' },
      ],
    },
    {
      name: 'renamedFrom of a column, and a stale one beside it',
      to: model(
        table({
          name: 'a',
          columns: [
            column('id', 'UInt64'),
            column('z', 'UInt32', { renamedFrom: 'a' }),
            column('b', 'String', { renamedFrom: 'long_gone' }),
          ],
        }),
      ),
      renames: [{ kind: 'column', table: name('a'), from: 'a', to: 'z' }],
    },
  ]

const REFUSED: readonly { name: string; to: Model; flags: RenameFlags; code: string; message: string }[] = [
  {
    name: 'one source for two targets',
    to: model(table({ name: 'x' }), table({ name: 'y' })),
    flags: { tables: ['d.a=d.x', 'd.a=d.y'] },
    code: 'rename_conflict',
    message: 'Conflicting table rename source mapping for "d.a": it is renamed to both "d.x" and "d.y".',
  },
  {
    name: 'two sources for one target',
    to: model(table({ name: 'x' })),
    flags: { tables: ['d.a=d.x', 'd.b=d.x'] },
    code: 'rename_conflict',
    message: 'Conflicting table rename target mapping for "d.x": both "d.a" and "d.b" are renamed to it.',
  },
  {
    name: 'a swap',
    to: model(table({ name: 'a' }), table({ name: 'b' })),
    flags: { tables: ['d.a=d.b', 'd.b=d.a'] },
    code: 'rename_conflict',
    message: 'Unsupported chained or cyclic table rename mapping involving "d.a" and "d.b".',
  },
  {
    name: 'a chain of columns',
    to: model(table({ name: 'a' })),
    flags: { columns: ['d.a.a=b,d.a.b=c'] },
    code: 'rename_conflict',
    message: 'Unsupported chained or cyclic column rename mapping involving "d.a.a" and "d.a.b".',
  },
  {
    name: 'a column source for two targets',
    to: model(table({ name: 'a' })),
    flags: { columns: ['d.a.a=x', 'd.a.a=y'] },
    code: 'rename_conflict',
    message: 'Conflicting column rename source mapping for "d.a.a": it is renamed to both "d.a.x" and "d.a.y".',
  },
  {
    name: 'a text that is no mapping',
    to: from,
    flags: { tables: ['a=b'] },
    code: 'rename_invalid',
    message: '--rename-table mapping "a=b" is invalid: it must read old_db.old=new_db.new.',
  },
  {
    name: 'a source that was never there',
    to: from,
    flags: { tables: ['d.q=d.a'] },
    code: 'rename_invalid',
    message: '--rename-table mapping "d.q=d.a" is invalid: d.q is not part of the previous state.',
  },
  {
    name: 'a target that is not declared',
    to: model(table({ name: 'b' })),
    flags: { tables: ['d.a=d.q'] },
    code: 'rename_invalid',
    message: '--rename-table mapping "d.a=d.q" is invalid: d.q is not declared in the schema.',
  },
  {
    name: 'a column that is still declared',
    to: model(table({ name: 'a', columns: columns('id UInt64', 'a UInt32', 'z UInt32') })),
    flags: { columns: ['d.a.a=z'] },
    code: 'rename_invalid',
    message: '--rename-column mapping "d.a.a=z" is invalid: column a of d.a is still declared in the schema.',
  },
]

const DECLARED: readonly { name: string; to: Model; message: string }[] = [
  {
    name: 'a renamed table that is still declared',
    to: model(table({ name: 'a' }), table({ name: 'x', renamedFrom: name('a') })),
    message: 'Renamed table "d.a" is still declared beside "d.x".',
  },
  {
    name: 'a table renamed to one that exists, which would drop it',
    to: model(table({ name: 'b', renamedFrom: name('a') })),
    message: 'Renamed table "d.a" cannot become "d.b", which exists already.',
  },
  {
    name: 'a renamed column that is still declared',
    to: model(
      table({ name: 'a', columns: [...columns('id UInt64', 'a UInt32'), column('x', 'UInt32', { renamedFrom: 'a' })] }),
    ),
    message: 'Renamed column "d.a.a" is still declared beside "d.a.x".',
  },
  {
    name: 'a column renamed to one that exists',
    to: model(table({ name: 'a', columns: [...columns('id UInt64'), column('b', 'String', { renamedFrom: 'a' })] })),
    message: 'Renamed column "d.a.a" cannot become "d.a.b", which exists already.',
  },
]

describe('resolveRenames', () => {
  it.each(DECLARED)('refuses $name', ({ to, message }) => {
    expect(() => resolveRenames(from, to)).toThrow(message)
  })
  it.each(RESOLVED)('$name', ({ to, flags, renames }) => {
    expect(resolveRenames(from, to, flags)).toEqual(renames)
  })
  it.each(REFUSED)('refuses $name', ({ to, flags, code, message }) => {
    let thrown: unknown
    try {
      resolveRenames(from, to, flags)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(ChkitError)
    expect(thrown).toMatchObject({ code, message })
  })
})

describe('suggestRenames', () => {
  it('suggests the only dropped and added column of one type', () => {
    const to = model(
      table({ name: 'a', columns: columns('id UInt64', 'amount UInt32', 'b String') }),
      table({ name: 'b' }),
      view(),
    )
    expect(suggestRenames(diffModels(from, to))).toEqual([
      {
        kind: 'column',
        database: 'd',
        table: 'a',
        from: 'a',
        to: 'amount',
        confidence: 'medium',
        reason: 'same definition (UInt32), the only column dropped and the only one added',
        confirmationSQL: 'ALTER TABLE d.a RENAME COLUMN `a` TO `amount`',
        dropOperationKey: 'table:d.a:column:a',
        addOperationKey: 'table:d.a:column:amount',
      },
    ])
  })
  it('suggests a table of the same shape', () => {
    const to = model(table({ name: 'events2' }), view())
    expect(suggestRenames(diffModels(model(table({ name: 'events' }), view()), to))).toEqual([
      {
        kind: 'table',
        database: 'd',
        table: 'events',
        from: 'd.events',
        to: 'd.events2',
        confidence: 'high',
        reason: 'same engine and sorting key, 3 of 3 columns the same, similar names',
        confirmationSQL: 'RENAME TABLE d.events TO d.events2',
        dropOperationKey: 'table:d.events',
        addOperationKey: 'table:d.events2',
      },
    ])
  })
  it('suggests nothing for columns of different types', () => {
    const to = model(
      table({ name: 'a', columns: columns('id UInt64', 'amount Date', 'b String') }),
      table({ name: 'b' }),
      view(),
    )
    expect(suggestRenames(diffModels(from, to))).toEqual([])
  })
})
