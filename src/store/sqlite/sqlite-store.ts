/**
 * The registry in one SQLite file: one connection writes, one reads what is committed.
 */
import type { DatabaseSync } from 'node:sqlite'
import { sql } from 'kysely'
import { HubError, quote } from '../../core/errors.ts'
import type { Clock } from '../../hub/ports/clock.ts'
import { silentObserver } from '../../hub/ports/observer.ts'
import type { Store } from '../../hub/ports/store.ts'
import type { CommitObserver } from '../group-commit.ts'
import { noTransaction, type OpenStore, storeOver } from '../store-over.ts'
import { isDamage, openReader, openWriter, queriesOver } from './connection.ts'
import { securePrivateFile } from './files.ts'
import { migrate } from './migrate.ts'
import { sqliteTransaction } from './transaction.ts'

export interface SqliteStoreOptions {
  /** The database file; it is made when it is missing. Its directory must exist. */
  readonly path: string
  /** The time of events and of leases: one process has the file. */
  readonly clock: Clock
  /** Nobody hears of transactions when it is left out. */
  readonly observer?: CommitObserver
  /** The size that the file may reach, in pages of 4 KiB; the disk is the limit when it is left out. */
  readonly pagesMax?: number
}

/**
 * Opens the registry and brings it to the version of this program. One process at a time: hold the data directory's lock.
 *
 * @throws HubError `database-unusable` when the file cannot be opened, is damaged, is no database of Handfast or is of a
 *   newer version
 */
export async function openSqliteStore({ path, clock, observer, pagesMax }: SqliteStoreOptions): Promise<Store> {
  const opened: DatabaseSync[] = []
  try {
    securePrivateFile(path)
    const writer = openWriter(path)
    opened.push(writer)
    await migrate(writer, path)
    if (pagesMax !== undefined) writer.exec(`pragma max_page_count = ${Math.trunc(pagesMax)}`)
    const reader = openReader(path)
    opened.push(reader)
    const [writing, reading] = [queriesOver(writer), queriesOver(reader)]
    return storeOver({
      reading: () => reading,
      writing: () => writing,
      transaction: sqliteTransaction(writer),
      writers: { clock, nowMs: () => sql`${clock.nowMs()}` },
      observer: observer ?? silentObserver,
      close() {
        reader.close()
        writer.close()
      },
    }).store
  } catch (error) {
    for (const database of opened) database.close()
    if (error instanceof HubError && error.code === 'database-unusable') throw error
    const what = isDamage(error) ? 'is damaged or is no database' : 'cannot be opened'
    throw new HubError('database-unusable', `${quote(path)} ${what}`, { cause: error })
  }
}

/**
 * Opens a registry that another process of the same hub has open and writes, to read what is committed there. It hears of
 * no commits by itself: call `tellListeners`.
 *
 * @throws HubError `database-unusable`
 */
export function openSqliteReader({ path, clock }: Pick<SqliteStoreOptions, 'path' | 'clock'>): OpenStore {
  try {
    const reader = openReader(path)
    const reading = queriesOver(reader)
    return storeOver({
      reading: () => reading,
      writing: () => reading,
      transaction: noTransaction,
      writers: { clock, nowMs: () => sql`${clock.nowMs()}` },
      observer: silentObserver,
      close: () => reader.close(),
    })
  } catch (error) {
    throw new HubError('database-unusable', `${quote(path)} cannot be opened`, { cause: error })
  }
}
