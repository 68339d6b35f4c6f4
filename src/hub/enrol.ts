/** A token and a certificate request become a certificate. */
import { HubError, quote } from '../core/errors.ts'
import { failure } from '../core/failure/catalogue.ts'
import type { Credential, KeyOrigin } from '../core/identity/credential.ts'
import type { IdentityId, Realm } from '../core/identity/id.ts'
import type { Token } from '../core/identity/token.ts'
import { deviceProfile } from '../core/profile/built-in.ts'
import { type CertificateContent, certificateContent } from '../core/profile/certificate-content.ts'
import type { Profile } from '../core/profile/profile.ts'
import { assertRequestFits } from '../core/profile/request-check.ts'
import type { Secret } from '../core/secret.ts'
import {
  type CertificateRequest,
  parseCertificateRequest,
  verifyCertificateRequest,
} from '../core/x509/certificate-request.ts'
import { assertAcceptableKey, publicKeyHash } from '../core/x509/public-key.ts'
import type { Authorities } from './authorities.ts'
import { assertBoundTo, type BindingOfConnection } from './channel-binding.ts'
import { approvalOf, endRequest, type KeyAsking, liveRequest } from './enrolment-approval.ts'
import type { EnrolmentRates } from './enrolment-rates.ts'
import { assertMayEnrol, assertTokenLives, authenticateToken } from './enrolment-token.ts'
import { completeCredential, issueCredential } from './issue-credential.ts'
import type { Clock } from './ports/clock.ts'
import type { IssuanceOutcome, Observer } from './ports/observer.ts'
import type { Random } from './ports/random.ts'
import type { StatusPlaces } from './ports/status-places.ts'
import type { Store, Transaction } from './ports/store.ts'
import { grantedProfile } from './profiles.ts'
import { assertKeyNotCompromised } from './renewal-request.ts'
import { pendingOfToken, replaceLost } from './repeated-enrolment.ts'
import { makeServerKey, type ServerKey } from './server-key.ts'

export interface EnrolmentHub {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly observer: Pick<Observer, 'issuance' | 'enrolmentRefused' | 'renewal'>
  readonly rates: EnrolmentRates
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
  /** The profile that the path names; null or left out for that of the token. */
  readonly label?: string | null
  /** What the request may be bound to; nothing where it is left out. */
  readonly binding?: BindingOfConnection
}

/**
 * Issues the certificate that a token allows. While that certificate has not been used yet, the same token with the same
 * public key gets the same certificate again, so that a lost answer costs nothing.
 *
 * @returns the credential; it is on disk
 * @throws HubError `token-missing`, `token-invalid`, `token-expired`, `token-revoked`, `token-used`, `enrolments-too-many`,
 *   `profile-not-granted`, `profile-not-found`, `csr-unreadable`, `csr-signature-invalid`, `csr-key-unacceptable`,
 *   `csr-asks-too-much`, `renewal-key-compromised`, `channel-binding-mismatch`, what `certificateContent` throws, or the refusal of the identity's state;
 *   where an operator must approve the key, `enrolment-waits` until then, `enrolment-refused`, `enrolment-requests-too-many`
 */
export async function enrol(hub: EnrolmentHub, request: EnrolmentRequest): Promise<Credential> {
  return (await observed(hub, request, 'holder')).credential
}

/** What is handed out where the hub has made the key. */
export interface EnrolmentWithKey {
  readonly credential: Credential
  readonly serverKey: ServerKey
  readonly profile: Profile
}

/**
 * The same with a key that the hub makes. Nothing is kept of the key, so nothing can be given again: when the same token asks
 * once more, the certificate that nobody has used is revoked, and key and certificate are made anew.
 *
 * @throws HubError as `enrol`, but for what is about the key of the request
 */
export async function enrolWithServerKey(hub: EnrolmentHub, request: EnrolmentRequest): Promise<EnrolmentWithKey> {
  const { credential, serverKey, profile } = await observed(hub, request, 'hub')
  if (serverKey === null) throw new HubError('internal', 'a key of the hub was lost on its way')
  return { credential, serverKey, profile }
}

interface EnrolmentAnswer {
  readonly credential: Credential
  readonly profile: Profile
  /** Where the hub made it; never with the outcome `repeated`. */
  readonly serverKey: ServerKey | null
  readonly outcome: IssuanceOutcome
  /** True where the identity had a certificate before. */
  readonly isRenewal: boolean
}

async function observed(hub: EnrolmentHub, request: EnrolmentRequest, keyOrigin: KeyOrigin): Promise<EnrolmentAnswer> {
  const { observer } = hub
  // As long as nobody knows better.
  let profileName = deviceProfile.name
  try {
    const token = await authenticateToken(hub, request)
    profileName = token.profile
    const answer = await answerTo(hub, token, request, keyOrigin)
    observer.issuance(profileName, answer.outcome)
    if (answer.isRenewal) observer.renewal(profileName, 'renewed')
    return answer
  } catch (error) {
    observer.issuance(profileName, isOurs(error) ? 'failed' : 'refused')
    observer.enrolmentRefused(error instanceof HubError ? error.code : 'internal')
    throw error
  }
}

/** True where a better request would not have helped. */
function isOurs(error: unknown): boolean {
  return !(error instanceof HubError) || ['unavailable', 'internal', 'local'].includes(failure(error.code).kind)
}

