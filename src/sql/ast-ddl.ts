import type {
  Expression,
  FunctionCall,
  Identifier,
  IdentifierPart,
  Literal,
  Query,
  QueryParameter,
  Setting,
  TypeNode,
  Unparsed,
} from './ast.js'

/**
 * The syntax tree of statements: DDL, DML and administration. Like `ast.ts` it is plain data without positions and
 * keeps what the server's parser keeps (26.7). Lists keep the order of the text.
 */

/** `database.name`, unquoted; a part is a parameter where the text had `{x:Identifier}`. */
export interface ObjectName {
  readonly database?: IdentifierPart
  readonly name: IdentifierPart
}

/** What may follow most statements: `INTO OUTFILE .. FORMAT .. SETTINGS ..`. */
export interface OutputClause {
  readonly outfile?: string
  readonly format?: string
  readonly settings?: readonly Setting[]
}

/** Fields that every statement may carry. */
export interface StatementBase {
  readonly output?: OutputClause
}

/** A column as CREATE and ALTER declare it; clauses in the order in which the server takes and prints them. */
export interface ColumnDeclaration {
  /** Unquoted; in ALTER a compound name is joined by dots. */
  readonly name: string
  readonly type?: TypeNode
  readonly nullability?: 'NULL' | 'NOT NULL'
  readonly default?: {
    readonly kind: 'DEFAULT' | 'MATERIALIZED' | 'EPHEMERAL' | 'ALIAS'
    /** Absent only for EPHEMERAL. */
    readonly expression?: Expression
  }
  readonly comment?: string
  readonly codec?: readonly FunctionCall[]
  readonly statistics?: readonly FunctionCall[]
  readonly ttl?: Expression
  readonly collation?: string
  readonly settings?: readonly Setting[]
}

/** `INDEX name expression TYPE type GRANULARITY n`. */
export interface IndexDeclaration {
  readonly name: string
  readonly expression: Expression
  readonly type?: FunctionCall
  /** Rows of granules per index mark, as text; the server fills in 1, or 100000000 for whole-part indexes. */
  readonly granularity: string
}

/** The brackets of a projection: `SELECT` without FROM. */
export interface ProjectionQuery {
  readonly with?: readonly Expression[]
  readonly columns: readonly Expression[]
  readonly where?: Expression
  readonly groupBy?: readonly Expression[]
  readonly orderBy?: Expression
}

/** `PROJECTION name (SELECT ..)` or `PROJECTION name INDEX expression TYPE type`. */
export interface ProjectionDeclaration {
  readonly name: string
  readonly query?: ProjectionQuery
  readonly index?: { readonly expression: Expression; readonly type: FunctionCall }
  readonly settings?: readonly Setting[]
}

/** `CONSTRAINT name CHECK expression` or ASSUME. */
export interface ConstraintDeclaration {
  readonly name: string
  readonly kind: 'CHECK' | 'ASSUME'
  readonly expression: Expression
}

/** What stands in the brackets after a table's name. */
export interface TableElements {
  readonly columns: readonly ColumnDeclaration[]
  readonly indexes: readonly IndexDeclaration[]
  readonly constraints: readonly ConstraintDeclaration[]
  readonly projections: readonly ProjectionDeclaration[]
}

/** `column = expression` in UPDATE and in `TTL .. SET`. */
export interface Assignment {
  readonly column: Identifier
  readonly expression: Expression
}

/** One rule of a table TTL. */
export interface TtlRule {
  readonly expression: Expression
  readonly action:
    | { readonly kind: 'delete'; readonly where?: Expression }
    | { readonly kind: 'move'; readonly to: 'DISK' | 'VOLUME'; readonly name: string; readonly ifExists?: true }
    | { readonly kind: 'groupBy'; readonly by: readonly Expression[]; readonly set: readonly Assignment[] }
    | { readonly kind: 'recompress'; readonly codec: readonly FunctionCall[] }
}

/** ENGINE and the clauses after it. */
export interface StorageDefinition {
  readonly engine?: FunctionCall
  readonly partitionBy?: Expression
  readonly primaryKey?: Expression
  readonly orderBy?: Expression
  readonly sampleBy?: Expression
  readonly uniqueKey?: Expression
  readonly ttl?: readonly TtlRule[]
  readonly settings?: readonly Setting[]
}

