/**
 * The registry in a PostgreSQL database, which several processes may share: one connection writes, a pool reads what is
 * committed, one hears of what other processes commit.
 */
import { sql } from 'kysely'
import { HubError } from '../../core/errors.ts'
import { limits as catalogue } from '../../core/limits.ts'
import type { Clock } from '../../hub/ports/clock.ts'
import type { Log } from '../../hub/ports/log.ts'
import { silentObserver } from '../../hub/ports/observer.ts'
import type { Store } from '../../hub/ports/store.ts'
import type { CommitObserver } from '../group-commit.ts'
import { noTransaction, type OpenStore, storeOver } from '../store-over.ts'
import type { DatabaseAddress } from './address.ts'
import { type Database, type DatabaseLimits, openClient, openPool, queriesOver } from './connections.ts'
import { migrate } from './migrate.ts'
import { listenForEvents } from './notifications.ts'
import { readerOver } from './reader.ts'
import { refusalOf } from './refusal.ts'
import { Writer } from './writer.ts'

export interface PostgresStoreOptions {
  readonly address: DatabaseAddress
  /** Names this process among those that share the registry, the same after a restart: `[A-Za-z0-9-]`, at most 64. */
  readonly instance: string
  /** The time of events. Leases end by the clock of the database. */
  readonly clock: Clock
  readonly log: Log
  /** Nobody hears of transactions when it is left out. */
  readonly observer?: CommitObserver
  /** Overrides those of `core/limits.ts`. */
  readonly limits?: Partial<DatabaseLimits>
}

/**
 * Opens the registry and brings it to the version of this program.
 *
 * @throws HubError `database-unreachable`; `database-unusable` when it is no database of Handfast or of a newer version
 */
export async function openPostgresStore(options: PostgresStoreOptions): Promise<Store> {
  const database: Database = { address: options.address, limits: { ...catalogue, ...options.limits } }
  await prepare(database, options.log)
  const writer = new Writer(database, options.instance)
  const pool = openPool(database)
  const [writing, reading] = [queriesOver(writer), queriesOver(readerOver(pool, database.limits))]
  const { store, tellListeners } = storeOver({
    reading: () => reading,
    writing: () => writing,
    transaction: writer,
    observer: options.observer ?? silentObserver,
    writers: { clock: options.clock, nowMs: () => sql`(extract(epoch from clock_timestamp()) * 1000)::bigint` },
    async close() {
      await Promise.all([writer.close(), pool.end(), notifications.stop()])
    },
  })
  const notifications = listenForEvents(database, (backend) => backend === writer.backend, tellListeners)
  return store
}

/**
 * Opens a registry that other processes write, to read what is committed there. It needs no more of the database than to
 * read and to listen, and does not look at its version: the hub that tells of it has.
 */
export function openPostgresReader(options: Omit<PostgresStoreOptions, 'instance' | 'observer'>): OpenStore {
  const database: Database = { address: options.address, limits: { ...catalogue, ...options.limits } }
  const pool = openPool(database)
  const reading = queriesOver(readerOver(pool, database.limits))
  const open = storeOver({
    reading: () => reading,
    writing: () => reading,
    transaction: noTransaction,
    observer: silentObserver,
    writers: { clock: options.clock, nowMs: () => sql`(extract(epoch from clock_timestamp()) * 1000)::bigint` },
    async close() {
      await Promise.all([pool.end(), notifications.stop()])
    },
  })
  const notifications = listenForEvents(database, () => false, open.tellListeners)
  return open
}

async function prepare(database: Database, log: Log): Promise<void> {
  try {
    const client = await openClient(database, () => {})
    try {
      await migrate(client, database.address)
      await warnOfLoss(await readDurability(client), log)
    } finally {
      await client.end()
    }
  } catch (error) {
    if (error instanceof HubError) throw error
    throw refusalOf(error, database.address)
  }
}

async function readDurability(client: Awaited<ReturnType<typeof openClient>>): Promise<readonly string[]> {
  const { rows } = await client.query(
    `select name from pg_settings where name in ('fsync', 'full_page_writes') and setting = 'off'`,
  )
  return rows.map(({ name }) => String(name))
}

/** Only the operator of the server can turn these on. */
async function warnOfLoss(settings: readonly string[], log: Log): Promise<void> {
  if (settings.length === 0) return
  log.warn('the database server may lose what it has acknowledged in a power cut', { turnedOff: settings })
}
