/** Changes of whole objects as work: when they run, at what risk, and why. */
import type { Change } from '../diff/change.js'
import { equalDatabaseEngines, equalSettings } from '../diff/equal.js'
import {
  type AccessObject,
  type Database,
  type MaterializedView,
  objectName,
  type SqlText,
} from '../model/definition.js'
import { statementEffects } from '../sql/effects.js'
import { parseStatement } from '../sql/statement.js'
import { keyOf, nameChange } from './describe.js'
import { engineAbilities } from './engines.js'
import { stepOf } from './plan-table.js'
import { beginsToReplaceRows, planMaterializedView, REPLACES_ROWS } from './plan-view.js'
import { hasDictionaries, RANK, type Role, type Scene, type Work } from './scene.js'
import type { Refusal, Risk, Step } from './step.js'

function place(role: Role, rank: number, key: string, step: Step): Work {
  return { role, rank, key, steps: [step] }
}

/** True when more than the comment of a database differs. */
function databaseIsFixed(from: Database, to: Database): boolean {
  const engine = from.engine !== undefined && to.engine !== undefined && !equalDatabaseEngines(from.engine, to.engine)
  return engine || (to.settings !== undefined && !equalSettings(from.settings, to.settings))
}

/** True when a new view replaces the rows of a table that was there before. */
function replacesKnownRows(scene: Scene, view: MaterializedView): boolean {
  if (view.to === undefined || !beginsToReplaceRows(undefined, view)) return false
  const target = keyOf('table', view.to)
  return scene.before.has(scene.oldKeys.get(target) ?? target)
}

function losesPassword(from: AccessObject, to: AccessObject): boolean {
  const asks = ({ kind, statement }: AccessObject) => {
    const { node } = parseStatement(statement)
    return kind === 'user' && node.kind === 'user' && node.authentication !== undefined
  }
  return asks(from) && !asks(to)
}

/** How migrate judges texts that a schema file brings itself; at least they are to be read. */
function riskOfText(...texts: readonly SqlText[]): Risk {
  const operations = texts.flatMap((text) => statementEffects(parseStatement(text).node).operations)
  return operations.some(({ risk }) => risk === 'danger') ? 'danger' : 'caution'
}