/** `DEFINER = user` and `SQL SECURITY kind`. */
export interface SqlSecurity {
  readonly definer?: { readonly kind: 'currentUser' } | { readonly kind: 'user'; readonly name: string }
  readonly security?: 'DEFINER' | 'INVOKER' | 'NONE'
}

/** A user, as `name` or `name@host`; both unquoted. */
export interface UserName {
  readonly name: string | QueryParameter
  readonly host?: string
  /** It stood in single quotes, which CREATE and ALTER USER keep. */
  readonly literal?: true
}

/** Where a TimeSeries table keeps a part of its data: in a table of its own, or in an inner table. */
export interface InnerTarget {
  readonly role: 'SAMPLES' | 'TAGS' | 'METRICS'
  readonly table?: ObjectName
  readonly innerUuid?: string
  readonly innerColumns?: readonly ColumnDeclaration[]
  readonly innerEngine?: StorageDefinition
}

/** CREATE, ATTACH or REPLACE TABLE. */
export interface CreateTable extends StatementBase {
  readonly kind: 'createTable'
  readonly action: 'CREATE' | 'ATTACH' | 'REPLACE'
  readonly orReplace?: true
  readonly temporary?: true
  readonly ifNotExists?: true
  readonly name: ObjectName
  readonly uuid?: string
  readonly cluster?: string
  /** `ATTACH TABLE t FROM 'path'`. */
  readonly fromPath?: string
  readonly elements?: TableElements
  readonly storage?: StorageDefinition
  readonly targets?: readonly InnerTarget[]
  readonly comment?: string
  /** `AS table`, or `CLONE AS table` with `clone`. */
  readonly asTable?: ObjectName
  readonly clone?: true
  readonly asFunction?: FunctionCall
  readonly empty?: true
  readonly asSelect?: Query
  /** `ATTACH TABLE t AS [NOT] REPLICATED`. */
  readonly attachAs?: 'REPLICATED' | 'NOT REPLICATED'
}

/** A refresh or window interval: amounts as whole numbers of the unit, largest unit first, none zero but a lone `0 SECOND`. */
export type TimeInterval = readonly { readonly amount: number; readonly unit: TimeUnit }[]

/** Units as the server prints them. */
export type TimeUnit = 'YEAR' | 'MONTH' | 'WEEK' | 'DAY' | 'HOUR' | 'MINUTE' | 'SECOND'

/** The schedule of a refreshable materialized view. */
export interface RefreshStrategy {
  /** Absent for a view that only follows its dependencies. */
  readonly schedule?: { readonly kind: 'EVERY' | 'AFTER'; readonly interval: TimeInterval }
  readonly offset?: TimeInterval
  readonly randomize?: TimeInterval
  readonly dependsOn?: readonly ObjectName[]
  readonly settings?: readonly Setting[]
  readonly append?: true
}

/** CREATE or ATTACH VIEW, MATERIALIZED VIEW, WINDOW VIEW. */
export interface CreateView extends StatementBase {
  readonly kind: 'createView'
  readonly action: 'CREATE' | 'ATTACH'
  readonly view: 'VIEW' | 'MATERIALIZED VIEW' | 'WINDOW VIEW'
  readonly orReplace?: true
  readonly temporary?: true
  readonly ifNotExists?: true
  readonly name: ObjectName
  readonly uuid?: string
  readonly cluster?: string
  readonly refresh?: RefreshStrategy
  readonly to?: ObjectName
  readonly toInnerUuid?: string
  readonly elements?: TableElements
  /** `CREATE VIEW v (a, b)`: names without types. */
  readonly columnAliases?: readonly string[]
  readonly storage?: StorageDefinition
  /** The engine of a window view's inner table. */
  readonly innerStorage?: StorageDefinition
  readonly watermark?: Expression | 'ASCENDING' | 'STRICTLY_ASCENDING'
  readonly allowedLateness?: Expression
  readonly populate?: true
  readonly empty?: true
  readonly sqlSecurity?: SqlSecurity
  readonly comment?: string
  readonly query: Query
}

/** A column of a dictionary. */
export interface DictionaryAttribute {
  readonly name: string
  readonly type: TypeNode
  readonly default?: Literal
  readonly expression?: Expression
  readonly hierarchical?: true
  readonly bidirectional?: true
  readonly injective?: true
  readonly isObjectId?: true
}

