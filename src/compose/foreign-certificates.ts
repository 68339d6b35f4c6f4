/** Certificates that the hub has not issued: what the gate needs to take them, and what ends their sessions. */
import type { Gate } from '../gate/gate.ts'
import { anchoredWay } from '../hub/admit-anchored.ts'
import { pinnedWay } from '../hub/admit-pinned.ts'
import type { Authorities } from '../hub/authorities.ts'
import type { CurrentPolicy } from '../hub/current-policy.ts'
import type { OtherWay } from '../hub/gate-admission.ts'
import type { Clock } from '../hub/ports/clock.ts'
import type { HubEvent } from '../hub/ports/events.ts'
import type { Log } from '../hub/ports/log.ts'
import type { Store } from '../hub/ports/store.ts'
import { openTrustedAnchors } from '../hub/trusted-anchors.ts'

interface Parts {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  readonly policy: CurrentPolicy
  readonly authorities: Authorities
}

export interface ForeignCertificates {
  readonly ways: readonly OtherWay[]
  /** What a listener with these trust anchors tells clients that it trusts: our own roots as well, since some choose by it. */
  trustedFor(anchors: readonly string[]): readonly string[]
  noted(event: HubEvent, gate: Pick<Gate, 'refreshTrust' | 'closeAnchored'>): void
}

export async function openForeignCertificates(parts: Parts): Promise<ForeignCertificates> {
  const { authorities, log } = parts
  const anchors = await openTrustedAnchors(parts)
  return {
    // What an anchor has signed is judged by its rules, whatever else is written down of it.
    ways: [anchoredWay({ ...parts, anchors }), pinnedWay(parts)],
    trustedFor: (ids) => [...anchors.among(ids).map(({ pem }) => pem), authorities.rootsPem()],
    noted(event, gate) {
      if (event.type === 'authority-changed') gate.refreshTrust()
      if (event.type !== 'anchor-changed') return
      anchors
        .refresh()
        .then(() => {
          gate.refreshTrust()
          gate.closeAnchored(({ anchorId, serialNumber }) => anchors.refusalOf(anchorId, serialNumber))
        })
        .catch((error: unknown) => log.error('the trust anchors could not be read', { event: event.number, error }))
    },
  }
}
