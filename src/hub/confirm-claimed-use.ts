/**
 * First uses that a gate on another machine tells of. What it says is a claim: it may have fallen into other hands. So nothing of it
 * is taken but names; what they stand for is read from the registry and the policy, and judged once more as if nobody had.
 */

import { HubError } from '../core/errors.ts'
import type { FailureName } from '../core/failure/catalogue.ts'
import type { Anchored } from '../core/identification/anchor.ts'
import type { IdentityId } from '../core/identity/id.ts'
import type { Identity } from '../core/identity/identity.ts'
import type { Proof } from '../core/identity/proof.ts'
import { readCertificate } from '../core/x509/certificate.ts'
import { type CertificateSummary, certificateSummary } from '../core/x509/certificate-summary.ts'
import type { CurrentPolicy } from './current-policy.ts'
import type { Entrant, GateAdmission, Refusal } from './gate-admission.ts'
import type { Clock } from './ports/clock.ts'
import type { Store } from './ports/store.ts'
import { newDevice } from './registration.ts'

/** By what somebody came in, as far as a gate names it. */
export type ClaimedProof =
  | { readonly kind: 'issued' | 'pinned'; readonly fingerprint: string }
  | {
      readonly kind: 'anchored'
      readonly anchorId: string
      readonly rule: string
      readonly fingerprint: string
      readonly notAfterSec: number
    }
  | { readonly kind: 'password'; readonly passwordId: string }

export interface ClaimedUse {
  readonly identityId: IdentityId
  readonly proof: ClaimedProof
}

interface Hub {
  readonly store: Pick<Store, 'credentials' | 'identities' | 'pins' | 'anchors'>
  readonly clock: Clock
  readonly policy: Pick<CurrentPolicy, 'identificationRules'>
  /** Writes the use, as at the hub's own gate. */
  readonly confirmUse: GateAdmission['confirmUse']
}

/** What of an entrant a hub needs to be told. */
export function claimOf({ identity, proof }: Entrant): ClaimedUse {
  return { identityId: identity.id, proof: claimedProof(proof) }
}

function claimedProof(proof: Proof): ClaimedProof {
  switch (proof.kind) {
    case 'issued':
      return { kind: 'issued', fingerprint: proof.credential.fingerprint }
    case 'pinned':
      return { kind: 'pinned', fingerprint: proof.fingerprint }
    case 'anchored': {
      const { kind, anchorId, rule, fingerprint, notAfterSec } = proof
      return { kind, anchorId, rule, fingerprint, notAfterSec }
    }
    case 'password':
      return proof
  }
}

/**
 * Judges a claimed use and writes it down; it is on disk when this is fulfilled.
 *
 * @throws HubError `store-unavailable`
 */
export async function confirmClaimedUse(hub: Hub, { identityId, proof }: ClaimedUse): Promise<Entrant | Refusal> {
  const known = await hub.store.identities.find(identityId)
  const identity = known ?? (proof.kind === 'anchored' ? newcomer(hub, identityId, proof) : null)
  if (identity === null) return refusal('identity-not-found', `${identityId} is not known`, identityId)
  const proved = await provedBy(hub, identityId, proof)
  if ('code' in proved) return proved
  return hub.confirmUse({ admitted: true, identity, proof: proved, summary: summaryOf(proved) })
}

/** Somebody whom a rule of the active policy lets in unknown, as the rule has it. */
function newcomer(
  { policy, clock }: Hub,
  id: IdentityId,
  { anchorId, rule: name }: ClaimedProof & { readonly kind: 'anchored' },
): Identity | null {
  const rule = policy.identificationRules().find((each) => each.name === name && each.anchors.includes(anchorId))
  if (rule === undefined || rule.onUnknown === 'deny') return null
  const state = rule.onUnknown === 'create' ? 'active' : 'pending'
  return newDevice({ id, state, group: rule.group, attributes: {} }, clock.nowMs())
}

/** The gate has asked whether the certificate is revoked; to write its use down nobody is asked. */
const unasked: Omit<Anchored, 'anchorId'> = { serialNumber: '', points: [], issuer: '', responders: [] }

async function provedBy({ store }: Hub, identityId: IdentityId, proof: ClaimedProof): Promise<Proof | Refusal> {
  switch (proof.kind) {
    case 'issued': {
      const credential = await store.credentials.find(proof.fingerprint)
      if (credential?.identityId === identityId) return { kind: 'issued', credential }
      return refusal(
        'certificate-unknown-serial',
        `the registry holds no such certificate of ${identityId}`,
        identityId,
      )
    }
    case 'pinned': {
      const pin = await store.pins.find(proof.fingerprint)
      if (pin?.identityId === identityId) return { ...proof, kind: 'pinned', slot: pin.slot, notAfterSec: null }
      return refusal('pin-removed', `no such certificate is pinned for ${identityId}`, identityId)
    }
    case 'anchored': {
      const anchor = (await store.anchors.all()).find(({ id }) => id === proof.anchorId)
      if (anchor?.state === 'trusted') return { ...proof, anchored: { ...unasked, anchorId: anchor.id } }
      return refusal('anchor-distrusted', `${proof.anchorId} is not a trust anchor of this hub`, identityId)
    }
    case 'password':
      return proof
  }
}

function summaryOf(proof: Proof): CertificateSummary | null {
  if (proof.kind !== 'issued') return null
  const { certificate } = proof.credential
  return certificateSummary(certificate, readCertificate(certificate))
}

function refusal(code: FailureName, sentence: string, identityId: IdentityId): Refusal {
  return { admitted: false, code, sentence, identityId, summary: null }
}

/**
 * At the gate: somebody whose use the hub has written, as the registry has it now.
 *
 * @throws HubError `store-unavailable` where this process does not see yet what the hub has written
 */
export async function confirmedEntrant(
  store: Pick<Store, 'credentials' | 'identities'>,
  entrant: Entrant,
): Promise<Entrant> {
  const { proof } = entrant
  const identity = await store.identities.find(entrant.identity.id)
  if (identity === null)
    throw new HubError('store-unavailable', 'the database does not show yet what the hub has written')
  if (proof.kind !== 'issued') return { ...entrant, identity }
  const credential = await store.credentials.find(proof.credential.fingerprint)
  return { ...entrant, identity, proof: { ...proof, credential: credential ?? proof.credential } }
}
