import { expect, test } from 'vitest'
import { resolveSecrets } from '../../src/migration/secret-references.js'

const env = { DB_PASSWORD: "it's\\secret", EMPTY: '' }

test.each([
  [
    'a reference in a source is replaced by the quoted value',
    "CREATE DICTIONARY d (a UInt8) SOURCE(MYSQL(host 'h' password 'env:DB_PASSWORD'))",
    "CREATE DICTIONARY d (a UInt8) SOURCE(MYSQL(host 'h' password 'it\\'s\\\\secret'))",
    [],
  ],
  ['a parameter of an engine', "ENGINE = MySQL('h', 'd', 'env:EMPTY')", "ENGINE = MySQL('h', 'd', '')", []],
  [
    'a parameter of a disk',
    "SETTINGS disk = disk(type = s3, key = 'env:EMPTY')",
    "SETTINGS disk = disk(type = s3, key = '')",
    [],
  ],
  [
    'a user',
    "CREATE USER u IDENTIFIED WITH sha256_password BY 'env:EMPTY'",
    "CREATE USER u IDENTIFIED WITH sha256_password BY ''",
    [],
  ],
  ['a named collection', "CREATE NAMED COLLECTION n AS p = 'env:EMPTY'", "CREATE NAMED COLLECTION n AS p = ''", []],
  ['a table function', "CREATE TABLE t AS mysql('h', 'd', 'env:EMPTY')", "CREATE TABLE t AS mysql('h', 'd', '')", []],
  [
    'a function that encrypts',
    "ADD COLUMN c String DEFAULT encrypt('aes-256-ofb', s, 'env:EMPTY')",
    "ADD COLUMN c String DEFAULT encrypt('aes-256-ofb', s, '')",
    [],
  ],
  [
    'a setting of an engine',
    "ENGINE = Kafka SETTINGS kafka_format = 'CSV', disk = disk(type = s3), kafka_sasl_password = 'env:EMPTY'",
    "ENGINE = Kafka SETTINGS kafka_format = 'CSV', disk = disk(type = s3), kafka_sasl_password = ''",
    [],
  ],
  [
    'an assignment is text',
    "ALTER TABLE t UPDATE a = 'env:EMPTY' WHERE b = 'env:EMPTY'",
    "ALTER TABLE t UPDATE a = 'env:EMPTY' WHERE b = 'env:EMPTY'",
    [],
  ],
  ['an unset variable keeps its reference', "ENGINE = S3('env:NOPE')", "ENGINE = S3('env:NOPE')", ['NOPE']],
  [
    'a reference in braces is a part of a text',
    "ENGINE = MongoDB('mongodb://root:{env:DB_PASSWORD}@h/{env:NOPE}', 'c')",
    "ENGINE = MongoDB('mongodb://root:it\\'s\\\\secret@h/{env:NOPE}', 'c')",
    ['NOPE'],
  ],
  ['a reference within a longer text is text', "ENGINE = S3('see env:EMPTY')", "ENGINE = S3('see env:EMPTY')", []],
  [
    'a default of a column is text',
    "CREATE TABLE t (a String DEFAULT 'env:EMPTY')",
    "CREATE TABLE t (a String DEFAULT 'env:EMPTY')",
    [],
  ],
  ['a comment is text', "ENGINE = Null COMMENT 'env:EMPTY'", "ENGINE = Null COMMENT 'env:EMPTY'", []],
] as const)('%s', (_name, sql, text, missing) => {
  expect(resolveSecrets(sql, env)).toMatchObject({ text, missing })
})

test('says which secrets it put in, each once', () => {
  expect(resolveSecrets("ENGINE = S3('env:DB_PASSWORD', 'env:DB_PASSWORD', 'env:EMPTY')", env).secrets).toEqual([
    "it's\\secret",
  ])
})
