import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Executor } from '../../src/clickhouse/executor.js'
import { resolveSecrets } from '../../src/migration/secret-references.js'
import { readStatement } from '../../src/model/canonical.js'
import { holdsPlainSecret } from '../../src/model/plain-secret.js'
import { freshEngine } from '../support/engine.js'

let engine: Executor
beforeAll(async () => {
  engine = await freshEngine()
})
afterAll(() => engine.close())

const SECRET = 'hunter2hunter2'
const COLUMNS = '(`id` UInt64, `name` String)'

/**
 * One place of a secret each. The lists of the refusal (plain-secret) and of the substitution (secret-references) are
 * kept apart by their layers; what the server hides must be in both.
 */
const PLACES: readonly string[] = [
  `CREATE TABLE t ${COLUMNS} ENGINE = MySQL('h:3306', 'd', 't', 'u', 'SECRET')`,
  `CREATE TABLE t ${COLUMNS} ENGINE = PostgreSQL('h:5432', 'd', 't', 'u', 'SECRET')`,
  `CREATE TABLE t ${COLUMNS} ENGINE = PostgreSQL('h:5432', 'd', 't', 'u', 'SECRET', 'schema')`,
  `CREATE TABLE t ${COLUMNS} ENGINE = MongoDB('h:27017', 'd', 'c', 'u', 'SECRET')`,
  `CREATE TABLE t ${COLUMNS} ENGINE = MongoDB('mongodb://u:SECRET@h:27017/d', 'c')`,
  `CREATE TABLE t ${COLUMNS} ENGINE = Redis('h:6379', 0, 'SECRET') PRIMARY KEY id`,
  `CREATE TABLE t ${COLUMNS} ENGINE = S3('https://bucket.s3.amazonaws.com/x.csv', 'AKIAIOSFODNN7EXAMPLE', 'SECRET', 'CSV')`,
  `CREATE TABLE t ${COLUMNS} ENGINE = S3('https://bucket.s3.amazonaws.com/x.csv', 'AKIAIOSFODNN7EXAMPLE', 'SECRET')`,
  `CREATE TABLE t ${COLUMNS} ENGINE = URL('https://u:SECRET@h/x.csv', 'CSV')`,
  `CREATE TABLE t ${COLUMNS} ENGINE = Kafka SETTINGS kafka_broker_list = 'h:9092', kafka_topic_list = 't', kafka_group_name = 'g', kafka_format = 'CSV', kafka_sasl_password = 'SECRET'`,
  `CREATE TABLE t ${COLUMNS} ENGINE = DeltaLake('https://bucket.s3.amazonaws.com/x/', 'AKIAIOSFODNN7EXAMPLE', 'SECRET')`,
  `CREATE TABLE t ${COLUMNS} ENGINE = Hudi('https://bucket.s3.amazonaws.com/x/', 'AKIAIOSFODNN7EXAMPLE', 'SECRET')`,
  `CREATE TABLE t ${COLUMNS} AS mysql('h:3306', 'd', 't', 'u', 'SECRET')`,
  `CREATE TABLE t ${COLUMNS} AS redis('h:6379', 'id', 'id UInt64, name String', 0, 'SECRET')`,
  `CREATE TABLE t ${COLUMNS} AS remoteSecure('h:9440', 'd', 't', 'u', 'SECRET')`,
  `CREATE VIEW t ${COLUMNS} AS SELECT id, name FROM mysql('h:3306', 'd', 't', 'u', 'SECRET')`,
  `CREATE VIEW t ${COLUMNS} AS SELECT id, name FROM postgresql('h:5432', 'd', 't', 'u', 'SECRET')`,
  `CREATE VIEW t ${COLUMNS} AS SELECT id, name FROM mongodb('h:27017', 'd', 'c', 'u', 'SECRET', 'id UInt64, name String')`,
  `CREATE VIEW t ${COLUMNS} AS SELECT id, name FROM remote('h:9000', 'd', 't', 'u', 'SECRET')`,
  `CREATE VIEW t ${COLUMNS} AS SELECT id, name FROM s3('https://bucket.s3.amazonaws.com/x.csv', 'AKIAIOSFODNN7EXAMPLE', 'SECRET', 'CSV')`,
  `CREATE VIEW t ${COLUMNS} AS SELECT id, name FROM url('https://u:SECRET@h/x.csv', 'CSV')`,
  `CREATE DICTIONARY t ${COLUMNS} PRIMARY KEY id SOURCE(CLICKHOUSE(HOST 'h' USER 'u' PASSWORD 'SECRET' TABLE 's')) LAYOUT(FLAT()) LIFETIME(0)`,
  `CREATE DICTIONARY t ${COLUMNS} PRIMARY KEY id SOURCE(MYSQL(HOST 'h' USER 'u' PASSWORD 'SECRET' DB 'd' TABLE 's')) LAYOUT(FLAT()) LIFETIME(0)`,
  `CREATE DICTIONARY t ${COLUMNS} PRIMARY KEY id SOURCE(MONGODB(URI 'mongodb://u:SECRET@h:27017/d' COLLECTION 'c')) LAYOUT(FLAT()) LIFETIME(0)`,
  `CREATE DICTIONARY t ${COLUMNS} PRIMARY KEY id SOURCE(HTTP(URL 'https://h/x' FORMAT 'CSV' CREDENTIALS(USER 'u' PASSWORD 'SECRET'))) LAYOUT(FLAT()) LIFETIME(0)`,
]