/** `KEY value` in a dictionary's source or layout; keys upper-case as the server prints them. */
export interface DictionaryPair {
  readonly key: string
  readonly value: Literal | Identifier | FunctionCall | readonly DictionaryPair[]
}

/** `name(pairs)` in SOURCE or LAYOUT; `pairs` is absent without brackets. */
export interface DictionaryFunction {
  readonly name: string
  readonly pairs?: readonly DictionaryPair[]
}

/** CREATE, REPLACE or ATTACH DICTIONARY. */
export interface CreateDictionary extends StatementBase {
  readonly kind: 'createDictionary'
  readonly action: 'CREATE' | 'ATTACH' | 'REPLACE'
  readonly orReplace?: true
  readonly ifNotExists?: true
  readonly name: ObjectName
  readonly uuid?: string
  readonly cluster?: string
  readonly attributes?: readonly DictionaryAttribute[]
  readonly primaryKey?: readonly Expression[]
  readonly source?: DictionaryFunction
  readonly lifetime?: { readonly min: string; readonly max: string }
  readonly layout?: DictionaryFunction
  readonly range?: { readonly min: string; readonly max: string }
  readonly settings?: readonly Setting[]
  readonly comment?: string
}

/** CREATE or ATTACH DATABASE. */
export interface CreateDatabase extends StatementBase {
  readonly kind: 'createDatabase'
  readonly action: 'CREATE' | 'ATTACH'
  readonly ifNotExists?: true
  readonly name: IdentifierPart
  readonly uuid?: string
  readonly cluster?: string
  readonly engine?: FunctionCall
  readonly settings?: readonly Setting[]
  readonly overrides?: readonly TableOverride[]
  readonly comment?: string
}

/** `TABLE OVERRIDE t (COLUMNS (..) PARTITION BY ..)` of a replicating database. */
export interface TableOverride {
  readonly table: string
  readonly columns?: TableElements
  readonly storage?: StorageDefinition
}

/** CREATE FUNCTION name AS lambda. */
export interface CreateFunction extends StatementBase {
  readonly kind: 'createFunction'
  readonly orReplace?: true
  readonly ifNotExists?: true
  readonly name: string
  readonly cluster?: string
  readonly body: Expression
}

/** `key = value [[NOT] OVERRIDABLE]`. */
export interface CollectionEntry {
  readonly setting: Setting
  readonly overridable?: boolean
}

/** CREATE NAMED COLLECTION. */
export interface CreateNamedCollection extends StatementBase {
  readonly kind: 'createNamedCollection'
  readonly ifNotExists?: true
  readonly name: string
  readonly cluster?: string
  readonly entries: readonly CollectionEntry[]
}

/** ALTER NAMED COLLECTION. */
export interface AlterNamedCollection extends StatementBase {
  readonly kind: 'alterNamedCollection'
  readonly ifExists?: true
  readonly name: string
  readonly cluster?: string
  readonly set: readonly CollectionEntry[]
  readonly delete: readonly string[]
}

/** CREATE WORKLOAD. */
export interface CreateWorkload extends StatementBase {
  readonly kind: 'createWorkload'
  readonly orReplace?: true
  readonly ifNotExists?: true
  readonly name: string
  readonly cluster?: string
  readonly parent?: string
  readonly settings?: readonly { readonly setting: Setting; readonly resource?: string }[]
}

/** CREATE RESOURCE; `operations` are upper-case phrases with the disk where one is named. */
export interface CreateResource extends StatementBase {
  readonly kind: 'createResource'
  readonly orReplace?: true
  readonly ifNotExists?: true
  readonly name: string
  readonly cluster?: string
  readonly operations: readonly { readonly phrase: string; readonly disk?: string }[]
}

/** CREATE [UNIQUE | HYPOTHETICAL] INDEX name ON table. */
export interface CreateIndex extends StatementBase {
  readonly kind: 'createIndex'
  readonly unique?: true
  readonly hypothetical?: true
  readonly ifNotExists?: true
  readonly index: IndexDeclaration
  readonly table: ObjectName
  readonly cluster?: string
}

