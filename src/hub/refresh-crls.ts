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
  /** A certificate of this authority was revoked. @param eventNumber of the event that says so */
  revoked(authorityId: string, eventNumber: number): void
  stop(): Promise<void>
}

/**
 * Makes a CRL for each authority that has had none since the newest event, because a hub that was killed may have owed one,
 * and keeps them fresh from then on. Processes that share a registry hear of the same revocation; the first of them makes
 * the CRL, and the others find that it holds the revocation already.
 */
export function keepCrlsFresh(hub: {
  readonly store: Store
  readonly clock: Clock
  readonly authorities: Authorities
  readonly log: Log
}): CrlRefresher {
  const waiting = new Map<string, NodeJS.Timeout>()
  /** Authorities whose CRL must hold what was revoked up to this event. */
  const owed = new Map<string, number>()
  const authorityIds = [hub.authorities.root.id, hub.authorities.issuing.id]
  let work: Promise<void> = oweFromBefore()

  async function oweFromBefore(): Promise<void> {
    try {
      const last = await hub.store.events.last()
      for (const authorityId of authorityIds) owe(authorityId, last)
    } catch (error) {
      hub.log.error('it cannot be seen whether CRLs are owed', { error })
      for (const authorityId of authorityIds) owe(authorityId, Number.POSITIVE_INFINITY)
    }
  }

  function owe(authorityId: string, eventNumber: number): void {
    owed.set(authorityId, Math.max(eventNumber, owed.get(authorityId) ?? 0))
  }

  function refresh(authorityId: string): void {
    work = work.then(async () => {
      const eventNumber = owed.get(authorityId)
      owed.delete(authorityId)
      try {
        if (eventNumber === undefined) await currentCrl(hub, authorityId)
        else await publishCrl(hub, authorityId, (latest) => latest.eventNumber >= eventNumber)
      } catch (error) {
        if (eventNumber !== undefined) owe(authorityId, eventNumber)
        hub.log.error('a CRL could not be made', { authorityId, error })
      }
    })
  }

  function look(): void {
    for (const authorityId of authorityIds) refresh(authorityId)
  }

  look()
  const timer = setInterval(look, lookEveryMs)
  timer.unref()

  return {
    revoked(authorityId, eventNumber) {
      owe(authorityId, eventNumber)
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
      for (const authorityId of owed.keys()) refresh(authorityId)
      await work
    },
  }
}
