import { existsSync } from 'node:fs'
import { type RawBuilder, sql } from 'kysely'
import { HubError, quote } from '../../core/errors.ts'
import type { RegistrySnapshot } from '../../hub/ports/snapshot.ts'
import { steps } from '../migrations.ts'
import { type ColumnRow, snapshotOver } from '../snapshot.ts'
import { isDamage, openReader, queriesOver } from './connection.ts'
import { readVersion } from './migrate.ts'

/** See `tableShapes`. */
export const sqliteColumns: RawBuilder<ColumnRow> = sql<ColumnRow>`
  select tables.name as table_name, columns.name as column_name, columns.type as data_type
  from sqlite_schema as tables, pragma_table_info(tables.name) as columns
  where tables.type = 'table' order by tables.name, columns.cid`

/**
 * The registry of a SQLite file as it is now. A hub may go on writing meanwhile; its write-ahead log grows until the snapshot
 * is closed.
 *
 * @throws HubError `database-unusable` when the file is missing, damaged, of another program or of another version than this
 *   program's
 */
export async function openSqliteSnapshot(path: string): Promise<RegistrySnapshot> {
  const refusal = (what: string, cause?: unknown): HubError =>
    new HubError('database-unusable', `${quote(path)} ${what}`, cause === undefined ? {} : { cause })
  if (!existsSync(path)) {
    throw new HubError('database-unusable', `${quote(path)} is not there`, {
      hint: 'name the data directory of the hub with --data, or its database with --database-url-file',
    })
  }
  try {
    const database = openReader(path)
    try {
      // The first read decides which moment the transaction sees.
      database.exec('begin')
      const version = readVersion(database, path)
      if (version !== steps.length) {
        throw new HubError(
          'database-unusable',
          `${quote(path)} is of version ${version}, and this Handfast of version ${steps.length}`,
          { hint: 'start the hub once with this Handfast, which brings it up to date' },
        )
      }
      const parts = { version, queries: queriesOver(database), columns: sqliteColumns }
      return await snapshotOver({ ...parts, close: async () => database.close() })
    } catch (error) {
      database.close()
      throw error
    }
  } catch (error) {
    if (error instanceof HubError) throw error
    throw refusal(isDamage(error) ? 'is damaged or is no database' : 'cannot be opened', error)
  }
}
