/** Admission of certificates that were written down by their thumbprint. */

import { dateRefusal } from '../core/identification/foreign-certificate.ts'
import { identityRefusal } from '../core/identity/identity.ts'
import { fingerprintOf } from '../core/identity/proof.ts'
import { certificateFingerprint, readCertificate } from '../core/x509/certificate.ts'
import { certificateSummary } from '../core/x509/certificate-summary.ts'
import { dateWords } from '../core/x509/validity-words.ts'
import type { Entrant, OtherWay, Refusal } from './gate-admission.ts'
import { type Clock, nowSec } from './ports/clock.ts'
import type { Store } from './ports/store.ts'

interface Hub {
  readonly store: Store
  readonly clock: Clock
}

/** The way in of pinned certificates. */
export function pinnedWay(hub: Hub): OtherWay {
  return {
    kinds: new Set(['pinned']),
    judge: async ({ certificate }) => (certificate === null ? null : judgePinned(hub, certificate)),
    confirmUse: (entrant) => confirmPinned(hub, entrant),
  }
}

/** The judgement of a certificate that is pinned; null where it is not. */
async function judgePinned(hub: Hub, certificate: Uint8Array): Promise<Entrant | Refusal | null> {
  const pin = await hub.store.pins.find(certificateFingerprint(certificate))
  if (pin === null) return null
  const fields = readCertificate(certificate)
  const summary = certificateSummary(certificate, fields)
  const identity = await hub.store.identities.find(pin.identityId)
  const dates = pin.datesCount ? dateRefusal(fields, nowSec(hub.clock)) : null
  const state = identity === null ? 'identity-not-found' : identityRefusal(identity.state)
  const code = state ?? dates
  if (code !== null || identity === null) {
    const name = code ?? 'identity-not-found'
    const sentence =
      state === null
        ? `the ${pin.slot} certificate of ${pin.identityId} ${dateWords(fields, nowSec(hub.clock))}, and its dates count`
        : `${pin.identityId} is ${identity?.state ?? 'not known'}`
    return { admitted: false, code: name, sentence, identityId: pin.identityId, summary }
  }
  const { slot, fingerprint } = pin
  return {
    admitted: true,
    identity,
    proof: { kind: 'pinned', slot, fingerprint, notAfterSec: pin.datesCount ? fields.notAfterSec : null },
    summary,
  }
}

/** Writes the first use down; states are read again. */
async function confirmPinned(hub: Hub, entrant: Entrant): Promise<Entrant | Refusal> {
  const fingerprint = fingerprintOf(entrant.proof) ?? ''
  const before = await hub.store.pins.find(fingerprint)
  if (before?.usedAtMs != null) return entrant
  return hub.store.write(async (tx) => {
    const pin = await tx.pins.find(fingerprint)
    const identity = await tx.identities.find(entrant.identity.id)
    const refusal = identity === null ? 'identity-not-found' : identityRefusal(identity.state)
    if (pin === null || refusal !== null) {
      const code = refusal ?? 'pin-removed'
      const sentence = 'the certificate was taken off the list a moment ago'
      return { admitted: false, code, sentence, identityId: entrant.identity.id, summary: entrant.summary }
    }
    await tx.pins.noteUse(pin.fingerprint, hub.clock.nowMs())
    return entrant
  })
}
