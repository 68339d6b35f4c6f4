/** Certificates that the hub has not issued: what the gate needs to take them, and what ends their sessions. */
import type { Gate } from '../gate/gate.ts'
import { anchoredWay } from '../hub/admit-anchored.ts'
import { pinnedWay } from '../hub/admit-pinned.ts'
import type { Authorities } from '../hub/authorities.ts'
import type { CurrentPolicy } from '../hub/current-policy.ts'
import { type ForeignStatus, foreignStatus } from '../hub/foreign-status.ts'
import type { OtherWay } from '../hub/gate-admission.ts'
import type { Clock } from '../hub/ports/clock.ts'
import type { HubEvent } from '../hub/ports/events.ts'
import type { Log } from '../hub/ports/log.ts'
import type { StatusFetcher } from '../hub/ports/status-fetcher.ts'
import type { Store } from '../hub/ports/store.ts'
import { openTrustedAnchors, type TrustedAnchors } from '../hub/trusted-anchors.ts'

interface Parts {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  readonly policy: CurrentPolicy
  readonly authorities: Authorities
  readonly fetcher: StatusFetcher
  wantCrl(anchorId: string, certificate: Uint8Array): void
}

export interface ForeignCertificates {
  readonly ways: readonly OtherWay[]
  /** What a listener with these trust anchors tells clients that it trusts: our own roots as well, since some choose by it. */
  trustedFor(anchors: readonly string[]): readonly string[]
  noted(event: HubEvent, gate: Pick<Gate, 'refreshTrust' | 'closeAnchored'>): void
  /** What the sweep asks of sessions that live by trust anchors. */
  readonly living: Pick<TrustedAnchors, 'refresh'> & Pick<ForeignStatus, 'endOf' | 'renew'>
}

export async function openForeignCertificates(parts: Parts): Promise<ForeignCertificates> {
  const { authorities, log } = parts
  const anchors = await openTrustedAnchors(parts)
  const status = foreignStatus({ ...parts, anchors, wantCrl: (id, certificate) => parts.wantCrl(id, certificate) })
  const refresh = async (): Promise<void> => {
    await anchors.refresh()
    status.anchorsChanged()
  }
  return {
    // What an anchor has signed is judged by its rules, whatever else is written down of it.
    ways: [anchoredWay({ ...parts, anchors, status }), pinnedWay(parts)],
    trustedFor: (ids) => [...anchors.among(ids).map(({ pem }) => pem), authorities.rootsPem()],
    noted(event, gate) {
      if (event.type === 'authority-changed') gate.refreshTrust()
      if (event.type !== 'anchor-changed') return
      refresh()
        .then(() => {
          // A CRL changes nothing of what TLS trusts.
          if (event.crlThisUpdateMs === undefined) gate.refreshTrust()
          gate.closeAnchored((anchored) => status.endOf(anchored))
        })
        .catch((error: unknown) => log.error('the trust anchors could not be read', { event: event.number, error }))
    },
    living: { refresh, endOf: (anchored) => status.endOf(anchored), renew: (living) => status.renew(living) },
  }
}
