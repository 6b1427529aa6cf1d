import { describe, expect, test } from 'vitest'
import { ChkitError } from '../../src/errors.js'
import { checksumOf } from '../../src/migration/checksum.js'
import { migrationId, nextMigrationId, slugOf } from '../../src/migration/directory.js'

const now = Date.UTC(2026, 10, 21, 3, 59, 59)

describe('nextMigrationId', () => {
  const rows: readonly { name: string; existing: readonly string[]; id: string }[] = [
    { name: 'the clock when it is later', existing: ['20251231235959'], id: '20261121035959' },
    { name: 'the first', existing: [], id: '20261121035959' },
    { name: 'a second later for a second run in one second', existing: ['20261121035959'], id: '20261121040000' },
    {
      name: 'a second after a migration from the future',
      existing: ['20301231235959', '20250101000000'],
      id: '20310101000000',
    },
    { name: 'the next number after one that is no moment', existing: ['20261399999999'], id: '20261400000000' },
    { name: 'short numbers sort before', existing: ['0001', '0002'], id: '20261121035959' },
    { name: 'short numbers that sort after', existing: ['3'], id: '4' },
  ]
  test.each(rows)('$name', ({ existing, id }) => {
    expect(nextMigrationId(now, existing)).toBe(id)
  })

  test('nothing sorts after nines', () => {
    expect(() => nextMigrationId(now, ['99999999999999'])).toThrow(ChkitError)
  })
})

test('the id is what stands before the first underscore', () => {
  expect(['20260101000000_a_b.sql', '0001.sql', 'x'].map(migrationId)).toEqual(['20260101000000', '0001', 'x'])
})

test('slugs are plain words', () => {
  expect(['Add Users!', '../../etc', 'Übergröße', '日本', ''].map(slugOf)).toEqual([
    'add_users',
    'etc',
    'u_bergro_e',
    'auto',
    'auto',
  ])
})

test('a checksum does not depend on line ends', () => {
  expect(checksumOf('a;\r\nb;\r\n')).toBe(checksumOf('a;\nb;\n'))
  expect(checksumOf('a;\rb')).not.toBe(checksumOf('a;\nb'))
  expect(checksumOf('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
})
