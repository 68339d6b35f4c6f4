/**
 * A certificate that an operator orders: for a broker, a person's phone, a device that is set up on a bench. The profile must be
 * granted to the identity as for a token, and the order may decide what the profile leaves to it.
 */
import { HubError, quote } from '../core/errors.ts'
import { type Credential, credentialMovedTo } from '../core/identity/credential.ts'
import type { IdentityId, Realm } from '../core/identity/id.ts'
import { type Identity, identityRefusal } from '../core/identity/identity.ts'
import { limits } from '../core/limits.ts'
import { type CertificateContent, certificateContent } from '../core/profile/certificate-content.ts'
import type { Order } from '../core/profile/order.ts'
import type { Profile } from '../core/profile/profile.ts'
import { assertRequestFits } from '../core/profile/request-check.ts'
import { validityFrom } from '../core/profile/validity.ts'
import { readCertificate } from '../core/x509/certificate.ts'
import { parseCertificateRequest, verifyCertificateRequest } from '../core/x509/certificate-request.ts'
import { assertAcceptableKey, publicKeyHash } from '../core/x509/public-key.ts'
import type { Authorities } from './authorities.ts'
import type { Authority } from './authority.ts'
import { completeCredential, type IssuingHub, issueCredential } from './issue-credential.ts'
import type { Clock } from './ports/clock.ts'
import type { IssuanceOutcome, Observer } from './ports/observer.ts'
import type { Store, Transaction } from './ports/store.ts'
import { grantedProfile } from './profiles.ts'
import { assertNotHub } from './register-identity.ts'
import { assertKeyNotCompromised } from './renewal-request.ts'

export interface OperatorIssuanceHub extends IssuingHub {
  readonly store: Store
  readonly observer: Pick<Observer, 'issuance'>
  readonly realm: Realm
  readonly authorities: Pick<Authorities, 'issuing'>
}

export interface OperatorRequest {
  readonly id: IdentityId
  /** By name. */
  readonly profile: string
  /** PKCS#10 in DER. */
  readonly certificateRequest: Uint8Array
  readonly order: Order
  /** The chain of authorities that signs it; null for that of the profile. See docs/authorities.md. */
  readonly chain: string | null
}

export interface OperatorIssuance {
  readonly credential: Credential
  readonly profile: Profile
  /** Who signed it. */
  readonly authority: Authority
}

/** What the caller has to do with it. */
export interface IssuanceHooks {
  /** Throws where the actor may not have a certificate for this identity; asked again in the transaction that writes. */
  mayIssue?(identity: Identity): void
  /** A part of that transaction. */
  finish?(tx: Transaction, issuance: OperatorIssuance): Promise<void>
}

/**
 * Issues it. A certificate whose profile does not connect to the gate would never be used as far as the hub can see: it is
 * `active` from its issue on, since the operator takes it; the others are `pending` until their first use.
 *
 * It begins a lineage and supersedes nothing: what is in use goes on being good until it ends or is revoked. The same order
 * for the same key within `limits.orderRepeatedSec` is answered with the same certificate, so that a lost answer costs nothing.
 *
 * @param actor who asks, for the audit log
 * @returns the credential; it is on disk
 * @throws HubError `identity-not-found`, the refusal of its state, `identity-of-hub`, `profile-not-granted`, `csr-unreadable`,
 *   `csr-signature-invalid`, `csr-key-unacceptable`, `csr-asks-too-much`, `order-asks-too-much`, `name-invalid`, `names-missing`,
 *   `attribute-missing`, what `issueCredential` throws, `issuance-lapsed`
 */
export async function issueForOperator(
  hub: OperatorIssuanceHub,
  actor: string,
  request: OperatorRequest,
  { mayIssue = () => {}, finish = async () => {} }: IssuanceHooks = {},
): Promise<OperatorIssuance> {
  // Only the names of profiles that there are become labels of figures.
  let profile = 'none'
  try {
    const { outcome, ...issuance } = await answerTo(hub, actor, request, {
      ...{ mayIssue, finish },
      onProfile(found) {
        profile = found.name
      },
    })
    hub.observer.issuance(profile, outcome)
    return issuance
  } catch (error) {
    hub.observer.issuance(profile, error instanceof HubError ? 'refused' : 'failed')
    throw error
  }
}

