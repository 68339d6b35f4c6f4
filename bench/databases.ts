/** Hubs on each database that can be had here: the same work on each, in the same rounds. */
import { join } from 'node:path'
import type { Store } from '../src/hub/ports/store.ts'
import { systemClock } from '../src/machine/system.ts'
import { openSqliteStore } from '../src/store/sqlite/sqlite-store.ts'
import type { Bed } from './bed.ts'
import { type Hub, startHub } from './servers/handfast.ts'
import { type HubKeys, readHubKeys } from './servers/hub-keys.ts'
import type { SideName } from './sides.ts'

/** A hub's registry that stands by itself: nothing else of the run uses it. */
export interface Registry {
  readonly name: SideName
  /** Starts the hub on it. */
  start(): Promise<Hub>
  /** Opens the store, to fill it while no hub runs. */
  openStore(): Promise<Store>
  /** The keys of a hub that has run on it. */
  readKeys(): Promise<HubKeys>
}

/** @param purpose what the registries are for; they begin empty */
export async function makeRegistries(bed: Bed, purpose: string): Promise<readonly Registry[]> {
  return [sqliteRegistry(bed, purpose)]
}

function sqliteRegistry({ closing, folder, options }: Bed, purpose: string): Registry {
  const data = join(folder, `${purpose}-sqlite`)
  return {
    name: 'handfast',
    start: () => startHub(closing, { name: 'handfast', data, profiles: options.profiles }),
    openStore: () => openSqliteStore({ path: join(data, 'handfast.db'), clock: systemClock }),
    readKeys: () => readHubKeys(data),
  }
}
