/**
 * The first use of a certificate: the proof that the device has it. Only then does it take the place of the one before, so
 * that an answer that was lost costs nothing.
 */
import { type Credential, credentialMovedTo, credentialRevoked } from '../core/identity/credential.ts'
import type { Identity } from '../core/identity/identity.ts'
import type { Transaction } from './ports/store.ts'

/**
 * Writes the first use, where it is one.
 *
 * @returns the credential as it is now
 */
export async function firstUse(
  tx: Transaction,
  { credential, identity }: { readonly credential: Credential; readonly identity: Pick<Identity, 'kind'> },
  nowMs: number,
): Promise<Credential> {
  if (credential.activatedAtMs !== null) return credential
  if (credential.state === 'quarantined') return firstUseInQuarantine(tx, credential, nowMs)
  if (credential.state !== 'pending') return credential
  const active = credentialMovedTo(credential, 'active', nowMs)
  const superseded = await supersedeBefore(tx, active, identity, nowMs)
  await tx.credentials.update(active)
  await tx.events.append({ type: 'credential-activated', ...idsOf(active) })
  await auditActivation(tx, active, { superseded }, nowMs, identity.kind)
  return active
}

/**
 * What a credential in use takes the place of. A device has one in use, whatever brought it; a person may have one on each
 * machine, and a service one for each process, so that there only the one goes that was renewed.
 *
 * @param active is not looked at itself
 * @returns serial numbers
 */
export async function supersedeBefore(
  tx: Transaction,
  active: Credential,
  identity: Pick<Identity, 'kind'>,
  nowMs: number,
): Promise<readonly string[]> {
  const inUse = await tx.credentials.ofIdentityIn(active.identityId, ['active'])
  const followed = inUse.filter(
    (old) =>
      old.profile === active.profile &&
      old.fingerprint !== active.fingerprint &&
      (identity.kind === 'device' || old.serialNumber === active.parentSerial),
  )
  for (const old of followed) {
    await tx.credentials.update(credentialMovedTo(old, 'superseded', nowMs))
    await tx.events.append({ type: 'credential-superseded', ...idsOf(old) })
    // What was renewed from it and not used must not take the place of what is in use now.
    for (const child of await tx.credentials.childrenOf(old.serialNumber)) {
      const waits = child.state === 'pending' && child.profile === active.profile
      if (waits && child.fingerprint !== active.fingerprint) await revokeSuperseded(tx, child, 'hub', nowMs)
    }
  }
  return followed.map(({ serialNumber }) => serialNumber)
}

/**
 * It stays where it is and supersedes nothing that has all its rights. One in quarantine that it was renewed from, or that has
 * the same key and origin, ends without an overlap; of rivals the operator chooses.
 */
async function firstUseInQuarantine(tx: Transaction, credential: Credential, nowMs: number): Promise<Credential> {
  const used = { ...credential, activatedAtMs: nowMs }
  const held = await tx.credentials.ofIdentityIn(credential.identityId, ['quarantined'])
  const followed = held.filter((old) => isFollowedInQuarantine(old, credential))
  for (const old of followed) await revokeSuperseded(tx, old, `device:${old.identityId}`, nowMs)
  await tx.credentials.update(used)
  await tx.events.append({ type: 'credential-activated', ...idsOf(used) })
  await auditActivation(tx, used, { revoked: followed.map(({ serialNumber }) => serialNumber) }, nowMs)
  return used
}

function isFollowedInQuarantine(old: Credential, { fingerprint, profile, parentSerial, publicKeyHash }: Credential) {
  if (old.fingerprint === fingerprint || old.profile !== profile) return false
  if (old.serialNumber === parentSerial) return true
  return old.parentSerial === parentSerial && old.publicKeyHash === publicKeyHash
}

/** Revokes a credential because another one has its place, so that readers of CRLs agree. */
export async function revokeSuperseded(
  tx: Transaction,
  credential: Credential,
  actor: string,
  nowMs: number,
): Promise<void> {
  const revoked = credentialRevoked(credential, 'superseded', nowMs)
  const { identityId, authorityId, fingerprint, serialNumber } = revoked
  await tx.credentials.update(revoked)
  await tx.events.append({
    type: 'credential-revoked',
    ...{ identityId, authorityId, fingerprint, serialNumber, reason: 'superseded' },
  })
  await tx.audit.append({
    atMs: nowMs,
    actor,
    act: 'credential.revoke',
    subject: serialNumber,
    before: { state: credential.state, reason: null },
    after: { state: 'revoked', reason: 'superseded', identity: identityId },
  })
}

async function auditActivation(
  tx: Transaction,
  active: Credential,
  before: unknown,
  nowMs: number,
  kind: Identity['kind'] = 'device',
): Promise<void> {
  await tx.audit.append({
    atMs: nowMs,
    actor: `${kind}:${active.identityId}`,
    act: 'credential.activate',
    subject: active.identityId,
    before,
    after: { serialNumber: active.serialNumber, state: active.state },
  })
}

export function idsOf({ identityId, fingerprint, serialNumber }: Credential) {
  return { identityId, fingerprint, serialNumber } as const
}
