import { type EffectObject, statementEffects } from '../sql/effects.js'
import { parseStatement } from '../sql/statement.js'
import type { RawObject } from './definition.js'

/** What the text of a raw object makes and reads; objects without `database` belong to the current one, or to none. */
export type RawEffects = { readonly makes: readonly EffectObject[]; readonly reads: readonly EffectObject[] }

const EFFECTS = new WeakMap<RawObject, RawEffects>()

/** What `raw.create` makes and reads, told from its text; nothing where that was not understood. Never throws. */
export function rawEffects(raw: RawObject): RawEffects {
  let effects = EFFECTS.get(raw)
  if (effects === undefined) {
    const { objects } = statementEffects(parseStatement(raw.create).node)
    effects = {
      makes: objects.filter(({ role }) => role === 'creates'),
      reads: objects.filter(({ role }) => role === 'reads' || role === 'writes'),
    }
    EFFECTS.set(raw, effects)
  }
  return effects
}
