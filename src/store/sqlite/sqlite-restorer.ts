import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { assert, HubError } from '../../core/errors.ts'
import type { RegistryRestorer, Row } from '../../hub/ports/snapshot.ts'
import { assertKnownVersion, tableShapes } from '../snapshot.ts'
import { openWriter, queriesOver, storeError } from './connection.ts'
import { securePrivateFile, syncPrivateFile } from './files.ts'
import { migrate } from './migrate.ts'
import { sqliteColumns } from './sqlite-snapshot.ts'

/**
 * Fills a SQLite file that must not exist yet. It is on disk when `finish` is fulfilled; until then it is nobody's, and who
 * abandons it removes the file.
 *
 * @param version of the schema that the rows are of
 * @throws HubError `backup-too-new`
 */
export async function openSqliteRestorer(path: string, version: number): Promise<RegistryRestorer> {
  assertKnownVersion(version)
  securePrivateFile(path)
  const database = openWriter(path)
  try {
    // Nothing is lost in a crash that could not be had again: the whole file is synced at the end.
    database.exec('pragma journal_mode = off; pragma synchronous = off; pragma foreign_keys = off')
    await migrate(database, path, version)
    const tables = await tableShapes(queriesOver(database), sqliteColumns)
    const statements = new Map(
      tables.map(({ name, columns }) => {
        const values = columns.map(() => '?').join(', ')
        const names = columns.map((column) => `"${column.name}"`).join(', ')
        return [name, database.prepare(`insert into "${name}" (${names}) values (${values})`)]
      }),
    )
    database.exec('begin')
    return {
      tables,
      insert: async (table, rows) => insertAll(statements.get(table), rows),
      async insertSealedKeys(keys) {
        const insert = database.prepare('insert into sealed_keys (name, content) values (?, ?)')
        insertAll(insert, [...keys])
      },
      async setSetting(name, value) {
        insertAll(database.prepare('insert or replace into settings (name, value) values (?, ?)'), [[name, value]])
      },
      async finish() {
        database.exec('commit')
        assertReferences(database)
        await migrate(database, path)
        database.exec('pragma journal_mode = wal')
        database.close()
        syncPrivateFile(path)
      },
      async abandon() {
        if (database.isOpen) database.close()
      },
    }
  } catch (error) {
    database.close()
    throw error
  }
}

function insertAll(statement: StatementSync | undefined, rows: readonly Row[]): void {
  assert(statement !== undefined, 'rows are restored into a table that there is')
  try {
    for (const row of rows) statement.run(...row)
  } catch (error) {
    throw storeError(error)
  }
}

function assertReferences(database: DatabaseSync): void {
  const broken = database.prepare('pragma foreign_key_check').get()
  if (broken === undefined) return
  throw new HubError(
    'backup-damaged',
    `a row of ${String(broken.table)} refers to one of ${String(broken.parent)} that is missing`,
  )
}