/** DROP [HYPOTHETICAL] INDEX name ON table. */
export interface DropIndex extends StatementBase {
  readonly kind: 'dropIndex'
  readonly hypothetical?: true
  readonly ifExists?: true
  readonly name: string
  readonly table: ObjectName
  readonly cluster?: string
}

/** DROP, DETACH or TRUNCATE of tables, views, dictionaries and databases. */
export interface DropStatement extends StatementBase {
  readonly kind: 'drop'
  readonly action: 'DROP' | 'DETACH' | 'TRUNCATE'
  readonly object: 'TABLE' | 'VIEW' | 'DICTIONARY' | 'DATABASE'
  readonly temporary?: true
  readonly ifExists?: true
  readonly ifEmpty?: true
  /** Several only for DROP. A database has no `database` part. */
  readonly names: readonly ObjectName[]
  /** `TRUNCATE [ALL] TABLES FROM database [LIKE pattern]`; `names` holds the database. */
  readonly tablesOf?: { readonly all: boolean; readonly like?: LikeClause }
  readonly uuid?: string
  readonly cluster?: string
  readonly permanently?: true
  readonly sync?: true
}

/** `[NOT] LIKE | ILIKE pattern`. */
export interface LikeClause {
  readonly not?: true
  readonly caseInsensitive?: true
  readonly pattern: string
}

/** DROP of an object that lives outside databases: functions, named collections, workloads, resources. */
export interface DropGlobal extends StatementBase {
  readonly kind: 'dropGlobal'
  readonly object: 'FUNCTION' | 'NAMED COLLECTION' | 'WORKLOAD' | 'RESOURCE'
  readonly ifExists?: true
  readonly name: string
  readonly cluster?: string
}

/** UNDROP TABLE. */
export interface Undrop extends StatementBase {
  readonly kind: 'undrop'
  readonly name: ObjectName
  readonly uuid?: string
  readonly cluster?: string
}

/** RENAME or EXCHANGE. */
export interface RenameStatement extends StatementBase {
  readonly kind: 'rename'
  readonly object: 'TABLE' | 'DATABASE' | 'DICTIONARY'
  readonly exchange?: true
  readonly pairs: readonly { readonly from: ObjectName; readonly to: ObjectName; readonly ifExists?: true }[]
  readonly cluster?: string
}

/** Which partition, or part, a command speaks of. */
export type Partition =
  | { readonly kind: 'all' }
  | { readonly kind: 'id'; readonly id: Literal | QueryParameter }
  | { readonly kind: 'value'; readonly value: Expression }
  | { readonly kind: 'part'; readonly name: Literal | QueryParameter }

/** FIRST or AFTER. */
export type Position = { readonly kind: 'first' } | { readonly kind: 'after'; readonly after: Identifier }

