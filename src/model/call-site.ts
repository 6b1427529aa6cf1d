/** Where in a schema file a definition was made, for messages about it. */

const CALLS = new WeakMap<object, { readonly stack?: string }>()

/** Keeps where `definition` is being made. Costs microseconds: the engine writes a stack out only when it is read. */
export function noteCall(definition: object): void {
  CALLS.set(definition, new Error())
}

/**
 * The line of `file` (as its definitions name it, relative) that made `definition`, from 1: of several calls on the way,
 * as through a function of the file, the outermost. Undefined where the definition is a copy or comes from elsewhere.
 */
export function lineOfCall(definition: object, file: string): number | undefined {
  const path = `/${file.replaceAll('\\', '/').replace(/^(?:\.\.?\/)+/, '')}`
  let line: number | undefined
  for (const frame of CALLS.get(definition)?.stack?.split('\n') ?? []) {
    const place = /^(.*):(\d+):\d+\)?$/.exec(frame.replaceAll('\\', '/'))
    if (place?.[1]?.endsWith(path)) line = Number(place[2])
  }
  return line
}
