/** A token and a certificate request become a certificate. */
import { HubError, quote } from '../core/errors.ts'
import { failure } from '../core/failure/catalogue.ts'
import type { Credential } from '../core/identity/credential.ts'
import type { IdentityId, Realm } from '../core/identity/id.ts'
import { type Identity, identityRefusal } from '../core/identity/identity.ts'
import { type Token, tokenRefusal } from '../core/identity/token.ts'
import { deviceProfile } from '../core/profile/built-in.ts'
import { certificateContent } from '../core/profile/certificate-content.ts'
import { assertRequestFits } from '../core/profile/request-check.ts'
import type { Secret } from '../core/secret.ts'
import { parseCertificateRequest, verifyCertificateRequest } from '../core/x509/certificate-request.ts'
import { assertAcceptableKey, publicKeyHash } from '../core/x509/public-key.ts'
import type { Authorities } from './authorities.ts'
import { completeCredential, issueCredential } from './issue-credential.ts'
import type { Clock } from './ports/clock.ts'
import type { IssuanceOutcome, Observer } from './ports/observer.ts'
import type { Random } from './ports/random.ts'
import type { StatusPlaces } from './ports/status-places.ts'
import type { Store, Transaction } from './ports/store.ts'
import { grantedProfile } from './profiles.ts'
import { parseSecretText, secretMatches } from './secret-text.ts'

export interface EnrolmentHub {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly observer: Pick<Observer, 'issuance' | 'enrolmentRefused' | 'renewal'>
  readonly realm: Realm
  readonly authorities: Pick<Authorities, 'issuing'>
  readonly statusPlaces: StatusPlaces
}

export interface EnrolmentRequest {
  /** The token's whole text as presented, or null when none was. */
  readonly tokenText: Secret | null
  /** The id that came with the token; empty when the client gave none. */
  readonly claimedId: string
  /** PKCS#10 in DER. */
  readonly certificateRequest: Uint8Array
}

/**
 * Issues the certificate that a token allows. While that certificate has not been used yet, the same token with the same
 * public key gets the same certificate again, so that a lost answer costs nothing.
 *
 * @returns the credential; it is on disk
 * @throws HubError `token-missing`, `token-invalid`, `token-expired`, `token-revoked`, `token-used`, `csr-unreadable`,
 *   `csr-signature-invalid`, `csr-key-unacceptable`, `csr-asks-too-much`, `profile-not-granted`, `attribute-missing`,
 *   `name-invalid`, `names-missing`, or the refusal of the identity's state
 */
export async function enrol(hub: EnrolmentHub, request: EnrolmentRequest): Promise<Credential> {
  const { observer } = hub
  // As long as nobody knows better.
  let profileName = deviceProfile.name
  try {
    const token = await authenticateToken(hub, request)
    profileName = token.profile
    const { credential, outcome, isRenewal } = await answerTo(hub, token, request)
    observer.issuance(profileName, outcome)
    if (isRenewal) observer.renewal(profileName, 'renewed')
    return credential
  } catch (error) {
    observer.issuance(profileName, isOurs(error) ? 'failed' : 'refused')
    observer.enrolmentRefused(error instanceof HubError ? error.code : 'internal')
    throw error
  }
}

interface EnrolmentAnswer {
  readonly credential: Credential
  readonly outcome: IssuanceOutcome
  /** True where the identity had a certificate before. */
  readonly isRenewal: boolean
}

/** True where a better request would not have helped. */
function isOurs(error: unknown): boolean {
  return !(error instanceof HubError) || ['unavailable', 'internal', 'local'].includes(failure(error.code).kind)
}

