/** Keeping CRLs fresh: after revocations, and long before they end. */
import { limits } from '../core/limits.ts'
import type { Authorities } from './authorities.ts'
import type { Clock } from './ports/clock.ts'
import type { CrlRow } from './ports/crls.ts'
import type { Log } from './ports/log.ts'
import type { Observer } from './ports/observer.ts'
import type { Store } from './ports/store.ts'
import { currentCrl, publishCrl } from './publish-crl.ts'

/** Revocations within this time share one CRL. */
const gatherMs = 500
/** How often the age of the CRLs is looked at, and what failed is tried again. */
const lookEveryMs = 60_000

/** When a CRL was made and when its successor is due at the latest, in milliseconds since the epoch. */
export type CrlDates = Pick<CrlRow, 'thisUpdateMs' | 'nextUpdateMs'>

export interface CrlRefresher {
  /**
   * A certificate of this authority was revoked.
   *
   * @param eventNumber of the event that says so
   * @param atMs when
   */
  revoked(authorityId: string, eventNumber: number, atMs: number): void
  /** Of the CRL that is served, or null while there is none. */
  datesOf(authorityId: string): CrlDates | null
  /** When the oldest revocation happened that no CRL holds yet, or null. */
  oldestOwedMs(): number | null
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
  readonly observer: Pick<Observer, 'revocationApplied'>
}): CrlRefresher {
  const waiting = new Map<string, NodeJS.Timeout>()
  const dates = new Map<string, CrlDates>()
  /** Authorities whose CRL must hold what was revoked up to this event. */
  const owed = new Map<string, number>()
  /** When revocations happened that no CRL holds yet, the oldest first, by authority. */
  const owedSinceMs = new Map<string, number[]>()
  const authorityIds = (): readonly string[] => hub.authorities.signing().map(({ id }) => id)
  let work: Promise<void> = oweFromBefore()

  async function oweFromBefore(): Promise<void> {
    try {
      const last = await hub.store.events.last()
      for (const authorityId of authorityIds()) owe(authorityId, last)
    } catch (error) {
      hub.log.error('it cannot be seen whether CRLs are owed', { error })
      for (const authorityId of authorityIds()) owe(authorityId, Number.POSITIVE_INFINITY)
    }
  }

  function owe(authorityId: string, eventNumber: number): void {
    owed.set(authorityId, Math.max(eventNumber, owed.get(authorityId) ?? 0))
  }

  function refresh(authorityId: string): void {
    work = work.then(async () => {
      const eventNumber = owed.get(authorityId)
      owed.delete(authorityId)
      const sinceMs = owedSinceMs.get(authorityId) ?? []
      const count = sinceMs.length
      try {
        dates.set(authorityId, await madeFor(authorityId, eventNumber))
        for (const atMs of sinceMs.splice(0, count)) hub.observer.revocationApplied('crl', hub.clock.nowMs() - atMs)
      } catch (error) {
        if (eventNumber !== undefined) owe(authorityId, eventNumber)
        hub.log.error('a CRL could not be made', { authorityId, error })
      }
    })
  }

  function look(): void {
    for (const authorityId of authorityIds()) refresh(authorityId)
  }

  function madeFor(authorityId: string, eventNumber: number | undefined): Promise<CrlRow> {
    if (eventNumber === undefined) return currentCrl(hub, authorityId)
    return publishCrl(hub, authorityId, (latest) => latest.eventNumber >= eventNumber)
  }

  /** For the time that it takes; those that do not fit are not timed. */
  function noteTime(authorityId: string, atMs: number): void {
    const sinceMs = owedSinceMs.get(authorityId)
    if (sinceMs === undefined) owedSinceMs.set(authorityId, [atMs])
    else if (sinceMs.length < limits.revocationsTimedMax) sinceMs.push(atMs)
  }

  look()
  const timer = setInterval(look, lookEveryMs)
  timer.unref()

  return {
    revoked(authorityId, eventNumber, atMs) {
      owe(authorityId, eventNumber)
      noteTime(authorityId, atMs)
      if (waiting.has(authorityId)) return
      const later = setTimeout(() => {
        waiting.delete(authorityId)
        refresh(authorityId)
      }, gatherMs)
      waiting.set(authorityId, later)
    },
    datesOf: (authorityId) => dates.get(authorityId) ?? null,
    oldestOwedMs() {
      const oldest = [...owedSinceMs.values()].flatMap((sinceMs) => sinceMs.slice(0, 1))
      return oldest.length === 0 ? null : Math.min(...oldest)
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
