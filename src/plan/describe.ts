/** Names of steps for payloads, migration comments and messages. */
import type { Change } from '../diff/change.js'
import { assertNever } from '../errors.js'
import { type Definition, objectKey, type QualifiedName, type Table } from '../model/definition.js'

const member = (table: Table, kind: string, name: string) => `${objectKey(table)}:${kind}:${name}`
/** `kind:db.name` of a name that no definition stands behind. */
export const keyOf = (kind: Definition['kind'], name: QualifiedName) => `${kind}:${name.database}.${name.name}`

/** The stable type of a step and the key of what it touches. */
export function nameChange(change: Change): { readonly type: string; readonly key: string } {
  switch (change.kind) {
    case 'createDatabase':
      return { type: 'create_database', key: objectKey(change.database) }
    case 'dropDatabase':
      return { type: 'drop_database', key: objectKey(change.database) }
    case 'modifyDatabase':
      return { type: 'alter_database_modify_comment', key: objectKey(change.to) }
    case 'createTable':
      return { type: 'create_table', key: objectKey(change.table) }
    case 'dropTable':
      return { type: 'drop_table', key: objectKey(change.table) }
    case 'renameTable':
      return { type: 'rename_table', key: objectKey(change.table) }
    case 'recreateTable':
      return { type: 'recreate_table', key: objectKey(change.to) }
    case 'addColumn':
      return { type: 'alter_table_add_column', key: member(change.table, 'column', change.column.name) }
    case 'dropColumn':
      return { type: 'alter_table_drop_column', key: member(change.table, 'column', change.column.name) }
    case 'renameColumn':
      return { type: 'alter_table_rename_column', key: member(change.table, 'column', change.to) }
    case 'modifyColumn':
      return { type: 'alter_table_modify_column', key: member(change.table, 'column', change.to.name) }
    case 'modifyEngine':
      return { type: 'alter_table_modify_engine', key: objectKey(change.table) }
    case 'modifySortingKey':
      return { type: 'alter_table_modify_order_by', key: objectKey(change.table) }
    case 'modifyPrimaryKey':
      return { type: 'alter_table_modify_primary_key', key: objectKey(change.table) }
    case 'modifyPartitionKey':
      return { type: 'alter_table_modify_partition_by', key: objectKey(change.table) }
    case 'modifyUniqueKey':
      return { type: 'alter_table_modify_unique_key', key: objectKey(change.table) }
    case 'modifySamplingKey':
      return { type: 'alter_table_modify_sample_by', key: objectKey(change.table) }
    case 'modifyTableTtl':
      return { type: 'alter_table_modify_ttl', key: objectKey(change.table) }
    case 'modifyTableSetting':
      return {
        type: change.to === undefined ? 'alter_table_reset_setting' : 'alter_table_modify_setting',
        key: member(change.table, 'setting', change.name),
      }
    case 'modifyTableComment':
      return { type: 'alter_table_modify_comment', key: objectKey(change.table) }
    case 'addIndex':
      return { type: 'alter_table_add_index', key: member(change.table, 'index', change.index.name) }
    case 'dropIndex':
      return { type: 'alter_table_drop_index', key: member(change.table, 'index', change.index.name) }
    case 'modifyIndex':
      return { type: 'alter_table_modify_index', key: member(change.table, 'index', change.to.name) }
    case 'addProjection':
      return { type: 'alter_table_add_projection', key: member(change.table, 'projection', change.projection.name) }
    case 'dropProjection':
      return { type: 'alter_table_drop_projection', key: member(change.table, 'projection', change.projection.name) }
    case 'modifyProjection':
      return { type: 'alter_table_modify_projection', key: member(change.table, 'projection', change.to.name) }
    case 'addConstraint':
      return { type: 'alter_table_add_constraint', key: member(change.table, 'constraint', change.constraint.name) }
    case 'dropConstraint':
      return { type: 'alter_table_drop_constraint', key: member(change.table, 'constraint', change.constraint.name) }
    case 'modifyConstraint':
      return { type: 'alter_table_modify_constraint', key: member(change.table, 'constraint', change.to.name) }
    case 'createView':
      return { type: 'create_view', key: objectKey(change.view) }
    case 'dropView':
      return { type: 'drop_view', key: objectKey(change.view) }
    case 'modifyView':
      return { type: 'replace_view', key: objectKey(change.to) }
    case 'renameView':
      return { type: 'rename_view', key: objectKey(change.view) }
    case 'createMaterializedView':
      return { type: 'create_materialized_view', key: objectKey(change.view) }
    case 'dropMaterializedView':
      return { type: 'drop_materialized_view', key: objectKey(change.view) }
    case 'modifyMaterializedView':
      return { type: 'alter_materialized_view', key: objectKey(change.to) }
    case 'replaceMaterializedView':
      return { type: 'replace_materialized_view', key: objectKey(change.to) }
    case 'recreateMaterializedView':
      return { type: 'recreate_materialized_view', key: objectKey(change.to) }
    case 'renameMaterializedView':
      return { type: 'rename_materialized_view', key: objectKey(change.view) }
    case 'createDictionary':
      return { type: 'create_dictionary', key: objectKey(change.dictionary) }
    case 'dropDictionary':
      return { type: 'drop_dictionary', key: objectKey(change.dictionary) }
    case 'modifyDictionary':
      return { type: 'replace_dictionary', key: objectKey(change.to) }
    case 'renameDictionary':
      return { type: 'rename_dictionary', key: objectKey(change.dictionary) }
    case 'createFunction':
      return { type: 'create_function', key: objectKey(change.function) }
    case 'dropFunction':
      return { type: 'drop_function', key: objectKey(change.function) }
    case 'modifyFunction':
      return { type: 'replace_function', key: objectKey(change.to) }
    case 'createAccess':
      return { type: `create_${change.object.kind}`, key: objectKey(change.object) }
    case 'dropAccess':
      return { type: `drop_${change.object.kind}`, key: objectKey(change.object) }
    case 'modifyAccess':
      return { type: `alter_${change.to.kind}`, key: objectKey(change.to) }
    case 'createRaw':
      return { type: 'create_raw', key: objectKey(change.object) }
    case 'dropRaw':
      return { type: 'drop_raw', key: objectKey(change.object) }
    case 'modifyRaw':
      return { type: 'modify_raw', key: objectKey(change.to) }
    default:
      return assertNever(change, 'change')
  }
}