async function answerTo(hub: EnrolmentHub, token: Token, request: EnrolmentRequest): Promise<EnrolmentAnswer> {
  const identity = await assertMayEnrol(hub.store, token.identityId)
  const profile = await grantedProfile(hub.store, identity, token.profile)
  const csr = parseCertificateRequest(request.certificateRequest)
  assertAcceptableKey(csr.publicKey, profile)
  verifyCertificateRequest(csr)
  const content = certificateContent(profile, identity, hub.realm)
  assertRequestFits(csr, content)
  const keyHash = publicKeyHash(csr.publicKey)

  // As an act, not as a look: what was issued is answered only when it would outlive a restored backup.
  if (token.state === 'used') return repeated(await hub.store.write((tx) => replayed(tx, token, keyHash)))

  const credential = await issueCredential(hub, {
    authority: hub.authorities.issuing(),
    content,
    tokenId: token.id,
    publicKey: csr.publicKey,
    actor: `token:${token.id}`,
  })
  return hub.store.write(async (tx) => {
    const current = await tx.tokens.find(token.id)
    if (current === null) throw new HubError('token-invalid', 'the enrolment token is not valid')
    assertTokenLives(current, credential.issuedAtMs)
    // The same request may have come twice at once; the one that wrote first decides.
    if (current.state === 'used') return repeated(await replayed(tx, current, keyHash))
    await grantedProfile(tx, await assertMayEnrol(tx, current.identityId), current.profile)
    const isRenewal = await hasHeldOne(tx, current.identityId)
    await completeCredential(tx, hub.clock, credential)
    await tx.tokens.update({ ...current, state: 'used', usedAtMs: credential.issuedAtMs })
    await tx.events.append({
      type: 'credential-issued',
      identityId: credential.identityId,
      fingerprint: credential.fingerprint,
      serialNumber: credential.serialNumber,
    })
    await tx.audit.append({
      atMs: credential.issuedAtMs,
      actor: `token:${current.id}`,
      act: 'credential.issue',
      subject: credential.identityId,
      before: null,
      after: {
        serialNumber: credential.serialNumber,
        profile: credential.profile,
        notAfter: new Date(credential.notAfterSec * 1000).toISOString(),
      },
    })
    return { credential, outcome: 'issued', isRenewal }
  })
}

function repeated(credential: Credential): EnrolmentAnswer {
  return { credential, outcome: 'repeated', isRenewal: false }
}

async function authenticateToken(hub: EnrolmentHub, request: EnrolmentRequest): Promise<Token> {
  if (request.tokenText === null) throw new HubError('token-missing', 'the request carries no enrolment token')
  const parts = parseSecretText(request.tokenText)
  const token = parts === null ? null : await hub.store.tokens.find(parts.id)
  if (parts === null || token === null || !secretMatches(parts.secret, token.secretHash)) {
    throw new HubError('token-invalid', 'the enrolment token is not valid')
  }
  if (request.claimedId !== '' && request.claimedId !== token.identityId) {
    throw new HubError('token-invalid', `the token is not for ${quote(request.claimedId)}`, {
      hint: 'leave the user name empty, or give the id that the token was made for',
    })
  }
  assertTokenLives(token, hub.clock.nowMs())
  return token
}

function assertTokenLives(token: Token, nowMs: number): void {
  const refusal = tokenRefusal(token, nowMs)
  if (refusal === null) return
  const since = refusal === 'token-expired' ? ` at ${new Date(token.expiresAtMs).toISOString()}` : ''
  throw new HubError(refusal, `the enrolment token for ${quote(token.identityId)} ${words[refusal]}${since}`)
}

const words: Readonly<Record<string, string>> = { 'token-expired': 'expired', 'token-revoked': 'was revoked' }

async function assertMayEnrol(store: Pick<Transaction, 'identities'> | Store, id: IdentityId): Promise<Identity> {
  const identity = await store.identities.find(id)
  const refusal = identity === null ? 'identity-retired' : identityRefusal(identity.state)
  if (identity !== null && refusal === null) return identity
  throw new HubError(refusal ?? 'identity-retired', `${quote(id)} may not enrol: it is ${identity?.state ?? 'gone'}`)
}

/** The certificate that this token and key were answered with, while it waits for its first use. */
async function replayed(tx: Transaction, token: Token, keyHash: string): Promise<Credential> {
  const issued = await tx.credentials.ofToken(token.id)
  const same = issued.find((credential) => credential.publicKeyHash === keyHash)
  if (same?.state === 'pending') return same
  throw new HubError(
    'token-used',
    same === undefined
      ? `the enrolment token for ${quote(token.identityId)} was used already, with another key`
      : `the enrolment token for ${quote(token.identityId)} was used already and its certificate is ${same.state}`,
  )
}

/** Whether an identity has been given a certificate before; one that was only intended was not given. */
async function hasHeldOne(tx: Transaction, id: IdentityId): Promise<boolean> {
  const { items } = await tx.credentials.listOfIdentity(id, { after: null, limit: 10 })
  return items.some(({ state }) => state !== 'intended')
}
