/**
 * The registry in one SQLite file: one connection writes, one reads what is committed.
 */
import type { DatabaseSync } from 'node:sqlite'
import { sql } from 'kysely'
import { assert, HubError, quote } from '../../core/errors.ts'
import type { Clock } from '../../hub/ports/clock.ts'
import type { Store, Transaction } from '../../hub/ports/store.ts'
import type { Access } from '../schema.ts'
import { readersOver, writersOver } from '../tables.ts'
import { isDamage, openReader, openWriter, queriesOver } from './connection.ts'
import { securePrivateFile } from './files.ts'
import { GroupCommit } from './group-commit.ts'
import { migrate } from './migrate.ts'

export interface SqliteStoreOptions {
  /** The database file; it is made when it is missing. Its directory must exist. */
  readonly path: string
  /** The time of events. */
  readonly clock: Clock
  /** The size that the file may reach, in pages of 4 KiB; the disk is the limit when it is left out. */
  readonly pagesMax?: number
}

/**
 * Opens the registry and brings it to the version of this program. One process at a time: hold the data directory's lock.
 *
 * @throws HubError `database-unusable` when the file cannot be opened, is damaged, is no database of Handfast or is of a
 *   newer version
 */
export async function openSqliteStore({ path, clock, pagesMax }: SqliteStoreOptions): Promise<Store> {
  const opened: DatabaseSync[] = []
  try {
    securePrivateFile(path)
    const writer = openWriter(path)
    opened.push(writer)
    await migrate(writer, path)
    if (pagesMax !== undefined) writer.exec(`pragma max_page_count = ${Math.trunc(pagesMax)}`)
    const reader = openReader(path)
    opened.push(reader)
    return new SqliteStore(writer, reader, clock).port
  } catch (error) {
    for (const database of opened) database.close()
    if (error instanceof HubError && error.code === 'database-unusable') throw error
    const what = isDamage(error) ? 'is damaged or is no database' : 'cannot be opened'
    throw new HubError('database-unusable', `${quote(path)} ${what}`, { cause: error })
  }
}

class SqliteStore {
  readonly port: Store
  readonly #writer: DatabaseSync
  readonly #reader: DatabaseSync
  readonly #writing: Access
  readonly #clock: Clock
  readonly #group: GroupCommit
  readonly #listeners = new Set<() => void>()
  /** Whether a unit that has succeeded in the open transaction appended events. */
  #eventsInGroup = false
  #closing: Promise<void> | null = null

  constructor(writer: DatabaseSync, reader: DatabaseSync, clock: Clock) {
    this.#writer = writer
    this.#reader = reader
    this.#clock = clock
    const writing = queriesOver(writer)
    this.#writing = () => writing
    const reading = queriesOver(reader)
    this.#group = new GroupCommit(writer, (committed) => this.#endGroup(committed))
    this.port = {
      ...readersOver(() => reading),
      write: (work) => this.#write(work),
      onEvents: (listener) => this.#onEvents(listener),
      close: () => {
        this.#closing ??= this.#close()
        return this.#closing
      },
    }
  }

  #write<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.#group.run(async () => {
      let ended = false
      let appended = false
      const access: Access = () => {
        assert(!ended, 'a transaction is used after its end')
        return this.#writing()
      }
      try {
        const value = await work(
          writersOver(access, {
            clock: this.#clock,
            nowMs: () => sql`${this.#clock.nowMs()}`,
            onEvent: () => {
              appended = true
            },
          }),
        )
        this.#eventsInGroup ||= appended
        return value
      } finally {
        ended = true
      }
    })
  }

  #endGroup(committed: boolean): void {
    const appended = this.#eventsInGroup
    this.#eventsInGroup = false
    if (!committed || !appended) return
    // Each in a microtask of its own: one that throws stops neither the others nor the writer.
    for (const listener of this.#listeners) queueMicrotask(listener)
  }

  #onEvents(listener: () => void): () => void {
    // A wrapper, so that one function may listen twice and stop once.
    const registered = () => listener()
    this.#listeners.add(registered)
    return () => this.#listeners.delete(registered)
  }

  async #close(): Promise<void> {
    await this.#group.close()
    this.#reader.close()
    this.#writer.close()
  }
}
