import type { ResolvedConfig } from '../config/config.js'
import { ChkitError } from '../errors.js'
import type { Definition } from '../model/definition.js'
import type { SchemaFile } from './command.js'

export async function canonicalDefinitions(
  files: readonly SchemaFile[],
  config: ResolvedConfig,
): Promise<readonly Definition[]> {
  throw new ChkitError('internal_error', `no model for ${files.length} files of ${config.file}`)
}
