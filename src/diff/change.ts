import type {
  AccessObject,
  Column,
  Constraint,
  Database,
  Dictionary,
  Engine,
  MaterializedView,
  Projection,
  QualifiedName,
  RawObject,
  SkippingIndex,
  SqlFunction,
  SqlText,
  Table,
  View,
} from '../model/definition.js'

/** What of a column differs. Names are those of `changedColumns[].attribute` in drift payloads. */
export type ColumnAttribute = 'type' | 'default' | 'codec' | 'ttl' | 'settings' | 'statistics' | 'comment' | 'position'

/** What of a materialized view differs. */
export type MaterializedViewAttribute =
  | 'query'
  | 'columns'
  | 'to'
  | 'inner'
  | 'refresh'
  | 'append'
  | 'comment'
  | 'security'

/** Where a column, an index or a projection stands: after the named one, or first. Undefined is last, or where it was. */
export type Position = { readonly after: string } | 'first'

/**
 * One difference between two models, as a value. It carries both sides, never a ready string; `plan` decides whether
 * and how the server can do it, `render` alone spells it. `table` always names the table as it is called after the
 * renames of the same plan.
 */
export type Change =
  | { readonly kind: 'createDatabase'; readonly database: Database }
  | { readonly kind: 'dropDatabase'; readonly database: Database }
  | { readonly kind: 'modifyDatabase'; readonly from: Database; readonly to: Database }
  | { readonly kind: 'createTable'; readonly table: Table }
  | { readonly kind: 'dropTable'; readonly table: Table; readonly hasDependents?: boolean }
  | {
      readonly kind: 'renameTable'
      readonly from: QualifiedName
      readonly to: QualifiedName
      readonly table: Table
      /** Set by `plan`: the server must be told not to mind the dictionaries that read it. */
      readonly hasDependents?: boolean
    }
  /** Drop and create: only where `--allow-recreate` was given. */
  | {
      readonly kind: 'recreateTable'
      readonly from: Table
      readonly to: Table
      readonly reasons: readonly string[]
      readonly hasDependents?: boolean
    }
  | { readonly kind: 'addColumn'; readonly table: Table; readonly column: Column; readonly position?: Position }
  | { readonly kind: 'dropColumn'; readonly table: Table; readonly column: Column }
  | { readonly kind: 'renameColumn'; readonly table: Table; readonly from: string; readonly to: string }
  | {
      readonly kind: 'modifyColumn'
      readonly table: Table
      readonly from: Column
      readonly to: Column
      readonly attributes: readonly ColumnAttribute[]
      readonly position?: Position
    }
  | { readonly kind: 'modifyEngine'; readonly table: Table; readonly from: Engine; readonly to: Engine }
  | {
      readonly kind: 'modifySortingKey'
      readonly table: Table
      readonly from: readonly SqlText[] | undefined
      readonly to: readonly SqlText[] | undefined
    }
  | {
      readonly kind: 'modifyPrimaryKey'
      readonly table: Table
      readonly from: readonly SqlText[] | undefined
      readonly to: readonly SqlText[] | undefined
    }
  | {
      readonly kind: 'modifyPartitionKey'
      readonly table: Table
      readonly from: readonly SqlText[] | undefined
      readonly to: readonly SqlText[] | undefined
    }
  | {
      readonly kind: 'modifyUniqueKey'
      readonly table: Table
      readonly from: readonly SqlText[] | undefined
      readonly to: readonly SqlText[] | undefined
    }
  | {
      readonly kind: 'modifySamplingKey'
      readonly table: Table
      readonly from: SqlText | undefined
      readonly to: SqlText | undefined
    }
  | {
      readonly kind: 'modifyTableTtl'
      readonly table: Table
      readonly from: readonly SqlText[] | undefined
      readonly to: readonly SqlText[] | undefined
    }
  | {
      readonly kind: 'modifyTableSetting'
      readonly table: Table
      readonly name: string
      readonly from: SqlText | undefined
      readonly to: SqlText | undefined
    }
  | { readonly kind: 'modifyTableComment'; readonly table: Table; readonly from: string; readonly to: string }
  | { readonly kind: 'addIndex'; readonly table: Table; readonly index: SkippingIndex; readonly position?: Position }
  | { readonly kind: 'dropIndex'; readonly table: Table; readonly index: SkippingIndex }
  | {
      readonly kind: 'modifyIndex'
      readonly table: Table
      readonly from: SkippingIndex
      readonly to: SkippingIndex
      readonly position?: Position
    }
  | {
      readonly kind: 'addProjection'
      readonly table: Table
      readonly projection: Projection
      readonly position?: Position
    }
  | { readonly kind: 'dropProjection'; readonly table: Table; readonly projection: Projection }
  | {
      readonly kind: 'modifyProjection'
      readonly table: Table
      readonly from: Projection
      readonly to: Projection
      readonly position?: Position
    }
  | { readonly kind: 'addConstraint'; readonly table: Table; readonly constraint: Constraint }
  | { readonly kind: 'dropConstraint'; readonly table: Table; readonly constraint: Constraint }
  | { readonly kind: 'modifyConstraint'; readonly table: Table; readonly from: Constraint; readonly to: Constraint }
  | { readonly kind: 'createView'; readonly view: View }
  | { readonly kind: 'dropView'; readonly view: View; readonly hasDependents?: boolean }
  | { readonly kind: 'modifyView'; readonly from: View; readonly to: View }
  | {
      readonly kind: 'renameView'
      readonly from: QualifiedName
      readonly to: QualifiedName
      readonly view: View
      readonly hasDependents?: boolean
    }
  | { readonly kind: 'createMaterializedView'; readonly view: MaterializedView }
  | { readonly kind: 'dropMaterializedView'; readonly view: MaterializedView; readonly hasDependents?: boolean }
  /** In place, by ALTER: only what `attributes` lists differs or is restated. */
  | {
      readonly kind: 'modifyMaterializedView'
      readonly from: MaterializedView
      readonly to: MaterializedView
      readonly attributes: readonly MaterializedViewAttribute[]
    }
  /** CREATE OR REPLACE of a view with a target table, whose rows stay. Made by `plan`. */
  | { readonly kind: 'replaceMaterializedView'; readonly from: MaterializedView; readonly to: MaterializedView }
  /** Drop and create; rows of an inner table are lost. Made by `plan`. */
  | {
      readonly kind: 'recreateMaterializedView'
      readonly from: MaterializedView
      readonly to: MaterializedView
      readonly reasons: readonly string[]
      readonly hasDependents?: boolean
    }
  | {
      readonly kind: 'renameMaterializedView'
      readonly from: QualifiedName
      readonly to: QualifiedName
      readonly view: MaterializedView
      readonly hasDependents?: boolean
    }
  | { readonly kind: 'createDictionary'; readonly dictionary: Dictionary }
  | { readonly kind: 'dropDictionary'; readonly dictionary: Dictionary; readonly hasDependents?: boolean }
  | { readonly kind: 'modifyDictionary'; readonly from: Dictionary; readonly to: Dictionary }
  | {
      readonly kind: 'renameDictionary'
      readonly from: QualifiedName
      readonly to: QualifiedName
      readonly dictionary: Dictionary
      readonly hasDependents?: boolean
    }
  | { readonly kind: 'createFunction'; readonly function: SqlFunction }
  | { readonly kind: 'dropFunction'; readonly function: SqlFunction }
  | { readonly kind: 'modifyFunction'; readonly from: SqlFunction; readonly to: SqlFunction }
  | { readonly kind: 'createAccess'; readonly object: AccessObject }
  | { readonly kind: 'dropAccess'; readonly object: AccessObject }
  | { readonly kind: 'modifyAccess'; readonly from: AccessObject; readonly to: AccessObject }
  | { readonly kind: 'createRaw'; readonly object: RawObject }
  | { readonly kind: 'dropRaw'; readonly object: RawObject }
  | { readonly kind: 'modifyRaw'; readonly from: RawObject; readonly to: RawObject }
