/** Subjects that nobody is: for expectations, and for questions about what somebody could do. */
import type { Credential } from '../identity/credential.ts'
import { type IdentityId, type IdentityKind, parseIdentityId } from '../identity/id.ts'
import { type Identity, type KeyStorage, noNames, profilesOfKind } from '../identity/identity.ts'
import type { Proof } from '../identity/proof.ts'
import type { TestConnection } from './model.ts'
import type { Subject } from './rights.ts'

/** An identity that the registry does not know, as far as a policy can ask about it. */
export function imaginedIdentity(
  id: string,
  facts: {
    readonly kind: IdentityKind
    readonly group: string | null
    readonly attributes: Readonly<Record<string, string>>
    readonly keyStorage: KeyStorage | null
  } = { kind: 'device', group: null, attributes: {}, keyStorage: null },
): Identity {
  return {
    id: parseIdentityId(id),
    state: 'active',
    profiles: profilesOfKind[facts.kind],
    names: noNames,
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

/** Somebody who connects in that way, and in the usual one where it does not say. */
export function testSubject(identity: Identity, asked: TestConnection): Subject {
  const { connection, ...usual } = usualSubject(identity, asked.clientId ?? identity.id)
  return {
    ...usual,
    proof: testProof(identity.id, asked),
    connection: {
      listener: asked.listener ?? connection.listener,
      address: asked.address ?? connection.address,
      tlsVersion: asked.tlsVersion === null ? connection.tlsVersion : `TLSv${asked.tlsVersion}`,
    },
  }
}

function testProof(id: IdentityId, { proof, issuer, profile }: TestConnection): Proof {
  switch (proof) {
    case 'anchored': {
      const anchorId = issuer ?? ''
      const anchored = { anchorId, issuer: '', responders: [], serialNumber: '', points: [] }
      return { kind: 'anchored', anchorId, anchored, rule: '', fingerprint: '', notAfterSec: 0 }
    }
    case 'pinned':
      return { kind: 'pinned', slot: 'primary', fingerprint: '', notAfterSec: null }
    case 'password':
      return { kind: 'password', passwordId: '' }
    default: {
      const credential = usualCredential(id)
      return {
        kind: 'issued',
        credential: {
          ...credential,
          authorityId: issuer ?? credential.authorityId,
          profile: profile ?? credential.profile,
        },
      }
    }
  }
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
