/** Keeping CRLs fresh: after revocations, and long before they end. */
import type { Authorities } from './authorities.ts'
import type { Clock } from './ports/clock.ts'
import type { Log } from './ports/log.ts'
import type { Store } from './ports/store.ts'
import { currentCrl, publishCrl } from './publish-crl.ts'

/** Revocations within this time share one CRL. */
const gatherMs = 500
/** How often the age of the CRLs is looked at, and what failed is tried again. */
const lookEveryMs = 60_000

export interface CrlRefresher {
  /** A certificate of this authority was revoked. */
  revoked(authorityId: string): void
  stop(): Promise<void>
}

/**
 * Makes a CRL for each authority now, since a hub that was killed may have owed one, and keeps them fresh from then on.
 */
export function keepCrlsFresh(hub: {
  readonly store: Store
  readonly clock: Clock
  readonly authorities: Authorities
  readonly log: Log
}): CrlRefresher {
  const waiting = new Map<string, NodeJS.Timeout>()
  /** Authorities with revocations that no CRL holds yet. */
  const owed = new Set<string>()
  const authorityIds = [hub.authorities.root.id, hub.authorities.issuing.id]
  let work: Promise<void> = Promise.resolve()

  function refresh(authorityId: string): void {
    work = work.then(async () => {
      const isOwed = owed.delete(authorityId)
      try {
        await (isOwed ? publishCrl : currentCrl)(hub, authorityId)
      } catch (error) {
        if (isOwed) owed.add(authorityId)
        hub.log.error('a CRL could not be made', { authorityId, error })
      }
    })
  }

  function look(): void {
    for (const authorityId of authorityIds) refresh(authorityId)
  }

  for (const authorityId of authorityIds) owed.add(authorityId)
  look()
  const timer = setInterval(look, lookEveryMs)
  timer.unref()

  return {
    revoked(authorityId) {
      owed.add(authorityId)
      if (waiting.has(authorityId)) return
      const later = setTimeout(() => {
        waiting.delete(authorityId)
        refresh(authorityId)
      }, gatherMs)
      waiting.set(authorityId, later)
    },
    async stop() {
      clearInterval(timer)
      for (const later of waiting.values()) clearTimeout(later)
      waiting.clear()
      for (const authorityId of owed) refresh(authorityId)
      await work
    },
  }
}