/** One command of ALTER TABLE or ALTER DATABASE. */
export type AlterCommand =
  | {
      readonly kind: 'addColumn'
      readonly ifNotExists?: true
      readonly column: ColumnDeclaration
      readonly position?: Position
    }
  | { readonly kind: 'dropColumn'; readonly ifExists?: true; readonly column: Identifier }
  | {
      readonly kind: 'clearColumn'
      readonly ifExists?: true
      readonly column: Identifier
      readonly partition?: Partition
    }
  | {
      readonly kind: 'modifyColumn'
      readonly ifExists?: true
      readonly column: ColumnDeclaration
      readonly position?: Position
      readonly change?:
        | { readonly kind: 'remove'; readonly property: ColumnProperty }
        | { readonly kind: 'modifySetting'; readonly settings: readonly Setting[] }
        | { readonly kind: 'resetSetting'; readonly settings: readonly string[] }
        | { readonly kind: 'addEnumValues'; readonly values: readonly Expression[] }
    }
  | {
      readonly kind: 'renameColumn'
      readonly ifExists?: true
      readonly from: Identifier
      readonly to: Identifier
    }
  | {
      readonly kind: 'commentColumn'
      readonly ifExists?: true
      readonly column: Identifier
      readonly comment: string
    }
  | { readonly kind: 'materializeColumn'; readonly column: Identifier; readonly partition?: Partition }
  | {
      readonly kind: 'addIndex'
      readonly ifNotExists?: true
      readonly index: IndexDeclaration
      readonly position?: Position
    }
  | {
      readonly kind: 'addProjection'
      readonly ifNotExists?: true
      readonly projection: ProjectionDeclaration
      readonly position?: Position
    }
  | { readonly kind: 'addConstraint'; readonly ifNotExists?: true; readonly constraint: ConstraintDeclaration }
  | { readonly kind: 'modifyConstraint'; readonly ifExists?: true; readonly constraint: ConstraintDeclaration }
  | {
      readonly kind: 'dropElement'
      readonly element: 'INDEX' | 'PROJECTION' | 'CONSTRAINT'
      readonly ifExists?: true
      readonly name: Identifier
    }
  | {
      readonly kind: 'clearElement' | 'materializeElement'
      readonly element: 'INDEX' | 'PROJECTION'
      readonly ifExists?: true
      readonly name: Identifier
      readonly partition?: Partition
    }
  | {
      readonly kind: 'statistics'
      readonly action: 'ADD' | 'MODIFY' | 'DROP' | 'CLEAR' | 'MATERIALIZE'
      readonly ifExists?: true
      readonly ifNotExists?: true
      /** Absent for ALL. */
      readonly columns?: readonly Identifier[]
      readonly types?: readonly FunctionCall[]
    }
  | { readonly kind: 'modifyOrderBy'; readonly orderBy: Expression }
  | { readonly kind: 'modifySampleBy'; readonly sampleBy: Expression }
  | { readonly kind: 'removeSampleBy' }
  | { readonly kind: 'modifyTtl'; readonly ttl: readonly TtlRule[] }
  | { readonly kind: 'removeTtl' }
  | { readonly kind: 'materializeTtl'; readonly partition?: Partition }
  | { readonly kind: 'modifySetting'; readonly settings: readonly Setting[] }
  | { readonly kind: 'resetSetting'; readonly settings: readonly string[] }
  | { readonly kind: 'modifyQuery'; readonly query: Query }
  | { readonly kind: 'modifyRefresh'; readonly refresh: RefreshStrategy }
  | { readonly kind: 'modifySqlSecurity'; readonly sqlSecurity: SqlSecurity }
  | { readonly kind: 'modifyComment'; readonly comment: string }
  | { readonly kind: 'dropPartition'; readonly detached?: true; readonly partition: Partition }
  | { readonly kind: 'detachPartition'; readonly partition: Partition }
  | { readonly kind: 'attachPartition'; readonly partition: Partition; readonly from?: ObjectName }
  | { readonly kind: 'replacePartition'; readonly partition: Partition; readonly from: ObjectName }
  | {
      readonly kind: 'movePartition'
      readonly partition: Partition
      readonly to:
        | { readonly kind: 'DISK' | 'VOLUME' | 'SHARD'; readonly name: string }
        | { readonly kind: 'TABLE'; readonly table: ObjectName }
    }
  | { readonly kind: 'fetchPartition'; readonly partition: Partition; readonly from: string }
  | { readonly kind: 'freeze'; readonly partition?: Partition; readonly name?: string }
  | { readonly kind: 'unfreeze'; readonly partition?: Partition; readonly name: string }
  | { readonly kind: 'forgetPartition'; readonly partition: Partition }
  | { readonly kind: 'delete'; readonly partition?: Partition; readonly where: Expression }
  | {
      readonly kind: 'update'
      readonly assignments: readonly Assignment[]
      readonly partition?: Partition
      readonly where: Expression
    }
  | {
      readonly kind: 'applyDeletedMask' | 'applyPatches' | 'rewriteParts'
      readonly partition?: Partition
    }
  | { readonly kind: 'unlockSnapshot'; readonly name: string; readonly from?: FunctionCall }
  | Unparsed

/** What `MODIFY COLUMN c REMOVE ..` can remove. */
export type ColumnProperty = 'DEFAULT' | 'MATERIALIZED' | 'ALIAS' | 'COMMENT' | 'CODEC' | 'TTL' | 'SETTINGS'

/** ALTER TABLE or ALTER DATABASE with its commands. */
export interface AlterStatement extends StatementBase {
  readonly kind: 'alter'
  readonly object: 'TABLE' | 'DATABASE'
  readonly temporary?: true
  readonly name: ObjectName
  readonly cluster?: string
  readonly commands: readonly AlterCommand[]
}

