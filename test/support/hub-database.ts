/**
 * Which database the hubs of a test use: SQLite, or with HANDFAST_TEST_DATABASE=postgresql one of a server that is started
 * for the test file, a database for each data directory.
 */
import { join } from 'node:path'
import { after } from 'node:test'
import { Secret } from '../../src/core/secret.ts'
import type { KeyStore } from '../../src/hub/ports/signer.ts'
import type { Store } from '../../src/hub/ports/store.ts'
import { openKeyFolder } from '../../src/keys/file/key-folder.ts'
import { readPassphrase } from '../../src/keys/file/passphrase.ts'
import { openKeyTable } from '../../src/keys/registry/key-table.ts'
import { systemClock } from '../../src/machine/system.ts'
import { parseDatabaseUrl } from '../../src/store/postgres/address.ts'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { LogBook } from './hub-parts.ts'
import { type PostgresServer, startPostgres } from './postgres.ts'

/** True where the flows run for the second time. */
export const isOnPostgres: boolean = process.env.HANDFAST_TEST_DATABASE === 'postgresql'
let onPostgres = isOnPostgres
/** Test options for what a registry in a file alone can meet. */
export const onSqliteOnly: { skip: string | false } = { skip: isOnPostgres ? 'the registry is no file here' : false }

/** Test options for what has nothing to do with the registry, in a file that runs on both. */
export const onOneDatabase: { skip: string | false } = {
  skip: isOnPostgres ? 'it has nothing to do with the database' : false,
}

const urls = new Map<string, Promise<string>>()
let server: Promise<PostgresServer> | null = null

/** For a test file that is about PostgreSQL, whatever the environment says. */
export async function usePostgres(): Promise<PostgresServer> {
  onPostgres = true
  return serverOfThisFile()
}

/** The URL for the hub of this data directory, the same at each of its starts; null for SQLite. */
export async function databaseOf(data: string): Promise<string | null> {
  if (!onPostgres) return null
  const known = urls.get(data)
  if (known !== undefined) return known
  const made = serverOfThisFile().then((each) => each.makeDatabase())
  urls.set(data, made)
  return made
}

/** What the hub of this data directory must find in its environment. */
export async function databaseEnvironment(data: string): Promise<Readonly<Record<string, string>>> {
  const url = await databaseOf(data)
  return url === null ? {} : { HANDFAST_DATABASE_URL: url }
}

/** The registry and the authority keys of a hub, opened beside it. */
export async function openBeside(data: string): Promise<{ readonly store: Store; readonly keys: KeyStore }> {
  const url = await databaseOf(data)
  const passphrase = await readPassphrase(null, join(data, 'keys', 'passphrase'))
  if (url === null) {
    const store = await openSqliteStore({ path: join(data, 'handfast.db'), clock: systemClock })
    return { store, keys: await openKeyFolder({ folder: join(data, 'keys'), passphrase }) }
  }
  const address = parseDatabaseUrl(new Secret(url), 'the test')
  const store = await openPostgresStore({ address, instance: 'beside', clock: systemClock, log: new LogBook() })
  return { store, keys: await openKeyTable(store, passphrase) }
}

function serverOfThisFile(): Promise<PostgresServer> {
  server ??= startPostgres({ after: (step) => endings.push(step) })
  return server
}

const endings: (() => Promise<void>)[] = []
after(async () => {
  for (const step of endings) await step()
})
