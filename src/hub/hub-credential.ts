/** Certificates of the hub itself: for its listeners, and for its OCSP answers. */
import { type Credential, credentialMovedTo } from '../core/identity/credential.ts'
import type { IdentityId } from '../core/identity/id.ts'
import { type Identity, noNames, profilesOfKind } from '../core/identity/identity.ts'
import { completeCredential } from './issue-credential.ts'
import type { Clock } from './ports/clock.ts'
import type { Transaction } from './ports/store.ts'

/** The identity that stands for the hub itself. */
export const hubIdentityId = 'hub' as IdentityId

/** As it is when it is first written down. */
export function hubIdentity(nowMs: number): Identity {
  return {
    id: hubIdentityId,
    kind: 'service',
    state: 'active',
    group: null,
    attributes: {},
    profiles: profilesOfKind.service,
    names: noNames,
    keyStorage: null,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
    version: 1,
  }
}

/**
 * A certificate of the hub is in use from the moment it is stored; the one before it is superseded.
 *
 * @param keyHashBefore the key of the one before it; null where there was none
 */
export async function takeIntoUse(
  tx: Transaction,
  clock: Clock,
  issued: Credential,
  keyHashBefore: string | null,
): Promise<void> {
  const nowMs = clock.nowMs()
  for (const old of await tx.credentials.ofIdentityIn(hubIdentityId, ['active'])) {
    if (old.publicKeyHash === keyHashBefore) await tx.credentials.update(credentialMovedTo(old, 'superseded', nowMs))
  }
  await completeCredential(tx, clock, credentialMovedTo(issued, 'active', nowMs))
  const { identityId, fingerprint, serialNumber } = issued
  await tx.events.append({ type: 'credential-issued', identityId, fingerprint, serialNumber })
  await tx.audit.append({
    atMs: nowMs,
    actor: 'hub',
    act: 'credential.issue',
    subject: hubIdentityId,
    before: null,
    after: { serialNumber, profile: issued.profile, notAfter: new Date(issued.notAfterSec * 1000).toISOString() },
  })
}