/** The work of a change that is no part of a table, or why it is refused. */
export function planObject(scene: Scene, change: Change): Work | Refusal {
  const { key } = nameChange(change)
  switch (change.kind) {
    case 'createDatabase':
      return place(
        'database',
        RANK.createDatabase,
        key,
        stepOf(change, { risk: 'safe', reason: `Database ${change.database.name} is created unless it exists.` }),
      )
    case 'dropDatabase':
      return place(
        'drop',
        RANK.dropDatabase,
        key,
        stepOf(change, {
          risk: 'danger',
          reason: `Database ${change.database.name} is dropped with everything in it, also what chkit does not know.`,
        }),
      )
    case 'modifyDatabase':
      if (databaseIsFixed(change.from, change.to))
        return {
          change,
          code: 'rebuild_required',
          object: key,
          message: `The engine and settings of database ${change.to.name} are fixed when it is created.`,
          hint: 'Declare a new database and move the tables into it, by renamedFrom.',
        }
      return place(
        'database',
        RANK.createDatabase,
        key,
        stepOf(change, { risk: 'safe', reason: 'A comment is metadata only.' }),
      )
    case 'createTable':
      return place(
        'bring',
        RANK.create,
        key,
        stepOf(change, { risk: 'safe', reason: `Table ${objectName(change.table)} is new.` }),
      )
    case 'dropTable':
      return place(
        'drop',
        RANK.dropTable,
        key,
        stepOf(change, {
          risk: 'danger',
          reason: engineAbilities(change.table.engine).holdsRows
            ? `Dropping table ${objectName(change.table)} deletes its rows.`
            : `Table ${objectName(change.table)} is dropped; its engine keeps no rows of its own.`,
        }),
      )
    case 'renameTable': {
      const old = keyOf('table', change.from)
      const hasDependents = hasDictionaries(scene, old)
      const users = scene.usersBefore.get(old) ?? []
      const views = users.filter((user) => scene.before.get(user)?.kind === 'materialized_view')
      return place(
        'rename',
        RANK.rename,
        key,
        stepOf(hasDependents ? { ...change, hasDependents } : change, {
          risk: 'caution',
          reason: `Table ${change.from.database}.${change.from.name} keeps its rows under the name ${objectName(change.table)}.`,
          warning:
            views.length > 0
              ? `Between the rename and the change of ${views.map((view) => objectName(scene.before.get(view)!)).join(', ')} inserted rows do not pass through the materialized view: pause inserts.`
              : `Queries that still name ${change.from.database}.${change.from.name} fail from then on.`,
        }),
      )
    }
    case 'renameView':
    case 'renameMaterializedView':
    case 'renameDictionary':
      return place(
        'rename',
        RANK.rename,
        key,
        stepOf(
          change.kind === 'renameDictionary' && hasDictionaries(scene, keyOf('dictionary', change.from))
            ? { ...change, hasDependents: true }
            : change,
          {
            risk: 'caution',
            reason: `${change.from.database}.${change.from.name} is called ${change.to.database}.${change.to.name} from now on.`,
            warning: `Queries that still name ${change.from.database}.${change.from.name} fail from then on.`,
          },
        ),
      )
    case 'createView':
      return place(
        'bring',
        RANK.create,
        key,
        stepOf(change, { risk: 'safe', reason: `View ${objectName(change.view)} is new.` }),
      )
    case 'dropView':
      return place(
        'drop',
        RANK.dropDependent,
        key,
        stepOf(change, {
          risk: 'danger',
          reason: `View ${objectName(change.view)} is dropped; queries that read it fail.`,
        }),
      )
    case 'modifyView':
      return place(
        'bring',
        RANK.replace,
        key,
        stepOf(change, {
          risk: 'caution',
          reason: `View ${objectName(change.to)} is replaced in one statement; if its query is invalid the old one stays.`,
        }),
      )
    case 'createMaterializedView':
      return place(
        'bring',
        RANK.create,
        key,
        stepOf(change, {
          risk: replacesKnownRows(scene, change.view) ? 'danger' : 'safe',
          reason: `Materialized view ${objectName(change.view)} is new.`,
          ...(change.view.refresh === undefined && { warning: 'Only rows inserted from then on pass through it.' }),
          ...(beginsToReplaceRows(undefined, change.view) && { warning: REPLACES_ROWS }),
        }),
      )
    case 'dropMaterializedView':
      return place(
        'drop',
        RANK.dropDependent,
        key,
        stepOf(change, {
          risk: 'danger',
          reason: change.view.to
            ? `Materialized view ${objectName(change.view)} is dropped; its target ${change.view.to.database}.${change.view.to.name} keeps its rows and gets no more.`
            : `Materialized view ${objectName(change.view)} is dropped with the rows of its inner table.`,
        }),
      )
    case 'modifyMaterializedView': {
      const outcome = planMaterializedView(change, scene.options.to, scene.options.allowRecreate === true)
      if ('refusal' in outcome) return outcome.refusal
      const made = outcome.step.change
      const isKept =
        made.kind === 'recreateMaterializedView' && hasDictionaries(scene, keyOf('materialized_view', made.from))
      return place(
        'bring',
        RANK.replace,
        key,
        isKept ? { ...outcome.step, change: { ...made, hasDependents: true } } : outcome.step,
      )
    }
    case 'createDictionary':
      return place(
        'bring',
        RANK.create,
        key,
        stepOf(change, {
          risk: 'safe',
          reason: `Dictionary ${objectName(change.dictionary)} is new; it loads when it is first read.`,
        }),
      )
    case 'dropDictionary':
      return place(
        'drop',
        RANK.dropDependent,
        key,
        stepOf(change, {
          risk: 'danger',
          reason: `Dictionary ${objectName(change.dictionary)} is dropped; queries that read it fail. Its source keeps its rows.`,
        }),
      )
    case 'modifyDictionary':
      return place(
        'bring',
        RANK.replace,
        key,
        stepOf(change, {
          risk: 'caution',
          reason: `Dictionary ${objectName(change.to)} is replaced in one statement; errors of its source show when it loads.`,
        }),
      )
    case 'createFunction':
      return place(
        'bring',
        RANK.create,
        key,
        stepOf(change, { risk: 'safe', reason: `Function ${change.function.name} is new.` }),
      )
    case 'dropFunction':
      return place(
        'drop',
        RANK.dropTable,
        key,
        stepOf(change, {
          risk: 'danger',
          reason: `Function ${change.function.name} is dropped; queries that call it fail, objects that were created with it keep its body.`,
        }),
      )
    case 'modifyFunction': {
      const users = (scene.usersAfter.get(key) ?? [])
        .filter((user) => !scene.touched.has(user))
        .map((user) => objectName(scene.after.get(user)!))
      return place(
        'bring',
        RANK.alter,
        key,
        stepOf(change, {
          risk: 'caution',
          reason: `Function ${change.to.name} is replaced; queries use the new body at once.`,
          warning: `The server copies a function's body into objects when they are created or altered: ${users.length > 0 ? users.join(', ') : 'what chkit does not know'} keeps the old one until then.`,
        }),
      )
    }
    case 'createAccess':
      return place('bring', RANK.create, key, stepOf(change, { risk: 'safe', reason: `${key} is new.` }))
    case 'dropAccess':
      return place(
        'drop',
        RANK.dropDependent,
        key,
        stepOf(change, { risk: 'danger', reason: `${key} is taken away; who relied on it loses it.` }),
      )
    case 'modifyAccess':
      return place(
        'bring',
        RANK.replace,
        key,
        stepOf(change, {
          risk: losesPassword(change.from, change.to) ? 'danger' : 'caution',
          reason: `${key} changes for everyone who has it.`,
          ...(losesPassword(change.from, change.to) && {
            warning: `${key} declares no IDENTIFIED any more: from then on it needs no password.`,
          }),
        }),
      )
    case 'createRaw':
      return place(
        'bring',
        RANK.create,
        key,
        stepOf(change, { risk: riskOfText(change.object.create), reason: `${key} is created by its own text.` }),
      )
    case 'dropRaw':
      return place(
        'drop',
        RANK.dropDependent,
        key,
        stepOf(
          change,
          change.object.drop !== undefined
            ? { risk: riskOfText(change.object.drop), reason: `${key} is dropped by its own text.` }
            : {
                risk: 'safe',
                reason: `${key} is no longer declared.`,
                warning: 'It declared no drop text, so what it made stays on the server.',
              },
        ),
      )
    case 'modifyRaw':
      return place(
        'bring',
        RANK.replace,
        key,
        stepOf(
          change,
          change.from.drop !== undefined
            ? {
                risk: riskOfText(change.from.drop, change.to.create),
                reason: `${key} is dropped and created anew by its own texts.`,
              }
            : {
                risk: riskOfText(change.to.create),
                reason: `The new text of ${key} runs; it declared no drop text for the old one.`,
              },
        ),
      )
    case 'recreateTable':
    case 'replaceMaterializedView':
    case 'recreateMaterializedView':
      return place('bring', RANK.alter, key, stepOf(change, { risk: 'danger', reason: 'Asked for as it is.' }))
    default:
      return {
        change,
        code: 'plan_refused',
        object: key,
        message: `Change ${change.kind} has no plan.`,
        hint: 'Report this as a bug of chkit.',
      }
  }
}
