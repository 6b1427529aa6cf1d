import type { Model } from './definition.js'
import type { Issue } from './issue.js'

/** Everything that is wrong with a model as a whole. */
export function validateModel(_model: Model): readonly Issue[] {
  return []
}