/** Places of what this engine cannot make: it lacks the engine, or makes it only where the other system answers. */
const ELSEWHERE: readonly string[] = [
  `CREATE TABLE t ${COLUMNS} ENGINE = S3(named, access_key_id = 'AKIAIOSFODNN7EXAMPLE', secret_access_key = 'SECRET')`,
  `CREATE TABLE t ${COLUMNS} ENGINE = S3Queue('https://bucket.s3.amazonaws.com/*.csv', 'AKIAIOSFODNN7EXAMPLE', 'SECRET', 'CSV') SETTINGS mode = 'unordered', keeper_path = '/q'`,
  `CREATE TABLE t ${COLUMNS} ENGINE = AzureBlobStorage('https://a.blob.core.windows.net', 'c', 'x.csv', 'account', 'SECRET', 'CSV')`,
  `CREATE TABLE t ${COLUMNS} ENGINE = AzureBlobStorage('DefaultEndpointsProtocol=https;AccountName=a;AccountKey=SECRET;EndpointSuffix=core.windows.net', 'c', 'x.csv', 'CSV')`,
  `CREATE TABLE t ${COLUMNS} ENGINE = RabbitMQ SETTINGS rabbitmq_host_port = 'h:5672', rabbitmq_exchange_name = 'e', rabbitmq_format = 'CSV', rabbitmq_password = 'SECRET'`,
  `CREATE TABLE t ${COLUMNS} ENGINE = RabbitMQ SETTINGS rabbitmq_address = 'amqp://u:SECRET@h:5672/', rabbitmq_exchange_name = 'e', rabbitmq_format = 'CSV'`,
  `CREATE TABLE t ${COLUMNS} ENGINE = NATS SETTINGS nats_url = 'h:4222', nats_subjects = 's', nats_format = 'CSV', nats_password = 'SECRET'`,
  `CREATE TABLE t ${COLUMNS} ENGINE = NATS SETTINGS nats_url = 'h:4222', nats_subjects = 's', nats_format = 'CSV', nats_token = 'SECRET'`,
  `CREATE TABLE t ${COLUMNS} ENGINE = MergeTree ORDER BY id SETTINGS disk = disk(type = s3, endpoint = 'https://bucket.s3.amazonaws.com/', access_key_id = 'AKIAIOSFODNN7EXAMPLE', secret_access_key = 'SECRET')`,
  `CREATE TABLE t ${COLUMNS} ENGINE = IcebergS3('https://bucket.s3.amazonaws.com/x/', 'AKIAIOSFODNN7EXAMPLE', 'SECRET')`,
  `CREATE VIEW t ${COLUMNS} AS SELECT id, name FROM azureBlobStorage('https://a.blob.core.windows.net', 'c', 'x.csv', 'account', 'SECRET', 'CSV')`,
]

/** Whether chkit refuses the secret where it is spelled out, takes a reference to the environment in its place, and fills it. */
function treatment(written: string) {
  const referenced = written.includes("'SECRET'")
    ? written.replace("'SECRET'", "'env:VARIABLE'")
    : written.replace('SECRET', '{env:VARIABLE}')
  return {
    plainRefused: holdsPlainSecret(read(written.replace('SECRET', SECRET))),
    referenceRefused: holdsPlainSecret(read(referenced)),
    filled: resolveSecrets(referenced, { VARIABLE: SECRET }).text.includes(SECRET),
  }
}

const read = (statement: string) => readStatement(statement, { currentDatabase: 'default' }).definition

test.each(PLACES)('the server hides, and chkit refuses in plain: %s', async (written) => {
  await engine.command(written.replace('SECRET', SECRET))
  const [row] = await engine.query<{ text: string }>(
    "SELECT create_table_query AS text FROM system.tables WHERE name = 't'",
  )
  await engine.command(`DROP ${written.includes('DICTIONARY') ? 'DICTIONARY' : 'TABLE'} t`)
  expect(row?.text).toContain('[HIDDEN]')
  expect(row?.text).not.toContain(SECRET)
  expect(treatment(written)).toEqual({ plainRefused: true, referenceRefused: false, filled: true })
})

test.each(ELSEWHERE)('chkit refuses in plain: %s', (written) => {
  expect(treatment(written)).toEqual({ plainRefused: true, referenceRefused: false, filled: true })
})
