import type { FunctionCall, TypeNode } from '../sql/ast.js'
import { printExpression } from '../sql/print.js'
import { leafSizes } from './type.js'

/** Parameters that the server writes into a codec that was given none. */
const DEFAULT_PARAMETERS: Readonly<Record<string, string>> = { ZSTD: '1', LZ4HC: '0', FPC: '12', ZXC: '3' }

/** Codecs whose parameter is the size of a value of the column, frozen when the column is created. */
const SIZED = new Set(['Delta', 'Gorilla'])

/**
 * The inside of `CODEC(...)` as the server stores it for a column of `type`: `Delta, ZSTD` on UInt32 is
 * `Delta(4), ZSTD(1)`. Where the parts of a tuple or map differ in size the text stays as written.
 */
export function codecText(codecs: readonly FunctionCall[], type: TypeNode): string {
  let texts = TEXTS.get(codecs)
  if (texts === undefined) {
    texts = new WeakMap()
    TEXTS.set(codecs, texts)
  }
  let text = texts.get(type)
  if (text === undefined) {
    text = frozenText(codecs, type)
    texts.set(type, text)
  }
  return text
}

/** Answers by trees: a schema says the same codecs on the same types many times, and the same texts share a tree. */
const TEXTS = new WeakMap<readonly FunctionCall[], WeakMap<TypeNode, string>>()

function frozenText(codecs: readonly FunctionCall[], type: TypeNode): string {
  const texts = new Set(leafSizes(type).map((size) => codecs.map((codec) => oneCodec(codec, size)).join(', ')))
  const [text] = texts
  return texts.size === 1 ? text! : codecs.map(codecAsWritten).join(', ')
}

function codecAsWritten(codec: FunctionCall): string {
  return codec.args?.length === 0 ? codec.name : printExpression(codec)
}

function oneCodec(codec: FunctionCall, size: number | undefined): string {
  // The server takes the size from the type, whatever was given.
  if (codec.name === 'DoubleDelta') return codec.name
  if (codec.args !== undefined && codec.args.length > 0) {
    // The second parameter of FPC is the size of a value, which the server takes from the type as well.
    const text = printExpression(codec.name === 'FPC' ? { ...codec, args: codec.args.slice(0, 1) } : codec)
    return text === "T64('byte')" ? 'T64' : text
  }
  const parameter = SIZED.has(codec.name) ? size : DEFAULT_PARAMETERS[codec.name]
  return parameter === undefined ? codec.name : `${codec.name}(${parameter})`
}