async function answerTo(
  hub: EnrolmentHub,
  token: Token,
  request: EnrolmentRequest,
  keyOrigin: KeyOrigin,
): Promise<EnrolmentAnswer> {
  hub.rates.ofToken(token.id)
  assertLabelFits(request.label ?? null, token)
  const csr = parseCertificateRequest(request.certificateRequest)
  const asking = { token, publicKeyHash: publicKeyHash(csr.publicKey) }
  await assertTokenCounts(hub, asking, keyOrigin)
  const identity = await assertMayEnrol(hub.store, token.identityId)
  const profile = await grantedProfile(hub.store, identity, token.profile)
  assertBoundTo(csr, request.binding)
  const content = certificateContent(profile, identity, hub.realm)
  assertRequestIsGood(csr, content, keyOrigin)

  // As an act, not as a look: what was issued is answered only when it would outlive a restored backup.
  if (token.state === 'used' && keyOrigin === 'holder') {
    return repeated(profile, await hub.store.write((tx) => pendingOfToken(tx, asking)))
  }
  if (keyOrigin === 'holder') await assertKeyNotCompromised(hub.store.credentials, identity.id, asking.publicKeyHash)
  if (wantsApproval(token, profile)) await assertApproved(hub, asking)
  return issue(hub, asking, content, keyOrigin === 'hub' ? await makeServerKey(profile) : csr)
}

function assertLabelFits(label: string | null, token: Token): void {
  if (label === null || label === token.profile) return
  throw new HubError('profile-not-granted', `the token is for the profile ${token.profile}, not for ${quote(label)}`, {
    hint: 'leave the name of the profile out of the path, or make a token for it',
  })
}

/** It asks for nothing that the certificate will not say; its key is good and its holder has it, unless the hub makes another. */
function assertRequestIsGood(csr: CertificateRequest, content: CertificateContent, keyOrigin: KeyOrigin): void {
  if (keyOrigin === 'holder') {
    assertAcceptableKey(csr.publicKey, content.profile)
    verifyCertificateRequest(csr)
  }
  assertRequestFits(csr, content)
}

/**
 * A token that has expired counts for a key that came while it was good and waited for approval. A used one counts for the
 * key that it was used with, at any time; a key that the hub must make anew comes only while the token is good.
 */
async function assertTokenCounts(hub: EnrolmentHub, asking: KeyAsking, keyOrigin: KeyOrigin): Promise<void> {
  const nowMs = hub.clock.nowMs()
  const { token } = asking
  if (nowMs < token.expiresAtMs || (token.state === 'used' && keyOrigin === 'holder')) return
  if ((await liveRequest(hub.store, asking, nowMs)) !== null) return
  assertTokenLives({ ...token, state: 'open' }, nowMs)
}

function wantsApproval(token: Token, profile: Profile): boolean {
  return token.needsApproval || profile.approval
}

async function assertApproved(hub: EnrolmentHub, asking: KeyAsking): Promise<void> {
  // What waits is written down, so it is an answer of the transaction and not its failure.
  const refusal = await hub.store.write((tx) => approvalOf(tx, hub.random, asking, hub.clock.nowMs()))
  if (refusal !== null) throw refusal
}

async function issue(
  hub: EnrolmentHub,
  asking: KeyAsking,
  content: CertificateContent,
  key: CertificateRequest | ServerKey,
): Promise<EnrolmentAnswer> {
  const { token } = asking
  const { identityId: id, profile } = content
  const serverKey = 'privateKey' in key ? key : null
  const credential = await issueCredential(hub, {
    authority: hub.authorities.issuing(content.profile.chain),
    content,
    tokenId: token.id,
    keyOrigin: serverKey === null ? 'holder' : 'hub',
    publicKey: key.publicKey,
    actor: `token:${token.id}`,
  })
  return hub.store.write(async (tx) => {
    const current = await tx.tokens.find(token.id)
    if (current === null) throw new HubError('token-invalid', 'the enrolment token is not valid')
    if (current.state === 'revoked') assertTokenLives(current, credential.issuedAtMs)
    await grantedProfile(tx, await assertMayEnrol(tx, id), token.profile)
    if (current.state === 'used') {
      // The same request may have come twice at once; the one that wrote first decides.
      if (serverKey === null) return repeated(profile, await pendingOfToken(tx, asking))
      await replaceLost(tx, current, credential.issuedAtMs)
    }
    if (serverKey === null) await assertKeyNotCompromised(tx.credentials, id, asking.publicKeyHash)
    const isRenewal = await hasHeldOne(tx, id)
    await completeCredential(tx, hub.clock, credential)
    await writeIssued(tx, current, credential)
    if (wantsApproval(token, profile)) await endRequest(tx, asking, credential.issuedAtMs)
    return { credential, profile, serverKey, outcome: 'issued', isRenewal }
  })
}

async function writeIssued(tx: Transaction, token: Token, credential: Credential): Promise<void> {
  await tx.tokens.update({ ...token, state: 'used', usedAtMs: token.usedAtMs ?? credential.issuedAtMs })
  await tx.events.append({
    type: 'credential-issued',
    identityId: credential.identityId,
    fingerprint: credential.fingerprint,
    serialNumber: credential.serialNumber,
  })
  await tx.audit.append({
    atMs: credential.issuedAtMs,
    actor: `token:${token.id}`,
    act: 'credential.issue',
    subject: credential.identityId,
    before: null,
    after: {
      serialNumber: credential.serialNumber,
      profile: credential.profile,
      notAfter: new Date(credential.notAfterSec * 1000).toISOString(),
      ...(credential.keyOrigin === 'hub' ? { keyOrigin: 'hub' } : {}),
    },
  })
}

function repeated(profile: Profile, credential: Credential): EnrolmentAnswer {
  return { credential, profile, serverKey: null, outcome: 'repeated', isRenewal: false }
}

/** Whether an identity has been given a certificate before; one that was only intended was not given. */
async function hasHeldOne(tx: Transaction, id: IdentityId): Promise<boolean> {
  const { items } = await tx.credentials.listOfIdentity(id, { after: null, limit: 10 })
  return items.some(({ state }) => state !== 'intended')
}
