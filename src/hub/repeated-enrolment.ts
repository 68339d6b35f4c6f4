/** A token that has been used and comes again, because its answer was lost. */
import { HubError, quote } from '../core/errors.ts'
import { type Credential, credentialRevoked } from '../core/identity/credential.ts'
import type { Token } from '../core/identity/token.ts'
import type { KeyAsking } from './enrolment-approval.ts'
import type { Transaction } from './ports/store.ts'

/**
 * The certificate that this token and key were answered with, while it waits for its first use.
 *
 * @throws HubError `token-used`
 */
export async function pendingOfToken(tx: Transaction, { token, publicKeyHash }: KeyAsking): Promise<Credential> {
  const same = (await ofToken(tx, token)).find((credential) => credential.publicKeyHash === publicKeyHash)
  if (same?.state === 'pending' && same.keyOrigin === 'holder') return same
  throw used(token, same)
}

/**
 * Revokes the certificate of a key that the hub has made, handed out and forgotten, so that another can take its place: the
 * holder of the token has not got it. One that has been used is nobody's to replace.
 *
 * @throws HubError `token-used`
 */
export async function replaceLost(tx: Transaction, token: Token, nowMs: number): Promise<void> {
  const issued = await ofToken(tx, token)
  const lost = issued.filter(({ state, keyOrigin }) => state === 'pending' && keyOrigin === 'hub')
  if (lost.length === 0) throw used(token, issued.at(-1))
  for (const credential of lost) {
    const revoked = credentialRevoked(credential, 'superseded', nowMs)
    await tx.credentials.update(revoked)
    await tx.events.append({
      type: 'credential-revoked',
      identityId: revoked.identityId,
      authorityId: revoked.authorityId,
      fingerprint: revoked.fingerprint,
      serialNumber: revoked.serialNumber,
      reason: 'superseded',
    })
    await tx.audit.append({
      atMs: nowMs,
      actor: `token:${token.id}`,
      act: 'credential.revoke',
      subject: revoked.serialNumber,
      before: { state: credential.state, reason: null },
      after: { state: revoked.state, reason: 'superseded', identity: revoked.identityId },
    })
  }
}

/** What was issued for it. An intent that nobody completed has been handed out to nobody. */
async function ofToken(tx: Transaction, token: Token): Promise<readonly Credential[]> {
  return (await tx.credentials.ofToken(token.id)).filter(({ state }) => state !== 'intended')
}

function used({ identityId }: Token, credential: Credential | undefined): HubError {
  const what = `the enrolment token for ${quote(identityId)} was used already`
  return new HubError(
    'token-used',
    credential === undefined ? `${what}, with another key` : `${what} and its certificate is ${credential.state}`,
  )
}
