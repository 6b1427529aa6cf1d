import { createHash } from 'node:crypto'
import { serialize } from 'node:v8'
import { collectDefinitions } from '../model/collect.js'
import type { CommandContext, SchemaFile } from '../plugin-host/command.js'

/**
 * What stands for everything that the schema files declare, with what else decides their canonical form: SHA-256, hex.
 * Equal fingerprints mean equal canonical forms, so that a schema of thousands of tables that did not change need not be
 * parsed again. Undefined where it would not stand for everything: plugins may add to the schema or look at what
 * a snapshot does not keep, and a value that cannot be serialised (a function) may hide anything.
 */
export function declaredFingerprint(context: CommandContext, files: readonly SchemaFile[]): string | undefined {
  if (context.plugins.names.length > 0) return undefined
  const declarations = files.flatMap(({ exports }) => collectDefinitions(exports).map(({ declaration }) => declaration))
  const hash = createHash('sha256')
  hash.update(`${context.version}\0${context.config.clickhouse?.database ?? ''}\0`)
  try {
    // In pieces: one object graph of thousands of tables would be remembered node by node to find cycles.
    for (const declaration of declarations) hash.update(serialize(declaration))
  } catch (error) {
    // DataCloneError: a function or a symbol. The canonical form is then worked out, and its checks name the value.
    if (error instanceof Error) return undefined
    throw error
  }
  return hash.digest('hex')
}
