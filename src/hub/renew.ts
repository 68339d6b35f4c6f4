/**
 * Renewal: the holder of a certificate asks for its successor. The successor is pending until its first use, and the present
 * one stays as it is until then, so that an answer that was lost costs nothing.
 */
import { HubError } from '../core/errors.ts'
import { failure } from '../core/failure/catalogue.ts'
import type { Credential } from '../core/identity/credential.ts'
import type { Realm } from '../core/identity/id.ts'
import type { Identity } from '../core/identity/identity.ts'
import { type CertificateContent, certificateContent } from '../core/profile/certificate-content.ts'
import type { Profile } from '../core/profile/profile.ts'
import { type Abilities, abilitiesOf, hasLapsed } from '../core/renewal/abilities.ts'
import { claimants, waitingChild } from '../core/renewal/contest.ts'
import {
  type CertificateRequest,
  parseCertificateRequest,
  verifyCertificateRequest,
} from '../core/x509/certificate-request.ts'
import { assertAcceptableKey, publicKeyHash } from '../core/x509/public-key.ts'
import { confirmFirstUse, judgeCertificate, judgeKnown } from './admit.ts'
import { type Authorities, mainChain } from './authorities.ts'
import { firstUse, idsOf, revokeSuperseded } from './first-use.ts'
import { hubIdentityId } from './hub-credential.ts'
import { completeCredential, issueCredential } from './issue-credential.ts'
import type { Admission } from './judgement.ts'
import type { NewAttempt } from './ports/attempts.ts'
import { type Clock, nowSec } from './ports/clock.ts'
import type { Log } from './ports/log.ts'
import type { IssuanceOutcome, Observer } from './ports/observer.ts'
import type { Random } from './ports/random.ts'
import type { StatusPlaces } from './ports/status-places.ts'
import type { Store, Transaction } from './ports/store.ts'
import { grantedProfile, profileNamed } from './profiles.ts'
import type { Renewal, RenewalOrder } from './renewal-order.ts'
import { assertKeyRenews, assertRenews } from './renewal-request.ts'

export interface RenewalHub {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly observer: Pick<Observer, 'issuance' | 'renewal' | 'renewalContested'>
  readonly attempts: { record(attempt: NewAttempt): void }
  readonly log: Log
  readonly realm: Realm
  readonly authorities: Authorities
  readonly statusPlaces: StatusPlaces
}

/** Renewal by the registry. As an admission it judges for renewal, and confirms a first use outside the gate. */
export function registryRenewal(hub: RenewalHub): Renewal & Admission {
  return {
    judge: (certificate) => judgeCertificate(hub, certificate, 'renew'),
    confirmUse: (judgement) => confirmFirstUse(hub, judgement, 'renew'),
    renew: (order) => renew(hub, order),
  }
}

async function renew(hub: RenewalHub, order: RenewalOrder): Promise<Credential> {
  const { observer, log } = hub
  try {
    const { credential, outcome, contest } = await answerTo(hub, order)
    const { profile } = credential
    observer.issuance(profile, outcome)
    if (outcome === 'issued') observer.renewal(profile, 'renewed')
    if (contest !== null) {
      observer.renewalContested(profile)
      log.warn('two keys ask to follow one certificate', { identity: credential.identityId, ...contest })
      hub.attempts.record(contestedAttempt(hub, order, contest))
    }
    return credential
  } catch (error) {
    // A label is whatever somebody wrote; the profile of a certificate is one of ours.
    const { profile } = order.credential
    const outcome = isOurs(error) ? 'failed' : 'refused'
    observer.issuance(profile, outcome)
    observer.renewal(profile, outcome)
    throw error
  }
}

/** True where a better request would not have helped. */
function isOurs(error: unknown): boolean {
  return !(error instanceof HubError) || ['unavailable', 'internal', 'local'].includes(failure(error.code).kind)
}

/** Serial numbers: of what both showed, of what the earlier key was given, and of what the later one was. */
interface Contest {
  readonly parent: string
  readonly rival: string
  readonly given: string
}

interface RenewalAnswer {
  readonly credential: Credential
  readonly outcome: IssuanceOutcome
  readonly contest: Contest | null
}

