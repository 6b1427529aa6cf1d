import { createHash } from 'node:crypto'
import { join, parse } from 'node:path'
import { type DeclaredObject, type Definition, isDatabaseObject, objectKey } from '../../index.js'
import { exportNames } from './names.js'
import { moduleSource } from './source.js'

/** A schema file to write: absolute path and whole text. */
export type SchemaFile = { readonly file: string; readonly text: string }

/** The first line of every file that pull writes; by it a later run knows its own. */
export const FIRST_LINE = '// Written by `chkit pull`. Edit it freely: from here on it is the schema.'

/** The objects as one module, or as one module per object in a folder named like `outFile`. */
export function schemaFiles(
  objects: readonly DeclaredObject[],
  layout: 'single' | 'per-table',
  outFile: string,
): readonly SchemaFile[] {
  if (layout === 'single') return [{ file: outFile, text: moduleText(inReadingOrder(objects)) }]
  const { ext } = parse(outFile)
  const groups = new Map<string, DeclaredObject[]>()
  for (const object of inReadingOrder(objects)) {
    const path = modulePath(object.definition)
    const group = groups.get(path)
    if (group === undefined) groups.set(path, [object])
    else group.push(object)
  }
  const paths = distinctPaths([...groups.keys()])
  return [...groups].map(([, members], index) => ({
    file: join(layoutFolder(outFile), `${paths[index]}${ext}`),
    text: moduleText(members),
  }))
}

/** The folder of the `per-table` layout: `pulled.ts` becomes `pulled/`. */
export function layoutFolder(outFile: string): string {
  const { dir, name } = parse(outFile)
  return join(dir, name)
}

function moduleText(objects: readonly DeclaredObject[]): string {
  const names = exportNames(objects.map(({ definition }) => definition))
  return moduleSource(
    FIRST_LINE,
    objects.map(({ declaration, fallback }, index) => ({
      name: names[index] as string,
      declaration,
      remark: fallback && `As its text, because ${fallback}`,
    })),
  )
}

/** Databases and functions first, then what lives in databases by its name, then access objects. */
function inReadingOrder(objects: readonly DeclaredObject[]): readonly DeclaredObject[] {
  const keyed = objects.map((object) => ({ object, key: readingKey(object.definition) }))
  keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
  return keyed.map(({ object }) => object)
}

function readingKey(definition: Definition): string {
  if (isDatabaseObject(definition)) return `3\0${definition.database}\0${definition.name}`
  switch (definition.kind) {
    case 'database':
      return `1\0${definition.name}`
    case 'sql_function':
      return `2\0${definition.name}`
    case 'raw':
      return `4\0${definition.key}`
    default:
      return `5\0${objectKey(definition)}`
  }
}

/** Path of an object's module in the folder, without its extension. */
function modulePath(definition: Definition): string {
  if (isDatabaseObject(definition)) return `${fileName(definition.database)}/${fileName(definition.name)}`
  switch (definition.kind) {
    case 'database':
      return 'databases'
    case 'sql_function':
      return 'functions'
    case 'raw':
      return 'raw'
    case 'named_collection':
      return 'named-collections'
    default:
      return 'access'
  }
}

/** A name that every file system takes; what it cannot hold is told apart by a hash. */
function fileName(name: string): string {
  const safe = name.replace(/[^A-Za-z0-9_-]+/g, '_').slice(0, 100)
  const isReserved = /^(?:con|prn|aux|nul|com\d|lpt\d)$/i.test(safe) || safe === ''
  return safe === name && !isReserved ? safe : `${safe}-${hashOf(name)}`
}

/** Paths that differ in case only would be one file on some systems. */
function distinctPaths(paths: readonly string[]): readonly string[] {
  const uses = new Map<string, number>()
  for (const path of paths) uses.set(path.toLowerCase(), (uses.get(path.toLowerCase()) ?? 0) + 1)
  return paths.map((path) => (uses.get(path.toLowerCase()) === 1 ? path : `${path}-${hashOf(path)}`))
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8)
}