/** `INSERT INTO`; `data` is what follows VALUES or FORMAT in the text, verbatim, which the formatter leaves out. */
export interface InsertStatement extends StatementBase {
  readonly kind: 'insert'
  readonly table?: ObjectName
  readonly function?: FunctionCall
  readonly partitionBy?: Expression
  readonly columns?: readonly Expression[]
  readonly infile?: { readonly path: string; readonly compression?: string }
  readonly settings?: readonly Setting[]
  readonly select?: Query
  readonly format?: string
  readonly data?: string
}

/** Lightweight `DELETE FROM`. */
export interface DeleteStatement extends StatementBase {
  readonly kind: 'deleteFrom'
  readonly table: ObjectName
  readonly cluster?: string
  readonly partition?: Partition
  readonly where: Expression
}

/** Lightweight `UPDATE t SET`. */
export interface UpdateStatement extends StatementBase {
  readonly kind: 'updateTable'
  readonly table: ObjectName
  readonly cluster?: string
  readonly assignments: readonly Assignment[]
  readonly partition?: Partition
  readonly where: Expression
}

/** OPTIMIZE TABLE. */
export interface OptimizeStatement extends StatementBase {
  readonly kind: 'optimize'
  readonly table: ObjectName
  readonly cluster?: string
  readonly partition?: Partition
  readonly dryRunParts?: readonly string[]
  readonly final?: true
  readonly deduplicate?: true
  readonly deduplicateBy?: readonly Expression[]
  readonly cleanup?: true
  readonly manifest?: true
}

/** A setting of a user, role or profile with its bounds. */
export interface ProfileElement {
  /** A profile to inherit from; the other fields are absent then. */
  readonly parent?: string
  readonly setting?: string
  readonly value?: Setting['value']
  readonly min?: Setting['value']
  readonly max?: Setting['value']
  readonly writability?: 'CONST' | 'WRITABLE' | 'CHANGEABLE_IN_READONLY'
}

/** Changes of settings in ALTER USER, ROLE and SETTINGS PROFILE. */
export interface ProfileChanges {
  readonly dropAllSettings?: true
  readonly dropAllProfiles?: true
  readonly dropSettings: readonly string[]
  readonly dropProfiles: readonly string[]
  readonly addProfiles: readonly string[]
  readonly addSettings: readonly ProfileElement[]
  readonly modifySettings: readonly ProfileElement[]
}

/** A set of roles or users: `a, b`, `ALL EXCEPT c`, `NONE`, `CURRENT_USER`. */
export interface RoleSet {
  readonly all?: true
  readonly none?: true
  readonly currentUser?: true
  readonly names: readonly UserName[]
  readonly except: readonly UserName[]
  readonly exceptCurrentUser?: true
}

/** One way to log in. Secrets are kept as written. */
export interface AuthenticationMethod {
  /** `sha256_password`, `ldap`, ..; absent for plain `IDENTIFIED BY`. */
  readonly type?: string
  readonly by?: string | QueryParameter
  readonly salt?: string
  readonly server?: string
  readonly scheme?: string
  readonly realm?: string
  readonly names?: { readonly kind: 'CN' | 'SAN'; readonly values: readonly string[] }
  readonly keys?: readonly { readonly key: string; readonly type: string }[]
  readonly validUntil?: string
}

/** Hosts from which a user may connect. */
export interface HostSet {
  readonly any?: true
  readonly none?: true
  readonly local?: true
  readonly ips: readonly string[]
  readonly names: readonly string[]
  readonly regexps: readonly string[]
  readonly likes: readonly string[]
}

/** Name clauses that all access statements share. */
export interface AccessBase extends StatementBase {
  readonly action: 'CREATE' | 'ALTER'
  readonly orReplace?: true
  readonly ifNotExists?: true
  readonly ifExists?: true
  readonly cluster?: string
  readonly storage?: string
  readonly renameTo?: string
}

/** CREATE or ALTER USER. */
export interface UserStatement extends AccessBase {
  readonly kind: 'user'
  readonly names: readonly UserName[]
  readonly authentication?: readonly AuthenticationMethod[]
  /** `ADD IDENTIFIED ..`. */
  readonly addAuthentication?: true
  readonly resetAuthentication?: true
  readonly validUntil?: string
  readonly hosts?: HostSet
  readonly addHosts?: HostSet
  readonly removeHosts?: HostSet
  readonly defaultDatabase?: { readonly name?: string }
  readonly defaultRoles?: RoleSet
  readonly settings?: readonly ProfileElement[]
  readonly settingsChanges?: ProfileChanges
  readonly grantees?: RoleSet
}

