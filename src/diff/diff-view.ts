/** The differences between two states of a view, a materialized view or a dictionary. */
import type { Dictionary, MaterializedView, Refresh, Storage, Table, View } from '../model/definition.js'
import { sameDictionaryClause, sameExpression, sameQuery } from '../model/meaning.js'
import type { MaterializedViewAttribute } from './change.js'
import { diffTable } from './diff-table.js'
import { equalComments, equalKeys, equalSettings, equalTexts, equalViewColumns } from './equal.js'

type Security = Pick<View, 'definer' | 'sqlSecurity'>

/** DEFINER counts only where the desired side speaks of it: the server fills it in by itself. */
function definerDiffers(from: Security, to: Security): boolean {
  return to.definer !== undefined && to.definer !== 'CURRENT_USER' && from.definer !== to.definer
}

/** A view without SQL SECURITY is one with INVOKER. */
function viewSecurityDiffers(from: Security, to: Security): boolean {
  return definerDiffers(from, to) || (from.sqlSecurity ?? 'INVOKER') !== (to.sqlSecurity ?? 'INVOKER')
}

/** Where nothing is declared a refreshable view gets DEFINER by itself, others by a setting of the server; never NONE. */
function materializedSecurityDiffers(from: Security, to: Security): boolean {
  if (definerDiffers(from, to)) return true
  return to.sqlSecurity === undefined ? from.sqlSecurity === 'NONE' : from.sqlSecurity !== to.sqlSecurity
}

/** True when a view must be replaced. A column list counts only when `to` declares one; its comments go without it. */
export function viewDiffers(from: View, to: View): boolean {
  return (
    from !== to &&
    (!sameQuery(from.query, to.query) ||
      !equalComments(from.comment, to.comment) ||
      (to.columns !== undefined
        ? !equalViewColumns(from.columns, to.columns)
        : from.columns?.some(({ comment }) => comment !== undefined) === true) ||
      viewSecurityDiffers(from, to))
  )
}

/** What differs between two materialized views; empty when nothing does. */
export function materializedViewDifferences(
  from: MaterializedView,
  to: MaterializedView,
  options: { readonly live?: boolean } = {},
): MaterializedViewAttribute[] {
  if (from === to) return []
  const attributes: MaterializedViewAttribute[] = []
  if (!sameQuery(from.query, to.query)) attributes.push('query')
  if (to.columns !== undefined && !equalViewColumns(from.columns, to.columns)) attributes.push('columns')
  if (from.to?.database !== to.to?.database || from.to?.name !== to.to?.name) attributes.push('to')
  if (!equalInner(from, to, options)) attributes.push('inner')
  if ((from.refresh === undefined) !== (to.refresh === undefined)) attributes.push('append')
  else if (from.refresh !== undefined && to.refresh !== undefined) {
    if ((from.refresh.append ?? false) !== (to.refresh.append ?? false)) attributes.push('append')
    else if (!equalRefresh(from.refresh, to.refresh)) attributes.push('refresh')
  }
  if (!equalComments(from.comment, to.comment)) attributes.push('comment')
  if (materializedSecurityDiffers(from, to)) attributes.push('security')
  return attributes
}

/** An inner table is compared as a table is, by the same rules. */
function equalInner(from: MaterializedView, to: MaterializedView, options: { readonly live?: boolean }): boolean {
  if (from.inner === to.inner && from.indexes === to.indexes && from.projections === to.projections) return true
  if (from.inner === undefined || to.inner === undefined) return from.inner === to.inner
  // The server leaves them out of a view's text once it was altered; its inner table keeps them (seen on 26.7).
  const isAltered = options.live && !from.indexes && !from.projections && !from.constraints
  const asTable = (view: MaterializedView, storage: Storage): Table => ({
    ...storage,
    kind: 'table',
    database: '',
    name: '',
    columns: [],
    ...(view.indexes && { indexes: view.indexes }),
    ...(view.projections && { projections: view.projections }),
    ...(view.constraints && { constraints: view.constraints }),
  })
  return diffTable(asTable(isAltered ? to : from, from.inner), asTable(to, to.inner), options).length === 0
}

function equalRefresh(from: Refresh, to: Refresh): boolean {
  const names = (refresh: Refresh) =>
    (refresh.dependsOn ?? []).map(({ database, name }) => JSON.stringify([database, name])).sort()
  return (
    from.schedule === to.schedule &&
    from.offset === to.offset &&
    from.randomize === to.randomize &&
    equalTexts(names(from), names(to)) &&
    equalSettings(from.settings, to.settings)
  )
}

/** True when a dictionary differs in anything but its comment. */
export function dictionaryStructureDiffers(from: Dictionary, to: Dictionary): boolean {
  return (
    !sameDictionaryClause(from.source, to.source, 'SOURCE') ||
    !sameDictionaryClause(from.layout, to.layout, 'LAYOUT') ||
    from.lifetime !== to.lifetime ||
    !equalKeys(from.primaryKey, to.primaryKey) ||
    from.range?.min !== to.range?.min ||
    from.range?.max !== to.range?.max ||
    !equalSettings(from.settings, to.settings) ||
    from.attributes.length !== to.attributes.length ||
    from.attributes.some((attribute, index) => {
      const other = to.attributes[index]!
      return (
        attribute.name !== other.name ||
        attribute.type !== other.type ||
        attribute.default !== other.default ||
        !sameExpression(attribute.expression, other.expression) ||
        (attribute.hierarchical ?? false) !== (other.hierarchical ?? false) ||
        (attribute.bidirectional ?? false) !== (other.bidirectional ?? false) ||
        (attribute.injective ?? false) !== (other.injective ?? false) ||
        (attribute.isObjectId ?? false) !== (other.isObjectId ?? false)
      )
    })
  )
}

export function dictionaryDiffers(from: Dictionary, to: Dictionary): boolean {
  return from !== to && (dictionaryStructureDiffers(from, to) || !equalComments(from.comment, to.comment))
}
