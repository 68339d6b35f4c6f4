/** The key with which the command line of this machine opens the admin API. */
import { HubError } from '../core/errors.ts'
import { Secret } from '../core/secret.ts'
import { writeDurably } from '../disk/durable-file.ts'
import { authenticateApiKey, createApiKey } from '../hub/api-keys.ts'
import type { Store } from '../hub/ports/store.ts'
import { type DataDirectory, readIfThere } from '../machine/data-directory.ts'
import { systemClock as clock, systemRandom as random } from '../machine/system.ts'

/**
 * Makes the key where there is none. It is made again when its file is gone or holds a key of another life of the
 * registry, since the folder's owner may do anything.
 */
export async function ensureAdminKey(directory: DataDirectory, store: Store, instance: string | null): Promise<void> {
  const kept = await readIfThere(directory.adminKey)
  if (kept !== null && (await opensApi(store, kept))) return
  // Each process that shares a registry has a key of its own: one that is made anew ends no other.
  const key = await createApiKey({ store, clock, random }, instance === null ? 'admin' : `admin-${instance}`)
  writeDurably(directory.adminKey, `${key.reveal()}\n`, 0o600)
}

async function opensApi(store: Store, key: string): Promise<boolean> {
  try {
    const { grants, endsAtMs } = await authenticateApiKey({ store, clock }, new Secret(key.trim()))
    return endsAtMs === null && grants.some(({ role }) => role === 'admin')
  } catch (error) {
    if (error instanceof HubError && ['key-invalid', 'key-expired'].includes(error.code)) return false
    throw error
  }
}
