/** Keeping authorities in their course: the one place from which roll-overs go on, in one process of several. */
import { doByOne, type LeasedWork } from '../leased-work.ts'
import type { Log } from '../ports/log.ts'
import type { KeyStore } from '../ports/signer.ts'
import { type AdvancingHub, advanceAll, rollOverLookMs } from './advance.ts'

/**
 * Looks after authorities every now and then. What a crash has interrupted goes on: every step is whole or absent.
 *
 * @param holder names this process among those that share the registry
 */
export function keepAuthorities(
  hub: AdvancingHub & { readonly keys: KeyStore; readonly log: Log },
  holder: string,
): LeasedWork {
  return doByOne(hub, { name: 'authorities', holder }, rollOverLookMs, async () => {
    await removeOfflineKeys(hub)
    await advanceAll(hub)
  })
}

/** A key that an operator has taken away must be gone, also where the process died before it removed it. */
async function removeOfflineKeys(hub: AdvancingHub & { readonly keys: KeyStore; readonly log: Log }): Promise<void> {
  for (const { id, keyPlace } of await hub.store.authorities.all()) {
    if (keyPlace !== 'offline' || !(await hub.keys.has(id))) continue
    await hub.keys.remove(id)
    hub.log.warn('the key of an authority that is offline was still here; it is removed', { authorityId: id })
  }
}