/** A request that has been read and found good, by what the registry said when it came. */
interface Asked {
  readonly order: RenewalOrder
  readonly request: CertificateRequest
  readonly keyHash: string
}

async function answerTo(hub: RenewalHub, order: RenewalOrder): Promise<RenewalAnswer> {
  const request = parseCertificateRequest(order.certificateRequest)
  const asked: Asked = { order, request, keyHash: publicKeyHash(request.publicKey) }
  const held = await heldNow(hub, hub.store, order)
  const { profile, content } = held
  assertAcceptableKey(request.publicKey, profile)
  verifyCertificateRequest(request)
  assertRenews(request, held.credential, content)
  await assertKeyRenews(hub.store.credentials, held.credential, request.publicKey, held.abilities.sameKeyOnly)

  // As an act, not as a look: what was issued is answered only when it would outlive a restored backup.
  const again = await hub.store.write((tx) => sameAnswer(hub, tx, asked))
  if (again !== null) return { credential: again, outcome: 'repeated', contest: null }

  const credential = await issueCredential(hub, {
    authority: hub.authorities.issuing(chainFor(hub, held)),
    content,
    tokenId: null,
    parentSerial: held.credential.serialNumber,
    keyOrigin: order.keyOrigin,
    publicKey: request.publicKey,
    actor: `device:${held.identity.id}`,
  })
  return hub.store.write((tx) => give(hub, tx, asked, credential))
}

/** What an operator ordered from another chain than that of its profile stays below the roots that its holder knows. */
function chainFor({ authorities }: RenewalHub, { credential, profile }: Held): string {
  const present = authorities.byId(credential.authorityId)?.chain ?? mainChain
  return profile.chain === mainChain ? present : profile.chain
}

/** A credential whose holder may renew it, by what the registry says now. */
interface Held {
  readonly credential: Credential
  readonly identity: Identity
  readonly abilities: Abilities
  /** The profile of what will follow, which is granted now. */
  readonly profile: Profile
  readonly content: CertificateContent
}

/**
 * Reads again what the holder has shown. Profile and grants are those of now, not those of the certificate.
 *
 * @throws HubError the refusal of the credential's or identity's state; `certificate-wrong-usage`, `profile-not-granted`
 */
async function heldNow(hub: RenewalHub, store: Store | Transaction, order: RenewalOrder): Promise<Held> {
  const credential = await store.credentials.find(order.credential.fingerprint)
  if (credential === null) throw new HubError('internal', 'a judged credential has left the registry')
  const found = await store.identities.find(credential.identityId)
  const present = await profileNamed(store, credential.profile)
  const judged = judgeKnown(hub, { credential, identity: found, profile: present }, 'renew')
  if (!judged.admitted) throw new HubError(judged.code, judged.sentence)
  const { identity } = judged
  if (identity.id === hubIdentityId) {
    throw new HubError('certificate-wrong-usage', 'the certificates of the hub itself are renewed by the hub')
  }
  const profile = await grantedProfile(store, identity, order.label ?? credential.profile)
  assertApprovalNotPassedBy(credential, profile)
  return {
    credential,
    identity,
    abilities: abilitiesOf(credential, present?.renewal ?? null, hub.clock.nowMs()),
    profile,
    content: certificateContent(profile, identity, hub.realm),
  }
}

/** The certificate that is shown stands for the approval of its own profile, and for that of no other. */
function assertApprovalNotPassedBy(credential: Credential, { name, approval }: Profile): void {
  if (!approval || name === credential.profile) return
  throw new HubError(
    'profile-not-granted',
    `the profile ${name} wants approval, which a certificate for ${credential.profile} has not had`,
    {
      hint: 'make a token for it: its first request waits for an operator',
    },
  )
}

/** What the same key was given and has not used yet, or null. A key that the hub makes is never the same. */
async function sameAnswer(hub: RenewalHub, tx: Transaction, asked: Asked): Promise<Credential | null> {
  const held = await heldNow(hub, tx, asked.order)
  const waiting = await waitingNow(hub, tx, held)
  return waiting?.publicKeyHash === asked.keyHash && asked.order.keyOrigin === 'holder' ? waiting : null
}