/** CREATE or ALTER ROLE. */
export interface RoleStatement extends AccessBase {
  readonly kind: 'role'
  readonly names: readonly UserName[]
  readonly settings?: readonly ProfileElement[]
  readonly settingsChanges?: ProfileChanges
}

/** CREATE or ALTER SETTINGS PROFILE. */
export interface SettingsProfileStatement extends AccessBase {
  readonly kind: 'settingsProfile'
  readonly names: readonly string[]
  readonly settings?: readonly ProfileElement[]
  readonly settingsChanges?: ProfileChanges
  readonly to?: RoleSet
}

/** Policy names with their tables: `p, q ON db.t`; a table without `name` is `db.*`. */
export interface PolicyTarget {
  readonly policies: readonly string[]
  readonly tables: readonly { readonly database?: string; readonly name?: string }[]
}

/** CREATE or ALTER ROW POLICY. */
export interface RowPolicyStatement extends AccessBase {
  readonly kind: 'rowPolicy'
  readonly targets: readonly PolicyTarget[]
  readonly restrictive?: boolean
  /** `'NONE'` removes the condition. */
  readonly using?: Expression | 'NONE'
  readonly to?: RoleSet
}

/** The limits of one interval of a quota. */
export interface QuotaInterval {
  readonly randomized?: true
  readonly amount: string
  /** Lower case, as the server prints it. */
  readonly unit: string
  readonly limits: 'NO LIMITS' | 'TRACKING ONLY' | readonly { readonly name: string; readonly max: string }[]
}

/** CREATE or ALTER QUOTA. */
export interface QuotaStatement extends AccessBase {
  readonly kind: 'quota'
  readonly names: readonly string[]
  /** `[]` for NOT KEYED. */
  readonly keyedBy?: readonly string[]
  readonly intervals: readonly QuotaInterval[]
  readonly to?: RoleSet
}

/** CREATE or ALTER MASKING POLICY. */
export interface MaskingPolicyStatement extends StatementBase {
  readonly kind: 'maskingPolicy'
  readonly action: 'CREATE' | 'ALTER'
  readonly ifNotExists?: true
  readonly ifExists?: true
  readonly name: string
  readonly table: ObjectName
  readonly cluster?: string
  readonly assignments?: readonly Assignment[]
  readonly where?: Expression
  readonly to?: RoleSet
  readonly priority?: string
}

/** DROP of access objects. */
export interface DropAccess extends StatementBase {
  readonly kind: 'dropAccess'
  readonly object: 'USER' | 'ROLE' | 'QUOTA' | 'SETTINGS PROFILE' | 'ROW POLICY' | 'MASKING POLICY'
  readonly ifExists?: true
  readonly names: readonly UserName[]
  readonly targets?: readonly PolicyTarget[]
  readonly cluster?: string
  readonly storage?: string
}

/** MOVE of access objects to another storage. */
export interface MoveAccess extends StatementBase {
  readonly kind: 'moveAccess'
  readonly object: DropAccess['object']
  readonly names: readonly UserName[]
  readonly targets?: readonly PolicyTarget[]
  readonly cluster?: string
  readonly to: string
}

/** Privileges on one thing. */
export interface GrantElement {
  readonly privileges: readonly { readonly name: string; readonly columns?: readonly string[] }[]
  /** After ON, already spelled: `*.*`, `db.*`, `db.t`, `*`, a user, a collection. */
  readonly on: string
}

/** GRANT, REVOKE and CHECK GRANT. */
export interface GrantStatement extends StatementBase {
  readonly kind: 'grant'
  readonly action: 'GRANT' | 'REVOKE' | 'CHECK GRANT'
  readonly cluster?: string
  readonly elements?: readonly GrantElement[]
  readonly currentGrants?: true
  readonly roles?: RoleSet
  readonly optionFor?: 'GRANT' | 'ADMIN'
  readonly grantees?: RoleSet
  readonly grantOption?: true
  readonly adminOption?: true
  readonly replaceOption?: true
}

