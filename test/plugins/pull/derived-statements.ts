/** CREATE statements made by rule, a database of them at a time. */
export function derivedStatements(): readonly { readonly name: string; readonly texts: readonly string[] }[] {
  return []
}