/** The child that waits and may still be used, or null. */
async function waitingNow(hub: RenewalHub, tx: Transaction, { credential, profile }: Held): Promise<Credential | null> {
  const waiting = waitingChild(await tx.credentials.childrenOf(credential.serialNumber), profile.name)
  if (waiting === null || hasLapsed(waiting, profile.renewal, hub.clock.nowMs())) return null
  return nowSec(hub.clock) > waiting.notAfterSec ? null : waiting
}

/** Hands a signed certificate over, if what it was made from still holds. */
async function give(hub: RenewalHub, tx: Transaction, asked: Asked, signed: Credential): Promise<RenewalAnswer> {
  const nowMs = hub.clock.nowMs()
  const { order, keyHash } = asked
  // The same request may have come twice at once; the one that wrote first decides.
  const again = await sameAnswer(hub, tx, asked)
  if (again !== null) return { credential: again, outcome: 'repeated', contest: null }
  const held = await heldNow(hub, tx, order)
  await assertKeyRenews(tx.credentials, held.credential, asked.request.publicKey, held.abilities.sameKeyOnly)
  // Whoever renews a certificate has it.
  await firstUse(tx, held, nowMs)

  const actor = `device:${held.identity.id}`
  const children = await tx.credentials.childrenOf(held.credential.serialNumber)
  const rival = claimants(children, { publicKeyHash: keyHash, profile: held.profile.name, keyOrigin: order.keyOrigin })
  const waiting = waitingChild(children, held.profile.name)
  if (waiting !== null) await revokeSuperseded(tx, waiting, actor, nowMs)

  const state = held.abilities.renew === 'into-quarantine' ? 'quarantined' : 'pending'
  const credential: Credential = { ...signed, state }
  await completeCredential(tx, hub.clock, credential)
  const onHold = state === 'quarantined' ? ({ isHeld: true } as const) : {}
  await tx.events.append({ type: 'credential-issued', ...idsOf(credential), ...onHold })
  await tx.audit.append({
    atMs: nowMs,
    actor,
    act: 'credential.renew',
    subject: credential.identityId,
    before: { serialNumber: held.credential.serialNumber, state: held.credential.state },
    after: {
      serialNumber: credential.serialNumber,
      profile: credential.profile,
      state,
      notAfter: new Date(credential.notAfterSec * 1000).toISOString(),
    },
  })
  const last = rival.at(-1)
  if (last === undefined) return { credential, outcome: 'issued', contest: null }
  await writeContest(tx, held.credential, last, credential, nowMs)
  const contest = {
    parent: held.credential.serialNumber,
    rival: last.serialNumber,
    given: credential.serialNumber,
  }
  return { credential, outcome: 'issued', contest }
}

async function writeContest(
  tx: Transaction,
  { identityId, serialNumber: parentSerial }: Credential,
  { serialNumber: rivalSerial }: Credential,
  { serialNumber }: Credential,
  atMs: number,
): Promise<void> {
  const contest = { identityId, parentSerial, rivalSerial, serialNumber }
  await tx.renewals.insertContest({ ...contest, atMs })
  await tx.events.append({ type: 'renewal-contested', ...contest })
  await tx.audit.append({
    atMs,
    actor: 'hub',
    act: 'renewal.contest',
    subject: identityId,
    before: { renewed: parentSerial, given: rivalSerial },
    after: { given: serialNumber },
  })
}

/** So that it stands in the device's own history, beside its connections. */
function contestedAttempt(hub: RenewalHub, { credential, address }: RenewalOrder, contest: Contest): NewAttempt {
  return {
    atMs: hub.clock.nowMs(),
    listener: 'est',
    address: address ?? '',
    stage: 'enrolment',
    outcome: 'admitted',
    code: 'renewal-contested',
    sentence: `two keys ask to follow ${contest.parent}: ${contest.rival} was given to one, ${contest.given} to the other`,
    identityId: credential.identityId,
    clientId: null,
    tlsVersion: null,
    mqttVersion: null,
    certificate: null,
  }
}
