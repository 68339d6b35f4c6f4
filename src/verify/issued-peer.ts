/** A peer with a certificate of the hub, as far as a policy can ask about it. */
import { imaginedIdentity, usualSubject } from '../core/policy/subjects.ts'
import type { PeerAnswer } from './hub/wire.ts'
import type { Leaf } from './leaf.ts'
import type { Peer } from './verdict.ts'

export function issuedPeer({ facts }: Leaf, answer: PeerAnswer & { readonly admitted: true }): Peer {
  const { id, kind, group, attributes, keyStorage, authority, profile, keyOrigin } = answer
  const identity = imaginedIdentity(id, { kind, group, attributes, keyStorage })
  const { proof } = usualSubject(identity)
  const { fingerprint, serialNumber, notBeforeSec, notAfterSec } = facts
  const known = { fingerprint, serialNumber, notBeforeSec, notAfterSec, authorityId: authority, profile, keyOrigin }
  return {
    identity,
    proof: proof.kind === 'issued' ? { kind: 'issued', credential: { ...proof.credential, ...known } } : proof,
    certificate: facts,
    endsAtMs: answer.endsAtMs,
  }
}
