/** Brings a SQLite file to the version that this program knows. */
import type { DatabaseSync } from 'node:sqlite'
import { sql } from 'kysely'
import { HubError } from '../../core/errors.ts'
import { type Dialect, steps } from '../migrations.ts'
import { queriesOver } from './connection.ts'

/** "HFst": tells our files from other people's SQLite files. */
const applicationId = 0x48467374

const dialect: Dialect = {
  counter: sql`integer primary key autoincrement`,
  key: sql`text`,
  integer: sql`integer`,
  bytes: sql`blob`,
  clustered: sql`without rowid`,
  announceAppends: () => [],
  appendOnly: (table) =>
    ['update', 'delete'].map(
      (act) => sql`create trigger ${sql.ref(`${table}_refuses_${act}`)} before ${sql.raw(act)} on ${sql.table(table)}
        begin select raise(abort, 'this table is append-only'); end`,
    ),
}

/**
 * @param target the version to end at, that of this program unless a test wants an older one
 * @throws HubError `database-unusable` when the file is of a newer version or belongs to another program
 */
export async function migrate(database: DatabaseSync, path: string, target: number = steps.length): Promise<void> {
  database.exec('begin immediate')
  try {
    const version = readVersion(database, path)
    const queries = queriesOver(database)
    for (const step of steps.slice(version, target)) await step(queries, dialect)
    if (version < target) {
      database.exec(`pragma application_id = ${applicationId}; pragma user_version = ${target}`)
    }
    database.exec('commit')
  } catch (error) {
    if (database.isTransaction) database.exec('rollback')
    throw error
  }
}

/**
 * The version of the schema; 0 for an empty file.
 *
 * @throws HubError as {@link migrate}
 */
export function readVersion(database: DatabaseSync, path: string): number {
  const application = readNumber(database, 'select application_id as value from pragma_application_id')
  const version = readNumber(database, 'select user_version as value from pragma_user_version')
  const tables = readNumber(database, 'select count(*) as value from sqlite_schema')
  const isEmpty = application === 0 && version === 0 && tables === 0
  if (!isEmpty && application !== applicationId) {
    throw new HubError('database-unusable', `${path} is a database of another program`)
  }
  if (version > steps.length) {
    throw new HubError(
      'database-unusable',
      `${path} is of version ${version}, and this Handfast knows versions up to ${steps.length}`,
      { hint: 'start the newer Handfast that wrote it, or restore a backup from before that' },
    )
  }
  return version
}

function readNumber(database: DatabaseSync, query: string): number {
  return Number(database.prepare(query).get()?.value)
}
