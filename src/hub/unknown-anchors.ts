/** Listeners that name trust anchors which there are not: nobody comes in by them, and nothing else would say so. */
import type { ListenerSettings } from '../core/listener/listener-settings.ts'
import { nearest } from '../core/nearest.ts'
import { anchorStates } from './check-policy.ts'
import type { Log } from './ports/log.ts'
import type { Store } from './ports/store.ts'

/** Warns of each. It keeps no hub from starting: a trust anchor is added at one that runs. */
export async function warnOfUnknownAnchors(
  { store, log }: { readonly store: Pick<Store, 'anchors'>; readonly log: Log },
  listeners: readonly Pick<ListenerSettings, 'name' | 'anchors'>[],
): Promise<void> {
  if (listeners.every(({ anchors }) => anchors.length === 0)) return
  const known = await anchorStates(store)
  for (const { name, anchors } of listeners) {
    for (const anchor of anchors) {
      const state = known.get(anchor)
      if (state === 'trusted') continue
      if (state !== undefined)
        log.warn('a listener names a trust anchor that opens nothing', { listener: name, anchor, state })
      else {
        const meant = nearest(anchor, [...known.keys()])
        const hint = meant === null ? {} : { nearest: meant }
        log.warn('a listener names a trust anchor that there is not', { listener: name, anchor, ...hint })
      }
    }
  }
}