/** `kind:db.name` of the object that a change belongs to, as it is called after the plan. */
export function objectOf(change: Change): string {
  if ('table' in change) return objectKey(change.table)
  return nameChange(change).key
}

/** The change that undoes this one's structure; rows that were lost do not come back. Undefined where there is none. */
export function reverseOf(change: Change): Change | undefined {
  switch (change.kind) {
    case 'createDatabase':
      return { kind: 'dropDatabase', database: change.database }
    case 'dropDatabase':
      return { kind: 'createDatabase', database: change.database }
    case 'createTable':
      return { kind: 'dropTable', table: change.table }
    case 'dropTable':
      return { kind: 'createTable', table: change.table }
    case 'addColumn':
      return { kind: 'dropColumn', table: change.table, column: change.column }
    case 'dropColumn':
      return { kind: 'addColumn', table: change.table, column: change.column }
    case 'renameColumn':
      return { ...change, from: change.to, to: change.from }
    case 'modifyColumn': {
      const { position: _, ...rest } = change
      return {
        ...rest,
        from: change.to,
        to: change.from,
        attributes: change.attributes.filter((a) => a !== 'position'),
      }
    }
    case 'addIndex':
      return { kind: 'dropIndex', table: change.table, index: change.index }
    case 'dropIndex':
      return { kind: 'addIndex', table: change.table, index: change.index }
    case 'addProjection':
      return { kind: 'dropProjection', table: change.table, projection: change.projection }
    case 'dropProjection':
      return { kind: 'addProjection', table: change.table, projection: change.projection }
    case 'addConstraint':
      return { kind: 'dropConstraint', table: change.table, constraint: change.constraint }
    case 'dropConstraint':
      return { kind: 'addConstraint', table: change.table, constraint: change.constraint }
    case 'createView':
      return { kind: 'dropView', view: change.view }
    case 'dropView':
      return { kind: 'createView', view: change.view }
    case 'createMaterializedView':
      return { kind: 'dropMaterializedView', view: change.view }
    case 'dropMaterializedView':
      return { kind: 'createMaterializedView', view: change.view }
    case 'createDictionary':
      return { kind: 'dropDictionary', dictionary: change.dictionary }
    case 'dropDictionary':
      return { kind: 'createDictionary', dictionary: change.dictionary }
    case 'createFunction':
      return { kind: 'dropFunction', function: change.function }
    case 'dropFunction':
      return { kind: 'createFunction', function: change.function }
    case 'createAccess':
      return { kind: 'dropAccess', object: change.object }
    case 'dropAccess':
      return { kind: 'createAccess', object: change.object }
    case 'createRaw':
      return { kind: 'dropRaw', object: change.object }
    case 'dropRaw':
      return { kind: 'createRaw', object: change.object }
    case 'renameTable':
      return { ...change, from: change.to, to: change.from, table: { ...change.table, ...change.from } }
    case 'renameView':
      return { ...change, from: change.to, to: change.from, view: { ...change.view, ...change.from } }
    case 'renameMaterializedView':
      return { ...change, from: change.to, to: change.from, view: { ...change.view, ...change.from } }
    case 'renameDictionary':
      return { ...change, from: change.to, to: change.from, dictionary: { ...change.dictionary, ...change.from } }
    case 'modifyEngine':
    case 'modifyPrimaryKey':
    case 'modifyPartitionKey':
    case 'modifyUniqueKey':
      return undefined
    case 'recreateTable':
    case 'recreateMaterializedView':
      return { ...change, from: change.to, to: change.from } as Change
    case 'modifyDatabase':
    case 'modifySortingKey':
    case 'modifySamplingKey':
    case 'modifyTableTtl':
    case 'modifyTableSetting':
    case 'modifyTableComment':
    case 'modifyIndex':
    case 'modifyProjection':
    case 'modifyConstraint':
    case 'modifyView':
    case 'modifyMaterializedView':
    case 'replaceMaterializedView':
    case 'modifyDictionary':
    case 'modifyFunction':
    case 'modifyAccess':
    case 'modifyRaw':
      return { ...change, from: change.to, to: change.from } as Change
    default:
      return assertNever(change, 'change')
  }
}
