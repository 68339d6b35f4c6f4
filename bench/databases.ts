/** Hubs on each database that can be had here: the same work on each, in the same rounds. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Log } from '../src/hub/ports/log.ts'
import type { Store } from '../src/hub/ports/store.ts'
import { systemClock } from '../src/machine/system.ts'
import { readDatabaseAddress } from '../src/store/postgres/address.ts'
import { openPostgresStore } from '../src/store/postgres/postgres-store.ts'
import { openSqliteStore } from '../src/store/sqlite/sqlite-store.ts'
import { needsPostgres, type PostgresServer, startPostgres } from '../test/support/postgres.ts'
import type { Bed } from './bed.ts'
import { type Hub, startHub } from './servers/handfast.ts'
import { type SideName, sideTitles } from './sides.ts'

/** A hub's registry that stands by itself: nothing else of the run uses it. */
export interface Registry {
  readonly name: SideName
  /** Data directory of the hub. */
  readonly data: string
  /** Starts the hub on it. */
  start(): Promise<Hub>
  /** Opens the store, to fill it while no hub runs. */
  openStore(): Promise<Store>
  /** Brings a database that was just filled to where it is by itself a few minutes later. */
  afterFilling(): Promise<void>
}

/**
 * SQLite first, then PostgreSQL where it is installed.
 *
 * @param purpose what the registries are for; they begin empty
 */
export async function makeRegistries(bed: Bed, purpose: string): Promise<readonly Registry[]> {
  const server = await postgresOf(bed)
  const onPostgres = server === null ? [] : [await postgresRegistry(bed, purpose, server)]
  return [sqliteRegistry(bed, purpose), ...onPostgres]
}

function sqliteRegistry({ closing, folder, options }: Bed, purpose: string): Registry {
  const data = join(folder, `${purpose}-sqlite`)
  return {
    name: 'handfast',
    data,
    start: () => startHub(closing, { name: 'handfast', data, profiles: options.profiles }),
    openStore: () => openSqliteStore({ path: join(data, 'handfast.db'), clock: systemClock }),
    afterFilling: async () => {},
  }
}

async function postgresRegistry({ closing, folder, options }: Bed, purpose: string, server: PostgresServer) {
  const name = 'handfast-postgresql'
  const data = join(folder, `${purpose}-postgresql`)
  const urlFile = `${data}.url`
  const url = await server.makeDatabase()
  writeFileSync(urlFile, url, { mode: 0o600 })
  const args = ['--database-url-file', urlFile]
  return {
    name,
    data,
    // The database's work is done in processes of its own, and belongs to the hub's all the same.
    start: () => startHub(closing, { name, data, args, alsoPids: [server.pid], profiles: options.profiles }),
    openStore: () => {
      const address = readDatabaseAddress({ file: urlFile })
      return openPostgresStore({ address, instance: 'bench', clock: systemClock, log: silence })
    },
    // Until its autovacuum has come by, PostgreSQL knows nothing of the new rows and reads whole tables.
    afterFilling: async () => void (await server.admin('vacuum analyze', new URL(url).pathname.slice(1))),
  } satisfies Registry
}

const servers = new WeakMap<Bed, Promise<PostgresServer | null>>()

/** Started once in a run, with its defaults: a commit is on disk before it is acknowledged. */
function postgresOf(bed: Bed): Promise<PostgresServer | null> {
  let server = servers.get(bed)
  if (server === undefined) {
    server = startServer(bed)
    servers.set(bed, server)
  }
  return server
}

async function startServer({ closing, note }: Bed): Promise<PostgresServer | null> {
  if (needsPostgres.skip !== false) {
    note(sideTitles['handfast-postgresql'], 'not installed (apt-get install postgresql)')
    return null
  }
  const server = await startPostgres(closing)
  const [row] = await server.admin('show server_version')
  note(sideTitles['handfast-postgresql'], `the same on PostgreSQL ${String(row?.server_version)}`)
  return server
}

const silence: Log = { debug() {}, info() {}, warn() {}, error() {} }
