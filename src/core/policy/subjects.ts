/** Subjects that nobody is: for expectations, and for questions about what somebody could do. */
import type { Credential } from '../identity/credential.ts'
import { type IdentityId, type IdentityKind, parseIdentityId } from '../identity/id.ts'
import { type Identity, noNames, profilesOfKind } from '../identity/identity.ts'
import type { Subject } from './rights.ts'

/** An identity that the registry does not know, as far as a policy can ask about it. */
export function imaginedIdentity(
  id: string,
  facts: {
    readonly kind: IdentityKind
    readonly group: string | null
    readonly attributes: Readonly<Record<string, string>>
  } = { kind: 'device', group: null, attributes: {} },
): Identity {
  return {
    id: parseIdentityId(id),
    state: 'active',
    profiles: profilesOfKind[facts.kind],
    names: noNames,
    keyStorage: null,
    createdAtMs: 0,
    updatedAtMs: 0,
    version: 1,
    ...facts,
  }
}

/**
 * Somebody who connects in the usual way: with a certificate of ours, over TLS 1.3, from an address that is not known, and
 * with the id for client id.
 */
export function usualSubject(identity: Identity, clientId: string = identity.id): Subject {
  const connection = { listener: 'mqtt', address: 'unknown', tlsVersion: 'TLSv1.3' }
  return { identity, proof: { kind: 'issued', credential: usualCredential(identity.id) }, clientId, connection }
}

function usualCredential(identityId: IdentityId): Credential {
  return {
    fingerprint: '',
    serialNumber: '',
    identityId,
    authorityId: '',
    profile: 'device',
    state: 'active',
    publicKeyHash: '',
    keyOrigin: 'holder',
    certificate: new Uint8Array(),
    crlShard: null,
    tokenId: null,
    parentSerial: null,
    notBeforeSec: 0,
    notAfterSec: 0,
    issuedAtMs: 0,
    activatedAtMs: 0,
    supersededAtMs: null,
    revokedAtMs: null,
    revocationReason: null,
  }
}