/** SET ROLE and SET DEFAULT ROLE. */
export interface SetRole extends StatementBase {
  readonly kind: 'setRole'
  readonly default?: true
  /** Absent for SET ROLE DEFAULT. */
  readonly roles?: RoleSet
  readonly to?: RoleSet
}

/** SET name = value. */
export interface SetStatement extends StatementBase {
  readonly kind: 'set'
  readonly settings: readonly Setting[]
}

/** USE database. */
export interface UseStatement extends StatementBase {
  readonly kind: 'use'
  readonly database: IdentifierPart
}

/** KILL QUERY, MUTATION, ... */
export interface KillStatement extends StatementBase {
  readonly kind: 'kill'
  readonly object: 'QUERY' | 'MUTATION' | 'PART_MOVE_TO_SHARD' | 'TRANSACTION'
  readonly cluster?: string
  readonly where: Expression
  readonly mode: 'SYNC' | 'ASYNC' | 'TEST'
}

/** SYSTEM: `command` is the upper-case phrase that the server prints; `tail` what follows it, as the server prints it. */
export interface SystemStatement extends StatementBase {
  readonly kind: 'system'
  readonly command: string
  readonly cluster?: string
  /** The object it acts on, where it names one. */
  readonly target?: ObjectName
  readonly tail?: string
}

/** One thing in BACKUP or RESTORE. */
export interface BackupElement {
  readonly object: 'TABLE' | 'TEMPORARY TABLE' | 'DATABASE' | 'ALL'
  readonly name?: ObjectName
  readonly as?: ObjectName
  readonly partitions?: readonly Partition[]
  readonly exceptDatabases?: readonly string[]
  readonly exceptTables?: readonly ObjectName[]
}

/** BACKUP and RESTORE. */
export interface BackupStatement extends StatementBase {
  readonly kind: 'backup'
  readonly action: 'BACKUP' | 'RESTORE'
  readonly elements: readonly BackupElement[]
  readonly cluster?: string
  readonly place: FunctionCall
  readonly settings?: readonly Setting[]
}

/** Statements that only read: SHOW, DESCRIBE, EXISTS, CHECK; `text` is what the server prints. */
export interface InspectStatement extends StatementBase {
  readonly kind: 'inspect'
  readonly command: 'SHOW' | 'DESCRIBE' | 'EXISTS' | 'CHECK' | 'EXPLAIN'
  readonly text: string
}

/** BEGIN TRANSACTION, COMMIT, ROLLBACK, SET TRANSACTION SNAPSHOT, WATCH: `text` is what the server prints. */
export interface SessionStatement extends StatementBase {
  readonly kind: 'session'
  readonly text: string
}

/** EXPLAIN of a statement that is no query; never executes it. */
export interface ExplainStatement extends StatementBase {
  readonly kind: 'explainStatement'
  /** `EXPLAIN`, `EXPLAIN AST`, .. as the server prints it. */
  readonly mode: string
  readonly settings?: readonly Setting[]
  readonly statement: Statement
}

/** EXECUTE AS user [statement]. */
export interface ExecuteAs extends StatementBase {
  readonly kind: 'executeAs'
  readonly user: string
  readonly statement?: Statement
}

/** Statements joined by PARALLEL WITH; two at least. */
export interface ParallelStatement {
  readonly kind: 'parallel'
  readonly statements: readonly Statement[]
}

/** Every statement; a query stands for itself. */
export type Statement =
  | Query
  | CreateTable
  | CreateView
  | CreateDictionary
  | CreateDatabase
  | CreateFunction
  | CreateNamedCollection
  | AlterNamedCollection
  | CreateWorkload
  | CreateResource
  | CreateIndex
  | DropIndex
  | DropStatement
  | DropGlobal
  | Undrop
  | RenameStatement
  | AlterStatement
  | InsertStatement
  | DeleteStatement
  | UpdateStatement
  | OptimizeStatement
  | UserStatement
  | RoleStatement
  | SettingsProfileStatement
  | RowPolicyStatement
  | QuotaStatement
  | MaskingPolicyStatement
  | DropAccess
  | MoveAccess
  | GrantStatement
  | SetRole
  | SetStatement
  | UseStatement
  | KillStatement
  | SystemStatement
  | BackupStatement
  | InspectStatement
  | SessionStatement
  | ExplainStatement
  | ExecuteAs
  | ParallelStatement
