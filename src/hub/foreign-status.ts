/**
 * Whether certificates of trust anchors are revoked, from all that is known: CRLs in the registry, the word of responders, and, where
 * a certificate is the first to name a CRL, that one, for which its holder waits a moment.
 */
import type { FailureName } from '../core/failure/catalogue.ts'
import type { Anchored } from '../core/identification/anchor.ts'
import { limits } from '../core/limits.ts'
import { Responders } from './ask-responders.ts'
import type { Clock } from './ports/clock.ts'
import type { Log } from './ports/log.ts'
import type { StatusFetcher } from './ports/status-fetcher.ts'
import type { TrustedAnchors } from './trusted-anchors.ts'

interface Hub {
  readonly clock: Clock
  readonly log: Log
  readonly fetcher: StatusFetcher
  readonly anchors: TrustedAnchors
  /** Has the CRLs fetched that a certificate names, by whoever writes; their coming is told by an event. */
  wantCrl(anchorId: string, certificate: Uint8Array): void
}

export interface ForeignStatus {
  /** Why a certificate opens nothing now, asking whom there is to ask; null where it does. @param certificate DER */
  refusalOf(anchored: Anchored, certificate: Uint8Array): Promise<FailureName | null>
  /**
   * Why a session that lives must end; null where it may live on. It asks nobody, and that nothing is known any more ends no session: the next
   * connection is refused.
   */
  endOf(anchored: Anchored): FailureName | null
  /** Asks again about sessions that live by the word of responders, as far as it has ended. */
  renew(living: readonly Anchored[]): Promise<void>
  /** The trust anchors have been read again. */
  anchorsChanged(): void
}

export function foreignStatus(hub: Hub): ForeignStatus {
  const { anchors } = hub
  const responders = new Responders(hub)
  const arrivals = new Set<() => void>()
  /** Addresses that were waited for in vain, and until when nobody waits again. */
  const missed = new Map<string, number>()

  async function learned(anchored: Anchored, certificate: Uint8Array): Promise<void> {
    const { anchorId, points } = anchored
    const key = `${anchorId} ${points.join(' ')}`
    if (points.length === 0 || anchors.find(anchorId)?.sources.isByCertificates !== true) return
    if ((missed.get(key) ?? 0) > hub.clock.nowMs()) return
    hub.wantCrl(anchorId, certificate)
    const isThere = (): boolean => !isUnknown(anchors.refusalOf(anchored, null))
    if (await arrival(isThere)) missed.delete(key)
    else {
      if (missed.size >= limits.anchorCrlsMax) missed.clear()
      missed.set(key, hub.clock.nowMs() + limits.ocspRetryMs)
    }
  }

  /** @returns whether it was there in time */
  function arrival(isThere: () => boolean): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (outcome: boolean): void => {
        clearTimeout(timer)
        arrivals.delete(look)
        resolve(outcome)
      }
      const look = (): void => {
        if (isThere()) end(true)
      }
      const timer = setTimeout(() => end(isThere()), limits.crlLearnWaitMs)
      arrivals.add(look)
    })
  }

  return {
    async refusalOf(anchored, certificate) {
      const refusal = anchors.refusalOf(anchored, responders.known(anchored))
      // What is known to be wrong is not asked about, and neither is what nobody can say more of.
      if (!isUnknown(refusal) && refusal !== null) return refusal
      const ocsp = await responders.statusOf(anchored)
      const answered = anchors.refusalOf(anchored, ocsp)
      if (!isUnknown(answered)) return answered
      await learned(anchored, certificate)
      return anchors.refusalOf(anchored, ocsp)
    },
    endOf(anchored) {
      const refusal = anchors.refusalOf(anchored, responders.known(anchored))
      return isUnknown(refusal) ? null : refusal
    },
    async renew(living) {
      const due = living.filter((each) => responders.isDue(each)).slice(0, limits.ocspSweptMax)
      const asked = Promise.all(due.map((each) => responders.statusOf(each)))
      // A slow responder holds nothing up: what it says later counts at the next sweep.
      const { promise: late, resolve } = Promise.withResolvers<void>()
      const timer = setTimeout(resolve, limits.ocspQuestionMs)
      await Promise.race([asked, late])
      clearTimeout(timer)
    },
    anchorsChanged() {
      for (const look of [...arrivals]) look()
    },
  }
}

/** Nobody has said yet whether the certificate is revoked: another CRL, or a responder, may. */
function isUnknown(refusal: FailureName | null): boolean {
  return refusal === 'foreign-revocation-unknown' || refusal === 'foreign-crl-ended'
}
