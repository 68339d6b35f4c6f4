/** Keeping CRLs fresh: after revocations, and long before they end. */
import type { Authorities } from './authorities.ts'
import type { Clock } from './ports/clock.ts'
import type { Log } from './ports/log.ts'
import type { Store } from './ports/store.ts'
import { currentCrl, publishCrl } from './publish-crl.ts'

/** Revocations within this time share one CRL. */
const gatherMs = 500
/** How often the age of the CRLs is looked at. */
const lookEveryMs = 10 * 60_000

export interface CrlRefresher {
  /** A certificate of this authority was revoked. */
  revoked(authorityId: string): void
  stop(): Promise<void>
}

export function keepCrlsFresh(hub: {
  readonly store: Store
  readonly clock: Clock
  readonly authorities: Authorities
  readonly log: Log
}): CrlRefresher {
  const waiting = new Map<string, NodeJS.Timeout>()
  let work: Promise<void> = Promise.resolve()

  function run(authorityId: string, make: typeof publishCrl): void {
    work = work.then(async () => {
      try {
        await make(hub, authorityId)
      } catch (error) {
        hub.log.error('a CRL could not be made', { authorityId, error })
      }
    })
  }

  function look(): void {
    for (const authority of [hub.authorities.root, hub.authorities.issuing]) run(authority.id, currentCrl)
  }

  look()
  const timer = setInterval(look, lookEveryMs)
  timer.unref()

  return {
    revoked(authorityId) {
      if (waiting.has(authorityId)) return
      const later = setTimeout(() => {
        waiting.delete(authorityId)
        run(authorityId, publishCrl)
      }, gatherMs)
      waiting.set(authorityId, later)
    },
    async stop() {
      clearInterval(timer)
      for (const [authorityId, later] of waiting) {
        clearTimeout(later)
        run(authorityId, publishCrl)
      }
      waiting.clear()
      await work
    },
  }
}
