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
  const seenAtMs = new Map<string, number>()
  return doByOne(hub, { name: 'authorities', holder }, rollOverLookMs, async () => {
    await removeOfflineKeys(hub, seenAtMs)
    await advanceAll(hub)
  })
}

/**
 * A key that an operator has taken away must be gone, also where the process died before it removed it. One that is being
 * brought back is here for a moment before its row says so: only what has been here for a whole look is removed.
 *
 * @param seenAtMs since when each has been seen where it should not be
 */
async function removeOfflineKeys(
  { store, keys, clock, log }: AdvancingHub & { readonly keys: KeyStore; readonly log: Log },
  seenAtMs: Map<string, number>,
): Promise<void> {
  for (const { id, keyPlace } of await store.authorities.all()) {
    if (keyPlace !== 'offline' || !(await keys.has(id))) {
      seenAtMs.delete(id)
      continue
    }
    const since = seenAtMs.get(id) ?? clock.nowMs()
    seenAtMs.set(id, since)
    if (clock.nowMs() - since < rollOverLookMs) continue
    await keys.remove(id)
    log.warn('the key of an authority that is offline was still here; it is removed', { authorityId: id })
  }
}