async function answerTo(
  hub: OperatorIssuanceHub,
  actor: string,
  request: OperatorRequest,
  { mayIssue, finish, onProfile }: Required<IssuanceHooks> & { onProfile(profile: Profile): void },
): Promise<OperatorIssuance & { readonly outcome: IssuanceOutcome }> {
  const { identity, profile } = await entitled(hub.store, request, mayIssue)
  onProfile(profile)
  const csr = parseCertificateRequest(request.certificateRequest)
  assertAcceptableKey(csr.publicKey, profile)
  verifyCertificateRequest(csr)
  await assertKeyNotCompromised(hub.store.credentials, identity.id, publicKeyHash(csr.publicKey))
  const content = certificateContent(profile, identity, hub.realm, request.order)
  assertRequestFits(csr, content)
  const authority = hub.authorities.issuing(request.chain ?? profile.chain)
  const repeated = (store: Pick<Transaction, 'credentials'> | Store) =>
    repeatedOrder(store, hub.clock, authority, content, publicKeyHash(csr.publicKey))
  const before = await repeated(hub.store)
  if (before !== null) return { credential: before, profile, authority, outcome: 'repeated' }

  const credential = await issueCredential(hub, { authority, content, tokenId: null, publicKey: csr.publicKey, actor })
  return hub.store.write(async (tx) => {
    await entitled(tx, request, mayIssue)
    // The same order may have come twice at once; the one that wrote first decides.
    const first = await repeated(tx)
    if (first !== null) return { credential: first, profile, authority, outcome: 'repeated' }
    await assertKeyNotCompromised(tx.credentials, identity.id, credential.publicKeyHash)
    await completeCredential(tx, hub.clock, credential)
    const issuance = { credential: await handedOut(tx, hub.clock, credential, profile), profile, authority }
    await tx.audit.append({
      atMs: hub.clock.nowMs(),
      actor,
      act: 'credential.issue',
      subject: identity.id,
      before: null,
      after: {
        serialNumber: credential.serialNumber,
        profile: profile.name,
        ...namesOf(content),
        notAfter: new Date(credential.notAfterSec * 1000).toISOString(),
      },
    })
    await finish(tx, issuance)
    return { ...issuance, outcome: 'issued' }
  })
}

/** The identity and the profile as they are now, where the one may have a certificate of the other. */
async function entitled(
  store: Pick<Transaction, 'identities' | 'profiles'> | Store,
  { id, profile: profileName }: OperatorRequest,
  mayIssue: Required<IssuanceHooks>['mayIssue'],
): Promise<{ readonly identity: Identity; readonly profile: Profile }> {
  assertNotHub(id)
  const identity = await store.identities.find(id)
  if (identity === null) throw new HubError('identity-not-found', `there is no identity ${quote(id)}`)
  mayIssue(identity)
  const refusal = identityRefusal(identity.state)
  if (refusal !== null) throw new HubError(refusal, `${quote(id)} is ${identity.state} and cannot get a certificate`)
  return { identity, profile: await grantedProfile(store, identity, profileName) }
}

async function handedOut(
  tx: Pick<Transaction, 'credentials' | 'events'>,
  clock: Clock,
  credential: Credential,
  { mayConnect }: Profile,
): Promise<Credential> {
  const { identityId, fingerprint, serialNumber } = credential
  await tx.events.append({ type: 'credential-issued', identityId, fingerprint, serialNumber })
  if (mayConnect) return credential
  const active = credentialMovedTo(credential, 'active', clock.nowMs())
  await tx.credentials.update(active)
  await tx.events.append({ type: 'credential-activated', identityId, fingerprint, serialNumber })
  return active
}

/** What the same order has brought a moment ago, or null. */
async function repeatedOrder(
  store: Pick<Transaction, 'credentials'> | Store,
  clock: Clock,
  authority: Authority,
  content: CertificateContent,
  keyHash: string,
): Promise<Credential | null> {
  const living = await store.credentials.ofIdentityIn(content.identityId, ['pending', 'active'])
  const sinceMs = clock.nowMs() - limits.orderRepeatedSec * 1000
  const same = living.findLast(
    (each) =>
      each.publicKeyHash === keyHash &&
      each.tokenId === null &&
      each.parentSerial === null &&
      each.issuedAtMs >= sinceMs,
  )
  if (same?.profile !== content.profile.name || same.authorityId !== authority.id) return null
  const { notAfterSec } = validityFrom(content.profile, Math.floor(same.issuedAtMs / 1000), authority.fields)
  return notAfterSec === same.notAfterSec && saysTheSame(same, content) ? same : null
}

function saysTheSame({ certificate }: Credential, content: CertificateContent): boolean {
  const fields = readCertificate(certificate)
  return (
    Buffer.compare(fields.subject.der, content.subject) === 0 &&
    isSameList(fields.dnsNames, content.dnsNames) &&
    isSameList(fields.ipAddresses, content.ipAddresses) &&
    isSameList(fields.emails, content.emails) &&
    isSameList(fields.extendedKeyUsage ?? [], content.profile.extendedKeyUsage)
  )
}

function isSameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index])
}

function namesOf({ dnsNames, ipAddresses, emails }: CertificateContent): Record<string, readonly string[]> {
  return Object.fromEntries(Object.entries({ dnsNames, ipAddresses, emails }).filter(([, names]) => names.length > 0))
}
