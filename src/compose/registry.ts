/** The registry of a hub: SQLite in its data directory, or the PostgreSQL database that its configuration names. */
import type { HubConfig } from '../config/config.ts'
import { Secret } from '../core/secret.ts'
import type { Log } from '../hub/ports/log.ts'
import type { Observer } from '../hub/ports/observer.ts'
import type { Store } from '../hub/ports/store.ts'
import { type DataDirectory, instanceName } from '../machine/data-directory.ts'
import { systemClock as clock, systemRandom as random } from '../machine/system.ts'
import { type DatabaseUrlSource, readDatabaseAddress } from '../store/postgres/address.ts'
import { checkGateRole } from '../store/postgres/gate-role-check.ts'
import { openPostgresReader, openPostgresStore } from '../store/postgres/postgres-store.ts'
import { openSqliteReader, openSqliteStore } from '../store/sqlite/sqlite-store.ts'
import type { OpenStore } from '../store/store-over.ts'
import type { RegistryPlace } from './gates/messages.ts'

export interface Registry {
  readonly store: Store
  /** Null where this process is alone with its registry. */
  readonly instance: string | null
  readonly note: string
}

/** @throws HubError `database-unusable`, `database-unreachable` */
export async function openRegistry(
  config: HubConfig,
  directory: DataDirectory,
  log: Log,
  observer: Observer,
): Promise<Registry> {
  if (config.databaseUrl === null) {
    const store = await openSqliteStore({ path: directory.database, clock, observer })
    return { store, instance: null, note: `SQLite, ${directory.database}` }
  }
  const address = readDatabaseAddress(config.databaseUrl)
  const instance = await instanceName(directory, random)
  const store = await openPostgresStore({ address, instance, clock, log, observer })
  return { store, instance, note: `PostgreSQL, ${address.place}; this process is ${instance}` }
}

/** Where another process of this hub finds the registry. */
export function registryPlace(
  { databaseUrl }: Pick<HubConfig, 'databaseUrl'>,
  directory: DataDirectory,
): RegistryPlace {
  if (databaseUrl === null) return { kind: 'sqlite', path: directory.database }
  return { kind: 'postgres', url: 'file' in databaseUrl ? databaseUrl : { text: databaseUrl.value.reveal() } }
}

/** @throws HubError `database-unusable`, `config-invalid` */
export function openRegistryReader(place: RegistryPlace, log: Log): OpenStore {
  if (place.kind === 'sqlite') return openSqliteReader({ path: place.path, clock })
  const source = 'file' in place.url ? place.url : { value: new Secret(place.url.text) }
  return openPostgresReader({ address: readDatabaseAddress(source), clock, log })
}

/**
 * The registry as a gate on another machine reads it.
 *
 * @param withPasswords its listeners take passwords
 * @throws HubError `config-invalid`, `database-unreachable`, `database-unusable`; `gate-role-unfit` where the user of the
 *   database may do less than a gate needs, or more
 */
export async function openGateRegistry(
  source: DatabaseUrlSource,
  withPasswords: boolean,
  log: Log,
): Promise<OpenStore> {
  const address = readDatabaseAddress(source)
  await checkGateRole({ address, withPasswords })
  return openPostgresReader({ address, clock, log })
}
